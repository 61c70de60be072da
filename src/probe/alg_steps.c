/* SPDX-License-Identifier: ISC */
/*
 * Design: what comes after the ladder. Each step sends what it asks for a
 * bounded number of times and waits by the round trip that the ladder has
 * measured. A step that lacks its means (no control session, no message
 * that was changed) is over at once.
 */
#include "probe/alg.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "sip/sdp.h"

enum {
	PINHOLE_SHOTS = 2,     /* one datagram may get lost */
	CALL_BACK_TRIES = 4,   /* the twin's flow needs the second to open */
	TIMER_REPEAT_MS = 300, /* the late answer comes twice, for loss */
	TIMER_READY_MS = 400,
};

static int find_udp_sip(const struct alg *a, enum ladder_what what)
{
	return ladder_find(&a->ladder, WIRE_UDP, WIRE_ROLE_SIP, what, NULL);
}

/* The port that the edge saw in m=audio; 0: none. */
static uint16_t announced_port(struct slice message)
{
	struct sip_msg m;
	struct sip_sdp sdp;
	uint64_t port;

	sip_msg_read(&m, message);
	sip_sdp_read(&sdp, m.body);
	if (sdp.n_media == 0 || text_u64(&port, sdp.media[0].port, UINT16_MAX))
		return 0;
	return (uint16_t)port;
}

/* A request as the provider would send it for an incoming call. */
static int build_inbound(struct slice *out, struct alg *a, unsigned number,
                         const struct alg_shot *flow, uint16_t from_port)
{
	char tag[WIRE_TAG_CHARS];
	struct wr w = wr_init_heap();
	struct sip_canary c = {
		.kind = SIP_CANARY_INVITE,
		.transport = SIP_UDP,
		.local = alg_edge(a, from_port),
		.target = flow->observed,
		.tag = alg_tag(a, number, tag),
		.cseq = 1,
		.rtp_port = a->rtp_base,
	};
	int err = sip_canary_build(&w, &c);

	if (!err)
		*out = report_bytes(a->r, wr_slice(&w));
	wr_fini(&w);
	return err;
}

static void ask_inbound(struct alg *a, unsigned number, int flow,
                        uint16_t from_port)
{
	struct slice *sent = &a->inbound.sent[number - ALG_NUM_INBOUND];
	struct wire_send s = {.id = (uint16_t)number, .shot = (uint16_t)flow};

	if (flow == LADDER_NONE || !a->shots[flow].observed.port)
		return;
	if (!sent->p &&
	    build_inbound(sent, a, number, &a->shots[flow], from_port))
		return;
	s.bytes = *sent;
	(void)!control_send(a->control, &s);
}

static void shoot(struct alg *a, unsigned number, int flow, uint16_t to_port)
{
	char tag_text[WIRE_TAG_CHARS];
	struct slice tag = alg_tag(a, number, tag_text);
	struct wire_probe p = {.payload = slice_str("pinhole")};
	struct wr w = wr_init_heap();
	struct wire_shoot s = {
		.id = (uint16_t)number,
		.shot = (uint16_t)flow,
		.to_port = to_port,
	};

	if (wire_tag_find(&p.tag, tag)) {
		wire_probe_put(&w, &p);
		s.bytes = wr_slice(&w);
		(void)!control_shoot(a->control, &s);
	}
	wr_fini(&w);
}

/* Leaves before any other INVITE: Linux's ALG forgets the ports that the last
 * one announced when the next one passes, in either direction. */
static void shoot_pinhole(struct alg *a)
{
	struct alg_pinhole *p = &a->pinhole;
	int call = find_udp_sip(a, LADDER_INVITE);

	if (call == LADDER_NONE || !a->shots[call].is_call_open)
		return;
	/* unknown byte by byte, but not changed: what was sent arrived */
	p->rtp_public =
		announced_port(a->shots[call].arrived.p ? a->shots[call].arrived
	                                                : a->shots[call].sent);
	if (!p->rtp_public)
		return;
	p->n_tries++;
	for (int i = 0; i < PINHOLE_SHOTS; i++) {
		if (p->is_open)
			shoot(a, ALG_NUM_NO_PINHOLE, call,
			      net_udp_local(a->rtp_idle).port);
		else
			shoot(a, ALG_NUM_PINHOLE, call, p->rtp_public);
	}
}

/* The twin's flow, once the main one brought nothing. */
static void ask_twin(struct alg *a, int64_t now_ns)
{
	const struct ladder_spec spec = {.transport = WIRE_UDP,
	                                 .role = WIRE_ROLE_TWIN,
	                                 .what = LADDER_OPTIONS};
	int twin = ladder_find(&a->ladder, spec.transport, spec.role, spec.what,
	                       NULL);

	if (twin == LADDER_NONE)
		twin = ladder_add(&a->ladder, &spec);
	if (twin == LADDER_NONE)
		return;
	if (!a->shots[twin].observed.port)
		alg_send_shot(a, twin, now_ns);
	else if (!a->inbound.got[1].p)
		ask_inbound(a, ALG_NUM_INBOUND_TWIN, twin, a->ports->control);
}

/* An open pinhole proves a box only where an idle port is seen to be shut. */
static bool is_pinhole_doubtful(const struct alg *a)
{
	return a->pinhole.is_open && !a->pinhole.is_idle_open;
}

bool alg_is_pinhole_open(const struct alg *a)
{
	const struct alg_pinhole *p = &a->pinhole;

	return p->is_open && !p->is_idle_open && p->is_settled;
}

int64_t alg_step_call_back(struct alg *a, int64_t now_ns)
{
	struct alg_inbound *in = &a->inbound;
	int flow = find_udp_sip(a, LADDER_OPTIONS);

	if (!a->control || !a->meet.has_session || flow == LADDER_NONE ||
	    alg_is_udp_shut(a))
		return ALG_STEP_OVER;
	if (!a->is_entered)
		alg_burst_rush(a);
	if (in->got[0].p && !is_pinhole_doubtful(a))
		return ALG_STEP_OVER;
	if (in->n_tries == CALL_BACK_TRIES && in->got[0].p)
		return ALG_STEP_OVER; /* the idle port settles meanwhile */
	if (now_ns < in->due_ns)
		return in->due_ns;
	if (in->n_tries == CALL_BACK_TRIES)
		return ALG_STEP_OVER;

	control_hold(a->control);
	if (in->n_tries == 0 || is_pinhole_doubtful(a))
		shoot_pinhole(a);
	if (in->n_tries == 0)
		alg_calls_hint(a);
	if (!in->got[0].p)
		ask_inbound(a, ALG_NUM_INBOUND, flow, a->ports->sip);
	if (!in->got[0].p && in->n_tries > 0)
		ask_twin(a, now_ns);
	(void)!control_flush(a->control);
	in->n_tries++;
	in->due_ns = now_ns + alg_patience_ns(a);
	if (in->n_tries < CALL_BACK_TRIES) /* what comes late still counts */
		in->due_ns -= a->ladder.srtt_ns;
	return in->due_ns;
}

int64_t alg_step_settle(struct alg *a, int64_t now_ns)
{
	const struct alg_inbound *in = &a->inbound;

	if (in->n_tries < CALL_BACK_TRIES)
		return ALG_STEP_OVER;
	if (now_ns < in->due_ns && is_pinhole_doubtful(a))
		return in->due_ns;
	a->pinhole.is_settled = true;
	return ALG_STEP_OVER;
}

int64_t alg_step_hang_up(struct alg *a, int64_t now_ns)
{
	bool is_open = false;

	if (!a->is_entered) {
		a->end_ns = now_ns;
		a->n_cancels = 0;
	}
	if (!a->locate.is_started && alg_locate_wants_calls(a))
		return ALG_STEP_OVER; /* they would be begun again at once */
	a->is_hung_up = true;
	for (size_t i = 0; i < a->ladder.n; i++)
		is_open |= a->shots[i].is_call_open;
	if (!is_open || (now_ns >= a->end_ns && a->n_cancels == ALG_TRIES))
		return ALG_STEP_OVER;
	if (now_ns < a->end_ns)
		return a->end_ns;
	for (size_t i = 0; i < a->ladder.n; i++) {
		if (a->shots[i].is_call_open)
			alg_send_cancel(a, &a->ladder.shots[i].spec,
			                (unsigned)i, ALG_TTL);
	}
	a->n_cancels++;
	a->end_ns = now_ns + alg_patience_ns(a);
	return a->end_ns;
}

int64_t alg_step_let_go(struct alg *a, int64_t now_ns)
{
	if (!a->is_entered && a->is_hung_up && !a->hold.is_on)
		return ALG_STEP_OVER; /* silence to a CANCEL stays silence */
	return alg_step_hang_up(a, now_ns);
}

static const struct ladder_spec timer_specs[ALG_TIMERS] = {
	[ALG_TIMER_SIP] = {.transport = WIRE_UDP,
                           .role = WIRE_ROLE_SIP,
                           .what = LADDER_PLAIN},
	[ALG_TIMER_TWIN] = {.transport = WIRE_UDP,
                            .role = WIRE_ROLE_TWIN,
                            .what = LADDER_PLAIN},
	[ALG_TIMER_SPARE] = {.transport = WIRE_UDP,
                             .role = WIRE_ROLE_TWIN,
                             .what = LADDER_PLAIN},
};

static int open_timers(struct alg *a)
{
	struct addr local = a->local;
	int err = 0;

	local.port = 0;
	for (int i = 0; i < ALG_TIMERS && !err; i++)
		err = net_udp_open(&a->idle.udp[i], &local, 0, &alg_idle_ops,
		                   a);
	return err;
}

static void send_timers(struct alg *a)
{
	struct slice bytes;

	for (unsigned i = 0; i < ALG_TIMERS && !a->err; i++) {
		struct addr to = alg_udp_target(a, &timer_specs[i]);

		if (a->idle.is_ready[i])
			continue;
		a->err = alg_build(&bytes, a, &timer_specs[i],
		                   ALG_NUM_TIMER + i, &a->local, 0);
		if (!a->err)
			alg_send_udp(a, a->idle.udp[i], &to, ALG_TTL, bytes);
	}
}

static void ask_late(struct alg *a, unsigned i, uint32_t delay_ms)
{
	char tag_text[WIRE_TAG_CHARS];
	struct slice tag = alg_tag(a, ALG_NUM_TIMER_LATE + i, tag_text);
	struct wire_probe p = {.payload = slice_str("late")};
	struct wr w = wr_init_heap();
	struct wire_send s = {
		.id = (uint16_t)(ALG_NUM_TIMER_LATE + i),
		.shot = (uint16_t)(ALG_NUM_TIMER + i),
		.delay_ms = delay_ms,
	};

	if (wire_tag_find(&p.tag, tag)) {
		wire_probe_put(&w, &p);
		s.bytes = wr_slice(&w);
		(void)!control_send(a->control, &s);
	}
	wr_fini(&w);
}

static int64_t wait_late(struct alg *a, int64_t now_ns)
{
	struct alg_timer *t = &a->idle;
	uint32_t wait_ms = a->run->conf->timer_wait_s * 1000;

	if (!t->is_asked) {
		t->is_asked = true;
		t->end_ns = now_ns + (wait_ms + TIMER_REPEAT_MS) * NS_PER_MS +
		            2 * alg_patience_ns(a);
		for (unsigned i = 0; i < ALG_TIMER_SPARE; i++) {
			ask_late(a, i, wait_ms);
			ask_late(a, i, wait_ms + TIMER_REPEAT_MS);
		}
	}
	if (now_ns < t->end_ns &&
	    !(t->is_alive[ALG_TIMER_SIP] && t->is_alive[ALG_TIMER_TWIN]))
		return t->end_ns;
	t->is_done = true;
	return ALG_STEP_OVER;
}

int64_t alg_step_timer(struct alg *a, int64_t now_ns)
{
	struct alg_timer *t = &a->idle;

	if (a->run->conf->timer_wait_s == 0 || !a->control || !a->has_token)
		return ALG_STEP_OVER;
	if (!a->is_entered) {
		a->err = open_timers(a);
		if (a->err)
			return ALG_STEP_OVER;
		t->due_ns = now_ns;
	}
	if (t->is_ready[ALG_TIMER_SIP] && t->is_ready[ALG_TIMER_TWIN])
		return wait_late(a, now_ns);
	if (now_ns < t->due_ns)
		return t->due_ns;
	if (t->n_tries++ == LADDER_TRIES)
		return ALG_STEP_OVER;
	send_timers(a);
	t->due_ns = now_ns + TIMER_READY_MS * NS_PER_MS;
	return t->due_ns;
}
