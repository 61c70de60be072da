/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "edge/ws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *buf = malloc(size + 1);
	struct edge_ws_frame f;
	size_t at = 0, n;

	if (!buf)
		return 0;
	memcpy(buf, data, size);
	while (!edge_ws_read(&f, &n, buf + at, size - at)) {
		if (n < f.payload.n || n > size - at)
			abort();
		at += n;
	}
	free(buf);
	return 0;
}
