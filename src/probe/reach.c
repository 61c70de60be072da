/* SPDX-License-Identifier: ISC */
/*
 * Design: one turn of the asker looks at everything and starts what may
 * start; whatever ends, wakes it. There are no phases to get stuck between:
 *
 *   WAITING -> RUNNING -> OVER
 *                    `-> DOUBTED -> RUNNING once more, or OVER
 *
 * waits for its name, for the first question at its port, and (a range) for
 * the round trip. Traces begin when all but the ranges is over, the ranges'
 * own when those are.
 *
 * Silence that is asked again costs its patience twice, and turns a lossy
 * line from a list of blocked ports into a remark. Where a transport is
 * silent as a whole, while the other one is heard at the same time, that is
 * no loss: nothing is asked again.
 */
#include "probe/reach.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "net/guard.h"
#include "net/loop.h"
#include "net/udp.h"
#include "probe/asks.h"
#include "probe/range.h"
#include "probe/registry.h"

enum {
	RANGE_WAIT_MS = 600,   /* for a round trip, and for who is there */
	RANGE_PATIENCES = 2,   /* a search takes its rounds */
	RANGE_AGAIN_MS = 3000, /* to be sure, after a pause or two */
	RTTS = 10,             /* that a question may take */
	EDGES_ENOUGH = 3,
	SHUT_ENOUGH = 8, /* silent questions, and none that is not */
	RANGE_KEPT = RANGE_SAMPLE_MIN + 4, /* the ends, and fresh flows */
	FLOWS_KEPT = 8 * TRACE_FLOWS_MAX,
};

static const struct ask_ops *const kinds[PLAN_KINDS] = {
	[PLAN_DNS] = &ask_dns,
	[PLAN_TCP] = &ask_tcp,
	[PLAN_TLS] = &ask_tls,
	[PLAN_HTTP] = &ask_http,
	[PLAN_SIP] = &ask_sip_options,
	[PLAN_STUN] = &ask_stun,
	[PLAN_TURN] = &ask_turn,
	[PLAN_XMPP] = &ask_xmpp,
	[PLAN_XMPP_BOSH] = &ask_xmpp_bosh,
	[PLAN_XMPP_WS] = &ask_xmpp_ws,
	[PLAN_NTP] = &ask_ntp,
	[PLAN_RANGE] = &ask_range,
	[PLAN_REGISTER] = &ask_sip_register,
	[PLAN_MTU] = &ask_mtu,
};

const struct ask_ops *reach_ops_of(const struct reach *r, enum plan_kind kind)
{
	return r->run->conf->kinds ? r->run->conf->kinds[kind] : kinds[kind];
}

void reach_wake(struct reach *r)
{
	net_timer_set(r->timer, 0);
}

bool reach_has_passed(const struct ask_result *res)
{
	return res->end == ASK_ANSWERED || res->end == ASK_OPEN;
}

bool reach_is_lost(const struct ask_result *res)
{
	return res->end == ASK_SILENT || res->end == ASK_CUT ||
	       res->end == ASK_REFUSED;
}

static const struct plan_question *question(const struct reach_ask *a)
{
	return plan_question(a->reach->plan, a->no);
}

static const struct plan_way *way_of(const struct reach_ask *a)
{
	return &question(a)->service->ways[a->way];
}

enum plan_kind reach_kind_of(const struct reach_ask *a)
{
	return way_of(a)->kind;
}

bool reach_is_range(const struct reach_ask *a)
{
	return way_of(a)->kind == PLAN_RANGE && a->target.port_last > 0 &&
	       a->target.port_last != a->target.addr.port;
}

bool reach_is_udp(const struct reach_ask *a)
{
	return question(a)->service->ways[0].via == ASK_UDP;
}

/* Whose protocol has room to say that it is an edge. */
static bool may_tell_edge(const struct reach_ask *a)
{
	enum plan_kind kind = way_of(a)->kind;

	return a->stage == REACH_OVER &&
	       a->result.layer == ASK_LAYER_PROTOCOL &&
	       (kind == PLAN_HTTP || kind == PLAN_SIP || kind == PLAN_XMPP ||
	        kind == PLAN_XMPP_BOSH || kind == PLAN_XMPP_WS);
}

bool reach_is_edge_at(const struct reach *r, const struct addr *at)
{
	unsigned n_edges = 0, n_others = 0;

	if (addr_ip_eq(at, &r->run->conf->edge))
		return true;
	for (size_t i = 0; i < r->n_asks; i++) {
		const struct reach_ask *a = r->asks[i];

		if (!may_tell_edge(a))
			continue;
		if (addr_ip_eq(&a->target.addr, at))
			return a->result.is_edge;
		n_edges += a->result.is_edge;
		n_others += !a->result.is_edge;
	}
	return n_others == 0 && n_edges >= EDGES_ENOUGH;
}

/* New flows in a second, of each range: all of a transport share a router. */
static unsigned range_pps(const struct reach *r, const struct reach_ask *a)
{
	unsigned per_s = plan_flows_per_s(&r->effort);
	unsigned n = 0;

	for (size_t i = 0; i < r->n_asks; i++)
		n += reach_is_range(r->asks[i]) &&
		     reach_is_udp(r->asks[i]) == reach_is_udp(a);
	return n ? (per_s + n - 1) / n : per_s;
}

static int64_t patience_of(const struct reach *r, const struct reach_ask *a)
{
	int64_t ns = a->n_asks ? r->effort.again_ns : r->effort.patience_ns;

	if (r->rtt_ns * RTTS > ns && r->effort.again_ns)
		ns = r->rtt_ns * RTTS;
	if (!reach_is_range(a))
		return ns;
	if (r->effort.is_full_range)
		return ((int64_t)a->target.port_last * NS_PER_S) /
		       range_pps(r, a) * RANGE_PATIENCES;
	ns *= RANGE_PATIENCES;
	return r->effort.again_ns ? ns + RANGE_AGAIN_MS * NS_PER_MS : ns;
}

static void set_conf(struct reach *r, struct reach_ask *a)
{
	bool is_range = reach_is_range(a);

	a->conf = (struct ask_conf){
		.patience_ns = patience_of(r, a),
		.rtt_ns = r->rtt_ns,
		.account = r->run->conf->account,
		.pin = r->has_pin ? r->pin : NULL,
		.flows_left = is_range ? &r->range_flows : &r->flows,
		.is_full_range = r->effort.is_full_range,
		.flows_per_s = r->effort.is_full_range ? range_pps(r, a) : 0,
		.board = is_range ? &r->board : NULL,
		.is_patient = r->effort.again_ns > 0,
		.has_edge = reach_is_edge_at(r, &a->target.addr),
	};
}

static void learn(struct reach *r, const struct reach_ask *a)
{
	int64_t rtt = a->result.rtt_ns;

	/* over plain HTTP an edge says which certificate is its own */
	if (a->result.is_edge)
		reach_pin_take(r,
		               val_get_text(&a->result.fields, "edge_sha256"));
	if (rtt > 0 && (r->rtt_ns == 0 || rtt < r->rtt_ns))
		r->rtt_ns = rtt;
}

/* What a firewall says, and not a stack that knows no way. */
static bool is_filter_code(const struct ask_result *res)
{
	static const uint8_t codes4[] = {3, 9, 10, 13}; /* RFC 1812, 5.2.7.1 */
	static const uint8_t codes6[] = {1, 4};         /* RFC 4443, 3.1 */
	bool is_4 = res->offender.family == ADDR_IP4;
	const uint8_t *codes = is_4 ? codes4 : codes6;
	size_t n = is_4 ? ARRAY_LEN(codes4) : ARRAY_LEN(codes6);

	for (size_t i = 0; i < n; i++) {
		if (codes[i] == res->icmp_code)
			return true;
	}
	return false;
}

bool reach_is_self(const struct addr *a, const struct addr *to)
{
	struct addr self;

	return a->family != ADDR_NONE && !addr_ip_eq(a, to) &&
	       net_source_for(&self, to) == 0 && addr_ip_eq(&self, a);
}

/* An ICMP error from this computer to itself: nothing has left it. */
static void own_up(struct ask_result *res, const struct addr *to)
{
	if (!reach_is_self(&res->offender, to))
		return;
	if (res->end == ASK_REFUSED)
		res->end = ASK_LOCAL;
	if (res->end == ASK_LOCAL && is_filter_code(res))
		res->error = EPERM;
}

static void settle(struct reach_ask *a, const struct ask_result *res)
{
	struct reach *r = a->reach;

	a->result = *res;
	own_up(&a->result, &a->target.addr);
	if (a->stage == REACH_RUNNING)
		r->n_running--;
	a->stage = REACH_OVER;
	r->n_over++;
	learn(r, a);
}

/* Another protocol may be spoken there than the one that was tried. */
static bool has_next_way(const struct reach_ask *a,
                         const struct ask_result *res)
{
	/* TLS that was begun is spoken there: what is wrong is a certificate */
	bool is_no_tls = res->end == ASK_BAD_TLS && res->layer < ASK_LAYER_TLS;

	return a->way + 1 < PLAN_WAYS && res->layer >= ASK_LAYER_CONNECT &&
	       (res->end == ASK_OTHER || res->end == ASK_CUT || is_no_tls ||
	        res->end == ASK_SILENT) &&
	       question(a)->service->ways[a->way + 1].kind != PLAN_NO_KIND;
}

static bool deserves_again(const struct reach_ask *a,
                           const struct ask_result *res)
{
	return a->n_asks == 1 && a->reach->effort.again_ns &&
	       !reach_is_range(a) && a->reach->flows > 0 &&
	       (res->end == ASK_SILENT || res->end == ASK_CUT);
}

static void doubt(struct reach_ask *a, const struct ask_result *res)
{
	a->result = *res;
	a->stage = REACH_DOUBTED;
	a->reach->n_running--;
}

static int put_question(struct reach_ask *a);

static void on_answer(void *arg, const struct ask_result *res)
{
	struct reach_ask *a = arg;
	struct ask_result last = *res;
	bool is_again = false;

	ask_free(a->ask);
	a->ask = NULL;
	if (a->way == 0)
		a->first = last;
	if (has_next_way(a, &last)) {
		a->way++;
		is_again = put_question(a) == 0;
		a->way -= !is_again;
	} else if (deserves_again(a, &last)) {
		a->way = 0;
		doubt(a, &last);
		is_again = true;
	}
	if (!is_again) {
		/* no way fits: the first says best what is there */
		if (a->way > 0 && !reach_has_passed(&last)) {
			a->way = 0;
			last = a->first;
		}
		a->is_lossy = a->n_asks > 1 && reach_has_passed(&last);
		settle(a, &last);
	}
	reach_wake(a->reach);
}

static int put_question(struct reach_ask *a)
{
	struct reach *r = a->reach;
	int err;

	if (r->effort.is_full_range && reach_is_range(a) &&
	    reach_is_table_met(r))
		return EDQUOT;
	a->target.via = way_of(a)->via;
	set_conf(r, a);
	err = ask_start(&a->ask, reach_ops_of(r, way_of(a)->kind), &a->target,
	                &a->conf, r->report, on_answer, a);
	if (!err && a->way == 0)
		a->n_asks++;
	return err;
}

static void begin(struct reach_ask *a)
{
	struct ask_result res = {
		.end = ASK_LOCAL, .fields = val_map(), .evidence = val_map()};
	int err;

	a->stage = REACH_RUNNING;
	a->reach->n_running++;
	a->reach->range_flows += a->kept;
	a->kept = 0;
	err = put_question(a);
	if (err) {
		res.error = err;
		settle(a, &res);
	}
}

/* What is known of a transport so far. */
struct tally {
	unsigned n_heard;  /* anything came back */
	unsigned n_silent; /* nothing did */
	unsigned n_first;  /* are being asked for the first time, or will be */
};

static struct tally count(const struct reach *r, bool is_udp)
{
	struct tally t = {0};

	for (size_t i = 0; i < r->n_asks; i++) {
		const struct reach_ask *a = r->asks[i];
		bool has_result = a->stage >= REACH_DOUBTED;

		if (reach_is_udp(a) != is_udp || a->is_inherited)
			continue;
		if (!has_result)
			t.n_first += a->n_asks < 2 && !reach_is_range(a) &&
			             question(a)->leader == PLAN_NONE;
		else if (a->result.end == ASK_SILENT &&
		         a->first.layer == ASK_LAYER_NONE)
			t.n_silent++;
		else
			t.n_heard += a->result.end != ASK_LOCAL &&
			             a->result.end != ASK_NO_MEANS;
	}
	return t;
}

/* @return whether the doubt is over */
static bool try_again(struct reach *r, struct reach_ask *a)
{
	struct tally own = count(r, reach_is_udp(a));
	struct tally other = count(r, !reach_is_udp(a));

	if (own.n_heard == 0 && other.n_heard > 0 &&
	    own.n_silent >= SHUT_ENOUGH) {
		settle(a, &a->result);
		return true;
	}
	/* who has not been asked to the end may show more */
	if (own.n_heard == 0 &&
	    (own.n_first > 0 || (other.n_heard == 0 && other.n_first > 0)))
		return false;
	if (r->n_running >= REACH_RUNNING_MAX)
		return false;
	a->stage = REACH_RUNNING;
	r->n_running++;
	if (put_question(a))
		settle(a, &a->result);
	return true;
}

/* What does not open for one, opens for none. */
static bool inherits(const struct reach_ask *leader)
{
	return !reach_has_passed(&leader->result) &&
	       leader->result.layer == ASK_LAYER_NONE &&
	       (leader->result.end == ASK_SILENT ||
	        leader->result.end == ASK_REFUSED ||
	        leader->result.end == ASK_LOCAL);
}

/* What would be asked besides goes by a way that is not spoken there. */
static bool is_moot(const struct reach_ask *a, const struct reach_ask *leader)
{
	return question(a)->is_extra && leader->way > 0 &&
	       question(leader)->service->ways[0].via == way_of(a)->via;
}

/* Every port by UDP first: how many flows a table keeps can be counted by
 * those that stay in it. */
static bool waits_for_udp(const struct reach *r, const struct reach_ask *a)
{
	for (size_t i = 0; r->effort.is_full_range && i < r->n_asks; i++) {
		const struct reach_ask *b = r->asks[i];

		if (!reach_is_udp(a) && reach_is_udp(b) && reach_is_range(b) &&
		    b->stage != REACH_OVER)
			return true;
	}
	return false;
}

static bool may_range_begin(const struct reach *r, const struct reach_ask *a,
                            int64_t now_ns)
{
	if (waits_for_udp(r, a))
		return false;
	if (now_ns - r->start_ns >= RANGE_WAIT_MS * NS_PER_MS)
		return true;
	if (r->rtt_ns == 0)
		return false;
	for (size_t i = 0; i < r->n_asks; i++) {
		const struct reach_ask *b = r->asks[i];

		if (addr_ip_eq(&a->target.addr, &b->target.addr) &&
		    !reach_is_range(b) && question(b)->leader == PLAN_NONE &&
		    b->stage != REACH_OVER)
			return false;
	}
	return true;
}

/* A certificate can only be judged when the edge's own is known. */
static bool waits_for_pin(const struct reach *r, const struct reach_ask *a)
{
	bool is_asked = r->pin_ask && !r->is_pin_doubtful;
	bool has_tls = false;

	for (size_t i = 0; is_asked && i < PLAN_WAYS; i++) {
		const struct plan_way *way = &question(a)->service->ways[i];

		has_tls |= way->kind == PLAN_XMPP || way->via == ASK_TLS ||
		           way->via == ASK_WSS;
	}
	return has_tls;
}

/* @return whether it was started or settled */
static bool try_begin(struct reach *r, struct reach_ask *a, int64_t now_ns)
{
	size_t leader = question(a)->leader;

	if (waits_for_pin(r, a) ||
	    (reach_is_range(a) && !may_range_begin(r, a, now_ns)))
		return false;
	if (leader != PLAN_NONE) {
		const struct reach_ask *l = r->asks[leader];

		if (l->stage != REACH_OVER)
			return false;
		if (inherits(l) || is_moot(a, l)) {
			a->is_inherited = true;
			settle(a, inherits(l) ? &l->result : &l->first);
			return true;
		}
	}
	if (r->n_running >= REACH_RUNNING_MAX)
		return false;
	begin(a);
	return true;
}

/* A range that begins late finds the flows for a sample. */
static void keep_flows(struct reach *r, struct reach_ask *a)
{
	if (!reach_is_range(a))
		return;
	a->kept = r->range_flows < RANGE_KEPT ? r->range_flows : RANGE_KEPT;
	r->range_flows -= a->kept;
}

/* The plan has grown: names were resolved. */
static int take_questions(struct reach *r)
{
	size_t n = plan_n_questions(r->plan);

	if (n > r->cap_asks) {
		size_t cap = n + n / 2;
		struct reach_ask **more =
			realloc(r->asks, cap * sizeof(struct reach_ask *));

		if (!more)
			return ENOMEM;
		r->asks = more;
		r->cap_asks = cap;
	}
	while (r->n_asks < n) {
		const struct plan_question *q =
			plan_question(r->plan, r->n_asks);
		struct reach_ask *a = calloc(1, sizeof(*a));

		if (!a)
			return ENOMEM;
		a->reach = r;
		a->no = r->n_asks;
		a->trace = PLAN_NONE;
		a->target = (struct ask_target){q->host, q->addr, q->last,
		                                q->service->ways[0].via};
		r->asks[r->n_asks++] = a;
		keep_flows(r, a);
	}
	return 0;
}

/* Is a flow that is as new as the silent ones still answered? */
static void on_control(void *arg, const struct ask_result *res)
{
	struct reach_control *c = arg;

	if (res->end == ASK_LOCAL) /* nothing was asked, so nothing is known */
		c->of = NULL;
	c->has_passed = reach_has_passed(res) || res->layer > ASK_LAYER_NONE;
	c->is_over = true;
	ask_free(c->ask);
	c->ask = NULL;
	reach_wake(c->reach);
}

static bool has_silence(const struct reach *r, bool is_udp)
{
	for (size_t i = 0; i < r->n_asks; i++) {
		const struct reach_ask *a = r->asks[i];

		if (a->stage == REACH_OVER && a->result.end == ASK_SILENT &&
		    reach_is_udp(a) == is_udp)
			return true;
	}
	return false;
}

static void begin_control(struct reach *r, struct reach_control *c, bool is_udp)
{
	c->reach = r;
	c->is_over = true;
	if (!has_silence(r, is_udp))
		return;
	for (size_t i = 0; i < r->n_asks && !c->ask; i++) {
		struct reach_ask *a = r->asks[i];

		if (a->stage != REACH_OVER || !reach_has_passed(&a->result) ||
		    reach_is_udp(a) != is_udp || reach_is_range(a))
			continue;
		c->conf = a->conf;
		if (ask_start(&c->ask, reach_ops_of(r, way_of(a)->kind),
		              &a->target, &c->conf, r->report, on_control, c))
			return;
		c->of = a;
		c->is_over = false;
	}
}

static void begin_controls(struct reach *r)
{

	begin_control(r, &r->controls[0], true);
	begin_control(r, &r->controls[1], false);
}

static bool is_all_over(const struct reach *r, bool with_ranges)
{
	for (size_t i = 0; i < r->n_asks; i++) {
		const struct reach_ask *a = r->asks[i];

		if (a->stage != REACH_OVER &&
		    (with_ranges || !reach_is_range(a)))
			return false;
	}
	return true;
}

static void tell(struct reach *r, const char *step, int64_t now_ns)
{
	struct plan_cost most;
	struct probe_step s = {.text = step, .n_done = (unsigned)r->n_over};

	plan_costs(NULL, &most, r->plan, &r->effort);
	s.n_all = most.n_questions;
	s.left_ns = r->start_ns + most.time_ns - now_ns;
	if (s.left_ns < 0)
		s.left_ns = 0;
	probe_progress_step(r->run, &s);
}

static void finish(struct reach *r, int err)
{
	if (r->is_over)
		return;
	r->is_over = true;
	probe_done(r->run, err);
}

/* @return the number of questions that were started */
static unsigned begin_some(struct reach *r, int64_t now_ns)
{
	unsigned n = 0;

	for (size_t i = 0; i < r->n_asks && n < REACH_BURST; i++) {
		struct reach_ask *a = r->asks[i];

		if (a->stage == REACH_WAITING)
			n += try_begin(r, a, now_ns);
		else if (a->stage == REACH_DOUBTED)
			n += try_again(r, a);
	}
	return n;
}

/* What nobody needs any more helps the ranges to their exact edges: where all
 * else has passed, only they will be followed. */
static void spare_flows(struct reach *r)
{
	if (r->effort.is_full_range || r->flows <= FLOWS_KEPT)
		return;
	for (size_t i = 0; i < r->n_asks; i++) {
		const struct reach_ask *a = r->asks[i];

		if (!reach_is_range(a) && reach_is_lost(&a->result))
			return;
	}
	r->range_flows += r->flows - FLOWS_KEPT;
	r->flows = FLOWS_KEPT;
}

/* Before an edge is known to be there, what is closed seems to be so by the
 * server, and of silence nothing can be told; an edge closes nothing, and would
 * have answered. */
static void take_edge(struct reach_ask *a)
{
	struct ask_result *res = &a->result;

	if (a->stage != REACH_OVER ||
	    !reach_is_edge_at(a->reach, &a->target.addr))
		return;
	if (res->end == ASK_NO_MEANS)
		res->end = ASK_SILENT;
	if (reach_is_range(a) && res->end == ASK_OPEN &&
	    val_get_int(&res->fields, "closed", 0) != 0) {
		res->end = ASK_REFUSED;
		res->error = ECONNREFUSED;
	}
}

static bool follow(struct reach *r, bool is_all)
{
	for (size_t i = 0; i < r->n_asks; i++)
		take_edge(r->asks[i]);
	if (!r->is_tracing) {
		r->is_tracing = true;
		begin_controls(r);
		spare_flows(r);
	}
	return reach_traces_go(r, is_all) && r->controls[0].is_over &&
	       r->controls[1].is_over;
}

/* Until something may begin that nothing wakes. */
static int64_t wait_ns(const struct reach *r, int64_t now_ns)
{
	int64_t due_ns = reach_pin_due_ns(r);

	return due_ns > now_ns ? due_ns - now_ns : RANGE_WAIT_MS * NS_PER_MS;
}

static void on_timer(void *arg)
{
	struct reach *r = arg;
	int64_t now_ns = clock_mono_ns();
	bool has_names, is_all;
	unsigned n;
	int err;

	if (r->is_over)
		return;
	reach_pin_doubt(r, now_ns);
	has_names = reach_services_go(r);
	has_names &= reach_names_go(r);
	err = take_questions(r);
	if (err) {
		finish(r, err);
		return;
	}
	n = begin_some(r, now_ns);
	is_all = has_names && is_all_over(r, true) && reach_looks_over(r);
	tell(r,
	     is_all ? N_("following what fails") : N_("asking every service"),
	     now_ns);
	if (has_names && is_all_over(r, false) && follow(r, is_all) && is_all &&
	    reach_here_go(r))
		finish(r, 0);
	else if (n == REACH_BURST)
		net_timer_set(r->timer, REACH_TURN_MS * NS_PER_MS);
	else if (!is_all)
		net_timer_set(r->timer, wait_ns(r, now_ns));
}

static void stop(void *state)
{
	struct reach *r = state;

	reach_names_stop(r);
	reach_services_stop(r);
	reach_traces_stop(r);
	reach_here_stop(r);
	ask_free(r->pin_ask);
	for (size_t i = 0; i < REACH_CONTROLS; i++)
		ask_free(r->controls[i].ask);
	for (size_t i = 0; i < r->n_asks; i++) {
		ask_free(r->asks[i]->ask);
		free(r->asks[i]);
	}
	free(r->asks);
	net_timer_free(r->timer);
}

static int start(void *state, struct probe_run *run)
{
	struct reach *r = state;
	int err;

	r->run = run;
	r->report = run->report;
	r->plan = run->conf->plan;
	r->effort = run->conf->effort;
	r->start_ns = clock_mono_ns();
	r->range_flows = r->effort.flows / 100 * PLAN_RANGE_SHARE;
	r->flows = r->effort.flows - r->range_flows;
	if (r->effort.is_full_range)
		r->range_flows = UINT_MAX;
	err = reach_names_start(r);
	if (!err)
		err = reach_services_start(r);
	if (!err)
		err = net_timer_alloc(&r->timer, on_timer, r);
	if (!err)
		err = reach_here_start(r);
	if (!err)
		err = reach_pin_find(r);
	if (err)
		stop(r);
	else
		reach_wake(r);
	return err;
}

static void report(void *state)
{
	struct reach *r = state;

	r->is_cut = !r->is_over;
	reach_facts(r);
}

const struct probe_ops probe_reach = {
	.name = "reach",
	.summary = N_("Does every service of the profile answer?"),
	.needs = PROBE_NEEDS_PLAN,
	.state_bytes = sizeof(struct reach),
	.start = start,
	.report = report,
	.stop = stop,
};
