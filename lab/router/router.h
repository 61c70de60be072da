/* SPDX-License-Identifier: ISC */
/**
 * A router between a LAN and a WAN, as a pure machine: packets and the time
 * go in, packets come out. What talks to devices is lab/tool/router.c.
 *
 * A packet from either side meets, in this order: the time to live,
 * fragments, the filter, the MTU, translation, the ALG, DSCP, and the
 * impairments of its direction. It answers no ping and routes nothing else.
 * Where the ALG is one that puts TCP together, segments end there and leave
 * as others. IPv6 is cut only as its sender cut it.
 */
#pragma once

#include "router/alg.h"
#include "router/nat.h"
#include "router/path.h"
#include "router/rule.h"

enum {
	ROUTER_MIN_MTU = 576,
	ROUTER_MAX_MTU = 1500,
};

enum router_side {
	ROUTER_LAN,
	ROUTER_WAN,
};

enum router_dscp {
	ROUTER_DSCP_KEEP,
	ROUTER_DSCP_BLEACH,
	ROUTER_DSCP_MARK,
};

struct router_dir_conf {
	struct router_path_conf path;
	enum router_dscp dscp;
	uint8_t mark; /**< ROUTER_DSCP_MARK: 0..63 */
};

struct router_conf {
	uint64_t said; /**< keys that conf.h has read, by number */
	uint64_t seed;
	struct addr ip4[2], ip6[2]; /**< own, by side; sender of errors */
	unsigned mtu;               /**< of both sides */
	size_t quote_bytes;         /**< of ICMP errors; 0: silent */
	unsigned icmp_pps;          /**< errors per second; 0: no limit */
	bool drops_fragments;
	bool is_dead_for_df; /**< too big and DF: dropped without a word */
	struct router_dir_conf dirs[2]; /**< [0] out, [1] in */
	struct router_rule rules[ROUTER_MAX_RULES];
	size_t n_rules;
	unsigned n_pool; /**< external addresses that whoever has the devices
	                  *   gives to nat; 0: as 1 */
	struct router_nat_conf nat;
	struct router_alg_conf alg;
};

extern const struct router_conf router_defaults;

/** A packet leaves by @p to. @p pkt borrows until the function returns. */
typedef void (*router_send_fn)(void *arg, enum router_side to,
                               struct slice pkt);

struct router;

/** @return 0, EINVAL: out of range, or ENOMEM */
WARN_UNUSED int router_alloc(struct router **rp, const struct router_conf *conf,
                             int64_t now_ns, router_send_fn send, void *arg);
void router_free(struct router *r);

/** A packet came; @p pkt is changed in place. Any bytes are safe. */
void router_take(struct router *r, enum router_side from, uint8_t *pkt,
                 size_t n, int64_t now_ns);

/** Send what is due. @return when to call again; INT64_MAX: when a packet
 *  was taken */
int64_t router_wake(struct router *r, int64_t now_ns);

/** What it was and what it did, as JSON: the truth. */
void router_truth_put(struct wr *w, const struct router *r);
