/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "net/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = {data, size};
	struct addr found[4];
	struct net_dns_conf c;

	net_dns_conf_read(&c, in);
	if (c.n_servers > NET_DNS_SERVERS_MAX ||
	    c.n_search > NET_DNS_SEARCH_MAX)
		abort();
	for (size_t i = 0; i < c.n_servers; i++) {
		if (c.servers[i].family == ADDR_NONE)
			abort();
	}
	for (size_t i = 0; i < c.n_search; i++) {
		if (c.search[i][0] == '\0' ||
		    !memchr(c.search[i], '\0', sizeof(c.search[i])))
			abort();
	}
	if (net_dns_hosts_find(found, 4, in, "sip.example.com") > 4)
		abort();
	return 0;
}
