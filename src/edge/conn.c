/* SPDX-License-Identifier: ISC */
/*
 * Design: a connection gathers bytes until they make a message, which is
 * then handled as a datagram is. What it is for is told by its first bytes
 * and by what its port understands, so that one port serves phones, browsers
 * and probers; everybody here lets the client speak first. A message must
 * become whole within a time, or a byte now and then would hold a place for
 * ever. Closing happens
 * in one place, after a callback is done with its connection (is_dead), since
 * an answer may end the very flow that it goes along.
 *
 * What leaves a connection with a small TTL is sent again and again by the
 * kernel, as long as nobody takes it: so that is the last that such a
 * connection is used for, it lives for some seconds more, and ends by a reset
 * that arrives.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "edge/inside.h"
#include "net/stream.h"
#include "sip/msg.h"
#include "stun/msg.h"

enum {
	TTL = 64, /* what everything else leaves with */
};

bool edge_conn_may(struct edge_server *s, const struct addr *peer,
                   bool is_visit)
{
	size_t n_same = 0, n = 0;

	for (size_t i = 0; i < s->n_conns; i++) {
		const struct edge_conn *c = s->conns[i];

		if (!(c->speaks & EDGE_RANGE) == is_visit)
			continue;
		n++;
		n_same += addr_is_same_source(&c->flow.remote, peer);
	}
	if (s->n_conns == EDGE_CONNS_MAX)
		return false;
	if (is_visit)
		return n < EDGE_VISITS_MAX && n_same < EDGE_VISITS_PER_SOURCE;
	return n_same < EDGE_CONNS_PER_SOURCE;
}

struct edge_conn *edge_conn_find(struct edge_server *s, uint64_t number)
{
	for (size_t i = 0; i < s->n_conns; i++) {
		if (s->conns[i]->flow.conn == number)
			return s->conns[i];
	}
	return NULL;
}

/* Of the same source, which has said nothing on it. */
static struct edge_conn *find_beside(struct edge_server *s,
                                     const struct edge_conn *tie, uint16_t port)
{
	for (size_t i = 0; i < s->n_conns; i++) {
		struct edge_conn *c = s->conns[i];

		if (c->flow.transport == WIRE_TCP &&
		    c->flow.local.port == port && c->kind == EDGE_CONN_NEW &&
		    c->in.n == 0 && addr_eq(&c->flow.remote, &tie->flow.remote))
			return c;
	}
	return NULL;
}

int edge_conn_walk(struct edge_server *s, const struct edge_job *job)
{
	struct edge_conn *c = edge_conn_find(s, job->flow.conn);
	int err = 0;

	if (c && !c->is_dead && job->is_beside)
		c = find_beside(s, c, job->from_port);
	if (!c || c->is_dead || c->walk.is_on)
		return EPIPE;
	if (job->ttl)
		err = net_stream_set_ttl(c->stream, job->ttl);
	if (err)
		return err;
	if (job->ttl) {
		c->walk.is_on = true;
		c->walk.shot = job->shot;
		c->walk.since_ns = clock_mono_ns();
		edge_session_id(c->walk.session, job->session);
	}
	return edge_talk_send(c, job->bytes);
}

void edge_conn_close(struct edge_conn *c)
{
	struct edge_server *s = c->server;

	for (size_t i = 0; i < s->n_conns; i++) {
		if (s->conns[i] == c) {
			s->conns[i] = s->conns[--s->n_conns];
			break;
		}
	}
	if (c->session) {
		edge_session_close(s->sessions, c->session);
		edge_server_rearm(s);
	}
	if (c->walk.is_on)
		(void)!net_stream_set_ttl(c->stream, TTL);
	net_stream_free(c->stream);
	wire_stream_fini(&c->frames);
	edge_xmpp_free(c->xmpp);
	wr_fini(&c->message);
	wr_fini(&c->in);
	wr_fini(&c->out);
	free(c);
}

void edge_conn_handle(struct edge_conn *c, struct slice bytes)
{
	struct edge_arrival a = {
		.flow = c->flow,
		.speaks = c->speaks,
		.mono_ns = c->heard_ns,
		.wall_ns = clock_wall_ns(),
		.bytes = bytes,
	};

	if (wire_tag_find(&c->tag, bytes))
		c->has_tag = true;
	c->server->counts.messages++;
	edge_server_handle(c->server, &a);
}

void edge_conn_put(struct edge_conn *c, const struct wr *w)
{
	if (w->bad || (w->n && net_stream_send(c->stream, wr_slice(w))))
		c->is_dead = true;
	c->server->counts.answers += w->n > 0;
}

/* One message off the front. @return its length; 0: wait, or dead */
static size_t next_sip(struct edge_conn *c, struct slice in)
{
	size_t n = 0;

	switch (sip_stream_len(&n, in)) {
	case SIP_FRAME_MSG:
	case SIP_FRAME_PING:
		edge_conn_handle(c, slice_sub(in, 0, n));
		return n;
	case SIP_FRAME_PONG:
		/* alone, it may be the first half of a ping */
		return n < in.n ? n : 0;
	case SIP_FRAME_MORE:
		return 0;
	case SIP_FRAME_BAD:
		break;
	}
	/* no answer to that, but its sender wants to know what arrived */
	edge_conn_handle(c, slice_sub(in, 0, SIP_STREAM_MAX_BYTES));
	c->is_dead = true;
	return 0;
}

static size_t next_stun(struct edge_conn *c, struct slice in)
{
	size_t n = 0;
	int err = stun_msg_frame(&n, in);

	if (err == EAGAIN)
		return 0;
	if (err) {
		c->is_dead = true;
		return 0;
	}
	edge_conn_handle(c, slice_sub(in, 0, n));
	return n;
}

static size_t next_hello(struct edge_conn *c, struct slice in)
{
	if (in.n < WIRE_HELLO_BYTES)
		return 0;
	edge_conn_handle(c, slice_sub(in, 0, WIRE_HELLO_BYTES));
	return WIRE_HELLO_BYTES;
}

static size_t next(struct edge_conn *c, struct slice in)
{
	switch (c->kind) {
	case EDGE_CONN_SIP:
		return next_sip(c, in);
	case EDGE_CONN_STUN:
		return next_stun(c, in);
	case EDGE_CONN_HELLO:
		return next_hello(c, in);
	case EDGE_CONN_HTTP:
		return edge_talk_http(c, in);
	case EDGE_CONN_WS_SIP:
	case EDGE_CONN_WS_XMPP:
		return edge_talk_ws(c, in);
	case EDGE_CONN_XMPP:
		return edge_talk_xmpp(c, in);
	case EDGE_CONN_DNS:
		return edge_talk_dns(c, in);
	case EDGE_CONN_NEW:
	case EDGE_CONN_CONTROL:
		break;
	}
	return 0;
}

static void drain(struct edge_conn *c)
{
	size_t at = 0, n;

	do {
		/* in place: WebSocket unmasks there */
		struct slice in = slice_sub(wr_slice(&c->in), at, SIZE_MAX);

		n = in.n ? next(c, in) : 0;
		at += n;
	} while (n > 0 && !c->is_dead);
	if (at > 0) {
		memmove(c->in.p, c->in.p + at, c->in.n - at);
		c->in.n -= at;
		c->began_ns = c->heard_ns;
	}
	/* A prober that has asked its SIP question over TLS goes on with the
	 * control session: one handshake serves both. */
	if (c->in.n == 0 && c->flow.transport == WIRE_TLS &&
	    c->kind == EDGE_CONN_SIP)
		c->kind = EDGE_CONN_NEW;
}

/* @return 0: no; 1: so far; 2: yes */
static int begins_with(struct slice got, const char *text)
{
	struct slice want = slice_str(text);
	struct slice part = slice_sub(got, 0, want.n);

	if (!slice_eq(part, slice_sub(want, 0, part.n)))
		return 0;
	return part.n < want.n ? 1 : 2;
}

static bool is_http(struct slice in)
{
	static const char *const methods[] = {"GET ", "HEAD ", "POST "};

	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		if (begins_with(in, methods[i]))
			return true;
	}
	return false;
}

/* By what the port understands. */
static enum edge_conn_kind tell_service(struct edge_conn *c, struct slice in)
{
	enum {
		STUN_TYPE_MAX = 3,
	};
	const unsigned speaks = c->speaks;
	const unsigned services = speaks & (EDGE_SIP | EDGE_STUN | EDGE_HTTP |
	                                    EDGE_XMPP | EDGE_DNS);

	if (speaks & EDGE_DNS)
		return EDGE_CONN_DNS;
	if (services == EDGE_STUN ||
	    (speaks & EDGE_STUN && in.p[0] <= STUN_TYPE_MAX))
		return EDGE_CONN_STUN;
	if (speaks & EDGE_XMPP && (in.p[0] == '<' || services == EDGE_XMPP))
		return EDGE_CONN_XMPP;
	if (speaks & EDGE_HTTP && (is_http(in) || !(speaks & EDGE_SIP)))
		return EDGE_CONN_HTTP;
	if (speaks & EDGE_SIP)
		return EDGE_CONN_SIP;
	c->is_dead = true;
	return EDGE_CONN_NEW;
}

static enum edge_conn_kind tell(struct edge_conn *c)
{
	static const char hello[] = "PRM\xf1";
	struct slice in = wr_slice(&c->in);
	bool has_control =
		c->flow.transport == WIRE_TLS && c->speaks & EDGE_SIP;

	if (begins_with(in, hello) == 2)
		return EDGE_CONN_HELLO;
	if (has_control && begins_with(in, WIRE_PREFACE) == 2)
		return EDGE_CONN_CONTROL;
	if (begins_with(in, hello) ||
	    (has_control && begins_with(in, WIRE_PREFACE)))
		return EDGE_CONN_NEW;
	return tell_service(c, in);
}

static void on_bytes(struct edge_conn *c, struct slice bytes)
{
	if (c->in.n == 0)
		c->began_ns = c->heard_ns;
	wr_put(&c->in, bytes);
	if (c->in.bad)
		c->is_dead = true;
	else if (c->kind == EDGE_CONN_NEW)
		c->kind = tell(c);
	if (c->kind == EDGE_CONN_CONTROL) {
		edge_control_data(c, wr_slice(&c->in));
		wr_fini(&c->in);
	} else if (c->kind != EDGE_CONN_NEW && !c->is_dead) {
		drain(c);
	}
}

static void on_data(void *arg, struct slice bytes)
{
	struct edge_conn *c = arg;

	c->heard_ns = clock_mono_ns();
	if (c->kind == EDGE_CONN_CONTROL)
		edge_control_data(c, bytes);
	else
		on_bytes(c, bytes);
	if (c->is_dead)
		edge_conn_close(c);
}

static void on_open(void *arg)
{
	struct edge_conn *c = arg;

	c->flow.transport = WIRE_TLS;
	edge_talk_secured(c);
	if (c->is_dead)
		edge_conn_close(c);
}

/* The kernel gives the error of an open connection, and not who sent it. */
static void tell_died(struct edge_conn *c)
{
	struct edge_server *s = c->server;
	const struct wire_died died = {.shot = c->walk.shot};
	struct edge_session *session =
		edge_session_find(s->sessions, c->walk.session);

	if (session && edge_session_may_tell(session))
		edge_control_died(s, session, &died);
}

static void on_close(void *arg, int err)
{
	struct edge_conn *c = arg;

	if (c->walk.is_on && err == EHOSTUNREACH)
		tell_died(c);
	edge_conn_close(c);
}

static const struct net_stream_ops stream_ops = {
	.on_open = on_open,
	.on_data = on_data,
	.on_close = on_close,
};

void edge_conn_start(struct edge_socket *at, struct net_stream *stream)
{
	struct edge_server *s = at->server;
	struct edge_conn *c = NULL;
	struct addr peer = net_stream_peer(stream);
	bool is_tls = net_stream_is_tls(stream);

	/* handshakes in progress were not counted yet: ask again */
	if (edge_conn_may(s, &peer, at->speaks & EDGE_RANGE))
		c = calloc(1, sizeof(*c));
	if (!c) {
		s->counts.refused++;
		net_stream_free(stream);
		return;
	}
	c->server = s;
	c->stream = stream;
	c->flow = (struct edge_flow){
		.transport = is_tls ? WIRE_TLS : WIRE_TCP,
		.local = net_stream_local(stream),
		.remote = peer,
		.conn = ++s->last_conn,
	};
	c->speaks = edge_listen_speaks(at, &c->flow.local);
	c->opened_ns = c->heard_ns = clock_mono_ns();
	c->in = wr_init_heap();
	c->out = wr_init_heap();
	c->message = wr_init_heap();
	wire_stream_init(&c->frames, true);
	s->conns[s->n_conns++] = c;
	net_stream_set_ops(stream, &stream_ops, c);
}

/* A prober may be measuring how long a silent connection lives. */
static bool is_watched(const struct edge_conn *c)
{
	return c->has_tag &&
	       edge_session_find(c->server->sessions, c->tag.session);
}

/* Of those that nobody keeps open for long. */
static bool is_brief(const struct edge_conn *c)
{
	switch (c->kind) {
	case EDGE_CONN_NEW:
		return !(c->speaks & EDGE_SIP);
	case EDGE_CONN_HELLO:
	case EDGE_CONN_HTTP:
	case EDGE_CONN_XMPP:
	case EDGE_CONN_WS_XMPP:
	case EDGE_CONN_DNS:
		return true;
	case EDGE_CONN_STUN:
		return c->speaks & EDGE_RANGE;
	default:
		return false;
	}
}

static bool is_over(const struct edge_conn *c, int64_t mono_ns)
{
	int64_t idle_s = is_brief(c) ? EDGE_BRIEF_IDLE_S : EDGE_CONN_IDLE_S;

	if (c->session)
		return edge_session_is_idle(c->session, mono_ns);
	if (c->walk.is_on &&
	    mono_ns - c->walk.since_ns >= EDGE_WALK_S * NS_PER_S)
		return true;
	/* it is read as it comes, and there is nothing to stay for */
	if (c->kind == EDGE_CONN_XMPP &&
	    mono_ns - c->opened_ns >= EDGE_MESSAGE_S * NS_PER_S)
		return true;
	if (c->in.n && mono_ns - c->began_ns >= EDGE_MESSAGE_S * NS_PER_S)
		return true;
	return mono_ns - c->heard_ns >= idle_s * NS_PER_S && !is_watched(c);
}

void edge_conn_sweep(struct edge_server *s, int64_t mono_ns)
{
	for (size_t i = s->n_conns; i-- > 0;) {
		struct edge_conn *c = s->conns[i];

		if (c->is_dead || is_over(c, mono_ns))
			edge_conn_close(c);
	}
}
