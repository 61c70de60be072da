/* SPDX-License-Identifier: ISC */
#include "router/nat.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "oom.h"
#include "test.h"

#define PHONE  "192.0.2.33:5060"
#define SERVER "198.51.100.10:5060"
#define OTHER  "198.51.100.10:5999"
#define THIRD  "198.51.100.20:5060"

static uint8_t buf[2048];

static struct addr at(const char *text)
{
	struct addr a = {0};

	assert_int_equal(addr_parse_port(&a, slice_str(text)), 0);
	return a;
}

static struct router_nat_conf conf(void)
{
	struct router_nat_conf c = router_nat_defaults;

	c.n_ext = 1;
	c.ext[0] = (struct addr){.family = ADDR_IP4, .ip = {203, 0, 113, 2}};
	return c;
}

static struct router_nat *make(const struct router_nat_conf *c)
{
	struct router_nat *n = NULL;

	assert_int_equal(router_nat_alloc(&n, c, 1), 0);
	return n;
}

static struct router_pkt udp(const char *src, const char *dst)
{
	struct addr s = at(src), d = at(dst);
	struct wr w = wr_init(buf, sizeof(buf));
	struct router_pkt p;

	assert_int_equal(router_udp_build(&w, &s, &d, 64, slice_str("x")), 0);
	assert_int_equal(router_pkt_read(&p, buf, w.n), 0);
	return p;
}

/* @return the external endpoint, as text; "-" when it does not pass */
static const char *out(struct router_nat *n, const char *src, const char *dst,
                       int64_t now_ns)
{
	static char text[2][ADDR_TEXT_BYTES];
	static unsigned turn;
	struct router_pkt p = udp(src, dst);
	struct router_flow f;

	if (router_nat_take(n, &f, &p, true, now_ns) != ROUTER_NAT_PASS)
		return "-";
	assert_true(router_pkt_sums_are_right(&p));
	return addr_text(&p.src, text[turn++ % 2]);
}

static enum router_nat_verdict in(struct router_nat *n, const char *src,
                                  const char *dst, int64_t now_ns)
{
	struct router_pkt p = udp(src, dst);
	struct router_flow f;
	enum router_nat_verdict v = router_nat_take(n, &f, &p, false, now_ns);

	if (v == ROUTER_NAT_PASS)
		assert_true(router_pkt_sums_are_right(&p));
	return v;
}

static void test_mapping_depends_as_asked(void **state)
{
	static const bool is_same[3][2] = {
		[ROUTER_NAT_EI] = {true, true},
		[ROUTER_NAT_AD] = {true, false},
		[ROUTER_NAT_APD] = {false, false},
	};

	UNUSED(state);
	for (unsigned d = 0; d < 3; d++) {
		struct router_nat_conf c = conf();
		struct router_nat *n;
		char first[ADDR_TEXT_BYTES];

		c.mapping = (enum router_nat_dep)d;
		n = make(&c);
		(void)snprintf(first, sizeof(first), "%s",
		               out(n, PHONE, SERVER, 0));
		assert_string_equal(first, "203.0.113.2:5060");
		assert_int_equal(!strcmp(first, out(n, PHONE, OTHER, 1)),
		                 is_same[d][0]);
		assert_int_equal(!strcmp(first, out(n, PHONE, THIRD, 2)),
		                 is_same[d][1]);
		assert_string_equal(out(n, PHONE, SERVER, 3), first);
		router_nat_free(n);
	}
}

static void test_filter_depends_as_asked(void **state)
{
	static const bool passes[3][2] = {
		[ROUTER_NAT_EI] = {true, true},
		[ROUTER_NAT_AD] = {true, false},
		[ROUTER_NAT_APD] = {false, false},
	};

	UNUSED(state);
	for (unsigned mode = ROUTER_NAT_NONE; mode <= ROUTER_NAT_ON; mode++) {
		for (unsigned d = 0; d < 3; d++) {
			const char *to = mode == ROUTER_NAT_ON
			                         ? "203.0.113.2:5060"
			                         : PHONE;
			struct router_nat_conf c = conf();
			struct router_nat *n;

			c.mode = (enum router_nat_mode)mode;
			c.filter = (enum router_nat_dep)d;
			n = make(&c);
			assert_int_equal(in(n, SERVER, to, 0),
			                 ROUTER_NAT_NO_MAPPING);
			(void)out(n, PHONE, SERVER, 0);
			assert_int_equal(in(n, SERVER, to, 1), 0);
			assert_int_equal(in(n, OTHER, to, 1) == 0,
			                 passes[d][0]);
			assert_int_equal(in(n, THIRD, to, 1) == 0,
			                 passes[d][1]);
			router_nat_free(n);
		}
	}
}

static void test_ports_are_chosen_as_asked(void **state)
{
	struct router_nat_conf c = conf();
	struct router_nat *n;

	UNUSED(state);
	c.ports = ROUTER_NAT_SEQUENTIAL;
	n = make(&c);
	assert_string_equal(out(n, PHONE, SERVER, 0), "203.0.113.2:1024");
	assert_string_equal(out(n, "192.0.2.34:5060", SERVER, 0),
	                    "203.0.113.2:1025");
	router_nat_free(n);

	c.ports = ROUTER_NAT_PARITY;
	n = make(&c);
	for (int i = 0; i < 40; i++) {
		char src[ADDR_TEXT_BYTES];
		struct addr ext;

		(void)snprintf(src, sizeof(src), "192.0.2.33:%d", 6000 + i);
		ext = at(out(n, src, SERVER, 0));
		assert_int_equal(ext.port % 2, i % 2);
	}
	router_nat_free(n);

	/* A second phone on the same local port must get another. */
	c.ports = ROUTER_NAT_PRESERVE;
	n = make(&c);
	assert_string_equal(out(n, PHONE, SERVER, 0), "203.0.113.2:5060");
	assert_string_not_equal(out(n, "192.0.2.34:5060", SERVER, 0),
	                        "203.0.113.2:5060");
	router_nat_free(n);
}

static void test_timers_follow_the_state(void **state)
{
	const char *to = "203.0.113.2:5060";
	struct router_nat_conf c = conf();
	struct router_nat *n;

	UNUSED(state);
	c.udp_new_ns = 10 * NS_PER_S;
	c.udp_replied_ns = 20 * NS_PER_S;
	c.udp_stream_ns = 60 * NS_PER_S;
	n = make(&c);
	(void)out(n, PHONE, SERVER, 0);
	assert_int_equal(in(n, SERVER, to, 10 * NS_PER_S),
	                 ROUTER_NAT_NO_MAPPING);
	(void)out(n, PHONE, SERVER, 0);
	assert_int_equal(in(n, SERVER, to, NS_PER_S), 0);
	assert_int_equal(in(n, SERVER, to, 20 * NS_PER_S), 0);
	/* By now it is a stream. */
	assert_int_equal(in(n, SERVER, to, 79 * NS_PER_S), 0);
	assert_int_equal(in(n, SERVER, to, 139 * NS_PER_S),
	                 ROUTER_NAT_NO_MAPPING);
	router_nat_free(n);

	c.ranges[0] = (struct router_nat_range){5060, 5060, 3600 * NS_PER_S};
	c.n_ranges = 1;
	n = make(&c);
	(void)out(n, PHONE, SERVER, 0);
	(void)out(n, PHONE, OTHER, 0);
	assert_int_equal(in(n, OTHER, to, 11 * NS_PER_S), ROUTER_NAT_FILTERED);
	assert_int_equal(in(n, SERVER, to, 3599 * NS_PER_S), 0);
	router_nat_free(n);
}

static void test_full_table_drops_or_evicts(void **state)
{
	UNUSED(state);
	for (int evicts = 0; evicts < 2; evicts++) {
		struct router_nat_conf c = conf();
		struct router_nat *n;

		c.max_mappings = 2;
		c.evicts = evicts;
		n = make(&c);
		(void)out(n, "192.0.2.33:1", SERVER, 0);
		(void)out(n, "192.0.2.33:2", SERVER, 1);
		assert_int_equal(
			!strcmp(out(n, "192.0.2.33:3", SERVER, 2), "-"),
			!evicts);
		assert_int_equal(router_nat_count(n), 2);
		assert_int_equal(in(n, SERVER, "203.0.113.2:1", 3),
		                 evicts ? ROUTER_NAT_NO_MAPPING : 0);
		/* Age makes room. */
		assert_string_not_equal(
			out(n, "192.0.2.33:4", SERVER, 60 * NS_PER_S), "-");
		router_nat_free(n);
	}
}

static void test_table_holds_what_it_promises(void **state)
{
	struct router_nat_conf c = conf();
	struct router_nat *n;

	UNUSED(state);
	c.max_mappings = ROUTER_NAT_MAX_MAPPINGS;
	c.n_ext = 2;
	c.ext[1] = (struct addr){.family = ADDR_IP4, .ip = {203, 0, 113, 3}};
	n = make(&c);
	for (unsigned i = 0; i < c.max_mappings; i++) {
		char src[ADDR_TEXT_BYTES];

		(void)snprintf(src, sizeof(src), "198.18.%u.%u:%u", i % 250,
		               i / 250 % 200, 1024 + i / 50000);
		if (strcmp(out(n, src, SERVER, 1), "-") == 0)
			fail_msg("mapping %u was refused", i);
	}
	assert_int_equal(router_nat_count(n), c.max_mappings);
	router_nat_free(n);
}

/* Of so many sockets of one host: how many external addresses appear. */
static unsigned addresses_seen(struct router_nat *n)
{
	bool seen[8] = {false};
	unsigned count = 0;

	for (unsigned i = 0; i < 40; i++) {
		char src[ADDR_TEXT_BYTES];
		struct addr ext;

		(void)snprintf(src, sizeof(src), "192.0.2.33:%u", 7000 + i);
		ext = at(out(n, src, SERVER, 1));
		assert_true(ext.ip[3] >= 2 && ext.ip[3] < 5);
		count += !seen[ext.ip[3]];
		seen[ext.ip[3]] = true;
		/* and stays, as long as it is used */
		assert_int_equal(at(out(n, src, OTHER, 2)).ip[3], ext.ip[3]);
	}
	return count;
}

static void test_pool_is_paired_or_arbitrary(void **state)
{
	UNUSED(state);
	for (int is_arbitrary = 0; is_arbitrary < 2; is_arbitrary++) {
		struct router_nat_conf c = conf();
		struct router_nat *n;

		c.pooling =
			is_arbitrary ? ROUTER_NAT_ARBITRARY : ROUTER_NAT_PAIRED;
		c.n_ext = 3;
		for (uint8_t i = 1; i < 3; i++)
			c.ext[i] = (struct addr){.family = ADDR_IP4,
			                         .ip = {203, 0, 113, 2 + i}};
		n = make(&c);
		assert_int_equal(addresses_seen(n), is_arbitrary ? 3 : 1);
		router_nat_free(n);
	}
}

/* A firewall translates nothing: a router behind it that complains about a
 * packet from outside keeps its name. */
static void test_error_keeps_its_sender_without_translation(void **state)
{
	struct addr inner = at("192.0.2.1:0");
	struct router_nat_conf c = conf();
	uint8_t b[512];
	struct wr w = wr_init(b, sizeof(b));
	struct router_pkt p;
	struct router_flow f;
	struct router_nat *n;

	UNUSED(state);
	c.mode = ROUTER_NAT_NONE;
	n = make(&c);
	assert_string_equal(out(n, PHONE, SERVER, 0), PHONE);
	p = udp(SERVER, PHONE);
	assert_int_equal(
		router_icmp_build(&w, &p, &inner, ROUTER_ICMP_TTL, 0, 28), 0);
	assert_int_equal(router_pkt_read(&p, b, w.n), 0);
	assert_int_equal(router_nat_take(n, &f, &p, true, 1), ROUTER_NAT_PASS);
	assert_true(addr_ip_eq(&p.src, &inner));
	assert_true(router_pkt_sums_are_right(&p));
	router_nat_free(n);
}

#define PHONE6  "[2001:db8::33]:5060"
#define OUTER6  "[2001:db8:1::2]:5060"
#define SERVER6 "[2001:db8:ffff::10]:5060"

static void test_ip6_is_translated_where_it_has_an_address(void **state)
{
	struct addr hop = at("[2001:db8:2::1]:1"), phone = at(PHONE6);
	struct router_nat_conf c = conf();
	struct router_nat *n = make(&c);
	struct router_pkt p, e, q;
	struct router_flow f;
	uint8_t b[2048];
	struct wr w = wr_init(b, sizeof(b));

	UNUSED(state);
	assert_string_equal(out(n, PHONE6, SERVER6, 0), PHONE6);
	assert_int_equal(in(n, SERVER6, PHONE6, 0), ROUTER_NAT_PASS);
	assert_int_equal(router_nat_count(n), 0);
	router_nat_free(n);

	c.ext6 = at(OUTER6);
	n = make(&c);
	assert_string_equal(out(n, PHONE6, SERVER6, 0), OUTER6);
	assert_string_equal(out(n, PHONE, SERVER, 0), "203.0.113.2:5060");
	assert_string_not_equal(out(n, "[2001:db8::34]:5060", SERVER6, 0),
	                        OUTER6);
	assert_int_equal(router_nat_count(n), 3);
	p = udp(SERVER6, OUTER6);
	assert_int_equal(router_nat_take(n, &f, &p, false, 1), ROUTER_NAT_PASS);
	assert_true(addr_eq(&p.dst, &phone));
	assert_true(router_pkt_sums_are_right(&p));
	assert_int_equal(in(n, "[2001:db8:ffff::10]:9", OUTER6, 1),
	                 ROUTER_NAT_FILTERED);
	p = udp(OUTER6, SERVER6);
	assert_int_equal(
		router_icmp_build(&w, &p, &hop, ROUTER_ICMP_TTL, 0, 548), 0);
	assert_int_equal(router_pkt_read(&e, b, w.n), 0);
	assert_int_equal(router_nat_take(n, &f, &e, false, 1), ROUTER_NAT_PASS);
	assert_true(addr_ip_eq(&e.dst, &phone));
	assert_true(addr_ip_eq(&e.src, &hop));
	assert_true(router_pkt_sums_are_right(&e));
	assert_int_equal(
		router_pkt_read_quote(&q, e.b + e.payload, e.n - e.payload), 0);
	assert_true(addr_eq(&q.src, &phone));
	p = udp(PHONE6, SERVER6);
	assert_memory_equal(e.b + e.payload, p.b, p.n);
	router_nat_free(n);
}

static void test_hairpin_comes_back_from_outside(void **state)
{
	UNUSED(state);
	for (int has = 0; has < 2; has++) {
		struct router_nat_conf c = conf();
		struct router_flow f;
		struct router_nat *n;
		struct router_pkt p;
		struct addr want = at("203.0.113.2:7000"), phone = at(PHONE);

		c.has_hairpin = has;
		c.filter = ROUTER_NAT_EI;
		n = make(&c);
		(void)out(n, PHONE, SERVER, 0);
		p = udp("192.0.2.34:7000", "203.0.113.2:5060");
		assert_int_equal(router_nat_take(n, &f, &p, true, 1) == 0, has);
		if (has) {
			assert_true(f.is_hairpin);
			assert_true(addr_eq(&p.src, &want));
			assert_true(addr_eq(&p.dst, &phone));
			assert_true(router_pkt_sums_are_right(&p));
		}
		router_nat_free(n);
	}
}

static void test_error_is_translated_with_its_quote(void **state)
{
	struct addr hop = at("198.18.2.1:1"), phone = at(PHONE);
	struct router_nat_conf c = conf();
	struct router_nat *n = make(&c);
	struct router_pkt p = udp(PHONE, SERVER), e, q;
	struct router_flow f;
	uint8_t b[2048];
	struct wr w = wr_init(b, sizeof(b));

	UNUSED(state);
	assert_int_equal(router_nat_take(n, &f, &p, true, 0), 0);
	assert_int_equal(
		router_icmp_build(&w, &p, &hop, ROUTER_ICMP_TTL, 0, 28), 0);
	assert_int_equal(router_pkt_read(&e, b, w.n), 0);
	assert_int_equal(router_nat_take(n, &f, &e, false, 1), 0);
	assert_true(addr_ip_eq(&e.dst, &phone));
	assert_true(addr_ip_eq(&e.src, &hop));
	assert_true(router_pkt_sums_are_right(&e));
	assert_int_equal(
		router_pkt_read_quote(&q, e.b + e.payload, e.n - e.payload), 0);
	assert_true(addr_eq(&q.src, &phone));
	/* The quoted sum is the one the phone sent. */
	p = udp(PHONE, SERVER);
	assert_memory_equal(q.b + q.sum, p.b + p.sum, 2);
	/* About nobody's packet: not ours. */
	assert_int_equal(in(n, SERVER, "203.0.113.2:9", 2),
	                 ROUTER_NAT_NO_MAPPING);
	router_nat_free(n);
}

/* A phone that refuses what came through a pinhole is heard, whatever its
 * other mappings depend on. */
static void test_error_about_a_pinhole_goes_out(void **state)
{
	static const enum router_nat_dep deps[] = {ROUTER_NAT_EI, ROUTER_NAT_AD,
	                                           ROUTER_NAT_APD};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(deps); i++) {
		struct addr phone = at(PHONE), any = {0}, ext;
		struct router_nat_conf c = conf();
		struct router_pkt p, e;
		struct router_flow f;
		struct router_nat *n;
		uint8_t b[2048];
		struct wr w = wr_init(b, sizeof(b));

		c.mapping = deps[i];
		n = make(&c);
		assert_int_equal(router_nat_pinhole(n, &ext, ROUTER_UDP, &phone,
		                                    &any, NS_PER_S, 0),
		                 0);
		p = udp(THIRD, "203.0.113.2:5060");
		assert_int_equal(router_nat_take(n, &f, &p, false, 1), 0);
		assert_int_equal(router_icmp_build(&w, &p, &phone,
		                                   ROUTER_ICMP_PORT, 0, 548),
		                 0);
		assert_int_equal(router_pkt_read(&e, b, w.n), 0);
		assert_int_equal(router_nat_take(n, &f, &e, true, 2),
		                 ROUTER_NAT_PASS);
		assert_true(addr_ip_eq(&e.src, &ext));
		assert_true(router_pkt_sums_are_right(&e));
		/* what is quoted is what was sent, to the last byte */
		p = udp(THIRD, "203.0.113.2:5060");
		assert_int_equal(e.n - e.payload, p.n);
		assert_memory_equal(e.b + e.payload, p.b, p.n);
		router_nat_free(n);
	}
}

static void test_admits_while_it_lasts(void **state)
{
	struct addr ext = at("203.0.113.2:5060"), peer = at(OTHER);
	struct router_nat_conf c = conf();
	struct router_nat *n = make(&c);

	UNUSED(state);
	peer.port = 0;
	assert_int_equal(
		router_nat_admit(n, ROUTER_UDP, &ext, &peer, 20 * NS_PER_S, 0),
		ENOENT);
	(void)out(n, "192.0.2.33:5060", THIRD, 0);
	assert_int_equal(in(n, OTHER, "203.0.113.2:5060", 1),
	                 ROUTER_NAT_FILTERED);
	assert_int_equal(
		router_nat_admit(n, ROUTER_UDP, &ext, &peer, 20 * NS_PER_S, 1),
		0);
	assert_int_equal(in(n, OTHER, "203.0.113.2:5060", 2), 0);
	assert_int_equal(router_nat_admit(n, ROUTER_UDP, &ext, &peer, 0, 3), 0);
	assert_int_equal(in(n, "198.51.100.10:6001", "203.0.113.2:5060", 4),
	                 ROUTER_NAT_FILTERED);
	/* What had begun goes on, as a connection does in the kernel. */
	assert_int_equal(in(n, OTHER, "203.0.113.2:5060", 4), 0);
	router_nat_free(n);
}

static void test_pinhole_lets_in_whom_it_names(void **state)
{
	struct addr phone = at("192.0.2.33:46000"), any = {0}, ext;
	struct addr peer = at("198.51.100.10:1");
	struct router_nat_conf c = conf();
	struct router_nat *n = make(&c);

	UNUSED(state);
	peer.port = 0;
	assert_int_equal(router_nat_pinhole(n, &ext, ROUTER_UDP, &phone, &peer,
	                                    60 * NS_PER_S, 0),
	                 0);
	assert_int_equal(ext.port, 46000);
	assert_int_equal(in(n, OTHER, "203.0.113.2:46000", 1), 0);
	assert_int_equal(in(n, THIRD, "203.0.113.2:46000", 1),
	                 ROUTER_NAT_FILTERED);
	assert_int_equal(router_nat_pinhole(n, &ext, ROUTER_UDP, &phone, &any,
	                                    60 * NS_PER_S, 0),
	                 0);
	assert_int_equal(in(n, THIRD, "203.0.113.2:46000", 2), 0);
	/* Another phone with the same port gets the next even one. */
	phone.ip[3]++;
	assert_int_equal(router_nat_pinhole(n, &ext, ROUTER_UDP, &phone, &any,
	                                    60 * NS_PER_S, 2),
	                 0);
	assert_int_equal(ext.port, 46002);
	router_nat_close(n, ROUTER_UDP, &phone);
	assert_int_equal(in(n, THIRD, "203.0.113.2:46002", 3),
	                 ROUTER_NAT_NO_MAPPING);
	router_nat_free(n);
}

static void test_remap_moves_the_port(void **state)
{
	struct router_nat_conf c = conf();
	struct router_nat *n = make(&c);
	struct addr phone = at(PHONE), was = {0}, is = {0};
	char text[ADDR_TEXT_BYTES];

	UNUSED(state);
	assert_false(router_nat_remap(n, &was, &is, ROUTER_UDP, &phone));
	(void)out(n, PHONE, SERVER, 0);
	assert_true(router_nat_remap(n, &was, &is, ROUTER_UDP, &phone));
	assert_string_equal(addr_text(&was, text), "203.0.113.2:5060");
	assert_string_equal(out(n, PHONE, SERVER, 1), addr_text(&is, text));
	assert_false(addr_eq(&was, &is));
	assert_int_equal(in(n, SERVER, "203.0.113.2:5060", 2),
	                 ROUTER_NAT_NO_MAPPING);
	router_nat_free(n);
}

static void test_alloc_refuses_what_is_out_of_range(void **state)
{
	struct router_nat_conf c = conf();
	struct router_nat *n = NULL;

	UNUSED(state);
	c.max_mappings = 0;
	assert_int_equal(router_nat_alloc(&n, &c, 1), EINVAL);
	c.max_mappings = ROUTER_NAT_MAX_MAPPINGS + 1;
	assert_int_equal(router_nat_alloc(&n, &c, 1), EINVAL);
	c = conf();
	c.n_ext = 0;
	assert_int_equal(router_nat_alloc(&n, &c, 1), EINVAL);
	assert_null(n);
}

static void test_alloc_survives_without_memory(void **state)
{
	struct router_nat_conf c = conf();
	struct router_nat *n = NULL;
	unsigned long i;
	int err = ENOMEM;

	UNUSED(state);
	for (i = 0; err; i++) {
		oom_after(i);
		err = router_nat_alloc(&n, &c, 1);
		oom_after(OOM_NEVER);
		if (err)
			assert_int_equal(err, ENOMEM);
	}
	assert_true(i > 4);
	router_nat_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mapping_depends_as_asked),
		cmocka_unit_test(test_filter_depends_as_asked),
		cmocka_unit_test(test_ports_are_chosen_as_asked),
		cmocka_unit_test(test_timers_follow_the_state),
		cmocka_unit_test(test_full_table_drops_or_evicts),
		cmocka_unit_test(test_table_holds_what_it_promises),
		cmocka_unit_test(test_pool_is_paired_or_arbitrary),
		cmocka_unit_test(
			test_error_keeps_its_sender_without_translation),
		cmocka_unit_test(
			test_ip6_is_translated_where_it_has_an_address),
		cmocka_unit_test(test_hairpin_comes_back_from_outside),
		cmocka_unit_test(test_error_is_translated_with_its_quote),
		cmocka_unit_test(test_pinhole_lets_in_whom_it_names),
		cmocka_unit_test(test_error_about_a_pinhole_goes_out),
		cmocka_unit_test(test_admits_while_it_lasts),
		cmocka_unit_test(test_remap_moves_the_port),
		cmocka_unit_test(test_alloc_refuses_what_is_out_of_range),
		cmocka_unit_test(test_alloc_survives_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
