/* SPDX-License-Identifier: ISC */
/**
 * What TURN adds to STUN (RFC 8656): methods, attributes and channel data.
 *
 * Pure codec: no sockets, no clock, no allocation. Fuzzed by
 * fuzz/fuzz_stun_turn.c.
 */
#pragma once

#include "stun/msg.h"

enum {
	STUN_METHOD_ALLOCATE = 0x003,
	STUN_METHOD_REFRESH = 0x004,
	STUN_METHOD_SEND = 0x006,
	STUN_METHOD_DATA = 0x007,
	STUN_METHOD_CREATE_PERMISSION = 0x008,
	STUN_METHOD_CHANNEL_BIND = 0x009,

	STUN_ATTR_CHANNEL_NUMBER = 0x000c,
	STUN_ATTR_LIFETIME = 0x000d,
	STUN_ATTR_XOR_PEER_ADDRESS = 0x0012,
	STUN_ATTR_DATA = 0x0013,
	STUN_ATTR_XOR_RELAYED_ADDRESS = 0x0016,
	STUN_ATTR_REQUESTED_ADDRESS_FAMILY = 0x0017,
	STUN_ATTR_REQUESTED_TRANSPORT = 0x0019,

	STUN_TRANSPORT_UDP = 17,
	STUN_FAMILY_IP4 = 1,
	STUN_FAMILY_IP6 = 2,
	STUN_CHANNEL_MIN = 0x4000, /**< section 12 */
	STUN_CHANNEL_MAX = 0x4fff,
	STUN_CHANNEL_HDR_BYTES = 4,
};

enum stun_turn_kind {
	STUN_TURN_MSG,  /**< a STUN message */
	STUN_TURN_DATA, /**< channel data */
};

/**
 * What does the byte stream between client and server start with
 * (sections 12.4 and 12.5)?
 *
 * @param kind     Out; untouched unless 0 is returned, like @p n_bytes
 * @param n_bytes  Out: to consume, padding included
 *
 * @return 0, EAGAIN (more bytes are needed) or EBADMSG (neither)
 */
WARN_UNUSED int stun_turn_frame(enum stun_turn_kind *kind, size_t *n_bytes,
                                struct slice in);

/**
 * Read one channel data message; padding after it is allowed.
 *
 * @param channel  Out; untouched unless 0 is returned, like @p data
 * @param data     Out. Borrows from @p in.
 *
 * @return 0 or EBADMSG
 */
WARN_UNUSED int stun_channel_decode(uint16_t *channel, struct slice *data,
                                    struct slice in);

/** Write channel data, with the padding that a stream needs. */
void stun_put_channel(struct wr *w, uint16_t channel, struct slice data);

/** Write an attribute of four bytes: LIFETIME, or a channel or transport in
 *  the upper ones. */
void stun_put_u32(struct wr *w, uint16_t type, uint32_t v);

/** @param v  Out; untouched unless 0. @return 0, ENOENT or EBADMSG */
WARN_UNUSED int stun_msg_u32(uint32_t *v, const struct stun_msg *msg,
                             uint16_t type);
