/* SPDX-License-Identifier: ISC */
/*
 * Design: a peer is asked about before anything is allocated for it, and
 * what it may hold before it has shown good will is bounded: in number by
 * NET_PENDING_MAX and, so that no one peer keeps the others out, by
 * NET_PENDING_PER_SOURCE; in time by NET_HANDSHAKE_MS.
 */
#include "net/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/clock.h"
#include "net/guard.h"
#include "net/loop.h"
#include "net/stream_priv.h"
#include "net/tls_priv.h"

enum {
	ACCEPTS_PER_TURN = 16,
	DISCARD_BYTES = 65536,
	PAUSE_MS = 100, /* when no descriptor is left to accept with */
};

/* A connection on its way to on_stream. */
struct pending {
	struct net_listener *l;
	struct net_stream *s;
	struct pending *prev, *next;
};

struct net_listener {
	int fd;
	struct addr local;
	SSL_CTX *ctx; /* a reference of its own; NULL: plain */
	bool is_sniffing;
	const struct net_listener_ops *ops;
	void *arg;
	struct net_timer *pause;
	struct pending *pending;
	size_t n_pending;
	bool is_busy; /* inside its callbacks: freed when they return */
	bool is_closed;
};

static void pending_free(struct pending *p)
{
	struct net_listener *l = p->l;

	if (p->prev)
		p->prev->next = p->next;
	else
		l->pending = p->next;
	if (p->next)
		p->next->prev = p->prev;
	l->n_pending--;
	free(p);
}

static struct pending *pending_alloc(struct net_listener *l)
{
	struct pending *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->l = l;
	p->next = l->pending;
	if (p->next)
		p->next->prev = p;
	l->pending = p;
	l->n_pending++;
	return p;
}

static void dropped(struct net_listener *l, const struct addr *peer, int err)
{
	if (l->ops->on_dropped)
		l->ops->on_dropped(l->arg, peer, err);
}

static void on_ready(void *arg, struct net_stream *s, int err)
{
	struct pending *p = arg;
	struct net_listener *l = p->l;
	struct addr peer = net_stream_peer(s);

	pending_free(p);
	if (err) {
		net_stream_free(s);
		dropped(l, &peer, err);
	} else {
		l->ops->on_stream(l->arg, s);
	}
}

static bool has_room(const struct net_listener *l, const struct addr *peer)
{
	size_t n_same = 0;

	if (l->n_pending >= NET_PENDING_MAX)
		return false;
	for (const struct pending *p = l->pending; p; p = p->next) {
		struct addr other = net_stream_peer(p->s);

		n_same += addr_is_same_source(&other, peer);
	}
	return n_same < NET_PENDING_PER_SOURCE;
}

/* What it has sent already must not become a reset that overtakes ours. */
static void refuse(const struct net_listener *l, int fd,
                   const struct addr *peer)
{
	uint8_t buf[NET_REFUSAL_MAX_BYTES];
	struct wr w = wr_init(buf, sizeof(buf));

	if (l->ops->refuse)
		l->ops->refuse(l->arg, peer, &w);
	if (w.n && !w.bad) {
		(void)!send(fd, buf, w.n, MSG_NOSIGNAL | MSG_DONTWAIT);
		(void)shutdown(fd, SHUT_WR);
		(void)!recv(fd, NULL, DISCARD_BYTES, MSG_TRUNC | MSG_DONTWAIT);
	}
	(void)close(fd);
}

static void take(struct net_listener *l, int fd, const struct addr *peer)
{
	struct net_stream *s;
	struct pending *p;
	int err = ENOBUFS;

	if (!net_guard_allows(peer)) {
		(void)close(fd);
		return;
	}
	if (l->ops->may_accept && !l->ops->may_accept(l->arg, peer)) {
		refuse(l, fd, peer);
		return;
	}
	p = has_room(l, peer) ? pending_alloc(l) : NULL;
	if (p) {
		err = net_stream_accept(&s, fd, peer, l->ctx, l->is_sniffing,
		                        on_ready, p);
		if (!err) {
			/* plain: it is the user's by now, and p is gone */
			if (l->ctx)
				p->s = s;
			return;
		}
		pending_free(p);
	}
	(void)close(fd);
	dropped(l, peer, err);
}

static void on_event(unsigned events, void *arg);

static void resume(void *arg)
{
	struct net_listener *l = arg;

	if (net_fd_watch(l->fd, NET_FD_READ, on_event, l))
		net_timer_set(l->pause, PAUSE_MS * NS_PER_MS);
}

/* @return false: no more at this moment */
static bool accept_one(struct net_listener *l)
{
	struct sockaddr_storage ss = {0};
	socklen_t n = sizeof(ss);
	struct addr peer;
	int fd;

	fd = accept4(l->fd, (struct sockaddr *)&ss, &n,
	             SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		peer = addr_from_sockaddr((const struct sockaddr *)&ss);
		take(l, fd, &peer);
		return true;
	}
	switch (errno) {
	case EAGAIN:
		return false;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		/* the connection stays in the kernel's queue: asking again at
		 * once would only burn the processor */
		net_fd_unwatch(l->fd);
		net_timer_set(l->pause, PAUSE_MS * NS_PER_MS);
		return false;
	default:
		return true; /* this one went away */
	}
}

static void listener_release(struct net_listener *l)
{
	SSL_CTX_free(l->ctx);
	free(l);
}

static void on_event(unsigned events, void *arg)
{
	struct net_listener *l = arg;

	UNUSED(events);
	l->is_busy = true;
	for (int i = 0; i < ACCEPTS_PER_TURN && !l->is_closed; i++) {
		if (!accept_one(l))
			break;
	}
	l->is_busy = false;
	if (l->is_closed)
		listener_release(l);
}

/* What TPROXY asks of a socket, and sk_lookup does not: no harm where it may
 * not be set. */
static void make_transparent(int fd, enum addr_family family)
{
	const int yes = 1;

	if (family == ADDR_IP6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &yes,
		                 sizeof(yes));
	else
		(void)setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &yes,
		                 sizeof(yes));
}

static int listen_on(struct net_listener *l, const struct addr *local,
                     unsigned flags)
{
	const int is_shared = !!(flags & NET_LISTEN_REUSEPORT);
	const int is_v6only = !!(flags & NET_LISTEN_V6ONLY);
	const int yes = 1;
	struct sockaddr_storage ss;
	socklen_t n = addr_to_sockaddr(&ss, local);

	l->fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	               0);
	if (l->fd < 0 ||
	    setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) ||
	    setsockopt(l->fd, SOL_SOCKET, SO_REUSEPORT, &is_shared,
	               sizeof(is_shared)))
		return errno;
	if (local->family == ADDR_IP6 &&
	    setsockopt(l->fd, IPPROTO_IPV6, IPV6_V6ONLY, &is_v6only,
	               sizeof(is_v6only)))
		return errno;
	if (flags & NET_LISTEN_STEERED)
		make_transparent(l->fd, local->family);
	if (bind(l->fd, (struct sockaddr *)&ss, n) || listen(l->fd, SOMAXCONN))
		return errno;
	n = sizeof(ss);
	if (getsockname(l->fd, (struct sockaddr *)&ss, &n))
		return errno;
	l->local = addr_from_sockaddr((const struct sockaddr *)&ss);
	return net_fd_watch(l->fd, NET_FD_READ, on_event, l);
}

int net_listener_open(struct net_listener **lp, const struct addr *local,
                      struct net_tls *tls, unsigned flags,
                      const struct net_listener_ops *ops, void *arg)
{
	struct net_listener *l;
	int err;

	if (local->family == ADDR_NONE || (tls && !tls->is_server) ||
	    (!tls && flags & NET_LISTEN_SNIFF_TLS))
		return EINVAL;
	l = calloc(1, sizeof(*l));
	if (!l)
		return ENOMEM;
	l->fd = -1;
	l->ops = ops;
	l->arg = arg;
	l->is_sniffing = flags & NET_LISTEN_SNIFF_TLS;
	if (tls && SSL_CTX_up_ref(tls->ctx) == 1)
		l->ctx = tls->ctx;
	err = net_timer_alloc(&l->pause, resume, l);
	if (!err)
		err = listen_on(l, local, flags);
	if (err)
		net_listener_close(l);
	else
		*lp = l;
	return err;
}

struct addr net_listener_local(const struct net_listener *l)
{
	return l->local;
}

int net_listener_fd(const struct net_listener *l)
{
	return l->fd;
}

void net_listener_close(struct net_listener *l)
{
	if (!l || l->is_closed)
		return;
	l->is_closed = true;
	net_fd_unwatch(l->fd);
	if (l->fd >= 0)
		(void)close(l->fd);
	l->fd = -1;
	for (struct pending *p = l->pending, *next; p; p = next) {
		next = p->next;
		net_stream_free(p->s);
		free(p);
	}
	net_timer_free(l->pause);
	l->pause = NULL;
	if (!l->is_busy)
		listener_release(l);
}
