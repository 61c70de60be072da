/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "firewall/program.h"
#include "oom.h"

/*
 * Random rules over a universe so small that every packet can be tried: a
 * plain interpreter, which walks chains rule by rule, must agree with the
 * algebra about each of them.
 */
static uint64_t seed;

static unsigned rnd(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned)(seed >> 33) % n;
}

static struct fw_ip ip4(unsigned last)
{
	return (struct fw_ip){0, UINT64_C(0xffffc0000200) + last};
}

static void random_addrs(struct arena *a, struct fw_addrs *set)
{
	const unsigned n = rnd(3);

	for (unsigned i = 0; i < n; i++) {
		const unsigned lo = rnd(4), hi = lo + rnd(4 - lo);

		assert_non_null(fw_addrs_add_range(a, set, ip4(lo), ip4(hi)));
	}
	set->is_negated = n > 0 && rnd(4) == 0;
}

static void random_rule(struct fw_rules *r, struct fw_chain *c,
                        const char *const *targets, unsigned n_targets)
{
	static const int protos[] = {FW_PROTO_ANY, 6, 17};
	static const char *const zones[] = {"a", "b*", "bc"};
	struct fw_rule *rule = fw_rule_add(r, c);
	const unsigned n = rnd(3);

	assert_non_null(rule);
	random_addrs(&r->arena, &rule->src);
	random_addrs(&r->arena, &rule->dst);
	for (unsigned i = 0; i < n; i++) {
		const uint16_t lo = (uint16_t)rnd(4);
		const uint16_t hi = (uint16_t)(lo + rnd(4));

		assert_non_null(fw_services_add(&r->arena, &rule->services,
		                                protos[rnd(3)], lo, hi));
	}
	if (rnd(3) == 0)
		assert_non_null(
			fw_zones_add(&r->arena, &rule->in, zones[rnd(3)]));
	rule->in.is_negated = rule->in.first && rnd(2);
	if (rnd(4) == 0)
		rule->states = 1 + rnd(3);
	rule->families = 1 + rnd(8);
	if (rule->families > 3)
		rule->families = FW_IP4 | FW_IP6;
	if (rnd(8) == 0)
		rule->conditional = "sometimes";
	rule->action = (enum fw_action)(rnd(4) ? 1 + rnd(2) : rnd(7));
	if (rule->action == FW_JUMP || rule->action == FW_GOTO) {
		if (n_targets)
			rule->target = targets[rnd(n_targets)];
		else
			rule->action = FW_RETURN;
	}
}

static void random_rules(struct fw_rules *r)
{
	static const char *const names[] = {"one", "two"};
	struct fw_chain *base = fw_chain_add(r, "base"), *c;

	assert_non_null(base);
	base->hook = FW_HOOK_FORWARD;
	base->policy = rnd(2) ? FW_ACCEPT : FW_DROP;
	for (unsigned n = 1 + rnd(7); n > 0; n--)
		random_rule(r, base, names, 2);
	for (unsigned i = 0; i < 2; i++) {
		c = fw_chain_add(r, names[i]);
		assert_non_null(c);
		for (unsigned n = rnd(4); n > 0; n--)
			random_rule(r, c, names + 1, 1 - i);
	}
}

static bool has_addr(const struct fw_addrs *set, struct fw_ip ip)
{
	bool is_in = !set->first;

	for (const struct fw_addr *a = set->first; a; a = a->next)
		is_in |= fw_ip_cmp(a->lo, ip) <= 0 && fw_ip_cmp(ip, a->hi) <= 0;
	return is_in != set->is_negated;
}

static bool has_zone(const struct fw_zones *set, const char *name)
{
	bool is_in = !set->first;

	for (const struct fw_zone *z = set->first; z; z = z->next) {
		const size_t n = strlen(z->name);

		if (n && z->name[n - 1] == '*')
			is_in |= strncmp(z->name, name, n - 1) == 0;
		else
			is_in |= strcmp(z->name, name) == 0;
	}
	return is_in != set->is_negated;
}

static bool has_service(const struct fw_services *set,
                        const struct fw_packet *p)
{
	bool is_in = !set->first;

	for (const struct fw_service *s = set->first; s; s = s->next)
		is_in |= (s->proto == FW_PROTO_ANY || s->proto == p->proto) &&
		         s->dport_lo <= p->dport && p->dport <= s->dport_hi;
	return is_in;
}

static bool does_match(const struct fw_rule *r, const struct fw_packet *p)
{
	const unsigned family = fw_ip_is4(p->dst) ? FW_IP4 : FW_IP6;

	return (r->families & family) && (r->states & p->state) &&
	       has_addr(&r->src, p->src) && has_addr(&r->dst, p->dst) &&
	       has_zone(&r->in, p->in) && has_service(&r->services, p);
}

enum end {
	END_FELL,
	END_PASS,
	END_FAIL,
};

/* Walks one choice for each conditional match: bits of *coins. */
static enum end walk(const struct fw_rules *rules, const struct fw_chain *c,
                     const struct fw_packet *p, uint64_t *coins,
                     const struct fw_rule *watched, bool *is_seen)
{
	for (const struct fw_rule *r = c->first; r; r = r->next) {
		bool is_match = does_match(r, p);
		enum end end;

		if (is_match && r == watched)
			*is_seen = true;
		if (is_match && r->conditional) {
			is_match = *coins & 1;
			*coins >>= 1;
		}
		if (!is_match)
			continue;
		if (r->action == FW_ACCEPT)
			return END_PASS;
		if (r->action == FW_DROP || r->action == FW_REJECT)
			return END_FAIL;
		if (r->action == FW_RETURN)
			return END_FELL;
		if (r->action == FW_CONTINUE)
			continue;
		end = walk(rules, fw_chain_find(rules, "", r->target), p, coins,
		           watched, is_seen);
		if (end != END_FELL || r->action == FW_GOTO)
			return end;
	}
	return END_FELL;
}

static bool passes(const struct fw_rules *rules, const struct fw_packet *p,
                   uint64_t coins, const struct fw_rule *watched, bool *is_seen)
{
	const enum end end =
		walk(rules, rules->chains, p, &coins, watched, is_seen);

	return end == END_FELL ? rules->chains->policy == FW_ACCEPT
	                       : end == END_PASS;
}

static struct fw_packet packet(unsigned i)
{
	static const char *const zones[] = {"a", "bc", "bd", "x"};
	static const int protos[] = {6, 17, 1};
	struct fw_packet p = {.out = "wan"};

	p.in = zones[i % 4];
	i /= 4;
	p.proto = protos[i % 3];
	i /= 3;
	p.state = 1U << i % 3;
	i /= 3;
	p.dport = (uint16_t)(i % 8);
	i /= 8;
	p.src = ip4(i % 6);
	i /= 6;
	p.dst = ip4(i % 6);
	i /= 6;
	if (i) {
		p.src = (struct fw_ip){UINT64_C(0x20010db800000000), 1};
		p.dst = (struct fw_ip){UINT64_C(0x20010db800000000), 2};
	}
	return p;
}

enum {
	N_PACKETS = 4 * 3 * 3 * 8 * 6 * 6 * 2,
};

static void check_packet(const struct fw_rules *rules, struct fw_space *sp,
                         const struct fw_packet *p)
{
	bool can_pass = false, can_fail = false, is_seen;
	struct fw_part part;

	for (uint64_t coins = 0; coins < 64; coins++) {
		if (passes(rules, p, coins, NULL, &is_seen))
			can_pass = true;
		else
			can_fail = true;
	}
	assert_int_equal(fw_space_decide(&part, sp, FW_PATH_FORWARD, p), 0);
	/* Unknown may be too careful; sure must be right. */
	if (part.verdict == FW_PASS)
		assert_false(can_fail);
	else if (part.verdict == FW_FAIL)
		assert_false(can_pass);
	else
		assert_true(rules->n_rules > 0);
	if (part.verdict == FW_DONT_KNOW && !part.doubt)
		fail_msg("a doubt without its rule");
}

static void check_reach(const struct fw_rules *rules, struct fw_space *sp,
                        struct arena *a)
{
	struct fw_reach_info *infos;
	size_t n;

	assert_int_equal(fw_space_reach(&infos, &n, a, sp), 0);
	assert_int_equal(n, rules->n_rules);
	for (size_t i = 0; i < n; i++) {
		bool is_seen = false;

		for (unsigned k = 0; k < N_PACKETS && !is_seen; k++) {
			const struct fw_packet p = packet(k);

			/* Conditions never hold: most packets get through. */
			(void)passes(rules, &p, 0, infos[i].rule, &is_seen);
			if (!is_seen)
				(void)passes(rules, &p, UINT64_MAX,
				             infos[i].rule, &is_seen);
		}
		if (is_seen)
			assert_int_equal(infos[i].reach, FW_REACHED);
		if (infos[i].reach == FW_SHADOWED)
			assert_false(is_seen);
	}
}

static bool is_sure(const struct fw_rules *rules)
{
	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			if (r->conditional)
				return false;
		}
	}
	return true;
}

/* Without conditions the answers are exact in both directions. */
static void check_sure(const struct fw_rules *rules, struct fw_space *sp,
                       const struct fw_packet *p)
{
	bool is_seen;
	struct fw_part part;

	assert_int_equal(fw_space_decide(&part, sp, FW_PATH_FORWARD, p), 0);
	assert_int_equal(part.verdict, passes(rules, p, 0, NULL, &is_seen)
	                                       ? FW_PASS
	                                       : FW_FAIL);
}

static void test_decide_agrees_with_brute_force(void **state)
{
	const struct fw_place place = {.path = FW_PATH_FORWARD, .out = "wan"};

	UNUSED(state);
	for (unsigned i = 0; i < 1500; i++) {
		struct fw_space *sp = NULL;
		struct fw_rules rules;
		struct arena a;

		seed = 1000 + i;
		arena_init(&a);
		fw_rules_init(&rules);
		random_rules(&rules);
		assert_int_equal(
			fw_space_alloc(&sp, &rules, NULL, 0, &place, NULL, 0),
			0);
		for (unsigned k = 0; k < 60; k++) {
			const struct fw_packet p = packet(rnd(N_PACKETS));

			check_packet(&rules, sp, &p);
			if (is_sure(&rules))
				check_sure(&rules, sp, &p);
		}
		if (i % 5 == 0)
			check_reach(&rules, sp, &a);
		fw_space_free(sp);
		fw_rules_fini(&rules);
		arena_fini(&a);
	}
}

/* A flow passes if and only if each of its packets does. */
static void test_judge_agrees_with_brute_force(void **state)
{
	UNUSED(state);
	for (unsigned i = 0; i < 400; i++) {
		struct fw_place place = {
			.path = FW_PATH_FORWARD, .in = "bd", .out = "wan"};
		struct fw_flow flow = {.id = "f"};
		struct fw_space *sp = NULL;
		struct fw_judgement j;
		struct fw_rules rules;
		bool any_pass = false, any_fail = false, is_seen;
		double n = 0;

		seed = 77 + i;
		fw_rules_init(&rules);
		random_rules(&rules);
		assert_non_null(fw_addrs_add_range(&rules.arena, &place.src,
		                                   ip4(0), ip4(5)));
		assert_non_null(fw_addrs_add_range(&rules.arena, &flow.dst,
		                                   ip4(1), ip4(3)));
		assert_non_null(fw_services_add(&rules.arena, &flow.services,
		                                FW_PROTO_UDP, 1, 5));
		for (unsigned k = 0; k < N_PACKETS / 2; k++) {
			const struct fw_packet p = packet(k);

			if (strcmp(p.in, "bd") != 0 || p.proto != 17 ||
			    p.state != FW_STATE_NEW || p.dport < 1 ||
			    p.dport > 5 || !has_addr(&flow.dst, p.dst))
				continue;
			if (passes(&rules, &p, 0, NULL, &is_seen))
				any_pass = true;
			else
				any_fail = true;
		}
		assert_int_equal(
			fw_space_alloc(&sp, &rules, &flow, 1, &place, NULL, 0),
			0);
		assert_int_equal(fw_space_judge(&j, &rules.arena, sp, 0), 0);
		if (is_sure(&rules))
			assert_int_equal(j.verdict,
			                 any_fail ? FW_FAIL : FW_PASS);
		if (j.verdict == FW_PASS)
			assert_true(any_pass && !any_fail);
		for (const struct fw_part *p = j.parts; p; p = p->next) {
			struct fw_part one;

			n += p->n_packets;
			assert_int_equal(fw_space_decide(&one, sp,
			                                 FW_PATH_FORWARD,
			                                 &p->example),
			                 0);
			assert_int_equal(one.verdict, p->verdict);
		}
		assert_true(n == 6.0 * 3 * 5 * 65536);
		fw_space_free(sp);
		fw_rules_fini(&rules);
	}
}

static size_t n_parts(const struct fw_judgement *j, double *n_packets)
{
	size_t n = 0;

	*n_packets = 0;
	for (const struct fw_part *p = j->parts; p; p = p->next, n++)
		*n_packets += p->n_packets;
	return n;
}

/* Is there such a part, of as many packets? */
static bool has_part(const struct fw_judgement *j, const struct fw_part *like,
                     bool is_counted)
{
	const struct fw_part *p = j->parts;

	while (p && (p->verdict != like->verdict || p->rule != like->rule ||
	             p->chain != like->chain || p->doubt != like->doubt ||
	             (is_counted && p->n_packets != like->n_packets)))
		p = p->next;
	return p != NULL;
}

static void random_orders(struct fw_rules *r)
{
	for (struct fw_chain *c = r->chains; c; c = c->next) {
		for (struct fw_rule *rule = c->first; rule; rule = rule->next) {
			if (rnd(4) == 0)
				rule->attrs.alg = (enum fw_tri)rnd(3);
			if (rnd(4) == 0)
				rule->attrs.udp_idle_s = 100 * (int64_t)rnd(5);
			rule->is_notrack =
				rule->action == FW_CONTINUE && rnd(2);
			if (rnd(12) == 0)
				rule->nat.kind = (enum fw_nat_kind)rnd(3);
		}
	}
}

/* However a flow is cut, the same comes of the same packets. */
static void test_halving_changes_no_answer(void **state)
{
	unsigned n_many = 0;

	UNUSED(state);
	for (unsigned i = 0; i < 1500; i++) {
		struct fw_place place = {.path = FW_PATH_FORWARD};
		struct fw_flow flow = {.id = "f"};
		struct fw_space *sp = NULL;
		struct fw_judgement j[2], back[2];
		struct fw_rules rules;
		double n[2];
		size_t n_of;

		seed = 900 + i;
		/* Packets are not counted by interfaces. */
		place.in = i % 2 ? "bd" : NULL;
		fw_rules_init(&rules);
		rules.families = FW_IP4 | FW_IP6;
		random_rules(&rules);
		random_orders(&rules);
		/* Few enough to be counted exactly. */
		assert_non_null(fw_addrs_add_range(&rules.arena, &place.src,
		                                   ip4(0), ip4(5)));
		assert_non_null(fw_addrs_add_range(&rules.arena, &flow.dst,
		                                   ip4(1), ip4(6)));
		assert_int_equal(
			fw_space_alloc(&sp, &rules, &flow, 1, &place, NULL, 0),
			0);
		for (unsigned k = 0; k < 2; k++) {
			sp->few = k ? 0 : SIZE_MAX;
			assert_int_equal(
				fw_space_judge(&j[k], &rules.arena, sp, 0), 0);
			assert_int_equal(fw_space_judge_reply(&back[k],
			                                      &rules.arena, sp,
			                                      0, &j[k]),
			                 0);
		}
		assert_int_equal(j[0].verdict, j[1].verdict);
		assert_int_equal(back[0].verdict, back[1].verdict);
		assert_int_equal(j[0].attrs.alg, j[1].attrs.alg);
		assert_int_equal(j[0].attrs.udp_idle_s, j[1].attrs.udp_idle_s);
		assert_int_equal(j[0].is_stateless, j[1].is_stateless);
		assert_int_equal(j[0].is_stateful, j[1].is_stateful);
		n_of = n_parts(&j[0], &n[0]);
		assert_int_equal(n_of, n_parts(&j[1], &n[1]));
		assert_true(n[0] == n[1] || !place.in);
		n_many += n_of > 3;
		for (const struct fw_part *p = j[0].parts; p; p = p->next)
			assert_true(has_part(&j[1], p, place.in));
		fw_space_free(sp);
		fw_rules_fini(&rules);
	}
	assert_true(n_many > 100);
}

static void test_name_nobody_resolved_is_unknown(void **state)
{
	static const struct {
		const char *rule_name, *host;
		bool is_any;
		enum fw_verdict verdict;
	} cases[] = {
		{"sip.example", NULL, false, FW_PASS}, /* the same name */
		{"other.example", NULL, false, FW_DONT_KNOW},
		{"sip.example", "sip.example", false, FW_PASS},
		{"other.example", "sip.example", false, FW_DONT_KNOW},
		{NULL, NULL, true, FW_PASS},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct fw_place place = {.path = FW_PATH_FORWARD};
		struct fw_flow flow = {.id = "f"};
		struct fw_host host = {.name = cases[i].host};
		struct fw_space *sp = NULL;
		struct fw_rules rules;
		struct fw_chain *c;
		struct fw_rule *r;
		struct fw_judgement j;

		fw_rules_init(&rules);
		c = fw_chain_add(&rules, "c");
		c->hook = FW_HOOK_FORWARD;
		c->policy = FW_DROP;
		r = fw_rule_add(&rules, c);
		r->action = FW_ACCEPT;
		if (!cases[i].is_any)
			assert_non_null(fw_addrs_add_name(&rules.arena, &r->dst,
			                                  FW_ADDR_NAME,
			                                  cases[i].rule_name));
		assert_non_null(fw_addrs_add_name(&rules.arena, &flow.dst,
		                                  FW_ADDR_NAME, "sip.example"));
		if (host.name)
			assert_non_null(fw_addrs_add_range(
				&rules.arena, &host.addrs, ip4(9), ip4(9)));
		assert_int_equal(fw_space_alloc(&sp, &rules, &flow, 1, &place,
		                                &host, host.name ? 1 : 0),
		                 0);
		assert_int_equal(fw_space_judge(&j, &rules.arena, sp, 0), 0);
		assert_int_equal(j.verdict, cases[i].verdict);
		fw_space_free(sp);
		fw_rules_fini(&rules);
	}
}

static int compile_and_ask(const struct fw_rules *rules)
{
	const struct fw_place place = {.path = FW_PATH_FORWARD};
	struct fw_reach_info *infos;
	struct fw_space *sp = NULL;
	struct fw_part *parts;
	struct arena a;
	size_t n;
	int err;

	arena_init(&a);
	err = fw_space_alloc(&sp, rules, NULL, 0, &place, NULL, 0);
	if (!err)
		err = fw_space_reach(&infos, &n, &a, sp);
	if (!err)
		err = fw_space_excess(&parts, &a, sp);
	fw_space_free(sp);
	arena_fini(&a);
	return err;
}

static void test_no_memory_is_an_error_and_no_leak(void **state)
{
	struct fw_rules rules;

	UNUSED(state);
	seed = 4;
	fw_rules_init(&rules);
	random_rules(&rules);
	for (unsigned long n = 0;; n++) {
		int err;

		oom_after(n);
		err = compile_and_ask(&rules);
		oom_after(OOM_NEVER);
		if (err == 0)
			break;
		assert_int_equal(err, ENOMEM);
		assert_true(n < 10000);
	}
	fw_rules_fini(&rules);
}

static void test_call_loops_are_refused(void **state)
{
	struct fw_rules rules;
	struct fw_chain *c;
	struct fw_rule *r;

	UNUSED(state);
	fw_rules_init(&rules);
	c = fw_chain_add(&rules, "self");
	c->hook = FW_HOOK_FORWARD;
	r = fw_rule_add(&rules, c);
	r->action = FW_JUMP;
	r->target = "self";
	assert_int_equal(compile_and_ask(&rules), E2BIG);
	fw_rules_fini(&rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decide_agrees_with_brute_force),
		cmocka_unit_test(test_judge_agrees_with_brute_force),
		cmocka_unit_test(test_halving_changes_no_answer),
		cmocka_unit_test(test_name_nobody_resolved_is_unknown),
		cmocka_unit_test(test_no_memory_is_an_error_and_no_leak),
		cmocka_unit_test(test_call_loops_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
