/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>

#include "net/http.h"
#include "oom.h"

#define HEAD "HTTP/1.1 200 OK\r\nServer: nginx\r\nX-A:  b \r\nX-A: c\r\n\r\n"

static void test_decode_reads_an_answer(void **state)
{
	struct slice in = BYTES(HEAD "body");
	struct net_http_msg m;

	UNUSED(state);
	assert_int_equal(net_http_decode(&m, in), 0);
	assert_int_equal(m.status, 200);
	assert_int_equal(m.minor, 1);
	assert_true(slice_eq_str(m.reason, "OK"));
	assert_int_equal(m.n_headers, 3);
	assert_int_equal(m.head_bytes, sizeof(HEAD) - 1);
	assert_true(slice_eq_str(net_http_header(&m, "SERVER"), "nginx"));
	assert_true(slice_eq_str(net_http_header(&m, "x-a"), "b"));
	assert_int_equal(net_http_header(&m, "Via").n, 0);
}

static void test_decode_wants_every_prefix_longer(void **state)
{
	struct slice in = BYTES(HEAD);
	struct net_http_msg m = {.status = 777};

	UNUSED(state);
	while (in.n-- > 0) {
		assert_int_equal(net_http_decode(&m, in), EAGAIN);
		assert_int_equal(m.status, 777);
	}
}

static void test_decode_takes_what_servers_send(void **state)
{
	static const struct {
		struct slice in;
		unsigned status;
	} cases[] = {
		{BYTES("HTTP/1.0 404\r\n\r\n"), 404},
		{BYTES("HTTP/1.1 511 Network Authentication Required\n\n"),
	         511},
		{BYTES("HTTP/1.1 200 \r\nEmpty:\r\n\r\n"), 200},
	};
	struct net_http_msg m;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(net_http_decode(&m, cases[i].in), 0);
		assert_int_equal(m.status, cases[i].status);
	}
}

static void test_decode_rejects_malformed(void **state)
{
	static const struct {
		const char *why;
		struct slice in;
	} cases[] = {
		{"SSH", BYTES("SSH-2.0-OpenSSH_9\r\n\r\n")},
		{"one byte is enough", BYTES("x")},
		{"HTTP/2", BYTES("HTTP/2 200\r\n\r\n")},
		{"no status", BYTES("HTTP/1.1 \r\n\r\n")},
		{"status of two digits", BYTES("HTTP/1.1 20 OK\r\n\r\n")},
		{"status of four digits", BYTES("HTTP/1.1 2000 OK\r\n\r\n")},
		{"status below 100", BYTES("HTTP/1.1 099 OK\r\n\r\n")},
		{"no blank", BYTES("HTTP/1.1_200 OK\r\n\r\n")},
		{"no colon", BYTES("HTTP/1.1 200 OK\r\nServer\r\n\r\n")},
		{"no name", BYTES("HTTP/1.1 200 OK\r\n: x\r\n\r\n")},
		{"blank before the colon",
	         BYTES("HTTP/1.1 200 OK\r\nServer : x\r\n\r\n")},
		{"folded", BYTES("HTTP/1.1 200 OK\r\nA: b\r\n c: d\r\n\r\n")},
	};
	struct net_http_msg m = {.status = 777};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (net_http_decode(&m, cases[i].in) != EBADMSG)
			fail_msg("accepted: %s", cases[i].why);
		assert_int_equal(m.status, 777);
	}
}

static void test_decode_is_bounded(void **state)
{
	struct wr w = wr_init_heap();
	struct net_http_msg m;

	UNUSED(state);
	wr_str(&w, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i <= NET_HTTP_HEADERS_MAX; i++)
		wr_str(&w, "A: b\r\n");
	wr_str(&w, "\r\n");
	assert_int_equal(net_http_decode(&m, wr_slice(&w)), EMSGSIZE);
	wr_fini(&w);
	wr_str(&w, "HTTP/1.1 200 OK\r\nA: ");
	while (w.n < NET_HTTP_HEAD_BYTES)
		wr_str(&w, "xxxxxxxxxxxxxxxx");
	assert_int_equal(net_http_decode(&m, wr_slice(&w)), EMSGSIZE);
	wr_fini(&w);
}

struct body_case {
	const char *why, *head, *in;
	bool over;
	int err;
	const char *body;
};

static void check_body(const struct body_case *c)
{
	struct wr body = wr_init_heap();
	struct net_http_msg m;

	assert_int_equal(net_http_decode(&m, slice_str(c->head)), 0);
	if (net_http_body(&body, &m, slice_str(c->in), c->over) != c->err ||
	    (c->err == 0 && !slice_eq_str(wr_slice(&body), c->body)))
		fail_msg("%s", c->why);
	wr_fini(&body);
}

#define LENGTH_5 "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
#define CHUNKED  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define TO_END   "HTTP/1.1 200 OK\r\n\r\n"

static void test_body_keeps_to_its_framing(void **state)
{
	static const struct body_case cases[] = {
		{"length", LENGTH_5, "12345", false, 0, "12345"},
		{"more than its length", LENGTH_5, "1234567", false, 0,
	         "12345"},
		{"shorter yet", LENGTH_5, "1234", false, EAGAIN, ""},
		{"shorter for ever", LENGTH_5, "1234", true, ECONNRESET, ""},
		{"to the end, open", TO_END, "12", false, EAGAIN, ""},
		{"to the end", TO_END, "12", true, 0, "12"},
		{"no content", "HTTP/1.1 204 No\r\n\r\n", "", false, 0, ""},
		{"not modified", "HTTP/1.1 304 No\r\n\r\n", "", false, 0, ""},
		{"chunks", CHUNKED, "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
	         false, 0, "abcde"},
		{"a chunk to come", CHUNKED, "3\r\nabc\r\n", false, EAGAIN, ""},
		{"half a size", CHUNKED, "1", false, EAGAIN, ""},
		{"half a chunk", CHUNKED, "a\r\nabc", false, EAGAIN, ""},
		{"half a chunk, closed", CHUNKED, "a\r\nabc", true, ECONNRESET,
	         ""},
		{"no size", CHUNKED, "\r\nabc", false, EBADMSG, ""},
		{"a size of letters", CHUNKED, "xyz\r\n", false, EBADMSG, ""},
		{"a huge size", CHUNKED, "fffffffff\r\n", false, EBADMSG, ""},
		{"more than its size", CHUNKED, "2\r\nabc\r\n", false, EBADMSG,
	         ""},
		{"gzip", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
	         "x", false, EBADMSG, ""},
		{"length of letters",
	         "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "x", false,
	         EBADMSG, ""},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_body(&cases[i]);
}

static void test_body_is_bounded(void **state)
{
	struct wr in = wr_init_heap(), body = wr_init_heap();
	struct net_http_msg m;

	UNUSED(state);
	wr_str(&in, "ffffffff\r\n");
	while (in.n < NET_HTTP_BODY_BYTES + 64)
		wr_str(&in, "0123456789abcdef");
	assert_int_equal(net_http_decode(&m, slice_str(CHUNKED)), 0);
	assert_int_equal(net_http_body(&body, &m, wr_slice(&in), false), 0);
	assert_int_equal(body.n, NET_HTTP_BODY_BYTES);
	wr_fini(&body);
	assert_int_equal(net_http_decode(&m, slice_str(TO_END)), 0);
	assert_int_equal(net_http_body(&body, &m, wr_slice(&in), false), 0);
	assert_int_equal(body.n, NET_HTTP_BODY_BYTES);
	wr_fini(&body);
	wr_fini(&in);
}

static void test_body_survives_no_memory(void **state)
{
	struct wr body = wr_init_heap();
	struct net_http_msg m;

	UNUSED(state);
	assert_int_equal(net_http_decode(&m, slice_str(LENGTH_5)), 0);
	oom_after(0);
	assert_int_equal(net_http_body(&body, &m, slice_str("12345"), false),
	                 ENOMEM);
	oom_after(OOM_NEVER);
	wr_fini(&body);
}

static void test_date(void **state)
{
	static const struct {
		const char *text;
		int64_t s;
	} good[] = {
		{"Thu, 01 Jan 1970 00:00:00 GMT", 0},
		{"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
		{"Thu, 29 Feb 2024 23:59:59 GMT", 1709251199},
		{"Fri, 01 Mar 2024 00:00:00 GMT", 1709251200},
	};
	static const char *const bad[] = {
		"",
		"Sunday, 06-Nov-94 08:49:37 GMT",
		"Sun Nov  6 08:49:37 1994",
		"Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 Nvo 1994 08:49:37 GMT",
		"Sun, 00 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 24:49:37 GMT",
		"Sun, 06 Nov 1994 08:60:37 GMT",
		"Sun, 06 Nov 1969 08:49:37 GMT",
		"Sun, +6 Nov 1994 08:49:37 GMT",
	};
	int64_t s = 77;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (net_http_date(&s, slice_str(bad[i])) != EBADMSG)
			fail_msg("accepted: %s", bad[i]);
	}
	assert_int_equal(s, 77);
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(net_http_date(&s, slice_str(good[i].text)), 0);
		assert_int_equal(s, good[i].s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode_reads_an_answer),
		cmocka_unit_test(test_decode_wants_every_prefix_longer),
		cmocka_unit_test(test_decode_takes_what_servers_send),
		cmocka_unit_test(test_decode_rejects_malformed),
		cmocka_unit_test(test_decode_is_bounded),
		cmocka_unit_test(test_body_keeps_to_its_framing),
		cmocka_unit_test(test_body_is_bounded),
		cmocka_unit_test(test_body_survives_no_memory),
		cmocka_unit_test(test_date),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
