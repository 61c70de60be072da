/* SPDX-License-Identifier: ISC */
/*
 * Which ports of a range pass, by UDP or by TCP.
 *
 * UDP sends a HELLO, which an edge answers from any port; where no edge is,
 * an ICMP port unreachable from the server itself proves that the path to
 * the port is open. TCP connects; a connection that opens, or a reset where
 * no edge is, proves the same.
 *
 * Fields:
 *   ports       how many there are in the range
 *   tried       asked; passed, refused, silent, unknown: what became of them
 *   closed      passed: proved by a refusal of the server itself
 *   blocked     list of [first, last], in rising order, at most SPANS_MAX
 *   n_blocked   how many there are
 *   exact       every one of them begins and ends where it says
 *   gap_max     ports in the longest row that was not asked
 *   miss_ppm    chance that one blocked port, anywhere, was missed
 *   table_limit flows that a box on the way keeps; no new one passed beyond.
 *               Absent: no such limit was met
 *   goes_on     true: a flow that was open went on meanwhile
 *   slowed      true: new flows passed only after they were sent slower
 *   other       TCP: ports accepted by something that is no edge, though the
 *               far end is one; other_port is one of them
 *
 * Evidence, of one blocked port: port, tries, src_port, and by UDP the
 * payload that was sent; blocked_edges: for each that is not exact the list
 * [first_min, first, last, last_max].
 *
 * End: answered (an edge) or open, partly, refused, silent; no-means: UDP,
 * all silent, and no edge is known; local.
 *
 * Design: range.c decides, lane.c talks, and this file carries between them.
 * What comes back only wakes the timer, which sends what range_next() says,
 * a burst at a time, so that answers are read in between.
 */
#include <errno.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "net/here.h"
#include "net/loop.h"
#include "probe/asks.h"
#include "probe/lane.h"

enum {
	BURST = 48, /* sent in one turn of the loop: no more than it reads */
	WINDOW_UDP = 4096,
	WINDOW_TCP = 1024,
	WINDOW_SAMPLE = 256,
	SPANS_MAX = 64,
	BUSY_TIMES_MAX = 4, /* the patience, at most */
	BUSY_STEPS = 4,
	NEAR_RATIO = 3, /* a reset so much sooner than a round trip is not the
	                   server's */
};

#define NEAR_MIN_NS  (10 * NS_PER_MS)
#define LIMIT_MIN_NS (100 * NS_PER_MS)

struct ask_range {
	struct ask *a;
	struct range *range;
	struct lane *lane;
	struct net_timer *tick, *limit;
	unsigned flows; /* where the asker counts none */
	bool is_tcp, is_edge, is_over, is_kicked;
	int64_t turns_ns[2]; /* when on_tick() last ran, and before that */
	int64_t busy_ns;     /* of clock_busy_ns(), at first */
	int64_t added_ns;    /* to the patience */
	unsigned n_closed, n_other, n_opened;
	uint16_t other_port;
	int64_t rtt_ns;
	int error;                        /* what this computer said */
	struct lane_word refusal, closed; /* the first of each */
};

static struct val *put(struct ask_range *s, struct val *into, const char *key,
                       struct val v)
{
	struct report *r = s->a->report;

	return val_put(&r->arena, &r->no_memory, into, key, v);
}

static void put_blocked(struct ask_range *s)
{
	struct ask_result *res = &s->a->result;
	struct range_span spans[SPANS_MAX];
	unsigned n = range_spans(s->range, spans, SPANS_MAX);
	struct val *list = put(s, &res->fields, "blocked", val_list());
	struct val *edges = NULL;

	put(s, &res->fields, "n_blocked", val_int(n));
	for (unsigned i = 0; i < n && i < SPANS_MAX; i++) {
		const struct range_span *p = &spans[i];
		struct val *pair = put(s, list, NULL, val_list());

		put(s, pair, NULL, val_int(p->first));
		put(s, pair, NULL, val_int(p->last));
		if (p->first == p->first_min && p->last == p->last_max)
			continue;
		if (!edges)
			edges = put(s, &res->evidence, "blocked_edges",
			            val_list());
		pair = put(s, edges, NULL, val_list());
		put(s, pair, NULL, val_int(p->first_min));
		put(s, pair, NULL, val_int(p->first));
		put(s, pair, NULL, val_int(p->last));
		put(s, pair, NULL, val_int(p->last_max));
	}
}

static void put_evidence(struct ask_range *s, const struct range_sum *sum)
{
	struct val *ev = &s->a->result.evidence;
	struct report *r = s->a->report;
	uint16_t port = range_any(s->range, sum->n_refused ? RANGE_REFUSED
	                                                   : RANGE_SILENT);

	if (port == 0)
		return;
	put(s, ev, "port", val_int(port));
	put(s, ev, "tries", val_int(range_tries_of(s->range, port)));
	put(s, ev, "src_port", val_int(lane_source_port(s->lane, port)));
	if (!s->is_tcp)
		put(s, ev, "payload",
		    val_bytes(report_bytes(r, lane_payload(s->lane))));
}

static void put_fields(struct ask_range *s, const struct range_sum *sum)
{
	struct val *f = &s->a->result.fields;
	const struct {
		const char *key;
		unsigned value;
	} counts[] = {
		{"ports", sum->n_ports},     {"tried", sum->n_tried},
		{"passed", sum->n_passed},   {"refused", sum->n_refused},
		{"silent", sum->n_silent},   {"unknown", sum->n_unknown},
		{"closed", s->n_closed},     {"gap_max", sum->gap_max},
		{"miss_ppm", sum->miss_ppm},
	};

	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		put(s, f, counts[i].key, val_int(counts[i].value));
	put_blocked(s);
	put(s, f, "exact", val_bool(sum->is_exact));
	if (sum->table_limit)
		put(s, f, "table_limit", val_int(sum->table_limit));
	if (sum->goes_on)
		put(s, f, "goes_on", val_bool(true));
	if (sum->is_slowed)
		put(s, f, "slowed", val_bool(true));
	if (s->is_edge && s->n_other) {
		put(s, f, "other", val_int(s->n_other));
		put(s, f, "other_port", val_int(s->other_port));
	}
}

static enum ask_end end_of(const struct ask_range *s,
                           const struct range_sum *sum)
{
	if (sum->n_passed) {
		if (sum->n_refused || sum->n_silent || sum->table_limit)
			return ASK_PARTLY;
		return s->is_edge ? ASK_ANSWERED : ASK_OPEN;
	}
	if (sum->n_tried == 0 ||
	    (s->error && sum->n_silent == 0 && s->refusal.port == 0))
		return ASK_LOCAL;
	if (sum->n_refused)
		return ASK_REFUSED;
	if (sum->n_silent && (s->is_tcp || s->a->conf->has_edge))
		return ASK_SILENT;
	return ASK_NO_MEANS;
}

/* A reset bears no name; this computer's own filter can be told apart. */
static bool is_reset_here(const struct ask_range *s)
{
	struct addr to = s->a->target->addr;

	to.port = s->refusal.port;
	return s->is_tcp && s->refusal.error == ECONNREFUSED &&
	       s->refusal.offender.family == ADDR_NONE && net_here_resets(&to);
}

static void finish(struct ask_range *s)
{
	struct ask_result *res = &s->a->result;
	struct range_sum sum;

	if (s->is_over)
		return;
	s->is_over = true;
	range_give_up(s->range);
	range_sum(&sum, s->range);
	if (sum.n_tried == 0 && !s->error)
		s->error = EDQUOT;
	res->end = end_of(s, &sum);
	if (res->end == ASK_REFUSED && is_reset_here(s)) {
		res->end = ASK_LOCAL;
		s->error = EPERM;
	}
	if (s->is_edge)
		res->layer = ASK_LAYER_PROTOCOL;
	else if (s->n_opened)
		res->layer = ASK_LAYER_CONNECT;
	res->is_edge = s->is_edge;
	res->rtt_ns = s->rtt_ns;
	res->n_sent = sum.n_sent;
	res->error = res->end == ASK_LOCAL ? s->error : s->refusal.error;
	res->offender = s->refusal.offender;
	res->icmp_type = s->refusal.icmp_type;
	res->icmp_code = s->refusal.icmp_code;
	put_fields(s, &sum);
	put_evidence(s, &sum);
	ask_end(s->a);
}

/* Patience is for the network. A machine that takes its time for others takes
 * it at each step of a search: to send, to carry, to read. */
static void on_limit(void *arg)
{
	struct ask_range *s = arg;
	int64_t patience_ns = s->a->conf->patience_ns;
	int64_t busy_ns = BUSY_STEPS * (clock_busy_ns() - s->busy_ns);

	if (busy_ns > (BUSY_TIMES_MAX - 1) * patience_ns)
		busy_ns = (BUSY_TIMES_MAX - 1) * patience_ns;
	busy_ns -= s->added_ns;
	if (!s->a->conf->is_patient || busy_ns < LIMIT_MIN_NS) {
		finish(s);
		return;
	}
	s->added_ns += busy_ns;
	net_timer_set(s->limit, busy_ns);
}

/* @return false: the loop must turn before more is sent */
static bool ask_one(struct ask_range *s, const struct range_step *step,
                    int64_t now_ns)
{
	int err = lane_ask(s->lane, step);

	if (err == EAGAIN) {
		range_on_busy(s->range, step, now_ns);
		return false;
	}
	if (!err) {
		range_on_sent(s->range, step, clock_mono_ns());
	} else if (!step->is_fresh) {
		s->error = err;
		range_on_refused(s->range, step->port, now_ns);
	}
	return true;
}

static void on_tick(void *arg)
{
	struct ask_range *s = arg;
	struct range_step step;
	int64_t next = 0;

	if (s->is_over)
		return;
	s->is_kicked = false;
	/* a timer may run before the sockets of its turn, not of the last */
	range_heard(s->range, s->turns_ns[1]);
	s->turns_ns[1] = s->turns_ns[0];
	s->turns_ns[0] = clock_mono_ns();
	for (int i = 0; i < BURST; i++) {
		int64_t now = clock_mono_ns();

		next = range_next(s->range, &step, now);
		if (!step.port || !ask_one(s, &step, now))
			break;
	}
	if (next != INT64_MAX)
		net_timer_set(s->tick, next - clock_mono_ns());
	else if (lane_n_waiting(s->lane) == 0)
		finish(s);
	/* else on_word() comes back here */
}

/* A box in between refuses sooner than the server could. */
static bool is_near(const struct ask_range *s, int64_t rtt_ns)
{
	int64_t far = s->a->conf->rtt_ns;

	return rtt_ns > 0 && far > NEAR_MIN_NS && rtt_ns < far / NEAR_RATIO;
}

/* An edge is open on every port: what is closed then is closed by others. */
static bool is_closed_good(const struct ask_range *s, const struct lane_word *w)
{
	return !s->is_edge && !s->a->conf->has_edge && !is_near(s, w->rtt_ns);
}

static void on_pass(struct ask_range *s, const struct lane_word *w,
                    int64_t now_ns)
{
	if (w->is_fresh) {
		range_on_fresh(s->range, w->fresh, now_ns);
		return;
	}
	if (w->rtt_ns && (s->rtt_ns == 0 || w->rtt_ns < s->rtt_ns))
		s->rtt_ns = w->rtt_ns;
	range_on_pass(s->range, w->port, w->rtt_ns, now_ns);
}

static void on_refused(struct ask_range *s, const struct lane_word *w,
                       int64_t now_ns)
{
	if (w->is_fresh)
		return; /* its port was good: not the port's doing */
	/* without a sender and unlike a reset, it is this computer's word */
	if (w->offender.family == ADDR_NONE && w->error != ECONNREFUSED &&
	    w->error != ECONNRESET)
		s->error = w->error;
	else if (s->refusal.port == 0)
		s->refusal = *w;
	range_on_refused(s->range, w->port, now_ns);
}

static void on_closed(struct ask_range *s, const struct lane_word *w,
                      int64_t now_ns)
{
	if (!is_closed_good(s, w)) {
		on_refused(s, w, now_ns);
		return;
	}
	if (!s->is_tcp)
		range_be_mute(s->range);
	if (range_state_of(s->range, w->port) != RANGE_PASSES &&
	    s->n_closed++ == 0)
		s->closed = *w;
	if (w->is_fresh)
		on_pass(s, w, now_ns);
	else
		range_on_closed(s->range, w->port, w->rtt_ns, now_ns);
}

/* What was closed until now was so by somebody on the way. */
static void on_edge(struct ask_range *s)
{
	if (!s->is_edge && s->n_closed) {
		range_closed_is_refused(s->range);
		s->n_closed = 0;
		if (s->refusal.port == 0)
			s->refusal = s->closed;
	}
	s->is_edge = true;
}

static void on_word(void *arg, const struct lane_word *w)
{
	struct ask_range *s = arg;
	int64_t now = clock_mono_ns();

	if (s->is_over)
		return;
	switch (w->what) {
	case LANE_EDGE:
		on_edge(s);
		on_pass(s, w, now);
		break;
	case LANE_OPENED:
		s->n_opened++;
		on_pass(s, w, now);
		break;
	case LANE_OTHER:
		s->n_other++;
		s->other_port = w->port;
		break;
	case LANE_CLOSED:
		on_closed(s, w, now);
		break;
	case LANE_REFUSED:
		on_refused(s, w, now);
		break;
	}
	if (!s->is_kicked)
		net_timer_set(s->tick, 0);
	s->is_kicked = true;
}

static int open_range(struct ask_range *s)
{
	const struct ask_conf *conf = s->a->conf;
	const struct ask_target *t = s->a->target;
	struct range_conf rc = {
		.first = t->addr.port,
		.last = t->port_last,
		.is_full = conf->is_full_range,
		.is_patient = conf->is_patient,
		.window_max = s->is_tcp ? WINDOW_TCP : WINDOW_UDP,
		.flows_per_s = conf->flows_per_s,
		.tries_per_flow = s->is_tcp ? LANE_TCP_TRIES : 0,
		.flows_left = conf->flows_left,
		.rtt_ns = conf->rtt_ns,
		.board = conf->board,
	};

	if (!rc.flows_left) {
		s->flows = UINT16_MAX + RANGE_SAMPLE_MAX;
		rc.flows_left = &s->flows;
	}
	if (!rc.is_full)
		rc.window_max = WINDOW_SAMPLE;
	if (getrandom(&rc.seed, sizeof(rc.seed), 0) != sizeof(rc.seed))
		return EIO;
	return range_alloc(&s->range, &rc, clock_mono_ns());
}

static void stop(void *state)
{
	struct ask_range *s = state;

	lane_close(s->lane);
	range_free(s->range);
	net_timer_free(s->tick);
	net_timer_free(s->limit);
}

static int start(void *state, struct ask *a)
{
	struct ask_range *s = state;
	int err;

	s->a = a;
	s->is_tcp = a->target->via != ASK_UDP;
	if (a->conf->flows_left && *a->conf->flows_left == 0) {
		a->result.end = ASK_LOCAL;
		a->result.error = EDQUOT;
		ask_end(a);
		return 0;
	}
	err = open_range(s);
	if (!err)
		err = lane_open(&s->lane, &a->target->addr,
		                a->target->port_last, s->is_tcp, on_word, s);
	if (!err)
		err = net_timer_alloc(&s->tick, on_tick, s);
	if (!err)
		err = net_timer_alloc(&s->limit, on_limit, s);
	if (err) {
		stop(s);
		return err;
	}
	net_timer_set(s->tick, 0);
	net_timer_set(s->limit, a->conf->patience_ns);
	s->busy_ns = clock_busy_ns();
	return 0;
}

const struct ask_ops ask_range = {
	.name = "range",
	.summary = N_("which ports of a range pass"),
	.state_bytes = sizeof(struct ask_range),
	.start = start,
	.stop = stop,
};
