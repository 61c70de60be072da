/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include "wire/dgram.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = {data, size};
	struct wr store = wr_init_heap();
	struct wire_welcome welcome;
	struct wire_mirror mirror;
	struct wire_limited limited;
	struct wire_hello hello;
	struct wire_plain plain;
	struct wire_probe probe;
	struct wire_token token;
	struct wire_tag tag;

	(void)!wire_hello_decode(&hello, in);
	(void)!wire_welcome_decode(&welcome, in);
	(void)!wire_plain_decode(&plain, in);
	(void)!wire_probe_decode(&probe, in);
	(void)!wire_limited_decode(&limited, in);
	(void)!wire_mirror_dgram_decode(&mirror, &store, in);
	(void)wire_tag_find(&tag, in);
	(void)wire_token_find(&token, in);
	wr_fini(&store);
	return 0;
}
