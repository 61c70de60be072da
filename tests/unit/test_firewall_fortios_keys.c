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

#define SERVICE(more)                                                \
	"config firewall service custom\nedit x\nset udp-portrange " \
	"5060\n" more "next\nend\n"
#define ADDRESS(more)                                            \
	"config firewall address\nedit x\nset subnet 192.0.2.0 " \
	"255.255.255.0\n" more "next\nend\n"
#define WITH_SERVICE POLICY("set service x\n")
#define WITH_ADDRESS POLICY("set dstaddr x\n")

static void test_keys_of_objects_are_known_or_doubted(void **state)
{
	static const struct {
		const char *why, *text;
		size_t n_kept;
		const char *doubt; /* begins so */
	} rows[] = {
		{"a service", SERVICE("set category \"VoIP\"\n") WITH_SERVICE,
	         0, NULL},
		{"a service in full",
	         SERVICE("set proxy disable\nset helper auto\n"
	                 "set iprange 0.0.0.0\nset fqdn ''\n"
	                 "set app-service-type disable\n"
	                 "set tcp-portrange ''\nset sctp-portrange ''\n"
	                 "set session-ttl 0\nset check-reset-range default\n"
	                 "set visibility enable\nset color 0\n") WITH_SERVICE,
	         0, NULL},
		{"for some addresses",
	         SERVICE("set iprange 192.0.2.1-192.0.2.9\n") WITH_SERVICE, 0,
	         "set iprange"},
		{"for all addresses",
	         SERVICE("set iprange 0.0.0.0-255.255.255.255\n") WITH_SERVICE,
	         0, NULL},
		{"for a name",
	         SERVICE("set fqdn sip.example.net\n") WITH_SERVICE, 0,
	         "set fqdn"},
		{"of the web proxy", SERVICE("set proxy enable\n") WITH_SERVICE,
	         0, "set proxy"},
		{"of the web proxy, 5.0",
	         SERVICE("set explicit-proxy enable\n") WITH_SERVICE, 0,
	         "set explicit-proxy"},
		{"an unknown key of a service",
	         SERVICE("set weird-thing enable\n") WITH_SERVICE, 1,
	         "set weird-thing"},
		{"an unknown key, off",
	         SERVICE("set weird-thing disable\n") WITH_SERVICE, 1, NULL},
		{"an unknown key of a service of a group",
	         SERVICE("set weird-thing enable\n") "config firewall service group\nedit g\n"
	                                             "set member x\nset color 3\nnext\nend\n" POLICY(
							     "set service g\n"),
	         1, "set weird-thing"},
		{"an unknown key of a group of services",
	         SERVICE("") "config firewall service group\nedit g\n"
	                     "set member x\nset weird-thing 1\nnext\n"
	                     "end\n" POLICY("set service g\n"),
	         1, "set weird-thing"},
		{"an address in full",
	         ADDRESS("set type ipmask\nset sub-type sdn\nset comment ''\n"
	                 "set associated-interface ''\nset color 0\n"
	                 "set allow-routing disable\nset macaddr\n"
	                 "set fabric-object disable\nset uuid 0\n")
	                 WITH_ADDRESS,
	         0, NULL},
		{"an unknown key of an address",
	         ADDRESS("set weird-thing enable\n") WITH_ADDRESS, 1,
	         "set weird-thing"},
		{"an unknown key of an address of a group",
	         ADDRESS("set weird-thing enable\n") "config firewall addrgrp\nedit g\nset member x\n"
	                                             "set category default\nnext\nend\n" POLICY(
							     "set dstaddr g\n"),
	         1, "set weird-thing"},
		{"an unknown key of a group of addresses",
	         ADDRESS("") "config firewall addrgrp\nedit g\nset member x\n"
	                     "set weird-thing 1\nnext\nend\n" POLICY(
				     "set dstaddr g\n"),
	         1, "set weird-thing"},
		{"an unknown key of what no policy names",
	         ADDRESS("set weird-thing enable\n") POLICY(""), 0, NULL},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *want = rows[i].doubt;
		const char *seen;
		struct read r;

		open_as(&r, "fortios", slice_str(rows[i].text));
		seen = policy_of(&r)->conditional;
		if (r.err || n_kept(&r) != rows[i].n_kept || !want != !seen ||
		    (want && strncmp(want, seen, strlen(want)) != 0))
			fail_msg("%s: %d, %zu kept, %s", rows[i].why, r.err,
			         n_kept(&r), seen);
		done(&r);
	}
}

#define PORTS                                                     \
	"config system interface\nedit fixed\n"                   \
	"set ip 192.0.2.1 255.255.255.128\nnext\nedit leased\n"   \
	"set mode dhcp\nset ip 192.0.2.1 255.255.255.128\nnext\n" \
	"edit bare\nnext\nend\n"

/* An address "of this interface", as the GUI makes for each LAN. */
static void test_the_network_of_an_interface(void **state)
{
	static const struct {
		const char *lines;
		enum fw_addr_kind kind;
		unsigned last; /* byte of the last address */
	} rows[] = {
		{"set interface fixed\n", FW_ADDR_RANGE, 127},
		{"set subnet 192.0.2.1 255.255.255.0\nset interface fixed\n",
	         FW_ADDR_RANGE, 127},
		{"set subnet 192.0.2.1 255.255.255.0\nset interface other\n",
	         FW_ADDR_RANGE, 255},
		{"set subnet 192.0.2.1 255.255.255.0\nset interface leased\n",
	         FW_ADDR_UNKNOWN, 0},
		{"set interface bare\n", FW_ADDR_UNKNOWN, 0},
		{"set interface other\n", FW_ADDR_UNKNOWN, 0},
		{"", FW_ADDR_UNKNOWN, 0},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct fw_addr *a;
		char text[2048];
		struct read r;

		(void)snprintf(text, sizeof(text),
		               PORTS "config firewall address\nedit x\n"
		                     "set type interface-subnet\n%snext\n"
		                     "end\n" POLICY("set srcaddr x\n"),
		               rows[i].lines);
		open_as(&r, "fortios", slice_str(text));
		assert_int_equal(r.err, 0);
		a = policy_of(&r)->src.first;
		if (!a || a->kind != rows[i].kind ||
		    (a->kind == FW_ADDR_RANGE &&
		     (a->hi.lo & UINT8_MAX) != rows[i].last))
			fail_msg("%zu", i);
		done(&r);
	}
}

/* An excerpt has no objects; those of the factory are known all the same. */
static void test_factory_services_are_known(void **state)
{
	static const struct {
		const char *name;
		int proto;
		unsigned lo, hi;
		bool is_doubt;
	} rows[] = {
		{"SIP", 6, 5060, 5060, false},
		{"TRACEROUTE", 17, 33434, 33535, false},
		{"ESP", 50, 0, 65535, false},
		{"SNMP", 6, 161, 162, false},
		{"Phone-Ports", -1, 0, 0, true},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct fw_service *sv;
		char text[1024];
		struct read r;

		(void)snprintf(text, sizeof(text),
		               POLICY("set service \"%s\"\n"), rows[i].name);
		open_as(&r, "fortios", slice_str(text));
		assert_int_equal(r.err, 0);
		sv = policy_of(&r)->services.first;
		if (!!policy_of(&r)->conditional != rows[i].is_doubt ||
		    !sv != rows[i].is_doubt ||
		    (sv && (sv->proto != rows[i].proto ||
		            sv->dport_lo != rows[i].lo ||
		            sv->dport_hi != rows[i].hi)))
			fail_msg("%s", rows[i].name);
		done(&r);
	}
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
		/* What an application list may do is told. */
		if (r.err || !!policy_of(&r)->conditional != rows[i].is_doubt ||
		    (r.dg.n_warnings > 0) !=
		            (rows[i].is_doubt &&
		             strstr(rows[i].text, "application-list")))
			fail_msg("%s: %d, %s", rows[i].why, r.err,
			         policy_of(&r)->conditional);
		done(&r);
	}
}

/* Until 5.0 whom such a policy lets in stands in a table of its own, with the
 * addresses: it is no policy that matches nothing. */
static void test_a_policy_for_users_is_not_empty(void **state)
{
	struct read r;

	UNUSED(state);
	open_as(&r, "fortios",
	        slice_str("config firewall policy\nedit 2\nset srcintf lan\n"
	                  "set dstintf wan1\nset srcaddr all\n"
	                  "set action accept\nset identity-based enable\n"
	                  "config identity-based-policy\nedit 1\n"
	                  "set schedule always\nset groups staff\n"
	                  "set dstaddr all\nset service ALL\nnext\nend\n"
	                  "next\nend\n"));
	assert_int_equal(r.err, 0);
	assert_false(policy_of(&r)->is_disabled);
	assert_string_equal(policy_of(&r)->conditional,
	                    "set identity-based enable");
	done(&r);
}

/* The reason is the table of the vendor's, and not that a service is missing;
 * and who is on a zone is guessed as the zone. */
static void test_a_policy_for_internet_services_says_which(void **state)
{
	static const struct {
		const char *lines, *doubt;
	} rows[] = {
		{"set internet-service enable\n"
	         "set internet-service-name \"Google-DNS\"\n",
	         "set internet-service-name \"Google-DNS\""},
		{"set internet-service enable\n"
	         "set internet-service-group \"mine\"\n",
	         "set internet-service enable"},
		{"set internet-service-src enable\nset service SIP\n"
	         "set dstaddr all\n",
	         "set internet-service-src enable"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[1024];
		struct read r;

		(void)snprintf(text, sizeof(text),
		               "config system zone\nedit inside\n"
		               "set interface lan voice\nnext\nend\n"
		               "config firewall policy\nedit 1\n"
		               "set srcintf inside\nset dstintf wan1\n"
		               "set srcaddr all\nset action accept\n"
		               "set schedule always\nset nat enable\n%snext\n"
		               "end\n",
		               rows[i].lines);
		open_as(&r, "fortios", slice_str(text));
		assert_int_equal(r.err, 0);
		assert_false(policy_of(&r)->is_disabled);
		assert_string_equal(policy_of(&r)->conditional, rows[i].doubt);
		assert_string_equal(fw_guess_wan(&r.rules), "wan1");
		assert_string_equal(fw_guess_lan(&r.rules, "wan1"), "inside");
		done(&r);
	}
}

static void test_an_excerpt_without_policies_blocks_nothing(void **state)
{
	static const struct {
		const char *text;
		bool is_excerpt;
	} rows[] = {
		{KERNEL, true},
		{KERNEL "config firewall policy\nend\n", false},
		{KERNEL "config firewall policy6\nend\n", false},
		{KERNEL POLICY(""), false},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct fw_rule *last;
		struct read r;

		open_as(&r, "fortios", slice_str(rows[i].text));
		assert_int_equal(r.err, 0);
		last = policy_of(&r);
		assert_non_null(last);
		assert_int_equal(!!last->conditional, rows[i].is_excerpt);
		if (rows[i].is_excerpt) {
			assert_int_equal(last->action, FW_ACCEPT);
			assert_int_equal(last->attrs.alg, FW_OFF);
		}
		done(&r);
	}
}

#define BLOCKS                                              \
	"config application list\nedit x\nconfig entries\n" \
	"edit 1\nset category 3\nnext\nend\nnext\n"         \
	"edit y\nconfig entries\nedit 1\nset category 2\n"  \
	"next\nend\nnext\nend\n"

static void test_what_comes_first_may_drop(void **state)
{
	static const struct {
		const char *list, *lines;
		bool is_doubt;
	} rows[] = {
		{"acl", "set interface lan\n", true},
		{"acl", "set status disable\n", false},
		{"ttl-policy", "set action deny\nset ttl 1-30\n", true},
		{"ttl-policy", "set action accept\nset ttl 1-30\n", false},
		{"interface-policy",
	         "set application-list-status enable\n"
	         "set application-list x\n",
	         true},
		{"interface-policy6",
	         "set application-list-status enable\n"
	         "set application-list x\n",
	         true},
		{"interface-policy",
	         "set application-list-status enable\n"
	         "set application-list y\n",
	         false},
		{"interface-policy",
	         "set application-list-status disable\n"
	         "set application-list x\n",
	         false},
		{"interface-policy",
	         "set status disable\nset application-list-status enable\n"
	         "set application-list x\n",
	         false},
		{"local-in-policy", "set action deny\n", false},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *seen;
		char text[2048], want[64];
		struct read r;

		(void)snprintf(text, sizeof(text),
		               BLOCKS "config firewall %s\nedit 1\n%snext\n"
		                      "end\n%s",
		               rows[i].list, rows[i].lines, POLICY(""));
		(void)snprintf(want, sizeof(want), "config firewall %s",
		               rows[i].list);
		open_as(&r, "fortios", slice_str(text));
		seen = policy_of(&r)->conditional;
		if (r.err || !seen == rows[i].is_doubt ||
		    (seen && strcmp(seen, want) != 0))
			fail_msg("%zu: %d, %s", i, r.err, seen);
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
		{KERNEL
	         "config voip profile\nedit v\nconfig sip\n"
	         "set rtp enable\nend\nnext\nend\n"
	         "config firewall profile-group\nedit g\n"
	         "set ips-voip-filter v\nnext\nend\n" POLICY(
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
		cmocka_unit_test(test_keys_of_objects_are_known_or_doubted),
		cmocka_unit_test(test_the_network_of_an_interface),
		cmocka_unit_test(test_factory_services_are_known),
		cmocka_unit_test(test_application_control_may_block_calls),
		cmocka_unit_test(test_a_group_of_profiles_may_hold_the_alg),
		cmocka_unit_test(test_a_policy_for_users_is_not_empty),
		cmocka_unit_test(
			test_a_policy_for_internet_services_says_which),
		cmocka_unit_test(
			test_an_excerpt_without_policies_blocks_nothing),
		cmocka_unit_test(test_what_comes_first_may_drop),
		cmocka_unit_test(test_a_limit_on_the_rate_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
