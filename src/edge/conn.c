/* SPDX-License-Identifier: ISC */
/*
 * Design: a connection gathers bytes until they make a message, which is
 * then handled as a datagram is. What a TLS connection is for is told by its
 * first bytes, so that one port serves phones and probers. Closing happens
 * in one place, after a callback is done with its connection (is_dead), since
 * an answer may end the very flow that it goes along.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "edge/inside.h"
#include "net/stream.h"
#include "sip/msg.h"
#include "stun/msg.h"

bool edge_conn_may(struct edge_server *s, const struct addr *peer)
{
	size_t n_same = 0;

	for (size_t i = 0; i < s->n_conns; i++)
		n_same += addr_is_same_source(&s->conns[i]->flow.remote, peer);
	return s->n_conns < EDGE_CONNS_MAX && n_same < EDGE_CONNS_PER_SOURCE;
}

struct edge_conn *edge_conn_find(struct edge_server *s, uint64_t number)
{
	for (size_t i = 0; i < s->n_conns; i++) {
		if (s->conns[i]->flow.conn == number)
			return s->conns[i];
	}
	return NULL;
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
	net_stream_free(c->stream);
	wire_stream_fini(&c->frames);
	wr_fini(&c->in);
	wr_fini(&c->out);
	free(c);
}

static void handle(struct edge_conn *c, struct slice bytes)
{
	struct edge_arrival a = {
		.flow = c->flow,
		.role = c->role,
		.mono_ns = c->heard_ns,
		.wall_ns = clock_wall_ns(),
		.bytes = bytes,
	};

	if (wire_tag_find(&c->tag, bytes))
		c->has_tag = true;
	c->server->counts.messages++;
	edge_server_handle(c->server, &a);
}

/* One message off the front. @return its length; 0: wait, or dead */
static size_t next_sip(struct edge_conn *c, struct slice in)
{
	size_t n = 0;

	switch (sip_stream_len(&n, in)) {
	case SIP_FRAME_MSG:
	case SIP_FRAME_PING:
		handle(c, slice_sub(in, 0, n));
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
	handle(c, slice_sub(in, 0, SIP_STREAM_MAX_BYTES));
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
	handle(c, slice_sub(in, 0, n));
	return n;
}

static void drain(struct edge_conn *c)
{
	size_t at = 0, n;

	do {
		struct slice in = slice_sub(wr_slice(&c->in), at, SIZE_MAX);

		if (c->kind == EDGE_CONN_STUN)
			n = in.n ? next_stun(c, in) : 0;
		else
			n = in.n ? next_sip(c, in) : 0;
		at += n;
	} while (n > 0 && !c->is_dead);
	if (at > 0) {
		memmove(c->in.p, c->in.p + at, c->in.n - at);
		c->in.n -= at;
	}
	/* A prober that has asked its SIP question over TLS goes on with the
	 * control session: one handshake serves both. */
	if (c->in.n == 0 && c->flow.transport == WIRE_TLS &&
	    c->kind == EDGE_CONN_SIP)
		c->kind = EDGE_CONN_NEW;
}

/* The preface of the control session, a part of it, or something else? */
static enum edge_conn_kind tell(const struct edge_conn *c)
{
	struct slice want = slice_str(WIRE_PREFACE);
	struct slice got = slice_sub(wr_slice(&c->in), 0, want.n);

	if (!slice_eq(got, slice_sub(want, 0, got.n)))
		return EDGE_CONN_SIP;
	return got.n < want.n ? EDGE_CONN_NEW : EDGE_CONN_CONTROL;
}

static void on_data(void *arg, struct slice bytes)
{
	struct edge_conn *c = arg;

	c->heard_ns = clock_mono_ns();
	if (c->kind == EDGE_CONN_CONTROL) {
		edge_control_data(c, bytes);
	} else {
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
	if (c->is_dead)
		edge_conn_close(c);
}

static void on_close(void *arg, int err)
{
	UNUSED(err);
	edge_conn_close(arg);
}

static const struct net_stream_ops stream_ops = {
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
	if (edge_conn_may(s, &peer))
		c = calloc(1, sizeof(*c));
	if (!c) {
		s->counts.refused++;
		net_stream_free(stream);
		return;
	}
	c->server = s;
	c->stream = stream;
	c->role = at->role;
	if (at->role == WIRE_ROLE_STUN)
		c->kind = EDGE_CONN_STUN;
	else
		c->kind = is_tls ? EDGE_CONN_NEW : EDGE_CONN_SIP;
	c->flow = (struct edge_flow){
		.transport = is_tls ? WIRE_TLS : WIRE_TCP,
		.local = net_stream_local(stream),
		.remote = peer,
		.conn = ++s->last_conn,
	};
	c->heard_ns = clock_mono_ns();
	c->in = wr_init_heap();
	c->out = wr_init_heap();
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

void edge_conn_sweep(struct edge_server *s, int64_t mono_ns)
{
	for (size_t i = s->n_conns; i-- > 0;) {
		struct edge_conn *c = s->conns[i];
		bool is_idle =
			mono_ns - c->heard_ns >= EDGE_CONN_IDLE_S * NS_PER_S;

		if (c->session)
			is_idle = edge_session_is_idle(c->session, mono_ns);
		else if (is_watched(c))
			is_idle = false;
		if (is_idle || c->is_dead)
			edge_conn_close(c);
	}
}
