/* SPDX-License-Identifier: ISC */
/*
 * Design: a document may ask for a port in a transport in which its service
 * does not exist (5061 by UDP). The flow is asked all the same, for a filter
 * does not know better; the table says that nobody has to answer there.
 */
#include "probe/plan.h"

#include <string.h>

#include "profile/service.h"

#define ON(class_) (1U << PROFILE_##class_)

#define ONE(k, v)                         \
	{                                 \
		{                         \
			PLAN_##k, ASK_##v \
		}                         \
	}
#define TWO(k, v, l, w)                   \
	{                                 \
		{PLAN_##k, ASK_##v},      \
		{                         \
			PLAN_##l, ASK_##w \
		}                         \
	}
#define THREE(k, v, l, w, m, x)                           \
	{                                                 \
		{PLAN_##k, ASK_##v}, {PLAN_##l, ASK_##w}, \
		{                                         \
			PLAN_##m, ASK_##x                 \
		}                                         \
	}

enum {
	UDP = PROFILE_UDP,
	TCP = PROFILE_TCP,
	TLS = PROFILE_TLS,
	STREAM = PROFILE_TCP | PROFILE_TLS,
	OF_HOST = PLAN_OF_HOST,
	DOUBTFUL = PLAN_DOUBTFUL,
	WEB = ON(WEB) | ON(LICENCE) | ON(API) | ON(PROVISIONING) | ON(CHAT) |
	      ON(WEBRTC) | ON(RTP),
	CHAT = ON(CHAT),
	PHONES = ON(SIP) | ON(WEBRTC), /* of the desk, and of the browser */
};

static const struct plan_service services[] = {
	{ON(SIP), UDP, 5061, ONE(SIP, UDP), DOUBTFUL},
	{ON(SIP), UDP, 0, ONE(SIP, UDP), 0},
	{ON(SIP), TCP, 5061, ONE(SIP, TLS), OF_HOST},
	{ON(SIP), TCP, 443, TWO(SIP, WSS, HTTP, TLS), OF_HOST},
	{PHONES, STREAM, 8089, TWO(SIP, WSS, SIP, TLS), OF_HOST},
	{PHONES, STREAM, 7443, TWO(SIP, WSS, SIP, TLS), OF_HOST},
	{PHONES, STREAM, 8443, THREE(SIP, WSS, SIP, TLS, HTTP, TLS), OF_HOST},
	{PHONES, STREAM, 8088, THREE(SIP, WS, SIP, TCP, HTTP, TCP), OF_HOST},
	{PHONES, STREAM, 5066, TWO(SIP, WS, SIP, TCP), OF_HOST},
	{ON(SIP), TLS, 0, ONE(SIP, TLS), OF_HOST},
	{ON(SIP), TCP, 0, ONE(SIP, TCP), 0},
	/* TURN over DTLS: not every server takes it plain as well */
	{ON(STUN), UDP, 5349, ONE(STUN, UDP), DOUBTFUL},
	{ON(STUN), UDP, 0, ONE(STUN, UDP), 0},
	{ON(STUN), TLS, 0, ONE(STUN, TLS), OF_HOST},
	{ON(STUN), TCP, 5349, TWO(STUN, TLS, STUN, TCP), OF_HOST},
	{ON(STUN), TCP, 0, ONE(STUN, TCP), 0},
	{CHAT, STREAM, 5222, TWO(XMPP, TCP, XMPP, TLS), OF_HOST},
	{CHAT, STREAM, 5223, TWO(XMPP, TLS, XMPP, TCP), OF_HOST},
	{CHAT, STREAM, 5280, THREE(XMPP_BOSH, TCP, XMPP_WS, WS, XMPP_BOSH, TLS),
         OF_HOST},
	{CHAT, STREAM, 5281, TWO(XMPP_BOSH, TLS, XMPP_WS, WSS), OF_HOST},
	{CHAT, STREAM, 5422, THREE(XMPP_WS, WS, XMPP_WS, WSS, XMPP, TCP),
         OF_HOST},
	{ON(WEBRTC), STREAM, 443, TWO(HTTP, TLS, SIP, WSS), OF_HOST},
	{WEB, STREAM, 443, ONE(HTTP, TLS), OF_HOST},
	{WEB, STREAM, 80, ONE(HTTP, TCP), OF_HOST},
	{WEB, TLS, 0, ONE(HTTP, TLS), OF_HOST},
	{ON(NTP), UDP, 0, ONE(NTP, UDP), 0},
	{ON(DNS), UDP, 0, ONE(DNS, UDP), 0},
	{ON(DNS), TCP, 0, ONE(DNS, TCP), 0},
	{0, UDP, 0, ONE(RANGE, UDP), 0},
	{ON(RTP), TCP, 0, ONE(RANGE, TCP), 0},
	{0, TLS, 0, ONE(TLS, TLS), OF_HOST},
	{0, 0, 0, ONE(TCP, TCP), 0},
};

/* What a service record is for; its port may be any. */
static const struct label {
	const char *service, *transport;
	struct plan_service plan;
} labels[] = {
	{"_sip", "_udp", {.ways = ONE(SIP, UDP)}},
	{"_sip", "_tcp", {.ways = ONE(SIP, TCP)}},
	{"_sips", "_tcp", {.ways = ONE(SIP, TLS), .flags = OF_HOST}},
	{"_sip", "_tls", {.ways = ONE(SIP, TLS), .flags = OF_HOST}},
	{"_sip", "_ws", {.ways = ONE(SIP, WS), .flags = OF_HOST}},
	{"_sips", "_ws", {.ways = ONE(SIP, WSS), .flags = OF_HOST}},
	{"_sip", "_wss", {.ways = ONE(SIP, WSS), .flags = OF_HOST}},
	{"_stun", "_udp", {.ways = ONE(STUN, UDP)}},
	{"_stun", "_tcp", {.ways = ONE(STUN, TCP)}},
	{"_stuns", "_tcp", {.ways = ONE(STUN, TLS), .flags = OF_HOST}},
	{"_turn", "_udp", {.ways = ONE(TURN, UDP)}},
	{"_turn", "_tcp", {.ways = ONE(TURN, TCP)}},
	{"_turns", "_tcp", {.ways = ONE(TURN, TLS), .flags = OF_HOST}},
	{"_xmpp-client", "_tcp", {.ways = ONE(XMPP, TCP), .flags = OF_HOST}},
	{"_xmpps-client", "_tcp", {.ways = ONE(XMPP, TLS), .flags = OF_HOST}},
	{"_http", "_tcp", {.ways = ONE(HTTP, TCP), .flags = OF_HOST}},
	{"_https", "_tcp", {.ways = ONE(HTTP, TLS), .flags = OF_HOST}},
	{"_ntp", "_udp", {.ways = ONE(NTP, UDP)}},
};

static const struct plan_service ranges[] = {
	{.ways = ONE(RANGE, UDP)},
	{.ways = ONE(RANGE, TCP)},
};

static const struct plan_service *of_label(const struct profile_row *row)
{
	struct profile_service s;

	if (!row->is_srv || !profile_service_read(&s, row->host))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
		if (slice_ieq(s.service, slice_str(labels[i].service)) &&
		    slice_ieq(s.transport, slice_str(labels[i].transport)))
			return &labels[i].plan;
	}
	return NULL;
}

const struct plan_service *plan_service_for(const struct profile_flow *f)
{
	const struct plan_service *s = of_label(f->row);

	if (s)
		return s;
	s = services;
	if (f->ports.first != f->ports.last)
		return &ranges[f->transport != PROFILE_UDP];
	while ((s->classes && !(s->classes & 1U << f->row->cls)) ||
	       (s->transports && !(s->transports & f->transport)) ||
	       (s->port && s->port != f->ports.first))
		s++; /* the last row takes every flow */
	return s;
}

const char *plan_kind_name(enum plan_kind k)
{
	static const char *const names[PLAN_KINDS] = {
		[PLAN_NO_KIND] = "none",    [PLAN_DNS] = "dns",
		[PLAN_TCP] = "tcp",         [PLAN_TLS] = "tls",
		[PLAN_HTTP] = "http",       [PLAN_SIP] = "sip-options",
		[PLAN_STUN] = "stun",       [PLAN_TURN] = "turn",
		[PLAN_XMPP] = "xmpp",       [PLAN_XMPP_BOSH] = "xmpp-bosh",
		[PLAN_XMPP_WS] = "xmpp-ws", [PLAN_NTP] = "ntp",
		[PLAN_RANGE] = "range",     [PLAN_REGISTER] = "sip-register",
		[PLAN_MTU] = "mtu",
	};

	return names[k];
}

static bool is_row(const struct profile_row *row, const char *word)
{
	struct slice w = slice_str(word);
	size_t slash = slice_find(w, slice_str("/"));
	uint64_t no = 0;

	if (slash == SIZE_MAX)
		return false;
	for (size_t i = slash + 1; i < w.n; i++) {
		if (w.p[i] < '0' || w.p[i] > '9' || no > UINT16_MAX)
			return false;
		no = no * 10 + (uint64_t)(w.p[i] - '0');
	}
	return slice_eq_str(slice_sub(w, 0, slash), row->table) &&
	       no == row->row;
}

static bool row_has_word(const struct profile_row *row, const char *word)
{
	return strcmp(word, profile_class_name(row->cls)) == 0 ||
	       strcmp(word, row->service) == 0 ||
	       strcmp(word, row->table) == 0 || strcmp(word, row->host) == 0 ||
	       is_row(row, word);
}

bool plan_flow_has_word(const struct profile_flow *f, const char *word)
{
	const struct plan_service *s = plan_service_for(f);

	return row_has_word(f->row, word) ||
	       strcmp(word, profile_transport_name(f->transport)) == 0 ||
	       strcmp(word, plan_kind_name(s->ways[0].kind)) == 0;
}

bool plan_word_is_known(const struct profile *p, const char *word)
{
	struct profile_iter it = {0};
	struct profile_flow f;

	for (int k = PLAN_NO_KIND + 1; k < PLAN_KINDS; k++) {
		if (strcmp(word, plan_kind_name((enum plan_kind)k)) == 0)
			return true;
	}
	while (profile_flow_next(&f, p, &it)) {
		if (plan_flow_has_word(&f, word))
			return true;
	}
	return false;
}
