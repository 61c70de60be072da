/* SPDX-License-Identifier: ISC */
/*
 * Design: a patch is commands of the configuration shell, which may follow a
 * configuration of either form. Rules have numbers here. From VyOS 1.4 on the
 * patch is a rule set of its own and one rule that jumps there, before the
 * first that may be in the way; so one free number is enough. Before that,
 * and in EdgeOS, nothing jumps: rules take free numbers below that first one,
 * and where they are too few, it and all after it move up (`rename`).
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "firewall/vyatta_write.h"

enum {
	TAIL = 1001, /* room for the rules of a patch */
	STEP = 10,
	/* of firewall@ and conntrack@ in the footer */
	FIRST_BASE = 10,
	FIRST_LATER = 16,
	FIRST_NAMED = 3,
};

static void refuse(struct fw_vy_emitter *e, const char *msgid,
                   const char *about)
{
	fw_patch_refuse(e->patch, msgid, about, NULL);
	e->err = ENOTSUP;
}

static const char *table_of(bool is6)
{
	return is6 ? "ipv6" : "ipv4";
}

/* False only when no packet of the flow can be for the rule. */
static bool may_meet(const struct fw_rule *r, const struct fw_edit *ed)
{
	if (!ed->flow || !r->dst.first || r->dst.is_negated)
		return true;
	for (const struct fw_addr *a = r->dst.first; a; a = a->next) {
		for (const struct fw_addr *b = ed->flow->dst.first; b;
		     b = b->next) {
			if (a->kind != FW_ADDR_RANGE ||
			    b->kind != FW_ADDR_RANGE ||
			    (fw_ip_cmp(a->lo, b->hi) <= 0 &&
			     fw_ip_cmp(b->lo, a->hi) <= 0))
				return true;
		}
	}
	return false;
}

/* Where the place does not say an interface, all that are not known to be the
 * other end. */
static bool has_end(const struct fw_zones *set, const char *here,
                    const char *there)
{
	for (const struct fw_zone *z = set->first; z; z = z->next) {
		if (here ? strcmp(z->name, here) == 0
		         : !there || strcmp(z->name, there) != 0)
			return true;
	}
	return !set->first;
}

/* Does traffic of the place meet what binds a set to interfaces? */
static bool is_met(const struct fw_rule *r, const struct fw_edit *ed)
{
	const struct fw_place *p = ed->place;
	const char *from, *to;

	if (!r->in.first && !r->out.first)
		return false;
	if (!p)
		return true;
	/* Answers come in where the flow goes out. */
	from = ed->flow ? p->in : p->out;
	to = ed->flow ? p->out : p->in;
	return has_end(&r->in, from, to) && has_end(&r->out, to, from);
}

static bool is_rule(const struct fw_edit *ed)
{
	return ed->kind == FW_EDIT_INSERT || ed->kind == FW_EDIT_RETURN;
}

static bool is_base(const struct fw_chain *c)
{
	return c && strcmp(c->name, "forward filter") == 0;
}

/* Sets are met where they are bound; a rule of a base chain meets all. */
static bool goes_to(const struct fw_rules *rules, const struct fw_edit *ed,
                    const struct fw_chain *c)
{
	if (!is_rule(ed))
		return false;
	if (is_base(ed->chain) || is_base(c))
		return ed->chain == c;
	for (const struct fw_chain *at = rules->chains; at; at = at->next) {
		if (at->hook != FW_HOOK_FORWARD || at->kind != FW_CHAIN_FILTER)
			continue;
		for (const struct fw_rule *r = at->first; r; r = r->next) {
			if (r->action == FW_JUMP && is_met(r, ed) &&
			    fw_chain_find(rules, at->table, r->target) == c)
				return true;
		}
	}
	return false;
}

/* The number of the first rule of @p c that may do more to the flow than
 * accept it; 0: none. */
static unsigned long first_in_way(const struct fw_chain *c,
                                  const struct fw_edit *ed)
{
	unsigned long n;

	if (ed->before && ed->before->chain == c && fw_vy_number_of(ed->before))
		return fw_vy_number_of(ed->before);
	for (const struct fw_rule *r = c->first; r; r = r->next) {
		n = fw_vy_number_of(r);
		if (n && r->action != FW_ACCEPT && may_meet(r, ed))
			return n;
	}
	return 0;
}

static unsigned long last_number(const struct fw_chain *c)
{
	unsigned long last = 0;

	for (const struct fw_rule *r = c->first; r; r = r->next) {
		if (fw_vy_number_of(r) > last)
			last = fw_vy_number_of(r);
	}
	return last;
}

static void take(struct fw_vy_emitter *e, const struct fw_edit *ed,
                 const struct fw_chain *c)
{
	const unsigned long n = first_in_way(c, ed);
	struct fw_vy_taken *taken = e->taken;

	while (taken < e->taken + e->n_taken && taken->chain != c)
		taken++;
	if (taken == e->taken + FW_VY_MAX_PATCHED) {
		refuse(e,
		       N_("It would have to change more than %1$s rule sets: "
		          "say --lan and --wan, so that fewer are met."),
		       "32");
		return;
	}
	if (taken == e->taken + e->n_taken) {
		*taken = (struct fw_vy_taken){.chain = c, .before = n};
		e->n_taken++;
	}
	if (n && (!taken->before || n < taken->before))
		taken->before = n;
}

static void put_edit(struct fw_vy_emitter *e, const struct fw_edit *ed,
                     unsigned group)
{
	struct fw_zone in = {.name = ed->place ? ed->place->in : NULL};
	struct fw_zone out = {.name = ed->place ? ed->place->out : NULL};
	struct fw_rule r = {.id = "return-traffic",
	                    .families = FW_IP4 | FW_IP6,
	                    .states = FW_STATE_ESTABLISHED | FW_STATE_RELATED,
	                    .action = FW_ACCEPT,
	                    .attrs = fw_attrs_unset()};

	if (ed->flow) {
		r.id = ed->flow->id;
		r.name = ed->flow->title;
		r.states = FW_STATE_ALL;
		r.dst = ed->flow->dst;
		r.services = ed->services;
		if (ed->place)
			r.src = ed->place->src;
		if (in.name)
			r.in.first = r.in.last = &in;
		if (out.name)
			r.out.first = r.out.last = &out;
	}
	fw_vy_check_rule(e, &r);
	if (!e->err)
		fw_vy_put_rule(e, &r, group);
}

static void put_edits(struct fw_vy_emitter *e, const struct fw_rules *rules,
                      const struct fw_edit *edits, const struct fw_chain *c)
{
	for (const struct fw_edit *ed = edits; ed && !e->err; ed = ed->next) {
		if (goes_to(rules, ed, c))
			put_edit(e, ed, ++e->group);
	}
}

/* How many numbers the rules will take. */
static unsigned long count_rules(const struct fw_vy_emitter *like,
                                 const struct fw_rules *rules,
                                 const struct fw_edit *edits,
                                 const struct fw_chain *c)
{
	struct wr out = wr_init_heap(), undo = wr_init_heap();
	struct fw_vy_emitter e = *like;
	const unsigned long top = ULONG_MAX / 2;

	e.out = &out;
	e.undo = &undo;
	e.used = NULL;
	e.number = e.limit = top;
	put_edits(&e, rules, edits, c);
	wr_fini(&out);
	wr_fini(&undo);
	return e.err ? 0 : top - e.number;
}

static unsigned long count_free(const struct fw_chain *c, unsigned long below)
{
	unsigned long n = below - 1;

	for (const struct fw_rule *r = c->first; r; r = r->next)
		n -= fw_vy_number_of(r) && fw_vy_number_of(r) < below;
	return n;
}

static int by_number(const void *a, const void *b)
{
	const unsigned long x = *(const unsigned long *)a;
	const unsigned long y = *(const unsigned long *)b;

	return (x < y) - (x > y);
}

/* All rules from number @p from on, the last first, as numbers are unique. */
static void put_renames(struct fw_vy_emitter *e, const struct fw_chain *c,
                        unsigned long from, unsigned long by)
{
	unsigned long *v = calloc(c->n_rules, sizeof(*v));
	size_t n = 0;

	if (!v) {
		e->err = ENOMEM;
		return;
	}
	for (const struct fw_rule *r = c->first; r; r = r->next) {
		if (fw_vy_number_of(r) >= from)
			v[n++] = fw_vy_number_of(r);
	}
	qsort(v, n, sizeof(*v), by_number);
	wr_fmt(e->out, "edit %s\n", e->path);
	for (size_t i = 0; i < n; i++)
		wr_fmt(e->out, "rename rule %lu to rule %lu\n", v[i],
		       v[i] + by);
	wr_str(e->out, "top\n");
	free(v);
}

/* Room for @p need numbers below the rule in the way. @return its number,
 * perhaps a new one, or what is as good where there is none. */
static unsigned long make_room(struct fw_vy_emitter *e,
                               const struct fw_vy_taken *taken,
                               unsigned long need)
{
	const unsigned long last = last_number(taken->chain);
	unsigned long n_free, by;

	if (!taken->before && last + TAIL <= e->limit && need < TAIL)
		return last + TAIL;
	if (!taken->before && count_free(taken->chain, e->limit + 1) >= need)
		return e->limit + 1;
	n_free = taken->before ? count_free(taken->chain, taken->before) : 0;
	if (n_free >= need)
		return taken->before;
	by = (need - n_free + STEP - 1) / STEP * STEP;
	if (!taken->before || last + by > e->limit) {
		refuse(e,
		       N_("No rule number is free in %1$s, and above them is "
		          "no room to move the others up: number them closer "
		          "together on the box (edit, then rename rule 9990 to "
		          "rule 90) and audit again."),
		       taken->chain->name);
		return 1;
	}
	put_renames(e, taken->chain, taken->before, by);
	return taken->before + by;
}

/* Rules among those of the set itself, in numbers that go down. */
static void patch_within(struct fw_vy_emitter *e, const struct fw_rules *rules,
                         const struct fw_edit *edits,
                         const struct fw_vy_taken *taken)
{
	const unsigned long need = count_rules(e, rules, edits, taken->chain);

	e->number = make_room(e, taken, need);
	e->used = taken->chain;
	/* Those that moved up are not in the way any more. */
	e->freed = taken->before ? taken->before : ULONG_MAX;
	put_edits(e, rules, edits, taken->chain);
}

/* One rule that jumps, to a set of the patch's own. */
static void patch_by_jump(struct fw_vy_emitter *e, const struct fw_rules *rules,
                          const struct fw_edit *edits,
                          const struct fw_vy_taken *taken)
{
	const char *chain = e->path;
	unsigned long n = make_room(e, taken, 1);
	char path[128];
	struct wr w = wr_init(path, sizeof(path));

	if (!taken->before && n > last_number(taken->chain) + STEP)
		n = last_number(taken->chain) + STEP + 1;
	do {
		n--;
	} while (n > 0 && !e->err &&
	         fw_vy_is_used(taken->chain, n,
	                       taken->before ? taken->before : ULONG_MAX));
	wr_fmt(&w, "firewall %s name %s-OUT%zu%c", table_of(e->is6), e->prefix,
	       (size_t)(taken - e->taken) + 1, '\0');
	wr_fmt(e->out, "set %s default-action return\n", path);
	e->path = path;
	e->number = 0;
	e->used = NULL;
	e->is_down = false;
	put_edits(e, rules, edits, taken->chain);
	e->is_down = true;
	e->path = chain;
	wr_fmt(e->out,
	       "set %s rule %lu action jump\n"
	       "set %s rule %lu jump-target %s\n"
	       "set %s rule %lu description \"prumo: calls\"\n",
	       chain, n, chain, n, strrchr(path, ' ') + 1, chain, n);
}

static void patch_chain(struct fw_vy_emitter *e, const struct fw_rules *rules,
                        const struct fw_edit *edits,
                        const struct fw_vy_taken *taken)
{
	const struct fw_chain *c = taken->chain;
	char path[128];
	struct wr w = wr_init(path, sizeof(path));

	e->is6 = c->families == FW_IP6;
	/* Commands are typed into a shell here. */
	if (c->hook == FW_HOOK_NONE && !fw_name_is_word(c->name))
		refuse(e,
		       N_("The rule set %1$s has a name that cannot be typed "
		          "plainly: rename it on the box and audit again."),
		       c->name);
	if (c->hook != FW_HOOK_NONE)
		wr_fmt(&w, "firewall %s %s%c", table_of(e->is6), c->name, '\0');
	else if (fw_vy_has_base(e->form))
		wr_fmt(&w, "firewall %s name %s%c", table_of(e->is6), c->name,
		       '\0');
	else
		wr_fmt(&w, "firewall %s %s%c", e->is6 ? "ipv6-name" : "name",
		       c->name, '\0');
	if (w.bad)
		refuse(e,
		       N_("The rule set %1$s has a name that is too long: "
		          "rename it on the box and audit again."),
		       c->name);
	if (e->err)
		return;
	e->path = path;
	if (fw_vy_has_base(e->form))
		patch_by_jump(e, rules, edits, taken);
	else
		patch_within(e, rules, edits, taken);
	e->path = NULL;
}

static bool has_zones(const struct fw_rules *rules)
{
	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		if (strcmp(c->name, FW_VY_ZONES) == 0 ||
		    strcmp(c->name, FW_VY_OLD_ZONES) == 0)
			return true;
	}
	return false;
}

/* Where packets may be dropped before any rule of a patch; or NULL. */
static const struct fw_chain *early_chain(const struct fw_rules *rules)
{
	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		if (c->hook != FW_HOOK_PREROUTING || c->kind != FW_CHAIN_FILTER)
			continue;
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			if (r->action != FW_CONTINUE && r->action != FW_ACCEPT)
				return c;
		}
	}
	return NULL;
}

static void take_sets(struct fw_vy_emitter *e, const struct fw_rules *rules,
                      const struct fw_edit *ed)
{
	bool has_any = false;

	for (const struct fw_chain *c = rules->chains; c && !e->err;
	     c = c->next) {
		if (c->hook != FW_HOOK_FORWARD || c->kind != FW_CHAIN_FILTER)
			continue;
		for (const struct fw_rule *r = c->first; r && !e->err;
		     r = r->next) {
			const struct fw_chain *to = NULL;

			if (r->action == FW_JUMP && is_met(r, ed))
				to = fw_chain_find(rules, c->table, r->target);
			has_any |= to != NULL;
			if (to)
				take(e, ed, to);
		}
	}
	if (!has_any && early_chain(rules))
		refuse(e,
		       N_("No rule set stands where a rule could, and %1$s "
		          "may drop calls before: change that on the box and "
		          "audit again."),
		       early_chain(rules)->name);
	else if (!has_any && has_zones(rules))
		refuse(e,
		       N_("No rule set is named between the zone of the phones "
		          "and that of the provider, where a rule could stand: "
		          "say --lan and --wan, or name one there first."),
		       NULL);
	else if (!has_any)
		refuse(e,
		       N_("No rule set is bound to the interfaces between the "
		          "phones and the provider, where a rule could stand: "
		          "say --lan and --wan, or bind one first."),
		       NULL);
}

static void patch_one(struct fw_vy_emitter *e, const struct fw_rules *rules,
                      const struct fw_edit *ed)
{
	const struct fw_setting *sip = NULL;

	for (const struct fw_setting *s = rules->settings; s; s = s->next) {
		if (strcmp(s->id, "conntrack.modules.sip") == 0)
			sip = s;
	}
	if (ed->kind == FW_EDIT_ALG_OFF && sip && sip->attrs.alg != FW_OFF)
		fw_vy_put_alg(e);
	else if (ed->kind == FW_EDIT_IDLE)
		fw_vy_put_idle(e, "udp stream", ed->idle_s);
	else if (is_rule(ed) && is_base(ed->chain))
		take(e, ed, ed->chain);
	else if (is_rule(ed))
		take_sets(e, rules, ed);
}

static void put_clear(struct wr *w, const struct fw_edit *ed)
{
	for (const struct fw_addr *a = ed->flow ? ed->flow->dst.first : NULL; a;
	     a = a->next) {
		if (a->kind != FW_ADDR_RANGE)
			continue;
		wr_str(w, "sudo conntrack -D -d ");
		fw_ip_put(w, a->lo, a->hi);
		wr_str(w, "\n");
	}
}

/* One time and one switch serve all flows. */
static bool is_said(const struct fw_edit *edits, const struct fw_edit *ed)
{
	if (ed->kind == FW_EDIT_INSERT || ed->kind == FW_EDIT_RETURN)
		return false;
	for (const struct fw_edit *o = edits; o != ed; o = o->next) {
		if (o->kind == ed->kind && o->idle_s >= ed->idle_s)
			return true;
	}
	return false;
}

/* Blocks below a root are indented by four. */
static bool has_block(const struct fw_rules *rules, const char *words,
                      const char *block)
{
	return slice_find(rules->text, slice_str(words)) != SIZE_MAX ||
	       slice_find(rules->text, slice_str(block)) != SIZE_MAX;
}

static bool has_old_sets(const struct fw_rules *rules)
{
	return has_block(rules, "set firewall name ", "\n    name ") ||
	       has_block(rules, "set firewall ipv6-name ", "\n    ipv6-name ");
}

/* What zones and interfaces are bound to there came after the helpers'
 * default was turned around. */
static bool has_named(const struct fw_rules *rules)
{
	return has_block(rules, "set firewall zone ", "\n    zone ") ||
	       has_block(rules, "set firewall interface ", "\n    interface ");
}

/* What the text says of its form is surer than a version. */
static enum fw_vy_form form_seen(const struct fw_rules *rules)
{
	enum fw_vy_form form = fw_vy_form_of(rules->dialect, rules->version);
	const long words = fw_vy_footer(rules->text, "firewall@");

	if (form == FW_VY_EDGEOS)
		return form;
	if (words >= FIRST_LATER)
		return FW_VY_LATER;
	if (words >= 0)
		return words >= FIRST_BASE ? FW_VY_1_4 : FW_VY_OLD;
	if (rules->version)
		return form;
	if (rules->text.n && has_old_sets(rules))
		return FW_VY_OLD;
	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			if ((strncmp(c->name, "interfaces ", 11) == 0 &&
			     r->action == FW_JUMP) ||
			    strcmp(c->name, FW_VY_OLD_ZONES) == 0)
				form = FW_VY_OLD;
		}
	}
	return form;
}

/* Groups of host names came with VyOS 1.4. */
unsigned fw_vy_lacks(const struct fw_rules *rules)
{
	const enum fw_vy_form form =
		rules->dialect ? form_seen(rules)
			       : fw_vy_form_of("vyos", rules->version);

	return form == FW_VY_OLD ? FW_CAP_NAMES : 0U;
}

/* Names of an earlier patch stay its own. */
static bool is_prefix_used(const struct fw_rules *rules, const char *prefix)
{
	const size_t n = strlen(prefix);

	for (const struct fw_object *o = rules->objects; o; o = o->next) {
		if (strncmp(o->name, prefix, n) == 0)
			return true;
	}
	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		if (strncmp(c->name, prefix, n) == 0)
			return true;
	}
	return false;
}

static unsigned long limit_of(enum fw_vy_form form)
{
	return fw_vy_has_base(form) ? 999999 : 9999;
}

/* One commit: none of it acts without the rest. */
static void put_session(struct wr *w)
{
	struct wr lines = *w;

	*w = wr_init_heap();
	wr_str(w, "configure\n");
	wr_put(w, wr_slice(&lines));
	wr_str(w, "commit\nsave\nexit\n");
	w->bad |= lines.bad;
	wr_fini(&lines);
}

static int take_back(struct fw_patch_out *out, const struct fw_rules *rules)
{
	const int err =
		fw_vy_undo(&out->undo, rules->text, wr_slice(&out->commands));

	if (err == ENOTSUP)
		fw_patch_refuse(
			out,
			N_("The old value of what it changes under %1$s cannot "
		           "be typed again, so it could not be taken back: "
		           "change that on the box and audit again."),
			"system conntrack", NULL);
	if (!err)
		put_session(&out->undo);
	return err;
}

int fw_vy_patch(struct fw_patch_out *out, const struct fw_rules *rules,
                const struct fw_edit *edits, struct diag *dg)
{
	struct wr undo = wr_init_heap();
	char prefix[16] = "PRUMO-P";
	struct fw_vy_emitter e = {.out = &out->commands,
	                          .undo = &undo,
	                          .patch = out,
	                          .dg = dg,
	                          .form = form_seen(rules),
	                          .prefix = prefix,
	                          .is_down = true,
	                          .freed = ULONG_MAX};

	if (fw_vy_json_is(rules->text)) {
		fw_patch_refuse(
			out,
			N_("A UniFi gateway forgets what is typed into it as "
		           "soon as its controller provisions it again: change "
		           "it in the controller, or add it to %1$s there."),
			"config.gateway.json", NULL);
		wr_fini(&undo);
		return ENOTSUP;
	}
	e.limit = limit_of(e.form);
	e.firewall = fw_vy_footer(rules->text, "firewall@");
	if (e.firewall < 0)
		e.firewall = 0;
	e.is_named = fw_vy_has_base(e.form) ||
	             (e.form == FW_VY_OLD &&
	              (has_named(rules) ||
	               fw_vy_footer(rules->text, "conntrack@") >= FIRST_NAMED));
	for (char c = 'P'; c <= 'Z' && is_prefix_used(rules, prefix); c++)
		prefix[6] = c;
	for (const struct fw_edit *ed = edits; ed && !e.err; ed = ed->next) {
		if (!is_said(edits, ed))
			patch_one(&e, rules, ed);
		put_clear(&out->clear, ed);
	}
	for (size_t i = 0; i < e.n_taken && !e.err; i++)
		patch_chain(&e, rules, edits, &e.taken[i]);
	wr_fini(&undo);
	if (!e.err && out->commands.n) {
		put_session(&out->commands);
		e.err = take_back(out, rules);
	}
	wr_put(&out->patched, rules->text);
	wr_str(&out->patched, "\n");
	wr_put(&out->patched, wr_slice(&out->commands));
	return e.err;
}
