/* SPDX-License-Identifier: ISC */
/*
 * Design: few words, always the same, so that whoever reads them can tell by
 * comparing that something on the way has changed them. The certificate is
 * stated over HTTP as well as over HTTPS: who intercepts only the latter is
 * given away by the former. A request is taken when its head and its body are
 * whole; nothing is kept between two.
 */
#include "edge/web.h"

#include <errno.h>
#include <openssl/evp.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "edge/xmpp.h"

enum {
	SHA1_BYTES = 20,
	KEY_CHARS = 24, /* 16 bytes in base64 */
	BODY_BYTES = 2048,
	HEADERS_MAX = 100,
};

#define WS_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

struct head {
	struct edge_web_request *r;
	bool has_connection_upgrade, has_websocket, has_version, is_bad;
	bool is_chunked, has_host, keeps_alive;
	uint64_t length;
};

/* The next item of a list that commas separate. */
static bool next_item(struct slice *item, struct slice *rest)
{
	size_t at;

	if (!rest->n)
		return false;
	at = slice_find(*rest, slice_str(","));
	*item = slice_trim(slice_sub(*rest, 0, at));
	if (at == SIZE_MAX)
		at = rest->n - 1; /* the last one */
	*rest = slice_sub(*rest, at + 1, SIZE_MAX);
	return true;
}

static bool has_item(struct slice list, const char *word)
{
	struct slice item;

	while (next_item(&item, &list)) {
		if (slice_ieq(item, slice_str(word)))
			return true;
	}
	return false;
}

static void on_host(struct head *h, struct slice value)
{
	UNUSED(value);
	h->is_bad = h->is_bad || h->has_host;
	h->has_host = true;
}

static void on_connection(struct head *h, struct slice value)
{
	h->has_connection_upgrade |= has_item(value, "upgrade");
	h->r->wants_close |= has_item(value, "close");
	h->keeps_alive |= has_item(value, "keep-alive");
}

static void on_upgrade(struct head *h, struct slice value)
{
	h->has_websocket |= has_item(value, "websocket");
}

static void on_version(struct head *h, struct slice value)
{
	h->has_version = slice_eq_str(value, "13");
}

static void on_key(struct head *h, struct slice value)
{
	h->r->key = value;
}

static void on_protocol(struct head *h, struct slice value)
{
	/* a second line of the same list is not looked at */
	if (!h->r->subprotocols.n)
		h->r->subprotocols = value;
}

static void on_length(struct head *h, struct slice value)
{
	uint64_t n;

	if (text_u64(&n, value, SIZE_MAX) || (h->length && h->length != n))
		h->is_bad = true;
	else
		h->length = n;
}

static void on_coding(struct head *h, struct slice value)
{
	UNUSED(value);
	h->is_chunked = true;
}

static const struct {
	const char *name;
	void (*fn)(struct head *h, struct slice value);
} headers[] = {
	{"Host", on_host},
	{"Connection", on_connection},
	{"Upgrade", on_upgrade},
	{"Content-Length", on_length},
	{"Transfer-Encoding", on_coding},
	{"Sec-WebSocket-Version", on_version},
	{"Sec-WebSocket-Key", on_key},
	{"Sec-WebSocket-Protocol", on_protocol},
};

static void read_header(struct head *h, struct slice line)
{
	size_t colon = slice_find(line, slice_str(":"));
	struct slice name = slice_sub(line, 0, colon);

	/* neither folded lines nor a blank before the colon: RFC 9112,
	 * section 5.1 */
	if (colon == SIZE_MAX || !name.n || slice_trim(name).n != name.n) {
		h->is_bad = true;
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		if (slice_ieq(name, slice_str(headers[i].name)))
			headers[i].fn(h, slice_trim(slice_sub(line, colon + 1,
			                                      SIZE_MAX)));
	}
}

static bool is_word(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
			return false;
	}
	return s.n > 0;
}

static int read_request_line(struct edge_web_request *r, struct slice line)
{
	size_t at = slice_find(line, slice_str(" "));
	struct slice rest = slice_sub(line, at, SIZE_MAX);
	size_t end;

	rest = slice_sub(rest, 1, SIZE_MAX);
	end = slice_find(rest, slice_str(" "));
	if (at == SIZE_MAX || end == SIZE_MAX)
		return EBADMSG;
	r->method = slice_sub(line, 0, at);
	r->target = slice_sub(rest, 0, end);
	rest = slice_sub(rest, end + 1, SIZE_MAX);
	if (slice_eq_str(rest, "HTTP/1.1"))
		r->minor = 1;
	else if (!slice_eq_str(rest, "HTTP/1.0"))
		return EBADMSG;
	return is_word(r->method) && is_word(r->target) ? 0 : EBADMSG;
}

/* @return where the head ends, with its empty line; 0: not yet */
static size_t head_bytes(struct slice in)
{
	size_t at = slice_find(in, slice_str("\r\n\r\n"));

	return at == SIZE_MAX ? 0 : at + 4;
}

static int read_head(struct head *h, struct slice text)
{
	struct rd rd = rd_init(text);
	struct slice line = {0};
	size_t n = 0;
	int err;

	(void)rd_line(&rd, &line);
	err = read_request_line(h->r, line);
	while (!err && rd_line(&rd, &line) && line.n) {
		if (++n > HEADERS_MAX)
			return EMSGSIZE;
		read_header(h, line);
	}
	if (!err && (h->is_bad || (h->r->minor == 1 && !h->has_host)))
		err = EBADMSG;
	return err;
}

int edge_web_read(struct edge_web_request *r, size_t *n_bytes, struct slice in)
{
	struct edge_web_request got = {0};
	struct head h = {.r = &got};
	size_t n;
	int err;

	n = head_bytes(slice_sub(in, 0, EDGE_WEB_HEAD_MAX_BYTES));
	if (!n)
		return in.n < EDGE_WEB_HEAD_MAX_BYTES ? EAGAIN : EMSGSIZE;
	err = read_head(&h, slice_sub(in, 0, n));
	if (err)
		return err;
	if (h.is_chunked)
		return ENOTSUP;
	if (h.length > EDGE_WEB_BODY_MAX_BYTES)
		return EMSGSIZE;
	if (in.n - n < h.length)
		return EAGAIN;
	got.body = slice_sub(in, n, (size_t)h.length);
	got.wants_close |= got.minor == 0 && !h.keeps_alive;
	got.is_upgrade = h.has_connection_upgrade && h.has_websocket &&
	                 h.has_version && got.key.n == KEY_CHARS &&
	                 got.minor == 1 && slice_eq_str(got.method, "GET");
	*r = got;
	*n_bytes = n + (size_t)h.length;
	return 0;
}

static void put_date(struct wr *w, int64_t wall_ns)
{
	static const char days[][4] = {"Sun", "Mon", "Tue", "Wed",
	                               "Thu", "Fri", "Sat"};
	static const char months[][4] = {"Jan", "Feb", "Mar", "Apr",
	                                 "May", "Jun", "Jul", "Aug",
	                                 "Sep", "Oct", "Nov", "Dec"};
	time_t s = wall_ns / NS_PER_S;
	struct tm tm;

	/* strftime() would speak the user's language */
	if (!gmtime_r(&s, &tm))
		return;
	wr_fmt(w, "Date: %s, %02d %s %d %02d:%02d:%02d GMT\r\n",
	       days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
	       tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void put_status(struct wr *w, const struct edge_web_conf *conf,
                       const char *status, int64_t wall_ns)
{
	wr_fmt(w, "HTTP/1.1 %s\r\n", status);
	if (conf->name[0])
		wr_fmt(w, "Server: %s\r\n", conf->name);
	put_date(w, wall_ns);
}

static void put_answer(struct wr *w, const struct edge_web_request *r,
                       const char *type, struct slice body)
{
	wr_fmt(w, "Content-Type: %s\r\nContent-Length: %zu\r\n", type, body.n);
	wr_str(w, "Cache-Control: no-store, no-transform\r\n");
	if (!r || r->wants_close)
		wr_str(w, "Connection: close\r\n");
	else if (r->minor == 0)
		wr_str(w, "Connection: keep-alive\r\n");
	wr_str(w, "\r\n");
	if (!r || !slice_eq_str(r->method, "HEAD"))
		wr_put(w, body);
}

static enum edge_web_next after(const struct edge_web_request *r)
{
	return r->wants_close ? EDGE_WEB_CLOSE : EDGE_WEB_MORE;
}

static void put_pin(struct wr *w, const struct edge_web_conf *conf)
{
	text_hex_put(w, (struct slice){conf->sha256, sizeof(conf->sha256)});
	wr_str(w, "\n");
}

static void put_page(struct wr *w, const struct edge_web_conf *conf)
{
	wr_str(w, "prumo-edge\n"
	          "\n"
	          "This is the far end of \"prumo check\": a provider's "
	          "responder that answers,\nmirrors and measures. There is "
	          "nothing else here.\n"
	          "\n"
	          "certificate-sha256: ");
	put_pin(w, conf);
	wr_fmt(w, "certificate-issuer: %s\n", conf->issuer);
}

static void put_switch(struct wr *w, const struct edge_web_request *r,
                       const char *subprotocol)
{
	uint8_t digest[SHA1_BYTES] = {0};
	uint8_t text[KEY_CHARS + sizeof(WS_GUID)];
	struct wr t = wr_init(text, sizeof(text));

	wr_put(&t, r->key);
	wr_str(&t, WS_GUID);
	if (EVP_Digest(t.p, t.n, digest, NULL, EVP_sha1(), NULL) != 1)
		w->bad = true;
	wr_str(w, "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	          "Sec-WebSocket-Accept: ");
	text_base64_put(w, (struct slice){digest, sizeof(digest)}, 0);
	wr_fmt(w, "\r\nSec-WebSocket-Protocol: %s\r\n\r\n", subprotocol);
}

static enum edge_web_next upgrade(struct wr *w,
                                  const struct edge_web_conf *conf,
                                  const struct edge_web_request *r,
                                  int64_t wall_ns)
{
	struct slice rest = r->subprotocols, item;

	while (next_item(&item, &rest)) {
		bool is_sip = slice_eq_str(item, "sip");

		if (!is_sip && !slice_eq_str(item, "xmpp"))
			continue;
		put_status(w, conf, "101 Switching Protocols", wall_ns);
		put_switch(w, r, is_sip ? "sip" : "xmpp");
		return is_sip ? EDGE_WEB_SIP : EDGE_WEB_XMPP;
	}
	put_status(w, conf, "400 Bad Request", wall_ns);
	put_answer(w, r, "text/plain",
	           slice_str("The subprotocols here are sip and xmpp.\n"));
	return after(r);
}

static enum edge_web_next refuse(struct wr *w, const struct edge_web_conf *conf,
                                 const struct edge_web_request *r,
                                 const char *status, int64_t wall_ns)
{
	put_status(w, conf, status, wall_ns);
	if (slice_find(slice_str(status), slice_str("405")) == 0)
		wr_str(w, "Allow: GET, HEAD, OPTIONS, POST\r\n");
	put_answer(w, r, "text/plain", slice_str("Not here.\n"));
	return after(r);
}

static enum edge_web_next bosh(struct wr *w, const struct edge_web_conf *conf,
                               const struct edge_web_request *r,
                               int64_t wall_ns)
{
	uint8_t body[BODY_BYTES];
	struct wr b = wr_init(body, sizeof(body));

	if (edge_xmpp_bosh(&b, r->body) || b.bad)
		return refuse(w, conf, r, "400 Bad Request", wall_ns);
	put_status(w, conf, "200 OK", wall_ns);
	/* pages of other origins may ask: there is nothing to steal */
	wr_str(w, "Access-Control-Allow-Origin: *\r\n");
	put_answer(w, r, "text/xml; charset=utf-8", wr_slice(&b));
	return after(r);
}

static enum edge_web_next get(struct wr *w, const struct edge_web_conf *conf,
                              const struct edge_web_request *r, int64_t wall_ns)
{
	size_t query = slice_find(r->target, slice_str("?"));
	struct slice path = slice_sub(r->target, 0, query);
	uint8_t body[BODY_BYTES];
	struct wr b = wr_init(body, sizeof(body));

	if (slice_eq_str(path, "/"))
		put_page(&b, conf);
	else if (slice_eq_str(path, EDGE_WEB_PIN_PATH))
		put_pin(&b, conf);
	else
		return refuse(w, conf, r, "404 Not Found", wall_ns);
	put_status(w, conf, "200 OK", wall_ns);
	put_answer(w, r, "text/plain; charset=us-ascii", wr_slice(&b));
	return after(r);
}

enum edge_web_next edge_web_answer(struct wr *w,
                                   const struct edge_web_conf *conf,
                                   const struct edge_web_request *r,
                                   int64_t wall_ns)
{
	if (r->is_upgrade)
		return upgrade(w, conf, r, wall_ns);
	if (slice_eq_str(r->method, "GET") || slice_eq_str(r->method, "HEAD"))
		return get(w, conf, r, wall_ns);
	if (slice_eq_str(r->method, "POST") &&
	    (slice_eq_str(r->target, "/http-bind") ||
	     slice_eq_str(r->target, "/http-bind/")))
		return bosh(w, conf, r, wall_ns);
	if (slice_eq_str(r->method, "POST"))
		return refuse(w, conf, r, "404 Not Found", wall_ns);
	if (!slice_eq_str(r->method, "OPTIONS"))
		return refuse(w, conf, r, "405 Method Not Allowed", wall_ns);
	put_status(w, conf, "204 No Content", wall_ns);
	wr_str(w, "Allow: GET, HEAD, OPTIONS, POST\r\n"
	          "Access-Control-Allow-Origin: *\r\n"
	          "Access-Control-Allow-Headers: content-type\r\n");
	wr_str(w, r->wants_close ? "Connection: close\r\n\r\n" : "\r\n");
	return after(r);
}

void edge_web_refuse(struct wr *w, const struct edge_web_conf *conf, int err,
                     int64_t wall_ns)
{
	const char *status = "400 Bad Request";

	if (err == EMSGSIZE)
		status = "413 Content Too Large";
	else if (err == ENOTSUP)
		status = "411 Length Required";
	put_status(w, conf, status, wall_ns);
	put_answer(w, NULL, "text/plain", slice_str("Not understood.\n"));
}
