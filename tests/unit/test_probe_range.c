/* SPDX-License-Identifier: ISC */
/* probe/range.c against a simulated network. */
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "oom.h"
#include "probe/range.h"
#include "range_net.h"

static void test_finds_wide_parts_exactly(void **state)
{
	UNUSED(state);
	for (uint64_t seed = 1; seed <= 1000; seed++) {
		unsigned flows = 1000;
		struct range_sum sum;
		struct range *r;
		int64_t took;

		net_reset(seed);
		net.loss_ppm = seed % 2 ? 0 : 50000;
		block_parts(10000, 65535);
		r = start(10000, 65535, false, &flows, seed);
		took = run(r);
		assert_truth(r, 10000, 65535, seed);
		range_sum(&sum, r);
		assert_int_equal(sum.n_flows, 1000 - flows);
		assert_true(sum.n_flows < 250);
		assert_true(took < (net.loss_ppm ? 12 : 3) * NS_PER_S);
		range_free(r);
		assert_int_equal(flows, 1000 - sum.n_flows);
	}
}

static void test_all_open(void **state)
{
	UNUSED(state);
	for (uint64_t seed = 1; seed <= 300; seed++) {
		unsigned flows = 1000;
		struct range_sum sum;
		struct range *r;
		int64_t took;

		net_reset(seed);
		net.loss_ppm = seed % 2 ? 0 : 50000;
		r = start(10000, 65535, false, &flows, seed);
		took = run(r);
		assert_truth(r, 10000, 65535, seed);
		range_sum(&sum, r);
		assert_int_equal(sum.n_passed, sum.n_tried);
		assert_int_equal(sum.n_ports, 55536);
		assert_in_range(sum.gap_max, 1, 2 * 55536 / 24);
		assert_int_equal(sum.miss_ppm, (uint64_t)(55536 - sum.n_tried) *
		                                       1000000 / 55536);
		if (net.loss_ppm == 0) {
			assert_in_range(sum.n_tried, 25, 40);
			assert_false(sum.is_slowed);
			assert_true(took < 200 * NS_PER_MS);
		}
		range_free(r);
		assert_int_equal(flows, 1000 - sum.n_flows);
	}
}

/* Any holes at all, when every port is visited. */
static void test_full_is_exact(void **state)
{
	UNUSED(state);
	for (uint64_t seed = 1; seed <= 1000; seed++) {
		unsigned flows = 100000, n_holes;
		uint16_t first, last;
		struct range *r;

		net_reset(seed);
		net.loss_ppm = seed % 3 ? 50000 : 0;
		first = (uint16_t)(1 + draw_below(65000));
		last = (uint16_t)(first + draw_below(536));
		n_holes = draw_below(8);
		for (unsigned i = 0; i < n_holes; i++) {
			unsigned a = first + draw_below(last - first + 1U);
			unsigned b = a + draw_below(1 + draw_below(64));

			block(a, b > last ? last : b,
			      draw_below(4) ? FATE_DROP : FATE_REFUSE);
		}
		r = start(first, last, true, &flows, seed);
		(void)run(r);
		assert_truth(r, first, last, seed);
		range_free(r);
	}
}

static void test_full_range_of_the_document(void **state)
{
	unsigned flows = 70000;
	struct range_sum sum;
	struct range *r;
	int64_t took;

	UNUSED(state);
	net_reset(1);
	net.rtt_ns = 20 * NS_PER_MS;
	block(10000, 12345, FATE_DROP);
	block(20000, 20000, FATE_DROP);
	block(30001, 30003, FATE_REFUSE);
	block(65535, 65535, FATE_DROP);
	r = start(10000, 65535, true, &flows, 7);
	took = run(r);
	assert_truth(r, 10000, 65535, 1);
	range_sum(&sum, r);
	assert_int_equal(sum.n_tried, 55536);
	assert_int_equal(sum.gap_max, 0);
	assert_int_equal(sum.miss_ppm, 0);
	assert_true(took < 2 * NS_PER_S);
	range_free(r);
}

/* The sample alone, where the holes are where people look. */
static void test_sample_looks_at_notable_ports_and_ends(void **state)
{
	static const uint16_t holes[] = {10000, 12345, 16384, 31337, 65535};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(holes); i++) {
		unsigned flows = 1000;
		struct range *r;

		net_reset(i);
		block(holes[i], holes[i], FATE_DROP);
		r = start(10000, 65535, false, &flows, i);
		(void)run(r);
		assert_truth(r, 10000, 65535, i);
		assert_int_equal(range_any(r, RANGE_SILENT), holes[i]);
		range_free(r);
	}
}

static void test_whole_range_blocked(void **state)
{
	UNUSED(state);
	for (int fate = FATE_DROP; fate <= FATE_REFUSE; fate++) {
		unsigned flows = 1000;
		struct range *r;
		int64_t took;

		net_reset(5);
		block(10000, 65535, (enum fate)fate);
		r = start(10000, 65535, false, &flows, 5);
		took = run(r);
		assert_truth(r, 10000, 65535, 5);
		assert_int_equal(range_any(r, RANGE_PASSES), 0);
		assert_true(took < 2 * NS_PER_S);
		if (fate == FATE_REFUSE)
			assert_true(spans[0].n_refused > 0);
		range_free(r);
		assert_true(flows > 900);
	}
}

/* A full table is no blocked port. */
static void test_table_limit_is_told_from_blocking(void **state)
{
	UNUSED(state);
	for (uint64_t seed = 1; seed <= 300; seed++) {
		unsigned flows = 70000;
		struct range_sum sum;
		struct range *r;

		net_reset(seed);
		net.table_max = 8 + draw_below(seed % 50 ? 600 : 4096);
		r = start(10000, seed % 50 ? 12000 : 65535, true, &flows, seed);
		(void)run(r);
		range_sum(&sum, r);
		assert_int_equal(range_spans(r, spans, SPANS), 0);
		assert_int_equal(sum.table_limit, net.table_max);
		assert_int_equal(sum.n_silent, 0);
		assert_false(sum.is_exact);
		assert_true(sum.n_unknown > 0);
		range_free(r);
	}
}

/* What was silent while there was room is blocked nevertheless. */
static void test_blocked_before_the_limit(void **state)
{
	unsigned flows = 70000;
	struct range_sum sum;
	struct range *r;
	unsigned n;

	UNUSED(state);
	net_reset(3);
	net.table_max = 20000;
	block(20000, 29999, FATE_DROP);
	r = start(10000, 65535, true, &flows, 3);
	(void)run(r);
	range_sum(&sum, r);
	assert_true(sum.table_limit > 10000);
	assert_true(sum.table_limit <= 20000);
	n = range_spans(r, spans, SPANS);
	assert_true(n > 0);
	for (unsigned i = 0; i < n && i < SPANS; i++) {
		assert_true(spans[i].first >= 20000);
		assert_true(spans[i].last <= 29999);
	}
	range_free(r);
}

static void test_rate_limit_slows_down(void **state)
{
	UNUSED(state);
	for (uint64_t seed = 1; seed <= 200; seed++) {
		unsigned flows = 1000;
		struct range_sum sum;
		struct range *r;

		net_reset(seed);
		net.new_per_s = 40 + draw_below(100);
		r = start(10000, 65535, false, &flows, seed);
		(void)run(r);
		range_sum(&sum, r);
		assert_int_equal(range_spans(r, spans, SPANS), 0);
		assert_int_equal(sum.table_limit, 0);
		assert_int_equal(sum.n_passed, sum.n_tried);
		assert_true(sum.is_slowed);
		assert_true(sum.n_tried < 100); /* no flows wasted */
		range_free(r);
	}
}

/* An answer that comes after the patience for it is still an answer. */
static void test_late_fresh_flow_is_no_limit(void **state)
{
	unsigned flows = 1000;
	struct range *r;

	UNUSED(state);
	net_reset(9);
	net.first_too_late = 700;
	block(20000, 40000, FATE_DROP);
	r = start(10000, 65535, false, &flows, 9);
	(void)run(r);
	assert_truth(r, 10000, 65535, 9);
	range_free(r);
}

/* ICMP errors come a few a second: their absence proves nothing. */
static void test_mute_far_end_proves_only_what_passes(void **state)
{
	unsigned flows = 1000;
	struct range_sum sum;
	struct range *r;

	UNUSED(state);
	net_reset(4);
	net.mute = true;
	r = start(10000, 65535, false, &flows, 4);
	range_be_mute(r);
	(void)run(r);
	range_sum(&sum, r);
	assert_int_equal(range_spans(r, spans, SPANS), 0);
	assert_true(sum.n_passed >= REFUSALS_BURST);
	assert_true(sum.n_unknown > 0);
	assert_int_equal(sum.n_silent, 0);
	assert_int_equal(sum.table_limit, 0);
	range_free(r);
}

/* The flows of the run are a bound whatever the network does. */
static void test_flows_are_bounded(void **state)
{
	UNUSED(state);
	for (unsigned given = 0; given < 200; given++) {
		unsigned flows = given;
		struct range_sum sum;
		struct range *r;

		net_reset(given);
		for (unsigned p = 10000; p < 65536; p++)
			net.fate[p] = (uint8_t)draw_below(2);
		r = start(10000, 65535, given % 3 == 0, &flows, given);
		(void)run(r);
		range_sum(&sum, r);
		assert_int_equal(sum.n_flows + flows, given);
		if (given == 0)
			assert_int_equal(sum.n_tried, 0);
		range_free(r);
		assert_true(flows <= given);
	}
}

/* Whoever else spends the flows of the run, a sample has its own. */
static void test_a_sample_keeps_its_flows(void **state)
{
	unsigned flows = 30, others;
	struct range_sum sum;
	struct range *r;

	UNUSED(state);
	net_reset(3);
	r = start(10000, 65535, false, &flows, 3);
	assert_true(flows < 30 - RANGE_SAMPLE_MIN);
	others = flows;
	flows = 0;
	(void)run(r);
	range_sum(&sum, r);
	assert_true(sum.n_passed >= RANGE_SAMPLE_MIN);
	assert_int_equal(sum.n_flows + flows + others, 30);
	range_free(r);
}

/* Eight hosts behind one firewall: flows for one search, not for eight. */
static void test_others_look_where_one_has_found(void **state)
{
	static const struct {
		unsigned first, last;
	} holes[] = {{10000, 12345}, {30007, 41234}, {50011, 65535}};
	struct range_board board = {0};
	unsigned flows = 500, searched = 0;

	UNUSED(state);
	net_reset(5);
	for (size_t i = 0; i < ARRAY_LEN(holes); i++) {
		for (unsigned p = holes[i].first; p <= holes[i].last; p++)
			net.fate[p] = FATE_DROP;
	}
	for (unsigned host = 0; host < 8; host++) {
		struct range_sum sum;
		struct range *r;

		memset(net.has_flow, 0, sizeof(net.has_flow));
		r = start_beside(&board, &flows, host);
		(void)run(r);
		range_sum(&sum, r);
		assert_true(sum.is_exact);
		assert_int_equal(range_spans(r, spans, SPANS), 3);
		assert_int_equal(spans[1].first, 30007);
		assert_int_equal(spans[1].last, 41234);
		if (host == 0)
			searched = sum.n_tried;
		else
			assert_true(sum.n_tried * 3 < searched * 2);
		range_free(r);
		assert_null(board.searcher);
	}
}

static void test_pace_is_kept(void **state)
{
	unsigned flows = 100000;
	struct range_conf conf = {
		.first = 20000,
		.last = 20999,
		.is_full = true,
		.window_max = 512,
		.flows_per_s = 100,
		.flows_left = &flows,
	};
	struct range *r = NULL;
	int64_t took;

	UNUSED(state);
	net_reset(2);
	assert_int_equal(range_alloc(&r, &conf, 0), 0);
	took = run(r);
	assert_true(took > 9900 * NS_PER_MS);
	assert_true(took < 11 * NS_PER_S);
	range_free(r);
}

static void test_busy_costs_no_try(void **state)
{
	unsigned flows = 100, n_busy = 0;
	struct range *r;
	struct range_step step;
	struct range_sum sum;
	int64_t now = 0, next;

	UNUSED(state);
	net_reset(2);
	r = start(30000, 30009, true, &flows, 1);
	while ((next = range_next(r, &step, now)) != INT64_MAX) {
		if (step.port && n_busy < 50) {
			n_busy++;
			range_on_busy(r, &step, now);
		} else if (step.port) {
			range_on_pass(r, step.port, 0, now);
		} else {
			assert_true(next > now);
			now = next;
		}
	}
	assert_int_equal(n_busy, 50);
	range_sum(&sum, r);
	assert_int_equal(sum.n_sent, 10);
	assert_int_equal(sum.n_passed, 10);
	range_free(r);
}

static void test_give_up_leaves_doubt(void **state)
{
	unsigned flows = 100;
	struct range_step step;
	struct range_sum sum;
	struct range *r;

	UNUSED(state);
	r = start(30000, 30009, true, &flows, 1);
	for (int i = 0; i < 3; i++)
		(void)range_next(r, &step, 0);
	range_on_pass(r, step.port, 1, 1);
	range_give_up(r);
	range_sum(&sum, r);
	assert_int_equal(sum.n_tried, 3);
	assert_int_equal(sum.n_passed, 1);
	assert_int_equal(sum.n_unknown, 2);
	assert_int_equal(range_next(r, &step, 5), INT64_MAX);
	assert_int_equal(step.port, 0);
	assert_int_equal(range_spans(r, spans, SPANS), 0);
	range_free(r);
	assert_int_equal(flows, 97);
}

static void test_strangers_are_ignored(void **state)
{
	unsigned flows = 100;
	struct range_step step;
	struct range_sum sum;
	struct range *r;

	UNUSED(state);
	r = start(30000, 30009, true, &flows, 1);
	(void)range_next(r, &step, 0);
	range_on_pass(r, 29999, 1, 1); /* outside */
	range_on_pass(r, 30010, 1, 1);
	range_on_refused(r, 1, 1);
	range_on_fresh(r, 0, 1);
	for (uint16_t p = 30000; p <= 30009; p++) {
		if (p != step.port)
			range_on_pass(r, p, 1, 1); /* not asked */
	}
	range_sum(&sum, r);
	assert_int_equal(sum.n_passed, 0);
	range_on_pass(r, step.port, 1, 1);
	range_on_refused(r, step.port, 1); /* too late */
	assert_int_equal(range_state_of(r, step.port), RANGE_PASSES);
	assert_int_equal(range_state_of(r, 1), RANGE_UNKNOWN);
	range_free(r);
}

static void test_alloc_refuses(void **state)
{
	unsigned flows = 100;
	struct range_conf good = {.first = 1,
	                          .last = 65535,
	                          .window_max = 16,
	                          .flows_left = &flows};
	struct range_conf bad;
	struct range *r = NULL;

	UNUSED(state);
	bad = good;
	bad.first = 0;
	assert_int_equal(range_alloc(&r, &bad, 0), EINVAL);
	bad = good;
	bad.last = 0;
	assert_int_equal(range_alloc(&r, &bad, 0), EINVAL);
	bad = good;
	bad.window_max = RANGE_WINDOW_MAX + 1;
	assert_int_equal(range_alloc(&r, &bad, 0), EINVAL);
	bad.window_max = 0;
	assert_int_equal(range_alloc(&r, &bad, 0), EINVAL);
	assert_null(r);
	range_free(NULL);
	for (unsigned long left = 0; left < 3; left++) {
		oom_after(left);
		assert_int_equal(range_alloc(&r, &good, 0), ENOMEM);
		oom_after(OOM_NEVER);
		assert_null(r);
		assert_int_equal(flows, 100);
	}
	assert_int_equal(range_alloc(&r, &good, 0), 0);
	range_free(r);
	assert_int_equal(flows, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds_wide_parts_exactly),
		cmocka_unit_test(test_all_open),
		cmocka_unit_test(test_full_is_exact),
		cmocka_unit_test(test_full_range_of_the_document),
		cmocka_unit_test(test_sample_looks_at_notable_ports_and_ends),
		cmocka_unit_test(test_whole_range_blocked),
		cmocka_unit_test(test_table_limit_is_told_from_blocking),
		cmocka_unit_test(test_blocked_before_the_limit),
		cmocka_unit_test(test_rate_limit_slows_down),
		cmocka_unit_test(test_late_fresh_flow_is_no_limit),
		cmocka_unit_test(test_mute_far_end_proves_only_what_passes),
		cmocka_unit_test(test_flows_are_bounded),
		cmocka_unit_test(test_a_sample_keeps_its_flows),
		cmocka_unit_test(test_others_look_where_one_has_found),
		cmocka_unit_test(test_pace_is_kept),
		cmocka_unit_test(test_busy_costs_no_try),
		cmocka_unit_test(test_give_up_leaves_doubt),
		cmocka_unit_test(test_strangers_are_ignored),
		cmocka_unit_test(test_alloc_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
