/* SPDX-License-Identifier: ISC */
/**
 * What every question over TCP or TLS says in the same words: how the
 * connection opened, or why it did not, and the certificate.
 *
 * Fields that are put:
 *   connect_ms   SYN to SYN-ACK (real); absent when the SYN was repeated
 *   hello_ms     ClientHello to the first byte back (real)
 *   tls_version  "TLSv1.3"
 *   tls_alert    that the peer sent (int, RFC 8446 section 6)
 *   tls_failure  "alert", "too-old", "not-tls", "closed", "reset",
 * "certificate" alpn         that the server chose (text) certificate  map:
 * subject, issuer, issuer_name, root (text), names (list of text), from, to
 * (int, seconds since 1970), sha256, key_pin (text, hexadecimal), chain (int:
 * how many were sent), faults (list of "untrusted", "self-signed", "expired",
 * "not-yet", "name", "other"), why (text), is_pinned (bool); clock_behind_s or
 * clock_ahead_s (int): what would have to be wrong with this computer's clock,
 * at least, if only the dates are at fault
 */
#pragma once

#include "net/stream.h"
#include "probe/ask.h"

enum {
	ASK_SECOND_MS = 1000, /**< then a second connection joins */
};

/** First thing in start(). @return false: this run may open no more flows;
 *  the question has ended as ASK_LOCAL, EDQUOT, and start() returns 0 */
bool ask_stream_may(struct ask *a);

/** For net_stream_connect_as(): counts down `flows_left`. */
struct net_stream_conf ask_stream_conf(const struct ask *a);

/** A client's TLS for this target: its name set, @p alpn as in
 *  net_tls_set_alpn(). @return 0, EINVAL or ENOMEM */
WARN_UNUSED int ask_stream_tls(struct net_tls **tp, const struct ask *a,
                               const char *const *alpn);

/** What start() makes of @p err from net_stream_connect_as(),
 *  net_http_get(), net_ws_connect(). @return what start() returns: ENOMEM,
 *  or 0, after any other error with the question ended as ASK_LOCAL */
WARN_UNUSED int ask_stream_began(struct ask *a, int err);

/** In on_open: fields and the layer. @return false: TLS, and its certificate
 *  is not good; `end` is then ASK_BAD_TLS. The question may go on. */
bool ask_stream_opened(struct ask *a, const struct net_stream *s);

/** The same for a handshake on a stream that had been opened, and noted,
 *  before: STARTTLS. */
bool ask_stream_secured(struct ask *a, const struct net_stream *s);

/** In on_close, or when patience ends (@p err ETIMEDOUT): `end`, `layer`,
 *  `error`, `offender`, `n_sent` and fields. The question may know better what
 *  the end is when it is past ASK_LAYER_TLS. */
void ask_stream_failed(struct ask *a, const struct net_stream *s, int err);

/** Fields: a real, in milliseconds; nothing when @p ns is 0. Also for other
 *  questions: keys are literals, texts and bytes are copied. */
void ask_put_ms(struct ask *a, const char *key, int64_t ns);
void ask_put_int(struct ask *a, const char *key, int64_t v);
void ask_put_text(struct ask *a, const char *key, const char *text);
void ask_put_bytes(struct ask *a, const char *key, struct slice bytes);
void ask_put_addr(struct ask *a, const char *key, const struct addr *at);
