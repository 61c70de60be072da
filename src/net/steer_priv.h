/* SPDX-License-Identifier: ISC */
/** The two ways, for steer.c only. */
#pragma once

#include "net/steer.h"

struct nft_ctx; /* libnftables */

struct net_steer {
	int prog_fd, map_fd, link_fd; /* sk_lookup; -1: none */
	struct nft_ctx *nft;          /* tproxy; NULL: none */
};

/** As net_steer_open(), which has checked @p conf. Fills in @p s, also half
 *  of it on error: the caller closes. */
WARN_UNUSED int net_steer_lookup(struct net_steer *s,
                                 const struct net_steer_conf *conf);
WARN_UNUSED int net_steer_tproxy(struct net_steer *s,
                                 const struct net_steer_conf *conf);

void net_steer_tproxy_close(struct net_steer *s);
