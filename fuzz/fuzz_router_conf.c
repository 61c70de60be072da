/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <stdlib.h>

#include "router/conf.h"

/* Refused words lie in the input; accepted ones stay within the tables. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct router_conf c = router_defaults;
	struct slice bad = {0};

	if (router_conf_read(&c, &bad, (struct slice){data, size}) != 0 &&
	    (bad.p < data || bad.p + bad.n > data + size))
		abort();
	if (c.n_rules > ROUTER_MAX_RULES ||
	    c.nat.n_ranges > ROUTER_NAT_MAX_RANGES)
		abort();
	return 0;
}
