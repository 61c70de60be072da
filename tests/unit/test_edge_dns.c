/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <string.h>

#include "edge/dns.h"

static const struct edge_name names[] = {
	{"chat.example.com", {ADDR_IP4, {198, 51, 100, 31}, 0}},
	{"chat.example.com", {ADDR_IP4, {198, 51, 100, 32}, 0}},
	{"chat.example.com", {ADDR_IP6, {0x20, 1, 0xd, 0xb8}, 0}},
	{"web.example.com", {ADDR_IP4, {198, 51, 100, 30}, 0}},
};
static const struct edge_srv srvs[] = {
	{"_sip._udp.voz.example", "voz.example", "SIP+D2U", 5060},
	{"_sip._udp.voz.example", "voz.example", NULL, 5080},
	{"_turns._tcp.voz.example", "voz.example", NULL, 5349},
	{"_sips._tcp.voz.example", "voz.example", "SIPS+D2T", 5061},
};
static const struct edge_zone zone = {names, ARRAY_LEN(names), srvs,
                                      ARRAY_LEN(srvs)};

/* A query for A of Chat.example.com: id 0x1234, RD. */
#define HEAD "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
#define NAME          \
	"\x04"        \
	"Chat\x07"    \
	"example\x03" \
	"com\x00"
#define SERVICE    \
	"\x04"     \
	"_sip\x04" \
	"_UDP"
#define DOMAIN    \
	"\x03"    \
	"voz\x07" \
	"example\x00"
static const struct slice query = BYTES(HEAD NAME "\x00\x01\x00\x01");

static uint8_t out[EDGE_DNS_TCP_MAX_BYTES];
static size_t n_out;

static unsigned ask(struct slice in, size_t max)
{
	struct wr w = wr_init(out, sizeof(out));

	edge_dns_answer(&w, &zone, in, max);
	assert_false(w.bad);
	n_out = w.n;
	return w.n ? out[3] & 0xf : 99;
}

static void test_answer_has_the_addresses(void **state)
{
	UNUSED(state);
	assert_int_equal(ask(query, 512), 0);
	assert_int_equal(n_out, query.n + 2 * 16);
	assert_memory_equal(out, "\x12\x34\x85\x00\x00\x01\x00\x02", 8);
	/* the question as it came, then a pointer to it */
	assert_memory_equal(out + 12, query.p + 12, query.n - 12);
	assert_memory_equal(out + query.n,
	                    "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x1e\x00\x04"
	                    "\xc6\x33\x64\x1f",
	                    16);
}

static void test_answer_keeps_within_its_bound(void **state)
{
	UNUSED(state);
	assert_int_equal(ask(query, query.n + 16), 0);
	assert_int_equal(n_out, query.n + 16);
	assert_memory_equal(out + 2, "\x87\x00\x00\x01\x00\x01", 6); /* TC */
}

static void test_answer_by_question(void **state)
{
	static const struct {
		const char *why;
		struct slice in;
		unsigned code; /* 99: silence */
		size_t n_records;
	} cases[] = {
		{"AAAA", BYTES(HEAD NAME "\0\x1c\0\1"), 0, 1},
		{"SRV of a host", BYTES(HEAD NAME "\0\x21\0\1"), 0, 0},
		{"SRV", BYTES(HEAD SERVICE DOMAIN "\0\x21\0\1"), 0, 2},
		{"A of a service", BYTES(HEAD SERVICE DOMAIN "\0\1\0\1"), 0, 0},
		{"NAPTR", BYTES(HEAD DOMAIN "\0\x23\0\1"), 0, 2},
		{"NAPTR of a service", BYTES(HEAD SERVICE DOMAIN "\0\x23\0\1"),
	         0, 0},
		{"another service",
	         BYTES(HEAD "\4_sip\4_tcp" DOMAIN "\0\x21\0\1"), 5, 0},
		{"MX: there is none", BYTES(HEAD NAME "\0\x0f\0\1"), 0, 0},
		{"a sister",
	         BYTES(HEAD "\3foo\x07"
	                    "example\3com\0\0\1\0\1"),
	         3, 0},
		{"the parent",
	         BYTES(HEAD "\x07"
	                    "example\3com\0\0\1\0\1"),
	         5, 0},
		{"another's", BYTES(HEAD "\3foo\3org\0\0\1\0\1"), 5, 0},
		{"the root", BYTES(HEAD "\0\0\1\0\1"), 5, 0},
		{"class CH", BYTES(HEAD NAME "\0\1\0\3"), 5, 0},
		{"an update", BYTES("\0\0\x28\0\0\1\0\0\0\0\0\0"), 4, 0},
		{"two questions",
	         BYTES("\0\0\0\0\0\2\0\0\0\0\0\0" NAME "\0\1\0\1"), 1, 0},
		{"a pointer", BYTES(HEAD "\xc0\x0c\0\1\0\1"), 1, 0},
		{"a dot in a label", BYTES(HEAD "\3a.b\0\0\1\0\1"), 1, 0},
		{"no type", BYTES(HEAD NAME), 1, 0},
		{"an answer", BYTES("\0\0\x80\0\0\1\0\0\0\0\0\0"), 99, 0},
		{"nothing", BYTES(""), 99, 0},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (ask(cases[i].in, 512) != cases[i].code)
			fail_msg("%s: %u", cases[i].why, out[3] & 0xf);
		if (n_out && out[7] != cases[i].n_records)
			fail_msg("%s: %u records", cases[i].why, out[7]);
	}
}

static void test_records_lead_to_the_domain(void **state)
{
	static const struct slice srv = BYTES(HEAD SERVICE DOMAIN "\0\x21\0\1");
	static const struct slice naptr = BYTES(HEAD DOMAIN "\0\x23\0\1");
	static const char first[] = "\xc0\x0c\0\x21\0\1\0\0\0\x1e\0\x13"
				    "\0\0\0\0\x13\xc4\3voz\7example";
	static const char second[] =
		"\xc0\x0c\0\x23\0\1\0\0\0\x1e\0\x28"
		"\0\7\0\0\1s\x08SIPS+D2T\0\5_sips\4_tcp\3voz\7example";

	UNUSED(state);
	assert_int_equal(ask(srv, 512), 0);
	assert_int_equal(n_out, srv.n + 2 * sizeof(first));
	assert_memory_equal(out + srv.n, first, sizeof(first));
	assert_int_equal(ask(naptr, 512), 0);
	assert_memory_equal(out + n_out - sizeof(second), second,
	                    sizeof(second));
	/* what does not fit is asked by TCP */
	assert_int_equal(ask(srv, srv.n + sizeof(first)), 0);
	assert_memory_equal(out + 2, "\x87\x00\x00\x01\x00\x01", 6);
}

static void test_every_prefix_is_no_query(void **state)
{
	struct slice in = query;

	UNUSED(state);
	while (in.n-- > 0) {
		unsigned code = ask(in, 512);

		assert_true(code == (in.n < 12 ? 99 : 1));
		assert_true(n_out <= in.n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer_has_the_addresses),
		cmocka_unit_test(test_answer_keeps_within_its_bound),
		cmocka_unit_test(test_answer_by_question),
		cmocka_unit_test(test_records_lead_to_the_domain),
		cmocka_unit_test(test_every_prefix_is_no_query),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
