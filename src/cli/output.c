/* SPDX-License-Identifier: ISC */
#include "cli/output.h"

#include <errno.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/i18n.h"

int cli_output_set_format(struct cli_output *o, const char *text)
{
	static const char *const names[] = {
		[CLI_TEXT] = "text",
		[CLI_JSON] = "json",
		[CLI_JUNIT] = "junit",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(names[i], text) == 0) {
			o->format = (enum cli_format)i;
			return 0;
		}
	}
	return EBADMSG;
}

int cli_output_set_color(struct cli_output *o, const char *text)
{
	static const char *const names[] = {
		[CLI_COLOR_AUTO] = "auto",
		[CLI_COLOR_ALWAYS] = "always",
		[CLI_COLOR_NEVER] = "never",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(names[i], text) == 0) {
			o->color = (enum cli_color)i;
			return 0;
		}
	}
	return EBADMSG;
}

static bool wants_color(const struct cli_output *o, FILE *to)
{
	const char *no_color = getenv("NO_COLOR"); /* https://no-color.org */
	const char *term = getenv("TERM");

	if (o->color != CLI_COLOR_AUTO)
		return o->color == CLI_COLOR_ALWAYS;
	return isatty(fileno(to)) && !(no_color && *no_color) && term &&
	       strcmp(term, "dumb") != 0;
}

static unsigned columns(FILE *to)
{
	struct winsize ws;

	if (ioctl(fileno(to), TIOCGWINSZ, &ws) || ws.ws_col == 0)
		return 0;
	return ws.ws_col;
}

struct report_style cli_output_style(const struct cli_output *o, FILE *to)
{
	return (struct report_style){
		.has_color = wants_color(o, to),
		.is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
		.width = columns(to),
		.is_verbose = o->is_verbose,
	};
}

/* The text starts with the verdict, on a line of its own. */
static struct slice first_line(struct slice text)
{
	size_t end = slice_find(text, slice_str("\n"));

	return slice_sub(text, 0, end == SIZE_MAX ? end : end + 1);
}

static int write_report(struct wr *w, const struct cli_output *o,
                        const struct report *r)
{
	struct report_style st = cli_output_style(o, stdout);

	switch (o->format) {
	case CLI_JSON:
		return report_write_json(w, r);
	case CLI_JUNIT:
		return report_write_junit(w, r);
	case CLI_TEXT:
		break;
	}
	return report_write_text(w, r, &st);
}

enum cli_status cli_output_report(const struct cli_output *o,
                                  const struct report *r)
{
	struct wr w = wr_init_heap();
	struct slice text;
	int err;

	err = write_report(&w, o, r);
	text = wr_slice(&w);
	if (o->is_quiet && o->format == CLI_TEXT)
		text = first_line(text);
	if (!err)
		(void)fwrite(text.p, 1, text.n, stdout);
	else
		(void)fprintf(stderr, "prumo: %s\n", _("out of memory"));
	wr_fini(&w);
	return err ? CLI_INTERNAL : CLI_READY;
}

void cli_output_diag(const struct diag *dg)
{
	const struct cli_output o = {.color = CLI_COLOR_AUTO};
	struct report_style st = cli_output_style(&o, stderr);
	struct wr w = wr_init_heap();

	if (report_write_diag(&w, dg, &st) == 0)
		(void)fwrite(w.p, 1, w.n, stderr);
	wr_fini(&w);
}
