/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "edge/web.h"

#define WALL_NS (INT64_C(784111777) * NS_PER_S) /* RFC 9110, 5.6.7 */
#define UPGRADE                                                                \
	"GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n" \
	"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"                  \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static const struct edge_web_conf conf = {
	.name = "prumo-edge",
	.sha256 = {0xab, 0xcd},
	.issuer = "CN=lab",
};

static char text[EDGE_WEB_ANSWER_MAX_BYTES + 1];

static enum edge_web_next ask(const char *request)
{
	struct wr w = wr_init(text, sizeof(text) - 1);
	struct edge_web_request r;
	enum edge_web_next next;
	size_t n = 0;

	assert_int_equal(edge_web_read(&r, &n, slice_str(request)), 0);
	assert_int_equal(n, strlen(request));
	next = edge_web_answer(&w, &conf, &r, WALL_NS);
	assert_false(w.bad);
	text[w.n] = '\0';
	return next;
}

static bool has(const char *part)
{
	return strstr(text, part) != NULL;
}

static void test_root_says_what_it_is(void **state)
{
	UNUSED(state);
	assert_int_equal(ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
	                 EDGE_WEB_MORE);
	assert_true(has("HTTP/1.1 200 OK\r\nServer: prumo-edge\r\n"
	                "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
	assert_true(has("\r\n\r\nprumo-edge\n"));
	assert_true(has("certificate-sha256: abcd0000"));
	assert_true(has("certificate-issuer: CN=lab\n"));
	assert_int_equal(ask("GET " EDGE_WEB_PIN_PATH "?x HTTP/1.0\r\n\r\n"),
	                 EDGE_WEB_CLOSE);
	assert_true(has("Content-Length: 65\r\n"));
	assert_true(has("Connection: close\r\n\r\nabcd00"));
}

static void test_head_has_the_length_and_no_body(void **state)
{
	UNUSED(state);
	assert_int_equal(ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"),
	                 EDGE_WEB_MORE);
	assert_false(has("Content-Length: 0\r\n"));
	assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\n");
}

static void test_answer_by_method_and_path(void **state)
{
	static const struct {
		const char *request, *part;
		enum edge_web_next next;
	} cases[] = {
		{"GET /x HTTP/1.1\r\nHost: a\r\n\r\n", " 404 ", EDGE_WEB_MORE},
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab",
	         " 404 ", EDGE_WEB_MORE},
		{"DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", "Allow: GET",
	         EDGE_WEB_MORE},
		{"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", " 204 ",
	         EDGE_WEB_MORE},
		{"GET / HTTP/1.1\r\nhost: a\r\nconnection: x, CLOSE\r\n\r\n",
	         "Connection: close", EDGE_WEB_CLOSE},
		{"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
	         "Connection: keep-alive", EDGE_WEB_MORE},
		{"POST /http-bind HTTP/1.1\r\nHost: a\r\nContent-Length: 21"
	         "\r\n\r\n<body xmlns='urn:x'/>",
	         " 400 ", EDGE_WEB_MORE},
		{"POST /http-bind HTTP/1.1\r\nHost: a\r\nContent-Length: 60"
	         "\r\n\r\n<body xmlns='http://jabber.org/protocol/httpbind' "
	         "to='b.a'/>",
	         "sid='prumo-edge-", EDGE_WEB_MORE},
		{UPGRADE "\r\n", " 400 ", EDGE_WEB_MORE},
		{UPGRADE "Sec-WebSocket-Protocol: chat\r\n\r\n", " 400 ",
	         EDGE_WEB_MORE},
		{UPGRADE "Sec-WebSocket-Protocol: chat, sip\r\n\r\n",
	         "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
	         "Sec-WebSocket-Protocol: sip\r\n\r\n",
	         EDGE_WEB_SIP},
		{UPGRADE "Sec-WebSocket-Protocol: xmpp\r\n\r\n",
	         "101 Switching", EDGE_WEB_XMPP},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (ask(cases[i].request) != cases[i].next ||
		    !has(cases[i].part))
			fail_msg("%s\n%s", cases[i].request, text);
	}
}

static void test_read_rejects_malformed(void **state)
{
	static const struct {
		const char *in;
		int err;
	} cases[] = {
		{"\r\n\r\n", EBADMSG},
		{"GET /\r\n\r\n", EBADMSG},
		{"GET / HTTP/2.0\r\n\r\n", EBADMSG},
		{"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", EBADMSG},
		{"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", EBADMSG},
		{"OPTIONS sip:a SIP/2.0\r\nHost: a\r\n\r\n", EBADMSG},
		{"GET / HTTP/1.1\r\n\r\n", EBADMSG}, /* no Host */
		{"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", EBADMSG},
		{"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", EBADMSG},
		{"GET / HTTP/1.1\r\nHost : a\r\n\r\n", EBADMSG},
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
	         EBADMSG},
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
	         "Content-Length: 2\r\n\r\nab",
	         EBADMSG},
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4097\r\n\r\n",
	         EMSGSIZE},
		{"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked"
	         "\r\n\r\n0\r\n\r\n",
	         ENOTSUP},
	};
	struct edge_web_request r = {.minor = 77};
	size_t n = 77;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (edge_web_read(&r, &n, slice_str(cases[i].in)) !=
		    cases[i].err)
			fail_msg("%s", cases[i].in);
	}
	assert_int_equal(r.minor, 77);
	assert_int_equal(n, 77);
}

static void test_read_waits_for_the_whole(void **state)
{
	struct slice in = slice_str(
		"POST /http-bind HTTP/1.1\r\nHost: a\r\nContent-Length: 3"
		"\r\n\r\nabc");
	struct edge_web_request r;
	size_t n;

	UNUSED(state);
	assert_int_equal(edge_web_read(&r, &n, in), 0);
	assert_true(slice_eq_str(r.body, "abc"));
	while (in.n-- > 0)
		assert_int_equal(edge_web_read(&r, &n, in), EAGAIN);
}

static void test_read_bounds_a_head_without_end(void **state)
{
	static char in[EDGE_WEB_HEAD_MAX_BYTES + 1];
	struct edge_web_request r;
	size_t n;

	UNUSED(state);
	memset(in, 'a', sizeof(in) - 1);
	assert_int_equal(edge_web_read(&r, &n, slice_str(in)), EMSGSIZE);
	in[sizeof(in) - 2] = '\0';
	assert_int_equal(edge_web_read(&r, &n, slice_str(in)), EAGAIN);
}

static void test_refusal_names_the_fault(void **state)
{
	static const struct {
		int err;
		const char *status;
	} cases[] = {
		{EBADMSG, " 400 "}, {EMSGSIZE, " 413 "}, {ENOTSUP, " 411 "}};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct wr w = wr_init(text, sizeof(text) - 1);

		edge_web_refuse(&w, &conf, cases[i].err, WALL_NS);
		assert_false(w.bad);
		text[w.n] = '\0';
		assert_true(has(cases[i].status));
		assert_true(has("Connection: close\r\n"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_root_says_what_it_is),
		cmocka_unit_test(test_head_has_the_length_and_no_body),
		cmocka_unit_test(test_answer_by_method_and_path),
		cmocka_unit_test(test_read_rejects_malformed),
		cmocka_unit_test(test_read_waits_for_the_whole),
		cmocka_unit_test(test_read_bounds_a_head_without_end),
		cmocka_unit_test(test_refusal_names_the_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
