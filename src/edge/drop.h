/* SPDX-License-Identifier: ISC */
/** Privileges: enough to bind a port, and no more. */
#pragma once

#include "base/attr.h"

/**
 * Become @p user for good, if this process is root; its groups too. Whoever
 * it is then, but root, gives up all capabilities, ambient ones too, and no
 * program that it starts can gain a privilege. Before any thread is started.
 *
 * @param user  A name; "root" keeps root, by the caller's explicit will
 *
 * @return 0, ENOENT (no such user) or another errno; then the process must
 *         not go on
 */
WARN_UNUSED int edge_drop_to(const char *user);
