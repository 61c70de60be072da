/* SPDX-License-Identifier: ISC */
/*
 * Design: the integrity is computed over a message whose length field counts
 * up to the attribute itself, whatever follows (section 14.5). A builder's
 * message is in that state once a placeholder is written; a received one is
 * hashed with its header patched in a copy of those 20 bytes.
 */
#include "stun/auth.h"

#include <errno.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/text.h"

enum {
	ATTR_HDR_BYTES = 4,
	PAD_MASK = 3,
	LENGTH_AT = 2,
	SHA1_BYTES = 20,
	SHA256_BYTES = 32,
	ALGORITHMS_MAX_BYTES = 256,
	/* section 9.2: a nonce that starts so carries 24 bits of promises */
	COOKIE_BYTES = 9,
	FEATURES_CHARS = 4,
};

static const struct integrity {
	uint16_t type;
	const char *digest;
	size_t n_bytes;
} integrities[] = {
	[STUN_INTEGRITY_SHA1] = {STUN_ATTR_MESSAGE_INTEGRITY, "SHA1",
                                 SHA1_BYTES},
	[STUN_INTEGRITY_SHA256] = {STUN_ATTR_MESSAGE_INTEGRITY_SHA256,
                                   "SHA2-256", SHA256_BYTES},
};

int stun_key_make(struct stun_key *key, enum stun_algorithm algorithm,
                  struct slice user, struct slice realm, struct slice password)
{
	const struct slice parts[] = {user, slice_str(":"), realm,
	                              slice_str(":"), password};
	const EVP_MD *md = NULL;
	uint8_t out[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *ctx;
	unsigned n = 0;
	bool is_ok;

	if (algorithm == STUN_ALGORITHM_MD5)
		md = EVP_md5();
	else if (algorithm == STUN_ALGORITHM_SHA256)
		md = EVP_sha256();
	if (!md)
		return ENOTSUP;
	ctx = EVP_MD_CTX_new();
	is_ok = ctx && EVP_DigestInit_ex(ctx, md, NULL) == 1;
	for (size_t i = 0; is_ok && i < ARRAY_LEN(parts); i++)
		is_ok = EVP_DigestUpdate(ctx, parts[i].p, parts[i].n) == 1;
	is_ok = is_ok && EVP_DigestFinal_ex(ctx, out, &n) == 1;
	EVP_MD_CTX_free(ctx);
	if (!is_ok || n > sizeof(key->bytes))
		return ENOMEM;
	memcpy(key->bytes, out, n);
	key->n = n;
	return 0;
}

/* Over @p covered as if its length field said @p len. */
static int hmac(uint8_t out[EVP_MAX_MD_SIZE], const struct integrity *kind,
                const struct stun_key *key, struct slice covered, uint16_t len)
{
	char digest[16];
	OSSL_PARAM params[2] = {{0}};
	struct slice rest = slice_sub(covered, STUN_HDR_BYTES, SIZE_MAX);
	uint8_t head[STUN_HDR_BYTES];
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
	size_t n = 0;
	bool is_ok;

	memcpy(digest, kind->digest, strlen(kind->digest) + 1);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
	                                             digest, 0);
	params[1] = OSSL_PARAM_construct_end();
	memcpy(head, covered.p, sizeof(head));
	head[LENGTH_AT] = (uint8_t)(len >> 8);
	head[LENGTH_AT + 1] = (uint8_t)len;
	is_ok = ctx && EVP_MAC_init(ctx, key->bytes, key->n, params) == 1 &&
	        EVP_MAC_update(ctx, head, sizeof(head)) == 1 &&
	        EVP_MAC_update(ctx, rest.p, rest.n) == 1 &&
	        EVP_MAC_final(ctx, out, &n, EVP_MAX_MD_SIZE) == 1;
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
	return is_ok && n == kind->n_bytes ? 0 : ENOMEM;
}

void stun_put_integrity(struct wr *w, enum stun_integrity kind,
                        const struct stun_key *key)
{
	const struct integrity *it = &integrities[kind];
	uint8_t mac[EVP_MAX_MD_SIZE] = {0};
	size_t at = w->n;
	struct slice covered;

	stun_put_attr(w, it->type, (struct slice){mac, it->n_bytes});
	if (w->bad)
		return;
	covered = slice_sub(wr_slice(w), 0, at);
	if (hmac(mac, it, key, covered, (uint16_t)(w->n - STUN_HDR_BYTES))) {
		w->bad = true;
		return;
	}
	memcpy(w->p + at + ATTR_HDR_BYTES, mac, it->n_bytes);
}

int stun_msg_integrity(const struct stun_msg *msg, enum stun_integrity kind,
                       const struct stun_key *key)
{
	const struct integrity *it = &integrities[kind];
	uint8_t mac[EVP_MAX_MD_SIZE];
	struct slice val;
	size_t at;
	int err;

	err = stun_msg_attr(&val, msg, it->type);
	if (err)
		return err;
	/* section 14.6 allows a truncated SHA-256; nobody needs it */
	if (val.n != it->n_bytes)
		return EBADMSG;
	at = (size_t)(val.p - msg->bytes.p) - ATTR_HDR_BYTES;
	err = hmac(mac, it, key, slice_sub(msg->bytes, 0, at),
	           (uint16_t)(at + ATTR_HDR_BYTES + val.n - STUN_HDR_BYTES));
	if (err)
		return err;
	return CRYPTO_memcmp(mac, val.p, val.n) ? EBADMSG : 0;
}

static bool promises_algorithms(struct slice nonce)
{
	uint8_t bits[FEATURES_CHARS];
	struct wr w = wr_init(bits, sizeof(bits));

	if (!slice_eq_str(slice_sub(nonce, 0, COOKIE_BYTES), "obMatJos2") ||
	    text_base64_read(&w,
	                     slice_sub(nonce, COOKIE_BYTES, FEATURES_CHARS)) ||
	    w.n != 3)
		return false;
	/* bit 0 is the most significant of the 24 (section 18.1) */
	return bits[0] & 0x80;
}

/* The strongest of a list; sizes were checked by the reader. */
static int choose(struct stun_challenge *c)
{
	struct rd r = rd_init(c->algorithms);
	bool is_found = false;

	while (r.left && !r.bad) {
		uint16_t id = rd_u16(&r);
		uint16_t n = rd_u16(&r);

		(void)rd_take(&r, n);
		(void)rd_take(&r, -(unsigned)n & PAD_MASK);
		if (r.bad ||
		    (id != STUN_ALGORITHM_MD5 && id != STUN_ALGORITHM_SHA256))
			continue;
		if (!is_found || id == STUN_ALGORITHM_SHA256)
			c->algorithm = (enum stun_algorithm)id;
		is_found = true;
	}
	if (r.bad)
		return EBADMSG;
	return is_found ? 0 : ENOTSUP;
}

int stun_msg_challenge(struct stun_challenge *c, const struct stun_msg *msg)
{
	struct stun_challenge out = {.algorithm = STUN_ALGORITHM_MD5,
	                             .integrity = STUN_INTEGRITY_SHA1};
	int err;

	if (stun_msg_attr(&out.realm, msg, STUN_ATTR_REALM) ||
	    stun_msg_attr(&out.nonce, msg, STUN_ATTR_NONCE))
		return ENOENT;
	if (out.realm.n > STUN_REALM_MAX_BYTES ||
	    out.nonce.n > STUN_NONCE_MAX_BYTES)
		return EBADMSG;
	err = stun_msg_attr(&out.algorithms, msg,
	                    STUN_ATTR_PASSWORD_ALGORITHMS);
	if (err && promises_algorithms(out.nonce))
		return EPROTO;
	if (!err) {
		out.integrity = STUN_INTEGRITY_SHA256;
		err = out.algorithms.n > ALGORITHMS_MAX_BYTES ? EBADMSG
		                                              : choose(&out);
		if (err)
			return err;
	}
	*c = out;
	return 0;
}

void stun_put_credentials(struct wr *w, const struct stun_challenge *c,
                          struct slice user)
{
	uint8_t buf[4];
	struct wr chosen = wr_init(buf, sizeof(buf));

	stun_put_attr(w, STUN_ATTR_USERNAME, user);
	stun_put_attr(w, STUN_ATTR_REALM, c->realm);
	stun_put_attr(w, STUN_ATTR_NONCE, c->nonce);
	if (!c->algorithms.p)
		return;
	stun_put_attr(w, STUN_ATTR_PASSWORD_ALGORITHMS, c->algorithms);
	wr_u16(&chosen, (uint16_t)c->algorithm);
	wr_u16(&chosen, 0);
	stun_put_attr(w, STUN_ATTR_PASSWORD_ALGORITHM, wr_slice(&chosen));
}
