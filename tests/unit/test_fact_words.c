/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "fact/words.h"

static const char *swapped(const char *msgid)
{
	UNUSED(msgid);
	return "%2$s antes de %1$s 100%%";
}

static void put(char *buf, size_t n, struct words ws, words_translate_fn *t)
{
	struct wr w = wr_init(buf, n);

	words_put(&w, &ws, t);
	wr_u8(&w, 0);
	assert_false(w.bad);
}

static void test_arguments_follow_the_translation(void **state)
{
	struct words ws = {"%1$s after %2$s", {"B", "A"}};
	char buf[64];

	UNUSED(state);
	put(buf, sizeof(buf), ws, words_english);
	assert_string_equal(buf, "B after A");
	put(buf, sizeof(buf), ws, swapped);
	assert_string_equal(buf, "A antes de B 100%");
}

static void test_nothing_else_is_a_directive(void **state)
{
	struct words ws = {"%n %s %7$s %1$d %3$s|%", {"x"}};
	char buf[64];

	UNUSED(state);
	put(buf, sizeof(buf), ws, words_english);
	assert_string_equal(buf, "%n %s %7$s %1$d |%");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arguments_follow_the_translation),
		cmocka_unit_test(test_nothing_else_is_a_directive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
