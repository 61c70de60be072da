/* SPDX-License-Identifier: ISC */
/**
 * Does this computer itself drop what comes back?
 *
 * The kernel counts what it received and handed to nobody, whoever sent it.
 * Moments in which something is asked and moments of rest take turns; what
 * grows in the former alone, time and again and by as much as was asked, are
 * the answers.
 *
 * Pure: no sockets and no clock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	INWARD_PAIRS = 14,
	INWARD_ASKS_MAX = 8, /**< in a moment in which something is asked */
};

enum inward_verdict {
	INWARD_GOING,
	INWARD_PROVED,
	INWARD_NOT_PROVED,
};

/** Zeroed: the first moment is one of rest, and tells how much is to be asked
 * to be heard above what strangers send. */
struct inward {
	unsigned n_asks;
	unsigned moment, n_good, n_bad, n_loud;
	int64_t quiet, asked; /* how much it grew in this pair's moments */
};

/** How much is asked in this moment; 0: nothing. */
unsigned inward_n_asks(const struct inward *w);

/** The moment is over. @param grown  By so many packets */
enum inward_verdict inward_note(struct inward *w, int64_t grown);
