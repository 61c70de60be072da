/* SPDX-License-Identifier: ISC */
#include "router/path.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "oom.h"
#include "test.h"

enum {
	N = 10000,
	MANY = 100 * N,
};

static struct router_path *make(const struct router_path_conf *c)
{
	struct router_path *p = NULL;

	assert_int_equal(router_path_alloc(&p, c, 42), 0);
	return p;
}

static void put(struct router_path *p, uint32_t i, int64_t now_ns)
{
	router_path_put(p, (struct slice){(const uint8_t *)&i, sizeof(i)},
	                now_ns);
}

static uint32_t number(struct slice pkt)
{
	uint32_t i = 0;

	assert_int_equal(pkt.n, sizeof(i));
	memcpy(&i, pkt.p, sizeof(i));
	return i;
}

static void test_delay_holds_until_due(void **state)
{
	struct router_path_conf c = {.delay_ns = 40 * NS_PER_MS};
	struct router_path *p = make(&c);
	struct slice pkt;

	UNUSED(state);
	put(p, 1, 0);
	assert_int_equal(router_path_next_ns(p), 40 * NS_PER_MS);
	assert_false(router_path_take(p, &pkt, 40 * NS_PER_MS - 1));
	assert_true(router_path_take(p, &pkt, 40 * NS_PER_MS));
	assert_int_equal(number(pkt), 1);
	assert_int_equal(router_path_next_ns(p), INT64_MAX);
	router_path_free(p);
}

static void test_jitter_keeps_order(void **state)
{
	struct router_path_conf c = {.delay_ns = NS_PER_MS,
	                             .jitter_ns = 50 * NS_PER_MS};
	struct router_path *p = make(&c);
	struct slice pkt;

	UNUSED(state);
	for (uint32_t i = 0; i < 1000; i++)
		put(p, i, i * NS_PER_MS);
	for (uint32_t i = 0; i < 1000; i++) {
		assert_true(router_path_take(p, &pkt, INT64_MAX));
		assert_int_equal(number(pkt), i);
	}
	router_path_free(p);
}

static unsigned survivors(const struct router_path_conf *c, unsigned *longest)
{
	struct router_path *p = make(c);
	unsigned n = 0, run = 0;
	struct slice pkt;

	*longest = 0;
	for (uint32_t i = 0; i < N; i++) {
		put(p, i, i);
		if (router_path_take(p, &pkt, i)) {
			n++;
			run = 0;
		} else if (++run > *longest) {
			*longest = run;
		}
	}
	router_path_free(p);
	return n;
}

static void test_loss_is_as_often_and_as_bursty_as_asked(void **state)
{
	struct router_path_conf even = {.loss_ppm = 50000};
	struct router_path_conf burst = {
		.bad_ppm = 5000, .good_ppm = 100000, .bad_loss_ppm = 1000000};
	unsigned runs[2], n;

	UNUSED(state);
	n = survivors(&even, &runs[0]);
	assert_in_range(n, N * 94 / 100, N * 96 / 100);
	n = survivors(&burst, &runs[1]); /* 5/105 of the time is bad */
	assert_in_range(n, N * 93 / 100, N * 97 / 100);
	assert_true(runs[1] > 3 * runs[0]);
	assert_int_equal(survivors(&burst, &runs[1]), n); /* same seed */
}

/* Of a model with p, r, h: p / (p + r) h of all is lost, and after one lost
 * the next is with (1 - r) h, so a run of them is 1 / (1 - (1 - r) h) long. */
static void test_bursts_are_those_of_gilbert_and_elliott(void **state)
{
	static const struct {
		uint32_t p, r, h;
	} cases[] = {
		{5000, 100000, 1000000},  {10000, 250000, 1000000},
		{20000, 300000, 800000},  {50000, 50000, 400000},
		{300000, 700000, 500000},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct router_path_conf c = {.bad_ppm = cases[i].p,
		                             .good_ppm = cases[i].r,
		                             .bad_loss_ppm = cases[i].h};
		double p = cases[i].p / 1e6, r = cases[i].r / 1e6;
		double h = cases[i].h / 1e6, share = p / (p + r) * h;
		double run = 1 / (1 - (1 - r) * h), n_lost = 0, n_runs = 0;
		struct router_path *path = make(&c);
		bool was_lost = false;
		struct slice pkt;

		for (uint32_t k = 0; k < MANY; k++) {
			bool is_lost;

			put(path, k, k);
			is_lost = !router_path_take(path, &pkt, k);
			n_lost += is_lost;
			n_runs += is_lost && !was_lost;
			was_lost = is_lost;
		}
		assert_true(n_lost / MANY > share * 0.96 &&
		            n_lost / MANY < share * 1.04);
		assert_true(n_lost / n_runs > run * 0.96 &&
		            n_lost / n_runs < run * 1.04);
		router_path_free(path);
	}
}

static void test_reordered_overtakes(void **state)
{
	struct router_path_conf c = {.delay_ns = 10 * NS_PER_MS,
	                             .reorder_ppm = 200000};
	struct router_path *p = make(&c);
	unsigned n_early = 0;
	uint32_t highest = 0;
	struct slice pkt;

	UNUSED(state);
	for (uint32_t i = 0; i < 1000; i++)
		put(p, i, i * NS_PER_MS);
	while (router_path_take(p, &pkt, INT64_MAX)) {
		if (number(pkt) < highest)
			n_early++;
		else
			highest = number(pkt);
	}
	assert_int_equal(router_path_count(p)->n_out, 1000);
	assert_true(n_early > 100);
	router_path_free(p);
}

/* Where nobody waits there is nobody to overtake. */
static void test_without_a_queue_nobody_overtakes(void **state)
{
	struct router_path_conf c = {.reorder_ppm = 1000000};
	struct router_path *p = make(&c);
	struct slice pkt;

	UNUSED(state);
	for (uint32_t i = 0; i < 10; i++) {
		put(p, i, i * NS_PER_MS);
		assert_true(router_path_take(p, &pkt, i * NS_PER_MS));
		assert_int_equal(number(pkt), i);
	}
	assert_int_equal(router_path_count(p)->n_reordered, 0);
	router_path_free(p);
}

static void test_rate_queues_and_overflows(void **state)
{
	/* 4 bytes at 32 bit/s: one a second. */
	struct router_path_conf c = {.rate_bps = 32, .queue_pkts = 3};
	struct router_path *p = make(&c);
	struct slice pkt;

	UNUSED(state);
	for (uint32_t i = 0; i < 5; i++)
		put(p, i, 0);
	assert_int_equal(router_path_count(p)->n_overflowed, 2);
	assert_false(router_path_take(p, &pkt, NS_PER_S - 1));
	for (uint32_t i = 0; i < 3; i++) {
		assert_true(router_path_take(p, &pkt, (i + 1) * NS_PER_S));
		assert_int_equal(number(pkt), i);
		assert_false(router_path_take(p, &pkt, (i + 1) * NS_PER_S));
	}
	put(p, 9, 10 * NS_PER_S);
	assert_int_equal(router_path_next_ns(p), 11 * NS_PER_S);
	router_path_free(p);
}

static void test_duplicates_come_twice(void **state)
{
	struct router_path_conf c = {.dup_ppm = 1000000};
	struct router_path *p = make(&c);
	struct slice pkt;

	UNUSED(state);
	put(p, 7, 0);
	assert_true(router_path_take(p, &pkt, 0));
	assert_true(router_path_take(p, &pkt, 0));
	assert_int_equal(number(pkt), 7);
	assert_false(router_path_take(p, &pkt, 0));
	router_path_free(p);
}

static void test_holds_no_more_than_it_promises(void **state)
{
	static const uint8_t big[ROUTER_PATH_PKT_BYTES + 1];
	struct router_path_conf c = {.delay_ns = NS_PER_S};
	struct router_path *p = make(&c);

	UNUSED(state);
	router_path_put(p, (struct slice){big, sizeof(big)}, 0);
	for (uint32_t i = 0; i < ROUTER_PATH_PKTS + 9; i++)
		put(p, i, 0);
	assert_int_equal(router_path_count(p)->n_overflowed, 10);
	router_path_free(p);
}

static void test_alloc_refuses(void **state)
{
	struct router_path_conf c = {.loss_ppm = 1000001};
	struct router_path *p = NULL;

	UNUSED(state);
	assert_int_equal(router_path_alloc(&p, &c, 1), EINVAL);
	c = (struct router_path_conf){.delay_ns = 1};
	for (unsigned long i = 0; i < 2; i++) {
		oom_after(i);
		assert_int_equal(router_path_alloc(&p, &c, 1), ENOMEM);
		oom_after(OOM_NEVER);
	}
	assert_null(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_delay_holds_until_due),
		cmocka_unit_test(test_jitter_keeps_order),
		cmocka_unit_test(test_loss_is_as_often_and_as_bursty_as_asked),
		cmocka_unit_test(test_bursts_are_those_of_gilbert_and_elliott),
		cmocka_unit_test(test_reordered_overtakes),
		cmocka_unit_test(test_without_a_queue_nobody_overtakes),
		cmocka_unit_test(test_rate_queues_and_overflows),
		cmocka_unit_test(test_duplicates_come_twice),
		cmocka_unit_test(test_holds_no_more_than_it_promises),
		cmocka_unit_test(test_alloc_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
