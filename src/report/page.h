/* SPDX-License-Identifier: ISC */
/**
 * Paragraphs for a terminal: wrapping, indents, colours, display width.
 *
 * Any bytes may go in. What comes out is printable: controls, bytes that are
 * not UTF-8 and characters that reorder a line are shown as \xHH; without
 * UTF-8, Latin letters lose their accents and the rest is shown as "?".
 */
#pragma once

#include "report/report.h"

enum page_color {
	PAGE_PLAIN,
	PAGE_BOLD,
	PAGE_DIM,
	PAGE_GREEN,
	PAGE_YELLOW,
	PAGE_RED,
};

enum {
	PAGE_MIN_WIDTH = 40,
	PAGE_WIDTH = 80, /**< when the style does not say */
};

/** One paragraph: the lead stands once, the text is wrapped behind it. */
struct page_para {
	unsigned indent;       /**< of the first line, columns */
	unsigned hang;         /**< of the lines that follow */
	const char *lead;      /**< NULL: none */
	unsigned lead_columns; /**< the lead is padded to this width */
	enum page_color lead_color;
	enum page_color color; /**< of the text */
	struct slice text;
};

/** Make the mark of a state the lead of @p pa. */
void page_mark(struct page_para *pa, const struct report_style *st,
               enum fact_state s);

/** Write @p pa and end the line. */
void page_put(struct wr *out, const struct report_style *st,
              const struct page_para *pa);

/** An empty line. */
void page_gap(struct wr *out);

/** Columns that @p text takes once page_put() has made it printable. */
unsigned page_columns(const struct report_style *st, struct slice text);

/** Write @p text on the line as page_put() would, unwrapped; a blank of any
 *  kind is one space. */
void page_print_put(struct wr *out, const struct report_style *st,
                    struct slice text);

/** Bytes so that all of them can be read back: text_escape_put(), and
 *  \xHH for what is not ASCII where the terminal has no UTF-8. */
void page_escape_put(struct wr *w, const struct report_style *st,
                     struct slice bytes);
