/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <stdlib.h>

#include "wire/mirror.h"

/* What was read must be written back as the same bytes. */
static void check_round_trip(const struct wire_mirror *m, struct slice in)
{
	struct wr w = wr_init_heap();

	wire_mirror_put(&w, m);
	if (!w.bad && m->source.family != ADDR_NONE && w.n != in.n)
		abort();
	wr_fini(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = {data, size};
	struct wr store = wr_init_heap();
	struct wire_mirror m;

	if (!wire_mirror_decode(&m, &store, in))
		check_round_trip(&m, in);
	(void)!wire_mirror_body_decode(&m, &store, in);
	wr_fini(&store);
	return 0;
}
