/* SPDX-License-Identifier: ISC */
/*
 * Design: a pipeline of small stages over one packet in a buffer of the
 * caller's, with a second buffer for the two stages that make a packet
 * longer. Nothing is allocated after the start. A stage that swallows a
 * packet counts it under its own name, so every packet that came in is
 * accounted for.
 */
#include "router/router.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "router/frag.h"
#include "router/stream.h"

#define TWIN_NS (2 * NS_PER_MS)

enum {
	FULL_QUOTE_BYTES = 548, /* RFC 1812, section 4.3.2.3 */
	IP6_MIN_MTU = 1280,     /* RFC 8200, section 5 */
	CHECK_BYTES = 64,
};

struct count {
	uint64_t n_in, n_out, n_bad, n_ruled, n_expired, n_untranslated,
		n_filtered, n_full, n_too_big, n_fragments, n_icmp;
};

struct router {
	struct router_conf conf;
	router_send_fn send;
	void *arg;
	struct router_nat *nat;
	struct router_alg *alg;
	struct router_frags *frags;
	struct router_streams *streams; /* NULL: nobody puts TCP together */
	struct router_path *paths[2];
	struct count counts[2];
	int64_t start_ns, icmp_second_ns, twin_ns;
	unsigned n_icmp_second;
	uint8_t edited[ROUTER_PKT_BYTES];
	uint8_t cut[ROUTER_MAX_MTU + CHECK_BYTES];
};

const struct router_conf router_defaults = {
	.seed = 1,
	.mtu = ROUTER_MAX_MTU,
	.quote_bytes = FULL_QUOTE_BYTES,
	/* Who asks for bursts and says no more means that all is lost. */
	.dirs = {{.path.bad_loss_ppm = ROUTER_PATH_MAX_PPM},
                 {.path.bad_loss_ppm = ROUTER_PATH_MAX_PPM}},
};

/* One packet between two stages. */
struct passage {
	enum router_side from, to;
	bool is_out;            /* from the LAN */
	size_t mtu;             /* it came cut to this; 0: whole */
	unsigned told_mtu;      /* in errors; 0: our own */
	struct router_pkt came; /* before an ALG edited it; b: NULL if none */
	int64_t now_ns;
	struct router_flow flow;
};

static bool has(const struct router *r, enum router_alg_id id)
{
	return r->conf.alg.set & router_alg_bit(id);
}

static struct count *count(struct router *r, const struct passage *g)
{
	return &r->counts[!g->is_out];
}

static void emit(struct router *r, enum router_side to, struct slice pkt,
                 int64_t now_ns)
{
	unsigned dir = to == ROUTER_LAN;

	if (router_path_is_cable(r->paths[dir])) {
		r->counts[dir].n_out++;
		r->send(r->arg, to, pkt);
	} else {
		router_path_put(r->paths[dir], pkt, now_ns);
	}
}

static void dscp_apply(const struct router *r, const struct passage *g,
                       struct router_pkt *p)
{
	const struct router_dir_conf *d = &r->conf.dirs[!g->is_out];
	uint8_t ecn = p->tos & 3;

	if (d->dscp == ROUTER_DSCP_BLEACH)
		router_pkt_tos_set(p, ecn);
	else if (d->dscp == ROUTER_DSCP_MARK)
		router_pkt_tos_set(p, (uint8_t)(d->mark << 2 | ecn));
}

/* A segment of the router's own, in the place of those that it took. */
static void on_stream(void *arg, bool is_out, struct slice pkt, int64_t now_ns)
{
	struct passage g = {.is_out = is_out};
	uint8_t b[ROUTER_MAX_MTU];
	struct router *r = arg;
	struct router_pkt p;

	if (pkt.n > sizeof(b))
		return;
	memcpy(b, pkt.p, pkt.n);
	if (router_pkt_read(&p, b, pkt.n) != 0)
		return;
	dscp_apply(r, &g, &p);
	emit(r, is_out ? ROUTER_WAN : ROUTER_LAN, (struct slice){p.b, p.n},
	     now_ns);
}

int router_alloc(struct router **rp, const struct router_conf *conf,
                 int64_t now_ns, router_send_fn send, void *arg)
{
	struct router *r;
	int err;

	if (conf->mtu < ROUTER_MIN_MTU || conf->mtu > ROUTER_MAX_MTU ||
	    conf->n_rules > ROUTER_MAX_RULES)
		return EINVAL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return ENOMEM;
	r->conf = *conf;
	r->send = send;
	r->arg = arg;
	r->start_ns = now_ns;
	r->twin_ns = INT64_MIN / 2;
	if (has(r, ROUTER_ALG_TIMER) &&
	    r->conf.nat.n_ranges < ROUTER_NAT_MAX_RANGES)
		r->conf.nat.ranges[r->conf.nat.n_ranges++] =
			(struct router_nat_range){conf->alg.port,
		                                  conf->alg.port,
		                                  3600 * NS_PER_S};
	err = router_nat_alloc(&r->nat, &r->conf.nat, conf->seed);
	if (!err)
		err = router_alg_alloc(&r->alg, &r->conf.alg, r->nat);
	if (!err)
		err = router_frags_alloc(&r->frags);
	if (!err && has(r, ROUTER_ALG_TCP_ASSEMBLE))
		err = router_streams_alloc(&r->streams, r->alg, conf->mtu,
		                           on_stream, r);
	for (unsigned i = 0; i < 2 && !err; i++)
		err = router_path_alloc(&r->paths[i], &conf->dirs[i].path,
		                        conf->seed + i + 1);
	if (err)
		router_free(r);
	else
		*rp = r;
	return err;
}

void router_free(struct router *r)
{
	if (!r)
		return;
	for (unsigned i = 0; i < 2; i++)
		router_path_free(r->paths[i]);
	router_frags_free(r->frags);
	router_streams_free(r->streams);
	router_alg_free(r->alg);
	router_nat_free(r->nat);
	free(r);
}

static bool may_complain(struct router *r, int64_t now_ns)
{
	if (!r->conf.quote_bytes)
		return false;
	if (!r->conf.icmp_pps)
		return true;
	if (now_ns - r->icmp_second_ns >= NS_PER_S) {
		r->icmp_second_ns = now_ns;
		r->n_icmp_second = 0;
	}
	return r->n_icmp_second++ < r->conf.icmp_pps;
}

static void complain(struct router *r, const struct passage *g,
                     const struct router_pkt *p, enum router_icmp_kind kind)
{
	const struct addr *own = p->is_ip6 ? r->conf.ip6 : r->conf.ip4;
	struct wr w = wr_init(r->cut, sizeof(r->cut));

	if (!may_complain(r, g->now_ns))
		return;
	if (router_icmp_build(&w, p, &own[g->from], kind,
	                      g->told_mtu ? g->told_mtu : r->conf.mtu,
	                      r->conf.quote_bytes) != 0)
		return;
	count(r, g)->n_icmp++;
	emit(r, g->from, wr_slice(&w), g->now_ns);
}

/* @return whether the filter lets it through */
static bool rules_pass(struct router *r, const struct passage *g,
                       const struct router_pkt *p)
{
	struct wr w = wr_init(r->cut, sizeof(r->cut));

	switch (router_rule_find(r->conf.rules, r->conf.n_rules, p, !g->is_out,
	                         g->now_ns - r->start_ns)) {
	case ROUTER_RULE_ACCEPT:
		return true;
	case ROUTER_RULE_DROP:
		break;
	case ROUTER_RULE_REJECT_NET:
		complain(r, g, p, ROUTER_ICMP_NET);
		break;
	case ROUTER_RULE_REJECT_HOST:
		complain(r, g, p, ROUTER_ICMP_HOST);
		break;
	case ROUTER_RULE_REJECT_PORT:
		complain(r, g, p, ROUTER_ICMP_PORT);
		break;
	case ROUTER_RULE_REJECT_ADMIN:
		complain(r, g, p, ROUTER_ICMP_ADMIN);
		break;
	case ROUTER_RULE_RESET:
		if (router_rst_build(&w, p) == 0)
			emit(r, g->from, wr_slice(&w), g->now_ns);
		break;
	}
	count(r, g)->n_ruled++;
	return false;
}

/* The ALG has made it too long. IPv6 is told to send what grows to fit; of
 * IPv4 the kernel would only repeat a size that it was below. */
static void overgrown(struct router *r, struct passage *g,
                      const struct router_pkt *p)
{
	size_t grown = g->came.b ? p->n - g->came.n : 0;

	count(r, g)->n_too_big++;
	if (!p->is_ip6 || !g->came.b || r->conf.is_dead_for_df)
		return;
	g->told_mtu = IP6_MIN_MTU;
	if (r->conf.mtu > IP6_MIN_MTU + grown)
		g->told_mtu = r->conf.mtu - (unsigned)grown;
	complain(r, g, &g->came, ROUTER_ICMP_MTU);
}

static void leave(struct router *r, struct passage *g, struct router_pkt *p)
{
	struct wr w = wr_init(r->cut, sizeof(r->cut));
	size_t at = 0, mtu = r->conf.mtu;

	dscp_apply(r, g, p);
	if (g->mtu && g->mtu < mtu) /* cut as it came */
		mtu = g->mtu;
	if (p->n <= mtu) {
		emit(r, g->to, (struct slice){p->b, p->n}, g->now_ns);
		return;
	}
	/* It was small enough when it came: the ALG has made it longer. */
	if (p->has_df && !g->mtu) {
		overgrown(r, g, p);
		return;
	}
	while (router_frag_next(&w, &at, p, mtu) == 0) {
		emit(r, g->to, wr_slice(&w), g->now_ns);
		w.n = 0;
	}
}

/* The offsets that earlier edits left in a TCP stream. */
static void seq_apply(struct router_pkt *p, const struct router_flow *f)
{
	const struct router_nat_seq *own = &f->seq[!f->is_out];
	const struct router_nat_seq *back = &f->seq[f->is_out];
	int32_t shift;

	shift = (int32_t)(p->seq - own->at) > 0 ? own->after : own->before;
	if (shift)
		router_pkt_seq_set(p, p->seq + (uint32_t)shift);
	if (!(p->tcp_flags & ROUTER_TCP_ACK))
		return;
	shift = (int32_t)(p->ack - (uint32_t)back->before - back->at) > 0
	                ? back->after
	                : back->before;
	if (shift)
		router_pkt_ack_set(p, p->ack - (uint32_t)shift);
}

static void seq_note(const struct router_pkt *p, const struct router_flow *f,
                     int64_t delta)
{
	struct router_nat_seq *own = &f->seq[!f->is_out];

	/* A segment that is sent again is edited again, and counts once. */
	if (!delta ||
	    (own->before != own->after && (int32_t)(p->seq - own->at) <= 0))
		return;
	own->at = p->seq;
	own->before = own->after;
	own->after += (int32_t)delta;
}

/* @return whether the packet goes on; @p p may then be another */
static bool alg_pass(struct router *r, struct passage *g, struct router_pkt *p)
{
	static uint8_t text[ROUTER_PKT_BYTES];
	struct wr w = wr_init(text, sizeof(text));
	struct wr out = wr_init(r->edited, sizeof(r->edited));
	struct slice payload = router_pkt_payload(p);
	bool is_mended = g->flow.seq && !has(r, ROUTER_ALG_TCP_NO_FIXUP);
	struct router_pkt edited;
	int64_t delta;

	switch (router_alg_take(r->alg, &w, payload, &g->flow, p->proto,
	                        g->now_ns)) {
	case ROUTER_ALG_DROPPED:
		return false;
	case ROUTER_ALG_SAME:
		break;
	case ROUTER_ALG_EDITED:
		if (router_pkt_rebuild(&out, p, wr_slice(&w)) != 0 ||
		    router_pkt_read(&edited, r->edited, out.n) != 0)
			break;
		delta = (int64_t)w.n - (int64_t)payload.n;
		if (is_mended)
			seq_note(p, &g->flow, delta);
		g->came = *p;
		*p = edited;
		break;
	}
	if (is_mended)
		seq_apply(p, &g->flow);
	return true;
}

/* Without a time of the change a phone was there before it: on its own port,
 * where it has spoken ever since. */
static bool is_old(const struct router *r, const struct router_flow *f)
{
	const struct addr *phone = f->is_out ? &f->src : &f->new_dst;

	if (r->conf.alg.change_ns)
		return f->since_ns - r->start_ns < r->conf.alg.change_ns;
	return phone->port == r->conf.alg.port;
}

/* @return whether an old session still leads anywhere */
static bool session_pass(struct router *r, const struct passage *g,
                         const struct router_pkt *p)
{
	if (!g->flow.is_old || !router_alg_minds(r->alg, &g->flow, p->proto))
		return true;
	if (has(r, ROUTER_ALG_STALE))
		router_alg_count_add(r->alg, ROUTER_ALG_STALE, g->is_out);
	if (!has(r, ROUTER_ALG_STALE_DEAD) ||
	    g->now_ns - r->start_ns < r->conf.alg.change_ns)
		return true;
	router_alg_note_drop(r->alg, ROUTER_ALG_STALE_DEAD, g->is_out);
	return false;
}

/* D2, D4, D5 and D11: what spoils bindings rather than messages. */
static bool state_pass(struct router *r, struct passage *g,
                       struct router_pkt *p)
{
	bool is_sip = router_alg_minds(r->alg, &g->flow, p->proto);
	struct addr to, was, is;

	if (has(r, ROUTER_ALG_TIMER) && is_sip && g->flow.is_kept)
		router_alg_count_add(r->alg, ROUTER_ALG_TIMER, g->is_out);
	if (has(r, ROUTER_ALG_TWIN_DROP) && g->is_out && g->flow.is_new) {
		int64_t gap_ns = g->now_ns - r->twin_ns;

		r->twin_ns = g->now_ns;
		if (gap_ns < TWIN_NS) {
			router_alg_note_drop(r->alg, ROUTER_ALG_TWIN_DROP,
			                     true);
			return false;
		}
	}
	if (has(r, ROUTER_ALG_WRONG_PORT) && is_sip && !g->is_out &&
	    p->proto == ROUTER_UDP) {
		was = to = p->dst;
		to.port++;
		router_pkt_dst_set(p, &to);
		router_alg_note_move(r->alg, ROUTER_ALG_WRONG_PORT, false, &was,
		                     &to);
	}
	if (has(r, ROUTER_ALG_REMAP) && g->is_out && g->flow.is_new &&
	    !is_sip && p->proto == ROUTER_UDP) {
		to = g->flow.src;
		to.port = r->conf.alg.port;
		if (router_nat_remap(r->nat, &was, &is, ROUTER_UDP, &to))
			router_alg_note_move(r->alg, ROUTER_ALG_REMAP, true,
			                     &was, &is);
	}
	return true;
}

static bool nat_pass(struct router *r, struct passage *g, struct router_pkt *p)
{
	struct count *c = count(r, g);

	switch (router_nat_take(r->nat, &g->flow, p, g->is_out, g->now_ns)) {
	case ROUTER_NAT_PASS:
		if (g->flow.is_hairpin)
			g->to = ROUTER_LAN;
		return true;
	case ROUTER_NAT_NO_MAPPING:
	case ROUTER_NAT_FILTERED:
		c->n_filtered++;
		break;
	case ROUTER_NAT_FULL:
		c->n_full++;
		break;
	case ROUTER_NAT_UNTRANSLATABLE:
		c->n_untranslated++;
		break;
	}
	return false;
}

/* Before translation, so that the sender knows its packet in the error.
 * @return whether it fits, or may be cut */
static bool size_pass(struct router *r, const struct passage *g,
                      const struct router_pkt *p)
{
	if (p->n <= r->conf.mtu || g->mtu || (!p->is_ip6 && !p->has_df))
		return true;
	count(r, g)->n_too_big++;
	if (!r->conf.is_dead_for_df)
		complain(r, g, p, ROUTER_ICMP_MTU);
	return false;
}

/* @return whether there is something to go on with */
static bool fragment_pass(struct router *r, struct passage *g,
                          struct router_pkt *p)
{
	struct router_pkt whole;

	if (!p->is_fragment)
		return true;
	count(r, g)->n_fragments++;
	if (r->conf.drops_fragments || has(r, ROUTER_ALG_DROP_FRAGMENTS)) {
		if (has(r, ROUTER_ALG_DROP_FRAGMENTS))
			router_alg_note_drop(r->alg, ROUTER_ALG_DROP_FRAGMENTS,
			                     g->is_out);
		return false;
	}
	/* Without a table or an ALG there is no reason to look inside. */
	if (r->conf.nat.mode == ROUTER_NAT_OFF && !r->conf.alg.set)
		return true;
	/* Of IPv6 only the sender may cut: each part must fit as it is. */
	if (p->is_ip6 && !size_pass(r, g, p))
		return false;
	if (router_frags_add(r->frags, &whole, &g->mtu, p, g->now_ns) != 0 ||
	    whole.is_fragment)
		return false;
	*p = whole;
	return true;
}

static bool is_own(const struct router *r, const struct router_pkt *p)
{
	const struct addr *own = p->is_ip6 ? r->conf.ip6 : r->conf.ip4;
	static const uint8_t link_local[] = {0xfe, 0x80};

	/* Groups, and what concerns a single link. */
	if (p->is_ip6 ? p->dst.ip[0] == 0xff ||
	                        memcmp(p->src.ip, link_local, 2) == 0 ||
	                        memcmp(p->dst.ip, link_local, 2) == 0
	              : p->dst.ip[0] >= 224)
		return true;
	/* The outer address of a translator belongs to those inside. */
	if (r->conf.nat.mode == ROUTER_NAT_ON &&
	    (!p->is_ip6 || r->conf.nat.ext6.family))
		return addr_ip_eq(&p->dst, &own[ROUTER_LAN]);
	return addr_ip_eq(&p->dst, &own[ROUTER_LAN]) ||
	       addr_ip_eq(&p->dst, &own[ROUTER_WAN]);
}

void router_take(struct router *r, enum router_side from, uint8_t *pkt,
                 size_t n, int64_t now_ns)
{
	struct passage g = {.from = from,
	                    .to = from == ROUTER_LAN ? ROUTER_WAN : ROUTER_LAN,
	                    .is_out = from == ROUTER_LAN,
	                    .now_ns = now_ns};
	struct router_pkt p;

	count(r, &g)->n_in++;
	if (router_pkt_read(&p, pkt, n) != 0 || is_own(r, &p)) {
		count(r, &g)->n_bad++;
		return;
	}
	if (p.ttl <= 1) {
		count(r, &g)->n_expired++;
		complain(r, &g, &p, ROUTER_ICMP_TTL);
		return;
	}
	if (!fragment_pass(r, &g, &p) || !rules_pass(r, &g, &p) ||
	    !size_pass(r, &g, &p))
		return;
	router_pkt_ttl_set(&p, (uint8_t)(p.ttl - 1));
	if (!nat_pass(r, &g, &p))
		return;
	g.flow.is_old = is_old(r, &g.flow);
	if (!session_pass(r, &g, &p) || !state_pass(r, &g, &p))
		return;
	if (r->streams && router_streams_take(r->streams, &p, &g.flow, now_ns))
		return;
	if (!p.is_fragment && router_alg_minds(r->alg, &g.flow, p.proto) &&
	    !alg_pass(r, &g, &p))
		return;
	leave(r, &g, &p);
}

int64_t router_wake(struct router *r, int64_t now_ns)
{
	static const enum router_side to[2] = {ROUTER_WAN, ROUTER_LAN};
	int64_t next_ns = INT64_MAX;
	struct slice pkt;

	if (r->streams)
		next_ns = router_streams_wake(r->streams, now_ns);

	for (unsigned i = 0; i < 2; i++) {
		while (router_path_take(r->paths[i], &pkt, now_ns)) {
			r->counts[i].n_out++;
			r->send(r->arg, to[i], pkt);
		}
		if (router_path_next_ns(r->paths[i]) < next_ns)
			next_ns = router_path_next_ns(r->paths[i]);
	}
	return next_ns;
}

static void count_put(struct wr *w, const struct router *r, unsigned dir)
{
	const struct count *c = &r->counts[dir];
	const struct router_path_count *p = router_path_count(r->paths[dir]);
	const struct {
		const char *name;
		uint64_t n;
	} rows[] = {
		{"received", c->n_in},
		{"sent", c->n_out},
		{"not_for_us", c->n_bad},
		{"ruled_out", c->n_ruled},
		{"expired", c->n_expired},
		{"untranslatable", c->n_untranslated},
		{"filtered", c->n_filtered},
		{"table_full", c->n_full},
		{"too_big", c->n_too_big},
		{"fragments", c->n_fragments},
		{"icmp_sent", c->n_icmp},
		{"lost", p->n_lost},
		{"overflowed", p->n_overflowed},
		{"duplicated", p->n_duplicated},
		{"reordered", p->n_reordered},
	};

	wr_fmt(w, "  \"%s\": {", dir ? "in" : "out");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		wr_fmt(w, "%s\"%s\": %llu", i ? ", " : "", rows[i].name,
		       (unsigned long long)rows[i].n);
	wr_str(w, "},\n");
}

void router_truth_put(struct wr *w, const struct router *r)
{
	const char *comma = "";

	wr_fmt(w,
	       "{\n  \"schema\": \"prumo/truth/1\",\n  \"seed\": %llu,\n"
	       "  \"mappings\": %u,\n",
	       (unsigned long long)r->conf.seed, router_nat_count(r->nat));
	for (unsigned dir = 0; dir < 2; dir++)
		count_put(w, r, dir);
	wr_str(w, "  \"behaviours\": [");
	for (unsigned i = 0; i < ROUTER_ALG_BEHAVIOURS; i++) {
		enum router_alg_id id = (enum router_alg_id)i;

		if (!has(r, id))
			continue;
		wr_fmt(w,
		       "%s\n    {\"name\": \"%s\", \"row\": \"%s\", "
		       "\"out\": %llu, \"in\": %llu}",
		       comma, router_alg_behaviours[i].name,
		       router_alg_behaviours[i].row,
		       (unsigned long long)router_alg_count(r->alg, id, false),
		       (unsigned long long)router_alg_count(r->alg, id, true));
		comma = ",";
	}
	wr_str(w, "],\n  \"edits\": ");
	router_alg_notes_put(w, r->alg);
	wr_fmt(w, ",\n  \"edits_missing\": %llu\n}\n",
	       (unsigned long long)router_alg_notes_missing(r->alg));
}
