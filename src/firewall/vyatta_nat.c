/* SPDX-License-Identifier: ISC */
/*
 * Design: what is asked of a packet before it is routed or after: NAT, and
 * what conntrack is told to ignore, and how packets are routed, as rules of
 * that may drop them as well. These rules name packets in the words of
 * the others, so they are read by the same hand; only what they do is theirs.
 */
#include "firewall/vyatta_read.h"

static bool is_masquerade(struct slice word)
{
	return slice_eq_str(word, "masquerade");
}

static void add_nat(struct fw_vy_reader *c, struct fw_chain *ch,
                    const struct fw_vy_node *n, bool is_source)
{
	struct slice to = fw_vy_value(&c->t, n, "translation address");
	struct fw_rule *r = fw_vy_packets_add(&c->t, &c->groups, ch, n, "nat");

	fw_vy_check(c, r);
	if (!r)
		return;
	r->nat.kind = is_source ? FW_NAT_SOURCE : FW_NAT_DEST;
	if (fw_vy_find(&c->t, n, "exclude"))
		r->nat.kind = FW_NAT_NONE;
	if (to.n == 0)
		to = fw_vy_value(&c->t, n,
		                 is_source ? "outside-address address"
		                           : "inside-address address");
	if (to.n && !is_masquerade(to))
		r->nat.to = fw_vy_dup(c, to);
}

void fw_vy_nat_read(struct fw_vy_reader *c)
{
	static const char *const paths[] = {"nat source", "nat destination",
	                                    "service nat"};
	struct fw_chain *out = fw_vy_chain_add(c, "nat source", fw_vy_table4,
	                                       FW_HOOK_POSTROUTING);
	struct fw_chain *in = fw_vy_chain_add(c, "nat destination",
	                                      fw_vy_table4, FW_HOOK_PREROUTING);

	if (!in || !out)
		return;
	out->kind = in->kind = FW_CHAIN_NAT;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct fw_vy_numbered *v;
		const size_t n = fw_vy_sort(
			c, &v, fw_vy_find(&c->t, c->t.root, paths[i]));

		for (size_t k = 0; k < n && !c->err; k++) {
			const struct slice type =
				fw_vy_value(&c->t, v[k].node, "type");
			const bool is_dest =
				i == 1 || slice_eq_str(type, "destination");

			add_nat(c, is_dest ? in : out, v[k].node, !is_dest);
		}
	}
}

/* Packets without state: no answer to them is "established". */
void fw_vy_ignored_read(struct fw_vy_reader *c)
{
	static const struct {
		const char *path, *table;
	} rows[] = {
		{"system conntrack ignore", fw_vy_table4},
		{"system conntrack ignore ipv4", fw_vy_table4},
		{"system conntrack ignore ipv6", fw_vy_table6},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows) && !c->err; i++) {
		struct fw_vy_numbered *v;
		const size_t n = fw_vy_sort(
			c, &v, fw_vy_find(&c->t, c->t.root, rows[i].path));
		struct fw_chain *ch = NULL;

		if (n)
			ch = fw_vy_chain_add(c, "conntrack ignore",
			                     rows[i].table, FW_HOOK_PREROUTING);
		if (ch)
			ch->priority = FW_VY_PRIORITY_RAW;
		for (size_t k = 0; k < n && ch && !c->err; k++) {
			struct fw_rule *r = fw_vy_packets_add(
				&c->t, &c->groups, ch, v[k].node, "ignore");

			fw_vy_check(c, r);
			if (!r)
				continue;
			r->action = FW_CONTINUE;
			r->is_notrack = true;
		}
	}
}

/* ---- routing by rules ---- */

enum {
	PRIORITY_MANGLE = -150,
};

static enum fw_action action_of(const struct fw_vy_reader *c,
                                const struct fw_vy_node *rule)
{
	const struct slice action = fw_vy_value(&c->t, rule, "action");

	if (slice_eq_str(action, "drop"))
		return FW_DROP;
	if (slice_eq_str(action, "reject"))
		return FW_REJECT;
	return slice_eq_str(action, "accept") ? FW_ACCEPT : FW_CONTINUE;
}

/* Most only say which way packets go, which is nothing to a firewall. */
static bool has_drop(const struct fw_vy_reader *c, const struct fw_vy_node *set)
{
	const struct fw_vy_node *r =
		fw_vy_first(fw_vy_find(&c->t, set, "rule"));

	while (r && action_of(c, r) != FW_DROP && action_of(c, r) != FW_REJECT)
		r = r->next;
	return r != NULL;
}

static void add_routing(struct fw_vy_reader *c, const char *kind,
                        const char *table, const struct fw_vy_node *set)
{
	const char *name =
		arena_fmt(&c->rules->arena, "%s %.*s", kind, (int)set->word.n,
	                  (const char *)set->word.p);
	struct fw_chain *ch;
	struct fw_vy_numbered *v;
	size_t n;

	fw_vy_check(c, name);
	ch = name ? fw_vy_chain_add(c, name, table, FW_HOOK_PREROUTING) : NULL;
	if (!ch)
		return;
	ch->priority = PRIORITY_MANGLE;
	ch->line = set->line;
	ch->raw = set->raw;
	n = fw_vy_sort(c, &v, set);
	for (size_t i = 0; i < n && !c->err; i++) {
		struct fw_rule *r = fw_vy_packets_add(&c->t, &c->groups, ch,
		                                      v[i].node, name);

		fw_vy_check(c, r);
		if (r)
			r->action = action_of(c, v[i].node);
	}
	/* VyOS from 1.4 says here where it acts. */
	for (const struct fw_vy_node *k =
	             fw_vy_first(fw_vy_find(&c->t, set, "interface"));
	     k && !c->err; k = k->next)
		fw_vy_routing_bind(c, kind, table, k->word, set->word);
}

void fw_vy_routing_bind(struct fw_vy_reader *c, const char *kind,
                        const char *table, struct slice iface, struct slice set)
{
	const char *name = arena_fmt(&c->scratch, "%s %.*s", kind, (int)set.n,
	                             (const char *)set.p);
	struct fw_chain *ch =
		name ? fw_dict_get(&c->chains, table, slice_str(name)) : NULL;

	fw_vy_check(c, name);
	for (struct fw_rule *r = ch ? ch->first : NULL; r; r = r->next)
		fw_vy_check(c, fw_zones_add(&c->rules->arena, &r->in,
		                            fw_vy_dup(c, iface)));
}

void fw_vy_routing_read(struct fw_vy_reader *c)
{
	static const struct {
		const char *path, *kind, *table;
	} rows[] = {
		{"firewall modify", "modify", fw_vy_table4},
		{"firewall ipv6-modify", "ipv6-modify", fw_vy_table6},
		{"policy route", "route", fw_vy_table4},
		{"policy ipv6-route", "ipv6-route", fw_vy_table6},
		{"policy route6", "route6", fw_vy_table6},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct fw_vy_node *n =
			fw_vy_first(fw_vy_find(&c->t, c->t.root, rows[i].path));

		for (; n && !c->err; n = n->next) {
			if (has_drop(c, n))
				add_routing(c, rows[i].kind, rows[i].table, n);
		}
	}
}

/* A set that no interface names does nothing. */
void fw_vy_routing_end(struct fw_vy_reader *c)
{
	for (struct fw_chain *ch = c->rules->chains; ch; ch = ch->next) {
		for (struct fw_rule *r = ch->first;
		     r && ch->priority == PRIORITY_MANGLE; r = r->next)
			r->is_disabled |= !r->in.first;
	}
}
