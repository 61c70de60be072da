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

struct fw_ros_ctx {
	struct fw_rules *rules;
	struct diag *dg;
	struct arena scratch;
	struct fw_ros_command *first, *last;
	struct fw_dict addr_lists[2], zone_lists, chains;
	enum fw_ros_menu menu;
	bool is6;
	size_t n_copies, n_steps;
	/* The first change to rules that could not be followed, by menu. */
	struct slice lost[FW_ROS_TRACKING + 1][2];
	int err;
};

/** NULL is lack of memory. */
void fw_ros_check(struct fw_ros_ctx *c, const void *made);

/** Commands of the menus that matter, in order; the rest is kept. */
void fw_ros_read_lines(struct fw_ros_ctx *c, struct slice text);

/** Take key=value, or a bare word, which is then the key. */
bool fw_ros_arg_next(struct slice *rest, struct slice *key,
                     struct slice *value);

/** The last value of that name, or an empty slice. */
struct slice fw_ros_arg(const struct fw_ros_command *cmd, const char *name);
