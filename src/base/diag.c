/* SPDX-License-Identifier: ISC */
/*
 * Design: places are kept as line and column, computed when an item is added.
 * That scans the text from the last item on when places come in order, which
 * is how parsers report them, so a file full of faults stays linear.
 */
#include "base/diag.h"

#include <stdarg.h>
#include <string.h>

void diag_init(struct diag *dg, struct arena *arena, const char *file,
               struct slice text)
{
	*dg = (struct diag){.file = file, .text = text, .arena = arena};
}

static PRINTF_FMT(2, 0) const
	char *format(struct arena *a, const char *fmt, va_list ap)
{
	struct wr w = wr_init_heap();
	const char *s = NULL;

	wr_vfmt(&w, fmt, ap);
	if (!w.bad)
		s = arena_dup(a, wr_slice(&w));
	wr_fini(&w);
	return s ? s : "(no memory for the message)";
}

static struct slice line_from(struct slice text, size_t start)
{
	size_t n = 0;

	while (start + n < text.n && text.p[start + n] != '\n' &&
	       text.p[start + n] != '\r' && n < DIAG_QUOTE_BYTES)
		n++;
	return slice_sub(text, start, n);
}

static void count(struct diag *dg, enum diag_sev sev)
{
	dg->n_items++;
	if (sev == DIAG_ERROR)
		dg->n_errors++;
	else if (sev == DIAG_WARN)
		dg->n_warnings++;
}

static PRINTF_FMT(3, 0) void append(struct diag *dg, struct diag_item item,
                                    const char *fmt, va_list ap)
{
	struct diag_item *it = NULL;

	count(dg, item.sev);
	if (dg->n_items <= DIAG_MAX_ITEMS)
		it = arena_alloc(dg->arena, sizeof(*it));
	if (!it) {
		dg->n_dropped++;
		return;
	}
	*it = item;
	it->message = format(dg->arena, fmt, ap);
	if (dg->last)
		dg->last->next = it;
	else
		dg->first = it;
	dg->last = it;
}

static void locate(const struct diag *dg, struct diag_item *item, size_t at,
                   size_t n)
{
	size_t start = 0, i = 0;
	unsigned line = 1;
	const struct diag_item *last = dg->last;

	if (last && last->quote.p && last->quote.p <= dg->text.p + at) {
		start = i = (size_t)(last->quote.p - dg->text.p);
		line = last->line;
	}
	for (; i < at; i++) {
		if (dg->text.p[i] == '\n') {
			line++;
			start = i + 1;
		}
	}
	item->line = line;
	item->column = (unsigned)(at - start) + 1;
	item->quote = line_from(dg->text, start);
	item->mark_bytes =
		n > DIAG_QUOTE_BYTES ? DIAG_QUOTE_BYTES : (unsigned)n;
}

void diag_add(struct diag *dg, enum diag_sev sev, struct slice at,
              const char *fmt, ...)
{
	struct diag_item item = {.sev = sev};
	va_list ap;

	if (dg->n_items < DIAG_MAX_ITEMS && at.p && at.p >= dg->text.p &&
	    at.p <= dg->text.p + dg->text.n)
		locate(dg, &item, (size_t)(at.p - dg->text.p), at.n);
	va_start(ap, fmt);
	append(dg, item, fmt, ap);
	va_end(ap);
}

void diag_add_at(struct diag *dg, enum diag_sev sev, unsigned line,
                 unsigned column, const char *fmt, ...)
{
	struct diag_item item = {.sev = sev, .line = line, .column = column};
	size_t start = 0;
	unsigned at = 1;
	va_list ap;

	while (at < line && start < dg->text.n) {
		if (dg->text.p[start++] == '\n')
			at++;
	}
	item.quote = line_from(dg->text, start);
	va_start(ap, fmt);
	append(dg, item, fmt, ap);
	va_end(ap);
}
