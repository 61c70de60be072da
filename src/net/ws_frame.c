/* SPDX-License-Identifier: ISC */
#include "net/ws_frame.h"

#include <errno.h>

#include <openssl/evp.h>

#include "base/text.h"

enum {
	BIT_FIN = 0x80,
	BITS_RESERVED = 0x70,
	BITS_OPCODE = 0x0f,
	BIT_CONTROL = 0x08,
	BIT_MASK = 0x80,
	BITS_LENGTH = 0x7f,
	LENGTH_16 = 126,
	LENGTH_64 = 127,
	SHA1_BYTES = 20,
};

static bool is_known(uint8_t opcode)
{
	return opcode <= NET_WS_BINARY ||
	       (opcode >= NET_WS_CLOSE && opcode <= NET_WS_PONG);
}

/* @return 0, EAGAIN or EBADMSG */
static int read_length(uint64_t *n, struct rd *r, uint8_t second)
{
	uint64_t least = 0;

	*n = second & BITS_LENGTH;
	if (*n == LENGTH_16) {
		*n = rd_u16(r);
		least = LENGTH_16;
	} else if (*n == LENGTH_64) {
		*n = rd_u64(r);
		least = UINT16_MAX + 1;
	}
	if (r->bad)
		return EAGAIN;
	return *n < least || *n > INT64_MAX ? EBADMSG : 0;
}

int net_ws_frame_decode(struct net_ws_frame *out, struct slice in,
                        size_t max_bytes)
{
	struct rd r = rd_init(in);
	struct net_ws_frame f = {0};
	uint8_t first = rd_u8(&r), second = rd_u8(&r), opcode;
	uint64_t n;
	int err;

	if (in.n && (first & BITS_RESERVED || !is_known(first & BITS_OPCODE)))
		return EBADMSG;
	if (r.bad)
		return EAGAIN;
	opcode = first & BITS_OPCODE;
	f.opcode = (enum net_ws_opcode)opcode;
	f.is_final = first & BIT_FIN;
	if (opcode & BIT_CONTROL &&
	    (!f.is_final || (second & BITS_LENGTH) > NET_WS_CONTROL_BYTES))
		return EBADMSG;
	err = read_length(&n, &r, second);
	if (err)
		return err;
	if (n > max_bytes)
		return EMSGSIZE;
	if (second & BIT_MASK)
		f.mask = rd_take(&r, NET_WS_MASK_BYTES);
	f.payload = rd_take(&r, (size_t)n);
	if (r.bad)
		return EAGAIN;
	f.bytes = in.n - r.left;
	*out = f;
	return 0;
}

static void put_masked(struct wr *w, struct slice mask, struct slice payload)
{
	for (size_t i = 0; i < payload.n && !w->bad; i++)
		wr_u8(w, payload.p[i] ^ mask.p[i % NET_WS_MASK_BYTES]);
}

void net_ws_frame_put(struct wr *w, enum net_ws_opcode opcode, bool is_final,
                      struct slice mask, struct slice payload)
{
	uint8_t bit = mask.n ? BIT_MASK : 0;

	wr_u8(w, (uint8_t)((is_final ? BIT_FIN : 0) | opcode));
	if (payload.n < LENGTH_16) {
		wr_u8(w, (uint8_t)(bit | payload.n));
	} else if (payload.n <= UINT16_MAX) {
		wr_u8(w, bit | LENGTH_16);
		wr_u16(w, (uint16_t)payload.n);
	} else {
		wr_u8(w, bit | LENGTH_64);
		wr_u64(w, payload.n);
	}
	wr_put(w, mask);
	if (mask.n)
		put_masked(w, mask, payload);
	else
		wr_put(w, payload);
}

void net_ws_payload_put(struct wr *w, const struct net_ws_frame *f)
{
	if (f->mask.n)
		put_masked(w, f->mask, f->payload);
	else
		wr_put(w, f->payload);
}

int net_ws_accept(uint8_t out[NET_WS_KEY_BYTES], struct slice key)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	struct wr in = wr_init_heap(), text = wr_init(out, NET_WS_KEY_BYTES);
	uint8_t hash[SHA1_BYTES];
	int err = ENOMEM;

	wr_put(&in, key);
	wr_str(&in, guid);
	if (!in.bad && EVP_Digest(in.p, in.n, hash, NULL, EVP_sha1(), NULL)) {
		text_base64_put(&text, (struct slice){hash, sizeof(hash)}, 0);
		err = 0;
	}
	wr_fini(&in);
	return err;
}
