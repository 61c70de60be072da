/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <stdlib.h>

#include "profile/lint.h"
#include "profile/profile.h"

enum {
	MAX_ARENA_BYTES = 64 << 20
};

static void check(const struct profile *p)
{
	struct report r;

	report_init(&r);
	if (profile_lint(&r, p, "fuzz"))
		abort();
	if (profile_n_flows(p) >
	    (size_t)PROFILE_MAX_ROWS * PROFILE_MAX_PORTS * 3)
		abort();
	if (r.arena.bytes > MAX_ARENA_BYTES)
		abort();
	report_fini(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = {data, size};
	struct profile *p = NULL;
	struct arena arena;
	struct diag dg;
	int err;

	arena_init(&arena);
	diag_init(&dg, &arena, "fuzz", in);
	err = profile_load(&p, in, &dg);
	/* Refused with words, or read without any. */
	if (!err != !dg.n_errors)
		abort();
	if (arena.bytes > MAX_ARENA_BYTES)
		abort();
	if (!err)
		check(p);
	profile_free(p);
	arena_fini(&arena);
	return 0;
}
