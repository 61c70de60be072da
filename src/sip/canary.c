/* SPDX-License-Identifier: ISC */
/*
 * Design: the message is written top to bottom into the caller's buffer;
 * only the body is made first, aside, because Content-Length comes before
 * it. Addresses that must survive the way sit in fields that nobody has a
 * reason to touch; where several canaries of one kind exist they differ, so
 * that an edit tells which of them was taken for the sender's address.
 *
 * Refused: random values. What a message carries follows from its struct
 * alone, so the sender can build it again to compare it with the mirror.
 */
#include "sip/canary.h"

#include <errno.h>

#include "base/text.h"

enum {
	MAX_BODY_BYTES = 1024,
	PAD_LINE_BYTES = 200,   /**< no filler line is a long line */
	LONG_LINE_BYTES = 1000, /**< FortiOS stops at 998 */
	LONG_URI_BYTES = 256,   /**< Cisco ASA stops at 255 */
	LOW_RTP_PORT = 1000,    /**< netfilter wants 1024 at least */
	RAW_KEY = 0x5a,
	SHORT_TAG_CHARS = 8,
};

/** What one kind of message has besides the fields of all. */
enum part {
	HAS_CONTACT = 1 << 0,
	HAS_CONTACT_LIST = 1 << 1, /**< one value only where a dialog is made */
	HAS_RECORD_ROUTE = 1 << 2,
	HAS_PATH = 1 << 3,
	HAS_AUTH = 1 << 4,
	HAS_IDENTITY = 1 << 5,
	HAS_SDP = 1 << 6,
	HAS_TEXT = 1 << 7,
	HAS_EVENT = 1 << 8,
	HAS_EXPIRES = 1 << 9,
	HAS_LOWER_VIA = 1 << 10,
	HAS_ALLOW = 1 << 11,
	HAS_EXTRAS = HAS_LOWER_VIA | HAS_RECORD_ROUTE | HAS_AUTH |
	             HAS_IDENTITY | HAS_PATH | HAS_CONTACT_LIST | HAS_ALLOW,
};

static const struct {
	const char *method;
	unsigned parts;
} kinds[SIP_CANARY_KINDS] = {
	[SIP_CANARY_OPTIONS] = {"OPTIONS", HAS_CONTACT | HAS_CONTACT_LIST |
                                                   HAS_RECORD_ROUTE | HAS_AUTH |
                                                   HAS_LOWER_VIA | HAS_ALLOW},
	[SIP_CANARY_REGISTER] = {"REGISTER", HAS_CONTACT | HAS_CONTACT_LIST |
                                                     HAS_PATH | HAS_AUTH |
                                                     HAS_EXPIRES | HAS_ALLOW},
	[SIP_CANARY_INVITE] = {"INVITE", HAS_CONTACT | HAS_RECORD_ROUTE |
                                                 HAS_IDENTITY | HAS_SDP |
                                                 HAS_ALLOW},
	[SIP_CANARY_MESSAGE] = {"MESSAGE", HAS_TEXT | HAS_RECORD_ROUTE},
	[SIP_CANARY_SUBSCRIBE] = {"SUBSCRIBE", HAS_CONTACT | HAS_RECORD_ROUTE |
                                                       HAS_EVENT | HAS_EXPIRES},
	[SIP_CANARY_PUBLISH] = {"PUBLISH", HAS_TEXT | HAS_EVENT | HAS_EXPIRES},
	[SIP_CANARY_UNKNOWN] = {"PRUMO", HAS_CONTACT | HAS_LOWER_VIA},
	[SIP_CANARY_ACK] = {"ACK", 0},
	[SIP_CANARY_CANCEL] = {"CANCEL", 0},
	[SIP_CANARY_BYE] = {"BYE", 0},
};

static const char *const transports[] = {
	[SIP_UDP] = "UDP",
	[SIP_TCP] = "TCP",
	[SIP_TLS] = "TLS",
};

static const char *const transport_params[] = {
	[SIP_UDP] = "udp",
	[SIP_TCP] = "tcp",
	[SIP_TLS] = "tls",
};

const char *sip_canary_method(enum sip_canary_kind kind)
{
	return kinds[kind].method;
}

static bool has(const struct sip_canary *c, unsigned part)
{
	unsigned parts = kinds[c->kind].parts;

	if (c->flags & SIP_CANARY_SHORT)
		parts &= ~(unsigned)HAS_EXTRAS;
	return (parts & part) != 0;
}

static bool is_set(const struct sip_canary *c, unsigned flag)
{
	return (c->flags & flag) != 0;
}

/** A field name in the form that the flags ask for, with ": ". */
static void put_name(struct wr *w, const struct sip_canary *c, const char *name,
                     char compact)
{
	bool is_compact = is_set(c, SIP_CANARY_COMPACT) ||
	                  (is_set(c, SIP_CANARY_SHORT) && has(c, HAS_SDP));

	if (is_compact && compact) {
		wr_fmt(w, "%c: ", compact);
		return;
	}
	for (size_t i = 0; name[i]; i++) {
		char ch = name[i];

		if (is_set(c, SIP_CANARY_ODD_CASE)) {
			if (i % 2 && ch >= 'a' && ch <= 'z')
				ch = (char)(ch - 'a' + 'A');
			else if (i % 2 == 0 && ch >= 'A' && ch <= 'Z')
				ch = (char)(ch - 'A' + 'a');
		}
		wr_u8(w, (uint8_t)ch);
	}
	wr_str(w, ": ");
}

static void put_host(struct wr *w, const struct addr *a)
{
	char text[ADDR_TEXT_BYTES];

	wr_fmt(w, a->family == ADDR_IP6 ? "[%s]" : "%s", addr_ip_text(a, text));
}

static void put_hostport(struct wr *w, const struct addr *a)
{
	put_host(w, a);
	if (a->port)
		wr_fmt(w, ":%u", a->port);
}

static const char *ip_net_type(const struct addr *a)
{
	return a->family == ADDR_IP6 ? "IP6" : "IP4";
}

/** A documentation address of the same family that is neither the sender's
 *  nor the target's; @p host picks one. */
static struct addr foreign(const struct sip_canary *c, uint8_t host)
{
	struct addr a = {
		.family = ADDR_IP4, .ip = {192, 0, 2, host}, .port = 5070};

	if (c->local.family == ADDR_IP6)
		a = (struct addr){.family = ADDR_IP6,
		                  .ip = {0x20, 0x01, 0x0d, 0xb8, 0, 0x77},
		                  .port = 5070};
	if (a.family == ADDR_IP6)
		a.ip[15] = host;
	while (addr_ip_eq(&a, &c->local) || addr_ip_eq(&a, &c->target))
		a.ip[a.family == ADDR_IP6 ? 15 : 3]++;
	return a;
}

static const char *fold(const struct sip_canary *c)
{
	return is_set(c, SIP_CANARY_FOLDED) ? "\r\n " : "";
}

static void put_request_line(struct wr *w, const struct sip_canary *c)
{
	wr_fmt(w, "%s sip:", kinds[c->kind].method);
	/* RFC 3261, section 10.2: a registrar's URI has no user */
	if (c->kind != SIP_CANARY_REGISTER) {
		wr_put(w, c->tag);
		wr_str(w, "@");
	}
	put_hostport(w, &c->target);
	if (is_set(c, SIP_CANARY_LONG_URI)) {
		wr_str(w, ";prumo=");
		for (size_t i = 0; i < LONG_URI_BYTES; i++)
			wr_str(w, "x");
	}
	wr_str(w, " SIP/2.0\r\n");
}

static void put_vias(struct wr *w, const struct sip_canary *c)
{
	struct addr other = foreign(c, 77);

	put_name(w, c, "Via", 'v');
	wr_fmt(w, "SIP/2.0/%s ", transports[c->transport]);
	if (is_set(c, SIP_CANARY_VIA_NO_PORT))
		put_host(w, &c->local);
	else
		put_hostport(w, &c->local);
	wr_fmt(w, ";rport%s;branch=z9hG4bK", fold(c));
	wr_put(w, c->tag);
	wr_str(w, "\r\n");
	if (!has(c, HAS_LOWER_VIA))
		return;
	put_name(w, c, "Via", 'v');
	wr_str(w, "SIP/2.0/UDP ");
	put_hostport(w, &other);
	wr_str(w, ";branch=z9hG4bKlower\r\n");
}

static void put_routes(struct wr *w, const struct sip_canary *c)
{
	if (is_set(c, SIP_CANARY_SHORT))
		return;
	wr_str(w, "Route: <sip:");
	put_hostport(w, &c->target);
	wr_str(w, ";lr>\r\n");
	if (has(c, HAS_RECORD_ROUTE)) {
		wr_str(w, "Record-Route: <sip:");
		put_hostport(w, &c->local);
		wr_str(w, ";lr>\r\n");
	}
	if (has(c, HAS_PATH)) {
		wr_str(w, "Path: <sip:");
		put_hostport(w, &c->local);
		wr_str(w, ";lr>\r\nSupported: path\r\n");
	}
}

static void put_parties(struct wr *w, const struct sip_canary *c)
{
	bool is_short = is_set(c, SIP_CANARY_SHORT);
	size_t n = is_short ? SHORT_TAG_CHARS : SIP_CANARY_TAG_CHARS;

	put_name(w, c, "From", 'f');
	wr_str(w, is_short ? "<sip:p@" : "\"Prumo\" <sip:prumo@");
	put_hostport(w, &c->local);
	wr_str(w, ">;tag=");
	wr_put(w, slice_sub(c->tag, 0, n));
	wr_str(w, "\r\n");
	put_name(w, c, "To", 't');
	wr_str(w, is_short ? "<sip:p@" : "<sip:prumo@");
	put_hostport(w, &c->target);
	wr_str(w, ">");
	if (c->to_tag.n) {
		wr_str(w, ";tag=");
		wr_put(w, c->to_tag);
	}
	wr_str(w, "\r\n");
	put_name(w, c, "Call-ID", 'i');
	wr_put(w, c->tag);
	wr_str(w, "@");
	put_host(w, &c->local);
	wr_fmt(w, "\r\nCSeq: %u %s\r\n", c->cseq, kinds[c->kind].method);
}

static void put_contact_uri(struct wr *w, const struct sip_canary *c,
                            bool is_last)
{
	if (is_set(c, SIP_CANARY_HOST_CONTACT) && is_last)
		wr_str(w, "phone.example.com");
	else
		put_host(w, &c->local);
	if (!is_set(c, SIP_CANARY_CONTACT_NO_PORT) && c->local.port)
		wr_fmt(w, ":%u", c->local.port);
}

/** The first one carries parameters, the second belongs to somebody else,
 *  the third is the sender's again: an ALG that stops early or loses its
 *  place shows it there. */
static void put_contact(struct wr *w, const struct sip_canary *c)
{
	struct addr other = foreign(c, 78);

	if (!has(c, HAS_CONTACT))
		return;
	put_name(w, c, "Contact", 'm');
	if (is_set(c, SIP_CANARY_FOLDED))
		wr_fmt(w, "\"Prumo\"%s", fold(c));
	wr_str(w, is_set(c, SIP_CANARY_SHORT) ? "<sip:p@" : "<sip:prumo@");
	put_contact_uri(w, c, !has(c, HAS_CONTACT_LIST));
	if (!is_set(c, SIP_CANARY_SHORT))
		wr_fmt(w, ";transport=%s", transport_params[c->transport]);
	wr_str(w, ">");
	if (has(c, HAS_CONTACT_LIST)) {
		wr_str(w, ";expires=60;+sip.instance=\"<urn:uuid:00000000-"
		          "0000-1000-8000-000000000001>\", <sip:second@");
		put_hostport(w, &other);
		wr_fmt(w, ">;q=0.5,%s <sip:third@", fold(c));
		put_contact_uri(w, c, true);
		wr_str(w, ";ob>;q=0.1");
	}
	wr_str(w, "\r\n");
}

static void put_auth(struct wr *w, const struct sip_canary *c)
{
	if (!has(c, HAS_AUTH))
		return;
	wr_str(w, "Authorization: Digest username=\"prumo\", realm=\"prumo\", "
	          "nonce=\"0\", uri=\"sip:");
	put_hostport(w, &c->local);
	wr_str(w, "\", response=\"00112233445566778899aabbccddeeff\"\r\n");
}

static void put_raw_addr(struct wr *w, const struct sip_canary *c)
{
	char text[ADDR_TEXT_BYTES];
	struct slice s = slice_str(addr_text(&c->local, text));

	wr_fmt(w, "X-Prumo-Addr: %s\r\nX-Prumo-Raw: ", text);
	for (size_t i = 0; i < s.n; i++)
		text[i] = (char)(text[i] ^ RAW_KEY);
	text_hex_put(w, s);
	wr_str(w, "\r\n");
}

static void put_identity(struct wr *w, const struct sip_canary *c)
{
	if (has(c, HAS_IDENTITY)) {
		wr_str(w, "P-Asserted-Identity: <sip:prumo@");
		put_hostport(w, &c->local);
		wr_str(w, ">\r\n");
	}
	if (has(c, HAS_EVENT))
		wr_str(w, "Event: presence\r\n");
	if (has(c, HAS_EXPIRES))
		wr_str(w, "Expires: 60\r\n");
	if (has(c, HAS_ALLOW))
		wr_str(w, "Allow: NOTIFY, INVITE, BYE, ACK, CANCEL\r\n");
}

static void put_prumo(struct wr *w, const struct sip_canary *c)
{
	/* a short message keeps its bytes for what a router quotes */
	if (is_set(c, SIP_CANARY_SHORT) && c->token.n == 0)
		return;
	wr_str(w, "X-Prumo: ");
	wr_put(w, c->tag);
	if (c->token.n) {
		wr_str(w, ".");
		wr_put(w, c->token);
	}
	wr_str(w, "\r\n");
	if (is_set(c, SIP_CANARY_SHORT))
		return;
	put_raw_addr(w, c);
	wr_str(w, "User-Agent: Prumo\r\n");
}

static void put_sdp(struct wr *w, const struct sip_canary *c)
{
	struct addr other = foreign(c, 155);
	const char *type = ip_net_type(&c->local);
	char mine[ADDR_TEXT_BYTES], third[ADDR_TEXT_BYTES];
	unsigned port = c->rtp_port;

	if (is_set(c, SIP_CANARY_LOW_RTP_PORT))
		port = LOW_RTP_PORT;
	(void)addr_ip_text(&c->local, mine);
	(void)addr_ip_text(&other, third);
	wr_fmt(w, "v=0\r\no=- 1 1 IN %s %s\r\ns=-\r\n", type, third);
	if (!is_set(c, SIP_CANARY_NO_SDP_C))
		wr_fmt(w, "c=IN %s %s\r\n", type, mine);
	wr_fmt(w, "t=0 0\r\nm=audio %u RTP/AVP 0\r\n", port);
	for (unsigned i = 0; i < c->n_video; i++)
		wr_fmt(w, "m=video %u RTP/AVP 31\r\n", c->video_port + 2 * i);
	if (is_set(c, SIP_CANARY_SHORT))
		return;
	wr_fmt(w, "a=rtcp:%u IN %s %s\r\n", port + 1, type, mine);
	wr_fmt(w,
	       "a=candidate:1 1 UDP 2130706431 %s %u typ host\r\n"
	       "a=candidate:1 2 UDP 2130706430 %s %u typ host\r\n",
	       mine, port, mine, port + 1);
	wr_str(w, "a=sendrecv\r\n");
}

/** The "v=" line makes netfilter take plain text for SDP. */
static void put_text(struct wr *w, const struct sip_canary *c)
{
	char ip[ADDR_TEXT_BYTES];

	wr_str(w, "Prumo test\r\n");
	if (!is_set(c, SIP_CANARY_TEXT_BODY_V))
		return;
	(void)addr_ip_text(&c->local, ip);
	wr_fmt(w, "v=0 is no SDP here\r\nc=IN %s %s\r\nSeen from ",
	       ip_net_type(&c->local), ip);
	put_hostport(w, &c->local);
	wr_str(w, " today\r\n");
}

static const char *put_body(struct wr *w, const struct sip_canary *c)
{
	if (is_set(c, SIP_CANARY_TEXT_BODY_V) || has(c, HAS_TEXT)) {
		put_text(w, c);
		return "text/plain";
	}
	if (has(c, HAS_SDP) || (c->kind == SIP_CANARY_ACK && c->rtp_port)) {
		put_sdp(w, c);
		return "application/sdp";
	}
	return NULL;
}

static void put_filler(struct wr *w, const char *name, size_t n)
{
	wr_fmt(w, "%s: ", name);
	for (size_t i = 0; i < n; i++)
		wr_str(w, "x");
	wr_str(w, "\r\n");
}

/** @param n_bytes  What the message lacks; the last line may exceed it. */
static void put_pad(struct wr *w, size_t n_bytes)
{
	static const char name[] = "X-Prumo-Pad";
	const size_t frame = sizeof(name) - 1 + 4; /* ": " and CRLF */

	while (n_bytes > frame) {
		size_t n = n_bytes - frame;

		if (n > PAD_LINE_BYTES)
			n = PAD_LINE_BYTES;
		put_filler(w, name, n);
		n_bytes -= n + frame;
	}
}

static void put_end(struct wr *w, const struct sip_canary *c, size_t start)
{
	uint8_t buf[MAX_BODY_BYTES], tail_buf[MAX_BODY_BYTES + 128];
	struct wr body = wr_init(buf, sizeof(buf));
	struct wr tail = wr_init(tail_buf, sizeof(tail_buf));
	const char *type = put_body(&body, c);
	size_t size;

	if (type) {
		put_name(&tail, c, "Content-Type", 'c');
		wr_fmt(&tail, "%s\r\n", type);
	}
	put_name(&tail, c, "Content-Length", 'l');
	wr_fmt(&tail, "%zu\r\n\r\n", body.n);
	wr_put(&tail, wr_slice(&body));
	size = w->n - start + tail.n;
	if (c->pad_bytes > size)
		put_pad(w, c->pad_bytes - size);
	wr_put(w, wr_slice(&tail));
	if (body.bad || tail.bad)
		w->bad = true;
}

int sip_canary_build(struct wr *w, const struct sip_canary *c)
{
	size_t start = w->n;

	if ((unsigned)c->kind >= SIP_CANARY_KINDS ||
	    c->local.family == ADDR_NONE || c->target.family == ADDR_NONE ||
	    c->tag.n != SIP_CANARY_TAG_CHARS ||
	    (c->token.n && c->token.n != SIP_CANARY_TOKEN_CHARS) ||
	    c->pad_bytes > SIP_CANARY_MAX_BYTES - MAX_BODY_BYTES)
		return EINVAL;
	put_request_line(w, c);
	put_vias(w, c);
	/* routers quote some 500 bytes: in one message they show this too */
	if (c->kind == SIP_CANARY_REGISTER)
		put_auth(w, c);
	put_parties(w, c);
	put_contact(w, c);
	wr_str(w, "Max-Forwards: 70\r\n");
	put_routes(w, c);
	if (c->kind != SIP_CANARY_REGISTER)
		put_auth(w, c);
	if (!is_set(c, SIP_CANARY_SHORT))
		put_identity(w, c);
	else if (has(c, HAS_EVENT))
		wr_str(w, "Event: presence\r\n");
	put_prumo(w, c);
	if (is_set(c, SIP_CANARY_LONG_LINE))
		put_filler(w, "X-Prumo-Long", LONG_LINE_BYTES);
	put_end(w, c, start);
	return w->bad ? EMSGSIZE : 0;
}

int sip_canary_sender(struct addr *a, const struct sip_msg *m)
{
	const struct sip_field *f =
		sip_msg_named(m, slice_str("X-Prumo-Raw"), 0);
	uint8_t buf[ADDR_TEXT_BYTES];
	struct wr w = wr_init(buf, sizeof(buf));

	if (!f)
		return ENOENT;
	if (text_hex_read(&w, f->value) || w.bad)
		return EBADMSG;
	for (size_t i = 0; i < w.n; i++)
		buf[i] ^= RAW_KEY;
	return addr_parse_port(a, wr_slice(&w));
}
