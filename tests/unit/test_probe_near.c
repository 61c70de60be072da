/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "base/clock.h"
#include "probe/near.h"

#define MS(n) ((n)*NS_PER_MS)

static void test_near_needs_two_answers_or_a_known_way(void **state)
{
	static const struct {
		const char *why;
		struct near_times t;
		bool is_near;
	} cases[] = {
		{"one slow answer may be a slow server",
	         {MS(1), 0, {MS(60)}, 1},
	         false},
		{"two slow answers", {MS(1), 0, {MS(60), MS(45)}, 2}, true},
		{"one is quick", {MS(1), 0, {MS(60), MS(2)}, 2}, false},
		{"a known way", {MS(1), MS(40), {MS(60)}, 1}, true},
		{"known to be short", {MS(1), MS(1), {MS(60)}, 1}, false},
		{"known, but nothing was answered",
	         {MS(1), MS(40), {0}, 0},
	         false},
		{"not four times", {MS(20), 0, {MS(79), MS(79)}, 2}, false},
		{"four times", {MS(20), 0, {MS(80), MS(80)}, 2}, true},
		{"within the margin", {MS(1), 0, {MS(20), MS(20)}, 2}, false},
		{"over the margin", {MS(1), 0, {MS(21), MS(21)}, 2}, true},
		{"the connect was not timed", {0, MS(40), {MS(60)}, 1}, false},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (near_is_near(&cases[i].t) != cases[i].is_near)
			fail_msg("%s", cases[i].why);
	}
}

static void test_far_is_the_least(void **state)
{
	const struct near_times none = {.connect_ns = MS(1)};
	const struct near_times t = {MS(1), MS(50), {MS(70), MS(30)}, 2};

	UNUSED(state);
	assert_int_equal(near_far_ns(&none), 0);
	assert_int_equal(near_far_ns(&t), MS(30));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_near_needs_two_answers_or_a_known_way),
		cmocka_unit_test(test_far_is_the_least),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
