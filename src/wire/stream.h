/* SPDX-License-Identifier: ISC */
/**
 * Frames out of a byte stream, whatever pieces it comes in.
 *
 *   err = wire_stream_push(&s, bytes);
 *   while (!err && !(err = wire_stream_next(&s, &frame)))
 *           ... use frame ...
 *   // EAGAIN: wait for more bytes
 */
#pragma once

#include "wire/control.h"

struct wire_stream {
	struct wr buf;  /**< not yet handed out; grows, within bounds */
	size_t n_taken; /**< bytes of it already handed out */
	bool wants_preface;
};

/** @param wants_preface  The edge's side: WIRE_PREFACE must come first. */
void wire_stream_init(struct wire_stream *s, bool wants_preface);

void wire_stream_fini(struct wire_stream *s);

/** Add what was received. Take out all frames before the next push.
 *  @return 0, or ENOMEM */
WARN_UNUSED int wire_stream_push(struct wire_stream *s, struct slice in);

/**
 * The next whole frame.
 *
 * @param f  Out; untouched unless 0 is returned. Borrows: valid until the
 *           next push.
 *
 * @return 0, or
 *         EAGAIN   no whole frame yet
 *         EBADMSG  no preface, unknown type, or a body too long: the stream
 *                  is beyond repair
 */
WARN_UNUSED int wire_stream_next(struct wire_stream *s, struct wire_frame *f);
