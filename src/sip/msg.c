/* SPDX-License-Identifier: ISC */
/*
 * Design: one pass cuts the bytes into lines and lines into fields; nothing
 * is decoded until somebody asks. A lone LF or CR ends a line too, since
 * boxes that edit text lose one half of a CRLF, and to see that is the
 * purpose; the kind of ending is kept, so no byte goes unaccounted: start
 * line, fields (when not more than the limit), blank line and body, laid
 * end to end, are the input.
 */
#include "sip/msg.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

enum {
	MAX_FIRST_WORD = 64,    /**< no method is as long */
	MAX_START_BYTES = 8192, /**< no start line is as long */
	VERSION_CHARS = 7,      /**< "SIP/2.0" */
};

static const struct hdr_name {
	const char *name;
	char compact;
} hdr_names[SIP_HDR_COUNT] = {
	[SIP_HDR_OTHER] = {"", 0},
	[SIP_HDR_ACCEPT_CONTACT] = {"Accept-Contact", 'a'},
	[SIP_HDR_ALLOW] = {"Allow", 0},
	[SIP_HDR_ALLOW_EVENTS] = {"Allow-Events", 'u'},
	[SIP_HDR_AUTHORIZATION] = {"Authorization", 0},
	[SIP_HDR_CALL_ID] = {"Call-ID", 'i'},
	[SIP_HDR_CONTACT] = {"Contact", 'm'},
	[SIP_HDR_CONTENT_ENCODING] = {"Content-Encoding", 'e'},
	[SIP_HDR_CONTENT_LENGTH] = {"Content-Length", 'l'},
	[SIP_HDR_CONTENT_TYPE] = {"Content-Type", 'c'},
	[SIP_HDR_CSEQ] = {"CSeq", 0},
	[SIP_HDR_EVENT] = {"Event", 'o'},
	[SIP_HDR_EXPIRES] = {"Expires", 0},
	[SIP_HDR_FROM] = {"From", 'f'},
	[SIP_HDR_IDENTITY] = {"Identity", 'y'},
	[SIP_HDR_MAX_FORWARDS] = {"Max-Forwards", 0},
	[SIP_HDR_P_ASSERTED_IDENTITY] = {"P-Asserted-Identity", 0},
	[SIP_HDR_PATH] = {"Path", 0},
	[SIP_HDR_RECORD_ROUTE] = {"Record-Route", 0},
	[SIP_HDR_REFER_TO] = {"Refer-To", 'r'},
	[SIP_HDR_REFERRED_BY] = {"Referred-By", 'b'},
	[SIP_HDR_REJECT_CONTACT] = {"Reject-Contact", 'j'},
	[SIP_HDR_REQUEST_DISPOSITION] = {"Request-Disposition", 'd'},
	[SIP_HDR_ROUTE] = {"Route", 0},
	[SIP_HDR_SESSION_EXPIRES] = {"Session-Expires", 'x'},
	[SIP_HDR_SUBJECT] = {"Subject", 's'},
	[SIP_HDR_SUPPORTED] = {"Supported", 'k'},
	[SIP_HDR_TO] = {"To", 't'},
	[SIP_HDR_USER_AGENT] = {"User-Agent", 0},
	[SIP_HDR_VIA] = {"Via", 'v'},
};

const char *sip_hdr_name(enum sip_hdr id)
{
	return hdr_names[id].name;
}

enum sip_hdr sip_hdr_id(struct slice name)
{
	for (unsigned i = 1; i < SIP_HDR_COUNT; i++) {
		const struct hdr_name *h = &hdr_names[i];

		if (slice_ieq(name, slice_str(h->name)))
			return (enum sip_hdr)i;
		if (h->compact && name.n == 1 &&
		    (name.p[0] | 0x20) == h->compact)
			return (enum sip_hdr)i;
	}
	return SIP_HDR_OTHER;
}

static bool is_token_char(uint8_t c)
{
	if ((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
		return true;
	return c != '\0' && strchr("-.!%*_+`'~", c);
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static bool has_nul(struct slice s)
{
	return s.n && memchr(s.p, '\0', s.n);
}

/** One line: all of it, and without its ending. */
struct line {
	struct slice raw;
	struct slice text;
	enum sip_eol eol;
};

static bool take_line(struct line *l, struct rd *r)
{
	struct rd was = *r;

	if (!rd_line(r, &l->text))
		return false;
	l->raw = rd_take(&was, was.left - r->left);
	if (l->raw.n == l->text.n)
		l->eol = SIP_EOL_NONE;
	else if (l->raw.n == l->text.n + 2)
		l->eol = SIP_EOL_CRLF;
	else
		l->eol = l->raw.p[l->text.n] == '\n' ? SIP_EOL_LF : SIP_EOL_CR;
	return true;
}

static void read_value(struct sip_field *f, struct slice rest)
{
	f->value = slice_trim(rest);
	if (f->value.n == 0)
		return;
	if (rest.p[0] != ' ' || f->value.p != rest.p + 1)
		f->odd |= SIP_ODD_VALUE_SPACE;
	if (is_blank(rest.p[rest.n - 1]))
		f->odd |= SIP_ODD_TAIL_SPACE;
}

/** Decode a field whose `raw`, `eol` and `is_folded` are set. */
static void read_field(struct sip_field *f)
{
	static const uint8_t eol_bytes[] = {
		[SIP_EOL_CRLF] = 2, [SIP_EOL_LF] = 1, [SIP_EOL_CR] = 1};
	struct slice text = slice_sub(f->raw, 0, f->raw.n - eol_bytes[f->eol]);
	size_t colon = slice_find(text, slice_str(":"));

	if (has_nul(f->raw))
		f->odd |= SIP_ODD_NUL;
	if (colon == SIZE_MAX) {
		f->odd |= SIP_ODD_NO_COLON;
		f->value = slice_trim(text);
		return;
	}
	f->name = slice_trim(slice_sub(text, 0, colon));
	if (f->name.n == 0)
		f->odd |= SIP_ODD_EMPTY_NAME;
	else if (is_blank(text.p[colon - 1]))
		f->odd |= SIP_ODD_COLON_SPACE;
	for (size_t i = 0; i < f->name.n; i++) {
		if (!is_token_char(f->name.p[i]))
			f->odd |= SIP_ODD_NAME_CHAR;
	}
	f->id = sip_hdr_id(f->name);
	f->is_compact = f->id != SIP_HDR_OTHER && f->name.n == 1;
	read_value(f, slice_sub(text, colon + 1, SIZE_MAX));
}

static void add_line(struct sip_msg *m, const struct line *l)
{
	struct sip_field *f;
	unsigned odd = 0;

	if (l->eol != SIP_EOL_CRLF)
		odd = SIP_ODD_EOL;
	if (is_blank(l->text.p[0]) && (m->n_fields || m->n_more)) {
		if (m->n_more)
			return;
		f = &m->fields[m->n_fields - 1];
		f->raw.n += l->raw.n;
		f->is_folded = true;
	} else if (m->n_fields == SIP_MSG_MAX_FIELDS) {
		m->n_more++;
		return;
	} else {
		f = &m->fields[m->n_fields++];
		f->raw = l->raw;
	}
	f->eol = l->eol;
	f->odd |= odd;
}

static void read_start(struct sip_msg *m, struct rd *r)
{
	struct rd was = *r;
	struct line l;

	while (take_line(&l, r)) {
		if (l.text.n == 0)
			continue;
		m->start = l.text;
		m->start_eol = l.eol;
		if (l.eol != SIP_EOL_CRLF)
			m->odd |= SIP_ODD_EOL;
		if (has_nul(l.text))
			m->odd |= SIP_ODD_NUL;
		break;
	}
	m->start_raw = rd_take(&was, was.left - r->left);
}

void sip_msg_read(struct sip_msg *m, struct slice in)
{
	struct rd r = rd_init(in);
	struct line l;

	memset(m, 0, sizeof(*m));
	m->raw = in;
	read_start(m, &r);
	while (take_line(&l, &r)) {
		if (l.text.n == 0) {
			m->blank = l.raw;
			if (l.eol != SIP_EOL_CRLF)
				m->odd |= SIP_ODD_EOL;
			m->body = rd_take(&r, r.left);
			break;
		}
		add_line(m, &l);
	}
	for (size_t i = 0; i < m->n_fields; i++) {
		read_field(&m->fields[i]);
		m->odd |= m->fields[i].odd;
	}
}

static bool is_version(struct slice s)
{
	return slice_ieq(s, slice_str("SIP/2.0"));
}

unsigned sip_msg_status(const struct sip_msg *m)
{
	uint64_t v;

	if (!is_version(slice_sub(m->start, 0, VERSION_CHARS)) ||
	    m->start.n < VERSION_CHARS + 4 || m->start.p[VERSION_CHARS] != ' ')
		return 0;
	if (m->start.n > VERSION_CHARS + 4 &&
	    m->start.p[VERSION_CHARS + 4] != ' ')
		return 0;
	if (text_u64(&v, slice_sub(m->start, VERSION_CHARS + 1, 3), 699) ||
	    v < 100)
		return 0;
	return (unsigned)v;
}

/** Cut "METHOD uri SIP/2.0". The URI is what lies between the outer words,
 *  for one that has a blank in it is the sort of thing to look at. */
static bool request_parts(struct slice *method, struct slice *uri,
                          struct slice start)
{
	size_t first = slice_find(start, slice_str(" "));
	size_t last = start.n;

	while (last > 0 && start.p[last - 1] != ' ')
		last--;
	if (first == SIZE_MAX || first == 0 || last <= first + 1)
		return false;
	if (!is_version(slice_sub(start, last, SIZE_MAX)))
		return false;
	for (size_t i = 0; i < first; i++) {
		if (!is_token_char(start.p[i]))
			return false;
	}
	*method = slice_sub(start, 0, first);
	*uri = slice_trim(slice_sub(start, first, last - first));
	return uri->n > 0;
}

bool sip_msg_is_request(const struct sip_msg *m)
{
	struct slice method, uri;

	return request_parts(&method, &uri, m->start);
}

struct slice sip_msg_method(const struct sip_msg *m)
{
	struct slice method, uri;

	if (!request_parts(&method, &uri, m->start))
		return (struct slice){0};
	return method;
}

struct slice sip_msg_uri(const struct sip_msg *m)
{
	struct slice method, uri;

	if (!request_parts(&method, &uri, m->start))
		return (struct slice){0};
	return uri;
}

const struct sip_field *sip_msg_field(const struct sip_msg *m, enum sip_hdr id,
                                      size_t nth)
{
	for (size_t i = 0; i < m->n_fields; i++) {
		if (m->fields[i].id == id && nth-- == 0)
			return &m->fields[i];
	}
	return NULL;
}

const struct sip_field *sip_msg_named(const struct sip_msg *m,
                                      struct slice name, size_t nth)
{
	enum sip_hdr id = sip_hdr_id(name);

	if (id != SIP_HDR_OTHER)
		return sip_msg_field(m, id, nth);
	for (size_t i = 0; i < m->n_fields; i++) {
		if (slice_ieq(m->fields[i].name, name) && nth-- == 0)
			return &m->fields[i];
	}
	return NULL;
}

struct slice sip_msg_value(const struct sip_msg *m, enum sip_hdr id)
{
	const struct sip_field *f = sip_msg_field(m, id, 0);

	return f ? f->value : (struct slice){0};
}

bool sip_field_same_name(const struct sip_field *a, const struct sip_field *b)
{
	if (a->id != b->id)
		return false;
	return a->id != SIP_HDR_OTHER || slice_ieq(a->name, b->name);
}

int sip_msg_content_length(uint64_t *n, const struct sip_msg *m)
{
	const struct sip_field *f = sip_msg_field(m, SIP_HDR_CONTENT_LENGTH, 0);

	if (!f)
		return ENOENT;
	return text_u64(n, f->value, UINT32_MAX);
}

struct slice sip_msg_declared_body(const struct sip_msg *m)
{
	uint64_t n;

	if (sip_msg_content_length(&n, m))
		return m->body;
	return slice_sub(m->body, 0, (size_t)n);
}

/** Can these be the first bytes of a start line? */
static bool may_be_start(struct slice in)
{
	size_t n = 0;

	while (n < in.n && n < MAX_FIRST_WORD && in.p[n] != ' ') {
		if (!is_token_char(in.p[n]) && in.p[n] != '/')
			return false;
		n++;
	}
	return n > 0 && n < MAX_FIRST_WORD;
}

/** What a stream that starts with CR holds. */
static enum sip_frame blank_frame(size_t *n, struct slice in)
{
	if (in.n == 1)
		return SIP_FRAME_MORE;
	if (in.p[1] != '\n')
		return SIP_FRAME_BAD;
	if (in.n == 3 && in.p[2] == '\r')
		return SIP_FRAME_MORE;
	if (in.n >= 4 && memcmp(in.p + 2, "\r\n", 2) == 0) {
		*n = 4;
		return SIP_FRAME_PING;
	}
	*n = 2;
	return SIP_FRAME_PONG;
}

/** Is the blank line there, and surely whole? A CR at the very end may be
 *  half of a CRLF. */
static bool is_head_whole(const struct sip_msg *m)
{
	return m->blank.n && (m->body.n || m->blank.p[m->blank.n - 1] == '\n');
}

enum sip_frame sip_stream_len(size_t *n, struct slice in)
{
	struct sip_msg m;
	uint64_t body = 0;
	size_t head;

	if (in.n == 0)
		return SIP_FRAME_MORE;
	if (in.p[0] == '\r')
		return blank_frame(n, in);
	if (!may_be_start(in))
		return SIP_FRAME_BAD;
	sip_msg_read(&m, slice_sub(in, 0, SIP_STREAM_MAX_BYTES));
	if (m.start_raw.n > MAX_START_BYTES)
		return SIP_FRAME_BAD;
	if (m.start_eol != SIP_EOL_NONE && !sip_msg_status(&m) &&
	    !sip_msg_is_request(&m))
		return SIP_FRAME_BAD;
	if (!is_head_whole(&m)) {
		if (in.n < SIP_STREAM_MAX_BYTES)
			return SIP_FRAME_MORE;
		return SIP_FRAME_BAD;
	}
	if (sip_msg_content_length(&body, &m) == EBADMSG)
		return SIP_FRAME_BAD;
	head = m.raw.n - m.body.n;
	if (body > SIP_STREAM_MAX_BYTES - head)
		return SIP_FRAME_BAD;
	if (head + (size_t)body > in.n)
		return SIP_FRAME_MORE;
	*n = head + (size_t)body;
	return SIP_FRAME_MSG;
}
