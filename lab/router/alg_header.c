/* SPDX-License-Identifier: ISC */
/*
 * Design: one function per behaviour, in the order of the set, each short
 * enough to be compared with the row of the catalogue that it plays. What
 * would stop a call from being tested at all, such as a changed branch, is
 * undone on the way back, as the real boxes do.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "router/alg_inside.h"
#include "sip/value.h"

enum {
	SIP_PORT = 5060,
	BRANCH_MARK_BYTES = 2,
	OVERFLOW = 65536,
};

static const char own_branch[] = "z9hG4bKrouter";
static const char branch_mark[] = ".r";

static bool is_ip(const struct addr *a, const struct addr *b)
{
	return addr_ip_eq(a, b);
}

bool router_alg_map(const struct router_alg_turn *t, struct addr *to,
                    const struct addr *a)
{
	const struct router_flow *f = t->flow;
	bool needs_port =
		router_alg_has(t, ROUTER_ALG_OWN_PORT_ONLY) && a->port;

	bool is_ours =
		is_ip(a, &f->src) && (!needs_port || a->port == f->src.port);

	/* With FOREIGN the phone is taken to be whoever is named. */
	is_ours |= router_alg_has(t, ROUTER_ALG_FOREIGN) && f->is_out &&
	           a->family == f->src.family && !is_ip(a, &f->dst);
	if (is_ours)
		*to = f->new_src;
	else if (is_ip(a, &f->dst) && (!needs_port || a->port == f->dst.port))
		*to = f->new_dst;
	else
		return false;
	return !is_ip(a, to) || (needs_port && a->port != to->port);
}

/* In brackets where the one before was. */
static void ip_edit(struct router_alg_turn *t, enum router_alg_id id,
                    struct slice host, const struct addr *to)
{
	char text[ADDR_TEXT_BYTES];

	(void)addr_ip_text(to, text);
	router_alg_edit(t, id, host, host.p[0] == '[' ? "[%s]" : "%s", text);
}

void router_alg_host(struct router_alg_turn *t, enum router_alg_id id,
                     struct slice host, struct slice port)
{
	struct slice all = host;
	struct addr a, to;
	char text[ADDR_TEXT_BYTES];

	if (sip_host_addr(&a, host, port) != 0)
		return;
	if (port.n)
		all.n = (size_t)(port.p - host.p) + port.n;
	else
		a.port = SIP_PORT;
	if (!router_alg_map(t, &to, &a))
		return;
	/* A port that is not the flow's own belongs to something else. */
	if (a.port !=
	    (is_ip(&a, &t->flow->src) ? t->flow->src.port : t->flow->dst.port))
		to.port = a.port;
	if (port.n || router_alg_has(t, ROUTER_ALG_PORT_ADDED))
		router_alg_edit(t, id, all, "%s", addr_text(&to, text));
	else
		ip_edit(t, id, host, &to);
}

static bool is_addr_char(uint8_t c, bool is_ip6)
{
	if (c >= '0' && c <= '9')
		return true;
	return is_ip6 ? c == ':' || (c >= 'a' && c <= 'f') : c == '.';
}

static void blind_one(struct router_alg_turn *t, enum router_alg_id id,
                      struct slice where, const struct addr *from,
                      const struct addr *to)
{
	char was[ADDR_TEXT_BYTES], is[ADDR_TEXT_BYTES];
	struct slice needle;
	size_t at = 0, hit;

	if (is_ip(from, to))
		return;
	needle = slice_str(addr_ip_text(from, was));
	(void)addr_ip_text(to, is);
	while ((hit = slice_find(slice_sub(where, at, SIZE_MAX), needle)) !=
	       SIZE_MAX) {
		struct slice found = slice_sub(where, at + hit, needle.n);
		size_t end = at + hit + needle.n;
		bool is_ip6 = from->family == ADDR_IP6;

		if ((at + hit == 0 || !is_addr_char(found.p[-1], is_ip6)) &&
		    (end == where.n || !is_addr_char(where.p[end], is_ip6)))
			router_alg_edit(t, id, found, "%s", is);
		at = end;
	}
}

void router_alg_blind(struct router_alg_turn *t, enum router_alg_id id,
                      struct slice where)
{
	blind_one(t, id, where, &t->flow->src, &t->flow->new_src);
	blind_one(t, id, where, &t->flow->dst, &t->flow->new_dst);
}

static void param_map(struct router_alg_turn *t, struct slice params,
                      const char *name)
{
	struct slice value = {0};
	struct addr a, to;

	if (sip_param_find(&value, params, name) && value.n &&
	    addr_parse(&a, value) == 0 && router_alg_map(t, &to, &a))
		ip_edit(t, ROUTER_ALG_RECEIVED, value, &to);
}

static void received(struct router_alg_turn *t, const struct sip_via *via)
{
	const struct router_flow *f = t->flow;
	struct slice value = {0};
	uint64_t port;

	param_map(t, via->params, "maddr");
	param_map(t, via->params, "received");
	if (sip_param_find(&value, via->params, "rport") && value.n &&
	    text_u64(&port, value, 65535) == 0 && port == f->dst.port &&
	    port != f->new_dst.port)
		router_alg_edit(t, ROUTER_ALG_RECEIVED, value, "%u",
		                (unsigned)f->new_dst.port);
}

/* A Via that is not the flow's own means that the phone is elsewhere. */
static bool is_via_ours(const struct router_alg_turn *t,
                        const struct sip_via *via)
{
	const struct addr *own =
		sip_msg_is_request(t->m) ? &t->flow->src : &t->flow->dst;
	struct addr a;

	if (sip_host_addr(&a, via->host, via->port) != 0)
		return false;
	if (!via->port.n)
		a.port = SIP_PORT;
	if (!is_ip(&a, own))
		return false;
	if (!router_alg_has(t, ROUTER_ALG_OWN_PORT_ONLY))
		return true;
	/* who minds the port minds the transport too: Linux does */
	return a.port == own->port &&
	       slice_eq_str(via->protocol, t->proto == ROUTER_TCP
	                                           ? "SIP/2.0/TCP"
	                                           : "SIP/2.0/UDP");
}

static void branch(struct router_alg_turn *t, const struct sip_via *via)
{
	struct slice value = {0}, tail;

	if (!sip_param_find(&value, via->params, "branch") ||
	    value.n <= BRANCH_MARK_BYTES)
		return;
	tail = slice_sub(value, value.n - BRANCH_MARK_BYTES, BRANCH_MARK_BYTES);
	if (sip_msg_is_request(t->m) && t->flow->is_out)
		router_alg_edit(t, ROUTER_ALG_BRANCH,
		                (struct slice){value.p + value.n, 0}, "%s",
		                branch_mark);
	else if (!sip_msg_is_request(t->m) && !t->flow->is_out &&
	         slice_eq_str(tail, branch_mark))
		router_alg_edit(t, ROUTER_ALG_BRANCH, tail, "%s", "");
}

/* @return whether the topmost Via was our own, and is gone */
static bool own_via(struct router_alg_turn *t)
{
	const struct sip_field *f = sip_msg_field(t->m, SIP_HDR_VIA, 0);
	const struct sip_field *before = sip_msg_field(t->m, SIP_HDR_VIA, 1);
	char text[ADDR_TEXT_BYTES];

	if (!router_alg_has(t, ROUTER_ALG_OWN_VIA) || !f)
		return false;
	if (sip_msg_is_request(t->m)) {
		if (t->flow->is_out)
			router_alg_edit(t, ROUTER_ALG_OWN_VIA,
			                (struct slice){f->raw.p, 0},
			                "Via: SIP/2.0/%s %s;branch=%s\r\n",
			                t->proto == ROUTER_TCP ? "TCP" : "UDP",
			                addr_text(&t->flow->new_src, text),
			                own_branch);
		return false;
	}
	if (t->flow->is_out || !before ||
	    slice_find(f->value, slice_str(own_branch)) == SIZE_MAX)
		return false;
	router_alg_edit(t, ROUTER_ALG_OWN_VIA, f->raw, "%s", "");
	return true;
}

static void vias(struct router_alg_turn *t)
{
	size_t nth = own_via(t) ? 1 : 0;
	const struct sip_field *f = sip_msg_field(t->m, SIP_HDR_VIA, nth);
	struct slice rest, item;
	struct sip_via via;

	if (!f)
		return;
	rest = f->value;
	if (!sip_list_next(&item, &rest) || sip_via_read(&via, item) != 0)
		return;
	if (router_alg_has(t, ROUTER_ALG_VIA) && is_via_ours(t, &via))
		router_alg_host(t, ROUTER_ALG_VIA, via.host, via.port);
	if (router_alg_has(t, ROUTER_ALG_RECEIVED) && is_via_ours(t, &via))
		received(t, &via);
	if (router_alg_has(t, ROUTER_ALG_BRANCH))
		branch(t, &via);
}

static void uri_host(struct router_alg_turn *t, enum router_alg_id id,
                     struct slice text)
{
	struct sip_uri uri;

	if (sip_uri_read(&uri, text) == 0 &&
	    (slice_ieq(uri.scheme, slice_str("sip")) ||
	     !router_alg_has(t, ROUTER_ALG_OWN_PORT_ONLY)))
		router_alg_host(t, id, uri.host, uri.port);
}

/* Answers to the phone come to it whole: without them nothing could be
 * tested at all. */
static bool may_corrupt(const struct router_alg_turn *t)
{
	return t->flow->is_out || sip_msg_is_request(t->m);
}

static void contact_overflow(struct router_alg_turn *t,
                             const struct sip_nameaddr *n)
{
	struct sip_uri uri;
	uint64_t port;

	if (may_corrupt(t) && sip_uri_read(&uri, n->uri) == 0 &&
	    text_u64(&port, uri.port, 65535) == 0)
		router_alg_edit(t, ROUTER_ALG_PORT_OVERFLOW, uri.port, "%u",
		                (unsigned)port + OVERFLOW);
}

static void contacts(struct router_alg_turn *t)
{
	const struct sip_field *f;
	bool first_only = !router_alg_has(t, ROUTER_ALG_CONTACT);
	size_t n_seen = 0;

	for (size_t i = 0; (f = sip_msg_field(t->m, SIP_HDR_CONTACT, i)); i++) {
		struct slice rest = f->value, item;

		while (sip_list_next(&item, &rest)) {
			struct sip_nameaddr n;

			sip_nameaddr_read(&n, item);
			if (router_alg_has(t, ROUTER_ALG_CONTACT))
				uri_host(t, ROUTER_ALG_CONTACT, n.uri);
			else if (router_alg_has(t, ROUTER_ALG_CONTACT_FIRST))
				uri_host(t, ROUTER_ALG_CONTACT_FIRST, n.uri);
			if (router_alg_has(t, ROUTER_ALG_PORT_OVERFLOW))
				contact_overflow(t, &n);
			if (first_only && ++n_seen)
				return;
		}
	}
}

static void from_to(struct router_alg_turn *t)
{
	static const enum sip_hdr ids[] = {SIP_HDR_FROM, SIP_HDR_TO};

	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		const struct sip_field *f = sip_msg_field(t->m, ids[i], 0);
		struct sip_nameaddr n;

		if (!f)
			continue;
		sip_nameaddr_read(&n, f->value);
		uri_host(t, ROUTER_ALG_FROM_TO, n.uri);
	}
}

static void fields_blind(struct router_alg_turn *t, enum router_alg_id id,
                         const enum sip_hdr *hdrs, size_t n)
{
	for (size_t i = 0; i < t->m->n_fields; i++) {
		for (size_t k = 0; k < n; k++) {
			if (t->m->fields[i].id == hdrs[k])
				router_alg_blind(t, id, t->m->fields[i].value);
		}
	}
}

static void digest(struct router_alg_turn *t)
{
	for (size_t i = 0; i < t->m->n_fields; i++) {
		const struct sip_field *f = &t->m->fields[i];

		if (f->id == SIP_HDR_AUTHORIZATION ||
		    slice_ieq(f->name, slice_str("Proxy-Authorization")))
			router_alg_blind(t, ROUTER_ALG_DIGEST, f->value);
	}
}

static void max_forwards(struct router_alg_turn *t)
{
	struct slice value = sip_msg_value(t->m, SIP_HDR_MAX_FORWARDS);
	uint64_t n;

	if (sip_msg_is_request(t->m) && text_u64(&n, value, 255) == 0 && n > 0)
		router_alg_edit(t, ROUTER_ALG_MAX_FORWARDS, value, "%u",
		                (unsigned)n - 1);
}

/* Call-ID and CSeq change places, when they are neighbours. */
static void reorder(struct router_alg_turn *t)
{
	for (size_t i = 0; i + 1 < t->m->n_fields; i++) {
		const struct sip_field *a = &t->m->fields[i], *b = a + 1;

		if (a->id != SIP_HDR_CALL_ID || b->id != SIP_HDR_CSEQ)
			continue;
		router_alg_edit(t, ROUTER_ALG_REORDER,
		                (struct slice){a->raw.p, 0}, "%.*s",
		                (int)b->raw.n, (const char *)b->raw.p);
		router_alg_edit(t, ROUTER_ALG_REORDER, b->raw, "%s", "");
		return;
	}
}

static void recase(struct router_alg_turn *t)
{
	for (size_t i = 0; i < t->m->n_fields; i++) {
		const struct sip_field *f = &t->m->fields[i];

		if (slice_eq_str(f->name, "Call-ID"))
			router_alg_edit(t, ROUTER_ALG_RECASE, f->name, "%s",
			                "Call-Id");
		else if (slice_eq_str(f->name, "CSeq"))
			router_alg_edit(t, ROUTER_ALG_RECASE, f->name, "%s",
			                "Cseq");
	}
}

/* Of a Contact, else of a Via after its branch: what calls can survive. */
static void lose_semicolon(struct router_alg_turn *t)
{
	const struct sip_field *f = sip_msg_field(t->m, SIP_HDR_CONTACT, 0);
	struct sip_nameaddr n = {0};
	struct sip_via via;

	if (!may_corrupt(t))
		return;
	if (f)
		sip_nameaddr_read(&n, f->value);
	if (f && n.params.n) {
		router_alg_edit(t, ROUTER_ALG_LOSE_SEMICOLON,
		                slice_sub(n.params, 0, 1), "%s", "");
		return;
	}
	if (sip_msg_top_via(&via, t->m) != 0)
		return;
	for (size_t i = via.params.n; i-- > 1;) {
		if (via.params.p[i] != ';')
			continue;
		router_alg_edit(t, ROUTER_ALG_LOSE_SEMICOLON,
		                slice_sub(via.params, i, 1), "%s", "");
		return;
	}
}

/* A server needs these to answer at all. */
static bool is_essential(const struct sip_field *f)
{
	return f->id == SIP_HDR_VIA || f->id == SIP_HDR_FROM ||
	       f->id == SIP_HDR_TO || f->id == SIP_HDR_CALL_ID ||
	       f->id == SIP_HDR_CSEQ || f->id == SIP_HDR_CONTENT_LENGTH ||
	       slice_ieq(slice_sub(f->name, 0, 2), slice_str("X-"));
}

static void lose_crlf(struct router_alg_turn *t)
{
	for (size_t i = 0; i + 1 < t->m->n_fields; i++) {
		const struct sip_field *f = &t->m->fields[i];

		if (is_essential(f) || is_essential(f + 1) ||
		    f->eol != SIP_EOL_CRLF || !may_corrupt(t))
			continue;
		router_alg_edit(t, ROUTER_ALG_LOSE_CRLF,
		                slice_sub(f->raw, f->raw.n - 2, 2), "%s", "");
		return;
	}
}

static void unfold(struct router_alg_turn *t)
{
	for (size_t i = 0; i < t->m->n_fields; i++) {
		const struct sip_field *f = &t->m->fields[i];
		uint8_t b[2048];
		struct wr w = wr_init(b, sizeof(b));

		if (!f->is_folded)
			continue;
		sip_value_unfold(&w, f->value);
		if (!w.bad)
			router_alg_edit(t, ROUTER_ALG_UNFOLD, f->value, "%.*s",
			                (int)w.n, (const char *)b);
	}
}

static void expand(struct router_alg_turn *t)
{
	for (size_t i = 0; i < t->m->n_fields; i++) {
		const struct sip_field *f = &t->m->fields[i];

		if (f->is_compact)
			router_alg_edit(t, ROUTER_ALG_EXPAND, f->name, "%s",
			                sip_hdr_name(f->id));
	}
}

void router_alg_headers(struct router_alg_turn *t)
{
	static const enum sip_hdr call_id[] = {SIP_HDR_CALL_ID};
	static const enum sip_hdr routes[] = {
		SIP_HDR_ROUTE, SIP_HDR_RECORD_ROUTE, SIP_HDR_PATH};
	static const struct {
		enum router_alg_id id;
		void (*fn)(struct router_alg_turn *t);
	} simple[] = {
		{ROUTER_ALG_LOSE_SEMICOLON, lose_semicolon},
		{ROUTER_ALG_LOSE_CRLF, lose_crlf},
		{ROUTER_ALG_UNFOLD, unfold},
		{ROUTER_ALG_EXPAND, expand},
		{ROUTER_ALG_FROM_TO, from_to},
		{ROUTER_ALG_DIGEST, digest},
		{ROUTER_ALG_MAX_FORWARDS, max_forwards},
		{ROUTER_ALG_REORDER, reorder},
		{ROUTER_ALG_RECASE, recase},
	};

	vias(t);
	contacts(t);
	for (size_t i = 0; i < ARRAY_LEN(simple); i++) {
		if (router_alg_has(t, simple[i].id))
			simple[i].fn(t);
	}
	if (router_alg_has(t, ROUTER_ALG_REQUEST_URI) &&
	    sip_msg_is_request(t->m))
		uri_host(t, ROUTER_ALG_REQUEST_URI, sip_msg_uri(t->m));
	if (router_alg_has(t, ROUTER_ALG_CALL_ID))
		fields_blind(t, ROUTER_ALG_CALL_ID, call_id, 1);
	if (router_alg_has(t, ROUTER_ALG_ROUTE))
		fields_blind(t, ROUTER_ALG_ROUTE, routes, ARRAY_LEN(routes));
	if (router_alg_has(t, ROUTER_ALG_BLIND))
		router_alg_blind(t, ROUTER_ALG_BLIND, t->m->raw);
}

/* A length is adapted on behalf of whoever edited the body. */
static enum router_alg_id length_id(const struct router_alg_turn *t,
                                    bool is_adapted)
{
	if (!is_adapted)
		return ROUTER_ALG_LENGTH_PAD;
	if (router_alg_has(t, ROUTER_ALG_SDP))
		return ROUTER_ALG_SDP;
	return router_alg_has(t, ROUTER_ALG_BLIND) ? ROUTER_ALG_BLIND
	                                           : ROUTER_ALG_NAT_TRACE;
}

void router_alg_length(struct router_alg_turn *t, int64_t delta)
{
	const struct sip_field *f =
		sip_msg_field(t->m, SIP_HDR_CONTENT_LENGTH, 0);
	const char *pad = router_alg_has(t, ROUTER_ALG_LENGTH_PAD) ? "  " : "";
	struct slice sdp;
	uint64_t n, want;

	if (!f || text_u64(&n, f->value, ROUTER_PKT_BYTES) != 0)
		return;
	want = (uint64_t)((int64_t)n + delta);
	if (router_alg_has(t, ROUTER_ALG_LENGTH_TEXT) &&
	    router_alg_has_sdp(t, &sdp))
		want = (uint64_t)((int64_t)sdp.n + delta);
	if (want == n || router_alg_has(t, ROUTER_ALG_LENGTH_STALE))
		want = n;
	if (want != n || *pad)
		router_alg_edit(t, length_id(t, want != n), f->value, "%s%u",
		                pad, (unsigned)want);
}
