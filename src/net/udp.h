/* SPDX-License-Identifier: ISC */
/**
 * UDP sockets on the loop: what arrived, exactly when, with which TTL, at
 * which local address; and the ICMP errors that datagrams provoked, without
 * privileges (Linux IP_RECVERR, see ip(7)).
 */
#pragma once

#include "base/addr.h"

enum {
	NET_UDP_ICMP = 1 << 0,      /**< report ICMP errors to on_icmp */
	NET_UDP_REUSEPORT = 1 << 1, /**< SO_REUSEPORT */
	NET_UDP_V6ONLY = 1 << 2,    /**< [::] does not take IPv4 as well */
	NET_UDP_DF = 1 << 6, /**< never fragment, whatever the kernel knows of
	                          the path; more than the link takes is
	                          EMSGSIZE, and an ICMP error of the own host */
	/** Datagrams to other ports may be steered here (net/steer.h):
	 *  net_dgram.to tells which. */
	NET_UDP_STEERED = 1 << 3,
	NET_UDP_QUEUE = 1 << 4, /**< net_udp_queue() will be used */
};

enum {
	NET_UDP_QUEUED_BYTES = 2048, /**< longer ones leave at once */
};

/** A datagram received. Borrows: valid during the callback only. */
struct net_dgram {
	struct addr from;
	struct addr to;  /**< the local address that it was sent to */
	int ttl;         /**< TTL or hop limit on arrival; -1: unknown */
	int64_t mono_ns; /**< when the kernel got it (NET_UDP_STEERED: when it
	                      was read), CLOCK_MONOTONIC */
	int64_t wall_ns; /**< the same, CLOCK_REALTIME */
	struct slice bytes;
	bool is_truncated; /**< above 65535 bytes: IPv6 jumbograms only */
};

/** An ICMP error, or one that the own kernel raised in its place. Borrows:
 *  valid during the callback only. */
struct net_icmp {
	struct addr offender; /**< who sent it; no port; ADDR_NONE: unknown */
	uint8_t type, code;   /**< of ICMP or, when dst is IPv6, ICMPv6 */
	bool is_local;        /**< raised by this host's own kernel */
	int ttl;              /**< of the error on arrival; -1: unknown */
	int error;            /**< the errno the kernel made of it */
	unsigned mtu_bytes;   /**< with EMSGSIZE: what would fit; else 0 */
	struct addr dst;      /**< where the original datagram went */
	struct slice quote;   /**< its UDP payload, as far as was quoted */
	int64_t mono_ns;
};

struct net_udp;

/** Callbacks may send, and may close the socket they are called for. */
struct net_udp_ops {
	void (*on_dgram)(void *arg, const struct net_dgram *d);
	/** NULL: not wanted; then leave out NET_UDP_ICMP */
	void (*on_icmp)(void *arg, const struct net_icmp *ic);
};

/**
 * Open, bind and watch a socket.
 *
 * @param up     Out; untouched unless 0 is returned. Release: net_udp_close().
 * @param local  May be a wildcard (0.0.0.0, or [::], which takes IPv4 too
 *               unless NET_UDP_V6ONLY); port 0: the kernel chooses.
 * @param flags  NET_UDP_* bits
 * @param ops    Borrowed; must outlive the socket.
 *
 * @return 0, EINVAL (no address), ENOMEM, EADDRINUSE, EADDRNOTAVAIL, EACCES,
 *         EAFNOSUPPORT, EMFILE
 */
WARN_UNUSED int net_udp_open(struct net_udp **up, const struct addr *local,
                             unsigned flags, const struct net_udp_ops *ops,
                             void *arg);

/** NULL is fine. No callback comes after it. */
void net_udp_close(struct net_udp *u);

/** With the port in use; the IP is what was bound, maybe a wildcard. */
struct addr net_udp_local(const struct net_udp *u);

/**
 * Send one datagram. DF is clear (but for NET_UDP_DF): what exceeds the MTU
 * is fragmented.
 *
 * @param from  Source address of a wildcard socket, as in net_dgram.to (its
 *              port does not count); NULL: the kernel chooses
 * @param ttl   1..255; 0: the system's default
 *
 * @return 0, or
 *         EINVAL    bad ttl or address, family unlike the socket's
 *         EPERM     the guard, or a local firewall, refused
 *         EAGAIN    the send buffer is full
 *         EMSGSIZE  more than a datagram holds
 *         ENETUNREACH, EHOSTUNREACH  no route from here
 *         Errors that earlier datagrams met are never returned: ask
 *         on_icmp.
 */
WARN_UNUSED int net_udp_send(struct net_udp *u, const struct addr *to,
                             const struct addr *from, int ttl,
                             struct slice bytes);

/**
 * Answer from within on_dgram: what answers one batch leaves as a batch,
 * before the loop turns to others. Elsewhere, without NET_UDP_QUEUE, or above
 * NET_UDP_QUEUED_BYTES it is net_udp_send().
 *
 * @return as net_udp_send(), but what the network has against a datagram that
 *         was held back is not known
 */
WARN_UNUSED int net_udp_queue(struct net_udp *u, const struct addr *to,
                              const struct addr *from, struct slice bytes);

/**
 * Which local address the kernel would use towards @p to. Sends nothing.
 *
 * @param local  Out, port 0; untouched unless 0 is returned
 *
 * @return 0, EINVAL, ENETUNREACH, EHOSTUNREACH, EAFNOSUPPORT, EMFILE
 */
WARN_UNUSED int net_source_for(struct addr *local, const struct addr *to);

/** Call @p on_batch, with the socket's arg, after some on_dgram and before the
 *  loop turns to others: answers that were held back may leave together. */
void net_udp_set_batch(struct net_udp *u, void (*on_batch)(void *arg));

/** To be named to net_steer_open(), and to nobody else. */
int net_udp_fd(const struct net_udp *u);
