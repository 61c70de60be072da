/* SPDX-License-Identifier: ISC */
#include "base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static size_t ip_bytes(const struct addr *a)
{
	switch (a->family) {
	case ADDR_IP4:
		return 4;
	case ADDR_IP6:
		return 16;
	case ADDR_NONE:
		break;
	}
	return 0;
}

struct slice addr_ip(const struct addr *a)
{
	return (struct slice){a->ip, ip_bytes(a)};
}

static void set_ip6(struct addr *a, const uint8_t ip[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (memcmp(ip, mapped, sizeof(mapped)) == 0) {
		a->family = ADDR_IP4;
		memcpy(a->ip, ip + sizeof(mapped), 4);
	} else {
		a->family = ADDR_IP6;
		memcpy(a->ip, ip, 16);
	}
}

int addr_parse(struct addr *a, struct slice text)
{
	char buf[INET6_ADDRSTRLEN];
	struct addr out = {0};
	uint8_t ip[16];

	if (text.n >= 2 && text.p[0] == '[' && text.p[text.n - 1] == ']')
		text = slice_sub(text, 1, text.n - 2);
	if (text.n == 0 || text.n >= sizeof(buf) ||
	    memchr(text.p, '\0', text.n))
		return EBADMSG;
	memcpy(buf, text.p, text.n);
	buf[text.n] = '\0';

	if (inet_pton(AF_INET, buf, ip) == 1) {
		out.family = ADDR_IP4;
		memcpy(out.ip, ip, 4);
	} else if (inet_pton(AF_INET6, buf, ip) == 1) {
		set_ip6(&out, ip);
	} else {
		return EBADMSG;
	}
	*a = out;
	return 0;
}

static int parse_u16(uint16_t *out, struct slice text, uint32_t max)
{
	uint32_t v = 0;

	if (text.n == 0 || text.n > 5)
		return EBADMSG;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return EBADMSG;
		v = v * 10 + (uint32_t)(text.p[i] - '0');
	}
	if (v > max)
		return EBADMSG;
	*out = (uint16_t)v;
	return 0;
}

int addr_parse_port(struct addr *a, struct slice text)
{
	struct addr out = {0};
	size_t colon = text.n;
	int err;

	while (colon > 0 && text.p[colon - 1] != ':')
		colon--;
	if (colon == 0)
		return EBADMSG;
	err = addr_parse(&out, slice_sub(text, 0, colon - 1));
	/* "2001:db8::1:53" is one address, not an address and a port */
	if (!err && out.family == ADDR_IP6 && text.p[0] != '[')
		err = EBADMSG;
	if (!err)
		err = parse_u16(&out.port,
		                slice_sub(text, colon, text.n - colon), 65535);
	if (!err)
		*a = out;
	return err;
}

static bool bit_at(const struct addr *a, unsigned i)
{
	return a->ip[i / 8] >> (7 - i % 8) & 1;
}

int prefix_parse(struct prefix *p, struct slice text)
{
	size_t slash = slice_find(text, slice_str("/"));
	struct prefix out = {0};
	uint16_t n_bits;
	unsigned max;
	int err;

	err = addr_parse(&out.net, slice_sub(text, 0, slash));
	if (err)
		return err;
	max = out.net.family == ADDR_IP4 ? 32 : 128;
	n_bits = (uint16_t)max;
	if (slash != SIZE_MAX)
		err = parse_u16(&n_bits, slice_sub(text, slash + 1, SIZE_MAX),
		                max);
	if (err)
		return err;
	for (unsigned i = n_bits; i < max; i++) {
		if (bit_at(&out.net, i))
			return EBADMSG;
	}
	out.n_bits = n_bits;
	*p = out;
	return 0;
}

char *addr_ip_text(const struct addr *a, char buf[ADDR_TEXT_BYTES])
{
	int af = a->family == ADDR_IP4 ? AF_INET : AF_INET6;

	if (a->family == ADDR_NONE ||
	    !inet_ntop(af, a->ip, buf, ADDR_TEXT_BYTES)) {
		buf[0] = '-';
		buf[1] = '\0';
	}
	return buf;
}

char *addr_text(const struct addr *a, char buf[ADDR_TEXT_BYTES])
{
	char ip[ADDR_TEXT_BYTES];

	(void)addr_ip_text(a, ip);
	(void)snprintf(buf, ADDR_TEXT_BYTES,
	               a->family == ADDR_IP6 ? "[%.45s]:%u" : "%.45s:%u", ip,
	               a->port);
	return buf;
}

bool addr_ip_eq(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && slice_eq(addr_ip(a), addr_ip(b));
}

bool addr_eq(const struct addr *a, const struct addr *b)
{
	return addr_ip_eq(a, b) && a->port == b->port;
}

bool addr_is_same_source(const struct addr *a, const struct addr *b)
{
	enum {
		NET_BYTES = 8
	};

	return a->family == b->family && a->family != ADDR_NONE &&
	       slice_eq(slice_sub(addr_ip(a), 0, NET_BYTES),
	                slice_sub(addr_ip(b), 0, NET_BYTES));
}

bool prefix_has(const struct prefix *p, const struct addr *a)
{
	if (p->net.family != a->family || a->family == ADDR_NONE)
		return false;
	for (unsigned i = 0; i < p->n_bits; i++) {
		if (bit_at(&p->net, i) != bit_at(a, i))
			return false;
	}
	return true;
}

static bool in_any(const struct addr *a, const char *const nets[])
{
	struct prefix p;

	for (size_t i = 0; nets[i]; i++) {
		if (prefix_parse(&p, slice_str(nets[i])) == 0 &&
		    prefix_has(&p, a))
			return true;
	}
	return false;
}

bool addr_is_private(const struct addr *a)
{
	static const char *const nets[] = {
		"10.0.0.0/8",
		"172.16.0.0/12",
		"192.168.0.0/16",
		"169.254.0.0/16",
		"fc00::/7",
		"fe80::/10",
		NULL,
	};

	return in_any(a, nets);
}

bool addr_is_cgnat(const struct addr *a)
{
	static const char *const nets[] = {"100.64.0.0/10", NULL};

	return in_any(a, nets);
}

bool addr_is_documentation(const struct addr *a)
{
	static const char *const nets[] = {
		"192.0.2.0/24",
		"198.51.100.0/24",
		"203.0.113.0/24",
		"198.18.0.0/15",
		"2001:db8::/32",
		"2001:2::/48",
		NULL,
	};

	return in_any(a, nets);
}

bool addr_is_wildcard(const struct addr *a)
{
	struct slice ip = addr_ip(a);

	for (size_t i = 0; i < ip.n; i++) {
		if (ip.p[i])
			return false;
	}
	return ip.n > 0;
}

bool addr_is_loopback(const struct addr *a)
{
	static const char *const nets[] = {"127.0.0.0/8", "::1/128", NULL};

	return in_any(a, nets);
}

socklen_t addr_to_sockaddr(struct sockaddr_storage *ss, const struct addr *a)
{
	memset(ss, 0, sizeof(*ss));
	if (a->family == ADDR_IP4) {
		struct sockaddr_in sin = {.sin_family = AF_INET,
		                          .sin_port = htons(a->port)};

		memcpy(&sin.sin_addr, a->ip, 4);
		memcpy(ss, &sin, sizeof(sin));
		return sizeof(sin);
	}
	if (a->family == ADDR_IP6) {
		struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6,
		                            .sin6_port = htons(a->port)};

		memcpy(&sin6.sin6_addr, a->ip, 16);
		memcpy(ss, &sin6, sizeof(sin6));
		return sizeof(sin6);
	}
	return 0;
}

struct addr addr_from_sockaddr(const struct sockaddr *sa)
{
	struct addr a = {0};

	if (sa->sa_family == AF_INET) {
		struct sockaddr_in sin;

		memcpy(&sin, sa, sizeof(sin));
		a.family = ADDR_IP4;
		memcpy(a.ip, &sin.sin_addr, 4);
		a.port = ntohs(sin.sin_port);
	} else if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 sin6;

		memcpy(&sin6, sa, sizeof(sin6));
		set_ip6(&a, sin6.sin6_addr.s6_addr);
		a.port = ntohs(sin6.sin6_port);
	}
	return a;
}
