/* SPDX-License-Identifier: ISC */
/* probe/range_plan.c: what is asked again, and on a machine that is busy. */
#include "test.h"

#include "range_net.h"

enum {
	SEEDS = 40,
};

static struct range *start_patient(unsigned *flows, uint64_t seed)
{
	struct range_conf conf = {
		.first = 10000,
		.last = 65535,
		.is_patient = true,
		.seed = seed,
		.window_max = 256,
		.flows_left = flows,
	};
	struct range *r = NULL;

	assert_int_equal(range_alloc(&r, &conf, 0), 0);
	return r;
}

/* Routers had spent their errors on something else. */
static void test_a_refuser_is_heard_after_a_pause(void **state)
{
	UNUSED(state);
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		for (int is_patient = 0; is_patient < 2; is_patient++) {
			unsigned flows = 1000;
			struct range_sum sum;
			struct range *r;
			int64_t took;

			net_reset(seed);
			net.refuses_ns = NS_PER_S;
			block(10000, 65535, FATE_REFUSE);
			r = is_patient
			            ? start_patient(&flows, seed)
			            : start(10000, 65535, false, &flows, seed);
			took = run(r);
			range_sum(&sum, r);
			assert_int_equal(sum.n_refused > 0, is_patient);
			assert_int_equal(sum.n_passed, 0);
			assert_int_equal(range_spans(r, spans, SPANS), 1);
			assert_true(took < 3 * NS_PER_S);
			range_free(r);
		}
	}
}

/* A burst of loss that is longer than all tries at an edge. */
static void test_an_edge_is_asked_once_more(void **state)
{
	UNUSED(state);
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		unsigned flows = 1000;
		struct range *r;

		net_reset(seed);
		block(20000, 29999, FATE_DROP);
		net.silent_port = 19990;
		net.silent_ns = 2400 * NS_PER_MS;
		r = start_patient(&flows, seed);
		(void)run(r);
		assert_truth(r, 10000, 65535, seed);
		range_free(r);
		assert_true(flows > 750);
	}
}

/* That an edge is there, which closes nothing, is known late. */
static void test_a_search_that_was_over_goes_on(void **state)
{
	UNUSED(state);
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		unsigned flows = 1000;
		struct range *r;

		net_reset(seed);
		block(20000, 29999, FATE_REFUSE);
		block(40007, 40777, FATE_REFUSE);
		net.resets = true;
		net.is_far_end = true;
		r = start_patient(&flows, seed);
		(void)run(r);
		assert_int_equal(range_spans(r, spans, SPANS), 0);
		net.is_far_end = false;
		range_closed_is_refused(r);
		(void)run(r);
		/* the sample is not sure to meet the small one */
		if (range_spans(r, spans, SPANS) == 1)
			block(40007, 40777, FATE_PASS);
		assert_truth(r, 10000, 65535, seed);
		range_free(r);
		assert_int_equal(spans[0].first, 20000);
	}
}

static struct range *start_one(unsigned *flows)
{
	struct range_conf conf = {
		.first = 20000,
		.last = 20000,
		.window_max = 1,
		.rtt_ns = 40 * NS_PER_MS,
		.flows_left = flows,
	};
	struct range *r = NULL;

	assert_int_equal(range_alloc(&r, &conf, 0), 0);
	return r;
}

static void test_unread_is_not_silent(void **state)
{
	unsigned flows = 1000;
	struct range *r = start_one(&flows);
	struct range_step step;

	UNUSED(state);
	range_heard(r, 0);
	(void)range_next(r, &step, 0);
	assert_int_equal(step.port, 20000);
	for (int i = 0; i < 100; i++) {
		assert_true(range_next(r, &step, NS_PER_S) <= NS_PER_S);
		assert_int_equal(step.port, 0);
	}
	range_heard(r, NS_PER_S);
	(void)range_next(r, &step, NS_PER_S);
	assert_int_equal(step.port, 20000);
	assert_int_equal(range_tries_of(r, 20000), 2);
	range_free(r);
}

static void test_patience_counts_from_sending(void **state)
{
	unsigned flows = 1000;
	struct range *r = start_one(&flows);
	struct range_step step;
	int64_t due, sent = 500 * NS_PER_MS;

	UNUSED(state);
	(void)range_next(r, &step, 0);
	range_on_sent(r, &step, sent);
	due = range_next(r, &step, 0);
	assert_int_equal(step.port, 0);
	assert_true(due > sent + 40 * NS_PER_MS);
	range_free(r);
}

static void test_who_comes_late_waits_longer(void **state)
{
	const int64_t late = 100 * NS_PER_MS;
	int64_t waits[2];

	UNUSED(state);
	for (int is_late = 0; is_late < 2; is_late++) {
		unsigned flows = 1000;
		struct range *r = start_one(&flows);
		struct range_step step;
		int64_t now;

		(void)range_next(r, &step, 0);
		now = range_next(r, &step, 0) + is_late * late;
		(void)range_next(r, &step, now);
		assert_int_equal(step.port, 20000);
		waits[is_late] = range_next(r, &step, now) - now;
		assert_int_equal(step.port, 0);
		range_free(r);
	}
	assert_true(waits[1] == waits[0] + 2 * late);
}

/* New flows no longer pass; what is open goes on, or does not. */
static void test_an_open_flow_tells_a_table_from_an_outage(void **state)
{
	UNUSED(state);
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		unsigned flows = 70000;
		struct range_sum sum;
		struct range *r;

		net_reset(seed);
		net.table_max = 50 + draw_below(600);
		net.dies = seed % 2;
		r = start(10000, 12000, true, &flows, seed);
		(void)run(r);
		range_sum(&sum, r);
		assert_int_equal(range_spans(r, spans, SPANS), 0);
		assert_int_equal(sum.table_limit, net.table_max);
		assert_int_equal(sum.goes_on, !net.dies);
		range_free(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_refuser_is_heard_after_a_pause),
		cmocka_unit_test(test_an_edge_is_asked_once_more),
		cmocka_unit_test(test_a_search_that_was_over_goes_on),
		cmocka_unit_test(test_unread_is_not_silent),
		cmocka_unit_test(test_patience_counts_from_sending),
		cmocka_unit_test(test_who_comes_late_waits_longer),
		cmocka_unit_test(
			test_an_open_flow_tells_a_table_from_an_outage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
