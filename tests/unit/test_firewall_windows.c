/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firewall/dialect.h"
#include "firewall/windows.h"
#include "oom.h"

static const char golden[] = "tests/golden/firewall/windows.ps1";

/* PRUMO_UPDATE=1 makes the golden file. */
static void check_golden(struct slice text)
{
	static char buf[1 << 14];
	const bool writes = getenv("PRUMO_UPDATE");
	char path[512];
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", getenv("PRUMO_SOURCE_ROOT"),
	               golden);
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

struct made {
	struct arena arena;
	struct fw_rules rules;
	struct fw_chain *chain;
	struct diag dg;
};

static void start(struct made *m)
{
	arena_init(&m->arena);
	fw_rules_init(&m->rules);
	diag_init(&m->dg, &m->arena, NULL, slice_str(""));
	m->chain = fw_chain_add(&m->rules, "output");
	assert_non_null(m->chain);
	m->chain->hook = FW_HOOK_OUTPUT;
	m->chain->policy = FW_DROP;
}

static void done(struct made *m)
{
	fw_rules_fini(&m->rules);
	arena_fini(&m->arena);
}

static struct fw_rule *add(struct made *m, const char *id, const char *dst)
{
	struct fw_rule *r = fw_rule_add(&m->rules, m->chain);
	struct arena *a = &m->rules.arena;
	struct fw_ip lo, hi;

	assert_non_null(r);
	r->id = id;
	r->states = FW_STATE_NEW;
	r->action = FW_ACCEPT;
	if (fw_ip_parse(&lo, &hi, slice_str(dst)) == 0)
		assert_non_null(fw_addrs_add_range(a, &r->dst, lo, hi));
	else
		assert_non_null(
			fw_addrs_add_name(a, &r->dst, FW_ADDR_NAME, dst));
	for (int proto = 6; proto <= 17; proto += 11) {
		assert_non_null(
			fw_services_add(a, &r->services, proto, 5060, 5061));
		assert_non_null(
			fw_services_add(a, &r->services, proto, 5080, 5080));
	}
	return r;
}

static int emit(struct made *m, struct wr *out)
{
	return fw_emit(out, fw_dialect_find("windows"), &m->rules, &m->dg);
}

static void fill(struct made *m)
{
	struct fw_rule *r;

	r = add(m, "sip-1", "192.0.2.1");
	r->name = "SIP \xe2\x80\x99; Remove-Item C:\\ '";
	r->attrs.alg = FW_OFF;
	r->attrs.udp_idle_s = 300;
	r = add(m, "web-1", "web.example.net");
	r->is_disabled = true;
	r = add(m, "v6", "2001:db8::/64");
	assert_non_null(fw_zones_add(&m->rules.arena, &r->out, "Ethernet 2"));
	assert_int_equal(
		fw_windows_exclusion_add(&m->rules, "C:\\Program Files\\App"),
		0);
}

static void test_emit_is_the_golden_text(void **state)
{
	struct wr out = wr_init_heap();
	struct made m;

	UNUSED(state);
	start(&m);
	fill(&m);
	assert_int_equal(emit(&m, &out), 0);
	check_golden(wr_slice(&out));
	wr_fini(&out);
	done(&m);
}

/* No name may end a quotation: PowerShell takes U+2019 for a quote too. */
static void test_emit_keeps_names_in_their_quotes(void **state)
{
	struct wr out = wr_init_heap();
	struct made m;
	size_t n_quotes = 0;

	UNUSED(state);
	start(&m);
	fill(&m);
	assert_int_equal(emit(&m, &out), 0);
	for (size_t i = 0; i < out.n; i++) {
		assert_true(out.p[i] < 0x80);
		n_quotes += out.p[i] == '\'';
	}
	assert_int_equal(n_quotes % 2, 0);
	wr_fini(&out);
	done(&m);
}

static void test_emit_keeps_all_ports_of_both_protocols(void **state)
{
	static const char *const want[] = {
		"-Protocol TCP `\n    -RemotePort '5060-5061', '5080'",
		"-Protocol UDP `\n    -RemotePort '5060-5061', '5080'"};
	struct wr out = wr_init_heap();
	struct made m;

	UNUSED(state);
	start(&m);
	(void)add(&m, "sip-1", "192.0.2.1");
	assert_int_equal(emit(&m, &out), 0);
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		assert_true(slice_find(wr_slice(&out), slice_str(want[i])) !=
		            SIZE_MAX);
	wr_fini(&out);
	done(&m);
}

static void test_emit_turns_inbound_around(void **state)
{
	struct wr out = wr_init_heap();
	struct made m;

	UNUSED(state);
	start(&m);
	m.chain->hook = FW_HOOK_INPUT;
	(void)add(&m, "in", "192.0.2.1");
	assert_int_equal(emit(&m, &out), 0);
	wr_u8(&out, 0);
	assert_non_null(strstr((char *)out.p, "-Direction Inbound"));
	assert_non_null(strstr((char *)out.p, "-LocalAddress '192.0.2.1'"));
	assert_non_null(strstr((char *)out.p, "-LocalPort '5060-5061'"));
	wr_fini(&out);
	done(&m);
}

static void set_drop(struct made *m, struct fw_rule *r)
{
	UNUSED(m);
	r->action = FW_DROP;
}

static void set_forward(struct made *m, struct fw_rule *r)
{
	UNUSED(r);
	m->chain->hook = FW_HOOK_FORWARD;
}

static void set_alg(struct made *m, struct fw_rule *r)
{
	UNUSED(m);
	r->attrs.alg = FW_ON;
}

static void set_esp(struct made *m, struct fw_rule *r)
{
	UNUSED(m);
	r->services.first->proto = 50;
}

static void set_source_name(struct made *m, struct fw_rule *r)
{
	assert_non_null(fw_addrs_add_name(&m->rules.arena, &r->src,
	                                  FW_ADDR_NAME, "a.example.net"));
}

static void set_schedule(struct made *m, struct fw_rule *r)
{
	UNUSED(m);
	r->schedule = "night";
}

static void test_emit_refuses_what_it_cannot_say(void **state)
{
	static void (*const rows[])(struct made * m, struct fw_rule * r) = {
		set_drop, set_forward,     set_alg,
		set_esp,  set_source_name, set_schedule,
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wr out = wr_init_heap();
		struct made m;

		start(&m);
		rows[i](&m, add(&m, "x", "192.0.2.1"));
		if (emit(&m, &out) != ENOTSUP || out.n || !m.dg.first)
			fail_msg("row %zu", i);
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
	fill(&m);
	do {
		struct wr out = wr_init_heap();

		oom_after(n++);
		err = emit(&m, &out);
		oom_after(OOM_NEVER);
		assert_true(err == 0 || err == ENOMEM);
		wr_fini(&out);
	} while (err);
	assert_true(n > 1);
	done(&m);
}

static void test_emit_excludes_no_more_than_was_said(void **state)
{
	static const struct {
		const char *path, *line; /* NULL: refused */
	} cases[] = {
		{"C:\\D'or $x `y", "-ExclusionPath 'C:\\D''or $x `y'\n"},
		{"C:\\Liga\xc3\xa7\xc3\xb5"
	         "es",
	         NULL},
		{"C:\\a\nRemove-Item b", NULL},
	};
	static char buf[1 << 14];

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct wr w = wr_init(buf, sizeof(buf) - 1);
		struct made m;

		start(&m);
		assert_int_equal(
			fw_windows_exclusion_add(&m.rules, cases[i].path), 0);
		assert_int_equal(fw_emit(&w, fw_dialect_find("windows"),
		                         &m.rules, &m.dg),
		                 cases[i].line ? 0 : ENOTSUP);
		buf[w.n] = '\0';
		if (cases[i].line && !strstr(buf, cases[i].line))
			fail_msg("%s", buf);
		done(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_emit_is_the_golden_text),
		cmocka_unit_test(test_emit_keeps_names_in_their_quotes),
		cmocka_unit_test(test_emit_excludes_no_more_than_was_said),
		cmocka_unit_test(test_emit_keeps_all_ports_of_both_protocols),
		cmocka_unit_test(test_emit_turns_inbound_around),
		cmocka_unit_test(test_emit_refuses_what_it_cannot_say),
		cmocka_unit_test(test_emit_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
