/* SPDX-License-Identifier: ISC */
#include "cli/cmd.h"

const struct cli_cmd *const cli_cmds[] = {
	&cli_edge,
	NULL,
};
