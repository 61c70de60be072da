/* SPDX-License-Identifier: ISC */
/**
 * Values of facts: what JSON can say, plus bytes.
 *
 * A tree of values lives in an arena and is freed with it. Nothing here
 * knows a writer: report/ walks the tree.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cursor.h"

enum val_kind {
	VAL_NULL,
	VAL_BOOL,
	VAL_INT,
	VAL_REAL,
	VAL_TEXT,  /**< valid UTF-8, shown as it is */
	VAL_BYTES, /**< from the network; shown by text_escape_put() */
	VAL_LIST,
	VAL_MAP,
};

struct val_item;

struct val {
	enum val_kind kind;
	union {
		bool b;
		int64_t i;
		double d;
		struct slice s; /**< VAL_TEXT, VAL_BYTES */
		struct {
			struct val_item *first, *last;
			size_t n;
		} items; /**< VAL_LIST, VAL_MAP */
	};
};

struct val_item {
	struct val_item *next;
	const char *key; /**< [a-z0-9_]+; NULL in a list */
	struct val v;
};

struct val val_bool(bool b);
struct val val_int(int64_t i);
struct val val_real(double d);
/** Borrows @p s, which must outlive the tree. NULL gives VAL_NULL. */
struct val val_text(const char *s);
/** Borrows; copy into the arena what is not there yet (arena_dup()). */
struct val val_bytes(struct slice s);
struct val val_list(void);
struct val val_map(void);

/**
 * Append to a map, or to a list (@p key NULL). Later puts of the same key
 * are the caller's bug.
 *
 * @param key  Borrowed; a literal as a rule.
 *
 * @return the stored copy, so that containers are filled in place; never
 *         NULL: without memory, or when @p into is no container, a scratch
 *         value that belongs to no tree, and `*no_memory` is set
 */
struct val *val_put(struct arena *a, bool *no_memory, struct val *into,
                    const char *key, struct val v);

/** @return the value at @p key of a map, or NULL. */
const struct val *val_get(const struct val *map, const char *key);

/** The text or bytes at @p key; an empty slice if absent or other. */
struct slice val_get_text(const struct val *map, const char *key);

/** The integer at @p key, or @p otherwise. */
int64_t val_get_int(const struct val *map, const char *key, int64_t otherwise);
