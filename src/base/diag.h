/* SPDX-License-Identifier: ISC */
/**
 * Faults in the user's own text: profiles, configurations, options.
 *
 * A parser adds what it finds and goes on. Each item knows its file, line
 * and column, and quotes its line; report/ shows the list.
 */
#pragma once

#include "base/arena.h"
#include "base/cursor.h"

enum diag_sev {
	DIAG_NOTE,
	DIAG_WARN,
	DIAG_ERROR,
};

struct diag_item {
	struct diag_item *next;
	enum diag_sev sev;
	unsigned line;       /**< from 1; 0: the text as a whole */
	unsigned column;     /**< from 1, in bytes */
	unsigned mark_bytes; /**< how many bytes of the line are at fault */
	struct slice quote; /**< the line, at most DIAG_QUOTE_BYTES; borrowed */
	const char *message; /**< already in the user's language */
};

enum {
	DIAG_QUOTE_BYTES = 200,
	DIAG_MAX_ITEMS = 1000, /**< more are counted, not kept */
};

struct diag {
	const char *file;  /**< borrowed; NULL: not from a file */
	struct slice text; /**< the whole input; borrowed */
	struct arena *arena;
	struct diag_item *first, *last;
	size_t n_errors, n_warnings, n_items, n_dropped;
};

/** @param arena  Holds the items; must outlive @p dg. */
void diag_init(struct diag *dg, struct arena *arena, const char *file,
               struct slice text);

/** Add a message about the bytes @p at, which lie in the input text; or
 *  about the whole of it, when they are empty and their p is NULL. */
void diag_add(struct diag *dg, enum diag_sev sev, struct slice at,
              const char *fmt, ...) PRINTF_FMT(4, 5);

/** As diag_add(), for a place known by line and column (both from 1). */
void diag_add_at(struct diag *dg, enum diag_sev sev, unsigned line,
                 unsigned column, const char *fmt, ...) PRINTF_FMT(5, 6);
