/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "fact/val.h"

static void test_map_keeps_order_and_nests(void **state)
{
	struct val m = val_map(), *list;
	bool no_memory = false;
	struct arena a;

	UNUSED(state);
	arena_init(&a);
	(void)val_put(&a, &no_memory, &m, "b", val_int(2));
	list = val_put(&a, &no_memory, &m, "a", val_list());
	(void)val_put(&a, &no_memory, list, NULL, val_text("x"));
	assert_false(no_memory);
	assert_string_equal(m.items.first->key, "b");
	assert_int_equal(val_get_int(&m, "b", -1), 2);
	assert_int_equal(val_get_int(&m, "zz", -1), -1);
	assert_int_equal(val_get(&m, "a")->items.n, 1);
	assert_null(val_get(list, "a"));
	assert_int_equal(val_get_text(&m, "b").n, 0);
	arena_fini(&a);
}

static void test_put_into_scalar_is_reported(void **state)
{
	struct val v = val_int(1);
	bool no_memory = false;
	struct arena a;

	UNUSED(state);
	arena_init(&a);
	assert_non_null(val_put(&a, &no_memory, &v, "k", val_bool(true)));
	assert_true(no_memory);
	arena_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map_keeps_order_and_nests),
		cmocka_unit_test(test_put_into_scalar_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
