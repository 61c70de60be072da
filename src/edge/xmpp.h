/* SPDX-License-Identifier: ISC */
/**
 * XMPP as far as a client that has no account gets (RFC 6120): the opening,
 * the features, STARTTLS; over TCP, over WebSocket (RFC 7395) and over BOSH
 * (XEP-0124, XEP-0206). It says what it is by its stream ids, which begin
 * with EDGE_XMPP_ID, and offers no way to log in.
 *
 * Expat reads the XML; document types are refused, and depth and length
 * bounded. Fuzzed by fuzz/fuzz_edge_xmpp.c.
 */
#pragma once

#include "base/cursor.h"

#define EDGE_XMPP_ID "prumo-edge-"

enum {
	EDGE_XMPP_MAX_BYTES = 8192, /**< of what one stream may say */
	EDGE_XMPP_ANSWER_MAX_BYTES = 2048,
};

enum edge_xmpp_next {
	EDGE_XMPP_MORE,
	EDGE_XMPP_TLS,   /**< send, then begin TLS, then a new stream */
	EDGE_XMPP_CLOSE, /**< send, then close */
};

struct edge_xmpp;

/**
 * A stream over TCP.
 *
 * @param xp         Out; untouched unless 0 is returned. Release:
 *                   edge_xmpp_free().
 * @param is_secure  Under TLS: STARTTLS is not offered
 * @param seed       Random: the stream's id is made of it
 *
 * @return 0 or ENOMEM
 */
WARN_UNUSED int edge_xmpp_alloc(struct edge_xmpp **xp, bool is_secure,
                                uint64_t seed);

/** NULL is fine. */
void edge_xmpp_free(struct edge_xmpp *x);

/**
 * What came next. After another answer than EDGE_XMPP_MORE only to be freed.
 *
 * @param w  The answer is added, maybe nothing; at most
 *           EDGE_XMPP_ANSWER_MAX_BYTES.
 */
enum edge_xmpp_next edge_xmpp_push(struct edge_xmpp *x, struct wr *w,
                                   struct slice bytes);

/** One message of a WebSocket; each is a document of its own. An answer that
 *  opens a stream is followed by edge_xmpp_features() as a second message. */
enum edge_xmpp_next edge_xmpp_message(struct wr *w, struct slice bytes,
                                      uint64_t seed);

/** No features. */
void edge_xmpp_features(struct wr *w);

/**
 * One body of BOSH.
 *
 * @return 0, or EBADMSG: not one (then nothing was written)
 */
WARN_UNUSED int edge_xmpp_bosh(struct wr *w, struct slice bytes);
