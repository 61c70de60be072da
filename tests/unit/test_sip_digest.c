/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "oom.h"
#include "sip/digest.h"

#define NONCE_7616  "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
#define CNONCE_7616 "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
#define REALM_7616  "realm=\"http-auth@example.org\", "

/* Section 3.9.1 of RFC 7616, and 3.5 of RFC 2617; the session and the old
 * form follow from their definitions by another program. */
static void test_response_is_that_of_the_rfcs(void **state)
{
	static const struct {
		const char *challenge, *password, *cnonce, *uri, *response;
	} cases[] = {
		{"Digest " REALM_7616 "qop=\"auth, auth-int\", "
	         "algorithm=MD5, nonce=\"" NONCE_7616 "\"",
	         "Circle of Life", CNONCE_7616, "/dir/index.html",
	         "8ca523f5e9506fed4657c9700eebdbec"},
		{"Digest " REALM_7616 "qop=\"auth, auth-int\", "
	         "algorithm=SHA-256, nonce=\"" NONCE_7616 "\"",
	         "Circle of Life", CNONCE_7616, "/dir/index.html",
	         "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856"
	         "cb6c1"},
		{"Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\","
	         " nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
	         "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
	         "Circle Of Life", "0a4f113b", "/dir/index.html",
	         "6629fae49393a05397450978507c4ef1"},
		{"Digest realm=\"testrealm@host.com\", "
	         "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"",
	         "Circle Of Life", "", "/dir/index.html",
	         "670fd8c2df070c60b045671b8b24ff02"},
		{"Digest " REALM_7616 "qop=auth, algorithm=sha-256-SESS, "
	         "nonce=\"" NONCE_7616 "\"",
	         "Circle of Life", CNONCE_7616, "/dir/index.html",
	         "2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232ae1e"
	         "a3efd7"},
		{"Digest " REALM_7616 "qop=auth, algorithm=SHA-512-256, "
	         "nonce=\"" NONCE_7616 "\"",
	         "Circle of Life", CNONCE_7616, "/dir/index.html",
	         "430d05014cecc49cab6fbe03176d41a1da86cbfe24a16580e22aaad928"
	         "d960d0"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sip_challenge c;
		struct sip_digest d = {
			.challenge = &c,
			.user = slice_str("Mufasa"),
			.password = slice_str(cases[i].password),
			.method = slice_str("GET"),
			.uri = slice_str(cases[i].uri),
			.cnonce = slice_str(cases[i].cnonce),
			.nc = 1,
		};
		char buf[128];
		struct wr w = wr_init(buf, sizeof(buf));

		assert_int_equal(
			sip_challenge_read(&c, slice_str(cases[i].challenge)),
			0);
		assert_int_equal(sip_digest_response(&w, &d), 0);
		if (!slice_eq_str(wr_slice(&w), cases[i].response))
			fail_msg("%s: %.*s", cases[i].challenge, (int)w.n, buf);
	}
}

static void test_challenge_reads(void **state)
{
	static const struct {
		const char *why, *value;
		int err;
		bool has_qop, is_stale;
	} cases[] = {
		{"least", "Digest realm=\"r\",nonce=\"n\"", 0, false, false},
		{"case and blanks", "dIGEST\tREALM = \"r\" , Nonce=\"n\"", 0,
	         false, false},
		{"stale", "Digest realm=\"\", nonce=n, stale=TRUE", 0, false,
	         true},
		{"not stale", "Digest realm=r, nonce=n, stale=\"false\"", 0,
	         false, false},
		{"unknown parameters",
	         "Digest realm=\"r\", domain=\"sip:a,b\","
	         " nonce=\"n\", x, qop=\"auth\"",
	         EBADMSG, false, false},
		{"a comma inside quotes",
	         "Digest realm=\"a,b=c\", nonce=\"n\","
	         " qop=\"auth-int,auth\"",
	         0, true, false},
		{"empty items", "Digest , realm=r,, nonce=n,", 0, false, false},
		{"basic", "Basic realm=\"r\"", ENOTSUP, false, false},
		{"no blank", "Digestrealm=r, nonce=n", ENOTSUP, false, false},
		{"nothing", "", ENOTSUP, false, false},
		{"no parameters", "Digest", ENOTSUP, false, false},
		{"no nonce", "Digest realm=\"r\"", EBADMSG, false, false},
		{"empty nonce", "Digest realm=\"r\", nonce=\"\"", EBADMSG,
	         false, false},
		{"no realm", "Digest nonce=\"n\"", EBADMSG, false, false},
		{"algorithm to come", "Digest realm=r, nonce=n, algorithm=SHA3",
	         ENOTSUP, false, false},
		{"integrity only", "Digest realm=r, nonce=n, qop=\"auth-int\"",
	         ENOTSUP, false, false},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sip_challenge c = {.is_proxy = true};
		int err = sip_challenge_read(&c, slice_str(cases[i].value));

		if (err != cases[i].err)
			fail_msg("%s: %d", cases[i].why, err);
		if (err)
			assert_true(c.is_proxy);
		else if (c.has_qop != cases[i].has_qop ||
		         c.is_stale != cases[i].is_stale)
			fail_msg("%s: read wrongly", cases[i].why);
	}
}

static void test_challenge_of_a_message(void **state)
{
	static const struct {
		const char *lines;
		int err;
		const char *nonce;
		bool is_proxy;
	} cases[] = {
		{"WWW-Authenticate: Digest realm=r, nonce=new, "
	         "algorithm=SHA3-512\r\n"
	         "WWW-Authenticate: Digest realm=r, nonce=b, "
	         "algorithm=SHA-256\r\n"
	         "WWW-Authenticate: Digest realm=r, nonce=c\r\n",
	         0, "b", false},
		{"proxy-authenticate: Digest realm=r, nonce=p\r\n", 0, "p",
	         true},
		{"WWW-Authenticate: Basic realm=r\r\n", ENOTSUP, NULL, false},
		{"Server: x\r\n", ENOENT, NULL, false},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[512];
		struct wr w = wr_init(text, sizeof(text));
		struct sip_challenge c;
		struct sip_msg m;

		wr_fmt(&w, "SIP/2.0 401 Unauthorized\r\n%s\r\n",
		       cases[i].lines);
		sip_msg_read(&m, wr_slice(&w));
		assert_int_equal(sip_msg_challenge(&c, &m), cases[i].err);
		if (cases[i].err)
			continue;
		assert_true(slice_eq_str(c.nonce, cases[i].nonce));
		assert_int_equal(c.is_proxy, cases[i].is_proxy);
	}
}

static struct sip_digest digest_of(const struct sip_challenge *c,
                                   const char *user)
{
	return (struct sip_digest){
		.challenge = c,
		.user = slice_str(user),
		.password = slice_str("p"),
		.method = slice_str("REGISTER"),
		.uri = slice_str("sip:example.com"),
		.cnonce = slice_str("c"),
		.nc = 2,
	};
}

static void test_put_is_one_whole_line(void **state)
{
	struct sip_challenge c = {0};
	struct sip_digest d = digest_of(&c, "a\"b\\");
	struct wr w = wr_init_heap();
	struct slice text;

	UNUSED(state);
	assert_int_equal(
		sip_challenge_read(&c, slice_str("Digest realm=\"a\r\n b\", "
	                                         "nonce=\"n\", opaque=\"\", "
	                                         "qop=\"auth\"")),
		0);
	c.is_proxy = true;
	assert_int_equal(sip_digest_put(&w, &d), 0);
	text = wr_slice(&w);
	assert_int_equal(slice_find(text, slice_str("Proxy-Authorization: ")),
	                 0);
	assert_true(slice_find(text, slice_str("username=\"a\\\"b\\\\\"")) !=
	            SIZE_MAX);
	assert_true(slice_find(text, slice_str(", realm=\"a b\", ")) !=
	            SIZE_MAX);
	assert_true(slice_find(text, slice_str(", opaque=\"\", ")) != SIZE_MAX);
	assert_true(
		slice_find(text, slice_str(", qop=auth, nc=00000002\r\n")) !=
		SIZE_MAX);
	/* no byte of the challenge ends the line */
	assert_int_equal(slice_find(text, slice_str("\r\n")), text.n - 2);
	wr_fini(&w);
}

static void test_put_refuses_controls(void **state)
{
	struct sip_challenge c = {0};
	struct sip_digest d = digest_of(&c, "a\r\nb");
	char buf[512];
	struct wr w = wr_init(buf, sizeof(buf));

	UNUSED(state);
	assert_int_equal(
		sip_challenge_read(&c, slice_str("Digest realm=r, nonce=n")),
		0);
	assert_int_equal(sip_digest_put(&w, &d), EINVAL);
	assert_int_equal(w.n, 0);
}

static void test_put_without_memory(void **state)
{
	struct sip_challenge c = {0};
	struct sip_digest d = digest_of(&c, "u");
	int err = ENOMEM;

	UNUSED(state);
	assert_int_equal(
		sip_challenge_read(&c, slice_str("Digest realm=r, nonce=n")),
		0);
	for (unsigned long n = 0; err; n++) {
		struct wr w = wr_init_heap();

		oom_after(n);
		err = sip_digest_put(&w, &d);
		oom_after(OOM_NEVER);
		wr_fini(&w);
		if (err)
			assert_int_equal(err, ENOMEM);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_response_is_that_of_the_rfcs),
		cmocka_unit_test(test_challenge_reads),
		cmocka_unit_test(test_challenge_of_a_message),
		cmocka_unit_test(test_put_is_one_whole_line),
		cmocka_unit_test(test_put_refuses_controls),
		cmocka_unit_test(test_put_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
