/* SPDX-License-Identifier: ISC */
/*
 * Design: callbacks only note what came and kick the timer; the steps look
 * at the notes. So nothing is freed or sent on from inside a callback, and
 * what arrives late or twice is harmless.
 */
#include "probe/alg.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "sip/reply.h"
#include "sip/value.h"

enum {
	ICMP4_UNREACHABLE = 3, /* RFC 792 */
	ICMP4_TIME_EXCEEDED = 11,
	ICMP6_UNREACHABLE = 1, /* RFC 4443 */
	ICMP6_TIME_EXCEEDED = 3,
	NO_SUCH_CALL = 481, /* RFC 3261, 9.2 */
	MAX_REPLIES = 8,    /* to one message, however often it comes */
};

/* Our own tag in some bytes? @return its number, or -1. */
static int own_number(const struct alg *a, struct slice bytes)
{
	struct wire_tag t;

	if (!wire_tag_find(&t, bytes) ||
	    memcmp(t.session, a->session, sizeof(t.session)) != 0)
		return -1;
	return t.shot;
}

static bool is_ladder(const struct alg *a, int number)
{
	return number >= 0 && (size_t)number < a->ladder.n &&
	       a->ladder.shots[number].n_sent > 0;
}

static void take_mirror(struct alg *a, int i, const struct wire_mirror *m)
{
	struct alg_shot *s = &a->shots[i];
	uint8_t sha[WIRE_SHA256_BYTES];
	bool is_same;

	s->observed = m->source;
	if (m->transport == WIRE_UDP)
		s->ttl = m->ttl;
	wire_sha256(sha, s->sent);
	is_same = m->full_bytes == s->sent.n &&
	          memcmp(sha, m->sha256, sizeof(sha)) == 0;
	if (!(m->flags & WIRE_MIRROR_OMITTED) && !s->arrived.p)
		s->arrived = report_bytes(a->r, m->bytes);
	else if (!is_same && !s->arrived.p)
		s->wants_arrived = true;
	ladder_on_arrival(&a->ladder, i, !is_same);
}

static void take_answer(struct alg *a, int i, struct slice bytes)
{
	struct alg_shot *s = &a->shots[i];

	if (!s->answer.p)
		s->answer = report_bytes(a->r, bytes);
	ladder_on_answer(&a->ladder, i, clock_mono_ns());
	alg_kick(a);
}

/* Does the top Via say the address that the edge saw (RFC 3581)? An ALG that
 * maps it back hides the NAT from phones; the mirror it cannot read. */
static bool is_via_true(const struct sip_msg *m, const struct addr *source)
{
	struct slice received, port = slice_str("");
	struct sip_via via;
	struct addr said;

	if (sip_msg_top_via(&via, m) ||
	    !sip_param_find(&received, via.params, "received"))
		return true;
	(void)sip_param_find(&port, via.params, "rport");
	if (sip_host_addr(&said, received, port))
		return false;
	return addr_ip_eq(&said, source) &&
	       (said.port == 0 || said.port == source->port);
}

static void take_sip_mirror(struct alg *a, int i, const struct sip_msg *m)
{
	struct wr store = wr_init_heap();
	struct wire_mirror mirror;

	if (wire_mirror_body_decode(&mirror, &store, m->body) == 0) {
		take_mirror(a, i, &mirror);
		a->shots[i].wants_answer |= !is_via_true(m, &mirror.source);
	}
	wr_fini(&store);
}

/* A final answer to an INVITE wants its ACK (RFC 3261, 17.1.1.3). */
static void acknowledge(struct alg *a, int i)
{
	char tag[WIRE_TAG_CHARS];
	const struct ladder_spec *sp = &a->ladder.shots[i].spec;
	struct wr w = wr_init_heap();
	struct addr to = alg_udp_target(a, sp);
	struct sip_canary c = {
		.kind = SIP_CANARY_ACK,
		.flags = SIP_CANARY_SHORT,
		.transport = SIP_UDP,
		.local = alg_source(a, sp),
		.target = to,
		.tag = alg_tag(a, (unsigned)i, tag),
		.cseq = (unsigned)i + 1,
	};

	if (sip_canary_build(&w, &c) == 0)
		alg_send_udp(a, alg_socket(a, sp), &to, ALG_TTL, wr_slice(&w));
	wr_fini(&w);
}

static bool is_about(const struct sip_msg *m, const char *method)
{
	struct slice cseq = sip_msg_value(m, SIP_HDR_CSEQ);

	return slice_find(cseq, slice_str(method)) != SIZE_MAX;
}

static void take_response(struct alg *a, int i, const struct sip_msg *m)
{
	const struct ladder_shot *ls = &a->ladder.shots[i];
	unsigned status = sip_msg_status(m);
	bool is_invite = ls->spec.what == LADDER_INVITE;

	if (is_about(m, "CANCEL")) {
		/* its final answer was lost, or the edge never knew it */
		if (status == NO_SUCH_CALL)
			a->shots[i].is_call_open = false;
		alg_kick(a);
		return;
	}
	if (is_invite && ls->spec.transport == WIRE_UDP) {
		a->shots[i].is_call_open = status < 200;
		if (status >= 300 && a->shots[i].n_acks < MAX_REPLIES) {
			a->shots[i].n_acks++;
			acknowledge(a, i);
		}
	}
	if (!ls->is_answered) /* later ones may mirror an ACK or a CANCEL */
		take_sip_mirror(a, i, m);
	take_answer(a, i, m->raw);
}

static void reply_to_inbound(struct alg *a, const struct sip_msg *m,
                             const struct addr *from)
{
	struct sip_reply rp = {
		.status = 486,
		.reason = "Busy Here",
		.observed = *from,
		.to_tag = slice_str("prober"),
	};
	struct wr w = wr_init_heap();

	if (sip_reply_build(&w, m, &rp) == 0) {
		if (!a->inbound.reply.p)
			a->inbound.reply = report_bytes(a->r, wr_slice(&w));
		alg_send_udp(a, a->udp, from, ALG_TTL, wr_slice(&w));
	}
	wr_fini(&w);
}

static void take_inbound(struct alg *a, int number, const struct sip_msg *m,
                         const struct addr *from)
{
	struct slice *got = &a->inbound.got[number - ALG_NUM_INBOUND];

	if (!got->p)
		*got = report_bytes(a->r, m->raw);
	if (number == ALG_NUM_INBOUND && a->inbound.n_replies < MAX_REPLIES) {
		a->inbound.n_replies++;
		reply_to_inbound(a, m, from);
	}
	alg_kick(a);
}

static void take_sip(struct alg *a, const struct net_dgram *d)
{
	int number = own_number(a, d->bytes);
	struct sip_msg m;

	if (number < 0)
		return;
	sip_msg_read(&m, d->bytes);
	if (sip_msg_status(&m)) {
		if (is_ladder(a, number))
			take_response(a, number, &m);
		else if (number == ALG_NUM_AGAIN)
			a->hold.has_passed = true;
		else if (number >= ALG_NUM_FREED)
			alg_hold_take_freed(a, (unsigned)number);
		else if (!alg_calls_take_answer(a, (unsigned)number, &m))
			alg_burst_take(a, (unsigned)number);
	} else if (number == ALG_NUM_INBOUND ||
	           number == ALG_NUM_INBOUND_TWIN) {
		take_inbound(a, number, &m, &d->from);
	}
}

static void take_welcome(struct alg *a, const struct net_dgram *d)
{
	struct alg_meet *me = &a->meet;
	struct wire_welcome w;

	if (me->has_welcome || wire_welcome_decode(&w, d->bytes) ||
	    memcmp(w.nonce, me->nonce, sizeof(w.nonce)) != 0)
		return;
	me->has_welcome = true;
	me->welcome_port = d->from.port;
	if (me->n_hellos == 1)
		me->rtt_ns = d->mono_ns - me->hello_ns;
	a->token = w.token;
	a->has_token = true;
	a->observed = w.source;
	alg_kick(a);
}

static void take_plain_mirror(struct alg *a, struct slice bytes)
{
	struct wr store = wr_init_heap();
	struct wire_mirror m;

	if (wire_mirror_dgram_decode(&m, &store, bytes) == 0 &&
	    memcmp(m.tag.session, a->session, sizeof(a->session)) == 0) {
		unsigned timer = m.tag.shot - (unsigned)ALG_NUM_TIMER;

		if (is_ladder(a, m.tag.shot)) {
			take_mirror(a, m.tag.shot, &m);
			take_answer(a, m.tag.shot, bytes);
		} else if (timer < ALG_TIMERS) {
			a->idle.is_ready[timer] = true;
			alg_kick(a);
		} else if (!alg_pairs_take(a, m.tag.shot)) {
			alg_state_take_where(a, m.tag.shot, &m.source);
		}
	}
	wr_fini(&store);
}

static void take_probe(struct alg *a, struct slice bytes)
{
	struct wire_probe p;
	unsigned timer;

	if (wire_probe_decode(&p, bytes) ||
	    memcmp(p.tag.session, a->session, sizeof(a->session)) != 0)
		return;
	timer = p.tag.shot - (unsigned)ALG_NUM_TIMER_LATE;
	if (p.tag.shot == ALG_NUM_PINHOLE)
		a->pinhole.is_open = true;
	else if (p.tag.shot == ALG_NUM_NO_PINHOLE)
		a->pinhole.is_idle_open = true;
	else if (timer < ALG_TIMERS)
		a->idle.is_alive[timer] = true;
	else if (!alg_calls_take_knock(a, p.tag.shot))
		alg_state_take(a, p.tag.shot, NULL);
	alg_kick(a);
}

/* A keep-alive carries no tag: its pong is known by where it comes from. */
static void take_pong(struct alg *a, const struct net_dgram *d)
{
	for (size_t i = 0; i < a->ladder.n; i++) {
		const struct ladder_shot *s = &a->ladder.shots[i];

		if (s->spec.what == LADDER_CRLF && s->n_sent &&
		    alg_port(a, &s->spec) == d->from.port)
			take_answer(a, (int)i, d->bytes);
	}
}

static void on_dgram(void *arg, const struct net_dgram *d)
{
	struct alg *a = arg;
	enum wire_dgram_type type;
	struct addr self = a->local;
	int number;

	if (!addr_ip_eq(&d->from, &a->run->conf->edge))
		return;
	number = own_number(a, d->bytes);
	if (number >= ALG_NUM_HOP) {
		self.port = 0;
		alg_locate_take(a, (unsigned)number, &self, d->bytes);
		return;
	}
	if (d->ttl > 0)
		a->ttl_in = d->ttl;
	if (wire_dgram_type(&type, d->bytes)) {
		if (slice_eq_str(d->bytes, "\r\n"))
			take_pong(a, d);
		else
			take_sip(a, d);
		return;
	}
	if (type == WIRE_WELCOME)
		take_welcome(a, d);
	else if (type == WIRE_MIRROR)
		take_plain_mirror(a, d->bytes);
	else if (type == WIRE_PROBE)
		take_probe(a, d->bytes);
}

static bool is_time_exceeded(const struct net_icmp *ic)
{
	return ic->type == (ic->dst.family == ADDR_IP4 ? ICMP4_TIME_EXCEEDED
	                                               : ICMP6_TIME_EXCEEDED);
}

static bool is_unreachable(const struct net_icmp *ic)
{
	return ic->type == (ic->dst.family == ADDR_IP4 ? ICMP4_UNREACHABLE
	                                               : ICMP6_UNREACHABLE);
}

static void take_refusal(struct alg *a, int number, const struct net_icmp *ic)
{
	if (!is_ladder(a, number))
		return;
	a->shots[number].offender = ic->offender;
	a->shots[number].error = ic->error;
	ladder_on_refused(&a->ladder, number);
	alg_kick(a);
}

/* A short quote names no shot; a refusal still names the port. */
static void take_refusal_of_port(struct alg *a, const struct net_icmp *ic)
{
	for (size_t i = 0; i < a->ladder.n; i++) {
		const struct ladder_shot *s = &a->ladder.shots[i];

		if (s->spec.transport == WIRE_UDP && s->n_sent &&
		    !s->is_closed && alg_port(a, &s->spec) == ic->dst.port)
			take_refusal(a, (int)i, ic);
	}
}

static void on_icmp(void *arg, const struct net_icmp *ic)
{
	struct alg *a = arg;
	int number = own_number(a, ic->quote);

	if (ic->is_local)
		return;
	if (is_time_exceeded(ic)) {
		if (number >= ALG_NUM_HOP)
			alg_locate_take(a, (unsigned)number, &ic->offender,
			                ic->quote);
		else if (number < 0)
			alg_locate_take_short(a, &ic->offender);
	} else if (is_unreachable(ic)) {
		if (number >= 0)
			take_refusal(a, number, ic);
		else
			take_refusal_of_port(a, ic);
	}
}

const struct net_udp_ops alg_udp_ops = {
	.on_dgram = on_dgram,
	.on_icmp = on_icmp,
};

static void on_rtp(void *arg, const struct net_dgram *d)
{
	take_probe(arg, d->bytes);
}

const struct net_udp_ops alg_rtp_ops = {.on_dgram = on_rtp};

static void on_idle(void *arg, const struct net_dgram *d)
{
	struct alg *a = arg;
	enum wire_dgram_type type;

	if (wire_dgram_type(&type, d->bytes))
		return;
	if (type == WIRE_MIRROR)
		take_plain_mirror(a, d->bytes);
	else if (type == WIRE_PROBE)
		take_probe(a, d->bytes);
}

const struct net_udp_ops alg_idle_ops = {.on_dgram = on_idle};

/* The session rides on the first TLS stream that opens. */
static void open_control(struct alg *a, struct alg_road *road)
{
	struct alg_meet *me = &a->meet;

	if (a->control || me->is_session_over)
		return;
	me->session_port = net_stream_peer(road->stream).port;
	me->tls_version = net_stream_tls_version(road->stream);
	(void)!net_stream_peer_fingerprint(road->stream, me->fingerprint);
	if (control_open(&a->control, road->stream, a->session,
	                 &alg_control_ops, a) == 0)
		road->stream = NULL; /* is the session's now */
}

static void on_open(void *arg)
{
	struct alg_road *road = arg;
	struct alg *a = road->alg;
	struct addr local = net_stream_local(road->stream);
	struct alg_shot *s;

	road->is_open = true;
	if (road->shot != LADDER_NONE)
		ladder_on_open(&a->ladder, road->shot, clock_mono_ns());
	/* TCP and TLS 1.3 take one round trip each */
	if (!a->meet.rtt_ns && net_stream_is_tls(road->stream))
		a->meet.rtt_ns = (clock_mono_ns() - road->start_ns) / 2;
	alg_kick(a);
	if (road->shot == LADDER_NONE) {
		open_control(a, road);
		return;
	}
	s = &a->shots[road->shot];
	s->opened_ns = net_stream_opening(road->stream).connect_ns;
	s->rtp_port = (uint16_t)(a->rtp_base + road->shot * ALG_RTP_STEP);
	a->err = alg_build(&s->sent, a, &a->ladder.shots[road->shot].spec,
	                   (unsigned)road->shot, &local, s->rtp_port);
	if (a->err)
		return;
	if (a->ladder.shots[road->shot].spec.how & LADDER_SPLIT)
		road->split_ns = 1; /* the steps send both halves */
	else if (net_stream_send(road->stream, s->sent))
		ladder_on_stream_end(&a->ladder, road->shot);
}

static void take_stream_message(struct alg_road *road, struct slice bytes)
{
	struct alg *a = road->alg;
	struct sip_msg m;

	sip_msg_read(&m, bytes);
	if (sip_msg_status(&m) && own_number(a, bytes) == road->shot)
		take_response(a, road->shot, &m);
}

static bool was_answered(const struct alg_road *road)
{
	return road->alg->ladder.shots[road->shot].is_answered;
}

static void on_data(void *arg, struct slice bytes)
{
	struct alg_road *road = arg;
	size_t n, at = 0;

	/* one answer is all that a road waits for */
	if (road->shot == LADDER_NONE ||
	    road->alg->ladder.shots[road->shot].is_closed)
		return;
	wr_put(&road->in, bytes);
	if (road->in.bad) {
		road->alg->err = ENOMEM;
		return;
	}
	for (;;) {
		struct slice rest =
			slice_sub(wr_slice(&road->in), at, SIZE_MAX);
		enum sip_frame f = sip_stream_len(&n, rest);

		if (f == SIP_FRAME_BAD)
			ladder_on_stream_end(&road->alg->ladder, road->shot);
		if (f == SIP_FRAME_BAD || f == SIP_FRAME_MORE)
			break;
		if (f == SIP_FRAME_MSG)
			take_stream_message(road, slice_sub(rest, 0, n));
		at += n;
	}
	if (at)
		memmove(road->in.p, road->in.p + at, road->in.n - at);
	road->in.n -= at;
	if (net_stream_is_tls(road->stream) && was_answered(road))
		open_control(road->alg, road);
}

static void on_close(void *arg, int err)
{
	struct alg_road *road = arg;
	struct alg *a = road->alg;

	net_stream_free(road->stream);
	road->stream = NULL;
	alg_kick(a);
	if (road->shot == LADDER_NONE)
		return;
	a->shots[road->shot].error = err;
	if (err == ECONNREFUSED || err == ECONNRESET || err == EHOSTUNREACH ||
	    err == ENETUNREACH || err == EACCES || err == EPROTO)
		ladder_on_refused(&a->ladder, road->shot);
	else
		ladder_on_stream_end(&a->ladder, road->shot);
}

const struct net_stream_ops alg_road_ops = {
	.on_open = on_open,
	.on_data = on_data,
	.on_close = on_close,
};

static void on_session(void *arg, const struct wire_session *s)
{
	struct alg *a = arg;

	a->meet.has_session = true;
	if (!a->has_token) {
		a->token = s->token;
		a->has_token = true;
	}
	alg_kick(a);
}

static void take_seen_shot(struct alg *a, const struct wire_seen *seen)
{
	struct alg_shot *s = &a->shots[seen->shot];
	struct ladder_shot *ls = &a->ladder.shots[seen->shot];
	uint8_t sha[WIRE_SHA256_BYTES];

	ladder_on_seen(&a->ladder, seen->shot);
	s->observed = seen->source;
	if (seen->transport == WIRE_UDP && !s->ttl)
		s->ttl = seen->ttl;
	if (!ls->is_arrival_known) {
		wire_sha256(sha, s->sent);
		if (memcmp(sha, seen->sha256, sizeof(sha)) == 0)
			ladder_on_arrival(&a->ladder, seen->shot, false);
		else
			s->wants_arrived = true;
	}
	if (s->answer.p && seen->answer_bytes && !s->answer_sent.p) {
		wire_sha256(sha, s->answer);
		s->wants_answer =
			memcmp(sha, seen->answer_sha256, sizeof(sha)) != 0;
	}
}

static void take_seen_reply(struct alg *a, const struct wire_seen *seen)
{
	uint8_t sha[WIRE_SHA256_BYTES];

	wire_sha256(sha, a->inbound.reply);
	a->inbound.is_reply_seen = true;
	a->inbound.is_reply_edited =
		memcmp(sha, seen->sha256, sizeof(sha)) != 0;
}

static void on_seen(void *arg, const struct wire_seen *seen, size_t n,
                    bool is_last)
{
	struct alg *a = arg;

	for (size_t i = 0; i < n; i++) {
		if (is_ladder(a, seen[i].shot))
			take_seen_shot(a, &seen[i]);
		else if (seen[i].shot == ALG_NUM_INBOUND && a->inbound.reply.p)
			take_seen_reply(a, &seen[i]);
		else if (seen[i].shot - (unsigned)ALG_NUM_RUSH < ALG_RUSHES)
			a->burst.is_rush_seen[seen[i].shot - ALG_NUM_RUSH] =
				true;
	}
	a->burst.is_rush_reported |= is_last;
	if (is_last && a->n_waited)
		a->n_waited--;
	alg_kick(a);
}

static void take_arrived(struct alg *a, int i, struct slice bytes)
{
	struct alg_shot *s = &a->shots[i];

	if (!s->arrived.p)
		s->arrived = report_bytes(a->r, bytes);
	ladder_on_arrival(&a->ladder, i, !slice_eq(s->sent, bytes));
}

static void on_copy(void *arg, const struct wire_copy *c)
{
	struct alg *a = arg;

	if (c->shot == ALG_NUM_FENCE) {
		alg_state_take_fence(a);
		return;
	}
	if (a->n_waited)
		a->n_waited--;
	alg_kick(a);
	if (c->err)
		return;
	if (c->shot == ALG_NUM_INBOUND && c->which == WIRE_REQUEST &&
	    !a->inbound.reply_arrived.p)
		a->inbound.reply_arrived = report_bytes(a->r, c->bytes);
	if (!is_ladder(a, c->shot))
		return;
	if (c->which == WIRE_REQUEST)
		take_arrived(a, c->shot, c->bytes);
	else if (!a->shots[c->shot].answer_sent.p)
		a->shots[c->shot].answer_sent = report_bytes(a->r, c->bytes);
}

static void on_sent(void *arg, const struct wire_sent *s)
{
	struct alg *a = arg;

	if (s->id >= ALG_NUM_TCP && s->err)
		alg_tcp_back_failed(a, s->id);
	else if (s->id >= ALG_NUM_CAUSE)
		alg_state_take_sent(a, s->id, s->err);
	else if (s->id >= ALG_NUM_FREED && s->id < ALG_NUM_HOP)
		alg_hold_take_sent(a, s->id, s->err);
	else if (s->err)
		a->inbound.send_err = s->err;
	alg_kick(a);
}

static void on_died(void *arg, const struct wire_died *d)
{
	if (d->shot >= ALG_NUM_TCP)
		alg_tcp_back_died(arg, d->shot);
	else
		alg_locate_take(arg, d->shot, &d->offender, d->quote);
}

static void on_end(void *arg, int err)
{
	struct alg *a = arg;

	control_close(a->control);
	a->control = NULL;
	a->meet.is_session_over = true;
	a->meet.session_err = err;
	a->n_waited = 0;
	alg_kick(a);
}

const struct control_ops alg_control_ops = {
	.on_session = on_session,
	.on_seen = on_seen,
	.on_copy = on_copy,
	.on_sent = on_sent,
	.on_died = on_died,
	.on_end = on_end,
};
