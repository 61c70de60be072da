/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "stun/turn.h"

static const uint8_t tid[STUN_TID_BYTES + 1] = "0123456789ab";

static void test_frame_tells_messages_from_data(void **state)
{
	static const struct {
		const char *why;
		struct slice in;
		int err;
		enum stun_turn_kind kind;
		size_t n;
	} cases[] = {
		{"nothing", BYTES(""), EAGAIN, 0, 0},
		{"half a head", BYTES("\x40\x00\x00"), EAGAIN, 0, 0},
		{"data of 4",
	         BYTES("\x40\x00\x00\x04"
	               "abcdX"),
	         0, STUN_TURN_DATA, 8},
		{"data of 1 is padded",
	         BYTES("\x4f\xff\x00\x01"
	               "a\0\0\0"),
	         0, STUN_TURN_DATA, 8},
		{"padding yet to come",
	         BYTES("\x4f\xff\x00\x01"
	               "a\0\0"),
	         EAGAIN, 0, 0},
		{"empty data", BYTES("\x40\x01\x00\x00"), 0, STUN_TURN_DATA, 4},
		{"reserved channel", BYTES("\x50\x00\x00\x00"), EBADMSG, 0, 0},
		{"RTP", BYTES("\x80\x00\x00\x00"), EBADMSG, 0, 0},
		{"a message",
	         BYTES("\x00\x01\x00\x00\x21\x12\xa4\x42"
	               "0123456789abX"),
	         0, STUN_TURN_MSG, 20},
		{"half a message", BYTES("\x00\x01\x00\x00\x21\x12"), EAGAIN, 0,
	         0},
		{"text", BYTES("SIP/2.0 400"), EBADMSG, 0, 0},
		{"no cookie", BYTES("\x00\x01\x00\x00XXXX"), EBADMSG, 0, 0},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		enum stun_turn_kind kind = 99;
		size_t n = 99;
		int err = stun_turn_frame(&kind, &n, cases[i].in);

		if (err != cases[i].err || n != (err ? 99 : cases[i].n) ||
		    kind != (err ? 99 : cases[i].kind))
			fail_msg("%s: %d, kind %d, %zu bytes", cases[i].why,
			         err, (int)kind, n);
	}
}

static void test_channel_is_read_back(void **state)
{
	uint8_t buf[16];
	struct slice data;
	uint16_t channel;

	UNUSED(state);
	for (size_t n = 0; n <= 8; n++) {
		struct wr w = wr_init(buf, sizeof(buf));
		struct slice in = {tid, n};

		stun_put_channel(&w, STUN_CHANNEL_MIN + 1, in);
		assert_false(w.bad);
		assert_int_equal(w.n % 4, 0);
		assert_int_equal(
			stun_channel_decode(&channel, &data, wr_slice(&w)), 0);
		assert_int_equal(channel, STUN_CHANNEL_MIN + 1);
		assert_true(slice_eq(data, in));
		/* no prefix that loses data is taken */
		for (size_t cut = 0; cut < 4 + n; cut++)
			assert_int_equal(
				stun_channel_decode(&channel, &data,
			                            (struct slice){buf, cut}),
				EBADMSG);
	}
}

static void test_channel_numbers_are_checked(void **state)
{
	static const struct slice bad[] = {BYTES("\x3f\xff\x00\x00"),
	                                   BYTES("\x50\x00\x00\x00")};
	uint16_t channel = 7;
	struct slice data = {tid, 1};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(stun_channel_decode(&channel, &data, bad[i]),
		                 EBADMSG);
	assert_int_equal(channel, 7);
	assert_int_equal(data.n, 1);
}

static void test_u32_and_addresses(void **state)
{
	static const struct addr relay = {ADDR_IP4, {192, 0, 2, 7}, 50000};
	uint8_t buf[128];
	struct wr w = wr_init(buf, sizeof(buf));
	struct slice val;
	struct stun_msg m;
	struct addr a;
	uint32_t v = 0;

	UNUSED(state);
	stun_put_head(&w, STUN_CLASS_SUCCESS, STUN_METHOD_ALLOCATE, tid);
	stun_put_u32(&w, STUN_ATTR_LIFETIME, 600);
	stun_put_addr(&w, STUN_ATTR_XOR_RELAYED_ADDRESS, &relay);
	stun_put_attr(&w, STUN_ATTR_CHANNEL_NUMBER, slice_str("abc"));
	assert_false(w.bad);
	assert_int_equal(stun_msg_decode(&m, wr_slice(&w)), 0);
	assert_int_equal(stun_msg_u32(&v, &m, STUN_ATTR_LIFETIME), 0);
	assert_int_equal(v, 600);
	assert_int_equal(stun_msg_u32(&v, &m, STUN_ATTR_CHANNEL_NUMBER),
	                 EBADMSG);
	assert_int_equal(stun_msg_u32(&v, &m, STUN_ATTR_DATA), ENOENT);
	assert_int_equal(v, 600);
	assert_int_equal(stun_msg_addr(&a, &m, STUN_ATTR_XOR_RELAYED_ADDRESS),
	                 0);
	assert_true(addr_eq(&a, &relay));
	/* on the wire it is masked: an ALG must not recognise it */
	assert_int_equal(stun_msg_attr(&val, &m, STUN_ATTR_XOR_RELAYED_ADDRESS),
	                 0);
	assert_memory_not_equal(val.p + 4, relay.ip, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frame_tells_messages_from_data),
		cmocka_unit_test(test_channel_is_read_back),
		cmocka_unit_test(test_channel_numbers_are_checked),
		cmocka_unit_test(test_u32_and_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
