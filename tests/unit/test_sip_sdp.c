/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>

#include "sip/sdp.h"

static struct sip_sdp s;

static void test_read_finds_addresses(void **state)
{
	struct addr a;

	UNUSED(state);
	sip_sdp_read(&s, slice_str("v=0\r\no=- 1 1 IN IP4 192.0.2.9\ns=-\r\n"
	                           "c=IN IP4 192.0.2.1\r\njunk\r\n"
	                           "m=audio 46000 RTP/AVP 0\r\n"
	                           "a=rtcp:46001 IN IP4 192.0.2.1\r\n"
	                           "a=candidate:1 one\r\na=candidate:2 two\r\n"
	                           "m=video 99999 RTP/AVP 31\r\n"
	                           "c=IN IP6 2001:db8::1"));
	assert_true(slice_eq_str(s.origin, "o=- 1 1 IN IP4 192.0.2.9"));
	assert_true(slice_eq_str(s.o_addr, "192.0.2.9"));
	assert_true(slice_eq_str(s.conn, "c=IN IP4 192.0.2.1"));
	assert_int_equal(s.n_odd, 1);
	assert_int_equal(s.n_media, 2);
	assert_true(slice_eq_str(s.media[0].rtcp, "46001 IN IP4 192.0.2.1"));
	assert_true(slice_eq_str(s.media[0].candidate, "1 one"));
	assert_int_equal(s.media[0].n_candidates, 2);
	assert_true(slice_eq_str(s.media[1].c_addr, "2001:db8::1"));
	assert_int_equal(sip_sdp_media_addr(&a, &s, &s.media[0]), 0);
	assert_int_equal(a.port, 46000);
	assert_int_equal(sip_sdp_media_addr(&a, &s, &s.media[1]), EBADMSG);
}

static void test_read_bounds_media(void **state)
{
	uint8_t buf[1024];
	struct wr w = wr_init(buf, sizeof(buf));
	struct addr a;

	UNUSED(state);
	for (unsigned i = 0; i < SIP_SDP_MAX_MEDIA + 2; i++)
		wr_fmt(&w, "m=audio %u RTP/AVP 0\n", i);
	wr_str(&w, "c=IN IP4 192.0.2.1\n");
	sip_sdp_read(&s, wr_slice(&w));
	assert_int_equal(s.n_media, SIP_SDP_MAX_MEDIA);
	assert_int_equal(s.n_more, 2);
	/* the c= belongs to media that was not kept */
	assert_int_equal(sip_sdp_media_addr(&a, &s, &s.media[0]), ENOENT);
}

static void test_word_is_empty_past_the_end(void **state)
{
	UNUSED(state);
	assert_true(slice_eq_str(sip_sdp_word(slice_str(" a  b "), 1), "b"));
	assert_int_equal(sip_sdp_word(slice_str("a b"), 2).n, 0);
	assert_int_equal(sip_sdp_word(slice_str(""), 0).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_finds_addresses),
		cmocka_unit_test(test_read_bounds_media),
		cmocka_unit_test(test_word_is_empty_past_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
