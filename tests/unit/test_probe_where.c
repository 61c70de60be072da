/* SPDX-License-Identifier: ISC */
/* probe/where.c: what rising TTLs drew, and where a flow ends by that. */
#include "test.h"

#include <string.h>

#include "base/clock.h"
#include "probe/where.h"

enum {
	N_HOPS = 4, /* 10.0.0.1, 10.0.1.1, 203.0.113.3, 203.0.113.4 */
	SERVER_AT = N_HOPS + 1,
};

static struct addr address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(&a, slice_str(text)), 0);
	return a;
}

static const char *const path[N_HOPS + 1] = {
	NULL, "10.0.0.1", "10.0.1.1", "203.0.113.3", "203.0.113.4",
};
static const char server_text[] = "198.51.100.10";

/* A flow that is heard where @p heard has a '1', and asked everywhere. */
static struct where_flow flow_of(const char *heard)
{
	struct where_flow f = {0};

	for (unsigned ttl = 1; ttl <= SERVER_AT; ttl++)
		f.hops[ttl].n_tries = 3;
	for (unsigned ttl = 1; ttl <= N_HOPS && heard[ttl - 1]; ttl++) {
		if (heard[ttl - 1] != '1')
			continue;
		f.hops[ttl].n_answers = 1;
		f.hops[ttl].addr = address(path[ttl]);
	}
	return f;
}

static struct where_flow good(const char *heard)
{
	struct where_flow f = flow_of(heard);

	f.answer_at = SERVER_AT;
	f.answer_ttl = 64 - N_HOPS;
	return f;
}

struct want {
	enum where_basis basis;
	enum where_who who;
	unsigned hop_min, hop_max;
	bool is_exact;
	enum segment segment;
	const char *box; /* NULL: nobody is named */
};

static void check(const char *why, const struct where_flow *f,
                  const struct where_flow *control, const struct want *want)
{
	struct addr server = address(server_text);
	struct where w = where_judge(f, control, &server);
	char box[ADDR_TEXT_BYTES];

	if (w.basis != want->basis || w.who != want->who ||
	    w.hop_min != want->hop_min || w.hop_max != want->hop_max ||
	    w.is_exact != want->is_exact || w.segment != want->segment)
		fail_msg("%s: %s, %s, hops %u to %u%s, %s", why,
		         where_basis_name(w.basis), where_who_name(w.who),
		         w.hop_min, w.hop_max, w.is_exact ? ", exact" : "",
		         segment_name(w.segment));
	if (want->box)
		assert_string_equal(addr_ip_text(&w.box, box), want->box);
	else
		assert_int_equal(w.box.family, ADDR_NONE);
	assert_int_equal(w.last.port, 0);
	assert_int_equal(w.next.port, 0);
}

static void test_silence_is_placed(void **state)
{
	static const struct {
		const char *why, *heard, *control;
		struct want want;
	} cases[] = {
		{"first router forwards nothing of it",
	         "1",
	         "1111",
	         {WHERE_QUOTE, WHERE_MIDDLEBOX, 1, 2, true, SEGMENT_ROUTER,
	          "10.0.0.1"}},
		{"a router of the LAN",
	         "11",
	         "1111",
	         {WHERE_QUOTE, WHERE_MIDDLEBOX, 2, 3, true, SEGMENT_LAN,
	          "10.0.1.1"}},
		{"the carrier",
	         "111",
	         "1111",
	         {WHERE_QUOTE, WHERE_MIDDLEBOX, 3, 4, true, SEGMENT_CARRIER,
	          "203.0.113.3"}},
		{"as far as can be followed",
	         "1111",
	         "1111",
	         {WHERE_QUOTE, WHERE_NOBODY, 4, 5, true, SEGMENT_PROVIDER,
	          "203.0.113.4"}},
		{"never leaves, or not the first hop",
	         "",
	         "1111",
	         {WHERE_QUOTE, WHERE_MIDDLEBOX, 0, 1, true, SEGMENT_ROUTER,
	          NULL}},
		{"a hop that answers nobody widens",
	         "1",
	         "1011",
	         {WHERE_QUOTE, WHERE_MIDDLEBOX, 1, 3, false, SEGMENT_UNKNOWN,
	          "10.0.0.1"}},
		{"a hop that answers only this one",
	         "11",
	         "1011",
	         {WHERE_QUOTE, WHERE_MIDDLEBOX, 2, 3, true, SEGMENT_LAN,
	          "10.0.1.1"}},
		{"a hop missed, heard behind it",
	         "101",
	         "1111",
	         {WHERE_QUOTE, WHERE_MIDDLEBOX, 3, 4, true, SEGMENT_CARRIER,
	          "203.0.113.3"}},
		{"nobody answers anybody",
	         "",
	         "0000",
	         {WHERE_QUOTE, WHERE_MIDDLEBOX, 0, 5, false, SEGMENT_UNKNOWN,
	          NULL}},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct where_flow f = flow_of(cases[i].heard);
		struct where_flow c = good(cases[i].control);

		check(cases[i].why, &f, &c, &cases[i].want);
	}
}

static void test_without_a_good_flow_nothing_is_exact(void **state)
{
	struct where_flow f = flow_of("11"), nothing = flow_of("");
	struct addr server = address(server_text);
	struct where w;

	UNUSED(state);
	check("no control", &f, NULL,
	      &(struct want){WHERE_QUOTE, WHERE_MIDDLEBOX, 2, 3, false,
	                     SEGMENT_UNKNOWN, "10.0.1.1"});
	w = where_judge(&nothing, NULL, &server);
	assert_int_equal(w.basis, WHERE_NO_BASIS);
	assert_int_equal(w.segment, SEGMENT_UNKNOWN);
	f.answer_at = SERVER_AT;
	w = where_judge(&f, NULL, &server);
	assert_int_equal(w.basis, WHERE_NO_BASIS);
}

static void test_way_back_is_said(void **state)
{
	struct where_flow f = flow_of("1111"), c = good("1111");
	struct addr server = address(server_text);

	UNUSED(state);
	assert_true(where_judge(&f, &c, &server).may_be_way_back);
	f = flow_of("111");
	assert_false(where_judge(&f, &c, &server).may_be_way_back);
}

static void test_refusal_names_its_sender(void **state)
{
	static const struct {
		const char *why, *heard, *refuser;
		unsigned at;
		struct want want;
	} cases[] = {
		{"a router on the path",
	         "11",
	         "10.0.1.1",
	         3,
	         {WHERE_REFUSAL, WHERE_MIDDLEBOX, 2, 2, true, SEGMENT_LAN,
	          "10.0.1.1"}},
		{"before the TTL is looked at",
	         "1",
	         "10.0.1.1",
	         2,
	         {WHERE_REFUSAL, WHERE_MIDDLEBOX, 2, 2, true, SEGMENT_LAN,
	          "10.0.1.1"}},
		{"by another address of its",
	         "11",
	         "192.0.2.77",
	         3,
	         {WHERE_REFUSAL, WHERE_MIDDLEBOX, 2, 3, false, SEGMENT_CARRIER,
	          "192.0.2.77"}},
		{"the first router",
	         "1",
	         "10.0.0.1",
	         2,
	         {WHERE_REFUSAL, WHERE_MIDDLEBOX, 1, 1, true, SEGMENT_ROUTER,
	          "10.0.0.1"}},
		{"the server",
	         "1111",
	         server_text,
	         5,
	         {WHERE_REFUSAL, WHERE_SERVER, 5, 5, true, SEGMENT_PROVIDER,
	          server_text}},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct where_flow f = flow_of(cases[i].heard);
		struct where_flow c = good("1111");
		struct addr server = address(server_text);

		f.refused_at = cases[i].at;
		f.refuser = address(cases[i].refuser);
		f.icmp_type = 3;
		f.icmp_code = 13;
		check(cases[i].why, &f, &c, &cases[i].want);
		assert_int_equal(where_judge(&f, &c, &server).icmp_code, 13);
	}
}

static void test_reset_betrays_its_sender(void **state)
{
	static const struct {
		const char *why, *heard;
		unsigned at;
		int ttl, server_ttl;
		struct want want;
	} cases[] = {
		{"too near for the server",
	         "11",
	         3,
	         0,
	         0,
	         {WHERE_RESET, WHERE_MIDDLEBOX, 2, 3, true, SEGMENT_LAN,
	          "10.0.1.1"}},
		{"its TTL says which of the two",
	         "11",
	         3,
	         63,
	         60,
	         {WHERE_RESET, WHERE_MIDDLEBOX, 2, 2, true, SEGMENT_LAN,
	          "10.0.1.1"}},
		{"the first router, at once",
	         "",
	         1,
	         64,
	         60,
	         {WHERE_RESET, WHERE_MIDDLEBOX, 1, 1, true, SEGMENT_ROUTER,
	          "10.0.0.1"}},
		{"the last router, by its TTL alone",
	         "1111",
	         5,
	         61,
	         60,
	         {WHERE_RESET, WHERE_MIDDLEBOX, 4, 4, true, SEGMENT_PROVIDER,
	          "203.0.113.4"}},
		{"of another make",
	         "1111",
	         5,
	         252,
	         60,
	         {WHERE_RESET, WHERE_MIDDLEBOX, 4, 4, true, SEGMENT_PROVIDER,
	          "203.0.113.4"}},
		{"the server",
	         "1111",
	         5,
	         60,
	         60,
	         {WHERE_RESET, WHERE_SERVER, 5, 5, true, SEGMENT_PROVIDER,
	          NULL}},
		{"the server or the last router",
	         "1111",
	         5,
	         0,
	         60,
	         {WHERE_RESET, WHERE_NOBODY, 4, 5, false, SEGMENT_UNKNOWN,
	          "203.0.113.4"}},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct where_flow f = flow_of(cases[i].heard);
		struct where_flow c = good("1111");

		f.reset_at = cases[i].at;
		f.reset_ttl = cases[i].ttl;
		c.answer_ttl = cases[i].server_ttl;
		check(cases[i].why, &f, &c, &cases[i].want);
	}
}

/* The other flow found a closed port, or ended on its way (@p server 0). */
static void test_reset_where_nothing_is_known_good(void **state)
{
	static const struct {
		const char *why, *heard, *control;
		unsigned at;
		int ttl, server_ttl;
		bool is_far; /* the ways back are longer than those there */
		struct want want;
	} cases[] = {
		{"the server, which refuses the closed port as well",
	         "1111",
	         "1111",
	         5,
	         60,
	         60,
	         false,
	         {WHERE_RESET, WHERE_SERVER, 5, 5, true, SEGMENT_PROVIDER,
	          NULL}},
		{"the server, whose ICMP begins with another TTL",
	         "1111",
	         "1111",
	         5,
	         60,
	         251,
	         false,
	         {WHERE_RESET, WHERE_SERVER, 5, 5, true, SEGMENT_PROVIDER,
	          NULL}},
		{"the last router, before the server",
	         "1111",
	         "1111",
	         5,
	         61,
	         60,
	         false,
	         {WHERE_RESET, WHERE_MIDDLEBOX, 4, 4, true, SEGMENT_PROVIDER,
	          "203.0.113.4"}},
		{"from further than the server: TTLs that nobody knows",
	         "1111",
	         "1111",
	         5,
	         57,
	         60,
	         false,
	         {WHERE_RESET, WHERE_NOBODY, 4, 5, false, SEGMENT_UNKNOWN,
	          "203.0.113.4"}},
		{"the server, whose limit hides how far it is",
	         "111",
	         "111",
	         4,
	         61,
	         61,
	         false,
	         {WHERE_RESET, WHERE_SERVER, 4, 4, true, SEGMENT_PROVIDER,
	          NULL}},
		{"the other flow goes further",
	         "11",
	         "111",
	         3,
	         0,
	         0,
	         false,
	         {WHERE_RESET, WHERE_MIDDLEBOX, 2, 3, true, SEGMENT_LAN,
	          "10.0.1.1"}},
		{"nobody goes further; from the hop before",
	         "11",
	         "11",
	         3,
	         63,
	         0,
	         false,
	         {WHERE_RESET, WHERE_MIDDLEBOX, 2, 2, true, SEGMENT_LAN,
	          "10.0.1.1"}},
		{"the same, where ways back are longer: not known",
	         "11",
	         "11",
	         3,
	         63,
	         0,
	         true,
	         {WHERE_RESET, WHERE_NOBODY, 2, 3, false, SEGMENT_UNKNOWN,
	          "10.0.1.1"}},
		{"the server, or a box that filters before it counts",
	         "11",
	         "11",
	         3,
	         62,
	         0,
	         false,
	         {WHERE_RESET, WHERE_NOBODY, 2, 3, false, SEGMENT_UNKNOWN,
	          "10.0.1.1"}},
		{"the first hop, whatever it is",
	         "",
	         "",
	         1,
	         64,
	         0,
	         false,
	         {WHERE_RESET, WHERE_NOBODY, 0, 1, false, SEGMENT_UNKNOWN,
	          NULL}},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct where_flow f = flow_of(cases[i].heard);
		struct where_flow c = flow_of(cases[i].control);

		f.reset_at = cases[i].at;
		f.reset_ttl = cases[i].ttl;
		for (unsigned h = 1; h <= N_HOPS; h++)
			c.hops[h].ttl = 65 - (int)h - cases[i].is_far;
		if (cases[i].server_ttl) {
			c.answer_at = SERVER_AT;
			c.answer_ttl = cases[i].server_ttl;
			if (cases[i].at < SERVER_AT)
				c.answer_at = SERVER_AT + 3;
			c.is_icmp = true;
		}
		check(cases[i].why, &f, &c, &cases[i].want);
	}
}

static void test_reset_without_another_flow_is_nobodys(void **state)
{
	struct where_flow f = flow_of("11");

	UNUSED(state);
	f.reset_at = 3;
	f.reset_ttl = 63;
	check("no control", &f, NULL,
	      &(struct want){WHERE_RESET, WHERE_NOBODY, 2, 3, false,
	                     SEGMENT_UNKNOWN, "10.0.1.1"});
}

static void test_own_computer(void **state)
{
	struct where_flow f = flow_of(""), c = good("1111");

	UNUSED(state);
	f.error = 1;
	check("EPERM", &f, &c,
	      &(struct want){WHERE_LOCAL, WHERE_NOBODY, 0, 0, true,
	                     SEGMENT_DEVICE, NULL});
}

static void test_segments(void **state)
{
	struct addr lan = address("192.168.1.1"), cgnat = address("100.64.0.1");
	struct addr ula = address("fd00::1"), none = {0};

	UNUSED(state);
	assert_int_equal(where_segment(0, &lan, 9), SEGMENT_DEVICE);
	assert_int_equal(where_segment(1, &cgnat, 9), SEGMENT_ROUTER);
	assert_int_equal(where_segment(2, &lan, 9), SEGMENT_LAN);
	assert_int_equal(where_segment(2, &ula, 9), SEGMENT_LAN);
	assert_int_equal(where_segment(2, &cgnat, 9), SEGMENT_CARRIER);
	assert_int_equal(where_segment(2, &none, 9), SEGMENT_UNKNOWN);
	assert_int_equal(where_segment(9, &none, 9), SEGMENT_PROVIDER);
	assert_int_equal(where_segment(9, &cgnat, 0), SEGMENT_CARRIER);
}

static void test_names(void **state)
{
	UNUSED(state);
	for (int b = 0; b < WHERE_BASES; b++)
		assert_non_null(where_basis_name((enum where_basis)b));
	assert_string_equal(where_basis_name(WHERE_REFUSAL), "icmp-refusal");
	assert_string_equal(where_who_name(WHERE_SERVER), "server");
}

/* A TCP flow that opens at @p at; its SYN-ACK comes from hop @p from. */
static struct where_flow opened(unsigned at, unsigned from)
{
	struct where_flow f = flow_of("111");

	for (unsigned ttl = at; ttl <= HOP_MAX; ttl++)
		f.hops[ttl] = (struct where_hop){.n_tries = 0};
	f.answer_at = at;
	f.answer_ttl = from ? 65 - (int)from : 0;
	return f;
}

static void test_near_is_only_what_cannot_be_the_server(void **state)
{
	static const struct {
		const char *why;
		unsigned at, from;
		const char *heard; /* of what goes by UDP */
		bool opens_near, is_near;
	} cases[] = {
		{"at the first router", 1, 1, "1111", true, true},
		{"the SYN-ACK takes a hop more back", 1, 2, "1111", true, true},
		{"two routers behind", 3, 3, "1111", true, true},
		{"some of them silent", 1, 1, "0101", true, true},
		{"the server itself", SERVER_AT, SERVER_AT, "1111", false,
	         false},
		{"a balancer right before it", 4, 4, "1111", false, false},
		{"one router behind proves nothing", 2, 2, "1100", false,
	         false},
		{"none is heard", 1, 1, "0000", false, false},
		{"TTLs are raised on the way", 1, SERVER_AT, "1111", true,
	         false},
		{"its TTL is not known", 1, 0, "1111", true, false},
		{"it did not open", 0, 1, "1111", false, false},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct where_flow f = opened(cases[i].at, cases[i].from);
		struct where_flow c = good(cases[i].heard);
		struct where_near n = {.hop = 77};

		if (where_opens_near(&f, &c) != cases[i].opens_near ||
		    where_near_judge(&n, &f, &c) != cases[i].is_near)
			fail_msg("%s", cases[i].why);
		assert_int_equal(n.hop, cases[i].is_near ? cases[i].at : 77);
	}
}

static void test_near_names_the_box(void **state)
{
	struct where_flow f = opened(2, 2), c = good("1111");
	struct addr want = address(path[2]);
	struct where_near n;

	UNUSED(state);
	assert_true(where_near_judge(&n, &f, &c));
	assert_int_equal(n.server_min, SERVER_AT);
	assert_true(addr_ip_eq(&n.box, &want));
	assert_int_equal(n.segment, SEGMENT_LAN);
	/* the answer of the server counts for nothing: it may be late */
	c.answer_at = 0;
	assert_true(where_near_judge(&n, &f, &c));
}

static void test_near_needs_one_way_and_routers_once(void **state)
{
	struct where_flow f = opened(3, 3), c = good("1111");
	struct where_near n;

	UNUSED(state);
	c.hops[2].addr = address("10.0.9.9"); /* TCP goes another way */
	assert_false(where_near_judge(&n, &f, &c));
	/* late errors of the second router, counted for the next TTLs */
	f = opened(2, 2);
	c = good("1100");
	c.hops[3] = c.hops[4] = c.hops[2];
	assert_false(where_near_judge(&n, &f, &c));
	/* a refusal is no opening */
	c = good("1111");
	f.reset_at = 2;
	assert_false(where_near_judge(&n, &f, &c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_near_is_only_what_cannot_be_the_server),
		cmocka_unit_test(test_near_names_the_box),
		cmocka_unit_test(test_near_needs_one_way_and_routers_once),
		cmocka_unit_test(test_silence_is_placed),
		cmocka_unit_test(test_without_a_good_flow_nothing_is_exact),
		cmocka_unit_test(test_way_back_is_said),
		cmocka_unit_test(test_refusal_names_its_sender),
		cmocka_unit_test(test_reset_betrays_its_sender),
		cmocka_unit_test(test_reset_where_nothing_is_known_good),
		cmocka_unit_test(test_reset_without_another_flow_is_nobodys),
		cmocka_unit_test(test_own_computer),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
