/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <stdlib.h>

#include "lab/alg.h"

/* No listing may be read as both, nor an empty one as an active helper. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = {data, size};
	struct lab_alg alg;

	lab_alg_parse(&alg, in);
	if (lab_alg_is_active(&alg) && lab_alg_is_absent(&alg))
		abort();
	if (size == 0 && alg.has_entry)
		abort();
	return 0;
}
