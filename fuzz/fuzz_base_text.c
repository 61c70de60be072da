/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <stdlib.h>

#include "base/addr.h"
#include "base/text.h"

/* What is written must read back as the same bytes. */
static void check_round_trip(struct slice in)
{
	struct wr text = wr_init_heap(), back = wr_init_heap();

	text_base64_put(&text, in, 76);
	if (text_base64_read(&back, wr_slice(&text)) ||
	    !slice_eq(wr_slice(&back), in))
		abort();
	wr_fini(&text);
	wr_fini(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = {data, size};
	struct wr w = wr_init_heap();
	struct prefix p;
	struct addr a;
	uint64_t v;

	(void)!text_base64_read(&w, in);
	(void)!text_hex_read(&w, in);
	text_escape_put(&w, in);
	(void)!addr_parse(&a, in);
	(void)!addr_parse_port(&a, in);
	(void)!prefix_parse(&p, in);
	(void)!text_u64(&v, in, UINT64_MAX);
	check_round_trip(in);
	wr_fini(&w);
	return 0;
}
