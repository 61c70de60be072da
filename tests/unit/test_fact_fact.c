/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "fact/fact.h"
#include "oom.h"

static void fill(struct report *r)
{
	struct fact *f = report_fact(r, "alg.ladder", FACT_FAIL, "udp/5060");
	struct finding *fd = report_finding(r, "alg.rewrites", FINDING_FAIL);

	(void)fact_field(r, f, "method", val_text("INVITE"));
	finding_because(r, fd, f);
	(void)finding_remedy(r, fd, "use-tls", (struct words){"Use TLS", {0}});
}

static void test_verdict_is_the_worst_finding(void **state)
{
	struct report r;

	UNUSED(state);
	report_init(&r);
	assert_int_equal(report_verdict(&r), VERDICT_COULD_NOT_TEST);
	r.is_tested = true;
	assert_int_equal(report_verdict(&r), VERDICT_READY);
	(void)report_finding(&r, "x.note", FINDING_NOTE);
	assert_int_equal(report_verdict(&r), VERDICT_READY);
	(void)report_finding(&r, "x.warn", FINDING_WARN);
	assert_int_equal(report_verdict(&r), VERDICT_READY_WITH_REMARKS);
	fill(&r);
	assert_int_equal(report_verdict(&r), VERDICT_NOT_READY);
	r.is_tested = false;
	assert_int_equal(report_verdict(&r), VERDICT_NOT_READY);
	report_fini(&r);
}

static void test_no_memory_is_remembered(void **state)
{
	UNUSED(state);
	for (unsigned long n = 0;; n++) {
		struct report r;
		bool is_short;

		report_init(&r);
		oom_after(n);
		fill(&r);
		oom_after(OOM_NEVER);
		is_short = r.no_memory;
		if (!is_short) {
			assert_int_equal(r.n_facts, 1);
			assert_int_equal(r.findings->facts.items.n, 1);
		}
		report_fini(&r);
		if (!is_short)
			break;
		assert_true(n < 100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdict_is_the_worst_finding),
		cmocka_unit_test(test_no_memory_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
