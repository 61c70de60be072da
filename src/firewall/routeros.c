/* SPDX-License-Identifier: ISC */
/*
 * Design: an export is a script of commands (routeros_line.c), so it is run
 * (routeros_run.c). Of what it leaves, lists (addresses, interfaces) are read
 * before the rules, wherever they stand.
 *
 * An export shows what differs from the factory: an absent line has a
 * meaning (vendor_facts.c).
 */
#include "firewall/routeros_read.h"

#include <errno.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "firewall/match.h"
#include "firewall/routeros.h"

enum {
	MAX_COPIES = 1 << 21,
	V_6_36 = 6036000,
	BETWEEN_NATS = -50, /* -100 of the destination, 100 of the source */
};

/* ---- rules ---- */

static bool cut_not(struct slice *value)
{
	if (value->n == 0 || value->p[0] != '!')
		return false;
	*value = slice_sub(*value, 1, SIZE_MAX);
	return true;
}

static void take_address(struct fw_ros_ctx *c, struct fw_match *m, bool is_dest,
                         struct slice value)
{
	struct fw_addrs set = {0};

	set.is_negated = cut_not(&value);
	fw_ros_add_address(c, &set, value);
	fw_match_addrs(m, is_dest, set);
}

static void take_list(struct fw_ros_ctx *c, struct fw_match *m, bool is_dest,
                      struct slice value, bool is6)
{
	struct fw_addrs set = {0};
	const struct fw_ros_list *l;

	set.is_negated = cut_not(&value);
	l = fw_dict_get(&c->addr_lists[is6], NULL, value);
	if (!l || c->lost[FW_ROS_LIST][is6].n || ++c->n_copies > MAX_COPIES)
		fw_ros_check(c, fw_addrs_add_name(&c->rules->arena, &set,
		                                  FW_ADDR_UNKNOWN,
		                                  fw_ros_dup(c, value)));
	else {
		/* The list's own nodes serve every rule that names it. */
		set.first = l->addrs.first;
		set.last = l->addrs.last;
	}
	fw_match_addrs(m, is_dest, set);
}

static void take_zone(struct fw_ros_ctx *c, struct fw_match *m, bool is_out,
                      struct slice value)
{
	struct fw_zones set = {0};

	struct fw_zone *z;

	set.is_negated = cut_not(&value);
	z = fw_zones_add(&c->rules->arena, &set, fw_ros_dup(c, value));
	fw_ros_check(c, z);
	/* "all-ppp" and its like are kinds of interfaces. */
	if (z)
		z->is_unknown = fw_has_prefix(value, "all-");
	fw_match_zones(m, is_out, set);
}

static void take_zone_list(struct fw_ros_ctx *c, struct fw_match *m,
                           bool is_out, struct slice value)
{
	struct fw_zones set = {0};
	const struct fw_ros_list *l;
	struct fw_zone *z;

	set.is_negated = cut_not(&value);
	l = fw_dict_get(&c->zone_lists, NULL, value);
	if (slice_eq_str(value, "all") && !set.is_negated)
		return;
	z = fw_zones_add(&c->rules->arena, &set, fw_ros_dup(c, value));
	fw_ros_check(c, z);
	if (z)
		z->is_unknown = !l || !l->zones.first || l->is_joined ||
		                c->lost[FW_ROS_IFLIST][false].n;
	/* Its name stands for the list as well as its members do. */
	if (z && l && l->zones.first) {
		z->is_group = true;
		z->next = l->zones.first;
		set.last = l->zones.last;
	}
	fw_match_zones(m, is_out, set);
}

static void take_ports(struct fw_ros_ctx *c, struct fw_match *m, bool is_dest,
                       struct slice value, struct slice at)
{
	const bool is_negated = cut_not(&value);
	struct fw_ivals ports = {0};
	struct slice part;
	uint16_t lo, hi;

	while (fw_part_next(&value, ',', &part)) {
		if (fw_ports_parse(&lo, &hi, part) == 0) {
			fw_ivals_add(&ports, lo, hi);
			continue;
		}
		diag_add(c->dg, DIAG_ERROR, at, _("Not a range of ports."));
		fw_match_doubt(m, part);
		fw_ivals_fini(&ports);
		return;
	}
	fw_ivals_normalise(&ports);
	fw_match_ports(m, is_dest, &ports, is_negated);
	fw_ivals_fini(&ports);
}

static void take_states(struct fw_match *m, struct slice value)
{
	static const struct {
		const char *name;
		unsigned state;
	} names[] = {
		{"new", FW_STATE_NEW},
		{"established", FW_STATE_ESTABLISHED},
		{"related", FW_STATE_RELATED},
		{"invalid", FW_STATE_INVALID},
		{"untracked", FW_STATE_UNTRACKED},
	};
	const bool is_negated = cut_not(&value);
	struct slice part;
	unsigned states = 0;

	while (fw_part_next(&value, ',', &part)) {
		size_t i = 0;

		while (i < ARRAY_LEN(names) &&
		       !slice_eq_str(part, names[i].name))
			i++;
		if (i == ARRAY_LEN(names)) {
			fw_match_doubt(m, part);
			return;
		}
		states |= names[i].state;
	}
	fw_match_states(m, states, is_negated);
}

/* Names that are RouterOS's own. @return 0 or EBADMSG */
static int parse_proto(int *proto, struct slice text)
{
	static const struct {
		const char *name;
		int proto;
	} names[] = {
		{"ddp", 37},        {"dccp", 33},       {"egp", 8},
		{"encap", 98},      {"etherip", 97},    {"ggp", 3},
		{"hmp", 20},        {"icmpv6", 58},     {"idpr-cmtp", 38},
		{"idrp", 45},       {"igmp", 2},        {"ip-encap", 4},
		{"ipencap", 4},     {"ipip", 94},       {"ipsec-ah", 51},
		{"ipsec-esp", 50},  {"ipv6", 41},       {"ipv6-encap", 41},
		{"ipv6-frag", 44},  {"ipv6-nonxt", 59}, {"ipv6-opts", 60},
		{"ipv6-route", 43}, {"iso-tp4", 29},    {"l2tp", 115},
		{"ospf", 89},       {"pim", 103},       {"pup", 12},
		{"rdp", 27},        {"rspf", 73},       {"rsvp", 46},
		{"st", 5},          {"udp-lite", 136},  {"vmtp", 81},
		{"vrrp", 112},      {"xns-idp", 22},    {"xtp", 36},
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!slice_eq_str(text, names[i].name))
			continue;
		*proto = names[i].proto;
		return 0;
	}
	return fw_proto_parse(proto, text);
}

static void take_proto(struct fw_ros_ctx *c, struct fw_match *m,
                       struct slice value, struct slice at)
{
	const bool is_negated = cut_not(&value);
	bool set[256] = {false};
	int proto;

	if (parse_proto(&proto, value)) {
		diag_add(c->dg, DIAG_ERROR, at, _("Not a protocol."));
		fw_match_doubt(m, value);
		return;
	}
	set[proto] = true;
	fw_match_protos(m, set, is_negated);
}

static void take_action(struct fw_match *m, struct slice value)
{
	static const struct {
		const char *name;
		enum fw_action action;
		enum fw_nat_kind nat;
	} rows[] = {
		{"accept", FW_ACCEPT, FW_NAT_NONE},
		{"drop", FW_DROP, FW_NAT_NONE},
		{"tarpit", FW_DROP, FW_NAT_NONE},
		{"reject", FW_REJECT, FW_NAT_NONE},
		{"jump", FW_JUMP, FW_NAT_NONE},
		{"return", FW_RETURN, FW_NAT_NONE},
		{"passthrough", FW_CONTINUE, FW_NAT_NONE},
		{"log", FW_CONTINUE, FW_NAT_NONE},
		{"add-src-to-address-list", FW_CONTINUE, FW_NAT_NONE},
		{"add-dst-to-address-list", FW_CONTINUE, FW_NAT_NONE},
		{"fasttrack-connection", FW_CONTINUE, FW_NAT_NONE},
		{"mark-packet", FW_CONTINUE, FW_NAT_NONE},
		{"set-priority", FW_CONTINUE, FW_NAT_NONE},
		{"notrack", FW_CONTINUE, FW_NAT_NONE},
		{"masquerade", FW_ACCEPT, FW_NAT_SOURCE},
		{"src-nat", FW_ACCEPT, FW_NAT_SOURCE},
		{"dst-nat", FW_ACCEPT, FW_NAT_DEST},
		{"redirect", FW_ACCEPT, FW_NAT_REDIRECT},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!slice_eq_str(value, rows[i].name))
			continue;
		m->rule.action = rows[i].action;
		m->rule.nat.kind = rows[i].nat;
		if (slice_eq_str(value, "notrack"))
			m->rule.is_notrack = true;
		if (slice_eq_str(value, "fasttrack-connection"))
			m->rule.attrs.offload = FW_ON;
		return;
	}
	fw_match_doubt(m, value);
}

static bool is_ignored(struct slice key)
{
	static const char *const names[] = {
		"chain",        "disabled",
		"log",          "log-prefix",
		"!log",         "place-before",
		"reject-with",  "hw-offload",
		"address-list", "address-list-timeout",
		"to-ports",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (slice_eq_str(key, names[i]))
			return true;
	}
	return false;
}

/* Of these, an empty value asks for nothing. */
static bool is_match(struct slice key)
{
	static const char *const names[] = {
		"src-address",       "dst-address",
		"src-address-list",  "dst-address-list",
		"in-interface",      "out-interface",
		"in-interface-list", "out-interface-list",
		"src-port",          "dst-port",
		"protocol",          "connection-state",
		"comment",           "time",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (slice_eq_str(key, names[i]))
			return true;
	}
	return false;
}

/* Matches of addresses and interfaces. @return false: another. */
static bool take_place(struct fw_ros_ctx *c, struct fw_match *m,
                       const struct fw_ros_command *cmd, struct slice key,
                       struct slice value)
{
	const bool is_dest = fw_has_prefix(key, "dst-");
	const bool is_out = fw_has_prefix(key, "out-");

	if (slice_eq_str(key, "src-address") ||
	    slice_eq_str(key, "dst-address"))
		take_address(c, m, is_dest, value);
	else if (slice_eq_str(key, "src-address-list") ||
	         slice_eq_str(key, "dst-address-list"))
		take_list(c, m, is_dest, value, cmd->is6);
	else if (slice_eq_str(key, "in-interface") ||
	         slice_eq_str(key, "out-interface"))
		take_zone(c, m, is_out, value);
	else if (slice_eq_str(key, "in-interface-list") ||
	         slice_eq_str(key, "out-interface-list"))
		take_zone_list(c, m, is_out, value);
	else
		return false;
	return true;
}

/* The frames of a bridge; its ports are no interfaces of the rules above it.
 * @return false: another match */
static bool take_frame(struct fw_ros_ctx *c, struct fw_match *m,
                       struct slice key, struct slice value, struct slice raw)
{
	const bool is_out = fw_has_prefix(key, "out-");
	bool is_not;

	if (slice_eq_str(key, "mac-protocol")) {
		is_not = cut_not(&value);
		if (slice_eq_str(value, "ip") || slice_eq_str(value, "ipv6")) {
			const bool is4 = (value.n == 2) != is_not;

			fw_match_families(m, is4 ? FW_IP4 : FW_IP6);
		} else if (slice_eq_str(value, "arp") ||
		           slice_eq_str(value, "rarp")) {
			fw_match_families(m, is_not ? FW_IP4 | FW_IP6 : 0);
		} else {
			fw_match_doubt(m, key);
		}
	} else if (slice_eq_str(key, "ip-protocol")) {
		take_proto(c, m, value, raw);
	} else if (slice_eq_str(key, "in-bridge") ||
	           slice_eq_str(key, "out-bridge")) {
		take_zone(c, m, is_out, value);
	} else if (slice_eq_str(key, "in-bridge-list") ||
	           slice_eq_str(key, "out-bridge-list")) {
		take_zone_list(c, m, is_out, value);
	} else if (slice_eq_str(key, "dst-mac-address") && value.n > 1 &&
	           strchr("13579BDFbdf", value.p[1])) {
		fw_match_families(m, 0); /* to a group: no call */
	} else if (fw_has_prefix(key, "in-interface") ||
	           fw_has_prefix(key, "out-interface")) {
		fw_match_doubt(m, key);
	} else {
		return false;
	}
	return true;
}

/* What a call is sent to is a host elsewhere. @return false: not sure */
static bool take_kind(struct fw_match *m, const struct fw_ros_item *it,
                      struct slice value)
{
	const bool is_not = cut_not(&value);
	const bool is_unicast = slice_eq_str(value, "unicast");

	if (slice_eq_str(it->chain, "input") ||
	    slice_eq_str(it->chain, "output"))
		return false;
	if (!is_unicast && !slice_eq_str(value, "local") &&
	    !slice_eq_str(value, "broadcast") &&
	    !slice_eq_str(value, "multicast"))
		return false;
	if (is_unicast == is_not)
		fw_match_families(m, 0);
	return true;
}

/* Rules against port 0 are against what nobody calls from or to. */
static bool is_port_none(struct slice key, struct slice value)
{
	return slice_eq_str(value, "0") &&
	       (slice_eq_str(key, "port") || slice_eq_str(key, "src-port") ||
	        slice_eq_str(key, "dst-port"));
}

/* "syn,!ack": do packets that a connection is made of look like that? */
static bool take_flags(struct fw_match *m, const struct fw_ros_item *it,
                       struct slice value)
{
	enum {
		FIN = 1 << 0,
		SYN = 1 << 1,
		RST = 1 << 2,
		ACK = 1 << 3,
		URG = 1 << 4,
	};
	static const char *const names[] = {"fin", "syn", "rst", "ack", "urg"};
	static const unsigned looks[] = {
		SYN, SYN | ACK, ACK, ACK | URG, FIN | ACK, RST, RST | ACK};
	const bool is_new =
		slice_eq_str(fw_ros_value(it->args, "connection-state"), "new");
	unsigned set = 0, clear = 0;
	struct slice part;

	while (fw_part_next(&value, ',', &part)) {
		const bool is_not = cut_not(&part);

		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			if (slice_eq_str(part, names[i]))
				*(is_not ? &clear : &set) |= 1U << i;
		}
	}
	for (size_t i = 0; i < (is_new ? 1 : ARRAY_LEN(looks)); i++) {
		if ((set & ~looks[i]) == 0 && (clear & looks[i]) == 0)
			return false;
	}
	fw_match_families(m, 0);
	return true;
}

static void take_arg(struct fw_ros_ctx *c, struct fw_match *m,
                     const struct fw_ros_item *it, struct slice key,
                     struct slice value)
{
	const struct fw_ros_command *cmd = it->added;

	if (value.n == 0 && (key.n == 0 || key.p[0] == '!' || is_match(key)))
		return;
	if (cmd->menu == FW_ROS_BRIDGE &&
	    take_frame(c, m, key, value, cmd->raw))
		return;
	if (take_place(c, m, cmd, key, value) || is_ignored(key))
		return;
	if (slice_eq_str(key, "tcp-flags") && take_flags(m, it, value))
		return;
	if (slice_eq_str(key, "dst-address-type") && take_kind(m, it, value))
		return;
	if (slice_eq_str(key, "protocol"))
		take_proto(c, m, value, cmd->raw);
	else if (is_port_none(key, value))
		fw_match_families(m, 0);
	else if (slice_eq_str(key, "src-port") || slice_eq_str(key, "dst-port"))
		take_ports(c, m, key.p[0] == 'd', value, cmd->raw);
	else if (slice_eq_str(key, "connection-state"))
		take_states(m, value);
	else if (slice_eq_str(key, "action"))
		take_action(m, value);
	else if (slice_eq_str(key, "comment"))
		m->rule.name = fw_ros_dup(c, value);
	else if (slice_eq_str(key, "jump-target"))
		m->rule.target = fw_ros_dup(c, value);
	else if (slice_eq_str(key, "to-addresses"))
		m->rule.nat.to = fw_ros_dup(c, value);
	else if (slice_eq_str(key, "time"))
		m->rule.schedule = fw_ros_dup(c, value);
	else
		fw_match_doubt(m, key);
}

static const char *table_of(enum fw_ros_menu menu, bool is6)
{
	if (menu == FW_ROS_NAT)
		return "nat";
	if (menu == FW_ROS_RAW)
		return is6 ? "ipv6 raw" : "raw";
	if (menu == FW_ROS_BRIDGE)
		return "bridge filter";
	if (menu == FW_ROS_HOTSPOT)
		return "hotspot";
	return is6 ? "ipv6 filter" : "filter";
}

static struct fw_chain *chain_of(struct fw_ros_ctx *c, enum fw_ros_menu menu,
                                 bool is6, struct slice name)
{
	static const struct {
		const char *name;
		enum fw_ros_menu menu;
		enum fw_hook hook;
	} hooks[] = {
		{"forward", FW_ROS_FILTER, FW_HOOK_FORWARD},
		{"input", FW_ROS_FILTER, FW_HOOK_INPUT},
		{"output", FW_ROS_FILTER, FW_HOOK_OUTPUT},
		{"srcnat", FW_ROS_NAT, FW_HOOK_POSTROUTING},
		{"dstnat", FW_ROS_NAT, FW_HOOK_PREROUTING},
		{"prerouting", FW_ROS_RAW, FW_HOOK_PREROUTING},
		{"output", FW_ROS_RAW, FW_HOOK_OUTPUT},
		{"input", FW_ROS_BRIDGE, FW_HOOK_PREROUTING},
		{"output", FW_ROS_BRIDGE, FW_HOOK_POSTROUTING},
		{"hotspot", FW_ROS_HOTSPOT, FW_HOOK_PREROUTING},
	};
	const char *table = table_of(menu, is6);
	struct fw_chain *ch = fw_dict_get(&c->chains, table, name);

	if (ch)
		return ch;
	ch = fw_chain_add(c->rules, fw_ros_dup(c, name));
	fw_ros_check(c, ch);
	if (!ch)
		return NULL;
	ch->table = table;
	ch->families = is6 ? FW_IP6 : FW_IP4;
	ch->kind = menu == FW_ROS_NAT ? FW_CHAIN_NAT : FW_CHAIN_FILTER;
	if (menu == FW_ROS_BRIDGE)
		ch->families = FW_IP4 | FW_IP6;
	if (menu == FW_ROS_RAW)
		ch->priority = -300;
	/* Phones meet both with their own addresses. */
	if (menu == FW_ROS_BRIDGE || menu == FW_ROS_HOTSPOT)
		ch->priority = BETWEEN_NATS;
	for (size_t i = 0; i < ARRAY_LEN(hooks); i++) {
		if (hooks[i].menu == menu && slice_eq_str(name, hooks[i].name))
			ch->hook = hooks[i].hook;
	}
	fw_dict_put(&c->chains, table, slice_str(ch->name), ch);
	return ch;
}

static void doubt_lost(struct fw_ros_ctx *c)
{
	for (size_t i = 0; i < ARRAY_LEN(c->lost) * 2; i++) {
		const struct slice raw = c->lost[i / 2][i % 2];
		const char *why = raw.n ? fw_ros_dup(c, raw) : NULL;

		/* Who names a list that is lost, doubts by himself. */
		if (i / 2 == FW_ROS_LIST || i / 2 == FW_ROS_IFLIST ||
		    i / 2 == FW_ROS_SERVICE_PORT)
			continue;
		for (struct fw_chain *ch = c->rules->chains; ch && why;
		     ch = ch->next) {
			if (strcmp(ch->table,
			           table_of((enum fw_ros_menu)(i / 2),
			                    i % 2)) != 0)
				continue;
			for (struct fw_rule *r = ch->first; r; r = r->next) {
				if (!r->conditional)
					r->conditional = why;
			}
		}
	}
}

/* Who names no bridge means all of them, and nothing else. */
static void stay_on_bridges(struct fw_ros_ctx *c, struct fw_match *m,
                            enum fw_hook hook)
{
	const bool is_out = hook == FW_HOOK_POSTROUTING;
	const struct fw_zones *said = is_out ? &m->rule.out : &m->rule.in;

	if (said->first)
		return;
	if (c->bridges.first)
		fw_match_zones(m, is_out, c->bridges);
	else
		fw_match_doubt(m, slice_str("bridge"));
}

static void add_rule(struct fw_ros_ctx *c, const struct fw_ros_item *it)
{
	const struct fw_ros_command *cmd = it->added;
	struct slice rest = it->args, key, value;
	struct fw_chain *ch = chain_of(c, cmd->menu, cmd->is6, it->chain);
	struct fw_match m;

	if (!ch)
		return;
	fw_match_init(&m, &c->rules->arena);
	m.rule.families = ch->families;
	m.rule.action = FW_ACCEPT;
	m.rule.line = cmd->line;
	m.rule.raw = cmd->raw;
	m.rule.is_disabled =
		slice_eq_str(fw_ros_value(it->args, "disabled"), "yes");
	while (fw_ros_arg_next(&rest, &key, &value))
		take_arg(c, &m, it, key, value);
	if (cmd->menu == FW_ROS_BRIDGE)
		stay_on_bridges(c, &m, ch->hook);
	m.rule.id = arena_fmt(&c->rules->arena, "%s %u", ch->name, it->number);
	fw_ros_check(c, m.rule.id);
	fw_ros_note_strays(c, &m.rule);
	fw_ros_check(c, fw_match_done(&m, c->rules, ch));
	fw_match_fini(&m);
}

/* It lets out only who has logged in there. */
static void add_hotspot(struct fw_ros_ctx *c, const struct fw_ros_item *it)
{
	const struct slice at = fw_ros_value(it->args, "interface");
	struct fw_chain *ch =
		chain_of(c, FW_ROS_HOTSPOT, false, slice_str("hotspot"));
	struct fw_match m;

	if (!ch || at.n == 0 ||
	    slice_eq_str(fw_ros_value(it->args, "disabled"), "yes"))
		return;
	fw_match_init(&m, &c->rules->arena);
	m.rule.families = FW_IP4;
	m.rule.action = FW_DROP;
	m.rule.line = it->added->line;
	m.rule.raw = it->added->raw;
	m.rule.id = "hotspot";
	take_zone(c, &m, false, at);
	fw_match_doubt(&m, slice_str("hotspot login"));
	fw_ros_check(c, fw_match_done(&m, c->rules, ch));
	fw_match_fini(&m);
}

static void read_rules(struct fw_ros_ctx *c)
{
	static const char *const base[] = {"forward", "input", "output"};
	static const enum fw_ros_menu menus[] = {FW_ROS_FILTER, FW_ROS_NAT,
	                                         FW_ROS_RAW, FW_ROS_BRIDGE};

	for (size_t i = 0; i < ARRAY_LEN(base) && !c->err; i++) {
		(void)chain_of(c, FW_ROS_FILTER, false, slice_str(base[i]));
		(void)chain_of(c, FW_ROS_FILTER, true, slice_str(base[i]));
	}
	for (size_t i = 0; i < ARRAY_LEN(menus) * 2; i++) {
		const struct fw_ros_item *it =
			c->items[menus[i / 2]][i % 2].first;

		for (; it && !c->err; it = it->next)
			add_rule(c, it);
	}
	for (const struct fw_ros_item *it =
	             c->items[FW_ROS_HOTSPOT][false].first;
	     it && !c->err; it = it->next)
		add_hotspot(c, it);
}

static void check_targets(struct fw_ros_ctx *c)
{
	for (struct fw_chain *ch = c->rules->chains; ch; ch = ch->next) {
		for (struct fw_rule *r = ch->first; r; r = r->next) {
			if (r->action != FW_JUMP)
				continue;
			if (r->target && fw_dict_get(&c->chains, ch->table,
			                             slice_str(r->target)))
				continue;
			/* Such a jump finds nothing and comes back. */
			r->action = FW_CONTINUE;
			diag_add(c->dg, DIAG_WARN, r->raw,
			         _("This jump leads to a chain without "
			           "rules."));
		}
	}
}

/* # 2024-01-02 10:00:00 by RouterOS 7.14.2 */
static void read_version(struct fw_ros_ctx *c, struct slice text)
{
	const struct slice mark = slice_str("by RouterOS ");
	const size_t at = slice_find(slice_sub(text, 0, 1024), mark);
	struct slice rest, word;

	if (at == SIZE_MAX)
		return;
	rest = slice_sub(text, at + mark.n, 32);
	if (fw_word_next(&rest, &word))
		c->rules->version = fw_ros_dup(c, word);
}

static int parse(struct fw_rules *out, struct slice text, struct diag *dg)
{
	struct fw_ros_ctx c = {.rules = out, .dg = dg};
	const size_t n_before = dg->n_errors;

	arena_init(&c.scratch);
	out->dialect = "routeros";
	out->text = text;
	if (fw_has_prefix(text, "\xef\xbb\xbf"))
		text = slice_sub(text, 3, SIZE_MAX);
	for (size_t i = 0; i < 2; i++)
		fw_dict_init(&c.addr_lists[i], &c.scratch, text);
	fw_dict_init_like(&c.zone_lists, &c.addr_lists[0]);
	fw_dict_init_like(&c.chains, &c.addr_lists[0]);
	read_version(&c, text);
	fw_ros_read_lines(&c, text);
	if (!c.err)
		fw_ros_run(&c);
	if (!c.err)
		fw_ros_read_lists(&c);
	if (!c.err)
		fw_ros_read_box(&c);
	if (!c.err)
		read_rules(&c);
	if (!c.err) {
		check_targets(&c);
		doubt_lost(&c);
		fw_ros_untrack(&c);
	}
	if (c.addr_lists[0].no_memory || c.addr_lists[1].no_memory ||
	    c.zone_lists.no_memory || c.chains.no_memory)
		c.err = ENOMEM;
	arena_fini(&c.scratch);
	if (c.err)
		return c.err;
	return dg->n_errors > n_before ? EBADMSG : 0;
}

static int recognise(struct slice text)
{
	struct rd rd = rd_init(slice_sub(text, 0, 1 << 16));
	struct slice line;
	int score = 0;

	while (rd_line(&rd, &line)) {
		if (fw_has_prefix(line, "#") &&
		    slice_find(line, slice_str("by RouterOS ")) != SIZE_MAX)
			return 100;
		if (fw_has_prefix(line, "/ip firewall ") ||
		    fw_has_prefix(line, "/ip/firewall/") ||
		    fw_has_prefix(line, "/ipv6 firewall "))
			score = 90;
	}
	return score;
}

/* Lists of addresses hold host names since 6.36. Who says just "6" means what
 * that line has come to: 6.36 is of 2016, and the text says what it needs. */
static unsigned lacks(const struct fw_rules *rules)
{
	const long v = fw_version_num(rules->version);
	const bool is_exact = rules->version && strchr(rules->version, '.');

	return is_exact && v < V_6_36 ? FW_CAP_NAMES : 0U;
}

const struct fw_dialect fw_dialect_routeros = {
	.name = "routeros",
	.title = "MikroTik RouterOS",
	.file_ext = ".rsc",
	.drops_rest = true,
	.caps = FW_CAP_IP6 | FW_CAP_NAMES | FW_CAP_ZONES | FW_CAP_SPORT |
                FW_CAP_STATES | FW_CAP_REJECT | FW_CAP_DISABLED | FW_CAP_ALG |
                FW_CAP_UDP_IDLE | FW_CAP_COMMENT,
	.lacks = lacks,
	.recognise = recognise,
	.parse = parse,
	.emit = fw_ros_emit,
	.patch = fw_ros_patch,
};
