/* SPDX-License-Identifier: ISC */
/** Transport addresses: IPv4 or IPv6 and a port; and prefixes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/cursor.h"

enum addr_family {
	ADDR_NONE = 0,
	ADDR_IP4 = 4,
	ADDR_IP6 = 6,
};

enum {
	ADDR_TEXT_BYTES = 64, /**< room for any addr_*_text(), with its NUL */
};

/** Zero-initialised: no address. An IPv4-mapped IPv6 address is IPv4. */
struct addr {
	enum addr_family family;
	uint8_t ip[16]; /**< network order; 4 or 16 bytes count, others 0 */
	uint16_t port;  /**< host order; 0: none */
};

struct prefix {
	struct addr net; /**< host bits and port are 0 */
	unsigned n_bits; /**< 0..32 or 0..128 */
};

/** The bytes of the IP address: 4 or 16, or 0 for ADDR_NONE. */
struct slice addr_ip(const struct addr *a);

/**
 * Read a numeric IP address, without a port: "192.0.2.1", "2001:db8::1",
 * "[2001:db8::1]".
 *
 * @param a  Out; untouched unless 0 is returned. Its port is 0.
 *
 * @return 0, or EBADMSG: not a numeric address
 */
WARN_UNUSED int addr_parse(struct addr *a, struct slice text);

/** As addr_parse(), with a port required: "192.0.2.1:5060", "[::1]:53". */
WARN_UNUSED int addr_parse_port(struct addr *a, struct slice text);

/** "192.0.2.0/24", or an address alone (its full length). Host bits set are
 *  EBADMSG. */
WARN_UNUSED int prefix_parse(struct prefix *p, struct slice text);

/** Without the port and without brackets. @return @p buf. */
char *addr_ip_text(const struct addr *a, char buf[ADDR_TEXT_BYTES]);

/** "192.0.2.1:5060" or "[2001:db8::1]:5060". @return @p buf. */
char *addr_text(const struct addr *a, char buf[ADDR_TEXT_BYTES]);

bool addr_ip_eq(const struct addr *a, const struct addr *b);

/** Same IP and same port. */
bool addr_eq(const struct addr *a, const struct addr *b);

/** Same IPv4 address, or same IPv6 /64: whoever has one address of a /64 has
 *  them all. For limits per source; ADDR_NONE is nobody's. */
bool addr_is_same_source(const struct addr *a, const struct addr *b);

bool prefix_has(const struct prefix *p, const struct addr *a);

/** RFC 1918, RFC 4193 or link-local. */
bool addr_is_private(const struct addr *a);

/** RFC 6598: 100.64.0.0/10, a carrier's own NAT. */
bool addr_is_cgnat(const struct addr *a);

/** RFC 5737, RFC 3849 and RFC 2544 space: documentation and benchmarks. */
bool addr_is_documentation(const struct addr *a);

bool addr_is_loopback(const struct addr *a);

/** 0.0.0.0 or [::], to be bound to; not ADDR_NONE. */
bool addr_is_wildcard(const struct addr *a);

/** @return bytes of @p ss that count, or 0 for ADDR_NONE. */
socklen_t addr_to_sockaddr(struct sockaddr_storage *ss, const struct addr *a);

/** Other families give ADDR_NONE. */
struct addr addr_from_sockaddr(const struct sockaddr *sa);
