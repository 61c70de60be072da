/* SPDX-License-Identifier: ISC */
/** What the tests of SonicOS share: texts, and two flows that want to pass. */
#pragma once

#include "firewall_box.h"

static inline void open_text(struct read *r, const char *text)
{
	open_as(r, "sonicos", slice_str(text));
}

#define V7  "firmware-version \"SonicOS 7.1.1-7040\"\n"
#define V65 "firmware-version \"SonicOS Enhanced 6.5.4.4-44n\"\n"

#define ALLOW                                                               \
	"access-rule ipv4 from LAN to WAN action allow source address any " \
	"service any destination address any\n"
#define DENY                                                               \
	"access-rule ipv4 from LAN to WAN action deny source address any " \
	"service any destination address any\n"
#define BOX_PAGE                                                               \
	"voip\n    consistent-nat\n    sip\n        no enable\n        exit\n" \
	"    exit\n"

struct made {
	struct arena arena;
	struct fw_flow flows[2];
	struct fw_question q;
};

static inline void make(struct made *m)
{
	struct fw_ip lo, hi;

	memset(m, 0, sizeof(*m));
	arena_init(&m->arena);
	m->flows[0] = (struct fw_flow){.id = "sip",
	                               .title = "SIP of the provider",
	                               .is_sip = true,
	                               .min_udp_idle_s = 300,
	                               .min_tcp_idle_s = -1};
	m->flows[1] = (struct fw_flow){
		.id = "web", .min_udp_idle_s = 300, .min_tcp_idle_s = -1};
	assert_int_equal(fw_ip_parse(&lo, &hi, slice_str("198.51.100.1")), 0);
	assert_non_null(
		fw_addrs_add_range(&m->arena, &m->flows[0].dst, lo, hi));
	assert_non_null(fw_services_add(&m->arena, &m->flows[0].services,
	                                FW_PROTO_UDP, 5060, 5061));
	assert_non_null(fw_services_add(&m->arena, &m->flows[0].services,
	                                FW_PROTO_TCP, 5060, 5061));
	assert_non_null(fw_addrs_add_name(&m->arena, &m->flows[1].dst,
	                                  FW_ADDR_NAME, "web.example.net"));
	assert_non_null(fw_services_add(&m->arena, &m->flows[1].services,
	                                FW_PROTO_TCP, 443, 443));
	m->q = (struct fw_question){.flows = m->flows, .n_flows = 2};
	m->q.place = (struct fw_place){.in = "LAN", .out = "WAN"};
}

static inline bool has(const struct wr *w, const char *text)
{
	return slice_find(wr_slice(w), slice_str(text)) != SIZE_MAX;
}
