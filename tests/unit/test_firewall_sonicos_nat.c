/* SPDX-License-Identifier: ISC */
#include "sonicos_box.h"

#include "firewall/vendor.h"

#define PORTS                                                                  \
	"interface X0\n    ip-assignment LAN static\n        exit\n    exit\n" \
	"interface X1\n    ip-assignment WAN static\n        exit\n    exit\n"
#define OPEN ALLOW "    udp timeout 300\n    exit\n"

/* What sends calls elsewhere is not "accepted"; what sends others is. */
static const struct {
	const char *why, *policy;
	enum fw_verdict sip;
	unsigned line; /* of the doubt */
} policies[] = {
	{"a new source alone",
         "nat-policy ipv4 inbound any outbound X1 source any "
         "translated-source name \"X1 IP\" destination any "
         "translated-destination original service any "
         "translated-service original\n    exit\n",
         FW_PASS, 0},
	{"a new destination for all",
         "nat-policy ipv4 inbound any outbound any source any "
         "translated-source original destination any "
         "translated-destination name proxy service any "
         "translated-service original\n    exit\n",
         FW_DONT_KNOW, 9},
	{"from this side",
         "nat-policy ipv4 inbound X0 outbound any source any "
         "destination any translated-destination name proxy\n    "
         "exit\n",
         FW_DONT_KNOW, 9},
	{"from the other side",
         "nat-policy ipv4 inbound X1 outbound any source any "
         "destination any translated-destination name proxy\n    "
         "exit\n",
         FW_PASS, 0},
	{"of the provider",
         "nat-policy ipv4 inbound any outbound any destination name "
         "pbx translated-destination name proxy\n    exit\n",
         FW_DONT_KNOW, 9},
	{"of somebody else",
         "nat-policy ipv4 inbound any outbound any destination name "
         "other translated-destination name proxy\n    exit\n",
         FW_PASS, 0},
	{"of the box itself",
         "nat-policy ipv4 inbound any outbound any destination name "
         "\"X1 IP\" translated-destination name proxy\n    exit\n",
         FW_PASS, 0},
	{"of what the text does not hold",
         "nat-policy ipv4 inbound any outbound any destination name "
         "Servers translated-destination name proxy\n    exit\n",
         FW_DONT_KNOW, 9},
	{"another port",
         "nat-policy ipv4 inbound any outbound any destination any "
         "service name sip translated-service name web\n    exit\n",
         FW_DONT_KNOW, 9},
	{"a port that is not ours",
         "nat-policy ipv4 inbound any outbound any destination any "
         "service name web translated-service name sip\n    exit\n",
         FW_PASS, 0},
	{"switched off",
         "nat-policy ipv4 inbound any outbound any destination any "
         "translated-destination name proxy\n    no enable\n    "
         "exit\n",
         FW_PASS, 0},
	{"line by line, under a name of its own",
         "nat-policy ipv4 inbound any outbound any\n"
         "    name destination\n    comment \"service name any\"\n"
         "    inbound X0\n    destination any\n"
         "    translated-destination name proxy\n    exit\n",
         FW_DONT_KNOW, 9},
	{"6.2, without a family",
         "nat-policy inbound X0 outbound X1 destination any "
         "translated-destination name proxy\n    id 14\n    exit\n",
         FW_DONT_KNOW, 9},
	{"IPv6 alone",
         "nat-policy ipv6 inbound any outbound any destination any "
         "translated-destination name proxy\n    exit\n",
         FW_PASS, 0},
	{"the older word for it",
         "nat-policy ipv4 inbound any outbound any source any "
         "translated original destination any translated name proxy "
         "service any translated original\n    exit\n",
         FW_DONT_KNOW, 9},
};

static void test_translated_destinations_are_not_known(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		struct wr w = wr_init_heap();
		const struct fw_part *part;
		struct fw_answer *answers;
		unsigned line = 0;
		struct made m;
		struct read r;

		make(&m);
		wr_fmt(&w, "%s%s%s%s", PORTS, policies[i].policy,
		       "address-object ipv4 pbx host 198.51.100.1 zone WAN\n"
		       "address-object ipv4 other host 192.0.2.7 zone WAN\n"
		       "address-object ipv4 proxy host 192.0.2.9 zone LAN\n"
		       "service-object sip UDP 5060 5061\n"
		       "service-object web TCP 80 80\n",
		       OPEN);
		open_as(&r, "sonicos", wr_slice(&w));
		assert_int_equal(r.err, 0);
		assert_int_equal(r.dg.n_warnings, 0);
		assert_int_equal(
			fw_answer_all(&answers, &m.arena, &r.rules, &m.q), 0);
		for (part = answers[0].out.parts; part; part = part->next) {
			if (part->verdict != FW_PASS && part->doubt)
				line = part->doubt->line;
		}
		if (answers[0].out.verdict != policies[i].sip ||
		    line != policies[i].line)
			fail_msg("%s: %d, line %u", policies[i].why,
			         answers[0].out.verdict, line);
		done(&r);
		wr_fini(&w);
		arena_fini(&m.arena);
	}
}

static void test_backups_have_destinations_too(void **state)
{
	static const struct {
		const char *policy;
		enum fw_verdict sip;
	} rows[] = {
		{"natPolicyTransDst_0=&", FW_PASS},
		{"natPolicyTransDst_0=proxy&", FW_DONT_KNOW},
		{"natPolicyTransDst_0=proxy&natPolicySrcIface_0=0&",
	         FW_DONT_KNOW},
		{"natPolicyTransDst_0=proxy&natPolicySrcIface_0=1&", FW_PASS},
		{"natPolicyTransDst_0=proxy&natPolicyEnabled_0=0&", FW_PASS},
		{"natPolicyTransDst_0=proxy&natPolicyOrigDst_0=X1%20IP&",
	         FW_PASS},
		{"natPolicyTransSvc_0=web&natPolicyOrigSvc_0=sip&",
	         FW_DONT_KNOW},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wr w = wr_init_heap();
		struct fw_answer *answers;
		struct made m;
		struct read r;

		make(&m);
		wr_fmt(&w, "%s%s",
		       "iface_ifnum_0=0&interface_Zone_0=LAN&iface_ifnum_1=1&"
		       "interface_Zone_1=WAN&svcObjId_0=sip&svcObjType_0=1&"
		       "svcObjIpType_0=17&svcObjPort1_0=5060&"
		       "svcObjPort2_0=5061&policyAction_0=2&"
		       "policySrcZone_0=LAN&policyDstZone_0=WAN&"
		       "policySrcNet_0=&policyDstNet_0=&policyDstSvc_0=&"
		       "policyEnabled_0=1&policyInactivityUdp_0=300&",
		       rows[i].policy);
		open_as(&r, "sonicos-exp", wr_slice(&w));
		assert_int_equal(r.err, 0);
		assert_int_equal(
			fw_answer_all(&answers, &m.arena, &r.rules, &m.q), 0);
		if (answers[0].out.verdict != rows[i].sip)
			fail_msg("%s: %d", rows[i].policy,
			         answers[0].out.verdict);
		done(&r);
		wr_fini(&w);
		arena_fini(&m.arena);
	}
}

/* In minutes, as the factory's 15 shows. */
static void test_tcp_time_is_read(void **state)
{
	static const struct {
		const char *line;
		int64_t tcp_s;
	} rows[] = {
		{"tcp timeout 15", 900},
		{"tcp timeout 60", 3600},
		{"no tcp timeout", FW_IDLE_UNSET},
		{"tcp urgent", FW_IDLE_UNSET},
		{"tcp timeout 0", FW_IDLE_UNKNOWN},
		{"udp timeout 30", FW_IDLE_UNSET},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[256];
		const struct fw_rule *rule;
		struct read r;

		(void)snprintf(text, sizeof(text), ALLOW "    %s\n    exit\n",
		               rows[i].line);
		open_text(&r, text);
		rule = fw_chain_find(&r.rules, NULL, "access-rules")
		               ->first->next;
		if (r.err || rule->attrs.tcp_idle_s != rows[i].tcp_s)
			fail_msg("%s: %d", rows[i].line,
			         (int)rule->attrs.tcp_idle_s);
		assert_null(rule->conditional);
		done(&r);
	}
}

/* A rule that sets the time of TCP alone is not who set that of UDP. */
static void test_tcp_time_is_not_that_of_udp(void **state)
{
	struct fw_answer *answers;
	struct made m;
	struct read r;

	UNUSED(state);
	make(&m);
	open_text(&r, ALLOW "    tcp timeout 60\n    exit\n");
	assert_int_equal(fw_answer_all(&answers, &m.arena, &r.rules, &m.q), 0);
	assert_int_equal(answers[0].udp_idle_s, 30);
	assert_true(answers[0].is_idle_default);
	assert_null(answers[0].out.idle_rule);
	assert_int_equal(answers[0].out.attrs.tcp_idle_s, 3600);
	done(&r);
	arena_fini(&m.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_translated_destinations_are_not_known),
		cmocka_unit_test(test_backups_have_destinations_too),
		cmocka_unit_test(test_tcp_time_is_read),
		cmocka_unit_test(test_tcp_time_is_not_that_of_udp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
