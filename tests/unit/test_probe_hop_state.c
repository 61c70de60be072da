/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <string.h>

#include "probe/hop_state.h"

enum {
	ALL = HOP_STATE_TRIES,
};

struct path {
	const char *why;
	struct hop_state notes;
	unsigned min, max;
	unsigned hop; /* 0: not exact */
};

static void assert_place(const struct path *p)
{
	struct hop_place pl = hop_state_place(&p->notes);

	if (!pl.is_known || pl.hop_min != p->min || pl.hop_max != p->max ||
	    pl.is_exact != (p->hop > 0) || pl.hop != p->hop)
		fail_msg("%s: known %d, %u to %u, hop %u", p->why, pl.is_known,
		         pl.hop_min, pl.hop_max, pl.hop);
}

static void test_place_is_where_both_ways_meet(void **state)
{
	static const struct path paths[] = {
		{"looks at the TTL first, both ways",
	         {4, 3, false, {0, ALL, ALL, ALL}, {0, 0, ALL, ALL}},
	         2,
	         2,
	         2},
		{"acts before it looks at the TTL, both ways",
	         {4, 2, false, {ALL, ALL, ALL}, {0, 0, 0}},
	         2,
	         2,
	         2},
		{"reads late and swallows early",
	         {4, 3, false, {0, ALL, ALL, ALL}, {0, 0, 0, ALL}},
	         2,
	         3,
	         0},
		{"the first router",
	         {3, 2, false, {ALL, ALL, ALL}, {0, ALL, ALL}},
	         1,
	         1,
	         1},
		{"the last router",
	         {3, 4, false, {0, 0, ALL, ALL}, {0, 0, 0, ALL}},
	         3,
	         3,
	         3},
		{"nobody could ask on the way back",
	         {4, 3, false, {0}, {0}},
	         2,
	         3,
	         0},
		{"or nobody answered there but a hop too far",
	         {4, 3, false, {0, 0, 0, ALL}, {0, 0, 0, ALL}},
	         2,
	         3,
	         0},
		{"one error of a router that limits them is no proof",
	         {4, 3, false, {0, 0, 0, 1}, {0}},
	         2,
	         3,
	         0},
		{"only the way back is known",
	         {4, 0, false, {ALL, ALL, ALL, ALL}, {0, 0, ALL, ALL}},
	         1,
	         2,
	         0},
		{"this computer or the first router",
	         {4, 1, false, {ALL, 0}, {0, 0}},
	         0,
	         1,
	         0},
		{"handed on, so not swallowed",
	         {4, 0, true, {ALL, ALL, ALL, ALL}, {0, 0, ALL, ALL}},
	         2,
	         2,
	         2},
		{"handed on, but a hop between keeps silent",
	         {4, 0, true, {ALL, ALL, 0, ALL}, {0, 0, 0, ALL}},
	         1,
	         3,
	         0},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		assert_place(&paths[i]);
}

static void test_place_is_not_guessed(void **state)
{
	static const struct path paths[] = {
		{.why = "nothing was heard", .notes = {.n_hops = 4}},
		{.why = "it comes here where it should not",
	         .notes = {4, 2, false, {ALL, ALL, ALL}, {1, ALL, ALL}}},
		{.why = "the two ways share no hop",
	         .notes = {4, 4, false, {0, 0, ALL, ALL}, {0, 0, 1, ALL}}},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		if (hop_state_place(&paths[i].notes).is_known)
			fail_msg("%s", paths[i].why);
	}
}

/* Any one note may be missing: it may cost the hop, and moves it never. */
static void test_a_loss_never_moves_it(void **state)
{
	UNUSED(state);
	for (unsigned box = 1; box <= 4; box++) {
		struct hop_state whole = {.n_hops = 4, .effect = box + 1};

		for (unsigned hop = 0; hop <= 4; hop++) {
			whole.n_open[hop] = ALL;
			whole.n_shut[hop] = hop >= box ? ALL : 0;
		}
		for (unsigned hop = 0; hop <= 4; hop++) {
			struct hop_state s = whole;
			struct hop_place pl;

			s.n_shut[hop] = 0;
			pl = hop_state_place(&s);
			assert_true(!pl.is_known ||
			            (pl.hop_min <= box && box <= pl.hop_max));
			s = whole;
			s.n_open[hop] = 0;
			pl = hop_state_place(&s);
			assert_int_equal(pl.hop, box);
		}
		whole.effect++; /* the right one was missed */
		assert_false(hop_state_place(&whole).is_known &&
		             hop_state_place(&whole).hop_min > box);
	}
}

static void test_range_is_about_the_place(void **state)
{
	static const struct {
		unsigned effect, min, max;
	} cases[] = {{0, 0, 5}, {1, 0, 1}, {2, 0, 2},
	             {3, 1, 3}, {5, 3, 5}, {6, 4, 5}};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct hop_state s = {.n_hops = 5, .effect = cases[i].effect};
		unsigned min, max;

		hop_state_range(&min, &max, &s);
		assert_int_equal(min, cases[i].min);
		assert_int_equal(max, cases[i].max);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_place_is_where_both_ways_meet),
		cmocka_unit_test(test_place_is_not_guessed),
		cmocka_unit_test(test_a_loss_never_moves_it),
		cmocka_unit_test(test_range_is_about_the_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
