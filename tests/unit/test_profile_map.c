/* SPDX-License-Identifier: ISC */
#include <errno.h>

#include "test.h"

#include "profile/map.h"

static struct addr addr_of(const char *text)
{
	struct addr a = {0};

	assert_int_equal(addr_parse(&a, slice_str(text)), 0);
	return a;
}

static void test_map_moves_the_net_and_keeps_the_host(void **state)
{
	static const struct {
		const char *map, *from, *to;
	} cases[] = {
		{"192.0.2.0/24=198.51.100.0/24", "192.0.2.77", "198.51.100.77"},
		{"192.0.2.0/25=198.51.100.128/25", "192.0.2.77",
	         "198.51.100.205"},
		{"192.0.2.7=203.0.113.1", "192.0.2.7", "203.0.113.1"},
		{"192.0.2.0/24=198.51.100.0/24", "192.0.3.77", NULL},
		{"2001:db8:1::/48=2001:db8:2::/48", "2001:db8:1::77",
	         "2001:db8:2::77"},
		{"192.0.2.0/24=198.51.100.0/24", "2001:db8::1", NULL},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct addr a = addr_of(cases[i].from), want;
		struct profile_map m;

		a.port = 5060;
		assert_int_equal(profile_map_parse(&m, slice_str(cases[i].map)),
		                 0);
		want = addr_of(cases[i].to ? cases[i].to : cases[i].from);
		want.port = 5060;
		assert_int_equal(profile_map_apply(&a, &m, 1),
		                 cases[i].to != NULL);
		assert_true(addr_eq(&a, &want));
	}
}

static void test_map_prefers_the_longest_net(void **state)
{
	struct profile_map maps[3];
	struct addr a = addr_of("192.0.2.7"), want = addr_of("203.0.113.9");

	UNUSED(state);
	assert_int_equal(
		profile_map_parse(&maps[0],
	                          slice_str("192.0.2.0/24=198.51.100.0/24")),
		0);
	assert_int_equal(
		profile_map_parse(&maps[1], slice_str("192.0.2.7=203.0.113.9")),
		0);
	maps[2] = maps[0];
	assert_true(profile_map_apply(&a, maps, 3));
	assert_true(addr_eq(&a, &want));
}

static void test_parse_refuses_what_is_no_map(void **state)
{
	static const char *const bad[] = {
		"",
		"=",
		"192.0.2.0/24",
		"192.0.2.0/24=",
		"=192.0.2.0/24",
		"192.0.2.0/24=198.51.100.0/25",
		"192.0.2.1/24=198.51.100.0/24",
		"192.0.2.0/24=2001:db8::/24",
		"192.0.2.0/24=198.51.100.0/24=",
		"sip.example=198.51.100.1",
	};
	struct profile_map m = {.from.n_bits = 77};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (profile_map_parse(&m, slice_str(bad[i])) != EBADMSG)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(m.from.n_bits, 77);
	}
}

static void test_alias_is_for_its_name_only(void **state)
{
	struct addr want = addr_of("2001:db8::1");
	struct profile_alias al;

	UNUSED(state);
	assert_int_equal(
		profile_alias_parse(&al, slice_str("sip.example.:2001:db8::1")),
		0);
	assert_true(addr_eq(&al.addr, &want));
	assert_true(profile_alias_is_for(&al, "SIP.example"));
	assert_true(profile_alias_is_for(&al, "sip.example."));
	assert_false(profile_alias_is_for(&al, "a.sip.example"));
}

static void test_alias_refuses_what_is_none(void **state)
{
	static const char *const bad[] = {
		"",
		":",
		"sip.example",
		"sip.example:",
		":192.0.2.1",
		".:192.0.2.1",
		"sip.example:192.0.2",
		"sip.example:192.0.2.1:5060",
	};
	struct profile_alias al = {.addr.port = 77};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (profile_alias_parse(&al, slice_str(bad[i])) != EBADMSG)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(al.addr.port, 77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map_moves_the_net_and_keeps_the_host),
		cmocka_unit_test(test_map_prefers_the_longest_net),
		cmocka_unit_test(test_parse_refuses_what_is_no_map),
		cmocka_unit_test(test_alias_is_for_its_name_only),
		cmocka_unit_test(test_alias_refuses_what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
