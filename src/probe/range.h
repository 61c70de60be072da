/* SPDX-License-Identifier: ISC */
/**
 * Which ports of a range are blocked: what to ask next, and what is known.
 *
 * A stratified sample first (the edges of the range, the ports that boxes
 * like to treat specially, one at random of each stratum), or every port;
 * then the gaps between neighbours that disagree are divided until the
 * first and the last port of every blocked part are known. A port is asked
 * RANGE_TRIES times before it counts as silent, and one on which an edge
 * stands RANGE_TRIES_SURE times, so that loss is not taken for blocking. At
 * the end those are asked once more after a pause, when the moment, the
 * machine's load and what routers may still say of a refusal are others;
 * where nothing but silence was found, a few of the silent ones are.
 *
 * A router whose table of flows is full answers no new flow: that looks like
 * blocked ports. So no silence counts before a fresh flow, from another
 * local port to a port known good, has passed after it. When none does, the
 * limit is the finding, and what was silent is not known. Meanwhile a flow
 * that has passed is asked again: that it goes on tells such a table from a
 * line that is down.
 *
 * Pure: no sockets and no clock. The caller sends what range_next() says and
 * reports what comes back; a seed makes a run repeatable.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "probe/range_board.h"

enum {
	RANGE_TRIES = 4,
	RANGE_TRIES_SURE = 9,
	RANGE_TRIES_LATER = 2, /**< more, after the pause */
	RANGE_FRESH_TRIES = 6,
	RANGE_SAMPLE_MIN = 16, /**< where the flows suffice */
	RANGE_SAMPLE_MAX = 64,
	RANGE_WINDOW_MAX = 4096, /**< ports asked and not yet answered */
};

enum range_state {
	RANGE_UNKNOWN, /**< not asked, or nothing can be said */
	RANGE_PASSES,
	RANGE_SILENT,
	RANGE_REFUSED,
};

struct range_conf {
	uint16_t first, last; /**< both included, 1 <= first <= last */
	bool is_full;         /**< every port instead of a sample */
	bool is_patient;      /**< silence is asked once more after a pause */
	uint64_t seed;
	unsigned window_max;  /**< 1 to RANGE_WINDOW_MAX */
	unsigned flows_per_s; /**< new flows; 0: as many as the window gives */
	unsigned tries_per_flow;   /**< after so many tries of a port the next
	                                leave as a new flow; 0: never */
	unsigned *flows_left;      /**< of the run: counted down, a sample's at
	                                once; borrowed */
	int64_t rtt_ns;            /**< 0: not known */
	struct range_board *board; /**< shared with others; NULL: with none.
	                                Borrowed. */
};

struct range;

/** @return 0, EINVAL (first, last or window) or ENOMEM; @p rp is untouched
 *  unless 0. Release: range_free(). */
WARN_UNUSED int range_alloc(struct range **rp, const struct range_conf *conf,
                            int64_t now_ns);

/** NULL is fine. */
void range_free(struct range *r);

/** All that arrived up to @p until_ns has been reported: what was due by then
 *  is silent. Never called: range_next() is always up to date. */
void range_heard(struct range *r, int64_t until_ns);

struct range_step {
	uint16_t port;  /**< ask it now; 0: nothing to send */
	unsigned nth;   /**< 0: a new flow; else the same port once more */
	bool is_fresh;  /**< from a local port of its own: `fresh` */
	unsigned fresh; /**< which of them, from 0 */
};

/**
 * What to do now.
 *
 * @return when to ask again, monotonic ns: now or earlier means at once;
 *         INT64_MAX: it is over
 */
int64_t range_next(struct range *r, struct range_step *step, int64_t now_ns);

/** What range_next() said has left: patience counts from @p sent_ns. */
void range_on_sent(struct range *r, const struct range_step *step,
                   int64_t sent_ns);

/**
 * The far end, or what speaks for it, has answered a port.
 *
 * @param rtt_ns  Of the try that was answered; 0: cannot be told
 */
void range_on_pass(struct range *r, uint16_t port, int64_t rtt_ns,
                   int64_t now_ns);

/** A port was refused by somebody, or the try could not be sent. */
void range_on_refused(struct range *r, uint16_t port, int64_t now_ns);

/** A port has passed by a refusal of the far end itself, as far as one can
 *  tell; range_closed_is_refused() takes that back. */
void range_on_closed(struct range *r, uint16_t port, int64_t rtt_ns,
                     int64_t now_ns);

/** The far end refuses nothing: whoever did so was somebody else. A search
 *  that was over goes on. */
void range_closed_is_refused(struct range *r);

/** The fresh flow was answered. */
void range_on_fresh(struct range *r, unsigned fresh, int64_t now_ns);

/** The far end answers some ports only, or a few a second (ICMP errors):
 *  silence proves nothing, is not refined and ends as RANGE_UNKNOWN. */
void range_be_mute(struct range *r);

/** What was asked cannot be sent yet (a buffer is full): it is asked for
 *  again later and costs no try. */
void range_on_busy(struct range *r, const struct range_step *step,
                   int64_t now_ns);

/** Time is up: what is in flight is not known, nothing more is asked. */
void range_give_up(struct range *r);

/** Ports that do not pass: silent or refused. Whoever refuses seldom does so
 *  more than a few times a second, so one refusal speaks for a span. Ports
 *  that were not visited are taken to be like both their neighbours. */
struct range_span {
	uint16_t first, last;
	uint16_t first_min; /**< it begins here at the earliest */
	uint16_t last_max;  /**< and ends here at the latest */
	unsigned n_visited; /**< ports of it that were asked */
	unsigned n_refused; /**< of those */
};

/** @return how many there are; the first @p cap of them, in rising order, are
 *  put into @p spans */
unsigned range_spans(const struct range *r, struct range_span *spans,
                     unsigned cap);

struct range_sum {
	unsigned n_ports; /**< of the range */
	unsigned n_tried, n_passed, n_silent, n_refused;
	unsigned n_unknown;   /**< tried, and nothing can be said */
	unsigned n_sent;      /**< repetitions included */
	unsigned n_flows;     /**< new ones */
	unsigned table_limit; /**< flows that passed before no new one did;
	                           0: no limit was met */
	bool goes_on;         /**< an old flow was answered all the same */
	bool is_slowed;    /**< new flows failed at first and passed at a slower
	                        rate: something limits how many a second */
	bool is_exact;     /**< every span begins and ends where it says */
	unsigned gap_max;  /**< the longest row of ports that were not visited:
	                        a hole of that width may hide there */
	unsigned miss_ppm; /**< chance that one blocked port, anywhere in the
	                        range, was missed */
};

void range_sum(struct range_sum *sum, const struct range *r);

/** For the I/O: a port of @p state, to show as evidence; 0: none. */
uint16_t range_any(const struct range *r, enum range_state state);

enum range_state range_state_of(const struct range *r, uint16_t port);

/** How often a port was asked. */
unsigned range_tries_of(const struct range *r, uint16_t port);
