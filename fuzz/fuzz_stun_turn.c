/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <stdlib.h>

#include "stun/turn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = {data, size}, body, again;
	enum stun_turn_kind kind;
	struct stun_msg m;
	uint16_t channel, same;
	uint32_t v;
	size_t n;

	while (!stun_turn_frame(&kind, &n, in)) {
		if (n == 0 || n > in.n)
			abort();
		if (kind == STUN_TURN_DATA &&
		    !stun_channel_decode(&channel, &body,
		                         slice_sub(in, 0, n))) {
			struct wr w = wr_init_heap();

			stun_put_channel(&w, channel, body);
			if (w.bad || w.n != n ||
			    stun_channel_decode(&same, &again, wr_slice(&w)) ||
			    same != channel || !slice_eq(again, body))
				abort();
			wr_fini(&w);
		} else if (kind == STUN_TURN_MSG &&
		           !stun_msg_decode(&m, slice_sub(in, 0, n))) {
			(void)!stun_msg_u32(&v, &m, STUN_ATTR_LIFETIME);
		}
		in = slice_sub(in, n, SIZE_MAX);
	}
	return 0;
}
