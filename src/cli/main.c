/* SPDX-License-Identifier: ISC */
#include <limits.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/i18n.h"
#include "cli/cmd.h"

static void usage(FILE *to)
{
	(void)fprintf(to,
	              _("Usage: prumo COMMAND [OPTION]... [ARGUMENT]...\n"));
	(void)fprintf(to, "\n%s\n\n",
	              _("Proves whether a network will carry calls to a "
	                "telephony provider."));
	for (size_t i = 0; cli_cmds[i]; i++)
		(void)fprintf(to, "  %-9s %s\n", cli_cmds[i]->name,
		              _(cli_cmds[i]->summary));
	(void)fprintf(to, "\n%s\n",
	              _("'prumo COMMAND --help' tells more; so does "
	                "prumo-COMMAND(1)."));
}

static const struct cli_cmd *find(const char *name)
{
	for (size_t i = 0; cli_cmds[i]; i++) {
		if (strcmp(cli_cmds[i]->name, name) == 0)
			return cli_cmds[i];
	}
	return NULL;
}

/* A program that was built and not installed has its catalogues beside it. */
static const char *locale_dir(char buf[PATH_MAX])
{
	static const char beside[] = "/po";
	const char *dir = getenv("PRUMO_LOCALEDIR");
	ssize_t n;
	char *slash;

	if (dir && *dir)
		return dir;
	n = readlink("/proc/self/exe", buf, PATH_MAX - sizeof(beside));
	if (n <= 0)
		return PRUMO_LOCALE_PATH;
	buf[n] = '\0';
	slash = strrchr(buf, '/');
	if (!slash)
		return PRUMO_LOCALE_PATH;
	memcpy(slash, beside, sizeof(beside));
	return access(buf, R_OK) == 0 ? buf : PRUMO_LOCALE_PATH;
}

static void set_language(void)
{
	char buf[PATH_MAX];

	(void)setlocale(LC_ALL, "");
	(void)bindtextdomain("prumo", locale_dir(buf));
	/* report/ takes accents away where the terminal has none */
	(void)bind_textdomain_codeset("prumo", "UTF-8");
	(void)textdomain("prumo");
}

/* What was printed but not written (a full disk) must not look like success. */
static int close_stdout(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	perror("prumo: stdout");
	return CLI_INTERNAL;
}

int main(int argc, char *argv[])
{
	const struct cli_cmd *cmd;

	set_language();
	if (argc < 2) {
		usage(stderr);
		return CLI_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		usage(stdout);
		return close_stdout(CLI_READY);
	}
	if (strcmp(argv[1], "--version") == 0) {
		(void)printf("prumo %s\n", PRUMO_VERSION);
		return close_stdout(CLI_READY);
	}
	cmd = find(argv[1]);
	if (!cmd) {
		(void)fprintf(stderr,
		              _("prumo: '%s' is not a command; "
		                "'prumo --help' lists them.\n"),
		              argv[1]);
		return CLI_USAGE;
	}
	return close_stdout((int)cmd->run(argc - 1, argv + 1));
}
