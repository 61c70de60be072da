/* SPDX-License-Identifier: ISC */
/** For range*.c only: the search as it stands. */
#pragma once

#include "base/clock.h"
#include "probe/range.h"

enum {
	RANGE_PLAN_MAX = 512,
	RANGE_PROBABLY = 3, /* sent so often in vain: planned upon as silent */
	RANGE_SLOWEST_PER_S = 20,
};

#define RANGE_PAUSE_NS (1200 * NS_PER_MS) /* a second's limit is past */

enum range_cell_state {
	RANGE_CELL_UNASKED,
	RANGE_CELL_FLYING,
	RANGE_CELL_PASSES,
	RANGE_CELL_SILENT,
	RANGE_CELL_REFUSED,
	RANGE_CELL_LOST, /* asked, and nothing can be said */
};

struct range_cell {
	uint8_t state;
	uint8_t n_tries; /* sent */
	uint8_t goal;    /* how often before it is silent */
	bool is_cleared; /* silent, and a fresh flow has passed since */
	bool is_pending; /* silent when the fresh flow in flight began */
	bool is_visited; /* its flow was counted */
	bool is_anew;    /* asked once more, slowly */
	bool is_closed;  /* passes by a refusal */
};

struct range_flight {
	uint16_t at; /* index of the cell */
	uint8_t nth; /* tries of the cell when it was sent */
	int64_t due_ns;
};

enum range_fresh_state {
	RANGE_FRESH_NONE,
	RANGE_FRESH_ASKED,
	RANGE_FRESH_AGAIN, /* the first failed: after a pause one more */
};

struct range {
	struct range_conf conf;
	unsigned n;
	struct range_cell *cells;
	uint64_t rand;

	struct range_flight *flights; /* a ring */
	unsigned flights_cap, flights_at, n_flights;
	unsigned n_flying, n_young;

	uint16_t plan[RANGE_PLAN_MAX]; /* indices to ask */
	unsigned n_plan, plan_at;
	unsigned full_at, full_step; /* is_full: the walk over all */

	unsigned window, n_look, n_look_repeated;
	int64_t srtt_ns, var_ns;
	int64_t next_flow_ns; /* not before */

	enum range_fresh_state fresh;
	unsigned n_fresh, n_fresh_passed, fresh_tries;
	unsigned n_reserved, n_kept; /* flows set aside: fresh ones, sample */
	unsigned n_uncleared, check_at, n_slowed;
	int64_t fresh_due_ns;
	int64_t old_since_ns; /* when the first of them was asked */
	unsigned n_old;       /* tries of a flow that passed, meanwhile */

	unsigned n_passed, n_refused, n_sent, n_flows;
	unsigned table_limit;

	unsigned n_later;  /* pauses so far */
	int64_t later_ns;  /* the end of one; 0: there is none */
	int64_t heard_ns;  /* all that came until then is known */
	int64_t wanted_ns; /* when to be called again; 0: any time */
	int64_t late_ns;   /* how much later it was, of late */
	int64_t look_ns;   /* is_waiting, but no longer than until then */
	int64_t began_ns;

	uint16_t good;      /* index of the last port that passed */
	bool goes_on;       /* an old flow was answered beside a fresh one */
	bool has_slow_pass; /* a port passes that did not in haste */
	bool has_news;      /* the last pause was worth it */
	bool is_mute;
	bool is_waiting; /* until another range has searched */
	bool is_over;
};

static inline uint16_t range_port_at(const struct range *r, unsigned at)
{
	return (uint16_t)(r->conf.first + at);
}

static inline bool range_is_young(const struct range_cell *c)
{
	return c->state == RANGE_CELL_FLYING && c->n_tries < RANGE_PROBABLY;
}

/* Of silence, or what may become it, that no fresh flow has cleared. */
static inline bool range_is_doubtful(const struct range_cell *c)
{
	return (c->state == RANGE_CELL_SILENT && !c->is_cleared) ||
	       c->state == RANGE_CELL_FLYING;
}

/** range.c: keeps the counts of what is in which state. */
void range_cell_set(struct range *r, struct range_cell *c,
                    enum range_cell_state to);

/** range_plan.c: the first sample. */
void range_plan_sample(struct range *r);

/** The next wave. @return whether there is anything more to ask */
bool range_plan_wave(struct range *r, int64_t now_ns);

/** After a pause: what all rests on, once more. @return whether any is */
bool range_wants_later(const struct range *r);
void range_ask_later(struct range *r, int64_t now_ns);

/** range.c: a cell that was asked before flies again from @p due_ns on. */
void range_fly_again(struct range *r, unsigned at, int64_t due_ns);

/** The index to ask next, not asked so far. @return false: none is */
bool range_peek(const struct range *r, unsigned *at);
void range_advance(struct range *r);

/** A step that visits everything once, early ones spread over all of it. */
unsigned range_full_step(unsigned n);

/** Ask what is doubtful as if it never had been, and not so fast. */
void range_ask_anew(struct range *r, unsigned flows_per_s, int64_t then_ns);
