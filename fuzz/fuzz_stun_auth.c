/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <stdlib.h>

#include "stun/auth.h"

/* Whatever a server asks for, an answer to it can be built that it can
 * check. */
static void check_answer(const struct stun_challenge *c)
{
	const struct slice user = slice_str("user");
	const uint8_t tid[STUN_TID_BYTES] = {0};
	struct wr w = wr_init_heap();
	struct stun_msg m;
	struct stun_key key;

	if (stun_key_make(&key, c->algorithm, user, c->realm,
	                  slice_str("secret")))
		abort();
	stun_put_head(&w, STUN_CLASS_REQUEST, STUN_METHOD_BINDING, tid);
	stun_put_credentials(&w, c, user);
	stun_put_integrity(&w, c->integrity, &key);
	if (w.bad || stun_msg_decode(&m, wr_slice(&w)) ||
	    stun_msg_integrity(&m, c->integrity, &key))
		abort();
	wr_fini(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct stun_key key = {.bytes = {1, 2, 3}, .n = 16};
	struct stun_challenge c;
	struct stun_msg m;

	if (stun_msg_decode(&m, (struct slice){data, size}))
		return 0;
	(void)!stun_msg_integrity(&m, STUN_INTEGRITY_SHA1, &key);
	(void)!stun_msg_integrity(&m, STUN_INTEGRITY_SHA256, &key);
	if (!stun_msg_challenge(&c, &m))
		check_answer(&c);
	return 0;
}
