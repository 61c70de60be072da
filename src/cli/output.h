/* SPDX-License-Identifier: ISC */
/** How a command shows its result. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/attr.h"
#include "cli/cmd.h"
#include "report/report.h"

enum cli_color {
	CLI_COLOR_AUTO, /**< on a terminal, unless NO_COLOR is set */
	CLI_COLOR_ALWAYS,
	CLI_COLOR_NEVER,
};

enum cli_format {
	CLI_TEXT,
	CLI_JSON,
	CLI_JUNIT,
};

struct cli_output {
	enum cli_format format;
	bool is_verbose;
	bool is_quiet; /**< text: one line, the verdict */
	enum cli_color color;
};

/** @return 0, or EBADMSG: not "text", "json" or "junit" */
WARN_UNUSED int cli_output_set_format(struct cli_output *o, const char *text);

/** @return 0, or EBADMSG: not "auto", "always" or "never" */
WARN_UNUSED int cli_output_set_color(struct cli_output *o, const char *text);

/** What the terminal behind @p to can show. */
struct report_style cli_output_style(const struct cli_output *o, FILE *to);

/** Write a report to stdout. @return CLI_READY or CLI_INTERNAL */
WARN_UNUSED enum cli_status cli_output_report(const struct cli_output *o,
                                              const struct report *r);

/** Show faults in the user's text on stderr. */
void cli_output_diag(const struct diag *dg);
