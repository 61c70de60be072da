/* SPDX-License-Identifier: ISC */
/*
 * Design: the command only gathers what was asked for, runs the probes to
 * their end or to Ctrl-C, lets diagnose/ infer and report/ write. What was
 * measured before Ctrl-C is reported like a whole run.
 */
#include "cli/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"
#include "cli/check_opts.h"
#include "cli/check_plan.h"
#include "cli/profile.h"
#include "diagnose/diagnose.h"
#include "net/guard.h"
#include "net/loop.h"
#include "net/resolve.h"
#include "profile/ports.h"

enum {
	CONTROL_PORT = 10443,
	MAX_ADDRS = 8,
	QUICK_MS = 4600, /* of the five seconds that were promised */
	QUICK_NAME_MS = 2000,
};

struct check {
	struct check_opts set;
	struct probe_conf conf;
	struct report report;
	struct profile *profile;
	struct plan *plan;
	int64_t start_ns;
	struct net_timer *limit; /* --quick */
	bool has_progress;       /* a line is on stderr */
	int err;
};

/* The ports of class sip, as far as the user did not name them. */
static void take_ports(struct probe_ports *ports, const struct profile *p)
{
	struct profile_sip_ports of = {ports->sip, ports->sip_alt, ports->tls};

	profile_sip_ports(&of, p);
	ports->sip = of.sip;
	ports->sip_alt = of.sip_alt;
	ports->tls = of.tls;
	if (!ports->control)
		ports->control = CONTROL_PORT;
}

static enum cli_status resolve(struct addr *out, size_t max, size_t *n,
                               const struct check_opts *set, const char *host)
{
	int err;

	*n = 0;
	for (size_t i = 0; i < set->n_aliases && *n < max; i++) {
		if (profile_alias_is_for(&set->aliases[i], host))
			out[(*n)++] = set->aliases[i].addr;
	}
	err = *n > 0 ? 0
	             : net_resolve(out, max, n, slice_str(host), set->family,
	                           set->is_quick ? QUICK_NAME_MS * NS_PER_MS
	                                         : 0);
	for (size_t i = 0; !err && i < *n; i++)
		(void)profile_map_apply(&out[i], set->maps, set->n_maps);

	switch (err) {
	case 0:
		return CLI_READY;
	case EBADMSG:
		return cli_usage_error(&cli_check, _("'%s' is not a host name"),
		                       host);
	case ENOMEM:
		cli_complain(&cli_check, _("out of memory"));
		return CLI_INTERNAL;
	case EPERM:
		cli_complain(&cli_check,
		             _("'%s' is not asked for: PRUMO_STAY_HOME is set"),
		             host);
		return CLI_COULD_NOT_TEST;
	default:
		cli_complain(&cli_check, _("the name '%s' has no address here"),
		             host);
		return CLI_COULD_NOT_TEST;
	}
}

static void add_server(struct probe_conf *conf, const struct addr *a)
{
	for (size_t i = 0; i < conf->n_servers; i++) {
		if (addr_ip_eq(&conf->servers[i], a))
			return;
	}
	/* one socket serves all, so all are of the first one's family */
	if (conf->n_servers < PROBE_MAX_SERVERS &&
	    (conf->n_servers == 0 || conf->servers[0].family == a->family))
		conf->servers[conf->n_servers++] = *a;
}

/* Without an edge: the provider's own SIP servers whose addresses are known
 * before any name is asked for. */
static void take_servers(struct check *c)
{
	for (size_t i = 0; i < plan_n_questions(c->plan); i++) {
		const struct plan_question *q = plan_question(c->plan, i);

		if (q->service->ways[0].kind == PLAN_SIP)
			add_server(&c->conf, &q->addr);
	}
}

static enum cli_status take_targets(struct check *c)
{
	struct addr found[1];
	size_t n;
	enum cli_status status;

	c->conf.ports = c->set.ports;
	c->conf.timer_wait_s = c->set.timer_wait_s;
	c->conf.is_full = c->set.is_full;
	take_ports(&c->conf.ports, c->profile);
	if (c->conf.ports.sip == 0 && c->conf.ports.tls == 0)
		return cli_usage_error(&cli_check,
		                       _("the profile '%s' names no SIP port; "
		                         "use --sip-port"),
		                       c->profile->id);
	if (c->set.edge) {
		status = resolve(found, 1, &n, &c->set, c->set.edge);
		if (status == CLI_READY)
			c->conf.edge = found[0];
		return status;
	}
	if (c->set.server) {
		status = resolve(found, 1, &n, &c->set, c->set.server);
		if (status == CLI_READY)
			add_server(&c->conf, &found[0]);
		return status;
	}
	take_servers(c);
	return CLI_READY;
}

/* What of the profile is asked. */
static enum cli_status take_plan(struct check *c)
{
	const struct check_opts *o = &c->set;
	enum cli_status status = check_plan_words(o, c->profile);

	if (status != CLI_READY)
		return status;
	c->conf.effort = check_opts_effort(o);
	if (o->is_quick)
		c->conf.limit_ns = QUICK_MS * NS_PER_MS / 2;
	c->conf.account = check_opts_account(o);
	c->conf.skip = o->skip;
	c->conf.n_skip = o->n_skip;
	c->conf.only = o->only;
	c->conf.n_only = o->n_only;
	check_plan_dns(&c->conf, o);
	if (check_plan_alloc(&c->plan, o, &c->conf, c->profile)) {
		cli_complain(&cli_check, _("out of memory"));
		return CLI_INTERNAL;
	}
	c->conf.plan = c->plan;
	return CLI_READY;
}

static void clear_progress(struct check *c)
{
	if (c->has_progress)
		(void)fputs("\r\033[K", stderr);
	c->has_progress = false;
}

static void on_progress(void *arg, const struct probe_step *step)
{
	struct check *c = arg;

	if (!isatty(STDERR_FILENO) || c->set.output.is_quiet)
		return;
	clear_progress(c);
	if (step->n_all > 0)
		(void)fprintf(stderr,
		              _("prumo: %s: %u of %u, %d s left at most"),
		              _(step->text), step->n_done, step->n_all,
		              (int)(step->left_ns / NS_PER_S) + 1);
	else
		(void)fprintf(stderr, "prumo: %s...", _(step->text));
	(void)fflush(stderr);
	c->has_progress = true;
}

static void on_done(void *arg, int err)
{
	struct check *c = arg;

	c->err = err;
	net_stop();
}

static const struct probe_list_ops list_ops = {
	.on_progress = on_progress,
	.on_done = on_done,
};

static void put_text(struct report *r, struct val *map, const char *key,
                     const char *text)
{
	if (text)
		(void)val_put(&r->arena, &r->no_memory, map, key,
		              val_text(report_text(r, slice_str(text))));
}

static void put_run(struct check *c, int64_t took_ns)
{
	struct report *r = &c->report;
	const struct profile *p = c->profile;
	char when[sizeof("2026-11-22T10:00:00Z")];
	char host[ADDR_TEXT_BYTES];
	time_t now = (time_t)(clock_wall_ns() / NS_PER_S);
	struct tm tm;

	put_text(r, &r->profile, "id", p->id);
	put_text(r, &r->profile, "name", p->name);
	put_text(r, &r->profile, "version", p->version);
	put_text(r, &r->profile, "source", p->source.title);
	if (gmtime_r(&now, &tm) &&
	    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm))
		put_text(r, &r->run, "finished", when);
	(void)val_put(&r->arena, &r->no_memory, &r->run, "took_ms",
	              val_int(took_ns / NS_PER_MS));
	if (c->conf.edge.family != ADDR_NONE)
		put_text(r, &r->run, "edge", addr_ip_text(&c->conf.edge, host));
	put_text(r, &r->run, "prumo", PRUMO_VERSION);
}

static enum cli_status complain_of(struct check *c, int err)
{
	switch (err) {
	case EPERM:
	case EACCES:
		cli_complain(&cli_check,
		             _("this computer does not let the test out: %s"),
		             strerror(err));
		return CLI_COULD_NOT_TEST;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
		cli_complain(&cli_check, _("there is no way to the target: %s"),
		             strerror(err));
		return CLI_COULD_NOT_TEST;
	default:
		cli_complain(&cli_check, _("the test broke off: %s"),
		             strerror(err));
		return CLI_INTERNAL;
	}
	UNUSED(c);
}

static void on_limit(void *arg)
{
	UNUSED(arg);
	net_stop();
}

static int limit_start(struct check *c)
{
	int err;

	if (!c->set.is_quick)
		return 0;
	err = net_timer_alloc(&c->limit, on_limit, c);
	if (!err)
		net_timer_set(c->limit, c->start_ns + QUICK_MS * NS_PER_MS -
		                                clock_mono_ns());
	return err;
}

static int run_probes(struct check *c)
{
	struct probe_list *list;
	int err = net_open();

	if (err)
		return err;
	err = limit_start(c);
	if (!err)
		err = probe_list_start(&list, &c->conf, &c->report, &list_ops,
		                       c);
	if (!err) {
		err = net_run(NULL, NULL);
		probe_list_stop(list);
	}
	net_timer_free(c->limit);
	net_close();
	return err ? err : c->err;
}

static enum cli_status test(struct check *c)
{
	enum cli_status status;
	int err;

	if (isatty(STDERR_FILENO) && !c->set.output.is_quiet)
		check_plan_announce(stderr, c->plan, &c->conf.effort);
	err = run_probes(c);
	clear_progress(c);
	/* what this computer does not let out is a finding, where it was seen
	 * flow by flow */
	if (err && !(probe_is_local(err) && c->report.is_tested))
		return complain_of(c, err);
	put_run(c, clock_mono_ns() - c->start_ns);
	err = diagnose_run(&c->report);
	if (err || c->report.no_memory)
		return complain_of(c, ENOMEM);
	status = cli_output_report(&c->set.output, &c->report);
	return status == CLI_READY
	               ? cli_output_status(&c->set.output, &c->report)
	               : status;
}

static enum cli_status run(int argc, char *argv[])
{
	struct check c = {
		.set.output = (struct cli_output){.color = CLI_COLOR_AUTO},
		.start_ns = clock_mono_ns(),
	};
	char path[PATH_MAX];
	enum cli_status status = check_opts_read(&c.set, argc, argv);

	if (status != CLI_READY)
		return status;
	if (c.set.wants_help) {
		cli_usage(stdout, &cli_check);
		return CLI_READY;
	}
	status = cli_profile_load(&c.profile, path, &cli_check, c.set.profile);
	if (status != CLI_READY)
		return status;
	report_init(&c.report);
	status = take_plan(&c);
	if (status == CLI_READY && c.set.wants_list)
		check_plan_list(c.plan, &c.conf);
	else if (status == CLI_READY)
		status = take_targets(&c);
	if (status == CLI_READY && !c.set.wants_list)
		status = test(&c);
	report_fini(&c.report);
	plan_free(c.plan);
	profile_free(c.profile);
	return status;
}

const struct cli_cmd cli_check = {
	.name = "check",
	.args = "[OPTION]... [PROFILE]",
	.summary = N_("Test whether calls will work on this network"),
	.options = check_opts_help,
	.run = run,
};
