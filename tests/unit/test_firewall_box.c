/* SPDX-License-Identifier: ISC */
/*
 * Sets of boxes against brute force, in a universe of three dimensions small
 * enough to try each of its points; and what a return does to the rules
 * behind its chain.
 */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "firewall/dialect.h"
#include "firewall/space.h"

enum {
	SIDE = 6,
	POINTS = SIDE * SIDE * SIDE,
	ROUNDS = 400,
};

static uint64_t seed = 1;

static unsigned rnd(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned)(seed >> 33) % n;
}

static const enum fw_dim dims[] = {FW_DIM_DST, FW_DIM_DPORT, FW_DIM_STATE};

static struct fw_box point(unsigned i)
{
	struct fw_box b = {0};

	for (size_t d = 0; d < ARRAY_LEN(dims); d++, i /= SIDE)
		b.lo[dims[d]] = b.hi[dims[d]] = i % SIDE;
	return b;
}

static bool has(const struct fw_set *s, const struct fw_box *p)
{
	for (size_t i = 0; i < s->n; i++) {
		if (fw_box_has(&s->boxes[i], p))
			return true;
	}
	return false;
}

static void fill(struct fw_set *s, unsigned n)
{
	fw_set_init(s);
	while (n--) {
		struct fw_box b = {0};

		for (size_t d = 0; d < ARRAY_LEN(dims); d++) {
			b.lo[dims[d]] = rnd(SIDE);
			b.hi[dims[d]] =
				b.lo[dims[d]] + rnd(SIDE - b.lo[dims[d]]);
		}
		assert_int_equal(fw_set_add(s, &b), 0);
	}
}

/* A value of one dimension stands for two packets. */
static double width(enum fw_dim d, uint32_t id, const void *arg)
{
	UNUSED(id);
	UNUSED(arg);
	return d == FW_DIM_DPORT ? 2 : 1;
}

static void test_union_and_count_agree_with_points(void **state)
{
	UNUSED(state);
	for (unsigned k = 0; k < ROUNDS; k++) {
		struct fw_set a, b, u;
		double n = 0;

		fill(&a, rnd(5));
		fill(&b, rnd(5));
		fw_set_init(&u);
		assert_int_equal(fw_set_union(&u, &a, &b), 0);
		for (unsigned i = 0; i < POINTS; i++) {
			const struct fw_box p = point(i);
			const bool is_in = has(&a, &p) || has(&b, &p);

			assert_int_equal(has(&u, &p), is_in);
			n += is_in ? 2 : 0;
		}
		assert_true(fw_set_count(&u, width, NULL) == n);
		fw_set_fini(&a);
		fw_set_fini(&b);
		fw_set_fini(&u);
	}
}

static void test_common_and_rest_agree_with_points(void **state)
{
	UNUSED(state);
	for (unsigned k = 0; k < ROUNDS; k++) {
		struct fw_set a, b, both, rest, few;
		double n = 0;
		int err;

		fill(&a, rnd(5));
		fill(&b, rnd(5));
		fw_set_init(&both);
		fw_set_init(&rest);
		fw_set_init(&few);
		assert_int_equal(fw_set_intersect(&both, &a, &b), 0);
		assert_int_equal(fw_set_subtract(&rest, &a, &b), 0);
		for (unsigned i = 0; i < POINTS; i++) {
			const struct fw_box p = point(i);
			const bool is_rest = has(&a, &p) && !has(&b, &p);

			assert_int_equal(has(&both, &p),
			                 has(&a, &p) && has(&b, &p));
			assert_int_equal(has(&rest, &p), is_rest);
			n += is_rest ? 2 : 0;
		}
		/* Its boxes are disjoint, or some would count twice. */
		assert_true(fw_set_count(&rest, width, NULL) == n);
		err = fw_set_subtract_within(&few, &a, &b, 1);
		assert_true(err == 0 || (err == E2BIG && few.n == 0));
		if (err == 0)
			assert_int_equal(few.n, rest.n);
		fw_set_fini(&a);
		fw_set_fini(&b);
		fw_set_fini(&both);
		fw_set_fini(&rest);
		fw_set_fini(&few);
	}
}

static void test_subset_agrees_with_points(void **state)
{
	unsigned n_yes = 0, n_no = 0;

	UNUSED(state);
	for (unsigned k = 0; k < ROUNDS; k++) {
		struct fw_set a, b;
		struct fw_box at;
		bool is_subset = true;
		int err;

		fill(&a, 1 + rnd(2));
		fill(&b, 1 + rnd(8));
		for (unsigned i = 0; i < POINTS; i++) {
			const struct fw_box p = point(i);

			is_subset &= !has(&a, &p) || has(&b, &p);
		}
		err = fw_set_is_subset(&at, &a, &b);
		assert_int_equal(err, is_subset ? 0 : ENOENT);
		for (unsigned i = 0; err && i < POINTS; i++) {
			const struct fw_box p = point(i);

			if (!fw_box_has(&at, &p))
				continue;
			assert_true(has(&a, &p));
			assert_false(has(&b, &p));
		}
		n_yes += is_subset;
		n_no += !is_subset;
		fw_set_fini(&a);
		fw_set_fini(&b);
	}
	/* Both happen, or nothing was tested. */
	assert_true(n_yes > 10 && n_no > 10);
}

/* A return keeps packets from the rest of its chain, not from what follows
 * the call: the last rule is reached by them alone. */
static void test_a_return_hides_only_its_own_chain(void **state)
{
	static const char text[] =
		"table inet fw {\n"
		"\tchain calls {\n"
		"\t\tudp dport 5060 return\n"
		"\t\tudp dport 5060 accept\n"
		"\t\tdrop\n"
		"\t}\n"
		"\tchain forward {\n"
		"\t\ttype filter hook forward priority filter; policy drop;\n"
		"\t\tjump calls\n"
		"\t\tudp dport 5060 accept\n"
		"\t}\n"
		"}\n";
	static const struct {
		unsigned line;
		enum fw_reach reach;
	} rows[] = {{3, FW_REACHED},
	            {4, FW_SHADOWED},
	            {5, FW_REACHED},
	            {9, FW_REACHED},
	            {10, FW_REACHED}};
	const struct fw_place place = {.path = FW_PATH_FORWARD};
	struct fw_reach_info *infos;
	struct fw_space *sp = NULL;
	struct fw_rules rules;
	struct arena a;
	struct diag dg;
	size_t n;

	UNUSED(state);
	arena_init(&a);
	fw_rules_init(&rules);
	diag_init(&dg, &a, NULL, slice_str(text));
	assert_int_equal(fw_dialect_find("nftables")
	                         ->parse(&rules, slice_str(text), &dg),
	                 0);
	assert_int_equal(fw_space_alloc(&sp, &rules, NULL, 0, &place, NULL, 0),
	                 0);
	assert_int_equal(fw_space_reach(&infos, &n, &a, sp), 0);
	assert_int_equal(n, ARRAY_LEN(rows));
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(infos[i].rule->line, rows[i].line);
		if (infos[i].reach != rows[i].reach)
			fail_msg("line %u: %d", rows[i].line, infos[i].reach);
	}
	fw_space_free(sp);
	fw_rules_fini(&rules);
	arena_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_union_and_count_agree_with_points),
		cmocka_unit_test(test_common_and_rest_agree_with_points),
		cmocka_unit_test(test_subset_agrees_with_points),
		cmocka_unit_test(test_a_return_hides_only_its_own_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
