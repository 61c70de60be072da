/* SPDX-License-Identifier: ISC */
/** Finding, reading and drawing scenarios, for every command that takes one. */
#pragma once

#include "cli/cmd.h"
#include "lab/scenario.h"

/**
 * Find and read a scenario; faults go to stderr.
 *
 * A name with a slash or with .yaml at its end is a file; others are looked
 * for as NAME.yaml in $PRUMO_SCENARIOS, ./scenarios and the installed
 * folder.
 *
 * @param sp   Out; untouched unless CLI_READY is returned. Lives in @p a.
 * @param cmd  Whom to name in messages.
 *
 * @return CLI_READY, CLI_USAGE (no such file, or it has faults) or
 *         CLI_INTERNAL
 */
WARN_UNUSED enum cli_status cli_scenario_load(const struct lab_scenario **sp,
                                              struct arena *a,
                                              const struct cli_cmd *cmd,
                                              const char *name);

/** A line for each scenario that can be named: its name and its summary. */
WARN_UNUSED enum cli_status cli_scenario_list(const struct cli_cmd *cmd);

/** Names, addresses towards the client and what each router does. */
void cli_scenario_draw(FILE *to, const struct lab_scenario *s);
