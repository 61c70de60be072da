/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <stdlib.h>

#include "base/text.h"
#include "report/page.h"

/* Whatever goes in, only printable text and line ends come out. */
static void check_printable(struct slice s, bool is_utf8)
{
	while (s.n > 0) {
		size_t n = text_utf8_len(s);

		if (n == 0 || (n > 1 && !is_utf8))
			abort();
		if (n == 1 && *s.p != '\n' && (*s.p < 0x20 || *s.p == 0x7f))
			abort();
		if (n == 2 && s.p[0] == 0xc2 && s.p[1] < 0xa0)
			abort();
		s = slice_sub(s, n, s.n);
	}
}

static void check(struct slice in, const struct report_style *st)
{
	struct page_para pa = {.indent = 3,
	                       .hang = 5,
	                       .lead = "-",
	                       .lead_columns = 2,
	                       .text = in};
	struct wr w = wr_init_heap();

	page_put(&w, st, &pa);
	page_escape_put(&w, st, in);
	check_printable(wr_slice(&w), st->is_utf8);
	wr_fini(&w);
}

static void check_diag(struct slice in, const struct report_style *st)
{
	struct wr w = wr_init_heap();
	struct arena a;
	struct diag dg;

	arena_init(&a);
	diag_init(&dg, &a, "x", in);
	diag_add(&dg, DIAG_ERROR, slice_sub(in, in.n / 2, 9), "bad");
	if (report_write_diag(&w, &dg, st))
		abort();
	check_printable(wr_slice(&w), st->is_utf8);
	wr_fini(&w);
	arena_fini(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct report_style st = {.width = size > 0 ? data[0] : 0};
	struct slice in = {data, size};

	for (int i = 0; i < 2; i++) {
		st.is_utf8 = i > 0;
		check(in, &st);
		check_diag(in, &st);
	}
	return 0;
}
