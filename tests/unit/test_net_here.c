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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_closed_port_of_one_s_own_is_no_filter),
		cmocka_unit_test(test_guard_is_asked_before_anything_is_sent),
		cmocka_unit_test(test_says_nothing_of_what_is_not_repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
