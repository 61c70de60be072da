/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "edge/session.h"
#include "oom.h"
#include "wire/stream.h"

static struct edge_sessions *ss;
static struct edge_session *s;

static struct addr ip(uint8_t host)
{
	return (struct addr){.family = ADDR_IP4, .ip = {192, 0, 2, host}};
}

static int open_one(struct edge_session **sp, uint8_t id, uint8_t host)
{
	struct wire_open o = {.session = {id, host}};
	struct addr owner = ip(host);

	return edge_session_open(sp, ss, &o, &owner, NS_PER_S);
}

static int set_up(void **state)
{
	UNUSED(state);
	return edge_sessions_alloc(&ss) || open_one(&s, 1, 1);
}

static int tear_down(void **state)
{
	UNUSED(state);
	edge_sessions_free(ss);
	return 0;
}

static struct edge_arrival arrival(uint8_t host, const char *bytes)
{
	struct edge_arrival a = {
		.flow = {.transport = WIRE_UDP, .remote = ip(host)},
		.ttl = 60,
		.wall_ns = 99,
		.bytes = slice_str(bytes),
	};

	a.flow.remote.port = 1024;
	a.flow.local.port = 5060;
	return a;
}

static size_t report(struct wire_seen seen[WIRE_SEEN_PAGE], unsigned page)
{
	struct wr w = wr_init_heap();
	struct wire_stream st;
	struct wire_frame f;
	size_t n = 0;

	edge_session_report(&w, s);
	wire_stream_init(&st, false);
	assert_int_equal(wire_stream_push(&st, wr_slice(&w)), 0);
	do {
		assert_int_equal(wire_stream_next(&st, &f), 0);
		assert_int_equal(wire_seen_decode(seen, &n, f.body), 0);
	} while (page-- > 0);
	wire_stream_fini(&st);
	wr_fini(&w);
	return n;
}

static void test_open_is_bounded(void **state)
{
	struct edge_session *other = NULL;
	uint8_t host = 2;

	UNUSED(state);
	assert_int_equal(open_one(&other, 1, 1), EEXIST);
	for (uint8_t i = 2; i <= EDGE_SESSIONS_PER_SOURCE; i++)
		assert_int_equal(open_one(&other, i, 1), 0);
	assert_int_equal(open_one(&other, 100, 1), EDQUOT);
	while (edge_sessions_count(ss) < EDGE_SESSIONS_MAX) {
		int err = open_one(&other, 5, host);

		assert_int_equal(err, 0);
		for (uint8_t i = 6; i < 12 && !err; i++)
			err = open_one(&other, i, host);
		host++;
	}
	assert_int_equal(open_one(&other, 5, 254), ENOBUFS);
	edge_session_close(ss, other);
	assert_int_equal(open_one(&other, 5, 254), 0);
	edge_session_close(ss, NULL);
}

static void test_note_keeps_the_first(void **state)
{
	struct edge_arrival a = arrival(1, "first"), b = arrival(2, "second");
	struct wire_seen seen[WIRE_SEEN_PAGE];
	struct wire_fetch f = {.shot = 7, .which = WIRE_REQUEST};
	struct edge_shot *shot;
	struct wire_copy c;

	UNUSED(state);
	shot = edge_session_note(s, 7, &a, true);
	assert_non_null(shot);
	assert_ptr_equal(edge_session_note(s, 7, &b, true), shot);
	edge_session_answered(s, shot, slice_str("answer"));
	edge_session_answered(s, shot, slice_str("other"));

	assert_int_equal(report(seen, 0), 1);
	assert_int_equal(seen[0].shot, 7);
	assert_int_equal(seen[0].n_msgs, 2);
	assert_int_equal(seen[0].flags, WIRE_SEEN_PROVEN | WIRE_SEEN_STORED);
	assert_int_equal(seen[0].ttl, 60);
	assert_int_equal(seen[0].n_bytes, 5);
	assert_int_equal(seen[0].answer_bytes, 6);
	assert_true(addr_eq(&seen[0].source, &a.flow.remote));

	edge_session_fetch(&c, s, &f);
	assert_int_equal(c.err, 0);
	assert_true(slice_eq_str(c.bytes, "first"));
	f.which = WIRE_ANSWER;
	edge_session_fetch(&c, s, &f);
	assert_true(slice_eq_str(c.bytes, "answer"));
	f.shot = 8;
	edge_session_fetch(&c, s, &f);
	assert_int_equal(c.err, ENOENT);
}

static void test_note_and_store_are_bounded(void **state)
{
	static uint8_t big[60000];
	struct edge_arrival a = arrival(1, "");
	struct wire_seen seen[WIRE_SEEN_PAGE];
	struct wire_fetch f = {.shot = 5, .which = WIRE_REQUEST};
	struct wire_copy c;

	UNUSED(state);
	a.bytes = (struct slice){big, sizeof(big)};
	for (uint16_t i = 0; i < EDGE_SHOTS_MAX; i++)
		assert_non_null(edge_session_note(s, i, &a, true));
	assert_null(edge_session_note(s, EDGE_SHOTS_MAX, &a, true));
	assert_non_null(edge_session_note(s, 0, &a, true));
	assert_int_equal(report(seen, 0), WIRE_SEEN_PAGE);
	assert_int_equal(seen[3].flags & WIRE_SEEN_STORED, WIRE_SEEN_STORED);
	assert_int_equal(seen[5].flags & WIRE_SEEN_STORED, 0);
	assert_int_equal(report(seen, EDGE_SHOTS_MAX / WIRE_SEEN_PAGE - 1),
	                 WIRE_SEEN_PAGE);
	edge_session_fetch(&c, s, &f);
	assert_int_equal(c.err, EMSGSIZE);
	assert_int_equal(c.bytes.n, 0);
}

static void test_send_refuses(void **state)
{
	static uint8_t big[EDGE_QUEUED_MAX_BYTES];
	struct edge_arrival a = arrival(1, "x");
	struct wire_send w = {.shot = 1, .bytes = BYTES("hello")};

	UNUSED(state);
	assert_int_equal(edge_session_send(s, &w, 0), ENOENT);
	(void)edge_session_note(s, 1, &a, false);
	assert_int_equal(edge_session_send(s, &w, 0), EACCES);
	(void)edge_session_note(s, 1, &a, true);
	w.delay_ms = EDGE_DELAY_MAX_MS + 1;
	assert_int_equal(edge_session_send(s, &w, 0), EINVAL);
	w.delay_ms = EDGE_DELAY_MAX_MS;
	w.bytes.n = 0;
	assert_int_equal(edge_session_send(s, &w, 0), EINVAL);
	w.bytes.n = 5;
	oom_after(0);
	assert_int_equal(edge_session_send(s, &w, 0), ENOMEM);
	oom_after(OOM_NEVER);
	for (unsigned i = 0; i < EDGE_SENDS_MAX - 1; i++)
		assert_int_equal(edge_session_send(s, &w, 0), 0);
	w.bytes = (struct slice){big, sizeof(big)};
	assert_int_equal(edge_session_send(s, &w, 0), ENOBUFS);
	w.bytes.n = 5;
	assert_int_equal(edge_session_send(s, &w, 0), 0);
	assert_int_equal(edge_session_send(s, &w, 0), EDQUOT);
}

static void test_tells_of_what_was_to_die(void **state)
{
	struct edge_arrival udp = arrival(1, "x"), tcp = arrival(1, "x");
	struct edge_arrival tls = arrival(1, "x");
	struct wire_send w = {.shot = 1, .bytes = BYTES("hello")};
	struct edge_job job;

	UNUSED(state);
	tcp.flow.transport = WIRE_TCP;
	(void)edge_session_note(s, 1, &udp, true);
	tls.flow.transport = WIRE_TLS;
	(void)edge_session_note(s, 2, &tcp, true);
	(void)edge_session_note(s, 3, &tls, true);
	assert_int_equal(edge_session_send(s, &w, 0), 0);
	assert_false(edge_session_may_tell(s));
	w.ttl = 3;
	assert_int_equal(edge_session_send(s, &w, 0), 0);
	w.shot = 2;
	assert_int_equal(edge_session_send(s, &w, 0), 0);
	w.shot = 3;
	assert_int_equal(edge_session_send(s, &w, 0), EINVAL);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(edge_sessions_due(&job, ss, 0));
		assert_int_equal(job.shot, i == 2 ? 2 : 1);
		assert_int_equal(job.ttl, i ? 3 : 0);
		assert_false(job.is_beside);
	}
	assert_true(edge_session_may_tell(s));
	assert_true(edge_session_may_tell(s));
	assert_false(edge_session_may_tell(s));
}

/* What nothing was said on can be had by who speaks from the same place. */
static void test_shoot_beside_is_for_tcp(void **state)
{
	static const struct {
		enum wire_transport transport;
		bool is_proven;
		int want;
	} cases[] = {
		{WIRE_UDP, true, EINVAL},
		{WIRE_TLS, true, EINVAL},
		{WIRE_TCP, false, EACCES},
		{WIRE_TCP, true, 0},
	};
	struct wire_shoot h = {
		.from_port = 5060, .ttl = 2, .bytes = BYTES("h")};
	struct edge_job job;
	uint8_t id[WIRE_SESSION_BYTES];

	UNUSED(state);
	for (uint16_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct edge_arrival a = arrival(1, "x");

		a.flow.transport = cases[i].transport;
		a.flow.conn = 7;
		(void)edge_session_note(s, i, &a, cases[i].is_proven);
		h.shot = i;
		assert_int_equal(edge_session_shoot(s, &h, 0), cases[i].want);
	}
	assert_true(edge_sessions_due(&job, ss, 0));
	assert_true(job.is_beside);
	assert_int_equal(job.shot, 3);
	assert_int_equal(job.from_port, 5060);
	assert_int_equal(job.ttl, 2);
	assert_int_equal(job.flow.conn, 7);
	assert_int_equal(job.flow.remote.port, 1024);
	assert_false(edge_sessions_due(&job, ss, 0));
	edge_session_id(id, s);
	assert_memory_equal(id, "\1\1\0\0\0\0\0\0", sizeof(id));
}

/* A forged first message must not choose where the sends go. */
static void test_send_goes_to_the_proven_source(void **state)
{
	struct edge_arrival forged = arrival(66, "x"), real = arrival(1, "x");
	struct wire_shoot h = {.shot = 1, .to_port = 9, .bytes = BYTES("h")};
	struct edge_job job;

	UNUSED(state);
	(void)edge_session_note(s, 1, &forged, false);
	(void)edge_session_note(s, 1, &real, true);
	(void)edge_session_note(s, 1, &forged, false);
	assert_int_equal(edge_session_shoot(s, &h, 0), 0);
	assert_true(edge_sessions_due(&job, ss, 0));
	assert_true(job.is_shoot);
	assert_true(addr_ip_eq(&job.flow.remote, &real.flow.remote));
	assert_int_equal(job.flow.remote.port, 9);
}

/* A fresh port is gone before an ICMP error can come back to it. */
static void test_shoot_with_ttl_leaves_from_a_known_port(void **state)
{
	struct edge_arrival a = arrival(1, "x");
	struct wire_shoot h = {
		.shot = 1, .to_port = 9, .ttl = 2, .bytes = BYTES("h")};
	struct edge_job job;

	UNUSED(state);
	(void)edge_session_note(s, 1, &a, true);
	assert_int_equal(edge_session_shoot(s, &h, 0), EINVAL);
	h.from_port = 5060;
	assert_int_equal(edge_session_shoot(s, &h, 0), 0);
	assert_true(edge_sessions_due(&job, ss, 0));
	assert_int_equal(job.ttl, 2);
	assert_int_equal(job.from_port, 5060);
	assert_true(edge_session_may_tell(s));
	assert_false(edge_session_may_tell(s));
}

static void test_due_in_order_of_time(void **state)
{
	static const uint32_t delays_ms[] = {300, 100, 200, 100};
	static const uint16_t want[] = {1, 3, 2, 0};
	struct edge_arrival a = arrival(1, "x");
	struct edge_job job;

	UNUSED(state);
	(void)edge_session_note(s, 1, &a, true);
	assert_true(edge_sessions_next_ns(ss) == INT64_MAX);
	for (uint16_t i = 0; i < ARRAY_LEN(delays_ms); i++) {
		struct wire_send w = {i, 1, delays_ms[i], 0, BYTES("hello")};

		assert_int_equal(edge_session_send(s, &w, NS_PER_S), 0);
	}
	assert_true(edge_sessions_next_ns(ss) == NS_PER_S + 100 * NS_PER_MS);
	assert_false(edge_sessions_due(&job, ss, NS_PER_S + 99 * NS_PER_MS));
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		assert_false(edge_session_is_idle(s, INT64_MAX));
		assert_true(edge_sessions_due(&job, ss, 2 * NS_PER_S));
		assert_int_equal(job.id, want[i]);
		assert_true(slice_eq_str(job.bytes, "hello"));
	}
	assert_false(edge_sessions_due(&job, ss, 2 * NS_PER_S));
}

static void test_is_idle_after_silence(void **state)
{
	int64_t end_ns = NS_PER_S + EDGE_IDLE_MS * NS_PER_MS;

	UNUSED(state);
	assert_false(edge_session_is_idle(s, end_ns - 1));
	assert_true(edge_session_is_idle(s, end_ns));
	edge_session_touch(s, end_ns);
	assert_false(edge_session_is_idle(s, end_ns + NS_PER_S));
}

static void test_alloc_reports_no_memory(void **state)
{
	struct edge_sessions *none = NULL;
	struct edge_session *other = NULL;

	UNUSED(state);
	oom_after(0);
	assert_int_equal(edge_sessions_alloc(&none), ENOMEM);
	assert_int_equal(open_one(&other, 9, 9), ENOMEM);
	oom_after(OOM_NEVER);
	assert_null(none);
	assert_null(other);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_open_is_bounded),
		TEST(test_note_keeps_the_first),
		TEST(test_note_and_store_are_bounded),
		TEST(test_send_refuses),
		TEST(test_send_goes_to_the_proven_source),
		TEST(test_shoot_with_ttl_leaves_from_a_known_port),
		TEST(test_tells_of_what_was_to_die),
		TEST(test_shoot_beside_is_for_tcp),
		TEST(test_due_in_order_of_time),
		TEST(test_is_idle_after_silence),
		TEST(test_alloc_reports_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
