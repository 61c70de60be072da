/* SPDX-License-Identifier: ISC */
/**
 * The token: proof that its sender receives at an IP address.
 *
 * Stateless: 16 bytes, an expiry and an HMAC over version, family, IP and
 * expiry under the edge's secret. As text 36 characters, "ptk1" and 32
 * hexadecimal digits. Bound to the IP and not to the port, because a NAT
 * gives every flow another port.
 */
#pragma once

#include "base/addr.h"
#include "wire/hash.h"

enum {
	WIRE_TOKEN_CHARS = 36,
	WIRE_TOKEN_MAC_BYTES = 12,
	WIRE_TOKEN_BYTES = 16, /**< as binary: expiry, then MAC */
	WIRE_TOKEN_LIFE_S = 600,
};

struct wire_token {
	uint32_t expiry_s; /**< wall clock, seconds since 1970 */
	uint8_t mac[WIRE_TOKEN_MAC_BYTES];
};

/** @param wall_s  Now; the token is good for WIRE_TOKEN_LIFE_S more. */
void wire_token_make(struct wire_token *t,
                     const uint8_t secret[WIRE_SECRET_BYTES],
                     const struct addr *ip, int64_t wall_s);

/** Was it made under this secret for this IP, and is it still good? In
 *  constant time. */
bool wire_token_check(const struct wire_token *t,
                      const uint8_t secret[WIRE_SECRET_BYTES],
                      const struct addr *ip, int64_t wall_s);

/** Exactly WIRE_TOKEN_CHARS lower-case characters. */
void wire_token_put(struct wr *w, const struct wire_token *t);

/**
 * Find the first token anywhere in @p bytes; letter case does not count.
 *
 * @param t  Out; untouched when there is none. Not checked.
 */
bool wire_token_find(struct wire_token *t, struct slice bytes);
