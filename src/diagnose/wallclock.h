/* SPDX-License-Identifier: ISC */
/**
 * Whether this computer's clock is right, by what servers say of the time.
 */
#pragma once

#include "diagnose/flows.h"
#include "diagnose/ladder.h"

/**
 * How far the clock is ahead of the servers' (RFC 9110, section 6.6.1; NTP).
 * What a cache has kept, or a login page says, is no witness.
 *
 * @param ahead_s  Out: negative: behind; untouched unless somebody tells
 *
 * @return how many different hosts say so; 0: nobody, or they disagree
 */
size_t wallclock_ahead(int64_t *ahead_s, const struct flows *fs);

/**
 * A certificate is out of its dates, and would not be by the servers' time.
 *
 * @return false, too, when nobody tells the time
 */
bool wallclock_explains(const struct flows *fs, const struct flow *f);

/** Say that the clock is wrong though nothing fails by it, or by whom it is
 *  known where something does. */
void wallclock_find(struct flows *fs, const struct ladder *l);
