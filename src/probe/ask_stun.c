/* SPDX-License-Identifier: ISC */
/*
 * Design: one Binding request (RFC 8489, section 6.2), the same over all
 * transports. Without FINGERPRINT a server may answer too, so a request
 * carries it and an answer need not; a wrong one is somebody else's message.
 *
 * Fields: those of probe/ask_link.h, and
 *   mapped       where the server saw the request from (text)
 *   local        where it left from (text)
 *   is_mapped    those two differ: there is a NAT (bool)
 *   software     (bytes)
 *   code         of an error answer (int)
 *   fingerprint  the answer bears one (bool)
 *   other        OTHER-ADDRESS, a second address of the server (text)
 * Evidence: request, answer; other: what was no STUN (bytes).
 */
#include "probe/asks.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/i18n.h"
#include "probe/ask_keep.h"
#include "probe/ask_link.h"
#include "stun/turn.h"

enum {
	REQUEST_BYTES = 128,
	OTHER_BYTES = 512, /* kept of what is no STUN */
};

struct stun {
	struct ask *ask;
	struct ask_link *link;
	uint8_t tid[STUN_TID_BYTES];
	struct wr in; /* of a stream */
	bool is_other;
};

static void on_open(void *arg)
{
	struct stun *s = arg;
	uint8_t buf[REQUEST_BYTES];
	struct wr w = wr_init(buf, sizeof(buf));

	stun_put_head(&w, STUN_CLASS_REQUEST, STUN_METHOD_BINDING, s->tid);
	stun_put_attr(&w, STUN_ATTR_SOFTWARE, slice_str("prumo"));
	stun_put_fingerprint(&w);
	ask_keep_evidence(s->ask, "request", wr_slice(&w));
	ask_link_ask(s->link, wr_slice(&w));
}

static void note_success(struct stun *s, const struct stun_msg *m)
{
	struct addr local = ask_link_local(s->link), a;

	if (!stun_msg_addr(&a, m, STUN_ATTR_XOR_MAPPED_ADDRESS) ||
	    !stun_msg_addr(&a, m, STUN_ATTR_MAPPED_ADDRESS)) {
		ask_keep_addr(s->ask, "mapped", &a);
		ask_keep_addr(s->ask, "local", &local);
		ask_keep(s->ask, "is_mapped", val_bool(!addr_eq(&a, &local)));
	}
	if (!stun_msg_addr(&a, m, STUN_ATTR_OTHER_ADDRESS))
		ask_keep_addr(s->ask, "other", &a);
}

static void note(struct stun *s, const struct stun_msg *m)
{
	struct slice software;
	unsigned code;

	ask_keep_evidence(s->ask, "answer", m->bytes);
	if (m->cls == STUN_CLASS_SUCCESS)
		note_success(s, m);
	else if (!stun_msg_error(&code, NULL, m))
		ask_keep(s->ask, "code", val_int(code));
	ask_keep(s->ask, "fingerprint", val_bool(!stun_msg_fingerprint(m)));
	if (stun_msg_attr(&software, m, STUN_ATTR_SOFTWARE))
		return;
	ask_keep_bytes(s->ask, "software", software);
	if (ask_link_is_edge_name(software))
		s->ask->result.is_edge = true;
}

static void on_message(struct stun *s, struct slice bytes)
{
	struct stun_msg m;

	if (stun_msg_decode(&m, bytes) || stun_msg_fingerprint(&m) == EBADMSG) {
		ask_keep_evidence(s->ask, "other",
		                  slice_sub(bytes, 0, OTHER_BYTES));
		s->is_other = true;
		return;
	}
	if (memcmp(m.tid, s->tid, sizeof(s->tid)) != 0 ||
	    m.method != STUN_METHOD_BINDING || m.cls < STUN_CLASS_SUCCESS)
		return;
	ask_link_answered(s->link);
	note(s, &m);
	ask_link_finish(s->link, s->ask);
}

static void end(struct stun *s, enum ask_end end, int err)
{
	s->ask->result.end = end;
	s->ask->result.error = err;
	ask_link_finish(s->link, s->ask);
}

static void on_stream(struct stun *s, struct slice bytes)
{
	size_t n = 0;
	int err;

	wr_put(&s->in, bytes);
	if (s->in.bad) {
		end(s, ASK_LOCAL, ENOMEM);
		return;
	}
	err = stun_msg_frame(&n, wr_slice(&s->in));
	if (err == EAGAIN)
		return;
	/* the first message of a stream is the answer, or this is no STUN */
	on_message(s, slice_sub(wr_slice(&s->in), 0, err ? OTHER_BYTES : n));
	if (s->ask->result.layer < ASK_LAYER_PROTOCOL)
		end(s, ASK_OTHER, 0);
}

static void on_data(void *arg, struct slice bytes)
{
	struct stun *s = arg;

	if (ask_link_is_stream(s->link))
		on_stream(s, bytes);
	else
		on_message(s, bytes);
}

static void on_over(void *arg, enum ask_end how)
{
	struct stun *s = arg;

	if (s->ask->result.layer < ASK_LAYER_PROTOCOL)
		s->ask->result.end =
			how == ASK_SILENT && s->is_other ? ASK_OTHER : how;
	ask_link_finish(s->link, s->ask);
}

static const struct ask_link_ops link_ops = {
	.on_open = on_open,
	.on_data = on_data,
	.on_over = on_over,
};

static void stop(void *state)
{
	struct stun *s = state;

	ask_link_close(s->link);
	wr_fini(&s->in);
}

static int start(void *state, struct ask *a)
{
	struct stun *s = state;

	s->ask = a;
	s->in = wr_init_heap();
	if (getrandom(s->tid, sizeof(s->tid), 0) != sizeof(s->tid))
		return EIO;
	return ask_link_open(&s->link, a, NULL, &link_ops, s);
}

const struct ask_ops ask_stun = {
	.name = "stun",
	.summary = N_("STUN: the address that the server sees"),
	.state_bytes = sizeof(struct stun),
	.start = start,
	.stop = stop,
};
