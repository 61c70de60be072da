/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oom.h"
#include "profile/profile.h"

struct read {
	struct arena arena;
	struct diag dg;
	struct profile *p;
	int err;
};

static void load(struct read *rd, struct slice text)
{
	memset(rd, 0, sizeof(*rd));
	arena_init(&rd->arena);
	diag_init(&rd->dg, &rd->arena, "p.yaml", text);
	rd->err = profile_load(&rd->p, text, &rd->dg);
}

static void unload(struct read *rd)
{
	profile_free(rd->p);
	arena_fini(&rd->arena);
}

/* To be freed. */
static struct slice file_text(const char *name)
{
	enum {
		MAX = 1 << 16
	};
	char path[4096];
	uint8_t *buf = malloc(MAX);
	size_t n;
	FILE *f;

	assert_non_null(buf);
	(void)snprintf(path, sizeof(path), "%s/%s", getenv("PRUMO_SOURCE_ROOT"),
	               name);
	f = fopen(path, "rb");
	assert_non_null(f);
	n = fread(buf, 1, MAX, f);
	(void)fclose(f);
	assert_in_range(n, 1, MAX - 1);
	return (struct slice){buf, n};
}

static void free_text(struct slice text)
{
	union {
		const uint8_t *in;
		void *out;
	} p = {text.p};

	free(p.out);
}

/* 20 rows by address and 19 by name; counted by hand from the document. */
static void test_document_is_whole(void **state)
{
	struct slice text = file_text("profiles/cloudphone-pro.yaml");
	size_t n_addresses = 0, n_of[PROFILE_N_CLASSES] = {0};
	struct read rd;

	UNUSED(state);
	load(&rd, text);
	assert_int_equal(rd.err, 0);
	assert_int_equal(rd.dg.n_items, 0);
	assert_int_equal(rd.p->n_rows, 39);
	assert_int_equal(profile_n_flows(rd.p), 116);
	for (size_t i = 0; i < rd.p->n_rows; i++) {
		n_addresses += rd.p->rows[i].addr.family == ADDR_IP4;
		n_of[rd.p->rows[i].cls]++;
	}
	assert_int_equal(n_addresses, 20);
	assert_int_equal(n_of[PROFILE_SIP], 5);
	assert_int_equal(n_of[PROFILE_RTP], 8);
	assert_int_equal(n_of[PROFILE_STUN], 2);
	assert_int_equal(n_of[PROFILE_LICENCE], 2);
	assert_false(rd.p->requirements.sip_alg_allowed);
	assert_int_equal(rd.p->requirements.timers[0].min_s, 300);
	assert_int_equal(rd.p->requirements.n_web_ports, 2);
	assert_int_equal(rd.p->requirements.web_ports[1], 443);
	unload(&rd);
	free_text(text);
}

static void test_other_provider(void **state)
{
	struct slice text = file_text("tests/profiles/example-voz.yaml");
	const struct profile_row *row;
	struct read rd;

	UNUSED(state);
	load(&rd, text);
	assert_int_equal(rd.err, 0);
	row = &rd.p->rows[0];
	assert_true(row->is_srv);
	assert_int_equal(row->addr.family, ADDR_NONE);
	assert_int_equal(row->transports, PROFILE_TLS);
	assert_int_equal(row->direction, PROFILE_OUT);
	assert_int_equal(row->ports[0].first, 15061);
	assert_int_equal(rd.p->rows[1].addr.family, ADDR_IP6);
	assert_false(rd.p->rows[1].is_srv);
	row = &rd.p->rows[3];
	assert_int_equal(row->ports[0].first, 30000);
	assert_int_equal(row->ports[0].last, 39999);
	assert_int_equal(rd.p->rows[5].cls, PROFILE_PROVISIONING);
	assert_int_equal(rd.p->requirements.dscp_signalling, 26);
	assert_int_equal(rd.p->requirements.thresholds.setup_ms, 1500);
	unload(&rd);
	free_text(text);
}

static const char small[] =
	"schema: prumo/profile/1\n"
	"id: small\n"
	"name: Small\n"
	"source: {title: Small}\n"
	"tables: [{id: t}]\n"
	"rows:\n"
	"  - {table: t, row: 1, host: sip.example.net, ports: [5060, 7-9],\n"
	"     transports: [tcp, udp], direction: both, description: SIP,\n"
	"     class: sip, service: voice}\n"
	"requirements: {sip_alg_allowed: true}\n";

static void test_flows_in_order_with_places(void **state)
{
	static const struct {
		uint16_t first;
		enum profile_transport transport;
		unsigned column;
	} expected[] = {
		{5060, PROFILE_UDP, 55},
		{5060, PROFILE_TCP, 55},
		{7, PROFILE_UDP, 61},
		{7, PROFILE_TCP, 61},
	};
	struct profile_iter it = {0};
	struct profile_flow flow;
	struct read rd;

	UNUSED(state);
	load(&rd, slice_str(small));
	assert_int_equal(rd.err, 0);
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		assert_true(profile_flow_next(&flow, rd.p, &it));
		assert_int_equal(flow.ports.first, expected[i].first);
		assert_int_equal(flow.transport, expected[i].transport);
		assert_int_equal(flow.ports.place.line, 7);
		assert_int_equal(flow.ports.place.column, expected[i].column);
	}
	assert_false(profile_flow_next(&flow, rd.p, &it));
	assert_int_equal(rd.p->rows[0].host_place.column, 30);
	unload(&rd);
}

/* A row, all of it, but for what a case adds. */
#define ONE_ROW(host, transports, more)                                      \
	"schema: prumo/profile/1\nid: x\nname: X\nsource: {title: T}\n"      \
	"tables: [{id: t}]\nrequirements: {sip_alg_allowed: false}\nrows:\n" \
	"  - {table: t, row: 1, host: " host                                 \
	", ports: [5060], transports: [" transports                          \
	"], direction: out,\n     class: sip, service: s, description: d,\n" \
	"     " more "}\n"

static void test_faults_of_a_host_are_one_line_each(void **state)
{
	static const struct {
		const char *text, *message;
		unsigned line;
	} cases[] = {
		{ONE_ROW("a.example", "udp", "addresses: [192.0.2.1, 192.0.2]"),
	         "'192.0.2' is not an IP address", 10},
		{ONE_ROW("a.example", "udp", "addresses: [b.example]"),
	         "'b.example' is not an IP address", 10},
		{ONE_ROW("a.example", "udp", "addresses: [192.0.2.0/24]"),
	         "'192.0.2.0/24' is not an IP address", 10},
		{ONE_ROW("192.0.2.1", "udp", "addresses: [192.0.2.1]"),
	         "'addresses' is for host names; '192.0.2.1' is none", 10},
		{ONE_ROW("a.example", "udp", "addresses: []"),
	         "this list must not be empty", 10},
		{ONE_ROW("a.example", "udp", "addresses: 192.0.2.1"),
	         "found a single value, expected a list", 10},
		{ONE_ROW("a.example", "udp", "issuers: []"),
	         "this list must not be empty", 10},
		{ONE_ROW("a.example", "udp", "issuers: R3"),
	         "found a single value, expected a list", 10},
		{ONE_ROW("a.example", "udp", "issuers: [{name: R3}]"),
	         "found keys with values, expected a single value", 10},
		{ONE_ROW("a.example", "udp", "issuers: ['']"),
	         "this text must not be empty", 10},
		{ONE_ROW("_sip.a.example", "udp", "purpose: p"),
	         "'_sip.a.example' names no service; expected "
	         "_sip._udp.example.com",
	         8},
		{ONE_ROW("_sip._udp.a.example", "udp, tcp", "purpose: p"),
	         "'_sip._udp.a.example' is not reached by all of these "
	         "transports",
	         8},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct read rd;

		load(&rd, slice_str(cases[i].text));
		if (rd.err != EBADMSG || rd.dg.n_errors != 1)
			fail_msg("%zu: %zu faults: %s", i, rd.dg.n_errors,
			         rd.dg.first ? rd.dg.first->message : "");
		assert_string_equal(rd.dg.first->message, cases[i].message);
		assert_int_equal(rd.dg.first->line, cases[i].line);
		unload(&rd);
	}
}

static void test_addresses_of_a_service_are_its_targets(void **state)
{
	struct read rd;

	UNUSED(state);
	load(&rd, slice_str(ONE_ROW("_sip._udp.a.example", "udp",
	                            "addresses: [192.0.2.1, '2001:db8::1']")));
	assert_int_equal(rd.err, 0);
	assert_true(rd.p->rows[0].is_srv);
	assert_int_equal(rd.p->rows[0].n_addresses, 2);
	unload(&rd);
}

static void test_every_prefix_is_refused(void **state)
{
	struct slice text = slice_str(small);

	UNUSED(state);
	/* The last key's value may lose the line end and the brace only. */
	for (text.n -= 2; text.n > 0; text.n--) {
		struct read rd;

		load(&rd, text);
		assert_int_equal(rd.err, EBADMSG);
		assert_null(rd.p);
		assert_true(rd.dg.n_errors > 0);
		unload(&rd);
	}
}

static void test_size_has_a_limit(void **state)
{
	size_t n = PROFILE_MAX_BYTES + 1;
	char *big = malloc(n);
	struct read rd;

	UNUSED(state);
	assert_non_null(big);
	memset(big, '#', n);
	load(&rd, (struct slice){(const uint8_t *)big, n});
	assert_int_equal(rd.err, EBADMSG);
	assert_int_equal(rd.dg.n_errors, 1);
	assert_true(rd.arena.bytes < 1 << 16);
	unload(&rd);
	free(big);
}

static void test_rows_have_a_limit(void **state)
{
	static const char row[] = "- {}\n";
	struct wr w = wr_init_heap();
	struct read rd;

	UNUSED(state);
	wr_str(&w, "rows:\n");
	for (size_t i = 0; i <= PROFILE_MAX_ROWS; i++)
		wr_str(&w, row);
	load(&rd, wr_slice(&w));
	assert_int_equal(rd.err, EBADMSG);
	/* The missing keys and the list; nothing about each of the rows. */
	assert_in_range(rd.dg.n_errors, 2, 10);
	unload(&rd);
	wr_fini(&w);
}

static void test_load_survives_no_memory(void **state)
{
	struct slice text = file_text("tests/profiles/example-voz.yaml");
	struct read rd;
	unsigned long n = 0;

	UNUSED(state);
	do {
		oom_after(n++);
		load(&rd, text);
		oom_after(OOM_NEVER);
		if (rd.err) {
			assert_int_equal(rd.err, ENOMEM);
			assert_null(rd.p);
		} else {
			assert_int_equal(rd.p->n_rows, 7);
		}
		unload(&rd);
		assert_true(rd.err || n > 10);
	} while (rd.err);
	free_text(text);
}

static void test_free_takes_nothing(void **state)
{
	UNUSED(state);
	profile_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_document_is_whole),
		cmocka_unit_test(test_other_provider),
		cmocka_unit_test(test_flows_in_order_with_places),
		cmocka_unit_test(test_faults_of_a_host_are_one_line_each),
		cmocka_unit_test(test_addresses_of_a_service_are_its_targets),
		cmocka_unit_test(test_every_prefix_is_refused),
		cmocka_unit_test(test_size_has_a_limit),
		cmocka_unit_test(test_rows_have_a_limit),
		cmocka_unit_test(test_load_survives_no_memory),
		cmocka_unit_test(test_free_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
