/* SPDX-License-Identifier: ISC */
/** The shape of a profile: one table, used to check and to fill. */
#pragma once

#include "profile/profile.h"
#include "tree/tree.h"

/**
 * Say everything about @p root that does not have the shape of a profile:
 * keys unknown or missing, values of the wrong kind, numbers out of range.
 *
 * @return 0, or EBADMSG when an error was added to @p dg
 */
WARN_UNUSED int profile_schema_check(const struct tree_node *root,
                                     struct diag *dg);

/**
 * Fill the structs, as far as the text alone goes: what is derived (numbers
 * of ports, addresses, places) stays zero.
 *
 * @param pp  Out; untouched unless 0 is returned. To profile_schema_free().
 *
 * @return 0, EBADMSG (in @p dg), or ENOMEM
 */
WARN_UNUSED int profile_schema_fill(struct profile **pp, struct slice text,
                                    struct diag *dg);

/** NULL is fine. */
void profile_schema_free(struct profile *p);
