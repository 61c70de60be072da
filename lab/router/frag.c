/* SPDX-License-Identifier: ISC */
/*
 * Design: a slot holds a datagram of any legal length and one bit for each
 * 8 bytes received, so a fragment costs one copy, and what overlaps is seen
 * by its bits. The header is that of the first fragment.
 *
 * Where the data starts is not where the transport does: in IPv6 headers may
 * follow the Fragment header, and they are cut with the rest. For the same
 * reason a later fragment does not know the transport, and IPv6 datagrams are
 * told apart without it.
 */
#include "router/frag.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	UNIT = 8,
	MAX_UNITS = (ROUTER_PKT_BYTES + UNIT) / UNIT,
	FRAG_HDR_BYTES = 8,
	MORE4 = 0x2000,
	MORE6 = 1,
};

struct slot {
	bool is_used, is_spoiled;
	struct addr src, dst;
	uint32_t id;
	uint8_t proto;
	int64_t until_ns;
	size_t hdr_bytes;  /* 0: the first fragment is missing */
	size_t data_bytes; /* 0: the last is missing */
	size_t n_units, end_bytes, longest_bytes;
	uint8_t seen[MAX_UNITS / 8 + 1];
	uint8_t hdr[ROUTER_FRAG_HDR_BYTES];
	uint8_t data[MAX_UNITS * UNIT];
};

struct router_frags {
	struct slot slots[ROUTER_FRAG_SLOTS];
	uint8_t whole[ROUTER_PKT_BYTES];
};

int router_frags_alloc(struct router_frags **fp)
{
	struct router_frags *f = calloc(1, sizeof(*f));

	if (!f)
		return ENOMEM;
	*fp = f;
	return 0;
}

void router_frags_free(struct router_frags *f)
{
	free(f);
}

static size_t hdr_bytes(const struct router_pkt *p)
{
	return p->is_ip6 ? p->frag_hdr + FRAG_HDR_BYTES : p->l4;
}

static bool is_of(const struct slot *s, const struct router_pkt *p)
{
	return s->id == p->frag_id && (p->is_ip6 || s->proto == p->proto) &&
	       addr_ip_eq(&s->src, &p->src) && addr_ip_eq(&s->dst, &p->dst);
}

static struct slot *slot_find(struct router_frags *f,
                              const struct router_pkt *p, int64_t now_ns)
{
	struct slot *oldest = &f->slots[0];

	for (size_t i = 0; i < ROUTER_FRAG_SLOTS; i++) {
		struct slot *s = &f->slots[i];

		if (s->is_used && now_ns >= s->until_ns)
			s->is_used = false;
		if (s->is_used && is_of(s, p))
			return s;
		if (oldest->is_used &&
		    (!s->is_used || s->until_ns < oldest->until_ns))
			oldest = s;
	}
	oldest->is_used = true;
	oldest->src = p->src;
	oldest->dst = p->dst;
	oldest->id = p->frag_id;
	oldest->proto = p->proto;
	oldest->until_ns = now_ns + ROUTER_FRAG_LIFE_NS;
	oldest->hdr_bytes = oldest->data_bytes = 0;
	oldest->n_units = oldest->end_bytes = oldest->longest_bytes = 0;
	oldest->is_spoiled = false;
	memset(oldest->seen, 0, sizeof(oldest->seen));
	return oldest;
}

static bool is_seen(const struct slot *s, size_t unit)
{
	return s->seen[unit / 8] >> unit % 8 & 1;
}

/* @return how many of these were known */
static size_t units_count(const struct slot *s, size_t first, size_t n)
{
	size_t known = 0;

	for (size_t i = first; i < first + n; i++)
		known += is_seen(s, i);
	return known;
}

static void units_mark(struct slot *s, size_t first, size_t n)
{
	for (size_t i = first; i < first + n; i++)
		s->seen[i / 8] |= (uint8_t)(1U << i % 8);
	s->n_units += n;
}

/* @return 0, EALREADY: all of it is known, or EBADMSG */
static int place_check(const struct slot *s, const struct router_pkt *p,
                       struct slice data)
{
	size_t end = p->frag_at + data.n;
	size_t n_units = (data.n + UNIT - 1) / UNIT, known;

	if (end + hdr_bytes(p) > ROUTER_PKT_BYTES || data.n == 0)
		return EBADMSG;
	if (p->has_more && data.n % UNIT != 0)
		return EBADMSG;
	if (s->data_bytes &&
	    (end > s->data_bytes || (!p->has_more && end != s->data_bytes)))
		return EBADMSG;
	if (!p->has_more && end < s->end_bytes)
		return EBADMSG;
	known = units_count(s, p->frag_at / UNIT, n_units);
	if (known == 0)
		return 0;
	if (known == n_units && (p->has_more || s->data_bytes) &&
	    memcmp(s->data + p->frag_at, data.p, data.n) == 0)
		return EALREADY;
	return EBADMSG;
}

static int slot_put(struct slot *s, const struct router_pkt *p)
{
	size_t hdr = hdr_bytes(p);
	struct slice data = {p->b + hdr, p->n - hdr};
	int err = place_check(s, p, data);

	if (err)
		return err == EALREADY ? 0 : err;
	units_mark(s, p->frag_at / UNIT, (data.n + UNIT - 1) / UNIT);
	memcpy(s->data + p->frag_at, data.p, data.n);
	if (p->frag_at + data.n > s->end_bytes)
		s->end_bytes = p->frag_at + data.n;
	if (!p->has_more)
		s->data_bytes = s->end_bytes;
	if (p->frag_at == 0) {
		s->hdr_bytes = hdr;
		memcpy(s->hdr, p->b, hdr);
	}
	if (p->n > s->longest_bytes)
		s->longest_bytes = p->n;
	return 0;
}

static bool is_whole(const struct slot *s)
{
	return s->hdr_bytes && s->data_bytes &&
	       s->n_units == (s->data_bytes + UNIT - 1) / UNIT;
}

static void put16(uint8_t *at, size_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

/* The header @p hdr of a packet of @p n bytes, of which these are cut. */
static void hdr_put(struct wr *w, struct slice hdr, size_t n, size_t frag_at,
                    bool has_more)
{
	uint8_t b[ROUTER_FRAG_HDR_BYTES];

	memcpy(b, hdr.p, hdr.n);
	if (b[0] >> 4 == 6) {
		put16(b + 4, n - ROUTER_IP6_BYTES);
		put16(b + hdr.n - FRAG_HDR_BYTES + 2,
		      frag_at | (has_more ? MORE6 : 0));
	} else {
		put16(b + 2, n);
		put16(b + 6, frag_at / UNIT | (has_more ? MORE4 : 0));
		put16(b + 10, 0);
		put16(b + 10, router_sum((struct slice){b, hdr.n}, 0));
	}
	wr_put(w, (struct slice){b, hdr.n});
}

static bool is_cuttable(const struct router_pkt *p)
{
	return (!p->is_ip6 || p->frag_hdr) &&
	       hdr_bytes(p) <= ROUTER_FRAG_HDR_BYTES;
}

static int whole_make(struct router_frags *f, struct router_pkt *whole,
                      const struct slot *s)
{
	struct wr w = wr_init(f->whole, sizeof(f->whole));
	struct router_pkt p;
	int err;

	hdr_put(&w, (struct slice){s->hdr, s->hdr_bytes},
	        s->hdr_bytes + s->data_bytes, 0, false);
	wr_put(&w, (struct slice){s->data, s->data_bytes});
	if (w.bad)
		return EBADMSG;
	err = router_pkt_read(&p, f->whole, w.n);
	if (!err)
		*whole = p;
	return err;
}

int router_frags_add(struct router_frags *f, struct router_pkt *whole,
                     size_t *mtu_bytesp, const struct router_pkt *p,
                     int64_t now_ns)
{
	struct slot *s;
	int err;

	if (!p->is_fragment || !is_cuttable(p))
		return EBADMSG;
	s = slot_find(f, p, now_ns);
	err = s->is_spoiled ? EBADMSG : slot_put(s, p);
	if (err) {
		s->is_used = s->is_spoiled = p->is_ip6;
		return err;
	}
	if (!is_whole(s))
		return EAGAIN;
	s->is_used = false;
	err = whole_make(f, whole, s);
	if (!err)
		*mtu_bytesp = s->longest_bytes;
	return err;
}

int router_frag_next(struct wr *w, size_t *at, const struct router_pkt *p,
                     size_t mtu)
{
	size_t hdr = hdr_bytes(p), all = p->n - hdr, n = all - *at;
	bool is_last = true;

	if (!is_cuttable(p))
		return EMSGSIZE;
	if (*at >= all)
		return ENOENT;
	if (mtu < hdr + UNIT)
		return EMSGSIZE;
	if (hdr + n > mtu) {
		n = (mtu - hdr) / UNIT * UNIT;
		is_last = false;
	}
	hdr_put(w, (struct slice){p->b, hdr}, hdr + n, p->frag_at + *at,
	        !is_last || p->has_more);
	wr_put(w, (struct slice){p->b + hdr + *at, n});
	if (w->bad)
		return EMSGSIZE;
	*at += n;
	return 0;
}
