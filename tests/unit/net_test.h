/* SPDX-License-Identifier: ISC */
/** For the tests of net/: a loop that gives up, and loopback addresses. */
#pragma once

#include <stdlib.h>

#include "base/addr.h"
#include "base/clock.h"
#include "net/loop.h"

#define NET_TEST_LIMIT_NS (2 * NS_PER_S)

static bool net_test_has_timed_out;

static inline void net_test_give_up(void *arg)
{
	UNUSED(arg);
	net_test_has_timed_out = true;
	net_stop();
}

/* Runs until a callback calls net_stop(). */
static inline void net_test_run(void)
{
	struct net_timer *t;

	net_test_has_timed_out = false;
	assert_int_equal(net_timer_alloc(&t, net_test_give_up, NULL), 0);
	net_timer_set(t, NET_TEST_LIMIT_NS);
	assert_int_equal(net_run(NULL, NULL), 0);
	net_timer_free(t);
	assert_false(net_test_has_timed_out);
}

static inline void net_test_stop(void *arg)
{
	UNUSED(arg);
	net_stop();
}

/* Runs for a while, to see that nothing happens. */
static inline void net_test_linger(int64_t ns)
{
	struct net_timer *t;

	assert_int_equal(net_timer_alloc(&t, net_test_stop, NULL), 0);
	net_timer_set(t, ns);
	net_test_run();
	net_timer_free(t);
}

static inline struct addr net_test_addr(const char *ip)
{
	struct addr a;

	assert_int_equal(addr_parse(&a, slice_str(ip)), 0);
	return a;
}

static inline int net_test_setup(void **state)
{
	UNUSED(state);
	return setenv("PRUMO_STAY_HOME", "1", 1) || net_open();
}

static inline int net_test_teardown(void **state)
{
	UNUSED(state);
	net_close();
	return 0;
}
