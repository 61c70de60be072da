/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "profile/ports.h"

#define ROW                                                             \
	"schema: prumo/profile/1\nid: x\nname: X\nsource: {title: T}\n" \
	"tables: [{id: t}]\nrequirements: {sip_alg_allowed: false}\n"   \
	"rows:\n  - {table: t, row: 1, host: 192.0.2.1, "               \
	"transports: [udp, tcp], "                                      \
	"direction: both, service: s, description: d, "

static void check(const char *rest, struct profile_sip_ports ports,
                  struct profile_sip_ports want)
{
	struct arena arena;
	struct profile *p;
	struct diag dg;
	struct wr text = wr_init_heap();

	wr_str(&text, ROW);
	wr_str(&text, rest);
	arena_init(&arena);
	diag_init(&dg, &arena, "p.yaml", wr_slice(&text));
	if (profile_load(&p, wr_slice(&text), &dg))
		fail_msg("%s", dg.first ? dg.first->message : "no memory");
	profile_sip_ports(&ports, p);
	assert_int_equal(ports.sip, want.sip);
	assert_int_equal(ports.sip_alt, want.sip_alt);
	assert_int_equal(ports.tls, want.tls);
	profile_free(p);
	arena_fini(&arena);
	wr_fini(&text);
}

static void test_ports_are_told_by_what_they_are_for(void **state)
{
	const struct profile_sip_ports none = {0};

	UNUSED(state);
	check("ports: [5060, 5061, 5080], class: sip}\n", none,
	      (struct profile_sip_ports){5060, 5080, 5061});
	check("ports: [6060, 5071], class: sip}\n", none,
	      (struct profile_sip_ports){6060, 5071, 0});
	check("ports: [5060], class: web}\n", none, none);
	/* what is said already stays, and is nobody's alternative */
	check("ports: [5060, 5061, 5080], class: sip}\n",
	      (struct profile_sip_ports){.sip = 5080},
	      (struct profile_sip_ports){5080, 5060, 5061});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ports_are_told_by_what_they_are_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
