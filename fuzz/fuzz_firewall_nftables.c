/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include "firewall/audit.h"

/* Reading and judging any text must end, and harm nothing. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct fw_dialect *d = fw_dialect_find("nftables");
	const struct slice in = {data, size};
	struct fw_flow flow = {.id = "any", .min_udp_idle_s = 300};
	const struct fw_question q = {.flows = &flow, .n_flows = 1};
	struct fw_rules rules;
	struct report r;
	struct arena a;
	struct diag dg;

	arena_init(&a);
	report_init(&r);
	fw_rules_init(&rules);
	diag_init(&dg, &a, NULL, in);
	(void)!d->parse(&rules, in, &dg);
	(void)!fw_audit(&r, &rules, &q, NULL);
	fw_rules_fini(&rules);
	report_fini(&r);
	arena_fini(&a);
	return 0;
}
