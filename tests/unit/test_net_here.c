/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/here.h"
#include "net_test.h"

/* A port of this computer that nobody has: refused by it, and rightly. */
static void test_closed_port_of_one_s_own_is_no_filter(void **state)
{
	struct addr at = net_test_addr("127.0.0.1");

	UNUSED(state);
	at.port = 1;
	assert_false(net_here_resets(&at));
	at = net_test_addr("::1");
	at.port = 1;
	assert_false(net_here_resets(&at));
	at = (struct addr){.family = ADDR_NONE};
	assert_false(net_here_resets(&at));
}

static void test_guard_is_asked_before_anything_is_sent(void **state)
{
	struct addr at = net_test_addr("240.0.0.1");

	UNUSED(state);
	at.port = 53;
	(void)setenv("PRUMO_STAY_HOME", "1", 1);
	assert_false(net_here_resets(&at));
}

static void test_says_nothing_of_what_is_not_repeated(void **state)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	UNUSED(state);
	assert_true(fd >= 0);
	assert_int_equal(net_here_syn(fd), NET_HERE_ONCE);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(net_here_syn(fd), NET_HERE_ONCE);
	(void)close(fd);
	assert_int_equal(net_here_syn(-1), NET_HERE_ONCE);
}

#define IP4_NAMES                                                          \
	"Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors "   \
	"ForwDatagrams InUnknownProtos InDiscards InDelivers OutRequests " \
	"OutDiscards OutNoRoutes ReasmTimeout ReasmReqds ReasmOKs\n"

static void test_counts_what_was_received_and_not_delivered(void **state)
{
	static const struct {
		const char *why, *text;
		bool is_ip6;
		int64_t n; /* -1: they do not say */
	} cases[] = {
		{"all delivered",
	         IP4_NAMES "Ip: 1 64 10 0 0 0 0 0 10 9 0 0 0 0 0\n", false, 0},
		{"accounted for",
	         IP4_NAMES "Ip: 1 64 99 1 2 3 4 5 80 9 8 7 6 5 1\n", false, 0},
		{"seven are not",
	         "Tcp: x\n" IP4_NAMES
	         "Ip: 1 64 50 0 0 0 0 0 43 9 0 0 0 0 0\nIcmp: 1\n",
	         false, 7},
		{"fewer values than names", IP4_NAMES "Ip: 1 64 50\n", false,
	         -1},
		{"no values", IP4_NAMES, false, -1},
		{"no number", IP4_NAMES "Ip: 1 64 x 0 0 0 0 0 43\n", false, -1},
		{"nothing", "", false, -1},
		{"nothing of IPv6", "", true, -1},
		{"IPv6",
	         "Ip6InReceives\t 30\nIp6InHdrErrors 1\n"
	         "Ip6InDelivers 20\nIp6OutForwDatagrams 4\nUdp6 1\n",
	         true, 5},
		{"IPv6, one is missing", "Ip6InReceives 30\n", true, -1},
		{"IPv6, cut off", "Ip6InReceives 30\nIp6InDelivers", true, -1},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t n = -1;
		bool is_known = cases[i].is_ip6
		                        ? net_here_count_ip6(&n, cases[i].text)
		                        : net_here_count_ip4(&n, cases[i].text);

		if (n != cases[i].n || is_known != (cases[i].n >= 0))
			fail_msg("%s: %lld", cases[i].why, (long long)n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_closed_port_of_one_s_own_is_no_filter),
		cmocka_unit_test(test_guard_is_asked_before_anything_is_sent),
		cmocka_unit_test(test_says_nothing_of_what_is_not_repeated),
		cmocka_unit_test(
			test_counts_what_was_received_and_not_delivered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
