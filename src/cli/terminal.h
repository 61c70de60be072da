/* SPDX-License-Identifier: ISC */
/** A terminal inside a lab, joined to the user's own. */
#pragma once

#include "lab/lab.h"

/**
 * Run an interactive program in a node, on a terminal of its own: keys such
 * as Ctrl-C reach the program and not this one.
 *
 * @param statusp  Out: its exit status, or 128 plus a signal's number.
 *
 * @return 0, ENOENT: no such node, or the system's error
 */
WARN_UNUSED int cli_terminal_run(int *statusp, struct lab *lab,
                                 const char *node, const struct lab_cmd *cmd);
