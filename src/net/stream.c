/* SPDX-License-Identifier: ISC */
/*
 * Design: non-blocking sockets and OpenSSL on the loop, instead of libre's
 * tcp and tls modules: those fix the order "TLS before the first byte", which
 * rules out sniffing, and keep the peer's certificate to themselves.
 *
 * A stream is in one stage at a time:
 *
 *   CONNECTING --> HANDSHAKING --> OPEN --> ENDED
 *   SNIFFING ----^      |           ^ |
 *       |               +--> ENDED  | |
 *       +---------------------------+ +--> freed
 *
 * It leaves every stage by way of opened() or ended(), which tell the user
 * last and touch nothing that the user may have freed; what the kernel
 * refuses before net_stream_connect() returns is told by the timer, so that
 * there is one way to hear about it.
 *
 * A TLS record is 16 KiB at most and one read takes a whole one, so OpenSSL
 * never sits on data that the loop knows nothing of.
 */
#include "net/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/clock.h"
#include "net/dial.h"
#include "net/guard.h"
#include "net/loop.h"
#include "net/stream_priv.h"
#include "net/tls_priv.h"

enum {
	READ_BYTES = 16384,
	READS_PER_TURN = 16,   /* then the other sockets have theirs */
	TLS_ALERT_BYTE = 0x15, /* record types, RFC 8446 section 5.1 */
	TLS_HANDSHAKE_BYTE = 0x16,
	DISCARD_BYTES = 65536,
	NS_PER_US = 1000,
};

enum stage {
	CONNECTING,
	SNIFFING,
	HANDSHAKING,
	OPEN,
	ENDED,
};

struct net_stream {
	int fd;
	enum stage stage;
	SSL *ssl; /* NULL: plain */
	bool ssl_wants_write;
	bool is_sealable;     /* close_notify makes sense */
	struct slice refusal; /* the peer may begin so; empty: no more */
	bool is_abrupt; /* close() alone sends the RST that was asked for */
	bool is_busy;   /* inside its callbacks: freed when they return */
	bool is_freed;
	unsigned watched;
	struct addr peer, local;
	struct net_stream_opening opening;
	struct net_dial *dial; /* while CONNECTING */
	int64_t hello_sent_ns; /* 0: not yet */
	struct wr queue;
	struct net_timer *timer; /* handshake, or an error to be told */
	int error;               /* what the timer tells */
	const struct net_stream_ops *ops;
	void *arg;
	net_stream_ready_fn *ready; /* instead of ops, until accepted */
	void *ready_arg;
};

static void ended(struct net_stream *s, int err)
{
	net_stream_ready_fn *ready = s->ready;

	if (s->stage == ENDED)
		return;
	s->stage = ENDED;
	s->is_sealable = s->is_sealable && err == 0;
	s->ready = NULL;
	net_fd_unwatch(s->fd);
	s->watched = 0;
	net_timer_cancel(s->timer);
	if (ready)
		ready(s->ready_arg, s, err);
	else if (s->ops)
		s->ops->on_close(s->arg, err);
}

/* From where the user must not be called: the timer does it. */
static void end_soon(struct net_stream *s, int err)
{
	if (s->error)
		return;
	s->error = err;
	net_timer_set(s->timer, 0);
}

static unsigned wanted_events(const struct net_stream *s)
{
	switch (s->stage) {
	case CONNECTING: /* the dial watches */
		return 0;
	case SNIFFING:
		return NET_FD_READ;
	case HANDSHAKING:
		return s->ssl_wants_write ? NET_FD_WRITE : NET_FD_READ;
	case OPEN:
		if (!s->ops)
			return 0;
		return s->queue.n || s->ssl_wants_write
		               ? NET_FD_READ | NET_FD_WRITE
		               : NET_FD_READ;
	case ENDED:
		break;
	}
	return 0;
}

static void on_event(unsigned events, void *arg);

static int watch(struct net_stream *s)
{
	unsigned events = wanted_events(s);
	int err;

	if (events == s->watched)
		return 0;
	if (events == 0) {
		net_fd_unwatch(s->fd);
	} else {
		err = net_fd_watch(s->fd, events, on_event, s);
		if (err)
			return err;
	}
	s->watched = events;
	return 0;
}

static void rewatch(struct net_stream *s)
{
	int err = watch(s);

	if (err)
		end_soon(s, err);
}

static void stream_release(struct net_stream *s)
{
	wr_fini(&s->queue);
	free(s);
}

/* After anything that may have called the user. */
static void leave(struct net_stream *s)
{
	s->is_busy = false;
	if (s->is_freed)
		stream_release(s);
	else if (s->stage != ENDED)
		rewatch(s);
}

/* OpenSSL's reason for a fatal alert received is its number and an offset. */
static void note_alert(struct net_stream *s)
{
	int reason = ERR_GET_REASON(ERR_peek_error());

	s->opening.is_old_tls = reason == SSL_R_UNSUPPORTED_PROTOCOL;
	if (reason < SSL_AD_REASON_OFFSET ||
	    reason > SSL_AD_REASON_OFFSET + UINT8_MAX)
		return;
	s->opening.is_alerted = true;
	s->opening.tls_alert = (uint8_t)(reason - SSL_AD_REASON_OFFSET);
}

/* What OpenSSL's result means. @return 0: the peer closed; EAGAIN: wait */
static int ssl_errno(struct net_stream *s, int result, int saved_errno)
{
	s->ssl_wants_write = false;
	switch (SSL_get_error(s->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return EAGAIN;
	case SSL_ERROR_WANT_WRITE:
		s->ssl_wants_write = true;
		return EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		return saved_errno ? saved_errno : ECONNRESET;
	default:
		note_alert(s);
		return EPROTO;
	}
}

/* @param n  Out: bytes written. @return 0, EAGAIN or what ended it */
static int write_some(struct net_stream *s, size_t *n, struct slice bytes)
{
	ssize_t sent;
	int ok, err;

	if (!s->ssl) {
		sent = send(s->fd, bytes.p, bytes.n,
		            MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0)
			return errno == EINTR || errno == EWOULDBLOCK ? EAGAIN
			                                              : errno;
		*n = (size_t)sent;
		return 0;
	}
	ERR_clear_error();
	errno = 0;
	ok = SSL_write_ex(s->ssl, bytes.p, bytes.n, n);
	if (ok == 1)
		return 0;
	err = ssl_errno(s, ok, errno);
	return err ? err : EPIPE;
}

static void queue_drop(struct net_stream *s, size_t n)
{
	s->queue.n -= n;
	if (s->queue.n)
		memmove(s->queue.p, s->queue.p + n, s->queue.n);
	else
		wr_fini(&s->queue);
}

/* @return 0 or what ended the stream */
static int flush(struct net_stream *s)
{
	struct slice rest = wr_slice(&s->queue);
	size_t n = 0;
	int err = 0;

	while (rest.n && !err) {
		err = write_some(s, &n, rest);
		if (!err)
			rest = slice_sub(rest, n, SIZE_MAX);
	}
	if (s->queue.n > rest.n)
		queue_drop(s, s->queue.n - rest.n);
	return err == EAGAIN ? 0 : err;
}

static void opened(struct net_stream *s)
{
	net_stream_ready_fn *ready = s->ready;
	int err;

	s->stage = OPEN;
	s->is_sealable = s->ssl != NULL;
	s->ssl_wants_write = false;
	s->ready = NULL;
	net_timer_cancel(s->timer);
	if (ready)
		ready(s->ready_arg, s, 0);
	else if (s->ops && s->ops->on_open)
		s->ops->on_open(s->arg);
	if (s->is_freed || s->stage != OPEN)
		return;
	err = flush(s);
	if (err)
		ended(s, err);
}

/* Before OpenSSL has read anything of a server's. */
static void see_first_byte(struct net_stream *s)
{
	uint8_t first;

	if (!s->hello_sent_ns || s->opening.hello_ns ||
	    recv(s->fd, &first, 1, MSG_PEEK | MSG_DONTWAIT) != 1)
		return;
	s->opening.hello_ns = clock_mono_ns() - s->hello_sent_ns;
	s->opening.is_not_tls =
		first != TLS_HANDSHAKE_BYTE && first != TLS_ALERT_BYTE;
}

/* Only what comes first can be a refusal. */
static bool is_refused(struct net_stream *s)
{
	uint8_t buf[NET_REFUSAL_MAX_BYTES];
	ssize_t n;
	struct rd r;

	if (s->refusal.n == 0)
		return false;
	n = recv(s->fd, buf, sizeof(buf), MSG_PEEK | MSG_DONTWAIT);
	if (n < 0)
		return false;
	r = rd_init((struct slice){buf, (size_t)n});
	if (!slice_eq(rd_take(&r, s->refusal.n), s->refusal) ||
	    r.left != NET_REFUSAL_BYTES) {
		s->refusal.n = 0;
		return false;
	}
	memcpy(s->opening.refusal, r.p, NET_REFUSAL_BYTES);
	return true;
}

static bool may_be_refused(const struct net_stream *s)
{
	return s->refusal.n > 0 && s->hello_sent_ns == 0;
}

/* OpenSSL would read at once, and a refusal that comes just then would be lost
 * in it: this time it finds nothing. */
static int say_hello(struct net_stream *s)
{
	BIO *nothing = BIO_new(BIO_s_mem()), *peer = SSL_get_rbio(s->ssl);
	int r;

	if (!nothing || BIO_up_ref(peer) != 1) {
		BIO_free(nothing);
		return SSL_do_handshake(s->ssl);
	}
	SSL_set0_rbio(s->ssl, nothing);
	r = SSL_do_handshake(s->ssl);
	SSL_set0_rbio(s->ssl, peer);
	BIO_set_retry_read(peer); /* as nothing was: SSL_get_error() looks */
	return r;
}

static void handshake(struct net_stream *s)
{
	int r, err;

	if (is_refused(s)) {
		ended(s, EUSERS);
		return;
	}
	see_first_byte(s);
	ERR_clear_error();
	errno = 0;
	r = may_be_refused(s) ? say_hello(s) : SSL_do_handshake(s->ssl);
	if (!s->hello_sent_ns && !SSL_is_server(s->ssl))
		s->hello_sent_ns = clock_mono_ns();
	if (r == 1) {
		if (s->hello_sent_ns)
			s->opening.secure_ns =
				clock_mono_ns() - s->hello_sent_ns;
		opened(s);
		return;
	}
	err = ssl_errno(s, r, errno);
	if (err != EAGAIN)
		ended(s, err ? err : ECONNRESET);
}

static int local_name(struct net_stream *s)
{
	struct sockaddr_storage ss = {0};
	socklen_t n = sizeof(ss);

	if (getsockname(s->fd, (struct sockaddr *)&ss, &n))
		return errno;
	s->local = addr_from_sockaddr((const struct sockaddr *)&ss);
	return 0;
}

static void sniff(struct net_stream *s)
{
	uint8_t first;
	ssize_t n = recv(s->fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		ended(s, n < 0 ? errno : ECONNRESET);
	} else if (first == TLS_HANDSHAKE_BYTE) {
		s->stage = HANDSHAKING;
		handshake(s);
	} else {
		SSL_free(s->ssl);
		s->ssl = NULL;
		opened(s);
	}
}

/* @return 0 with *n bytes, EAGAIN, or the end: *n is 0 and its errno or 0 */
static int read_some(struct net_stream *s, uint8_t *buf, size_t *n)
{
	ssize_t got;
	int ok;

	*n = 0;
	if (s->ssl) {
		ERR_clear_error();
		errno = 0;
		ok = SSL_read_ex(s->ssl, buf, READ_BYTES, n);
		return ok == 1 ? 0 : ssl_errno(s, ok, errno);
	}
	got = recv(s->fd, buf, READ_BYTES, MSG_DONTWAIT);
	if (got < 0)
		return errno == EINTR || errno == EWOULDBLOCK ? EAGAIN : errno;
	*n = (size_t)got;
	return 0;
}

static void drain(struct net_stream *s)
{
	uint8_t buf[READ_BYTES];

	for (int i = 0; i < READS_PER_TURN; i++) {
		size_t n;
		int err;

		if (s->is_freed || s->stage != OPEN || !s->ops)
			return;
		err = read_some(s, buf, &n);
		if (err == EAGAIN)
			return;
		if (n == 0) {
			ended(s, err);
			return;
		}
		s->ops->on_data(s->arg, (struct slice){buf, n});
	}
}

static void on_event(unsigned events, void *arg)
{
	struct net_stream *s = arg;
	int err;

	UNUSED(events);
	s->is_busy = true;
	switch (s->stage) {
	case CONNECTING:
		break;
	case SNIFFING:
		sniff(s);
		break;
	case HANDSHAKING:
		handshake(s);
		break;
	case OPEN:
		if (is_refused(s)) {
			ended(s, EUSERS);
			break;
		}
		/* what the peer said before it closed is read before a failed
		 * write ends the stream */
		drain(s);
		if (s->is_freed || s->stage != OPEN)
			break;
		err = flush(s);
		if (err)
			ended(s, err);
		break;
	case ENDED:
		break;
	}
	leave(s);
}

static void on_timer(void *arg)
{
	struct net_stream *s = arg;

	s->is_busy = true;
	ended(s, s->error ? s->error : ETIMEDOUT);
	leave(s);
}

static int stream_alloc(struct net_stream **sp, const struct addr *peer,
                        SSL_CTX *ctx)
{
	struct net_stream *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return ENOMEM;
	s->fd = -1;
	s->peer = *peer;
	s->queue = wr_init_heap();
	err = net_timer_alloc(&s->timer, on_timer, s);
	if (!err && ctx) {
		s->ssl = SSL_new(ctx);
		if (!s->ssl)
			err = ENOMEM;
	}
	if (err)
		net_stream_free(s);
	else
		*sp = s;
	return err;
}

/* From here on the stream owns @p fd, if it returns 0. */
static int adopt(struct net_stream *s, int fd)
{
	const int yes = 1, no = 0;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)))
		return errno;
	/* In a TLS handshake each side's next flight carries the ACK; no harm
	 * where it fails. */
	if (s->ssl)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &no,
		                 sizeof(no));
	if (s->ssl && SSL_set_fd(s->ssl, fd) != 1)
		return ENOMEM;
	s->fd = fd;
	return 0;
}

static void connected(struct net_stream *s)
{
	int err = local_name(s);

	if (err) {
		ended(s, err);
	} else if (s->ssl) {
		s->stage = HANDSHAKING;
		handshake(s);
	} else {
		opened(s);
	}
}

static void on_dialled(void *arg, int fd, int err)
{
	struct net_stream *s = arg;

	net_dial_free(s->dial);
	s->dial = NULL;
	s->is_busy = true;
	if (!err) {
		err = adopt(s, fd);
		if (err)
			(void)close(fd);
	}
	if (err)
		ended(s, err);
	else
		connected(s);
	leave(s);
}

int net_stream_connect_as(struct net_stream **sp, const struct addr *to,
                          struct net_tls *tls,
                          const struct net_stream_conf *conf,
                          const struct net_stream_ops *ops, void *arg)
{
	const struct net_stream_conf plain = {0};
	struct net_stream *s;
	int err;

	if (to->family == ADDR_NONE || to->port == 0 || (tls && tls->is_server))
		return EINVAL;
	if (!net_guard_allows(to))
		return EPERM;
	err = stream_alloc(&s, to, tls ? tls->ctx : NULL);
	if (err)
		return err;
	s->ops = ops;
	s->arg = arg;
	s->stage = CONNECTING;
	s->is_abrupt = conf && conf->is_abrupt;
	if (conf)
		s->refusal = conf->refusal;
	if (tls) {
		SSL_set_connect_state(s->ssl);
		if (tls->name &&
		    SSL_set_tlsext_host_name(s->ssl, tls->name) != 1)
			err = ENOMEM;
	}
	if (!err)
		err = net_dial_start(&s->dial, to, conf ? conf : &plain,
		                     &s->opening, on_dialled, s);
	if (err)
		net_stream_free(s);
	else
		*sp = s;
	return err;
}

int net_stream_accept(struct net_stream **sp, int fd, const struct addr *peer,
                      struct ssl_ctx_st *ctx, bool is_sniffed,
                      net_stream_ready_fn *ready, void *arg)
{
	struct net_stream *s;
	int err;

	err = stream_alloc(&s, peer, ctx);
	if (err)
		return err;
	if (ctx)
		SSL_set_accept_state(s->ssl);
	s->stage = is_sniffed ? SNIFFING : HANDSHAKING;
	err = adopt(s, fd);
	if (!err)
		err = local_name(s);
	if (!err && ctx)
		err = watch(s);
	if (err) {
		net_fd_unwatch(fd);
		s->fd = -1; /* stays the caller's */
		net_stream_free(s);
		return err;
	}
	s->ready = ready;
	s->ready_arg = arg;
	*sp = s;
	if (ctx) {
		net_timer_set(s->timer, NET_HANDSHAKE_MS * NS_PER_MS);
		return 0;
	}
	s->is_busy = true;
	opened(s);
	leave(s);
	return 0;
}

int net_stream_send(struct net_stream *s, struct slice bytes)
{
	size_t n = 0;
	int err = 0;

	if (s->stage == ENDED || s->error)
		return ENOTCONN;
	if (bytes.n > NET_STREAM_QUEUE_BYTES - s->queue.n)
		return ENOBUFS;
	while (bytes.n && s->stage == OPEN && s->queue.n == 0 && !err) {
		err = write_some(s, &n, bytes);
		if (!err)
			bytes = slice_sub(bytes, n, SIZE_MAX);
	}
	if (err && err != EAGAIN) {
		end_soon(s, err);
		return ENOTCONN;
	}
	wr_put(&s->queue, bytes);
	if (s->queue.bad) {
		end_soon(s, ENOMEM);
		return ENOMEM;
	}
	if (!s->is_busy)
		rewatch(s);
	return 0;
}

int net_stream_start_tls(struct net_stream *s, struct net_tls *tls)
{
	if (s->stage != OPEN || s->ssl || s->error)
		return EINVAL;
	if (s->queue.n)
		return EBUSY;
	s->ssl = SSL_new(tls->ctx);
	if (!s->ssl)
		return ENOMEM;
	if (tls->is_server)
		SSL_set_accept_state(s->ssl);
	else
		SSL_set_connect_state(s->ssl);
	if (SSL_set_fd(s->ssl, s->fd) != 1 ||
	    (tls->name && SSL_set_tlsext_host_name(s->ssl, tls->name) != 1)) {
		SSL_free(s->ssl);
		s->ssl = NULL;
		return ENOMEM;
	}
	s->stage = HANDSHAKING;
	s->ssl_wants_write = !tls->is_server;
	if (tls->is_server)
		net_timer_set(s->timer, NET_HANDSHAKE_MS * NS_PER_MS);
	if (!s->is_busy)
		rewatch(s);
	return 0;
}

size_t net_stream_queued_bytes(const struct net_stream *s)
{
	return s->queue.n;
}

void net_stream_set_ops(struct net_stream *s, const struct net_stream_ops *ops,
                        void *arg)
{
	s->ops = ops;
	s->arg = arg;
	if (!s->is_busy && s->stage != ENDED)
		rewatch(s);
}

int net_stream_set_ttl(struct net_stream *s, int ttl)
{
	s->is_abrupt = true;
	return s->fd < 0 ? ENOTCONN : net_dial_set_ttl(s->fd, &s->peer, ttl);
}

struct addr net_stream_peer(const struct net_stream *s)
{
	return s->peer;
}

struct addr net_stream_local(const struct net_stream *s)
{
	return s->local;
}

bool net_stream_is_tls(const struct net_stream *s)
{
	return s->ssl != NULL;
}

const char *net_stream_tls_version(const struct net_stream *s)
{
	if (!s->ssl || !SSL_is_init_finished(s->ssl))
		return NULL;
	return SSL_get_version(s->ssl);
}

struct slice net_stream_alpn(const struct net_stream *s)
{
	const unsigned char *p = NULL;
	unsigned n = 0;

	if (s->ssl)
		SSL_get0_alpn_selected(s->ssl, &p, &n);
	return (struct slice){p, n};
}

struct net_stream_opening net_stream_opening(const struct net_stream *s)
{
	struct net_stream_opening o = s->opening;

	if (s->dial)
		o.is_kept_here = net_dial_is_kept_here(s->dial);
	return o;
}

int64_t net_stream_rtt_ns(const struct net_stream *s)
{
	struct tcp_info ti = {0};
	socklen_t n = sizeof(ti);

	if (s->fd < 0 || s->stage == ENDED ||
	    getsockopt(s->fd, IPPROTO_TCP, TCP_INFO, &ti, &n))
		return 0;
	return (int64_t)ti.tcpi_rtt * NS_PER_US;
}

struct ssl_st *net_stream_ssl(const struct net_stream *s)
{
	return s->ssl;
}

/* It has said its close_notify: nobody is left to read ours. */
static bool is_peer_gone(const struct net_stream *s)
{
	return SSL_get_shutdown(s->ssl) & SSL_RECEIVED_SHUTDOWN;
}

void net_stream_free(struct net_stream *s)
{
	const int yes = 1;

	if (!s || s->is_freed)
		return;
	net_dial_free(s->dial);
	s->dial = NULL;
	net_fd_unwatch(s->fd);
	if (s->ssl && s->is_sealable && !is_peer_gone(s)) {
		/* close_notify leaves together with the FIN */
		(void)setsockopt(s->fd, IPPROTO_TCP, TCP_CORK, &yes,
		                 sizeof(yes));
		ERR_clear_error();
		(void)SSL_shutdown(s->ssl);
	}
	SSL_free(s->ssl);
	s->ssl = NULL;
	if (s->fd >= 0 && !s->is_abrupt) {
		/* close() with bytes unread sends RST, which would destroy
		 * what the peer has yet to read */
		(void)shutdown(s->fd, SHUT_WR);
		(void)!recv(s->fd, NULL, DISCARD_BYTES,
		            MSG_TRUNC | MSG_DONTWAIT);
	}
	if (s->fd >= 0)
		(void)close(s->fd);
	s->fd = -1;
	net_timer_free(s->timer);
	s->timer = NULL;
	s->is_freed = true;
	if (!s->is_busy)
		stream_release(s);
}
