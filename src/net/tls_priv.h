/* SPDX-License-Identifier: ISC */
/** For stream.c and listener.c only. */
#pragma once

#include "net/tls.h"

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */

struct net_tls {
	struct ssl_ctx_st *ctx;
	bool is_server;
	char *name; /**< SNI; NULL: none */
};
