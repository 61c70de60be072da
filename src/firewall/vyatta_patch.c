/* SPDX-License-Identifier: ISC */
/*
 * Design: a patch is set lines, and set lines may follow a configuration of
 * either form. Rules have numbers here, so a new one takes a free number
 * below the rule that it has to stand before.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "firewall/vyatta_write.h"

enum {
	TAIL = 1001, /* room for the rules of a patch */
};

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

/* Where a new rule goes: below the first that may do more than accept it;
 * else well behind the last, as the next ones take lower numbers. */
static void aim(struct fw_vy_emitter *e, const struct fw_chain *c,
                const struct fw_edit *ed)
{
	const struct fw_rule *before =
		ed->before && ed->before->chain == c ? ed->before : NULL;
	unsigned long last = 0;

	for (const struct fw_rule *r = c->first; r; r = r->next) {
		const unsigned long n = fw_vy_number_of(r);

		if (n > last)
			last = n;
		if (!before && n && r->action != FW_ACCEPT && may_meet(r, ed))
			before = r;
	}
	e->used = c;
	e->number = last + TAIL;
	if (e->number > e->limit + 1)
		e->number = e->limit + 1;
	if (before && fw_vy_number_of(before))
		e->number = fw_vy_number_of(before);
}

static struct fw_vy_taken *taken_of(struct fw_vy_emitter *e,
                                    const struct fw_chain *c)
{
	size_t i = 0;

	while (i < e->n_taken && e->taken[i].chain != c)
		i++;
	if (i == FW_VY_MAX_PATCHED)
		return NULL;
	if (i == e->n_taken) {
		e->taken[i] =
			(struct fw_vy_taken){.chain = c, .low = ULONG_MAX};
		e->n_taken++;
	}
	return &e->taken[i];
}

static void patch_into(struct fw_vy_emitter *e, const struct fw_edit *ed,
                       const struct fw_chain *c, unsigned group)
{
	struct fw_vy_taken *taken = taken_of(e, c);
	struct fw_zone in = {.name = ed->place ? ed->place->in : NULL};
	struct fw_zone out = {.name = ed->place ? ed->place->out : NULL};
	struct fw_rule r = {.id = "return-traffic",
	                    .families = FW_IP4 | FW_IP6,
	                    .states = FW_STATE_ESTABLISHED | FW_STATE_RELATED,
	                    .action = FW_ACCEPT,
	                    .attrs = fw_attrs_unset()};
	char path[128];
	struct wr w = wr_init(path, sizeof(path));
	const bool is_own = c->hook != FW_HOOK_NONE;

	/* Two interfaces may share a set. */
	if (taken && taken->edit == ed)
		return;
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
	e->is6 = c->families == FW_IP6;
	fw_vy_check_rule(e, &r);
	/* Commands are typed into a shell here. */
	if (!is_own && !fw_name_is_word(c->name))
		fw_vy_refuse(e, &r, _("its rule set has no plain name"));
	if (!taken)
		fw_vy_refuse(e, &r, _("too many rule sets"));
	if (is_own)
		wr_fmt(&w, "firewall %s %s%c", table_of(e->is6), c->name, '\0');
	else if (fw_vy_has_base(e->form))
		wr_fmt(&w, "firewall %s name %s%c", table_of(e->is6), c->name,
		       '\0');
	else
		wr_fmt(&w, "firewall %s %s%c", e->is6 ? "ipv6-name" : "name",
		       c->name, '\0');
	if (w.bad)
		fw_vy_refuse(e, &r, _("a name is too long"));
	if (e->err)
		return;
	e->path = path;
	aim(e, c, ed);
	if (taken->low < e->number)
		e->number = taken->low;
	fw_vy_put_rule(e, &r, group);
	taken->edit = ed;
	taken->low = e->number;
	e->path = NULL;
}

/* Does traffic of the place meet this binding? Where the place does not say
 * an interface, all that are not known to be the other end. */
static bool is_met(const struct fw_rule *r, const struct fw_edit *ed)
{
	const struct fw_place *p = ed->place;
	const bool is_in = r->in.first;
	const char *at = is_in ? r->in.first->name : NULL;
	const char *here, *there;

	if (!is_in && r->out.first)
		at = r->out.first->name;
	if (!at || !p)
		return at;
	/* Answers come in where the flow goes out. */
	here = is_in == (ed->flow != NULL) ? p->in : p->out;
	there = is_in == (ed->flow != NULL) ? p->out : p->in;
	if (here)
		return strcmp(at, here) == 0;
	return !there || strcmp(at, there) != 0;
}

static void patch_sets(struct fw_vy_emitter *e, const struct fw_rules *rules,
                       const struct fw_edit *ed, unsigned *group)
{
	for (const struct fw_chain *c = rules->chains; c && !e->err;
	     c = c->next) {
		if (c->hook != FW_HOOK_FORWARD || c->kind != FW_CHAIN_FILTER)
			continue;
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			const struct fw_chain *to = NULL;

			if (r->action == FW_JUMP && is_met(r, ed))
				to = fw_chain_find(rules, c->table, r->target);
			if (to)
				patch_into(e, ed, to, ++*group);
		}
	}
}

static void patch_one(struct fw_vy_emitter *e, const struct fw_rules *rules,
                      const struct fw_edit *ed, unsigned *group)
{
	const bool is_rule =
		ed->kind == FW_EDIT_INSERT || ed->kind == FW_EDIT_RETURN;
	const struct fw_setting *sip = NULL;

	for (const struct fw_setting *s = rules->settings; s; s = s->next) {
		if (strcmp(s->id, "conntrack.modules.sip") == 0)
			sip = s;
	}
	if (ed->kind == FW_EDIT_ALG_OFF && sip && sip->attrs.alg != FW_OFF)
		fw_vy_put_alg(e);
	else if (ed->kind == FW_EDIT_IDLE)
		fw_vy_put_idle(e, "udp stream", ed->idle_s);
	else if (ed->kind == FW_EDIT_INSERT && ed->chain &&
	         fw_vy_has_base(e->form) &&
	         strcmp(ed->chain->name, "forward filter") == 0)
		patch_into(e, ed, ed->chain, ++*group);
	else if (is_rule)
		patch_sets(e, rules, ed, group);
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

/* What the text says of its form is surer than a version. */
static enum fw_vy_form form_seen(const struct fw_rules *rules)
{
	enum fw_vy_form form = fw_vy_form_of(rules->dialect, rules->version);

	if (form == FW_VY_EDGEOS || rules->version)
		return form;
	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		if (strncmp(c->name, "interfaces ", 11) == 0 && c->first)
			form = FW_VY_OLD;
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

int fw_vy_patch(struct fw_patch_out *out, const struct fw_rules *rules,
                const struct fw_edit *edits, struct diag *dg)
{
	struct fw_vy_emitter e = {.out = &out->commands,
	                          .undo = &out->undo,
	                          .dg = dg,
	                          .form = form_seen(rules),
	                          .prefix = "PRUMO-P",
	                          .is_down = true,
	                          .limit = 9999};
	unsigned group = 0;

	for (const struct fw_edit *ed = edits; ed && !e.err; ed = ed->next) {
		if (!is_said(edits, ed))
			patch_one(&e, rules, ed, &group);
		put_clear(&out->clear, ed);
	}
	wr_put(&out->patched, rules->text);
	wr_str(&out->patched, "\n");
	wr_put(&out->patched, wr_slice(&out->commands));
	return e.err;
}
