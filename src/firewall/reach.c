/* SPDX-License-Identifier: ISC */
/*
 * Design: a rule is dead when the union of what came before covers each of
 * its boxes; which rules those are is found by a scan over two dimensions
 * kept as plain arrays, which the compiler turns into a few instructions per
 * pair, and the exact question goes to fw_cover_find() with the few that
 * meet. A list of 50 000 rules is a billion such pairs: a second or two,
 * and no index to get wrong.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "firewall/program.h"

/* All questions of one analysis together. */
#define MAX_STEPS (UINT64_C(1) << 33)

enum {
	TAKES = 1 << 0,
	RETURNS = 1 << 1, /* what may be lost to a chain, or surely is */
};

enum {
	MAX_NAMED = 64, /* rules among which the needed ones are sought */
	NEAR_MIN = 64,
};

/* The boxes that take packets away, in order. */
struct takers {
	uint32_t *dst_lo, *dst_hi, *port_lo, *port_hi;
	uint32_t *item;
	uint8_t *role; /* TAKES, RETURNS */
	struct fw_box *box;
	size_t n, cap;
	uint32_t *met; /* indexes, scratch */
	/* What the last gather() found: boxes, and whose they are. */
	struct fw_box *near;
	uint32_t *near_of;
	size_t n_near, cap_near;
	bool has_returns;
};

static void takers_fini(struct takers *t)
{
	free(t->dst_lo);
	free(t->dst_hi);
	free(t->port_lo);
	free(t->port_hi);
	free(t->item);
	free(t->role);
	free(t->box);
	free(t->met);
	free(t->near);
	free(t->near_of);
	*t = (struct takers){0};
}

static int takers_init(struct takers *t, size_t cap)
{
	const size_t n = cap + 1;

	t->cap = cap;
	t->dst_lo = malloc(n * sizeof(uint32_t));
	t->dst_hi = malloc(n * sizeof(uint32_t));
	t->port_lo = malloc(n * sizeof(uint32_t));
	t->port_hi = malloc(n * sizeof(uint32_t));
	t->item = malloc(n * sizeof(uint32_t));
	t->role = malloc(n);
	t->box = malloc(n * sizeof(*t->box));
	t->met = malloc(n * sizeof(uint32_t));
	t->near = malloc(n * sizeof(*t->near));
	t->near_of = malloc(n * sizeof(uint32_t));
	t->cap_near = n;
	if (t->dst_lo && t->dst_hi && t->port_lo && t->port_hi && t->item &&
	    t->role && t->box && t->met && t->near && t->near_of)
		return 0;
	takers_fini(t);
	return ENOMEM;
}

static void take(struct takers *t, const struct fw_box *b, size_t item,
                 unsigned role)
{
	t->dst_lo[t->n] = b->lo[FW_DIM_DST];
	t->dst_hi[t->n] = b->hi[FW_DIM_DST];
	t->port_lo[t->n] = b->lo[FW_DIM_DPORT];
	t->port_hi[t->n] = b->hi[FW_DIM_DPORT];
	t->item[t->n] = (uint32_t)item;
	t->role[t->n] = (uint8_t)role;
	t->box[t->n++] = *b;
}

static bool is_exact(const struct fw_item *it)
{
	return it->must.at == it->may.at && it->must.n == it->may.n;
}

static void take_span(struct takers *t, const struct fw_program *p,
                      struct fw_span span, size_t item, unsigned role)
{
	for (size_t k = 0; k < span.n; k++)
		take(t, &p->boxes.boxes[span.at + k], item, role);
}

/* Whoever wants to be sure that packets are gone counts what surely takes
 * them, and what perhaps returns; whoever looks for packets that are surely
 * still there, the other way round. */
static void take_item(struct takers *t, const struct fw_program *p, size_t i,
                      bool is_upper)
{
	const struct fw_item *it = &p->items[i];
	const struct fw_span own = is_upper ? it->may : it->must;

	if (it->op == FW_OP_NOTE)
		return;
	if (it->op == FW_OP_VERDICT) {
		take_span(t, p, own, i, TAKES);
		return;
	}
	t->has_returns = true;
	if (is_exact(it)) {
		take_span(t, p, own, i, TAKES | RETURNS);
		return;
	}
	take_span(t, p, own, i, TAKES);
	take_span(t, p, is_upper ? it->must : it->may, i, RETURNS);
}

static int add_near(struct takers *t, const struct fw_box *b, uint32_t of)
{
	if (t->n_near == t->cap_near) {
		const size_t cap = t->cap_near ? 2 * t->cap_near : NEAR_MIN;
		struct fw_box *near = realloc(t->near, cap * sizeof(*near));
		uint32_t *near_of;

		if (!near)
			return ENOMEM;
		t->near = near;
		near_of = realloc(t->near_of, cap * sizeof(*near_of));
		if (!near_of)
			return ENOMEM;
		t->near_of = near_of;
		t->cap_near = cap;
	}
	t->near[t->n_near] = *b;
	t->near_of[t->n_near++] = of;
	return 0;
}

/* Seen from behind its chain, a taker has only what did not return before. */
static int add_rest(struct takers *t, const struct fw_program *p, uint32_t i,
                    size_t n_met, size_t item)
{
	struct fw_set all, gone, rest;
	int err;

	fw_set_init(&all);
	fw_set_init(&gone);
	fw_set_init(&rest);
	err = fw_set_add(&all, &t->box[i]);
	for (size_t k = 0; k < n_met && t->met[k] < i && !err; k++) {
		const uint32_t r = t->met[k];
		const struct fw_item *by = &p->items[t->item[r]];

		if (t->role[r] & RETURNS && by->end > t->item[i] &&
		    by->end <= item)
			err = fw_set_add(&gone, &t->box[r]);
	}
	if (!err && gone.n)
		err = fw_set_subtract(&rest, &all, &gone);
	if (!err && gone.n == 0)
		err = add_near(t, &t->box[i], i);
	for (size_t k = 0; k < rest.n && !err; k++)
		err = add_near(t, &rest.boxes[k], i);
	fw_set_fini(&all);
	fw_set_fini(&gone);
	fw_set_fini(&rest);
	return err;
}

/* Gather what takers have that meet @p b into near. */
static int gather(struct takers *t, const struct fw_program *p,
                  const struct fw_box *b, size_t item)
{
	const uint32_t dlo = b->lo[FW_DIM_DST], dhi = b->hi[FW_DIM_DST];
	const uint32_t plo = b->lo[FW_DIM_DPORT], phi = b->hi[FW_DIM_DPORT];
	size_t n = 0;
	int err = 0;

	for (size_t i = 0; i < t->n; i++) {
		t->met[n] = (uint32_t)i;
		n += (size_t)((t->dst_lo[i] <= dhi) & (t->dst_hi[i] >= dlo) &
		              (t->port_lo[i] <= phi) & (t->port_hi[i] >= plo));
	}
	t->n_near = 0;
	for (size_t k = 0; k < n && !err; k++) {
		const uint32_t i = t->met[k];
		const struct fw_item *by = &p->items[t->item[i]];

		/* A return took them only from the rest of its chain. */
		if (!(t->role[i] & TAKES) ||
		    (by->op == FW_OP_RETURN && by->end <= item))
			continue;
		if (!fw_box_meets(&t->box[i], b))
			continue;
		err = t->has_returns ? add_rest(t, p, i, n, item)
		                     : add_near(t, &t->box[i], i);
	}
	return err;
}

struct walk {
	struct fw_space *sp;
	struct arena *arena;
	struct fw_reach_info *infos;
	size_t n;
	uint64_t left;
};

struct slot {
	const struct fw_rule *rule;
	size_t at;
};

static int cmp_slot(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;
	const uintptr_t p = (uintptr_t)x->rule, q = (uintptr_t)y->rule;

	return (p > q) - (p < q);
}

/* Drop each box in turn that coverage does without; keep the rules. */
static int name_takers(struct walk *w, struct takers *t, const struct fw_box *b,
                       struct fw_reach_info *info)
{
	const struct fw_program *p = &w->sp->program;
	const struct fw_rule **by;
	size_t n = t->n_near;

	for (size_t i = n; i-- > 0 && t->n_near <= MAX_NAMED;) {
		const struct fw_box gone = t->near[i];
		int err;

		t->near[i] = t->near[n - 1];
		err = fw_cover_find(NULL, b, t->near, n - 1, &w->left);
		if (err == ENOENT) {
			t->near_of[i] = t->near_of[n - 1];
			n--;
			continue;
		}
		t->near[i] = gone;
		if (err == ENOMEM)
			return err;
	}
	by = arena_alloc(w->arena,
	                 (info->n_by + n + 1) * sizeof(const struct fw_rule *));
	if (!by)
		return ENOMEM;
	if (info->n_by)
		memcpy(by, info->by,
		       info->n_by * sizeof(const struct fw_rule *));
	info->by = by;
	for (size_t i = 0; i < n; i++) {
		const struct fw_rule *r = p->items[t->item[t->near_of[i]]].rule;
		size_t k = 0;

		while (k < info->n_by && info->by[k] != r)
			k++;
		if (k == info->n_by && r)
			info->by[info->n_by++] = r;
	}
	return 0;
}

/* One place where a rule is asked: does a packet get there? */
static int visit(struct walk *w, struct takers *t, size_t item,
                 struct fw_reach_info *info)
{
	const struct fw_program *p = &w->sp->program;
	const struct fw_item *it = &p->items[item];
	struct fw_box found;

	if (info->reach == FW_UNCALLED && it->may.n == 0)
		info->reach = FW_EMPTY;
	for (size_t i = 0; i < it->may.n; i++) {
		const struct fw_box *b = &p->boxes.boxes[it->may.at + i];
		int err;

		err = gather(t, p, b, item);
		if (err)
			return err;
		err = fw_cover_find(&found, b, t->near, t->n_near, &w->left);
		if (err == 0) {
			info->reach = FW_REACHED;
			return fw_packet_at(&info->example, w->arena, w->sp,
			                    &found);
		}
		if (err == ENOMEM)
			return err;
		if (err == ETIMEDOUT) {
			info->reach = FW_REACH_UNKNOWN;
			return 0;
		}
		if (info->reach == FW_REACH_UNKNOWN)
			continue;
		info->reach = FW_SHADOWED;
		/* other rules may take what another box of it has */
		err = info->n_by < MAX_NAMED ? name_takers(w, t, b, info) : 0;
		if (err)
			return err;
	}
	return 0;
}

static int walk_stage(struct walk *w, const struct fw_stage *st,
                      const struct slot *slots)
{
	const struct fw_program *p = &w->sp->program;
	struct takers t = {0};
	size_t n = 0;
	int err;

	for (size_t i = st->from; i < st->to; i++)
		n += p->items[i].must.n + p->items[i].may.n;
	err = takers_init(&t, n);
	for (size_t i = st->from; i < st->to && !err; i++) {
		const struct fw_item *it = &p->items[i];
		const struct slot key = {it->rule, 0};
		const struct slot *s = NULL;

		if (it->rule)
			s = bsearch(&key, slots, w->n, sizeof(*slots),
			            cmp_slot);
		if (s && w->infos[s->at].reach != FW_REACHED)
			err = visit(w, &t, i, &w->infos[s->at]);
		take_item(&t, p, i, false);
	}
	takers_fini(&t);
	return err;
}

int fw_space_reach(struct fw_reach_info **infos, size_t *n, struct arena *a,
                   struct fw_space *sp)
{
	const size_t n_all = sp->rules->n_rules + 1;
	struct walk w = {.sp = sp, .arena = a, .left = MAX_STEPS};
	struct slot *slots = malloc(n_all * sizeof(*slots));
	int err = 0;

	w.infos = arena_alloc(a, n_all * sizeof(*w.infos));
	if (!slots || !w.infos) {
		free(slots);
		return ENOMEM;
	}
	for (const struct fw_chain *c = sp->rules->chains; c; c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			if (r->is_disabled)
				continue;
			w.infos[w.n].rule = r;
			w.infos[w.n].reach = FW_UNCALLED;
			slots[w.n] = (struct slot){r, w.n};
			w.n++;
		}
	}
	qsort(slots, w.n, sizeof(*slots), cmp_slot);
	for (size_t i = 0; i < sp->program.n_stages && !err; i++)
		err = walk_stage(&w, &sp->program.stages[i], slots);
	free(slots);
	if (err)
		return err;
	*infos = w.infos;
	*n = w.n;
	return 0;
}

/* Something new that this item accepts at the place and no flow asks for. */
static int excess_of(struct fw_box *found, struct walk *w, struct takers *t,
                     size_t item, const struct fw_set *here)
{
	const struct fw_program *p = &w->sp->program;
	const struct fw_item *it = &p->items[item];

	for (size_t i = 0; i < it->must.n; i++) {
		for (size_t k = 0; k < here->n; k++) {
			struct fw_box b;
			int err;

			if (!fw_box_common(&b, &here->boxes[k],
			                   &p->boxes.boxes[it->must.at + i]))
				continue;
			err = gather(t, p, &b, item);
			if (err)
				return err;
			err = fw_cover_find(found, &b, t->near, t->n_near,
			                    &w->left);
			if (err == 0 || err == ENOMEM)
				return err;
		}
	}
	return ENOENT;
}

static int add_excess(struct fw_part ***tail, struct walk *w,
                      const struct fw_item *it, const struct fw_box *b)
{
	struct fw_set one = {.n = 1};
	struct fw_judgement j;
	struct fw_box box = *b;
	struct fw_part *part;
	int err;

	one.boxes = &box;
	err = fw_judge_regions(&j, w->arena, w->sp, w->sp->place->path, &one,
	                       false);
	/* Another chain may still drop it. */
	if (err || j.verdict != FW_PASS)
		return err;
	part = arena_alloc(w->arena, sizeof(*part));
	if (!part)
		return ENOMEM;
	part->verdict = FW_PASS;
	part->rule = it->rule;
	part->chain = it->chain;
	part->example = j.parts->example;
	part->n_packets = j.parts->n_packets;
	**tail = part;
	*tail = &part->next;
	return 0;
}

static int excess_stage(struct fw_part ***tail, struct walk *w,
                        const struct fw_stage *st, const struct fw_set *here,
                        const struct fw_set *asked)
{
	const struct fw_program *p = &w->sp->program;
	struct takers t = {0};
	size_t n = asked->n;
	int err;

	for (size_t i = st->from; i < st->to; i++)
		n += p->items[i].must.n + p->items[i].may.n;
	err = takers_init(&t, n);
	for (size_t i = 0; i < asked->n && !err; i++)
		take(&t, &asked->boxes[i], st->to - 1, TAKES);
	for (size_t i = st->from; i < st->to && !err; i++) {
		const struct fw_item *it = &p->items[i];
		struct fw_box found;

		if (it->op == FW_OP_VERDICT && it->action == FW_ACCEPT) {
			err = excess_of(&found, w, &t, i, here);
			if (err == 0)
				err = add_excess(tail, w, it, &found);
			else if (err == ENOENT)
				err = 0;
		}
		take_item(&t, p, i, true);
	}
	takers_fini(&t);
	return err;
}

int fw_space_excess(struct fw_part **parts, struct arena *a,
                    struct fw_space *sp)
{
	const struct fw_program *p = &sp->program;
	struct walk w = {.sp = sp, .arena = a, .left = MAX_STEPS};
	struct fw_part *first = NULL, **tail = &first;
	struct fw_set here, asked;
	int err;

	fw_set_init(&here);
	fw_set_init(&asked);
	err = fw_place_boxes(&here, sp);
	for (size_t i = 0; i < sp->n_flows && !err; i++)
		err = fw_flow_boxes(&asked, sp, i);
	for (size_t i = 0; i < p->n_stages && !err; i++) {
		const struct fw_chain *c = p->stages[i].chain;
		const enum fw_hook main_hook =
			sp->place->path == FW_PATH_FORWARD ? FW_HOOK_FORWARD
							   : FW_HOOK_OUTPUT;

		if (c->hook == main_hook && c->kind == FW_CHAIN_FILTER)
			err = excess_stage(&tail, &w, &p->stages[i], &here,
			                   &asked);
	}
	fw_set_fini(&here);
	fw_set_fini(&asked);
	if (!err)
		*parts = first;
	return err;
}
