/* SPDX-License-Identifier: ISC */
#include "router/rule.h"

#include "base/clock.h"
#include "test.h"

static void test_find_takes_the_first_that_fits(void **state)
{
	static const struct router_rule rules[] = {
		{.action = ROUTER_RULE_DROP,
	         .proto = ROUTER_UDP,
	         .low = 5060,
	         .high = 5061,
	         .from_ns = 5 * NS_PER_S,
	         .until_ns = 9 * NS_PER_S},
		{.action = ROUTER_RULE_RESET,
	         .proto = ROUTER_TCP,
	         .dst = {{.family = ADDR_IP4, .ip = {198, 51, 100, 0}}, 24}},
		{.action = ROUTER_RULE_REJECT_ADMIN, .is_in = true},
		{.action = ROUTER_RULE_REJECT_PORT, .low = 7, .high = 9},
	};
	static const struct {
		uint8_t proto;
		uint16_t port;
		uint8_t net;
		bool is_in;
		int64_t age_s;
		enum router_rule_action want;
	} cases[] = {
		{ROUTER_UDP, 5060, 198, false, 4, ROUTER_RULE_ACCEPT},
		{ROUTER_UDP, 5060, 198, false, 5, ROUTER_RULE_DROP},
		{ROUTER_UDP, 5061, 198, false, 8, ROUTER_RULE_DROP},
		{ROUTER_UDP, 5061, 198, false, 9, ROUTER_RULE_ACCEPT},
		{ROUTER_UDP, 5062, 198, false, 5, ROUTER_RULE_ACCEPT},
		{ROUTER_TCP, 5060, 198, false, 5, ROUTER_RULE_RESET},
		{ROUTER_TCP, 5060, 203, false, 5, ROUTER_RULE_ACCEPT},
		{ROUTER_TCP, 5060, 198, true, 5, ROUTER_RULE_REJECT_ADMIN},
		{ROUTER_UDP, 8, 203, false, 0, ROUTER_RULE_REJECT_PORT},
		/* the number of a ping is no port */
		{ROUTER_ICMP, 8, 203, false, 0, ROUTER_RULE_ACCEPT},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct router_pkt p = {.proto = cases[i].proto,
		                       .dst = {ADDR_IP4,
		                               {cases[i].net, 51, 100, 10},
		                               cases[i].port}};

		assert_int_equal(router_rule_find(rules, ARRAY_LEN(rules), &p,
		                                  cases[i].is_in,
		                                  cases[i].age_s * NS_PER_S),
		                 cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find_takes_the_first_that_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
