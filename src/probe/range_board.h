/* SPDX-License-Identifier: ISC */
/**
 * What the ranges of a run tell each other.
 *
 * A rule of one firewall cuts the ports of every host at the same place. So
 * one range searches at a time, and where it has found an edge the others
 * look there first: two flows instead of a search of their own. A range at
 * which the edge is elsewhere searches after all.
 *
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct range;

enum {
	RANGE_BOARD_EDGES = 64, /**< beyond it, no more are told */
};

/** Zeroed: nothing is known. Outlives its ranges. */
struct range_board {
	uint16_t edges[RANGE_BOARD_EDGES]; /**< this port and the next one
	                                        fare differently */
	unsigned n_edges;
	const struct range *searcher; /**< NULL: nobody searches */
};

/** An edge was found between @p port and the next one. NULL is fine. */
void range_board_tell(struct range_board *b, uint16_t port);

/** May @p r search? Then it does, until range_board_leave(). */
bool range_board_enter(struct range_board *b, const struct range *r);

/** @p r searches no more, or never did. NULL is fine. */
void range_board_leave(struct range_board *b, const struct range *r);
