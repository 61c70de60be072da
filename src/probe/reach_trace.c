/* SPDX-License-Identifier: ISC */
/*
 * Design: a trace costs packets and seconds, and a firewall that blocks two
 * hundred ports is one box. So first one flow of each kind of failure is
 * followed, then one of each address, and what is left of the time goes to
 * other ports, which may die elsewhere. Few run side by side: routers answer
 * only so many expired packets in a second.
 *
 * So a walk of which not even the first router gave a sign, while it did of
 * others, may have come when that router had nothing left to give; and so may
 * one of a few that end before a router that others got to. Such ones go again
 * after a pause, one by one.
 */
#include "probe/reach.h"

#include <errno.h>

#include "base/clock.h"
#include "net/loop.h"

/* Linux gives one host so many in a burst, and then one in a second. */
#define REWALK_NS (1100 * NS_PER_MS)

enum {
	CLOSED_PORT =
		33434, /* traceroute's; outside of what systems listen on */
	SHORT_MAX = 4,
	NEAR_TRACES = 4,
};

static bool is_open_tcp(const struct reach_ask *a)
{
	return !reach_is_udp(a) && !reach_is_range(a) &&
	       a->result.layer >= ASK_LAYER_CONNECT;
}

static bool is_cause(const struct reach_ask *a)
{
	return a->stage == REACH_OVER && !a->is_inherited &&
	       (reach_is_lost(&a->result) || a->result.end == ASK_PARTLY);
}

bool reach_is_alike(const struct reach_ask *a, const struct reach_ask *b,
                    bool is_same_host)
{
	return (!is_same_host ||
	        addr_ip_eq(&a->target.addr, &b->target.addr)) &&
	       reach_is_udp(a) == reach_is_udp(b) &&
	       a->result.end == b->result.end;
}

static void note(struct reach *r, struct reach_ask *a)
{
	if (r->n_traces == REACH_TRACES_MAX)
		return;
	r->traces[r->n_traces] = (struct reach_trace){.reach = r, .ask = a->no};
	a->trace = r->n_traces++;
}

/* Who opened too soon is followed to who opens: one of each port. */
static void choose_near(struct reach *r)
{
	for (size_t i = 0; i < r->n_asks; i++) {
		struct reach_ask *a = r->asks[i];
		bool is_new = a->trace == PLAN_NONE && reach_is_early(r, a);
		unsigned n = 0;

		for (size_t k = 0; is_new && k < r->n_traces; k++) {
			const struct reach_ask *b = r->asks[r->traces[k].ask];

			n += !is_cause(b);
			is_new = b->target.addr.port != a->target.addr.port ||
			         b->result.layer < ASK_LAYER_CONNECT;
		}
		if (is_new && n < NEAR_TRACES)
			note(r, a);
	}
}

static bool is_followed(const struct reach *r, const struct reach_ask *a,
                        bool is_same_host)
{
	for (size_t i = 0; i < r->n_traces; i++) {
		if (reach_is_alike(r->asks[r->traces[i].ask], a, is_same_host))
			return true;
	}
	return false;
}

static void choose(struct reach *r, bool with_ranges)
{
	enum {
		KINDS,
		HOSTS,
		REST,
		ROUNDS
	};

	for (int round = KINDS; round < ROUNDS; round++) {
		for (size_t i = 0; i < r->n_asks; i++) {
			struct reach_ask *a = r->asks[i];

			if (a->trace == PLAN_NONE && is_cause(a) &&
			    (with_ranges || !reach_is_range(a)) &&
			    (round == REST ||
			     !is_followed(r, a, round == HOSTS)))
				note(r, a);
		}
		if (round == KINDS)
			choose_near(r);
	}
}

/* It has never left this computer, as its trace has found out. */
static void own_up(struct reach_ask *a, int error)
{
	if ((error != EPERM && error != EACCES) ||
	    (a->result.end != ASK_SILENT && a->result.end != ASK_REFUSED))
		return;
	a->result.end = ASK_LOCAL;
	a->result.error = error;
}

static void on_done(void *arg, const struct trace_result *res)
{
	struct reach_trace *t = arg;

	/* of two walks the one that was heard of further on */
	if (t->result.where.basis != WHERE_QUOTE ||
	    res->where.basis != WHERE_QUOTE ||
	    t->result.where.hop_min <= res->where.hop_min)
		t->result = *res;
	t->is_over = true;
	if (res->where.basis == WHERE_LOCAL)
		own_up(t->reach->asks[t->ask], res->flow.error);
	trace_free(t->trace);
	t->trace = NULL;
	reach_wake(t->reach);
}

/* A SYN is all that a walk sends: what was said over the connection, and
 * whether its certificate pleased, is no matter. Of a range that passes in
 * part the first port may be of the other part. */
static bool is_known_good(const struct reach_ask *a)
{
	const struct ask_result *res = &a->result;

	return reach_has_passed(res) ||
	       (!reach_is_udp(a) && !reach_is_lost(res) && !reach_is_range(a) &&
	        res->layer >= ASK_LAYER_CONNECT);
}

static bool is_same_host(const struct reach_ask *a, const struct reach_ask *b)
{
	return addr_ip_eq(&a->target.addr, &b->target.addr);
}

/* Another trace to that host has found out how far it is, or is about to. */
static bool has_sibling(const struct reach *r, const struct reach_ask *a)
{
	for (size_t i = 0; i < r->n_traces; i++) {
		const struct reach_trace *t = &r->traces[i];

		/* its own of before, when it walks again, is no sibling */
		if (t->has_control && t->ask != a->no &&
		    is_same_host(r->asks[t->ask], a))
			return true;
	}
	return false;
}

/* Of each port that opens the first one, and of few: routers limit their ICMP
 * errors, which others need. */
static bool seeks_box(const struct reach *r, const struct reach_trace *t)
{
	unsigned n = 0;

	if (!is_open_tcp(r->asks[t->ask]))
		return false;
	for (size_t i = 0; &r->traces[i] != t; i++) {
		const struct reach_ask *b = r->asks[r->traces[i].ask];

		if (!is_open_tcp(b))
			continue;
		if (b->target.addr.port == r->asks[t->ask]->target.addr.port)
			return false;
		n++;
	}
	return n < NEAR_TRACES;
}

/* Beside a TCP flow that opens: how far the server is, as UDP finds it. */
static struct trace_flow near_control_for(const struct reach *r,
                                          const struct reach_ask *a)
{
	struct trace_flow flow = {.to = a->target.addr};

	flow.to.port = CLOSED_PORT;
	flow.is_closed = true;
	for (size_t i = 0; i < r->n_asks; i++) {
		const struct reach_ask *b = r->asks[i];

		if (b->stage == REACH_OVER && reach_is_udp(b) &&
		    is_known_good(b) && is_same_host(a, b)) {
			flow.to = b->target.addr;
			flow.is_closed = false;
		}
	}
	return flow;
}

/* A flow to the same host that is known good; or else one to a port where, as
 * a rule, nobody listens: a server that is there says so. Once a host, for
 * hosts limit how often they do; reach_trace_judge() shares it. */
static struct trace_flow control_for(const struct reach *r,
                                     const struct reach_ask *a)
{
	struct trace_flow flow = {.to.family = ADDR_NONE};

	for (size_t i = 0; i < r->n_asks; i++) {
		const struct reach_ask *b = r->asks[i];

		if (b->stage != REACH_OVER || !is_known_good(b) ||
		    !addr_ip_eq(&a->target.addr, &b->target.addr))
			continue;
		if (flow.to.family == ADDR_NONE ||
		    reach_is_udp(b) == reach_is_udp(a)) {
			flow.to = b->target.addr;
			flow.is_tcp = !reach_is_udp(b);
		}
	}
	if (flow.to.family == ADDR_NONE && !has_sibling(r, a)) {
		flow.to = a->target.addr;
		flow.to.port = CLOSED_PORT;
		flow.is_closed = true;
	}
	return flow;
}

static void begin(struct reach *r, struct reach_trace *t)
{
	const struct reach_ask *a = r->asks[t->ask];
	struct trace_spec spec = {
		.flow = {.to = a->target.addr, .is_tcp = !reach_is_udp(a)},
		.control = seeks_box(r, t) ? near_control_for(r, a)
	                                   : control_for(r, a),
		.rtt_ns = r->rtt_ns,
		.patience_ns = r->effort.trace_ns,
	};
	/* of a range: one that does not pass */
	int64_t port = val_get_int(&a->result.evidence, "port", 0);

	if (reach_is_range(a) && port > 0 && port <= UINT16_MAX)
		spec.flow.to.port = (uint16_t)port;
	t->has_control = spec.control.to.family != ADDR_NONE;
	t->is_started = true;
	if (r->flows < TRACE_FLOWS_MAX ||
	    trace_start(&t->trace, &spec, on_done, t)) {
		t->is_over = true;
		return;
	}
	r->flows -= TRACE_FLOWS_MAX;
}

static bool is_deaf(const struct reach_trace *t)
{
	const struct where *w = &t->result.where;

	return w->basis == WHERE_QUOTE && w->hop_min == 0;
}

static bool has_first_hop(const struct reach_trace *t)
{
	const struct where *w = &t->result.where;

	return w->basis != WHERE_NO_BASIS && w->basis != WHERE_LOCAL &&
	       w->hop_min > 0;
}

/* It ends in silence before a router that another walk has heard of. */
static bool is_short(const struct reach *r, const struct reach_trace *t)
{
	const struct where *w = &t->result.where;

	for (size_t i = 0; i < r->n_traces; i++) {
		const struct where *other = &r->traces[i].result.where;

		if (w->basis == WHERE_QUOTE && other->basis == WHERE_QUOTE &&
		    other->hop_min > w->hop_min)
			return true;
	}
	return false;
}

/* A few; where many end there, a box is. */
static bool are_few_short(const struct reach *r)
{
	unsigned n = 0;

	for (size_t i = 0; i < r->n_traces; i++)
		n += is_short(r, &r->traces[i]);
	return n <= SHORT_MAX;
}

/* @return whether there is something to do again */
static bool rewalk(struct reach *r, int64_t now_ns)
{
	bool is_late = now_ns - r->trace_ns > r->effort.trace_ns / 2;
	bool is_heard = false, is_any = false, are_few = are_few_short(r);

	if (r->rewalk_ns)
		return false;
	r->rewalk_ns = now_ns + REWALK_NS;
	for (size_t i = 0; i < r->n_traces; i++)
		is_heard |= has_first_hop(&r->traces[i]);
	for (size_t i = 0; is_heard && i < r->n_traces; i++) {
		struct reach_trace *t = &r->traces[i];

		if (!is_deaf(t) && (!are_few || !is_short(r, t)))
			continue;
		if (is_late) {
			/* of those the deaf have shown nothing */
			if (is_deaf(t))
				t->result.where.basis = WHERE_NO_BASIS;
			continue;
		}
		t->is_started = t->is_over = false;
		is_any = true;
	}
	return is_any;
}

void reach_trace_judge(struct reach *r, struct reach_trace *t)
{
	const struct reach_ask *a = r->asks[t->ask];

	if (t->result.n_sent == 0 || t->result.where.basis == WHERE_NO_BASIS)
		return;
	for (size_t i = 0; i < r->n_traces && !t->has_control; i++) {
		const struct reach_trace *u = &r->traces[i];

		if (!u->has_control || !u->is_over || u->result.n_sent == 0 ||
		    !is_same_host(r->asks[u->ask], a))
			continue;
		t->has_control = true;
		t->result.control = u->result.control;
		t->result.where = where_judge(
			&t->result.flow, &t->result.control, &a->target.addr);
	}
}

bool reach_traces_go(struct reach *r, bool with_ranges)
{
	unsigned n_most = r->rewalk_ns ? 1 : REACH_TRACES_RUNNING;
	int64_t now_ns = clock_mono_ns();
	unsigned n_running = 0;
	bool is_all = true, is_late;

	if (r->effort.trace_ns == 0)
		return true;
	choose(r, with_ranges);
	/* the time is that of walks, not of ranges that are waited for */
	if (r->trace_ns == 0 && r->n_traces > 0)
		r->trace_ns = now_ns;
	is_late = now_ns - r->trace_ns > r->effort.trace_ns / 2;
	if (now_ns < r->rewalk_ns) {
		net_timer_set(r->timer, r->rewalk_ns - now_ns);
		return false;
	}
	for (size_t i = 0; i < r->n_traces; i++)
		n_running += r->traces[i].is_started && !r->traces[i].is_over;
	for (size_t i = 0; i < r->n_traces; i++) {
		struct reach_trace *t = &r->traces[i];

		if (!t->is_started && is_late && n_running > 0) {
			t->is_started = true;
			t->is_over = true;
		} else if (!t->is_started && n_running < n_most) {
			begin(r, t);
			n_running += !t->is_over;
		}
		is_all &= t->is_over;
	}
	if (is_all && with_ranges && rewalk(r, now_ns)) {
		net_timer_set(r->timer, REWALK_NS);
		return false;
	}
	return is_all;
}

void reach_traces_stop(struct reach *r)
{
	for (size_t i = 0; i < r->n_traces; i++)
		trace_free(r->traces[i].trace);
}
