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
#include "edge/drop.h"
#include "edge/server.h"
#include "net/loop.h"

enum {
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
};

struct settings {
	struct edge_server_conf conf;
	const char *secret_file;
	const char *user;
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

static int set_option(struct settings *s, int id, const char *arg)
{
	struct edge_server_conf *conf = &s->conf;

	switch (id) {
	case OPT_LISTEN:
		return set_listen(conf, arg);
	case OPT_SIP:
		return set_port(&conf->ports.sip, arg);
	case OPT_SIP_ALT:
		return set_port(&conf->ports.sip_alt, arg);
	case OPT_TLS:
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
		.conf = {.ports = {.sip = 5060,
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

		if (err == EBADMSG)
			return cli_usage_error(&cli_edge,
			                       _("'%s' is not what this option "
			                         "takes"),
			                       optarg);
		if (err)
			return cli_bad_option(&cli_edge, argv);
	}
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
	struct wr w = wr_init(hex, sizeof(hex));
	int err;

	err = edge_server_fingerprint(server, digest);
	if (err)
		return err;
	text_hex_put(&w, (struct slice){digest, sizeof(digest)});
	(void)printf("ready sip=%u sip-alt=%u tls=%u stun=%u control=%u "
	             "sha256=%.*s\n",
	             p.sip, p.sip_alt, p.tls, p.stun, p.control,
	             (int)sizeof(hex), hex);
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
	err = edge_drop_to(s->user);
	if (err)
		cli_complain(&cli_edge, _("cannot become the user '%s': %s"),
		             s->user, strerror(err));
	else
		status = serve(server, s->is_verbose);
	edge_server_free(server);
	return status;
}

static enum cli_status run(int argc, char *argv[])
{
	enum cli_status status;
	struct settings s;
	int err;

	status = read_options(&s, argc, argv);
	if (status != CLI_READY)
		return status;
	if (s.wants_help) {
		cli_usage(stdout, &cli_edge);
		return CLI_READY;
	}
	err = read_secret(s.conf.secret, s.secret_file);
	if (err == EBADMSG) {
		cli_complain(&cli_edge,
		             _("'%s' holds less than %d bytes: no secret"),
		             s.secret_file, (int)WIRE_SECRET_BYTES);
		return CLI_USAGE;
	}
	if (err) {
		cli_complain(&cli_edge, _("cannot read the secret: %s"),
		             strerror(err));
		return CLI_USAGE;
	}
	err = net_open();
	if (err) {
		cli_complain(&cli_edge, "%s", strerror(err));
		return CLI_INTERNAL;
	}
	status = start(&s);
	explicit_bzero(s.conf.secret, sizeof(s.conf.secret));
	net_close();
	return status;
}

const struct cli_cmd cli_edge = {
	.name = "edge",
	.args = "[OPTION]...",
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
		"  -v, --verbose        counts on stderr, once a minute\n"
		"  -h, --help           this text\n"),
	.run = run,
};
