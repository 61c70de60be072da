/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "report/report.h"

static char *write_text(struct wr *w, const struct report *r, bool is_verbose)
{
	struct report_style st = {.width = 70, .is_verbose = is_verbose};

	assert_int_equal(report_write_text(w, r, &st), 0);
	wr_u8(w, 0);
	return (char *)w->p;
}

static void test_text_puts_alike_facts_on_one_line(void **state)
{
	struct wr w = wr_init_heap(), all = wr_init_heap();
	struct report r;
	const char *text;
	size_t n_lines = 0;

	UNUSED(state);
	report_init(&r);
	for (int i = 0; i < 200; i++) {
		struct fact *f = report_fact(&r, "rtp.port", FACT_FAIL, NULL);

		(void)fact_field(&r, f, "result", val_text("blocked"));
		(void)fact_field(&r, f, "transport", val_text("udp"));
	}
	text = write_text(&w, &r, false);
	assert_non_null(strstr(text, "[!!] rtp.port: blocked\n"));
	assert_null(strstr(strstr(text, "[!!]") + 1, "[!!]"));
	for (text = write_text(&all, &r, true); *text; text++)
		n_lines += *text == '\n';
	assert_true(n_lines > 200);
	wr_fini(&w);
	wr_fini(&all);
	report_fini(&r);
}

static void test_text_keeps_unlike_facts_apart(void **state)
{
	struct wr w = wr_init_heap();
	struct report r;
	const char *text;

	UNUSED(state);
	report_init(&r);
	for (int port = 5060; port < 5062; port++) {
		struct fact *f = report_fact(&r, "alg.ladder", FACT_PASS, NULL);

		(void)fact_field(&r, f, "result", val_text("clean"));
		(void)fact_field(&r, f, "transport", val_text("udp"));
		(void)fact_field(&r, f, "dst_port", val_int(port));
	}
	text = write_text(&w, &r, false);
	assert_non_null(strstr(text, "[ok] alg.ladder 5060/UDP: unchanged\n"));
	assert_non_null(strstr(text, "[ok] alg.ladder 5061/UDP: unchanged\n"));
	wr_fini(&w);
	report_fini(&r);
}

static void test_text_shows_evidence_it_does_not_know(void **state)
{
	struct wr w = wr_init_heap();
	struct finding *fd;
	struct report r;
	const char *text;

	UNUSED(state);
	report_init(&r);
	fd = report_finding(&r, "new.finding", FINDING_WARN);
	fd->title.msgid = "Something new.";
	(void)val_put(&r.arena, &r.no_memory, &fd->evidence, "colour",
	              val_bytes(slice_str("red\x1b")));
	text = write_text(&w, &r, false);
	assert_non_null(strstr(text, "1. Something new. [new.finding]\n"));
	assert_non_null(strstr(text, "   colour: red\\x1b\n"));
	wr_fini(&w);
	report_fini(&r);
}

static void test_text_says_a_range_as_a_range(void **state)
{
	struct wr w = wr_init_heap();
	struct finding *fd;
	struct report r;
	struct val *box;

	UNUSED(state);
	report_init(&r);
	fd = report_finding(&r, "alg.rewrites-sip", FINDING_FAIL);
	fd->title.msgid = "x";
	box = val_put(&r.arena, &r.no_memory, &fd->evidence, "location",
	              val_map());
	(void)val_put(&r.arena, &r.no_memory, box, "hop_min", val_int(1));
	(void)val_put(&r.arena, &r.no_memory, box, "hop_max", val_int(3));
	assert_non_null(strstr(write_text(&w, &r, false),
	                       "Where: between hop 1 and hop 3, "));
	wr_fini(&w);
	report_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_puts_alike_facts_on_one_line),
		cmocka_unit_test(test_text_keeps_unlike_facts_apart),
		cmocka_unit_test(test_text_shows_evidence_it_does_not_know),
		cmocka_unit_test(test_text_says_a_range_as_a_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
