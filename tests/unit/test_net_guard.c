/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "net/guard.h"
#include "net/stream.h"
#include "net/udp.h"
#include "net_test.h"

static struct addr parsed(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(&a, slice_str(text)), 0);
	a.port = 5060;
	return a;
}

static void stay_home(const char *value)
{
	assert_int_equal(setenv("PRUMO_STAY_HOME", value, 1), 0);
}

static void test_allows_only_home(void **state)
{
	static const struct {
		const char *ip;
		bool is_home;
	} cases[] = {
		{"127.0.0.1", true},
		{"127.9.9.9", true},
		{"::1", true},
		{"0.0.0.0", true},
		{"::", true},
		{"192.0.2.1", true},
		{"198.51.100.7", true},
		{"203.0.113.9", true},
		{"198.19.255.255", true},
		{"2001:db8::1", true},
		{"::ffff:127.0.0.1", true},
		{"10.0.0.1", false},
		{"192.168.1.1", false},
		{"172.16.0.1", false},
		{"100.64.0.1", false},
		{"169.254.0.1", false},
		{"224.0.0.1", false},
		{"255.255.255.255", false},
		{"8.8.8.8", false},
		{"198.20.0.0", false},
		{"fe80::1", false},
		{"ff02::1", false},
		{"fc00::1", false},
		{"2001:db9::1", false},
		{"::ffff:8.8.8.8", false},
	};
	struct addr none = {0};

	UNUSED(state);
	stay_home("1");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct addr a = parsed(cases[i].ip);

		if (net_guard_allows(&a) != cases[i].is_home)
			fail_msg("%s", cases[i].ip);
	}
	assert_false(net_guard_allows(&none));
	assert_true(net_guard_is_on());
}

static void test_allows_all_when_not_asked(void **state)
{
	struct addr far = parsed("8.8.8.8");

	UNUSED(state);
	stay_home("");
	assert_true(net_guard_allows(&far));
	assert_int_equal(unsetenv("PRUMO_STAY_HOME"), 0);
	assert_true(net_guard_allows(&far));
	assert_false(net_guard_is_on());
}

static void count_dgram(void *arg, const struct net_dgram *d)
{
	UNUSED(d);
	++*(int *)arg;
	net_stop();
}

static void ignore_data(void *arg, struct slice bytes)
{
	UNUSED(arg);
	UNUSED(bytes);
}

static void ignore_close(void *arg, int err)
{
	UNUSED(arg);
	UNUSED(err);
}

/*
 * A network of this process alone, whose loopback bears an address that is
 * not home: what is sent there arrives, if it is sent at all, and what is not
 * meant to be sent cannot leave.
 */
static bool make_network(const char *ip)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	struct ifreq ifr = {.ifr_name = "lo"};
	bool is_ok;
	int fd;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(inet_pton(AF_INET, ip, &sin.sin_addr), 1);
	memcpy(&ifr.ifr_addr, &sin, sizeof(sin));
	is_ok = ioctl(fd, SIOCSIFADDR, &ifr) == 0;
	ifr.ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
	is_ok = is_ok && ioctl(fd, SIOCSIFFLAGS, &ifr) == 0;
	close(fd);
	return is_ok;
}

static void test_nothing_is_sent_when_refused(void **state)
{
	static const struct net_udp_ops ops = {.on_dgram = count_dgram};
	struct addr any = {.family = ADDR_IP4}, own = parsed("10.9.9.9");
	struct net_udp *u;
	int n = 0;

	UNUSED(state);
	if (!make_network("10.9.9.9"))
		skip();
	assert_int_equal(net_open(), 0);
	assert_int_equal(net_udp_open(&u, &any, 0, &ops, &n), 0);
	own.port = net_udp_local(u).port;

	stay_home("1");
	assert_int_equal(net_udp_send(u, &own, NULL, 0, slice_str("x")), EPERM);
	net_test_linger(5 * NS_PER_MS);
	assert_int_equal(n, 0);

	stay_home("");
	assert_int_equal(net_udp_send(u, &own, NULL, 0, slice_str("x")), 0);
	net_test_run();
	assert_int_equal(n, 1); /* so the silence above meant something */
	net_udp_close(u);
	net_close();
}

static void test_connect_is_refused(void **state)
{
	static const struct net_stream_ops ops = {.on_data = ignore_data,
	                                          .on_close = ignore_close};
	struct addr far = parsed("10.255.255.254");
	struct net_stream *s = NULL;

	UNUSED(state);
	stay_home("1");
	assert_int_equal(net_open(), 0);
	assert_int_equal(net_stream_connect(&s, &far, NULL, &ops, NULL), EPERM);
	assert_null(s);
	net_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allows_only_home),
		cmocka_unit_test(test_allows_all_when_not_asked),
		cmocka_unit_test(test_nothing_is_sent_when_refused),
		cmocka_unit_test(test_connect_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
