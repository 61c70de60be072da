/* SPDX-License-Identifier: ISC */
#include "report/values.h"

#include <inttypes.h>

#include "base/i18n.h"

const char *value_translate(const char *msgid)
{
	return *msgid ? gettext(msgid) : msgid;
}

const char *value_word_find(const struct value_word *words, size_t n,
                            struct slice name)
{
	for (size_t i = 0; i < n; i++) {
		if (slice_eq_str(name, words[i].name))
			return value_translate(words[i].word);
	}
	return NULL;
}

static void put_items(struct wr *w, const struct report_style *st,
                      const struct val *v)
{
	for (const struct val_item *it = v->items.first; it; it = it->next) {
		wr_str(w, it == v->items.first ? "" : ", ");
		if (it->key)
			wr_fmt(w, "%s ", it->key);
		value_put(w, st, &it->v);
	}
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the code that put it */
void value_put(struct wr *w, const struct report_style *st, const struct val *v)
{
	switch (v->kind) {
	case VAL_NULL:
		wr_str(w, "-");
		break;
	case VAL_BOOL:
		wr_str(w, v->b ? _("yes") : _("no"));
		break;
	case VAL_INT:
		wr_fmt(w, "%" PRId64, v->i);
		break;
	case VAL_REAL:
		wr_fmt(w, "%.6g", v->d);
		break;
	case VAL_TEXT:
	case VAL_BYTES:
		page_escape_put(w, st, v->s);
		break;
	case VAL_LIST:
	case VAL_MAP:
		put_items(w, st, v);
		break;
	}
}
