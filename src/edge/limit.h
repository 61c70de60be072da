/* SPDX-License-Identifier: ISC */
/**
 * How often a source may be answered before it has proved its address.
 *
 * A source is an IPv4 address or an IPv6 /64. The table has a fixed size and
 * no lists; a source that has been quiet long enough to have its whole burst
 * back is forgotten.
 */
#pragma once

#include "base/addr.h"

struct edge_limit_conf {
	size_t n_slots; /**< a power of two */
	unsigned per_s; /**< sustained rate; not 0 */
	unsigned burst; /**< at once, after a pause; not 0 */
	uint64_t seed;  /**< random, so that nobody can aim at a slot */
};

struct edge_limit;

/** @return 0, EINVAL or ENOMEM. Release: edge_limit_free(). */
WARN_UNUSED int edge_limit_alloc(struct edge_limit **lp,
                                 const struct edge_limit_conf *conf);

/** NULL is fine. */
void edge_limit_free(struct edge_limit *l);

/** How long until @p from may have so many answers at once; 0: it may. No
 *  longer than until it has its whole burst back. Counts nothing. */
int64_t edge_limit_wait_ns(struct edge_limit *l, const struct addr *from,
                           unsigned n, int64_t mono_ns);

/**
 * May @p from have one more answer? Counts it if so.
 *
 * Fails closed: when all places that the source may take are held by others,
 * the answer is no.
 *
 * @param mono_ns  Now; greater than 0
 */
bool edge_limit_take(struct edge_limit *l, const struct addr *from,
                     int64_t mono_ns);
