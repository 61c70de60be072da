/* SPDX-License-Identifier: ISC */
#include "wire/stream.h"

#include <errno.h>
#include <string.h>

void wire_stream_init(struct wire_stream *s, bool wants_preface)
{
	*s = (struct wire_stream){
		.buf = wr_init_heap(),
		.wants_preface = wants_preface,
	};
}

void wire_stream_fini(struct wire_stream *s)
{
	wr_fini(&s->buf);
}

int wire_stream_push(struct wire_stream *s, struct slice in)
{
	size_t left = s->buf.n - s->n_taken;

	if (s->n_taken > 0) {
		memmove(s->buf.p, s->buf.p + s->n_taken, left);
		s->buf.n = left;
		s->n_taken = 0;
	}
	wr_put(&s->buf, in);
	return s->buf.bad ? ENOMEM : 0;
}

static bool is_known(unsigned type)
{
	return (type >= WIRE_OPEN && type <= WIRE_SHOOT) ||
	       (type >= WIRE_SESSION && type <= WIRE_DIED);
}

int wire_stream_next(struct wire_stream *s, struct wire_frame *f)
{
	struct slice in = slice_sub(wr_slice(&s->buf), s->n_taken, SIZE_MAX);
	struct rd r = rd_init(in);
	uint8_t type, flags;
	struct slice body;
	uint32_t n;

	if (s->wants_preface) {
		struct slice want = slice_str(WIRE_PREFACE);
		struct slice got = rd_take(&r, in.n < want.n ? in.n : want.n);

		if (!slice_eq(got, slice_sub(want, 0, got.n)))
			return EBADMSG;
		if (got.n < want.n)
			return EAGAIN;
	}
	type = rd_u8(&r);
	flags = rd_u8(&r);
	n = rd_u32(&r);
	if (r.bad)
		return EAGAIN;
	if (!is_known(type) || n > WIRE_FRAME_MAX_BYTES)
		return EBADMSG;
	body = rd_take(&r, n);
	if (r.bad)
		return EAGAIN;
	s->n_taken = s->buf.n - r.left;
	s->wants_preface = false;
	*f = (struct wire_frame){(enum wire_frame_type)type, flags, body};
	return 0;
}
