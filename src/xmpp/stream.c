/* SPDX-License-Identifier: ISC */
/*
 * Design: what is of interest is told by the namespace and name of an element
 * and of its parent, so only those are kept, not a tree. Everything else is
 * passed over, whatever it is: a server may say more than RFC 6120 knows.
 *
 * Three documents carry the same features: <stream> stays open for the whole
 * connection, WebSocket sends one document a message, BOSH wraps them into
 * <body>. Hence restart(), and roots of three kinds.
 */
#include "xmpp/stream.h"

#include <errno.h>

#include <stdlib.h>
#include <string.h>

#include <expat.h>

#include "base/text.h"

enum {
	MAX_DEPTH = 32,
	SEPARATOR = '\n', /* cannot stand in a URI or a name */
};

#define NS_STREAM  "http://etherx.jabber.org/streams\n"
#define NS_FRAMING "urn:ietf:params:xml:ns:xmpp-framing\n"
#define NS_BOSH    "http://jabber.org/protocol/httpbind\n"
#define NS_TLS     "urn:ietf:params:xml:ns:xmpp-tls\n"
#define NS_SASL    "urn:ietf:params:xml:ns:xmpp-sasl\n"
#define NS_STANZAS "urn:ietf:params:xml:ns:xmpp-streams\n"

enum where {
	OUTSIDE, /* of what is of interest */
	ROOT,
	FEATURES,
	STARTTLS,
	MECHANISMS,
	MECHANISM,
	ERROR,
};

struct xmpp_stream {
	XML_Parser parser;
	struct xmpp_said said;
	enum where stack[MAX_DEPTH];
	size_t depth;
	size_t n_bytes;
	int error;                  /* sticky */
	char text[XMPP_TEXT_BYTES]; /* full: it was cut */
	size_t n_text;
};

/* Expat gives valid UTF-8; a cut must not leave half a character. */
static void copy_text(char out[XMPP_TEXT_BYTES], const char *in, size_t n)
{
	if (n >= XMPP_TEXT_BYTES) {
		n = XMPP_TEXT_BYTES - 1;
		while (n > 0 && ((unsigned char)in[n] & 0xc0) == 0x80)
			n--;
	}
	memcpy(out, in, n);
	out[n] = '\0';
}

static void copy_str(char out[XMPP_TEXT_BYTES], const char *in)
{
	copy_text(out, in, strlen(in));
}

static void give_up(struct xmpp_stream *s, int err)
{
	if (s->error == 0)
		s->error = err;
	(void)XML_StopParser(s->parser, XML_FALSE);
}

static void take_root_attrs(struct xmpp_said *said, const char **attrs)
{
	for (; attrs[0]; attrs += 2) {
		if (strcmp(attrs[0], "from") == 0)
			copy_str(said->from, attrs[1]);
		else if (strcmp(attrs[0], "id") == 0 ||
		         strcmp(attrs[0], "authid") == 0)
			copy_str(said->id, attrs[1]);
		else if (strcmp(attrs[0], "version") == 0)
			copy_str(said->version, attrs[1]);
		else if (strcmp(attrs[0], "sid") == 0)
			copy_str(said->sid, attrs[1]);
		else if (strcmp(attrs[0], "condition") == 0)
			copy_str(said->condition, attrs[1]);
		else if (strcmp(attrs[0], "type") == 0 &&
		         strcmp(attrs[1], "terminate") == 0)
			said->is_closed = true;
	}
}

/* Elements that stand alone in a WebSocket message, or in a stream's or a
 * body's root. */
static enum where begin_top(struct xmpp_stream *s, const char *name)
{
	struct xmpp_said *said = &s->said;

	if (strcmp(name, NS_STREAM "features") == 0) {
		said->has_features = false;
		said->tls = XMPP_TLS_NONE;
		said->n_mechanisms = 0;
		return FEATURES;
	}
	if (strcmp(name, NS_STREAM "error") == 0)
		return ERROR;
	if (strcmp(name, NS_TLS "proceed") == 0)
		said->may_proceed = true;
	else if (strcmp(name, NS_TLS "failure") == 0)
		said->has_failed = true;
	return OUTSIDE;
}

static enum where begin_root(struct xmpp_stream *s, const char *name,
                             const char **attrs)
{
	if (strcmp(name, NS_STREAM "stream") == 0 ||
	    strcmp(name, NS_FRAMING "open") == 0 ||
	    strcmp(name, NS_BOSH "body") == 0) {
		s->said.has_header = true;
		take_root_attrs(&s->said, attrs);
		return ROOT;
	}
	if (strcmp(name, NS_FRAMING "close") == 0) {
		s->said.is_closed = true;
		return OUTSIDE;
	}
	/* only who has opened a stream may go on without a root */
	if (!s->said.has_header)
		give_up(s, EPROTO);
	return begin_top(s, name);
}

static enum where begin_child(struct xmpp_stream *s, enum where parent,
                              const char *name)
{
	struct xmpp_said *said = &s->said;

	switch (parent) {
	case ROOT:
		return begin_top(s, name);
	case FEATURES:
		if (strcmp(name, NS_TLS "starttls") == 0) {
			said->tls = XMPP_TLS_OPTIONAL;
			return STARTTLS;
		}
		return strcmp(name, NS_SASL "mechanisms") == 0 ? MECHANISMS
		                                               : OUTSIDE;
	case STARTTLS:
		if (strcmp(name, NS_TLS "required") == 0)
			said->tls = XMPP_TLS_REQUIRED;
		return OUTSIDE;
	case MECHANISMS:
		return strcmp(name, NS_SASL "mechanism") == 0 ? MECHANISM
		                                              : OUTSIDE;
	case ERROR:
		if (!said->condition[0] &&
		    strncmp(name, NS_STANZAS, strlen(NS_STANZAS)) == 0 &&
		    strcmp(name, NS_STANZAS "text") != 0)
			copy_str(said->condition, name + strlen(NS_STANZAS));
		return OUTSIDE;
	case MECHANISM:
	case OUTSIDE:
		break;
	}
	return OUTSIDE;
}

static void XMLCALL on_begin(void *arg, const char *name, const char **attrs)
{
	struct xmpp_stream *s = arg;
	enum where where;

	if (s->depth == MAX_DEPTH) {
		give_up(s, EBADMSG);
		return;
	}
	where = s->depth == 0 ? begin_root(s, name, attrs)
	                      : begin_child(s, s->stack[s->depth - 1], name);
	s->stack[s->depth++] = where;
	s->n_text = 0;
}

static void XMLCALL on_end(void *arg, const char *name)
{
	struct xmpp_stream *s = arg;
	struct xmpp_said *said = &s->said;
	enum where where;

	if (s->error) /* expat still ends an empty element after its stop */
		return;
	where = s->stack[--s->depth];
	if (where == FEATURES)
		said->has_features = true;
	else if (where == MECHANISM && said->n_mechanisms < XMPP_MECHANISMS_MAX)
		copy_text(said->mechanisms[said->n_mechanisms++], s->text,
		          s->n_text);
	else if (where == ROOT && strcmp(name, NS_STREAM "stream") == 0)
		said->is_closed = true;
}

static void XMLCALL on_text(void *arg, const char *text, int n)
{
	struct xmpp_stream *s = arg;
	size_t room = sizeof(s->text) - s->n_text;
	size_t take = (size_t)n < room ? (size_t)n : room;

	if (s->depth == 0 || s->stack[s->depth - 1] != MECHANISM)
		return;
	memcpy(s->text + s->n_text, text, take);
	s->n_text += take;
}

static void XMLCALL on_doctype(void *arg, const char *name, const char *sysid,
                               const char *pubid, int has_internal_subset)
{
	UNUSED(name);
	UNUSED(sysid);
	UNUSED(pubid);
	UNUSED(has_internal_subset);
	give_up(arg, EBADMSG);
}

int xmpp_stream_restart(struct xmpp_stream *s)
{
	XML_Parser parser = XML_ParserCreateNS("UTF-8", SEPARATOR);

	if (!parser)
		return ENOMEM;
	XML_ParserFree(s->parser);
	s->parser = parser;
	s->depth = 0;
	s->said.has_features = false;
	XML_SetUserData(parser, s);
	XML_SetElementHandler(parser, on_begin, on_end);
	XML_SetCharacterDataHandler(parser, on_text);
	XML_SetStartDoctypeDeclHandler(parser, on_doctype);
	return 0;
}

int xmpp_stream_alloc(struct xmpp_stream **sp)
{
	struct xmpp_stream *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return ENOMEM;
	err = xmpp_stream_restart(s);
	if (err)
		free(s);
	else
		*sp = s;
	return err;
}

void xmpp_stream_free(struct xmpp_stream *s)
{
	if (!s)
		return;
	XML_ParserFree(s->parser);
	free(s);
}

int xmpp_stream_feed(struct xmpp_stream *s, struct slice bytes)
{
	if (s->error)
		return s->error;
	if (bytes.n > XMPP_STREAM_MAX_BYTES - s->n_bytes) {
		s->error = EBADMSG;
		return s->error;
	}
	s->n_bytes += bytes.n;
	if (XML_Parse(s->parser, (const char *)bytes.p, (int)bytes.n, 0) !=
	            XML_STATUS_OK &&
	    s->error == 0)
		s->error = XML_GetErrorCode(s->parser) == XML_ERROR_NO_MEMORY
		                   ? ENOMEM
		                   : EBADMSG;
	return s->error;
}

const struct xmpp_said *xmpp_stream_said(const struct xmpp_stream *s)
{
	return &s->said;
}

void xmpp_put_stream(struct wr *w, struct slice domain)
{
	wr_str(w, "<?xml version='1.0'?><stream:stream to='");
	text_xml_put(w, domain);
	wr_str(w, "' version='1.0' xml:lang='en' xmlns='jabber:client' "
	          "xmlns:stream='http://etherx.jabber.org/streams'>");
}

void xmpp_put_open(struct wr *w, struct slice domain)
{
	wr_str(w, "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='");
	text_xml_put(w, domain);
	wr_str(w, "' version='1.0'/>");
}

void xmpp_put_body(struct wr *w, struct slice domain, uint64_t rid)
{
	wr_fmt(w, "<body rid='%llu' to='", (unsigned long long)rid);
	text_xml_put(w, domain);
	wr_str(w, "' ver='1.6' wait='5' hold='1' xml:lang='en' "
	          "xmpp:version='1.0' content='text/xml; charset=utf-8' "
	          "xmlns='http://jabber.org/protocol/httpbind' "
	          "xmlns:xmpp='urn:xmpp:xbosh'/>");
}

void xmpp_put_terminate(struct wr *w, struct slice sid, uint64_t rid)
{
	wr_fmt(w, "<body rid='%llu' type='terminate' sid='",
	       (unsigned long long)rid);
	text_xml_put(w, sid);
	wr_str(w, "' xmlns='http://jabber.org/protocol/httpbind'/>");
}
