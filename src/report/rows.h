/* SPDX-License-Identifier: ISC */
/** Facts as lines of a report, alike ones on one; for text.c. */
#pragma once

#include "report/page.h"

/** A fact before @p f in @p r is shown on the same line. */
bool row_has_earlier(const struct report *r, const struct fact *f);

/** The next fact on the line of @p f, or NULL. */
const struct fact *row_next_alike(const struct fact *f);

/** The line of @p f; of a group it names what @p f and all alike are. */
void row_put(struct wr *w, const struct report_style *st, const struct fact *f,
             bool is_group);
