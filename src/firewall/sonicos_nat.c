/* SPDX-License-Identifier: ISC */
/*
 * Design: a policy that gives a new source shows the way out, and one that
 * gives a new destination or port sends calls elsewhere, which nobody can
 * judge from here. Those are two chains, since the box looks at destinations
 * before it knows the way out.
 *
 * The box's own addresses ("X1 IP") are objects that it makes by itself. What
 * is sent to them is not on its way to a provider.
 */
#include "firewall/sonicos.h"

#include <errno.h>

struct fw_sonic_nat *fw_sonic_nat_add(struct fw_sonic *c, unsigned line,
                                      struct slice raw)
{
	struct fw_sonic_nat *n = arena_alloc(&c->scratch, sizeof(*n));

	fw_sonic_check(c, n);
	if (!n)
		return NULL;
	n->line = line;
	n->raw = raw;
	n->families = FW_IP4;
	if (c->nats_last)
		c->nats_last->next = n;
	else
		c->nats = n;
	c->nats_last = n;
	return n;
}

static bool is_own_address(const struct fw_sonic *c,
                           const struct fw_sonic_side *side)
{
	const struct slice end = slice_str(" IP");
	const struct slice name = side->name;

	return side->kind == FW_SONIC_NAME && name.n > end.n &&
	       slice_eq(slice_sub(name, name.n - end.n, end.n), end) &&
	       !fw_dict_get(&c->names[FW_SONIC_ADDRS], NULL, name);
}

static struct fw_rule *add_rule(struct fw_sonic *c, struct fw_chain **at,
                                const char *name, enum fw_hook hook,
                                const struct fw_sonic_nat *n)
{
	struct fw_rule *r;

	if (!*at) {
		*at = fw_chain_add(c->rules, name);
		fw_sonic_check(c, *at);
		if (!*at)
			return NULL;
		(*at)->hook = hook;
		(*at)->kind = FW_CHAIN_NAT;
		(*at)->policy = FW_ACCEPT;
	}
	r = fw_rule_add(c->rules, *at);
	fw_sonic_check(c, r);
	if (!r)
		return NULL;
	r->id = "nat-policy";
	r->line = n->line;
	r->raw = n->raw;
	r->families = n->families;
	r->is_disabled = n->is_disabled;
	r->action = FW_ACCEPT;
	fw_sonic_put_addrs(c, &r->src, &n->src);
	fw_sonic_put_addrs(c, &r->dst, &n->dst);
	fw_sonic_put_services(c, r, &n->service);
	return r;
}

static void put_zone_of(struct fw_sonic *c, struct fw_zones *set,
                        struct slice interface)
{
	const struct slice *zone = fw_dict_get(&c->interfaces, NULL, interface);

	if (zone)
		fw_sonic_put_zone(c, set, *zone);
}

static void put_source(struct fw_sonic *c, struct fw_chain **at,
                       const struct fw_sonic_nat *n)
{
	struct fw_rule *r =
		add_rule(c, at, "nat-policies", FW_HOOK_POSTROUTING, n);

	if (!r)
		return;
	r->nat.kind = FW_NAT_SOURCE;
	r->nat.to = fw_sonic_dup(c, n->to_src);
	put_zone_of(c, &r->out, n->out);
}

static void put_destination(struct fw_sonic *c, struct fw_chain **at,
                            const struct fw_sonic_nat *n)
{
	struct fw_rule *r =
		add_rule(c, at, "nat-destinations", FW_HOOK_PREROUTING, n);

	if (!r)
		return;
	r->nat.kind = FW_NAT_DEST;
	r->nat.to = fw_sonic_dup(c, n->to_dst.n ? n->to_dst : n->to_service);
	put_zone_of(c, &r->in, n->in);
}

void fw_sonic_put_nats(struct fw_sonic *c)
{
	struct fw_chain *before = NULL, *after = NULL;

	for (const struct fw_sonic_nat *n = c->nats; n && !c->err;
	     n = n->next) {
		if ((n->to_dst.n || n->to_service.n) &&
		    !is_own_address(c, &n->dst))
			put_destination(c, &before, n);
	}
	for (const struct fw_sonic_nat *n = c->nats; n && !c->err;
	     n = n->next) {
		if (n->to_src.n)
			put_source(c, &after, n);
	}
}
