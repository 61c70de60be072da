/* SPDX-License-Identifier: ISC */
/*
 * Design: out of line rather than inline, because every caller is a codec
 * whose cost is dominated by its socket; in exchange there is one place to
 * read, to test and to fuzz. What fits takes the short way: the edge writes
 * some fifty numbers for each answer. A heap writer doubles, so n bytes cost
 * O(n).
 */
#include "base/cursor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	HEAP_MIN_BYTES = 256
};

struct slice slice_str(const char *s)
{
	if (!s)
		return (struct slice){0};
	return (struct slice){(const uint8_t *)s, strlen(s)};
}

bool slice_eq(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool slice_ieq(struct slice a, struct slice b)
{
	if (a.n != b.n)
		return false;
	return a.n == 0 ||
	       strncasecmp((const char *)a.p, (const char *)b.p, a.n) == 0;
}

bool slice_eq_str(struct slice a, const char *s)
{
	/* most of what is compared differs at once */
	if (a.n && a.p[0] != (uint8_t)s[0])
		return false;
	return slice_eq(a, slice_str(s));
}

size_t slice_find(struct slice hay, struct slice needle)
{
	const uint8_t *at;

	if (needle.n == 0)
		return 0;
	if (hay.n < needle.n)
		return SIZE_MAX;
	at = memmem(hay.p, hay.n, needle.p, needle.n);
	return at ? (size_t)(at - hay.p) : SIZE_MAX;
}

struct slice slice_sub(struct slice s, size_t from, size_t n)
{
	if (from >= s.n)
		return (struct slice){0};
	if (n > s.n - from)
		n = s.n - from;
	return (struct slice){s.p + from, n};
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice s)
{
	while (s.n && is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct slice rd_take(struct rd *r, size_t n)
{
	struct slice s = {r->p, n};

	if (r->bad || n > r->left) {
		r->bad = true;
		r->left = 0;
		return (struct slice){0};
	}
	if (n) { /* p may be NULL when there is nothing to read */
		r->p += n;
		r->left -= n;
	}
	return s;
}

/* Inline, so that each width is a few instructions. */
static inline uint64_t take_be(struct rd *r, size_t n)
{
	const uint8_t *p = r->p;
	uint64_t v = 0;

	if (r->bad || n > r->left) {
		r->bad = true;
		r->left = 0;
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	r->p += n;
	r->left -= n;
	return v;
}

uint8_t rd_u8(struct rd *r)
{
	return (uint8_t)take_be(r, 1);
}

uint16_t rd_u16(struct rd *r)
{
	return (uint16_t)take_be(r, 2);
}

uint32_t rd_u32(struct rd *r)
{
	return (uint32_t)take_be(r, 4);
}

uint64_t rd_u64(struct rd *r)
{
	return take_be(r, 8);
}

bool rd_line(struct rd *r, struct slice *line)
{
	const uint8_t *end;
	size_t n;

	if (r->bad || r->left == 0)
		return false;
	end = memchr(r->p, '\n', r->left);
	n = end ? (size_t)(end - r->p) : r->left;
	end = memchr(r->p, '\r', n);
	*line = rd_take(r, end ? (size_t)(end - r->p) : n);
	if (r->left >= 2 && r->p[0] == '\r' && r->p[1] == '\n')
		(void)rd_take(r, 2);
	else if (r->left)
		(void)rd_take(r, 1);
	return true;
}

void wr_fini(struct wr *w)
{
	if (w->grows)
		free(w->p);
	*w = (struct wr){.grows = w->grows};
}

static bool make_room(struct wr *w, size_t n)
{
	size_t cap = w->cap ? w->cap : HEAP_MIN_BYTES;
	uint8_t *p;

	if (w->bad)
		return false;
	if (n <= w->cap - w->n)
		return true;
	if (!w->grows || n > SIZE_MAX / 4 - w->n) {
		w->bad = true;
		return false;
	}
	while (cap < w->n + n)
		cap *= 2;
	p = realloc(w->p, cap);
	if (!p) {
		w->bad = true;
		return false;
	}
	w->p = p;
	w->cap = cap;
	return true;
}

void wr_put(struct wr *w, struct slice s)
{
	if (s.n == 0 || ((w->bad || s.n > w->cap - w->n) && !make_room(w, s.n)))
		return;
	memcpy(w->p + w->n, s.p, s.n);
	w->n += s.n;
}

void wr_str(struct wr *w, const char *s)
{
	wr_put(w, slice_str(s));
}

static inline void put_be(struct wr *w, uint64_t v, size_t n)
{
	uint8_t *p;

	if ((w->bad || n > w->cap - w->n) && !make_room(w, n))
		return;
	p = w->p + w->n;
	for (size_t i = n; i-- > 0; v >>= 8)
		p[i] = (uint8_t)v;
	w->n += n;
}

void wr_u8(struct wr *w, uint8_t v)
{
	put_be(w, v, 1);
}

void wr_u16(struct wr *w, uint16_t v)
{
	put_be(w, v, 2);
}

void wr_u32(struct wr *w, uint32_t v)
{
	put_be(w, v, 4);
}

void wr_u64(struct wr *w, uint64_t v)
{
	put_be(w, v, 8);
}

void wr_vfmt(struct wr *w, const char *fmt, va_list ap)
{
	size_t room = w->bad ? 0 : w->cap - w->n;
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(room ? (char *)w->p + w->n : NULL, room, fmt, again);
	va_end(again);
	if (n >= 0 && (size_t)n < room) {
		w->n += (size_t)n;
		return;
	}
	/* vsnprintf wants room for a NUL that is not part of the text */
	if (n < 0 || !make_room(w, (size_t)n + 1)) {
		w->bad = true;
		return;
	}
	(void)vsnprintf((char *)w->p + w->n, (size_t)n + 1, fmt, ap);
	w->n += (size_t)n;
}

void wr_fmt(struct wr *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	wr_vfmt(w, fmt, ap);
	va_end(ap);
}
