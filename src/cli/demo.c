/* SPDX-License-Identifier: ISC */
/*
 * Design: the demonstration has no code of its own. It opens a lab and runs
 * this very program in it, once as the edge and once as the check, with the
 * options that anybody would type; so it shows what a user will get. The
 * hosts of the profile are moved to the lab's server by such options too.
 *
 * Before the check starts, the router itself is asked whether its ALG is as
 * announced. A demonstration against an adversary that is not there would
 * prove nothing, so then there is none.
 */
#include "cli/demo.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/i18n.h"
#include "base/text.h"
#include "cli/demo_places.h"
#include "cli/profile.h"
#include "cli/scenario.h"
#include "lab/stage.h"
#include "profile/ports.h"

enum {
	CAPTURE_READY_MS = 5000,
	CAPTURE_LAG_MS = 800, /* dumpcap sees a packet up to 500 ms late */
	PATH_BYTES = 4096,
	OPT_ALG = 1,
	OPT_HOPS,
	OPT_ALG_AT,
	OPT_NAT,
	OPT_CAPTURE,
	OPT_SCENARIO,
	OPT_SEED,
};

struct demo {
	unsigned n_hops, alg_at;
	bool is_alg_on, is_nat_on, is_verbose;
	const char *format;      /* NULL: the check's own default */
	const char *capture_dir; /* NULL: none */
	const char *profile;     /* NULL: the one that check takes */
	const char *name;        /* of a scenario; NULL: the options' own */
	bool has_network;        /* options that describe one */
	const struct lab_scenario *scenario;
	struct cli_demo_places places; /* none: nobody answers for the hosts */
	struct lab_stage_opts opts;
};

static int capture_start(pid_t *pidp, struct lab *lab, const struct demo *demo,
                         bool is_wan)
{
	char path[PATH_BYTES], line[PATH_BYTES + 8], node[8];
	const char *const argv[] = {"dumpcap",       "-q", "-P", "-i",
	                            lab_dev(is_wan), "-w", path, NULL};
	struct lab_cmd cmd = {.argv = argv};
	int ends[2], err;

	(void)snprintf(path, sizeof(path), "%s/%s", demo->capture_dir,
	               is_wan ? "wan.pcap" : "client.pcap");
	(void)snprintf(line, sizeof(line), "File: %s", path);
	(void)snprintf(node, sizeof(node), "r%u", demo->alg_at);
	if (pipe2(ends, O_CLOEXEC) != 0)
		return errno;
	cmd.err_fd = ends[1];
	err = lab_spawn(pidp, lab, node, &cmd);
	(void)close(ends[1]);
	if (err)
		return err;
	err = lab_await_line(ends[0], line, CAPTURE_READY_MS);
	if (err)
		lab_stop(lab, *pidp);
	return err;
}

/* @param pids  Out: the captures on both sides of the router */
static bool captures_start(pid_t *pids, struct lab *lab,
                           const struct demo *demo)
{
	if (mkdir(demo->capture_dir, 0777) != 0 && errno != EEXIST) {
		cli_complain(&cli_demo, "%s: %s", demo->capture_dir,
		             strerror(errno));
		return false;
	}
	for (size_t i = 0; i < 2; i++) {
		if (capture_start(&pids[i], lab, demo, i == 1) == 0)
			continue;
		cli_complain(&cli_demo,
		             _("the packets cannot be captured into %s; that "
		               "needs dumpcap (on Debian: sudo apt install "
		               "wireshark-common) and a directory to write to"),
		             demo->capture_dir);
		return false;
	}
	return true;
}

/* Whom the check can ask: an edge, or else any SIP server. */
static const struct lab_server *server_find(const struct lab_scenario *s,
                                            bool *is_edge)
{
	static const char *const known[] = {"edge", "kamailio", "sipp"};

	for (size_t k = 0; k < ARRAY_LEN(known); k++) {
		for (size_t i = 0; i < s->n_servers; i++) {
			*is_edge = k == 0;
			if (strcmp(s->servers[i].service->name, known[k]) == 0)
				return &s->servers[i];
		}
	}
	return NULL;
}

static int check_run(struct lab *lab, const struct demo *demo,
                     const struct lab_stage *stage)
{
	char at[ADDR_TEXT_BYTES] = LAB_SERVER_IP4;
	bool is_edge = true;
	const struct lab_server *server = server_find(demo->scenario, &is_edge);
	const char *argv[10 + CLI_DEMO_PLACES_MAX] = {
		"/proc/self/exe", "check", is_edge ? "--edge" : "--server", at};
	struct lab_cmd cmd = {.argv = argv, .env = lab_stage_env(stage)};
	size_t n = 4;
	int status, err;

	if (server && server->n_at)
		(void)addr_ip_text(&server->at[0], at);
	if (demo->format) {
		argv[n++] = "-o";
		argv[n++] = demo->format;
	}
	for (size_t i = 0; i < demo->places.n; i++)
		argv[n++] = demo->places.words[i];
	if (demo->places.has_services) {
		argv[n++] = "--dns";
		argv[n++] = at;
	}
	if (demo->profile)
		argv[n++] = demo->profile;
	err = lab_run(&status, NULL, 0, lab, "client", &cmd, -1);
	return err ? CLI_INTERNAL : status;
}

static int demo_captured(struct lab *lab, const struct demo *demo,
                         const struct lab_stage *stage)
{
	pid_t captures[2] = {0};
	int status;

	if (!demo->capture_dir)
		return check_run(lab, demo, stage);
	if (!captures_start(captures, lab, demo))
		return CLI_COULD_NOT_TEST;
	status = check_run(lab, demo, stage);
	(void)poll(NULL, 0, CAPTURE_LAG_MS);
	for (size_t i = 0; i < ARRAY_LEN(captures); i++)
		lab_stop(lab, captures[i]);
	return status;
}

static int demo_inside(struct lab *lab, void *arg)
{
	const struct demo *demo = arg;
	struct lab_stage *stage;
	struct lab_why why = {0};
	int status;

	if (demo->is_verbose || isatty(STDERR_FILENO))
		cli_scenario_draw(stderr, demo->scenario);
	if (lab_stage_open(&stage, lab, demo->scenario, &demo->opts, &why)) {
		cli_complain(&cli_demo, "%s", why.text);
		return CLI_COULD_NOT_TEST;
	}
	status = demo_captured(lab, demo, stage);
	lab_stage_close(stage);
	return status;
}

static bool switch_read(bool *is_on, const char *text)
{
	if (strcmp(text, "on") != 0 && strcmp(text, "off") != 0)
		return false;
	*is_on = text[1] == 'n';
	return true;
}

static bool hop_read(unsigned *hop, const char *text)
{
	uint64_t v;

	if (text_u64(&v, slice_str(text), LAB_MAX_HOPS) != 0 || v == 0)
		return false;
	*hop = (unsigned)v;
	return true;
}

static bool option_take(struct demo *demo, int opt)
{
	demo->has_network |= opt == OPT_ALG || opt == OPT_NAT ||
	                     opt == OPT_HOPS || opt == OPT_ALG_AT;
	switch (opt) {
	case OPT_ALG:
		return switch_read(&demo->is_alg_on, optarg);
	case OPT_NAT:
		return switch_read(&demo->is_nat_on, optarg);
	case OPT_HOPS:
		return hop_read(&demo->n_hops, optarg);
	case OPT_ALG_AT:
		return hop_read(&demo->alg_at, optarg);
	case OPT_SCENARIO:
		demo->name = optarg;
		return true;
	case OPT_SEED:
		demo->opts.has_seed = true;
		return text_u64(&demo->opts.seed, slice_str(optarg),
		                INT32_MAX) == 0;
	case OPT_CAPTURE:
		demo->capture_dir = optarg;
		return strlen(optarg) < PATH_BYTES - 16;
	case 'o':
		demo->format = optarg;
		return strcmp(optarg, "text") == 0 ||
		       strcmp(optarg, "json") == 0;
	case 'v':
		demo->is_verbose = true;
		return true;
	default:
		return false;
	}
}

static const struct option options[] = {
	{"alg", required_argument, NULL, OPT_ALG},
	{"hops", required_argument, NULL, OPT_HOPS},
	{"alg-at", required_argument, NULL, OPT_ALG_AT},
	{"nat", required_argument, NULL, OPT_NAT},
	{"capture", required_argument, NULL, OPT_CAPTURE},
	{"scenario", required_argument, NULL, OPT_SCENARIO},
	{"seed", required_argument, NULL, OPT_SEED},
	{"output", required_argument, NULL, 'o'},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

/* @return whether to go on; else the command ends with @p statusp */
static bool arguments_read(enum cli_status *statusp, struct demo *demo,
                           int argc, char *argv[])
{
	int opt;

	*statusp = CLI_USAGE;
	opterr = 0;
	while ((opt = getopt_long(argc, argv, "o:vh", options, NULL)) != -1) {
		if (opt == 'h') {
			cli_usage(stdout, &cli_demo);
			*statusp = CLI_READY;
			return false;
		}
		if (opt == '?') {
			(void)cli_bad_option(&cli_demo, argv);
			return false;
		}
		if (!option_take(demo, opt)) {
			(void)cli_usage_error(&cli_demo,
			                      _("'%s' is not what this option "
			                        "takes"),
			                      optarg);
			return false;
		}
	}
	if (argc - optind > 1) {
		(void)cli_usage_error(&cli_demo, _("unexpected argument '%s'"),
		                      argv[optind + 1]);
		return false;
	}
	demo->profile = argv[optind];
	if (demo->name && demo->has_network) {
		(void)cli_usage_error(&cli_demo,
		                      _("a scenario is the whole network: "
		                        "--alg, --hops, --alg-at and --nat do "
		                        "not go with it"));
		return false;
	}
	if (demo->alg_at > demo->n_hops) {
		(void)cli_usage_error(&cli_demo,
		                      _("there is no hop %u among %u"),
		                      demo->alg_at, demo->n_hops);
		return false;
	}
	return true;
}

/* The network that the options describe. */
static void options_build(struct lab_scenario *s, const struct demo *demo)
{
	*s = (struct lab_scenario){.name = "demo", .summary = "", .seed = 1};
	s->spec.n_hops = demo->n_hops;
	s->spec.hops[demo->alg_at - 1].has_alg = demo->is_alg_on;
	s->spec.hops[demo->alg_at - 1].has_nat = demo->is_nat_on;
}

static bool is_taken(const struct lab_scenario *s, const struct addr *a)
{
	for (size_t i = 0; i < s->n_servers; i++) {
		for (size_t k = 0; k < s->servers[i].n_at; k++) {
			if (addr_ip_eq(&s->servers[i].at[k], a))
				return true;
		}
	}
	return false;
}

/* Beside servers of the scenario: at an address of its own, if there is one,
 * so that they do not want the same port. */
static void edge_add(struct lab_scenario *s)
{
	static const char *const own[] = {LAB_SERVER_IP4, LAB_SERVER2_IP4};
	struct lab_server *edge = &s->servers[s->n_servers];
	struct addr at;

	if (s->n_servers == LAB_MAX_SERVERS)
		return;
	lab_server_init(edge, lab_service_find(slice_str("edge")));
	for (size_t i = 0; s->n_servers && i < ARRAY_LEN(own); i++) {
		if (addr_parse(&at, slice_str(own[i])) != 0 || is_taken(s, &at))
			continue;
		edge->at[0] = at;
		edge->n_at = 1;
		break;
	}
	s->n_servers++;
}

/* It is asked at its own address, too, at the ports of the profile. */
static void edge_take_ports(struct lab_server *edge, const struct profile *p)
{
	struct profile_sip_ports of = {0};
	uint16_t by_slot[3];

	profile_sip_ports(&of, p);
	by_slot[0] = of.sip;
	by_slot[1] = of.sip_alt;
	by_slot[2] = of.tls;
	for (size_t slot = 0; slot < ARRAY_LEN(by_slot); slot++) {
		if (by_slot[slot] && edge->n_ports[slot])
			edge->ports[slot][0] = by_slot[slot];
	}
}

/*
 * Only where the edge is alone: a scenario with servers of its own has its
 * own answers to who is where, and an edge on every port would be in their
 * way.
 */
static enum cli_status profile_place(struct demo *demo, struct lab_scenario *s,
                                     struct arena *arena)
{
	const char *name = demo->profile ? demo->profile : CLI_PROFILE_DEFAULT;
	struct lab_server *edge = &s->servers[0];
	char path[PATH_MAX], real[PATH_MAX];
	struct profile *profile;
	enum cli_status status;
	int err;

	status = cli_profile_load(&profile, path, &cli_demo, name);
	if (status != CLI_READY)
		return status;
	if (s->n_servers == 1 && edge->n_at == 0 &&
	    strcmp(edge->service->name, "edge") == 0) {
		/* The edge is started in a folder of its own. */
		err = realpath(path, real) ? 0 : errno;
		if (!err)
			err = cli_demo_places_make(&demo->places, &s->spec,
			                           arena, profile, real);
		edge->words = demo->places.words;
		edge_take_ports(edge, profile);
		if (err) {
			cli_complain(&cli_demo, "%s: %s", path, strerror(err));
			status = CLI_INTERNAL;
		}
	}
	profile_free(profile);
	return status;
}

static enum cli_status scenario_make(struct lab_scenario *own,
                                     struct demo *demo, struct arena *arena)
{
	enum cli_status status = CLI_READY;
	bool is_edge;

	if (demo->name)
		status = cli_scenario_load(&demo->scenario, arena, &cli_demo,
		                           demo->name);
	else
		options_build(own, demo);
	if (status != CLI_READY)
		return status;
	if (demo->name)
		*own = *demo->scenario;
	if (!server_find(own, &is_edge))
		edge_add(own);
	demo->scenario = own;
	if (demo->alg_at > own->spec.n_hops)
		demo->alg_at = own->spec.n_hops;
	return profile_place(demo, own, arena);
}

static enum cli_status run(int argc, char *argv[])
{
	struct demo demo = {
		.n_hops = 2, .alg_at = 1, .is_alg_on = true, .is_nat_on = true};
	struct lab_scenario scenario = {0};
	enum cli_status ended;
	struct arena arena;
	struct lab_why why = {0};
	int status;

	if (!arguments_read(&ended, &demo, argc, argv))
		return ended;
	arena_init(&arena);
	ended = scenario_make(&scenario, &demo, &arena);
	if (ended != CLI_READY)
		goto out;
	if (lab_enter(&status, &scenario.spec, demo_inside, &demo, &why) != 0) {
		cli_complain(&cli_demo, "%s", why.text);
		ended = CLI_COULD_NOT_TEST;
	} else {
		ended = (enum cli_status)status;
	}

out:
	arena_fini(&arena);
	return ended;
}

const struct cli_cmd cli_demo = {
	.name = "demo",
	.args = "[OPTION]... [PROFILE]",
	.summary = N_("Watch a real SIP ALG being caught, on a network inside "
                      "this machine"),
	.options = N_(
		"  --alg on|off       the router's SIP ALG (on)\n"
		"  --hops N           routers on the way, 1 to 8 (2)\n"
		"  --alg-at K         which of them has the ALG (1)\n"
		"  --nat on|off       whether that router translates (on)\n"
		"  --scenario NAME    open this scenario; without the four "
		"above\n"
		"  --seed N           of routers that play dice (the "
		"scenario's)\n"
		"  -o, --output FORM  of the report: text or json (text)\n"
		"  --capture DIR      keep the packets of both sides of that "
		"router\n"
		"                     in DIR, as client.pcap and wan.pcap\n"
		"  -v, --verbose      show the network first\n"
		"  -h, --help         this text\n"),
	.run = run,
};
