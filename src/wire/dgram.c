/* SPDX-License-Identifier: ISC */
#include "wire/dgram.h"

#include <errno.h>
#include <string.h>

enum {
	MAGIC = 0x50524df1, /* "PRM\xf1" */
	VERSION = 1,
};

static void put_header(struct wr *w, enum wire_dgram_type type)
{
	wr_u32(w, MAGIC);
	wr_u8(w, (uint8_t)type);
	wr_u8(w, VERSION);
	wr_u16(w, 0);
}

static void put_bytes(struct wr *w, const uint8_t *p, size_t n)
{
	wr_put(w, (struct slice){p, n});
}

static void read_bytes(uint8_t *to, struct rd *r, size_t n)
{
	struct slice s = rd_take(r, n);

	if (!r->bad)
		memcpy(to, s.p, n);
}

int wire_dgram_type(enum wire_dgram_type *type, struct slice in)
{
	struct rd r = rd_init(in);
	uint32_t magic = rd_u32(&r);
	uint8_t t = rd_u8(&r);
	uint8_t version = rd_u8(&r);

	(void)rd_u16(&r);
	if (r.bad || magic != MAGIC || version != VERSION || t < WIRE_HELLO ||
	    t > WIRE_LIMITED)
		return EBADMSG;
	*type = (enum wire_dgram_type)t;
	return 0;
}

/* The reader stands behind the header; bad when it is another type. */
static struct rd read_header(struct slice in, enum wire_dgram_type want)
{
	struct rd r = rd_init(in);
	enum wire_dgram_type type;

	if (wire_dgram_type(&type, in) || type != want)
		r.bad = true;
	(void)rd_take(&r, WIRE_DGRAM_HDR_BYTES);
	return r;
}

void wire_hello_put(struct wr *w, const struct wire_hello *h)
{
	static const uint8_t zeros[WIRE_HELLO_BYTES];

	put_header(w, WIRE_HELLO);
	put_bytes(w, h->session, sizeof(h->session));
	put_bytes(w, h->nonce, sizeof(h->nonce));
	put_bytes(w, zeros,
	          WIRE_HELLO_BYTES - WIRE_DGRAM_HDR_BYTES - WIRE_SESSION_BYTES -
	                  WIRE_NONCE_BYTES);
}

int wire_hello_decode(struct wire_hello *h, struct slice in)
{
	struct rd r = read_header(in, WIRE_HELLO);
	struct wire_hello got = {0};

	read_bytes(got.session, &r, sizeof(got.session));
	read_bytes(got.nonce, &r, sizeof(got.nonce));
	if (r.bad || in.n != WIRE_HELLO_BYTES)
		return EBADMSG;
	*h = got;
	return 0;
}

static void put_welcome(struct wr *w, const struct wire_welcome *h)
{
	put_header(w, WIRE_WELCOME);
	put_bytes(w, h->nonce, sizeof(h->nonce));
	wr_u32(w, h->token.expiry_s);
	put_bytes(w, h->token.mac, sizeof(h->token.mac));
	wire_addr_put(w, &h->source);
	wr_u64(w, (uint64_t)h->wall_ns);
}

void wire_welcome_put(struct wr *w, const struct wire_welcome *h)
{
	put_welcome(w, h);
	wire_services_put(w, &h->services);
}

void wire_welcome_put_with(struct wr *w, const struct wire_welcome *h,
                           struct slice services)
{
	put_welcome(w, h);
	wr_put(w, services);
}

int wire_welcome_decode(struct wire_welcome *h, struct slice in)
{
	struct rd r = read_header(in, WIRE_WELCOME);
	struct wire_welcome got = {0};

	read_bytes(got.nonce, &r, sizeof(got.nonce));
	got.token.expiry_s = rd_u32(&r);
	read_bytes(got.token.mac, &r, sizeof(got.token.mac));
	got.source = wire_addr_read(&r);
	got.wall_ns = (int64_t)rd_u64(&r);
	wire_services_read(&got.services, &r);
	if (r.bad || r.left)
		return EBADMSG;
	*h = got;
	return 0;
}

void wire_plain_put(struct wr *w, const struct wire_plain *p)
{
	put_header(w, WIRE_PLAIN);
	wire_tag_put(w, &p->tag);
	wire_token_put(w, &p->token);
	wr_put(w, p->payload);
}

int wire_plain_decode(struct wire_plain *p, struct slice in)
{
	struct rd r = read_header(in, WIRE_PLAIN);
	struct wire_plain got;

	if (!wire_tag_find(&got.tag, rd_take(&r, WIRE_TAG_CHARS)) ||
	    !wire_token_find(&got.token, rd_take(&r, WIRE_TOKEN_CHARS)))
		return EBADMSG;
	got.payload = rd_take(&r, r.left);
	*p = got;
	return 0;
}

void wire_probe_put(struct wr *w, const struct wire_probe *p)
{
	put_header(w, WIRE_PROBE);
	wire_tag_put(w, &p->tag);
	wr_put(w, p->payload);
}

int wire_probe_decode(struct wire_probe *p, struct slice in)
{
	struct rd r = read_header(in, WIRE_PROBE);
	struct wire_probe got;

	if (!wire_tag_find(&got.tag, rd_take(&r, WIRE_TAG_CHARS)))
		return EBADMSG;
	got.payload = rd_take(&r, r.left);
	*p = got;
	return 0;
}

void wire_mirror_dgram_put(struct wr *w, const struct wire_mirror *m)
{
	put_header(w, WIRE_MIRROR);
	wire_mirror_put(w, m);
}

int wire_mirror_dgram_decode(struct wire_mirror *m, struct wr *store,
                             struct slice in)
{
	struct rd r = read_header(in, WIRE_MIRROR);

	if (r.bad)
		return EBADMSG;
	return wire_mirror_decode(m, store, rd_take(&r, r.left));
}

struct slice wire_limited_head(void)
{
	static uint8_t bytes[WIRE_DGRAM_HDR_BYTES];
	struct wr w = wr_init(bytes, sizeof(bytes));

	put_header(&w, WIRE_LIMITED);
	return wr_slice(&w);
}

void wire_limited_put(struct wr *w, const struct wire_limited *l)
{
	put_header(w, WIRE_LIMITED);
	wr_u16(w, l->wait_s);
}

int wire_limited_decode(struct wire_limited *l, struct slice in)
{
	struct rd r = read_header(in, WIRE_LIMITED);
	uint16_t wait_s = rd_u16(&r);

	if (r.bad || r.left)
		return EBADMSG;
	l->wait_s = wait_s;
	return 0;
}
