/* SPDX-License-Identifier: ISC */
/*
 * Design: every question needs the same care on its way: repeat a datagram,
 * know how far a connection came when it ended, give up in time. So that is
 * one state machine, below all of them:
 *
 *   OPENING --> OPEN --> OVER        (and OPEN --> OPENING for STARTTLS)
 *
 * What fails inside a call of the question is told by the turn, so that no
 * question is called back from its own call.
 *
 * An ICMP error ends a question at once: the box that refuses one datagram
 * refuses its repetitions. Only "too big" does not, which is about size.
 */
#include "probe/ask_link.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/tls.h"
#include "net/udp.h"
#include "net/ws.h"
#include "probe/ask_stream.h"
#include "wire/dgram.h"

enum {
	RTO_MS = 500,
	RTO_MAX_MS = 4000,
	RTO_SHARE = 20, /* 1 + 2 + 4 + 8 twentieths, then time to answer */
};

enum stage {
	OPENING,
	OPEN,
	OVER,
};

struct ask_link {
	struct ask *ask;
	const struct ask_link_ops *ops;
	void *arg;
	enum ask_via via;
	enum stage stage;
	int64_t end_ns;
	struct net_timer *patience;
	struct net_timer *turn; /* datagrams: open, repeat; all: `error` */
	struct net_udp *udp;
	struct net_tls *tls;
	struct net_stream *stream;
	struct net_ws *ws;
	const char *const *path; /* of the WebSocket at hand */
	const char *subprotocol;
	struct wr asked;  /* what is repeated; empty: nothing */
	unsigned n_asked; /* how often */
	int64_t asked_ns; /* the first byte ever sent; 0: none */
	int error;        /* for the turn to tell */
	bool is_noted;    /* how the connection opened */
	bool is_untrusted;
};

int64_t ask_link_rto_ns(int64_t left_ns, unsigned n_sent)
{
	const int64_t most = RTO_MAX_MS * NS_PER_MS;
	int64_t rto = left_ns / RTO_SHARE;

	if (rto > RTO_MS * NS_PER_MS)
		rto = RTO_MS * NS_PER_MS;
	if (rto < NS_PER_MS)
		rto = NS_PER_MS;
	for (unsigned i = 1; i < n_sent && rto < most; i++)
		rto *= 2;
	return rto < most ? rto : most;
}

bool ask_link_is_edge_name(struct slice name)
{
	const struct slice edge = slice_str("prumo-edge");

	return slice_eq(slice_sub(name, 0, edge.n), edge);
}

static const struct net_stream *stream_of(const struct ask_link *l)
{
	return l->ws ? net_ws_stream(l->ws) : l->stream;
}

static void over(struct ask_link *l, enum ask_end end)
{
	if (l->stage == OVER)
		return;
	l->stage = OVER;
	net_timer_cancel(l->turn);
	net_timer_cancel(l->patience);
	l->ops->on_over(l->arg, end);
}

static void fail_soon(struct ask_link *l, int err)
{
	if (l->stage == OVER || l->error)
		return;
	l->error = err;
	net_timer_set(l->turn, 0);
}

static void opened(struct ask_link *l)
{
	const struct net_stream *s = l->udp ? NULL : stream_of(l);

	l->stage = OPEN;
	if (s && !l->is_noted)
		l->is_untrusted = !ask_stream_opened(l->ask, s);
	else if (s && net_stream_is_tls(s))
		l->is_untrusted = !ask_stream_secured(l->ask, s);
	l->is_noted = true;
	l->ops->on_open(l->arg);
}

static void take(struct ask_link *l, struct slice bytes)
{
	struct ask_result *r = &l->ask->result;

	if (l->stage != OPEN)
		return;
	if (l->asked_ns && r->rtt_ns == 0)
		r->rtt_ns = clock_mono_ns() - l->asked_ns;
	l->ops->on_data(l->arg, bytes);
}

/* What the stream below says, also when the patience is over. */
static void stream_over(struct ask_link *l, int err)
{
	if (l->stage == OVER)
		return;
	ask_stream_failed(l->ask, stream_of(l), err);
	over(l, l->ask->result.end);
}

static void on_stream_open(void *arg)
{
	opened(arg);
}

static void on_stream_data(void *arg, struct slice bytes)
{
	take(arg, bytes);
}

static void on_stream_close(void *arg, int err)
{
	stream_over(arg, err);
}

static const struct net_stream_ops stream_ops = {
	.on_open = on_stream_open,
	.on_data = on_stream_data,
	.on_close = on_stream_close,
};

static void put_ws(struct ask_link *l)
{
	struct report *r = l->ask->report;
	struct val *fields = &l->ask->result.fields;
	const char *server = net_ws_server(l->ws);

	if (net_ws_status(l->ws) == 0)
		return;
	(void)val_put(&r->arena, &r->no_memory, fields, "ws_status",
	              val_int(net_ws_status(l->ws)));
	if (ask_link_is_edge_name(slice_str(server)))
		l->ask->result.is_edge = true;
	if (*server)
		(void)val_put(&r->arena, &r->no_memory, fields, "ws_server",
		              val_bytes(report_bytes(r, slice_str(server))));
}

static void on_ws_open(void *arg, const char *subprotocol)
{
	struct ask_link *l = arg;
	struct report *r = l->ask->report;

	put_ws(l);
	(void)val_put(&r->arena, &r->no_memory, &l->ask->result.fields,
	              "subprotocol",
	              val_text(report_text(r, slice_str(subprotocol))));
	opened(l);
}

static void on_ws_message(void *arg, bool is_text, struct slice message)
{
	UNUSED(is_text);
	take(arg, message);
}

/* Past what a stream can fail at: what failed is the switch to WebSocket. */
static bool is_answered_by_other(const struct ask_link *l, int err)
{
	const struct net_stream *s = net_ws_stream(l->ws);

	if (err == ECONNABORTED)
		return true;
	return err == EPROTO &&
	       (!net_stream_is_tls(s) || net_stream_tls_version(s));
}

static int connect_ws(struct ask_link *l);

/* @return whether another path of the same server is being tried */
static bool try_next_path(struct ask_link *l)
{
	const unsigned *left = l->ask->conf->flows_left;
	int err;

	if (!l->path[0] || !l->path[1] || (left && *left == 0))
		return false;
	net_ws_free(l->ws);
	l->ws = NULL;
	l->path++;
	err = connect_ws(l);
	if (err)
		fail_soon(l, err);
	return true;
}

static void on_ws_close(void *arg, int err)
{
	struct ask_link *l = arg;

	if (l->stage == OVER)
		return;
	if (!is_answered_by_other(l, err)) {
		stream_over(l, err);
		return;
	}
	if (l->stage == OPENING) {
		if (err == ECONNABORTED && try_next_path(l))
			return;
		put_ws(l);
		(void)ask_stream_opened(l->ask, net_ws_stream(l->ws));
	}
	l->ask->result.error = err;
	over(l, ASK_OTHER);
}

static const struct net_ws_ops ws_ops = {
	.on_open = on_ws_open,
	.on_message = on_ws_message,
	.on_close = on_ws_close,
};

static int connect_ws(struct ask_link *l)
{
	const struct ask_target *t = l->ask->target;
	const struct net_ws_conf conf = {
		.host = t->host,
		.path = *l->path,
		.subprotocol = l->subprotocol,
		.stream = ask_stream_conf(l->ask),
	};

	return net_ws_connect(&l->ws, &t->addr, l->tls, &conf, &ws_ops, l);
}

static void send_dgram(struct ask_link *l, struct slice bytes)
{
	int err = net_udp_send(l->udp, &l->ask->target->addr, NULL, 0, bytes);

	if (err == EAGAIN) /* as if it had been lost */
		err = 0;
	if (err)
		fail_soon(l, err);
	else
		l->ask->result.n_sent++;
}

static void put_out(struct ask_link *l, struct slice bytes)
{
	int err = 0;

	if (l->stage != OPEN)
		return;
	if (l->asked_ns == 0)
		l->asked_ns = clock_mono_ns();
	if (l->udp)
		send_dgram(l, bytes);
	else if (l->ws)
		err = net_ws_send(l->ws, true, bytes);
	else
		err = net_stream_send(l->stream, bytes);
	/* a stream that has ended tells so by itself */
	if (err && err != ENOTCONN)
		fail_soon(l, err);
}

static void repeat(struct ask_link *l)
{
	put_out(l, wr_slice(&l->asked));
	l->n_asked++;
	if (l->error == 0)
		net_timer_set(l->turn,
		              ask_link_rto_ns(ask_link_left_ns(l), l->n_asked));
}

static void on_turn(void *arg)
{
	struct ask_link *l = arg;

	if (l->error) {
		l->ask->result.error = l->error;
		over(l, ASK_LOCAL);
	} else if (l->stage == OPENING) {
		opened(l);
	} else if (l->asked.n) {
		repeat(l);
	}
}

static void on_patience(void *arg)
{
	struct ask_link *l = arg;

	if (l->udp)
		over(l, ASK_SILENT);
	else
		stream_over(l, ETIMEDOUT);
}

static void on_dgram(void *arg, const struct net_dgram *d)
{
	struct ask_link *l = arg;
	struct wire_limited limited;

	if (!addr_eq(&d->from, &l->ask->target->addr))
		return;
	if (wire_limited_decode(&limited, d->bytes) == 0) {
		ask_put_int(l->ask, "wait_s", limited.wait_s);
		over(l, ASK_LIMITED);
		return;
	}
	take(l, d->bytes);
}

static void on_icmp(void *arg, const struct net_icmp *ic)
{
	struct ask_link *l = arg;
	struct ask_result *r = &l->ask->result;

	if (ic->error == EMSGSIZE || !addr_eq(&ic->dst, &l->ask->target->addr))
		return;
	r->error = ic->error;
	if (ic->is_local) {
		over(l, ASK_LOCAL);
		return;
	}
	r->offender = ic->offender;
	r->icmp_type = ic->type;
	r->icmp_code = ic->code;
	over(l, ASK_REFUSED);
}

static const struct net_udp_ops udp_ops = {
	.on_dgram = on_dgram,
	.on_icmp = on_icmp,
};

static int open_udp(struct ask_link *l)
{
	unsigned *left = l->ask->conf->flows_left;
	struct addr local;
	int err;

	if (left && *left == 0) {
		fail_soon(l, EDQUOT);
		return 0;
	}
	err = net_source_for(&local, &l->ask->target->addr);
	if (err == ENETUNREACH || err == EHOSTUNREACH) {
		fail_soon(l, err);
		return 0;
	}
	if (!err)
		err = net_udp_open(&l->udp, &local, NET_UDP_ICMP, &udp_ops, l);
	if (err)
		return err;
	if (left)
		--*left;
	net_timer_set(l->turn, 0);
	return 0;
}

static int open_stream(struct ask_link *l, const struct ask_link_conf *how)
{
	const char *const alpn[] = {how->alpn, NULL};
	const unsigned *left = l->ask->conf->flows_left;
	struct net_stream_conf conf;
	int err = 0;

	if (left && *left == 0) {
		fail_soon(l, EDQUOT);
		return 0;
	}
	/* plain TCP may need it later, for STARTTLS */
	if (l->via != ASK_WS)
		err = ask_stream_tls(&l->tls, l->ask, how->alpn ? alpn : NULL);
	if (err)
		return err;
	if (l->via == ASK_WS || l->via == ASK_WSS)
		return connect_ws(l);
	conf = ask_stream_conf(l->ask);
	return net_stream_connect_as(&l->stream, &l->ask->target->addr,
	                             l->via == ASK_TLS ? l->tls : NULL, &conf,
	                             &stream_ops, l);
}

int ask_link_open(struct ask_link **lp, struct ask *a,
                  const struct ask_link_conf *how,
                  const struct ask_link_ops *ops, void *arg)
{
	const struct ask_link_conf plain = {.via = a->target->via};
	struct ask_link *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return ENOMEM;
	if (!how)
		how = &plain;
	l->ask = a;
	l->ops = ops;
	l->arg = arg;
	l->via = how->via;
	l->path = how->paths;
	l->subprotocol = how->subprotocol;
	l->is_noted = how->before != NULL;
	l->asked = wr_init_heap();
	l->end_ns = how->before ? how->before->end_ns
	                        : clock_mono_ns() + a->conf->patience_ns;
	err = net_timer_alloc(&l->patience, on_patience, l);
	if (!err)
		err = net_timer_alloc(&l->turn, on_turn, l);
	if (!err)
		err = l->via == ASK_UDP ? open_udp(l) : open_stream(l, how);
	if (err) {
		ask_link_close(l);
		return err;
	}
	net_timer_set(l->patience, ask_link_left_ns(l));
	*lp = l;
	return 0;
}

void ask_link_close(struct ask_link *l)
{
	if (!l)
		return;
	net_udp_close(l->udp);
	net_stream_free(l->stream);
	net_ws_free(l->ws);
	net_tls_free(l->tls);
	net_timer_free(l->patience);
	net_timer_free(l->turn);
	wr_fini(&l->asked);
	free(l);
}

void ask_link_ask(struct ask_link *l, struct slice bytes)
{
	if (!l->udp) {
		put_out(l, bytes);
		return;
	}
	l->asked.n = 0;
	l->n_asked = 0;
	wr_put(&l->asked, bytes);
	if (l->asked.bad)
		fail_soon(l, ENOMEM);
	else
		repeat(l);
}

void ask_link_send(struct ask_link *l, struct slice bytes)
{
	put_out(l, bytes);
}

void ask_link_settle(struct ask_link *l)
{
	l->asked.n = 0;
}

void ask_link_farewell(struct ask_link *l, struct slice bytes)
{
	if (l->udp)
		(void)!net_udp_send(l->udp, &l->ask->target->addr, NULL, 0,
		                    bytes);
	else if (l->ws)
		(void)!net_ws_send(l->ws, true, bytes);
	else if (l->stream)
		(void)!net_stream_send(l->stream, bytes);
}

void ask_link_start_tls(struct ask_link *l)
{
	int err;

	if (l->stage != OPEN)
		return;
	l->stage = OPENING;
	err = net_stream_start_tls(l->stream, l->tls);
	if (err)
		fail_soon(l, err);
}

bool ask_link_is_stream(const struct ask_link *l)
{
	return l->via == ASK_TCP || l->via == ASK_TLS;
}

bool ask_link_is_trusted(const struct ask_link *l)
{
	return !l->is_untrusted;
}

struct addr ask_link_local(const struct ask_link *l)
{
	return l->udp ? net_udp_local(l->udp) : net_stream_local(stream_of(l));
}

int64_t ask_link_left_ns(const struct ask_link *l)
{
	return l->end_ns - clock_mono_ns();
}

void ask_link_finish(struct ask_link *l, struct ask *a)
{
	if (l) {
		l->stage = OVER;
		net_timer_cancel(l->turn);
		net_timer_cancel(l->patience);
	}
	ask_end(a);
}

bool ask_link_is_over(const struct ask_link *l)
{
	return l->stage == OVER;
}

void ask_link_answered(struct ask_link *l)
{
	struct ask_result *r = &l->ask->result;

	r->layer = ASK_LAYER_PROTOCOL;
	r->error = 0;
	r->end = l->is_untrusted ? ASK_BAD_TLS : ASK_ANSWERED;
}
