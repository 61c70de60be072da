/* SPDX-License-Identifier: ISC */
/*
 * Design: commands that are typed on a box edit the rules that it has. A rule
 * that is opened again by all that says for whom it is, or by its UUID, goes
 * on; a new one that is given a place moves those behind it down; `no
 * access-rule` takes one away. So what people paste, a patch and its undo, is
 * read as the box would run it. In the listing of a box nothing is typed: two
 * rules that begin alike are two.
 */
#include <string.h>

#include "base/i18n.h"
#include "firewall/sonicos_read.h"

enum {
	MAX_LOOKS = 1 << 27,
};

static void put_side(struct wr *w, const struct fw_sonic_side *s)
{
	wr_fmt(w, "%d ", (int)s->kind);
	if (s->kind == FW_SONIC_NAME)
		wr_put(w, s->name);
	else if (s->kind == FW_SONIC_RANGE)
		fw_ip_put(w, s->lo, s->hi);
	else if (s->kind == FW_SONIC_PORTS)
		wr_fmt(w, "%d %u-%u", s->proto, s->plo, s->phi);
	wr_str(w, "\n");
}

static void put_zone_name(struct wr *w, struct slice name)
{
	for (size_t i = 0; i < name.n; i++)
		wr_u8(w, name.p[i] >= 'A' && name.p[i] <= 'Z'
		                 ? (uint8_t)(name.p[i] | 0x20)
		                 : name.p[i]);
	wr_str(w, "\n");
}

/* All that says for whom a rule is, as one text. */
static struct slice key_of(struct fw_sonic_reader *r,
                           const struct fw_sonic_rule *o)
{
	struct wr w = wr_init_heap();
	struct slice key = {NULL, 0};
	uint8_t *copy;

	wr_fmt(&w, "%u %d %d\n", o->families, o->has_action, (int)o->action);
	put_zone_name(&w, o->from);
	put_zone_name(&w, o->to);
	put_side(&w, &o->src);
	put_side(&w, &o->dst);
	put_side(&w, &o->service);
	wr_put(&w, o->schedule);
	copy = w.bad ? NULL : arena_alloc(&r->s->scratch, w.n + 1);
	fw_sonic_check(r->s, copy);
	if (copy) {
		memcpy(copy, w.p, w.n);
		key = (struct slice){copy, w.n};
	}
	wr_fini(&w);
	return key;
}

/* Of two that begin alike the first one is meant. */
static void learn(struct fw_sonic_reader *r, struct fw_sonic_rule *o)
{
	const struct slice key = key_of(r, o);
	const struct fw_sonic_rule *known = fw_dict_get(&r->rules, NULL, key);

	if (o->uuid.n)
		fw_dict_put(&r->uuids, NULL, o->uuid, o);
	if (!known || known->is_gone)
		fw_dict_put(&r->rules, NULL, key, o);
}

void fw_sonic_rule_learn(struct fw_sonic_reader *r, struct fw_sonic_rule *o)
{
	if (r->is_typed && r->has_learnt)
		learn(r, o);
}

/* What was listed is learnt when the first command asks for it. */
static void learn_all(struct fw_sonic_reader *r)
{
	struct fw_sonic_rule *const lists[] = {r->s->first, r->below};

	if (r->has_learnt)
		return;
	r->has_learnt = true;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		for (struct fw_sonic_rule *o = lists[i]; o; o = o->next)
			learn(r, o);
	}
}

struct fw_sonic_rule *fw_sonic_rule_find(struct fw_sonic_reader *r,
                                         const struct fw_sonic_rule *like)
{
	struct fw_sonic_rule *found;

	learn_all(r);
	if (like->uuid.n && !like->from.n && !like->to.n)
		found = fw_dict_get(&r->uuids, NULL, like->uuid);
	else
		found = fw_dict_get(&r->rules, NULL, key_of(r, like));
	if (r->rules.no_memory || r->uuids.no_memory)
		fw_sonic_check(r->s, NULL);
	return found && found->is_gone ? NULL : found;
}

/* A hostile text could move each of its rules as often as it has rules. */
static bool may_look(struct fw_sonic_reader *r)
{
	if (r->n_looks < MAX_LOOKS && ++r->n_looks == MAX_LOOKS)
		fw_sonic_fault(r, _("Too many commands that move rules; from "
		                    "here on they move none."));
	return r->n_looks < MAX_LOOKS;
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

static struct fw_sonic_pair *pair_of(struct fw_sonic_reader *r,
                                     struct fw_sonic_rule *o)
{
	struct wr w = wr_init_heap();
	uint8_t *copy;

	if (o->pair)
		return o->pair;
	wr_fmt(&w, "%u\n", o->families);
	put_zone_name(&w, o->from);
	put_zone_name(&w, o->to);
	o->pair = w.bad ? NULL : fw_dict_get(&r->pairs, NULL, wr_slice(&w));
	if (!o->pair && !w.bad) {
		copy = arena_alloc(&r->s->scratch, w.n);
		o->pair = arena_alloc(&r->s->scratch, sizeof(*o->pair));
		if (copy && o->pair) {
			memcpy(copy, w.p, w.n);
			fw_dict_put(&r->pairs, NULL, (struct slice){copy, w.n},
			            o->pair);
		}
	}
	wr_fini(&w);
	if (r->pairs.no_memory)
		o->pair = NULL;
	fw_sonic_check(r->s, o->pair);
	return o->pair;
}

/* The places that are taken before the first command takes one. */
static void learn_places(struct fw_sonic_reader *r)
{
	struct fw_sonic_rule *const lists[] = {r->s->first, r->below};

	if (r->has_places)
		return;
	r->has_places = true;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		place(lists[i]);
		for (struct fw_sonic_rule *o = lists[i]; o; o = o->next) {
			struct fw_sonic_pair *p = pair_of(r, o);

			if (p && o != r->rule && o->priority > p->last)
				p->last = o->priority;
		}
	}
}

void fw_sonic_rule_move(struct fw_sonic_reader *r, int64_t to)
{
	struct fw_sonic_rule *const lists[] = {r->s->first, r->below};
	struct fw_sonic_pair *pair;

	if (!r->is_typed || to < 0)
		return;
	learn_places(r);
	pair = pair_of(r, r->rule);
	if (!pair || to > pair->last) {
		if (pair)
			pair->last = to;
		return;
	}
	pair->last++;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		for (struct fw_sonic_rule *o = lists[i]; o; o = o->next) {
			if (!may_look(r))
				return;
			if (o != r->rule && o->pair == pair &&
			    o->priority >= to)
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
