/* SPDX-License-Identifier: ISC */
/**
 * DNS asked directly (RFC 1035, RFC 2782, RFC 3403): one server, one
 * question, and what became of it: how many datagrams it took, how long, who
 * refused. UDP, and TCP when the answer was truncated. /etc/hosts and the
 * search list are not looked at: that is for whoever wants what the system
 * would do (net/resolve.h, and net_dns_conf here).
 */
#pragma once

#include "base/addr.h"

enum net_dns_type {
	NET_DNS_A = 1,
	NET_DNS_CNAME = 5,
	NET_DNS_AAAA = 28,
	NET_DNS_SRV = 33,
	NET_DNS_NAPTR = 35,
};

enum {
	NET_DNS_NAME_BYTES = 254, /**< as text, with its NUL */
	NET_DNS_TEXT_BYTES = 256, /**< a character-string, with its NUL */
	NET_DNS_RECORDS_MAX = 64, /**< kept of one answer */
	NET_DNS_PORT = 53,
	NET_DNS_NXDOMAIN = 3, /**< rcode: there is no such name */
};

/** A record. Names are as they came, without the last dot. */
struct net_dns_record {
	uint16_t type;      /**< NET_DNS_*; others are not kept */
	bool is_additional; /**< from the additional section */
	uint32_t ttl_s;
	char name[NET_DNS_NAME_BYTES];
	struct addr addr;                /**< A, AAAA; port 0 */
	uint16_t order;                  /**< NAPTR order; SRV priority */
	uint16_t preference;             /**< NAPTR preference; SRV weight */
	uint16_t port;                   /**< SRV */
	char target[NET_DNS_NAME_BYTES]; /**< SRV target, NAPTR replacement,
	                                      CNAME's name; "": the root */
	char flags[NET_DNS_TEXT_BYTES], services[NET_DNS_TEXT_BYTES];
	char regexp[NET_DNS_TEXT_BYTES]; /**< NAPTR */
};

struct net_dns_msg {
	uint16_t id;
	bool is_answer, is_authoritative, is_truncated, has_recursion;
	uint8_t rcode;
	char question[NET_DNS_NAME_BYTES]; /**< "" when there is none */
	uint16_t question_type;
	struct net_dns_record *records; /**< in their order */
	size_t n_records;
};

/**
 * Decode a message (a datagram, or what follows the length over TCP).
 *
 * @param m  Out; untouched unless 0 is returned. Release: net_dns_msg_fini().
 *
 * @return 0, EBADMSG or ENOMEM
 */
WARN_UNUSED int net_dns_decode(struct net_dns_msg *m, struct slice in);

void net_dns_msg_fini(struct net_dns_msg *m);

/** Put a recursive question. @return 0, EINVAL (not a name) or ENOMEM */
WARN_UNUSED int net_dns_encode(struct wr *w, uint16_t id, const char *name,
                               enum net_dns_type type);

/** What became of a question. Borrowed: valid during the callback only. */
struct net_dns_answer {
	const char *name;
	enum net_dns_type type;
	struct addr server;
	const struct net_dns_msg *msg; /**< NULL: none, see `err`; with an
	                                    `err`: truncated, and TCP failed */
	int err; /**< 0; ETIMEDOUT: silence; ECONNREFUSED, EHOSTUNREACH...:
	              refused, see `offender`; EBADMSG: not an answer to this
	              question; EPERM, ENETUNREACH...: not let out */
	struct addr offender; /**< who sent the ICMP error; else ADDR_NONE */
	uint8_t icmp_type, icmp_code;
	unsigned n_sent;       /**< datagrams */
	bool is_udp_truncated; /**< so TCP was asked */
	bool is_tcp;           /**< the answer came by TCP */
	int64_t rtt_ns;  /**< from the datagram that was answered, or from the
	                      question over TCP; 0: no answer */
	int64_t took_ns; /**< from the first datagram to the end */
	int ttl;         /**< of the answer's datagram; -1: unknown */
};

typedef void net_dns_fn(void *arg, const struct net_dns_answer *a);

struct net_dns;

/**
 * Ask one server. Datagrams leave at 0, 1/8, 2/8, 4/8 of the patience, which
 * bounds the whole, TCP too.
 *
 * @param dp     Out; untouched unless 0 is returned. Release: net_dns_free().
 * @param server With its port; 0: NET_DNS_PORT
 * @param name   Copied; absolute, whether it ends with a dot or not
 * @param fn     Once, in the loop, never before this returns. May free.
 *
 * @return 0, EINVAL (not a name, no server), EPERM (the guard), ENOMEM,
 *         EMFILE, EAFNOSUPPORT
 */
WARN_UNUSED int net_dns_ask(struct net_dns **dp, const struct addr *server,
                            const char *name, enum net_dns_type type,
                            int64_t patience_ns, net_dns_fn *fn, void *arg);

/** The same by TCP alone: one connection, no repetition. */
WARN_UNUSED int net_dns_ask_tcp(struct net_dns **dp, const struct addr *server,
                                const char *name, enum net_dns_type type,
                                int64_t patience_ns, net_dns_fn *fn, void *arg);

/** NULL is fine. */
void net_dns_free(struct net_dns *d);

/* What the system would do: resolv.conf(5), hosts(5). */

enum {
	NET_DNS_SERVERS_MAX = 3, /**< as glibc's MAXNS */
	NET_DNS_SEARCH_MAX = 8,
};

struct net_dns_conf {
	struct addr servers[NET_DNS_SERVERS_MAX]; /**< with port 53 */
	size_t n_servers;
	size_t n_skipped; /**< server lines that are beyond those, or not
	                       understood (a link-local zone) */
	char search[NET_DNS_SEARCH_MAX][NET_DNS_NAME_BYTES];
	size_t n_search;
	unsigned n_dots; /**< names with fewer dots try the search first */
	unsigned timeout_s, attempts;
};

/** Never fails: what is not understood is passed over, as glibc does. */
void net_dns_conf_read(struct net_dns_conf *c, struct slice text);

/** /etc/resolv.conf. @return 0, ENOENT, EACCES, ENOMEM or another errno */
WARN_UNUSED int net_dns_conf_load(struct net_dns_conf *c, const char *path);

/**
 * Addresses that a hosts file gives for a name.
 *
 * @return how many were written, at most @p max
 */
size_t net_dns_hosts_find(struct addr *out, size_t max, struct slice text,
                          const char *name);

/** The same of a file; /etc/hosts. @return 0, ENOENT, EACCES, ENOMEM or
 *  another errno; @p n is untouched then */
WARN_UNUSED int net_dns_hosts_load(struct addr *out, size_t max, size_t *n,
                                   const char *path, const char *name);
