/* SPDX-License-Identifier: ISC */
/**
 * HTTP/1.1 as a client (RFC 9112): one GET, its answer whole within a bound,
 * and when each part of it came. Redirects are not followed: they are part of
 * what the network says.
 */
#pragma once

#include "base/cursor.h"
#include "net/stream.h"

enum {
	NET_HTTP_HEAD_BYTES = 32768, /**< a longer one is EMSGSIZE */
	NET_HTTP_BODY_BYTES = 65536, /**< more is left unread */
	NET_HTTP_HEADERS_MAX = 128,
};

struct net_http_header {
	struct slice name, value;
};

/** An answer. Borrows from the bytes it was decoded from. */
struct net_http_msg {
	unsigned status;     /**< 100..999 */
	unsigned minor;      /**< of HTTP/1.x */
	struct slice reason; /**< may be empty */
	struct net_http_header headers[NET_HTTP_HEADERS_MAX];
	size_t n_headers;
	size_t head_bytes; /**< up to and with the empty line */
};

/**
 * Decode the head of an answer.
 *
 * @param m   Out; untouched unless 0 is returned. Borrows from @p in.
 *
 * @return 0, EAGAIN (more bytes are needed), EBADMSG (not HTTP/1.x) or
 *         EMSGSIZE
 */
WARN_UNUSED int net_http_decode(struct net_http_msg *m, struct slice in);

/** The first value of a header, without blanks around it; empty: none. */
struct slice net_http_header(const struct net_http_msg *m, const char *name);

/**
 * Take the body out of what follows the head: by Content-Length, in chunks,
 * or up to the end of the connection.
 *
 * @param body  Written to; at most NET_HTTP_BODY_BYTES. Unspecified unless 0
 *              is returned.
 * @param in    All bytes after the head
 * @param over  The peer has closed, so no more will come
 *
 * @return 0 (whole, or cut at the bound), EAGAIN (more is needed), EBADMSG
 *         (wrong framing), ECONNRESET (closed too early) or ENOMEM
 */
WARN_UNUSED int net_http_body(struct wr *body, const struct net_http_msg *m,
                              struct slice in, bool over);

struct net_http;

/** What came back. Borrowed: valid during the callback only. */
struct net_http_answer {
	const struct net_http_msg *msg; /**< NULL: none, see `err` */
	struct slice head;              /**< its bytes as they came */
	struct slice body;              /**< as far as it came, decoded */
	bool is_body_whole; /**< not cut short by the bound or the peer */
	struct slice raw;   /**< without a `msg`: what came instead */
	int err;            /**< 0, or as for net_stream_ops.on_close; EBADMSG:
	                         not HTTP; ECONNRESET also: closed first */
	int64_t first_byte_ns; /**< request sent to first byte back; 0: none */
};

struct net_http_ops {
	/** Connected, and past the handshake. NULL: not wanted. */
	void (*on_open)(void *arg);
	/** Once, the last. May free. */
	void (*on_answer)(void *arg, const struct net_http_answer *a);
};

/** Borrowed until net_http_get() returns. */
struct net_http_conf {
	const char *host;   /**< for `Host:`; numeric IPv6 without brackets */
	const char *target; /**< "/path?query"; NULL: "/" */
	struct net_stream_conf stream;
};

/**
 * Connect and ask.
 *
 * @param hp   Out; untouched unless 0 is returned. Release: net_http_free().
 * @param tls  A client's, with its name set; NULL: plain
 * @param ops  Borrowed; must outlive it.
 *
 * @return as net_stream_connect(), or EINVAL: blanks or controls in @p conf
 */
WARN_UNUSED int net_http_get(struct net_http **hp, const struct addr *to,
                             struct net_tls *tls,
                             const struct net_http_conf *conf,
                             const struct net_http_ops *ops, void *arg);

/** Owned by @p h; never NULL. */
const struct net_stream *net_http_stream(const struct net_http *h);

/** NULL is fine. */
void net_http_free(struct net_http *h);

/**
 * An IMF-fixdate: "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7).
 *
 * @param s  Out: seconds since 1970; untouched unless 0 is returned.
 *
 * @return 0, or EBADMSG: anything else, the obsolete forms too
 */
WARN_UNUSED int net_http_date(int64_t *s, struct slice text);
