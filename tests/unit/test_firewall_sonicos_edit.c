/* SPDX-License-Identifier: ISC */
/* Commands typed on a SonicWall, after what it listed. */
#include "firewall_box.h"

#define EXPORT "firmware-version \"SonicOS 7.0.1-5052\"\n"
#define RULE(action, dst)                                 \
	"access-rule ipv4 from LAN to WAN action " action \
	" source address any service any destination address " dst "\n"
#define LOW RULE("allow", "any") "    enable\n    udp timeout 30\n    exit\n"

struct asked {
	struct read r;
	struct fw_flow flow;
	struct fw_answer *answer;
	struct fw_question q;
};

/* SIP over UDP to 192.0.2.1, 300 s wanted. */
static void ask(struct asked *a, const char *text)
{
	struct fw_ip lo, hi;

	open_as(&a->r, "sonicos", slice_str(text));
	a->flow = (struct fw_flow){.id = "sip",
	                           .title = "sip",
	                           .min_udp_idle_s = 300,
	                           .min_tcp_idle_s = FW_IDLE_UNSET};
	assert_int_equal(fw_ip_parse(&lo, &hi, slice_str("192.0.2.1")), 0);
	assert_non_null(fw_addrs_add_range(&a->r.arena, &a->flow.dst, lo, hi));
	assert_non_null(fw_services_add(&a->r.arena, &a->flow.services,
	                                FW_PROTO_UDP, 5060, 5060));
	a->q = (struct fw_question){.flows = &a->flow,
	                            .n_flows = 1,
	                            .place = {.in = "LAN", .out = "WAN"}};
	assert_int_equal(
		fw_answer_all(&a->answer, &a->r.arena, &a->r.rules, &a->q), 0);
}

static void test_typed_commands_edit_the_rules(void **state)
{
	static const struct {
		const char *why, *text;
		enum fw_verdict verdict;
		int64_t udp_s;
	} rows[] = {
		{"as it is", EXPORT LOW, FW_PASS, 30},
		{"the rule goes on",
	         EXPORT LOW "configure\n" RULE(
			 "allow",
			 "any") "    udp timeout 300\n    exit\ncommit\n",
	         FW_PASS, 300},
		{"in a listing, two are two",
	         EXPORT LOW RULE("allow", "any") "    udp timeout 300\n",
	         FW_PASS, 30},
		{"on one line",
	         EXPORT LOW "con\naccess-rule ipv4 from LAN to WAN "
	                    "action allow source address any service any "
	                    "destination address any udp timeout 400\n",
	         FW_PASS, 400},
		{"by its UUID",
	         EXPORT RULE(
			 "allow",
			 "any") "    uuid 0001\n    name x\n    enable\n    exit\n"
	                        "configure\naccess-rule ipv4 uuid 0001\n"
	                        "    udp timeout 500\n    exit\n",
	         FW_PASS, 500},
		{"another's UUID",
	         EXPORT RULE(
			 "allow",
			 "any") "    uuid 0001\n    name x\n    enable\n    exit\n"
	                        "configure\naccess-rule ipv4 uuid 0002\n"
	                        "    udp timeout 500\n    exit\n",
	         FW_PASS, 30},
		{"another action is another rule",
	         EXPORT LOW "configure\n" RULE(
			 "deny", "any") "    udp timeout 300\n    exit\n",
	         FW_PASS, 30},
		{"it is taken away",
	         EXPORT LOW RULE("deny", "any") "configure\nno " RULE(
			 "allow", "any") "commit\n",
	         FW_FAIL, 30},
		{"by its UUID",
	         EXPORT RULE("allow", "any") "    uuid 0001\n    enable\n    exit\n" RULE(
			 "deny", "any") "configure\n"
	                                "no access-rule ipv4 uuid 0001\n",
	         FW_FAIL, 30},
		{"what is not there stays",
	         EXPORT LOW "configure\nno " RULE("allow", "host 192.0.2.9"),
	         FW_PASS, 30},
		{"IPv6 has its own",
	         EXPORT LOW "configure\nno access-rule ipv6 from LAN to WAN "
	                    "action allow source address any service any "
	                    "destination address any\n",
	         FW_PASS, 30},
		{"a new one moves those behind it down",
	         EXPORT RULE("deny", "any") "    priority manual 1\n    exit\nconfigure\n" RULE(
			 "allow",
			 "host 192.0.2.1") "    enable\n    priority manual 1\n"
	                                   "    udp timeout 300\n    exit\n",
	         FW_PASS, 300},
		{"an object that nothing uses is forgotten",
	         EXPORT LOW "configure\nno address-object ipv4 \"a\"\n"
	                    "no service-group \"b\"\n",
	         FW_PASS, 30},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct asked a;

		ask(&a, rows[i].text);
		if (a.r.err || a.answer->verdict != rows[i].verdict ||
		    a.answer->udp_idle_s != rows[i].udp_s)
			fail_msg("%zu, %s: %d, %d, %d s", i, rows[i].why,
			         a.r.err, (int)a.answer->verdict,
			         (int)a.answer->udp_idle_s);
		done(&a.r);
	}
}

/* The patch, pasted after what the box listed, mends it; its undo, pasted
 * after that, brings back what was. */
static void test_a_patch_and_its_undo_do_what_they_say(void **state)
{
	static const char *const boxes[] = {
		EXPORT LOW,
		EXPORT RULE("allow", "any") "    enable\n    exit\n",
		EXPORT RULE("deny", "any") "    enable\n"
					   "    priority manual 1\n    exit\n",
		EXPORT RULE(
			"allow",
			"host 192.0.2.1") "    uuid 0001\n    enable\n    udp timeout 60\n"
					  "    priority manual 4\n    exit\n" RULE(
						  "deny",
						  "any") "    enable\n"
							 "    priority manual 5\n    exit\n",
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(boxes); i++) {
		struct asked before, after;
		struct fw_patch_out out;
		char text[1 << 14];
		size_t left, n;

		ask(&before, boxes[i]);
		assert_true(before.answer->verdict != FW_PASS ||
		            before.answer->udp_idle_s < 300);
		fw_patch_init(&out);
		assert_int_equal(
			fw_patch_make(&out, &left, &before.r.rules, &before.q),
			0);
		assert_int_equal(left, 0);
		n = (size_t)snprintf(text, sizeof(text), "%s%.*s", boxes[i],
		                     (int)out.commands.n,
		                     (const char *)wr_slice(&out.commands).p);
		ask(&after, text);
		if (after.answer->verdict != FW_PASS ||
		    after.answer->udp_idle_s < 300)
			fail_msg("%zu: %d, %d s after\n%s", i,
			         (int)after.answer->verdict,
			         (int)after.answer->udp_idle_s, text);
		done(&after.r);
		(void)snprintf(text + n, sizeof(text) - n, "%.*s",
		               (int)out.undo.n,
		               (const char *)wr_slice(&out.undo).p);
		ask(&after, text);
		if (after.answer->verdict != before.answer->verdict ||
		    after.answer->udp_idle_s != before.answer->udp_idle_s ||
		    after.r.rules.defaults.consistent_nat !=
		            before.r.rules.defaults.consistent_nat)
			fail_msg("%zu: %d, %d s undone\n%s", i,
			         (int)after.answer->verdict,
			         (int)after.answer->udp_idle_s, text);
		done(&after.r);
		fw_patch_fini(&out);
		done(&before.r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_typed_commands_edit_the_rules),
		cmocka_unit_test(test_a_patch_and_its_undo_do_what_they_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
