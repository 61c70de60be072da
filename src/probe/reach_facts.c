/* SPDX-License-Identifier: ISC */
/*
 * Design: three layers of facts. What a question saw is told once, by a fact
 * of the question's kind, with all that it learned; a flow's fact only says
 * how the flow fares, and points to those; where a failing flow dies is a
 * fact of the trace. So 199 flows through one question cost 199 short facts,
 * and who reads one flow finds everything about it.
 */
#include "probe/reach.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"

enum {
	PORT_TEXT_BYTES = sizeof("65535-65535/UDP"),
};

struct answer {
	const struct reach_ask *ask;
	struct fact *fact; /* of the question */
};

struct val *reach_put(struct reach *r, struct val *into, const char *key,
                      struct val v)
{
	return val_put(&r->report->arena, &r->report->no_memory, into, key, v);
}

void reach_field(struct reach *r, struct fact *f, const char *key, struct val v)
{
	(void)fact_field(r->report, f, key, v);
}

void reach_field_text(struct reach *r, struct fact *f, const char *key,
                      const char *text)
{
	if (text)
		reach_field(r, f, key,
		            val_text(report_text(r->report, slice_str(text))));
}

static void field_addr(struct reach *r, struct fact *f, const char *key,
                       const struct addr *a)
{
	char buf[ADDR_TEXT_BYTES];

	if (a->family != ADDR_NONE)
		reach_field_text(r, f, key, addr_ip_text(a, buf));
}

static void field_ms(struct reach *r, struct fact *f, const char *key,
                     int64_t ns)
{
	if (ns > 0)
		reach_field(r, f, key,
		            val_real((double)ns / (double)NS_PER_MS));
}

/* Judgement */

static const struct plan_question *question(const struct reach_ask *a)
{
	return plan_question(a->reach->plan, a->no);
}

static bool is_doubtful(const struct reach_ask *a)
{
	return question(a)->service->flags & PLAN_DOUBTFUL &&
	       !reach_is_edge_at(a->reach, &a->target.addr);
}

/* By UDP an edge says seldom that it answers no more. */
static bool is_limited_at(const struct reach *r, const struct addr *at)
{
	for (size_t i = 0; i < r->n_asks; i++) {
		if (r->asks[i]->result.end == ASK_LIMITED &&
		    r->asks[i]->target.via == ASK_UDP)
			return reach_is_edge_at(r, at);
	}
	return false;
}

static enum ask_end end_of(const struct reach_ask *a)
{
	if (a->result.end == ASK_SILENT && a->target.via == ASK_UDP &&
	    is_limited_at(a->reach, &a->target.addr))
		return ASK_LIMITED;
	return a->result.end;
}

static bool is_refused_by_target(const struct reach_ask *a)
{
	return a->result.end == ASK_REFUSED &&
	       addr_ip_eq(&a->result.offender, &a->target.addr);
}

static bool is_numeric(const char *host)
{
	struct addr unused;

	return addr_parse(&unused, slice_str(host)) == 0;
}

/* A host that a document names by number has no name to be certified. */
static bool is_only_nameless(const struct reach_ask *a)
{
	const struct val *cert = val_get(&a->result.fields, "certificate");
	const struct val *faults = cert ? val_get(cert, "faults") : NULL;

	return a->result.end == ASK_BAD_TLS && is_numeric(a->target.host) &&
	       faults && faults->kind == VAL_LIST && faults->items.n == 1 &&
	       faults->items.first->v.kind == VAL_TEXT &&
	       slice_eq_str(faults->items.first->v.s, "name");
}

/* Not known when it was asked: the certificate is the edge's own. */
static bool is_own_of_edge(const struct reach_ask *a)
{
	const struct reach *r = a->reach;
	const struct val *cert = val_get(&a->result.fields, "certificate");
	uint8_t sha256[REACH_PIN_BYTES];
	struct wr w = wr_init(sha256, sizeof(sha256));

	return r->has_pin && cert && a->result.end == ASK_BAD_TLS &&
	       text_hex_read(&w, val_get_text(cert, "sha256")) == 0 &&
	       w.n == sizeof(sha256) &&
	       memcmp(sha256, r->pin, sizeof(sha256)) == 0;
}

static bool is_fine(const struct reach_ask *a)
{
	return is_only_nameless(a) || is_own_of_edge(a);
}

/* No new flow was answered any more, though the port had been. */
static bool is_starved(const struct reach *r, bool is_udp)
{
	const struct reach_control *c = &r->controls[is_udp ? 0 : 1];

	return c->of && c->is_over && !c->has_passed;
}

static enum fact_state state_of(const struct reach_ask *a)
{
	const struct ask_result *res = &a->result;

	if (a->stage != REACH_OVER)
		return FACT_UNKNOWN;
	if (reach_has_passed(res))
		return a->is_lossy ? FACT_WARN : FACT_PASS;
	if (is_fine(a))
		return FACT_PASS;
	if (is_doubtful(a))
		return is_refused_by_target(a)  ? FACT_PASS
		       : res->end == ASK_SILENT ? FACT_UNKNOWN
		                                : FACT_FAIL;
	if (end_of(a) == ASK_NO_MEANS || end_of(a) == ASK_LIMITED ||
	    res->error == EDQUOT)
		return FACT_UNKNOWN;
	if (end_of(a) == ASK_SILENT &&
	    is_starved(a->reach, a->target.via == ASK_UDP))
		return FACT_UNKNOWN;
	return FACT_FAIL;
}

static const char *result_of(const struct reach_ask *a)
{
	if (a->stage != REACH_OVER)
		return "unfinished";
	if (is_doubtful(a) && a->result.end == ASK_SILENT)
		return ask_end_name(ASK_NO_MEANS);
	if (is_fine(a))
		return ask_end_name(ASK_ANSWERED);
	return ask_end_name(end_of(a));
}

static struct words why_of(const struct reach_ask *a)
{
	struct words ws = {.msgid = NULL};

	if (a->stage != REACH_OVER)
		ws.msgid = N_("the test was ended before it answered");
	else if (a->result.error == EDQUOT)
		ws.msgid = N_("this run may open no more connections, lest it "
		              "fill the table of a small router");
	else if (end_of(a) == ASK_LIMITED)
		ws.msgid =
			N_("the edge answers this address no more at present");
	else if (is_starved(a->reach, a->target.via == ASK_UDP))
		ws.msgid = N_("no new connection was answered any more, not "
		              "even at ports that had answered before");
	else
		ws.msgid = N_("nothing answers there, and without an edge "
		              "nobody can tell closed from blocked");
	return ws;
}

/* "5060/UDP", "10000-65535/TCP" */
static const char *port_text(struct reach *r, uint16_t first, uint16_t last,
                             bool is_udp)
{
	const char *transport = is_udp ? "UDP" : "TCP";

	if (first == last)
		return report_fmt(r->report, "%u/%s", first, transport);
	return report_fmt(r->report, "%u-%u/%s", first, last, transport);
}

static struct words summary_of(const struct reach_ask *a)
{
	return reach_summary(a->result.is_dropped_here ? "dropped-here"
	                                               : result_of(a));
}

/* Questions */

static const char *fact_id_of(enum plan_kind kind)
{
	static const char *const ids[PLAN_KINDS] = {
		[PLAN_DNS] = "dns.answer",
		[PLAN_TCP] = "tcp.opened",
		[PLAN_TLS] = "tls.opened",
		[PLAN_HTTP] = "http.answer",
		[PLAN_SIP] = "sip.answer",
		[PLAN_STUN] = "stun.answer",
		[PLAN_TURN] = "turn.answer",
		[PLAN_XMPP] = "xmpp.answer",
		[PLAN_XMPP_BOSH] = "xmpp.answer",
		[PLAN_XMPP_WS] = "xmpp.answer",
		[PLAN_NTP] = "ntp.answer",
		[PLAN_RANGE] = "range.ports",
		[PLAN_REGISTER] = "sip.registered",
		[PLAN_MTU] = "path.mtu",
	};

	return ids[kind];
}

static void put_result(struct reach *r, struct fact *f,
                       const struct reach_ask *a)
{
	const struct ask_result *res = &a->result;

	reach_field(r, f, "result", val_text(result_of(a)));
	if (a->stage != REACH_OVER)
		return;
	reach_field(r, f, "layer", val_text(ask_layer_name(res->layer)));
	reach_field(r, f, "is_edge", val_bool(res->is_edge));
	field_ms(r, f, "rtt_ms", res->rtt_ns);
	if (a->is_lossy)
		reach_field(r, f, "is_lossy", val_bool(true));
	if (res->error)
		reach_field_text(r, f, "error", strerrorname_np(res->error));
	if (res->is_dropped_here)
		reach_field(r, f, "is_dropped_here", val_bool(true));
	if (res->offender.family != ADDR_NONE) {
		field_addr(r, f, "offender", &res->offender);
		reach_field(r, f, "icmp_type", val_int(res->icmp_type));
		reach_field(r, f, "icmp_code", val_int(res->icmp_code));
	}
}

static void put_certificate(struct reach *r, const struct reach_ask *a,
                            const char *scope)
{
	const struct val *cert = val_get(&a->result.fields, "certificate");
	const struct val *faults = cert ? val_get(cert, "faults") : NULL;
	const struct val *pinned = cert ? val_get(cert, "is_pinned") : NULL;
	/* the edge's own is good even where its answer got lost */
	bool is_good = !faults || faults->kind != VAL_LIST ||
	               faults->items.n == 0 || is_fine(a) ||
	               (pinned && pinned->kind == VAL_BOOL && pinned->b);
	struct slice names[2];
	struct fact *f;

	if (!cert || cert->kind != VAL_MAP)
		return;
	f = report_fact(r->report, "tls.certificate",
	                is_good || reach_has_passed(&a->result) ? FACT_PASS
	                                                        : FACT_FAIL,
	                scope);
	reach_field_text(r, f, "host", a->target.host);
	reach_field(r, f, "dst_port", val_int(a->target.addr.port));
	reach_field(r, f, "is_edge", val_bool(a->result.is_edge));
	names[0] = val_get_text(cert, "issuer");
	names[1] = val_get_text(cert, "root");
	if (!a->result.is_edge && plan_is_other_issuer(r->plan, a->target.host,
	                                               names, ARRAY_LEN(names)))
		reach_field(r, f, "is_other_issuer", val_bool(true));
	for (const struct val_item *it = cert->items.first; it; it = it->next)
		reach_field(r, f,
		            strcmp(it->key, "why") == 0 ? "fault" : it->key,
		            it->v);
	f->summary = (struct words){
		is_good ? N_("%1$s shows a good certificate for %2$s")
			: N_("%1$s shows a certificate that is not good for "
	                     "%2$s"),
		{f->scope, report_text(r->report, slice_str(a->target.host))}};
}

static struct fact *put_question(struct reach *r, const struct reach_ask *a)
{
	const struct plan_question *q = question(a);
	const struct plan_way *way = &q->service->ways[a->way];
	char buf[ADDR_TEXT_BYTES];
	const char *scope =
		report_fmt(r->report, "%s/%s", ask_via_name(way->via),
	                   addr_text(&a->target.addr, buf));
	struct fact *f = report_fact(r->report, fact_id_of(way->kind),
	                             state_of(a), scope);
	const struct fact *near = reach_near_of(r, a);

	reach_field(r, f, "protocol", val_text(plan_kind_name(way->kind)));
	reach_field(r, f, "via", val_text(ask_via_name(way->via)));
	reach_field_text(r, f, "host", a->target.host);
	field_addr(r, f, "address", &a->target.addr);
	reach_field(r, f, "dst_port", val_int(a->target.addr.port));
	if (q->last != a->target.addr.port)
		reach_field(r, f, "port_last", val_int(q->last));
	put_result(r, f, a);
	reach_field(r, f, "n_sent", val_int(a->result.n_sent));
	if (a->is_inherited)
		reach_field(r, f, "is_inherited", val_bool(true));
	if (q->is_extra)
		reach_field(r, f, "is_extra", val_bool(true));
	if (near)
		reach_field(r, f, "accepted", val_int((int64_t)near->index));
	f->summary = summary_of(a);
	f->summary.args[0] =
		port_text(r, a->target.addr.port, q->last, way->via == ASK_UDP);
	f->summary.args[1] = report_text(r->report, slice_str(q->host));
	f->summary.args[2] = plan_kind_name(way->kind);
	if (f->state == FACT_UNKNOWN)
		f->why = why_of(a);
	if (a->stage != REACH_OVER || a->is_inherited)
		return f;
	reach_field(r, f, "detail", a->result.fields);
	f->evidence = a->result.evidence;
	put_certificate(r, a, scope);
	return f;
}

/* Traces */

/* Which router has that address, as far as any trace has met it. */
static unsigned hop_of(const struct reach *r, const struct addr *at)
{
	for (size_t i = 0; i < r->n_traces; i++) {
		const struct trace_result *res = &r->traces[i].result;

		for (unsigned h = 1; r->traces[i].is_over && h <= HOP_MAX;
		     h++) {
			if (addr_ip_eq(&res->flow.hops[h].addr, at) ||
			    addr_ip_eq(&res->control.hops[h].addr, at))
				return h;
		}
	}
	return 0;
}

static const struct addr *refuser_of(const struct reach *r,
                                     const struct reach_trace *t)
{
	if (t->result.where.basis == WHERE_REFUSAL)
		return &t->result.where.box;
	return &r->asks[t->ask]->result.offender;
}

static bool is_hop_known(const struct trace_result *res, unsigned hop)
{
	return res->flow.hops[hop].addr.family != ADDR_NONE ||
	       res->control.hops[hop].addr.family != ADDR_NONE;
}

static bool is_hop_met(const struct reach *r, unsigned hop)
{
	for (size_t i = 0; i < r->n_traces; i++) {
		if (r->traces[i].is_over &&
		    is_hop_known(&r->traces[i].result, hop))
			return true;
	}
	return false;
}

static unsigned n_hops_met(const struct reach *r)
{
	unsigned n = 0;

	for (size_t i = 0; i < r->n_traces; i++) {
		unsigned hops = r->traces[i].result.where.n_hops;

		n = r->traces[i].is_over && hops > n ? hops : n;
	}
	return n;
}

/* The hop of a box that refuses. One that never says its address otherwise,
 * being busy with refusals, can only be the one that is missing between those
 * that did. */
static unsigned hop_of_refuser(const struct reach *r, const struct addr *box)
{
	unsigned hop = hop_of(r, box), n_hops = n_hops_met(r);

	for (unsigned h = 1; hop_of(r, box) == 0 && h <= n_hops; h++) {
		if (is_hop_met(r, h))
			continue;
		if (hop)
			return 0;
		hop = h;
	}
	return hop;
}

/* The question itself was refused by somebody who gave his name; the trace's
 * own packets may have met a limit of refusals, so that the hop at which it
 * heard one is not the hop of the box. */
static void take_refusal(struct reach *r, struct reach_trace *t)
{
	const struct ask_result *res = &r->asks[t->ask]->result;
	const struct addr *box = refuser_of(r, t);
	struct where *w = &t->result.where;
	unsigned hop;

	if (box->family == ADDR_NONE)
		return;
	if (reach_is_self(box, &r->asks[t->ask]->target.addr)) {
		*w = (struct where){.basis = WHERE_LOCAL,
		                    .is_exact = true,
		                    .segment = SEGMENT_DEVICE};
		return;
	}
	hop = hop_of_refuser(r, box);
	if (w->basis != WHERE_REFUSAL) {
		w->icmp_type = res->icmp_type;
		w->icmp_code = res->icmp_code;
	}
	w->basis = WHERE_REFUSAL;
	w->box = *box;
	w->may_be_way_back = false;
	w->who = WHERE_MIDDLEBOX;
	if (addr_ip_eq(box, &r->asks[t->ask]->target.addr)) {
		w->who = WHERE_SERVER;
		return;
	}
	w->is_exact = hop > 0;
	w->hop_min = hop;
	w->hop_max = hop > 0 ? hop : w->n_hops;
	w->segment =
		hop > 0 ? where_segment(hop, box, w->n_hops) : SEGMENT_UNKNOWN;
}

static struct fact *put_trace(struct reach *r, struct reach_trace *t)
{
	const struct reach_ask *a = r->asks[t->ask];
	char buf[ADDR_TEXT_BYTES];
	struct val map;
	struct fact *f;

	if (!t->is_over)
		return NULL;
	reach_trace_judge(r, t);
	take_refusal(r, t);
	if (t->result.where.basis == WHERE_NO_BASIS)
		return NULL;
	f = report_fact(r->report, "path.stops", FACT_FAIL,
	                report_fmt(r->report, "%s/%s",
	                           reach_is_udp(a) ? "udp" : "tcp",
	                           addr_text(&a->target.addr, buf)));
	map = trace_val(&r->report->arena, &r->report->no_memory, &t->result);
	for (const struct val_item *it = map.items.first; it; it = it->next)
		reach_field(r, f, it->key, it->v);
	f->summary = (struct words){N_("where what is sent to %1$s ends"),
	                            {f->scope}};
	return f;
}

/* The trace of the question, or of one that failed alike: at the same host,
 * or else anywhere. */
static const struct fact *stop_of(const struct reach *r,
                                  const struct reach_ask *a,
                                  struct fact *const *stops)
{
	if (a->trace != PLAN_NONE && stops[a->trace])
		return stops[a->trace];
	for (int is_same_host = 1; is_same_host >= 0; is_same_host--) {
		for (size_t i = 0; i < r->n_traces; i++) {
			if (stops[i] &&
			    reach_is_alike(r->asks[r->traces[i].ask], a,
			                   is_same_host))
				return stops[i];
		}
	}
	return NULL;
}

static void put_stop(struct reach *r, struct fact *f, const struct reach_ask *a,
                     struct fact *const *stops)
{
	static const char *const keys[] = {"hop_min", "hop_max", "segment",
	                                   "who"};
	const struct fact *stop = stop_of(r, a, stops);

	if (f->state != FACT_FAIL || !stop)
		return;
	reach_field(r, f, "stops", val_int((int64_t)stop->index));
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const struct val *v = val_get(&stop->fields, keys[i]);

		if (v)
			reach_field(r, f, keys[i], *v);
	}
}

/* Flows */

/* Of several addresses the first that fails speaks for the flow. */
static const struct answer *speaker(const struct plan_flow *pf,
                                    const struct answer *answers,
                                    bool *is_mixed)
{
	const struct answer *passing = NULL, *failing = NULL;

	for (size_t i = 0; i < pf->n_questions; i++) {
		const struct answer *an = &answers[pf->questions[i]];
		enum fact_state s = an->fact->state;

		if (s == FACT_PASS || s == FACT_WARN)
			passing = passing ? passing : an;
		else if (!failing ||
		         (s == FACT_FAIL && failing->fact->state != FACT_FAIL))
			failing = an;
	}
	*is_mixed = passing && failing && failing->fact->state == FACT_FAIL;
	return !passing || *is_mixed ? failing : passing;
}

static void put_flow_head(struct reach *r, struct fact *f,
                          const struct plan_flow *pf,
                          const struct profile_ports *ports)
{
	const struct profile_row *row = pf->flow.row;

	reach_field(r, f, "table",
	            val_text(report_text(r->report, slice_str(row->table))));
	reach_field(r, f, "row", val_int(row->row));
	reach_field_text(r, f, "host", row->host);
	reach_field(r, f, "transport",
	            val_text(profile_transport_name(pf->flow.transport)));
	reach_field(r, f, "dst_port", val_int(ports->first));
	if (ports->last != ports->first)
		reach_field(r, f, "port_last", val_int(ports->last));
	reach_field(r, f, "class", val_text(profile_class_name(row->cls)));
	reach_field_text(r, f, "service", row->service);
	reach_field_text(r, f, "description", row->description);
	f->summary.args[0] = port_text(r, ports->first, ports->last,
	                               pf->flow.transport == PROFILE_UDP);
	f->summary.args[1] = report_text(r->report, slice_str(row->host));
	f->summary.args[2] =
		report_text(r->report, slice_str(row->description));
}

static void put_flow(struct reach *r, const struct plan_flow *pf,
                     const struct answer *answers, struct fact *const *stops)
{
	struct fact *f =
		report_fact(r->report, "flow.reached", FACT_PASS, pf->scope);
	struct profile_ports ports = pf->flow.ports;
	const struct answer *an = NULL;
	bool is_mixed = false;
	struct val *asked;

	if (pf->skip == PLAN_ASKED)
		an = speaker(pf, answers, &is_mixed);
	/* a service's port is its record's, whatever the row says */
	if (an && pf->service != PLAN_NONE)
		ports.first = ports.last = an->ask->target.addr.port;
	put_flow_head(r, f, pf, &ports);
	if (!an) {
		reach_put_skipped(r, f, pf);
		return;
	}
	f->state = an->fact->state;
	field_addr(r, f, "address", &an->ask->target.addr);
	reach_field_text(r, f, "target",
	                 reach_target_at(r, pf, &an->ask->target.addr));
	reach_field(
		r, f, "protocol",
		val_text(plan_kind_name(
			question(an->ask)->service->ways[an->ask->way].kind)));
	put_result(r, f, an->ask);
	f->summary.msgid = summary_of(an->ask).msgid;
	f->why = an->fact->why;
	put_stop(r, f, an->ask, stops);
	if (is_mixed) {
		f->state = FACT_WARN;
		reach_field(r, f, "is_mixed", val_bool(true));
	}
	asked = fact_field(r->report, f, "asked", val_list());
	for (size_t i = 0; i < pf->n_questions; i++) {
		const struct fact *q = answers[pf->questions[i]].fact;

		(void)reach_put(r, asked, NULL, val_int((int64_t)q->index));
	}
	r->report->is_tested |= f->state != FACT_UNKNOWN;
}

/* The whole */

bool reach_is_table_met(const struct reach *r)
{
	for (size_t i = 0; i < r->n_asks; i++) {
		if (val_get(&r->asks[i]->result.fields, "table_limit"))
			return true;
	}
	return false;
}

static bool is_limit_met(const struct reach *r)
{
	return reach_is_table_met(r) || is_starved(r, true) ||
	       is_starved(r, false);
}

/* All questions fill the same table. */
struct flows_passed {
	int64_t n_kept; /* with the fresh ones of a range that met the limit */
	int64_t n_closed; /* connections, of which some tables keep an entry */
};

static struct flows_passed flows_passed(const struct reach *r)
{
	struct flows_passed n = {0};

	for (size_t i = 0; i < r->n_asks; i++) {
		const struct reach_ask *a = r->asks[i];
		const struct val *f = &a->result.fields;
		int64_t passed = reach_has_passed(&a->result);

		if (a->stage != REACH_OVER || a->is_inherited)
			continue;
		if (reach_is_range(a))
			passed = val_get_int(f, "table_limit",
			                     val_get_int(f, "passed", 0));
		if (reach_is_udp(a))
			n.n_kept += passed;
		else
			n.n_closed += passed;
	}
	/* a sample is soon over: they are in the table yet */
	if (!r->effort.is_full_range) {
		n.n_kept += n.n_closed;
		n.n_closed = 0;
	}
	return n;
}

static int64_t n_going_on(const struct reach *r)
{
	int64_t n = 0;

	for (size_t i = 0; i < r->n_asks; i++)
		n += val_get(&r->asks[i]->result.fields, "goes_on") != NULL;
	return n;
}

static void put_table_limit(struct reach *r)
{
	bool is_met = is_limit_met(r);
	struct flows_passed passed = flows_passed(r);
	struct fact *f;

	if (!is_met)
		return;
	f = report_fact(r->report, "nat.table", FACT_FAIL, NULL);
	reach_field(r, f, "result", val_text("full"));
	reach_field(r, f, "going_on", val_int(n_going_on(r)));
	if (passed.n_closed)
		reach_field(r, f, "closed", val_int(passed.n_closed));
	if (passed.n_kept)
		f->value = val_int(passed.n_kept);
	f->unit = "count";
	f->summary.msgid =
		N_("no new connection was answered any more, not even at "
	           "ports that had answered before");
}

static void put_cost(struct reach *r)
{
	struct plan_cost open, most;
	struct val *map = reach_put(r, &r->report->run, "plan", val_map());

	if (r->here.late_ns >= REACH_LATE_NS)
		(void)reach_put(r, &r->report->run, "late_ms",
		                val_int(r->here.late_ns / NS_PER_MS));
	plan_costs(&open, &most, r->plan, &r->effort);
	(void)reach_put(r, map, "questions", val_int(open.n_questions));
	(void)reach_put(r, map, "flows",
	                val_int((int64_t)plan_n_flows(r->plan)));
	(void)reach_put(r, map, "packets", val_int(open.n_packets));
	(void)reach_put(r, map, "packets_most", val_int(most.n_packets));
	(void)reach_put(r, map, "bytes", val_int((int64_t)open.n_bytes));
	(void)reach_put(r, map, "bytes_most", val_int((int64_t)most.n_bytes));
	(void)reach_put(r, map, "seconds_most",
	                val_int((most.time_ns + NS_PER_S - 1) / NS_PER_S));
	(void)reach_put(r, map, "took_ms",
	                val_int((clock_mono_ns() - r->start_ns) / NS_PER_MS));
}

void reach_facts(struct reach *r)
{
	struct fact *stops[REACH_TRACES_MAX] = {NULL};
	struct answer *answers = arena_alloc(
		&r->report->arena, (r->n_asks + 1) * sizeof(*answers));

	if (!answers) {
		r->report->no_memory = true;
		return;
	}
	put_cost(r);
	for (size_t i = 0; i < plan_n_srvs(r->plan); i++)
		reach_put_service(r, i);
	for (size_t i = 0; i < plan_n_names(r->plan); i++)
		reach_put_name(r, i);
	for (size_t i = 0; i < r->n_traces; i++)
		stops[i] = put_trace(r, &r->traces[i]);
	reach_put_near(r);
	for (size_t i = 0; i < r->n_asks; i++)
		answers[i] = (struct answer){r->asks[i],
		                             put_question(r, r->asks[i])};
	put_table_limit(r);
	for (size_t i = 0; i < plan_n_flows(r->plan); i++)
		put_flow(r, plan_flow(r->plan, i), answers, stops);
}
