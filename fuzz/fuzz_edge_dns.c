/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <stdlib.h>

#include "edge/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct edge_name names[] = {
		{"chat.example.com", {ADDR_IP4, {198, 51, 100, 31}, 0}},
		{"chat.example.com", {ADDR_IP6, {0x20, 1, 0xd, 0xb8}, 0}},
	};
	static const struct edge_srv srvs[] = {
		{"_sip._udp.voz.example", "voz.example", "SIP+D2U", 5060},
	};
	static const struct edge_zone zone = {names, ARRAY_LEN(names), srvs,
	                                      ARRAY_LEN(srvs)};
	uint8_t buf[EDGE_DNS_UDP_MAX_BYTES];
	struct wr w = wr_init(buf, sizeof(buf));

	edge_dns_answer(&w, &zone, (struct slice){data, size}, sizeof(buf));
	/* two records at most, or one that is longer */
	if (w.bad || w.n > size + 52)
		abort();
	return 0;
}
