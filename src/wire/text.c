/* SPDX-License-Identifier: ISC */
#include "wire/text.h"

#include <string.h>

#include "base/text.h"

enum {
	MAX_BYTES = 16,
};

bool wire_text_find(uint8_t *out, size_t n, const char *prefix,
                    struct slice bytes)
{
	struct slice head = slice_str(prefix);
	size_t whole = head.n + 2 * n;
	uint8_t found[MAX_BYTES];

	if (n > sizeof(found))
		return false;
	for (size_t i = 0; i + whole <= bytes.n; i++) {
		struct wr w = wr_init(found, n);

		if ((bytes.p[i] | 0x20) != head.p[0])
			continue;
		if (!slice_ieq(slice_sub(bytes, i, head.n), head))
			continue;
		if (text_hex_read(&w, slice_sub(bytes, i + head.n, 2 * n)))
			continue;
		memcpy(out, found, n);
		return true;
	}
	return false;
}
