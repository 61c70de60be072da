/* SPDX-License-Identifier: ISC */
/**
 * HTTP/1.1 as the edge speaks it (RFC 9112): fixed words that say what it is,
 * and the way to WebSocket (RFC 6455, section 4.2) and BOSH (XEP-0124).
 *
 *   GET /                           what this is, certificate and issuer
 *   GET /.well-known/prumo-edge     the certificate's SHA-256, alone
 *   POST /http-bind                 a BOSH session that offers nothing
 *   Upgrade: websocket, any path    subprotocol `sip` or `xmpp`
 *
 * Pure: no sockets, no clock, no allocation. Fuzzed by fuzz/fuzz_edge_web.c.
 */
#pragma once

#include "base/cursor.h"

enum {
	EDGE_WEB_HEAD_MAX_BYTES = 8192,
	EDGE_WEB_BODY_MAX_BYTES = 4096,
	EDGE_WEB_ANSWER_MAX_BYTES = 4096,
};

#define EDGE_WEB_PIN_PATH "/.well-known/prumo-edge"

struct edge_web_conf {
	const char *name; /**< of Server; empty: none. Borrowed. */
	uint8_t sha256[32];
	const char
		*issuer; /**< of the certificate; printable ASCII. Borrowed. */
};

/** A request. Borrows from its bytes. */
struct edge_web_request {
	struct slice method, target;
	unsigned minor; /**< of HTTP/1.x */
	bool wants_close;
	bool is_upgrade; /**< to WebSocket, well formed, version 13 */
	struct slice key, subprotocols;
	struct slice body;
};

enum edge_web_next {
	EDGE_WEB_MORE,  /**< another request may come */
	EDGE_WEB_CLOSE, /**< once the answer has left */
	EDGE_WEB_SIP,   /**< WebSocket from here on, RFC 7118 */
	EDGE_WEB_XMPP,  /**< RFC 7395 */
};

/**
 * Read the request that a stream begins with.
 *
 * @param r        Out; untouched unless 0 is returned. Borrows from @p in.
 * @param n_bytes  Out, likewise: its length
 *
 * @return 0, EAGAIN (more bytes are needed), EBADMSG (not HTTP/1.x),
 *         EMSGSIZE (over the bounds above), ENOTSUP (a body in chunks)
 */
WARN_UNUSED int edge_web_read(struct edge_web_request *r, size_t *n_bytes,
                              struct slice in);

/**
 * Answer a request.
 *
 * @param w        The answer is added; EDGE_WEB_ANSWER_MAX_BYTES suffice
 * @param wall_ns  For Date
 */
enum edge_web_next edge_web_answer(struct wr *w,
                                   const struct edge_web_conf *conf,
                                   const struct edge_web_request *r,
                                   int64_t wall_ns);

/** What a request that edge_web_read() refused with @p err is told. */
void edge_web_refuse(struct wr *w, const struct edge_web_conf *conf, int err,
                     int64_t wall_ns);
