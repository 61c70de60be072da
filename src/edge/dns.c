/* SPDX-License-Identifier: ISC */
/*
 * Design: a question is copied into its answer as it came, letters in their
 * case and all, since resolvers compare; a record's name is a pointer to it.
 * A message is read to the end of its one question. What follows (EDNS) is
 * not needed and not answered, which RFC 6891 allows.
 */
#include "edge/dns.h"

enum {
	HDR_BYTES = 12,
	FLAG_QR = 0x8000,
	FLAG_AA = 0x0400,
	FLAG_TC = 0x0200,
	FLAG_RD = 0x0100,
	OPCODE = 0x7800,
	FORMERR = 1,
	NXDOMAIN = 3,
	NOTIMP = 4,
	REFUSED = 5,
	TYPE_A = 1,
	TYPE_AAAA = 28,
	TYPE_SRV = 33,
	TYPE_NAPTR = 35,
	CLASS_IN = 1,
	LABEL_MAX_BYTES = 63,
	POINTER_TO_QUESTION = 0xc000 | HDR_BYTES,
	RECORD_HDR_BYTES = 12,
	RDATA_MAX_BYTES = 1024, /* two names, and what a NAPTR record has */
	FLAGS_AT = 2,
	COUNTS_AT = 6,
};

struct query {
	uint16_t id, flags, type, cls;
	struct slice question; /* name, type and class */
	char name[EDGE_DNS_NAME_CHARS + 1];
	size_t n_name;
};

/* @return false: malformed, compressed, or not to be written with dots */
static bool read_name(struct query *q, struct rd *r)
{
	struct wr w = wr_init(q->name, EDGE_DNS_NAME_CHARS);
	size_t n;

	while ((n = rd_u8(r)) != 0) {
		struct slice label = rd_take(r, n);

		if (n > LABEL_MAX_BYTES || r->bad)
			return false;
		if (slice_find(label, slice_str(".")) != SIZE_MAX)
			return false;
		if (w.n)
			wr_u8(&w, '.');
		wr_put(&w, label);
	}
	q->n_name = w.n;
	return !r->bad && !w.bad;
}

/* @return 0, a code to be told, or -1: silence */
static int read_query(struct query *q, struct slice in)
{
	struct rd r = rd_init(in);
	uint16_t n_questions;

	q->id = rd_u16(&r);
	q->flags = rd_u16(&r);
	n_questions = rd_u16(&r);
	(void)rd_take(&r, HDR_BYTES - COUNTS_AT);
	if (r.bad || q->flags & FLAG_QR)
		return -1;
	if (q->flags & OPCODE)
		return NOTIMP;
	if (n_questions != 1 || !read_name(q, &r))
		return FORMERR;
	q->type = rd_u16(&r);
	q->cls = rd_u16(&r);
	if (r.bad)
		return FORMERR;
	q->question = slice_sub(in, HDR_BYTES, in.n - HDR_BYTES - r.left);
	return q->cls == CLASS_IN ? 0 : REFUSED;
}

static struct slice query_name(const struct query *q)
{
	return (struct slice){(const uint8_t *)q->name, q->n_name};
}

static struct slice parent(struct slice name)
{
	size_t dot = slice_find(name, slice_str("."));

	if (dot == SIZE_MAX)
		return (struct slice){0};
	return slice_sub(name, dot + 1, SIZE_MAX);
}

/* What is said of the name itself: 0, NXDOMAIN or REFUSED. */
static int judge(const struct edge_zone *z, const struct query *q)
{
	struct slice name = query_name(q), above = parent(name);
	int code = REFUSED;

	for (size_t i = 0; i < z->n_names; i++) {
		struct slice other = slice_str(z->names[i].name);

		if (slice_ieq(other, name))
			return 0;
		if (above.n && slice_ieq(parent(other), above))
			code = NXDOMAIN;
	}
	for (size_t i = 0; i < z->n_srvs; i++) {
		if (slice_ieq(slice_str(z->srvs[i].name), name) ||
		    slice_ieq(slice_str(z->srvs[i].domain), name))
			return 0;
	}
	return code;
}

static bool is_asked(const struct query *q, const struct edge_name *n)
{
	uint16_t type = n->addr.family == ADDR_IP6 ? TYPE_AAAA : TYPE_A;

	return n->addr.family != ADDR_NONE && q->type == type &&
	       slice_ieq(slice_str(n->name), query_name(q));
}

static void put_header(struct wr *w, const struct query *q, unsigned flags)
{
	wr_u16(w, q->id);
	wr_u16(w,
	       (uint16_t)(FLAG_QR | (q->flags & (FLAG_RD | OPCODE)) | flags));
	wr_u16(w, q->question.n ? 1 : 0);
	wr_u16(w, 0);
	wr_u16(w, 0);
	wr_u16(w, 0);
	wr_put(w, q->question);
}

static void put_text(struct wr *w, const char *text)
{
	struct slice s = slice_str(text);

	wr_u8(w, (uint8_t)s.n);
	wr_put(w, s);
}

/* Whole: RFC 2782 forbids pointers in it. */
static void put_name(struct wr *w, const char *name)
{
	struct slice rest = slice_str(name);

	while (rest.n) {
		struct slice label =
			slice_sub(rest, 0, slice_find(rest, slice_str(".")));

		wr_u8(w, (uint8_t)label.n);
		wr_put(w, label);
		rest = slice_sub(rest, label.n + 1, SIZE_MAX);
	}
	wr_u8(w, 0);
}

/* @param no  Of the service: those of one domain are offered in their order */
static void put_srv(struct wr *w, const struct query *q,
                    const struct edge_srv *s, size_t no)
{
	const struct slice name = query_name(q);

	if (q->type == TYPE_SRV && slice_ieq(slice_str(s->name), name)) {
		wr_u16(w, 0); /* priority */
		wr_u16(w, 0); /* weight */
		wr_u16(w, s->port);
		put_name(w, s->domain);
	} else if (q->type == TYPE_NAPTR && s->naptr &&
	           slice_ieq(slice_str(s->domain), name)) {
		wr_u16(w, (uint16_t)no); /* order */
		wr_u16(w, 0);            /* preference */
		put_text(w, "s");
		put_text(w, s->naptr);
		put_text(w, "");
		put_name(w, s->name);
	}
}

/* The data of the zone's record of that number; none: it is not asked for. */
static void put_data(struct wr *w, const struct edge_zone *z,
                     const struct query *q, size_t no)
{
	if (no >= z->n_names)
		put_srv(w, q, &z->srvs[no - z->n_names], no);
	else if (is_asked(q, &z->names[no]))
		wr_put(w, addr_ip(&z->names[no].addr));
}

static void put_record(struct wr *w, const struct query *q, struct slice data)
{
	wr_u16(w, POINTER_TO_QUESTION);
	wr_u16(w, q->type);
	wr_u16(w, CLASS_IN);
	wr_u32(w, EDGE_DNS_TTL_S);
	wr_u16(w, (uint16_t)data.n);
	wr_put(w, data);
}

static void put_answer(struct wr *w, const struct edge_zone *z,
                       const struct query *q, size_t max_bytes)
{
	uint8_t data[RDATA_MAX_BYTES];
	size_t start = w->n;
	unsigned flags = FLAG_AA;
	uint16_t n = 0;
	struct wr head;

	put_header(w, q, flags);
	for (size_t i = 0; i < z->n_names + z->n_srvs; i++) {
		struct wr rdata = wr_init(data, sizeof(data));

		put_data(&rdata, z, q, i);
		if (rdata.n == 0 || rdata.bad)
			continue;
		if (w->n - start + RECORD_HDR_BYTES + rdata.n > max_bytes) {
			flags |= FLAG_TC;
			break;
		}
		put_record(w, q, wr_slice(&rdata));
		n++;
	}
	if (w->bad)
		return;
	head = wr_init(w->p + start + FLAGS_AT, COUNTS_AT);
	wr_u16(&head, (uint16_t)(FLAG_QR | (q->flags & FLAG_RD) | flags));
	wr_u16(&head, 1);
	wr_u16(&head, n);
}

void edge_dns_answer(struct wr *w, const struct edge_zone *zone,
                     struct slice query, size_t max_bytes)
{
	struct query q = {0};
	int code = read_query(&q, query);

	if (code < 0)
		return;
	if (!code)
		code = judge(zone, &q);
	if (!code)
		put_answer(w, zone, &q, max_bytes);
	else
		put_header(w, &q,
		           (unsigned)code | (code == NXDOMAIN ? FLAG_AA : 0));
}
