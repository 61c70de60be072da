/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <string.h>

#include "probe/srv.h"

struct room {
	struct report report;
	struct net_dns_record records[NET_DNS_RECORDS_MAX];
	struct net_dns_msg msg;
	struct srv_list list;
};

static void open_room(struct room *m)
{
	memset(m, 0, sizeof(*m));
	report_init(&m->report);
	m->msg.records = m->records;
}

static void set(char *out, size_t cap, const char *s)
{
	assert_in_range(strlen(s), 0, cap - 1);
	memcpy(out, s, strlen(s) + 1);
}

static struct net_dns_record *add(struct room *m, uint16_t type, uint16_t order,
                                  uint16_t preference, const char *target)
{
	struct net_dns_record *r = &m->records[m->msg.n_records++];

	r->type = type;
	r->order = order;
	r->preference = preference;
	set(r->target, sizeof(r->target), target);
	return r;
}

static void add_srv(struct room *m, uint16_t priority, uint16_t weight,
                    const char *target, uint16_t port)
{
	add(m, NET_DNS_SRV, priority, weight, target)->port = port;
}

static void add_naptr(struct room *m, uint16_t order, uint16_t preference,
                      const char *flags, const char *services,
                      const char *target)
{
	struct net_dns_record *r =
		add(m, NET_DNS_NAPTR, order, preference, target);

	set(r->flags, sizeof(r->flags), flags);
	set(r->services, sizeof(r->services), services);
}

static void take(struct room *m, enum net_dns_type type)
{
	srv_take(&m->list, &m->report, &m->msg, type, "SIP+D2U");
}

static void test_targets_come_by_priority_then_weight(void **state)
{
	static const char *const want[] = {"c", "b", "a", "d"};
	struct room m;

	UNUSED(state);
	open_room(&m);
	add_srv(&m, 20, 9, "a", 5060);
	add_srv(&m, 10, 1, "b", 5060);
	add_srv(&m, 10, 9, "c", 5062);
	add_srv(&m, 30, 0, "d", 5060);
	add_srv(&m, 30, 0, "D", 5060); /* the same */
	take(&m, NET_DNS_SRV);
	assert_int_equal(m.list.n_targets, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		assert_string_equal(m.list.targets[i].host, want[i]);
	assert_int_equal(m.list.targets[0].port, 5062);
	assert_int_equal(m.list.targets[0].weight, 9);
	assert_false(m.list.is_refused);
	report_fini(&m.report);
}

static void test_targets_are_bounded(void **state)
{
	struct room m;

	UNUSED(state);
	open_room(&m);
	for (uint16_t i = 0; i < NET_DNS_RECORDS_MAX; i++)
		add_srv(&m, i, 0, "a.example", (uint16_t)(5060 + i));
	take(&m, NET_DNS_SRV);
	assert_int_equal(m.list.n_targets, SRV_TARGETS_MAX);
	assert_int_equal(m.list.n_more, NET_DNS_RECORDS_MAX - SRV_TARGETS_MAX);
	assert_int_equal(m.list.targets[SRV_TARGETS_MAX - 1].port,
	                 5060 + SRV_TARGETS_MAX - 1);
	report_fini(&m.report);
}

static void test_the_root_refuses_only_alone(void **state)
{
	struct room m;

	UNUSED(state);
	open_room(&m);
	add_srv(&m, 0, 0, "", 0);
	take(&m, NET_DNS_SRV);
	assert_true(m.list.is_refused);
	assert_int_equal(m.list.n_targets, 0);
	add_srv(&m, 1, 0, "a.example", 5060);
	take(&m, NET_DNS_SRV);
	assert_false(m.list.is_refused);
	assert_int_equal(m.list.n_targets, 1);
	report_fini(&m.report);
}

static void test_what_cannot_be_asked_is_left(void **state)
{
	struct room m;

	UNUSED(state);
	open_room(&m);
	add_srv(&m, 0, 0, "a.example", 0); /* no port */
	add_srv(&m, 0, 0, "a b.example", 5060);
	add_srv(&m, 0, 0, "a\001.example", 5060);
	add_srv(&m, 0, 0, "\xc3\xa1.example", 5060);
	add(&m, NET_DNS_CNAME, 0, 0, "other.example");
	add(&m, NET_DNS_SRV, 0, 0, "b.example")->port = 5060;
	m.records[m.msg.n_records - 1].is_additional = true;
	take(&m, NET_DNS_SRV);
	assert_int_equal(m.list.n_targets, 0);
	assert_false(m.list.is_refused);
	report_fini(&m.report);
}

static void test_naptr_leads_to_its_service_alone(void **state)
{
	struct room m;

	UNUSED(state);
	open_room(&m);
	add_naptr(&m, 20, 1, "s", "SIP+D2U", "_sip._udp.b");
	add_naptr(&m, 10, 2, "S", "sip+d2u", "_sip._udp.c");
	add_naptr(&m, 10, 1, "s", "SIP+D2U", "_sip._udp.d");
	add_naptr(&m, 0, 0, "s", "SIP+D2T", "_sip._tcp.e");
	add_naptr(&m, 0, 0, "", "SIP+D2U", "f"); /* to another NAPTR */
	add_naptr(&m, 0, 0, "a", "SIP+D2U", "g");
	add_naptr(&m, 0, 0, "u", "SIP+D2U", "");
	add_naptr(&m, 99, 0, "s", "SIP+D2U", "_sip._udp.C"); /* the same */
	add_naptr(&m, 99, 1, "s", "SIP+D2U", "_sip._udp.z"); /* too many */
	take(&m, NET_DNS_NAPTR);
	assert_int_equal(m.list.n_names, SRV_NAMES_MAX);
	assert_string_equal(m.list.names[0], "_sip._udp.d");
	assert_string_equal(m.list.names[1], "_sip._udp.c");
	assert_string_equal(m.list.names[2], "_sip._udp.b");
	assert_int_equal(m.list.n_targets, 0);
	report_fini(&m.report);
}

static void test_lists_are_joined_in_order(void **state)
{
	struct srv_list a = {.targets = {{"a", 5060, 0, 0}}, .n_targets = 1};
	struct srv_list b = {.targets = {{"A", 5060, 0, 0}, {"b", 5060, 0, 0}},
	                     .n_targets = 2,
	                     .n_more = 3};
	struct srv_list none = {.is_refused = true}, all = {.n_targets = 0};

	UNUSED(state);
	srv_join(&all, &none);
	assert_true(all.is_refused);
	srv_join(&all, &a);
	srv_join(&all, &b);
	srv_join(&all, &none);
	assert_int_equal(all.n_targets, 2);
	assert_string_equal(all.targets[0].host, "a");
	assert_string_equal(all.targets[1].host, "b");
	assert_int_equal(all.n_more, 3);
	assert_false(all.is_refused);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_targets_come_by_priority_then_weight),
		cmocka_unit_test(test_targets_are_bounded),
		cmocka_unit_test(test_the_root_refuses_only_alone),
		cmocka_unit_test(test_what_cannot_be_asked_is_left),
		cmocka_unit_test(test_naptr_leads_to_its_service_alone),
		cmocka_unit_test(test_lists_are_joined_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
