/* SPDX-License-Identifier: ISC */
/*
 * Design: what answers a batch of datagrams leaves as a batch: a system call
 * costs as much as the rest of an answer. The kernel fills in total length
 * and checksum of an IPv4 header, the rest is written here; it would choose an
 * identity, too, but takes longer than a counter. All buffers are the
 * object's, as there is one thread.
 */
#include "net/raw.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/guard.h"

enum {
	IP4_HDR_BYTES = 20,
	IP6_HDR_BYTES = 40,
	UDP_HDR_BYTES = 8,
	TTL = 64,
	UDP_MAX_BYTES = UINT16_MAX - UDP_HDR_BYTES,
	PACKET_BYTES = IP6_HDR_BYTES + UDP_HDR_BYTES + NET_RAW_QUEUED_BYTES,
	VERSION4_IHL5 = 0x45,
	VERSION6 = 0x60,
};

/* Packets of one family that leave together. */
struct batch {
	size_t n;
	struct mmsghdr msgs[NET_RAW_BATCH];
	struct iovec iov[NET_RAW_BATCH];
	struct sockaddr_storage to[NET_RAW_BATCH];
	uint8_t bytes[NET_RAW_BATCH][PACKET_BYTES];
};

struct net_raw {
	int fd4, fd6; /* -1: the host lacks that family */
	uint16_t id;  /* of the last packet; 0 would be the kernel's choice */
	bool is_home; /* the guard is on: asked for each batch */
	struct batch batch4, batch6;
	uint8_t packet[IP6_HDR_BYTES + UINT16_MAX];
};

static int open_one(int *fd, int family, int level, int option)
{
	const int yes = 1;

	*fd = socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
	             IPPROTO_RAW);
	if (*fd < 0)
		return errno;
	if (setsockopt(*fd, level, option, &yes, sizeof(yes)))
		return errno;
	return 0;
}

int net_raw_open(struct net_raw **rp)
{
	struct net_raw *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return ENOMEM;
	r->fd6 = -1;
	err = open_one(&r->fd4, AF_INET, IPPROTO_IP, IP_HDRINCL);
	if (!err)
		err = open_one(&r->fd6, AF_INET6, IPPROTO_IPV6, IPV6_HDRINCL);
	if (err == EAFNOSUPPORT)
		err = 0;
	if (err)
		net_raw_close(r);
	else
		*rp = r;
	return err;
}

void net_raw_close(struct net_raw *r)
{
	if (!r)
		return;
	if (r->fd4 >= 0)
		(void)close(r->fd4);
	if (r->fd6 >= 0)
		(void)close(r->fd6);
	free(r);
}

/* Of bytes that were written here, so at any length; in the order of this
 * machine, which a sum of ones' complements does not mind (RFC 1071, section
 * 2.B). */
static uint64_t add_words(uint64_t sum, struct slice s)
{
	uint32_t word;
	size_t i = 0;

	for (; s.n - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, s.p + i, sizeof(word));
		sum += word;
	}
	word = 0;
	memcpy(&word, s.p + i, s.n - i);
	return sum + word;
}

static uint16_t fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* RFC 768, in network order as it is in the header; a sum of zero is sent as
 * ones, since zero means none. */
static uint16_t checksum(const struct addr *from, const struct addr *to,
                         struct slice udp)
{
	uint64_t sum = (uint64_t)htons(IPPROTO_UDP) + htons((uint16_t)udp.n);
	uint16_t folded;

	sum = add_words(sum, addr_ip(from));
	sum = add_words(sum, addr_ip(to));
	sum = add_words(sum, udp);
	folded = (uint16_t)~fold(sum);
	return folded ? folded : UINT16_MAX;
}

static void put_ip(struct wr *w, uint16_t id, const struct addr *from,
                   const struct addr *to, size_t n_udp)
{
	const uint8_t head4[] = {VERSION4_IHL5,
	                         0,
	                         0,
	                         0,
	                         (uint8_t)(id >> 8),
	                         (uint8_t)id,
	                         0,
	                         0,
	                         TTL,
	                         IPPROTO_UDP,
	                         0,
	                         0};
	const uint8_t head6[] = {
		VERSION6,       0,           0,  0, (uint8_t)(n_udp >> 8),
		(uint8_t)n_udp, IPPROTO_UDP, TTL};

	if (from->family == ADDR_IP4)
		wr_put(w, (struct slice){head4, sizeof(head4)});
	else
		wr_put(w, (struct slice){head6, sizeof(head6)});
	wr_put(w, addr_ip(from));
	wr_put(w, addr_ip(to));
}

static size_t build(struct net_raw *r, uint8_t *packet, size_t cap,
                    const struct addr *from, const struct addr *to,
                    struct slice bytes)
{
	struct wr w = wr_init(packet, cap);
	size_t n_udp = UDP_HDR_BYTES + bytes.n, at;
	uint16_t sum;

	if (++r->id == 0)
		r->id = 1;
	put_ip(&w, r->id, from, to, n_udp);
	at = w.n;
	wr_u16(&w, from->port);
	wr_u16(&w, to->port);
	wr_u16(&w, (uint16_t)n_udp);
	wr_u16(&w, 0);
	wr_put(&w, bytes);
	sum = checksum(from, to, slice_sub(wr_slice(&w), at, n_udp));
	memcpy(packet + at + UDP_HDR_BYTES - sizeof(sum), &sum, sizeof(sum));
	return w.n;
}

static int check(const struct net_raw *r, const struct addr *from,
                 const struct addr *to, struct slice bytes, size_t max_bytes)
{
	if (from->family != to->family || from->family == ADDR_NONE ||
	    !from->port || !to->port)
		return EINVAL;
	if ((from->family == ADDR_IP6 ? r->fd6 : r->fd4) < 0)
		return EAFNOSUPPORT;
	if (bytes.n > max_bytes)
		return EMSGSIZE;
	return !r->is_home || net_guard_allows(to) ? 0 : EPERM;
}

static socklen_t put_host(struct sockaddr_storage *ss, const struct addr *to)
{
	struct addr host = *to;

	host.port = 0; /* IPv6 takes a port for a protocol here */
	return addr_to_sockaddr(ss, &host);
}

int net_raw_send_udp(struct net_raw *r, const struct addr *from,
                     const struct addr *to, struct slice bytes)
{
	struct sockaddr_storage ss;
	socklen_t n;
	size_t size;
	int err;

	r->is_home = net_guard_is_on();
	err = check(r, from, to, bytes, UDP_MAX_BYTES);
	if (err)
		return err;
	n = put_host(&ss, to);
	size = build(r, r->packet, sizeof(r->packet), from, to, bytes);
	if (sendto(from->family == ADDR_IP6 ? r->fd6 : r->fd4, r->packet, size,
	           MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&ss,
	           n) >= 0)
		return 0;
	return errno == EWOULDBLOCK || errno == ENOBUFS ? EAGAIN : errno;
}

/* One that cannot leave must not hold back those behind it. */
static void flush(struct batch *b, int fd)
{
	size_t at = 0;

	while (at < b->n) {
		int n = sendmmsg(fd, b->msgs + at, (unsigned)(b->n - at),
		                 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && (errno == EWOULDBLOCK || errno == ENOBUFS))
			break;
		at += n > 0 ? (size_t)n : 1;
	}
	b->n = 0;
}

void net_raw_flush(struct net_raw *r)
{
	flush(&r->batch4, r->fd4);
	flush(&r->batch6, r->fd6);
}

int net_raw_queue_udp(struct net_raw *r, const struct addr *from,
                      const struct addr *to, struct slice bytes)
{
	bool is_ip6 = from->family == ADDR_IP6;
	struct batch *b = is_ip6 ? &r->batch6 : &r->batch4;
	size_t i;
	int err;

	if (b->n == 0)
		r->is_home = net_guard_is_on();
	err = check(r, from, to, bytes, NET_RAW_QUEUED_BYTES);
	if (err)
		return err;
	if (b->n == NET_RAW_BATCH)
		flush(b, is_ip6 ? r->fd6 : r->fd4);
	i = b->n++;
	b->iov[i] = (struct iovec){
		.iov_base = b->bytes[i],
		.iov_len = build(r, b->bytes[i], PACKET_BYTES, from, to, bytes),
	};
	b->msgs[i].msg_hdr = (struct msghdr){
		.msg_name = &b->to[i],
		.msg_namelen = put_host(&b->to[i], to),
		.msg_iov = &b->iov[i],
		.msg_iovlen = 1,
	};
	return 0;
}
