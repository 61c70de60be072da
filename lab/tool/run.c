/* SPDX-License-Identifier: ISC */
/*
 * prumo-lab-run: open a lab, run one command in one node, tear it down. It
 * is what tests of the whole program stand on, and is not installed.
 *
 *   prumo-lab-run --hops 2 --alg-at 1 \
 *       --server 'server:prumo edge' client prumo check --edge 198.51.100.10
 *
 * Exit status: the command's; 77 where user namespaces are forbidden (what
 * Meson calls a skipped test); 3 when there is no such lab, when a server
 * does not get ready, or when a router's ALG is not what was asked for; 64
 * for usage.
 */
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "lab/stage.h"

enum {
	STATUS_NO_LAB = 3,
	STATUS_USAGE = 64,
	STATUS_SKIP = 77,
	COMMAND_MS = -1,
	OPT_HOPS = 1,
	OPT_ALG_AT,
	OPT_NAT_AT,
	OPT_FIREWALL_AT,
	OPT_SILENT_AT,
	OPT_UDP_TIMEOUT,
	OPT_IP6,
	OPT_ROUTER,
	OPT_TRUTH,
	OPT_SERVER,
	OPT_BACKGROUND,
	OPT_SCENARIO,
	OPT_PRUMO,
	OPT_SEED,
	OPT_HELP,
};

static const char usage[] =
	"Usage: prumo-lab-run [OPTION]... NODE COMMAND [ARGUMENT]...\n"
	"\n"
	"NODE is client, r1 to r8, or server; each has the devices lan (towards\n"
	"the client) and wan (towards the server), as far as there is a side.\n"
	"\n"
	"  --hops N             routers between client and server (2)\n"
	"  --alg-at K           router K translates and has the SIP ALG\n"
	"  --nat-at K           router K translates, without the ALG\n"
	"  --firewall-at K      router K drops what was not asked for\n"
	"  --silent-at K        router K sends no ICMP time exceeded\n"
	"  --router K:WORDS     router K is prumo-lab-router (--help there)\n"
	"  --truth K:FILE       where that one writes what it did\n"
	"  --udp-timeout S      idle UDP entries of every stateful router\n"
	"  --ip6                IPv6 as well\n"
	"  --server NODE:SHELL  start SHELL in NODE and wait for its line\n"
	"                       'ready' on stdout\n"
	"  --bg NODE:SHELL      start SHELL in NODE and go on\n"
	"  --scenario FILE      the network, its servers and programs, from\n"
	"                       YAML (prumo-scenario(5)); of the others only\n"
	"                       --truth, --server and --bg go with it\n"
	"  --prumo FILE         the program that serves as its edge ($PRUMO)\n"
	"  --seed N             of the routers that are programs\n"
	"\n"
	"What was started is asked to end (SIGTERM) when COMMAND has ended.\n";

static const struct option options[] = {
	{"hops", required_argument, NULL, OPT_HOPS},
	{"alg-at", required_argument, NULL, OPT_ALG_AT},
	{"nat-at", required_argument, NULL, OPT_NAT_AT},
	{"firewall-at", required_argument, NULL, OPT_FIREWALL_AT},
	{"silent-at", required_argument, NULL, OPT_SILENT_AT},
	{"router", required_argument, NULL, OPT_ROUTER},
	{"truth", required_argument, NULL, OPT_TRUTH},
	{"udp-timeout", required_argument, NULL, OPT_UDP_TIMEOUT},
	{"ip6", no_argument, NULL, OPT_IP6},
	{"server", required_argument, NULL, OPT_SERVER},
	{"bg", required_argument, NULL, OPT_BACKGROUND},
	{"scenario", required_argument, NULL, OPT_SCENARIO},
	{"prumo", required_argument, NULL, OPT_PRUMO},
	{"seed", required_argument, NULL, OPT_SEED},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

struct plan {
	struct lab_scenario scenario;
	struct lab_stage_opts opts;
	unsigned udp_timeout_s;
	const char *file; /* NULL: the options say it all */
	const char *node;
	const char *const *argv;
};

static int number(unsigned *np, const char *text, unsigned max)
{
	uint64_t v;

	if (text_u64(&v, slice_str(text), max) != 0 || v == 0)
		return EINVAL;
	*np = (unsigned)v;
	return 0;
}

static int program_add(struct plan *plan, char *text, bool is_awaited)
{
	struct lab_scenario *to = &plan->scenario;
	char *colon = strchr(text, ':');

	if (!colon || to->n_programs == LAB_MAX_PROGRAMS)
		return EINVAL;
	*colon = '\0';
	to->programs[to->n_programs++] = (struct lab_program){
		.node = text, .shell = colon + 1, .is_awaited = is_awaited};
	return 0;
}

static int hop_set(struct plan *plan, int opt, const char *text)
{
	struct lab_hop *hop;
	unsigned k;

	if (number(&k, text, LAB_MAX_HOPS) != 0)
		return EINVAL;
	hop = &plan->scenario.spec.hops[k - 1];
	if (opt == OPT_ALG_AT)
		hop->has_alg = hop->has_nat = true;
	else if (opt == OPT_NAT_AT)
		hop->has_nat = true;
	else if (opt == OPT_FIREWALL_AT)
		hop->has_firewall = true;
	else
		hop->is_silent = true;
	return 0;
}

/* "K:TEXT" */
static int router_set(struct plan *plan, int opt, char *text)
{
	char *colon = strchr(text, ':');
	unsigned k;

	if (!colon)
		return EINVAL;
	*colon = '\0';
	if (number(&k, text, LAB_MAX_HOPS) != 0)
		return EINVAL;
	if (opt == OPT_TRUTH) {
		plan->opts.truths[k - 1] = colon + 1;
		return 0;
	}
	plan->scenario.words[k - 1] = colon + 1;
	plan->scenario.spec.hops[k - 1].is_program = true;
	return 0;
}

static int option_take(struct plan *plan, int opt)
{
	switch (opt) {
	case OPT_HOPS:
		return number(&plan->scenario.spec.n_hops, optarg,
		              LAB_MAX_HOPS);
	case OPT_ALG_AT:
	case OPT_NAT_AT:
	case OPT_FIREWALL_AT:
	case OPT_SILENT_AT:
		return hop_set(plan, opt, optarg);
	case OPT_UDP_TIMEOUT:
		return number(&plan->udp_timeout_s, optarg, 86400);
	case OPT_IP6:
		plan->scenario.spec.has_ip6 = true;
		return 0;
	case OPT_ROUTER:
	case OPT_TRUTH:
		return router_set(plan, opt, optarg);
	case OPT_SERVER:
	case OPT_BACKGROUND:
		return program_add(plan, optarg, opt == OPT_SERVER);
	case OPT_SCENARIO:
		plan->file = optarg;
		return 0;
	case OPT_PRUMO:
		plan->opts.prumo = optarg;
		return 0;
	case OPT_SEED:
		plan->opts.has_seed = true;
		return text_u64(&plan->opts.seed, slice_str(optarg), INT32_MAX);
	default:
		return EINVAL;
	}
}

/* Something set beyond the last router would be ignored in silence. */
static int hops_finish(struct plan *plan)
{
	for (unsigned i = 0; i < LAB_MAX_HOPS; i++) {
		struct lab_hop *hop = &plan->scenario.spec.hops[i];

		if (i >= plan->scenario.spec.n_hops &&
		    (hop->has_alg || hop->has_nat || hop->has_firewall ||
		     hop->is_silent || hop->is_program))
			return EINVAL;
		if (hop->has_nat || hop->has_firewall)
			hop->udp_timeout_s = plan->udp_timeout_s;
	}
	return 0;
}

static int inside(struct lab *lab, void *arg)
{
	struct plan *plan = arg;
	struct lab_cmd cmd = {.argv = plan->argv};
	struct lab_stage *stage;
	struct lab_why why = {0};
	int status, err;

	err = lab_stage_open(&stage, lab, &plan->scenario, &plan->opts, &why);
	if (err) {
		(void)fprintf(stderr, "prumo-lab-run: %s\n", why.text);
		return STATUS_NO_LAB;
	}
	cmd.env = plan->file ? lab_stage_env(stage) : NULL;
	err = lab_run(&status, NULL, 0, lab, plan->node, &cmd, COMMAND_MS);
	if (err) {
		(void)fprintf(stderr, "prumo-lab-run: %s: %s\n", plan->node,
		              strerror(err));
		status = STATUS_NO_LAB;
	}
	lab_stage_close(stage);
	return status;
}

/* What options added to it comes after what the file says. */
static int scenario_take(struct plan *plan, const struct lab_scenario *read)
{
	struct lab_scenario s = *read;

	for (size_t i = 0; i < plan->scenario.n_programs; i++) {
		if (s.n_programs == LAB_MAX_PROGRAMS)
			return E2BIG;
		s.programs[s.n_programs++] = plan->scenario.programs[i];
	}
	plan->scenario = s;
	return 0;
}

static int file_read(struct wr *text, const char *path)
{
	FILE *f = fopen(path, "re");
	uint8_t buf[4096];
	size_t n;
	int err = 0;

	if (!f)
		return errno;
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0 &&
	       text->n <= LAB_SCENARIO_MAX_BYTES)
		wr_put(text, (struct slice){buf, n});
	if (ferror(f) || text->bad)
		err = EIO;
	(void)fclose(f);
	return err;
}

/* @return 0; faults are on stderr */
static int scenario_read(struct plan *plan, struct arena *arena)
{
	const struct lab_scenario *s;
	struct wr text = wr_init_heap();
	struct diag dg = {0};
	int err;

	err = file_read(&text, plan->file);
	if (!err) {
		diag_init(&dg, arena, plan->file, wr_slice(&text));
		err = lab_scenario_read(&s, arena, wr_slice(&text), &dg);
	}
	if (!err)
		err = scenario_take(plan, s);
	for (const struct diag_item *i = dg.first; i; i = i->next)
		(void)fprintf(stderr, "%s:%u:%u: %s\n", plan->file, i->line,
		              i->column, i->message);
	if (err && !dg.n_items)
		(void)fprintf(stderr, "prumo-lab-run: %s: %s\n", plan->file,
		              strerror(err));
	wr_fini(&text);
	return err;
}

static int usage_fail(void)
{
	(void)fputs(usage, stderr);
	return STATUS_USAGE;
}

int main(int argc, char *argv[])
{
	struct plan plan = {.scenario = {.name = "options", .seed = 1}};
	struct arena arena;
	struct lab_why why = {0};
	int opt, status, err;

	(void)setlocale(LC_ALL, "");
	plan.scenario.spec.n_hops = 2;
	plan.opts.prumo = getenv("PRUMO");
	/* The leading plus stops at NODE: the rest belongs to the command. */
	while ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (opt == OPT_HELP)
			return fputs(usage, stdout) < 0;
		if (option_take(&plan, opt) != 0)
			return usage_fail();
	}
	if (argc - optind < 2 || hops_finish(&plan) != 0)
		return usage_fail();
	arena_init(&arena);
	if (plan.file && scenario_read(&plan, &arena) != 0)
		return STATUS_NO_LAB;
	plan.node = argv[optind];
	plan.argv = (const char *const *)&argv[optind + 1];
	err = lab_enter(&status, &plan.scenario.spec, inside, &plan, &why);
	arena_fini(&arena);
	if (!err)
		return status;
	(void)fprintf(stderr, "prumo-lab-run: %s\n", why.text);
	return err == EPERM ? STATUS_SKIP : STATUS_NO_LAB;
}
