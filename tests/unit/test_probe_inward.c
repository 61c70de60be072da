/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "probe/inward.h"

/* So many packets that went to nobody, in one pair of moments. */
struct pair {
	int64_t quiet, asked;
};

static enum inward_verdict run(struct pair usual, const struct pair *odd,
                               unsigned n_odd)
{
	struct inward w = {0};
	enum inward_verdict v;

	assert_int_equal(inward_n_asks(&w), 0);
	v = inward_note(&w, usual.quiet);
	for (unsigned i = 0; v == INWARD_GOING && w.n_asks == 0; i++) {
		assert_true(i < 20);
		v = inward_note(&w, usual.quiet);
	}
	for (unsigned i = 0; v == INWARD_GOING; i++) {
		const struct pair *p = i / 2 < n_odd ? &odd[i / 2] : &usual;

		assert_true(i < 2 * INWARD_PAIRS);
		v = inward_note(&w, inward_n_asks(&w) ? p->asked : p->quiet);
	}
	return v;
}

static void test_what_grows_with_the_questions_is_dropped(void **state)
{
	static const struct {
		const char *why;
		struct pair usual, odd[4];
		unsigned n_odd;
		bool is_proved;
	} cases[] = {
		{"each answer", {0, 3}, {{0}}, 0, true},
		{"and its repetitions", {0, 12}, {{0}}, 0, true},
		{"one of three is lost", {0, 2}, {{0}}, 0, true},
		{"two of three are lost", {0, 1}, {{0}}, 0, false},
		{"nothing is dropped", {0, 0}, {{0}}, 0, false},
		{"strangers' packets alone", {4, 4}, {{0}}, 0, false},
		{"some of them besides", {2, 9}, {{0}}, 0, true},
		{"so many that more are asked", {6, 14}, {{0}}, 0, true},
		{"too many to tell", {9, 25}, {{0}}, 0, false},
		{"three pairs fail", {0, 3}, {{0, 0}, {2, 3}, {9, 9}}, 3, true},
		{"so does another",
	         {0, 3},
	         {{0, 0}, {2, 3}, {9, 9}, {0, 1}},
	         4,
	         false},
		{"the counters began anew", {-9, 4}, {{0}}, 0, false},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool is_proved = run(cases[i].usual, cases[i].odd,
		                     cases[i].n_odd) == INWARD_PROVED;

		if (is_proved != cases[i].is_proved)
			fail_msg("%s", cases[i].why);
	}
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 16;
}

/* The worst: as often none as many. */
static void
test_strangers_packets_are_hardly_ever_taken_for_answers(void **state)
{
	uint32_t seed = 1;
	unsigned n_proved = 0;

	UNUSED(state);
	for (int i = 0; i < 20000; i++) {
		struct inward w = {0};
		enum inward_verdict v;

		v = inward_note(&w, 0);
		while (v == INWARD_GOING)
			v = inward_note(&w, next_random(&seed) % 2 ? 4 : 0);
		n_proved += v == INWARD_PROVED;
	}
	assert_in_range(n_proved, 0, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_grows_with_the_questions_is_dropped),
		cmocka_unit_test(
			test_strangers_packets_are_hardly_ever_taken_for_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
