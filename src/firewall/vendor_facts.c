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
	{"routeros-udp-default",
         N_("A UDP connection ends after 10 s (30 s in newer releases) "
            "unanswered and 3 min answered."),
         "MikroTik, IP/Firewall/Connection tracking"},
};

const struct fw_vendor_fact *fw_vendor_fact_find(const char *id)
{
	for (size_t i = 0; id && i < ARRAY_LEN(facts); i++) {
		if (strcmp(facts[i].id, id) == 0)
			return &facts[i];
	}
	return NULL;
}
