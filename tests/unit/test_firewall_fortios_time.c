/* SPDX-License-Identifier: ISC */
/* Times of FortiOS: of sessions, packet by packet (Fortinet's KB 191228), and
 * of the week. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "firewall/audit.h"

struct timed {
	struct arena arena;
	struct fw_rules rules;
	struct diag dg;
	struct fw_flow flow;
	struct fw_answer *answers;
	int err;
};

/* What is one flow's time, a UDP flow from lan to wan1? */
static void judge(struct timed *t, const char *text, uint16_t lo, uint16_t hi)
{
	const struct fw_question q = {.flows = &t->flow,
	                              .n_flows = 1,
	                              .place = {.in = "lan", .out = "wan1"}};
	struct fw_ip ip, last;

	memset(t, 0, sizeof(*t));
	arena_init(&t->arena);
	fw_rules_init(&t->rules);
	diag_init(&t->dg, &t->arena, "box.conf", slice_str(text));
	t->err = fw_dialect_find("fortios")->parse(&t->rules, slice_str(text),
	                                           &t->dg);
	t->flow = (struct fw_flow){.id = "f",
	                           .title = "f",
	                           .min_udp_idle_s = 300,
	                           .min_tcp_idle_s = FW_IDLE_UNSET};
	assert_int_equal(fw_ip_parse(&ip, &last, slice_str("192.0.2.1")), 0);
	assert_non_null(fw_addrs_add_range(&t->arena, &t->flow.dst, ip, last));
	assert_non_null(fw_services_add(&t->arena, &t->flow.services,
	                                FW_PROTO_UDP, lo, hi));
	assert_int_equal(fw_answer_all(&t->answers, &t->arena, &t->rules, &q),
	                 0);
}

static void done(struct timed *t)
{
	fw_rules_fini(&t->rules);
	arena_fini(&t->arena);
}

#define POLICY(services, more)                                          \
	"config firewall policy\nedit 1\nset srcintf lan\n"             \
	"set dstintf wan1\nset srcaddr all\nset dstaddr all\n"          \
	"set action accept\nset schedule always\nset service " services \
	"\n" more "next\nend\n"
#define TTL(entries) \
	"config system session-ttl\nconfig port\n" entries "end\nend\n"
#define PORT(key, proto, lo, hi, ttl)                              \
	"edit " key "\nset protocol " proto "\nset start-port " lo \
	"\nset end-port " hi "\nset timeout " ttl "\nnext\n"
#define SERVICES                                                         \
	"config firewall service custom\n"                               \
	"edit sip\nset udp-portrange 5060-5061\n"                        \
	"set udp-idle-timer 300\nnext\n"                                 \
	"edit rtp\nset udp-portrange 10000-65535\nnext\n"                \
	"edit stun\nset udp-portrange 3478\nset session-ttl 900\nnext\n" \
	"edit wide\nset udp-portrange 5000-6000\nnext\nend\n"

static void test_each_port_has_its_own_time(void **state)
{
	static const struct {
		const char *why, *text;
		uint16_t lo, hi;
		int64_t udp_s;
		const char *by; /* its rule; NULL: the box's timer */
	} rows[] = {
		{"in the table, and the policy is for every service",
	         TTL(PORT("1", "17", "5060", "5061", "600")) POLICY("ALL", ""),
	         5060, 5061, 600, "session-ttl port 1"},
		{"one port beyond the table",
	         TTL(PORT("1", "17", "5060", "5061", "600")) POLICY("ALL", ""),
	         5060, 5062, 180, NULL},
		{"two entries cover it, the shorter counts",
	         TTL(PORT("1", "17", "5060", "5060", "600") PORT(
			 "2", "17", "5061", "5061", "400")) POLICY("ALL", ""),
	         5060, 5061, 400, "session-ttl port 2"},
		{"two entries meet: the shorter is sure",
	         TTL(PORT("1", "17", "5000", "6000", "400") PORT(
			 "2", "17", "5060", "5060", "600")) POLICY("ALL", ""),
	         5060, 5060, 400, "session-ttl port 1"},
		{"TCP's entry is not UDP's",
	         TTL(PORT("1", "6", "5060", "5060", "600")) POLICY("ALL", ""),
	         5060, 5060, 180, "1"},
		{"what protocol 0 means is not documented",
	         TTL(PORT("1", "0", "5060", "5060", "600")) POLICY("ALL", ""),
	         5060, 5060, FW_IDLE_UNKNOWN, "session-ttl port 1"},
		{"an entry for ever",
	         TTL(PORT("1", "17", "5060", "5060", "never"))
	                 POLICY("ALL", ""),
	         5060, 5060, FW_IDLE_NEVER, "session-ttl port 1"},
		{"the policy's comes before the table",
	         TTL(PORT("1", "17", "5060", "5060", "60"))
	                 POLICY("ALL", "set session-ttl 300\n"),
	         5060, 5060, 300, "1"},
		{"the policy's for ever",
	         POLICY("ALL", "set session-ttl never\n"), 5060, 5060,
	         FW_IDLE_NEVER, "1"},
		{"one service of several has its own",
	         SERVICES POLICY("rtp sip stun", ""), 5060, 5061, 300,
	         "service sip"},
		{"and another", SERVICES POLICY("rtp sip stun", ""), 3478, 3478,
	         900, "service stun"},
		{"and one has none", SERVICES POLICY("rtp sip stun", ""), 10000,
	         20000, 180, NULL},
		{"its own before the table",
	         TTL(PORT("1", "17", "1", "65535", "700"))
	                 SERVICES POLICY("rtp sip", ""),
	         5060, 5060, 300, "service sip"},
		{"the rest is the table's",
	         TTL(PORT("1", "17", "1", "65535", "700"))
	                 SERVICES POLICY("rtp sip", ""),
	         10000, 10000, 700, "session-ttl port 1"},
		{"a packet of two services: the shorter is sure",
	         SERVICES POLICY("sip wide", ""), 5060, 5060, 180, "1"},
		{"all of one time are that policy's",
	         SERVICES POLICY("sip", ""), 5060, 5061, 300, "1"},
		{"a policy that is off sets nothing",
	         SERVICES POLICY(
			 "rtp sip",
			 "set status disable\n") "config firewall policy\nedit 2\nset srcintf lan\n"
	                                         "set dstintf wan1\nset srcaddr all\nset dstaddr all\n"
	                                         "set action accept\nset service ALL\nnext\nend\n",
	         5060, 5060, 180, "2"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct fw_rule *by;
		struct timed t;

		judge(&t, rows[i].text, rows[i].lo, rows[i].hi);
		by = t.answers[0].out.idle_rule;
		if (t.err || t.answers[0].verdict != FW_PASS ||
		    t.answers[0].udp_idle_s != rows[i].udp_s ||
		    !by != !rows[i].by ||
		    (by && strcmp(by->id, rows[i].by) != 0))
			fail_msg("%s: %d, %d, %lld s by %s", rows[i].why, t.err,
			         (int)t.answers[0].verdict,
			         (long long)t.answers[0].udp_idle_s,
			         by ? by->id : "the box");
		/* What sets times is no policy that a person could name. */
		assert_int_equal(t.answers[0].out.parts->rule->action,
		                 FW_ACCEPT);
		done(&t);
	}
}

/* The line that is told is the one to change. */
static void test_the_line_of_a_time_is_its_own(void **state)
{
	struct timed t;

	UNUSED(state);
	judge(&t, TTL(PORT("7", "17", "5060", "5060", "60")) POLICY("ALL", ""),
	      5060, 5060);
	assert_int_equal(t.answers[0].out.idle_rule->line, 3);
	done(&t);
	judge(&t, SERVICES POLICY("rtp stun", ""), 3478, 3478);
	assert_int_equal(t.answers[0].out.idle_rule->line, 9);
	done(&t);
}

#define WEEK "sunday monday tuesday wednesday thursday friday saturday"
#define ON(schedule)                                                      \
	"config firewall policy\nedit 1\nset srcintf lan\n"               \
	"set dstintf wan1\nset srcaddr all\nset dstaddr all\n"            \
	"set action accept\nset service ALL\nset schedule " schedule "\n" \
	"next\nend\n"
#define RECURRING(name, lines)                                      \
	"config firewall schedule recurring\nedit " name "\n" lines \
	"next\nend\n"

/* No clock is asked: what is on all week is on, the rest is not known. */
static void test_schedules_are_on_always_never_or_sometimes(void **state)
{
	static const struct {
		const char *why, *text;
		enum fw_verdict verdict;
	} rows[] = {
		{"the factory's", ON("always"), FW_PASS},
		{"all week", RECURRING("x", "set day " WEEK "\n") ON("x"),
	         FW_PASS},
		{"all week, in full",
	         RECURRING("x", "set start 00:00\nset end 00:00\nset day " WEEK
	                        "\n") ON("x"),
	         FW_PASS},
		{"each day, not all of it",
	         RECURRING("x", "set start 08:00\nset end 18:00\nset day " WEEK
	                        "\n") ON("x"),
	         FW_DONT_KNOW},
		{"one day less",
	         RECURRING("x", "set day sunday monday tuesday wednesday "
	                        "thursday friday\n") ON("x"),
	         FW_DONT_KNOW},
		{"no day", RECURRING("x", "set day none\n") ON("x"), FW_FAIL},
		{"the factory's, changed",
	         RECURRING("always", "set day monday\n") ON("always"),
	         FW_DONT_KNOW},
		{"not in the text", ON("x"), FW_DONT_KNOW},
		{"once",
	         "config firewall schedule onetime\nedit x\n"
	         "set end 00:00 2030/01/01\nnext\nend\n" ON("x"),
	         FW_DONT_KNOW},
		{"a group with one that is always on",
	         RECURRING(
			 "y",
			 "set day monday\n") "config firewall schedule group\nedit x\n"
	                                     "set member y always\nnext\nend\n" ON(
						     "x"),
	         FW_PASS},
		{"a group without",
	         RECURRING(
			 "y",
			 "set day monday\n") "config firewall schedule group\nedit x\n"
	                                     "set member y z\nnext\nend\n" ON(
						     "x"),
	         FW_DONT_KNOW},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct timed t;

		judge(&t, rows[i].text, 5060, 5060);
		if (t.err || t.answers[0].verdict != rows[i].verdict)
			fail_msg("%s: %d, %d", rows[i].why, t.err,
			         (int)t.answers[0].verdict);
		done(&t);
	}
}

static void test_a_table_beyond_any_box_is_refused(void **state)
{
	static char text[1 << 16];
	size_t n = (size_t)snprintf(text, sizeof(text), "%s",
	                            "config system session-ttl\nconfig port\n");
	struct timed t;

	UNUSED(state);
	for (int i = 1; i <= 513; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		                      "edit %d\nset protocol 17\n"
		                      "set start-port %d\nset timeout 600\n"
		                      "next\n",
		                      i, i);
	(void)snprintf(text + n, sizeof(text) - n, "end\nend\n%s",
	               POLICY("ALL", ""));
	judge(&t, text, 512, 512);
	assert_int_equal(t.err, EBADMSG);
	assert_int_equal(t.answers[0].udp_idle_s, 600);
	done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_port_has_its_own_time),
		cmocka_unit_test(test_the_line_of_a_time_is_its_own),
		cmocka_unit_test(
			test_schedules_are_on_always_never_or_sometimes),
		cmocka_unit_test(test_a_table_beyond_any_box_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
