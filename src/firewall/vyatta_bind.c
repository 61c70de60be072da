/* SPDX-License-Identifier: ISC */
/*
 * Design: a rule set acts where an interface names it. An interface may be
 * below another ("vif 10" and "pppoe 0" below eth0), to any depth, and each of
 * them may name sets of its own; the name that packets are known by is made of
 * those on the way.
 */
#include "firewall/vyatta_read.h"

enum {
	MAX_DEPTH = 4, /* eth0, vif-s, vif-c, pppoe */
};

enum side {
	SIDE_IN,
	SIDE_OUT,
	SIDE_LOCAL,
	SIDES,
};

static const struct {
	const char *word, *name;
	enum fw_hook hook;
	int priority;
} sides[SIDES] = {
	{"in", "interfaces in", FW_HOOK_FORWARD, 0},
	{"out", "interfaces out", FW_HOOK_FORWARD, 1},
	{"local", "interfaces local", FW_HOOK_INPUT, 0},
};

static struct fw_chain *side_chain(struct fw_vy_reader *c, const char *table,
                                   enum side s)
{
	const struct slice name = slice_str(sides[s].name);
	struct fw_chain *ch = fw_dict_get(&c->chains, table, name);

	if (ch)
		return ch;
	ch = fw_vy_chain_add(c, sides[s].name, table, sides[s].hook);
	if (!ch)
		return NULL;
	ch->priority = sides[s].priority;
	fw_vy_state_policy_add(c, ch);
	return ch;
}

static void bind_one(struct fw_vy_reader *c, const char *iface,
                     const char *table, enum side s,
                     const struct fw_vy_node *name)
{
	struct fw_chain *ch = side_chain(c, table, s);
	struct fw_zones *zones;
	struct fw_rule *r;

	r = ch ? fw_vy_made_add(c, ch, name, FW_JUMP) : NULL;
	if (!r)
		return;
	r->target = fw_vy_dup(c, name->word);
	r->id = arena_fmt(&c->rules->arena, "%s %s", iface, sides[s].word);
	fw_vy_check(c, r->id);
	if (!r->id)
		r->id = "";
	zones = s == SIDE_OUT ? &r->out : &r->in;
	fw_vy_check(c, fw_zones_add(&c->rules->arena, zones, iface));
}

static void bind_all(struct fw_vy_reader *c, const char *iface,
                     const struct fw_vy_node *fw)
{
	for (int s = 0; s < SIDES && fw; s++) {
		const struct fw_vy_node *side =
			fw_vy_find(&c->t, fw, sides[s].word);
		const struct fw_vy_node *v4 = fw_vy_find(&c->t, side, "name");
		const struct fw_vy_node *v6 =
			fw_vy_find(&c->t, side, "ipv6-name");

		if (v4 && v4->last)
			bind_one(c, iface, fw_vy_table4, (enum side)s,
			         v4->last);
		if (v6 && v6->last)
			bind_one(c, iface, fw_vy_table6, (enum side)s,
			         v6->last);
	}
}

static void bind_routing(struct fw_vy_reader *c, const char *iface,
                         const struct fw_vy_node *n)
{
	static const struct {
		const char *path, *kind, *table;
	} rows[] = {
		{"firewall in", "modify", fw_vy_table4},
		{"firewall in", "ipv6-modify", fw_vy_table6},
		{"policy", "route", fw_vy_table4},
		{"policy", "ipv6-route", fw_vy_table6},
		{"policy", "route6", fw_vy_table6},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct slice set =
			fw_vy_value(&c->t, fw_vy_find(&c->t, n, rows[i].path),
		                    rows[i].kind);

		if (set.n)
			fw_vy_routing_bind(c, rows[i].kind, rows[i].table,
			                   slice_str(iface), set);
	}
}

/* What is below an interface: `vif 10` of eth1 is eth1.10, `pppoe 0` of that
 * is pppoe0. */
static const struct {
	const char *word;
	bool is_own; /**< its name does not begin with that above it */
} below[] = {
	{"vif", false},  {"vif-s", false}, {"vif-c", false},
	{"pppoe", true}, {"pvc", false},
};

static bool is_private(struct slice address)
{
	static const char *const nets[] = {"10.0.0.0/8", "172.16.0.0/12",
	                                   "192.168.0.0/16"};
	struct fw_ip lo, hi, first, last;

	if (fw_ip_parse(&first, &last, address))
		return false; /* from DHCP */
	for (size_t i = 0; i < ARRAY_LEN(nets); i++) {
		if (fw_ip_parse(&lo, &hi, slice_str(nets[i])) == 0 &&
		    fw_ip_cmp(lo, first) <= 0 && fw_ip_cmp(last, hi) <= 0)
			return true;
	}
	return false;
}

static void note_inside(struct fw_vy_reader *c, const char *name,
                        const struct fw_vy_node *n)
{
	const struct fw_vy_node *a =
		fw_vy_first(fw_vy_find(&c->t, n, "address"));

	for (; a; a = a->next) {
		if (!is_private(a->word))
			continue;
		fw_vy_check(c, fw_zones_add(&c->rules->arena, &c->rules->inside,
		                            name));
		return;
	}
}

static void read_interface(struct fw_vy_reader *c, const char *name,
                           const struct fw_vy_node *n, unsigned depth)
{
	bind_all(c, name, fw_vy_find(&c->t, n, "firewall"));
	bind_routing(c, name, n);
	note_inside(c, name, n);
	for (size_t i = 0; i < ARRAY_LEN(below) && depth < MAX_DEPTH; i++) {
		const struct fw_vy_node *v =
			fw_vy_first(fw_vy_find(&c->t, n, below[i].word));

		for (; v && !c->err; v = v->next) {
			const char *sub = arena_fmt(
				&c->rules->arena, "%s%s%.*s",
				below[i].is_own ? below[i].word : name,
				below[i].is_own ? "" : ".", (int)v->word.n,
				(const char *)v->word.p);

			fw_vy_check(c, sub);
			if (sub)
				read_interface(c, sub, v, depth + 1);
		}
	}
}

void fw_vy_bindings_read(struct fw_vy_reader *c)
{
	const struct fw_vy_node *all =
		fw_vy_find(&c->t, c->t.root, "interfaces");
	/* Where 1.4 said it while it was being made. */
	const struct fw_vy_node *early =
		fw_vy_find(&c->t, c->t.root, "firewall interface");

	for (const struct fw_vy_node *kind = fw_vy_first(all); kind;
	     kind = kind->next) {
		for (const struct fw_vy_node *n = kind->first; n && !c->err;
		     n = n->next)
			read_interface(c, fw_vy_dup(c, n->word), n, 0);
	}
	for (const struct fw_vy_node *n = fw_vy_first(early); n && !c->err;
	     n = n->next)
		bind_all(c, fw_vy_dup(c, n->word), n);
}

void fw_vy_sides_open(struct fw_vy_reader *c)
{
	for (int i = 0; i < 2 && !c->err; i++)
		(void)side_chain(c, i ? fw_vy_table6 : fw_vy_table4, SIDE_IN);
}
