/* SPDX-License-Identifier: ISC */
/*
 * Design: a ladder of messages is read by what came of them, not one by one:
 * facts that say the same of the same port share a line, which then names the
 * messages. A fact that brings a sentence of its own has it said.
 */
#include "report/rows.h"

#include <inttypes.h>
#include <string.h>

#include "base/i18n.h"
#include "report/values.h"

enum {
	NAMES_MAX = 32, /* methods on the line of a group */
};

static const char *result_word(struct slice name)
{
	static const struct value_word words[] = {
		{"clean", N_("unchanged")},
		{"same", N_("the same")},
		{"edited", N_("changed on the way")},
		{"request-dropped", N_("dropped on the way")},
		{"answer-dropped", N_("answer dropped on the way back")},
		{"blocked", N_("blocked")},
		{"no-answer", N_("no answer")},
		{"lossy", N_("no answer")},
		{"not-connected", N_("not connected")},
		{"refused", N_("refused")},
		{"unknown", N_("not known")},
		{"skipped", N_("not tested")},
		{"open", N_("open")},
		{"closed", N_("closed")},
		{"longer-on-sip", N_("longer on the SIP port")},
		{"none", N_("none")},
		{"address", N_("address translated")},
		{"address-and-port", N_("address and port translated")},
	};

	return value_word_find(words, ARRAY_LEN(words), name);
}

static bool same_field(const struct fact *a, const struct fact *b,
                       const char *key)
{
	return slice_eq(val_get_text(&a->fields, key),
	                val_get_text(&b->fields, key));
}

/* Alike: the same question to the same port with the same result. */
static bool is_alike(const struct fact *a, const struct fact *b)
{
	return strcmp(a->id, b->id) == 0 && a->state == b->state &&
	       same_field(a, b, "result") && same_field(a, b, "transport") &&
	       same_field(a, b, "direction") &&
	       val_get_int(&a->fields, "dst_port", -1) ==
	               val_get_int(&b->fields, "dst_port", -1);
}

/* Rules of a firewall are facts by the ten thousand, and none has a result. */
static bool may_be_alike(const struct fact *f)
{
	return val_get(&f->fields, "result") != NULL;
}

bool row_has_earlier(const struct report *r, const struct fact *f)
{
	if (!may_be_alike(f))
		return false;
	for (const struct fact *g = r->facts; g && g != f; g = g->next) {
		if (is_alike(g, f))
			return true;
	}
	return false;
}

const struct fact *row_next_alike(const struct fact *f)
{
	if (!may_be_alike(f))
		return NULL;
	for (const struct fact *g = f->next; g; g = g->next) {
		if (is_alike(f, g))
			return g;
	}
	return NULL;
}

static void put_upper(struct wr *w, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		wr_u8(w, c >= 'a' && c <= 'z' ? (uint8_t)(c - 32) : c);
	}
}

static void put_channel(struct wr *w, const struct report_style *st,
                        const struct fact *f)
{
	int64_t port = val_get_int(&f->fields, "dst_port", 0);

	if (port > 0) {
		wr_fmt(w, "%" PRId64 "/", port);
		put_upper(w, val_get_text(&f->fields, "transport"));
	} else if (f->scope) {
		page_escape_put(w, st, slice_str(f->scope));
	}
}

static const char *as_is(const char *translated)
{
	return translated;
}

static bool is_message(const struct fact *f)
{
	return strcmp(f->id, "alg.ladder") == 0 &&
	       val_get_int(&f->fields, "dst_port", 0) > 0;
}

/* "SIP to 5060/UDP"; a fact that has no words goes by its id. */
static void put_subject(struct wr *w, const struct report_style *st,
                        const struct fact *f)
{
	static const struct value_word words[] = {
		{"out", N_("SIP to %1$s")},
		{"answer", N_("answers from %1$s")},
		{"in", N_("requests from %1$s")},
		{"reply", N_("our answers to %1$s")},
	};
	const char *word = value_word_find(
		words, ARRAY_LEN(words), val_get_text(&f->fields, "direction"));
	struct wr channel = wr_init_heap();
	struct words ws = {.msgid = word};

	put_channel(&channel, st, f);
	wr_u8(&channel, '\0');
	if (is_message(f) && word && !channel.bad) {
		ws.args[0] = (const char *)channel.p;
		words_put(w, &ws, as_is);
	} else {
		wr_str(w, f->id);
		wr_str(w, channel.n > 1 ? " " : "");
		wr_str(w, channel.bad ? "" : (const char *)channel.p);
	}
	w->bad |= channel.bad;
	wr_fini(&channel);
}

static void put_word(struct wr *w, const struct report_style *st,
                     const char *word, struct slice name)
{
	if (word)
		wr_str(w, word);
	else
		page_escape_put(w, st, name);
}

static void put_name(struct wr *w, const struct report_style *st,
                     const struct fact *f)
{
	static const struct value_word methods[] = {
		{"UNKNOWN", N_("a method nobody knows")},
		{"CRLF", N_("keep-alive")},
		{"PLAIN", N_("bytes that are not SIP")},
	};
	static const struct value_word variants[] = {
		{"unusual-form", N_("unusual form")},
		{"unusual-size", N_("unusual size")},
		{"compact", N_("short header names")},
		{"folded", N_("folded lines")},
		{"odd-case", N_("odd upper and lower case")},
		{"contact-no-port", N_("Contact without port")},
		{"via-no-port", N_("Via without port")},
		{"long-line", N_("long line")},
		{"long-uri", N_("long address")},
		{"fragmented", N_("in fragments")},
		{"split", N_("in two segments")},
		{"low-rtp-port", N_("media port below 1024")},
		{"contact-host", N_("Contact by host name")},
		{"no-connection-line", N_("SDP without c=")},
		{"call-1", N_("several calls at once")},
		{"second-phone", N_("a second phone, same media port")},
		{"new-session", N_("as a new session")},
		{"again", N_("once more")},
		{"burst", N_("many at once")},
		{"public-address", N_("with the public address")},
		{"short", N_("short form")},
	};
	struct slice method = val_get_text(&f->fields, "method");
	struct slice variant = val_get_text(&f->fields, "variant");

	if (slice_find(variant, slice_str("call-")) == 0)
		variant = slice_str("call-1");
	put_word(w, st, value_word_find(methods, ARRAY_LEN(methods), method),
	         method);
	if (variant.n > 0) {
		wr_str(w, " (");
		put_word(
			w, st,
			value_word_find(variants, ARRAY_LEN(variants), variant),
			variant);
		wr_u8(w, ')');
	}
}

/* The methods of @p f and of all facts alike, each once. */
static void put_names(struct wr *w, const struct report_style *st,
                      const struct fact *f)
{
	const struct fact *shown[NAMES_MAX];
	size_t n = 0;

	for (const struct fact *g = f; g; g = row_next_alike(g)) {
		bool is_new = val_get_text(&g->fields, "method").n > 0;

		for (size_t i = 0; is_new && i < n; i++)
			is_new = !(same_field(g, shown[i], "method") &&
			           same_field(g, shown[i], "variant"));
		if (!is_new)
			continue;
		if (n == NAMES_MAX) {
			wr_str(w, ", ...");
			return;
		}
		wr_str(w, n > 0 ? ", " : ": ");
		put_name(w, st, g);
		shown[n++] = g;
	}
}

static void put_result(struct wr *w, const struct report_style *st,
                       const struct fact *f)
{
	struct slice result = val_get_text(&f->fields, "result");
	const char *word = result_word(result);

	if (result.n == 0 && f->value.kind == VAL_NULL)
		return;
	wr_str(w, ": ");
	if (word)
		wr_str(w, word);
	else if (result.n > 0)
		page_escape_put(w, st, result);
	else
		value_put(w, st, &f->value);
	if (result.n == 0 && f->unit)
		wr_fmt(w, " %s", f->unit);
}

void row_put(struct wr *w, const struct report_style *st, const struct fact *f,
             bool is_group)
{
	if (f->summary.msgid && !is_group && !is_message(f)) {
		words_put(w, &f->summary, value_translate);
	} else {
		put_subject(w, st, f);
		put_result(w, st, f);
		if (is_group)
			put_names(w, st, f);
		else if (val_get_text(&f->fields, "method").n > 0) {
			wr_str(w, ": ");
			put_name(w, st, f);
		}
	}
	if (f->why.msgid) {
		wr_str(w, " - ");
		words_put(w, &f->why, value_translate);
	}
}
