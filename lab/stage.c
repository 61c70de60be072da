/* SPDX-License-Identifier: ISC */
/*
 * Design: files of servers go into a file system in memory that is mounted
 * over a directory which nobody needs in a lab. The mount namespace is the
 * lab's own, so nobody else sees it, and it ends with the lab, in whatever
 * way that ends; there is nothing to clean.
 *
 * The same trick gives the lab its own /etc/resolv.conf and nsswitch.conf:
 * else a program inside could ask the machine's resolver, by a socket in the
 * file system, and a name would leave the lab.
 */
#include "lab/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "lab/ask.h"
#include "lab/cert.h"
#include "lab/relay.h"
#include "lab/world.h"

enum {
	READY_MS = 15000,
	ARGV_MAX_WORDS = 100,
	PATH_BYTES = 128,
	LOG_BYTES = 600, /**< of it, what a complaint quotes */
	ENV_BYTES = 160,
	SEED_HOP_BITS = 40, /**< above any seed that is asked for */
	MAX_STARTED = LAB_MAX_HOPS + LAB_MAX_SERVERS + LAB_MAX_PROGRAMS,
};

struct lab_stage {
	struct lab *lab;
	const struct lab_scenario *scenario;
	const struct lab_stage_opts *opts;
	struct lab_why *why;
	const char *dir; /* in memory; never freed */
	char ca[PATH_BYTES];
	char self[PATH_MAX]; /* this very program */
	struct lab_authority authority;
	pid_t started[MAX_STARTED];
	size_t n_started;
	char env_text[LAB_STAGE_MAX_ENV][ENV_BYTES];
	const char *env[LAB_STAGE_MAX_ENV + 1];
};

static int dir_make(struct lab_stage *st)
{
	/* What system programs lock serial lines by, and what starts a
	 * computer: one of them is everywhere. */
	static const char *const places[] = {"/run/lock", "/boot"};
	int err = ENOENT;

	for (size_t i = 0; i < ARRAY_LEN(places) && !st->dir; i++) {
		if (mount("lab", places[i], "tmpfs", MS_NOSUID | MS_NODEV,
		          "mode=0755") == 0)
			st->dir = places[i];
		else
			err = errno;
	}
	if (st->dir)
		return 0;
	return lab_why_set(st->why, err,
	                   _("The lab cannot mount a file system in memory "
	                     "for its servers: %s."),
	                   strerror(err));
}

static int file_write(const char *path, struct slice text)
{
	FILE *f = fopen(path, "we");
	bool is_ok = f && fwrite(text.p, 1, text.n, f) == text.n;

	if (f && fclose(f) != 0)
		is_ok = false;
	return is_ok ? 0 : EIO;
}

/* Lay a text over a file of the system, for this lab alone. */
static int file_cover(struct lab_stage *st, const char *name, const char *over,
                      struct slice text)
{
	char path[PATH_BYTES];
	int err;

	if (access(over, F_OK) != 0)
		return 0; /* then nobody reads it */
	(void)snprintf(path, sizeof(path), "%s/%s", st->dir, name);
	err = file_write(path, text);
	if (!err && mount(path, over, NULL, MS_BIND, NULL) != 0)
		err = errno;
	return err ? lab_why_set(st->why, err, "%s: %s", over, strerror(err))
	           : 0;
}

static int resolver_make(struct lab_stage *st)
{
	static const char order[] = "passwd: files\ngroup: files\n"
				    "hosts: files dns\nservices: files\n";
	const struct lab_scenario *s = st->scenario;
	char text[ADDR_TEXT_BYTES];
	struct wr w = wr_init_heap();
	int err;

	for (size_t i = 0; i < s->n_servers; i++) {
		const struct lab_server *server = &s->servers[i];

		if (strcmp(server->service->name, "dnsmasq") == 0 &&
		    server->n_at)
			wr_fmt(&w, "nameserver %s\n",
			       addr_ip_text(&server->at[0], text));
	}
	if (!w.n)
		wr_str(&w, "nameserver 127.0.0.1\n");
	wr_str(&w, "options timeout:1 attempts:2\n");
	err = w.bad ? lab_why_set(st->why, ENOMEM, "%s", strerror(ENOMEM))
	            : file_cover(st, "resolv.conf", "/etc/resolv.conf",
	                         wr_slice(&w));
	if (!err)
		err = file_cover(st, "nsswitch.conf", "/etc/nsswitch.conf",
		                 slice_str(order));
	wr_fini(&w);
	return err;
}

static int started_add(struct lab_stage *st, pid_t pid)
{
	st->started[st->n_started++] = pid;
	return 0;
}

/* The LAN's other hosts, whom the router must not take for the first. */
static int hosts_add(struct lab_relay *relay, const struct lab *lab)
{
	char text[LAB_ADDR_BYTES];
	int err = 0;

	for (unsigned i = 2; i <= lab_plan_n_clients(&lab->spec) && !err; i++) {
		for (int is_ip6 = 0; is_ip6 < 2 && !err; is_ip6++) {
			struct lab_relay_host *host =
				&relay->hosts[relay->n_hosts++];

			lab_client_addr(text, i, is_ip6);
			err = addr_parse(&host->ip, slice_str(text));
			lab_plan_client_mac(text, i);
			if (!err)
				err = lab_relay_mac(host->mac, slice_str(text));
		}
	}
	return err;
}

static int words_take(struct lab_relay *relay, const struct lab_stage *st,
                      unsigned hop)
{
	const char *word, *need;
	struct slice bad;
	int err = router_conf_read(&relay->conf, &bad,
	                           slice_str(st->scenario->words[hop - 1]));

	if (err == EEXIST)
		return lab_why_set(
			st->why, EBADMSG,
			_("'%.*s' comes after another value for the same word; "
		          "expected one of them"),
			(int)bad.n, (const char *)bad.p);
	if (err)
		return lab_why_set(st->why, EBADMSG,
		                   _("the router does not know '%.*s'"),
		                   (int)bad.n, (const char *)bad.p);
	if (router_conf_check(&relay->conf, &word, &need) != 0)
		return lab_why_set(
			st->why, EBADMSG,
			_("'%s' does nothing without '%s'; expected both"),
			word, need);
	return 0;
}

static int relay_prepare(struct lab_relay *relay, const struct lab_stage *st,
                         unsigned hop, const char *node)
{
	const struct lab_stage_opts *opts = st->opts;
	uint64_t seed = opts->has_seed ? opts->seed : st->scenario->seed;
	char mac[LAB_ADDR_BYTES];
	int err = 0;

	lab_relay_init(relay);
	/* Each its own, or all would lose the same packets; and far apart, as
	 * a router takes the numbers after it for its two directions. */
	relay->conf.seed = seed * LAB_MAX_HOPS + 1 +
	                   ((uint64_t)(hop - 1) << SEED_HOP_BITS);
	relay->truth = opts->truths[hop - 1];
	for (int side = 0; side < 2 && !err; side++) {
		relay->devices[side] = lab_dev(side == ROUTER_WAN);
		err = lab_peer_mac(mac, st->lab, node, side == ROUTER_WAN);
		if (!err)
			err = lab_relay_mac(relay->peers[side], slice_str(mac));
	}
	if (!err && hop == 1)
		err = hosts_add(relay, st->lab);
	return err ? lab_why_set(st->why, err, "%s: %s", node, strerror(err))
	           : words_take(relay, st, hop);
}

static int not_ready(struct lab_stage *st, const char *node, const char *what,
                     int err)
{
	if (err == EPIPE) /* its words ended */
		return lab_why_set(st->why, err,
		                   _("%s: '%s' ended before it was ready"),
		                   node, what);
	return lab_why_set(st->why, err, "%s: %s: %s", node, what,
	                   strerror(err));
}

static int relay_run(void *arg)
{
	int err;

	/* So that ps and bench/forward.py can tell it from who forked it. */
	(void)prctl(PR_SET_NAME, "prumo-lab-router");
	err = lab_relay_run(arg);
	if (err)
		(void)fprintf(stderr, "prumo-lab-router: %s\n", strerror(err));
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int router_start(struct lab_stage *st, unsigned hop)
{
	struct lab_relay relay;
	int ends[2], err;
	char node[8];
	pid_t pid;

	(void)snprintf(node, sizeof(node), "r%u", hop);
	err = relay_prepare(&relay, st, hop, node);
	if (err)
		return err;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return lab_why_set(st->why, errno, "pipe: %s", strerror(errno));
	relay.ready_fd = ends[1];
	err = lab_fork(&pid, st->lab, node, relay_run, &relay);
	(void)close(ends[1]);
	if (!err)
		err = started_add(st, pid);
	if (!err)
		err = lab_await_line(ends[0], "ready", READY_MS);
	(void)close(ends[0]);
	return err ? not_ready(st, node, "prumo-lab-router", err) : 0;
}

static int cert_make(struct lab_stage *st, const struct lab_site *site)
{
	const struct lab_server *s = site->server;
	int err = 0;

	if (!st->authority.key)
		err = lab_authority_init(&st->authority, st->ca);
	if (!err)
		err = lab_cert_make(&st->authority, s->cert, s->host,
		                    site->cert, site->key);
	return err ? lab_why_set(st->why, err, "%s: %s", site->cert,
	                         strerror(err))
	           : 0;
}

static int conf_write(struct lab_stage *st, const struct lab_site *site)
{
	char path[PATH_BYTES];
	struct wr w = wr_init_heap();
	int err;

	site->server->service->conf(&w, site);
	(void)snprintf(path, sizeof(path), "%s/%s", site->dir,
	               site->server->service->file);
	err = w.bad ? ENOMEM : file_write(path, wr_slice(&w));
	wr_fini(&w);
	return err ? lab_why_set(st->why, err, "%s: %s", path, strerror(err))
	           : 0;
}

struct words {
	struct wr text;
	const char *argv[ARGV_MAX_WORDS + 1];
};

static int words_split(struct words *words)
{
	size_t n = 0;

	if (words->text.bad)
		return ENOMEM;
	for (size_t i = 0; i < words->text.n; n++) {
		if (n == ARGV_MAX_WORDS)
			return E2BIG;
		words->argv[n] = (const char *)words->text.p + i;
		i += strlen(words->argv[n]) + 1;
	}
	words->argv[n] = NULL;
	return 0;
}

/* A shell goes to the folder and puts the server's words into its log. */
static int server_spawn(pid_t *pidp, struct lab_stage *st,
                        const struct lab_site *site)
{
	static const char *const env[] = {"PRUMO_STAY_HOME=1", NULL};
	static const char *const first[] = {
		"sh", "-c", "cd \"$0\" && exec \"$@\" >log 2>&1 </dev/null"};
	struct words words = {.text = wr_init_heap()};
	struct lab_cmd cmd = {.argv = words.argv, .env = env};
	int err;

	for (size_t i = 0; i < ARRAY_LEN(first); i++) {
		wr_str(&words.text, first[i]);
		wr_u8(&words.text, 0);
	}
	wr_str(&words.text, site->dir);
	wr_u8(&words.text, 0);
	site->server->service->argv(&words.text, site);
	err = words_split(&words);
	if (!err)
		err = lab_spawn(pidp, st->lab, "server", &cmd);
	wr_fini(&words.text);
	return err;
}

static int slot_await(struct lab_stage *st, const struct lab_slot *slot,
                      const struct addr *to, pid_t pid, int64_t until_ns)
{
	int err = 0;

	if (slot->flags & LAB_SLOT_UDP)
		err = lab_ask_until(st->lab, slot->ask, to, false, pid,
		                    until_ns);
	if (!err && slot->flags & LAB_SLOT_TCP)
		err = lab_ask_until(st->lab, slot->ask, to, true, pid,
		                    until_ns);
	return err;
}

static int ports_await(struct lab_stage *st, const struct lab_server *s,
                       const struct addr *at, pid_t pid)
{
	int64_t until_ns = clock_mono_ns() + READY_MS * NS_PER_MS;
	struct addr to = *at;
	int err = 0;

	for (size_t k = 0; s->service->slots[k].name; k++) {
		for (size_t i = 0; i < s->n_ports[k] && !err; i++) {
			to.port = s->ports[k][i];
			err = slot_await(st, &s->service->slots[k], &to, pid,
			                 until_ns);
		}
	}
	return err;
}

/* One that is on every address is asked at the usual one. */
static int server_await(struct lab_stage *st, const struct lab_server *s,
                        pid_t pid)
{
	struct addr own;
	int err;

	err = addr_parse(&own, slice_str(LAB_SERVER_IP4));
	if (!err && s->n_at == 0)
		err = ports_await(st, s, &own, pid);
	for (size_t at = 0; at < s->n_at && !err; at++)
		err = ports_await(st, s, &s->at[at], pid);
	return err;
}

/* The last words of a server, for whoever wonders. */
static int server_complain(struct lab_stage *st, const struct lab_site *site,
                           int err)
{
	const char *name = site->server->service->name;
	char path[PATH_BYTES], said[LOG_BYTES] = "";
	size_t n = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/log", site->dir);
	f = fopen(path, "re");
	if (f && (fseek(f, -(long)sizeof(said) + 1, SEEK_END) == 0 ||
	          fseek(f, 0, SEEK_SET) == 0))
		n = fread(said, 1, sizeof(said) - 1, f);
	if (f)
		(void)fclose(f);
	said[n] = '\0';
	if (err == ESRCH)
		return lab_why_set(st->why, err,
		                   _("The server %s ended before it was ready. "
		                     "It said:\n%s"),
		                   name, said);
	return lab_why_set(st->why, err,
	                   _("The server %s does not answer (%s). It said:\n"
	                     "%s"),
	                   name, strerror(err), said);
}

static int server_start(struct lab_stage *st, size_t i)
{
	const struct lab_scenario *s = st->scenario;
	char dir[PATH_BYTES], cert[PATH_BYTES], key[PATH_BYTES];
	struct lab_site site = {.server = &s->servers[i],
	                        .dir = dir,
	                        .cert = cert,
	                        .key = key,
	                        .ca = st->ca,
	                        .prumo = st->opts->prumo ? st->opts->prumo
	                                                 : st->self,
	                        .names = s->names,
	                        .n_names = s->n_names};
	const struct lab_service *service = site.server->service;
	pid_t pid;
	int err = 0;

	if (service->program && !lab_program_is_installed(service->program))
		return lab_why_set(st->why, ENOENT,
		                   _("The lab needs the program '%s', which is "
		                     "not installed here. On Debian: sudo apt "
		                     "install %s"),
		                   service->program, service->package);
	(void)snprintf(dir, sizeof(dir), "%s/%s%zu", st->dir, service->name, i);
	(void)snprintf(cert, sizeof(cert), "%s/%zu-cert.pem", st->dir, i);
	(void)snprintf(key, sizeof(key), "%s/%zu-key.pem", st->dir, i);
	if (mkdir(dir, 0755) != 0)
		return lab_why_set(st->why, errno, "%s: %s", dir,
		                   strerror(errno));
	if (service->takes_cert)
		err = cert_make(st, &site);
	if (!err && service->file)
		err = conf_write(st, &site);
	if (err)
		return err;
	err = server_spawn(&pid, st, &site);
	if (!err)
		err = started_add(st, pid);
	if (!err)
		err = server_await(st, site.server, pid);
	return err ? server_complain(st, &site, err) : 0;
}

static int program_start(struct lab_stage *st, const struct lab_program *p)
{
	const char *const argv[] = {"sh", "-c", p->shell, NULL};
	struct lab_cmd cmd = {.argv = argv, .env = st->env};
	int ends[2] = {-1, -1}, err = 0;
	pid_t pid;

	if (p->is_awaited && pipe2(ends, O_CLOEXEC) != 0)
		err = errno;
	if (p->is_awaited)
		cmd.out_fd = ends[1];
	if (!err)
		err = lab_spawn(&pid, st->lab, p->node, &cmd);
	if (ends[1] >= 0)
		(void)close(ends[1]);
	if (!err)
		err = started_add(st, pid);
	/* The read end stays open as long as the lab: a program that prints
	 * more shall not die of it. */
	if (!err && p->is_awaited)
		err = lab_await_line(ends[0], "ready", READY_MS);
	return err ? not_ready(st, p->node, p->shell, err) : 0;
}

static int alg_verify(struct lab_stage *st, unsigned hop)
{
	const struct lab_hop *h = &lab_spec(st->lab)->hops[hop - 1];
	struct lab_alg alg;
	int err;

	if (!h->has_alg && !h->has_nat && !h->has_firewall)
		return 0;
	err = lab_alg_read(&alg, st->lab, hop);
	if (err)
		return lab_why_set(st->why, err,
		                   _("the router's connection table cannot be "
		                     "read: %s"),
		                   strerror(err));
	if (h->has_alg ? lab_alg_is_active(&alg) : lab_alg_is_absent(&alg))
		return 0;
	if (h->has_alg)
		return lab_why_set(st->why, EPROTO,
		                   _("the router's SIP ALG should be on and is "
		                     "not (its timer says %u s), so there is "
		                     "nothing to demonstrate"),
		                   alg.timeout_s);
	return lab_why_set(st->why, EPROTO,
	                   _("the router's SIP ALG should be off and is not "
	                     "(its timer says %u s), so there is nothing to "
	                     "demonstrate"),
	                   alg.timeout_s);
}

static void env_make(struct lab_stage *st)
{
	size_t n = 0;

	(void)snprintf(st->env_text[n++], ENV_BYTES, "PRUMO_STAY_HOME=1");
	(void)snprintf(st->env_text[n++], ENV_BYTES, "PRUMO_SCENARIO=%.100s",
	               st->scenario->name);
	/* What OpenSSL, and what is built on it, trusts. */
	(void)snprintf(st->env_text[n++], ENV_BYTES, "SSL_CERT_FILE=%s",
	               st->ca);
	for (size_t i = 0; i < n; i++)
		st->env[i] = st->env_text[i];
}

static int everything_start(struct lab_stage *st)
{
	const struct lab_scenario *s = st->scenario;
	int err;

	err = dir_make(st);
	if (err)
		return err;
	(void)snprintf(st->ca, sizeof(st->ca), "%s/ca.pem", st->dir);
	env_make(st);
	/* Not /proc/self/exe: it would be the shell's. */
	if (readlink("/proc/self/exe", st->self, sizeof(st->self) - 1) < 0)
		return lab_why_set(st->why, errno, "/proc/self/exe: %s",
		                   strerror(errno));
	err = resolver_make(st);
	for (unsigned hop = 1; hop <= s->spec.n_hops && !err; hop++) {
		if (s->words[hop - 1])
			err = router_start(st, hop);
	}
	for (size_t i = 0; i < s->n_servers && !err; i++)
		err = server_start(st, i);
	for (size_t i = 0; i < s->n_programs && !err; i++)
		err = program_start(st, &s->programs[i]);
	for (unsigned hop = 1; hop <= s->spec.n_hops && !err; hop++)
		err = alg_verify(st, hop);
	return err;
}

int lab_stage_open(struct lab_stage **stagep, struct lab *lab,
                   const struct lab_scenario *scenario,
                   const struct lab_stage_opts *opts, struct lab_why *why)
{
	struct lab_stage *st = calloc(1, sizeof(*st));
	int err;

	if (!st)
		return lab_why_set(why, ENOMEM, "%s", strerror(ENOMEM));
	st->lab = lab;
	st->scenario = scenario;
	st->opts = opts;
	st->why = why;
	err = everything_start(st);
	if (err)
		lab_stage_close(st);
	else
		*stagep = st;
	return err;
}

void lab_stage_close(struct lab_stage *stage)
{
	if (!stage)
		return;
	/* Some have something to finish, as a capture has its last packets;
	 * the routers, which were first, see it off. */
	while (stage->n_started > 0)
		lab_stop(stage->lab, stage->started[--stage->n_started]);
	lab_authority_fini(&stage->authority);
	free(stage);
}

const char *const *lab_stage_env(const struct lab_stage *stage)
{
	return stage->env;
}
