/* SPDX-License-Identifier: ISC */
/** `nft -j list ruleset`, as the text that nft lists without -j. */
#pragma once

#include "base/diag.h"
#include "firewall/json.h"

/** Is it such a text? */
bool nft_json_is(struct slice text);

/**
 * Translate. What is not known becomes words that are not known to the reader
 * of the text either, so that it is kept, reported and doubted there.
 *
 * @param out  On the heap; what could be read, also after EBADMSG.
 * @param dg   Of @p text; gets what is no JSON.
 *
 * @return 0, EBADMSG or ENOMEM
 */
WARN_UNUSED int nft_json_put(struct wr *out, struct slice text,
                             struct diag *dg);

/** One statement of a rule: {"match": ...}, {"accept": null} and so on. What
 *  could do anything becomes "?" and more. */
void nft_json_statement_put(struct wr *w, const struct fw_json *j);

/** A name, in quotes where it is more than a word. */
void nft_json_name_put(struct wr *w, struct slice name);

/** What a map, or a set, holds, in braces. */
void nft_json_elements_put(struct wr *w, const struct fw_json *list);
