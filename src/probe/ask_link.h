/* SPDX-License-Identifier: ISC */
/**
 * The way of a question to its service: datagrams, a stream, or a WebSocket,
 * as the target says, with TLS where it says so.
 *
 * What goes wrong on the way is said in the words of probe/ask.h. The link
 * keeps the patience, fills in `layer`, `error`, `offender`, `icmp_*`,
 * `n_sent` and `rtt_ns` of the result, and counts down `flows_left`; what is
 * left to a question is its protocol.
 *
 * Fields that are put: those of probe/ask_stream.h, and
 *   ws_status    of the answer to a WebSocket's handshake (int)
 *   ws_server    its `Server:` (bytes)
 *   subprotocol  that the server chose (text)
 */
#pragma once

#include "probe/ask.h"

struct ask_link;

/** Never called before ask_link_open() has returned. Each may close it. */
struct ask_link_ops {
	/** Now it can be asked; again after ask_link_start_tls(). */
	void (*on_open)(void *arg);

	/** A datagram, some bytes of a stream, or one WebSocket message.
	 *  Borrowed. */
	void (*on_data)(void *arg, struct slice bytes);

	/**
	 * It is over, or the patience is. Here a question puts its own sense
	 * into `result.end`, where it has one, and calls ask_end().
	 *
	 * @param end  How, judged by the way alone. ASK_OTHER: the WebSocket
	 *             was answered by something else.
	 */
	void (*on_over)(void *arg, enum ask_end end);
};

/** How, where that is not plain from the target. Borrowed for the call. */
struct ask_link_conf {
	enum ask_via via;              /**< mostly the target's */
	const char *alpn;              /**< for TLS; NULL: none */
	const char *const *paths;      /**< of a WebSocket, NULL-ended, tried in
	                                    turn; outlive the link, like the next */
	const char *subprotocol;       /**< of a WebSocket */
	const struct ask_link *before; /**< the question's first link: how it
	                                    connected is noted, and its patience
	                                    goes on; NULL: this is the first */
};

/**
 * Begin.
 *
 * @param lp   Out; untouched unless 0 is returned. Release: ask_link_close().
 * @param a    Borrowed, like @p ops; both must outlive the link.
 * @param how  NULL: as the target says, without more
 *
 * @return 0, ENOMEM, EMFILE, EPERM (the guard) or another errno of a socket
 */
WARN_UNUSED int ask_link_open(struct ask_link **lp, struct ask *a,
                              const struct ask_link_conf *how,
                              const struct ask_link_ops *ops, void *arg);

/** NULL is fine. */
void ask_link_close(struct ask_link *l);

/** Ask. A datagram is repeated, unchanged, until ask_link_settle() or the
 *  next question. Copies. What fails is told by on_over, later. */
void ask_link_ask(struct ask_link *l, struct slice bytes);

/** Say it once; as ask_link_ask() otherwise. */
void ask_link_send(struct ask_link *l, struct slice bytes);

/** It is answered: no more repetitions. */
void ask_link_settle(struct ask_link *l);

/** Before ask_link_close(), even when it is over: say it if that is still
 *  possible, and no matter if not. */
void ask_link_farewell(struct ask_link *l, struct slice bytes);

/** Turn an open stream into TLS. on_open says when, on_over why not. */
void ask_link_start_tls(struct ask_link *l);

/** Do bytes come as one stream, for the question to cut up? */
bool ask_link_is_stream(const struct ask_link *l);

/** Is it in the clear, or is the certificate good? Passwords and what stands
 *  for them are kept from whoever shows another one. */
bool ask_link_is_trusted(const struct ask_link *l);

/** Where packets leave from, with the port; once open. */
struct addr ask_link_local(const struct ask_link *l);

/** Of the patience. */
int64_t ask_link_left_ns(const struct ask_link *l);

/** The service has spoken its protocol: `end`, and `layer`. The question may
 *  go on, and calls ask_end() when it is done. */
void ask_link_answered(struct ask_link *l);

/** The question is over: ask_end(), and nothing is called any more, so that
 *  what comes in the same turn does not change how it ended. @p l may be
 *  NULL, and may be over already. */
void ask_link_finish(struct ask_link *l, struct ask *a);

/** After ask_link_finish(), or on_over. */
bool ask_link_is_over(const struct ask_link *l);

/**
 * How long to wait for an answer before repeating: doubling, from 500 ms
 * (RFC 3261 T1, RFC 8489 RTO) or from a twentieth of what patience is left,
 * up to 4 s (T2). So there are always four repetitions or more.
 *
 * @param n_sent  how often it was sent already, at least 1
 */
int64_t ask_link_rto_ns(int64_t left_ns, unsigned n_sent);

/** Does a server that calls itself so mean that it is an edge? */
bool ask_link_is_edge_name(struct slice name);
