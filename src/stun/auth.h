/* SPDX-License-Identifier: ISC */
/**
 * Long-term credentials and message integrity (RFC 8489, sections 9.2, 14.5,
 * 14.6 and 18.5).
 *
 * Pure codec over libcrypto: no sockets, no clock. Fuzzed by
 * fuzz/fuzz_stun_auth.c.
 */
#pragma once

#include "stun/msg.h"

/** How a password becomes a key (section 18.5.1). */
enum stun_algorithm {
	STUN_ALGORITHM_MD5 = 0x0001,
	STUN_ALGORITHM_SHA256 = 0x0002,
};

enum {
	STUN_KEY_MAX_BYTES = 32,
	STUN_NONCE_MAX_BYTES = 763, /**< sections 14.9 and 14.10 */
	STUN_REALM_MAX_BYTES = 763,
};

/** Which of the two attributes is written or looked for. */
enum stun_integrity {
	STUN_INTEGRITY_SHA1,
	STUN_INTEGRITY_SHA256,
};

struct stun_key {
	uint8_t bytes[STUN_KEY_MAX_BYTES];
	size_t n;
};

/**
 * The key of a user in a realm. The password is taken as it is: profiles of
 * RFC 8265 other than ASCII are the caller's.
 *
 * @param key  Out; untouched unless 0 is returned
 *
 * @return 0, ENOTSUP (no such algorithm) or ENOMEM
 */
WARN_UNUSED int stun_key_make(struct stun_key *key,
                              enum stun_algorithm algorithm, struct slice user,
                              struct slice realm, struct slice password);

/** Add it to a message being built; only FINGERPRINT, or the SHA-256 kind
 *  after the other, may follow. Without memory @p w becomes bad. */
void stun_put_integrity(struct wr *w, enum stun_integrity kind,
                        const struct stun_key *key);

/**
 * Check it.
 *
 * @return 0, ENOENT (it has none), EBADMSG (wrong or malformed) or ENOMEM
 */
WARN_UNUSED int stun_msg_integrity(const struct stun_msg *msg,
                                   enum stun_integrity kind,
                                   const struct stun_key *key);

/** What a server asks for in its 401 or 438. Slices borrow from it. */
struct stun_challenge {
	struct slice realm, nonce;
	struct slice algorithms; /**< PASSWORD-ALGORITHMS, to be sent back as it
	                              is; p = NULL: it offered none */
	enum stun_algorithm algorithm; /**< the best that it offers */
	enum stun_integrity integrity; /**< the only kind that it takes */
};

/**
 * Read the challenge of a 401 or 438 (section 9.2.5).
 *
 * @param c  Out; untouched unless 0 is returned. Borrows from @p msg.
 *
 * @return 0, or
 *         ENOENT   no realm or no nonce
 *         EBADMSG  too long, or a malformed list of algorithms
 *         EPROTO   its nonce promises algorithms that are missing: a box on
 *                  the way has removed them (section 9.2.1)
 *         ENOTSUP  none of its algorithms is known
 */
WARN_UNUSED int stun_msg_challenge(struct stun_challenge *c,
                                   const struct stun_msg *msg);

/** The attributes that answer a challenge, in the order that section 9.2.3
 *  wants: all but the integrity. */
void stun_put_credentials(struct wr *w, const struct stun_challenge *c,
                          struct slice user);
