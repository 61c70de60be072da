/* SPDX-License-Identifier: ISC */
#include "cli/scenario.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/i18n.h"
#include "cli/output.h"
#include "lab/plan.h"

static const char suffix[] = ".yaml";

enum {
	MAX_DIRS = 3,
	MAX_LISTED = 1000,
	MAX_ROLE_BYTES = 48, /**< of a router's words, in a picture */
	N_ROWS = 3,          /**< of a picture */
};

static size_t dirs(const char *found[MAX_DIRS])
{
	const char *own = getenv("PRUMO_SCENARIOS");
	size_t n = 0;

	if (own && *own)
		found[n++] = own;
	found[n++] = "scenarios";
	found[n++] = PRUMO_SCENARIOS_PATH;
	return n;
}

static bool is_path(const char *name)
{
	size_t n = strlen(name), m = sizeof(suffix) - 1;

	return strchr(name, '/') || (n > m && !strcmp(name + n - m, suffix));
}

static int path_find(char path[PATH_MAX], const char *name)
{
	const char *in[MAX_DIRS];
	size_t n_dirs = dirs(in);
	int n;

	if (is_path(name)) {
		n = snprintf(path, PATH_MAX, "%s", name);
		return n < PATH_MAX ? 0 : ENAMETOOLONG;
	}
	for (size_t i = 0; i < n_dirs; i++) {
		n = snprintf(path, PATH_MAX, "%s/%s%s", in[i], name, suffix);
		if (n < PATH_MAX && access(path, R_OK) == 0)
			return 0;
	}
	return ENOENT;
}

static int file_read(struct wr *text, const char *path)
{
	FILE *f = fopen(path, "re");
	uint8_t buf[4096];
	size_t n;
	int err = 0;

	if (!f)
		return errno;
	/* One byte more than allowed lets the reader say so. */
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0 &&
	       text->n <= LAB_SCENARIO_MAX_BYTES)
		wr_put(text, (struct slice){buf, n});
	if (ferror(f))
		err = errno ? errno : EIO;
	(void)fclose(f);
	return text->bad ? ENOMEM : err;
}

static int file_load(const struct lab_scenario **sp, struct arena *a,
                     const struct cli_cmd *cmd, const char *path)
{
	struct wr text = wr_init_heap();
	struct diag dg;
	int err;

	err = file_read(&text, path);
	if (err) {
		cli_complain(cmd, "%s: %s", path, strerror(err));
		goto out;
	}
	diag_init(&dg, a, path, wr_slice(&text));
	err = lab_scenario_read(sp, a, wr_slice(&text), &dg);
	if (dg.n_items)
		cli_output_diag(&dg);
	if (err == ENOMEM)
		cli_complain(cmd, "%s", strerror(err));

out:
	wr_fini(&text);
	return err;
}

enum cli_status cli_scenario_load(const struct lab_scenario **sp,
                                  struct arena *a, const struct cli_cmd *cmd,
                                  const char *name)
{
	char path[PATH_MAX];
	int err;

	err = path_find(path, name);
	if (err) {
		cli_complain(cmd,
		             _("there is no scenario '%s'; 'prumo lab list' "
		               "shows those there are"),
		             name);
		return CLI_USAGE;
	}
	err = file_load(sp, a, cmd, path);
	if (err == ENOMEM)
		return CLI_INTERNAL;
	return err ? CLI_USAGE : CLI_READY;
}

struct listing {
	struct arena arena;
	const char *names[MAX_LISTED];
	size_t n;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_listed(const struct listing *ls, const char *name)
{
	for (size_t i = 0; i < ls->n; i++) {
		if (strcmp(ls->names[i], name) == 0)
			return true;
	}
	return false;
}

static int dir_list(struct listing *ls, const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int err = 0;

	while (d && !err && ls->n < MAX_LISTED && (e = readdir(d))) {
		size_t n = strlen(e->d_name), m = sizeof(suffix) - 1;
		char *name;

		if (e->d_name[0] == '.' || n <= m ||
		    strcmp(e->d_name + n - m, suffix) != 0)
			continue;
		name = arena_dup(&ls->arena,
		                 slice_sub(slice_str(e->d_name), 0, n - m));
		if (!name)
			err = ENOMEM;
		else if (!is_listed(ls, name))
			ls->names[ls->n++] = name;
	}
	if (d)
		(void)closedir(d);
	return err;
}

enum cli_status cli_scenario_list(const struct cli_cmd *cmd)
{
	enum cli_status status = CLI_READY;
	const char *in[MAX_DIRS];
	size_t n_dirs = dirs(in), width = 0;
	struct listing ls = {0};
	int err = 0;

	arena_init(&ls.arena);
	for (size_t i = 0; i < n_dirs && !err; i++)
		err = dir_list(&ls, in[i]);
	qsort(ls.names, ls.n, sizeof(*ls.names), compare_names);
	for (size_t i = 0; i < ls.n; i++) {
		if (strlen(ls.names[i]) > width)
			width = strlen(ls.names[i]);
	}
	for (size_t i = 0; i < ls.n && !err; i++) {
		const struct lab_scenario *s;
		enum cli_status read =
			cli_scenario_load(&s, &ls.arena, cmd, ls.names[i]);

		if (read == CLI_READY)
			(void)printf("%-*s  %s\n", (int)width, ls.names[i],
			             s->summary);
		else
			status = read;
	}
	arena_fini(&ls.arena);
	return err ? CLI_INTERNAL : status;
}

/* One column of the picture. */
struct column {
	char cells[N_ROWS][LAB_ADDR_BYTES];
	size_t width;
};

/* In characters, as far as a terminal is concerned. */
static size_t text_width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void role_put(struct wr *w, const struct lab_scenario *s, unsigned node)
{
	const struct lab_hop *hop = &s->spec.hops[node - 1];
	const struct {
		bool is_so;
		const char *word;
	} features[] = {
		{hop->has_nat, "NAT"},
		{hop->has_alg, "SIP ALG"},
		{hop->has_firewall, "firewall"},
		{hop->is_silent, "silent"},
	};
	size_t n = 0;

	if (s->words[node - 1])
		wr_put(w, slice_sub(slice_str(s->words[node - 1]), 0,
		                    MAX_ROLE_BYTES));
	for (size_t i = 0; i < ARRAY_LEN(features); i++) {
		if (features[i].is_so)
			wr_fmt(w, "%s%s", n++ ? " + " : "", features[i].word);
	}
}

static void column_fill(struct column *c, const struct lab_scenario *s,
                        unsigned node)
{
	struct wr role = wr_init(c->cells[2], LAB_ADDR_BYTES - 1);
	unsigned last = s->spec.n_hops + 1;
	char near[LAB_ADDR_BYTES];

	if (node == 0) {
		(void)snprintf(c->cells[0], LAB_ADDR_BYTES, "%s", _("client"));
		lab_client_addr(c->cells[1], 1, false);
	} else if (node == last) {
		(void)snprintf(c->cells[0], LAB_ADDR_BYTES, "%s", _("server"));
		(void)snprintf(c->cells[1], LAB_ADDR_BYTES, LAB_SERVER_IP4);
	} else {
		(void)snprintf(c->cells[0], LAB_ADDR_BYTES, "r%u", node);
		lab_plan_link(near, c->cells[1], &s->spec, node - 1, false);
		role_put(&role, s, node);
	}
	for (size_t row = 0; row < N_ROWS; row++) {
		size_t w = text_width(c->cells[row]);

		if (w > c->width)
			c->width = w;
	}
}

static void row_draw(FILE *to, const struct column *columns, unsigned n,
                     size_t row)
{
	size_t gap = 1; /* owed before the next cell that is not empty */

	for (unsigned i = 0; i < n; i++) {
		const char *cell = columns[i].cells[row];
		size_t w = text_width(cell);
		bool is_joined = row == 0 && i + 1 < n;

		if (w) {
			(void)fprintf(to, "%*s %s%s", (int)gap, "", cell,
			              is_joined ? " " : "");
			gap = 0;
		} else {
			gap++;
		}
		for (w += is_joined; w < columns[i].width + 3; w++) {
			if (is_joined)
				(void)fputc('-', to);
			else
				gap++;
		}
	}
	(void)fputc('\n', to);
}

void cli_scenario_draw(FILE *to, const struct lab_scenario *s)
{
	struct column columns[LAB_MAX_HOPS + 2] = {0};
	unsigned n = s->spec.n_hops + 2;

	for (unsigned i = 0; i < n; i++)
		column_fill(&columns[i], s, i);
	for (size_t row = 0; row < N_ROWS; row++)
		row_draw(to, columns, n, row);
}
