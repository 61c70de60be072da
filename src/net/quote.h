/* SPDX-License-Identifier: ISC */
/**
 * What routers quote of TCP segments that die on their way (RFC 792, RFC
 * 4443). The kernel tells a program of an open connection that something has
 * died, and keeps who says so and the quote to itself: only who may open a raw
 * socket gets to see them.
 */
#pragma once

#include "base/addr.h"

struct net_quotes;

/** A quoted segment. Borrows from what came. */
struct net_quote {
	struct addr offender; /**< who sent the error; no port */
	struct addr src, dst; /**< of the segment */
	struct slice payload; /**< as far as it is quoted; may be empty */
};

/** Borrowed: valid during the callback only. May not close the socket. */
typedef void net_quote_fn(void *arg, const struct net_quote *q);

/**
 * Read an ICMP message: is it time exceeded, about TCP?
 *
 * @param q       Out; untouched unless 0 is returned. `offender` is from the
 *                IPv4 header, and none in IPv6.
 * @param in      As a raw socket gives it: in IPv4 with its header, in IPv6
 *                without
 *
 * @return 0, ENOENT: another message, or EBADMSG: malformed, or quotes less
 *         than the ports
 */
WARN_UNUSED int net_quote_read(struct net_quote *q, struct slice in,
                               enum addr_family family);

/**
 * Hear all of one family that come to this host.
 *
 * @param qp  Out; untouched unless 0 is returned. Release: net_quotes_close().
 *
 * @return 0, EPERM (CAP_NET_RAW is needed), ENOMEM, EMFILE, EAFNOSUPPORT
 */
WARN_UNUSED int net_quotes_open(struct net_quotes **qp, enum addr_family family,
                                net_quote_fn *fn, void *arg);

/** NULL is fine. */
void net_quotes_close(struct net_quotes *qs);
