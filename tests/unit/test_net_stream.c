/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/stream.h"
#include "net/tls.h"
#include "net/udp.h"
#include "net_test.h"
#include "oom.h"

/* One end of a stream: what happened to it, and what it does about it. */
struct end {
	struct net_stream *s;
	struct wr got;
	size_t n_wanted;   /* stops the loop when it has got so many bytes */
	const char *hello; /* said when open */
	bool is_echo, is_freeing, is_quiet;
	bool is_open, is_closed;
	int close_err;
};

static void end_free(struct end *e)
{
	net_stream_free(e->s);
	wr_fini(&e->got);
	memset(e, 0, sizeof(*e));
	e->got = wr_init_heap();
}

static void on_open(void *arg)
{
	struct end *e = arg;

	e->is_open = true;
	if (e->hello)
		assert_int_equal(net_stream_send(e->s, slice_str(e->hello)), 0);
}

static void on_data(void *arg, struct slice bytes)
{
	struct end *e = arg;

	assert_true(bytes.n > 0);
	wr_put(&e->got, bytes);
	if (e->is_echo)
		assert_int_equal(net_stream_send(e->s, bytes), 0);
	if (e->is_freeing) {
		net_stream_free(e->s);
		e->s = NULL;
	}
	if (e->got.n == e->n_wanted)
		net_stop();
}

static void on_close(void *arg, int err)
{
	struct end *e = arg;

	assert_false(e->is_closed);
	e->is_closed = true;
	e->close_err = err;
	if (e->is_freeing) {
		net_stream_free(e->s);
		e->s = NULL;
	}
	if (!e->is_quiet)
		net_stop();
}

static const struct net_stream_ops ops = {on_open, on_data, on_close};
static struct end client, server;
static struct net_listener *listener;
static struct net_tls *client_tls, *server_tls;
static bool is_welcome = true, is_closing_listener;
static const char *refusal_text = "";
static int n_asked, n_streams, n_dropped, dropped_err;

static bool may_accept(void *arg, const struct addr *peer)
{
	UNUSED(arg);
	assert_true(addr_is_loopback(peer));
	n_asked++;
	return is_welcome;
}

static void on_stream(void *arg, struct net_stream *s)
{
	struct end *e = arg;

	n_streams++;
	e->s = s;
	e->is_open = true;
	net_stream_set_ops(s, &ops, e);
	if (e->hello)
		assert_int_equal(net_stream_send(s, slice_str(e->hello)), 0);
	if (is_closing_listener) {
		net_listener_close(listener);
		listener = NULL;
	}
}

static void on_dropped(void *arg, const struct addr *peer, int err)
{
	UNUSED(arg);
	assert_true(addr_is_loopback(peer));
	n_dropped++;
	dropped_err = err;
	net_stop();
}

static void refuse(void *arg, const struct addr *peer, struct wr *w)
{
	UNUSED(arg);
	assert_true(addr_is_loopback(peer));
	wr_str(w, refusal_text);
}

static const struct net_listener_ops listener_ops = {may_accept, refuse,
                                                     on_stream, on_dropped};

static struct addr serve(const char *ip, struct net_tls *tls, unsigned flags)
{
	struct addr at = net_test_addr(ip);

	n_asked = n_streams = n_dropped = dropped_err = 0;
	is_welcome = true;
	is_closing_listener = false;
	end_free(&client);
	end_free(&server);
	assert_int_equal(net_listener_open(&listener, &at, tls, flags,
	                                   &listener_ops, &server),
	                 0);
	at = net_listener_local(listener);
	assert_int_not_equal(at.port, 0);
	return at;
}

static void finish(void)
{
	end_free(&client);
	end_free(&server);
	net_listener_close(listener);
	listener = NULL;
}

static void dial(const struct addr *to, struct net_tls *tls)
{
	/* that could come, and does not */
	const struct net_stream_conf conf = {.refusal = slice_str("NO NO!")};

	assert_int_equal(
		net_stream_connect_as(&client.s, to, tls, &conf, &ops, &client),
		0);
	assert_false(client.is_open || client.is_closed);
}

static const struct {
	const char *ip;
	bool has_tls, is_sniffed, dials_tls;
} ways[] = {
	{"127.0.0.1", false, false, false}, {"::1", false, false, false},
	{"127.0.0.1", true, false, true},   {"::1", true, false, true},
	{"127.0.0.1", true, true, false},   {"127.0.0.1", true, true, true},
};

static struct addr serve_way(size_t i)
{
	print_message("way %zu\n", i);
	return serve(ways[i].ip, ways[i].has_tls ? server_tls : NULL,
	             ways[i].is_sniffed ? NET_LISTEN_SNIFF_TLS : 0);
}

static void test_both_ends_talk_every_way(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		struct addr to = serve_way(i), peer, local;

		client.hello = "OPTIONS";
		server.is_echo = true;
		client.n_wanted = 7;
		dial(&to, ways[i].dials_tls ? client_tls : NULL);
		net_test_run();
		assert_true(client.is_open);
		assert_true(slice_eq_str(wr_slice(&client.got), "OPTIONS"));
		assert_true(slice_eq_str(wr_slice(&server.got), "OPTIONS"));
		assert_int_equal(net_stream_is_tls(client.s),
		                 ways[i].dials_tls);
		assert_int_equal(net_stream_is_tls(server.s),
		                 ways[i].dials_tls);
		peer = net_stream_peer(server.s);
		local = net_stream_local(client.s);
		assert_true(addr_eq(&peer, &local));
		peer = net_stream_peer(client.s);
		local = net_stream_local(server.s);
		assert_true(addr_eq(&peer, &to));
		assert_true(addr_eq(&local, &to));
		assert_int_equal(net_stream_set_ttl(client.s, 1), 0);
		assert_int_equal(net_stream_set_ttl(client.s, 255), 0);
		assert_int_equal(net_stream_set_ttl(client.s, 256), EINVAL);
		assert_int_equal(net_stream_set_ttl(client.s, 0), EINVAL);
		assert_int_equal(n_asked, 1);
		assert_int_equal(n_streams, 1);
		assert_int_equal(n_dropped, 0);
		finish();
	}
}

/* First in the clear, then once more when TLS is there. */
static void on_open_secure(void *arg)
{
	struct end *e = arg;

	if (net_stream_is_tls(e->s)) {
		assert_non_null(net_stream_tls_version(e->s));
		assert_int_equal(net_stream_start_tls(e->s, client_tls),
		                 EINVAL);
		on_open(e);
		return;
	}
	assert_false(e->is_open);
	assert_int_equal(net_stream_start_tls(e->s, client_tls), 0);
	assert_int_equal(net_stream_start_tls(e->s, client_tls), EINVAL);
}

static void test_open_stream_turns_into_tls(void **state)
{
	static const struct net_stream_ops secure = {on_open_secure, on_data,
	                                             on_close};
	struct addr to = serve("127.0.0.1", server_tls, 0);

	UNUSED(state);
	client.hello = "<stream/>";
	client.n_wanted = 9;
	server.is_echo = true;
	assert_int_equal(
		net_stream_connect(&client.s, &to, NULL, &secure, &client), 0);
	assert_int_equal(net_stream_start_tls(client.s, client_tls), EINVAL);
	net_test_run();
	assert_true(slice_eq_str(wr_slice(&client.got), "<stream/>"));
	assert_true(net_stream_is_tls(client.s));
	finish();

	/* nobody there speaks it */
	to = serve("127.0.0.1", NULL, 0);
	server.is_echo = true;
	assert_int_equal(
		net_stream_connect(&client.s, &to, NULL, &secure, &client), 0);
	net_test_run();
	assert_false(client.is_open);
	assert_true(client.is_closed);
	assert_int_equal(client.close_err, EPROTO);
	finish();
}

static void test_fingerprint_is_the_servers(void **state)
{
	struct addr to = serve("127.0.0.1", server_tls, 0);
	uint8_t seen[32], own[32];

	UNUSED(state);
	assert_int_equal(net_tls_set_name(client_tls, "edge.example.com"), 0);
	server.hello = "x";
	client.n_wanted = 1;
	dial(&to, client_tls);
	assert_int_equal(net_stream_peer_fingerprint(client.s, seen), ENOENT);
	assert_null(net_stream_tls_version(client.s));
	net_test_run();
	assert_int_equal(net_stream_peer_fingerprint(client.s, seen), 0);
	assert_int_equal(net_tls_fingerprint(server_tls, own), 0);
	assert_memory_equal(seen, own, sizeof(own));
	assert_int_equal(net_stream_peer_fingerprint(server.s, seen), ENOENT);
	assert_string_equal(net_stream_tls_version(client.s), "TLSv1.3");
	finish();
}

static void test_peer_that_goes_is_a_close_without_error(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		struct addr to = serve_way(i);

		client.hello = "bye";
		server.is_freeing = true;
		dial(&to, ways[i].dials_tls ? client_tls : NULL);
		net_test_run();
		assert_true(client.is_closed);
		assert_int_equal(client.close_err, 0);
		assert_int_equal(net_stream_send(client.s, slice_str("x")),
		                 ENOTCONN);
		finish();
	}
}

static void test_last_words_arrive_before_the_close(void **state)
{
	/* more than the server reads at once: it answers and leaves with the
	 * rest unread, which must not turn its FIN into a reset */
	static char question[20000 + 1];

	UNUSED(state);
	memset(question, 'q', sizeof(question) - 1);
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		struct addr to = serve_way(i);

		client.hello = question;
		server.is_echo = server.is_freeing = true;
		dial(&to, ways[i].dials_tls ? client_tls : NULL);
		net_test_run();
		assert_true(client.is_closed);
		assert_int_equal(client.close_err, 0);
		assert_int_equal(client.got.n, server.got.n);
		assert_in_range(client.got.n, 1, sizeof(question) - 2);
		finish();
	}
}

static void test_abrupt_close_is_a_reset(void **state)
{
	UNUSED(state);
	for (int is_abrupt = 0; is_abrupt < 2; is_abrupt++) {
		struct net_stream_conf conf = {.is_abrupt = is_abrupt != 0};
		struct addr to = serve_way(0);

		client.hello = "x";
		server.n_wanted = 1;
		assert_int_equal(net_stream_connect_as(&client.s, &to, NULL,
		                                       &conf, &ops, &client),
		                 0);
		net_test_run();
		assert_false(server.is_closed);
		net_stream_free(client.s);
		client.s = NULL;
		net_test_run();
		assert_true(server.is_closed);
		assert_int_equal(server.close_err, is_abrupt ? ECONNRESET : 0);
		finish();
	}
}

static void test_bulk_is_queued_and_bounded(void **state)
{
	static uint8_t big[NET_STREAM_QUEUE_BYTES];
	struct slice all = {big, sizeof(big)};

	UNUSED(state);
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 31 + i / 251);
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		struct addr to = serve_way(i);

		dial(&to, ways[i].dials_tls ? client_tls : NULL);
		/* queued as long as it is not connected */
		assert_int_equal(net_stream_send(client.s, all), 0);
		assert_int_equal(net_stream_queued_bytes(client.s),
		                 sizeof(big));
		assert_int_equal(net_stream_send(client.s, slice_str("x")),
		                 ENOBUFS);
		server.is_echo = true;
		client.n_wanted = sizeof(big);
		net_test_run();
		assert_true(slice_eq(wr_slice(&client.got), all));
		assert_int_equal(net_stream_queued_bytes(client.s), 0);
		finish();
	}
}

static void test_reader_that_pauses_holds_the_writer(void **state)
{
	static const uint8_t block[65536];
	struct addr to = serve("127.0.0.1", NULL, 0);
	size_t sent = 0;
	int err = 0;

	UNUSED(state);
	server.hello = "x";
	client.n_wanted = 1;
	dial(&to, NULL);
	net_test_run();
	net_stream_set_ops(server.s, NULL, NULL);
	while (!err && sent < (64U << 20)) {
		err = net_stream_send(client.s,
		                      (struct slice){block, sizeof(block)});
		if (!err)
			sent += sizeof(block);
	}
	assert_int_equal(err, ENOBUFS);
	net_test_linger(NS_PER_MS);
	assert_int_equal(server.got.n, 0);
	net_stream_set_ops(server.s, &ops, &server);
	server.n_wanted = sent;
	net_test_run();
	assert_int_equal(server.got.n, sent);
	finish();
}

static void test_refused_connection_is_told_as_close(void **state)
{
	static const char *const ips[] = {"127.0.0.1", "::1"};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(ips); i++) {
		struct addr to = serve(ips[i], NULL, 0);

		net_listener_close(listener);
		listener = NULL;
		client.is_freeing = true;
		dial(&to, i ? client_tls : NULL);
		net_test_run();
		assert_true(client.is_closed);
		assert_false(client.is_open);
		assert_int_equal(client.close_err, ECONNREFUSED);
		finish();
	}
}

static void test_garbage_is_not_a_handshake(void **state)
{
	static const char *const garbage[] = {
		"OPTIONS sip:x SIP/2.0\r\n\r\n",
		"\x16no record",
		"\x80\x80\x80\x80\x80\x80\x80\x80",
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(garbage); i++) {
		struct addr to = serve("127.0.0.1", server_tls, 0);

		client.hello = garbage[i];
		client.is_quiet = true;
		dial(&to, NULL);
		net_test_run();
		assert_int_equal(n_dropped, 1);
		assert_int_equal(dropped_err, EPROTO);
		assert_int_equal(n_streams, 0);
		finish();
	}
}

static void test_client_sees_that_a_server_speaks_no_tls(void **state)
{
	struct addr to = serve("127.0.0.1", NULL, 0);

	UNUSED(state);
	server.hello = "HTTP/1.1 400 Bad Request\r\n\r\n";
	server.is_quiet = true;
	dial(&to, client_tls);
	net_test_run();
	assert_false(client.is_open);
	assert_int_equal(client.close_err, EPROTO);
	finish();

	/* one that closes instead */
	to = serve("127.0.0.1", NULL, 0);
	server.is_freeing = true;
	dial(&to, client_tls);
	net_test_run();
	assert_false(client.is_open);
	assert_int_equal(client.close_err, ECONNRESET);
	finish();
}

static void test_peer_that_leaves_in_the_handshake_is_dropped(void **state)
{
	UNUSED(state);
	for (unsigned flags = 0; flags <= NET_LISTEN_SNIFF_TLS; flags++) {
		struct addr to = serve("127.0.0.1", server_tls, flags);

		dial(&to, NULL);
		net_test_linger(2 * NS_PER_MS);
		assert_int_equal(n_asked, 1);
		assert_int_equal(n_streams, 0);
		net_stream_free(client.s);
		client.s = NULL;
		net_test_run();
		assert_int_equal(n_dropped, 1);
		assert_int_equal(dropped_err, ECONNRESET);
		finish();
	}
}

static void test_unwelcome_peer_costs_no_handshake(void **state)
{
	struct addr to = serve("127.0.0.1", server_tls, 0);

	UNUSED(state);
	is_welcome = false;
	dial(&to, client_tls);
	net_test_run();
	assert_true(client.is_closed);
	assert_false(client.is_open);
	assert_int_equal(n_asked, 1);
	assert_int_equal(n_streams, 0);
	assert_int_equal(n_dropped, 0);
	finish();
}

/* Who does not ask for refusals takes one for what the server says. */
static void test_refusal_is_told_every_way(void **state)
{
	static const struct {
		const char *text;
		int err; /* over TLS; -1: any but EUSERS */
	} all[] = {{"NO NO!23", EUSERS}, {"NO NO!2", -1}, {"NO NO?23", -1}};
	const struct net_stream_conf conf = {.refusal = slice_str("NO NO!")};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(ways) * ARRAY_LEN(all); i++) {
		size_t k = i / ARRAY_LEN(ways), way = i % ARRAY_LEN(ways);
		struct addr to = serve_way(way);
		struct net_stream_opening op;

		is_welcome = false;
		refusal_text = all[k].text;
		assert_int_equal(net_stream_connect_as(&client.s, &to,
		                                       ways[way].dials_tls
		                                               ? client_tls
		                                               : NULL,
		                                       &conf, &ops, &client),
		                 0);
		client.hello = "x";
		while (!client.is_closed)
			net_test_run();
		op = net_stream_opening(client.s);
		if (all[k].err == EUSERS) {
			assert_int_equal(client.close_err, EUSERS);
			assert_memory_equal(op.refusal, "23", 2);
			assert_int_equal(client.got.n, 0);
		} else {
			assert_int_not_equal(client.close_err, EUSERS);
		}
		finish();
	}
	refusal_text = "";
}

static void test_one_source_cannot_hold_all_handshakes(void **state)
{
	struct addr to = serve("127.0.0.1", server_tls, 0);
	struct net_stream *idle[NET_PENDING_PER_SOURCE + 1];

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(idle); i++)
		assert_int_equal(
			net_stream_connect(&idle[i], &to, NULL, &ops, &client),
			0);
	client.is_quiet = true;
	net_test_run();
	assert_int_equal(n_dropped, 1);
	assert_int_equal(dropped_err, ENOBUFS);
	/* and what it gives back, it may have again */
	net_stream_free(idle[0]);
	net_test_run();
	assert_int_equal(dropped_err, ECONNRESET);
	assert_int_equal(net_stream_connect(&idle[0], &to, NULL, &ops, &client),
	                 0);
	net_test_linger(2 * NS_PER_MS);
	assert_int_equal(n_dropped, 2);
	for (size_t i = 0; i < ARRAY_LEN(idle); i++)
		net_stream_free(idle[i]);
	finish();
}

static void test_listener_may_be_closed_in_its_callback(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		struct addr to = serve_way(i);

		is_closing_listener = true;
		client.hello = "still";
		client.n_wanted = 5;
		server.is_echo = true;
		dial(&to, ways[i].dials_tls ? client_tls : NULL);
		net_test_run();
		assert_null(listener);
		assert_int_equal(client.got.n, 5);
		finish();
	}
}

static void test_listener_closes_over_pending_handshakes(void **state)
{
	struct addr to = serve("127.0.0.1", server_tls, 0);

	UNUSED(state);
	dial(&to, NULL);
	net_test_linger(2 * NS_PER_MS);
	assert_int_equal(n_asked, 1);
	net_listener_close(listener);
	listener = NULL;
	net_test_run();
	assert_true(client.is_closed);
	assert_int_equal(n_dropped, 0);
	finish();
}

static void test_context_may_go_before_its_streams(void **state)
{
	struct net_tls *theirs, *ours;
	struct addr to;

	UNUSED(state);
	assert_int_equal(net_tls_server_alloc(&theirs, NULL, NULL, "x"), 0);
	assert_int_equal(net_tls_client_alloc(&ours), 0);
	to = serve("127.0.0.1", theirs, 0);
	dial(&to, ours);
	net_tls_free(theirs);
	net_tls_free(ours);
	server.hello = "x";
	client.n_wanted = 1;
	net_test_run();
	assert_true(client.is_open);
	finish();
}

static void test_open_refuses_nonsense(void **state)
{
	struct addr none = {0}, at = net_test_addr("127.0.0.1");
	struct net_listener *l = NULL;
	struct net_stream *s = NULL;

	UNUSED(state);
	assert_int_equal(net_stream_connect(&s, &none, NULL, &ops, NULL),
	                 EINVAL);
	assert_int_equal(net_stream_connect(&s, &at, NULL, &ops, NULL), EINVAL);
	at.port = 9;
	assert_int_equal(net_stream_connect(&s, &at, server_tls, &ops, NULL),
	                 EINVAL);
	at.port = 0;
	assert_int_equal(
		net_listener_open(&l, &none, NULL, 0, &listener_ops, NULL),
		EINVAL);
	assert_int_equal(
		net_listener_open(&l, &at, client_tls, 0, &listener_ops, NULL),
		EINVAL);
	assert_int_equal(net_listener_open(&l, &at, NULL, NET_LISTEN_SNIFF_TLS,
	                                   &listener_ops, NULL),
	                 EINVAL);
	assert_null(l);
	assert_null(s);
	net_stream_free(NULL);
	net_listener_close(NULL);
}

static void test_streams_survive_no_memory(void **state)
{
	struct addr to = serve("127.0.0.1", server_tls, 0);
	struct net_listener *l = NULL;
	struct addr at = net_test_addr("127.0.0.1");
	unsigned long n = 0;
	int err;

	UNUSED(state);
	do {
		oom_after(n++);
		err = net_stream_connect(&client.s, &to, client_tls, &ops,
		                         &client);
		oom_after(OOM_NEVER);
		assert_true(err == 0 || err == ENOMEM);
	} while (err);
	assert_true(n > 1);
	oom_after(0);
	assert_int_equal(net_stream_send(client.s, slice_str("x")), ENOMEM);
	oom_after(OOM_NEVER);
	net_test_run();
	assert_int_equal(client.close_err, ENOMEM);

	n = 0;
	do {
		oom_after(n++);
		err = net_listener_open(&l, &at, NULL, 0, &listener_ops, NULL);
		oom_after(OOM_NEVER);
		assert_true(err == 0 || err == ENOMEM);
	} while (err);
	net_listener_close(l);
	finish();
}

static int setup(void **state)
{
	int err = net_test_setup(state);

	client.got = server.got = wr_init_heap();
	if (!err)
		err = net_tls_client_alloc(&client_tls);
	if (!err)
		err = net_tls_server_alloc(&server_tls, NULL, NULL, "edge");
	return err;
}

static int teardown(void **state)
{
	net_tls_free(client_tls);
	net_tls_free(server_tls);
	return net_test_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ends_talk_every_way),
		cmocka_unit_test(test_open_stream_turns_into_tls),
		cmocka_unit_test(test_fingerprint_is_the_servers),
		cmocka_unit_test(test_peer_that_goes_is_a_close_without_error),
		cmocka_unit_test(test_last_words_arrive_before_the_close),
		cmocka_unit_test(test_abrupt_close_is_a_reset),
		cmocka_unit_test(test_bulk_is_queued_and_bounded),
		cmocka_unit_test(test_reader_that_pauses_holds_the_writer),
		cmocka_unit_test(test_refused_connection_is_told_as_close),
		cmocka_unit_test(test_garbage_is_not_a_handshake),
		cmocka_unit_test(test_client_sees_that_a_server_speaks_no_tls),
		cmocka_unit_test(
			test_peer_that_leaves_in_the_handshake_is_dropped),
		cmocka_unit_test(test_unwelcome_peer_costs_no_handshake),
		cmocka_unit_test(test_refusal_is_told_every_way),
		cmocka_unit_test(test_one_source_cannot_hold_all_handshakes),
		cmocka_unit_test(test_listener_may_be_closed_in_its_callback),
		cmocka_unit_test(test_listener_closes_over_pending_handshakes),
		cmocka_unit_test(test_context_may_go_before_its_streams),
		cmocka_unit_test(test_open_refuses_nonsense),
		cmocka_unit_test(test_streams_survive_no_memory),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
