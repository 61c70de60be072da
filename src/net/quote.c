/* SPDX-License-Identifier: ISC */
/*
 * Design: a raw socket gets every ICMP message of the host, so the kernel
 * filters by type, and what is left is read as anything from outside. Errors
 * may carry extensions behind a quote that is padded (RFC 4884): both lengths,
 * that of the field and that of the quoted packet, bound what is taken for
 * payload.
 */
#include "net/quote.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/icmp.h>

#include "net/loop.h"

enum {
	TIME_EXCEEDED_4 = 11, /* RFC 792 */
	TIME_EXCEEDED_6 = 3,  /* RFC 4443 */
	WORD_BYTES = 4,
	IP4_HDR_BYTES = 20,
	IP4_ADDR_BYTES = 4,
	IP6_ADDR_BYTES = 16,
	TCP_PORTS_BYTES = 8, /* and the number of the first byte */
	TCP_HDR_BYTES = 20,
	TCP_OFFSET_AT = 12,
	PKT_BYTES = 2048,
	PKTS_PER_TURN = 64,
	NIBBLE = 4,
	LOW_NIBBLE = 0xf,
	FRAGMENT_OFFSET = 0x1fff,
};

struct net_quotes {
	int fd;
	enum addr_family family;
	net_quote_fn *fn;
	void *arg;
	uint8_t bytes[PKT_BYTES];
};

static struct addr take_addr(struct rd *r, enum addr_family family)
{
	struct addr a = {.family = family};
	struct slice ip = rd_take(r, family == ADDR_IP4 ? IP4_ADDR_BYTES
	                                                : IP6_ADDR_BYTES);

	if (ip.n)
		memcpy(a.ip, ip.p, ip.n);
	return a;
}

/* An IPv4 header off the front. @param n  Out: bytes behind it, as it says */
static void take_ip4(struct rd *r, size_t *n, uint8_t *proto, struct addr *src,
                     struct addr *dst)
{
	size_t hdr = (size_t)(rd_u8(r) & LOW_NIBBLE) * WORD_BYTES, total;
	bool is_later;

	(void)rd_u8(r);
	total = rd_u16(r);
	(void)rd_u16(r);
	is_later = rd_u16(r) & FRAGMENT_OFFSET; /* has no ports */
	(void)rd_u8(r);
	*proto = rd_u8(r);
	(void)rd_u16(r);
	*src = take_addr(r, ADDR_IP4);
	*dst = take_addr(r, ADDR_IP4);
	if (hdr < IP4_HDR_BYTES || total < hdr || is_later)
		r->bad = true;
	else
		(void)rd_take(r, hdr - IP4_HDR_BYTES);
	*n = r->bad ? 0 : total - hdr;
}

static void take_ip6(struct rd *r, size_t *n, uint8_t *proto, struct addr *src,
                     struct addr *dst)
{
	(void)rd_u32(r);
	*n = rd_u16(r);
	*proto = rd_u8(r);
	(void)rd_u8(r);
	*src = take_addr(r, ADDR_IP6);
	*dst = take_addr(r, ADDR_IP6);
}

/* From the ports on. */
static int take_tcp(struct net_quote *q, struct slice tcp)
{
	struct rd r = rd_init(tcp);
	size_t hdr;

	q->src.port = rd_u16(&r);
	q->dst.port = rd_u16(&r);
	if (r.bad || tcp.n < TCP_PORTS_BYTES)
		return EBADMSG;
	if (tcp.n < TCP_HDR_BYTES)
		return 0;
	hdr = (size_t)(tcp.p[TCP_OFFSET_AT] >> NIBBLE) * WORD_BYTES;
	if (hdr < TCP_HDR_BYTES)
		return EBADMSG;
	q->payload = slice_sub(tcp, hdr, SIZE_MAX);
	return 0;
}

/* @param hint  The length of what is quoted, in words or double words; 0: all
 */
static int take_quoted(struct net_quote *q, struct slice in,
                       enum addr_family family, size_t hint)
{
	const bool is_ip4 = family == ADDR_IP4;
	uint8_t proto = 0;
	size_t n = 0;
	struct rd r;

	if (hint)
		in = slice_sub(in, 0, hint * (is_ip4 ? 1 : 2) * WORD_BYTES);
	r = rd_init(in);
	if (is_ip4)
		take_ip4(&r, &n, &proto, &q->src, &q->dst);
	else
		take_ip6(&r, &n, &proto, &q->src, &q->dst);
	if (r.bad)
		return EBADMSG;
	if (proto != IPPROTO_TCP)
		return ENOENT;
	return take_tcp(q, slice_sub((struct slice){r.p, r.left}, 0, n));
}

int net_quote_read(struct net_quote *q, struct slice in,
                   enum addr_family family)
{
	struct net_quote got = {0};
	struct rd r = rd_init(in);
	struct addr self;
	uint8_t proto = IPPROTO_ICMP, type, length4, length6;
	size_t n;
	int err;

	if (family == ADDR_IP4)
		take_ip4(&r, &n, &proto, &got.offender, &self);
	type = rd_u8(&r);
	(void)rd_u8(&r);
	(void)rd_u16(&r);
	length6 = rd_u8(&r);
	length4 = rd_u8(&r);
	(void)rd_u16(&r);
	if (r.bad)
		return EBADMSG;
	if (proto != IPPROTO_ICMP ||
	    type != (family == ADDR_IP4 ? TIME_EXCEEDED_4 : TIME_EXCEEDED_6))
		return ENOENT;
	err = take_quoted(&got, (struct slice){r.p, r.left}, family,
	                  family == ADDR_IP4 ? length4 : length6);
	if (!err)
		*q = got;
	return err;
}

static void on_event(unsigned events, void *arg)
{
	struct net_quotes *qs = arg;

	UNUSED(events);
	for (int i = 0; i < PKTS_PER_TURN; i++) {
		struct sockaddr_storage ss = {0};
		socklen_t n_ss = sizeof(ss);
		struct net_quote q;
		ssize_t n =
			recvfrom(qs->fd, qs->bytes, sizeof(qs->bytes),
		                 MSG_DONTWAIT, (struct sockaddr *)&ss, &n_ss);

		if (n < 0)
			return;
		if (net_quote_read(&q, (struct slice){qs->bytes, (size_t)n},
		                   qs->family))
			continue;
		q.offender = addr_from_sockaddr((const struct sockaddr *)&ss);
		q.offender.port = 0;
		qs->fn(qs->arg, &q);
	}
}

static int filter(int fd, enum addr_family family)
{
	const struct icmp_filter only4 = {
		.data = ~(UINT32_C(1) << TIME_EXCEEDED_4),
	};
	struct icmp6_filter only6;

	ICMP6_FILTER_SETBLOCKALL(&only6);
	ICMP6_FILTER_SETPASS(TIME_EXCEEDED_6, &only6);
	if (family == ADDR_IP4 ? setsockopt(fd, SOL_RAW, ICMP_FILTER, &only4,
	                                    sizeof(only4))
	                       : setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER,
	                                    &only6, sizeof(only6)))
		return errno;
	return 0;
}

int net_quotes_open(struct net_quotes **qp, enum addr_family family,
                    net_quote_fn *fn, void *arg)
{
	const bool is_ip4 = family == ADDR_IP4;
	struct net_quotes *qs = calloc(1, sizeof(*qs));
	int err;

	if (!qs)
		return ENOMEM;
	*qs = (struct net_quotes){.family = family, .fn = fn, .arg = arg};
	qs->fd = socket(is_ip4 ? AF_INET : AF_INET6,
	                SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
	                is_ip4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	err = qs->fd < 0 ? errno : filter(qs->fd, family);
	if (!err)
		err = net_fd_watch(qs->fd, NET_FD_READ, on_event, qs);
	if (err)
		net_quotes_close(qs);
	else
		*qp = qs;
	return err;
}

void net_quotes_close(struct net_quotes *qs)
{
	if (!qs)
		return;
	if (qs->fd >= 0) {
		net_fd_unwatch(qs->fd);
		(void)close(qs->fd);
	}
	free(qs);
}
