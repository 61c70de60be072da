/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "base/diag.h"

static void test_item_has_place_and_quote(void **state)
{
	static const char text[] = "one\ntwo three\n\nfour";
	struct slice in = slice_str(text);
	struct arena a;
	struct diag dg;

	UNUSED(state);
	arena_init(&a);
	diag_init(&dg, &a, "x.yaml", in);
	diag_add(&dg, DIAG_ERROR, slice_sub(in, 8, 5), "no %s", "number");
	diag_add(&dg, DIAG_WARN, slice_sub(in, 0, 3), "earlier");
	diag_add(&dg, DIAG_NOTE, slice_sub(in, 15, 4), "later");
	diag_add_at(&dg, DIAG_ERROR, 2, 5, "by number");

	assert_int_equal(dg.first->line, 2);
	assert_int_equal(dg.first->column, 5);
	assert_int_equal(dg.first->mark_bytes, 5);
	assert_true(slice_eq_str(dg.first->quote, "two three"));
	assert_string_equal(dg.first->message, "no number");
	assert_int_equal(dg.first->next->line, 1);
	assert_int_equal(dg.first->next->next->line, 4);
	assert_int_equal(dg.first->next->next->column, 1);
	assert_true(slice_eq_str(dg.last->quote, "two three"));
	assert_int_equal(dg.n_errors, 2);
	assert_int_equal(dg.n_warnings, 1);
	arena_fini(&a);
}

static void test_flood_is_counted_not_kept(void **state)
{
	struct arena a;
	struct diag dg;

	UNUSED(state);
	arena_init(&a);
	diag_init(&dg, &a, NULL, slice_str("x"));
	for (int i = 0; i < DIAG_MAX_ITEMS + 5; i++)
		diag_add(&dg, DIAG_ERROR, (struct slice){0}, "again");
	assert_int_equal(dg.n_errors, DIAG_MAX_ITEMS + 5);
	assert_int_equal(dg.n_dropped, 5);
	assert_int_equal(dg.first->line, 0);
	arena_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_item_has_place_and_quote),
		cmocka_unit_test(test_flood_is_counted_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
