/* SPDX-License-Identifier: ISC */
/*
 * Design: a zone is asked where traffic leaves by one of its interfaces: what
 * comes from itself passes, what comes from a zone that it names goes through
 * that pair's rule set, and the rest meets its default action. That is how
 * VyOS 1.4 renders it (data/templates/firewall/nftables-zone.j2 of vyos-1x):
 * one base chain per family and hook, after those of the interfaces. What
 * leaves by an interface of no zone is not asked there. The manual of Vyatta,
 * which EdgeOS and VyOS up to 1.3 follow, says that a zone's traffic cannot
 * leave so, and their code is not known here: then it is not certain.
 */
#include "firewall/vyatta_read.h"

#include "base/i18n.h"

enum {
	PRIORITY = 2, /* after the chains of interfaces */
};

static const char conditional[] = "zone-policy";

struct zones {
	struct fw_vy_reader *c;
	const struct fw_vy_node *list;
	const struct fw_vy_node *zone; /**< that is asked */
	struct fw_chain *ch;
	bool is6;
};

static bool is_local(const struct zones *z, const struct fw_vy_node *zone)
{
	return fw_vy_find(&z->c->t, zone, "local-zone") != NULL;
}

/* @return whether there are any */
static bool add_members(struct zones *z, struct fw_zones *set,
                        const struct fw_vy_node *zone)
{
	static const char *const paths[] = {"interface", "member interface",
	                                    "member vrf"};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		const struct fw_vy_node *list =
			fw_vy_find(&z->c->t, zone, paths[i]);

		for (const struct fw_vy_node *n = list ? list->first : NULL; n;
		     n = n->next) {
			struct fw_zone *at =
				fw_zones_add(&z->c->rules->arena, set,
			                     fw_vy_dup(z->c, n->word));

			fw_vy_check(z->c, at);
			if (!at)
				return true;
			at->is_unknown = i == 2; /* its interfaces are */
		}
	}
	return set->first != NULL;
}

/* What @p at says of traffic between two zones; NULL: any. */
static struct fw_rule *add(struct zones *z, const struct fw_vy_node *at,
                           enum fw_action action, const struct fw_vy_node *from,
                           const struct fw_vy_node *to)
{
	struct fw_zones in = {0}, out = {0};
	struct fw_rule *r;

	/* of no interface nothing comes */
	if ((from && !add_members(z, &in, from)) ||
	    (to && !add_members(z, &out, to)))
		return NULL;
	r = fw_vy_made_add(z->c, z->ch, at, action);
	if (!r)
		return NULL;
	r->in = in;
	r->out = out;
	r->id = arena_fmt(&z->c->rules->arena, "zone %.*s",
	                  (int)z->zone->word.n, (const char *)z->zone->word.p);
	fw_vy_check(z->c, r->id);
	if (!r->id)
		r->id = "";
	return r;
}

static enum fw_action action_of(struct slice said)
{
	if (slice_eq_str(said, "accept"))
		return FW_ACCEPT;
	return slice_eq_str(said, "reject") ? FW_REJECT : FW_DROP;
}

/* Through the rule set that @p path below @p at names; what it returns
 * passes. */
static void add_named(struct zones *z, const struct fw_vy_node *at,
                      const char *path, const struct fw_vy_node *from,
                      const struct fw_vy_node *to)
{
	const struct fw_vy_node *name =
		fw_vy_find(&z->c->t, fw_vy_find(&z->c->t, at, path),
	                   z->is6 ? "ipv6-name" : "name");
	struct fw_rule *r;

	if (!name || !name->last)
		return; /* the default action is for these */
	r = add(z, name->last, FW_JUMP, from, to);
	if (!r)
		return;
	r->target = fw_vy_dup(z->c, name->last->word);
	(void)add(z, name->last, FW_ACCEPT, from, to);
}

static void add_set(struct zones *z, const struct fw_vy_node *at,
                    const struct fw_vy_node *from, const struct fw_vy_node *to)
{
	add_named(z, at, "firewall", from, to);
}

static void add_inner(struct zones *z, const struct fw_vy_node *zone)
{
	const struct fw_vy_node *n =
		fw_vy_find(&z->c->t, zone, "intra-zone-filtering");
	const struct slice action = fw_vy_value(&z->c->t, n, "action");

	if (n)
		add_set(z, n, zone, zone);
	(void)add(z, n ? n : zone,
	          slice_eq_str(action, "drop") ? FW_DROP : FW_RETURN, zone,
	          zone);
}

/* A zone that is named but not there has nothing that could come from it. */
static const struct fw_vy_node *zone_of(struct zones *z,
                                        const struct fw_vy_node *from)
{
	const struct fw_vy_node *zone =
		fw_vy_child(&z->c->t, z->list, from->word);

	if (!zone && !z->is6)
		diag_add(z->c->t.dg, DIAG_WARN, from->raw,
		         _("This zone is not in the text."));
	return zone;
}

static void add_default(struct zones *z, const struct fw_vy_node *zone,
                        const struct fw_vy_node *from,
                        const struct fw_vy_node *to)
{
	const struct fw_vy_node *n =
		fw_vy_find(&z->c->t, zone, "default-action");

	/* for zones without a set of their own */
	add_named(z, zone, "default-firewall", from, to);
	(void)add(z, n ? n : zone,
	          action_of(fw_vy_value(&z->c->t, zone, "default-action")),
	          from, to);
}

static void read_zone(struct zones *z, const struct fw_vy_node *zone)
{
	const struct fw_vy_node *list = fw_vy_find(&z->c->t, zone, "from");

	add_inner(z, zone);
	for (const struct fw_vy_node *n = list ? list->first : NULL;
	     n && !z->c->err; n = n->next) {
		const struct fw_vy_node *from = zone_of(z, n);

		if (from && !is_local(z, from))
			add_set(z, n, from, zone);
	}
	add_default(z, zone, NULL, zone);
}

/* Between zones and the box itself. */
static void read_local(struct zones *z, const struct fw_vy_node *zone,
                       bool is_out)
{
	const struct fw_vy_node *list = fw_vy_find(&z->c->t, zone, "from");

	for (const struct fw_vy_node *n = list ? list->first : NULL;
	     n && !is_out && !z->c->err; n = n->next) {
		const struct fw_vy_node *from = zone_of(z, n);

		if (from)
			add_set(z, n, from, NULL);
	}
	for (const struct fw_vy_node *to = z->list->first;
	     to && is_out && !z->c->err; to = to->next) {
		const struct fw_vy_node *from =
			fw_vy_find(&z->c->t, to, "from");
		const struct fw_vy_node *n =
			from ? fw_vy_child(&z->c->t, from, zone->word) : NULL;

		if (n)
			add_set(z, n, NULL, to);
	}
	add_default(z, zone, NULL, NULL);
}

/* Where the manual and what is known of the code do not agree. */
static void doubt_others(struct zones *z)
{
	for (const struct fw_vy_node *n = z->list->first; n && !z->c->err;
	     n = n->next) {
		struct fw_rule *r;

		if (is_local(z, n))
			continue;
		z->zone = n;
		r = add(z, n, FW_DROP, n, NULL);
		if (!r)
			continue;
		r->conditional = conditional;
		r->out.is_negated = true;
		for (const struct fw_vy_node *o = z->list->first; o;
		     o = o->next)
			(void)add_members(z, &r->out, o);
	}
}

static void read_hook(struct zones *z, enum fw_hook hook, bool is_old)
{
	const char *name = hook == FW_HOOK_INPUT    ? "zones to the box"
	                   : hook == FW_HOOK_OUTPUT ? "zones from the box"
	                   : is_old                 ? FW_VY_OLD_ZONES
	                                            : FW_VY_ZONES;

	z->ch = fw_vy_chain_add(z->c, name,
	                        z->is6 ? fw_vy_table6 : fw_vy_table4, hook);
	if (!z->ch)
		return;
	z->ch->priority = PRIORITY;
	z->ch->line = z->list->line;
	z->ch->raw = z->list->raw;
	fw_vy_state_policy_add(z->c, z->ch);
	for (z->zone = z->list->first; z->zone && !z->c->err;
	     z->zone = z->zone->next) {
		if (is_local(z, z->zone) != (hook != FW_HOOK_FORWARD))
			continue;
		if (hook == FW_HOOK_FORWARD)
			read_zone(z, z->zone);
		else
			read_local(z, z->zone, hook == FW_HOOK_OUTPUT);
	}
	if (hook == FW_HOOK_FORWARD && is_old)
		doubt_others(z);
}

void fw_vy_zones_read(struct fw_vy_reader *c)
{
	static const enum fw_hook hooks[] = {FW_HOOK_FORWARD, FW_HOOK_INPUT,
	                                     FW_HOOK_OUTPUT};
	const struct fw_vy_node *old =
		fw_vy_find(&c->t, c->t.root, "zone-policy zone");
	struct zones z = {
		.c = c,
		.list = old ? old
	                    : fw_vy_find(&c->t, c->t.root, "firewall zone")};

	if (!z.list || !z.list->first)
		return;
	for (size_t i = 0; i < 2 * ARRAY_LEN(hooks) && !c->err; i++) {
		z.is6 = i % 2;
		read_hook(&z, hooks[i / 2], old);
	}
}
