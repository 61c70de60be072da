/* SPDX-License-Identifier: ISC */
/*
 * Does TLS come about, and with whom?
 *
 * All that it tells is in ask_stream.h; besides
 *   is_near, near_ms, far_ms   as in near.h
 *
 * ALPN is left out: SIP, TURN and XMPP over TLS use none, and a server that
 * speaks several protocols at one port answers those without it by default.
 */
#include "probe/asks.h"

#include <errno.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "net/loop.h"
#include "net/tls.h"
#include "probe/ask_stream.h"
#include "probe/near.h"

struct ask_tls {
	struct ask *ask;
	struct net_tls *tls;
	struct net_stream *stream;
	struct net_timer *patience;
};

static void on_open(void *arg)
{
	struct ask_tls *q = arg;
	struct net_stream_opening o = net_stream_opening(q->stream);
	struct near_times t = {.connect_ns = o.connect_ns,
	                       .known_ns = q->ask->conf->rtt_ns,
	                       .answer_ns = {o.hello_ns},
	                       .n_answers = 1};

	if (ask_stream_opened(q->ask, q->stream))
		q->ask->result.end = ASK_OPEN;
	if (!o.is_syn_repeated)
		near_put(q->ask, &t);
	net_stream_set_ops(q->stream, NULL, NULL);
	ask_end(q->ask);
}

/* Bytes behind the handshake wait in the stream: it is not read any more. */
static void on_data(void *arg, struct slice bytes)
{
	UNUSED(arg);
	UNUSED(bytes);
}

static void on_close(void *arg, int err)
{
	struct ask_tls *q = arg;

	ask_stream_failed(q->ask, q->stream, err);
	ask_end(q->ask);
}

static void on_patience(void *arg)
{
	struct ask_tls *q = arg;

	ask_stream_failed(q->ask, q->stream, ETIMEDOUT);
	ask_end(q->ask);
}

static void stop(void *state)
{
	struct ask_tls *q = state;

	net_stream_free(q->stream);
	net_tls_free(q->tls);
	net_timer_free(q->patience);
}

static int start(void *state, struct ask *a)
{
	static const struct net_stream_ops ops = {on_open, on_data, on_close};
	struct ask_tls *q = state;
	struct net_stream_conf conf;
	int err;

	q->ask = a;
	if (!ask_stream_may(a))
		return 0;
	err = net_timer_alloc(&q->patience, on_patience, q);
	if (!err)
		err = ask_stream_tls(&q->tls, a, NULL);
	if (!err) {
		conf = ask_stream_conf(a);
		err = net_stream_connect_as(&q->stream, &a->target->addr,
		                            q->tls, &conf, &ops, q);
	}
	if (!err)
		net_timer_set(q->patience, a->conf->patience_ns);
	err = ask_stream_began(a, err);
	if (err)
		stop(q);
	return err;
}

const struct ask_ops ask_tls = {
	.name = "tls",
	.summary = N_("Does TLS come about, and whose certificate is it"),
	.state_bytes = sizeof(struct ask_tls),
	.start = start,
	.stop = stop,
};
