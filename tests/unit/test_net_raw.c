/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "net/raw.h"
#include "net/udp.h"
#include "net_test.h"
#include "oom.h"

static struct addr came_from;
static struct slice wanted;
static bool has_come;

static void on_dgram(void *arg, const struct net_dgram *d)
{
	UNUSED(arg);
	came_from = d->from;
	has_come = slice_eq(d->bytes, wanted);
	net_stop();
}

static const struct net_udp_ops ops = {.on_dgram = on_dgram};

/* NULL: without the right to, or where a container forbids it. */
static struct net_raw *open_raw(void)
{
	struct net_raw *r = NULL;
	int err = net_raw_open(&r);

	if (err && err != EPERM && err != EACCES)
		fail_msg("%s", strerror(err));
	return r;
}

/* The kernel checks the checksums that arrive by loopback as all others. */
static void test_send_leaves_from_any_port(void **state)
{
	static const char *const ips[] = {"127.0.0.1", "::1"};
	static const char *const texts[] = {"", "a", "ab", "\xff\xff\xff\xff"};
	struct net_raw *r = open_raw();

	UNUSED(state);
	if (!r)
		skip();
	for (size_t i = 0; i < 2 * ARRAY_LEN(texts); i++) {
		struct addr at = net_test_addr(ips[i % 2]), from = at;
		struct net_udp *u;

		from.port = (uint16_t)(65535 - i);
		wanted = slice_str(texts[i / 2]);
		if (net_udp_open(&u, &at, 0, &ops, NULL))
			continue; /* no IPv6 */
		at = net_udp_local(u);
		has_come = false;
		assert_int_equal(net_raw_send_udp(r, &from, &at, wanted), 0);
		net_test_run();
		assert_true(has_come);
		assert_true(addr_eq(&came_from, &from));
		net_udp_close(u);
	}
	net_raw_close(r);
}

static size_t n_come;

static void on_many(void *arg, const struct net_dgram *d)
{
	UNUSED(arg);
	assert_int_equal(d->bytes.n, 2);
	assert_int_equal(d->from.port,
	                 40000 + (d->bytes.p[0] << 8 | d->bytes.p[1]));
	if (++n_come == NET_RAW_BATCH + 3)
		net_stop();
}

static void test_queue_leaves_together(void **state)
{
	static const struct net_udp_ops many = {.on_dgram = on_many};
	struct addr at = net_test_addr("127.0.0.1"), from = at;
	struct net_raw *r = open_raw();
	struct net_udp *u;

	UNUSED(state);
	if (!r)
		skip();
	assert_int_equal(net_udp_open(&u, &at, 0, &many, NULL), 0);
	at = net_udp_local(u);
	n_come = 0;
	for (uint8_t i = 0; i < NET_RAW_BATCH + 3; i++) {
		const uint8_t bytes[] = {0, i};

		from.port = (uint16_t)(40000 + i);
		assert_int_equal(
			net_raw_queue_udp(r, &from, &at,
		                          (struct slice){bytes, sizeof(bytes)}),
			0);
	}
	net_test_linger(10 * NS_PER_MS);
	assert_int_equal(n_come, NET_RAW_BATCH);
	net_raw_flush(r);
	net_test_run();
	assert_int_equal(n_come, NET_RAW_BATCH + 3);
	net_udp_close(u);
	net_raw_close(r);
}

static void test_send_refuses_nonsense(void **state)
{
	static uint8_t bytes[65536];
	struct addr a = net_test_addr("127.0.0.1"), b = a;
	struct addr far = net_test_addr("8.8.8.8"), six = net_test_addr("::1");
	struct net_raw *r = open_raw();

	UNUSED(state);
	if (!r)
		skip();
	a.port = b.port = far.port = six.port = 9;
	assert_int_equal(net_raw_send_udp(r, &a, &six, slice_str("x")), EINVAL);
	assert_int_equal(net_raw_send_udp(r, &a, &far, slice_str("x")), EPERM);
	b.port = 0;
	assert_int_equal(net_raw_send_udp(r, &a, &b, slice_str("x")), EINVAL);
	assert_int_equal(net_raw_send_udp(r, &b, &a, slice_str("x")), EINVAL);
	assert_int_equal(
		net_raw_send_udp(r, &a, &a, (struct slice){bytes, 65528}),
		EMSGSIZE);
	assert_int_equal(
		net_raw_queue_udp(r, &a, &a, (struct slice){bytes, 1201}),
		EMSGSIZE);
	net_raw_close(r);
}

static void test_open_survives_no_memory(void **state)
{
	struct net_raw *r = NULL;

	UNUSED(state);
	oom_after(0);
	assert_int_equal(net_raw_open(&r), ENOMEM);
	oom_after(OOM_NEVER);
	assert_null(r);
	net_raw_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_send_leaves_from_any_port),
		cmocka_unit_test(test_queue_leaves_together),
		cmocka_unit_test(test_send_refuses_nonsense),
		cmocka_unit_test(test_open_survives_no_memory),
	};

	return cmocka_run_group_tests(tests, net_test_setup, net_test_teardown);
}
