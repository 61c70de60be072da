/* SPDX-License-Identifier: ISC */
/*
 * Design: a rule is a function over the whole profile, since a contradiction
 * has two ends. A cause is reported once, with all its places: forty rows with
 * the same fault are one finding. Thresholds and lists are tables beside the
 * rule that uses them.
 */
#include "profile/lint.h"

#include <errno.h>

#include "base/i18n.h"
#include "profile/rule.h"

enum {
	MAX_PLACES = 100 /* of a finding; nobody reads more */
};

static struct words copy_words(const struct lint *l, const struct words *ws)
{
	struct words copy = {.msgid = ws->msgid};

	for (size_t i = 0; i < WORDS_MAX_ARGS; i++) {
		if (ws->args[i])
			copy.args[i] =
				report_text(l->r, slice_str(ws->args[i]));
	}
	return copy;
}

static const char *in_english(const struct lint *l, const struct words *ws)
{
	struct wr w = wr_init_heap();
	const char *s;

	words_put(&w, ws, words_english);
	l->r->no_memory |= w.bad;
	s = report_text(l->r, wr_slice(&w));
	wr_fini(&w);
	return s;
}

static void put(const struct lint *l, struct val *map, const char *key,
                struct val v)
{
	(void)val_put(&l->r->arena, &l->r->no_memory, map, key, v);
}

static void put_place(const struct lint *l, struct val *map,
                      struct profile_place place, const char *text)
{
	put(l, map, "line", val_int(place.line));
	put(l, map, "column", val_int(place.column));
	put(l, map, "text", val_text(report_text(l->r, slice_str(text))));
}

struct finding *profile_rule_add(const struct lint *l,
                                 const struct lint_fault *fault)
{
	struct finding *fd = report_finding(l->r, fault->id, fault->severity);
	struct words suggestion = copy_words(l, &fault->suggestion);

	fd->segment = SEGMENT_PROVIDER;
	fd->act = ACT_PROVIDER;
	fd->title = copy_words(l, &fault->title);
	fd->detail = copy_words(l, &fault->detail);
	put(l, &fd->evidence, "file", val_text(l->file));
	put_place(l, &fd->evidence, fault->place, fault->text);
	put(l, &fd->evidence, "suggestion",
	    val_text(in_english(l, &suggestion)));
	(void)finding_remedy(l->r, fd, "profile.mend", suggestion);
	return fd;
}

void profile_rule_place(const struct lint *l, struct finding *fd,
                        struct profile_place place, const char *text)
{
	struct val_item *last = fd->evidence.items.last;
	struct val *list, *map;

	/* "places" is put after all else, so it is the last item. */
	if (last && last->v.kind == VAL_LIST)
		list = &last->v;
	else
		list = val_put(&l->r->arena, &l->r->no_memory, &fd->evidence,
		               "places", val_list());
	map = val_put(&l->r->arena, &l->r->no_memory, list, NULL, val_map());
	put_place(l, map, place, text);
}

void *profile_rule_memory(const struct lint *l, size_t n, size_t bytes)
{
	void *p = n <= SIZE_MAX / bytes ? arena_alloc(&l->r->arena, n * bytes)
	                                : NULL;

	if (!p)
		l->r->no_memory = true;
	return p;
}

const char *profile_ports_text(const struct lint *l,
                               const struct profile_ports *ports)
{
	if (ports->first == ports->last)
		return report_fmt(l->r, "%u", ports->first);
	return report_fmt(l->r, "%u-%u", ports->first, ports->last);
}

static void add_facts(const struct lint *l)
{
	struct fact *f;

	f = report_fact(l->r, "profile.rows", FACT_PASS, l->p->id);
	f->value = val_int((int64_t)l->p->n_rows);
	f->unit = "count";
	f->summary =
		(struct words){.msgid = N_("Rows in the provider's tables")};
	f = report_fact(l->r, "profile.flows", FACT_PASS, l->p->id);
	f->value = val_int((int64_t)profile_n_flows(l->p));
	f->unit = "count";
	f->summary = (struct words){
		.msgid = N_(
			"Flows: one destination, transport and port range each")};
}

int profile_lint(struct report *r, const struct profile *p, const char *file)
{
	static profile_rule_fn *const rules[] = {
		profile_rule_odd_domain,
		profile_rule_setting_alg_on,
		profile_rule_setting_contradicts,
		profile_rule_twins,
		profile_rule_overlap,
		profile_rule_timer_differs,
		profile_rule_slow_register,
		profile_rule_cloud_address,
		profile_rule_too_wide,
		profile_rule_rtp_over_tcp,
		profile_rule_setting_partial,
		profile_rule_setting_weakens,
		profile_rule_setting_misspelt,
		profile_rule_inbound,
		profile_rule_tcp_port_over_udp,
		profile_rule_plain_web,
	};
	struct lint l = {.r = r, .p = p};

	l.file = report_text(r, slice_str(file));
	r->is_tested = true;
	add_facts(&l);
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		rules[i](&l);
	return r->no_memory ? ENOMEM : 0;
}
