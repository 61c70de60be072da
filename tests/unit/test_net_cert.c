/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/cert.h"
#include "net/tls.h"
#include "net_test.h"
#include "oom.h"

enum {
	DAY_S = 86400,
};

static struct net_tls *server_tls, *client_tls;
static struct net_stream *client, *server;
static struct net_listener *listener;

static void on_open(void *arg)
{
	UNUSED(arg);
	net_stop();
}

static void on_data(void *arg, struct slice bytes)
{
	UNUSED(arg);
	UNUSED(bytes);
}

static void on_close(void *arg, int err)
{
	UNUSED(arg);
	UNUSED(err);
}

static void on_stream(void *arg, struct net_stream *s)
{
	UNUSED(arg);
	server = s;
}

static int setup(void **state)
{
	static const struct net_listener_ops ops = {.on_stream = on_stream};
	static const struct net_stream_ops stream_ops = {on_open, on_data,
	                                                 on_close};
	struct addr at;

	if (net_test_setup(state))
		return -1;
	at = net_test_addr("127.0.0.1");
	if (net_tls_server_alloc(&server_tls, NULL, NULL,
	                         "box \xc3\xa9 \x01") ||
	    net_tls_client_alloc(&client_tls) ||
	    net_listener_open(&listener, &at, server_tls, 0, &ops, NULL))
		return -1;
	at = net_listener_local(listener);
	if (net_stream_connect(&client, &at, client_tls, &stream_ops, NULL))
		return -1;
	net_test_run();
	return 0;
}

static int teardown(void **state)
{
	net_stream_free(client);
	net_stream_free(server);
	net_listener_close(listener);
	net_tls_free(client_tls);
	net_tls_free(server_tls);
	return net_test_teardown(state);
}

static int64_t now_s(void)
{
	return clock_wall_ns() / NS_PER_S;
}

static void test_every_fault_is_told(void **state)
{
	const unsigned always = NET_CERT_UNTRUSTED | NET_CERT_SELF_SIGNED;
	const struct {
		const char *why, *host;
		int64_t at_s;
		unsigned faults;
	} cases[] = {
		{"no host", NULL, now_s(), always},
		{"another host", "sip.example.com", now_s(),
	         always | NET_CERT_NAME},
		{"a number", "192.0.2.1", now_s(), always | NET_CERT_NAME},
		{"too early", NULL, now_s() - 30 * DAY_S,
	         always | NET_CERT_NOT_YET},
		{"too late", "x", now_s() + 4000 * (int64_t)DAY_S,
	         always | NET_CERT_EXPIRED | NET_CERT_NAME},
	};
	struct arena a;

	UNUSED(state);
	arena_init(&a);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct net_cert c;

		assert_int_equal(net_cert_read(&c, &a, client, cases[i].host,
		                               cases[i].at_s),
		                 0);
		if (c.faults != cases[i].faults)
			fail_msg("%s: %x", cases[i].why, c.faults);
		assert_true(*c.why);
	}
	arena_fini(&a);
}

static void test_all_is_read(void **state)
{
	uint8_t own[NET_FINGERPRINT_BYTES];
	struct net_cert c;
	struct arena a;

	UNUSED(state);
	arena_init(&a);
	assert_int_equal(net_cert_read(&c, &a, client, NULL, now_s()), 0);
	assert_int_equal(net_tls_fingerprint(server_tls, own), 0);
	assert_memory_equal(c.fingerprint, own, sizeof(own));
	assert_memory_not_equal(c.key_pin, own, sizeof(own));
	assert_string_equal(c.subject, c.issuer);
	assert_string_equal(c.subject, c.root);
	assert_string_equal(c.issuer_name, "box \xc3\xa9 \\x01");
	assert_int_equal(strncmp(c.subject, "CN=box \xc3\xa9", 9), 0);
	assert_null(strchr(c.subject, '\x01'));
	assert_int_equal(c.n_names, 0);
	assert_int_equal(c.n_chain, 1);
	assert_true(c.from_s < now_s() && now_s() < c.to_s);
	assert_int_equal(c.chain_from_s, c.from_s);
	assert_int_equal(c.chain_to_s, c.to_s);
	arena_fini(&a);
}

static void test_a_server_was_shown_none(void **state)
{
	struct net_cert c = {.n_chain = 77};
	struct arena a;

	UNUSED(state);
	arena_init(&a);
	net_test_linger(20 * NS_PER_MS);
	assert_non_null(server);
	assert_int_equal(net_cert_read(&c, &a, server, NULL, now_s()), ENOENT);
	assert_int_equal(c.n_chain, 77);
	arena_fini(&a);
}

static void test_read_survives_no_memory(void **state)
{
	struct net_cert c = {.n_chain = 77};
	unsigned long n = 0;
	int err = ENOMEM;

	UNUSED(state);
	for (; err; n++) {
		struct arena a;

		arena_init(&a);
		assert_int_equal(c.n_chain, 77);
		oom_after(n);
		err = net_cert_read(&c, &a, client, "x", now_s());
		oom_after(OOM_NEVER);
		assert_true(err == 0 || err == ENOMEM);
		arena_fini(&a);
	}
	assert_true(n > 1);
}

static void test_alpn_is_checked(void **state)
{
	static char longest[257];
	const char *const good[] = {"h2", "http/1.1", NULL};
	const char *const empty[] = {"", NULL};
	const char *const too_long[] = {longest, NULL};
	const char *const too_many[] = {longest + 1, longest + 1, longest + 1,
	                                NULL};

	UNUSED(state);
	memset(longest, 'a', 256);
	assert_int_equal(net_tls_set_alpn(client_tls, good), 0);
	assert_int_equal(net_tls_set_alpn(client_tls, empty), EINVAL);
	assert_int_equal(net_tls_set_alpn(client_tls, too_long), EINVAL);
	assert_int_equal(net_tls_set_alpn(client_tls, too_many), EINVAL);
	assert_int_equal(net_tls_set_alpn(server_tls, good), EINVAL);
	assert_int_equal(net_tls_set_alpn(client_tls, NULL), 0);
	assert_int_equal(net_stream_alpn(client).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_fault_is_told),
		cmocka_unit_test(test_all_is_read),
		cmocka_unit_test(test_a_server_was_shown_none),
		cmocka_unit_test(test_read_survives_no_memory),
		cmocka_unit_test(test_alpn_is_checked),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
