/* SPDX-License-Identifier: ISC */
/*
 * Design: one queue of flights serves all tries, in the order of sending.
 * Time-outs differ a little from try to try, so a flight may wait a little
 * longer than it had to; that costs nothing but patience. Which ports are
 * asked at all is planned in range_plan.c, wave by wave.
 *
 * A limit on new flows a second fails a fresh flow just as a full table
 * does, but not for long: so the judgement is left to a second fresh flow
 * after a pause.
 */
#include "probe/range_priv.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"

enum {
	RESERVE = 2, /* fresh flows that are set aside: early, and last */
	CHECK_FIRST = 32,
	WINDOW_FIRST = 128,
	WINDOW_MIN = 32,
	WINDOWS = 4,       /* in flight, with what is asked again and again */
	LOOK_PASSES = 256, /* between two looks at the share of repetitions */
	SLOW_MAX = 3,      /* times that new flows are slowed down */
	FLIGHTS_MIN = 64,
};

#define RTO_UNKNOWN_NS (250 * NS_PER_MS)
#define RTO_MIN_NS     (25 * NS_PER_MS)
#define RTO_MAX_NS     NS_PER_S
#define RTO_LATER_NS   (200 * NS_PER_MS) /* after a pause, at least */
#define GAP_NS         NS_PER_MS         /* between new flows of a sample */
#define BUSY_NS        (2 * NS_PER_MS)   /* until a full buffer has drained */
#define LOOK_NS        (25 * NS_PER_MS)  /* at what others have found */

static struct range_cell *cell_of(struct range *r, uint16_t port)
{
	if (port < r->conf.first || port > r->conf.last)
		return NULL;
	return &r->cells[port - r->conf.first];
}

static void reserve(struct range *r)
{
	while (r->n_reserved<RESERVE && * r->conf.flows_left> RESERVE) {
		(*r->conf.flows_left)--;
		r->n_reserved++;
	}
}

/* Nobody else may spend what the sample needs. */
static void keep(struct range *r)
{
	r->n_kept = r->n_plan < *r->conf.flows_left ? r->n_plan
	                                            : *r->conf.flows_left;
	*r->conf.flows_left -= r->n_kept;
}

static bool has_flows(const struct range *r)
{
	return r->n_kept > 0 || *r->conf.flows_left > 0;
}

int range_alloc(struct range **rp, const struct range_conf *conf,
                int64_t now_ns)
{
	struct range *r;

	if (conf->first == 0 || conf->first > conf->last ||
	    conf->window_max == 0 || conf->window_max > RANGE_WINDOW_MAX)
		return EINVAL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return ENOMEM;
	r->conf = *conf;
	r->n = (unsigned)(conf->last - conf->first) + 1;
	r->flights_cap = FLIGHTS_MIN + WINDOWS * conf->window_max;
	r->cells = calloc(r->n, sizeof(*r->cells));
	r->flights = calloc(r->flights_cap, sizeof(*r->flights));
	if (!r->cells || !r->flights) {
		range_free(r);
		return ENOMEM;
	}
	r->rand = conf->seed;
	r->window = conf->window_max < WINDOW_FIRST ? conf->window_max
	                                            : WINDOW_FIRST;
	r->check_at = CHECK_FIRST;
	r->full_step = range_full_step(r->n);
	r->next_flow_ns = now_ns;
	r->began_ns = now_ns;
	r->heard_ns = INT64_MAX;
	reserve(r);
	if (conf->is_full) {
		r->full_at = 0;
	} else {
		range_plan_sample(r);
		keep(r);
	}
	*rp = r;
	return 0;
}

/* What was set aside and is not needed goes back to the run. */
static void over(struct range *r)
{
	r->is_over = true;
	range_board_leave(r->conf.board, r);
	*r->conf.flows_left += r->n_reserved + r->n_kept;
	r->n_reserved = 0;
	r->n_kept = 0;
}

void range_free(struct range *r)
{
	if (!r)
		return;
	if (!r->is_over)
		over(r);
	free(r->cells);
	free(r->flights);
	free(r);
}

static int64_t rto_ns(const struct range *r, unsigned n_tries)
{
	int64_t rto = RTO_UNKNOWN_NS;

	if (r->srtt_ns)
		rto = r->srtt_ns + 4 * r->var_ns + RTO_MIN_NS;
	else if (r->conf.rtt_ns)
		rto = r->conf.rtt_ns * 5 / 4 + RTO_MIN_NS;
	/* who comes late to send comes late to read */
	rto += 2 * r->late_ns;
	if (rto > RTO_MAX_NS)
		rto = RTO_MAX_NS;
	if (r->n_later)
		return 2 * rto > RTO_LATER_NS ? 2 * rto : RTO_LATER_NS;
	/* what is asked to be sure is spread over more time than a burst of
	 * loss lasts */
	return n_tries > RANGE_TRIES ? 2 * rto : rto;
}

/* RFC 6298, section 2 */
static void take_rtt(struct range *r, int64_t rtt_ns)
{
	int64_t off;

	if (rtt_ns <= 0)
		return;
	if (r->srtt_ns == 0) {
		r->srtt_ns = rtt_ns;
		r->var_ns = rtt_ns / 4;
		return;
	}
	off = rtt_ns > r->srtt_ns ? rtt_ns - r->srtt_ns : r->srtt_ns - rtt_ns;
	r->var_ns += (off - r->var_ns) / 4;
	r->srtt_ns += (rtt_ns - r->srtt_ns) / 8;
}

void range_cell_set(struct range *r, struct range_cell *c,
                    enum range_cell_state to)
{
	bool was_young = range_is_young(c);

	r->n_flying -= c->state == RANGE_CELL_FLYING;
	r->n_passed -= c->state == RANGE_CELL_PASSES;
	r->n_refused -= c->state == RANGE_CELL_REFUSED;
	r->n_uncleared -= c->state == RANGE_CELL_SILENT && !c->is_cleared;
	c->state = (uint8_t)to;
	r->n_flying += c->state == RANGE_CELL_FLYING;
	r->n_passed += c->state == RANGE_CELL_PASSES;
	r->n_refused += c->state == RANGE_CELL_REFUSED;
	r->n_uncleared += c->state == RANGE_CELL_SILENT && !c->is_cleared;
	r->n_young += (unsigned)range_is_young(c) - (unsigned)was_young;
}

static void count_try(struct range *r, struct range_cell *c, int by)
{
	bool was_young = range_is_young(c);

	c->n_tries = (uint8_t)(c->n_tries + by);
	r->n_sent += (unsigned)by;
	r->n_young += (unsigned)range_is_young(c) - (unsigned)was_young;
}

void range_fly_again(struct range *r, unsigned at, int64_t due_ns)
{
	struct range_cell *c = &r->cells[at];

	range_cell_set(r, c, RANGE_CELL_FLYING);
	r->flights[(r->flights_at + r->n_flights++) % r->flights_cap] =
		(struct range_flight){
			.at = (uint16_t)at,
			.nth = c->n_tries,
			.due_ns = due_ns,
		};
}

static void fly(struct range *r, unsigned at, int64_t now_ns)
{
	struct range_cell *c = &r->cells[at];

	count_try(r, c, 1);
	range_fly_again(r, at, now_ns + rto_ns(r, c->n_tries));
}

static struct range_flight *last_flight(struct range *r)
{
	return &r->flights[(r->flights_at + r->n_flights - 1) % r->flights_cap];
}

void range_on_sent(struct range *r, const struct range_step *step,
                   int64_t sent_ns)
{
	struct range_flight *f = last_flight(r);

	if (step->is_fresh)
		r->fresh_due_ns = sent_ns + rto_ns(r, 1);
	else if (r->n_flights && range_port_at(r, f->at) == step->port)
		f->due_ns = sent_ns + rto_ns(r, f->nth);
}

void range_heard(struct range *r, int64_t until_ns)
{
	r->heard_ns = until_ns;
}

/* Due, and by now its answer would have been read. */
static bool is_due(const struct range *r, int64_t due_ns, int64_t now_ns)
{
	return due_ns <= now_ns && due_ns <= r->heard_ns;
}

/* The flight to look at next, past those that are answered. */
static struct range_flight *first_flight(struct range *r)
{
	while (r->n_flights) {
		struct range_flight *f = &r->flights[r->flights_at];
		const struct range_cell *c = &r->cells[f->at];

		if (c->state == RANGE_CELL_FLYING && c->n_tries == f->nth)
			return f;
		r->flights_at = (r->flights_at + 1) % r->flights_cap;
		r->n_flights--;
	}
	return NULL;
}

static void drop_flight(struct range *r)
{
	r->flights_at = (r->flights_at + 1) % r->flights_cap;
	r->n_flights--;
}

static void count_flow(struct range *r)
{
	r->n_flows++;
	if (r->n_kept)
		r->n_kept--;
	else if (*r->conf.flows_left)
		(*r->conf.flows_left)--;
}

/* Repeat what is due, or call it silent. */
static bool repeat(struct range *r, struct range_step *step, int64_t now_ns)
{
	struct range_flight *f;

	while ((f = first_flight(r)) && is_due(r, f->due_ns, now_ns)) {
		unsigned at = f->at;
		struct range_cell *c = &r->cells[at];

		drop_flight(r);
		if (c->n_tries >= c->goal) {
			range_cell_set(r, c, RANGE_CELL_SILENT);
			continue;
		}
		step->port = range_port_at(r, at);
		step->nth = c->n_tries;
		if (r->conf.tries_per_flow &&
		    c->n_tries % r->conf.tries_per_flow == 0)
			count_flow(r);
		fly(r, at, now_ns);
		return true;
	}
	return false;
}

static void pace(struct range *r, int64_t now_ns)
{
	int64_t gap = r->conf.is_full ? 0 : GAP_NS;

	if (r->conf.flows_per_s)
		gap = NS_PER_S / r->conf.flows_per_s;
	/* what a late turn of the loop missed is not made up for at once */
	if (r->next_flow_ns < now_ns - 10 * NS_PER_MS)
		r->next_flow_ns = now_ns - 10 * NS_PER_MS;
	r->next_flow_ns += gap;
}

/* @return 0: nothing new may be sent; else a step was made or *@p whenp says
 *  when */
static bool ask_new(struct range *r, struct range_step *step, int64_t *whenp,
                    int64_t now_ns)
{
	struct range_cell *c;
	unsigned at;

	/* what is probably silent loads nothing, so it takes no place from
	 * others, but for the places that there are at all */
	if (!has_flows(r) || r->n_young >= r->window ||
	    r->n_flying >= WINDOWS * r->conf.window_max ||
	    r->n_flights == r->flights_cap || r->fresh == RANGE_FRESH_AGAIN)
		return false;
	do {
		if (!range_peek(r, &at))
			return false;
		c = &r->cells[at];
		if (c->state != RANGE_CELL_UNASKED)
			range_advance(r);
	} while (c->state != RANGE_CELL_UNASKED);
	if (r->next_flow_ns > now_ns) {
		*whenp = r->next_flow_ns;
		return false;
	}
	range_advance(r);
	pace(r, now_ns);
	count_flow(r);
	c->goal = RANGE_TRIES;
	c->is_visited = true;
	step->port = range_port_at(r, at);
	fly(r, at, now_ns);
	return true;
}

static bool may_ask_fresh(const struct range *r)
{
	return !r->is_mute && r->n_passed > 0 && r->n_uncleared > 0 &&
	       (r->n_reserved || *r->conf.flows_left);
}

static void start_fresh(struct range *r, int64_t now_ns)
{
	if (r->n_reserved)
		r->n_reserved--;
	else
		(*r->conf.flows_left)--;
	r->n_flows++;
	for (unsigned at = 0; at < r->n; at++) {
		struct range_cell *c = &r->cells[at];

		c->is_pending = c->state == RANGE_CELL_SILENT && !c->is_cleared;
	}
	if (r->fresh == RANGE_FRESH_NONE)
		r->fresh = RANGE_FRESH_ASKED;
	r->n_fresh++;
	r->fresh_tries = 0;
	r->fresh_due_ns = now_ns;
}

static void on_limit(struct range *r)
{
	if (r->fresh == RANGE_FRESH_AGAIN)
		r->table_limit = r->n_passed + r->n_fresh_passed;
	for (unsigned at = 0; at < r->n; at++) {
		if (range_is_doubtful(&r->cells[at]))
			range_cell_set(r, &r->cells[at], RANGE_CELL_LOST);
	}
	over(r);
}

static void on_fresh_failed(struct range *r, int64_t now_ns)
{
	if (r->fresh == RANGE_FRESH_AGAIN || r->n_slowed >= SLOW_MAX ||
	    (r->n_reserved == 0 && *r->conf.flows_left == 0)) {
		on_limit(r);
		return;
	}
	r->fresh = RANGE_FRESH_AGAIN;
	start_fresh(r, now_ns);
	r->fresh_due_ns = now_ns + RANGE_PAUSE_NS;
	r->old_since_ns = r->fresh_due_ns;
	r->n_old = 0;
	r->goes_on = false;
}

/* A flow that has passed, from where it has. Of TCP none is left open. */
static bool ask_old(struct range *r, struct range_step *step)
{
	if (r->fresh != RANGE_FRESH_AGAIN || r->conf.tries_per_flow ||
	    r->goes_on || r->n_old > r->fresh_tries)
		return false;
	*step = (struct range_step){
		.port = range_port_at(r, r->good),
		.nth = 1 + r->n_old++,
	};
	r->n_sent++;
	return true;
}

static void note_old(struct range *r, uint16_t port, int64_t sent_ns)
{
	if (r->fresh == RANGE_FRESH_AGAIN && r->n_old > 0 &&
	    port == range_port_at(r, r->good) && sent_ns >= r->old_since_ns)
		r->goes_on = true;
}

/* The fresh flow in flight. @return whether a step was made */
static bool ask_fresh(struct range *r, struct range_step *step, int64_t now_ns)
{
	if (r->fresh == RANGE_FRESH_NONE || !is_due(r, r->fresh_due_ns, now_ns))
		return false;
	if (r->fresh_tries == RANGE_FRESH_TRIES) {
		on_fresh_failed(r, now_ns);
		return false;
	}
	if (ask_old(r, step))
		return true;
	*step = (struct range_step){
		.port = range_port_at(r, r->good),
		.nth = r->fresh_tries++,
		.is_fresh = true,
		.fresh = r->n_fresh - 1,
	};
	if (step->nth && r->conf.tries_per_flow &&
	    step->nth % r->conf.tries_per_flow == 0)
		count_flow(r);
	r->n_sent++;
	r->fresh_due_ns = now_ns + rto_ns(r, 1);
	return true;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t next_due(struct range *r)
{
	struct range_flight *f = first_flight(r);
	int64_t due = f ? f->due_ns : INT64_MAX;

	if (r->fresh != RANGE_FRESH_NONE)
		due = sooner(due, r->fresh_due_ns);
	if (r->is_waiting)
		due = sooner(due, r->look_ns);
	if (r->later_ns)
		due = sooner(due, r->later_ns);
	return due;
}

/* All is found out; what it rests on is asked once more after a pause. */
static bool look_later(struct range *r, int64_t now_ns)
{
	if (!range_wants_later(r)) {
		over(r);
		return true;
	}
	if (r->later_ns == 0)
		r->later_ns = now_ns + RANGE_PAUSE_NS;
	if (r->later_ns > now_ns)
		return false;
	r->later_ns = 0;
	range_ask_later(r, now_ns);
	return true;
}

/* Nothing is left to send: is there more to find out? */
static bool look_further(struct range *r, int64_t now_ns)
{
	unsigned at;
	bool has_new = has_flows(r) && range_peek(r, &at);

	if (r->fresh == RANGE_FRESH_NONE && may_ask_fresh(r) &&
	    (r->n_uncleared >= r->check_at ||
	     (r->n_fresh == 0 && r->n_young == 0))) {
		r->check_at *= 2;
		start_fresh(r, now_ns);
		return true;
	}
	if (has_new || r->n_young > 0 || r->fresh == RANGE_FRESH_AGAIN) {
		r->is_waiting = false; /* what is sent wakes it */
		return false;
	}
	if (r->is_waiting && now_ns < r->look_ns)
		return false;
	r->is_waiting = false;
	r->look_ns = now_ns + LOOK_NS;
	if (range_plan_wave(r, now_ns))
		return true;
	if (r->n_flying > 0 || r->is_waiting || r->fresh != RANGE_FRESH_NONE)
		return false;
	if (may_ask_fresh(r)) {
		start_fresh(r, now_ns);
		return true;
	}
	return look_later(r, now_ns);
}

static void note_late(struct range *r, int64_t now_ns)
{
	int64_t late_ns = now_ns - r->wanted_ns;

	if (r->wanted_ns == 0 || late_ns < 0)
		return; /* something came before */
	if (late_ns > r->late_ns)
		r->late_ns = late_ns;
	else
		r->late_ns -= (r->late_ns - late_ns) / 8;
}

int64_t range_next(struct range *r, struct range_step *step, int64_t now_ns)
{
	int64_t when = INT64_MAX;

	*step = (struct range_step){0};
	note_late(r, now_ns);
	r->wanted_ns = 0;
	while (!r->is_over) {
		if (repeat(r, step, now_ns) || ask_fresh(r, step, now_ns))
			return now_ns;
		if (r->is_over)
			break;
		if (ask_new(r, step, &when, now_ns))
			return now_ns;
		if (!look_further(r, now_ns)) {
			when = sooner(when, next_due(r));
			r->wanted_ns = when > now_ns ? when : 0;
			return when;
		}
	}
	return INT64_MAX;
}

/* A window that loses much is too large for some buffer on the way. */
static void fit_window(struct range *r, const struct range_cell *c)
{
	if (r->window < r->conf.window_max)
		r->window++;
	r->n_look++;
	r->n_look_repeated += c->n_tries > 1;
	if (r->n_look < LOOK_PASSES)
		return;
	if (r->n_look_repeated > LOOK_PASSES / 4 && r->window / 2 >= WINDOW_MIN)
		r->window /= 2;
	r->n_look = 0;
	r->n_look_repeated = 0;
}

void range_on_pass(struct range *r, uint16_t port, int64_t rtt_ns,
                   int64_t now_ns)
{
	struct range_cell *c = cell_of(r, port);

	if (!c || r->is_over || !c->is_visited)
		return;
	if (c->state == RANGE_CELL_PASSES) {
		note_old(r, port, now_ns - rtt_ns);
		return;
	}
	take_rtt(r, rtt_ns);
	fit_window(r, c);
	r->has_slow_pass |= c->is_anew;
	r->has_news = true;
	range_cell_set(r, c, RANGE_CELL_PASSES);
	r->good = (uint16_t)(port - r->conf.first);
}

void range_on_closed(struct range *r, uint16_t port, int64_t rtt_ns,
                     int64_t now_ns)
{
	struct range_cell *c = cell_of(r, port);
	bool is_first = c && !r->is_over && c->is_visited &&
	                c->state != RANGE_CELL_PASSES;

	range_on_pass(r, port, rtt_ns, now_ns);
	if (is_first)
		c->is_closed = true;
}

void range_closed_is_refused(struct range *r)
{
	bool is_any = false;

	r->is_mute = false;
	for (unsigned at = 0; at < r->n && r->table_limit == 0; at++) {
		struct range_cell *c = &r->cells[at];

		if (!c->is_closed || c->state != RANGE_CELL_PASSES)
			continue;
		range_cell_set(r, c, RANGE_CELL_REFUSED);
		is_any = true;
	}
	/* all had passed, it seemed: now there are edges to be found */
	if (is_any)
		r->is_over = false;
	for (unsigned at = 0; at < r->n; at++) {
		if (r->cells[at].state == RANGE_CELL_PASSES)
			r->good = (uint16_t)at;
	}
}

void range_on_refused(struct range *r, uint16_t port, int64_t now_ns)
{
	struct range_cell *c = cell_of(r, port);

	UNUSED(now_ns);
	if (!c || r->is_over || !c->is_visited || c->state == RANGE_CELL_PASSES)
		return;
	range_cell_set(r, c, RANGE_CELL_REFUSED);
}

/* It passes after a pause: what limits is a rate. */
static void slow_down(struct range *r, int64_t now_ns)
{
	int64_t took_ns = now_ns - r->began_ns;
	int64_t rate = (int64_t)r->n_passed * NS_PER_S / (took_ns + 1);

	rate /= 2;
	if (rate < RANGE_SLOWEST_PER_S)
		rate = RANGE_SLOWEST_PER_S;
	if (r->conf.flows_per_s && rate > r->conf.flows_per_s)
		rate = r->conf.flows_per_s;
	range_ask_anew(r, (unsigned)rate, now_ns);
}

void range_on_fresh(struct range *r, unsigned fresh, int64_t now_ns)
{
	bool was_again =
		r->fresh == RANGE_FRESH_AGAIN && fresh + 1 == r->n_fresh;

	/* the one before the last may answer late: then it did pass */
	if (r->is_over || r->fresh == RANGE_FRESH_NONE || fresh >= r->n_fresh ||
	    (fresh + 1 != r->n_fresh && r->fresh != RANGE_FRESH_AGAIN))
		return;
	r->fresh = RANGE_FRESH_NONE;
	r->n_fresh_passed++;
	if (was_again) {
		slow_down(r, now_ns);
		return;
	}
	for (unsigned at = 0; at < r->n; at++) {
		struct range_cell *c = &r->cells[at];

		if (!c->is_pending || c->state != RANGE_CELL_SILENT ||
		    c->is_cleared)
			continue;
		c->is_cleared = true;
		r->n_uncleared--;
	}
}

void range_be_mute(struct range *r)
{
	r->is_mute = true;
}

void range_on_busy(struct range *r, const struct range_step *step,
                   int64_t now_ns)
{
	struct range_cell *c;

	r->n_sent -= step->is_fresh;
	if (step->is_fresh) {
		r->fresh_tries--;
		r->fresh_due_ns = now_ns + BUSY_NS;
		return;
	}
	c = cell_of(r, step->port);
	if (!c || c->state != RANGE_CELL_FLYING)
		return;
	/* its flight stays: when that is due, it is asked again */
	count_try(r, c, -1);
	for (unsigned i = r->n_flights; i > 0; i--) {
		struct range_flight *f =
			&r->flights[(r->flights_at + i - 1) % r->flights_cap];

		if (range_port_at(r, f->at) != step->port)
			continue;
		f->nth = c->n_tries;
		f->due_ns = now_ns + BUSY_NS;
		break;
	}
	r->next_flow_ns = now_ns + BUSY_NS;
}

void range_give_up(struct range *r)
{
	if (r->is_over)
		return;
	for (unsigned at = 0; at < r->n; at++) {
		struct range_cell *c = &r->cells[at];

		if (c->state != RANGE_CELL_FLYING)
			continue;
		range_cell_set(r, c,
		               c->n_tries > RANGE_TRIES ? RANGE_CELL_SILENT
		                                        : RANGE_CELL_LOST);
	}
	over(r);
}
