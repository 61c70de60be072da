/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "edge/ntp.h"

static void test_answer_has_the_time(void **state)
{
	/* version 4, client, poll 6; transmit 0102030405060708 */
	uint8_t in[EDGE_NTP_BYTES] = {0x23, 0, 6}, out[EDGE_NTP_BYTES];
	struct wr w = wr_init(out, sizeof(out));

	UNUSED(state);
	for (uint8_t i = 0; i < 8; i++)
		in[40 + i] = (uint8_t)(i + 1);
	/* half a second into 1970: 2208988800 s after 1900 */
	assert_int_equal(edge_ntp_answer(&w, (struct slice){in, sizeof(in)},
	                                 NS_PER_S / 2),
	                 0);
	assert_int_equal(w.n, EDGE_NTP_BYTES);
	assert_memory_equal(out, "\x24\x0a\x06", 3);
	assert_memory_equal(out + 12, "LOCL", 4);
	assert_memory_equal(out + 24, in + 40, 8);
	assert_memory_equal(out + 32, "\x83\xaa\x7e\x80\x80\x00\x00\x00", 8);
	assert_memory_equal(out + 40, out + 32, 8);
}

static void test_answer_rejects_others(void **state)
{
	uint8_t in[EDGE_NTP_BYTES] = {0x23}, out[EDGE_NTP_BYTES];
	struct wr w = wr_init(out, sizeof(out));

	UNUSED(state);
	for (size_t n = 0; n < sizeof(in); n++)
		assert_int_equal(edge_ntp_answer(&w, (struct slice){in, n}, 1),
		                 EBADMSG);
	for (unsigned first = 0; first < 256; first++) {
		unsigned version = first >> 3 & 7;
		bool is_good = (first & 7) == 3 && version >= 1 && version <= 4;

		in[0] = (uint8_t)first;
		w.n = 0;
		assert_int_equal(
			edge_ntp_answer(&w, (struct slice){in, sizeof(in)}, 1),
			is_good ? 0 : EBADMSG);
		assert_int_equal(w.n, is_good ? EDGE_NTP_BYTES : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer_has_the_time),
		cmocka_unit_test(test_answer_rejects_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
