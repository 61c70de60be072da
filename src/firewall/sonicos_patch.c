/* SPDX-License-Identifier: ISC */
/*
 * Design: what a flow lacks is given by a rule of its own at the top of the
 * list: it accepts no more than that flow, so it cannot be wrong there, and
 * a rule for everything keeps its session time for everything else. Only
 * where a rule is for these hosts already, its own time is raised.
 *
 * The patched text has the new rules before the first one, and says of the
 * VoIP page at its end what it is to be: a later line wins.
 *
 * A backup (.exp) is a picture of a box that has a command line: its patch is
 * the same commands, and its patched text is the settings with the commands
 * after them. No setting is written into it: a part of one resets the rest of
 * the box when it is imported.
 */
#include <errno.h>
#include <string.h>

#include "firewall/sonicos.h"
#include "firewall/sonicos_write.h"
#include "firewall/splice.h"

/* A rule whose own session time is raised. */
struct raise {
	struct raise *next;
	const struct fw_rule *rule;
	int64_t idle_s;
};

struct patch {
	struct fw_sonic_emitter e;
	const struct fw_rules *rules;
	const struct fw_edit *edits;
	struct raise *raises;
	bool wants_sip, wants_nat;
	bool is_backup;
};

/* ---- which rules ---- */

static bool has_addr(const struct fw_addrs *set, const struct fw_addr *a)
{
	for (const struct fw_addr *b = set->first; b; b = b->next) {
		if (b->kind != a->kind)
			continue;
		if (a->kind == FW_ADDR_NAME && strcmp(a->name, b->name) == 0)
			return true;
		if (a->kind == FW_ADDR_RANGE && fw_ip_cmp(b->lo, a->lo) <= 0 &&
		    fw_ip_cmp(a->hi, b->hi) <= 0)
			return true;
	}
	return false;
}

static bool has_service(const struct fw_services *set,
                        const struct fw_service *s)
{
	for (const struct fw_service *t = set->first; t; t = t->next) {
		if (t->proto == s->proto && t->dport_lo <= s->dport_lo &&
		    s->dport_hi <= t->dport_hi)
			return true;
	}
	return false;
}

/* A rule of this dialect names one zone at most; where the place is not
 * known, it may be any. */
static bool has_zone(const struct fw_zones *set, const char *name)
{
	return !set->first || !name || strcmp(set->first->name, name) == 0;
}

/* Is the rule for this flow, and for hosts of its own? */
static bool is_for(const struct fw_rule *r, const struct fw_edit *ed)
{
	if (r->action != FW_ACCEPT || r->conditional || r->schedule ||
	    r->src.first || !r->dst.first || !r->services.first)
		return false;
	for (const struct fw_addr *a = ed->flow->dst.first; a; a = a->next) {
		if (!has_addr(&r->dst, a))
			return false;
	}
	for (const struct fw_service *s = ed->flow->services.first; s;
	     s = s->next) {
		if (!has_service(&r->services, s))
			return false;
	}
	return true;
}

static bool meets_addr(const struct fw_addrs *set, const struct fw_addrs *of)
{
	for (const struct fw_addr *a = set->first; a; a = a->next) {
		for (const struct fw_addr *b = of->first; b; b = b->next) {
			if (a->kind != FW_ADDR_RANGE ||
			    b->kind != FW_ADDR_RANGE ||
			    (fw_ip_cmp(a->lo, b->hi) <= 0 &&
			     fw_ip_cmp(b->lo, a->hi) <= 0))
				return true;
		}
	}
	return !set->first;
}

static bool meets_service(const struct fw_services *set,
                          const struct fw_services *of)
{
	for (const struct fw_service *s = set->first; s; s = s->next) {
		for (const struct fw_service *t = of->first; t; t = t->next) {
			if (s->proto == t->proto &&
			    s->dport_lo <= t->dport_hi &&
			    t->dport_lo <= s->dport_hi)
				return true;
		}
	}
	return !set->first;
}

/* The rule that decides on all of the flow, if it is for the flow. */
static const struct fw_rule *own_rule(const struct patch *p,
                                      const struct fw_edit *ed)
{
	const struct fw_chain *c = ed->chain ? ed->chain : p->rules->chains;
	const struct fw_rule *r = c ? c->first : NULL;

	while (r && (!r->line || r->is_disabled ||
	             !has_zone(&r->in, ed->place->in) ||
	             !has_zone(&r->out, ed->place->out) ||
	             !meets_addr(&r->dst, &ed->flow->dst) ||
	             !meets_service(&r->services, &ed->flow->services)))
		r = r->next;
	return r && is_for(r, ed) ? r : NULL;
}

static bool has_insert(const struct patch *p, const struct fw_flow *f)
{
	for (const struct fw_edit *ed = p->edits; ed; ed = ed->next) {
		if (ed->kind == FW_EDIT_INSERT && ed->flow == f)
			return true;
	}
	return false;
}

static void add_raise(struct patch *p, const struct fw_rule *r, int64_t idle_s)
{
	struct raise *x = p->raises;

	while (x && x->rule != r)
		x = x->next;
	if (!x) {
		x = arena_alloc(p->e.arena, sizeof(*x));
		if (!x) {
			p->e.err = ENOMEM;
			return;
		}
		*x = (struct raise){p->raises, r, idle_s};
		p->raises = x;
	}
	if (x->idle_s < idle_s)
		x->idle_s = idle_s;
}

/* A new rule for the flow, unless one of its own can be changed. */
static bool is_new(struct patch *p, const struct fw_edit *ed)
{
	const struct fw_rule *own;

	if (ed->kind == FW_EDIT_INSERT)
		return true;
	if (ed->kind != FW_EDIT_IDLE || has_insert(p, ed->flow))
		return false;
	/* A setting does not say by what the command line knows its rule. */
	own = p->is_backup ? NULL : own_rule(p, ed);
	if (own)
		add_raise(p, own, ed->idle_s);
	return !own;
}

/* ---- new rules ---- */

static const char *zone_at(const char *said, const struct fw_zones *like)
{
	if (said || !like || !like->first || like->first->next)
		return said;
	return like->first->name;
}

static bool has_udp(const struct fw_services *set)
{
	for (const struct fw_service *s = set->first; s; s = s->next) {
		if (s->proto == FW_PROTO_UDP)
			return true;
	}
	return false;
}

static void put_new(struct patch *p, const struct fw_edit *ed)
{
	const struct fw_rule *like = ed->before;
	struct fw_zone in = {0}, out = {0};
	struct fw_rule r = {.id = ed->flow->id,
	                    .name = ed->flow->title,
	                    .families = FW_IP4 | FW_IP6,
	                    .states = FW_STATE_NEW,
	                    .src = ed->place->src,
	                    .dst = ed->flow->dst,
	                    .services = ed->services,
	                    .action = FW_ACCEPT,
	                    .attrs = fw_attrs_unset()};

	in.name = zone_at(ed->place->in, like ? &like->in : NULL);
	out.name = zone_at(ed->place->out, like ? &like->out : NULL);
	if (in.name)
		r.in.first = r.in.last = &in;
	if (out.name)
		r.out.first = r.out.last = &out;
	if (has_udp(&ed->services))
		r.attrs.udp_idle_s = ed->flow->min_udp_idle_s;
	if (ed->flow->is_sip)
		r.attrs.alg = FW_OFF;
	fw_sonic_check_rule(&p->e, &r);
	fw_sonic_put_rule(&p->e, &r);
}

/* To a script once, to the text once; each has its own objects. */
static void put_new_rules(struct patch *p, struct wr *out,
                          enum fw_sonic_order order)
{
	p->e.out = out;
	p->e.order = order;
	fw_dict_init(&p->e.seen, p->e.arena, slice_str("sonicos"));
	for (const struct fw_edit *ed = p->edits; ed && !p->e.err;
	     ed = ed->next) {
		if (is_new(p, ed))
			put_new(p, ed);
	}
	if (p->e.seen.no_memory)
		p->e.err = ENOMEM;
}

/* ---- rules that change ---- */

static struct slice line_of(struct slice raw, const char *prefix)
{
	struct rd rd = rd_init(raw);
	struct slice line;

	while (rd_line(&rd, &line)) {
		line = slice_trim(line);
		if (fw_has_prefix(line, prefix))
			return line;
	}
	return (struct slice){NULL, 0};
}

/* How the command line is told which rule: by its id, where it has one. */
static void put_entry(struct wr *w, const struct fw_rule *r)
{
	const struct slice uuid = line_of(r->raw, "uuid ");
	const struct slice head = line_of(r->raw, "access-rule");

	if (uuid.n)
		wr_fmt(w, "access-rule %s %.*s\n",
		       r->families == FW_IP6 ? "ipv6" : "ipv4", (int)uuid.n,
		       (const char *)uuid.p);
	else
		wr_fmt(w, "%.*s\n", (int)head.n, (const char *)head.p);
}

static void put_raises(const struct patch *p, struct wr *out, struct wr *undo)
{
	for (const struct raise *x = p->raises; x; x = x->next) {
		const struct slice old = line_of(x->rule->raw, "udp timeout");

		put_entry(out, x->rule);
		wr_fmt(out, "    udp timeout %lld\n    exit\n",
		       (long long)x->idle_s);
		put_entry(undo, x->rule);
		if (old.n)
			wr_fmt(undo, "    %.*s\n    exit\n", (int)old.n,
			       (const char *)old.p);
		else
			wr_str(undo, "    udp timeout 30\n    exit\n");
	}
}

static void cut_raises(struct patch *p, struct fw_splice *s)
{
	for (const struct raise *x = p->raises; x; x = x->next) {
		const struct slice raw = x->rule->raw;
		const struct slice old = line_of(raw, "udp timeout");
		const struct slice head = line_of(raw, "access-rule");
		const char *text;

		/* In what is written on one line, it may be anywhere. */
		if (old.n && slice_find(old, slice_str("access-rule")) == 0)
			continue;
		text = arena_fmt(p->e.arena, "\n    udp timeout %lld",
		                 (long long)x->idle_s);
		if (!text) {
			p->e.err = ENOMEM;
			return;
		}
		if (old.n)
			fw_splice_drop_line(s, old.p);
		fw_splice_at(s, head.p + head.n, slice_str(text));
	}
}

/* ---- the whole ---- */

static void put_undo_voip(const struct patch *p, struct wr *undo)
{
	const enum fw_tri sip = p->rules->defaults.alg;
	const enum fw_tri nat = p->rules->defaults.consistent_nat;

	if (p->wants_sip && sip != FW_ON)
		wr_str(undo, "# The text did not say how SIP transformations "
		             "were; look before.\n");
	if (p->wants_nat && nat != FW_OFF)
		wr_str(undo, "# The text did not say how consistent NAT was; "
		             "look before.\n");
	if (!p->wants_nat && !(p->wants_sip && sip == FW_ON))
		return;
	wr_str(undo, "voip\n");
	if (p->wants_nat)
		wr_str(undo, "    no consistent-nat\n");
	if (p->wants_sip && sip == FW_ON)
		wr_str(undo, "    sip\n        enable\n        exit\n");
	wr_str(undo, "    exit\n");
}

static void put_clear(struct patch *p, struct wr *w)
{
	wr_str(w, "# In the connections monitor, filter by destination and "
	          "flush, for each of:\n");
	for (const struct fw_edit *ed = p->edits; ed; ed = ed->next) {
		if (ed->flow)
			fw_sonic_put_clear(&p->e, w, &ed->flow->dst);
	}
	if (p->wants_sip)
		wr_str(w, "configure\nvoip\n    flush-all\n    exit\nexit\n");
}

static const struct fw_rule *first_in_text(const struct fw_rules *rules)
{
	const struct fw_rule *first = NULL;

	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			if (r->line && c->kind == FW_CHAIN_FILTER &&
			    (!first || r->line < first->line))
				first = r;
		}
	}
	return first;
}

static bool has_priorities(const struct fw_rules *rules)
{
	if (slice_find(rules->text, slice_str("policyPriority")) != SIZE_MAX)
		return true;
	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			if (slice_find(r->raw, slice_str("priority manual")) !=
			    SIZE_MAX)
				return true;
		}
	}
	return false;
}

static void put_after_settings(struct patch *p, struct wr *out)
{
	wr_put(out, p->rules->text);
	wr_str(out, "\nconfigure\n");
	put_new_rules(p, out,
	              has_priorities(p->rules) ? FW_SONIC_ON_TOP
	                                       : FW_SONIC_AS_READ);
	fw_sonic_put_voip(&p->e, p->wants_sip, p->wants_nat);
}

static void put_patched(struct patch *p, struct wr *out)
{
	const struct fw_rule *first = first_in_text(p->rules);
	struct fw_splice s = {.text = p->rules->text};
	struct wr rules = wr_init_heap();

	put_new_rules(p, &rules,
	              has_priorities(p->rules) ? FW_SONIC_ON_TOP
	                                       : FW_SONIC_AS_READ);
	cut_raises(p, &s);
	if (first)
		fw_splice_before(&s, first->raw.p, wr_slice(&rules));
	fw_splice_put(out, &s);
	wr_str(out, "\n");
	if (!first)
		wr_put(out, wr_slice(&rules));
	p->e.out = out;
	fw_sonic_put_voip(&p->e, p->wants_sip, p->wants_nat);
	out->bad |= rules.bad;
	wr_fini(&rules);
	fw_splice_fini(&s);
}

static void plan(struct patch *p)
{
	p->wants_nat = p->rules->defaults.consistent_nat != FW_ON;
	for (const struct fw_edit *ed = p->edits; ed; ed = ed->next) {
		const bool is_sip = ed->flow && ed->flow->is_sip;

		p->wants_sip |= ed->kind == FW_EDIT_ALG_OFF ||
		                (is_sip && p->rules->defaults.alg != FW_OFF);
	}
}

int fw_sonic_patch(struct fw_patch_out *out, const struct fw_rules *rules,
                   const struct fw_edit *edits, struct diag *dg)
{
	struct patch p = {
		.e = {.dg = dg, .prefix = ""}, .rules = rules, .edits = edits};
	struct arena scratch;

	p.is_backup = strcmp(rules->dialect, "sonicos-exp") == 0;

	arena_init(&scratch);
	fw_sonic_emitter_init(&p.e, &scratch, rules);
	p.e.has_ip6 = rules->families & FW_IP6;
	p.e.version = fw_version_num(rules->version);
	plan(&p);
	if (edits || p.wants_nat) {
		wr_str(&out->commands, "configure\n");
		put_new_rules(&p, &out->commands, FW_SONIC_ON_TOP);
		wr_str(&out->undo, "configure\n");
		put_raises(&p, &out->commands, &out->undo);
		fw_sonic_put_voip(&p.e, p.wants_sip, p.wants_nat);
		wr_str(&out->commands, "commit\n");
		fw_sonic_put_undo(&out->undo, &p.e);
		put_undo_voip(&p, &out->undo);
		wr_str(&out->undo, "commit\n");
		if (edits)
			put_clear(&p, &out->clear);
	}
	if (!p.e.err && p.is_backup)
		put_after_settings(&p, &out->patched);
	else if (!p.e.err)
		put_patched(&p, &out->patched);
	/* What the text got again is taken back already. */
	for (size_t i = 0; i < FW_SONIC_UNDOS; i++)
		wr_fini(&p.e.undo[i]);
	arena_fini(&scratch);
	return p.e.err;
}
