/* SPDX-License-Identifier: ISC */
#include "cli/scenario.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/i18n.h"
#include "cli/find.h"
#include "cli/output.h"
#include "lab/plan.h"

static const struct cli_folders folders = {
	.variable = "PRUMO_SCENARIOS",
	.here = "scenarios",
	.installed = PRUMO_SCENARIOS_PATH,
};

enum {
	MAX_ROLE_BYTES = 48, /**< of a router's words, in a picture */
	N_ROWS = 3,          /**< of a picture */
};

static int file_load(const struct lab_scenario **sp, struct arena *a,
                     const struct cli_cmd *cmd, const char *path)
{
	struct wr text = wr_init_heap();
	struct diag dg;
	int err;

	/* One byte more than allowed lets the reader say so. */
	err = cli_file_read(&text, path, LAB_SCENARIO_MAX_BYTES);
	if (err && err != EFBIG) {
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

	err = cli_find(path, &folders, name);
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

enum cli_status cli_scenario_list(const struct cli_cmd *cmd)
{
	enum cli_status status = CLI_READY;
	struct cli_names names;
	size_t width = 0;
	struct arena a;
	int err;

	arena_init(&a);
	err = cli_find_all(&names, &a, &folders);
	for (size_t i = 0; i < names.n; i++) {
		if (strlen(names.v[i]) > width)
			width = strlen(names.v[i]);
	}
	for (size_t i = 0; i < names.n && !err; i++) {
		const struct lab_scenario *s;
		enum cli_status read =
			cli_scenario_load(&s, &a, cmd, names.v[i]);

		if (read == CLI_READY)
			(void)printf("%-*s  %s\n", (int)width, names.v[i],
			             s->summary);
		else
			status = read;
	}
	arena_fini(&a);
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
