/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <errno.h>

#include "wire/stream.h"

static void decode(const struct wire_frame *f)
{
	struct wire_seen seen[WIRE_SEEN_PAGE];
	struct wire_session session;
	struct wire_shoot shoot;
	struct wire_fetch fetch;
	struct wire_error error;
	struct wire_copy copy;
	struct wire_open open;
	struct wire_send send;
	struct wire_sent sent;
	struct wire_died died;
	size_t n;

	(void)!wire_open_decode(&open, f->body);
	(void)!wire_session_decode(&session, f->body);
	(void)!wire_seen_decode(seen, &n, f->body);
	(void)!wire_fetch_decode(&fetch, f->body);
	(void)!wire_copy_decode(&copy, f->body);
	(void)!wire_send_decode(&send, f->body);
	(void)!wire_shoot_decode(&shoot, f->body);
	(void)!wire_sent_decode(&sent, f->body);
	(void)!wire_error_decode(&error, f->body);
	(void)!wire_died_decode(&died, f->body);
}

/* The first byte says how the rest is cut into pieces. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = {data, size};
	size_t step = size ? data[0] + 1u : 1;
	struct wire_stream s;
	struct wire_frame f;
	int err = 0;

	wire_stream_init(&s, true);
	for (size_t at = 1; at < size && !err; at += step) {
		err = wire_stream_push(&s, slice_sub(in, at, step));
		while (!err) {
			err = wire_stream_next(&s, &f);
			if (!err)
				decode(&f);
		}
		if (err == EAGAIN)
			err = 0;
	}
	wire_stream_fini(&s);
	return 0;
}
