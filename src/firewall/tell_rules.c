/* SPDX-License-Identifier: ISC */
#include "firewall/tell.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/i18n.h"
#include "firewall/program.h"

/* Of rules that the text shows; a rule may be of several lines. */
static const char *lines_text(struct fw_tell *au,
                              const struct fw_reach_info *info, size_t *n)
{
	struct wr w = wr_init_heap();
	unsigned last = 0;
	const char *text;

	for (size_t i = 0; i < info->n_by; i++) {
		if (!info->by[i]->line || info->by[i]->line == last)
			continue;
		last = info->by[i]->line;
		wr_fmt(&w, "%s%u", (*n)++ ? ", " : "", last);
	}
	au->r->no_memory |= w.bad;
	text = report_text(au->r, wr_slice(&w));
	wr_fini(&w);
	return text;
}

static void tell_cover(struct fw_tell *au, struct fact *f,
                       const struct fw_reach_info *info)
{
	struct val *by = fact_field(au->r, f, "covered_by_lines", val_list());
	size_t n = 0;

	for (size_t i = 0; i < info->n_by; i++)
		fw_tell_int(au, by, NULL, info->by[i]->line);
	if (info->n_more)
		(void)fact_field(au->r, f, "covered_by_more",
		                 val_int((int64_t)info->n_more));
	f->summary.args[0] = fw_tell_line(au, info->rule->line);
	f->summary.args[1] = lines_text(au, info, &n);
	if (n == 0)
		f->summary.msgid = N_("Line %1$s can never match: earlier "
		                      "rules take all of its packets.");
	else if (info->n_more)
		f->summary.msgid = N_("Line %1$s can never match: lines %2$s "
		                      "and others take all of its packets.");
	else if (n == 1)
		f->summary.msgid = N_("Line %1$s can never match: line %2$s "
		                      "takes all of its packets.");
	else
		f->summary.msgid = N_("Line %1$s can never match: lines %2$s "
		                      "take all of its packets.");
}

static void tell_dead(struct fw_tell *au, const struct fw_reach_info *info)
{
	struct fact *f;

	/* What the text does not show, nobody can take out of it. */
	if (info->reach != FW_SHADOWED || !info->rule->line)
		return;
	f = report_fact(au->r, "audit.rule", FACT_WARN, info->rule->id);
	f->value = val_text("shadowed");
	fw_tell_rule(au, f, info->rule, info->rule->chain);
	tell_cover(au, f, info);
	fw_tell_because(au, &au->dead, "firewall.dead-rules", f);
}

static void tell_wide(struct fw_tell *au, const struct fw_part *p)
{
	const unsigned line = p->rule ? p->rule->line : p->chain->line;
	struct fact *f;

	if (p->verdict != FW_PASS)
		return;
	f = report_fact(au->r, "audit.rule", FACT_WARN,
	                p->rule ? p->rule->id : p->chain->name);

	f->value = val_text("too-wide");
	fw_tell_rule(au, f, p->rule, p->chain);
	fw_tell_packet(au, f, &p->example);
	if (p->rule && !line) {
		f->summary.msgid =
			N_("Rule %1$s accepts more than calls need.");
		f->summary.args[0] = report_text(au->r, slice_str(p->rule->id));
	} else if (p->rule) {
		f->summary.msgid =
			N_("Line %1$s accepts more than calls need.");
		f->summary.args[0] = fw_tell_line(au, line);
	} else {
		f->summary.msgid = N_("What no rule of %1$s decides is "
		                      "accepted, and that is more than calls "
		                      "need.");
		f->summary.args[0] = report_fmt(
			au->r, "%s%s%s", p->chain->table,
			p->chain->table[0] ? " " : "", p->chain->name);
	}
	fw_tell_because(au, &au->wide, "firewall.too-wide", f);
}

/* Rules made of one line are dead only together. */
static bool is_line_alive(const struct fw_reach_info *infos, size_t n, size_t i)
{
	for (size_t k = i; k-- > 0;) {
		if (infos[k].rule->raw.p != infos[i].rule->raw.p)
			break;
		if (infos[k].reach != FW_SHADOWED)
			return true;
	}
	for (size_t k = i + 1; k < n; k++) {
		if (infos[k].rule->raw.p != infos[i].rule->raw.p)
			break;
		/* Told at the last rule of the line. */
		return true;
	}
	return false;
}

enum {
	RULES_MAX = 100000, /* compared with each other: half a minute */
};

static void tell_skipped(struct fw_tell *au)
{
	struct fact *f = report_fact(au->r, "audit.rule", FACT_SKIPPED, NULL);

	f->summary.msgid = N_("Dead and too wide rules were not looked for.");
	f->why.msgid = N_("There are too many rules to compare: %1$s.");
	f->why.args[0] = report_fmt(au->r, "%zu", au->rules->n_rules);
}

/* What is too intricate to find out, in one line for all of it. */
static void tell_open(struct fw_tell *au, const struct fw_reach_info *infos,
                      size_t n_infos, const struct fw_part *parts)
{
	size_t n = 0;
	struct fact *f;

	for (size_t i = 0; i < n_infos; i++)
		n += infos[i].reach == FW_REACH_UNKNOWN;
	for (; parts; parts = parts->next)
		n += parts->verdict != FW_PASS;
	if (n == 0)
		return;
	f = report_fact(au->r, "audit.rule", FACT_SKIPPED, NULL);
	f->summary.msgid =
		N_("Not found out of %1$s rules: whether they are dead, or too "
	           "wide.");
	f->summary.args[0] = report_fmt(au->r, "%zu", n);
	f->why.msgid = N_("Not worked out within %1$s steps: the rules overlap "
	                  "in too many ways.");
	f->why.args[0] = report_fmt(au->r, "%" PRIu64, FW_COMPARE_STEPS);
}

/* Without the flows: a name in them that no rule has is some address, and all
 * addresses are there already. But as a name it might be in any range, and
 * in none of two that are the same.
 *
 * @param left  In and out: steps. */
static int find_dead(struct fw_reach_info **infos, size_t *n,
                     struct fw_tell *au, uint64_t *left)
{
	struct fw_space *sp = NULL;
	int err = fw_space_alloc(&sp, au->rules, NULL, 0, &au->q->place,
	                         au->q->hosts, au->q->n_hosts);

	if (err)
		return err;
	sp->compare_left = *left;
	err = fw_space_reach(infos, n, &au->r->arena, sp);
	*left = sp->compare_left;
	fw_space_free(sp);
	return err;
}

static int find_wide(struct fw_part **parts, struct fw_tell *au, uint64_t left)
{
	struct fw_space *sp = NULL;
	int err = fw_space_alloc(&sp, au->rules, au->q->flows, au->q->n_flows,
	                         &au->q->place, au->q->hosts, au->q->n_hosts);

	if (err)
		return err;
	sp->compare_left = left;
	err = fw_space_excess(parts, &au->r->arena, sp);
	fw_space_free(sp);
	return err;
}

int fw_tell_rules(struct fw_tell *au)
{
	struct fw_reach_info *infos = NULL;
	struct fw_part *parts = NULL;
	uint64_t left = FW_COMPARE_STEPS;
	size_t n = 0;
	int err;

	if (au->rules->n_rules > RULES_MAX) {
		tell_skipped(au);
		return 0;
	}
	err = find_dead(&infos, &n, au, &left);
	for (size_t i = 0; i < n && !err; i++) {
		if (!is_line_alive(infos, n, i))
			tell_dead(au, &infos[i]);
	}
	if (!err)
		err = find_wide(&parts, au, left);
	for (const struct fw_part *p = parts; p && !err; p = p->next)
		tell_wide(au, p);
	if (!err)
		tell_open(au, infos, n, parts);
	return err;
}
