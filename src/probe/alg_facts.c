/* SPDX-License-Identifier: ISC */
/*
 * Design: everything is told after the last step, from the notes that the
 * steps have made, so that a run that was broken off tells what it knows in
 * the same way.
 */
#include "probe/alg.h"

#include <errno.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "sip/msg.h"

/* Headers only: the body is a mirror that carries the time of arrival. */
static struct slice head_of(struct slice message)
{
	struct sip_msg m;

	sip_msg_read(&m, message);
	return slice_sub(message, 0, message.n - m.body.n);
}

/* A mirror that is no SIP tells the time of arrival, so two answers to the
 * same bytes are never alike; its own digest has vouched for it already. */
bool alg_is_answer_edited(const struct alg_shot *s)
{
	enum wire_dgram_type type;

	return s->answer.p && s->answer_sent.p &&
	       wire_dgram_type(&type, s->answer) != 0 &&
	       !slice_eq(head_of(s->answer), head_of(s->answer_sent));
}

bool alg_is_inbound_edited(const struct alg *a)
{
	const struct alg_inbound *in = &a->inbound;

	return (in->got[0].p && !slice_eq(in->got[0], in->sent[0])) ||
	       in->is_reply_edited;
}

static void put_bytes(struct report *r, struct val *map, const char *key,
                      struct slice s)
{
	if (s.p)
		(void)val_put(&r->arena, &r->no_memory, map, key, val_bytes(s));
}

/* What was added had nothing before it, and the reader is told so. */
static void put_side(struct report *r, struct val *edit, const char *key,
                     struct slice s)
{
	(void)val_put(&r->arena, &r->no_memory, edit, key,
	              s.p ? val_bytes(s) : (struct val){0});
}

static void put_text(struct report *r, struct val *map, const char *key,
                     const char *text)
{
	(void)val_put(&r->arena, &r->no_memory, map, key, val_text(text));
}

static void put_addr(struct report *r, struct val *map, const char *key,
                     const struct addr *at)
{
	char buf[ADDR_TEXT_BYTES];
	const char *text =
		at->port ? addr_text(at, buf) : addr_ip_text(at, buf);

	if (at->family != ADDR_NONE)
		put_text(r, map, key, report_text(r, slice_str(text)));
}

static void put_edits(struct report *r, struct fact *f, struct slice before,
                      struct slice after, const struct sip_diff_hint *hint)
{
	struct val *edits = fact_field(r, f, "edits", val_list());
	struct sip_diff d;

	sip_diff(&d, before, after, hint);
	for (size_t i = 0; i < d.n; i++) {
		const struct sip_edit *e = &d.edits[i];
		struct val *m = val_put(&r->arena, &r->no_memory, edits, NULL,
		                        val_map());

		put_text(r, m, "field", report_text(r, slice_str(e->field)));
		put_side(r, m, "before", e->before);
		put_side(r, m, "after", e->after);
		put_text(r, m, "class", sip_edit_class_name(e->cls));
	}
	if (d.n_more)
		(void)fact_field(r, f, "edits_not_shown",
		                 val_int((int64_t)d.n_more));
	put_bytes(r, &f->evidence, "sent", before);
	put_bytes(r, &f->evidence, "arrived", after);
}

static struct sip_diff_hint hint_of(const struct alg *a,
                                    const struct alg_shot *s)
{
	return (struct sip_diff_hint){a->local, s->observed};
}

/* What no phone sends in everyday use: it only tells who drops. */
static bool is_rare(const struct ladder_spec *sp)
{
	return sp->what == LADDER_UNKNOWN_METHOD ||
	       (sp->flags & (SIP_CANARY_LOW_RTP_PORT | SIP_CANARY_NO_SDP_C |
	                     SIP_CANARY_LONG_LINE | SIP_CANARY_LONG_URI));
}

static enum fact_state state_of(const struct ladder_shot *ls)
{
	switch (ls->result) {
	case LADDER_CLEAN:
		return FACT_PASS;
	case LADDER_EDITED:
	case LADDER_BLOCKED:
	case LADDER_REFUSED:
		return FACT_FAIL;
	case LADDER_REQUEST_DROPPED:
	case LADDER_ANSWER_DROPPED:
		return is_rare(&ls->spec) ? FACT_WARN : FACT_FAIL;
	case LADDER_NO_ANSWER:
	case LADDER_LOSSY:
	case LADDER_NOT_CONNECTED:
	case LADDER_UNKNOWN:
		return FACT_UNKNOWN;
	case LADDER_UNDECIDED:
		break;
	}
	return FACT_SKIPPED;
}

static struct words why_of(const struct ladder_shot *ls)
{
	switch (ls->result) {
	case LADDER_NO_ANSWER:
		return (struct words){N_("request or answer was lost"), {0}};
	case LADDER_LOSSY:
		return (struct words){
			N_("the line loses so much that this may be chance"),
			{0}};
	case LADDER_NOT_CONNECTED:
		return (struct words){
			N_("its connection did not open in time, while others "
		           "to this port did"),
			{0}};
	case LADDER_UNKNOWN:
		return (struct words){N_("the edge did not say what arrived"),
		                      {0}};
	case LADDER_UNDECIDED:
		return (struct words){N_("the run ended too early"), {0}};
	case LADDER_CLEAN:
	case LADDER_EDITED:
	case LADDER_REQUEST_DROPPED:
	case LADDER_ANSWER_DROPPED:
	case LADDER_BLOCKED:
	case LADDER_REFUSED:
		break;
	}
	return (struct words){0};
}

static const char *summary_of(enum ladder_result r)
{
	switch (r) {
	case LADDER_CLEAN:
		return N_("%1$s to %2$s arrived unchanged");
	case LADDER_EDITED:
		return N_("%1$s to %2$s was changed on the way");
	case LADDER_REQUEST_DROPPED:
		return N_("%1$s to %2$s was dropped; the same message to "
		          "another port arrived");
	case LADDER_ANSWER_DROPPED:
		return N_("%1$s to %2$s arrived; its answer was dropped");
	case LADDER_BLOCKED:
		return N_("%1$s to %2$s: the port is blocked");
	case LADDER_REFUSED:
		return N_("%1$s to %2$s was refused");
	case LADDER_NO_ANSWER:
	case LADDER_LOSSY:
		return N_("%1$s to %2$s: no answer");
	case LADDER_NOT_CONNECTED:
		return N_("%1$s to %2$s: not sent");
	case LADDER_UNKNOWN:
		return N_("%1$s to %2$s: answered, content unknown");
	case LADDER_UNDECIDED:
		break;
	}
	return N_("%1$s to %2$s: not decided");
}

static struct words summarize(struct alg *a, const struct ladder_spec *sp,
                              const char *msgid)
{
	const char *what = ladder_what_name(sp->what);
	struct words w = {.msgid = msgid};

	w.args[0] = sp->variant ? report_fmt(a->r, "%s (%s)", what, sp->variant)
	                        : what;
	w.args[1] = report_fmt(a->r, "%u/%s", alg_port(a, sp),
	                       sp->transport == WIRE_UDP   ? "UDP"
	                       : sp->transport == WIRE_TCP ? "TCP"
	                                                   : "TLS");
	return w;
}

static struct fact *ladder_fact(struct alg *a, const struct ladder_spec *sp,
                                enum fact_state state, const char *direction,
                                const char *result)
{
	struct report *r = a->r;
	const char *transport = wire_transport_name(sp->transport);
	const char *method = ladder_what_name(sp->what);
	struct fact *f;

	f = report_fact(
		r, "alg.ladder", state,
		report_fmt(r, "%s/%u/%s", transport, alg_port(a, sp), method));
	(void)fact_field(r, f, "transport", val_text(transport));
	(void)fact_field(r, f, "dst_port", val_int(alg_port(a, sp)));
	(void)fact_field(r, f, "role", val_text(ladder_role_name(sp)));
	(void)fact_field(r, f, "method", val_text(method));
	if (sp->variant)
		(void)fact_field(r, f, "variant", val_text(sp->variant));
	(void)fact_field(r, f, "direction", val_text(direction));
	(void)fact_field(r, f, "result", val_text(result));
	return f;
}

static void put_refusal(struct alg *a, struct fact *f, const struct alg_shot *s)
{
	put_addr(a->r, &f->evidence, "refused_by", &s->offender);
	if (s->error)
		(void)fact_evidence(a->r, f, "error",
		                    val_text(strerrorname_np(s->error)));
}

static void fact_shot(struct alg *a, size_t i)
{
	const struct ladder_shot *ls = &a->ladder.shots[i];
	const struct alg_shot *s = &a->shots[i];
	struct sip_diff_hint hint = hint_of(a, s);
	struct fact *f;

	f = ladder_fact(a, &ls->spec, state_of(ls), "out",
	                ladder_result_name(ls->result));
	f->why = why_of(ls);
	f->summary = summarize(a, &ls->spec, summary_of(ls->result));
	(void)fact_evidence(a->r, f, "tries", val_int(ls->n_sent));
	put_addr(a->r, &f->evidence, "observed", &s->observed);
	if (ls->result == LADDER_EDITED && s->arrived.p)
		put_edits(a->r, f, s->sent, s->arrived, &hint);
	else
		(void)fact_field(a->r, f, "edits", val_list());
	if (ls->result == LADDER_REFUSED)
		put_refusal(a, f, s);
}

static void fact_burst(struct alg *a, unsigned road)
{
	const struct ladder_spec sp = alg_burst_spec(road);
	bool is_limited = road == ALG_BURST_SIP && alg_burst_is_limited(a);
	const char *result = "clean";
	struct fact *f;

	if (is_limited)
		result = a->meet.has_session ? "request-dropped" : "no-answer";
	f = ladder_fact(a, &sp, is_limited ? FACT_FAIL : FACT_PASS, "out",
	                result);
	f->summary =
		summarize(a, &sp,
	                  is_limited ? N_("of many requests at once, %1$s to "
	                                  "%2$s, most were dropped; to "
	                                  "another port they arrived")
	                             : N_("many requests at once, %1$s to "
	                                  "%2$s, arrived"));
	(void)fact_field(a->r, f, "edits", val_list());
	(void)fact_evidence(a->r, f, "tries", val_int(a->burst.n_sent));
	(void)fact_evidence(a->r, f, "answers",
	                    val_int(alg_burst_answers(a, road)));
}

static void fact_bursts(struct alg *a)
{
	/* without its twin a burst tells nothing */
	if (!a->burst.is_done ||
	    alg_burst_answers(a, ALG_BURST_TWIN) < ALG_BURST_LIMITED)
		return;
	for (unsigned road = 0; road < ALG_BURST_ROADS; road++)
		fact_burst(a, road);
}

static bool is_decided(const struct alg *a, enum wire_transport transport,
                       enum ladder_what what)
{
	int i = ladder_find(&a->ladder, transport, WIRE_ROLE_SIP, what, NULL);
	enum ladder_result r =
		i == LADDER_NONE ? LADDER_UNDECIDED : a->ladder.shots[i].result;

	return r != LADDER_UNDECIDED && r != LADDER_UNKNOWN &&
	       r != LADDER_NO_ANSWER && r != LADDER_LOSSY &&
	       r != LADDER_NOT_CONNECTED;
}

/* Ready is said only where every message that a call needs was decided. */
static bool is_tested(const struct alg *a)
{
	/* a host that refuses everything need not be an edge at all */
	if (!a->has_token)
		return false;
	/* no ALG reads TLS: one message shows as much as three */
	if (a->ports->sip == 0)
		return is_decided(a, WIRE_TLS, LADDER_OPTIONS);
	return is_decided(a, WIRE_UDP, LADDER_OPTIONS) &&
	       is_decided(a, WIRE_UDP, LADDER_REGISTER) &&
	       is_decided(a, WIRE_UDP, LADDER_INVITE);
}

static void fact_answer(struct alg *a, size_t i)
{
	const struct ladder_spec *sp = &a->ladder.shots[i].spec;
	const struct alg_shot *s = &a->shots[i];
	struct sip_diff_hint hint = hint_of(a, s);
	struct fact *f;

	if (!alg_is_answer_edited(s))
		return;
	f = ladder_fact(a, sp, FACT_FAIL, "answer", "edited");
	f->summary = summarize(a, sp,
	                       N_("the answer to %1$s to %2$s was changed on "
	                          "the way back"));
	put_edits(a->r, f, head_of(s->answer_sent), head_of(s->answer), &hint);
}

static const struct ladder_spec inbound_specs[2] = {
	{.transport = WIRE_UDP, .role = WIRE_ROLE_SIP, .what = LADDER_INVITE},
	{.transport = WIRE_UDP, .role = WIRE_ROLE_TWIN, .what = LADDER_INVITE},
};

static void fact_inbound_edits(struct alg *a)
{
	const struct alg_inbound *in = &a->inbound;
	struct sip_diff_hint hint = {a->local, a->observed};
	struct fact *f;

	f = ladder_fact(a, &inbound_specs[0], FACT_FAIL, "in", "edited");
	f->summary = summarize(a, &inbound_specs[0],
	                       N_("an incoming %1$s from %2$s was changed on "
	                          "the way here"));
	put_edits(a->r, f, in->sent[0], in->got[0], &hint);
}

static void fact_inbound_lost(struct alg *a)
{
	bool is_dropped = a->inbound.got[1].p;
	struct fact *f;

	f = ladder_fact(a, &inbound_specs[0],
	                is_dropped ? FACT_FAIL : FACT_UNKNOWN, "in",
	                is_dropped ? "request-dropped" : "no-answer");
	if (is_dropped)
		f->summary = summarize(
			a, &inbound_specs[0],
			N_("an incoming %1$s from %2$s was dropped; the same "
		           "message from another port arrived"));
	if (!is_dropped) {
		f->summary = summarize(a, &inbound_specs[0],
		                       N_("an incoming %1$s from %2$s"));
		f->why = (struct words){
			N_("the edge's request did not arrive here, and its "
		           "twin did not either"),
			{0}};
	}
	(void)fact_field(a->r, f, "edits", val_list());
}

static void fact_inbound(struct alg *a)
{
	const struct alg_inbound *in = &a->inbound;
	struct sip_diff_hint hint = {a->local, a->observed};
	struct fact *f;

	if (!in->sent[0].p)
		return;
	if (!in->got[0].p) {
		fact_inbound_lost(a);
	} else if (!slice_eq(in->got[0], in->sent[0])) {
		fact_inbound_edits(a);
	} else {
		f = ladder_fact(a, &inbound_specs[0], FACT_PASS, "in", "clean");
		f->summary = summarize(a, &inbound_specs[0],
		                       N_("an incoming %1$s from %2$s arrived "
		                          "unchanged"));
		(void)fact_field(a->r, f, "edits", val_list());
	}
	if (in->reply_arrived.p && !slice_eq(in->reply, in->reply_arrived)) {
		f = ladder_fact(a, &inbound_specs[0], FACT_FAIL, "reply",
		                "edited");
		f->summary = summarize(a, &inbound_specs[0],
		                       N_("our answer to an incoming %1$s from "
		                          "%2$s was changed on the way"));
		put_edits(a->r, f, in->reply, in->reply_arrived, &hint);
	}
}

static void fact_edge(struct alg *a)
{
	const struct alg_meet *me = &a->meet;
	struct report *r = a->r;
	struct wr w = wr_init_heap();
	struct fact *f;

	f = report_fact(
		r, "edge.hello", me->has_welcome ? FACT_PASS : FACT_UNKNOWN,
		me->has_welcome ? report_fmt(r, "udp/%u", me->welcome_port)
				: "udp");
	if (me->has_welcome) {
		f->summary =
			(struct words){N_("the edge answers over UDP"), {0}};
	} else {
		f->summary = (struct words){N_("the edge over UDP"), {0}};
		f->why = (struct words){N_("it does not answer"), {0}};
	}

	f = report_fact(
		r, "edge.control", me->has_session ? FACT_PASS : FACT_UNKNOWN,
		me->has_session ? report_fmt(r, "tls/%u", me->session_port)
				: "tls");
	if (!me->has_session) {
		f->summary =
			(struct words){N_("the edge's report over TLS"), {0}};
		f->why = (struct words){
			N_("there is none: what was lost on the way there and "
		           "on the way back cannot be told apart"),
			{0}};
		return;
	}
	f->summary = (struct words){
		N_("the edge reports over TLS what reached it"), {0}};
	text_hex_put(&w,
	             (struct slice){me->fingerprint, sizeof(me->fingerprint)});
	f = report_fact(r, "edge.certificate", FACT_PASS, NULL);
	f->value = val_text(report_text(r, wr_slice(&w)));
	f->unit = "sha256";
	(void)fact_field(r, f, "tls_version", val_text(me->tls_version));
	f->summary = (struct words){N_("certificate of the edge: SHA-256 %1$s"),
	                            {report_text(r, wr_slice(&w))}};
	wr_fini(&w);
}

static void fact_mapping(struct alg *a)
{
	const char *result = "none";
	struct fact *f;

	if (a->observed.family == ADDR_NONE)
		return;
	if (!addr_ip_eq(&a->observed, &a->local))
		result = a->observed.port == a->local.port ? "address"
		                                           : "address-and-port";
	else if (a->observed.port != a->local.port)
		result = "port";
	f = report_fact(a->r, "nat.mapping", FACT_PASS, "udp");
	put_addr(a->r, &f->fields, "local", &a->local);
	put_addr(a->r, &f->fields, "observed", &a->observed);
	(void)fact_field(a->r, f, "result", val_text(result));
	f->summary.msgid = N_("this computer is %1$s; the edge sees %2$s");
	f->summary.args[0] = (const char *)val_get_text(&f->fields, "local").p;
	f->summary.args[1] =
		(const char *)val_get_text(&f->fields, "observed").p;
}

static void fact_hops(struct alg *a)
{
	struct fact *f;

	for (size_t i = 0; i < a->ladder.n; i++) {
		unsigned ttl = a->shots[i].ttl;

		if (ttl == 0 || ttl > ALG_TTL)
			continue;
		f = report_fact(a->r, "path.hops", FACT_PASS, "udp");
		f->value = val_int(ALG_TTL - ttl);
		f->unit = "hop";
		f->summary = (struct words){
			N_("routers between here and the edge: %1$s"),
			{report_fmt(a->r, "%u", ALG_TTL - ttl)}};
		return;
	}
}

/* One flow, so one mapping: no NAT has a reason to change it within a run. */
static void fact_binding(struct alg *a)
{
	const struct alg_shot *first = NULL, *other = NULL;
	struct fact *f;

	for (size_t i = 0; i < a->ladder.n && !other; i++) {
		const struct ladder_spec *sp = &a->ladder.shots[i].spec;
		const struct alg_shot *s = &a->shots[i];

		if (sp->transport != WIRE_UDP || sp->role != WIRE_ROLE_SIP ||
		    sp->how & LADDER_ELSEWHERE || !s->observed.port)
			continue;
		if (!first)
			first = s;
		else if (!addr_eq(&s->observed, &first->observed))
			other = s;
	}
	if (!other)
		return;
	f = report_fact(a->r, "alg.binding", FACT_FAIL, "udp");
	(void)fact_field(a->r, f, "result", val_text("moved"));
	put_addr(a->r, &f->fields, "observed", &first->observed);
	put_addr(a->r, &f->fields, "then", &other->observed);
	f->summary.msgid =
		N_("the edge saw one SIP session come from %1$s, then "
	           "from %2$s");
	f->summary.args[0] =
		(const char *)val_get_text(&f->fields, "observed").p;
	f->summary.args[1] = (const char *)val_get_text(&f->fields, "then").p;
}

/* The edge ends a call after some seconds; a port that hangs takes longer. */
static void fact_no_pinhole(struct alg *a)
{
	int call = ladder_find(&a->ladder, WIRE_UDP, WIRE_ROLE_SIP,
	                       LADDER_INVITE, NULL);
	struct fact *f;

	if (!a->meet.has_session || call == LADDER_NONE ||
	    !a->ladder.shots[call].is_answered)
		return;
	f = report_fact(a->r, "alg.pinhole", FACT_UNKNOWN, "udp");
	(void)fact_field(a->r, f, "result", val_text("unknown"));
	f->summary.msgid = N_("ports that an INVITE opens");
	f->why = (struct words){
		N_("the test call was over before its media port could be "
	           "tried"),
		{0}};
}

static void fact_pinhole(struct alg *a)
{
	const struct alg_pinhole *p = &a->pinhole;
	bool is_open = alg_is_pinhole_open(a);
	struct fact *f;

	if (p->n_tries == 0) {
		fact_no_pinhole(a);
		return;
	}
	f = report_fact(a->r, "alg.pinhole", FACT_PASS, "udp");
	(void)fact_field(a->r, f, "result",
	                 val_text(is_open      ? "open"
	                          : p->is_open ? "unknown"
	                                       : "closed"));
	(void)fact_field(a->r, f, "rtp_port",
	                 val_int(net_udp_local(a->rtp).port));
	(void)fact_field(a->r, f, "public_port", val_int(p->rtp_public));
	if (is_open) {
		f->state = FACT_WARN;
		f->summary.msgid = N_("a box opened the port that an INVITE "
		                      "announced: it reads SIP");
	} else if (p->is_open) {
		f->state = FACT_UNKNOWN;
		f->summary.msgid = N_("ports that an INVITE opens");
		f->why.msgid =
			p->is_idle_open
				? N_("this network lets in what nobody asked "
		                     "for, so an open port proves nothing")
				: N_("the run ended too early");
	} else {
		f->summary.msgid = N_("no box opened the port that an INVITE "
		                      "announced");
	}
}

static void fact_timer(struct alg *a)
{
	const struct alg_timer *t = &a->idle;
	bool sip = t->is_alive[ALG_TIMER_SIP];
	bool twin = t->is_alive[ALG_TIMER_TWIN];
	const char *wait = report_fmt(a->r, "%u", a->run->conf->timer_wait_s);
	struct fact *f;

	if (!a->run->conf->timer_wait_s)
		return;
	f = report_fact(a->r, "alg.timer", FACT_PASS, "udp");
	(void)fact_field(a->r, f, "waited_s",
	                 val_int(a->run->conf->timer_wait_s));
	if (!t->is_done) {
		f->state = FACT_UNKNOWN;
		(void)fact_field(a->r, f, "result", val_text("unknown"));
		f->summary = (struct words){N_("timers by port"), {0}};
		f->why = (struct words){
			N_("the edge could not be asked to answer late"), {0}};
		return;
	}
	(void)fact_field(a->r, f, "sip_alive", val_bool(sip));
	(void)fact_field(a->r, f, "control_alive", val_bool(twin));
	(void)fact_field(a->r, f, "result",
	                 val_text(sip && !twin ? "longer-on-sip" : "same"));
	if (sip && !twin) {
		f->state = FACT_WARN;
		f->summary = (struct words){
			N_("after %1$s s of silence the SIP port still answers "
		           "and another port does not"),
			{wait}};
	} else {
		f->summary = (struct words){
			N_("after %1$s s of silence the SIP port and another "
		           "port behave alike"),
			{wait}};
	}
}

static const struct hop_walk *deciding_walk(const struct alg *a)
{
	const struct alg_locate *lo = &a->locate;

	if (lo->tcp.is_on)
		return &lo->tcp.walk;
	return &lo->walks[lo->is_back ? ALG_WAY_BACK : ALG_WAY_OUT].walk;
}

/* Of a walk back, TTLs count from the edge. */
static void put_quotes(struct alg *a, struct fact *f)
{
	const struct hop_walk *w = deciding_walk(a);
	struct report *r = a->r;
	struct val *list = fact_evidence(r, f, "quotes", val_list());

	for (unsigned ttl = 1; ttl <= w->n_hops; ttl++) {
		const struct hop_view *v = &w->hops[ttl];
		struct val *m = val_put(&r->arena, &r->no_memory, list, NULL,
		                        val_map());

		(void)val_put(&r->arena, &r->no_memory, m, "ttl", val_int(ttl));
		put_addr(r, m, "address", &v->addr);
		(void)val_put(&r->arena, &r->no_memory, m, "tries",
		              val_int(v->n_tries));
		(void)val_put(&r->arena, &r->no_memory, m, "answers",
		              val_int(v->n_answers));
		(void)val_put(&r->arena, &r->no_memory, m, "quote_bytes",
		              val_int((int64_t)v->quote_bytes));
		if (v->is_changed)
			(void)val_put(&r->arena, &r->no_memory, m,
			              "first_difference",
			              val_int((int64_t)v->changed_at));
	}
	for (unsigned ttl = 1; ttl <= w->n_hops; ttl++) {
		if (!w->hops[ttl].is_changed)
			continue;
		put_bytes(r, &f->evidence, "before", w->hops[ttl].before);
		put_bytes(r, &f->evidence, "after", w->hops[ttl].after);
		(void)fact_evidence(r, f, "at",
		                    val_int((int64_t)w->hops[ttl].changed_at));
		return;
	}
}

static void summarize_place(struct alg *a, struct fact *f,
                            const struct hop_place *pl)
{
	char buf[ADDR_TEXT_BYTES];
	const char *min = report_fmt(a->r, "%u", pl->hop_min);
	const char *max = report_fmt(a->r, "%u", pl->hop_max);

	if (pl->is_exact && pl->addr.family == ADDR_NONE)
		f->summary = (struct words){
			N_("the box is hop %1$s, which gives no address"),
			{report_fmt(a->r, "%u", pl->hop)}};
	else if (pl->is_exact)
		f->summary = (struct words){
			N_("the box is hop %1$s, %2$s"),
			{report_fmt(a->r, "%u", pl->hop),
		         report_text(a->r,
		                     slice_str(addr_ip_text(&pl->addr, buf)))}};
	else if (pl->hop_min == 0)
		f->summary = (struct words){
			N_("the box is this computer or lies before hop %1$s"),
			{max}};
	else
		f->summary = (struct words){
			N_("the box lies between hop %1$s and hop %2$s"),
			{min, max}};
}

static void put_neighbours(struct alg *a, struct fact *f,
                           const struct hop_place *pl)
{
	struct addr last = alg_locate_name(a, pl->hop_min);
	struct addr next = alg_locate_name(a, pl->hop_max);

	put_addr(a->r, &f->fields, "last_address", &last);
	put_addr(a->r, &f->fields, "next_address", &next);
}

static const char *basis_of(const struct alg *a, const struct hop_place *pl)
{
	if (a->state.kind != ALG_STATE_NONE)
		return alg_state_basis(a);
	if (a->locate.is_loss)
		return "drop";
	if (a->locate.is_back)
		return pl->hop_min == 0 ? "mirror" : "quote";
	return pl->hop_max > deciding_walk(a)->n_hops ? "mirror" : "quote";
}

static void fact_location(struct alg *a)
{
	const struct alg_locate *lo = &a->locate;
	struct report *r = a->r;
	struct hop_place pl;
	struct fact *f;

	if (!lo->is_started)
		return;
	pl = alg_locate_place(a);
	f = report_fact(r, "alg.location",
	                pl.is_known ? FACT_FAIL : FACT_UNKNOWN,
	                lo->tcp.is_on || lo->is_denied ? "tcp" : "udp");
	f->unit = "hop";
	if (pl.is_exact) {
		f->value = val_int(pl.hop);
		(void)fact_field(r, f, "hop", val_int(pl.hop));
		put_addr(r, &f->fields, "address", &pl.addr);
	} else {
		(void)fact_field(r, f, "hop", (struct val){0});
	}
	if (pl.is_known) {
		(void)fact_field(r, f, "hop_min", val_int(pl.hop_min));
		(void)fact_field(r, f, "hop_max", val_int(pl.hop_max));
		if (!pl.is_exact)
			put_neighbours(a, f, &pl);
		summarize_place(a, f, &pl);
	} else {
		f->summary = (struct words){N_("where the box is"), {0}};
		f->why.msgid =
			lo->is_denied
				? N_("routers quote it, but what they quote of "
		                     "TCP is shown to root alone (CAP_NET_RAW)")
				: N_("no router on the way said what it had "
		                     "seen");
	}
	(void)fact_field(r, f, "direction",
	                 val_text(lo->is_back ? "in" : "out"));
	(void)fact_field(r, f, "method", val_text(ladder_what_name(lo->what)));
	(void)fact_field(r, f, "basis", val_text(basis_of(a, &pl)));
	if (a->state.kind != ALG_STATE_NONE)
		alg_state_put(a, f);
	else
		put_quotes(a, f);
	alg_hold_put(a, f);
	if (lo->tcp.is_on)
		alg_tcp_back_put(a, f);
}

static void put_traffic(struct alg *a)
{
	struct report *r = a->r;

	put_addr(r, &r->run, "local", &a->local);
	(void)val_put(&r->arena, &r->no_memory, &r->run, "datagrams_sent",
	              val_int((int64_t)a->n_datagrams));
	(void)val_put(&r->arena, &r->no_memory, &r->run, "datagram_bytes_sent",
	              val_int((int64_t)a->n_bytes));
}

void alg_facts(struct alg *a)
{
	fact_edge(a);
	fact_mapping(a);
	fact_hops(a);
	for (size_t i = 0; i < a->ladder.n; i++)
		fact_shot(a, i);
	fact_bursts(a);
	a->r->is_tested |= is_tested(a);
	for (size_t i = 0; i < a->ladder.n; i++)
		fact_answer(a, i);
	fact_inbound(a);
	fact_binding(a);
	fact_pinhole(a);
	alg_calls_fact(a);
	fact_timer(a);
	alg_pairs_fact(a);
	fact_location(a);
	put_traffic(a);
}
