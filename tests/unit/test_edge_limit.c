/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>

#include "base/clock.h"
#include "edge/limit.h"
#include "oom.h"

static const struct edge_limit_conf conf = {
	.n_slots = 64,
	.per_s = 10,
	.burst = 4,
	.seed = 12345,
};

static struct edge_limit *make(void)
{
	struct edge_limit *l;

	assert_int_equal(edge_limit_alloc(&l, &conf), 0);
	return l;
}

static struct addr ip(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(&a, slice_str(text)), 0);
	return a;
}

static unsigned take_all(struct edge_limit *l, const struct addr *a,
                         int64_t mono_ns)
{
	unsigned n = 0;

	while (n < 1000 && edge_limit_take(l, a, mono_ns))
		n++;
	return n;
}

static void test_take_gives_burst_then_rate(void **state)
{
	struct edge_limit *l = make();
	struct addr a = ip("192.0.2.1");

	UNUSED(state);
	assert_int_equal(take_all(l, &a, NS_PER_S), 4);
	assert_int_equal(take_all(l, &a, NS_PER_S + 99 * NS_PER_MS), 0);
	assert_int_equal(take_all(l, &a, NS_PER_S + 100 * NS_PER_MS), 1);
	assert_int_equal(take_all(l, &a, NS_PER_S + 350 * NS_PER_MS), 2);
	assert_int_equal(take_all(l, &a, 100 * NS_PER_S), 4);
	edge_limit_free(l);
}

static void test_take_counts_ip6_by_64(void **state)
{
	struct edge_limit *l = make();
	struct addr a = ip("2001:db8::1"), same = ip("2001:db8::ffff:1"),
		    other = ip("2001:db8:0:1::1"), loopback = ip("::1");

	UNUSED(state);
	assert_int_equal(take_all(l, &a, NS_PER_S), 4);
	assert_int_equal(take_all(l, &same, NS_PER_S), 0);
	assert_int_equal(take_all(l, &other, NS_PER_S), 4);
	assert_int_equal(take_all(l, &loopback, NS_PER_S), 4);
	edge_limit_free(l);
}

static void test_wait_tells_when_there_is_room(void **state)
{
	struct edge_limit *l = make();
	struct addr a = ip("192.0.2.1");
	const int64_t step_ns = NS_PER_S / 10;

	UNUSED(state);
	assert_int_equal(edge_limit_wait_ns(l, &a, 4, NS_PER_S), 0);
	assert_int_equal(take_all(l, &a, NS_PER_S), 4);
	assert_int_equal(edge_limit_wait_ns(l, &a, 1, NS_PER_S), step_ns);
	assert_int_equal(edge_limit_wait_ns(l, &a, 3, NS_PER_S), 3 * step_ns);
	/* more than the burst there never is */
	assert_int_equal(edge_limit_wait_ns(l, &a, 9, NS_PER_S), 4 * step_ns);
	assert_int_equal(edge_limit_wait_ns(l, &a, 3, NS_PER_S + 3 * step_ns),
	                 0);
	assert_int_equal(take_all(l, &a, NS_PER_S + 3 * step_ns), 3);
	edge_limit_free(l);
}

/* Sources beyond the table's size are refused, those in it keep theirs. */
static void test_take_fails_closed_when_full(void **state)
{
	struct edge_limit *l = make();
	struct addr first = ip("192.0.2.1"), a = ip("198.18.0.0");
	size_t n = 0;

	UNUSED(state);
	assert_int_equal(take_all(l, &first, NS_PER_S), 4);
	for (unsigned i = 0; i < 1000; i++) {
		a.ip[2] = (uint8_t)(i >> 8);
		a.ip[3] = (uint8_t)i;
		n += edge_limit_take(l, &a, NS_PER_S);
	}
	assert_true(n < 64);
	assert_true(n > 32);
	assert_int_equal(take_all(l, &first, NS_PER_S), 0);
	/* all of them are forgotten once they are quiet */
	assert_int_equal(take_all(l, &a, 3 * NS_PER_S), 4);
	edge_limit_free(l);
}

static void test_alloc_checks_its_input(void **state)
{
	static const struct edge_limit_conf bad[] = {
		{.n_slots = 0, .per_s = 1, .burst = 1},
		{.n_slots = 4, .per_s = 1, .burst = 1},
		{.n_slots = 48, .per_s = 1, .burst = 1},
		{.n_slots = 64, .per_s = 0, .burst = 1},
		{.n_slots = 64, .per_s = 1, .burst = 0},
	};
	struct edge_limit *l = NULL;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(edge_limit_alloc(&l, &bad[i]), EINVAL);
	oom_after(0);
	assert_int_equal(edge_limit_alloc(&l, &conf), ENOMEM);
	oom_after(OOM_NEVER);
	assert_null(l);
	edge_limit_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_take_gives_burst_then_rate),
		cmocka_unit_test(test_take_counts_ip6_by_64),
		cmocka_unit_test(test_wait_tells_when_there_is_room),
		cmocka_unit_test(test_take_fails_closed_when_full),
		cmocka_unit_test(test_alloc_checks_its_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
