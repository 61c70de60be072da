/* SPDX-License-Identifier: ISC */
#pragma once

#include "cli/cmd.h"

extern const struct cli_cmd cli_lab;
