/* SPDX-License-Identifier: ISC */
/*
 * Design: some INVITEs are lost for what other calls have brought about: their
 * media port is taken, or there are none left. Once those calls are over the
 * same INVITE passes, and a walk with it would accuse the last router. So the
 * calls that passed are begun again, as the same bytes, and held while it
 * walks. Beside the walk the lost message leaves with a full TTL: if that
 * arrives, the state is another one, and the walk has shown nothing.
 *
 * The walk leaves two hops, as every loss of one direction does. But who
 * begins such a state need not be who ends it: a BYE of the far end does, too.
 * So the edge sends one with TTL 1, 2, 3..., and the smallest that lets the
 * lost message pass has come past the box, from the other side. Only the TTLs
 * about the two hops are tried; each begins with the calls begun once more.
 */
#include "probe/alg.h"

#include "base/clock.h"

enum {
	CALLS = 3, /* tries of what is begun again */
	BYES = 3,
	BYE_FIRST_MS = 20, /* after the INVITE that it must not overtake */
	BYE_GAP_MS = 15,
	ASKS = 3,
	ASK_GAP_MS = 20,
	WIDEST = 4, /* hops between which silence leaves the box, at most */
};

bool alg_hold_is_due(const struct ladder_spec *sp)
{
	return sp->what == LADDER_INVITE && sp->transport == WIRE_UDP &&
	       sp->variant && sp->flags == 0;
}

/* For a port that is taken, the call that took it and no other: Linux's ALG
 * remembers the last one only. */
static bool is_held(const struct alg *a, size_t i)
{
	const struct ladder_shot *ls = &a->ladder.shots[i];
	const struct ladder_spec *sp = &ls->spec;

	if (sp->transport != WIRE_UDP || sp->role != WIRE_ROLE_SIP ||
	    sp->what != LADDER_INVITE || !ls->is_answered)
		return false;
	if (a->hold.spec.how & LADDER_SECOND_PHONE)
		return (int)i == ladder_find(&a->ladder, WIRE_UDP,
		                             WIRE_ROLE_SIP, LADDER_INVITE,
		                             LADDER_CALL_1);
	return true;
}

void alg_hold_begin(struct alg *a, int shot, int64_t now_ns)
{
	a->hold = (struct alg_hold){
		.is_on = true,
		.spec = a->ladder.shots[shot].spec,
		.rtp_port = a->shots[shot].rtp_port,
		.due_ns = now_ns,
	};
	for (size_t i = 0; i < a->ladder.n; i++) {
		if (is_held(a, i)) /* an answer opens it again */
			a->shots[i].is_call_open = false;
	}
}

/* @return how many are not held yet */
static size_t call_again(struct alg *a, bool may_send)
{
	size_t n = 0;

	for (size_t i = 0; i < a->ladder.n; i++) {
		const struct ladder_spec *sp = &a->ladder.shots[i].spec;
		struct addr to = alg_udp_target(a, sp);

		if (!is_held(a, i) || a->shots[i].is_call_open)
			continue;
		n++;
		if (may_send)
			alg_send_udp(a, alg_socket(a, sp), &to, ALG_TTL,
			             a->shots[i].sent);
	}
	return n;
}

bool alg_hold_is_ready(struct alg *a, int64_t now_ns, int64_t *next_ns)
{
	struct alg_hold *h = &a->hold;

	if (!h->is_on || h->is_ready)
		return true;
	h->is_ready = call_again(a, false) == 0 ||
	              (h->n_calls == CALLS && now_ns >= h->due_ns);
	if (h->is_ready) {
		h->due_ns = now_ns;
		return true;
	}
	if (now_ns >= h->due_ns) {
		(void)call_again(a, true);
		h->n_calls++;
		h->due_ns = now_ns + alg_patience_ns(a);
	}
	*next_ns = h->due_ns;
	return false;
}

int64_t alg_hold_next(struct alg *a, int64_t now_ns)
{
	struct alg_hold *h = &a->hold;
	struct addr from, to;
	struct slice bytes;

	if (!h->is_on || h->has_passed)
		return INT64_MAX;
	if (now_ns < h->due_ns)
		return h->due_ns;
	if (h->n_tries == LADDER_TRIES)
		return INT64_MAX;
	from = alg_source(a, &h->spec);
	to = alg_udp_target(a, &h->spec);
	a->err = alg_build(&bytes, a, &h->spec, ALG_NUM_AGAIN, &from,
	                   h->rtp_port);
	if (!a->err)
		alg_send_udp(a, alg_socket(a, &h->spec), &to, ALG_TTL, bytes);
	h->n_tries++;
	h->due_ns = now_ns + alg_patience_ns(a) / 2;
	return h->due_ns;
}

/* From the edge, within the call: to a box that counts by calls it is over. */
static void end_call(struct alg *a)
{
	const struct alg_hold *h = &a->hold;
	const struct ladder_spec *sp = &a->ladder.shots[h->call].spec;
	char tag[WIRE_TAG_CHARS];
	struct wr w = wr_init_heap();
	struct sip_canary c = {
		.kind = SIP_CANARY_BYE,
		.flags = SIP_CANARY_SHORT,
		.transport = SIP_UDP,
		.local = alg_udp_target(a, sp),
		.target = a->shots[h->call].observed,
		.tag = alg_tag(a, (unsigned)h->call, tag),
		.cseq = 1,
	};
	struct wire_send s = {
		.id = (uint16_t)(ALG_NUM_FREED + h->ttl),
		.shot = (uint16_t)h->call,
		.ttl = (uint8_t)h->ttl,
	};

	if (sip_canary_build(&w, &c) == 0) {
		s.bytes = wr_slice(&w);
		control_hold(a->control);
		for (unsigned i = 0; i < BYES; i++) {
			s.delay_ms = BYE_FIRST_MS + i * BYE_GAP_MS;
			(void)!control_send(a->control, &s);
		}
		(void)!control_flush(a->control);
	}
	wr_fini(&w);
}

static void hold_again(struct alg *a)
{
	for (size_t i = 0; i < a->ladder.n; i++) {
		const struct ladder_spec *sp = &a->ladder.shots[i].spec;
		struct addr to = alg_udp_target(a, sp);

		if (is_held(a, i))
			alg_send_udp(a, alg_socket(a, sp), &to, ALG_TTL,
			             a->shots[i].sent);
	}
}

static void ask_freed(struct alg *a)
{
	const struct alg_hold *h = &a->hold;
	struct addr from = alg_source(a, &h->spec);
	struct addr to = alg_udp_target(a, &h->spec);
	struct slice bytes;

	a->err = alg_build(&bytes, a, &h->spec, ALG_NUM_FREED + h->ttl, &from,
	                   h->rtp_port);
	if (!a->err)
		alg_send_udp(a, alg_socket(a, &h->spec), &to, ALG_TTL, bytes);
}

static void next_ttl(struct alg *a, unsigned ttl, int64_t now_ns)
{
	struct alg_hold *h = &a->hold;

	h->ttl = ttl;
	h->n_asks = 0;
	hold_again(a);
	end_call(a);
	h->due_ns = now_ns + a->ladder.srtt_ns +
	            (BYE_FIRST_MS + BYES * BYE_GAP_MS) * NS_PER_MS;
}

/* The edge's TTLs with which its message dies at one of the hops of the walk,
 * and one more. */
static void begin_end(struct alg *a, int64_t now_ns)
{
	const struct hop_place pl = alg_locate_place(a);
	const unsigned n = alg_locate_hops(a);
	struct alg_hold *h = &a->hold;

	h->phase = ALG_HOLD_OVER;
	h->call = LADDER_NONE;
	for (size_t i = 0; i < a->ladder.n && h->call == LADDER_NONE; i++) {
		if (is_held(a, i) && a->shots[i].observed.port)
			h->call = (int)i;
	}
	if (!pl.is_known || pl.hop_max - pl.hop_min > WIDEST ||
	    h->call == LADDER_NONE || !alg_locate_may_walk_back(a))
		return;
	h->phase = ALG_HOLD_END;
	h->from_ttl = pl.hop_max <= n ? n + 1 - pl.hop_max : 1;
	h->to_ttl = pl.hop_min > 0 ? n + 2 - pl.hop_min : n + 1;
	next_ttl(a, h->from_ttl, now_ns);
}

int64_t alg_hold_end_next(struct alg *a, int64_t now_ns)
{
	struct alg_hold *h = &a->hold;

	if (!h->is_on || h->has_passed)
		return INT64_MAX;
	if (h->phase == ALG_HOLD_WALK)
		begin_end(a, now_ns);
	if (h->phase == ALG_HOLD_OVER)
		return INT64_MAX;
	if (h->effect || !a->control) {
		h->phase = ALG_HOLD_OVER;
		if (h->effect)
			alg_send_cancel(a, &h->spec, ALG_NUM_FREED + h->effect,
			                ALG_TTL);
		return INT64_MAX;
	}
	if (now_ns < h->due_ns)
		return h->due_ns;
	if (h->n_asks == ASKS && h->ttl == h->to_ttl) {
		h->phase = ALG_HOLD_OVER;
		return INT64_MAX;
	}
	if (h->n_asks == ASKS) {
		next_ttl(a, h->ttl + 1, now_ns);
		return h->due_ns;
	}
	ask_freed(a);
	h->n_asks++;
	/* what is late tells of the TTL that it was asked after: only the last
	 * is waited for */
	h->due_ns = now_ns + (h->n_asks == ASKS && h->ttl == h->to_ttl
	                              ? alg_patience_ns(a)
	                              : ASK_GAP_MS * NS_PER_MS);
	return h->due_ns;
}

void alg_hold_take_freed(struct alg *a, unsigned number)
{
	struct alg_hold *h = &a->hold;
	unsigned ttl = number - ALG_NUM_FREED;

	if (number < ALG_NUM_FREED || h->phase == ALG_HOLD_WALK ||
	    ttl < h->from_ttl || ttl > h->to_ttl)
		return;
	if (!h->effect || ttl < h->effect)
		h->effect = ttl;
	alg_kick(a);
}

struct hop_place alg_hold_place(const struct alg *a)
{
	const unsigned n = alg_locate_hops(a), ttl = a->hold.effect;

	if (!ttl)
		return (struct hop_place){0};
	return (struct hop_place){
		.is_known = true,
		.hop_min = n + 1 - ttl,
		.hop_max = n + 2 - ttl,
	};
}

static void put(struct alg *a, struct val *into, const char *key, struct val v)
{
	(void)val_put(&a->r->arena, &a->r->no_memory, into, key, v);
}

void alg_hold_put(struct alg *a, struct fact *f)
{
	const struct alg_hold *h = &a->hold;
	struct val *list;

	if (!h->from_ttl)
		return;
	list = fact_evidence(a->r, f, "ends", val_list());
	for (unsigned ttl = h->from_ttl; ttl <= h->to_ttl && ttl <= h->ttl;
	     ttl++) {
		struct val *m = val_put(&a->r->arena, &a->r->no_memory, list,
		                        NULL, val_map());

		put(a, m, "ttl", val_int(ttl));
		put(a, m, "tries", val_int(ASKS));
		put(a, m, "effect", val_bool(ttl == h->effect));
	}
}
