/* SPDX-License-Identifier: ISC */
/*
 * Design: a router changes few bytes of many packets, so a packet is read
 * once through a checked cursor into offsets, and changed where it lies.
 * Each offset was proved to lie inside by the reader; the setters know only
 * these, and never compute one from the packet again.
 */
#include "router/pkt.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum {
	IP4_MORE = 0x2000,
	IP4_DF = 0x4000,
	IP4_OFFSET = 0x1fff,
	ICMP_QUERY = 8,
	ICMP_ANSWER = 0,
	ICMP6_QUERY = 128,
	ICMP6_ANSWER = 129,
	IP6_HOP_BY_HOP = 0,
	IP6_ROUTING = 43,
	IP6_FRAGMENT = 44,
	IP6_OPTIONS = 60,
	QUOTE_MIN_BYTES = 8,
	OWN_TTL = 64,
};

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static uint32_t sum_add(uint32_t sum, struct slice bytes)
{
	for (size_t i = 0; i + 1 < bytes.n; i += 2)
		sum += get16(bytes.p + i);
	if (bytes.n & 1)
		sum += (uint32_t)bytes.p[bytes.n - 1] << 8;
	return sum;
}

static uint16_t sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

uint16_t router_sum(struct slice bytes, uint32_t start)
{
	return (uint16_t)~sum_fold(sum_add(start, bytes));
}

static struct addr addr_take(struct rd *r, bool is_ip6)
{
	struct addr a = {.family = is_ip6 ? ADDR_IP6 : ADDR_IP4};
	struct slice ip = rd_take(r, is_ip6 ? 16 : 4);

	if (ip.n)
		memcpy(a.ip, ip.p, ip.n);
	return a;
}

static int ip4_read(struct router_pkt *p, struct rd *r)
{
	size_t all = r->left, hdr, len;
	const uint8_t *start = r->p;
	uint16_t frag;

	hdr = (size_t)(rd_u8(r) & 0xf) * 4;
	p->tos = rd_u8(r);
	len = rd_u16(r);
	p->frag_id = rd_u16(r);
	frag = rd_u16(r);
	p->ttl = rd_u8(r);
	p->proto = rd_u8(r);
	(void)rd_u16(r);
	p->src = addr_take(r, false);
	p->dst = addr_take(r, false);
	if (r->bad || hdr < ROUTER_IP4_BYTES || len < hdr)
		return EBADMSG;
	(void)rd_take(r, hdr - ROUTER_IP4_BYTES);
	if (r->bad || (len > all && !p->is_quote))
		return EBADMSG;
	/* Routers that quote may have changed a field without the sum. */
	if (!p->is_quote && router_sum((struct slice){start, hdr}, 0) != 0)
		return EBADMSG;
	p->n = len < all ? len : all;
	r->left -= all - p->n;
	p->has_df = frag & IP4_DF;
	p->has_more = frag & IP4_MORE;
	p->frag_at = (size_t)(frag & IP4_OFFSET) * 8;
	p->l4 = hdr;
	return 0;
}

static int ip6_ext_read(struct router_pkt *p, struct rd *r)
{
	for (int i = 0; i < ROUTER_MAX_EXT_HEADERS; i++) {
		uint16_t frag;
		uint8_t next;

		/* A second one is inside of what the first has cut. */
		if (p->proto == IP6_FRAGMENT && p->frag_hdr)
			return 0;
		if (p->proto != IP6_HOP_BY_HOP && p->proto != IP6_ROUTING &&
		    p->proto != IP6_FRAGMENT && p->proto != IP6_OPTIONS)
			return 0;
		next = rd_u8(r);
		if (p->proto == IP6_FRAGMENT) {
			p->frag_hdr = p->l4;
			(void)rd_u8(r);
			frag = rd_u16(r);
			p->frag_id = rd_u32(r);
			p->has_more = frag & 1;
			p->frag_at = frag & 0xfff8;
		} else {
			size_t more = rd_u8(r);

			(void)rd_take(r, 6 + more * 8);
		}
		if (r->bad)
			return EBADMSG;
		p->proto = next;
		p->l4 = p->n - r->left;
		if (p->frag_at)
			return 0;
	}
	return EBADMSG;
}

static int ip6_read(struct router_pkt *p, struct rd *r)
{
	size_t all = r->left, len;

	p->tos = (uint8_t)(rd_u32(r) >> 20);
	len = rd_u16(r) + (size_t)ROUTER_IP6_BYTES;
	p->proto = rd_u8(r);
	p->ttl = rd_u8(r);
	p->src = addr_take(r, true);
	p->dst = addr_take(r, true);
	if (r->bad || (len > all && !p->is_quote))
		return EBADMSG;
	p->n = len < all ? len : all;
	r->left -= all - p->n;
	p->has_df = true;
	p->l4 = ROUTER_IP6_BYTES;
	return ip6_ext_read(p, r);
}

static void sum_place(struct router_pkt *p, size_t at)
{
	if (p->l4 + at + 2 <= p->n)
		p->sum = p->l4 + at;
}

static int udp_read(struct router_pkt *p, struct rd *r)
{
	size_t left = r->left, len;

	p->src.port = rd_u16(r);
	p->dst.port = rd_u16(r);
	len = rd_u16(r);
	(void)rd_u16(r);
	if (r->bad || len < ROUTER_UDP_BYTES)
		return EBADMSG;
	if (!p->is_quote && !p->is_fragment && len > left)
		return EBADMSG;
	sum_place(p, 6);
	p->payload = p->l4 + ROUTER_UDP_BYTES;
	return 0;
}

static int tcp_read(struct router_pkt *p, struct rd *r)
{
	size_t hdr;

	p->src.port = rd_u16(r);
	p->dst.port = rd_u16(r);
	p->seq = rd_u32(r);
	if (r->bad)
		return EBADMSG;
	sum_place(p, 16);
	p->payload = p->n;
	if (p->is_quote)
		return 0;
	p->ack = rd_u32(r);
	hdr = (size_t)(rd_u8(r) >> 4) * 4;
	p->tcp_flags = rd_u8(r);
	p->tcp_window = rd_u16(r);
	(void)rd_take(r, 4);
	if (r->bad || hdr < ROUTER_TCP_BYTES)
		return EBADMSG;
	(void)rd_take(r, hdr - ROUTER_TCP_BYTES);
	if (r->bad)
		return EBADMSG;
	p->payload = p->l4 + hdr;
	return 0;
}

static bool is_error_type(uint8_t type, bool is_ip6)
{
	return is_ip6 ? type >= 1 && type <= 4
	              : type == 3 || type == 4 || type == 11 || type == 12;
}

static int icmp_read(struct router_pkt *p, struct rd *r)
{
	uint16_t id;

	p->icmp_type = rd_u8(r);
	p->icmp_code = rd_u8(r);
	(void)rd_u16(r);
	id = rd_u16(r);
	(void)rd_u16(r);
	if (r->bad)
		return EBADMSG;
	sum_place(p, 2);
	p->payload = p->l4 + ROUTER_ICMP_BYTES;
	p->is_icmp_query = p->is_ip6 ? p->icmp_type == ICMP6_QUERY ||
	                                       p->icmp_type == ICMP6_ANSWER
	                             : p->icmp_type == ICMP_QUERY ||
	                                       p->icmp_type == ICMP_ANSWER;
	p->is_icmp_error = is_error_type(p->icmp_type, p->is_ip6);
	if (p->is_icmp_query)
		p->src.port = p->dst.port = id;
	return 0;
}

static int read(struct router_pkt *out, uint8_t *b, size_t n, bool is_quote)
{
	struct router_pkt p = {.b = b, .is_quote = is_quote};
	struct rd r;
	int err;

	if (n == 0)
		return EBADMSG;
	if (n > ROUTER_PKT_BYTES)
		n = ROUTER_PKT_BYTES;
	r = rd_init((struct slice){b, n});
	p.is_ip6 = b[0] >> 4 == 6;
	if (!p.is_ip6 && b[0] >> 4 != 4)
		return EBADMSG;
	err = p.is_ip6 ? ip6_read(&p, &r) : ip4_read(&p, &r);
	if (err)
		return err;
	p.is_fragment = p.has_more || p.frag_at;
	p.payload = p.l4;
	if (p.frag_at == 0 && p.proto == ROUTER_UDP)
		err = udp_read(&p, &r);
	else if (p.frag_at == 0 && p.proto == ROUTER_TCP)
		err = tcp_read(&p, &r);
	else if (p.frag_at == 0 &&
	         p.proto == (p.is_ip6 ? ROUTER_ICMP6 : ROUTER_ICMP))
		err = icmp_read(&p, &r);
	else if (is_quote && r.left < QUOTE_MIN_BYTES)
		err = EBADMSG;
	if (err)
		return err;
	*out = p;
	return 0;
}

int router_pkt_read(struct router_pkt *p, uint8_t *b, size_t n)
{
	return read(p, b, n, false);
}

int router_pkt_read_quote(struct router_pkt *p, uint8_t *b, size_t n)
{
	return read(p, b, n, true);
}

struct slice router_pkt_payload(const struct router_pkt *p)
{
	size_t n = p->n - p->payload;

	/* A datagram may end before its packet does. */
	if (p->proto == ROUTER_UDP && !p->is_fragment && !p->is_quote)
		n = (size_t)get16(p->b + p->l4 + 4) - ROUTER_UDP_BYTES;
	return (struct slice){p->b + p->payload, n};
}

/* RFC 1624, equation 3, over an even number of bytes. */
static void sum_update(uint8_t *sum, const uint8_t *was, const uint8_t *is,
                       size_t n)
{
	uint32_t s = (uint16_t)~get16(sum);

	for (size_t i = 0; i < n; i += 2)
		s += (uint16_t)~get16(was + i) + (uint32_t)get16(is + i);
	put16(sum, (uint16_t)~sum_fold(s));
}

static void l4_sum_update(struct router_pkt *p, const uint8_t *was,
                          const uint8_t *is, size_t n)
{
	uint8_t *sum = p->b + p->sum;

	if (!p->sum)
		return;
	if (p->proto == ROUTER_UDP && get16(sum) == 0)
		return; /* the sender wanted none */
	sum_update(sum, was, is, n);
	if (p->proto == ROUTER_UDP && get16(sum) == 0)
		put16(sum, 0xffff);
}

static void l4_word_set(struct router_pkt *p, size_t at, uint16_t v)
{
	uint8_t is[2];

	put16(is, v);
	l4_sum_update(p, p->b + at, is, 2);
	memcpy(p->b + at, is, 2);
}

static void ip_set(struct router_pkt *p, size_t at, const struct addr *a)
{
	struct slice ip = addr_ip(a);

	assert(ip.n == (p->is_ip6 ? 16U : 4U));
	if (!p->is_ip6)
		sum_update(p->b + 10, p->b + at, ip.p, ip.n);
	if (p->is_ip6 || p->proto != ROUTER_ICMP) /* no pseudo-header there */
		l4_sum_update(p, p->b + at, ip.p, ip.n);
	memcpy(p->b + at, ip.p, ip.n);
}

static void port_set(struct router_pkt *p, size_t at, uint16_t port)
{
	if (p->frag_at)
		return;
	if (p->proto == ROUTER_UDP || p->proto == ROUTER_TCP)
		l4_word_set(p, p->l4 + at, port);
	else if (p->is_icmp_query)
		l4_word_set(p, p->l4 + 4, port);
}

void router_pkt_src_set(struct router_pkt *p, const struct addr *a)
{
	ip_set(p, p->is_ip6 ? 8 : 12, a);
	port_set(p, 0, a->port);
	p->src = *a;
	if (p->is_icmp_query)
		p->dst.port = a->port;
}

void router_pkt_dst_set(struct router_pkt *p, const struct addr *a)
{
	ip_set(p, p->is_ip6 ? 24 : 16, a);
	port_set(p, 2, a->port);
	p->dst = *a;
	if (p->is_icmp_query)
		p->src.port = a->port;
}

void router_pkt_ttl_set(struct router_pkt *p, uint8_t ttl)
{
	uint8_t is[2] = {ttl, p->b[9]};

	p->ttl = ttl;
	if (p->is_ip6) {
		p->b[7] = ttl;
		return;
	}
	sum_update(p->b + 10, p->b + 8, is, 2);
	p->b[8] = ttl;
}

void router_pkt_tos_set(struct router_pkt *p, uint8_t tos)
{
	uint8_t is[2] = {p->b[0], tos};

	p->tos = tos;
	if (p->is_ip6) {
		p->b[0] = (uint8_t)(0x60 | tos >> 4);
		p->b[1] = (uint8_t)(tos << 4 | (p->b[1] & 0xf));
		return;
	}
	sum_update(p->b + 10, p->b, is, 2);
	p->b[1] = tos;
}

static void number_set(struct router_pkt *p, size_t at, uint32_t v)
{
	l4_word_set(p, p->l4 + at, (uint16_t)(v >> 16));
	l4_word_set(p, p->l4 + at + 2, (uint16_t)v);
}

void router_pkt_seq_set(struct router_pkt *p, uint32_t seq)
{
	number_set(p, 4, seq);
	p->seq = seq;
}

void router_pkt_ack_set(struct router_pkt *p, uint32_t ack)
{
	number_set(p, 8, ack);
	p->ack = ack;
}

static uint32_t pseudo_sum(const struct router_pkt *p)
{
	size_t n = p->n - p->l4;
	struct slice both = {p->b + (p->is_ip6 ? 8 : 12), p->is_ip6 ? 32 : 8};

	if (!p->is_ip6 && p->proto == ROUTER_ICMP)
		return 0;
	if (p->proto == ROUTER_UDP) /* the datagram may be the shorter */
		n = get16(p->b + p->l4 + 4);
	return sum_add((uint32_t)n + p->proto, both);
}

static uint16_t l4_sum(const struct router_pkt *p)
{
	struct slice all = {p->b + p->l4, p->n - p->l4};

	if (p->proto == ROUTER_UDP)
		all.n = get16(p->b + p->l4 + 4);
	return router_sum(all, pseudo_sum(p));
}

void router_pkt_sums_make(struct router_pkt *p)
{
	if (!p->is_ip6) {
		put16(p->b + 10, 0);
		put16(p->b + 10, router_sum((struct slice){p->b, p->l4}, 0));
	}
	if (!p->sum || p->is_fragment)
		return;
	put16(p->b + p->sum, 0);
	put16(p->b + p->sum, l4_sum(p));
	if (p->proto == ROUTER_UDP && get16(p->b + p->sum) == 0)
		put16(p->b + p->sum, 0xffff);
}

bool router_pkt_sums_are_right(const struct router_pkt *p)
{
	if (!p->is_ip6 && router_sum((struct slice){p->b, p->l4}, 0) != 0)
		return false;
	if (!p->sum || p->is_fragment || p->is_quote)
		return true;
	if (p->proto == ROUTER_UDP && !p->is_ip6 && get16(p->b + p->sum) == 0)
		return true;
	return l4_sum(p) == 0;
}

/* Lengths and sums of the packet that @p w holds since @p start. */
static int finish(struct wr *w, size_t start, size_t udp_at)
{
	struct router_pkt p;
	size_t n = w->n - start;
	uint8_t *b = w->p + start;
	bool is_ip6;

	if (w->bad || n > ROUTER_PKT_BYTES)
		return EMSGSIZE;
	is_ip6 = b[0] >> 4 == 6;
	put16(b + (is_ip6 ? 4 : 2),
	      (uint16_t)(is_ip6 ? n - ROUTER_IP6_BYTES : n));
	if (udp_at)
		put16(b + udp_at + 4, (uint16_t)(n - udp_at));
	if (!is_ip6) {
		put16(b + 10, 0);
		put16(b + 10,
		      router_sum((struct slice){b, (size_t)(b[0] & 0xf) * 4},
		                 0));
	}
	if (router_pkt_read(&p, b, n) != 0)
		return EINVAL;
	router_pkt_sums_make(&p);
	return 0;
}

int router_pkt_rebuild(struct wr *w, const struct router_pkt *p,
                       struct slice payload)
{
	size_t start = w->n;
	bool has_no_sum;
	int err;

	if (!p->sum || p->is_fragment || p->is_quote)
		return EINVAL;
	has_no_sum = p->proto == ROUTER_UDP && !p->is_ip6 &&
	             get16(p->b + p->sum) == 0;
	wr_put(w, (struct slice){p->b, p->payload});
	wr_put(w, payload);
	err = finish(w, start, p->proto == ROUTER_UDP ? p->l4 : 0);
	if (!err && has_no_sum)
		put16(w->p + start + p->sum, 0);
	return err;
}

static void ip_put(struct wr *w, const struct addr *src, const struct addr *dst,
                   uint8_t proto, uint8_t ttl)
{
	if (src->family == ADDR_IP6) {
		wr_u32(w, UINT32_C(0x60000000));
		wr_u16(w, 0);
		wr_u8(w, proto);
		wr_u8(w, ttl);
	} else {
		wr_u32(w, UINT32_C(0x45000000));
		wr_u32(w, IP4_DF);
		wr_u8(w, ttl);
		wr_u8(w, proto);
		wr_u16(w, 0);
	}
	wr_put(w, addr_ip(src));
	wr_put(w, addr_ip(dst));
}

static size_t ip_bytes(const struct addr *a)
{
	return a->family == ADDR_IP6 ? ROUTER_IP6_BYTES : ROUTER_IP4_BYTES;
}

int router_udp_build(struct wr *w, const struct addr *src,
                     const struct addr *dst, uint8_t ttl, struct slice payload)
{
	size_t start = w->n;

	if (src->family != dst->family || src->family == ADDR_NONE)
		return EINVAL;
	ip_put(w, src, dst, ROUTER_UDP, ttl);
	wr_u16(w, src->port);
	wr_u16(w, dst->port);
	wr_u32(w, 0);
	wr_put(w, payload);
	return finish(w, start, ip_bytes(src));
}

int router_tcp_build(struct wr *w, const struct router_tcp *t,
                     struct slice payload)
{
	size_t start = w->n;

	if (t->src.family != t->dst.family || t->src.family == ADDR_NONE)
		return EINVAL;
	ip_put(w, &t->src, &t->dst, ROUTER_TCP, OWN_TTL);
	wr_u16(w, t->src.port);
	wr_u16(w, t->dst.port);
	wr_u32(w, t->seq);
	wr_u32(w, t->ack);
	wr_u8(w, ROUTER_TCP_BYTES / 4 << 4);
	wr_u8(w, t->flags);
	wr_u16(w, t->window);
	wr_u32(w, 0);
	wr_put(w, payload);
	return finish(w, start, 0);
}

static bool is_answerable(const struct router_pkt *p)
{
	static const uint8_t zero[16];
	struct slice ip = addr_ip(&p->src);

	if (p->is_icmp_error || p->is_quote)
		return false;
	/* RFC 4443 lets later fragments be complained of, but for what may be
	 * the end of an error. */
	if (p->frag_at && (!p->is_ip6 || p->proto == ROUTER_ICMP6))
		return false;
	if (memcmp(ip.p, zero, ip.n) == 0)
		return false;
	if (p->is_ip6)
		return p->src.ip[0] != 0xff && p->dst.ip[0] != 0xff;
	return p->src.ip[0] < 224 && p->dst.ip[0] < 224;
}

static const struct {
	uint8_t type, code, type6, code6;
} icmp_codes[] = {
	[ROUTER_ICMP_TTL] = {11, 0, 3, 0}, [ROUTER_ICMP_MTU] = {3, 4, 2, 0},
	[ROUTER_ICMP_NET] = {3, 0, 1, 0},  [ROUTER_ICMP_HOST] = {3, 1, 1, 3},
	[ROUTER_ICMP_PORT] = {3, 3, 1, 4}, [ROUTER_ICMP_ADMIN] = {3, 13, 1, 1},
};

int router_icmp_build(struct wr *w, const struct router_pkt *p,
                      const struct addr *from, enum router_icmp_kind kind,
                      unsigned mtu, size_t quote_bytes)
{
	size_t start = w->n, least = p->l4 + QUOTE_MIN_BYTES;
	bool is_ip6 = p->is_ip6;

	if (!is_answerable(p))
		return ENOENT;
	if (from->family != p->src.family)
		return EINVAL;
	if (quote_bytes < least)
		quote_bytes = least;
	if (quote_bytes > p->n)
		quote_bytes = p->n;
	ip_put(w, from, &p->src, is_ip6 ? ROUTER_ICMP6 : ROUTER_ICMP, OWN_TTL);
	wr_u8(w, is_ip6 ? icmp_codes[kind].type6 : icmp_codes[kind].type);
	wr_u8(w, is_ip6 ? icmp_codes[kind].code6 : icmp_codes[kind].code);
	wr_u16(w, 0);
	wr_u32(w, kind == ROUTER_ICMP_MTU ? mtu : 0);
	wr_put(w, (struct slice){p->b, quote_bytes});
	return finish(w, start, 0);
}

int router_rst_build(struct wr *w, const struct router_pkt *p)
{
	struct router_tcp t = {
		.src = p->dst, .dst = p->src, .window = UINT16_MAX};

	if (p->proto != ROUTER_TCP || p->frag_at || !is_answerable(p) ||
	    p->tcp_flags & ROUTER_TCP_RST)
		return ENOENT;
	/* RFC 9293, section 3.5.2, group 1. */
	if (p->tcp_flags & ROUTER_TCP_ACK) {
		t.flags = ROUTER_TCP_RST;
		t.seq = p->ack;
	} else {
		t.flags = ROUTER_TCP_RST | ROUTER_TCP_ACK;
		t.ack = p->seq + (uint32_t)router_pkt_payload(p).n +
		        (p->tcp_flags & ROUTER_TCP_SYN ? 1 : 0) +
		        (p->tcp_flags & ROUTER_TCP_FIN ? 1 : 0);
	}
	return router_tcp_build(w, &t, (struct slice){0});
}
