/* SPDX-License-Identifier: ISC */
/**
 * The table behind nat.h; shared by nat*.c only.
 *
 * A mapping is an internal endpoint with its external port; its remotes hang
 * on it. Entries are numbered; a number holds until the next call that ages,
 * adds or frees. What a function is given must be a mapping in use.
 */
#pragma once

#include "router/nat.h"

enum {
	ROUTER_NAT_NIL = 0, /**< entry 0 of each array is not used */
	ROUTER_NAT_PORTS = 65536,
	ROUTER_NAT_PORT_TRIES = 1024,
};

struct router_nat_remote {
	struct addr at; /**< port 0: any; no family: anyone */
	uint32_t next;
	int64_t until_ns, since_ns, used_ns;
	bool is_replied, is_closing, is_pinhole;
	bool is_admitted; /**< or admits, where it is a pinhole */
	struct router_nat_seq seq[2];
};

struct router_nat_mapping {
	bool is_used;
	uint8_t proto;
	struct addr in, ext;
	struct addr key; /**< the remote, as far as it depends on it */
	uint32_t next;   /**< of the same hash; or free */
	uint32_t older, newer;
	uint32_t remotes;
};

struct router_nat {
	struct router_nat_conf conf;
	struct router_rand rand;
	struct router_nat_mapping *maps;
	struct router_nat_remote *remotes;
	uint32_t *buckets, n_buckets;
	uint32_t *ports; /**< [ext, then ext6][proto][port] */
	uint32_t free_map, free_remote, oldest, newest, n_used;
	uint16_t next_port;
	int64_t swept_ns;
};

/** Do packets of the family of @p a pass without a look at the table? */
static inline bool router_nat_is_past(const struct router_nat *n,
                                      const struct addr *a)
{
	return n->conf.mode == ROUTER_NAT_OFF ||
	       (n->conf.mode == ROUTER_NAT_ON && a->family == ADDR_IP6 &&
	        n->conf.ext6.family == ADDR_NONE);
}

uint32_t router_nat_hash(uint32_t h, const void *p, size_t len);

/** Which mapping has this external port. @return NULL: not our address */
uint32_t *router_nat_cell(struct router_nat *n, uint8_t proto,
                          const struct addr *ext);

/** The external address for a new mapping of @p in; its port is of @p in. */
struct addr router_nat_ext_pick(struct router_nat *n, const struct addr *in);
bool router_nat_port_is_free(struct router_nat *n, uint8_t proto,
                             const struct addr *ext, int64_t now_ns);

/** Make room for one more. @return false: full, and none may go */
bool router_nat_room_make(struct router_nat *n, int64_t now_ns);

/** Only where router_nat_room_make() said that there is room. */
uint32_t router_nat_mapping_add(struct router_nat *n, uint8_t proto,
                                const struct addr *in, const struct addr *ext,
                                const struct addr *key);
void router_nat_mapping_free(struct router_nat *n, uint32_t i);

/** Drop what is over. @return whether the mapping still lives */
bool router_nat_mapping_age(struct router_nat *n, uint32_t i, int64_t now_ns);

/** A living one, or ROUTER_NAT_NIL. */
uint32_t router_nat_mapping_find(struct router_nat *n, uint8_t proto,
                                 const struct addr *in, const struct addr *key,
                                 int64_t now_ns);
uint32_t router_nat_find_outside(struct router_nat *n, uint8_t proto,
                                 const struct addr *ext, int64_t now_ns);

/** It was used now: the last that goes when room is made. */
void router_nat_touch(struct router_nat *n, uint32_t i);

struct router_nat_remote *
router_nat_remote_find(struct router_nat *n, uint32_t i, const struct addr *at);

/** The longest silent of this mapping may go for it. @return NULL: none did */
struct router_nat_remote *router_nat_remote_add(struct router_nat *n,
                                                uint32_t i,
                                                const struct addr *at,
                                                int64_t now_ns);
