/* SPDX-License-Identifier: ISC */
/*
 * Design: the first line is what editors and compilers understand
 * (file:line:column: severity: message), so it is never wrapped. The quote is
 * made printable first, and the mark is set by columns of that, not by bytes
 * of the source: a tab or a wide character before the fault moves it.
 */
#include "report/report.h"

#include <errno.h>

#include "base/i18n.h"
#include "report/page.h"

static const char *severity_word(enum diag_sev sev)
{
	switch (sev) {
	case DIAG_NOTE:
		return _("note");
	case DIAG_WARN:
		return _("warning");
	case DIAG_ERROR:
		break;
	}
	return _("error");
}

static enum page_color severity_color(enum diag_sev sev)
{
	static const enum page_color colors[] = {
		[DIAG_NOTE] = PAGE_DIM,
		[DIAG_WARN] = PAGE_YELLOW,
		[DIAG_ERROR] = PAGE_RED,
	};

	return colors[sev];
}

static void put_spaces(struct wr *w, unsigned n)
{
	while (n-- > 0)
		wr_u8(w, ' ');
}

static void put_quote(struct wr *out, const struct report_style *st,
                      const struct diag_item *it)
{
	size_t at = it->column > 0 ? it->column - 1 : 0;
	unsigned n_marks;

	if (it->quote.n == 0)
		return;
	put_spaces(out, 4);
	page_print_put(out, st, it->quote);
	wr_u8(out, '\n');
	if (it->column == 0 || at > it->quote.n)
		return;
	put_spaces(out, 4 + page_columns(st, slice_sub(it->quote, 0, at)));
	n_marks = page_columns(st, slice_sub(it->quote, at, it->mark_bytes));
	wr_u8(out, '^');
	for (unsigned i = 1; i < n_marks; i++)
		wr_u8(out, '~');
	wr_u8(out, '\n');
}

static void put_item(struct wr *out, const struct report_style *st,
                     const struct diag *dg, const struct diag_item *it)
{
	static const struct report_style endless = {.width = 100000};
	struct report_style line = *st;
	struct wr lead = wr_init_heap();
	struct wr text = wr_init_heap();
	struct page_para pa = {.color = PAGE_PLAIN};

	line.width = endless.width;
	wr_str(&lead, dg->file ? dg->file : "-");
	if (it->line > 0)
		wr_fmt(&lead, ":%u:%u", it->line, it->column);
	wr_fmt(&lead, ": %s:", severity_word(it->sev));
	wr_u8(&lead, '\0');
	wr_fmt(&text, " %s", it->message);
	out->bad |= lead.bad || text.bad;
	if (!out->bad) {
		pa.lead = (const char *)lead.p;
		pa.lead_color = severity_color(it->sev);
		pa.lead_columns = page_columns(&line, slice_str(pa.lead)) + 1;
		pa.text = wr_slice(&text);
		page_put(out, &line, &pa);
		put_quote(out, st, it);
	}
	wr_fini(&lead);
	wr_fini(&text);
}

int report_write_diag(struct wr *out, const struct diag *dg,
                      const struct report_style *st)
{
	for (const struct diag_item *it = dg->first; it; it = it->next)
		put_item(out, st, dg, it);
	if (dg->n_dropped > 0) {
		/* TRANSLATORS: after a list of faults in a file */
		wr_fmt(out,
		       ngettext("... and %zu more\n", "... and %zu more\n",
		                dg->n_dropped),
		       dg->n_dropped);
	}
	return out->bad ? ENOMEM : 0;
}
