/* SPDX-License-Identifier: ISC */
/*
 * Design: facts say what each flow meets, with the deciding rule quoted by
 * line; findings are few, one per kind of cause, so that two hundred flows
 * behind one missing rule are one sentence. Nothing here decides anything
 * that answer.c or reach.c did not.
 */
#include "firewall/audit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "firewall/vendor.h"

enum {
	LONG_IDLE_S = 3600,
};

struct audit {
	struct report *r;
	const struct fw_rules *rules;
	const struct fw_question *q;
	const char *file;
	struct finding *blocked, *doubtful, *alg, *half, *idle, *offload, *dead;
	struct finding *wide, *nat;
};

static const enum fact_state states[] = {
	[FW_PASS] = FACT_PASS,
	[FW_FAIL] = FACT_FAIL,
	[FW_DONT_KNOW] = FACT_UNKNOWN,
};

static const struct {
	const char *id;
	enum finding_severity severity;
	const char *title, *detail;
	const char *step, *remedy;
} causes[] = {
	{"firewall.blocks", FINDING_FAIL,
         N_("The firewall's own rules block traffic that calls need."),
         N_("Each blocked flow names the rule that decides, with its line, "
            "and a packet that is dropped."),
         "open-flows",
         N_("Accept the blocked flows before the rule that drops them.")},
	{"firewall.unclear", FINDING_WARN,
         N_("The configuration does not say enough to be sure about some "
            "flows."),
         N_("A name, a schedule or a condition decides that this text does "
            "not show. Ask the firewall itself, or test with check."),
         "resolve-names",
         N_("Give the addresses of names with --resolve, or measure with "
            "prumo check.")},
	{"firewall.sip-alg", FINDING_FAIL,
         N_("The firewall rewrites SIP: its helper or ALG is on."),
         N_("It changes addresses inside SIP messages. Calls lose audio or "
            "drop; the provider asks for it to be off."),
         "alg-off-everywhere",
         N_("Turn the SIP ALG off in all of the places that turn it on, then "
            "clear the old sessions, which keep it.")},
	{"firewall.half-applied", FINDING_FAIL,
         N_("A recipe against the SIP ALG was applied only by half."),
         N_("One setting says off, another still turns it on: the ALG goes "
            "on working."),
         "alg-off-rest",
         N_("Do the rest of the recipe: each setting that still says on is "
            "among the evidence.")},
	{"firewall.udp-idle", FINDING_FAIL,
         N_("The firewall forgets idle UDP sessions too soon."),
         N_("Phones that rest between registrations stop ringing when "
            "their session is forgotten."),
         "session-time",
         N_("Raise the session time of UDP to what the provider asks for.")},
	{"firewall.offload", FINDING_WARN,
         N_("Calls are offloaded past the firewall's own processing."), NULL,
         "offload-off", N_("Turn offload off in the rules that carry calls.")},
	{"firewall.consistent-nat", FINDING_WARN,
         N_("The firewall gives a phone a new outside port for each "
            "conversation."),
         N_("Answers and calls may come to a port that is forgotten. The "
            "provider asks for consistent NAT."),
         "consistent-nat-on", N_("Turn consistent NAT on.")},
	{"firewall.dead-rules", FINDING_NOTE,
         N_("Some rules can never match: earlier rules take all of their "
            "packets."),
         NULL, "remove-dead-rules",
         N_("Take the dead rules out, or move them up if they were meant to "
            "decide.")},
	{"firewall.too-wide", FINDING_NOTE,
         N_("Some rules open more than calls need."), NULL, "narrow-rules",
         N_("If these rules are there for calls alone, limit them to the "
            "provider's addresses and ports.")},
};

static struct finding *cause(struct audit *au, struct finding **at,
                             const char *id)
{
	struct remedy_step *step;

	for (size_t i = 0; i < ARRAY_LEN(causes) && !*at; i++) {
		if (strcmp(causes[i].id, id) != 0)
			continue;
		*at = report_finding(au->r, id, causes[i].severity);
		(*at)->segment = SEGMENT_ROUTER;
		(*at)->act = ACT_CUSTOMER;
		(*at)->title.msgid = causes[i].title;
		(*at)->detail.msgid = causes[i].detail;
		step = finding_remedy(
			au->r, *at, causes[i].step,
			(struct words){.msgid = causes[i].remedy});
		step->needs_router = causes[i].severity != FINDING_NOTE &&
		                     strcmp(id, "firewall.unclear") != 0;
	}
	return *at;
}

static void put_place(struct audit *au, struct fact *f, unsigned line,
                      struct slice raw)
{
	if (au->file)
		(void)fact_evidence(
			au->r, f, "file",
			val_text(report_text(au->r, slice_str(au->file))));
	if (line)
		(void)fact_evidence(au->r, f, "line", val_int(line));
	if (raw.n)
		(void)fact_evidence(au->r, f, "quote",
		                    val_bytes(report_bytes(au->r, raw)));
}

static void put_rule(struct audit *au, struct fact *f,
                     const struct fw_rule *rule, const struct fw_chain *chain)
{
	if (rule) {
		(void)fact_field(
			au->r, f, "rule",
			val_text(report_text(au->r, slice_str(rule->id))));
		put_place(au, f, rule->line, rule->raw);
	} else if (chain) {
		(void)fact_field(
			au->r, f, "policy_of",
			val_text(report_text(au->r, slice_str(chain->name))));
		put_place(au, f, chain->line, (struct slice){NULL, 0});
	}
}

static void put_ip(struct audit *au, struct val *into, const char *key,
                   struct fw_ip ip, const char *name)
{
	const struct addr a = fw_ip_addr(ip);
	char text[ADDR_TEXT_BYTES];
	const char *s = name ? name : addr_ip_text(&a, text);

	(void)val_put(&au->r->arena, &au->r->no_memory, into, key,
	              val_text(report_text(au->r, slice_str(s))));
}

static void put_int(struct audit *au, struct val *into, const char *key,
                    int64_t v)
{
	(void)val_put(&au->r->arena, &au->r->no_memory, into, key, val_int(v));
}

static void put_packet(struct audit *au, struct fact *f,
                       const struct fw_packet *p)
{
	struct val *v = fact_evidence(au->r, f, "packet", val_map());
	const char *name = fw_proto_name(p->proto);

	if (p->in)
		(void)val_put(&au->r->arena, &au->r->no_memory, v, "in",
		              val_text(report_text(au->r, slice_str(p->in))));
	if (p->out)
		(void)val_put(&au->r->arena, &au->r->no_memory, v, "out",
		              val_text(report_text(au->r, slice_str(p->out))));
	put_ip(au, v, "src", p->src, p->src_name);
	put_ip(au, v, "dst", p->dst, p->dst_name);
	if (name)
		(void)val_put(&au->r->arena, &au->r->no_memory, v, "protocol",
		              val_text(name));
	put_int(au, v, "protocol_number", p->proto);
	put_int(au, v, "sport", p->sport);
	put_int(au, v, "dport", p->dport);
}

/* The part to show: a failing one, else a doubtful one, else the first. */
static const struct fw_part *telling(const struct fw_judgement *j)
{
	const struct fw_part *best = j->parts;

	for (const struct fw_part *p = j->parts; p; p = p->next) {
		if (p->verdict == FW_FAIL)
			return p;
		if (p->verdict == FW_DONT_KNOW && best->verdict == FW_PASS)
			best = p;
	}
	return best;
}

static const char *line_text(struct audit *au, const struct fw_rule *rule,
                             const struct fw_chain *chain)
{
	return report_fmt(au->r, "%u",
	                  rule ? rule->line : (chain ? chain->line : 0));
}

/* How people know a row; its id is in the scope. */
static const char *words_of(struct audit *au, const struct fw_flow *flow)
{
	return report_text(au->r,
	                   slice_str(flow->title ? flow->title : flow->id));
}

static void tell_cut(struct audit *au, struct fact *f,
                     const struct fw_judgement *j)
{
	f->summary.msgid = N_("%1$s: not known.");
	f->why.msgid = N_("Not worked out within %1$s steps: the rules cut it "
	                  "into too many parts.");
	f->why.args[0] = report_fmt(au->r, "%" PRIu64, j->n_steps);
}

static void tell_doubt(struct audit *au, struct fact *f,
                       const struct fw_part *p)
{
	const struct fw_rule *r = p->doubt;
	const bool is_elsewhere = r && !r->conditional &&
	                          r->nat.kind != FW_NAT_NONE &&
	                          r->nat.kind != FW_NAT_SOURCE;
	const char *what = r ? r->conditional : NULL;

	if (!r && !p->rule && !p->chain) {
		f->summary.msgid = N_("%1$s: not known.");
		f->why.msgid = N_("This text is not about addresses of that "
		                  "family.");
		return;
	}
	f->summary.msgid =
		N_("%1$s: not known; line %2$s may or may not match.");
	f->why.msgid = N_("What line %1$s matches is not in this text: %2$s");
	if (r && !r->line) {
		f->summary.msgid =
			N_("%1$s: not known; rule %2$s may or may not match.");
		f->why.msgid =
			N_("What rule %1$s matches is not in this text: %2$s");
		f->summary.args[1] = report_text(au->r, slice_str(r->id));
	} else if (is_elsewhere) {
		f->why.msgid = N_("Line %1$s may send it elsewhere (%2$s), "
		                  "and what becomes of it there is not in this "
		                  "text.");
		what = r->nat.to;
	}
	f->why.args[0] = f->summary.args[1];
	f->why.args[1] = what ? report_text(au->r, slice_str(what)) : "";
}

static void tell_flow(struct audit *au, const struct fw_flow *flow,
                      const struct fw_answer *an)
{
	const bool is_back =
		an->out.verdict == FW_PASS && an->back.verdict != FW_PASS;
	const struct fw_judgement *j = is_back ? &an->back : &an->out;
	const struct fw_part *p = telling(j);
	const bool is_ruled = p && p->rule && p->rule->line;
	struct fact *f =
		report_fact(au->r, "audit.flow", states[an->verdict], flow->id);

	(void)fact_field(au->r, f, "direction",
	                 val_text(is_back ? "reply" : "original"));
	if (!p)
		return;
	put_rule(au, f, p->doubt ? p->doubt : p->rule, p->chain);
	put_packet(au, f, &p->example);
	f->summary.args[0] = words_of(au, flow);
	f->summary.args[1] =
		line_text(au, p->doubt ? p->doubt : p->rule, p->chain);
	if (an->verdict == FW_PASS) {
		f->summary.msgid =
			is_ruled ? N_("%1$s: accepted, by line %2$s.")
				 : N_("%1$s: accepted: no rule is against it.");
	} else if (an->verdict == FW_FAIL) {
		f->summary.msgid =
			is_ruled ? N_("%1$s: blocked, by line %2$s.")
				 : N_("%1$s: blocked: no rule accepts it.");
		finding_because(au->r,
		                cause(au, &au->blocked, "firewall.blocks"), f);
	} else {
		if (j->is_cut && !p->doubt)
			tell_cut(au, f, j);
		else
			tell_doubt(au, f, p);
		finding_because(
			au->r, cause(au, &au->doubtful, "firewall.unclear"), f);
	}
}

/* The default that speaks where no rule does. */
static const struct fw_setting *setting_of(const struct fw_rules *rules,
                                           bool is_alg)
{
	for (const struct fw_setting *s = rules->settings; s; s = s->next) {
		if (is_alg ? s->attrs.alg != FW_UNSET
		           : s->attrs.udp_idle_s != FW_IDLE_UNSET)
			return s;
	}
	return NULL;
}

static void put_setting(struct audit *au, struct fact *f,
                        const struct fw_setting *s)
{
	if (!s)
		return;
	(void)fact_field(au->r, f, "setting", val_text(s->id));
	(void)fact_field(au->r, f, "is_default", val_bool(s->is_default));
	if (s->source)
		(void)fact_evidence(au->r, f, "source", val_text(s->source));
	put_place(au, f, s->line, s->raw);
}

static void put_source(struct audit *au, struct fact *f,
                       const struct fw_rule *rule, bool is_alg)
{
	if (rule) {
		if (is_alg && rule->attrs.alg_source)
			(void)fact_evidence(au->r, f, "source",
			                    val_text(rule->attrs.alg_source));
		put_rule(au, f, rule, rule->chain);
	} else {
		put_setting(au, f, setting_of(au->rules, is_alg));
	}
}

/* The fact of the vendor's product that leaves it open, where there is one. */
static const char *why_unknown(const struct audit *au,
                               const struct fw_rule *rule, bool is_alg)
{
	const struct fw_setting *s = setting_of(au->rules, is_alg);
	const struct fw_vendor_fact *vf;

	if (rule)
		vf = is_alg ? fw_vendor_fact_find(rule->attrs.alg_source)
		            : NULL;
	else
		vf = s ? fw_vendor_fact_find(s->source) : NULL;
	return vf ? vf->title : N_("The configuration does not say.");
}

static void tell_why(const struct audit *au, struct fact *f,
                     const struct fw_rule *rule, bool is_alg, bool is_perhaps)
{
	if (!is_perhaps) {
		f->why.msgid = why_unknown(au, rule, is_alg);
		return;
	}
	f->why.msgid =
		is_alg ? N_("Rule %1$s (line %2$s) may accept it first, and "
	                    "does otherwise with SIP.")
		       : N_("Rule %1$s (line %2$s) may accept it first, and "
	                    "forgets it sooner.");
	f->why.args[0] = report_text(au->r, slice_str(rule->id));
	f->why.args[1] = report_fmt(au->r, "%u", rule->line);
}

static void tell_alg(struct audit *au, const struct fw_flow *flow,
                     const struct fw_answer *an)
{
	struct fact *f;

	if (!flow->is_sip)
		return;
	f = report_fact(au->r, "audit.alg", FACT_PASS, flow->id);
	put_source(au, f, an->out.alg_rule, true);
	f->summary.args[0] = words_of(au, flow);
	if (an->alg == FW_OFF) {
		f->value = val_text("off");
		f->summary.msgid = N_("%1$s: no SIP helper acts on it.");
	} else if (an->alg == FW_ON) {
		f->state = FACT_FAIL;
		f->value = val_text("on");
		f->summary.msgid = N_("%1$s: the SIP helper acts on it.");
		finding_because(au->r, cause(au, &au->alg, "firewall.sip-alg"),
		                f);
	} else {
		f->state = FACT_UNKNOWN;
		f->value = val_text("unknown");
		f->summary.msgid =
			N_("%1$s: whether a SIP helper acts is not known.");
		tell_why(au, f, an->out.alg_rule, true, an->out.is_alg_perhaps);
		finding_because(
			au->r, cause(au, &au->doubtful, "firewall.unclear"), f);
	}
}

/* A switch that was thrown, and an ALG that acts nevertheless. */
static void tell_half(struct audit *au)
{
	const struct fw_setting *off = NULL;
	struct val *list;

	for (const struct fw_setting *s = au->rules->settings; s; s = s->next) {
		if (s->attrs.alg == FW_OFF && !s->is_default)
			off = s;
	}
	if (!au->alg || !off)
		return;
	(void)cause(au, &au->half, "firewall.half-applied");
	list = val_put(&au->r->arena, &au->r->no_memory, &au->half->evidence,
	               "settings", val_list());
	for (const struct fw_setting *s = au->rules->settings; s; s = s->next) {
		struct val *v;

		if (s->attrs.alg == FW_UNSET)
			continue;
		v = val_put(&au->r->arena, &au->r->no_memory, list, NULL,
		            val_map());
		(void)val_put(&au->r->arena, &au->r->no_memory, v, "setting",
		              val_text(s->id));
		(void)val_put(&au->r->arena, &au->r->no_memory, v, "alg",
		              val_text(fw_tri_name(s->attrs.alg)));
		put_int(au, v, "line", s->line);
	}
	au->half->facts = au->alg->facts;
}

static void tell_idle(struct audit *au, const struct fw_flow *flow,
                      const struct fw_answer *an)
{
	struct fact *f;

	if (flow->min_udp_idle_s <= 0 || an->udp_idle_s == FW_IDLE_UNSET)
		return;
	f = report_fact(au->r, "audit.udp-idle", FACT_PASS, flow->id);
	put_source(au, f, an->out.idle_rule, false);
	(void)fact_field(au->r, f, "wanted_s", val_int(flow->min_udp_idle_s));
	f->summary.args[0] = words_of(au, flow);
	f->summary.args[1] =
		report_fmt(au->r, "%lld", (long long)an->udp_idle_s);
	f->summary.args[2] =
		report_fmt(au->r, "%lld", (long long)flow->min_udp_idle_s);
	if (an->udp_idle_s < 0) {
		f->state = FACT_UNKNOWN;
		f->summary.msgid = N_("%1$s: its session time is not known.");
		tell_why(au, f, an->out.idle_rule, false,
		         an->out.is_idle_perhaps);
		finding_because(
			au->r, cause(au, &au->doubtful, "firewall.unclear"), f);
		return;
	}
	f->value = val_int(an->udp_idle_s);
	f->unit = "s";
	if (an->out.is_idle_by_helper) {
		f->state = FACT_WARN;
		f->summary.msgid =
			N_("%1$s: idle sessions live %2$s s, but only while "
		           "the SIP helper acts on them.");
		return;
	}
	if (an->udp_idle_s >= flow->min_udp_idle_s) {
		const struct fw_rule *by = an->out.idle_rule;
		const bool is_for_all = by && !by->services.first;

		f->summary.msgid =
			N_("%1$s: idle sessions live %2$s s, %3$s s wanted.");
		/* A table has room for so many. */
		if (an->udp_idle_s > LONG_IDLE_S && is_for_all &&
		    by->action == FW_ACCEPT) {
			f->state = FACT_WARN;
			f->summary.msgid =
				N_("%1$s: idle sessions live %2$s s, %3$s s "
			           "wanted; the rule is for every service, so "
			           "all of its sessions fill the table for so "
			           "long.");
		}
		return;
	}
	f->state = FACT_FAIL;
	f->summary.msgid =
		N_("%1$s: idle sessions live only %2$s s, %3$s s wanted.");
	finding_because(au->r, cause(au, &au->idle, "firewall.udp-idle"), f);
}

/* Of the box; only where there is such a switch. */
static void tell_nat(struct audit *au)
{
	const struct fw_setting *s = au->rules->settings;
	const enum fw_tri nat = au->rules->defaults.consistent_nat;
	const struct fw_vendor_fact *vf;
	struct fact *f;

	while (s && s->attrs.consistent_nat == FW_UNSET)
		s = s->next;
	if (nat == FW_UNSET || !s)
		return;
	vf = fw_vendor_fact_find(s->source);
	f = report_fact(au->r, "audit.consistent-nat", FACT_PASS, au->file);
	f->value = val_text(fw_tri_name(nat));
	put_setting(au, f, s);
	if (nat == FW_ON) {
		f->summary.msgid = N_("Consistent NAT is on.");
	} else if (nat == FW_OFF) {
		f->state = FACT_WARN;
		f->summary.msgid = N_("Consistent NAT is off.");
		finding_because(au->r,
		                cause(au, &au->nat, "firewall.consistent-nat"),
		                f);
	} else {
		f->state = FACT_UNKNOWN;
		f->summary.msgid =
			N_("Whether consistent NAT is on is not known.");
		f->why.msgid =
			vf ? vf->title : N_("The configuration does not say.");
		finding_because(
			au->r, cause(au, &au->doubtful, "firewall.unclear"), f);
	}
}

static const struct fw_setting *offload_setting(const struct fw_rules *rules)
{
	const struct fw_setting *s = rules->settings;

	while (s && s->attrs.offload != FW_ON)
		s = s->next;
	return s;
}

/* The rule that takes the flow, or what is established of it, past the rest;
 * such rules mostly ask for established connections. */
static const struct fw_rule *offload_rule(const struct fw_answer *an)
{
	if (an->out.attrs.offload == FW_ON)
		return an->out.offload_rule;
	return an->back.attrs.offload == FW_ON ? an->back.offload_rule : NULL;
}

static void tell_offload(struct audit *au, const struct fw_flow *flow,
                         const struct fw_answer *an)
{
	const struct fw_rule *r = offload_rule(an);
	const bool is_default = !r && an->out.attrs.offload == FW_UNSET &&
	                        au->rules->defaults.offload == FW_ON;
	struct fact *f;

	if (!flow->is_sip || (!r && !is_default))
		return;
	f = report_fact(au->r, "audit.offload", FACT_WARN, flow->id);
	if (r)
		put_rule(au, f, r, r->chain);
	else
		put_setting(au, f, offload_setting(au->rules));
	f->summary.msgid = N_("%1$s: offloaded past the firewall.");
	f->summary.args[0] = words_of(au, flow);
	finding_because(au->r, cause(au, &au->offload, "firewall.offload"), f);
}

static void tell_dead(struct audit *au, const struct fw_reach_info *info)
{
	struct fact *f;
	struct val *by;

	/* What the text does not show, nobody can take out of it. */
	if (info->reach != FW_SHADOWED || !info->rule->line)
		return;
	f = report_fact(au->r, "audit.rule", FACT_WARN, info->rule->id);
	f->value = val_text("shadowed");
	put_rule(au, f, info->rule, info->rule->chain);
	by = fact_field(au->r, f, "covered_by_lines", val_list());
	for (size_t i = 0; i < info->n_by; i++)
		put_int(au, by, NULL, info->by[i]->line);
	if (info->n_more)
		(void)fact_field(au->r, f, "covered_by_more",
		                 val_int((int64_t)info->n_more));
	f->summary.msgid =
		N_("Line %1$s can never match: earlier rules cover it.");
	f->summary.args[0] = report_fmt(au->r, "%u", info->rule->line);
	finding_because(au->r, cause(au, &au->dead, "firewall.dead-rules"), f);
}

static void tell_wide(struct audit *au, const struct fw_part *p)
{
	struct fact *f;

	if (p->verdict != FW_PASS)
		return;
	f = report_fact(au->r, "audit.rule", FACT_WARN,
	                p->rule ? p->rule->id : p->chain->name);

	f->value = val_text("too-wide");
	put_rule(au, f, p->rule, p->chain);
	put_packet(au, f, &p->example);
	f->summary.msgid = N_("Line %1$s accepts more than calls need.");
	f->summary.args[0] = line_text(au, p->rule, p->chain);
	if (!p->rule && !p->chain->line) {
		f->summary.msgid = N_("What no rule of %1$s decides is "
		                      "accepted, and that is more than calls "
		                      "need.");
		f->summary.args[0] = report_fmt(
			au->r, "%s%s%s", p->chain->table,
			p->chain->table[0] ? " " : "", p->chain->name);
	}
	finding_because(au->r, cause(au, &au->wide, "firewall.too-wide"), f);
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

static void tell_skipped(struct audit *au)
{
	struct fact *f = report_fact(au->r, "audit.rule", FACT_SKIPPED, NULL);

	f->summary.msgid = N_("Dead and too wide rules were not looked for.");
	f->why.msgid = N_("There are too many rules to compare: %1$s.");
	f->why.args[0] = report_fmt(au->r, "%zu", au->rules->n_rules);
}

/* What is too intricate to find out, in one line for all of it. */
static void tell_open(struct audit *au, const struct fw_reach_info *infos,
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

static int tell_rules(struct audit *au)
{
	struct fw_space *sp = NULL;
	struct fw_reach_info *infos = NULL;
	struct fw_part *parts = NULL;
	size_t n = 0;
	int err;

	if (au->rules->n_rules > RULES_MAX) {
		tell_skipped(au);
		return 0;
	}
	err = fw_space_alloc(&sp, au->rules, au->q->flows, au->q->n_flows,
	                     &au->q->place, au->q->hosts, au->q->n_hosts);

	if (!err)
		err = fw_space_reach(&infos, &n, &au->r->arena, sp);
	for (size_t i = 0; i < n && !err; i++) {
		if (!is_line_alive(infos, n, i))
			tell_dead(au, &infos[i]);
	}
	if (!err)
		err = fw_space_excess(&parts, &au->r->arena, sp);
	for (const struct fw_part *p = parts; p && !err; p = p->next)
		tell_wide(au, p);
	if (!err)
		tell_open(au, infos, n, parts);
	fw_space_free(sp);
	return err;
}

/* What is not known of one flow, no other flow makes up for. */
static bool has_unknown(const struct report *r)
{
	for (const struct fact *f = r->facts; f; f = f->next) {
		if (f->state == FACT_UNKNOWN &&
		    strncmp(f->id, "audit.", strlen("audit.")) == 0)
			return true;
	}
	return false;
}

int fw_audit(struct report *r, const struct fw_rules *rules,
             const struct fw_question *q, const char *file)
{
	struct audit au = {.r = r, .rules = rules, .q = q, .file = file};
	struct fw_answer *answers;
	int err = fw_answer_all(&answers, &r->arena, rules, q);

	for (size_t i = 0; i < q->n_flows && !err; i++) {
		tell_flow(&au, &q->flows[i], &answers[i]);
		tell_alg(&au, &q->flows[i], &answers[i]);
		tell_idle(&au, &q->flows[i], &answers[i]);
		tell_offload(&au, &q->flows[i], &answers[i]);
	}
	if (!err)
		tell_nat(&au);
	if (!err)
		tell_half(&au);
	if (!err)
		err = tell_rules(&au);
	if (!err && r->no_memory)
		err = ENOMEM;
	if (!err)
		r->is_tested = !has_unknown(r);
	return err;
}

static void put_text(struct report *r, struct fact *f, const char *key,
                     const struct wr *w)
{
	(void)fact_field(r, f, key, val_text(report_text(r, wr_slice(w))));
}

void fw_audit_patch(struct report *r, const struct fw_patch_out *patch,
                    size_t left, const struct fw_rules *rules, const char *file)
{
	struct fact *f;

	if (patch && !patch->commands.n)
		return;
	f = report_fact(r, "audit.patch", FACT_PASS, file);
	f->summary.args[0] = file ? file : "";
	f->value = val_text(rules->dialect ? rules->dialect : "");
	if (!patch) {
		f->state = FACT_SKIPPED;
		f->summary.msgid = N_("%1$s: no patch.");
		f->why.msgid = N_("What would mend it cannot be written as "
		                  "commands here, or did not read back as "
		                  "intended.");
		return;
	}
	put_text(r, f, "commands", &patch->commands);
	put_text(r, f, "undo", &patch->undo);
	put_text(r, f, "clear", &patch->clear);
	put_text(r, f, "patched", &patch->patched);
	(void)fact_field(r, f, "left", val_int((int64_t)left));
	if (left) {
		f->state = FACT_WARN;
		f->summary.msgid =
			N_("%1$s: a patch mends all but %2$s flows.");
		f->summary.args[1] = report_fmt(r, "%zu", left);
	} else {
		f->summary.msgid = N_("%1$s: a patch mends every flow.");
	}
}
