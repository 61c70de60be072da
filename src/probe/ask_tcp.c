/* SPDX-License-Identifier: ISC */
/*
 * Does TCP open, and stay open?
 *
 * Fields besides those of ask_stream.h:
 *   greeting    what the server said unasked (bytes, its first piece)
 *   open_ms     how long it had been open when it was cut
 *
 * Design: the question stays for a few round trips after the SYN-ACK, because
 * a filter that looks at the first packets lets the handshake pass and resets
 * or closes right behind it. It says nothing itself: what a service makes of
 * strange bytes is that service's own question.
 */
#include "probe/asks.h"

#include <errno.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "net/loop.h"
#include "probe/ask_stream.h"

enum {
	STAY_RTTS = 3,
	STAY_MIN_MS = 100,
	STAY_MAX_MS = 1000,
	GREETING_BYTES = 256,
};

struct ask_tcp {
	struct ask *ask;
	struct net_stream *stream;
	struct net_timer *timer; /* patience, then the stay */
	int64_t opened_ns, deadline_ns;
};

static int64_t stay_ns(int64_t rtt_ns)
{
	int64_t ns = rtt_ns * STAY_RTTS;

	if (ns < STAY_MIN_MS * NS_PER_MS)
		return STAY_MIN_MS * NS_PER_MS;
	if (ns > STAY_MAX_MS * NS_PER_MS)
		return STAY_MAX_MS * NS_PER_MS;
	return ns;
}

static void on_open(void *arg)
{
	struct ask_tcp *q = arg;
	int64_t ns = stay_ns(net_stream_opening(q->stream).connect_ns);

	(void)ask_stream_opened(q->ask, q->stream);
	q->opened_ns = clock_mono_ns();
	if (ns > q->deadline_ns - q->opened_ns)
		ns = q->deadline_ns - q->opened_ns;
	net_timer_set(q->timer, ns);
}

static void on_data(void *arg, struct slice bytes)
{
	struct ask_tcp *q = arg;

	ask_put_bytes(q->ask, "greeting", slice_sub(bytes, 0, GREETING_BYTES));
	q->ask->result.end = ASK_OPEN;
	net_stream_set_ops(q->stream, NULL, NULL);
	ask_end(q->ask);
}

static void on_close(void *arg, int err)
{
	struct ask_tcp *q = arg;

	ask_stream_failed(q->ask, q->stream, err);
	if (q->opened_ns)
		ask_put_ms(q->ask, "open_ms", clock_mono_ns() - q->opened_ns);
	ask_end(q->ask);
}

static void on_timer(void *arg)
{
	struct ask_tcp *q = arg;

	if (q->opened_ns)
		q->ask->result.end = ASK_OPEN;
	else
		ask_stream_failed(q->ask, q->stream, ETIMEDOUT);
	ask_end(q->ask);
}

static void stop(void *state)
{
	struct ask_tcp *q = state;

	net_stream_free(q->stream);
	net_timer_free(q->timer);
}

static int start(void *state, struct ask *a)
{
	static const struct net_stream_ops ops = {on_open, on_data, on_close};
	struct ask_tcp *q = state;
	struct net_stream_conf conf;
	int err;

	q->ask = a;
	if (!ask_stream_may(a))
		return 0;
	err = net_timer_alloc(&q->timer, on_timer, q);
	if (err)
		return err;
	net_timer_set(q->timer, a->conf->patience_ns);
	q->deadline_ns = clock_mono_ns() + a->conf->patience_ns;
	conf = ask_stream_conf(a);
	err = net_stream_connect_as(&q->stream, &a->target->addr, NULL, &conf,
	                            &ops, q);
	if (err)
		net_timer_cancel(q->timer);
	err = ask_stream_began(a, err);
	if (err)
		stop(q);
	return err;
}

const struct ask_ops ask_tcp = {
	.name = "tcp",
	.summary = N_("Does TCP open to that port"),
	.state_bytes = sizeof(struct ask_tcp),
	.start = start,
	.stop = stop,
};
