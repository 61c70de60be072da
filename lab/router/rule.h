/* SPDX-License-Identifier: ISC */
/** A packet filter: the first rule that fits decides. Pure. */
#pragma once

#include "router/pkt.h"

enum {
	ROUTER_MAX_RULES = 32,
};

enum router_rule_action {
	ROUTER_RULE_ACCEPT,
	ROUTER_RULE_DROP,
	ROUTER_RULE_REJECT_NET,
	ROUTER_RULE_REJECT_HOST,
	ROUTER_RULE_REJECT_PORT,
	ROUTER_RULE_REJECT_ADMIN,
	ROUTER_RULE_RESET, /**< TCP; anything else is dropped */
};

struct router_rule {
	enum router_rule_action action;
	uint8_t proto;      /**< 0: any */
	uint16_t low, high; /**< destination ports; 0, 0: any */
	struct prefix dst;  /**< no family: anywhere */
	bool is_in;         /**< towards the LAN; else from it */
	int64_t from_ns;    /**< in force since the start plus this */
	int64_t until_ns;   /**< and up to this; 0: for ever */
};

/** What to do with @p p, @p age_ns after the start. */
enum router_rule_action router_rule_find(const struct router_rule *rules,
                                         size_t n, const struct router_pkt *p,
                                         bool is_in, int64_t age_ns);
