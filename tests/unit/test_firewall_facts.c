/* SPDX-License-Identifier: ISC */
/*
 * What is known of vendors' boxes, row by row: what a text means where it is
 * silent, and how its lines work together. A row names who says so, and the
 * code must give the same source.
 */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "firewall/audit.h"
#include "firewall/foreign.h"
#include "firewall/linux.h"
#include "firewall/vendor.h"

struct box {
	struct arena arena;
	struct fw_rules rules;
	struct diag dg;
	struct fw_flow sip;
	struct fw_answer *answer;
};

/* SIP over UDP to 192.0.2.1, 300 s wanted. */
static void open_box(struct box *b, const char *dialect, const char *text)
{
	struct fw_question q = {.flows = &b->sip, .n_flows = 1};
	struct fw_ip lo, hi;

	arena_init(&b->arena);
	fw_rules_init(&b->rules);
	diag_init(&b->dg, &b->arena, "box", slice_str(text));
	if (fw_dialect_find(dialect)->parse(&b->rules, slice_str(text), &b->dg))
		fail_msg("%s: not read: %s", dialect, text);
	b->sip = (struct fw_flow){.id = "sip",
	                          .is_sip = true,
	                          .min_udp_idle_s = 300,
	                          .min_tcp_idle_s = FW_IDLE_UNSET};
	assert_int_equal(fw_ip_parse(&lo, &hi, slice_str("192.0.2.1")), 0);
	assert_non_null(fw_addrs_add_range(&b->arena, &b->sip.dst, lo, hi));
	assert_non_null(fw_services_add(&b->arena, &b->sip.services,
	                                FW_PROTO_UDP, 5060, 5060));
	assert_int_equal(fw_answer_all(&b->answer, &b->arena, &b->rules, &q),
	                 0);
}

static void close_box(struct box *b)
{
	fw_rules_fini(&b->rules);
	arena_fini(&b->arena);
}

static const char *setting_source(const struct fw_rules *rules, bool is_alg)
{
	for (const struct fw_setting *s = rules->settings; s; s = s->next) {
		if (is_alg ? s->attrs.alg != FW_UNSET
		           : s->attrs.udp_idle_s != FW_IDLE_UNSET)
			return s->source;
	}
	return NULL;
}

/* Who says what the ALG does: the rule that decides, or the box. */
static const char *alg_source(const struct box *b)
{
	const struct fw_rule *r = b->answer->out.alg_rule;

	return r ? r->attrs.alg_source : setting_source(&b->rules, true);
}

static void check_source(const char *row, const char *id, const char *want,
                         const char *document)
{
	const struct fw_vendor_fact *vf = fw_vendor_fact_find(id);

	if (!id || strcmp(id, want) != 0 || !vf) {
		fail_msg("%s: source %s", row, id ? id : "none");
		return;
	}
	if (!strstr(vf->document, document))
		fail_msg("%s: %s says %s", row, id, vf->document);
}

/* ---- fresh boxes ---- */

#define POLICY                                                               \
	"config firewall policy\nedit 1\nset srcintf any\nset dstintf any\n" \
	"set srcaddr all\nset dstaddr all\nset action accept\n"              \
	"set service ALL\nset schedule always\nnext\nend\n"
#define SONIC_RULE                                                          \
	"access-rule ipv4 from any to any action allow source address any " \
	"service any destination address any\n    exit\n"
#define NFT_OPEN(more)                                               \
	"table inet fw4 {\n" more "chain forward {\n"                \
	"type filter hook forward priority filter; policy accept;\n" \
	"}\n}\n"

static void test_fresh_boxes_do_what_their_makers_say(void **state)
{
	static const struct {
		const char *box, *dialect, *text;
		enum fw_tri alg;
		int64_t udp_s;
		const char *alg_source, *alg_document;
		const char *udp_source, *udp_document;
	} rows[] = {
		{"FortiOS 5.2", "fortios",
	         "#config-version=FGT60D-5.02-FW-build0589:opmode=0\n" POLICY,
	         FW_ON, 180, "fortios-sip-proxy", "KB 194651",
	         "fortios-udp-idle", "KB 191228"},
		{"FortiOS 6.0", "fortios",
	         "#config-version=FGT60E-6.0.5-FW-build0268:opmode=0\n" POLICY,
	         FW_ON, 180, "fortios-sip-proxy", "KB 194651",
	         "fortios-udp-idle", "KB 191228"},
		{"FortiOS 7.4", "fortios",
	         "#config-version=FGT61F-7.4.1-FW-build2463:opmode=0\n" POLICY,
	         FW_ON, 180, "fortios-sip-flow", "593415", "fortios-udp-idle",
	         "KB 191228"},
		{"SonicOS 7", "sonicos",
	         "firmware-version \"SonicOS 7.0.1-5052\"\n" SONIC_RULE, FW_OFF,
	         30, "sonicos-sip-default", "Enabling SIP",
	         "sonicos-udp-default", ".exp backup"},
		{"RouterOS 6", "routeros",
	         "# jan/02/2024 10:00:00 by RouterOS 6.49.10\n", FW_ON, 180,
	         "routeros-sip-default", "Service port", "routeros-udp-default",
	         "Connection tracking"},
		{"RouterOS 7", "routeros",
	         "# 2024-01-02 10:00:00 by RouterOS 7.14.2\n", FW_ON, 180,
	         "routeros-sip-default", "Service port", "routeros-udp-default",
	         "Connection tracking"},
		{"EdgeOS", "edgeos",
	         "system {\n host-name ubnt\n}\n"
	         "/* === vyatta-config-version: \"conntrack@1:system@4\" === "
	         "*/\n",
	         FW_ON, 180, "edgeos-sip-default", "EdgeOS",
	         "vyatta-udp-default", "timeout-common-protocols"},
		{"VyOS 1.2", "vyos",
	         "system {\n host-name v\n}\n"
	         "/* === vyatta-config-version: \"conntrack@1\" === */\n",
	         FW_ON, 180, "vyos-sip-old", "2-to-3", "vyatta-udp-default",
	         "timeout-common-protocols"},
		{"VyOS 1.3", "vyos",
	         "system {\n host-name v\n}\n"
	         "// vyos-config-version: \"conntrack@2\"\n",
	         FW_ON, 180, "vyos-sip-old", "2-to-3", "vyatta-udp-default",
	         "timeout-common-protocols"},
		{"VyOS current", "vyos",
	         "system {\n host-name v\n}\n"
	         "// vyos-config-version: \"conntrack@5\"\n",
	         FW_OFF, 180, "vyos-sip-new", "config.boot.default",
	         "vyatta-udp-default", "timeout-common-protocols"},
		{"Linux, nftables", "nftables", NFT_OPEN(""), FW_OFF, 120,
	         "linux b118509076b3", "b118509076b3", "linux 294304e4c522",
	         "294304e4c522"},
		{"Linux, iptables", "iptables",
	         "*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n", FW_OFF, 120,
	         "linux b118509076b3", "b118509076b3", "linux 294304e4c522",
	         "294304e4c522"},
		{"OpenWrt, without its package of helpers", "nftables",
	         NFT_OPEN("chain helper_lan {\n}\n"), FW_OFF, 120,
	         "linux b118509076b3", "b118509076b3", "linux 294304e4c522",
	         "294304e4c522"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct fw_answer *an;
		struct box b;

		open_box(&b, rows[i].dialect, rows[i].text);
		an = b.answer;
		if (an->alg != rows[i].alg || an->udp_idle_s != rows[i].udp_s)
			fail_msg("%s: alg %s, %d s", rows[i].box,
			         fw_tri_name(an->alg), (int)an->udp_idle_s);
		/* Not one of them is fit for calls as it comes. */
		assert_true(an->alg != FW_OFF || an->udp_idle_s < 300);
		check_source(rows[i].box, alg_source(&b), rows[i].alg_source,
		             rows[i].alg_document);
		check_source(rows[i].box, setting_source(&b.rules, false),
		             rows[i].udp_source, rows[i].udp_document);
		close_box(&b);
	}
}

/* With its package of helpers, OpenWrt's fw4 assigns them by rules. */
static void test_openwrt_has_a_helper_where_it_assigns_one(void **state)
{
	struct box b;

	UNUSED(state);
	open_box(&b, "nftables",
	         NFT_OPEN("ct helper sip {\ntype \"sip\" protocol udp\n"
	                  "l3proto inet\n}\n"
	                  "chain prerouting {\n"
	                  "type filter hook prerouting priority filter;\n"
	                  "udp dport 5060 ct helper set \"sip\"\n}\n"));
	assert_int_equal(b.answer->alg, FW_ON);
	close_box(&b);
}

/* Boxes that are not read here are taken for no other one, and known. */
static void test_other_boxes_do_what_their_makers_say(void **state)
{
	static const struct {
		const char *box, *text;
		enum fw_tri alg;
		int64_t udp_lo_s, udp_hi_s;
		const char *source, *document;
	} rows[] = {
		{"pfsense",
	         "<?xml version=\"1.0\"?>\n<pfsense>\n<version>22.9</version>\n"
	         "<system>\n<optimization>normal</optimization>\n</system>\n"
	         "<filter><rule><type>pass</type></rule></filter>\n</pfsense>\n",
	         FW_OFF, 30, 60, "pfsense-defaults", "filter.inc"},
		{"opnsense",
	         "<?xml version=\"1.0\"?>\n<opnsense>\n<filter/>\n"
	         "</opnsense>\n",
	         FW_OFF, 30, 60, "pfsense-defaults", "filter.inc"},
		{"ios",
	         "version 15.2\nhostname r1\n!\nip nat inside source list 1 "
	         "interface Gi0/0 overload\nip access-list extended OUT\n "
	         "permit udp any any range 5060 5061\n!\nend\n",
	         FW_ON, 300, 300, "ios-defaults", "NAT TCP SIP ALG"},
		{"asa",
	         "ASA Version 9.8(2)\nhostname asa\naccess-list IN extended "
	         "permit udp any any eq sip\npolicy-map global_policy\n class "
	         "inspection_default\n  inspect sip\ntimeout udp 0:02:00\n",
	         FW_ON, 120, 120, "asa-defaults", "default inspection"},
		{"srx",
	         "version 18.4R1;\nsecurity {\n    policies {\n        from-zone "
	         "trust to-zone untrust {\n            policy p {\n"
	         "                then { permit; }\n            }\n        }\n"
	         "    }\n}\n",
	         FW_ON, 60, 60, "srx-defaults", "Policy Application Timeout"},
		{"srx",
	         "set version 18.4R1\nset security alg sip disable\nset "
	         "security policies from-zone trust to-zone untrust policy p "
	         "then permit\n",
	         FW_ON, 60, 60, "srx-defaults", "ALG overview"},
		{"panos",
	         "<?xml version=\"1.0\"?>\n<config version=\"9.1.0\">\n<shared>"
	         "<alg-override><application><entry name=\"sip\"/>"
	         "</application></alg-override></shared></config>\n",
	         FW_ON, 30, 30, "panos-defaults", "application override"},
		{"panos",
	         "set deviceconfig setting session timeout-udp 300\nset "
	         "rulebase security rules r action allow\n",
	         FW_ON, 30, 30, "panos-defaults", "unconfirmed"},
		{"checkpoint",
	         "{\n\"objects\": [{\"name\": \"sip\", \"type\": "
	         "\"service-udp\", \"session-timeout\": 40}],\n\"from\": 1,\n"
	         "\"to\": 1,\n\"total\": 1\n}\n",
	         FW_UNKNOWN, 40, 40, "checkpoint-defaults", "management API"},
		{"openwrt",
	         "\nconfig defaults\n\toption input 'ACCEPT'\n\nconfig zone\n"
	         "\toption name 'lan'\n",
	         FW_OFF, 120, 120, "openwrt-defaults", "firewall4"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct slice text = slice_str(rows[i].text);
		const struct fw_dialect *d = fw_dialect_recognise(text);
		const struct fw_foreign *box = fw_foreign_recognise(text);

		if (d)
			fail_msg("taken for %s: %s", d->name, rows[i].text);
		if (!box || strcmp(box->id, rows[i].box) != 0)
			fail_msg("%s: taken for %s", rows[i].box,
			         box ? box->id : "nothing");
		assert_int_equal(box->alg, rows[i].alg);
		assert_int_equal(box->udp_idle_lo_s, rows[i].udp_lo_s);
		assert_int_equal(box->udp_idle_hi_s, rows[i].udp_hi_s);
		check_source(rows[i].box, box->source, rows[i].source,
		             rows[i].document);
	}
}

/* Nor is one of ours, or no configuration at all, taken for one of them. */
static void test_what_is_read_is_not_foreign(void **state)
{
	static const char *const texts[] = {
		POLICY,
		SONIC_RULE,
		NFT_OPEN(""),
		"# by RouterOS 7.14.2\n/ip firewall filter\n",
		"*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n",
		"version 1 of a letter\nabout security\n",
		""};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_null(fw_foreign_recognise(slice_str(texts[i])));
}

/* ---- FortiOS: SIP by version ---- */

#define V(version)      "#config-version=FGT61F-" version "-FW-build1:opmode=0\n"
#define SETTINGS(lines) "config system settings\n" lines "end\n"
#define KERNEL          SETTINGS("set default-voip-alg-mode kernel-helper-based\n")
#define PROXY           SETTINGS("set default-voip-alg-mode proxy-based\n")
#define HELPERS(lines)                                                      \
	"config system session-helper\nedit 1\nset name ftp\nset port 21\n" \
	"set protocol 6\nnext\n" lines "end\n"
#define SIP_HELPER                                                        \
	HELPERS("edit 13\nset name sip\nset protocol 17\nset port 5060\n" \
	        "next\n")
#define PROFILE(name, status)               \
	"config voip profile\nedit \"" name \
	"\"\nconfig sip\nset status " status "\nend\nnext\nend\n"
#define RULE(lines)                                                          \
	"config firewall policy\nedit 1\nset srcintf any\nset dstintf any\n" \
	"set srcaddr all\nset dstaddr all\nset action accept\n"              \
	"set service ALL\nset schedule always\n" lines "next\nend\n"

static const struct {
	const char *why, *text;
	enum fw_tri alg;
	const char *source, *document;
} sip_rows[] = {
	{"5.0: the session helper, from the factory",
         V("5.00") SIP_HELPER RULE(""), FW_ON, "fortios-sip-helper-on",
         "5.2 handbook"},
	{"5.0: deleted", V("5.00") HELPERS("") RULE(""), FW_OFF,
         "fortios-sip-off", "KB 211669"},
	{"5.0: its table is not in the text", V("5.00") RULE(""), FW_UNKNOWN,
         "fortios-sip-helper-unseen", "KB 384586"},
	{"5.2: the proxy, though the helper is gone",
         V("5.2.0") HELPERS("") RULE(""), FW_ON, "fortios-sip-proxy",
         "5.2, What's new"},
	{"5.6", V("5.6.3") SIP_HELPER RULE(""), FW_ON, "fortios-sip-proxy",
         "KB 194651"},
	{"6.0, flow inspection for the VDOM",
         V("6.0.5") SETTINGS("set inspection-mode flow\n") RULE(""), FW_ON,
         "fortios-sip-proxy", "KB 194651"},
	{"6.2, whatever the policy's mode",
         V("6.2.4") RULE("set inspection-mode flow\n"), FW_ON,
         "fortios-sip-proxy", "KB 194651"},
	{"6.4", V("6.4.8") PROXY RULE("set inspection-mode proxy\n"), FW_ON,
         "fortios-sip-proxy", "KB 194651"},
	{"7.0.0 is as 6.4", V("7.0.0") RULE("set inspection-mode flow\n"),
         FW_ON, "fortios-sip-proxy", "KB 194651"},
	{"7.0.1, proxy mode", V("7.0.1") RULE("set inspection-mode proxy\n"),
         FW_ON, "fortios-sip-proxy", "KB 194651"},
	{"7.0.1, flow mode", V("7.0.1") RULE(""), FW_ON, "fortios-sip-flow",
         "KB 217022"},
	{"7.2, flow mode", V("7.2.5") PROXY RULE(""), FW_ON, "fortios-sip-flow",
         "593415"},
	{"1: a profile with SIP acts in kernel mode too",
         V("7.0.14") KERNEL HELPERS("") PROFILE("v", "enable")
                 RULE("set voip-profile v\n"),
         FW_ON, "fortios-sip-profile-on", "5.2 handbook"},
	{"1: SIP is on in a profile that is silent",
         V("7.0.14") KERNEL
                 HELPERS("") "config voip profile\nedit v\nnext\nend\n" RULE(
			 "set voip-profile v\n"),
         FW_ON, "fortios-sip-profile-on", "5.2 handbook"},
	{"4: SIP off in the profile falls back to the helper",
         V("7.0.14") PROXY SIP_HELPER PROFILE("v", "disable")
                 RULE("set voip-profile v\n"),
         FW_ON, "fortios-sip-fallback", "KB 211669"},
	{"4: the same of the profile default",
         V("6.4.8") SIP_HELPER PROFILE("default", "disable") RULE(""), FW_ON,
         "fortios-sip-fallback", "KB 211669"},
	{"4: without a helper, Fortinet's articles disagree",
         V("6.4.8") HELPERS("") PROFILE("default", "disable") RULE(""),
         FW_UNKNOWN, "fortios-sip-profile-off", "KB 306398"},
	{"5: the mode alone leaves the helper",
         V("7.0.14") KERNEL SIP_HELPER RULE(""), FW_ON, "fortios-sip-helper-on",
         "KB 384586"},
	{"6: mode and helper", V("7.0.14") KERNEL HELPERS("") RULE(""), FW_OFF,
         "fortios-sip-off", "KB 211669"},
	{"6: mode, and services without a helper",
         V("7.0.14") KERNEL SIP_HELPER
         "config firewall service custom\nedit s\nset "
         "udp-portrange 5060\nset helper disable\nnext\nend\n"
         "config firewall policy\nedit 1\nset srcintf any\n"
         "set dstintf any\nset srcaddr all\nset dstaddr all\n"
         "set action accept\nset service s\nnext\nend\n",
         FW_OFF, "fortios-sip-off", "KB 384586"},
	{"6: but not with a profile, though the helper is gone",
         V("7.0.14") KERNEL HELPERS("") RULE("set voip-profile v\n"),
         FW_UNKNOWN, "fortios-sip-profile-unseen", "CLI reference"},
	{"sip-helper is no proof",
         V("6.0.5") SETTINGS("set sip-helper disable\n") SIP_HELPER RULE(""),
         FW_ON, "fortios-sip-proxy", "KB 194651"},
	{"nor is sip-expectation",
         V("6.2.1") SETTINGS("set sip-expectation disable\nset "
                             "sip-nat-trace disable\n") SIP_HELPER RULE(""),
         FW_ON, "fortios-sip-proxy", "KB 194651"},
	{"NGFW policy mode",
         V("7.0.14") SETTINGS("set ngfw-mode policy-based\nset "
                              "default-voip-alg-mode "
                              "kernel-helper-based\n") HELPERS("") RULE(""),
         FW_UNKNOWN, "fortios-sip-ngfw", "KB 306398"},
	{"neither version nor mode", HELPERS("") RULE(""), FW_UNKNOWN,
         "fortios-sip-mode-unseen", "5.2, What's new"},
};

static void test_fortios_sip_by_version(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(sip_rows); i++) {
		struct box b;

		open_box(&b, "fortios", sip_rows[i].text);
		if (b.answer->alg != sip_rows[i].alg)
			fail_msg("%s: %s", sip_rows[i].why,
			         fw_tri_name(b.answer->alg));
		check_source(sip_rows[i].why, alg_source(&b),
		             sip_rows[i].source, sip_rows[i].document);
		close_box(&b);
	}
}

/* KB 191228: what comes before what for UDP; where it does not say, the lower
 * one is sure. */
static void test_fortios_session_time(void **state)
{
#define GLOBAL "config system global\nset udp-idle-timer 400\nend\n"
#define TABLE                                                                \
	"config system session-ttl\nset default 7200\nconfig port\nedit 1\n" \
	"set protocol 17\nset timeout 700\nset start-port 5000\n"            \
	"set end-port 5100\nnext\nend\nend\n"
#define SERVICE(lines)                                                           \
	"config firewall service custom\nedit s\nset udp-portrange 5060\n" lines \
	"next\nend\n"
#define OF(lines)                                                            \
	"config firewall policy\nedit 1\nset srcintf any\nset dstintf any\n" \
	"set srcaddr all\nset dstaddr all\nset action accept\n"              \
	"set service s\n" lines "next\nend\n"
	static const struct {
		const char *why, *text;
		int64_t udp_s;
	} rows[] = {
		{"factory", SERVICE("") OF(""), 180},
		{"session-ttl default is not for UDP",
	         "config system session-ttl\nset default 7200\nend\n" SERVICE(
			 "") OF(""),
	         180},
		{"the box's timer", GLOBAL SERVICE("") OF(""), 400},
		{"the table by port before it", GLOBAL TABLE SERVICE("") OF(""),
	         700},
		{"the service's session-ttl before that",
	         GLOBAL TABLE SERVICE("set session-ttl 900\n") OF(""), 900},
		{"its udp-idle-timer before all",
	         GLOBAL TABLE SERVICE("set session-ttl 310\nset "
	                              "udp-idle-timer 60\n") OF(""),
	         60},
		{"0 is the box's",
	         GLOBAL SERVICE("set udp-idle-timer 0\n") OF(""), 400},
		{"the policy's, where the service is silent",
	         GLOBAL SERVICE("") OF("set session-ttl 300\n"), 300},
		{"the policy's or the service's: the lower one",
	         SERVICE("set udp-idle-timer 600\n") OF("set session-ttl "
	                                                "300\n"),
	         300},
		{"the other way round",
	         SERVICE("set udp-idle-timer 60\n") OF("set session-ttl "
	                                               "43200\n"),
	         60},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct box b;

		open_box(&b, "fortios", rows[i].text);
		if (b.answer->udp_idle_s != rows[i].udp_s)
			fail_msg("%s: %d s", rows[i].why,
			         (int)b.answer->udp_idle_s);
		check_source(rows[i].why, setting_source(&b.rules, false),
		             "fortios-udp-idle", "KB 191228");
		close_box(&b);
	}
}

/* ---- VyOS: the default that was turned around ---- */

static void test_vyos_default_was_turned_around(void **state)
{
	static const struct {
		const char *footer;
		enum fw_tri absent;
		const char *source, *document;
	} versions[] = {
		{"/* === vyatta-config-version: \"conntrack@1\" === */\n",
	         FW_ON, "vyos-sip-old", "2-to-3"},
		{"// vyos-config-version: \"bgp@1:conntrack@2:dns@1\"\n", FW_ON,
	         "vyos-sip-old", "2-to-3"},
		{"// vyos-config-version: \"conntrack@3\"\n", FW_OFF,
	         "vyos-sip-new", "2-to-3"},
		{"// vyos-config-version: \"conntrack@5\"\n", FW_OFF,
	         "vyos-sip-new", "config.boot.default"},
		{"", FW_UNKNOWN, "vyos-sip-no-footer", "2-to-3"},
	};
	static const struct {
		const char *lines[2]; /* commands; curly */
		enum fw_tri alg;      /* _UNSET: as absent */
		const char *source;
	} leaves[] = {
		{{"", ""}, FW_UNSET, NULL},
		{{"set system conntrack modules ftp\n",
	          "system {\nconntrack {\nmodules {\nftp\n}\n}\n}\n"},
	         FW_UNSET,
	         NULL},
		{{"set system conntrack modules sip\n",
	          "system {\nconntrack {\nmodules {\nsip\n}\n}\n}\n"},
	         FW_ON,
	         "vyatta-sip-leaf"},
		{{"set system conntrack modules sip disable\n",
	          "system {\nconntrack {\nmodules {\nsip {\ndisable\n}\n}\n"
	          "}\n}\n"},
	         FW_OFF,
	         "vyatta-sip-disable"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(versions) * ARRAY_LEN(leaves) * 2;
	     i++) {
		const size_t v = i / 2 / ARRAY_LEN(leaves);
		const size_t l = i / 2 % ARRAY_LEN(leaves);
		const bool is_said = leaves[l].alg != FW_UNSET;
		char text[512];
		struct box b;

		(void)snprintf(text, sizeof(text), "%s%s",
		               leaves[l].lines[i % 2], versions[v].footer);
		open_box(&b, "vyos", text);
		if (b.answer->alg !=
		    (is_said ? leaves[l].alg : versions[v].absent))
			fail_msg("%s: %s", text, fw_tri_name(b.answer->alg));
		check_source(text, alg_source(&b),
		             is_said ? leaves[l].source : versions[v].source,
		             is_said ? "2-to-3" : versions[v].document);
		close_box(&b);
	}
}

/* ---- RouterOS and EdgeOS: what is absent is on ---- */

static void test_absent_lines_mean_on(void **state)
{
	static const struct {
		const char *dialect, *text;
		enum fw_tri alg;
		const char *source, *document;
	} rows[] = {
		{"routeros", "# by RouterOS 6.49\n/ip firewall service-port\n",
	         FW_ON, "routeros-sip-default", "Service port"},
		{"routeros",
	         "/ip firewall service-port\nset ftp disabled=yes\n", FW_ON,
	         "routeros-sip-default", "Service port"},
		{"routeros",
	         "/ip firewall service-port\nset sip disabled=no "
	         "ports=5060,5061 sip-direct-media=yes sip-timeout=1h\n",
	         FW_ON, "routeros-sip-default", "verbose exports"},
		{"routeros",
	         "/ip firewall service-port\nset sip disabled=yes\n", FW_OFF,
	         "routeros-sip-default", "Service port"},
		{"routeros", "/ip firewall service-port\nset sip ports=5070\n",
	         FW_ON, "routeros-sip-default", "Service port"},
		{"edgeos", "system {\nconntrack {\n}\n}\n", FW_ON,
	         "edgeos-sip-default", "public configurations"},
		{"edgeos",
	         "system {\nconntrack {\nmodules {\nsip {\ndisable\n}\n}\n}\n"
	         "}\n",
	         FW_OFF, "vyatta-sip-disable", "EdgeOS config.boot"},
		{"edgeos", "set system conntrack modules sip disable\n", FW_OFF,
	         "vyatta-sip-disable", "EdgeOS config.boot"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct box b;

		open_box(&b, rows[i].dialect, rows[i].text);
		if (b.answer->alg != rows[i].alg)
			fail_msg("%s: %s", rows[i].text,
			         fw_tri_name(b.answer->alg));
		check_source(rows[i].text, alg_source(&b), rows[i].source,
		             rows[i].document);
		close_box(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fresh_boxes_do_what_their_makers_say),
		cmocka_unit_test(
			test_openwrt_has_a_helper_where_it_assigns_one),
		cmocka_unit_test(test_other_boxes_do_what_their_makers_say),
		cmocka_unit_test(test_what_is_read_is_not_foreign),
		cmocka_unit_test(test_fortios_sip_by_version),
		cmocka_unit_test(test_fortios_session_time),
		cmocka_unit_test(test_vyos_default_was_turned_around),
		cmocka_unit_test(test_absent_lines_mean_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
