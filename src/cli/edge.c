/* SPDX-License-Identifier: ISC */
/*
 * Design: everything that needs root (ports below 1024, a key that only root
 * may read) is done before the privileges are dropped; `ready` is said after
 * that, so whoever waits for it never meets the responder as root.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"
#include "cli/edge.h"
#include "cli/profile.h"
#include "cli/services.h"
#include "edge/drop.h"
#include "edge/server.h"
#include "net/loop.h"
#include "profile/ports.h"

enum {
	SIP_PORT = 5060,
	WEB_MAX = 1023, /* SIP may share such a port, but not be all of it */
	LOG_S = 60,
	SECRET_FILE_MAX_BYTES = 4096,
};

enum option_id {
	OPT_LISTEN = 256,
	OPT_SIP,
	OPT_SIP_ALT,
	OPT_TLS,
	OPT_STUN,
	OPT_CONTROL,
	OPT_CERT,
	OPT_KEY,
	OPT_SECRET,
	OPT_USER,
	OPT_NAME,
	OPT_MAP,
	OPT_RESOLVE,
	OPT_DNS,
	OPT_RANGE,
};

struct settings {
	struct edge_server_conf conf;
	const char *secret_file;
	const char *user;
	const char *profile; /* NULL: none */
	struct cli_places places;
	struct cli_services services;
	bool has_sip, has_sip_alt, has_tls; /* ports by option */
	bool wants_dns;
	bool is_verbose;
	bool wants_help;
};

/* What runs on the loop beside the server. */
struct watch {
	const struct edge_server *server;
	struct net_timer *timer;
	struct edge_counts last;
	bool is_ready, is_verbose;
	int err;
};

static const struct option options[] = {
	{"listen", required_argument, NULL, OPT_LISTEN},
	{"sip-port", required_argument, NULL, OPT_SIP},
	{"sip-alt-port", required_argument, NULL, OPT_SIP_ALT},
	{"tls-port", required_argument, NULL, OPT_TLS},
	{"stun-port", required_argument, NULL, OPT_STUN},
	{"control-port", required_argument, NULL, OPT_CONTROL},
	{"cert", required_argument, NULL, OPT_CERT},
	{"key", required_argument, NULL, OPT_KEY},
	{"secret-file", required_argument, NULL, OPT_SECRET},
	{"user", required_argument, NULL, OPT_USER},
	{"name", required_argument, NULL, OPT_NAME},
	{"map", required_argument, NULL, OPT_MAP},
	{"resolve", required_argument, NULL, OPT_RESOLVE},
	{"dns", no_argument, NULL, OPT_DNS},
	{"range", required_argument, NULL, OPT_RANGE},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static int set_port(uint16_t *port, const char *text)
{
	uint64_t v;
	int err;

	err = text_u64(&v, slice_str(text), UINT16_MAX);
	if (!err)
		*port = (uint16_t)v;
	return err;
}

static int set_listen(struct edge_server_conf *conf, const char *text)
{
	if (conf->n_at == EDGE_LISTEN_MAX)
		return EBADMSG;
	conf->skips_absent = false;
	return addr_parse(&conf->at[conf->n_at++], slice_str(text));
}

static int set_range(struct edge_server_conf *conf, const char *text)
{
	for (int way = EDGE_RANGE_AUTO; way < EDGE_RANGE_NONE; way++) {
		if (strcmp(text, edge_range_way_name(
					 (enum edge_range_way)way)) == 0) {
			conf->range_way = (enum edge_range_way)way;
			return 0;
		}
	}
	return EBADMSG;
}

static int set_option(struct settings *s, int id, const char *arg)
{
	struct edge_server_conf *conf = &s->conf;

	switch (id) {
	case OPT_LISTEN:
		return set_listen(conf, arg);
	case OPT_SIP:
		s->has_sip = true;
		return set_port(&conf->ports.sip, arg);
	case OPT_SIP_ALT:
		s->has_sip_alt = true;
		return set_port(&conf->ports.sip_alt, arg);
	case OPT_TLS:
		s->has_tls = true;
		return set_port(&conf->ports.tls, arg);
	case OPT_STUN:
		return set_port(&conf->ports.stun, arg);
	case OPT_CONTROL:
		return set_port(&conf->ports.control, arg);
	case OPT_CERT:
		conf->cert_file = arg;
		return 0;
	case OPT_KEY:
		conf->key_file = arg;
		return 0;
	case OPT_SECRET:
		s->secret_file = arg;
		return 0;
	case OPT_USER:
		s->user = arg;
		return 0;
	case OPT_NAME:
		conf->name = arg;
		return 0;
	case OPT_MAP:
		return cli_places_map(&s->places, arg);
	case OPT_RESOLVE:
		return cli_places_resolve(&s->places, arg);
	case OPT_DNS:
		s->wants_dns = true;
		return 0;
	case OPT_RANGE:
		return set_range(conf, arg);
	case 'v':
		s->is_verbose = true;
		return 0;
	case 'h':
		s->wants_help = true;
		return 0;
	default:
		return EINVAL;
	}
}

static enum cli_status read_options(struct settings *s, int argc, char *argv[])
{
	int id;

	*s = (struct settings){
		.conf = {.ports = {.sip = SIP_PORT,
	                           .sip_alt = 5080,
	                           .tls = 5061,
	                           .stun = 3478,
	                           .control = 10443},
	                 .name = "prumo-edge",
	                 .skips_absent = true},
		.user = "nobody",
	};
	optind = 0;
	opterr = 0;
	while ((id = getopt_long(argc, argv, "vh", options, NULL)) != -1) {
		int err = set_option(s, id, optarg);

		if (err == EBADMSG || err == E2BIG)
			return cli_usage_error(&cli_edge,
			                       _("'%s' is not what this option "
			                         "takes"),
			                       optarg);
		if (err)
			return cli_bad_option(&cli_edge, argv);
	}
	if (optind < argc)
		s->profile = argv[optind++];
	if (optind < argc)
		return cli_usage_error(&cli_edge, _("unexpected argument '%s'"),
		                       argv[optind]);
	if (!s->conf.n_at) {
		s->conf.at[0].family = ADDR_IP4;
		s->conf.at[1].family = ADDR_IP6;
		s->conf.n_at = 2;
	}
	return CLI_READY;
}

static int read_secret(uint8_t secret[WIRE_SECRET_BYTES], const char *path)
{
	uint8_t buf[SECRET_FILE_MAX_BYTES];
	ssize_t n;
	int err = 0;
	int fd;

	if (!path) {
		n = getrandom(secret, WIRE_SECRET_BYTES, 0);
		return n == WIRE_SECRET_BYTES ? 0 : EIO;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	n = read(fd, buf, sizeof(buf));
	if (n < 0)
		err = errno;
	else if (n < WIRE_SECRET_BYTES)
		err = EBADMSG;
	else
		wire_sha256(secret, (struct slice){buf, (size_t)n});
	(void)close(fd);
	explicit_bzero(buf, sizeof(buf));
	return err;
}

static void log_counts(struct watch *w)
{
	struct edge_counts n = edge_server_counts(w->server);

	if (memcmp(&n, &w->last, sizeof(n)) != 0)
		(void)fprintf(stderr,
		              "edge: datagrams=%" PRIu64 " messages=%" PRIu64
		              " answers=%" PRIu64 " mirrors=%" PRIu64
		              " limited=%" PRIu64 " refused=%" PRIu64
		              " sessions=%" PRIu64 " sends=%" PRIu64 "\n",
		              n.datagrams, n.messages, n.answers, n.mirrors,
		              n.limited, n.refused, n.sessions, n.sends);
	w->last = n;
}

static int say_ready(const struct edge_server *server)
{
	struct edge_ports p = edge_server_ports(server);
	uint8_t digest[WIRE_SHA256_BYTES];
	char hex[2 * WIRE_SHA256_BYTES];
	size_t n;
	struct wr w = wr_init(hex, sizeof(hex));
	int err;

	err = edge_server_fingerprint(server, digest);
	if (err)
		return err;
	text_hex_put(&w, (struct slice){digest, sizeof(digest)});
	(void)printf("ready sip=%u sip-alt=%u tls=%u stun=%u control=%u "
	             "sha256=%.*s range=%s\n",
	             p.sip, p.sip_alt, p.tls, p.stun, p.control,
	             (int)sizeof(hex), hex,
	             edge_range_way_name(edge_server_ranges(&n, server)));
	return fflush(stdout) ? errno : 0;
}

/* First of all `ready`: only inside the loop are signals caught. */
static void on_timer(void *arg)
{
	struct watch *w = arg;

	if (!w->is_ready)
		w->err = say_ready(w->server);
	w->is_ready = true;
	if (w->err) {
		net_stop();
		return;
	}
	if (w->is_verbose) {
		log_counts(w);
		net_timer_set(w->timer, LOG_S * NS_PER_S);
	}
}

static enum cli_status serve(struct edge_server *server, bool is_verbose)
{
	struct watch w = {.server = server, .is_verbose = is_verbose};
	int err;

	err = net_timer_alloc(&w.timer, on_timer, &w);
	if (!err) {
		net_timer_set(w.timer, 0);
		err = net_run(NULL, NULL);
	}
	if (!err)
		err = w.err;
	if (!err && is_verbose)
		log_counts(&w);
	net_timer_free(w.timer);
	if (err)
		cli_complain(&cli_edge, "%s", strerror(err));
	return err ? CLI_INTERNAL : CLI_READY;
}

static void complain_about(const struct settings *s, int err,
                           const struct addr *failed)
{
	char text[ADDR_TEXT_BYTES];

	if (failed->family != ADDR_NONE)
		cli_complain(&cli_edge, _("cannot listen on %s: %s"),
		             addr_text(failed, text), strerror(err));
	else if (s->conf.cert_file || s->conf.key_file)
		cli_complain(&cli_edge,
		             _("cannot use the certificate and its key: %s"),
		             strerror(err));
	else if (err == EINVAL)
		cli_complain(&cli_edge,
		             _("the name '%s' is too long or has characters "
		               "other than letters, digits and ._-/"),
		             s->conf.name);
	else
		cli_complain(&cli_edge, "%s", strerror(err));
}

/* What is not answered here is said, so that nobody takes it for blocked. */
static void say_gaps(const struct settings *s, const struct edge_server *server)
{
	size_t elsewhere = s->services.n_rows_elsewhere, n_ports;

	(void)edge_server_ranges(&n_ports, server);
	if (elsewhere)
		cli_complain(&cli_edge,
		             _("rows of the profile that are for addresses "
		               "which this host does not have, and are not "
		               "answered: %zu"),
		             elsewhere);
	if (n_ports)
		cli_complain(&cli_edge,
		             _("neither sk_lookup nor TPROXY is permitted "
		               "here: of each range of ports only the first "
		               "%zu are answered"),
		             n_ports);
}

static enum cli_status start(const struct settings *s)
{
	enum cli_status status = CLI_USAGE;
	struct edge_server *server;
	struct addr failed;
	int err;

	err = edge_server_alloc(&server, &failed, &s->conf);
	if (err) {
		complain_about(s, err, &failed);
		return CLI_USAGE;
	}
	say_gaps(s, server);
	err = edge_drop_to(s->user);
	if (err)
		cli_complain(&cli_edge, _("cannot become the user '%s': %s"),
		             s->user, strerror(err));
	else
		status = serve(server, s->is_verbose);
	edge_server_free(server);
	return status;
}

/* The zone is the names' own: all of them are known by now. */
static int add_dns(struct settings *s)
{
	struct cli_services *sv = &s->services;
	/* NULL is where it begins without a profile */
	void *more = reallocarray(sv->at, sv->n + 2, sizeof(*sv->at));

	if (!more)
		return ENOMEM;
	sv->at = more;
	for (int is_tcp = 0; is_tcp < 2; is_tcp++)
		sv->at[sv->n++] = (struct edge_service){
			.is_tcp = is_tcp,
			.first = EDGE_DNS_PORT,
			.last = EDGE_DNS_PORT,
			.speaks = EDGE_DNS,
		};
	s->conf.zone = (struct edge_zone){s->places.names, s->places.n_names,
	                                  s->places.srvs, s->places.n_srvs};
	return 0;
}

static int make_services(struct settings *s, const struct profile *profile)
{
	int err = 0;

	if (profile)
		err = cli_services_make(&s->services, profile, &s->places,
		                        &s->conf);
	if (!err && profile && s->wants_dns)
		err = cli_services_name(&s->places, profile, &s->conf);
	if (!err && s->wants_dns)
		err = add_dns(s);
	s->conf.services = s->services.at;
	s->conf.n_services = s->services.n;
	return err;
}

/* Who checks asks the edge at the ports of the same profile. */
static void take_ports(struct edge_ports *ports, const struct settings *s,
                       const struct profile *profile)
{
	struct profile_sip_ports of = {0};

	profile_sip_ports(&of, profile);
	if (!s->has_sip && of.sip)
		ports->sip = of.sip;
	if (!s->has_sip_alt && of.sip_alt)
		ports->sip_alt = of.sip_alt;
	else if (!s->has_sip_alt && ports->sip_alt == ports->sip)
		ports->sip_alt = SIP_PORT;
	if (!s->has_tls && of.tls > WEB_MAX)
		ports->tls = of.tls;
}

static enum cli_status read_profile(struct settings *s)
{
	enum cli_status status = CLI_READY;
	struct profile *profile = NULL;
	char path[PATH_MAX];
	int err;

	if (s->profile)
		status =
			cli_profile_load(&profile, path, &cli_edge, s->profile);
	if (status != CLI_READY)
		return status;
	if (profile)
		take_ports(&s->conf.ports, s, profile);
	err = make_services(s, profile);
	profile_free(profile);
	if (!err)
		return CLI_READY;
	cli_complain(&cli_edge, "%s", strerror(err));
	return CLI_INTERNAL;
}

static enum cli_status open_and_start(struct settings *s)
{
	enum cli_status status;
	int err;

	err = read_secret(s->conf.secret, s->secret_file);
	if (err == EBADMSG) {
		cli_complain(&cli_edge,
		             _("'%s' holds less than %d bytes: no secret"),
		             s->secret_file, (int)WIRE_SECRET_BYTES);
		return CLI_USAGE;
	}
	if (err) {
		cli_complain(&cli_edge, _("cannot read the secret: %s"),
		             strerror(err));
		return CLI_USAGE;
	}
	status = read_profile(s);
	if (status != CLI_READY)
		return status;
	err = net_open();
	if (err) {
		cli_complain(&cli_edge, "%s", strerror(err));
		return CLI_INTERNAL;
	}
	status = start(s);
	net_close();
	return status;
}

static enum cli_status run(int argc, char *argv[])
{
	enum cli_status status;
	struct settings s;

	status = read_options(&s, argc, argv);
	if (status == CLI_READY && s.wants_help)
		cli_usage(stdout, &cli_edge);
	else if (status == CLI_READY)
		status = open_and_start(&s);
	explicit_bzero(s.conf.secret, sizeof(s.conf.secret));
	cli_services_fini(&s.services);
	cli_places_fini(&s.places);
	return status;
}

const struct cli_cmd cli_edge = {
	.name = "edge",
	.args = "[OPTION]... [PROFILE]",
	.summary =
		N_("The provider's responder: answers, mirrors and measures"),
	.options = N_(
		"  --listen ADDR        an address to listen on; may be repeated"
		" (all)\n"
		"  --sip-port N         SIP over UDP and TCP (5060)\n"
		"  --sip-alt-port N     the same, alternative (5080)\n"
		"  --tls-port N         SIP over TLS (5061)\n"
		"  --stun-port N        STUN over UDP and TCP (3478)\n"
		"  --control-port N     control session over TLS; SIP (10443)\n"
		"  --cert FILE          PEM certificate; none: one is made\n"
		"  --key FILE           its PEM key\n"
		"  --secret-file FILE   32 bytes or more, shared by several"
		" edges\n"
		"  --user NAME          who to become when started as root"
		" (nobody)\n"
		"  --name NAME          how it calls itself (prumo-edge)\n"
		"  --map NET=NET        where addresses of the profile are;"
		" may be repeated\n"
		"  --resolve NAME:ADDR  where a name of the profile is; may be"
		" repeated\n"
		"  --range WAY          sk_lookup, tproxy, sockets or auto"
		" (auto)\n"
		"  --dns                answer for the names, on port 53:"
		" for a lab\n"
		"  -v, --verbose        counts on stderr, once a minute\n"
		"  -h, --help           this text\n"),
	.run = run,
};
