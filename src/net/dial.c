/* SPDX-License-Identifier: ISC */
/*
 * Design: one SYN lost in twenty must not look like a closed port, and the
 * kernel repeats it from the same port only, after one second, three, seven.
 * So a second socket may join in; the first of the two that gets an answer,
 * be it a refusal, decides, because an answer needs no vote.
 *
 * Since Linux 5.18 a TCP socket in SYN-SENT keeps the ICMP error that ended
 * it, with its sender, in the error queue of IP_RECVERR. An older kernel
 * gives the errno alone. The option is taken back once connected: it would
 * turn passing errors into the end of the connection.
 */
#include "net/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/errqueue.h>

#include "base/clock.h"
#include "net/here.h"
#include "net/loop.h"

enum {
	SOCKETS_MAX = 2,
	MAX_TTL = 255,
	CTL_BYTES = 256,
	NS_PER_US = 1000,
};

/* Slower is no reset of this computer's, however busy: do not ask again. */
#define AT_ONCE_NS (500 * NS_PER_MS)

struct line {
	struct net_dial *dial;
	int fd;
	int64_t began_ns;
};

struct net_dial {
	struct line lines[SOCKETS_MAX];
	struct addr to;
	struct net_stream_conf conf;
	struct net_stream_opening *op;
	struct net_timer *timer; /* the second line, or an error to be told */
	int error;               /* what the timer tells */
	net_dial_fn *fn;
	void *arg;
};

static void line_close(struct line *l)
{
	if (l->fd < 0)
		return;
	net_fd_unwatch(l->fd);
	(void)close(l->fd);
	l->fd = -1;
}

static void done(struct net_dial *d, int fd, int err)
{
	for (size_t i = 0; i < SOCKETS_MAX; i++) {
		if (d->lines[i].fd != fd)
			line_close(&d->lines[i]);
	}
	if (fd >= 0)
		net_fd_unwatch(fd);
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		d->lines[i].fd = -1;
	net_timer_cancel(d->timer);
	d->fn(d->arg, fd, err);
}

static void note_offender(struct net_stream_opening *op,
                          const struct sock_extended_err *e)
{
	const struct sockaddr *sa = (const struct sockaddr *)(e + 1);

	if (e->ee_origin != SO_EE_ORIGIN_ICMP &&
	    e->ee_origin != SO_EE_ORIGIN_ICMP6)
		return;
	op->offender = addr_from_sockaddr(sa);
	op->offender.port = 0;
	op->icmp_type = e->ee_type;
	op->icmp_code = e->ee_code;
}

static void read_error_queue(struct net_stream_opening *op, int fd)
{
	_Alignas(struct cmsghdr) uint8_t ctl[CTL_BYTES];
	struct msghdr m = {.msg_control = ctl, .msg_controllen = sizeof(ctl)};

	if (recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		struct {
			struct sock_extended_err e;
			struct sockaddr_in6 room; /* of either family */
		} got = {0};
		size_t n = c->cmsg_len - CMSG_LEN(0);

		if ((c->cmsg_level != IPPROTO_IP ||
		     c->cmsg_type != IP_RECVERR) &&
		    (c->cmsg_level != IPPROTO_IPV6 ||
		     c->cmsg_type != IPV6_RECVERR))
			continue;
		memcpy(&got, CMSG_DATA(c), n < sizeof(got) ? n : sizeof(got));
		note_offender(op, &got.e);
	}
}

static void note_times(struct net_stream_opening *op, const struct line *l)
{
	struct tcp_info ti = {0};
	socklen_t n = sizeof(ti);

	op->began_ns = l->began_ns;
	op->connect_ns = clock_mono_ns() - l->began_ns;
	if (getsockopt(l->fd, IPPROTO_TCP, TCP_INFO, &ti, &n))
		return;
	op->is_syn_repeated = ti.tcpi_total_retrans > 0;
	/* the kernel's own measure does not wait for the loop's turn */
	if (!op->is_syn_repeated && ti.tcpi_state == TCP_ESTABLISHED &&
	    ti.tcpi_rtt)
		op->connect_ns = (int64_t)ti.tcpi_rtt * NS_PER_US;
}

static void on_event(unsigned events, void *arg)
{
	struct line *l = arg;
	struct net_dial *d = l->dial;
	struct sockaddr_storage ss;
	socklen_t n = sizeof(int);
	const int no = 0;
	int err = 0;

	UNUSED(events);
	if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &err, &n))
		err = errno;
	n = sizeof(ss);
	if (!err && getpeername(l->fd, (struct sockaddr *)&ss, &n)) {
		if (errno == ENOTCONN)
			return; /* an event of the fd's previous life */
		err = errno;
	}
	note_times(d->op, l);
	if (err) {
		read_error_queue(d->op, l->fd);
		d->op->is_kept_here = d->conf.asks_here &&
		                      err == ECONNREFUSED &&
		                      d->op->offender.family == ADDR_NONE &&
		                      d->op->connect_ns < AT_ONCE_NS &&
		                      net_here_resets(&d->to);
		done(d, -1, err);
		return;
	}
	(void)setsockopt(l->fd, IPPROTO_IP, IP_RECVERR, &no, sizeof(no));
	(void)setsockopt(l->fd, IPPROTO_IPV6, IPV6_RECVERR, &no, sizeof(no));
	done(d, l->fd, 0);
}

static int set_options(int fd, const struct addr *to,
                       const struct net_stream_conf *c)
{
	const bool is_ip6 = to->family == ADDR_IP6;
	const struct linger at_once = {.l_onoff = 1};
	const struct {
		bool is_set;
		int level, name, value;
	} opts[] = {
		{c->local.family != ADDR_NONE, SOL_SOCKET, SO_REUSEADDR, 1},
		{c->ttl && !is_ip6, IPPROTO_IP, IP_TTL, c->ttl},
		{c->ttl && is_ip6, IPPROTO_IPV6, IPV6_UNICAST_HOPS, c->ttl},
		{c->ttl_min && !is_ip6, IPPROTO_IP, IP_MINTTL, c->ttl_min},
		{c->ttl_min && is_ip6, IPPROTO_IPV6, IPV6_MINHOPCOUNT,
	         c->ttl_min},
		{!is_ip6, IPPROTO_IP, IP_RECVERR, 1},
		{is_ip6, IPPROTO_IPV6, IPV6_RECVERR, 1},
	};

	if (c->is_abrupt &&
	    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)))
		return errno;
	for (size_t i = 0; i < ARRAY_LEN(opts); i++) {
		if (opts[i].is_set &&
		    setsockopt(fd, opts[i].level, opts[i].name, &opts[i].value,
		               sizeof(opts[i].value)))
			return errno;
	}
	return 0;
}

int net_dial_set_ttl(int fd, const struct addr *to, int ttl)
{
	const bool is_ip6 = to->family == ADDR_IP6;
	const int level = is_ip6 ? IPPROTO_IPV6 : IPPROTO_IP, yes = 1;
	const struct linger at_once = {.l_onoff = 1};

	if (ttl < 1 || ttl > MAX_TTL)
		return EINVAL;
	if (setsockopt(fd, level, is_ip6 ? IPV6_RECVERR : IP_RECVERR, &yes,
	               sizeof(yes)) ||
	    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) ||
	    setsockopt(fd, level, is_ip6 ? IPV6_UNICAST_HOPS : IP_TTL, &ttl,
	               sizeof(ttl)))
		return errno;
	return 0;
}

static int bind_local(int fd, const struct addr *local)
{
	struct sockaddr_storage ss;
	socklen_t n = addr_to_sockaddr(&ss, local);

	if (n == 0)
		return 0;
	return bind(fd, (struct sockaddr *)&ss, n) ? errno : 0;
}

/* What the network says at once is told by the timer, as if it were late. */
static void error_soon(struct net_dial *d, int err)
{
	d->error = err;
	net_timer_set(d->timer, 0);
}

static int line_open(struct net_dial *d, struct line *l)
{
	struct sockaddr_storage ss;
	socklen_t n = addr_to_sockaddr(&ss, &d->to);
	int err;

	l->fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	               0);
	if (l->fd < 0)
		return errno;
	err = set_options(l->fd, &d->to, &d->conf);
	if (!err)
		err = bind_local(l->fd, &d->conf.local);
	if (err)
		return err;
	l->began_ns = clock_mono_ns();
	if (d->op->began_ns == 0)
		d->op->began_ns = l->began_ns;
	d->op->n_tried++;
	if (connect(l->fd, (struct sockaddr *)&ss, n) && errno != EINPROGRESS) {
		error_soon(d, errno);
		return 0;
	}
	return net_fd_watch(l->fd, NET_FD_WRITE, on_event, l);
}

static void on_timer(void *arg)
{
	struct net_dial *d = arg;

	if (d->error) {
		done(d, -1, d->error);
	} else if (line_open(d, &d->lines[1])) {
		line_close(&d->lines[1]); /* the first has its chance yet */
	}
}

static bool is_conf_good(const struct addr *to, const struct net_stream_conf *c)
{
	return c->ttl >= 0 && c->ttl <= MAX_TTL && c->ttl_min >= 0 &&
	       c->ttl_min <= MAX_TTL &&
	       (c->local.family == ADDR_NONE ||
	        c->local.family == to->family) &&
	       !(c->local.port && c->second_after_ns);
}

int net_dial_start(struct net_dial **dp, const struct addr *to,
                   const struct net_stream_conf *conf,
                   struct net_stream_opening *op, net_dial_fn *fn, void *arg)
{
	struct net_dial *d;
	int err;

	if (!is_conf_good(to, conf))
		return EINVAL;
	d = calloc(1, sizeof(*d));
	if (!d)
		return ENOMEM;
	*d = (struct net_dial){
		.to = *to, .conf = *conf, .op = op, .fn = fn, .arg = arg};
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		d->lines[i] = (struct line){.dial = d, .fd = -1};
	err = net_timer_alloc(&d->timer, on_timer, d);
	if (!err && conf->second_after_ns)
		net_timer_set(d->timer, conf->second_after_ns);
	if (!err)
		err = line_open(d, &d->lines[0]);
	if (err)
		net_dial_free(d);
	else
		*dp = d;
	return err;
}

void net_dial_free(struct net_dial *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		line_close(&d->lines[i]);
	net_timer_free(d->timer);
	free(d);
}

bool net_dial_is_kept_here(const struct net_dial *d)
{
	unsigned n[NET_HERE_KEPT + 1] = {0};

	for (size_t i = 0; i < SOCKETS_MAX; i++)
		n[net_here_syn(d->lines[i].fd)]++;
	return n[NET_HERE_KEPT] > 0 && n[NET_HERE_SENT] == 0;
}

int net_stream_connect(struct net_stream **sp, const struct addr *to,
                       struct net_tls *tls, const struct net_stream_ops *ops,
                       void *arg)
{
	return net_stream_connect_as(sp, to, tls, NULL, ops, arg);
}
