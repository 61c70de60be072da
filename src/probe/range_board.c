/* SPDX-License-Identifier: ISC */
#include "probe/range_board.h"

#include <stddef.h>

void range_board_tell(struct range_board *b, uint16_t port)
{
	if (!b || b->n_edges == RANGE_BOARD_EDGES)
		return;
	for (unsigned i = 0; i < b->n_edges; i++) {
		if (b->edges[i] == port)
			return;
	}
	b->edges[b->n_edges++] = port;
}

bool range_board_enter(struct range_board *b, const struct range *r)
{
	if (b && !b->searcher)
		b->searcher = r;
	return !b || b->searcher == r;
}

void range_board_leave(struct range_board *b, const struct range *r)
{
	if (b && b->searcher == r)
		b->searcher = NULL;
}
