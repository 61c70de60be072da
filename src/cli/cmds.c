/* SPDX-License-Identifier: ISC */
#include "cli/audit.h"
#include "cli/check.h"
#include "cli/cmd.h"
#include "cli/demo.h"
#include "cli/edge.h"
#include "cli/lab.h"
#include "cli/profile.h"
#include "cli/rules.h"

const struct cli_cmd *const cli_cmds[] = {
	&cli_audit, &cli_check,   &cli_demo,  &cli_edge,
	&cli_lab,   &cli_profile, &cli_rules, NULL,
};
