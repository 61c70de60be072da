/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>

#include "lab/plan.h"

static bool holds(const struct wr *w, const char *text)
{
	return slice_find(wr_slice(w), slice_str(text)) != SIZE_MAX;
}

static void test_node_finds_by_name(void **state)
{
	static const struct {
		const char *name;
		int err;
		unsigned node;
	} cases[] = {
		{"client", 0, 0},
		{"r1", 0, 1},
		{"r3", 0, 3},
		{"server", 0, 4},
		{"r4", ENOENT, 777},
		{"r0", ENOENT, 777},
		{"r", ENOENT, 777},
		{"r11", ENOENT, 777},
		{"", ENOENT, 777},
		{"Server", ENOENT, 777},
		{"client ", ENOENT, 777},
		{"client2", 0, 5},
		{"client3", ENOENT, 777},
		{"client1", ENOENT, 777},
		{"client22", ENOENT, 777},
	};
	const struct lab_spec spec = {.n_hops = 3, .n_clients = 2};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		unsigned node = 777;

		if (lab_plan_node(&node, &spec, cases[i].name) !=
		            cases[i].err ||
		    node != cases[i].node)
			fail_msg("'%s'", cases[i].name);
	}
}

static void test_check_refuses(void **state)
{
	struct lab_spec spec = {.n_hops = 0};

	UNUSED(state);
	assert_int_equal(lab_plan_check(&spec), EINVAL);
	spec.n_hops = LAB_MAX_HOPS + 1;
	assert_int_equal(lab_plan_check(&spec), EINVAL);
	spec.n_hops = LAB_MAX_HOPS;
	assert_int_equal(lab_plan_check(&spec), 0);
	spec.hops[0].udp_timeout_s = 40; /* of what entry? */
	assert_int_equal(lab_plan_check(&spec), EINVAL);
	spec.hops[0].has_firewall = true;
	assert_int_equal(lab_plan_check(&spec), 0);
	spec.hops[1].is_program = true;
	assert_int_equal(lab_plan_check(&spec), 0);
	spec.hops[1].has_nat = true; /* by whom? */
	assert_int_equal(lab_plan_check(&spec), EINVAL);
}

/* RFC 5737, RFC 2544 and RFC 3849: nothing here belongs to anybody. */
static void test_links_use_documentation_addresses(void **state)
{
	struct lab_spec spec = {.n_hops = 8};
	char near[LAB_ADDR_BYTES], far[LAB_ADDR_BYTES];

	UNUSED(state);
	lab_plan_link(near, far, &spec, 0, false);
	assert_string_equal(near, "192.0.2.33");
	assert_string_equal(far, "192.0.2.1");
	lab_plan_link(near, far, &spec, 1, false);
	assert_string_equal(near, "203.0.113.2");
	assert_string_equal(far, "203.0.113.1");
	lab_plan_link(near, far, &spec, 8, false);
	assert_string_equal(near, "198.18.8.2");
	assert_string_equal(far, "198.18.8.1");
	lab_plan_link(near, far, &spec, 8, true);
	assert_string_equal(near, "2001:db8:8::2");
	spec.hops[0].has_shared_wan = true;
	lab_plan_link(near, far, &spec, 1, false);
	assert_string_equal(near, "100.64.1.2");
	lab_plan_link(near, far, &spec, 0, false);
	assert_string_equal(near, "192.0.2.33");
}

static void test_links_of_a_middle_router(void **state)
{
	const struct lab_spec spec = {.n_hops = 3};
	const int fds[LAB_MAX_NODES] = {4, 5, 6, 7, 8};
	struct wr w = wr_init_heap();

	UNUSED(state);
	lab_plan_links(&w, &spec, 2, fds);
	assert_true(holds(&w, "netns /proc/self/fd/7\n"));
	assert_true(holds(&w, "addr add 203.0.113.1/30 dev lan\n"));
	assert_true(holds(&w, "addr add 198.18.2.2/30 dev wan\n"));
	assert_true(holds(&w, "route add default via 198.18.2.1 dev wan\n"));
	assert_true(
		holds(&w, "route add 192.0.2.0/24 via 203.0.113.2 dev lan\n"));
	assert_false(holds(&w, "2001:db8"));
	assert_false(w.bad);
	wr_fini(&w);
}

static void test_links_of_the_server(void **state)
{
	struct lab_spec spec = {
		.n_hops = 1, .has_ip6 = true, .n_server_nets = 2};
	const int fds[LAB_MAX_NODES] = {4, 5, 6};
	struct wr w = wr_init_heap();

	UNUSED(state);
	assert_int_equal(
		prefix_parse(&spec.server_nets[0], slice_str("198.19.4.0/24")),
		0);
	assert_int_equal(prefix_parse(&spec.server_nets[1],
	                              slice_str("2001:db8:ffff::30")),
	                 0);
	lab_plan_links(&w, &spec, 2, fds);
	assert_true(holds(&w, "route replace local 198.19.4.0/24 dev lo\n"));
	assert_true(
		holds(&w, "addr replace 2001:db8:ffff::30/128 dev lo nodad\n"));
	assert_false(holds(&w, "veth"));
	assert_true(holds(&w, "addr add 198.51.100.10/32 dev lo\n"));
	assert_true(holds(&w, "route add default via 203.0.113.2 dev lan src "
	                      "198.51.100.10\n"));
	assert_true(holds(&w, "addr add 2001:db8:ffff::10/128 dev lo nodad\n"));
	wr_fini(&w);
}

static void test_links_of_a_lan(void **state)
{
	const struct lab_spec spec = {.n_hops = 1, .n_clients = 3};
	const int fds[LAB_MAX_NODES] = {4, 5, 6, 7, 8};
	struct wr w = wr_init_heap();

	UNUSED(state);
	lab_plan_links(&w, &spec, 0, fds);
	assert_true(holds(&w, "link add trunk type veth peer name lan address "
	                      "02:00:00:00:00:02 netns /proc/self/fd/5\n"));
	assert_true(holds(&w, "link add wan address 02:00:00:00:00:01 type "
	                      "bridge"));
	assert_true(holds(&w, "netns /proc/self/fd/8\n"));
	w.n = 0;
	lab_plan_links(&w, &spec, 4, fds);
	assert_true(holds(&w, "addr add 192.0.2.35/24 dev wan\n"));
	assert_true(holds(&w, "route add default via 192.0.2.1 dev wan\n"));
	assert_false(holds(&w, "veth"));
	wr_fini(&w);
}

static void test_check_keeps_the_server_at_home(void **state)
{
	static const struct {
		const char *net;
		int err;
	} cases[] = {
		{"198.51.100.30", 0},        {"198.19.0.0/16", 0},
		{"198.18.0.0/15", EINVAL},   {"198.18.2.1", EINVAL},
		{"192.0.2.7", EINVAL},       {"8.8.8.8", EINVAL},
		{"2001:db8:ffff:1::/64", 0}, {"2001:db8:1::9", EINVAL},
	};
	struct lab_spec spec = {.n_hops = 1, .n_server_nets = 1};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(prefix_parse(&spec.server_nets[0],
		                              slice_str(cases[i].net)),
		                 0);
		if (lab_plan_check(&spec) != cases[i].err)
			fail_msg("%s", cases[i].net);
	}
}

static void test_rules_say_only_what_is_asked(void **state)
{
	static const struct {
		struct lab_hop hop;
		bool has_helper, has_nat, has_drop, has_timer, has_silence;
	} cases[] = {
		{{.has_alg = true, .has_nat = true}, true, true, 0, 0, 0},
		{{.has_nat = true}, false, true, 0, 0, 0},
		{{.has_firewall = true}, false, false, true, 0, 0},
		{{.has_alg = true}, true, false, 0, 0, 0},
		{{.has_nat = true, .udp_timeout_s = 40}, 0, true, 0, true, 0},
		{{.is_silent = true}, false, false, 0, 0, true},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct wr w = wr_init_heap();

		lab_plan_rules(&w, &cases[i].hop);
		assert_false(w.bad);
		assert_int_equal(holds(&w, "helper"), cases[i].has_helper);
		assert_int_equal(holds(&w, "masquerade"), cases[i].has_nat);
		assert_int_equal(holds(&w, "new,invalid drop"),
		                 cases[i].has_drop);
		assert_int_equal(holds(&w, "replied : 40"), cases[i].has_timer);
		assert_int_equal(holds(&w, "time-exceeded"),
		                 cases[i].has_silence);
		wr_fini(&w);
	}
}

static void test_rules_of_a_plain_router_are_none(void **state)
{
	const struct lab_hop plain = {0};
	struct wr w = wr_init_heap();

	UNUSED(state);
	lab_plan_rules(&w, &plain);
	assert_int_equal(w.n, 0);
	wr_fini(&w);
}

static void test_rules_keep_the_kernel_out_of_a_program(void **state)
{
	const struct lab_hop hop = {.is_program = true};
	struct wr w = wr_init_heap();

	UNUSED(state);
	lab_plan_rules(&w, &hop);
	assert_true(holds(&w, "hook prerouting priority raw; policy drop"));
	assert_true(holds(&w, "hook output priority raw; policy drop"));
	assert_false(holds(&w, "masquerade"));
	wr_fini(&w);
}

static void test_mac_tells_the_ends_apart(void **state)
{
	char near[LAB_ADDR_BYTES], far[LAB_ADDR_BYTES];

	UNUSED(state);
	lab_plan_mac(near, 3, false);
	lab_plan_mac(far, 3, true);
	assert_string_equal(near, "02:00:00:00:03:01");
	assert_string_equal(far, "02:00:00:00:03:02");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_node_finds_by_name),
		cmocka_unit_test(test_check_refuses),
		cmocka_unit_test(test_links_use_documentation_addresses),
		cmocka_unit_test(test_links_of_a_middle_router),
		cmocka_unit_test(test_links_of_the_server),
		cmocka_unit_test(test_links_of_a_lan),
		cmocka_unit_test(test_check_keeps_the_server_at_home),
		cmocka_unit_test(test_rules_say_only_what_is_asked),
		cmocka_unit_test(test_rules_of_a_plain_router_are_none),
		cmocka_unit_test(test_rules_keep_the_kernel_out_of_a_program),
		cmocka_unit_test(test_mac_tells_the_ends_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
