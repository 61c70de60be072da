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
	bool is_quiet;  /**< text: one line, the verdict */
	bool is_strict; /**< remarks count */
	enum cli_color color;
};

/** Ids of long options that commands share; their own begin at 256. */
enum cli_option_id {
	CLI_OPT_COLOR = 512,
	CLI_OPT_STRICT,
	CLI_OPT_LAN,
	CLI_OPT_WAN,
	CLI_OPT_HOST,
	CLI_OPT_RESOLVE,
};

/* Options of every command that shows a report. */
#define CLI_OUTPUT_LETTERS "o:qv"
#define CLI_OUTPUT_OPTIONS                                      \
	{"output", required_argument, NULL, 'o'},               \
		{"quiet", no_argument, NULL, 'q'},              \
		{"verbose", no_argument, NULL, 'v'},            \
		{"strict", no_argument, NULL, CLI_OPT_STRICT},  \
	{                                                       \
		"color", required_argument, NULL, CLI_OPT_COLOR \
	}

/** Take one of those options. @return 0, EINVAL: it is none, or EBADMSG: not a
 *  value for it */
WARN_UNUSED int cli_output_option(struct cli_output *o, int id);

/** What the verdict means for the exit status. */
enum cli_status cli_output_status(const struct cli_output *o,
                                  const struct report *r);

/** What the terminal behind @p to can show. */
struct report_style cli_output_style(const struct cli_output *o, FILE *to);

/** Write a report to stdout. @return CLI_READY or CLI_INTERNAL */
WARN_UNUSED enum cli_status cli_output_report(const struct cli_output *o,
                                              const struct report *r);

/** Show faults in the user's text on stderr. */
void cli_output_diag(const struct diag *dg);
