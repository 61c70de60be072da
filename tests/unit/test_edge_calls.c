/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "edge/calls.h"
#include "oom.h"

static const struct slice final = BYTES("SIP/2.0 480 Busy\r\nVia: x\r\n\r\n");

static struct edge_calls *make(void)
{
	struct edge_calls *c;

	assert_int_equal(edge_calls_alloc(&c), 0);
	return c;
}

static struct edge_flow flow_of(uint8_t host)
{
	return (struct edge_flow){
		.transport = WIRE_UDP,
		.local = {.family = ADDR_IP4, .port = 5060},
		.remote = {.family = ADDR_IP4, .ip = {192, 0, 2, host}},
	};
}

static void test_end_gives_the_answer_once(void **state)
{
	struct edge_calls *c = make();
	struct edge_flow flow = flow_of(7);
	struct edge_final f;

	UNUSED(state);
	edge_calls_start(c, 5, &flow, final, NS_PER_S);
	assert_true(edge_calls_has(c, 5));
	assert_false(edge_calls_has(c, 6));
	assert_true(edge_calls_end(&f, c, 5));
	assert_true(slice_eq_str(f.bytes, "\r\nVia: x\r\n\r\n"));
	assert_true(addr_eq(&f.flow.remote, &flow.remote));
	assert_false(edge_calls_end(&f, c, 5));
	edge_calls_free(c);
}

static void test_due_ends_it_by_itself(void **state)
{
	struct edge_calls *c = make();
	struct edge_flow flow = flow_of(7);
	struct edge_final f;

	UNUSED(state);
	assert_true(edge_calls_next_ns(c) == INT64_MAX);
	edge_calls_start(c, 5, &flow, final, NS_PER_S);
	edge_calls_start(c, 5, &flow, final, 3 * NS_PER_S); /* again: no news */
	assert_true(edge_calls_next_ns(c) == 5 * NS_PER_S);
	assert_false(edge_calls_due(&f, c, 5 * NS_PER_S - 1));
	assert_true(edge_calls_due(&f, c, 5 * NS_PER_S));
	assert_false(edge_calls_due(&f, c, 50 * NS_PER_S));
	assert_true(edge_calls_next_ns(c) == INT64_MAX);
	edge_calls_free(c);
}

static void test_start_counts_a_64_as_one_source(void **state)
{
	struct edge_calls *c = make();
	struct edge_flow flow = flow_of(0);
	uint8_t key = 0;

	UNUSED(state);
	assert_int_equal(addr_parse(&flow.remote, slice_str("2001:db8:0:1::")),
	                 0);
	for (; key <= EDGE_CALLS_PER_SOURCE; key++) {
		flow.remote.ip[15] = key;
		edge_calls_start(c, key, &flow, final, 1);
	}
	assert_true(edge_calls_has(c, EDGE_CALLS_PER_SOURCE - 1));
	assert_false(edge_calls_has(c, EDGE_CALLS_PER_SOURCE));
	flow.remote.ip[7] = 2;
	edge_calls_start(c, key, &flow, final, 1);
	assert_true(edge_calls_has(c, key));
	edge_calls_free(c);
}

static void test_start_is_bounded(void **state)
{
	static uint8_t big[EDGE_CALL_MAX_BYTES + 8] = "x\r\n";
	struct edge_calls *c = make();
	struct edge_flow flow = flow_of(7);
	uint64_t key = 0;

	UNUSED(state);
	edge_calls_start(c, 1000, &flow, (struct slice){big, sizeof(big)}, 1);
	assert_false(edge_calls_has(c, 1000));
	edge_calls_start(c, 1000, &flow, slice_str("no end of line"), 1);
	assert_false(edge_calls_has(c, 1000));

	while (key <= EDGE_CALLS_PER_SOURCE)
		edge_calls_start(c, key++, &flow, final, 1);
	assert_true(edge_calls_has(c, EDGE_CALLS_PER_SOURCE - 1));
	assert_false(edge_calls_has(c, EDGE_CALLS_PER_SOURCE));

	for (key = 10000; key < 10000 + EDGE_CALLS_MAX; key++) {
		flow.remote.ip[2] = (uint8_t)(key >> 8);
		flow.remote.ip[3] = (uint8_t)key;
		edge_calls_start(c, key, &flow, final, 1);
	}
	assert_true(edge_calls_has(c, 10000));
	assert_false(edge_calls_has(c, key - 1));
	edge_calls_free(c);
}

static void test_key_tells_calls_apart(void **state)
{
	struct edge_flow a = flow_of(1), b = flow_of(2), port = a, tcp = a;
	uint64_t key = edge_call_key(slice_str("id"), &a);

	UNUSED(state);
	port.local.port = 5080;
	tcp.transport = WIRE_TCP;
	assert_true(key == edge_call_key(slice_str("id"), &a));
	assert_true(key != edge_call_key(slice_str("ie"), &a));
	assert_true(key != edge_call_key(slice_str("id"), &b));
	assert_true(key != edge_call_key(slice_str("id"), &port));
	assert_true(key != edge_call_key(slice_str("id"), &tcp));
}

static void test_alloc_reports_no_memory(void **state)
{
	struct edge_calls *c = NULL;

	UNUSED(state);
	oom_after(0);
	assert_int_equal(edge_calls_alloc(&c), ENOMEM);
	oom_after(OOM_NEVER);
	assert_null(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_end_gives_the_answer_once),
		cmocka_unit_test(test_due_ends_it_by_itself),
		cmocka_unit_test(test_start_counts_a_64_as_one_source),
		cmocka_unit_test(test_start_is_bounded),
		cmocka_unit_test(test_key_tells_calls_apart),
		cmocka_unit_test(test_alloc_reports_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
