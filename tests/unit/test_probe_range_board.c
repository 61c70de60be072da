/* SPDX-License-Identifier: ISC */
#include "range_net.h"

static void test_one_searches_at_a_time(void **state)
{
	struct range_board board = {0};
	unsigned flows = 500;
	struct range *a = start_beside(&board, &flows, 1);
	struct range *b = start_beside(&board, &flows, 1);

	UNUSED(state);
	assert_true(range_board_enter(&board, a));
	assert_true(range_board_enter(&board, a));
	assert_false(range_board_enter(&board, b));
	range_board_leave(&board, b);
	assert_false(range_board_enter(&board, b));
	/* whoever goes leaves */
	range_free(a);
	assert_true(range_board_enter(&board, b));
	range_free(b);
	assert_null(board.searcher);
}

static void test_each_edge_is_told_once(void **state)
{
	struct range_board board = {0};

	UNUSED(state);
	for (unsigned i = 0; i < 3 * RANGE_BOARD_EDGES; i++)
		range_board_tell(&board, (uint16_t)(i / 2));
	assert_int_equal(board.n_edges, RANGE_BOARD_EDGES);
	for (unsigned i = 0; i < RANGE_BOARD_EDGES; i++)
		assert_int_equal(board.edges[i], i);
}

static void test_nobody_needs_a_board(void **state)
{
	unsigned flows = 500;
	struct range *r = start_beside(NULL, &flows, 1);

	UNUSED(state);
	range_board_tell(NULL, 1);
	assert_true(range_board_enter(NULL, r));
	range_board_leave(NULL, r);
	range_free(r);
}

static void test_closed_is_refused_where_an_edge_is(void **state)
{
	unsigned flows = 500;
	struct range *r = start_beside(NULL, &flows, 1);
	struct range_step step;

	UNUSED(state);
	(void)range_next(r, &step, 0);
	assert_int_not_equal(step.port, 0);
	range_on_closed(r, step.port, 0, 1);
	assert_int_equal(range_state_of(r, step.port), RANGE_PASSES);
	range_closed_is_refused(r);
	assert_int_equal(range_state_of(r, step.port), RANGE_REFUSED);
	range_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_searches_at_a_time),
		cmocka_unit_test(test_each_edge_is_told_once),
		cmocka_unit_test(test_nobody_needs_a_board),
		cmocka_unit_test(test_closed_is_refused_where_an_edge_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
