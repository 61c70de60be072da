/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "edge/inside.h"

static struct edge_server *server;
static struct edge_conn *conns;

static int setup(void **state)
{
	UNUSED(state);
	server = calloc(1, sizeof(*server));
	conns = calloc(EDGE_CONNS_MAX, sizeof(*conns));
	return server && conns ? 0 : -1;
}

static int teardown(void **state)
{
	UNUSED(state);
	free(conns);
	free(server);
	return 0;
}

static struct addr source(unsigned n)
{
	return (struct addr){.family = ADDR_IP4,
	                     .ip = {192, 0, (uint8_t)(n >> 8), (uint8_t)n}};
}

/* So many more of a source, as far as they are let in. @return how many */
static size_t add(unsigned from, bool is_visit, size_t n_most)
{
	struct addr peer = source(from);
	size_t n = 0;

	for (; n < n_most && edge_conn_may(server, &peer, is_visit); n++) {
		struct edge_conn *c = &conns[server->n_conns];

		*c = (struct edge_conn){.speaks = is_visit ? EDGE_RANGE : 0,
		                        .flow = {.remote = peer}};
		server->conns[server->n_conns++] = c;
	}
	return n;
}

static void empty(void)
{
	server->n_conns = 0;
}

static void test_source_has_so_many_and_no_more(void **state)
{
	UNUSED(state);
	empty();
	assert_int_equal(add(1, false, SIZE_MAX), EDGE_CONNS_PER_SOURCE);
	assert_int_equal(add(2, false, 1), 1);
	assert_int_equal(add(1, true, SIZE_MAX), EDGE_VISITS_PER_SOURCE);
	assert_int_equal(add(1, false, 1), 0);
	assert_int_equal(add(1, true, 1), 0);
}

/* Who visits every port of a range leaves room for calls. */
static void test_visits_take_no_others_place(void **state)
{
	size_t n = 0;

	UNUSED(state);
	empty();
	for (unsigned i = 0; i < EDGE_CONNS_MAX; i++)
		n += add(i, true, 1);
	assert_int_equal(n, EDGE_VISITS_MAX);
	assert_int_equal(add(9999, true, 1), 0);
	assert_int_equal(add(9999, false, 1), 1);
}

static void test_full_table_lets_nobody_in_until_one_goes(void **state)
{
	size_t n = 0;

	UNUSED(state);
	empty();
	for (unsigned i = 0; i < 2 * EDGE_CONNS_MAX; i++)
		n += add(i, false, 1);
	assert_int_equal(n, EDGE_CONNS_MAX);
	assert_int_equal(add(9999, false, 1), 0);
	assert_int_equal(add(9999, true, 1), 0);
	server->n_conns--;
	assert_int_equal(add(9999, false, 2), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_source_has_so_many_and_no_more),
		cmocka_unit_test(test_visits_take_no_others_place),
		cmocka_unit_test(test_full_table_lets_nobody_in_until_one_goes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
