/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "oom.h"
#include "report/report.h"

/* One fact with the value @p v; @return what stands after "value": */
static void check_value(struct val v, const char *want)
{
	struct wr w = wr_init_heap();
	struct report r;
	char *at, *end;

	report_init(&r);
	report_fact(&r, "a.b", FACT_PASS, NULL)->value = v;
	assert_int_equal(report_write_json(&w, &r), 0);
	wr_u8(&w, 0);
	at = strstr((char *)w.p, "\"value\": ");
	assert_non_null(at);
	end = strstr(at, ",\n      \"unit\"");
	assert_non_null(end);
	*end = '\0';
	assert_string_equal(at + strlen("\"value\": "), want);
	wr_fini(&w);
	report_fini(&r);
}

static void test_json_writes_every_kind(void **state)
{
	static const struct slice bytes = BYTES("\xff\x1b\"\\\r\ncaf\xc3\xa9");
	static const struct slice text = BYTES("a\xff\"\x07\n\xe6\x97\xa5");
	struct val v = {.kind = VAL_TEXT, .s = text};

	UNUSED(state);
	check_value((struct val){0}, "null");
	check_value(val_bool(true), "true");
	check_value(val_int(INT64_MIN), "-9223372036854775808");
	check_value(val_bytes(bytes),
	            "\"\\\\xff\\\\x1b\\\"\\\\\\\\\\\\r\\\\ncaf\xc3\xa9\"");
	check_value(v, "\"a\\\\xff\\\"\\u0007\\n\xe6\x97\xa5\"");
	check_value(val_list(), "[]");
	check_value(val_map(), "{}");
}

static void test_json_reals_read_back(void **state)
{
	UNUSED(state);
	check_value(val_real(0.25), "0.25");
	check_value(val_real(-1e300), "-1e+300");
	check_value(val_real(0.1), "0.1");
	check_value(val_real(1.0 / 3), "0.3333333333333333");
	check_value(val_real(NAN), "null");
	check_value(val_real(INFINITY), "null");
}

static void test_json_bounds_depth(void **state)
{
	struct wr w = wr_init_heap();
	struct report r;
	struct val *v;

	UNUSED(state);
	report_init(&r);
	v = &report_fact(&r, "a.b", FACT_PASS, NULL)->value;
	*v = val_list();
	for (int i = 0; i < 1000; i++)
		v = val_put(&r.arena, &r.no_memory, v, NULL, val_list());
	assert_int_equal(report_write_json(&w, &r), 0);
	assert_true(w.n < 10000);
	wr_fini(&w);
	report_fini(&r);
}

static void test_json_empty_report(void **state)
{
	static const char want[] = "{\n"
				   "  \"schema\": \"prumo/report/1\",\n"
				   "  \"verdict\": \"could-not-test\",\n"
				   "  \"profile\": {},\n"
				   "  \"run\": {},\n"
				   "  \"facts\": [],\n"
				   "  \"findings\": []\n"
				   "}\n";
	struct wr w = wr_init_heap();
	struct report r;

	UNUSED(state);
	report_init(&r);
	assert_int_equal(report_write_json(&w, &r), 0);
	wr_u8(&w, 0);
	assert_string_equal((const char *)w.p, want);
	wr_fini(&w);
	report_fini(&r);
}

static void fill(struct report *r)
{
	struct words text = {"use %1$s", {"TLS"}};
	struct fact *f = report_fact(r, "a.b", FACT_UNKNOWN, "udp/5060");
	struct finding *fd = report_finding(r, "c.d", FINDING_FAIL);

	f->why.msgid = "silence";
	(void)fact_field(r, f, "result", val_text("unknown"));
	(void)fact_evidence(r, f, "quote", val_bytes(slice_str("\xff")));
	fd->title.msgid = "a title";
	finding_because(r, fd, f);
	finding_remedy(r, fd, "use-tls", text)->needs_router = false;
}

static void test_json_and_text_survive_no_memory(void **state)
{
	struct report_style st = {.width = 60};
	struct report r;
	int err = ENOMEM;

	UNUSED(state);
	report_init(&r);
	fill(&r);
	for (unsigned long n = 0; err; n++) {
		struct wr w = wr_init_heap();

		oom_after(n);
		err = report_write_json(&w, &r);
		oom_after(OOM_NEVER);
		wr_fini(&w);
		assert_true(err == 0 || err == ENOMEM);
	}
	err = ENOMEM;
	for (unsigned long n = 0; err; n++) {
		struct wr w = wr_init_heap();

		oom_after(n);
		err = report_write_text(&w, &r, &st);
		oom_after(OOM_NEVER);
		wr_fini(&w);
		assert_true(err == 0 || err == ENOMEM);
	}
	report_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_writes_every_kind),
		cmocka_unit_test(test_json_reals_read_back),
		cmocka_unit_test(test_json_bounds_depth),
		cmocka_unit_test(test_json_empty_report),
		cmocka_unit_test(test_json_and_text_survive_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
