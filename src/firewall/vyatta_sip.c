/* SPDX-License-Identifier: ISC */
/*
 * Design: what is written counts in every version; what is absent means what
 * the version in the footer says, as VyOS turned the default around. Rows
 * name their proof in vendor_facts.c.
 */
#include "firewall/vyatta.h"

enum {
	FIRST_CONNTRACK_INVERTED = 3,
};

struct fw_vy_sip_state fw_vy_sip_judge(const struct fw_vy_sip *in)
{
	if (in->is_disabled)
		return (struct fw_vy_sip_state){FW_OFF, "vyatta-sip-disable"};
	if (in->has_leaf)
		return (struct fw_vy_sip_state){FW_ON, "vyatta-sip-leaf"};
	if (in->is_part)
		return (struct fw_vy_sip_state){FW_UNKNOWN, "unifi-part"};
	if (in->is_edgeos)
		return (struct fw_vy_sip_state){FW_ON, "edgeos-sip-default"};
	if (in->conntrack < 0 && in->has_base)
		return (struct fw_vy_sip_state){FW_OFF, "vyos-sip-words"};
	if (in->conntrack < 0)
		return (struct fw_vy_sip_state){FW_UNKNOWN,
		                                "vyos-sip-no-footer"};
	if (in->conntrack < FIRST_CONNTRACK_INVERTED)
		return (struct fw_vy_sip_state){FW_ON, "vyos-sip-old"};
	return (struct fw_vy_sip_state){FW_OFF, "vyos-sip-new"};
}
