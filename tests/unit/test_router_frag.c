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

enum shape {
	IP4,
	IP6,
	IP6_OPTIONS, /* before the Fragment header, and after it */
	SHAPES,
};

struct parts {
	uint8_t whole[4096], b[N_PARTS][MTU];
	size_t whole_bytes, hdr_bytes, n[N_PARTS];
};

static const struct addr src6 = {ADDR_IP6, {0x20, 1, 0xd, 0xb8, 1}, 5060};
static const struct addr dst6 = {ADDR_IP6, {0x20, 1, 0xd, 0xb8, 2}, 5060};

/* A datagram of IPv6 whose Fragment header, number 44, cuts nothing. */
static size_t udp6_make(uint8_t *b, size_t room, struct slice text,
                        bool has_options)
{
	static const uint8_t pad[] = {1, 4, 0, 0, 0, 0};
	struct wr plain = wr_init(b, room);
	uint8_t copy[4096];
	struct wr w;

	assert_int_equal(router_udp_build(&plain, &src6, &dst6, 64, text), 0);
	memcpy(copy, b, plain.n);
	w = wr_init(b, room);
	copy[6] = has_options ? 0 : 44;
	copy[4] = (uint8_t)((plain.n - 40 + (has_options ? 24 : 8)) >> 8);
	copy[5] = (uint8_t)(plain.n - 40 + (has_options ? 24 : 8));
	wr_put(&w, (struct slice){copy, 40});
	if (has_options) {
		wr_u16(&w, 44 << 8);
		wr_put(&w, (struct slice){pad, sizeof(pad)});
	}
	wr_u32(&w, has_options ? UINT32_C(60) << 24 : UINT32_C(17) << 24);
	wr_u32(&w, UINT32_C(0xcafe0001));
	if (has_options) {
		wr_u16(&w, 17 << 8);
		wr_put(&w, (struct slice){pad, sizeof(pad)});
	}
	wr_put(&w, (struct slice){copy + 40, plain.n - 40});
	assert_false(w.bad);
	return w.n;
}

static void parts_make(struct parts *ps, enum shape shape)
{
	struct addr src = {ADDR_IP4, {192, 0, 2, 33}, 5060};
	struct addr dst = {ADDR_IP4, {198, 51, 100, 10}, 5060};
	struct wr w = wr_init(ps->whole, sizeof(ps->whole));
	static uint8_t text[TEXT_BYTES];
	struct router_pkt p;
	size_t at = 0;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 7);
	if (shape == IP4)
		assert_int_equal(
			router_udp_build(&w, &src, &dst, 64,
		                         (struct slice){text, TEXT_BYTES}),
			0);
	else
		w.n = udp6_make(ps->whole, sizeof(ps->whole),
		                (struct slice){text, TEXT_BYTES},
		                shape == IP6_OPTIONS);
	ps->whole_bytes = w.n;
	ps->hdr_bytes = shape == IP4 ? 20 : shape == IP6 ? 48 : 56;
	assert_int_equal(router_pkt_read(&p, ps->whole, w.n), 0);
	assert_false(p.is_fragment);
	assert_true(router_pkt_sums_are_right(&p));
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
		assert_int_equal(mtu, ps->n[0]);
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
	assert_int_equal(router_frags_alloc(&f), 0);
	for (size_t i = 0; i < ARRAY_LEN(orders) * SHAPES; i++) {
		const size_t *order = orders[i / SHAPES];
		struct router_pkt whole;

		parts_make(&ps, (enum shape)(i % SHAPES));
		assert_int_equal(add(f, &whole, &ps, order[0], 0), EAGAIN);
		assert_int_equal(add(f, &whole, &ps, order[1], 0), EAGAIN);
		assert_int_equal(add(f, &whole, &ps, order[2], 0), 0);
		assert_true(router_pkt_sums_are_right(&whole));
		assert_int_equal(whole.n, ps.whole_bytes);
		assert_false(whole.is_fragment);
		assert_int_equal(whole.src.port, 5060);
		assert_memory_equal(whole.b + ps.hdr_bytes,
		                    ps.whole + ps.hdr_bytes,
		                    whole.n - ps.hdr_bytes);
	}
	router_frags_free(f);
}

/* Under the same identification, and as it came. */
static void test_next_cuts_ip6_as_it_came(void **state)
{
	struct router_frags *f = NULL;
	struct router_pkt whole;
	struct parts ps;
	size_t at = 0;

	UNUSED(state);
	assert_int_equal(router_frags_alloc(&f), 0);
	for (enum shape shape = IP6; shape < SHAPES; shape++) {
		parts_make(&ps, shape);
		(void)add(f, &whole, &ps, 2, 0);
		(void)add(f, &whole, &ps, 0, 0);
		assert_int_equal(add(f, &whole, &ps, 1, 0), 0);
		assert_int_equal(whole.frag_id, UINT32_C(0xcafe0001));
		at = 0;
		for (size_t i = 0; i < N_PARTS; i++) {
			uint8_t b[MTU];
			struct wr w = wr_init(b, sizeof(b));

			assert_int_equal(router_frag_next(&w, &at, &whole, MTU),
			                 0);
			assert_int_equal(w.n, ps.n[i]);
			assert_memory_equal(b, ps.b[i], w.n);
		}
	}
	router_frags_free(f);
}

static void test_next_never_cuts_ip6_that_came_whole(void **state)
{
	static const uint8_t text[TEXT_BYTES];
	uint8_t b[4096], cut[MTU];
	struct wr plain = wr_init(b, sizeof(b));
	struct wr w = wr_init(cut, sizeof(cut));
	struct router_pkt p;
	size_t at = 0;

	UNUSED(state);
	assert_int_equal(router_udp_build(&plain, &src6, &dst6, 64,
	                                  (struct slice){text, TEXT_BYTES}),
	                 0);
	assert_int_equal(router_pkt_read(&p, b, plain.n), 0);
	assert_int_equal(router_frag_next(&w, &at, &p, MTU), EMSGSIZE);
	assert_int_equal(w.n, 0);
}

/* The network may say a thing twice (RFC 8200, section 4.5). */
static void test_add_passes_over_a_duplicate(void **state)
{
	struct router_frags *f = NULL;
	struct router_pkt whole;
	struct parts ps;

	UNUSED(state);
	assert_int_equal(router_frags_alloc(&f), 0);
	for (enum shape shape = IP4; shape < SHAPES; shape++) {
		parts_make(&ps, shape);
		assert_int_equal(add(f, &whole, &ps, 0, 0), EAGAIN);
		assert_int_equal(add(f, &whole, &ps, 0, 0), EAGAIN);
		assert_int_equal(add(f, &whole, &ps, 2, 0), EAGAIN);
		assert_int_equal(add(f, &whole, &ps, 2, 0), EAGAIN);
		assert_int_equal(add(f, &whole, &ps, 1, 0), 0);
		assert_int_equal(whole.n, ps.whole_bytes);
	}
	router_frags_free(f);
}

static void test_add_refuses_an_overlap(void **state)
{
	struct router_frags *f;
	struct router_pkt whole;
	struct parts ps;

	UNUSED(state);
	for (enum shape shape = IP4; shape < SHAPES; shape++) {
		/* Spoiled: of IPv4 the next begins another one; of IPv6 all
		 * that belongs to it is lost (RFC 5722). */
		int then = shape == IP4 ? EAGAIN : EBADMSG;

		assert_int_equal(router_frags_alloc(&f), 0);
		parts_make(&ps, shape);
		assert_int_equal(add(f, &whole, &ps, 1, 0), EAGAIN);
		ps.b[1][ps.n[1] - 1] ^= 1;
		assert_int_equal(add(f, &whole, &ps, 1, 0), EBADMSG);
		ps.b[1][ps.n[1] - 1] ^= 1;
		for (size_t i = 0; i < N_PARTS - 1; i++)
			assert_int_equal(add(f, &whole, &ps, i, 0), then);
		router_frags_free(f);
	}
}

/* @p bytes of data at @p at of one datagram. */
static int add_piece(struct router_frags *f, size_t at, size_t bytes,
                     bool has_more)
{
	static const uint8_t text[256];
	struct router_pkt p, whole;
	uint8_t b[512];
	size_t mtu = 0;

	assert_int_equal(
		udp6_make(b, sizeof(b), (struct slice){text, bytes - 8}, false),
		48 + bytes);
	b[42] = (uint8_t)(at >> 8);
	b[43] = (uint8_t)(at | has_more);
	assert_int_equal(router_pkt_read(&p, b, 48 + bytes), 0);
	return router_frags_add(f, &whole, &mtu, &p, 0);
}

static void test_add_refuses_what_cannot_be(void **state)
{
	static const struct {
		const char *why;
		struct {
			size_t at, bytes;
			bool has_more;
		} first, then;
	} cases[] = {
		{"an end before what is known",
	         {64, 16, true},
	         {16, 16, false}},
		{"more after the end", {16, 16, false}, {32, 16, true}},
		{"two ends", {16, 16, false}, {16, 24, false}},
		{"a nested one", {0, 64, true}, {16, 16, true}},
		{"a longer one around it", {16, 16, true}, {0, 64, true}},
		{"an odd length", {64, 16, true}, {0, 20, true}},
		{"beyond 65535 bytes", {0, 16, true}, {65528, 16, false}},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct router_frags *f = NULL;

		assert_int_equal(router_frags_alloc(&f), 0);
		assert_int_equal(add_piece(f, cases[i].first.at,
		                           cases[i].first.bytes,
		                           cases[i].first.has_more),
		                 EAGAIN);
		if (add_piece(f, cases[i].then.at, cases[i].then.bytes,
		              cases[i].then.has_more) != EBADMSG)
			fail_msg("accepted: %s", cases[i].why);
		router_frags_free(f);
	}
}

static void test_add_refuses_long_chains(void **state)
{
	uint8_t b[2048] = {0};
	struct router_frags *f = NULL;
	struct router_pkt p, whole = {.ttl = 77};
	size_t mtu = 0, opt = ROUTER_FRAG_HDR_BYTES - 40;

	UNUSED(state);
	assert_int_equal(router_frags_alloc(&f), 0);
	b[0] = 0x60;
	b[4] = (uint8_t)((opt + 16) >> 8);
	b[5] = (uint8_t)(opt + 16);
	b[7] = 64;
	b[40] = 44;
	b[41] = (uint8_t)(opt / 8 - 1);
	b[40 + opt] = 17;
	b[40 + opt + 3] = 8 | 1;
	assert_int_equal(router_pkt_read(&p, b, 40 + opt + 16), 0);
	assert_true(p.is_fragment);
	assert_int_equal(router_frags_add(f, &whole, &mtu, &p, 0), EBADMSG);
	assert_int_equal(whole.ttl, 77);
	assert_int_equal(mtu, 0);
	router_frags_free(f);
}

/* Neither others' fragments nor a packet that was never cut. */
static void test_atomic_fragment_is_no_fragment(void **state)
{
	struct router_frags *f = NULL;
	struct router_pkt p, whole;
	struct parts ps;
	size_t mtu;

	UNUSED(state);
	parts_make(&ps, IP6);
	assert_int_equal(router_frags_alloc(&f), 0);
	assert_int_equal(add(f, &whole, &ps, 0, 0), EAGAIN);
	assert_int_equal(router_pkt_read(&p, ps.whole, ps.whole_bytes), 0);
	assert_int_equal(p.frag_hdr, 40);
	assert_int_equal(router_frags_add(f, &whole, &mtu, &p, 0), EBADMSG);
	/* RFC 6946: what has the same identification goes on. */
	assert_int_equal(add(f, &whole, &ps, 1, 0), EAGAIN);
	assert_int_equal(add(f, &whole, &ps, 2, 0), 0);
	router_frags_free(f);
}

static void test_memory_is_bounded(void **state)
{
	struct router_frags *f = NULL;
	struct router_pkt p, whole;
	struct parts ps;
	size_t mtu;

	UNUSED(state);
	parts_make(&ps, IP6);
	assert_int_equal(router_frags_alloc(&f), 0);
	assert_int_equal(add(f, &whole, &ps, 0, 0), EAGAIN);
	for (int i = 0; i < ROUTER_FRAG_SLOTS; i++) {
		ps.b[0][44] = (uint8_t)i; /* another identification */
		assert_int_equal(router_pkt_read(&p, ps.b[0], ps.n[0]), 0);
		assert_int_equal(router_frags_add(f, &whole, &mtu, &p, i + 1),
		                 EAGAIN);
	}
	/* The oldest is gone. */
	assert_int_equal(add(f, &whole, &ps, 1, 100), EAGAIN);
	assert_int_equal(add(f, &whole, &ps, 2, 100), EAGAIN);
	router_frags_free(f);
}

static void test_add_forgets_in_time(void **state)
{
	struct router_frags *f = NULL;
	struct router_pkt whole;
	struct parts ps;

	UNUSED(state);
	parts_make(&ps, IP6);
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
		cmocka_unit_test(test_next_cuts_ip6_as_it_came),
		cmocka_unit_test(test_next_never_cuts_ip6_that_came_whole),
		cmocka_unit_test(test_add_passes_over_a_duplicate),
		cmocka_unit_test(test_add_refuses_an_overlap),
		cmocka_unit_test(test_add_refuses_what_cannot_be),
		cmocka_unit_test(test_add_refuses_long_chains),
		cmocka_unit_test(test_atomic_fragment_is_no_fragment),
		cmocka_unit_test(test_memory_is_bounded),
		cmocka_unit_test(test_add_forgets_in_time),
		cmocka_unit_test(test_alloc_survives_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
