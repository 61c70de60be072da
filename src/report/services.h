/* SPDX-License-Identifier: ISC */
/**
 * The flows of a profile as a table, a line for each row of the document;
 * for text.c.
 */
#pragma once

#include "report/page.h"

/** A fact that the table shows, or that only stands behind what it shows. */
bool services_has(const struct fact *f);

/** Nothing where no flow was tried. */
void services_put(struct wr *out, const struct report_style *st,
                  const struct report *r);
