/* SPDX-License-Identifier: ISC */
/*
 * Design: two walks side by side, the flow in question and the known good
 * one, the first always a little ahead: routers limit their ICMP errors, and
 * when one is spent on the flow in question, its silence means something.
 *
 * A HELLO carries its TTL in the nonce, which routers quote: so all hops are
 * asked at once. Where the quote cannot tell (a router that quotes 8 bytes
 * only, a payload that is not ours to change, TCP) hop after hop is asked
 * and the TTL is the one asked last.
 *
 * A reset says nothing of who sent it, but the kernel can be told to ignore
 * what arrives with less than some TTL (RFC 5082): eight more connections
 * find the TTL that the reset has. The same finds that of a SYN-ACK.
 *
 * A TCP flow of which not even the first router gives a sign may never have
 * left: a connection beside the walk, as any program makes it, lives until its
 * SYN has been repeated, for the kernel then tells of its own filter.
 */
#include "probe/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/udp.h"
#include "wire/dgram.h"

enum {
	ROUNDS = 3,
	TRIES = 2,       /* where hop after hop is asked */
	SILENT_STOP = 3, /* hops that heard the known good flow and not this */
	HOPS_GUESS = 20,
	MAX_TTL = 255,
	LOCAL_PORT_MIN = 32768,
	LOCAL_PORTS = 28000,
	PORT_TRIES = 8,
	ICMP4_TIME_EXCEEDED = 11, /* RFC 792 */
	ICMP6_TIME_EXCEEDED = 3,  /* RFC 4443 */
	ICMP4_UNREACHABLE = 3,
	ICMP4_PORT = 3,
	ICMP6_UNREACHABLE = 1,
	ICMP6_PORT = 4,
};

#define GAP_NS       (6 * NS_PER_MS)
#define AHEAD_NS     (3 * NS_PER_MS)
#define RTT_GUESS_NS (150 * NS_PER_MS)
#define MARGIN_NS    (60 * NS_PER_MS)
/* The kernel repeats a SYN after a second. */
#define REPEAT_NS (1100 * NS_PER_MS)

enum mode {
	MODE_ROUNDS, /* all hops at once; UDP only */
	MODE_HOPS,   /* one after the other */
	MODE_TTL,    /* TCP: the TTL that an answer has */
	MODE_DONE,
};

struct walk {
	struct trace *trace;
	struct trace_flow spec;
	struct walk *control; /* of the flow in question; else NULL */
	struct where_flow got;
	enum mode mode;
	bool is_own; /* a HELLO: the nonce tells the TTL */
	struct net_udp *udp;
	struct net_stream *stream;
	struct net_timer *timer;
	uint8_t payload[TRACE_PAYLOAD_BYTES];
	uint8_t salt[6];
	unsigned bound; /* highest TTL to ask */
	unsigned ttl, round, tries;
	bool has_word;    /* MODE_HOPS: this TTL was answered */
	unsigned n_short; /* quotes that did not tell what they quote */
	unsigned ttl_low, ttl_high; /* MODE_TTL: it is one of these */
	int64_t sent_ns[HOP_MAX + 1];
};

struct trace {
	struct trace_spec spec;
	struct walk flow, control;
	struct net_stream *plain; /* beside a TCP flow; NULL: none */
	int64_t began_ns;
	struct net_timer *limit;
	struct trace_result result;
	trace_done_fn *done;
	void *arg;
	bool has_control, is_over;
};

static void step(void *arg);

static int64_t patience_ns(const struct walk *w)
{
	int64_t rtt = w->trace->spec.rtt_ns;

	return (rtt ? rtt * 3 / 2 : RTT_GUESS_NS) + MARGIN_NS;
}

/* What was refused before, and is silent now, is refused still. */
static void add_refusal(struct trace *t)
{
	struct where_flow *got = &t->flow.got;

	if (t->spec.refuser.family == ADDR_NONE || got->refused_at ||
	    got->answer_at || got->error)
		return;
	got->refused_at = 1;
	for (unsigned ttl = 1; ttl < HOP_MAX; ttl++) {
		if (got->hops[ttl].n_answers)
			got->refused_at = ttl + 1;
	}
	got->refuser = t->spec.refuser;
	got->icmp_type = t->spec.icmp_type;
	got->icmp_code = t->spec.icmp_code;
}

static void walk_quit(struct walk *w)
{
	w->mode = MODE_DONE;
	net_stream_free(w->stream);
	w->stream = NULL;
	if (w->timer)
		net_timer_cancel(w->timer);
}

/* Nothing at all came back. */
static bool is_deaf(const struct where_flow *got)
{
	bool is_heard = got->answer_at || got->refused_at || got->reset_at;

	for (unsigned ttl = 1; ttl <= HOP_MAX; ttl++)
		is_heard |= got->hops[ttl].n_answers > 0;
	return !is_heard;
}

static void look_here(struct trace *t)
{
	if (t->plain && is_deaf(&t->flow.got) &&
	    net_stream_opening(t->plain).is_kept_here)
		t->flow.got.error = EPERM;
}

static bool is_tcp_beside_udp(const struct trace *t)
{
	return t->has_control && t->spec.flow.is_tcp && !t->spec.control.is_tcp;
}

static void on_over(void *arg)
{
	struct trace *t = arg;
	const struct where_flow *control;

	if (t->is_over)
		return;
	t->is_over = true;
	look_here(t);
	walk_quit(&t->flow);
	walk_quit(&t->control);
	add_refusal(t);
	t->result.flow = t->flow.got;
	t->result.control = t->control.got;
	control = t->has_control ? &t->result.control : NULL;
	t->result.where =
		where_judge(&t->result.flow, control, &t->spec.flow.to);
	t->result.is_near = is_tcp_beside_udp(t) &&
	                    where_near_judge(&t->result.near, &t->result.flow,
	                                     &t->result.control);
	if (t->result.where.n_hops == 0)
		t->result.where.n_hops = t->spec.n_hops;
	t->done(t->arg, &t->result); /* may free t */
}

/* Of two TCP flows, one known good and one reset: the TTLs of what they
 * drew tell whether one sender sent both. That of a SYN-ACK from before the
 * server tells that it was sent there. */
static bool wants_ttl(const struct walk *w)
{
	const struct trace *t = w->trace;

	if (!w->spec.is_tcp || w->mode == MODE_TTL)
		return false;
	if (w == &t->flow && w->got.answer_at)
		return w->got.answer_ttl == 0 && is_tcp_beside_udp(t) &&
		       t->control.mode == MODE_DONE &&
		       where_opens_near(&w->got, &t->control.got);
	if (w == &t->flow)
		return w->got.reset_at && w->got.reset_ttl == 0;
	return t->flow.got.reset_at && w->got.answer_at &&
	       w->got.answer_ttl == 0;
}

static void begin_ttl(struct walk *w)
{
	w->mode = MODE_TTL;
	w->ttl_low = 1;
	w->ttl_high = MAX_TTL;
	w->has_word = false;
	w->tries = 0;
	net_timer_set(w->timer, 0);
}

static void walk_end(struct walk *w)
{
	struct trace *t = w->trace;
	int64_t left_ns;

	net_stream_free(w->stream);
	w->stream = NULL;
	w->mode = MODE_DONE;
	if (t->flow.mode == MODE_DONE && wants_ttl(&t->flow))
		begin_ttl(&t->flow);
	if (t->has_control && t->control.mode == MODE_DONE &&
	    wants_ttl(&t->control))
		begin_ttl(&t->control);
	if (t->flow.mode != MODE_DONE ||
	    (t->has_control && t->control.mode != MODE_DONE))
		return;
	left_ns = t->began_ns + REPEAT_NS - clock_mono_ns();
	net_timer_set(t->limit, t->plain && is_deaf(&t->flow.got) && left_ns > 0
	                                ? left_ns
	                                : 0);
}

/* Lowest of what was so far and now; 0 is none. */
static unsigned lower(unsigned so_far, unsigned now)
{
	return so_far && so_far < now ? so_far : now;
}

static void note_answer(struct walk *w, unsigned ttl, int arrived_ttl,
                        bool is_icmp)
{
	struct where_flow *got = &w->got;

	got->is_icmp = is_icmp;
	got->answer_at = lower(got->answer_at, ttl);
	if (arrived_ttl > 0)
		got->answer_ttl = arrived_ttl;
	if (got->answer_rtt_ns == 0)
		got->answer_rtt_ns = clock_mono_ns() - w->sent_ns[ttl];
	if (ttl < w->bound)
		w->bound = ttl;
}

static void note_hop(struct walk *w, unsigned ttl, const struct addr *who,
                     int arrived_ttl)
{
	struct where_hop *h = &w->got.hops[ttl];
	int64_t rtt = clock_mono_ns() - w->sent_ns[ttl];

	h->addr = *who;
	h->n_answers++;
	if (arrived_ttl > 0)
		h->ttl = arrived_ttl;
	if (h->rtt_ns == 0 || rtt < h->rtt_ns)
		h->rtt_ns = rtt;
}

static void note_refusal(struct walk *w, unsigned ttl, const struct addr *who,
                         uint8_t type, uint8_t code)
{
	struct where_flow *got = &w->got;

	if (got->refused_at && got->refused_at <= ttl)
		return;
	got->refused_at = ttl;
	got->refuser = *who;
	got->icmp_type = type;
	got->icmp_code = code;
	if (ttl < w->bound)
		w->bound = ttl;
}

struct icmp_word {
	const struct addr *who;
	uint8_t type, code;
	int ttl; /* on arrival; not known: no more than 0 */
};

static void on_icmp_word(struct walk *w, unsigned ttl,
                         const struct icmp_word *ic)
{
	bool is_ip6 = w->spec.to.family == ADDR_IP6;
	bool is_server = addr_ip_eq(ic->who, &w->spec.to);

	if (ttl == 0 || ttl > HOP_MAX)
		return;
	if (ic->type == (is_ip6 ? ICMP6_TIME_EXCEEDED : ICMP4_TIME_EXCEEDED)) {
		note_hop(w, ttl, ic->who, ic->ttl);
		return;
	}
	if (ic->type != (is_ip6 ? ICMP6_UNREACHABLE : ICMP4_UNREACHABLE))
		return;
	/* the other flow may be known by just that, or be meant for that */
	if (is_server && w == &w->trace->control &&
	    ic->code == (is_ip6 ? ICMP6_PORT : ICMP4_PORT))
		note_answer(w, ttl, ic->ttl, true);
	else
		note_refusal(w, ttl, ic->who, ic->type, ic->code);
}

/* The TTL of a HELLO of ours; 0: not ours, or not to be told. */
static unsigned ttl_of_nonce(const struct walk *w, const uint8_t *nonce)
{
	struct rd r = rd_init((struct slice){nonce, WIRE_NONCE_BYTES});
	struct slice salt = rd_take(&r, sizeof(w->salt));
	uint8_t ttl = rd_u8(&r);

	if (!slice_eq(salt, (struct slice){w->salt, sizeof(w->salt)}) ||
	    ttl > HOP_MAX)
		return 0;
	return ttl;
}

/* A quote may end before the HELLO does: what matters is at its start. */
static unsigned ttl_of_quote(struct slice quote, const struct walk *w)
{
	uint8_t whole[WIRE_HELLO_BYTES] = {0};
	struct wire_hello h;

	if (quote.n <
	    WIRE_DGRAM_HDR_BYTES + WIRE_SESSION_BYTES + WIRE_NONCE_BYTES)
		return 0;
	memcpy(whole, quote.p,
	       quote.n < sizeof(whole) ? quote.n : sizeof(whole));
	if (wire_hello_decode(&h, (struct slice){whole, sizeof(whole)}))
		return 0;
	return ttl_of_nonce(w, h.nonce);
}

static void have_word(struct walk *w)
{
	if (w->mode != MODE_HOPS && w->mode != MODE_TTL)
		return;
	w->has_word = true;
	net_timer_set(w->timer, 0);
}

static void on_icmp(void *arg, const struct net_icmp *ic)
{
	struct walk *w = arg;
	unsigned ttl = w->is_own ? ttl_of_quote(ic->quote, w) : 0;
	struct addr self;

	if (ic->is_local || !addr_eq(&ic->dst, &w->spec.to) ||
	    w->mode == MODE_DONE)
		return;
	/* an error of our own stack in a router's place: no route, no ARP */
	if (net_source_for(&self, &w->spec.to) == 0 &&
	    addr_ip_eq(&self, &ic->offender)) {
		w->got.error = ic->error;
		return;
	}
	if (ttl == 0 && w->mode != MODE_HOPS) {
		w->n_short++;
		return;
	}
	on_icmp_word(w, ttl ? ttl : w->ttl,
	             &(struct icmp_word){&ic->offender, ic->type, ic->code,
	                                 ic->ttl});
	have_word(w);
}

static void on_dgram(void *arg, const struct net_dgram *d)
{
	struct walk *w = arg;
	struct wire_welcome wel;
	unsigned ttl = w->ttl;

	if (!addr_eq(&d->from, &w->spec.to) || w->mode == MODE_DONE)
		return;
	if (w->is_own) {
		if (wire_welcome_decode(&wel, d->bytes))
			return;
		ttl = ttl_of_nonce(w, wel.nonce);
	}
	if (ttl == 0)
		return;
	note_answer(w, ttl, d->ttl, false);
	have_word(w);
}

static const struct net_udp_ops udp_ops = {
	.on_dgram = on_dgram,
	.on_icmp = on_icmp,
};

static void on_open(void *arg)
{
	struct walk *w = arg;

	if (w->mode == MODE_HOPS)
		note_answer(w, w->ttl, 0, false);
	have_word(w);
}

static void on_data(void *arg, struct slice bytes)
{
	UNUSED(arg);
	UNUSED(bytes);
}

static void note_reset(struct walk *w)
{
	struct where_flow *got = &w->got;

	got->reset_at = lower(got->reset_at, w->ttl);
	if (got->reset_rtt_ns == 0)
		got->reset_rtt_ns = clock_mono_ns() - w->sent_ns[w->ttl];
	if (w->ttl < w->bound)
		w->bound = w->ttl;
}

static void on_close(void *arg, int err)
{
	struct walk *w = arg;
	struct net_stream_opening op = net_stream_opening(w->stream);

	if (w->mode == MODE_HOPS && op.offender.family != ADDR_NONE)
		on_icmp_word(w, w->ttl,
		             &(struct icmp_word){&op.offender, op.icmp_type,
		                                 op.icmp_code, 0});
	else if (w->mode == MODE_HOPS && op.is_kept_here)
		w->got.error = EPERM;
	else if (w->mode == MODE_HOPS && err == ECONNREFUSED)
		note_reset(w);
	else if (w->mode == MODE_HOPS && err != ECONNRESET &&
	         err != EHOSTUNREACH)
		w->got.error = err;
	have_word(w);
}

static const struct net_stream_ops stream_ops = {
	.on_open = on_open,
	.on_data = on_data,
	.on_close = on_close,
};

static void on_plain_close(void *arg, int err)
{
	UNUSED(arg);
	UNUSED(err);
}

static int open_plain(struct trace *t)
{
	static const struct net_stream_ops ops = {.on_data = on_data,
	                                          .on_close = on_plain_close};
	static const struct net_stream_conf conf = {.is_abrupt = true};

	t->began_ns = clock_mono_ns();
	if (!t->spec.flow.is_tcp)
		return 0;
	t->result.n_sent++;
	return net_stream_connect_as(&t->plain, &t->spec.flow.to, NULL, &conf,
	                             &ops, t);
}

static uint16_t some_port(void)
{
	uint16_t rnd;

	if (getrandom(&rnd, sizeof(rnd), 0) != sizeof(rnd))
		rnd = (uint16_t)clock_mono_ns();
	return (uint16_t)(LOCAL_PORT_MIN + rnd % LOCAL_PORTS);
}

static int connect_tcp(struct walk *w, unsigned ttl, unsigned ttl_min)
{
	struct net_stream_conf conf = {
		.local = {.family = w->spec.to.family,
	                  .port = w->spec.src_port},
		.ttl = (int)ttl,
		.ttl_min = (int)ttl_min,
		.is_abrupt = true,
		.asks_here = w->mode == MODE_HOPS,
	};

	int err = EADDRINUSE;

	net_stream_free(w->stream);
	w->stream = NULL;
	for (int i = 0; i < PORT_TRIES && err == EADDRINUSE; i++) {
		if (i > 0)
			w->spec.src_port = some_port();
		/* a server that sent a SYN-ACK in vain remembers the flow */
		conf.local.port = ttl_min ? some_port() : w->spec.src_port;
		err = net_stream_connect_as(&w->stream, &w->spec.to, NULL,
		                            &conf, &stream_ops, w);
	}
	return err;
}

static int send_udp(struct walk *w, unsigned ttl)
{
	struct slice bytes = {w->payload, w->spec.payload.n};

	if (w->is_own) {
		struct wire_hello h = {0};
		struct wr nonce = wr_init(h.nonce, sizeof(h.nonce));
		struct wr out = wr_init(w->payload, sizeof(w->payload));

		wr_put(&nonce, (struct slice){w->salt, sizeof(w->salt)});
		wr_u8(&nonce, (uint8_t)ttl);
		wr_u8(&nonce, (uint8_t)w->round);
		memcpy(h.session, w->salt, sizeof(w->salt));
		wire_hello_put(&out, &h);
		bytes = wr_slice(&out);
	}
	return net_udp_send(w->udp, &w->spec.to, NULL, (int)ttl, bytes);
}

static void ask(struct walk *w, unsigned ttl, unsigned ttl_min)
{
	int err;

	w->sent_ns[ttl <= HOP_MAX ? ttl : 0] = clock_mono_ns();
	w->trace->result.n_sent++;
	err = w->spec.is_tcp ? connect_tcp(w, ttl, ttl_min) : send_udp(w, ttl);
	if (w->mode == MODE_TTL)
		return;
	if (!err)
		w->got.hops[ttl].n_tries++;
	else if (err != EAGAIN)
		w->got.error = err;
}

static unsigned bound_of(const struct walk *w)
{
	const struct where_flow *flow = &w->trace->flow.got;
	unsigned bound = w->bound, last = HOP_MAX;

	while (last > 0 && w->got.hops[last].n_answers == 0)
		last--;
	if (w->control && w->control->got.answer_at)
		bound = lower(w->control->got.answer_at, bound);
	if (w->spec.is_closed) {
		/* one hop more shows that somebody is behind who resets */
		if (flow->reset_at)
			bound = lower(flow->reset_at + 1, bound);
		bound = lower(last + SILENT_STOP, bound);
	}
	return bound;
}

/* Rounds over all hops that have not answered yet. */
static void step_rounds(struct walk *w)
{
	unsigned bound = bound_of(w);

	while (w->ttl <= bound && w->got.hops[w->ttl].n_answers)
		w->ttl++;
	if (w->ttl <= bound) {
		ask(w, w->ttl++, 0);
		net_timer_set(w->timer, GAP_NS);
		return;
	}
	if (++w->round < ROUNDS) {
		w->ttl = 1;
		net_timer_set(w->timer, patience_ns(w));
		return;
	}
	if (w->n_short == 0) {
		walk_end(w);
		return;
	}
	w->mode = MODE_HOPS;
	w->ttl = 0;
	w->has_word = true;
	step(w);
}

/* Has the known good flow gone on where this one does not? */
static bool is_left_behind(const struct walk *w)
{
	const struct where_flow *c = w->control ? &w->control->got : NULL;
	unsigned n = 0;

	if (!c)
		return false;
	for (unsigned ttl = w->ttl; ttl > 0; ttl--) {
		if (w->got.hops[ttl].n_answers)
			break;
		n += c->hops[ttl].n_answers > 0 || c->answer_at == ttl;
	}
	return n >= SILENT_STOP;
}

static void step_hops(struct walk *w)
{
	if (!w->has_word && w->tries < TRIES && w->ttl > 0) {
		w->tries++;
		ask(w, w->ttl, 0);
		net_timer_set(w->timer, patience_ns(w));
		return;
	}
	do {
		w->ttl++;
	} while (w->ttl <= HOP_MAX && w->got.hops[w->ttl].n_answers);
	if (w->ttl > bound_of(w) || is_left_behind(w)) {
		walk_end(w);
		return;
	}
	w->has_word = false;
	w->tries = 1;
	ask(w, w->ttl, 0);
	net_timer_set(w->timer, patience_ns(w));
}

/* Bisection of the TTL: an answer that is heard has the one asked for, or
 * more. */
static void step_ttl(struct walk *w)
{
	unsigned middle = (w->ttl_low + w->ttl_high + 1) / 2;

	if (w->tries > 0 && w->has_word)
		w->ttl_low = middle;
	else if (w->tries > 0)
		w->ttl_high = middle - 1;
	if (w->ttl_low >= w->ttl_high) {
		if (w->got.reset_at)
			w->got.reset_ttl = (int)w->ttl_low;
		else
			w->got.answer_ttl = (int)w->ttl_low;
		walk_end(w);
		return;
	}
	w->tries = 1;
	w->has_word = false;
	ask(w, 0, (w->ttl_low + w->ttl_high + 1) / 2);
	net_timer_set(w->timer, patience_ns(w));
}

static void step(void *arg)
{
	struct walk *w = arg;

	if (w->got.error) {
		walk_end(w);
		return;
	}
	switch (w->mode) {
	case MODE_ROUNDS:
		step_rounds(w);
		break;
	case MODE_HOPS:
		step_hops(w);
		break;
	case MODE_TTL:
		step_ttl(w);
		break;
	case MODE_DONE:
		break;
	}
}

static int walk_open(struct walk *w, struct trace *t,
                     const struct trace_flow *spec, int64_t delay_ns)
{
	struct addr any = {.family = spec->to.family, .port = spec->src_port};
	int err;

	w->trace = t;
	w->spec = *spec;
	w->is_own = !spec->is_tcp && spec->payload.n == 0;
	w->mode = w->is_own && !spec->is_closed ? MODE_ROUNDS : MODE_HOPS;
	w->ttl = w->mode == MODE_ROUNDS ? 1 : 0;
	w->has_word = true;
	w->bound = t->spec.n_hops ? t->spec.n_hops + 1 : HOPS_GUESS;
	if (w->bound > HOP_MAX)
		w->bound = HOP_MAX;
	if (spec->payload.n > sizeof(w->payload))
		return EINVAL;
	if (spec->payload.n)
		memcpy(w->payload, spec->payload.p, spec->payload.n);
	if (getrandom(w->salt, sizeof(w->salt), 0) != sizeof(w->salt))
		return EIO;
	if (w->spec.is_tcp && w->spec.src_port == 0)
		w->spec.src_port = some_port();
	err = net_timer_alloc(&w->timer, step, w);
	if (!err && !spec->is_tcp)
		err = net_udp_open(&w->udp, &any, NET_UDP_ICMP, &udp_ops, w);
	if (!err)
		net_timer_set(w->timer, delay_ns);
	return err;
}

static void walk_close(struct walk *w)
{
	net_stream_free(w->stream);
	net_udp_close(w->udp);
	net_timer_free(w->timer);
}

int trace_start(struct trace **tp, const struct trace_spec *spec,
                trace_done_fn *done, void *arg)
{
	struct trace *t;
	int err;

	if (spec->flow.to.family == ADDR_NONE || spec->flow.to.port == 0 ||
	    (spec->control.to.family != ADDR_NONE &&
	     !addr_ip_eq(&spec->flow.to, &spec->control.to)))
		return EINVAL;
	t = calloc(1, sizeof(*t));
	if (!t)
		return ENOMEM;
	t->spec = *spec;
	t->done = done;
	t->arg = arg;
	t->has_control = spec->control.to.family != ADDR_NONE;
	if (t->has_control)
		t->flow.control = &t->control;
	err = net_timer_alloc(&t->limit, on_over, t);
	if (!err)
		err = walk_open(&t->flow, t, &spec->flow, 0);
	if (!err && t->has_control)
		err = walk_open(&t->control, t, &spec->control, AHEAD_NS);
	if (!err)
		err = open_plain(t);
	if (err) {
		trace_free(t);
		return err;
	}
	net_timer_set(t->limit, spec->patience_ns);
	*tp = t;
	return 0;
}

void trace_free(struct trace *t)
{
	if (!t)
		return;
	walk_close(&t->flow);
	walk_close(&t->control);
	net_stream_free(t->plain);
	net_timer_free(t->limit);
	free(t);
}

static void put_addr(struct arena *a, bool *no_memory, struct val *map,
                     const char *key, const struct addr *at)
{
	char buf[ADDR_TEXT_BYTES];
	const char *text;

	if (at->family == ADDR_NONE)
		return;
	text = arena_dup(a, slice_str(addr_ip_text(at, buf)));
	*no_memory |= !text;
	(void)val_put(a, no_memory, map, key, val_text(text));
}

struct val trace_val(struct arena *a, bool *no_memory,
                     const struct trace_result *r)
{
	const struct where *w = &r->where;
	struct val map = val_map();
	const struct {
		bool has;
		const char *key;
		struct val v;
	} all[] = {
		{true, "basis", val_text(where_basis_name(w->basis))},
		{true, "who", val_text(where_who_name(w->who))},
		{w->basis, "hop_min", val_int(w->hop_min)},
		{w->basis, "hop_max", val_int(w->hop_max)},
		{w->basis, "is_exact", val_bool(w->is_exact)},
		{w->n_hops, "hops", val_int(w->n_hops)},
		{w->may_be_way_back, "may_be_way_back", val_bool(true)},
		{true, "segment", val_text(segment_name(w->segment))},
		{w->basis == WHERE_REFUSAL, "icmp_type", val_int(w->icmp_type)},
		{w->basis == WHERE_REFUSAL, "icmp_code", val_int(w->icmp_code)},
		{r->flow.reset_ttl, "reset_ttl", val_int(r->flow.reset_ttl)},
		{r->flow.reset_ttl && r->control.answer_ttl, "server_ttl",
	         val_int(r->control.answer_ttl)},
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (all[i].has)
			(void)val_put(a, no_memory, &map, all[i].key, all[i].v);
	}
	put_addr(a, no_memory, &map, "address", &w->box);
	put_addr(a, no_memory, &map, "last_address", &w->last);
	put_addr(a, no_memory, &map, "next_address", &w->next);
	return map;
}
