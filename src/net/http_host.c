/* SPDX-License-Identifier: ISC */
#include "net/http_host.h"

#include <string.h>

enum {
	HTTP_PORT = 80,
	HTTPS_PORT = 443,
	DELETE = 0x7f,
};

bool net_http_is_word(const char *text)
{
	struct slice s = slice_str(text);

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] == DELETE)
			return false;
	}
	return s.n > 0;
}

void net_http_host_put(struct wr *w, const char *host, uint16_t port,
                       bool is_tls)
{
	const bool is_bare_ip6 = strchr(host, ':') && host[0] != '[';

	wr_fmt(w, is_bare_ip6 ? "[%s]" : "%s", host);
	if (port != (is_tls ? HTTPS_PORT : HTTP_PORT))
		wr_fmt(w, ":%u", (unsigned)port);
}
