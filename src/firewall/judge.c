/* SPDX-License-Identifier: ISC */
/*
 * Design: a region of packets is carried through the program like one packet.
 * Where a rule takes only a piece of it, the region is cut along the rule's
 * box and each piece goes on by itself, from a work list and not by
 * recursion, since a hostile configuration can cut as often as it has rules.
 * What a rule perhaps matches leaves its verdict among the possible ones and
 * goes on; at the end one possible verdict is an answer, two are a doubt. The
 * same goes for what such a rule would do to the packets that it accepts.
 * Before all that nearby.c halves a region until few rules meet it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "firewall/nearby.h"
#include "firewall/parts.h"

enum {
	MAX_PARTS = 4096,
	LOOKS_PER_STEP = 16,
	STATE_ESTABLISHED = 1, /* bit numbers of FW_STATE_* */
	STATE_INVALID = 3,
	STATE_UNTRACKED = 4,
};

/* What rules that perhaps accept would make of the region. */
struct perhaps {
	const struct fw_rule *rule;  /* to be told; NULL: none */
	const struct fw_rule *first; /* of them */
	enum fw_tri alg;
	int64_t udp_idle_s, tcp_idle_s;
	bool is_idle_open; /* they give different ones */
};

/* What happened to a region so far. */
struct fate {
	struct fw_box box;
	uint32_t out[2]; /* the way out, when the stage does not know it */
	size_t stage, item;
	bool may_pass, may_fail; /* in this stage, by rules in doubt */
	bool is_filtered;        /* some chain was consulted */
	bool is_redirected;
	bool is_translated; /* its source, by now, perhaps */
	bool is_nat_done;   /* surely */
	bool is_blind;      /* this stage asks what translation changed */
	bool has_template, may_have_template;
	uint32_t state[2]; /* outside of stages before conntrack */
	const struct fw_rule *rule, *doubt, *nat_rule;
	const struct fw_chain *chain;
	struct fw_attrs attrs;
	const struct fw_rule *alg_rule, *idle_rule, *offload_rule;
	struct perhaps perhaps;
	bool is_dropped; /* at its end, where no rule in doubt took it */
	bool is_alg_perhaps, is_idle_perhaps; /* once settled */
};

struct run {
	struct fw_space *sp;
	enum fw_path path;
	struct fw_judgement *out;
	struct arena *arena;
	struct fate *open;
	size_t n, cap;
	const struct fw_near *near; /* what meets the region at hand */
	size_t n_near;
	struct fw_parts parts;
	enum fw_verdict unlisted; /* of parts that are not listed */
	uint64_t steps, n_steps;  /* left, of */
	bool is_first;            /* no attributes taken yet */
	bool has_udp, has_tcp;    /* nor session times of these */
	bool is_of_failed;        /* only of parts that are dropped */
	bool is_back;             /* answers to what was translated */
};

/* What is looked at in passing costs less than a step. */
static void spend(struct run *r, size_t n_looks)
{
	const uint64_t cost = n_looks / LOOKS_PER_STEP;

	r->steps -= cost < r->steps ? cost : r->steps;
}

static int push(struct run *r, const struct fate *f)
{
	if (r->n == r->cap) {
		const size_t cap = r->cap ? r->cap * 2 : 32;
		struct fate *open = realloc(r->open, cap * sizeof(*open));

		if (!open)
			return ENOMEM;
		r->open = open;
		r->cap = cap;
	}
	r->open[r->n++] = *f;
	return 0;
}

/* Pieces of f->box outside @p b go on the work list; f keeps the inside. */
static int cut(struct run *r, struct fate *f, const struct fw_box *b)
{
	int err = 0;

	for (unsigned d = 0; d < FW_DIMS && !err; d++) {
		struct fate piece = *f;

		if (f->box.lo[d] < b->lo[d]) {
			piece.box.hi[d] = b->lo[d] - 1;
			err = push(r, &piece);
			f->box.lo[d] = b->lo[d];
		}
		piece = *f;
		if (!err && f->box.hi[d] > b->hi[d]) {
			piece.box.lo[d] = b->hi[d] + 1;
			err = push(r, &piece);
			f->box.hi[d] = b->hi[d];
		}
	}
	return err;
}

/* Does the item match? Cuts the region until the answer is one for all. */
static int match(struct run *r, struct fate *f, struct fw_span span,
                 bool *is_match)
{
	size_t i = fw_near_first(r->near, r->n_near, f->item);
	const size_t from = i;

	*is_match = false;
	for (; i < r->n_near && r->near[i].item == f->item; i++) {
		const size_t at = r->near[i].box;
		const struct fw_box *b = &r->sp->program.boxes.boxes[at];

		if (at - span.at >= span.n || !fw_box_meets(b, &f->box))
			continue;
		spend(r, i - from);
		*is_match = true;
		return fw_box_has(b, &f->box) ? 0 : cut(r, f, b);
	}
	spend(r, i - from);
	return 0;
}

static void merge_alg(struct fw_judgement *out, const struct fate *f)
{
	if (f->attrs.alg == out->attrs.alg || out->attrs.alg == FW_ON)
		return;
	/* Acting on a part of the flow is acting. */
	if (f->attrs.alg == FW_ON || f->attrs.alg == FW_UNKNOWN ||
	    out->attrs.alg == FW_UNSET) {
		out->attrs.alg = f->attrs.alg;
		out->attrs.helper = f->attrs.helper;
		out->alg_rule = f->alg_rule;
		out->is_alg_perhaps = f->is_alg_perhaps;
	}
}

static bool has_proto(const struct fate *f, uint32_t proto)
{
	return f->box.lo[FW_DIM_PROTO] <= proto &&
	       proto <= f->box.hi[FW_DIM_PROTO];
}

/* A flow's time is its shortest-lived part's; each of its own protocol. */
static void merge_idle(struct run *r, const struct fate *f)
{
	const struct fw_rules *rules = r->sp->rules;
	struct fw_judgement *out = r->out;
	const struct fw_rule *by = f->idle_rule;
	int64_t udp_s = f->attrs.udp_idle_s, tcp_s = f->attrs.tcp_idle_s;
	const bool is_by_helper =
		f->attrs.alg == FW_ON && rules->helper_idle_s > 0;

	if (udp_s == FW_IDLE_UNSET)
		udp_s = rules->defaults.udp_idle_s;
	/* If it acts, its own time holds: no longer one is sure. */
	if (f->attrs.alg == FW_UNKNOWN && rules->helper_idle_s > 0 &&
	    udp_s > rules->helper_idle_s)
		udp_s = rules->helper_idle_s;
	if (is_by_helper) {
		udp_s = rules->helper_idle_s;
		by = f->alg_rule;
	}
	if (tcp_s == FW_IDLE_UNSET)
		tcp_s = rules->defaults.tcp_idle_s;
	if (has_proto(f, FW_PROTO_UDP) &&
	    (!r->has_udp || udp_s < out->attrs.udp_idle_s)) {
		out->attrs.udp_idle_s = udp_s;
		out->idle_rule = by;
		out->is_idle_by_helper = is_by_helper;
		out->is_idle_perhaps = f->is_idle_perhaps && !is_by_helper;
		r->has_udp = true;
	}
	if (has_proto(f, FW_PROTO_TCP) &&
	    (!r->has_tcp || tcp_s < out->attrs.tcp_idle_s)) {
		out->attrs.tcp_idle_s = tcp_s;
		r->has_tcp = true;
	}
}

static void merge_perhaps(struct fw_judgement *out, const struct perhaps *p)
{
	if (!p->first)
		return;
	if (!out->perhaps_rule || p->udp_idle_s < out->perhaps_udp_idle_s)
		out->perhaps_udp_idle_s = p->udp_idle_s;
	if (!out->perhaps_rule || p->first->line < out->perhaps_rule->line)
		out->perhaps_rule = p->first;
}

static void merge_attrs(struct run *r, const struct fate *fate)
{
	struct fw_judgement *out = r->out;
	struct fate with = *fate;
	const struct fate *f = &with;

	merge_perhaps(out, &f->perhaps);
	/* Silence is the box's default, in each part for itself. */
	if (with.attrs.alg == FW_UNSET)
		with.attrs.alg = r->sp->rules->defaults.alg;
	merge_idle(r, f);
	if (f->box.lo[FW_DIM_STATE] == STATE_UNTRACKED)
		out->is_stateless = true;
	else
		out->is_stateful = true;
	if (r->is_first) {
		const int64_t udp_s = out->attrs.udp_idle_s;
		const int64_t tcp_s = out->attrs.tcp_idle_s;

		out->attrs = f->attrs;
		out->attrs.udp_idle_s = udp_s;
		out->attrs.tcp_idle_s = tcp_s;
		out->alg_rule = f->alg_rule;
		out->is_alg_perhaps = f->is_alg_perhaps;
		out->offload_rule = f->offload_rule;
		out->nat_rule = f->nat_rule;
		r->is_first = false;
		return;
	}
	merge_alg(out, f);
	if (f->attrs.offload == FW_ON && out->attrs.offload != FW_ON) {
		out->attrs.offload = FW_ON;
		out->offload_rule = f->offload_rule;
	}
	if (out->attrs.dscp != f->attrs.dscp)
		out->attrs.dscp = FW_DSCP_UNSET;
	if (!out->nat_rule)
		out->nat_rule = f->nat_rule;
}

static void set_state(struct fate *f, uint32_t lo, uint32_t hi)
{
	f->box.lo[FW_DIM_STATE] = lo;
	f->box.hi[FW_DIM_STATE] = hi;
}

static void leave(const struct run *r, struct fate *f)
{
	set_state(f, f->state[0], f->state[1]);
	if (fw_is_before_routing(r->sp->program.stages[f->stage].chain)) {
		f->box.lo[FW_DIM_OUT] = f->out[0];
		f->box.hi[FW_DIM_OUT] = f->out[1];
	}
	f->stage++;
}

static bool is_consulted(const struct run *r, const struct fate *f,
                         const struct fw_chain *c)
{
	if (!fw_path_has(r->path, c->hook))
		return false;
	/* NAT sees the first packet of a connection only, and no more of its
	 * chains once one has translated. */
	return c->kind != FW_CHAIN_NAT ||
	       (f->box.lo[FW_DIM_STATE] == 0 && !f->is_nat_done);
}

/* Does the stage ask for an address or a port that is another one there? */
static bool is_blind(const struct run *r, const struct fate *f,
                     const struct fw_stage *st)
{
	enum {
		NAT_DEST = -100,
	};

	if (f->is_translated && st->reads_src)
		return true;
	return r->is_back && st->reads_dst &&
	       st->chain->hook == FW_HOOK_PREROUTING &&
	       fw_chain_priority(st->chain) <= NAT_DEST;
}

/* On to the next chain that is consulted. @return false: none is left */
static bool enter(const struct run *r, struct fate *f)
{
	const struct fw_program *p = &r->sp->program;

	while (f->stage < p->n_stages &&
	       !is_consulted(r, f, p->stages[f->stage].chain))
		f->stage++;
	if (f->stage == p->n_stages)
		return false;
	f->item = p->stages[f->stage].from;
	f->may_pass = f->may_fail = false;
	f->is_blind = is_blind(r, f, &p->stages[f->stage]);
	f->state[0] = f->box.lo[FW_DIM_STATE];
	f->state[1] = f->box.hi[FW_DIM_STATE];
	if (fw_is_before_conntrack(p->stages[f->stage].chain) &&
	    f->state[0] != STATE_UNTRACKED)
		set_state(f, STATE_INVALID, STATE_INVALID);
	if (fw_is_before_routing(p->stages[f->stage].chain)) {
		f->out[0] = f->box.lo[FW_DIM_OUT];
		f->out[1] = f->box.hi[FW_DIM_OUT];
		f->box.lo[FW_DIM_OUT] = f->box.hi[FW_DIM_OUT] = 0;
	}
	return true;
}

/* Orders to conntrack: before it only a template waits for it, and only one;
 * after it only a connection can take them, which what has no state is not. */
static bool is_heard(const struct run *r, const struct fate *f,
                     const struct fw_rule *rule)
{
	const struct fw_chain *c = r->sp->program.stages[f->stage].chain;

	if (f->state[0] == STATE_UNTRACKED)
		return false;
	if (rule->is_template)
		return !f->has_template;
	return fw_is_before_conntrack(c) == rule->is_notrack;
}

static void take_alg(struct fate *f, const struct fw_rule *rule, bool is_sure)
{
	if (rule->attrs.alg == FW_UNSET || f->attrs.alg != FW_UNSET)
		return;
	f->attrs.alg = is_sure ? rule->attrs.alg : FW_UNKNOWN;
	f->attrs.helper = rule->attrs.helper;
	f->alg_rule = rule;
}

/* Each protocol has a time of its own. @return whether it is this rule's */
static bool take_idle(int64_t *idle_s, int64_t said_s, bool is_sure)
{
	if (said_s == FW_IDLE_UNSET)
		return false;
	/* Not sure: it may set it or not. */
	*idle_s = is_sure ? said_s : FW_IDLE_UNKNOWN;
	return true;
}

static void take_alg_and_idle(struct fate *f, const struct fw_rule *rule,
                              bool is_sure)
{
	take_alg(f, rule, is_sure);
	if (take_idle(&f->attrs.udp_idle_s, rule->attrs.udp_idle_s, is_sure))
		f->idle_rule = rule;
	(void)take_idle(&f->attrs.tcp_idle_s, rule->attrs.tcp_idle_s, is_sure);
}

static struct perhaps outcome_of(const struct run *r, const struct fate *f)
{
	const struct fw_attrs *d = &r->sp->rules->defaults;
	struct perhaps p = {.alg = f->attrs.alg,
	                    .udp_idle_s = f->attrs.udp_idle_s,
	                    .tcp_idle_s = f->attrs.tcp_idle_s};

	if (p.alg == FW_UNSET)
		p.alg = d->alg;
	if (p.udp_idle_s == FW_IDLE_UNSET)
		p.udp_idle_s = d->udp_idle_s;
	if (p.tcp_idle_s == FW_IDLE_UNSET)
		p.tcp_idle_s = d->tcp_idle_s;
	return p;
}

/* The packets may be accepted here: then this is what they get. */
static void take_perhaps(const struct run *r, struct fate *f,
                         const struct fw_rule *rule)
{
	struct perhaps *p = &f->perhaps, here;
	struct fate with = *f;

	if (is_heard(r, f, rule))
		take_alg_and_idle(&with, rule, true);
	here = outcome_of(r, &with);
	here.rule = rule;
	here.first = p->first ? p->first : rule;
	if (p->rule && p->alg != here.alg)
		here.alg = FW_UNKNOWN;
	here.is_idle_open = p->is_idle_open ||
	                    (p->rule && p->udp_idle_s != here.udp_idle_s);
	/* Of several, the one that forgets soonest is to be told. */
	if (p->rule && p->udp_idle_s < here.udp_idle_s) {
		here.udp_idle_s = p->udp_idle_s;
		here.rule = p->rule;
	}
	if (p->rule && p->tcp_idle_s < here.tcp_idle_s)
		here.tcp_idle_s = p->tcp_idle_s;
	*p = here;
}

/* Where the end differs from what might have been, it is not known. */
static void settle(const struct run *r, struct fate *f)
{
	const struct perhaps end = outcome_of(r, f), *p = &f->perhaps;

	if (!p->rule)
		return;
	if (f->is_dropped) {
		/* What passes at all passes there. */
		f->attrs.alg = p->alg;
		f->attrs.udp_idle_s =
			p->is_idle_open ? FW_IDLE_UNKNOWN : p->udp_idle_s;
		f->attrs.tcp_idle_s = p->tcp_idle_s;
		f->alg_rule = f->idle_rule = p->rule;
		f->is_idle_perhaps = p->is_idle_open;
		return;
	}
	if (p->alg != end.alg) {
		f->attrs.alg = FW_UNKNOWN;
		f->alg_rule = p->rule;
		f->is_alg_perhaps = true;
	}
	if (p->udp_idle_s < end.udp_idle_s) {
		f->attrs.udp_idle_s = FW_IDLE_UNKNOWN;
		f->idle_rule = p->rule;
		f->is_idle_perhaps = true;
	}
	if (p->tcp_idle_s < end.tcp_idle_s)
		f->attrs.tcp_idle_s = FW_IDLE_UNKNOWN;
}

static void take_orders(const struct run *r, struct fate *f,
                        const struct fw_rule *rule, bool is_sure)
{
	if (!is_heard(r, f, rule))
		return;
	if (rule->is_template && f->may_have_template)
		is_sure = false;
	take_alg_and_idle(f, rule, is_sure);
	f->has_template |= rule->is_template && is_sure;
	f->may_have_template |= rule->is_template;
	if (rule->is_notrack && is_sure) {
		f->state[0] = f->state[1] = STATE_UNTRACKED;
		set_state(f, STATE_UNTRACKED, STATE_UNTRACKED);
	}
}

static void take_attrs(const struct run *r, struct fate *f,
                       const struct fw_rule *rule, bool is_sure, bool is_end)
{
	if (f->is_blind)
		is_sure = false;
	if (is_end && !is_sure)
		take_perhaps(r, f, rule);
	else
		take_orders(r, f, rule, is_sure);
	if (rule->attrs.offload != FW_UNSET) {
		f->attrs.offload = is_sure ? rule->attrs.offload : FW_UNKNOWN;
		f->offload_rule = rule;
	}
	if (rule->attrs.dscp != FW_DSCP_UNSET && is_sure)
		f->attrs.dscp = rule->attrs.dscp;
	if (rule->nat.kind == FW_NAT_NONE)
		return;
	f->nat_rule = rule;
	f->is_nat_done |= is_sure;
	if (rule->nat.kind == FW_NAT_SOURCE)
		f->is_translated = true;
	else
		f->is_redirected = true;
}

/* Nobody acts on what passes; the rest is listed as long as all the flows
 * together have room, and one of each kind in any case. */
static bool has_room(struct run *r, enum fw_verdict v)
{
	if (r->parts.n < MAX_PARTS || !r->parts.has[v])
		return true;
	if (v == FW_PASS || r->sp->parts_left == 0)
		return false;
	r->sp->parts_left--;
	return true;
}

/* What was noted of parts that are dropped. */
static void forget(struct run *r)
{
	struct fw_judgement *out = r->out;

	r->is_first = true;
	r->has_udp = r->has_tcp = false;
	out->attrs = fw_attrs_unset();
	out->idle_rule = out->perhaps_rule = NULL;
	out->is_idle_by_helper = out->is_idle_perhaps = false;
	out->is_stateful = out->is_stateless = false;
}

static int finish(struct run *r, const struct fate *f, enum fw_verdict v)
{
	const struct fw_part like = {.verdict = v,
	                             .rule = f->rule,
	                             .chain = f->chain,
	                             .doubt = f->doubt,
	                             .n_packets =
	                                     fw_packets_in(r->sp, &f->box)};
	struct fw_part *p = fw_parts_find(&r->parts, &like);

	/* What a dropped part would get counts while nothing passes. */
	if (v != FW_FAIL && r->is_of_failed)
		forget(r);
	if (v != FW_FAIL || r->is_first || r->is_of_failed) {
		struct fate end = *f;

		r->is_of_failed = v == FW_FAIL;
		settle(r, &end);
		merge_attrs(r, &end);
	}
	if (p) {
		p->n_packets += like.n_packets;
		return 0;
	}
	if (has_room(r, v))
		return fw_parts_add(&r->parts, r->out, r->arena, r->sp, &like,
		                    &f->box);
	r->out->has_more = true;
	r->unlisted = fw_verdict_worse(r->unlisted, v);
	return 0;
}

/* May the packet have no state because of this rule, or have one? An answer
 * that loses it is not translated back, and stays at the box. */
static bool is_state_lost(const struct run *r, const struct fate *f,
                          const struct fw_rule *rule, bool is_sure)
{
	const bool is_cut_off = r->is_back && f->state[0] == STATE_ESTABLISHED;

	return rule && rule->is_notrack && is_heard(r, f, rule) &&
	       (!is_sure || f->is_blind || f->may_have_template || is_cut_off);
}

/* The rule to show: of the chain that filters, rather than of its helpers. */
static void name_rule(struct fate *f, const struct fw_item *it,
                      const struct fw_chain *base)
{
	const bool is_main =
		base->kind == FW_CHAIN_FILTER &&
		(base->hook == FW_HOOK_FORWARD || base->hook == FW_HOOK_OUTPUT);

	f->is_filtered = true;
	if (!f->chain || (is_main && (it->rule || !f->rule))) {
		f->rule = it->rule;
		f->chain = it->chain;
	}
}

/* A sure verdict of one stage. @return true when the region's way ends */
static bool conclude(const struct run *r, struct fate *f,
                     const struct fw_item *it, enum fw_verdict *v)
{
	const struct fw_stage *st = &r->sp->program.stages[f->stage];
	const bool is_elsewhere =
		f->is_redirected || (f->is_blind && st->can_fail);

	if (it->action == FW_ACCEPT)
		f->may_pass = true;
	else
		f->may_fail = f->is_dropped = true;
	if (is_elsewhere || (f->may_pass && f->may_fail)) {
		f->rule = it->rule;
		f->chain = it->chain;
		if (is_elsewhere)
			f->doubt = f->nat_rule;
		*v = FW_DONT_KNOW;
		return true;
	}
	f->doubt = NULL;
	if (f->may_fail) {
		f->rule = it->rule;
		f->chain = it->chain;
		*v = FW_FAIL;
		return true;
	}
	name_rule(f, it, st->chain);
	leave(r, f);
	return false;
}

/* In doubt: note what it might do. @return true: nothing more can be said */
static bool suspect(const struct run *r, struct fate *f,
                    const struct fw_item *it)
{
	const bool is_lost = is_state_lost(r, f, it->rule, false);

	if (is_lost || (!f->doubt && it->op != FW_OP_NOTE))
		f->doubt = it->rule;
	if (it->rule)
		take_attrs(r, f, it->rule, false,
		           it->op == FW_OP_VERDICT && it->action == FW_ACCEPT);
	if (it->op == FW_OP_VERDICT && it->action == FW_ACCEPT)
		f->may_pass = true;
	else if (it->op == FW_OP_VERDICT)
		f->may_fail = true;
	f->item++;
	return is_lost || it->op == FW_OP_RETURN;
}

/* Nobody knows how a region went on, so nor what it was given there. */
static void lose_sight(struct run *r, struct fate *f)
{
	const struct fw_program *p = &r->sp->program;
	size_t from = f->item;

	for (size_t s = f->stage; s < p->n_stages; s++) {
		const struct fw_stage *st = &p->stages[s];

		f->stage = s;
		if (!st->has_orders || !fw_path_has(r->path, st->chain->hook))
			from = st->to;
		for (size_t i = from; i < st->to; i++) {
			if (p->items[i].rule)
				take_orders(r, f, p->items[i].rule, false);
		}
		spend(r, st->to - from);
		from = s + 1 < p->n_stages ? p->stages[s + 1].from : 0;
	}
}

/* Past the items that no part of the region meets. */
static void pass_over(const struct run *r, struct fate *f, size_t to)
{
	const size_t i = fw_near_first(r->near, r->n_near, f->item);

	f->item = i < r->n_near && r->near[i].item < to ? r->near[i].item : to;
}

/* @return 0 with *is_done, when the region met its end */
static int step(struct run *r, struct fate *f, bool *is_done)
{
	const struct fw_program *p = &r->sp->program;
	const struct fw_stage *st = &p->stages[f->stage];
	const struct fw_item *it;
	enum fw_verdict v = FW_DONT_KNOW;
	bool is_match;
	int err;

	pass_over(r, f, st->to);
	it = &p->items[f->item];
	if (f->item == st->to) {
		/* Of a family that this chain does not see. */
		leave(r, f);
	} else {
		err = match(r, f, it->must, &is_match);
		if (err)
			return err;
		if (!is_match) {
			bool is_doubt = false;

			if (it->may.at != it->must.at ||
			    it->may.n != it->must.n)
				err = match(r, f, it->may, &is_doubt);
			if (err)
				return err;
			if (!is_doubt)
				f->item++;
			else if (suspect(r, f, it))
				goto end;
			return 0;
		}
		if (is_state_lost(r, f, it->rule, true)) {
			f->doubt = it->rule;
			goto end;
		}
		if (it->rule)
			take_attrs(r, f, it->rule, true,
			           it->op == FW_OP_VERDICT);
		if (it->op == FW_OP_RETURN)
			f->item = it->end;
		else
			f->item++;
		if (it->op != FW_OP_VERDICT)
			return 0;
		if (conclude(r, f, it, &v))
			goto end;
	}
	if (enter(r, f))
		return 0;
	v = FW_PASS;
end:
	*is_done = true;
	if (v == FW_DONT_KNOW)
		lose_sight(r, f);
	return finish(r, f, v);
}

/* Too many steps. Of what is still open, any order may have been heard. */
static int give_up(struct run *r, const struct fw_box *b)
{
	struct fate f = {.box = *b, .attrs = fw_attrs_unset()};

	r->out->is_cut = true;
	r->n = 0;
	lose_sight(r, &f);
	return finish(r, &f, FW_DONT_KNOW);
}

/* A part of a region, with all that meets it. */
static int judge_part(void *arg, const struct fw_box *b,
                      const struct fw_near *near, size_t n)
{
	struct run *r = arg;
	struct fate f = {.box = *b, .attrs = fw_attrs_unset()};
	int err;

	r->near = near;
	r->n_near = n;
	if (!enter(r, &f))
		return finish(r, &f, FW_PASS);
	err = push(r, &f);
	while (r->n && !err) {
		bool is_done = false;

		f = r->open[--r->n];
		while (!is_done && !err) {
			if (r->steps == 0)
				return ETIMEDOUT;
			r->steps--;
			err = step(r, &f, &is_done);
		}
	}
	return err;
}

/* Where a great many parts are known, one that passes whichever rule takes
 * which packet of it is not cut any more. */
static bool passes_anyhow(void *arg, const struct fw_box *b,
                          const struct fw_near *near, size_t n)
{
	struct run *r = arg;
	struct fate f = {.box = *b, .attrs = fw_attrs_unset()};

	if (!r->parts.has[FW_PASS] || r->is_back ||
	    (r->parts.n < MAX_PARTS && r->steps > r->n_steps / 2))
		return false;
	if (!fw_near_only_accept(&r->sp->program, near, n))
		return false;
	merge_attrs(r, &f);
	r->out->has_more = true;
	return true;
}

static int judge_region(struct run *r, const struct fw_box *b)
{
	static const struct fw_near_ops ops = {judge_part, passes_anyhow};
	struct fate f = {.box = *b, .attrs = fw_attrs_unset()};
	int err;

	if (!(fw_box_families(r->sp, b) & r->sp->rules->families))
		return finish(r, &f, FW_DONT_KNOW);
	err = fw_near_walk(r->sp, r->path, b, &r->steps, &ops, r);
	return err == ETIMEDOUT ? give_up(r, b) : err;
}

int fw_judge_regions(struct fw_judgement *out, struct arena *a,
                     struct fw_space *sp, enum fw_path path,
                     const struct fw_set *regions, bool is_back)
{
	const uint64_t shared =
		sp->left < FW_JUDGE_STEPS ? sp->left : FW_JUDGE_STEPS;
	const uint64_t n_steps = shared > sp->least ? shared : sp->least;
	struct fw_judgement j = {.attrs = fw_attrs_unset()};
	struct run r = {.sp = sp,
	                .path = path,
	                .out = &j,
	                .arena = a,
	                .steps = n_steps,
	                .n_steps = n_steps,
	                .is_first = true,
	                .is_back = is_back};
	int err = 0;

	for (size_t i = 0; i < regions->n && !err; i++) {
		if (r.steps == 0 && j.is_cut)
			break;
		err = judge_region(&r, &regions->boxes[i]);
	}
	j.n_steps = n_steps - r.steps;
	sp->left -= j.n_steps < sp->left ? j.n_steps : sp->left;
	free(r.open);
	fw_parts_fini(&r.parts);
	if (err)
		return err;
	j.verdict = j.is_cut || !j.parts ? FW_DONT_KNOW : r.unlisted;
	for (const struct fw_part *p = j.parts; p; p = p->next)
		j.verdict = fw_verdict_worse(j.verdict, p->verdict);
	*out = j;
	return 0;
}
