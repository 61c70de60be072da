/* SPDX-License-Identifier: ISC */
/**
 * Memory for a tree that is freed whole: facts, rules, parsed text.
 *
 * Nothing is freed singly. Not for use by several threads at once.
 */
#pragma once

#include "base/cursor.h"

struct arena_block;

struct arena {
	struct arena_block *blocks; /**< newest first; NULL: empty */
	size_t bytes;               /**< asked of malloc so far */
};

void arena_init(struct arena *a);

/** Frees all of it; the arena may be used again. */
void arena_fini(struct arena *a);

/** @return @p n zeroed bytes, aligned for any type, or NULL (no memory).
 *  Valid until arena_fini(). */
WARN_UNUSED void *arena_alloc(struct arena *a, size_t n);

/** A copy of @p s followed by a NUL, or NULL. */
WARN_UNUSED char *arena_dup(struct arena *a, struct slice s);

/** printf into the arena: a NUL-terminated text, or NULL. */
WARN_UNUSED char *arena_fmt(struct arena *a, const char *fmt, ...)
	PRINTF_FMT(2, 3);
