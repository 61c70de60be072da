/* SPDX-License-Identifier: ISC */
/** Words for a POSIX shell: patches are pasted into one, and hold texts that
 *  the configuration's author chose. */
#pragma once

#include "base/arena.h"
#include "base/cursor.h"

/** One word, quoted unless it is plain: nothing in it is expanded. */
void fw_shell_put(struct wr *w, struct slice word);

/**
 * A line of iptables-save as words of its own, each quoted if need be. In that
 * language a word is between blanks, or between double quotes with the
 * backslash as escape.
 */
void fw_shell_put_words(struct wr *w, struct slice line);

/** What must be undone last is done first: commands in reverse. */
struct fw_shell_undo {
	struct arena *arena;
	struct fw_shell_step *last;
	bool no_memory;
};

void fw_shell_undo_add(struct fw_shell_undo *u, struct slice command);
void fw_shell_undo_put(struct wr *w, const struct fw_shell_undo *u);

/** Where rules stand while commands run one after another. */
struct fw_places {
	struct arena *arena;
	struct fw_move *first;
	bool no_memory;
};

/**
 * How far the commands so far have moved what stood at a place.
 *
 * @param c   Which chain: any address that stands for it.
 * @param at  Original index in the chain, from 0.
 */
size_t fw_places_now(const struct fw_places *p, const void *c, size_t at);

/** A line now stands before what was at @p at (after others that were put
 *  there), or what was there is gone. */
void fw_places_insert(struct fw_places *p, const void *c, size_t at);
void fw_places_delete(struct fw_places *p, const void *c, size_t at);
