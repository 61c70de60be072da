/* SPDX-License-Identifier: ISC */
/*
 * Design: bodies are fixed records with at most one run of bytes, which is
 * always last and takes all that is left; so no length inside a body can
 * disagree with the frame's own.
 */
#include "wire/control.h"

#include <errno.h>
#include <string.h>

enum {
	SEEN_BYTES = 111,
};

static void put_header(struct wr *w, enum wire_frame_type type, unsigned flags,
                       size_t n_body)
{
	if (n_body > WIRE_FRAME_MAX_BYTES)
		w->bad = true;
	wr_u8(w, (uint8_t)type);
	wr_u8(w, (uint8_t)flags);
	wr_u32(w, (uint32_t)n_body);
}

static void put_bytes(struct wr *w, const uint8_t *p, size_t n)
{
	wr_put(w, (struct slice){p, n});
}

static void read_bytes(uint8_t *to, struct rd *r, size_t n)
{
	struct slice s = rd_take(r, n);

	if (!r->bad)
		memcpy(to, s.p, n);
}

/* A value of an enum that runs from 1 to max. */
static unsigned read_enum(struct rd *r, unsigned max)
{
	unsigned v = rd_u8(r);

	if (v < 1 || v > max)
		r->bad = true;
	return v;
}

void wire_bare_put(struct wr *w, enum wire_frame_type type)
{
	put_header(w, type, 0, 0);
}

void wire_open_put(struct wr *w, const struct wire_open *o)
{
	put_header(w, WIRE_OPEN, 0, sizeof(o->session));
	put_bytes(w, o->session, sizeof(o->session));
}

int wire_open_decode(struct wire_open *o, struct slice body)
{
	struct rd r = rd_init(body);
	struct wire_open got = {0};

	read_bytes(got.session, &r, sizeof(got.session));
	if (r.bad || r.left)
		return EBADMSG;
	*o = got;
	return 0;
}

void wire_session_put(struct wr *w, const struct wire_session *s)
{
	size_t n_body = WIRE_TOKEN_BYTES + WIRE_ADDR_BYTES + 8 + 16 + 1 +
	                4 * s->services.n;

	put_header(w, WIRE_SESSION, 0, n_body);
	wr_u32(w, s->token.expiry_s);
	put_bytes(w, s->token.mac, sizeof(s->token.mac));
	wire_addr_put(w, &s->source);
	wr_u64(w, (uint64_t)s->wall_ns);
	wr_u16(w, s->limits.shots);
	wr_u16(w, s->limits.sends);
	wr_u32(w, s->limits.delay_ms);
	wr_u32(w, s->limits.stored_bytes);
	wr_u32(w, s->limits.idle_ms);
	wire_services_put(w, &s->services);
}

int wire_session_decode(struct wire_session *s, struct slice body)
{
	struct rd r = rd_init(body);
	struct wire_session got = {0};

	got.token.expiry_s = rd_u32(&r);
	read_bytes(got.token.mac, &r, sizeof(got.token.mac));
	got.source = wire_addr_read(&r);
	got.wall_ns = (int64_t)rd_u64(&r);
	got.limits.shots = rd_u16(&r);
	got.limits.sends = rd_u16(&r);
	got.limits.delay_ms = rd_u32(&r);
	got.limits.stored_bytes = rd_u32(&r);
	got.limits.idle_ms = rd_u32(&r);
	wire_services_read(&got.services, &r);
	if (r.bad || r.left)
		return EBADMSG;
	*s = got;
	return 0;
}

static void put_seen(struct wr *w, const struct wire_seen *s)
{
	wr_u16(w, s->shot);
	wr_u32(w, s->n_msgs);
	wr_u8(w, (uint8_t)s->flags);
	wr_u8(w, (uint8_t)s->transport);
	wr_u16(w, s->local_port);
	wire_addr_put(w, &s->source);
	wr_u8(w, s->ttl);
	wr_u64(w, (uint64_t)s->first_wall_ns);
	wr_u32(w, s->n_bytes);
	put_bytes(w, s->sha256, sizeof(s->sha256));
	wr_u32(w, s->answer_bytes);
	put_bytes(w, s->answer_sha256, sizeof(s->answer_sha256));
	wr_u8(w, 0);
}

static void read_seen(struct wire_seen *s, struct rd *r)
{
	s->shot = rd_u16(r);
	s->n_msgs = rd_u32(r);
	s->flags = rd_u8(r);
	s->transport = (enum wire_transport)read_enum(r, WIRE_TLS);
	s->local_port = rd_u16(r);
	s->source = wire_addr_read(r);
	s->ttl = rd_u8(r);
	s->first_wall_ns = (int64_t)rd_u64(r);
	s->n_bytes = rd_u32(r);
	read_bytes(s->sha256, r, sizeof(s->sha256));
	s->answer_bytes = rd_u32(r);
	read_bytes(s->answer_sha256, r, sizeof(s->answer_sha256));
	(void)rd_u8(r);
}

void wire_seen_put(struct wr *w, const struct wire_seen *seen, size_t n,
                   bool more)
{
	if (n > WIRE_SEEN_PAGE) {
		w->bad = true;
		return;
	}
	put_header(w, WIRE_SEEN, more ? WIRE_FRAME_MORE : 0, n * SEEN_BYTES);
	for (size_t i = 0; i < n; i++)
		put_seen(w, &seen[i]);
}

int wire_seen_decode(struct wire_seen seen[WIRE_SEEN_PAGE], size_t *n,
                     struct slice body)
{
	struct wire_seen scratch;
	struct rd r = rd_init(body);
	size_t count = body.n / SEEN_BYTES;

	if (body.n % SEEN_BYTES || count > WIRE_SEEN_PAGE)
		return EBADMSG;
	for (size_t i = 0; i < count; i++)
		read_seen(&scratch, &r);
	if (r.bad)
		return EBADMSG;
	r = rd_init(body);
	for (size_t i = 0; i < count; i++)
		read_seen(&seen[i], &r);
	*n = count;
	return 0;
}

void wire_fetch_put(struct wr *w, const struct wire_fetch *f)
{
	put_header(w, WIRE_FETCH, 0, 3);
	wr_u16(w, f->shot);
	wr_u8(w, (uint8_t)f->which);
}

int wire_fetch_decode(struct wire_fetch *f, struct slice body)
{
	struct rd r = rd_init(body);
	struct wire_fetch got;

	got.shot = rd_u16(&r);
	got.which = (enum wire_which)read_enum(&r, WIRE_ANSWER);
	if (r.bad || r.left)
		return EBADMSG;
	*f = got;
	return 0;
}

void wire_copy_put(struct wr *w, const struct wire_copy *c)
{
	put_header(w, WIRE_COPY, 0, 5 + c->bytes.n);
	wr_u16(w, c->shot);
	wr_u8(w, (uint8_t)c->which);
	wr_u16(w, c->err);
	wr_put(w, c->bytes);
}

int wire_copy_decode(struct wire_copy *c, struct slice body)
{
	struct rd r = rd_init(body);
	struct wire_copy got;

	got.shot = rd_u16(&r);
	got.which = (enum wire_which)read_enum(&r, WIRE_ANSWER);
	got.err = rd_u16(&r);
	got.bytes = rd_take(&r, r.left);
	if (r.bad || got.bytes.n > WIRE_MSG_MAX_BYTES)
		return EBADMSG;
	*c = got;
	return 0;
}

void wire_send_put(struct wr *w, const struct wire_send *s)
{
	put_header(w, WIRE_SEND, 0, 9 + s->bytes.n);
	wr_u16(w, s->id);
	wr_u16(w, s->shot);
	wr_u32(w, s->delay_ms);
	wr_u8(w, s->ttl);
	wr_put(w, s->bytes);
}

int wire_send_decode(struct wire_send *s, struct slice body)
{
	struct rd r = rd_init(body);
	struct wire_send got;

	got.id = rd_u16(&r);
	got.shot = rd_u16(&r);
	got.delay_ms = rd_u32(&r);
	got.ttl = rd_u8(&r);
	got.bytes = rd_take(&r, r.left);
	if (r.bad || got.bytes.n > WIRE_MSG_MAX_BYTES)
		return EBADMSG;
	*s = got;
	return 0;
}

void wire_shoot_put(struct wr *w, const struct wire_shoot *s)
{
	put_header(w, WIRE_SHOOT, 0, 13 + s->bytes.n);
	wr_u16(w, s->id);
	wr_u16(w, s->shot);
	wr_u16(w, s->from_port);
	wr_u16(w, s->to_port);
	wr_u32(w, s->delay_ms);
	wr_u8(w, s->ttl);
	wr_put(w, s->bytes);
}

int wire_shoot_decode(struct wire_shoot *s, struct slice body)
{
	struct rd r = rd_init(body);
	struct wire_shoot got;

	got.id = rd_u16(&r);
	got.shot = rd_u16(&r);
	got.from_port = rd_u16(&r);
	got.to_port = rd_u16(&r);
	got.delay_ms = rd_u32(&r);
	got.ttl = rd_u8(&r);
	got.bytes = rd_take(&r, r.left);
	if (r.bad || (got.to_port == 0 && got.from_port == 0) ||
	    got.bytes.n > WIRE_SHOOT_MAX_BYTES)
		return EBADMSG;
	*s = got;
	return 0;
}

void wire_sent_put(struct wr *w, const struct wire_sent *s)
{
	put_header(w, WIRE_SENT, 0, 14);
	wr_u16(w, s->id);
	wr_u16(w, s->err);
	wr_u16(w, s->from_port);
	wr_u64(w, (uint64_t)s->wall_ns);
}

int wire_sent_decode(struct wire_sent *s, struct slice body)
{
	struct rd r = rd_init(body);
	struct wire_sent got;

	got.id = rd_u16(&r);
	got.err = rd_u16(&r);
	got.from_port = rd_u16(&r);
	got.wall_ns = (int64_t)rd_u64(&r);
	if (r.bad || r.left)
		return EBADMSG;
	*s = got;
	return 0;
}

void wire_error_put(struct wr *w, const struct wire_error *e)
{
	put_header(w, WIRE_ERROR, 0, 3);
	wr_u8(w, (uint8_t)e->about);
	wr_u16(w, e->err);
}

int wire_error_decode(struct wire_error *e, struct slice body)
{
	struct rd r = rd_init(body);
	struct wire_error got;

	got.about = (enum wire_frame_type)read_enum(&r, WIRE_SHOOT);
	got.err = rd_u16(&r);
	if (r.bad || r.left)
		return EBADMSG;
	*e = got;
	return 0;
}

void wire_died_put(struct wr *w, const struct wire_died *d)
{
	put_header(w, WIRE_DIED, 0, 2 + WIRE_ADDR_BYTES + d->quote.n);
	wr_u16(w, d->shot);
	wire_addr_put(w, &d->offender);
	wr_put(w, d->quote);
}

int wire_died_decode(struct wire_died *d, struct slice body)
{
	struct rd r = rd_init(body);
	struct wire_died got;

	got.shot = rd_u16(&r);
	got.offender = wire_addr_read(&r);
	got.quote = rd_take(&r, r.left);
	if (r.bad || got.quote.n > WIRE_QUOTE_MAX_BYTES)
		return EBADMSG;
	*d = got;
	return 0;
}
