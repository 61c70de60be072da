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

	if (strcmp(id, "nf_flowtable_udp_timeout") == 0 &&
	    r->offload_idle_s != FW_IDLE_UNSET)
		r->offload_idle_s = value;
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

/* The last address of the largest prefix that begins at lo and ends by hi. */
static struct fw_ip prefix_end(struct fw_ip lo, struct fw_ip hi)
{
	struct fw_ip end = lo;

	for (unsigned i = 0; i < 128; i++) {
		const uint64_t bit = UINT64_C(1) << (i & 63);
		struct fw_ip next = end;

		if ((i < 64 ? lo.lo : lo.hi) & bit)
			break;
		if (i < 64)
			next.lo |= bit;
		else
			next.hi |= bit;
		if (fw_ip_cmp(next, hi) > 0)
			break;
		end = next;
	}
	return end;
}

static void put_new(struct wr *w, struct slice line)
{
	if (slice_find(wr_slice(w), line) == SIZE_MAX)
		wr_put(w, line);
}

void fw_linux_clear_put(struct wr *w, const char *before, char side,
                        const struct fw_addrs *set)
{
	for (const struct fw_addr *a = set->first; a; a = a->next) {
		struct fw_ip lo = a->lo, end = a->lo;

		while (a->kind == FW_ADDR_RANGE && fw_ip_cmp(lo, a->hi) <= 0) {
			struct wr line = wr_init_heap();

			end = prefix_end(lo, a->hi);
			wr_fmt(&line, "%sconntrack -D -%c ", before, side);
			fw_ip_put(&line, lo, end);
			wr_str(&line, "\n");
			put_new(w, wr_slice(&line));
			w->bad |= line.bad;
			wr_fini(&line);
			if (fw_ip_cmp(end, a->hi) == 0)
				break;
			lo = end;
			lo.hi += ++lo.lo == 0;
		}
	}
}

static bool is_of_host(const struct fw_rules *rules)
{
	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		if (c->hook == FW_HOOK_INPUT || c->hook == FW_HOOK_OUTPUT)
			return true;
	}
	return false;
}

void fw_linux_tail_put(struct wr *w, const struct fw_rules *rules)
{
	static const char before[] = "#     ";

	if (is_of_host(rules))
		wr_str(w,
		       "\n# A host needs more than calls: its own loopback, "
		       "names, and in IPv6 the\n"
		       "# neighbours that ICMPv6 finds. These rules alone drop "
		       "that.\n");
	wr_str(w, "\n# Old connections keep the old treatment; forget those to "
	          "the provider:\n");
	if (!rules->peers.first)
		wr_fmt(w, "%sconntrack -D -d ADDRESS\n", before);
	fw_linux_clear_put(w, before, 'd', &rules->peers);
	if (rules->is_inbound)
		fw_linux_clear_put(w, before, 's', &rules->peers);
	wr_fmt(w,
	       "\n# The SIP ALG is on where a rule gives \"sip\" as a helper "
	       "(prumo audit --live\n"
	       "# finds it), and before Linux 6.0 also where this is 1; it is "
	       "off with 0:\n"
	       "%ssysctl net.netfilter.nf_conntrack_helper\n",
	       before);
}
