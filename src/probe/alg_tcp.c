/* SPDX-License-Identifier: ISC */
/*
 * Design: a connection opens with the system's TTL, and only then the message
 * leaves with a small one, which what the kernel sends again keeps. So a box
 * that lets SYNs pass and swallows the message is met by the message itself.
 * The kernel tells of an open connection that something has died on its way,
 * but not where: each TTL has connections of its own, and names come from the
 * walk by UDP that goes beside.
 *
 * The same message to another port, over a connection that is known to carry
 * it, tells which hops answer at all. The message goes twice, and a hop counts
 * where both died: an acknowledgement that is repeated could die there, too.
 *
 * A message that is changed walks in the same way. Only raw sockets see what
 * routers quote of it, so who may not open one gets no place.
 *
 * Which of two neighbours it is shows only from both ends: then the edge sends
 * as well (alg_tcp_back.c).
 */
#include "probe/alg.h"

#include <errno.h>

#include "base/clock.h"

enum {
	ENOUGH = ALG_TCP_TRIES - 1,
	METHOD_BYTES = 4, /* which nobody changes: a message begins */
	MUTE_MS = 800,    /* of silence: the message has left three times */
	RTTS = 4,         /* handshake, message, and one of each lost */
	REPEATS_MS = 900, /* the kernel's first two, after 200 and 400 ms */
};

static void try_end(struct alg_tcp_try *t)
{
	/* its reset shall arrive, and leave nothing behind */
	if (t->stream)
		(void)!net_stream_set_ttl(t->stream, ALG_TTL);
	net_stream_free(t->stream);
	t->stream = NULL;
	t->is_over = true;
}

static void on_open(void *arg)
{
	struct alg_tcp_try *t = arg;
	struct alg *a = t->alg;
	struct alg_tcp *tcp = &a->locate.tcp;
	struct addr from = net_stream_local(t->stream);
	struct slice bytes;

	a->err = alg_build(&bytes, a, t->is_twin ? &tcp->twin_spec : &tcp->spec,
	                   ALG_NUM_HOP + t->ttl, &from, a->rtp_base);
	t->local = from;
	t->sent = bytes;
	if (a->err || net_stream_set_ttl(t->stream, (int)t->ttl) ||
	    net_stream_send(t->stream, bytes))
		try_end(t);
	else
		t->is_sent = true;
	alg_kick(a);
}

static void on_data(void *arg, struct slice bytes)
{
	UNUSED(arg);
	UNUSED(bytes);
}

static void on_close(void *arg, int err)
{
	struct alg_tcp_try *t = arg;
	struct alg_tcp *tcp = &t->alg->locate.tcp;
	struct hop_walk *w = t->is_twin ? &tcp->twin : &tcp->walk;

	if (t->is_sent && err == EHOSTUNREACH && !tcp->is_edit)
		w->hops[t->ttl].n_answers++;
	try_end(t);
	/* of what is changed, the quote may come after that */
	t->is_over = !tcp->is_edit || !t->is_sent;
	alg_kick(t->alg);
}

static const struct net_stream_ops try_ops = {
	.on_open = on_open,
	.on_data = on_data,
	.on_close = on_close,
};

static bool is_plain_tcp(const struct ladder_shot *ls)
{
	return ls->spec.transport == WIRE_TCP && ls->is_open &&
	       ls->spec.role == WIRE_ROLE_SIP &&
	       ls->spec.what == LADDER_OPTIONS && ls->spec.how == 0;
}

/* The first that opened, and whose message did not arrive. */
static int find_mute(const struct alg *a)
{
	for (size_t i = 0; i < a->ladder.n; i++) {
		const struct ladder_shot *ls = &a->ladder.shots[i];

		if (is_plain_tcp(ls) && (ls->result == LADDER_BLOCKED ||
		                         ls->result == LADDER_NO_ANSWER ||
		                         ls->result == LADDER_REQUEST_DROPPED))
			return (int)i;
	}
	return LADDER_NONE;
}

static void try_start(struct alg *a, unsigned ttl, unsigned no)
{
	static const struct net_stream_conf conf = {.is_abrupt = true};
	struct alg_tcp *tcp = &a->locate.tcp;
	struct alg_tcp_try *t = &tcp->tries[ttl][no];
	bool is_twin = no == ENOUGH;
	struct addr to = alg_edge(
		a, alg_port(a, is_twin ? &tcp->twin_spec : &tcp->spec));
	int err;

	*t = (struct alg_tcp_try){.alg = a, .ttl = ttl, .is_twin = is_twin};
	(is_twin ? &tcp->twin : &tcp->walk)->hops[ttl].n_tries++;
	err = net_stream_connect_as(&t->stream, &to, NULL, &conf, &try_ops, t);
	t->is_over = err != 0;
	if (err == ENOMEM)
		a->err = err;
}

void alg_tcp_take_quote(struct alg *a, const struct net_quote *q)
{
	struct alg_tcp *tcp = &a->locate.tcp;
	struct addr to = alg_edge(a, alg_port(a, &tcp->spec));
	struct slice begin = slice_sub(q->payload, 0, METHOD_BYTES);

	for (unsigned at = 0; at < (ALG_TCP_HOPS_MAX + 1) * ALG_TCP_TRIES;
	     at++) {
		struct alg_tcp_try *t =
			&tcp->tries[at / ALG_TCP_TRIES][at % ALG_TCP_TRIES];

		if (!t->is_sent || t->is_over || !addr_eq(&t->local, &q->src) ||
		    !addr_eq(&to, &q->dst) ||
		    !slice_eq(begin, slice_sub(t->sent, 0, begin.n)))
			continue;
		hop_walk_on_quote(&tcp->walk, t->ttl, &q->offender, t->sent,
		                  report_bytes(a->r, q->payload));
		if (q->payload.n)
			try_end(t);
		alg_kick(a);
	}
}

static void on_quote(void *arg, const struct net_quote *q)
{
	alg_tcp_take_quote(arg, q);
}

static void start_all(struct alg *a, unsigned from, unsigned to)
{
	for (unsigned ttl = 1; ttl <= a->locate.tcp.walk.n_hops; ttl++) {
		for (unsigned no = from; no < to && !a->err; no++)
			try_start(a, ttl, no);
	}
}

static void walk_begin(struct alg *a, const struct ladder_spec *sp,
                       int64_t now_ns)
{
	struct alg_tcp *tcp = &a->locate.tcp;
	unsigned n = alg_locate_hops(a);

	/* without reports it may be the answer that is lost */
	if (tcp->is_started || n == 0 || n > ALG_TCP_HOPS_MAX ||
	    !a->meet.has_session ||
	    !ladder_passes(&a->ladder, WIRE_TCP, WIRE_ROLE_SIP_ALT))
		return;
	tcp->is_started = true;
	tcp->spec = tcp->twin_spec = *sp;
	tcp->twin_spec.role = WIRE_ROLE_SIP_ALT;
	hop_walk_init(&tcp->walk, n, SIZE_MAX, a->ladder.srtt_ns, now_ns);
	hop_walk_init(&tcp->twin, n, SIZE_MAX, a->ladder.srtt_ns, now_ns);
	tcp->walk.n_enough = ENOUGH;
	tcp->end_ns =
		now_ns + RTTS * a->ladder.srtt_ns + REPEATS_MS * NS_PER_MS;
	tcp->twin_ns = now_ns + (tcp->end_ns - now_ns) / 2;
	start_all(a, 0, ENOUGH);
	alg_tcp_back_open(a, now_ns);
}

bool alg_tcp_begin(struct alg *a, int64_t now_ns)
{
	struct alg_tcp *tcp = &a->locate.tcp;
	int shot = find_mute(a);

	if (shot == LADDER_NONE)
		return false;
	walk_begin(a, &a->ladder.shots[shot].spec, now_ns);
	if (!tcp->is_started)
		return false;
	tcp->is_on = a->locate.is_loss = true;
	a->locate.what = tcp->spec.what;
	return true;
}

/* When what was said and not answered is taken for lost. */
static int64_t mute_at_ns(const struct alg *a, const struct ladder_shot *ls)
{
	return ls->open_ns + MUTE_MS * NS_PER_MS + RTTS * a->ladder.srtt_ns;
}

bool alg_tcp_is_mute(const struct alg *a, int64_t now_ns)
{
	size_t n = 0;

	for (size_t i = 0; i < a->ladder.n; i++) {
		const struct ladder_shot *ls = &a->ladder.shots[i];

		if (ls->is_closed)
			continue;
		if (!is_plain_tcp(ls) || now_ns < mute_at_ns(a, ls))
			return false;
		n++;
	}
	return n > 0;
}

int alg_tcp_begin_edit(struct alg *a, const struct ladder_spec *sp,
                       size_t edit_at, int64_t now_ns)
{
	struct alg_tcp *tcp = &a->locate.tcp;
	unsigned n = alg_locate_hops(a);
	int err;

	alg_tcp_close(a); /* a late answer may have been taken for a lost one */
	*tcp = (struct alg_tcp){.spec = *sp, .twin_spec = *sp};
	err = net_quotes_open(&tcp->quotes, a->local.family, on_quote, a);
	if (err)
		return err;
	tcp->is_started = tcp->is_on = tcp->is_edit = true;
	if (n == 0 || n > ALG_TCP_HOPS_MAX)
		n = ALG_TCP_HOPS_MAX;
	hop_walk_init(&tcp->walk, n, edit_at, a->ladder.srtt_ns, now_ns);
	tcp->end_ns =
		now_ns + RTTS * a->ladder.srtt_ns + REPEATS_MS * NS_PER_MS;
	start_all(a, 0, ENOUGH);
	return a->err;
}

int64_t alg_tcp_watch(struct alg *a, int64_t now_ns)
{
	for (size_t i = 0; i < a->ladder.n; i++) {
		const struct ladder_shot *ls = &a->ladder.shots[i];

		if (a->locate.tcp.is_started || !is_plain_tcp(ls) ||
		    ls->is_answered || ls->is_refused)
			continue;
		if (now_ns < mute_at_ns(a, ls))
			return mute_at_ns(a, ls);
		walk_begin(a, &ls->spec, now_ns);
	}
	return alg_tcp_next(a, now_ns);
}

static void close_tries(struct alg *a)
{
	net_quotes_close(a->locate.tcp.quotes);
	a->locate.tcp.quotes = NULL;
	for (unsigned ttl = 1; ttl <= ALG_TCP_HOPS_MAX; ttl++) {
		for (unsigned no = 0; no < ALG_TCP_TRIES; no++)
			try_end(&a->locate.tcp.tries[ttl][no]);
	}
}

int64_t alg_tcp_next(struct alg *a, int64_t now_ns)
{
	struct alg_tcp *tcp = &a->locate.tcp;
	const unsigned n_tries = tcp->is_edit ? ENOUGH : ALG_TCP_TRIES;
	struct hop_place there;
	bool is_over = true;

	if (!tcp->is_started)
		return INT64_MAX;
	if (now_ns < tcp->twin_ns)
		return tcp->twin_ns;
	/* later, since routers limit their errors: the message comes first */
	if (!tcp->is_edit && !tcp->tries[1][ENOUGH].alg)
		start_all(a, ENOUGH, ALG_TCP_TRIES);
	for (unsigned ttl = 1; ttl <= tcp->walk.n_hops; ttl++) {
		for (unsigned no = 0; no < n_tries; no++)
			is_over &= tcp->tries[ttl][no].is_over;
	}
	if (!is_over && now_ns < tcp->end_ns)
		return tcp->end_ns;
	close_tries(a);
	if (tcp->is_edit)
		return INT64_MAX;
	there = alg_tcp_lost(&tcp->walk, &tcp->twin);
	return alg_tcp_back_next(a, &there, now_ns);
}

struct hop_place alg_tcp_lost(const struct hop_walk *w,
                              const struct hop_walk *twin)
{
	struct hop_place pl = hop_walk_loss(w, twin), once;
	struct hop_walk any = *w;

	any.n_enough = 1;
	once = hop_walk_loss(&any, twin);
	if (once.hop_max > pl.hop_max)
		pl.hop_max = once.hop_max;
	pl.is_known |= once.is_known;
	return pl;
}

struct hop_place alg_tcp_place(const struct alg *a)
{
	const struct alg_tcp *tcp = &a->locate.tcp;
	struct hop_place there = alg_tcp_lost(&tcp->walk, &tcp->twin);
	struct hop_place back = alg_tcp_back_place(a);
	struct hop_place pl = hop_place_meet(&there, &back);

	if (tcp->is_edit)
		return hop_walk_edit(&tcp->walk);
	/* where all routers heard it, it may have arrived this time */
	if (!pl.is_exact && pl.hop_max > tcp->walk.n_hops)
		pl.is_known = false;
	return pl;
}

void alg_tcp_close(struct alg *a)
{
	close_tries(a);
	alg_tcp_back_close(a);
}
