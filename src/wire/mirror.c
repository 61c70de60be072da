/* SPDX-License-Identifier: ISC */
/*
 * Design: a decoder needs somewhere to put the bytes once they are unmasked.
 * That is the caller's writer, so a prober keeps every mirror of a run in
 * one growing buffer or one arena, and nothing is freed singly. The digest
 * is verified here, once, so nobody compares against a damaged mirror.
 */
#include "wire/mirror.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "wire/control.h"

enum {
	VERSION = 1,
	BYTE_MASK = 0xa5,
	CHUNK_BYTES = 256,
};

static void put_masked(struct wr *w, struct slice s)
{
	uint8_t chunk[CHUNK_BYTES];

	for (size_t at = 0; at < s.n; at += CHUNK_BYTES) {
		struct slice part = slice_sub(s, at, CHUNK_BYTES);

		for (size_t i = 0; i < part.n; i++)
			chunk[i] = part.p[i] ^ BYTE_MASK;
		wr_put(w, (struct slice){chunk, part.n});
	}
}

void wire_mirror_put(struct wr *w, const struct wire_mirror *m)
{
	wr_u8(w, VERSION);
	wr_u8(w, (uint8_t)m->flags);
	wr_u8(w, (uint8_t)m->transport);
	wr_u8(w, m->ttl);
	wr_u16(w, m->local_port);
	wr_put(w, (struct slice){m->tag.session, WIRE_SESSION_BYTES});
	wr_u16(w, m->tag.shot);
	wire_addr_put(w, &m->source);
	wr_u64(w, (uint64_t)m->arrival_wall_ns);
	wr_u32(w, m->full_bytes);
	wr_put(w, (struct slice){m->sha256, WIRE_SHA256_BYTES});
	wr_u32(w, (uint32_t)m->bytes.n);
	put_masked(w, m->bytes);
}

static void read_header(struct wire_mirror *m, struct rd *r)
{
	uint8_t transport;
	struct slice s;

	m->flags = rd_u8(r);
	transport = rd_u8(r);
	if (transport < WIRE_UDP || transport > WIRE_TLS)
		r->bad = true;
	m->transport = (enum wire_transport)transport;
	m->ttl = rd_u8(r);
	m->local_port = rd_u16(r);
	s = rd_take(r, WIRE_SESSION_BYTES);
	if (!r->bad)
		memcpy(m->tag.session, s.p, s.n);
	m->tag.shot = rd_u16(r);
	m->source = wire_addr_read(r);
	m->arrival_wall_ns = (int64_t)rd_u64(r);
	m->full_bytes = rd_u32(r);
	s = rd_take(r, WIRE_SHA256_BYTES);
	if (!r->bad)
		memcpy(m->sha256, s.p, s.n);
}

/* Unmasks onto the end of store; `bytes` may lie in it no more. */
static int take_bytes(struct wire_mirror *m, struct wr *store, struct slice in)
{
	uint8_t digest[WIRE_SHA256_BYTES];
	size_t from = store->n;

	put_masked(store, in);
	if (store->bad)
		return ENOMEM;
	m->bytes = slice_sub(wr_slice(store), from, in.n);
	if (m->flags & WIRE_MIRROR_OMITTED)
		return in.n ? EBADMSG : 0;
	wire_sha256(digest, m->bytes);
	if (m->full_bytes != in.n ||
	    memcmp(digest, m->sha256, sizeof(digest)) != 0)
		return EBADMSG;
	return 0;
}

int wire_mirror_decode(struct wire_mirror *m, struct wr *store, struct slice in)
{
	struct rd r = rd_init(in);
	struct wire_mirror got = {0};
	struct slice bytes;
	int err;

	if (rd_u8(&r) != VERSION)
		return EBADMSG;
	read_header(&got, &r);
	bytes = rd_take(&r, rd_u32(&r));
	if (r.bad || r.left || bytes.n > WIRE_MSG_MAX_BYTES)
		return EBADMSG;
	err = take_bytes(&got, store, bytes);
	if (err)
		return err;
	*m = got;
	return 0;
}

int wire_mirror_body_decode(struct wire_mirror *m, struct wr *store,
                            struct slice text)
{
	struct wr bin = wr_init_heap();
	int err;

	err = text_base64_read(&bin, text);
	if (!err && bin.bad)
		err = ENOMEM;
	if (!err)
		err = wire_mirror_decode(m, store, wr_slice(&bin));
	wr_fini(&bin);
	return err;
}
