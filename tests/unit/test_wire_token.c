/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <string.h>

#include "wire/token.h"

enum {
	NOW_S = 1700000000,
};

static const uint8_t secret[WIRE_SECRET_BYTES] =
	"not very secret, but 32 bytes...";

static struct addr ip(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(&a, slice_str(text)), 0);
	return a;
}

static void test_check_accepts_its_own(void **state)
{
	struct addr a = ip("192.0.2.1"), b = ip("2001:db8::1");
	struct wire_token t;

	UNUSED(state);
	wire_token_make(&t, secret, &a, NOW_S);
	assert_true(wire_token_check(&t, secret, &a, NOW_S));
	a.port = 5060; /* the port does not count */
	assert_true(wire_token_check(&t, secret, &a, NOW_S));
	wire_token_make(&t, secret, &b, NOW_S);
	assert_true(wire_token_check(&t, secret, &b, NOW_S));
}

static void test_check_rejects_other_ip_and_secret(void **state)
{
	struct addr a = ip("192.0.2.1"), b = ip("192.0.2.2"), none = {0};
	uint8_t other[WIRE_SECRET_BYTES];
	struct wire_token t;

	UNUSED(state);
	memcpy(other, secret, sizeof(other));
	other[31] ^= 1;
	wire_token_make(&t, secret, &a, NOW_S);
	assert_false(wire_token_check(&t, secret, &b, NOW_S));
	assert_false(wire_token_check(&t, secret, &none, NOW_S));
	assert_false(wire_token_check(&t, other, &a, NOW_S));
}

static void test_check_rejects_each_flipped_bit(void **state)
{
	struct addr a = ip("192.0.2.1");
	struct wire_token t;

	UNUSED(state);
	wire_token_make(&t, secret, &a, NOW_S);
	for (size_t i = 0; i < 8 * sizeof(t.mac); i++) {
		struct wire_token bad = t;

		bad.mac[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_false(wire_token_check(&bad, secret, &a, NOW_S));
	}
	t.expiry_s--;
	assert_false(wire_token_check(&t, secret, &a, NOW_S));
}

static void test_check_ends_in_time(void **state)
{
	struct addr a = ip("192.0.2.1");
	struct wire_token t;

	UNUSED(state);
	wire_token_make(&t, secret, &a, NOW_S);
	assert_true(
		wire_token_check(&t, secret, &a, NOW_S + WIRE_TOKEN_LIFE_S));
	assert_false(wire_token_check(&t, secret, &a,
	                              NOW_S + WIRE_TOKEN_LIFE_S + 1));
	/* made by a clock ahead of ours: nobody's */
	assert_false(wire_token_check(&t, secret, &a, NOW_S - 1));
}

static void test_text_round_trip(void **state)
{
	struct wire_token t, got = {0};
	struct addr a = ip("192.0.2.1");
	uint8_t text[WIRE_TOKEN_CHARS + 2] = "x";
	struct wr w = wr_init(text + 1, WIRE_TOKEN_CHARS);
	struct slice in;

	UNUSED(state);
	wire_token_make(&t, secret, &a, NOW_S);
	wire_token_put(&w, &t);
	assert_false(w.bad);
	assert_int_equal(w.n, WIRE_TOKEN_CHARS);
	in = (struct slice){text, WIRE_TOKEN_CHARS + 1};
	assert_true(wire_token_find(&got, in));
	assert_memory_equal(&got, &t, sizeof(t));
	while (in.n-- > 0)
		assert_false(wire_token_find(&got, in));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check_accepts_its_own),
		cmocka_unit_test(test_check_rejects_other_ip_and_secret),
		cmocka_unit_test(test_check_rejects_each_flipped_bit),
		cmocka_unit_test(test_check_ends_in_time),
		cmocka_unit_test(test_text_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
