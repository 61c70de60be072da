/* SPDX-License-Identifier: ISC */
/*
 * Design: what every XMPP client does before it logs in (RFC 6120, sections 4
 * and 5): open a stream, read the features, go to TLS if that is offered, and
 * read them again.
 *
 *   GREETING --features--> UPGRADING --proceed, TLS--> GREETING again
 *
 * What else listens on a chat port is not known beforehand: where XMPP in the
 * clear is not answered by XMPP, direct TLS (XEP-0368) has a second try on a
 * connection of its own, and the better of the two is told. A server that
 * waits for a ClientHello says nothing, so the first try has a part of the
 * patience only.
 *
 * A header alone proves the service, also when an error follows it.
 *
 * Fields of both: those of probe/ask_link.h, and
 *   security    "none", "starttls", "direct-tls" (text)
 *   starttls    as offered in the clear: "none", "optional", "required" (text)
 *   from, stream_id, version  of the stream's header (text)
 *   mechanisms  SASL, as offered last (list of text)
 *   condition   of a stream error: "host-unknown"... (text)
 * Evidence: request, answer: the first bytes of each.
 */
#include "probe/asks.h"

#include <errno.h>

#include "base/i18n.h"
#include "net/loop.h"
#include "probe/ask_keep.h"
#include "probe/ask_link.h"
#include "probe/xmpp_put.h"
#include "xmpp/stream.h"

enum {
	REQUEST_BYTES = 1024,
	PLAIN_SHARE = 2,     /* of the patience, before direct TLS is tried */
	ANSWER_BYTES = 2048, /* kept as evidence */
};

enum stage {
	GREETING,
	UPGRADING, /* <starttls/> was said */
	SECURED,   /* inside TLS */
};

struct xmpp {
	struct ask *ask;
	struct ask_link *link;
	struct net_timer *timer; /* ends the first try */
	struct xmpp_stream *stream;
	enum stage stage;
	bool is_ws;
	bool is_second; /* the try with direct TLS */
	bool may_retry;
	struct ask_result first; /* how the first try ended */
};

static void retry(struct xmpp *x);

static void finish(struct xmpp *x)
{
	const struct xmpp_said *said = xmpp_stream_said(x->stream);

	net_timer_cancel(x->timer);
	if (said->has_header) {
		ask_keep(x->ask, "security",
		         val_text(x->stage != SECURED ? "none"
		                  : x->is_second ||
		                                  x->ask->target->via != ASK_TCP
		                          ? "direct-tls"
		                          : "starttls"));
		xmpp_put_said(x->ask, said);
	}
	ask_link_finish(x->link, x->ask);
}

/* This try is over without XMPP. */
static void fail(struct xmpp *x, enum ask_end end)
{
	struct ask_result *r = &x->ask->result;

	r->end = end;
	if (x->may_retry && r->layer >= ASK_LAYER_CONNECT) {
		retry(x);
		return;
	}
	/* of two tries that failed, the one that came further is told */
	if (x->is_second && r->layer <= x->first.layer) {
		r->end = x->first.end;
		r->layer = x->first.layer;
		r->error = x->first.error;
	}
	finish(x);
}

static void say(struct xmpp *x, void (*put)(struct wr *w, struct slice domain))
{
	uint8_t buf[REQUEST_BYTES];
	struct wr w = wr_init(buf, sizeof(buf));

	put(&w, slice_str(x->ask->target->host));
	if (w.bad) { /* no host of a profile is that long */
		fail(x, ASK_LOCAL);
		return;
	}
	ask_keep_evidence(x->ask, "request", wr_slice(&w));
	ask_link_ask(x->link, wr_slice(&w));
}

static void on_open(void *arg)
{
	struct xmpp *x = arg;

	if (x->stage == UPGRADING) {
		x->stage = SECURED;
		if (xmpp_stream_restart(x->stream)) {
			fail(x, ASK_LOCAL);
			return;
		}
	}
	say(x, x->is_ws ? xmpp_put_open : xmpp_put_stream);
}

static void on_features(struct xmpp *x, const struct xmpp_said *said)
{
	static const char starttls[] =
		"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
	static const char *const names[] = {
		[XMPP_TLS_NONE] = "none",
		[XMPP_TLS_OPTIONAL] = "optional",
		[XMPP_TLS_REQUIRED] = "required",
	};

	if (x->is_ws || x->stage == SECURED) {
		finish(x);
		return;
	}
	ask_keep(x->ask, "starttls", val_text(names[said->tls]));
	if (said->tls == XMPP_TLS_NONE) {
		finish(x);
		return;
	}
	x->stage = UPGRADING;
	ask_link_send(x->link, slice_str(starttls));
}

static void on_said(struct xmpp *x)
{
	const struct xmpp_said *said = xmpp_stream_said(x->stream);

	if (!said->has_header)
		return;
	x->may_retry = false;
	net_timer_cancel(x->timer);
	ask_link_answered(x->link);
	if (ask_link_is_edge_name(slice_str(said->id)))
		x->ask->result.is_edge = true;
	if (said->condition[0] || said->is_closed || said->has_failed)
		finish(x);
	else if (x->stage == UPGRADING && said->may_proceed)
		ask_link_start_tls(x->link);
	else if (x->stage != UPGRADING && said->has_features)
		on_features(x, said);
}

static void on_data(void *arg, struct slice bytes)
{
	struct xmpp *x = arg;
	int err = 0;

	ask_keep_evidence(x->ask, "answer", slice_sub(bytes, 0, ANSWER_BYTES));
	if (x->is_ws)
		err = xmpp_stream_restart(x->stream);
	if (!err)
		err = xmpp_stream_feed(x->stream, bytes);
	if (err == 0)
		on_said(x);
	else if (xmpp_stream_said(x->stream)->has_header)
		finish(x); /* what it had said before proves it */
	else
		fail(x, err == ENOMEM ? ASK_LOCAL : ASK_OTHER);
}

static void on_over(void *arg, enum ask_end end)
{
	struct xmpp *x = arg;
	bool has_header = xmpp_stream_said(x->stream)->has_header;

	if (!has_header) {
		fail(x, end);
		return;
	}
	/* a server that has no features is old, but a server */
	if (x->stage == GREETING && end == ASK_SILENT)
		ask_link_answered(x->link);
	else
		x->ask->result.end = end;
	finish(x);
}

static const struct ask_link_ops link_ops = {
	.on_open = on_open,
	.on_data = on_data,
	.on_over = on_over,
};

static int open_link(struct xmpp *x)
{
	static const char *const paths[] = {"/xmpp-websocket", NULL};
	bool is_tls = x->is_second || x->ask->target->via == ASK_TLS;
	const struct ask_link_conf how = {
		.via = x->is_second ? ASK_TLS : x->ask->target->via,
		.alpn = is_tls ? "xmpp-client" : NULL,
		.paths = paths,
		.subprotocol = "xmpp",
		.before = x->link,
	};
	struct ask_link *link;
	int err = ask_link_open(&link, x->ask, &how, &link_ops, x);

	if (err)
		return err;
	ask_link_close(x->link);
	x->link = link;
	x->stage = is_tls ? SECURED : GREETING;
	return 0;
}

static void retry(struct xmpp *x)
{
	int err;

	net_timer_cancel(x->timer);
	x->first = x->ask->result;
	x->may_retry = false;
	x->is_second = true;
	xmpp_stream_free(x->stream);
	x->stream = NULL;
	err = xmpp_stream_alloc(&x->stream);
	if (!err)
		err = open_link(x);
	if (err)
		ask_link_finish(x->link, x->ask);
}

static void on_timer(void *arg)
{
	struct xmpp *x = arg;

	/* what has not opened has the whole patience, as any connection */
	if (x->ask->result.layer >= ASK_LAYER_CONNECT)
		fail(x, ASK_SILENT);
}

static void stop(void *state)
{
	struct xmpp *x = state;

	if (x->stream && xmpp_stream_said(x->stream)->has_header)
		ask_link_farewell(
			x->link,
			slice_str(x->is_ws ? "<close xmlns='urn:ietf:params:"
		                             "xml:ns:xmpp-framing'/>"
		                           : "</stream:stream>"));
	ask_link_close(x->link);
	net_timer_free(x->timer);
	xmpp_stream_free(x->stream);
}

static int start(struct xmpp *x, struct ask *a)
{
	int err;

	x->ask = a;
	x->may_retry = a->target->via == ASK_TCP;
	err = xmpp_stream_alloc(&x->stream);
	if (!err)
		err = net_timer_alloc(&x->timer, on_timer, x);
	if (!err)
		err = open_link(x);
	if (err) {
		stop(x);
		return err;
	}
	if (x->may_retry)
		net_timer_set(x->timer, a->conf->patience_ns / PLAIN_SHARE);
	return 0;
}

static int start_stream(void *state, struct ask *a)
{
	if (a->target->via != ASK_TCP && a->target->via != ASK_TLS)
		return EINVAL;
	return start(state, a);
}

static int start_ws(void *state, struct ask *a)
{
	struct xmpp *x = state;

	if (a->target->via != ASK_WS && a->target->via != ASK_WSS)
		return EINVAL;
	x->is_ws = true;
	return start(x, a);
}

const struct ask_ops ask_xmpp = {
	.name = "xmpp",
	.summary = N_("XMPP: the server's greeting, with STARTTLS"),
	.state_bytes = sizeof(struct xmpp),
	.start = start_stream,
	.stop = stop,
};

const struct ask_ops ask_xmpp_ws = {
	.name = "xmpp-ws",
	.summary = N_("XMPP over WebSocket: the server's greeting"),
	.state_bytes = sizeof(struct xmpp),
	.start = start_ws,
	.stop = stop,
};
