/* SPDX-License-Identifier: ISC */
/** For http.c and ws.c: what goes into a request. */
#pragma once

#include <stdbool.h>

#include "base/cursor.h"

/** Not empty, and no blank or control in it. */
bool net_http_is_word(const char *text);

/** `Host:`, with the port unless it is the scheme's own, and brackets around
 *  a numeric IPv6 address (RFC 9110 section 7.2). */
void net_http_host_put(struct wr *w, const char *host, uint16_t port,
                       bool is_tls);
