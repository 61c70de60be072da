/* SPDX-License-Identifier: ISC */
/**
 * The prober's side of the control session (wire/control.h): over TLS, where
 * no ALG can see it, the edge says what reached it and sends what it is asked.
 */
#pragma once

#include "net/stream.h"
#include "wire/control.h"

struct control;

/** Bytes are borrowed: valid during the callback only. */
struct control_ops {
	void (*on_session)(void *arg, const struct wire_session *s);
	/** @p is_last  no further page belongs to this report */
	void (*on_seen)(void *arg, const struct wire_seen *seen, size_t n,
	                bool is_last);
	void (*on_copy)(void *arg, const struct wire_copy *c);
	void (*on_sent)(void *arg, const struct wire_sent *s);
	void (*on_died)(void *arg, const struct wire_died *d);
	/** The session is over; the last callback. @p err as in net/stream.h,
	 *  or EBADMSG: the edge spoke nonsense */
	void (*on_end)(void *arg, int err);
};

/**
 * Open a session on a stream.
 *
 * @param cp       Out; untouched unless 0 is returned. Release:
 *                 control_close().
 * @param stream   Open TLS stream; becomes the session's on 0, and stays the
 *                 caller's on error.
 * @param session  Which to open; the prober's tags carry it.
 * @param ops      Borrowed; must outlive the session.
 *
 * @return 0, ENOMEM, or what net_stream_send() says
 */
WARN_UNUSED int control_open(struct control **cp, struct net_stream *stream,
                             const uint8_t session[WIRE_SESSION_BYTES],
                             const struct control_ops *ops, void *arg);

/** NULL is fine. Allowed in callbacks. */
void control_close(struct control *c);

/** Until control_flush(), requests gather and then leave as one segment. */
void control_hold(struct control *c);
/** @return 0, or what net_stream_send() says */
WARN_UNUSED int control_flush(struct control *c);

/* Requests. @return 0, or what net_stream_send() says */
WARN_UNUSED int control_report(struct control *c);
WARN_UNUSED int control_fetch(struct control *c, const struct wire_fetch *f);
WARN_UNUSED int control_send(struct control *c, const struct wire_send *s);
WARN_UNUSED int control_shoot(struct control *c, const struct wire_shoot *s);
