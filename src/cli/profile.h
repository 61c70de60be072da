/* SPDX-License-Identifier: ISC */
/** Finding and reading profiles, for every command that takes one. */
#pragma once

#include <limits.h>

#include "cli/cmd.h"
#include "profile/profile.h"

/** What a command takes when no profile is named. */
#define CLI_PROFILE_DEFAULT "cloudphone-pro"

extern const struct cli_cmd cli_profile;

/**
 * Find and read a profile; faults go to stderr.
 *
 * @param pp    Out; untouched unless CLI_READY is returned. To
 *              profile_free().
 * @param path  Out: the file that was read.
 * @param cmd   Whom to name in messages.
 *
 * @return CLI_READY, CLI_USAGE (no such file, or it has faults) or
 *         CLI_INTERNAL
 */
WARN_UNUSED enum cli_status cli_profile_load(struct profile **pp,
                                             char path[PATH_MAX],
                                             const struct cli_cmd *cmd,
                                             const char *name);
