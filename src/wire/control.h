/* SPDX-License-Identifier: ISC */
/**
 * The control session: the second road between probe and edge, over TLS.
 *
 * The client starts with WIRE_PREFACE; then both sides send frames: type
 * u8, flags u8, length u32, body. Every request is answered, in order of
 * completion; SENT comes when the bytes have left, or could not.
 *
 *   OPEN   -> SESSION           once, first
 *   REPORT -> SEEN...           the last without WIRE_FRAME_MORE
 *   FETCH  -> COPY
 *   SEND   -> SENT              back along the flow by which a shot came
 *   SHOOT  -> SENT              to the address a shot came from, other port;
 *                               or over another connection of the same source
 *          -> DIED              unasked: a SEND or SHOOT of few hops was
 *                               quoted
 *   anything the edge refuses -> ERROR
 *
 * An `err` on the wire is a Linux errno number, 0 for success.
 */
#pragma once

#include "wire/hash.h"
#include "wire/place.h"
#include "wire/tag.h"
#include "wire/token.h"

#define WIRE_PREFACE "PRM\xf2"

enum wire_frame_type {
	WIRE_OPEN = 1,
	WIRE_REPORT = 2, /**< no body */
	WIRE_FETCH = 3,
	WIRE_SEND = 4,
	WIRE_SHOOT = 5,
	WIRE_SESSION = 0x81,
	WIRE_SEEN = 0x82,
	WIRE_COPY = 0x83,
	WIRE_SENT = 0x84,
	WIRE_ERROR = 0x85,
	WIRE_DIED = 0x86,
};

enum wire_frame_flag {
	WIRE_FRAME_MORE = 1, /**< SEEN: another page follows */
};

enum {
	WIRE_PREFACE_BYTES = 4,
	WIRE_FRAME_HDR_BYTES = 6,
	WIRE_FRAME_MAX_BYTES = 66 * 1024, /**< of a body */
	WIRE_MSG_MAX_BYTES = 65535,       /**< of a message that is copied */
	WIRE_SHOOT_MAX_BYTES = 512,
	WIRE_QUOTE_MAX_BYTES = 1500,
	WIRE_SEEN_PAGE = 64, /**< records in one SEEN, at most */
};

/** Borrows its body from the stream. */
struct wire_frame {
	enum wire_frame_type type;
	unsigned flags;
	struct slice body;
};

struct wire_limits {
	uint16_t shots;        /**< distinct shots kept in a session */
	uint16_t sends;        /**< SEND and SHOOT together, in a session */
	uint32_t delay_ms;     /**< longest delay of one */
	uint32_t stored_bytes; /**< of first copies, together */
	uint32_t idle_ms;      /**< silence that ends a session */
};

/** OPEN */
struct wire_open {
	uint8_t session[WIRE_SESSION_BYTES]; /**< random, the prober's choice */
};

/** SESSION */
struct wire_session {
	struct wire_token token; /**< for the IP of this TCP connection */
	struct addr source;      /**< of this TCP connection */
	int64_t wall_ns;         /**< the edge's clock */
	struct wire_limits limits;
	struct wire_services services;
};

enum wire_seen_flag {
	WIRE_SEEN_PROVEN = 1, /**< came with a good token, or by TCP */
	WIRE_SEEN_STORED = 2, /**< FETCH gives all its bytes */
};

/** One record of a SEEN: the first message under a shot's number. */
struct wire_seen {
	uint16_t shot;
	uint32_t n_msgs; /**< all messages under that number */
	unsigned flags;  /**< enum wire_seen_flag */
	enum wire_transport transport;
	uint16_t local_port;
	struct addr source;
	uint8_t ttl; /**< 0: unknown */
	int64_t first_wall_ns;
	uint32_t n_bytes;
	uint8_t sha256[WIRE_SHA256_BYTES];
	uint32_t answer_bytes; /**< 0: it was not answered */
	uint8_t answer_sha256[WIRE_SHA256_BYTES];
};

enum wire_which {
	WIRE_REQUEST = 1, /**< what arrived first */
	WIRE_ANSWER = 2,  /**< what was first sent back */
};

/** FETCH */
struct wire_fetch {
	uint16_t shot;
	enum wire_which which;
};

/** COPY. @p err is ENOENT where there is nothing, EMSGSIZE where it did not
 *  fit the session's memory; then there are no bytes. */
struct wire_copy {
	uint16_t shot;
	enum wire_which which;
	uint16_t err;
	struct slice bytes;
};

/** SEND */
struct wire_send {
	uint16_t id;   /**< the client's choice, comes back in SENT */
	uint16_t shot; /**< names the flow */
	uint32_t delay_ms;
	uint8_t ttl; /**< it leaves with; not over TLS; 0: the edge's own */
	struct slice bytes;
};

/** SHOOT: UDP to the IP a proven shot came from. Or, with 0 for `to_port`, of
 *  a shot that came over TCP: over the connection that its source, with the
 *  same address and port, has opened to `from_port` and said nothing on. */
struct wire_shoot {
	uint16_t id;
	uint16_t shot;
	uint16_t from_port; /**< a port of the edge; 0: a fresh one, of UDP */
	uint16_t to_port;   /**< 0 only with a `from_port` */
	uint32_t delay_ms;
	uint8_t ttl;        /**< as of SEND; not from a fresh port */
	struct slice bytes; /**< at most WIRE_SHOOT_MAX_BYTES */
};

/** SENT */
struct wire_sent {
	uint16_t id;
	uint16_t err; /**< EACCES: that address is not proven; EDQUOT: no more
	                   sends; ENOENT: no such shot; EPIPE: flow closed;
	                   EAGAIN: too many to that address at once */
	uint16_t from_port; /**< it really left from here; 0 if it did not */
	int64_t wall_ns;    /**< when */
};

/** DIED: a router let a SEND or SHOOT with a `ttl` die, and says so by ICMP. At
 *  most one for each of them. Of TCP the kernel tells no more than that. */
struct wire_died {
	uint16_t shot;        /**< of the tag in the quote; TCP: that was named
	                           when it was asked for */
	struct addr offender; /**< the router, as the edge sees it; TCP: none */
	struct slice quote;   /**< of the bytes, as it got them; TCP: empty */
};

/** ERROR: about a request of type @p about. */
struct wire_error {
	enum wire_frame_type about;
	uint16_t err;
};

/* Encoders: header and body. REPORT by wire_bare_put(). */
void wire_bare_put(struct wr *w, enum wire_frame_type type);
void wire_open_put(struct wr *w, const struct wire_open *o);
void wire_session_put(struct wr *w, const struct wire_session *s);
void wire_fetch_put(struct wr *w, const struct wire_fetch *f);
void wire_copy_put(struct wr *w, const struct wire_copy *c);
void wire_send_put(struct wr *w, const struct wire_send *s);
void wire_shoot_put(struct wr *w, const struct wire_shoot *s);
void wire_sent_put(struct wr *w, const struct wire_sent *s);
void wire_error_put(struct wr *w, const struct wire_error *e);
void wire_died_put(struct wr *w, const struct wire_died *d);

/** One page of at most WIRE_SEEN_PAGE records; more: sets @p w bad. */
void wire_seen_put(struct wr *w, const struct wire_seen *seen, size_t n,
                   bool more);

/**
 * Decoders of a frame's body.
 *
 * Out parameters are untouched unless 0 is returned; bytes borrow from the
 * frame.
 *
 * @return 0, or EBADMSG: malformed, bytes left over, or out of bounds
 */
WARN_UNUSED int wire_open_decode(struct wire_open *o, struct slice body);
WARN_UNUSED int wire_session_decode(struct wire_session *s, struct slice body);
WARN_UNUSED int wire_fetch_decode(struct wire_fetch *f, struct slice body);
WARN_UNUSED int wire_copy_decode(struct wire_copy *c, struct slice body);
WARN_UNUSED int wire_send_decode(struct wire_send *s, struct slice body);
WARN_UNUSED int wire_shoot_decode(struct wire_shoot *s, struct slice body);
WARN_UNUSED int wire_sent_decode(struct wire_sent *s, struct slice body);
WARN_UNUSED int wire_error_decode(struct wire_error *e, struct slice body);
WARN_UNUSED int wire_died_decode(struct wire_died *d, struct slice body);

/** @param n  Out: how many of @p seen were filled. */
WARN_UNUSED int wire_seen_decode(struct wire_seen seen[WIRE_SEEN_PAGE],
                                 size_t *n, struct slice body);
