/* SPDX-License-Identifier: ISC */
#include "cli/cmd.h"
#include "cli/demo.h"

const struct cli_cmd *const cli_cmds[] = {
	&cli_demo,
	NULL,
};
