/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "firewall/nft_json.h"
#include "firewall/space.h"
#include "firewall/vendor.h"
#include "oom.h"

#define RULE(expr)                                                             \
	"{\"rule\": {\"family\": \"inet\", \"table\": \"fw\", \"chain\": "     \
	"\"forward\", \"handle\": 7, \"comment\": \"c\", \"expr\": [" expr "]" \
	"}}"
#define HEAD                                                                 \
	"{\"metainfo\": {\"version\": \"1.0.6\"}}, {\"table\": {\"family\":" \
	" \"inet\", \"name\": \"fw\", \"handle\": 1}}, {\"chain\": "         \
	"{\"family\": \"inet\", \"table\": \"fw\", \"name\": \"forward\", "  \
	"\"type\": \"filter\", \"hook\": \"forward\", \"prio\": 0, "         \
	"\"policy\": \"drop\"}}"
#define ALL(list) "{\"nftables\": [" list "]}"

/* What nft 1.0.6 shows with -j, and without. */
static const struct {
	const char *json, *text;
} statements[] = {
	{"{\"match\": {\"op\": \"in\", \"left\": {\"ct\": {\"key\": "
         "\"state\"}}, \"right\": [\"established\", \"related\"]}}, "
         "{\"accept\": null}",
         "ct state established,related accept"},
	{"{\"match\": {\"op\": \"==\", \"left\": {\"meta\": {\"key\": "
         "\"iifname\"}}, \"right\": {\"set\": [\"eth1\", \"1up\"]}}}",
         "iifname { \"eth1\", \"1up\" }"},
	{"{\"match\": {\"op\": \"!=\", \"left\": {\"payload\": "
         "{\"protocol\": \"ip\", \"field\": \"daddr\"}}, \"right\": "
         "{\"prefix\": {\"addr\": \"192.0.2.0\", \"len\": 24}}}}",
         "ip daddr != 192.0.2.0/24"},
	{"{\"match\": {\"op\": \"==\", \"left\": {\"payload\": "
         "{\"protocol\": \"udp\", \"field\": \"dport\"}}, \"right\": "
         "{\"set\": [5060, {\"range\": [10000, 65535]}]}}}, {\"drop\": "
         "null}",
         "udp dport { 5060, 10000-65535 } drop"},
	{"{\"match\": {\"op\": \"==\", \"left\": {\"payload\": "
         "{\"protocol\": \"ip\", \"field\": \"saddr\"}}, \"right\": "
         "\"@peers\"}}",
         "ip saddr @peers"},
	{"{\"match\": {\"op\": \"==\", \"left\": {\"&\": [{\"payload\": "
         "{\"protocol\": \"tcp\", \"field\": \"flags\"}}, {\"|\": "
         "[\"fin\", \"syn\"]}]}, \"right\": \"syn\"}}",
         "tcp flags & (fin | syn) == syn"},
	{"{\"match\": {\"op\": \"==\", \"left\": {\"fib\": {\"result\": "
         "\"oif\", \"flags\": [\"saddr\"]}}, \"right\": false}}",
         "fib oif missing"},
	{"{\"vmap\": {\"key\": {\"payload\": {\"protocol\": \"tcp\", "
         "\"field\": \"dport\"}}, \"data\": {\"set\": [[22, {\"drop\": "
         "null}], [80, {\"jump\": {\"target\": \"web\"}}]]}}}",
         "tcp dport vmap { 22 : drop, 80 : jump web }"},
	{"{\"counter\": {\"packets\": 1, \"bytes\": 60}}, {\"goto\": "
         "{\"target\": \"web\"}}",
         "counter packets 1 bytes 60 goto web"},
	{"{\"log\": {\"prefix\": \"a \\\"b\\\"\\n\", \"group\": 3}}",
         "log prefix \"a ?b??\" group \"3\""},
	{"{\"reject\": {\"type\": \"icmp\", \"expr\": \"port-unreachable\"}}",
         "reject with icmp type port-unreachable"},
	{"{\"reject\": {\"type\": \"tcp reset\"}}", "reject with tcp reset"},
	{"{\"dnat\": {\"family\": \"ip\", \"addr\": \"192.0.2.9\", \"port\": "
         "5060, \"flags\": [\"random\", \"persistent\"]}}",
         "dnat ip to 192.0.2.9:5060 random,persistent"},
	{"{\"dnat\": {\"addr\": \"2001:db8::9\", \"port\": 5060}}",
         "dnat to [2001:db8::9]:5060"},
	{"{\"redirect\": {\"port\": 8080}}", "redirect to :8080"},
	{"{\"masquerade\": null}", "masquerade"},
	{"{\"notrack\": null}", "notrack"},
	{"{\"ct helper\": \"sip-5060\"}", "ct helper set \"sip-5060\""},
	{"{\"ct helper\": {\"map\": {\"key\": 1, \"data\": 2}}}",
         "ct helper set \"\" map"},
	{"{\"ct timeout\": \"long\"}", "ct timeout set \"long\""},
	{"{\"mangle\": {\"key\": {\"payload\": {\"protocol\": \"ip\", "
         "\"field\": \"dscp\"}}, \"value\": \"ef\"}}",
         "ip dscp set ef"},
	{"{\"flow\": {\"op\": \"add\", \"flowtable\": \"@ft\"}}",
         "flow add @ft"},
	{"{\"limit\": {\"rate\": 5, \"burst\": 5, \"per\": \"second\"}}",
         "limit 5 5 second"},
	{"{\"vmap\": {\"key\": {\"concat\": [{\"meta\": {\"key\": \"iifname\"}}, "
         "{\"payload\": {\"protocol\": \"ip6\", \"field\": \"saddr\"}}]}, "
         "\"data\": {\"set\": [[{\"concat\": [\"6in4-wan\", "
         "\"2001:db8::1\"]}, {\"drop\": null}]]}}}",
         "iifname . ip6 saddr vmap { \"6in4-wan\" . 2001:db8::1 : drop }"},
	{"{\"tcp option\": {\"name\": \"maxseg\"}}", "tcp option maxseg"},
	{"{\"set\": {\"op\": \"update\", \"elem\": {\"payload\": "
         "{\"protocol\": \"ip\", \"field\": \"saddr\"}}, \"set\": "
         "\"@seen\", \"stmt\": [{\"drop\": null}]}}",
         "update @seen { ip saddr }"},
	/* for which nft has no JSON */
	{"\"jump {\\n\\t\\t\\tudp dport 9 drop\\n\\t\\t}\", {\"accept\": "
         "null}",
         "jump {\n   udp dport 9 drop\n  } accept"},
	{"\"jump { drop } } chain forward {\"",
         "? \"jump { drop } } chain forward {\""},
	{"\"goto { log prefix \\\"}\\\" }\"", "? \"goto { log prefix ?}? }\""},
	{"\"drop\"", "? \"drop\""},
	{"{\"accept\": null, \"drop\": null}", "?"},
	{"[{\"drop\": null}], 7, {}", "? ? ?"},
	{"{\"xt\": {\"type\": \"target\", \"name\": \"CT\"}}", "xt target CT"},
	{"{\"what is\": {\"this\": [1]}}, {\"accept\": null}",
         "what is accept"},
};

static void test_statements_are_those_of_a_listing(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(statements); i++) {
		struct wr json = wr_init_heap(), out = wr_init_heap();
		char want[256];
		struct arena a;
		struct diag dg;

		wr_fmt(&json, ALL(HEAD ", " RULE("%s")), statements[i].json);
		arena_init(&a);
		diag_init(&dg, &a, NULL, wr_slice(&json));
		assert_int_equal(nft_json_put(&out, wr_slice(&json), &dg), 0);
		(void)snprintf(want, sizeof(want),
		               "table inet fw {\n\tchain forward {\n\t\ttype "
		               "filter hook forward priority 0; policy drop;\n"
		               "\t\t%s comment \"c\"\n\t}\n}\n",
		               statements[i].text);
		if (!slice_eq_str(wr_slice(&out), want))
			fail_msg("%s\n%.*s", want, (int)out.n,
			         (const char *)out.p);
		assert_int_equal(dg.n_items, 0);
		wr_fini(&json);
		wr_fini(&out);
		arena_fini(&a);
	}
}

static const char objects[] = ALL(
	HEAD
	", {\"set\": {\"family\": \"inet\", \"name\": \"peers\", \"table\": "
	"\"fw\", \"type\": \"ipv4_addr\", \"flags\": [\"interval\"], \"elem\": "
	"[\"192.0.2.9\", {\"range\": [\"192.0.2.20\", \"192.0.2.30\"]}, "
	"{\"elem\": {\"val\": \"192.0.2.40\", \"comment\": \"x\"}}]}}"
	", {\"map\": {\"family\": \"inet\", \"name\": \"m\", \"table\": \"fw\""
	", \"type\": \"inet_service\", \"map\": \"verdict\", \"elem\": "
	"[[80, {\"accept\": null}]]}}"
	", {\"ct helper\": {\"family\": \"inet\", \"name\": \"h\", \"table\": "
	"\"fw\", \"type\": \"sip\", \"protocol\": \"udp\", \"l3proto\": "
	"\"ip\"}}"
	", {\"ct timeout\": {\"family\": \"inet\", \"name\": \"t\", "
	"\"table\": \"fw\", \"protocol\": \"udp\", \"l3proto\": \"ip\", "
	"\"policy\": {\"unreplied\": 60, \"replied\": 300}}}"
	", {\"quota\": {\"family\": \"inet\", \"name\": \"q\", \"table\": "
	"\"fw\"}}"
	", " RULE(
		"{\"accept\": null}") ", {\"add\": {\"rule\": {\"family\": \"inet\", \"table\": \"late\", "
				      "\"chain\": \"later\", \"expr\": [{\"drop\": null}]}}}");

static void test_objects_stand_in_their_table(void **state)
{
	static const char want[] =
		"table inet fw {\n"
		"\tset peers {\n\t\ttype ipv4_addr\n\t\tflags interval\n"
		"\t\telements = { 192.0.2.9, 192.0.2.20-192.0.2.30, "
		"192.0.2.40 }\n\t}\n\n"
		"\tmap m {\n\t\ttype inet_service : verdict\n"
		"\t\telements = { 80 : accept }\n\t}\n\n"
		"\tct helper h {\n\t\ttype \"sip\" protocol udp\n"
		"\t\tl3proto ip\n\t}\n\n"
		"\tct timeout t {\n\t\tprotocol udp\n\t\tl3proto ip\n"
		"\t\tpolicy = { unreplied : 60, replied : 300 }\n\t}\n\n"
		"\tquota q {\n\t}\n\n"
		"\tchain forward {\n\t\ttype filter hook forward priority 0; "
		"policy drop;\n\t\taccept comment \"c\"\n\t}\n}\n"
		"table inet late {\n\tchain later {\n\t\tdrop\n\t}\n}\n";
	struct wr out = wr_init_heap();
	struct arena a;
	struct diag dg;

	UNUSED(state);
	arena_init(&a);
	diag_init(&dg, &a, NULL, slice_str(objects));
	assert_int_equal(nft_json_put(&out, slice_str(objects), &dg), 0);
	if (!slice_eq_str(wr_slice(&out), want))
		fail_msg("%.*s", (int)out.n, (const char *)out.p);
	wr_fini(&out);
	arena_fini(&a);
}

static void test_faults_have_a_place_and_the_rest_is_read(void **state)
{
	static const struct {
		const char *why, *text;
		unsigned line, column;
		size_t n_rules;
	} rows[] = {
		{"cut",
	         "{\"nftables\": [" HEAD
	         ",\n" RULE("{\"accept\": null}") ",\n  {\"rule\": {\"fam",
	         3, 17, 1},
		{"no end",
	         "{\"nftables\": [" HEAD ",\n" RULE("{\"accept\": null}"), 2,
	         121, 1},
		{"one of two is none",
	         "{\"nftables\": [" HEAD ",\n{\"rule\": {\"family\": inet}},"
	         "\n" RULE("{\"accept\": null}") "]}",
	         2, 21, 1},
		{"a line in a string",
	         ALL(HEAD ",\n{\"rule\": {\"family\n\": 1}}, " RULE(
			 "{\"drop\": null}")),
	         2, 18, 1},
		{"another kind", "{\"nftables\": {\"table\": 1}}", 1, 14, 0},
		{"no names", ALL("\n {\"rule\": {\"expr\": []}}"), 2, 2, 0},
		{"no object", ALL("\n1, " HEAD), 2, 1, 0},
		{"an escape that is none",
	         ALL("{\"rule\": {\"family\": \"\\x\"}}"), 1, 37, 0},
		{"a name twice",
	         ALL(HEAD ",\n{\"rule\": {\"family\": \"ip\", \"family\": "
	                  "\"ip6\"}}, " RULE("{\"drop\": null}")),
	         2, 27, 1},
		{"a number that is none",
	         ALL(HEAD ",\n{\"rule\": {\"handle\": 1-2}}"), 2, 22, 0},
		{"a number with a zero before",
	         ALL(HEAD ",\n{\"rule\": {\"handle\": 007}}"), 2, 22, 0},
		{"a word that is none",
	         ALL(HEAD ",\n{\"rule\": {\"handle\": nullify}}"), 2, 25, 0},
		{"two in one",
	         ALL(HEAD ",\n{\"table\": {\"family\": \"ip\", \"name\": "
	                  "\"a\"}, \"rule\": {}}"),
	         2, 1, 0},
		{"an element that its set lacks",
	         ALL(HEAD ",\n{\"add\": {\"element\": {\"family\": \"inet\", "
	                  "\"table\": \"fw\", \"name\": \"s\"}}}"),
	         2, 1, 0},
		{"more behind the end", ALL(HEAD) "\n table", 2, 2, 0},
		{"two lists", "{\"nftables\": [" HEAD "],\n\"nftables\": []}",
	         2, 12, 0},
		{"no list", "{\"x\":\n\"nftables\"}", 2, 11, 0},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct slice text = slice_str(rows[i].text);
		struct fw_rules rules;
		struct arena a;
		struct diag dg;

		arena_init(&a);
		fw_rules_init(&rules);
		diag_init(&dg, &a, NULL, text);
		assert_ptr_equal(fw_dialect_recognise(text),
		                 fw_dialect_find("nftables"));
		assert_int_equal(
			fw_dialect_find("nftables")->parse(&rules, text, &dg),
			EBADMSG);
		if (dg.first->line != rows[i].line ||
		    dg.first->column != rows[i].column)
			fail_msg("%s: %u:%u %s", rows[i].why, dg.first->line,
			         dg.first->column, dg.first->message);
		if (rules.n_rules != rows[i].n_rules)
			fail_msg("%s: %zu rules", rows[i].why, rules.n_rules);
		fw_rules_fini(&rules);
		arena_fini(&a);
	}
}

/* `nft -j list table` of several tables, into one file */
static void test_documents_stand_behind_each_other(void **state)
{
	static const char two[] =
		ALL(HEAD ", " RULE("{\"drop\": null}")) "\n" ALL(
			"{\"rule\": {\"family\": \"ip\", \"table\": \"b\", "
			"\"chain\": \"c\", \"expr\": []}}") "\n";
	const struct fw_dialect *d = fw_dialect_find("nftables");
	struct fw_rules rules;
	struct arena a;
	struct diag dg;

	UNUSED(state);
	arena_init(&a);
	fw_rules_init(&rules);
	diag_init(&dg, &a, NULL, slice_str(two));
	assert_int_equal(d->parse(&rules, slice_str(two), &dg), 0);
	assert_non_null(fw_chain_find(&rules, "inet fw", "forward"));
	assert_non_null(fw_chain_find(&rules, "ip b", "c"));
	fw_rules_fini(&rules);
	arena_fini(&a);
}

static void test_members_of_one_object_have_an_end(void **state)
{
	struct wr w = wr_init_heap(), out = wr_init_heap();
	struct arena a;
	struct diag dg;

	UNUSED(state);
	wr_str(&w, "{\"nftables\": [{\"rule\": {");
	for (unsigned i = 0; i < 100000; i++)
		wr_fmt(&w, "%s\"%u\": 9", i ? ", " : "", i);
	wr_str(&w, "}}]}");
	arena_init(&a);
	diag_init(&dg, &a, NULL, wr_slice(&w));
	assert_int_equal(nft_json_put(&out, wr_slice(&w), &dg), EBADMSG);
	assert_int_equal(dg.n_errors, 1);
	assert_int_equal(dg.first->line, 1);
	wr_fini(&w);
	wr_fini(&out);
	arena_fini(&a);
}

static void test_depth_has_an_end(void **state)
{
	struct wr w = wr_init_heap(), out = wr_init_heap();
	struct arena a;
	struct diag dg;

	UNUSED(state);
	wr_str(&w, "{\"nftables\": [" HEAD ", ");
	for (unsigned i = 0; i < 100000; i++)
		wr_str(&w, i % 2 ? "{\"rule\":" : "[");
	arena_init(&a);
	diag_init(&dg, &a, NULL, wr_slice(&w));
	assert_int_equal(nft_json_put(&out, wr_slice(&w), &dg), EBADMSG);
	wr_fini(&w);
	wr_fini(&out);
	arena_fini(&a);
}

static void test_every_prefix_is_a_fault(void **state)
{
	UNUSED(state);
	for (size_t n = 20; n + 1 < sizeof(objects); n++) {
		const struct slice text = slice_sub(slice_str(objects), 0, n);
		struct fw_rules rules;
		struct arena a;
		struct diag dg;

		arena_init(&a);
		fw_rules_init(&rules);
		diag_init(&dg, &a, NULL, text);
		if (fw_dialect_find("nftables")->parse(&rules, text, &dg) !=
		    EBADMSG)
			fail_msg("%zu bytes", n);
		fw_rules_fini(&rules);
		arena_fini(&a);
	}
}

static void test_without_memory(void **state)
{
	int err;

	UNUSED(state);
	for (unsigned long n = 0;; n++) {
		const struct slice text = slice_str(objects);
		struct fw_rules rules;
		struct arena a;
		struct diag dg;

		arena_init(&a);
		fw_rules_init(&rules);
		diag_init(&dg, &a, NULL, text);
		oom_after(n);
		err = fw_dialect_find("nftables")->parse(&rules, text, &dg);
		oom_after(OOM_NEVER);
		fw_rules_fini(&rules);
		arena_fini(&a);
		if (!err)
			break;
		assert_int_equal(err, ENOMEM);
		assert_true(n < 5000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statements_are_those_of_a_listing),
		cmocka_unit_test(test_objects_stand_in_their_table),
		cmocka_unit_test(test_faults_have_a_place_and_the_rest_is_read),
		cmocka_unit_test(test_documents_stand_behind_each_other),
		cmocka_unit_test(test_members_of_one_object_have_an_end),
		cmocka_unit_test(test_depth_has_an_end),
		cmocka_unit_test(test_every_prefix_is_a_fault),
		cmocka_unit_test(test_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
