/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "edge/ws.h"

/* RFC 6455, section 5.7: a masked text message, "Hello" */
static const struct slice hello =
	BYTES("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");

static int read_copy(struct edge_ws_frame *f, size_t *n, struct slice in)
{
	static uint8_t buf[EDGE_WS_MAX_BYTES + 64];

	assert_true(in.n <= sizeof(buf));
	memcpy(buf, in.p, in.n);
	return edge_ws_read(f, n, buf, in.n);
}

static void test_read_unmasks(void **state)
{
	struct edge_ws_frame f;
	size_t n;

	UNUSED(state);
	assert_int_equal(read_copy(&f, &n, hello), 0);
	assert_int_equal(n, hello.n);
	assert_int_equal(f.opcode, EDGE_WS_TEXT);
	assert_true(f.is_last);
	assert_true(slice_eq_str(f.payload, "Hello"));
}

static void test_read_waits_and_changes_nothing(void **state)
{
	uint8_t buf[32];

	UNUSED(state);
	for (size_t have = 0; have < hello.n; have++) {
		struct edge_ws_frame f;
		size_t n;

		memcpy(buf, hello.p, hello.n);
		assert_int_equal(edge_ws_read(&f, &n, buf, have), EAGAIN);
		assert_memory_equal(buf, hello.p, hello.n);
	}
}

static void test_read_takes_every_length(void **state)
{
	static const size_t lengths[] = {0, 125, 126, 65535, 65536};
	static uint8_t in[EDGE_WS_MAX_BYTES + EDGE_WS_HDR_MAX_BYTES];

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct wr w = wr_init(in, sizeof(in));
		struct edge_ws_frame f;
		size_t n, length = lengths[i];

		wr_u8(&w, 0x82);
		wr_u8(&w, length < 126     ? (uint8_t)(0x80 | length)
		          : length < 65536 ? 0xfe
		                           : 0xff);
		if (length > 125 && length < 65536)
			wr_u16(&w, (uint16_t)length);
		else if (length > 125)
			wr_u64(&w, length);
		wr_u32(&w, 0);
		assert_int_equal(edge_ws_read(&f, &n, in, w.n + length), 0);
		assert_int_equal(f.payload.n, length);
		assert_int_equal(n, w.n + length);
	}
}

static void test_read_rejects_malformed(void **state)
{
	static const struct {
		const char *why;
		struct slice in;
		int err;
	} cases[] = {
		{"not masked", BYTES("\x81\x05Hello"), EBADMSG},
		{"reserved bit", BYTES("\xc1\x80\0\0\0\0"), EBADMSG},
		{"opcode 3", BYTES("\x83\x80\0\0\0\0"), EBADMSG},
		{"opcode 11", BYTES("\x8b\x80\0\0\0\0"), EBADMSG},
		{"a ping in pieces", BYTES("\x09\x80\0\0\0\0"), EBADMSG},
		{"a long ping", BYTES("\x89\xfe\0\x7e\0\0\0\0"), EBADMSG},
		{"too long", BYTES("\x82\xff\0\0\0\0\0\1\0\1"), EMSGSIZE},
		{"absurd", BYTES("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
	         EMSGSIZE},
	};
	struct edge_ws_frame f = {.opcode = EDGE_WS_PONG};
	size_t n = 77;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (read_copy(&f, &n, cases[i].in) != cases[i].err)
			fail_msg("%s", cases[i].why);
	}
	assert_int_equal(f.opcode, EDGE_WS_PONG);
	assert_int_equal(n, 77);
}

static void test_put_is_what_a_client_reads(void **state)
{
	uint8_t buf[300];
	struct wr w = wr_init(buf, sizeof(buf));
	static const uint8_t zeros[200];

	UNUSED(state);
	edge_ws_put(&w, EDGE_WS_TEXT, slice_str("Hello"));
	assert_true(slice_eq_str(wr_slice(&w), "\x81\x05Hello"));
	w.n = 0;
	edge_ws_put(&w, EDGE_WS_BINARY, (struct slice){zeros, sizeof(zeros)});
	assert_int_equal(w.n, 4 + sizeof(zeros));
	assert_memory_equal(buf, "\x82\x7e\x00\xc8", 4);
	w.n = 0;
	edge_ws_put_close(&w, EDGE_WS_NORMAL);
	assert_int_equal(w.n, 4);
	assert_memory_equal(buf, "\x88\x02\x03\xe8", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_unmasks),
		cmocka_unit_test(test_read_waits_and_changes_nothing),
		cmocka_unit_test(test_read_takes_every_length),
		cmocka_unit_test(test_read_rejects_malformed),
		cmocka_unit_test(test_put_is_what_a_client_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
