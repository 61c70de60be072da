/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <string.h>

#include "base/clock.h"
#include "probe/hop.h"

static const char sent_text[] = "OPTIONS sip:x SIP/2.0\r\n"
				"Via: SIP/2.0/UDP 192.0.2.33:5060\r\n\r\n";
static const char edited_text[] = "OPTIONS sip:x SIP/2.0\r\n"
				  "Via: SIP/2.0/UDP 203.0.113.2:5060\r\n\r\n";

enum {
	EDIT_AT = 40, /* the '1' of 192.0.2.33 */
	FULL = 0,
	SHORT = 8,
	SILENT = -1,
};

/* What each hop does: quotes this many bytes, FULL or nothing. */
struct path {
	const char *why;
	unsigned n_hops;
	unsigned alg_hop; /* quotes of later hops are edited */
	int quotes[5];
	struct hop_place want;
};

static void answer(struct hop_walk *w, const struct path *p, unsigned ttl)
{
	const char *text = ttl > p->alg_hop ? edited_text : sent_text;
	struct slice quote = slice_str(text);
	struct addr from = {.family = ADDR_IP4};
	int q = p->quotes[ttl - 1];

	if (q == SILENT)
		return;
	from.ip[3] = (uint8_t)ttl;
	if (q != FULL)
		quote = slice_sub(quote, 0, (size_t)q);
	hop_walk_on_quote(w, ttl, &from, slice_str(sent_text), quote);
}

static unsigned walk(struct hop_walk *w, const struct path *p, size_t edit_at)
{
	int64_t now = 0, next;
	unsigned n_sent = 0, ttl;

	hop_walk_init(w, p->n_hops, edit_at, 10 * NS_PER_MS, now);
	while ((next = hop_walk_next(w, &ttl, now)) != INT64_MAX) {
		if (ttl) {
			n_sent++;
			answer(w, p, ttl);
		}
		assert_true(next > now || ttl);
		assert_true(n_sent <= HOP_MAX * HOP_TRIES);
		now = next;
	}
	return n_sent;
}

static void test_edit_is_placed(void **state)
{
	static const struct path paths[] = {
		{"at the first router",
	         3,
	         1,
	         {FULL, FULL, FULL},
	         {true, true, 1, 2, {0}, 0}},
		{"at the third",
	         4,
	         3,
	         {FULL, FULL, FULL, FULL},
	         {true, true, 3, 4, {0}, 0}},
		{"only the far end sees it",
	         1,
	         1,
	         {FULL},
	         {true, true, 1, 2, {0}, 0}},
		{"a silent hop widens",
	         3,
	         1,
	         {FULL, SILENT, FULL},
	         {true, false, 1, 3, {0}, 0}},
		{"a short quote widens",
	         3,
	         1,
	         {FULL, SHORT, FULL},
	         {true, false, 1, 3, {0}, 0}},
		{"before the first router",
	         2,
	         0,
	         {FULL, FULL},
	         {true, false, 0, 1, {0}, 0}},
		{"nobody answers",
	         2,
	         1,
	         {SILENT, SILENT},
	         {false, false, 0, 3, {0}, 0}},
		{"only short quotes",
	         2,
	         1,
	         {SHORT, SHORT},
	         {false, false, 0, 3, {0}, 0}},
		{"no router at all",
	         0,
	         0,
	         {SILENT},
	         {false, false, 0, 1, {0}, 0}},
	};

	UNUSED(state);
	assert_int_equal(sent_text[EDIT_AT - 1], ' ');
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		const struct path *p = &paths[i];
		struct hop_walk w;
		struct hop_place pl;
		unsigned n_sent = walk(&w, p, EDIT_AT);

		assert_int_equal(n_sent, p->n_hops * HOP_TRIES);
		pl = hop_walk_edit(&w);
		if (pl.is_known != p->want.is_known ||
		    pl.is_exact != p->want.is_exact ||
		    pl.hop_min != p->want.hop_min ||
		    pl.hop_max != p->want.hop_max)
			fail_msg("%s: %d %d %u..%u", p->why, pl.is_known,
			         pl.is_exact, pl.hop_min, pl.hop_max);
		if (pl.is_exact)
			assert_int_equal(pl.addr.ip[3], pl.hop);
	}
}

static void test_edit_shows_the_line(void **state)
{
	static const struct path p = {"", 2, 1, {FULL, FULL}, {0}};
	struct hop_walk w;

	UNUSED(state);
	(void)walk(&w, &p, EDIT_AT);
	assert_int_equal(w.hops[2].changed_at, EDIT_AT);
	assert_true(slice_eq_str(w.hops[2].before,
	                         "Via: SIP/2.0/UDP 192.0.2.33:5060"));
	assert_true(slice_eq_str(w.hops[2].after,
	                         "Via: SIP/2.0/UDP 203.0.113.2:5060"));
	assert_true(w.hops[1].is_unchanged);
}

static void test_loss_is_a_range(void **state)
{
	static const struct path p = {
		"", 4, 9, {FULL, SHORT, SILENT, SILENT}, {0}};
	struct hop_walk w;
	struct hop_place pl;

	UNUSED(state);
	(void)walk(&w, &p, SIZE_MAX);
	pl = hop_walk_loss(&w, NULL);
	assert_true(pl.is_known);
	assert_false(pl.is_exact);
	assert_int_equal(pl.hop_min, 2);
	assert_int_equal(pl.hop_max, 3);
}

static void test_loss_beside_a_twin(void **state)
{
	static const struct {
		const char *why;
		int quotes[4], twin[4];
		bool is_known;
		unsigned hop_min, hop_max;
	} cases[] = {
		{"the next hop answers others",
	         {FULL, FULL, SILENT, SILENT},
	         {FULL, FULL, FULL, FULL},
	         true,
	         2,
	         3},
		{"the next hop never answers",
	         {FULL, FULL, SILENT, SILENT},
	         {FULL, FULL, SILENT, FULL},
	         true,
	         2,
	         4},
		{"no hop behind it answers",
	         {FULL, FULL, SILENT, SILENT},
	         {FULL, FULL, SILENT, SILENT},
	         true,
	         2,
	         5},
		{"the first router, or before it",
	         {SILENT, SILENT, SILENT, SILENT},
	         {FULL, FULL, FULL, FULL},
	         true,
	         0,
	         1},
		{"nobody answers anything",
	         {SILENT, SILENT, SILENT, SILENT},
	         {SILENT, SILENT, SILENT, SILENT},
	         false,
	         0,
	         5},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct path p = {"", 4, 9, {0}, {0}};
		struct hop_walk w, twin;
		struct hop_place pl;

		memcpy(p.quotes, cases[i].quotes, sizeof(cases[i].quotes));
		(void)walk(&w, &p, SIZE_MAX);
		memcpy(p.quotes, cases[i].twin, sizeof(cases[i].twin));
		(void)walk(&twin, &p, SIZE_MAX);
		pl = hop_walk_loss(&w, &twin);
		if (pl.is_known != cases[i].is_known || pl.is_exact ||
		    pl.hop_min != cases[i].hop_min ||
		    pl.hop_max != cases[i].hop_max)
			fail_msg("%s: %d %u..%u", cases[i].why, pl.is_known,
			         pl.hop_min, pl.hop_max);
	}
}

static void test_two_ways_meet(void **state)
{
	enum {
		N = 4
	};
	static const struct {
		const char *why;
		struct hop_place there, back; /* as each end counts */
		bool is_exact;
		unsigned hop_min, hop_max;
	} cases[] = {
		{"2 swallows behind its TTL check",
	         {true, false, 2, 3, {0}, 0},
	         {true, false, 3, 4, {0}, 0},
	         true,
	         2,
	         2},
		{"2 swallows before it",
	         {true, false, 1, 2, {0}, 0},
	         {true, false, 2, 3, {0}, 0},
	         true,
	         2,
	         2},
		{"the last before the phone",
	         {true, false, 1, 2, {0}, 0},
	         {true, false, 4, 5, {0}, 0},
	         true,
	         1,
	         1},
		{"2 judges at its outer side only",
	         {true, false, 2, 3, {0}, 0},
	         {true, false, 2, 3, {0}, 0},
	         false,
	         2,
	         3},
		{"two boxes, one for each way",
	         {true, false, 1, 2, {0}, 0},
	         {true, false, 1, 2, {0}, 0},
	         false,
	         1,
	         2},
		{"nothing known of the way back",
	         {true, false, 1, 2, {0}, 0},
	         {false, false, 0, 5, {0}, 0},
	         false,
	         1,
	         2},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct hop_place back = hop_place_turn(&cases[i].back, N);
		struct hop_place pl = hop_place_meet(&cases[i].there, &back);

		if (pl.is_exact != cases[i].is_exact ||
		    pl.hop_min != cases[i].hop_min ||
		    pl.hop_max != cases[i].hop_max ||
		    (pl.is_exact && pl.hop != pl.hop_min))
			fail_msg("%s: %u..%u", cases[i].why, pl.hop_min,
			         pl.hop_max);
	}
}

static void test_an_edit_on_the_way_back_is_turned(void **state)
{
	struct hop_place pl = {true, true, 3, 4, {0}, 3};

	UNUSED(state);
	pl = hop_place_turn(&pl, 3);
	assert_true(pl.is_exact);
	assert_int_equal(pl.hop, 1);
	assert_int_equal(pl.hop_min, 0);
	assert_int_equal(pl.hop_max, 1);
}

static void test_nameless_hops_are_asked_alone(void **state)
{
	int64_t now = 0, next;
	struct hop_walk w;
	unsigned ttl;

	UNUSED(state);
	hop_walk_init(&w, 2, EDIT_AT, 0, now);
	while ((next = hop_walk_next(&w, &ttl, now)) != INT64_MAX) {
		struct addr from = {.family = ADDR_IP4, .ip = {198, 18, 0}};

		from.ip[3] = (uint8_t)ttl;
		if (ttl)
			hop_walk_on_short(&w, &from);
		now = next;
	}
	assert_int_equal(w.hops[1].addr.ip[3], 1);
	assert_int_equal(w.hops[2].addr.ip[3], 2);
	assert_int_equal(w.hops[2].n_tries, HOP_TRIES + 1);
	assert_false(hop_walk_edit(&w).is_known);
	assert_int_equal(hop_walk_loss(&w, NULL).hop_min, 2);
}

static void test_quote_of_unasked_hop_is_ignored(void **state)
{
	static const struct addr from = {.family = ADDR_IP4};
	struct hop_walk w;

	UNUSED(state);
	hop_walk_init(&w, 2, EDIT_AT, 0, 0);
	hop_walk_on_quote(&w, 0, &from, slice_str("a"), slice_str("b"));
	hop_walk_on_quote(&w, 3, &from, slice_str("a"), slice_str("b"));
	hop_walk_on_quote(&w, 4000000, &from, slice_str("a"), slice_str("b"));
	assert_false(hop_walk_edit(&w).is_known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edit_is_placed),
		cmocka_unit_test(test_edit_shows_the_line),
		cmocka_unit_test(test_loss_is_a_range),
		cmocka_unit_test(test_loss_beside_a_twin),
		cmocka_unit_test(test_two_ways_meet),
		cmocka_unit_test(test_an_edit_on_the_way_back_is_turned),
		cmocka_unit_test(test_nameless_hops_are_asked_alone),
		cmocka_unit_test(test_quote_of_unasked_hop_is_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
