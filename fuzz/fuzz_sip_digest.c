/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <stdlib.h>

#include "sip/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sip_challenge c;
	struct sip_digest d = {
		.challenge = &c,
		.user = slice_str("alice"),
		.password = slice_str("secret"),
		.method = slice_str("REGISTER"),
		.uri = slice_str("sip:example.com"),
		.cnonce = slice_str("0123"),
		.nc = 1,
	};
	struct wr w = wr_init_heap();
	struct sip_msg m;

	sip_msg_read(&m, (struct slice){data, size});
	if (!sip_msg_challenge(&c, &m)) {
		if (sip_digest_put(&w, &d))
			abort();
		/* whatever the server wrote, it is one line of ours */
		if (slice_find(wr_slice(&w), slice_str("\r")) != w.n - 2 ||
		    slice_find(wr_slice(&w), slice_str("\n")) != w.n - 1)
			abort();
	}
	wr_fini(&w);
	return 0;
}
