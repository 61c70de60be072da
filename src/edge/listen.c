/* SPDX-License-Identifier: ISC */
/*
 * Design: first the ports that every edge has, then single ports that the
 * services add, those for every address before those for one; a port that is
 * open already only learns to understand more. Ranges come last: one socket
 * for each family and transport, on loopback where nothing reaches it but what
 * is steered, with all ports that have a socket of their own left out. Where
 * the kernel steers nothing for us, as many ports as are decent get a socket.
 *
 * An answer of a range leaves from the port that was asked: by a raw socket,
 * or, for what is longer than a packet and where there is no raw socket, from
 * a socket bound to that port for as long as it takes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "edge/inside.h"
#include "net/raw.h"
#include "net/steer.h"
#include "net/stream.h"
#include "net/udp.h"

enum {
	PORT_TRIES = 16,
	SOCKETS_FIRST = 32,
};

/* Does what is bound to @p bound get what is for @p ip? */
static bool covers(const struct addr *bound, const struct addr *ip)
{
	return bound->family == ip->family &&
	       (addr_ip_eq(bound, ip) || addr_is_wildcard(bound));
}

static bool is_in(const struct edge_service *r, bool is_tcp,
                  const struct addr *local)
{
	return r->is_tcp == is_tcp && covers(&r->at, local) &&
	       local->port >= r->first && local->port <= r->last;
}

unsigned edge_listen_speaks(const struct edge_socket *at,
                            const struct addr *local)
{
	const struct edge_server *s = at->server;
	unsigned speaks = at->speaks;

	for (size_t i = 0; at->is_steered && i < s->n_ranges; i++) {
		if (is_in(&s->ranges[i], at->is_tcp, local))
			speaks |= s->ranges[i].speaks;
	}
	return speaks;
}

static void on_dgram(void *arg, const struct net_dgram *d)
{
	const struct edge_socket *at = arg;
	struct addr local = d->to;

	if (!at->is_steered)
		local.port = at->local.port;
	at->server->is_in_batch = at->is_steered;
	if (!d->is_truncated && d->from.port != 0)
		edge_server_dgram(arg, &local, &d->from, d->ttl, d->mono_ns,
		                  d->wall_ns, d->bytes);
}

static void on_batch(void *arg)
{
	const struct edge_socket *at = arg;

	at->server->is_in_batch = false;
	if (at->server->raw)
		net_raw_flush(at->server->raw);
}

static bool may_accept(void *arg, const struct addr *peer)
{
	return edge_server_may_accept(arg, peer);
}

static void refuse(void *arg, const struct addr *peer, struct wr *w)
{
	edge_server_refuse(arg, peer, w);
}

static void on_stream(void *arg, struct net_stream *stream)
{
	edge_conn_start(arg, stream);
}

static void on_icmp(void *arg, const struct net_icmp *ic)
{
	const struct edge_socket *at = arg;

	edge_server_icmp(at->server, ic);
}

static const struct net_udp_ops udp_ops = {
	.on_dgram = on_dgram,
	.on_icmp = on_icmp,
};
static const struct net_listener_ops listener_ops = {
	.may_accept = may_accept,
	.refuse = refuse,
	.on_stream = on_stream,
};

static int new_socket(struct edge_socket **ap, struct edge_server *s,
                      unsigned speaks)
{
	struct edge_socket *at;

	if (s->n_sockets == s->cap_sockets) {
		size_t cap =
			s->cap_sockets ? 2 * s->cap_sockets : SOCKETS_FIRST;
		/* pointers are meant: NOLINTNEXTLINE(bugprone-sizeof-*) */
		void *more = reallocarray(s->sockets, cap, sizeof(*s->sockets));

		if (!more)
			return ENOMEM;
		s->sockets = more;
		s->cap_sockets = cap;
	}
	at = calloc(1, sizeof(*at));
	if (!at)
		return ENOMEM;
	at->server = s;
	at->speaks = speaks;
	*ap = at;
	return 0;
}

static void free_socket(struct edge_socket *at)
{
	net_udp_close(at->udp);
	net_listener_close(at->listener);
	free(at);
}

static void keep(struct edge_server *s, struct edge_socket *at)
{
	s->sockets[s->n_sockets++] = at;
	at->number = (uint32_t)s->n_sockets;
}

static int open_udp(struct edge_server *s, unsigned speaks,
                    const struct addr *local, unsigned flags)
{
	struct edge_socket *at;
	int err;

	err = new_socket(&at, s, speaks);
	if (err)
		return err;
	if (local->family == ADDR_IP6)
		flags |= NET_UDP_V6ONLY;
	at->is_steered = flags & NET_UDP_STEERED;
	if (!at->is_steered)
		flags |= NET_UDP_QUEUE;
	if (speaks & EDGE_SIP)
		flags |= NET_UDP_ICMP;
	err = net_udp_open(&at->udp, local, flags, &udp_ops, at);
	if (err) {
		free_socket(at);
		return err;
	}
	if (at->is_steered)
		net_udp_set_batch(at->udp, on_batch);
	at->local = net_udp_local(at->udp);
	keep(s, at);
	return 0;
}

static int open_tcp(struct edge_server *s, unsigned speaks,
                    const struct addr *local, struct net_tls *tls,
                    unsigned flags)
{
	struct edge_socket *at;
	int err;

	err = new_socket(&at, s, speaks);
	if (err)
		return err;
	if (local->family == ADDR_IP6)
		flags |= NET_LISTEN_V6ONLY;
	at->is_tcp = true;
	at->is_steered = flags & NET_LISTEN_STEERED;
	err = net_listener_open(&at->listener, local, tls, flags, &listener_ops,
	                        at);
	if (err) {
		free_socket(at);
		return err;
	}
	at->local = net_listener_local(at->listener);
	keep(s, at);
	return 0;
}

static void close_last(struct edge_server *s)
{
	free_socket(s->sockets[--s->n_sockets]);
}

/* Those of every edge: UDP and TCP under one number; with 0 the kernel
 * proposes one for UDP. */
static int open_both(struct edge_server *s, unsigned speaks, bool knows_tls,
                     const struct addr *ip, uint16_t *port)
{
	struct net_tls *tls = knows_tls ? s->tls : NULL;
	unsigned flags = knows_tls ? NET_LISTEN_SNIFF_TLS : 0;
	struct addr at = *ip;
	int err = EADDRINUSE;

	for (int i = 0; err == EADDRINUSE && i < (*port ? 1 : PORT_TRIES);
	     i++) {
		at.port = *port;
		err = open_udp(s, speaks, &at, 0);
		if (err)
			return err;
		at.port = s->sockets[s->n_sockets - 1]->local.port;
		err = open_tcp(s, speaks, &at, tls, flags);
		if (err)
			close_last(s);
	}
	if (!err)
		*port = at.port;
	return err;
}

static int open_tls(struct edge_server *s, const struct addr *ip,
                    bool knows_plain)
{
	struct addr at = *ip;
	int err;

	at.port = s->ports.tls;
	err = open_tcp(s, EDGE_SIP, &at, s->tls,
	               knows_plain ? NET_LISTEN_SNIFF_TLS : 0);
	if (!err)
		s->ports.tls = s->sockets[s->n_sockets - 1]->local.port;
	return err;
}

static int open_address(struct edge_server *s, struct addr *failed,
                        const struct addr *ip, bool has_services)
{
	struct {
		unsigned speaks;
		bool knows_tls;
		uint16_t *port;
	} both[] = {
		{EDGE_SIP, false, &s->ports.sip},
		{EDGE_SIP, false, &s->ports.sip_alt},
		{EDGE_STUN, false, &s->ports.stun},
		{EDGE_SIP, true, &s->ports.control},
	};
	int err = 0;

	*failed = *ip;
	for (size_t i = 0; !err && i < ARRAY_LEN(both); i++) {
		failed->port = *both[i].port;
		err = open_both(s, both[i].speaks, both[i].knows_tls, ip,
		                both[i].port);
	}
	if (err)
		return err;
	failed->port = s->ports.tls;
	return open_tls(s, ip, has_services);
}

static bool is_absent(int err)
{
	return err == EADDRNOTAVAIL || err == EAFNOSUPPORT;
}

static int open_always(struct edge_server *s, struct addr *failed,
                       const struct edge_server_conf *conf)
{
	int err = EINVAL;

	for (size_t i = 0; i < conf->n_at; i++) {
		size_t before = s->n_sockets;

		err = open_address(s, failed, &conf->at[i],
		                   conf->n_services > 0);
		if (!err)
			s->at[s->n_at++] = conf->at[i];
		else if (!conf->skips_absent || !is_absent(err))
			return err;
		while (err && s->n_sockets > before)
			close_last(s);
	}
	return s->n_at ? 0 : err;
}

static struct edge_socket *find(struct edge_server *s, bool is_tcp,
                                const struct addr *local)
{
	for (size_t i = 0; i < s->n_sockets; i++) {
		struct edge_socket *at = s->sockets[i];

		if (at->is_tcp == is_tcp && !at->is_steered &&
		    at->local.port == local->port && covers(&at->local, local))
			return at;
	}
	return NULL;
}

/* Who connects and says nothing is told nothing: only SIP's own ports, where
 * a silent connection may be under measurement, are spared the sniffing. */
static int add_port(struct edge_server *s, const struct edge_service *v,
                    const struct addr *local)
{
	struct edge_socket *at = find(s, v->is_tcp, local);

	if (at) {
		at->speaks |= v->speaks & ~(unsigned)EDGE_RANGE;
		return 0;
	}
	if (!v->is_tcp)
		return open_udp(s, v->speaks, local, 0);
	if (v->speaks & EDGE_RANGE)
		return open_tcp(s, v->speaks, local, NULL, 0);
	return open_tcp(s, v->speaks, local, s->tls, NET_LISTEN_SNIFF_TLS);
}

static bool is_range(const struct edge_service *v)
{
	return v->last - v->first >= EDGE_SINGLE_PORTS;
}

static int add_at(struct edge_server *s, struct addr *failed,
                  const struct edge_service *v, const struct addr *ip)
{
	int err = 0;

	*failed = *ip;
	if (is_range(v)) {
		struct edge_service *r = &s->ranges[s->n_ranges++];

		*r = *v;
		r->at = *ip;
		r->speaks |= EDGE_RANGE;
		return 0;
	}
	for (unsigned port = v->first; !err && port <= v->last; port++) {
		failed->port = (uint16_t)port;
		err = add_port(s, v, failed);
	}
	return err;
}

static int add_services(struct edge_server *s, struct addr *failed,
                        const struct edge_server_conf *conf, bool is_for_all)
{
	int err = 0;

	for (size_t i = 0; !err && i < conf->n_services; i++) {
		const struct edge_service *v = &conf->services[i];

		if ((v->at.family == ADDR_NONE) != is_for_all)
			continue;
		if (!v->first || v->first > v->last)
			return EINVAL;
		if (!is_for_all)
			err = add_at(s, failed, v, &v->at);
		for (size_t k = 0; is_for_all && !err && k < s->n_at; k++)
			err = add_at(s, failed, v, &s->at[k]);
	}
	return err;
}

/* The socket of all ranges of one family and transport; NULL: none yet */
static struct edge_socket *steered(struct edge_server *s, bool is_tcp,
                                   enum addr_family family)
{
	for (size_t i = 0; i < s->n_sockets; i++) {
		struct edge_socket *at = s->sockets[i];

		if (at->is_steered && at->is_tcp == is_tcp &&
		    at->local.family == family)
			return at;
	}
	return NULL;
}

static int range_socket(struct edge_socket **ap, struct edge_server *s,
                        const struct edge_service *r)
{
	struct edge_socket *at = steered(s, r->is_tcp, r->at.family);
	struct addr local = {.family = r->at.family};
	int err;

	if (at) {
		*ap = at;
		return 0;
	}
	if (local.family == ADDR_IP4) {
		local.ip[0] = 127;
		local.ip[3] = 1;
	} else {
		local.ip[15] = 1;
	}
	err = r->is_tcp ? open_tcp(s, EDGE_RANGE, &local, NULL,
	                           NET_LISTEN_STEERED)
	                : open_udp(s, EDGE_RANGE, &local, NET_UDP_STEERED);
	if (!err)
		*ap = s->sockets[s->n_sockets - 1];
	return err;
}

static size_t list_holes(struct net_steer_hole *holes,
                         const struct edge_server *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_sockets; i++) {
		const struct edge_socket *at = s->sockets[i];
		struct net_steer_hole hole = {at->is_tcp, at->local.port};
		bool is_new = !at->is_steered;

		for (size_t k = 0; is_new && k < n; k++)
			is_new = holes[k].is_tcp != hole.is_tcp ||
			         holes[k].port != hole.port;
		for (size_t k = 0; is_new && k < s->n_ranges; k++) {
			const struct edge_service *r = &s->ranges[k];

			if (r->is_tcp != hole.is_tcp || hole.port < r->first ||
			    hole.port > r->last)
				continue;
			if (n == NET_STEER_HOLES_MAX)
				return n;
			holes[n++] = hole;
			break;
		}
	}
	return n;
}

static int list_ranges(struct net_steer_range *ranges, struct edge_server *s)
{
	int err = 0;

	for (size_t i = 0; !err && i < s->n_ranges; i++) {
		const struct edge_service *r = &s->ranges[i];
		struct edge_socket *at;

		err = range_socket(&at, s, r);
		if (err)
			break;
		ranges[i] = (struct net_steer_range){
			.at = r->at,
			.is_tcp = r->is_tcp,
			.first = r->first,
			.last = r->last,
			.fd = r->is_tcp ? net_listener_fd(at->listener)
		                        : net_udp_fd(at->udp),
		};
	}
	return err;
}

static int steer(struct edge_server *s, enum edge_range_way way)
{
	struct net_steer_range ranges[NET_STEER_RANGES_MAX];
	struct net_steer_hole holes[NET_STEER_HOLES_MAX];
	struct net_steer_conf conf = {.ranges = ranges, .holes = holes};
	size_t before = s->n_sockets;
	int err = E2BIG;

	if (s->n_ranges <= NET_STEER_RANGES_MAX)
		err = list_ranges(ranges, s);
	conf.n_ranges = s->n_ranges;
	conf.n_holes = list_holes(holes, s);
	if (!err)
		err = net_steer_open(&s->steer,
		                     way == EDGE_RANGE_SK_LOOKUP
		                             ? NET_STEER_SK_LOOKUP
		                             : NET_STEER_TPROXY,
		                     &conf);
	if (!err) {
		s->range_way = way;
		/* without it, each answer borrows a socket */
		(void)!net_raw_open(&s->raw);
	}
	while (err && s->n_sockets > before)
		close_last(s);
	return err;
}

/* The first ports of each range, for as long as there are descriptors. */
static int open_each(struct edge_server *s)
{
	size_t n = EDGE_SOCKET_PORTS_MAX / s->n_ranges;
	int err = 0;

	s->range_way = EDGE_RANGE_SOCKETS;
	for (size_t k = 0; !err && k < n; k++) {
		for (size_t i = 0; !err && i < s->n_ranges; i++) {
			const struct edge_service *r = &s->ranges[i];
			struct addr local = r->at;

			local.port = (uint16_t)(r->first + k);
			if (k <= (size_t)(r->last - r->first))
				err = add_port(s, r, &local);
			if (err == EADDRINUSE)
				err = 0; /* another program's */
		}
		s->n_range_ports = k + 1;
	}
	return err == EMFILE ? 0 : err;
}

/* What has a socket of its own inside a range understands what the range
 * does, too. */
static void teach_holes(struct edge_server *s)
{
	for (size_t i = 0; i < s->n_sockets; i++) {
		struct edge_socket *at = s->sockets[i];

		for (size_t k = 0; k < s->n_ranges; k++) {
			const struct edge_service *r = &s->ranges[k];
			struct addr local = r->at;

			local.port = at->local.port;
			if (is_in(r, at->is_tcp, &local) &&
			    covers(&at->local, &local))
				at->speaks |= r->speaks & ~(unsigned)EDGE_RANGE;
		}
	}
}

static int open_ranges(struct edge_server *s, enum edge_range_way wanted)
{
	const enum edge_range_way ways[] = {EDGE_RANGE_SK_LOOKUP,
	                                    EDGE_RANGE_TPROXY};
	int err = ENOTSUP;

	if (!s->n_ranges) {
		s->range_way = EDGE_RANGE_NONE;
		return 0;
	}
	teach_holes(s);
	for (size_t i = 0; err && err != ENOMEM && i < ARRAY_LEN(ways); i++) {
		if (wanted == EDGE_RANGE_AUTO || wanted == ways[i])
			err = steer(s, ways[i]);
	}
	if (err && (wanted == EDGE_RANGE_AUTO || wanted == EDGE_RANGE_SOCKETS))
		err = open_each(s);
	return err;
}

int edge_listen_open(struct edge_server *s, struct addr *failed,
                     const struct edge_server_conf *conf)
{
	int err;

	s->ranges = calloc(conf->n_services * EDGE_LISTEN_MAX + 1,
	                   sizeof(*s->ranges));
	if (!s->ranges)
		return ENOMEM;
	err = open_always(s, failed, conf);
	if (!err)
		err = add_services(s, failed, conf, true);
	if (!err)
		err = add_services(s, failed, conf, false);
	if (err)
		return err;
	*failed = (struct addr){0};
	return open_ranges(s, conf->range_way);
}

void edge_listen_close(struct edge_server *s)
{
	net_steer_close(s->steer);
	while (s->n_sockets > 0)
		close_last(s);
	free(s->sockets);
	free(s->ranges);
	net_raw_close(s->raw);
}

struct edge_socket *edge_listen_udp(struct edge_server *s,
                                    const struct edge_flow *flow)
{
	struct edge_socket *at;

	if (flow->socket && flow->socket <= s->n_sockets) {
		at = s->sockets[flow->socket - 1];
		if (at->is_steered || at->local.port == flow->local.port)
			return at;
	}
	at = find(s, false, &flow->local);
	for (size_t i = 0; !at && i < s->n_ranges; i++) {
		if (is_in(&s->ranges[i], false, &flow->local))
			at = steered(s, false, flow->local.family);
	}
	return at;
}

static int send_from_own(const struct edge_flow *flow, struct slice bytes)
{
	static const struct net_udp_ops deaf = {.on_dgram = NULL};
	struct net_udp *u;
	int err;

	err = net_udp_open(&u, &flow->local, 0, &deaf, NULL);
	if (err)
		return err;
	err = net_udp_send(u, &flow->remote, NULL, 0, bytes);
	net_udp_close(u);
	return err;
}

int edge_listen_send(struct edge_server *s, const struct edge_flow *flow,
                     struct slice bytes)
{
	int err = EMSGSIZE;

	if (s->raw && s->is_in_batch)
		err = net_raw_queue_udp(s->raw, &flow->local, &flow->remote,
		                        bytes);
	if (s->raw && err == EMSGSIZE)
		err = net_raw_send_udp(s->raw, &flow->local, &flow->remote,
		                       bytes);
	return err == EMSGSIZE ? send_from_own(flow, bytes) : err;
}
