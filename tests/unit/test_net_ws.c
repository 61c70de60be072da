/* SPDX-License-Identifier: ISC */
/* A client against a server of a few lines, over loopback. */
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/http.h"
#include "net/ws.h"
#include "net/ws_frame.h"
#include "net_test.h"
#include "oom.h"

#define SWITCH                                                 \
	"HTTP/1.1 101 Switching Protocols\r\nServer: mock\r\n" \
	"Upgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"

/* What the server says after the key's answer, and what it got. */
struct mock {
	struct net_listener *listener;
	struct net_stream *stream;
	struct wr in;
	bool has_answered;
	const char *head;   /* with no empty line: the accept is added */
	const char *plain;  /* instead of `head`: as it is */
	struct slice after; /* frames, in the same segment */
	bool is_closing;
	char host[64], protocol[64];
};

static struct mock mock;

struct client {
	struct net_ws *ws;
	bool is_open, is_text, is_freeing;
	char subprotocol[32];
	struct wr got;
	unsigned n_messages;
	int err;
	struct slice say;
};

static struct client client;

static void find_header(char out[64], struct slice head, const char *name)
{
	struct rd r = rd_init(head);
	struct slice line, key = slice_str(name);

	while (rd_line(&r, &line)) {
		if (slice_ieq(slice_sub(line, 0, key.n), key)) {
			struct slice v =
				slice_trim(slice_sub(line, key.n, SIZE_MAX));

			assert_true(v.n < 64);
			memcpy(out, v.p, v.n);
			out[v.n] = '\0';
		}
	}
}

static void answer(struct mock *m)
{
	struct slice head = wr_slice(&m->in);
	uint8_t accept[NET_WS_KEY_BYTES];
	struct wr w = wr_init_heap();
	char key[64] = "";

	find_header(key, head, "Sec-WebSocket-Key:");
	find_header(m->host, head, "Host:");
	find_header(m->protocol, head, "Sec-WebSocket-Protocol:");
	assert_int_equal(net_ws_accept(accept, slice_str(key)), 0);
	if (m->plain) {
		wr_str(&w, m->plain);
	} else {
		wr_str(&w, m->head);
		wr_str(&w, "Sec-WebSocket-Accept: ");
		wr_put(&w, (struct slice){accept, sizeof(accept)});
		wr_str(&w, "\r\n\r\n");
	}
	wr_put(&w, m->after);
	assert_false(w.bad);
	assert_int_equal(net_stream_send(m->stream, wr_slice(&w)), 0);
	wr_fini(&w);
	wr_fini(&m->in);
	if (m->is_closing) {
		net_stream_free(m->stream);
		m->stream = NULL;
	}
}

static void mock_data(void *arg, struct slice bytes)
{
	struct mock *m = arg;

	wr_put(&m->in, bytes);
	if (!m->has_answered &&
	    slice_find(wr_slice(&m->in), slice_str("\r\n\r\n")) != SIZE_MAX) {
		m->has_answered = true;
		answer(m);
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

static void mock_start(const char *head, struct slice after)
{
	static const struct net_listener_ops ops = {.on_stream = mock_stream};
	struct addr at = net_test_addr("127.0.0.1");

	mock = (struct mock){
		.head = head, .after = after, .in = wr_init_heap()};
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

static void on_open(void *arg, const char *subprotocol)
{
	struct client *c = arg;

	c->is_open = true;
	strcpy(c->subprotocol, subprotocol);
	if (c->say.n)
		assert_int_equal(net_ws_send(c->ws, true, c->say), 0);
}

static void on_message(void *arg, bool is_text, struct slice message)
{
	struct client *c = arg;

	c->n_messages++;
	c->is_text = is_text;
	wr_put(&c->got, message);
	wr_str(&c->got, "|");
	if (c->is_freeing) {
		net_ws_free(c->ws);
		c->ws = NULL;
		net_stop();
	}
}

static void on_close(void *arg, int err)
{
	struct client *c = arg;

	c->err = err;
	net_stop();
}

static const struct net_ws_ops client_ops = {on_open, on_message, on_close};

static int client_connect(const struct net_ws_conf *conf)
{
	struct addr at = net_listener_local(mock.listener);

	client = (struct client){.got = wr_init_heap(), .err = -1};
	return net_ws_connect(&client.ws, &at, NULL, conf, &client_ops,
	                      &client);
}

static void client_free(void)
{
	net_ws_free(client.ws);
	wr_fini(&client.got);
}

static const struct net_ws_conf sip = {
	.host = "sip.example.com", .path = "/ws", .subprotocol = "sip"};

static void test_messages_come_whole(void **state)
{
	/* two fragments with a ping between, a binary one, an empty one */
	static const char frames[] = "\x01\x03Hel\x89\x01p\x80\x02lo"
				     "\x82\x02xy\x81\x00\x88\x02\x03\xe9";

	UNUSED(state);
	mock_start(SWITCH "Sec-WebSocket-Protocol: sip\r\n",
	           (struct slice)BYTES(frames));
	assert_int_equal(client_connect(&sip), 0);
	net_test_run();
	assert_true(client.is_open);
	assert_string_equal(client.subprotocol, "sip");
	assert_int_equal(client.n_messages, 3);
	assert_true(slice_eq_str(wr_slice(&client.got), "Hello|xy||"));
	assert_int_equal(client.err, 0);
	assert_int_equal(net_ws_close_code(client.ws), 1001);
	assert_int_equal(net_ws_status(client.ws), 101);
	assert_string_equal(net_ws_server(client.ws), "mock");
	assert_string_equal(mock.protocol, "sip");
	assert_int_equal(strncmp(mock.host, "sip.example.com:", 16), 0);
	assert_int_equal(net_ws_send(client.ws, true, slice_str("x")),
	                 ENOTCONN);
	client_free();
	net_test_linger(NS_PER_MS);
	mock_stop();
}

/* The server reads what was sent, and the pong and the close. */
static void test_client_masks_what_it_sends(void **state)
{
	static const enum net_ws_opcode want[] = {NET_WS_TEXT, NET_WS_PONG,
	                                          NET_WS_CLOSE};
	static const char *const payloads[] = {"REGISTER", "hi", "\x03\xe8"};
	struct wr text = wr_init_heap();
	struct net_ws_frame f;
	struct slice in;

	UNUSED(state);
	mock_start(SWITCH, (struct slice)BYTES("\x89\x02hi"));
	assert_int_equal(client_connect(&sip), 0);
	client.say = slice_str("REGISTER");
	assert_int_equal(net_ws_send(client.ws, true, client.say), ENOTCONN);
	net_test_linger(20 * NS_PER_MS);
	assert_true(client.is_open);
	assert_string_equal(client.subprotocol, "");
	client_free();
	net_test_linger(20 * NS_PER_MS);
	in = wr_slice(&mock.in);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		assert_int_equal(net_ws_frame_decode(&f, in, 1024), 0);
		assert_int_equal(f.opcode, want[i]);
		assert_int_equal(f.mask.n, NET_WS_MASK_BYTES);
		net_ws_payload_put(&text, &f);
		assert_true(slice_eq_str(wr_slice(&text), payloads[i]));
		wr_fini(&text);
		in = slice_sub(in, f.bytes, SIZE_MAX);
	}
	assert_int_equal(in.n, 0);
	mock_stop();
}

static void test_what_is_no_switch_ends_it(void **state)
{
	static const struct {
		const char *why, *head, *plain;
		int err;
		unsigned status;
		bool is_closing;
	} cases[] = {
		{"404", NULL, "HTTP/1.1 404 No\r\nServer: x\r\n\r\n",
	         ECONNABORTED, 404, false},
		{"no accept", NULL, SWITCH "\r\n", ECONNABORTED, 101, false},
		{"another's accept", NULL,
	         SWITCH "Sec-WebSocket-Accept: "
	                "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
	         ECONNABORTED, 101, false},
		{"extensions", SWITCH "Sec-WebSocket-Extensions: x\r\n", NULL,
	         ECONNABORTED, 101, false},
		{"no upgrade",
	         "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: y\r\n",
	         NULL, ECONNABORTED, 101, false},
		{"not HTTP", NULL, "SSH-2.0-x\r\n", EPROTO, 0, false},
		{"closed", NULL, "HTTP/1.1 1", ECONNRESET, 0, true},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		mock_start(cases[i].head, (struct slice){0});
		mock.plain = cases[i].plain;
		mock.is_closing = cases[i].is_closing;
		assert_int_equal(client_connect(&sip), 0);
		net_test_run();
		if (client.err != cases[i].err || client.is_open ||
		    net_ws_status(client.ws) != cases[i].status)
			fail_msg("%s: %d", cases[i].why, client.err);
		client_free();
		mock_stop();
	}
}

static void test_bad_frames_end_it(void **state)
{
	static const struct {
		const char *why;
		struct slice frames;
		int err;
	} cases[] = {
		{"masked",
	         BYTES("\x81\x81"
	               "abcd"
	               "x"),
	         EPROTO},
		{"reserved", BYTES("\x83\x00"), EPROTO},
		{"continues nothing", BYTES("\x80\x01x"), EPROTO},
		{"begins twice", BYTES("\x01\x01x\x81\x01y"), EPROTO},
		{"too long", BYTES("\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x01"),
	         EMSGSIZE},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		mock_start(SWITCH, cases[i].frames);
		assert_int_equal(client_connect(&sip), 0);
		net_test_run();
		if (client.err != cases[i].err || client.n_messages)
			fail_msg("%s: %d", cases[i].why, client.err);
		client_free();
		mock_stop();
	}
}

static void test_fragments_together_are_bounded(void **state)
{
	static uint8_t frames[2 * (NET_WS_MESSAGE_BYTES / 2 + 64)];
	static uint8_t half[NET_WS_MESSAGE_BYTES / 2 + 8];
	struct wr w = wr_init(frames, sizeof(frames));

	UNUSED(state);
	net_ws_frame_put(&w, NET_WS_TEXT, false, (struct slice){0},
	                 (struct slice){half, sizeof(half)});
	net_ws_frame_put(&w, NET_WS_CONTINUATION, true, (struct slice){0},
	                 (struct slice){half, sizeof(half)});
	assert_false(w.bad);
	mock_start(SWITCH, wr_slice(&w));
	assert_int_equal(client_connect(&sip), 0);
	net_test_run();
	assert_int_equal(client.err, EMSGSIZE);
	client_free();
	mock_stop();
}

static void test_may_be_freed_by_its_message(void **state)
{
	UNUSED(state);
	mock_start(SWITCH, (struct slice)BYTES("\x81\x01x\x81\x01y"));
	assert_int_equal(client_connect(&sip), 0);
	client.is_freeing = true;
	net_test_run();
	assert_int_equal(client.n_messages, 1);
	assert_int_equal(client.err, -1);
	client_free();
	mock_stop();
}

static void test_connect_refuses_nonsense(void **state)
{
	const struct addr far = net_test_addr("192.0.1.1");
	struct addr at = far;
	struct net_ws_conf bad[] = {
		{.host = ""},
		{.host = "a\r\nb"},
		{.host = "a", .path = "/ b"},
		{.host = "a", .path = "/", .subprotocol = "x\ny"},
		{.host = "a", .origin = "\x7f"},
	};
	struct net_ws *w = NULL;

	UNUSED(state);
	at.port = 80;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(net_ws_connect(&w, &at, NULL, &bad[i],
		                                &client_ops, &client),
		                 EINVAL);
	assert_int_equal(
		net_ws_connect(&w, &at, NULL, &sip, &client_ops, &client),
		EPERM); /* the guard */
	assert_null(w);
}

static void test_connect_survives_no_memory(void **state)
{
	unsigned long n = 0;
	int err = ENOMEM;

	UNUSED(state);
	mock_start(SWITCH, (struct slice){0});
	for (; err; n++) {
		oom_after(n);
		err = client_connect(&sip);
		oom_after(OOM_NEVER);
		assert_true(err == 0 || err == ENOMEM);
	}
	assert_true(n > 3);
	client_free();
	mock_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages_come_whole),
		cmocka_unit_test(test_client_masks_what_it_sends),
		cmocka_unit_test(test_what_is_no_switch_ends_it),
		cmocka_unit_test(test_bad_frames_end_it),
		cmocka_unit_test(test_fragments_together_are_bounded),
		cmocka_unit_test(test_may_be_freed_by_its_message),
		cmocka_unit_test(test_connect_refuses_nonsense),
		cmocka_unit_test(test_connect_survives_no_memory),
	};

	return cmocka_run_group_tests(tests, net_test_setup, net_test_teardown);
}
