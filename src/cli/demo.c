/* SPDX-License-Identifier: ISC */
/*
 * Design: the demonstration has no code of its own. It opens a lab and runs
 * this very program in it, once as the edge and once as the check, with the
 * options that anybody would type; so it shows what a user will get.
 *
 * Before the check starts, the router itself is asked whether its ALG is as
 * announced. A demonstration against an adversary that is not there would
 * prove nothing, so then there is none.
 */
#include "cli/demo.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/i18n.h"
#include "base/text.h"
#include "lab/lab.h"

enum {
	EDGE_READY_MS = 5000,
	CAPTURE_READY_MS = 5000,
	CAPTURE_LAG_MS = 800, /* dumpcap sees a packet up to 500 ms late */
	PATH_BYTES = 4096,
	N_ROWS = 3, /* of the picture */
	OPT_ALG = 1,
	OPT_HOPS,
	OPT_ALG_AT,
	OPT_NAT,
	OPT_CAPTURE,
};

struct demo {
	unsigned n_hops, alg_at;
	bool is_alg_on, is_nat_on, is_verbose;
	const char *format;      /* NULL: the check's own default */
	const char *capture_dir; /* NULL: none */
	const char *profile;     /* NULL: the check's own default */
};

/* Whatever a profile says, nothing may look for the real provider. */
static const char *const stay_home[] = {"PRUMO_STAY_HOME=1", NULL};

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

static void column_fill(struct column *c, const struct lab *lab,
                        const struct demo *demo, unsigned node)
{
	char name[LAB_ADDR_BYTES];
	const char *role = "";

	(void)snprintf(name, sizeof(name), "r%u", node);
	(void)snprintf(c->cells[0], LAB_ADDR_BYTES, "%s", name);
	if (lab_addr(c->cells[1], lab, name, false) != 0)
		c->cells[1][0] = '\0';
	if (node == demo->alg_at && demo->is_nat_on)
		role = demo->is_alg_on ? "NAT + SIP ALG" : "NAT";
	else if (node == demo->alg_at && demo->is_alg_on)
		role = "SIP ALG";
	(void)snprintf(c->cells[2], LAB_ADDR_BYTES, "%s", role);
}

static void row_show(const struct column *columns, unsigned n, size_t row)
{
	size_t gap = 1; /* owed before the next cell that is not empty */

	for (unsigned i = 0; i < n; i++) {
		const char *cell = columns[i].cells[row];
		size_t w = text_width(cell);
		bool is_joined = row == 0 && i + 1 < n;

		if (w) {
			(void)fprintf(stderr, "%*s %s%s", (int)gap, "", cell,
			              is_joined ? " " : "");
			gap = 0;
		} else {
			gap++;
		}
		for (w += is_joined; w < columns[i].width + 3; w++) {
			if (is_joined)
				(void)fputc('-', stderr);
			else
				gap++;
		}
	}
	(void)fputc('\n', stderr);
}

/* Names, addresses towards the client, and what each router does. */
static void picture_show(const struct lab *lab, const struct demo *demo)
{
	struct column columns[LAB_MAX_HOPS + 2] = {0};
	unsigned n = demo->n_hops + 2;

	(void)snprintf(columns[0].cells[0], LAB_ADDR_BYTES, "%s", _("client"));
	(void)snprintf(columns[0].cells[1], LAB_ADDR_BYTES, LAB_CLIENT_IP4);
	for (unsigned i = 1; i + 1 < n; i++)
		column_fill(&columns[i], lab, demo, i);
	(void)snprintf(columns[n - 1].cells[0], LAB_ADDR_BYTES, "%s",
	               _("server"));
	(void)snprintf(columns[n - 1].cells[1], LAB_ADDR_BYTES, LAB_SERVER_IP4);
	for (unsigned i = 0; i < n; i++) {
		for (size_t row = 0; row < N_ROWS; row++) {
			size_t w = text_width(columns[i].cells[row]);

			if (w > columns[i].width)
				columns[i].width = w;
		}
	}
	for (size_t row = 0; row < N_ROWS; row++)
		row_show(columns, n, row);
}

static int edge_start(struct lab *lab)
{
	/* The one identity that exists in there is already an unprivileged
	 * one outside; there is no other to drop to. */
	static const char *const argv[] = {"/proc/self/exe", "edge", "--user",
	                                   "root", NULL};
	struct lab_cmd cmd = {.argv = argv, .env = stay_home};
	int ends[2], err;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return errno;
	cmd.out_fd = ends[1];
	err = lab_spawn(&pid, lab, "server", &cmd);
	(void)close(ends[1]);
	/* The read end is kept: the edge may print more and must not die. */
	return err ? err : lab_await_line(ends[0], "ready", EDGE_READY_MS);
}

/* @return whether the adversary is what was asked for */
static bool alg_verify(struct lab *lab, const struct demo *demo)
{
	struct lab_alg alg;
	int err;

	err = lab_alg_read(&alg, lab, demo->alg_at);
	if (err) {
		cli_complain(&cli_demo,
		             _("the router's connection table cannot be read: "
		               "%s"),
		             strerror(err));
		return false;
	}
	if (demo->is_alg_on ? lab_alg_is_active(&alg) : lab_alg_is_absent(&alg))
		return true;
	if (demo->is_alg_on)
		cli_complain(&cli_demo,
		             _("the router's SIP ALG should be on and is not "
		               "(its timer says %u s), so there is nothing to "
		               "demonstrate"),
		             alg.timeout_s);
	else
		cli_complain(&cli_demo,
		             _("the router's SIP ALG should be off and is not "
		               "(its timer says %u s), so there is nothing to "
		               "demonstrate"),
		             alg.timeout_s);
	return false;
}

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

static int check_run(struct lab *lab, const struct demo *demo)
{
	const char *argv[8] = {"/proc/self/exe", "check", "--edge",
	                       LAB_SERVER_IP4};
	struct lab_cmd cmd = {.argv = argv, .env = stay_home};
	size_t n = 4;
	int status, err;

	if (demo->format) {
		argv[n++] = "-o";
		argv[n++] = demo->format;
	}
	if (demo->profile)
		argv[n++] = demo->profile;
	err = lab_run(&status, NULL, 0, lab, "client", &cmd, -1);
	return err ? CLI_INTERNAL : status;
}

static int demo_inside(struct lab *lab, void *arg)
{
	const struct demo *demo = arg;
	pid_t captures[2] = {0};
	int status, err;

	if (demo->is_verbose || isatty(STDERR_FILENO))
		picture_show(lab, demo);
	err = edge_start(lab);
	if (err) {
		cli_complain(&cli_demo, _("the edge does not start: %s"),
		             err == EPIPE ? _("it ended too early")
		                          : strerror(err));
		return CLI_COULD_NOT_TEST;
	}
	if (!alg_verify(lab, demo))
		return CLI_COULD_NOT_TEST;
	if (!demo->capture_dir)
		return check_run(lab, demo);
	if (!captures_start(captures, lab, demo))
		return CLI_COULD_NOT_TEST;
	status = check_run(lab, demo);
	(void)poll(NULL, 0, CAPTURE_LAG_MS);
	for (size_t i = 0; i < ARRAY_LEN(captures); i++)
		lab_stop(lab, captures[i]);
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
	switch (opt) {
	case OPT_ALG:
		return switch_read(&demo->is_alg_on, optarg);
	case OPT_NAT:
		return switch_read(&demo->is_nat_on, optarg);
	case OPT_HOPS:
		return hop_read(&demo->n_hops, optarg);
	case OPT_ALG_AT:
		return hop_read(&demo->alg_at, optarg);
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
	if (demo->alg_at > demo->n_hops) {
		(void)cli_usage_error(&cli_demo,
		                      _("there is no hop %u among %u"),
		                      demo->alg_at, demo->n_hops);
		return false;
	}
	return true;
}

static enum cli_status run(int argc, char *argv[])
{
	struct demo demo = {
		.n_hops = 2, .alg_at = 1, .is_alg_on = true, .is_nat_on = true};
	struct lab_spec spec = {0};
	enum cli_status ended;
	struct lab_why why;
	int status;

	if (!arguments_read(&ended, &demo, argc, argv))
		return ended;
	spec.n_hops = demo.n_hops;
	spec.hops[demo.alg_at - 1].has_alg = demo.is_alg_on;
	spec.hops[demo.alg_at - 1].has_nat = demo.is_nat_on;
	if (lab_enter(&status, &spec, demo_inside, &demo, &why) != 0) {
		cli_complain(&cli_demo, "%s", why.text);
		return CLI_COULD_NOT_TEST;
	}
	return (enum cli_status)status;
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
		"  -o, --output FORM  of the report: text or json (text)\n"
		"  --capture DIR      keep the packets of both sides of that "
		"router\n"
		"                     in DIR, as client.pcap and wan.pcap\n"
		"  -v, --verbose      show the network first\n"
		"  -h, --help         this text\n"),
	.run = run,
};
