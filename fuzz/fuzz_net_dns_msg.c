/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "net/dns.h"

static void check_text(const char *text, size_t cap)
{
	if (!memchr(text, '\0', cap))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct net_dns_msg m;

	if (net_dns_decode(&m, (struct slice){data, size}))
		return 0;
	if (m.n_records > NET_DNS_RECORDS_MAX)
		abort();
	check_text(m.question, sizeof(m.question));
	for (size_t i = 0; i < m.n_records; i++) {
		check_text(m.records[i].name, sizeof(m.records[i].name));
		check_text(m.records[i].target, sizeof(m.records[i].target));
		check_text(m.records[i].regexp, sizeof(m.records[i].regexp));
	}
	net_dns_msg_fini(&m);
	return 0;
}
