/* SPDX-License-Identifier: ISC */
/*
 * Design: one reader for the rules of both vendors and of all versions: words
 * differ little, and a word that one of them does not know does not occur
 * there. What is not understood makes the rule uncertain.
 */
#include <errno.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "firewall/match.h"
#include "firewall/vyatta.h"

enum {
	MAX_COPIES = 1 << 21,
	MAX_INCLUDED = 8, /* groups in groups */
	N_OF_FILTERS = 6, /* of the words that say nothing of packets */
};

/* ---- groups ---- */

/* Scopes of names: compared by address. */
static const char hosts[] = "address-group";
static const char nets[] = "network-group";
static const char hosts6[] = "ipv6-address-group";
static const char nets6[] = "ipv6-network-group";
static const char domains[] = "domain-group";
static const char ports[] = "port-group";
static const char ifaces[] = "interface-group";

static const struct {
	const char *kind;
	const char *member;
	enum fw_object_kind object;
	bool is_name;
} kinds[] = {
	{hosts, "address", FW_OBJECT_ADDRS, false},
	{nets, "network", FW_OBJECT_ADDRS, false},
	{hosts6, "address", FW_OBJECT_ADDRS, false},
	{hosts6, "ipv6-address", FW_OBJECT_ADDRS, false},
	{nets6, "network", FW_OBJECT_ADDRS, false},
	{nets6, "ipv6-network", FW_OBJECT_ADDRS, false},
	{domains, "address", FW_OBJECT_ADDRS, true},
	{ports, "port", FW_OBJECT_SERVICES, false},
	{ifaces, "interface", FW_OBJECT_ZONES, false},
};

static bool add_address(struct fw_vy_tree *t, struct fw_addrs *set,
                        struct slice text, bool is_name)
{
	struct arena *a = &t->rules->arena;
	struct fw_ip lo, hi;
	const char *name;

	if (!is_name && fw_ip_parse(&lo, &hi, text) == 0)
		return fw_addrs_add_range(a, set, lo, hi);
	if (!is_name)
		diag_add(t->dg, DIAG_ERROR, text, _("Not an address."));
	name = arena_dup(a, text);
	return name &&
	       fw_addrs_add_name(
		       a, set, is_name ? FW_ADDR_NAME : FW_ADDR_UNKNOWN, name);
}

static bool add_member(struct fw_vy_tree *t, struct fw_object *o,
                       struct slice word, bool is_name)
{
	struct arena *a = &t->rules->arena;
	uint16_t lo, hi;
	const char *name;

	if (o->kind == FW_OBJECT_ADDRS)
		return add_address(t, &o->addrs, word, is_name);
	if (o->kind == FW_OBJECT_ZONES) {
		name = arena_dup(a, word);
		return name && fw_zones_add(a, &o->zones, name);
	}
	if (fw_ports_parse(&lo, &hi, word) == 0)
		return fw_services_add(a, &o->services, FW_PROTO_ANY, lo, hi);
	diag_add(t->dg, DIAG_ERROR, word, _("Not a range of ports."));
	return true;
}

static struct fw_object *group_of(struct fw_vy_groups *g, struct fw_vy_tree *t,
                                  const struct fw_vy_node *n, size_t kind)
{
	const char *scope = kinds[kind].kind;
	struct fw_object *o = fw_dict_get(&g->dict, scope, n->word);
	const char *name;

	if (o)
		return o;
	name = arena_dup(&t->rules->arena, n->word);
	if (!name)
		return NULL;
	o = fw_object_add(t->rules, kinds[kind].object, name);
	if (!o)
		return NULL;
	o->table = scope;
	o->line = n->line;
	o->raw = n->raw;
	fw_dict_put(&g->dict, scope, n->word, o);
	return o;
}

/* The members of @p n and of the groups that it includes. @return false: one of
 * those is not there, or they go round. */
static bool add_members(struct fw_vy_groups *g, struct fw_vy_tree *t,
                        struct fw_object *o, const struct fw_vy_node *n,
                        size_t kind, unsigned depth)
{
	const struct fw_vy_node *list = fw_vy_find(t, n, kinds[kind].member);
	const struct fw_vy_node *more = fw_vy_find(t, n, "include");
	bool is_whole = true;

	for (const struct fw_vy_node *m = list ? list->first : NULL; m;
	     m = m->next)
		t->no_memory |= !add_member(t, o, m->word, kinds[kind].is_name);
	for (const struct fw_vy_node *m = more ? more->first : NULL; m;
	     m = m->next) {
		const struct fw_vy_node *other =
			fw_vy_child(t, n->parent, m->word);

		is_whole = other && depth < MAX_INCLUDED &&
		           ++g->n_copies <= MAX_COPIES &&
		           add_members(g, t, o, other, kind, depth + 1) &&
		           is_whole;
	}
	return is_whole;
}

/* One whose members are not all known is as good as not there. */
static bool add_group(struct fw_vy_groups *g, struct fw_vy_tree *t,
                      const struct fw_vy_node *n, size_t kind)
{
	struct fw_object *o = group_of(g, t, n, kind);

	if (!o)
		return false;
	if (!add_members(g, t, o, n, kind, 0))
		fw_dict_put(&g->dict, kinds[kind].kind, n->word, NULL);
	return !t->no_memory;
}

int fw_vy_groups_read(struct fw_vy_groups *g, struct fw_vy_tree *t)
{
	*g = (struct fw_vy_groups){0};
	fw_dict_init_like(&g->dict, &t->dict);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct fw_vy_node *all =
			fw_vy_find(t, fw_vy_find(t, t->root, "firewall group"),
		                   kinds[i].kind);

		for (const struct fw_vy_node *n = all ? all->first : NULL; n;
		     n = n->next) {
			if (!add_group(g, t, n, i))
				return ENOMEM;
		}
	}
	return g->dict.no_memory ? ENOMEM : 0;
}

/* ---- rules ---- */

struct ctx {
	struct fw_vy_tree *t;
	struct fw_vy_groups *g;
	struct fw_match m;
	bool is_packets; /**< what it does is said elsewhere */
	bool no_memory;
};

static const char *dup(struct ctx *c, struct slice s)
{
	const char *text = arena_dup(&c->t->rules->arena, s);

	c->no_memory |= !text;
	return text ? text : "";
}

static bool cut_not(struct slice *value)
{
	if (value->n == 0 || value->p[0] != '!')
		return false;
	*value = slice_trim(slice_sub(*value, 1, SIZE_MAX));
	return true;
}

static struct slice last_word(const struct fw_vy_node *n)
{
	return n->last ? n->last->word : (struct slice){NULL, 0};
}

static void take_ports(struct ctx *c, bool is_dest, struct slice value)
{
	const bool is_negated = cut_not(&value);
	struct fw_ivals set = {0};
	struct slice part;
	uint16_t lo, hi;

	while (fw_part_next(&value, ',', &part)) {
		if (fw_ports_parse(&lo, &hi, part) == 0) {
			fw_ivals_add(&set, lo, hi);
			continue;
		}
		diag_add(c->t->dg, DIAG_ERROR, part,
		         _("Not a range of ports."));
		fw_match_doubt(&c->m, part);
		fw_ivals_fini(&set);
		return;
	}
	fw_ivals_normalise(&set);
	fw_match_ports(&c->m, is_dest, &set, is_negated);
	fw_ivals_fini(&set);
}

static void take_port_group(struct ctx *c, bool is_dest,
                            const struct fw_object *o, bool is_negated)
{
	struct fw_ivals set = {0};

	for (const struct fw_service *s = o->services.first; s; s = s->next)
		fw_ivals_add(&set, s->dport_lo, s->dport_hi);
	fw_ivals_normalise(&set);
	fw_match_ports(&c->m, is_dest, &set, is_negated);
	fw_ivals_fini(&set);
}

static const struct fw_object *group_find(struct ctx *c, struct slice kind,
                                          struct slice name)
{
	const struct fw_object *o = NULL;

	/* In rules of IPv6 the kinds may lack their "ipv6-". */
	if (c->m.rule.families == FW_IP6 && slice_eq_str(kind, hosts))
		o = fw_dict_get(&c->g->dict, hosts6, name);
	if (c->m.rule.families == FW_IP6 && slice_eq_str(kind, nets))
		o = fw_dict_get(&c->g->dict, nets6, name);
	for (size_t i = 0; i < ARRAY_LEN(kinds) && !o; i++) {
		if (slice_eq_str(kind, kinds[i].kind))
			o = fw_dict_get(&c->g->dict, kinds[i].kind, name);
	}
	return o;
}

/* The interface of that name: `eth1`, `eth1.10`. */
static const struct fw_vy_node *iface_find(const struct fw_vy_tree *t,
                                           struct slice name)
{
	const struct fw_vy_node *all = fw_vy_find(t, t->root, "interfaces");
	const size_t dot = slice_find(name, slice_str("."));
	const struct fw_vy_node *n = NULL;

	for (const struct fw_vy_node *k = all ? all->first : NULL; k && !n;
	     k = k->next)
		n = fw_vy_child(t, k, slice_sub(name, 0, dot));
	if (!n || dot == SIZE_MAX)
		return n;
	n = fw_vy_find(t, n, "vif");
	return n ? fw_vy_child(t, n, slice_sub(name, dot + 1, SIZE_MAX)) : NULL;
}

/* EdgeOS keeps groups of each interface's own addresses and networks, such as
 * NETv4_eth1. @return false: it is none, or what it has is not in the text. */
static bool add_own(struct ctx *c, struct fw_addrs *set, struct slice name)
{
	static const struct {
		const char *prefix;
		bool is_net, is6;
	} rows[] = {
		{"ADDRv4_", false, false},
		{"NETv4_", true, false},
		{"ADDRv6_", false, true},
		{"NETv6_", true, true},
	};
	const struct fw_vy_node *n = NULL;
	size_t i = 0;

	while (i < ARRAY_LEN(rows) && !fw_has_prefix(name, rows[i].prefix))
		i++;
	if (i == ARRAY_LEN(rows))
		return false;
	n = iface_find(c->t, slice_sub(name, strlen(rows[i].prefix), SIZE_MAX));
	n = n ? fw_vy_find(c->t, n, "address") : NULL;
	for (n = n ? n->first : NULL; n; n = n->next) {
		const size_t slash = slice_find(n->word, slice_str("/"));
		struct fw_ip lo, hi;

		if (fw_ip_parse(&lo, &hi,
		                rows[i].is_net ? n->word
		                               : slice_sub(n->word, 0, slash)))
			return false; /* from DHCP */
		if (fw_ip_is4(lo) == !rows[i].is6)
			c->no_memory |= !fw_addrs_add_range(&c->t->rules->arena,
			                                    set, lo, hi);
	}
	return set->first != NULL;
}

static void take_group(struct ctx *c, bool is_dest,
                       const struct fw_vy_node *group)
{
	for (const struct fw_vy_node *k = group->first; k; k = k->next) {
		struct slice name = last_word(k);
		const bool is_negated = cut_not(&name);
		const struct fw_object *o = group_find(c, k->word, name);
		struct fw_addrs set = {.is_negated = is_negated};

		if (o && o->kind == FW_OBJECT_SERVICES) {
			take_port_group(c, is_dest, o, is_negated);
			continue;
		}
		if (slice_eq_str(k->word, "port-group") ||
		    slice_eq_str(k->word, "mac-group")) {
			fw_match_doubt(&c->m, k->raw);
			continue;
		}
		if (o && ++c->g->n_copies <= MAX_COPIES) {
			/* The group's nodes serve all rules that name it. */
			set.first = o->addrs.first;
			set.last = o->addrs.last;
		} else if (!o && add_own(c, &set, name)) {
			/* all of it */
		} else if (!fw_addrs_add_name(&c->t->rules->arena, &set,
		                              FW_ADDR_UNKNOWN, dup(c, name))) {
			c->no_memory = true;
		}
		fw_match_addrs(&c->m, is_dest, set);
	}
}

static void take_end(struct ctx *c, bool is_dest, const struct fw_vy_node *end)
{
	/* It is met by others than those that are named beside it. */
	const struct fw_vy_node *mask = fw_vy_find(c->t, end, "address-mask");

	for (const struct fw_vy_node *k = end->first; k; k = k->next) {
		struct slice value = last_word(k);
		struct fw_addrs set = {0};

		if (mask && !slice_eq_str(k->word, "port")) {
			fw_match_doubt(&c->m, mask->raw);
		} else if (slice_eq_str(k->word, "group")) {
			take_group(c, is_dest, k);
		} else if (slice_eq_str(k->word, "port")) {
			take_ports(c, is_dest, value);
		} else if (slice_eq_str(k->word, "address") ||
		           slice_eq_str(k->word, "fqdn")) {
			set.is_negated = cut_not(&value);
			c->no_memory |= !add_address(c->t, &set, value,
			                             k->word.p[0] == 'f');
			fw_match_addrs(&c->m, is_dest, set);
		} else {
			fw_match_doubt(&c->m, k->raw);
		}
	}
}

static void take_states(struct ctx *c, const struct fw_vy_node *n)
{
	static const struct {
		const char *name;
		unsigned state;
	} names[] = {
		{"new", FW_STATE_NEW},
		{"established", FW_STATE_ESTABLISHED},
		{"related", FW_STATE_RELATED},
		{"invalid", FW_STATE_INVALID},
	};
	unsigned states = 0;

	for (const struct fw_vy_node *k = n->first; k; k = k->next) {
		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			if (slice_eq_str(k->word, names[i].name) &&
			    !slice_eq_str(last_word(k), "disable"))
				states |= names[i].state;
		}
	}
	if (states)
		fw_match_states(&c->m, states, false);
}

static void take_proto(struct ctx *c, const struct fw_vy_node *n)
{
	struct slice value = last_word(n);
	const bool is_negated = cut_not(&value);
	bool set[256] = {false};
	int proto;

	if (slice_eq_str(value, "all"))
		return;
	if (slice_eq_str(value, "tcp_udp")) {
		set[FW_PROTO_TCP] = set[FW_PROTO_UDP] = true;
	} else if (fw_proto_parse(&proto, value) == 0 && proto >= 0) {
		set[proto] = true;
	} else {
		diag_add(c->t->dg, DIAG_ERROR, value.n ? value : n->raw,
		         _("Not a protocol."));
		fw_match_doubt(&c->m, value);
		return;
	}
	fw_match_protos(&c->m, set, is_negated);
}

static void take_action(struct ctx *c, struct slice value)
{
	static const struct {
		const char *name;
		enum fw_action action;
	} rows[] = {
		{"accept", FW_ACCEPT},    {"drop", FW_DROP},
		{"reject", FW_REJECT},    {"return", FW_RETURN},
		{"jump", FW_JUMP},        {"continue", FW_CONTINUE},
		{"offload", FW_CONTINUE}, {"notrack", FW_CONTINUE},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!slice_eq_str(value, rows[i].name))
			continue;
		c->m.rule.action = rows[i].action;
		if (slice_eq_str(value, "offload"))
			c->m.rule.attrs.offload = FW_ON;
		c->m.rule.is_notrack = slice_eq_str(value, "notrack");
		return;
	}
	/* It could do anything to what it matches. */
	c->m.rule.action = FW_DROP;
	fw_match_doubt(&c->m, value.n ? value : slice_str("action"));
}

/* `inbound-interface name eth0`, `interface-name eth0`, `group LAN`; in NAT
 * also `eth0` alone. */
static void take_zone(struct ctx *c, bool is_out, const struct fw_vy_node *n)
{
	for (const struct fw_vy_node *k = n->first; k; k = k->next) {
		struct slice value = k->first ? last_word(k) : k->word;
		const bool is_negated = cut_not(&value);
		struct fw_zones set = {.is_negated = is_negated};
		const struct fw_object *o = NULL;
		struct fw_zone *z;

		const bool is_group = slice_eq_str(k->word, "group") ||
		                      slice_eq_str(k->word, "interface-group");

		if (slice_eq_str(value, "any"))
			continue;
		if (is_group)
			o = fw_dict_get(&c->g->dict, ifaces, value);
		if (o) {
			set.first = o->zones.first;
			set.last = o->zones.last;
		} else {
			z = fw_zones_add(&c->t->rules->arena, &set,
			                 dup(c, value));
			c->no_memory |= !z;
			if (z)
				z->is_unknown = is_group;
		}
		fw_match_zones(&c->m, is_out, set);
	}
}

static bool is_ignored(const struct ctx *c, struct slice key)
{
	static const char *const names[] = {
		"description",
		"log",
		"disable",
		"log-options",
		"jump-target",
		"offload-target",
		/* of NAT and of routing */
		"action",
		"modify",
		"set",
		"translation",
		"type",
		"exclude",
		"load-balance",
		"inside-address",
		"outside-address",
	};
	const size_t n = c->is_packets ? ARRAY_LEN(names) : N_OF_FILTERS;

	for (size_t i = 0; i < n; i++) {
		if (slice_eq_str(key, names[i]))
			return true;
	}
	return false;
}

static void take_word(struct ctx *c, const struct fw_vy_node *k)
{
	const struct slice value = last_word(k);

	if (is_ignored(c, k->word) || slice_eq_str(k->word, "action"))
		return;
	if (slice_eq_str(k->word, "source"))
		take_end(c, false, k);
	else if (slice_eq_str(k->word, "destination"))
		take_end(c, true, k);
	else if (slice_eq_str(k->word, "protocol"))
		take_proto(c, k);
	else if (slice_eq_str(k->word, "state"))
		take_states(c, k);
	else if (slice_eq_str(k->word, "inbound-interface"))
		take_zone(c, false, k);
	else if (slice_eq_str(k->word, "outbound-interface"))
		take_zone(c, true, k);
	else if (slice_eq_str(k->word, "time"))
		c->m.rule.schedule = dup(c, k->first ? k->first->word : value);
	else
		fw_match_doubt(&c->m, k->word);
}

/* What is left of a rule once it is known what it does. */
static struct fw_rule *finish(struct ctx *c, struct fw_chain *ch,
                              const struct fw_vy_node *rule, const char *kind)
{
	const struct slice about = fw_vy_value(c->t, rule, "description");
	struct fw_rule *r;

	c->m.rule.families = ch->families;
	c->m.rule.line = rule->line;
	c->m.rule.raw = rule->raw;
	c->m.rule.id = arena_fmt(&c->t->rules->arena, "%s %.*s", kind,
	                         (int)rule->word.n, (const char *)rule->word.p);
	c->m.rule.is_disabled = fw_vy_find(c->t, rule, "disable");
	if (about.n)
		c->m.rule.name = dup(c, about);
	for (const struct fw_vy_node *k = rule->first; k; k = k->next)
		take_word(c, k);
	c->no_memory |= !c->m.rule.id;
	r = c->no_memory ? NULL : fw_match_done(&c->m, c->t->rules, ch);
	fw_match_fini(&c->m);
	return r;
}

struct fw_rule *fw_vy_packets_add(struct fw_vy_tree *t, struct fw_vy_groups *g,
                                  struct fw_chain *ch,
                                  const struct fw_vy_node *rule,
                                  const char *kind)
{
	struct ctx c = {.t = t, .g = g, .is_packets = true};

	fw_match_init(&c.m, &t->rules->arena);
	c.m.rule.action = FW_ACCEPT;
	return finish(&c, ch, rule, kind);
}

struct fw_rule *fw_vy_rule_add(struct fw_vy_tree *t, struct fw_vy_groups *g,
                               struct fw_chain *ch,
                               const struct fw_vy_node *rule)
{
	struct ctx c = {.t = t, .g = g};

	fw_match_init(&c.m, &t->rules->arena);
	take_action(&c, fw_vy_value(t, rule, "action"));
	if (c.m.rule.action == FW_JUMP)
		c.m.rule.target = dup(&c, fw_vy_value(t, rule, "jump-target"));
	return finish(&c, ch, rule, ch->name);
}
