/* SPDX-License-Identifier: ISC */
#include "firewall/linux.h"

#include <errno.h>
#include <string.h>

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

	/* The helper refreshes each session that it reads to its own time,
	 * after the kernel has set the usual one. */
	r->helper_idle_s = FW_LINUX_SIP_IDLE_S;
	return 0;
}

int fw_linux_unsure(struct fw_rules *rules, struct fw_rule *r)
{
	struct fw_rule *twin = arena_alloc(&rules->arena, sizeof(*twin));

	if (!twin)
		return ENOMEM;
	r->conditional = r->target;
	r->target = NULL;
	r->action = FW_DROP;
	*twin = *r;
	twin->action = FW_ACCEPT;
	r->next = twin;
	if (r->chain->last == r)
		r->chain->last = twin;
	r->chain->n_rules++;
	rules->n_rules++;
	return 0;
}

int fw_linux_measured(struct fw_rules *r, const char *id, int64_t value)
{
	struct fw_setting *s = r->settings;
	const char *text;

	while (s && (strcmp(s->id, id) != 0 || !s->is_default))
		s = s->next;
	if (!s)
		return 0;
	text = arena_fmt(&r->arena, "net.netfilter.%s = %lld", id,
	                 (long long)value);
	if (!text)
		return ENOMEM;
	s->is_default = false;
	s->raw = slice_str(text);
	if (s->attrs.alg != FW_UNSET)
		/* With it, the module alone decides, which may be loaded at
		 * any time. */
		s->attrs.alg = r->defaults.alg = value ? FW_UNKNOWN : FW_OFF;
	if (s->attrs.udp_idle_s >= 0)
		s->attrs.udp_idle_s = r->defaults.udp_idle_s = value;
	if (s->attrs.tcp_idle_s >= 0)
		s->attrs.tcp_idle_s = r->defaults.tcp_idle_s = value;
	return 0;
}

static bool is_word(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool fw_linux_tracks(struct slice text)
{
	/* Words of both tools; in a comment they are heard too, which errs on
	 * the side of the usual. */
	static const char *const words[] = {
		"ct",         "nat",      "conntrack", "state",
		"snat",       "dnat",     "redirect",  "tproxy",
		"masquerade", "flow",     "synproxy",  "notrack",
		"helper",     "connmark", "connlimit", "connbytes",
		"connlabel",  "cluster",  "netmap",    "socket",
	};
	size_t at = 0;

	while (at < text.n) {
		size_t end = at;

		while (end < text.n && is_word(text.p[end]))
			end++;
		for (size_t i = 0; i < ARRAY_LEN(words) && end > at; i++) {
			if (slice_ieq(slice_sub(text, at, end - at),
			              slice_str(words[i])))
				return true;
		}
		at = end + 1;
	}
	return false;
}
