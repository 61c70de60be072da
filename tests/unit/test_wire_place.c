/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "wire/place.h"

static void test_addr_round_trip_is_masked(void **state)
{
	static const char *const texts[] = {
		"192.0.2.1:5060",
		"[2001:db8::1]:65535",
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		uint8_t buf[WIRE_ADDR_BYTES];
		struct wr w = wr_init(buf, sizeof(buf));
		struct addr a, got;
		struct rd r;

		assert_int_equal(addr_parse_port(&a, slice_str(texts[i])), 0);
		wire_addr_put(&w, &a);
		assert_int_equal(w.n, WIRE_ADDR_BYTES);
		assert_int_equal(slice_find(wr_slice(&w), addr_ip(&a)),
		                 SIZE_MAX);
		r = rd_init(wr_slice(&w));
		got = wire_addr_read(&r);
		assert_false(r.bad);
		assert_true(addr_eq(&a, &got));
	}
}

static void test_addr_none_and_unknown_family(void **state)
{
	uint8_t buf[WIRE_ADDR_BYTES];
	struct wr w = wr_init(buf, sizeof(buf));
	struct addr none = {0};
	struct rd r;

	UNUSED(state);
	wire_addr_put(&w, &none);
	r = rd_init(wr_slice(&w));
	assert_int_equal(wire_addr_read(&r).family, ADDR_NONE);
	assert_false(r.bad);
	buf[0] = 5;
	r = rd_init(wr_slice(&w));
	(void)wire_addr_read(&r);
	assert_true(r.bad);
}

static void test_services_refuse_what_is_not_one(void **state)
{
	static const struct {
		const char *why;
		struct slice in;
	} cases[] = {
		{"nothing", BYTES("")},
		{"fewer than said", BYTES("\x02\x01\x01\x13\xc4")},
		{"too many", BYTES("\x11")},
		{"transport 0", BYTES("\x01\x00\x01\x13\xc4")},
		{"transport 4", BYTES("\x01\x04\x01\x13\xc4")},
		{"role 6", BYTES("\x01\x01\x06\x13\xc4")},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rd r = rd_init(cases[i].in);
		struct wire_services s;

		wire_services_read(&s, &r);
		if (!r.bad)
			fail_msg("accepted: %s", cases[i].why);
	}
}

static void test_services_put_refuses_too_many(void **state)
{
	struct wire_services s = {.n = WIRE_MAX_SERVICES + 1};
	uint8_t buf[256];
	struct wr w = wr_init(buf, sizeof(buf));

	UNUSED(state);
	wire_services_put(&w, &s);
	assert_true(w.bad);
}

static void test_transport_names(void **state)
{
	UNUSED(state);
	assert_string_equal(wire_transport_name(WIRE_UDP), "udp");
	assert_string_equal(wire_transport_name(WIRE_TCP), "tcp");
	assert_string_equal(wire_transport_name(WIRE_TLS), "tls");
	assert_string_equal(wire_transport_name((enum wire_transport)9), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addr_round_trip_is_masked),
		cmocka_unit_test(test_addr_none_and_unknown_family),
		cmocka_unit_test(test_services_refuse_what_is_not_one),
		cmocka_unit_test(test_services_put_refuses_too_many),
		cmocka_unit_test(test_transport_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
