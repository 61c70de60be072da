/* SPDX-License-Identifier: ISC */
/*
 * Design: the command only gathers what was asked for, runs the probes to
 * their end or to Ctrl-C, lets diagnose/ infer and report/ write. What was
 * measured before Ctrl-C is reported like a whole run.
 */
#include "cli/check.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/profile.h"
#include "diagnose/diagnose.h"
#include "net/loop.h"
#include "net/resolve.h"
#include "probe/probe.h"

enum {
	CONTROL_PORT = 10443,
	SIP_TLS_PORT = 5061, /* RFC 3261, section 19.1.2 */
	TIMER_DEFAULT_S = 40,
	TIMER_MAX_S = 600,
	MAX_ADDRS = 8,
};

enum option_id {
	OPT_EDGE = 256,
	OPT_SERVER,
	OPT_CONTROL,
	OPT_TIMER,
	OPT_FULL,
	OPT_STRICT,
	OPT_COLOR,
	OPT_SIP,
	OPT_SIP_ALT,
	OPT_TLS,
};

struct settings {
	const char *profile;
	const char *edge, *server;
	enum addr_family family;
	struct probe_ports ports; /* 0: as the profile says */
	unsigned timer_wait_s;
	bool is_full, is_strict, is_quiet, wants_help;
	struct cli_output output;
};

struct check {
	struct settings set;
	struct probe_conf conf;
	struct report report;
	struct profile *profile;
	bool has_progress; /* a line is on stderr */
	int err;
};

static const struct option options[] = {
	{"edge", required_argument, NULL, OPT_EDGE},
	{"server", required_argument, NULL, OPT_SERVER},
	{"control-port", required_argument, NULL, OPT_CONTROL},
	{"sip-port", required_argument, NULL, OPT_SIP},
	{"sip-alt-port", required_argument, NULL, OPT_SIP_ALT},
	{"tls-port", required_argument, NULL, OPT_TLS},
	{"timer", optional_argument, NULL, OPT_TIMER},
	{"full", no_argument, NULL, OPT_FULL},
	{"strict", no_argument, NULL, OPT_STRICT},
	{"color", required_argument, NULL, OPT_COLOR},
	{"output", required_argument, NULL, 'o'},
	{"quiet", no_argument, NULL, 'q'},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static int set_port(uint16_t *port)
{
	uint64_t v;
	int err = text_u64(&v, slice_str(optarg), UINT16_MAX);

	if (!err && v == 0)
		err = EBADMSG;
	if (!err)
		*port = (uint16_t)v;
	return err;
}

static int set_timer(struct settings *set)
{
	uint64_t v = TIMER_DEFAULT_S;
	int err = 0;

	if (optarg)
		err = text_u64(&v, slice_str(optarg), TIMER_MAX_S);
	if (!err && v == 0)
		err = EBADMSG;
	if (!err)
		set->timer_wait_s = (unsigned)v;
	return err;
}

static int set_option(struct settings *set, int c)
{
	switch (c) {
	case OPT_EDGE:
		set->edge = optarg;
		return 0;
	case OPT_SERVER:
		set->server = optarg;
		return 0;
	case OPT_CONTROL:
		return set_port(&set->ports.control);
	case OPT_SIP:
		return set_port(&set->ports.sip);
	case OPT_SIP_ALT:
		return set_port(&set->ports.sip_alt);
	case OPT_TLS:
		return set_port(&set->ports.tls);
	case OPT_TIMER:
		return set_timer(set);
	case OPT_FULL:
		set->is_full = true;
		return 0;
	case OPT_STRICT:
		set->is_strict = true;
		return 0;
	case OPT_COLOR:
		return cli_output_set_color(&set->output, optarg);
	case 'o':
		return cli_output_set_format(&set->output, optarg);
	case '4':
		set->family = ADDR_IP4;
		return 0;
	case '6':
		set->family = ADDR_IP6;
		return 0;
	case 'q':
		set->is_quiet = true;
		return 0;
	case 'v':
		set->output.is_verbose = true;
		return 0;
	case 'h':
		set->wants_help = true;
		return 0;
	default:
		return EINVAL;
	}
}

static enum cli_status parse(struct settings *set, int argc, char *argv[])
{
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "46o:qvh", options, NULL)) != -1) {
		switch (set_option(set, c)) {
		case 0:
			break;
		case EINVAL:
			return cli_bad_option(&cli_check, argv);
		default:
			return cli_usage_error(
				&cli_check,
				_("'%s' is not a value for that option"),
				optarg);
		}
	}
	if (set->edge && set->server)
		return cli_usage_error(&cli_check,
		                       _("--edge and --server exclude each "
		                         "other"));
	if (argc - optind > 1)
		return cli_usage_error(&cli_check,
		                       _("one profile at a time, not '%s' too"),
		                       argv[optind + 1]);
	set->profile = optind < argc ? argv[optind] : CLI_PROFILE_DEFAULT;
	return CLI_READY;
}

/* The ports of class sip, as far as the user did not name them. */
static void take_ports(struct probe_ports *ports, const struct profile *p)
{
	struct profile_iter it = {0};
	struct profile_flow f;

	while (profile_flow_next(&f, p, &it)) {
		uint16_t port = f.ports.first;
		bool is_tls =
			f.transport == PROFILE_TLS || port == SIP_TLS_PORT;

		if (f.row->cls != PROFILE_SIP || port != f.ports.last)
			continue;
		if (is_tls) {
			if (!ports->tls)
				ports->tls = port;
		} else if (!ports->sip) {
			ports->sip = port;
		} else if (!ports->sip_alt && port != ports->sip) {
			ports->sip_alt = port;
		}
	}
	if (!ports->control)
		ports->control = CONTROL_PORT;
}

static enum cli_status resolve(struct addr *out, size_t max, size_t *n,
                               const struct settings *set, const char *host)
{
	int err = net_resolve(out, max, n, slice_str(host), set->family);

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

/* Without an edge: the provider's own SIP servers. */
static enum cli_status take_servers(struct check *c)
{
	struct addr found[MAX_ADDRS];
	enum cli_status status = CLI_READY;
	size_t n;

	for (size_t i = 0; i < c->profile->n_rows; i++) {
		const struct profile_row *row = &c->profile->rows[i];

		if (row->cls != PROFILE_SIP || row->is_srv)
			continue;
		status = resolve(found, MAX_ADDRS, &n, &c->set, row->host);
		for (size_t k = 0; status == CLI_READY && k < n; k++)
			add_server(&c->conf, &found[k]);
	}
	if (c->conf.n_servers)
		return CLI_READY;
	if (status == CLI_READY) {
		cli_complain(&cli_check,
		             _("the profile '%s' names no SIP server; use "
		               "--edge or --server"),
		             c->profile->id);
		status = CLI_USAGE;
	}
	return status;
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
	return take_servers(c);
}

static void clear_progress(struct check *c)
{
	if (c->has_progress)
		(void)fputs("\r\033[K", stderr);
	c->has_progress = false;
}

static void on_progress(void *arg, const char *step)
{
	struct check *c = arg;

	if (!isatty(STDERR_FILENO) || c->set.is_quiet)
		return;
	clear_progress(c);
	(void)fprintf(stderr, "prumo: %s...", _(step));
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

static int run_probes(struct check *c)
{
	struct probe_list *list;
	int err = net_open();

	if (err)
		return err;
	err = probe_list_start(&list, &c->conf, &c->report, &list_ops, c);
	if (!err) {
		err = net_run(NULL, NULL);
		probe_list_stop(list);
	}
	net_close();
	return err ? err : c->err;
}

static enum cli_status status_of(const struct check *c)
{
	switch (report_verdict(&c->report)) {
	case VERDICT_READY:
		return CLI_READY;
	case VERDICT_READY_WITH_REMARKS:
		return c->set.is_strict ? CLI_REMARKS : CLI_READY;
	case VERDICT_NOT_READY:
		return CLI_NOT_READY;
	case VERDICT_COULD_NOT_TEST:
		break;
	}
	return CLI_COULD_NOT_TEST;
}

static enum cli_status test(struct check *c)
{
	int64_t start_ns = clock_mono_ns();
	enum cli_status status;
	int err;

	err = run_probes(c);
	clear_progress(c);
	if (err)
		return complain_of(c, err);
	put_run(c, clock_mono_ns() - start_ns);
	err = diagnose_run(&c->report);
	if (err || c->report.no_memory)
		return complain_of(c, ENOMEM);
	status = cli_output_report(&c->set.output, &c->report);
	return status == CLI_READY ? status_of(c) : status;
}

static enum cli_status run(int argc, char *argv[])
{
	struct check c = {.set.output =
	                          (struct cli_output){.color = CLI_COLOR_AUTO}};
	char path[PATH_MAX];
	enum cli_status status = parse(&c.set, argc, argv);

	if (status != CLI_READY)
		return status;
	if (c.set.wants_help) {
		cli_usage(stdout, &cli_check);
		return CLI_READY;
	}
	c.set.output.is_quiet = c.set.is_quiet;
	status = cli_profile_load(&c.profile, path, &cli_check, c.set.profile);
	if (status != CLI_READY)
		return status;
	report_init(&c.report);
	status = take_targets(&c);
	if (status == CLI_READY)
		status = test(&c);
	report_fini(&c.report);
	profile_free(c.profile);
	return status;
}

const struct cli_cmd cli_check = {
	.name = "check",
	.args = "[OPTION]... [PROFILE]",
	.summary = N_("Test whether calls will work on this network"),
	.options = N_(
		"  --edge HOST         the provider's responder (prumo-edge(1))\n"
		"  --server HOST       an ordinary SIP server instead; shows less\n"
		"  --timer[=SECONDS]   also compare how long ports stay open (40)\n"
		"  --full              also what shows with many calls, or with\n"
		"                      a second phone\n"
		"  -4, -6              only IPv4, only IPv6\n"
		"  --sip-port PORT, --sip-alt-port PORT, --tls-port PORT,\n"
		"  --control-port PORT other ports than the profile's\n"
		"  -o, --output FORMAT text, json or junit\n"
		"  --color WHEN        auto, always or never\n"
		"  --strict            exit with 1 when there are remarks\n"
		"  -q, --quiet         the verdict alone\n"
		"  -v, --verbose       every fact with its evidence\n"
		"  -h, --help          this text\n"),
	.run = run,
};
