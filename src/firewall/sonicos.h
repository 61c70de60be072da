/* SPDX-License-Identifier: ISC */
/**
 * SonicOS: what its two forms, the commands and the .exp backup, are read
 * into before names are followed; the inside of the dialect.
 */
#pragma once

#include "firewall/vendor.h"

enum fw_sonic_kind {
	FW_SONIC_ADDRS,
	FW_SONIC_SERVICES,
	FW_SONIC_KINDS,
};

struct fw_sonic_member {
	struct fw_sonic_member *next;
	struct slice name;
};

/** An object or a group, by its name. */
struct fw_sonic_obj {
	struct fw_object *object; /**< holds its content once followed */
	enum fw_sonic_kind kind;
	struct slice name;
	struct fw_sonic_member *first, *last; /**< of a group */
	bool is_unknown;                      /**< content not understood */
	bool is_busy, is_done;                /**< being followed; followed */
};

enum fw_sonic_side_kind {
	FW_SONIC_ANY, /**< also when nothing was said */
	FW_SONIC_NAME,
	FW_SONIC_RANGE,
	FW_SONIC_PORTS,
};

/** One thing that a rule asks for. */
struct fw_sonic_side {
	enum fw_sonic_side_kind kind;
	struct slice name;   /**< FW_SONIC_NAME */
	struct fw_ip lo, hi; /**< FW_SONIC_RANGE */
	int proto;           /**< FW_SONIC_PORTS */
	uint16_t plo, phi;   /**< FW_SONIC_PORTS */
};

/** From one zone to another: such rules have an order of their own. */
struct fw_sonic_pair {
	int64_t last; /**< place that is taken; 0: none */
};

/** An access rule as it was written. */
struct fw_sonic_rule {
	struct fw_sonic_rule *next;
	unsigned line;
	struct slice raw;
	unsigned families;
	struct slice from, to, id, uuid, name, schedule;
	enum fw_action action;
	bool is_disabled, has_action;
	bool is_gone; /**< taken away again */
	struct fw_sonic_side src, dst, service;
	const char *conditional;    /**< what else it asks, or NULL */
	int64_t priority;           /**< -1: not said */
	struct fw_sonic_pair *pair; /**< NULL: no command asked for it */
	int64_t udp_idle_s, tcp_idle_s;
	enum fw_tri sip; /**< transform SIP here: only by rule-based control */
	int dscp;
};

/** A NAT policy. */
struct fw_sonic_nat {
	struct fw_sonic_nat *next;
	unsigned line;
	struct slice raw;
	unsigned families;
	struct slice in, out; /**< interfaces; not known ones are any */
	struct fw_sonic_side src, dst, service;
	struct slice to_src, to_dst, to_service; /**< empty: the original */
	bool is_disabled;
};

/** The VoIP page. */
struct fw_sonic_voip {
	enum fw_tri nat;     /**< consistent NAT */
	enum fw_tri sip;     /**< FW_UNKNOWN: a block without its switch */
	enum fw_tri by_rule; /**< control by rules instead of for the box */
	bool is_sip_seen, is_sip_enable_said, is_odd;
	unsigned nat_line, sip_line;
	struct slice nat_raw, sip_raw;
};

struct fw_sonic {
	struct fw_rules *rules;
	struct diag *dg;
	struct arena scratch;
	struct fw_dict names[FW_SONIC_KINDS], interfaces;
	struct fw_sonic_obj *last_obj;
	struct fw_sonic_rule *first, *last;
	struct fw_sonic_nat *nats, *nats_last;
	struct fw_sonic_voip voip;
	bool is_backup; /**< .exp: has all settings, under keys unknown here;
	                     what commands say after it is known */
	bool is_export; /**< names its firmware: of a box, not a script */
	bool has_ip6;   /**< rules for IPv6 */
	size_t n_rules, n_copies;
	int err;
};

void fw_sonic_init(struct fw_sonic *c, struct fw_rules *out, struct slice text,
                   struct diag *dg);
/** Follow all names and make the model. @return as fw_dialect.parse */
WARN_UNUSED int fw_sonic_done(struct fw_sonic *c, size_t n_errors_before);

/** Into a set of zones, unless it is any. */
void fw_sonic_put_zone(struct fw_sonic *c, struct fw_zones *set,
                       struct slice name);

/** Keep lack of memory in @p c. */
void fw_sonic_check(struct fw_sonic *c, const void *made);
/** A copy for the model; "" without memory. */
const char *fw_sonic_dup(struct fw_sonic *c, struct slice s);

/** The object of that name, made when it is new. NULL: no memory. */
struct fw_sonic_obj *fw_sonic_obj_get(struct fw_sonic *c,
                                      enum fw_sonic_kind kind,
                                      struct slice name, unsigned line,
                                      struct slice raw);
void fw_sonic_obj_add_member(struct fw_sonic *c, struct fw_sonic_obj *o,
                             struct slice name);
/** @return whether it was in */
bool fw_sonic_obj_cut_member(struct fw_sonic_obj *o, struct slice name);
void fw_sonic_obj_add_range(struct fw_sonic *c, struct fw_sonic_obj *o,
                            struct fw_ip lo, struct fw_ip hi);
void fw_sonic_obj_add_host(struct fw_sonic *c, struct fw_sonic_obj *o,
                           struct slice domain);
void fw_sonic_obj_add_ports(struct fw_sonic *c, struct fw_sonic_obj *o,
                            int proto, uint16_t lo, uint16_t hi);

/** Put what a rule asks for into the model's rule. */
void fw_sonic_put_addrs(struct fw_sonic *c, struct fw_addrs *to,
                        const struct fw_sonic_side *side);
void fw_sonic_put_services(struct fw_sonic *c, struct fw_rule *r,
                           const struct fw_sonic_side *side);

/** Commands that are typed on a box whose settings were read: their rules
 *  stand before those that are there. @p line  Number of their first one. */
void fw_sonic_read_commands(struct fw_sonic *c, struct slice text,
                            unsigned line);

/** A policy, the last of them. NULL: no memory. */
struct fw_sonic_nat *fw_sonic_nat_add(struct fw_sonic *c, unsigned line,
                                      struct slice raw);
/** Make the model's chains of them: who is sent where. */
void fw_sonic_put_nats(struct fw_sonic *c);

/** Nothing said. */
void fw_sonic_rule_init(struct fw_sonic_rule *r);
struct fw_sonic_rule *fw_sonic_rule_add(struct fw_sonic *c, unsigned line,
                                        struct slice raw);
/** What it asks that the model cannot say; the first is kept. */
void fw_sonic_doubt(struct fw_sonic_rule *r, const char *why);

/** The reasoning about SIP and consistent NAT, as settings and defaults; and
 *  what SIP control says of one rule. */
void fw_sonic_read_voip(struct fw_sonic *c);
enum fw_tri fw_sonic_rule_alg(const struct fw_sonic *c,
                              const struct fw_sonic_rule *r);

WARN_UNUSED int fw_sonic_emit(struct wr *out, const struct fw_rules *rules,
                              struct diag *dg);
WARN_UNUSED int fw_sonic_patch(struct fw_patch_out *out,
                               const struct fw_rules *rules,
                               const struct fw_edit *edits, struct diag *dg);
