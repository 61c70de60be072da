/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firewall/fortios.h"
#include "firewall_box.h"
#include "oom.h"

static void open_text(struct read *r, struct slice text)
{
	open_as(r, "fortios", text);
}

static void open_str(struct read *r, const char *text)
{
	open_text(r, slice_str(text));
}

/* The rule number n of the first chain, after the one that is built in. */
static const struct fw_rule *rule_at(const struct read *r, unsigned n)
{
	const struct fw_rule *rule = r->rules.chains->first->next;

	while (n-- > 0 && rule)
		rule = rule->next;
	assert_non_null(rule);
	return rule;
}

static void test_sip_follows_the_reasoning_table(void **state)
{
	static const struct {
		const char *why;
		struct fw_forti_sip in;
		enum fw_tri alg;
		const char *source;
	} rows[] = {
		{"row 1: profile on, even in kernel mode",
	         {7000014, FW_FORTI_MODE_KERNEL, FW_OFF, FW_ON, true, false,
	          false, false},
	         FW_ON,
	         "fortios-sip-profile-on"},
		{"row 2: proxy by default, 6.4",
	         {6004000, FW_FORTI_MODE_UNKNOWN, FW_OFF, FW_ON, false, false,
	          true, false},
	         FW_ON,
	         "fortios-sip-proxy"},
		{"row 2: 7.2, policy in proxy mode",
	         {7002000, FW_FORTI_MODE_PROXY, FW_OFF, FW_ON, false, false,
	          false, false},
	         FW_ON,
	         "fortios-sip-proxy"},
		{"row 3: 7.0.1, flow",
	         {7000001, FW_FORTI_MODE_PROXY, FW_OFF, FW_ON, false, false,
	          true, false},
	         FW_ON,
	         "fortios-sip-flow"},
		{"row 4: profile off falls back to the helper",
	         {7000014, FW_FORTI_MODE_PROXY, FW_ON, FW_OFF, true, false,
	          false, false},
	         FW_ON,
	         "fortios-sip-fallback"},
		{"row 5: half-applied recipe, helper 13 still there",
	         {7000014, FW_FORTI_MODE_KERNEL, FW_ON, FW_ON, false, false,
	          true, false},
	         FW_ON,
	         "fortios-sip-helper-on"},
		{"row 6: helper deleted",
	         {7000014, FW_FORTI_MODE_KERNEL, FW_OFF, FW_ON, false, false,
	          true, false},
	         FW_OFF,
	         "fortios-sip-off"},
		{"row 6: services say helper disable",
	         {7000014, FW_FORTI_MODE_KERNEL, FW_ON, FW_ON, false, true,
	          true, false},
	         FW_OFF,
	         "fortios-sip-off"},
		{"5.0: the helper is the default",
	         {5000000, FW_FORTI_MODE_UNKNOWN, FW_ON, FW_ON, false, false,
	          true, false},
	         FW_ON,
	         "fortios-sip-helper-on"},
		{"5.0: without it nothing is left",
	         {5000000, FW_FORTI_MODE_UNKNOWN, FW_OFF, FW_ON, false, false,
	          true, false},
	         FW_OFF,
	         "fortios-sip-off"},
		{"helper deleted, mode left alone: the sources disagree",
	         {7000014, FW_FORTI_MODE_PROXY, FW_OFF, FW_OFF, false, false,
	          true, false},
	         FW_UNKNOWN,
	         "fortios-sip-profile-off"},
		{"table of helpers not in the text",
	         {7000014, FW_FORTI_MODE_KERNEL, FW_UNKNOWN, FW_ON, false,
	          false, true, false},
	         FW_UNKNOWN,
	         "fortios-sip-helper-unseen"},
		{"profile not in the text",
	         {7000014, FW_FORTI_MODE_KERNEL, FW_OFF, FW_UNKNOWN, true,
	          false, true, false},
	         FW_UNKNOWN,
	         "fortios-sip-profile-unseen"},
		{"NGFW policy mode",
	         {7000014, FW_FORTI_MODE_KERNEL, FW_OFF, FW_ON, false, false,
	          true, true},
	         FW_UNKNOWN,
	         "fortios-sip-ngfw"},
		{"no version and no mode",
	         {-1, FW_FORTI_MODE_UNKNOWN, FW_UNKNOWN, FW_ON, false, false,
	          true, false},
	         FW_UNKNOWN,
	         "fortios-sip-mode-unseen"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fw_forti_sip in = rows[i].in;
		struct fw_forti_sip_state st;

		st = fw_forti_sip_judge(&in);
		if (st.alg != rows[i].alg ||
		    strcmp(st.source, rows[i].source) != 0)
			fail_msg("%s: %d %s", rows[i].why, st.alg, st.source);
		assert_non_null(fw_vendor_fact_find(st.source));
	}
}

static void test_parse_reads_a_backup(void **state)
{
	const char *text =
		load("fuzz/corpus/firewall_fortios/half-applied.conf");
	const struct fw_rule *deny, *sip;
	struct read r;

	UNUSED(state);
	open_str(&r, text);
	assert_int_equal(r.err, 0);
	assert_int_equal(r.dg.n_items, 0);
	assert_string_equal(r.rules.version, "7.0.14");
	deny = rule_at(&r, 0);
	assert_string_equal(deny->id, "7");
	assert_int_equal(deny->action, FW_DROP);
	sip = rule_at(&r, 1);
	assert_string_equal(sip->id, "3");
	assert_int_equal(sip->line, 61);
	assert_int_equal(sip->action, FW_ACCEPT);
	assert_int_equal(sip->attrs.alg, FW_ON);
	assert_string_equal(sip->attrs.helper, "session-helper sip");
	assert_int_equal(sip->attrs.udp_idle_s, 180);
	assert_int_equal(sip->attrs.tcp_idle_s, 3600);
	assert_int_equal(sip->attrs.offload, FW_ON);
	assert_int_equal(sip->families, FW_IP4);
	assert_string_equal(sip->in.first->name, "ZN_LAN");
	assert_string_equal(sip->in.first->next->name, "port2");
	assert_int_equal(sip->dst.first->kind, FW_ADDR_NAME);
	assert_string_equal(sip->dst.first->name, "sip.example.net");
	assert_int_equal(sip->services.last->dport_lo, 5080);
	assert_int_equal(sip->services.last->proto, FW_PROTO_UDP);
	assert_null(sip->next);
	done(&r);
}

static void test_parse_reads_a_slide(void **state)
{
	const char *text = load("fuzz/corpus/firewall_fortios/document.conf");
	const struct fw_rule *p;
	struct read r;

	UNUSED(state);
	open_str(&r, text);
	assert_int_equal(r.err, 0);
	p = rule_at(&r, 0);
	assert_int_equal(p->attrs.udp_idle_s, 43200);
	assert_int_equal(p->attrs.offload, FW_OFF);
	assert_int_equal(p->nat.kind, FW_NAT_SOURCE);
	/* The object is not there: its name says what it is, not surely. */
	assert_int_equal(fw_ip_addr(p->dst.first->lo).ip[3], 169);
	assert_non_null(p->conditional);
	assert_int_equal(p->attrs.alg, FW_UNKNOWN);
	assert_true(r.dg.n_warnings > 3);
	assert_non_null(r.rules.kept);
	done(&r);
}

static void test_parse_sends_vdoms_apart(void **state)
{
	const char *text = load("fuzz/corpus/firewall_fortios/vdoms.conf");
	struct fw_chain *voice;
	struct read r;

	UNUSED(state);
	open_str(&r, text);
	assert_int_equal(r.err, 0);
	assert_string_equal(r.rules.chains->name, "vdoms");
	voice = fw_chain_find(&r.rules, "voice", "policy of voice");
	assert_non_null(voice);
	assert_int_equal(voice->hook, FW_HOOK_NONE);
	assert_int_equal(voice->last->attrs.alg, FW_OFF);
	assert_int_equal(fw_chain_find(&r.rules, "root", "policy of root")
	                         ->last->attrs.alg,
	                 FW_ON);
	done(&r);
}

#define POLICY(more)                                          \
	"config firewall policy\nedit 1\nset srcintf any\n"   \
	"set dstintf any\nset srcaddr all\nset dstaddr all\n" \
	"set action accept\nset service s\n" more "\nnext\nend\n"
#define SERVICE(more)                              \
	"config firewall service custom\nedit s\n" \
	"set udp-portrange 5060\n" more "\nnext\nend\n"

static void test_parse_finds_the_session_time(void **state)
{
	static const struct {
		const char *why, *text;
		int64_t udp_s;
	} rows[] = {
		{"factory", SERVICE("") POLICY(""), 180},
		{"the box's",
	         "config system global\nset udp-idle-timer 400\nend\n" SERVICE(
			 "") POLICY(""),
	         400},
		{"the service's before the box's",
	         SERVICE("set udp-idle-timer 60\nset session-ttl 310")
	                 POLICY(""),
	         60},
		{"0 is the box's", SERVICE("set udp-idle-timer 0") POLICY(""),
	         180},
		{"the policy's", SERVICE("") POLICY("set session-ttl 300"),
	         300},
		{"both: the lower one is sure",
	         SERVICE("set udp-idle-timer 60") POLICY("set session-ttl 900"),
	         60},
		{"the table by port",
	         "config system session-ttl\nconfig port\nedit 1\n"
	         "set protocol 17\nset timeout 700\nset start-port 5060\n"
	         "set end-port 5060\nnext\nend\nend\n" SERVICE("") POLICY(""),
	         700},
		{"the table by port, whole but for port 0",
	         "config system session-ttl\nconfig port\nedit 1\n"
	         "set protocol 17\nset timeout 700\nset start-port 1\n"
	         "set end-port 65535\nnext\nend\nend\n"
	         "config firewall service custom\nedit s\n"
	         "set protocol IP\nnext\nend\n" POLICY(""),
	         700},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct read r;

		open_str(&r, rows[i].text);
		if (r.err || rule_at(&r, 0)->attrs.udp_idle_s != rows[i].udp_s)
			fail_msg("%s: %d, %d s", rows[i].why, r.err,
			         (int)rule_at(&r, 0)->attrs.udp_idle_s);
		done(&r);
	}
}

#define NGFW "config system settings\nset ngfw-mode policy-based\nend\n"
#define PING                                                          \
	"config firewall service custom\nedit p\nset protocol ICMP\n" \
	"set icmptype 8\nnext\nend\n"
#define ACL(more) "config firewall acl\nedit 1\n" more "next\nend\n"

/* What narrows a policy, or comes before it, is never a pass. */
static void test_what_is_not_modelled_is_in_doubt(void **state)
{
	static const struct {
		const char *text;
		bool is_doubt;
	} rows[] = {
		{SERVICE("") POLICY(""), false},
		{SERVICE("") POLICY("set tos 0x20\nset tos-mask 0xff"), true},
		{SERVICE("") POLICY("set tos-mask 0x00\nset rtp-nat disable\n"
	                            "set reputation-minimum 0"),
	         false},
		{SERVICE("") POLICY("set reputation-minimum 3"), true},
		{SERVICE("") POLICY("set action learn"), true},
		{SERVICE("") POLICY("unset srcaddr\n"
	                            "set internet-service-src enable"),
	         true},
		{SERVICE("") POLICY("set srcaddr-negate enable"), true},
		{SERVICE("") POLICY("set dstaddr-negate enable"), true},
		{SERVICE("set app-service-type app-id") POLICY(""), true},
		{SERVICE("set app-service-type disable") POLICY(""), false},
		{ACL("") SERVICE("") POLICY(""), true},
		{ACL("set status disable\n") SERVICE("") POLICY(""), false},
		{ACL("") SERVICE("") POLICY("set action deny"), false},
		{NGFW SERVICE("") POLICY(""), true},
		{"#config-version=FGT60E-6.0.5-FW-build1-1:\n" NGFW SERVICE("")
	                 POLICY(""),
	         false},
		{PING SERVICE("") POLICY("set service s p"), false},
		{PING POLICY("set service p"), true},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct fw_rule *p;
		struct read r;

		open_str(&r, rows[i].text);
		p = rule_at(&r, 0);
		if (r.err || !!p->conditional != rows[i].is_doubt ||
		    p->is_disabled || p->src.first)
			fail_msg("%zu: %s", i, rows[i].text);
		done(&r);
	}
}

static void test_what_a_group_leaves_out_is_in_doubt(void **state)
{
	struct read r;

	UNUSED(state);
	open_str(&r, "config firewall address\nedit a\n"
	             "set subnet 192.0.2.0/24\nnext\nedit b\n"
	             "set subnet 192.0.2.1/32\nnext\nend\n"
	             "config firewall addrgrp\nedit g\nset member a all\n"
	             "set exclude enable\nset exclude-member b\n"
	             "next\nend\n" SERVICE("") POLICY("set dstaddr g"));
	assert_int_equal(rule_at(&r, 0)->dst.first->kind, FW_ADDR_UNKNOWN);
	assert_null(rule_at(&r, 0)->dst.first->next);
	done(&r);
}

static void test_parse_runs_commands(void **state)
{
	struct read r;

	UNUSED(state);
	open_str(&r, "config firewall policy\nedit 1\nnext\nedit 2\nnext\n"
	             "edit 3\nnext\nmove 3 before 1\ndelete 2\nend\n"
	             "config firewall policy\nedit 1\nset name again\nnext\n"
	             "end\n");
	assert_int_equal(r.err, 0);
	assert_string_equal(rule_at(&r, 0)->id, "3");
	assert_string_equal(rule_at(&r, 1)->id, "1");
	assert_string_equal(rule_at(&r, 1)->name, "again");
	assert_null(rule_at(&r, 1)->next);
	done(&r);
}

static void test_parse_follows_new_names(void **state)
{
	struct read r;

	UNUSED(state);
	open_str(&r, "config firewall address\nedit a\n"
	             "set subnet 192.0.2.1/32\nnext\nend\n"
	             "config firewall policy\nedit 1\nset name one\n"
	             "set srcaddr all\nset dstaddr a\nset action accept\n"
	             "next\n"
	             "clone 1 to 2\nedit 2\nset name two\nnext\n"
	             "rename 1 to 7\nmove 2 before 7\nend\n"
	             "config firewall address\nrename a to b\nend\n"
	             "config firewall policy\nedit 2\nset dstaddr b\nnext\n"
	             "edit 1\nset name fresh\nnext\nend\n");
	assert_int_equal(r.err, 0);
	assert_int_equal(r.dg.n_items, 0);
	assert_string_equal(rule_at(&r, 0)->id, "2");
	assert_string_equal(rule_at(&r, 0)->name, "two");
	assert_int_equal(rule_at(&r, 0)->action, FW_ACCEPT);
	assert_int_equal(rule_at(&r, 0)->dst.first->kind, FW_ADDR_RANGE);
	assert_string_equal(rule_at(&r, 1)->id, "7");
	assert_string_equal(rule_at(&r, 1)->name, "one");
	assert_int_equal(rule_at(&r, 1)->dst.first->kind, FW_ADDR_RANGE);
	assert_string_equal(rule_at(&r, 2)->id, "1");
	assert_string_equal(rule_at(&r, 2)->name, "fresh");
	assert_null(rule_at(&r, 2)->next);
	done(&r);
}

/* Clones within clones multiply. */
static void test_parse_bounds_clones(void **state)
{
	struct wr w = wr_init_heap();
	struct read r;

	UNUSED(state);
	for (unsigned i = 0; i < 12; i++)
		wr_str(&w, "config a\nedit 0\n");
	for (unsigned i = 0; i < 12; i++) {
		wr_str(&w, "edit x\nset v 1\nnext\n");
		for (unsigned k = 0; k < 30; k++)
			wr_fmt(&w, "clone x to y%u\n", k);
		wr_str(&w, "end\nedit x\nset v 1\nnext\n");
	}
	open_text(&r, wr_slice(&w));
	assert_int_equal(r.err, 0);
	done(&r);
	wr_fini(&w);
}

static void test_parse_points_at_faults(void **state)
{
	static const struct {
		const char *why, *text;
		unsigned line;
		int err;
	} rows[] = {
		{"no end", "config firewall policy\nedit 1\n", 2, 0},
		{"unknown verb", "\nconfigure terminal\n", 2, 0},
		{"quote",
	         "config firewall policy\nedit 1\nset name \"x\nnext\n"
	         "end\n",
	         3, EBADMSG},
		{"bad address",
	         "config firewall address\nedit a\nset subnet 1.2.3 4\nnext\n"
	         "end\nconfig firewall policy\nedit 1\nset dstaddr a\nnext\n"
	         "end\n",
	         3, EBADMSG},
		{"UTF-16", "\xff\xfe", 1, EBADMSG},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct read r;

		open_str(&r, rows[i].text);
		if (r.err != rows[i].err || !r.dg.first ||
		    r.dg.first->line != rows[i].line)
			fail_msg("%s: err %d, line %u", rows[i].why, r.err,
			         r.dg.first ? r.dg.first->line : 0);
		done(&r);
	}
}

static void test_parse_survives_every_prefix(void **state)
{
	struct slice text = slice_str(
		load("fuzz/corpus/firewall_fortios/half-applied.conf"));

	UNUSED(state);
	while (text.n-- > 0) {
		struct read r;

		open_text(&r, text);
		assert_true(r.err == 0 || r.err == EBADMSG);
		assert_non_null(r.rules.chains);
		done(&r);
	}
}

static void test_parse_without_memory(void **state)
{
	const char *text =
		load("fuzz/corpus/firewall_fortios/half-applied.conf");
	unsigned long n = 0;
	struct read r;

	UNUSED(state);
	do {
		oom_after(n++);
		open_str(&r, text);
		oom_after(OOM_NEVER);
		assert_true(r.err == 0 || r.err == ENOMEM);
		done(&r);
	} while (r.err);
	assert_true(n > 3);
}

/* ---- writing ---- */

struct made {
	struct arena arena;
	struct fw_flow flows[3];
	struct fw_place place;
};

static void add_ip(struct made *m, struct fw_flow *f, const char *text)
{
	struct fw_ip lo, hi;

	assert_int_equal(fw_ip_parse(&lo, &hi, slice_str(text)), 0);
	assert_non_null(fw_addrs_add_range(&m->arena, &f->dst, lo, hi));
}

static void make_flows(struct made *m)
{
	*m = (struct made){.place = {.in = "lan", .out = "wan1"}};
	arena_init(&m->arena);
	m->flows[0] = (struct fw_flow){.id = "sip-1",
	                               .title = "SIP 192.0.2.1",
	                               .is_sip = true,
	                               .min_udp_idle_s = 300,
	                               .min_tcp_idle_s = -1};
	add_ip(m, &m->flows[0], "192.0.2.1");
	m->flows[1] = (struct fw_flow){.id = "rtp-1",
	                               .title = "RTP",
	                               .min_udp_idle_s = 300,
	                               .min_tcp_idle_s = -1};
	add_ip(m, &m->flows[1], "192.0.2.4-192.0.2.9");
	m->flows[2] = (struct fw_flow){
		.id = "web-1", .min_udp_idle_s = -1, .min_tcp_idle_s = -1};
	assert_non_null(fw_addrs_add_name(&m->arena, &m->flows[2].dst,
	                                  FW_ADDR_NAME, "web.example.net"));
	for (int proto = 6; proto <= 17; proto += 11) {
		assert_non_null(fw_services_add(
			&m->arena, &m->flows[0].services, proto, 5060, 5061));
		assert_non_null(fw_services_add(
			&m->arena, &m->flows[0].services, proto, 5080, 5080));
		assert_non_null(fw_services_add(
			&m->arena, &m->flows[1].services, proto, 10000, 65535));
	}
	assert_non_null(
		fw_services_add(&m->arena, &m->flows[2].services, 6, 443, 443));
}

static void emit(struct wr *out, struct made *m, const char *version, int want)
{
	struct fw_rules rules;
	struct arena arena;
	struct diag dg;

	arena_init(&arena);
	fw_rules_init(&rules);
	diag_init(&dg, &arena, NULL, slice_str(""));
	assert_int_equal(fw_rules_from_flows(&rules, m->flows, 3, &m->place),
	                 0);
	rules.version = version;
	assert_int_equal(fw_emit(out, fw_dialect_find("fortios"), &rules, &dg),
	                 want);
	fw_rules_fini(&rules);
	arena_fini(&arena);
}

static void test_emit_is_the_golden_text(void **state)
{
	struct wr out = wr_init_heap();
	struct made m;
	const char *want;

	UNUSED(state);
	make_flows(&m);
	emit(&out, &m, "7.0.14", 0);
	save("tests/golden/firewall/fortios.conf", wr_slice(&out));
	want = load("tests/golden/firewall/fortios.conf");
	if (!slice_eq_str(wr_slice(&out), want))
		fail_msg("%.*s", (int)out.n, (const char *)out.p);
	wr_fini(&out);
	arena_fini(&m.arena);
}

static void judge_all(const char *text, struct made *m, unsigned n_excess)
{
	struct fw_space *sp;
	struct fw_part *parts;
	struct read r;

	open_str(&r, text);
	assert_int_equal(r.err, 0);
	assert_int_equal(r.dg.n_items, 0);
	assert_int_equal(
		fw_space_alloc(&sp, &r.rules, m->flows, 3, &m->place, NULL, 0),
		0);
	for (size_t i = 0; i < 3; i++) {
		struct fw_judgement j, back;

		assert_int_equal(fw_space_judge(&j, &r.arena, sp, i), 0);
		if (j.verdict != FW_PASS)
			fail_msg("flow %zu: %d", i, j.verdict);
		if (m->flows[i].is_sip)
			assert_int_equal(j.attrs.alg, FW_OFF);
		if (i < 2)
			assert_int_equal(j.attrs.udp_idle_s, 300);
		assert_int_equal(
			fw_space_judge_reply(&back, &r.arena, sp, i, &j), 0);
		assert_int_equal(back.verdict, FW_PASS);
	}
	assert_int_equal(fw_space_excess(&parts, &r.arena, sp), 0);
	for (; parts; parts = parts->next) {
		if (n_excess-- == 0)
			fail_msg("open too far: %s", parts->rule->id);
	}
	fw_space_free(sp);
	done(&r);
}

static void test_emit_accepts_the_same_packets(void **state)
{
	static const char *const versions[] = {"5.0.14", "5.4.0", "6.0.5",
	                                       "6.2.1",  "7.4.1", NULL};
	struct made m;

	UNUSED(state);
	make_flows(&m);
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		struct wr out = wr_init_heap();
		const long v = fw_version_num(versions[i]);

		emit(&out, &m, versions[i], 0);
		wr_u8(&out, 0);
		assert_int_equal(strstr((char *)out.p, "sip-helper") != NULL,
		                 v >= 0 && v < 6002000);
		judge_all((char *)out.p, &m, 0);
		wr_fini(&out);
	}
	arena_fini(&m.arena);
}

static void test_patch_mends_a_half_applied_recipe(void **state)
{
	const char *text =
		load("fuzz/corpus/firewall_fortios/half-applied.conf");
	struct fw_patch_out out;
	struct made m;
	struct read r;
	size_t left = 99;

	UNUSED(state);
	make_flows(&m);
	m.place = (struct fw_place){.in = "ZN_LAN", .out = "wan1"};
	{
		const struct fw_question q = {
			.flows = m.flows, .n_flows = 2, .place = m.place};

		open_str(&r, text);
		fw_patch_init(&out);
		assert_int_equal(fw_patch_make(&out, &left, &r.rules, &q), 0);
		assert_int_equal(left, 0);
	}
	wr_u8(&out.commands, 0);
	wr_u8(&out.undo, 0);
	wr_u8(&out.clear, 0);
	assert_non_null(strstr((char *)out.commands.p, "delete 13"));
	assert_non_null(strstr((char *)out.undo.p, "set port 5060"));
	assert_non_null(strstr((char *)out.clear.p, "filter clear"));
	fw_patch_fini(&out);
	done(&r);
	arena_fini(&m.arena);
}

static int patch(struct fw_patch_out *out, size_t *left, struct made *m,
                 const char *text)
{
	const struct fw_question q = {
		.flows = m->flows, .n_flows = 1, .place = m->place};
	struct read r;
	int err;

	open_str(&r, text);
	fw_patch_init(out);
	err = fw_patch_make(out, left, &r.rules, &q);
	wr_u8(&out->commands, 0);
	wr_u8(&out->undo, 0);
	done(&r);
	return err;
}

#define QUIET                                                  \
	"config system settings\n"                             \
	"set default-voip-alg-mode kernel-helper-based\nend\n" \
	"config system session-helper\nedit 1\nset name ftp\nnext\nend\n"

/* The policy's own time, and what it was before; not the whole box's. */
static void test_patch_raises_the_narrowest_time(void **state)
{
	static const struct {
		const char *ttl, *more, *undo;
	} rows[] = {
		{"", "", "edit 5\n        unset session-ttl\n"},
		{"set session-ttl 299\n", "",
	         "edit 5\n        set session-ttl 299\n"},
		{"set session-ttl 299\n", "rename 3 to 5\n",
	         "edit 5\n        set session-ttl 299\n"},
	};
	struct made m;

	UNUSED(state);
	make_flows(&m);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fw_patch_out out;
		char text[1024];
		size_t left = 99;

		(void)snprintf(text, sizeof(text),
		               QUIET "config firewall policy\nedit %d\n"
		                     "set srcintf any\nset dstintf any\n"
		                     "set srcaddr all\nset dstaddr all\n"
		                     "set action accept\nset service ALL\n"
		                     "set schedule always\n%snext\n%send\n",
		               rows[i].more[0] ? 3 : 5, rows[i].ttl,
		               rows[i].more);
		assert_int_equal(patch(&out, &left, &m, text), 0);
		assert_int_equal(left, 0);
		assert_non_null(strstr((char *)out.commands.p,
		                       "edit 5\n        set session-ttl "));
		assert_null(strstr((char *)out.commands.p, "config system"));
		if (!strstr((char *)out.undo.p, rows[i].undo))
			fail_msg("%s", (char *)out.undo.p);
		fw_patch_fini(&out);
	}
	arena_fini(&m.arena);
}

/* Of the policy for these hosts; of one for everything, people decide. */
static void test_patch_turns_offload_off(void **state)
{
	static const struct {
		const char *dst, *more;
		bool is_planned;
	} rows[] = {
		{"a", "", true},
		{"a", "set auto-asic-offload enable\n", true},
		{"a", "set auto-asic-offload disable\n", false},
		{"all", "", false},
	};
	struct made m;

	UNUSED(state);
	make_flows(&m);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fw_patch_out out;
		char text[1024];
		size_t left = 99;

		(void)snprintf(text, sizeof(text),
		               QUIET "config firewall address\nedit a\n"
		                     "set subnet 192.0.2.1/32\nnext\nend\n"
		                     "config firewall policy\nedit 5\n"
		                     "set srcintf any\nset dstintf any\n"
		                     "set srcaddr all\nset dstaddr %s\n"
		                     "set action accept\nset service ALL\n"
		                     "set session-ttl 300\n%snext\nend\n",
		               rows[i].dst, rows[i].more);
		assert_int_equal(patch(&out, &left, &m, text), 0);
		assert_int_equal(left, 0);
		if (!!strstr((char *)out.commands.p,
		             "edit 5\n        set auto-asic-offload disable") !=
		    rows[i].is_planned)
			fail_msg("%zu: %s", i, (char *)out.commands.p);
		if (rows[i].is_planned &&
		    !strstr((char *)out.undo.p,
		            rows[i].more[0] ? "    set auto-asic-offload enable"
		                            : "    unset auto-asic-offload"))
			fail_msg("%zu: %s", i, (char *)out.undo.p);
		fw_patch_fini(&out);
	}
	arena_fini(&m.arena);
}

/* A name of the configuration must not become a command of the patch. */
static void test_patch_refuses_names_that_command(void **state)
{
	static const char *const texts[] = {
		"config firewall policy\nedit \"1\nexecute reboot\"\nnext\n"
		"end\n",
		"config firewall policy\nedit \"1 2\"\nnext\nend\n",
		"config vdom\nedit \"a\nexecute reboot\"\n"
		"config firewall policy\nedit 1\nnext\nend\nnext\nend\n",
	};
	struct made m;

	UNUSED(state);
	make_flows(&m);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct fw_patch_out out;
		size_t left;

		if (patch(&out, &left, &m, texts[i]) != ENOTSUP)
			fail_msg("%s", (char *)out.commands.p);
		assert_null(strstr((char *)out.commands.p, "reboot"));
		fw_patch_fini(&out);
	}
	arena_fini(&m.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sip_follows_the_reasoning_table),
		cmocka_unit_test(test_parse_reads_a_backup),
		cmocka_unit_test(test_parse_reads_a_slide),
		cmocka_unit_test(test_parse_sends_vdoms_apart),
		cmocka_unit_test(test_parse_finds_the_session_time),
		cmocka_unit_test(test_what_is_not_modelled_is_in_doubt),
		cmocka_unit_test(test_what_a_group_leaves_out_is_in_doubt),
		cmocka_unit_test(test_parse_runs_commands),
		cmocka_unit_test(test_parse_follows_new_names),
		cmocka_unit_test(test_parse_bounds_clones),
		cmocka_unit_test(test_parse_points_at_faults),
		cmocka_unit_test(test_parse_survives_every_prefix),
		cmocka_unit_test(test_parse_without_memory),
		cmocka_unit_test(test_emit_is_the_golden_text),
		cmocka_unit_test(test_emit_accepts_the_same_packets),
		cmocka_unit_test(test_patch_mends_a_half_applied_recipe),
		cmocka_unit_test(test_patch_raises_the_narrowest_time),
		cmocka_unit_test(test_patch_turns_offload_off),
		cmocka_unit_test(test_patch_refuses_names_that_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
