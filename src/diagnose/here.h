/* SPDX-License-Identifier: ISC */
/** What this computer's own doing means for what else was seen. */
#pragma once

#include "diagnose/flows.h"
#include "diagnose/ladder.h"

/**
 * A SIP message on a port whose answers this computer drops was perhaps not
 * lost on the way: nothing is known of it. What was seen changed stays.
 *
 * @return 0, or ENOMEM: @p l is untouched
 */
WARN_UNUSED int here_doubt(struct ladder *l, const struct flows *fs);
