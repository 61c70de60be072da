/* SPDX-License-Identifier: ISC */
/**
 * Which box keeps a state that no message shows: a port that it opens, a
 * binding that it moves or forgets, answers that it hands to another port.
 *
 * Two measurements, one each way. What brings the state about is sent with
 * rising TTL: the first with which it has its effect has passed the box. And
 * what the far end sends into the state dies of a small TTL at the boxes that
 * it reaches, beside the same sent where the state is not.
 *
 * Pure: no sockets and no clock. The caller sends, and notes here what came.
 */
#pragma once

#include "probe/hop.h"

enum {
	HOP_STATE_TRIES = 3, /**< each of the two, at each hop */
	HOP_STATE_SURE = 2,  /**< answers of the one that make the silence of
	                          the other count: routers limit their errors */
};

/** What was noted; hops count from here, 0 is this computer. */
struct hop_state {
	unsigned n_hops;   /**< routers; the same both ways */
	unsigned effect;   /**< the smallest TTL that had the effect; 0: not
	                        known */
	bool is_handed_on; /**< what does not arrive here as it should arrives
	                        at another port of this computer */
	unsigned n_open[HOP_MAX + 1]; /**< heard of, sent into the state */
	unsigned n_shut[HOP_MAX + 1]; /**< the same, sent beside it */
};

/** The hops from which the walk back is worth its messages: three about the
 *  box where the effect is known, or all. */
void hop_state_range(unsigned *min, unsigned *max, const struct hop_state *s);

/**
 * Judge.
 *
 * With the TTL `effect` it passed the box, with one less it did not: the box
 * is hop `effect` - 1, or hop `effect` if that box acts before it looks at the
 * TTL. What is sent beside the state reaches the box and no further, or not
 * even its check of the TTL, again two hops. The hop in both pairs is the box,
 * whichever it does first; two pairs that share none contradict each other.
 *
 * What is handed on is changed and not swallowed, so the box is the last hop
 * that got it as it was sent, as with an edit (hop_walk_edit()).
 */
struct hop_place hop_state_place(const struct hop_state *s);
