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
#include <fcntl.h>
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "lab/lab.h"

enum {
	STATUS_NO_LAB = 3,
	STATUS_USAGE = 64,
	STATUS_SKIP = 77,
	MAX_BACKGROUND = 16,
	PATH_BYTES = 4096,
	READY_MS = 10000,
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
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

struct background {
	pid_t pid; /* 0: not started */
	char *node;
	const char *shell;
	bool is_awaited;
};

struct plan {
	struct lab_spec spec;
	struct background bg[MAX_BACKGROUND];
	size_t n_bg;
	unsigned udp_timeout_s;
	const char *words[LAB_MAX_HOPS];  /* NULL: the kernel's router */
	const char *truths[LAB_MAX_HOPS]; /* NULL: nobody asks */
	pid_t routers[LAB_MAX_HOPS];      /* 0: not started */
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

static int background_add(struct plan *plan, char *text, bool is_awaited)
{
	char *colon = strchr(text, ':');

	if (!colon || plan->n_bg == MAX_BACKGROUND)
		return EINVAL;
	*colon = '\0';
	plan->bg[plan->n_bg++] = (struct background){
		.node = text, .shell = colon + 1, .is_awaited = is_awaited};
	return 0;
}

static int hop_set(struct plan *plan, int opt, const char *text)
{
	struct lab_hop *hop;
	unsigned k;

	if (number(&k, text, LAB_MAX_HOPS) != 0)
		return EINVAL;
	hop = &plan->spec.hops[k - 1];
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
		plan->truths[k - 1] = colon + 1;
		return 0;
	}
	plan->words[k - 1] = colon + 1;
	plan->spec.hops[k - 1].is_program = true;
	return 0;
}

static int option_take(struct plan *plan, int opt)
{
	switch (opt) {
	case OPT_HOPS:
		return number(&plan->spec.n_hops, optarg, LAB_MAX_HOPS);
	case OPT_ALG_AT:
	case OPT_NAT_AT:
	case OPT_FIREWALL_AT:
	case OPT_SILENT_AT:
		return hop_set(plan, opt, optarg);
	case OPT_UDP_TIMEOUT:
		return number(&plan->udp_timeout_s, optarg, 86400);
	case OPT_IP6:
		plan->spec.has_ip6 = true;
		return 0;
	case OPT_ROUTER:
	case OPT_TRUTH:
		return router_set(plan, opt, optarg);
	case OPT_SERVER:
	case OPT_BACKGROUND:
		return background_add(plan, optarg, opt == OPT_SERVER);
	default:
		return EINVAL;
	}
}

/* Something set beyond the last router would be ignored in silence. */
static int hops_finish(struct plan *plan)
{
	for (unsigned i = 0; i < LAB_MAX_HOPS; i++) {
		struct lab_hop *hop = &plan->spec.hops[i];

		if (i >= plan->spec.n_hops &&
		    (hop->has_alg || hop->has_nat || hop->has_firewall ||
		     hop->is_silent || hop->is_program))
			return EINVAL;
		if (hop->has_nat || hop->has_firewall)
			hop->udp_timeout_s = plan->udp_timeout_s;
	}
	return 0;
}

static int background_start(struct lab *lab, struct background *bg)
{
	const char *const argv[] = {"sh", "-c", bg->shell, NULL};
	struct lab_cmd cmd = {.argv = argv};
	int ends[2], err;

	if (!bg->is_awaited)
		return lab_spawn(&bg->pid, lab, bg->node, &cmd);
	if (pipe2(ends, O_CLOEXEC) != 0)
		return errno;
	cmd.out_fd = ends[1];
	err = lab_spawn(&bg->pid, lab, bg->node, &cmd);
	(void)close(ends[1]);
	if (!err)
		err = lab_await_line(ends[0], "ready", READY_MS);
	/* The read end stays open as long as the lab: a server that prints
	 * more shall not die of it. */
	return err;
}

/* It lies beside this very program. */
static int router_path(char *path, size_t bytes)
{
	ssize_t n = readlink("/proc/self/exe", path, bytes - 1);
	const char *name = "prumo-lab-router";
	char *slash;

	if (n < 0)
		return errno;
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (!slash || (size_t)(slash + 1 - path) + strlen(name) >= bytes)
		return ENAMETOOLONG;
	(void)snprintf(slash + 1, bytes - (size_t)(slash + 1 - path), "%s",
	               name);
	return 0;
}

static int router_start(struct lab *lab, struct plan *plan, unsigned hop)
{
	char path[PATH_BYTES], node[8], mac[LAB_ADDR_BYTES] = "";
	char lan[LAB_ADDR_BYTES * 2], wan[LAB_ADDR_BYTES * 2];
	const char *truth = plan->truths[hop - 1];
	const char *const argv[] = {path,
	                            "--lan",
	                            lan,
	                            "--wan",
	                            wan,
	                            "--truth",
	                            truth ? truth : "/dev/null",
	                            plan->words[hop - 1],
	                            NULL};
	struct lab_cmd cmd = {.argv = argv};
	int ends[2], err;

	(void)snprintf(node, sizeof(node), "r%u", hop);
	err = router_path(path, sizeof(path));
	if (!err)
		err = lab_peer_mac(mac, lab, node, false);
	(void)snprintf(lan, sizeof(lan), "%s,%s", lab_dev(false), mac);
	if (!err)
		err = lab_peer_mac(mac, lab, node, true);
	(void)snprintf(wan, sizeof(wan), "%s,%s", lab_dev(true), mac);
	if (!err && pipe2(ends, O_CLOEXEC) != 0)
		err = errno;
	if (err)
		return err;
	cmd.out_fd = ends[1];
	err = lab_spawn(&plan->routers[hop - 1], lab, node, &cmd);
	(void)close(ends[1]);
	if (!err)
		err = lab_await_line(ends[0], "ready", READY_MS);
	(void)close(ends[0]);
	return err;
}

static int routers_start(struct lab *lab, struct plan *plan)
{
	for (unsigned hop = 1; hop <= plan->spec.n_hops; hop++) {
		int err = 0;

		if (plan->words[hop - 1])
			err = router_start(lab, plan, hop);
		if (!err)
			continue;
		(void)fprintf(stderr, "prumo-lab-run: r%u: %s\n", hop,
		              strerror(err));
		return err;
	}
	return 0;
}

static int backgrounds_start(struct lab *lab, struct plan *plan)
{
	for (size_t i = 0; i < plan->n_bg; i++) {
		struct background *bg = &plan->bg[i];
		int err;

		err = background_start(lab, bg);
		if (!err)
			continue;
		(void)fprintf(stderr, "prumo-lab-run: %s: %s: %s\n", bg->node,
		              bg->shell, strerror(err));
		return err;
	}
	return 0;
}

/* Some have something to finish, as a capture has its last packets. */
static void backgrounds_stop(struct lab *lab, const struct plan *plan)
{
	for (size_t i = plan->n_bg; i-- > 0;) {
		if (plan->bg[i].pid > 0)
			lab_stop(lab, plan->bg[i].pid);
	}
	for (unsigned i = 0; i < plan->spec.n_hops; i++) {
		if (plan->routers[i] > 0)
			lab_stop(lab, plan->routers[i]);
	}
}

static int alg_assert(struct lab *lab, unsigned hop)
{
	bool is_wanted = lab_spec(lab)->hops[hop - 1].has_alg;
	struct lab_alg alg;
	int err;

	err = lab_alg_read(&alg, lab, hop);
	if (err) {
		(void)fprintf(stderr, "prumo-lab-run: conntrack of r%u: %s\n",
		              hop, strerror(err));
		return err;
	}
	if (is_wanted ? lab_alg_is_active(&alg) : lab_alg_is_absent(&alg))
		return 0;
	(void)fprintf(stderr,
	              "prumo-lab-run: r%u: the ALG is %s (entry %d, helper %d, "
	              "timer %u s)\n",
	              hop, is_wanted ? "not active" : "active", alg.has_entry,
	              alg.has_helper, alg.timeout_s);
	return EPROTO;
}

static bool algs_are_as_asked(struct lab *lab)
{
	const struct lab_spec *spec = lab_spec(lab);

	for (unsigned hop = 1; hop <= spec->n_hops; hop++) {
		const struct lab_hop *h = &spec->hops[hop - 1];

		if ((h->has_alg || h->has_nat || h->has_firewall) &&
		    alg_assert(lab, hop))
			return false;
	}
	return true;
}

static int inside(struct lab *lab, void *arg)
{
	struct plan *plan = arg;
	const struct lab_cmd cmd = {.argv = plan->argv};
	int status, err;

	if (routers_start(lab, plan) != 0 ||
	    backgrounds_start(lab, plan) != 0 || !algs_are_as_asked(lab))
		return STATUS_NO_LAB;
	err = lab_run(&status, NULL, 0, lab, plan->node, &cmd, COMMAND_MS);
	if (err) {
		(void)fprintf(stderr, "prumo-lab-run: %s: %s\n", plan->node,
		              strerror(err));
		return STATUS_NO_LAB;
	}
	backgrounds_stop(lab, plan);
	return status;
}

static int usage_fail(void)
{
	(void)fputs(usage, stderr);
	return STATUS_USAGE;
}

int main(int argc, char *argv[])
{
	struct plan plan = {.spec.n_hops = 2};
	struct lab_why why;
	int opt, status, err;

	(void)setlocale(LC_ALL, "");
	/* The leading plus stops at NODE: the rest belongs to the command. */
	while ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (opt == OPT_HELP)
			return fputs(usage, stdout) < 0;
		if (option_take(&plan, opt) != 0)
			return usage_fail();
	}
	if (argc - optind < 2 || hops_finish(&plan) != 0)
		return usage_fail();
	plan.node = argv[optind];
	plan.argv = (const char *const *)&argv[optind + 1];
	err = lab_enter(&status, &plan.spec, inside, &plan, &why);
	if (!err)
		return status;
	(void)fprintf(stderr, "prumo-lab-run: %s\n", why.text);
	return err == EPERM ? STATUS_SKIP : STATUS_NO_LAB;
}
