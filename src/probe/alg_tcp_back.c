/* SPDX-License-Identifier: ISC */
/*
 * Design: of a connection whose messages it never gets, the edge cannot know
 * whose it is. So two connections leave from one port of ours: over the first,
 * to a port that is known to pass, goes a tagged message, and the second opens
 * to the port in question. The edge finds it by its source, which is the same
 * where no NAT is on the way, or one that keeps a mapping for all that comes
 * from one port; with another NAT it finds none, and the way there is all that
 * is known.
 *
 * The pairs are opened while the way there is walked. Then only the hops next
 * to the place that was found are asked, and this computer: what arrives here
 * is not lost this way. Each connection carries one message with a small TTL,
 * for the kernel sends it again with whatever TTL there is.
 */
#include "probe/alg.h"

#include <errno.h>

#include "base/clock.h"

enum {
	ENOUGH = ALG_TCP_BACK_TRIES - 1,
	TIE_RTTS = 3,     /* handshake, message, answer */
	TIE_MS = 500,     /* one of each lost */
	RTTS = 3,         /* asked, sent, died; and one of each lost */
	REPEATS_MS = 800, /* the edge's kernel's first two, after 200 and 400 */
};

static struct alg_tcp_back *back_of(struct alg *a)
{
	return &a->locate.tcp.back;
}

static unsigned ttl_to(const struct alg_tcp_back *b, unsigned hop)
{
	return b->walk.n_hops - hop;
}

static void pair_end(struct alg_tcp_pair *p)
{
	net_stream_free(p->mute);
	net_stream_free(p->tie);
	p->mute = p->tie = NULL;
	p->is_over = true;
}

/* It got as far as that hop, whether it died there or came through. */
static void pair_heard(struct alg_tcp_pair *p)
{
	struct alg_tcp_back *b = back_of(p->alg);

	if (p->ttl && !p->is_over)
		(p->is_twin ? &b->twin : &b->walk)->hops[p->ttl].n_answers++;
	pair_end(p);
	alg_kick(p->alg);
}

static void on_mute_open(void *arg)
{
	struct alg_tcp_pair *p = arg;

	p->is_open = true;
	alg_kick(p->alg);
}

static void on_mute_data(void *arg, struct slice bytes)
{
	struct alg_tcp_pair *p = arg;

	UNUSED(bytes);
	pair_heard(p);
}

static void on_pair_close(void *arg, int err)
{
	struct alg_tcp_pair *p = arg;

	UNUSED(err);
	pair_end(p);
	alg_kick(p->alg);
}

static const struct net_stream_ops mute_ops = {
	.on_open = on_mute_open,
	.on_data = on_mute_data,
	.on_close = on_pair_close,
};

static void open_mute(struct alg_tcp_pair *p)
{
	struct alg *a = p->alg;
	struct net_stream_conf conf = {
		.local = net_stream_local(p->tie),
		.is_abrupt = true,
	};
	struct addr to = alg_edge(a, alg_port(a, &a->locate.tcp.spec));
	int err =
		net_stream_connect_as(&p->mute, &to, NULL, &conf, &mute_ops, p);

	if (err == ENOMEM)
		a->err = err;
}

static unsigned number_of(const struct alg_tcp_pair *p)
{
	return ALG_NUM_TCP + (unsigned)(p - back_of(p->alg)->pairs);
}

static void on_tie_open(void *arg)
{
	struct alg_tcp_pair *p = arg;
	struct alg *a = p->alg;
	struct addr from = net_stream_local(p->tie);
	struct slice bytes;

	a->err = alg_build(&bytes, a, &a->locate.tcp.twin_spec, number_of(p),
	                   &from, a->rtp_base);
	if (a->err || net_stream_send(p->tie, bytes))
		pair_end(p);
	else if (p < back_of(a)->pairs + ALG_TCP_BACK_MUTES)
		open_mute(p);
	alg_kick(a);
}

/* The edge notes before it answers. A request is never part of an answer,
 * whose body is masked. */
static void on_tie_data(void *arg, struct slice bytes)
{
	struct alg_tcp_pair *p = arg;

	p->is_tied = true;
	if (p->ttl && slice_find(bytes, slice_str("OPTIONS sip:")) != SIZE_MAX)
		pair_heard(p);
	else
		alg_kick(p->alg);
}

static const struct net_stream_ops tie_ops = {
	.on_open = on_tie_open,
	.on_data = on_tie_data,
	.on_close = on_pair_close,
};

void alg_tcp_back_open(struct alg *a, int64_t now_ns)
{
	struct alg_tcp_back *b = back_of(a);
	struct net_stream_conf conf = {
		.local = {.family = a->local.family},
		.is_abrupt = true,
	};
	struct addr to = alg_edge(a, alg_port(a, &a->locate.tcp.twin_spec));

	if (!alg_locate_may_walk_back(a))
		return;
	b->is_on = true;
	hop_walk_init(&b->walk, alg_locate_hops(a) + 1, SIZE_MAX,
	              a->ladder.srtt_ns, now_ns);
	b->walk.n_enough = ENOUGH;
	b->twin = b->walk;
	for (size_t i = 0; i < ALG_TCP_BACK_PAIRS && !a->err; i++) {
		struct alg_tcp_pair *p = &b->pairs[i];
		int err;

		*p = (struct alg_tcp_pair){.alg = a};
		err = net_stream_connect_as(&p->tie, &to, NULL, &conf, &tie_ops,
		                            p);
		p->is_over = err != 0;
		if (err == ENOMEM)
			a->err = err;
	}
}

size_t alg_tcp_back_hops(unsigned hops[ALG_TCP_BACK_HOPS],
                         const struct hop_place *there, unsigned n_hops)
{
	unsigned first = there->hop_min > 1 ? there->hop_min - 1 : 1;
	size_t n = 0;

	if (!there->is_known)
		return 0;
	hops[n++] = 0;
	for (unsigned hop = first; hop <= there->hop_max + 1; hop++) {
		if (hop <= n_hops && n < ALG_TCP_BACK_HOPS)
			hops[n++] = hop;
	}
	return n;
}

static struct alg_tcp_pair *find_ready(struct alg_tcp_back *b, bool is_twin)
{
	/* from the end: those there serve for twins alone */
	for (size_t i = ALG_TCP_BACK_PAIRS; i-- > 0;) {
		struct alg_tcp_pair *p = &b->pairs[i];

		if (p->is_tied && !p->is_over && !p->ttl &&
		    (is_twin || p->is_open))
			return p;
	}
	return NULL;
}

static int build(struct wr *w, struct alg *a, const struct alg_tcp_pair *p)
{
	struct net_stream *along = p->is_twin ? p->tie : p->mute;
	char tag[WIRE_TAG_CHARS];
	const struct sip_canary c = {
		.kind = SIP_CANARY_OPTIONS,
		.flags = SIP_CANARY_SHORT,
		.transport = SIP_TCP,
		.local = net_stream_peer(along),
		.target = net_stream_local(along),
		.tag = alg_tag(a, number_of(p), tag),
		.cseq = 1,
	};

	return sip_canary_build(w, &c);
}

static void ask(struct alg *a, struct alg_tcp_pair *p, bool is_twin,
                unsigned ttl)
{
	struct alg_tcp_back *b = back_of(a);
	const uint16_t number = (uint16_t)number_of(p);
	struct wr w = wr_init_heap();
	struct wire_shoot shoot = {
		.id = number,
		.shot = number,
		.from_port = alg_port(a, &a->locate.tcp.spec),
		.ttl = (uint8_t)ttl,
	};
	struct wire_send send = {
		.id = number,
		.shot = number,
		.ttl = (uint8_t)ttl,
	};
	int err;

	p->is_twin = is_twin;
	err = build(&w, a, p);
	shoot.bytes = send.bytes = wr_slice(&w);
	if (!err)
		err = is_twin ? control_send(a->control, &send)
		              : control_shoot(a->control, &shoot);
	wr_fini(&w);
	if (err) {
		pair_end(p);
		return;
	}
	p->ttl = ttl;
	(is_twin ? &b->twin : &b->walk)->hops[ttl].n_tries++;
}

/* @return whether all was asked for */
static bool ask_all(struct alg *a, struct hop_walk *w, bool is_twin,
                    unsigned n_tries)
{
	struct alg_tcp_back *b = back_of(a);
	bool is_all = true;

	for (size_t i = 0; i < b->n_hops; i++) {
		unsigned ttl = ttl_to(b, b->hops[i]);

		while (w->hops[ttl].n_tries < n_tries) {
			struct alg_tcp_pair *p = find_ready(b, is_twin);

			if (!p) {
				is_all = false;
				break;
			}
			ask(a, p, is_twin, ttl);
		}
	}
	return is_all;
}

/* Is anything asked for that nobody has heard of yet? */
static bool is_waiting(const struct alg_tcp_back *b)
{
	for (size_t i = 0; i < ALG_TCP_BACK_PAIRS; i++) {
		if (b->pairs[i].ttl && !b->pairs[i].is_over)
			return true;
	}
	return false;
}

int64_t alg_tcp_back_next(struct alg *a, const struct hop_place *there,
                          int64_t now_ns)
{
	struct alg_tcp_back *b = back_of(a);
	bool is_all;

	if (!b->is_on || b->is_over)
		return INT64_MAX;
	if (b->end_ns == 0) {
		b->n_hops =
			alg_tcp_back_hops(b->hops, there, b->walk.n_hops - 1);
		b->end_ns = now_ns + RTTS * a->ladder.srtt_ns +
		            REPEATS_MS * NS_PER_MS;
	}
	if (!a->control || b->n_hops == 0 || now_ns >= b->end_ns || a->err) {
		alg_tcp_back_close(a);
		return INT64_MAX;
	}
	is_all = ask_all(a, &b->walk, false, ENOUGH);
	is_all &= ask_all(a, &b->twin, true, 1);
	if (!is_all || is_waiting(b))
		return b->end_ns;
	alg_tcp_back_close(a);
	return INT64_MAX;
}

static struct alg_tcp_pair *pair_of(struct alg *a, unsigned number)
{
	struct alg_tcp_pair *p;

	if (number < ALG_NUM_TCP ||
	    number - ALG_NUM_TCP >= (unsigned)ALG_TCP_BACK_PAIRS)
		return NULL;
	p = &back_of(a)->pairs[number - ALG_NUM_TCP];
	return p->alg && p->ttl ? p : NULL;
}

void alg_tcp_back_died(struct alg *a, unsigned number)
{
	struct alg_tcp_pair *p = pair_of(a, number);

	if (p)
		pair_heard(p);
}

void alg_tcp_back_failed(struct alg *a, unsigned number)
{
	struct alg_tcp_pair *p = pair_of(a, number);
	struct alg_tcp_back *b = back_of(a);

	if (!p || p->is_over)
		return;
	/* another pair may do */
	(p->is_twin ? &b->twin : &b->walk)->hops[p->ttl].n_tries--;
	pair_end(p);
	alg_kick(a);
}

struct hop_place alg_tcp_back_place(const struct alg *a)
{
	const struct alg_tcp_back *b = &a->locate.tcp.back;
	unsigned here = b->walk.n_hops;
	struct hop_place pl = {0};

	if (!b->is_on || !b->twin.hops[here].n_answers ||
	    b->walk.hops[here].n_tries < ENOUGH || b->walk.hops[here].n_answers)
		return pl;
	pl = alg_tcp_lost(&b->walk, &b->twin);
	return hop_place_turn(&pl, here - 1);
}

static void put_int(struct report *r, struct val *map, const char *key,
                    unsigned n)
{
	(void)val_put(&r->arena, &r->no_memory, map, key, val_int(n));
}

void alg_tcp_back_put(struct alg *a, struct fact *f)
{
	const struct alg_tcp_back *b = back_of(a);
	struct report *r = a->r;
	struct val *list;

	if (b->n_hops == 0)
		return;
	list = fact_evidence(r, f, "back", val_list());
	for (size_t i = 0; i < b->n_hops; i++) {
		unsigned ttl = ttl_to(b, b->hops[i]);
		struct val *m = val_put(&r->arena, &r->no_memory, list, NULL,
		                        val_map());

		put_int(r, m, "hop", b->hops[i]);
		put_int(r, m, "tries", b->walk.hops[ttl].n_tries);
		put_int(r, m, "answers", b->walk.hops[ttl].n_answers);
		put_int(r, m, "twin_tries", b->twin.hops[ttl].n_tries);
		put_int(r, m, "twin_answers", b->twin.hops[ttl].n_answers);
	}
}

void alg_tcp_back_close(struct alg *a)
{
	struct alg_tcp_back *b = back_of(a);

	for (size_t i = 0; i < ALG_TCP_BACK_PAIRS; i++)
		pair_end(&b->pairs[i]);
	b->is_over = true;
}
