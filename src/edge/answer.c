/* SPDX-License-Identifier: ISC */
/*
 * Design: every rule that keeps the edge from being a weapon is in this one
 * pure file, so that a fuzzer can try to break it. The answer is built in
 * full first; for an unproven datagram it is built again without what can be
 * left out when it came out longer than the request, and dropped when even
 * that is longer. The method table says what a server with no calls and no
 * registrations of its own has to say (RFC 3261, sections 8.2 and 10 to 15).
 */
#include "edge/answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "edge/ntp.h"
#include "sip/msg.h"
#include "sip/reply.h"
#include "sip/value.h"
#include "stun/msg.h"
#include "wire/control.h"

enum {
	EXTRA_BYTES = 2048,
	MIRROR_BYTES = WIRE_MIRROR_HDR_BYTES + WIRE_MSG_MAX_BYTES,
	BODY_BYTES = MIRROR_BYTES * 7 / 5,
	FINAL_BYTES = EDGE_CALL_MAX_BYTES + 64,
	TO_TAG_CHARS = 8,
	MEMOS = 256,
	EXPIRES_MAX_S = 3600,
	CONTACTS_MAX = 8,
	/* RFC 8656, section 18.7 and 17 */
	TURN_ALLOCATE = 3,
	TURN_REFRESH = 4,
	TURN_PERMIT = 8,
	TURN_BIND = 9,
	TURN_FORBIDDEN = 403,
	TURN_MISMATCH = 437,
	STUN_TYPE_MAX = 3, /* first byte: two bits are zero, methods few */
};

/* A token that was made this second: who asks a whole range gets one. */
struct memo {
	struct addr ip;
	int64_t wall_s;
	struct wire_token token;
};

struct edge_answerer {
	const struct edge_conf *conf;
	const struct edge_calls *calls;
	struct sip_msg msg;
	uint8_t bytes[EDGE_ANSWER_MAX_BYTES];
	uint8_t final[FINAL_BYTES];
	uint8_t extra[EXTRA_BYTES];
	uint8_t mirror[MIRROR_BYTES];
	uint8_t body[BODY_BYTES];
	uint8_t to_tag[TO_TAG_CHARS];
	struct memo memos[MEMOS];
	uint8_t services[WIRE_SERVICES_MAX_BYTES]; /* of WELCOME, as written */
	size_t n_services;                         /* bytes; 0: not yet */
};

/* What an answer needs to know of its request. */
struct job {
	struct edge_answerer *an;
	const struct edge_arrival *a;
	struct edge_answer *out;
	const struct sip_msg *msg;
	struct sip_reply reply;
};

enum method_flag {
	IN_DIALOG = 1, /* without a dialog of ours: 481 */
	REFUSED = 2,   /* known, not allowed: 405 */
};

struct method {
	const char *name;
	unsigned flags;
	void (*answer)(struct job *j, struct wr *extra);
};

static const char allow[] =
	"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, MESSAGE, "
	"SUBSCRIBE, PUBLISH\r\n";

static void set_status(struct job *j, unsigned status, const char *reason)
{
	j->reply.status = status;
	j->reply.reason = reason;
}

static void on_options(struct job *j, struct wr *extra)
{
	UNUSED(j);
	wr_str(extra, allow);
	wr_str(extra, "Accept: application/sdp, " WIRE_MIRROR_TYPE "\r\n"
	              "Accept-Language: en\r\nSupported: outbound\r\n");
}

static uint64_t expires_of(const struct sip_msg *m, struct slice params)
{
	struct slice text = sip_msg_value(m, SIP_HDR_EXPIRES);
	uint64_t s;

	(void)sip_param_find(&text, params, "expires");
	if (text_u64(&s, text, UINT32_MAX) || s > EXPIRES_MAX_S)
		return EXPIRES_MAX_S;
	return s;
}

static void put_contact(struct wr *w, const struct sip_msg *m,
                        struct slice item)
{
	struct sip_nameaddr na;
	struct sip_uri uri;

	sip_nameaddr_read(&na, item);
	if (sip_uri_read(&uri, na.uri))
		return; /* "*" too: all bindings are removed */
	wr_str(w, "Contact: <");
	sip_value_unfold(w, na.uri);
	wr_fmt(w, ">;expires=%u\r\n", (unsigned)expires_of(m, na.params));
}

/* Is it where the phone is, as seen from here? */
static bool is_source(const struct job *j, struct slice item)
{
	const struct addr *from = &j->a->flow.remote;
	struct sip_nameaddr na;
	struct sip_uri uri;
	struct addr at;

	sip_nameaddr_read(&na, item);
	return sip_uri_read(&uri, na.uri) == 0 &&
	       sip_host_addr(&at, uri.host, uri.port) == 0 &&
	       addr_ip_eq(&at, from) && at.port == from->port;
}

/* A registrar that mends NAT itself knows the phone by where it comes from,
 * and says so. */
static void put_source(struct wr *w, const struct job *j, struct slice item)
{
	char text[ADDR_TEXT_BYTES];
	struct sip_nameaddr na;

	sip_nameaddr_read(&na, item);
	wr_fmt(w, "Contact: <sip:phone@%s>;expires=%u\r\n",
	       addr_text(&j->a->flow.remote, text),
	       (unsigned)expires_of(j->msg, na.params));
}

static void on_register(struct job *j, struct wr *extra)
{
	bool is_known = !j->out->has_tag || !j->out->is_proven;
	struct slice first = {0};
	const struct sip_field *f;
	size_t n = 0;

	for (size_t i = 0; (f = sip_msg_field(j->msg, SIP_HDR_CONTACT, i));
	     i++) {
		struct slice rest = f->value, item;

		while (n < CONTACTS_MAX && sip_list_next(&item, &rest)) {
			put_contact(extra, j->msg, item);
			is_known |= is_source(j, item);
			first = n++ ? first : item;
		}
	}
	if (!is_known && n && !slice_eq_str(first, "*"))
		put_source(extra, j, first);
}

static void on_subscribe(struct job *j, struct wr *extra)
{
	UNUSED(j);
	wr_str(extra, "Expires: 0\r\n");
}

static void on_publish(struct job *j, struct wr *extra)
{
	UNUSED(j);
	wr_str(extra, "SIP-ETag: 0\r\nExpires: 0\r\n");
}

static struct slice call_id(const struct job *j)
{
	return sip_msg_value(j->msg, SIP_HDR_CALL_ID);
}

static void on_invite(struct job *j, struct wr *extra)
{
	char text[ADDR_TEXT_BYTES];

	set_status(j, 480, "Temporarily Unavailable");
	if (!j->out->has_tag || !j->out->is_proven)
		return;
	j->out->call = EDGE_CALL_START;
	set_status(j, 183, "Session Progress");
	wr_fmt(extra, "Contact: <sip:%s;transport=%s>\r\n",
	       addr_text(&j->a->flow.local, text),
	       wire_transport_name(j->a->flow.transport));
}

/* CANCEL, and BYE of an early dialog (section 15.1.1). */
static void on_end(struct job *j, struct wr *extra)
{
	UNUSED(extra);
	if (edge_calls_has(j->an->calls, j->out->call_key))
		j->out->call = EDGE_CALL_END;
	else
		set_status(j, 481, "Call/Transaction Does Not Exist");
}

static const struct method methods[] = {
	{"BYE", 0, on_end},           {"CANCEL", 0, on_end},
	{"INFO", IN_DIALOG, NULL},    {"INVITE", 0, on_invite},
	{"MESSAGE", 0, NULL},         {"NOTIFY", IN_DIALOG, NULL},
	{"OPTIONS", 0, on_options},   {"PRACK", IN_DIALOG, NULL},
	{"PUBLISH", 0, on_publish},   {"REFER", REFUSED, NULL},
	{"REGISTER", 0, on_register}, {"SUBSCRIBE", 0, on_subscribe},
	{"UPDATE", IN_DIALOG, NULL},
};

static const struct method *find_method(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		if (slice_eq_str(name, methods[i].name))
			return &methods[i];
	}
	return NULL;
}

/* Is what a server must check before anything else as it should be? */
static bool is_sound(const struct job *j)
{
	struct slice cseq = sip_msg_value(j->msg, SIP_HDR_CSEQ);
	struct slice method = sip_msg_method(j->msg);
	uint64_t n;
	int err;

	if (cseq.n < method.n ||
	    !slice_eq(slice_sub(cseq, cseq.n - method.n, method.n), method))
		return false;
	err = sip_msg_content_length(&n, j->msg);
	if (err == ENOENT)
		return true;
	return !err && n <= j->msg->body.n;
}

static void decide(struct job *j, struct wr *extra)
{
	const struct method *m = find_method(sip_msg_method(j->msg));
	const struct sip_field *require =
		sip_msg_named(j->msg, slice_str("Require"), 0);

	set_status(j, 200, "OK");
	if (!is_sound(j)) {
		set_status(j, 400, "Bad Request");
	} else if (!m) {
		set_status(j, 501, "Not Implemented");
		wr_str(extra, allow);
	} else if (m->flags & REFUSED) {
		set_status(j, 405, "Method Not Allowed");
		wr_str(extra, allow);
	} else if (require && m->answer != on_end) {
		set_status(j, 420, "Bad Extension");
		wr_str(extra, "Unsupported: ");
		sip_value_unfold(extra, require->value);
		wr_str(extra, "\r\n");
	} else if (m->flags & IN_DIALOG) {
		set_status(j, 481, "Call/Transaction Does Not Exist");
	} else if (m->answer) {
		m->answer(j, extra);
	}
}

/* The same for every retransmission, without remembering anything. */
static void make_to_tag(struct job *j)
{
	uint8_t mac[WIRE_SHA256_BYTES];
	struct wr w = wr_init(j->an->to_tag, sizeof(j->an->to_tag));

	wire_hmac_sha256(mac, j->an->conf->secret, call_id(j));
	text_hex_put(&w, (struct slice){mac, TO_TAG_CHARS / 2});
	j->reply.to_tag = wr_slice(&w);
}

static void fill_mirror(struct wire_mirror *m, const struct job *j)
{
	const struct edge_arrival *a = j->a;

	*m = (struct wire_mirror){
		.tag = j->out->tag,
		.transport = a->flow.transport,
		.local_port = a->flow.local.port,
		.source = a->flow.remote,
		.ttl = a->ttl,
		.arrival_wall_ns = a->wall_ns,
		.full_bytes = (uint32_t)a->bytes.n,
		.bytes = a->bytes,
	};
	wire_sha256(m->sha256, a->bytes);
	if (a->flow.transport == WIRE_UDP &&
	    a->bytes.n > (a->has_session ? WIRE_MIRROR_UDP_MAX_BYTES
	                                 : WIRE_MIRROR_UDP_LONE_BYTES)) {
		m->flags = WIRE_MIRROR_OMITTED;
		m->bytes = (struct slice){0};
	}
}

static void add_mirror(struct job *j)
{
	struct wr bin = wr_init(j->an->mirror, sizeof(j->an->mirror));
	struct wr text = wr_init(j->an->body, sizeof(j->an->body));
	struct wire_mirror m;

	fill_mirror(&m, j);
	wire_mirror_put(&bin, &m);
	text_base64_put(&text, wr_slice(&bin), WIRE_MIRROR_LINE_CHARS);
	wr_str(&text, "\r\n");
	if (bin.bad || text.bad)
		return;
	j->reply.content_type = slice_str(WIRE_MIRROR_TYPE);
	j->reply.body = wr_slice(&text);
}

static void answer_mirror_dgram(struct job *j)
{
	struct wr w = wr_init(j->an->bytes, EDGE_UDP_MAX_BYTES);
	struct wire_mirror m;

	if (!j->out->has_tag || !j->out->is_proven ||
	    j->a->flow.transport != WIRE_UDP)
		return;
	fill_mirror(&m, j);
	wire_mirror_dgram_put(&w, &m);
	if (!w.bad)
		j->out->bytes = wr_slice(&w);
}

static int build(struct slice *out, const struct job *j, uint8_t *buf,
                 size_t cap)
{
	struct wr w = wr_init(buf, cap);
	int err;

	err = sip_reply_build(&w, j->msg, &j->reply);
	if (!err)
		*out = wr_slice(&w);
	return err;
}

static void build_final(struct job *j)
{
	struct job last = *j;

	last.reply = (struct sip_reply){
		.status = 480,
		.reason = "Temporarily Unavailable",
		.observed = j->reply.observed,
		.to_tag = j->reply.to_tag,
	};
	if (build(&j->out->final, &last, j->an->final, sizeof(j->an->final)))
		j->out->call = EDGE_CALL_NONE;
}

static void answer_request(struct job *j)
{
	struct edge_answerer *an = j->an;
	struct wr extra = wr_init(an->extra, sizeof(an->extra));
	bool is_udp = j->a->flow.transport == WIRE_UDP;
	size_t room = is_udp ? EDGE_UDP_MAX_BYTES : EDGE_ANSWER_MAX_BYTES;
	int err;

	if (slice_eq_str(sip_msg_method(j->msg), "ACK"))
		return;
	j->out->call_key = edge_call_key(call_id(j), &j->a->flow);
	j->reply = (struct sip_reply){.observed = j->a->flow.remote};
	make_to_tag(j);
	if (an->conf->name[0])
		wr_fmt(&extra, "Server: %s\r\n", an->conf->name);
	decide(j, &extra);
	if (!extra.bad)
		j->reply.extra = wr_slice(&extra);
	if (j->out->has_tag && j->out->is_proven)
		add_mirror(j);
	else if (is_udp && room > j->a->bytes.n)
		room = j->a->bytes.n;

	err = build(&j->out->bytes, j, an->bytes, room);
	if (err == EMSGSIZE) {
		j->reply.extra = (struct slice){0};
		j->reply.reason = ""; /* allowed: section 25.1 */
		err = build(&j->out->bytes, j, an->bytes, room);
	}
	if (err) {
		j->out->call = EDGE_CALL_NONE;
		answer_mirror_dgram(j);
	} else if (j->out->call == EDGE_CALL_START) {
		build_final(j);
	}
}

static void make_token(struct wire_token *t, const struct job *j)
{
	const struct addr *from = &j->a->flow.remote;
	int64_t wall_s = j->a->wall_ns / NS_PER_S;
	struct slice ip = addr_ip(from);
	struct memo *m;
	unsigned at = 0;

	/* by the last bytes: neighbours get places of their own */
	if (ip.n)
		at = (unsigned)ip.p[ip.n - 1] ^ (unsigned)ip.p[ip.n - 2] * 31;
	m = &j->an->memos[at % MEMOS];
	if (m->wall_s != wall_s || !addr_ip_eq(&m->ip, from)) {
		m->ip = *from;
		m->wall_s = wall_s;
		wire_token_make(&m->token, j->an->conf->secret, from, wall_s);
	}
	*t = m->token;
}

/* They are settled by the time that the first datagram comes. */
static struct slice services_of(struct edge_answerer *an)
{
	struct wr w = wr_init(an->services, sizeof(an->services));

	if (an->n_services == 0) {
		wire_services_put(&w, &an->conf->services);
		an->n_services = w.n;
	}
	return (struct slice){an->services, an->n_services};
}

static void answer_hello(struct job *j)
{
	struct wr w = wr_init(j->an->bytes, WIRE_HELLO_BYTES);
	struct wire_welcome welcome;
	struct wire_hello hello;

	if (wire_hello_decode(&hello, j->a->bytes))
		return;
	j->out->is_welcome = true;
	welcome = (struct wire_welcome){
		.source = j->a->flow.remote,
		.wall_ns = j->a->wall_ns,
	};
	memcpy(welcome.nonce, hello.nonce, sizeof(hello.nonce));
	make_token(&welcome.token, j);
	wire_welcome_put_with(&w, &welcome, services_of(j->an));
	if (!w.bad)
		j->out->bytes = wr_slice(&w);
}

static void answer_dgram(struct job *j, enum wire_dgram_type type)
{
	struct wire_plain plain;

	if (type == WIRE_PLAIN && !wire_plain_decode(&plain, j->a->bytes))
		answer_mirror_dgram(j);
}

/* There is nothing to relay with: whoever asks for it is refused, whoever
 * takes it for granted has no allocation here. */
static void refuse_turn(struct job *j, struct wr *w, const struct stun_msg *msg)
{
	unsigned code = TURN_MISMATCH;

	if (msg->cls != STUN_CLASS_REQUEST)
		return;
	if (msg->method == TURN_ALLOCATE)
		code = TURN_FORBIDDEN;
	else if (msg->method != TURN_REFRESH && msg->method != TURN_PERMIT &&
	         msg->method != TURN_BIND)
		return;
	stun_put_head(w, STUN_CLASS_ERROR, msg->method, msg->tid);
	stun_put_error(w, code, (struct slice){0});
	if (!w->bad &&
	    (j->a->flow.transport != WIRE_UDP || w->n <= j->a->bytes.n))
		j->out->bytes = wr_slice(w);
}

static void answer_stun(struct job *j)
{
	struct wr w = wr_init(j->an->bytes, sizeof(j->an->bytes));
	struct stun_msg msg;

	if (stun_msg_decode(&msg, j->a->bytes))
		return;
	if (msg.method != STUN_METHOD_BINDING)
		refuse_turn(j, &w, &msg);
	else if (!stun_msg_answer(&w, &msg, &j->a->flow.remote, SIZE_MAX))
		j->out->bytes = wr_slice(&w);
}

static void find_tag(struct job *j)
{
	const struct edge_arrival *a = j->a;
	struct edge_answer *out = j->out;
	struct wire_token token;

	out->has_tag = wire_tag_find(&out->tag, a->bytes);
	out->is_proven = a->flow.transport != WIRE_UDP;
	if (out->has_tag && !out->is_proven &&
	    wire_token_find(&token, a->bytes))
		out->is_proven = wire_token_check(&token, j->an->conf->secret,
		                                  &a->flow.remote,
		                                  a->wall_ns / NS_PER_S);
}

int edge_answerer_alloc(struct edge_answerer **ap, const struct edge_conf *conf,
                        const struct edge_calls *calls)
{
	struct edge_answerer *an = calloc(1, sizeof(*an));

	if (!an)
		return ENOMEM;
	an->conf = conf;
	an->calls = calls;
	*ap = an;
	return 0;
}

void edge_answerer_free(struct edge_answerer *an)
{
	free(an);
}

static void answer_ntp(struct job *j)
{
	struct wr w = wr_init(j->an->bytes, EDGE_NTP_BYTES);

	if (!edge_ntp_answer(&w, j->a->bytes, j->a->wall_ns))
		j->out->bytes = wr_slice(&w);
}

static void answer_dns(struct job *j)
{
	bool is_udp = j->a->flow.transport == WIRE_UDP;
	size_t room = is_udp ? EDGE_DNS_UDP_MAX_BYTES : EDGE_DNS_TCP_MAX_BYTES;
	struct wr w = wr_init(j->an->bytes, room);

	edge_dns_answer(&w, &j->an->conf->zone, j->a->bytes, room);
	if (!w.bad)
		j->out->bytes = wr_slice(&w);
}

static void answer_sip(struct job *j)
{
	struct sip_msg *msg = &j->an->msg;

	if (slice_eq_str(j->a->bytes, "\r\n\r\n")) {
		j->out->bytes = slice_str("\r\n");
		return;
	}
	sip_msg_read(msg, j->a->bytes);
	if (sip_msg_is_request(msg))
		answer_request(j);
	else if (!sip_msg_status(msg))
		answer_mirror_dgram(j);
}

/* A message of a port that speaks both is SIP when it cannot be STUN. */
static bool is_stun(const struct edge_arrival *a)
{
	if (!(a->speaks & EDGE_STUN))
		return false;
	return !(a->speaks & EDGE_SIP) ||
	       (a->bytes.n && a->bytes.p[0] <= STUN_TYPE_MAX);
}

bool edge_answer_is_hello(struct slice bytes)
{
	enum wire_dgram_type type;

	return bytes.n == WIRE_HELLO_BYTES && !wire_dgram_type(&type, bytes) &&
	       type == WIRE_HELLO;
}

void edge_answer(struct edge_answer *out, struct edge_answerer *an,
                 const struct edge_arrival *a)
{
	struct job j = {.an = an, .a = a, .out = out, .msg = &an->msg};
	bool is_udp = a->flow.transport == WIRE_UDP;
	enum wire_dgram_type type;

	*out = (struct edge_answer){0};
	if (edge_answer_is_hello(a->bytes)) {
		out->is_proven = !is_udp;
		answer_hello(&j);
		return;
	}
	find_tag(&j);
	if (!wire_dgram_type(&type, a->bytes) && (is_udp || type == WIRE_HELLO))
		answer_dgram(&j, type);
	else if (is_stun(a))
		answer_stun(&j);
	else if (a->speaks & EDGE_SIP)
		answer_sip(&j);
	else if (a->speaks & EDGE_DNS)
		answer_dns(&j);
	else if (a->speaks & EDGE_NTP && is_udp)
		answer_ntp(&j);
	/* what nobody understands, the mirror does */
	else
		answer_mirror_dgram(&j);
}

void edge_answer_final(struct wr *w, const struct edge_final *f,
                       bool is_cancelled)
{
	wr_str(w, is_cancelled ? "SIP/2.0 487 Request Terminated"
	                       : "SIP/2.0 480 Temporarily Unavailable");
	wr_put(w, f->bytes);
}
