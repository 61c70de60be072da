/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "profile/slip.h"

static void test_distance_counts_slips(void **state)
{
	static const struct {
		const char *a, *b;
		size_t distance;
	} cases[] = {
		{"", "", 0},
		{"", "abc", 3},
		{"same", "same", 0},
		{"Case", "cASE", 0},
		{"conntrack", "contrack", 1},
		{"algartelem", "algartelecom", 2},
		{"exmaple", "example", 1},
		{"kitten", "sitting", 3},
		{"ab", "ba", 1},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice a = slice_str(cases[i].a);
		struct slice b = slice_str(cases[i].b);

		assert_int_equal(profile_slip_distance(a, b),
		                 cases[i].distance);
		assert_int_equal(profile_slip_distance(b, a),
		                 cases[i].distance);
	}
}

static void test_distance_refuses_long_words(void **state)
{
	uint8_t word[PROFILE_SLIP_MAX_BYTES + 1] = {0};
	struct slice fits = {word, PROFILE_SLIP_MAX_BYTES};
	struct slice too_long = {word, sizeof(word)};

	UNUSED(state);
	assert_int_equal(profile_slip_distance(fits, fits), 0);
	assert_true(profile_slip_distance(fits, too_long) == SIZE_MAX);
	assert_false(profile_is_slip(fits, too_long));
}

static void test_slip_grows_with_the_word(void **state)
{
	static const struct {
		const char *a, *b;
		bool is_slip;
	} cases[] = {
		{"abc", "abd", false},           {"abcd", "abce", true},
		{"abcd", "abef", false},         {"abcdefgh", "abcdefxy", true},
		{"abcdefgh", "abcdexyz", false}, {"same", "same", false},
		{"google", "googleapis", false},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(profile_is_slip(slice_str(cases[i].a),
		                                 slice_str(cases[i].b)),
		                 cases[i].is_slip);
}

static void test_registrable_domain(void **state)
{
	static const struct {
		const char *name, *domain, *label;
	} cases[] = {
		{"a.b.example.com.br", "example.com.br", "example"},
		{"example.com.br", "example.com.br", "example"},
		{"com.br", "com.br", "com"},
		{"a.example.net", "example.net", "example"},
		{"example.net.", "example.net", "example"},
		{"app.squad.us", "squad.us", "squad"},
		{"x.example.dev", "example.dev", "example"},
		{"com.example.com", "example.com", "example"},
		{"localhost", "localhost", "localhost"},
		{"", "", ""},
		{".", "", ""},
		{"..", ".", ""},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice d;

		d = profile_domain_registrable(slice_str(cases[i].name));
		if (!slice_eq_str(d, cases[i].domain))
			fail_msg("%s: %.*s", cases[i].name, (int)d.n,
			         (const char *)d.p);
		assert_true(
			slice_eq_str(profile_domain_label(d), cases[i].label));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_distance_counts_slips),
		cmocka_unit_test(test_distance_refuses_long_words),
		cmocka_unit_test(test_slip_grows_with_the_word),
		cmocka_unit_test(test_registrable_domain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
