/* SPDX-License-Identifier: ISC */
/** What listener.c and cert.c need of stream.c. */
#pragma once

#include "net/stream.h"

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */
struct ssl_st;     /* OpenSSL's SSL */

/** NULL: plain. Owned by the stream. */
struct ssl_st *net_stream_ssl(const struct net_stream *s);

/** @param err  0: open, and the callee's; else the callee frees it */
typedef void net_stream_ready_fn(void *arg, struct net_stream *s, int err);

/**
 * Adopt an accepted socket.
 *
 * @param fd     Taken over on success only
 * @param ctx    NULL: plain, and @p ready comes before this returns
 * @param sniff  The first byte tells whether it is TLS
 * @param ready  Once, unless the stream is freed before
 */
WARN_UNUSED int net_stream_accept(struct net_stream **sp, int fd,
                                  const struct addr *peer,
                                  struct ssl_ctx_st *ctx, bool sniff,
                                  net_stream_ready_fn *ready, void *arg);
