/* SPDX-License-Identifier: ISC */
/*
 * Design: a rule is dead when the union of what came before covers each of
 * its boxes; which rules those are is found by a scan over two dimensions
 * kept as plain arrays, which the compiler turns into a few instructions per
 * pair, and the exact question goes to fw_cover_find_of() with the few that
 * meet. A list of 50 000 rules is a billion such pairs: a second or two,
 * and no index to get wrong. What is dead takes nothing more, and a box makes
 * many that lie in it superfluous, so rules that overlap a lot do not pile up.
 * What was made to be cut into ever more pieces is left open when the steps
 * run out: unknown is an answer, to hang is none.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "firewall/program.h"

enum {
	TAKES = 1 << 0,
	RETURNS = 1 << 1, /* what may be lost to a chain, or surely is */
};

enum {
	MAX_SOUGHT = 64,      /* rules among which the needed ones are sought */
	MAX_NAMED = 64,       /* rules that cover one */
	MAX_NAMING = 1 << 15, /* steps, for one box */
	MAX_NAMING_ALL = 1 << 30,
	MAX_QUESTION = 1 << 25, /* steps, for one box */
	MAX_PIECES = 1 << 12,   /* of a taker behind returns */
	MANY = 64,              /* boxes */
	ALL_CORNERS = 0xff,
	SCANNED_PER_STEP = 8, /* takers */
	NEAR_MIN = 64,
};

/* What is to become of a box when its rule is passed. */
enum part {
	PART_TAKES,
	PART_DEAD,
	PART_SWALLOWS, /* many that lie in it */
};

/* The boxes that take packets away, in order. */
struct takers {
	uint32_t *dst_lo, *dst_hi, *port_lo, *port_hi;
	uint32_t *item;
	uint8_t *role; /* TAKES, RETURNS */
	uint8_t *part; /* enum part, of the item at hand */
	struct fw_box *box;
	size_t n, cap;
	uint32_t *met; /* indexes, scratch */
	/* What the last gather() found: indexes of boxes, or of pieces. */
	uint32_t *near;
	size_t n_near;
	struct fw_box *piece;
	uint32_t *piece_of;
	size_t n_pieces, cap_pieces, cap_near;
	unsigned corners;           /* of the box, taken */
	const struct fw_box *outer; /* what the box is of */
	size_t n_inside;            /* that */
	bool has_returns;
	bool is_partial; /* they take more than near says */
};

struct walk {
	struct fw_space *sp;
	struct arena *arena;
	struct fw_reach_info *infos;
	size_t n;
	uint32_t *told; /* by item: the last rule told to be covered by it */
	uint32_t mark;
	uint64_t left, naming_left;
};

static void takers_fini(struct takers *t)
{
	free(t->dst_lo);
	free(t->dst_hi);
	free(t->port_lo);
	free(t->port_hi);
	free(t->item);
	free(t->role);
	free(t->part);
	free(t->box);
	free(t->met);
	free(t->near);
	free(t->piece);
	free(t->piece_of);
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
	t->part = malloc(n);
	t->box = malloc(n * sizeof(*t->box));
	t->met = malloc(n * sizeof(uint32_t));
	t->near = malloc(n * sizeof(uint32_t));
	t->cap_near = n;
	if (t->dst_lo && t->dst_hi && t->port_lo && t->port_hi && t->item &&
	    t->role && t->part && t->box && t->met && t->near)
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

/* Leave out those that lie in @p b. */
static void swallow(struct takers *t, const struct fw_box *b)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (fw_box_has(b, &t->box[i]))
			continue;
		if (n != i) {
			t->dst_lo[n] = t->dst_lo[i];
			t->dst_hi[n] = t->dst_hi[i];
			t->port_lo[n] = t->port_lo[i];
			t->port_hi[n] = t->port_hi[i];
			t->item[n] = t->item[i];
			t->role[n] = t->role[i];
			t->box[n] = t->box[i];
		}
		n++;
	}
	t->n = n;
}

/* The boxes of an item of which is known what its parts are. */
static void take_parts(struct takers *t, const struct fw_program *p, size_t i)
{
	const struct fw_span own = p->items[i].must;

	for (size_t k = 0; k < own.n; k++) {
		const struct fw_box *b = &p->boxes.boxes[own.at + k];

		if (t->part[k] == PART_SWALLOWS)
			swallow(t, b);
		if (t->part[k] != PART_DEAD)
			take(t, b, i, TAKES);
	}
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
	if (it->op == FW_OP_VERDICT && is_exact(it) && !t->has_returns) {
		take_parts(t, p, i);
		return;
	}
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

static int reserve(struct takers *t, size_t n_pieces)
{
	size_t cap = t->cap_pieces ? t->cap_pieces : NEAR_MIN;
	struct fw_box *piece;
	uint32_t *more;

	while (cap < n_pieces)
		cap *= 2;
	if (n_pieces > t->cap_pieces) {
		piece = realloc(t->piece, cap * sizeof(*piece));
		if (!piece)
			return ENOMEM;
		t->piece = piece;
		more = realloc(t->piece_of, cap * sizeof(*more));
		if (!more)
			return ENOMEM;
		t->piece_of = more;
		t->cap_pieces = cap;
	}
	if (n_pieces > t->cap_near) {
		more = realloc(t->near, cap * sizeof(*more));
		if (!more)
			return ENOMEM;
		t->near = more;
		t->cap_near = cap;
	}
	return 0;
}

static int add_piece(struct takers *t, const struct fw_box *b, uint32_t of)
{
	int err = reserve(t, t->n_pieces + 1);

	if (err)
		return err;
	t->piece[t->n_pieces] = *b;
	t->piece_of[t->n_pieces] = of;
	t->near[t->n_near++] = (uint32_t)t->n_pieces++;
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
		err = fw_set_subtract_within(&rest, &all, &gone, MAX_PIECES);
	if (err == E2BIG) {
		t->is_partial = true;
		err = 0;
	} else if (!err && gone.n == 0) {
		err = add_piece(t, &t->box[i], i);
	}
	for (size_t k = 0; k < rest.n && !err; k++)
		err = add_piece(t, &rest.boxes[k], i);
	fw_set_fini(&all);
	fw_set_fini(&gone);
	fw_set_fini(&rest);
	return err;
}

/* What the indexes in near are of. */
static const struct fw_box *pool(const struct takers *t)
{
	return t->has_returns ? t->piece : t->box;
}

static bool spend(struct walk *w, uint64_t n)
{
	if (w->left < n)
		return false;
	w->left -= n;
	return true;
}

/* Indexes of takers that may meet @p b, into met. */
static size_t scan(struct takers *t, const struct fw_box *b)
{
	const uint32_t dlo = b->lo[FW_DIM_DST], dhi = b->hi[FW_DIM_DST];
	const uint32_t plo = b->lo[FW_DIM_DPORT], phi = b->hi[FW_DIM_DPORT];
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		t->met[n] = (uint32_t)i;
		n += (size_t)((t->dst_lo[i] <= dhi) & (t->dst_hi[i] >= dlo) &
		              (t->port_lo[i] <= phi) & (t->port_hi[i] >= plo));
	}
	return n;
}

/* Both ends of a dimension as bits of corners: @p lo and its complement. */
static unsigned ends(const struct fw_box *by, const struct fw_box *b,
                     enum fw_dim d, unsigned lo)
{
	return (by->lo[d] <= b->lo[d] ? lo : 0) |
	       (by->hi[d] >= b->hi[d] ? ~lo : 0);
}

/* Which of eight corners of @p b has a box that meets it? The dimensions that
 * tell rules apart give one bit each, of others the lower end is taken. */
static unsigned corners_of(const struct fw_box *by, const struct fw_box *b)
{
	const unsigned has = ends(by, b, FW_DIM_DST, 0x55) &
	                     ends(by, b, FW_DIM_SRC, 0x33) &
	                     ends(by, b, FW_DIM_DPORT, 0x0f);
	const bool is_low = by->lo[FW_DIM_PROTO] <= b->lo[FW_DIM_PROTO] &&
	                    by->lo[FW_DIM_SPORT] <= b->lo[FW_DIM_SPORT] &&
	                    by->lo[FW_DIM_IN] <= b->lo[FW_DIM_IN] &&
	                    by->lo[FW_DIM_OUT] <= b->lo[FW_DIM_OUT] &&
	                    by->lo[FW_DIM_STATE] <= b->lo[FW_DIM_STATE];

	return is_low ? has & ALL_CORNERS : 0;
}

static struct fw_box corner(const struct fw_box *b, unsigned i)
{
	struct fw_box c = *b;

	for (unsigned d = 0; d < FW_DIMS; d++)
		c.hi[d] = c.lo[d];
	if (i & 1)
		c.lo[FW_DIM_DST] = c.hi[FW_DIM_DST] = b->hi[FW_DIM_DST];
	if (i & 2)
		c.lo[FW_DIM_SRC] = c.hi[FW_DIM_SRC] = b->hi[FW_DIM_SRC];
	if (i & 4)
		c.lo[FW_DIM_DPORT] = c.hi[FW_DIM_DPORT] = b->hi[FW_DIM_DPORT];
	return c;
}

/* Gather what takers have that meet @p b into near. @return 0; ENOENT: one
 * has all of it, and is the only one near; ENOMEM or ETIMEDOUT */
static int gather(struct takers *t, struct walk *w, const struct fw_box *b)
{
	size_t n;

	t->n_near = 0;
	t->corners = 0;
	t->n_inside = 0;
	t->is_partial = false;
	if (!spend(w, t->n / SCANNED_PER_STEP))
		return ETIMEDOUT;
	n = scan(t, b);
	if (!spend(w, n))
		return ETIMEDOUT;
	for (size_t k = 0; k < n; k++) {
		const uint32_t i = t->met[k];
		const struct fw_box *by = &t->box[i];

		if (!fw_box_meets(by, b))
			continue;
		if (fw_box_has(by, b)) {
			t->near[0] = i;
			t->n_near = 1;
			t->n_inside = 0;
			return ENOENT;
		}
		t->near[t->n_near++] = i;
		t->corners |= corners_of(by, b);
		t->n_inside += fw_box_has(t->outer, by);
	}
	return 0;
}

/* The same where chains return: of takers, what did not. */
static int gather_rests(struct takers *t, struct walk *w,
                        const struct fw_box *b, size_t item)
{
	const struct fw_program *p = &w->sp->program;
	size_t n;

	t->n_near = t->n_pieces = 0;
	t->corners = ALL_CORNERS;
	t->n_inside = 0;
	t->is_partial = false;
	if (!spend(w, t->n / SCANNED_PER_STEP))
		return ETIMEDOUT;
	n = scan(t, b);
	for (size_t k = 0; k < n; k++) {
		const uint32_t i = t->met[k];
		const size_t n_before = t->n_near;
		const struct fw_item *by = &p->items[t->item[i]];
		int err;

		/* A return took them only from the rest of its chain. */
		if (!(t->role[i] & TAKES) ||
		    (by->op == FW_OP_RETURN && by->end <= item))
			continue;
		if (!fw_box_meets(&t->box[i], b))
			continue;
		err = add_rest(t, p, i, n, item);
		if (err)
			return err;
		if (!spend(w, k + t->n_near - n_before))
			return ETIMEDOUT;
	}
	return 0;
}

/* Does a packet of @p b get past the takers? @return as fw_cover_find() */
static int ask(struct fw_box *found, struct takers *t, struct walk *w,
               const struct fw_box *b, size_t item)
{
	uint64_t most, left;
	unsigned i = 0;
	int err =
		t->has_returns ? gather_rests(t, w, b, item) : gather(t, w, b);

	if (err)
		return err;
	/* Of few, the packet found may as well be one that people know. */
	if (t->n_near >= MANY && t->corners != ALL_CORNERS) {
		while (t->corners & 1U << i)
			i++;
		*found = corner(b, i);
		return 0;
	}
	most = left = w->left < MAX_QUESTION ? w->left : MAX_QUESTION;
	err = fw_cover_find_of(found, b, pool(t), t->near, t->n_near, &left);
	w->left -= most - left;
	/* What is not near may take what was found. */
	return err == 0 && t->is_partial ? ETIMEDOUT : err;
}

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

static const struct fw_rule *owner(const struct walk *w, const struct takers *t,
                                   size_t i, uint32_t *item)
{
	const uint32_t id = t->near[i];

	*item = t->item[t->has_returns ? t->piece_of[id] : id];
	return w->sp->program.items[*item].rule;
}

/* Add the rules of what is near to those that cover it; many are counted. */
static int add_names(struct walk *w, const struct takers *t,
                     struct fw_reach_info *info)
{
	size_t n = info->n_by + t->n_near;
	const struct fw_rule **by;

	if (n > MAX_NAMED)
		n = MAX_NAMED;
	by = arena_alloc(w->arena, (n + 1) * sizeof(const struct fw_rule *));
	if (!by)
		return ENOMEM;
	if (info->n_by)
		memcpy(by, info->by,
		       info->n_by * sizeof(const struct fw_rule *));
	info->by = by;
	for (size_t i = 0; i < t->n_near; i++) {
		uint32_t item;
		const struct fw_rule *r = owner(w, t, i, &item);

		if (!r || w->told[item] == w->mark)
			continue;
		w->told[item] = w->mark;
		if (info->n_by < n)
			info->by[info->n_by++] = r;
		else
			info->n_more++;
	}
	return 0;
}

/* Drop each box in turn that coverage does without; keep the rules. */
static int name_takers(struct walk *w, struct takers *t, const struct fw_box *b,
                       struct fw_reach_info *info)
{
	const uint64_t most =
		w->naming_left < MAX_NAMING ? w->naming_left : MAX_NAMING;
	uint64_t left = most;

	for (size_t i = t->n_near; i-- > 0 && t->n_near <= MAX_SOUGHT;) {
		const uint32_t id = t->near[i];
		const size_t n_bytes = (t->n_near - i - 1) * sizeof(id);
		uint32_t *at = &t->near[i];
		int err;

		memmove(at, at + 1, n_bytes);
		err = fw_cover_find_of(NULL, b, pool(t), t->near, t->n_near - 1,
		                       &left);
		if (err == ENOMEM)
			return err;
		if (err == ENOENT) {
			t->n_near--;
			continue;
		}
		memmove(at + 1, at, n_bytes);
		*at = id;
	}
	w->naming_left -= most - left;
	return add_names(w, t, info);
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

		t->outer = b;
		err = ask(&found, t, w, b, item);
		if (t->n_inside >= MANY)
			t->part[i] = PART_SWALLOWS;
		else if (err == ENOENT)
			t->part[i] = PART_DEAD;
		if (err == 0) {
			info->reach = FW_REACHED;
			return fw_packet_at(&info->example, w->arena, w->sp,
			                    &found);
		}
		if (err == ENOMEM)
			return err;
		if (err == ETIMEDOUT) {
			info->reach = FW_REACH_UNKNOWN;
			continue;
		}
		if (info->reach == FW_REACH_UNKNOWN)
			continue;
		info->reach = FW_SHADOWED;
		/* other rules may take what another box of it has */
		err = name_takers(w, t, b, info);
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
		memset(t.part, PART_TAKES, it->may.n);
		if (s && w->infos[s->at].reach != FW_REACHED) {
			w->mark = (uint32_t)s->at + 1;
			err = visit(w, &t, i, &w->infos[s->at]);
		}
		take_item(&t, p, i, false);
	}
	takers_fini(&t);
	return err;
}

int fw_space_reach(struct fw_reach_info **infos, size_t *n, struct arena *a,
                   struct fw_space *sp)
{
	const size_t n_all = sp->rules->n_rules + 1;
	struct walk w = {.sp = sp,
	                 .arena = a,
	                 .left = sp->compare_left,
	                 .naming_left = MAX_NAMING_ALL};
	struct slot *slots = malloc(n_all * sizeof(*slots));
	int err = 0;

	w.infos = arena_alloc(a, n_all * sizeof(*w.infos));
	w.told = calloc(sp->program.n_items + 1, sizeof(*w.told));
	if (!slots || !w.infos || !w.told)
		err = ENOMEM;
	for (const struct fw_chain *c = sp->rules->chains; c && !err;
	     c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			if (r->is_disabled)
				continue;
			w.infos[w.n].rule = r;
			w.infos[w.n].reach = FW_UNCALLED;
			slots[w.n] = (struct slot){r, w.n};
			w.n++;
		}
	}
	if (!err)
		qsort(slots, w.n, sizeof(*slots), cmp_slot);
	for (size_t i = 0; i < sp->program.n_stages && !err; i++)
		err = walk_stage(&w, &sp->program.stages[i], slots);
	free(slots);
	free(w.told);
	sp->compare_left = w.left;
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
	bool is_open = false;

	for (size_t i = 0; i < it->must.n; i++) {
		t->outer = &p->boxes.boxes[it->must.at + i];
		for (size_t k = 0; k < here->n; k++) {
			struct fw_box b;
			int err;

			if (!fw_box_common(&b, &here->boxes[k], t->outer))
				continue;
			err = ask(found, t, w, &b, item);
			if (t->n_inside >= MANY)
				t->part[i] = PART_SWALLOWS;
			if (err == 0 || err == ENOMEM)
				return err;
			is_open |= err == ETIMEDOUT;
		}
	}
	return is_open ? ETIMEDOUT : ENOENT;
}

/* @return the new last part, or NULL */
static struct fw_part *add_part(struct fw_part ***tail, struct walk *w,
                                const struct fw_item *it, enum fw_verdict v)
{
	struct fw_part *part = arena_alloc(w->arena, sizeof(*part));

	if (!part)
		return NULL;
	part->verdict = v;
	part->rule = it->rule;
	part->chain = it->chain;
	**tail = part;
	*tail = &part->next;
	return part;
}

static int add_excess(struct fw_part ***tail, struct walk *w, size_t item,
                      const struct fw_box *b)
{
	const struct fw_item *it = &w->sp->program.items[item];
	struct fw_set one = {.n = 1};
	struct fw_judgement j;
	struct fw_box box = *b;
	struct fw_part *part;
	int err;

	one.boxes = &box;
	w->sp->surely_at = item;
	err = fw_judge_regions(&j, w->arena, w->sp, w->sp->place->path, &one,
	                       false);
	w->sp->surely_at = 0;
	/* Another chain may still drop it. */
	if (err || (j.verdict != FW_PASS && !j.is_cut))
		return err;
	part = add_part(tail, w, it, j.verdict);
	if (!part)
		return ENOMEM;
	part->example = j.parts->example;
	part->n_packets = j.parts->n_packets;
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

		memset(t.part, PART_TAKES, it->may.n);
		if (it->op == FW_OP_VERDICT && it->action == FW_ACCEPT) {
			err = excess_of(&found, w, &t, i, here);
			if (err == 0)
				err = add_excess(tail, w, i, &found);
			else if (err == ENOENT ||
			         (err == ETIMEDOUT &&
			          add_part(tail, w, it, FW_DONT_KNOW)))
				err = 0;
			else
				err = ENOMEM;
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
	struct walk w = {.sp = sp, .arena = a, .left = sp->compare_left};
	struct fw_part *first = NULL, **tail = &first;
	const uint64_t least = sp->least;
	struct fw_set here, asked;
	int err;

	fw_set_init(&here);
	fw_set_init(&asked);
	/* One judgement for each rule: they have what is left together. */
	sp->least = 0;
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
	sp->compare_left = w.left;
	sp->least = least;
	if (!err)
		*parts = first;
	return err;
}
