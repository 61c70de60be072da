/* SPDX-License-Identifier: ISC */
#include "router/stream.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "oom.h"
#include "test.h"

enum {
	MTU = 1500,
	MAX_PKTS = 256,
	PHONE_ISN = 1000,
};

#define SERVER_ISN UINT32_C(0xfffffff0) /* so that numbers wrap */

static const struct addr phone = {ADDR_IP4, {192, 0, 2, 33}, 5060};
static const struct addr public = {ADDR_IP4, {203, 0, 113, 2}, 5060};
static const struct addr server = {ADDR_IP4, {198, 51, 100, 10}, 5060};

static uint16_t window = 60000;

struct bench {
	struct router_nat *nat;
	struct router_alg *alg;
	struct router_streams *streams;
	size_t n;
	bool is_out[MAX_PKTS];
	size_t bytes[MAX_PKTS];
	uint8_t pkts[MAX_PKTS][MTU];
	int64_t now_ns;
};

static void on_send(void *arg, bool is_out, struct slice pkt, int64_t now_ns)
{
	struct bench *b = arg;

	assert_int_equal(now_ns, b->now_ns);
	assert_true(b->n < MAX_PKTS && pkt.n <= MTU);
	b->is_out[b->n] = is_out;
	b->bytes[b->n] = pkt.n;
	memcpy(b->pkts[b->n++], pkt.p, pkt.n);
}

static void bench_open(struct bench *b)
{
	struct router_alg_conf conf = router_alg_defaults;
	struct router_nat_conf nat = router_nat_defaults;

	memset(b, 0, sizeof(*b));
	b->now_ns = 1;
	nat.ext[0] = public;
	nat.ext[0].port = 0;
	nat.n_ext = 1;
	nat.max_mappings = 64;
	conf.set = router_alg_bit(ROUTER_ALG_VIA) |
	           router_alg_bit(ROUTER_ALG_REQUEST_URI) |
	           router_alg_bit(ROUTER_ALG_DROP_UNKNOWN) |
	           router_alg_bit(ROUTER_ALG_TCP_ASSEMBLE);
	assert_int_equal(router_nat_alloc(&b->nat, &nat, 1), 0);
	assert_int_equal(router_alg_alloc(&b->alg, &conf, b->nat), 0);
	assert_int_equal(
		router_streams_alloc(&b->streams, b->alg, MTU, on_send, b), 0);
}

static void bench_close(struct bench *b)
{
	router_streams_free(b->streams);
	router_alg_free(b->alg);
	router_nat_free(b->nat);
}

/* One segment from an end, with @p options of TCP in front of its data.
 * @return whether it ended in the box; if not, it is in the list as sent */
static bool give(struct bench *b, bool is_out, uint32_t seq, uint32_t ack,
                 unsigned flags, const char *text, struct slice options)
{
	struct router_tcp t = {.src = is_out ? phone : server,
	                       .dst = is_out ? server : public,
	                       .seq = seq,
	                       .ack = ack,
	                       .window = window,
	                       .flags = (uint8_t)flags};
	static uint8_t pkt[40000], data[39000];
	struct wr w = wr_init(pkt, sizeof(pkt));
	struct wr d = wr_init(data, sizeof(data));
	struct router_flow flow;
	struct router_pkt p;

	wr_put(&d, options);
	wr_str(&d, text);
	assert_int_equal(router_tcp_build(&w, &t, wr_slice(&d)), 0);
	pkt[32] = (uint8_t)((20 + options.n) / 4 << 4);
	assert_int_equal(router_pkt_read(&p, pkt, w.n), 0);
	router_pkt_sums_make(&p);
	assert_int_equal(router_nat_take(b->nat, &flow, &p, is_out, b->now_ns),
	                 ROUTER_NAT_PASS);
	if (router_streams_take(b->streams, &p, &flow, b->now_ns))
		return true;
	on_send(b, is_out, (struct slice){p.b, p.n}, b->now_ns);
	return false;
}

static bool from_phone(struct bench *b, uint32_t at, const char *text)
{
	return give(b, true, PHONE_ISN + 1 + at, SERVER_ISN + 1, ROUTER_TCP_ACK,
	            text, (struct slice){0});
}

static struct router_pkt sent(struct bench *b, size_t i)
{
	struct router_pkt p;

	assert_true(i < b->n);
	assert_int_equal(router_pkt_read(&p, b->pkts[i], b->bytes[i]), 0);
	assert_true(router_pkt_sums_are_right(&p));
	return p;
}

static const uint8_t options[] = {2, 4, 5, 180, 4, 2, 8, 10, 0, 0,
                                  0, 1, 0, 0,   0, 0, 1, 3,  3, 7};

static void handshake(struct bench *b)
{
	struct slice opts = {options, sizeof(options)};

	assert_false(give(b, true, PHONE_ISN, 0, ROUTER_TCP_SYN, "", opts));
	assert_false(give(b, false, SERVER_ISN, PHONE_ISN + 1,
	                  ROUTER_TCP_SYN | ROUTER_TCP_ACK, "", opts));
	assert_true(from_phone(b, 0, ""));
	assert_int_equal(b->n, 3);
	b->n = 0;
}

/* All that went that way since, by its numbers; what was sent twice is the
 * same twice. */
static size_t heard(struct bench *b, bool is_out, char *text, uint32_t first)
{
	size_t end = 0;

	for (size_t i = 0; i < b->n; i++) {
		struct router_pkt p = sent(b, i);
		struct slice data = router_pkt_payload(&p);
		size_t at = p.seq - first;

		if (b->is_out[i] != is_out || !data.n)
			continue;
		assert_true(at <= end);
		if (at + data.n > end)
			end = at + data.n;
		memcpy(text + at, data.p, data.n);
	}
	text[end] = '\0';
	return end;
}

static void test_handshake_keeps_only_the_mss(void **state)
{
	struct bench b;

	UNUSED(state);
	bench_open(&b);
	assert_false(give(&b, true, PHONE_ISN, 0, ROUTER_TCP_SYN, "",
	                  (struct slice){options, sizeof(options)}));
	struct router_pkt p = sent(&b, 0);

	assert_int_equal(p.seq, PHONE_ISN);
	assert_memory_equal(p.b + p.l4 + 20, options, 4);
	for (size_t i = 4; i < sizeof(options); i++)
		assert_int_equal(p.b[p.l4 + 20 + i], 1);
	bench_close(&b);
}

static void test_handshake_survives_repeats(void **state)
{
	struct slice none = {0};
	struct bench b;

	UNUSED(state);
	bench_open(&b);
	assert_false(give(&b, true, PHONE_ISN, 0, ROUTER_TCP_SYN, "", none));
	assert_false(give(&b, true, PHONE_ISN, 0, ROUTER_TCP_SYN, "", none));
	for (int i = 0; i < 2; i++)
		assert_false(give(&b, false, SERVER_ISN, PHONE_ISN + 1,
		                  ROUTER_TCP_SYN | ROUTER_TCP_ACK, "", none));
	assert_false(give(&b, true, PHONE_ISN, 0, ROUTER_TCP_SYN, "", none));
	assert_true(from_phone(&b, 0, ""));
	b.n = 0;
	/* From here the server is answered by us, and late ones by nobody. */
	assert_true(give(&b, false, SERVER_ISN, PHONE_ISN + 1,
	                 ROUTER_TCP_SYN | ROUTER_TCP_ACK, "", none));
	assert_int_equal(b.n, 1);
	assert_true(b.is_out[0]);
	assert_true(give(&b, true, PHONE_ISN, 0, ROUTER_TCP_SYN, "", none));
	assert_int_equal(b.n, 1);
	bench_close(&b);
}

#define REQUEST(host)                                        \
	"OPTIONS sip:198.51.100.10 SIP/2.0\r\n"              \
	"Via: SIP/2.0/TCP " host ":5060;branch=z9hG4bK1\r\n" \
	"CSeq: 1 OPTIONS\r\nContent-Length: 4\r\n\r\nbody"
#define INNER REQUEST("192.0.2.33")
#define OUTER REQUEST("203.0.113.2")

static void test_any_pieces_give_the_edited_messages(void **state)
{
	/* Where the second of two messages is cut, and in which order the
	 * pieces come; each comes twice. */
	static const size_t orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
	                                   {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	static const char whole[] = INNER INNER, want[] = OUTER OUTER;
	size_t n = sizeof(whole) - 1;

	UNUSED(state);
	for (size_t cut = 1; cut < n - 20; cut += 7) {
		const size_t *order = orders[cut % ARRAY_LEN(orders)];
		size_t from[] = {0, cut, cut + 13, n};
		char text[2048], piece[1024];
		struct bench b;

		bench_open(&b);
		handshake(&b);
		for (size_t i = 0; i < 6; i++) {
			size_t k = order[i / 2];

			(void)snprintf(piece, sizeof(piece), "%.*s",
			               (int)(from[k + 1] - from[k]),
			               whole + from[k]);
			assert_true(from_phone(&b, (uint32_t)from[k], piece));
		}
		assert_int_equal(heard(&b, true, text, PHONE_ISN + 1),
		                 sizeof(want) - 1);
		assert_string_equal(text, want);
		/* The phone hears that all of it came. */
		struct router_pkt p = {0};

		for (size_t i = 0; i < b.n; i++) {
			if (!b.is_out[i])
				p = sent(&b, i);
		}
		assert_int_equal(p.ack, PHONE_ISN + 1 + n);
		assert_int_equal(router_alg_count(b.alg, ROUTER_ALG_VIA, false),
		                 2);
		assert_true(router_alg_count(b.alg, ROUTER_ALG_TCP_ASSEMBLE,
		                             false) > 0);
		bench_close(&b);
	}
}

static void server_acks(struct bench *b, size_t n)
{
	assert_true(give(b, false, SERVER_ISN + 1, PHONE_ISN + 1 + (uint32_t)n,
	                 ROUTER_TCP_ACK, "", (struct slice){0}));
}

static void test_loss_is_mended(void **state)
{
	char text[2048];
	struct bench b;

	UNUSED(state);
	bench_open(&b);
	handshake(&b);
	assert_true(from_phone(&b, 0, INNER));
	assert_int_equal(heard(&b, true, text, PHONE_ISN + 1),
	                 sizeof(OUTER) - 1);
	/* By the timer. */
	for (unsigned i = 0; i < ROUTER_STREAM_TRIES; i++) {
		int64_t due_ns = router_streams_wake(b.streams, b.now_ns);

		b.n = 0;
		assert_true(due_ns > b.now_ns && due_ns < 60 * NS_PER_S);
		b.now_ns = due_ns;
		(void)router_streams_wake(b.streams, b.now_ns);
		(void)heard(&b, true, text, PHONE_ISN + 1);
		assert_string_equal(text, OUTER);
	}
	/* In vain: both are told. */
	b.n = 0;
	b.now_ns = router_streams_wake(b.streams, b.now_ns);
	assert_true(router_streams_wake(b.streams, b.now_ns) == INT64_MAX);
	assert_int_equal(b.n, 2);
	assert_true(b.is_out[0] && !b.is_out[1]);
	for (size_t i = 0; i < 2; i++)
		assert_true(sent(&b, i).tcp_flags & ROUTER_TCP_RST);
	bench_close(&b);
}

/* A receiver that has no room is asked, one byte at a time, and for ever; one
 * that takes a little has lost nothing. */
static void test_a_closed_window_is_asked_about(void **state)
{
	char text[2048];
	struct bench b;

	UNUSED(state);
	bench_open(&b);
	handshake(&b);
	window = 0;
	server_acks(&b, 0);
	assert_true(from_phone(&b, 0, INNER));
	for (unsigned i = 0; i < 3 * ROUTER_STREAM_TRIES; i++) {
		assert_int_equal(heard(&b, true, text, PHONE_ISN + 1), i > 0);
		b.n = 0;
		b.now_ns = router_streams_wake(b.streams, b.now_ns);
		assert_true(b.now_ns < INT64_MAX);
		(void)router_streams_wake(b.streams, b.now_ns);
	}
	window = 60000;
	server_acks(&b, 0);
	assert_int_equal(heard(&b, true, text, PHONE_ISN + 1),
	                 sizeof(OUTER) - 1);
	assert_string_equal(text, OUTER);
	/* Each step forward counts its failures anew. */
	for (unsigned n = 1; n < 3 * ROUTER_STREAM_TRIES; n++) {
		server_acks(&b, n);
		b.n = 0;
		b.now_ns = router_streams_wake(b.streams, b.now_ns);
		(void)router_streams_wake(b.streams, b.now_ns);
		assert_true(b.n > 0);
		assert_false(sent(&b, 0).tcp_flags & ROUTER_TCP_RST);
	}
	bench_close(&b);
}

static void test_three_equal_acks_send_again(void **state)
{
	char text[2048];
	struct bench b;

	UNUSED(state);
	bench_open(&b);
	handshake(&b);
	assert_true(from_phone(&b, 0, INNER));
	for (int i = 0; i < 3; i++) {
		b.n = 0;
		server_acks(&b, 0);
		assert_int_equal(heard(&b, true, text, PHONE_ISN + 1),
		                 i < 2 ? 0 : sizeof(OUTER) - 1);
	}
	b.n = 0;
	server_acks(&b, sizeof(OUTER) - 1);
	assert_true(router_streams_wake(b.streams, b.now_ns) == INT64_MAX);
	assert_int_equal(b.n, 0);
	bench_close(&b);
}

static void test_the_end_comes_after_all(void **state)
{
	static const char half[] = "OPTIONS sip:x SI";
	struct router_pkt p;
	char text[2048];
	struct bench b;

	UNUSED(state);
	bench_open(&b);
	handshake(&b);
	assert_true(from_phone(&b, 0, INNER));
	assert_true(give(&b, true, PHONE_ISN + sizeof(INNER), SERVER_ISN + 1,
	                 ROUTER_TCP_ACK | ROUTER_TCP_FIN, half,
	                 (struct slice){0}));
	(void)heard(&b, true, text, PHONE_ISN + 1);
	assert_string_equal(text, OUTER "OPTIONS sip:x SI");
	p = sent(&b, b.n - 2);
	assert_true(p.tcp_flags & ROUTER_TCP_FIN);
	assert_int_equal(p.seq, PHONE_ISN + 1 + strlen(text));
	/* ... and to the phone that it was heard. */
	p = sent(&b, b.n - 1);
	assert_int_equal(p.ack, PHONE_ISN + sizeof(INNER) + sizeof(half));
	bench_close(&b);
}

/* The server has closed; what it said has not yet reached the phone. */
static void test_a_closed_end_cannot_take_back(void **state)
{
	const uint32_t fin = PHONE_ISN + 1;
	char text[2048];
	struct bench b;

	UNUSED(state);
	bench_open(&b);
	handshake(&b);
	assert_true(give(&b, true, fin, SERVER_ISN + 1,
	                 ROUTER_TCP_ACK | ROUTER_TCP_FIN, "",
	                 (struct slice){0}));
	assert_true(give(&b, false, SERVER_ISN + 1, fin + 1,
	                 ROUTER_TCP_ACK | ROUTER_TCP_FIN, "bye",
	                 (struct slice){0}));
	b.n = 0;
	assert_true(give(&b, false, SERVER_ISN + 5, 0, ROUTER_TCP_RST, "",
	                 (struct slice){0}));
	assert_int_equal(b.n, 0);
	b.now_ns = router_streams_wake(b.streams, b.now_ns);
	(void)router_streams_wake(b.streams, b.now_ns);
	assert_int_equal(heard(&b, false, text, SERVER_ISN + 1), 3);
	assert_string_equal(text, "bye");
	bench_close(&b);
}

/* Two copies of the same bytes that disagree: the first one holds, whether it
 * was passed on already, waits for what is before it, or is half covered. */
static void test_the_first_copy_of_a_byte_holds(void **state)
{
	static const char whole[] = INNER;
	static const struct {
		const char *why;
		size_t first, first_end;   /* true bytes, given first */
		size_t second, second_end; /* false ones over them */
	} cases[] = {
		{"the same bytes, in order", 0, 40, 0, 40},
		{"the same bytes, ahead of their turn", 40, 90, 40, 90},
		{"the end of the later covers the earlier", 40, 90, 20, 60},
		{"the start of the later covers the earlier", 40, 60, 50, 90},
		{"the later holds the earlier whole", 40, 60, 20, 90},
		{"the later reaches back over what was taken", 0, 40, 20, 60},
	};
	size_t n = sizeof(whole) - 1;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[2048], piece[1024];
		struct bench b;

		bench_open(&b);
		handshake(&b);
		(void)snprintf(piece, sizeof(piece), "%.*s",
		               (int)(cases[i].first_end - cases[i].first),
		               whole + cases[i].first);
		assert_true(from_phone(&b, (uint32_t)cases[i].first, piece));
		(void)snprintf(piece, sizeof(piece), "%.*s",
		               (int)(cases[i].second_end - cases[i].second),
		               whole + cases[i].second);
		/* False only where the first copy is: the rest is new. */
		for (size_t k = cases[i].second; k < cases[i].second_end; k++) {
			if (k >= cases[i].first && k < cases[i].first_end)
				piece[k - cases[i].second] = '#';
		}
		assert_true(from_phone(&b, (uint32_t)cases[i].second, piece));
		/* Only now, and from the start, the whole; false there, too. */
		memcpy(piece, whole, sizeof(whole));
		memset(piece + cases[i].first, '#',
		       cases[i].first_end - cases[i].first);
		assert_true(from_phone(&b, 0, piece));
		if (heard(&b, true, text, PHONE_ISN + 1) != sizeof(OUTER) - 1 ||
		    strcmp(text, OUTER) != 0)
			fail_msg("%s: %s", cases[i].why, text);
		assert_int_equal(sent(&b, b.n - 1).ack, PHONE_ISN + 1 + n);
		bench_close(&b);
	}
}

/* What arrived whole, but waits behind what has not, is not lost with it: a
 * reset that comes in its turn ends both sides, one that does not ends none. */
static void test_a_reset_ends_both_sides(void **state)
{
	static const struct {
		const char *why;
		bool is_out;  /* who resets */
		uint32_t off; /* from the number that is due */
		bool is_heard;
	} cases[] = {
		{"the phone, in its turn", true, 0, true},
		{"the phone, within the window", true, 100, true},
		{"the phone, one byte late", true, UINT32_MAX, false},
		{"the phone, past the window", true, ROUTER_STREAM_IN_BYTES + 1,
	         false},
		{"the server, in its turn", false, 0, true},
		{"the server, one byte late", false, UINT32_MAX, false},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool is_out = cases[i].is_out;
		uint32_t due =
			is_out ? PHONE_ISN + sizeof(INNER) : SERVER_ISN + 1;
		struct bench b;

		bench_open(&b);
		handshake(&b);
		assert_true(from_phone(&b, 0, INNER));
		b.n = 0;
		assert_true(give(&b, is_out, due + cases[i].off, 0,
		                 ROUTER_TCP_RST, "", (struct slice){0}));
		if (b.n != cases[i].is_heard)
			fail_msg("%s: %zu segments", cases[i].why, b.n);
		if (cases[i].is_heard) {
			struct router_pkt p = sent(&b, 0);

			assert_int_equal(b.is_out[0], is_out);
			assert_true(p.tcp_flags & ROUTER_TCP_RST);
			/* Past the longer message that it was sent. */
			assert_int_equal(p.seq,
			                 is_out ? PHONE_ISN + sizeof(OUTER)
			                        : SERVER_ISN + 1);
		}
		/* The message is sent again only where the server lives. */
		b.n = 0;
		b.now_ns += 2 * NS_PER_S;
		(void)router_streams_wake(b.streams, b.now_ns);
		assert_int_equal(b.n > 0, !cases[i].is_heard);
		bench_close(&b);
	}
}

static void test_a_dropped_message_is_acknowledged(void **state)
{
	static const char bad[] = "FROB sip:x SIP/2.0\r\nContent-Length: 0"
				  "\r\n\r\n";
	char text[2048];
	struct bench b;

	UNUSED(state);
	bench_open(&b);
	handshake(&b);
	assert_true(from_phone(&b, 0, bad));
	assert_true(from_phone(&b, sizeof(bad) - 1, INNER));
	(void)heard(&b, true, text, PHONE_ISN + 1);
	assert_string_equal(text, OUTER);
	assert_int_equal(sent(&b, b.n - 1).ack,
	                 PHONE_ISN + sizeof(bad) - 1 + sizeof(INNER));
	bench_close(&b);
}

static void test_memory_is_bounded(void **state)
{
	static char text[ROUTER_STREAM_IN_BYTES + 4096];
	size_t n = sizeof(text) - 1;
	struct bench b;

	UNUSED(state);
	bench_open(&b);
	handshake(&b);
	memset(text, 'a', n);
	text[1] = ':';
	/* More than fits: what fits goes on unread, and no more is taken. */
	assert_true(from_phone(&b, 0, text));
	assert_int_equal(sent(&b, b.n - 1).ack,
	                 PHONE_ISN + 1 + ROUTER_STREAM_IN_BYTES);
	/* Beyond the window: nothing happens. */
	b.n = 0;
	assert_true(from_phone(&b, 10 * ROUTER_STREAM_IN_BYTES, text));
	assert_int_equal(b.n, 1);
	bench_close(&b);
}

static void test_strangers_pass(void **state)
{
	struct bench b;

	UNUSED(state);
	bench_open(&b);
	/* Its beginning was not seen. */
	assert_false(from_phone(&b, 0, INNER));
	assert_int_equal(b.n, 1);
	assert_int_equal(sent(&b, 0).seq, PHONE_ISN + 1);
	b.n = 0;
	/* One that was is taken, and with its reset forgotten. */
	handshake(&b);
	/* A stale one says nothing. */
	assert_true(give(&b, false, SERVER_ISN - 99, PHONE_ISN + 1,
	                 ROUTER_TCP_RST, "", (struct slice){0}));
	assert_int_equal(b.n, 0);
	assert_true(give(&b, false, SERVER_ISN + 1, PHONE_ISN + 1,
	                 ROUTER_TCP_ACK | ROUTER_TCP_RST, "",
	                 (struct slice){0}));
	assert_true(sent(&b, 0).tcp_flags & ROUTER_TCP_RST);
	assert_int_equal(sent(&b, 0).seq, SERVER_ISN + 1);
	assert_false(from_phone(&b, 0, INNER));
	bench_close(&b);
}

static void test_alloc_survives_without_memory(void **state)
{
	struct router_streams *s = NULL;
	struct bench b;

	UNUSED(state);
	bench_open(&b);
	for (unsigned long i = 0; i < 2; i++) {
		oom_after(i);
		assert_int_equal(
			router_streams_alloc(&s, b.alg, MTU, on_send, &b),
			ENOMEM);
		oom_after(OOM_NEVER);
		assert_null(s);
	}
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_handshake_keeps_only_the_mss),
		cmocka_unit_test(test_handshake_survives_repeats),
		cmocka_unit_test(test_any_pieces_give_the_edited_messages),
		cmocka_unit_test(test_the_first_copy_of_a_byte_holds),
		cmocka_unit_test(test_loss_is_mended),
		cmocka_unit_test(test_a_closed_window_is_asked_about),
		cmocka_unit_test(test_three_equal_acks_send_again),
		cmocka_unit_test(test_the_end_comes_after_all),
		cmocka_unit_test(test_a_closed_end_cannot_take_back),
		cmocka_unit_test(test_a_reset_ends_both_sides),
		cmocka_unit_test(test_a_dropped_message_is_acknowledged),
		cmocka_unit_test(test_memory_is_bounded),
		cmocka_unit_test(test_strangers_pass),
		cmocka_unit_test(test_alloc_survives_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
