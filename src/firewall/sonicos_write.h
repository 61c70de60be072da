/* SPDX-License-Identifier: ISC */
/** SonicOS: its commands, written; the inside of the dialect. */
#pragma once

#include "firewall/vendor.h"

/** Where new rules say that they stand. */
enum fw_sonic_order {
	FW_SONIC_IN_ORDER, /**< at the top of their list, one after the other */
	FW_SONIC_ON_TOP,   /**< each before all others */
	FW_SONIC_AS_READ,  /**< where the text has them */
};

/** What is in use cannot be deleted: rules go first. */
enum fw_sonic_undo {
	FW_SONIC_UNDO_RULES,
	FW_SONIC_UNDO_GROUPS,
	FW_SONIC_UNDO_OBJECTS,
	FW_SONIC_UNDOS,
};

struct fw_sonic_emitter {
	struct wr *out;
	struct wr
		undo[FW_SONIC_UNDOS]; /**< heap; fw_sonic_put_undo() ends it */
	bool has_ip6;                 /**< names are opened in IPv6, too */
	struct diag *dg;
	struct arena *arena;
	struct fw_dict seen;      /**< objects that were written */
	struct fw_dict numbers;   /**< priority of the last rule of a list */
	const void *named;        /**< the address or service named last */
	const char *name;         /**< its name */
	const char *prefix;       /**< before each line of the undo */
	char mark[FW_MARK_BYTES]; /**< of names */
	long version;             /**< -1: not said */
	enum fw_sonic_order order;
	bool has_one_list; /**< any zone competes with all others */
	int err;
};

/** @param scratch  Outlives @p e. */
void fw_sonic_emitter_init(struct fw_sonic_emitter *e, struct arena *scratch,
                           const struct fw_rules *rules);
void fw_sonic_refuse(struct fw_sonic_emitter *e, const struct fw_rule *r,
                     const char *why);
/** Refuse what the commands cannot say. */
void fw_sonic_check_rule(struct fw_sonic_emitter *e, const struct fw_rule *r);
/** Objects and groups that the rule needs and that are not there yet, then
 *  its access rules, one per pair of zones and family. */
void fw_sonic_put_rule(struct fw_sonic_emitter *e, const struct fw_rule *r);
/** Write what takes all of it back, and release it. */
void fw_sonic_put_undo(struct wr *w, struct fw_sonic_emitter *e);
/** SIP transformations off, consistent NAT on. */
void fw_sonic_put_voip(struct fw_sonic_emitter *e, bool wants_sip,
                       bool wants_nat);
/** A comment line for each address, once: where old sessions are to be
 *  forgotten. There is no command for it. */
void fw_sonic_put_clear(struct fw_sonic_emitter *e, struct wr *w,
                        const struct fw_addrs *set);
