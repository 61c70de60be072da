/* SPDX-License-Identifier: ISC */
/**
 * Digest authentication (RFC 3261, section 22; RFC 7616; RFC 8760).
 *
 * Pure codec over libcrypto. Fuzzed by fuzz/fuzz_sip_digest.c.
 */
#pragma once

#include "sip/msg.h"

enum sip_digest_algorithm {
	SIP_DIGEST_MD5,
	SIP_DIGEST_MD5_SESS,
	SIP_DIGEST_SHA256,
	SIP_DIGEST_SHA256_SESS,
	SIP_DIGEST_SHA512_256,
	SIP_DIGEST_SHA512_256_SESS,
};

/** "MD5", "SHA-256"...: as it is written in a header. */
const char *sip_digest_name(enum sip_digest_algorithm a);

/** What a server wants to be shown. Borrows from what was read; values are
 *  without their quotes, escapes inside are kept as they came. */
struct sip_challenge {
	struct slice realm, nonce;
	struct slice opaque; /**< p = NULL: none */
	enum sip_digest_algorithm algorithm;
	bool has_qop;  /**< it offers "auth"; else the form of RFC 2069 */
	bool is_stale; /**< the password was right, the nonce too old */
	bool is_proxy; /**< it came as Proxy-Authenticate */
};

/**
 * Read the value of a WWW-Authenticate or Proxy-Authenticate field.
 *
 * @param c  Out; untouched unless 0 is returned. is_proxy stays false.
 *
 * @return 0, or
 *         ENOTSUP  not Digest, an unknown algorithm, or no qop but auth-int
 *         EBADMSG  no realm or no nonce, or not readable
 */
WARN_UNUSED int sip_challenge_read(struct sip_challenge *c, struct slice value);

/**
 * The first challenge of a 401 or 407 that can be answered: servers list
 * them by preference (RFC 8760, section 2.4).
 *
 * @param c  Out; untouched unless 0 is returned.
 *
 * @return 0, ENOENT (there is none), or what made the first unusable
 */
WARN_UNUSED int sip_msg_challenge(struct sip_challenge *c,
                                  const struct sip_msg *m);

/** What proves the password. All borrowed. */
struct sip_digest {
	const struct sip_challenge *challenge;
	struct slice user, password;
	struct slice method, uri; /**< of the request */
	struct slice cnonce;      /**< our own; not needed without qop */
	unsigned nc;              /**< uses of the nonce so far, from 1 */
};

/** Lower-case hexadecimal `response`. @return 0 or ENOMEM */
WARN_UNUSED int sip_digest_response(struct wr *w, const struct sip_digest *d);

/**
 * The whole header line, Authorization or Proxy-Authorization, with its CRLF.
 *
 * @return 0, EINVAL (a control character in what the caller gave) or ENOMEM
 */
WARN_UNUSED int sip_digest_put(struct wr *w, const struct sip_digest *d);
