/* SPDX-License-Identifier: ISC */
/*
 * Design: this file talks, answer.c and session.c decide. A datagram is
 * answered from the callback that brought it, out of buffers made at the
 * start; nothing on that path allocates. One timer serves all that happens
 * later. Strangers and proven sources have separate limits, so that forged
 * datagrams in a prober's name cannot use up the prober's share. What is sent
 * later has one more, since an address may be a carrier's NAT with strangers
 * behind it, and a session's own bound begins anew with the next session.
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
	PORT_TRIES = 16,
	LIMIT_SLOTS = 1 << 16,
	STRANGER_PER_S = 10,
	STRANGER_BURST = 40,
	KNOWN_PER_S = 200,
	KNOWN_BURST = 400,
	CALLER_PER_S = 20, /* a handshake costs half a millisecond */
	CALLER_BURST = 200,
	LATER_PER_S = 20,
	LATER_BURST = 4 * EDGE_SENDS_MAX,
};

static bool may_answer(struct edge_server *s, const struct edge_arrival *a,
                       const struct edge_answer *out)
{
	struct edge_limit *l = out->is_proven ? s->known : s->strangers;

	return edge_limit_take(l, &a->flow.remote, a->mono_ns);
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
	struct edge_answer out;
	struct wire_tag tag;

	if (wire_tag_find(&tag, a->bytes))
		session = edge_session_find(s->sessions, tag.session);
	a->has_session = session;
	edge_answer(&out, s->answerer, a);
	if (session)
		shot = edge_session_note(session, out.tag.shot, a,
		                         out.is_proven);
	if (!out.bytes.n)
		return;
	if (!may_answer(s, a, &out)) {
		s->counts.limited++;
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

static struct edge_socket *udp_socket(struct edge_server *s,
                                      const struct addr *local)
{
	static const struct addr any;

	for (size_t i = 0; i < s->n_sockets; i++) {
		struct edge_socket *at = &s->sockets[i];

		if (at->udp && at->local.port == local->port &&
		    at->local.family == local->family &&
		    (addr_ip_eq(&at->local, local) ||
		     memcmp(at->local.ip, any.ip, sizeof(any.ip)) == 0))
			return at;
	}
	return NULL;
}

int edge_server_send(struct edge_server *s, const struct edge_flow *flow,
                     struct slice bytes)
{
	struct edge_socket *at;
	struct edge_conn *c;

	if (flow->transport == WIRE_UDP) {
		at = udp_socket(s, &flow->local);
		if (!at)
			return EPIPE;
		return net_udp_send(at->udp, &flow->remote, &flow->local, 0,
		                    bytes);
	}
	c = edge_conn_find(s, flow->conn);
	if (!c || c->is_dead)
		return EPIPE;
	return net_stream_send(c->stream, bytes);
}

static void on_dgram(void *arg, const struct net_dgram *d)
{
	struct edge_socket *at = arg;
	struct edge_arrival a = {
		.flow = {.transport = WIRE_UDP,
	                 .local = d->to,
	                 .remote = d->from},
		.role = at->role,
		.mono_ns = d->mono_ns,
		.wall_ns = d->wall_ns,
		.bytes = d->bytes,
	};

	if (d->is_truncated || d->from.port == 0)
		return;
	if (d->ttl > 0 && d->ttl <= UINT8_MAX)
		a.ttl = (uint8_t)d->ttl;
	a.flow.local.port = at->local.port;
	at->server->counts.datagrams++;
	edge_server_handle(at->server, &a);
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

	if (job->is_shoot) {
		flow.transport = WIRE_UDP;
		flow.local.port = from_port = job->from_port;
	}
	if (!edge_limit_take(s->later, &flow.remote, clock_mono_ns()))
		err = EAGAIN;
	else if (job->is_shoot && !from_port)
		err = shoot_from_new(&from_port, &flow, job->bytes);
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

static bool may_accept(void *arg, const struct addr *peer)
{
	struct edge_socket *at = arg;
	struct edge_server *s = at->server;

	if (edge_conn_may(s, peer) &&
	    edge_limit_take(s->callers, peer, clock_mono_ns()))
		return true;
	s->counts.refused++;
	return false;
}

static void on_stream(void *arg, struct net_stream *stream)
{
	edge_conn_start(arg, stream);
}

static const struct net_udp_ops udp_ops = {.on_dgram = on_dgram};
static const struct net_listener_ops listener_ops = {
	.may_accept = may_accept,
	.on_stream = on_stream,
};

static struct edge_socket *new_socket(struct edge_server *s,
                                      enum wire_role role,
                                      enum wire_transport transport)
{
	struct edge_socket *at = &s->sockets[s->n_sockets];

	*at = (struct edge_socket){
		.server = s,
		.role = role,
		.transport = transport,
	};
	return at;
}

static int open_udp(struct edge_server *s, enum wire_role role,
                    const struct addr *local)
{
	struct edge_socket *at = new_socket(s, role, WIRE_UDP);
	unsigned flags = local->family == ADDR_IP6 ? NET_UDP_V6ONLY : 0;
	int err;

	err = net_udp_open(&at->udp, local, flags, &udp_ops, at);
	if (err)
		return err;
	at->local = net_udp_local(at->udp);
	s->n_sockets++;
	return 0;
}

static int open_tcp(struct edge_server *s, enum wire_role role,
                    enum wire_transport transport, const struct addr *local)
{
	bool is_twin = role == WIRE_ROLE_TWIN;
	bool knows_tls = is_twin || transport == WIRE_TLS;
	struct edge_socket *at = new_socket(s, role, transport);
	unsigned flags = local->family == ADDR_IP6 ? NET_LISTEN_V6ONLY : 0;
	int err;

	if (is_twin)
		flags |= NET_LISTEN_SNIFF_TLS;
	err = net_listener_open(&at->listener, local, knows_tls ? s->tls : NULL,
	                        flags, &listener_ops, at);
	if (err)
		return err;
	at->local = net_listener_local(at->listener);
	s->n_sockets++;
	return 0;
}

static void close_last(struct edge_server *s)
{
	struct edge_socket *at = &s->sockets[--s->n_sockets];

	net_udp_close(at->udp);
	net_listener_close(at->listener);
}

/* UDP and TCP under one number; with 0 the kernel proposes one for UDP. */
static int open_both(struct edge_server *s, enum wire_role role,
                     const struct addr *ip, uint16_t *port)
{
	struct addr at = *ip;
	int err = EADDRINUSE;

	for (int i = 0; err == EADDRINUSE && i < (*port ? 1 : PORT_TRIES);
	     i++) {
		at.port = *port;
		err = open_udp(s, role, &at);
		if (err)
			return err;
		at.port = s->sockets[s->n_sockets - 1].local.port;
		err = open_tcp(s, role, WIRE_TCP, &at);
		if (err)
			close_last(s);
	}
	if (!err)
		*port = at.port;
	return err;
}

static int open_tls(struct edge_server *s, const struct addr *ip,
                    uint16_t *port)
{
	struct addr at = *ip;
	int err;

	at.port = *port;
	err = open_tcp(s, WIRE_ROLE_SIP, WIRE_TLS, &at);
	if (!err)
		*port = s->sockets[s->n_sockets - 1].local.port;
	return err;
}

static int open_address(struct edge_server *s, struct addr *failed,
                        const struct addr *ip)
{
	struct {
		enum wire_role role;
		uint16_t *port;
	} both[] = {
		{WIRE_ROLE_SIP, &s->ports.sip},
		{WIRE_ROLE_SIP_ALT, &s->ports.sip_alt},
		{WIRE_ROLE_STUN, &s->ports.stun},
		{WIRE_ROLE_TWIN, &s->ports.control},
	};
	int err = 0;

	*failed = *ip;
	for (size_t i = 0; !err && i < ARRAY_LEN(both); i++) {
		failed->port = *both[i].port;
		err = open_both(s, both[i].role, ip, both[i].port);
	}
	if (err)
		return err;
	failed->port = s->ports.tls;
	return open_tls(s, ip, &s->ports.tls);
}

static bool is_absent(int err)
{
	return err == EADDRNOTAVAIL || err == EAFNOSUPPORT;
}

static int open_all(struct edge_server *s, struct addr *failed,
                    const struct edge_server_conf *conf)
{
	size_t n_open = 0;
	int err = EINVAL;

	for (size_t i = 0; i < conf->n_at; i++) {
		size_t before = s->n_sockets;

		err = open_address(s, failed, &conf->at[i]);
		if (!err)
			n_open++;
		else if (!conf->skips_absent || !is_absent(err))
			return err;
		while (err && s->n_sockets > before)
			close_last(s);
	}
	if (!n_open)
		return err;
	*failed = (struct addr){0};
	return 0;
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
		err = make_limit(&s->known, KNOWN_PER_S, KNOWN_BURST);
	if (!err)
		err = make_limit(&s->callers, CALLER_PER_S, CALLER_BURST);
	if (!err)
		err = make_limit(&s->later, LATER_PER_S, LATER_BURST);
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

	err = make_tables(s);
	if (!err)
		err = net_tls_server_alloc(&s->tls, conf->cert_file,
		                           conf->key_file, conf->name);
	if (!err)
		err = open_all(s, failed, conf);
	if (err) {
		edge_server_free(s);
		return err;
	}
	list_services(s);
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
	while (s->n_sockets > 0)
		close_last(s);
	net_timer_free(s->due);
	net_timer_free(s->sweep);
	net_tls_free(s->tls);
	edge_answerer_free(s->answerer);
	edge_sessions_free(s->sessions);
	edge_calls_free(s->calls);
	edge_limit_free(s->later);
	edge_limit_free(s->callers);
	edge_limit_free(s->known);
	edge_limit_free(s->strangers);
	explicit_bzero(&s->conf, sizeof(s->conf));
	free(s);
}

struct edge_ports edge_server_ports(const struct edge_server *s)
{
	return s->ports;
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
