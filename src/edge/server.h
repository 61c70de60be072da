/* SPDX-License-Identifier: ISC */
/**
 * The responder itself: its sockets, on the loop of net/.
 *
 * On every address: SIP over UDP and TCP on three ports (standard,
 * alternative, and a twin that no ALG expects), SIP over TLS, STUN over UDP
 * and TCP; the control session over TLS on the TLS port and on the twin.
 */
#pragma once

#include "wire/hash.h"
#include "wire/place.h"

enum {
	EDGE_LISTEN_MAX = 8, /**< addresses */
	EDGE_CONNS_MAX = 1024,
	EDGE_CONNS_PER_SOURCE = 48,
	EDGE_CONN_IDLE_S = 120,
};

struct edge_ports {
	uint16_t sip, sip_alt, tls, stun, control; /**< 0: any free one */
};

struct edge_server_conf {
	struct addr at[EDGE_LISTEN_MAX]; /**< ports do not count */
	size_t n_at;
	bool skips_absent; /**< go on without an address that the host lacks */
	struct edge_ports ports;
	const char *cert_file, *key_file; /**< both NULL: self-signed */
	const char *name; /**< of Server and of the certificate; not NULL */
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

/** SHA-256 of the certificate. @return 0 or EINVAL */
WARN_UNUSED int edge_server_fingerprint(const struct edge_server *s,
                                        uint8_t out[WIRE_SHA256_BYTES]);

struct edge_counts edge_server_counts(const struct edge_server *s);
