/* SPDX-License-Identifier: ISC */
/*
 * prumo lab: list, show, run and shell.
 *
 * Design: a scenario is opened, one thing is run in one of its nodes, and
 * all of it is gone again; so there is no lab to forget about, and two users
 * of one machine cannot meet.
 */
#include "cli/lab.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/i18n.h"
#include "base/text.h"
#include "cli/scenario.h"
#include "cli/terminal.h"
#include "lab/plan.h"
#include "lab/stage.h"

enum {
	MAX_SEED = INT32_MAX,
	PROMPT_BYTES = 160,
	OPT_IN = 1,
	OPT_SEED,
	OPT_TRUTH,
};

struct visit {
	const struct lab_scenario *scenario;
	struct lab_stage_opts opts;
	const char *node;
	const char *const *argv; /* NULL: a shell */
};

static const struct option options[] = {
	{"in", required_argument, NULL, OPT_IN},
	{"seed", required_argument, NULL, OPT_SEED},
	{"truth", required_argument, NULL, OPT_TRUTH},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static int command_run(int *statusp, struct lab *lab, const struct visit *v,
                       const struct lab_stage *stage)
{
	const struct lab_cmd cmd = {.argv = v->argv,
	                            .env = lab_stage_env(stage)};

	return lab_run(statusp, NULL, 0, lab, v->node, &cmd, -1);
}

/* A shell that reads nobody's settings, so that the prompt says where one
 * is; without a terminal it reads commands. */
static int shell_run(int *statusp, struct lab *lab, const struct visit *v,
                     const struct lab_stage *stage)
{
	static const char *const shells[][4] = {
		{"bash", "--norc", "--noprofile", NULL},
		{"sh", NULL},
	};
	const char *env[LAB_STAGE_MAX_ENV + 3];
	const char *const *given = lab_stage_env(stage);
	bool has_bash = access("/bin/bash", X_OK) == 0;
	struct lab_cmd cmd = {.argv = shells[has_bash ? 0 : 1], .env = env};
	char prompt[PROMPT_BYTES];
	size_t n = 0;

	for (; given[n]; n++)
		env[n] = given[n];
	(void)snprintf(prompt, sizeof(prompt), "PS1=[%.80s: %s] $ ",
	               v->scenario->name, v->node);
	env[n++] = prompt;
	env[n++] = "ENV="; /* what sh would read first */
	env[n] = NULL;
	if (isatty(STDIN_FILENO))
		return cli_terminal_run(statusp, lab, v->node, &cmd);
	return lab_run(statusp, NULL, 0, lab, v->node, &cmd, -1);
}

static int inside(struct lab *lab, void *arg)
{
	const struct visit *v = arg;
	struct lab_stage *stage;
	struct lab_why why = {0};
	int status = CLI_INTERNAL, err;

	if (lab_stage_open(&stage, lab, v->scenario, &v->opts, &why) != 0) {
		cli_complain(&cli_lab, "%s", why.text);
		return CLI_COULD_NOT_TEST;
	}
	err = v->argv ? command_run(&status, lab, v, stage)
	              : shell_run(&status, lab, v, stage);
	if (err)
		cli_complain(&cli_lab, "%s: %s", v->node, strerror(err));
	lab_stage_close(stage);
	return err ? CLI_INTERNAL : status;
}

static enum cli_status visit(struct visit *v)
{
	bool is_terminal = false;
	struct termios own;
	struct lab_why why = {0};
	int status, err;

	if (!v->argv && isatty(STDIN_FILENO)) {
		(void)fprintf(stderr, "%s\n\n", v->scenario->summary);
		cli_scenario_draw(stderr, v->scenario);
		(void)fprintf(stderr, "\n%s\n",
		              _("'exit' ends the lab, and everything in it."));
		is_terminal = tcgetattr(STDIN_FILENO, &own) == 0;
	}
	err = lab_enter(&status, &v->scenario->spec, inside, v, &why);
	/* Whoever was killed inside could not. */
	if (is_terminal)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &own);
	if (err) {
		cli_complain(&cli_lab, "%s", why.text);
		return CLI_COULD_NOT_TEST;
	}
	return (enum cli_status)status;
}

/* "K:FILE" */
static int truth_set(struct lab_stage_opts *opts, const char *text)
{
	if (text[0] < '1' || text[0] > '0' + LAB_MAX_HOPS || text[1] != ':' ||
	    !text[2])
		return EBADMSG;
	opts->truths[text[0] - '1'] = text + 2;
	return 0;
}

static int option_take(struct visit *v, int opt)
{
	switch (opt) {
	case OPT_IN:
		v->node = optarg;
		return 0;
	case OPT_SEED:
		v->opts.has_seed = true;
		return text_u64(&v->opts.seed, slice_str(optarg), MAX_SEED);
	case OPT_TRUTH:
		return truth_set(&v->opts, optarg);
	default:
		return EINVAL;
	}
}

static void show(const struct lab_scenario *s)
{
	char text[ADDR_TEXT_BYTES];

	(void)printf("%s: %s\n\n", s->name, s->summary);
	cli_scenario_draw(stdout, s);
	for (unsigned hop = 1; hop <= s->spec.n_hops; hop++) {
		if (s->words[hop - 1])
			(void)printf("\nr%u: %s\n", hop, s->words[hop - 1]);
	}
	for (unsigned i = 2; i <= s->spec.n_clients; i++) {
		lab_client_addr(text, i, false);
		(void)printf("\nclient%u: %s\n", i, text);
	}
	for (size_t i = 0; i < s->n_servers; i++) {
		const struct lab_server *server = &s->servers[i];

		(void)printf("\nserver: %s, %s\n", server->service->name,
		             _(server->service->summary));
		for (size_t at = 0; at < server->n_at; at++)
			(void)printf("  %s\n",
			             addr_ip_text(&server->at[at], text));
		for (size_t k = 0; server->service->slots[k].name; k++) {
			(void)printf("  %s:", server->service->slots[k].name);
			for (size_t n = 0; n < server->n_ports[k]; n++)
				(void)printf(" %u", server->ports[k][n]);
			(void)putchar('\n');
		}
	}
}

/* Said before anything runs: what nobody could write would be lost. */
static int truths_check(const struct visit *v)
{
	for (unsigned hop = 1; hop <= LAB_MAX_HOPS; hop++) {
		const char *path = v->opts.truths[hop - 1];
		FILE *f;

		if (!path)
			continue;
		if (hop > v->scenario->spec.n_hops ||
		    !v->scenario->spec.hops[hop - 1].is_program) {
			cli_complain(&cli_lab,
			             _("r%u of this scenario is not a "
			               "program, which could say what it did"),
			             hop);
			return EINVAL;
		}
		f = fopen(path, "ae");
		if (!f || fclose(f) != 0) {
			cli_complain(&cli_lab, "%s: %s", path, strerror(errno));
			return EINVAL;
		}
	}
	return 0;
}

static enum cli_status verb_run(const char *verb, struct visit *v, int argc,
                                char *argv[])
{
	bool is_run = strcmp(verb, "run") == 0;
	unsigned node;

	if (strcmp(verb, "show") == 0 && argc == 1) {
		show(v->scenario);
		return CLI_READY;
	}
	if (is_run && argc < 2)
		return cli_usage_error(&cli_lab, _("there is no command"));
	if (!is_run && argc > 1)
		return cli_usage_error(&cli_lab, _("unexpected argument '%s'"),
		                       argv[1]);
	if (lab_plan_node(&node, &v->scenario->spec, v->node) != 0)
		return cli_usage_error(
			&cli_lab, _("there is no node '%s' here"), v->node);
	if (truths_check(v) != 0)
		return CLI_USAGE;
	if (is_run)
		v->argv = (const char *const *)argv + 1;
	return visit(v);
}

static bool is_verb(const char *word)
{
	return strcmp(word, "show") == 0 || strcmp(word, "run") == 0 ||
	       strcmp(word, "shell") == 0;
}

static enum cli_status arguments_run(struct visit *v, int argc, char *argv[])
{
	enum cli_status status;
	struct arena arena;

	if (argc < 1)
		return cli_usage_error(
			&cli_lab, _("say one of list, show, run and shell"));
	if (strcmp(argv[0], "list") == 0)
		return argc == 1
		               ? cli_scenario_list(&cli_lab)
		               : cli_usage_error(&cli_lab,
		                                 _("unexpected argument '%s'"),
		                                 argv[1]);
	if (!is_verb(argv[0]))
		return cli_usage_error(
			&cli_lab,
			_("'%s' is none of list, show, run and shell"),
			argv[0]);
	if (argc < 2)
		return cli_usage_error(&cli_lab, _("there is no scenario"));
	arena_init(&arena);
	status = cli_scenario_load(&v->scenario, &arena, &cli_lab, argv[1]);
	if (status == CLI_READY)
		status = verb_run(argv[0], v, argc - 1, argv + 1);
	arena_fini(&arena);
	return status;
}

static enum cli_status run(int argc, char *argv[])
{
	struct visit v = {.node = "client"};
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (opt == 'h') {
			cli_usage(stdout, &cli_lab);
			return CLI_READY;
		}
		if (opt == '?')
			return cli_bad_option(&cli_lab, argv);
		if (option_take(&v, opt) != 0)
			return cli_usage_error(&cli_lab,
			                       _("'%s' is not what this option "
			                         "takes"),
			                       optarg);
	}
	return arguments_run(&v, argc - optind, argv + optind);
}

const struct cli_cmd cli_lab = {
	.name = "lab",
	.args = "list | show SCENARIO | run [OPTION]... SCENARIO -- COMMAND... "
		"| shell [OPTION]... SCENARIO",
	.summary = N_("Open a network inside this machine and run something "
                      "in it"),
	.options = N_("  --in NODE        where: client, client2..., r1..., or "
                      "server (client)\n"
                      "  --seed N         of routers that play dice (the "
                      "scenario's)\n"
                      "  --truth K:FILE   what router K did, as JSON, if it "
                      "is a program\n"
                      "  -h, --help       this text\n"),
	.run = run,
};
