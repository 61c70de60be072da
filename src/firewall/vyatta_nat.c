/* SPDX-License-Identifier: ISC */
/*
 * Design: what is asked of a packet before it is routed or after: NAT, and
 * what conntrack is told to ignore. These rules name packets in the words of
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
