/* SPDX-License-Identifier: ISC */
/**
 * A sentence for humans that is translated when it is shown, not when it is
 * made: JSON stays English while the terminal speaks the user's language.
 */
#pragma once

#include "base/cursor.h"

enum {
	WORDS_MAX_ARGS = 6
};

struct words {
	const char *msgid; /**< N_() literal with %1$s to %6$s; NULL: none */
	const char *args[WORDS_MAX_ARGS]; /**< borrowed; not translated */
};

/** gettext(), or the identity for machines. */
typedef const char *words_translate_fn(const char *msgid);

/** English: returns @p msgid. */
const char *words_english(const char *msgid);

/** Write the sentence. Only %1$s to %6$s and %% are understood; an argument
 *  that is not there is shown as nothing. */
void words_put(struct wr *w, const struct words *ws,
               words_translate_fn *translate);
