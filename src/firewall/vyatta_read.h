/* SPDX-License-Identifier: ISC */
/** What the readers of one EdgeOS or VyOS configuration share. */
#pragma once

#include "firewall/vyatta.h"

struct fw_vy_reader {
	struct fw_rules *rules;
	struct fw_vy_tree t;
	struct fw_vy_groups groups;
	struct fw_dict chains; /**< (table, name) */
	struct arena scratch;
	bool is_part; /**< the rules of the box are not all in the text */
	int err;      /**< 0 or ENOMEM, the first one; stops the reading */
};

enum {
	FW_VY_PRIORITY_RAW = -300, /**< of chains before conntrack */
};

/** A rule as the text has it. */
struct fw_vy_numbered {
	uint64_t number;
	const struct fw_vy_node *node;
};

/** Of chains, by family; also the scope of their names. */
extern const char fw_vy_table4[], fw_vy_table6[];

/** No memory, if @p made is NULL. */
void fw_vy_check(struct fw_vy_reader *c, const void *made);
/** @return a copy that the rules own; "" without memory. */
const char *fw_vy_dup(struct fw_vy_reader *c, struct slice s);

/** @param table  fw_vy_table4 or fw_vy_table6. @return NULL: no memory */
struct fw_chain *fw_vy_chain_add(struct fw_vy_reader *c, const char *name,
                                 const char *table, enum fw_hook hook);

/** A rule that no line of its own says; @p at is what it follows from, or
 *  NULL. @return NULL: no memory */
struct fw_rule *fw_vy_made_add(struct fw_vy_reader *c, struct fw_chain *ch,
                               const struct fw_vy_node *at,
                               enum fw_action action);

/** Answers to what passed before may be let through by one line for all. */
void fw_vy_state_policy_add(struct fw_vy_reader *c, struct fw_chain *ch);

/** What is below @p set in the order of its numbers, wherever the rules stand
 *  in the text. @return how many */
size_t fw_vy_sort(struct fw_vy_reader *c, struct fw_vy_numbered **out,
                  const struct fw_vy_node *set);

static inline const struct fw_vy_node *fw_vy_first(const struct fw_vy_node *n)
{
	return n ? n->first : NULL;
}

/** Base chains that jump to the sets that interfaces name. */
void fw_vy_bindings_read(struct fw_vy_reader *c);
/** Make those of traffic that is routed, where no interface names a set. */
void fw_vy_sides_open(struct fw_vy_reader *c);

void fw_vy_nat_read(struct fw_vy_reader *c);
/** Packets that are to have no state. */
void fw_vy_ignored_read(struct fw_vy_reader *c);

/** Sets of rules that route packets, where they drop some as well. */
void fw_vy_routing_read(struct fw_vy_reader *c);
/** An interface names such a set. */
void fw_vy_routing_bind(struct fw_vy_reader *c, const char *kind,
                        const char *table, struct slice iface,
                        struct slice set);
/** After the last of them. */
void fw_vy_routing_end(struct fw_vy_reader *c);

/** What zones let pass to one another, as chains after all others. */
void fw_vy_zones_read(struct fw_vy_reader *c);
