/* SPDX-License-Identifier: ISC */
/** Slips of the keyboard, and the part of a host name that is registered. */
#pragma once

#include <stdbool.h>

#include "base/cursor.h"

enum {
	PROFILE_SLIP_MAX_BYTES = 64, /**< longer words are never a slip */
};

/**
 * Damerau-Levenshtein distance (adjacent letters swapped count as one), ASCII
 * case ignored.
 *
 * @return the distance, or SIZE_MAX when a word is too long
 */
size_t profile_slip_distance(struct slice a, struct slice b);

/** Different, but no further apart than a slip takes a word of that length:
 *  1 letter from 4 on, 2 from 8 on. */
bool profile_is_slip(struct slice a, struct slice b);

/**
 * The registrable domain: "example.com.br" of "a.b.example.com.br".
 *
 * A heuristic instead of the public suffix list: under a country's code, a
 * second level such as com, net or org belongs to the suffix.
 *
 * @return a part of @p name; the whole of it when it has too few labels
 */
struct slice profile_domain_registrable(struct slice name);

/** The first label: "example" of "example.com.br". */
struct slice profile_domain_label(struct slice domain);
