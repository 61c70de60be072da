/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <stdlib.h>

#include "net/ws_frame.h"

/* What decodes can be put, and then is the same bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = {data, size};
	struct wr w = wr_init_heap(), payload = wr_init_heap();
	struct net_ws_frame f;

	while (net_ws_frame_decode(&f, in, 4096) == 0) {
		if (f.bytes > in.n || f.bytes < 2 || f.payload.n > 4096)
			abort();
		net_ws_payload_put(&payload, &f);
		net_ws_frame_put(&w, f.opcode, f.is_final, f.mask,
		                 wr_slice(&payload));
		if (!slice_eq(wr_slice(&w), slice_sub(in, 0, f.bytes)))
			abort();
		in = slice_sub(in, f.bytes, SIZE_MAX);
		wr_fini(&w);
		wr_fini(&payload);
	}
	return 0;
}
