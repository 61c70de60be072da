/* SPDX-License-Identifier: ISC */
/*
 * Design: the system's resolver, because the question is where this host's
 * telephones would end up: /etc/hosts, split DNS and a router that lies are
 * part of the answer. Questions about DNS itself are a probe's.
 */
#include "net/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "net/guard.h"

enum {
	MAX_NAME_BYTES = 253, /* RFC 1035 section 2.3.4, as text */
};

static int errno_of(int gai)
{
	switch (gai) {
	case EAI_NONAME:
#ifdef EAI_NODATA
	case EAI_NODATA:
#endif
#ifdef EAI_ADDRFAMILY
	case EAI_ADDRFAMILY:
#endif
		return ENOENT;
	case EAI_AGAIN:
	case EAI_FAIL:
		return EAGAIN;
	case EAI_MEMORY:
		return ENOMEM;
	case EAI_SYSTEM:
		return errno;
	default:
		return EINVAL;
	}
}

static bool is_wanted(const struct addr *a, enum addr_family want)
{
	return a->family != ADDR_NONE &&
	       (want == ADDR_NONE || a->family == want);
}

static size_t collect(struct addr *out, size_t max, const struct addrinfo *ai,
                      enum addr_family want)
{
	size_t n = 0;

	for (; ai && n < max; ai = ai->ai_next) {
		struct addr a = addr_from_sockaddr(ai->ai_addr);
		size_t i = 0;

		while (i < n && !addr_ip_eq(&out[i], &a))
			i++;
		if (i == n && is_wanted(&a, want))
			out[n++] = a;
	}
	return n;
}

static int look_up(struct addr *out, size_t max, size_t *n, const char *name,
                   enum addr_family want)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC,
	                         .ai_socktype = SOCK_DGRAM};
	struct addrinfo *ai = NULL;
	size_t got;
	int gai;

	if (want != ADDR_NONE)
		hints.ai_family = want == ADDR_IP4 ? AF_INET : AF_INET6;
	gai = getaddrinfo(name, NULL, &hints, &ai);
	if (gai)
		return errno_of(gai);
	got = collect(out, max, ai, want);
	freeaddrinfo(ai);
	if (got == 0)
		return ENOENT;
	*n = got;
	return 0;
}

int net_resolve(struct addr *out, size_t max, size_t *n, struct slice host,
                enum addr_family want)
{
	char name[MAX_NAME_BYTES + 1];
	struct addr a;

	if (max == 0)
		return EINVAL;
	if (addr_parse(&a, host) == 0) {
		if (!is_wanted(&a, want))
			return ENOENT;
		out[0] = a;
		*n = 1;
		return 0;
	}
	if (host.n == 0 || host.n >= sizeof(name) ||
	    memchr(host.p, '\0', host.n))
		return EBADMSG;
	if (net_guard_is_on())
		return EPERM;
	memcpy(name, host.p, host.n);
	name[host.n] = '\0';
	return look_up(out, max, n, name, want);
}
