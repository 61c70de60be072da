/* SPDX-License-Identifier: ISC */
/*
 * Design: records are decoded by libre, which knows their types and follows
 * compressed names; they are copied into plain structs of a fixed size, so
 * that nothing of libre leaves this file. The counts in the header bound no
 * loop: a record takes eleven bytes at least, and the message ends.
 */
#include "net/dns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* without it libre makes `bool` a signed char */
#define HAVE_STDBOOL_H
#include <re.h>

enum {
	MAX_LABEL_BYTES = 63,
	MAX_NAME_BYTES = 253, /* as text, RFC 1035 section 2.3.4 */
	BIT_RECURSION = 0x0100,
};

_Static_assert((int)NET_DNS_A == (int)DNS_TYPE_A &&
                       (int)NET_DNS_CNAME == (int)DNS_TYPE_CNAME &&
                       (int)NET_DNS_AAAA == (int)DNS_TYPE_AAAA &&
                       (int)NET_DNS_SRV == (int)DNS_TYPE_SRV &&
                       (int)NET_DNS_NAPTR == (int)DNS_TYPE_NAPTR,
               "types are compared as they are");

static void keep(char *out, size_t cap, const char *text)
{
	size_t n = text ? strlen(text) : 0;

	if (n >= cap)
		n = cap - 1;
	if (n)
		memcpy(out, text, n);
	out[n] = '\0';
}

static void keep_ip4(struct addr *a, uint32_t host_order)
{
	a->family = ADDR_IP4;
	for (int i = 0; i < 4; i++)
		a->ip[i] = (uint8_t)(host_order >> (24 - 8 * i));
}

static void keep_data(struct net_dns_record *r, const struct dnsrr *rr)
{
	switch (rr->type) {
	case DNS_TYPE_A:
		keep_ip4(&r->addr, rr->rdata.a.addr);
		break;
	case DNS_TYPE_AAAA:
		r->addr.family = ADDR_IP6;
		memcpy(r->addr.ip, rr->rdata.aaaa.addr, sizeof(r->addr.ip));
		break;
	case DNS_TYPE_CNAME:
		keep(r->target, sizeof(r->target), rr->rdata.cname.cname);
		break;
	case DNS_TYPE_SRV:
		r->order = rr->rdata.srv.pri;
		r->preference = rr->rdata.srv.weight;
		r->port = rr->rdata.srv.port;
		keep(r->target, sizeof(r->target), rr->rdata.srv.target);
		break;
	case DNS_TYPE_NAPTR:
		r->order = rr->rdata.naptr.order;
		r->preference = rr->rdata.naptr.pref;
		keep(r->flags, sizeof(r->flags), rr->rdata.naptr.flags);
		keep(r->services, sizeof(r->services),
		     rr->rdata.naptr.services);
		keep(r->regexp, sizeof(r->regexp), rr->rdata.naptr.regexp);
		keep(r->target, sizeof(r->target), rr->rdata.naptr.replace);
		break;
	default:
		break;
	}
}

static bool is_kept(const struct dnsrr *rr)
{
	return rr->dnsclass == DNS_CLASS_IN &&
	       (rr->type == DNS_TYPE_A || rr->type == DNS_TYPE_AAAA ||
	        rr->type == DNS_TYPE_CNAME || rr->type == DNS_TYPE_SRV ||
	        rr->type == DNS_TYPE_NAPTR);
}

static void keep_record(struct net_dns_msg *m, const struct dnsrr *rr,
                        bool is_additional)
{
	struct net_dns_record *r;

	if (!is_kept(rr) || m->n_records == NET_DNS_RECORDS_MAX)
		return;
	r = &m->records[m->n_records++];
	r->type = rr->type;
	r->is_additional = is_additional;
	r->ttl_s = (uint32_t)rr->ttl;
	keep(r->name, sizeof(r->name), rr->name);
	keep_data(r, rr);
}

static int read_question(struct net_dns_msg *m, struct mbuf *mb,
                         const struct dnshdr *hdr)
{
	char *name = NULL;

	if (hdr->nq == 0)
		return 0;
	if (hdr->nq > 1 || dns_dname_decode(mb, &name, 0))
		return EBADMSG;
	keep(m->question, sizeof(m->question), name);
	mem_deref(name);
	if (mbuf_get_left(mb) < 4)
		return EBADMSG;
	m->question_type = ntohs(mbuf_read_u16(mb));
	(void)mbuf_read_u16(mb); /* the class */
	return 0;
}

/* A truncated message may end inside a record. */
static int read_records(struct net_dns_msg *m, struct mbuf *mb,
                        const struct dnshdr *hdr)
{
	const struct {
		uint16_t n;
		bool is_kept, is_additional;
	} sections[] = {
		{hdr->nans, true, false},
		{hdr->nauth, false, false},
		{hdr->nadd, true, true},
	};

	for (size_t s = 0; s < ARRAY_LEN(sections); s++) {
		for (unsigned i = 0; i < sections[s].n; i++) {
			struct dnsrr *rr = NULL;
			int err = dns_rr_decode(mb, &rr, 0);

			if (err == ENOMEM)
				return ENOMEM;
			if (err)
				return hdr->tc ? 0 : EBADMSG;
			if (sections[s].is_kept)
				keep_record(m, rr, sections[s].is_additional);
			mem_deref(rr);
		}
	}
	return 0;
}

static int decode(struct net_dns_msg *m, struct mbuf *mb)
{
	struct dnshdr hdr;
	int err;

	if (dns_hdr_decode(mb, &hdr))
		return EBADMSG;
	m->id = hdr.id;
	m->is_answer = hdr.qr;
	m->is_authoritative = hdr.aa;
	m->is_truncated = hdr.tc;
	m->has_recursion = hdr.ra;
	m->rcode = hdr.rcode;
	err = read_question(m, mb, &hdr);
	if (err)
		return err;
	m->records = calloc(NET_DNS_RECORDS_MAX, sizeof(*m->records));
	if (!m->records)
		return ENOMEM;
	return read_records(m, mb, &hdr);
}

int net_dns_decode(struct net_dns_msg *out, struct slice in)
{
	struct mbuf *mb = mbuf_alloc(in.n ? in.n : 1);
	struct net_dns_msg m = {0};
	int err;

	if (!mb)
		return ENOMEM;
	err = mbuf_write_mem(mb, in.p, in.n);
	mb->pos = 0;
	if (!err)
		err = decode(&m, mb);
	mem_deref(mb);
	if (err)
		net_dns_msg_fini(&m);
	else
		*out = m;
	return err;
}

void net_dns_msg_fini(struct net_dns_msg *m)
{
	free(m->records);
	*m = (struct net_dns_msg){0};
}

static int put_name(struct wr *w, struct slice name)
{
	if (name.n && name.p[name.n - 1] == '.')
		name.n--;
	if (name.n == 0 || name.n > MAX_NAME_BYTES)
		return EINVAL;
	for (;;) {
		size_t dot = slice_find(name, slice_str("."));
		struct slice label = slice_sub(name, 0, dot);

		if (label.n == 0 || label.n > MAX_LABEL_BYTES)
			return EINVAL;
		wr_u8(w, (uint8_t)label.n);
		wr_put(w, label);
		if (dot == SIZE_MAX)
			break;
		if (dot + 1 == name.n)
			return EINVAL;
		name = slice_sub(name, dot + 1, SIZE_MAX);
	}
	wr_u8(w, 0);
	return 0;
}

int net_dns_encode(struct wr *w, uint16_t id, const char *name,
                   enum net_dns_type type)
{
	int err;

	wr_u16(w, id);
	wr_u16(w, BIT_RECURSION);
	wr_u16(w, 1); /* a question... */
	wr_u16(w, 0); /* ...and no records */
	wr_u16(w, 0);
	wr_u16(w, 0);
	err = put_name(w, slice_str(name));
	wr_u16(w, (uint16_t)type);
	wr_u16(w, DNS_CLASS_IN);
	if (!err && w->bad)
		err = ENOMEM;
	return err;
}
