/* SPDX-License-Identifier: ISC */
/* Keys and profiles of FortiOS policies: Fortinet's CLI reference, `config
 * firewall policy` and `config application list`. */
#include "firewall_box.h"

#define POLICY(more)                                                     \
	"config firewall policy\nedit 1\nset srcintf lan\n"              \
	"set dstintf wan1\nset srcaddr all\nset dstaddr all\n"           \
	"set action accept\nset schedule always\nset service ALL\n" more \
	"next\nend\n"
#define KERNEL                                                  \
	"config system settings\n"                              \
	"set default-voip-alg-mode kernel-helper-based\nend\n"  \
	"config system session-helper\nedit 1\nset name pptp\n" \
	"set protocol 6\nset port 1723\nnext\nend\n"

static const struct fw_rule *policy_of(const struct read *r)
{
	return r->rules.chains->last;
}

static size_t n_kept(const struct read *r)
{
	size_t n = 0;

	for (const struct fw_kept *k = r->rules.kept; k; k = k->next)
		n++;
	return n;
}

static void test_a_key_that_is_not_known_is_kept_and_doubted(void **state)
{
	static const struct {
		const char *lines;
		size_t n_kept;
		bool is_doubt;
	} rows[] = {
		{"", 0, false},
		{"set weird-thing enable\n", 1, true},
		{"set weird-thing \"x\" \"y\"\n", 1, true},
		/* As full-configuration writes what is not in use. */
		{"set weird-thing disable\n", 1, false},
		{"set weird-thing 0\n", 1, false},
		{"set weird-thing ''\n", 1, false},
		{"set weird-thing \"\"\n", 1, false},
		{"unset weird-thing\n", 1, false},
		{"append weird-thing x\n", 1, true},
		{"set groups staff\n", 0, true},
		{"set groups staff\nunset groups\n", 0, false},
		{"set sgt-check enable\nset sgt-check disable\n", 0, false},
		{"set sgt-check disable\nset sgt-check enable\n", 0, true},
		{"append users ana\n", 0, true},
		{"set match-vip-only enable\n", 0, true},
		{"set match-vip enable\n", 0, false},
		{"set nat64 enable\n", 0, true},
		{"set ztna-ems-tag x\n", 0, true},
		{"set replacemsg-anything x\n", 0, false},
		{"set replacemsg x\n", 1, true},
		{"set actio x\n", 1, true},
		{"set actions x\n", 1, true},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[1024];
		struct read r;

		(void)snprintf(text, sizeof(text), POLICY("%s"), rows[i].lines);
		open_as(&r, "fortios", slice_str(text));
		if (r.err || n_kept(&r) != rows[i].n_kept ||
		    !!policy_of(&r)->conditional != rows[i].is_doubt)
			fail_msg("%s: %d, %zu kept, %s", rows[i].lines, r.err,
			         n_kept(&r), policy_of(&r)->conditional);
		done(&r);
	}
}

/* What FortiOS 7.0 writes of an ordinary policy in full is all known. */
static void test_an_ordinary_policy_in_full_is_known(void **state)
{
	static const char *const keys[] = {
		"anti-replay enable",
		"auto-asic-offload enable",
		"av-profile \"default\"",
		"block-notification disable",
		"captive-portal-exempt disable",
		"capture-packet disable",
		"cifs-profile ''",
		"comments \"to the provider\"",
		"custom-log-fields",
		"decrypted-traffic-mirror ''",
		"delay-tcp-npu-session disable",
		"diffserv-copy disable",
		"diffserv-forward disable",
		"diffserv-reverse disable",
		"disclaimer disable",
		"dlp-sensor ''",
		"dnsfilter-profile \"default\"",
		"dstaddr-negate disable",
		"dstaddr6-negate disable",
		"dynamic-shaping disable",
		"email-collect disable",
		"emailfilter-profile ''",
		"fec disable",
		"file-filter-profile ''",
		"firewall-session-dirty check-all",
		"fixedport disable",
		"fsso-agent-for-ntlm ''",
		"geoip-anycast disable",
		"geoip-match physical-location",
		"global-label ''",
		"http-policy-redirect disable",
		"icap-profile ''",
		"identity-based-route ''",
		"inspection-mode flow",
		"internet-service disable",
		"internet-service-src disable",
		"internet-service6 disable",
		"ippool disable",
		"ips-sensor \"default\"",
		"label ''",
		"logtraffic all",
		"logtraffic-start disable",
		"match-vip enable",
		"match-vip-only disable",
		"name \"out\"",
		"nat enable",
		"nat46 disable",
		"nat64 disable",
		"np-acceleration enable",
		"ntlm disable",
		"passive-wan-health-measurement disable",
		"per-ip-shaper ''",
		"permit-any-host disable",
		"permit-stun-host disable",
		"policy-expiry disable",
		"profile-protocol-options \"default\"",
		"profile-type single",
		"radius-mac-auth-bypass disable",
		"redirect-url ''",
		"replacemsg-override-group ''",
		"reputation-direction destination",
		"reputation-minimum 0",
		"rtp-nat disable",
		"schedule-timeout disable",
		"sctp-filter-profile ''",
		"send-deny-packet disable",
		"service-negate disable",
		"session-ttl 0",
		"sgt-check disable",
		"src-vendor-mac",
		"srcaddr-negate disable",
		"ssh-filter-profile ''",
		"ssh-policy-redirect disable",
		"ssl-ssh-profile \"certificate-inspection\"",
		"status enable",
		"tcp-mss-receiver 0",
		"tcp-mss-sender 0",
		"tcp-session-without-syn disable",
		"timeout-send-rst disable",
		"tos 0x00",
		"tos-mask 0x00",
		"tos-negate disable",
		"traffic-shaper ''",
		"traffic-shaper-reverse ''",
		"utm-status enable",
		"uuid 00000000-0000-51ee-0000-000000000000",
		"videofilter-profile ''",
		"vlan-cos-fwd 255",
		"vlan-cos-rev 255",
		"vlan-filter ''",
		"voip-profile ''",
		"waf-profile ''",
		"wanopt disable",
		"wccp disable",
		"webcache disable",
		"webcache-https disable",
		"webfilter-profile \"default\"",
		"webproxy-forward-server ''",
		"webproxy-profile ''",
		"wsso enable",
		"ztna-status disable",
	};
	static char text[16384];
	size_t n = (size_t)snprintf(text, sizeof(text), "%s",
	                            KERNEL "config firewall policy\nedit 1\n");
	struct read r;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "set %s\n",
		                      keys[i]);
	(void)snprintf(text + n, sizeof(text) - n,
	               "set srcintf lan\nset dstintf wan1\nset srcaddr all\n"
	               "set dstaddr all\nset action accept\n"
	               "set schedule always\nset service ALL\nnext\nend\n");
	open_as(&r, "fortios", slice_str(text));
	assert_int_equal(r.err, 0);
	assert_int_equal(r.dg.n_warnings, 0);
	assert_int_equal(n_kept(&r), 0);
	assert_null(policy_of(&r)->conditional);
	assert_int_equal(policy_of(&r)->attrs.alg, FW_OFF);
	done(&r);
}

#define APPS(lines)  "config application list\nedit x\n" lines "next\nend\n"
#define ENTRY(lines) "config entries\nedit 1\n" lines "next\nend\n"
#define USES         POLICY("set utm-status enable\nset application-list x\n")

static void test_application_control_may_block_calls(void **state)
{
	static const struct {
		const char *why, *text;
		bool is_doubt;
	} rows[] = {
		{"not in the text", USES, true},
		{"the factory's", POLICY("set application-list default\n"),
	         false},
		{"watches all", APPS(ENTRY("set action pass\n")) USES, false},
		{"blocks what has nothing to do with calls",
	         APPS(ENTRY("set category 2 6 8\n")) USES, false},
		{"blocks VoIP", APPS(ENTRY("set category 2 3\n")) USES, true},
		{"blocks some by number",
	         APPS(ENTRY("set application 12345\n")) USES, true},
		{"of VoIP lets some pass, then blocks it",
	         APPS("config entries\nedit 1\nset application 12345\n"
	              "set action pass\nnext\nedit 2\nset category 3\nnext\n"
	              "end\n") USES,
	         true},
		{"lets VoIP pass, then blocks it",
	         APPS("config entries\nedit 1\nset category 3\n"
	              "set action pass\nnext\nedit 2\nset category 3\nnext\n"
	              "end\n") USES,
	         false},
		{"lets all pass, then blocks",
	         APPS("config entries\nedit 1\nset action monitor\nnext\n"
	              "edit 2\nset category 3\nnext\nend\n"
	              "set unknown-application-action block\n") USES,
	         false},
		{"risks of any category", APPS(ENTRY("set risk 5\n")) USES,
	         true},
		{"what it does not know",
	         APPS("set unknown-application-action block\n") USES, true},
		{"what it does not list",
	         APPS("set other-application-action block\n") USES, true},
		{"SIP on 5080",
	         APPS("set enforce-default-app-port enable\n") USES, true},
		{"in full, and off",
	         APPS("set enforce-default-app-port disable\n"
	              "set other-application-action pass\n"
	              "set unknown-application-action pass\n") USES,
	         false},
		{"profiles are off",
	         APPS(ENTRY("set category 3\n"))
	                 POLICY("set utm-status disable\n"
	                        "set application-list x\n"),
	         false},
		{"by a group",
	         APPS(ENTRY(
			 "set category 3\n")) "config firewall profile-group\nedit g\n"
	                                      "set application-list x\nnext\nend\n" POLICY(
						      "set profile-type group\n"
						      "set profile-group g\n"),
	         true},
		{"by a group that is not in the text",
	         POLICY("set profile-type group\nset profile-group g\n"), true},
		{"a group that is not used",
	         POLICY("set profile-type single\nset profile-group g\n"),
	         false},
		{"a policy that denies",
	         APPS(ENTRY("set category 3\n"))
	                 POLICY("set action deny\n"
	                        "set application-list x\n"),
	         false},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct read r;

		open_as(&r, "fortios", slice_str(rows[i].text));
		if (r.err || !!policy_of(&r)->conditional != rows[i].is_doubt)
			fail_msg("%s: %d, %s", rows[i].why, r.err,
			         policy_of(&r)->conditional);
		done(&r);
	}
}

/* The VoIP profile of a group counts as the policy's own. */
static void test_a_group_of_profiles_may_hold_the_alg(void **state)
{
	static const struct {
		const char *text;
		enum fw_tri alg;
	} rows[] = {
		{KERNEL POLICY(""), FW_OFF},
		{KERNEL
	         "config firewall profile-group\nedit g\n"
	         "set av-profile default\nnext\nend\n" POLICY(
			 "set profile-type group\nset profile-group g\n"),
	         FW_OFF},
		{KERNEL
	         "config voip profile\nedit v\nconfig sip\n"
	         "set rtp enable\nend\nnext\nend\n"
	         "config firewall profile-group\nedit g\n"
	         "set voip-profile v\nnext\nend\n" POLICY(
			 "set profile-type group\nset profile-group g\n"),
	         FW_ON},
		{KERNEL POLICY("set profile-type group\nset profile-group g\n"),
	         FW_UNKNOWN},
		{KERNEL "config voip profile\nedit v\nconfig sip\n"
	                "set rtp enable\nend\nnext\nend\n" POLICY(
				"set ips-voip-filter v\n"),
	         FW_ON},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct read r;

		open_as(&r, "fortios", slice_str(rows[i].text));
		if (r.err || policy_of(&r)->attrs.alg != rows[i].alg)
			fail_msg("%zu: %d, %d", i, r.err,
			         (int)policy_of(&r)->attrs.alg);
		done(&r);
	}
}

static void test_a_limit_on_the_rate_is_told(void **state)
{
	static const struct {
		const char *status, *action, *name;
		size_t n_warnings;
	} rows[] = {
		{"enable", "block", "udp_flood", 1},
		{"enable", "block", "udp_src_session", 1},
		{"disable", "block", "udp_flood", 0},
		{"enable", "pass", "udp_flood", 0},
		{"enable", "block", "tcp_syn_flood", 0},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[1024];
		struct read r;

		(void)snprintf(
			text, sizeof(text),
			"config firewall DoS-policy\nedit 1\n"
			"set interface lan\nconfig anomaly\nedit \"%s\"\n"
			"set status %s\nset action %s\n"
			"set threshold 2000\nnext\nend\nnext\nend\n%s",
			rows[i].name, rows[i].status, rows[i].action,
			POLICY(""));
		open_as(&r, "fortios", slice_str(text));
		assert_int_equal(r.err, 0);
		assert_int_equal(r.dg.n_warnings, rows[i].n_warnings);
		done(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_a_key_that_is_not_known_is_kept_and_doubted),
		cmocka_unit_test(test_an_ordinary_policy_in_full_is_known),
		cmocka_unit_test(test_application_control_may_block_calls),
		cmocka_unit_test(test_a_group_of_profiles_may_hold_the_alg),
		cmocka_unit_test(test_a_limit_on_the_rate_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
