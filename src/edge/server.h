/* SPDX-License-Identifier: ISC */
/**
 * The responder itself: its sockets, on the loop of net/.
 *
 * On every address: SIP over UDP and TCP on three ports (standard,
 * alternative, and a twin that no ALG expects), SIP over TLS, STUN over UDP
 * and TCP; the control session over TLS on the TLS port and on the twin.
 * Besides, any list of services: what a profile asks of its hosts, and whole
 * ranges of ports, each on one socket where the kernel lets us (net/steer.h).
 */
#pragma once

#include "edge/dns.h"
#include "edge/flow.h"
#include "wire/hash.h"

enum {
	EDGE_LISTEN_MAX = 64, /**< addresses */
	EDGE_CONNS_MAX = 4096,
	EDGE_CONNS_PER_SOURCE = 512,
	/** Of these, to ports of ranges, which are asked by the thousand */
	EDGE_VISITS_MAX = 2048,
	EDGE_VISITS_PER_SOURCE = 1024,
	EDGE_CONN_IDLE_S = 120,
	EDGE_BRIEF_IDLE_S = 15, /**< of HTTP, XMPP, DNS and a range's ports */
	/** For a message to become whole, and for all of an XMPP stream */
	EDGE_MESSAGE_S = 20,
	EDGE_SINGLE_PORTS = 32, /**< a range of more is a range */
	/** Ports of all ranges together, where each takes a socket */
	EDGE_SOCKET_PORTS_MAX = 4096,
};

struct edge_ports {
	uint16_t sip, sip_alt, tls, stun, control; /**< 0: any free one */
};

/** What to answer besides. */
struct edge_service {
	struct addr at; /**< without port; ADDR_NONE: every address of `at` */
	bool is_tcp;    /**< else UDP */
	uint16_t first, last;
	unsigned speaks; /**< EDGE_SIP... */
};

/** How the ports of ranges reach their socket. */
enum edge_range_way {
	EDGE_RANGE_AUTO, /**< the first of these that works */
	EDGE_RANGE_SK_LOOKUP,
	EDGE_RANGE_TPROXY,
	EDGE_RANGE_SOCKETS, /**< one each, as many as fit */
	EDGE_RANGE_NONE,    /**< there is no range */
};

struct edge_server_conf {
	struct addr at[EDGE_LISTEN_MAX]; /**< ports do not count */
	size_t n_at;
	bool skips_absent; /**< go on without an address that the host lacks */
	struct edge_ports ports;
	const char *cert_file, *key_file; /**< both NULL: self-signed */
	const char *name; /**< of Server and of the certificate; not NULL */
	const struct edge_service *services; /**< borrowed until it is open */
	size_t n_services;
	enum edge_range_way range_way; /**< not EDGE_RANGE_NONE */
	struct edge_zone zone;         /**< of EDGE_DNS; must outlive it */
	uint8_t secret[WIRE_SECRET_BYTES];
};

/** Since the start. */
struct edge_counts {
	uint64_t datagrams, messages; /**< in, by UDP and by streams */
	uint64_t answers, mirrors;    /**< out; mirrors are also answers */
	uint64_t limited;             /**< answers withheld by the limits */
	uint64_t refused;             /**< connections, likewise */
	uint64_t sessions;            /**< opened */
	uint64_t sends;               /**< SEND and SHOOT that left */
};

struct edge_server;

/**
 * Open everything. Call net_open() before, net_run() after.
 *
 * @param sp      Out; untouched unless 0 is returned. Release:
 *                edge_server_free().
 * @param failed  Out, on error: the address and port that could not be
 *                opened, or ADDR_NONE when it was something else
 *
 * @return 0, EINVAL (no address, a bad name, one TLS file without the other),
 *         ENOMEM, EADDRINUSE, EADDRNOTAVAIL, EACCES, EMFILE, or those of
 *         net_tls_server_alloc()
 */
WARN_UNUSED int edge_server_alloc(struct edge_server **sp, struct addr *failed,
                                  const struct edge_server_conf *conf);

/** NULL is fine. */
void edge_server_free(struct edge_server *s);

/** Those in use, also where the configuration said 0. */
struct edge_ports edge_server_ports(const struct edge_server *s);

/**
 * How the ranges are answered.
 *
 * @param n_ports  Out: of each range and address so many ports, from its
 *                 first, have a socket; 0: all ports are answered
 */
enum edge_range_way edge_server_ranges(size_t *n_ports,
                                       const struct edge_server *s);

/** "sk_lookup", "tproxy", "sockets", "none" or "auto". */
const char *edge_range_way_name(enum edge_range_way way);

/** SHA-256 of the certificate. @return 0 or EINVAL */
WARN_UNUSED int edge_server_fingerprint(const struct edge_server *s,
                                        uint8_t out[WIRE_SHA256_BYTES]);

struct edge_counts edge_server_counts(const struct edge_server *s);
