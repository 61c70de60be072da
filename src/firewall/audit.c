/* SPDX-License-Identifier: ISC */
/*
 * Design: facts say what each flow meets, with the deciding rule quoted by
 * line; findings are few, one per kind of cause, so that two hundred flows
 * behind one missing rule are one sentence. Nothing here decides anything
 * that answer.c or reach.c did not.
 */
#include "firewall/tell.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "firewall/vendor.h"

enum {
	LONG_IDLE_S = 3600,
};

static const enum fact_state states[] = {
	[FW_PASS] = FACT_PASS,
	[FW_FAIL] = FACT_FAIL,
	[FW_DONT_KNOW] = FACT_UNKNOWN,
};

/* How people know a row; its id is in the scope. */
static const char *words_of(struct fw_tell *au, const struct fw_flow *flow)
{
	const char *title = flow->label ? flow->label : flow->id;

	if (au->rules->title)
		return report_fmt(au->r, "%s: %s", au->rules->title, title);
	return report_text(au->r, slice_str(title));
}

static void tell_cut(struct fw_tell *au, struct fact *f,
                     const struct fw_judgement *j)
{
	f->summary.msgid = N_("%1$s: not known.");
	f->why.msgid = N_("Not worked out within %1$s steps: the rules cut it "
	                  "into too many parts.");
	f->why.args[0] = report_fmt(au->r, "%" PRIu64, j->n_steps);
}

/* What the readers of texts note of a rule that they cannot read whole. */
static const struct {
	const char *conditional, *why;
} doubts[] = {
	{"an object that is not in the text",
         N_("It names an object that is not in this text.")},
	{"its action is not said", N_("Its action is not in this text.")},
	{"its place in the order is not said",
         N_("Its place in the order is not in this text.")},
	{"a rule from the factory that the text leaves out",
         N_("It is a rule from the factory that this text leaves out.")},
	{"its service is not read",
         N_("It names a service that is not in this text.")},
	{"its addresses are not read",
         N_("It names addresses that are not in this text.")},
	{"it asks for users", N_("It is for some users only.")},
	{"a setting is missing", N_("One of its settings is missing.")},
};

static const char *why_of(const char *conditional)
{
	for (size_t i = 0; i < ARRAY_LEN(doubts); i++) {
		if (strcmp(doubts[i].conditional, conditional) == 0)
			return doubts[i].why;
	}
	return N_("Whether it matches depends on what is not in this text: "
	          "%1$s");
}

static void tell_rule_doubt(struct fw_tell *au, struct fact *f,
                            const struct fw_rule *r)
{
	const char *what = r->conditional;

	if (r->nat.kind == FW_NAT_DEST || r->nat.kind == FW_NAT_REDIRECT) {
		what = r->nat.to;
		f->why.msgid = what ? N_("It may send it elsewhere (%1$s), and "
		                         "what becomes of it there is not in "
		                         "this text.")
		                    : N_("It may hand it to a program of this "
		                         "box, and what that does is not in "
		                         "this text.");
	} else if (what) {
		f->why.msgid = why_of(what);
	} else {
		f->why.msgid = N_("What it matches is not all in this text: a "
		                  "name, a set or a schedule.");
	}
	if (what)
		f->why.args[0] = report_text(au->r, slice_str(what));
}

static void tell_doubt(struct fw_tell *au, struct fact *f,
                       const struct fw_part *p)
{
	const struct fw_rule *r = p->doubt ? p->doubt : p->rule;

	f->summary.msgid = N_("%1$s: not known.");
	if (!r && !p->chain) {
		f->why.msgid = N_("This text is not about addresses of that "
		                  "family.");
	} else if (!r) {
		f->why.msgid = N_("What the text says does not decide it.");
	} else if (r->line) {
		f->summary.msgid =
			N_("%1$s: not known; line %2$s may or may not match.");
		f->summary.args[1] = report_fmt(au->r, "%u", r->line);
		tell_rule_doubt(au, f, r);
	} else {
		f->summary.msgid =
			N_("%1$s: not known; rule %2$s may or may not match.");
		f->summary.args[1] = report_text(au->r, slice_str(r->id));
		tell_rule_doubt(au, f, r);
	}
}

/* Which chain, as its firewall's own tools ask for it. */
static const char *chain_text(struct fw_tell *au, const struct fw_chain *c)
{
	return report_fmt(au->r, "%s%s%s", c->table, c->table[0] ? " " : "",
	                  c->name);
}

/* Without tables there is one list, and its end is the vendor's to know. */
static void tell_blocked(struct fw_tell *au, struct fact *f,
                         const struct fw_part *p, bool is_back)
{
	if (p->rule && p->rule->line) {
		f->summary.msgid =
			is_back ? N_("%1$s: its answers are blocked, by line "
		                     "%2$s.")
				: N_("%1$s: blocked, by line %2$s.");
		f->summary.args[1] = report_fmt(au->r, "%u", p->rule->line);
	} else if (!p->rule && p->chain && p->chain->line &&
	           p->chain->table[0]) {
		f->summary.msgid =
			is_back ? N_("%1$s: no rule accepts its answers, and the "
		                     "chain %3$s drops the rest (line %2$s).")
				: N_("%1$s: blocked: no rule accepts it, and the "
		                     "chain %3$s drops the rest (line %2$s).");
		f->summary.args[1] = report_fmt(au->r, "%u", p->chain->line);
		f->summary.args[2] = chain_text(au, p->chain);
	} else {
		f->summary.msgid =
			is_back ? N_("%1$s: no rule accepts its answers.")
				: N_("%1$s: blocked: no rule accepts it.");
	}
}

static int tell_flow(struct fw_tell *au, size_t i, const struct fw_answer *an)
{
	const struct fw_flow *flow = &au->q->flows[i];
	/* The worse way is told, and the way out where both are as bad. */
	const bool is_back =
		fw_verdict_worse(an->out.verdict, an->back.verdict) !=
		an->out.verdict;
	const struct fw_judgement *j = is_back ? &an->back : &an->out;
	const struct fw_part *p = fw_tell_part(j);
	struct fact *f =
		report_fact(au->r, "audit.flow", states[an->verdict], flow->id);
	int err = 0;

	(void)fact_field(au->r, f, "direction",
	                 val_text(is_back ? "reply" : "original"));
	if (!p)
		return 0;
	fw_tell_rule(au, f, p->doubt ? p->doubt : p->rule, p->chain);
	fw_tell_packet(au, f, &p->example);
	f->summary.args[0] = words_of(au, flow);
	if (an->verdict == FW_PASS) {
		f->summary.msgid = N_("%1$s: accepted: no rule is against it.");
		if (p->rule && p->rule->line) {
			f->summary.msgid = N_("%1$s: accepted, by line %2$s.");
			f->summary.args[1] =
				report_fmt(au->r, "%u", p->rule->line);
		}
	} else if (an->verdict == FW_FAIL) {
		tell_blocked(au, f, p, is_back);
		err = fw_tell_from(au, f, i, an);
		fw_tell_because(au, &au->blocked, "firewall.blocks", f);
	} else {
		if (j->is_cut && !p->doubt)
			tell_cut(au, f, j);
		else
			tell_doubt(au, f, p);
		fw_tell_because(au, &au->doubtful, "firewall.unclear", f);
	}
	return err;
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

static void put_setting(struct fw_tell *au, struct fact *f,
                        const struct fw_setting *s)
{
	if (!s)
		return;
	(void)fact_field(au->r, f, "setting", val_text(s->id));
	(void)fact_field(au->r, f, "is_default", val_bool(s->is_default));
	if (s->source)
		(void)fact_evidence(au->r, f, "source", val_text(s->source));
	fw_tell_place(au, f, s->line, s->raw);
}

static void put_source(struct fw_tell *au, struct fact *f,
                       const struct fw_rule *rule, bool is_alg)
{
	if (rule) {
		if (is_alg && rule->attrs.alg_source)
			(void)fact_evidence(au->r, f, "source",
			                    val_text(rule->attrs.alg_source));
		fw_tell_rule(au, f, rule, rule->chain);
	} else {
		put_setting(au, f, setting_of(au->rules, is_alg));
	}
}

/* The fact of the vendor's product that leaves it open, where there is one. */
static const char *why_unknown(const struct fw_tell *au,
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

static void tell_why(const struct fw_tell *au, struct fact *f,
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

static void tell_alg(struct fw_tell *au, const struct fw_flow *flow,
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
		(void)fw_tell_cause(au, &au->alg, "firewall.sip-alg");
		fw_tell_switches(au, &au->alg);
		fw_tell_because(au, &au->alg, "firewall.sip-alg", f);
	} else {
		f->state = FACT_UNKNOWN;
		f->value = val_text("unknown");
		f->summary.msgid =
			N_("%1$s: whether a SIP helper acts is not known.");
		tell_why(au, f, an->out.alg_rule, true, an->out.is_alg_perhaps);
		fw_tell_because(au, &au->doubtful, "firewall.unclear", f);
	}
}

/* A switch that was thrown, and an ALG that acts nevertheless. */
static void tell_half(struct fw_tell *au)
{
	const struct fw_setting *off = NULL;
	struct val *list;

	for (const struct fw_setting *s = au->rules->settings; s; s = s->next) {
		if (s->attrs.alg == FW_OFF && s->line)
			off = s;
	}
	if (!au->alg.finding || !off)
		return;
	(void)fw_tell_cause(au, &au->half, "firewall.half-applied");
	list = val_put(&au->r->arena, &au->r->no_memory,
	               &au->half.finding->evidence, "settings", val_list());
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
		fw_tell_int(au, v, "line", s->line);
	}
	au->half.finding->facts = au->alg.finding->facts;
}

static void tell_idle(struct fw_tell *au, const struct fw_flow *flow,
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
		fw_tell_because(au, &au->doubtful, "firewall.unclear", f);
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
	if (an->udp_idle_s == FW_IDLE_NEVER) {
		f->value = val_text("never");
		f->unit = NULL;
		f->state = FACT_WARN;
		f->summary.msgid = N_("%1$s: idle sessions never end; those "
		                      "that nobody uses any more fill the "
		                      "table.");
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
	fw_tell_because(au, &au->idle, "firewall.udp-idle", f);
}

/* Of the box; only where there is such a switch. */
static void tell_nat(struct fw_tell *au)
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
		fw_tell_because(au, &au->nat, "firewall.consistent-nat", f);
	} else {
		f->state = FACT_UNKNOWN;
		f->summary.msgid =
			N_("Whether consistent NAT is on is not known.");
		f->why.msgid =
			vf ? vf->title : N_("The configuration does not say.");
		fw_tell_because(au, &au->doubtful, "firewall.unclear", f);
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

static void tell_offload(struct fw_tell *au, const struct fw_flow *flow,
                         const struct fw_answer *an)
{
	const struct fw_rule *r = offload_rule(an);
	const bool is_default = !r && an->out.attrs.offload == FW_UNSET &&
	                        au->rules->defaults.offload == FW_ON;
	const struct fw_vendor_fact *vf =
		fw_vendor_fact_offload(au->rules->dialect);
	struct fact *f;

	if (!flow->is_sip || (!r && !is_default))
		return;
	f = report_fact(au->r, "audit.offload", FACT_WARN, flow->id);
	if (r)
		fw_tell_rule(au, f, r, r->chain);
	else
		put_setting(au, f, offload_setting(au->rules));
	f->summary.msgid = N_("%1$s: offloaded past the firewall.");
	f->summary.args[0] = words_of(au, flow);
	if (vf) {
		(void)fact_evidence(au->r, f, "source", val_text(vf->id));
		f->why.msgid = vf->title;
	}
	fw_tell_because(au, &au->offload, "firewall.offload", f);
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

/* For whom all the rest is true; a guess may have been made. */
static void tell_where(struct fw_tell *au)
{
	const struct fw_place *place = &au->q->place;
	struct wr from = wr_init_heap();
	const char *to = "*";
	struct fact *f;

	if (place->path != FW_PATH_FORWARD)
		return;
	f = report_fact(au->r, "audit.place", FACT_PASS, au->file);
	fw_place_put(&from, place);
	au->r->no_memory |= from.bad;
	f->summary.args[0] = report_text(au->r, wr_slice(&from));
	wr_fini(&from);
	f->value = val_text(f->summary.args[0]);
	if (place->out)
		to = report_text(au->r, slice_str(place->out));
	(void)fact_field(au->r, f, "wan", val_text(to));
	f->summary.args[1] = to;
	f->summary.msgid = N_("Judged from %1$s to %2$s.");
	if (!place->in && !place->src.first && !place->out)
		f->summary.msgid = N_("Judged between any two interfaces; "
		                      "--lan and --wan say which.");
}

int fw_audit(struct report *r, const struct fw_rules *rules,
             const struct fw_question *q, const char *file)
{
	struct fw_tell au = {.r = r, .rules = rules, .q = q, .file = file};
	struct fw_answer *answers;
	int err = fw_answer_all(&answers, &r->arena, rules, q);

	if (!err)
		tell_where(&au);
	for (size_t i = 0; i < q->n_flows && !err; i++) {
		err = tell_flow(&au, i, &answers[i]);
		tell_alg(&au, &q->flows[i], &answers[i]);
		tell_idle(&au, &q->flows[i], &answers[i]);
		tell_offload(&au, &q->flows[i], &answers[i]);
	}
	if (!err)
		tell_nat(&au);
	if (!err)
		tell_half(&au);
	if (!err)
		err = fw_tell_rules(&au);
	fw_tell_from_fini(&au);
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

	if (!patch->why.msgid && !patch->commands.n)
		return;
	f = report_fact(r, "audit.patch", FACT_PASS, file);
	f->summary.args[0] = file ? file : "";
	f->value = val_text(rules->dialect ? rules->dialect : "");
	if (patch->why.msgid) {
		f->state = FACT_SKIPPED;
		f->summary.msgid = N_("%1$s: no patch.");
		f->why = patch->why;
		for (size_t i = 0; i < WORDS_MAX_ARGS; i++) {
			const char *arg = patch->why.args[i];

			f->why.args[i] = arg ? report_fmt(r, "%s", arg) : NULL;
		}
		return;
	}
	put_text(r, f, "commands", &patch->commands);
	put_text(r, f, "undo", &patch->undo);
	put_text(r, f, "clear", &patch->clear);
	put_text(r, f, "patched", &patch->patched);
	(void)fact_field(r, f, "left", val_int((int64_t)left));
	if (left && left == patch->n_names) {
		f->state = FACT_WARN;
		f->summary.msgid =
			N_("%1$s: a patch mends all but %2$s flows to host "
		           "names, which this box cannot say in its rules: "
		           "give their addresses (--resolve NAME=ADDRESS).");
		f->summary.args[1] = report_fmt(r, "%zu", left);
	} else if (left) {
		f->state = FACT_WARN;
		f->summary.msgid =
			N_("%1$s: a patch mends all but %2$s flows.");
		f->summary.args[1] = report_fmt(r, "%zu", left);
	} else {
		f->summary.msgid = N_("%1$s: a patch mends every flow.");
	}
}
