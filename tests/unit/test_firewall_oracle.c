/* SPDX-License-Identifier: ISC */
/*
 * The meaning of rules against brute force, in a universe whose values all
 * can be tried: each dimension has the values that rules mention and one that
 * none does, so the answers must agree both ways.
 */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "firewall/program.h"

enum {
	ADDRS = 8, /* and one outside */
	DPORTS = 4,
	SPORTS = 2,
	MAX_RULES = 7,
	CASES = 3000,
	POLICY = MAX_RULES, /* its bit, behind those of the rules */
};

enum dim {
	DIM_SRC,
	DIM_DST,
	DIM_DPORT,
	DIM_SPORT,
	DIM_PROTO,
	DIM_IN,
	DIM_STATE,
	DIMS,
};

static const unsigned sizes[DIMS] = {
	ADDRS + 1, ADDRS + 1, DPORTS + 1, SPORTS + 1, 3, 3, 3};
static const int protos[] = {FW_PROTO_UDP, FW_PROTO_TCP, 1};
static const unsigned states[] = {FW_STATE_NEW, FW_STATE_ESTABLISHED,
                                  FW_STATE_RELATED};
static const char *const zones[] = {"a", "b", "c"};

/* Which rules (bits) take a value, by dimension. */
struct oracle {
	unsigned takes[DIMS][ADDRS + 1];
	unsigned accepts, verdicts; /* rules; the policy is among them */
	unsigned flow[DIMS];        /* values of the flow, as bits */
	/* What came of it. */
	unsigned seen, matched, wide;
	bool can_pass, can_fail;
};

static uint64_t seed;

static unsigned rnd(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned)(seed >> 33) % n;
}

/* 192.0.2.0 to .7; the one outside is .8 */
static struct fw_ip ip_of(unsigned i)
{
	return (struct fw_ip){0, UINT64_C(0xffffc0000200) + i};
}

static unsigned bits(unsigned lo, unsigned hi)
{
	return (2U << hi) - (1U << lo);
}

static void pick(unsigned *lo, unsigned *hi, unsigned n)
{
	*lo = rnd(n);
	*hi = *lo + rnd(n - *lo);
}

/* @return the values that the set has, as bits */
static unsigned add_addrs(struct arena *a, struct fw_addrs *set)
{
	const unsigned all = bits(0, ADDRS), n = rnd(4) ? 1 + rnd(2) : 0;
	unsigned has = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned lo, hi;

		pick(&lo, &hi, ADDRS);
		has |= bits(lo, hi);
		assert_non_null(
			fw_addrs_add_range(a, set, ip_of(lo), ip_of(hi)));
	}
	if (n == 0)
		return all;
	set->is_negated = rnd(5) == 0;
	return set->is_negated ? all & ~has : has;
}

/* One service, so that a rule is a product of its dimensions. */
static void add_service(struct arena *a, struct fw_services *set,
                        unsigned has[DIMS])
{
	const unsigned proto = rnd(4);
	unsigned lo = 0, hi = FW_PORT_MAX;
	struct fw_service *s;

	has[DIM_PROTO] = proto < 2 ? 1U << proto : bits(0, 2);
	has[DIM_DPORT] = bits(0, DPORTS);
	has[DIM_SPORT] = bits(0, SPORTS);
	if (rnd(4) == 0) {
		has[DIM_PROTO] = bits(0, 2);
		return;
	}
	if (rnd(3)) {
		pick(&lo, &hi, DPORTS);
		has[DIM_DPORT] = bits(lo, hi);
	}
	s = fw_services_add(a, set, proto < 2 ? protos[proto] : FW_PROTO_ANY,
	                    (uint16_t)lo, (uint16_t)hi);
	assert_non_null(s);
	if (rnd(3) == 0) {
		pick(&lo, &hi, SPORTS);
		has[DIM_SPORT] = bits(lo, hi);
		s->sport_lo = (uint16_t)lo;
		s->sport_hi = (uint16_t)hi;
	}
}

static void add_rule(struct fw_rules *rules, struct oracle *o, unsigned i)
{
	static const enum fw_action actions[] = {FW_ACCEPT, FW_ACCEPT, FW_DROP,
	                                         FW_REJECT, FW_CONTINUE};
	struct fw_rule *r = fw_rule_add(rules, rules->chains);
	unsigned has[DIMS];

	assert_non_null(r);
	r->id = "rule";
	r->action = actions[rnd(ARRAY_LEN(actions))];
	has[DIM_SRC] = add_addrs(&rules->arena, &r->src);
	has[DIM_DST] = add_addrs(&rules->arena, &r->dst);
	add_service(&rules->arena, &r->services, has);
	has[DIM_IN] = bits(0, 2);
	if (rnd(3) == 0) {
		const unsigned z = rnd(2);

		assert_non_null(fw_zones_add(&rules->arena, &r->in, zones[z]));
		r->in.is_negated = rnd(4) == 0;
		has[DIM_IN] =
			r->in.is_negated ? bits(0, 2) & ~(1U << z) : 1U << z;
	}
	has[DIM_STATE] = rnd(3) ? bits(0, 2) : 1 + rnd(7);
	r->states = 0;
	for (unsigned s = 0; s < 3; s++)
		r->states |= has[DIM_STATE] & 1U << s ? states[s] : 0;
	/* the third stands for all others */
	if (has[DIM_STATE] & 4)
		r->states |= FW_STATE_INVALID | FW_STATE_UNTRACKED;
	if (has[DIM_STATE] == bits(0, 2))
		r->states = FW_STATE_ALL;
	for (unsigned d = 0; d < DIMS; d++) {
		for (unsigned v = 0; v < sizes[d]; v++)
			o->takes[d][v] |= (has[d] >> v & 1) << i;
	}
	if (r->action != FW_CONTINUE)
		o->verdicts |= 1U << i;
	if (r->action == FW_ACCEPT)
		o->accepts |= 1U << i;
}

static void make(struct fw_rules *rules, struct oracle *o, struct fw_flow *flow,
                 struct fw_place *place)
{
	const unsigned n = 1 + rnd(MAX_RULES);
	struct fw_chain *c;

	fw_rules_init(rules);
	rules->families = FW_IP4;
	c = fw_chain_add(rules, "c");
	assert_non_null(c);
	c->hook = FW_HOOK_FORWARD;
	c->families = FW_IP4;
	c->policy = rnd(2) ? FW_ACCEPT : FW_DROP;
	for (unsigned i = 0; i < n; i++)
		add_rule(rules, o, i);
	for (unsigned d = 0; d < DIMS; d++) {
		for (unsigned v = 0; v < sizes[d]; v++)
			o->takes[d][v] |= 1U << POLICY;
		o->flow[d] = bits(0, sizes[d] - 1);
	}
	o->verdicts |= 1U << POLICY;
	o->accepts |= (unsigned)(c->policy == FW_ACCEPT) << POLICY;
	*flow = (struct fw_flow){.id = "flow"};
	o->flow[DIM_DST] = add_addrs(&rules->arena, &flow->dst);
	if (flow->dst.is_negated) { /* no flow is said so */
		flow->dst.is_negated = false;
		o->flow[DIM_DST] ^= bits(0, ADDRS);
	}
	add_service(&rules->arena, &flow->services, o->flow);
	o->flow[DIM_IN] = o->flow[DIM_STATE] = 1;
	*place = (struct fw_place){
		.path = FW_PATH_FORWARD, .in = zones[0], .out = "wan"};
}

/* @return which rules take the packet; v counts through all of them */
static unsigned taken(const struct oracle *o, const unsigned v[DIMS])
{
	unsigned m = UINT32_MAX;

	for (unsigned d = 0; d < DIMS; d++)
		m &= o->takes[d][v[d]];
	return m;
}

static bool next(unsigned v[DIMS])
{
	for (unsigned d = 0; d < DIMS; d++) {
		if (++v[d] < sizes[d])
			return true;
		v[d] = 0;
	}
	return false;
}

static bool is_asked(const struct oracle *o, const unsigned v[DIMS])
{
	bool is_in = true;

	for (unsigned d = 0; d < DIMS; d++)
		is_in &= o->flow[d] >> v[d] & 1;
	return is_in;
}

static void enumerate(struct oracle *o)
{
	unsigned v[DIMS] = {0};

	do {
		const unsigned m = taken(o, v), ends = m & o->verdicts;
		const unsigned first = ends & (0U - ends);
		const bool is_at = v[DIM_IN] == 0 && v[DIM_STATE] == 0;

		o->matched |= m;
		o->seen |= m & (2 * first - 1);
		if (is_asked(o, v)) {
			o->can_pass |= first & o->accepts;
			o->can_fail |= !(first & o->accepts);
		} else if (is_at) {
			o->wide |= first & o->accepts;
		}
	} while (next(v));
}

static void check_reach(const struct fw_rules *rules, struct oracle *o,
                        struct fw_space *sp, struct arena *a)
{
	const struct fw_rule *at[MAX_RULES];
	struct fw_reach_info *infos;
	size_t n;

	assert_int_equal(fw_space_reach(&infos, &n, a, sp), 0);
	assert_int_equal(n, rules->n_rules);
	for (size_t i = 0; i < n; i++) {
		const enum fw_reach reach = infos[i].reach;
		unsigned by = 0, v[DIMS] = {0};

		at[i] = infos[i].rule;
		assert_int_equal(reach, o->seen >> i & 1      ? FW_REACHED
		                        : o->matched >> i & 1 ? FW_SHADOWED
		                                              : FW_EMPTY);
		for (size_t k = 0; k < infos[i].n_by; k++) {
			size_t r = 0;

			while (r < i && at[r] != infos[i].by[k])
				r++;
			assert_true(r < i); /* earlier ones only */
			by |= 1U << r;
		}
		/* They suffice, and each of them does decide. */
		assert_int_equal(by & ~o->verdicts, 0);
		do {
			const unsigned m = taken(o, v);

			assert_true(reach != FW_SHADOWED || !(m >> i & 1) ||
			            m & by);
		} while (reach == FW_SHADOWED && next(v));
	}
}

static void check_wide(const struct fw_rules *rules, const struct oracle *o,
                       struct fw_space *sp, struct arena *a)
{
	unsigned wide = 0;
	struct fw_part *parts;

	assert_int_equal(fw_space_excess(&parts, a, sp), 0);
	for (const struct fw_part *p = parts; p; p = p->next) {
		const struct fw_rule *r = rules->chains->first;
		unsigned i = 0;

		for (; r && r != p->rule; r = r->next)
			i++;
		wide |= 1U << (p->rule ? i : POLICY);
	}
	assert_int_equal(wide, o->wide);
}

static void check_packets(const struct oracle *o, struct fw_space *sp)
{
	for (unsigned i = 0; i < 10; i++) {
		struct fw_packet p = {.out = "wan"};
		struct fw_part part;
		unsigned v[DIMS], ends;

		for (unsigned d = 0; d < DIMS; d++)
			v[d] = rnd(sizes[d]);
		ends = taken(o, v) & o->verdicts;
		p.in = zones[v[DIM_IN]];
		p.src = ip_of(v[DIM_SRC]);
		p.dst = ip_of(v[DIM_DST]);
		p.proto = protos[v[DIM_PROTO]];
		p.dport = (uint16_t)v[DIM_DPORT];
		p.sport = (uint16_t)v[DIM_SPORT];
		p.state = states[v[DIM_STATE]];
		assert_int_equal(
			fw_space_decide(&part, sp, FW_PATH_FORWARD, &p), 0);
		assert_int_equal(part.verdict, ends & (0U - ends) & o->accepts
		                                       ? FW_PASS
		                                       : FW_FAIL);
	}
}

/* With too few steps an answer may be lacking, and is never another one. */
static void check_hurried(const struct oracle *o, struct fw_space *sp,
                          struct arena *a, unsigned *n_open)
{
	const unsigned n_wide = (unsigned)__builtin_popcount(o->wide);
	unsigned n_sure = 0, n_unsure = 0;
	struct fw_reach_info *infos;
	struct fw_judgement j;
	struct fw_part *parts;
	size_t n;

	sp->compare_left = rnd(40);
	assert_int_equal(fw_space_reach(&infos, &n, a, sp), 0);
	for (size_t i = 0; i < n; i++) {
		const enum fw_reach reach = infos[i].reach;

		if (reach == FW_REACH_UNKNOWN)
			++*n_open;
		else
			assert_int_equal(reach == FW_REACHED, o->seen >> i & 1);
	}
	sp->compare_left = rnd(40);
	assert_int_equal(fw_space_excess(&parts, a, sp), 0);
	for (const struct fw_part *p = parts; p; p = p->next) {
		n_sure += p->verdict == FW_PASS;
		n_unsure += p->verdict == FW_DONT_KNOW;
	}
	assert_true(n_sure <= n_wide && n_sure + n_unsure >= n_wide);
	sp->left = rnd(20);
	sp->least = 0;
	assert_int_equal(fw_space_judge(&j, a, sp, 0), 0);
	assert_non_null(j.parts);
	if (j.verdict == FW_DONT_KNOW) {
		assert_true(j.is_cut);
		++*n_open;
	} else {
		assert_int_equal(j.verdict, o->can_fail ? FW_FAIL : FW_PASS);
	}
}

static void test_answers_agree_with_every_packet(void **state)
{
	unsigned n_shadowed = 0, n_wide = 0, n_pass = 0, n_fail = 0, n_open = 0;

	UNUSED(state);
	for (unsigned i = 0; i < CASES; i++) {
		struct oracle o = {0};
		struct fw_judgement j;
		struct fw_space *sp = NULL;
		struct fw_place place;
		struct fw_rules rules;
		struct fw_flow flow;
		struct arena a;

		seed = 5000 + i;
		arena_init(&a);
		make(&rules, &o, &flow, &place);
		enumerate(&o);
		assert_int_equal(
			fw_space_alloc(&sp, &rules, &flow, 1, &place, NULL, 0),
			0);
		check_packets(&o, sp);
		check_reach(&rules, &o, sp, &a);
		check_wide(&rules, &o, sp, &a);
		assert_int_equal(fw_space_judge(&j, &a, sp, 0), 0);
		assert_int_equal(j.verdict, o.can_fail ? FW_FAIL : FW_PASS);
		check_hurried(&o, sp, &a, &n_open);
		n_shadowed += (o.matched & ~o.seen) != 0;
		n_wide += o.wide != 0;
		n_pass += !o.can_fail;
		n_fail += o.can_fail;
		fw_space_free(sp);
		fw_rules_fini(&rules);
		arena_fini(&a);
	}
	/* All of it happens, or nothing was tested. */
	assert_true(n_shadowed > 100 && n_wide > 100 && n_pass > 100 &&
	            n_fail > 100 && n_open > 100);
}

enum {
	CROWD = 240, /* rules */
	CROWDS = 60,
	SIDE = 14, /* values of both dimensions */
	SRC_SIDE = 3,
	CELLS = SIDE * SIDE * SRC_SIDE,
};

/* Which cells of a crowd's universe a rule has. */
struct taken {
	bool has[CELLS];
};

static void add_crowded(struct fw_rules *rules, struct taken *t, unsigned wide)
{
	static const unsigned sides[] = {SIDE, SIDE, SRC_SIDE};
	struct fw_rule *r = fw_rule_add(rules, rules->chains);
	unsigned lo[3], hi[3];

	assert_non_null(r);
	r->id = "rule";
	r->action = rnd(2) ? FW_ACCEPT : FW_DROP;
	r->families = FW_IP4;
	for (unsigned d = 0; d < 3; d++) {
		lo[d] = rnd(sides[d]);
		hi[d] = lo[d] + rnd(wide);
		if (hi[d] >= sides[d])
			hi[d] = sides[d] - 1;
	}
	assert_non_null(fw_addrs_add_range(&rules->arena, &r->dst, ip_of(lo[0]),
	                                   ip_of(hi[0])));
	assert_non_null(fw_addrs_add_range(&rules->arena, &r->src, ip_of(lo[2]),
	                                   ip_of(hi[2])));
	assert_non_null(fw_services_add(&rules->arena, &r->services,
	                                FW_PROTO_UDP, (uint16_t)lo[1],
	                                (uint16_t)hi[1]));
	for (unsigned i = 0; i < CELLS; i++) {
		const unsigned v[3] = {i % SIDE, i / SIDE % SIDE,
		                       i / SIDE / SIDE};

		t->has[i] = true;
		for (unsigned d = 0; d < 3; d++)
			t->has[i] &= v[d] >= lo[d] && v[d] <= hi[d];
	}
}

static unsigned cell_of(const struct fw_packet *p)
{
	const unsigned dst = (unsigned)(p->dst.lo - ip_of(0).lo);
	const unsigned src = (unsigned)(p->src.lo - ip_of(0).lo);

	assert_true(dst < SIDE && p->dport < SIDE && src < SRC_SIDE);
	return dst + SIDE * (p->dport + SIDE * src);
}

/* Does a cell of rule @p i have none of those named? */
static bool is_left_over(const struct taken *t, unsigned i,
                         const struct fw_reach_info *info,
                         const struct fw_reach_info *infos)
{
	for (unsigned c = 0; c < CELLS; c++) {
		bool is_taken = !t[i].has[c];

		for (unsigned r = 0, k = 0; r < i && k < info->n_by; r++) {
			if (infos[r].rule != info->by[k])
				continue;
			k++; /* they are in order */
			is_taken |= t[r].has[c];
		}
		if (!is_taken)
			return true;
	}
	return false;
}

/* @return whether rule @p i is dead; @p gone has what those before it take */
static bool check_crowded(const struct taken *t, unsigned i,
                          const struct fw_reach_info *infos, bool gone[CELLS])
{
	bool is_seen = false;

	for (unsigned x = 0; x < CELLS; x++)
		is_seen |= t[i].has[x] && !gone[x];
	assert_int_equal(infos[i].reach, is_seen ? FW_REACHED : FW_SHADOWED);
	if (is_seen) {
		const unsigned x = cell_of(&infos[i].example);

		assert_true(t[i].has[x] && !gone[x]);
	} else if (infos[i].n_more == 0) {
		assert_false(is_left_over(t, i, &infos[i], infos));
	}
	for (unsigned x = 0; x < CELLS; x++)
		gone[x] |= t[i].has[x];
	return !is_seen;
}

/* Nothing is asked for, so what accepts at all is too wide. */
static void check_crowd_wide(const struct fw_reach_info *infos,
                             struct fw_space *sp, struct arena *a)
{
	struct fw_part *p;

	assert_int_equal(fw_space_excess(&p, a, sp), 0);
	for (unsigned i = 0; i < CROWD; i++) {
		if (infos[i].reach != FW_REACHED ||
		    infos[i].rule->action != FW_ACCEPT)
			continue;
		assert_non_null(p);
		assert_int_equal(p->verdict, FW_PASS);
		assert_ptr_equal(p->rule, infos[i].rule);
		p = p->next;
	}
	assert_null(p);
}

/* Small ones first, then some that have many of these in them. */
static unsigned width(unsigned i, unsigned k)
{
	const unsigned n_small = CROWD / 2 + k;

	return i < n_small ? 1 + k % 3 : 1 + (i - n_small + k) / 8;
}

/* Rules that lie upon each other by the hundred. */
static void test_reach_agrees_in_a_crowd(void **state)
{
	static struct taken t[CROWD];
	unsigned n_dead = 0;

	UNUSED(state);
	for (unsigned k = 0; k < CROWDS; k++) {
		const struct fw_place place = {.path = FW_PATH_FORWARD};
		bool gone[CELLS] = {false};
		struct fw_reach_info *infos;
		struct fw_space *sp = NULL;
		struct fw_rules rules;
		struct fw_chain *c;
		struct arena a;
		size_t n;

		seed = k;
		arena_init(&a);
		fw_rules_init(&rules);
		rules.families = FW_IP4;
		c = fw_chain_add(&rules, "c");
		assert_non_null(c);
		c->hook = FW_HOOK_FORWARD;
		c->families = FW_IP4;
		c->policy = FW_DROP;
		for (unsigned i = 0; i < CROWD; i++)
			add_crowded(&rules, &t[i], width(i, k));
		assert_int_equal(
			fw_space_alloc(&sp, &rules, NULL, 0, &place, NULL, 0),
			0);
		assert_int_equal(fw_space_reach(&infos, &n, &a, sp), 0);
		for (unsigned i = 0; i < CROWD; i++)
			n_dead += check_crowded(t, i, infos, gone);
		check_crowd_wide(infos, sp, &a);
		fw_space_free(sp);
		fw_rules_fini(&rules);
		arena_fini(&a);
	}
	assert_true(n_dead > 1000 && n_dead < CROWDS * CROWD - 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_agree_with_every_packet),
		cmocka_unit_test(test_reach_agrees_in_a_crowd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
