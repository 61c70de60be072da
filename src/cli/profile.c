/* SPDX-License-Identifier: ISC */
/*
 * prumo profile: list, show and lint.
 *
 * Design: a profile is given as a file (it has a slash or ends in .yaml), or
 * by name, which is looked for in $PRUMO_PROFILES, ./profiles and the
 * installed folder, in that order; the first that has it wins, so that a
 * provider can replace an installed profile without touching it.
 */
#include "cli/profile.h"

#include <errno.h>
#include <getopt.h>
#include <langinfo.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/i18n.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "cli/find.h"
#include "cli/output.h"
#include "profile/lint.h"
#include "profile/profile.h"
#include "report/report.h"

static const struct cli_folders folders = {
	.variable = "PRUMO_PROFILES",
	.here = "profiles",
	.installed = PRUMO_PROFILES_PATH,
};

enum {
	MAX_COLUMNS = 6,
};

struct options {
	bool is_json, is_strict;
};

static bool is_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static enum cli_status print(struct wr *w, int err)
{
	if (!err && !w->bad)
		(void)fwrite(w->p, 1, w->n, stdout);
	else
		cli_complain(&cli_profile, "%s", strerror(ENOMEM));
	err |= w->bad;
	wr_fini(w);
	return err ? CLI_INTERNAL : CLI_READY;
}

static int load_text(struct profile **pp, const char *path, struct slice text)
{
	struct arena arena;
	struct diag dg;
	int err;

	arena_init(&arena);
	diag_init(&dg, &arena, path, text);
	err = profile_load(pp, text, &dg);
	if (dg.n_items)
		cli_output_diag(&dg);
	arena_fini(&arena);
	return err;
}

enum cli_status cli_profile_load(struct profile **pp, char path[PATH_MAX],
                                 const struct cli_cmd *cmd, const char *name)
{
	struct wr text = wr_init_heap();
	int err;

	err = cli_find(path, &folders, name);
	if (err == ENOENT) {
		cli_complain(cmd,
		             _("there is no profile '%s'; 'prumo profile "
		               "list' shows those there are"),
		             name);
		goto out;
	}
	/* One byte more than allowed lets profile_load() say so. */
	if (!err)
		err = cli_file_read(&text, path, PROFILE_MAX_BYTES);
	if (err && err != EFBIG) {
		cli_complain(cmd, "%s: %s", name, strerror(err));
		goto out;
	}
	err = load_text(pp, path, wr_slice(&text));
	if (err == ENOMEM)
		cli_complain(cmd, "%s", strerror(err));

out:
	wr_fini(&text);
	if (err == ENOMEM)
		return CLI_INTERNAL;
	return err ? CLI_USAGE : CLI_READY;
}

/* Columns on the screen; one a character is right for the scripts in use. */
static size_t n_columns(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((uint8_t)*s & 0xc0) != 0x80;
	return n;
}

/* Without UTF-8, what is not ASCII becomes one '?' a character. */
static void put_cell(struct wr *w, const char *s, bool utf8)
{
	for (; *s; s++) {
		uint8_t c = (uint8_t)*s;

		if (utf8 || c < 0x80)
			wr_u8(w, c);
		else if ((c & 0xc0) != 0x80)
			wr_u8(w, '?');
	}
}

static void put_padded(struct wr *w, const char *s, size_t width, bool utf8)
{
	put_cell(w, s, utf8);
	for (size_t n = n_columns(s); n < width; n++)
		wr_u8(w, ' ');
}

static const char *ports_text(struct arena *a, const struct profile_row *row)
{
	struct wr w = wr_init_heap();
	const char *s;

	for (size_t i = 0; i < row->n_ports; i++)
		wr_fmt(&w, "%s%s", i ? "/" : "", row->port_texts[i]);
	s = w.bad ? NULL : arena_dup(a, wr_slice(&w));
	wr_fini(&w);
	return s;
}

static const char *transports_text(unsigned transports)
{
	static const char *const texts[] = {
		"",    "udp",     "tcp",     "udp,tcp",
		"tls", "udp,tls", "tcp,tls", "udp,tcp,tls",
	};

	return texts[transports % ARRAY_LEN(texts)];
}

/* Cells of a line; the last one is not padded. */
struct line {
	const char *cells[MAX_COLUMNS];
};

static void put_table(struct wr *w, const struct line *lines, size_t n)
{
	size_t width[MAX_COLUMNS] = {0};
	bool utf8 = is_utf8();

	for (size_t i = 0; i < n; i++) {
		for (size_t c = 0; c < MAX_COLUMNS; c++) {
			size_t cols = n_columns(lines[i].cells[c]);

			if (cols > width[c])
				width[c] = cols;
		}
	}
	for (size_t i = 0; i < n; i++) {
		wr_str(w, "  ");
		for (size_t c = 0; c + 1 < MAX_COLUMNS; c++) {
			put_padded(w, lines[i].cells[c], width[c], utf8);
			wr_str(w, "  ");
		}
		put_cell(w, lines[i].cells[MAX_COLUMNS - 1], utf8);
		wr_u8(w, '\n');
	}
}

static int put_rows(struct wr *w, struct arena *a, const struct profile *p)
{
	struct line *lines = arena_alloc(a, (p->n_rows + 1) * sizeof(*lines));

	if (!lines)
		return ENOMEM;
	lines[0] =
		(struct line){{_("row"), _("host"), _("ports"), _("transport"),
	                       _("class"), _("description")}};
	for (size_t i = 0; i < p->n_rows; i++) {
		const struct profile_row *row = &p->rows[i];
		struct line *line = &lines[i + 1];

		*line = (struct line){{
			arena_fmt(a, "%s/%u", row->table, row->row),
			row->host,
			ports_text(a, row),
			transports_text(row->transports),
			profile_class_name(row->cls),
			row->description,
		}};
		if (!line->cells[0] || !line->cells[2])
			return ENOMEM;
	}
	put_table(w, lines, p->n_rows + 1);
	return 0;
}

static void put_timer(struct wr *w, const struct profile_timer *t)
{
	wr_fmt(w, "  %s: ", profile_timer_name(t->kind));
	if (t->min_s && t->max_s)
		wr_fmt(w, "%u-%u s", t->min_s, t->max_s);
	else if (t->min_s)
		wr_fmt(w, ">= %u s", t->min_s);
	else
		wr_fmt(w, "<= %u s", t->max_s);
	wr_str(w, " (");
	put_cell(w, t->stated, is_utf8());
	wr_str(w, ")\n");
}

static void put_requirements(struct wr *w, const struct profile *p)
{
	const struct profile_requirements *q = &p->requirements;

	wr_fmt(w, "\n%s\n", _("Requirements"));
	wr_fmt(w, "  %s\n",
	       q->sip_alg_allowed ? _("A SIP ALG may be on.")
	                          : _("Every SIP ALG must be off."));
	for (size_t i = 0; i < q->n_timers; i++)
		put_timer(w, &q->timers[i]);
	if (q->call_kbps) {
		wr_str(w, "  ");
		wr_fmt(w, _("%u kbit/s each way for a call"), q->call_kbps);
		wr_u8(w, '\n');
	}
	for (size_t i = 0; i < q->n_antivirus; i++) {
		if (!q->antivirus[i].path)
			continue;
		wr_str(w, "  ");
		wr_fmt(w, _("Antivirus: an exception for %s"),
		       q->antivirus[i].path);
		wr_u8(w, '\n');
	}
}

static enum cli_status show_text(const struct profile *p)
{
	struct wr w = wr_init_heap();
	struct arena a;
	int err;

	arena_init(&a);
	put_cell(&w, p->name, is_utf8());
	wr_fmt(&w, " (%s)\n", p->id);
	put_cell(&w, p->source.title, is_utf8());
	wr_str(&w, "\n\n");
	err = put_rows(&w, &a, p);
	wr_str(&w, "\n");
	wr_fmt(&w,
	       _("%zu rows, %zu flows of destination, transport and port "
	         "range"),
	       p->n_rows, profile_n_flows(p));
	wr_u8(&w, '\n');
	put_requirements(&w, p);
	arena_fini(&a);
	return print(&w, err);
}

static void put_json(struct wr *w, const char *s)
{
	wr_u8(w, '"');
	for (; s && *s; s++) {
		if (*s == '"' || *s == '\\')
			wr_u8(w, '\\');
		if (*s == '\n')
			wr_str(w, "\\n");
		else if (*s == '\t')
			wr_str(w, "\\t");
		else
			wr_u8(w, (uint8_t)*s);
	}
	wr_u8(w, '"');
}

static void put_json_key(struct wr *w, const char *key, const char *s)
{
	wr_fmt(w, "\"%s\": ", key);
	put_json(w, s);
}

static void put_json_row(struct wr *w, const struct profile_row *row)
{
	wr_str(w, "    {");
	put_json_key(w, "table", row->table);
	wr_fmt(w, ", \"row\": %u, ", row->row);
	put_json_key(w, "host", row->host);
	wr_str(w, ", \"ports\": [");
	for (size_t i = 0; i < row->n_ports; i++)
		wr_fmt(w, "%s[%u, %u]", i ? ", " : "", row->ports[i].first,
		       row->ports[i].last);
	wr_str(w, "], \"transports\": [");
	for (unsigned bit = PROFILE_UDP, n = 0; bit <= PROFILE_TLS; bit <<= 1) {
		if (!(row->transports & bit))
			continue;
		wr_str(w, n++ ? ", " : "");
		put_json(w,
		         profile_transport_name((enum profile_transport)bit));
	}
	wr_str(w, "], ");
	put_json_key(w, "class", profile_class_name(row->cls));
	wr_str(w, ", ");
	put_json_key(w, "service", row->service);
	wr_str(w, ", ");
	put_json_key(w, "description", row->description);
	wr_u8(w, '}');
}

static enum cli_status show_json(const struct profile *p)
{
	struct wr w = wr_init_heap();

	wr_str(&w, "{\n  \"schema\": \"prumo/profile-rows/1\",\n  ");
	put_json_key(&w, "id", p->id);
	wr_str(&w, ",\n  ");
	put_json_key(&w, "name", p->name);
	wr_fmt(&w, ",\n  \"n_rows\": %zu,\n  \"n_flows\": %zu,\n  \"rows\": [",
	       p->n_rows, profile_n_flows(p));
	for (size_t i = 0; i < p->n_rows; i++) {
		wr_str(&w, i ? ",\n" : "\n");
		put_json_row(&w, &p->rows[i]);
	}
	wr_str(&w, "\n  ]\n}\n");
	return print(&w, 0);
}

static enum cli_status run_show(const char *name, const struct options *opt)
{
	struct profile *p = NULL;
	char path[PATH_MAX];
	enum cli_status status;

	status = cli_profile_load(&p, path, &cli_profile, name);
	if (status == CLI_READY)
		status = opt->is_json ? show_json(p) : show_text(p);
	profile_free(p);
	return status;
}

static void describe(struct report *r, const struct profile *p)
{
	const char *const keys[] = {"id", "name", "version", "source"};
	const char *const texts[] = {p->id, p->name, p->version,
	                             p->source.title};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (texts[i])
			(void)val_put(&r->arena, &r->no_memory, &r->profile,
			              keys[i], val_text(texts[i]));
	}
}

static enum cli_status lint_status(const struct report *r,
                                   const struct options *opt)
{
	switch (report_verdict(r)) {
	case VERDICT_NOT_READY:
		return CLI_NOT_READY;
	case VERDICT_READY_WITH_REMARKS:
		return opt->is_strict ? CLI_REMARKS : CLI_READY;
	default:
		return CLI_READY;
	}
}

static const char *translated(const char *msgid)
{
	return gettext(msgid);
}

/* For the terminal: one line with the place, as compilers write it, then
 * what to do. */
static void put_finding(struct wr *w, const struct finding *fd)
{
	struct slice file = val_get_text(&fd->evidence, "file");
	struct wr words = wr_init_heap();

	wr_put(w, file);
	wr_fmt(w, ":%d:%d: ", (int)val_get_int(&fd->evidence, "line", 0),
	       (int)val_get_int(&fd->evidence, "column", 0));
	switch (fd->severity) {
	case FINDING_FAIL:
		wr_str(w, _("error"));
		break;
	case FINDING_WARN:
		wr_str(w, _("warning"));
		break;
	case FINDING_NOTE:
		wr_str(w, _("note"));
		break;
	}
	wr_str(w, ": ");
	words_put(&words, &fd->title, translated);
	wr_fmt(&words, " [%s]\n", fd->id);
	for (const struct remedy_step *s = fd->remedy; s; s = s->next) {
		wr_str(&words, "    ");
		words_put(&words, &s->text, translated);
		wr_u8(&words, '\n');
	}
	wr_u8(&words, 0);
	if (!words.bad)
		put_cell(w, (const char *)words.p, is_utf8());
	w->bad |= words.bad;
	wr_fini(&words);
}

static int put_findings(struct wr *w, const struct report *r)
{
	size_t n[FINDING_FAIL + 1] = {0};

	for (const struct finding *fd = r->findings; fd; fd = fd->next) {
		put_finding(w, fd);
		n[fd->severity]++;
	}
	if (!r->findings)
		wr_str(w, _("Nothing to say against this profile."));
	else
		wr_fmt(w, _("Errors: %zu. Warnings: %zu. Notes: %zu."),
		       n[FINDING_FAIL], n[FINDING_WARN], n[FINDING_NOTE]);
	wr_u8(w, '\n');
	return w->bad ? ENOMEM : 0;
}

static enum cli_status run_lint(const char *name, const struct options *opt)
{
	struct wr w = wr_init_heap();
	struct profile *p = NULL;
	char path[PATH_MAX];
	enum cli_status status;
	struct report r;
	int err;

	report_init(&r);
	status = cli_profile_load(&p, path, &cli_profile, name);
	if (status != CLI_READY)
		goto out;
	describe(&r, p);
	err = profile_lint(&r, p, path);
	if (!err)
		err = opt->is_json ? report_write_json(&w, &r)
		                   : put_findings(&w, &r);
	status = print(&w, err);
	if (status == CLI_READY)
		status = lint_status(&r, opt);

out:
	profile_free(p);
	report_fini(&r);
	return status;
}

static void put_listing(struct wr *w, const struct cli_names *names,
                        bool is_json)
{
	if (is_json)
		wr_str(w, "{\"schema\": \"prumo/profile-list/1\", "
		          "\"profiles\": [");
	for (size_t i = 0; i < names->n; i++) {
		if (is_json) {
			wr_str(w, i ? ", " : "");
			put_json(w, names->v[i]);
		} else {
			wr_fmt(w, "%s\n", names->v[i]);
		}
	}
	if (is_json)
		wr_str(w, "]}\n");
}

static enum cli_status run_list(const struct options *opt)
{
	struct wr w = wr_init_heap();
	struct cli_names names;
	struct arena a;
	int err;

	arena_init(&a);
	err = cli_find_all(&names, &a, &folders);
	put_listing(&w, &names, opt->is_json);
	arena_fini(&a);
	return print(&w, err);
}

static enum cli_status read_options(struct options *opt, int argc, char *argv[])
{
	static const struct option longs[] = {
		{"help", no_argument, NULL, 'h'},
		{"output", required_argument, NULL, 'o'},
		{"strict", no_argument, NULL, 's'},
		{0},
	};
	int c;

	optind = 1;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "ho:", longs, NULL)) != -1) {
		switch (c) {
		case 'o':
			opt->is_json = strcmp(optarg, "json") == 0;
			if (!opt->is_json && strcmp(optarg, "text") != 0)
				return cli_usage_error(
					&cli_profile,
					_("-o takes 'text' or 'json'"));
			break;
		case 's':
			opt->is_strict = true;
			break;
		case 'h':
			cli_usage(stdout, &cli_profile);
			return CLI_REMARKS;
		default:
			return cli_bad_option(&cli_profile, argv);
		}
	}
	return CLI_READY;
}

static enum cli_status run(int argc, char *argv[])
{
	struct options opt = {0};
	const char *verb, *name = CLI_PROFILE_DEFAULT;
	enum cli_status status = read_options(&opt, argc, argv);

	if (status != CLI_READY)
		return status == CLI_REMARKS ? CLI_READY : status;
	if (optind == argc || argc - optind > 2)
		return cli_usage_error(&cli_profile,
		                       _("say one of list, show and lint"));
	verb = argv[optind];
	if (optind + 1 < argc)
		name = argv[optind + 1];
	if (strcmp(verb, "list") == 0 && argc - optind == 1)
		return run_list(&opt);
	if (strcmp(verb, "show") == 0)
		return run_show(name, &opt);
	if (strcmp(verb, "lint") == 0)
		return run_lint(name, &opt);
	return cli_usage_error(&cli_profile,
	                       _("'%s' is none of list, show and lint"), verb);
}

const struct cli_cmd cli_profile = {
	.name = "profile",
	.args = "list | show [PROFILE] | lint [PROFILE]",
	.summary = N_("Read a provider's profile and find its contradictions"),
	.options =
		N_("  -o, --output FORM  how to write the result: text or json "
                   "(text)\n"
                   "  --strict           lint: exit with 1 when there are "
                   "warnings\n"
                   "  -h, --help         this text\n"),
	.run = run,
};
