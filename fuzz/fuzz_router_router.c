/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "router/conf.h"

enum {
	HEAD_BYTES = 10,
	MAX_PKTS = 64,
	MAX_BYTES = 2048,
};

/* Whatever leaves is a packet, and small enough for the cable. */
static void on_send(void *arg, enum router_side to, struct slice pkt)
{
	static uint8_t b[ROUTER_PKT_BYTES];
	struct router_pkt p;

	UNUSED(arg);
	if (to > ROUTER_WAN || pkt.n > 1500)
		abort();
	memcpy(b, pkt.p, pkt.n);
	if (router_pkt_read(&p, b, pkt.n) != 0 && (b[6] | b[7]) == 0)
		abort();
}

/* The first bytes choose the behaviours and the NAT; packets follow, each
 * with its length, its side and some time. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_init((struct slice){data, size});
	struct router_conf conf = router_defaults;
	struct router *r;
	int64_t now_ns = 0;
	uint16_t bits;

	if (size < HEAD_BYTES)
		return 0;
	conf.ip4[0] = (struct addr){ADDR_IP4, {192, 0, 2, 1}, 0};
	conf.ip4[1] = (struct addr){ADDR_IP4, {203, 0, 113, 2}, 0};
	conf.nat = router_nat_defaults;
	conf.nat.ext[0] = conf.ip4[1];
	conf.nat.n_ext = 1;
	conf.ip6[0] = (struct addr){ADDR_IP6, {0x20, 1, 0xd, 0xb8}, 0};
	conf.ip6[1] = (struct addr){ADDR_IP6, {0x20, 1, 0xd, 0xb8, 0, 1}, 0};
	conf.nat.max_mappings = 4;
	conf.alg = router_alg_defaults;
	conf.alg.set = rd_u64(&in);
	bits = rd_u16(&in);
	conf.nat.mode = (enum router_nat_mode)(bits % 3);
	conf.nat.mapping = (enum router_nat_dep)(bits / 3 % 3);
	conf.nat.filter = (enum router_nat_dep)(bits / 9 % 3);
	conf.nat.ports = (enum router_nat_ports)(bits / 27 % 4);
	if (bits >> 13 & 1)
		conf.nat.ext6 = conf.ip6[1];
	conf.nat.has_hairpin = bits >> 14 & 1;
	conf.nat.evicts = bits >> 15;
	if (router_alloc(&r, &conf, 0, on_send, NULL) != 0)
		abort();
	for (int i = 0; i < MAX_PKTS && in.left && !in.bad; i++) {
		uint8_t how = rd_u8(&in), b[MAX_BYTES];
		struct slice pkt = rd_take(&in, rd_u16(&in) % MAX_BYTES);

		if (in.bad)
			break;
		if (pkt.n)
			memcpy(b, pkt.p, pkt.n);
		now_ns += (how >> 1) * NS_PER_S / 4;
		router_take(r, how & 1 ? ROUTER_WAN : ROUTER_LAN, b, pkt.n,
		            now_ns);
		(void)router_wake(r, now_ns);
	}
	router_free(r);
	return 0;
}
