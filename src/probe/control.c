/* SPDX-License-Identifier: ISC */
#include "probe/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wire/stream.h"

struct control {
	struct net_stream *stream;
	struct wire_stream frames;
	struct wr held;
	bool is_holding;
	const struct control_ops *ops;
	void *arg;
	bool *was_closed; /* points into a dispatch() on the stack */
};

static int on_seen_frame(struct control *c, const struct wire_frame *f)
{
	struct wire_seen seen[WIRE_SEEN_PAGE];
	size_t n;
	int err = wire_seen_decode(seen, &n, f->body);

	if (!err)
		c->ops->on_seen(c->arg, seen, n, !(f->flags & WIRE_FRAME_MORE));
	return err;
}

static int on_session_frame(struct control *c, const struct wire_frame *f)
{
	struct wire_session s;
	int err = wire_session_decode(&s, f->body);

	if (!err)
		c->ops->on_session(c->arg, &s);
	return err;
}

static int on_copy_frame(struct control *c, const struct wire_frame *f)
{
	struct wire_copy copy;
	int err = wire_copy_decode(&copy, f->body);

	if (!err)
		c->ops->on_copy(c->arg, &copy);
	return err;
}

static int on_sent_frame(struct control *c, const struct wire_frame *f)
{
	struct wire_sent sent;
	int err = wire_sent_decode(&sent, f->body);

	if (!err)
		c->ops->on_sent(c->arg, &sent);
	return err;
}

static int on_died_frame(struct control *c, const struct wire_frame *f)
{
	struct wire_died died;
	int err = wire_died_decode(&died, f->body);

	if (!err)
		c->ops->on_died(c->arg, &died);
	return err;
}

static int dispatch(struct control *c, const struct wire_frame *f)
{
	switch (f->type) {
	case WIRE_SESSION:
		return on_session_frame(c, f);
	case WIRE_SEEN:
		return on_seen_frame(c, f);
	case WIRE_COPY:
		return on_copy_frame(c, f);
	case WIRE_SENT:
		return on_sent_frame(c, f);
	case WIRE_DIED:
		return on_died_frame(c, f);
	case WIRE_ERROR:
		return 0; /* the step that asked runs into its time limit */
	case WIRE_OPEN:
	case WIRE_REPORT:
	case WIRE_FETCH:
	case WIRE_SEND:
	case WIRE_SHOOT:
		break;
	}
	return EBADMSG;
}

static void end(struct control *c, int err)
{
	net_stream_free(c->stream);
	c->stream = NULL;
	c->ops->on_end(c->arg, err);
}

static void on_data(void *arg, struct slice bytes)
{
	struct control *c = arg;
	bool was_closed = false;
	struct wire_frame f;
	int err;

	c->was_closed = &was_closed;
	err = wire_stream_push(&c->frames, bytes);
	while (!err) {
		err = wire_stream_next(&c->frames, &f);
		if (!err)
			err = dispatch(c, &f);
		if (was_closed)
			return;
	}
	c->was_closed = NULL;
	if (err != EAGAIN)
		end(c, err);
}

static void on_close(void *arg, int err)
{
	end(arg, err ? err : EPIPE);
}

static const struct net_stream_ops stream_ops = {
	.on_data = on_data,
	.on_close = on_close,
};

static int hold_back(struct control *c, struct slice bytes)
{
	wr_put(&c->held, bytes);
	return c->held.bad ? ENOMEM : 0;
}

static int put_out(struct control *c, struct wr *w)
{
	int err = ENOMEM;

	if (!c->stream)
		err = ENOTCONN;
	else if (!w->bad && c->is_holding)
		err = hold_back(c, wr_slice(w));
	else if (!w->bad)
		err = net_stream_send(c->stream, wr_slice(w));
	wr_fini(w);
	return err;
}

void control_hold(struct control *c)
{
	c->is_holding = true;
}

int control_flush(struct control *c)
{
	struct wr held = c->held;

	c->is_holding = false;
	c->held = wr_init_heap();
	if (held.n == 0) {
		wr_fini(&held);
		return 0;
	}
	return put_out(c, &held);
}

int control_open(struct control **cp, struct net_stream *stream,
                 const uint8_t session[WIRE_SESSION_BYTES],
                 const struct control_ops *ops, void *arg)
{
	struct control *c = calloc(1, sizeof(*c));
	struct wr w = wr_init_heap();
	struct wire_open o;
	int err;

	if (!c)
		return ENOMEM;
	c->ops = ops;
	c->arg = arg;
	c->stream = stream;
	wire_stream_init(&c->frames, false);
	c->held = wr_init_heap();

	memcpy(o.session, session, sizeof(o.session));
	wr_put(&w, (struct slice){(const uint8_t *)WIRE_PREFACE,
	                          WIRE_PREFACE_BYTES});
	wire_open_put(&w, &o);
	err = put_out(c, &w);
	if (err) {
		wire_stream_fini(&c->frames);
		free(c);
		return err;
	}
	net_stream_set_ops(stream, &stream_ops, c);
	*cp = c;
	return 0;
}

void control_close(struct control *c)
{
	if (!c)
		return;
	if (c->was_closed)
		*c->was_closed = true;
	net_stream_free(c->stream);
	wire_stream_fini(&c->frames);
	wr_fini(&c->held);
	free(c);
}

int control_report(struct control *c)
{
	struct wr w = wr_init_heap();

	wire_bare_put(&w, WIRE_REPORT);
	return put_out(c, &w);
}

int control_fetch(struct control *c, const struct wire_fetch *f)
{
	struct wr w = wr_init_heap();

	wire_fetch_put(&w, f);
	return put_out(c, &w);
}

int control_send(struct control *c, const struct wire_send *s)
{
	struct wr w = wr_init_heap();

	wire_send_put(&w, s);
	return put_out(c, &w);
}

int control_shoot(struct control *c, const struct wire_shoot *s)
{
	struct wr w = wr_init_heap();

	wire_shoot_put(&w, s);
	return put_out(c, &w);
}
