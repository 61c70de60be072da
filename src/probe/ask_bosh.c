/* SPDX-License-Identifier: ISC */
/*
 * Design: one session of XMPP over HTTP (XEP-0124, XEP-0206) is asked for by
 * POST, and given up again by a second one: a server keeps what nobody ends
 * for a minute. An answer in HTTP that is no BOSH is somebody else's, with
 * its status; so is a captive portal.
 *
 * Fields: those of probe/ask_link.h, and
 *   http_status  (int)
 *   http_server  (bytes)
 *   from, stream_id, version, mechanisms, condition  as in ask_xmpp.c
 * Evidence: request, answer.
 */
#include "probe/asks.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/i18n.h"
#include "net/http.h"
#include "probe/ask_keep.h"
#include "probe/ask_link.h"
#include "probe/xmpp_put.h"
#include "sip/request.h"
#include "xmpp/stream.h"

enum {
	BODY_BYTES = 2048,
	IN_BYTES = NET_HTTP_HEAD_BYTES + NET_HTTP_BODY_BYTES,
	ANSWER_BYTES = 2048, /* kept as evidence */
};

struct bosh {
	struct ask *ask;
	struct ask_link *link;
	struct xmpp_stream *stream;
	struct wr in;
	uint64_t rid;
	bool has_session;
};

static void finish(struct bosh *b, enum ask_end end)
{
	b->ask->result.end = end;
	ask_link_finish(b->link, b->ask);
}

/* @return 0, EINVAL or ENOMEM */
static int post(struct wr *w, const struct bosh *b, struct slice body)
{
	const struct slice host = slice_str(b->ask->target->host);

	for (size_t i = 0; i < host.n; i++) {
		if (host.p[i] <= ' ')
			return EINVAL;
	}
	wr_str(w, "POST /http-bind HTTP/1.1\r\nHost: ");
	sip_put_host(w, host);
	wr_fmt(w,
	       ":%u\r\nUser-Agent: prumo\r\nAccept: */*\r\n"
	       "Content-Type: text/xml; charset=utf-8\r\n"
	       "Content-Length: %zu\r\n\r\n",
	       b->ask->target->addr.port, body.n);
	wr_put(w, body);
	return w->bad ? ENOMEM : 0;
}

static void on_open(void *arg)
{
	struct bosh *b = arg;
	uint8_t buf[BODY_BYTES];
	struct wr body = wr_init(buf, sizeof(buf));
	struct wr w = wr_init_heap();
	int err;

	xmpp_put_body(&body, slice_str(b->ask->target->host), b->rid);
	err = body.bad ? EINVAL : post(&w, b, wr_slice(&body));
	if (err) {
		b->ask->result.error = err;
		finish(b, ASK_LOCAL);
	} else {
		ask_keep_evidence(b->ask, "request", wr_slice(&w));
		ask_link_ask(b->link, wr_slice(&w));
	}
	wr_fini(&w);
}

static void put_http(struct bosh *b, const struct net_http_msg *m)
{
	struct slice server = net_http_header(m, "Server");

	ask_keep(b->ask, "http_status", val_int(m->status));
	if (server.n)
		ask_keep_bytes(b->ask, "http_server", server);
	if (ask_link_is_edge_name(server))
		b->ask->result.is_edge = true;
}

static void on_body(struct bosh *b, struct slice body)
{
	const struct xmpp_said *said = xmpp_stream_said(b->stream);

	if (xmpp_stream_feed(b->stream, body) || !said->has_header) {
		finish(b, ASK_OTHER);
		return;
	}
	ask_link_answered(b->link);
	b->has_session = said->sid[0] && !said->is_closed;
	if (ask_link_is_edge_name(slice_str(said->id)))
		b->ask->result.is_edge = true;
	xmpp_put_said(b->ask, said);
	finish(b, b->ask->result.end);
}

/* @param over  No more will come. @return whether it is decided */
static bool read_answer(struct bosh *b, bool over)
{
	struct slice all = wr_slice(&b->in);
	struct wr body = wr_init_heap();
	struct net_http_msg m;
	int err = net_http_decode(&m, all);

	if (err == EAGAIN)
		return false;
	ask_keep_evidence(b->ask, "answer", slice_sub(all, 0, ANSWER_BYTES));
	if (err) {
		finish(b, ASK_OTHER);
		return true;
	}
	err = net_http_body(&body, &m, slice_sub(all, m.head_bytes, SIZE_MAX),
	                    over);
	if (err != EAGAIN) {
		put_http(b, &m);
		on_body(b, err ? slice_str("") : wr_slice(&body));
	}
	wr_fini(&body);
	return err != EAGAIN;
}

static void on_data(void *arg, struct slice bytes)
{
	struct bosh *b = arg;

	wr_put(&b->in, slice_sub(bytes, 0, IN_BYTES - b->in.n));
	if (b->in.bad) {
		b->ask->result.error = ENOMEM;
		finish(b, ASK_LOCAL);
	} else if (!read_answer(b, false) && b->in.n == IN_BYTES) {
		finish(b, ASK_OTHER);
	}
}

static void on_over(void *arg, enum ask_end end)
{
	struct bosh *b = arg;

	if (end != ASK_CUT || b->in.n == 0 || !read_answer(b, true))
		finish(b, end);
}

static const struct ask_link_ops link_ops = {
	.on_open = on_open,
	.on_data = on_data,
	.on_over = on_over,
};

static void say_goodbye(struct bosh *b)
{
	const struct xmpp_said *said = xmpp_stream_said(b->stream);
	uint8_t buf[BODY_BYTES];
	struct wr body = wr_init(buf, sizeof(buf));
	struct wr w = wr_init_heap();

	xmpp_put_terminate(&body, slice_str(said->sid), b->rid + 1);
	if (!body.bad && !post(&w, b, wr_slice(&body)))
		ask_link_farewell(b->link, wr_slice(&w));
	wr_fini(&w);
}

static void stop(void *state)
{
	struct bosh *b = state;

	if (b->has_session)
		say_goodbye(b);
	ask_link_close(b->link);
	xmpp_stream_free(b->stream);
	wr_fini(&b->in);
}

static int start(void *state, struct ask *a)
{
	const struct ask_link_conf how = {.via = a->target->via,
	                                  .alpn = "http/1.1"};
	struct bosh *b = state;
	uint32_t random;
	int err;

	b->ask = a;
	b->in = wr_init_heap();
	if (a->target->via != ASK_TCP && a->target->via != ASK_TLS)
		return EINVAL;
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return EIO;
	b->rid = (uint64_t)random + 1;
	err = xmpp_stream_alloc(&b->stream);
	if (err)
		return err;
	err = ask_link_open(&b->link, a, &how, &link_ops, b);
	if (err)
		xmpp_stream_free(b->stream);
	return err;
}

const struct ask_ops ask_xmpp_bosh = {
	.name = "xmpp-bosh",
	.summary = N_("XMPP over HTTP (BOSH): the server's greeting"),
	.state_bytes = sizeof(struct bosh),
	.start = start,
	.stop = stop,
};
