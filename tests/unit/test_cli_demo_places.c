/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <stdio.h>

#include "cli/demo_places.h"
#include "oom.h"

#define PATH "/profiles/own.yaml"

static struct profile_row row(const char *host)
{
	struct profile_row r = {.host = host, .is_srv = host[0] == '_'};

	if (addr_parse(&r.addr, slice_str(host)) != 0)
		r.addr.family = ADDR_NONE;
	return r;
}

static void test_each_host_gets_one_place(void **state)
{
	struct profile_row rows[] = {
		row("203.0.113.7"), row("a.example"),
		row("203.0.113.7"), row("_sip._udp.A.example"),
		row("2001:db8::7"), row("A.example"),
		row("b.example"),
	};
	struct profile profile = {.rows = rows, .n_rows = ARRAY_LEN(rows)};
	struct lab_spec spec = {.n_hops = 1};
	struct cli_demo_places p;
	struct arena arena;

	UNUSED(state);
	arena_init(&arena);
	assert_int_equal(
		cli_demo_places_make(&p, &spec, &arena, &profile, PATH), 0);
	assert_int_equal(p.n, 3);
	assert_string_equal(p.words[0],
	                    "--map=203.0.113.7/32=198.51.100.100/32");
	assert_string_equal(p.words[1], "--resolve=a.example:198.51.100.101");
	assert_string_equal(p.words[2], "--resolve=b.example:198.51.100.102");
	assert_true(p.has_services);
	assert_string_equal(p.words[3], "--dns");
	assert_string_equal(p.words[4], PATH);
	assert_null(p.words[5]);
	assert_int_equal(spec.n_server_nets, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(spec.server_nets[i].n_bits, 32);
		assert_int_equal(spec.server_nets[i].net.ip[3], 100 + i);
	}
	arena_fini(&arena);
}

static void test_hosts_without_room_stay(void **state)
{
	enum {
		N = LAB_MAX_NETS + 3,
		N_TAKEN = 2
	};
	struct profile_row rows[N];
	char hosts[N][16];
	struct profile profile = {.rows = rows, .n_rows = N};
	struct lab_spec spec = {.n_hops = 1};
	struct cli_demo_places p;
	struct arena arena;

	UNUSED(state);
	arena_init(&arena);
	for (size_t i = 0; i < N; i++) {
		(void)snprintf(hosts[i], sizeof(hosts[i]), "h%zu.example", i);
		rows[i] = row(hosts[i]);
	}
	assert_int_equal(
		cli_demo_places_make(&p, &spec, &arena, &profile, PATH), 0);
	assert_int_equal(p.n, CLI_DEMO_PLACES_MAX);
	assert_string_equal(p.words[p.n], PATH);
	assert_null(p.words[p.n + 1]);
	spec.n_server_nets = N_TAKEN;
	assert_int_equal(
		cli_demo_places_make(&p, &spec, &arena, &profile, PATH), 0);
	assert_int_equal(p.n, LAB_MAX_NETS - N_TAKEN);
	assert_int_equal(spec.n_server_nets, LAB_MAX_NETS);
	arena_fini(&arena);
}

static void test_no_memory_is_said(void **state)
{
	struct profile_row r = row("a.example");
	struct profile profile = {.rows = &r, .n_rows = 1};
	int err = ENOMEM;
	unsigned long n = 0;

	UNUSED(state);
	for (; err && n < 100; n++) {
		struct lab_spec spec = {.n_hops = 1};
		struct cli_demo_places p;
		struct arena arena;

		arena_init(&arena);
		oom_after(n);
		err = cli_demo_places_make(&p, &spec, &arena, &profile, PATH);
		oom_after(OOM_NEVER);
		assert_true(!err || err == ENOMEM);
		arena_fini(&arena);
	}
	assert_int_equal(err, 0);
	assert_true(n > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_host_gets_one_place),
		cmocka_unit_test(test_hosts_without_room_stay),
		cmocka_unit_test(test_no_memory_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
