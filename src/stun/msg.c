/* SPDX-License-Identifier: ISC */
/*
 * Design: a message is checked once, whole, in stun_msg_decode(), down to
 * the bounds of its attributes. Their values stay undecoded until somebody
 * asks, because a probe looks at one or two of them; there is no attribute
 * table to size or to free.
 *
 * Only STUN with the magic cookie is accepted. RFC 3489 servers exist, but
 * they cannot tell XOR-MAPPED-ADDRESS, and nobody should depend on them.
 *
 * The builder repairs the length field after every attribute, instead of
 * once at the end, because FINGERPRINT is computed over a header that already
 * counts it.
 */
#include "stun/msg.h"

#include <errno.h>
#include <string.h>

#include "stun/turn.h"

enum {
	MAGIC_COOKIE = 0x2112a442,
	FINGERPRINT_XOR = 0x5354554e,
	PAD_MASK = 3, /* attributes are padded to 4 bytes (section 14) */
	ATTR_HDR_BYTES = 4,
	FINGERPRINT_BYTES = ATTR_HDR_BYTES + 4,
	LENGTH_AT = 2, /* where the header keeps its length field */
	COOKIE_AT = 4,
	FAMILY_IP4 = 1,
	FAMILY_IP6 = 2,
	MAX_ANSWER_BYTES = 128,
};

static uint16_t type_method(uint16_t type)
{
	return (uint16_t)((type & 0x3e00) >> 2 | (type & 0x00e0) >> 1 |
	                  (type & 0x000f));
}

static enum stun_class type_class(uint16_t type)
{
	return (enum stun_class)((type >> 7 & 2) | (type >> 4 & 1));
}

static uint16_t type_make(uint16_t method, enum stun_class cls)
{
	unsigned m = method, c = cls;

	return (uint16_t)((m & 0x0f80) << 2 | (m & 0x0070) << 1 | (m & 0x000f) |
	                  (c & 2) << 7 | (c & 1) << 4);
}

struct attr_iter {
	struct rd r;
	uint16_t last; /* type that narrows what may follow it, or 0 */
};

static bool attr_counts(const struct attr_iter *it, uint16_t type)
{
	switch (it->last) {
	case STUN_ATTR_MESSAGE_INTEGRITY:
		return type == STUN_ATTR_MESSAGE_INTEGRITY_SHA256 ||
		       type == STUN_ATTR_FINGERPRINT;
	case STUN_ATTR_MESSAGE_INTEGRITY_SHA256:
		return type == STUN_ATTR_FINGERPRINT;
	case STUN_ATTR_FINGERPRINT:
		return false;
	default:
		return true;
	}
}

/* false: no attribute is left, or (it->r.bad) one overruns the message */
static bool attr_next(struct attr_iter *it, uint16_t *type, struct slice *val)
{
	while (it->r.left) {
		uint16_t t = rd_u16(&it->r);
		uint16_t len = rd_u16(&it->r);
		struct slice v = rd_take(&it->r, len);

		(void)rd_take(&it->r, -(unsigned)len & PAD_MASK);
		if (it->r.bad)
			return false;
		if (!attr_counts(it, t))
			continue;
		if (t == STUN_ATTR_MESSAGE_INTEGRITY ||
		    t == STUN_ATTR_MESSAGE_INTEGRITY_SHA256 ||
		    t == STUN_ATTR_FINGERPRINT)
			it->last = t;
		*type = t;
		*val = v;
		return true;
	}
	return false;
}

static bool attrs_are_whole(struct slice attrs)
{
	struct attr_iter it = {.r = rd_init(attrs)};
	struct slice val;
	uint16_t type;

	while (attr_next(&it, &type, &val))
		;
	return !it.r.bad;
}

int stun_msg_decode(struct stun_msg *msg, struct slice in)
{
	struct rd r = rd_init(in);
	struct stun_msg m = {.bytes = in};
	struct slice tid;
	uint16_t type, len;

	type = rd_u16(&r);
	len = rd_u16(&r);
	if (rd_u32(&r) != MAGIC_COOKIE || type & 0xc000 || len & PAD_MASK)
		return EBADMSG;

	tid = rd_take(&r, STUN_TID_BYTES);
	m.attrs = rd_take(&r, len);
	if (r.bad || r.left || !attrs_are_whole(m.attrs))
		return EBADMSG;

	m.method = type_method(type);
	m.cls = type_class(type);
	memcpy(m.tid, tid.p, sizeof(m.tid));
	*msg = m;
	return 0;
}

int stun_msg_frame(size_t *n_bytes, struct slice in)
{
	static const uint8_t cookie[] = {0x21, 0x12, 0xa4, 0x42};
	const struct slice got = slice_sub(in, COOKIE_AT, sizeof(cookie));
	struct rd r = rd_init(in);
	uint16_t type, len;

	/* what cannot be STUN is told from its first bytes: a peer must not
	 * be able to keep a stream open by never sending the rest */
	if (in.n > 0 && in.p[0] & 0xc0)
		return EBADMSG;
	type = rd_u16(&r);
	len = rd_u16(&r);
	if (r.bad)
		return EAGAIN;
	if (type & 0xc000 || len & PAD_MASK ||
	    !slice_eq(got, (struct slice){cookie, got.n}))
		return EBADMSG;
	if (in.n < (size_t)STUN_HDR_BYTES + len)
		return EAGAIN;
	*n_bytes = (size_t)STUN_HDR_BYTES + len;
	return 0;
}

int stun_msg_attr(struct slice *val, const struct stun_msg *msg, uint16_t type)
{
	struct attr_iter it = {.r = rd_init(msg->attrs)};
	struct slice v;
	uint16_t t;

	while (attr_next(&it, &t, &v)) {
		if (t == type) {
			*val = v;
			return 0;
		}
	}
	return ENOENT;
}

static bool is_xored(uint16_t type)
{
	return type == STUN_ATTR_XOR_MAPPED_ADDRESS ||
	       type == STUN_ATTR_XOR_PEER_ADDRESS ||
	       type == STUN_ATTR_XOR_RELAYED_ADDRESS;
}

/* Section 14.2: the mask is the cookie followed by the transaction id. */
static void xor_addr(struct addr *a, const uint8_t tid[STUN_TID_BYTES])
{
	uint8_t mask[16] = {0x21, 0x12, 0xa4, 0x42};
	size_t n = addr_ip(a).n;

	memcpy(mask + 4, tid, STUN_TID_BYTES);
	for (size_t i = 0; i < n; i++)
		a->ip[i] ^= mask[i];
	a->port ^= MAGIC_COOKIE >> 16;
}

int stun_msg_addr(struct addr *a, const struct stun_msg *msg, uint16_t type)
{
	struct sockaddr_storage ss;
	struct addr out = {0};
	struct slice val, ip;
	struct rd r;
	uint8_t family;
	int err;

	err = stun_msg_attr(&val, msg, type);
	if (err)
		return err;
	r = rd_init(val);
	(void)rd_u8(&r);
	family = rd_u8(&r);
	out.port = rd_u16(&r);
	if (family != FAMILY_IP4 && family != FAMILY_IP6)
		return EBADMSG;
	out.family = family == FAMILY_IP4 ? ADDR_IP4 : ADDR_IP6;
	ip = rd_take(&r, addr_ip(&out).n);
	if (r.bad || r.left)
		return EBADMSG;
	memcpy(out.ip, ip.p, ip.n);
	if (is_xored(type))
		xor_addr(&out, msg->tid);

	/* an IPv4-mapped address must come out as IPv4, as everywhere */
	(void)addr_to_sockaddr(&ss, &out);
	*a = addr_from_sockaddr((const struct sockaddr *)&ss);
	return 0;
}

int stun_msg_error(unsigned *code, struct slice *reason,
                   const struct stun_msg *msg)
{
	unsigned hundreds, number;
	struct slice val;
	struct rd r;
	int err;

	err = stun_msg_attr(&val, msg, STUN_ATTR_ERROR_CODE);
	if (err)
		return err;
	r = rd_init(val);
	(void)rd_u16(&r);
	hundreds = rd_u8(&r) & 7;
	number = rd_u8(&r);
	if (r.bad || hundreds < 3 || hundreds > 6 || number > 99)
		return EBADMSG;
	if (reason)
		*reason = rd_take(&r, r.left);
	*code = hundreds * 100 + number;
	return 0;
}

static uint32_t crc32(struct slice s)
{
	static const uint32_t nibble[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
		0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < s.n; i++) {
		crc ^= s.p[i];
		crc = crc >> 4 ^ nibble[crc & 15];
		crc = crc >> 4 ^ nibble[crc & 15];
	}
	return ~crc;
}

int stun_msg_fingerprint(const struct stun_msg *msg)
{
	struct slice val;
	struct rd r;
	int err;

	err = stun_msg_attr(&val, msg, STUN_ATTR_FINGERPRINT);
	if (err)
		return err;
	if (val.n != 4 || val.p + val.n != msg->bytes.p + msg->bytes.n)
		return EBADMSG;
	r = rd_init(val);
	if ((crc32(slice_sub(msg->bytes, 0, msg->bytes.n - FINGERPRINT_BYTES)) ^
	     FINGERPRINT_XOR) != rd_u32(&r))
		return EBADMSG;
	return 0;
}

static bool is_understood(uint16_t type)
{
	switch (type) {
	case STUN_ATTR_MAPPED_ADDRESS:
	case STUN_ATTR_USERNAME:
	case STUN_ATTR_MESSAGE_INTEGRITY:
	case STUN_ATTR_ERROR_CODE:
	case STUN_ATTR_UNKNOWN_ATTRIBUTES:
	case STUN_ATTR_REALM:
	case STUN_ATTR_NONCE:
	case STUN_ATTR_MESSAGE_INTEGRITY_SHA256:
	case STUN_ATTR_PASSWORD_ALGORITHM:
	case STUN_ATTR_USERHASH:
	case STUN_ATTR_XOR_MAPPED_ADDRESS:
		return true;
	default:
		return type >= 0x8000;
	}
}

size_t stun_msg_unknown(uint16_t types[STUN_UNKNOWN_MAX],
                        const struct stun_msg *msg)
{
	struct attr_iter it = {.r = rd_init(msg->attrs)};
	struct slice val;
	uint16_t type;
	size_t n = 0;

	while (n < STUN_UNKNOWN_MAX && attr_next(&it, &type, &val)) {
		size_t i = 0;

		if (is_understood(type))
			continue;
		while (i < n && types[i] != type)
			i++;
		if (i == n)
			types[n++] = type;
	}
	return n;
}

void stun_put_head(struct wr *w, enum stun_class cls, uint16_t method,
                   const uint8_t tid[STUN_TID_BYTES])
{
	if (w->n || method > 0xfff)
		w->bad = true;
	wr_u16(w, type_make(method, cls));
	wr_u16(w, 0);
	wr_u32(w, MAGIC_COOKIE);
	wr_put(w, (struct slice){tid, STUN_TID_BYTES});
}

/* Begins an attribute of @p n value bytes, which the caller writes next;
 * the header counts it, padding and all, from now on. */
static void put_attr_head(struct wr *w, uint16_t type, size_t n)
{
	size_t len;

	if (w->n < STUN_HDR_BYTES || n > UINT16_MAX)
		w->bad = true;
	if (w->bad)
		return;
	len = w->n - STUN_HDR_BYTES + ATTR_HDR_BYTES + n + (-n & PAD_MASK);
	if (len > UINT16_MAX) {
		w->bad = true;
		return;
	}
	wr_u16(w, type);
	wr_u16(w, (uint16_t)n);
	w->p[LENGTH_AT] = (uint8_t)(len >> 8);
	w->p[LENGTH_AT + 1] = (uint8_t)len;
}

static void put_padding(struct wr *w)
{
	while (w->n & PAD_MASK && !w->bad)
		wr_u8(w, 0);
}

void stun_put_attr(struct wr *w, uint16_t type, struct slice val)
{
	put_attr_head(w, type, val.n);
	wr_put(w, val);
	put_padding(w);
}

void stun_put_addr(struct wr *w, uint16_t type, const struct addr *a)
{
	struct addr out = *a;
	size_t n = addr_ip(a).n;

	if (n == 0)
		w->bad = true;
	put_attr_head(w, type, 4 + n);
	if (w->bad)
		return;
	if (is_xored(type))
		xor_addr(&out, w->p + STUN_HDR_BYTES - STUN_TID_BYTES);
	wr_u8(w, 0);
	wr_u8(w, n == 4 ? FAMILY_IP4 : FAMILY_IP6);
	wr_u16(w, out.port);
	wr_put(w, addr_ip(&out));
}

void stun_put_error(struct wr *w, unsigned code, struct slice reason)
{
	if (code < 300 || code > 699 || reason.n > STUN_REASON_BYTES)
		w->bad = true;
	put_attr_head(w, STUN_ATTR_ERROR_CODE, 4 + reason.n);
	wr_u16(w, 0);
	wr_u8(w, (uint8_t)(code / 100));
	wr_u8(w, (uint8_t)(code % 100));
	wr_put(w, reason);
	put_padding(w);
}

void stun_put_unknown(struct wr *w, const uint16_t *types, size_t n_types)
{
	put_attr_head(w, STUN_ATTR_UNKNOWN_ATTRIBUTES, 2 * n_types);
	for (size_t i = 0; i < n_types && !w->bad; i++)
		wr_u16(w, types[i]);
	put_padding(w);
}

void stun_put_fingerprint(struct wr *w)
{
	struct slice covered = wr_slice(w);

	put_attr_head(w, STUN_ATTR_FINGERPRINT, 4);
	if (w->bad)
		return;
	covered.p = w->p; /* a heap writer may have moved */
	wr_u32(w, crc32(covered) ^ FINGERPRINT_XOR);
}

static void put_answer(struct wr *w, const struct stun_msg *req,
                       const struct addr *from)
{
	uint16_t types[STUN_UNKNOWN_MAX];
	size_t n = stun_msg_unknown(types, req);

	if (n) {
		stun_put_head(w, STUN_CLASS_ERROR, req->method, req->tid);
		stun_put_error(w, 420, (struct slice){0});
		stun_put_unknown(w, types, n);
	} else {
		stun_put_head(w, STUN_CLASS_SUCCESS, req->method, req->tid);
		stun_put_addr(w, STUN_ATTR_XOR_MAPPED_ADDRESS, from);
	}
}

int stun_msg_answer(struct wr *w, const struct stun_msg *req,
                    const struct addr *from, size_t max_bytes)
{
	int fingerprint = stun_msg_fingerprint(req);
	uint8_t buf[MAX_ANSWER_BYTES];
	struct wr out = wr_init(buf, sizeof(buf));

	if (from->family == ADDR_NONE)
		return EINVAL;
	if (req->method != STUN_METHOD_BINDING ||
	    req->cls != STUN_CLASS_REQUEST || fingerprint == EBADMSG)
		return EPROTO;
	if (!w->grows && w->cap - w->n < max_bytes)
		max_bytes = w->cap - w->n;

	put_answer(&out, req, from);
	if (fingerprint == 0 && out.n + FINGERPRINT_BYTES <= max_bytes)
		stun_put_fingerprint(&out);
	if (out.bad || out.n > max_bytes)
		return EMSGSIZE;
	wr_put(w, wr_slice(&out));
	return w->bad ? ENOMEM : 0;
}
