/* SPDX-License-Identifier: ISC */
/*
 * Design: a stream is one XML document that never ends, so expat is fed as
 * bytes come and its handlers note what was opened. Only the stream's head
 * and its direct children matter; a child is answered when it begins, since
 * nothing that is inside it could change the answer. Text from the client
 * never comes back: the one exception, the domain it asked for, is taken only
 * when it is made of characters that need no escaping.
 */
#include "edge/xmpp.h"

#include <errno.h>
#include <expat.h>
#include <stdlib.h>
#include <string.h>

enum {
	DEPTH_MAX = 16,
	DOMAIN_CHARS = 255,
};

#define NS_STREAM "http://etherx.jabber.org/streams"
#define NS_TLS    "urn:ietf:params:xml:ns:xmpp-tls"
#define NS_ERRORS "urn:ietf:params:xml:ns:xmpp-streams"
#define NS_FRAME  "urn:ietf:params:xml:ns:xmpp-framing"
#define NS_BOSH   "http://jabber.org/protocol/httpbind"
#define SEPARATOR "|"

/* What a document has shown so far. */
struct document {
	XML_Parser parser;
	unsigned depth;
	bool is_bad;
	char domain[DOMAIN_CHARS + 1];
	char root[128], child[128]; /* "namespace|name", first and latest */
	bool has_child, has_sid;
	struct edge_xmpp *stream; /* answers as it goes; NULL: at the end */
};

struct edge_xmpp {
	struct document doc;
	bool is_secure;
	uint64_t seed;
	size_t n_bytes;
	struct wr *w; /* during a push */
	enum edge_xmpp_next next;
};

static void copy_name(char *to, size_t cap, const char *from)
{
	size_t n = strlen(from);

	to[0] = '\0';
	if (n < cap)
		memcpy(to, from, n + 1);
}

static bool is_plain(const char *s)
{
	return *s && s[strspn(s, "abcdefghijklmnopqrstuvwxyz"
	                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                         "0123456789.-_:[]")] == '\0';
}

static void read_root(struct document *d, const char *name, const char **atts)
{
	copy_name(d->root, sizeof(d->root), name);
	for (size_t i = 0; atts[i]; i += 2) {
		if (strcmp(atts[i], "to") == 0 && is_plain(atts[i + 1]))
			copy_name(d->domain, sizeof(d->domain), atts[i + 1]);
		else if (strcmp(atts[i], "sid") == 0)
			d->has_sid = true;
	}
}

static void stop(struct document *d)
{
	d->is_bad = true;
	(void)XML_StopParser(d->parser, XML_FALSE);
}

static void put_from(struct wr *w, const struct document *d)
{
	wr_fmt(w, " from='%s'", d->domain[0] ? d->domain : "prumo-edge");
}

static void put_id(struct wr *w, uint64_t seed)
{
	wr_fmt(w, " id='" EDGE_XMPP_ID "%016llx'", (unsigned long long)seed);
}

static void put_error(struct wr *w, const char *condition)
{
	wr_fmt(w,
	       "<stream:error><%s xmlns='" NS_ERRORS "'/>"
	       "</stream:error></stream:stream>",
	       condition);
}

static void open_stream(struct edge_xmpp *x)
{
	struct wr *w = x->w;

	wr_str(w, "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
	          "xmlns:stream='" NS_STREAM "'");
	put_id(w, x->seed);
	put_from(w, &x->doc);
	wr_str(w, " version='1.0' xml:lang='en'>");
}

static void on_stream(struct edge_xmpp *x)
{
	bool is_stream = strcmp(x->doc.root, NS_STREAM SEPARATOR "stream") == 0;

	open_stream(x);
	if (!is_stream) {
		put_error(x->w, "invalid-namespace");
		x->next = EDGE_XMPP_CLOSE;
		stop(&x->doc);
		return;
	}
	wr_str(x->w, "<stream:features>");
	if (!x->is_secure)
		wr_str(x->w, "<starttls xmlns='" NS_TLS "'/>");
	wr_str(x->w, "</stream:features>");
}

static void on_child(struct edge_xmpp *x)
{
	bool is_tls = strcmp(x->doc.child, NS_TLS SEPARATOR "starttls") == 0;

	if (is_tls && !x->is_secure) {
		wr_str(x->w, "<proceed xmlns='" NS_TLS "'/>");
		x->next = EDGE_XMPP_TLS;
	} else {
		put_error(x->w, "not-authorized");
		x->next = EDGE_XMPP_CLOSE;
	}
	(void)XML_StopParser(x->doc.parser, XML_FALSE);
}

static void XMLCALL on_start(void *arg, const char *name, const char **atts)
{
	struct document *d = arg;

	if (++d->depth > DEPTH_MAX) {
		stop(d);
	} else if (d->depth == 1) {
		read_root(d, name, atts);
		if (d->stream)
			on_stream(d->stream);
	} else if (d->depth == 2) {
		d->has_child = true;
		copy_name(d->child, sizeof(d->child), name);
		if (d->stream)
			on_child(d->stream);
	}
}

static void XMLCALL on_end(void *arg, const char *name)
{
	struct document *d = arg;

	UNUSED(name);
	d->depth--;
	if (d->depth == 0 && d->stream) {
		wr_str(d->stream->w, "</stream:stream>");
		d->stream->next = EDGE_XMPP_CLOSE;
	}
}

static void XMLCALL on_doctype(void *arg, const char *name, const char *sysid,
                               const char *pubid, int has_subset)
{
	UNUSED(name);
	UNUSED(sysid);
	UNUSED(pubid);
	UNUSED(has_subset);
	stop(arg);
}

/* RFC 6120, section 11.1: neither of them */
static void XMLCALL on_instruction(void *arg, const char *target,
                                   const char *data)
{
	UNUSED(target);
	UNUSED(data);
	stop(arg);
}

static void XMLCALL on_comment(void *arg, const char *data)
{
	UNUSED(data);
	stop(arg);
}

static int document_init(struct document *d)
{
	*d = (struct document){0};
	d->parser = XML_ParserCreateNS(NULL, SEPARATOR[0]);
	if (!d->parser)
		return ENOMEM;
#ifdef HAVE_REPARSE_DEFERRAL
	/* It would wait for more of a client that waits for us; what it
	 * guards against needs more bytes than EDGE_XMPP_MAX_BYTES. */
	(void)XML_SetReparseDeferralEnabled(d->parser, XML_FALSE);
#endif
	XML_SetUserData(d->parser, d);
	XML_SetElementHandler(d->parser, on_start, on_end);
	XML_SetStartDoctypeDeclHandler(d->parser, on_doctype);
	XML_SetProcessingInstructionHandler(d->parser, on_instruction);
	XML_SetCommentHandler(d->parser, on_comment);
	return 0;
}

static void document_fini(struct document *d)
{
	if (d->parser)
		XML_ParserFree(d->parser);
}

int edge_xmpp_alloc(struct edge_xmpp **xp, bool is_secure, uint64_t seed)
{
	struct edge_xmpp *x = calloc(1, sizeof(*x));
	int err;

	if (!x)
		return ENOMEM;
	err = document_init(&x->doc);
	if (err) {
		free(x);
		return err;
	}
	x->doc.stream = x;
	x->is_secure = is_secure;
	x->seed = seed;
	*xp = x;
	return 0;
}

void edge_xmpp_free(struct edge_xmpp *x)
{
	if (!x)
		return;
	document_fini(&x->doc);
	free(x);
}

enum edge_xmpp_next edge_xmpp_push(struct edge_xmpp *x, struct wr *w,
                                   struct slice bytes)
{
	enum XML_Status status = XML_STATUS_ERROR;
	const char *condition = "not-well-formed";

	x->w = w;
	x->n_bytes += bytes.n;
	if (x->n_bytes <= EDGE_XMPP_MAX_BYTES)
		status = XML_Parse(x->doc.parser, (const char *)bytes.p,
		                   (int)bytes.n, 0);
	else
		condition = "policy-violation";
	if (x->next == EDGE_XMPP_MORE && status != XML_STATUS_OK) {
		if (!x->doc.root[0])
			open_stream(x);
		if (x->doc.is_bad)
			condition = "restricted-xml";
		put_error(w, condition);
		x->next = EDGE_XMPP_CLOSE;
	}
	x->w = NULL;
	return x->next;
}

/* @return 0 or EBADMSG */
static int read_document(struct document *d, struct slice bytes)
{
	enum XML_Status status = XML_STATUS_ERROR;

	if (document_init(d))
		return EBADMSG;
	if (bytes.n <= EDGE_XMPP_MAX_BYTES)
		status = XML_Parse(d->parser, (const char *)bytes.p,
		                   (int)bytes.n, 1);
	document_fini(d);
	return status == XML_STATUS_OK ? 0 : EBADMSG;
}

static void put_frame_close(struct wr *w)
{
	wr_str(w, "<close xmlns='" NS_FRAME "'/>");
}

enum edge_xmpp_next edge_xmpp_message(struct wr *w, struct slice bytes,
                                      uint64_t seed)
{
	struct document d;

	if (read_document(&d, bytes) ||
	    strcmp(d.root, NS_FRAME SEPARATOR "open") != 0) {
		put_frame_close(w);
		return EDGE_XMPP_CLOSE;
	}
	wr_str(w, "<open xmlns='" NS_FRAME "'");
	put_from(w, &d);
	put_id(w, seed);
	wr_str(w, " version='1.0' xml:lang='en'/>");
	return EDGE_XMPP_MORE;
}

void edge_xmpp_features(struct wr *w)
{
	wr_str(w, "<stream:features xmlns:stream='" NS_STREAM "'/>");
}

int edge_xmpp_bosh(struct wr *w, struct slice bytes)
{
	struct document d;

	if (read_document(&d, bytes) ||
	    strcmp(d.root, NS_BOSH SEPARATOR "body") != 0)
		return EBADMSG;
	wr_str(w, "<body xmlns='" NS_BOSH "'");
	if (d.has_sid) {
		/* no session outlives its first answer */
		wr_str(w, " type='terminate' condition='item-not-found'/>");
		return 0;
	}
	wr_str(w, " sid='" EDGE_XMPP_ID "bosh' authid='" EDGE_XMPP_ID "bosh'");
	put_from(w, &d);
	wr_str(w, " wait='0' hold='0' requests='1' inactivity='0' ver='1.6'"
	          " xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0'"
	          " xmlns:stream='" NS_STREAM "'><stream:features/></body>");
	return 0;
}
