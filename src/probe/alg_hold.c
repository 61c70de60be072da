/* SPDX-License-Identifier: ISC */
/*
 * Design: some INVITEs are lost for what other calls have brought about: their
 * media port is taken, or there are none left. Once those calls are over the
 * same INVITE passes, and a walk with it would accuse the last router. So the
 * calls that passed are begun again, as the same bytes, and held while it
 * walks. Beside the walk the lost message leaves with a full TTL: if that
 * arrives, the state is another one, and the walk has shown nothing.
 *
 * The edge ends a call after WIRE_CALL_MS, which frees what it held; so those
 * of the ladder are ended first, and what is asked later than that after they
 * were begun again counts for nothing. Then they are begun once more.
 *
 * The walk leaves two hops, as every loss of one direction does. But who
 * begins such a state need not be who ends it: a BYE of the far end does, too.
 * So the edge sends one with TTL 1, 2, 3..., and the smallest that lets the
 * lost message pass has come past the box, from the other side. Only the TTLs
 * about the two hops are tried; each begins with the calls begun once more, and
 * is asked for when the edge has confirmed that its BYEs have left: a segment
 * of the session that is lost comes a second later.
 */
#include "probe/alg.h"

#include "base/clock.h"

enum {
	CALLS = 3, /* tries of what is ended, and of what is begun again */
	CALL_GAP_MS = 30,
	BYES = 3,
	BYE_FIRST_MS = 20, /* after the INVITE that it must not overtake */
	BYE_GAP_MS = 15,
	BYE_LATE_MS = 20, /* behind the session's word that it has left */
	ASKS = 3,
	ASK_GAP_MS = 20,
	WIDEST = 4,    /* hops between which silence leaves the box, at most */
	END_MS = 1500, /* for all TTLs, plus round trips */
	END_ROUNDS = 6,
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

static void start_calls(struct alg *a, int64_t now_ns)
{
	a->hold.is_ready = a->hold.is_ended = false;
	a->hold.n_calls = 0;
	a->hold.due_ns = now_ns;
}

void alg_hold_begin(struct alg *a, int shot, int64_t now_ns)
{
	a->hold = (struct alg_hold){
		.is_on = true,
		.spec = a->ladder.shots[shot].spec,
		.rtp_port = a->shots[shot].rtp_port,
	};
	start_calls(a, now_ns);
}

static size_t count_calls(const struct alg *a, bool is_open)
{
	size_t n = 0;

	for (size_t i = 0; i < a->ladder.n; i++)
		n += is_held(a, i) && a->shots[i].is_call_open == is_open;
	return n;
}

/* Until the edge ends them. */
static bool is_in_time(const struct alg *a, int64_t at_ns)
{
	return at_ns - a->hold.begun_ns < WIRE_CALL_MS * NS_PER_MS;
}

static bool is_any_over(const struct alg *a)
{
	return a->hold.is_ready && count_calls(a, true) < a->hold.n_held;
}

static void end_again(struct alg *a)
{
	for (size_t i = 0; i < a->ladder.n; i++) {
		if (is_held(a, i) && a->shots[i].is_call_open)
			alg_send_cancel(a, &a->ladder.shots[i].spec,
			                (unsigned)i, ALG_TTL);
	}
}

static void call_again(struct alg *a, bool is_all)
{
	for (size_t i = 0; i < a->ladder.n; i++) {
		const struct ladder_spec *sp = &a->ladder.shots[i].spec;
		struct addr to = alg_udp_target(a, sp);

		if (is_held(a, i) && (is_all || !a->shots[i].is_call_open))
			alg_send_udp(a, alg_socket(a, sp), &to, ALG_TTL,
			             a->shots[i].sent);
	}
}

static void note_ended(struct alg *a, int64_t now_ns)
{
	struct alg_hold *h = &a->hold;

	for (size_t i = 0; i < a->ladder.n; i++) {
		if (is_held(a, i)) /* an answer opens it again */
			a->shots[i].is_call_open = false;
	}
	h->is_ended = true;
	h->n_calls = 0;
	h->due_ns = h->begun_ns = now_ns;
}

/* Of many calls, one is soon lost: that is not waited for. */
static int64_t call_gap_ns(const struct alg *a)
{
	return a->ladder.srtt_ns / 2 + CALL_GAP_MS * NS_PER_MS;
}

bool alg_hold_is_ready(struct alg *a, int64_t now_ns, int64_t *next_ns)
{
	struct alg_hold *h = &a->hold;
	bool is_spent;

	if (!h->is_on || h->is_ready || h->effect)
		return true;
	is_spent = h->n_calls == CALLS && now_ns >= h->due_ns;
	if (!h->is_ended && (is_spent || count_calls(a, true) == 0)) {
		note_ended(a, now_ns);
		is_spent = false;
	}
	h->is_ready = h->is_ended && (is_spent || count_calls(a, false) == 0);
	if (h->is_ready) {
		h->n_held = count_calls(a, true);
		h->due_ns = now_ns;
		return true;
	}
	if (now_ns >= h->due_ns) {
		if (h->is_ended)
			call_again(a, false);
		else
			end_again(a);
		h->n_calls++;
		h->due_ns = now_ns + (h->n_calls < CALLS ? call_gap_ns(a)
		                                         : alg_patience_ns(a));
	}
	*next_ns = h->due_ns;
	return false;
}

int64_t alg_hold_next(struct alg *a, int64_t now_ns)
{
	struct alg_hold *h = &a->hold;
	struct addr from, to;
	struct slice bytes;

	if (!h->is_on || h->has_passed || h->phase != ALG_HOLD_WALK)
		return INT64_MAX;
	h->has_passed = is_any_over(a) || !is_in_time(a, now_ns);
	if (h->has_passed || h->n_tries == LADDER_TRIES)
		return INT64_MAX;
	if (now_ns < h->due_ns)
		return h->due_ns;
	from = alg_source(a, &h->spec);
	to = alg_udp_target(a, &h->spec);
	a->err = alg_build(&bytes, a, &h->spec, ALG_NUM_AGAIN, &from,
	                   h->rtp_port);
	if (!a->err)
		alg_send_udp(a, alg_socket(a, &h->spec), &to, ALG_TTL, bytes);
	h->n_tries++;
	h->due_ns = now_ns + alg_patience_ns(a) / 4;
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

/* How long one TTL takes, with room for what comes late. */
static int64_t round_ns(const struct alg *a)
{
	return 2 * a->ladder.srtt_ns + (BYE_FIRST_MS + BYES * BYE_GAP_MS +
	                                BYE_LATE_MS + ASKS * ASK_GAP_MS) *
	                                       NS_PER_MS;
}

static void begin_ttl(struct alg *a, int64_t now_ns)
{
	struct alg_hold *h = &a->hold;

	if (!is_in_time(a, now_ns + round_ns(a))) {
		start_calls(a, now_ns);
		return;
	}
	h->is_begun = true;
	h->n_left = h->n_asks = 0;
	call_again(a, true);
	end_call(a);
	h->due_ns = h->end_ns;
}

static void next_ttl(struct alg *a)
{
	struct alg_hold *h = &a->hold;

	h->is_begun = false;
	if (h->ttl == h->to_ttl)
		h->phase = ALG_HOLD_OVER;
	else
		h->ttl++;
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
	h->ttl = h->from_ttl;
	h->due_ns = now_ns;
	h->end_ns =
		now_ns + END_MS * NS_PER_MS + END_ROUNDS * a->ladder.srtt_ns;
}

static void ask_on(struct alg *a, int64_t now_ns)
{
	struct alg_hold *h = &a->hold;

	if (!h->is_begun) {
		begin_ttl(a, now_ns);
	} else if (h->n_left < BYES) {
		h->phase = ALG_HOLD_OVER;
	} else if (h->n_asks == ASKS) {
		next_ttl(a);
	} else if (!is_in_time(a, now_ns)) {
		h->is_begun = false;
	} else {
		ask_freed(a);
		h->n_asks++;
		/* what is late tells of the TTL that it was asked after: only
		 * the last is waited for */
		h->due_ns = now_ns + (h->n_asks == ASKS && h->ttl == h->to_ttl
		                              ? alg_patience_ns(a)
		                              : ASK_GAP_MS * NS_PER_MS);
	}
}

int64_t alg_hold_end_next(struct alg *a, int64_t now_ns)
{
	struct alg_hold *h = &a->hold;

	if (!h->is_on || h->has_passed)
		return INT64_MAX;
	if (h->phase == ALG_HOLD_WALK)
		begin_end(a, now_ns);
	if (h->phase == ALG_HOLD_END &&
	    (h->effect || !a->control || now_ns >= h->end_ns)) {
		h->phase = ALG_HOLD_OVER;
		if (h->effect)
			alg_send_cancel(a, &h->spec, ALG_NUM_FREED + h->effect,
			                ALG_TTL);
	}
	if (h->phase == ALG_HOLD_END && now_ns >= h->due_ns)
		ask_on(a, now_ns);
	if (h->phase == ALG_HOLD_OVER)
		return INT64_MAX;
	return h->is_ready ? h->due_ns : now_ns;
}

void alg_hold_take_sent(struct alg *a, unsigned number, int err)
{
	struct alg_hold *h = &a->hold;

	if (h->phase != ALG_HOLD_END || number != ALG_NUM_FREED + h->ttl)
		return;
	if (err)
		h->phase = ALG_HOLD_OVER;
	else if (++h->n_left == BYES)
		h->due_ns = clock_mono_ns() + BYE_LATE_MS * NS_PER_MS;
	alg_kick(a);
}

void alg_hold_take_freed(struct alg *a, unsigned number)
{
	struct alg_hold *h = &a->hold;
	unsigned ttl = number - ALG_NUM_FREED;

	/* a call that has ended may be what it was lost for */
	if (number < ALG_NUM_FREED || h->phase == ALG_HOLD_WALK ||
	    ttl < h->from_ttl || ttl > h->to_ttl || is_any_over(a))
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
