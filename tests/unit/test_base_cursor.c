/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <string.h>

#include "oom.h"

static void test_rd_is_sticky(void **state)
{
	struct rd r = rd_init((struct slice)BYTES("\x01\x02\x03"));

	UNUSED(state);
	assert_int_equal(rd_u16(&r), 0x0102);
	assert_int_equal(rd_u16(&r), 0);
	assert_true(r.bad);
	assert_int_equal(rd_u8(&r), 0); /* though one byte was there */
}

static void test_rd_integers_are_big_endian(void **state)
{
	struct rd r = rd_init((struct slice)BYTES(
		"\x01\x02\x03\x04\x05\x06\x07\x08\xff\xee\xdd\xcc"));

	UNUSED(state);
	assert_true(rd_u64(&r) == UINT64_C(0x0102030405060708));
	assert_int_equal(rd_u32(&r), 0xffeeddcc);
	assert_false(r.bad);
}

static void test_rd_line_takes_every_ending(void **state)
{
	static const char *const want[] = {"a", "", "b", "c", "d"};
	struct rd r = rd_init((struct slice)BYTES("a\r\n\nb\nc\rd"));
	struct slice line;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		assert_true(rd_line(&r, &line));
		assert_true(slice_eq_str(line, want[i]));
	}
	assert_false(rd_line(&r, &line));
}

static void test_wr_refuses_what_does_not_fit(void **state)
{
	uint8_t buf[4];
	struct wr w = wr_init(buf, sizeof(buf));

	UNUSED(state);
	wr_str(&w, "abc");
	wr_str(&w, "de");
	assert_true(w.bad);
	wr_str(&w, "f"); /* would fit, but a hole is worse than nothing */
	assert_int_equal(w.n, 3);
}

static void test_wr_fmt_keeps_room_for_no_nul(void **state)
{
	uint8_t buf[5];
	struct wr w = wr_init(buf, sizeof(buf));

	UNUSED(state);
	wr_fmt(&w, "%d", 1234);
	assert_false(w.bad);
	assert_int_equal(w.n, 4);
}

static void test_wr_heap_survives_no_memory(void **state)
{
	UNUSED(state);
	for (unsigned long n = 0;; n++) {
		struct wr w = wr_init_heap();
		bool is_bad;

		oom_after(n);
		for (int i = 0; i < 1000; i++)
			wr_u32(&w, 7);
		oom_after(OOM_NEVER);
		is_bad = w.bad;
		if (!is_bad)
			assert_int_equal(w.n, 4000);
		wr_fini(&w);
		if (!is_bad)
			break;
		assert_true(n < 100);
	}
}

static void test_slice_find_and_sub_clip(void **state)
{
	struct slice s = slice_str("hello");

	UNUSED(state);
	assert_int_equal(slice_find(s, slice_str("llo")), 2);
	assert_true(slice_find(s, slice_str("lloo")) == SIZE_MAX);
	assert_int_equal(slice_find(s, slice_str("")), 0);
	assert_true(slice_eq_str(slice_sub(s, 3, 100), "lo"));
	assert_int_equal(slice_sub(s, 5, 1).n, 0);
	assert_true(slice_eq_str(slice_trim(slice_str(" \t x y\r\n")), "x y"));
	assert_true(slice_ieq(slice_str("VIA"), slice_str("via")));
	assert_false(slice_eq(slice_str("VIA"), slice_str("via")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rd_is_sticky),
		cmocka_unit_test(test_rd_integers_are_big_endian),
		cmocka_unit_test(test_rd_line_takes_every_ending),
		cmocka_unit_test(test_wr_refuses_what_does_not_fit),
		cmocka_unit_test(test_wr_fmt_keeps_room_for_no_nul),
		cmocka_unit_test(test_wr_heap_survives_no_memory),
		cmocka_unit_test(test_slice_find_and_sub_clip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
