/* SPDX-License-Identifier: ISC */
/*
 * Design: a test case is a fact, and a finding that fails is one more, in a
 * suite of its own: build servers count cases, and a cause must not drown
 * among two hundred symptoms. JUnit has no fifth state, so what is unknown is
 * skipped with its reason, never passed; a remark passes and says so in
 * system-out. Whether the verdict is "ready" is a property and the exit
 * status, not the sum of the cases.
 */
#include "report/report.h"

#include <errno.h>

#include "base/text.h"
#include "report/places.h"

enum suite {
	SUITE_FACTS,
	SUITE_FINDINGS,
};

struct counts {
	size_t n, n_failures, n_skipped;
};

/* XML 1.0, section 2.2, has no way to write most controls: they are shown as
 * text_escape_put() shows them. */
static void put_xml(struct wr *w, struct slice text)
{
	struct wr safe = wr_init_heap();

	text_escape_put(&safe, text);
	text_xml_put(w, wr_slice(&safe));
	w->bad |= safe.bad;
	wr_fini(&safe);
}

static void put_words(struct wr *w, const struct words *ws)
{
	struct wr text = wr_init_heap();

	words_put(&text, ws, words_english);
	put_xml(w, wr_slice(&text));
	w->bad |= text.bad;
	wr_fini(&text);
}

static void put_attr(struct wr *w, const char *name, struct slice value)
{
	wr_fmt(w, " %s=\"", name);
	put_xml(w, value);
	wr_str(w, "\"");
}

static void open_case(struct wr *w, const char *id, struct slice scope,
                      const struct words *summary)
{
	wr_str(w, "    <testcase");
	put_attr(w, "classname", slice_str(id));
	wr_str(w, " name=\"");
	put_xml(w, scope);
	if (scope.n && summary->msgid)
		wr_str(w, ": ");
	put_words(w, summary);
	wr_str(w, "\"");
}

static void put_skipped(struct wr *w, const struct fact *f)
{
	wr_fmt(w, ">\n      <skipped message=\"%s", fact_state_name(f->state));
	if (f->why.msgid) {
		wr_str(w, ": ");
		put_words(w, &f->why);
	}
	wr_str(w, "\"/>\n    </testcase>\n");
}

static void put_fact(struct wr *w, const struct fact *f)
{
	open_case(w, f->id, slice_str(f->scope ? f->scope : ""), &f->summary);
	switch (f->state) {
	case FACT_PASS:
		wr_str(w, "/>\n");
		break;
	case FACT_WARN:
		wr_str(w, ">\n      <system-out>warning: ");
		put_words(w, &f->summary);
		wr_str(w, "</system-out>\n    </testcase>\n");
		break;
	case FACT_FAIL:
		wr_str(w, ">\n      <failure");
		put_attr(w, "type", slice_str(f->id));
		wr_str(w, " message=\"");
		put_words(w, &f->summary);
		wr_str(w, "\"/>\n    </testcase>\n");
		break;
	case FACT_UNKNOWN:
	case FACT_SKIPPED:
		put_skipped(w, f);
		break;
	}
}

static void put_places(struct wr *w, const struct finding *fd)
{
	const struct val *rules = val_get(&fd->evidence, "rules");

	if (!rules || rules->kind != VAL_LIST)
		return;
	for (const struct val_item *it = rules->items.first; it;
	     it = it->next) {
		struct wr text = wr_init_heap();

		places_item_put(&text, &it->v, words_english);
		put_xml(w, wr_slice(&text));
		wr_str(w, "\n");
		w->bad |= text.bad;
		wr_fini(&text);
	}
}

/* What to do belongs to the failure: the one place a build server shows. */
static void put_advice(struct wr *w, const struct finding *fd)
{
	put_words(w, &fd->detail);
	wr_str(w, "\n");
	wr_fmt(w, "segment: %s; who must act: %s\n", segment_name(fd->segment),
	       act_name(fd->act));
	put_places(w, fd);
	for (const struct remedy_step *s = fd->remedy; s; s = s->next) {
		wr_str(w, "- ");
		put_words(w, &s->text);
		wr_str(w, "\n");
	}
}

static void put_finding(struct wr *w, const struct finding *fd)
{
	bool is_failure = fd->severity == FINDING_FAIL;

	open_case(w, fd->id, slice_str(""), &fd->title);
	wr_str(w, ">\n");
	if (is_failure) {
		wr_str(w, "      <failure");
		put_attr(w, "type", slice_str(fd->id));
		wr_str(w, " message=\"");
		put_words(w, &fd->title);
		wr_str(w, "\">");
	} else {
		wr_fmt(w, "      <system-out>%s: ",
		       finding_severity_name(fd->severity));
	}
	put_advice(w, fd);
	wr_str(w, is_failure ? "</failure>\n" : "</system-out>\n");
	wr_str(w, "    </testcase>\n");
}

static struct counts count(const struct report *r, enum suite suite)
{
	struct counts c = {0};

	if (suite == SUITE_FINDINGS) {
		for (const struct finding *f = r->findings; f; f = f->next) {
			c.n++;
			c.n_failures += f->severity == FINDING_FAIL;
		}
		return c;
	}
	for (const struct fact *f = r->facts; f; f = f->next) {
		c.n++;
		c.n_failures += f->state == FACT_FAIL;
		c.n_skipped +=
			f->state == FACT_UNKNOWN || f->state == FACT_SKIPPED;
	}
	return c;
}

static void put_counts(struct wr *w, struct counts c)
{
	wr_fmt(w,
	       " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\"",
	       c.n, c.n_failures, c.n_skipped);
}

static void put_property(struct wr *w, const char *name, struct slice value)
{
	if (!value.n)
		return;
	wr_str(w, "      <property");
	put_attr(w, "name", slice_str(name));
	put_attr(w, "value", value);
	wr_str(w, "/>\n");
}

static void put_properties(struct wr *w, const struct report *r)
{
	wr_str(w, "    <properties>\n");
	put_property(w, "verdict", slice_str(verdict_name(report_verdict(r))));
	put_property(w, "profile", val_get_text(&r->profile, "id"));
	put_property(w, "profile-version",
	             val_get_text(&r->profile, "version"));
	put_property(w, "prumo", val_get_text(&r->run, "prumo"));
	wr_str(w, "    </properties>\n");
}

static void open_suite(struct wr *w, const struct report *r, const char *name,
                       struct counts c)
{
	struct slice when = val_get_text(&r->run, "finished");
	int64_t ms = val_get_int(&r->run, "took_ms", 0);

	wr_fmt(w, "  <testsuite name=\"%s\"", name);
	put_counts(w, c);
	wr_fmt(w, " time=\"%u.%03u\"", (unsigned)(ms / 1000),
	       (unsigned)(ms % 1000));
	if (when.n)
		put_attr(w, "timestamp", when);
	wr_str(w, ">\n");
	put_properties(w, r);
}

int report_write_junit(struct wr *out, const struct report *r)
{
	struct counts causes = count(r, SUITE_FINDINGS);
	struct counts facts = count(r, SUITE_FACTS);
	struct counts all = {causes.n + facts.n,
	                     causes.n_failures + facts.n_failures,
	                     facts.n_skipped};

	wr_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	            "<testsuites name=\"prumo\"");
	put_counts(out, all);
	wr_str(out, ">\n");
	open_suite(out, r, "causes", causes);
	for (const struct finding *f = r->findings; f; f = f->next)
		put_finding(out, f);
	wr_str(out, "  </testsuite>\n");
	open_suite(out, r, "facts", facts);
	for (const struct fact *f = r->facts; f; f = f->next)
		put_fact(out, f);
	wr_str(out, "  </testsuite>\n</testsuites>\n");
	return out->bad ? ENOMEM : 0;
}
