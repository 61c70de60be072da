/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "net/dns.h"
#include "oom.h"

/* An answer of dnsmasq: example.com NAPTR, SRV, A and AAAA in one. */
#define HEAD "\x12\x34\x85\x80\x00\x01\x00\x04\x00\x00\x00\x01"
#define QUESTION  \
	"\x07"    \
	"example" \
	"\x03"    \
	"com"     \
	"\x00\x00\x23\x00\x01"
#define RR(type, ttl, len) \
	"\xc0\x0c\x00" type "\x00\x01\x00\x00\x00" ttl "\x00" len
#define NAPTR                                                      \
	RR("\x23", "\x3c", "\x22")                                 \
	"\x00\x0a\x00\x14\x01s\x07SIP+D2U\x00\x04_sip\x04_udp\x07" \
	"example\x00"
#define SRV \
	RR("\x21", "\x3c", "\x0d") "\x00\x01\x00\x02\x13\xc4\x04host\xc0\x0c"
#define A     RR("\x01", "\x3c", "\x04") "\xc6\x33\x64\x0a"
#define CNAME RR("\x05", "\x3c", "\x02") "\xc0\x0c"
#define AAAA                       \
	RR("\x1c", "\x05", "\x10") \
	"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0a"

static const char answer[] = HEAD QUESTION NAPTR SRV A CNAME AAAA;

static void check_naptr_and_srv(const struct net_dns_msg *m)
{
	const struct net_dns_record *r = m->records;

	assert_int_equal(r[0].type, NET_DNS_NAPTR);
	assert_int_equal(r[0].order, 10);
	assert_int_equal(r[0].preference, 20);
	assert_string_equal(r[0].flags, "s");
	assert_string_equal(r[0].services, "SIP+D2U");
	assert_string_equal(r[0].regexp, "");
	assert_string_equal(r[0].target, "_sip._udp.example");
	assert_int_equal(r[0].ttl_s, 60);
	assert_int_equal(r[1].type, NET_DNS_SRV);
	assert_int_equal(r[1].order, 1);
	assert_int_equal(r[1].preference, 2);
	assert_int_equal(r[1].port, 5060);
	assert_string_equal(r[1].target, "host.example.com");
}

static void test_decode_reads_every_type(void **state)
{
	struct net_dns_msg m;
	char buf[ADDR_TEXT_BYTES];

	UNUSED(state);
	assert_int_equal(net_dns_decode(&m, (struct slice)BYTES(answer)), 0);
	assert_int_equal(m.id, 0x1234);
	assert_true(m.is_answer && m.is_authoritative && m.has_recursion);
	assert_false(m.is_truncated);
	assert_int_equal(m.rcode, 0);
	assert_string_equal(m.question, "example.com");
	assert_int_equal(m.question_type, NET_DNS_NAPTR);
	assert_int_equal(m.n_records, 5);
	check_naptr_and_srv(&m);
	assert_string_equal(addr_ip_text(&m.records[2].addr, buf),
	                    "198.51.100.10");
	assert_int_equal(m.records[3].type, NET_DNS_CNAME);
	assert_string_equal(m.records[3].target, "example.com");
	assert_false(m.records[3].is_additional);
	assert_string_equal(addr_ip_text(&m.records[4].addr, buf),
	                    "2001:db8::a");
	assert_true(m.records[4].is_additional);
	net_dns_msg_fini(&m);
}

static void test_decode_rejects_every_prefix(void **state)
{
	struct slice in = BYTES(answer);
	struct net_dns_msg m = {.id = 777};

	UNUSED(state);
	while (in.n-- > 0) {
		assert_int_equal(net_dns_decode(&m, in), EBADMSG);
		assert_int_equal(m.id, 777);
	}
}

static void test_decode_takes_what_was_truncated(void **state)
{
	char cut[sizeof(answer)];
	struct slice in = {(const uint8_t *)cut, sizeof(answer) - 9};
	struct net_dns_msg m;

	UNUSED(state);
	memcpy(cut, answer, sizeof(cut));
	cut[2] |= 0x02;
	assert_int_equal(net_dns_decode(&m, in), 0);
	assert_true(m.is_truncated);
	assert_int_equal(m.n_records, 4);
	net_dns_msg_fini(&m);
}

static void test_decode_rejects_malformed(void **state)
{
	static const struct {
		const char *why;
		struct slice in;
	} cases[] = {
		{"two questions",
	         BYTES("\x12\x34\x81\x80\x00\x02\x00\x00\x00\x00\x00\x00"
	               "\x01"
	               "a\x00\x00\x01\x00\x01"
	               "\x01"
	               "a\x00\x00\x01\x00\x01")},
		{"a name that points at itself",
	         BYTES("\x12\x34\x81\x80\x00\x01\x00\x00\x00\x00\x00\x00"
	               "\xc0\x0c\x00\x01\x00\x01")},
		{"records that are not there",
	         BYTES("\x12\x34\x81\x80\x00\x00\xff\xff\x00\x00\x00\x00")},
	};
	struct net_dns_msg m = {.id = 777};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (net_dns_decode(&m, cases[i].in) != EBADMSG)
			fail_msg("accepted: %s", cases[i].why);
		assert_int_equal(m.id, 777);
	}
}

static void test_decode_survives_no_memory(void **state)
{
	struct net_dns_msg m = {.id = 777};

	UNUSED(state);
	oom_after(0);
	assert_int_equal(net_dns_decode(&m, (struct slice)BYTES(answer)),
	                 ENOMEM);
	oom_after(OOM_NEVER);
	assert_int_equal(m.id, 777);
}

static void test_encode_writes_a_question(void **state)
{
	static const char want[] =
		"\xab\xcd\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
		"\x03"
		"sip\x07"
		"example\x03"
		"com\x00\x00\x21\x00\x01";
	static const char *const names[] = {"sip.example.com",
	                                    "sip.example.com."};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		uint8_t buf[512];
		struct wr w = wr_init(buf, sizeof(buf));

		assert_int_equal(
			net_dns_encode(&w, 0xabcd, names[i], NET_DNS_SRV), 0);
		assert_true(slice_eq(wr_slice(&w), (struct slice)BYTES(want)));
	}
}

static void test_encode_refuses_what_is_no_name(void **state)
{
	static char label[65], name[256];
	static const char *const bad[] = {"",    ".",   "a..b", ".a",
	                                  "a..", label, name};

	UNUSED(state);
	memset(label, 'a', 64);
	for (size_t i = 0; i < 255; i++)
		name[i] = i % 2 ? '.' : 'a';
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		uint8_t buf[512];
		struct wr w = wr_init(buf, sizeof(buf));

		if (net_dns_encode(&w, 1, bad[i], NET_DNS_A) != EINVAL)
			fail_msg("encoded: %s", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode_reads_every_type),
		cmocka_unit_test(test_decode_rejects_every_prefix),
		cmocka_unit_test(test_decode_takes_what_was_truncated),
		cmocka_unit_test(test_decode_rejects_malformed),
		cmocka_unit_test(test_decode_survives_no_memory),
		cmocka_unit_test(test_encode_writes_a_question),
		cmocka_unit_test(test_encode_refuses_what_is_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
