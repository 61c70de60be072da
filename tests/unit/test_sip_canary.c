/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "sip/canary.h"
#include "sip/diff.h"
#include "sip/sdp.h"
#include "sip/value.h"

static uint8_t buf[SIP_CANARY_MAX_BYTES];
static struct sip_msg m;

static struct sip_canary canary(enum sip_canary_kind kind, unsigned flags)
{
	return (struct sip_canary){
		.kind = kind,
		.flags = flags,
		.local = {ADDR_IP4, {192, 168, 100, 133}, 50600},
		.target = {ADDR_IP4, {198, 51, 100, 100}, 50600},
		.tag = BYTES("0123456789abcdefghijklmn"),
		.token = BYTES("0123456789abcdefghijklmnopqrstuvwxyz"),
		.cseq = 1,
		.rtp_port = 46000,
	};
}

static struct slice build(const struct sip_canary *c)
{
	struct wr w = wr_init(buf, sizeof(buf));

	assert_int_equal(sip_canary_build(&w, c), 0);
	sip_msg_read(&m, wr_slice(&w));
	return wr_slice(&w);
}

static size_t find(const char *s)
{
	return slice_find(m.raw, slice_str(s));
}

static void test_an_answer_in_an_ack(void **state)
{
	struct sip_canary c = canary(SIP_CANARY_ACK, SIP_CANARY_SHORT);
	struct sip_sdp sdp;

	UNUSED(state);
	c.video_port = 46010;
	c.n_video = 2;
	(void)build(&c);
	sip_sdp_read(&sdp, m.body);
	assert_int_equal(sdp.n_media, 3);
	assert_true(slice_eq_str(sdp.media[0].port, "46000"));
	assert_true(slice_eq_str(sdp.media[1].port, "46010"));
	assert_true(slice_eq_str(sdp.media[2].port, "46012"));
	assert_true(slice_eq_str(sdp.c_addr, "192.168.100.133"));
	c.rtp_port = 0;
	(void)build(&c);
	assert_int_equal(m.body.n, 0);
}

static void test_every_message_is_whole(void **state)
{
	UNUSED(state);
	for (unsigned kind = 0; kind < SIP_CANARY_KINDS; kind++) {
		for (unsigned flags = 0; flags < 1 << 12; flags += 37) {
			struct sip_canary c =
				canary((enum sip_canary_kind)kind, flags);
			struct slice out;
			struct sip_via via;
			uint64_t length;
			size_t n = 0;
			struct addr a;

			if (flags % 2)
				c.local = (struct addr){
					ADDR_IP6, {0x20, 1, 0xd, 0xb8}, 5060};
			out = build(&c);
			assert_true(sip_msg_is_request(&m));
			assert_int_equal(m.odd, 0);
			assert_int_equal(sip_msg_content_length(&length, &m),
			                 0);
			assert_int_equal(length, m.body.n);
			assert_int_equal(sip_stream_len(&n, out),
			                 SIP_FRAME_MSG);
			assert_int_equal(n, out.n);
			assert_int_equal(sip_msg_top_via(&via, &m), 0);
			assert_int_equal(sip_host_addr(&a, via.host, via.port),
			                 0);
			assert_true(addr_ip_eq(&a, &c.local));
		}
	}
}

static void test_sizes_avoid_fragments(void **state)
{
	struct sip_canary c = canary(SIP_CANARY_OPTIONS, 0);

	UNUSED(state);
	assert_true(build(&c).n <= 1300);
	c = canary(SIP_CANARY_INVITE, 0);
	assert_true(build(&c).n <= 1300);
	c.pad_bytes = 2000;
	assert_in_range(build(&c).n, 1980, 2000);
}

static void test_short_invite_fits_a_quote(void **state)
{
	struct sip_canary c = canary(SIP_CANARY_INVITE, SIP_CANARY_SHORT);

	UNUSED(state);
	c.token = (struct slice){0};
	(void)build(&c);
	assert_true(find("\r\nt=0 0") < SIP_CANARY_SHORT_BYTES);
	assert_true(find(" RTP/AVP") < SIP_CANARY_SHORT_BYTES);
	c = canary(SIP_CANARY_OPTIONS, SIP_CANARY_SHORT);
	assert_true(build(&c).n < SIP_CANARY_SHORT_BYTES);
}

static void test_sender_survives_a_blind_rewriter(void **state)
{
	struct sip_canary c = canary(SIP_CANARY_OPTIONS, 0);
	struct addr a;

	UNUSED(state);
	(void)build(&c);
	assert_int_equal(sip_canary_sender(&a, &m), 0);
	assert_true(addr_eq(&a, &c.local));
	assert_true(find("X-Prumo-Addr: 192.168.100.133:50600\r\n") < m.raw.n);
	c.flags = SIP_CANARY_SHORT;
	(void)build(&c);
	assert_int_equal(sip_canary_sender(&a, &m), ENOENT);
}

static void test_flags_do_what_they_say(void **state)
{
	static const struct {
		unsigned flag;
		const char *text;
	} cases[] = {
		{SIP_CANARY_COMPACT, "\r\nm: <sip:"},
		{SIP_CANARY_ODD_CASE, "\r\ncOnTaCt: "},
		{SIP_CANARY_ODD_CASE, "\r\nvIa: "},
		{SIP_CANARY_FOLDED, ";rport\r\n ;branch="},
		{SIP_CANARY_VIA_NO_PORT, "UDP 192.168.100.133;rport"},
		{SIP_CANARY_CONTACT_NO_PORT, "@192.168.100.133;transport=udp"},
		{SIP_CANARY_LOW_RTP_PORT, "m=audio 1000 "},
		{SIP_CANARY_HOST_CONTACT, "@phone.example.com:50600"},
		{SIP_CANARY_TEXT_BODY_V, "\r\nv=0 is no SDP"},
		{SIP_CANARY_LONG_URI, ";prumo=xxxx"},
		{SIP_CANARY_LONG_LINE, "X-Prumo-Long: xxxx"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sip_canary c = canary(SIP_CANARY_INVITE, cases[i].flag);

		(void)build(&c);
		if (find(cases[i].text) == SIZE_MAX)
			fail_msg("absent: %s", cases[i].text);
		c.flags = 0;
		(void)build(&c);
		if (find(cases[i].text) != SIZE_MAX)
			fail_msg("always there: %s", cases[i].text);
	}
}

static void test_sdp_has_three_addresses(void **state)
{
	struct sip_canary c = canary(SIP_CANARY_INVITE, 0);
	struct sip_sdp s;
	struct addr a;

	UNUSED(state);
	(void)build(&c);
	sip_sdp_read(&s, m.body);
	assert_int_equal(s.n_media, 1);
	assert_false(slice_eq(s.o_addr, s.c_addr));
	assert_int_equal(sip_sdp_media_addr(&a, &s, &s.media[0]), 0);
	assert_true(addr_ip_eq(&a, &c.local));
	assert_int_equal(a.port, 46000);
	assert_int_equal(s.media[0].n_candidates, 2);
	c.flags = SIP_CANARY_NO_SDP_C;
	(void)build(&c);
	sip_sdp_read(&s, m.body);
	assert_int_equal(s.conn.n, 0);
}

static void test_build_refuses_what_it_cannot_say(void **state)
{
	struct sip_canary c = canary(SIP_CANARY_OPTIONS, 0);
	struct wr w = wr_init(buf, 100);

	UNUSED(state);
	assert_int_equal(sip_canary_build(&w, &c), EMSGSIZE);
	w = wr_init(buf, sizeof(buf));
	c.tag.n--;
	assert_int_equal(sip_canary_build(&w, &c), EINVAL);
	c = canary(SIP_CANARY_OPTIONS, 0);
	c.local.family = ADDR_NONE;
	assert_int_equal(sip_canary_build(&w, &c), EINVAL);
	c = canary(SIP_CANARY_KINDS, 0);
	assert_int_equal(sip_canary_build(&w, &c), EINVAL);
	assert_int_equal(w.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_answer_in_an_ack),
		cmocka_unit_test(test_every_message_is_whole),
		cmocka_unit_test(test_sizes_avoid_fragments),
		cmocka_unit_test(test_short_invite_fits_a_quote),
		cmocka_unit_test(test_sender_survives_a_blind_rewriter),
		cmocka_unit_test(test_flags_do_what_they_say),
		cmocka_unit_test(test_sdp_has_three_addresses),
		cmocka_unit_test(test_build_refuses_what_it_cannot_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
