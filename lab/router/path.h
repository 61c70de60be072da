/* SPDX-License-Identifier: ISC */
/**
 * One direction of a path that is worse than a cable: delay, jitter, loss,
 * reordering, duplicates, a rate with a queue.
 *
 * Pure: packets go in with the time, and come out when they are due. Same
 * seed and same input, same output. Memory is taken once.
 */
#pragma once

#include "base/cursor.h"
#include "router/rand.h"

enum {
	ROUTER_PATH_PKT_BYTES = 1600, /**< longer ones are dropped */
	ROUTER_PATH_PKTS = 4096,      /**< on the way at once */
	ROUTER_PATH_MAX_PPM = 1000000,
};

/** Zero: a cable. */
struct router_path_conf {
	int64_t delay_ns;
	int64_t jitter_ns;     /**< added: even, from 0 to this; keeps order */
	uint32_t loss_ppm;     /**< of packets, each for itself */
	uint32_t bad_ppm;      /**< Gilbert-Elliott: good to bad, per packet */
	uint32_t good_ppm;     /**< bad to good */
	uint32_t bad_loss_ppm; /**< loss while bad */
	uint32_t reorder_ppm;  /**< these overtake: they skip the delay */
	uint32_t dup_ppm;
	uint64_t rate_bps;   /**< 0: no limit */
	unsigned queue_pkts; /**< waiting for the rate; 0: the maximum */
};

struct router_path_count {
	uint64_t n_in, n_out, n_lost, n_overflowed, n_duplicated, n_reordered;
};

struct router_path;

/** @return 0, EINVAL: a share above a million, or ENOMEM */
WARN_UNUSED int router_path_alloc(struct router_path **pp,
                                  const struct router_path_conf *conf,
                                  uint64_t seed);
void router_path_free(struct router_path *p);

/** Does it do anything at all? If not, there is no need to ask. */
bool router_path_is_cable(const struct router_path *p);

/** Copies @p pkt, or loses it. */
void router_path_put(struct router_path *p, struct slice pkt, int64_t now_ns);

/** Take what is due. @param pkt  Out: borrows until the next call.
 *  @return false: nothing yet */
bool router_path_take(struct router_path *p, struct slice *pkt, int64_t now_ns);

/** When the next one is due; INT64_MAX: there is none. */
int64_t router_path_next_ns(const struct router_path *p);

const struct router_path_count *router_path_count(const struct router_path *p);
