/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "edge/answer.h"
#include "oom.h"
#include "sip/msg.h"
#include "stun/msg.h"

enum {
	NOW_S = 1700000000,
	TEXT_BYTES = 4096,
};

#define TAG "prm10123456789abcdef0007"

static struct edge_conf conf = {.name = "test", .secret = "secret"};
static struct edge_calls *calls;
static struct edge_answerer *an;
static char text[TEXT_BYTES];

static int set_up(void **state)
{
	UNUSED(state);
	conf.services.n = 1;
	conf.services.at[0] =
		(struct wire_service){WIRE_UDP, WIRE_ROLE_SIP, 5060};
	return edge_calls_alloc(&calls) ||
	       edge_answerer_alloc(&an, &conf, calls);
}

static int tear_down(void **state)
{
	UNUSED(state);
	edge_answerer_free(an);
	edge_calls_free(calls);
	return 0;
}

static struct edge_arrival arrival(enum wire_transport transport,
                                   struct slice bytes)
{
	return (struct edge_arrival){
		.flow = {.transport = transport,
	                 .local = {.family = ADDR_IP4,
	                           .ip = {192, 0, 2, 1},
	                           .port = 5060},
	                 .remote = {.family = ADDR_IP4,
	                            .ip = {192, 0, 2, 9},
	                            .port = 1024}},
		.speaks = EDGE_SIP,
		.mono_ns = NS_PER_S,
		.wall_ns = NOW_S * NS_PER_S,
		.bytes = bytes,
	};
}

static const char *good_token(void)
{
	static char token[WIRE_TOKEN_CHARS + 1];
	struct edge_arrival a = arrival(WIRE_UDP, (struct slice){0});
	struct wr w = wr_init(token, WIRE_TOKEN_CHARS);
	struct wire_token t;

	wire_token_make(&t, conf.secret, &a.flow.remote, NOW_S);
	wire_token_put(&w, &t);
	return token;
}

/* A request with @p extra header lines; the tag is its Call-ID. */
static struct slice request(const char *method, const char *extra)
{
	struct wr w = wr_init(text, sizeof(text));

	wr_fmt(&w,
	       "%s sip:b@192.0.2.1 SIP/2.0\r\n"
	       "Via: SIP/2.0/UDP 192.0.2.9:5060;rport;branch=z9hG4bK" TAG "\r\n"
	       "Max-Forwards: 70\r\n"
	       "From: <sip:a@192.0.2.9>;tag=f\r\n"
	       "To: <sip:b@192.0.2.1>\r\n"
	       "Call-ID: " TAG "\r\n"
	       "CSeq: 1 %s\r\n%s"
	       "Content-Length: 0\r\n\r\n",
	       method, method, extra);
	assert_false(w.bad);
	return wr_slice(&w);
}

static struct slice proven(const char *method, const char *extra)
{
	char with[4096];

	(void)snprintf(with, sizeof(with), "X-Prumo: %s\r\n%s", good_token(),
	               extra);
	return request(method, with);
}

static struct edge_answer answer(enum wire_transport transport,
                                 struct slice bytes)
{
	struct edge_arrival a = arrival(transport, bytes);
	struct edge_answer out;

	edge_answer(&out, an, &a);
	return out;
}

static unsigned status_of(const struct edge_answer *out)
{
	static struct sip_msg m;

	sip_msg_read(&m, out->bytes);
	return sip_msg_status(&m);
}

static bool says(const struct edge_answer *out, const char *words)
{
	return slice_find(out->bytes, slice_str(words)) != SIZE_MAX;
}

static void assert_mirrors(const struct edge_answer *out, struct slice want)
{
	static struct sip_msg m;
	struct wr store = wr_init_heap();
	struct wire_mirror mirror;

	sip_msg_read(&m, out->bytes);
	assert_true(says(out, "Content-Type: " WIRE_MIRROR_TYPE "\r\n"));
	assert_int_equal(wire_mirror_body_decode(&mirror, &store,
	                                         sip_msg_declared_body(&m)),
	                 0);
	assert_true(slice_eq(mirror.bytes, want));
	assert_int_equal(mirror.tag.shot, 7);
	assert_int_equal(mirror.source.port, 1024);
	wr_fini(&store);
}

static void test_methods_by_the_book(void **state)
{
	static const struct {
		const char *method, *extra;
		unsigned status;
	} cases[] = {
		{"OPTIONS", "", 200},
		{"REGISTER", "", 200},
		{"INVITE", "", 183},
		{"CANCEL", "", 481},
		{"BYE", "", 481},
		{"MESSAGE", "", 200},
		{"SUBSCRIBE", "", 200},
		{"PUBLISH", "", 200},
		{"NOTIFY", "", 481},
		{"UPDATE", "", 481},
		{"REFER", "", 405},
		{"NONSENSE", "", 501},
		{"OPTIONS", "Require: a,\r\n b\r\n", 420},
		{"OPTIONS", "Content-Length: 99\r\n", 400},
		{"OPTIONS", "Content-Length: -1\r\n", 400},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice in = proven(cases[i].method, cases[i].extra);
		struct edge_answer out = answer(WIRE_UDP, in);

		if (status_of(&out) != cases[i].status)
			fail_msg("%s %s: %u", cases[i].method, cases[i].extra,
			         status_of(&out));
		assert_mirrors(&out, in);
	}
}

static void test_ack_and_responses_earn_nothing(void **state)
{
	struct edge_answer out = answer(WIRE_UDP, proven("ACK", ""));

	UNUSED(state);
	assert_int_equal(out.bytes.n, 0);
	assert_true(out.has_tag);
	out = answer(WIRE_TCP,
	             slice_str("SIP/2.0 200 OK\r\nCall-ID: " TAG "\r\n\r\n"));
	assert_int_equal(out.bytes.n, 0);
	assert_true(out.has_tag);
}

static void test_mismatched_cseq_is_400(void **state)
{
	struct slice in = proven("OPTIONS", "");
	size_t at = slice_find(in, slice_str("CSeq: 1 O"));
	struct edge_answer out;

	UNUSED(state);
	text[at + strlen("CSeq: 1 ")] = 'X';
	out = answer(WIRE_UDP, in);
	assert_int_equal(status_of(&out), 400);
	assert_mirrors(&out, in);
}

static void test_register_echoes_contacts(void **state)
{
	struct edge_answer out = answer(
		WIRE_TCP,
		proven("REGISTER",
	               "m: \"x, y\" <sip:a@192.0.2.9;ob>;expires=60, "
	               "<sip:\r\n c@192.0.2.8>\r\nExpires: 99999999\r\n"));

	UNUSED(state);
	assert_true(says(&out, "Contact: <sip:a@192.0.2.9;ob>;expires=60\r\n"));
	assert_true(says(&out, ">;expires=3600\r\n"));
	assert_true(says(&out, "Contact: <sip:phone@"));
	out = answer(WIRE_TCP, request("REGISTER", "m: <sip:a@192.0.2.9>\r\n"));
	assert_true(out.is_proven == says(&out, "Contact: <sip:phone@"));
	out = answer(WIRE_TCP, proven("REGISTER", "Contact: *\r\n"));
	assert_false(says(&out, "Contact:"));
}

/* No mirror without a tag, without a token, or with somebody else's. */
static void test_mirror_needs_tag_and_token(void **state)
{
	struct slice in = proven("OPTIONS", "");
	struct edge_arrival a = arrival(WIRE_UDP, in);
	struct edge_answer out = answer(WIRE_UDP, request("OPTIONS", ""));

	UNUSED(state);
	assert_true(out.has_tag);
	assert_false(out.is_proven);
	assert_false(says(&out, WIRE_MIRROR_TYPE "\r\n\r\n"));

	in = proven("OPTIONS", "");
	a.flow.remote.ip[3] ^= 1;
	edge_answer(&out, an, &a);
	assert_false(out.is_proven);
	a = arrival(WIRE_UDP, in);
	a.wall_ns += (WIRE_TOKEN_LIFE_S + 1) * NS_PER_S;
	edge_answer(&out, an, &a);
	assert_false(out.is_proven);

	in = request("OPTIONS", "");
	out = answer(WIRE_TLS, in);
	assert_mirrors(&out, in); /* the handshake was the proof */
	for (size_t at; (at = slice_find(in, slice_str("prm1"))) != SIZE_MAX;)
		text[at] = 'x';
	out = answer(WIRE_TLS, in);
	assert_int_equal(status_of(&out), 200);
	assert_false(says(&out, "Content-Type"));
}

static void assert_omitted(const struct edge_answer *out, size_t full_bytes)
{
	static struct sip_msg m;
	struct wr store = wr_init_heap();
	struct wire_mirror mirror;

	assert_true(out->bytes.n < 1472); /* one packet on Ethernet */
	sip_msg_read(&m, out->bytes);
	assert_int_equal(wire_mirror_body_decode(&mirror, &store, m.body), 0);
	assert_int_equal(mirror.flags, WIRE_MIRROR_OMITTED);
	assert_int_equal(mirror.full_bytes, full_bytes);
	wr_fini(&store);
}

static void test_long_request_by_udp_is_not_copied(void **state)
{
	static char pad[WIRE_MIRROR_UDP_LONE_BYTES + 16];
	struct edge_arrival a;
	struct edge_answer out;

	UNUSED(state);
	(void)snprintf(pad, sizeof(pad), "X: %0900d\r\n", 1);
	a = arrival(WIRE_UDP, proven("OPTIONS", pad));
	edge_answer(&out, an, &a);
	assert_mirrors(&out, a.bytes); /* nobody else could be asked */

	a.has_session = true;
	edge_answer(&out, an, &a);
	assert_omitted(&out, a.bytes.n);

	(void)snprintf(pad, sizeof(pad), "X: %02000d\r\n", 1);
	a = arrival(WIRE_UDP, proven("OPTIONS", pad));
	edge_answer(&out, an, &a);
	assert_omitted(&out, a.bytes.n);
}

static void test_damaged_beyond_sip_gets_a_datagram(void **state)
{
	struct slice in = proven("OPTIONS", "");
	struct wr store = wr_init_heap();
	struct wire_mirror mirror;
	struct edge_answer out;

	UNUSED(state);
	text[slice_find(in, slice_str("Via:"))] = 'X';
	out = answer(WIRE_UDP, in);
	assert_int_equal(wire_mirror_dgram_decode(&mirror, &store, out.bytes),
	                 0);
	assert_true(slice_eq(mirror.bytes, in));
	out = answer(WIRE_TCP, in);
	assert_int_equal(out.bytes.n, 0);
	wr_fini(&store);
}

static void test_invite_ends_by_cancel(void **state)
{
	struct edge_answer out = answer(WIRE_UDP, proven("INVITE", ""));
	struct edge_arrival a = arrival(WIRE_UDP, (struct slice){0});
	struct wr w = wr_init_heap();
	struct edge_final f;

	UNUSED(state);
	assert_int_equal(out.call, EDGE_CALL_START);
	edge_calls_start(calls, out.call_key, &a.flow, out.final, a.mono_ns);
	out = answer(WIRE_UDP, proven("CANCEL", ""));
	assert_int_equal(status_of(&out), 200);
	assert_int_equal(out.call, EDGE_CALL_END);
	assert_true(edge_calls_end(&f, calls, out.call_key));
	edge_answer_final(&w, &f, true);
	out.bytes = wr_slice(&w);
	assert_int_equal(status_of(&out), 487);
	assert_true(says(&out, "CSeq: 1 INVITE\r\n"));
	wr_fini(&w);
}

static void test_unproven_invite_is_refused_at_once(void **state)
{
	struct edge_answer out = answer(
		WIRE_UDP, request("INVITE", "User-Agent: of some length\r\n"));

	UNUSED(state);
	assert_int_equal(status_of(&out), 480);
	assert_int_equal(out.call, EDGE_CALL_NONE);
}

static void test_hello_welcome_plain_mirror(void **state)
{
	struct wire_hello h = {.nonce = "noncenon"};
	struct edge_arrival a = arrival(WIRE_UDP, (struct slice){0});
	struct wire_plain p = {.tag = {.shot = 5}, .payload = BYTES("\0\1")};
	struct wr w = wr_init(text, sizeof(text)), store = wr_init_heap();
	struct wire_welcome welcome;
	struct wire_mirror m;
	struct edge_answer out;

	UNUSED(state);
	wire_hello_put(&w, &h);
	out = answer(WIRE_UDP, wr_slice(&w));
	assert_int_equal(wire_welcome_decode(&welcome, out.bytes), 0);
	assert_memory_equal(welcome.nonce, h.nonce, sizeof(h.nonce));
	assert_true(addr_eq(&welcome.source, &a.flow.remote));
	assert_int_equal(welcome.services.n, 1);

	p.token = welcome.token;
	w = wr_init(text, sizeof(text));
	wire_plain_put(&w, &p);
	out = answer(WIRE_UDP, wr_slice(&w));
	assert_int_equal(wire_mirror_dgram_decode(&m, &store, out.bytes), 0);
	assert_true(slice_eq(m.bytes, wr_slice(&w)));

	p.token.mac[0] ^= 1;
	w = wr_init(text, sizeof(text));
	wire_plain_put(&w, &p);
	assert_int_equal(answer(WIRE_UDP, wr_slice(&w)).bytes.n, 0);
	wr_fini(&store);
}

/* Sources far more than the table of tokens has places, and seconds. */
static void test_token_is_of_its_own_source(void **state)
{
	struct wire_hello h = {.nonce = "noncenon"};
	struct edge_arrival a = arrival(WIRE_UDP, (struct slice){0});
	struct wr w = wr_init(text, sizeof(text));
	struct wire_welcome welcome;
	struct edge_answer out;

	UNUSED(state);
	wire_hello_put(&w, &h);
	a.bytes = wr_slice(&w);
	for (unsigned i = 0; i < 3 * 65536; i += 7) {
		a.flow.remote.ip[2] = (uint8_t)(i >> 8);
		a.flow.remote.ip[3] = (uint8_t)i;
		a.wall_ns = (NOW_S + i % 5) * NS_PER_S;
		edge_answer(&out, an, &a);
		assert_true(out.is_welcome);
		assert_false(out.is_proven);
		assert_int_equal(wire_welcome_decode(&welcome, out.bytes), 0);
		assert_true(wire_token_check(&welcome.token, conf.secret,
		                             &a.flow.remote, NOW_S + i % 5));
		assert_int_equal(welcome.token.expiry_s,
		                 NOW_S + i % 5 + WIRE_TOKEN_LIFE_S);
	}
}

static void test_hello_is_answered_on_every_port(void **state)
{
	static const enum wire_transport transports[] = {WIRE_UDP, WIRE_TCP,
	                                                 WIRE_TLS};
	struct wire_hello h = {.nonce = "noncenon"};
	struct wr w = wr_init(text, sizeof(text));

	UNUSED(state);
	wire_hello_put(&w, &h);
	for (unsigned speaks = 0; speaks <= 2 * EDGE_RANGE - 1; speaks++) {
		for (size_t i = 0; i < ARRAY_LEN(transports); i++) {
			struct edge_arrival a =
				arrival(transports[i], wr_slice(&w));
			struct edge_answer out;

			a.speaks = speaks;
			edge_answer(&out, an, &a);
			assert_true(out.is_welcome && out.bytes.n);
			assert_true(out.bytes.n <= WIRE_HELLO_BYTES);
		}
	}
}

static void test_each_port_understands_its_own(void **state)
{
	static const struct slice binding = BYTES("\0\1\0\0\x21\x12\xa4\x42"
	                                          "0123456789ab");
	static const struct slice ntp =
		BYTES("\x23\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
	              "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
	static const struct slice dns = BYTES("\0\1\1\0\0\1\0\0\0\0\0\0"
	                                      "\1a\0\0\1\0\1");
	static const struct slice ping = BYTES("\r\n\r\n");
	const struct {
		unsigned speaks;
		struct slice in;
		size_t n; /* of the answer */
	} cases[] = {
		{EDGE_STUN, binding, 32},
		{EDGE_RANGE | EDGE_STUN, binding, 32},
		{EDGE_SIP | EDGE_STUN, binding, 32},
		{EDGE_SIP | EDGE_STUN, ping, 2},
		{EDGE_SIP, binding, 0},
		{EDGE_STUN, ping, 0},
		{EDGE_NTP, ntp, 48},
		{EDGE_NTP, ping, 0},
		{EDGE_RANGE, ntp, 0},
		{EDGE_DNS, dns, dns.n}, /* REFUSED: there is no zone */
		{EDGE_HTTP, dns, 0},
		{0, ping, 0},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct edge_arrival a = arrival(WIRE_UDP, cases[i].in);
		struct edge_answer out;

		a.speaks = cases[i].speaks;
		edge_answer(&out, an, &a);
		if (out.bytes.n != cases[i].n)
			fail_msg("case %zu: %zu bytes", i, out.bytes.n);
	}
}

static void test_turn_is_refused(void **state)
{
	static const struct {
		struct slice in;
		unsigned code;
	} cases[] = {
		{BYTES("\0\3\0\x08\x21\x12\xa4\x42"
	               "0123456789ab\0\x19\0\4\x11\0\0\0"),
	         403},
		{BYTES("\0\4\0\x08\x21\x12\xa4\x42"
	               "0123456789ab\0\x0d\0\4\0\0\0\0"),
	         437},
		{BYTES("\0\4\0\0\x21\x12\xa4\x42"
	               "0123456789ab"),
	         0}, /* the refusal would be longer */
		{BYTES("\0\x16\0\0\x21\x12\xa4\x42"
	               "0123456789ab"),
	         0}, /* a Send indication: nobody's business */
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct edge_arrival a = arrival(WIRE_UDP, cases[i].in);
		struct edge_answer out;
		struct stun_msg msg;
		unsigned code = 0;

		a.speaks = EDGE_STUN;
		edge_answer(&out, an, &a);
		assert_true(out.bytes.n <= a.bytes.n);
		if (cases[i].code) {
			assert_int_equal(stun_msg_decode(&msg, out.bytes), 0);
			assert_int_equal(stun_msg_error(&code, NULL, &msg), 0);
		}
		assert_int_equal(code, cases[i].code);
		assert_int_equal(!out.bytes.n, !cases[i].code);
	}
}

static void test_ping_earns_pong(void **state)
{
	struct edge_answer out = answer(WIRE_UDP, slice_str("\r\n\r\n"));

	UNUSED(state);
	assert_true(slice_eq_str(out.bytes, "\r\n"));
	assert_int_equal(answer(WIRE_UDP, slice_str("\r\n")).bytes.n, 0);
	assert_int_equal(answer(WIRE_UDP, slice_str("")).bytes.n, 0);
}

/* The smallest request earns the largest factor: 1.6 by IPv4, 2.2 by IPv6,
 * where RFC 8489 leaves no choice. */
static void test_stun_factor_is_known(void **state)
{
	struct edge_arrival a =
		arrival(WIRE_UDP, (struct slice)BYTES("\0\1\0\0\x21\x12\xa4\x42"
	                                              "0123456789ab"));
	struct edge_answer out;

	UNUSED(state);
	edge_answer(&out, an, &a);
	assert_int_equal(out.bytes.n, 0); /* not on a SIP port */
	a.speaks = EDGE_STUN;
	edge_answer(&out, an, &a);
	assert_int_equal(out.bytes.n, 32);
	a.flow.remote.family = ADDR_IP6;
	edge_answer(&out, an, &a);
	assert_int_equal(out.bytes.n, 44);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static void mutate(uint8_t *p, size_t *n, uint32_t *seed)
{
	for (uint32_t i = next_random(seed) % 4; i > 0 && *n > 1; i--) {
		size_t at = next_random(seed) % *n;

		switch (next_random(seed) % 4) {
		case 0:
			p[at] = (uint8_t)next_random(seed);
			break;
		case 1:
			*n = at;
			break;
		case 2:
			memmove(p + at, p + at + 1, --*n - at);
			break;
		default:
			p[at] = (uint8_t) "\r\n,;:<>\" "[next_random(seed) % 9];
		}
	}
}

static void test_unproven_is_never_amplified(void **state)
{
	static const char *const methods[] = {"OPTIONS", "REGISTER",  "INVITE",
	                                      "CANCEL",  "SUBSCRIBE", "X"};
	static const char *const extras[] = {
		"",
		"m: <sip:a@b>,<sip:c@d>,<sip:e@f>,<sip:g@h>\r\n",
		"Require: a,b,c,d,e,f,g\r\n",
		"v: SIP/2.0/UDP x\r\nv: SIP/2.0/UDP y;rport;received=z\r\n",
		"X-Prumo: ptk100000000000000000000000000000000\r\n",
	};
	uint32_t seed = 2463534242;
	size_t n_answers = 0;

	UNUSED(state);
	for (unsigned i = 0; i < 30000; i++) {
		struct slice in = request(methods[i % ARRAY_LEN(methods)],
		                          extras[i % ARRAY_LEN(extras)]);
		struct edge_answer out;

		mutate((uint8_t *)text, &in.n, &seed);
		out = answer(WIRE_UDP, in);
		if (out.bytes.n > in.n)
			fail_msg("%zu bytes for %zu: %.*s", out.bytes.n, in.n,
			         (int)in.n, text);
		n_answers += out.bytes.n > 0;
	}
	assert_true(n_answers > 3000); /* silence would prove nothing */
}

static void test_alloc_reports_no_memory(void **state)
{
	struct edge_answerer *none = NULL;

	UNUSED(state);
	oom_after(0);
	assert_int_equal(edge_answerer_alloc(&none, &conf, calls), ENOMEM);
	oom_after(OOM_NEVER);
	assert_null(none);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_methods_by_the_book),
		TEST(test_ack_and_responses_earn_nothing),
		TEST(test_mismatched_cseq_is_400),
		TEST(test_register_echoes_contacts),
		TEST(test_mirror_needs_tag_and_token),
		TEST(test_long_request_by_udp_is_not_copied),
		TEST(test_damaged_beyond_sip_gets_a_datagram),
		TEST(test_invite_ends_by_cancel),
		TEST(test_unproven_invite_is_refused_at_once),
		TEST(test_hello_welcome_plain_mirror),
		TEST(test_token_is_of_its_own_source),
		TEST(test_hello_is_answered_on_every_port),
		TEST(test_each_port_understands_its_own),
		TEST(test_turn_is_refused),
		TEST(test_ping_earns_pong),
		TEST(test_stun_factor_is_known),
		TEST(test_unproven_is_never_amplified),
		TEST(test_alloc_reports_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
