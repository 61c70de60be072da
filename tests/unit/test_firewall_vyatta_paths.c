/* SPDX-License-Identifier: ISC */
/*
 * A box refuses a command whose path its definitions do not know, and takes
 * the others: a rule that loses its destination so opens a port to everybody.
 * So every path that is written stands here with the page that defines it.
 */
#include "vyatta_box.h"

enum {
	E = 1 << 0, /* EdgeOS */
	O = 1 << 1, /* VyOS 1.2 and 1.3 */
	N = 1 << 2, /* VyOS 1.4 */
	L = 1 << 3, /* VyOS 1.5 */
	OLD = E | O,
	NEW = N | L,
	VYOS = O | N | L,
	ALL = OLD | NEW,
};

#define OLD_SET   "vyatta-cfg-firewall templates/firewall/name/node.tag"
#define OLD_SET6  "vyatta-cfg-firewall templates/firewall/ipv6-name/node.tag"
#define OLD_GROUP "vyatta-cfg-firewall templates/firewall/group"
#define DEFS      "vyos-1x interface-definitions/"
#define INC       DEFS "include/firewall/"

/* "*": any one word. */
static const struct path {
	unsigned forms;
	const char *path, *source;
} paths[] = {
	{OLD, "firewall group address-group * address *", OLD_GROUP},
	{OLD, "firewall group network-group * network *", OLD_GROUP},
	{O, "firewall group ipv6-address-group * address *", OLD_GROUP},
	{O, "firewall group ipv6-network-group * network *", OLD_GROUP},
	{E, "firewall group ipv6-address-group * ipv6-address *",
         "EdgeOS, a public walk-through of ipv6-modify"},
	{E, "firewall group ipv6-network-group * ipv6-network *",
         "EdgeOS, a public walk-through of ipv6-modify"},
	{NEW, "firewall group address-group * address *",
         DEFS "firewall.xml.in"},
	{NEW, "firewall group network-group * network *",
         DEFS "firewall.xml.in"},
	{NEW, "firewall group ipv6-address-group * address *",
         DEFS "firewall.xml.in"},
	{NEW, "firewall group ipv6-network-group * network *",
         DEFS "firewall.xml.in"},
	{NEW, "firewall group domain-group * address *",
         DEFS "firewall.xml.in"},

	{OLD, "firewall name * default-action *", OLD_SET},
	{OLD, "firewall name * rule * action *", OLD_SET},
	{OLD, "firewall name * rule * description *", OLD_SET},
	{OLD, "firewall name * rule * disable", OLD_SET},
	{OLD, "firewall name * rule * protocol *", OLD_SET},
	{OLD, "firewall name * rule * source port *", OLD_SET},
	{OLD, "firewall name * rule * destination port *", OLD_SET},
	{OLD, "firewall name * rule * source group address-group *", OLD_SET},
	{OLD, "firewall name * rule * source group network-group *", OLD_SET},
	{OLD, "firewall name * rule * destination group address-group *",
         OLD_SET},
	{OLD, "firewall name * rule * destination group network-group *",
         OLD_SET},
	{OLD, "firewall name * rule * state * enable", OLD_SET},
	{OLD, "firewall ipv6-name * default-action *", OLD_SET6},
	{OLD, "firewall ipv6-name * rule * action *", OLD_SET6},
	{OLD, "firewall ipv6-name * rule * description *", OLD_SET6},
	{OLD, "firewall ipv6-name * rule * disable", OLD_SET6},
	{OLD, "firewall ipv6-name * rule * protocol *", OLD_SET6},
	{OLD, "firewall ipv6-name * rule * source port *", OLD_SET6},
	{OLD, "firewall ipv6-name * rule * destination port *", OLD_SET6},
	{O, "firewall ipv6-name * rule * source group address-group *",
         OLD_SET6},
	{O, "firewall ipv6-name * rule * source group network-group *",
         OLD_SET6},
	{O, "firewall ipv6-name * rule * destination group address-group *",
         OLD_SET6},
	{O, "firewall ipv6-name * rule * destination group network-group *",
         OLD_SET6},
	{E,
         "firewall ipv6-name * rule * destination group ipv6-address-group *",
         "EdgeOS, a public walk-through of ipv6-modify"},
	{E,
         "firewall ipv6-name * rule * destination group ipv6-network-group *",
         "EdgeOS, a public walk-through of ipv6-modify"},
	{OLD, "firewall ipv6-name * rule * state * enable", OLD_SET6},
	{OLD, "interfaces ethernet * firewall in name *",
         "vyatta-cfg-firewall gen-interface-templates.pl"},
	{OLD, "interfaces ethernet * firewall in ipv6-name *",
         "vyatta-cfg-firewall gen-interface-templates.pl"},

	{NEW, "firewall ipv4 forward filter default-action *",
         INC "default-action-base-chains.xml.i"},
	{NEW, "firewall ipv6 forward filter default-action *",
         INC "default-action-base-chains.xml.i"},
	{NEW, "firewall * forward filter rule * action *",
         INC "action-forward.xml.i"},
	{NEW, "firewall * forward filter rule * jump-target *",
         INC "ipv4-hook-forward.xml.i"},
	{NEW, "firewall * forward filter rule * description *",
         INC "common-rule-inet.xml.i"},
	{NEW, "firewall * forward filter rule * disable",
         INC "common-rule-inet.xml.i"},
	{NEW, "firewall * forward filter rule * protocol *",
         INC "common-rule-inet.xml.i"},
	{NEW, "firewall * forward filter rule * state *",
         INC "common-rule-inet.xml.i"},
	{NEW, "firewall * forward filter rule * source port *",
         INC "common-rule-ipv4.xml.i"},
	{NEW, "firewall * forward filter rule * destination port *",
         INC "common-rule-ipv4.xml.i"},
	{NEW, "firewall * forward filter rule * inbound-interface name *",
         INC "match-interface.xml.i"},
	{NEW, "firewall * forward filter rule * outbound-interface name *",
         INC "match-interface.xml.i"},
	{NEW,
         "firewall * forward filter rule * destination group address-group *",
         INC "source-destination-group.xml.i, -ipv6.xml.i"},
	{NEW,
         "firewall * forward filter rule * destination group network-group *",
         INC "source-destination-group.xml.i, -ipv6.xml.i"},
	{NEW,
         "firewall * forward filter rule * destination group domain-group *",
         INC "source-destination-group.xml.i, -ipv6.xml.i"},
	{NEW, "firewall * name * default-action *", INC "default-action.xml.i"},
	{NEW, "firewall * name * rule * action *", INC "action.xml.i"},
	{NEW, "firewall * name * rule * jump-target *",
         INC "ipv4-custom-name.xml.i"},
	{NEW, "firewall * name * rule * description *",
         INC "common-rule-inet.xml.i"},
	{NEW, "firewall * name * rule * protocol *",
         INC "common-rule-inet.xml.i"},
	{NEW, "firewall * name * rule * state *", INC "common-rule-inet.xml.i"},
	{NEW, "firewall * name * rule * destination port *",
         INC "common-rule-ipv4.xml.i"},
	{NEW, "firewall * name * rule * inbound-interface name *",
         INC "match-interface.xml.i"},
	{NEW, "firewall * name * rule * outbound-interface name *",
         INC "match-interface.xml.i"},
	{NEW, "firewall * name * rule * destination group address-group *",
         INC "source-destination-group.xml.i, -ipv6.xml.i"},
	{NEW, "firewall * name * rule * destination group network-group *",
         INC "source-destination-group.xml.i, -ipv6.xml.i"},
	{NEW, "firewall * name * rule * destination group domain-group *",
         INC "source-destination-group.xml.i, -ipv6.xml.i"},

	{OLD, "system conntrack modules sip disable",
         "vyatta-conntrack templates; migration conntrack/2-to-3"},
	{NEW, "system conntrack modules sip", DEFS "system_conntrack.xml.in"},
	{OLD | N, "system conntrack timeout udp stream *",
         "migration firewall/15-to-16; 1.4.0 has firewall@15"},
	{L, "firewall global-options timeout udp stream *",
         INC "timeout-common-protocols.xml.i; migration firewall/15-to-16"},
};

static bool is_same_word(struct slice a, struct slice pattern)
{
	return slice_eq_str(pattern, "*") || slice_eq(a, pattern);
}

/* May @p path stand there? What is deleted may be any node on the way. */
static bool is_known(unsigned form, struct slice path, bool is_whole)
{
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct slice rest = path, want = slice_str(paths[i].path);
		struct slice a, b;
		bool has_a, has_b;

		if (!(paths[i].forms & form))
			continue;
		do {
			has_a = fw_word_next(&rest, &a);
			has_b = fw_word_next(&want, &b);
		} while (has_a && has_b && is_same_word(a, b));
		if (!has_a && (!has_b || !is_whole))
			return true;
	}
	return false;
}

/* @return how many commands there are. */
static size_t check_all(unsigned form, struct slice text)
{
	struct rd rd = rd_init(text);
	struct slice line;
	size_t n = 0;

	while (rd_line(&rd, &line)) {
		struct slice verb;

		while (line.n && (line.p[0] == '#' || line.p[0] == ' '))
			line = slice_sub(line, 1, SIZE_MAX);
		if (!fw_word_next(&line, &verb))
			continue;
		if (!slice_eq_str(verb, "set") &&
		    !slice_eq_str(verb, "delete") &&
		    !slice_eq_str(verb, "edit"))
			continue;
		n++;
		if (!is_known(form, line, slice_eq_str(verb, "set")))
			fail_msg("form %u: %.*s", form, (int)line.n,
			         (const char *)line.p);
	}
	return n;
}

static void test_emit_writes_known_paths(void **state)
{
	static const struct {
		unsigned form;
		const char *golden;
	} rows[] = {
		{E, "tests/golden/firewall/edgeos.set"},
		{O, "tests/golden/firewall/vyos-1.3.set"},
		{N, "tests/golden/firewall/vyos.set"},
		{L, "tests/golden/firewall/vyos-1.5.set"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_true(check_all(rows[i].form,
		                      slice_str(load(rows[i].golden))) > 40);
}

/* Both families are shut, the helper acts and sessions end too soon. */
#define SHUT_OLD                                                 \
	"set firewall name A default-action drop\n"              \
	"set firewall ipv6-name B default-action drop\n"         \
	"set interfaces ethernet eth1 firewall in name A\n"      \
	"set interfaces ethernet eth1 firewall in ipv6-name B\n" \
	"set interfaces ethernet eth0 firewall in name A\n"      \
	"set interfaces ethernet eth0 firewall in ipv6-name B\n"
#define SHUT_NEW                                                 \
	"set system conntrack modules sip\n"                     \
	"set firewall ipv4 forward filter default-action drop\n" \
	"set firewall ipv6 forward filter default-action drop\n"
#define ZONES                                                   \
	"set firewall ipv4 name A default-action drop\n"        \
	"set firewall ipv6 name B default-action drop\n"        \
	"set firewall zone LAN member interface eth1\n"         \
	"set firewall zone WAN member interface eth0\n"         \
	"set firewall zone WAN from LAN firewall name A\n"      \
	"set firewall zone WAN from LAN firewall ipv6-name B\n" \
	"set firewall zone LAN from WAN firewall name A\n"      \
	"set firewall zone LAN from WAN firewall ipv6-name B\n"

#define EARLY                                                   \
	"set firewall name A default-action drop\n"             \
	"set firewall ipv6-name B default-action drop\n"        \
	"set firewall zone LAN interface eth1\n"                \
	"set firewall zone WAN interface eth0\n"                \
	"set firewall zone WAN from LAN firewall name A\n"      \
	"set firewall zone WAN from LAN firewall ipv6-name B\n" \
	"set firewall zone LAN from WAN firewall name A\n"      \
	"set firewall zone LAN from WAN firewall ipv6-name B\n"

static const struct patch_row {
	const char *text;
	unsigned form;
	const char *wants[4];
} patches[] = {
	{SHUT_OLD,
         E,
         {"modules sip disable", "conntrack timeout udp stream 300",
          "group ipv6-address-group PRUMO", "state established enable"}},
	{"// vyos-config-version: \"conntrack@2:firewall@5\"\n" SHUT_OLD,
         O,
         {"modules sip disable", "conntrack timeout udp stream 300",
          "destination group address-group PRUMO"}},
	{"// vyos-config-version: \"conntrack@5:firewall@15\"\n"
         "// Release version: 1.4.3\n" SHUT_NEW,
         N,
         {"delete system conntrack modules sip\n",
          "system conntrack timeout udp stream 300", "state established\n",
          "inbound-interface name eth1"}},
	{"// vyos-config-version: \"conntrack@5:firewall@17\"\n"
         "// Release version: 1.5-rolling-202412060007\n" SHUT_NEW,
         L,
         {"delete system conntrack modules sip\n",
          "global-options timeout udp stream 300", "state established\n"}},
	/* A name that says more than there was yet. */
	{"// vyos-config-version: \"conntrack@5:firewall@14\"\n"
         "// Release version: 1.5-rolling-202401310023\n" SHUT_NEW,
         N,
         {"system conntrack timeout udp stream 300"}},
	{"// vyos-config-version: \"conntrack@6:firewall@20\"\n" ZONES,
         L,
         {"rule", "global-options timeout udp stream 300"}},
};

static void patch(struct wr *commands, struct wr *undo, const char *dialect,
                  const char *text)
{
	struct fw_patch_out out;
	struct fw_question q;
	struct made m;
	struct read r;
	size_t left = 99;
	int err;

	make_flows(&m, false);
	q = (struct fw_question){
		.flows = m.flows, .n_flows = m.n, .place = m.place};
	open_as(&r, dialect, slice_str(text));
	fw_patch_init(&out);
	err = fw_patch_make(&out, &left, &r.rules, &q);
	if (err || left)
		fail_msg("%d, %zu left: %s", err, left, text);
	wr_put(commands, wr_slice(&out.commands));
	wr_put(undo, wr_slice(&out.undo));
	wr_u8(commands, 0);
	fw_patch_fini(&out);
	done(&r);
	arena_fini(&m.arena);
}

static void test_patch_writes_known_paths(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(patches); i++) {
		const struct patch_row *row = &patches[i];
		struct wr commands = wr_init_heap(), undo = wr_init_heap();

		patch(&commands, &undo, row->form == E ? "edgeos" : "vyos",
		      row->text);
		assert_true(check_all(row->form, wr_slice(&commands)) > 10);
		assert_true(check_all(row->form, wr_slice(&undo)) > 2);
		for (size_t k = 0; k < ARRAY_LEN(row->wants) && row->wants[k];
		     k++) {
			if (!strstr((char *)commands.p, row->wants[k]))
				fail_msg("row %zu, %s: %s", i, row->wants[k],
				         (char *)commands.p);
		}
		wr_fini(&commands);
		wr_fini(&undo);
	}
}

/* Words of development versions between 1.3 and 1.4, which are still in use. */
static void test_patch_speaks_early_words(void **state)
{
	static const struct {
		const char *text, *want, *never;
	} rows[] = {
		{"// vyos-config-version: \"conntrack@3:firewall@11\"\n" SHUT_NEW,
	         "inbound-interface interface-name eth1", "interface name"},
		{"// vyos-config-version: \"conntrack@3:firewall@12\"\n" SHUT_NEW,
	         "state established enable", "interface-name"},
		{"// vyos-config-version: \"conntrack@3:firewall@7\"\n"
	         "// Release version: 1.4-rolling-202201010317\n"
	         "set system conntrack modules sip\n" SHUT_OLD,
	         "delete system conntrack modules sip\n", "sip disable"},
		/* without a footer: show configuration commands */
		{EARLY, "set firewall name A rule ", "sip disable"},
		{"set system conntrack modules sip\n" EARLY,
	         "delete system conntrack modules sip\n", "firewall ipv4"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wr commands = wr_init_heap(), undo = wr_init_heap();

		patch(&commands, &undo, "vyos", rows[i].text);
		if (!strstr((char *)commands.p, rows[i].want) ||
		    strstr((char *)commands.p, rows[i].never))
			fail_msg("row %zu: %s", i, (char *)commands.p);
		wr_fini(&commands);
		wr_fini(&undo);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_emit_writes_known_paths),
		cmocka_unit_test(test_patch_writes_known_paths),
		cmocka_unit_test(test_patch_speaks_early_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
