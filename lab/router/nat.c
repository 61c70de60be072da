/* SPDX-License-Identifier: ISC */
/*
 * Design: each remote of a mapping has its own timer, because what a filter
 * admits and how long a binding lives are both questions about a remote.
 * Which packet passes, and as what, is decided here; the table it is looked
 * up in is nat_table.c, and what opens it from within is nat_hole.c.
 */
#include "router/nat.h"

#include <errno.h>

#include "base/clock.h"
#include "router/nat_inside.h"

#define STREAM_AGE_NS (2 * NS_PER_S)
#define TCP_HALF_NS   (120 * NS_PER_S)

const struct router_nat_conf router_nat_defaults = {
	.mode = ROUTER_NAT_ON,
	.mapping = ROUTER_NAT_EI,
	.filter = ROUTER_NAT_APD,
	.ports = ROUTER_NAT_PRESERVE,
	.max_mappings = 16384,
	.udp_new_ns = 30 * NS_PER_S,
	.udp_replied_ns = 30 * NS_PER_S,
	.udp_stream_ns = 120 * NS_PER_S,
	.tcp_idle_ns = 432000 * NS_PER_S,
	.icmp_ns = 30 * NS_PER_S,
};

static struct addr key_of(const struct router_nat *n, const struct addr *remote)
{
	struct addr key = {0};

	/* Without translation there is but one mapping to depend on. */
	if (n->conf.mode != ROUTER_NAT_ON || n->conf.mapping == ROUTER_NAT_EI)
		return key;
	key = *remote;
	if (n->conf.mapping == ROUTER_NAT_AD)
		key.port = 0;
	return key;
}

static uint16_t port_guess(struct router_nat *n, uint16_t inner)
{
	uint32_t span = ROUTER_NAT_PORTS - ROUTER_NAT_LOW_PORT, port;

	if (n->conf.ports == ROUTER_NAT_SEQUENTIAL) {
		port = n->next_port;
		n->next_port = port + 1 < ROUTER_NAT_PORTS
		                       ? (uint16_t)(port + 1)
		                       : ROUTER_NAT_LOW_PORT;
		return (uint16_t)port;
	}
	port = ROUTER_NAT_LOW_PORT + router_rand_below(&n->rand, span);
	if (n->conf.ports == ROUTER_NAT_PARITY)
		port = (port & ~UINT32_C(1)) | (inner & 1);
	return (uint16_t)port;
}

/* @return 0, or ENOSPC */
static int ext_choose(struct router_nat *n, struct addr *ext, uint8_t proto,
                      const struct addr *in, int64_t now_ns)
{
	struct addr a;

	if (n->conf.mode != ROUTER_NAT_ON) {
		*ext = *in;
		return 0;
	}
	a = router_nat_ext_pick(n, in);
	if (n->conf.ports == ROUTER_NAT_PRESERVE &&
	    router_nat_port_is_free(n, proto, &a, now_ns)) {
		*ext = a;
		return 0;
	}
	for (int i = 0; i < ROUTER_NAT_PORT_TRIES; i++) {
		a.port = port_guess(n, in->port);
		if (router_nat_port_is_free(n, proto, &a, now_ns)) {
			*ext = a;
			return 0;
		}
	}
	return ENOSPC;
}

static int64_t plain_life_ns(const struct router_nat *n,
                             const struct router_nat_remote *r, int64_t now_ns)
{
	const struct router_nat_conf *c = &n->conf;

	if (!r->is_replied)
		return c->udp_new_ns;
	return now_ns - r->since_ns > STREAM_AGE_NS ? c->udp_stream_ns
	                                            : c->udp_replied_ns;
}

static int64_t udp_life_ns(const struct router_nat *n,
                           const struct router_nat_remote *r, int64_t now_ns)
{
	const struct router_nat_conf *c = &n->conf;

	for (size_t i = 0; i < c->n_ranges; i++) {
		if (r->at.port >= c->ranges[i].low &&
		    r->at.port <= c->ranges[i].high)
			return c->ranges[i].life_ns;
	}
	return plain_life_ns(n, r, now_ns);
}

/* Silent for longer than its state alone would let it. */
static bool is_kept(const struct router_nat *n,
                    const struct router_nat_remote *r,
                    const struct router_pkt *p, int64_t now_ns)
{
	return p->proto == ROUTER_UDP && r->used_ns &&
	       now_ns - r->used_ns > plain_life_ns(n, r, r->used_ns);
}

static void remote_refresh(struct router_nat *n, struct router_nat_remote *r,
                           const struct router_pkt *p, int64_t now_ns)
{
	int64_t life_ns = n->conf.icmp_ns;

	if (p->proto == ROUTER_UDP) {
		life_ns = udp_life_ns(n, r, now_ns);
	} else if (p->proto == ROUTER_TCP) {
		if (p->tcp_flags & (ROUTER_TCP_FIN | ROUTER_TCP_RST))
			r->is_closing = true;
		else if (p->tcp_flags & ROUTER_TCP_SYN)
			r->is_closing = false;
		life_ns = n->conf.tcp_idle_ns;
		if ((r->is_closing || !r->is_replied) && life_ns > TCP_HALF_NS)
			life_ns = TCP_HALF_NS;
	}
	r->used_ns = now_ns;
	if (now_ns + life_ns > r->until_ns || !r->is_pinhole)
		r->until_ns = now_ns + life_ns;
}

static void flow_seq(struct router_flow *flow, struct router_nat_remote *r,
                     const struct router_pkt *p)
{
	flow->seq = p->proto == ROUTER_TCP && !p->is_quote ? r->seq : NULL;
}

static bool is_tracked(const struct router_pkt *p)
{
	return p->proto == ROUTER_UDP || p->proto == ROUTER_TCP ||
	       p->is_icmp_query;
}

static enum router_nat_verdict out(struct router_nat *n,
                                   struct router_flow *flow,
                                   struct router_pkt *p, int64_t now_ns)
{
	struct addr key = key_of(n, &p->dst), ext;
	const struct addr any = {0};
	struct router_nat_remote *r;
	uint32_t i;

	i = router_nat_mapping_find(n, p->proto, &p->src, &key, now_ns);
	if (!i && key.family) /* a pinhole depends on nobody */
		i = router_nat_mapping_find(n, p->proto, &p->src, &any, now_ns);
	if (!i) {
		if (!router_nat_room_make(n, now_ns) ||
		    ext_choose(n, &ext, p->proto, &p->src, now_ns) != 0)
			return ROUTER_NAT_FULL;
		i = router_nat_mapping_add(n, p->proto, &p->src, &ext, &key);
	}
	r = router_nat_remote_find(n, i, &p->dst);
	flow->is_new = !r;
	flow->is_admitted = r && r->is_admitted;
	if (!r)
		r = router_nat_remote_add(n, i, &p->dst, now_ns);
	if (!r) {
		if (!n->maps[i].remotes)
			router_nat_mapping_free(n, i);
		return ROUTER_NAT_FULL;
	}
	if (r->is_pinhole)
		r->is_replied = true;
	flow->is_kept = is_kept(n, r, p, now_ns);
	flow->since_ns = r->since_ns;
	remote_refresh(n, r, p, now_ns);
	router_nat_touch(n, i);
	flow->new_src = n->maps[i].ext;
	flow_seq(flow, r, p);
	return ROUTER_NAT_PASS;
}

static bool is_let_in(const struct router_nat *n,
                      const struct router_nat_remote *r,
                      const struct addr *from)
{
	if (r->is_pinhole) {
		if (r->at.family == ADDR_NONE)
			return true;
		return addr_ip_eq(&r->at, from) &&
		       (r->at.port == 0 || r->at.port == from->port);
	}
	switch (n->conf.filter) {
	case ROUTER_NAT_EI:
		return true;
	case ROUTER_NAT_AD:
		return addr_ip_eq(&r->at, from);
	case ROUTER_NAT_APD:
		break;
	}
	return addr_eq(&r->at, from);
}

static struct router_nat_remote *doorman(struct router_nat *n, uint32_t i,
                                         const struct addr *from)
{
	struct router_nat_remote *exact = router_nat_remote_find(n, i, from);

	if (exact)
		return exact;
	for (uint32_t r = n->maps[i].remotes; r; r = n->remotes[r].next) {
		if (is_let_in(n, &n->remotes[r], from))
			return &n->remotes[r];
	}
	return NULL;
}

static enum router_nat_verdict in(struct router_nat *n,
                                  struct router_flow *flow,
                                  struct router_pkt *p, const struct addr *from,
                                  int64_t now_ns)
{
	uint32_t i = router_nat_find_outside(n, p->proto, &p->dst, now_ns);
	struct router_nat_remote *r;

	if (!i)
		return ROUTER_NAT_NO_MAPPING;
	r = doorman(n, i, from);
	if (r && r->is_pinhole && r->is_admitted) {
		/* The answers must be known to belong to it. */
		r = router_nat_remote_add(n, i, from, now_ns);
		if (r)
			r->is_admitted = true;
	}
	if (!r)
		return ROUTER_NAT_FILTERED;
	flow->is_admitted = r->is_admitted;
	flow->is_kept = is_kept(n, r, p, now_ns);
	flow->since_ns = r->since_ns;
	r->is_replied = true;
	remote_refresh(n, r, p, now_ns);
	router_nat_touch(n, i);
	flow->new_dst = n->maps[i].in;
	flow_seq(flow, r, p);
	return ROUTER_NAT_PASS;
}

/*
 * An error is about a packet that went the other way: what it quotes is
 * translated as that packet was, backwards, and so is the address of the
 * error that belongs to the inner host (RFC 5508, section 4).
 */
static enum router_nat_verdict error(struct router_nat *n,
                                     struct router_flow *flow,
                                     struct router_pkt *p, bool is_out,
                                     int64_t now_ns)
{
	const struct addr any = {0};
	struct addr key, outer;
	struct router_pkt q;
	uint32_t i;

	if (router_pkt_read_quote(&q, p->b + p->payload, p->n - p->payload) !=
	            0 ||
	    !is_tracked(&q) || q.frag_at)
		return ROUTER_NAT_UNTRANSLATABLE;
	if (is_out) {
		key = key_of(n, &q.src);
		i = router_nat_mapping_find(n, q.proto, &q.dst, &key, now_ns);
		if (!i && key.family) /* it came through a pinhole */
			i = router_nat_mapping_find(n, q.proto, &q.dst, &any,
			                            now_ns);
	} else {
		i = router_nat_find_outside(n, q.proto, &q.src, now_ns);
	}
	if (!i)
		return ROUTER_NAT_NO_MAPPING;
	/* Who sends it may be a router further in, and keeps its address. */
	if (n->conf.mode != ROUTER_NAT_ON)
		return ROUTER_NAT_PASS;
	outer = is_out ? n->maps[i].ext : n->maps[i].in;
	if (is_out)
		router_pkt_dst_set(&q, &outer);
	else
		router_pkt_src_set(&q, &outer);
	outer.port = 0;
	if (is_out)
		router_pkt_src_set(p, &outer);
	else
		router_pkt_dst_set(p, &outer);
	/* The quote is under the sum of the error. */
	router_pkt_sums_make(p);
	flow->new_src = p->src;
	flow->new_dst = p->dst;
	return ROUTER_NAT_PASS;
}

static bool is_own(const struct router_nat *n, const struct addr *a)
{
	for (size_t i = 0; i < n->conf.n_ext; i++) {
		if (addr_ip_eq(&n->conf.ext[i], a))
			return true;
	}
	return n->conf.ext6.family && addr_ip_eq(&n->conf.ext6, a);
}

static enum router_nat_verdict take(struct router_nat *n,
                                    struct router_flow *flow,
                                    struct router_pkt *p, bool is_out,
                                    int64_t now_ns)
{
	enum router_nat_verdict v;

	if (!is_out)
		return in(n, flow, p, &p->src, now_ns);
	v = out(n, flow, p, now_ns);
	if (v != ROUTER_NAT_PASS || n->conf.mode != ROUTER_NAT_ON ||
	    !is_own(n, &p->dst))
		return v;
	if (!n->conf.has_hairpin)
		return ROUTER_NAT_NO_MAPPING;
	flow->is_hairpin = true;
	return in(n, flow, p, &flow->new_src, now_ns);
}

enum router_nat_verdict router_nat_take(struct router_nat *n,
                                        struct router_flow *flow,
                                        struct router_pkt *p, bool is_out,
                                        int64_t now_ns)
{
	struct router_flow f = {.src = p->src,
	                        .dst = p->dst,
	                        .new_src = p->src,
	                        .new_dst = p->dst,
	                        .is_out = is_out,
	                        .since_ns = now_ns};
	enum router_nat_verdict v;

	if (router_nat_is_past(n, &p->src)) {
		*flow = f;
		return ROUTER_NAT_PASS;
	}
	if (p->is_icmp_error)
		v = error(n, &f, p, is_out, now_ns);
	else if (!is_tracked(p) || p->frag_at)
		v = ROUTER_NAT_UNTRANSLATABLE;
	else
		v = take(n, &f, p, is_out, now_ns);
	if (v != ROUTER_NAT_PASS)
		return v;
	if (!p->is_icmp_error && n->conf.mode == ROUTER_NAT_ON) {
		if (is_out)
			router_pkt_src_set(p, &f.new_src);
		if (!is_out || f.is_hairpin)
			router_pkt_dst_set(p, &f.new_dst);
	}
	*flow = f;
	return ROUTER_NAT_PASS;
}
