/* SPDX-License-Identifier: ISC */
/*
 * Design: without an edge all that can be seen of the way there is what an
 * ordinary server sends back, and RFC 3261 makes it send back the topmost
 * Via. An ALG that translates answers as well puts the original back, so
 * "same" is no proof of a clean path, and this probe never says that it is.
 *
 * The message is the short canary: no Route, no credentials, nothing that a
 * stranger's server would act on.
 */
#include "probe/registry.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/tls.h"
#include "net/udp.h"
#include "sip/canary.h"
#include "sip/diff.h"
#include "wire/place.h"
#include "wire/tag.h"

enum {
	ROADS = 4, /* per server */
	MAX_TARGETS = PROBE_MAX_SERVERS * ROADS,
	TRIES = 6,
	RTO_MS = 250,
	STREAM_MS = 6000,
	TTL = 64,
	SIP_PORT = 5060,
};

struct via;

struct target {
	struct via *via;
	enum wire_transport transport;
	struct addr to;
	struct net_stream *stream;
	struct wr in;
	struct slice sent, answer; /* in the report */
	unsigned n_sent;
	int64_t due_ns;
	bool is_closed;
	int error; /* why it was refused */
};

struct via {
	const struct probe_run *run;
	struct net_udp *udp;
	struct addr local;
	struct net_tls *tls;
	struct net_timer *timer;
	uint8_t session[WIRE_SESSION_BYTES];
	struct target targets[MAX_TARGETS];
	size_t n;
	bool is_over; /* probe_done() was called */
	int err;
};

static int build(struct target *t, const struct addr *local)
{
	static const enum sip_transport transports[] = {[WIRE_UDP] = SIP_UDP,
	                                                [WIRE_TCP] = SIP_TCP,
	                                                [WIRE_TLS] = SIP_TLS};
	struct via *v = t->via;
	struct wire_tag tag = {.shot = (uint16_t)(t - v->targets)};
	char text[WIRE_TAG_CHARS];
	struct wr tw = wr_init(text, sizeof(text));
	struct wr w = wr_init_heap();
	struct sip_canary c = {
		.kind = SIP_CANARY_OPTIONS,
		.flags = SIP_CANARY_SHORT,
		.transport = transports[t->transport],
		.local = *local,
		.target = t->to,
		.cseq = 1,
	};
	int err;

	memcpy(tag.session, v->session, sizeof(tag.session));
	wire_tag_put(&tw, &tag);
	c.tag = wr_slice(&tw);
	err = sip_canary_build(&w, &c);
	if (!err)
		t->sent = report_bytes(v->run->report, wr_slice(&w));
	wr_fini(&w);
	return err ? err : v->run->report->no_memory ? ENOMEM : 0;
}

static void take_answer(struct via *v, struct slice bytes)
{
	struct wire_tag tag;
	struct sip_msg m;
	struct target *t;

	if (!wire_tag_find(&tag, bytes) || tag.shot >= v->n ||
	    memcmp(tag.session, v->session, sizeof(v->session)) != 0)
		return;
	sip_msg_read(&m, bytes);
	t = &v->targets[tag.shot];
	if (sip_msg_status(&m) == 0 || t->answer.p || !t->sent.p)
		return;
	t->answer = report_bytes(v->run->report, bytes);
	t->is_closed = true;
	net_timer_set(v->timer, 0);
}

static void on_dgram(void *arg, const struct net_dgram *d)
{
	take_answer(arg, d->bytes);
}

static void on_icmp(void *arg, const struct net_icmp *ic)
{
	struct via *v = arg;

	for (size_t i = 0; i < v->n && !ic->is_local; i++) {
		struct target *t = &v->targets[i];

		if (t->transport != WIRE_UDP || !addr_eq(&t->to, &ic->dst) ||
		    t->is_closed)
			continue;
		t->error = ic->error;
		t->is_closed = true;
		net_timer_set(v->timer, 0);
	}
}

static const struct net_udp_ops udp_ops = {
	.on_dgram = on_dgram,
	.on_icmp = on_icmp,
};

static void on_open(void *arg)
{
	struct target *t = arg;
	struct addr local = net_stream_local(t->stream);

	t->via->err = build(t, &local);
	if (!t->via->err && net_stream_send(t->stream, t->sent))
		t->is_closed = true;
	net_timer_set(t->via->timer, 0);
}

static void on_data(void *arg, struct slice bytes)
{
	struct target *t = arg;
	size_t n;

	/* one answer is all that is waited for, whatever else comes */
	if (t->is_closed || t->in.n + bytes.n > SIP_STREAM_MAX_BYTES)
		return;
	wr_put(&t->in, bytes);
	if (t->in.bad)
		t->via->err = ENOMEM;
	else if (sip_stream_len(&n, wr_slice(&t->in)) == SIP_FRAME_MSG)
		take_answer(t->via, slice_sub(wr_slice(&t->in), 0, n));
}

static void on_close(void *arg, int err)
{
	struct target *t = arg;

	t->error = err;
	t->is_closed = true;
	net_timer_set(t->via->timer, 0);
}

static const struct net_stream_ops stream_ops = {
	.on_open = on_open,
	.on_data = on_data,
	.on_close = on_close,
};

static void send_one(struct target *t, int64_t now_ns)
{
	struct via *v = t->via;
	int64_t rto = RTO_MS * NS_PER_MS;
	int err = 0;

	for (unsigned i = 0; i < t->n_sent; i++)
		rto += rto / 2;
	if (t->transport == WIRE_UDP) {
		if (!t->sent.p)
			v->err = build(t, &v->local);
		if (!v->err)
			err = net_udp_send(v->udp, &t->to, NULL, TTL, t->sent);
		t->due_ns = now_ns + rto;
	} else {
		t->in = wr_init_heap();
		err = net_stream_connect(&t->stream, &t->to,
		                         t->transport == WIRE_TLS ? v->tls
		                                                  : NULL,
		                         &stream_ops, t);
		t->due_ns = now_ns + STREAM_MS * NS_PER_MS;
	}
	t->n_sent++;
	if (err == EPERM) { /* this computer's doing, not the server's */
		v->err = err;
	} else if (err && err != EAGAIN) {
		t->error = err;
		t->is_closed = true;
	}
}

static void on_timer(void *arg)
{
	struct via *v = arg;
	int64_t now_ns = clock_mono_ns(), next = INT64_MAX;

	for (size_t i = 0; i < v->n && !v->err; i++) {
		struct target *t = &v->targets[i];
		unsigned max = t->transport == WIRE_UDP ? TRIES : 1;

		if (!t->is_closed && t->due_ns <= now_ns) {
			if (t->n_sent == max)
				t->is_closed = true;
			else
				send_one(t, now_ns);
		}
		if (!t->is_closed && t->due_ns < next)
			next = t->due_ns;
	}
	if (!v->err && next != INT64_MAX) {
		net_timer_set(v->timer, next - now_ns);
	} else if (!v->is_over) {
		v->is_over = true;
		probe_done(v->run, v->err);
	}
}

static void add(struct via *v, const struct addr *server, uint16_t port,
                enum wire_transport transport)
{
	struct target *t = &v->targets[v->n];

	if (port == 0)
		return;
	*t = (struct target){.via = v, .transport = transport, .to = *server};
	t->to.port = port;
	v->n++;
}

static int open_udp(struct via *v)
{
	int err = net_source_for(&v->local, &v->run->conf->servers[0]);

	if (err)
		return err;
	v->local.port = SIP_PORT;
	err = net_udp_open(&v->udp, &v->local, NET_UDP_ICMP, &udp_ops, v);
	if (err == EADDRINUSE || err == EACCES) {
		v->local.port = 0;
		err = net_udp_open(&v->udp, &v->local, NET_UDP_ICMP, &udp_ops,
		                   v);
	}
	if (!err)
		v->local = net_udp_local(v->udp);
	return err;
}

static void stop(void *state)
{
	struct via *v = state;

	for (size_t i = 0; i < v->n; i++) {
		net_stream_free(v->targets[i].stream);
		wr_fini(&v->targets[i].in);
	}
	net_udp_close(v->udp);
	net_tls_free(v->tls);
	net_timer_free(v->timer);
}

static int start(void *state, struct probe_run *run)
{
	const struct probe_conf *conf = run->conf;
	struct via *v = state;
	int err;

	v->run = run;
	for (size_t i = 0; i < conf->n_servers; i++) {
		const struct addr *s = &conf->servers[i];

		add(v, s, conf->ports.sip, WIRE_UDP);
		add(v, s, conf->ports.sip_alt, WIRE_UDP);
		add(v, s, conf->ports.sip, WIRE_TCP);
		add(v, s, conf->ports.tls, WIRE_TLS);
	}
	err = open_udp(v);
	if (!err &&
	    getrandom(v->session, sizeof(v->session), 0) != sizeof(v->session))
		err = EIO;
	if (!err)
		err = net_tls_client_alloc(&v->tls);
	if (!err)
		err = net_timer_alloc(&v->timer, on_timer, v);
	if (err) {
		stop(v);
		return err;
	}
	probe_progress(run, N_("asking an ordinary SIP server"));
	net_timer_set(v->timer, 0);
	return 0;
}

static void put_edits(struct report *r, struct fact *f,
                      const struct sip_diff *d)
{
	struct val *edits = fact_field(r, f, "edits", val_list());

	for (size_t i = 0; i < d->n; i++) {
		const struct sip_edit *e = &d->edits[i];
		struct val *m = val_put(&r->arena, &r->no_memory, edits, NULL,
		                        val_map());

		(void)val_put(&r->arena, &r->no_memory, m, "field",
		              val_text(report_text(r, slice_str(e->field))));
		(void)val_put(&r->arena, &r->no_memory, m, "before",
		              e->before.p ? val_bytes(e->before)
		                          : (struct val){0});
		(void)val_put(&r->arena, &r->no_memory, m, "after",
		              e->after.p ? val_bytes(e->after)
		                         : (struct val){0});
		(void)val_put(&r->arena, &r->no_memory, m, "class",
		              val_text(sip_edit_class_name(e->cls)));
	}
}

static void judge(struct report *r, struct fact *f, const struct target *t)
{
	struct sip_diff d;

	if (!t->answer.p || sip_diff_via_reflection(&d, t->sent, t->answer)) {
		f->state = FACT_UNKNOWN;
		f->summary.msgid = N_("the answer of %1$s");
		f->why.msgid =
			t->answer.p ? N_("the answer carries no readable Via")
			: t->error  ? N_("the server refused")
				    : N_("the server did not answer");
		(void)fact_field(r, f, "result", val_text("unknown"));
		return;
	}
	(void)fact_field(r, f, "result", val_text(d.n ? "edited" : "same"));
	f->state = d.n ? FACT_FAIL : FACT_PASS;
	f->summary.msgid =
		d.n ? N_("%1$s: the Via came back changed")
		    : N_("%1$s: the Via came back as it was sent; that alone "
	                 "does not prove that no SIP ALG is there");
	if (d.n) {
		r->is_tested = true;
		put_edits(r, f, &d);
		(void)fact_evidence(r, f, "sent", val_bytes(t->sent));
		(void)fact_evidence(r, f, "answer", val_bytes(t->answer));
	}
}

static void report(void *state)
{
	struct via *v = state;
	struct report *r = v->run->report;
	struct fact *f;

	for (size_t i = 0; i < v->n; i++) {
		const struct target *t = &v->targets[i];
		const char *name = wire_transport_name(t->transport);
		char buf[ADDR_TEXT_BYTES];
		const char *to =
			report_text(r, slice_str(addr_text(&t->to, buf)));

		f = report_fact(r, "alg.via-reflection", FACT_PASS,
		                report_fmt(r, "%s/%s", name, to));
		(void)fact_field(r, f, "transport", val_text(name));
		(void)fact_field(r, f, "dst_port", val_int(t->to.port));
		f->summary.args[0] = f->scope;
		judge(r, f, t);
	}
	f = report_fact(r, "alg.ladder", FACT_SKIPPED, NULL);
	f->summary.msgid = N_("the test with an edge");
	f->why.msgid =
		N_("without an edge nobody tells what reached the far end: "
	           "changes to Contact, Call-ID, SDP and other fields, dropped "
	           "messages, pinholes and the box itself cannot be seen");
}

const struct probe_ops probe_via_reflection = {
	.name = "via-reflection",
	.summary = N_("What does an ordinary SIP server send back?"),
	.needs = PROBE_NEEDS_SERVER,
	.state_bytes = sizeof(struct via),
	.start = start,
	.report = report,
	.stop = stop,
};
