/* SPDX-License-Identifier: ISC */
/**
 * STUN messages (RFC 8489, sections 5, 6, 7 and 14).
 *
 * Pure codec: no sockets, no clock, no allocation. Safe on hostile input;
 * fuzzed by fuzz/fuzz_stun_msg.c.
 */
#pragma once

#include "base/addr.h"
#include "base/cursor.h"

enum {
	STUN_PORT = 3478,
	STUN_HDR_BYTES = 20,
	STUN_TID_BYTES = 12,
	STUN_REASON_BYTES = 763, /**< longest reason phrase (section 14.8) */
	STUN_UNKNOWN_MAX = 16,   /**< types listed in a 420 answer */

	STUN_METHOD_BINDING = 0x001,
};

enum stun_class {
	STUN_CLASS_REQUEST = 0,
	STUN_CLASS_INDICATION = 1,
	STUN_CLASS_SUCCESS = 2,
	STUN_CLASS_ERROR = 3,
};

/** Below 0x8000 comprehension is required (section 14). */
enum stun_attr {
	STUN_ATTR_MAPPED_ADDRESS = 0x0001,
	STUN_ATTR_CHANGE_REQUEST = 0x0003, /**< RFC 5780 */
	STUN_ATTR_USERNAME = 0x0006,
	STUN_ATTR_MESSAGE_INTEGRITY = 0x0008,
	STUN_ATTR_ERROR_CODE = 0x0009,
	STUN_ATTR_UNKNOWN_ATTRIBUTES = 0x000a,
	STUN_ATTR_REALM = 0x0014,
	STUN_ATTR_NONCE = 0x0015,
	STUN_ATTR_MESSAGE_INTEGRITY_SHA256 = 0x001c,
	STUN_ATTR_PASSWORD_ALGORITHM = 0x001d,
	STUN_ATTR_USERHASH = 0x001e,
	STUN_ATTR_XOR_MAPPED_ADDRESS = 0x0020,
	STUN_ATTR_PASSWORD_ALGORITHMS = 0x8002,
	STUN_ATTR_SOFTWARE = 0x8022,
	STUN_ATTR_ALTERNATE_SERVER = 0x8023,
	STUN_ATTR_FINGERPRINT = 0x8028,
	STUN_ATTR_RESPONSE_ORIGIN = 0x802b, /**< RFC 5780 */
	STUN_ATTR_OTHER_ADDRESS = 0x802c,   /**< RFC 5780 */
};

/** A decoded message. Borrows: valid only while the datagram is. */
struct stun_msg {
	uint16_t method;
	enum stun_class cls;
	uint8_t tid[STUN_TID_BYTES];
	struct slice attrs; /**< undecoded, length a multiple of 4 */
	struct slice bytes; /**< the whole message */
};

/**
 * Decode one datagram.
 *
 * @param msg  Out; untouched unless 0 is returned. Borrows from @p in.
 * @param in   The whole UDP payload, or one frame (stun_msg_frame()).
 *
 * @return 0, or
 *         EBADMSG  not STUN with its magic cookie, truncated, bytes left
 *                  over, or an attribute overruns the message
 */
WARN_UNUSED int stun_msg_decode(struct stun_msg *msg, struct slice in);

/**
 * How long is the message that a TCP stream starts with (section 6.2.2)?
 *
 * @param n_bytes  Out; untouched unless 0 is returned
 *
 * @return 0, EAGAIN (more bytes are needed to tell or to complete it), or
 *         EBADMSG (not STUN; no further byte will change that)
 */
WARN_UNUSED int stun_msg_frame(size_t *n_bytes, struct slice in);

/**
 * Find the first attribute of a type, among those that count: of what
 * follows MESSAGE-INTEGRITY or FINGERPRINT, only what section 14.5 to 14.7
 * allow there.
 *
 * @param val  Out; untouched unless 0 is returned. Borrows from @p msg.
 *
 * @return 0 or ENOENT
 */
WARN_UNUSED int stun_msg_attr(struct slice *val, const struct stun_msg *msg,
                              uint16_t type);

/**
 * Read an attribute that holds an address. Those named XOR-..., TURN's too,
 * are XORed; both kinds are worth reading, since a NAT may rewrite one of
 * them.
 *
 * @param a  Out; untouched unless 0 is returned
 *
 * @return 0, ENOENT or EBADMSG (not an address)
 */
WARN_UNUSED int stun_msg_addr(struct addr *a, const struct stun_msg *msg,
                              uint16_t type);

/**
 * Read ERROR-CODE.
 *
 * @param code    Out: 300..699; untouched unless 0 is returned
 * @param reason  Out, or NULL. Borrows from @p msg; not checked to be UTF-8.
 *
 * @return 0, ENOENT or EBADMSG
 */
WARN_UNUSED int stun_msg_error(unsigned *code, struct slice *reason,
                               const struct stun_msg *msg);

/**
 * Check FINGERPRINT.
 *
 * @return 0, ENOENT (it has none), or
 *         EBADMSG (wrong, malformed, or not the last attribute)
 */
WARN_UNUSED int stun_msg_fingerprint(const struct stun_msg *msg);

/**
 * Comprehension-required attribute types in @p msg that RFC 8489 does not
 * define.
 *
 * @param types  Out: the first STUN_UNKNOWN_MAX of them, each once
 * @return how many were written
 */
size_t stun_msg_unknown(uint16_t types[STUN_UNKNOWN_MAX],
                        const struct stun_msg *msg);

/*
 * Building: one header, then attributes; each call keeps the length field
 * right, so the writer holds a whole message at any time. The writer must
 * hold nothing else: the message starts at its first byte. Anything that
 * does not fit, in the writer or in the format, makes it bad.
 */
void stun_put_head(struct wr *w, enum stun_class cls, uint16_t method,
                   const uint8_t tid[STUN_TID_BYTES]);
void stun_put_attr(struct wr *w, uint16_t type, struct slice val);

/** XORed as stun_msg_addr() says. ADDR_NONE makes @p w bad. */
void stun_put_addr(struct wr *w, uint16_t type, const struct addr *a);

/** @param code  300..699; others make @p w bad */
void stun_put_error(struct wr *w, unsigned code, struct slice reason);
void stun_put_unknown(struct wr *w, const uint16_t *types, size_t n_types);

/** Last of all. */
void stun_put_fingerprint(struct wr *w);

/**
 * A server's answer to a Binding request: success with XOR-MAPPED-ADDRESS,
 * or error 420 with what it did not understand.
 *
 * The answer is as small as RFC 8489 lets it be: no SOFTWARE, no reason
 * phrase; FINGERPRINT only when the request bore one and @p max_bytes has
 * room. Even so a bare request of 20 bytes earns 32 (IPv4) or 44 (IPv6),
 * 1.6 or 2.2 times its size: that is inherent in the protocol. Whoever
 * answers unproven senders decides by @p max_bytes: SIZE_MAX to be a
 * standard STUN server, req->bytes.n to never amplify.
 *
 * @param w     The answer is added to it; untouched unless 0 is returned
 * @param from  Where the request came from
 *
 * @return 0, or
 *         EPROTO    not a Binding request, or its FINGERPRINT is wrong: do
 *                   not answer (section 6.3.1)
 *         EMSGSIZE  the answer is larger than @p max_bytes or than @p w
 *         EINVAL    @p from is no address
 *         ENOMEM    a heap writer could not grow; @p w is bad
 */
WARN_UNUSED int stun_msg_answer(struct wr *w, const struct stun_msg *req,
                                const struct addr *from, size_t max_bytes);
