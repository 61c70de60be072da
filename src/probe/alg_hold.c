/* SPDX-License-Identifier: ISC */
/*
 * Design: some INVITEs are lost for what other calls have brought about: their
 * media port is taken, or there are none left. Once those calls are over the
 * same INVITE passes, and a walk with it would accuse the last router. So the
 * calls that passed are begun again, as the same bytes, and held while it
 * walks. Beside the walk the lost message leaves with a full TTL: if that
 * arrives, the state is another one, and the walk has shown nothing.
 */
#include "probe/alg.h"

#include "base/clock.h"

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
	              (h->n_calls == LADDER_TRIES && now_ns >= h->due_ns);
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

int64_t alg_step_let_go(struct alg *a, int64_t now_ns)
{
	return a->hold.is_on ? alg_step_hang_up(a, now_ns) : ALG_STEP_OVER;
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
