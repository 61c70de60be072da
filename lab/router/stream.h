/* SPDX-License-Identifier: ISC */
/**
 * SIP over TCP through a box that ends both connections:
 * ROUTER_ALG_TCP_ASSEMBLE.
 *
 * As a proxy or a buffering inspector does: each side is acknowledged for
 * itself, messages are put together out of segments in whatever order they
 * come, given to the ALG one by one, and sent on as segments of our own,
 * again if they get lost. So numbers differ on the two sides, and options
 * that speak of them (SACK, timestamps, scaled windows) are taken out of the
 * handshake; the addresses, and the numbers that both began with, stay.
 *
 * Where two segments claim the same bytes and disagree, the copy that came
 * first holds, in its turn or ahead of it; the later one
 * only fills what is still missing.
 *
 * What is not SIP, or longer than the buffer, goes through as it is. Only
 * connections whose beginning was seen are taken; at most so many at once.
 *
 * Pure: segments and the time in, segments out. Memory is taken once.
 */
#pragma once

#include "router/alg.h"

enum {
	ROUTER_STREAMS = 16,                /**< then the longest silent goes */
	ROUTER_STREAM_IN_BYTES = 32768,     /**< of one direction, unread */
	ROUTER_STREAM_OUT_BYTES = 65536,    /**< and not yet acknowledged */
	ROUTER_STREAM_TRIES = 8,            /**< then both sides are reset */
	ROUTER_STREAM_FLIGHT_SEGMENTS = 10, /**< on the way at once */
};

struct router_streams;

/** A segment leaves towards the WAN (@p is_out) or the LAN. It borrows until
 *  the function returns. */
typedef void (*router_stream_send_fn)(void *arg, bool is_out, struct slice pkt,
                                      int64_t now_ns);

/** @param alg  Edits; borrowed. @param mtu  Of the segments that we make.
 *  @return 0 or ENOMEM */
WARN_UNUSED int router_streams_alloc(struct router_streams **sp,
                                     struct router_alg *alg, unsigned mtu,
                                     router_stream_send_fn send, void *arg);
void router_streams_free(struct router_streams *s);

/**
 * A TCP segment came, and was translated.
 *
 * @return whether it ends here; if not, @p p goes on, perhaps with fewer
 *         options
 */
bool router_streams_take(struct router_streams *s, struct router_pkt *p,
                         const struct router_flow *flow, int64_t now_ns);

/** Send again what is due. @return when to call again, or INT64_MAX */
int64_t router_streams_wake(struct router_streams *s, int64_t now_ns);
