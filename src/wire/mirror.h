/* SPDX-License-Identifier: ISC */
/**
 * The mirror: what arrived, byte for byte, and whence.
 *
 * One binary form; in a MIRROR datagram as it is, in a SIP answer as a body
 * of type WIRE_MIRROR_TYPE: the same in base64, in lines of 76. The bytes
 * are XORed with a constant, so nothing in it looks like SIP, SDP or an
 * address to a middlebox on the way back.
 */
#pragma once

#include "wire/hash.h"
#include "wire/place.h"
#include "wire/tag.h"

#define WIRE_MIRROR_TYPE "application/x-prumo-mirror"

enum {
	/** Longer requests over UDP are answered without their bytes where
	 *  a control session can be asked for them, so that the answer fits
	 *  one packet of 1500 bytes. */
	WIRE_MIRROR_UDP_MAX_BYTES = 600,
	/** Longer ones always. */
	WIRE_MIRROR_UDP_LONE_BYTES = 2000,
	WIRE_MIRROR_HDR_BYTES = 83, /**< the binary form without the bytes */
	WIRE_MIRROR_LINE_CHARS = 76,
};

enum wire_mirror_flag {
	WIRE_MIRROR_OMITTED = 1, /**< no bytes: FETCH them by control */
};

struct wire_mirror {
	struct wire_tag tag;
	enum wire_transport transport;
	uint16_t local_port;
	struct addr source;                /**< as the edge saw it */
	uint8_t ttl;                       /**< as received; 0: unknown */
	int64_t arrival_wall_ns;           /**< the edge's clock */
	uint32_t full_bytes;               /**< length of what arrived */
	uint8_t sha256[WIRE_SHA256_BYTES]; /**< of what arrived */
	unsigned flags;                    /**< enum wire_mirror_flag */
	struct slice bytes; /**< all that arrived; empty if omitted */
};

/** The binary form. */
void wire_mirror_put(struct wr *w, const struct wire_mirror *m);

/**
 * Read the binary form.
 *
 * @param m      Out; untouched unless 0 is returned. Its bytes borrow from
 *               @p store: valid until the next write there.
 * @param store  The bytes are appended here; wr_init_heap() or large enough.
 *
 * @return 0, or
 *         EBADMSG  malformed, or the digest does not fit the bytes
 *         ENOMEM   @p store is full
 */
WARN_UNUSED int wire_mirror_decode(struct wire_mirror *m, struct wr *store,
                                   struct slice in);

/** As wire_mirror_decode(), from the body of a SIP answer. */
WARN_UNUSED int wire_mirror_body_decode(struct wire_mirror *m, struct wr *store,
                                        struct slice text);
