/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <stdlib.h>

#include "net/quote.h"

static void check(struct slice in, enum addr_family family)
{
	struct net_quote q;

	if (net_quote_read(&q, in, family))
		return;
	if (q.src.family != family || q.dst.family != family)
		abort();
	if (q.payload.n &&
	    (q.payload.p < in.p || q.payload.p + q.payload.n > in.p + in.n))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = {data, size};

	check(in, ADDR_IP4);
	check(in, ADDR_IP6);
	return 0;
}
