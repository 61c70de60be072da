/* SPDX-License-Identifier: ISC */
/*
 * Design: text is cut into glyphs (what is printed for one character, and
 * the columns it takes), glyphs into words, words into lines. wcwidth() is
 * not used: it knows only the locale's characters, and the writers must give
 * the same bytes in every locale.
 */
#include "report/page.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum {
	GLYPH_BYTES = 17 /* the longest: four escaped bytes, and a NUL */
};

struct glyph {
	char text[GLYPH_BYTES];
	size_t n;     /* bytes of text */
	size_t taken; /* bytes of the source */
	unsigned columns;
	bool is_blank;
};

struct range {
	uint32_t first, last;
};

static bool in_ranges(uint32_t c, const struct range *r, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (c >= r[i].first && c <= r[i].last)
			return true;
	}
	return false;
}

/* C1 controls, line separators, and the marks that reverse a line. */
static bool is_unsafe(uint32_t c)
{
	static const struct range unsafe[] = {
		{0x80, 0x9f},     {0x061c, 0x061c},    {0x200b, 0x200f},
		{0x2028, 0x202e}, {0x2060, 0x206f},    {0xfeff, 0xfeff},
		{0xfff9, 0xfffb}, {0xe0000, 0x10ffff},
	};

	return in_ranges(c, unsafe, ARRAY_LEN(unsafe));
}

static unsigned columns_of(uint32_t c)
{
	static const struct range none[] = {
		{0x0300, 0x036f}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},
		{0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
	};
	static const struct range wide[] = {
		{0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},
		{0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},
		{0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f},
		{0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
	};

	if (in_ranges(c, none, ARRAY_LEN(none)))
		return 0;
	return in_ranges(c, wide, ARRAY_LEN(wide)) ? 2 : 1;
}

/* The letter without its accent, or a like sign; "?" for all others. */
static void ascii_of(char text[4], uint32_t c)
{
	/* U+00C0 to U+00FF, one letter each */
	static const char latin[] = "AAAAAAACEEEEIIIIDNOOOOOxOUUUUYTs"
				    "aaaaaaaceeeeiiiidnooooo/ouuuuyty";
	static const struct {
		uint32_t c;
		char text[4];
	} signs[] = {
		{0x00a0, " "},  {0x00aa, "a"},   {0x00ba, "o"},  {0x2013, "-"},
		{0x2014, "-"},  {0x2018, "'"},   {0x2019, "'"},  {0x201c, "\""},
		{0x201d, "\""}, {0x2026, "..."}, {0x2192, "->"},
	};

	memcpy(text, "?", 2);
	if (c >= 0xc0 && c <= 0xff)
		text[0] = latin[c - 0xc0];
	for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
		if (signs[i].c == c)
			memcpy(text, signs[i].text, sizeof(signs[i].text));
	}
}

static uint32_t code_point(const uint8_t *p, size_t n)
{
	static const uint8_t masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t c = p[0] & masks[n];

	for (size_t i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3f);
	return c;
}

static void glyph_escape(struct glyph *g, const uint8_t *p, size_t n)
{
	g->n = 0;
	for (size_t i = 0; i < n; i++)
		g->n += (size_t)snprintf(g->text + g->n, sizeof(g->text) - g->n,
		                         "\\x%02x", p[i]);
	g->columns = (unsigned)g->n;
}

/* The first glyph of @p s, which is not empty. */
static void glyph_next(struct glyph *g, const struct report_style *st,
                       struct slice s)
{
	size_t n = text_utf8_len(s);
	uint32_t c;

	memset(g, 0, sizeof(*g));
	g->taken = n ? n : 1;
	c = n ? code_point(s.p, n) : 0;
	if (c == ' ' || c == '\n' || c == '\t') {
		g->is_blank = true;
	} else if (c < 0x20 || c == 0x7f || is_unsafe(c)) {
		glyph_escape(g, s.p, g->taken);
	} else if (c < 0x80 || st->is_utf8) {
		memcpy(g->text, s.p, n);
		g->n = n;
		g->columns = columns_of(c);
	} else if (columns_of(c) > 0) {
		ascii_of(g->text, c);
		g->n = strlen(g->text);
		g->columns = (unsigned)g->n;
	}
}

unsigned page_columns(const struct report_style *st, struct slice text)
{
	unsigned columns = 0;
	struct glyph g;

	while (text.n > 0) {
		glyph_next(&g, st, text);
		columns += g.is_blank ? 1 : g.columns;
		text = slice_sub(text, g.taken, text.n);
	}
	return columns;
}

static const char *color_code(enum page_color c)
{
	static const char *const codes[] = {
		[PAGE_PLAIN] = "",          [PAGE_BOLD] = "\033[1m",
		[PAGE_DIM] = "\033[2m",     [PAGE_GREEN] = "\033[32m",
		[PAGE_YELLOW] = "\033[33m", [PAGE_RED] = "\033[31m",
	};

	return codes[c];
}

static void color_on(struct wr *out, const struct report_style *st,
                     enum page_color c)
{
	if (st->has_color)
		wr_str(out, color_code(c));
}

static void color_off(struct wr *out, const struct report_style *st,
                      enum page_color c)
{
	if (st->has_color && c != PAGE_PLAIN)
		wr_str(out, "\033[0m");
}

static void spaces(struct wr *out, unsigned n)
{
	while (n-- > 0)
		wr_u8(out, ' ');
}

struct line {
	struct wr *out;
	const struct report_style *st;
	unsigned width;
	unsigned hang;
	unsigned column;
	bool is_fresh; /* no word on it yet */
};

static void line_break(struct line *l)
{
	wr_u8(l->out, '\n');
	spaces(l->out, l->hang);
	l->column = l->hang;
	l->is_fresh = true;
}

/* A word that is longer than a line is cut anywhere. */
static void line_word(struct line *l, unsigned n_blanks, struct slice word)
{
	unsigned columns = page_columns(l->st, word);
	struct glyph g;

	if (!l->is_fresh && l->column + n_blanks + columns > l->width) {
		line_break(l);
	} else if (!l->is_fresh) {
		spaces(l->out, n_blanks);
		l->column += n_blanks;
	}
	while (word.n > 0) {
		glyph_next(&g, l->st, word);
		if (l->column + g.columns > l->width && !l->is_fresh)
			line_break(l);
		for (size_t i = 0; i < g.n; i++)
			wr_u8(l->out, (uint8_t)g.text[i]);
		l->column += g.columns;
		l->is_fresh = false;
		word = slice_sub(word, g.taken, word.n);
	}
}

static void line_words(struct line *l, struct slice text)
{
	struct glyph g;

	while (text.n > 0) {
		unsigned n_blanks = 0;
		size_t n = 0;

		for (; text.n > 0; text = slice_sub(text, g.taken, text.n)) {
			glyph_next(&g, l->st, text);
			if (!g.is_blank)
				break;
			n_blanks++;
		}
		while (n < text.n) {
			glyph_next(&g, l->st, slice_sub(text, n, text.n));
			if (g.is_blank)
				break;
			n += g.taken;
		}
		if (n > 0)
			line_word(l, n_blanks, slice_sub(text, 0, n));
		text = slice_sub(text, n, text.n);
	}
}

void page_put(struct wr *out, const struct report_style *st,
              const struct page_para *pa)
{
	struct line l = {.out = out, .st = st, .is_fresh = true};
	unsigned columns;

	l.width = st->width ? st->width : PAGE_WIDTH;
	if (l.width < PAGE_MIN_WIDTH)
		l.width = PAGE_MIN_WIDTH;
	l.hang = pa->hang < l.width / 2 ? pa->hang : l.width / 2;
	l.column = pa->indent < l.width / 2 ? pa->indent : l.width / 2;
	spaces(out, l.column);
	if (pa->lead) {
		color_on(out, st, pa->lead_color);
		line_words(&l, slice_str(pa->lead));
		color_off(out, st, pa->lead_color);
		columns = page_columns(st, slice_str(pa->lead));
		if (pa->lead_columns > columns && pa->text.n > 0) {
			spaces(out, pa->lead_columns - columns);
			l.column += pa->lead_columns - columns;
		}
		l.is_fresh = true;
	}
	color_on(out, st, pa->color);
	line_words(&l, pa->text);
	color_off(out, st, pa->color);
	wr_u8(out, '\n');
}

void page_gap(struct wr *out)
{
	wr_u8(out, '\n');
}

void page_print_put(struct wr *out, const struct report_style *st,
                    struct slice text)
{
	struct glyph g;

	while (text.n > 0) {
		glyph_next(&g, st, text);
		if (g.is_blank)
			wr_u8(out, ' ');
		for (size_t i = 0; i < g.n; i++)
			wr_u8(out, (uint8_t)g.text[i]);
		text = slice_sub(text, g.taken, text.n);
	}
}

void page_escape_put(struct wr *w, const struct report_style *st,
                     struct slice bytes)
{
	size_t end = bytes.n;

	while (bytes.n > 0) {
		size_t n = text_utf8_len(bytes);
		struct slice one = slice_sub(bytes, 0, n ? n : 1);
		bool is_edge = bytes.n == end || bytes.n == 1;
		struct glyph g;

		glyph_next(&g, st, one);
		/* a blank that nobody would see at the edge of the value */
		if (n == 1 && one.p[0] == ' ' && is_edge)
			n = 0;
		if (n > 1 && (!st->is_utf8 || g.text[0] == '\\'))
			n = 0;
		for (size_t i = 0; n == 0 && i < one.n; i++)
			wr_fmt(w, "\\x%02x", one.p[i]);
		if (n > 0)
			text_escape_put(w, one);
		bytes = slice_sub(bytes, one.n, bytes.n);
	}
}

void page_mark(struct page_para *pa, const struct report_style *st,
               enum fact_state s)
{
	static const struct {
		const char *utf8;
		const char *ascii;
		enum page_color color;
	} marks[] = {
		[FACT_PASS] = {"✓", "[ok]", PAGE_GREEN},
		[FACT_WARN] = {"!", "[!]", PAGE_YELLOW},
		[FACT_FAIL] = {"✗", "[!!]", PAGE_RED},
		[FACT_UNKNOWN] = {"?", "[??]", PAGE_YELLOW},
		[FACT_SKIPPED] = {"-", "[--]", PAGE_DIM},
	};

	pa->lead = st->is_utf8 ? marks[s].utf8 : marks[s].ascii;
	pa->lead_color = marks[s].color;
	pa->lead_columns = st->is_utf8 ? 2 : 5;
	pa->hang = pa->lead_columns;
}
