/* SPDX-License-Identifier: ISC */
#include "router/router.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "oom.h"
#include "router/frag.h"
#include "test.h"

/* What left the router, newest last. */
struct out {
	size_t n;
	enum router_side to[64];
	size_t bytes[64];
	uint8_t pkts[64][2048];
};

static void on_send(void *arg, enum router_side to, struct slice pkt)
{
	struct out *o = arg;

	assert_true(o->n < 64 && pkt.n <= sizeof(o->pkts[0]));
	o->to[o->n] = to;
	o->bytes[o->n] = pkt.n;
	memcpy(o->pkts[o->n++], pkt.p, pkt.n);
}

static struct router_conf conf(void)
{
	struct router_conf c = router_defaults;

	c.ip4[ROUTER_LAN] = (struct addr){ADDR_IP4, {192, 0, 2, 1}, 0};
	c.ip4[ROUTER_WAN] = (struct addr){ADDR_IP4, {203, 0, 113, 2}, 0};
	c.nat = router_nat_defaults;
	c.nat.ext[0] = c.ip4[ROUTER_WAN];
	c.nat.n_ext = 1;
	c.nat.max_mappings = 64;
	c.alg = router_alg_defaults;
	return c;
}

static struct router *make(const struct router_conf *c, struct out *o)
{
	struct router *r = NULL;

	memset(o, 0, sizeof(*o));
	assert_int_equal(router_alloc(&r, c, 0, on_send, o), 0);
	return r;
}

static const struct addr phone = {ADDR_IP4, {192, 0, 2, 33}, 5060};
static const struct addr public = {ADDR_IP4, {203, 0, 113, 2}, 5060};
static const struct addr server = {ADDR_IP4, {198, 51, 100, 10}, 5060};

static size_t udp(uint8_t *b, const struct addr *src, const struct addr *dst,
                  uint8_t ttl, size_t bytes)
{
	static const uint8_t zeros[4096];
	struct wr w = wr_init(b, 8192);

	assert_int_equal(router_udp_build(&w, src, dst, ttl,
	                                  (struct slice){zeros, bytes}),
	                 0);
	return w.n;
}

static struct router_pkt sent(struct out *o, size_t i)
{
	struct router_pkt p;

	assert_true(i < o->n);
	assert_int_equal(router_pkt_read(&p, o->pkts[i], o->bytes[i]), 0);
	assert_true(router_pkt_sums_are_right(&p));
	return p;
}

static void test_take_translates_both_ways(void **state)
{
	struct router_conf c = conf();
	struct out o;
	struct router *r = make(&c, &o);
	struct router_pkt p;
	uint8_t b[8192];

	UNUSED(state);
	router_take(r, ROUTER_LAN, b, udp(b, &phone, &server, 64, 5), 1);
	router_take(r, ROUTER_WAN, b, udp(b, &server, &public, 64, 5), 2);
	assert_int_equal(o.n, 2);
	assert_true(o.to[0] == ROUTER_WAN && o.to[1] == ROUTER_LAN);
	p = sent(&o, 0);
	assert_true(addr_eq(&p.src, &public));
	assert_int_equal(p.ttl, 63);
	p = sent(&o, 1);
	assert_true(addr_eq(&p.dst, &phone));
	router_free(r);
}

static void test_expired_is_answered_as_asked(void **state)
{
	static const struct {
		size_t quote;
		unsigned pps;
		size_t want, bytes;
	} cases[] = {{548, 0, 3, 128},
	             {28, 0, 3, 28},
	             {0, 0, 0, 0},
	             {548, 2, 2, 128}};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct router_conf c = conf();
		struct router_pkt p;
		struct router *r;
		uint8_t b[8192];
		struct out o;

		c.quote_bytes = cases[i].quote;
		c.icmp_pps = cases[i].pps;
		r = make(&c, &o);
		for (int k = 0; k < 3; k++)
			router_take(r, ROUTER_LAN, b,
			            udp(b, &phone, &server, 1, 100), NS_PER_S);
		assert_int_equal(o.n, cases[i].want);
		for (size_t k = 0; k < o.n; k++) {
			p = sent(&o, k);
			assert_int_equal(o.to[k], ROUTER_LAN);
			assert_true(addr_ip_eq(&p.src, &c.ip4[ROUTER_LAN]));
			assert_int_equal(router_pkt_payload(&p).n,
			                 cases[i].bytes);
		}
		router_free(r);
	}
}

static void test_too_big_is_said_or_cut(void **state)
{
	struct router_conf c = conf();
	struct out o;
	struct router *r;
	struct router_pkt p;
	uint8_t b[8192];

	UNUSED(state);
	c.mtu = 1000;
	r = make(&c, &o);
	router_take(r, ROUTER_LAN, b, udp(b, &phone, &server, 64, 1200), 1);
	assert_int_equal(o.n, 1);
	p = sent(&o, 0);
	assert_true(p.is_icmp_error && p.icmp_type == 3 && p.icmp_code == 4);
	assert_int_equal(p.b[p.l4 + 6] << 8 | p.b[p.l4 + 7], 1000);
	/* The sender must know its own packet in it. */
	assert_true(addr_ip_eq(&p.dst, &phone));
	assert_int_equal(
		router_pkt_read_quote(&p, p.b + p.payload, p.n - p.payload), 0);
	assert_true(addr_eq(&p.src, &phone));
	/* Without DF it is cut. */
	assert_int_equal(
		router_pkt_read(&p, b, udp(b, &phone, &server, 64, 1200)), 0);
	b[6] = 0;
	router_pkt_sums_make(&p);
	o.n = 0;
	router_take(r, ROUTER_LAN, b, p.n, 2);
	assert_int_equal(o.n, 2);
	assert_true(o.bytes[0] <= 1000 && o.bytes[0] + o.bytes[1] == 1248);
	router_free(r);
}

static void test_fragments_are_put_together_to_translate(void **state)
{
	struct router_conf c = conf();
	struct router_pkt whole, p;
	uint8_t b[8192], f[2048];
	struct router *r;
	size_t at = 0;
	struct out o;

	UNUSED(state);
	for (int drops = 0; drops < 2; drops++) {
		c.drops_fragments = drops;
		r = make(&c, &o);
		at = 0;
		assert_int_equal(
			router_pkt_read(&whole, b,
		                        udp(b, &phone, &server, 64, 3000)),
			0);
		for (;;) {
			struct wr w = wr_init(f, sizeof(f));

			if (router_frag_next(&w, &at, &whole, 1500) != 0)
				break;
			router_take(r, ROUTER_LAN, f, w.n, 1);
		}
		assert_int_equal(o.n, drops ? 0 : 3);
		for (size_t i = 0; i < o.n; i++) {
			p = sent(&o, i);
			assert_true(addr_ip_eq(&p.src, &public));
		}
		router_free(r);
	}
}

static const struct addr phone6 = {ADDR_IP6, {0x20, 1, 0xd, 0xb8, 1}, 5060};
static const struct addr server6 = {ADDR_IP6, {0x20, 1, 0xd, 0xb8, 2}, 5060};

/* OPTIONS over UDP of IPv6, which @p text makes long; in one atomic fragment
 * where @p is_atomic says so. */
static size_t options6(uint8_t *b, size_t bytes, bool is_atomic)
{
	static uint8_t text[4096];
	struct wr w = wr_init(text, sizeof(text)), pkt = wr_init(b, 8192);

	wr_str(&w, "OPTIONS sip:x SIP/2.0\r\n"
	           "Via: SIP/2.0/UDP [2001:db8:1::]:5060;branch=z9hG4bK1\r\n"
	           "Max-Forwards: 70\r\n"
	           "CSeq: 1 OPTIONS\r\nSubject: ");
	while (w.n < bytes - 4)
		wr_u8(&w, 'a');
	wr_str(&w, "\r\n\r\n");
	assert_int_equal(
		router_udp_build(&pkt, &phone6, &server6, 64, wr_slice(&w)), 0);
	if (!is_atomic)
		return pkt.n;
	memmove(b + 48, b + 40, pkt.n - 40);
	memcpy(b + 40, "\x11\0\0\0\xca\xfe\0\1", 8);
	b[4] = (uint8_t)((pkt.n - 32) >> 8);
	b[5] = (uint8_t)(pkt.n - 32);
	b[6] = 44;
	return pkt.n + 8;
}

static void test_fragments_of_ip6_are_whole_to_the_alg(void **state)
{
	static const struct {
		enum router_nat_mode mode;
		router_alg_set set;
		size_t want;
	} cases[] = {
		{ROUTER_NAT_OFF, 0, 3},
		{ROUTER_NAT_NONE, 0, 3},
		{ROUTER_NAT_ON, 0, 3},
		{ROUTER_NAT_OFF, UINT64_C(1) << ROUTER_ALG_MAX_FORWARDS, 3},
		{ROUTER_NAT_NONE, UINT64_C(1) << ROUTER_ALG_MAX_FORWARDS, 3},
		{ROUTER_NAT_NONE, UINT64_C(1) << ROUTER_ALG_DROP_LARGE, 0},
		{ROUTER_NAT_NONE, UINT64_C(1) << ROUTER_ALG_DROP_FRAGMENTS, 0},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct router_frags *f = NULL;
		struct router_conf c = conf();
		struct router_pkt whole, p;
		uint8_t b[8192], cut[2048];
		size_t at = 0, mtu = 0;
		struct router *r;
		struct out o;
		int err = EAGAIN;

		c.nat.mode = cases[i].mode;
		c.alg.set = cases[i].set;
		r = make(&c, &o);
		assert_int_equal(
			router_pkt_read(&whole, b, options6(b, 3500, true)), 0);
		for (;;) {
			struct wr w = wr_init(cut, sizeof(cut));

			if (router_frag_next(&w, &at, &whole, 1400) != 0)
				break;
			router_take(r, ROUTER_LAN, cut, w.n, 1);
		}
		assert_int_equal(o.n, cases[i].want);
		assert_int_equal(router_frags_alloc(&f), 0);
		for (size_t k = 0; k < o.n; k++) {
			p = sent(&o, k);
			assert_true(p.n <= 1400);
			assert_int_equal(p.ttl, 63);
			assert_int_equal(p.frag_id, UINT32_C(0xcafe0001));
			err = router_frags_add(f, &whole, &mtu, &p, 1);
		}
		if (o.n) {
			assert_int_equal(err, 0);
			assert_true(router_pkt_sums_are_right(&whole));
			assert_int_equal(slice_find(router_pkt_payload(&whole),
			                            slice_str(": 69")) !=
			                         SIZE_MAX,
			                 cases[i].set != 0);
		}
		router_frags_free(f);
		router_free(r);
	}
}

/* A fragment of IPv6 that does not fit is its sender's to mend, as is what
 * grows beyond the path in the ALG. */
static void test_ip6_is_told_and_never_cut(void **state)
{
	static const struct {
		size_t bytes; /* of the message */
		bool is_fragment, has_alg;
		unsigned want_mtu; /* 0: passes */
		size_t at;         /* of the fragment */
	} cases[] = {
		{1300, false, false, 1340, 0},   {1300, true, false, 1340, 0},
		{1300, true, false, 1340, 1400}, {1280, false, false, 0, 0},
		{1280, true, false, 0, 0},       {1290, false, true, 1280, 0},
		{1000, false, true, 0, 0},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct router_conf c = conf();
		struct router_pkt p;
		struct router *r;
		uint8_t b[8192];
		struct out o;
		size_t n;

		c.mtu = 1340;
		c.nat.mode = ROUTER_NAT_NONE;
		c.ip6[ROUTER_LAN] = (struct addr){ADDR_IP6, {0x20, 1, 9}, 0};
		c.ip6[ROUTER_WAN] = (struct addr){ADDR_IP6, {0x20, 1, 8}, 0};
		if (cases[i].has_alg)
			c.alg.set = UINT64_C(1) << ROUTER_ALG_OWN_VIA;
		r = make(&c, &o);
		n = options6(b, cases[i].bytes, cases[i].is_fragment);
		if (cases[i].is_fragment)
			b[42] = (uint8_t)(cases[i].at >> 8);
		if (cases[i].is_fragment)
			b[43] = (uint8_t)(cases[i].at | 1); /* more follow */
		router_take(r, ROUTER_LAN, b, n, 1);
		if (!cases[i].want_mtu) {
			assert_int_equal(o.n, !cases[i].is_fragment);
		} else {
			p = sent(&o, 0);
			assert_int_equal(o.n, 1);
			assert_int_equal(o.to[0], ROUTER_LAN);
			assert_int_equal(p.icmp_type, 2);
			assert_int_equal(p.b[p.l4 + 6] << 8 | p.b[p.l4 + 7],
			                 cases[i].want_mtu);
			assert_true(addr_ip_eq(&p.dst, &phone6));
		}
		router_free(r);
	}
}

/* What the ALG adds fits as soon as the sender has heard of it. */
static void test_ip6_grows_within_what_was_told(void **state)
{
	struct router_conf c = conf();
	struct router_pkt p, q;
	struct router *r;
	uint8_t b[8192];
	unsigned told;
	struct out o;

	UNUSED(state);
	c.nat.mode = ROUTER_NAT_NONE;
	c.ip6[ROUTER_LAN] = (struct addr){ADDR_IP6, {0x20, 1, 9}, 0};
	c.alg.set = UINT64_C(1) << ROUTER_ALG_OWN_VIA;
	r = make(&c, &o);
	router_take(r, ROUTER_LAN, b, options6(b, 1452, false), 1);
	p = sent(&o, 0);
	told = (unsigned)(p.b[p.l4 + 6] << 8 | p.b[p.l4 + 7]);
	assert_true(told > 1280 && told < 1500);
	/* It quotes what came, whose length the sender knows. */
	assert_int_equal(
		router_pkt_read_quote(&q, p.b + p.payload, p.n - p.payload), 0);
	assert_int_equal(q.b[4] << 8 | q.b[5], 1460);
	router_take(r, ROUTER_LAN, b, options6(b, told - 48, false), 2);
	assert_int_equal(o.to[1], ROUTER_WAN);
	assert_int_equal(sent(&o, 1).n, 1500);
	router_free(r);
}

static void test_rules_and_marks_apply(void **state)
{
	struct router_conf c = conf();
	struct out o;
	struct router *r;
	struct router_pkt p;
	uint8_t b[8192];

	UNUSED(state);
	c.rules[0] = (struct router_rule){.action = ROUTER_RULE_REJECT_ADMIN,
	                                  .proto = ROUTER_UDP,
	                                  .from_ns = 5 * NS_PER_S};
	c.n_rules = 1;
	c.dirs[0].dscp = ROUTER_DSCP_MARK;
	c.dirs[0].mark = 46;
	r = make(&c, &o);
	router_take(r, ROUTER_LAN, b, udp(b, &phone, &server, 64, 1), 1);
	router_take(r, ROUTER_LAN, b, udp(b, &phone, &server, 64, 1),
	            5 * NS_PER_S);
	assert_int_equal(o.n, 2);
	p = sent(&o, 0);
	assert_int_equal(p.tos, 46 << 2);
	p = sent(&o, 1);
	assert_true(p.is_icmp_error && p.icmp_code == 13);
	router_free(r);
}

static const struct addr other_phone = {ADDR_IP4, {192, 0, 2, 33}, 5070};

/* A message that the ALG would edit; as long as it is as it came. */
static size_t options(uint8_t *b, const struct addr *from)
{
	struct wr text = wr_init_heap(), w = wr_init(b, 8192);

	wr_fmt(&text,
	       "OPTIONS sip:198.51.100.10 SIP/2.0\r\n"
	       "Via: SIP/2.0/UDP 192.0.2.33:%u;branch=z9hG4bKx\r\n"
	       "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
	       from->port);
	assert_int_equal(
		router_udp_build(&w, from, &server, 64, wr_slice(&text)), 0);
	wr_fini(&text);
	return w.n;
}

static bool is_edited(struct out *o, size_t i)
{
	struct router_pkt p = sent(o, i);

	return slice_find(router_pkt_payload(&p), slice_str("203.0.113.2")) !=
	       SIZE_MAX;
}

static void assert_struck(const struct router *r, const char *want)
{
	struct wr w = wr_init_heap();

	router_truth_put(&w, r);
	if (slice_find(wr_slice(&w), slice_str(want)) == SIZE_MAX)
		fail_msg("no %s in %.*s", want, (int)w.n, (const char *)w.p);
	wr_fini(&w);
}

static void test_old_sessions_keep_the_alg(void **state)
{
	struct router_conf c = conf();
	struct out o;
	struct router *r;
	uint8_t b[8192];

	UNUSED(state);
	c.alg.set = router_alg_bit(ROUTER_ALG_VIA) |
	            router_alg_bit(ROUTER_ALG_STALE);
	r = make(&c, &o);
	router_take(r, ROUTER_LAN, b, options(b, &phone), 1);
	router_take(r, ROUTER_LAN, b, options(b, &other_phone), 2);
	router_take(r, ROUTER_WAN, b, udp(b, &server, &public, 64, 5), 3);
	assert_int_equal(o.n, 3);
	assert_true(is_edited(&o, 0) && !is_edited(&o, 1));
	assert_struck(r, "\"stale\", \"row\": \"D7\", \"out\": 1, \"in\": 1}");
	router_free(r);
}

static void test_sessions_are_as_old_as_their_beginning(void **state)
{
	struct router_conf c = conf();
	struct out o;
	struct router *r;
	uint8_t b[8192];

	UNUSED(state);
	c.alg.set = router_alg_bit(ROUTER_ALG_VIA) |
	            router_alg_bit(ROUTER_ALG_STALE);
	c.alg.change_ns = 9 * NS_PER_S;
	c.nat.udp_new_ns = 5 * NS_PER_S;
	r = make(&c, &o);
	router_take(r, ROUTER_LAN, b, options(b, &other_phone), 8 * NS_PER_S);
	router_take(r, ROUTER_LAN, b, options(b, &phone), 9 * NS_PER_S);
	router_take(r, ROUTER_LAN, b, options(b, &other_phone), 12 * NS_PER_S);
	assert_true(is_edited(&o, 0) && !is_edited(&o, 1) && is_edited(&o, 2));
	/* forgotten meanwhile, and begun anew */
	router_take(r, ROUTER_LAN, b, options(b, &other_phone), 18 * NS_PER_S);
	assert_int_equal(o.n, 4);
	assert_false(is_edited(&o, 3));
	router_free(r);
}

static void test_dead_sessions_lead_nowhere(void **state)
{
	static const struct addr elsewhere = {
		ADDR_IP4, {198, 51, 100, 10}, 10443};
	struct router_conf c = conf();
	struct out o;
	struct router *r;
	uint8_t b[8192];

	UNUSED(state);
	c.alg.set = router_alg_bit(ROUTER_ALG_STALE_DEAD);
	r = make(&c, &o);
	router_take(r, ROUTER_LAN, b, options(b, &phone), 1);
	router_take(r, ROUTER_WAN, b, udp(b, &server, &public, 64, 5), 2);
	assert_int_equal(o.n, 0);
	router_take(r, ROUTER_LAN, b, options(b, &other_phone), 3);
	router_take(r, ROUTER_LAN, b, udp(b, &phone, &elsewhere, 64, 5), 4);
	assert_int_equal(o.n, 2);
	assert_struck(r, "\"stale-dead\", \"row\": \"D7\", \"out\": 1, "
	                 "\"in\": 1}");
	router_free(r);

	/* until the change, nothing is dead */
	c.alg.change_ns = 9 * NS_PER_S;
	r = make(&c, &o);
	router_take(r, ROUTER_LAN, b, options(b, &phone), 8 * NS_PER_S);
	router_take(r, ROUTER_LAN, b, options(b, &phone), 10 * NS_PER_S);
	router_take(r, ROUTER_LAN, b, options(b, &other_phone), 10 * NS_PER_S);
	assert_int_equal(o.n, 2);
	router_free(r);
}

static void test_delayed_packets_wake_it(void **state)
{
	struct router_conf c = conf();
	struct out o;
	struct router *r;
	uint8_t b[8192];

	UNUSED(state);
	c.dirs[0].path.delay_ns = 20 * NS_PER_MS;
	r = make(&c, &o);
	assert_int_equal(router_wake(r, 0), INT64_MAX);
	router_take(r, ROUTER_LAN, b, udp(b, &phone, &server, 64, 1), 0);
	assert_int_equal(o.n, 0);
	assert_int_equal(router_wake(r, 0), 20 * NS_PER_MS);
	assert_int_equal(router_wake(r, 20 * NS_PER_MS), INT64_MAX);
	assert_int_equal(o.n, 1);
	router_free(r);
}

static const char sip[] = "OPTIONS sip:b SIP/2.0\r\n"
			  "Via: SIP/2.0/TCP 192.0.2.33:5060;branch=z9hG4bK1\r\n"
			  "Content-Length: 0\r\n\r\n";

static void tcp(struct router *r, enum router_side from, uint32_t seq,
                uint32_t ack, const char *text)
{
	struct router_tcp t = {.src = phone,
	                       .dst = server,
	                       .seq = seq,
	                       .ack = ack,
	                       .flags = ROUTER_TCP_ACK};
	uint8_t b[2048];
	struct wr w = wr_init(b, sizeof(b));

	if (from == ROUTER_WAN) {
		t.src = server;
		t.dst = public;
	}
	assert_int_equal(router_tcp_build(&w, &t, slice_str(text)), 0);
	router_take(r, from, b, w.n, 1);
}

static void test_tcp_edits_mend_the_numbers(void **state)
{
	struct router_conf c = conf();
	uint32_t n = (uint32_t)strlen(sip);
	struct router_pkt p;
	struct router *r;
	struct out o;

	UNUSED(state);
	c.alg.set = router_alg_bit(ROUTER_ALG_VIA);
	r = make(&c, &o);
	tcp(r, ROUTER_LAN, 100, 500, sip); /* one byte longer */
	tcp(r, ROUTER_LAN, 100, 500, sip); /* sent again: the same */
	tcp(r, ROUTER_LAN, 100 + n, 500, sip);
	tcp(r, ROUTER_WAN, 500, 100 + n + 1, "");
	tcp(r, ROUTER_WAN, 500, 100 + 2 * n + 2, "");
	assert_int_equal(o.n, 5);
	p = sent(&o, 0);
	assert_int_equal(p.seq, 100);
	assert_int_equal(router_pkt_payload(&p).n, n + 1);
	p = sent(&o, 1);
	assert_int_equal(p.seq, 100);
	p = sent(&o, 2);
	assert_int_equal(p.seq, 100 + n + 1);
	p = sent(&o, 3);
	assert_int_equal(p.ack, 100 + n);
	p = sent(&o, 4);
	assert_int_equal(p.ack, 100 + 2 * n);
	router_free(r);
}

static void test_alloc_survives_without_memory(void **state)
{
	struct router_conf c = conf();
	struct router *r = NULL;
	int err = ENOMEM;
	struct out o;

	UNUSED(state);
	for (unsigned long i = 0; err; i++) {
		oom_after(i);
		err = router_alloc(&r, &c, 0, on_send, &o);
		oom_after(OOM_NEVER);
		if (err)
			assert_int_equal(err, ENOMEM);
	}
	router_free(r);
	c.mtu = 100;
	assert_int_equal(router_alloc(&r, &c, 0, on_send, &o), EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_take_translates_both_ways),
		cmocka_unit_test(test_expired_is_answered_as_asked),
		cmocka_unit_test(test_too_big_is_said_or_cut),
		cmocka_unit_test(test_fragments_are_put_together_to_translate),
		cmocka_unit_test(test_fragments_of_ip6_are_whole_to_the_alg),
		cmocka_unit_test(test_ip6_is_told_and_never_cut),
		cmocka_unit_test(test_ip6_grows_within_what_was_told),
		cmocka_unit_test(test_rules_and_marks_apply),
		cmocka_unit_test(test_old_sessions_keep_the_alg),
		cmocka_unit_test(test_sessions_are_as_old_as_their_beginning),
		cmocka_unit_test(test_dead_sessions_lead_nowhere),
		cmocka_unit_test(test_delayed_packets_wake_it),
		cmocka_unit_test(test_tcp_edits_mend_the_numbers),
		cmocka_unit_test(test_alloc_survives_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
