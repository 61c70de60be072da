/* SPDX-License-Identifier: ISC */
/*
 * Design: a question says that it is over in the middle of its own callback,
 * with its sockets on the stack above it. So its end is only noted there; the
 * state is stopped, and the asker told, from a turn of the loop of its own.
 */
#include "probe/ask.h"

#include <errno.h>
#include <stdlib.h>

#include "net/loop.h"

struct ask_box {
	struct ask ask; /* first: what questions and askers hold */
	const struct ask_ops *ops;
	struct net_timer *turn;
	ask_done_fn *done;
	void *arg;
	void *state; /* NULL: stopped */
	bool is_ended;
};

static void stop_state(struct ask_box *b)
{
	if (!b->state)
		return;
	b->ops->stop(b->state);
	free(b->state);
	b->state = NULL;
}

static void on_turn(void *arg)
{
	struct ask_box *b = arg;

	stop_state(b);
	b->done(b->arg, &b->ask.result); /* may free b */
}

static int start_state(struct ask_box *b)
{
	int err;

	b->state = calloc(1, b->ops->state_bytes);
	if (!b->state)
		return ENOMEM;
	err = b->ops->start(b->state, &b->ask);
	if (err) {
		free(b->state);
		b->state = NULL;
	}
	return err;
}

int ask_start(struct ask **ap, const struct ask_ops *ops,
              const struct ask_target *target, const struct ask_conf *conf,
              struct report *report, ask_done_fn *done, void *arg)
{
	struct ask_box *b = calloc(1, sizeof(*b));
	int err;

	if (!b)
		return ENOMEM;
	b->ops = ops;
	b->done = done;
	b->arg = arg;
	b->ask.target = target;
	b->ask.conf = conf;
	b->ask.report = report;
	b->ask.result.fields = val_map();
	b->ask.result.evidence = val_map();
	err = net_timer_alloc(&b->turn, on_turn, b);
	if (!err)
		err = start_state(b);
	if (err) {
		net_timer_free(b->turn);
		free(b);
		return err;
	}
	*ap = &b->ask;
	return 0;
}

void ask_free(struct ask *a)
{
	struct ask_box *b = (struct ask_box *)a;

	if (!b)
		return;
	stop_state(b);
	net_timer_free(b->turn);
	free(b);
}

void ask_end(struct ask *a)
{
	struct ask_box *b = (struct ask_box *)a;

	if (b->is_ended)
		return;
	b->is_ended = true;
	net_timer_set(b->turn, 0);
}

const char *ask_end_name(enum ask_end e)
{
	static const char *const names[ASK_ENDS] = {
		[ASK_ANSWERED] = "answered", [ASK_OPEN] = "open",
		[ASK_OTHER] = "other",       [ASK_SILENT] = "silent",
		[ASK_REFUSED] = "refused",   [ASK_CUT] = "cut",
		[ASK_BAD_TLS] = "bad-tls",   [ASK_PARTLY] = "partly",
		[ASK_LOCAL] = "local",       [ASK_NO_MEANS] = "no-means",
		[ASK_LIMITED] = "limited",
	};

	return names[e];
}

const char *ask_layer_name(enum ask_layer l)
{
	static const char *const names[] = {
		[ASK_LAYER_NONE] = "none",
		[ASK_LAYER_CONNECT] = "connect",
		[ASK_LAYER_TLS] = "tls",
		[ASK_LAYER_PROTOCOL] = "protocol",
	};

	return names[l];
}

const char *ask_via_name(enum ask_via v)
{
	static const char *const names[] = {
		[ASK_UDP] = "udp", [ASK_TCP] = "tcp", [ASK_TLS] = "tls",
		[ASK_WS] = "ws",   [ASK_WSS] = "wss",
	};

	return names[v];
}
