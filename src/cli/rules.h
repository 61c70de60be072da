/* SPDX-License-Identifier: ISC */
/** prumo rules: a profile as a firewall's configuration. */
#pragma once

#include "cli/cmd.h"

extern const struct cli_cmd cli_rules;
