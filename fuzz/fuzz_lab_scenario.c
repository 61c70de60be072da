/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <stdlib.h>

#include "lab/plan.h"
#include "lab/scenario.h"

enum {
	MAX_ARENA_BYTES = 64 << 20,
};

/* Whatever was taken makes a lab that can be planned and served. */
static void check(const struct lab_scenario *s)
{
	if (lab_plan_check(&s->spec) != 0)
		abort();
	for (size_t i = 0; i < s->n_servers; i++) {
		const struct lab_server *server = &s->servers[i];
		struct lab_site site = {.server = server,
		                        .dir = "/d",
		                        .cert = "/c",
		                        .key = "/k",
		                        .ca = "/a",
		                        .prumo = "/p",
		                        .names = s->names,
		                        .n_names = s->n_names};
		struct wr w = wr_init_heap();

		if (server->service->conf)
			server->service->conf(&w, &site);
		server->service->argv(&w, &site);
		wr_fini(&w);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = {data, size};
	const struct lab_scenario *s = NULL;
	struct arena arena;
	struct diag dg;
	int err;

	arena_init(&arena);
	diag_init(&dg, &arena, "fuzz", in);
	err = lab_scenario_read(&s, &arena, in, &dg);
	/* Refused with words, or read without any. */
	if (!err != !dg.n_errors)
		abort();
	if (arena.bytes > MAX_ARENA_BYTES)
		abort();
	if (!err)
		check(s);
	arena_fini(&arena);
	return 0;
}
