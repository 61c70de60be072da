/* SPDX-License-Identifier: ISC */
/**
 * WebSocket frames, the server's side (RFC 6455, section 5).
 *
 * Pure: no sockets, no allocation. Fuzzed by fuzz/fuzz_edge_ws.c.
 */
#pragma once

#include "base/cursor.h"

enum edge_ws_opcode {
	EDGE_WS_CONTINUE = 0,
	EDGE_WS_TEXT = 1,
	EDGE_WS_BINARY = 2,
	EDGE_WS_CLOSE = 8,
	EDGE_WS_PING = 9,
	EDGE_WS_PONG = 10,
};

enum {
	EDGE_WS_MAX_BYTES = 65536, /**< of a payload, and of a message */
	EDGE_WS_HDR_MAX_BYTES = 14,
	EDGE_WS_NORMAL = 1000, /**< reasons to close (section 7.4.1) */
	EDGE_WS_PROTOCOL = 1002,
	EDGE_WS_TOO_BIG = 1009,
};

/** Borrows from the buffer it was read from. */
struct edge_ws_frame {
	enum edge_ws_opcode opcode;
	bool is_last; /**< of its message */
	struct slice payload;
};

/**
 * Read the frame that a buffer begins with, and unmask it in place.
 *
 * @param f        Out; untouched unless 0 is returned. Borrows from @p buf.
 * @param n_bytes  Out, likewise: its length
 *
 * @return 0, EAGAIN (more bytes are needed; nothing was changed), EBADMSG (not
 *         masked, reserved bits, a control frame in pieces), EMSGSIZE
 */
WARN_UNUSED int edge_ws_read(struct edge_ws_frame *f, size_t *n_bytes,
                             uint8_t *buf, size_t n);

/** One unmasked frame, alone a message. */
void edge_ws_put(struct wr *w, enum edge_ws_opcode opcode,
                 struct slice payload);

/** Close with a reason. */
void edge_ws_put_close(struct wr *w, uint16_t reason);
