/* SPDX-License-Identifier: ISC */
/*
 * Design: plain sockets on the loop instead of libre's udp module, which
 * reports neither TTL, nor time of arrival, nor the address that was hit,
 * nor the error queue; and those are what is measured here.
 *
 * One set of receive buffers serves all sockets, because there is one thread
 * and a callback never runs the loop: a probe of five hundred ports costs no
 * more memory than one of five. Each buffer takes the largest datagram there
 * is, so nothing is ever cut short; untouched pages cost nothing.
 *
 * An ICMP error leaves two traces in the kernel: an entry in the error queue
 * (wanted) and a pending error, which the next call on the socket returns in
 * place of doing its work (not wanted). So sends are tried again.
 */
#include "net/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/errqueue.h>

#include "base/clock.h"
#include "net/guard.h"
#include "net/loop.h"

enum {
	BATCH_PKTS = 64,
	BATCHES_PER_TURN = 4, /* then the other sockets have theirs */
	ERRORS_PER_TURN = 64,
	PKT_BYTES = 65536,
	CTL_BYTES = 256,
	RCVBUF_BYTES = 1 << 20,
	STEERED_RCVBUF_BYTES = 8 << 20,
	SEND_TRIES = 4,
	DISCARD_PORT = 9,
};

/* Longer than any datagram waits in a socket: the clocks were set between */
#define MAX_WAIT_NS (10 * NS_PER_S)

struct ctl {
	_Alignas(struct cmsghdr) uint8_t bytes[CTL_BYTES];
};

struct batch {
	struct mmsghdr msgs[BATCH_PKTS];
	struct iovec iov[BATCH_PKTS];
	struct sockaddr_storage from[BATCH_PKTS];
	struct ctl ctl[BATCH_PKTS];
	uint8_t bytes[BATCH_PKTS][PKT_BYTES];
};

/* Answers of one socket that leave together. */
struct queue {
	size_t n;
	bool is_home; /* the guard is on: asked for each batch */
	struct mmsghdr msgs[BATCH_PKTS];
	struct iovec iov[BATCH_PKTS];
	struct sockaddr_storage to[BATCH_PKTS];
	struct ctl ctl[BATCH_PKTS];
	uint8_t bytes[BATCH_PKTS][NET_UDP_QUEUED_BYTES];
};

struct net_udp {
	int fd;
	struct addr local;
	const struct net_udp_ops *ops;
	void *arg;
	void (*on_batch)(void *arg); /* NULL: not wanted */
	bool is_counted;             /* among the users of the batch */
	bool has_queue;              /* among the users of the queue */
	bool is_delivering;
	bool is_busy; /* inside its callbacks: freed when they return */
	bool is_closed;
};

static struct batch *batch;
static struct queue *queue;
static size_t n_batch_users, n_queue_users;

static int batch_hold(struct net_udp *u)
{
	if (!batch)
		batch = malloc(sizeof(*batch));
	if (!batch)
		return ENOMEM;
	u->is_counted = true;
	n_batch_users++;
	return 0;
}

static int queue_hold(struct net_udp *u)
{
	if (!queue)
		queue = calloc(1, sizeof(*queue));
	if (!queue)
		return ENOMEM;
	u->has_queue = true;
	n_queue_users++;
	return 0;
}

static void udp_free(struct net_udp *u)
{
	if (u->has_queue && --n_queue_users == 0) {
		free(queue);
		queue = NULL;
	}
	if (u->is_counted && --n_batch_users == 0) {
		free(batch);
		batch = NULL;
	}
	free(u);
}

/* What came beside a datagram or an error. */
struct beside {
	struct addr to;
	struct addr original; /* with the port; ADDR_NONE: not steered */
	int ttl;
	int64_t wall_ns; /* 0: no timestamp */
	bool has_error;
	struct sock_extended_err error;
	struct addr offender;
};

static bool cmsg_get(void *out, size_t n, const struct cmsghdr *c)
{
	if (c->cmsg_len < CMSG_LEN(n))
		return false;
	memcpy(out, CMSG_DATA(c), n);
	return true;
}

static void read_error(struct beside *b, const struct cmsghdr *c)
{
	struct sockaddr_storage ss = {0};
	size_t n = c->cmsg_len - CMSG_LEN(0);

	b->has_error = cmsg_get(&b->error, sizeof(b->error), c);
	if (!b->has_error)
		return;
	/* the offender follows, see SO_EE_OFFENDER() */
	n -= sizeof(b->error);
	if (n > sizeof(ss))
		n = sizeof(ss);
	memcpy(&ss, CMSG_DATA(c) + sizeof(b->error), n);
	b->offender = addr_from_sockaddr((const struct sockaddr *)&ss);
	b->offender.port = 0;
}

static void read_original(struct beside *b, const struct cmsghdr *c)
{
	struct sockaddr_in6 sin6 = {0}; /* the longer one */
	size_t n = c->cmsg_len - CMSG_LEN(0);

	memcpy(&sin6, CMSG_DATA(c), n < sizeof(sin6) ? n : sizeof(sin6));
	b->original = addr_from_sockaddr((const struct sockaddr *)&sin6);
}

static void read_ip4(struct beside *b, const struct cmsghdr *c)
{
	struct in_pktinfo pi;

	switch (c->cmsg_type) {
	case IP_TTL:
		(void)cmsg_get(&b->ttl, sizeof(b->ttl), c);
		break;
	case IP_PKTINFO:
		if (!cmsg_get(&pi, sizeof(pi), c))
			break;
		b->to.family = ADDR_IP4;
		memcpy(b->to.ip, &pi.ipi_addr, 4);
		break;
	case IP_ORIGDSTADDR:
		read_original(b, c);
		break;
	case IP_RECVERR:
		read_error(b, c);
		break;
	default:
		break;
	}
}

static void read_ip6(struct beside *b, const struct cmsghdr *c)
{
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6};
	struct in6_pktinfo pi;

	switch (c->cmsg_type) {
	case IPV6_HOPLIMIT:
		(void)cmsg_get(&b->ttl, sizeof(b->ttl), c);
		break;
	case IPV6_PKTINFO:
		if (!cmsg_get(&pi, sizeof(pi), c))
			break;
		/* by way of a sockaddr, which knows IPv4-mapped addresses */
		sin6.sin6_addr = pi.ipi6_addr;
		b->to = addr_from_sockaddr((const struct sockaddr *)&sin6);
		break;
	case IPV6_RECVERR:
		read_error(b, c);
		break;
	case IPV6_ORIGDSTADDR:
		read_original(b, c);
		break;
	default:
		break;
	}
}

static struct beside read_beside(struct msghdr *m)
{
	struct beside b = {.ttl = -1};
	struct timespec ts;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP)
			read_ip4(&b, c);
		else if (c->cmsg_level == IPPROTO_IPV6)
			read_ip6(&b, c);
		else if (c->cmsg_level == SOL_SOCKET &&
		         c->cmsg_type == SCM_TIMESTAMPNS &&
		         cmsg_get(&ts, sizeof(ts), c))
			b.wall_ns = (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
	}
	return b;
}

struct now {
	int64_t mono_ns, wall_ns;
};

/* The kernel stamps by the wall clock only: the time a packet waited is what
 * carries over to the monotonic one. */
static struct now arrival(int64_t stamp_wall_ns, struct now now)
{
	int64_t waited = now.wall_ns - stamp_wall_ns;

	if (stamp_wall_ns == 0 || waited < 0 || waited > MAX_WAIT_NS)
		return now;
	return (struct now){now.mono_ns - waited, stamp_wall_ns};
}

static struct now read_clocks(void)
{
	return (struct now){clock_mono_ns(), clock_wall_ns()};
}

static void batch_prepare(void)
{
	for (size_t i = 0; i < BATCH_PKTS; i++) {
		batch->iov[i] = (struct iovec){batch->bytes[i], PKT_BYTES};
		batch->msgs[i].msg_hdr = (struct msghdr){
			.msg_name = &batch->from[i],
			.msg_namelen = sizeof(batch->from[i]),
			.msg_iov = &batch->iov[i],
			.msg_iovlen = 1,
			.msg_control = batch->ctl[i].bytes,
			.msg_controllen = CTL_BYTES,
		};
	}
}

static void deliver(struct net_udp *u, size_t i, struct now now)
{
	struct msghdr *m = &batch->msgs[i].msg_hdr;
	struct beside b = read_beside(m);
	struct now at = arrival(b.wall_ns, now);
	struct net_dgram d = {
		.from = addr_from_sockaddr(
			(const struct sockaddr *)&batch->from[i]),
		.to = b.to.family == ADDR_NONE ? u->local : b.to,
		.ttl = b.ttl,
		.mono_ns = at.mono_ns,
		.wall_ns = at.wall_ns,
		.bytes = {batch->bytes[i], batch->msgs[i].msg_len},
		.is_truncated = m->msg_flags & MSG_TRUNC,
	};

	if (b.original.family != ADDR_NONE)
		d.to = b.original;
	else
		d.to.port = u->local.port;
	u->ops->on_dgram(u->arg, &d);
}

/* One that cannot leave must not hold back those behind it; an error that an
 * earlier one met is told in its place, and says nothing of it. */
static void queue_flush(const struct net_udp *u)
{
	size_t at = 0, refused_at = SIZE_MAX;

	while (at < queue->n) {
		int n = sendmmsg(u->fd, queue->msgs + at,
		                 (unsigned)(queue->n - at),
		                 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && (errno == EWOULDBLOCK || errno == ENOBUFS))
			break;
		if (n > 0)
			at += (size_t)n;
		else if (refused_at == at)
			at++;
		else
			refused_at = at;
	}
	queue->n = 0;
}

static void deliver_all(struct net_udp *u, size_t n)
{
	struct now now = read_clocks();

	u->is_delivering = u->has_queue;
	for (size_t i = 0; i < n && !u->is_closed; i++)
		deliver(u, i, now);
	u->is_delivering = false;
	if (u->has_queue && !u->is_closed)
		queue_flush(u);
	if (n > 0 && !u->is_closed && u->on_batch)
		u->on_batch(u->arg);
}

static void drain_dgrams(struct net_udp *u)
{
	for (int turn = 0; turn < BATCHES_PER_TURN && !u->is_closed; turn++) {
		int n;

		batch_prepare();
		n = recvmmsg(u->fd, batch->msgs, BATCH_PKTS, MSG_DONTWAIT,
		             NULL);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		/* any other failure is a pending error: now it is cleared */
		deliver_all(u, n > 0 ? (size_t)n : 0);
		if (n >= 0 && n < BATCH_PKTS)
			return;
	}
}

static bool drain_error(struct net_udp *u)
{
	struct sockaddr_storage dst = {0};
	struct ctl ctl;
	struct iovec iov = {batch->bytes[0], PKT_BYTES};
	struct msghdr m = {
		.msg_name = &dst,
		.msg_namelen = sizeof(dst),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = ctl.bytes,
		.msg_controllen = sizeof(ctl.bytes),
	};
	struct net_icmp ic = {0};
	struct beside b;
	ssize_t n;

	n = recvmsg(u->fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT);
	if (n < 0)
		return false;
	b = read_beside(&m);
	if (!b.has_error || (b.error.ee_origin != SO_EE_ORIGIN_LOCAL &&
	                     b.error.ee_origin != SO_EE_ORIGIN_ICMP &&
	                     b.error.ee_origin != SO_EE_ORIGIN_ICMP6))
		return true;
	ic.is_local = b.error.ee_origin == SO_EE_ORIGIN_LOCAL;
	ic.offender = b.offender;
	ic.type = b.error.ee_type;
	ic.code = b.error.ee_code;
	ic.ttl = ic.is_local ? -1 : b.ttl;
	ic.error = (int)b.error.ee_errno;
	if (ic.error == EMSGSIZE)
		ic.mtu_bytes = b.error.ee_info;
	ic.dst = addr_from_sockaddr((const struct sockaddr *)&dst);
	ic.quote = (struct slice){batch->bytes[0], (size_t)n};
	ic.mono_ns = arrival(b.wall_ns, read_clocks()).mono_ns;
	if (u->ops->on_icmp)
		u->ops->on_icmp(u->arg, &ic);
	return true;
}

static void on_event(unsigned events, void *arg)
{
	struct net_udp *u = arg;

	u->is_busy = true;
	if (events & NET_FD_ERROR) {
		for (int i = 0; i < ERRORS_PER_TURN && !u->is_closed; i++) {
			if (!drain_error(u))
				break;
		}
	}
	if (!u->is_closed)
		drain_dgrams(u);
	u->is_busy = false;
	if (u->is_closed)
		udp_free(u);
}

static int set_options(int fd, const struct addr *local, unsigned flags)
{
	const enum addr_family family = local->family;
	enum {
		BOTH,
		IP4,
		IP6,
		WISH
	};
	const bool is_icmp = flags & NET_UDP_ICMP;
	const int df4 =
		flags & NET_UDP_DF ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT;
	const int df6 =
		flags & NET_UDP_DF ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_DONT;
	const bool is_steered = flags & NET_UDP_STEERED;
	const bool wants_to = !is_steered && addr_is_wildcard(local);
	const bool is_ip6 = family == ADDR_IP6;
	const int level = is_ip6 ? IPPROTO_IPV6 : IPPROTO_IP;
	const int transparent = is_ip6 ? IPV6_TRANSPARENT : IP_TRANSPARENT;
	const int original = is_ip6 ? IPV6_RECVORIGDSTADDR : IP_RECVORIGDSTADDR;
	const struct {
		int who, level, name, value;
	} opts[] = {
		/* TPROXY asks for it, sk_lookup does not */
		{WISH, level, transparent, is_steered},
		{BOTH, level, original, is_steered},
		/* stamps cost a part of an answer that can be measured: a
	         * range takes the time at which its batch was read */
		{BOTH, SOL_SOCKET, SO_TIMESTAMPNS, !is_steered},
		{BOTH, SOL_SOCKET, SO_REUSEPORT, !!(flags & NET_UDP_REUSEPORT)},
		{WISH, SOL_SOCKET, SO_RCVBUF, RCVBUF_BYTES},
		/* one socket then does the work of a whole range */
		{WISH, SOL_SOCKET, is_steered ? SO_RCVBUFFORCE : SO_RCVBUF,
	         is_steered ? STEERED_RCVBUF_BYTES : RCVBUF_BYTES},
		/* `original` tells that, too, or it is known anyway */
		{IP4, IPPROTO_IP, IP_PKTINFO, wants_to},
		/* an IPv6 socket may carry IPv4: the rest is for both */
		{BOTH, IPPROTO_IP, IP_RECVTTL, 1},
		{BOTH, IPPROTO_IP, IP_MTU_DISCOVER, df4},
		{BOTH, IPPROTO_IP, IP_RECVERR, is_icmp},
		{IP6, IPPROTO_IPV6, IPV6_V6ONLY, !!(flags & NET_UDP_V6ONLY)},
		{IP6, IPPROTO_IPV6, IPV6_RECVPKTINFO, wants_to},
		{IP6, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1},
		{IP6, IPPROTO_IPV6, IPV6_MTU_DISCOVER, df6},
		{IP6, IPPROTO_IPV6, IPV6_RECVERR, is_icmp},
	};

	for (size_t i = 0; i < ARRAY_LEN(opts); i++) {
		if ((opts[i].who == IP4 && family != ADDR_IP4) ||
		    (opts[i].who == IP6 && family != ADDR_IP6))
			continue;
		if (setsockopt(fd, opts[i].level, opts[i].name, &opts[i].value,
		               sizeof(opts[i].value)) &&
		    opts[i].who != WISH)
			return errno;
	}
	return 0;
}

static int name_of(struct addr *a, int fd)
{
	struct sockaddr_storage ss = {0};
	socklen_t n = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &n))
		return errno;
	*a = addr_from_sockaddr((const struct sockaddr *)&ss);
	return 0;
}

int net_udp_open(struct net_udp **up, const struct addr *local, unsigned flags,
                 const struct net_udp_ops *ops, void *arg)
{
	struct sockaddr_storage ss;
	socklen_t n = addr_to_sockaddr(&ss, local);
	struct net_udp *u;
	int err;

	if (n == 0)
		return EINVAL;
	u = calloc(1, sizeof(*u));
	if (!u)
		return ENOMEM;
	u->ops = ops;
	u->arg = arg;
	u->fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	               0);
	if (u->fd < 0) {
		err = errno;
		goto out;
	}
	err = batch_hold(u);
	if (!err && flags & NET_UDP_QUEUE)
		err = queue_hold(u);
	if (!err)
		err = set_options(u->fd, local, flags);
	if (!err && bind(u->fd, (struct sockaddr *)&ss, n))
		err = errno;
	if (!err)
		err = name_of(&u->local, u->fd);
	if (!err)
		err = net_fd_watch(u->fd, NET_FD_READ, on_event, u);

out:
	if (err)
		net_udp_close(u);
	else
		*up = u;
	return err;
}

void net_udp_close(struct net_udp *u)
{
	if (!u || u->is_closed)
		return;
	if (u->is_delivering)
		queue_flush(u);
	net_fd_unwatch(u->fd);
	if (u->fd >= 0)
		(void)close(u->fd);
	u->fd = -1;
	u->is_closed = true;
	if (!u->is_busy)
		udp_free(u);
}

void net_udp_set_batch(struct net_udp *u, void (*on_batch)(void *arg))
{
	u->on_batch = on_batch;
}

int net_udp_fd(const struct net_udp *u)
{
	return u->fd;
}

struct addr net_udp_local(const struct net_udp *u)
{
	return u->local;
}

static void put_cmsg(struct msghdr *m, int level, int type, const void *data,
                     size_t n)
{
	struct cmsghdr *c = (struct cmsghdr *)((uint8_t *)m->msg_control +
	                                       m->msg_controllen);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(n);
	memcpy(CMSG_DATA(c), data, n);
	m->msg_controllen += CMSG_SPACE(n);
}

static void put_source(struct msghdr *m, const struct addr *from)
{
	struct in_pktinfo pi4 = {0};
	struct in6_pktinfo pi6 = {0};

	if (from->family == ADDR_IP4) {
		memcpy(&pi4.ipi_spec_dst, from->ip, 4);
		put_cmsg(m, IPPROTO_IP, IP_PKTINFO, &pi4, sizeof(pi4));
	} else {
		memcpy(&pi6.ipi6_addr, from->ip, 16);
		put_cmsg(m, IPPROTO_IPV6, IPV6_PKTINFO, &pi6, sizeof(pi6));
	}
}

/* What an ICMP error leaves pending, see icmp_err_convert[] in Linux. */
static bool is_echo_of_icmp(int err)
{
	switch (err) {
	case ECONNREFUSED:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EHOSTDOWN:
	case ENONET:
	case ENOPROTOOPT:
	case EOPNOTSUPP:
	case EPROTO:
	case EACCES:
	case EMSGSIZE:
		return true;
	default:
		return false;
	}
}

static int send_message(int fd, const struct msghdr *m)
{
	int err = 0;

	for (int i = 0; i < SEND_TRIES; i++) {
		if (sendmsg(fd, m, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			return 0;
		err = errno;
		if (err != EINTR && !is_echo_of_icmp(err))
			break;
	}
	/* refusals that came faster than this socket was read */
	if (err == EWOULDBLOCK || err == ENOBUFS || err == ECONNREFUSED)
		return EAGAIN;
	return err;
}

int net_udp_send(struct net_udp *u, const struct addr *to,
                 const struct addr *from, int ttl, struct slice bytes)
{
	struct sockaddr_storage ss;
	struct ctl ctl = {0};
	struct iovec iov = {.iov_len = bytes.n};
	struct msghdr m = {.msg_name = &ss, .msg_iov = &iov, .msg_iovlen = 1};

	m.msg_namelen = addr_to_sockaddr(&ss, to);
	if (m.msg_namelen == 0 || ttl < 0 || ttl > 255 || u->fd < 0 ||
	    (from && from->family != to->family) ||
	    (u->local.family == ADDR_IP4 && to->family != ADDR_IP4))
		return EINVAL;
	if (!net_guard_allows(to))
		return EPERM;

	/* iovec serves reading too, so it knows no const */
	memcpy(&iov.iov_base, &bytes.p, sizeof(iov.iov_base));
	m.msg_control = ctl.bytes;
	if (from)
		put_source(&m, from);
	if (ttl && to->family == ADDR_IP4)
		put_cmsg(&m, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
	else if (ttl)
		put_cmsg(&m, IPPROTO_IPV6, IPV6_HOPLIMIT, &ttl, sizeof(ttl));
	if (m.msg_controllen == 0)
		m.msg_control = NULL;
	return send_message(u->fd, &m);
}

/* Fits, and may go there? */
static bool may_queue(const struct net_udp *u, const struct addr *to,
                      const struct addr *from, struct slice bytes)
{
	if (!u->is_delivering || u->fd < 0 || bytes.n > NET_UDP_QUEUED_BYTES ||
	    (from && from->family != to->family) ||
	    (u->local.family == ADDR_IP4 && to->family != ADDR_IP4))
		return false;
	if (queue->n == 0)
		queue->is_home = net_guard_is_on();
	return !queue->is_home || net_guard_allows(to);
}

int net_udp_queue(struct net_udp *u, const struct addr *to,
                  const struct addr *from, struct slice bytes)
{
	struct msghdr *m;
	socklen_t n_to;
	size_t i;

	if (u->is_delivering && queue->n == BATCH_PKTS)
		queue_flush(u);
	if (!may_queue(u, to, from, bytes)) {
		/* in the order in which they were given */
		if (u->is_delivering)
			queue_flush(u);
		return net_udp_send(u, to, from, 0, bytes);
	}
	i = queue->n;
	n_to = addr_to_sockaddr(&queue->to[i], to);
	if (n_to == 0)
		return EINVAL;
	queue->n++;
	memcpy(queue->bytes[i], bytes.p, bytes.n);
	queue->iov[i] = (struct iovec){queue->bytes[i], bytes.n};
	m = &queue->msgs[i].msg_hdr;
	*m = (struct msghdr){
		.msg_name = &queue->to[i],
		.msg_namelen = n_to,
		.msg_iov = &queue->iov[i],
		.msg_iovlen = 1,
		.msg_control = queue->ctl[i].bytes,
	};
	/* what is bound to an address sends from there */
	if (from && !addr_ip_eq(from, &u->local))
		put_source(m, from);
	if (m->msg_controllen == 0)
		m->msg_control = NULL;
	return 0;
}

int net_source_for(struct addr *local, const struct addr *to)
{
	struct addr there = *to, here;
	struct sockaddr_storage ss;
	socklen_t n;
	int fd, err;

	if (there.port == 0)
		there.port = DISCARD_PORT;
	n = addr_to_sockaddr(&ss, &there);
	if (n == 0)
		return EINVAL;
	fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	err = connect(fd, (struct sockaddr *)&ss, n) ? errno
	                                             : name_of(&here, fd);
	(void)close(fd);
	if (err)
		return err;
	here.port = 0;
	*local = here;
	return 0;
}
