/* SPDX-License-Identifier: ISC */
/*
 * Design: a box is where both measurements allow it to be. Each alone leaves
 * two hops, because whether a box looks at the TTL first cannot be known; a
 * single lost datagram makes the range wider or empties it, and only losses
 * on both ways that agree with each other could move it.
 */
#include "probe/hop_state.h"

void hop_state_range(unsigned *min, unsigned *max, const struct hop_state *s)
{
	*min = 0;
	*max = s->n_hops;
	if (s->effect == 0)
		return;
	if (s->effect > 1)
		*min = s->effect - 2;
	if (s->effect < s->n_hops)
		*max = s->effect;
}

static bool is_kept_from(const struct hop_state *s, unsigned hop)
{
	return s->n_open[hop] >= HOP_STATE_SURE && s->n_shut[hop] == 0;
}

struct hop_place hop_state_place(const struct hop_state *s)
{
	struct hop_place pl = {.hop_max = s->n_hops};
	bool is_cut = false;

	if (s->effect) {
		pl.hop_min = s->effect - 1;
		pl.hop_max = s->effect < s->n_hops ? s->effect : s->n_hops;
	}
	for (unsigned hop = 0; hop <= s->n_hops; hop++) {
		if (is_kept_from(s, hop)) {
			pl.hop_min = hop > pl.hop_min ? hop : pl.hop_min;
			is_cut = true;
		}
		if (hop < pl.hop_max && s->n_shut[hop])
			pl.hop_max = hop;
	}
	/* what arrives beside the state as well as in it tells of no box */
	if (s->n_shut[0] || pl.hop_min > pl.hop_max || (!s->effect && !is_cut))
		return pl;
	pl.is_known = true;
	if (s->is_handed_on && pl.hop_max - pl.hop_min == 1)
		pl.hop_min = pl.hop_max;
	pl.is_exact = pl.hop_min == pl.hop_max && pl.hop_min > 0;
	if (pl.is_exact)
		pl.hop = pl.hop_min;
	return pl;
}
