/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "probe/portal.h"

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define PAGE                             \
	"prumo-edge\n\nSome words.\n"    \
	"certificate-sha256: " HASH "\n" \
	"certificate-issuer: CN=edge\n"

static void test_url_host(void **state)
{
	static const struct {
		const char *url, *host;
	} cases[] = {
		{"http://a.example/x", "a.example"},
		{"HTTPS://a.example:8443?x", "a.example"},
		{"//b.example#f", "b.example"},
		{"http://user:pw@c.example/", "c.example"},
		{"http://[2001:db8::1]:80/", "2001:db8::1"},
		{"http://[2001:db8::1", "2001:db8::1"},
		{"/login", ""},
		{"", ""},
		{"ftp://a.example/", ""},
		{"http://", ""},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (!slice_eq_str(portal_url_host(slice_str(cases[i].url)),
		                  cases[i].host))
			fail_msg("%s", cases[i].url);
	}
}

static void test_same_site(void **state)
{
	static const struct {
		const char *a, *b;
		bool is_same;
	} cases[] = {
		{"sip.example.com", "www.example.com", true},
		{"example.com", "WWW.Example.COM", true},
		{"voz.com.br", "www.voz.com.br", true},
		{"voz.com.br", "outra.com.br", false},
		{"example.com", "example.net", false},
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "198.51.2.1", false},
		{"localhost", "example.com", false},
		{"", "example.com", false},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (portal_is_same_site(slice_str(cases[i].a),
		                        slice_str(cases[i].b)) !=
		    cases[i].is_same)
			fail_msg("%s %s", cases[i].a, cases[i].b);
	}
}

static struct portal_signs signs(unsigned status, const char *location,
                                 bool is_tls)
{
	return (struct portal_signs){.host = "sip.example.com",
	                             .addr = {ADDR_IP4, {198, 51, 100, 10}, 0},
	                             .status = status,
	                             .location = slice_str(location),
	                             .is_tls = is_tls};
}

static void test_judge(void **state)
{
	static const struct {
		unsigned status;
		const char *location;
		bool is_tls;
		enum portal portal;
		const char *why;
	} cases[] = {
		{200, "", false, PORTAL_NONE, ""},
		{511, "", false, PORTAL_SURE, "status-511"},
		{302, "http://10.0.0.1/login", false, PORTAL_SURE,
	         "redirect-private"},
		{302, "http://100.64.0.1/", false, PORTAL_SURE,
	         "redirect-private"},
		{302, "http://portal.example.net/", false, PORTAL_LIKELY,
	         "redirect-foreign"},
		{301, "http://portal.example.net/", false, PORTAL_NONE, ""},
		{302, "https://portal.example.net/", true, PORTAL_NONE, ""},
		{302, "https://www.example.com/", false, PORTAL_NONE, ""},
		{302, "https://198.51.100.10/", false, PORTAL_NONE, ""},
		{302, "/login", false, PORTAL_NONE, ""},
		{200, "http://10.0.0.1/login", false, PORTAL_NONE, ""},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct portal_signs s = signs(
			cases[i].status, cases[i].location, cases[i].is_tls);
		const char *why = NULL;

		if (portal_judge(&why, &s) != cases[i].portal)
			fail_msg("%u %s", cases[i].status, cases[i].location);
		assert_string_equal(why, cases[i].why);
	}
}

static void test_judge_reads_the_body(void **state)
{
	struct portal_signs s = signs(200, "", false);
	const char *why;

	UNUSED(state);
	s.body = slice_str("<html><!-- <WISPAccessGatewayParam> --></html>");
	assert_int_equal(portal_judge(&why, &s), PORTAL_SURE);
	assert_string_equal(why, "wispr");
}

static void test_a_private_server_may_redirect_to_its_like(void **state)
{
	struct portal_signs s = signs(302, "http://10.0.0.1/", false);
	const char *why;

	UNUSED(state);
	s.addr = (struct addr){ADDR_IP4, {10, 0, 0, 2}, 0};
	assert_int_equal(portal_judge(&why, &s), PORTAL_LIKELY);
}

static void test_edge_page(void **state)
{
	struct slice hash, issuer, page = BYTES(PAGE);
	struct slice longer = BYTES(PAGE "<script></script>");
	struct slice before = BYTES("<html>\n" PAGE);

	UNUSED(state);
	assert_true(portal_edge_page(&hash, &issuer, page));
	assert_true(slice_eq_str(hash, HASH));
	assert_true(slice_eq_str(issuer, "CN=edge"));
	assert_false(portal_edge_page(&hash, &issuer, longer));
	assert_true(slice_eq_str(hash, HASH));
	assert_false(portal_edge_page(&hash, &issuer, before));
	while (--page.n > 0) {
		if (page.n > sizeof(PAGE) - sizeof("CN=edge\n"))
			continue; /* the issuer may be as short as one likes */
		assert_false(portal_edge_page(&hash, &issuer, page));
	}
	assert_false(portal_edge_page(&hash, &issuer, page));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_url_host),
		cmocka_unit_test(test_same_site),
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_judge_reads_the_body),
		cmocka_unit_test(
			test_a_private_server_may_redirect_to_its_like),
		cmocka_unit_test(test_edge_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
