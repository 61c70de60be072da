/* SPDX-License-Identifier: ISC */
/**
 * Whole ranges of ports on one socket.
 *
 * Two ways of the kernel's, for what arrives for this host: a BPF program at
 * the socket lookup of this network namespace (CAP_BPF and CAP_NET_ADMIN of
 * the whole system), or TPROXY rules in a table of nftables of our own
 * (CAP_NET_ADMIN of the namespace). Both vanish with the process, however it
 * ends, and need no privilege to. Never a redirect: connection tracking would
 * rewrite the source ports that are to be seen.
 */
#pragma once

#include "base/addr.h"

enum net_steer_way {
	NET_STEER_SK_LOOKUP,
	NET_STEER_TPROXY,
};

enum {
	NET_STEER_RANGES_MAX = 256,
	NET_STEER_HOLES_MAX = 512,
};

struct net_steer_range {
	struct addr at; /**< a wildcard: every address of its family */
	bool is_tcp;
	uint16_t first, last;
	int fd; /**< net_udp_fd() or net_listener_fd(), opened with _STEERED, on
	             an address of the same family. Borrowed. */
};

/** A port inside ranges that has a socket of its own. */
struct net_steer_hole {
	bool is_tcp;
	uint16_t port;
};

struct net_steer_conf {
	const struct net_steer_range *ranges;
	size_t n_ranges;
	const struct net_steer_hole *holes;
	size_t n_holes;
};

struct net_steer;

/**
 * Steer, from now on until net_steer_close() or the end of the process.
 *
 * @param sp    Out; untouched unless 0 is returned. Release:
 *              net_steer_close().
 * @param conf  Borrowed for the call only.
 *
 * @return 0, EINVAL (no range, or too many), EPERM, ENOTSUP (the kernel, or
 *         this build, lacks it), ENOMEM or another errno
 */
WARN_UNUSED int net_steer_open(struct net_steer **sp, enum net_steer_way way,
                               const struct net_steer_conf *conf);

/** NULL is fine. */
void net_steer_close(struct net_steer *s);

/** "sk_lookup" or "tproxy". */
const char *net_steer_way_name(enum net_steer_way way);
