/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firewall/vendor.h"
#include "oom.h"

static const char *const names[] = {"arris-tg1692a", "barracuda", "dlink",
                                    "linksys",       "netgear",   "tplink"};

struct made {
	struct arena arena;
	struct fw_rules rules;
	struct diag dg;
	struct fw_rule *sip;
};

static void start(struct made *m)
{
	const struct fw_place place = {.in = "lan", .out = "wan"};
	struct fw_flow f = {.id = "sip-1",
	                    .title = "SIP",
	                    .is_sip = true,
	                    .min_udp_idle_s = 300,
	                    .min_tcp_idle_s = -1};
	struct fw_ip lo, hi;

	arena_init(&m->arena);
	fw_rules_init(&m->rules);
	diag_init(&m->dg, &m->arena, NULL, slice_str(""));
	assert_int_equal(fw_ip_parse(&lo, &hi, slice_str("192.0.2.1")), 0);
	assert_non_null(fw_addrs_add_range(&m->arena, &f.dst, lo, hi));
	assert_non_null(fw_addrs_add_name(&m->arena, &f.dst, FW_ADDR_NAME,
	                                  "sip.example.net"));
	for (int proto = 6; proto <= 17; proto += 11) {
		assert_non_null(fw_services_add(&m->arena, &f.services, proto,
		                                5060, 5061));
		assert_non_null(fw_services_add(&m->arena, &f.services, proto,
		                                5080, 5080));
	}
	assert_int_equal(fw_rules_from_flows(&m->rules, &f, 1, &place), 0);
	m->sip = m->rules.chains->last;
}

static void done(struct made *m)
{
	fw_rules_fini(&m->rules);
	arena_fini(&m->arena);
}

static int emit(struct made *m, const char *name, struct wr *out)
{
	return fw_emit(out, fw_dialect_find(name), &m->rules, &m->dg);
}

/* PRUMO_UPDATE=1 makes the golden files. */
static void check_golden(const char *name, struct slice text)
{
	static char buf[1 << 14];
	const bool writes = getenv("PRUMO_UPDATE");
	char path[512];
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/tests/golden/firewall/%s.txt",
	               getenv("PRUMO_SOURCE_ROOT"), name);
	f = fopen(path, writes ? "wb" : "rb");
	assert_non_null(f);
	if (writes) {
		assert_int_equal(fwrite(text.p, 1, text.n, f), text.n);
	} else {
		n = fread(buf, 1, sizeof(buf) - 1, f);
		buf[n] = '\0';
		if (!slice_eq_str(text, buf))
			fail_msg("%.*s", (int)text.n, (const char *)text.p);
	}
	(void)fclose(f);
}

static void test_emit_is_the_golden_text(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct wr out = wr_init_heap();
		struct made m;

		start(&m);
		assert_int_equal(emit(&m, names[i], &out), 0);
		check_golden(names[i], wr_slice(&out));
		wr_fini(&out);
		done(&m);
	}
}

static void test_emit_lists_every_port(void **state)
{
	static const char want[] =
		"192.0.2.1, sip.example.net: TCP 5060-5061, TCP 5080, "
		"UDP 5060-5061, UDP 5080";

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct wr out = wr_init_heap();
		struct made m;

		start(&m);
		assert_int_equal(emit(&m, names[i], &out), 0);
		assert_true(slice_find(wr_slice(&out), slice_str(want)) !=
		            SIZE_MAX);
		wr_fini(&out);
		done(&m);
	}
}

/* What the provider's table asks beyond the ALG weakens the box. */
static void test_emit_never_opens_the_box(void **state)
{
	static const struct {
		const char *name, *want;
	} rows[] = {
		{"linksys", "Leave the SPI firewall on"},
		{"netgear", "Leave port scan and DoS protection on"},
		{"barracuda", "nothing else lets SIP pass now"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wr out = wr_init_heap();
		struct made m;

		start(&m);
		assert_int_equal(emit(&m, rows[i].name, &out), 0);
		if (slice_find(wr_slice(&out), slice_str(rows[i].want)) ==
		    SIZE_MAX)
			fail_msg("%s", rows[i].name);
		wr_fini(&out);
		done(&m);
	}
}

static void test_emit_leaves_the_alg_to_who_asks(void **state)
{
	struct wr out = wr_init_heap();
	struct made m;

	UNUSED(state);
	start(&m);
	m.sip->attrs.alg = FW_UNSET;
	assert_int_equal(emit(&m, "netgear", &out), 0);
	assert_true(slice_find(wr_slice(&out), slice_str("SIP ALG\"")) ==
	            SIZE_MAX);
	wr_fini(&out);
	done(&m);
}

static void test_emit_refuses_what_it_cannot_say(void **state)
{
	UNUSED(state);
	for (int i = 0; i < 4; i++) {
		struct wr out = wr_init_heap();
		struct made m;

		start(&m);
		if (i == 0)
			m.sip->action = FW_DROP;
		else if (i == 1)
			m.sip->attrs.alg = FW_ON;
		else if (i == 2)
			m.sip->states = FW_STATE_NEW | FW_STATE_INVALID;
		else
			m.sip->attrs.dscp = 46;
		if (emit(&m, "dlink", &out) != ENOTSUP || out.n)
			fail_msg("row %d", i);
		wr_fini(&out);
		done(&m);
	}
}

static void test_emit_without_memory(void **state)
{
	unsigned long n = 0;
	struct made m;
	int err;

	UNUSED(state);
	start(&m);
	do {
		struct wr out = wr_init_heap();

		oom_after(n++);
		err = emit(&m, "tplink", &out);
		oom_after(OOM_NEVER);
		assert_true(err == 0 || err == ENOMEM);
		wr_fini(&out);
	} while (err);
	assert_true(n > 1);
	done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_emit_is_the_golden_text),
		cmocka_unit_test(test_emit_lists_every_port),
		cmocka_unit_test(test_emit_never_opens_the_box),
		cmocka_unit_test(test_emit_leaves_the_alg_to_who_asks),
		cmocka_unit_test(test_emit_refuses_what_it_cannot_say),
		cmocka_unit_test(test_emit_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
