/* SPDX-License-Identifier: ISC */
/** Who vouches for a server: conditions and words of the causes' table. */
#pragma once

#include "diagnose/flows.h"

/** Nobody that this computer trusts. */
bool issuer_is_untrusted(const struct flow *f);
bool issuer_takes_untrusted(const struct flows *fs, const struct flow *f);

/** Somebody on the way opens TLS (interception). */
bool issuer_takes_interception(const struct flows *fs, const struct flow *f);

/** The issuer's name; in the report's memory. */
const char *issuer_tell(struct flows *fs, const struct flow *f);
