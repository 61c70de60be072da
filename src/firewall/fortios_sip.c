/* SPDX-License-Identifier: ISC */
/*
 * Design: whether FortiOS touches SIP depends on five places at once. The
 * table below is the vendor's, row by row; only one row says off. What no row
 * covers is unknown, because the vendor's own articles disagree there.
 */
#include "firewall/fortios.h"

#include "base/i18n.h"

enum {
	V_5_2 = 5002000,
	V_7_0_1 = 7000001,
};

static bool is_helper_live(const struct fw_forti_sip *in)
{
	return in->helper == FW_ON && !in->is_helper_off;
}

static struct fw_forti_sip_state by_kernel(const struct fw_forti_sip *in)
{
	if (is_helper_live(in))
		return (struct fw_forti_sip_state){FW_ON, "session-helper sip",
		                                   "fortios-sip-helper-on"};
	if (in->helper == FW_UNKNOWN && !in->is_helper_off)
		return (struct fw_forti_sip_state){FW_UNKNOWN, "session-helper",
		                                   "fortios-sip-helper-unseen"};
	return (struct fw_forti_sip_state){FW_OFF, NULL, "fortios-sip-off"};
}

static struct fw_forti_sip_state by_proxy(const struct fw_forti_sip *in)
{
	if (in->profile == FW_ON && in->has_profile)
		return (struct fw_forti_sip_state){FW_ON, "voip-profile",
		                                   "fortios-sip-profile-on"};
	if (in->profile == FW_UNKNOWN)
		return (struct fw_forti_sip_state){
			FW_UNKNOWN, "voip-profile",
			"fortios-sip-profile-unseen"};
	if (in->profile == FW_OFF && is_helper_live(in))
		return (struct fw_forti_sip_state){FW_ON, "session-helper sip",
		                                   "fortios-sip-fallback"};
	if (in->profile == FW_OFF)
		return (struct fw_forti_sip_state){FW_UNKNOWN, NULL,
		                                   "fortios-sip-profile-off"};
	if (in->version >= V_7_0_1 && in->is_flow)
		return (struct fw_forti_sip_state){FW_ON, "flow SIP inspection",
		                                   "fortios-sip-flow"};
	return (struct fw_forti_sip_state){FW_ON, "SIP ALG (proxy)",
	                                   "fortios-sip-proxy"};
}

struct fw_forti_sip_state fw_forti_sip_judge(const struct fw_forti_sip *in)
{
	enum fw_forti_mode mode = in->mode;

	if (in->is_ngfw)
		return (struct fw_forti_sip_state){FW_UNKNOWN, "voip-profile",
		                                   "fortios-sip-ngfw"};
	if (mode == FW_FORTI_MODE_UNKNOWN && in->version >= 0)
		mode = in->version < V_5_2 ? FW_FORTI_MODE_KERNEL
		                           : FW_FORTI_MODE_PROXY;
	if (in->has_profile)
		return by_proxy(in);
	if (mode == FW_FORTI_MODE_KERNEL)
		return by_kernel(in);
	if (mode == FW_FORTI_MODE_PROXY)
		return by_proxy(in);
	/* Any version: either the proxy acts or the helper does. */
	if (is_helper_live(in))
		return (struct fw_forti_sip_state){FW_ON, "session-helper sip",
		                                   "fortios-sip-helper-on"};
	return (struct fw_forti_sip_state){FW_UNKNOWN, NULL,
	                                   "fortios-sip-mode-unseen"};
}
