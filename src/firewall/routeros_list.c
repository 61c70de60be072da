/* SPDX-License-Identifier: ISC */
/*
 * Design: lists of addresses and of interfaces are read before the rules that
 * name them, and hold one set of nodes for all of those. Of some addresses
 * nobody is the owner: rules against those, which the factory's own has, are
 * in the way of no phone and of no name.
 */
#include "firewall/routeros_read.h"

const char *fw_ros_dup(struct fw_ros_ctx *c, struct slice s)
{
	const char *text = arena_dup(&c->rules->arena, s);

	fw_ros_check(c, text);
	return text ? text : "";
}

static struct fw_ros_list *list_of(struct fw_ros_ctx *c, struct fw_dict *d,
                                   struct slice name)
{
	struct fw_ros_list *l = fw_dict_get(d, NULL, name);

	if (l || c->err)
		return l;
	l = arena_alloc(&c->scratch, sizeof(*l));
	fw_ros_check(c, l);
	if (l)
		fw_dict_put(d, NULL, name, l);
	return l;
}

void fw_ros_add_address(struct fw_ros_ctx *c, struct fw_addrs *set,
                        struct slice text)
{
	struct arena *a = &c->rules->arena;
	struct fw_ip lo, hi;

	if (fw_ip_parse(&lo, &hi, text) == 0)
		fw_ros_check(c, fw_addrs_add_range(a, set, lo, hi));
	else
		fw_ros_check(c, fw_addrs_add_name(a, set, FW_ADDR_NAME,
		                                  fw_ros_dup(c, text)));
}

static void add_member(struct fw_ros_ctx *c, const struct fw_ros_item *it)
{
	const struct slice name = fw_ros_value(it->args, "list");
	const bool is_zone = it->added->menu == FW_ROS_IFLIST;
	const struct slice member =
		fw_ros_value(it->args, is_zone ? "interface" : "address");
	struct fw_ros_list *l;

	if (name.n == 0 || member.n == 0 ||
	    slice_eq_str(fw_ros_value(it->args, "disabled"), "yes"))
		return;
	l = list_of(c,
	            is_zone ? &c->zone_lists : &c->addr_lists[it->added->is6],
	            name);
	if (l && is_zone)
		fw_ros_check(c, fw_zones_add(&c->rules->arena, &l->zones,
		                             fw_ros_dup(c, member)));
	else if (l)
		fw_ros_add_address(c, &l->addrs, member);
}

void fw_ros_read_joined(struct fw_ros_ctx *c, struct slice args)
{
	struct fw_ros_list *l;

	if (fw_ros_value(args, "include").n == 0 &&
	    fw_ros_value(args, "exclude").n == 0)
		return;
	l = list_of(c, &c->zone_lists, fw_ros_value(args, "name"));
	if (l)
		l->is_joined = true;
}

void fw_ros_read_lists(struct fw_ros_ctx *c)
{
	static const enum fw_ros_menu menus[] = {FW_ROS_LIST, FW_ROS_IFLIST};

	for (size_t i = 0; i < ARRAY_LEN(menus) * 2; i++) {
		const struct fw_ros_item *it =
			c->items[menus[i / 2]][i % 2].first;

		for (; it && !c->err; it = it->next)
			add_member(c, it);
	}
}

enum stray {
	NOT_STRAY,
	DOCUMENTATION, /* of nobody, but labs use them */
	STRAY,
};

/* Is the range within those that no host has? */
static enum stray stray_of(const struct fw_addr *a)
{
	static const struct {
		const char *range;
		enum stray stray;
	} rows[] = {
		{"0.0.0.0/8", STRAY},
		{"127.0.0.0/8", STRAY},
		{"169.254.0.0/16", STRAY},
		{"192.0.0.0/24", STRAY},
		{"192.0.2.0/24", DOCUMENTATION},
		{"198.18.0.0/15", DOCUMENTATION},
		{"198.51.100.0/24", DOCUMENTATION},
		{"203.0.113.0/24", DOCUMENTATION},
		{"224.0.0.0/3", STRAY},
		{"::/16", STRAY},
		{"100::/64", STRAY},
		{"2001::/23", STRAY},
		{"2001:db8::/32", DOCUMENTATION},
		{"3ffe::/16", STRAY},
		{"fe80::/9", STRAY},
		{"ff00::/8", STRAY},
	};
	struct fw_ip lo, hi;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (a->kind == FW_ADDR_RANGE &&
		    fw_ip_parse(&lo, &hi, slice_str(rows[i].range)) == 0 &&
		    fw_ip_is4(a->lo) == fw_ip_is4(lo) &&
		    fw_ip_cmp(lo, a->lo) <= 0 && fw_ip_cmp(a->hi, hi) <= 0)
			return rows[i].stray;
	}
	return NOT_STRAY;
}

/* Is all of it of nobody? Then that is noted of each. */
static bool is_all_stray(const struct fw_addrs *set, unsigned families)
{
	bool is_sure = false;

	for (const struct fw_addr *a = set->first; a; a = a->next) {
		const enum stray stray = stray_of(a);

		is_sure |= stray == STRAY;
		/* What was IPv4's is on no wire of IPv6. */
		if (stray == NOT_STRAY &&
		    !(fw_ip_is4(a->lo) && families == FW_IP6))
			return false;
	}
	for (struct fw_addr *a = is_sure ? set->first : NULL; a; a = a->next)
		a->is_stray = true;
	return is_sure && !set->is_negated;
}

/* "Drop what comes from an address that nobody has": then phones have none of
 * them either. */
void fw_ros_note_strays(struct fw_ros_ctx *c, const struct fw_rule *r)
{
	const bool is_src = is_all_stray(&r->src, r->families);

	(void)is_all_stray(&r->dst, r->families);
	if (!is_src || r->action != FW_DROP || r->is_disabled)
		return;
	for (const struct fw_addr *a = r->src.first; a; a = a->next) {
		if (stray_of(a))
			fw_ros_check(c, fw_addrs_add_range(&c->rules->arena,
			                                   &c->rules->strays,
			                                   a->lo, a->hi));
	}
}
