/* SPDX-License-Identifier: ISC */
/** A patch of whatever was read. */
#pragma once

#include "firewall/audit.h"

/* Patched in front of anything; what is shown was read back. */
static inline void mend(struct fw_rules *rules, struct arena *a, const char *in,
                        const char *to)
{
	struct fw_flow f = {.id = "sip",
	                    .is_sip = true,
	                    .min_udp_idle_s = 300,
	                    .min_tcp_idle_s = -1};
	const struct fw_question q = {
		.flows = &f, .n_flows = 1, .place = {.in = in, .out = to}};
	struct fw_patch_out out;
	struct fw_ip lo, hi;
	size_t left;

	fw_patch_init(&out);
	if (fw_ip_parse(&lo, &hi, slice_str("192.0.2.1")) == 0 &&
	    fw_addrs_add_range(a, &f.dst, lo, hi) &&
	    fw_services_add(a, &f.services, 17, 5060, 5061))
		(void)!fw_patch_make(&out, &left, rules, &q);
	fw_patch_fini(&out);
}
