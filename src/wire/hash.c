/* SPDX-License-Identifier: ISC */
/*
 * Design: OpenSSL's EVP and HMAC() allocate for every digest, which a packet
 * path may not do. Its low-level SHA-256 works on the stack and cannot fail;
 * OpenSSL calls it deprecated, but keeps it, and HMAC over it is ten lines.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "wire/hash.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

enum {
	IPAD = 0x36,
	OPAD = 0x5c,
};

static void start(SHA256_CTX *ctx, const uint8_t secret[WIRE_SECRET_BYTES],
                  uint8_t pad)
{
	uint8_t block[SHA256_CBLOCK];

	memset(block, pad, sizeof(block));
	for (size_t i = 0; i < WIRE_SECRET_BYTES; i++)
		block[i] ^= secret[i];
	SHA256_Init(ctx);
	SHA256_Update(ctx, block, sizeof(block));
	OPENSSL_cleanse(block, sizeof(block));
}

void wire_sha256(uint8_t digest[WIRE_SHA256_BYTES], struct slice in)
{
	SHA256_CTX ctx;

	SHA256_Init(&ctx);
	SHA256_Update(&ctx, in.p, in.n);
	SHA256_Final(digest, &ctx);
}

void wire_hmac_sha256(uint8_t mac[WIRE_SHA256_BYTES],
                      const uint8_t secret[WIRE_SECRET_BYTES], struct slice in)
{
	uint8_t inner[WIRE_SHA256_BYTES];
	SHA256_CTX ctx;

	start(&ctx, secret, IPAD);
	SHA256_Update(&ctx, in.p, in.n);
	SHA256_Final(inner, &ctx);

	start(&ctx, secret, OPAD);
	SHA256_Update(&ctx, inner, sizeof(inner));
	SHA256_Final(mac, &ctx);
	OPENSSL_cleanse(&ctx, sizeof(ctx));
}
