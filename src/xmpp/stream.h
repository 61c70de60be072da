/* SPDX-License-Identifier: ISC */
/**
 * Reads what an XMPP server says before anybody has logged in (RFC 6120,
 * sections 4 to 6), over a stream, over WebSocket (RFC 7395) or over HTTP
 * (XEP-0124, XEP-0206).
 *
 * No sockets, no clock. The XML is read by libexpat as it comes, with its
 * namespaces; a DOCTYPE ends it at once, so that there are no entities to
 * expand, and bytes, depth and texts are bounded. Fuzzed by
 * fuzz/fuzz_xmpp_stream.c.
 */
#pragma once

#include "base/attr.h"
#include "base/cursor.h"

enum {
	XMPP_STREAM_MAX_BYTES = 65536, /**< read; more is refused */
	XMPP_TEXT_BYTES = 128,         /**< kept of an attribute or a text */
	XMPP_MECHANISMS_MAX = 16,      /**< kept */
};

enum xmpp_tls {
	XMPP_TLS_NONE,
	XMPP_TLS_OPTIONAL,
	XMPP_TLS_REQUIRED,
};

/** What was read so far; texts are cut at XMPP_TEXT_BYTES, valid UTF-8. */
struct xmpp_said {
	bool has_header; /**< it opened a stream, or answered in XMPP */
	char from[XMPP_TEXT_BYTES];
	char id[XMPP_TEXT_BYTES]; /**< of the stream; BOSH: authid */
	char version[XMPP_TEXT_BYTES];
	char sid[XMPP_TEXT_BYTES]; /**< of BOSH */

	bool has_features;
	enum xmpp_tls tls;
	char mechanisms[XMPP_MECHANISMS_MAX][XMPP_TEXT_BYTES]; /**< SASL */
	size_t n_mechanisms;

	bool may_proceed; /**< STARTTLS was granted */
	bool has_failed;  /**< it was refused */
	bool is_closed;   /**< the stream was ended by the server */

	char condition[XMPP_TEXT_BYTES]; /**< of a stream error; BOSH: why it
	                                      ended; "": none */
};

struct xmpp_stream;

/** @return 0 or ENOMEM. Release: xmpp_stream_free(). */
WARN_UNUSED int xmpp_stream_alloc(struct xmpp_stream **sp);

/** NULL is fine. */
void xmpp_stream_free(struct xmpp_stream *s);

/** A new XML document begins: after TLS, or with each WebSocket message or
 *  HTTP answer. What was said stays, but for the features.
 *  @return 0 or ENOMEM */
WARN_UNUSED int xmpp_stream_restart(struct xmpp_stream *s);

/**
 * Read on.
 *
 * @return 0, or, for good
 *         EBADMSG   not XML, a DOCTYPE, too long or too deep
 *         EPROTO    XML, but not XMPP
 *         ENOMEM
 */
WARN_UNUSED int xmpp_stream_feed(struct xmpp_stream *s, struct slice bytes);

const struct xmpp_said *xmpp_stream_said(const struct xmpp_stream *s);

/** The opening of a client's stream to a domain (RFC 6120, section 4.2), of a
 *  WebSocket's (RFC 7395, section 3.4), and of BOSH (XEP-0124, section 7).
 *  What XML must escape is escaped. */
void xmpp_put_stream(struct wr *w, struct slice domain);
void xmpp_put_open(struct wr *w, struct slice domain);
void xmpp_put_body(struct wr *w, struct slice domain, uint64_t rid);

/** The end of a BOSH session. */
void xmpp_put_terminate(struct wr *w, struct slice sid, uint64_t rid);
