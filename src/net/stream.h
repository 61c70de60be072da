/* SPDX-License-Identifier: ISC */
/** TCP and TLS streams, and the listeners that accept them. */
#pragma once

#include "base/addr.h"

struct net_stream;
struct net_tls;

enum {
	NET_STREAM_QUEUE_BYTES = 256 * 1024, /**< unsent bytes kept */
	NET_HANDSHAKE_MS = 10000,            /**< for an accepted stream */
	NET_PENDING_MAX = 512,        /**< unfinished handshakes per listener */
	NET_PENDING_PER_SOURCE = 128, /**< of those, addr_is_same_source() */
	NET_REFUSAL_MAX_BYTES = 16,   /**< the longest refusal, as a whole */
	NET_REFUSAL_BYTES = 2,
};

/** Any callback may free its stream. */
struct net_stream_ops {
	/** Connected and, with TLS, past the handshake. Never called for
	 *  accepted streams: those are open. NULL: not wanted. */
	void (*on_open)(void *arg);

	/** Borrowed bytes, never empty. */
	void (*on_data)(void *arg, struct slice bytes);

	/**
	 * The last callback, once; the stream is still there to be asked and
	 * to be freed.
	 *
	 * @param err  0: the peer closed. Else what ended it: ECONNREFUSED,
	 *             ECONNRESET (also: closed during the handshake),
	 *             ETIMEDOUT, EHOSTUNREACH, ENETUNREACH..., EUSERS: it
	 *             sent the refusal of `struct net_stream_conf`; or EPROTO:
	 *             not TLS, or a TLS alert
	 */
	void (*on_close)(void *arg, int err);
};

/** How to connect. Zero-initialised: the kernel's way. */
struct net_stream_conf {
	struct addr local; /**< where from; port 0: the kernel chooses;
	                        ADDR_NONE: the address too */
	int ttl;           /**< of what is sent, 1..255; 0: the system's */
	int ttl_min;       /**< segments that arrive with less are not heard
	                        (RFC 5082); 0: all are */
	int64_t second_after_ns; /**< so much later, if nothing came, a second
	                              connection joins, from another port;
	                              whichever opens first is the stream.
	                              0: none; not together with `local.port` */
	bool asks_here; /**< a reset that comes at once is looked into, with
	                     another SYN: is it this computer's own? */
	struct slice refusal; /**< the peer may say so, before anything else,
	                           that it does not take the connection: this,
	                           and NET_REFUSAL_BYTES more. It then ends with
	                           EUSERS. Empty: whatever it says is data.
	                           Borrowed for the stream's life. */
	bool is_abrupt; /**< it ends by a reset: what is not sent yet is lost,
	                   and nothing of it lingers, here or in a NAT's table
	                 */
};

/**
 * Connect. What the network answers comes by on_open or on_close, never
 * before this returns. There is no time-out but the kernel's (two minutes):
 * arm a timer and free the stream.
 *
 * @param sp   Out; untouched unless 0 is returned. Release: net_stream_free().
 * @param tls  A client's; NULL: plain TCP
 * @param conf Borrowed for the call only; NULL: all zeros
 * @param ops  Borrowed; must outlive the stream.
 *
 * @return 0, EINVAL, EPERM (the guard), ENOMEM, EMFILE, EAFNOSUPPORT;
 *         EADDRINUSE or EADDRNOTAVAIL for a `local` that cannot be had
 */
WARN_UNUSED int
net_stream_connect_as(struct net_stream **sp, const struct addr *to,
                      struct net_tls *tls, const struct net_stream_conf *conf,
                      const struct net_stream_ops *ops, void *arg);

/** The same with a NULL @p conf. */
WARN_UNUSED int net_stream_connect(struct net_stream **sp,
                                   const struct addr *to, struct net_tls *tls,
                                   const struct net_stream_ops *ops, void *arg);

/**
 * Send bytes. Nagle is off: a call is a segment of its own (a TLS record)
 * when it fits one and nothing is queued before it. What cannot leave yet is
 * queued, also before the stream is open.
 *
 * @return 0, or
 *         ENOBUFS   with what is queued these are over
 *                   NET_STREAM_QUEUE_BYTES; none of them was taken
 *         ENOTCONN  the stream has ended: on_close tells, or told, why
 *         ENOMEM    the same, on_close will say ENOMEM
 */
WARN_UNUSED int net_stream_send(struct net_stream *s, struct slice bytes);

/** Bytes that net_stream_send() took and the kernel did not yet. */
size_t net_stream_queued_bytes(const struct net_stream *s);

/** Other callbacks from now on. Nothing is read, and no end is seen, while
 *  @p ops is NULL, as it is for an accepted stream. Borrowed. */
void net_stream_set_ops(struct net_stream *s, const struct net_stream_ops *ops,
                        void *arg);

/**
 * Go on under TLS on a stream that began without (STARTTLS): the next byte
 * that comes belongs to the handshake. on_open tells its success; an accepted
 * stream has NET_HANDSHAKE_MS for it. Allowed inside on_data, with bytes that
 * were read already and are not TLS being the caller's to refuse.
 *
 * @param tls  A server's or a client's, which decides who begins
 *
 * @return 0, EINVAL (it is not open and plain), EBUSY (bytes are still
 *         queued) or ENOMEM
 */
WARN_UNUSED int net_stream_start_tls(struct net_stream *s, struct net_tls *tls);

/**
 * What is sent from now on leaves with that TTL, and so does what is sent
 * again of what has left. A router that lets it die ends the stream: on_close
 * says EHOSTUNREACH. From now on the stream ends as one that is_abrupt, since
 * what has died would be sent again long after.
 *
 * @param ttl  1..255
 *
 * @return 0, EINVAL, ENOTCONN (not open) or another errno
 */
WARN_UNUSED int net_stream_set_ttl(struct net_stream *s, int ttl);

struct addr net_stream_peer(const struct net_stream *s);

/** ADDR_NONE when it never got that far. */
struct addr net_stream_local(const struct net_stream *s);

bool net_stream_is_tls(const struct net_stream *s);

/** "TLSv1.3", or NULL: plain, or before the handshake. Static. */
const char *net_stream_tls_version(const struct net_stream *s);

/** ALPN that the server chose (RFC 7301); empty: none. Lives as long as the
 *  stream. */
struct slice net_stream_alpn(const struct net_stream *s);

/** What became of opening a connection. Times by CLOCK_MONOTONIC; 0: it did
 *  not come to that. */
struct net_stream_opening {
	unsigned n_tried;     /**< connections: 1, or 2 with second_after_ns */
	int64_t began_ns;     /**< the SYN of the one that counts */
	int64_t connect_ns;   /**< from there to its SYN-ACK or refusal, as soon
	                           as the loop saw it; a SYN that the kernel
	                           repeated is in it */
	bool is_syn_repeated; /**< so connect_ns is no round trip */
	int64_t hello_ns;     /**< ClientHello sent to the first byte back */
	int64_t secure_ns; /**< ClientHello sent to the end of the handshake */
	struct addr offender; /**< who sent the ICMP error that refused it; no
	                           port; ADDR_NONE: nobody, or not known */
	uint8_t icmp_type, icmp_code; /**< where there is an offender */
	bool is_kept_here;            /**< this computer's own filter resets it
	                                   (`asks_here`), or, while it is being opened,
	                                   keeps back what the kernel repeats */
	uint8_t tls_alert; /**< that the peer sent (RFC 8446 section 6) */
	bool is_alerted;   /**< tls_alert was sent */
	bool is_old_tls;   /**< it answered with a TLS before 1.2 */
	bool is_not_tls;   /**< what came back is no TLS record */
	uint8_t refusal[NET_REFUSAL_BYTES]; /**< EUSERS: what followed */
};

/** At any time, also in on_close. */
struct net_stream_opening net_stream_opening(const struct net_stream *s);

/** The kernel's smoothed estimate of the round trip, from what the peer's TCP
 *  has acknowledged; 0: none yet, or it has ended. */
int64_t net_stream_rtt_ns(const struct net_stream *s);

/**
 * SHA-256 of the peer's DER certificate.
 *
 * @return 0, or ENOENT: plain, before the handshake, or it showed none
 */
WARN_UNUSED int net_stream_peer_fingerprint(const struct net_stream *s,
                                            uint8_t out[32]);

/** Ends it without any callback: what the kernel has taken still leaves, then
 *  close_notify and FIN; what is queued here is dropped. NULL is fine. */
void net_stream_free(struct net_stream *s);

enum {
	/** With TLS: a first byte of 0x16 means TLS, any other plain. A peer
	 *  that waits for the server to speak first is dropped at
	 *  NET_HANDSHAKE_MS. */
	NET_LISTEN_SNIFF_TLS = 1 << 0,
	NET_LISTEN_REUSEPORT = 1 << 1,
	NET_LISTEN_V6ONLY = 1 << 2,
	/** Connections to other ports may be steered here (net/steer.h):
	 *  net_stream_local() tells which. */
	NET_LISTEN_STEERED = 1 << 3,
};

struct net_listener;

/** Callbacks may close the listener. */
struct net_listener_ops {
	/** Before any work for this peer. NULL: everybody may. false: the
	 *  connection is closed at once and not mentioned again. */
	bool (*may_accept)(void *arg, const struct addr *peer);

	/** What is sent to who may not, before it is closed: into @p w, of
	 *  NET_REFUSAL_MAX_BYTES. NULL: nothing is. */
	void (*refuse)(void *arg, const struct addr *peer, struct wr *w);

	/** A stream, open (TLS: past the handshake) and now the callee's, who
	 *  calls net_stream_set_ops(), at once or later, or frees it. */
	void (*on_stream)(void *arg, struct net_stream *s);

	/** A peer that may_accept let in ended before on_stream: ETIMEDOUT,
	 *  ECONNRESET, EPROTO, ENOBUFS (NET_PENDING_*), ENOMEM. NULL: not
	 *  wanted. */
	void (*on_dropped)(void *arg, const struct addr *peer, int err);
};

/**
 * @param lp     Out; untouched unless 0 is returned. Release:
 *               net_listener_close().
 * @param local  As for net_udp_open(); port 0: the kernel chooses
 * @param tls    A server's; NULL: plain TCP only
 * @param flags  NET_LISTEN_* bits
 * @param ops    Borrowed; must outlive the listener.
 *
 * @return 0, EINVAL, ENOMEM, EADDRINUSE, EADDRNOTAVAIL, EACCES, EMFILE
 */
WARN_UNUSED int net_listener_open(struct net_listener **lp,
                                  const struct addr *local, struct net_tls *tls,
                                  unsigned flags,
                                  const struct net_listener_ops *ops,
                                  void *arg);

/** With the port in use. */
struct addr net_listener_local(const struct net_listener *l);

/** To be named to net_steer_open(), and to nobody else. */
int net_listener_fd(const struct net_listener *l);

/** Unfinished handshakes are dropped without a word; streams handed over live
 *  on. NULL is fine. */
void net_listener_close(struct net_listener *l);
