/* SPDX-License-Identifier: ISC */
#include <errno.h>

#include "oom.h"
#include "vyatta_box.h"

/* Calls may go out by TCP 5060 alone; answers come back. */
static const char old_sets[] =
	"set firewall name OUT default-action drop\n"
	"set firewall name OUT rule 1 action accept\n"
	"set firewall name OUT rule 1 protocol tcp\n"
	"set firewall name OUT rule 1 destination port 5060\n"
	"set firewall name BACK default-action drop\n"
	"set firewall name BACK rule 1 action accept\n"
	"set firewall name BACK rule 1 state established enable\n"
	"set firewall ipv6-name OUT6 default-action accept\n"
	"set zone-policy zone LAN interface eth1\n"
	"set zone-policy zone LAN interface eth2\n"
	"set zone-policy zone LAN from WAN firewall name BACK\n"
	"set zone-policy zone WAN interface eth0\n"
	"set zone-policy zone WAN default-action reject\n"
	"set zone-policy zone WAN from LAN firewall name OUT\n"
	"set zone-policy zone WAN from LAN firewall ipv6-name OUT6\n"
	"set zone-policy zone DMZ interface eth3\n";
static const char old_local[] =
	"set zone-policy zone BOX local-zone\n"
	"set zone-policy zone BOX from WAN firewall name BACK\n"
	"set zone-policy zone WAN from BOX firewall name OUT\n";
static const char new_sets[] =
	"set firewall ipv4 name OUT default-action drop\n"
	"set firewall ipv4 name OUT rule 1 action accept\n"
	"set firewall ipv4 name OUT rule 1 protocol tcp\n"
	"set firewall ipv4 name OUT rule 1 destination port 5060\n"
	"set firewall ipv6 name OUT6 default-action drop\n"
	"set firewall global-options state-policy established action accept\n"
	"set firewall zone LAN member interface eth1\n"
	"set firewall zone LAN member interface eth2\n"
	"set firewall zone LAN default-action drop\n"
	"set firewall zone WAN member interface eth0\n"
	"set firewall zone WAN from LAN firewall name OUT\n"
	"set firewall zone WAN from LAN firewall ipv6-name OUT6\n";
static const char inner_drop[] =
	"set zone-policy zone LAN intra-zone-filtering action drop\n";
static const char inner_set[] =
	"set zone-policy zone LAN intra-zone-filtering firewall name OUT\n";
static const char answers_pass[] =
	"set firewall state-policy established action accept\n";
static const char with_vrf[] = "set firewall zone WAN member vrf blue\n";

static const struct vy_row rows[] = {
	{"vyos", {old_sets}, "eth1", "eth0", "192.0.2.1", 6, FW_PASS, 2, 0},
	{"vyos", {old_sets}, "eth2", "eth0", "192.0.2.1", 6, FW_PASS, 2, 0},
	{"edgeos", {old_sets}, "eth1", "eth0", "192.0.2.1", 17, FW_FAIL, 1, 0},
	/* IPv6 goes out, and nothing is said of what comes back. */
	{"vyos", {old_sets}, "eth1", "eth0", "2001:db8::1", 17, FW_FAIL, 0, 0},
	/* A zone that does not name where it comes from; and within a zone. */
	{"vyos", {old_sets}, "eth3", "eth0", "192.0.2.1", 6, FW_FAIL, 13, 0},
	{"vyos", {old_sets}, "eth1", "eth3", "192.0.2.1", 6, FW_FAIL, 16, 0},
	{"vyos", {old_sets}, "eth1", "eth2", "192.0.2.1", 17, FW_PASS, 0, 0},
	{"vyos",
         {old_sets, inner_drop},
         "eth1",
         "eth2",
         "192.0.2.1",
         17,
         FW_FAIL,
         17,
         0},
	{"vyos",
         {old_sets, inner_set},
         "eth1",
         "eth2",
         "192.0.2.1",
         17,
         FW_FAIL,
         1,
         0},
	/* An interface of no zone: from it all is dropped; to it, who knows. */
	{"vyos", {old_sets}, "eth9", "eth0", "192.0.2.1", 6, FW_FAIL, 13, 0},
	{"edgeos", {old_sets}, "eth1", "eth9", "192.0.2.1", 6, FW_FAIL, 0, 0},
	{"edgeos",
         {old_sets, answers_pass},
         "eth1",
         "eth9",
         "192.0.2.1",
         6,
         FW_DONT_KNOW,
         0,
         0},
	{"vyos", {new_sets}, "eth1", "eth9", "192.0.2.1", 6, FW_PASS, 0, 0},
	{"vyos", {new_sets}, "eth9", "eth8", "192.0.2.1", 6, FW_PASS, 0, 0},
	{"vyos", {new_sets}, "eth1", "eth0", "192.0.2.1", 6, FW_PASS, 2, 0},
	{"vyos", {new_sets}, "eth1", "eth0", "192.0.2.1", 17, FW_FAIL, 1, 0},
	{"vyos", {new_sets}, "eth1", "eth0", "2001:db8::1", 6, FW_FAIL, 5, 0},
	{"vyos",
         {new_sets, with_vrf},
         "eth1",
         "eth7",
         "192.0.2.1",
         17,
         FW_DONT_KNOW,
         0,
         0},
	/* The box itself. */
	{"vyos",
         {old_sets},
         NULL,
         "eth0",
         "192.0.2.1",
         17,
         FW_PASS,
         0,
         FW_PATH_OUTPUT},
	{"vyos",
         {old_sets, old_local},
         NULL,
         "eth0",
         "192.0.2.1",
         6,
         FW_PASS,
         2,
         FW_PATH_OUTPUT},
	{"vyos",
         {old_sets, old_local},
         NULL,
         "eth0",
         "192.0.2.1",
         17,
         FW_FAIL,
         1,
         FW_PATH_OUTPUT},
	{"vyos",
         {old_sets, old_local},
         NULL,
         "eth3",
         "192.0.2.1",
         6,
         FW_FAIL,
         17,
         FW_PATH_OUTPUT},
};

static void test_zones_ask_where_traffic_leaves(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		vy_judge(&rows[i], i);
}

static void test_zones_tell_inside_from_outside(void **state)
{
	static const char nat[] =
		"set nat source rule 1 outbound-interface name eth0\n"
		"set nat source rule 1 translation address masquerade\n"
		"set firewall zone LAN member interface eth1\n"
		"set firewall zone WAN member interface eth0\n"
		"set firewall zone WAN from LAN firewall name OUT\n"
		"set firewall ipv4 name OUT default-action accept\n";
	struct read r;

	UNUSED(state);
	open_as(&r, "vyos", slice_str(nat));
	assert_int_equal(r.dg.n_items, 0);
	assert_string_equal(fw_guess_wan(&r.rules), "eth0");
	assert_string_equal(fw_guess_lan(&r.rules, "eth0"), "eth1");
	done(&r);
}

/* A zone that names no rule set for IPv6 blocks it; names have IPv4 as well. */
static void test_zones_without_ipv6_pass_names(void **state)
{
	static const char text[] =
		"set firewall ipv4 name OUT default-action accept\n"
		"set firewall ipv4 name BACK default-action accept\n"
		"set firewall zone LAN member interface eth1\n"
		"set firewall zone LAN from WAN firewall name BACK\n"
		"set firewall zone WAN member interface eth0\n"
		"set firewall zone WAN from LAN firewall name OUT\n";
	struct fw_answer *got;
	struct made m;
	struct read r;

	UNUSED(state);
	make_flows(&m, true);
	open_as(&r, "vyos", slice_str(text));
	for (size_t i = 0; i < m.n; i++) {
		const struct fw_question q = {
			.flows = &m.flows[i], .n_flows = 1, .place = m.place};

		assert_int_equal(fw_answer_all(&got, &m.arena, &r.rules, &q),
		                 0);
		assert_int_equal(got->verdict, i == 1 ? FW_FAIL : FW_PASS);
	}
	done(&r);
	arena_fini(&m.arena);
}

/* Named, and nowhere said: the box refuses such a text. */
static void test_zones_warn_of_strangers(void **state)
{
	struct read r;

	UNUSED(state);
	open_as(&r, "vyos",
	        slice_str("set zone-policy zone LAN interface eth1\n"
	                  "set zone-policy zone LAN from DMZ firewall name "
	                  "A\n"));
	assert_int_equal(r.err, 0);
	assert_int_equal(r.dg.n_items, 1);
	assert_int_equal(r.dg.first->line, 2);
	done(&r);
}

static void test_zones_without_memory(void **state)
{
	unsigned long n = 0;
	struct read r;

	UNUSED(state);
	do {
		oom_after(n++);
		open_as(&r, "vyos", slice_str(old_sets));
		oom_after(OOM_NEVER);
		if (r.err)
			assert_int_equal(r.err, ENOMEM);
		done(&r);
	} while (r.err);
	assert_true(n > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zones_ask_where_traffic_leaves),
		cmocka_unit_test(test_zones_tell_inside_from_outside),
		cmocka_unit_test(test_zones_without_ipv6_pass_names),
		cmocka_unit_test(test_zones_warn_of_strangers),
		cmocka_unit_test(test_zones_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
