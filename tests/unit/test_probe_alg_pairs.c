/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <string.h>

#include "probe/alg.h"

static struct alg a;

/* By pair: . lost, x answered; - the pair did not leave at once. */
struct round {
	const char *why;
	const char *first, *second, *alone, *known;
	bool want;
};

static void fill(enum alg_pair kind, const char *text)
{
	assert_int_equal(strlen(text), ALG_PAIRS);
	for (unsigned i = 0; i < ALG_PAIRS; i++) {
		a.pairs.is_answered[kind][i] = text[i] == 'x';
		if (text[i] == '-')
			a.pairs.is_tight[i] = false;
	}
}

static void test_second_is_lost_each_time(void **state)
{
	static const struct round rounds[] = {
		{"the box", "xxxxxxxx", "........", "xxxxxxxx", "xxxxxxxx",
	         true},
		{"nothing is lost", "xxxxxxxx", "xxxxxxxx", "xxxxxxxx",
	         "xxxxxxxx", false},
		{"one came", "xxxxxxxx", "...x....", "xxxxxxxx", "xxxxxxxx",
	         false},
		{"one came, whose first was lost", "xxx.xxxx", "...x....",
	         "xxxxxxxx", "xxxxxxxx", true},
		{"two of that kind", "xxx.x.xx", "...x.x..", "xxxxxxxx",
	         "xxxxxxxx", false},
		{"one of that kind, and one too late", "xxx-xxx.", ".......x",
	         "xxxxxxxx", "xxxxxxxx", false},
		{"one too late came", "xxxxxxxx", "...-....", "xxxxxxxx",
	         "xxxxxxxx", true},
		{"a line that loses a fifth", "xx.x.xxx", "........",
	         "x.xxxx.x", "xx..xxxx", false},
		{"what is known is lost, too", "xxxxxxxx", "........",
	         "xxxxxxxx", "........", false},
		{"all is lost", "........", "........", "........", "........",
	         false},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rounds); i++) {
		memset(&a, 0, sizeof(a));
		a.pairs.is_done = true;
		for (unsigned pair = 0; pair < ALG_PAIRS; pair++)
			a.pairs.is_tight[pair] = true;
		fill(ALG_PAIR_FIRST, rounds[i].first);
		fill(ALG_PAIR_SECOND, rounds[i].second);
		fill(ALG_PAIR_ALONE, rounds[i].alone);
		fill(ALG_PAIR_KNOWN, rounds[i].known);
		if (alg_pairs_is_second_lost(&a) != rounds[i].want)
			fail_msg("%s", rounds[i].why);
		a.pairs.is_done = false;
		assert_false(alg_pairs_is_second_lost(&a));
	}
}

/* One of three may be heard by chance, or the others lost: the hop before is
 * sure, and the box is one of the two. */
static void test_place_of_the_box(void **state)
{
	static const struct {
		const char *why;
		unsigned answers[3];
		unsigned hop_min, hop_max;
	} walks[] = {
		{"hop 2", {3, 3, 0}, 2, 3},
		{"hop 1", {3, 0, 0}, 1, 2},
		{"chance lets one through", {3, 0, 1}, 1, 2},
		{"of hop 2 two were lost", {3, 1, 0}, 1, 2},
	};
	struct alg_walk *out = &a.locate.walks[ALG_WAY_OUT];
	struct alg_walk *twin = &a.locate.walks[ALG_WAY_OUT_TWIN];

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(walks); i++) {
		struct hop_place pl;

		memset(&a, 0, sizeof(a));
		a.locate.is_started = a.locate.is_loss = true;
		hop_walk_init(&out->walk, 3, SIZE_MAX, 0, 0);
		hop_walk_init(&twin->walk, 3, SIZE_MAX, 0, 0);
		out->is_on = out->is_pair = twin->is_on = true;
		out->walk.n_enough = HOP_TRIES - 1;
		for (unsigned hop = 1; hop <= 3; hop++) {
			out->walk.hops[hop].n_answers =
				walks[i].answers[hop - 1];
			twin->walk.hops[hop].n_answers = HOP_TRIES;
		}
		pl = alg_locate_place(&a);
		if (!pl.is_known || pl.is_exact ||
		    pl.hop_min != walks[i].hop_min ||
		    pl.hop_max != walks[i].hop_max)
			fail_msg("%s: %u to %u", walks[i].why, pl.hop_min,
			         pl.hop_max);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_second_is_lost_each_time),
		cmocka_unit_test(test_place_of_the_box),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
