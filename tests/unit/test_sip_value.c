/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>

#include "sip/value.h"

static void test_list_minds_quotes_and_angles(void **state)
{
	static const char *const want[] = {"\"a,\\\"b\" <sip:x,y>;q=1", "",
	                                   "c"};
	struct slice rest = slice_str("\"a,\\\"b\" <sip:x,y>;q=1 , ,c"), item;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		assert_true(sip_list_next(&item, &rest));
		assert_true(slice_eq_str(item, want[i]));
	}
	assert_false(sip_list_next(&item, &rest));
}

static void test_params_are_found(void **state)
{
	struct slice text = slice_str(" ;a ; B = \"x;y\";c="), v = {0};

	UNUSED(state);
	assert_true(sip_param_find(&v, text, "b"));
	assert_true(slice_eq_str(v, "\"x;y\""));
	assert_true(sip_param_find(&v, text, "a"));
	assert_null(v.p);
	assert_true(sip_param_find(&v, text, "c"));
	assert_non_null(v.p);
	assert_int_equal(v.n, 0);
	assert_false(sip_param_find(&v, text, "d"));
}

static void test_via_is_cut(void **state)
{
	static const struct {
		const char *text, *sent_by, *host, *port, *params;
	} cases[] = {
		{"SIP/2.0/UDP 192.0.2.1:5060;rport", "192.0.2.1:5060",
	         "192.0.2.1", "5060", ";rport"},
		{"SIP / 2.0\r\n / TCP  a.example ; b=c", "a.example",
	         "a.example", "", "; b=c"},
		{"SIP/2.0/TLS [2001:db8::1]:1", "[2001:db8::1]:1",
	         "[2001:db8::1]", "1", ""},
		{"SIP/2.0/TLS [2001:db8::1]", "[2001:db8::1]", "[2001:db8::1]",
	         "", ""},
	};
	struct sip_via v;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(sip_via_read(&v, slice_str(cases[i].text)), 0);
		assert_true(slice_eq_str(v.sent_by, cases[i].sent_by));
		assert_true(slice_eq_str(v.host, cases[i].host));
		assert_true(slice_eq_str(v.port, cases[i].port));
		assert_true(slice_eq_str(v.params, cases[i].params));
	}
}

static void test_via_rejects_malformed(void **state)
{
	static const char *const bad[] = {"",
	                                  "SIP",
	                                  "SIP/2.0",
	                                  "SIP/2.0/",
	                                  "SIP/2.0/UDP",
	                                  "SIP/2.0/UDP ;a",
	                                  "192.0.2.1:5060;x"};
	struct sip_via v = {.port = {NULL, 7}};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (sip_via_read(&v, slice_str(bad[i])) != EBADMSG)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(v.port.n, 7);
	}
}

static void test_uris_are_cut(void **state)
{
	struct sip_nameaddr na;
	struct sip_uri u;
	struct addr a;

	UNUSED(state);
	sip_nameaddr_read(
		&na,
		slice_str("\"<x>\" <sip:u;p=1@192.0.2.1:5070;lr?a=b>;t=1"));
	assert_true(slice_eq_str(na.display, "\"<x>\""));
	assert_true(slice_eq_str(na.params, ";t=1"));
	assert_int_equal(sip_uri_read(&u, na.uri), 0);
	assert_true(slice_eq_str(u.user, "u;p=1"));
	assert_true(slice_eq_str(u.params, ";lr"));
	assert_true(slice_eq_str(u.headers, "a=b"));
	assert_int_equal(sip_host_addr(&a, u.host, u.port), 0);
	assert_int_equal(a.port, 5070);

	sip_nameaddr_read(&na, slice_str("sip:a;t=1"));
	assert_true(slice_eq_str(na.uri, "sip:a"));
	assert_true(slice_eq_str(na.params, ";t=1"));
	assert_int_equal(sip_uri_read(&u, slice_str("nothing")), EBADMSG);
	assert_int_equal(sip_uri_read(&u, slice_str("sip:u@")), EBADMSG);
	assert_int_equal(sip_host_addr(&a, slice_str("a.b"), na.display),
	                 ENOENT);
	assert_int_equal(
		sip_host_addr(&a, slice_str("192.0.2.1"), slice_str("65536")),
		EBADMSG);
}

static void test_unfold_joins_lines(void **state)
{
	uint8_t buf[64];
	struct wr w = wr_init(buf, sizeof(buf));

	UNUSED(state);
	sip_value_unfold(&w, slice_str("a \r\n\t b\n c  d"));
	assert_true(slice_eq_str(wr_slice(&w), "a b c  d"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list_minds_quotes_and_angles),
		cmocka_unit_test(test_params_are_found),
		cmocka_unit_test(test_via_is_cut),
		cmocka_unit_test(test_via_rejects_malformed),
		cmocka_unit_test(test_uris_are_cut),
		cmocka_unit_test(test_unfold_joins_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
