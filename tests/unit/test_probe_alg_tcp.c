/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <string.h>

#include "base/clock.h"
#include "probe/alg.h"

enum {
	HOPS = 3,
	HERE = HOPS + 1, /* the edge's last TTL */
};

static struct alg a;

static void on_kick(void *arg)
{
	UNUSED(arg);
}

static int set_up(void **state)
{
	UNUSED(state);
	memset(&a, 0, sizeof(a));
	return net_timer_alloc(&a.timer, on_kick, &a);
}

static int tear_down(void **state)
{
	UNUSED(state);
	alg_tcp_close(&a);
	net_timer_free(a.timer);
	return 0;
}

/* What each hop answered: there by TTL from 1, back by hop from 0, this
 * computer; of two tries, and one twin each. */
struct walks {
	const char *why;
	unsigned there[HOPS], there_twin[HOPS];
	unsigned back[HERE], back_twin[HERE];
	struct hop_place want;
};

static void walk(const struct walks *w)
{
	struct alg_tcp *tcp = &a.locate.tcp;
	struct alg_tcp_back *b = &tcp->back;

	hop_walk_init(&tcp->walk, HOPS, SIZE_MAX, 0, 0);
	tcp->walk.n_enough = 2;
	tcp->twin = tcp->walk;
	hop_walk_init(&b->walk, HERE, SIZE_MAX, 0, 0);
	b->walk.n_enough = 2;
	b->twin = b->walk;
	b->is_on = true;
	for (unsigned i = 0; i < HOPS; i++) {
		tcp->walk.hops[i + 1].n_answers = w->there[i];
		tcp->twin.hops[i + 1].n_answers = w->there_twin[i];
	}
	for (unsigned hop = 0; hop < HERE; hop++) {
		b->walk.hops[HERE - hop].n_tries = 2;
		b->walk.hops[HERE - hop].n_answers = w->back[hop];
		b->twin.hops[HERE - hop].n_answers = w->back_twin[hop];
	}
}

static void test_place_by_both_ends(void **state)
{
	static const struct walks cases[] = {
		{"hop 2, which looks at the TTL first",
	         {2, 2, 0},
	         {1, 1, 1},
	         {0, 0, 2, 2},
	         {1, 1, 1, 1},
	         {true, true, 2, 2, {0}, 2}},
		{"hop 2, which swallows first",
	         {2, 0, 0},
	         {1, 1, 1},
	         {0, 0, 0, 2},
	         {1, 1, 1, 1},
	         {true, true, 2, 2, {0}, 2}},
		{"the first",
	         {2, 0, 0},
	         {1, 1, 1},
	         {0, 2, 2, 2},
	         {1, 1, 1, 1},
	         {true, true, 1, 1, {0}, 1}},
		{"the last: all routers heard it",
	         {2, 2, 2},
	         {1, 1, 1},
	         {0, 0, 0, 2},
	         {1, 1, 1, 1},
	         {true, true, 3, 3, {0}, 3}},
		{"it came through once, on the way there",
	         {2, 2, 1},
	         {1, 1, 1},
	         {0, 0, 2, 2},
	         {1, 1, 1, 1},
	         {true, true, 2, 2, {0}, 2}},
		{"the way back was not asked",
	         {2, 2, 0},
	         {1, 1, 1},
	         {0},
	         {0},
	         {true, false, 2, 3, {0}, 0}},
		{"the way back carries nothing at all",
	         {2, 2, 0},
	         {1, 1, 1},
	         {0, 0, 2, 2},
	         {0, 0, 1, 1},
	         {true, false, 2, 3, {0}, 0}},
		{"what comes in arrives",
	         {2, 2, 0},
	         {1, 1, 1},
	         {1, 2, 2, 2},
	         {1, 1, 1, 1},
	         {true, false, 2, 3, {0}, 0}},
		{"one interface only: the same pair from both ends",
	         {2, 2, 0},
	         {1, 1, 1},
	         {0, 0, 0, 2},
	         {1, 1, 1, 1},
	         {true, false, 2, 3, {0}, 0}},
		{"the two contradict each other",
	         {2, 0, 0},
	         {1, 1, 1},
	         {0, 0, 0, 0},
	         {1, 1, 1, 1},
	         {true, false, 1, 2, {0}, 0}},
		{"routers that limit their errors, there: each answered once",
	         {1, 1, 0},
	         {1, 1, 1},
	         {0, 0, 2, 2},
	         {1, 1, 1, 1},
	         {true, false, 1, 2, {0}, 0}},
		{"the same, back",
	         {2, 2, 0},
	         {1, 1, 1},
	         {0, 0, 1, 1},
	         {1, 1, 1, 1},
	         {true, false, 2, 3, {0}, 0}},
		{"a hop that answers nobody, there",
	         {2, 0, 0},
	         {1, 0, 1},
	         {0, 0, 0, 2},
	         {1, 1, 1, 1},
	         {true, false, 2, 3, {0}, 0}},
		{"nobody answers",
	         {0},
	         {0},
	         {0},
	         {1},
	         {.is_known = false, .hop_max = HERE}},
		{"all routers heard it, and nothing is known of the way back",
	         {2, 2, 2},
	         {1, 1, 1},
	         {0},
	         {0},
	         {false, false, 3, 4, {0}, 0}},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct hop_place *want = &cases[i].want;
		struct hop_place got;

		walk(&cases[i]);
		got = alg_tcp_place(&a);
		if (got.is_known != want->is_known ||
		    got.is_exact != want->is_exact ||
		    got.hop_min != want->hop_min ||
		    got.hop_max != want->hop_max || got.hop != want->hop)
			fail_msg("%s: known %d exact %d, %u to %u, %u",
			         cases[i].why, got.is_known, got.is_exact,
			         got.hop_min, got.hop_max, got.hop);
	}
	/* one try of what should have come here is too little */
	walk(&cases[0]);
	a.locate.tcp.back.walk.hops[HERE].n_tries = 1;
	assert_false(alg_tcp_place(&a).is_exact);
}

static void test_back_asks_the_neighbours(void **state)
{
	static const struct {
		struct hop_place there;
		unsigned n_hops;
		size_t n;
		unsigned want[ALG_TCP_BACK_HOPS];
	} cases[] = {
		{{.is_known = false, .hop_min = 1, .hop_max = 2}, 3, 0, {0}},
		{{.is_known = true, .hop_min = 0, .hop_max = 1},
	         3,
	         3,
	         {0, 1, 2}},
		{{.is_known = true, .hop_min = 1, .hop_max = 2},
	         3,
	         4,
	         {0, 1, 2, 3}},
		{{.is_known = true, .hop_min = 3, .hop_max = 4},
	         3,
	         3,
	         {0, 2, 3}},
		{{.is_known = true, .hop_min = 7, .hop_max = 8},
	         12,
	         5,
	         {0, 6, 7, 8, 9}},
		{{.is_known = true, .hop_min = 1, .hop_max = 12},
	         12,
	         6,
	         {0, 1, 2, 3, 4, 5}},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		unsigned hops[ALG_TCP_BACK_HOPS] = {0};

		assert_int_equal(alg_tcp_back_hops(hops, &cases[i].there,
		                                   cases[i].n_hops),
		                 cases[i].n);
		assert_memory_equal(hops, cases[i].want, sizeof(hops));
	}
}

static struct ladder_shot *shot(enum wire_transport transport,
                                enum ladder_what what)
{
	struct ladder_shot *s = &a.ladder.shots[a.ladder.n++];

	s->spec = (struct ladder_spec){
		.transport = transport,
		.role = WIRE_ROLE_SIP,
		.what = what,
	};
	return s;
}

static void test_mute_is_what_alone_is_waited_for(void **state)
{
	const int64_t late_ns = 100 * NS_PER_S;
	struct ladder_shot *tcp, *other;

	UNUSED(state);
	assert_false(alg_tcp_is_mute(&a, late_ns));
	tcp = shot(WIRE_TCP, LADDER_OPTIONS);
	assert_false(alg_tcp_is_mute(&a, late_ns)); /* it has not opened */
	tcp->is_open = true;
	tcp->open_ns = NS_PER_S;
	assert_false(alg_tcp_is_mute(&a, NS_PER_S + 100 * NS_PER_MS));
	assert_true(alg_tcp_is_mute(&a, late_ns));
	a.ladder.srtt_ns = 99 * NS_PER_S; /* a long path waits longer */
	assert_false(alg_tcp_is_mute(&a, late_ns));
	a.ladder.srtt_ns = 0;
	other = shot(WIRE_UDP, LADDER_INVITE);
	assert_false(alg_tcp_is_mute(&a, late_ns));
	other->is_closed = true;
	assert_true(alg_tcp_is_mute(&a, late_ns));
	tcp->is_closed = true;
	assert_false(alg_tcp_is_mute(&a, late_ns)); /* nothing is left */
}

/* As they are where a walk over TCP is due, but for one thing. */
static void test_begins_only_where_it_can_tell(void **state)
{
	static const struct {
		const char *why;
		bool has_session, is_alt_open, is_open, knows_hops;
		enum ladder_result result;
		enum ladder_what what;
	} cases[] = {
		{"no reports", false, true, true, true, LADDER_NO_ANSWER,
	         LADDER_OPTIONS},
		{"nothing passes elsewhere", true, false, true, true,
	         LADDER_NO_ANSWER, LADDER_OPTIONS},
		{"it never left", true, true, false, true, LADDER_NOT_CONNECTED,
	         LADDER_OPTIONS},
		{"how far is not known", true, true, true, false,
	         LADDER_NO_ANSWER, LADDER_OPTIONS},
		{"it arrived", true, true, true, true, LADDER_CLEAN,
	         LADDER_OPTIONS},
		{"its answer was lost", true, true, true, true,
	         LADDER_ANSWER_DROPPED, LADDER_OPTIONS},
		{"another message", true, true, true, true, LADDER_NO_ANSWER,
	         LADDER_INVITE},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ladder_shot *alt, *tcp;

		a.ladder.n = 0;
		memset(a.ladder.shots, 0, sizeof(a.ladder.shots));
		a.meet.has_session = cases[i].has_session;
		alt = shot(WIRE_TCP, LADDER_OPTIONS);
		alt->spec.role = WIRE_ROLE_SIP_ALT;
		alt->is_answered = cases[i].is_alt_open;
		alt->result = LADDER_CLEAN;
		tcp = shot(WIRE_TCP, cases[i].what);
		tcp->is_open = cases[i].is_open;
		tcp->result = cases[i].result;
		a.shots[0].ttl = cases[i].knows_hops ? ALG_TTL - HOPS : 0;
		if (alg_tcp_begin(&a, NS_PER_S) || a.locate.tcp.is_started)
			fail_msg("began: %s", cases[i].why);
		assert_true(alg_tcp_next(&a, NS_PER_S) == INT64_MAX);
	}
}

static struct addr at(const char *text, uint16_t port)
{
	struct addr got;

	assert_int_equal(addr_parse(&got, slice_str(text)), 0);
	got.port = port;
	return got;
}

/* Whatever else comes to this computer is quoted to us as well. */
static void test_takes_only_its_own_quotes(void **state)
{
	static const struct {
		const char *why;
		const char *src, *dst;
		uint16_t src_port, dst_port;
		const char *payload;
		unsigned n_answers;
		bool is_changed, is_over;
	} cases[] = {
		{"another port of ours", "192.0.2.33", "198.51.100.10", 40001,
	         5060, "OPTIONS sip:x Via: 1", 0, false, false},
		{"another address", "192.0.2.34", "198.51.100.10", 40000, 5060,
	         "OPTIONS sip:x Via: 1", 0, false, false},
		{"another server", "192.0.2.33", "198.51.100.11", 40000, 5060,
	         "OPTIONS sip:x Via: 1", 0, false, false},
		{"another port of its", "192.0.2.33", "198.51.100.10", 40000,
	         5080, "OPTIONS sip:x Via: 1", 0, false, false},
		{"not where a message begins", "192.0.2.33", "198.51.100.10",
	         40000, 5060, "sip:x Via: 1", 0, false, false},
		{"an acknowledgement", "192.0.2.33", "198.51.100.10", 40000,
	         5060, "", 1, false, false},
		{"cut short", "192.0.2.33", "198.51.100.10", 40000, 5060, "OP",
	         1, false, true},
		{"as it was sent", "192.0.2.33", "198.51.100.10", 40000, 5060,
	         "OPTIONS sip:x Via: 1", 1, false, true},
		{"changed", "192.0.2.33", "198.51.100.10", 40000, 5060,
	         "OPTIONS sip:x Via: 2", 1, true, true},
	};
	struct probe_conf conf = {.edge = at("198.51.100.10", 0)};
	struct probe_ports ports = {.sip = 5060};
	struct probe_run run = {.conf = &conf};
	struct alg_tcp *tcp = &a.locate.tcp;
	struct alg_tcp_try *t = &tcp->tries[2][1];
	struct report r;

	UNUSED(state);
	report_init(&r);
	a.run = &run;
	a.ports = &ports;
	a.r = &r;
	tcp->spec.role = WIRE_ROLE_SIP;
	tcp->spec.transport = WIRE_TCP;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct net_quote q = {
			.offender = at("203.0.113.1", 0),
			.src = at(cases[i].src, cases[i].src_port),
			.dst = at(cases[i].dst, cases[i].dst_port),
			.payload = slice_str(cases[i].payload),
		};
		const struct hop_view *v = &tcp->walk.hops[2];

		hop_walk_init(&tcp->walk, HOPS, 19, 0, 0);
		*t = (struct alg_tcp_try){
			.alg = &a,
			.ttl = 2,
			.local = at("192.0.2.33", 40000),
			.sent = slice_str("OPTIONS sip:x Via: 1"),
		};
		alg_tcp_take_quote(&a, &q);
		assert_int_equal(v->n_answers, 0); /* it has not left */
		t->is_sent = true;
		alg_tcp_take_quote(&a, &q);
		if (v->n_answers != cases[i].n_answers ||
		    v->is_changed != cases[i].is_changed ||
		    t->is_over != cases[i].is_over)
			fail_msg("%s: %u, %d, %d", cases[i].why, v->n_answers,
			         v->is_changed, t->is_over);
	}
	report_fini(&r);
}

/* The edge may say anything, at any time. */
static void test_believes_only_what_was_asked(void **state)
{
	static const unsigned nonsense[] = {
		0,
		ALG_NUM_TCP - 1,
		ALG_NUM_TCP + 1, /* there, and nothing was asked of it */
		ALG_NUM_TCP + 2, /* not there */
		ALG_NUM_TCP + ALG_TCP_BACK_PAIRS,
		UINT16_MAX,
	};
	struct alg_tcp_back *b = &a.locate.tcp.back;

	UNUSED(state);
	hop_walk_init(&b->walk, HERE, SIZE_MAX, 0, 0);
	b->twin = b->walk;
	for (unsigned i = 0; i < 2; i++)
		b->pairs[i].alg = &a;
	b->pairs[0].ttl = 2;
	b->walk.hops[2].n_tries = 1;
	for (size_t i = 0; i < ARRAY_LEN(nonsense); i++) {
		alg_tcp_back_died(&a, nonsense[i]);
		alg_tcp_back_failed(&a, nonsense[i]);
	}
	for (unsigned ttl = 0; ttl <= HOP_MAX; ttl++) {
		assert_int_equal(b->walk.hops[ttl].n_answers, 0);
		assert_int_equal(b->walk.hops[ttl].n_tries, ttl == 2);
	}
	/* once each */
	for (unsigned i = 0; i < 3; i++)
		alg_tcp_back_died(&a, ALG_NUM_TCP);
	alg_tcp_back_failed(&a, ALG_NUM_TCP);
	assert_int_equal(b->walk.hops[2].n_answers, 1);
	assert_int_equal(b->walk.hops[2].n_tries, 1);
	assert_true(b->pairs[0].is_over);
}

static void test_what_could_not_be_sent_is_not_counted(void **state)
{
	struct alg_tcp_back *b = &a.locate.tcp.back;

	UNUSED(state);
	hop_walk_init(&b->walk, HERE, SIZE_MAX, 0, 0);
	b->twin = b->walk;
	b->pairs[4] =
		(struct alg_tcp_pair){.alg = &a, .ttl = 3, .is_twin = true};
	b->twin.hops[3].n_tries = 1;
	alg_tcp_back_failed(&a, ALG_NUM_TCP + 4);
	alg_tcp_back_failed(&a, ALG_NUM_TCP + 4);
	alg_tcp_back_died(&a, ALG_NUM_TCP + 4);
	assert_int_equal(b->twin.hops[3].n_tries, 0);
	assert_int_equal(b->twin.hops[3].n_answers, 0);
}

/* Without a control session there is nobody to ask. */
static void test_back_ends_without_a_session(void **state)
{
	struct hop_place there = {.is_known = true, .hop_min = 1, .hop_max = 2};
	struct alg_tcp_back *b = &a.locate.tcp.back;

	UNUSED(state);
	assert_true(alg_tcp_back_next(&a, &there, NS_PER_S) == INT64_MAX);
	assert_false(b->is_over); /* it had not begun */
	hop_walk_init(&b->walk, HERE, SIZE_MAX, 0, 0);
	b->is_on = true;
	assert_true(alg_tcp_back_next(&a, &there, NS_PER_S) == INT64_MAX);
	assert_true(b->is_over);
	assert_int_equal(b->n_hops, 4);
	assert_false(alg_tcp_back_place(&a).is_known);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_place_by_both_ends),
		TEST(test_back_asks_the_neighbours),
		TEST(test_mute_is_what_alone_is_waited_for),
		TEST(test_begins_only_where_it_can_tell),
		TEST(test_takes_only_its_own_quotes),
		TEST(test_believes_only_what_was_asked),
		TEST(test_what_could_not_be_sent_is_not_counted),
		TEST(test_back_ends_without_a_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
