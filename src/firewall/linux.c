/* SPDX-License-Identifier: ISC */
#include "firewall/linux.h"

#include <errno.h>

int fw_linux_defaults(struct fw_rules *r)
{
	struct fw_setting *s;

	/* Helpers by port alone are off since Linux 4.7 and gone since 6.0:
	 * one acts only where a rule says so. */
	s = fw_setting_add(r, "nf_conntrack_helper");
	if (!s)
		return ENOMEM;
	s->is_default = true;
	s->source = "linux b118509076b3";
	s->attrs.alg = r->defaults.alg = FW_OFF;

	/* 180 s before 5.0. */
	s = fw_setting_add(r, "nf_conntrack_udp_timeout_stream");
	if (!s)
		return ENOMEM;
	s->is_default = true;
	s->source = "linux 294304e4c522";
	s->attrs.udp_idle_s = r->defaults.udp_idle_s = 120;

	s = fw_setting_add(r, "nf_conntrack_tcp_timeout_established");
	if (!s)
		return ENOMEM;
	s->is_default = true;
	s->source = "linux net/netfilter/nf_conntrack_proto_tcp.c";
	s->attrs.tcp_idle_s = r->defaults.tcp_idle_s = 432000;
	return 0;
}
