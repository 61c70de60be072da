/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "router/frag.h"

enum {
	MAX_BYTES = 4096
};

static void claim(bool is_true)
{
	if (!is_true)
		abort();
}

/* What the setters change stays readable, and a right sum stays right. */
static void change(struct router_pkt *p)
{
	bool was_right = router_pkt_sums_are_right(p);
	struct addr src = p->dst, dst = p->src;
	struct router_pkt again;

	src.port = 0x1234;
	dst.port = 0x4321;
	router_pkt_src_set(p, &src);
	router_pkt_dst_set(p, &dst);
	router_pkt_ttl_set(p, (uint8_t)(p->ttl - 1));
	router_pkt_tos_set(p, 0xb8);
	if (p->proto == ROUTER_TCP && p->sum) {
		router_pkt_seq_set(p, p->seq + 7);
		router_pkt_ack_set(p, p->ack - 7);
	}
	claim(router_pkt_read(&again, p->b, p->n) == 0);
	claim(addr_ip_eq(&again.src, &p->src) && again.ttl == p->ttl);
	claim(!was_right || router_pkt_sums_are_right(&again));
}

static void cut(struct router_pkt *p)
{
	static uint8_t b[MAX_BYTES * 4];
	struct wr w = wr_init(b, sizeof(b));
	size_t at = 0, total = 0;

	while (router_frag_next(&w, &at, p, 68) == 0) {
		claim(w.n <= 68 && ++total < MAX_BYTES);
		w.n = 0;
	}
}

static void answer(struct router_pkt *p)
{
	static uint8_t out[ROUTER_PKT_BYTES];
	struct wr w = wr_init(out, sizeof(out));
	struct addr from = p->dst;
	struct router_pkt again;

	if (router_icmp_build(&w, p, &from, ROUTER_ICMP_TTL, 0, 28) == 0)
		claim(router_pkt_read(&again, out, w.n) == 0 &&
		      again.is_icmp_error);
	w.n = 0;
	if (router_rst_build(&w, p) == 0)
		claim(router_pkt_read(&again, out, w.n) == 0);
	w.n = 0;
	if (router_pkt_rebuild(&w, p, slice_str("hello")) == 0)
		claim(router_pkt_read(&again, out, w.n) == 0 &&
		      slice_eq_str(router_pkt_payload(&again), "hello"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t b[MAX_BYTES];
	struct router_pkt p, q;

	if (size > sizeof(b))
		return 0;
	memcpy(b, data, size);
	if (router_pkt_read_quote(&q, b, size) == 0 && q.src.port)
		router_pkt_src_set(&q, &q.dst);
	memcpy(b, data, size);
	if (router_pkt_read(&p, b, size) != 0)
		return 0;
	answer(&p);
	cut(&p);
	change(&p);
	return 0;
}
