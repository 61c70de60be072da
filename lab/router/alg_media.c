/* SPDX-License-Identifier: ISC */
/*
 * Design: what an ALG refuses, and what it does for the media that a message
 * announces. The order of work on SDP is that of the kernel's ALG, with its
 * quirk that o= and the session's c= get the address of the last stream.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "router/alg_inside.h"
#include "sip/sdp.h"
#include "sip/value.h"

enum {
	LINE_MAX_BYTES = 998,
	URI_MAX_BYTES = 255,
	RANGE_FIRST_PORT = 7070,
	RTP_LOW_PORT = 1024,
};

static bool is_any(struct slice word, const char *const *list)
{
	while (*list && !slice_eq_str(word, *list))
		list++;
	return *list != NULL;
}

static bool is_unknown(const struct router_alg_turn *t)
{
	static const char *const known[] = {
		"INVITE",    "ACK",    "BYE",     "CANCEL",  "OPTIONS",
		"REGISTER",  "PRACK",  "NOTIFY",  "INFO",    "REFER",
		"SUBSCRIBE", "UPDATE", "MESSAGE", "PUBLISH", NULL};

	return sip_msg_is_request(t->m) && !is_any(sip_msg_method(t->m), known);
}

static bool has_long_line(const struct router_alg_turn *t)
{
	for (size_t i = 0; i < t->m->n_fields; i++) {
		if (t->m->fields[i].raw.n > LINE_MAX_BYTES)
			return true;
	}
	return false;
}

static bool contact_uri(const struct router_alg_turn *t, struct sip_uri *uri)
{
	struct slice rest = sip_msg_value(t->m, SIP_HDR_CONTACT), item;
	struct sip_nameaddr n;

	if (!sip_list_next(&item, &rest))
		return false;
	sip_nameaddr_read(&n, item);
	return sip_uri_read(uri, n.uri) == 0;
}

static bool has_no_port(const struct router_alg_turn *t)
{
	struct sip_uri uri;

	return slice_eq_str(sip_msg_method(t->m), "REGISTER") &&
	       contact_uri(t, &uri) && !uri.port.n;
}

static bool has_host_contact(const struct router_alg_turn *t)
{
	const struct sip_field *f = sip_msg_field(t->m, SIP_HDR_CONTACT, 0);
	struct slice rest, item;
	struct sip_nameaddr n;
	struct sip_uri uri;
	struct addr a;

	/* a TCP segment may end within the line */
	if (!f || f->eol == SIP_EOL_NONE)
		return false;
	rest = f->value;
	while (sip_list_next(&item, &rest)) {
		sip_nameaddr_read(&n, item);
		if (sip_uri_read(&uri, n.uri) == 0 &&
		    sip_host_addr(&a, uri.host, slice_str("")) == ENOENT)
			return true;
	}
	return false;
}

static bool is_too_fast(struct router_alg_turn *t)
{
	struct router_alg *a = t->a;

	if (!sip_msg_is_request(t->m))
		return false;
	if (t->now_ns - a->second_ns >= NS_PER_S) {
		a->second_ns = t->now_ns;
		a->n_second = 0;
	}
	return ++a->n_second > a->conf.fast_pps;
}

static bool is_not_sip(const struct router_alg_turn *t)
{
	/* In TCP any piece of a message may look like that. */
	return t->proto == ROUTER_UDP && !sip_msg_is_request(t->m) &&
	       sip_msg_status(t->m) == 0;
}

/* Of the methods that netfilter looks into. */
static bool has_bad_cseq(const struct router_alg_turn *t)
{
	static const char *const methods[] = {
		"INVITE", "UPDATE", "ACK", "PRACK", "BYE", "REGISTER", NULL};
	struct slice method = sip_msg_method(t->m);
	struct slice cseq = sip_msg_value(t->m, SIP_HDR_CSEQ);

	for (size_t i = 0; methods[i]; i++) {
		if (slice_eq_str(method, methods[i]))
			return !cseq.n || cseq.p[0] < '0' || cseq.p[0] > '9';
	}
	return false;
}

bool router_alg_drops(struct router_alg_turn *t, enum router_alg_id *idp)
{
	const struct {
		enum router_alg_id id;
		bool is_hit;
	} rows[] = {
		{ROUTER_ALG_DROP_TCP, t->proto == ROUTER_TCP},
		{ROUTER_ALG_DROP_LARGE, t->m->raw.n > t->a->conf.large_bytes},
		{ROUTER_ALG_DROP_NON_SIP, is_not_sip(t)},
		{ROUTER_ALG_DROP_UNKNOWN, is_unknown(t)},
		{ROUTER_ALG_DROP_LONG_LINE, has_long_line(t)},
		{ROUTER_ALG_DROP_LONG_URI, sip_msg_uri(t->m).n > URI_MAX_BYTES},
		{ROUTER_ALG_DROP_NO_PORT, has_no_port(t)},
		{ROUTER_ALG_DROP_HOST_CONTACT, has_host_contact(t)},
		{ROUTER_ALG_DROP_FAST, is_too_fast(t)},
		{ROUTER_ALG_DROP_BAD_MEDIA, has_bad_cseq(t)},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!rows[i].is_hit || !router_alg_has(t, rows[i].id))
			continue;
		*idp = rows[i].id;
		return true;
	}
	return false;
}

static bool may_carry_sdp(const struct router_alg_turn *t)
{
	static const char *const methods[] = {"INVITE", "UPDATE", "ACK",
	                                      "PRACK", NULL};
	unsigned status = sip_msg_status(t->m);
	struct slice method = sip_msg_method(t->m);

	if (status) {
		if (status >= 300)
			return false;
		method = sip_sdp_word(sip_msg_value(t->m, SIP_HDR_CSEQ), 1);
	}
	return is_any(method, methods);
}

bool router_alg_has_sdp(const struct router_alg_turn *t, struct slice *sdp)
{
	struct rd r = rd_init(t->m->body);
	struct sip_sdp_line line;

	if (!may_carry_sdp(t))
		return false;
	while (sip_sdp_next(&line, &r)) {
		if (line.type != 'v')
			continue;
		*sdp = (struct slice){line.raw.p, line.raw.n + r.left};
		return true;
	}
	return false;
}

static struct router_alg_media *media_find(struct router_alg_turn *t,
                                           const struct addr *inner)
{
	for (size_t i = 0; i < ROUTER_ALG_MAX_MEDIA; i++) {
		struct router_alg_media *m = &t->a->media[i];

		if (m->inner.family && t->now_ns >= m->until_ns)
			*m = (struct router_alg_media){0};
		if (inner ? addr_eq(&m->inner, inner) : !m->inner.family)
			return m;
	}
	return NULL;
}

static size_t media_count(const struct router_alg_turn *t)
{
	size_t n = 0;

	for (size_t i = 0; i < ROUTER_ALG_MAX_MEDIA; i++)
		n += t->a->media[i].inner.family != ADDR_NONE;
	return n;
}

static uint64_t cseq_number(const struct router_alg_turn *t)
{
	struct slice cseq = sip_msg_value(t->m, SIP_HDR_CSEQ);
	uint64_t n;

	return text_u64(&n, sip_sdp_word(cseq, 0), UINT32_MAX) == 0 ? n : 0;
}

/* Is this pair of ports another flow's, where they would meet outside? */
static bool has_rival(const struct router_alg_turn *t, const struct addr *inner)
{
	for (size_t i = 0; i < ROUTER_ALG_MAX_MEDIA; i++) {
		const struct router_alg_media *m = &t->a->media[i];

		if (m->inner.family && t->now_ns < m->until_ns &&
		    (m->inner.port | 1) == (inner->port | 1) &&
		    addr_ip_eq(&m->outer, &t->flow->new_src) &&
		    !addr_eq(&m->phone, &t->flow->src))
			return true;
	}
	return false;
}

/* @return whether the announcement is refused */
static bool media_announce(struct router_alg_turn *t, const struct addr *inner,
                           enum router_alg_id *idp)
{
	struct router_alg_media *m = media_find(t, inner);

	if (router_alg_has(t, ROUTER_ALG_DROP_RTP_REUSE) &&
	    has_rival(t, inner)) {
		*idp = ROUTER_ALG_DROP_RTP_REUSE;
		return true;
	}
	if (!m && router_alg_has(t, ROUTER_ALG_DROP_BUSY) &&
	    media_count(t) >= t->a->conf.busy_streams) {
		*idp = ROUTER_ALG_DROP_BUSY;
		return true;
	}
	if (!m)
		m = media_find(t, NULL);
	if (m)
		*m = (struct router_alg_media){
			.inner = *inner,
			.phone = t->flow->src,
			.outer = t->flow->new_src,
			.cseq = cseq_number(t),
			.until_ns = t->now_ns + t->a->conf.pinhole_ns};
	return false;
}

/* RTP and RTCP. @param ext  Out: where the stream is received now. */
static void pinholes(struct router_alg_turn *t, struct addr *ext,
                     const struct addr *inner)
{
	struct addr from = t->flow->dst, rtcp = *inner, unused;
	int64_t life_ns = t->a->conf.pinhole_ns;

	*ext = *inner;
	if (router_alg_has(t, ROUTER_ALG_PINHOLE_ANYONE))
		from = (struct addr){0};
	else if (!router_alg_has(t, ROUTER_ALG_PINHOLE))
		return;
	from.port = 0;
	if (router_nat_pinhole(t->a->nat, ext, ROUTER_UDP, inner, &from,
	                       life_ns, t->now_ns) != 0)
		return;
	rtcp.port = (uint16_t)(rtcp.port ^ 1);
	if (router_nat_pinhole(t->a->nat, &unused, ROUTER_UDP, &rtcp, &from,
	                       life_ns, t->now_ns) == 0)
		t->a->counts[router_alg_has(t, ROUTER_ALG_PINHOLE_ANYONE)
		                     ? ROUTER_ALG_PINHOLE_ANYONE
		                     : ROUTER_ALG_PINHOLE][0]++;
}

/* @param at  In and out: the stream's address, then as rewritten. */
static bool stream(struct router_alg_turn *t, struct addr *at,
                   const struct sip_sdp_media *m, uint16_t port,
                   enum router_alg_id *idp)
{
	struct addr inner = *at, ext;

	if (!addr_ip_eq(at, &t->flow->src))
		return false;
	if (!t->flow->is_out)
		return false;
	inner.port = port;
	if (media_announce(t, &inner, idp))
		return true;
	pinholes(t, &ext, &inner);
	if (router_alg_has(t, ROUTER_ALG_RTP_RANGE))
		router_alg_edit(
			t, ROUTER_ALG_RTP_RANGE, m->port, "%u",
			(unsigned)(RANGE_FIRST_PORT + (port & 0xff) * 2));
	else if (router_alg_has(t, ROUTER_ALG_SDP) && ext.port != port)
		router_alg_edit(t, ROUTER_ALG_SDP, m->port, "%u",
		                (unsigned)ext.port);
	*at = t->flow->new_src;
	return false;
}

static void addr_put(struct router_alg_turn *t, enum router_alg_id id,
                     struct slice where, const struct addr *a)
{
	char text[ADDR_TEXT_BYTES];

	(void)addr_ip_text(a, text);
	if (where.n && !slice_eq_str(where, text))
		router_alg_edit(t, id, where, "%s", text);
}

/* @return whether the ALG refuses to read it */
static bool is_bad(const struct sip_sdp *s, const struct sip_sdp_media *m,
                   uint64_t *port, struct addr *at)
{
	struct slice c = m->c_addr.n ? m->c_addr : s->c_addr;

	if (text_u64(port, m->port, UINT32_MAX) != 0)
		*port = 0;
	if (*port == 0)
		return false;
	return *port < RTP_LOW_PORT || *port > 65535 || addr_parse(at, c) != 0;
}

static bool is_media(const struct sip_sdp_media *m)
{
	static const char *const known[] = {"audio", "video", "image", NULL};

	return is_any(m->kind, known);
}

static bool streams(struct router_alg_turn *t, const struct sip_sdp *s,
                    struct addr *last, enum router_alg_id *idp)
{
	for (size_t i = 0; i < s->n_media; i++) {
		const struct sip_sdp_media *m = &s->media[i];
		struct addr at = {0};
		uint64_t port;

		if (!is_media(m))
			continue;
		if (is_bad(s, m, &port, &at)) {
			*idp = ROUTER_ALG_DROP_BAD_MEDIA;
			if (router_alg_has(t, *idp))
				return true;
			continue;
		}
		if (port == 0)
			continue;
		if (stream(t, &at, m, (uint16_t)port, idp))
			return true;
		if (router_alg_has(t, ROUTER_ALG_SDP))
			addr_put(t, ROUTER_ALG_SDP, m->c_addr, &at);
		*last = at;
	}
	return false;
}

/* A call that is refused, or cancelled, ends with the answer. */
static bool is_refusal(const struct router_alg_turn *t)
{
	struct slice cseq = sip_msg_value(t->m, SIP_HDR_CSEQ);

	return sip_msg_status(t->m) >= 300 &&
	       slice_eq_str(sip_sdp_word(cseq, 1), "INVITE");
}

static void call_end(struct router_alg_turn *t)
{
	bool refused = is_refusal(t);
	uint64_t cseq = cseq_number(t);

	if (!refused && !slice_eq_str(sip_msg_method(t->m), "BYE"))
		return;
	for (size_t i = 0; i < ROUTER_ALG_MAX_MEDIA; i++) {
		struct router_alg_media *m = &t->a->media[i];
		struct addr rtcp = m->inner;

		if (!m->inner.family || (refused && m->cseq != cseq) ||
		    (!addr_eq(&m->phone, &t->flow->src) &&
		     !addr_eq(&m->phone, &t->flow->new_dst)))
			continue;
		rtcp.port = (uint16_t)(rtcp.port ^ 1);
		if (!router_alg_has(t, ROUTER_ALG_GHOST)) {
			router_nat_close(t->a->nat, ROUTER_UDP, &m->inner);
			router_nat_close(t->a->nat, ROUTER_UDP, &rtcp);
		}
		*m = (struct router_alg_media){0};
	}
}

/* As long as the answer says that the registrar knows this phone: of other
 * phones of the same user it speaks too. */
static int64_t registered_ns(const struct router_alg_turn *t)
{
	struct slice text = sip_msg_value(t->m, SIP_HDR_EXPIRES), item, value;
	const struct sip_field *f;
	uint64_t usual_s, s, most_s = 0;

	if (text_u64(&usual_s, text, UINT32_MAX) != 0)
		usual_s = 0;
	for (size_t i = 0; (f = sip_msg_field(t->m, SIP_HDR_CONTACT, i)); i++) {
		struct slice rest = f->value;

		while (sip_list_next(&item, &rest)) {
			struct sip_nameaddr n;
			struct sip_uri uri;
			struct addr at;

			sip_nameaddr_read(&n, item);
			if (sip_uri_read(&uri, n.uri) != 0 ||
			    sip_host_addr(&at, uri.host, uri.port) != 0 ||
			    !addr_ip_eq(&at, &t->flow->dst))
				continue;
			s = usual_s;
			if (sip_param_find(&value, n.params, "expires") &&
			    text_u64(&s, value, UINT32_MAX) != 0)
				s = usual_s;
			if (s > most_s)
				most_s = s;
		}
	}
	return (int64_t)most_s * NS_PER_S;
}

static struct router_alg_register *last_register(struct router_alg *a,
                                                 const struct addr *phone)
{
	for (size_t i = 0; i < ROUTER_ALG_MAX_PHONES; i++) {
		if (addr_eq(&a->registers[i].phone, phone))
			return &a->registers[i];
	}
	return NULL;
}

/* As the kernel's: an answer counts that is to the last REGISTER which has
 * passed, by its number. */
static void register_pass(struct router_alg_turn *t, uint64_t cseq)
{
	struct router_alg *a = t->a;
	struct router_alg_register *r = last_register(a, &t->flow->src);

	if (!r)
		r = &a->registers[a->n_registers++ % ROUTER_ALG_MAX_PHONES];
	*r = (struct router_alg_register){t->flow->src, cseq};
}

static void register_answered(struct router_alg_turn *t, uint64_t cseq)
{
	const struct router_alg_register *r =
		last_register(t->a, &t->flow->new_dst);
	struct addr registrar = t->flow->src;
	int64_t life_ns;

	if (!r || r->cseq != cseq)
		return;
	registrar.port = 0;
	life_ns = registered_ns(t);
	if (router_nat_admit(t->a->nat, t->proto, &t->flow->dst, &registrar,
	                     life_ns, t->now_ns) == 0 &&
	    life_ns)
		t->a->counts[ROUTER_ALG_PINHOLE_CALLS][0]++;
}

static void registration(struct router_alg_turn *t)
{
	struct slice cseq = sip_msg_value(t->m, SIP_HDR_CSEQ);
	unsigned status = sip_msg_status(t->m);
	uint64_t n;

	if (!router_alg_has(t, ROUTER_ALG_PINHOLE_CALLS) ||
	    !slice_eq_str(sip_sdp_word(cseq, 1), "REGISTER") ||
	    text_u64(&n, sip_sdp_word(cseq, 0), UINT32_MAX) != 0)
		return;
	if (t->flow->is_out && sip_msg_is_request(t->m))
		register_pass(t, n);
	else if (!t->flow->is_out && status >= 200 && status <= 299)
		register_answered(t, n);
}

static void trace_put(struct router_alg_turn *t, struct slice sdp)
{
	struct rd r = rd_init(sdp);
	struct sip_sdp_line line;
	char text[ADDR_TEXT_BYTES];

	while (sip_sdp_next(&line, &r)) {
		if (line.type != 's')
			continue;
		router_alg_edit(t, ROUTER_ALG_NAT_TRACE,
		                (struct slice){line.raw.p + line.raw.n, 0},
		                "i=(o=IN IP%c %s)\r\n",
		                t->flow->src.family == ADDR_IP6 ? '6' : '4',
		                addr_ip_text(&t->flow->src, text));
		return;
	}
}

bool router_alg_sdp(struct router_alg_turn *t, enum router_alg_id *idp)
{
	struct addr last = {0};
	struct sip_sdp s;
	struct slice sdp;

	call_end(t);
	registration(t);
	if (!router_alg_has_sdp(t, &sdp))
		return false;
	sip_sdp_read(&s, sdp);
	if (streams(t, &s, &last, idp))
		return true;
	if (last.family && router_alg_has(t, ROUTER_ALG_SDP))
		addr_put(t, ROUTER_ALG_SDP, s.c_addr, &last);
	if (last.family && router_alg_has(t, ROUTER_ALG_SDP_ORIGIN))
		addr_put(t, ROUTER_ALG_SDP_ORIGIN, s.o_addr, &last);
	if (router_alg_has(t, ROUTER_ALG_NAT_TRACE) && t->flow->is_out)
		trace_put(t, sdp);
	return false;
}
