/* SPDX-License-Identifier: ISC */
/**
 * The exact meaning of rules: which packets they accept.
 *
 * Three-valued. What a rule surely matches and what it perhaps matches are
 * two sets: a name nobody resolved, a schedule, a match the model cannot say
 * lie between them. A verdict is sure only if it is the same either way.
 */
#pragma once

#include "firewall/box.h"
#include "firewall/flow.h"

enum fw_verdict {
	FW_PASS,
	FW_FAIL,
	FW_DONT_KNOW,
};

enum fw_verdict fw_verdict_worse(enum fw_verdict a, enum fw_verdict b);

/** One packet, in words of the configuration. */
struct fw_packet {
	const char *in, *out;         /**< NULL: one that no rule names */
	bool in_is_like, out_is_like; /**< the name is a pattern's beginning */
	struct fw_ip src, dst;
	const char *dst_name; /**< unresolved name instead of dst, or NULL */
	const char *src_name;
	int proto;
	uint16_t sport, dport;
	unsigned state; /**< one FW_STATE_* bit */
};

/** A part of a flow that meets one fate. */
struct fw_part {
	struct fw_part *next;
	enum fw_verdict verdict;
	const struct fw_rule *rule;   /**< that decides; NULL: a policy */
	const struct fw_chain *chain; /**< of the rule, or whose policy it is;
	                                   NULL: nothing filters here */
	const struct fw_rule *doubt;  /**< DONT_KNOW: the first rule that may or
	                                   may not match */
	struct fw_packet example;
	double n_packets;
};

/** The fate of one flow in one direction; lives in the caller's arena. */
struct fw_judgement {
	enum fw_verdict verdict; /**< FAIL if any part fails, else the worst */
	struct fw_part *parts, *parts_last;
	struct fw_attrs attrs; /**< by the rules that surely match all of it;
	                            alg is FW_UNKNOWN when parts differ */
	const struct fw_rule *alg_rule, *idle_rule, *offload_rule, *nat_rule;
	bool is_idle_by_helper; /**< its UDP time ends with the ALG's work */
	const struct fw_rule *perhaps_rule; /**< the first that may accept it
	                                         before what surely does, or
	                                         NULL */
	int64_t perhaps_udp_idle_s; /**< the shortest time that such give it */
	bool is_alg_perhaps, is_idle_perhaps; /**< not known, since alg_rule or
	                                           idle_rule may accept it,
	                                           before what surely does */
	bool is_stateful, is_stateless; /**< connections are kept for some of
	                                     it; for some of it not */
	bool is_cut;      /**< too many steps: the rest is not known */
	bool has_more;    /**< there are more parts than are listed; the
	                       verdict is that of all */
	uint64_t n_steps; /**< that it took */
};

/** The most that one judgement may take: a second or less. */
#define FW_JUDGE_STEPS (UINT64_C(1) << 23)

struct fw_space;

/**
 * Compile rules for questions about flows at a place. All of the arguments
 * are borrowed until fw_space_free().
 *
 * @return 0, ENOMEM, or E2BIG: chains that call each other too often
 */
WARN_UNUSED int fw_space_alloc(struct fw_space **spp,
                               const struct fw_rules *rules,
                               const struct fw_flow *flows, size_t n_flows,
                               const struct fw_place *place,
                               const struct fw_host *hosts, size_t n_hosts);
void fw_space_free(struct fw_space *sp);

/** Let all judgements of the space together take no more than about so many
 *  steps; what these do not suffice for is not known. */
void fw_space_limit(struct fw_space *sp, uint64_t steps);

/** Is every first packet of flow @p i, from the phone, accepted? @return 0 or
 *  ENOMEM. */
WARN_UNUSED int fw_space_judge(struct fw_judgement *out, struct arena *a,
                               struct fw_space *sp, size_t i);

/**
 * Is every answer accepted? It belongs to a connection, unless what it answers
 * had no state.
 *
 * @param there  What fw_space_judge() said of the flow.
 *
 * @return 0 or ENOMEM
 */
WARN_UNUSED int fw_space_judge_reply(struct fw_judgement *out, struct arena *a,
                                     struct fw_space *sp, size_t i,
                                     const struct fw_judgement *there);

/** The fate of one packet, which must be of names and numbers that the space
 *  was compiled with (any number is, any name in the rules is). */
WARN_UNUSED int fw_space_decide(struct fw_part *out, struct fw_space *sp,
                                enum fw_path path,
                                const struct fw_packet *packet);

/** That comparing all rules with each other may take: ten seconds or so. */
#define FW_COMPARE_STEPS (UINT64_C(1) << 32)

enum fw_reach {
	FW_REACHED,  /**< a packet gets there; `example` is one */
	FW_SHADOWED, /**< earlier rules together take all of its packets */
	FW_EMPTY,    /**< its own match holds no packet */
	FW_UNCALLED, /**< nothing jumps to its chain */
	FW_REACH_UNKNOWN,
};

struct fw_reach_info {
	enum fw_reach reach;
	const struct fw_rule *rule;
	const struct fw_rule **by; /**< SHADOWED: earlier rules that together
	                                cover it, in order */
	size_t n_by;
	size_t n_more; /**< that have a part in it and are not in `by`, which
	                    does not suffice then */
	struct fw_packet example;
};

/** For every enabled rule, in order: can it ever match? @p infos is of the
 *  arena, @p n the rules' number. @return 0 or ENOMEM. */
WARN_UNUSED int fw_space_reach(struct fw_reach_info **infos, size_t *n,
                               struct arena *a, struct fw_space *sp);

/** What is open to new connections at the place beyond the flows: one part
 *  per accepting rule, with an example; or FW_DONT_KNOW, without one: to find
 *  out took too many steps. @return 0 or ENOMEM. */
WARN_UNUSED int fw_space_excess(struct fw_part **parts, struct arena *a,
                                struct fw_space *sp);
