/* SPDX-License-Identifier: ISC */
#include "sonicos_box.h"

#include <errno.h>

#include "oom.h"

#define OWN                                                                \
	"address-object ipv4 pbx host 198.51.100.1 zone WAN\n"             \
	"service-object u UDP 5060 5061\nservice-object t TCP 5060 5061\n" \
	"service-group s\n    service-object u\n    service-object t\n"    \
	"    exit\n"                                                       \
	"access-rule ipv4 from LAN to WAN action allow\n    uuid 0a-0b\n"  \
	"    service group s\n    destination address name pbx\n"          \
	"    udp timeout 30\n    exit\n"
#define WEB                                                                  \
	"address-object fqdn w domain web.example.net zone WAN\n    exit\n"  \
	"access-rule ipv4 from LAN to WAN action allow destination address " \
	"name w service any\n    udp timeout 300\n    exit\n"
/* A flow's rule of its own is changed; a rule for everything is not. */
static const struct {
	const char *why, *text;
	const char *has[4], *lacks[3];
	const char *undo;
} patches[] = {
	{"all is well",
         BOX_PAGE WEB ALLOW "    udp timeout 300\n    exit\n",
         {"", "", "", ""},
         {"configure", "voip", "access-rule"},
         ""},
	{"consistent NAT alone",
         "voip\n    sip\n        no enable\n        exit\n"
         "    no consistent-nat\n    exit\n" WEB ALLOW
         "    udp timeout 300\n    exit\n",
         {"voip\n    consistent-nat\n    exit\n", "", "", ""},
         {"no enable", "access-rule", "udp"},
         "voip\n    no consistent-nat\n"},
	{"a rule of its own",
         BOX_PAGE OWN WEB,
         {"access-rule ipv4 uuid 0a-0b\n    udp timeout 300\n", "", "", ""},
         {"service-group", "voip", "priority"},
         "access-rule ipv4 uuid 0a-0b\n    udp timeout 30\n"},
	{"a rule of its own, behind one for everything",
         BOX_PAGE WEB ALLOW "    exit\n" OWN,
         {"service-object \"prumo-udp-5060-5061\" UDP 5060 5061\n",
          "    priority manual 1\n    udp timeout 300\n", "", ""},
         {"uuid", "voip", ""},
         "no access-rule ipv4"},
	{"a rule for everything",
         BOX_PAGE WEB ALLOW "    priority manual 1\n    exit\n",
         {"address-object ipv4 \"prumo-198.51.100.1\" host "
          "198.51.100.1 zone \"WAN\"\n",
          "service-object \"prumo-udp-5060-5061\" UDP 5060 5061\n",
          "    priority manual 1\n    udp timeout 300\n",
          "comment \"prumo: SIP of the provider\""},
         {"voip", "discard", "prumo-web"},
         "no access-rule ipv4 from \"LAN\" to \"WAN\" action allow"},
	{"blocked, and SIP is on",
         V7 DENY "    exit\nvoip\n    consistent-nat\n    sip\n"
                 "        enable\n        exit\n    exit\n",
         {"no enable\n", "no access-rule-based\n",
          "address-object fqdn \"prumo-web.example.net\" domain "
          "web.example.net zone \"WAN\"\n    exit\n",
          "    priority manual 1\n    exit\n"},
         {"    consistent-nat", "", ""},
         "        enable\n"},
	{"an old box",
         V65 DENY "    exit\n",
         {"voip\n    consistent-nat\n    no sip\n    exit\n",
          "    name \"prumo-sip\"\n", "", ""},
         {"no enable", "by-rule", "no sip\n    udp"},
         "# The text did not say how SIP"},
};

static void test_patch_is_the_least(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(patches); i++) {
		struct fw_patch_out out;
		size_t left = 99;
		struct made m;
		struct read r;
		int err;

		make(&m);
		open_text(&r, patches[i].text);
		fw_patch_init(&out);
		err = fw_patch_make(&out, &left, &r.rules, &m.q);
		if (err || left || !has(&out.undo, patches[i].undo)) {
			print_error("%.*s\n", (int)out.commands.n,
			            (char *)out.commands.p);
			fail_msg("%s: %d, left %zu\n%.*s", patches[i].why, err,
			         left, (int)out.undo.n, (char *)out.undo.p);
		}
		for (size_t k = 0; k < 4; k++) {
			if (!has(&out.commands, patches[i].has[k]))
				fail_msg("%s: lacks %s\n%.*s", patches[i].why,
				         patches[i].has[k], (int)out.commands.n,
				         (char *)out.commands.p);
		}
		for (size_t k = 0; k < 3; k++) {
			if (patches[i].lacks[k][0] &&
			    has(&out.commands, patches[i].lacks[k]))
				fail_msg("%s: has %s", patches[i].why,
				         patches[i].lacks[k]);
		}
		fw_patch_fini(&out);
		done(&r);
		arena_fini(&m.arena);
	}
}

/* One rule sets the session time and is where SIP is transformed: the time is
 * the rule's own all the same. */
static void test_session_time_is_not_the_helpers(void **state)
{
	struct fw_answer *answers;
	struct made m;
	struct read r;

	UNUSED(state);
	make(&m);
	open_text(&r, load("fuzz/corpus/firewall_sonicos/box.txt"));
	assert_int_equal(fw_answer_all(&answers, &m.arena, &r.rules, &m.q), 0);
	assert_int_equal(answers[0].alg, FW_ON);
	assert_ptr_equal(answers[0].out.alg_rule, answers[0].out.idle_rule);
	assert_int_equal(answers[0].udp_idle_s, 30);
	assert_false(answers[0].out.is_idle_by_helper);
	done(&r);
	arena_fini(&m.arena);
}

/* The patched text is whole: it has the old one in it. */
static void test_patched_text_needs_no_patch(void **state)
{
	struct fw_patch_out out, again;
	struct made m;
	struct read r, back;
	size_t left;

	UNUSED(state);
	make(&m);
	open_text(&r, load("fuzz/corpus/firewall_sonicos/box.txt"));
	fw_patch_init(&out);
	fw_patch_init(&again);
	assert_int_equal(fw_patch_make(&out, &left, &r.rules, &m.q), 0);
	assert_int_equal(left, 0);
	assert_true(has(&out.patched, "ip 203.0.113.2 netmask"));
	assert_true(has(&out.clear, "flush-all"));
	open_as(&back, "sonicos", wr_slice(&out.patched));
	assert_int_equal(back.err, 0);
	assert_int_equal(fw_patch_make(&again, &left, &back.rules, &m.q), 0);
	assert_int_equal(again.commands.n, 0);
	fw_patch_fini(&again);
	fw_patch_fini(&out);
	done(&back);
	done(&r);
	arena_fini(&m.arena);
}

/* Of a backup the patch is what is typed on its box; no setting is written. */
static void test_patch_of_a_backup_is_commands(void **state)
{
	static const struct {
		const char *file, *has[5];
	} rows[] = {
		{"fuzz/corpus/firewall_sonicos_exp/box.exp",
	         {"configure\n", "address-object ipv4 \"prumo-198.51.100.1\"",
	          "    priority manual 1\n    udp timeout 300\n",
	          "voip\n    consistent-nat\n    no sip\n    exit\n",
	          "commit\n"}},
		{"fuzz/corpus/firewall_sonicos_exp/plain.txt",
	         {"configure\n", "service-group \"prumo-svc-sip\"",
	          "comment \"prumo: SIP of the provider\"",
	          "    priority manual 1\n    udp timeout 300\n", "commit\n"}},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fw_patch_out out, again;
		struct read r, back;
		struct made m;
		size_t left = 99;

		make(&m);
		open_as(&r, "sonicos-exp", slice_str(load(rows[i].file)));
		fw_patch_init(&out);
		fw_patch_init(&again);
		assert_int_equal(fw_patch_make(&out, &left, &r.rules, &m.q), 0);
		assert_int_equal(left, 0);
		for (size_t k = 0; k < ARRAY_LEN(rows[i].has); k++) {
			if (!has(&out.commands, rows[i].has[k]))
				fail_msg("lacks %s\n%.*s", rows[i].has[k],
				         (int)out.commands.n,
				         (char *)out.commands.p);
		}
		assert_false(has(&out.commands, "policyAction"));
		assert_true(has(&out.undo, "no access-rule ipv4 from"));
		assert_true(has(&out.undo, "# The text did not say"));
		assert_true(has(&out.clear, "198.51.100.1"));
		open_as(&back, "sonicos-exp", wr_slice(&out.patched));
		assert_int_equal(back.err, 0);
		assert_int_equal(back.rules.defaults.alg, FW_OFF);
		assert_int_equal(back.rules.defaults.consistent_nat, FW_ON);
		assert_int_equal(
			fw_patch_make(&again, &left, &back.rules, &m.q), 0);
		assert_int_equal(again.commands.n, 0);
		fw_patch_fini(&again);
		fw_patch_fini(&out);
		done(&back);
		done(&r);
		arena_fini(&m.arena);
	}
}

/* Before what is there, with priorities and without them. */
static void test_patch_of_a_backup_opens_what_is_closed(void **state)
{
#define ROW(action)                                                \
	"policySrcZone_0=LAN&policyDstZone_0=WAN&policySrcNet_0=&" \
	"policyDstNet_0=&policyDstSvc_0=&policyEnabled_0=1&"       \
	"policyInactivityUdp_0=30&policyAction_0=" action
	static const char *const texts[] = {
		ROW("1"),
		ROW("1") "&policyPriority_0=1",
		ROW("2") "&policyPriority_0=1",
		ROW("0") "&policyPriority_0=7&buildNum=7.0.1-5052",
	};
#undef ROW

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct fw_patch_out out;
		size_t left = 99;
		struct made m;
		struct read r;

		make(&m);
		/* A title with what joins settings. */
		m.flows[0].title = "SIP & more";
		open_as(&r, "sonicos-exp", slice_str(texts[i]));
		fw_patch_init(&out);
		if (fw_patch_make(&out, &left, &r.rules, &m.q) || left)
			fail_msg("%s: left %zu", texts[i], left);
		assert_true(has(&out.patched, "SIP & more"));
		fw_patch_fini(&out);
		done(&r);
		arena_fini(&m.arena);
	}
}

static void test_emit_writes_both_protocols_and_families(void **state)
{
	static const struct {
		const char *version;
		const char *has[3], *lacks[2];
	} rows[] = {
		{NULL,
	         {"    consistent-nat\n    no sip\n    exit\n",
	          "    name \"prumo-sip\"\n", "access-rule ipv4 from \"LAN\""},
	         {"no enable", "    udp timeout 300\n    no sip\n"}},
		{"7.1.1",
	         {"        no enable\n", "    udp timeout 300\n    no sip\n",
	          "access-rule ipv4 from \"LAN\""},
	         {"consistent-nat\n    no sip", "access-rule ipv6"}},
		{"6.5",
	         {"    consistent-nat\n    no sip\n    exit\n",
	          "    name \"prumo-sip\"\n", "access-rule ipv4 from \"LAN\""},
	         {"no enable", "    udp timeout 300\n    no sip\n"}},
		{"6.2",
	         {"    consistent-nat\n    no sip\n    exit\n",
	          "    comment \"prumo: SIP of the provider\"\n",
	          "\naccess-rule from \"LAN\""},
	         {"name \"prumo-sip\"\n", "ipv4 from"}},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wr out = wr_init_heap();
		struct fw_rules rules;
		struct made m;
		struct diag dg;

		make(&m);
		fw_rules_init(&rules);
		diag_init(&dg, &m.arena, NULL, slice_str(""));
		rules.version = rows[i].version;
		assert_int_equal(
			fw_rules_from_flows(&rules, m.flows, 2, &m.q.place), 0);
		assert_int_equal(
			fw_emit(&out, fw_dialect_find("sonicos"), &rules, &dg),
			0);
		assert_true(has(&out, "\"prumo-tcp-5060-5061\" TCP 5060 5061"));
		assert_true(has(&out, "\"prumo-udp-5060-5061\" UDP 5060 5061"));
		for (size_t k = 0; k < 3; k++) {
			if (!has(&out, rows[i].has[k]))
				fail_msg("lacks %s\n%.*s", rows[i].has[k],
				         (int)out.n, (char *)out.p);
		}
		for (size_t k = 0; k < 2; k++) {
			if (has(&out, rows[i].lacks[k]))
				fail_msg("has %s", rows[i].lacks[k]);
		}
		fw_rules_fini(&rules);
		wr_fini(&out);
		arena_fini(&m.arena);
	}
}

/* Rules in the undo go before the groups that they use, and these before
 * their members. */
static void test_undo_deletes_users_first(void **state)
{
	struct wr out = wr_init_heap();
	size_t rule, group, object;
	struct fw_rules rules;
	struct made m;
	struct diag dg;

	UNUSED(state);
	make(&m);
	fw_rules_init(&rules);
	diag_init(&dg, &m.arena, NULL, slice_str(""));
	assert_int_equal(fw_rules_from_flows(&rules, m.flows, 2, &m.q.place),
	                 0);
	assert_int_equal(fw_emit(&out, fw_dialect_find("sonicos"), &rules, &dg),
	                 0);
	rule = slice_find(wr_slice(&out),
	                  slice_str("service name \"prumo-tcp-443\" dest"));
	assert_int_not_equal(rule, SIZE_MAX);
	rule = slice_find(wr_slice(&out), slice_str("#     no access-rule"));
	group = slice_find(wr_slice(&out), slice_str("#     no service-group"));
	object = slice_find(wr_slice(&out), slice_str("#     no service-obj"));
	assert_true(rule < group && group < object && object < SIZE_MAX);
	fw_rules_fini(&rules);
	wr_fini(&out);
	arena_fini(&m.arena);
}

static void test_patch_survives_no_memory(void **state)
{
	static const struct {
		const char *dialect, *file;
	} boxes[] = {
		{"sonicos", "fuzz/corpus/firewall_sonicos/box.txt"},
		{"sonicos-exp", "fuzz/corpus/firewall_sonicos_exp/box.exp"},
	};
	struct fw_patch_out out;
	unsigned long n = 0;
	struct made m;
	struct read r;
	size_t left;
	int err;

	UNUSED(state);
	make(&m);
	for (size_t i = 0; i < ARRAY_LEN(boxes); i++) {
		open_as(&r, boxes[i].dialect, slice_str(load(boxes[i].file)));
		n = 0;
		do {
			fw_patch_init(&out);
			oom_after(n++);
			err = fw_patch_make(&out, &left, &r.rules, &m.q);
			oom_after(OOM_NEVER);
			assert_true(err == 0 || err == ENOMEM);
			fw_patch_fini(&out);
		} while (err);
		done(&r);
	}
	arena_fini(&m.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patch_is_the_least),
		cmocka_unit_test(test_session_time_is_not_the_helpers),
		cmocka_unit_test(test_patched_text_needs_no_patch),
		cmocka_unit_test(test_patch_of_a_backup_is_commands),
		cmocka_unit_test(test_patch_of_a_backup_opens_what_is_closed),
		cmocka_unit_test(test_emit_writes_both_protocols_and_families),
		cmocka_unit_test(test_undo_deletes_users_first),
		cmocka_unit_test(test_patch_survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
