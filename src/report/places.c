/* SPDX-License-Identifier: ISC */
/*
 * Design: a rule of some vendors is a paragraph; here it is to be recognised,
 * not read, so it is one line of blanks run together, cut at what fits. The
 * whole of it is in the JSON.
 */
#include "report/places.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/i18n.h"

enum {
	INDENT = 3,
	QUOTE_BYTES = 120, /* then no further word */
	QUOTE_MAX_BYTES = 160,
};

static void put_item(struct wr *out, const struct report_style *st,
                     struct wr *w)
{
	page_put(out, st,
	         &(struct page_para){.indent = INDENT,
	                             .hang = INDENT + 2,
	                             .lead = "-",
	                             .lead_columns = 2,
	                             .text = wr_slice(w)});
	out->bad |= w->bad;
	wr_fini(w);
}

static const char *translated(const char *msgid)
{
	return gettext(msgid);
}

static void put_title(struct wr *out, const struct report_style *st,
                      const char *title)
{
	page_put(out, st,
	         &(struct page_para){.indent = INDENT,
	                             .hang = INDENT,
	                             .color = PAGE_BOLD,
	                             .text = slice_str(title)});
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void put_quote(struct wr *w, struct slice quote)
{
	bool has_gap = false;
	size_t n = 0;

	for (size_t i = 0; i < quote.n; i++) {
		if (is_blank(quote.p[i])) {
			has_gap = n > 0;
			continue;
		}
		/* Not within a character of several bytes. */
		if ((n >= QUOTE_BYTES && has_gap) ||
		    (n >= QUOTE_MAX_BYTES && (quote.p[i] & 0xc0) != 0x80)) {
			wr_str(w, " ...");
			return;
		}
		if (has_gap)
			wr_u8(w, ' ');
		wr_u8(w, quote.p[i]);
		n += 1 + has_gap;
		has_gap = false;
	}
}

static void put_line(struct wr *w, int64_t line, bool has_file,
                     words_translate_fn *translate)
{
	struct words ws = {.msgid = N_("line %1$s")};
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRId64, line);
	ws.args[0] = text;
	if (has_file)
		wr_fmt(w, ":%s", text);
	else
		words_put(w, &ws, translate);
}

void places_item_put(struct wr *w, const struct val *item,
                     words_translate_fn *translate)
{
	const struct slice file = val_get_text(item, "file");
	const struct slice quote = val_get_text(item, "quote");
	const int64_t line = val_get_int(item, "line", 0);

	wr_put(w, file);
	if (line)
		put_line(w, line, file.n, translate);
	if ((file.n || line) && (quote.n || !line))
		wr_str(w, ": ");
	if (!line)
		wr_put(w, val_get_text(item, "setting"));
	if (!line && quote.n)
		wr_str(w, ": ");
	put_quote(w, quote);
	if (!line && !quote.n)
		wr_str(w, translate(N_(", not in the text")));
}

void places_put(struct wr *out, const struct report_style *st,
                const struct val *list)
{
	if (list->kind != VAL_LIST || list->items.n == 0)
		return;
	put_title(out, st, _("What the configuration says:"));
	for (const struct val_item *it = list->items.first; it; it = it->next) {
		struct wr w = wr_init_heap();

		places_item_put(&w, &it->v, translated);
		put_item(out, st, &w);
	}
}

void places_settings_put(struct wr *out, const struct report_style *st,
                         const struct val *list)
{
	if (list->kind != VAL_LIST || list->items.n == 0)
		return;
	put_title(out, st, _("What its settings say of the SIP ALG:"));
	for (const struct val_item *it = list->items.first; it; it = it->next) {
		const int64_t line = val_get_int(&it->v, "line", 0);
		struct wr w = wr_init_heap();

		wr_put(&w, val_get_text(&it->v, "setting"));
		wr_str(&w, ": ");
		wr_put(&w, val_get_text(&it->v, "alg"));
		if (line)
			wr_fmt(&w, _(", line %u"), (unsigned)line);
		else
			wr_str(&w, _(", not in the text"));
		put_item(out, st, &w);
	}
}
