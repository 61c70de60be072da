/* SPDX-License-Identifier: ISC */
/*
 * Design: sockets of our own under libre's codec, not its DNS client, which
 * hides what is asked for here: how many datagrams it took, which of them
 * was answered, by whom, and who refused. Each repetition has an id of its
 * own, so a late answer to the first is not taken for a quick one to the
 * second.
 */
#include "net/dns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "base/clock.h"
#include "net/guard.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/udp.h"

enum {
	SENDS_MAX = 4,
	QUERY_BYTES = 512,
	LENGTH_BYTES = 2, /* before a message over TCP, RFC 1035 4.2.2 */
	TCP_MAX_BYTES = LENGTH_BYTES + UINT16_MAX,
};

/* When each datagram leaves, and the end, in eighths of the patience. */
static const int64_t eighths[SENDS_MAX + 1] = {0, 1, 2, 4, 8};

struct net_dns {
	struct net_udp *udp;
	struct net_stream *stream;
	struct net_timer *timer;
	char *name;
	int64_t patience_ns;
	uint16_t ids[SENDS_MAX];
	int64_t sent_ns[SENDS_MAX];
	int64_t tcp_sent_ns;
	struct wr tcp_in;
	struct net_dns_msg msg;
	struct net_dns_answer answer; /* `msg` is set when there is one */
	bool is_done;
	net_dns_fn *fn;
	void *arg;
};

static void finish(struct net_dns *d, int err)
{
	if (d->is_done)
		return;
	d->is_done = true;
	net_timer_cancel(d->timer);
	net_udp_close(d->udp);
	d->udp = NULL;
	net_stream_free(d->stream);
	d->stream = NULL;
	d->answer.err = err;
	if (d->sent_ns[0])
		d->answer.took_ns = clock_mono_ns() - d->sent_ns[0];
	d->fn(d->arg, &d->answer);
}

static struct slice without_dot(const char *name)
{
	struct slice s = slice_str(name);

	if (s.n && s.p[s.n - 1] == '.')
		s.n--;
	return s;
}

static bool is_for_us(const struct net_dns *d, const struct net_dns_msg *m)
{
	/* a server that refuses may leave the question out */
	return m->is_answer &&
	       ((m->question[0] == '\0' && m->rcode) ||
	        (m->question_type == d->answer.type &&
	         slice_ieq(without_dot(m->question), without_dot(d->name))));
}

/* @return 0 and the message is kept, or what net_dns_decode() says */
static int keep_message(struct net_dns *d, struct slice bytes)
{
	struct net_dns_msg m;
	int err = net_dns_decode(&m, bytes);

	if (err)
		return err;
	if (!is_for_us(d, &m)) {
		net_dns_msg_fini(&m);
		return EBADMSG;
	}
	net_dns_msg_fini(&d->msg);
	d->msg = m;
	d->answer.msg = &d->msg;
	return 0;
}

static void tcp_opened(void *arg)
{
	struct net_dns *d = arg;
	uint8_t buf[LENGTH_BYTES + QUERY_BYTES];
	struct wr w = wr_init(buf + LENGTH_BYTES, QUERY_BYTES);

	if (net_dns_encode(&w, d->ids[0], d->name, d->answer.type))
		return; /* it could be encoded before */
	buf[0] = (uint8_t)(w.n >> 8);
	buf[1] = (uint8_t)w.n;
	d->tcp_sent_ns = clock_mono_ns();
	/* when it fails, on_close tells */
	(void)!net_stream_send(d->stream,
	                       (struct slice){buf, LENGTH_BYTES + w.n});
}

static void tcp_data(void *arg, struct slice bytes)
{
	struct net_dns *d = arg;
	struct slice message;
	struct rd r;
	int err;

	wr_put(&d->tcp_in, slice_sub(bytes, 0, TCP_MAX_BYTES - d->tcp_in.n));
	if (d->tcp_in.bad) {
		finish(d, ENOMEM);
		return;
	}
	r = rd_init(wr_slice(&d->tcp_in));
	message = rd_take(&r, rd_u16(&r));
	if (r.bad)
		return;
	err = keep_message(d, message);
	if (!err && d->msg.id != d->ids[0])
		err = EBADMSG;
	if (!err) {
		d->answer.is_tcp = true;
		d->answer.rtt_ns = clock_mono_ns() - d->tcp_sent_ns;
	}
	finish(d, err);
}

static void tcp_closed(void *arg, int err)
{
	struct net_dns *d = arg;
	struct net_stream_opening o = net_stream_opening(d->stream);

	d->answer.offender = o.offender;
	d->answer.icmp_type = o.icmp_type;
	d->answer.icmp_code = o.icmp_code;
	finish(d, err ? err : ECONNRESET);
}

static void ask_by_tcp(struct net_dns *d)
{
	static const struct net_stream_ops ops = {tcp_opened, tcp_data,
	                                          tcp_closed};
	int err;

	net_udp_close(d->udp);
	d->udp = NULL;
	if (!d->sent_ns[0])
		d->sent_ns[0] = clock_mono_ns();
	err = net_stream_connect(&d->stream, &d->answer.server, NULL, &ops, d);
	if (err)
		finish(d, err);
	else
		net_timer_set(d->timer,
		              d->sent_ns[0] + d->patience_ns - clock_mono_ns());
}

static void on_dgram(void *arg, const struct net_dgram *dgram)
{
	struct net_dns *d = arg;
	struct rd r = rd_init(dgram->bytes);
	uint16_t id = rd_u16(&r);
	unsigned i = 0;
	int err;

	if (!addr_eq(&dgram->from, &d->answer.server))
		return;
	while (i < d->answer.n_sent && d->ids[i] != id)
		i++;
	if (i == d->answer.n_sent)
		return;
	err = keep_message(d, dgram->bytes);
	if (err) {
		finish(d, err);
		return;
	}
	d->answer.rtt_ns = dgram->mono_ns - d->sent_ns[i];
	d->answer.ttl = dgram->ttl;
	d->answer.is_udp_truncated = d->msg.is_truncated;
	if (d->msg.is_truncated)
		ask_by_tcp(d);
	else
		finish(d, 0);
}

static void on_icmp(void *arg, const struct net_icmp *ic)
{
	struct net_dns *d = arg;

	d->answer.offender = ic->offender;
	d->answer.icmp_type = ic->type;
	d->answer.icmp_code = ic->code;
	finish(d, ic->error);
}

static int send_query(struct net_dns *d)
{
	uint8_t buf[QUERY_BYTES];
	struct wr w = wr_init(buf, sizeof(buf));
	unsigned i = d->answer.n_sent;
	int err;

	err = net_dns_encode(&w, d->ids[i], d->name, d->answer.type);
	if (err)
		return err;
	d->sent_ns[i] = clock_mono_ns();
	err = net_udp_send(d->udp, &d->answer.server, NULL, 0, wr_slice(&w));
	if (err && err != EAGAIN)
		return err;
	d->answer.n_sent++;
	return 0;
}

static void on_timer(void *arg)
{
	struct net_dns *d = arg;
	unsigned n = d->answer.n_sent;
	int err;

	if (d->stream || n == SENDS_MAX) {
		finish(d, ETIMEDOUT);
		return;
	}
	if (!d->udp) {
		ask_by_tcp(d);
		return;
	}
	err = send_query(d);
	if (err)
		finish(d, err);
	else
		net_timer_set(d->timer, d->patience_ns *
		                                (eighths[n + 1] - eighths[n]) /
		                                eighths[SENDS_MAX]);
}

static int check(const struct addr *server, const char *name)
{
	uint8_t buf[QUERY_BYTES];
	struct wr w = wr_init(buf, sizeof(buf));

	if (server->family == ADDR_NONE)
		return EINVAL;
	if (!net_guard_allows(server))
		return EPERM;
	return net_dns_encode(&w, 0, name, NET_DNS_A) ? EINVAL : 0;
}

/* Without a socket: TCP, unless it is given one. */
static int begin(struct net_dns **dp, const struct addr *server,
                 const char *name, enum net_dns_type type, int64_t patience_ns,
                 net_dns_fn *fn, void *arg)
{
	struct net_dns *d;
	int err = check(server, name);

	if (err)
		return err;
	d = calloc(1, sizeof(*d));
	if (!d)
		return ENOMEM;
	d->fn = fn;
	d->arg = arg;
	d->patience_ns = patience_ns;
	d->tcp_in = wr_init_heap();
	d->answer.server = *server;
	if (server->port == 0)
		d->answer.server.port = NET_DNS_PORT;
	d->answer.type = type;
	d->answer.ttl = -1;
	d->name = strdup(name);
	d->answer.name = d->name;
	err = d->name ? net_timer_alloc(&d->timer, on_timer, d) : ENOMEM;
	if (!err && RAND_bytes((uint8_t *)d->ids, sizeof(d->ids)) != 1)
		err = ENOMEM;
	if (err) {
		net_dns_free(d);
		return err;
	}
	net_timer_set(d->timer, 0);
	*dp = d;
	return 0;
}

int net_dns_ask(struct net_dns **dp, const struct addr *server,
                const char *name, enum net_dns_type type, int64_t patience_ns,
                net_dns_fn *fn, void *arg)
{
	static const struct net_udp_ops ops = {on_dgram, on_icmp};
	const struct addr any = {.family = server->family};
	struct net_dns *d = NULL;
	int err = begin(&d, server, name, type, patience_ns, fn, arg);

	if (!err)
		err = net_udp_open(&d->udp, &any, NET_UDP_ICMP, &ops, d);
	if (err)
		net_dns_free(d);
	else
		*dp = d;
	return err;
}

int net_dns_ask_tcp(struct net_dns **dp, const struct addr *server,
                    const char *name, enum net_dns_type type,
                    int64_t patience_ns, net_dns_fn *fn, void *arg)
{
	return begin(dp, server, name, type, patience_ns, fn, arg);
}

void net_dns_free(struct net_dns *d)
{
	if (!d)
		return;
	net_udp_close(d->udp);
	net_stream_free(d->stream);
	net_timer_free(d->timer);
	net_dns_msg_fini(&d->msg);
	wr_fini(&d->tcp_in);
	free(d->name);
	free(d);
}
