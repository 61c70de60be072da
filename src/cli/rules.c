/* SPDX-License-Identifier: ISC */
/*
 * Design: what is written is read back before it is shown, in every dialect
 * that can, and must accept exactly the rows that were asked for: a
 * configuration that opens more or less is never printed.
 */
#include "cli/rules.h"

#include <errno.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "cli/flows.h"
#include "cli/output.h"
#include "cli/profile.h"
#include "firewall/audit.h"
#include "firewall/windows.h"

enum option_id {
	OPT_FOR = 256,
	OPT_SKIP,
	OPT_SESSION,
	OPT_DSCP,
	OPT_INBOUND,
};

enum {
	SESSION_MAX_S = 604800,
	DIALECT_BYTES = 32,
};

static const char windows[] = "windows";

struct settings {
	struct cli_place how;
	const struct fw_dialect *dialect;
	const char *version, *profile;
	const char *asked; /* --for, as typed; NULL: not said */
	bool wants_dscp, is_inbound, wants_help, is_unknown;
};

static const struct option options[] = {
	{"for", required_argument, NULL, OPT_FOR},
	CLI_PLACE_OPTIONS,
	{"skip-names", no_argument, NULL, OPT_SKIP},
	{"session-time", required_argument, NULL, OPT_SESSION},
	{"dscp", no_argument, NULL, OPT_DSCP},
	{"inbound", no_argument, NULL, OPT_INBOUND},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

/* "fortios:7.0"; what is wrong with it is said later, with what is right. */
static int set_dialect(struct settings *set)
{
	const char *colon = strchr(optarg, ':');
	const size_t n = colon ? (size_t)(colon - optarg) : strlen(optarg);
	char name[DIALECT_BYTES];

	set->asked = optarg;
	set->is_unknown = n >= sizeof(name);
	if (set->is_unknown)
		return 0;
	memcpy(name, optarg, n);
	name[n] = '\0';
	set->dialect = fw_dialect_find(name);
	set->version = colon && colon[1] ? colon + 1 : NULL;
	set->is_unknown = !set->dialect || !set->dialect->emit;
	return 0;
}

static int set_session(struct settings *set)
{
	uint64_t v;
	int err = text_u64(&v, slice_str(optarg), SESSION_MAX_S);

	if (!err && v == 0)
		err = EBADMSG;
	if (!err)
		set->how.session_s = (int64_t)v;
	return err;
}

static int set_option(void *arg, int id)
{
	struct settings *set = arg;

	switch (id) {
	case OPT_FOR:
		return set_dialect(set);
	case OPT_SKIP:
		set->how.skips_names = true;
		return 0;
	case OPT_SESSION:
		return set_session(set);
	case OPT_DSCP:
		set->wants_dscp = true;
		return 0;
	case OPT_INBOUND:
		set->is_inbound = true;
		return 0;
	case 'h':
		set->wants_help = true;
		return 0;
	default:
		return cli_place_option(&set->how, id);
	}
}

static enum cli_status no_dialect(const struct settings *set)
{
	char names[256];
	struct wr w = wr_init(names, sizeof(names) - 1);
	const char *sep = "";

	if (set->dialect && set->dialect->instead)
		return cli_usage_error(&cli_rules, "%s: %s", set->dialect->name,
		                       _(set->dialect->instead));
	for (size_t i = 0; fw_dialects[i]; i++) {
		if (!fw_dialects[i]->emit)
			continue;
		wr_fmt(&w, "%s%s", sep, fw_dialects[i]->name);
		sep = ", ";
	}
	names[w.n] = '\0';
	if (set->asked)
		return cli_usage_error(
			&cli_rules,
			_("'%s' is not known here; expected one of: %s"),
			set->asked, names);
	return cli_usage_error(
		&cli_rules, _("say --for which firewall; one of: %s"), names);
}

static enum cli_status parse(struct settings *set, int argc, char *argv[])
{
	enum cli_status status = cli_options_read(&cli_rules, argc, argv, "h",
	                                          options, set_option, set);

	if (status != CLI_READY || set->wants_help)
		return status;
	if (!set->dialect || set->is_unknown)
		return no_dialect(set);
	if (argc - optind > 1)
		return cli_usage_error(&cli_rules,
		                       _("one profile at a time, not '%s' too"),
		                       argv[optind + 1]);
	set->profile = optind < argc ? argv[optind] : CLI_PROFILE_DEFAULT;
	/* It filters nobody's traffic but its own. */
	if (strcmp(set->dialect->name, windows) == 0)
		set->how.is_host = true;
	return CLI_READY;
}

struct writing {
	const struct settings *set;
	const struct profile *profile;
	struct cli_flows flows;
	struct fw_rules rules;
	struct wr text;
	struct diag dg;
};

/* Marks are the profile's: by class of the row. */
static enum cli_status put_dscp(struct writing *wt)
{
	const struct profile_requirements *q = &wt->profile->requirements;
	const struct fw_rule *back = wt->rules.chains->first;
	struct fw_rule *r = back->next;

	if (!q->dscp_media && !q->dscp_signalling)
		return cli_usage_error(&cli_rules,
		                       _("the profile '%s' names no DSCP"),
		                       wt->profile->id);
	for (size_t i = 0; i < wt->flows.n_flows && r; i++, r = r->next) {
		const enum profile_class cls = wt->flows.rows[i]->cls;

		if (cls == PROFILE_SIP && q->dscp_signalling)
			r->attrs.dscp = (int)q->dscp_signalling;
		else if (cls == PROFILE_RTP && q->dscp_media)
			r->attrs.dscp = (int)q->dscp_media;
	}
	return CLI_READY;
}

/* What rules cannot say is left to the box, and its owner told. */
static void drop_idle(struct writing *wt)
{
	int64_t *longest_s = &wt->rules.defaults.udp_idle_s;
	bool is_asked = false;

	if (wt->set->dialect->caps & FW_CAP_UDP_IDLE)
		return;
	for (size_t i = 0; i < wt->flows.n_flows; i++) {
		struct fw_flow *f = &wt->flows.flows[i];

		is_asked |= f->min_udp_idle_s > 0 || f->min_tcp_idle_s > 0;
		if (f->min_udp_idle_s > *longest_s)
			*longest_s = f->min_udp_idle_s;
		f->min_udp_idle_s = f->min_tcp_idle_s = FW_IDLE_UNSET;
	}
	if (is_asked)
		cli_complain(&cli_rules,
		             _("%s cannot say session times in its rules; set "
		               "them on the box itself, as the last lines "
		               "say"),
		             wt->set->dialect->title);
}

static int judge(bool *is_exact, const struct writing *wt,
                 const struct fw_rules *rules, struct arena *a)
{
	const struct cli_flows *fl = &wt->flows;
	const struct fw_question q = {
		.flows = fl->flows, .n_flows = fl->n_flows, .place = fl->place};
	struct fw_answer *answers;
	struct fw_space *sp = NULL;
	struct fw_part *excess = NULL;
	int err = fw_answer_all(&answers, a, rules, &q);

	*is_exact = true;
	for (size_t i = 0; i < fl->n_flows && !err; i++)
		*is_exact &= answers[i].verdict == FW_PASS;
	if (!err)
		err = fw_space_alloc(&sp, rules, fl->flows, fl->n_flows,
		                     &fl->place, NULL, 0);
	if (!err)
		err = fw_space_excess(&excess, a, sp);
	/* What comes in on request is beyond the flows by definition. */
	*is_exact &= wt->set->is_inbound || !excess;
	fw_space_free(sp);
	return err;
}

static enum cli_status check(struct writing *wt)
{
	const struct fw_dialect *d = wt->set->dialect;
	struct fw_rules back;
	struct arena a;
	struct diag dg;
	bool is_exact = true;
	int err = 0;

	if (!d->parse)
		return CLI_READY;
	arena_init(&a);
	fw_rules_init(&back);
	diag_init(&dg, &a, NULL, wr_slice(&wt->text));
	err = d->parse(&back, wr_slice(&wt->text), &dg);
	if (!err)
		err = judge(&is_exact, wt, &back, &a);
	fw_rules_fini(&back);
	arena_fini(&a);
	if (!err && is_exact)
		return CLI_READY;
	cli_complain(&cli_rules,
	             err == ENOMEM ? _("out of memory")
	                           : _("what was written does not read back as "
	                               "what was asked; it is not shown"));
	return CLI_INTERNAL;
}

/* The only dialect on the machine that also has the antivirus. */
static int put_exclusions(struct writing *wt)
{
	const struct profile_requirements *rq = &wt->profile->requirements;
	int err = 0;

	for (size_t i = 0; i < rq->n_antivirus && !err; i++) {
		if (rq->antivirus[i].path)
			err = fw_windows_exclusion_add(&wt->rules,
			                               rq->antivirus[i].path);
	}
	return err;
}

/* Each of them was refused by its name; what helps is the same for all. */
static void tell_names(const struct writing *wt)
{
	const struct cli_flows *fl = &wt->flows;
	size_t n = 0;

	if (fw_dialect_caps(wt->set->dialect, &wt->rules) & FW_CAP_NAMES)
		return;
	for (size_t i = 0; i < fl->n_flows; i++)
		n += fl->flows[i].dst.first->kind == FW_ADDR_NAME;
	if (n)
		cli_complain(&cli_rules,
		             _("rows whose name has no address here: %zu; "
		               "give addresses with --resolve NAME=ADDRESS, "
		               "or leave such rows out with --skip-names"),
		             n);
}

static enum cli_status emit(struct writing *wt)
{
	const struct cli_flows *fl = &wt->flows;
	enum cli_status status = CLI_READY;
	int err = fw_rules_from_flows(&wt->rules, fl->flows, fl->n_flows,
	                              &fl->place);

	wt->rules.version = wt->set->version;
	if (!err && strcmp(wt->set->dialect->name, windows) == 0)
		err = put_exclusions(wt);
	if (!err && wt->set->is_inbound)
		err = fw_rules_add_inbound(&wt->rules, fl->flows, fl->n_flows,
		                           &fl->place);
	if (!err && wt->set->wants_dscp)
		status = put_dscp(wt);
	if (status != CLI_READY)
		return status;
	if (!err)
		err = fw_emit(&wt->text, wt->set->dialect, &wt->rules, &wt->dg);
	if (wt->dg.n_items)
		cli_output_diag(&wt->dg);
	if (err == ENOTSUP) {
		tell_names(wt);
		return CLI_NOT_READY;
	}
	if (err) {
		cli_complain(&cli_rules, _("out of memory"));
		return CLI_INTERNAL;
	}
	return check(wt);
}

/* Pasted into an office's router, it would cut off everybody else. */
static void tell_rest(const struct writing *wt)
{
	if (!wt->set->dialect->drops_rest)
		return;
	cli_complain(
		&cli_rules,
		_("what no rule accepts is dropped: this is for a firewall "
	          "without rules of its own; for one that has, 'prumo "
	          "audit FILE' writes what it lacks"));
}

/* Between any two zones is more than phones need. */
static void set_zones(struct fw_place *place, const struct fw_dialect *d)
{
	if (place->path != FW_PATH_FORWARD || !d->lan || !d->wan ||
	    (place->in && place->out))
		return;
	if (!place->in)
		place->in = d->lan;
	if (!place->out)
		place->out = d->wan;
	cli_complain(&cli_rules,
	             _("written from %s to %s; --lan and --wan say otherwise"),
	             place->in, place->out);
}

static enum cli_status write_rules(const struct settings *set,
                                   const struct profile *p)
{
	struct writing wt = {.set = set, .profile = p};
	const struct fw_rules box = {.version = set->version};
	const bool can_name =
		fw_dialect_caps(set->dialect, &box) & FW_CAP_NAMES;
	struct arena arena;
	enum cli_status status =
		cli_flows_make(&wt.flows, &cli_rules, p, &set->how, can_name);

	arena_init(&arena);
	fw_rules_init(&wt.rules);
	wt.text = wr_init_heap();
	diag_init(&wt.dg, &arena, NULL, (struct slice){NULL, 0});
	if (status == CLI_READY) {
		set_zones(&wt.flows.place, set->dialect);
		drop_idle(&wt);
		status = emit(&wt);
	}
	if (status == CLI_READY) {
		(void)fwrite(wt.text.p, 1, wt.text.n, stdout);
		tell_rest(&wt);
		if (wt.flows.n_skipped)
			cli_complain(&cli_rules,
			             _("rows left out, for their names have no "
			               "address here: %zu"),
			             wt.flows.n_skipped);
	}
	wr_fini(&wt.text);
	fw_rules_fini(&wt.rules);
	cli_flows_fini(&wt.flows);
	arena_fini(&arena);
	return status;
}

static enum cli_status run(int argc, char *argv[])
{
	struct settings set = {0};
	struct profile *p = NULL;
	char path[PATH_MAX];
	enum cli_status status = parse(&set, argc, argv);

	if (status != CLI_READY)
		return status;
	if (set.wants_help) {
		cli_usage(stdout, &cli_rules);
		return CLI_READY;
	}
	status = cli_profile_load(&p, path, &cli_rules, set.profile);
	if (status != CLI_READY)
		return status;
	status = write_rules(&set, p);
	profile_free(p);
	return status;
}

const struct cli_cmd cli_rules = {
	.name = "rules",
	.args = "--for DIALECT[:VERSION] [OPTION]... [PROFILE]",
	.summary = N_("Write what a provider needs as a firewall's rules"),
	.options = N_("  --for DIALECT[:VERSION]\n"
                      "                      whose configuration to write\n"
                      "  --lan ZONE          where phones are: interface, "
                      "zone or prefix\n"
                      "  --wan ZONE          where the provider is\n"
                      "  --host              the firewall itself makes the "
                      "calls\n"
                      "  --resolve NAME=ADDRESS\n"
                      "                      an address of a name; again for "
                      "more\n"
                      "  --skip-names        leave out names without an "
                      "address where the\n"
                      "                      firewall knows no names\n"
                      "  --session-time SECONDS\n"
                      "                      for UDP, instead of the "
                      "profile's shortest\n"
                      "  --dscp              mark calls as the profile says\n"
                      "  --inbound           let the provider open "
                      "connections, too\n"
                      "  -h, --help          this text\n"),
	.run = run,
};
