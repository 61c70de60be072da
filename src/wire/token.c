/* SPDX-License-Identifier: ISC */
#include "wire/token.h"

#include <string.h>

#include <openssl/crypto.h>

#include "base/text.h"
#include "wire/text.h"

enum {
	VERSION = 1,
	SIGNED_BYTES = 2 + 16 + 4,
};

static const char prefix[] = "ptk1";

static void sign(uint8_t mac[WIRE_TOKEN_MAC_BYTES],
                 const uint8_t secret[WIRE_SECRET_BYTES], const struct addr *ip,
                 uint32_t expiry_s)
{
	uint8_t text[SIGNED_BYTES], whole[WIRE_SHA256_BYTES];
	struct wr w = wr_init(text, sizeof(text));

	wr_u8(&w, VERSION);
	wr_u8(&w, (uint8_t)ip->family);
	wr_put(&w, (struct slice){ip->ip, sizeof(ip->ip)});
	wr_u32(&w, expiry_s);
	wire_hmac_sha256(whole, secret, wr_slice(&w));
	memcpy(mac, whole, WIRE_TOKEN_MAC_BYTES);
}

void wire_token_make(struct wire_token *t,
                     const uint8_t secret[WIRE_SECRET_BYTES],
                     const struct addr *ip, int64_t wall_s)
{
	t->expiry_s = (uint32_t)(wall_s + WIRE_TOKEN_LIFE_S);
	sign(t->mac, secret, ip, t->expiry_s);
}

bool wire_token_check(const struct wire_token *t,
                      const uint8_t secret[WIRE_SECRET_BYTES],
                      const struct addr *ip, int64_t wall_s)
{
	uint8_t mac[WIRE_TOKEN_MAC_BYTES];

	if (ip->family == ADDR_NONE || t->expiry_s < wall_s ||
	    t->expiry_s > wall_s + WIRE_TOKEN_LIFE_S)
		return false;
	sign(mac, secret, ip, t->expiry_s);
	return CRYPTO_memcmp(mac, t->mac, sizeof(mac)) == 0;
}

void wire_token_put(struct wr *w, const struct wire_token *t)
{
	uint8_t raw[WIRE_TOKEN_BYTES];
	struct wr r = wr_init(raw, sizeof(raw));

	wr_u32(&r, t->expiry_s);
	wr_put(&r, (struct slice){t->mac, sizeof(t->mac)});
	wr_str(w, prefix);
	text_hex_put(w, wr_slice(&r));
}

bool wire_token_find(struct wire_token *t, struct slice bytes)
{
	uint8_t raw[WIRE_TOKEN_BYTES];
	struct rd r = rd_init((struct slice){raw, sizeof(raw)});

	if (!wire_text_find(raw, sizeof(raw), prefix, bytes))
		return false;
	t->expiry_s = rd_u32(&r);
	memcpy(t->mac, rd_take(&r, sizeof(t->mac)).p, sizeof(t->mac));
	return true;
}
