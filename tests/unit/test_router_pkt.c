/* SPDX-License-Identifier: ISC */
#include "router/pkt.h"

#include <errno.h>
#include <string.h>

#include "test.h"

static struct addr at(const char *text)
{
	struct addr a = {0};

	assert_int_equal(addr_parse_port(&a, slice_str(text)), 0);
	return a;
}

static size_t udp(uint8_t *b, const char *src, const char *dst,
                  const char *text)
{
	struct wr w = wr_init(b, 2048);
	struct addr s = at(src), d = at(dst);

	assert_int_equal(router_udp_build(&w, &s, &d, 64, slice_str(text)), 0);
	return w.n;
}

static const char *const pairs[][2] = {
	{"192.0.2.33:5060", "198.51.100.10:5061"},
	{"[2001:db8::33]:5060", "[2001:db8:ffff::10]:5061"},
};

static void test_read_gives_what_was_built(void **state)
{
	uint8_t b[2048];

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct addr src = at(pairs[i][0]), dst = at(pairs[i][1]);
		size_t n = udp(b, pairs[i][0], pairs[i][1], "hello");
		struct router_pkt p;

		assert_int_equal(router_pkt_read(&p, b, n + 3), 0);
		assert_int_equal(p.n, n);
		assert_true(addr_eq(&p.src, &src));
		assert_true(addr_eq(&p.dst, &dst));
		assert_true(slice_eq_str(router_pkt_payload(&p), "hello"));
		assert_true(router_pkt_sums_are_right(&p));
		assert_true(p.has_df && !p.is_fragment);
	}
}

/* RFC 1071, section 3; and a header known from elsewhere: its sum is b1e6. */
static void test_sum_matches_known_headers(void **state)
{
	static const uint8_t words[] = {0, 1, 0xf2, 3, 0xf4, 0xf5, 0xf6, 0xf7};
	static const uint8_t hdr[] = {0x45, 0x00, 0x00, 0x3c, 0x1c, 0x46, 0x40,
	                              0x00, 0x40, 0x06, 0xb1, 0xe6, 0xac, 0x10,
	                              0x0a, 0x63, 0xac, 0x10, 0x0a, 0x0c};

	UNUSED(state);
	assert_int_equal(router_sum((struct slice){words, 8}, 0), 0x220d);
	assert_int_equal(router_sum((struct slice){hdr, 20}, 0), 0);
}

static void test_read_rejects_every_prefix(void **state)
{
	uint8_t b[2048];

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		size_t n = udp(b, pairs[i][0], pairs[i][1], "hello");
		struct router_pkt p = {.ttl = 77};

		while (n-- > 0)
			assert_int_equal(router_pkt_read(&p, b, n), EBADMSG);
		assert_int_equal(p.ttl, 77);
	}
}

static void test_read_rejects_malformed(void **state)
{
	static const struct {
		const char *why;
		size_t at;
		uint8_t is;
		bool has_sum;
	} cases[] = {
		{"version 5", 0, 0x55, true},
		{"header of 16 bytes", 0, 0x44, true},
		{"header past the end", 0, 0x4f, true},
		{"longer than it is", 3, 0xff, true},
		{"shorter than its header", 3, 10, true},
		{"a wrong header checksum", 10, 0xaa, false},
		{"UDP shorter than its header", 25, 7, false},
		{"UDP longer than the packet", 25, 200, false},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t b[2048];
		size_t n = udp(b, pairs[0][0], pairs[0][1], "hello");
		struct router_pkt p;

		b[cases[i].at] = cases[i].is;
		if (cases[i].has_sum) {
			size_t hdr = (size_t)(b[0] & 15) * 4;
			uint16_t sum;

			b[10] = b[11] = 0;
			sum = router_sum((struct slice){b, hdr}, 0);
			b[10] = (uint8_t)(sum >> 8);
			b[11] = (uint8_t)sum;
		}
		if (router_pkt_read(&p, b, n) != EBADMSG)
			fail_msg("accepted: %s", cases[i].why);
	}
}

static void test_change_keeps_the_sums(void **state)
{
	static const char *const to[][2] = {
		{"203.0.113.2:1024", "198.51.100.20:9"},
		{"[2001:db8:1::2]:1024", "[2001:db8::9]:9"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(to); i++) {
		struct addr src = at(to[i][0]), dst = at(to[i][1]);
		uint8_t b[2048];
		size_t n = udp(b, pairs[i][0], pairs[i][1], "hello, world");
		struct router_pkt p, again;

		assert_int_equal(router_pkt_read(&p, b, n), 0);
		router_pkt_src_set(&p, &src);
		router_pkt_dst_set(&p, &dst);
		router_pkt_ttl_set(&p, 9);
		router_pkt_tos_set(&p, 0xb8);
		assert_int_equal(router_pkt_read(&again, b, n), 0);
		assert_true(router_pkt_sums_are_right(&again));
		assert_true(addr_eq(&again.src, &src));
		assert_true(addr_eq(&again.dst, &dst));
		assert_int_equal(again.ttl, 9);
		assert_int_equal(again.tos, 0xb8);
		assert_true(slice_eq_str(router_pkt_payload(&again),
		                         "hello, world"));
	}
}

static void test_change_leaves_a_wrong_sum_wrong(void **state)
{
	struct addr src = at("203.0.113.2:1024");
	uint8_t b[2048];
	size_t n = udp(b, pairs[0][0], pairs[0][1], "hello");
	struct router_pkt p;

	UNUSED(state);
	b[27] ^= 1;
	assert_int_equal(router_pkt_read(&p, b, n), 0);
	router_pkt_src_set(&p, &src);
	assert_false(router_pkt_sums_are_right(&p));
}

static void test_change_leaves_no_sum_alone(void **state)
{
	struct addr src = at("203.0.113.2:1024");
	uint8_t b[2048], out[2048];
	size_t n = udp(b, pairs[0][0], pairs[0][1], "hello");
	struct wr w = wr_init(out, sizeof(out));
	struct router_pkt p;

	UNUSED(state);
	b[26] = b[27] = 0;
	assert_int_equal(router_pkt_read(&p, b, n), 0);
	router_pkt_src_set(&p, &src);
	assert_int_equal(b[26] | b[27], 0);
	assert_int_equal(router_pkt_rebuild(&w, &p, slice_str("x")), 0);
	assert_int_equal(out[26] | out[27], 0);
}

static void test_rebuild_changes_the_payload(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		uint8_t b[2048], out[2048];
		struct wr w = wr_init(out, sizeof(out));
		size_t n = udp(b, pairs[i][0], pairs[i][1], "hello");
		struct router_pkt p, again;

		assert_int_equal(router_pkt_read(&p, b, n), 0);
		assert_int_equal(
			router_pkt_rebuild(&w, &p, slice_str("longer text")),
			0);
		assert_int_equal(router_pkt_read(&again, out, w.n), 0);
		assert_true(router_pkt_sums_are_right(&again));
		assert_true(slice_eq_str(router_pkt_payload(&again),
		                         "longer text"));
		w = wr_init(out, 30);
		assert_int_equal(
			router_pkt_rebuild(&w, &p, slice_str("longer text")),
			EMSGSIZE);
	}
}

static void test_icmp_quotes_as_much_as_asked(void **state)
{
	static const struct {
		size_t asked, quoted;
	} cases[] = {{0, 28}, {28, 28}, {40, 40}, {548, 128}};
	struct addr from = at("203.0.113.1:1");
	uint8_t b[2048], out[2048];
	char text[101];

	UNUSED(state);
	memset(text, 'a', 100);
	text[100] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t n = udp(b, pairs[0][0], pairs[0][1], text);
		struct wr w = wr_init(out, sizeof(out));
		struct router_pkt p, e, q;

		assert_int_equal(router_pkt_read(&p, b, n), 0);
		assert_int_equal(router_icmp_build(&w, &p, &from,
		                                   ROUTER_ICMP_TTL, 0,
		                                   cases[i].asked),
		                 0);
		assert_int_equal(router_pkt_read(&e, out, w.n), 0);
		assert_true(router_pkt_sums_are_right(&e));
		assert_true(e.is_icmp_error);
		assert_int_equal(e.icmp_type, 11);
		assert_int_equal(router_pkt_payload(&e).n, cases[i].quoted);
		assert_int_equal(router_pkt_read_quote(&q, e.b + e.payload,
		                                       e.n - e.payload),
		                 0);
		assert_true(addr_eq(&q.src, &p.src));
		assert_true(addr_eq(&q.dst, &p.dst));
		/* None about an error. */
		assert_int_equal(router_icmp_build(&w, &e, &from,
		                                   ROUTER_ICMP_TTL, 0, 28),
		                 ENOENT);
	}
}

static void test_reset_refuses_what_it_answers(void **state)
{
	struct router_tcp t = {.src = at(pairs[0][0]),
	                       .dst = at(pairs[0][1]),
	                       .seq = 1000,
	                       .flags = ROUTER_TCP_SYN};
	uint8_t b[256], out[256];
	struct wr w = wr_init(b, sizeof(b)), r = wr_init(out, sizeof(out));
	struct router_pkt p, rst;

	UNUSED(state);
	assert_int_equal(router_tcp_build(&w, &t, slice_str("")), 0);
	assert_int_equal(router_pkt_read(&p, b, w.n), 0);
	assert_int_equal(router_rst_build(&r, &p), 0);
	assert_int_equal(router_pkt_read(&rst, out, r.n), 0);
	assert_true(router_pkt_sums_are_right(&rst));
	assert_true(addr_eq(&rst.dst, &t.src));
	assert_int_equal(rst.ack, 1001);
	assert_int_equal(rst.tcp_flags, ROUTER_TCP_RST | ROUTER_TCP_ACK);
	assert_int_equal(router_rst_build(&r, &rst), ENOENT);
	router_pkt_seq_set(&p, 5);
	router_pkt_ack_set(&p, 6);
	assert_true(router_pkt_sums_are_right(&p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_gives_what_was_built),
		cmocka_unit_test(test_sum_matches_known_headers),
		cmocka_unit_test(test_read_rejects_every_prefix),
		cmocka_unit_test(test_read_rejects_malformed),
		cmocka_unit_test(test_change_keeps_the_sums),
		cmocka_unit_test(test_change_leaves_a_wrong_sum_wrong),
		cmocka_unit_test(test_change_leaves_no_sum_alone),
		cmocka_unit_test(test_rebuild_changes_the_payload),
		cmocka_unit_test(test_icmp_quotes_as_much_as_asked),
		cmocka_unit_test(test_reset_refuses_what_it_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
