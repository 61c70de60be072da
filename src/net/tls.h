/* SPDX-License-Identifier: ISC */
/**
 * TLS contexts for net/stream.h: TLS 1.2 or newer, no session tickets, no
 * renegotiation.
 *
 * A client verifies nothing by itself, and no certificate ends a handshake:
 * net/cert.h says what is wrong with one. Whoever needs to know whom it is
 * talking to compares net_stream_peer_fingerprint() with the fingerprint it
 * was given; a probe wants to see an interceptor's certificate, not to be
 * spared the sight.
 */
#pragma once

#include "base/cursor.h"

enum {
	NET_FINGERPRINT_BYTES = 32, /**< SHA-256 */
};

struct net_tls;

/** Release: net_tls_free(). @return 0 or ENOMEM. */
WARN_UNUSED int net_tls_client_alloc(struct net_tls **tp);

/**
 * The name that a client asks for (SNI, RFC 6066 section 3) on streams
 * connected from now on. A numeric address is not sent; NULL: none.
 *
 * @return 0, EINVAL (longer than 255 bytes or not a client) or ENOMEM
 */
WARN_UNUSED int net_tls_set_name(struct net_tls *tls, const char *host);

/**
 * The application protocols that a client offers (ALPN, RFC 7301), most wanted
 * first; none by default.
 *
 * @param names  "h2", "http/1.1"...; NULL-ended; NULL: none
 *
 * @return 0, EINVAL (a name empty or above 255 bytes, too many, or not a
 *         client) or ENOMEM
 */
WARN_UNUSED int net_tls_set_alpn(struct net_tls *tls, const char *const *names);

/**
 * @param cert_file  PEM, leaf first, then its chain
 * @param key_file   PEM, without a passphrase
 * @param cn         With both files NULL: an EC P-256 key and a self-signed
 *                   certificate of this common name are made in memory
 *
 * @return 0, or
 *         EINVAL   one file without the other, or no name
 *         ENOENT, EACCES  a file cannot be opened
 *         EBADMSG  not a certificate and its key
 *         ENOMEM
 */
WARN_UNUSED int net_tls_server_alloc(struct net_tls **tp, const char *cert_file,
                                     const char *key_file, const char *cn);

/** NULL is fine. Streams and listeners made from it may live on. */
void net_tls_free(struct net_tls *tls);

/** SHA-256 of a server's own DER certificate. @return 0, or EINVAL: a client */
WARN_UNUSED int net_tls_fingerprint(const struct net_tls *tls,
                                    uint8_t out[NET_FINGERPRINT_BYTES]);

/** Issuer of a server's own certificate as one line of printable ASCII (RFC
 *  2253, escaped), cut to what fits. @return @p buf, "" for a client */
char *net_tls_issuer(const struct net_tls *tls, char *buf, size_t n_bytes);
