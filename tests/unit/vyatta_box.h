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
