/* SPDX-License-Identifier: ISC */
/*
 * Design: every reading of an absent line, and every row of a reasoning
 * table, names a row here, and the row names who says so. "Unconfirmed" is
 * written where no document was found.
 */
#include "firewall/vendor.h"

#include <string.h>

#include "base/i18n.h"

static const struct fw_vendor_fact facts[] = {
	{"fortios-sip-profile-on",
         N_("A policy with a VoIP profile whose SIP is enabled uses the ALG, "
            "whatever the default mode is."),
         "FortiOS 5.2 handbook, VoIP solutions: SIP"},
	{"fortios-sip-proxy",
         N_("A policy without a VoIP profile in proxy-based mode uses the ALG "
            "with the profile \"default\"."),
         "Fortinet KB 194651; FortiOS 5.2, What's new"},
	{"fortios-sip-flow",
         N_("Since 7.0.1, a policy in flow mode inspects SIP in the IPS "
            "engine."),
         "FortiOS 7.0 release notes 593415; Fortinet KB 217022"},
	{"fortios-sip-fallback",
         N_("With SIP disabled in the profile, the session helper handles SIP "
            "while its entry is there."),
         "Fortinet KB 211669"},
	{"fortios-sip-helper-on",
         N_("In kernel-helper-based mode, the session helper handles SIP while "
            "its entry is there."),
         "FortiOS 5.2 handbook, VoIP solutions: SIP; Fortinet KB 384586"},
	{"fortios-sip-off",
         N_("SIP is left alone only in kernel-helper-based mode, without a "
            "VoIP profile, and without the session helper."),
         "FortiOS 5.2 handbook; Fortinet KB 211669, KB 384586"},
	{"fortios-sip-helper-unseen",
         N_("The text does not show the table of session helpers, which has "
            "one for SIP from the factory."),
         "Fortinet KB 384586"},
	{"fortios-sip-profile-unseen",
         N_("The VoIP profile of this policy is not in the text."),
         "FortiOS 6.0.0 CLI reference, voip profile"},
	{"fortios-sip-profile-off",
         N_("SIP is disabled in the profile and the helper is gone, but the "
            "mode is proxy-based: Fortinet's own articles disagree on this."),
         "Fortinet KB 211669 against KB 306398"},
	{"fortios-sip-ngfw",
         N_("In NGFW policy mode the profile \"default\" applies and cannot "
            "be changed."),
         "Fortinet KB 306398"},
	{"fortios-sip-mode-unseen",
         N_("Neither the version nor the mode is in the text; before 5.2 the "
            "default was the helper, since then it is the proxy."),
         "FortiOS 5.2, What's new"},
	{"fortios-mode-default",
         N_("Without default-voip-alg-mode the mode is proxy-based since 5.2, "
            "and the session helper before."),
         "FortiOS 5.2, What's new; Fortinet KB 194651"},
	{"fortios-profile-default",
         N_("SIP is enabled in a VoIP profile unless it says otherwise."),
         "FortiOS 6.0.0 CLI reference, voip profile"},
	{"fortios-helper-sip",
         N_("The factory table of session helpers has one for SIP, UDP port "
            "5060, under a number that differs between versions."),
         "Fortinet KB 192004, KB 384586"},
	{"fortios-sip-helper-switch",
         N_("sip-helper exists up to 6.0; it does not prove that SIP is left "
            "alone."),
         "fortinet-ansible-dev fortios_system_settings.py"},
	{"fortios-sip-expectation",
         N_("sip-expectation replaced sip-helper in 6.2; it does not prove "
            "that SIP is left alone."),
         "fortinet-ansible-dev fortios_system_settings.py"},
	{"fortios-sip-nat-trace",
         N_("sip-nat-trace only keeps the original address in the message."),
         "FortiOS CLI reference, system settings"},
	{"fortios-udp-idle",
         N_("UDP sessions end after 180 s of silence unless udp-idle-timer, a "
            "service or the policy says otherwise."),
         "Fortinet KB 191228"},
	{"routeros-sip-default",
         N_("The SIP helper is on when no line says otherwise: an export "
            "shows only what differs from the factory."),
         "MikroTik, IP/Firewall/Service port; verbose exports"},
	{"routeros-sip-lost",
         N_("A line changes the service ports, and which of them is not "
            "certain from the text: numbers differ between releases."),
         "MikroTik, IP/Firewall/Service port"},
	{"routeros-tracking-off",
         N_("Connection tracking is switched off: no SIP helper acts and no "
            "session ends; but nothing is translated either, and rules by "
            "connection-state or connection-nat-state do not work. From the "
            "factory it is \"auto\": on as soon as a firewall rule needs it."),
         "MikroTik, IP/Firewall/Connection tracking"},
	{"routeros-udp-default",
         N_("A UDP connection ends after 10 s (30 s in newer releases) "
            "unanswered and 3 min answered."),
         "MikroTik, IP/Firewall/Connection tracking"},
	{"sonicos-sip-enable",
         N_("In the SIP section of the VoIP page, \"enable\" turns SIP "
            "transformations on for the whole box, and \"no enable\" off."),
         "SonicOS 7 API reference, voip.sip.enable"},
	{"sonicos-sip-no",
         N_("\"no sip\" leaves SIP transformations unconfigured: they are "
            "off."),
         "SonicOS 7 API reference, voip; commands of 6.5, voip"},
	{"sonicos-sip-bare",
         N_("A SIP section that says neither \"enable\" nor \"no enable\" "
            "is on in one reading of the commands, and not decided in "
            "another."),
         "SonicOS 7 API reference, voip; commands of 6.5, voip: they differ"},
	{"sonicos-sip-by-rule",
         N_("With control by rules, SIP is transformed only where an access "
            "rule says \"sip\"; a rule that says nothing is not decided."),
         "SonicOS/X 7 VoIP, Enabling SIP; API reference, voip and "
         "access-rules"},
	{"sonicos-sip-odd",
         N_("The VoIP page has a line about SIP that is not known here."),
         "no document"},
	{"sonicos-sip-default",
         N_("SIP transformations are not selected in SonicOS 7 unless "
            "somebody did."),
         "SonicOS/X 7 VoIP, Enabling SIP"},
	{"sonicos-sip-release",
         N_("What an export without the VoIP page means is documented for "
            "SonicOS 7 only."),
         "SonicOS/X 7 VoIP, Enabling SIP; no document for other releases"},
	{"sonicos-sip-unseen",
         N_("The text does not show the VoIP page, and is not the whole "
            "configuration of a box."),
         "no document"},
	{"sonicos-exp-voip",
         N_("An .exp backup has the VoIP page under keys that are not "
            "documented."),
         "no document; public readers of .exp files do not know them"},
	{"sonicos-nat",
         N_("With consistent NAT a phone keeps one outside port, which the "
            "provider needs to reach it."),
         "help.sonicwall.com, Ch82_VoIP (SonicOS 6); SonicWall KB "
         "220831034900197"},
	{"sonicos-nat-default",
         N_("Consistent NAT is not selected unless somebody did."),
         "SonicOS/X 7 VoIP, General Settings; help.sonicwall.com, "
         "Ch82_VoIP (SonicOS 6)"},
	{"sonicos-udp-default",
         N_("An access rule that says nothing forgets UDP after 30 s."),
         "SonicOS 6.2, show access-rules; .exp backup of an NSA"},
	{"sonicos-tcp-default",
         N_("An access rule that says nothing forgets TCP after 15 min, and "
            "\"tcp timeout\" counts in minutes."),
         "SonicOS 6.2, show access-rules; .exp backup of an NSA; against it "
         "the SonicOS 7 API reference, access-rules, which says seconds"},
	{"vyatta-sip-disable",
         N_("\"modules sip disable\" switches the SIP helper off in every "
            "version that knows it."),
         "VyOS source, conntrack migration 2-to-3; EdgeOS config.boot"},
	{"vyatta-sip-leaf",
         N_("\"modules sip\" without \"disable\" leaves the SIP helper on in "
            "every version."),
         "VyOS source, conntrack migration 2-to-3; system_conntrack.py"},
	{"edgeos-sip-default",
         N_("On EdgeOS the SIP helper is on unless a line disables it."),
         "EdgeOS config.boot; public configurations"},
	{"unifi-part",
         N_("The UniFi controller has a switch of its own for the SIP helper "
            "and says how long sessions live; neither is in this text."),
         "UniFi, config.gateway.json; public configurations"},
	{"vyos-sip-old",
         N_("Up to VyOS 1.3 (conntrack@1 and @2 in the footer) the SIP helper "
            "is on unless a line disables it."),
         "VyOS source, src/migration-scripts/conntrack/2-to-3"},
	{"vyos-sip-new",
         N_("From VyOS 1.4 on (conntrack@3 in the footer) the SIP helper is "
            "off unless a line names it."),
         "VyOS source, src/migration-scripts/conntrack/2-to-3; "
         "data/config.boot.default"},
	{"vyos-sip-words",
         N_("The text has no footer with the version, but words that came "
            "with VyOS 1.4 (such as firewall ipv4): there the SIP helper is "
            "off unless a line names it."),
         "VyOS source, src/migration-scripts/conntrack/2-to-3 and "
         "firewall/10-to-11"},
	{"vyos-sip-no-footer",
         N_("The text has no footer with the version, and the meaning of an "
            "absent line was turned around between VyOS 1.3 and 1.4."),
         "VyOS source, src/migration-scripts/conntrack/2-to-3"},
	{"vyatta-udp-default",
         N_("A UDP connection ends after 30 s unanswered and 180 s answered "
            "unless the configuration says otherwise."),
         "VyOS source, timeout-common-protocols.xml.i (EdgeOS: same lineage, "
         "unconfirmed)"},
	{"vyos-timeout-custom",
         N_("Custom timeouts give some flows a time of their own, which is "
            "not followed here."),
         "VyOS source, timeout-common-protocols.xml.i"},
	{"linux b118509076b3",
         N_("A SIP helper acts only where a rule assigns it; before Linux 6.0 "
            "also by a switch that is off since 4.7."),
         "Linux commit b118509076b3, which took nf_conntrack_helper out "
         "(6.0: unconfirmed)"},
	{"linux 294304e4c522",
         N_("A UDP connection that was answered ends after 120 s of silence; "
            "before Linux 5.0, after 180 s."),
         "Linux commit 294304e4c522"},
	{"linux net/netfilter/nf_conntrack_proto_tcp.c",
         N_("An established TCP connection ends after 5 days of silence."),
         "Linux source, net/netfilter/nf_conntrack_proto_tcp.c"},
	{"barracuda-sip",
         N_("The rules LAN-2-INTERNET-SIP and INTERNET-2-LAN-SIP, there from "
            "the factory, redirect calls to the SIP proxy."),
         "Barracuda Firewall X100 user guide, pages 53 and 55"},
	{"dlink-sip", N_("The ALG page has a switch for each protocol."),
         "D-Link DSL-2745 user manual, NAT ALG; provider's document"},
	{"linksys-sip",
         N_("SIP ALG has a switch; the SPI firewall is another thing."),
         "provider's document (unconfirmed by the vendor)"},
	{"netgear-sip",
         N_("SIP ALG has a switch; port scan and DoS protection are another "
            "thing."),
         "provider's document (unconfirmed by the vendor)"},
	{"tplink-sip", N_("The ALG page has a switch for SIP."),
         "TP-Link TD-W9960v user manual, ALG; provider's document"},
	{"fortios-asic-offload",
         N_("The patch takes calls off the network processor in rules for the "
            "provider's own hosts; a rule for everything keeps it, as all "
            "other traffic would lose it too."),
         "Fortinet CLI reference, firewall policy, auto-asic-offload; "
         "provider's document"},
	{"nft-flowtable-time",
         N_("A session that a flowtable held ends by the kernel's time for "
            "all UDP, whatever a ct timeout gives it: the patch accepts SIP "
            "before the flowtable takes it."),
         "Linux source, net/netfilter/nf_flow_table_core.c, "
         "flow_offload_fixup_ct()"},
	{"routeros-fasttrack",
         N_("FastTrack takes established connections past queues and marks; "
            "the factory's own rules use it and calls pass, so nothing is "
            "changed. Where calls are marked, accept them before that rule."),
         "MikroTik, FastTrack; default configuration"},
	{"vyos-flowtable",
         N_("A flowtable keeps to the session time of the whole box, which "
            "is the one that the patch raises, so nothing is changed; marks "
            "and counters of later rules do not act on the calls."),
         "VyOS documentation, firewall flowtables; Linux source, "
         "net/netfilter/nf_flow_table_core.c, flow_offload_fixup_ct()"},
	{"edgeos-offload",
         N_("Offload is one switch for all traffic of the box, and its "
            "throughput depends on it, so nothing is changed; if calls fail "
            "all the same, try without it: set system offload."),
         "Ubiquiti, EdgeRouter hardware offloading (unconfirmed)"},
	{"pfsense-defaults",
         N_("pf has no SIP ALG to switch off. A UDP session ends after 30 to "
            "60 s of silence, unless System > Advanced > Firewall & NAT says "
            "Conservative or names UDP times; a phone's port stays its own "
            "only with Static Port."),
         "pfSense source, filter.inc; pf's own times: unconfirmed"},
	{"ios-defaults",
         N_("NAT changes SIP messages unless \"no ip nat service sip udp port "
            "5060\" and the same for tcp say otherwise; it forgets UDP after "
            "300 s."),
         "Cisco, NAT TCP SIP ALG; Cisco command reference, ip nat "
         "translation, as quoted by others"},
	{"asa-defaults",
         N_("SIP is inspected by the policy global_policy unless \"no inspect "
            "sip\" is said there; UDP is forgotten after 120 s: timeout "
            "udp."),
         "Cisco ASA configuration guides, default inspection policy; running "
         "configurations, timeout"},
	{"srx-defaults",
         N_("The SIP ALG is on unless \"set security alg sip disable\" is "
            "said; UDP is forgotten after 60 s unless an application says "
            "inactivity-timeout."),
         "Juniper, ALG overview; Policy Application Timeout Configuration and "
         "Lookup (some branch devices: unconfirmed)"},
	{"panos-defaults",
         N_("The application sip has its ALG on unless alg-disabled is yes; "
            "UDP is forgotten after 30 s: timeout-udp."),
         "Palo Alto documentation, application override; public "
         "configurations; 30 s: unconfirmed"},
	{"checkpoint-defaults",
         N_("Whether SIP is handled hangs on the service that a rule names: "
            "sip and sip_any are, a plain UDP service is not. UDP is forgotten "
            "after 40 s unless the service says otherwise."),
         "exports of the management API, services-udp; handlers: "
         "unconfirmed"},
	{"openwrt-defaults",
         N_("There is a SIP helper only with the package "
            "kmod-nf-nathelper-extra, off by auto_helper 0; UDP is forgotten "
            "after 120 s. The rules themselves can be read: give the output of "
            "\"fw4 print\"."),
         "OpenWrt source, firewall4; Linux commit 294304e4c522"},
	{"arris-sip", N_("The ALG page has a switch for each protocol."),
         "provider's document, page of the modem (unconfirmed by the "
         "vendor)"},
};

const struct fw_vendor_fact *fw_vendor_fact_offload(const char *dialect)
{
	static const struct {
		const char *dialect, *id;
	} rows[] = {
		{"fortios", "fortios-asic-offload"},
		{"nftables", "nft-flowtable-time"},
		{"routeros", "routeros-fasttrack"},
		{"vyos", "vyos-flowtable"},
		{"edgeos", "edgeos-offload"},
	};

	for (size_t i = 0; dialect && i < ARRAY_LEN(rows); i++) {
		if (strcmp(rows[i].dialect, dialect) == 0)
			return fw_vendor_fact_find(rows[i].id);
	}
	return NULL;
}

const struct fw_vendor_fact *fw_vendor_fact_find(const char *id)
{
	for (size_t i = 0; id && i < ARRAY_LEN(facts); i++) {
		if (strcmp(facts[i].id, id) == 0)
			return &facts[i];
	}
	return NULL;
}
