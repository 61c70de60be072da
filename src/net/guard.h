/* SPDX-License-Identifier: ISC */
/**
 * Traffic stays home.
 *
 * When PRUMO_STAY_HOME is in the environment and not empty, everything in
 * net/ that sends or connects refuses (EPERM) any other destination than
 * loopback, the documentation and benchmark ranges (RFC 5737, RFC 3849,
 * RFC 2544) and the wildcard, which the kernel takes for loopback. Tests and
 * the lab set it.
 */
#pragma once

#include "base/addr.h"

/** Always true without PRUMO_STAY_HOME. ADDR_NONE is never allowed with it. */
bool net_guard_allows(const struct addr *to);

/** Is PRUMO_STAY_HOME in force? */
bool net_guard_is_on(void);
