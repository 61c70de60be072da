/* SPDX-License-Identifier: ISC */
/*
 * Design: what HTTP, WebSocket, XMPP and DNS need of a connection; what they
 * say is decided in web.c, ws.c, xmpp.c and dns.c. SIP that comes in frames of
 * WebSocket is handled as all SIP is, and the answer finds its frame on the
 * way out (edge_talk_send()).
 */
#include <errno.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/text.h"
#include "edge/inside.h"
#include "net/stream.h"

enum {
	DNS_LENGTH_BYTES = 2,
};

static uint64_t random_id(void)
{
	uint64_t id = 0;

	/* an id that repeats is no danger here */
	(void)!getrandom(&id, sizeof(id), GRND_NONBLOCK);
	return id;
}

static bool may_answer(struct edge_conn *c)
{
	struct edge_server *s = c->server;

	s->counts.messages++;
	if (edge_limit_take(s->known, &c->flow.remote, c->heard_ns))
		return true;
	s->counts.limited++;
	c->is_dead = true;
	return false;
}

size_t edge_talk_http(struct edge_conn *c, struct slice in)
{
	const struct edge_web_conf *conf = &c->server->web;
	uint8_t buf[EDGE_WEB_ANSWER_MAX_BYTES];
	struct wr w = wr_init(buf, sizeof(buf));
	enum edge_web_next after = EDGE_WEB_CLOSE;
	struct edge_web_request r;
	size_t n = 0;
	int err;

	err = edge_web_read(&r, &n, in);
	if (err == EAGAIN || !may_answer(c))
		return 0;
	if (err)
		edge_web_refuse(&w, conf, err, clock_wall_ns());
	else
		after = edge_web_answer(&w, conf, &r, clock_wall_ns());
	edge_conn_put(c, &w);
	if (after == EDGE_WEB_SIP) {
		c->kind = EDGE_CONN_WS_SIP;
		c->speaks = EDGE_SIP; /* inside, not the port */
	} else if (after == EDGE_WEB_XMPP) {
		c->kind = EDGE_CONN_WS_XMPP;
	} else if (after == EDGE_WEB_CLOSE) {
		c->is_dead = true;
	}
	return n;
}

/* A string that is not UTF-8 must not travel as text (section 8.1). */
static enum edge_ws_opcode opcode_for(struct slice bytes)
{
	while (bytes.n) {
		size_t n = text_utf8_len(bytes);

		if (!n)
			return EDGE_WS_BINARY;
		bytes = slice_sub(bytes, n, SIZE_MAX);
	}
	return EDGE_WS_TEXT;
}

int edge_talk_send(struct edge_conn *c, struct slice bytes)
{
	struct wr w = wr_init_heap();
	int err = ENOMEM;

	if (c->kind == EDGE_CONN_WS_SIP) {
		edge_ws_put(&w, opcode_for(bytes), bytes);
	} else if (c->kind == EDGE_CONN_DNS) {
		wr_u16(&w, (uint16_t)bytes.n);
		wr_put(&w, bytes);
	} else {
		return net_stream_send(c->stream, bytes);
	}
	if (!w.bad)
		err = net_stream_send(c->stream, wr_slice(&w));
	wr_fini(&w);
	return err;
}

static void on_xmpp_message(struct edge_conn *c, struct slice message)
{
	uint8_t text[EDGE_XMPP_ANSWER_MAX_BYTES];
	uint8_t frame[2 * EDGE_XMPP_ANSWER_MAX_BYTES];
	struct wr t = wr_init(text, sizeof(text));
	struct wr w = wr_init(frame, sizeof(frame));
	enum edge_xmpp_next after;

	if (!may_answer(c))
		return;
	after = edge_xmpp_message(&t, message, random_id());
	edge_ws_put(&w, EDGE_WS_TEXT, wr_slice(&t));
	if (after == EDGE_XMPP_MORE) {
		t.n = 0;
		edge_xmpp_features(&t);
		edge_ws_put(&w, EDGE_WS_TEXT, wr_slice(&t));
	} else {
		edge_ws_put_close(&w, EDGE_WS_NORMAL);
		c->is_dead = true;
	}
	edge_conn_put(c, &w);
}

static void on_message(struct edge_conn *c, struct slice message)
{
	if (c->kind == EDGE_CONN_WS_SIP)
		edge_conn_handle(c, message);
	else
		on_xmpp_message(c, message);
}

static void end_ws(struct edge_conn *c, uint16_t reason)
{
	uint8_t buf[EDGE_WS_HDR_MAX_BYTES];
	struct wr w = wr_init(buf, sizeof(buf));

	edge_ws_put_close(&w, reason);
	edge_conn_put(c, &w);
	c->is_dead = true;
}

static void on_piece(struct edge_conn *c, const struct edge_ws_frame *f)
{
	bool is_first = f->opcode != EDGE_WS_CONTINUE;

	/* what begins must have ended, what goes on must have begun */
	if (is_first == c->is_in_message) {
		end_ws(c, EDGE_WS_PROTOCOL);
		return;
	}
	if (is_first && f->is_last) {
		on_message(c, f->payload);
		return;
	}
	c->is_in_message = !f->is_last;
	wr_put(&c->message, f->payload);
	if (c->message.bad || c->message.n > EDGE_WS_MAX_BYTES) {
		end_ws(c, EDGE_WS_TOO_BIG);
	} else if (f->is_last) {
		on_message(c, wr_slice(&c->message));
		wr_fini(&c->message);
	}
}

size_t edge_talk_ws(struct edge_conn *c, struct slice in)
{
	uint8_t buf[EDGE_WS_HDR_MAX_BYTES + UINT8_MAX];
	struct wr w = wr_init(buf, sizeof(buf));
	struct edge_ws_frame f;
	size_t n = 0;
	int err;

	/* of the connection's own buffer, so it may be written to */
	err = edge_ws_read(&f, &n, c->in.p + (in.p - c->in.p), in.n);
	if (err == EAGAIN)
		return 0;
	if (err) {
		end_ws(c, err == EMSGSIZE ? EDGE_WS_TOO_BIG : EDGE_WS_PROTOCOL);
	} else if (f.opcode == EDGE_WS_CLOSE) {
		end_ws(c, EDGE_WS_NORMAL);
	} else if (f.opcode == EDGE_WS_PING) {
		edge_ws_put(&w, EDGE_WS_PONG, f.payload);
		if (may_answer(c))
			edge_conn_put(c, &w);
	} else if (f.opcode != EDGE_WS_PONG) {
		on_piece(c, &f);
	}
	return n;
}

static int begin_xmpp(struct edge_conn *c)
{
	edge_xmpp_free(c->xmpp);
	c->xmpp = NULL;
	return edge_xmpp_alloc(&c->xmpp, net_stream_is_tls(c->stream),
	                       random_id());
}

size_t edge_talk_xmpp(struct edge_conn *c, struct slice in)
{
	uint8_t buf[EDGE_XMPP_ANSWER_MAX_BYTES];
	struct wr w = wr_init(buf, sizeof(buf));
	enum edge_xmpp_next after;

	if (!c->xmpp && begin_xmpp(c)) {
		c->is_dead = true;
		return 0;
	}
	after = edge_xmpp_push(c->xmpp, &w, in);
	if (!may_answer(c))
		return 0;
	edge_conn_put(c, &w);
	if (after == EDGE_XMPP_CLOSE ||
	    (after == EDGE_XMPP_TLS && !c->is_dead &&
	     net_stream_start_tls(c->stream, c->server->tls)))
		c->is_dead = true;
	/* what came behind <starttls/> in the clear is dropped with it */
	return in.n;
}

void edge_talk_secured(struct edge_conn *c)
{
	if (begin_xmpp(c))
		c->is_dead = true;
}

size_t edge_talk_dns(struct edge_conn *c, struct slice in)
{
	struct rd r = rd_init(in);
	size_t n = rd_u16(&r);
	struct slice query = rd_take(&r, n);

	if (n > EDGE_DNS_TCP_MAX_BYTES) {
		c->is_dead = true;
		return 0;
	}
	if (r.bad)
		return 0;
	edge_conn_handle(c, query);
	return DNS_LENGTH_BYTES + n;
}
