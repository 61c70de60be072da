/* SPDX-License-Identifier: ISC */
/*
 * Design: the reader's order, not the program's: can I phone, what is the
 * cause, how do you know, what do I do now, what is for somebody else; the
 * measurements come last, alike ones on one line. Evidence that is known by
 * its key gets a form of its own, all other evidence is shown as it is, so
 * that a new finding needs no change here.
 *
 * Sentences are built in a scratch writer and end up in page_put(), which
 * alone decides what is printable.
 */
#include "report/report.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/i18n.h"
#include "report/page.h"
#include "report/places.h"
#include "report/rows.h"
#include "report/services.h"
#include "report/values.h"

enum {
	INDENT = 3,
	LABEL_COLUMNS = 9,
};

struct text {
	struct wr *out;
	const struct report_style *st;
};

/* Write the paragraph from @p w, which is released. */
static void put_para(struct text *t, struct page_para pa, struct wr *w)
{
	pa.text = wr_slice(w);
	t->out->bad |= w->bad;
	page_put(t->out, t->st, &pa);
	wr_fini(w);
}

static void put_words(struct text *t, struct page_para pa,
                      const struct words *ws)
{
	struct wr w = wr_init_heap();

	words_put(&w, ws, value_translate);
	put_para(t, pa, &w);
}

static void put_str(struct text *t, struct page_para pa, const char *s)
{
	pa.text = slice_str(s);
	page_put(t->out, t->st, &pa);
}

static void heading(struct text *t, const char *s)
{
	put_str(t,
	        (struct page_para){
			.indent = INDENT, .hang = INDENT, .color = PAGE_BOLD},
	        s);
}

/* Findings */

static const char *segment_word(enum segment s)
{
	static const char *const words[] = {
		[SEGMENT_UNKNOWN] = N_("in which network is not known"),
		[SEGMENT_DEVICE] = N_("in this device"),
		[SEGMENT_LAN] = N_("in your own network"),
		[SEGMENT_ROUTER] = N_("your router"),
		[SEGMENT_CARRIER] = N_("in the Internet carrier's network"),
		[SEGMENT_PROVIDER] = N_("at the telephony provider"),
	};

	return value_translate(words[s]);
}

static const char *act_word(enum act a)
{
	static const char *const words[] = {
		[ACT_CUSTOMER] = N_("you, or whoever runs your router"),
		[ACT_CARRIER] = N_("your Internet carrier"),
		[ACT_PROVIDER] = N_("the telephony provider"),
	};

	return value_translate(words[a]);
}

static const struct page_para body = {.indent = INDENT, .hang = INDENT};
static const struct page_para item = {
	.indent = INDENT, .hang = INDENT + 2, .lead = "-", .lead_columns = 2};

static void put_where(struct text *t, const struct finding *fd)
{
	const struct val *box = val_get(&fd->evidence, "location");
	struct slice address = val_get_text(box, "address");
	struct wr hop = wr_init_heap(), name = wr_init_heap();
	struct wr last = wr_init_heap();
	struct words ws = {.msgid = NULL};
	int64_t at = val_get_int(box, "hop", 0);

	wr_fmt(&hop, "%" PRId64, at > 0 ? at : val_get_int(box, "hop_min", 0));
	wr_fmt(&last, "%" PRId64, val_get_int(box, "hop_max", 0));
	page_escape_put(&name, t->st, address);
	wr_u8(&hop, '\0');
	wr_u8(&last, '\0');
	wr_u8(&name, '\0');
	t->out->bad |= hop.bad || last.bad || name.bad;
	if (at > 0 && address.n > 0)
		ws.msgid = N_("Where: hop %1$s, %2$s, %3$s.");
	else if (at > 0)
		ws.msgid = N_("Where: hop %1$s, %3$s.");
	else if (box && val_get_int(box, "hop_min", 0) == 0)
		ws.msgid = N_("Where: in this computer or between it and hop "
		              "%4$s.");
	else if (box && val_get(box, "hop_max"))
		ws.msgid = N_("Where: between hop %1$s and hop %4$s, %3$s.");
	if (ws.msgid && !t->out->bad) {
		ws.args[0] = (const char *)hop.p;
		ws.args[1] = (const char *)name.p;
		ws.args[2] = segment_word(fd->segment);
		ws.args[3] = (const char *)last.p;
		put_words(t, body, &ws);
	}
	wr_fini(&hop);
	wr_fini(&last);
	wr_fini(&name);
}

static void put_side(struct text *t, const char *label, const struct val *v)
{
	struct wr w = wr_init_heap();
	struct page_para pa = {
		.indent = INDENT + 2,
		.hang = INDENT + 2 + LABEL_COLUMNS,
		.lead = label,
		.lead_columns = LABEL_COLUMNS,
		.lead_color = PAGE_DIM,
	};

	if (v && v->kind != VAL_NULL)
		value_put(&w, t->st, v);
	else
		wr_str(&w, _("(nothing)"));
	put_para(t, pa, &w);
}

static const char *class_word(struct slice name)
{
	static const struct value_word words[] = {
		{"address-rewritten", N_("address rewritten")},
		{"port-rewritten", N_("port rewritten")},
		{"port-added", N_("port added")},
		{"port-removed", N_("port removed")},
		{"port-out-of-range", N_("impossible port")},
		{"parameter-added", N_("parameter added")},
		{"parameter-removed", N_("parameter removed")},
		{"parameter-changed", N_("parameter changed")},
		{"parameter-corrupted", N_("parameter damaged")},
		{"length-wrong", N_("wrong length")},
		{"length-updated", N_("length adapted")},
		{"header-added", N_("header added")},
		{"header-removed", N_("header removed")},
		{"header-reordered", N_("header moved")},
		{"header-merged", N_("headers run together")},
		{"case-changed", N_("upper and lower case changed")},
		{"whitespace-changed", N_("blanks changed")},
		{"fold-changed", N_("line folding changed")},
		{"name-form-changed", N_("header name changed")},
		{"line-ending-changed", N_("line end changed")},
		{"hop-count-changed", N_("hop count changed")},
		{"branch-changed", N_("branch changed")},
		{"via-added", N_("Via added")},
		{"record-route-added", N_("Record-Route added")},
		{"value-changed", N_("value changed")},
		{"body-changed", N_("body changed")},
		{"sdp-line-added", N_("SDP line added")},
		{"sdp-line-removed", N_("SDP line removed")},
		{"start-line-changed", N_("first line changed")},
		{"truncated", N_("cut short")},
		{"appended", N_("bytes appended")},
		{"unparsable", N_("no longer readable as SIP")},
	};

	return value_word_find(words, ARRAY_LEN(words), name);
}

static void put_edit(struct text *t, const struct val *edit)
{
	struct slice cls = val_get_text(edit, "class");
	struct wr w = wr_init_heap();
	struct page_para pa = {
		.indent = INDENT, .hang = INDENT + 2, .color = PAGE_BOLD};

	page_escape_put(&w, t->st, val_get_text(edit, "field"));
	if (cls.n > 0)
		wr_str(&w, ": ");
	if (class_word(cls))
		wr_str(&w, class_word(cls));
	else
		page_escape_put(&w, t->st, cls);
	put_para(t, pa, &w);
	put_side(t, _("before"), val_get(edit, "before"));
	put_side(t, _("after"), val_get(edit, "after"));
}

static void put_edits(struct text *t, const char *title,
                      const struct val *edits)
{
	heading(t, title);
	for (const struct val_item *it = edits->items.first; it; it = it->next)
		put_edit(t, &it->v);
}

static void put_fingerprint(struct text *t, const struct val *print)
{
	static const struct value_word words[] = {
		{"linux-netfilter",
	         N_("It behaves like the SIP helper of the Linux kernel, which "
	            "is inside many home routers:")},
		{"quicksec-juniper",
	         N_("It behaves like the SIP ALG of QuickSec or Juniper "
	            "firewalls:")},
		{"proxy", N_("It behaves like a SIP proxy:")},
		{"search-and-replace",
	         N_("It replaces the address wherever it finds it, blindly:")},
	};
	const char *word = value_word_find(words, ARRAY_LEN(words),
	                                   val_get_text(print, "name"));
	const struct val *reasons = val_get(print, "reasons");

	if (!word || !reasons || reasons->kind != VAL_LIST)
		return;
	heading(t, word);
	for (const struct val_item *it = reasons->items.first; it;
	     it = it->next) {
		struct wr msgid = wr_init_heap();

		wr_put(&msgid,
		       it->v.kind == VAL_TEXT ? it->v.s : (struct slice){0});
		wr_u8(&msgid, '\0');
		t->out->bad |= msgid.bad;
		if (!msgid.bad)
			put_str(t, item,
			        value_translate((const char *)msgid.p));
		wr_fini(&msgid);
	}
}

static void put_list(struct text *t, const char *label, const struct val *list)
{
	struct wr w = wr_init_heap();

	if (list->kind == VAL_LIST && list->items.n == 0)
		return;
	wr_fmt(&w, "%s ", label);
	value_put(&w, t->st, list);
	put_para(t, body, &w);
}

static void put_also(struct text *t, const struct val *list)
{
	static const struct value_word words[] = {
		{"alg.acts-as-proxy", N_("it acts as a proxy")},
		{"alg.rewrites-sip", N_("it rewrites SIP")},
		{"alg.drops-sip", N_("it drops some messages")},
		{"alg.drops-answers", N_("it drops answers")},
		{"alg.edits-inbound", N_("it changes what goes to the phone")},
		{"alg.moves-binding",
	         N_("it moves the session to another port")},
		{"alg.opens-pinholes", N_("it opens media ports")},
		{"path.loses-twins", N_("it loses the second of two sessions")},
		{"alg.stretches-timer", N_("it stretches the SIP timer")},
	};
	struct wr w = wr_init_heap();

	if (list->kind != VAL_LIST || list->items.n == 0)
		return;
	wr_fmt(&w, "%s ", _("Signs of the same cause:"));
	for (const struct val_item *it = list->items.first; it; it = it->next) {
		const char *word =
			it->v.kind == VAL_TEXT
				? value_word_find(words, ARRAY_LEN(words),
		                                  it->v.s)
				: NULL;

		wr_str(&w, it == list->items.first ? "" : "; ");
		if (word)
			wr_str(&w, word);
		else
			value_put(&w, t->st, &it->v);
	}
	put_para(t, body, &w);
}

static void put_evidence(struct text *t, const struct val *evidence)
{
	for (const struct val_item *it = evidence->items.first; it;
	     it = it->next) {
		struct wr label = wr_init_heap();

		wr_fmt(&label, "%s:", it->key);
		wr_u8(&label, '\0');
		t->out->bad |= label.bad;
		if (strcmp(it->key, "edits") == 0 && it->v.kind == VAL_LIST)
			put_edits(t, _("What was changed:"), &it->v);
		else if (strcmp(it->key, "inbound_edits") == 0 &&
		         it->v.kind == VAL_LIST)
			put_edits(t, _("What was changed towards the phone:"),
			          &it->v);
		else if (strcmp(it->key, "fingerprint") == 0)
			put_fingerprint(t, &it->v);
		else if (strcmp(it->key, "also") == 0)
			put_also(t, &it->v);
		else if (strcmp(it->key, "rules") == 0)
			places_put(t->out, t->st, &it->v);
		else if (strcmp(it->key, "settings") == 0)
			places_settings_put(t->out, t->st, &it->v);
		else if (strcmp(it->key, "clean") == 0)
			put_list(t, _("Passed unchanged in this test:"),
			         &it->v);
		else if (strcmp(it->key, "location") != 0 && !label.bad)
			put_list(t, (const char *)label.p, &it->v);
		wr_fini(&label);
	}
}

static void put_remedy(struct text *t, const struct finding *fd,
                       bool needs_router)
{
	bool is_first = true;

	for (const struct remedy_step *s = fd->remedy; s; s = s->next) {
		if (s->needs_router != needs_router)
			continue;
		if (is_first && needs_router)
			heading(t, _("To do in the router (needs its "
			             "password):"));
		else if (is_first)
			heading(t, _("To do now, without the router's "
			             "password:"));
		is_first = false;
		put_words(t, item, &s->text);
	}
}

static void put_finding(struct text *t, const struct finding *fd, unsigned no)
{
	static const enum page_color colors[] = {
		[FINDING_NOTE] = PAGE_BOLD,
		[FINDING_WARN] = PAGE_YELLOW,
		[FINDING_FAIL] = PAGE_RED,
	};
	struct words act = {.msgid = N_("Who must act: %1$s.")};
	struct wr number = wr_init_heap();
	struct page_para pa = {.hang = INDENT,
	                       .lead_columns = INDENT,
	                       .lead_color = colors[fd->severity],
	                       .color = colors[fd->severity]};
	struct wr title = wr_init_heap();

	wr_fmt(&number, "%u.", no);
	wr_u8(&number, '\0');
	words_put(&title, &fd->title, value_translate);
	wr_fmt(&title, " [%s]", fd->id);
	t->out->bad |= number.bad;
	if (!number.bad) {
		pa.lead = (const char *)number.p;
		put_para(t, pa, &title);
	} else {
		wr_fini(&title);
	}
	wr_fini(&number);
	put_where(t, fd);
	act.args[0] = act_word(fd->act);
	put_words(t, body, &act);
	if (fd->detail.msgid)
		put_words(t, body, &fd->detail);
	put_evidence(t, &fd->evidence);
	put_remedy(t, fd, false);
	put_remedy(t, fd, true);
	page_gap(t->out);
}

/* Facts */

static void put_fact(struct text *t, const struct fact *f, bool is_group)
{
	struct wr w = wr_init_heap();
	struct page_para pa = {0};

	page_mark(&pa, t->st, f->state);
	row_put(&w, t->st, f, is_group);
	put_para(t, pa, &w);
}

static void put_fact_evidence(struct text *t, const struct fact *f)
{
	for (const struct val_item *it = f->evidence.items.first; it;
	     it = it->next) {
		struct wr w = wr_init_heap();

		wr_fmt(&w, "%s: ", it->key);
		value_put(&w, t->st, &it->v);
		put_para(t,
		         (struct page_para){.indent = INDENT + 2,
		                            .hang = INDENT + 4,
		                            .color = PAGE_DIM},
		         &w);
	}
}

static void put_facts(struct text *t, const struct report *r)
{
	bool is_first = true;

	if (!t->st->is_verbose)
		services_put(t->out, t->st, r);
	for (const struct fact *f = r->facts; f; f = f->next) {
		if (!t->st->is_verbose && services_has(f))
			continue;
		if (is_first)
			put_str(t, (struct page_para){.color = PAGE_BOLD},
			        strncmp(f->id, "audit.", 6) == 0
			                ? _("What it does, row by row:")
			                : _("What was measured:"));
		is_first = false;
		if (t->st->is_verbose) {
			put_fact(t, f, false);
			put_fact_evidence(t, f);
		} else if (!row_has_earlier(r, f)) {
			put_fact(t, f, row_next_alike(f) != NULL);
		}
	}
}

static void put_verdict(struct text *t, const struct report *r)
{
	static const struct {
		const char *text;
		enum page_color color;
	} verdicts[] = {
		[VERDICT_READY] = {N_("READY: this network will carry the "
	                              "calls."),
	                           PAGE_GREEN},
		[VERDICT_READY_WITH_REMARKS] =
			{N_("READY, WITH REMARKS: calls will work; what could "
	                    "be better is below."),
	                 PAGE_YELLOW},
		[VERDICT_NOT_READY] = {N_("NOT READY: as it is, this network "
	                                  "will not carry the calls well."),
	                               PAGE_RED},
		[VERDICT_COULD_NOT_TEST] =
			{N_("COULD NOT TEST: nothing here proves this network "
	                    "good or bad."),
	                 PAGE_YELLOW},
	};
	enum verdict v = report_verdict(r);

	put_str(t, (struct page_para){.color = verdicts[v].color},
	        value_translate(verdicts[v].text));
}

static void put_profile(struct text *t, const struct report *r)
{
	struct slice name = val_get_text(&r->profile, "name");
	struct slice version = val_get_text(&r->profile, "version");
	struct wr w = wr_init_heap();

	if (name.n == 0)
		name = val_get_text(&r->profile, "id");
	if (name.n == 0)
		return;
	wr_fmt(&w, "%s ", _("Profile:"));
	page_escape_put(&w, t->st, name);
	wr_u8(&w, ' ');
	page_escape_put(&w, t->st, version);
	put_para(t, (struct page_para){.color = PAGE_DIM}, &w);
}

int report_write_text(struct wr *out, const struct report *r,
                      const struct report_style *st)
{
	struct text t = {out, st};
	unsigned no = 0;

	put_verdict(&t, r);
	put_profile(&t, r);
	page_gap(out);
	for (const struct finding *fd = r->findings; fd; fd = fd->next)
		put_finding(&t, fd, ++no);
	put_facts(&t, r);
	return out->bad ? ENOMEM : 0;
}
