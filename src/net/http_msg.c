/* SPDX-License-Identifier: ISC */
/*
 * Design: a decoder of its own rather than libre's, which copies the head
 * into a buffer for each message, takes any status text for a number, and
 * does not hand out its chunk decoder. It reads all bytes so far again each
 * time more come; the bounds keep that small.
 */
#include "net/http.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

enum {
	MAX_CHUNK_DIGITS = 8,
	STATUS_LINE_MIN = 12, /* "HTTP/1.1 200" */
	STATUS_AT = 9,
	STATUS_DIGITS = 3,
};

/* The bytes of `in` up to and with an empty line. */
static int find_head(struct slice *head, struct slice in)
{
	static const struct slice ends[] = {{(const uint8_t *)"\r\n\r\n", 4},
	                                    {(const uint8_t *)"\n\n", 2}};
	size_t n = SIZE_MAX;

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		size_t at = slice_find(slice_sub(in, 0, NET_HTTP_HEAD_BYTES),
		                       ends[i]);

		if (at != SIZE_MAX && at + ends[i].n < n)
			n = at + ends[i].n;
	}
	if (n == SIZE_MAX)
		return in.n >= NET_HTTP_HEAD_BYTES ? EMSGSIZE : EAGAIN;
	*head = slice_sub(in, 0, n);
	return 0;
}

static int read_status(struct net_http_msg *m, struct slice line)
{
	static const char version[] = "HTTP/1.";
	struct slice rest;
	uint64_t status;

	if (line.n < STATUS_LINE_MIN ||
	    !slice_eq_str(slice_sub(line, 0, sizeof(version) - 1), version) ||
	    line.p[sizeof(version) - 1] < '0' ||
	    line.p[sizeof(version) - 1] > '9' || line.p[STATUS_AT - 1] != ' ' ||
	    text_u64(&status, slice_sub(line, STATUS_AT, STATUS_DIGITS), 999) ||
	    status < 100)
		return EBADMSG;
	rest = slice_sub(line, STATUS_LINE_MIN, SIZE_MAX);
	if (rest.n && rest.p[0] != ' ')
		return EBADMSG;
	m->minor = (unsigned)(line.p[sizeof(version) - 1] - '0');
	m->status = (unsigned)status;
	m->reason = slice_trim(rest);
	return 0;
}

static int read_header(struct net_http_msg *m, struct slice line)
{
	size_t colon = slice_find(line, slice_str(":"));
	struct slice name = slice_sub(line, 0, colon);

	/* a blank before the colon, or a folded line: RFC 9112 section 5 */
	if (colon == SIZE_MAX || name.n == 0 || slice_trim(name).n != name.n)
		return EBADMSG;
	if (m->n_headers == NET_HTTP_HEADERS_MAX)
		return EMSGSIZE;
	m->headers[m->n_headers++] = (struct net_http_header){
		name, slice_trim(slice_sub(line, colon + 1, SIZE_MAX))};
	return 0;
}

/* It can no longer become HTTP: no need to wait for an empty line. */
static bool is_foreign(struct slice in)
{
	struct slice start = slice_str("HTTP/1.");
	size_t n = in.n < start.n ? in.n : start.n;

	return n && memcmp(in.p, start.p, n) != 0;
}

int net_http_decode(struct net_http_msg *out, struct slice in)
{
	struct net_http_msg m = {0};
	struct slice head, line = {0};
	struct rd r;
	int err;

	if (is_foreign(in))
		return EBADMSG;
	err = find_head(&head, in);
	if (err)
		return err;
	m.head_bytes = head.n;
	r = rd_init(head);
	if (!rd_line(&r, &line))
		return EBADMSG;
	err = read_status(&m, line);
	while (!err && rd_line(&r, &line) && line.n)
		err = read_header(&m, line);
	if (!err)
		*out = m;
	return err;
}

struct slice net_http_header(const struct net_http_msg *m, const char *name)
{
	for (size_t i = 0; i < m->n_headers; i++) {
		if (slice_ieq(m->headers[i].name, slice_str(name)))
			return m->headers[i].value;
	}
	return (struct slice){0};
}

static void take(struct wr *body, struct slice s)
{
	wr_put(body, slice_sub(s, 0, NET_HTTP_BODY_BYTES - body->n));
}

static int more(bool over)
{
	return over ? ECONNRESET : EAGAIN;
}

/* "1a2b;extension" */
static int read_chunk_size(uint64_t *size, struct slice line)
{
	struct slice digits = slice_trim(
		slice_sub(line, 0, slice_find(line, slice_str(";"))));
	uint64_t v = 0;

	if (digits.n == 0 || digits.n > MAX_CHUNK_DIGITS)
		return EBADMSG;
	for (size_t i = 0; i < digits.n; i++) {
		uint8_t c = digits.p[i] | 0x20;

		if (digits.p[i] >= '0' && digits.p[i] <= '9')
			v = v * 16 + (uint64_t)(digits.p[i] - '0');
		else if (c >= 'a' && c <= 'f')
			v = v * 16 + (uint64_t)(c - 'a' + 10);
		else
			return EBADMSG;
	}
	*size = v;
	return 0;
}

/* One line that has come whole, its line end too. */
static bool whole_line(struct rd *r, struct slice *line)
{
	struct slice rest = {r->p, r->left};

	return slice_find(rest, slice_str("\n")) != SIZE_MAX &&
	       rd_line(r, line);
}

static int read_chunks(struct wr *body, struct slice in, bool over)
{
	struct rd r = rd_init(in);
	struct slice line = {0};
	uint64_t size;

	while (body->n < NET_HTTP_BODY_BYTES) {
		if (!whole_line(&r, &line))
			return r.left > NET_HTTP_HEAD_BYTES ? EBADMSG
			                                    : more(over);
		if (read_chunk_size(&size, line))
			return EBADMSG;
		if (size == 0)
			return 0; /* trailers are of no interest */
		if (size > r.left) {
			take(body, rd_take(&r, r.left));
			return body->n == NET_HTTP_BODY_BYTES ? 0 : more(over);
		}
		take(body, rd_take(&r, (size_t)size));
		if (!whole_line(&r, &line))
			return r.left > 1 ? EBADMSG : more(over);
		if (line.n)
			return EBADMSG;
	}
	return 0;
}

int net_http_body(struct wr *body, const struct net_http_msg *m,
                  struct slice in, bool over)
{
	struct slice coding = net_http_header(m, "Transfer-Encoding");
	struct slice length = net_http_header(m, "Content-Length");
	uint64_t n;
	int err = 0;

	if (m->status < 200 || m->status == 204 || m->status == 304)
		return 0;
	if (coding.n) {
		if (!slice_ieq(coding, slice_str("chunked")))
			return EBADMSG;
		err = read_chunks(body, in, over);
	} else if (length.n) {
		if (text_u64(&n, length, INT64_MAX))
			return EBADMSG;
		if (n > in.n && in.n < NET_HTTP_BODY_BYTES)
			err = more(over);
		take(body, slice_sub(in, 0, n < in.n ? (size_t)n : in.n));
	} else {
		take(body, in);
		if (!over && body->n < NET_HTTP_BODY_BYTES)
			err = EAGAIN;
	}
	return body->bad ? ENOMEM : err;
}

static int two_digits(unsigned *v, struct slice text, size_t at)
{
	uint64_t n;

	if (text_u64(&n, slice_sub(text, at, 2), 99))
		return EBADMSG;
	*v = (unsigned)n;
	return 0;
}

static int read_month(unsigned *month, struct slice text)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (unsigned i = 0; i < 12; i++) {
		if (memcmp(text.p, names + (size_t)i * 3, 3) == 0) {
			*month = i + 1;
			return 0;
		}
	}
	return EBADMSG;
}

/* Days since 1970 of the proleptic Gregorian calendar. */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
	static const unsigned before[] = {0,   31,  59,  90,  120, 151,
	                                  181, 212, 243, 273, 304, 334};
	const bool is_leap =
		(year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	const int64_t y = year - 1;
	int64_t days = y * 365 + y / 4 - y / 100 + y / 400;

	days += before[month - 1] + day - 1 + (is_leap && month > 2);
	return days - 719162;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT": every part has its place. */
int net_http_date(int64_t *s, struct slice text)
{
	enum {
		DAY_AT = 5,
		MONTH_AT = 8,
		YEAR_AT = 12,
		HOUR_AT = 17,
		MINUTE_AT = 20,
		SECOND_AT = 23,
		DATE_BYTES = 29,
		DAY_S = 86400,
		HOUR_S = 3600,
		MINUTE_S = 60,
	};
	unsigned day, month, hour, minute, second;
	uint64_t year;

	if (text.n != DATE_BYTES || text.p[3] != ',' || text.p[4] != ' ' ||
	    text.p[7] != ' ' || text.p[11] != ' ' || text.p[16] != ' ' ||
	    text.p[19] != ':' || text.p[22] != ':' ||
	    !slice_eq_str(slice_sub(text, 25, SIZE_MAX), " GMT") ||
	    two_digits(&day, text, DAY_AT) ||
	    read_month(&month, slice_sub(text, MONTH_AT, 3)) ||
	    text_u64(&year, slice_sub(text, YEAR_AT, 4), 9999) ||
	    two_digits(&hour, text, HOUR_AT) ||
	    two_digits(&minute, text, MINUTE_AT) ||
	    two_digits(&second, text, SECOND_AT))
		return EBADMSG;
	if (year < 1970 || day < 1 || day > 31 || hour > 23 || minute > 59 ||
	    second > 60)
		return EBADMSG;
	*s = days_of((int64_t)year, month, day) * DAY_S +
	     (int64_t)hour * HOUR_S + (int64_t)minute * MINUTE_S + second;
	return 0;
}
