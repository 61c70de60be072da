/* SPDX-License-Identifier: ISC */
/** SHA-256 and HMAC-SHA256 (FIPS 180-4, RFC 2104). No allocation, no
 *  failure, safe from any thread: fit for a packet path. */
#pragma once

#include "base/cursor.h"

enum {
	WIRE_SHA256_BYTES = 32,
	WIRE_SECRET_BYTES = 32,
};

void wire_sha256(uint8_t digest[WIRE_SHA256_BYTES], struct slice in);

void wire_hmac_sha256(uint8_t mac[WIRE_SHA256_BYTES],
                      const uint8_t secret[WIRE_SECRET_BYTES], struct slice in);
