/* SPDX-License-Identifier: ISC */
/*
 * Flows that rules cut into thousands of parts, against every cell of a plane
 * of phones' addresses and ports, of which each knows the first rule it meets.
 */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "firewall/program.h"
#include "oom.h"

enum {
	HOSTS = 90,
	PORTS = 80,
	CELLS = HOSTS * PORTS,
	LISTED = 4096,
};

static uint64_t seed;

static unsigned rnd(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned)(seed >> 33) % n;
}

/* 198.18.0.0 and on. */
static struct fw_ip phone(unsigned i)
{
	return (struct fw_ip){0, UINT64_C(0xffffc6120000) + i};
}

/* A plane of cells, each with the number of the rule that decides it. */
struct plane {
	struct fw_rules rules;
	struct fw_chain *chain;
	struct fw_flow flow;
	struct fw_place place;
	unsigned by[CELLS]; /* 0: the policy; else a rule's line */
	bool drops[CELLS];  /* the same */
	unsigned n;
};

static void plane_init(struct plane *pl, enum fw_action policy)
{
	const struct fw_ip to = {0, UINT64_C(0xffffc0000201)};

	memset(pl, 0, sizeof(*pl));
	fw_rules_init(&pl->rules);
	pl->rules.families = FW_IP4;
	pl->chain = fw_chain_add(&pl->rules, "c");
	assert_non_null(pl->chain);
	pl->chain->hook = FW_HOOK_FORWARD;
	pl->chain->families = FW_IP4;
	pl->chain->policy = policy;
	pl->drops[0] = policy == FW_DROP;
	pl->flow.id = "flow";
	assert_non_null(
		fw_addrs_add_range(&pl->rules.arena, &pl->flow.dst, to, to));
	assert_non_null(fw_services_add(&pl->rules.arena, &pl->flow.services,
	                                FW_PROTO_UDP, 5060, 5060));
	pl->flow.services.first->sport_hi = PORTS - 1;
	assert_non_null(fw_addrs_add_range(&pl->rules.arena, &pl->place.src,
	                                   phone(0), phone(HOSTS - 1)));
}

/* A rule for hosts [x, x + w) and ports [y, y + h). */
static struct fw_rule *plane_add(struct plane *pl, unsigned x, unsigned w,
                                 unsigned y, unsigned h, enum fw_action action)
{
	struct fw_rule *r = fw_rule_add(&pl->rules, pl->chain);
	struct fw_service *s;

	assert_non_null(r);
	r->id = "rule";
	r->families = FW_IP4;
	r->action = action;
	r->line = ++pl->n;
	assert_true(pl->n < CELLS);
	pl->drops[pl->n] = action == FW_DROP;
	assert_non_null(fw_addrs_add_range(&pl->rules.arena, &r->src, phone(x),
	                                   phone(x + w - 1)));
	s = fw_services_add(&pl->rules.arena, &r->services, FW_PROTO_UDP, 0,
	                    FW_PORT_MAX);
	assert_non_null(s);
	s->sport_lo = (uint16_t)y;
	s->sport_hi = (uint16_t)(y + h - 1);
	for (unsigned i = x; i < x + w && i < HOSTS; i++) {
		for (unsigned k = y; k < y + h && k < PORTS; k++) {
			unsigned *by = &pl->by[i * PORTS + k];

			if (*by == 0 && action != FW_CONTINUE)
				*by = r->line;
		}
	}
	return r;
}

/* Judge it, and compare each part with the cells that its rule decides. */
static void check(struct plane *pl, enum fw_verdict verdict, bool has_more)
{
	static unsigned cells[CELLS];
	struct fw_space *sp = NULL;
	struct fw_judgement j;
	struct arena a;
	size_t n_fail = 0, n_listed = 0;
	double n = 0;

	memset(cells, 0, sizeof(cells));
	for (unsigned i = 0; i < CELLS; i++)
		cells[pl->by[i]]++;
	arena_init(&a);
	assert_int_equal(fw_space_alloc(&sp, &pl->rules, &pl->flow, 1,
	                                &pl->place, NULL, 0),
	                 0);
	assert_int_equal(fw_space_judge(&j, &a, sp, 0), 0);
	assert_false(j.is_cut);
	assert_int_equal(j.verdict, verdict);
	assert_int_equal(j.has_more, has_more);
	for (const struct fw_part *p = j.parts; p; p = p->next) {
		const unsigned by = p->rule ? p->rule->line : 0;
		const unsigned x = (unsigned)(p->example.src.lo - phone(0).lo);

		assert_true(p->n_packets == cells[by]);
		assert_int_equal(pl->by[x * PORTS + p->example.sport], by);
		n += p->n_packets;
		n_fail += p->verdict == FW_FAIL;
		n_listed++;
	}
	/* What fails is listed to the last. */
	for (unsigned i = 0; i <= pl->n; i++)
		n_fail -= cells[i] && pl->drops[i];
	assert_int_equal(n_fail, 0);
	assert_true(has_more ? n < CELLS : n == CELLS);
	assert_true(!has_more || n_listed >= LISTED);
	fw_space_free(sp);
	arena_fini(&a);
}

/* Every cell but one has a rule of its own. */
static void put_cells(struct plane *pl, unsigned dropped)
{
	for (unsigned i = 0, c = 0; i + 1 < CELLS; i++) {
		c = (c + 4999) % CELLS; /* a prime: all of them in turn */
		plane_add(pl, c / PORTS, 1, c % PORTS, 1,
		          i == dropped ? FW_DROP : FW_ACCEPT);
	}
}

static void test_thousands_of_parts_that_pass_are_a_pass(void **state)
{
	static struct plane pl;

	UNUSED(state);
	plane_init(&pl, FW_ACCEPT);
	put_cells(&pl, CELLS);
	check(&pl, FW_PASS, true);
	fw_rules_fini(&pl.rules);
}

/* One of seven thousand cells, wherever it is; the last one is the policy's. */
static void test_one_cell_that_is_dropped_is_found(void **state)
{
	static struct plane pl;

	UNUSED(state);
	for (unsigned i = 0; i < 4; i++) {
		plane_init(&pl, i == 3 ? FW_DROP : FW_ACCEPT);
		put_cells(&pl, i == 3 ? CELLS : (unsigned)i * 3500 + 17);
		check(&pl, FW_FAIL, true);
		fw_rules_fini(&pl.rules);
	}
}

/* Rules that overlap, to accept and to drop; some are no verdict at all. */
static void test_parts_are_those_of_every_cell(void **state)
{
	static struct plane pl;

	UNUSED(state);
	for (unsigned i = 0; i < 6; i++) {
		const unsigned n = i ? 200U << i : 40;

		seed = i;
		plane_init(&pl, i % 2 ? FW_ACCEPT : FW_DROP);
		for (unsigned k = 0; k < n; k++) {
			const unsigned x = rnd(HOSTS), y = rnd(PORTS);
			const unsigned w = 1 + rnd(4 + 20 / (1 + i));
			const unsigned what = rnd(9);

			plane_add(&pl, x, x + w < HOSTS ? w : 1, y, 1 + rnd(4),
			          what == 0  ? FW_CONTINUE
			          : what < 5 ? FW_ACCEPT
			                     : FW_DROP);
		}
		check(&pl, FW_FAIL, false);
		fw_rules_fini(&pl.rules);
	}
}

enum {
	BARS = 4500,
};

/* Bars one way and the other, in turn: millions of parts, of which none can
 * fail. */
static void judge_bars(struct fw_judgement *j, struct arena *a,
                       enum fw_action policy)
{
	static struct plane pl;
	struct fw_space *sp = NULL;

	plane_init(&pl, policy);
	pl.flow.services.first->sport_hi = BARS - 1;
	pl.place.src.first->hi = phone(BARS - 1);
	for (unsigned i = 0; i < BARS; i++) {
		if (i % 2)
			plane_add(&pl, i, 1, 0, BARS, FW_ACCEPT);
		else
			plane_add(&pl, 0, BARS, i, 1, FW_ACCEPT);
	}
	/* What is between the bars. */
	if (policy == FW_DROP)
		plane_add(&pl, 0, BARS, 0, BARS, FW_ACCEPT);
	assert_int_equal(
		fw_space_alloc(&sp, &pl.rules, &pl.flow, 1, &pl.place, NULL, 0),
		0);
	assert_int_equal(fw_space_judge(j, a, sp, 0), 0);
	fw_space_free(sp);
	fw_rules_fini(&pl.rules);
}

static void test_a_grid_that_passes_anyhow_is_a_pass(void **state)
{
	struct fw_judgement j;
	struct arena a;

	UNUSED(state);
	arena_init(&a);
	judge_bars(&j, &a, FW_ACCEPT);
	assert_int_equal(j.verdict, FW_PASS);
	assert_false(j.is_cut);
	judge_bars(&j, &a, FW_DROP);
	assert_int_equal(j.verdict, FW_PASS);
	assert_false(j.is_cut);
	arena_fini(&a);
}

static int judge_cells(const struct plane *pl)
{
	struct fw_space *sp = NULL;
	struct fw_judgement j;
	struct arena a;
	int err;

	arena_init(&a);
	err = fw_space_alloc(&sp, &pl->rules, &pl->flow, 1, &pl->place, NULL,
	                     0);
	if (!err)
		err = fw_space_judge(&j, &a, sp, 0);
	fw_space_free(sp);
	arena_fini(&a);
	return err;
}

static void test_a_limit_leaves_the_rest_open(void **state)
{
	static struct plane pl;
	struct fw_space *sp = NULL;
	struct fw_judgement j;
	struct arena a;

	UNUSED(state);
	arena_init(&a);
	plane_init(&pl, FW_DROP);
	plane_add(&pl, 0, 2, 0, 2, FW_ACCEPT);
	assert_int_equal(
		fw_space_alloc(&sp, &pl.rules, &pl.flow, 1, &pl.place, NULL, 0),
		0);
	fw_space_limit(sp, 1);
	assert_int_equal(fw_space_judge(&j, &a, sp, 0), 0);
	assert_true(j.is_cut);
	assert_int_equal(j.verdict, FW_DONT_KNOW);
	fw_space_free(sp);
	fw_rules_fini(&pl.rules);
	arena_fini(&a);
}

static void test_no_memory_is_an_error_and_no_leak(void **state)
{
	static struct plane pl;

	UNUSED(state);
	plane_init(&pl, FW_DROP);
	for (unsigned i = 0; i < 200; i++)
		plane_add(&pl, i % HOSTS, 1, i % PORTS, 1, FW_ACCEPT);
	for (unsigned long n = 0;; n++) {
		int err;

		oom_after(n);
		err = judge_cells(&pl);
		oom_after(OOM_NEVER);
		if (!err)
			break;
		assert_int_equal(err, ENOMEM);
	}
	fw_rules_fini(&pl.rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_thousands_of_parts_that_pass_are_a_pass),
		cmocka_unit_test(test_one_cell_that_is_dropped_is_found),
		cmocka_unit_test(test_parts_are_those_of_every_cell),
		cmocka_unit_test(test_a_grid_that_passes_anyhow_is_a_pass),
		cmocka_unit_test(test_a_limit_leaves_the_rest_open),
		cmocka_unit_test(test_no_memory_is_an_error_and_no_leak),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
