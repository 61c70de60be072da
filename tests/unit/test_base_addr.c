/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>

#include "base/addr.h"

static void test_parse_and_text_agree(void **state)
{
	static const char *const same[] = {"192.0.2.1", "2001:db8::1", "::1"};
	char buf[ADDR_TEXT_BYTES];
	struct addr a;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		assert_int_equal(addr_parse(&a, slice_str(same[i])), 0);
		assert_string_equal(addr_ip_text(&a, buf), same[i]);
	}
	assert_int_equal(addr_parse(&a, slice_str("[2001:db8::1]")), 0);
	assert_int_equal(addr_parse(&a, slice_str("::ffff:192.0.2.7")), 0);
	assert_int_equal(a.family, ADDR_IP4);
}

static void test_parse_port_wants_brackets_for_ip6(void **state)
{
	char buf[ADDR_TEXT_BYTES];
	struct addr a;

	UNUSED(state);
	assert_int_equal(addr_parse_port(&a, slice_str("192.0.2.1:65535")), 0);
	assert_string_equal(addr_text(&a, buf), "192.0.2.1:65535");
	assert_int_equal(addr_parse_port(&a, slice_str("[2001:db8::1]:53")), 0);
	assert_string_equal(addr_text(&a, buf), "[2001:db8::1]:53");
	assert_int_equal(addr_parse_port(&a, slice_str("2001:db8::1:53")),
	                 EBADMSG);
}

static void test_parse_rejects_malformed(void **state)
{
	static const char *const bad[] = {
		"",     "192.0.2",  "192.0.2.256", "a",      "[::1",
		"::1]", "1.2.3.4 ", "0x7f.0.0.1",  "[[::]]",
	};
	static const char *const bad_port[] = {
		"192.0.2.1",       "192.0.2.1:",       ":5060",
		"192.0.2.1:65536", "192.0.2.1:000001", "192.0.2.1:-1",
	};
	struct addr a = {.port = 77};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (addr_parse(&a, slice_str(bad[i])) != EBADMSG)
			fail_msg("accepted: %s", bad[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad_port); i++) {
		if (addr_parse_port(&a, slice_str(bad_port[i])) != EBADMSG)
			fail_msg("accepted: %s", bad_port[i]);
	}
	assert_int_equal(addr_parse(&a, (struct slice)BYTES("1.2.3.4\0")),
	                 EBADMSG);
	assert_int_equal(a.port, 77); /* out: untouched */
}

static void test_prefix_contains(void **state)
{
	struct prefix p;
	struct addr a;

	UNUSED(state);
	assert_int_equal(prefix_parse(&p, slice_str("198.18.0.0/15")), 0);
	assert_int_equal(addr_parse(&a, slice_str("198.19.255.1")), 0);
	assert_true(prefix_has(&p, &a));
	assert_int_equal(addr_parse(&a, slice_str("198.20.0.0")), 0);
	assert_false(prefix_has(&p, &a));
	assert_int_equal(prefix_parse(&p, slice_str("0.0.0.0/0")), 0);
	assert_true(prefix_has(&p, &a));
	assert_int_equal(prefix_parse(&p, slice_str("192.0.2.1/24")), EBADMSG);
	assert_int_equal(prefix_parse(&p, slice_str("192.0.2.0/33")), EBADMSG);
	assert_int_equal(prefix_parse(&p, slice_str("192.0.2.0/")), EBADMSG);
}

static void test_source_is_an_ip4_address_or_a_64(void **state)
{
	static const struct {
		const char *a, *b;
		bool is_same;
	} cases[] = {
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"2001:db8::1", "2001:db8::ffff:0:0:1", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"c000:201::", "192.0.2.1", false},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct addr a, b;

		assert_int_equal(addr_parse(&a, slice_str(cases[i].a)), 0);
		assert_int_equal(addr_parse(&b, slice_str(cases[i].b)), 0);
		b.port = 1;
		if (addr_is_same_source(&a, &b) != cases[i].is_same)
			fail_msg("%s %s", cases[i].a, cases[i].b);
	}
}

static void test_kinds_of_address(void **state)
{
	struct addr a;

	UNUSED(state);
	assert_int_equal(addr_parse(&a, slice_str("100.127.0.1")), 0);
	assert_true(addr_is_cgnat(&a));
	assert_false(addr_is_private(&a));
	assert_int_equal(addr_parse(&a, slice_str("172.31.0.1")), 0);
	assert_true(addr_is_private(&a));
	assert_int_equal(addr_parse(&a, slice_str("2001:db8:1::1")), 0);
	assert_true(addr_is_documentation(&a));
	assert_int_equal(addr_parse(&a, slice_str("127.9.9.9")), 0);
	assert_true(addr_is_loopback(&a));
	assert_false(addr_is_wildcard(&a));
	assert_int_equal(addr_parse(&a, slice_str("0.0.0.0")), 0);
	assert_true(addr_is_wildcard(&a));
	assert_int_equal(addr_parse(&a, slice_str("::")), 0);
	assert_true(addr_is_wildcard(&a));
	a.family = ADDR_NONE;
	assert_false(addr_is_wildcard(&a));
}

static void test_sockaddr_round_trip(void **state)
{
	static const char *const in[] = {"192.0.2.1:5060", "[2001:db8::1]:53"};
	struct sockaddr_storage ss;
	struct addr a, b;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(in); i++) {
		assert_int_equal(addr_parse_port(&a, slice_str(in[i])), 0);
		assert_true(addr_to_sockaddr(&ss, &a) > 0);
		b = addr_from_sockaddr((const struct sockaddr *)&ss);
		assert_true(addr_eq(&a, &b));
	}
	a = (struct addr){0};
	assert_int_equal(addr_to_sockaddr(&ss, &a), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_and_text_agree),
		cmocka_unit_test(test_parse_port_wants_brackets_for_ip6),
		cmocka_unit_test(test_parse_rejects_malformed),
		cmocka_unit_test(test_prefix_contains),
		cmocka_unit_test(test_source_is_an_ip4_address_or_a_64),
		cmocka_unit_test(test_kinds_of_address),
		cmocka_unit_test(test_sockaddr_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
