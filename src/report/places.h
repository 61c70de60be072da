/* SPDX-License-Identifier: ISC */
/**
 * Where a configuration says what a finding is about, quoted; for text.c and
 * junit.c.
 */
#pragma once

#include "report/page.h"

/** One of them, on one line; the words of it are @p translate's. */
void places_item_put(struct wr *w, const struct val *item,
                     words_translate_fn *translate);

/** @param list  Of maps: file, line and quote, as far as they are known. */
void places_put(struct wr *out, const struct report_style *st,
                const struct val *list);

/** @param list  Of maps: setting, what it says of the ALG, line. */
void places_settings_put(struct wr *out, const struct report_style *st,
                         const struct val *list);
