/* SPDX-License-Identifier: ISC */
/*
 * Design: a list of steps, each a function of the state and the time that
 * says when it wants to be called again. One timer drives them; whatever
 * arrives only kicks the timer. The SIP over TLS of the first stage is asked
 * already while the edge is being met, and its connection then carries the
 * control session: that saves a clean network a second handshake.
 */
#include "probe/alg.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "probe/registry.h"

enum {
	SIP_PORT = 5060,
	HELLO_TRIES = 6,
	HELLO_ENOUGH = 3, /* where a session has shown the edge: each port had
	                     one, the control port all of them */
	HELLO_RTO_MS = 250,
	HELLO_SLOWER = 4,     /* each waits so much of the one before longer */
	ASIDE_AFTER_MS = 400, /* of silence on all ports */
	SPARE_AFTER_MS = 800, /* of silence on the TLS port */
	MEET_MS = 6000,
	REPORT_MS = 5000,
	PATIENCE_MS = 80,
	RTP_LOWEST = 20000,
	RTP_SPREAD = 4000,
	RTP_TRIES = 8,
};

void alg_kick(struct alg *a)
{
	net_timer_set(a->timer, 0);
}

int64_t alg_patience_ns(const struct alg *a)
{
	return 2 * a->ladder.srtt_ns + PATIENCE_MS * NS_PER_MS;
}

bool alg_is_udp_shut(const struct alg *a)
{
	return a->meet.has_session && !a->meet.has_welcome &&
	       ladder_is_udp_silent(&a->ladder);
}

static int find_tls(const struct alg *a)
{
	return ladder_find(&a->ladder, WIRE_TLS, WIRE_ROLE_SIP, LADDER_OPTIONS,
	                   NULL);
}

static void say_hello(struct alg *a, int64_t now_ns)
{
	struct alg_meet *me = &a->meet;
	int64_t rto = me->rtt_ns ? 2 * me->rtt_ns + PATIENCE_MS * NS_PER_MS
	                         : HELLO_RTO_MS * NS_PER_MS;

	for (unsigned i = 0; i < me->n_hellos; i++)
		rto += rto / HELLO_SLOWER;
	me->n_hellos++;
	me->hello_ns = now_ns;
	me->due_ns = now_ns + rto;
	alg_send_hello(a, a->ports->control);
	if (me->n_hellos > 1)
		alg_send_hello(a, a->ports->sip_alt);
	if (me->n_hellos > 2)
		alg_send_hello(a, a->ports->sip);
}

/* @return whether a WELCOME may still come */
static bool repeat_hello(struct alg *a, int64_t now_ns)
{
	const struct alg_meet *me = &a->meet;

	if (me->has_welcome)
		return false;
	if (now_ns < me->due_ns)
		return true;
	if (me->n_hellos == HELLO_TRIES)
		return false;
	say_hello(a, now_ns);
	return true;
}

static bool has_connected(const struct alg_road *road)
{
	return road && (road->is_open ||
	                (road->stream &&
	                 net_stream_opening(road->stream).connect_ns > 0));
}

/* No connection that could carry a session has opened in the time that one has
 * which loses two SYNs. */
static bool is_tls_shut(const struct alg *a, int64_t now_ns)
{
	const struct alg_meet *me = &a->meet;
	int tls = find_tls(a);
	int64_t most_ns = LADDER_OPEN_MS * NS_PER_MS + 2 * me->rtt_ns;

	return now_ns > a->end_ns - MEET_MS * NS_PER_MS + most_ns &&
	       !has_connected(me->spare) &&
	       (tls == LADDER_NONE || !has_connected(a->shots[tls].road));
}

/* Is there still a way to get a control session? */
static bool may_get_session(struct alg *a, int64_t now_ns)
{
	struct alg_meet *me = &a->meet;
	int tls = find_tls(a);
	struct alg_road *road = tls < 0 ? NULL : a->shots[tls].road;
	bool is_stuck = !road || !road->is_open;
	bool is_failed = tls < 0 || a->ladder.shots[tls].is_closed;

	if (me->is_session_over || now_ns >= a->end_ns)
		return false;
	if (a->control)
		return true;
	if (is_tls_shut(a, now_ns))
		return false;
	if (!me->spare && is_stuck && a->ports->control &&
	    (is_failed ||
	     now_ns > a->end_ns - (MEET_MS - SPARE_AFTER_MS) * NS_PER_MS))
		a->err = alg_road_open(&me->spare, a, LADDER_NONE,
		                       a->ports->control, true);
	if (me->spare)
		return me->spare->stream || !is_failed;
	return true;
}

/* Silence is waited for while the others ask; who is met after all, goes on
 * when they are over. @return whether it must wait */
static bool stand_aside(struct alg *a, int64_t now_ns)
{
	bool is_met = a->meet.has_welcome || a->meet.has_session;

	if (!is_met && now_ns > a->end_ns - MEET_MS * NS_PER_MS +
	                                ASIDE_AFTER_MS * NS_PER_MS)
		(void)probe_step_aside(a->run);
	return is_met && !probe_may_ask(a->run);
}

static int64_t step_meet(struct alg *a, int64_t now_ns)
{
	struct alg_meet *me = &a->meet;
	int64_t next = now_ns + 50 * NS_PER_MS;
	bool is_met;

	if (!a->is_entered) {
		int tls = find_tls(a);

		a->end_ns = now_ns + MEET_MS * NS_PER_MS;
		say_hello(a, now_ns);
		if (tls != LADDER_NONE)
			alg_send_shot(a, tls, now_ns);
		return next;
	}
	if (stand_aside(a, now_ns))
		return next;
	is_met = !repeat_hello(a, now_ns) ||
	         (me->has_session && me->n_hellos > HELLO_ENOUGH);
	if (is_met && (me->has_session || !may_get_session(a, now_ns))) {
		a->ladder.srtt_ns = me->rtt_ns;
		a->ladder.has_reports = me->has_session;
		return ALG_STEP_OVER;
	}
	if (!is_met)
		(void)may_get_session(a, now_ns);
	return next;
}

/* Neither UDP nor TLS reached an edge: there is nothing to compare with. */
static bool is_edge_met(const struct alg *a)
{
	return a->has_token;
}

static int64_t step_ladder(struct alg *a, int64_t now_ns)
{
	int64_t next;
	int shot;

	if (!is_edge_met(a))
		return ALG_STEP_OVER;
	(void)repeat_hello(a, now_ns);
	ladder_plan_call_twins(&a->ladder);
	for (;;) {
		next = ladder_next(&a->ladder, &shot, now_ns);
		if (shot == LADDER_NONE || a->err)
			break;
		alg_send_shot(a, shot, now_ns);
	}
	if (next != INT64_MAX) { /* never wait for that alone */
		int64_t at = alg_tcp_watch(a, now_ns);

		next = at < next ? at : next;
	}
	if (!a->ladder.is_refined && alg_tcp_is_mute(a, now_ns))
		next = INT64_MAX;
	for (size_t i = 0; i < a->ladder.n; i++) {
		struct alg_road *road = a->shots[i].road;
		int64_t at = INT64_MAX;

		if (!road)
			continue;
		if (road->stream)
			at = alg_road_split(road, now_ns);
		if (at < next)
			next = at;
		if (a->ladder.shots[i].is_closed) {
			alg_road_free(road);
			a->shots[i].road = NULL;
		}
	}
	return next == INT64_MAX ? ALG_STEP_OVER : next;
}

static void fetch(struct alg *a, unsigned number, enum wire_which which)
{
	struct wire_fetch f = {.shot = (uint16_t)number, .which = which};

	if (control_fetch(a->control, &f) == 0)
		a->n_waited++;
}

static void fetch_wanted(struct alg *a)
{
	for (unsigned i = 0; i < a->ladder.n && a->control; i++) {
		struct alg_shot *s = &a->shots[i];

		if (s->wants_arrived)
			fetch(a, i, WIRE_REQUEST);
		if (s->wants_answer && a->control)
			fetch(a, i, WIRE_ANSWER);
		s->wants_arrived = s->wants_answer = false;
	}
	if (a->control && a->inbound.is_reply_edited &&
	    !a->inbound.reply_arrived.p)
		fetch(a, ALG_NUM_INBOUND, WIRE_REQUEST);
}

static bool has_wishes(const struct alg *a)
{
	for (size_t i = 0; i < a->ladder.n; i++) {
		if (a->shots[i].wants_arrived || a->shots[i].wants_answer)
			return true;
	}
	return a->inbound.is_reply_edited && !a->inbound.reply_arrived.p;
}

/* What a mirror was too long to carry is needed byte by byte. */
static int64_t step_fetch(struct alg *a, int64_t now_ns)
{
	if (!a->is_entered)
		a->end_ns = now_ns + REPORT_MS * NS_PER_MS;
	if (a->n_waited == 0 && a->control && has_wishes(a))
		fetch_wanted(a);
	if (a->n_waited && now_ns < a->end_ns)
		return a->end_ns;
	a->n_waited = 0;
	return ALG_STEP_OVER;
}

/* A shot that a mirror has shown unchanged has nothing more to tell. */
static bool wants_report(const struct alg *a)
{
	for (size_t i = 0; i < a->ladder.n; i++) {
		const struct ladder_shot *s = &a->ladder.shots[i];

		if (s->n_sent && s->result != LADDER_CLEAN &&
		    !(s->result == LADDER_UNDECIDED && s->is_answered &&
		      s->is_arrival_known && !s->is_edited))
			return true;
	}
	return !a->ladder.is_refined;
}

static int64_t step_report(struct alg *a, int64_t now_ns)
{
	if (!a->control || !wants_report(a))
		return ALG_STEP_OVER;
	if (!a->is_entered) {
		a->end_ns = now_ns + REPORT_MS * NS_PER_MS;
		a->n_waited = control_report(a->control) == 0;
	}
	if (a->n_waited && now_ns < a->end_ns)
		return a->end_ns;
	a->n_waited = 0;
	return ALG_STEP_OVER;
}

static int64_t step_judge(struct alg *a, int64_t now_ns)
{
	struct ladder_signs signs = {
		.is_src_5060 = a->local.port == SIP_PORT,
		.is_inbound_edited = alg_is_inbound_edited(a),
		.is_pinhole_open = alg_is_pinhole_open(a),
		.is_udp_shut = alg_is_udp_shut(a),
	};
	int options = ladder_find(&a->ladder, WIRE_UDP, WIRE_ROLE_SIP,
	                          LADDER_OPTIONS, NULL);

	for (size_t i = 0; i < a->ladder.n; i++)
		signs.is_answer_edited |= alg_is_answer_edited(&a->shots[i]);
	/* the mapping of the SIP flow itself, where it is known */
	if (options != LADDER_NONE && a->shots[options].observed.port)
		a->observed = a->shots[options].observed;
	/* an edge may claim anything; it goes into a message of ours */
	signs.is_natted = a->observed.family == a->local.family &&
	                  !addr_ip_eq(&a->observed, &a->local);
	if (is_edge_met(a) && !a->ladder.is_refined) {
		(void)ladder_plan_second(&a->ladder, &signs);
		if (alg_burst_is_media_lost(a)) {
			alg_burst_hang_up(a);
			(void)ladder_plan_calls(&a->ladder, &signs);
		}
		if (signs.is_natted) /* what comes next tells if it matters */
			alg_pairs_begin(a, now_ns);
	}
	ladder_judge(&a->ladder);
	return ALG_STEP_OVER;
}

/* One line of progress per step; NULL: none. */
static const struct {
	const char *words;
	int64_t (*poll)(struct alg *a, int64_t now_ns);
} steps[] = {
	{N_("looking for the edge"), step_meet},
	{N_("sending SIP to several ports"), step_ladder},
	{NULL, step_fetch},
	{N_("asking the edge to call back"), alg_step_call_back},
	{N_("comparing what arrived"), step_report},
	{NULL, step_fetch},
	{NULL, alg_step_settle},
	{NULL, step_judge},
	{N_("looking closer"), step_ladder},
	{NULL, step_report},
	{NULL, step_fetch},
	{NULL, step_judge},
	{NULL, alg_step_hang_up},
	{NULL, alg_step_calls},
	{NULL, alg_step_burst},
	{N_("finding the box that changes it"), alg_step_locate},
	{NULL, alg_step_let_go},
	{NULL, alg_step_pairs},
	{NULL, alg_step_locate_pairs},
	{N_("waiting to compare timers"), alg_step_timer},
	{NULL, alg_step_locate_timer},
};

static void on_timer(void *arg)
{
	struct alg *a = arg;
	int64_t now_ns = clock_mono_ns();

	if (a->is_over)
		return;
	while (a->step < ARRAY_LEN(steps) && !a->err) {
		int64_t due;

		if (!a->is_entered && steps[a->step].words)
			probe_progress(a->run, steps[a->step].words);
		due = steps[a->step].poll(a, now_ns);
		a->is_entered = true;
		if (a->r->no_memory)
			a->err = ENOMEM;
		if (due != ALG_STEP_OVER && !a->err) {
			net_timer_set(a->timer, due - now_ns);
			return;
		}
		a->step++;
		a->is_entered = false;
	}
	a->is_over = true;
	probe_done(a->run, a->err);
}

static int random_number(unsigned *out)
{
	return getrandom(out, sizeof(*out), 0) == sizeof(*out) ? 0 : EIO;
}

static int open_main(struct alg *a)
{
	struct addr local;
	int err = net_source_for(&local, &a->run->conf->edge);

	if (err)
		return err;
	/* A desk phone's own port: some ALGs look at nothing else. */
	local.port = SIP_PORT;
	err = net_udp_open(&a->udp, &local, NET_UDP_ICMP, &alg_udp_ops, a);
	if (err == EADDRINUSE || err == EACCES) {
		local.port = 0;
		err = net_udp_open(&a->udp, &local, NET_UDP_ICMP, &alg_udp_ops,
		                   a);
	}
	if (err)
		return err;
	a->local = net_udp_local(a->udp);
	local.port = 0;
	return net_udp_open(&a->second, &local, NET_UDP_ICMP, &alg_udp_ops, a);
}

/* The ports that INVITEs announce; the first one's is really listened on. */
static int open_rtp(struct alg *a)
{
	int call = ladder_find(&a->ladder, WIRE_UDP, WIRE_ROLE_SIP,
	                       LADDER_INVITE, NULL);
	struct addr at = a->local;
	unsigned rnd = 0;
	int err = EADDRINUSE;

	for (int i = 0; i < RTP_TRIES && err == EADDRINUSE; i++) {
		err = random_number(&rnd);
		if (err)
			return err;
		a->rtp_base = (uint16_t)(RTP_LOWEST +
		                         rnd % RTP_SPREAD * ALG_RTP_STEP / 2);
		at.port = (uint16_t)(a->rtp_base + call * ALG_RTP_STEP);
		err = net_udp_open(&a->rtp, &at, 0, &alg_rtp_ops, a);
		if (err)
			continue;
		at.port = (uint16_t)(a->rtp_base +
		                     LADDER_MAX_SHOTS * ALG_RTP_STEP);
		err = net_udp_open(&a->rtp_idle, &at, 0, &alg_rtp_ops, a);
		if (err) {
			net_udp_close(a->rtp);
			a->rtp = NULL;
		}
	}
	return err;
}

static void stop(void *state)
{
	struct alg *a = state;

	control_close(a->control);
	alg_state_close(a);
	alg_pairs_close(a);
	alg_calls_close(a);
	alg_tcp_close(a);
	for (size_t i = 0; i < LADDER_MAX_SHOTS; i++)
		alg_road_free(a->shots[i].road);
	alg_road_free(a->meet.spare);
	for (size_t i = 0; i < ALG_TIMERS; i++)
		net_udp_close(a->idle.udp[i]);
	net_udp_close(a->rtp_idle);
	net_udp_close(a->rtp);
	net_udp_close(a->second);
	net_udp_close(a->udp);
	net_tls_free(a->tls);
	net_timer_free(a->timer);
}

static unsigned missing_ports(const struct probe_ports *ports)
{
	return (ports->sip ? 0 : LADDER_NO_SIP) |
	       (ports->sip_alt ? 0 : LADDER_NO_ALT) |
	       (ports->tls ? 0 : LADDER_NO_TLS) |
	       (ports->control ? 0 : LADDER_NO_TWIN);
}

static int start(void *state, struct probe_run *run)
{
	struct alg *a = state;
	int err = 0;

	a->run = run;
	a->r = run->report;
	a->ports = &run->conf->ports;
	if (getrandom(a->session, sizeof(a->session), 0) !=
	            sizeof(a->session) ||
	    getrandom(a->meet.nonce, sizeof(a->meet.nonce), 0) !=
	            sizeof(a->meet.nonce))
		err = EIO;
	if (!err)
		err = open_main(a);
	if (!err) {
		ladder_init(&a->ladder, 0, false);
		a->ladder.missing = missing_ports(a->ports);
		a->ladder.is_full = run->conf->is_full;
		ladder_plan_first(&a->ladder, a->local.port == SIP_PORT);
		err = open_rtp(a);
	}
	if (!err)
		err = net_tls_client_alloc(&a->tls);
	if (!err)
		err = net_timer_alloc(&a->timer, on_timer, a);
	if (err) {
		stop(a);
		return err;
	}
	net_timer_set(a->timer, 0);
	return 0;
}

static void report(void *state)
{
	struct alg *a = state;

	ladder_judge(&a->ladder);
	alg_facts(a);
}

const struct probe_ops probe_sip_alg = {
	.name = "sip-alg",
	.summary = N_("Does a box on the way touch SIP?"),
	.needs = PROBE_NEEDS_EDGE,
	.state_bytes = sizeof(struct alg),
	.start = start,
	.report = report,
	.stop = stop,
};
