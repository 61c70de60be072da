/* SPDX-License-Identifier: ISC */
/*
 * Design: jumps are inlined with their condition intersected into the called
 * rules, so that what follows is one ordered list and "can this rule match?"
 * is a question about the items before it. A return is an item that takes
 * its packets past the end of its chain. Inlining may grow without bound, so
 * it is bounded and refused (E2BIG) past that.
 */
#include "firewall/program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_COMPARED = 1024,
};

struct context {
	struct fw_set must, may;
	bool is_full; /**< both are everything */
};

struct maker {
	struct fw_program *p;
	const struct fw_rules *rules;
	const struct fw_atlas *at;
};

struct fw_box fw_box_full(const struct fw_atlas *at)
{
	const struct fw_ival ips = fw_atlas_family(at, FW_IP4 | FW_IP6);
	const struct fw_ival zones = fw_atlas_all_zones(at);
	struct fw_box b = {0};

	b.hi[FW_DIM_SRC] = b.hi[FW_DIM_DST] = ips.hi;
	b.hi[FW_DIM_IN] = b.hi[FW_DIM_OUT] = zones.hi;
	b.hi[FW_DIM_PROTO] = UINT8_MAX;
	b.hi[FW_DIM_SPORT] = b.hi[FW_DIM_DPORT] = FW_PORT_MAX;
	b.hi[FW_DIM_STATE] = 4;
	return b;
}

bool fw_path_has(enum fw_path path, enum fw_hook hook)
{
	if (path == FW_PATH_INPUT)
		return hook == FW_HOOK_PREROUTING || hook == FW_HOOK_INPUT;
	if (path == FW_PATH_OUTPUT)
		return hook == FW_HOOK_OUTPUT || hook == FW_HOOK_POSTROUTING;
	return hook == FW_HOOK_PREROUTING || hook == FW_HOOK_FORWARD ||
	       hook == FW_HOOK_POSTROUTING;
}

static void set_dim(struct fw_box *b, enum fw_dim d, uint32_t lo, uint32_t hi)
{
	b->lo[d] = lo;
	b->hi[d] = hi;
}

static int add_services(struct fw_set *out, struct fw_box b,
                        const struct fw_services *services)
{
	const struct fw_service *s = services->first;

	if (!s)
		return fw_set_add(out, &b);
	for (; s; s = s->next) {
		int err;

		if (s->proto == FW_PROTO_ANY)
			set_dim(&b, FW_DIM_PROTO, 0, UINT8_MAX);
		else
			set_dim(&b, FW_DIM_PROTO, (uint32_t)s->proto,
			        (uint32_t)s->proto);
		set_dim(&b, FW_DIM_SPORT, s->sport_lo, s->sport_hi);
		set_dim(&b, FW_DIM_DPORT, s->dport_lo, s->dport_hi);
		if (s->sport_lo > s->sport_hi || s->dport_lo > s->dport_hi)
			continue;
		err = fw_set_add(out, &b);
		if (err)
			return err;
	}
	return 0;
}

int fw_product_add(struct fw_set *out, const struct fw_atlas *at,
                   const struct fw_box *base, const struct fw_ivals *src,
                   const struct fw_ivals *dst,
                   const struct fw_services *services)
{
	static const unsigned families[] = {FW_IP4, FW_IP6};
	int err = src->no_memory || dst->no_memory ? ENOMEM : 0;

	for (size_t f = 0; f < ARRAY_LEN(families) && !err; f++) {
		const struct fw_ival fam = fw_atlas_family(at, families[f]);

		for (size_t i = 0; i < src->n * dst->n && !err; i++) {
			const struct fw_ival s = src->v[i / dst->n];
			const struct fw_ival d = dst->v[i % dst->n];
			struct fw_box b = *base, lim = *base;

			set_dim(&lim, FW_DIM_SRC, fam.lo, fam.hi);
			set_dim(&lim, FW_DIM_DST, fam.lo, fam.hi);
			set_dim(&b, FW_DIM_SRC, s.lo, s.hi);
			set_dim(&b, FW_DIM_DST, d.lo, d.hi);
			if (fw_box_common(&b, &b, &lim))
				err = add_services(out, b, services);
		}
	}
	return err;
}

/* Runs of set bits of the state mask, as intervals. */
static void state_ivals(struct fw_ivals *out, unsigned states)
{
	for (uint32_t i = 0; i < 5; i++) {
		if (states & 1U << i)
			fw_ivals_add(out, i, i);
	}
	fw_ivals_normalise(out);
}

static bool needs_two(const struct fw_rule *r)
{
	bool is_vague = r->schedule || r->conditional;

	for (const struct fw_addr *a = r->src.first; a; a = a->next)
		is_vague |= a->kind != FW_ADDR_RANGE;
	for (const struct fw_addr *a = r->dst.first; a; a = a->next)
		is_vague |= a->kind != FW_ADDR_RANGE;
	for (const struct fw_zone *z = r->in.first; z; z = z->next)
		is_vague |= z->is_unknown;
	for (const struct fw_zone *z = r->out.first; z; z = z->next)
		is_vague |= z->is_unknown;
	return is_vague;
}

/* A bare range is vague too when a name may lie in it. */
static bool is_exact(const struct fw_atlas *at, const struct fw_rule *r)
{
	return !needs_two(r) &&
	       (at->n_names == 0 || (!r->src.first && !r->dst.first));
}

struct parts {
	struct fw_ivals in, out, src, dst, states;
};

static void parts_fini(struct parts *p)
{
	fw_ivals_fini(&p->in);
	fw_ivals_fini(&p->out);
	fw_ivals_fini(&p->src);
	fw_ivals_fini(&p->dst);
	fw_ivals_fini(&p->states);
}

/* The boxes that a rule surely (or at most) matches. */
static int rule_boxes(struct fw_set *out, const struct fw_atlas *at,
                      const struct fw_rule *r, bool is_upper)
{
	const unsigned families = r->families & r->chain->families;
	const struct fw_ival fam = fw_atlas_family(at, families);
	struct parts p = {0};
	int err = 0;

	if (families == 0 || (!is_upper && (r->schedule || r->conditional)))
		return 0;
	fw_atlas_zones(&p.in, at, &r->in, is_upper);
	fw_atlas_zones(&p.out, at, &r->out, is_upper);
	fw_atlas_addrs(&p.src, at, &r->src, is_upper);
	fw_atlas_addrs(&p.dst, at, &r->dst, is_upper);
	fw_ivals_clip(&p.src, fam);
	fw_ivals_clip(&p.dst, fam);
	state_ivals(&p.states, r->states);
	if (p.in.no_memory || p.out.no_memory || p.states.no_memory)
		err = ENOMEM;
	for (size_t i = 0; i < p.in.n * p.out.n && !err; i++) {
		const struct fw_ival zi = p.in.v[i / p.out.n];
		const struct fw_ival zo = p.out.v[i % p.out.n];

		for (size_t s = 0; s < p.states.n && !err; s++) {
			struct fw_box b = fw_box_full(at);

			set_dim(&b, FW_DIM_IN, zi.lo, zi.hi);
			set_dim(&b, FW_DIM_OUT, zo.lo, zo.hi);
			set_dim(&b, FW_DIM_STATE, p.states.v[s].lo,
			        p.states.v[s].hi);
			err = fw_product_add(out, at, &b, &p.src, &p.dst,
			                     &r->services);
		}
	}
	parts_fini(&p);
	return err;
}

static void context_fini(struct context *c)
{
	fw_set_fini(&c->must);
	fw_set_fini(&c->may);
}

/* Of a rule within a context; is_full tells nothing here. */
static int meet(struct context *out, const struct maker *m,
                const struct fw_rule *r, const struct context *ctx, bool *exact)
{
	struct fw_set own;
	int err;

	*exact = is_exact(m->at, r);
	fw_set_init(&own);
	err = rule_boxes(&own, m->at, r, true);
	if (!err && ctx->is_full) {
		out->may = own;
		fw_set_init(&own);
	} else if (!err) {
		err = fw_set_intersect(&out->may, &own, &ctx->may);
	}
	if (!err && !(*exact && ctx->is_full)) {
		*exact = false;
		fw_set_fini(&own);
		err = rule_boxes(&own, m->at, r, false);
		if (!err && ctx->is_full) {
			out->must = own;
			fw_set_init(&own);
		} else if (!err) {
			err = fw_set_intersect(&out->must, &own, &ctx->must);
		}
	}
	fw_set_fini(&own);
	return err;
}

static int store(struct fw_span *span, struct fw_program *p,
                 const struct fw_set *s)
{
	span->at = p->boxes.n;
	span->n = s->n;
	for (size_t i = 0; i < s->n; i++) {
		int err = fw_set_add(&p->boxes, &s->boxes[i]);

		if (err)
			return err;
	}
	return 0;
}

/* Bring the boxes of must to the front of may. @return false: not all of them
 * are there, or there are many. */
static bool lead_with(struct fw_set *may, const struct fw_set *must)
{
	size_t n = 0;

	if (must->n > may->n || must->n * may->n > MAX_COMPARED)
		return false;
	for (; n < must->n; n++) {
		size_t k = n;
		struct fw_box swap;

		while (k < may->n && memcmp(&may->boxes[k], &must->boxes[n],
		                            sizeof(swap)) != 0)
			k++;
		if (k == may->n)
			return false;
		swap = may->boxes[n];
		may->boxes[n] = may->boxes[k];
		may->boxes[k] = swap;
	}
	return true;
}

static int add_item(struct maker *m, struct fw_item it, struct context *sets,
                    bool exact)
{
	struct fw_program *p = m->p;
	const bool is_led = !exact && lead_with(&sets->may, &sets->must);
	int err = store(&it.may, p, &sets->may);

	it.must = it.may;
	if (is_led)
		it.must.n = sets->must.n;
	else if (!err && !exact)
		err = store(&it.must, p, &sets->must);
	if (err)
		return err;
	if (p->n_items == FW_MAX_ITEMS)
		return E2BIG;
	if (p->n_items == p->cap_items) {
		const size_t cap = p->cap_items ? p->cap_items * 2 : 64;
		struct fw_item *items = realloc(p->items, cap * sizeof(*items));

		if (!items)
			return ENOMEM;
		p->items = items;
		p->cap_items = cap;
	}
	p->items[p->n_items++] = it;
	return 0;
}

static int inline_chain(struct maker *m, const struct fw_chain *c,
                        const struct context *ctx, unsigned depth);

static int inline_call(struct maker *m, const struct fw_rule *r,
                       struct context *sets, bool exact, unsigned depth)
{
	/* What has no table hands over to those that have. */
	const char *table = r->chain->table[0] ? r->chain->table : NULL;
	const struct fw_chain *to = fw_chain_find(m->rules, table, r->target);
	struct context inner = {.may = sets->may, .must = sets->must};
	struct fw_item it = {.rule = r, .chain = r->chain};
	int err;

	if (exact)
		inner.must = inner.may;
	it.op = FW_OP_NOTE;
	err = add_item(m, it, sets, exact);
	if (err || !to || inner.may.n == 0)
		return err;
	if (depth == FW_MAX_DEPTH)
		return E2BIG;
	err = inline_chain(m, to, &inner, depth + 1);
	if (!err && r->action == FW_GOTO) {
		it.op = FW_OP_RETURN;
		it.end = SIZE_MAX;
		err = add_item(m, it, sets, exact);
	}
	return err;
}

static int inline_rule(struct maker *m, const struct fw_rule *r,
                       const struct context *ctx, unsigned depth)
{
	struct fw_item it = {.op = FW_OP_NOTE,
	                     .rule = r,
	                     .chain = r->chain,
	                     .action = r->action};
	struct context sets = {0};
	bool exact;
	int err = meet(&sets, m, r, ctx, &exact);

	if (!err && (r->action == FW_JUMP || r->action == FW_GOTO)) {
		err = inline_call(m, r, &sets, exact, depth);
	} else if (!err) {
		if (r->action == FW_RETURN) {
			it.op = FW_OP_RETURN;
			it.end = SIZE_MAX;
		} else if (r->action != FW_CONTINUE) {
			it.op = FW_OP_VERDICT;
		}
		err = add_item(m, it, &sets, exact);
	}
	context_fini(&sets);
	return err;
}

static int inline_chain(struct maker *m, const struct fw_chain *c,
                        const struct context *ctx, unsigned depth)
{
	const size_t from = m->p->n_items;
	int err = 0;

	for (const struct fw_rule *r = c->first; r && !err; r = r->next) {
		if (!r->is_disabled)
			err = inline_rule(m, r, ctx, depth);
	}
	for (size_t i = from; i < m->p->n_items; i++) {
		if (m->p->items[i].op == FW_OP_RETURN &&
		    m->p->items[i].end == SIZE_MAX)
			m->p->items[i].end = m->p->n_items;
	}
	return err;
}

static int add_policy(struct maker *m, const struct fw_chain *c)
{
	struct fw_item it = {
		.op = FW_OP_VERDICT, .chain = c, .action = c->policy};
	struct fw_chain own = *c;
	const struct fw_rule r = {
		.chain = &own, .families = c->families, .states = FW_STATE_ALL};
	struct context sets = {0};
	int err;

	err = rule_boxes(&sets.may, m->at, &r, true);
	if (!err)
		err = add_item(m, it, &sets, true);
	context_fini(&sets);
	return err;
}

static void note_stage(struct fw_stage *st, const struct fw_program *p)
{
	for (size_t i = st->from; i < st->to; i++) {
		const struct fw_item *it = &p->items[i];
		const struct fw_rule *r = it->rule;
		const struct fw_service *s = r ? r->services.first : NULL;

		st->can_fail |=
			it->op == FW_OP_VERDICT && it->action != FW_ACCEPT;
		st->has_orders |= r && (r->attrs.alg != FW_UNSET ||
		                        r->attrs.udp_idle_s != FW_IDLE_UNSET ||
		                        r->attrs.tcp_idle_s != FW_IDLE_UNSET);
		st->can_untrack |= r && r->is_notrack;
		st->reads_src |= r && (r->src.first || r->src.is_negated);
		st->reads_dst |= r && (r->dst.first || r->dst.is_negated);
		for (; s; s = s->next) {
			st->reads_src |=
				s->sport_lo > 0 || s->sport_hi < FW_PORT_MAX;
			st->reads_dst |=
				s->dport_lo > 0 || s->dport_hi < FW_PORT_MAX;
		}
	}
}

static int add_stage(struct maker *m, const struct fw_chain *c)
{
	struct fw_program *p = m->p;
	struct fw_stage st = {.chain = c, .from = p->n_items};
	const struct context full = {.is_full = true};
	int err;

	if (p->n_stages == p->cap_stages) {
		const size_t cap = p->cap_stages ? p->cap_stages * 2 : 16;
		struct fw_stage *v = realloc(p->stages, cap * sizeof(*v));

		if (!v)
			return ENOMEM;
		p->stages = v;
		p->cap_stages = cap;
	}
	err = inline_chain(m, c, &full, 0);
	if (!err)
		err = add_policy(m, c);
	st.to = p->n_items;
	note_stage(&st, p);
	p->stages[p->n_stages++] = st;
	return err;
}

/* NAT is done at places of its own; chains of that kind have their priority
 * among themselves. */
int fw_chain_priority(const struct fw_chain *c)
{
	enum {
		NAT_DEST = -100,
		NAT_SOURCE = 100,
	};

	if (c->kind != FW_CHAIN_NAT)
		return c->priority;
	return c->hook == FW_HOOK_POSTROUTING || c->hook == FW_HOOK_INPUT
	               ? NAT_SOURCE
	               : NAT_DEST;
}

static bool runs_before(const struct fw_chain *a, const struct fw_chain *b,
                        bool is_last_first)
{
	const int pa = fw_chain_priority(a), pb = fw_chain_priority(b);

	if (a->hook != b->hook)
		return a->hook < b->hook;
	if (pa != pb)
		return pa < pb;
	if (a->priority != b->priority)
		return a->priority < b->priority;
	return is_last_first;
}

static struct fw_hull hull_of(const struct fw_program *p, struct fw_span may)
{
	struct fw_hull h = {.dst_lo = UINT32_MAX, .src_lo = UINT32_MAX};

	for (size_t i = 0; i < may.n; i++) {
		const struct fw_box *b = &p->boxes.boxes[may.at + i];

		if (b->lo[FW_DIM_DST] < h.dst_lo)
			h.dst_lo = b->lo[FW_DIM_DST];
		if (b->hi[FW_DIM_DST] > h.dst_hi)
			h.dst_hi = b->hi[FW_DIM_DST];
		if (b->lo[FW_DIM_SRC] < h.src_lo)
			h.src_lo = b->lo[FW_DIM_SRC];
		if (b->hi[FW_DIM_SRC] > h.src_hi)
			h.src_hi = b->hi[FW_DIM_SRC];
	}
	return h;
}

static int make_hulls(struct fw_program *p)
{
	p->hulls = malloc((p->n_items + 1) * sizeof(*p->hulls));
	if (!p->hulls)
		return ENOMEM;
	for (size_t i = 0; i < p->n_items; i++)
		p->hulls[i] = hull_of(p, p->items[i].may);
	return 0;
}

int fw_program_make(struct fw_program *p, const struct fw_rules *rules,
                    const struct fw_atlas *at)
{
	struct maker m = {.p = p, .rules = rules, .at = at};
	int err = 0;

	for (const struct fw_chain *c = rules->chains; c && !err; c = c->next) {
		if (c->hook != FW_HOOK_NONE)
			err = add_stage(&m, c);
	}
	/* Stable, so that equal priorities keep their order. */
	for (size_t i = 1; i < p->n_stages && !err; i++) {
		const struct fw_stage st = p->stages[i];
		size_t k = i;

		for (; k > 0 && runs_before(st.chain, p->stages[k - 1].chain,
		                            rules->is_last_first);
		     k--)
			p->stages[k] = p->stages[k - 1];
		p->stages[k] = st;
	}
	return err ? err : make_hulls(p);
}

void fw_program_fini(struct fw_program *p)
{
	fw_set_fini(&p->boxes);
	free(p->items);
	free(p->hulls);
	free(p->stages);
	*p = (struct fw_program){0};
}
