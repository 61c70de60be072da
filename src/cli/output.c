/* SPDX-License-Identifier: ISC */
#include "cli/output.h"

#include <errno.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/i18n.h"

static int find_word(const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(words[i], optarg) == 0)
			return (int)i;
	}
	return -1;
}

static int set_format(struct cli_output *o)
{
	static const char *const names[] = {
		[CLI_TEXT] = "text",
		[CLI_JSON] = "json",
		[CLI_JUNIT] = "junit",
	};
	const int i = find_word(names, ARRAY_LEN(names));

	if (i < 0)
		return EBADMSG;
	o->format = (enum cli_format)i;
	return 0;
}

static int set_color(struct cli_output *o)
{
	static const char *const names[] = {
		[CLI_COLOR_AUTO] = "auto",
		[CLI_COLOR_ALWAYS] = "always",
		[CLI_COLOR_NEVER] = "never",
	};
	const int i = find_word(names, ARRAY_LEN(names));

	if (i < 0)
		return EBADMSG;
	o->color = (enum cli_color)i;
	return 0;
}

int cli_output_option(struct cli_output *o, int id)
{
	switch (id) {
	case 'o':
		return set_format(o);
	case CLI_OPT_COLOR:
		return set_color(o);
	case 'q':
		o->is_quiet = true;
		return 0;
	case 'v':
		o->is_verbose = true;
		return 0;
	case CLI_OPT_STRICT:
		o->is_strict = true;
		return 0;
	default:
		return EINVAL;
	}
}

enum cli_status cli_output_status(const struct cli_output *o,
                                  const struct report *r)
{
	switch (report_verdict(r)) {
	case VERDICT_READY:
		return CLI_READY;
	case VERDICT_READY_WITH_REMARKS:
		return o->is_strict ? CLI_REMARKS : CLI_READY;
	case VERDICT_NOT_READY:
		return CLI_NOT_READY;
	case VERDICT_COULD_NOT_TEST:
		break;
	}
	return CLI_COULD_NOT_TEST;
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
