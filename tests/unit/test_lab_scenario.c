/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "../oom.h"
#include "lab/scenario.h"

#define HEAD "schema: prumo/scenario/1\nname: x\nsummary: a b\n"
#define ONE  HEAD "routers: [{kernel: []}]\n"

static const char whole[] = HEAD
	"clients: 2\nip6: true\nseed: 9\n"
	"addresses: [198.51.100.30, 198.19.0.0/16]\n"
	"names: [{name: a.example, address: 198.19.7.1}]\n"
	"routers:\n"
	"  - {kernel: [nat, alg], udp-timeout: 40}\n"
	"  - {program: [persona=asa, out.delay=20], shared-wan: true}\n"
	"servers:\n"
	"  - {program: nginx, addresses: [198.51.100.30], host: a.example,\n"
	"     certificate: expired, ports: {http: [], https: [443, 8443]}}\n"
	"  - {program: edge}\n"
	"  - {program: sipp, ports: {udp: [5070]}}\n"
	"programs: [{in: client2, run: echo ready, await: true}]\n"
	"expect: {alg: true, alg-at: 2, findings: [alg.rewrites-sip]}\n";

static int read_text(const struct lab_scenario **sp, struct arena *a,
                     struct diag *dg, const char *text)
{
	diag_init(dg, a, "x.yaml", slice_str(text));
	return lab_scenario_read(sp, a, slice_str(text), dg);
}

static void test_read_takes_everything(void **state)
{
	const struct lab_scenario *s;
	struct arena a;
	struct diag dg;

	UNUSED(state);
	arena_init(&a);
	assert_int_equal(read_text(&s, &a, &dg, whole), 0);
	assert_int_equal(dg.n_items, 0);
	assert_string_equal(s->name, "x");
	assert_int_equal(s->spec.n_hops, 2);
	assert_int_equal(s->spec.n_clients, 2);
	assert_int_equal(s->seed, 9);
	assert_true(s->spec.hops[0].has_nat && s->spec.hops[0].has_alg);
	assert_int_equal(s->spec.hops[0].udp_timeout_s, 40);
	assert_null(s->words[0]);
	assert_string_equal(s->words[1], "persona=asa,out.delay=20");
	assert_true(s->spec.hops[1].is_program &&
	            s->spec.hops[1].has_shared_wan);
	assert_int_equal(s->spec.n_server_nets, 2);
	assert_int_equal(s->n_names, 1);
	assert_int_equal(s->n_servers, 3);
	assert_int_equal(s->servers[0].cert, LAB_CERT_EXPIRED);
	assert_int_equal(s->servers[0].n_ports[0], 0);
	assert_int_equal(s->servers[0].n_ports[1], 2);
	assert_int_equal(s->servers[0].ports[1][1], 8443);
	/* Ours listens everywhere, the others have an address of each kind. */
	assert_int_equal(s->servers[1].n_at, 0);
	assert_int_equal(s->servers[2].n_at, 2);
	assert_true(s->programs[0].is_awaited);
	assert_true(s->expect.has_alg && s->expect.is_alg);
	assert_int_equal(s->expect.alg_at, 2);
	assert_string_equal(s->expect.findings[0], "alg.rewrites-sip");
	arena_fini(&a);
}

static void test_read_refuses_in_its_place(void **state)
{
	static const struct {
		const char *why, *text;
		unsigned line;
	} cases[] = {
		{"empty", "", 0},
		{"a list", "[]", 1},
		{"another schema",
	         "schema: x/1\nname: x\nsummary: y\n"
	         "routers: [{kernel: []}]\n",
	         1},
		{"no router", HEAD "routers: []\n", 4},
		{"no kind", HEAD "routers: [{}]\n", 4},
		{"two kinds", HEAD "routers: [{kernel: [], program: nat=on}]\n",
	         4},
		{"a feature", HEAD "routers:\n  - kernel: [magic]\n", 5},
		{"a word", HEAD "routers:\n  - program: nat=perhaps\n", 5},
		{"a queue without a rate",
	         HEAD "routers:\n  - program:\n    - nat=on\n"
	              "    - out.queue=60\n",
	         7},
		{"an end of bursts that never begin",
	         HEAD "routers:\n  - program: [in.good=30]\n", 5},
		{"a word twice",
	         HEAD "routers:\n  - program: [nat=on,\n    nat=none]\n", 6},
		{"a port of 99999",
	         ONE "servers: [{program: nginx, ports: {http: [99999]}}]\n",
	         5},
		{"a port in letters",
	         ONE "servers: [{program: nginx, ports: {http: [www]}}]\n", 5},
		{"a timer of nothing",
	         HEAD "routers:\n  - kernel: []\n    udp-timeout: 9\n", 6},
		{"a key", ONE "colour: red\n", 5},
		{"the world", ONE "addresses: [8.8.8.8]\n", 5},
		{"a cable", ONE "addresses: [198.18.1.1]\n", 5},
		{"a large net", ONE "addresses: [198.18.0.0/15]\n", 5},
		{"somebody's", ONE "names: [{name: a, address: 192.0.2.1}]\n",
	         5},
		{"IPv6 without",
	         ONE "names:\n  - {name: a, address: '2001:db8:ffff::10'}\n",
	         6},
		{"a line end in a name",
	         ONE "names: [{name: \"a\\nb\", address: 198.51.100.10}]\n", 5},
		{"a quote in a host",
	         ONE "servers: [{program: nginx, host: 'a\";'}]\n", 5},
		{"a server", ONE "servers: [{program: asterisk}]\n", 5},
		{"no program", ONE "servers: [{host: a}]\n", 5},
		{"a slot",
	         ONE "servers: [{program: nginx, ports: {sip: [1]}}]\n", 5},
		{"port 0",
	         ONE "servers: [{program: nginx, ports: {http: [0]}}]\n", 5},
		{"two of one",
	         ONE "servers: [{program: sipp, ports: {udp: [1, 2]}}]\n", 5},
		{"a certificate",
	         ONE "servers: [{program: nginx, certificate: good}]\n", 5},
		{"a certificate for SIPp",
	         ONE "servers: [{program: sipp, certificate: valid}]\n", 5},
		{"a port twice",
	         ONE
	         "servers:\n- {program: nginx}\n"
	         "- {program: nginx, ports: {http: [], https: [8443, 443]}}\n",
	         7},
		{"a port of an edge on all addresses",
	         ONE "servers:\n- {program: edge}\n- {program: sipp}\n", 7},
		{"an edge on all addresses beside a port",
	         ONE "servers:\n- {program: coturn}\n- {program: edge}\n", 7},
		{"a node", ONE "programs: [{in: r2, run: x}]\n", 5},
		{"a client", ONE "programs: [{in: client2, run: x}]\n", 5},
		{"a hop", ONE "expect: {alg-at: 2}\n", 5},
		{"many clients", ONE "clients: 5\n", 5},
	};
	const struct lab_scenario *const untouched = (const void *)cases;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct lab_scenario *s = untouched;
		struct arena a;
		struct diag dg;

		arena_init(&a);
		if (read_text(&s, &a, &dg, cases[i].text) != EBADMSG)
			fail_msg("taken: %s", cases[i].why);
		if (s != untouched || dg.first->line != cases[i].line)
			fail_msg("%s: at line %u", cases[i].why,
			         dg.first->line);
		if (dg.n_errors != 1)
			fail_msg("%s: %zu faults", cases[i].why, dg.n_errors);
		arena_fini(&a);
	}
}

static void test_read_says_all_faults(void **state)
{
	const struct lab_scenario *s;
	struct arena a;
	struct diag dg;

	UNUSED(state);
	arena_init(&a);
	assert_int_equal(read_text(&s, &a, &dg,
	                           HEAD "routers: [{kernel: [magic]}]\n"
	                                "clients: many\nip6: 7\n"
	                                "servers: [{program: x}]\n"),
	                 EBADMSG);
	assert_int_equal(dg.n_errors, 4);
	arena_fini(&a);
}

/* A prefix is a scenario or it is refused with words. */
static void test_read_of_every_prefix(void **state)
{
	UNUSED(state);
	for (size_t n = 0; n < sizeof(whole) - 1; n++) {
		struct slice in = {(const uint8_t *)whole, n};
		const struct lab_scenario *s;
		struct arena a;
		struct diag dg;
		int err;

		arena_init(&a);
		diag_init(&dg, &a, "x.yaml", in);
		err = lab_scenario_read(&s, &a, in, &dg);
		if (!err != !dg.n_errors || (err && err != EBADMSG))
			fail_msg("%zu bytes: %d", n, err);
		arena_fini(&a);
	}
}

static void test_read_without_memory(void **state)
{
	UNUSED(state);
	for (unsigned long n = 0;; n++) {
		const struct lab_scenario *s;
		struct arena a;
		struct diag dg;
		int err;

		arena_init(&a);
		oom_after(n);
		err = read_text(&s, &a, &dg, whole);
		oom_after(OOM_NEVER);
		arena_fini(&a);
		if (!err)
			break;
		assert_int_equal(err, ENOMEM);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_takes_everything),
		cmocka_unit_test(test_read_refuses_in_its_place),
		cmocka_unit_test(test_read_says_all_faults),
		cmocka_unit_test(test_read_of_every_prefix),
		cmocka_unit_test(test_read_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
