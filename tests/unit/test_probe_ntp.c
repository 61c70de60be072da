/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>

#include "base/clock.h"
#include "probe/ntp.h"

enum {
	COOKIE = 0x1234,
	SLACK_NS = 10,
};

/* 2026-01-01 00:00:00 UTC */
#define NOW_NS  (INT64_C(1767225600) * NS_PER_S)
#define NOW_NTP ((uint64_t)(INT64_C(1767225600) + INT64_C(2208988800)) << 32)

static struct slice answer(uint8_t buf[NTP_BYTES], uint8_t first,
                           uint8_t stratum, uint64_t origin, uint64_t received,
                           uint64_t sent)
{
	struct wr w = wr_init(buf, NTP_BYTES);

	wr_u8(&w, first);
	wr_u8(&w, stratum);
	wr_u16(&w, 0);
	wr_u64(&w, 0);
	wr_str(&w, "RATE");
	wr_u64(&w, 0);
	wr_u64(&w, origin);
	wr_u64(&w, received);
	wr_u64(&w, sent);
	assert_false(w.bad);
	return wr_slice(&w);
}

static void test_request_has_the_cookie_and_no_time(void **state)
{
	uint8_t buf[NTP_BYTES];
	struct wr w = wr_init(buf, sizeof(buf));

	UNUSED(state);
	ntp_put_request(&w, UINT64_C(0x0102030405060708));
	assert_false(w.bad);
	assert_int_equal(w.n, NTP_BYTES);
	assert_int_equal(buf[0], 0x23);
	for (size_t i = 1; i < NTP_BYTES - 8; i++)
		assert_int_equal(buf[i], 0);
	assert_memory_equal(buf + 40, "\1\2\3\4\5\6\7\x08", 8);
}

static void test_offset_and_delay(void **state)
{
	static const struct {
		const char *why;
		int64_t received_ms, sent_ms, got_ms; /* after NOW */
		int64_t offset_ms, delay_ms;
	} cases[] = {
		{"right", 20, 25, 45, 0, 40},
		{"an hour ahead", 3600020, 3600020, 40, 3600000, 40},
		{"behind", -980, -980, 40, -1000, 40},
		{"no way at all", 0, 0, 0, 0, 0},
	};
	uint8_t buf[NTP_BYTES];

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ntp_answer a;
		/* thousandths of a second in units of 2^-32 s */
		uint64_t t2 = NOW_NTP + (uint64_t)(cases[i].received_ms *
		                                   (INT64_C(1) << 32) / 1000);
		uint64_t t3 = NOW_NTP + (uint64_t)(cases[i].sent_ms *
		                                   (INT64_C(1) << 32) / 1000);

		assert_int_equal(
			ntp_decode(&a, answer(buf, 0x24, 2, COOKIE, t2, t3),
		                   COOKIE, NOW_NS,
		                   NOW_NS + cases[i].got_ms * NS_PER_MS),
			0);
		assert_int_equal(a.stratum, 2);
		assert_int_equal(a.version, 4);
		/* what a fraction of 2^-32 s rounds off */
		assert_in_range(a.offset_ns - cases[i].offset_ms * NS_PER_MS +
		                        SLACK_NS,
		                0, 2 * SLACK_NS);
		assert_in_range(a.delay_ns - cases[i].delay_ms * NS_PER_MS +
		                        SLACK_NS,
		                0, 2 * SLACK_NS);
	}
}

static void test_era_after_2036(void **state)
{
	/* 2036-02-07 06:28:16 UTC is second 0 of era 1 */
	const int64_t now_ns = INT64_C(2085978496) * NS_PER_S;
	uint8_t buf[NTP_BYTES];
	struct ntp_answer a;

	UNUSED(state);
	assert_int_equal(
		ntp_decode(&a,
	                   answer(buf, 0x24, 1, COOKIE, UINT64_C(1) << 32,
	                          UINT64_C(1) << 32),
	                   COOKIE, now_ns, now_ns),
		0);
	assert_int_equal(a.offset_ns, NS_PER_S);
	assert_int_equal(ntp_decode(&a,
	                            answer(buf, 0x24, 1, COOKIE,
	                                   UINT64_C(0xffffffff) << 32,
	                                   UINT64_C(0xffffffff) << 32),
	                            COOKIE, now_ns, now_ns),
	                 0);
	assert_int_equal(a.offset_ns, -NS_PER_S);
}

static void test_kiss_of_death(void **state)
{
	uint8_t buf[NTP_BYTES];
	struct ntp_answer a;
	struct slice in = answer(buf, 0xe4, 0, COOKIE, 0, 0);

	UNUSED(state);
	assert_int_equal(ntp_decode(&a, in, COOKIE, NOW_NS, NOW_NS), 0);
	assert_string_equal(a.kiss, "RATE");
	assert_int_equal(a.leap, 3);
	assert_int_equal(a.offset_ns, 0);
	buf[14] = '\n';
	assert_int_equal(ntp_decode(&a, in, COOKIE, NOW_NS, NOW_NS), 0);
	assert_string_equal(a.kiss, "RA");
}

static void test_decode_refuses(void **state)
{
	static const struct {
		const char *why;
		uint8_t first, stratum;
		uint64_t origin;
		int err;
	} cases[] = {
		{"our own request", 0x23, 0, COOKIE, EBADMSG},
		{"broadcast", 0x25, 2, COOKIE, EBADMSG},
		{"version 0", 0x04, 2, COOKIE, EBADMSG},
		{"version 5", 0x2c, 2, COOKIE, EBADMSG},
		{"stratum 17", 0x24, 17, COOKIE, EBADMSG},
		{"another's", 0x24, 2, COOKIE + 1, ENOENT},
	};
	uint8_t buf[NTP_BYTES];
	struct ntp_answer a = {.stratum = 99};
	struct slice good;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int err =
			ntp_decode(&a,
		                   answer(buf, cases[i].first, cases[i].stratum,
		                          cases[i].origin, NOW_NTP, NOW_NTP),
		                   COOKIE, NOW_NS, NOW_NS);

		if (err != cases[i].err)
			fail_msg("%s: %d", cases[i].why, err);
		assert_int_equal(a.stratum, 99);
	}
	good = answer(buf, 0x24, 2, COOKIE, NOW_NTP, NOW_NTP);
	while (good.n-- > 0)
		assert_int_equal(ntp_decode(&a, good, COOKIE, NOW_NS, NOW_NS),
		                 EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_has_the_cookie_and_no_time),
		cmocka_unit_test(test_offset_and_delay),
		cmocka_unit_test(test_era_after_2036),
		cmocka_unit_test(test_kiss_of_death),
		cmocka_unit_test(test_decode_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
