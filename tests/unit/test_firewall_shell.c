/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firewall/linux.h"
#include "firewall/rule.h"
#include "firewall/shell.h"
#include "firewall/splice.h"
#include "oom.h"

static void check_text(struct wr *w, const char *want)
{
	const struct slice got = wr_slice(w);

	assert_false(w->bad);
	if (!slice_eq(got, slice_str(want)))
		fail_msg("wanted %s, got %.*s", want, (int)got.n,
		         (const char *)got.p);
	wr_fini(w);
}

static void test_words_are_quoted(void **state)
{
	static const struct {
		const char *word, *want;
	} cases[] = {
		{"FORWARD", "FORWARD"},
		{"eth0.100", "eth0.100"},
		{"", "''"},
		{"a b", "'a b'"},
		{"$(reboot)", "'$(reboot)'"},
		{"`x`", "'`x`'"},
		{"it's", "'it'\\''s'"},
		{"a;b", "'a;b'"},
		{"*", "'*'"},
		{"~root", "'~root'"},
		{"#", "'#'"},
		{"a\nb", "'a\nb'"},
		{"a\\b", "'a\\b'"},
		{"!", "'!'"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct wr w = wr_init_heap();

		fw_shell_put(&w, slice_str(cases[i].word));
		check_text(&w, cases[i].want);
	}
}

static void test_lines_become_words(void **state)
{
	static const struct {
		const char *line, *want;
	} cases[] = {
		{"-p udp -j ACCEPT", "-p udp -j ACCEPT"},
		{"  -p\tudp  ", "-p udp"},
		{"--comment \"a b\"", "--comment 'a b'"},
		{"--comment \"a \\\"b\\\" \\\\\"", "--comment 'a \"b\" \\'"},
		{"--comment \"\"", "--comment ''"},
		/* outside of quotes iptables takes a backslash as it is */
		{"-i a\\b", "-i 'a\\b'"},
		{"x\"y z\"w", "'xy zw'"},
		{"--comment \"never closed", "--comment 'never closed'"},
		{"\"\\", "'\\'"},
		{"", ""},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct wr w = wr_init_heap();

		fw_shell_put_words(&w, slice_str(cases[i].line));
		check_text(&w, cases[i].want);
	}
}

/* The shell itself says what a word is, for every byte that text can have. */
static void test_a_shell_reads_back_every_byte(void **state)
{
	struct wr w = wr_init_heap();
	char got[600] = "", want[256];
	size_t n = 0;
	FILE *f;

	UNUSED(state);
	for (unsigned c = 1; c < 128; c++) {
		if (c != '\n')
			want[n++] = (char)c;
	}
	want[n] = 0;
	wr_str(&w, "printf '%s\\n' ");
	fw_shell_put(&w, slice_str(want));
	wr_u8(&w, 0);
	assert_false(w.bad);
	f = popen((const char *)wr_slice(&w).p, "r");
	assert_non_null(f);
	assert_non_null(fgets(got, sizeof(got), f));
	assert_int_equal(pclose(f), 0);
	assert_int_equal(strlen(got), n + 1);
	assert_memory_equal(got, want, n);
	wr_fini(&w);
}

static void test_undo_is_in_reverse(void **state)
{
	struct arena a;
	struct fw_shell_undo u = {.arena = &a};
	struct wr w = wr_init_heap();

	UNUSED(state);
	arena_init(&a);
	fw_shell_undo_add(&u, slice_str("one\n"));
	fw_shell_undo_add(&u, slice_str("two\n"));
	fw_shell_undo_add(&u, slice_str("three\n"));
	fw_shell_undo_put(&w, &u);
	assert_false(u.no_memory);
	check_text(&w, "three\ntwo\none\n");
	arena_fini(&a);
}

/* A list that is edited by its present places, against what places say. */
static void test_places_follow_every_edit(void **state)
{
	enum {
		N = 6,
		EDITS = 12,
	};
	struct fw_chain chain = {.name = "c"}, other = {.name = "d"};

	UNUSED(state);
	for (unsigned seed = 0; seed < 200; seed++) {
		struct fw_places p = {0};
		int list[N + EDITS];
		bool is_gone[N + 1] = {false};
		unsigned x = seed * 2654435761U + 1;
		size_t n = N;
		struct arena a;

		arena_init(&a);
		p.arena = &a;
		for (int i = 0; i < N; i++)
			list[i] = i;
		for (unsigned e = 0; e < EDITS; e++) {
			size_t at, now;

			x = x * 1103515245U + 12345;
			at = (x >> 16) % (N + 1);
			now = fw_places_now(&p, &chain, at);
			assert_int_equal(fw_places_now(&p, &other, at), at);
			if (at < N && !is_gone[at]) {
				assert_true(now < n);
				assert_int_equal(list[now], (int)at);
			}
			if (x >> 30 == 0 && at < N && !is_gone[at]) {
				memmove(&list[now], &list[now + 1],
				        (n - now - 1) * sizeof(int));
				n--;
				is_gone[at] = true;
				fw_places_delete(&p, &chain, at);
				continue;
			}
			assert_true(now <= n);
			memmove(&list[now + 1], &list[now],
			        (n - now) * sizeof(int));
			list[now] = -1;
			n++;
			fw_places_insert(&p, &chain, at);
		}
		assert_false(p.no_memory);
		arena_fini(&a);
	}
}

static void test_cuts_are_made_in_order_of_place(void **state)
{
	static const char text[] = "one\ntwo\nthree\n";
	const uint8_t *at = (const uint8_t *)text;
	struct fw_splice s = {.text = BYTES(text)};
	struct wr w = wr_init_heap();

	UNUSED(state);
	fw_splice_drop_line(&s, at + 5);
	fw_splice_before(&s, at + 9, slice_str("c\n"));
	fw_splice_before(&s, at + 9, slice_str("d\n"));
	fw_splice_drop_line(&s, at + 4);
	fw_splice_before(&s, at, slice_str("a\n"));
	fw_splice_at(&s, at + sizeof(text) - 1, slice_str("z\n"));
	fw_splice_put(&w, &s);
	check_text(&w, "a\none\nc\nd\nthree\nz\n");
	fw_splice_fini(&s);
}

static void test_no_memory_is_seen(void **state)
{
	struct fw_chain chain = {.name = "c"};

	UNUSED(state);
	for (unsigned long left = 0; left < 2; left++) {
		struct arena a;
		struct fw_shell_undo u = {.arena = &a};
		struct fw_places p = {.arena = &a};
		struct fw_splice s = {.text = BYTES("x\n")};
		struct wr w = wr_init_heap();

		arena_init(&a);
		oom_after(left);
		fw_shell_undo_add(&u, slice_str("one\n"));
		fw_places_insert(&p, &chain, 0);
		fw_splice_at(&s, s.text.p, slice_str("y"));
		fw_splice_put(&w, &s);
		oom_after(OOM_NEVER);
		if (left == 0) {
			assert_true(u.no_memory);
			assert_true(p.no_memory);
			assert_true(w.bad);
		}
		wr_fini(&w);
		fw_splice_fini(&s);
		arena_fini(&a);
	}
}

static void test_sessions_are_forgotten_by_prefixes(void **state)
{
	static const struct {
		const char *set, *want;
	} rows[] = {
		{"192.0.2.1", "conntrack -D -d 192.0.2.1\n"},
		{"192.0.2.0/24", "conntrack -D -d 192.0.2.0/24\n"},
		{"192.0.2.255-192.0.5.0",
	         "conntrack -D -d 192.0.2.255\nconntrack -D -d 192.0.3.0/24\n"
	         "conntrack -D -d 192.0.4.0/24\nconntrack -D -d 192.0.5.0\n"},
		{"192.0.2.7-192.0.2.8",
	         "conntrack -D -d 192.0.2.7\nconntrack -D -d 192.0.2.8\n"},
		{"0.0.0.0-255.255.255.255", "conntrack -D -d 0.0.0.0/0\n"},
		{"255.255.255.254-255.255.255.255",
	         "conntrack -D -d 255.255.255.254/31\n"},
		{"2001:db8::ffff:ffff:ffff:ffff-2001:db8:0:1::",
	         "conntrack -D -d 2001:db8::ffff:ffff:ffff:ffff\n"
	         "conntrack -D -d 2001:db8:0:1::\n"},
		{"::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	         "conntrack -D -d ::/0\n"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wr w = wr_init_heap();
		struct fw_addrs set = {0};
		struct fw_ip lo, hi;
		struct arena a;

		arena_init(&a);
		assert_int_equal(fw_ip_parse(&lo, &hi, slice_str(rows[i].set)),
		                 0);
		/* named twice, written once */
		assert_non_null(fw_addrs_add_range(&a, &set, lo, hi));
		assert_non_null(fw_addrs_add_range(&a, &set, lo, hi));
		assert_non_null(
			fw_addrs_add_name(&a, &set, FW_ADDR_NAME, "a.example"));
		fw_linux_clear_put(&w, "", 'd', &set);
		if (!slice_eq_str(wr_slice(&w), rows[i].want))
			fail_msg("%s: %.*s", rows[i].set, (int)w.n,
			         (const char *)w.p);
		wr_fini(&w);
		arena_fini(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sessions_are_forgotten_by_prefixes),
		cmocka_unit_test(test_words_are_quoted),
		cmocka_unit_test(test_lines_become_words),
		cmocka_unit_test(test_a_shell_reads_back_every_byte),
		cmocka_unit_test(test_undo_is_in_reverse),
		cmocka_unit_test(test_places_follow_every_edit),
		cmocka_unit_test(test_cuts_are_made_in_order_of_place),
		cmocka_unit_test(test_no_memory_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
