/* SPDX-License-Identifier: ISC */
#include "cli/cmd.h"
#include "cli/profile.h"

const struct cli_cmd *const cli_cmds[] = {
	&cli_profile,
	NULL,
};
