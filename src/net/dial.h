/* SPDX-License-Identifier: ISC */
/** For stream.c only: the sockets of a TCP connection until one is open. */
#pragma once

#include "net/stream.h"

struct net_dial;

/** Once. @param fd  open, and the callee's; -1 with @p err. The dial may be
 *  freed. */
typedef void net_dial_fn(void *arg, int fd, int err);

/**
 * @param dp     Out; untouched unless 0 is returned. Release: net_dial_free().
 * @param op     Filled while it goes on; must outlive the dial.
 * @param fn     Never before this returns
 *
 * @return as net_stream_connect_as()
 */
WARN_UNUSED int net_dial_start(struct net_dial **dp, const struct addr *to,
                               const struct net_stream_conf *conf,
                               struct net_stream_opening *op, net_dial_fn *fn,
                               void *arg);

/** NULL is fine. Also inside its callback. */
void net_dial_free(struct net_dial *d);

/** As net_stream_set_ttl(), of an open socket to @p to. */
WARN_UNUSED int net_dial_set_ttl(int fd, const struct addr *to, int ttl);

/** No answer has come, and every SYN that was repeated was kept back by this
 *  computer's own filter. */
bool net_dial_is_kept_here(const struct net_dial *d);
