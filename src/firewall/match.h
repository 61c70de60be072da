/* SPDX-License-Identifier: ISC */
/** A rule in the making: constraints as a parser meets them, one by one. */
#pragma once

#include "firewall/atlas.h"
#include "firewall/rule.h"

struct fw_match {
	struct arena *arena;
	struct fw_rule rule; /**< everything but services is put here */
	bool protos[256];    /**< all of them at first */
	bool has_proto;
	struct fw_ivals sports, dports; /**< empty: all */
	bool has_sports, has_dports;
	bool is_closed;     /**< something was not understood: narrow no more */
	bool is_impossible; /**< constraints exclude each other */
	bool no_memory;
};

void fw_match_init(struct fw_match *m, struct arena *a);
void fw_match_fini(struct fw_match *m);

/** @return 0 or ENOMEM; @p to is to be finished either way. */
WARN_UNUSED int fw_match_copy(struct fw_match *to, const struct fw_match *m);

/** From here on the rule matches less than the model says. The first reason
 *  is kept. */
void fw_match_doubt(struct fw_match *m, struct slice why);
/** As fw_match_doubt(), and nothing that follows may narrow it. */
void fw_match_close(struct fw_match *m, struct slice why);

/** Keep only the protocols in @p set (or out of it). */
void fw_match_protos(struct fw_match *m, const bool set[256], bool is_negated);
void fw_match_proto(struct fw_match *m, int proto);
void fw_match_families(struct fw_match *m, unsigned families);
void fw_match_states(struct fw_match *m, unsigned states, bool is_negated);

/** @p ports is normalised; a second call intersects. */
void fw_match_ports(struct fw_match *m, bool is_dest,
                    const struct fw_ivals *ports, bool is_negated);
/** A second call makes a doubt: the model has one set. */
void fw_match_addrs(struct fw_match *m, bool is_dest, struct fw_addrs set);
void fw_match_zones(struct fw_match *m, bool is_out, struct fw_zones set);

/** Append the rule to a chain, with its services. @return it, or NULL: no
 *  memory. A rule that can match nothing is appended disabled. */
WARN_UNUSED struct fw_rule *
fw_match_done(struct fw_match *m, struct fw_rules *rules, struct fw_chain *c);
