/* SPDX-License-Identifier: ISC */
/*
 * Design: rules that cut a flow at thousands of places would send thousands
 * of pieces past all of the rules behind them. So the region is halved first,
 * where the edges of boxes lie, and each half takes along only the boxes that
 * meet it, as in box.c: the work is that of sorting, and what is decided in
 * the end are the same packets by the same rules. The way out and the state
 * of a packet change on its way; these two are never cut here, and a box
 * meets them when it meets any that they may be.
 */
#include "firewall/nearby.h"

#include <errno.h>
#include <stdlib.h>

enum {
	MAX_DEPTH = 500, /* of cuts */
	MAX_LISTED = 1 << 24,
	LIST_MIN = 128,
	HULLS_PER_STEP = 16,
	BOXES_PER_STEP = 4,
	STATE_INVALID = 3, /* bit numbers of FW_STATE_* */
	STATE_UNTRACKED = 4,
	PRIORITY_CONNTRACK = -200,
};

struct walk {
	const struct fw_space *sp;
	const struct fw_program *p;
	enum fw_path path;
	size_t *order; /* stages by their items */
	bool can_untrack;
	struct fw_near *list;
	size_t cap;
	uint64_t *steps;
	const struct fw_near_ops *ops;
	void *arg;
};

/* Boxes are taken in order; what none can reach is left out. */
struct sieve {
	const struct walk *w;
	const struct fw_box *part;
	size_t stage; /* in w->order */
	const struct fw_stage *st;
	struct fw_box seen; /* the part, as this stage may see it */
	size_t returns_to;  /* the farthest */
	size_t end;         /* nothing of the stage from here on */
};

bool fw_is_before_conntrack(const struct fw_chain *c)
{
	return c->priority <= PRIORITY_CONNTRACK &&
	       (c->hook == FW_HOOK_PREROUTING || c->hook == FW_HOOK_OUTPUT);
}

bool fw_is_before_routing(const struct fw_chain *c)
{
	return c->hook == FW_HOOK_PREROUTING;
}

/* On to a stage: its boxes come next. */
static void enter(struct sieve *s, size_t stage)
{
	const struct fw_stage *st = &s->w->p->stages[s->w->order[stage]];
	uint32_t *lo = s->seen.lo, *hi = s->seen.hi;

	s->stage = stage;
	s->st = st;
	s->returns_to = 0;
	s->end = st->to;
	s->seen = *s->part;
	if (fw_is_before_routing(st->chain))
		lo[FW_DIM_OUT] = hi[FW_DIM_OUT] = 0;
	if (fw_is_before_conntrack(st->chain) &&
	    lo[FW_DIM_STATE] > STATE_INVALID)
		lo[FW_DIM_STATE] = STATE_INVALID;
	if (fw_is_before_conntrack(st->chain) &&
	    hi[FW_DIM_STATE] < STATE_INVALID)
		hi[FW_DIM_STATE] = STATE_INVALID;
	if (s->w->can_untrack)
		hi[FW_DIM_STATE] = STATE_UNTRACKED;
}

/* Keep a box, or not. What is to come must be of the same item or a later. */
static bool keeps(struct sieve *s, struct fw_near near)
{
	const struct fw_program *p = s->w->p;
	const struct fw_item *it = &p->items[near.item];
	const struct fw_box *b = &p->boxes.boxes[near.box];

	if (near.item >= s->st->to) {
		size_t k = s->stage;

		while (near.item >= p->stages[s->w->order[k]].to)
			k++;
		enter(s, k);
	}
	if (near.item >= s->end || !fw_box_meets(b, &s->seen))
		return false;
	if (it->op == FW_OP_RETURN && it->end > s->returns_to)
		s->returns_to = it->end;
	/* The first that surely has all of it ends the stage, unless some of
	 * it may have been led past. */
	if (it->op == FW_OP_VERDICT && near.item >= s->returns_to &&
	    near.box - it->must.at < it->must.n && fw_box_has(b, &s->seen))
		s->end = (size_t)near.item + 1;
	return true;
}

static bool pay(uint64_t *steps, size_t n)
{
	if (*steps < n) {
		*steps = 0;
		return false;
	}
	*steps -= n;
	return true;
}

static int reserve(struct walk *w, size_t n)
{
	size_t cap = w->cap ? w->cap : LIST_MIN;
	struct fw_near *list;

	if (n <= w->cap)
		return 0;
	if (n > MAX_LISTED)
		return ETIMEDOUT;
	while (cap < n)
		cap *= 2;
	list = realloc(w->list, cap * sizeof(*list));
	if (!list)
		return ENOMEM;
	w->list = list;
	w->cap = cap;
	return 0;
}

static int add_span(struct walk *w, struct sieve *s, size_t *n, size_t item,
                    struct fw_span span)
{
	int err = reserve(w, *n + span.n);

	if (err)
		return err;
	if (!pay(w->steps, span.n / BOXES_PER_STEP))
		return ETIMEDOUT;
	for (size_t k = 0; k < span.n; k++) {
		const struct fw_near near = {(uint32_t)item,
		                             (uint32_t)(span.at + k)};

		if (keeps(s, near))
			w->list[(*n)++] = near;
	}
	return 0;
}

static bool is_met(const struct fw_hull *h, const struct fw_box *b)
{
	return h->dst_lo <= b->hi[FW_DIM_DST] &&
	       h->dst_hi >= b->lo[FW_DIM_DST] &&
	       h->src_lo <= b->hi[FW_DIM_SRC] && h->src_hi >= b->lo[FW_DIM_SRC];
}

static int collect_stage(struct walk *w, struct sieve *s, size_t *n)
{
	const struct fw_program *p = w->p;
	const size_t at = w->sp->surely_at;
	size_t i = s->st->from, from;
	int err = 0;

	if (at > i && at < s->st->to && !s->st->can_untrack)
		i = at;
	from = i;
	for (; i < s->end && !err; i++) {
		const struct fw_item *it = &p->items[i];

		if (!is_met(&p->hulls[i], s->part))
			continue;
		err = add_span(w, s, n, i, it->may);
		if (!err && it->must.at != it->may.at)
			err = add_span(w, s, n, i, it->must);
	}
	if (!err && !pay(w->steps, (i - from) / HULLS_PER_STEP))
		err = ETIMEDOUT;
	return err;
}

static int collect(struct walk *w, const struct fw_box *region, size_t *n)
{
	struct sieve s = {.w = w, .part = region};
	int err = 0;

	*n = 0;
	for (size_t k = 0; k < w->p->n_stages && !err; k++) {
		enter(&s, k);
		if (fw_path_has(w->path, s.st->chain->hook))
			err = collect_stage(w, &s, n);
	}
	return err;
}

size_t fw_near_first(const struct fw_near *near, size_t n, size_t item)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		const size_t mid = lo + (hi - lo) / 2;

		if (near[mid].item < item)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Where to halve: as a few of the boxes tell, or else a few others. */
static bool choose_cut(const struct walk *w, const struct fw_box *part,
                       size_t from, size_t n, unsigned *dim, uint32_t *at)
{
	const unsigned kept = 1U << FW_DIM_OUT | 1U << FW_DIM_STATE;
	const size_t step = (n + FW_CUT_SAMPLE - 1) / FW_CUT_SAMPLE;
	const struct fw_box *sample[FW_CUT_SAMPLE];

	for (size_t off = 0; off < step; off++) {
		size_t taken = 0;

		for (size_t i = off; i < n && taken < FW_CUT_SAMPLE; i += step)
			sample[taken++] =
				&w->p->boxes.boxes[w->list[from + i].box];
		if (fw_box_choose_cut(dim, at, part, sample, taken, kept))
			return true;
	}
	return false;
}

/* What meets @p part of the list [from, from + n) goes to @p to, at most
 * @p from + n. */
static int sift(struct walk *w, const struct fw_box *part, size_t from,
                size_t n, size_t to, size_t *kept)
{
	struct sieve s = {.w = w, .part = part};

	*kept = 0;
	if (!pay(w->steps, n / BOXES_PER_STEP))
		return ETIMEDOUT;
	if (w->p->n_stages)
		enter(&s, 0);
	for (size_t i = 0; i < n; i++) {
		const struct fw_near near = w->list[from + i];

		if (keeps(&s, near))
			w->list[to + (*kept)++] = near;
	}
	return 0;
}

static int halve(struct walk *w, const struct fw_box *part, size_t from,
                 size_t n, unsigned depth)
{
	struct fw_box half[2] = {*part, *part};
	unsigned dim;
	uint32_t at;
	size_t kept;
	int err;

	if (n > w->sp->few && w->ops->is_done(w->arg, part, &w->list[from], n))
		return 0;
	if (n <= w->sp->few || depth == MAX_DEPTH ||
	    !choose_cut(w, part, from, n, &dim, &at))
		return w->ops->judge(w->arg, part, &w->list[from], n);
	half[0].hi[dim] = at - 1;
	half[1].lo[dim] = at;
	err = reserve(w, from + n + n);
	if (!err)
		err = sift(w, &half[0], from, n, from + n, &kept);
	if (!err)
		err = halve(w, &half[0], from + n, kept, depth + 1);
	if (!err)
		err = sift(w, &half[1], from, n, from, &kept);
	if (!err)
		err = halve(w, &half[1], from, kept, depth + 1);
	return err;
}

/* Stages stand by hook and priority; their items as they were made. */
static int put_in_order(struct walk *w)
{
	const struct fw_program *p = w->p;

	w->order = malloc((p->n_stages + 1) * sizeof(*w->order));
	if (!w->order)
		return ENOMEM;
	for (size_t i = 0; i < p->n_stages; i++) {
		size_t k = i;

		for (; k > 0 &&
		       p->stages[w->order[k - 1]].from > p->stages[i].from;
		     k--)
			w->order[k] = w->order[k - 1];
		w->order[k] = i;
		w->can_untrack |= p->stages[i].can_untrack;
	}
	return 0;
}

int fw_near_walk(const struct fw_space *sp, enum fw_path path,
                 const struct fw_box *region, uint64_t *steps,
                 const struct fw_near_ops *ops, void *arg)
{
	struct walk w = {.sp = sp,
	                 .p = &sp->program,
	                 .path = path,
	                 .steps = steps,
	                 .ops = ops,
	                 .arg = arg};
	size_t n;
	int err = put_in_order(&w);

	if (!err)
		err = reserve(&w, LIST_MIN);
	if (!err)
		err = collect(&w, region, &n);
	if (!err)
		err = halve(&w, region, 0, n, 0);
	free(w.order);
	free(w.list);
	return err;
}

/* Does the item accept, if it matches, and do nothing else? */
static bool only_accepts(const struct fw_item *it)
{
	const struct fw_rule *r = it->rule;
	const struct fw_attrs *a = r ? &r->attrs : NULL;

	if (it->must.at != it->may.at || it->must.n != it->may.n ||
	    (it->op == FW_OP_VERDICT && it->action != FW_ACCEPT))
		return false;
	return !r || (a->alg == FW_UNSET && a->udp_idle_s == FW_IDLE_UNSET &&
	              a->tcp_idle_s == FW_IDLE_UNSET &&
	              a->offload == FW_UNSET && a->dscp == FW_DSCP_UNSET &&
	              r->nat.kind == FW_NAT_NONE && !r->is_notrack);
}

bool fw_near_only_accept(const struct fw_program *p, const struct fw_near *near,
                         size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!only_accepts(&p->items[near[i].item]))
			return false;
	}
	return true;
}
