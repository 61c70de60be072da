/* SPDX-License-Identifier: ISC */
#include <errno.h>

#include "base/clock.h"
#include "edge/inside.h"
#include "net/stream.h"
#include "net/udp.h"

static void reply(struct edge_conn *c, struct wr *w)
{
	if (w->bad)
		c->is_dead = true;
	wr_put(&c->out, wr_slice(w));
	wr_fini(w);
}

/* What one turn of the loop has to say is one segment. A client that does not
 * read its answers is not worth their memory. */
void edge_control_flush(struct edge_conn *c)
{
	if (c->out.n == 0 && !c->out.bad)
		return;
	if (c->out.bad || net_stream_send(c->stream, wr_slice(&c->out)))
		c->is_dead = true;
	wr_fini(&c->out);
}

static void refuse(struct edge_conn *c, enum wire_frame_type about, int err)
{
	struct wire_error e = {.about = about, .err = (uint16_t)err};
	struct wr w = wr_init_heap();

	wire_error_put(&w, &e);
	reply(c, &w);
}

static void sent(struct edge_conn *c, uint16_t id, uint16_t from_port, int err)
{
	struct wire_sent st = {
		.id = id,
		.err = (uint16_t)err,
		.from_port = from_port,
		.wall_ns = clock_wall_ns(),
	};
	struct wr w = wr_init_heap();

	wire_sent_put(&w, &st);
	reply(c, &w);
}

static int on_open(struct edge_conn *c, struct slice body)
{
	struct edge_server *s = c->server;
	struct wire_session ss;
	struct wire_open o;
	struct wr w = wr_init_heap();
	int err;

	err = wire_open_decode(&o, body);
	if (!err && c->session)
		err = EISCONN;
	if (!err)
		err = edge_session_open(&c->session, s->sessions, &o,
		                        &c->flow.remote, c->heard_ns);
	if (err)
		return err;
	s->counts.sessions++;
	ss = (struct wire_session){
		.source = c->flow.remote,
		.wall_ns = clock_wall_ns(),
		.limits = edge_session_limits,
		.services = s->conf.services,
	};
	wire_token_make(&ss.token, s->conf.secret, &c->flow.remote,
	                ss.wall_ns / NS_PER_S);
	wire_session_put(&w, &ss);
	reply(c, &w);
	return 0;
}

static int on_report(struct edge_conn *c, struct slice body)
{
	struct wr w = wr_init_heap();

	if (body.n)
		return EBADMSG;
	edge_session_report(&w, c->session);
	reply(c, &w);
	return 0;
}

static int on_fetch(struct edge_conn *c, struct slice body)
{
	struct wr w = wr_init_heap();
	struct wire_fetch f;
	struct wire_copy copy;
	int err;

	err = wire_fetch_decode(&f, body);
	if (err)
		return err;
	edge_session_fetch(&copy, c->session, &f);
	wire_copy_put(&w, &copy);
	reply(c, &w);
	return 0;
}

static int on_send(struct edge_conn *c, struct slice body)
{
	struct wire_send ws;
	int err;

	err = wire_send_decode(&ws, body);
	if (err)
		return err;
	err = edge_session_send(c->session, &ws, c->heard_ns);
	if (err)
		sent(c, ws.id, 0, err);
	edge_server_rearm(c->server);
	return 0;
}

static int on_shoot(struct edge_conn *c, struct slice body)
{
	struct wire_shoot ws;
	int err;

	err = wire_shoot_decode(&ws, body);
	if (err)
		return err;
	err = edge_session_shoot(c->session, &ws, c->heard_ns);
	if (err)
		sent(c, ws.id, 0, err);
	edge_server_rearm(c->server);
	return 0;
}

static void on_frame(struct edge_conn *c, const struct wire_frame *f)
{
	int err = EPROTO;

	if (f->type == WIRE_OPEN)
		err = on_open(c, f->body);
	else if (!c->session)
		err = ENOTCONN;
	else if (f->type == WIRE_REPORT)
		err = on_report(c, f->body);
	else if (f->type == WIRE_FETCH)
		err = on_fetch(c, f->body);
	else if (f->type == WIRE_SEND)
		err = on_send(c, f->body);
	else if (f->type == WIRE_SHOOT)
		err = on_shoot(c, f->body);
	if (err)
		refuse(c, f->type, err);
	if (err == EPROTO || err == EBADMSG)
		c->is_dead = true;
}

void edge_control_data(struct edge_conn *c, struct slice bytes)
{
	struct wire_frame f;
	int err;

	err = wire_stream_push(&c->frames, bytes);
	while (!err && !c->is_dead) {
		err = wire_stream_next(&c->frames, &f);
		if (!err)
			on_frame(c, &f);
	}
	if (err && err != EAGAIN)
		c->is_dead = true;
	edge_control_flush(c);
	if (c->session)
		edge_session_touch(c->session, c->heard_ns);
}

static struct edge_conn *conn_of(const struct edge_server *s,
                                 const struct edge_session *session)
{
	for (size_t i = 0; i < s->n_conns; i++) {
		if (s->conns[i]->session == session)
			return s->conns[i];
	}
	return NULL;
}

void edge_control_died(struct edge_server *s,
                       const struct edge_session *session,
                       const struct wire_died *died)
{
	struct edge_conn *c = conn_of(s, session);
	struct wr w = wr_init_heap();

	if (!c)
		return;
	wire_died_put(&w, died);
	reply(c, &w);
	edge_control_flush(c);
}

void edge_control_sent(struct edge_server *s, const struct edge_job *job,
                       uint16_t from_port, int err)
{
	struct edge_conn *c = conn_of(s, job->session);

	if (!c)
		return;
	edge_session_touch(job->session, clock_mono_ns());
	sent(c, job->id, from_port, err);
}
