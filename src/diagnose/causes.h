/* SPDX-License-Identifier: ISC */
/**
 * Why flows of the profile fail: one cause, one finding, however many flows
 * it takes down.
 */
#pragma once

#include "diagnose/flows.h"
#include "diagnose/ladder.h"

/**
 * Append the findings that follow from the flows; each flow that fails is
 * explained by one of them, which is noted in the flow.
 *
 * @param l  The SIP ladder of the same report, for ways around a trouble.
 */
void causes_find(struct flows *fs, const struct ladder *l);
