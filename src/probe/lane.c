/* SPDX-License-Identifier: ISC */
/*
 * Design: one socket asks all ports by UDP, and a few local ports all by TCP
 * (the kernel compares each connection with all others of its local port), so
 * that a NAT that keeps one mapping for a local port keeps few. A fresh flow
 * is the same from a local port of its own.
 *
 * The nonce of a HELLO says when it was sent and from which flow: an answer
 * brings back all that is needed to take its round trip, and nothing is kept
 * per datagram.
 *
 * A TCP port is asked by connecting. Trying it again closes the first socket
 * and connects anew, once from the same local port: the same flow, one SYN
 * more, much sooner than the kernel would repeat it. The first connections that
 * open send a HELLO too, to know what is behind them.
 */
#include "probe/lane.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "net/loop.h"
#include "net/stream.h"

enum {
	FRESH_KEPT =
		2, /* sockets: the last, and the one whose answer is late */
	HELLOS_MAX = 96,
	HELLO_WAIT_MS = 1500,
	NS_PER_US = 1000,
	SALT_BYTES = 3,
	LOCAL_PORT_MIN = 32768, /* both within what systems give out */
	LOCAL_PORTS = 28000,
	LOCAL_PORTS_USED = 8,
	LOCAL_SETS = 5, /* enough for RANGE_TRIES_SURE */
	LOCAL_TRIES = 8,
	ICMP4_UNREACHABLE = 3, /* RFC 792 */
	ICMP4_PORT = 3,
	ICMP6_UNREACHABLE = 1, /* RFC 4443 */
	ICMP6_PORT = 4,
};

/* One TCP try of a port. */
struct line {
	struct lane *lane;
	struct line *next, *prev;
	struct net_stream *stream;
	struct net_timer *timer; /* until a WELCOME must have come */
	struct range_step step;
	bool is_open;
};

struct lane {
	struct addr to;
	uint16_t last;
	bool is_tcp;
	lane_fn *fn;
	void *arg;

	uint8_t hello[WIRE_HELLO_BYTES];
	uint8_t session[WIRE_SESSION_BYTES];
	uint8_t salt[SALT_BYTES];
	int64_t zero_ns;
	struct net_udp *udp;
	struct net_udp *fresh[FRESH_KEPT];

	struct line **lines; /* by port, the last is of the fresh flow */
	struct line *first;
	uint16_t local_ports[LOCAL_SETS][LOCAL_PORTS_USED], fresh_port;
	unsigned n_hellos, n_waiting;
};

static uint32_t now_us(const struct lane *l)
{
	return (uint32_t)((clock_mono_ns() - l->zero_ns) / NS_PER_US);
}

static void make_hello(struct lane *l, const struct range_step *step)
{
	struct wire_hello h;
	struct wr nonce = wr_init(h.nonce, sizeof(h.nonce));
	struct wr w = wr_init(l->hello, sizeof(l->hello));

	memcpy(h.session, l->session, sizeof(h.session));
	wr_u8(&nonce, step->is_fresh ? (uint8_t)(step->fresh + 1) : 0);
	wr_put(&nonce, (struct slice){l->salt, sizeof(l->salt)});
	wr_u32(&nonce, now_us(l));
	wire_hello_put(&w, &h);
}

/* @return false: not ours */
static bool read_nonce(struct lane_word *word, const struct lane *l,
                       const uint8_t nonce[WIRE_NONCE_BYTES])
{
	struct rd r = rd_init((struct slice){nonce, WIRE_NONCE_BYTES});
	struct slice salt;
	uint32_t sent_us;
	uint8_t fresh;

	fresh = rd_u8(&r);
	salt = rd_take(&r, SALT_BYTES);
	sent_us = rd_u32(&r);
	if (!slice_eq(salt, (struct slice){l->salt, SALT_BYTES}))
		return false;
	word->is_fresh = fresh > 0;
	word->fresh = fresh ? fresh - 1U : 0;
	/* unsigned: right across the wrap of 32 bits too */
	word->rtt_ns = (int64_t)(uint32_t)(now_us(l) - sent_us) * NS_PER_US;
	return true;
}

static bool read_welcome(struct lane_word *word, const struct lane *l,
                         struct slice bytes)
{
	struct wire_welcome wel;

	return wire_welcome_decode(&wel, bytes) == 0 &&
	       read_nonce(word, l, wel.nonce);
}

/* A quote that is long enough tells the round trip. */
static void read_quote(struct lane_word *word, const struct lane *l,
                       struct slice quote)
{
	struct wire_hello h;

	if (wire_hello_decode(&h, quote) == 0)
		(void)read_nonce(word, l, h.nonce);
}

static bool is_in_range(const struct lane *l, uint16_t port)
{
	return port >= l->to.port && port <= l->last;
}

static void on_dgram(void *arg, const struct net_dgram *d)
{
	struct lane *l = arg;
	struct lane_word word = {.port = d->from.port, .what = LANE_EDGE};

	if (!addr_ip_eq(&d->from, &l->to) || !is_in_range(l, d->from.port) ||
	    !read_welcome(&word, l, d->bytes))
		return;
	l->fn(l->arg, &word);
}

/* Errors that do not tell of the port: a TTL ran out, a packet too big. */
static bool is_beside(const struct net_icmp *ic)
{
	if (ic->is_local)
		return true;
	if (ic->dst.family == ADDR_IP4)
		return ic->type != ICMP4_UNREACHABLE || ic->error == EMSGSIZE;
	return ic->type != ICMP6_UNREACHABLE;
}

static bool is_port_unreachable(const struct addr *dst, uint8_t type,
                                uint8_t code)
{
	if (dst->family == ADDR_IP4)
		return type == ICMP4_UNREACHABLE && code == ICMP4_PORT;
	return type == ICMP6_UNREACHABLE && code == ICMP6_PORT;
}

static void on_icmp(void *arg, const struct net_icmp *ic)
{
	struct lane *l = arg;
	struct lane_word word = {
		.port = ic->dst.port,
		.what = LANE_REFUSED,
		.error = ic->error,
		.offender = ic->offender,
		.icmp_type = ic->type,
		.icmp_code = ic->code,
	};

	if (!addr_ip_eq(&ic->dst, &l->to) || !is_in_range(l, ic->dst.port) ||
	    is_beside(ic))
		return;
	if (addr_ip_eq(&ic->offender, &l->to) &&
	    is_port_unreachable(&ic->dst, ic->type, ic->code))
		word.what = LANE_CLOSED;
	read_quote(&word, l, ic->quote);
	l->fn(l->arg, &word);
}

static const struct net_udp_ops udp_ops = {
	.on_dgram = on_dgram,
	.on_icmp = on_icmp,
};

/* What a fresh flow draws is told by the nonce; errors are not waited for. */
static const struct net_udp_ops fresh_ops = {.on_dgram = on_dgram};

static int open_fresh(struct net_udp **up, struct lane *l,
                      const struct range_step *step)
{
	struct addr any = {.family = l->to.family};
	unsigned at = step->fresh % FRESH_KEPT;
	int err;

	if (step->nth == 0) {
		net_udp_close(l->fresh[at]);
		l->fresh[at] = NULL;
		err = net_udp_open(&l->fresh[at], &any, 0, &fresh_ops, l);
		if (err)
			return err;
	}
	*up = l->fresh[at];
	return *up ? 0 : EAGAIN;
}

static int ask_udp(struct lane *l, const struct range_step *step)
{
	struct net_udp *u = l->udp;
	struct addr to = l->to;
	int err = 0;

	if (step->is_fresh)
		err = open_fresh(&u, l, step);
	if (err)
		return err;
	to.port = step->port;
	make_hello(l, step);
	return net_udp_send(u, &to, NULL, 0, lane_payload(l));
}

static void line_free(struct line *n)
{
	net_stream_free(n->stream);
	net_timer_free(n->timer);
	free(n);
}

static struct line **slot(struct lane *l, const struct range_step *step)
{
	if (step->is_fresh)
		return &l->lines[l->last - l->to.port + 1];
	return &l->lines[step->port - l->to.port];
}

static void line_end(struct line *n)
{
	struct lane *l = n->lane;
	struct line **at = slot(l, &n->step);

	if (*at == n)
		*at = NULL;
	if (n->prev)
		n->prev->next = n->next;
	else
		l->first = n->next;
	if (n->next)
		n->next->prev = n->prev;
	l->n_waiting -= n->is_open;
	line_free(n);
}

static void line_tell(struct line *n, struct lane_word *word)
{
	word->port = n->step.port;
	word->is_fresh = n->step.is_fresh;
	word->fresh = n->step.fresh;
	n->lane->fn(n->lane->arg, word);
}

static void on_open(void *arg)
{
	struct line *n = arg;
	struct lane *l = n->lane;
	struct net_stream_opening op = net_stream_opening(n->stream);
	struct lane_word word = {.what = LANE_OPENED};

	/* as this program saw it, not as the kernel did: what it takes to get
	 * round to an answer is part of the patience that is needed */
	if (!op.is_syn_repeated)
		word.rtt_ns = clock_mono_ns() - op.began_ns;
	n->is_open = true;
	l->n_waiting++;
	line_tell(n, &word);
	make_hello(l, &n->step);
	if (l->n_hellos++ >= HELLOS_MAX || n->step.is_fresh ||
	    net_stream_send(n->stream, lane_payload(l))) {
		line_end(n);
		return;
	}
	net_timer_set(n->timer, HELLO_WAIT_MS * NS_PER_MS);
}

static void line_is_other(struct line *n)
{
	struct lane_word word = {.what = LANE_OTHER};

	line_tell(n, &word);
	line_end(n);
}

static void on_timer(void *arg)
{
	line_is_other(arg);
}

static void on_data(void *arg, struct slice bytes)
{
	struct line *n = arg;
	struct lane_word word = {.what = LANE_EDGE};

	if (!read_welcome(&word, n->lane, bytes)) {
		line_is_other(n);
		return;
	}
	word.rtt_ns = 0; /* of the port it is known already */
	line_tell(n, &word);
	line_end(n);
}

/* The local port, or a descriptor, cannot be had at the moment. */
static bool is_busy(int err)
{
	return err == EMFILE || err == ENFILE || err == EADDRNOTAVAIL ||
	       err == EADDRINUSE || err == ENOMEM;
}

static void on_close(void *arg, int err)
{
	struct line *n = arg;
	struct net_stream_opening op = net_stream_opening(n->stream);
	struct lane_word word = {
		.what = LANE_REFUSED,
		.error = err,
		.offender = op.offender,
		.icmp_type = op.icmp_type,
		.icmp_code = op.icmp_code,
		.rtt_ns = op.connect_ns,
	};

	if (n->is_open) {
		line_is_other(n);
		return;
	}
	if (is_busy(err)) {
		line_end(n); /* not a word of the network's: asked again */
		return;
	}
	if (err == ECONNREFUSED && op.offender.family == ADDR_NONE)
		word.what = LANE_CLOSED;
	line_tell(n, &word);
	line_end(n);
}

static const struct net_stream_ops stream_ops = {
	.on_open = on_open,
	.on_data = on_data,
	.on_close = on_close,
};

static uint16_t some_port(void)
{
	unsigned rnd = 0;

	if (getrandom(&rnd, sizeof(rnd), 0) != sizeof(rnd))
		rnd = (unsigned)clock_mono_ns();
	return (uint16_t)(LOCAL_PORT_MIN + rnd % LOCAL_PORTS);
}

static int connect_from(struct line *n, uint16_t *port)
{
	struct addr to = n->lane->to;
	struct net_stream_conf conf = {
		.local = {.family = to.family},
		.is_abrupt = true,
	};
	int err = EADDRINUSE;

	to.port = n->step.port;
	for (int i = 0; i < LOCAL_TRIES && err == EADDRINUSE; i++) {
		uint16_t from = *port ? *port : some_port();

		conf.local.port = from;
		err = net_stream_connect_as(&n->stream, &to, NULL, &conf,
		                            &stream_ops, n);
		if (!err)
			*port = from;
		else if (*port)
			break;
	}
	return is_busy(err) ? EAGAIN : err;
}

static uint16_t *local_of(struct lane *l, const struct range_step *step)
{
	unsigned set = step->nth / LANE_TCP_TRIES % LOCAL_SETS;

	return &l->local_ports[set][step->port % LOCAL_PORTS_USED];
}

static int ask_tcp(struct lane *l, const struct range_step *step)
{
	struct line **at = slot(l, step);
	uint16_t *port = step->is_fresh ? &l->fresh_port : local_of(l, step);
	struct line *n;
	int err;

	if (*at && (*at)->is_open)
		return 0; /* it has been told */
	if (*at)
		line_end(*at);
	if (step->is_fresh && step->nth % LANE_TCP_TRIES == 0)
		*port = 0;
	n = calloc(1, sizeof(*n));
	if (!n)
		return EAGAIN;
	n->lane = l;
	n->step = *step;
	err = net_timer_alloc(&n->timer, on_timer, n);
	if (!err)
		err = connect_from(n, port);
	if (err) {
		line_free(n);
		return err;
	}
	n->next = l->first;
	if (n->next)
		n->next->prev = n;
	l->first = n;
	*at = n;
	return 0;
}

int lane_open(struct lane **lp, const struct addr *to, uint16_t last,
              bool is_tcp, lane_fn *fn, void *arg)
{
	struct lane *l = calloc(1, sizeof(*l));
	struct addr any = {.family = to->family};
	int err = 0;

	if (!l)
		return ENOMEM;
	*l = (struct lane){.to = *to,
	                   .last = last,
	                   .is_tcp = is_tcp,
	                   .fn = fn,
	                   .arg = arg};
	l->zero_ns = clock_mono_ns();
	if (getrandom(l->salt, sizeof(l->salt), 0) != sizeof(l->salt) ||
	    getrandom(l->session, sizeof(l->session), 0) !=
	            sizeof(l->session)) {
		err = EIO;
	} else if (is_tcp) {
		l->lines = calloc((size_t)(last - to->port) + 2,
		                  sizeof(struct line *));
		err = l->lines ? 0 : ENOMEM;
	} else {
		err = net_udp_open(&l->udp, &any, NET_UDP_ICMP, &udp_ops, l);
	}
	if (err)
		lane_close(l);
	else
		*lp = l;
	return err;
}

void lane_close(struct lane *l)
{
	struct line *next;

	if (!l)
		return;
	for (struct line *n = l->first; n; n = next) {
		next = n->next;
		line_free(n);
	}
	net_udp_close(l->udp);
	for (size_t i = 0; i < FRESH_KEPT; i++)
		net_udp_close(l->fresh[i]);
	free(l->lines);
	free(l);
}

int lane_ask(struct lane *l, const struct range_step *step)
{
	return l->is_tcp ? ask_tcp(l, step) : ask_udp(l, step);
}

unsigned lane_n_waiting(const struct lane *l)
{
	return l->n_waiting;
}

uint16_t lane_source_port(const struct lane *l, uint16_t port)
{
	return l->is_tcp ? l->local_ports[0][port % LOCAL_PORTS_USED]
	                 : net_udp_local(l->udp).port;
}

struct slice lane_payload(const struct lane *l)
{
	return (struct slice){l->hello, sizeof(l->hello)};
}
