/* SPDX-License-Identifier: ISC */
/*
 * Design: what an option does to the settings is a row of a table; rows that
 * only set a flag or a number need no code of their own. A password is read
 * from a file or the environment and never from argv, which every user of
 * the computer can read.
 */
#include "cli/check_opts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"
#include "cli/check.h"
#include "cli/profile.h"

enum {
	TIMER_DEFAULT_S = 40,
	TIMER_MAX_S = 600,
	DNS_PORT = 53,
	LINE_BYTES = 1024,
	RUN_FLOWS = 1000, /* new ones of a run: what a small router bears */
	QUICK_FLOWS = 600,
	PACE_MAX = 20000, /* new ones a second */
};

enum option_id {
	OPT_EDGE = 256,
	OPT_SERVER,
	OPT_CONTROL,
	OPT_TIMER,
	OPT_FULL,
	OPT_QUICK,
	OPT_FULL_RANGE,
	OPT_LIST,
	OPT_ONLY,
	OPT_SKIP,
	OPT_MAP,
	OPT_RESOLVE,
	OPT_DNS,
	OPT_ACCOUNT,
	OPT_SIP,
	OPT_SIP_ALT,
	OPT_TLS,
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
	{"quick", no_argument, NULL, OPT_QUICK},
	{"full-range", optional_argument, NULL, OPT_FULL_RANGE},
	{"list-checks", no_argument, NULL, OPT_LIST},
	{"only", required_argument, NULL, OPT_ONLY},
	{"skip", required_argument, NULL, OPT_SKIP},
	{"map", required_argument, NULL, OPT_MAP},
	{"resolve", required_argument, NULL, OPT_RESOLVE},
	{"dns", required_argument, NULL, OPT_DNS},
	{"account", required_argument, NULL, OPT_ACCOUNT},
	CLI_OUTPUT_OPTIONS,
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

static int set_timer(struct check_opts *o)
{
	uint64_t v = TIMER_DEFAULT_S;
	int err = 0;

	if (optarg)
		err = text_u64(&v, slice_str(optarg), TIMER_MAX_S);
	if (!err && v == 0)
		err = EBADMSG;
	if (!err)
		o->timer_wait_s = (unsigned)v;
	return err;
}

static int set_full_range(struct check_opts *o)
{
	uint64_t v = 0;
	int err = 0;

	if (optarg)
		err = text_u64(&v, slice_str(optarg), PACE_MAX);
	if (optarg && !err && v == 0)
		err = EBADMSG;
	if (err)
		return err;
	o->is_full_range = true;
	o->flows_per_s = (unsigned)v;
	return 0;
}

static int add_map(struct check_opts *o)
{
	if (o->n_maps == CHECK_MAPS_MAX)
		return EBADMSG;
	return profile_map_parse(&o->maps[o->n_maps++], slice_str(optarg));
}

static int add_alias(struct check_opts *o)
{
	if (o->n_aliases == CHECK_ALIASES_MAX)
		return EBADMSG;
	return profile_alias_parse(&o->aliases[o->n_aliases++],
	                           slice_str(optarg));
}

static int add_dns(struct check_opts *o)
{
	struct addr *a = &o->dns[o->n_dns];

	if (o->n_dns == PROBE_MAX_DNS)
		return EBADMSG;
	if (addr_parse(a, slice_str(optarg)) &&
	    addr_parse_port(a, slice_str(optarg)))
		return EBADMSG;
	if (a->port == 0)
		a->port = DNS_PORT;
	o->n_dns++;
	return 0;
}

/* "sip,addresses/2": cut in place. */
static int add_words(const char **words, size_t *n)
{
	for (char *save = NULL, *word = strtok_r(optarg, ",", &save); word;
	     word = strtok_r(NULL, ",", &save)) {
		if (*n == CHECK_WORDS_MAX)
			return EBADMSG;
		words[(*n)++] = word;
	}
	return *n > 0 ? 0 : EBADMSG;
}

/* Accounts */

static const struct {
	const char *key, *variable;
	size_t offset;
} account_keys[] = {
	{"sip_user", "PRUMO_SIP_USER",
         offsetof(struct check_account, sip_user)},
	{"sip_password", "PRUMO_SIP_PASSWORD",
         offsetof(struct check_account, sip_password)},
	{"sip_domain", "PRUMO_SIP_DOMAIN",
         offsetof(struct check_account, sip_domain)},
	{"turn_user", "PRUMO_TURN_USER",
         offsetof(struct check_account, turn_user)},
	{"turn_password", "PRUMO_TURN_PASSWORD",
         offsetof(struct check_account, turn_password)},
};

static int account_set(struct check_account *ac, size_t key, struct slice v)
{
	char *to = (char *)ac + account_keys[key].offset;

	if (v.n >= CHECK_ACCOUNT_BYTES)
		return EBADMSG;
	memcpy(to, v.p, v.n);
	to[v.n] = '\0';
	return 0;
}

/* "key = value"; '#' begins a comment line. */
static int account_line(struct check_account *ac, struct slice line)
{
	size_t eq = slice_find(line, slice_str("="));
	struct slice key = slice_trim(slice_sub(line, 0, eq));

	line = slice_trim(line);
	if (line.n == 0 || *line.p == '#')
		return 0;
	for (size_t i = 0; eq != SIZE_MAX && i < ARRAY_LEN(account_keys); i++) {
		if (slice_eq_str(key, account_keys[i].key))
			return account_set(
				ac, i,
				slice_trim(slice_sub(line, eq + 1, SIZE_MAX)));
	}
	return EBADMSG;
}

static int account_file(struct check_opts *o)
{
	char text[LINE_BYTES];
	FILE *f = fopen(optarg, "re");
	int err = 0;

	if (!f)
		return errno;
	while (!err && fgets(text, sizeof(text), f))
		err = account_line(&o->account, slice_str(text));
	if (ferror(f))
		err = EIO;
	(void)fclose(f);
	explicit_bzero(text, sizeof(text));
	return err;
}

static int account_environment(struct check_opts *o)
{
	int err = 0;

	for (size_t i = 0; i < ARRAY_LEN(account_keys) && !err; i++) {
		const char *v = getenv(account_keys[i].variable);

		if (v && *v)
			err = account_set(&o->account, i, slice_str(v));
	}
	return err;
}

struct ask_account check_opts_account(const struct check_opts *o)
{
	const struct check_account *ac = &o->account;

	return (struct ask_account){
		.sip_user = *ac->sip_user ? ac->sip_user : NULL,
		.sip_password = *ac->sip_password ? ac->sip_password : NULL,
		.sip_domain = *ac->sip_domain ? ac->sip_domain : NULL,
		.turn_user = *ac->turn_user ? ac->turn_user : NULL,
		.turn_password = *ac->turn_password ? ac->turn_password : NULL,
	};
}

static int set_flag(struct check_opts *o, int c)
{
	bool *const flags[] = {
		&o->is_full,
		&o->is_quick,
		&o->wants_list,
		&o->wants_help,
	};
	static const int ids[ARRAY_LEN(flags)] = {
		OPT_FULL,
		OPT_QUICK,
		OPT_LIST,
		'h',
	};

	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		if (ids[i] == c) {
			*flags[i] = true;
			return 0;
		}
	}
	return cli_output_option(&o->output, c);
}

static int set_option(void *arg, int c)
{
	struct check_opts *o = arg;

	switch (c) {
	case OPT_EDGE:
		o->edge = optarg;
		return 0;
	case OPT_SERVER:
		o->server = optarg;
		return 0;
	case OPT_CONTROL:
		return set_port(&o->ports.control);
	case OPT_SIP:
		return set_port(&o->ports.sip);
	case OPT_SIP_ALT:
		return set_port(&o->ports.sip_alt);
	case OPT_TLS:
		return set_port(&o->ports.tls);
	case OPT_TIMER:
		return set_timer(o);
	case OPT_FULL_RANGE:
		return set_full_range(o);
	case OPT_ONLY:
		return add_words(o->only, &o->n_only);
	case OPT_SKIP:
		return add_words(o->skip, &o->n_skip);
	case OPT_MAP:
		return add_map(o);
	case OPT_RESOLVE:
		return add_alias(o);
	case OPT_DNS:
		return add_dns(o);
	case OPT_ACCOUNT:
		return account_file(o);
	case '4':
		o->family = ADDR_IP4;
		return 0;
	case '6':
		o->family = ADDR_IP6;
		return 0;
	default:
		return set_flag(o, c);
	}
}

static enum cli_status check_pairs(const struct check_opts *o)
{
	if (o->edge && o->server)
		return cli_usage_error(&cli_check,
		                       _("--edge and --server exclude each "
		                         "other"));
	if (o->is_quick && (o->is_full || o->is_full_range || o->timer_wait_s))
		return cli_usage_error(&cli_check,
		                       _("--quick excludes --full, "
		                         "--full-range and --timer"));
	return CLI_READY;
}

enum cli_status check_opts_read(struct check_opts *o, int argc, char *argv[])
{
	enum cli_status status;

	if (account_environment(o))
		return cli_usage_error(&cli_check,
		                       _("a value of PRUMO_SIP_... or "
		                         "PRUMO_TURN_... is too long"));
	status = cli_options_read(&cli_check, argc, argv,
	                          "46" CLI_OUTPUT_LETTERS "h", options,
	                          set_option, o);
	if (status != CLI_READY)
		return status;
	if (argc - optind > 1)
		return cli_usage_error(&cli_check,
		                       _("one profile at a time, not '%s' too"),
		                       argv[optind + 1]);
	o->profile = optind < argc ? argv[optind] : CLI_PROFILE_DEFAULT;
	return check_pairs(o);
}

struct plan_effort check_opts_effort(const struct check_opts *o)
{
	struct plan_effort e = {
		.patience_ns = 2000 * NS_PER_MS,
		.again_ns = 1800 * NS_PER_MS,
		.trace_ns = 2200 * NS_PER_MS,
		.flows = RUN_FLOWS,
		.is_full_range = o->is_full_range,
		.flows_per_s = o->flows_per_s,
	};

	if (o->is_full) {
		e.patience_ns = 5000 * NS_PER_MS;
		e.again_ns = 4000 * NS_PER_MS;
		e.trace_ns = 5000 * NS_PER_MS;
	} else if (o->is_quick) {
		e.patience_ns = 1500 * NS_PER_MS;
		e.again_ns = 0;
		e.trace_ns = 0;
		e.flows = QUICK_FLOWS;
	}
	return e;
}

const char check_opts_help[] = N_(
	"  --edge HOST         the provider's responder (prumo-edge(1))\n"
	"  --server HOST       an ordinary SIP server instead; shows less\n"
	"  --quick             at most 5 seconds\n"
	"  --full              also what takes longer: more calls, bursts of\n"
	"                      requests, TURN, large messages\n"
	"  --full-range[=N]    every port of the voice's range, N new\n"
	"                      connections a second (68)\n"
	"  --only WORD,...     only these: a class (sip, rtp...), service,\n"
	"                      host, row (addresses/2), transport, kind of\n"
	"                      question or test (see --list-checks)\n"
	"  --skip WORD,...     all but these\n"
	"  --list-checks       say what would be asked, and its cost\n"
	"  --map NET=NET       put addresses of the profile elsewhere\n"
	"  --resolve NAME:ADDRESS\n"
	"                      give a name its address\n"
	"  --dns ADDRESS       ask this name server, not the system's\n"
	"  --account FILE      SIP and TURN accounts to log in with\n"
	"  --timer[=SECONDS]   also compare how long ports stay open (40)\n"
	"  -4, -6              only IPv4, only IPv6\n"
	"  --sip-port PORT, --sip-alt-port PORT, --tls-port PORT,\n"
	"  --control-port PORT other ports than the profile's\n"
	"  -o, --output FORMAT text, json or junit\n"
	"  --color WHEN        auto, always or never\n"
	"  --strict            exit with 1 when there are remarks\n"
	"  -q, --quiet         the verdict alone\n"
	"  -v, --verbose       every fact with its evidence\n"
	"  -h, --help          this text\n");
