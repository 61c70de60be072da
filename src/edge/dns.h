/* SPDX-License-Identifier: ISC */
/**
 * DNS for a lab (RFC 1035): the addresses of a few names, with authority,
 * and never anybody else's.
 *
 * Pure: no sockets, no clock, no allocation. Fuzzed by fuzz/fuzz_edge_dns.c.
 */
#pragma once

#include "base/addr.h"

enum {
	EDGE_DNS_PORT = 53,
	EDGE_DNS_UDP_MAX_BYTES = 512,
	EDGE_DNS_TCP_MAX_BYTES = 4096, /**< of an answer; and of a question */
	EDGE_DNS_TTL_S = 30,
	EDGE_DNS_NAME_CHARS = 253,
};

/** A name and one of its addresses; a name may come several times. */
struct edge_name {
	const char *name; /**< without the last dot; case does not count */
	struct addr addr;
};

/** A service record (RFC 2782); each has the same priority and weight. */
struct edge_srv {
	const char *name;   /**< "_sip._udp.example.com" */
	const char *domain; /**< its target, and whose NAPTR record leads to it
	                     */
	const char *naptr;  /**< that record's service: "SIP+D2U"; NULL: none */
	uint16_t port;
};

/** Borrows. */
struct edge_zone {
	const struct edge_name *names;
	size_t n_names;
	const struct edge_srv *srvs;
	size_t n_srvs;
};

/**
 * Answer one message.
 *
 *   a name of the zone           its addresses of the type asked for; SRV of
 *                                a service, NAPTR of a service's domain
 *   a sister of one              NXDOMAIN: some name of the zone has the same
 *                                parent
 *   any other                    REFUSED
 *   what is no query of class IN NOTIMP, FORMERR or silence
 *
 * @param w         The answer is added, or nothing. Its room bounds it: where
 *                  records do not fit, the answer says that it is truncated.
 * @param max_bytes  Of the answer
 */
void edge_dns_answer(struct wr *w, const struct edge_zone *zone,
                     struct slice query, size_t max_bytes);
