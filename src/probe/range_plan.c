/* SPDX-License-Identifier: ISC */
/*
 * Design: ports are asked in waves. When no port of a wave is young any more
 * (answered, or asked so often in vain that it is probably silent), one scan
 * over the range plans the next wave: some ports inside every gap between
 * neighbours that disagree, and more tries for the silent ports on which an
 * exact edge stands. Planning on what is only probable saves a round trip
 * per wave; what turns out otherwise is corrected by the next scan, for the
 * scan keeps no state of its own. The search ends when a scan asks nothing.
 *
 * Gaps are divided by four where the flows suffice, for time; by two where
 * they are scarce.
 *
 * A limit on new flows a second makes ports of a sample silent here and
 * there: when there are many gaps, the silent ones are asked once more and
 * slowly before flows are spent on dividing.
 */
#include "probe/range_priv.h"

#include <string.h>

#include "base/clock.h"

enum {
	SPLIT = 3,         /* ports asked inside a gap */
	SPLIT_FLOWS = 16,  /* needed for a gap, to be divided so finely */
	SAMPLE_SHARE = 40, /* of the flows of a run, for a first sample */
	GAPS_MAX = 8,      /* more, at once: a limit on the rate is likelier */
	LATER_MAX = 4,     /* pauses */
	LATER_SILENT = 3,  /* ports, where silence is all that was found */
};

#define LATER_GAP_NS  (150 * NS_PER_MS)
#define LATER_EDGE_NS (2 * NS_PER_MS)

/* Ports that providers, routers or worms made known: filters single out
 * such, and the ends of the ranges that systems hand out. */
static const uint16_t notable[] = {
	10000, 11211, 12345, 16384, 19302, 20000, 27374, 31337,
	32768, 33434, 40000, 49152, 50000, 51820, 60000, 60999,
};

static uint64_t draw(struct range *r)
{
	uint64_t z = r->rand += 0x9e3779b97f4a7c15; /* splitmix64 */

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static unsigned draw_below(struct range *r, unsigned n)
{
	return n ? (unsigned)(draw(r) % n) : 0;
}

static void plan_put(struct range *r, unsigned at)
{
	struct range_cell *c = &r->cells[at];

	if (r->n_plan == RANGE_PLAN_MAX || c->state != RANGE_CELL_UNASKED ||
	    c->goal)
		return;
	c->goal = RANGE_TRIES; /* also says: planned */
	r->plan[r->n_plan++] = (uint16_t)at;
}

static void plan_shuffle(struct range *r)
{
	for (unsigned i = r->n_plan; i > 1; i--) {
		unsigned k = draw_below(r, i);
		uint16_t at = r->plan[k];

		r->plan[k] = r->plan[i - 1];
		r->plan[i - 1] = at;
	}
}

/* A stratum is asked at its notable ports or, having none, anywhere. */
static void plan_stratum(struct range *r, unsigned from, unsigned to)
{
	bool has_notable = false;

	for (size_t i = 0; i < ARRAY_LEN(notable); i++) {
		unsigned at = (unsigned)notable[i] - r->conf.first;

		if (notable[i] < r->conf.first || at < from || at >= to)
			continue;
		has_notable = true;
		plan_put(r, at);
	}
	if (!has_notable)
		plan_put(r, from + draw_below(r, to - from));
}

void range_plan_sample(struct range *r)
{
	unsigned n = *r->conf.flows_left / SAMPLE_SHARE;

	if (n < RANGE_SAMPLE_MIN)
		n = RANGE_SAMPLE_MIN;
	if (n > RANGE_SAMPLE_MAX)
		n = RANGE_SAMPLE_MAX;
	if (n > r->n)
		n = r->n;
	plan_put(r, 0);
	plan_put(r, r->n - 1);
	for (unsigned i = 0; i < n; i++)
		plan_stratum(r, i * r->n / n, (i + 1) * r->n / n);
	plan_shuffle(r);
}

static unsigned gcd(unsigned a, unsigned b)
{
	while (b) {
		unsigned rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

unsigned range_full_step(unsigned n)
{
	unsigned step = (unsigned)((uint64_t)n * 618 / 1000);

	while (step > 1 && gcd(step, n) != 1)
		step--;
	return step ? step : 1;
}

enum guess {
	GUESS_NONE,
	GUESS_PASSES,
	GUESS_BLOCKED,
};

/* What to plan upon. Refusals are rarely more than a few a second, so a
 * refused port and a silent neighbour say the same. */
static enum guess guess(const struct range_cell *c)
{
	switch ((enum range_cell_state)c->state) {
	case RANGE_CELL_PASSES:
		return GUESS_PASSES;
	case RANGE_CELL_SILENT:
	case RANGE_CELL_REFUSED:
		return GUESS_BLOCKED;
	case RANGE_CELL_FLYING:
		return c->n_tries >= RANGE_PROBABLY ? GUESS_BLOCKED
		                                    : GUESS_NONE;
	case RANGE_CELL_UNASKED:
	case RANGE_CELL_LOST:
		break;
	}
	return GUESS_NONE;
}

/* Silence on which an exact edge stands must be sure. */
static void make_sure(struct range *r, unsigned at, int64_t now_ns)
{
	struct range_cell *c = &r->cells[at];

	if (c->goal >= RANGE_TRIES_SURE || r->n_flights == r->flights_cap)
		return;
	if (c->state == RANGE_CELL_SILENT) {
		c->goal = RANGE_TRIES_SURE;
		range_fly_again(r, at, now_ns);
	} else if (c->state == RANGE_CELL_FLYING) {
		c->goal = RANGE_TRIES_SURE;
	}
}

void range_ask_anew(struct range *r, unsigned flows_per_s, int64_t then_ns)
{
	unsigned n = r->n_plan - r->plan_at;

	memmove(r->plan, r->plan + r->plan_at, n * sizeof(r->plan[0]));
	r->n_plan = n;
	r->plan_at = 0;
	r->full_at = 0;
	r->n_slowed++;
	r->conf.flows_per_s = flows_per_s;
	r->next_flow_ns = then_ns;
	for (unsigned at = 0; at < r->n; at++) {
		struct range_cell *c = &r->cells[at];

		if (!range_is_doubtful(c))
			continue;
		range_cell_set(r, c, RANGE_CELL_UNASKED);
		c->is_anew = true;
		c->n_tries = 0;
		c->goal = 0;
		if (!r->conf.is_full)
			plan_put(r, at);
	}
}

static void divide(struct range *r, unsigned from, unsigned to,
                   unsigned n_parts)
{
	for (unsigned i = 1; i < n_parts; i++) {
		unsigned at =
			from + (unsigned)((uint64_t)(to - from) * i / n_parts);

		if (at > from)
			plan_put(r, at);
	}
}

/* Edges that other ranges have found in a gap. @return whether any of them
 * is new to this one */
static bool plan_told(struct range *r, unsigned from, unsigned to)
{
	const struct range_board *b = r->conf.board;
	unsigned n_plan = r->n_plan;

	for (unsigned i = 0; b && i < b->n_edges; i++) {
		unsigned at = (unsigned)b->edges[i] - r->conf.first;

		if (b->edges[i] < r->conf.first || at < from || at >= to)
			continue;
		plan_put(r, at);
		plan_put(r, at + 1);
	}
	return r->n_plan > n_plan;
}

static void search(struct range *r, unsigned from, unsigned to,
                   unsigned n_parts)
{
	if (plan_told(r, from, to))
		return;
	if (range_board_enter(r->conf.board, r))
		divide(r, from, to, n_parts);
	else
		r->is_waiting = true;
}

/* One scan: every two neighbours that disagree. @return how many gaps */
static unsigned scan(struct range *r, unsigned n_parts, int64_t now_ns)
{
	enum guess before = GUESS_NONE;
	unsigned from = 0, n_gaps = 0;

	for (unsigned at = 0; at < r->n; at++) {
		enum guess g = guess(&r->cells[at]);

		if (g == GUESS_NONE)
			continue;
		if (before != GUESS_NONE && g != before && at - from > 1) {
			n_gaps++;
			if (n_parts)
				search(r, from, at, n_parts);
		} else if (before != GUESS_NONE && g != before) {
			range_board_tell(r->conf.board, range_port_at(r, from));
			make_sure(r, from, now_ns);
			make_sure(r, at, now_ns);
		}
		before = g;
		from = at;
	}
	return n_gaps;
}

bool range_plan_wave(struct range *r, int64_t now_ns)
{
	unsigned n_flying = r->n_flying;
	unsigned left = *r->conf.flows_left;
	unsigned n_gaps;

	r->n_plan = 0;
	r->plan_at = 0;
	if (r->is_mute)
		return false;
	n_gaps = scan(r, 0, now_ns);
	if (n_gaps > GAPS_MAX && r->n_slowed == 0) {
		range_ask_anew(r, RANGE_SLOWEST_PER_S, now_ns + RANGE_PAUSE_NS);
		return true;
	}
	if (n_gaps && left)
		(void)scan(r, left / n_gaps >= SPLIT_FLOWS ? SPLIT + 1 : 2,
		           now_ns);
	else
		range_board_leave(r->conf.board, r);
	return r->n_plan > 0 || r->n_flying > n_flying;
}

/* Edges stand on it, and so it was asked to be sure. */
static bool is_edge(const struct range_cell *c)
{
	return c->state == RANGE_CELL_SILENT && c->goal >= RANGE_TRIES_SURE;
}

bool range_wants_later(const struct range *r)
{
	bool has_silent = false;

	if (!r->conf.is_patient || r->is_mute || r->n_later == LATER_MAX ||
	    (r->n_later > 0 && !r->has_news))
		return false;
	for (unsigned at = 0; at < r->n; at++) {
		if (is_edge(&r->cells[at]))
			return true;
		has_silent |= r->cells[at].state == RANGE_CELL_SILENT;
	}
	return has_silent && r->n_refused == 0;
}

static void fly_later(struct range *r, unsigned at, int64_t due_ns)
{
	struct range_cell *c = &r->cells[at];

	if (c->state != RANGE_CELL_SILENT || r->n_flights == r->flights_cap)
		return;
	c->goal = (uint8_t)(c->n_tries + RANGE_TRIES_LATER);
	range_fly_again(r, at, due_ns);
}

/* One that refuses says so once a second, so they are asked one by one. */
static void ask_refuser(struct range *r, int64_t now_ns)
{
	unsigned from = draw_below(r, r->n), n = 0;

	for (unsigned i = 0; i < r->n && n < LATER_SILENT; i++) {
		unsigned at = (from + i) % r->n;

		if (r->cells[at].state == RANGE_CELL_SILENT)
			fly_later(r, at, now_ns + n++ * LATER_GAP_NS);
	}
}

void range_ask_later(struct range *r, int64_t now_ns)
{
	unsigned n = 0;

	r->n_later++;
	r->has_news = false;
	for (unsigned at = 0; at < r->n; at++) {
		if (is_edge(&r->cells[at]))
			fly_later(r, at, now_ns + n++ * LATER_EDGE_NS);
	}
	if (n == 0)
		ask_refuser(r, now_ns);
}

bool range_peek(const struct range *r, unsigned *at)
{
	if (r->plan_at < r->n_plan) {
		*at = r->plan[r->plan_at];
		return true;
	}
	if (!r->conf.is_full || r->full_at >= r->n)
		return false;
	*at = (unsigned)((uint64_t)r->full_at * r->full_step % r->n);
	return true;
}

void range_advance(struct range *r)
{
	if (r->plan_at < r->n_plan)
		r->plan_at++;
	else
		r->full_at++;
}
