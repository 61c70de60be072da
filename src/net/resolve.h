/* SPDX-License-Identifier: ISC */
/** Names to addresses. */
#pragma once

#include "base/addr.h"

/**
 * A numeric address is itself, without a lookup; any other host is asked of
 * the system's resolver (A and AAAA, in the order it prefers, RFC 6724).
 *
 * Blocks, for as long as the resolver waits: call it before net_run(). With a
 * limit a child process asks, for the system's resolver knows none.
 *
 * @param out   @p max addresses, ports 0, without duplicates
 * @param n     Out: how many; at least 1 on success
 * @param want  ADDR_NONE: both families
 * @param limit_ns  0: none
 *
 * @return 0, or (then nothing was written)
 *         EINVAL   max is 0
 *         EBADMSG  not a host name
 *         EPERM    a name while PRUMO_STAY_HOME is set
 *         ENOENT   no such host, or no address of that family
 *         EAGAIN   the resolver did not answer
 *         ETIMEDOUT  the same, within the limit
 *         ENOMEM, or another errno
 */
WARN_UNUSED int net_resolve(struct addr *out, size_t max, size_t *n,
                            struct slice host, enum addr_family want,
                            int64_t limit_ns);
