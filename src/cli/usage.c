/* SPDX-License-Identifier: ISC */
#include "cli/cmd.h"

#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/i18n.h"

void cli_usage(FILE *to, const struct cli_cmd *cmd)
{
	(void)fprintf(to, _("Usage: prumo %s %s\n"), cmd->name, cmd->args);
	(void)fprintf(to, "\n%s\n", _(cmd->summary));
	if (cmd->options)
		(void)fprintf(to, "\n%s", _(cmd->options));
}

static PRINTF_FMT(2, 0) void complain(const struct cli_cmd *cmd,
                                      const char *fmt, va_list ap)
{
	(void)fprintf(stderr, "prumo %s: ", cmd->name);
	(void)vfprintf(stderr, fmt, ap);
	(void)fputc('\n', stderr);
}

void cli_complain(const struct cli_cmd *cmd, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(cmd, fmt, ap);
	va_end(ap);
}

enum cli_status cli_usage_error(const struct cli_cmd *cmd, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(cmd, fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, _("Try 'prumo %s --help'.\n"), cmd->name);
	return CLI_USAGE;
}

enum cli_status cli_bad_option(const struct cli_cmd *cmd, char *argv[])
{
	return cli_usage_error(cmd,
	                       _("'%s' is not an option, or lacks its value"),
	                       argv[optind - 1]);
}

enum cli_status cli_options_read(const struct cli_cmd *cmd, int argc,
                                 char *argv[], const char *letters,
                                 const struct option *options,
                                 cli_option_fn *take, void *arg)
{
	int id;

	opterr = 0;
	while ((id = getopt_long(argc, argv, letters, options, NULL)) != -1) {
		switch (take(arg, id)) {
		case 0:
			break;
		case EINVAL:
			return cli_bad_option(cmd, argv);
		default:
			return cli_usage_error(
				cmd, _("'%s' is not a value for that option"),
				optarg);
		}
	}
	return CLI_READY;
}
