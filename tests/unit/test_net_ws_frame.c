/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>

#include "net/ws_frame.h"

#define MAX 1024

/* RFC 6455 section 5.7. */
static void test_decode_reads_the_rfcs_examples(void **state)
{
	static const struct {
		struct slice in;
		enum net_ws_opcode opcode;
		bool is_final;
		const char *payload;
	} cases[] = {
		{BYTES("\x81\x05\x48\x65\x6c\x6c\x6f"), NET_WS_TEXT, true,
	         "Hello"},
		{BYTES("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"),
	         NET_WS_TEXT, true, "Hello"},
		{BYTES("\x01\x03\x48\x65\x6c"), NET_WS_TEXT, false, "Hel"},
		{BYTES("\x80\x02\x6c\x6f"), NET_WS_CONTINUATION, true, "lo"},
		{BYTES("\x89\x05\x48\x65\x6c\x6c\x6f"), NET_WS_PING, true,
	         "Hello"},
		{BYTES("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"),
	         NET_WS_PONG, true, "Hello"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice in = cases[i].in;
		uint8_t buf[16];
		struct wr w = wr_init(buf, sizeof(buf));
		struct net_ws_frame f = {.bytes = 777};

		assert_int_equal(net_ws_frame_decode(&f, in, MAX), 0);
		assert_int_equal(f.opcode, cases[i].opcode);
		assert_int_equal(f.is_final, cases[i].is_final);
		assert_int_equal(f.bytes, in.n);
		net_ws_payload_put(&w, &f);
		assert_true(slice_eq_str(wr_slice(&w), cases[i].payload));
		f.bytes = 777;
		while (in.n-- > 0)
			assert_int_equal(net_ws_frame_decode(&f, in, MAX),
			                 EAGAIN);
		assert_int_equal(f.bytes, 777);
	}
}

static void test_decode_rejects_malformed(void **state)
{
	static const struct {
		const char *why;
		struct slice in;
		int err;
	} cases[] = {
		{"reserved bit", BYTES("\xc1\x00"), EBADMSG},
		{"reserved bit, alone", BYTES("\x91"), EBADMSG},
		{"reserved opcode", BYTES("\x83\x00"), EBADMSG},
		{"reserved control", BYTES("\x8b\x00"), EBADMSG},
		{"control in fragments", BYTES("\x09\x00"), EBADMSG},
		{"long control", BYTES("\x89\x7e\x00\x7e"), EBADMSG},
		{"16 bits for a short one", BYTES("\x81\x7e\x00\x7d"), EBADMSG},
		{"64 bits for a short one",
	         BYTES("\x81\x7f\x00\x00\x00\x00\x00\x00\xff\xff"), EBADMSG},
		{"the top bit of 64",
	         BYTES("\x81\x7f\x80\x00\x00\x00\x00\x00\x00\x00"), EBADMSG},
		{"too long", BYTES("\x81\x7e\x04\x01"), EMSGSIZE},
		{"far too long",
	         BYTES("\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"), EMSGSIZE},
	};
	struct net_ws_frame f = {.bytes = 777};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (net_ws_frame_decode(&f, cases[i].in, MAX) != cases[i].err)
			fail_msg("accepted: %s", cases[i].why);
		assert_int_equal(f.bytes, 777);
	}
}

static void test_what_is_put_decodes(void **state)
{
	static const size_t sizes[] = {0, 1, 125, 126, 65535, 65536};
	static uint8_t payload[65536];
	const struct slice masks[] = {{NULL, 0}, BYTES("\x01\xff\x80\x7f")};

	UNUSED(state);
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7);
	for (size_t i = 0; i < ARRAY_LEN(sizes) * 2; i++) {
		struct slice in = {payload, sizes[i / 2]};
		struct wr w = wr_init_heap(), back = wr_init_heap();
		struct net_ws_frame f;

		net_ws_frame_put(&w, NET_WS_BINARY, true, masks[i % 2], in);
		assert_int_equal(net_ws_frame_decode(&f, wr_slice(&w), 65536),
		                 0);
		assert_int_equal(f.bytes, w.n);
		net_ws_payload_put(&back, &f);
		assert_true(slice_eq(wr_slice(&back), in));
		wr_fini(&w);
		wr_fini(&back);
	}
}

/* RFC 6455 section 1.3. */
static void test_accept_of_the_rfc(void **state)
{
	uint8_t out[NET_WS_KEY_BYTES];

	UNUSED(state);
	assert_int_equal(
		net_ws_accept(out, slice_str("dGhlIHNhbXBsZSBub25jZQ==")), 0);
	assert_memory_equal(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", sizeof(out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode_reads_the_rfcs_examples),
		cmocka_unit_test(test_decode_rejects_malformed),
		cmocka_unit_test(test_what_is_put_decodes),
		cmocka_unit_test(test_accept_of_the_rfc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
