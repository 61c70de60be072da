/* SPDX-License-Identifier: ISC */
/**
 * Exact algebra of packet sets, over coordinates that were compressed to
 * small numbers (space.h does that).
 *
 * A set is a list of boxes; it may hold the same packet twice, which changes
 * no answer but that of fw_set_count(), which wants disjoint boxes, as
 * fw_set_subtract() and fw_set_union() make them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"

enum fw_dim {
	FW_DIM_DST, /**< first: tells rules apart best */
	FW_DIM_SRC,
	FW_DIM_DPORT,
	FW_DIM_PROTO,
	FW_DIM_SPORT,
	FW_DIM_IN,
	FW_DIM_OUT,
	FW_DIM_STATE,
	FW_DIMS,
};

/** Intervals, both ends included; lo <= hi always. */
struct fw_box {
	uint32_t lo[FW_DIMS], hi[FW_DIMS];
};

struct fw_set {
	struct fw_box *boxes; /**< heap */
	size_t n, cap;
};

enum {
	FW_SET_MAX_BOXES = 1 << 23,
};

void fw_set_init(struct fw_set *s);
void fw_set_fini(struct fw_set *s);

/** @return 0, ENOMEM, or E2BIG past FW_SET_MAX_BOXES; this holds for all
 *  functions here that make sets. Outs are empty on error. */
WARN_UNUSED int fw_set_add(struct fw_set *s, const struct fw_box *b);

/** @p out is initialised and none of the inputs. */
WARN_UNUSED int fw_set_intersect(struct fw_set *out, const struct fw_set *a,
                                 const struct fw_set *b);
WARN_UNUSED int fw_set_subtract(struct fw_set *out, const struct fw_set *a,
                                const struct fw_set *b);
/** As fw_set_subtract(), or E2BIG where it takes more than @p max boxes. */
WARN_UNUSED int fw_set_subtract_within(struct fw_set *out,
                                       const struct fw_set *a,
                                       const struct fw_set *b, size_t max);
WARN_UNUSED int fw_set_union(struct fw_set *out, const struct fw_set *a,
                             const struct fw_set *b);

bool fw_box_meets(const struct fw_box *a, const struct fw_box *b);
/** Is all of @p inner in @p outer? */
bool fw_box_has(const struct fw_box *outer, const struct fw_box *inner);
/** @return false, and @p out untouched, when nothing is common. */
bool fw_box_common(struct fw_box *out, const struct fw_box *a,
                   const struct fw_box *b);

/**
 * Look for a packet of @p box that none of @p by has.
 *
 * @param witness  Out: a box within @p box \ union of @p by; untouched when
 *                 there is none. NULL: not wanted.
 * @param left     Steps it may still take; counted down. Every step looks
 *                 at one box.
 *
 * @return 0 found, ENOENT: all of it is covered, ENOMEM, or ETIMEDOUT: the
 *         steps ran out
 */
WARN_UNUSED int fw_cover_find(struct fw_box *witness, const struct fw_box *box,
                              const struct fw_box *by, size_t n_by,
                              uint64_t *left);

/** The same with only those boxes of @p by that @p ids names. */
WARN_UNUSED int fw_cover_find_of(struct fw_box *witness,
                                 const struct fw_box *box,
                                 const struct fw_box *by, const uint32_t *ids,
                                 size_t n_ids, uint64_t *left);

enum {
	FW_CUT_SAMPLE = 15,
};

/**
 * Where to cut a box in two: at the edge of a sampled one that lies inside, as
 * near to the middle of all edges of its dimension as the sample tells.
 *
 * @param n     At most FW_CUT_SAMPLE.
 * @param kept  Dimensions that are not to be cut, as bits.
 *
 * @return false: no edge lies inside; outs untouched then
 */
bool fw_box_choose_cut(unsigned *dim, uint32_t *at, const struct fw_box *box,
                       const struct fw_box *const sample[], size_t n,
                       unsigned kept);

/** @return 0: yes, ENOENT: no (@p witness is in @p a only), ENOMEM or
 *  ETIMEDOUT. */
WARN_UNUSED int fw_set_is_subset(struct fw_box *witness, const struct fw_set *a,
                                 const struct fw_set *b);

/** Packets in disjoint boxes; width(dim, id, arg) says how many values an
 *  id stands for. Exact up to 2^53. */
double fw_set_count(const struct fw_set *s,
                    double (*width)(enum fw_dim d, uint32_t id,
                                    const void *arg),
                    const void *arg);
