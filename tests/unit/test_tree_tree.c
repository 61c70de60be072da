/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "tree/tree.h"

struct read {
	struct arena arena;
	struct diag dg;
	const struct tree_node *root;
	int err;
};

static void read_text(struct read *rd, struct slice text)
{
	memset(rd, 0, sizeof(*rd));
	arena_init(&rd->arena);
	diag_init(&rd->dg, &rd->arena, "t.yaml", text);
	rd->err = tree_read(&rd->root, &rd->arena, text, &rd->dg);
}

static void test_places_are_bytes(void **state)
{
	struct slice text = BYTES("\xc3\xa9\xc3\xa9: [a, \"\xe2\x82\xac\"]\r\n"
	                          "k:\n"
	                          "  m: v # c\n");
	const struct tree_node *n;
	struct read rd;

	UNUSED(state);
	read_text(&rd, text);
	assert_int_equal(rd.err, 0);
	n = tree_get(rd.root, "\xc3\xa9\xc3\xa9");
	assert_non_null(n);
	assert_int_equal(n->kind, TREE_NODE_LIST);
	assert_int_equal(n->n, 2);
	assert_true(slice_eq_str(n->first->at, "a"));
	assert_true(slice_eq_str(n->last->at, "\"\xe2\x82\xac\""));
	assert_true(slice_eq_str(n->last->text, "\xe2\x82\xac"));
	n = tree_get(tree_get(rd.root, "k"), "m");
	assert_non_null(n);
	assert_true(slice_eq_str(n->at, "v"));
	assert_true(slice_eq_str(n->key_at, "m"));
	assert_int_equal(n->at.p - text.p, (int)(text.n - 6));
	arena_fini(&rd.arena);
}

static void test_refuses(void **state)
{
	static const struct {
		const char *why;
		struct slice text;
	} cases[] = {
		{"nothing", BYTES("")},
		{"UTF-16", BYTES("\xff\xfe"
	                         "a\0:\0 \0b\0")},
		{"bad UTF-8", BYTES("a: \xc3")},
		{"NUL", BYTES("a: b\0c")},
		{"escaped NUL", BYTES("a: \"\\0\"")},
		{"anchor", BYTES("a: &x 1")},
		{"alias", BYTES("a: &x 1\nb: *x")},
		{"alias without anchor", BYTES("a: *x")},
		{"tag", BYTES("a: !!str 1")},
		{"map as a key", BYTES("? {a: b}\n: c")},
		{"list as a key", BYTES("? [a]\n: c")},
		{"same key", BYTES("a: 1\na: 2")},
		{"two documents", BYTES("a: 1\n---\nb: 1")},
		{"open list", BYTES("a: [1, 2")},
		{"deep", BYTES("[[[[[[[[[[[[[1]]]]]]]]]]]]]")},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct read rd;

		read_text(&rd, cases[i].text);
		if (rd.err != EBADMSG || rd.root || rd.dg.n_errors != 1)
			fail_msg("accepted: %s", cases[i].why);
		arena_fini(&rd.arena);
	}
}

static void test_depth_has_a_limit_that_fits(void **state)
{
	struct slice text = BYTES("[[[[[[[[[[[[1]]]]]]]]]]]]");
	struct read rd;

	UNUSED(state);
	read_text(&rd, text);
	assert_int_equal(rd.err, 0);
	arena_fini(&rd.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places_are_bytes),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_depth_has_a_limit_that_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
