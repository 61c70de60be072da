/* SPDX-License-Identifier: ISC */
/* A client against a server of a few lines, over loopback. */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "net/http.h"
#include "net_test.h"
#include "oom.h"

struct mock {
	struct net_listener *listener;
	struct net_stream *stream;
	struct wr in;
	struct slice say; /* empty: closes */
	bool is_closing;
};

struct client {
	struct net_http *http;
	bool is_open, is_whole;
	unsigned n_answers, status;
	int err;
	int64_t first_byte_ns;
	struct wr body, raw;
};

static struct mock mock;
static struct client client;

static void mock_data(void *arg, struct slice bytes)
{
	struct mock *m = arg;

	wr_put(&m->in, bytes);
	if (slice_find(wr_slice(&m->in), slice_str("\r\n\r\n")) == SIZE_MAX)
		return;
	if (m->say.n)
		assert_int_equal(net_stream_send(m->stream, m->say), 0);
	if (m->is_closing || m->say.n == 0) {
		net_stream_free(m->stream);
		m->stream = NULL;
	}
}

static void mock_closed(void *arg, int err)
{
	UNUSED(arg);
	UNUSED(err);
}

static void mock_stream(void *arg, struct net_stream *s)
{
	static const struct net_stream_ops ops = {NULL, mock_data, mock_closed};
	struct mock *m = arg;

	m->stream = s;
	net_stream_set_ops(s, &ops, m);
}

static void mock_start(struct slice say, bool is_closing)
{
	static const struct net_listener_ops ops = {.on_stream = mock_stream};
	struct addr at = net_test_addr("::1");

	mock = (struct mock){
		.say = say, .is_closing = is_closing, .in = wr_init_heap()};
	assert_int_equal(
		net_listener_open(&mock.listener, &at, NULL, 0, &ops, &mock),
		0);
}

static void mock_stop(void)
{
	net_stream_free(mock.stream);
	net_listener_close(mock.listener);
	wr_fini(&mock.in);
}

static void on_open(void *arg)
{
	((struct client *)arg)->is_open = true;
}

static void on_answer(void *arg, const struct net_http_answer *a)
{
	struct client *c = arg;

	c->n_answers++;
	c->err = a->err;
	c->status = a->msg ? a->msg->status : 0;
	c->is_whole = a->is_body_whole;
	c->first_byte_ns = a->first_byte_ns;
	wr_put(&c->body, a->body);
	wr_put(&c->raw, a->raw);
	net_stop();
}

static const struct net_http_ops client_ops = {on_open, on_answer};
static const struct net_http_conf conf = {.host = "::1"};

static int client_get(void)
{
	struct addr at = net_listener_local(mock.listener);

	client = (struct client){
		.body = wr_init_heap(), .raw = wr_init_heap(), .err = -1};
	return net_http_get(&client.http, &at, NULL, &conf, &client_ops,
	                    &client);
}

static void client_free(void)
{
	net_http_free(client.http);
	wr_fini(&client.body);
	wr_fini(&client.raw);
}

static void test_get_takes_an_answer(void **state)
{
	static const struct {
		const char *why, *say;
		bool is_closing;
		unsigned status;
		const char *body;
		bool is_whole;
		int err;
		const char *raw;
	} cases[] = {
		{"length, stays open",
	         "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", false, 200,
	         "hi", true, 0, ""},
		{"to the end", "HTTP/1.1 200 OK\r\n\r\nhi", true, 200, "hi",
	         true, 0, ""},
		{"cut short", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi",
	         true, 200, "hi", false, 0, ""},
		{"after an interim answer",
	         "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
	         "HTTP/1.1 204 No\r\n\r\n",
	         false, 204, "", true, 0, ""},
		{"not HTTP", "220 mail.example.com ESMTP\r\n", false, 0, "",
	         false, EBADMSG, "220 mail.example.com ESMTP\r\n"},
		{"half a head", "HTTP/1.1 200 OK\r\nA", true, 0, "", false,
	         ECONNRESET, "HTTP/1.1 200 OK\r\nA"},
		{"nothing", "", true, 0, "", false, ECONNRESET, ""},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		mock_start(slice_str(cases[i].say), cases[i].is_closing);
		assert_int_equal(client_get(), 0);
		net_test_run();
		if (client.n_answers != 1 || !client.is_open ||
		    client.status != cases[i].status ||
		    client.is_whole != cases[i].is_whole ||
		    client.err != cases[i].err ||
		    !slice_eq_str(wr_slice(&client.body), cases[i].body) ||
		    !slice_eq_str(wr_slice(&client.raw), cases[i].raw))
			fail_msg("%s", cases[i].why);
		assert_true(!*cases[i].say == !client.first_byte_ns);
		client_free();
		mock_stop();
	}
}

static void test_get_says_what_a_server_needs(void **state)
{
	struct slice asked;

	UNUSED(state);
	mock_start((struct slice)BYTES("HTTP/1.1 204 x\r\n\r\n"), false);
	assert_int_equal(client_get(), 0);
	net_test_run();
	asked = wr_slice(&mock.in);
	assert_int_equal(slice_find(asked, slice_str("GET / HTTP/1.1\r\n"
	                                             "Host: [::1]:")),
	                 0);
	assert_true(slice_find(asked, slice_str("\r\nConnection: close\r\n")) !=
	            SIZE_MAX);
	client_free();
	mock_stop();
}

static void test_get_is_bounded(void **state)
{
	struct wr w = wr_init_heap();

	UNUSED(state);
	wr_str(&w, "HTTP/1.1 200 OK\r\n\r\n");
	while (w.n < 2 * NET_HTTP_BODY_BYTES)
		wr_str(&w, "0123456789abcdef");
	mock_start(wr_slice(&w), false);
	assert_int_equal(client_get(), 0);
	net_test_run();
	assert_int_equal(client.status, 200);
	assert_int_equal(client.body.n, NET_HTTP_BODY_BYTES);
	assert_false(client.is_whole);
	client_free();
	mock_stop();
	wr_fini(&w);
}

static void test_get_is_refused(void **state)
{
	UNUSED(state);
	mock_start((struct slice){0}, false);
	assert_int_equal(client_get(), 0);
	net_listener_close(mock.listener);
	mock.listener = NULL;
	net_test_run();
	assert_true(client.err == ECONNREFUSED || client.err == ECONNRESET);
	client_free();
	mock_stop();
}

static void test_get_refuses_nonsense(void **state)
{
	const struct net_http_conf bad[] = {
		{.host = "a b"},
		{.host = ""},
		{.host = "a", .target = "/x\r\nHost: b"},
	};
	struct addr at = net_test_addr("192.0.1.1");
	struct net_http *h = NULL;

	UNUSED(state);
	at.port = 80;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(
			net_http_get(&h, &at, NULL, &bad[i], &client_ops, NULL),
			EINVAL);
	assert_int_equal(net_http_get(&h, &at, NULL, &conf, &client_ops, NULL),
	                 EPERM);
	assert_null(h);
}

static void test_get_survives_no_memory(void **state)
{
	unsigned long n = 0;
	int err = ENOMEM;

	UNUSED(state);
	mock_start((struct slice){0}, false);
	for (; err; n++) {
		oom_after(n);
		err = client_get();
		oom_after(OOM_NEVER);
		assert_true(err == 0 || err == ENOMEM);
	}
	assert_true(n > 2);
	client_free();
	mock_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get_takes_an_answer),
		cmocka_unit_test(test_get_says_what_a_server_needs),
		cmocka_unit_test(test_get_is_bounded),
		cmocka_unit_test(test_get_is_refused),
		cmocka_unit_test(test_get_refuses_nonsense),
		cmocka_unit_test(test_get_survives_no_memory),
	};

	return cmocka_run_group_tests(tests, net_test_setup, net_test_teardown);
}
