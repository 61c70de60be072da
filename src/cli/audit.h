/* SPDX-License-Identifier: ISC */
/** prumo audit: what a configuration does to every required flow. */
#pragma once

#include "cli/cmd.h"

extern const struct cli_cmd cli_audit;
