/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "cli/services.h"
#include "oom.h"

/* This host has 127.0.0.1, and 127.0.0.2 is none of its addresses. */
#define HERE                                \
	{                                   \
		ADDR_IP4, {127, 0, 0, 1}, 0 \
	}
#define THERE                               \
	{                                   \
		ADDR_IP4, {127, 0, 0, 2}, 0 \
	}
#define FAR                                 \
	{                                   \
		ADDR_IP4, {192, 0, 2, 1}, 0 \
	}

static struct profile_ports sip_ports[] = {{5060, 5060, {0, 0}},
                                           {5061, 5061, {0, 0}}};
static struct profile_ports rtp_ports[] = {{10000, 65535, {0, 0}}};

static struct profile_row row(const char *host, struct addr addr,
                              enum profile_class cls)
{
	bool is_rtp = cls == PROFILE_RTP;

	return (struct profile_row){
		.host = host,
		.addr = addr,
		.cls = cls,
		.transports = PROFILE_UDP | PROFILE_TCP,
		.n_ports = is_rtp ? 1 : 2,
		.ports = is_rtp ? rtp_ports : sip_ports,
	};
}

static struct cli_services make(struct profile_row *rows, size_t n,
                                const struct cli_places *places)
{
	struct profile profile = {.rows = rows, .n_rows = n};
	struct edge_server_conf conf = {
		.at = {{.family = ADDR_IP4}, {.family = ADDR_IP6}},
		.n_at = 2,
	};
	struct cli_services sv;

	assert_int_equal(cli_services_make(&sv, &profile, places, &conf), 0);
	return sv;
}

static void test_row_of_this_host_is_answered_there(void **state)
{
	struct profile_row r = row("127.0.0.1", (struct addr)HERE, PROFILE_SIP);
	struct cli_places none = {.n_maps = 0};
	struct cli_services sv = make(&r, 1, &none);
	struct addr here = HERE;

	UNUSED(state);
	assert_int_equal(sv.n, 4); /* two ports, two transports */
	for (size_t i = 0; i < sv.n; i++) {
		assert_true(addr_ip_eq(&sv.at[i].at, &here));
		assert_int_equal(sv.at[i].speaks, EDGE_SIP);
		assert_int_equal(sv.at[i].is_tcp, i % 2);
		assert_int_equal(sv.at[i].first, i < 2 ? 5060 : 5061);
	}
	cli_services_fini(&sv);
}

static void test_other_rows_are_answered_everywhere(void **state)
{
	struct profile_row rows[] = {
		row("192.0.2.1", (struct addr)FAR, PROFILE_RTP),
		row("a.example", (struct addr){0}, PROFILE_RTP),
		row("b.example", (struct addr){0}, PROFILE_CHAT),
	};
	struct cli_places none = {.n_maps = 0};
	struct cli_services sv = make(rows, ARRAY_LEN(rows), &none);

	UNUSED(state);
	/* the first two are one */
	assert_int_equal(sv.n, 2 + 4);
	assert_int_equal(sv.n_rows_elsewhere, 0);
	for (size_t i = 0; i < sv.n; i++)
		assert_int_equal(sv.at[i].at.family, ADDR_NONE);
	assert_int_equal(sv.at[0].last, 65535);
	assert_int_equal(sv.at[0].speaks, EDGE_STUN);
	assert_int_equal(sv.at[2].speaks, EDGE_HTTP | EDGE_XMPP);
	cli_services_fini(&sv);
}

static void test_places_say_what_is_here(void **state)
{
	struct profile_row rows[] = {
		row("192.0.2.1", (struct addr)FAR, PROFILE_SIP), /* mapped */
		row("A.example", (struct addr){0}, PROFILE_RTP), /* here */
		row("b.example", (struct addr){0}, PROFILE_RTP), /* there */
	};
	struct addr here = HERE;
	struct cli_places p = {.n_maps = 0};
	struct cli_services sv;

	UNUSED(state);
	assert_int_equal(cli_places_map(&p, "192.0.2.0/24=127.0.0.0/24"), 0);
	assert_int_equal(cli_places_resolve(&p, "a.example:127.0.0.1"), 0);
	assert_int_equal(cli_places_resolve(&p, "a.example:127.0.0.2"), 0);
	assert_int_equal(cli_places_resolve(&p, "b.example:127.0.0.2"), 0);
	sv = make(rows, ARRAY_LEN(rows), &p);
	assert_int_equal(sv.n, 4 + 2);
	assert_int_equal(sv.n_rows_elsewhere, 1);
	for (size_t i = 0; i < sv.n; i++)
		assert_true(addr_ip_eq(&sv.at[i].at, &here));
	cli_services_fini(&sv);

	/* the host part stays: .2 is not this host's */
	rows[0].addr = (struct addr)THERE;
	rows[0].addr.ip[0] = 192;
	rows[0].addr.ip[2] = 2;
	sv = make(rows, 1, &p);
	assert_int_equal(sv.n, 0);
	assert_int_equal(sv.n_rows_elsewhere, 1);
	cli_services_fini(&sv);
	cli_places_fini(&p);
}

static void test_options_reject_malformed(void **state)
{
	static const char *const maps[] = {
		"",
		"192.0.2.0/24",
		"192.0.2.0/24=198.51.100.0/25",
		"=",
		"192.0.2.0/24=2001:db8::/24",
		"192.0.2.1/24=198.51.100.0/24",
	};
	static const char *const names[] = {"", "a", "a:", ":192.0.2.1", "a:b"};
	struct cli_places p = {.n_maps = 0};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(maps); i++)
		assert_int_equal(cli_places_map(&p, maps[i]), EBADMSG);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_int_equal(cli_places_resolve(&p, names[i]), EBADMSG);
	assert_int_equal(cli_places_resolve(&p, "a:2001:db8::1"), 0);
	assert_int_equal(cli_places_resolve(&p, "a:[2001:db8::1]"), 0);
	for (size_t i = 0; i < CLI_MAPS_MAX; i++)
		assert_int_equal(cli_places_map(&p, "::/0=::/0"), 0);
	assert_int_equal(cli_places_map(&p, "::/0=::/0"), E2BIG);
	while (p.n_names < CLI_NAMES_MAX)
		assert_int_equal(cli_places_resolve(&p, "a:192.0.2.1"), 0);
	assert_int_equal(cli_places_resolve(&p, "a:192.0.2.1"), E2BIG);
	cli_places_fini(&p);
}

static void test_names_get_the_addresses_listened_on(void **state)
{
	struct profile_row rows[] = {
		row("192.0.2.1", (struct addr)FAR, PROFILE_SIP),
		row("a.example", (struct addr){0}, PROFILE_SIP),
		row("b.example", (struct addr){0}, PROFILE_SIP),
	};
	struct profile profile = {.rows = rows, .n_rows = ARRAY_LEN(rows)};
	struct edge_server_conf conf = {
		.at = {HERE, {.family = ADDR_IP6}},
		.n_at = 2,
	};
	struct cli_places p = {.n_maps = 0};

	UNUSED(state);
	assert_int_equal(cli_places_resolve(&p, "B.example:192.0.2.7"), 0);
	assert_int_equal(cli_services_name(&p, &profile, &conf), 0);
	assert_int_equal(p.n_names, 2);
	assert_string_equal(p.names[1].name, "a.example");
	assert_true(addr_ip_eq(&p.names[1].addr, &conf.at[0]));
	cli_places_fini(&p);
}

static void test_services_get_records(void **state)
{
	struct profile_row rows[] = {
		row("_sip._udp.a.example", (struct addr){0}, PROFILE_SIP),
		row("_turn._udp.a.example", (struct addr){0}, PROFILE_STUN),
		row("_sip._udp.a.example", (struct addr){0}, PROFILE_SIP),
	};
	struct profile profile = {.rows = rows, .n_rows = ARRAY_LEN(rows)};
	struct edge_server_conf conf = {.at = {HERE}, .n_at = 1};
	struct cli_places p = {.n_maps = 0};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		rows[i].is_srv = true;
	assert_int_equal(cli_services_name(&p, &profile, &conf), 0);
	assert_int_equal(p.n_names, 1);
	assert_string_equal(p.names[0].name, "a.example");
	assert_int_equal(p.n_srvs, 4); /* two ports each, each once */
	assert_string_equal(p.srvs[1].name, "_sip._udp.a.example");
	assert_string_equal(p.srvs[1].domain, "a.example");
	assert_string_equal(p.srvs[0].naptr, "SIP+D2U");
	assert_null(p.srvs[1].naptr); /* it leads to both */
	assert_int_equal(p.srvs[1].port, 5061);
	assert_null(p.srvs[2].naptr);
	cli_places_fini(&p);
}

static void test_make_survives_no_memory(void **state)
{
	struct profile_row r = row("a.example", (struct addr){0}, PROFILE_SIP);
	struct profile profile = {.rows = &r, .n_rows = 1};
	struct edge_server_conf conf = {.n_at = 0};
	struct cli_places none = {.n_maps = 0};
	struct cli_services sv = {.n = 77};
	int err = ENOMEM;

	UNUSED(state);
	for (unsigned long n = 0; err && n < 100; n++) {
		oom_after(n);
		err = cli_services_make(&sv, &profile, &none, &conf);
		oom_after(OOM_NEVER);
		assert_true(!err || (err == ENOMEM && sv.n == 77));
	}
	assert_int_equal(err, 0);
	cli_services_fini(&sv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_row_of_this_host_is_answered_there),
		cmocka_unit_test(test_other_rows_are_answered_everywhere),
		cmocka_unit_test(test_places_say_what_is_here),
		cmocka_unit_test(test_options_reject_malformed),
		cmocka_unit_test(test_names_get_the_addresses_listened_on),
		cmocka_unit_test(test_services_get_records),
		cmocka_unit_test(test_make_survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
