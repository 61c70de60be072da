/* SPDX-License-Identifier: ISC */
/** A text with small changes: for patched configurations. */
#pragma once

#include "base/cursor.h"

struct fw_cut {
	size_t at;         /**< offset in the text */
	size_t n;          /**< bytes taken out there */
	struct slice text; /**< what comes in instead; borrowed */
	size_t order;      /**< among those at one place */
};

struct fw_splice {
	struct slice text;
	struct fw_cut *cuts; /**< heap */
	size_t n, cap;
	bool no_memory;
};

void fw_splice_fini(struct fw_splice *s);

/** Insert before the line that holds @p at. */
void fw_splice_before(struct fw_splice *s, const uint8_t *at,
                      struct slice text);
/** Insert right at @p at. */
void fw_splice_at(struct fw_splice *s, const uint8_t *at, struct slice text);
/** Take out the whole line that holds @p at. */
void fw_splice_drop_line(struct fw_splice *s, const uint8_t *at);

/** Write the text with its changes, in order of place. */
void fw_splice_put(struct wr *w, struct fw_splice *s);
