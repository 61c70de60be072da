/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "sip/request.h"
#include "sip/value.h"

static struct sip_request sample(void)
{
	return (struct sip_request){
		.method = "REGISTER",
		.transport = "TCP",
		.uri = slice_str("sip:example.com"),
		.aor = slice_str("sip:alice@example.com"),
		.sent_by = slice_str("192.0.2.33:5060"),
		.branch = slice_str("abc"),
		.from_tag = slice_str("tag1"),
		.call_id = slice_str("id1"),
		.contact = slice_str("sip:alice@192.0.2.33:5060"),
		.cseq = 3,
		.expires_s = 60,
		.extra = slice_str("X-Extra: 1\r\n"),
	};
}

static void test_build_reads_back(void **state)
{
	struct sip_request rq = sample();
	char buf[2048];
	struct wr w = wr_init(buf, sizeof(buf));
	struct sip_msg m;
	struct sip_via via;
	struct slice branch, rport = {(const uint8_t *)"", 1};
	size_t n;

	UNUSED(state);
	assert_int_equal(sip_request_build(&w, &rq), 0);
	sip_msg_read(&m, wr_slice(&w));
	assert_int_equal(m.odd, 0);
	assert_true(sip_msg_is_request(&m));
	assert_true(slice_eq_str(sip_msg_method(&m), "REGISTER"));
	assert_true(slice_eq_str(sip_msg_uri(&m), "sip:example.com"));
	assert_int_equal(sip_msg_top_via(&via, &m), 0);
	assert_true(slice_eq_str(via.protocol, "SIP/2.0/TCP"));
	assert_true(slice_eq_str(via.sent_by, "192.0.2.33:5060"));
	assert_true(sip_param_find(&branch, via.params, "branch"));
	assert_true(slice_eq_str(branch, "z9hG4bKabc"));
	assert_true(sip_param_find(&rport, via.params, "rport"));
	assert_int_equal(rport.n, 0);
	assert_true(
		slice_eq_str(sip_msg_value(&m, SIP_HDR_CSEQ), "3 REGISTER"));
	assert_true(slice_eq_str(sip_msg_value(&m, SIP_HDR_EXPIRES), "60"));
	assert_true(slice_eq_str(sip_msg_value(&m, SIP_HDR_CONTACT),
	                         "<sip:alice@192.0.2.33:5060>"));
	assert_non_null(sip_msg_named(&m, slice_str("X-Extra"), 0));
	assert_int_equal(sip_stream_len(&n, wr_slice(&w)), SIP_FRAME_MSG);
	assert_int_equal(n, w.n);

	rq.contact = (struct slice){0};
	rq.expires_s = -1;
	w.n = 0;
	assert_int_equal(sip_request_build(&w, &rq), 0);
	sip_msg_read(&m, wr_slice(&w));
	assert_null(sip_msg_field(&m, SIP_HDR_CONTACT, 0));
	assert_null(sip_msg_field(&m, SIP_HDR_EXPIRES, 0));
}

static void test_build_refuses_what_breaks_a_line(void **state)
{
	static const struct slice bad[] = {BYTES("a\r\nb"), BYTES("a b"),
	                                   BYTES("a>b"), BYTES("a\0b"),
	                                   BYTES("a\"b")};
	char buf[2048];

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		for (int which = 0; which < 4; which++) {
			struct sip_request rq = sample();
			struct wr w = wr_init(buf, sizeof(buf));
			struct slice *const parts[] = {
				&rq.uri, &rq.aor, &rq.sent_by, &rq.contact};

			*parts[which] = bad[i];
			assert_int_equal(sip_request_build(&w, &rq), EINVAL);
			assert_int_equal(w.n, 0);
		}
	}
}

static void test_build_that_does_not_fit(void **state)
{
	struct sip_request rq = sample();
	char buf[2048];
	struct wr all = wr_init(buf, sizeof(buf));

	UNUSED(state);
	assert_int_equal(sip_request_build(&all, &rq), 0);
	for (size_t n = 0; n < all.n; n++) {
		char small[2048];
		struct wr w = wr_init(small, n);

		assert_int_equal(sip_request_build(&w, &rq), ENOMEM);
	}
}

static void test_user_and_host_are_escaped(void **state)
{
	static const struct {
		struct slice in;
		const char *user, *host;
	} cases[] = {
		{BYTES("alice"), "alice", "alice"},
		{BYTES("a@b <c>"), "a%40b%20%3Cc%3E", "a@b <c>"},
		{BYTES("+5534"), "+5534", "+5534"},
		{BYTES("2001:db8::1"), "2001%3Adb8%3A%3A1", "[2001:db8::1]"},
		{BYTES("[2001:db8::1]"), "%5B2001%3Adb8%3A%3A1%5D",
	         "[2001:db8::1]"},
		{BYTES("192.0.2.1"), "192.0.2.1", "192.0.2.1"},
		{BYTES(""), "", ""},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char buf[64];
		struct wr w = wr_init(buf, sizeof(buf));

		sip_put_user(&w, cases[i].in);
		assert_true(slice_eq_str(wr_slice(&w), cases[i].user));
		w.n = 0;
		sip_put_host(&w, cases[i].in);
		assert_true(slice_eq_str(wr_slice(&w), cases[i].host));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build_reads_back),
		cmocka_unit_test(test_build_refuses_what_breaks_a_line),
		cmocka_unit_test(test_build_that_does_not_fit),
		cmocka_unit_test(test_user_and_host_are_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
