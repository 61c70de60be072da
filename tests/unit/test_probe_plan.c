/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "oom.h"
#include "probe/plan.h"

static struct profile *load(const char *text)
{
	struct arena arena;
	struct diag dg;
	struct profile *p;

	arena_init(&arena);
	diag_init(&dg, &arena, NULL, slice_str(text));
	if (profile_load(&p, slice_str(text), &dg))
		fail_msg("not a profile: %s", dg.first->message);
	arena_fini(&arena);
	return p;
}

static struct profile *shipped(void)
{
	static char text[1 << 17];
	char path[512];
	FILE *f;
	size_t n;

	(void)snprintf(path, sizeof(path), "%s/profiles/cloudphone-pro.yaml",
	               getenv("PRUMO_SOURCE_ROOT"));
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	(void)fclose(f);
	text[n] = '\0';
	return load(text);
}

static struct plan *plan_of(const struct profile *p,
                            const struct plan_conf *conf)
{
	struct plan *plan;

	assert_int_equal(plan_alloc(&plan, p, conf), 0);
	return plan;
}

static struct addr addr_of(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(&a, slice_str(text)), 0);
	return a;
}

#define ROW(no, host, ports, transports, cls)                        \
	"  - {table: t, row: " no ", host: " host ", ports: " ports  \
	", transports: " transports ", direction: both, class: " cls \
	", service: s, description: d}\n"

static const char small[] =
	"schema: prumo/profile/1\nid: x\nname: X\nsource: {title: T}\n"
	"tables: [{id: t}]\nrequirements: {sip_alg_allowed: false}\nrows:\n" ROW(
		"1", "192.0.2.1", "[5060, 5061]", "[udp, tcp]", "sip")
		ROW("2", "192.0.2.1", "[10000-20000]", "[udp]", "rtp")
			ROW("3", "a.example", "[80, 443]", "[tcp]", "web")
				ROW("4", "b.example", "[443]", "[tcp]", "web");

static void test_every_flow_of_the_document_is_asked(void **state)
{
	static const struct plan_conf conf = {.may_resolve = true};
	struct profile *p = shipped();
	struct plan *plan = plan_of(p, &conf);
	struct addr at = addr_of("198.51.100.1");
	size_t n_asked = 0;

	UNUSED(state);
	assert_int_equal(plan_n_flows(plan), 116);
	for (size_t i = 0; i < plan_n_names(plan); i++) {
		at.ip[3]++;
		assert_int_equal(plan_bind(plan, i, &at, 1), 0);
	}
	for (size_t i = 0; i < 116; i++) {
		const struct plan_flow *f = plan_flow(plan, i);

		assert_int_equal(f->skip, PLAN_ASKED);
		assert_int_equal(f->n_questions, 1);
		n_asked += f->n_questions;
	}
	assert_int_equal(n_asked, 116);
	assert_true(plan_n_questions(plan) <= 116);
	plan_free(plan);
	profile_free(p);
}

static void test_services_speak_their_protocol(void **state)
{
	static const struct {
		enum profile_class cls;
		enum profile_transport transport;
		uint16_t first, last;
		enum plan_kind kind;
		enum ask_via via;
	} cases[] = {
		{PROFILE_SIP, PROFILE_UDP, 5060, 5060, PLAN_SIP, ASK_UDP},
		{PROFILE_SIP, PROFILE_TCP, 5080, 5080, PLAN_SIP, ASK_TCP},
		{PROFILE_SIP, PROFILE_TCP, 5061, 5061, PLAN_SIP, ASK_TLS},
		{PROFILE_SIP, PROFILE_UDP, 5061, 5061, PLAN_SIP, ASK_UDP},
		{PROFILE_SIP, PROFILE_TCP, 443, 443, PLAN_SIP, ASK_WSS},
		{PROFILE_SIP, PROFILE_TCP, 8089, 8089, PLAN_SIP, ASK_WSS},
		{PROFILE_SIP, PROFILE_TLS, 7443, 7443, PLAN_SIP, ASK_WSS},
		{PROFILE_SIP, PROFILE_TLS, 5071, 5071, PLAN_SIP, ASK_TLS},
		{PROFILE_WEBRTC, PROFILE_TCP, 8088, 8088, PLAN_SIP, ASK_WS},
		{PROFILE_WEBRTC, PROFILE_TCP, 443, 443, PLAN_HTTP, ASK_TLS},
		{PROFILE_STUN, PROFILE_UDP, 5349, 5349, PLAN_STUN, ASK_UDP},
		{PROFILE_STUN, PROFILE_UDP, 3478, 3478, PLAN_STUN, ASK_UDP},
		{PROFILE_STUN, PROFILE_TCP, 5349, 5349, PLAN_STUN, ASK_TLS},
		{PROFILE_CHAT, PROFILE_TCP, 5222, 5222, PLAN_XMPP, ASK_TCP},
		{PROFILE_CHAT, PROFILE_TCP, 5280, 5280, PLAN_XMPP_BOSH,
	         ASK_TCP},
		{PROFILE_CHAT, PROFILE_TCP, 443, 443, PLAN_HTTP, ASK_TLS},
		{PROFILE_WEB, PROFILE_TCP, 80, 80, PLAN_HTTP, ASK_TCP},
		{PROFILE_API, PROFILE_TCP, 443, 443, PLAN_HTTP, ASK_TLS},
		{PROFILE_WEB, PROFILE_TCP, 8443, 8443, PLAN_TCP, ASK_TCP},
		{PROFILE_RTP, PROFILE_UDP, 10000, 65535, PLAN_RANGE, ASK_UDP},
		{PROFILE_RTP, PROFILE_TCP, 10000, 65535, PLAN_RANGE, ASK_TCP},
		{PROFILE_WEB, PROFILE_UDP, 443, 443, PLAN_RANGE, ASK_UDP},
		{PROFILE_NTP, PROFILE_UDP, 123, 123, PLAN_NTP, ASK_UDP},
		{PROFILE_DNS, PROFILE_UDP, 53, 53, PLAN_DNS, ASK_UDP},
		{PROFILE_DNS, PROFILE_TCP, 53, 53, PLAN_DNS, ASK_TCP},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct profile_row row = {.cls = cases[i].cls};
		struct profile_flow f = {&row,
		                         cases[i].transport,
		                         {cases[i].first, cases[i].last, {0}}};
		const struct plan_service *s = plan_service_for(&f);

		assert_int_equal(s->ways[0].kind, cases[i].kind);
		assert_int_equal(s->ways[0].via, cases[i].via);
	}
}

static void test_issuers_and_addresses_of_a_host(void **state)
{
	static const char known[] =
		"schema: prumo/profile/1\nid: x\nname: X\nsource: {title: T}\n"
		"tables: [{id: t}]\nrequirements: {sip_alg_allowed: false}\n"
		"rows:\n"
		"  - {table: t, row: 1, host: a.example, ports: [443], "
		"transports: [tcp], direction: both, class: web, service: s, "
		"description: d, issuers: [Good CA, Other], "
		"addresses: [198.51.100.1, '2001:db8::1']}\n" ROW(
			"2", "b.example", "[443]", "[tcp]", "web");
	static const struct plan_conf conf = {.may_resolve = true};
	struct profile *p = load(known);
	struct plan *plan = plan_of(p, &conf);
	struct slice good[] = {slice_str(""), slice_str("CN=R3,O=good ca")};
	struct slice bad[] = {slice_str("O=Gateway"), slice_str("")};
	struct addr out[4];

	UNUSED(state);
	assert_false(plan_is_other_issuer(plan, "A.example", good, 2));
	assert_true(plan_is_other_issuer(plan, "a.example", bad, 2));
	assert_false(plan_is_other_issuer(plan, "b.example", bad, 2));
	assert_int_equal(plan_name_expected(out, 4, plan, 0), 2);
	assert_int_equal(out[1].family, ADDR_IP6);
	assert_int_equal(plan_name_expected(out, 1, plan, 0), 1);
	assert_int_equal(plan_name_expected(out, 4, plan, 1), 0);
	assert_false(plan_name_is_sip(plan, 0));
	plan_free(plan);
	profile_free(p);
}

static void test_rows_that_overlap_share_questions(void **state)
{
	static const struct plan_conf conf = {.may_resolve = true};
	struct profile *p = load(small);
	struct plan *plan = plan_of(p, &conf);
	struct addr at = addr_of("192.0.2.9");
	size_t n = plan_n_questions(plan);

	UNUSED(state);
	assert_int_equal(n, 5);
	assert_int_equal(plan_n_names(plan), 2);
	assert_int_equal(plan_bind(plan, 0, &at, 1), 0);
	assert_int_equal(plan_n_questions(plan), n + 2);
	assert_int_equal(plan_bind(plan, 1, &at, 1), 0);
	/* another name is another certificate, but the same door */
	assert_int_equal(plan_n_questions(plan), n + 3);
	assert_int_equal(plan_question(plan, n + 2)->leader, n + 1);
	assert_int_equal(plan_question(plan, n + 1)->leader, PLAN_NONE);
	plan_free(plan);
	profile_free(p);
}

static bool only_documentation(const struct addr *to)
{
	return addr_is_documentation(to);
}

static void test_skips_say_why(void **state)
{
	static const char *const only[] = {"sip"}, *const row[] = {"t/3"};
	static const char *const skip[] = {"udp"};
	struct profile_map out;
	struct plan_conf confs[] = {
		{.only = only, .n_only = 1, .may_resolve = true},
		{.skip = skip, .n_skip = 1, .may_resolve = true},
		{.family = ADDR_IP6},
		{.may_go = only_documentation, .maps = &out, .n_maps = 1},
		{.only = row, .n_only = 1, .may_resolve = true},
	};
	/* flows 0..3: SIP, UDP before TCP; 4: RTP; 5, 6, 7: names */
	static const enum plan_skip want[][8] = {
		{PLAN_ASKED, PLAN_ASKED, PLAN_ASKED, PLAN_ASKED,
	         PLAN_NOT_WANTED, PLAN_NOT_WANTED, PLAN_NOT_WANTED,
	         PLAN_NOT_WANTED},
		{PLAN_NOT_WANTED, PLAN_ASKED, PLAN_NOT_WANTED, PLAN_ASKED,
	         PLAN_NOT_WANTED, PLAN_NO_ADDRESS, PLAN_NO_ADDRESS,
	         PLAN_NO_ADDRESS},
		{PLAN_FAMILY, PLAN_FAMILY, PLAN_FAMILY, PLAN_FAMILY,
	         PLAN_FAMILY, PLAN_HOME_NAME, PLAN_HOME_NAME, PLAN_HOME_NAME},
		{PLAN_HOME, PLAN_HOME, PLAN_HOME, PLAN_HOME, PLAN_HOME,
	         PLAN_HOME_NAME, PLAN_HOME_NAME, PLAN_HOME_NAME},
		{PLAN_NOT_WANTED, PLAN_NOT_WANTED, PLAN_NOT_WANTED,
	         PLAN_NOT_WANTED, PLAN_NOT_WANTED, PLAN_NO_ADDRESS,
	         PLAN_NO_ADDRESS, PLAN_NOT_WANTED},
	};
	struct profile *p = load(small);

	UNUSED(state);
	assert_int_equal(
		profile_map_parse(&out, slice_str("192.0.2.0/24=10.0.0.0/24")),
		0);
	for (size_t i = 0; i < ARRAY_LEN(confs); i++) {
		struct plan *plan = plan_of(p, &confs[i]);

		assert_int_equal(plan_n_flows(plan), 8);
		for (size_t k = 0; k < 8; k++) {
			if (plan_flow(plan, k)->skip != want[i][k])
				fail_msg("conf %zu, flow %zu: %d", i, k,
				         plan_flow(plan, k)->skip);
		}
		plan_free(plan);
	}
	profile_free(p);
}

static void test_words_are_known(void **state)
{
	static const char *const good[] = {"sip", "rtp", "t",         "t/3",
	                                   "s",   "udp", "a.example", "http"};
	static const char *const bad[] = {"",    "sips", "t/",
	                                  "t/9", "t/x",  "5060"};
	struct profile *p = load(small);

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(plan_word_is_known(p, good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(plan_word_is_known(p, bad[i]));
	profile_free(p);
}

static void test_names_may_be_given(void **state)
{
	struct profile_alias al;
	struct profile_map map;
	struct plan_conf conf = {
		.aliases = &al, .n_aliases = 1, .maps = &map, .n_maps = 1};
	struct profile *p = load(small);
	struct addr want = addr_of("198.51.100.7");
	struct plan *plan;

	UNUSED(state);
	assert_int_equal(
		profile_alias_parse(&al, slice_str("a.example:192.0.2.7")), 0);
	assert_int_equal(
		profile_map_parse(&map,
	                          slice_str("192.0.2.0/24=198.51.100.0/24")),
		0);
	plan = plan_of(p, &conf);
	assert_true(plan_name(plan, 0)->is_given);
	assert_int_equal(plan_flow(plan, 5)->skip, PLAN_ASKED);
	assert_true(addr_ip_eq(
		&plan_question(plan, plan_flow(plan, 5)->questions[0])->addr,
		&want));
	plan_free(plan);
	profile_free(p);
}

static void test_extras_decide_nothing(void **state)
{
	static const char *const skip[] = {"mtu"};
	struct plan_conf conf = {.has_extras = true};
	struct profile *p = load(small);
	struct plan *plan = plan_of(p, &conf);
	size_t n = 0, n_mtu = 0;

	UNUSED(state);
	for (size_t i = 0; i < plan_n_questions(plan); i++) {
		const struct plan_question *q = plan_question(plan, i);

		n += q->is_extra;
		n_mtu += q->service->ways[0].kind == PLAN_MTU;
		assert_true(!q->is_extra || q->n_flows == 0);
	}
	assert_true(n > 0);
	assert_int_equal(n_mtu, 1);
	plan_free(plan);
	conf.skip = skip;
	conf.n_skip = 1;
	plan = plan_of(p, &conf);
	for (size_t i = 0; i < plan_n_questions(plan); i++)
		assert_int_not_equal(
			plan_question(plan, i)->service->ways[0].kind,
			PLAN_MTU);
	plan_free(plan);
	profile_free(p);
}

static const char srv_rows[] =
	"schema: prumo/profile/1\nid: x\nname: X\nsource: {title: T}\n"
	"tables: [{id: t}]\nrequirements: {sip_alg_allowed: false}\nrows:\n" ROW(
		"1", "_sip._udp.a.example", "[5060, 5070-5079]", "[udp]", "sip")
		ROW("2", "_sips._tcp.a.example", "[5061]", "[tls]", "sip")
			ROW("3", "a.example", "[80]", "[tcp]", "web");

static const struct plan_question *asked(const struct plan *p, size_t flow,
                                         size_t i)
{
	assert_in_range(i, 0, plan_flow(p, flow)->n_questions - 1);
	return plan_question(p, plan_flow(p, flow)->questions[i]);
}

static void test_services_lead_to_their_targets(void **state)
{
	static const struct plan_conf conf = {.may_resolve = true};
	const struct srv_list udp = {.targets = {{"b.example", 5071, 1, 0},
	                                         {"b.example", 5060, 2, 0},
	                                         {"c.example", 5999, 3, 0}},
	                             .n_targets = 3};
	struct addr at[2] = {addr_of("192.0.2.1"), addr_of("192.0.2.2")};
	struct profile *p = load(srv_rows);
	struct plan *plan = plan_of(p, &conf);

	UNUSED(state);
	assert_int_equal(plan_n_srvs(plan), 2);
	assert_string_equal(plan_srv(plan, 0)->domain, "a.example");
	assert_string_equal(plan_srv(plan, 0)->naptr, "SIP+D2U");
	assert_int_equal(plan_n_names(plan), 1); /* of the third row */
	assert_int_equal(plan_flow(plan, 0)->skip, PLAN_NO_ADDRESS);
	assert_int_equal(plan_srv_bind(plan, 0, &udp), 0);
	assert_int_equal(plan_n_names(plan), 3);
	assert_int_equal(plan_n_questions(plan), 0);
	assert_false(plan_srv(plan, 0)->targets[0].is_unlisted);
	assert_true(plan_srv(plan, 0)->targets[2].is_unlisted);

	assert_int_equal(plan_bind(plan, 1, at, 2), 0);
	assert_int_equal(plan_bind(plan, 2, at, 1), 0);
	/* 5060, and what no row has, for the first; 5071 for the range */
	assert_int_equal(plan_flow(plan, 0)->n_questions, 3);
	assert_int_equal(asked(plan, 0, 0)->addr.port, 5060);
	assert_int_equal(asked(plan, 0, 2)->addr.port, 5999);
	assert_int_equal(plan_flow(plan, 1)->n_questions, 2);
	assert_int_equal(asked(plan, 1, 0)->addr.port, 5071);
	assert_int_equal(asked(plan, 1, 0)->last, 5071);
	assert_int_equal(asked(plan, 1, 0)->service->ways[0].kind, PLAN_SIP);
	/* certificates are the domain's */
	assert_string_equal(asked(plan, 1, 0)->host, "a.example");
	plan_free(plan);
	profile_free(p);
}

static void test_service_without_records_is_its_domain(void **state)
{
	static const struct plan_conf conf = {.may_resolve = true};
	const struct srv_list none = {.n_targets = 0};
	const struct srv_list refused = {.is_refused = true};
	struct addr at = addr_of("192.0.2.1");
	struct profile *p = load(srv_rows);
	struct plan *plan = plan_of(p, &conf);

	UNUSED(state);
	assert_int_equal(plan_bind(plan, 0, &at, 1), 0);
	assert_int_equal(plan_srv_bind(plan, 1, &none), 0);
	assert_true(plan_srv(plan, 1)->is_fallback);
	assert_int_equal(plan_n_names(plan), 1); /* it was there */
	assert_int_equal(asked(plan, 2, 0)->addr.port, 5061);
	assert_int_equal(asked(plan, 2, 0)->service->ways[0].via, ASK_TLS);
	assert_int_equal(plan_srv_bind(plan, 0, &refused), 0);
	assert_false(plan_srv(plan, 0)->is_fallback);
	assert_int_equal(plan_flow(plan, 0)->skip, PLAN_NOT_OFFERED);
	assert_int_equal(plan_flow(plan, 1)->skip, PLAN_NOT_OFFERED);
	plan_free(plan);
	profile_free(p);
}

static void test_ports_that_no_record_names_are_not_asked(void **state)
{
	static const struct plan_conf conf = {.may_resolve = true};
	const struct srv_list one = {.targets = {{"b.example", 5075, 1, 0}},
	                             .n_targets = 1};
	struct profile *p = load(srv_rows);
	struct plan *plan = plan_of(p, &conf);

	UNUSED(state);
	assert_int_equal(plan_srv_bind(plan, 0, &one), 0);
	assert_int_equal(plan_flow(plan, 0)->skip, PLAN_NOT_NAMED);
	assert_int_equal(plan_flow(plan, 1)->skip, PLAN_NO_ADDRESS);
	plan_free(plan);
	profile_free(p);
}

/* Whatever DNS says, a flow has so many questions and the plan so many names */
static void test_targets_of_a_service_are_bounded(void **state)
{
	static const struct plan_conf conf = {.may_resolve = true};
	struct addr at[PLAN_NAME_ADDRS];
	struct srv_list all = {.n_targets = SRV_TARGETS_MAX};
	static const char *const names[SRV_TARGETS_MAX] = {"a.x", "b.x", "c.x",
	                                                   "d.x", "e.x", "f.x"};
	struct profile *p = load(srv_rows);
	struct plan *plan = plan_of(p, &conf);

	UNUSED(state);
	for (size_t i = 0; i < SRV_TARGETS_MAX; i++)
		all.targets[i] = (struct srv_target){names[i], 5060, 0, 0};
	assert_int_equal(plan_srv_bind(plan, 0, &all), 0);
	assert_int_equal(plan_srv_bind(plan, 1, &all), 0);
	assert_in_range(plan_n_names(plan), 0, plan_max_names(plan));
	for (size_t i = 0; i < plan_n_names(plan); i++) {
		for (size_t k = 0; k < PLAN_NAME_ADDRS; k++) {
			at[k] = addr_of("192.0.2.0");
			at[k].ip[3] = (uint8_t)(i * PLAN_NAME_ADDRS + k);
		}
		assert_int_equal(plan_bind(plan, i, at, PLAN_NAME_ADDRS), 0);
	}
	assert_int_equal(plan_flow(plan, 0)->n_questions,
	                 SRV_TARGETS_MAX * PLAN_TARGET_ADDRS);
	plan_free(plan);
	profile_free(p);
}

static void test_a_given_service_is_not_looked_up(void **state)
{
	struct profile_alias alias;
	struct plan_conf conf = {.aliases = &alias, .n_aliases = 1};
	struct profile *p = load(srv_rows);
	struct plan *plan;

	UNUSED(state);
	assert_int_equal(
		profile_alias_parse(
			&alias, slice_str("_sip._udp.a.example:198.51.100.7")),
		0);
	plan = plan_of(p, &conf);
	assert_true(plan_srv(plan, 0)->is_given);
	assert_int_equal(asked(plan, 0, 0)->addr.port, 5060);
	assert_int_equal(plan_flow(plan, 2)->skip, PLAN_HOME_NAME);
	plan_free(plan);
	/* with nobody to ask, the domain's address has to do */
	assert_int_equal(profile_alias_parse(
				 &alias, slice_str("a.example:198.51.100.7")),
	                 0);
	plan = plan_of(p, &conf);
	assert_int_equal(asked(plan, 2, 0)->addr.port, 5061);
	plan_free(plan);
	profile_free(p);
}

static void test_services_are_counted(void **state)
{
	static const struct plan_conf conf = {.may_resolve = true};
	static const char *const only[] = {"web"};
	struct plan_conf less = {
		.may_resolve = true, .only = only, .n_only = 1};
	const struct plan_effort effort = {.patience_ns = NS_PER_S,
	                                   .flows = 100000};
	struct profile *p = load(srv_rows);
	struct plan *plan = plan_of(p, &conf), *web = plan_of(p, &less);
	struct plan_cost open, most, open_web, most_web;

	UNUSED(state);
	plan_costs(&open, &most, plan, &effort);
	plan_costs(&open_web, &most_web, web, &effort);
	/* two services, three flows */
	assert_int_equal(open.n_questions - open_web.n_questions, 5);
	assert_true(most.n_bytes > most_web.n_bytes + 100000);
	assert_true(open.n_flows > open_web.n_flows + 8);
	assert_true(most.time_ns > most_web.time_ns);
	assert_true(open.time_ns == open_web.time_ns);
	plan_free(plan);
	plan_free(web);
	profile_free(p);
}

static void test_costs_are_bounds(void **state)
{
	static const struct plan_conf conf = {.may_resolve = true};
	struct plan_effort e = {.patience_ns = NS_PER_S,
	                        .again_ns = NS_PER_S,
	                        .trace_ns = NS_PER_S,
	                        .flows = 1000};
	struct profile *p = shipped();
	struct plan *plan = plan_of(p, &conf);
	struct plan_cost open, most, full;

	UNUSED(state);
	plan_costs(&open, &most, plan, &e);
	assert_true(open.n_questions >= 116);
	assert_true(open.n_packets > 0 && open.n_packets < most.n_packets);
	assert_true(open.n_bytes < most.n_bytes);
	assert_true(open.time_ns < most.time_ns);
	assert_true(most.n_flows <= e.flows);
	e.is_full_range = true;
	plan_costs(&full, NULL, plan, &e);
	assert_true(full.n_flows > 55536);
	assert_true(full.time_ns > 600 * NS_PER_S);
	plan_free(plan);
	profile_free(p);
}

static void test_nothing_wanted_costs_nothing(void **state)
{
	static const char *const skip[] = {"t"};
	static const struct plan_conf conf = {
		.skip = skip, .n_skip = 1, .may_resolve = true};
	static const struct plan_effort e = {.patience_ns = NS_PER_S};
	struct profile *p = load(small);
	struct plan *plan = plan_of(p, &conf);
	struct plan_cost open, most;

	UNUSED(state);
	plan_costs(&open, &most, plan, &e);
	assert_int_equal(most.n_packets + most.n_flows + open.n_questions, 0);
	assert_int_equal(most.time_ns, 0);
	plan_free(plan);
	profile_free(p);
}

static void test_no_memory_is_said(void **state)
{
	static const struct plan_conf conf = {.may_resolve = true};
	struct profile *p = load(small);
	struct addr at = addr_of("198.51.100.1");
	int err = ENOMEM;

	UNUSED(state);
	for (unsigned long n = 0; err; n++) {
		struct plan *plan = NULL;

		oom_after(n);
		err = plan_alloc(&plan, p, &conf);
		if (!err)
			err = plan_bind(plan, 0, &at, 1);
		oom_after(OOM_NEVER);
		assert_true(err == 0 || err == ENOMEM);
		plan_free(plan);
	}
	profile_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_flow_of_the_document_is_asked),
		cmocka_unit_test(test_services_speak_their_protocol),
		cmocka_unit_test(test_issuers_and_addresses_of_a_host),
		cmocka_unit_test(test_rows_that_overlap_share_questions),
		cmocka_unit_test(test_skips_say_why),
		cmocka_unit_test(test_words_are_known),
		cmocka_unit_test(test_names_may_be_given),
		cmocka_unit_test(test_extras_decide_nothing),
		cmocka_unit_test(test_services_lead_to_their_targets),
		cmocka_unit_test(test_service_without_records_is_its_domain),
		cmocka_unit_test(test_ports_that_no_record_names_are_not_asked),
		cmocka_unit_test(test_targets_of_a_service_are_bounded),
		cmocka_unit_test(test_a_given_service_is_not_looked_up),
		cmocka_unit_test(test_services_are_counted),
		cmocka_unit_test(test_costs_are_bounds),
		cmocka_unit_test(test_nothing_wanted_costs_nothing),
		cmocka_unit_test(test_no_memory_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
