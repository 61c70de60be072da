/* SPDX-License-Identifier: ISC */
#include "firewall/json.h"

#include <errno.h>
#include <string.h>

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
			err = EBADMSG;
		} else if (c != '\\') {
			wr_u8(&w, (uint8_t)c);
			in->at++;
		} else {
			in->at++;
			if (!unescape(&w, in))
				err = EBADMSG;
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
		return EBADMSG;
	from = in->at;
	while (peek(in) >= ' ' && peek(in) != '"' && peek(in) != '\\')
		in->at++;
	if (peek(in) == '\\')
		return read_escaped(out, a, in, from);
	if (peek(in) != '"')
		return EBADMSG;
	*out = slice_sub(in->text, from, in->at - from);
	in->at++;
	return 0;
}

/* A number or a word: which letters make sense is for who uses it. */
static int read_plain(struct fw_json *j, struct fw_json_in *in)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyzE"
				    "0123456789+-.";
	const size_t from = in->at;
	const int first = peek(in);

	while (peek(in) > 0 && strchr(chars, peek(in)))
		in->at++;
	j->text = slice_sub(in->text, from, in->at - from);
	j->kind = FW_JSON_NUMBER;
	if (slice_eq_str(j->text, "null"))
		j->kind = FW_JSON_NULL;
	else if (slice_eq_str(j->text, "true") ||
	         slice_eq_str(j->text, "false"))
		j->kind = FW_JSON_BOOL;
	else if (first != '-' && (first < '0' || first > '9'))
		in->at = from;
	return in->at > from ? 0 : EBADMSG;
}

static int read_value(struct fw_json **out, struct arena *a,
                      struct fw_json_in *in, unsigned depth);

static int read_members(struct fw_json *j, struct arena *a,
                        struct fw_json_in *in, unsigned depth)
{
	const bool is_object = j->kind == FW_JSON_OBJECT;
	const char end = is_object ? '}' : ']';
	struct fw_json **tail = &j->first;
	int err = 0;

	if (depth == FW_JSON_MAX_DEPTH)
		return EBADMSG;
	if (fw_json_eat(in, end))
		return 0;
	do {
		struct slice key = {NULL, 0};
		struct fw_json *member;

		if (is_object)
			err = fw_json_string(&key, a, in);
		if (!err && is_object && !fw_json_eat(in, ':'))
			err = EBADMSG;
		if (!err)
			err = read_value(&member, a, in, depth + 1);
		if (err)
			return err;
		member->key = key;
		*tail = member;
		tail = &member->next;
	} while (fw_json_eat(in, ','));
	return fw_json_eat(in, end) ? 0 : EBADMSG;
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
