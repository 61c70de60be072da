/* SPDX-License-Identifier: ISC */
/*
 * Design: a slot holds a datagram of any legal length and one bit for each
 * 8 bytes received, so a fragment costs one copy, and what overlaps is seen
 * by its bits. The header is that of the first fragment.
 */
#include "router/frag.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	UNIT = 8,
	MAX_UNITS = (ROUTER_PKT_BYTES + UNIT) / UNIT,
	MAX_HDR_BYTES = 60,
};

struct slot {
	bool is_used;
	struct addr src, dst;
	uint32_t id;
	uint8_t proto;
	int64_t until_ns;
	size_t hdr_bytes;  /* 0: the first fragment is missing */
	size_t data_bytes; /* 0: the last is missing */
	size_t n_units, longest_bytes;
	uint8_t seen[MAX_UNITS / 8 + 1];
	uint8_t hdr[MAX_HDR_BYTES];
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

static bool is_of(const struct slot *s, const struct router_pkt *p)
{
	return s->id == p->frag_id && s->proto == p->proto &&
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
	oldest->n_units = oldest->longest_bytes = 0;
	memset(oldest->seen, 0, sizeof(oldest->seen));
	return oldest;
}

/* @return whether all of these were new */
static bool units_mark(struct slot *s, size_t first, size_t n)
{
	for (size_t i = first; i < first + n; i++) {
		uint8_t bit = (uint8_t)(1U << i % 8);

		if (s->seen[i / 8] & bit)
			return false;
		s->seen[i / 8] |= bit;
	}
	s->n_units += n;
	return true;
}

static int slot_put(struct slot *s, const struct router_pkt *p)
{
	struct slice data = {p->b + p->l4, p->n - p->l4};
	size_t end = p->frag_at + data.n;
	size_t n_units = (data.n + UNIT - 1) / UNIT;

	if (end + p->l4 > ROUTER_PKT_BYTES || data.n == 0)
		return EBADMSG;
	if (p->has_more ? data.n % UNIT != 0 : s->data_bytes != 0)
		return EBADMSG;
	if (s->data_bytes && end > s->data_bytes)
		return EBADMSG;
	if (!units_mark(s, p->frag_at / UNIT, n_units))
		return EBADMSG;
	memcpy(s->data + p->frag_at, data.p, data.n);
	if (!p->has_more)
		s->data_bytes = end;
	if (p->frag_at == 0) {
		s->hdr_bytes = p->l4;
		memcpy(s->hdr, p->b, p->l4);
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

/* The IPv4 header with another length and fragment field. */
static void hdr_put(struct wr *w, struct slice hdr, size_t n, uint16_t frag)
{
	uint8_t b[MAX_HDR_BYTES];
	uint16_t sum;

	memcpy(b, hdr.p, hdr.n);
	b[2] = (uint8_t)(n >> 8);
	b[3] = (uint8_t)n;
	b[6] = (uint8_t)(frag >> 8);
	b[7] = (uint8_t)frag;
	b[10] = b[11] = 0;
	sum = router_sum((struct slice){b, hdr.n}, 0);
	b[10] = (uint8_t)(sum >> 8);
	b[11] = (uint8_t)sum;
	wr_put(w, (struct slice){b, hdr.n});
}

int router_frags_add(struct router_frags *f, struct router_pkt *whole,
                     size_t *mtu_bytesp, const struct router_pkt *p,
                     int64_t now_ns)
{
	struct wr w = wr_init(f->whole, sizeof(f->whole));
	struct slot *s;
	int err;

	if (p->is_ip6 || !p->is_fragment || p->l4 > MAX_HDR_BYTES)
		return EBADMSG;
	s = slot_find(f, p, now_ns);
	err = slot_put(s, p);
	if (err) {
		s->is_used = false;
		return err;
	}
	if (!is_whole(s))
		return EAGAIN;
	s->is_used = false;
	hdr_put(&w, (struct slice){s->hdr, s->hdr_bytes},
	        s->hdr_bytes + s->data_bytes, 0);
	wr_put(&w, (struct slice){s->data, s->data_bytes});
	if (w.bad)
		return EBADMSG;
	err = router_pkt_read(whole, f->whole, w.n);
	if (!err)
		*mtu_bytesp = s->longest_bytes;
	return err;
}

int router_frag_next(struct wr *w, size_t *at, const struct router_pkt *p,
                     size_t mtu)
{
	size_t all = p->n - p->l4, n = all - *at;
	uint16_t frag = (uint16_t)((p->frag_at + *at) / UNIT);
	bool is_last = true;

	if (*at >= all)
		return ENOENT;
	if (p->is_ip6 || p->l4 > MAX_HDR_BYTES || mtu < p->l4 + UNIT)
		return EMSGSIZE;
	if (p->l4 + n > mtu) {
		n = (mtu - p->l4) / UNIT * UNIT;
		is_last = false;
	}
	if (!is_last || p->has_more)
		frag |= 0x2000;
	hdr_put(w, (struct slice){p->b, p->l4}, p->l4 + n, frag);
	wr_put(w, (struct slice){p->b + p->l4 + *at, n});
	if (w->bad)
		return EMSGSIZE;
	*at += n;
	return 0;
}
