/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include "mend.h"

/* Whatever is read can be written. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct fw_dialect *d = fw_dialect_find("vyos");
	const struct slice text = {data, size};
	struct wr out = wr_init_heap();
	struct fw_rules rules;
	struct arena arena;
	struct diag dg;

	arena_init(&arena);
	fw_rules_init(&rules);
	diag_init(&dg, &arena, NULL, text);
	(void)d->recognise(text);
	(void)!d->parse(&rules, text, &dg);
	if (size < 1 << 14)
		mend(&rules, &arena, "eth1", "eth0");
	rules.dialect = NULL;
	(void)!fw_emit(&out, d, &rules, &dg);
	wr_fini(&out);
	fw_rules_fini(&rules);
	arena_fini(&arena);
	return 0;
}
