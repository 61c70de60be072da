/* SPDX-License-Identifier: ISC */
/* What a search has found, and what it cannot say. */
#include "probe/range_priv.h"

#include <assert.h>

static enum range_state judge(const struct range *r, const struct range_cell *c)
{
	switch ((enum range_cell_state)c->state) {
	case RANGE_CELL_PASSES:
		return RANGE_PASSES;
	case RANGE_CELL_REFUSED:
		return RANGE_REFUSED;
	case RANGE_CELL_SILENT:
		/* where nothing passes, nothing can be a limit */
		if (!r->is_mute && (c->is_cleared || r->n_passed == 0))
			return RANGE_SILENT;
		return RANGE_UNKNOWN;
	case RANGE_CELL_UNASKED:
	case RANGE_CELL_FLYING:
	case RANGE_CELL_LOST:
		break;
	}
	return RANGE_UNKNOWN;
}

enum range_state range_state_of(const struct range *r, uint16_t port)
{
	if (port < r->conf.first || port > r->conf.last)
		return RANGE_UNKNOWN;
	return judge(r, &r->cells[port - r->conf.first]);
}

unsigned range_tries_of(const struct range *r, uint16_t port)
{
	if (port < r->conf.first || port > r->conf.last)
		return 0;
	return r->cells[port - r->conf.first].n_tries;
}

uint16_t range_any(const struct range *r, enum range_state state)
{
	for (unsigned at = 0; at < r->n; at++) {
		if (r->cells[at].is_visited && judge(r, &r->cells[at]) == state)
			return range_port_at(r, at);
	}
	return 0;
}

unsigned range_spans(const struct range *r, struct range_span *spans,
                     unsigned cap)
{
	struct range_span s = {0};
	uint16_t seen = (uint16_t)(r->conf.first - 1); /* last known port */
	unsigned n = 0;

	for (unsigned at = 0; at <= r->n; at++) {
		enum range_state state = RANGE_PASSES; /* past the end */
		uint16_t port = range_port_at(r, at);

		if (at < r->n)
			state = judge(r, &r->cells[at]);
		if (state == RANGE_UNKNOWN)
			continue;
		if (state == RANGE_PASSES && s.n_visited) {
			s.last_max = (uint16_t)(port - 1);
			if (n < cap)
				spans[n] = s;
			n++;
			s.n_visited = 0;
		}
		if (state != RANGE_PASSES) {
			if (s.n_visited == 0)
				s = (struct range_span){
					.first = port,
					.first_min = (uint16_t)(seen + 1),
				};
			s.last = port;
			s.n_visited++;
			s.n_refused += state == RANGE_REFUSED;
		}
		seen = port;
	}
	return n;
}

/* The ends of the range count as passing neighbours that were visited. */
static bool is_exact(const struct range *r)
{
	bool was_passing = true;
	unsigned next = 0; /* to what was known last */

	for (unsigned at = 0; at < r->n; at++) {
		enum range_state s = judge(r, &r->cells[at]);

		if (s == RANGE_UNKNOWN)
			continue;
		if ((s == RANGE_PASSES) != was_passing && at > next)
			return false;
		was_passing = s == RANGE_PASSES;
		next = at + 1;
	}
	return was_passing || next == r->n;
}

void range_sum(struct range_sum *sum, const struct range *r)
{
	unsigned row = 0, n_known;

	assert(r->n > 0);
	*sum = (struct range_sum){
		.n_ports = r->n,
		.n_sent = r->n_sent,
		.n_flows = r->n_flows,
		.table_limit = r->table_limit,
		.goes_on = r->table_limit && r->goes_on,
		.is_slowed = r->has_slow_pass,
		.is_exact = is_exact(r) && r->table_limit == 0,
	};
	for (unsigned at = 0; at < r->n; at++) {
		enum range_state s = judge(r, &r->cells[at]);

		sum->n_tried += r->cells[at].is_visited;
		sum->n_passed += s == RANGE_PASSES;
		sum->n_silent += s == RANGE_SILENT;
		sum->n_refused += s == RANGE_REFUSED;
		row = s == RANGE_UNKNOWN ? row + 1 : 0;
		if (row > sum->gap_max)
			sum->gap_max = row;
	}
	n_known = sum->n_passed + sum->n_silent + sum->n_refused;
	sum->n_unknown = sum->n_tried - n_known;
	sum->miss_ppm = (unsigned)((uint64_t)(r->n - n_known) * 1000000 / r->n);
}
