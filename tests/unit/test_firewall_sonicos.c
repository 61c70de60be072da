/* SPDX-License-Identifier: ISC */
#include "sonicos_box.h"

#include <errno.h>

#include "base/text.h"
#include "firewall/vendor.h"
#include "oom.h"

static const struct fw_rule *rule_at(const struct read *r, unsigned i)
{
	const struct fw_rule *rule =
		fw_chain_find(&r->rules, NULL, "access-rules")->first;

	while (rule && i--)
		rule = rule->next;
	assert_non_null(rule);
	return rule;
}

static const struct fw_setting *setting(const struct read *r, const char *id)
{
	const struct fw_setting *s = r->rules.settings;

	while (s && strcmp(s->id, id) != 0)
		s = s->next;
	assert_non_null(s);
	return s;
}

/* What both forms of one box say. */
static void check_box(const struct read *r)
{
	const struct fw_rule *rule = rule_at(r, 1);

	assert_string_equal(fw_guess_wan(&r->rules), "WAN");
	assert_string_equal(fw_guess_lan(&r->rules, "WAN"), "LAN");
	assert_string_equal(rule->in.first->name, "LAN");
	assert_string_equal(rule->out.first->name, "WAN");
	assert_int_equal(rule->action, FW_ACCEPT);
	assert_int_equal(rule->dst.first->kind, FW_ADDR_RANGE);
	assert_int_equal(rule->dst.last->kind, FW_ADDR_NAME);
	assert_string_equal(rule->dst.last->name, "contact.example.net");
	assert_int_equal(rule->services.first->proto, FW_PROTO_UDP);
	assert_int_equal(rule->services.first->dport_hi, 5061);
	assert_int_equal(rule->services.last->dport_hi, 65535);
	assert_string_equal(rule->name, "to the provider");
	assert_int_equal(rule->attrs.udp_idle_s, 30);
	assert_null(rule->conditional);
}

static void test_parse_reads_a_configuration(void **state)
{
	struct read r;

	UNUSED(state);
	open_text(&r, load("fuzz/corpus/firewall_sonicos/box.txt"));
	assert_int_equal(r.err, 0);
	assert_int_equal(r.dg.n_warnings, 0);
	assert_string_equal(r.rules.version, "7.0.1-5052-R1500");
	check_box(&r);
	assert_int_equal(r.rules.families, FW_IP4);
	assert_int_equal(r.rules.defaults.alg, FW_ON);
	assert_int_equal(r.rules.defaults.consistent_nat, FW_OFF);
	assert_int_equal(rule_at(&r, 1)->line, 59);
	assert_string_equal(rule_at(&r, 1)->id, "calls");
	done(&r);
}

static void test_parse_reads_old_and_typed_forms(void **state)
{
	const struct fw_rule *rule;
	struct read r;

	UNUSED(state);
	open_text(&r, load("fuzz/corpus/firewall_sonicos/old.txt"));
	assert_int_equal(r.err, 0);
	rule = rule_at(&r, 1);
	assert_string_equal(r.rules.version, "6.2.7.1-23n");
	assert_int_equal(
		fw_ip_prefix_len(rule->src.first->lo, rule->src.first->hi), 24);
	assert_string_equal(rule->schedule, "Work Hours");
	assert_int_equal(rule->attrs.udp_idle_s, 300);
	assert_int_equal(rule->next->action, FW_REJECT);
	assert_int_equal(r.rules.defaults.alg, FW_OFF);
	assert_int_equal(r.rules.defaults.consistent_nat, FW_ON);
	done(&r);

	open_text(&r, load("fuzz/corpus/firewall_sonicos/typed.txt"));
	assert_int_equal(r.err, 0);
	rule = rule_at(&r, 1);
	assert_int_equal(rule->families, FW_IP6);
	assert_null(rule->in.first);
	assert_int_equal(rule->services.first->dport_hi, 5061);
	assert_non_null(rule->conditional);
	assert_int_equal(r.rules.defaults.alg, FW_UNKNOWN);
	done(&r);
}

static void test_parse_reads_a_backup(void **state)
{
	static const char *const names[] = {
		"fuzz/corpus/firewall_sonicos_exp/box.exp",
		"fuzz/corpus/firewall_sonicos_exp/plain.txt",
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct read r;

		open_as(&r, "sonicos-exp", slice_str(load(names[i])));
		assert_int_equal(r.err, 0);
		assert_string_equal(r.rules.version, "6.5.4.4-44n");
		/* WAN to LAN has the same priority and stands behind. */
		check_box(&r);
		assert_int_equal(rule_at(&r, 1)->attrs.tcp_idle_s, 900);
		assert_int_equal(rule_at(&r, 2)->action, FW_DROP);
		assert_int_equal(r.rules.defaults.alg, FW_UNKNOWN);
		assert_int_equal(r.rules.defaults.consistent_nat, FW_UNKNOWN);
		assert_string_equal(setting(&r, "voip.sip")->source,
		                    "sonicos-exp-voip");
		assert_non_null(r.rules.kept);
		done(&r);
	}
}

/* Each row is a reading of SonicWall's documents, or says that there is
 * none. */
static void test_sip_follows_the_reasoning_table(void **state)
{
	static const struct {
		const char *text;
		enum fw_tri alg, nat;
		const char *source, *nat_source;
	} rows[] = {
		{V7, FW_OFF, FW_OFF, "sonicos-sip-default",
	         "sonicos-nat-default"},
		{V65, FW_UNKNOWN, FW_OFF, "sonicos-sip-release",
	         "sonicos-nat-default"},
		{"firmware-version \"SonicOS 8.0.0-8035\"\n", FW_UNKNOWN,
	         FW_OFF, "sonicos-sip-release", "sonicos-nat-default"},
		{"access-rule ipv4 from LAN to WAN action allow\n", FW_UNKNOWN,
	         FW_UNKNOWN, "sonicos-sip-unseen", "sonicos-sip-unseen"},
		{V7 "voip\n    consistent-nat\n    exit\n", FW_OFF, FW_ON,
	         "sonicos-sip-default", "sonicos-nat"},
		{V65 "voip\n    no consistent-nat\n    no sip\n    exit\n",
	         FW_OFF, FW_OFF, "sonicos-sip-no", "sonicos-nat"},
		{V65 "voip\n    sip\n        exit\n    exit\n", FW_UNKNOWN,
	         FW_OFF, "sonicos-sip-bare", "sonicos-nat-default"},
		{V7 "voip\n    sip\n        enable\n        exit\n    exit\n",
	         FW_ON, FW_OFF, "sonicos-sip-enable", "sonicos-nat-default"},
		{V7 "voip\n    sip\n        no enable\n        exit\n"
	            "    exit\n",
	         FW_OFF, FW_OFF, "sonicos-sip-enable", "sonicos-nat-default"},
		{V7 "voip\n    sip\n        enable\n"
	            "        access-rule-based\n        exit\n    exit\n",
	         FW_UNKNOWN, FW_OFF, "sonicos-sip-by-rule",
	         "sonicos-nat-default"},
		{V7 "voip\n    sip\n        enable\n        new-thing\n"
	            "        exit\n    exit\n",
	         FW_UNKNOWN, FW_OFF, "sonicos-sip-odd", "sonicos-nat-default"},
		{V7 "voip\n    sip-transformations\n    exit\n", FW_UNKNOWN,
	         FW_OFF, "sonicos-sip-odd", "sonicos-nat-default"},
		/* What is not known stays so, whatever is said besides. */
		{V7 "voip\n    sip\n        new-thing\n        no enable\n"
	            "        exit\n    exit\n",
	         FW_UNKNOWN, FW_OFF, "sonicos-sip-odd", "sonicos-nat-default"},
		/* To enter the section again changes nothing, where it has a
	         * switch; where it has none, it is the switch. */
		{V7 "voip\n    sip\n        enable\n        exit\n    sip\n"
	            "        media-timeout 120\n        exit\n    exit\n",
	         FW_ON, FW_OFF, "sonicos-sip-enable", "sonicos-nat-default"},
		{V65 "voip\n    no sip\n    sip\n        exit\n    exit\n",
	         FW_UNKNOWN, FW_OFF, "sonicos-sip-bare", "sonicos-nat-default"},
		{V7 "voip\n    sip\n        enable\n"
	            "        access-rule-based\n        exit\n    no sip\n"
	            "    exit\n",
	         FW_OFF, FW_OFF, "sonicos-sip-no", "sonicos-nat-default"},
		/* Typed, without indents; the last word counts. */
		{"voip\nsip\nenable\nexit\nconsistent-nat\nexit\nvoip\nsip\n"
	         "no enable\nexit\nexit\n",
	         FW_OFF, FW_ON, "sonicos-sip-enable", "sonicos-nat"},
		{"voip\nsip\nenable\nconsistent-nat\nno h323\nexit\n", FW_ON,
	         FW_ON, "sonicos-sip-enable", "sonicos-nat"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct fw_setting *s;
		struct read r;

		open_text(&r, rows[i].text);
		s = setting(&r, "voip.sip");
		if (r.err || r.rules.defaults.alg != rows[i].alg ||
		    r.rules.defaults.consistent_nat != rows[i].nat ||
		    s->attrs.alg != rows[i].alg)
			fail_msg("%s", rows[i].text);
		assert_string_equal(s->source, rows[i].source);
		assert_non_null(fw_vendor_fact_find(s->source));
		s = setting(&r, "voip.consistent-nat");
		assert_string_equal(s->source, rows[i].nat_source);
		assert_non_null(fw_vendor_fact_find(s->source));
		s = setting(&r, "access-rule.udp-timeout");
		assert_int_equal(s->attrs.udp_idle_s, 30);
		assert_true(s->is_default);
		assert_non_null(fw_vendor_fact_find(s->source));
		s = setting(&r, "access-rule.tcp-timeout");
		assert_int_equal(s->attrs.tcp_idle_s, 900);
		assert_true(s->is_default);
		assert_non_null(fw_vendor_fact_find(s->source));
		done(&r);
	}
}

/* By rules: off there is off; on needs the page to say on, too. */
static void test_sip_by_rule(void **state)
{
	static const struct {
		const char *page, *rule;
		enum fw_tri alg;
	} rows[] = {
		{"enable", "sip", FW_ON},       {"enable", "no sip", FW_OFF},
		{"enable", "enable", FW_UNSET}, /* the default: unknown */
		{"no enable", "sip", FW_UNSET}, {"no enable", "no sip", FW_OFF},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[512];
		struct read r;

		(void)snprintf(text, sizeof(text),
		               V7 "access-rule ipv4 from LAN to WAN action "
		                  "allow\n    %s\n    exit\nvoip\n    sip\n"
		                  "        %s\n        access-rule-based\n"
		                  "        exit\n    exit\n",
		               rows[i].rule, rows[i].page);
		open_text(&r, text);
		assert_int_equal(r.rules.defaults.alg, FW_UNKNOWN);
		if (rule_at(&r, 1)->attrs.alg != rows[i].alg &&
		    !(rows[i].alg == FW_UNSET &&
		      rule_at(&r, 1)->attrs.alg == FW_UNKNOWN))
			fail_msg("%s / %s", rows[i].page, rows[i].rule);
		done(&r);
	}
}

/* What the model cannot say makes a doubt; what changes nothing does not. */
static void test_rules_that_ask_for_more_are_in_doubt(void **state)
{
	static const struct {
		const char *line;
		bool is_doubt;
	} rows[] = {
		{"users included all", false},
		{"users included group Phones", true},
		{"users excluded none", false},
		{"users excluded guests", true},
		{"geo-ip-filter", true},
		{"no geo-ip-filter", false},
		{"botnet-filter", true},
		{"reflexive", true},
		{"source port any", false},
		{"source port name X", true},
		{"service name NOT-THERE", true},
		{"service protocol UDP 5060 5061", false},
		{"service protocol GRE", true},
		{"quality-of-service dscp preserve", false},
		{"no quality-of-service class-of-service", false},
		{"priority auto", false},
		{"max-connections 100", false},
		{"from-the-future 1", true},
		{"no from-the-future", false},
		{"tcp timeout 15", false},
		{"bandwidth-management egress medium", false},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[256];
		struct read r;

		(void)snprintf(text, sizeof(text),
		               "access-rule ipv4 from LAN to WAN action allow\n"
		               "    %s\n    exit\n",
		               rows[i].line);
		open_text(&r, text);
		if (!!rule_at(&r, 1)->conditional != rows[i].is_doubt)
			fail_msg("%s", rows[i].line);
		done(&r);
	}
}

static void test_order_and_ends_decide_as_they_are_said(void **state)
{
	static const struct {
		const char *why, *text;
		enum fw_verdict sip;
	} rows[] = {
		{"order of the text", ALLOW "    exit\n" DENY "    exit\n",
	         FW_PASS},
		{"priorities",
	         ALLOW "    priority manual 2\n    exit\n" DENY
	               "    priority manual 1\n    exit\n",
	         FW_FAIL},
		{"one without a place",
	         ALLOW "    priority manual 2\n    exit\n" DENY
	               "    priority auto\n    exit\n",
	         FW_DONT_KNOW},
		{"disabled", ALLOW "    no enable\n    exit\n", FW_FAIL},
		{"disabled, behind the pager's prompt",
	         ALLOW "    logging\n--MORE--\n    no enable\n    exit\n",
	         FW_FAIL},
		{"disabled, on the line of the prompt",
	         ALLOW "    logging\n--MORE--            no enable\n"
	               "    exit\n",
	         FW_FAIL},
		{"a script opens what it says", "voip\n    exit\n", FW_FAIL},
		{"a box may have rules from the factory", V7, FW_DONT_KNOW},
		{"unless its list has an end",
	         V7 "access-rule ipv4 from any to any action deny\n    exit\n",
	         FW_FAIL},
		{"an end of this pair is enough", V7 DENY "    exit\n",
	         FW_FAIL},
		{"addresses that the text does not hold",
	         "access-rule ipv4 from LAN to WAN action allow destination "
	         "address group Provider service any\n    exit\n",
	         FW_DONT_KNOW},
		{"the last content of an object counts",
	         "address-object ipv4 a host 198.51.100.1 zone WAN\n"
	         "address-object ipv4 a host 192.0.2.1 zone WAN\n"
	         "access-rule ipv4 from LAN to WAN action allow destination "
	         "address name a service any\n    exit\n",
	         FW_FAIL},
		{"one name in both families",
	         "address-object ipv4 a host 198.51.100.1 zone WAN\n"
	         "address-object ipv6 a host 2001:db8::1 zone WAN\n"
	         "access-rule ipv4 from LAN to WAN action allow destination "
	         "address name a service any\n    exit\n",
	         FW_PASS},
		{"a group that holds nothing is not any",
	         "address-group ipv4 g\n    exit\n"
	         "access-rule ipv4 from LAN to WAN action allow destination "
	         "address group g service any\n    exit\n",
	         FW_DONT_KNOW},
		{"a group of itself is not any",
	         "service-group g\n    service-group g\n    exit\n"
	         "access-rule ipv4 from LAN to WAN action allow destination "
	         "address any service group g\n    exit\n",
	         FW_DONT_KNOW},
		{"a group with a member that is not there",
	         "address-object ipv4 a host 192.0.2.1 zone WAN\n"
	         "address-group ipv4 g\n    address-object ipv4 a\n"
	         "    address-object ipv4 b\n    exit\n"
	         "access-rule ipv4 from LAN to WAN action allow destination "
	         "address group g service any\n    exit\n",
	         FW_DONT_KNOW},
		{"a MAC address",
	         "address-object mac m address 001122334455 zone LAN\n"
	         "    exit\n"
	         "access-rule ipv4 from LAN to WAN action allow source address "
	         "name m destination address any service any\n    exit\n",
	         FW_DONT_KNOW},
		{"a service that is not read",
	         "access-rule ipv4 from LAN to WAN action allow service "
	         "protocol GRE\n    exit\n",
	         FW_DONT_KNOW},
		{"a service of other ports",
	         "access-rule ipv4 from LAN to WAN action allow service "
	         "protocol UDP 53 53\n    exit\n",
	         FW_FAIL},
		{"an action that is not said",
	         "access-rule ipv4 from LAN to WAN\n    exit\n", FW_DONT_KNOW},
		{"another pair",
	         "access-rule ipv4 from DMZ to WAN action allow\n    exit\n",
	         FW_FAIL},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fw_answer *answers;
		struct made m;
		struct read r;

		make(&m);
		open_text(&r, rows[i].text);
		assert_int_equal(
			fw_answer_all(&answers, &m.arena, &r.rules, &m.q), 0);
		if (answers[0].out.verdict != rows[i].sip)
			fail_msg("%s: %d", rows[i].why, answers[0].out.verdict);
		done(&r);
		arena_fini(&m.arena);
	}
}

static void test_backup_rows_that_are_not_clear_are_in_doubt(void **state)
{
#define ROW                                                        \
	"policySrcZone_0=LAN&policyDstZone_0=WAN&policySrcNet_0=&" \
	"policyDstNet_0=&policyDstSvc_0=&policyPriority_0=1&"
	static const struct {
		const char *why, *text;
		enum fw_verdict sip;
		int64_t udp_s;
	} rows[] = {
		{"plain",
	         ROW "policyAction_0=2&policyEnabled_0=1&"
	             "policyInactivityUdp_0=300&",
	         FW_PASS, 300},
		{"no time", ROW "policyAction_0=2&policyEnabled_0=1&", FW_PASS,
	         FW_IDLE_UNKNOWN},
		{"blocked by 0", ROW "policyAction_0=0&policyEnabled_0=1&",
	         FW_FAIL, 30},
		{"blocked by 1", ROW "policyAction_0=1&policyEnabled_0=1&",
	         FW_FAIL, 30},
		{"no action", ROW "policyEnabled_0=1&", FW_DONT_KNOW,
	         FW_IDLE_UNKNOWN},
		{"an action of its own",
	         ROW "policyAction_0=3&policyEnabled_0=1&", FW_DONT_KNOW,
	         FW_IDLE_UNKNOWN},
		{"not enabled", ROW "policyAction_0=2&policyEnabled_0=0&",
	         FW_FAIL, 30},
		{"enabled or not", ROW "policyAction_0=2&", FW_DONT_KNOW,
	         FW_IDLE_UNKNOWN},
		{"a key that names something",
	         ROW "policyAction_0=2&policyEnabled_0=1&"
	             "policyWhen_0=Work%20Hours&",
	         FW_DONT_KNOW, FW_IDLE_UNKNOWN},
		{"a key that names nothing",
	         ROW "policyAction_0=2&policyEnabled_0=1&policyWhen_0=Always%20"
	             "on&policyHits_0=12&policyId_0=0000-00ab&",
	         FW_PASS, FW_IDLE_UNKNOWN},
		{"source ports",
	         ROW "policyAction_0=2&policyEnabled_0=1&policySrcSvc_0=X&",
	         FW_DONT_KNOW, FW_IDLE_UNKNOWN},
		{"a missing end",
	         "policySrcZone_0=LAN&policyDstZone_0=WAN&policyAction_0=2&"
	         "policyEnabled_0=1&policyDstNet_0=&policyDstSvc_0=&",
	         FW_DONT_KNOW, FW_IDLE_UNKNOWN},
	};
#undef ROW

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wr exp = wr_init_heap();
		struct fw_answer *answers;
		struct made m;
		struct read r;

		make(&m);
		text_base64_put(&exp, slice_str(rows[i].text), 0);
		wr_str(&exp, "&&\n");
		open_as(&r, "sonicos-exp", wr_slice(&exp));
		assert_int_equal(r.err, 0);
		assert_int_equal(
			fw_answer_all(&answers, &m.arena, &r.rules, &m.q), 0);
		if (answers[0].out.verdict != rows[i].sip ||
		    answers[0].udp_idle_s != rows[i].udp_s)
			fail_msg("%s: %d, %d s", rows[i].why,
			         answers[0].out.verdict,
			         (int)answers[0].udp_idle_s);
		assert_int_not_equal(answers[0].alg, FW_OFF);
		done(&r);
		wr_fini(&exp);
		arena_fini(&m.arena);
	}
}

static void test_parse_points_at_faults(void **state)
{
	static const struct {
		const char *dialect, *why, *text;
		unsigned line;
		int err;
	} rows[] = {
		{"sonicos", "address",
	         "address-object ipv4 a\n    host 1.2.3\n    exit\n", 2,
	         EBADMSG},
		{"sonicos", "backwards",
	         "address-object ipv4 a range 192.0.2.9 192.0.2.1\n", 1,
	         EBADMSG},
		{"sonicos", "port", "service-object a UDP 5060 x\n", 1, 0},
		{"sonicos", "no port", "service-object a UDP\n", 1, EBADMSG},
		{"sonicos", "action",
	         "access-rule ipv4 from A to B action perhaps\n", 1, EBADMSG},
		{"sonicos", "time",
	         "access-rule ipv4 from A to B action allow\n    udp timeout "
	         "long\n",
	         2, EBADMSG},
		{"sonicos", "sip",
	         "voip\n    sip\n        what-is-this\n        exit\n", 3, 0},
		{"sonicos-exp", "no =", "addrObjId_0=a&nothing&x=1", 2, 0},
		{"sonicos-exp", "address",
	         "addrObjId_0=a&addrObjType_0=1&addrObjIp1_0=1.2&x=1", 1,
	         EBADMSG},
		{"sonicos-exp", "ports",
	         "svcObjId_0=a&svcObjType_0=1&svcObjIpType_0=17&"
	         "svcObjPort1_0=9&svcObjPort2_0=1",
	         1, EBADMSG},
		{"sonicos-exp", "not base64", "YWRkck9iaklkXzA9YQ==\n!?", 2,
	         EBADMSG},
		{"sonicos-exp", "after the padding", "YWRkck9iaklkXzA9YQ==YWRk",
	         1, EBADMSG},
		{"sonicos-exp", "nothing", "?", 1, EBADMSG},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct diag_item *it;
		struct read r;

		open_as(&r, rows[i].dialect, slice_str(rows[i].text));
		for (it = r.dg.first; it && it->sev == DIAG_NOTE;)
			it = it->next;
		if (r.err != rows[i].err ||
		    (it ? it->line : 0) != (i == 2 ? 0 : rows[i].line))
			fail_msg("%s: %d, line %u", rows[i].why, r.err,
			         it ? it->line : 0);
		done(&r);
	}
}

static void test_recognise_knows_both_forms(void **state)
{
	static const struct {
		const char *text, *dialect;
	} rows[] = {
		{V7, "sonicos"},
		{"\xef\xbb\xbf" V7, "sonicos"},
		{"access-rule from LAN to WAN action allow\n", "sonicos"},
		{"voip\r\n    consistent-nat\r\n", "sonicos"},
		{"YWRkck9iaklkXzA9YQ==&&", "sonicos-exp"},
		{"YWRkck9i\nSWRfMD1h\n", NULL}, /* addrObId_0=a */
		{"addrObjId_0=a&addrObjType_0=1", "sonicos-exp"},
		{"aGVsbG8gd29ybGQgaGVsbG8=", NULL}, /* "hello world hello" */
		{"", NULL},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct fw_dialect *d =
			fw_dialect_recognise(slice_str(rows[i].text));

		if (d !=
		    (rows[i].dialect ? fw_dialect_find(rows[i].dialect) : NULL))
			fail_msg("%s: %s", rows[i].text, d ? d->name : "-");
	}
	for (size_t i = 0; i < 2; i++) {
		static const char *const files[] = {
			"fuzz/corpus/firewall_sonicos/box.txt",
			"fuzz/corpus/firewall_sonicos_exp/box.exp"};
		static const char *const names[] = {"sonicos", "sonicos-exp"};
		const struct fw_dialect *d =
			fw_dialect_recognise(slice_str(load(files[i])));

		assert_non_null(d);
		assert_string_equal(d->name, names[i]);
	}
}

static void test_groups_lose_what_is_taken_out(void **state)
{
	struct fw_ip lo, hi;
	struct read r;

	UNUSED(state);
	open_text(&r, "address-object ipv4 a host 192.0.2.1 zone WAN\n"
	              "address-object ipv4 b host 192.0.2.2 zone WAN\n"
	              "address-group ipv4 g\n    address-object ipv4 a\n"
	              "    address-object ipv4 b\n    exit\n"
	              "address-group ipv4 g\n    no address-object ipv4 a\n"
	              "    exit\naccess-rule ipv4 from LAN to WAN action allow "
	              "destination address group g\n    exit\n");
	assert_int_equal(r.err, 0);
	assert_int_equal(fw_ip_parse(&lo, &hi, slice_str("192.0.2.2")), 0);
	assert_int_equal(fw_ip_cmp(rule_at(&r, 1)->dst.first->lo, lo), 0);
	assert_null(rule_at(&r, 1)->dst.first->next);
	done(&r);
}

static void sweep(const char *dialect, const char *file)
{
	struct slice text = slice_str(load(file));
	unsigned long n = 0;
	struct read r;

	do {
		oom_after(n++);
		open_as(&r, dialect, text);
		oom_after(OOM_NEVER);
		assert_true(r.err == 0 || r.err == ENOMEM);
		done(&r);
	} while (r.err);
	while (text.n-- > 0) {
		open_as(&r, dialect, text);
		assert_true(r.err == 0 || r.err == EBADMSG);
		done(&r);
	}
}

static void test_parse_survives_prefixes_and_no_memory(void **state)
{
	UNUSED(state);
	sweep("sonicos", "fuzz/corpus/firewall_sonicos/box.txt");
	sweep("sonicos", "fuzz/corpus/firewall_sonicos/old.txt");
	sweep("sonicos", "fuzz/corpus/firewall_sonicos/typed.txt");
	sweep("sonicos-exp", "fuzz/corpus/firewall_sonicos_exp/box.exp");
	sweep("sonicos-exp", "fuzz/corpus/firewall_sonicos_exp/plain.txt");
}

/* Bytes of other encodings, groups of groups, and lines without an end. */
static void test_parse_survives_hostile_texts(void **state)
{
	const struct slice utf16 = BYTES("v\0o\0i\0p\0\n\0");
	struct wr w = wr_init_heap();
	struct read r;

	UNUSED(state);
	wr_str(&w, V7 "access-rule ipv4 from \"Escrit\xf3rio\" to WAN action "
	              "allow\n    comment \"liga\xc3\xa7\xc3\xb5"
	              "es\"\n    exit\n");
	wr_put(&w, utf16);
	wr_str(&w, "\nexit\nexit\nend\naccess-rule\naddress-object\n"
	           "address-group ipv4\nservice-object\nvoip\nsip\nsip\n");
	for (unsigned i = 0; i < 40; i++) {
		wr_fmt(&w, "address-group ipv4 g%u\n", i);
		for (unsigned k = 0; k < 40; k++)
			wr_fmt(&w, "    address-group ipv4 g%u\n",
			       (i + 1) % 40);
		wr_str(&w, "    exit\n");
	}
	wr_str(&w, "access-rule ipv4 from LAN to WAN action allow destination "
	           "address group g0\n    exit\n");
	for (unsigned i = 0; i < 100000; i++)
		wr_str(&w, "\"");
	open_as(&r, "sonicos", wr_slice(&w));
	assert_true(r.err == 0 || r.err == EBADMSG);
	assert_string_equal(rule_at(&r, 1)->in.first->name, "Escrit\xf3rio");
	assert_int_equal(rule_at(&r, 4)->dst.last->kind, FW_ADDR_UNKNOWN);
	done(&r);
	wr_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_reads_a_configuration),
		cmocka_unit_test(test_parse_reads_old_and_typed_forms),
		cmocka_unit_test(test_parse_reads_a_backup),
		cmocka_unit_test(test_sip_follows_the_reasoning_table),
		cmocka_unit_test(test_sip_by_rule),
		cmocka_unit_test(test_rules_that_ask_for_more_are_in_doubt),
		cmocka_unit_test(test_order_and_ends_decide_as_they_are_said),
		cmocka_unit_test(
			test_backup_rows_that_are_not_clear_are_in_doubt),
		cmocka_unit_test(test_parse_points_at_faults),
		cmocka_unit_test(test_recognise_knows_both_forms),
		cmocka_unit_test(test_groups_lose_what_is_taken_out),
		cmocka_unit_test(test_parse_survives_prefixes_and_no_memory),
		cmocka_unit_test(test_parse_survives_hostile_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
