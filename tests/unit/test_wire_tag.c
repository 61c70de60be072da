/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <string.h>

#include "wire/tag.h"

static const struct wire_tag tag = {
	.session = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef},
	.shot = 0xbeef,
};

static void test_put_is_legal_in_sip(void **state)
{
	char text[WIRE_TAG_CHARS + 1] = {0};
	struct wr w = wr_init(text, WIRE_TAG_CHARS);

	UNUSED(state);
	wire_tag_put(&w, &tag);
	assert_false(w.bad);
	assert_string_equal(text, "prm10123456789abcdefbeef");
}

static void test_find_survives_damage(void **state)
{
	static const struct slice cases[] = {
		BYTES("prm10123456789abcdefbeef"),
		BYTES("Via: SIP/2.0/UDP x;branch=z9hG4bKprm10123456789abcdefbeef"),
		BYTES("PRM10123456789ABCDEFBEEF\r\n"),
		BYTES("prm1prm10123456789abcdefbeefprm1ffffffffffffffff0000"),
		BYTES("\0\xffprm1012345678 prm10123456789abcdefbeef"),
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct wire_tag got = {0};

		if (!wire_tag_find(&got, cases[i]))
			fail_msg("not found: %zu", i);
		assert_memory_equal(got.session, tag.session,
		                    sizeof(got.session));
		assert_int_equal(got.shot, tag.shot);
	}
}

static void test_find_rejects_every_prefix(void **state)
{
	struct slice in = BYTES("prm10123456789abcdefbeef");
	struct wire_tag got = {.shot = 7};

	UNUSED(state);
	while (in.n-- > 0)
		assert_false(wire_tag_find(&got, in));
	assert_int_equal(got.shot, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put_is_legal_in_sip),
		cmocka_unit_test(test_find_survives_damage),
		cmocka_unit_test(test_find_rejects_every_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
