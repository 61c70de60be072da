/* SPDX-License-Identifier: ISC */
/** Values and the words for them, for the writers of human text. */
#pragma once

#include "report/page.h"

/** What a name of the model is called. */
struct value_word {
	const char *name;
	const char *word; /**< msgid */
};

/** gettext(), but an empty msgid stays empty. */
const char *value_translate(const char *msgid);

/** The translated word for @p name, or NULL. */
const char *value_word_find(const struct value_word *words, size_t n,
                            struct slice name);

/** A value as it is, on one line; bytes are escaped. */
void value_put(struct wr *w, const struct report_style *st,
               const struct val *v);
