/* SPDX-License-Identifier: ISC */
/**
 * A WebSocket client (RFC 6455) over net/stream.h: the handshake with a
 * subprotocol, messages whole, pings answered. No extensions.
 */
#pragma once

#include "base/cursor.h"
#include "net/stream.h"

struct net_ws;

enum {
	NET_WS_MESSAGE_BYTES = 65536, /**< a longer one ends the connection */
};

/** Borrowed until net_ws_connect() returns. */
struct net_ws_conf {
	const char *host; /**< for `Host:`; numeric IPv6 without brackets */
	const char *path; /**< "/ws"; NULL: "/" */
	const char *subprotocol; /**< "sip", "xmpp"; NULL: none is asked for */
	const char *origin;      /**< NULL: no `Origin:` */
	struct net_stream_conf stream;
};

/** Any callback may free its WebSocket. */
struct net_ws_ops {
	/** The server switched. @param subprotocol  the one it chose, "": it
	 *  named none. Borrowed. */
	void (*on_open)(void *arg, const char *subprotocol);

	/** A whole message, joined from its fragments; may be empty. Borrowed:
	 *  valid during the callback only. Text is not checked for UTF-8. */
	void (*on_message)(void *arg, bool is_text, struct slice message);

	/**
	 * The last callback, once; the WebSocket is still there to be asked
	 * and to be freed.
	 *
	 * @param err  As net_stream_ops.on_close says, and
	 *             EPROTO        the answer was not HTTP, or a frame was
	 *                           malformed (also TLS, as for a stream)
	 *             ECONNABORTED  HTTP, but it did not switch: see
	 *                           net_ws_status()
	 *             EMSGSIZE      longer than NET_WS_MESSAGE_BYTES
	 */
	void (*on_close)(void *arg, int err);
};

/**
 * @param wp   Out; untouched unless 0 is returned. Release: net_ws_free().
 * @param tls  A client's, with its name set; NULL: plain
 * @param ops  Borrowed; must outlive it.
 *
 * @return as net_stream_connect(), or EINVAL: CR, LF or NUL in @p conf
 */
WARN_UNUSED int net_ws_connect(struct net_ws **wp, const struct addr *to,
                               struct net_tls *tls,
                               const struct net_ws_conf *conf,
                               const struct net_ws_ops *ops, void *arg);

/** One message in one frame. @return as net_stream_send(); ENOTCONN also
 *  before on_open. */
WARN_UNUSED int net_ws_send(struct net_ws *w, bool is_text,
                            struct slice message);

/** Status of the answer to the handshake: 101, 404...; 0: none came. */
unsigned net_ws_status(const struct net_ws *w);

/** `Server:` of that answer, "": none. Lives as long as @p w. */
const char *net_ws_server(const struct net_ws *w);

/** Reason of the peer's Close frame (RFC 6455 section 7.4); 0: none. */
unsigned net_ws_close_code(const struct net_ws *w);

/** What it runs on, to be asked about: never NULL. Owned by @p w. */
const struct net_stream *net_ws_stream(const struct net_ws *w);

/** Says Close when open. NULL is fine. */
void net_ws_free(struct net_ws *w);
