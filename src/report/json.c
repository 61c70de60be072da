/* SPDX-License-Identifier: ISC */
/*
 * Design: a small pretty printer with a depth and nothing else. Keys come
 * from the code and are printed in the order in which they were put, so the
 * same report gives the same bytes; a table of members for each object would
 * say the same twice.
 *
 * A fact's fields stand beside its own members, as docs/report.schema.json
 * has it; a field must therefore not take the name of a member.
 */
#include "report/report.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum {
	DEPTH_MAX = 32, /* deeper values are written as null */
	REAL_BYTES = 48,
};

struct json {
	struct wr *out;
	unsigned depth;
	bool has_member; /* the open object or list is not empty */
};

static void indent(struct json *j)
{
	wr_u8(j->out, '\n');
	for (unsigned i = 0; i < j->depth; i++)
		wr_str(j->out, "  ");
}

static void put_quoted(struct wr *w, struct slice valid)
{
	wr_u8(w, '"');
	for (size_t i = 0; i < valid.n; i++) {
		uint8_t c = valid.p[i];

		if (c == '"' || c == '\\') {
			wr_u8(w, '\\');
			wr_u8(w, c);
		} else if (c == '\n') {
			wr_str(w, "\\n");
		} else if (c < 0x20 || c == 0x7f) {
			wr_fmt(w, "\\u%04x", c);
		} else {
			wr_u8(w, c);
		}
	}
	wr_u8(w, '"');
}

/* Text should be UTF-8 already; a byte that is not becomes \xHH. */
static void put_text(struct wr *w, struct slice s)
{
	struct wr valid = wr_init_heap();

	while (s.n > 0) {
		size_t n = text_utf8_len(s);

		if (n == 0)
			wr_fmt(&valid, "\\x%02x", s.p[0]);
		else
			wr_put(&valid, slice_sub(s, 0, n));
		s = slice_sub(s, n ? n : 1, s.n);
	}
	put_quoted(w, wr_slice(&valid));
	w->bad |= valid.bad;
	wr_fini(&valid);
}

static void put_bytes(struct wr *w, struct slice s)
{
	struct wr escaped = wr_init_heap();

	text_escape_put(&escaped, s);
	put_quoted(w, wr_slice(&escaped));
	w->bad |= escaped.bad;
	wr_fini(&escaped);
}

/* The shortest text that reads back as the same number. Whatever the locale
 * uses as its decimal sign, of any length, becomes a point. */
static void put_real(struct wr *w, double d)
{
	char buf[REAL_BYTES];
	bool in_sign = false;

	if (!isfinite(d)) {
		wr_str(w, "null");
		return;
	}
	for (int digits = 6; digits <= 17; digits++) {
		(void)snprintf(buf, sizeof(buf), "%.*g", digits, d);
		if (strtod(buf, NULL) == d)
			break;
	}
	for (const char *p = buf; *p; p++) {
		bool is_json = strchr("0123456789+-e", *p) != NULL;

		if (is_json)
			wr_u8(w, (uint8_t)*p);
		else if (!in_sign)
			wr_u8(w, '.');
		in_sign = !is_json;
	}
}

static void open_with(struct json *j, char c)
{
	wr_u8(j->out, (uint8_t)c);
	j->depth++;
	j->has_member = false;
}

static void close_with(struct json *j, char c)
{
	j->depth--;
	if (j->has_member)
		indent(j);
	wr_u8(j->out, (uint8_t)c);
	j->has_member = true;
}

/* Begin a member of an object, or of a list (@p key NULL). */
static void member(struct json *j, const char *key)
{
	if (j->has_member)
		wr_u8(j->out, ',');
	j->has_member = true;
	indent(j);
	if (key) {
		put_text(j->out, slice_str(key));
		wr_str(j->out, ": ");
	}
}

static void put_val(struct json *j, const struct val *v);

static void put_items(struct json *j, const struct val *v)
{
	for (const struct val_item *it = v->items.first; it; it = it->next) {
		member(j, it->key);
		put_val(j, &it->v);
	}
}

/* NOLINTNEXTLINE(misc-no-recursion): bounded by DEPTH_MAX */
static void put_val(struct json *j, const struct val *v)
{
	if (j->depth >= DEPTH_MAX) {
		wr_str(j->out, "null");
		return;
	}
	switch (v->kind) {
	case VAL_NULL:
		wr_str(j->out, "null");
		break;
	case VAL_BOOL:
		wr_str(j->out, v->b ? "true" : "false");
		break;
	case VAL_INT:
		wr_fmt(j->out, "%" PRId64, v->i);
		break;
	case VAL_REAL:
		put_real(j->out, v->d);
		break;
	case VAL_TEXT:
		put_text(j->out, v->s);
		break;
	case VAL_BYTES:
		put_bytes(j->out, v->s);
		break;
	case VAL_LIST:
		open_with(j, '[');
		put_items(j, v);
		close_with(j, ']');
		break;
	case VAL_MAP:
		open_with(j, '{');
		put_items(j, v);
		close_with(j, '}');
		break;
	}
}

static void text_member(struct json *j, const char *key, const char *text)
{
	member(j, key);
	if (text)
		put_text(j->out, slice_str(text));
	else
		wr_str(j->out, "null");
}

static void val_member(struct json *j, const char *key, const struct val *v)
{
	member(j, key);
	put_val(j, v);
}

static void words_member(struct json *j, const char *key,
                         const struct words *ws)
{
	struct wr w = wr_init_heap();

	words_put(&w, ws, words_english);
	member(j, key);
	put_text(j->out, wr_slice(&w));
	j->out->bad |= w.bad;
	wr_fini(&w);
}

static bool is_reserved(const char *key)
{
	static const char *const names[] = {
		"id",   "state",    "scope", "value",
		"unit", "evidence", "why",   "summary",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(key, names[i]) == 0)
			return true;
	}
	return false;
}

static void put_fact(struct json *j, const struct fact *f)
{
	member(j, NULL);
	open_with(j, '{');
	text_member(j, "id", f->id);
	text_member(j, "state", fact_state_name(f->state));
	text_member(j, "scope", f->scope);
	val_member(j, "value", &f->value);
	text_member(j, "unit", f->unit);
	for (const struct val_item *it = f->fields.items.first; it;
	     it = it->next) {
		assert(!is_reserved(it->key));
		val_member(j, it->key, &it->v);
	}
	val_member(j, "evidence", &f->evidence);
	if (f->why.msgid)
		words_member(j, "why", &f->why);
	if (f->summary.msgid)
		words_member(j, "summary", &f->summary);
	close_with(j, '}');
}

static void put_step(struct json *j, const struct remedy_step *s)
{
	struct val needs_router = val_bool(s->needs_router);

	member(j, NULL);
	open_with(j, '{');
	text_member(j, "id", s->id);
	val_member(j, "needs_router", &needs_router);
	words_member(j, "text", &s->text);
	close_with(j, '}');
}

static void put_finding(struct json *j, const struct finding *fd)
{
	member(j, NULL);
	open_with(j, '{');
	text_member(j, "id", fd->id);
	text_member(j, "severity", finding_severity_name(fd->severity));
	text_member(j, "segment", segment_name(fd->segment));
	text_member(j, "act", act_name(fd->act));
	val_member(j, "facts", &fd->facts);
	val_member(j, "evidence", &fd->evidence);
	words_member(j, "title", &fd->title);
	words_member(j, "detail", &fd->detail);
	member(j, "remedy");
	open_with(j, '[');
	for (const struct remedy_step *s = fd->remedy; s; s = s->next)
		put_step(j, s);
	close_with(j, ']');
	close_with(j, '}');
}

int report_write_json(struct wr *out, const struct report *r)
{
	struct json j = {.out = out};

	open_with(&j, '{');
	text_member(&j, "schema", "prumo/report/1");
	text_member(&j, "verdict", verdict_name(report_verdict(r)));
	val_member(&j, "profile", &r->profile);
	val_member(&j, "run", &r->run);
	member(&j, "facts");
	open_with(&j, '[');
	for (const struct fact *f = r->facts; f; f = f->next)
		put_fact(&j, f);
	close_with(&j, ']');
	member(&j, "findings");
	open_with(&j, '[');
	for (const struct finding *fd = r->findings; fd; fd = fd->next)
		put_finding(&j, fd);
	close_with(&j, ']');
	close_with(&j, '}');
	wr_u8(out, '\n');
	return out->bad ? ENOMEM : 0;
}
