/* SPDX-License-Identifier: ISC */
/*
 * Design: on one socket TURN mixes STUN messages with channel data, which the
 * first two bits tell apart. Over a stream both are padded to four bytes;
 * over UDP channel data need not be, and what follows its length is ignored.
 */
#include "stun/turn.h"

#include <errno.h>

enum {
	PAD_MASK = 3,
};

int stun_turn_frame(enum stun_turn_kind *kind, size_t *n_bytes, struct slice in)
{
	struct rd r = rd_init(in);
	size_t n;
	int err;

	if (in.n == 0 || !(in.p[0] & 0xc0)) {
		err = stun_msg_frame(n_bytes, in);
		if (!err)
			*kind = STUN_TURN_MSG;
		return err;
	}
	if ((in.p[0] & 0xf0) != STUN_CHANNEL_MIN >> 8)
		return EBADMSG;
	(void)rd_u16(&r);
	n = STUN_CHANNEL_HDR_BYTES + (size_t)rd_u16(&r);
	n += -n & PAD_MASK;
	if (r.bad || in.n < n)
		return EAGAIN;
	*kind = STUN_TURN_DATA;
	*n_bytes = n;
	return 0;
}

int stun_channel_decode(uint16_t *channel, struct slice *data, struct slice in)
{
	struct rd r = rd_init(in);
	uint16_t number = rd_u16(&r);
	struct slice body = rd_take(&r, rd_u16(&r));

	if (r.bad || number < STUN_CHANNEL_MIN || number > STUN_CHANNEL_MAX)
		return EBADMSG;
	*channel = number;
	*data = body;
	return 0;
}

void stun_put_channel(struct wr *w, uint16_t channel, struct slice data)
{
	if (data.n > UINT16_MAX)
		w->bad = true;
	wr_u16(w, channel);
	wr_u16(w, (uint16_t)data.n);
	wr_put(w, data);
	for (size_t pad = -data.n & PAD_MASK; pad > 0; pad--)
		wr_u8(w, 0);
}

void stun_put_u32(struct wr *w, uint16_t type, uint32_t v)
{
	uint8_t buf[sizeof(v)];
	struct wr val = wr_init(buf, sizeof(buf));

	wr_u32(&val, v);
	stun_put_attr(w, type, wr_slice(&val));
}

int stun_msg_u32(uint32_t *v, const struct stun_msg *msg, uint16_t type)
{
	struct slice val;
	struct rd r;
	int err;

	err = stun_msg_attr(&val, msg, type);
	if (err)
		return err;
	if (val.n != sizeof(*v))
		return EBADMSG;
	r = rd_init(val);
	*v = rd_u32(&r);
	return 0;
}
