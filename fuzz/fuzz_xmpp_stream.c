/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "xmpp/stream.h"

static void check_text(const char text[XMPP_TEXT_BYTES])
{
	struct slice s = slice_str(text);

	if (s.n >= XMPP_TEXT_BYTES)
		abort();
	while (s.n) {
		size_t n = text_utf8_len(s);

		if (n == 0)
			abort();
		s = slice_sub(s, n, SIZE_MAX);
	}
}

/* The first byte says how the rest is cut; a 0x01 starts a new document. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init((struct slice){data, size});
	size_t step = rd_u8(&r) + (size_t)1;
	const struct xmpp_said *said;
	struct xmpp_stream *s;
	int err = 0;

	if (xmpp_stream_alloc(&s))
		return 0;
	said = xmpp_stream_said(s);
	while (r.left && !err) {
		if (*r.p == 1) {
			(void)rd_u8(&r);
			err = xmpp_stream_restart(s);
			continue;
		}
		err = xmpp_stream_feed(
			s, rd_take(&r, r.left < step ? r.left : step));
	}
	check_text(said->from);
	check_text(said->id);
	check_text(said->sid);
	check_text(said->version);
	check_text(said->condition);
	if (said->n_mechanisms > XMPP_MECHANISMS_MAX)
		abort();
	for (size_t i = 0; i < said->n_mechanisms; i++)
		check_text(said->mechanisms[i]);
	xmpp_stream_free(s);
	return 0;
}
