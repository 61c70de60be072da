/* SPDX-License-Identifier: ISC */
/**
 * Was the connection accepted by a box nearer than the server?
 *
 * A box that accepts in the server's name answers the SYN from where it
 * stands; what only the server can say takes the whole way. A slow server
 * looks the same, so one answer alone proves nothing, and doubt is no.
 *
 * Pure but for near_put().
 */
#pragma once

#include "probe/ask.h"

enum {
	NEAR_ANSWERS_MAX = 4,
	NEAR_RATIO = 4,       /**< the answer takes so many times as long... */
	NEAR_MARGIN_MS = 20,  /**< ...and so much longer, at least */
	NEAR_ANSWERS_MIN = 2, /**< of different kinds, without known_ns */
};

struct near_times {
	int64_t connect_ns; /**< SYN to SYN-ACK, of a SYN sent once */
	int64_t known_ns;   /**< round trip to that server, measured another
	                         way (by UDP, say); 0: not known */
	int64_t answer_ns[NEAR_ANSWERS_MAX]; /**< request to first byte */
	size_t n_answers;
};

/** The least of the answers, and of known_ns; 0: there is none. */
int64_t near_far_ns(const struct near_times *t);

bool near_is_near(const struct near_times *t);

/** Fields, only when it is near: is_near (true), near_ms and far_ms (reals):
 *  the two times that tell. */
void near_put(struct ask *a, const struct near_times *t);
