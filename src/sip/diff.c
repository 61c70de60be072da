/* SPDX-License-Identifier: ISC */
/*
 * Design: fields are matched by name, first those whose value is the same,
 * then Via by branch, then what is left in order; a box that adds a Via or
 * Record-Route puts it on top, so those are matched from the bottom. Order
 * is judged apart, by the longest run of matched fields that kept it: the
 * fields outside of that run are the ones that moved.
 *
 * Refused: a byte or line LCS over the message. It is quadratic in what the
 * other side sends, and its edits are not the ones a technician would name.
 *
 * Whatever a comparison fails to explain is still noted, by a plain
 * value-changed: no two different inputs may look equal.
 */
#include "sip/diff.h"

#include <errno.h>
#include <string.h>

#include "sip/compare.h"

enum {
	NO_MATCH = SIP_MSG_MAX_FIELDS,
};

struct pairing {
	struct sip_msg a, b;
	size_t to_b[SIP_MSG_MAX_FIELDS]; /**< NO_MATCH: removed */
	size_t to_a[SIP_MSG_MAX_FIELDS]; /**< NO_MATCH: added */
	/** where a lost line end glued the next field on; SIZE_MAX: nowhere */
	size_t glue[SIP_MSG_MAX_FIELDS];
	size_t start_glue;
};

static const struct slice nothing;

static size_t offset(const struct sip_edits *e, struct slice s)
{
	return (size_t)(s.p - e->sent.p);
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_word(uint8_t c)
{
	return (c >= '0' && c <= '9') ||
	       ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool is_same_byte(uint8_t a, uint8_t b, bool minds_case)
{
	struct slice x = {&a, 1}, y = {&b, 1};

	return minds_case ? a == b : slice_ieq(x, y);
}

/** Equal but for blanks, as long as no two words join or part. */
static bool is_same_text(struct slice a, struct slice b, bool minds_case)
{
	size_t i = 0, j = 0;

	for (;;) {
		size_t was_i = i, was_j = j;

		while (i < a.n && is_blank(a.p[i]))
			i++;
		while (j < b.n && is_blank(b.p[j]))
			j++;
		if (i == a.n || j == b.n)
			return i == a.n && j == b.n;
		if ((i > was_i) != (j > was_j) && was_i > 0 &&
		    is_word(a.p[i]) && is_word(a.p[was_i - 1]))
			return false;
		if (!is_same_byte(a.p[i++], b.p[j++], minds_case))
			return false;
	}
}

static bool is_list(enum sip_hdr id)
{
	return id == SIP_HDR_VIA || id == SIP_HDR_CONTACT ||
	       id == SIP_HDR_ROUTE || id == SIP_HDR_RECORD_ROUTE ||
	       id == SIP_HDR_PATH || id == SIP_HDR_P_ASSERTED_IDENTITY;
}

static bool is_stacked(enum sip_hdr id)
{
	return id == SIP_HDR_VIA || id == SIP_HDR_RECORD_ROUTE;
}

static size_t count_items(const struct sip_field *f)
{
	struct slice rest = f->value, item;
	size_t n = 0;

	if (!is_list(f->id))
		return 1;
	while (sip_list_next(&item, &rest))
		n++;
	return n;
}

/** The number, from 1, of the first item of field @p i among its name. */
static size_t first_nth(const struct sip_msg *m, size_t i)
{
	size_t nth = 1;

	for (size_t k = 0; k < i; k++) {
		if (sip_field_same_name(&m->fields[k], &m->fields[i]))
			nth += count_items(&m->fields[k]);
	}
	return nth;
}

static void name_field(struct sip_edits *e, const struct sip_field *f,
                       size_t nth)
{
	if (f->odd & SIP_ODD_NO_COLON)
		sip_edits_field(e, slice_str("message"), 1);
	else if (f->id != SIP_HDR_OTHER)
		sip_edits_field(e, slice_str(sip_hdr_name(f->id)), nth);
	else
		sip_edits_field(e, f->name, nth);
}

/* Matching. */

static bool is_same_branch(const struct sip_field *a, const struct sip_field *b)
{
	struct slice rest_a = a->value, rest_b = b->value, x, y;
	struct sip_via via_a, via_b;

	if (a->id != SIP_HDR_VIA || !sip_list_next(&x, &rest_a) ||
	    !sip_list_next(&y, &rest_b))
		return false;
	return !sip_via_read(&via_a, x) && !sip_via_read(&via_b, y) &&
	       sip_param_find(&x, via_a.params, "branch") &&
	       sip_param_find(&y, via_b.params, "branch") && slice_eq(x, y);
}

static bool is_same_value(const struct sip_field *a, const struct sip_field *b)
{
	return slice_eq(a->value, b->value);
}

static bool is_any(const struct sip_field *a, const struct sip_field *b)
{
	/* lines without a name have nothing else in common */
	return a->name.n > 0 && b->name.n > 0;
}

static bool is_match(const struct pairing *p, size_t i, size_t j,
                     bool (*fits)(const struct sip_field *,
                                  const struct sip_field *))
{
	const struct sip_field *a = &p->a.fields[i], *b = &p->b.fields[j];

	return p->to_a[j] == NO_MATCH && sip_field_same_name(a, b) &&
	       fits(a, b);
}

static void match_one(struct pairing *p, size_t i, bool from_end,
                      bool (*fits)(const struct sip_field *,
                                   const struct sip_field *))
{
	for (size_t k = 0; k < p->b.n_fields; k++) {
		size_t j = from_end ? p->b.n_fields - 1 - k : k;

		if (!is_match(p, i, j, fits))
			continue;
		p->to_b[i] = j;
		p->to_a[j] = i;
		return;
	}
}

static void match_fields(struct pairing *p)
{
	size_t n = p->a.n_fields;

	for (size_t i = 0; i < SIP_MSG_MAX_FIELDS; i++) {
		p->to_b[i] = p->to_a[i] = NO_MATCH;
		p->glue[i] = SIZE_MAX;
	}
	p->start_glue = SIZE_MAX;
	for (size_t i = 0; i < n; i++)
		match_one(p, i, false, is_same_value);
	for (size_t i = 0; i < n; i++) {
		if (p->to_b[i] == NO_MATCH)
			match_one(p, i, false, is_same_branch);
	}
	for (size_t i = 0; i < n; i++) {
		if (p->to_b[i] == NO_MATCH && !is_stacked(p->a.fields[i].id))
			match_one(p, i, false, is_any);
	}
	for (size_t i = n; i-- > 0;) {
		if (p->to_b[i] == NO_MATCH)
			match_one(p, i, true, is_any);
	}
}

/* Fields that are there on one side only. */

/** Was field @p i glued to what stood before it? Says where. */
static bool find_glue(struct pairing *p, size_t i, struct slice *in)
{
	const struct sip_field *f = &p->a.fields[i];
	struct slice key =
		slice_sub(f->raw, 0, slice_find(f->raw, slice_str(":")) + 1);
	size_t *glue = &p->start_glue;
	struct slice was = p->a.start_raw;
	size_t k = i, at;

	*in = p->b.start;
	while (k > 0 && p->to_b[k - 1] == NO_MATCH)
		k--;
	if (k > 0) {
		size_t j = p->to_b[k - 1];

		was = p->a.fields[k - 1].raw;
		*in = p->b.fields[j].raw;
		glue = &p->glue[j];
	}
	at = slice_find(*in, key);
	if (key.n < 2 || at == SIZE_MAX || slice_find(was, key) != SIZE_MAX)
		return false;
	if (at < *glue)
		*glue = at;
	return true;
}

static void note_removed(struct sip_edits *e, struct pairing *p)
{
	struct slice in;

	for (size_t i = 0; i < p->a.n_fields; i++) {
		const struct sip_field *f = &p->a.fields[i];

		if (p->to_b[i] != NO_MATCH)
			continue;
		name_field(e, f, first_nth(&p->a, i));
		if (find_glue(p, i, &in))
			sip_edits_add(e, SIP_EDIT_HEADER_MERGED, f->raw, in);
		else
			sip_edits_add(e, SIP_EDIT_HEADER_REMOVED, f->raw,
			              nothing);
	}
}

static enum sip_edit_class added_class(const struct sip_field *f)
{
	if (f->odd & (SIP_ODD_NO_COLON | SIP_ODD_EMPTY_NAME))
		return SIP_EDIT_UNPARSABLE;
	if (f->id == SIP_HDR_VIA)
		return SIP_EDIT_VIA_ADDED;
	if (f->id == SIP_HDR_RECORD_ROUTE)
		return SIP_EDIT_RECORD_ROUTE_ADDED;
	return SIP_EDIT_HEADER_ADDED;
}

static void note_added(struct sip_edits *e, struct pairing *p)
{
	e->anchor = p->a.start_raw.n;
	for (size_t j = 0; j < p->b.n_fields; j++) {
		const struct sip_field *f = &p->b.fields[j];

		if (p->to_a[j] != NO_MATCH) {
			struct slice raw = p->a.fields[p->to_a[j]].raw;

			e->anchor = offset(e, raw) + raw.n;
			continue;
		}
		name_field(e, f, first_nth(&p->b, j));
		sip_edits_add(e, added_class(f), nothing, f->raw);
	}
}

/** Longest increasing run through to_b[]; what is outside of it moved. */
static void note_reordered(struct sip_edits *e, const struct pairing *p)
{
	size_t len[SIP_MSG_MAX_FIELDS], prev[SIP_MSG_MAX_FIELDS];
	bool is_kept[SIP_MSG_MAX_FIELDS] = {false};
	size_t best = NO_MATCH;

	for (size_t i = 0; i < p->a.n_fields; i++) {
		len[i] = 1;
		prev[i] = NO_MATCH;
		if (p->to_b[i] == NO_MATCH)
			continue;
		for (size_t k = 0; k < i; k++) {
			if (p->to_b[k] < p->to_b[i] && len[k] >= len[i]) {
				len[i] = len[k] + 1;
				prev[i] = k;
			}
		}
		if (best == NO_MATCH || len[i] > len[best])
			best = i;
	}
	for (; best != NO_MATCH; best = prev[best])
		is_kept[best] = true;
	for (size_t i = 0; i < p->a.n_fields; i++) {
		if (p->to_b[i] == NO_MATCH || is_kept[i])
			continue;
		name_field(e, &p->a.fields[i], first_nth(&p->a, i));
		sip_edits_add(e, SIP_EDIT_HEADER_REORDERED, p->a.fields[i].raw,
		              p->b.fields[p->to_b[i]].raw);
	}
}

/* Fields that are there on both sides. */

static void compare_item(struct sip_edits *e, enum sip_hdr id, struct slice a,
                         struct slice b)
{
	size_t n_before = sip_edits_count(e);

	if (slice_eq(a, b))
		return;
	if (is_same_text(a, b, true))
		sip_edits_add(e, SIP_EDIT_WHITESPACE_CHANGED, a, b);
	else if (id == SIP_HDR_VIA)
		sip_compare_via(e, a, b, false);
	else
		sip_compare_nameaddr(e, a, b);
	if (sip_edits_count(e) == n_before)
		sip_edits_add(e, SIP_EDIT_VALUE_CHANGED, a, b);
}

static void compare_list(struct sip_edits *e, const struct sip_field *a,
                         struct slice value_b, size_t nth)
{
	struct sip_field b = {.value = value_b, .id = a->id};
	struct slice rest_a = a->value, rest_b = value_b, x, y;
	size_t n_a = count_items(a), n_b = count_items(&b);

	if (is_stacked(a->id)) {
		for (; n_b > n_a && sip_list_next(&y, &rest_b); n_b--) {
			name_field(e, a, nth);
			sip_edits_add(e, added_class(a), nothing, y);
		}
	}
	for (; sip_list_next(&x, &rest_a); nth++) {
		name_field(e, a, nth);
		if (sip_list_next(&y, &rest_b))
			compare_item(e, a->id, x, y);
		else
			sip_edits_add(e, SIP_EDIT_HEADER_REMOVED, x, nothing);
	}
	for (; sip_list_next(&y, &rest_b); nth++) {
		name_field(e, a, nth);
		sip_edits_add(e, SIP_EDIT_HEADER_ADDED, nothing, y);
	}
}

static void compare_value(struct sip_edits *e, const struct sip_field *a,
                          struct slice b, size_t nth)
{
	if (is_list(a->id))
		compare_list(e, a, b, nth);
	else if (a->id == SIP_HDR_FROM || a->id == SIP_HDR_TO ||
	         a->id == SIP_HDR_REFER_TO || a->id == SIP_HDR_REFERRED_BY)
		sip_compare_nameaddr(e, a->value, b);
	else if (a->id == SIP_HDR_AUTHORIZATION)
		sip_compare_auth(e, a->value, b);
	else if (a->id == SIP_HDR_MAX_FORWARDS)
		sip_edits_add(e, SIP_EDIT_HOP_COUNT_CHANGED, a->value, b);
	else
		sip_compare_text(e, a->value, b, SIP_EDIT_VALUE_CHANGED);
}

/** What does not touch the value. */
static void compare_form(struct sip_edits *e, const struct sip_field *a,
                         const struct sip_field *b)
{
	if (a->is_compact != b->is_compact)
		sip_edits_add(e, SIP_EDIT_NAME_FORM_CHANGED, a->raw, b->raw);
	else if (!slice_eq(a->name, b->name))
		sip_edits_add(e, SIP_EDIT_CASE_CHANGED, a->raw, b->raw);
	if (a->is_folded != b->is_folded)
		sip_edits_add(e, SIP_EDIT_FOLD_CHANGED, a->raw, b->raw);
	if (a->eol != b->eol)
		sip_edits_add(e, SIP_EDIT_LINE_ENDING_CHANGED, a->raw, b->raw);
}

static void compare_field(struct sip_edits *e, const struct pairing *p,
                          size_t i)
{
	const struct sip_field *a = &p->a.fields[i];
	const struct sip_field *b = &p->b.fields[p->to_b[i]];
	size_t n_before = sip_edits_count(e);
	size_t glue = p->glue[p->to_b[i]], nth;
	struct slice value = b->value;

	if (slice_eq(a->raw, b->raw))
		return;
	nth = first_nth(&p->a, i);
	name_field(e, a, nth);
	e->anchor = offset(e, a->raw) + a->raw.n;
	if (glue != SIZE_MAX) {
		/* what was glued on has been noted as such */
		size_t from = (size_t)(value.p - b->raw.p);

		value = slice_trim(
			slice_sub(value, 0, glue > from ? glue - from : 0));
	} else {
		compare_form(e, a, b);
	}
	if (slice_eq(a->value, value) || is_same_text(a->value, value, true)) {
		if (glue == SIZE_MAX && sip_edits_count(e) == n_before)
			sip_edits_add(e, SIP_EDIT_WHITESPACE_CHANGED, a->raw,
			              b->raw);
		return;
	}
	if (a->id == SIP_HDR_CONTENT_LENGTH)
		return;
	n_before = sip_edits_count(e);
	if (is_same_text(a->value, value, false))
		sip_edits_add(e, SIP_EDIT_CASE_CHANGED, a->value, value);
	else
		compare_value(e, a, value, nth);
	if (sip_edits_count(e) == n_before)
		sip_edits_add(e, SIP_EDIT_VALUE_CHANGED, a->value, value);
}

/* Start line, body, and their lengths. */

static void compare_start(struct sip_edits *e, const struct pairing *p)
{
	const struct sip_msg *a = &p->a, *b = &p->b;
	struct slice uri_a = sip_msg_uri(a), uri_b = sip_msg_uri(b);
	size_t n_before = sip_edits_count(e);

	if (slice_eq(a->start_raw, b->start_raw) || p->start_glue != SIZE_MAX)
		return;
	sip_edits_field(e, slice_str("start-line"), 1);
	if (slice_eq(a->start, b->start)) {
		sip_edits_add(e,
		              a->start_eol != b->start_eol
		                      ? SIP_EDIT_LINE_ENDING_CHANGED
		                      : SIP_EDIT_WHITESPACE_CHANGED,
		              a->start_raw, b->start_raw);
		return;
	}
	if (a->start_eol != b->start_eol)
		sip_edits_add(e, SIP_EDIT_LINE_ENDING_CHANGED, a->start_raw,
		              b->start_raw);
	if (!sip_msg_is_request(b) && !sip_msg_status(b)) {
		sip_edits_add(e, SIP_EDIT_UNPARSABLE, a->start, b->start);
		return;
	}
	if (uri_a.n == 0 || uri_b.n == 0 ||
	    !slice_eq(sip_msg_method(a), sip_msg_method(b))) {
		sip_edits_add(e, SIP_EDIT_START_LINE_CHANGED, a->start,
		              b->start);
		return;
	}
	sip_edits_field(e, slice_str("Request-URI"), 1);
	sip_compare_uri(e, uri_a, uri_b);
	if (sip_edits_count(e) == n_before)
		sip_edits_add(e, SIP_EDIT_START_LINE_CHANGED, a->start,
		              b->start);
}

static bool is_prefix(struct slice a, struct slice b)
{
	return a.n < b.n && slice_eq(a, slice_sub(b, 0, a.n));
}

static bool agrees(const struct sip_msg *m)
{
	uint64_t n;

	return sip_msg_content_length(&n, m) == 0 && n == m->body.n;
}

static bool is_sdp(const struct sip_msg *m)
{
	struct slice type = sip_msg_value(m, SIP_HDR_CONTENT_TYPE);

	return slice_ieq(slice_sub(type, 0, 15), slice_str("application/sdp"));
}

static void compare_bodies(struct sip_edits *e, const struct pairing *p)
{
	struct slice a = p->a.body, b = p->b.body;
	bool has_length = agrees(&p->b);

	if (slice_eq(a, b))
		return;
	sip_edits_field(e, slice_str("body"), 1);
	e->anchor = e->sent.n;
	if (is_prefix(b, a) && !has_length)
		sip_edits_add(e, SIP_EDIT_TRUNCATED, a, b);
	else if (is_prefix(a, b) && !has_length)
		sip_edits_add(e, SIP_EDIT_APPENDED, a, b);
	else if (is_sdp(&p->a))
		sip_compare_sdp(e, a, b);
	else
		sip_compare_body(e, a, b);
}

static void compare_length(struct sip_edits *e, const struct pairing *p)
{
	const struct sip_field *f =
		sip_msg_field(&p->b, SIP_HDR_CONTENT_LENGTH, 0);
	struct slice a = sip_msg_value(&p->a, SIP_HDR_CONTENT_LENGTH);
	uint64_t n_a = UINT64_MAX, n_b = UINT64_MAX;

	if (!f)
		return;
	(void)!sip_msg_content_length(&n_a, &p->a);
	(void)!sip_msg_content_length(&n_b, &p->b);
	sip_edits_field(e, slice_str("Content-Length"), 1);
	e->anchor = p->a.raw.n - p->a.body.n;
	if (n_b != p->b.body.n) {
		if (agrees(&p->a) || !slice_eq(a, f->value))
			sip_edits_add(e, SIP_EDIT_LENGTH_WRONG, a, f->value);
	} else if (n_a != n_b) {
		sip_edits_add(e, SIP_EDIT_LENGTH_UPDATED, a, f->value);
	} else if (!slice_eq(a, f->value)) {
		sip_edits_add(e, SIP_EDIT_VALUE_CHANGED, a, f->value);
	}
}

static void compare_blank(struct sip_edits *e, const struct pairing *p)
{
	if (slice_eq(p->a.blank, p->b.blank))
		return;
	sip_edits_field(e, slice_str("message"), 1);
	e->anchor = p->a.raw.n;
	if (p->b.blank.n == 0)
		sip_edits_add(e, SIP_EDIT_UNPARSABLE, p->a.blank, nothing);
	else
		sip_edits_add(e, SIP_EDIT_LINE_ENDING_CHANGED, p->a.blank,
		              p->b.blank);
}

static void compare_messages(struct sip_edits *e, struct slice before,
                             struct slice after)
{
	struct pairing p;

	sip_edits_field(e, slice_str("message"), 1);
	if (is_prefix(after, before)) {
		sip_edits_add(e, SIP_EDIT_TRUNCATED, before, after);
		return;
	}
	if (is_prefix(before, after)) {
		sip_edits_add(e, SIP_EDIT_APPENDED, before, after);
		return;
	}
	sip_msg_read(&p.a, before);
	sip_msg_read(&p.b, after);
	match_fields(&p);
	note_removed(e, &p);
	note_added(e, &p);
	note_reordered(e, &p);
	compare_start(e, &p);
	for (size_t i = 0; i < p.a.n_fields; i++) {
		if (p.to_b[i] != NO_MATCH)
			compare_field(e, &p, i);
	}
	compare_blank(e, &p);
	compare_bodies(e, &p);
	compare_length(e, &p);
	if (sip_edits_count(e) == 0) {
		/* beyond the fields that are kept */
		sip_edits_field(e, slice_str("message"), 1);
		sip_edits_add(e, SIP_EDIT_VALUE_CHANGED, before, after);
	}
}

void sip_diff(struct sip_diff *d, struct slice before, struct slice after,
              const struct sip_diff_hint *hint)
{
	struct sip_edits e = {.d = d, .sent = before, .hint = hint};

	d->n = d->n_more = 0;
	d->first_byte = SIZE_MAX;
	d->is_equal = slice_eq(before, after);
	if (d->is_equal)
		return;
	d->first_byte = sip_common_prefix(before, after);
	compare_messages(&e, before, after);
	sip_edits_sort(&e);
}

bool sip_diff_has(const struct sip_diff *d, enum sip_edit_class cls,
                  const char *field)
{
	for (size_t i = 0; i < d->n; i++) {
		if (d->edits[i].cls == cls &&
		    (!field || strcmp(d->edits[i].field, field) == 0))
			return true;
	}
	return false;
}

static int top_via_item(struct slice *item, struct slice msg)
{
	struct sip_msg m;
	struct sip_via via;
	struct slice rest;

	sip_msg_read(&m, msg);
	rest = sip_msg_value(&m, SIP_HDR_VIA);
	if (!sip_list_next(item, &rest))
		return EBADMSG;
	return sip_via_read(&via, *item);
}

int sip_diff_via_reflection(struct sip_diff *d, struct slice request,
                            struct slice response)
{
	struct sip_edits e = {.d = d, .sent = request};
	struct slice sent, seen;

	if (top_via_item(&sent, request) || top_via_item(&seen, response))
		return EBADMSG;
	d->n = d->n_more = 0;
	sip_edits_field(&e, slice_str("Via"), 1);
	e.anchor = offset(&e, sent) + sent.n;
	sip_compare_via(&e, sent, seen, true);
	sip_edits_sort(&e);
	d->is_equal = d->n == 0;
	d->first_byte = d->n ? d->edits[0].at : SIZE_MAX;
	return 0;
}
