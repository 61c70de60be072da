/* SPDX-License-Identifier: ISC */
#include "diagnose/here.h"

#include <errno.h>
#include <string.h>

static bool is_dropped_here(const struct flows *fs, const struct shot *s)
{
	bool is_udp = slice_eq_str(s->transport, "udp");

	for (size_t i = 0; i < fs->n; i++) {
		const struct flow *f = &fs->all[i];

		if (f->is_udp == is_udp && f->port == s->port &&
		    val_get(&f->fact->fields, "is_dropped_here"))
			return true;
	}
	return false;
}

static bool is_silent(const struct shot *s)
{
	return s->result == SHOT_REQUEST_DROPPED ||
	       s->result == SHOT_ANSWER_DROPPED || s->result == SHOT_BLOCKED ||
	       s->result == SHOT_NO_ANSWER;
}

int here_doubt(struct ladder *l, const struct flows *fs)
{
	struct shot *shots =
		arena_alloc(&fs->report->arena, (l->n + 1) * sizeof(*shots));

	if (!shots) {
		fs->report->no_memory = true;
		return ENOMEM;
	}
	if (l->n > 0)
		memcpy(shots, l->shots, l->n * sizeof(*shots));
	for (size_t i = 0; i < l->n; i++) {
		if (is_silent(&shots[i]) && is_dropped_here(fs, &shots[i]))
			shots[i].result = SHOT_UNKNOWN;
	}
	l->shots = shots;
	return 0;
}
