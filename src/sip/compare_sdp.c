/* SPDX-License-Identifier: ISC */
/*
 * Design: two cursors walk the lines side by side. Where they disagree, the
 * nearer of "this line comes later there" and "that line comes later here"
 * decides what was added or removed, looking ahead a bounded way; SDP has
 * its order fixed (RFC 8866, section 5), so no box shuffles it.
 */
#include "sip/compare.h"
#include "sip/sdp.h"

#include "base/text.h"

enum {
	MAX_LINES = 256,
	LOOK_AHEAD = 32,
};

struct lines {
	struct sip_sdp_line v[MAX_LINES];
	size_t n;
	bool has_more;
};

static void read_lines(struct lines *out, struct slice body)
{
	struct rd r = rd_init(body);
	struct sip_sdp_line l;

	out->n = 0;
	out->has_more = false;
	while (sip_sdp_next(&l, &r)) {
		if (out->n == MAX_LINES) {
			out->has_more = true;
			return;
		}
		out->v[out->n++] = l;
	}
}

/** "a=rtcp", "m=audio", "c=": what lines of one kind start with. */
static struct slice line_key(const struct sip_sdp_line *l)
{
	size_t n = 0;

	if (l->type == 'm')
		n = sip_sdp_word(l->value, 0).n;
	else if (l->type == 'a')
		n = slice_find(l->value, slice_str(":"));
	if (n > l->value.n)
		n = l->value.n;
	return slice_sub(l->text, 0, l->type ? n + 2 : l->text.n);
}

static void name_line(struct sip_edits *e, const struct sip_sdp_line *l)
{
	char buf[SIP_EDIT_FIELD_BYTES];
	struct wr w = wr_init(buf, sizeof(buf));

	wr_str(&w, "SDP ");
	wr_put(&w, slice_sub(line_key(l), 0, sizeof(buf) - 8));
	sip_edits_field(e, wr_slice(&w), 1);
	e->field[3] = ' ';
}

/** Which word of the line is a port, or SIZE_MAX. */
static size_t port_word(const struct sip_sdp_line *l)
{
	struct slice key = line_key(l);

	if (l->type == 'm')
		return 1;
	if (slice_eq_str(key, "a=rtcp"))
		return 0;
	if (slice_eq_str(key, "a=candidate"))
		return 5;
	return SIZE_MAX;
}

static struct slice port_part(struct slice word)
{
	size_t colon = slice_find(word, slice_str(":"));

	return slice_sub(word, colon == SIZE_MAX ? 0 : colon + 1, SIZE_MAX);
}

static enum sip_edit_class port_class(struct slice port)
{
	uint64_t v;

	/* a port of 0 refuses a stream: well formed (RFC 3264, section 6) */
	if (text_u64(&v, port, UINT64_MAX))
		return SIP_EDIT_VALUE_CHANGED;
	if (v > UINT16_MAX)
		return SIP_EDIT_PORT_OUT_OF_RANGE;
	return SIP_EDIT_PORT_REWRITTEN;
}

static enum sip_edit_class word_class(const struct sip_sdp_line *l, size_t i,
                                      struct slice a, struct slice b)
{
	struct addr was, is;

	if (i == port_word(l))
		return port_class(port_part(b));
	if (!addr_parse(&was, a) && !addr_parse(&is, b))
		return SIP_EDIT_ADDRESS_REWRITTEN;
	return SIP_EDIT_VALUE_CHANGED;
}

static void compare_line(struct sip_edits *e, const struct sip_sdp_line *a,
                         const struct sip_sdp_line *b)
{
	bool has_class[SIP_EDIT_CLASSES] = {false};
	size_t n_before = sip_edits_count(e);

	if (slice_eq(a->raw, b->raw))
		return;
	name_line(e, a);
	for (size_t i = 0; i < MAX_LINES && !slice_eq(a->text, b->text); i++) {
		struct slice x = sip_sdp_word(a->value, i);
		struct slice y = sip_sdp_word(b->value, i);
		enum sip_edit_class cls;

		if (x.n == 0 && y.n == 0)
			break;
		if (slice_eq(x, y))
			continue;
		cls = word_class(a, i, x, y);
		if (!has_class[cls])
			sip_edits_add(e, cls, a->text, b->text);
		has_class[cls] = true;
	}
	if (a->eol != b->eol)
		sip_edits_add(e, SIP_EDIT_LINE_ENDING_CHANGED, a->raw, b->raw);
	if (sip_edits_count(e) == n_before)
		sip_edits_add(e, SIP_EDIT_WHITESPACE_CHANGED, a->text, b->text);
}

/** How far from @p from on there is a line like @p l, or SIZE_MAX. */
static size_t look_ahead(const struct lines *in, size_t from,
                         const struct sip_sdp_line *l, bool is_exact)
{
	struct slice key = is_exact ? l->text : line_key(l);

	for (size_t i = from; i < in->n && i - from < LOOK_AHEAD; i++) {
		const struct sip_sdp_line *x = &in->v[i];

		if (slice_eq(is_exact ? x->text : line_key(x), key))
			return i - from;
	}
	return SIZE_MAX;
}

/** How many lines of @p in to skip until it fits @p l: an equal line far
 *  away beats one of the same kind, unless that one is next. */
static size_t skips(const struct lines *in, size_t from,
                    const struct sip_sdp_line *l)
{
	size_t exact = look_ahead(in, from, l, true);

	return exact != SIZE_MAX ? exact : look_ahead(in, from, l, false);
}

static void removed(struct sip_edits *e, const struct sip_sdp_line *l)
{
	name_line(e, l);
	sip_edits_add(e, SIP_EDIT_SDP_LINE_REMOVED, l->text, (struct slice){0});
}

static void added(struct sip_edits *e, const struct sip_sdp_line *l)
{
	name_line(e, l);
	sip_edits_add(e, SIP_EDIT_SDP_LINE_ADDED, (struct slice){0}, l->text);
}

static void compare_lines(struct sip_edits *e, const struct lines *a,
                          const struct lines *b)
{
	size_t i = 0, j = 0, to_a, to_b;

	while (i < a->n && j < b->n) {
		to_b = skips(b, j, &a->v[i]);
		to_a = skips(a, i, &b->v[j]);
		if (to_b == 0 && to_a == 0) {
			e->anchor = (size_t)(a->v[i].raw.p + a->v[i].raw.n -
			                     e->sent.p);
			compare_line(e, &a->v[i++], &b->v[j++]);
		} else if (to_b == 0 || to_b == SIZE_MAX ||
		           (to_a > 0 && to_a < to_b)) {
			removed(e, &a->v[i++]);
		} else {
			added(e, &b->v[j++]);
		}
	}
	while (i < a->n)
		removed(e, &a->v[i++]);
	while (j < b->n)
		added(e, &b->v[j++]);
}

void sip_compare_sdp(struct sip_edits *e, struct slice a, struct slice b)
{
	struct lines was, is;

	read_lines(&was, a);
	read_lines(&is, b);
	if (was.has_more || is.has_more) {
		sip_edits_field(e, slice_str("body"), 1);
		sip_edits_add(e, SIP_EDIT_BODY_CHANGED, a, b);
		return;
	}
	compare_lines(e, &was, &is);
}
