/* SPDX-License-Identifier: ISC */
/*
 * Design: a small client of our own, since libre's runs only over its own
 * HTTP client and connections, which tell neither the certificate nor who
 * refused. Stages: DIALLING, SWITCHING (the HTTP answer is awaited), OPEN,
 * DONE. Whatever ends it goes through finish(), which tells the user last.
 */
#include "net/ws.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "base/text.h"
#include "net/http.h"
#include "net/http_host.h"
#include "net/ws_frame.h"

enum {
	NONCE_BYTES = 16,
	NONCE_TEXT_BYTES = 24,
	STATUS_SWITCHING = 101,
	WORD_BYTES = 256, /* of a server's name or subprotocol, with NUL */
	CLOSE_NORMAL = 1000,
	CLOSE_PROTOCOL = 1002,
	CLOSE_TOO_BIG = 1009,
};

enum stage {
	DIALLING,
	SWITCHING,
	OPEN,
	DONE,
};

struct net_ws {
	struct net_stream *stream;
	enum stage stage;
	struct wr request, in, message;
	bool is_text;     /* of the message that is being joined */
	bool is_joining;  /* a first fragment has come */
	bool has_offered; /* a subprotocol */
	bool is_busy, is_freed;
	uint8_t accept[NET_WS_KEY_BYTES];
	unsigned status, close_code;
	char server[WORD_BYTES], subprotocol[WORD_BYTES];
	const struct net_ws_ops *ops;
	void *arg;
};

static void release(struct net_ws *w)
{
	wr_fini(&w->request);
	wr_fini(&w->in);
	wr_fini(&w->message);
	free(w);
}

static void finish(struct net_ws *w, int err)
{
	if (w->stage == DONE || w->is_freed)
		return;
	w->stage = DONE;
	net_stream_set_ops(w->stream, NULL, NULL);
	w->ops->on_close(w->arg, err);
}

static int send_frame(struct net_ws *w, enum net_ws_opcode opcode,
                      struct slice payload)
{
	uint8_t mask[NET_WS_MASK_BYTES];
	struct wr out = wr_init_heap();
	int err = ENOMEM;

	if (RAND_bytes(mask, sizeof(mask)) == 1)
		net_ws_frame_put(&out, opcode, true,
		                 (struct slice){mask, sizeof(mask)}, payload);
	else
		out.bad = true;
	if (!out.bad)
		err = net_stream_send(w->stream, wr_slice(&out));
	wr_fini(&out);
	return err;
}

static void send_close(struct net_ws *w, unsigned code)
{
	uint8_t payload[2] = {(uint8_t)(code >> 8), (uint8_t)code};

	(void)!send_frame(w, NET_WS_CLOSE,
	                  (struct slice){payload, sizeof(payload)});
}

/* Our fault to tell the peer, then the end. */
static void fail(struct net_ws *w, unsigned code, int err)
{
	send_close(w, code);
	finish(w, err);
}

static void take_close(struct net_ws *w, struct slice payload)
{
	struct rd r = rd_init(payload);
	unsigned code = rd_u16(&r);

	if (!r.bad)
		w->close_code = code;
	send_close(w, r.bad ? CLOSE_NORMAL : code);
	finish(w, 0);
}

static void take_data(struct net_ws *w, const struct net_ws_frame *f)
{
	const bool is_first = f->opcode != NET_WS_CONTINUATION;

	if (is_first == w->is_joining) {
		fail(w, CLOSE_PROTOCOL, EPROTO);
		return;
	}
	if (f->payload.n > NET_WS_MESSAGE_BYTES - w->message.n) {
		fail(w, CLOSE_TOO_BIG, EMSGSIZE);
		return;
	}
	if (is_first)
		w->is_text = f->opcode == NET_WS_TEXT;
	w->is_joining = !f->is_final;
	wr_put(&w->message, f->payload);
	if (w->message.bad) {
		finish(w, ENOMEM);
	} else if (f->is_final) {
		w->ops->on_message(w->arg, w->is_text, wr_slice(&w->message));
		wr_fini(&w->message);
	}
}

static void take_frame(struct net_ws *w, const struct net_ws_frame *f)
{
	if (f->mask.n) { /* a server must not: section 5.1 */
		fail(w, CLOSE_PROTOCOL, EPROTO);
		return;
	}
	switch (f->opcode) {
	case NET_WS_CLOSE:
		take_close(w, f->payload);
		break;
	case NET_WS_PING:
		(void)!send_frame(w, NET_WS_PONG, f->payload);
		break;
	case NET_WS_PONG:
		break;
	case NET_WS_CONTINUATION:
	case NET_WS_TEXT:
	case NET_WS_BINARY:
		take_data(w, f);
		break;
	}
}

static void drop(struct wr *in, size_t n)
{
	in->n -= n;
	if (in->n && n)
		memmove(in->p, in->p + n, in->n);
}

static void read_frames(struct net_ws *w)
{
	struct slice rest = wr_slice(&w->in);
	struct net_ws_frame f;
	int err = 0;

	while (w->stage == OPEN && !w->is_freed) {
		err = net_ws_frame_decode(&f, rest, NET_WS_MESSAGE_BYTES);
		if (err)
			break;
		rest = slice_sub(rest, f.bytes, SIZE_MAX);
		take_frame(w, &f);
	}
	if (w->stage != OPEN || w->is_freed)
		return;
	if (err == EAGAIN)
		drop(&w->in, w->in.n - rest.n);
	else if (err == EMSGSIZE)
		fail(w, CLOSE_TOO_BIG, EMSGSIZE);
	else
		fail(w, CLOSE_PROTOCOL, EPROTO);
}

static void keep_word(char out[WORD_BYTES], struct slice value)
{
	struct wr w = wr_init(out, WORD_BYTES - 1);

	wr_put(&w, slice_sub(value, 0, WORD_BYTES - 1));
	out[w.n] = '\0';
}

/* Is `word` one of a comma-separated list? */
static bool has_word(struct slice list, const char *word)
{
	while (list.n) {
		size_t comma = slice_find(list, slice_str(","));
		struct slice one = slice_trim(slice_sub(list, 0, comma));

		if (slice_ieq(one, slice_str(word)))
			return true;
		if (comma == SIZE_MAX)
			break;
		list = slice_sub(list, comma + 1, SIZE_MAX);
	}
	return false;
}

static bool has_switched(const struct net_ws *w, const struct net_http_msg *m)
{
	struct slice chosen = net_http_header(m, "Sec-WebSocket-Protocol");
	const struct slice accept = {w->accept, sizeof(w->accept)};

	return slice_ieq(net_http_header(m, "Upgrade"),
	                 slice_str("websocket")) &&
	       has_word(net_http_header(m, "Connection"), "upgrade") &&
	       slice_eq(net_http_header(m, "Sec-WebSocket-Accept"), accept) &&
	       net_http_header(m, "Sec-WebSocket-Extensions").n == 0 &&
	       (chosen.n == 0 || w->has_offered);
}

static void read_switch(struct net_ws *w)
{
	struct net_http_msg m;
	int err = net_http_decode(&m, wr_slice(&w->in));

	if (err == EAGAIN)
		return;
	if (err) {
		finish(w, EPROTO);
		return;
	}
	w->status = m.status;
	keep_word(w->server, net_http_header(&m, "Server"));
	if (m.status != STATUS_SWITCHING || !has_switched(w, &m)) {
		finish(w, ECONNABORTED);
		return;
	}
	keep_word(w->subprotocol,
	          net_http_header(&m, "Sec-WebSocket-Protocol"));
	drop(&w->in, m.head_bytes);
	w->stage = OPEN;
	w->ops->on_open(w->arg, w->subprotocol);
}

/* After the user may have been told something. */
static void leave(struct net_ws *w)
{
	w->is_busy = false;
	if (w->is_freed)
		release(w);
}

static void on_open(void *arg)
{
	struct net_ws *w = arg;

	w->stage = SWITCHING;
	/* when it fails, on_close tells */
	(void)!net_stream_send(w->stream, wr_slice(&w->request));
}

static void on_data(void *arg, struct slice bytes)
{
	struct net_ws *w = arg;

	w->is_busy = true;
	wr_put(&w->in, bytes);
	if (w->in.bad)
		finish(w, ENOMEM);
	if (w->stage == SWITCHING)
		read_switch(w);
	if (w->stage == OPEN && !w->is_freed)
		read_frames(w);
	leave(w);
}

static void on_close(void *arg, int err)
{
	struct net_ws *w = arg;

	w->is_busy = true;
	if (err == 0 && w->stage != OPEN)
		err = ECONNRESET;
	finish(w, err);
	leave(w);
}

static bool is_conf_good(const struct net_ws_conf *c)
{
	return net_http_is_word(c->host) &&
	       (!c->path || net_http_is_word(c->path)) &&
	       (!c->subprotocol || net_http_is_word(c->subprotocol)) &&
	       (!c->origin || net_http_is_word(c->origin));
}

static int make_request(struct net_ws *w, const struct net_ws_conf *c,
                        const struct addr *to, bool is_tls)
{
	uint8_t nonce[NONCE_BYTES], text[NONCE_TEXT_BYTES];
	struct wr key = wr_init(text, sizeof(text));

	if (RAND_bytes(nonce, sizeof(nonce)) != 1)
		return ENOMEM;
	text_base64_put(&key, (struct slice){nonce, sizeof(nonce)}, 0);
	wr_fmt(&w->request,
	       "GET %s HTTP/1.1\r\nHost: ", c->path ? c->path : "/");
	net_http_host_put(&w->request, c->host, to->port, is_tls);
	wr_str(&w->request, "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	                    "Sec-WebSocket-Version: 13\r\n"
	                    "Sec-WebSocket-Key: ");
	wr_put(&w->request, wr_slice(&key));
	if (c->subprotocol)
		wr_fmt(&w->request, "\r\nSec-WebSocket-Protocol: %s",
		       c->subprotocol);
	if (c->origin)
		wr_fmt(&w->request, "\r\nOrigin: %s", c->origin);
	wr_str(&w->request, "\r\nUser-Agent: prumo\r\n\r\n");
	w->has_offered = c->subprotocol != NULL;
	if (w->request.bad)
		return ENOMEM;
	return net_ws_accept(w->accept, wr_slice(&key));
}

int net_ws_connect(struct net_ws **wp, const struct addr *to,
                   struct net_tls *tls, const struct net_ws_conf *conf,
                   const struct net_ws_ops *ops, void *arg)
{
	static const struct net_stream_ops stream_ops = {on_open, on_data,
	                                                 on_close};
	struct net_ws *w;
	int err;

	if (!is_conf_good(conf))
		return EINVAL;
	w = calloc(1, sizeof(*w));
	if (!w)
		return ENOMEM;
	w->ops = ops;
	w->arg = arg;
	w->request = wr_init_heap();
	w->in = wr_init_heap();
	w->message = wr_init_heap();
	err = make_request(w, conf, to, tls != NULL);
	if (!err)
		err = net_stream_connect_as(&w->stream, to, tls, &conf->stream,
		                            &stream_ops, w);
	if (err)
		net_ws_free(w);
	else
		*wp = w;
	return err;
}

int net_ws_send(struct net_ws *w, bool is_text, struct slice message)
{
	if (w->stage != OPEN)
		return ENOTCONN;
	return send_frame(w, is_text ? NET_WS_TEXT : NET_WS_BINARY, message);
}

unsigned net_ws_status(const struct net_ws *w)
{
	return w->status;
}

const char *net_ws_server(const struct net_ws *w)
{
	return w->server;
}

unsigned net_ws_close_code(const struct net_ws *w)
{
	return w->close_code;
}

const struct net_stream *net_ws_stream(const struct net_ws *w)
{
	return w->stream;
}

void net_ws_free(struct net_ws *w)
{
	if (!w || w->is_freed)
		return;
	if (w->stage == OPEN)
		send_close(w, CLOSE_NORMAL);
	net_stream_free(w->stream);
	w->stream = NULL;
	w->is_freed = true;
	if (!w->is_busy)
		release(w);
}
