/* SPDX-License-Identifier: ISC */
#include "firewall/json.h"

#include <errno.h>
#include <string.h>

#include "base/i18n.h"

static int fault(struct fw_json_in *in, const char *why)
{
	in->why = why;
	return EBADMSG;
}

static int peek(const struct fw_json_in *in)
{
	return in->at < in->text.n ? in->text.p[in->at] : -1;
}

static void skip_blanks(struct fw_json_in *in)
{
	for (int c = peek(in); c == ' ' || c == '\t' || c == '\n' || c == '\r';
	     c = peek(in))
		in->at++;
}

bool fw_json_eat(struct fw_json_in *in, char c)
{
	skip_blanks(in);
	if (peek(in) != c)
		return false;
	in->at++;
	return true;
}

static int hex(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* @return the code unit behind "\u", or -1 */
static int read_unit(struct fw_json_in *in)
{
	int v = 0;

	for (unsigned i = 0; i < 4; i++) {
		const int h = hex(peek(in));

		if (h < 0)
			return -1;
		v = v << 4 | h;
		in->at++;
	}
	return v;
}

/* Beyond the first plane, as in halves of pairs, nothing has a name. */
static void put_unit(struct wr *w, int v)
{
	if (v == 0 || (v >= 0xd800 && v <= 0xdfff))
		v = '?';
	if (v < 0x80) {
		wr_u8(w, (uint8_t)v);
	} else if (v < 0x800) {
		wr_u8(w, (uint8_t)(0xc0 | v >> 6));
		wr_u8(w, (uint8_t)(0x80 | (v & 0x3f)));
	} else {
		wr_u8(w, (uint8_t)(0xe0 | v >> 12));
		wr_u8(w, (uint8_t)(0x80 | (v >> 6 & 0x3f)));
		wr_u8(w, (uint8_t)(0x80 | (v & 0x3f)));
	}
}

static bool unescape(struct wr *w, struct fw_json_in *in)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const int c = peek(in);
	const char *at = c > 0 ? strchr(names, c) : NULL;
	int unit;

	if (at) {
		wr_u8(w, (uint8_t)values[at - names]);
		in->at++;
		return true;
	}
	if (c != 'u')
		return false;
	in->at++;
	unit = read_unit(in);
	if (unit >= 0)
		put_unit(w, unit);
	return unit >= 0;
}

/* From its first escape on, a string is made anew. */
static int read_escaped(struct slice *out, struct arena *a,
                        struct fw_json_in *in, size_t from)
{
	struct wr w = wr_init_heap();
	const char *s;
	int err = 0;

	wr_put(&w, slice_sub(in->text, from, in->at - from));
	while (!err && peek(in) != '"') {
		const int c = peek(in);

		if (c < ' ') {
			err = fault(in, N_("This string has no end."));
		} else if (c != '\\') {
			wr_u8(&w, (uint8_t)c);
			in->at++;
		} else {
			in->at++;
			if (!unescape(&w, in))
				err = fault(in, N_("JSON has no such "
				                   "escape."));
		}
	}
	in->at += !err;
	s = err ? NULL : arena_dup(a, wr_slice(&w));
	if (!err && (!s || w.bad))
		err = ENOMEM;
	if (!err)
		*out = (struct slice){(const uint8_t *)s, w.n};
	wr_fini(&w);
	return err;
}

int fw_json_string(struct slice *out, struct arena *a, struct fw_json_in *in)
{
	size_t from;

	if (!fw_json_eat(in, '"'))
		return fault(in, N_("Expected a string."));
	from = in->at;
	while (peek(in) >= ' ' && peek(in) != '"' && peek(in) != '\\')
		in->at++;
	if (peek(in) == '\\')
		return read_escaped(out, a, in, from);
	if (peek(in) != '"')
		return fault(in, N_("This string has no end."));
	*out = slice_sub(in->text, from, in->at - from);
	in->at++;
	return 0;
}

static size_t skip_digits(struct fw_json_in *in)
{
	const size_t from = in->at;

	while (peek(in) >= '0' && peek(in) <= '9')
		in->at++;
	return in->at - from;
}

/* RFC 8259, section 6 */
static bool skip_number(struct fw_json_in *in)
{
	in->at += peek(in) == '-';
	if (peek(in) == '0')
		in->at++;
	else if (!skip_digits(in))
		return false;
	if (peek(in) == '.') {
		in->at++;
		if (!skip_digits(in))
			return false;
	}
	if (peek(in) == 'e' || peek(in) == 'E') {
		in->at++;
		in->at += peek(in) == '+' || peek(in) == '-';
		return skip_digits(in);
	}
	return true;
}

static int read_plain(struct fw_json *j, struct fw_json_in *in)
{
	static const struct {
		const char *word;
		enum fw_json_kind kind;
	} words[] = {
		{"null", FW_JSON_NULL},
		{"true", FW_JSON_BOOL},
		{"false", FW_JSON_BOOL},
	};
	const size_t from = in->at;

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		const size_t n = strlen(words[i].word);

		j->text = slice_sub(in->text, from, n);
		j->kind = words[i].kind;
		if (!slice_eq_str(j->text, words[i].word))
			continue;
		in->at += n;
		return 0;
	}
	if (!skip_number(in))
		return fault(in, N_("Expected a value of JSON."));
	j->text = slice_sub(in->text, from, in->at - from);
	j->kind = FW_JSON_NUMBER;
	return 0;
}

static int read_value(struct fw_json **out, struct arena *a,
                      struct fw_json_in *in, unsigned depth);

/* The name of a member of j, and the colon behind it. */
static int read_key(struct slice *key, const struct fw_json *j, struct arena *a,
                    struct fw_json_in *in)
{
	size_t n = 0, at;
	int err;

	skip_blanks(in);
	at = in->at;
	err = fw_json_string(key, a, in);
	for (const struct fw_json *m = j->first; m && !err; m = m->next) {
		n++;
		if (!slice_eq(m->key, *key) && n < FW_JSON_MAX_MEMBERS)
			continue;
		in->at = at;
		return fault(in, n < FW_JSON_MAX_MEMBERS
		                         ? N_("This object has that name "
		                              "already.")
		                         : N_("Too many names in one "
		                              "object."));
	}
	if (!err && !fw_json_eat(in, ':'))
		err = fault(in, N_("Expected \":\"."));
	return err;
}

static int read_members(struct fw_json *j, struct arena *a,
                        struct fw_json_in *in, unsigned depth)
{
	const bool is_object = j->kind == FW_JSON_OBJECT;
	const char end = is_object ? '}' : ']';
	struct fw_json **tail = &j->first;
	int err = 0;

	if (depth == FW_JSON_MAX_DEPTH)
		return fault(in, N_("Too many brackets inside each other."));
	if (fw_json_eat(in, end))
		return 0;
	do {
		struct slice key = {NULL, 0};
		struct fw_json *member;

		if (is_object)
			err = read_key(&key, j, a, in);
		if (!err)
			err = read_value(&member, a, in, depth + 1);
		if (err)
			return err;
		member->key = key;
		*tail = member;
		tail = &member->next;
	} while (fw_json_eat(in, ','));
	if (fw_json_eat(in, end))
		return 0;
	return fault(in, is_object ? N_("Expected \",\" or \"}\".")
	                           : N_("Expected \",\" or \"]\"."));
}

static int read_value(struct fw_json **out, struct arena *a,
                      struct fw_json_in *in, unsigned depth)
{
	struct fw_json *j = arena_alloc(a, sizeof(*j));
	int err;

	if (!j)
		return ENOMEM;
	skip_blanks(in);
	if (peek(in) == '{' || peek(in) == '[') {
		j->kind = peek(in) == '{' ? FW_JSON_OBJECT : FW_JSON_ARRAY;
		in->at++;
		err = read_members(j, a, in, depth);
	} else if (peek(in) == '"') {
		j->kind = FW_JSON_STRING;
		err = fw_json_string(&j->text, a, in);
	} else {
		err = read_plain(j, in);
	}
	if (!err)
		*out = j;
	return err;
}

int fw_json_read(struct fw_json **out, struct arena *a, struct fw_json_in *in)
{
	return read_value(out, a, in, 0);
}

const struct fw_json *fw_json_get(const struct fw_json *j, const char *key)
{
	const struct fw_json *m =
		j && j->kind == FW_JSON_OBJECT ? j->first : NULL;

	while (m && !slice_eq_str(m->key, key))
		m = m->next;
	return m;
}

struct slice fw_json_text(const struct fw_json *j, const char *key)
{
	const struct fw_json *m = fw_json_get(j, key);

	return m ? m->text : (struct slice){NULL, 0};
}

bool fw_json_is(const struct fw_json *j, const char *text)
{
	return j && j->kind == FW_JSON_STRING && slice_eq_str(j->text, text);
}
