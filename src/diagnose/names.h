/* SPDX-License-Identifier: ISC */
/**
 * What is wrong with the names themselves, whether or not a flow fails by it:
 * rules over the facts `name.resolved`.
 */
#pragma once

#include "diagnose/flows.h"
#include "diagnose/ladder.h"

/** Append the findings; after causes_find(), whose findings of a name come
 *  before those from here. */
void names_find(struct flows *fs, const struct ladder *l);

/** The name server gave @p address for a name that nobody has, or the profile
 *  does not list it for the name of @p f. */
bool names_is_foreign(const struct flows *fs, const struct flow *f,
                      struct slice address);
