/* SPDX-License-Identifier: ISC */
/** What `conntrack -L` prints. Pure; fuzzed by fuzz/fuzz_lab_alg.c. */
#pragma once

#include "base/cursor.h"
#include "lab/lab.h"

/**
 * Read the longest-lived UDP entry of a listing.
 *
 * @param alg  Out: has_entry is false when @p text lists none.
 */
void lab_alg_parse(struct lab_alg *alg, struct slice text);
