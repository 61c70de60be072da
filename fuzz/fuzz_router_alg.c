/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <stdlib.h>

#include "router/alg.h"

/* No message may be edited without a note, nor grow without a bound. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t text[1 << 18];
	struct rd in = rd_init((struct slice){data, size});
	struct wr w = wr_init(text, sizeof(text));
	struct router_alg_conf conf = router_alg_defaults;
	struct router_nat_conf nat_conf = router_nat_defaults;
	struct router_flow flow = {
		.src = {ADDR_IP4, {192, 0, 2, 33}, 5060},
		.dst = {ADDR_IP4, {198, 51, 100, 10}, 5060},
		.new_src = {ADDR_IP4, {203, 0, 113, 2}, 40000},
		.new_dst = {ADDR_IP4, {198, 51, 100, 10}, 5060},
		.is_out = true};
	struct router_alg *a = NULL;
	struct router_nat *nat = NULL;
	struct slice msg;
	uint8_t how;
	uint64_t n = 0;

	nat_conf.n_ext = 1;
	nat_conf.ext[0] = (struct addr){ADDR_IP4, {203, 0, 113, 2}, 0};
	nat_conf.max_mappings = 4;
	conf.set = rd_u64(&in);
	how = rd_u8(&in);
	if (in.bad)
		return 0;
	if (router_nat_alloc(&nat, &nat_conf, 1) != 0 ||
	    router_alg_alloc(&a, &conf, nat) != 0)
		abort();
	flow.is_out = how & 1;
	if (!flow.is_out) {
		struct addr phone = flow.src;

		flow.src = flow.new_src = flow.dst;
		flow.dst = (struct addr){ADDR_IP4, {203, 0, 113, 2}, 40000};
		flow.new_dst = phone;
	}
	msg = rd_take(&in, in.left);
	if (router_alg_take(a, &w, msg, &flow,
	                    how & 2 ? ROUTER_TCP : ROUTER_UDP,
	                    0) == ROUTER_ALG_EDITED) {
		for (unsigned i = 0; i < ROUTER_ALG_BEHAVIOURS; i++)
			n += router_alg_count(a, (enum router_alg_id)i,
			                      !flow.is_out);
		if (n == 0 || w.n > msg.n + 16384)
			abort();
	}
	router_alg_free(a);
	router_nat_free(nat);
	return 0;
}
