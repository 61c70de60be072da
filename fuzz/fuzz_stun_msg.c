/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <errno.h>
#include <stdlib.h>

#include "stun/msg.h"

/* An address that can be read can be written, and reads the same again. */
static void check_addr(const struct stun_msg *m, uint16_t type)
{
	uint8_t buf[64];
	struct wr w = wr_init(buf, sizeof(buf));
	struct addr a, back;
	struct stun_msg again;

	if (stun_msg_addr(&a, m, type))
		return;
	stun_put_head(&w, m->cls, m->method, m->tid);
	stun_put_addr(&w, type, &a);
	stun_put_fingerprint(&w);
	if (w.bad || stun_msg_decode(&again, wr_slice(&w)) ||
	    again.method != m->method || again.cls != m->cls ||
	    stun_msg_fingerprint(&again) ||
	    stun_msg_addr(&back, &again, type) || !addr_eq(&a, &back))
		abort();
}

/* Whatever is asked, the answer decodes and obeys the limit. */
static void check_answer(const struct stun_msg *m)
{
	const struct addr from = {ADDR_IP4, {192, 0, 2, 1}, 5060};
	uint8_t buf[128];
	struct wr w = wr_init(buf, sizeof(buf));
	struct stun_msg answer;

	if (stun_msg_answer(&w, m, &from, m->bytes.n))
		return;
	if (w.n > m->bytes.n || stun_msg_decode(&answer, wr_slice(&w)) ||
	    stun_msg_fingerprint(&answer) == EBADMSG)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = {data, size}, val;
	uint16_t types[STUN_UNKNOWN_MAX];
	struct stun_msg m;
	unsigned code;
	size_t n;

	/* what a frame holds, or what decodes, agree on the length */
	if (stun_msg_frame(&n, in) == 0 && n > size)
		abort();
	if (stun_msg_decode(&m, in))
		return 0;
	if (stun_msg_frame(&n, in) || n != size)
		abort();
	for (unsigned type = 0; type <= 0xffff; type += 0x0fff)
		(void)!stun_msg_attr(&val, &m, (uint16_t)type);
	(void)!stun_msg_error(&code, &val, &m);
	(void)!stun_msg_fingerprint(&m);
	(void)stun_msg_unknown(types, &m);
	check_addr(&m, STUN_ATTR_XOR_MAPPED_ADDRESS);
	check_addr(&m, STUN_ATTR_MAPPED_ADDRESS);
	check_answer(&m);
	return 0;
}
