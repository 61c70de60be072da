/* SPDX-License-Identifier: ISC */
/* Design: a line of tests per rule. A later fragment has no ports, so only
 * rules for any port can fit it, as in a filter without a memory. */
#include "router/rule.h"

/* What a ping has in their place is its number. */
static bool has_ports(const struct router_pkt *p)
{
	return p->proto == ROUTER_UDP || p->proto == ROUTER_TCP;
}

static bool fits(const struct router_rule *r, const struct router_pkt *p,
                 bool is_in, int64_t age_ns)
{
	if (r->is_in != is_in || age_ns < r->from_ns)
		return false;
	if (r->until_ns && age_ns >= r->until_ns)
		return false;
	if (r->proto && r->proto != p->proto)
		return false;
	if (r->high &&
	    (!has_ports(p) || p->dst.port < r->low || p->dst.port > r->high))
		return false;
	return r->dst.net.family == ADDR_NONE || prefix_has(&r->dst, &p->dst);
}

enum router_rule_action router_rule_find(const struct router_rule *rules,
                                         size_t n, const struct router_pkt *p,
                                         bool is_in, int64_t age_ns)
{
	for (size_t i = 0; i < n; i++) {
		if (fits(&rules[i], p, is_in, age_ns))
			return rules[i].action;
	}
	return ROUTER_RULE_ACCEPT;
}
