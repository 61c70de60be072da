/* SPDX-License-Identifier: ISC */
/*
 * Design: commands that are typed on a box edit the rules that it has. A rule
 * that is opened again by all that says for whom it is, or by its UUID, goes
 * on; a new one that is given a place moves those behind it down; `no
 * access-rule` takes one away. So what people paste, a patch and its undo, is
 * read as the box would run it. In the listing of a box nothing is typed: two
 * rules that begin alike are two.
 */
#include "base/i18n.h"
#include "firewall/sonicos_read.h"

enum {
	MAX_LOOKS = 1 << 24,
};

static bool is_same_side(const struct fw_sonic_side *a,
                         const struct fw_sonic_side *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case FW_SONIC_ANY:
		return true;
	case FW_SONIC_NAME:
		return slice_eq(a->name, b->name);
	case FW_SONIC_RANGE:
		return fw_ip_cmp(a->lo, b->lo) == 0 &&
		       fw_ip_cmp(a->hi, b->hi) == 0;
	case FW_SONIC_PORTS:
		return a->proto == b->proto && a->plo == b->plo &&
		       a->phi == b->phi;
	}
	return false;
}

static bool is_same(const struct fw_sonic_rule *a,
                    const struct fw_sonic_rule *b)
{
	if (a->families != b->families)
		return false;
	if (b->uuid.n && !b->from.n && !b->to.n)
		return slice_ieq(a->uuid, b->uuid);
	return slice_ieq(a->from, b->from) && slice_ieq(a->to, b->to) &&
	       a->has_action == b->has_action && a->action == b->action &&
	       slice_eq(a->schedule, b->schedule) &&
	       is_same_side(&a->src, &b->src) &&
	       is_same_side(&a->dst, &b->dst) &&
	       is_same_side(&a->service, &b->service);
}

/* A hostile text could ask for each of its rules as often as it has rules. */
static bool may_look(struct fw_sonic_reader *r)
{
	if (r->n_looks < MAX_LOOKS && ++r->n_looks == MAX_LOOKS)
		fw_sonic_fault(r, _("Too many commands that edit rules; from "
		                    "here on they make new ones."));
	return r->n_looks < MAX_LOOKS;
}

struct fw_sonic_rule *fw_sonic_rule_find(struct fw_sonic_reader *r,
                                         const struct fw_sonic_rule *like)
{
	struct fw_sonic_rule *const lists[] = {r->s->first, r->below};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		for (struct fw_sonic_rule *o = lists[i]; o; o = o->next) {
			if (!may_look(r))
				return NULL;
			if (is_same(o, like) && !o->is_gone)
				return o;
		}
	}
	return NULL;
}

static void place(struct fw_sonic_rule *listed)
{
	int64_t at = 0;

	for (const struct fw_sonic_rule *o = listed; o; o = o->next) {
		if (o->priority >= 0)
			return;
	}
	for (struct fw_sonic_rule *o = listed; o; o = o->next)
		o->priority = ++at;
}

void fw_sonic_rule_move(struct fw_sonic_reader *r, int64_t to)
{
	struct fw_sonic_rule *const lists[] = {r->s->first, r->below};

	if (!r->is_typed || to < 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		if (may_look(r))
			place(lists[i]);
		for (struct fw_sonic_rule *o = lists[i]; o; o = o->next) {
			if (!may_look(r))
				return;
			if (o != r->rule && o->priority >= to)
				o->priority++;
		}
	}
}

void fw_sonic_rule_remove(struct fw_sonic_reader *r, struct slice rest)
{
	struct fw_sonic_rule like, *gone;

	fw_sonic_rule_init(&like);
	r->rule = &like;
	fw_sonic_rule_head(r, rest);
	r->rule = NULL;
	gone = fw_sonic_rule_find(r, &like);
	if (gone)
		gone->is_gone = true;
	else
		fw_sonic_warn(r, _("There is no such access rule here."));
}
