/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oom.h"
#include "vyatta_box.h"

static const char edgeos_boot[] = "fuzz/corpus/firewall_vyatta/edgeos.boot";
static const char vyos_set[] = "fuzz/corpus/firewall_vyatta/vyos14.set";

static void test_recognise_tells_them_apart(void **state)
{
	static const struct {
		const char *text, *name;
	} rows[] = {
		{"firewall {\n}\n/* === vyatta-config-version: "
	         "\"ubnt-util@1\" === */\n",
	         "edgeos"},
		{"set firewall name A rule 1 action accept\n", "vyos"},
		{"set system conntrack modules sip\n// vyos-config-version: "
	         "\"conntrack@3\"\n",
	         "vyos"},
		{"set firewall name A\nset system offload hwnat enable\n",
	         "edgeos"},
		{"firewall {\n}\nservice {\n    gui {\n    }\n}\n", "edgeos"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(
			fw_dialect_recognise(slice_str(rows[i].text))->name,
			rows[i].name);
	assert_string_equal(
		fw_dialect_recognise(slice_str(load(edgeos_boot)))->name,
		"edgeos");
	assert_string_equal(
		fw_dialect_recognise(slice_str(load(vyos_set)))->name, "vyos");
}

static void test_parse_reads_curly(void **state)
{
	const struct fw_rule *r;
	struct read rd;

	UNUSED(state);
	open_as(&rd, "edgeos", slice_str(load(edgeos_boot)));
	assert_int_equal(rd.err, 0);
	assert_int_equal(rd.dg.n_items, 0);
	assert_string_equal(rd.rules.version, "1.10.11.5274269.200221.1028");
	assert_int_equal(rd.rules.defaults.alg, FW_ON);
	assert_int_equal(rd.rules.defaults.udp_idle_s, 120);
	assert_int_equal(rd.rules.defaults.offload, FW_ON);
	assert_string_equal(fw_guess_wan(&rd.rules), "eth0");
	r = fw_chain_find(&rd.rules, "ipv4", "LAN_IN")->first;
	assert_string_equal(r->id, "LAN_IN 10");
	assert_int_equal(r->states, FW_STATE_ESTABLISHED | FW_STATE_RELATED);
	r = r->next;
	assert_string_equal(r->id, "LAN_IN 20");
	assert_int_equal(r->line, 49);
	assert_int_equal(r->services.first->proto, FW_PROTO_TCP);
	assert_int_equal(r->services.last->proto, FW_PROTO_UDP);
	assert_int_equal(r->services.last->dport_lo, 5080);
	assert_non_null(r->dst.first->next);
	r = r->next;
	assert_int_equal(r->action, FW_DROP);
	r = r->next;
	assert_true(r->is_disabled);
	assert_int_equal(r->next->action, FW_DROP);
	assert_null(r->next->next);
	r = fw_chain_find(&rd.rules, "ipv4", "WAN_IN")->first->next;
	assert_string_equal(r->conditional, "limit");
	r = fw_chain_find(&rd.rules, "ipv4", "interfaces in")->first;
	assert_string_equal(r->target, "WAN_IN");
	assert_string_equal(r->in.first->name, "eth0");
	assert_string_equal(r->next->in.first->name, "eth1");
	assert_string_equal(r->next->next->in.first->name, "eth1.10");
	r = fw_chain_find(&rd.rules, "ipv6", "LAN6_IN")->first;
	assert_int_equal(r->dst.first->kind, FW_ADDR_UNKNOWN);
	assert_int_equal(rd.rules.kept->line, 138);
	done(&rd);
}

static void test_parse_reads_set_lines(void **state)
{
	const struct fw_rule *r;
	struct read rd;

	UNUSED(state);
	open_as(&rd, "vyos", slice_str(load(vyos_set)));
	assert_int_equal(rd.err, 0);
	assert_int_equal(rd.dg.n_items, 0);
	assert_string_equal(rd.rules.version, "1.4.0");
	assert_int_equal(rd.rules.defaults.alg, FW_ON);
	assert_string_equal(fw_guess_wan(&rd.rules), "eth0");
	assert_int_equal(
		fw_chain_find(&rd.rules, "ipv4", "forward filter")->policy,
		FW_DROP);
	r = fw_chain_find(&rd.rules, "ipv4", "forward filter")->first;
	assert_string_equal(r->id, "state-policy");
	assert_int_equal(r->states, FW_STATE_ESTABLISHED);
	r = r->next->next;
	assert_int_equal(r->action, FW_JUMP);
	assert_string_equal(r->in.last->name, "eth2");
	assert_int_equal(r->next->attrs.offload, FW_ON);
	r = fw_chain_find(&rd.rules, "ipv4", "CALLS")->first;
	assert_int_equal(r->dst.first->kind, FW_ADDR_NAME);
	assert_int_equal(r->next->action, FW_RETURN);
	done(&rd);
}

/* The reasoning table: every row has a source. */
static void test_parse_judges_sip(void **state)
{
	static const char footer1[] = "// vyos-config-version: "
				      "\"bgp@1:conntrack@2:dns@1\"\n";
	static const char footer3[] = "// vyos-config-version: "
				      "\"conntrack@3\"\n";
	static const char leaf[] = "set system conntrack modules sip\n";
	static const char off[] = "set system conntrack modules sip disable\n";
	static const struct {
		const char *dialect, *a, *b;
		enum fw_tri alg;
		const char *source;
	} rows[] = {
		{"edgeos", "", "", FW_ON, "edgeos-sip-default"},
		{"edgeos", off, "", FW_OFF, "vyatta-sip-disable"},
		{"edgeos", leaf, "", FW_ON, "vyatta-sip-leaf"},
		{"vyos", "", "", FW_UNKNOWN, "vyos-sip-no-footer"},
		{"vyos", "", footer1, FW_ON, "vyos-sip-old"},
		{"vyos", "", footer3, FW_OFF, "vyos-sip-new"},
		{"vyos", leaf, footer1, FW_ON, "vyatta-sip-leaf"},
		{"vyos", leaf, footer3, FW_ON, "vyatta-sip-leaf"},
		{"vyos", leaf, "", FW_ON, "vyatta-sip-leaf"},
		{"vyos", off, footer1, FW_OFF, "vyatta-sip-disable"},
		{"vyos", off, footer3, FW_OFF, "vyatta-sip-disable"},
		{"vyos", off, "delete system conntrack modules sip disable\n",
	         FW_ON, "vyatta-sip-leaf"},
		{"vyos",
	         "set firewall ipv4 forward filter default-action drop\n", "",
	         FW_OFF, "vyos-sip-words"},
		{"vyos", "set firewall global-options all-ping enable\n", leaf,
	         FW_ON, "vyatta-sip-leaf"},
		{"vyos", "set firewall ipv4 name A default-action drop\n",
	         footer1, FW_ON, "vyos-sip-old"},
		{"vyos", "set firewall name A default-action drop\n", "",
	         FW_UNKNOWN, "vyos-sip-no-footer"},
		{"vyos", off, "delete system conntrack modules sip\n",
	         FW_UNKNOWN, "vyos-sip-no-footer"},
		{"vyos",
	         "system {\n conntrack {\n modules {\n sip {\n disable\n }\n"
	         " }\n }\n}\n",
	         footer1, FW_OFF, "vyatta-sip-disable"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct fw_vendor_fact *fact;
		char text[512];
		struct read r;

		(void)snprintf(text, sizeof(text), "%s%s", rows[i].a,
		               rows[i].b);
		open_as(&r, rows[i].dialect, slice_str(text));
		assert_int_equal(r.err, 0);
		if (r.rules.defaults.alg != rows[i].alg ||
		    strcmp(r.rules.settings->source, rows[i].source) != 0)
			fail_msg("row %zu: %d by %s", i, r.rules.defaults.alg,
			         r.rules.settings->source);
		fact = fw_vendor_fact_find(rows[i].source);
		assert_non_null(fact);
		assert_true(fact->document[0] != '\0');
		done(&r);
	}
}

/* A UniFi gateway: its whole tree, and what its owner adds to it. */
static void test_parse_reads_json(void **state)
{
	const struct fw_rule *rule;
	struct slice text;
	struct read r;

	UNUSED(state);
	text = slice_str(load("fuzz/corpus/firewall_vyatta/usg-dump.json"));
	assert_string_equal(fw_dialect_recognise(text)->name, "edgeos");
	open_as(&r, "edgeos", text);
	assert_int_equal(r.dg.n_items, 0);
	assert_int_equal(r.rules.defaults.alg, FW_OFF);
	assert_int_equal(r.rules.defaults.udp_idle_s, 400);
	rule = fw_chain_find(&r.rules, "ipv4", "WAN_OUT")->first;
	assert_int_equal(rule->line, 15);
	assert_int_equal(rule->states, FW_STATE_NEW);
	assert_non_null(rule->dst.first->next);
	rule = fw_chain_find(&r.rules, "ipv4", "interfaces out")->first;
	assert_string_equal(rule->out.first->name, "pppoe2");
	done(&r);

	text = slice_str("\n{\"system\": {\"host-name\": \"a\"}}");
	assert_string_equal(fw_dialect_recognise(text)->name, "edgeos");
	open_as(&r, "edgeos", text);
	assert_int_equal(r.err, 0);
	assert_int_equal(r.dg.n_items, 1);
	assert_int_equal(r.rules.defaults.alg, FW_UNKNOWN);
	assert_int_equal(r.rules.defaults.udp_idle_s, FW_IDLE_UNKNOWN);
	assert_string_equal(r.rules.chains->first->conditional,
	                    "config.gateway.json");
	done(&r);
}

static void test_parse_refuses_what_is_no_json(void **state)
{
	static const char *const texts[] = {
		"{\"firewall\"",
		"{\"firewall\": ",
		"{\"firewall\": {\"a\" 1}}",
		"{\"firewall\": {\"\": 1}}",
		"{\"firewall\": [1, {}",
		"{\"firewall\": {1: 2}}",
		"{\"firewall\": {\"a\": 1,}}",
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct read r;

		open_as(&r, "edgeos", slice_str(texts[i]));
		if (r.err != EBADMSG)
			fail_msg("%s: %d", texts[i], r.err);
		done(&r);
	}
}

static void test_parse_reads_timers(void **state)
{
	static const struct {
		const char *text;
		int64_t udp_s;
		int err;
	} rows[] = {
		{"", 180, 0},
		{"set system conntrack timeout udp stream 300\n", 300, 0},
		{"set system conntrack timeout udp other 300\n", 180, 0},
		{"set firewall global-options timeout udp stream '400'\n", 400,
	         0},
		{"set system conntrack timeout udp stream 300\n"
	         "set system conntrack timeout udp stream 60\n",
	         60, 0},
		{"set system conntrack timeout udp stream x\n", FW_IDLE_UNKNOWN,
	         EBADMSG},
		{"set system conntrack timeout custom ipv4 rule 1 protocol udp "
	         "replied 30\n",
	         FW_IDLE_UNKNOWN, 0},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct read r;

		open_as(&r, "vyos", slice_str(rows[i].text));
		if (r.err != rows[i].err ||
		    r.rules.defaults.udp_idle_s != rows[i].udp_s)
			fail_msg("row %zu: %d s", i,
			         (int)r.rules.defaults.udp_idle_s);
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
		{"not a command", "set firewall\nhello there\n", 2, 0},
		{"brace", "firewall {\n}\n}\n", 3, 0},
		{"cut", "firewall {\nname A {\n", 2, 0},
		{"number", "set firewall name A rule x action accept\n", 1,
	         EBADMSG},
		{"port",
	         "set firewall name A rule 1 action accept\n"
	         "set firewall name A rule 1 destination port 99999\n",
	         2, EBADMSG},
		{"address", "set firewall group address-group A address 1.2\n",
	         1, EBADMSG},
		{"protocol", "set firewall name A rule 1 protocol nope\n", 1,
	         EBADMSG},
		{"jump",
	         "set firewall ipv4 forward filter rule 1 action jump\n"
	         "set firewall ipv4 forward filter rule 1 jump-target X\n",
	         1, 0},
		{"binding",
	         "set interfaces ethernet eth1 firewall in name GONE\n", 1, 0},
		{"zones",
	         "set zone-policy zone LAN interface eth1\n"
	         "set zone-policy zone LAN from DMZ firewall name A\n",
	         2, 0},
		{"UTF-16", "\xff\xfe", 1, EBADMSG},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct read r;

		open_as(&r, "vyos", slice_str(rows[i].text));
		if (r.err != rows[i].err || !r.dg.first ||
		    r.dg.first->line != rows[i].line)
			fail_msg("%s: %d, line %u", rows[i].why, r.err,
			         r.dg.first ? r.dg.first->line : 0);
		done(&r);
	}
}

static void test_parse_survives_prefixes_and_no_memory(void **state)
{
	static const char *const files[] = {
		edgeos_boot, vyos_set,
		"fuzz/corpus/firewall_vyatta/usg-dump.json"};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct slice text = slice_str(load(files[i]));
		unsigned long n = 0;
		struct read r;

		do {
			oom_after(n++);
			open_as(&r, "edgeos", text);
			oom_after(OOM_NEVER);
			assert_true(r.err == 0 || r.err == ENOMEM);
			done(&r);
		} while (r.err);
		assert_true(n > 3);
		while (text.n-- > 0) {
			open_as(&r, "vyos", text);
			assert_true(r.err == 0 || r.err == EBADMSG);
			assert_non_null(r.rules.chains);
			done(&r);
		}
	}
}

/* ---- writing ---- */

static void emit(struct wr *out, struct made *m, const char *dialect,
                 const char *version, int want)
{
	struct fw_rules rules;
	struct arena arena;
	struct diag dg;
	int err;

	arena_init(&arena);
	fw_rules_init(&rules);
	diag_init(&dg, &arena, NULL, slice_str(""));
	assert_int_equal(fw_rules_from_flows(&rules, m->flows, m->n, &m->place),
	                 0);
	rules.version = version;
	err = fw_emit(out, fw_dialect_find(dialect), &rules, &dg);
	if (err != want)
		fail_msg("%s: %d, %s", dialect, err,
		         dg.first ? dg.first->message : "");
	fw_rules_fini(&rules);
	arena_fini(&arena);
}

static void judge_all(const char *dialect, struct slice text, struct made *m)
{
	struct fw_space *sp;
	struct fw_part *parts;
	struct read r;

	open_as(&r, dialect, text);
	assert_int_equal(r.err, 0);
	assert_int_equal(r.dg.n_items, 0);
	assert_int_equal(r.rules.defaults.alg, FW_OFF);
	assert_int_equal(r.rules.defaults.udp_idle_s, 300);
	assert_int_equal(fw_space_alloc(&sp, &r.rules, m->flows, m->n,
	                                &m->place, NULL, 0),
	                 0);
	for (size_t i = 0; i < m->n; i++) {
		struct fw_judgement j, back;

		assert_int_equal(fw_space_judge(&j, &r.arena, sp, i), 0);
		if (j.verdict != FW_PASS)
			fail_msg("%s, flow %zu: %d", dialect, i, j.verdict);
		assert_int_equal(
			fw_space_judge_reply(&back, &r.arena, sp, i, &j), 0);
		assert_int_equal(back.verdict, FW_PASS);
	}
	assert_int_equal(fw_space_excess(&parts, &r.arena, sp), 0);
	if (parts)
		fail_msg("%s, open too far: %s", dialect,
		         parts->rule ? parts->rule->id : "policy");
	fw_space_free(sp);
	done(&r);
}

static const struct {
	const char *dialect, *version, *golden;
} forms[] = {
	{"edgeos", NULL, "tests/golden/firewall/edgeos.set"},
	{"vyos", "1.3", "tests/golden/firewall/vyos-1.3.set"},
	{"vyos", NULL, "tests/golden/firewall/vyos.set"},
	{"vyos", "1.5", "tests/golden/firewall/vyos-1.5.set"},
};

static void test_emit_is_the_golden_text(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct wr out = wr_init_heap();
		struct made m;

		make_flows(&m, i >= 2);
		emit(&out, &m, forms[i].dialect, forms[i].version, 0);
		save(forms[i].golden, wr_slice(&out));
		if (!slice_eq_str(wr_slice(&out), load(forms[i].golden)))
			fail_msg("%.*s", (int)out.n, (const char *)out.p);
		wr_fini(&out);
		arena_fini(&m.arena);
	}
}

static void test_emit_accepts_the_same_packets(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct wr out = wr_init_heap();
		struct made m;

		make_flows(&m, i >= 2);
		emit(&out, &m, forms[i].dialect, forms[i].version, 0);
		judge_all(forms[i].dialect, wr_slice(&out), &m);
		wr_fini(&out);
		arena_fini(&m.arena);
	}
}

static void test_emit_refuses_what_it_cannot_say(void **state)
{
	struct wr out = wr_init_heap();
	struct made m;

	UNUSED(state);
	make_flows(&m, true);
	emit(&out, &m, "edgeos", NULL, ENOTSUP);
	assert_int_equal(out.n, 0);
	emit(&out, &m, "vyos", "1.3.2", ENOTSUP);
	assert_int_equal(out.n, 0);
	m.n = 2;
	m.place.in = "two words";
	emit(&out, &m, "vyos", NULL, ENOTSUP);
	m.place.in = "lan";
	emit(&out, &m, "edgeos", NULL, ENOTSUP);
	m.place.in = m.place.out = NULL;
	emit(&out, &m, "edgeos", NULL, ENOTSUP);
	assert_int_equal(out.n, 0);
	wr_fini(&out);
	arena_fini(&m.arena);
}

static void test_emit_without_memory(void **state)
{
	unsigned long n = 0;
	struct made m;
	int err;

	UNUSED(state);
	make_flows(&m, true);
	do {
		struct wr out = wr_init_heap();
		struct fw_rules rules;
		struct diag dg;

		fw_rules_init(&rules);
		diag_init(&dg, &m.arena, NULL, slice_str(""));
		assert_int_equal(
			fw_rules_from_flows(&rules, m.flows, m.n, &m.place), 0);
		oom_after(n++);
		err = fw_emit(&out, fw_dialect_find("vyos"), &rules, &dg);
		oom_after(OOM_NEVER);
		assert_true(err == 0 || err == ENOMEM);
		fw_rules_fini(&rules);
		wr_fini(&out);
	} while (err);
	assert_true(n > 1);
	arena_fini(&m.arena);
}

/* The other end is elsewhere: an answer never leaves to where it came from. */
static void test_one_known_end_is_not_the_other(void **state)
{
	static const char text[] =
		"set firewall name A default-action drop\n"
		"set firewall name A rule 1 action accept\n"
		"set firewall name A rule 1 destination address 192.0.2.1\n"
		"set interfaces ethernet eth0 firewall out name A\n";
	static const struct fw_place places[] = {
		{.out = "eth0"}, {.in = "eth1"}, {.in = "eth1", .out = "eth0"}};
	struct fw_flow flow = {
		.id = "x", .min_udp_idle_s = -1, .min_tcp_idle_s = -1};
	struct made m = {.n = 0};
	struct read r;

	UNUSED(state);
	arena_init(&m.arena);
	add_ip(&m, &flow, "192.0.2.1");
	assert_non_null(
		fw_services_add(&m.arena, &flow.services, 17, 5060, 5060));
	open_as(&r, "edgeos", slice_str(text));
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		const struct fw_question q = {
			.flows = &flow, .n_flows = 1, .place = places[i]};
		struct fw_answer *got;

		assert_int_equal(fw_answer_all(&got, &m.arena, &r.rules, &q),
		                 0);
		assert_int_equal(got->verdict, FW_PASS);
	}
	done(&r);
	arena_fini(&m.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recognise_tells_them_apart),
		cmocka_unit_test(test_one_known_end_is_not_the_other),
		cmocka_unit_test(test_parse_reads_curly),
		cmocka_unit_test(test_parse_reads_set_lines),
		cmocka_unit_test(test_parse_judges_sip),
		cmocka_unit_test(test_parse_reads_json),
		cmocka_unit_test(test_parse_refuses_what_is_no_json),
		cmocka_unit_test(test_parse_reads_timers),
		cmocka_unit_test(test_parse_points_at_faults),
		cmocka_unit_test(test_parse_survives_prefixes_and_no_memory),
		cmocka_unit_test(test_emit_is_the_golden_text),
		cmocka_unit_test(test_emit_accepts_the_same_packets),
		cmocka_unit_test(test_emit_refuses_what_it_cannot_say),
		cmocka_unit_test(test_emit_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
