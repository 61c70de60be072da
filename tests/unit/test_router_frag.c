/* SPDX-License-Identifier: ISC */
#include "router/frag.h"

#include <errno.h>
#include <string.h>

#include "oom.h"
#include "test.h"

enum {
	TEXT_BYTES = 3000,
	MTU = 1500,
	N_PARTS = 3,
};

struct parts {
	uint8_t whole[4096], b[N_PARTS][MTU];
	size_t whole_bytes, n[N_PARTS];
};

static void parts_make(struct parts *ps)
{
	struct addr src = {ADDR_IP4, {192, 0, 2, 33}, 5060};
	struct addr dst = {ADDR_IP4, {198, 51, 100, 10}, 5060};
	struct wr w = wr_init(ps->whole, sizeof(ps->whole));
	static uint8_t text[TEXT_BYTES];
	struct router_pkt p;
	size_t at = 0;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 7);
	assert_int_equal(router_udp_build(&w, &src, &dst, 64,
	                                  (struct slice){text, sizeof(text)}),
	                 0);
	ps->whole_bytes = w.n;
	assert_int_equal(router_pkt_read(&p, ps->whole, w.n), 0);
	for (size_t i = 0; i < N_PARTS; i++) {
		struct wr f = wr_init(ps->b[i], MTU);

		assert_int_equal(router_frag_next(&f, &at, &p, MTU), 0);
		ps->n[i] = f.n;
	}
	assert_int_equal(router_frag_next(&w, &at, &p, MTU), ENOENT);
}

static int add(struct router_frags *f, struct router_pkt *whole,
               struct parts *ps, size_t i, int64_t now_ns)
{
	struct router_pkt p;
	size_t mtu = 0;
	int err;

	assert_int_equal(router_pkt_read(&p, ps->b[i], ps->n[i]), 0);
	assert_true(p.is_fragment);
	err = router_frags_add(f, whole, &mtu, &p, now_ns);
	if (!err)
		assert_int_equal(mtu, MTU);
	return err;
}

static void test_add_restores_in_any_order(void **state)
{
	static const size_t orders[][N_PARTS] = {{0, 1, 2}, {0, 2, 1},
	                                         {1, 0, 2}, {1, 2, 0},
	                                         {2, 0, 1}, {2, 1, 0}};
	struct router_frags *f = NULL;
	struct parts ps;

	UNUSED(state);
	parts_make(&ps);
	assert_int_equal(router_frags_alloc(&f), 0);
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		struct router_pkt whole;

		assert_int_equal(add(f, &whole, &ps, orders[i][0], 0), EAGAIN);
		assert_int_equal(add(f, &whole, &ps, orders[i][1], 0), EAGAIN);
		assert_int_equal(add(f, &whole, &ps, orders[i][2], 0), 0);
		assert_true(router_pkt_sums_are_right(&whole));
		assert_int_equal(whole.n, ps.whole_bytes);
		assert_memory_equal(whole.b + 20, ps.whole + 20, whole.n - 20);
	}
	router_frags_free(f);
}

static void test_add_refuses_an_overlap(void **state)
{
	struct router_frags *f = NULL;
	struct router_pkt whole;
	struct parts ps;

	UNUSED(state);
	parts_make(&ps);
	assert_int_equal(router_frags_alloc(&f), 0);
	assert_int_equal(add(f, &whole, &ps, 0, 0), EAGAIN);
	assert_int_equal(add(f, &whole, &ps, 0, 0), EBADMSG);
	/* The datagram is spoiled: what comes begins another one. */
	assert_int_equal(add(f, &whole, &ps, 1, 0), EAGAIN);
	assert_int_equal(add(f, &whole, &ps, 2, 0), EAGAIN);
	router_frags_free(f);
}

static void test_add_forgets_in_time(void **state)
{
	struct router_frags *f = NULL;
	struct router_pkt whole;
	struct parts ps;

	UNUSED(state);
	parts_make(&ps);
	assert_int_equal(router_frags_alloc(&f), 0);
	assert_int_equal(add(f, &whole, &ps, 0, 0), EAGAIN);
	assert_int_equal(add(f, &whole, &ps, 1, 0), EAGAIN);
	assert_int_equal(add(f, &whole, &ps, 2, ROUTER_FRAG_LIFE_NS), EAGAIN);
	router_frags_free(f);
}

static void test_alloc_survives_without_memory(void **state)
{
	struct router_frags *f = NULL;

	UNUSED(state);
	oom_after(0);
	assert_int_equal(router_frags_alloc(&f), ENOMEM);
	oom_after(OOM_NEVER);
	assert_null(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add_restores_in_any_order),
		cmocka_unit_test(test_add_refuses_an_overlap),
		cmocka_unit_test(test_add_forgets_in_time),
		cmocka_unit_test(test_alloc_survives_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
