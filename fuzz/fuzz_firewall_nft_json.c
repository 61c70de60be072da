/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <errno.h>
#include <stdlib.h>

#include "firewall/nft_json.h"

/* What is no fault is translated, and each fault has its place. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice in = {data, size};
	struct wr out = wr_init_heap();
	struct arena a;
	struct diag dg;
	int err;

	arena_init(&a);
	diag_init(&dg, &a, NULL, in);
	err = nft_json_put(&out, in, &dg);
	if (err != ENOMEM && (err == EBADMSG) != (dg.n_errors > 0))
		abort();
	for (const struct diag_item *it = dg.first; it; it = it->next) {
		if (it->line == 0)
			abort();
	}
	wr_fini(&out);
	arena_fini(&a);
	return 0;
}
