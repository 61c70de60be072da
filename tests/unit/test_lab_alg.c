/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "lab/alg.h"

/* As conntrack 1.4.7 prints it. */
#define TAIL                                                        \
	" src=192.0.2.33 dst=198.51.100.10 sport=9 dport=5060 "     \
	"[UNREPLIED] src=198.51.100.10 dst=203.0.113.2 sport=5060 " \
	"dport=9 mark=0"

static const struct {
	const char *why;
	struct slice text;
	struct lab_alg want;
	bool is_active, is_absent;
} cases[] = {
	{"nothing listed", BYTES(""), {false, false, 0}, false, true},
	{"only the footer",
         BYTES("conntrack v1.4.7 (conntrack-tools): 0 flow entries\n"),
         {false, false, 0},
         false,
         true},
	{"the helper and its timer",
         BYTES("udp      17 3599" TAIL " helper=sip use=1\n"),
         {true, true, 3599},
         true,
         false},
	{"an ordinary entry",
         BYTES("udp      17 29" TAIL " use=1\n"),
         {true, false, 29},
         false,
         true},
	{"another helper",
         BYTES("udp      17 29" TAIL " helper=tftp use=1\n"),
         {true, false, 29},
         false,
         true},
	{"a helper whose timer does not show it",
         BYTES("udp      17 29" TAIL " helper=sip use=1\n"),
         {true, true, 29},
         false,
         false},
	{"a long timer without a helper",
         BYTES("udp      17 3599" TAIL " use=1\n"),
         {true, false, 3599},
         false,
         false},
	{"the longest-lived of two",
         BYTES("udp 17 29" TAIL "\nudp 17 3599" TAIL " helper=sip\n"),
         {true, true, 3599},
         true,
         false},
	{"not UDP",
         BYTES("tcp      6 3599 ESTABLISHED helper=sip\n"),
         {false, false, 0},
         false,
         true},
	{"a timer that is no number",
         BYTES("udp      17 -1" TAIL " helper=sip\n"),
         {false, false, 0},
         false,
         true},
};

static void test_parse_reads_the_listing(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct lab_alg got;

		lab_alg_parse(&got, cases[i].text);
		if (got.has_entry != cases[i].want.has_entry ||
		    got.has_helper != cases[i].want.has_helper ||
		    got.timeout_s != cases[i].want.timeout_s)
			fail_msg("%s: entry %d, helper %d, timer %u",
			         cases[i].why, got.has_entry, got.has_helper,
			         got.timeout_s);
		if (lab_alg_is_active(&got) != cases[i].is_active ||
		    lab_alg_is_absent(&got) != cases[i].is_absent)
			fail_msg("%s: wrongly judged", cases[i].why);
	}
}

static void test_parse_calls_no_prefix_active(void **state)
{
	struct slice in = BYTES("udp      17 3599" TAIL " helper=sip");

	UNUSED(state);
	while (in.n-- > 0) {
		struct lab_alg got;

		lab_alg_parse(&got, in);
		assert_false(lab_alg_is_active(&got));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_reads_the_listing),
		cmocka_unit_test(test_parse_calls_no_prefix_active),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
