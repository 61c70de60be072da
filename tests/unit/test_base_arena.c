/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <string.h>

#include "base/arena.h"
#include "oom.h"

static void test_alloc_is_zeroed_and_apart(void **state)
{
	struct arena a;
	uint8_t *p[500];

	UNUSED(state);
	arena_init(&a);
	for (size_t i = 0; i < ARRAY_LEN(p); i++) {
		size_t n = i * 13 % 5000 + 1;

		p[i] = arena_alloc(&a, n);
		assert_non_null(p[i]);
		assert_int_equal((uintptr_t)p[i] % _Alignof(max_align_t), 0);
		for (size_t k = 0; k < n; k++)
			assert_int_equal(p[i][k], 0);
		memset(p[i], 0xa5, n);
	}
	arena_fini(&a);
	assert_null(a.blocks);
}

static void test_alloc_refuses_overflow(void **state)
{
	struct arena a;

	UNUSED(state);
	arena_init(&a);
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_null(arena_alloc(&a, SIZE_MAX - 40));
	assert_null(arena_dup(&a, (struct slice){NULL, SIZE_MAX}));
	arena_fini(&a);
}

static void test_fmt_and_dup_end_with_nul(void **state)
{
	struct arena a;

	UNUSED(state);
	arena_init(&a);
	assert_string_equal(arena_fmt(&a, "%s/%d", "udp", 5060), "udp/5060");
	assert_string_equal(arena_dup(&a, (struct slice)BYTES("xyz")), "xyz");
	assert_string_equal(arena_dup(&a, (struct slice){0}), "");
	arena_fini(&a);
}

static void test_no_memory_is_null(void **state)
{
	struct arena a;

	UNUSED(state);
	arena_init(&a);
	oom_after(0);
	assert_null(arena_alloc(&a, 1));
	assert_null(arena_fmt(&a, "x"));
	oom_after(OOM_NEVER);
	arena_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alloc_is_zeroed_and_apart),
		cmocka_unit_test(test_alloc_refuses_overflow),
		cmocka_unit_test(test_fmt_and_dup_end_with_nul),
		cmocka_unit_test(test_no_memory_is_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
