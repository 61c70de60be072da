/* SPDX-License-Identifier: ISC */
/*
 * Design: a connection is two halves, one for each direction of bytes. A half
 * receives from one end and sends to the other, and knows nothing of the
 * other half but what its segments carry of it: the acknowledgement and the
 * window. Both ends keep the initial numbers that they chose, so the
 * handshake passes through; from then on no segment does.
 *
 * Whole segments could have been held back without acknowledging them, but
 * then a sender that waits for an acknowledgement before its next small
 * segment (Nagle) would wait for ever. Who acknowledges must deliver, so a
 * half sends again by a timer and after three equal acknowledgements. There
 * is no congestion control but a fixed flight.
 */
#include "router/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sip/msg.h"

#define RTO_FIRST_NS NS_PER_S
#define RTO_LEAST_NS (200 * NS_PER_MS)
#define RTO_MOST_NS  (4 * NS_PER_S)
#define LINGER_NS    (10 * NS_PER_S)

enum {
	OPT_END = 0,
	OPT_NOP = 1,
	OPT_MSS = 2,
	OPT_MSS_BYTES = 4,
	MSS_DEFAULT = 536, /* RFC 9293, section 3.7.1 */
	MSS_LEAST = 64,
	GROWTH_BYTES = 16384, /* an ALG adds no more to a message */
	DUP_ACKS = 3,
};

enum phase {
	FREE,
	SYN_SEEN,
	SYN_ANSWERED,
	OPEN,
};

struct half {
	struct router_flow flow; /* of what the sender sends */
	uint8_t ttl, tos;
	bool is_raw; /* not SIP: nobody looks at it */
	/* From the sender: in[0] has the number rcv_next - in_n. */
	uint32_t first, rcv_next, fin;
	bool has_fin, is_fin_taken;
	size_t in_n;
	uint8_t in[ROUTER_STREAM_IN_BYTES];
	bool has[ROUTER_STREAM_IN_BYTES]; /* out of order as well */
	/* To the receiver: out[0] has the number una. */
	uint32_t una, window;
	size_t out_n, sent_n, top_n; /* ... sent; ... ever sent */
	bool is_fin_due, is_fin_sent, was_fin_sent, is_fin_acked;
	size_t mss;
	unsigned dup_acks, tries;
	int64_t due_ns, rto_ns;
	int64_t timed_ns; /* 0: no segment is timed */
	uint32_t timed;
	uint8_t out[ROUTER_STREAM_OUT_BYTES];
};

struct conn {
	enum phase phase;
	unsigned starter; /* the half that began */
	struct addr inner, remote;
	int64_t used_ns, gone_ns;
	bool was_sent[2];    /* a segment, while this one is taken */
	struct half half[2]; /* [0] out, [1] in */
};

struct router_streams {
	struct router_alg *alg;
	unsigned mtu;
	router_stream_send_fn send;
	void *arg;
	struct conn *conns;
	uint8_t text[ROUTER_PKT_BYTES];
};

int router_streams_alloc(struct router_streams **sp, struct router_alg *alg,
                         unsigned mtu, router_stream_send_fn send, void *arg)
{
	struct router_streams *s = calloc(1, sizeof(*s));

	if (!s)
		return ENOMEM;
	s->conns = calloc(ROUTER_STREAMS, sizeof(*s->conns));
	if (!s->conns) {
		free(s);
		return ENOMEM;
	}
	s->alg = alg;
	s->mtu = mtu;
	s->send = send;
	s->arg = arg;
	*sp = s;
	return 0;
}

void router_streams_free(struct router_streams *s)
{
	if (s)
		free(s->conns);
	free(s);
}

/* Sending. */

static void segment_send(struct router_streams *s, struct conn *c, unsigned dir,
                         struct router_tcp t, struct slice data, int64_t now_ns)
{
	const struct half *h = &c->half[dir], *back = &c->half[!dir];
	uint8_t b[ROUTER_PKT_BYTES];
	struct wr w = wr_init(b, sizeof(b));
	struct router_pkt p;

	t.src = h->flow.new_src;
	t.dst = h->flow.new_dst;
	t.flags |= ROUTER_TCP_ACK;
	t.ack = back->rcv_next;
	t.window = (uint16_t)(ROUTER_STREAM_IN_BYTES - back->in_n);
	if (router_tcp_build(&w, &t, data) != 0 ||
	    router_pkt_read(&p, b, w.n) != 0)
		return;
	router_pkt_ttl_set(&p, h->ttl);
	router_pkt_tos_set(&p, h->tos);
	c->was_sent[dir] = true;
	s->send(s->arg, dir == 0, wr_slice(&w), now_ns);
}

static uint32_t next_number(const struct half *h)
{
	return h->una + (uint32_t)h->top_n +
	       (h->was_fin_sent && !h->is_fin_acked);
}

static void ack_send(struct router_streams *s, struct conn *c, unsigned dir,
                     int64_t now_ns)
{
	struct router_tcp t = {.seq = next_number(&c->half[dir])};

	segment_send(s, c, dir, t, (struct slice){0}, now_ns);
}

static void piece_send(struct router_streams *s, struct conn *c, unsigned dir,
                       size_t at, size_t n, int64_t now_ns)
{
	struct half *h = &c->half[dir];
	struct router_tcp t = {.seq = h->una + (uint32_t)at,
	                       .flags = ROUTER_TCP_PSH};

	segment_send(s, c, dir, t, (struct slice){h->out + at, n}, now_ns);
	if (h->due_ns == INT64_MAX)
		h->due_ns = now_ns + h->rto_ns;
}

static void fin_send(struct router_streams *s, struct conn *c, unsigned dir,
                     int64_t now_ns)
{
	struct half *h = &c->half[dir];
	struct router_tcp t = {.seq = h->una + (uint32_t)h->out_n,
	                       .flags = ROUTER_TCP_FIN};

	segment_send(s, c, dir, t, (struct slice){0}, now_ns);
	h->is_fin_sent = h->was_fin_sent = true;
	if (h->due_ns == INT64_MAX)
		h->due_ns = now_ns + h->rto_ns;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* As much as the receiver takes, and no more than @p flight on the way. */
static void transmit(struct router_streams *s, struct conn *c, unsigned dir,
                     size_t flight, int64_t now_ns)
{
	struct half *h = &c->half[dir];
	size_t room = least(flight, h->window);

	while (h->sent_n < h->out_n && h->sent_n < room) {
		size_t n = least(least(h->mss, h->out_n - h->sent_n),
		                 room - h->sent_n);

		if (!h->timed_ns && h->sent_n == h->top_n) {
			h->timed_ns = now_ns;
			h->timed = h->una + (uint32_t)(h->sent_n + n);
		}
		piece_send(s, c, dir, h->sent_n, n, now_ns);
		h->sent_n += n;
		if (h->sent_n > h->top_n)
			h->top_n = h->sent_n;
	}
	if (h->is_fin_due && !h->is_fin_sent && h->sent_n == h->out_n)
		fin_send(s, c, dir, now_ns);
	/* A closed window is asked about. */
	if (h->out_n && h->due_ns == INT64_MAX)
		h->due_ns = now_ns + h->rto_ns;
}

static size_t flight_of(const struct half *h)
{
	return h->mss * ROUTER_STREAM_FLIGHT_SEGMENTS;
}

/* Receiving. */

static void in_advance(struct half *h)
{
	while (h->in_n < ROUTER_STREAM_IN_BYTES && h->has[h->in_n]) {
		h->in_n++;
		h->rcv_next++;
	}
	if (h->has_fin && !h->is_fin_taken && h->rcv_next == h->fin) {
		h->is_fin_taken = true;
		h->rcv_next++;
	}
}

static void in_put(struct half *h, uint32_t seq, struct slice data, bool is_fin)
{
	int64_t off = (int32_t)(seq - h->rcv_next);
	size_t at, n;

	if (h->is_fin_taken)
		return;
	if (off < 0) {
		if ((size_t)-off > data.n)
			return;
		data = slice_sub(data, (size_t)-off, SIZE_MAX);
		off = 0;
	}
	at = h->in_n + (size_t)off;
	if (at > ROUTER_STREAM_IN_BYTES)
		return;
	n = least(data.n, ROUTER_STREAM_IN_BYTES - at);
	for (size_t i = 0; i < n; i++) {
		/* What was said first holds. */
		if (!h->has[at + i])
			h->in[at + i] = data.p[i];
		h->has[at + i] = true;
	}
	if (is_fin && n == data.n) {
		h->has_fin = true;
		h->fin = h->rcv_next + (uint32_t)off + (uint32_t)n;
	}
	in_advance(h);
}

static void in_drop(struct half *h, size_t n)
{
	memmove(h->in, h->in + n, ROUTER_STREAM_IN_BYTES - n);
	memmove(h->has, h->has + n, ROUTER_STREAM_IN_BYTES - n);
	memset(h->has + ROUTER_STREAM_IN_BYTES - n, 0, n);
	h->in_n -= n;
}

static void out_put(struct half *h, struct slice bytes)
{
	memcpy(h->out + h->out_n, bytes.p, bytes.n);
	h->out_n += bytes.n;
}

/* The first bytes of @p h are a whole message, or no SIP at all. */
static void message_pass(struct router_streams *s, struct half *h, size_t n,
                         size_t segment_bytes, int64_t now_ns)
{
	struct wr w = wr_init(s->text, sizeof(s->text));
	struct slice raw = {h->in, n};

	if (n != segment_bytes)
		router_alg_count_add(s->alg, ROUTER_ALG_TCP_ASSEMBLE,
		                     h->flow.is_out);
	switch (router_alg_take(s->alg, &w, raw, &h->flow, ROUTER_TCP,
	                        now_ns)) {
	case ROUTER_ALG_DROPPED:
		return;
	case ROUTER_ALG_EDITED:
		if (w.n <= n + GROWTH_BYTES) {
			out_put(h, wr_slice(&w));
			return;
		}
		break;
	case ROUTER_ALG_SAME:
		break;
	}
	out_put(h, raw);
}

/* What may leave now. @return its length; 0: wait */
static size_t frame_find(struct router_streams *s, struct half *h,
                         bool *is_messagep)
{
	size_t n = h->in_n;

	*is_messagep = false;
	if (!router_alg_minds(s->alg, &h->flow, ROUTER_TCP))
		h->is_raw = true;
	if (h->is_raw || !n)
		return n;
	switch (sip_stream_len(&n, (struct slice){h->in, h->in_n})) {
	case SIP_FRAME_MORE:
		/* An end that leaves half a message has said all it will. */
		h->is_raw = h->in_n == ROUTER_STREAM_IN_BYTES;
		return h->is_raw || h->is_fin_taken ? n : 0;
	case SIP_FRAME_MSG:
		*is_messagep = true;
		break;
	case SIP_FRAME_BAD:
		*is_messagep = h->is_raw = true;
		break;
	case SIP_FRAME_PING:
	case SIP_FRAME_PONG:
		break;
	}
	return n;
}

static void frames_pass(struct router_streams *s, struct half *h,
                        size_t segment_bytes, int64_t now_ns)
{
	for (;;) {
		size_t room = ROUTER_STREAM_OUT_BYTES - h->out_n, n;
		bool is_message;

		if (room < ROUTER_STREAM_IN_BYTES + GROWTH_BYTES)
			return;
		n = frame_find(s, h, &is_message);
		if (!n)
			break;
		if (is_message)
			message_pass(s, h, n, segment_bytes, now_ns);
		else
			out_put(h, (struct slice){h->in, n});
		in_drop(h, n);
	}
	h->is_fin_due = h->is_fin_taken && !h->in_n;
}

/* Acknowledgements. */

static void rtt_take(struct half *h, int64_t now_ns)
{
	int64_t rto_ns = 2 * (now_ns - h->timed_ns) + 50 * NS_PER_MS;

	h->timed_ns = 0;
	if (rto_ns < RTO_LEAST_NS)
		rto_ns = RTO_LEAST_NS;
	h->rto_ns = rto_ns < RTO_MOST_NS ? rto_ns : RTO_MOST_NS;
}

static void acked(struct half *h, size_t n, int64_t now_ns)
{
	size_t bytes = least(n, h->out_n);

	memmove(h->out, h->out + bytes, h->out_n - bytes);
	h->out_n -= bytes;
	h->top_n -= least(bytes, h->top_n);
	h->sent_n -= least(bytes, h->sent_n);
	h->una += (uint32_t)n;
	if (n > bytes)
		h->is_fin_acked = h->is_fin_sent = true;
	h->dup_acks = h->tries = 0;
	if (h->timed_ns && (int32_t)(h->una - h->timed) >= 0)
		rtt_take(h, now_ns);
	h->due_ns = INT64_MAX;
	if (h->out_n || (h->was_fin_sent && !h->is_fin_acked))
		h->due_ns = now_ns + h->rto_ns;
}

/* What @p p says about the bytes that were sent to its sender. */
static void ack_take(struct router_streams *s, struct conn *c, unsigned dir,
                     const struct router_pkt *p, int64_t now_ns)
{
	struct half *h = &c->half[dir];
	uint32_t n = p->ack - h->una;

	if (!(p->tcp_flags & ROUTER_TCP_ACK) ||
	    n > h->top_n + (h->was_fin_sent && !h->is_fin_acked))
		return;
	if (n) {
		acked(h, n, now_ns);
	} else if (h->top_n && p->tcp_window == h->window &&
	           !router_pkt_payload(p).n && ++h->dup_acks == DUP_ACKS) {
		h->timed_ns = 0;
		piece_send(s, c, dir, 0, least(h->mss, h->top_n), now_ns);
	}
	h->window = p->tcp_window;
}

/* Connections. */

static struct conn *conn_find(struct router_streams *s,
                              const struct router_flow *f)
{
	const struct addr *inner = f->is_out ? &f->src : &f->new_dst;
	const struct addr *remote = f->is_out ? &f->dst : &f->src;

	for (size_t i = 0; i < ROUTER_STREAMS; i++) {
		struct conn *c = &s->conns[i];

		if (c->phase != FREE && addr_eq(&c->inner, inner) &&
		    addr_eq(&c->remote, remote))
			return c;
	}
	return NULL;
}

static void reset_send(struct router_streams *s, struct conn *c, unsigned dir,
                       int64_t now_ns)
{
	struct router_tcp t = {.seq = next_number(&c->half[dir]),
	                       .flags = ROUTER_TCP_RST};

	segment_send(s, c, dir, t, (struct slice){0}, now_ns);
}

static void both_reset(struct router_streams *s, struct conn *c, int64_t now_ns)
{
	reset_send(s, c, 0, now_ns);
	reset_send(s, c, 1, now_ns);
	c->phase = FREE;
}

static struct conn *conn_make(struct router_streams *s,
                              const struct router_flow *f, int64_t now_ns)
{
	struct conn *c = &s->conns[0];

	for (size_t i = 1; i < ROUTER_STREAMS && c->phase != FREE; i++) {
		if (s->conns[i].phase == FREE ||
		    s->conns[i].used_ns < c->used_ns)
			c = &s->conns[i];
	}
	if (c->phase == OPEN)
		both_reset(s, c, now_ns);
	memset(c, 0, sizeof(*c));
	c->inner = f->is_out ? f->src : f->new_dst;
	c->remote = f->is_out ? f->dst : f->src;
	c->gone_ns = INT64_MAX;
	c->starter = !f->is_out;
	return c;
}

/* Leave but the MSS. @return it */
static size_t options_trim(struct router_pkt *p)
{
	uint8_t *at = p->b + p->l4 + ROUTER_TCP_BYTES, *end = p->b + p->payload;
	size_t mss = MSS_DEFAULT;

	while (at < end && *at != OPT_END) {
		size_t n = 1;

		if (*at != OPT_NOP)
			n = end - at > 1 ? at[1] : 0;
		if (*at != OPT_NOP && (n < 2 || n > (size_t)(end - at)))
			break; /* what follows cannot be read */
		if (*at == OPT_MSS && n == OPT_MSS_BYTES)
			mss = (size_t)at[2] << 8 | at[3];
		else
			memset(at, OPT_NOP, n);
		at += n;
	}
	if (at < end)
		memset(at, OPT_END, (size_t)(end - at));
	router_pkt_sums_make(p);
	return mss > MSS_LEAST ? mss : MSS_LEAST;
}

static void half_begin(const struct router_streams *s, struct conn *c,
                       unsigned dir, struct router_pkt *p,
                       const struct router_flow *f)
{
	size_t most = s->mtu -
	              (p->is_ip6 ? ROUTER_IP6_BYTES : ROUTER_IP4_BYTES) -
	              ROUTER_TCP_BYTES;
	struct half *h = &c->half[dir], *back = &c->half[!dir];

	h->flow = *f;
	h->flow.seq = NULL;
	h->ttl = p->ttl;
	h->tos = p->tos;
	h->first = h->rcv_next = h->una = p->seq + 1;
	h->due_ns = INT64_MAX;
	h->rto_ns = RTO_FIRST_NS;
	back->window = p->tcp_window;
	back->mss = least(options_trim(p), most);
}

/* The handshake goes on as it is, but for its options. */
static bool syn_take(struct router_streams *s, struct conn *c,
                     struct router_pkt *p, const struct router_flow *f,
                     int64_t now_ns)
{
	unsigned dir = !f->is_out;

	if (p->tcp_flags & ROUTER_TCP_ACK) {
		if (!c || dir == c->starter)
			return false;
		if (c->phase == OPEN) {
			/* It has not heard our answer. */
			ack_send(s, c, !dir, now_ns);
			return true;
		}
		half_begin(s, c, dir, p, f);
		c->phase = SYN_ANSWERED;
		return false;
	}
	if (c && c->phase != SYN_SEEN && c->half[dir].first == p->seq + 1) {
		(void)options_trim(p);
		return c->phase == OPEN; /* late */
	}
	if (!router_alg_minds(s->alg, f, ROUTER_TCP)) {
		if (c)
			c->phase = FREE;
		return false;
	}
	if (!c)
		c = conn_make(s, f, now_ns);
	else if (c->phase != SYN_SEEN || c->starter != dir) {
		c->phase = FREE;
		c = conn_make(s, f, now_ns);
	}
	half_begin(s, c, dir, p, f);
	c->phase = SYN_SEEN;
	c->used_ns = now_ns;
	return false;
}

static void both_pump(struct router_streams *s, struct conn *c, unsigned dir,
                      size_t segment_bytes, int64_t now_ns)
{
	for (unsigned i = 0; i < 2; i++) {
		struct half *h = &c->half[i];

		frames_pass(s, h, i == dir ? segment_bytes : 0, now_ns);
		transmit(s, c, i, flight_of(h), now_ns);
	}
	if (c->half[0].is_fin_acked && c->half[1].is_fin_acked &&
	    c->gone_ns == INT64_MAX)
		c->gone_ns = now_ns + LINGER_NS;
}

static void segment_take(struct router_streams *s, struct conn *c,
                         const struct router_pkt *p, unsigned dir,
                         int64_t now_ns)
{
	struct slice data = router_pkt_payload(p);
	bool is_fin = p->tcp_flags & ROUTER_TCP_FIN;
	bool is_owed = data.n || is_fin || p->seq != c->half[dir].rcv_next;
	bool is_first = c->phase != OPEN;

	c->phase = OPEN;
	c->used_ns = now_ns;
	c->half[dir].ttl = p->ttl;
	c->half[dir].tos = p->tos;
	c->was_sent[0] = c->was_sent[1] = false;
	in_put(&c->half[dir], p->seq, data, is_fin);
	ack_take(s, c, !dir, p, now_ns);
	both_pump(s, c, dir, data.n, now_ns);
	if (is_owed && !c->was_sent[!dir])
		ack_send(s, c, !dir, now_ns);
	if (is_first && !c->was_sent[dir])
		ack_send(s, c, dir, now_ns);
}

/* What a late duplicate of an acknowledgement brings forth, when it meets an
 * end that has closed, ends nothing: what that end sent may still be on its
 * way (RFC 9293, section 3.10.7.4, asks for the number only). */
static bool is_reset(const struct conn *c, unsigned dir, uint32_t seq)
{
	const struct half *h = &c->half[dir];

	if (h->is_fin_taken && c->half[!dir].is_fin_acked)
		return false;
	return seq - h->rcv_next <= ROUTER_STREAM_IN_BYTES - h->in_n;
}

bool router_streams_take(struct router_streams *s, struct router_pkt *p,
                         const struct router_flow *flow, int64_t now_ns)
{
	unsigned dir = !flow->is_out;
	struct conn *c;

	if (p->proto != ROUTER_TCP || flow->is_hairpin || p->is_fragment)
		return false;
	c = conn_find(s, flow);
	if (p->tcp_flags & ROUTER_TCP_SYN)
		return syn_take(s, c, p, flow, now_ns);
	if (!c || c->phase == SYN_SEEN) {
		if (c && p->tcp_flags & ROUTER_TCP_RST)
			c->phase = FREE;
		return false;
	}
	if (p->tcp_flags & ROUTER_TCP_RST) {
		if (!is_reset(c, dir, p->seq))
			return true;
		reset_send(s, c, dir, now_ns);
		c->phase = FREE;
		return true;
	}
	segment_take(s, c, p, dir, now_ns);
	return true;
}

static void half_wake(struct router_streams *s, struct conn *c, unsigned dir,
                      int64_t now_ns)
{
	struct half *h = &c->half[dir];

	if (h->window == 0 && h->out_n) {
		h->tries = 0; /* it lives; it only has no room */
		piece_send(s, c, dir, 0, 1, now_ns);
		if (!h->top_n)
			h->top_n = 1;
	} else if (++h->tries > ROUTER_STREAM_TRIES) {
		both_reset(s, c, now_ns);
		return;
	}
	h->sent_n = 0;
	h->is_fin_sent = h->is_fin_acked;
	h->timed_ns = 0;
	h->rto_ns = h->rto_ns * 2 < RTO_MOST_NS ? h->rto_ns * 2 : RTO_MOST_NS;
	h->due_ns = INT64_MAX;
	transmit(s, c, dir, h->mss, now_ns);
}

int64_t router_streams_wake(struct router_streams *s, int64_t now_ns)
{
	int64_t next_ns = INT64_MAX;

	for (size_t i = 0; i < ROUTER_STREAMS; i++) {
		struct conn *c = &s->conns[i];

		if (c->phase != OPEN)
			continue;
		if (now_ns >= c->gone_ns) {
			c->phase = FREE;
			continue;
		}
		for (unsigned d = 0; d < 2 && c->phase == OPEN; d++) {
			if (now_ns >= c->half[d].due_ns)
				half_wake(s, c, d, now_ns);
		}
		if (c->phase != OPEN)
			continue;
		for (unsigned d = 0; d < 2; d++) {
			if (c->half[d].due_ns < next_ns)
				next_ns = c->half[d].due_ns;
		}
		if (c->gone_ns < next_ns)
			next_ns = c->gone_ns;
	}
	return next_ns;
}
