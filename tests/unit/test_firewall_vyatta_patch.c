/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "oom.h"
#include "vyatta_box.h"

static const char edgeos_boot[] = "fuzz/corpus/firewall_vyatta/edgeos.boot";
static const char vyos_set[] = "fuzz/corpus/firewall_vyatta/vyos14.set";

static void check_patch(const char *dialect, const char *text, struct made *m,
                        const char *want, const char *undo)
{
	const struct fw_question q = {
		.flows = m->flows, .n_flows = m->n, .place = m->place};
	struct fw_patch_out out;
	struct read r;
	size_t left = 99;
	int err;

	open_as(&r, dialect, slice_str(text));
	fw_patch_init(&out);
	err = fw_patch_make(&out, &left, &r.rules, &q);
	wr_u8(&out.commands, 0);
	wr_u8(&out.undo, 0);
	if (err || !strstr((char *)out.commands.p, want) ||
	    !strstr((char *)out.undo.p, undo))
		fail_msg("%d: %s\n%s", err, (char *)out.commands.p,
		         (char *)out.undo.p);
	fw_patch_fini(&out);
	done(&r);
}

static void test_patch_opens_what_is_missing(void **state)
{
	struct made m;

	UNUSED(state);
	make_flows(&m, false);
	check_patch("edgeos", load(edgeos_boot), &m,
	            "set firewall name LAN_IN rule 29 action accept",
	            "delete firewall name LAN_IN rule 29\n");
	/* On by default, with no rule that turns it on. */
	check_patch("edgeos",
	            "set firewall name A default-action accept\n"
	            "set interfaces ethernet eth1 firewall in name A\n",
	            &m, "set system conntrack modules sip disable",
	            "delete system conntrack modules sip\n");
	/* A rule for other hosts is in nobody's way. */
	check_patch("edgeos",
	            "set firewall name A rule 1 action drop\n"
	            "set firewall name A rule 1 destination address "
	            "203.0.113.1\n"
	            "set interfaces ethernet eth1 firewall in name A\n",
	            &m, "set firewall name A rule 1001 action accept",
	            "delete firewall name A rule 1001\n");
	check_patch("vyos", load(vyos_set), &m,
	            "set firewall ipv4 forward filter rule ",
	            "delete firewall ipv4 forward filter rule ");
	arena_fini(&m.arena);
}

/* ---- patches that hold ---- */

enum {
	MAX_LEAVES = 2000,
};

struct leaves {
	struct arena arena;
	const char *v[MAX_LEAVES];
	size_t n;
};

/* What was emptied says nothing; of a timer's values the last counts. */
static void add_leaves(struct leaves *l, const struct fw_vy_node *n,
                       const char *path)
{
	const size_t len = strlen(path);
	const bool is_timer = len > 7 && strcmp(path + len - 7, " stream") == 0;

	if (!n->first && !n->n_entered) {
		assert_true(l->n < MAX_LEAVES);
		l->v[l->n++] = path;
	}
	for (const struct fw_vy_node *c = is_timer ? n->last : n->first; c;
	     c = c->next)
		add_leaves(l, c,
		           arena_fmt(&l->arena, "%s %.*s", path, (int)c->word.n,
		                     (const char *)c->word.p));
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void read_leaves(struct leaves *l, struct slice text)
{
	struct fw_vy_tree t = {.arena = &l->arena};
	struct fw_rules rules;
	struct diag dg;

	arena_init(&l->arena);
	fw_rules_init(&rules);
	diag_init(&dg, &l->arena, NULL, text);
	t.rules = &rules;
	t.dg = &dg;
	fw_vy_read(&t, text);
	l->n = 0;
	add_leaves(l, t.root, "");
	qsort(l->v, l->n, sizeof(*l->v), by_text);
	if (rules.kept)
		fail_msg("%.*s", (int)rules.kept->raw.n,
		         (const char *)rules.kept->raw.p);
	fw_rules_fini(&rules);
}

static void check_same(struct leaves *before, struct leaves *after)
{
	for (size_t i = 0; i < before->n && i < after->n; i++) {
		if (strcmp(before->v[i], after->v[i]) != 0)
			fail_msg("%s:%s", before->v[i], after->v[i]);
	}
	assert_int_equal(before->n, after->n);
	arena_fini(&before->arena);
	arena_fini(&after->arena);
}

static void check_undo(const char *text, const struct fw_patch_out *out)
{
	static struct leaves before, after;
	struct wr w = wr_init_heap();

	wr_put(&w, wr_slice(&out->patched));
	wr_put(&w, wr_slice(&out->undo));
	read_leaves(&before, slice_str(text));
	read_leaves(&after, wr_slice(&w));
	check_same(&before, &after);
	wr_fini(&w);
}

/* Its text is as good as it says, and undone it is what it was. */
static void check_whole(const char *dialect, const char *text, struct made *m,
                        const char *const wanted[3])
{
	const struct fw_question q = {
		.flows = m->flows, .n_flows = m->n, .place = m->place};
	struct fw_patch_out out, again;
	struct read r, patched;
	size_t left = 99;
	int err;

	open_as(&r, dialect, slice_str(text));
	fw_patch_init(&out);
	fw_patch_init(&again);
	err = fw_patch_make(&out, &left, &r.rules, &q);
	if (err || left)
		fail_msg("%d, %zu left: %s", err, left, text);
	check_undo(text, &out);
	open_as(&patched, dialect, wr_slice(&out.patched));
	assert_int_equal(patched.dg.n_errors, 0);
	assert_int_equal(patched.rules.kept != NULL, r.rules.kept != NULL);
	assert_int_equal(fw_patch_make(&again, &left, &patched.rules, &q), 0);
	assert_int_equal(left, 0);
	assert_int_equal(again.commands.n, 0);
	wr_u8(&out.commands, 0);
	wr_u8(&out.undo, 0);
	for (size_t i = 0; i < 3 && wanted[i]; i++) {
		if (!strstr((char *)out.commands.p, wanted[i]))
			fail_msg("%s: %s", wanted[i], (char *)out.commands.p);
	}
	fw_patch_fini(&out);
	fw_patch_fini(&again);
	done(&r);
	done(&patched);
}

/* A drop rule at @p first, with rules before it at every number. */
static const char *make_tight(struct made *m, const char *set,
                              const char *bound, unsigned first, unsigned last)
{
	struct wr w = wr_init_heap();
	const char *text;

	wr_str(&w, bound);
	for (unsigned n = first > 3 ? first - 3 : 1; n <= first; n++)
		wr_fmt(&w,
		       "set %s rule %u action %s\n"
		       "set %s rule %u destination address 192.0.2.0/%d\n",
		       set, n, n == first ? "drop" : "accept", set, n,
		       n == first ? 24 : 32);
	wr_fmt(&w, "set %s rule %u action accept\n", set, last);
	wr_fmt(&w, "set system conntrack timeout udp stream 120\n");
	text = arena_dup(&m->arena, wr_slice(&w));
	wr_fini(&w);
	assert_non_null(text);
	return text;
}

static const char bound_old[] = "set interfaces ethernet eth1 firewall in "
				"name A\nset firewall name A default-action "
				"drop\n";
static const char bound_new[] =
	"// vyos-config-version: \"conntrack@3:firewall@15\"\n"
	"// Release version: 1.4.0\n"
	"set firewall ipv4 forward filter default-action drop\n";

static void test_patch_moves_rules_where_numbers_run_out(void **state)
{
	struct made m;

	UNUSED(state);
	make_flows(&m, false);
	check_whole("edgeos",
	            make_tight(&m, "firewall name A", bound_old, 1, 7), &m,
	            (const char *const[3]){"edit firewall name A\n"
	                                   "rename rule 7 to rule 27\n"
	                                   "rename rule 1 to rule 21\ntop\n",
	                                   "rule 20 action accept"});
	check_whole("vyos", make_tight(&m, "firewall name A", bound_old, 5, 15),
	            &m, (const char *const[3]){"rename rule 5 to rule 25\n"});
	/* The highest moves first, as numbers are unique. */
	check_whole("edgeos",
	            make_tight(&m, "firewall name A", bound_old, 5, 15), &m,
	            (const char *const[3]){"rename rule 15 to rule 35\n"
	                                   "rename rule 5 to rule 25\n"});
	check_whole("edgeos", load(edgeos_boot), &m,
	            (const char *const[3]){"rule 29 action accept"});
	/* Enough are free: none moves. */
	check_patch("edgeos",
	            make_tight(&m, "firewall name A", bound_old, 100, 9999), &m,
	            "set firewall name A rule 96 action accept",
	            "delete firewall name A rule 96\n");
	arena_fini(&m.arena);
}

static void test_patch_says_where_none_is_left(void **state)
{
	struct fw_patch_out out;
	struct fw_question q;
	struct made m;
	struct read r;
	size_t left;

	UNUSED(state);
	make_flows(&m, false);
	q = (struct fw_question){
		.flows = m.flows, .n_flows = m.n, .place = m.place};
	for (int i = 0; i < 3; i++) {
		/* Numbers run out; a controller takes no commands; what routes
		 * drops before. */
		const char *texts[] = {
			make_tight(&m, "firewall name A", bound_old, 5, 9999),
			load("fuzz/corpus/firewall_vyatta/usg-dump.json"),
			"set firewall modify M rule 1 action drop\n"
			"set interfaces ethernet eth1 firewall in modify M\n"};

		open_as(&r, "edgeos", slice_str(texts[i]));
		fw_patch_init(&out);
		assert_int_equal(fw_patch_make(&out, &left, &r.rules, &q),
		                 ENOTSUP);
		assert_true(i != 1 || out.commands.n == 0);
		fw_patch_fini(&out);
		done(&r);
	}
	arena_fini(&m.arena);
}

static void test_patch_jumps_to_a_set_of_its_own(void **state)
{
	static const char drops_six[] =
		"set firewall ipv6 forward filter default-action drop\n"
		"set firewall ipv6 forward filter rule 1 action drop\n"
		"set firewall ipv6 forward filter rule 1 protocol tcp\n";
	struct made m;
	struct wr w = wr_init_heap();

	UNUSED(state);
	make_flows(&m, true);
	check_whole(
		"vyos", load(vyos_set), &m,
		(const char *const[3]){
			"name PRUMO-P-OUT1 default-action return\n",
			"filter rule 9 action jump\n"
			"set firewall ipv4 forward filter rule 9 "
			"jump-target PRUMO-P-OUT1\n",
			"domain-group PRUMO-P3-DF address web.example.net"});
	check_whole("vyos",
	            make_tight(&m, "firewall ipv4 forward filter", bound_new,
	                       100, 200),
	            &m, (const char *const[3]){"filter rule 96 action jump"});
	/* No number is free, and names lead to IPv6 as well. */
	wr_str(&w,
	       make_tight(&m, "firewall ipv4 forward filter", bound_new, 2, 9));
	wr_str(&w, drops_six);
	wr_u8(&w, 0);
	check_whole("vyos", (char *)w.p, &m,
	            (const char *const[3]){
			    "rename rule 2 to rule 12\n",
			    "ipv6 name PRUMO-P-OUT2 default-action return\n",
			    "ipv6 forward filter\nrename rule 1 to rule 11\n"});
	wr_fini(&w);
	arena_fini(&m.arena);
}

/* What zones let pass is said in the set that the pair of them names. */
static void test_patch_goes_to_the_set_between_zones(void **state)
{
	static const char old[] =
		"set firewall name OUT default-action drop\n"
		"set firewall name BACK default-action drop\n"
		"set firewall name OTHER default-action drop\n"
		"set firewall ipv6-name OUT6 default-action drop\n"
		"set firewall ipv6-name BACK6 default-action accept\n"
		"set zone-policy zone LAN interface eth2\n"
		"set zone-policy zone LAN interface eth1\n"
		"set zone-policy zone LAN from WAN firewall name BACK\n"
		"set zone-policy zone LAN from WAN firewall ipv6-name BACK6\n"
		"set zone-policy zone LAN from DMZ firewall name OTHER\n"
		"set zone-policy zone DMZ interface eth3\n"
		"set zone-policy zone DMZ from LAN firewall name OTHER\n"
		"set zone-policy zone WAN interface eth0\n"
		"set zone-policy zone WAN from LAN firewall name OUT\n"
		"set zone-policy zone WAN from LAN firewall ipv6-name OUT6\n";
	static const char later[] =
		"// vyos-config-version: \"conntrack@3\"\n"
		"// Release version: 1.4.0\n"
		"set firewall ipv4 name OUT default-action drop\n"
		"set firewall ipv6 name OUT6 default-action drop\n"
		"set firewall global-options state-policy established action "
		"accept\n"
		"set firewall zone LAN member interface eth1\n"
		"set firewall zone WAN member interface eth0\n"
		"set firewall zone WAN from LAN firewall name OUT\n"
		"set firewall zone WAN from LAN firewall ipv6-name OUT6\n";
	static const char *const dialects[] = {"edgeos", "vyos"};
	struct made m;

	UNUSED(state);
	make_flows(&m, false);
	for (size_t i = 0; i < ARRAY_LEN(dialects); i++)
		check_whole(dialects[i], old, &m,
		            (const char *const[3]){
				    "set firewall name OUT rule ",
				    "set firewall name BACK rule ",
				    "set firewall ipv6-name OUT6 rule "});
	check_whole("vyos", later, &m,
	            (const char *const[3]){
			    "set firewall ipv4 name OUT rule 10 action jump",
			    "set firewall ipv6 name OUT6 rule "});
	arena_fini(&m.arena);
}

static void test_patch_without_memory(void **state)
{
	const char *texts[2];
	struct made m;

	UNUSED(state);
	make_flows(&m, false);
	texts[0] = make_tight(&m, "firewall name A", bound_old, 2, 7);
	texts[1] =
		make_tight(&m, "firewall ipv4 forward filter", bound_new, 2, 7);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const struct fw_question q = {
			.flows = m.flows, .n_flows = m.n, .place = m.place};
		unsigned long n = 0;
		struct read r;
		int err;

		open_as(&r, i ? "vyos" : "edgeos", slice_str(texts[i]));
		do {
			struct fw_patch_out out;
			size_t left;

			fw_patch_init(&out);
			oom_after(n);
			err = fw_patch_make(&out, &left, &r.rules, &q);
			oom_after(OOM_NEVER);
			if (err != 0 && err != ENOMEM)
				fail_msg("%zu, %lu: %d", i, n, err);
			fw_patch_fini(&out);
			n += 1 + n / 64;
		} while (err);
		assert_true(n > 1);
		done(&r);
	}
	arena_fini(&m.arena);
}

/* What the old text said is said again, and nothing in it is obeyed. */
static void test_undo_knows_the_old_text(void **state)
{
	static const struct {
		const char *text, *commands, *undo;
		int err;
	} rows[] = {
		{"set a b c d 1\n", "set a b c d 2\nset a b c d 3\n",
	         "delete a b c d 3\ndelete a b c d 2\n", 0},
		{"", "set firewall name A rule 3 action drop\n",
	         "delete firewall name A rule 3\n", 0},
		{"set system conntrack modules ftp\n",
	         "set system conntrack timeout udp stream 300\n",
	         "delete system conntrack timeout udp\n", 0},
		{"set system conntrack timeout udp stream 120\n",
	         "set system conntrack timeout udp stream 300\n",
	         "set system conntrack timeout udp stream 120\n", 0},
		{"set system conntrack modules sip port 5060\n",
	         "delete system conntrack modules sip\n",
	         "set system conntrack modules sip port 5060\n", 0},
		/* an empty block of VyOS 1.4 */
		{"system {\n conntrack {\n modules {\n sip { }\n }\n }\n}\n"
	         "vrf { }\n",
	         "delete system conntrack modules sip\nset vrf a\n",
	         "delete vrf a\nset system conntrack modules sip\n", 0},
		{"set system conntrack modules sip port \"1;reboot\"\n",
	         "delete system conntrack modules sip\n", "", ENOTSUP},
		{"set system conntrack timeout udp stream $(reboot)\n",
	         "set system conntrack timeout udp stream 300\n", "", ENOTSUP},
		{"set firewall name A rule 1 action drop\n",
	         "edit firewall name A\nrename rule 1 to rule 2\ntop\n",
	         "edit firewall name A\nrename rule 2 to rule 1\ntop\n", 0},
		{"set a rule 1\nset a rule 2\n",
	         "edit a\nrename rule 1 to rule 2\ntop\n", "", EPROTO},
		{"", "say hello\n", "", EPROTO},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wr w = wr_init_heap();
		const int err = fw_vy_undo(&w, slice_str(rows[i].text),
		                           slice_str(rows[i].commands));

		if (err != rows[i].err ||
		    !slice_eq_str(wr_slice(&w), rows[i].undo))
			fail_msg("%zu: %d, %.*s", i, err, (int)w.n,
			         (const char *)w.p);
		wr_fini(&w);
	}
}

/* What is written for a box with other things to do, and its undo, leave
 * those as they were. The ALG stays off. */
static void test_undo_of_rules_leaves_the_rest(void **state)
{
	static const struct {
		const char *golden, *rest;
	} rows[] = {
		{"tests/golden/firewall/edgeos.set",
	         "set system conntrack modules sip disable\n"
	         "set system conntrack timeout udp other 40\n"
	         "set firewall name A rule 1 action drop\n"
	         "set firewall group address-group B address 192.0.2.77\n"
	         "set interfaces ethernet eth1 firewall local name A\n"},
		{"tests/golden/firewall/vyos-1.3.set",
	         "set system conntrack modules sip disable\n"
	         "set system conntrack modules ftp disable\n"
	         "set firewall ipv6-name A rule 1 action drop\n"
	         "set firewall group ipv6-network-group B network "
	         "2001:db8::/48\n"
	         "set interfaces ethernet eth1 firewall out name A\n"},
		{"tests/golden/firewall/vyos.set",
	         "set system conntrack modules ftp\n"
	         "set system conntrack timeout udp other 40\n"
	         "set firewall ipv4 forward filter rule 5 action accept\n"
	         "set firewall ipv6 name A rule 10 action drop\n"},
		{"tests/golden/firewall/vyos-1.5.set",
	         "set firewall global-options timeout udp other 40\n"
	         "set firewall group domain-group A address a.example\n"
	         "set firewall ipv6 forward filter rule 5 action accept\n"},
	};
	static struct leaves before, after;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct slice rules = slice_str(load(rows[i].golden));
		const struct slice mark = slice_str("# Undo:\n");
		const size_t at = slice_find(rules, mark);
		struct rd rd = rd_init(slice_sub(rules, at + mark.n, SIZE_MAX));
		struct wr w = wr_init_heap();
		struct slice line;

		assert_true(at != SIZE_MAX);
		wr_str(&w, rows[i].rest);
		wr_put(&w, rules);
		while (rd_line(&rd, &line) && fw_has_prefix(line, "#     ")) {
			wr_put(&w, slice_sub(line, 6, SIZE_MAX));
			wr_u8(&w, '\n');
		}
		read_leaves(&before, slice_str(rows[i].rest));
		read_leaves(&after, wr_slice(&w));
		check_same(&before, &after);
		wr_fini(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patch_opens_what_is_missing),
		cmocka_unit_test(test_patch_moves_rules_where_numbers_run_out),
		cmocka_unit_test(test_patch_says_where_none_is_left),
		cmocka_unit_test(test_patch_jumps_to_a_set_of_its_own),
		cmocka_unit_test(test_patch_goes_to_the_set_between_zones),
		cmocka_unit_test(test_patch_without_memory),
		cmocka_unit_test(test_undo_knows_the_old_text),
		cmocka_unit_test(test_undo_of_rules_leaves_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
