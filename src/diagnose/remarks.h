/* SPDX-License-Identifier: ISC */
/**
 * What is wrong with names, web pages and certificates though no flow fails by
 * it: rules over single facts.
 */
#pragma once

#include "diagnose/flows.h"
#include "diagnose/ladder.h"

/** Append the findings; after the causes, which explain what fails. */
void remarks_find(struct flows *fs, const struct ladder *l);

/** Say that the line loses packets, where flows answered only when they were
 *  asked again; joins the cause that says so already. */
void remarks_find_lossy(struct flows *fs, const struct ladder *l);

/** The name server gave @p address for a name that nobody has, or the profile
 *  does not list it for the name of @p f. */
bool remarks_is_foreign(const struct flows *fs, const struct flow *f,
                        struct slice address);
