/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "report/report.h"

static void check(struct slice text, struct slice at, const char *want)
{
	static const struct report_style st = {.is_utf8 = true, .width = 40};
	struct wr w = wr_init_heap();
	struct arena a;
	struct diag dg;

	arena_init(&a);
	diag_init(&dg, &a, "p.yaml", text);
	diag_add(&dg, DIAG_ERROR, at, "%s", "a message that is not wrapped");
	assert_int_equal(report_write_diag(&w, &dg, &st), 0);
	wr_u8(&w, 0);
	assert_string_equal((const char *)w.p, want);
	wr_fini(&w);
	arena_fini(&a);
}

static void test_diag_marks_the_token(void **state)
{
	struct slice text = BYTES("one\nhost: wrong.example\n");

	UNUSED(state);
	check(text, slice_sub(text, 10, 5),
	      "p.yaml:2:7: error: a message that is not wrapped\n"
	      "    host: wrong.example\n"
	      "          ^~~~~\n");
}

static void test_diag_marks_by_columns(void **state)
{
	struct slice text = BYTES("\t日\x1b é: bad");

	UNUSED(state);
	check(text, slice_sub(text, text.n - 3, 3),
	      "p.yaml:1:11: error: a message that is not wrapped\n"
	      "     日\\x1b é: bad\n"
	      "               ^~~\n");
}

static void test_diag_without_place(void **state)
{
	struct slice text = BYTES("x");

	UNUSED(state);
	check(text, (struct slice){0},
	      "p.yaml: error: a message that is not wrapped\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_diag_marks_the_token),
		cmocka_unit_test(test_diag_marks_by_columns),
		cmocka_unit_test(test_diag_without_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
