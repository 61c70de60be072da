/* SPDX-License-Identifier: ISC */
/**
 * What of a program meets a region of packets, and the region cut up until
 * that is little: the rest of a long list of rules is nobody's business there.
 */
#pragma once

#include "firewall/program.h"

/** A box of an item, by both indexes. */
struct fw_near {
	uint32_t item, box;
};

/** The first of @p near that is of @p item or of a later one; or @p n. */
size_t fw_near_first(const struct fw_near *near, size_t n, size_t item);

/** Do all of these accept what they match, and nothing else with it? */
bool fw_near_only_accept(const struct fw_program *p, const struct fw_near *near,
                         size_t n);

/**
 * What is done with a part of the region and all that meets it, by item and
 * then by box; what nothing reaches, since a verdict before it takes all of
 * the part, is left out.
 */
struct fw_near_ops {
	/** Few meet it. @return 0 or an error, which ends the walk */
	int (*judge)(void *arg, const struct fw_box *part,
	             const struct fw_near *near, size_t n);
	/** Many meet it. @return true: it need not be cut */
	bool (*is_done)(void *arg, const struct fw_box *part,
	                const struct fw_near *near, size_t n);
};

/**
 * Cut @p region into parts that no more than sp->few boxes meet, and hand over
 * each.
 *
 * @param steps  Counted down; what is called may do so as well.
 *
 * @return 0, ENOMEM, ETIMEDOUT: the steps ran out, or what judge() did
 */
WARN_UNUSED int fw_near_walk(const struct fw_space *sp, enum fw_path path,
                             const struct fw_box *region, uint64_t *steps,
                             const struct fw_near_ops *ops, void *arg);

/** Conntrack does not know the packets of such a chain yet. */
bool fw_is_before_conntrack(const struct fw_chain *c);
/** There is no way out yet: its name is empty, and the empty name has
 *  coordinate 0. */
bool fw_is_before_routing(const struct fw_chain *c);
