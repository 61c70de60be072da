/* SPDX-License-Identifier: ISC */
/*
 * Design: each text is judged by itself and all go into one report. The patch
 * is shown last and verbatim, since it is to be copied; in JSON it is a fact
 * like the others.
 */
#include "cli/audit.h"

#include <errno.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "cli/find.h"
#include "cli/flows.h"
#include "cli/live.h"
#include "cli/output.h"
#include "cli/profile.h"
#include "firewall/audit.h"
#include "firewall/foreign.h"
#include "firewall/linux.h"
#include "firewall/vendor.h"

enum option_id {
	OPT_PROFILE = 256,
	OPT_FOR,
	OPT_WHY,
	OPT_LIVE,
};

enum {
	TEXT_MAX_BYTES = 128 << 20,
};

struct settings {
	struct cli_place how;
	const struct fw_dialect *dialect;
	const char *profile;
	bool shows_why, is_live, wants_help;
	struct cli_output output;
};

static const struct option options[] = {
	{"profile", required_argument, NULL, OPT_PROFILE},
	{"for", required_argument, NULL, OPT_FOR},
	{"why", no_argument, NULL, OPT_WHY},
	{"live", no_argument, NULL, OPT_LIVE},
	CLI_PLACE_OPTIONS,
	CLI_OUTPUT_OPTIONS,
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static int set_option(void *arg, int id)
{
	struct settings *set = arg;
	int err;

	switch (id) {
	case OPT_PROFILE:
		set->profile = optarg;
		return 0;
	case OPT_FOR:
		set->dialect = fw_dialect_find(optarg);
		return set->dialect && set->dialect->parse ? 0 : EBADMSG;
	case OPT_WHY:
		set->shows_why = true;
		return 0;
	case OPT_LIVE:
		set->is_live = true;
		return 0;
	case 'h':
		set->wants_help = true;
		return 0;
	default:
		err = cli_place_option(&set->how, id);
		return err == EINVAL ? cli_output_option(&set->output, id)
		                     : err;
	}
}

static enum cli_status parse(struct settings *set, int argc, char *argv[])
{
	enum cli_status status =
		cli_options_read(&cli_audit, argc, argv, CLI_OUTPUT_LETTERS "h",
	                         options, set_option, set);

	if (status != CLI_READY || set->wants_help)
		return status;
	if (set->is_live && optind < argc)
		return cli_usage_error(
			&cli_audit, _("--live and files exclude each other"));
	if (!set->is_live && optind == argc)
		return cli_usage_error(&cli_audit,
		                       _("say which configuration to audit"));
	/* This computer is a router only for those who say so. */
	if (set->is_live && !set->how.lan)
		set->how.is_host = true;
	return CLI_READY;
}

struct audit {
	const struct settings *set;
	struct profile *profile;
	struct report report;
	struct wr after; /* what follows the report: patches and reasons */
	bool is_many;    /* texts are judged into one report */
	bool is_tracked; /* live: something asks for connections */
};

static void put_block(struct wr *w, const char *title, const struct wr *text)
{
	if (!text->n)
		return;
	wr_fmt(w, "\n# %s\n", title);
	wr_put(w, wr_slice(text));
	if (text->p[text->n - 1] != '\n')
		wr_str(w, "\n");
}

static void show_patch(struct audit *au, const struct fw_patch_out *patch,
                       size_t left, const char *file)
{
	struct wr *w = &au->after;

	wr_str(w, "\n");
	wr_fmt(w, _("The patch for %s; parsed and audited again:"), file);
	wr_str(w, "\n");
	put_block(w, _("Change"), &patch->commands);
	put_block(w, _("Then forget the old sessions"), &patch->clear);
	put_block(w, _("To take the change back"), &patch->undo);
	if (left) {
		wr_str(w, "\n");
		wr_fmt(w, _("Flows that it does not mend: %zu"), left);
		wr_str(w, "\n");
	}
}

static int make_patch(struct audit *au, const struct fw_rules *rules,
                      const struct fw_question *q, const char *file)
{
	struct fw_patch_out patch;
	size_t left = 0;
	int err;

	fw_patch_init(&patch);
	err = fw_patch_make(&patch, &left, rules, q);
	if (!err || err == ENOTSUP || err == EPROTO) {
		fw_audit_patch(&au->report, &patch, left, rules, file);
		if (!err && patch.commands.n)
			show_patch(au, &patch, left, file);
		err = 0;
	}
	fw_patch_fini(&patch);
	return err;
}

static void show_why(struct audit *au, const struct fw_rules *rules,
                     const char *file)
{
	struct wr *w = &au->after;

	wr_str(w, "\n");
	wr_fmt(w, _("What the settings of %s mean, and who says so:"), file);
	wr_str(w, "\n");
	for (const struct fw_setting *s = rules->settings; s; s = s->next) {
		const struct fw_vendor_fact *vf =
			s->source ? fw_vendor_fact_find(s->source) : NULL;

		wr_fmt(w, "\n%s", s->id);
		if (s->line)
			wr_fmt(w, _(", line %u"), s->line);
		else if (s->is_default)
			wr_str(w, _(", not in the text"));
		if (s->attrs.alg != FW_UNSET)
			wr_fmt(w, ": %s", fw_tri_name(s->attrs.alg));
		if (s->attrs.consistent_nat != FW_UNSET)
			wr_fmt(w, ": %s", fw_tri_name(s->attrs.consistent_nat));
		if (s->attrs.udp_idle_s >= 0)
			wr_fmt(w, ": UDP %lld s",
			       (long long)s->attrs.udp_idle_s);
		if (s->attrs.tcp_idle_s >= 0)
			wr_fmt(w, ": TCP %lld s",
			       (long long)s->attrs.tcp_idle_s);
		wr_str(w, "\n");
		if (vf)
			wr_fmt(w, "    %s\n    [%s]\n", _(vf->title),
			       vf->document);
		else if (s->source)
			wr_fmt(w, "    [%s]\n", s->source);
	}
}

static void tell_place(const struct fw_place *place, const char *file)
{
	struct wr from = wr_init_heap();

	fw_place_put(&from, place);
	wr_u8(&from, '\0');
	if (!from.bad)
		cli_complain(&cli_audit,
		             _("%s: judged from %s to %s; --lan and --wan say "
		               "otherwise"),
		             file, (const char *)from.p,
		             place->out ? place->out : "*");
	wr_fini(&from);
}

/* Where the text itself tells where phones and provider are. */
static int guess_place(struct fw_place *place, struct arena *a,
                       const struct fw_dialect *d, const struct fw_rules *rules,
                       const char *file)
{
	const struct fw_place said = *place;
	int err = 0;

	if (place->path != FW_PATH_FORWARD)
		return 0;
	if (!place->out)
		place->out = fw_guess_wan(rules);
	if (!place->out)
		place->out = d->wan;
	if (!place->in && place->out)
		place->in = fw_guess_lan(rules, place->out);
	if (!place->in && d->wan &&
	    (said.out || said.src.first || strcmp(place->out, d->wan) == 0))
		place->in = d->lan;
	if (!place->src.first)
		err = fw_guess_src(&place->src, a, rules, place);
	if (place->in != said.in || place->out != said.out ||
	    place->src.first != said.src.first)
		tell_place(place, file);
	return err;
}

static int judge(struct audit *au, const struct fw_dialect *d,
                 const struct fw_rules *rules, struct cli_flows *fl,
                 const char *file)
{
	struct fw_question q = {.flows = fl->flows,
	                        .n_flows = fl->n_flows,
	                        .place = fl->place,
	                        .hosts = fl->hosts,
	                        .n_hosts = fl->n_hosts};
	int err = guess_place(&q.place, &fl->arena, d, rules, file);

	if (!err)
		err = fw_audit(&au->report, rules, &q, file);
	if (!err)
		err = make_patch(au, rules, &q, file);
	if (!err && au->set->shows_why)
		show_why(au, rules, file);
	return err;
}

static enum cli_status audit_rules(struct audit *au, const struct fw_dialect *d,
                                   const struct fw_rules *rules,
                                   const char *file)
{
	struct cli_flows fl;
	enum cli_status status =
		cli_flows_make(&fl, &cli_audit, au->profile, &au->set->how,
	                       fw_dialect_caps(d, rules) & FW_CAP_NAMES);
	int err = 0;

	if (status == CLI_READY)
		err = judge(au, d, rules, &fl, file);
	cli_flows_fini(&fl);
	if (err == E2BIG) {
		cli_complain(&cli_audit,
		             _("%s: its rules are too many, or call each "
		               "other too often, to be followed"),
		             file);
		return CLI_COULD_NOT_TEST;
	}
	if (err) {
		cli_complain(&cli_audit, _("out of memory"));
		return CLI_INTERNAL;
	}
	return status;
}

static enum cli_status refuse_text(struct slice text, const char *file)
{
	const struct fw_foreign *box = fw_foreign_recognise(text);
	const struct fw_vendor_fact *fact =
		box ? fw_vendor_fact_find(box->source) : NULL;

	if (!fact)
		return cli_usage_error(&cli_audit,
		                       _("%s is of no kind that is known here; "
		                         "use --for"),
		                       file);
	cli_complain(&cli_audit,
	             _("%s is of %s, which is not read here. From the "
	               "factory: %s [%s]"),
	             file, box->title, _(fact->title), fact->document);
	return CLI_USAGE;
}

static enum cli_status audit_text(struct audit *au, const struct fw_dialect *d,
                                  struct slice text, const char *file)
{
	struct fw_rules rules;
	struct arena arena;
	struct diag dg;
	enum cli_status status = CLI_INTERNAL;
	int err;

	if (!d)
		d = fw_dialect_recognise(text);
	if (!d || !d->parse)
		return refuse_text(text, file);
	arena_init(&arena);
	fw_rules_init(&rules);
	diag_init(&dg, &arena, file, text);
	err = d->parse(&rules, text, &dg);
	if (!err && au->set->is_live)
		err = live_settings(&rules);
	rules.title = au->is_many ? file : NULL;
	rules.is_stateless |= au->set->is_live && !au->is_tracked;
	if (dg.n_items && !au->set->output.is_quiet)
		cli_output_diag(&dg);
	/* The rest was read, and is judged without the lines at fault. */
	if (err == ENOMEM && rules.is_full)
		status = cli_usage_error(
			&cli_audit,
			_("%s: more than %d rules, which is the most"), file,
			FW_RULES_MAX);
	else if (err == ENOMEM)
		cli_complain(&cli_audit, _("out of memory"));
	else if (err && !rules.chains && !rules.settings)
		status = CLI_USAGE;
	else
		status = audit_rules(au, d, &rules, file);
	fw_rules_fini(&rules);
	arena_fini(&arena);
	return status;
}

/* Windows saves, and its shell redirects, as UTF-16 or with a mark. */
static enum cli_status read_file(struct wr *out, const char *path)
{
	struct wr text = wr_init_heap();
	int err = cli_file_read(out, path, TEXT_MAX_BYTES);
	const struct slice plain = text_unmarked(wr_slice(out));
	const bool is_utf16 = text_is_utf16(wr_slice(out));

	if (!err && is_utf16)
		text_utf16_put(&text, wr_slice(out));
	else if (!err && plain.n < out->n)
		wr_put(&text, plain);
	if (!err && text.bad)
		err = ENOMEM;
	if (!err && (is_utf16 || plain.n < out->n)) {
		const struct wr read = *out;

		*out = text;
		text = read;
	}
	wr_fini(&text);
	if (err)
		cli_complain(&cli_audit, "%s: %s", path, strerror(err));
	return err ? CLI_USAGE : CLI_READY;
}

/* What iptables-save and ip6tables-save show are halves of one firewall:
 * each by itself knows nothing of the other's flows. */
static bool are_halves(struct slice a, struct slice b)
{
	const unsigned fa = fw_linux_ipt_families(a);
	const unsigned fb = fw_linux_ipt_families(b);

	return fa && fb && !(fa & fb);
}

/* IPv4 first: only the other says what it is for. */
static enum cli_status audit_halves(struct audit *au,
                                    const struct fw_dialect *d,
                                    const struct live_source halves[2])
{
	const size_t first =
		fw_linux_ipt_families(wr_slice(&halves[0].text)) == FW_IP6;
	struct wr text = wr_init_heap();
	const char *name = arena_fmt(&au->report.arena, "%s + %s",
	                             halves[first].name, halves[!first].name);
	enum cli_status status = CLI_INTERNAL;

	wr_put(&text, wr_slice(&halves[first].text));
	wr_str(&text, "\n");
	wr_put(&text, wr_slice(&halves[!first].text));
	if (text.bad || !name)
		cli_complain(&cli_audit, _("out of memory"));
	else
		status = audit_text(au, d, wr_slice(&text), name);
	wr_fini(&text);
	return status;
}

/* @param n  How many there are; one or two are judged. @return that */
static size_t audit_next(struct audit *au, enum cli_status *status,
                         const struct fw_dialect *d,
                         const struct live_source *v, size_t n)
{
	if (n > 1 && are_halves(wr_slice(&v[0].text), wr_slice(&v[1].text))) {
		*status = audit_halves(au, d, v);
		return 2;
	}
	*status = audit_text(au, d, wr_slice(&v[0].text), v[0].name);
	return 1;
}

static enum cli_status audit_files(struct audit *au, char *const paths[],
                                   size_t n)
{
	struct live_source v[2] = {{0}};
	enum cli_status status = CLI_READY;
	size_t n_read = 0;

	au->is_many = n > 1;
	for (size_t i = 0; (i < n || n_read) && status == CLI_READY;) {
		size_t used;

		while (n_read < ARRAY_LEN(v) && i < n && status == CLI_READY) {
			v[n_read] = (struct live_source){
				.name = paths[i], .text = wr_init_heap()};
			status = read_file(&v[n_read++].text, paths[i++]);
		}
		if (status != CLI_READY)
			break;
		used = audit_next(au, &status, au->set->dialect, v, n_read);
		for (size_t k = 0; k < used; k++)
			wr_fini(&v[k].text);
		n_read -= used;
		if (n_read)
			v[0] = v[1];
	}
	while (n_read)
		wr_fini(&v[--n_read].text);
	return status;
}

static enum cli_status audit_live(struct audit *au)
{
	struct live_source sources[LIVE_MAX_SOURCES];
	size_t n, used;
	enum cli_status status = live_read(sources, &n, &cli_audit);

	au->is_many =
		n > 2 || (n == 2 && !are_halves(wr_slice(&sources[0].text),
	                                        wr_slice(&sources[1].text)));
	for (size_t i = 0; i < n && !au->is_tracked; i++)
		au->is_tracked = fw_linux_tracks(wr_slice(&sources[i].text));
	for (size_t i = 0; i < n && status == CLI_READY; i += used)
		used = audit_next(au, &status,
		                  fw_dialect_find(sources[i].dialect),
		                  &sources[i], n - i);
	for (size_t i = 0; i < n; i++)
		wr_fini(&sources[i].text);
	return status;
}

static void put_profile(struct audit *au)
{
	struct report *r = &au->report;
	const struct {
		const char *key, *text;
	} rows[] = {{"id", au->profile->id},
	            {"name", au->profile->name},
	            {"version", au->profile->version},
	            {"source", au->profile->source.title}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].text)
			(void)val_put(&r->arena, &r->no_memory, &r->profile,
			              rows[i].key,
			              val_text(report_text(
					      r, slice_str(rows[i].text))));
	}
	(void)val_put(&r->arena, &r->no_memory, &r->run, "prumo",
	              val_text(PRUMO_VERSION));
}

static enum cli_status show(const struct audit *au)
{
	enum cli_status status =
		cli_output_report(&au->set->output, &au->report);

	if (status != CLI_READY)
		return status;
	if (au->set->output.format == CLI_TEXT && !au->set->output.is_quiet)
		(void)fwrite(au->after.p, 1, au->after.n, stdout);
	return cli_output_status(&au->set->output, &au->report);
}

static enum cli_status run(int argc, char *argv[])
{
	struct settings set = {.profile = CLI_PROFILE_DEFAULT};
	struct audit au = {.set = &set};
	char path[PATH_MAX];
	enum cli_status status = parse(&set, argc, argv);

	if (status != CLI_READY)
		return status;
	if (set.wants_help) {
		cli_usage(stdout, &cli_audit);
		return CLI_READY;
	}
	status = cli_profile_load(&au.profile, path, &cli_audit, set.profile);
	if (status != CLI_READY)
		return status;
	report_init(&au.report);
	au.after = wr_init_heap();
	put_profile(&au);
	if (set.is_live)
		status = audit_live(&au);
	else
		status = audit_files(&au, argv + optind,
		                     (size_t)(argc - optind));
	if (status == CLI_READY)
		status = show(&au);
	wr_fini(&au.after);
	report_fini(&au.report);
	profile_free(au.profile);
	return status;
}

const struct cli_cmd cli_audit = {
	.name = "audit",
	.args = "[OPTION]... FILE...|-|--live",
	.summary = N_("Judge a firewall's configuration, and mend it"),
	.options = N_("  --profile PROFILE   what calls need; cloudphone-pro\n"
                      "  --for DIALECT       whose configuration it is; else "
                      "seen by itself\n"
                      "  --live              this computer's own firewall\n"
                      "  --lan ZONE          where phones are: interface, "
                      "zone or prefix\n"
                      "  --wan ZONE          where the provider is\n"
                      "  --host              the firewall itself makes the "
                      "calls\n"
                      "  --resolve NAME=ADDRESS\n"
                      "                      an address of a name; again for "
                      "more\n"
                      "  --why               what the settings mean, with "
                      "sources\n"
                      "  -o, --output FORMAT text, json or junit\n"
                      "  --color WHEN        auto, always or never\n"
                      "  --strict            exit with 1 when there are "
                      "remarks\n"
                      "  -q, --quiet         the verdict alone\n"
                      "  -v, --verbose       every fact with its evidence\n"
                      "  -h, --help          this text\n"),
	.run = run,
};
