/* SPDX-License-Identifier: ISC */
/*
 * Design: header fields in the order and spelling that phones use, and every
 * one that a strict server or a nervous firewall misses when it is not there.
 * The length is not accidental: a responder that gives strangers no more
 * bytes than it got needs room for its own Allow and Server fields.
 */
#include "sip/request.h"

#include <errno.h>
#include <string.h>

#include "base/addr.h"

static bool is_clean(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || s.p[i] == '<' ||
		    s.p[i] == '>' || s.p[i] == '"')
			return false;
	}
	return true;
}

static void put_line(struct wr *w, const char *name, struct slice value)
{
	wr_str(w, name);
	wr_put(w, value);
	wr_str(w, "\r\n");
}

static void put_party(struct wr *w, const char *name, struct slice aor,
                      struct slice tag)
{
	wr_str(w, name);
	wr_str(w, "<");
	wr_put(w, aor);
	wr_str(w, ">");
	if (tag.n) {
		wr_str(w, ";tag=");
		wr_put(w, tag);
	}
	wr_str(w, "\r\n");
}

static void put_contact(struct wr *w, const struct sip_request *rq)
{
	if (!rq->contact.n)
		return;
	wr_str(w, "Contact: <");
	wr_put(w, rq->contact);
	wr_str(w, ">\r\n");
}

int sip_request_build(struct wr *w, const struct sip_request *rq)
{
	const struct slice values[] = {rq->uri,    rq->aor,      rq->sent_by,
	                               rq->branch, rq->from_tag, rq->call_id,
	                               rq->contact};

	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		if (!is_clean(values[i]))
			return EINVAL;
	}
	wr_fmt(w, "%s ", rq->method);
	wr_put(w, rq->uri);
	wr_fmt(w, " SIP/2.0\r\nVia: SIP/2.0/%s ", rq->transport);
	wr_put(w, rq->sent_by);
	wr_str(w, ";rport;branch=z9hG4bK");
	wr_put(w, rq->branch);
	wr_str(w, "\r\nMax-Forwards: 70\r\n");
	put_party(w, "From: ", rq->aor, rq->from_tag);
	put_party(w, "To: ", rq->aor, (struct slice){0});
	put_line(w, "Call-ID: ", rq->call_id);
	wr_fmt(w, "CSeq: %u %s\r\n", rq->cseq, rq->method);
	put_contact(w, rq);
	if (rq->expires_s >= 0)
		wr_fmt(w, "Expires: %d\r\n", rq->expires_s);
	wr_put(w, rq->extra);
	wr_str(w, "User-Agent: prumo\r\nAllow: INVITE, ACK, CANCEL, BYE, "
	          "OPTIONS, NOTIFY, REFER, MESSAGE, INFO, UPDATE, PRACK, "
	          "SUBSCRIBE\r\nSupported: path, outbound, replaces, timer\r\n"
	          "Accept: application/sdp\r\nAccept-Language: en\r\n"
	          "Content-Length: 0\r\n\r\n");
	return w->bad ? ENOMEM : 0;
}

void sip_put_user(struct wr *w, struct slice user)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		"-_.!~*'()&=+$,;?/";

	for (size_t i = 0; i < user.n; i++) {
		if (user.p[i] && strchr(plain, user.p[i]))
			wr_u8(w, user.p[i]);
		else
			wr_fmt(w, "%%%02X", user.p[i]);
	}
}

void sip_put_host(struct wr *w, struct slice host)
{
	struct addr a;
	bool is_bare = host.n && host.p[0] != '[' && !addr_parse(&a, host) &&
	               a.family == ADDR_IP6;

	wr_str(w, is_bare ? "[" : "");
	wr_put(w, host);
	wr_str(w, is_bare ? "]" : "");
}
