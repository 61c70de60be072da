/* SPDX-License-Identifier: ISC */
/**
 * What a command is.
 *
 * One file per command, one line in cmds.c. Only this folder prints, reads
 * argv and ends the process: stdout is the result, stderr the rest.
 */
#pragma once

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/cursor.h"

/** Exit statuses; final, documented in prumo(1). */
enum cli_status {
	CLI_READY = 0,          /**< ready, or the command did its work */
	CLI_REMARKS = 1,        /**< ready with remarks; only with --strict */
	CLI_NOT_READY = 2,      /**< not ready, or the input has faults */
	CLI_COULD_NOT_TEST = 3, /**< nothing that decides was measured */
	CLI_USAGE = 64,         /**< wrong options or unreadable input */
	CLI_INTERNAL = 70,      /**< no memory, or our own fault */
};

struct cli_cmd {
	const char *name;    /**< [a-z]+ */
	const char *args;    /**< after the name, in usage: "[PROFILE]" */
	const char *summary; /**< one line, N_() */
	const char *options; /**< a line each, N_(); NULL: none */

	/** @param argv  argv[0] is the command's name; getopt may be used.
	 *  @return an exit status */
	enum cli_status (*run)(int argc, char *argv[]);
};

/** Every command, in the order that usage shows; ends with NULL. */
extern const struct cli_cmd *const cli_cmds[];

/** Show how @p cmd is used. */
void cli_usage(FILE *to, const struct cli_cmd *cmd);

/** One line on stderr: "prumo check: MESSAGE", and where help is. @return
 *  CLI_USAGE */
enum cli_status cli_usage_error(const struct cli_cmd *cmd, const char *fmt, ...)
	PRINTF_FMT(2, 3);

/** After getopt said '?': one line on stderr that names the option. @return
 *  CLI_USAGE */
enum cli_status cli_bad_option(const struct cli_cmd *cmd, char *argv[]);

/** What one option does. @return 0, EINVAL: there is none of that id, or
 *  another errno: what it was given is no value for it */
typedef int cli_option_fn(void *arg, int id);

/** Run getopt_long() over the command line; what stands behind the options is
 *  at optind then. @return CLI_READY, or CLI_USAGE after a complaint */
enum cli_status cli_options_read(const struct cli_cmd *cmd, int argc,
                                 char *argv[], const char *letters,
                                 const struct option *options,
                                 cli_option_fn *take, void *arg);

/** One line on stderr: "prumo check: MESSAGE". */
void cli_complain(const struct cli_cmd *cmd, const char *fmt, ...)
	PRINTF_FMT(2, 3);
