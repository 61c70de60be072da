/* SPDX-License-Identifier: ISC */
/**
 * IPv4 fragments (RFC 791, section 3.2): put together, and cut again.
 *
 * Pure. Memory is taken once; fragments that overlap spoil their datagram
 * (RFC 5722 does so for IPv6). IPv6 fragments are not put together: routers
 * do not, and no behaviour here needs it.
 */
#pragma once

#include "router/pkt.h"

enum {
	ROUTER_FRAG_SLOTS = 32, /**< datagrams in the making; then the oldest
	                         *   is given up */
};

#define ROUTER_FRAG_LIFE_NS INT64_C(30000000000)

struct router_frags;

WARN_UNUSED int router_frags_alloc(struct router_frags **fp);
void router_frags_free(struct router_frags *f);

/**
 * Add one fragment.
 *
 * @param whole       Out: the datagram, when this was its last missing part:
 *                    one IPv4 packet, which borrows until the next call.
 * @param mtu_bytesp  Out: its longest fragment; what to cut it to again.
 *
 * @return 0: whole; EAGAIN: kept; EBADMSG: it overlaps or does not fit
 */
WARN_UNUSED int router_frags_add(struct router_frags *f,
                                 struct router_pkt *whole, size_t *mtu_bytesp,
                                 const struct router_pkt *p, int64_t now_ns);

/**
 * The fragment of @p p that starts after @p *at bytes of its payload.
 *
 * @param w    Out: the fragment is appended.
 * @param at   In and out: begin with 0; afterwards where the next starts.
 * @param mtu  At least ROUTER_IP4_BYTES + 8, with options more.
 *
 * @return 0, ENOENT: there was nothing left, or EMSGSIZE
 */
WARN_UNUSED int router_frag_next(struct wr *w, size_t *at,
                                 const struct router_pkt *p, size_t mtu);
