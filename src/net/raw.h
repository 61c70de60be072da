/* SPDX-License-Identifier: ISC */
/**
 * UDP from any port of ours through one raw socket: the answers of a range
 * whose datagrams are steered to one socket (net/steer.h). An ordinary socket
 * can choose the address it sends from, and not the port.
 */
#pragma once

#include "base/addr.h"

enum {
	NET_RAW_BATCH = 64,
	NET_RAW_QUEUED_BYTES = 1200, /**< a payload that fits every road */
};

struct net_raw;

/** @return 0, EPERM (CAP_NET_RAW is needed), ENOMEM, EMFILE or another
 *  errno. Release: net_raw_close(). */
WARN_UNUSED int net_raw_open(struct net_raw **rp);

/** NULL is fine. */
void net_raw_close(struct net_raw *r);

/**
 * Send one datagram.
 *
 * @param from  An address and a port of this host; both count
 *
 * @return 0, or
 *         EINVAL    other families, or no port
 *         EPERM     the guard, or a local firewall, refused
 *         EAGAIN    the send buffer is full
 *         EMSGSIZE  more than one packet of that road: nothing is fragmented
 *         or another errno
 */
WARN_UNUSED int net_raw_send_udp(struct net_raw *r, const struct addr *from,
                                 const struct addr *to, struct slice bytes);

/**
 * As net_raw_send_udp(), but it leaves with others: when NET_RAW_BATCH wait,
 * or at net_raw_flush(). What goes wrong then is not told: a datagram that is
 * lost here is as good as one that is lost elsewhere.
 *
 * @return 0, EINVAL, EPERM or, over NET_RAW_QUEUED_BYTES, EMSGSIZE
 */
WARN_UNUSED int net_raw_queue_udp(struct net_raw *r, const struct addr *from,
                                  const struct addr *to, struct slice bytes);

void net_raw_flush(struct net_raw *r);
