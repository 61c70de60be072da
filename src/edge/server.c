/* SPDX-License-Identifier: ISC */
/*
 * Design: this file talks, answer.c and session.c decide. A datagram is
 * answered from the callback that brought it, out of buffers made at the
 * start; nothing on that path allocates. One timer serves all that happens
 * later. Strangers and proven sources have separate limits, so that forged
 * datagrams in a prober's name cannot use up the prober's share. What is sent
 * later has one more, since an address may be a carrier's NAT with strangers
 * behind it, and a session's own bound begins anew with the next session.
 *
 * The limits leave room for the honest: many checks in a row, of several
 * people behind one NAT, who would take what is withheld for a firewall's
 * doing. Who meets one all the same is told so.
 */
#include "edge/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "edge/inside.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/tls.h"
#include "net/udp.h"

enum {
	LIMIT_SLOTS = 1 << 16,
	STRANGER_PER_S = 100, /* none longer than what it answers */
	STRANGER_BURST = 600,
	GROWING_PER_S = 10, /* longer ones, as STUN's: who forges earns */
	GROWING_BURST = 40,
	/* a whole range may be asked at once, and a WELCOME is no longer than
	 * what it answers */
	GREETED_PER_S = 2000,
	GREETED_BURST = 1 << 16,
	KNOWN_PER_S = 1000,
	KNOWN_BURST = 4000,
	CALLER_PER_S = 50,   /* a handshake costs half a millisecond */
	CALLER_BURST = 2400, /* a score of whole checks from one address */
	TOLD_PER_S = 1,
	TOLD_BURST = 4,
	CHECK_CALLS = 128,    /* new connections of a whole check, at most */
	CHECK_STRANGER = 40,  /* answers to it before proof */
	FULL_WAIT_S = 15,     /* until idle connections are closed */
	VISITOR_PER_S = 1000, /* without a handshake of TLS */
	VISITOR_BURST = 1 << 16,
	LATER_PER_S = 20,
	LATER_BURST = 2 * EDGE_SENDS_MAX,
	ICMP4_TIME_EXCEEDED = 11, /* RFC 792 */
	ICMP6_TIME_EXCEEDED = 3,  /* RFC 4443 */
};

static struct edge_limit *limit_for(struct edge_server *s,
                                    const struct edge_arrival *a,
                                    const struct edge_answer *out)
{
	if (out->is_welcome)
		return s->greeted;
	if (out->is_proven)
		return s->known;
	return out->bytes.n > a->bytes.n ? s->growing : s->strangers;
}

static void put_limited(struct wr *w, int64_t wait_ns)
{
	struct wire_limited l = {
		.wait_s = (uint16_t)((wait_ns + NS_PER_S - 1) / NS_PER_S)};

	wire_limited_put(w, &l);
}

/* Shorter than what it answers, and seldom. */
static void tell_limited(struct edge_server *s, const struct edge_arrival *a,
                         struct edge_limit *l)
{
	const struct addr *from = &a->flow.remote;
	uint8_t buf[WIRE_LIMITED_BYTES];
	struct wr w = wr_init(buf, sizeof(buf));

	if (a->flow.transport != WIRE_UDP || a->bytes.n < sizeof(buf) ||
	    !edge_limit_take(s->told, from, a->mono_ns))
		return;
	put_limited(&w,
	            edge_limit_wait_ns(l, from, CHECK_STRANGER, a->mono_ns));
	(void)!edge_server_send(s, &a->flow, wr_slice(&w));
}

static void send_final(struct edge_server *s, const struct edge_final *f,
                       bool is_cancelled)
{
	uint8_t buf[EDGE_CALL_MAX_BYTES + 64];
	struct wr w = wr_init(buf, sizeof(buf));

	edge_answer_final(&w, f, is_cancelled);
	if (!w.bad && !edge_server_send(s, &f->flow, wr_slice(&w)))
		s->counts.answers++;
}

static void follow_call(struct edge_server *s, const struct edge_arrival *a,
                        const struct edge_answer *out)
{
	struct edge_final f;

	if (out->call == EDGE_CALL_START)
		edge_calls_start(s->calls, out->call_key, &a->flow, out->final,
		                 a->mono_ns);
	else if (out->call == EDGE_CALL_END &&
	         edge_calls_end(&f, s->calls, out->call_key))
		send_final(s, &f, true);
	if (out->call != EDGE_CALL_NONE)
		edge_server_rearm(s);
}

void edge_server_handle(struct edge_server *s, struct edge_arrival *a)
{
	struct edge_session *session = NULL;
	struct edge_shot *shot = NULL;
	struct edge_limit *limit;
	struct edge_answer out;
	struct wire_tag tag;

	if (!edge_answer_is_hello(a->bytes) && wire_tag_find(&tag, a->bytes))
		session = edge_session_find(s->sessions, tag.session);
	a->has_session = session;
	edge_answer(&out, s->answerer, a);
	if (session)
		shot = edge_session_note(session, out.tag.shot, a,
		                         out.is_proven);
	if (!out.bytes.n)
		return;
	limit = limit_for(s, a, &out);
	if (!edge_limit_take(limit, &a->flow.remote, a->mono_ns)) {
		s->counts.limited++;
		tell_limited(s, a, limit);
		return;
	}
	if (edge_server_send(s, &a->flow, out.bytes))
		return;
	s->counts.answers++;
	s->counts.mirrors += out.has_tag && out.is_proven;
	if (shot)
		edge_session_answered(session, shot, out.bytes);
	follow_call(s, a, &out);
}

static int send_udp(struct edge_server *s, const struct edge_flow *flow,
                    uint8_t ttl, struct slice bytes)
{
	struct edge_socket *at = edge_listen_udp(s, flow);

	if (!at)
		return EPIPE;
	if (at->is_steered)
		return ttl ? ENOTSUP : edge_listen_send(s, flow, bytes);
	if (ttl)
		return net_udp_send(at->udp, &flow->remote, &flow->local, ttl,
		                    bytes);
	return net_udp_queue(at->udp, &flow->remote, &flow->local, bytes);
}

int edge_server_send(struct edge_server *s, const struct edge_flow *flow,
                     struct slice bytes)
{
	struct edge_conn *c;

	if (flow->transport == WIRE_UDP)
		return send_udp(s, flow, 0, bytes);
	c = edge_conn_find(s, flow->conn);
	if (!c || c->is_dead)
		return EPIPE;
	return edge_talk_send(c, bytes);
}

void edge_server_dgram(struct edge_socket *at, const struct addr *local,
                       const struct addr *remote, int ttl, int64_t mono_ns,
                       int64_t wall_ns, struct slice bytes)
{
	struct edge_arrival a = {
		.flow = {.transport = WIRE_UDP,
	                 .local = *local,
	                 .remote = *remote,
	                 .socket = at->number},
		.speaks = edge_listen_speaks(at, local),
		.mono_ns = mono_ns,
		.wall_ns = wall_ns,
		.bytes = bytes,
	};

	if (ttl > 0 && ttl <= UINT8_MAX)
		a.ttl = (uint8_t)ttl;
	at->server->counts.datagrams++;
	edge_server_handle(at->server, &a);
}

static bool is_time_exceeded(const struct net_icmp *ic)
{
	return ic->type == (ic->dst.family == ADDR_IP4 ? ICMP4_TIME_EXCEEDED
	                                               : ICMP6_TIME_EXCEEDED);
}

void edge_server_icmp(struct edge_server *s, const struct net_icmp *ic)
{
	struct wire_died died = {
		.offender = ic->offender,
		.quote = slice_sub(ic->quote, 0, WIRE_QUOTE_MAX_BYTES),
	};
	struct edge_session *session;
	struct wire_tag tag;

	if (ic->is_local || !is_time_exceeded(ic) ||
	    !wire_tag_find(&tag, ic->quote))
		return;
	died.shot = tag.shot;
	session = edge_session_find(s->sessions, tag.session);
	if (session && edge_session_may_tell(session))
		edge_control_died(s, session, &died);
}

/* From a fresh port, which lives only as long as this takes. */
static int shoot_from_new(uint16_t *port, const struct edge_flow *flow,
                          struct slice bytes)
{
	static const struct net_udp_ops deaf = {.on_dgram = NULL};
	struct addr local = flow->local;
	struct net_udp *u;
	int err;

	local.port = 0;
	err = net_udp_open(&u, &local, 0, &deaf, NULL);
	if (err)
		return err;
	*port = net_udp_local(u).port;
	err = net_udp_send(u, &flow->remote, NULL, 0, bytes);
	net_udp_close(u);
	return err;
}

static void do_job(struct edge_server *s, const struct edge_job *job)
{
	struct edge_flow flow = job->flow;
	uint16_t from_port = flow.local.port;
	int err;

	if (job->is_beside) {
		from_port = job->from_port;
	} else if (job->is_shoot) {
		flow.transport = WIRE_UDP;
		flow.local.port = from_port = job->from_port;
		flow.socket = 0;
	}
	if (!edge_limit_take(s->later, &flow.remote, clock_mono_ns()))
		err = EAGAIN;
	else if (job->is_beside || (job->ttl && flow.transport != WIRE_UDP))
		err = edge_conn_walk(s, job);
	else if (job->is_shoot && !from_port)
		err = shoot_from_new(&from_port, &flow, job->bytes);
	else if (job->ttl)
		err = send_udp(s, &flow, job->ttl, job->bytes);
	else
		err = edge_server_send(s, &flow, job->bytes);
	s->counts.sends += !err;
	edge_control_sent(s, job, err ? 0 : from_port, err);
}

static void on_due(void *arg)
{
	struct edge_server *s = arg;
	int64_t mono_ns = clock_mono_ns();
	struct edge_final f;
	struct edge_job job;

	while (edge_calls_due(&f, s->calls, mono_ns))
		send_final(s, &f, false);
	while (edge_sessions_due(&job, s->sessions, mono_ns))
		do_job(s, &job);
	for (size_t i = 0; i < s->n_conns; i++)
		edge_control_flush(s->conns[i]);
	edge_server_rearm(s);
}

void edge_server_rearm(struct edge_server *s)
{
	int64_t a_ns = edge_calls_next_ns(s->calls);
	int64_t b_ns = edge_sessions_next_ns(s->sessions);
	int64_t next_ns = a_ns < b_ns ? a_ns : b_ns;

	if (next_ns == INT64_MAX)
		net_timer_cancel(s->due);
	else
		net_timer_set(s->due, next_ns - clock_mono_ns());
}

static void on_sweep(void *arg)
{
	struct edge_server *s = arg;

	edge_conn_sweep(s, clock_mono_ns());
	net_timer_set(s->sweep, NS_PER_S);
}

bool edge_server_may_accept(struct edge_socket *at, const struct addr *peer)
{
	struct edge_server *s = at->server;
	bool is_visit = at->speaks & EDGE_RANGE;
	struct edge_limit *l = is_visit ? s->visitors : s->callers;

	if (edge_conn_may(s, peer, is_visit) &&
	    edge_limit_take(l, peer, clock_mono_ns()))
		return true;
	s->counts.refused++;
	return false;
}

void edge_server_refuse(struct edge_socket *at, const struct addr *peer,
                        struct wr *w)
{
	struct edge_server *s = at->server;
	int64_t wait_ns = FULL_WAIT_S * NS_PER_S;

	if (!(at->speaks & EDGE_RANGE) && edge_conn_may(s, peer, false))
		wait_ns = edge_limit_wait_ns(s->callers, peer, CHECK_CALLS,
		                             clock_mono_ns());
	put_limited(w, wait_ns);
}

static void list_services(struct edge_server *s)
{
	const struct edge_ports *p = &s->ports;
	const struct wire_service all[] = {
		{WIRE_UDP, WIRE_ROLE_SIP, p->sip},
		{WIRE_TCP, WIRE_ROLE_SIP, p->sip},
		{WIRE_TLS, WIRE_ROLE_SIP, p->tls},
		{WIRE_UDP, WIRE_ROLE_SIP_ALT, p->sip_alt},
		{WIRE_TCP, WIRE_ROLE_SIP_ALT, p->sip_alt},
		{WIRE_UDP, WIRE_ROLE_TWIN, p->control},
		{WIRE_TCP, WIRE_ROLE_TWIN, p->control},
		{WIRE_TLS, WIRE_ROLE_TWIN, p->control},
		{WIRE_UDP, WIRE_ROLE_STUN, p->stun},
		{WIRE_TCP, WIRE_ROLE_STUN, p->stun},
		{WIRE_TLS, WIRE_ROLE_CONTROL, p->control},
		{WIRE_TLS, WIRE_ROLE_CONTROL, p->tls},
	};

	_Static_assert(ARRAY_LEN(all) <= WIRE_MAX_SERVICES, "too many");
	memcpy(s->conf.services.at, all, sizeof(all));
	s->conf.services.n = ARRAY_LEN(all);
}

static int make_limit(struct edge_limit **lp, unsigned per_s, unsigned burst)
{
	struct edge_limit_conf conf = {
		.n_slots = LIMIT_SLOTS,
		.per_s = per_s,
		.burst = burst,
	};

	if (getrandom(&conf.seed, sizeof(conf.seed), 0) < 0)
		return errno;
	return edge_limit_alloc(lp, &conf);
}

static int make_tables(struct edge_server *s)
{
	int err;

	err = make_limit(&s->strangers, STRANGER_PER_S, STRANGER_BURST);
	if (!err)
		err = make_limit(&s->growing, GROWING_PER_S, GROWING_BURST);
	if (!err)
		err = make_limit(&s->greeted, GREETED_PER_S, GREETED_BURST);
	if (!err)
		err = make_limit(&s->visitors, VISITOR_PER_S, VISITOR_BURST);
	if (!err)
		err = make_limit(&s->known, KNOWN_PER_S, KNOWN_BURST);
	if (!err)
		err = make_limit(&s->callers, CALLER_PER_S, CALLER_BURST);
	if (!err)
		err = make_limit(&s->later, LATER_PER_S, LATER_BURST);
	if (!err)
		err = make_limit(&s->told, TOLD_PER_S, TOLD_BURST);
	if (!err)
		err = edge_calls_alloc(&s->calls);
	if (!err)
		err = edge_sessions_alloc(&s->sessions);
	if (!err)
		err = edge_answerer_alloc(&s->answerer, &s->conf, s->calls);
	if (!err)
		err = net_timer_alloc(&s->due, on_due, s);
	if (!err)
		err = net_timer_alloc(&s->sweep, on_sweep, s);
	return err;
}

/* What is said over HTTP. */
static int describe(struct edge_server *s)
{
	s->web.name = s->conf.name;
	s->web.issuer = net_tls_issuer(s->tls, s->issuer, sizeof(s->issuer));
	return net_tls_fingerprint(s->tls, s->web.sha256);
}

static bool is_name(const char *name)
{
	static const char also[] = "._-/";

	for (; *name; name++) {
		bool is_digit = *name >= '0' && *name <= '9';
		bool is_letter = (*name | 0x20) >= 'a' && (*name | 0x20) <= 'z';

		if (!is_digit && !is_letter && !strchr(also, *name))
			return false;
	}
	return true;
}

int edge_server_alloc(struct edge_server **sp, struct addr *failed,
                      const struct edge_server_conf *conf)
{
	struct edge_server *s;
	int err;

	*failed = (struct addr){0};
	if (conf->n_at > EDGE_LISTEN_MAX || !conf->name[0] ||
	    strlen(conf->name) >= EDGE_NAME_BYTES || !is_name(conf->name))
		return EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return ENOMEM;
	s->ports = conf->ports;
	memcpy(s->conf.secret, conf->secret, sizeof(s->conf.secret));
	memcpy(s->conf.name, conf->name, strlen(conf->name) + 1);
	s->conf.zone = conf->zone;

	err = make_tables(s);
	if (!err)
		err = net_tls_server_alloc(&s->tls, conf->cert_file,
		                           conf->key_file, conf->name);
	if (!err)
		err = edge_listen_open(s, failed, conf);
	if (err) {
		edge_server_free(s);
		return err;
	}
	list_services(s);
	err = describe(s);
	if (err) {
		edge_server_free(s);
		return err;
	}
	net_timer_set(s->sweep, NS_PER_S);
	*sp = s;
	return 0;
}

void edge_server_free(struct edge_server *s)
{
	if (!s)
		return;
	while (s->n_conns > 0)
		edge_conn_close(s->conns[s->n_conns - 1]);
	edge_listen_close(s);
	net_timer_free(s->due);
	net_timer_free(s->sweep);
	net_tls_free(s->tls);
	edge_answerer_free(s->answerer);
	edge_sessions_free(s->sessions);
	edge_calls_free(s->calls);
	edge_limit_free(s->told);
	edge_limit_free(s->later);
	edge_limit_free(s->callers);
	edge_limit_free(s->known);
	edge_limit_free(s->visitors);
	edge_limit_free(s->greeted);
	edge_limit_free(s->strangers);
	edge_limit_free(s->growing);
	explicit_bzero(&s->conf, sizeof(s->conf));
	free(s);
}

struct edge_ports edge_server_ports(const struct edge_server *s)
{
	return s->ports;
}

enum edge_range_way edge_server_ranges(size_t *n_ports,
                                       const struct edge_server *s)
{
	*n_ports = s->n_range_ports;
	return s->range_way;
}

const char *edge_range_way_name(enum edge_range_way way)
{
	static const char *const names[] = {
		[EDGE_RANGE_AUTO] = "auto",
		[EDGE_RANGE_SK_LOOKUP] = "sk_lookup",
		[EDGE_RANGE_TPROXY] = "tproxy",
		[EDGE_RANGE_SOCKETS] = "sockets",
		[EDGE_RANGE_NONE] = "none",
	};

	return names[way];
}

int edge_server_fingerprint(const struct edge_server *s,
                            uint8_t out[WIRE_SHA256_BYTES])
{
	return net_tls_fingerprint(s->tls, out);
}

struct edge_counts edge_server_counts(const struct edge_server *s)
{
	return s->counts;
}
