/* SPDX-License-Identifier: ISC */
/**
 * What is wrong with a profile that is well-formed: where the provider's
 * document contradicts itself, will age, or asks for more than it needs.
 *
 * Rules look at structure only and know no provider. Each finding has
 *   id        stable, listed in prumo-profile(1)
 *   evidence  file, line, column, text (the words at fault), suggestion
 *             (English), and places: a list of {line, column, text} when
 *             several places make the fault
 *   remedy    one step: the suggestion, to be translated
 */
#pragma once

#include "fact/fact.h"
#include "profile/profile.h"

/**
 * Add the facts profile.rows and profile.flows, and a finding for each fault.
 *
 * @param r     Everything is copied into it: @p p may go first.
 * @param file  Name to show; copied.
 *
 * @return 0, or ENOMEM (r->no_memory is set as well)
 */
WARN_UNUSED int profile_lint(struct report *r, const struct profile *p,
                             const char *file);
