/* SPDX-License-Identifier: ISC */
/*
 * Design: a shot is built once and resent as the same bytes, so that
 * whichever copy arrives can be compared with it. Over TCP and TLS it is
 * built when the connection is open, because an ALG leaves alone a Via that
 * does not name the connection's own port.
 *
 * Every INVITE announces an RTP port of its own: Linux's ALG drops an INVITE
 * whose port it already expects for another source port.
 */
#include "probe/alg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum {
	SPLIT_GAP_MS = 30, /* long enough that no stack joins the halves */
	SECOND_SYN_MS = 100,
};

struct addr alg_edge(const struct alg *a, uint16_t port)
{
	struct addr to = a->run->conf->edge;

	to.port = port;
	return to;
}

uint16_t alg_port(const struct alg *a, const struct ladder_spec *sp)
{
	if (sp->transport == WIRE_TLS)
		return a->ports->tls;
	switch (sp->role) {
	case WIRE_ROLE_SIP_ALT:
		return a->ports->sip_alt;
	case WIRE_ROLE_TWIN:
	case WIRE_ROLE_CONTROL:
		return a->ports->control;
	case WIRE_ROLE_SIP:
	case WIRE_ROLE_STUN:
		break;
	}
	return a->ports->sip;
}

struct net_udp *alg_socket(const struct alg *a, const struct ladder_spec *sp)
{
	return sp->how & LADDER_ELSEWHERE ? a->second : a->udp;
}

struct addr alg_source(const struct alg *a, const struct ladder_spec *sp)
{
	if (sp->how & LADDER_PUBLIC)
		return a->observed;
	if (sp->how & LADDER_ELSEWHERE)
		return net_udp_local(a->second);
	return a->local;
}

struct addr alg_udp_target(const struct alg *a, const struct ladder_spec *sp)
{
	return alg_edge(a, alg_port(a, sp));
}

struct slice alg_tag(const struct alg *a, unsigned number,
                     char buf[WIRE_TAG_CHARS])
{
	struct wire_tag t = {.shot = (uint16_t)number};
	struct wr w = wr_init(buf, WIRE_TAG_CHARS);

	memcpy(t.session, a->session, sizeof(t.session));
	wire_tag_put(&w, &t);
	return wr_slice(&w);
}

static void put_plain(struct wr *w, const struct alg *a, unsigned number)
{
	struct wire_plain p = {
		.tag.shot = (uint16_t)number,
		.token = a->token,
		.payload = slice_str("Prumo: these bytes are not SIP."),
	};

	memcpy(p.tag.session, a->session, sizeof(p.tag.session));
	wire_plain_put(w, &p);
}

static enum sip_canary_kind kind_of(enum ladder_what what)
{
	switch (what) {
	case LADDER_REGISTER:
		return SIP_CANARY_REGISTER;
	case LADDER_INVITE:
		return SIP_CANARY_INVITE;
	case LADDER_MESSAGE:
		return SIP_CANARY_MESSAGE;
	case LADDER_UNKNOWN_METHOD:
		return SIP_CANARY_UNKNOWN;
	case LADDER_OPTIONS:
	case LADDER_CRLF:
	case LADDER_PLAIN:
		break;
	}
	return SIP_CANARY_OPTIONS;
}

static enum sip_transport sip_transport_of(enum wire_transport t)
{
	switch (t) {
	case WIRE_TCP:
		return SIP_TCP;
	case WIRE_TLS:
		return SIP_TLS;
	case WIRE_UDP:
		break;
	}
	return SIP_UDP;
}

static int put_sip(struct wr *w, const struct alg *a,
                   const struct ladder_spec *sp, unsigned number,
                   const struct addr *local, uint16_t rtp_port)
{
	char tag[WIRE_TAG_CHARS], token[WIRE_TOKEN_CHARS];
	struct wr tw = wr_init(token, sizeof(token));
	struct sip_canary c = {
		.kind = kind_of(sp->what),
		.flags = sp->flags,
		.transport = sip_transport_of(sp->transport),
		.local = *local,
		.target = alg_edge(a, alg_port(a, sp)),
		.tag = alg_tag(a, number, tag),
		.cseq = number + 1,
		.rtp_port = rtp_port,
		.pad_bytes = sp->pad_bytes,
	};

	/* A walk ends before the edge: a short message saves its bytes for
	 * what routers quote. */
	if (a->has_token &&
	    !(number >= ALG_NUM_BURST && (sp->flags & SIP_CANARY_SHORT))) {
		wire_token_put(&tw, &a->token);
		c.token = wr_slice(&tw);
	}
	return sip_canary_build(w, &c);
}

/* Into the report's memory. Takes @p w. */
static int keep(struct slice *out, struct alg *a, struct wr *w, int err)
{
	if (!err && w->bad)
		err = ENOMEM;
	if (!err)
		*out = report_bytes(a->r, wr_slice(w));
	wr_fini(w);
	return !err && a->r->no_memory ? ENOMEM : err;
}

int alg_build(struct slice *out, struct alg *a, const struct ladder_spec *sp,
              unsigned number, const struct addr *local, uint16_t rtp_port)
{
	struct wr w = wr_init_heap();
	int err = 0;

	if (sp->what == LADDER_CRLF)
		wr_str(&w, "\r\n\r\n");
	else if (sp->what == LADDER_PLAIN)
		put_plain(&w, a, number);
	else
		err = put_sip(&w, a, sp, number, local, rtp_port);
	return keep(out, a, &w, err);
}

int alg_build_back(struct slice *out, struct alg *a,
                   const struct ladder_spec *sp, unsigned number, int shot)
{
	const struct ladder_spec *flow = &a->ladder.shots[shot].spec;
	char tag[WIRE_TAG_CHARS];
	struct wr w = wr_init_heap();
	struct sip_canary c = {
		.kind = kind_of(sp->what),
		.flags = sp->flags,
		.transport = SIP_UDP,
		.local = alg_udp_target(a, flow),
		.target = a->shots[shot].observed,
		.tag = alg_tag(a, number, tag),
		.cseq = 1,
		.rtp_port = a->rtp_base,
	};
	int err = 0;

	if (sp->what == LADDER_PLAIN)
		put_plain(&w, a, number);
	else
		err = sip_canary_build(&w, &c);
	return keep(out, a, &w, err);
}

void alg_send_udp(struct alg *a, struct net_udp *u, const struct addr *to,
                  int ttl, struct slice bytes)
{
	int err = net_udp_send(u, to, NULL, ttl, bytes);

	a->n_datagrams++;
	a->n_bytes += bytes.n;
	if (err == EPERM || err == ENETUNREACH || err == EHOSTUNREACH)
		a->err = err; /* nothing of what follows can leave either */
}

void alg_send_cancel(struct alg *a, const struct ladder_spec *sp,
                     unsigned number, int ttl)
{
	char tag[WIRE_TAG_CHARS];
	struct addr to = alg_udp_target(a, sp);
	struct wr w = wr_init_heap();
	struct sip_canary c = {
		.kind = SIP_CANARY_CANCEL,
		.flags = SIP_CANARY_SHORT,
		.transport = SIP_UDP,
		.local = alg_source(a, sp),
		.target = to,
		.tag = alg_tag(a, number, tag),
		.cseq = number + 1,
	};

	if (sip_canary_build(&w, &c) == 0)
		alg_send_udp(a, alg_socket(a, sp), &to, ttl, wr_slice(&w));
	wr_fini(&w);
}

void alg_send_hello(struct alg *a, uint16_t port)
{
	uint8_t buf[WIRE_HELLO_BYTES];
	struct wr w = wr_init(buf, sizeof(buf));
	struct addr to = alg_edge(a, port);
	struct wire_hello h;

	if (port == 0)
		return;
	memcpy(h.session, a->session, sizeof(h.session));
	memcpy(h.nonce, a->meet.nonce, sizeof(h.nonce));
	wire_hello_put(&w, &h);
	alg_send_udp(a, a->udp, &to, ALG_TTL, wr_slice(&w));
}

void alg_send_other(struct alg *a)
{
	static const struct net_udp_ops deaf = {.on_dgram = NULL};
	char tag_text[WIRE_TAG_CHARS];
	struct slice tag = alg_tag(a, ALG_NUM_OTHER, tag_text);
	struct wire_probe p = {.payload = slice_str("other")};
	struct wr w = wr_init_heap();
	struct addr local = a->local, to = alg_edge(a, a->ports->control);
	struct net_udp *u;

	local.port = 0;
	if (to.port && wire_tag_find(&p.tag, tag) &&
	    net_udp_open(&u, &local, 0, &deaf, NULL) == 0) {
		wire_probe_put(&w, &p);
		alg_send_udp(a, u, &to, ALG_TTL, wr_slice(&w));
		net_udp_close(u);
	}
	wr_fini(&w);
}

/* A port of its own, but for the second phone, which takes another's. */
static uint16_t media_port(const struct alg *a, int i)
{
	const struct ladder_spec *sp = &a->ladder.shots[i].spec;
	int call = i;

	if (sp->how & LADDER_SECOND_PHONE)
		call = ladder_find(&a->ladder, sp->transport, sp->role,
		                   sp->what, LADDER_CALL_1);
	return (uint16_t)(a->rtp_base + call * ALG_RTP_STEP);
}

static void send_datagram(struct alg *a, int i)
{
	const struct ladder_spec *sp = &a->ladder.shots[i].spec;
	struct alg_shot *s = &a->shots[i];
	struct addr to = alg_udp_target(a, sp);
	struct addr from = alg_source(a, sp);

	if (!s->sent.p) {
		s->rtp_port = media_port(a, i);
		a->err = alg_build(&s->sent, a, sp, (unsigned)i, &from,
		                   s->rtp_port);
		if (a->err)
			return;
	}
	alg_send_udp(a, alg_socket(a, sp), &to, ALG_TTL, s->sent);
}

void alg_send_shot(struct alg *a, int i, int64_t now_ns)
{
	const struct ladder_spec *sp = &a->ladder.shots[i].spec;
	uint16_t port = alg_port(a, sp);
	int err;

	if (sp->transport == WIRE_UDP) {
		send_datagram(a, i);
	} else {
		err = alg_road_open(&a->shots[i].road, a, i, port,
		                    sp->transport == WIRE_TLS);
		if (err)
			a->err = err;
	}
	ladder_on_sent(&a->ladder, i, now_ns);
}

int alg_road_open(struct alg_road **rp, struct alg *a, int shot, uint16_t port,
                  bool is_tls)
{
	struct alg_road *road = calloc(1, sizeof(*road));
	struct addr to = alg_edge(a, port);
	struct net_stream_conf conf = {0};
	int err;

	if (!road)
		return ENOMEM;
	road->alg = a;
	road->shot = shot;
	road->start_ns = clock_mono_ns();
	road->in = wr_init_heap();
	/* once it has its answer, nothing of it need linger */
	conf.is_abrupt = !is_tls;
	/* a SYN lost would cost a second, and three more before what is said
	 * next can be taken for lost */
	if (!is_tls && a->ladder.srtt_ns)
		conf.second_after_ns =
			a->ladder.srtt_ns * 3 / 2 + SECOND_SYN_MS * NS_PER_MS;
	err = net_stream_connect_as(&road->stream, &to, is_tls ? a->tls : NULL,
	                            &conf, &alg_road_ops, road);
	if (err) {
		alg_road_free(road);
		return err;
	}
	*rp = road;
	return 0;
}

void alg_road_free(struct alg_road *road)
{
	if (!road)
		return;
	net_stream_free(road->stream);
	wr_fini(&road->in);
	free(road);
}

int64_t alg_road_split(struct alg_road *road, int64_t now_ns)
{
	const struct alg_shot *s;

	if (road->split_ns == 0)
		return INT64_MAX;
	if (road->split_at == 0) { /* the first half has just left */
		s = &road->alg->shots[road->shot];
		road->split_at = s->sent.n / 2;
		road->split_ns = now_ns + SPLIT_GAP_MS * NS_PER_MS;
		(void)!net_stream_send(road->stream,
		                       slice_sub(s->sent, 0, road->split_at));
	} else if (now_ns >= road->split_ns) {
		s = &road->alg->shots[road->shot];
		road->split_ns = 0;
		(void)!net_stream_send(
			road->stream,
			slice_sub(s->sent, road->split_at, SIZE_MAX));
		return INT64_MAX;
	}
	return road->split_ns;
}
