/* SPDX-License-Identifier: ISC */
/*
 * Texts that were cut, shuffled, mixed or made to harm: faults have a place,
 * and the rest is read.
 *
 * PRUMO_ROUNDS sets how often each file is spoilt (default 40).
 */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firewall/audit.h"

enum {
	MAX_LINES = 400,
	ROUNDS = 40,
};

static const struct {
	const char *dialect, *file;
} boxes[] = {
	{"fortios", "firewall_fortios/half-applied.conf"},
	{"fortios", "firewall_fortios/vdoms.conf"},
	{"fortios", "firewall_fortios/renamed.conf"},
	{"routeros", "firewall_routeros/export.rsc"},
	{"routeros", "firewall_routeros/commands.rsc"},
	{"edgeos", "firewall_vyatta/edgeos.boot"},
	{"sonicos", "firewall_sonicos/box.txt"},
	{"sonicos", "firewall_sonicos/old.txt"},
	{"sonicos", "firewall_sonicos/nat.txt"},
	{"sonicos-exp", "firewall_sonicos_exp/plain.txt"},
	{"sonicos-exp", "firewall_sonicos_exp/patched.txt"},
};

static uint64_t seed;

static unsigned rnd(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned)(seed >> 33) % n;
}

static struct slice load(const char *name)
{
	static char buf[1 << 15];
	char path[512];
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/fuzz/corpus/%s",
	               getenv("PRUMO_SOURCE_ROOT"), name);
	f = fopen(path, "rb");
	assert_non_null(f);
	n = fread(buf, 1, sizeof(buf), f);
	(void)fclose(f);
	return (struct slice){(const uint8_t *)buf, n};
}

static size_t split(struct slice lines[static MAX_LINES], struct slice text)
{
	struct rd rd = rd_init(text);
	size_t n = 0;

	while (n < MAX_LINES && rd_line(&rd, &lines[n]))
		n++;
	return n;
}

/* Faults point into the text. @return its number of rules */
static size_t read_text(const char *dialect, struct slice text)
{
	const struct fw_dialect *d = fw_dialect_find(dialect);
	struct fw_rules rules;
	struct arena arena;
	struct diag dg;
	size_t n, n_lines = 1;
	int err;

	arena_init(&arena);
	fw_rules_init(&rules);
	diag_init(&dg, &arena, "box", text);
	(void)d->recognise(text);
	err = d->parse(&rules, text, &dg);
	if (err != 0 && err != EBADMSG)
		fail_msg("%s: %d", dialect, err);
	/* A backup is told line by line after it was unwrapped. */
	for (size_t i = 0; i < text.n; i++)
		n_lines += text.p[i] == '\n';
	for (size_t i = 0; dg.text.p != text.p && i < dg.text.n; i++)
		n_lines += dg.text.p[i] == '\n';
	for (const struct diag_item *it = dg.first; it; it = it->next) {
		if (it->line > n_lines || (it->line && !it->column) ||
		    (it->sev == DIAG_ERROR && !it->line) || !it->message[0])
			fail_msg("%s: %u:%u of %zu lines: %s", dialect,
			         it->line, it->column, n_lines, it->message);
	}
	assert_int_equal(err == EBADMSG, dg.n_errors > 0);
	n = rules.n_rules;
	fw_rules_fini(&rules);
	arena_fini(&arena);
	return n;
}

static unsigned rounds(void)
{
	const char *text = getenv("PRUMO_ROUNDS");

	return text ? (unsigned)strtoul(text, NULL, 10) : ROUNDS;
}

static const char *const spoils[] = {
	"\xff\xfe\x00",
	"Escrit\xf3rio ol\xe9",
	"liga\xc3\xa7\xc3\xb5 \xf0\x9f\x98\x80",
	"\"",
	"'",
	"\\",
	"{{{{{{{{",
	"}",
	"/*",
	"[[[[",
	"]",
	"end",
	"exit",
	"\r\r",
	"\t\v\f",
	"$(reboot) `reboot` ;reboot",
	"%s%n%1$s",
	"=",
	"&",
	"4294967296 -1 99999999999999999999",
};

/* Lines in their order or any other; some missing, cut, or with company. */
static void spoil(struct wr *w, const struct slice *lines, size_t n,
                  bool is_shuffled)
{
	for (size_t l = 0; l < n; l++) {
		const unsigned what = rnd(12);
		const struct slice line =
			lines[is_shuffled ? rnd((unsigned)n) : l];
		const unsigned cut = rnd((unsigned)line.n + 1);
		const char *more = spoils[rnd(ARRAY_LEN(spoils))];

		if (what == 0)
			continue;
		wr_put(w, what == 1 ? slice_sub(line, 0, cut) : line);
		if (what == 3)
			wr_u8(w, '\n');
		if (what == 2 || what == 3)
			wr_str(w, more);
		wr_str(w, what == 4 ? "\r\n" : "\n");
	}
}

static void test_spoilt_texts_are_read_with_places(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(boxes); i++) {
		const struct slice text = load(boxes[i].file);
		static struct slice lines[MAX_LINES];
		const size_t n = split(lines, text);

		seed = i;
		for (unsigned k = 0; k < rounds(); k++) {
			struct wr w = wr_init_heap();

			spoil(&w, lines, n, k % 2);
			(void)read_text(boxes[i].dialect, wr_slice(&w));
			wr_fini(&w);
		}
	}
}

/* One bad line costs itself, or the rule that it stands in. */
static void test_a_bad_line_costs_one_rule(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(boxes); i++) {
		const struct slice text = load(boxes[i].file);
		static struct slice lines[MAX_LINES];
		const size_t n = split(lines, text);
		const size_t clean = read_text(boxes[i].dialect, text);

		assert_true(clean > 0);
		for (size_t at = 0; at <= n; at++) {
			struct wr w = wr_init_heap();
			size_t got;

			for (size_t l = 0; l < n; l++) {
				if (l == at)
					wr_str(&w, "lixo \xe9\xff 1 2\n");
				wr_put(&w, lines[l]);
				wr_u8(&w, '\n');
			}
			got = read_text(boxes[i].dialect, wr_slice(&w));
			if (got + 1 < clean)
				fail_msg("%s, before line %zu: %zu of %zu",
				         boxes[i].file, at + 1, got, clean);
			wr_fini(&w);
		}
	}
}

/* Windows ends its lines otherwise; that means nothing. */
static void test_line_ends_mean_nothing(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(boxes); i++) {
		const struct slice text = load(boxes[i].file);
		static struct slice lines[MAX_LINES];
		const size_t n = split(lines, text);
		const size_t clean = read_text(boxes[i].dialect, text);
		struct wr w = wr_init_heap();

		for (size_t l = 0; l < n; l++) {
			wr_put(&w, lines[l]);
			wr_str(&w, "\r\n");
		}
		if (read_text(boxes[i].dialect, wr_slice(&w)) != clean)
			fail_msg("%s: %zu rules", boxes[i].file, clean);
		wr_fini(&w);
	}
}

/* What grows without an end costs no more than its bytes. */
static void test_endless_texts_end(void **state)
{
	static const struct {
		const char *dialect, *head, *more, *tail;
	} rows[] = {
		{"fortios", "config firewall policy\nedit 1\nset dstaddr",
	         " \"aaaa\"", "\nnext\nend\n"},
		{"fortios", "", "config a\nedit 1\n", ""},
		{"fortios", "config firewall addrgrp\n",
	         "edit g\nset member g g g\nnext\n", "end\n"},
		{"fortios", "config firewall address\nedit a\nnext\n",
	         "rename a to b\nedit a\nnext\nrename b to c\ndelete c\n",
	         "end\n"},
		{"routeros",
	         "/ip firewall filter\nadd chain=forward comment=\"", "aaaa",
	         "\"\n"},
		{"routeros", "/ip firewall filter\nadd chain=forward",
	         " \\\n a", "\n"},
		{"routeros", "/ip firewall filter\nset ", "[[", "\n"},
		{"edgeos", "", "a {\n", ""},
		{"edgeos", "", "set firewall name A rule 1 description x\n",
	         ""},
		{"sonicos", "", "access-rule from LAN to WAN action allow\n",
	         ""},
		{"sonicos", "address-object ipv4 ", "\\ ", "\n"},
		{"sonicos-exp", "policyAction_0=2", "&policyAction_0=2", ""},
		{"sonicos-exp", "addrObjId_0=", "%41%", ""},
	};
	enum {
		BYTES_WANTED = 1 << 19
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wr w = wr_init_heap();

		wr_str(&w, rows[i].head);
		while (w.n < BYTES_WANTED)
			wr_str(&w, rows[i].more);
		wr_str(&w, rows[i].tail);
		(void)read_text(rows[i].dialect, wr_slice(&w));
		wr_fini(&w);
	}
}

enum {
	LONG_RULES = 25000,
};

/* A rule for each of many hosts; the flow's is the last. */
static void put_long(struct wr *w, bool is_nft, bool has_state)
{
	wr_str(w, is_nft ? "table inet fw {\nchain forward {\ntype filter hook "
	                   "forward priority 0; policy drop;\n"
	                 : "*filter\n:FORWARD DROP [0:0]\n");
	if (has_state)
		wr_str(w, is_nft ? "ct state established,related accept\n"
		                 : "-A FORWARD -m conntrack --ctstate "
		                   "RELATED,ESTABLISHED -j ACCEPT\n");
	for (unsigned i = 0; i <= LONG_RULES; i++) {
		const unsigned host = i * 48271 & 0x1ffff;
		const unsigned net = i == LONG_RULES ? 192 : 198;

		wr_fmt(w,
		       is_nft ? "ip daddr %u.%u.%u.%u udp dport 5060 accept\n"
		              : "-A FORWARD -d %u.%u.%u.%u/32 -p udp -m udp "
		                "--dport 5060 -j ACCEPT\n",
		       net, net == 192 ? 0 : 18 + (host >> 16),
		       net == 192 ? 2 : host >> 8 & 255,
		       net == 192 ? 1 : host & 255);
	}
	wr_str(w, is_nft ? "}\n}\n" : "COMMIT\n");
}

static void judge_long(const char *dialect, bool has_state)
{
	const struct fw_ip ip = {0, UINT64_C(0xffffc0000201)};
	const struct fw_place place = {.path = FW_PATH_FORWARD};
	struct fw_flow flow = {.id = "flow"};
	const struct fw_question q = {
		.flows = &flow, .n_flows = 1, .place = place};
	struct wr w = wr_init_heap();
	struct fw_answer *an;
	struct fw_rules rules;
	struct arena a;
	struct diag dg;

	put_long(&w, strcmp(dialect, "nftables") == 0, has_state);
	assert_false(w.bad);
	assert_true(w.n > 1000000);
	arena_init(&a);
	diag_init(&dg, &a, "t", wr_slice(&w));
	fw_rules_init(&rules);
	assert_non_null(fw_addrs_add_range(&a, &flow.dst, ip, ip));
	assert_non_null(
		fw_services_add(&a, &flow.services, FW_PROTO_UDP, 5060, 5060));
	assert_int_equal(
		fw_dialect_find(dialect)->parse(&rules, wr_slice(&w), &dg), 0);
	assert_int_equal(rules.n_rules, LONG_RULES + 1 + has_state);
	assert_int_equal(fw_answer_all(&an, &a, &rules, &q), 0);
	assert_int_equal(an->out.verdict, FW_PASS);
	assert_ptr_equal(an->out.parts->rule, an->out.parts->chain->last);
	/* Answers to anywhere are cut by every rule: that ends, and with what
	 * is so. */
	assert_true(an->back.n_steps <= FW_JUDGE_STEPS);
	assert_false(an->back.is_cut);
	assert_int_equal(an->back.verdict, has_state ? FW_PASS : FW_FAIL);
	assert_int_equal(an->back.has_more, !has_state);
	fw_rules_fini(&rules);
	arena_fini(&a);
	wr_fini(&w);
}

static void test_a_long_text_is_judged_to_its_end(void **state)
{
	UNUSED(state);
	judge_long("nftables", true);
	judge_long("iptables", true);
	judge_long("iptables", false);
}

/* As if it were so long already: all that is read makes at least two rules. */
static void test_there_is_a_most_of_rules(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(boxes); i++) {
		const struct fw_dialect *d = fw_dialect_find(boxes[i].dialect);
		struct fw_rules rules;
		struct arena arena;
		struct diag dg;
		struct slice text = load(boxes[i].file);

		arena_init(&arena);
		fw_rules_init(&rules);
		diag_init(&dg, &arena, "long", text);
		rules.n_rules = FW_RULES_MAX - 1;
		assert_int_equal(d->parse(&rules, text, &dg), ENOMEM);
		assert_true(rules.is_full);
		assert_int_equal(rules.n_rules, FW_RULES_MAX);
		fw_rules_fini(&rules);
		arena_fini(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spoilt_texts_are_read_with_places),
		cmocka_unit_test(test_a_bad_line_costs_one_rule),
		cmocka_unit_test(test_line_ends_mean_nothing),
		cmocka_unit_test(test_endless_texts_end),
		cmocka_unit_test(test_a_long_text_is_judged_to_its_end),
		cmocka_unit_test(test_there_is_a_most_of_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
