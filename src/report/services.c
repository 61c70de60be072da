/* SPDX-License-Identifier: ISC */
/*
 * Design: the reader has the provider's document in hand, so the table goes
 * by its rows, and within a row by how the flows fare: what is reached needs
 * no word, what is not has its own. Rows that were not asked, all for the
 * same reason, are one line.
 */
#include "report/services.h"

#include <inttypes.h>
#include <string.h>

#include "base/i18n.h"

enum {
	INDENT = 2,
	ENDS = 13,
};

static const struct end {
	const char *result;
	const char *word; /* NULL: reached, which needs none */
} ends[ENDS] = {
	{"answered", NULL}, /* or open */
	{"partly", N_("partly blocked")},
	{"silent", N_("silent")},
	{"refused", N_("refused")},
	{"cut", N_("cut")},
	{"bad-tls", N_("TLS fails")},
	{"other", N_("somebody else answers")},
	{"local", N_("not let out by this computer")},
	{"no-address", N_("the name has no address")},
	{"no-means", N_("cannot be told")},
	{"limited", N_("asked too often")},
	{"unfinished", N_("not finished")},
	{"skipped", N_("not tested")},
};

static const char *translate(const char *msgid)
{
	return gettext(msgid);
}

static bool is_flow(const struct fact *f)
{
	return strcmp(f->id, "flow.reached") == 0;
}

bool services_has(const struct fact *f)
{
	bool is_fine = f->state == FACT_PASS || f->state == FACT_SKIPPED;

	if (is_flow(f) || strcmp(f->id, "path.stops") == 0)
		return true;
	if (strcmp(f->id, "name.resolved") == 0 ||
	    strcmp(f->id, "tls.certificate") == 0)
		return is_fine;
	/* what a question saw; flows point to it */
	return val_get(&f->fields, "protocol") &&
	       val_get(&f->fields, "layer") &&
	       (is_fine || !val_get(&f->fields, "is_extra"));
}

static bool same_row(const struct fact *a, const struct fact *b)
{
	return slice_eq(val_get_text(&a->fields, "table"),
	                val_get_text(&b->fields, "table")) &&
	       val_get_int(&a->fields, "row", 0) ==
	               val_get_int(&b->fields, "row", 0);
}

static bool is_result(const struct fact *f, const struct end *e)
{
	struct slice result = val_get_text(&f->fields, "result");

	return slice_eq_str(result, e->result) ||
	       (!e->word && slice_eq_str(result, "open"));
}

static const struct fact *next_flow(const struct fact *f)
{
	while (f && !is_flow(f))
		f = f->next;
	return f;
}

/* The first flow of the next row. */
static const struct fact *next_row(const struct fact *row)
{
	const struct fact *f = row;

	while (f && same_row(f, row))
		f = next_flow(f->next);
	return f;
}

static int rank(enum fact_state s)
{
	static const int ranks[] = {
		[FACT_PASS] = 1,    [FACT_WARN] = 3,    [FACT_FAIL] = 4,
		[FACT_UNKNOWN] = 2, [FACT_SKIPPED] = 0,
	};

	return ranks[s];
}

static enum fact_state worst(const struct fact *row)
{
	enum fact_state s = row->state;

	for (const struct fact *f = row; f && same_row(f, row);
	     f = next_flow(f->next))
		s = rank(f->state) > rank(s) ? f->state : s;
	return s;
}

static void put_port(struct wr *w, const struct fact *f)
{
	int64_t first = val_get_int(&f->fields, "dst_port", 0);
	int64_t last = val_get_int(&f->fields, "port_last", first);

	wr_fmt(w, "%" PRId64, first);
	if (last != first)
		wr_fmt(w, "-%" PRId64, last);
}

/* "5060 5061 5080/UDP": of one transport, that ended so. */
static bool put_ports(struct wr *w, const struct fact *row, const struct end *e,
                      const char *transport, const char *upper, bool is_first)
{
	bool has_any = false;

	for (const struct fact *f = row; f && same_row(f, row);
	     f = next_flow(f->next)) {
		if (!is_result(f, e) ||
		    !slice_eq_str(val_get_text(&f->fields, "transport"),
		                  transport))
			continue;
		wr_str(w, has_any ? " " : is_first ? "" : ", ");
		put_port(w, f);
		has_any = true;
	}
	if (has_any)
		wr_str(w, upper);
	return has_any;
}

static bool put_end(struct wr *w, const struct fact *row, const struct end *e,
                    bool is_first)
{
	static const struct {
		const char *name, *upper;
	} all[] = {{"udp", "/UDP"}, {"tcp", "/TCP"}, {"tls", "/TLS"}};
	struct wr ports = wr_init_heap();
	bool has_any = false;

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		has_any |= put_ports(&ports, row, e, all[i].name, all[i].upper,
		                     !has_any);
	if (has_any) {
		wr_str(w, is_first ? "" : "; ");
		if (e->word)
			wr_fmt(w, "%s ", gettext(e->word));
		wr_put(w, wr_slice(&ports));
	}
	w->bad |= ports.bad;
	wr_fini(&ports);
	return has_any;
}

static void put_row(struct wr *out, const struct report_style *st,
                    const struct fact *row)
{
	struct page_para pa = {0};
	struct wr w = wr_init_heap();
	bool is_first = true;

	page_mark(&pa, st, worst(row));
	page_print_put(&w, st, val_get_text(&row->fields, "host"));
	wr_str(&w, " (");
	page_print_put(&w, st, val_get_text(&row->fields, "description"));
	wr_str(&w, "): ");
	for (size_t i = 0; i < ENDS; i++)
		is_first &= !put_end(&w, row, &ends[i], is_first);
	pa.text = wr_slice(&w);
	pa.hang += INDENT;
	out->bad |= w.bad;
	page_put(out, st, &pa);
	wr_fini(&w);
}

static bool is_skipped(const struct fact *row)
{
	for (const struct fact *f = row; f && same_row(f, row);
	     f = next_flow(f->next)) {
		if (f->state != FACT_SKIPPED || f->why.msgid != row->why.msgid)
			return false;
	}
	return true;
}

/* One line for all rows that were left out for that reason. */
static void put_skipped(struct wr *out, const struct report_style *st,
                        const struct report *r, const struct fact *row)
{
	struct page_para pa = {0};
	struct wr w = wr_init_heap(), count = wr_init_heap();
	struct words ws = {.msgid = N_("%1$s flows not tested: %2$s")};
	unsigned n = 0;

	for (const struct fact *f = next_flow(r->facts); f; f = next_row(f)) {
		if (!is_skipped(f) || f->why.msgid != row->why.msgid)
			continue;
		if (f->index < row->index) { /* was told there */
			wr_fini(&w);
			wr_fini(&count);
			return;
		}
		for (const struct fact *g = f; g && same_row(g, f);
		     g = next_flow(g->next))
			n++;
	}
	wr_fmt(&count, "%u", n);
	wr_u8(&count, '\0');
	out->bad |= count.bad;
	if (!count.bad) {
		ws.args[0] = (const char *)count.p;
		ws.args[1] = gettext(row->why.msgid);
		page_mark(&pa, st, FACT_SKIPPED);
		words_put(&w, &ws, translate);
		pa.text = wr_slice(&w);
		page_put(out, st, &pa);
	}
	out->bad |= w.bad;
	wr_fini(&w);
	wr_fini(&count);
}

static void put_head(struct wr *out, const struct report_style *st,
                     const struct report *r)
{
	struct words ws = {
		.msgid = N_("The profile's services: %1$s of %2$s reached")};
	struct wr w = wr_init_heap(),
		  args[2] = {wr_init_heap(), wr_init_heap()};
	unsigned n[2] = {0};

	for (const struct fact *f = next_flow(r->facts); f;
	     f = next_flow(f->next)) {
		n[0] += is_result(f, &ends[0]);
		n[1] += f->state != FACT_SKIPPED;
	}
	for (size_t i = 0; i < 2; i++) {
		wr_fmt(&args[i], "%u", n[i]);
		wr_u8(&args[i], '\0');
		out->bad |= args[i].bad;
	}
	if (n[1] > 0 && !out->bad) {
		ws.args[0] = (const char *)args[0].p;
		ws.args[1] = (const char *)args[1].p;
		words_put(&w, &ws, translate);
		wr_u8(&w, ':');
		page_put(out, st,
		         &(struct page_para){.color = PAGE_BOLD,
		                             .text = wr_slice(&w)});
	}
	out->bad |= w.bad;
	wr_fini(&w);
	for (size_t i = 0; i < 2; i++)
		wr_fini(&args[i]);
}

void services_put(struct wr *out, const struct report_style *st,
                  const struct report *r)
{
	const struct fact *row = next_flow(r->facts);

	if (!row)
		return;
	put_head(out, st, r);
	for (; row; row = next_row(row)) {
		if (is_skipped(row))
			put_skipped(out, st, r, row);
		else
			put_row(out, st, row);
	}
	page_gap(out);
}
