/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include "firewall/audit.h"

/* Patched in front of anything; what is shown was read back. */
static void mend(struct fw_rules *rules, struct arena *a)
{
	struct fw_flow f = {.id = "sip",
	                    .is_sip = true,
	                    .min_udp_idle_s = 300,
	                    .min_tcp_idle_s = -1};
	const struct fw_question q = {
		.flows = &f,
		.n_flows = 1,
		.place = {.in = "bridge", .out = "ether1"}};
	struct fw_patch_out out;
	struct fw_ip lo, hi;
	size_t left;

	fw_patch_init(&out);
	if (fw_ip_parse(&lo, &hi, slice_str("192.0.2.1")) == 0 &&
	    fw_addrs_add_range(a, &f.dst, lo, hi) &&
	    fw_services_add(a, &f.services, 17, 5060, 5061))
		(void)!fw_patch_make(&out, &left, rules, &q);
	fw_patch_fini(&out);
}

/* Whatever is read can be written. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct fw_dialect *d = fw_dialect_find("routeros");
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
		mend(&rules, &arena);
	rules.dialect = NULL;
	(void)!fw_emit(&out, d, &rules, &dg);
	wr_fini(&out);
	fw_rules_fini(&rules);
	arena_fini(&arena);
	return 0;
}
