/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <stdlib.h>

#include "edge/xmpp.h"

/* The first byte says in what pieces the rest comes, and whether under TLS. */
static void stream(unsigned how, struct slice in)
{
	uint8_t buf[EDGE_XMPP_ANSWER_MAX_BYTES];
	struct wr w = wr_init(buf, sizeof(buf));
	size_t step = (how >> 1) + 1;
	struct edge_xmpp *x;

	if (edge_xmpp_alloc(&x, how & 1, 1))
		return;
	for (size_t at = 0; at < in.n; at += step) {
		if (edge_xmpp_push(x, &w, slice_sub(in, at, step)) !=
		    EDGE_XMPP_MORE)
			break;
	}
	if (w.bad)
		abort();
	edge_xmpp_free(x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_sub((struct slice){data, size}, 1, SIZE_MAX);
	uint8_t buf[EDGE_XMPP_ANSWER_MAX_BYTES];
	struct wr w = wr_init(buf, sizeof(buf));

	stream(size ? data[0] : 0, in);
	(void)edge_xmpp_message(&w, in, 1);
	(void)!edge_xmpp_bosh(&w, in);
	if (w.bad)
		abort();
	return 0;
}
