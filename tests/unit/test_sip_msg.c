/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "sip/msg.h"

static struct sip_msg m;

static void parse(const char *s)
{
	sip_msg_read(&m, slice_str(s));
}

static void test_read_cuts_a_request(void **state)
{
	const struct sip_field *f;
	uint64_t n;

	UNUSED(state);
	parse("\r\nINVITE sip:a@b SIP/2.0\r\n"
	      "v: SIP/2.0/UDP one\r\nVIA :SIP/2.0/UDP\r\n\ttwo \n"
	      "no colon\r\nl: 3\r\n\r\nabcd");
	assert_true(sip_msg_is_request(&m));
	assert_int_equal(sip_msg_status(&m), 0);
	assert_true(slice_eq_str(sip_msg_method(&m), "INVITE"));
	assert_true(slice_eq_str(sip_msg_uri(&m), "sip:a@b"));
	assert_int_equal(m.n_fields, 4);
	f = sip_msg_field(&m, SIP_HDR_VIA, 0);
	assert_true(f->is_compact && !f->is_folded && f->odd == 0);
	f = sip_msg_field(&m, SIP_HDR_VIA, 1);
	assert_true(f->is_folded && f->eol == SIP_EOL_LF);
	assert_int_equal(f->odd, SIP_ODD_COLON_SPACE | SIP_ODD_VALUE_SPACE |
	                                 SIP_ODD_TAIL_SPACE | SIP_ODD_EOL);
	assert_null(sip_msg_field(&m, SIP_HDR_VIA, 2));
	assert_int_equal(m.fields[2].odd, SIP_ODD_NO_COLON);
	assert_int_equal(sip_msg_content_length(&n, &m), 0);
	assert_int_equal(n, 3);
	assert_true(slice_eq_str(m.body, "abcd"));
	assert_true(slice_eq_str(sip_msg_declared_body(&m), "abc"));
}

static void test_read_knows_start_lines(void **state)
{
	static const struct {
		const char *line;
		bool is_request;
		unsigned status;
	} cases[] = {
		{"SIP/2.0 200 OK", false, 200},
		{"SIP/2.0 100 ", false, 100},
		{"SIP/2.0 100", false, 100},
		{"SIP/2.0 4294967301 no", false, 0},
		{"SIP/2.0 99 no", false, 0},
		{"SIP/3.0 200 OK", false, 0},
		{"OPTIONS sip:a SIP/2.0", true, 0},
		{"OPTIONS sip:a; lr SIP/2.0", true, 0},
		{"OPTIONS sip:a SIP/7.0", false, 0},
		{"OPTIONS  SIP/2.0", false, 0},
		{"OPT,IONS sip:a SIP/2.0", false, 0},
		{"", false, 0},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		parse(cases[i].line);
		if (sip_msg_is_request(&m) != cases[i].is_request ||
		    sip_msg_status(&m) != cases[i].status)
			fail_msg("misread: %s", cases[i].line);
	}
}

static void test_read_bounds_fields(void **state)
{
	static uint8_t buf[8192];
	struct wr w = wr_init(buf, sizeof(buf));

	UNUSED(state);
	wr_str(&w, "OPTIONS sip:a SIP/2.0\r\n");
	for (unsigned i = 0; i < SIP_MSG_MAX_FIELDS + 3; i++)
		wr_fmt(&w, "X%u: y\r\n z\r\n", i);
	wr_str(&w, "\r\nbody");
	sip_msg_read(&m, wr_slice(&w));
	assert_int_equal(m.n_fields, SIP_MSG_MAX_FIELDS);
	assert_int_equal(m.n_more, 3);
	assert_true(slice_eq_str(m.body, "body"));
}

static void test_names_have_every_form(void **state)
{
	UNUSED(state);
	for (unsigned i = 1; i < SIP_HDR_COUNT; i++) {
		const char *name = sip_hdr_name((enum sip_hdr)i);

		assert_int_equal(sip_hdr_id(slice_str(name)), i);
	}
	assert_int_equal(sip_hdr_id(slice_str("V")), SIP_HDR_VIA);
	assert_int_equal(sip_hdr_id(slice_str("z")), SIP_HDR_OTHER);
	assert_int_equal(sip_hdr_id(slice_str("")), SIP_HDR_OTHER);
	parse("x\r\nX-Foo: 1\r\nm: 2\r\n");
	assert_non_null(sip_msg_named(&m, slice_str("x-foo"), 0));
	assert_non_null(sip_msg_named(&m, slice_str("CONTACT"), 0));
}

static void test_stream_finds_frames(void **state)
{
	static const struct {
		const char *in;
		enum sip_frame frame;
		size_t n;
	} cases[] = {
		{"", SIP_FRAME_MORE, 0},
		{"\r", SIP_FRAME_MORE, 0},
		{"\r\n", SIP_FRAME_PONG, 2},
		{"\r\n\r", SIP_FRAME_MORE, 0},
		{"\r\n\r\n", SIP_FRAME_PING, 4},
		{"\r\nOPTIONS", SIP_FRAME_PONG, 2},
		{"\rX", SIP_FRAME_BAD, 0},
		{"\x16\x03\x01", SIP_FRAME_BAD, 0},
		{"GET / HTTP/1.1\r\n", SIP_FRAME_BAD, 0},
		{"OPTIONS sip:a SIP/2.0\r\nl: 2\r\n\r\nabc", SIP_FRAME_MSG, 33},
		{"OPTIONS sip:a SIP/2.0\r\nl: 9\r\n\r\nab", SIP_FRAME_MORE, 0},
		{"OPTIONS sip:a SIP/2.0\r\nl: -1\r\n\r\n", SIP_FRAME_BAD, 0},
		{"OPTIONS sip:a SIP/2.0\r\nl: 65536\r\n\r\n", SIP_FRAME_BAD, 0},
		{"SIP/2.0 200 OK\r\n\r\nSIP", SIP_FRAME_MSG, 18},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t n = 0;

		if (sip_stream_len(&n, slice_str(cases[i].in)) !=
		            cases[i].frame ||
		    n != cases[i].n)
			fail_msg("misread: %s", cases[i].in);
	}
}

static void test_stream_waits_for_every_prefix(void **state)
{
	struct slice in = BYTES("SIP/2.0 200 OK\r\nContent-Length: 3\r\n\r\n"
	                        "abc");
	size_t n = 7;

	UNUSED(state);
	assert_int_equal(sip_stream_len(&n, in), SIP_FRAME_MSG);
	assert_int_equal(n, in.n);
	n = 7;
	while (in.n-- > 0)
		assert_int_equal(sip_stream_len(&n, in), SIP_FRAME_MORE);
	assert_int_equal(n, 7);
}

static void test_stream_is_bounded(void **state)
{
	static uint8_t buf[SIP_STREAM_MAX_BYTES + 1];
	static const char start[] = "OPTIONS sip:a SIP/2.0\r\nX: ";
	size_t n;

	UNUSED(state);
	memset(buf, 'x', sizeof(buf));
	assert_int_equal(sip_stream_len(&n, (struct slice){buf, sizeof(buf)}),
	                 SIP_FRAME_BAD);
	memcpy(buf, start, sizeof(start) - 1);
	assert_int_equal(sip_stream_len(&n, (struct slice){buf, 9000}),
	                 SIP_FRAME_MORE);
	assert_int_equal(sip_stream_len(&n, (struct slice){buf, sizeof(buf)}),
	                 SIP_FRAME_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_cuts_a_request),
		cmocka_unit_test(test_read_knows_start_lines),
		cmocka_unit_test(test_read_bounds_fields),
		cmocka_unit_test(test_names_have_every_form),
		cmocka_unit_test(test_stream_finds_frames),
		cmocka_unit_test(test_stream_waits_for_every_prefix),
		cmocka_unit_test(test_stream_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
