/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <string.h>

#include "report/page.h"

static const struct report_style utf8 = {.is_utf8 = true, .width = 40};
static const struct report_style ascii = {.width = 40};

static void check(const struct report_style *st, struct page_para pa,
                  const char *want)
{
	struct wr w = wr_init_heap();

	page_put(&w, st, &pa);
	wr_u8(&w, 0);
	assert_false(w.bad);
	assert_string_equal((const char *)w.p, want);
	wr_fini(&w);
}

static void test_put_wraps_and_hangs(void **state)
{
	struct page_para pa = {
		.indent = 2,
		.hang = 6,
		.lead = "-",
		.lead_columns = 4,
		.text = BYTES("one two three four five six seven eight nine"),
	};

	UNUSED(state);
	check(&utf8, pa,
	      "  -   one two three four five six seven\n      eight nine\n");
}

static void test_put_cuts_a_long_word(void **state)
{
	struct page_para pa = {.text = BYTES("0123456789012345678901234567890"
	                                     "12345678901234567890")};

	UNUSED(state);
	check(&utf8, pa,
	      "0123456789012345678901234567890123456789\n"
	      "01234567890\n");
}

static void test_put_counts_columns_not_bytes(void **state)
{
	/* nineteen wide characters and a combined one: 39 columns */
	struct page_para pa = {
		.text = BYTES(
			"日日日日日日日日日日日日日日日日日日日e\xcc\x81 x")};

	UNUSED(state);
	check(&utf8, pa,
	      "日日日日日日日日日日日日日日日日日日日e\xcc\x81\nx\n");
}

static void test_put_lets_nothing_steer_the_terminal(void **state)
{
	static const struct {
		const char *why;
		struct slice in;
		const char *utf8, *ascii;
	} cases[] = {
		{"escape", BYTES("\x1b[2J"), "\\x1b[2J\n", "\\x1b[2J\n"},
		{"not UTF-8", BYTES("\xff\xc3"), "\\xff\\xc3\n",
	         "\\xff\\xc3\n"},
		{"a C1 control", BYTES("\xc2\x9b"), "\\xc2\\x9b\n",
	         "\\xc2\\x9b\n"},
		{"reversed text", BYTES("\xe2\x80\xae"), "\\xe2\\x80\\xae\n",
	         "\\xe2\\x80\\xae\n"},
		{"words", BYTES("não é “só”…"), "não é “só”…\n",
	         "nao e \"so\"...\n"},
		{"no Latin letter", BYTES("日"), "日\n", "?\n"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct page_para pa = {.text = cases[i].in};

		check(&utf8, pa, cases[i].utf8);
		check(&ascii, pa, cases[i].ascii);
	}
}

static void test_put_colours_only_when_asked(void **state)
{
	struct report_style st = {.has_color = true, .width = 40};
	struct page_para pa = {.lead = "!",
	                       .lead_columns = 2,
	                       .lead_color = PAGE_RED,
	                       .text = BYTES("x")};

	UNUSED(state);
	check(&st, pa, "\x1b[31m!\x1b[0m x\n");
	check(&ascii, pa, "! x\n");
}

static void test_escape_loses_nothing(void **state)
{
	static const struct {
		struct slice in;
		const char *utf8, *ascii;
	} cases[] = {
		{BYTES("a\\b\r\n\t\x01"), "a\\\\b\\r\\n\\t\\x01",
	         "a\\\\b\\r\\n\\t\\x01"},
		{BYTES(" a  b "), "\\x20a  b\\x20", "\\x20a  b\\x20"},
		{BYTES("é\xff"), "é\\xff", "\\xc3\\xa9\\xff"},
		{BYTES("\xe2\x80\xae"), "\\xe2\\x80\\xae", "\\xe2\\x80\\xae"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char buf[64];
		struct wr w = wr_init(buf, sizeof(buf));

		page_escape_put(&w, &utf8, cases[i].in);
		wr_u8(&w, 0);
		assert_string_equal(buf, cases[i].utf8);
		w = wr_init(buf, sizeof(buf));
		page_escape_put(&w, &ascii, cases[i].in);
		wr_u8(&w, 0);
		assert_string_equal(buf, cases[i].ascii);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put_wraps_and_hangs),
		cmocka_unit_test(test_put_cuts_a_long_word),
		cmocka_unit_test(test_put_counts_columns_not_bytes),
		cmocka_unit_test(test_put_lets_nothing_steer_the_terminal),
		cmocka_unit_test(test_put_colours_only_when_asked),
		cmocka_unit_test(test_escape_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
