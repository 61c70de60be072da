/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firewall/vendor.h"
#include "firewall_box.h"
#include "oom.h"

static const char export[] = "fuzz/corpus/firewall_routeros/export.rsc";

static void open_text(struct read *r, struct slice text)
{
	open_as(r, "routeros", text);
}

static void test_parse_reads_an_export(void **state)
{
	const struct fw_rule *r;
	struct read rd;

	UNUSED(state);
	open_text(&rd, slice_str(load(export)));
	assert_int_equal(rd.err, 0);
	assert_int_equal(rd.dg.n_items, 0);
	assert_string_equal(rd.rules.version, "7.14.2");
	assert_int_equal(rd.rules.defaults.alg, FW_ON);
	assert_int_equal(rd.rules.defaults.udp_idle_s, 180);
	r = fw_chain_find(&rd.rules, "filter", "forward")->first;
	assert_int_equal(r->attrs.offload, FW_ON);
	assert_int_equal(r->states, FW_STATE_ESTABLISHED | FW_STATE_RELATED);
	r = r->next->next;
	assert_int_equal(r->action, FW_DROP);
	assert_int_equal(r->services.last->dport_hi, 8080);
	r = r->next;
	assert_int_equal(r->line, 17);
	assert_int_equal(r->dst.first->kind, FW_ADDR_NAME);
	assert_string_equal(r->in.last->name, "bridge");
	assert_int_equal(r->services.first->proto, FW_PROTO_UDP);
	r = r->next;
	assert_int_equal(r->action, FW_JUMP);
	assert_true(r->next->is_disabled);
	done(&rd);
}

static void test_parse_reads_switches(void **state)
{
	static const struct {
		const char *why, *text;
		enum fw_tri alg;
		int64_t udp_s;
	} rows[] = {
		{"absent is on, 3 min", "/ip firewall filter\n", FW_ON, 180},
		{"section", "/ip firewall service-port\nset sip disabled=yes\n",
	         FW_OFF, 180},
		{"terse", "/ip firewall service-port set sip disabled=yes\n",
	         FW_OFF, 180},
		{"version 7 path",
	         "/ip/firewall/service-port set sip disabled=yes\n", FW_OFF,
	         180},
		{"another helper",
	         "/ip firewall service-port set ftp disabled=yes\n", FW_ON,
	         180},
		{"verbose",
	         "/ip firewall service-port\nset sip disabled=no "
	         "ports=5060,5061 sip-direct-media=yes sip-timeout=1h\n",
	         FW_ON, 180},
		{"find",
	         "/ip firewall service-port set [find name=sip] "
	         "disabled=yes\n",
	         FW_OFF, 180},
		{"several by name",
	         "/ip firewall service-port\ndisable ftp,tftp,h323,sip\n",
	         FW_OFF, 180},
		{"numbers=",
	         "/ip firewall service-port set numbers=[find name=\"sip\"] "
	         "disabled=yes\n",
	         FW_OFF, 180},
		{"all of them",
	         "/ip firewall service-port\nset [find] disabled=yes\n", FW_OFF,
	         180},
		{"off, and on again",
	         "/ip firewall service-port\ndisable sip\nenable sip\n", FW_ON,
	         180},
		{"a number that is not known",
	         "/ip firewall service-port set 4 disabled=yes\n", FW_UNKNOWN,
	         180},
		{"what is no command here",
	         "/ip firewall service-port\nremove [find name=sip]\n"
	         "add name=sip\nset sip disabled=yes\n",
	         FW_UNKNOWN, 180},
		{"time in words",
	         "/ip firewall connection tracking set "
	         "udp-stream-timeout=1h5m\n",
	         FW_ON, 3900},
		{"time as a clock",
	         "/ip firewall connection tracking set "
	         "udp-stream-timeout=00:05:00\n",
	         FW_ON, 300},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct read r;

		open_text(&r, slice_str(rows[i].text));
		if (r.err || r.rules.defaults.alg != rows[i].alg ||
		    r.rules.defaults.udp_idle_s != rows[i].udp_s)
			fail_msg("%s", rows[i].why);
		assert_non_null(fw_vendor_fact_find(r.rules.settings->source));
		done(&r);
	}
}

static void test_parse_points_at_faults(void **state)
{
	static const struct {
		const char *why, *text;
		unsigned line;
		int err;
	} rows[] = {
		{"not a command", "/ip firewall filter\nhello there\n", 2, 0},
		{"port", "/ip firewall filter\nadd chain=forward dst-port=x\n",
	         2, EBADMSG},
		{"cut", "/ip firewall filter\nadd chain=forward \\", 2, 0},
		{"number", "/ip firewall filter\nremove 3\n", 2, 0},
		{"protocol",
	         "/ip firewall filter\nadd chain=forward protocol=nothing\n", 2,
	         EBADMSG},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct read r;

		open_text(&r, slice_str(rows[i].text));
		if (r.err != rows[i].err || !r.dg.first ||
		    r.dg.first->line != rows[i].line)
			fail_msg("%s", rows[i].why);
		done(&r);
	}
}

static void test_parse_survives_prefixes_and_no_memory(void **state)
{
	struct slice text = slice_str(load(export));
	unsigned long n = 0;
	struct read r;

	UNUSED(state);
	do {
		oom_after(n++);
		open_text(&r, text);
		oom_after(OOM_NEVER);
		assert_true(r.err == 0 || r.err == ENOMEM);
		done(&r);
	} while (r.err);
	while (text.n-- > 0) {
		open_text(&r, text);
		assert_true(r.err == 0 || r.err == EBADMSG);
		done(&r);
	}
}

/* A flow over UDP and TCP must keep its ports in both. */
static void test_emit_accepts_the_same_packets(void **state)
{
	const struct fw_place place = {.in = "bridge", .out = "ether1"};
	struct fw_flow f[2] = {
		{.id = "sip", .is_sip = true, .min_udp_idle_s = 300},
		{.id = "web", .min_udp_idle_s = -1, .min_tcp_idle_s = -1}};
	struct wr out = wr_init_heap();
	struct fw_rules rules;
	struct fw_space *sp;
	struct fw_part *parts;
	struct arena a;
	struct fw_ip lo, hi;
	struct diag dg;
	struct read r;

	UNUSED(state);
	arena_init(&a);
	fw_rules_init(&rules);
	diag_init(&dg, &a, NULL, slice_str(""));
	assert_int_equal(fw_ip_parse(&lo, &hi, slice_str("192.0.2.0/28")), 0);
	assert_non_null(fw_addrs_add_range(&a, &f[0].dst, lo, hi));
	assert_non_null(fw_addrs_add_name(&a, &f[1].dst, FW_ADDR_NAME,
	                                  "web.example.net"));
	f[0].min_tcp_idle_s = -1;
	for (uint16_t i = 0; i < 20; i++) {
		assert_non_null(fw_services_add(&a, &f[0].services, 17,
		                                (uint16_t)(5000 + i * 10),
		                                (uint16_t)(5003 + i * 10)));
		assert_non_null(fw_services_add(&a, &f[0].services, 6,
		                                (uint16_t)(5000 + i * 10),
		                                (uint16_t)(5000 + i * 10)));
	}
	assert_non_null(fw_services_add(&a, &f[1].services, 6, 443, 443));
	assert_int_equal(fw_rules_from_flows(&rules, f, 2, &place), 0);
	assert_int_equal(
		fw_emit(&out, fw_dialect_find("routeros"), &rules, &dg), 0);
	open_text(&r, wr_slice(&out));
	assert_int_equal(r.err, 0);
	assert_int_equal(r.dg.n_items, 0);
	assert_int_equal(r.rules.defaults.alg, FW_OFF);
	assert_int_equal(r.rules.defaults.udp_idle_s, 300);
	assert_int_equal(fw_space_alloc(&sp, &r.rules, f, 2, &place, NULL, 0),
	                 0);
	for (size_t i = 0; i < 2; i++) {
		struct fw_judgement j;

		assert_int_equal(fw_space_judge(&j, &a, sp, i), 0);
		assert_int_equal(j.verdict, FW_PASS);
	}
	assert_int_equal(fw_space_excess(&parts, &a, sp), 0);
	assert_null(parts);
	fw_space_free(sp);
	done(&r);
	fw_rules_fini(&rules);
	arena_fini(&a);
	wr_fini(&out);
}

static void make_sip(struct arena *a, struct fw_flow *f)
{
	struct fw_ip lo, hi;

	*f = (struct fw_flow){.id = "sip-1",
	                      .title = "SIP",
	                      .is_sip = true,
	                      .min_udp_idle_s = 300,
	                      .min_tcp_idle_s = -1};
	assert_int_equal(fw_ip_parse(&lo, &hi, slice_str("203.0.113.5")), 0);
	assert_non_null(fw_addrs_add_range(a, &f->dst, lo, hi));
	assert_non_null(fw_services_add(a, &f->services, 17, 5060, 5061));
	assert_non_null(fw_services_add(a, &f->services, 6, 5060, 5060));
}

static bool has(const struct wr *w, const char *text)
{
	return slice_find(wr_slice(w), slice_str(text)) != SIZE_MAX;
}

/* Before the rule in the way, behind those before it; both protocols. */
static void test_patch_stands_in_the_right_place(void **state)
{
	static const struct {
		const char *why, *text, *has[2];
		const char *in;
	} rows[] = {
		{"a drop in the middle",
	         "add chain=forward action=accept "
	         "connection-state=established,related\n"
	         "add chain=forward action=drop protocol=tcp dst-port=25\n"
	         "add chain=input action=accept\n"
	         "add chain=forward action=drop\n"
	         "add chain=forward action=accept\n",
	         {"!dynamic] 2] comment=", "!dynamic] 3] comment="},
	         "bridge"},
		{"no return traffic; a list of interfaces",
	         "/interface list member\n"
	         "add list=LAN interface=bridge\n/ip firewall filter\n"
	         "add chain=forward action=drop in-interface-list=LAN\n"
	         "add chain=forward action=drop\n",
	         {"connection-state=established,related place-before=[:pick "
	          "[find where chain=\"forward\" and !dynamic] 0]",
	          "in-interface-list=\"LAN\""},
	         "LAN"},
		{"behind a rule that may drop it too",
	         "add chain=forward action=accept "
	         "connection-state=established,related\n"
	         "add chain=forward action=drop in-interface-list=GUESTS\n"
	         "add chain=forward action=drop\n",
	         {"!dynamic] 0] comment=", "!dynamic] 1] comment="},
	         "bridge"},
		{"in a chain that is called",
	         "add chain=forward action=accept "
	         "connection-state=established,related\n"
	         "add chain=forward action=jump jump-target=no\n"
	         "add chain=no action=drop comment=\"prumo-patch: x\"\n",
	         {"!dynamic] 0] comment=\"prumo-patch2: SIP\"",
	          "list=\"prumo-patch2-sip-1-dst\" address=203.0.113.5"},
	         "bridge"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fw_flow f;
		struct fw_question q = {
			.flows = &f,
			.n_flows = 1,
			.place = {.in = rows[i].in, .out = "ether1"}};
		struct fw_patch_out out;
		struct read r;
		size_t left = 99;
		char text[1024];
		int err;

		(void)snprintf(text, sizeof(text), "/ip firewall filter\n%s",
		               rows[i].text);
		open_text(&r, slice_str(text));
		make_sip(&r.arena, &f);
		fw_patch_init(&out);
		err = fw_patch_make(&out, &left, &r.rules, &q);
		if (err || left || !has(&out.commands, rows[i].has[0]) ||
		    !has(&out.commands, rows[i].has[1]) ||
		    !has(&out.undo, "filter remove [find comment~\"^prumo-") ||
		    !has(&out.undo, "set sip disabled=no") ||
		    !has(&out.undo, "udp-stream-timeout=180s") ||
		    !has(&out.clear, "\"^203\\\\.0\\\\.113\\\\.5:\""))
			fail_msg("%s: %d, left %zu\n%.*s%.*s", rows[i].why, err,
			         left, (int)out.commands.n,
			         (const char *)out.commands.p, (int)out.undo.n,
			         (const char *)out.undo.p);
		fw_patch_fini(&out);
		done(&r);
	}
}

static void test_patch_survives_no_memory(void **state)
{
	struct fw_flow f;
	struct fw_question q = {.flows = &f, .n_flows = 1};
	unsigned long n = 0;
	struct read r;
	size_t left;
	int err;

	UNUSED(state);
	open_text(&r, slice_str("/ip firewall filter\n"
	                        "add chain=forward action=drop\n"));
	make_sip(&r.arena, &f);
	do {
		struct fw_patch_out out;

		fw_patch_init(&out);
		oom_after(n++);
		err = fw_patch_make(&out, &left, &r.rules, &q);
		oom_after(OOM_NEVER);
		fw_patch_fini(&out);
		assert_true(err == 0 || err == ENOMEM);
	} while (err);
	assert_true(n > 3);
	done(&r);
}

/* What changes rules by number makes their order a guess, never a pass. */
static void test_judge_doubts_what_was_lost(void **state)
{
	static const char *const texts[] = {
		"add chain=forward\nremove 1\n",
		"add chain=forward\ndisable [find comment~\"[x]\"]\n",
		("add chain=forward\n"
	         "add chain=forward action=drop place-before=*7\n"),
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct fw_flow f;
		struct fw_question q = {.flows = &f, .n_flows = 1};
		struct fw_answer *answers;
		struct read r;
		char text[256];

		(void)snprintf(text, sizeof(text),
		               "/ip firewall filter\n%sadd chain=forward "
		               "action=drop\n",
		               texts[i]);
		open_text(&r, slice_str(text));
		make_sip(&r.arena, &f);
		assert_int_equal(
			fw_answer_all(&answers, &r.arena, &r.rules, &q), 0);
		if (answers[0].verdict != FW_DONT_KNOW)
			fail_msg("%s: %d", texts[i], answers[0].verdict);
		done(&r);
	}
}

static void test_parse_puts_rules_in_place(void **state)
{
	static const char *const ids[] = {"first", "one", "two", "three"};
	const struct fw_rule *rule;
	struct read r;

	UNUSED(state);
	open_text(
		&r,
		slice_str("/ip firewall filter\n"
	                  "add chain=forward comment=one\n"
	                  "add chain=input comment=other\n"
	                  "add chain=forward comment=three\n"
	                  "add chain=forward comment=two place-before=[find "
	                  "comment=\"three\"]\n"
	                  "add chain=forward comment=first place-before=0\n"));
	assert_int_equal(r.dg.n_items, 0);
	rule = fw_chain_find(&r.rules, "filter", "forward")->first;
	for (size_t i = 0; i < ARRAY_LEN(ids); i++, rule = rule->next)
		assert_string_equal(rule->name, ids[i]);
	assert_null(rule);
	done(&r);
}

/* RouterOS runs what stands in brackets, and puts in what follows a "$". */
static void test_emit_refuses_names_that_command(void **state)
{
	static const struct {
		const char *in, *host;
	} rows[] = {
		{"a\" action=accept", "sip.example.net"},
		{"$[/system reboot]", "sip.example.net"},
		{"bridge", "x disabled=yes"},
		{"bridge", "x\n/system reboot"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct fw_place place = {.in = rows[i].in, .out = "wan"};
		struct wr out = wr_init_heap();
		struct fw_rules rules;
		struct fw_flow f;
		struct arena a;
		struct diag dg;

		arena_init(&a);
		fw_rules_init(&rules);
		diag_init(&dg, &a, NULL, slice_str(""));
		make_sip(&a, &f);
		assert_non_null(fw_addrs_add_name(&a, &f.dst, FW_ADDR_NAME,
		                                  rows[i].host));
		assert_int_equal(fw_rules_from_flows(&rules, &f, 1, &place), 0);
		assert_int_equal(
			fw_emit(&out, fw_dialect_find("routeros"), &rules, &dg),
			ENOTSUP);
		wr_fini(&out);
		fw_rules_fini(&rules);
		arena_fini(&a);
	}
}

static void test_names_came_with_a_version(void **state)
{
	static const struct {
		const char *version;
		bool has_names;
	} rows[] = {{NULL, true},    {"6", true},     {"6.35", false},
	            {"6.36", true},  {"5.26", false}, {"7", true},
	            {"7.14.2", true}};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct fw_rules box = {.version = rows[i].version};
		const unsigned caps =
			fw_dialect_caps(fw_dialect_find("routeros"), &box);

		assert_int_equal(!!(caps & FW_CAP_NAMES), rows[i].has_names);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_came_with_a_version),
		cmocka_unit_test(test_parse_reads_an_export),
		cmocka_unit_test(test_parse_reads_switches),
		cmocka_unit_test(test_parse_points_at_faults),
		cmocka_unit_test(test_parse_survives_prefixes_and_no_memory),
		cmocka_unit_test(test_parse_puts_rules_in_place),
		cmocka_unit_test(test_judge_doubts_what_was_lost),
		cmocka_unit_test(test_emit_accepts_the_same_packets),
		cmocka_unit_test(test_emit_refuses_names_that_command),
		cmocka_unit_test(test_patch_stands_in_the_right_place),
		cmocka_unit_test(test_patch_survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
