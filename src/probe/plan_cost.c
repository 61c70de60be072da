/* SPDX-License-Identifier: ISC */
/*
 * Design: what a question costs is a row per kind: what it sends when it is
 * answered at once, with a quarter for what a busy machine acknowledges one
 * by one, and the longest form that it was seen to take. A port that is asked
 * again, as another protocol after that, and so on is rare: counted is each
 * way once, and the first as often as it may be asked.
 */
#include "probe/plan.h"

#include "base/clock.h"

enum {
	DNS_TYPES = 2,       /* A and AAAA */
	DNS_TRIES = 3,       /* two servers, and one by TCP */
	SRV_LOOKUPS = 4,     /* NAPTR, SRV, A and AAAA */
	SRV_STEPS = 3,       /* by UDP, by TCP, and what NAPTR names */
	LOOKS = 4,           /* names that are looked into */
	LOOK_QUESTIONS = 12, /* of one, that is as it should be */
	LOOK_MOST = 24,
	RANGE_TRIES = 9,      /* of a port, at most */
	HELLO_BYTES = 104,    /* with IP and UDP headers */
	TCP_PORT_PACKETS = 7, /* of a port that opens */
	TCP_PORT_BYTES = 480,
	TRACES = 32, /* per run */
	TRACE_FLOWS = 4,
	TRACE_PACKETS = 120, /* 20 hops, 3 rounds, with the known good flow */
	ROUND_TRIPS = 12,    /* of the slowest question, from name to answer */
	RTT_MS = 100,        /* where none is known */
};

/* Of one way of one question that is put once. */
static const struct price {
	unsigned open_packets, open_bytes;
	unsigned flows, packets, bytes;
} prices[PLAN_KINDS] = {
	[PLAN_DNS] = {1, 100, 3, 24, 2400},
	[PLAN_TCP] = {5, 300, 2, 12, 800},
	[PLAN_TLS] = {8, 1000, 2, 20, 3000},
	[PLAN_HTTP] = {7, 1050, 4, 36, 5100}, /* with one redirect */
	[PLAN_SIP] = {5, 1200, 2, 24, 5200},
	[PLAN_STUN] = {4, 450, 2, 20, 2400},
	[PLAN_TURN] = {24, 4200, 3, 60, 10000},
	[PLAN_XMPP] = {12, 1800, 3, 32, 4600},
	[PLAN_XMPP_BOSH] = {8, 1100, 3, 28, 4000},
	[PLAN_XMPP_WS] = {10, 1000, 3, 28, 4000},
	[PLAN_NTP] = {1, 76, 1, 6, 460},
	[PLAN_REGISTER] = {14, 4000, 2, 32, 9000},
	[PLAN_MTU] = {50, 60000, 6, 150, 150000},
};

static void add(struct plan_cost *c, unsigned flows, unsigned packets,
                uint64_t bytes)
{
	c->n_flows += flows;
	c->n_packets += packets;
	c->n_bytes += bytes;
}

unsigned plan_flows_per_s(const struct plan_effort *e)
{
	return e->flows_per_s ? e->flows_per_s : PLAN_FLOWS_PER_S;
}

/* All ranges of a run share its flows. */
struct ranges {
	unsigned n_ports;
};

static void add_range(struct plan_cost *open, struct ranges *all,
                      const struct plan_question *q,
                      const struct plan_effort *e)
{
	unsigned n_ports = (unsigned)(q->last - q->addr.port) + 1;
	bool is_tcp = q->service->ways[0].via != ASK_UDP;
	unsigned n = n_ports < PLAN_RANGE_FLOWS ? n_ports : PLAN_RANGE_FLOWS;

	if (e->is_full_range) {
		n = n_ports;
		open->time_ns += n_ports * NS_PER_S / plan_flows_per_s(e);
	}
	all->n_ports += n_ports;
	if (is_tcp)
		add(open, n, n * TCP_PORT_PACKETS,
		    (uint64_t)n * TCP_PORT_BYTES);
	else
		add(open, n, n, (uint64_t)n * HELLO_BYTES);
}

static void add_ranges_most(struct plan_cost *most, const struct ranges *all,
                            const struct plan_effort *e)
{
	unsigned n = e->flows / 100 * PLAN_RANGE_SHARE;

	if (e->is_full_range || all->n_ports < n)
		n = all->n_ports;
	add(most, n, n * RANGE_TRIES, (uint64_t)n * RANGE_TRIES * HELLO_BYTES);
	if (e->is_full_range)
		most->time_ns += n * NS_PER_S / plan_flows_per_s(e);
}

static void add_question(struct plan_cost *open, struct plan_cost *most,
                         struct ranges *ranges, const struct plan_question *q,
                         const struct plan_effort *e)
{
	for (unsigned i = 0; i < PLAN_WAYS; i++) {
		enum plan_kind kind = q->service->ways[i].kind;
		const struct price *c = &prices[kind];
		unsigned asks = i == 0 && e->again_ns ? 2 : 1;

		if (kind == PLAN_RANGE) {
			add_range(open, ranges, q, e);
		} else if (kind != PLAN_NO_KIND) {
			add(most, asks * c->flows, asks * c->packets,
			    (uint64_t)asks * c->bytes);
			if (i == 0)
				add(open, 1, c->open_packets, c->open_bytes);
		}
	}
}

/* Each target of an unbound service may be asked. */
static unsigned n_targets_most(const struct plan *p, const struct plan_flow *f)
{
	if (f->service == PLAN_NONE || plan_srv(p, f->service)->is_bound)
		return 1;
	return SRV_TARGETS_MAX;
}

/* A name that nobody has looked up yet: as if it had one address that no
 * other host has. */
static void add_unresolved(struct plan_cost *open, struct plan_cost *most,
                           struct ranges *ranges, const struct plan *p,
                           const struct plan_effort *e)
{
	struct plan_cost unused = {0};

	for (size_t i = 0; i < plan_n_flows(p); i++) {
		const struct plan_flow *f = plan_flow(p, i);
		struct plan_question q = {.last = f->flow.ports.last};

		if (f->skip != PLAN_NO_ADDRESS ||
		    (f->service == PLAN_NONE &&
		     plan_name(p, f->name)->is_bound))
			continue;
		q.service = plan_service_for(&f->flow);
		q.addr.port = f->flow.ports.first;
		open->n_questions++;
		add_question(open, most, ranges, &q, e);
		for (unsigned n = n_targets_most(p, f); n > 1; n--)
			add_question(&unused, most, ranges, &q, e);
	}
}

/* Everything that DNS says of a name; of one even where all is well. */
static void add_look(struct plan_cost *open, struct plan_cost *most,
                     bool is_first)
{
	const struct price *c = &prices[PLAN_DNS];

	if (is_first)
		add(open, LOOK_QUESTIONS, LOOK_QUESTIONS * c->open_packets,
		    (uint64_t)LOOK_QUESTIONS * c->open_bytes);
	add(most, LOOK_MOST * c->flows, LOOK_MOST * c->packets,
	    (uint64_t)LOOK_MOST * c->bytes);
}

/* NAPTR and SRV, and the addresses of what they name; as a rule one. */
static void add_services(struct plan_cost *open, struct plan_cost *most,
                         const struct plan *p, const struct plan_effort *e)
{
	const struct price *c = &prices[PLAN_DNS];
	const unsigned n_most = DNS_TRIES * DNS_TYPES + SRV_NAMES_MAX +
	                        SRV_TARGETS_MAX * DNS_TRIES * DNS_TYPES;

	for (size_t i = 0; i < plan_n_srvs(p); i++) {
		const struct plan_srv *s = plan_srv(p, i);

		if (!s->is_wanted || s->is_given)
			continue;
		open->n_questions++;
		add(open, SRV_LOOKUPS, SRV_LOOKUPS * c->open_packets,
		    (uint64_t)SRV_LOOKUPS * c->open_bytes);
		add(most, n_most * c->flows, n_most * c->packets,
		    (uint64_t)n_most * c->bytes);
		/* all of them at a time, and names only then */
		most->time_ns = SRV_STEPS * e->patience_ns;
	}
}

static int64_t most_ns(const struct plan_effort *e)
{
	return 2 * (e->patience_ns + e->again_ns) + e->trace_ns;
}

void plan_costs(struct plan_cost *open, struct plan_cost *most,
                const struct plan *p, const struct plan_effort *e)
{
	struct plan_cost o = {0}, m = {0};
	struct ranges ranges = {0};
	unsigned n_looks = 0;

	for (size_t i = 0; i < plan_n_names(p); i++) {
		const struct plan_name *name = plan_name(p, i);
		const struct price *c = &prices[PLAN_DNS];

		if (!name->is_wanted || name->is_given)
			continue;
		o.n_questions++;
		add(&o, DNS_TYPES, DNS_TYPES * c->open_packets,
		    (uint64_t)DNS_TYPES * c->open_bytes);
		add(&m, DNS_TRIES * DNS_TYPES * c->flows,
		    DNS_TRIES * DNS_TYPES * c->packets,
		    (uint64_t)DNS_TRIES * DNS_TYPES * c->bytes);
		if (e->again_ns && n_looks++ < LOOKS)
			add_look(&o, &m, n_looks == 1);
	}
	add_services(&o, &m, p, e);
	o.n_questions += (unsigned)plan_n_questions(p);
	for (size_t i = 0; i < plan_n_questions(p); i++)
		add_question(&o, &m, &ranges, plan_question(p, i), e);
	add_unresolved(&o, &m, &ranges, p, e);
	add_ranges_most(&m, &ranges, e);
	m.n_questions = o.n_questions;
	if (e->trace_ns && o.n_questions > 0)
		add(&m, TRACES * TRACE_FLOWS, TRACES * TRACE_PACKETS,
		    (uint64_t)TRACES * TRACE_PACKETS * HELLO_BYTES);
	if (!e->is_full_range && m.n_flows > e->flows)
		m.n_flows = e->flows;
	if (o.n_flows > m.n_flows)
		o.n_flows = m.n_flows;
	if (o.n_questions > 0) {
		o.time_ns += (int64_t)ROUND_TRIPS * RTT_MS * NS_PER_MS;
		m.time_ns += most_ns(e);
	}
	if (open)
		*open = o;
	if (most)
		*most = m;
}
