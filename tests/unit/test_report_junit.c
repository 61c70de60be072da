/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "base/i18n.h"
#include "oom.h"
#include "report/report.h"

static void fill(struct report *r)
{
	struct finding *fd;
	struct fact *f;

	f = report_fact(r, "a.pass", FACT_PASS, "udp/5060");
	f->summary = (struct words){N_("it is \"fine\" & <well>"), {0}};
	f = report_fact(r, "a.warn", FACT_WARN, NULL);
	f->summary = (struct words){N_("so so"), {0}};
	f = report_fact(r, "a.fail", FACT_FAIL, "x\x01y\xff");
	f->summary = (struct words){N_("it is %1$s"), {"\x1b[31mred"}};
	f = report_fact(r, "a.unknown", FACT_UNKNOWN, NULL);
	f->why = (struct words){N_("no answer"), {0}};
	(void)report_fact(r, "a.skipped", FACT_SKIPPED, NULL);
	fd = report_finding(r, "b.cause", FINDING_FAIL);
	fd->title = (struct words){N_("The cause."), {0}};
	(void)finding_remedy(r, fd, "do", (struct words){N_("Do this."), {0}});
	fd = report_finding(r, "b.note", FINDING_NOTE);
	fd->title = (struct words){N_("A note."), {0}};
	r->is_tested = true;
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no '%s' in:\n%s", part, text);
}

static void test_every_state_has_its_form(void **state)
{
	struct wr w = wr_init_heap();
	struct report r;
	const char *text;

	UNUSED(state);
	report_init(&r);
	fill(&r);
	assert_int_equal(report_write_junit(&w, &r), 0);
	wr_u8(&w, 0);
	text = (const char *)w.p;
	assert_has(text, "<testsuites name=\"prumo\" tests=\"7\" "
	                 "failures=\"2\" errors=\"0\" skipped=\"2\">");
	assert_has(text, "<property name=\"verdict\" value=\"not-ready\"/>");
	assert_has(text, "<testcase classname=\"a.pass\" name=\"udp/5060: it "
	                 "is &quot;fine&quot; &amp; &lt;well&gt;\"/>");
	assert_has(text, "<system-out>warning: so so</system-out>");
	assert_has(text, "name=\"x\\x01y\\xff: it is \\x1b[31mred\"");
	assert_has(text, "<failure type=\"a.fail\" message=\"it is "
	                 "\\x1b[31mred\"/>");
	assert_has(text, "<skipped message=\"unknown: no answer\"/>");
	assert_has(text, "<skipped message=\"skipped\"/>");
	assert_has(text, "<failure type=\"b.cause\" message=\"The cause.\">");
	assert_has(text, "- Do this.\n</failure>");
	assert_has(text, "<system-out>note: ");
	wr_fini(&w);
	report_fini(&r);
}

static void test_no_memory_is_an_error(void **state)
{
	struct report r;

	UNUSED(state);
	report_init(&r);
	fill(&r);
	for (unsigned long n = 0;; n++) {
		struct wr w = wr_init_heap();
		int err;

		oom_after(n);
		err = report_write_junit(&w, &r);
		oom_after(OOM_NEVER);
		wr_fini(&w);
		if (err == 0)
			break;
		assert_int_equal(err, ENOMEM);
	}
	report_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_state_has_its_form),
		cmocka_unit_test(test_no_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
