/* SPDX-License-Identifier: ISC */
/** What the tests of EdgeOS and VyOS read and ask for. */
#pragma once

#include "firewall/vyatta_write.h"
#include "firewall_box.h"

struct made {
	struct arena arena;
	struct fw_flow flows[3];
	size_t n;
	struct fw_place place;
};

static inline void add_ip(struct made *m, struct fw_flow *f, const char *text)
{
	struct fw_ip lo, hi;

	assert_int_equal(fw_ip_parse(&lo, &hi, slice_str(text)), 0);
	assert_non_null(fw_addrs_add_range(&m->arena, &f->dst, lo, hi));
}

static inline void make_flows(struct made *m, bool has_name)
{
	*m = (struct made){.place = {.in = "eth1", .out = "eth0"},
	                   .n = has_name ? 3 : 2};
	arena_init(&m->arena);
	m->flows[0] = (struct fw_flow){.id = "sip-1",
	                               .title = "SIP 192.0.2.1",
	                               .is_sip = true,
	                               .min_udp_idle_s = 300,
	                               .min_tcp_idle_s = -1};
	add_ip(m, &m->flows[0], "192.0.2.1");
	add_ip(m, &m->flows[0], "198.51.100.0/28");
	m->flows[1] = (struct fw_flow){.id = "rtp-1",
	                               .title = "RTP",
	                               .min_udp_idle_s = 300,
	                               .min_tcp_idle_s = -1};
	add_ip(m, &m->flows[1], "192.0.2.4-192.0.2.9");
	add_ip(m, &m->flows[1], "2001:db8::5");
	m->flows[2] = (struct fw_flow){
		.id = "web-1", .min_udp_idle_s = -1, .min_tcp_idle_s = -1};
	assert_non_null(fw_addrs_add_name(&m->arena, &m->flows[2].dst,
	                                  FW_ADDR_NAME, "web.example.net"));
	for (int proto = 6; proto <= 17; proto += 11) {
		for (uint16_t i = 0; i < 20; i++)
			assert_non_null(fw_services_add(
				&m->arena, &m->flows[0].services, proto,
				(uint16_t)(5000 + i * 10),
				(uint16_t)(5000 + i * 10 + (proto == 17))));
		assert_non_null(fw_services_add(
			&m->arena, &m->flows[1].services, proto, 10000, 65535));
	}
	assert_non_null(
		fw_services_add(&m->arena, &m->flows[2].services, 6, 443, 443));
}

/** A text, and what becomes of a flow to port 5060 of @p dst. */
struct vy_row {
	const char *dialect, *texts[2], *in, *out, *dst;
	int proto;
	enum fw_verdict verdict;
	unsigned line; /* of the rule that decides; 0: not asked */
	enum fw_path path;
};

static inline void vy_judge(const struct vy_row *row, size_t i)
{
	struct fw_flow flow = {
		.id = "x", .min_udp_idle_s = -1, .min_tcp_idle_s = -1};
	struct wr text = wr_init_heap();
	struct made m = {.n = 0};
	struct fw_answer *got;
	const struct fw_rule *rule;
	struct fw_question q;
	struct read r;

	for (size_t k = 0; k < ARRAY_LEN(row->texts) && row->texts[k]; k++)
		wr_str(&text, row->texts[k]);
	open_as(&r, row->dialect, wr_slice(&text));
	assert_int_equal(r.err, 0);
	arena_init(&m.arena);
	add_ip(&m, &flow, row->dst);
	assert_non_null(fw_services_add(&m.arena, &flow.services, row->proto,
	                                5060, 5060));
	q = (struct fw_question){
		.flows = &flow,
		.n_flows = 1,
		.place = {.path = row->path, .in = row->in, .out = row->out}};
	assert_int_equal(fw_answer_all(&got, &m.arena, &r.rules, &q), 0);
	rule = got->out.parts ? got->out.parts->rule : NULL;
	if (got->verdict != row->verdict ||
	    (row->line && (!rule || rule->line != row->line)))
		fail_msg("row %zu: %d, line %u", i, (int)got->verdict,
		         rule ? rule->line : 0);
	arena_fini(&m.arena);
	done(&r);
	wr_fini(&text);
}
