/* SPDX-License-Identifier: ISC */
/** Reading RouterOS's commands: what routeros.c and its lines share. */
#pragma once

#include "firewall/vendor.h"

enum fw_ros_menu {
	FW_ROS_OTHER,
	FW_ROS_FILTER,
	FW_ROS_NAT,
	FW_ROS_RAW,
	FW_ROS_LIST,
	FW_ROS_IFLIST,
	FW_ROS_SERVICE_PORT,
	FW_ROS_BRIDGE,
	FW_ROS_HOTSPOT,
	FW_ROS_TRACKING,
};

struct fw_ros_command {
	struct fw_ros_command *next;
	enum fw_ros_menu menu;
	bool is6;
	struct slice verb, args;
	struct slice raw;
	unsigned line;
};

/** What a command added, as later ones left it. */
struct fw_ros_item {
	struct fw_ros_item *next, *prev;
	const struct fw_ros_command *added; /**< NULL: from the factory */
	const struct fw_ros_command *by;    /**< changed it last, or NULL */
	struct slice args, chain;
	unsigned number;  /**< among those that were added to its menu */
	size_t shown;     /**< its number when last it was shown, from 1 */
	size_t picked_by; /**< number of the command that means it */
};

/** A menu's items, in their order. */
struct fw_ros_items {
	struct fw_ros_item *first, *last;
	size_t n_added;
	bool is_shown; /**< its items have numbers that people see */
};

/* Members of an address or interface list. */
struct fw_ros_list {
	struct fw_addrs addrs;
	struct fw_zones zones;
	bool is_joined; /**< of others, whose members come and go */
};

struct fw_ros_ctx {
	struct fw_rules *rules;
	struct diag *dg;
	struct arena scratch;
	struct fw_ros_command *first, *last;
	struct fw_dict addr_lists[2], zone_lists, chains;
	enum fw_ros_menu menu;
	bool is6;
	size_t n_copies, n_steps, n_commands;
	struct fw_ros_items items[FW_ROS_TRACKING + 1][2];
	/* The first change to items that could not be followed, by menu. */
	struct slice lost[FW_ROS_TRACKING + 1][2];
	bool is_dynamic_menu; /**< of rules that make others by themselves */
	bool has_dynamic;     /**< so there are rules that no export shows */
	bool is_bridge_menu, is_list_menu;
	struct fw_zones bridges;
	const struct fw_ros_command *untracked; /**< says so, or NULL */
	bool is_ip6_menu, is_ip6_off;
	bool has_ip4, has_ip6; /**< an interface gets addresses */
	int err;
};

/** NULL is lack of memory. */
void fw_ros_check(struct fw_ros_ctx *c, const void *made);

/** Commands of the menus that matter, in order; the rest is kept. */
void fw_ros_read_lines(struct fw_ros_ctx *c, struct slice text);

/** Run the commands: afterwards the menus have their items. What cannot be
 *  followed is told, and its menu is lost. */
void fw_ros_run(struct fw_ros_ctx *c);

/**
 * What @p where means: "3", "0,2", "sip", "[find ...]",
 * "[:pick [find ...] 3]". Marks the items (picked_by) for the current
 * command.
 *
 * @param first  Out: the first of them, or NULL.
 *
 * @return 0, or ENOENT: that cannot be known from the text
 */
WARN_UNUSED int fw_ros_pick(struct fw_ros_item **first, struct fw_ros_ctx *c,
                            const struct fw_ros_command *m, struct slice where);

/** Bytes from a bracket to the one that closes it, or all of them. */
size_t fw_ros_bracket_len(struct slice s);

/** A copy that lives with the rules; "" without memory. */
const char *fw_ros_dup(struct fw_ros_ctx *c, struct slice s);

/** Fill the lists that rules name. */
void fw_ros_read_lists(struct fw_ros_ctx *c);
/** A list of interfaces, as it was added: it may be made of others. */
void fw_ros_read_joined(struct fw_ros_ctx *c, struct slice args);
void fw_ros_add_address(struct fw_ros_ctx *c, struct fw_addrs *set,
                        struct slice text);

/** Note what the rule takes for addresses of nobody. */
void fw_ros_note_strays(struct fw_ros_ctx *c, const struct fw_rule *r);

/** What the box does to all connections: helpers, times, families. */
void fw_ros_read_box(struct fw_ros_ctx *c);

/** After the rules were read: what they are worth without connection
 *  tracking. */
void fw_ros_untrack(struct fw_ros_ctx *c);

/** The last value of that name among arguments, or an empty slice. */
struct slice fw_ros_value(struct slice args, const char *name);

/** Take key=value, or a bare word, which is then the key. */
bool fw_ros_arg_next(struct slice *rest, struct slice *key,
                     struct slice *value);

/** The last value of that name, or an empty slice. */
struct slice fw_ros_arg(const struct fw_ros_command *cmd, const char *name);
