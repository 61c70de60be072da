/* SPDX-License-Identifier: ISC */
/** What the tests of SonicOS share: texts, and two flows that want to pass. */
#pragma once

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firewall/audit.h"

struct read {
	struct arena arena;
	struct fw_rules rules;
	struct diag dg;
	int err;
};

static inline void open_as(struct read *r, const char *dialect,
                           struct slice text)
{
	arena_init(&r->arena);
	fw_rules_init(&r->rules);
	diag_init(&r->dg, &r->arena, "box", text);
	r->err = fw_dialect_find(dialect)->parse(&r->rules, text, &r->dg);
}

static inline void open_text(struct read *r, const char *text)
{
	open_as(r, "sonicos", slice_str(text));
}

static inline void done(struct read *r)
{
	fw_rules_fini(&r->rules);
	arena_fini(&r->arena);
}

static inline char *load(const char *name)
{
	static char buf[1 << 15];
	char path[512];
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/fuzz/corpus/%s",
	               getenv("PRUMO_SOURCE_ROOT"), name);
	f = fopen(path, "rb");
	assert_non_null(f);
	n = fread(buf, 1, sizeof(buf) - 1, f);
	buf[n] = '\0';
	(void)fclose(f);
	return buf;
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
