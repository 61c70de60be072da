/* SPDX-License-Identifier: ISC */
/**
 * WebSocket frames and the handshake's key (RFC 6455 sections 5.2 and 4.2.2),
 * for either side. Pure; fuzzed by fuzz/fuzz_net_ws_frame.c.
 */
#pragma once

#include <stdbool.h>

#include "base/cursor.h"

enum net_ws_opcode {
	NET_WS_CONTINUATION = 0x0,
	NET_WS_TEXT = 0x1,
	NET_WS_BINARY = 0x2,
	NET_WS_CLOSE = 0x8,
	NET_WS_PING = 0x9,
	NET_WS_PONG = 0xa,
};

enum {
	NET_WS_MASK_BYTES = 4,
	NET_WS_CONTROL_BYTES = 125, /**< most that a control frame carries */
	NET_WS_KEY_BYTES = 28,      /**< text of Sec-WebSocket-Accept */
};

/** Borrows from what was decoded. */
struct net_ws_frame {
	bool is_final;
	enum net_ws_opcode opcode;
	struct slice mask;    /**< NET_WS_MASK_BYTES, or empty: not masked */
	struct slice payload; /**< still masked */
	size_t bytes;         /**< of the whole frame */
};

/**
 * Decode the frame that @p in starts with.
 *
 * @param f          Out; untouched unless 0 is returned.
 * @param max_bytes  The longest payload that is wanted
 *
 * @return 0, EAGAIN (more bytes are needed), EBADMSG (a reserved bit or
 *         opcode, a control frame that is long or in fragments, a length not
 *         in its shortest form) or EMSGSIZE
 */
WARN_UNUSED int net_ws_frame_decode(struct net_ws_frame *f, struct slice in,
                                    size_t max_bytes);

/** @param mask  NET_WS_MASK_BYTES, as a client must; empty: none, as a server
 *  must. */
void net_ws_frame_put(struct wr *w, enum net_ws_opcode opcode, bool is_final,
                      struct slice mask, struct slice payload);

/** Append a frame's payload, unmasked. */
void net_ws_payload_put(struct wr *w, const struct net_ws_frame *f);

/** Sec-WebSocket-Accept for a Sec-WebSocket-Key. @return 0 or ENOMEM */
WARN_UNUSED int net_ws_accept(uint8_t out[NET_WS_KEY_BYTES], struct slice key);
