/* SPDX-License-Identifier: ISC */
/** How comparers of sip/ note what they found; private to the folder. */
#pragma once

#include "sip/diff.h"

/** Where edits of the field at hand go. */
struct sip_edits {
	struct sip_diff *d;
	struct slice sent; /**< all of it: `at` counts from here */
	const struct sip_diff_hint *hint;
	char field[SIP_EDIT_FIELD_BYTES]; /**< what is being compared */
	size_t anchor; /**< `at` of edits that have nothing before them */
};

/** Name what is compared next: "Via", or with @p nth > 1 "Via[2]". Bytes
 *  that do not belong into a name become "?". */
void sip_edits_field(struct sip_edits *e, struct slice name, size_t nth);

/** Note an edit of the field named last. */
void sip_edits_add(struct sip_edits *e, enum sip_edit_class cls,
                   struct slice before, struct slice after);

/** Edits so far, those that did not fit included. */
size_t sip_edits_count(const struct sip_edits *e);

/** Put them in the order of the bytes sent. */
void sip_edits_sort(struct sip_edits *e);

/** The length of what both start with. */
size_t sip_common_prefix(struct slice a, struct slice b);
