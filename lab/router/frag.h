/* SPDX-License-Identifier: ISC */
/**
 * Fragments (RFC 791, section 3.2; RFC 8200, section 4.5): put together, and
 * cut again.
 *
 * Pure. Memory is taken once, and what stays unfinished is given up in time.
 * A fragment that says again what is known is passed over; one that overlaps
 * otherwise spoils its datagram, in IPv6 with all that is still to come of it
 * (RFC 5722).
 *
 * An IPv6 datagram that is whole again keeps its Fragment header, as one that
 * cuts nothing (RFC 6946): so it can be edited as any other packet, and is
 * cut again under the identification that its sender chose.
 */
#pragma once

#include "router/pkt.h"

enum {
	ROUTER_FRAG_SLOTS = 32, /**< datagrams in the making; then the oldest
	                         *   is given up */
	ROUTER_FRAG_HDR_BYTES = 512, /**< the longest chain of headers in
	                              *   front of the data; Fragment header
	                              *   included */
};

#define ROUTER_FRAG_LIFE_NS INT64_C(30000000000)

struct router_frags;

WARN_UNUSED int router_frags_alloc(struct router_frags **fp);
void router_frags_free(struct router_frags *f);

/**
 * Add one fragment.
 *
 * @param whole       Out: the datagram, when this was its last missing part:
 *                    one packet, which borrows until the next call.
 * @param mtu_bytesp  Out: its longest fragment; what to cut it to again.
 *
 * @return 0: whole; EAGAIN: kept; EBADMSG: it overlaps or does not fit, or
 *         is no fragment
 */
WARN_UNUSED int router_frags_add(struct router_frags *f,
                                 struct router_pkt *whole, size_t *mtu_bytesp,
                                 const struct router_pkt *p, int64_t now_ns);

/**
 * The fragment of @p p that starts after @p *at bytes of its payload.
 *
 * @param w    Out: the fragment is appended.
 * @param at   In and out: begin with 0; afterwards where the next starts.
 * @param mtu  At least the header and 8 bytes.
 *
 * @return 0, ENOENT: there was nothing left, or EMSGSIZE: @p mtu or @p w is
 *         too small, or it is IPv6 that did not come cut and so must not be
 */
WARN_UNUSED int router_frag_next(struct wr *w, size_t *at,
                                 const struct router_pkt *p, size_t mtu);
