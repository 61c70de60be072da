/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "wire/text.h"

static void test_find_wants_prefix_and_digits(void **state)
{
	static const struct {
		const char *in;
		bool found;
	} cases[] = {
		{"ab12cd", true}, {"xxAB12CDyy", true}, {"azab12cd", true},
		{"ab12c", false}, {"ab12cg", false},    {"ab 12cd", false},
		{"12cd", false},  {"", false},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t out[2] = {0};

		if (wire_text_find(out, sizeof(out), "ab",
		                   slice_str(cases[i].in)) != cases[i].found)
			fail_msg("wrong about '%s'", cases[i].in);
		assert_int_equal(out[0], cases[i].found ? 0x12 : 0);
	}
}

static void test_find_refuses_what_it_has_no_room_for(void **state)
{
	uint8_t out[64];

	UNUSED(state);
	assert_false(wire_text_find(out, sizeof(out), "ab", slice_str("ab")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find_wants_prefix_and_digits),
		cmocka_unit_test(test_find_refuses_what_it_has_no_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
