/* SPDX-License-Identifier: ISC */
#include "edge/ws.h"

#include <errno.h>

enum {
	FIN = 0x80,
	RESERVED = 0x70,
	OPCODE = 0x0f,
	MASKED = 0x80,
	LENGTH = 0x7f,
	LENGTH_16 = 126,
	LENGTH_64 = 127,
	CONTROL = 8,
	CONTROL_MAX_BYTES = 125,
	MASK_BYTES = 4,
};

static bool is_known(unsigned opcode)
{
	return opcode <= EDGE_WS_BINARY ||
	       (opcode >= EDGE_WS_CLOSE && opcode <= EDGE_WS_PONG);
}

static uint64_t read_length(struct rd *r, unsigned second)
{
	unsigned n = second & LENGTH;

	if (n == LENGTH_16)
		return rd_u16(r);
	if (n == LENGTH_64)
		return rd_u64(r);
	return n;
}

int edge_ws_read(struct edge_ws_frame *f, size_t *n_bytes, uint8_t *buf,
                 size_t n)
{
	struct rd r = rd_init((struct slice){buf, n});
	unsigned first = rd_u8(&r), second = rd_u8(&r);
	unsigned opcode = first & OPCODE;
	struct slice mask;
	uint64_t length;
	size_t at;

	if (r.bad)
		return EAGAIN;
	if (first & RESERVED || !(second & MASKED) || !is_known(opcode))
		return EBADMSG;
	if (opcode & CONTROL &&
	    (!(first & FIN) || (second & LENGTH) > CONTROL_MAX_BYTES))
		return EBADMSG;
	length = read_length(&r, second);
	if (r.bad)
		return EAGAIN;
	if (length > EDGE_WS_MAX_BYTES)
		return EMSGSIZE;
	mask = rd_take(&r, MASK_BYTES);
	at = n - r.left;
	if (r.bad || r.left < length)
		return EAGAIN;
	for (size_t i = 0; i < length; i++)
		buf[at + i] ^= mask.p[i % MASK_BYTES];
	*f = (struct edge_ws_frame){
		.opcode = (enum edge_ws_opcode)opcode,
		.is_last = first & FIN,
		.payload = {buf + at, (size_t)length},
	};
	*n_bytes = at + (size_t)length;
	return 0;
}

void edge_ws_put(struct wr *w, enum edge_ws_opcode opcode, struct slice payload)
{
	wr_u8(w, (uint8_t)(FIN | opcode));
	if (payload.n < LENGTH_16) {
		wr_u8(w, (uint8_t)payload.n);
	} else if (payload.n <= UINT16_MAX) {
		wr_u8(w, LENGTH_16);
		wr_u16(w, (uint16_t)payload.n);
	} else {
		wr_u8(w, LENGTH_64);
		wr_u64(w, payload.n);
	}
	wr_put(w, payload);
}

void edge_ws_put_close(struct wr *w, uint16_t reason)
{
	uint8_t buf[2];
	struct wr b = wr_init(buf, sizeof(buf));

	wr_u16(&b, reason);
	edge_ws_put(w, EDGE_WS_CLOSE, wr_slice(&b));
}
