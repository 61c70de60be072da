/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>

#include "base/text.h"

static char buf[256];

static const char *finish(struct wr *w)
{
	wr_u8(w, 0);
	assert_false(w->bad);
	return buf;
}

static void test_base64_matches_rfc4648(void **state)
{
	/* RFC 4648, section 10 */
	static const char *const v[][2] = {
		{"", ""},
		{"f", "Zg=="},
		{"fo", "Zm8="},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct wr w = wr_init(buf, sizeof(buf));

		text_base64_put(&w, slice_str(v[i][0]), 0);
		assert_string_equal(finish(&w), v[i][1]);
		w = wr_init(buf, sizeof(buf));
		assert_int_equal(text_base64_read(&w, slice_str(v[i][1])), 0);
		assert_string_equal(finish(&w), v[i][0]);
	}
}

static void test_base64_breaks_lines(void **state)
{
	struct wr w = wr_init(buf, sizeof(buf));

	UNUSED(state);
	text_base64_put(&w, slice_str("foobar"), 4);
	assert_string_equal(finish(&w), "Zm9v\r\nYmFy");
}

static void test_base64_rejects_malformed(void **state)
{
	static const char *const bad[] = {
		"Z", "Zg", "Zg=", "Zg===", "Z*==", "=", "Zg==Zg=="};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct wr w = wr_init(buf, sizeof(buf));

		if (text_base64_read(&w, slice_str(bad[i])) != EBADMSG)
			fail_msg("accepted: %s", bad[i]);
	}
}

static void test_hex_round_trip(void **state)
{
	struct wr w = wr_init(buf, sizeof(buf));

	UNUSED(state);
	text_hex_put(&w, (struct slice)BYTES("\x00\xfeZ"));
	assert_string_equal(finish(&w), "00fe5a");
	w = wr_init(buf, sizeof(buf));
	assert_int_equal(text_hex_read(&w, slice_str("00FE5a")), 0);
	assert_memory_equal(buf, "\x00\xfeZ", 3);
	assert_int_equal(text_hex_read(&w, slice_str("0")), EBADMSG);
	assert_int_equal(text_hex_read(&w, slice_str("0g")), EBADMSG);
}

static void test_escape_loses_nothing(void **state)
{
	static const struct {
		struct slice in;
		const char *out;
	} cases[] = {
		{BYTES("ol\xc3\xa1"), "ol\xc3\xa1"},
		{BYTES("a\xff"), "a\\xff"},
		{BYTES("\\xff"), "\\\\xff"},
		{BYTES("\r\n\t\x01\x7f"), "\\r\\n\\t\\x01\\x7f"},
		{BYTES("\xc0\x80"), "\\xc0\\x80"},          /* overlong NUL */
		{BYTES("\xed\xa0\x80"), "\\xed\\xa0\\x80"}, /* surrogate */
		{BYTES("\xc2\x9b"), "\\xc2\\x9b"},          /* CSI */
		{BYTES("\xe2\x82"), "\\xe2\\x82"},          /* cut short */
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct wr w = wr_init(buf, sizeof(buf));

		text_escape_put(&w, cases[i].in);
		assert_string_equal(finish(&w), cases[i].out);
	}
}

static void test_xml_leaves_no_markup(void **state)
{
	struct wr w = wr_init_heap();

	UNUSED(state);
	text_xml_put(&w, slice_str("<a b='c' d=\"e\">&amp;\xc3\xa7"));
	assert_true(slice_eq_str(wr_slice(&w),
	                         "&lt;a b=&apos;c&apos; d=&quot;e&quot;&gt;"
	                         "&amp;amp;\xc3\xa7"));
	wr_fini(&w);
}

static void test_utf16_becomes_utf8(void **state)
{
	static const struct {
		struct slice in;
		const char *want;
	} rows[] = {
		{BYTES("\xff\xfe"
	               "a\0\r\0\n\0"),
	         "a\r\n"},
		{BYTES("\xfe\xff\0a\0b"), "ab"},
		{BYTES("\xff\xfe\xe7\0\xac\x20"), "\xc3\xa7\xe2\x82\xac"},
		{BYTES("\xff\xfe\x3d\xd8\x00\xde"), "\xf0\x9f\x98\x80"},
		{BYTES("\xfe\xff\xd8\x3d\xde\x00"), "\xf0\x9f\x98\x80"},
		/* Halves of pairs, in the wrong order, alone, and cut. */
		{BYTES("\xff\xfe\x00\xde\x3d\xd8"
	               "a\0"),
	         "\xef\xbf\xbd\xef\xbf\xbd"
	         "a"},
		{BYTES("\xff\xfe"
	               "a\0\x3d\xd8"),
	         "a\xef\xbf\xbd"},
		{BYTES("\xff\xfe"
	               "a\0b"),
	         "a\xef\xbf\xbd"},
		{BYTES("\xff\xfe"), ""},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wr w = wr_init_heap();

		assert_true(text_is_utf16(rows[i].in));
		text_utf16_put(&w, rows[i].in);
		if (!slice_eq_str(wr_slice(&w), rows[i].want))
			fail_msg("row %zu: %.*s", i, (int)w.n, (char *)w.p);
		wr_fini(&w);
	}
	assert_false(text_is_utf16(slice_str("\xff")));
	assert_false(text_is_utf16(slice_str("\xef\xbb\xbf")));
	assert_true(
		slice_eq_str(text_unmarked(slice_str("\xef\xbb\xbfx")), "x"));
	assert_true(slice_eq_str(text_unmarked(slice_str("x")), "x"));
	assert_true(
		slice_eq_str(text_unmarked(slice_str("\xef\xbb")), "\xef\xbb"));
}

static void test_u64_bounds(void **state)
{
	uint64_t v = 7;

	UNUSED(state);
	assert_int_equal(text_u64(&v, slice_str("65536"), 65535), EBADMSG);
	assert_int_equal(text_u64(&v, slice_str(""), 9), EBADMSG);
	assert_int_equal(text_u64(&v, slice_str("+1"), 9), EBADMSG);
	assert_int_equal(text_u64(&v, slice_str("9"), 3), EBADMSG);
	assert_true(v == 7);
	assert_int_equal(
		text_u64(&v, slice_str("18446744073709551615"), UINT64_MAX), 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(
		text_u64(&v, slice_str("18446744073709551616"), UINT64_MAX),
		EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64_matches_rfc4648),
		cmocka_unit_test(test_base64_breaks_lines),
		cmocka_unit_test(test_base64_rejects_malformed),
		cmocka_unit_test(test_hex_round_trip),
		cmocka_unit_test(test_escape_loses_nothing),
		cmocka_unit_test(test_xml_leaves_no_markup),
		cmocka_unit_test(test_utf16_becomes_utf8),
		cmocka_unit_test(test_u64_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
