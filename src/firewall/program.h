/* SPDX-License-Identifier: ISC */
/**
 * Rules as a straight program: chains inlined, matches as boxes. The inside
 * of space.h, shared by judge.c and reach.c.
 */
#pragma once

#include "firewall/atlas.h"
#include "firewall/space.h"

enum fw_op {
	FW_OP_VERDICT, /**< accept, drop or reject */
	FW_OP_RETURN,  /**< on to item `end` */
	FW_OP_NOTE,    /**< attributes only */
};

/** Boxes of struct fw_program, from an index. */
struct fw_span {
	size_t at, n;
};

struct fw_item {
	enum fw_op op;
	enum fw_action action;      /**< FW_OP_VERDICT */
	const struct fw_rule *rule; /**< NULL: the policy of `chain` */
	const struct fw_chain *chain;
	size_t end;               /**< FW_OP_RETURN */
	struct fw_span must, may; /**< the same span when it is exact; else
	                               of its own, or the beginning of may */
};

/** What an item's `may` boxes span of both addresses; lo > hi: nothing. Kept
 *  apart, since nearly all items are passed over by this alone. */
struct fw_hull {
	uint32_t dst_lo, dst_hi, src_lo, src_hi;
};

/** One base chain, inlined: items [from, to). */
struct fw_stage {
	const struct fw_chain *chain;
	size_t from, to;
	bool reads_src, reads_dst; /**< some rule asks for that side's address
	                                or port */
	bool can_fail;             /**< some packet may end here */
	bool has_orders;           /**< some rule sets a helper or a time */
	bool can_untrack;          /**< some rule takes the state away */
};

struct fw_program {
	struct fw_set boxes;
	struct fw_item *items; /**< heap */
	struct fw_hull *hulls; /**< heap; of the items */
	size_t n_items, cap_items;
	struct fw_stage *stages; /**< heap; by hook, then by priority */
	size_t n_stages, cap_stages;
};

enum {
	FW_MAX_ITEMS = 1 << 21,
	FW_MAX_DEPTH = 64,
};

struct fw_space {
	const struct fw_rules *rules;
	const struct fw_flow *flows;
	size_t n_flows;
	const struct fw_place *place;
	struct fw_atlas atlas;
	struct fw_program program;
	uint64_t left, least;  /**< steps that judgements may still take
	                            together, and each for itself */
	uint64_t compare_left; /**< and those that compare rules */
	size_t surely_at;  /**< an item that what is judged surely gets to, so
  its  stage is asked from there on; 0: not so */
	size_t few;        /**< boxes; what no more meet is not halved */
	size_t parts_left; /**< that judgements may still list beyond what
	                        each may for itself */
};

/** Some seconds, for all the flows of a profile; and what each may still take
 *  when others took these: more than a flow needs that is not cut often. */
#define FW_SPACE_STEPS (UINT64_C(1) << 27)
#define FW_LEAST_STEPS (UINT64_C(1) << 18)

enum {
	FW_SPACE_PARTS = 1 << 17,
	FW_FEW = 48, /**< cutting along their edges is as good */
};

/** @return 0, ENOMEM, or E2BIG */
WARN_UNUSED int fw_program_make(struct fw_program *p,
                                const struct fw_rules *rules,
                                const struct fw_atlas *at);
void fw_program_fini(struct fw_program *p);

/** Every coordinate there is. */
struct fw_box fw_box_full(const struct fw_atlas *at);

/** Boxes of src x dst x services, clipped to one family each; appended to
 *  @p out over @p base, whose other dimensions are kept. */
WARN_UNUSED int fw_product_add(struct fw_set *out, const struct fw_atlas *at,
                               const struct fw_box *base,
                               const struct fw_ivals *src,
                               const struct fw_ivals *dst,
                               const struct fw_services *services);

/** Where a chain really runs among those at its hook. */
int fw_chain_priority(const struct fw_chain *c);

/** Does the path consult this hook? */
bool fw_path_has(enum fw_path path, enum fw_hook hook);

/**
 * Judge regions one by one, appending to @p out; counts sp->left down.
 *
 * @param is_back  They answer packets whose source was translated: what they
 *                 are addressed to at first is not theirs.
 */
WARN_UNUSED int fw_judge_regions(struct fw_judgement *out, struct arena *a,
                                 struct fw_space *sp, enum fw_path path,
                                 const struct fw_set *regions, bool is_back);

/** A packet of @p b that people recognise. Its names are copied into @p a, so
 *  that it outlives the space. @return 0 or ENOMEM: @p out is untouched */
WARN_UNUSED int fw_packet_at(struct fw_packet *out, struct arena *a,
                             const struct fw_space *sp, const struct fw_box *b);

/** Of which family a box is that is of one. */
unsigned fw_box_families(const struct fw_space *sp, const struct fw_box *b);
/** How many packets a box stands for. */
double fw_packets_in(const struct fw_space *sp, const struct fw_box *b);

/** The boxes of flow @p i, new connections, original direction. */
WARN_UNUSED int fw_flow_boxes(struct fw_set *out, const struct fw_space *sp,
                              size_t i);
/** Everything new at the place. */
WARN_UNUSED int fw_place_boxes(struct fw_set *out, const struct fw_space *sp);
