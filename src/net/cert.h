/* SPDX-License-Identifier: ISC */
/**
 * The certificate that a TLS server showed, and everything that is wrong with
 * it (RFC 5280, RFC 9525): all faults, not the first one, because a clock
 * that is off must not hide an interceptor.
 */
#pragma once

#include "base/arena.h"
#include "net/stream.h"

enum net_cert_fault {
	NET_CERT_UNTRUSTED = 1 << 0,   /**< no way to a root that this system
	                                    trusts */
	NET_CERT_SELF_SIGNED = 1 << 1, /**< its own issuer; also UNTRUSTED
	                                    unless it is itself a root here */
	NET_CERT_EXPIRED = 1 << 2,     /**< it, or one above it */
	NET_CERT_NOT_YET = 1 << 3,     /**< valid from later on: it, or one
	                                    above it */
	NET_CERT_NAME = 1 << 4,        /**< not for the host asked for */
	NET_CERT_OTHER = 1 << 5,       /**< see `why` */
};

/** Texts live in the arena. */
struct net_cert {
	const char *subject, *issuer; /**< RFC 2253, one line, escaped */
	const char *issuer_name;  /**< its organisation, or common name; "" */
	const char *root;         /**< subject of the chain's last; "" */
	const char *const *names; /**< DNS names and addresses it is for */
	size_t n_names;
	int64_t from_s, to_s; /**< validity, seconds since 1970, UTC */
	int64_t chain_from_s, chain_to_s; /**< when all of the chain is valid */
	uint8_t fingerprint[32];          /**< SHA-256 of the DER certificate */
	uint8_t key_pin[32]; /**< SHA-256 of its public key (RFC 7469) */
	size_t n_chain;      /**< certificates that the server sent */
	unsigned faults;     /**< NET_CERT_* bits; 0: good */
	const char *why;     /**< OpenSSL's words for the first fault; "" */
};

enum {
	NET_CERT_NAMES_MAX = 64, /**< names kept */
};

/**
 * Look at what a stream's peer showed.
 *
 * @param c     Out; untouched unless 0 is returned.
 * @param host  Whom the client meant: a name, or a numeric address; NULL: any
 * @param at_s  The time that validity is judged at, seconds since 1970
 *
 * The roots are the system's, or what SSL_CERT_FILE and SSL_CERT_DIR name.
 *
 * @return 0, ENOENT (plain, before the handshake, or it showed none), ENOMEM
 */
WARN_UNUSED int net_cert_read(struct net_cert *c, struct arena *a,
                              const struct net_stream *s, const char *host,
                              int64_t at_s);
