/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <stdlib.h>

#include "sip/diff.h"

static void check_inside(struct slice part, struct slice a, struct slice b)
{
	bool in_a = a.p && part.p >= a.p && part.p + part.n <= a.p + a.n;
	bool in_b = b.p && part.p >= b.p && part.p + part.n <= b.p + b.n;

	if (part.n && !in_a && !in_b)
		abort();
}

static void check(struct slice a, struct slice b)
{
	static struct sip_diff d;
	bool is_equal = slice_eq(a, b);

	sip_diff(&d, a, b, NULL);
	if (d.is_equal != is_equal || (d.n == 0) != is_equal)
		abort();
	for (size_t i = 0; i < d.n; i++) {
		check_inside(d.edits[i].before, a, a);
		check_inside(d.edits[i].after, b, b);
		if (d.edits[i].at > a.n)
			abort();
	}
	if (sip_diff_via_reflection(&d, a, b) == 0 && is_equal && d.n)
		abort();
}

/* Two messages with a NUL, or else one and its halves. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = {data, size};
	size_t at = slice_find(in, (struct slice){(const uint8_t *)"", 1});

	check(in, in);
	if (at == SIZE_MAX)
		at = size / 2;
	check(slice_sub(in, 0, at), slice_sub(in, at + 1, SIZE_MAX));
	check(in, slice_sub(in, at, SIZE_MAX));
	return 0;
}
