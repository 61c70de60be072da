/* SPDX-License-Identifier: ISC */
/*
 * Design: strangers' packets come when they like, and servers repeat what they
 * answered before. However many those are, a pair looks like a filter by chance
 * at most once in four, for what counts as a moment of rest can never count as
 * one of answers; and eleven before four do not, once in twenty-five thousand.
 * On a quiet network they never do.
 */
#include "probe/inward.h"

enum {
	ASKS_MIN = 3,
	LOST_MAX = 1,
	BAD_MAX = 3,
	LOUD_MAX = 8,
};

unsigned inward_n_asks(const struct inward *w)
{
	return w->moment % 2 == 0 ? w->n_asks : 0;
}

static enum inward_verdict begin(struct inward *w, int64_t grown)
{
	if (grown < 0 || (grown > INWARD_ASKS_MAX && ++w->n_loud > LOUD_MAX))
		return INWARD_NOT_PROVED;
	if (grown > INWARD_ASKS_MAX)
		return INWARD_GOING; /* it may become quieter */
	w->n_asks = ASKS_MIN + 2 * (unsigned)grown;
	if (w->n_asks > INWARD_ASKS_MAX)
		w->n_asks = INWARD_ASKS_MAX;
	return INWARD_GOING;
}

enum inward_verdict inward_note(struct inward *w, int64_t grown)
{
	if (w->n_asks == 0)
		return begin(w, grown);
	if (inward_n_asks(w))
		w->asked = grown;
	else
		w->quiet = grown;
	if (w->moment++ % 2 == 0)
		return INWARD_GOING;
	if (w->quiet < 0 || w->quiet >= (int64_t)w->n_asks - LOST_MAX ||
	    w->asked < (int64_t)w->n_asks - LOST_MAX)
		w->n_bad++;
	else
		w->n_good++;
	if (w->n_bad > BAD_MAX)
		return INWARD_NOT_PROVED;
	return w->n_good < INWARD_PAIRS - BAD_MAX ? INWARD_GOING
	                                          : INWARD_PROVED;
}
