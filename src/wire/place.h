/* SPDX-License-Identifier: ISC */
/**
 * Where the edge listens and where a peer was seen, on the wire.
 *
 * An address is sent XORed with a fixed mask (as in RFC 8489, section 14.2),
 * so that no middlebox recognises and translates it.
 */
#pragma once

#include "base/addr.h"

enum wire_transport {
	WIRE_UDP = 1,
	WIRE_TCP = 2,
	WIRE_TLS = 3,
};

enum wire_role {
	WIRE_ROLE_SIP = 1,     /**< the standard port: 5060, or 5061 for TLS */
	WIRE_ROLE_SIP_ALT = 2, /**< 5080 */
	WIRE_ROLE_TWIN = 3,    /**< SIP where no ALG expects it */
	WIRE_ROLE_STUN = 4,
	WIRE_ROLE_CONTROL = 5, /**< the control session, always over TLS */
};

enum {
	WIRE_MAX_SERVICES = 16,
	WIRE_SERVICES_MAX_BYTES = 1 + 4 * WIRE_MAX_SERVICES,
	WIRE_ADDR_BYTES = 19,
	WIRE_CALL_MS = 4000, /**< after which the edge ends a call, if nobody
	                          else has */
};

struct wire_service {
	enum wire_transport transport;
	enum wire_role role;
	uint16_t port;
};

struct wire_services {
	size_t n;
	struct wire_service at[WIRE_MAX_SERVICES];
};

/** Exactly WIRE_ADDR_BYTES: family, port and 16 bytes of IP, masked. */
void wire_addr_put(struct wr *w, const struct addr *a);

/** Sets @p r bad on an unknown family; ADDR_NONE is allowed. */
struct addr wire_addr_read(struct rd *r);

/** A count and 4 bytes each. More than WIRE_MAX_SERVICES: sets @p w bad. */
void wire_services_put(struct wr *w, const struct wire_services *s);

/** Sets @p r bad on too many, or on an unknown transport or role. */
void wire_services_read(struct wire_services *s, struct rd *r);

/** "udp", "tcp" or "tls"; "?" for anything else. */
const char *wire_transport_name(enum wire_transport t);
