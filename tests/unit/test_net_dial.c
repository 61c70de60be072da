/* SPDX-License-Identifier: ISC */
/* How a connection is made, through net_stream_connect_as(). */
#include "test.h"

#include <errno.h>

#include "net/stream.h"
#include "net/tls.h"
#include "net_test.h"
#include "oom.h"

struct end {
	struct net_stream *s;
	bool is_open;
	int err;
};

static struct end client;
static struct net_stream *server;
static struct net_listener *listener;

static void on_open(void *arg)
{
	((struct end *)arg)->is_open = true;
	net_stop();
}

static void on_data(void *arg, struct slice bytes)
{
	UNUSED(arg);
	UNUSED(bytes);
}

static void on_close(void *arg, int err)
{
	((struct end *)arg)->err = err;
	net_stop();
}

static void on_stream(void *arg, struct net_stream *s)
{
	UNUSED(arg);
	net_stream_free(server);
	server = s;
}

static const struct net_stream_ops ops = {on_open, on_data, on_close};

static struct addr serve(const char *ip)
{
	static const struct net_listener_ops listener_ops = {.on_stream =
	                                                             on_stream};
	struct addr at = net_test_addr(ip);

	assert_int_equal(
		net_listener_open(&listener, &at, NULL, 0, &listener_ops, NULL),
		0);
	return net_listener_local(listener);
}

static int dial(const struct addr *to, const struct net_stream_conf *conf)
{
	client = (struct end){.err = -1};
	return net_stream_connect_as(&client.s, to, NULL, conf, &ops, &client);
}

static void finish(void)
{
	net_stream_free(client.s);
	net_stream_free(server);
	net_listener_close(listener);
	server = NULL;
	listener = NULL;
}

static void test_opening_is_timed(void **state)
{
	static const char *const ips[] = {"127.0.0.1", "::1"};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(ips); i++) {
		struct addr to = serve(ips[i]);
		struct net_stream_opening o;

		assert_int_equal(dial(&to, NULL), 0);
		net_test_run();
		assert_true(client.is_open);
		o = net_stream_opening(client.s);
		assert_int_equal(o.n_tried, 1);
		assert_true(o.began_ns > 0 && o.connect_ns > 0);
		assert_false(o.is_syn_repeated);
		assert_int_equal(o.hello_ns, 0);
		assert_int_equal(o.offender.family, ADDR_NONE);
		assert_true(net_stream_rtt_ns(client.s) > 0);
		finish();
	}
}

static void test_local_address_and_port_are_taken(void **state)
{
	struct addr to = serve("127.0.0.1"), at;
	struct net_stream_conf conf = {.local = net_test_addr("127.0.0.5"),
	                               .ttl = 3};

	UNUSED(state);
	assert_int_equal(dial(&to, &conf), 0);
	net_test_run();
	assert_true(client.is_open);
	at = net_stream_local(client.s);
	assert_true(addr_ip_eq(&at, &conf.local));
	net_stream_free(client.s);
	/* the same port at once again: a trace keeps its five-tuple */
	conf.local.port = at.port;
	to.port = 1; /* nobody is there */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(dial(&to, &conf), 0);
		net_test_run();
		assert_int_equal(client.err, ECONNREFUSED);
		net_stream_free(client.s);
	}
	client.s = NULL;
	finish();
}

/* A SYN-ACK that is not heard is a SYN-ACK lost. */
static void test_second_connection_joins_a_silent_first(void **state)
{
	static const char *const ips[] = {"127.0.0.1", "::1"};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(ips); i++) {
		struct addr to = serve(ips[i]);
		struct net_stream_conf conf = {
			.ttl_min = 255, .second_after_ns = 5 * NS_PER_MS};

		assert_int_equal(dial(&to, &conf), 0);
		net_test_linger(50 * NS_PER_MS);
		assert_false(client.is_open);
		assert_int_equal(client.err, -1);
		assert_int_equal(net_stream_opening(client.s).n_tried, 2);
		finish();
	}
}

static void test_refusal_needs_no_second(void **state)
{
	struct addr to = serve("127.0.0.1");
	const struct net_stream_conf conf = {.second_after_ns = NS_PER_S};

	UNUSED(state);
	net_listener_close(listener);
	listener = NULL;
	assert_int_equal(dial(&to, &conf), 0);
	net_test_run();
	assert_int_equal(client.err, ECONNREFUSED);
	assert_int_equal(net_stream_opening(client.s).n_tried, 1);
	assert_int_equal(net_stream_local(client.s).family, ADDR_NONE);
	finish();
}

static void test_freed_while_dialling(void **state)
{
	const struct net_stream_conf conf = {.ttl_min = 255,
	                                     .second_after_ns = NS_PER_MS};
	struct addr to = serve("127.0.0.1");

	UNUSED(state);
	assert_int_equal(dial(&to, &conf), 0);
	finish();
	net_test_linger(5 * NS_PER_MS);
	assert_int_equal(client.err, -1);
}

static void test_nonsense_is_refused(void **state)
{
	const struct addr to = serve("127.0.0.1");
	const struct addr ip4 = net_test_addr("127.0.0.1");
	struct addr with_port = ip4;
	const struct {
		struct net_stream_conf conf;
		int err;
	} cases[] = {
		{{.ttl = 256}, EINVAL},
		{{.ttl = -1}, EINVAL},
		{{.ttl_min = 256}, EINVAL},
		{{.local = net_test_addr("::1")}, EINVAL},
		{{.local = net_test_addr("192.0.2.1")}, EADDRNOTAVAIL},
	};
	struct net_stream_conf both = {.second_after_ns = 1};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(dial(&to, &cases[i].conf), cases[i].err);
	with_port.port = 5060;
	both.local = with_port;
	assert_int_equal(dial(&to, &both), EINVAL);
	finish();
}

static void test_dial_survives_no_memory(void **state)
{
	const struct net_stream_conf conf = {.second_after_ns = NS_PER_S};
	struct addr to = serve("127.0.0.1");
	unsigned long n = 0;
	int err = ENOMEM;

	UNUSED(state);
	for (; err; n++) {
		oom_after(n);
		err = dial(&to, &conf);
		oom_after(OOM_NEVER);
		assert_true(err == 0 || err == ENOMEM);
	}
	assert_true(n > 2);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opening_is_timed),
		cmocka_unit_test(test_local_address_and_port_are_taken),
		cmocka_unit_test(test_second_connection_joins_a_silent_first),
		cmocka_unit_test(test_refusal_needs_no_second),
		cmocka_unit_test(test_freed_while_dialling),
		cmocka_unit_test(test_nonsense_is_refused),
		cmocka_unit_test(test_dial_survives_no_memory),
	};

	return cmocka_run_group_tests(tests, net_test_setup, net_test_teardown);
}
