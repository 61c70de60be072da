/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>

#include "sip/reply.h"

#define REST                                             \
	"f: <sip:a@b>;tag=1\r\nt: <sip:c@d>\r\ni: x\r\n" \
	"CSeq: 1 OPTIONS\r\n\r\n"
#define START "OPTIONS sip:a SIP/2.0\r\n"

static uint8_t buf[1024];
static struct sip_msg m;

static struct sip_reply reply(void)
{
	return (struct sip_reply){
		.status = 200,
		.reason = "OK",
		.observed = {ADDR_IP4, {203, 0, 113, 2}, 40000},
		.to_tag = BYTES("tt"),
	};
}

static void test_build_answers_as_rfc3261_says(void **state)
{
	struct sip_reply rp = reply();
	struct wr w = wr_init(buf, sizeof(buf));

	UNUSED(state);
	rp.extra = slice_str("X-A: b\r\n");
	rp.content_type = slice_str("text/plain");
	rp.body = slice_str("hi");
	rp.copies_record_route = true;
	sip_msg_read(&m, slice_str(START
	                           "v: SIP/2.0/UDP 192.168.1.33:5060;rport;\r\n"
	                           " branch=z9,SIP/2.0/UDP 192.0.2.1\r\n"
	                           "Via: SIP/2.0/TCP p.example\r\n"
	                           "Record-Route: <sip:p;lr>\r\n" REST));
	assert_int_equal(sip_reply_build(&w, &m, &rp), 0);
	wr_u8(&w, 0);
	assert_string_equal(
		buf,
		"SIP/2.0 200 OK\r\n"
		"Via: SIP/2.0/UDP 192.168.1.33:5060;branch=z9;"
		"received=203.0.113.2;rport=40000, SIP/2.0/UDP 192.0.2.1\r\n"
		"Via: SIP/2.0/TCP p.example\r\n"
		"Record-Route: <sip:p;lr>\r\n"
		"From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=tt\r\n"
		"Call-ID: x\r\nCSeq: 1 OPTIONS\r\nX-A: b\r\n"
		"Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi");
}

static void test_received_is_said_when_due(void **state)
{
	static const struct {
		const char *via, *want;
	} cases[] = {
		{"SIP/2.0/UDP 203.0.113.2", "Via: SIP/2.0/UDP 203.0.113.2\r\n"},
		{"SIP/2.0/UDP 203.0.113.2;rport",
	         "Via: SIP/2.0/UDP "
	         "203.0.113.2;received=203.0.113.2;rport=40000\r\n"},
		{"SIP/2.0/UDP a.example",
	         "Via: SIP/2.0/UDP a.example;received=203.0.113.2\r\n"},
		{"SIP/2.0/UDP 192.0.2.1;received=1.1.1.1",
	         "Via: SIP/2.0/UDP 192.0.2.1;received=203.0.113.2\r\n"},
	};
	struct sip_reply rp = reply();
	uint8_t req[512];

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct wr in = wr_init(req, sizeof(req));
		struct wr w = wr_init(buf, sizeof(buf));

		wr_fmt(&in, START "Via: %s\r\n" REST, cases[i].via);
		sip_msg_read(&m, wr_slice(&in));
		assert_int_equal(sip_reply_build(&w, &m, &rp), 0);
		if (slice_find(wr_slice(&w), slice_str(cases[i].want)) ==
		    SIZE_MAX)
			fail_msg("%.*s lacks %s", (int)w.n, (char *)buf,
			         cases[i].want);
	}
}

static void test_build_refuses(void **state)
{
	static const char *const bad[] = {
		START REST,
		START "Via: x\r\n" REST,
		START "Via: SIP/2.0/UDP a\r\nf: b\r\nt: c\r\ni: d\r\n\r\n",
		START "Via: SIP/2.0/UDP a\r\nf: b\r\nt: \r\ni: d\r\n"
		      "CSeq: 1 A\r\n\r\n",
	};
	struct sip_reply rp = reply();
	struct wr w;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		w = wr_init(buf, sizeof(buf));
		sip_msg_read(&m, slice_str(bad[i]));
		assert_int_equal(sip_reply_build(&w, &m, &rp), EBADMSG);
	}
	w = wr_init(buf, 40);
	sip_msg_read(&m, slice_str(START "Via: SIP/2.0/UDP a\r\n" REST));
	assert_int_equal(sip_reply_build(&w, &m, &rp), EMSGSIZE);
	assert_true(w.bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build_answers_as_rfc3261_says),
		cmocka_unit_test(test_received_is_said_when_due),
		cmocka_unit_test(test_build_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
