/* SPDX-License-Identifier: ISC */
/*
 * Design: a patch is planned from the answers, written by the dialect, and
 * believed only after its text was read back and judged: every flow that it
 * says it mends must pass, and none that passed may fail.
 */
#include <errno.h>
#include <string.h>

#include "firewall/audit.h"
#include "firewall/patch_why.h"
#include "firewall/vendor.h"

void fw_patch_init(struct fw_patch_out *out)
{
	out->commands = wr_init_heap();
	out->undo = wr_init_heap();
	out->clear = wr_init_heap();
	out->patched = wr_init_heap();
	out->why = (struct words){.msgid = NULL};
	out->n_names = 0;
	arena_init(&out->arena);
}

void fw_patch_fini(struct fw_patch_out *out)
{
	wr_fini(&out->commands);
	wr_fini(&out->undo);
	wr_fini(&out->clear);
	wr_fini(&out->patched);
	arena_fini(&out->arena);
}

struct plan {
	struct arena *arena;
	const struct fw_rules *rules;
	const struct fw_question *q;
	unsigned caps;
	struct fw_edit *first, *last;
	bool no_memory;
};

static struct fw_edit *add(struct plan *p, enum fw_edit_kind kind,
                           const struct fw_flow *f)
{
	struct fw_edit *e = arena_alloc(p->arena, sizeof(*e));

	if (!e) {
		p->no_memory = true;
		return NULL;
	}
	e->kind = kind;
	e->flow = f;
	e->place = &p->q->place;
	if (f)
		e->services = f->services;
	if (p->last)
		p->last->next = e;
	else
		p->first = e;
	p->last = e;
	return e;
}

static bool has_zone(const struct fw_zones *set, const char *name)
{
	const struct fw_zone *z = set->first;

	while (z && (z->is_unknown || strcmp(z->name, name) != 0))
		z = z->next;
	return z && !set->is_negated;
}

/* A box that is several in one hands packets to the list of the part that
 * they enter at: that is where a rule belongs. */
static const struct fw_chain *list_of(const struct plan *p,
                                      const struct fw_chain *c)
{
	const char *in = p->q->place.in;
	const struct fw_chain *to = NULL;

	for (const struct fw_rule *r = c->first; r; r = r->next) {
		if (fw_is_return_rule(r))
			continue;
		if (r->line || r->action != FW_GOTO)
			return c;
		if (in && !to && has_zone(&r->in, in))
			to = fw_chain_find(p->rules, NULL, r->target);
	}
	return to ? to : c;
}

static const struct fw_chain *chain_for(const struct plan *p, enum fw_hook hook,
                                        unsigned family)
{
	for (const struct fw_chain *c = p->rules->chains; c; c = c->next) {
		if (c->hook == hook && c->kind == FW_CHAIN_FILTER &&
		    c->families & family)
			return list_of(p, c);
	}
	return NULL;
}

/* A name leads to both; what it needs in IPv6 is planned apart. */
static const struct fw_chain *chain_at(const struct plan *p, enum fw_hook hook,
                                       const struct fw_addrs *dst)
{
	const bool is4 = !dst->first || dst->first->kind != FW_ADDR_RANGE ||
	                 fw_ip_is4(dst->first->lo);

	return chain_for(p, hook, is4 ? FW_IP4 : FW_IP6);
}

static enum fw_hook hook_out(const struct plan *p)
{
	return p->q->place.path == FW_PATH_FORWARD ? FW_HOOK_FORWARD
	                                           : FW_HOOK_OUTPUT;
}

static const struct fw_chain *main_chain(const struct plan *p,
                                         const struct fw_addrs *dst)
{
	return chain_at(p, hook_out(p), dst);
}

static bool leads_to(const struct fw_flow *f, unsigned family)
{
	for (const struct fw_addr *a = f->dst.first; a; a = a->next) {
		if (a->kind != FW_ADDR_RANGE ||
		    fw_ip_is4(a->lo) == (family == FW_IP4))
			return true;
	}
	return !f->dst.first;
}

static bool is_blocked_in(const struct fw_judgement *j, unsigned family)
{
	for (const struct fw_part *p = j->parts; p; p = p->next) {
		if (p->verdict != FW_PASS &&
		    (!p->chain || p->chain->families & family))
			return true;
	}
	return false;
}

static void return_into(struct plan *p, const struct fw_chain *c)
{
	struct fw_edit *e = p->first;

	while (e && (e->kind != FW_EDIT_RETURN || e->chain != c))
		e = e->next;
	if (e)
		return;
	e = add(p, FW_EDIT_RETURN, NULL);
	if (e) {
		e->chain = c;
		e->before = c ? c->first : NULL;
	}
}

/* Answers come the same way through a router, by the input to a host. */
static void plan_return(struct plan *p, const struct fw_flow *f,
                        const struct fw_judgement *back)
{
	const enum fw_hook hook = p->q->place.path == FW_PATH_FORWARD
	                                  ? FW_HOOK_FORWARD
	                                  : FW_HOOK_INPUT;
	const struct fw_chain *c = chain_at(p, hook, &f->dst);
	const struct fw_chain *six = chain_for(p, hook, FW_IP6);

	if (six && six != c && leads_to(f, FW_IP6) &&
	    is_blocked_in(back, FW_IP6)) {
		return_into(p, six);
		if (!is_blocked_in(back, FW_IP4))
			return;
	}
	return_into(p, c);
}

/* The first rule of the chain itself that is in the flow's way; one in a
 * called chain is passed by standing before the first of all. */
static void place_insert(struct fw_edit *e, const struct fw_judgement *j)
{
	bool is_elsewhere = false;

	for (const struct fw_part *p = j->parts; p; p = p->next) {
		const struct fw_rule *r = p->doubt ? p->doubt : p->rule;

		if (p->verdict == FW_PASS || !r ||
		    !(r->chain->families & e->chain->families))
			continue;
		if (r->chain != e->chain)
			is_elsewhere = true;
		else if (!e->before || r->line < e->before->line)
			e->before = r;
	}
	if (is_elsewhere)
		e->before = e->chain->first;
}

/* Only ranges can be written everywhere; elsewhere than where names are
 * objects, a name has to be resolved first. */
static bool is_named(const struct fw_flow *f, unsigned caps)
{
	if (caps & FW_CAP_NAMES)
		return false;
	for (const struct fw_addr *a = f->dst.first; a; a = a->next) {
		if (a->kind != FW_ADDR_RANGE)
			return true;
	}
	return false;
}

/* The text of one family has no place for rules of the other. */
static bool is_foreign(const struct fw_flow *f, const struct fw_rules *rules)
{
	for (const struct fw_addr *a = f->dst.first; a; a = a->next) {
		const unsigned family = fw_ip_is4(a->lo) ? FW_IP4 : FW_IP6;

		if (a->kind == FW_ADDR_RANGE && !(rules->families & family))
			return true;
	}
	return false;
}

static bool is_left_out(const struct plan *p, const struct fw_flow *f)
{
	return is_named(f, p->caps) || is_foreign(f, p->rules);
}

static bool is_planned(const struct plan *p, enum fw_edit_kind kind,
                       const struct fw_rule *rule)
{
	const struct fw_edit *e = p->first;

	while (e && (e->kind != kind || e->rule != rule))
		e = e->next;
	return e;
}

/* No rule: the box's own default acts. */
static void plan_alg(struct plan *p, const struct fw_flow *f,
                     const struct fw_rule *rule)
{
	struct fw_edit *e = is_planned(p, FW_EDIT_ALG_OFF, rule)
	                            ? NULL
	                            : add(p, FW_EDIT_ALG_OFF, f);

	if (!e)
		return;
	e->rule = rule;
	e->chain = rule ? rule->chain : main_chain(p, &f->dst);
}

static void raise_rule(struct plan *p, const struct fw_flow *f,
                       const struct fw_rule *r)
{
	struct fw_edit *e;

	if (!r || !r->line || r->action != FW_ACCEPT ||
	    r->attrs.udp_idle_s >= f->min_udp_idle_s ||
	    is_planned(p, FW_EDIT_IDLE, r))
		return;
	e = add(p, FW_EDIT_IDLE, f);
	if (!e)
		return;
	e->chain = r->chain;
	e->rule = r;
	e->idle_s = f->min_udp_idle_s;
}

/* Where the time belongs to what accepts, every such rule gets its own. */
static void plan_rule_idle(struct plan *p, const struct fw_flow *f,
                           const struct fw_judgement *j)
{
	for (const struct fw_part *part = j->parts; part; part = part->next)
		raise_rule(p, f, part->rule);
}

/* Rules for others that may accept it first ("update.example.com") are not to
 * be changed for its sake: it gets one of its own before them. @return true
 * when there are such. */
static bool plan_own(struct plan *p, const struct fw_flow *f,
                     const struct fw_answer *an)
{
	const struct fw_judgement *j = &an->out;
	const bool is_short = f->min_udp_idle_s > 0 &&
	                      an->udp_idle_s != FW_IDLE_UNSET &&
	                      j->perhaps_udp_idle_s < f->min_udp_idle_s;
	struct fw_edit *e;

	if (!(p->caps & FW_CAP_RULE_IDLE) || an->out.verdict != FW_PASS ||
	    !j->perhaps_rule || !j->perhaps_rule->line ||
	    !(is_short || (f->is_sip && j->is_alg_perhaps)))
		return false;
	e = add(p, FW_EDIT_INSERT, f);
	if (!e)
		return true;
	e->chain = j->perhaps_rule->chain;
	e->before = j->perhaps_rule;
	return true;
}

static void plan_idle(struct plan *p, const struct fw_flow *f,
                      const struct fw_answer *an)
{
	struct fw_edit *e;

	if (p->caps & FW_CAP_RULE_IDLE) {
		plan_rule_idle(p, f, &an->out);
		return;
	}
	e = add(p, FW_EDIT_IDLE, f);
	if (!e)
		return;
	/* Before what accepts, in a chain that was empty too. */
	e->chain = main_chain(p, &f->dst);
	e->before = e->chain ? e->chain->first : NULL;
	e->idle_s = f->min_udp_idle_s;
}

/* Of a rule for everything, all the rest would lose it too; that is for
 * people to decide, and the audit's remark stays. */
static void plan_offload(struct plan *p, const struct fw_flow *f,
                         const struct fw_judgement *j)
{
	for (const struct fw_part *part = j->parts; part; part = part->next) {
		const struct fw_rule *r = part->rule;
		struct fw_edit *e;

		if (!r || !r->line || r->action != FW_ACCEPT ||
		    r->attrs.offload != FW_ON || !r->dst.first ||
		    r->dst.is_negated || is_planned(p, FW_EDIT_OFFLOAD_OFF, r))
			continue;
		e = add(p, FW_EDIT_OFFLOAD_OFF, f);
		if (!e)
			return;
		e->chain = r->chain;
		e->rule = r;
	}
}

static void insert_into(struct plan *p, const struct fw_flow *f,
                        const struct fw_judgement *j, const struct fw_chain *c)
{
	struct fw_edit *e = add(p, FW_EDIT_INSERT, f);

	if (!e)
		return;
	e->chain = c;
	if (c)
		place_insert(e, j);
}

/* Where each family has rules of its own, what leads to both needs one in
 * each that blocks it. */
static void plan_insert(struct plan *p, const struct fw_flow *f,
                        const struct fw_judgement *j)
{
	const enum fw_hook hook = hook_out(p);
	const struct fw_chain *four = chain_for(p, hook, FW_IP4);
	const struct fw_chain *six = chain_for(p, hook, FW_IP6);

	if (four && six && four != six && leads_to(f, FW_IP4) &&
	    leads_to(f, FW_IP6) && is_blocked_in(j, FW_IP6)) {
		insert_into(p, f, j, six);
		if (is_blocked_in(j, FW_IP4))
			insert_into(p, f, j, four);
		return;
	}
	insert_into(p, f, j, main_chain(p, &f->dst));
}

static bool is_planned_reply(const struct plan *p, const struct fw_flow *f,
                             const struct fw_rule *before)
{
	const struct fw_edit *e = p->first;

	while (e && (!e->is_reply || e->flow != f || e->before != before))
		e = e->next;
	return e;
}

static struct fw_edit *insert_of(const struct plan *p, const struct fw_flow *f,
                                 const struct fw_chain *c)
{
	struct fw_edit *e = p->first;

	while (e &&
	       (e->kind != FW_EDIT_INSERT || e->flow != f || e->chain != c))
		e = e->next;
	return e;
}

/* What is accepted before such a rule does not come to it; that must hold for
 * the answers too, as a packet of either direction is enough. */
static void plan_past_offload(struct plan *p, const struct fw_flow *f,
                              const struct fw_rule *r)
{
	struct fw_edit *e;

	if (!r || !r->line || is_planned_reply(p, f, r))
		return;
	e = insert_of(p, f, r->chain);
	if (!e) {
		e = add(p, FW_EDIT_INSERT, f);
		if (!e)
			return;
		e->chain = r->chain;
	}
	if (!e->before || r->line < e->before->line)
		e->before = r;
	e = add(p, FW_EDIT_INSERT, f);
	if (!e)
		return;
	e->chain = r->chain;
	e->before = r;
	e->is_reply = true;
}

/* Is the time too short, and not because of a flowtable alone? */
static bool wants_time(const struct fw_flow *f, const struct fw_answer *an)
{
	const int64_t idle_s = an->is_idle_by_offload ? an->out.attrs.udp_idle_s
	                                              : an->udp_idle_s;

	return f->min_udp_idle_s > 0 &&
	       (idle_s >= 0 || an->out.is_idle_perhaps) &&
	       (idle_s < f->min_udp_idle_s || an->out.is_idle_by_helper);
}

static void plan_flow(struct plan *p, const struct fw_flow *f,
                      const struct fw_answer *an)
{
	bool has_own;

	if (is_left_out(p, f))
		return;
	has_own = plan_own(p, f, an);
	if (an->back.verdict != FW_PASS)
		plan_return(p, f, &an->back);
	/* A helper's own time goes with the helper. */
	if (!has_own && wants_time(f, an))
		plan_idle(p, f, an);
	if (an->out.verdict != FW_PASS)
		plan_insert(p, f, &an->out);
	if (f->is_sip && an->alg != FW_OFF)
		plan_alg(p, f, has_own ? NULL : an->out.alg_rule);
	if (f->is_sip && !has_own && p->caps & FW_CAP_RULE_OFFLOAD)
		plan_offload(p, f, &an->out);
	if ((f->is_sip ||
	     (f->min_udp_idle_s > 0 && an->udp_idle_s < f->min_udp_idle_s)) &&
	    p->caps & FW_CAP_FLOW_OFFLOAD) {
		if (an->out.attrs.offload == FW_ON)
			plan_past_offload(p, f, an->out.offload_rule);
		if (an->back.attrs.offload == FW_ON)
			plan_past_offload(p, f, an->back.offload_rule);
	}
}

static bool is_mended(const struct fw_flow *f, const struct fw_answer *an)
{
	if (an->verdict != FW_PASS || (f->is_sip && an->alg != FW_OFF))
		return false;
	return f->min_udp_idle_s <= 0 || an->udp_idle_s == FW_IDLE_UNSET ||
	       an->udp_idle_s >= f->min_udp_idle_s;
}

static int read_back(struct fw_patch_out *out, size_t *left,
                     const struct fw_dialect *d, const struct plan *p,
                     const struct fw_answer *before)
{
	const struct slice text = wr_slice(&out->patched);
	struct fw_patch_block block = {.flow = NULL};
	const struct fw_question *q = p->q;
	struct arena *a = p->arena;
	struct fw_answer *after;
	struct fw_rules rules;
	struct diag dg;
	int err;

	fw_rules_init(&rules);
	diag_init(&dg, a, NULL, text);
	err = d->parse(&rules, text, &dg);
	if (err == EBADMSG)
		err = 0; /* lines that were not understood before either */
	if (!err)
		err = fw_answer_all(&after, a, &rules, q);
	*left = 0;
	for (size_t i = 0; i < q->n_flows && !err; i++) {
		const bool is_passed = after[i].out.verdict == FW_PASS;

		if (!is_mended(&q->flows[i], &after[i])) {
			(*left)++;
			out->n_names += is_named(&q->flows[i], p->caps);
		}
		if (is_passed || (before[i].out.verdict != FW_PASS &&
		                  is_left_out(p, &q->flows[i])))
			continue;
		block = (struct fw_patch_block){&q->flows[i], &after[i].out};
		err = EPROTO;
	}
	if (err == EPROTO)
		fw_patch_why_text(out, p->rules, q, &block);
	fw_rules_fini(&rules);
	return err;
}

static int write_and_read(struct fw_patch_out *out, size_t *left,
                          const struct fw_dialect *d, const struct plan *p,
                          const struct fw_answer *before, struct diag *dg)
{
	int err = d->patch(out, p->rules, p->first, dg);

	if (!err && (out->patched.bad || out->commands.bad || out->undo.bad ||
	             out->clear.bad))
		err = ENOMEM;
	if (!err)
		err = read_back(out, left, d, p, before);
	else if (err == ENOTSUP || err == EPROTO)
		fw_patch_why_text(out, p->rules, p->q, NULL);
	return err;
}

/* A part that fails is blamed on the rule that surely drops it, though one
 * before may have dropped it too. Before all rules nothing is in the way.
 * @return false: they stood there. */
static bool stand_first(struct plan *p)
{
	bool has_moved = false;

	for (struct fw_edit *e = p->first; e; e = e->next) {
		if (e->kind != FW_EDIT_INSERT || e->before == e->chain->first)
			continue;
		e->before = e->chain->first;
		has_moved = true;
	}
	return has_moved;
}

static const char *unsafe_rule(const struct fw_rule *r)
{
	const char *const names[] = {r->id, r->attrs.helper, r->chain->table};

	for (const struct fw_service *s = r->services.first; s; s = s->next) {
		if (!fw_name_is_clean(s->name))
			return s->name;
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!fw_name_is_clean(names[i]))
			return names[i];
	}
	return NULL;
}

/* The author of a text is not who pastes its patch: what a dialect may
 * repeat of it, in quotes or a line of its own, must be names. @return one
 * that is not, or NULL. */
static const char *unsafe_name(const struct fw_edit *e)
{
	const char *const names[] = {e->place->in, e->place->out,
	                             e->chain ? e->chain->name : NULL,
	                             e->chain ? e->chain->table : NULL};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!fw_name_is_clean(names[i]))
			return names[i];
	}
	if (e->flow && !fw_hosts_are_plain(&e->flow->dst))
		return e->flow->id;
	return e->rule ? unsafe_rule(e->rule) : NULL;
}

static int check_edits(struct fw_patch_out *out, const struct plan *p)
{
	for (const struct fw_edit *e = p->first; e; e = e->next) {
		const char *unsafe = unsafe_name(e);

		if (e->chain && !unsafe)
			continue;
		fw_patch_why_edit(out, p->rules, unsafe);
		return ENOTSUP;
	}
	return 0;
}

int fw_patch_make(struct fw_patch_out *out, size_t *left,
                  const struct fw_rules *rules, const struct fw_question *q)
{
	const struct fw_dialect *d = fw_dialect_find(rules->dialect);
	struct plan p = {.rules = rules,
	                 .q = q,
	                 .caps = d ? fw_dialect_caps(d, rules) : 0};
	struct fw_answer *answers;
	struct arena arena;
	struct diag dg;
	int err;

	if (!d || !d->patch || !d->parse) {
		fw_patch_why_text(out, rules, q, NULL);
		return ENOTSUP;
	}
	arena_init(&arena);
	diag_init(&dg, &arena, NULL, rules->text);
	p.arena = &arena;
	err = fw_answer_all(&answers, &arena, rules, q);
	for (size_t i = 0; i < q->n_flows && !err; i++)
		plan_flow(&p, &q->flows[i], &answers[i]);
	if (!err && p.no_memory)
		err = ENOMEM;
	if (!err)
		err = check_edits(out, &p);
	if (!err)
		err = write_and_read(out, left, d, &p, answers, &dg);
	if (err == EPROTO && stand_first(&p)) {
		fw_patch_fini(out);
		fw_patch_init(out);
		err = write_and_read(out, left, d, &p, answers, &dg);
	}
	arena_fini(&arena);
	return err;
}
