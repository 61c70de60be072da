/* SPDX-License-Identifier: ISC */
#include "router/alg.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "oom.h"
#include "test.h"

static const char request[] =
	"REGISTER sip:198.51.100.10 SIP/2.0\r\n"
	"Via: SIP/2.0/UDP 192.0.2.33:5060;branch=z9hG4bKabcdef;rport\r\n"
	"Max-Forwards: 70\r\n"
	"From: <sip:a@192.0.2.33:5060>;tag=1\r\n"
	"To: <sip:a@198.51.100.10>\r\n"
	"Call-ID: x@192.0.2.33\r\n"
	"CSeq: 1 REGISTER\r\n"
	"Route: <sip:192.0.2.33:5060;lr>\r\n"
	"Contact: <sip:a@192.0.2.33:5060>;q=1, <sip:b@192.0.2.33:5060>\r\n"
	"Contact: <sip:c@192.0.2.33>\r\n"
	"Authorization: Digest uri=\"sip:192.0.2.33\"\r\n"
	"Allow: INVITE\r\nUser-Agent: x\r\n"
	"s: folded\r\n line\r\n"
	"X-A: 192.0.2.33 1192.0.2.33 192.0.2.331\r\n"
	"Content-Length: 0\r\n\r\n";

#define SDP(c, port)                                    \
	"v=0\r\no=- 1 1 IN IP4 192.0.2.99\r\ns=-\r\n" c \
	"t=0 0\r\nm=audio " port " RTP/AVP 0\r\n"
#define C33 "c=IN IP4 192.0.2.33\r\n"
#define INVITE(body)                                           \
	"INVITE sip:b@198.51.100.10 SIP/2.0\r\n"               \
	"Via: SIP/2.0/UDP 192.0.2.33:5060;branch=z9hG4bK1\r\n" \
	"CSeq: 1 INVITE\r\nContent-Length: 82\r\n\r\n" body

static const char response[] =
	"SIP/2.0 200 OK\r\n"
	"Via: SIP/2.0/UDP 203.0.113.2:5060;branch=z9hG4bKabcdef.r;"
	"received=203.0.113.2;rport=40000\r\n"
	"CSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n";

static struct router_flow flow_of(bool is_out)
{
	struct addr phone = {ADDR_IP4, {192, 0, 2, 33}, 5060};
	struct addr public = {ADDR_IP4, {203, 0, 113, 2}, 40000};
	struct addr server = {ADDR_IP4, {198, 51, 100, 10}, 5060};

	if (is_out)
		return (struct router_flow){.src = phone,
		                            .dst = server,
		                            .new_src = public,
		                            .new_dst = server,
		                            .is_out = true};
	return (struct router_flow){.src = server,
	                            .dst = public,
	                            .new_src = server,
	                            .new_dst = phone};
}

static struct router_nat *nat_make(void)
{
	struct router_nat_conf c = router_nat_defaults;
	struct router_nat *n = NULL;

	c.n_ext = 1;
	c.ext[0] = (struct addr){ADDR_IP4, {203, 0, 113, 2}, 0};
	c.max_mappings = 64;
	assert_int_equal(router_nat_alloc(&n, &c, 1), 0);
	return n;
}

static char text[4096];

static struct router_alg *alg_make(router_alg_set set, struct router_nat *nat)
{
	struct router_alg_conf c = router_alg_defaults;
	struct router_alg *a = NULL;

	c.set = set;
	assert_int_equal(router_alg_alloc(&a, &c, nat), 0);
	return a;
}

static enum router_alg_verdict take(struct router_alg *a, const char *in,
                                    bool is_out, uint8_t proto, int64_t now_ns)
{
	struct router_flow f = flow_of(is_out);
	struct wr w = wr_init(text, sizeof(text) - 1);
	enum router_alg_verdict v =
		router_alg_take(a, &w, slice_str(in), &f, proto, now_ns);

	text[w.n] = '\0';
	return v;
}

static void test_rewriter_leaves_its_mark(void **state)
{
	static const struct {
		enum router_alg_id id;
		const char *has, *has_not;
	} cases[] = {
		{ROUTER_ALG_VIA, "Via: SIP/2.0/UDP 203.0.113.2:40000;branch",
	         "a@203.0.113.2"},
		{ROUTER_ALG_CONTACT,
	         "<sip:a@203.0.113.2:40000>;q=1, <sip:b@203.0.113.2:40000>\r\n"
	         "Contact: <sip:c@203.0.113.2>",
	         "Via: SIP/2.0/UDP 203"},
		{ROUTER_ALG_CONTACT_FIRST,
	         "<sip:a@203.0.113.2:40000>;q=1, <sip:b@192.0.2.33:5060>",
	         "c@203"},
		{ROUTER_ALG_FROM_TO, "From: <sip:a@203.0.113.2:40000>",
	         "Via: "
	         "SIP/2.0/UDP 203"},
		{ROUTER_ALG_CALL_ID, "Call-ID: x@203.0.113.2\r\n", "a@203"},
		{ROUTER_ALG_ROUTE, "Route: <sip:203.0.113.2:", "a@203"},
		{ROUTER_ALG_DIGEST, "uri=\"sip:203.0.113.2\"", "a@203"},
		{ROUTER_ALG_BLIND, "X-A: 203.0.113.2 1192.0.2.33 192.0.2.331",
	         " 192.0.2.33:"},
		{ROUTER_ALG_OWN_VIA,
	         "Via: SIP/2.0/UDP 203.0.113.2:40000;branch=z9hG4bKrouter\r\n"
	         "Via: SIP/2.0/UDP 192.0.2.33:5060",
	         "a@203"},
		{ROUTER_ALG_MAX_FORWARDS, "Max-Forwards: 69\r\n", ": 70"},
		{ROUTER_ALG_REORDER,
	         "CSeq: 1 REGISTER\r\nCall-ID: x@192.0.2.33\r\nRoute", "203."},
		{ROUTER_ALG_RECASE, "Call-Id: ", "CSeq"},
		{ROUTER_ALG_BRANCH, "branch=z9hG4bKabcdef.r;", "203."},
		{ROUTER_ALG_LOSE_SEMICOLON, "5060>q=1", "203."},
		{ROUTER_ALG_PORT_OVERFLOW, "sip:a@192.0.2.33:70596>", "203."},
		{ROUTER_ALG_LOSE_CRLF, ";lr>Contact: <sip:a", "203."},
		{ROUTER_ALG_UNFOLD, "s: folded line\r\n", "203."},
		{ROUTER_ALG_EXPAND, "Subject: folded", "203."},
		{ROUTER_ALG_LENGTH_PAD, "Content-Length:   0\r\n", "203."},
	};
	struct router_nat *nat = nat_make();

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct router_alg *a =
			alg_make(router_alg_bit(cases[i].id), nat);

		if (take(a, request, true, ROUTER_UDP, 0) !=
		            ROUTER_ALG_EDITED ||
		    !strstr(text, cases[i].has) ||
		    strstr(text, cases[i].has_not))
			fail_msg("%s:\n%s",
			         router_alg_behaviours[cases[i].id].name, text);
		assert_true(router_alg_count(a, cases[i].id, false) > 0);
		router_alg_free(a);
	}
	router_nat_free(nat);
}

/* With brackets where they were, and no longer number mistaken for it. */
static void test_rewriter_knows_ip6(void **state)
{
	static const char request6[] =
		"INVITE sip:b@[2001:db8:ffff::10] SIP/2.0\r\n"
		"Via: SIP/2.0/UDP [2001:db8::33]:5060;branch=z9hG4bKabcdef\r\n"
		"From: <sip:a@[2001:db8::33]>;tag=1\r\n"
		"Call-ID: x@[2001:db8::33]\r\n"
		"CSeq: 1 INVITE\r\n"
		"Contact: <sip:a@[2001:db8::33]:5060>\r\n"
		"X-A: 2001:db8::33 2001:db8::333 1:2001:db8::33\r\n"
		"Content-Length: 87\r\n\r\n"
		"v=0\r\no=- 1 1 IN IP6 2001:db8::99\r\ns=-\r\n"
		"c=IN IP6 2001:db8::33\r\nt=0 0\r\n"
		"m=audio 46000 RTP/AVP 0\r\n";
	static const struct {
		enum router_alg_id id;
		const char *has;
	} cases[] = {
		{ROUTER_ALG_VIA, "Via: SIP/2.0/UDP [2001:db8:1::2]:40000;"},
		{ROUTER_ALG_CONTACT, "Contact: <sip:a@[2001:db8:1::2]:40000>"},
		{ROUTER_ALG_FROM_TO, "From: <sip:a@[2001:db8:1::2]>;"},
		{ROUTER_ALG_CALL_ID, "Call-ID: x@[2001:db8:1::2]\r\n"},
		{ROUTER_ALG_SDP, "c=IN IP6 2001:db8:1::2\r\n"},
		{ROUTER_ALG_NAT_TRACE, "i=(o=IN IP6 2001:db8::33)\r\n"},
		{ROUTER_ALG_BLIND,
	         "X-A: 2001:db8:1::2 2001:db8::333 1:2001:db8::33\r\n"},
		{ROUTER_ALG_OWN_VIA,
	         "Via: SIP/2.0/UDP [2001:db8:1::2]:40000;branch="},
	};
	struct router_nat *nat = nat_make();
	struct router_flow f = {.is_out = true};

	UNUSED(state);
	assert_int_equal(
		addr_parse_port(&f.src, slice_str("[2001:db8::33]:5060")), 0);
	assert_int_equal(
		addr_parse_port(&f.new_src, slice_str("[2001:db8:1::2]:40000")),
		0);
	assert_int_equal(
		addr_parse_port(&f.dst, slice_str("[2001:db8:ffff::10]:5060")),
		0);
	f.new_dst = f.dst;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct wr w = wr_init(text, sizeof(text) - 1);
		struct router_alg *a =
			alg_make(router_alg_bit(cases[i].id), nat);

		assert_int_equal(router_alg_take(a, &w, slice_str(request6), &f,
		                                 ROUTER_UDP, 0),
		                 ROUTER_ALG_EDITED);
		text[w.n] = '\0';
		if (!strstr(text, cases[i].has))
			fail_msg("%s:\n%s",
			         router_alg_behaviours[cases[i].id].name, text);
		router_alg_free(a);
	}
	router_nat_free(nat);
}

/* A call that comes in is spoiled as one that goes out, an answer is not. */
static void test_calls_are_spoiled_both_ways(void **state)
{
	static const char call[] =
		"INVITE sip:a@203.0.113.2:40000 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 198.51.100.10:5060;branch=z9hG4bK1\r\n"
		"CSeq: 1 INVITE\r\nAllow: INVITE\r\n"
		"Contact: <sip:b@198.51.100.10:5060>;q=1\r\n"
		"Content-Length: 0\r\n\r\n";
	static const struct {
		enum router_alg_id id;
		const char *has;
	} cases[] = {
		{ROUTER_ALG_LOSE_SEMICOLON, ":5060>q=1\r\n"},
		{ROUTER_ALG_PORT_OVERFLOW, "10:70596>"},
		{ROUTER_ALG_LOSE_CRLF, "Allow: INVITEContact"},
	};
	struct router_nat *nat = nat_make();

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct router_alg *a =
			alg_make(router_alg_bit(cases[i].id), nat);

		assert_int_equal(take(a, call, false, ROUTER_UDP, 0),
		                 ROUTER_ALG_EDITED);
		assert_non_null(strstr(text, cases[i].has));
		assert_int_equal(router_alg_count(a, cases[i].id, true), 1);
		assert_int_equal(take(a, response, false, ROUTER_UDP, 0),
		                 ROUTER_ALG_SAME);
		router_alg_free(a);
	}
	router_nat_free(nat);
}

static void test_answers_are_mapped_back(void **state)
{
	static const struct {
		enum router_alg_id id;
		const char *has;
	} cases[] = {
		{ROUTER_ALG_VIA, "UDP 192.0.2.33:5060;branch=z9hG4bKabcdef.r"},
		{ROUTER_ALG_RECEIVED, ";received=192.0.2.33;rport=5060\r\n"},
		{ROUTER_ALG_BRANCH, "branch=z9hG4bKabcdef;"},
		{ROUTER_ALG_BLIND, "received=192.0.2.33;"},
	};
	struct router_nat *nat = nat_make();

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct router_alg *a =
			alg_make(router_alg_bit(cases[i].id), nat);

		assert_int_equal(take(a, response, false, ROUTER_UDP, 0),
		                 ROUTER_ALG_EDITED);
		if (!strstr(text, cases[i].has))
			fail_msg("%s:\n%s",
			         router_alg_behaviours[cases[i].id].name, text);
		router_alg_free(a);
	}
	router_nat_free(nat);
}

static void test_sdp_is_rewritten_with_its_length(void **state)
{
	static const char in[] = INVITE(SDP(C33, "46000"));
	struct router_nat *nat = nat_make();
	struct router_alg *a =
		alg_make(router_alg_bit(ROUTER_ALG_SDP) |
	                         router_alg_bit(ROUTER_ALG_SDP_ORIGIN),
	                 nat);

	UNUSED(state);
	assert_int_equal(take(a, in, true, ROUTER_UDP, 0), ROUTER_ALG_EDITED);
	assert_non_null(strstr(text, "c=IN IP4 203.0.113.2\r\n"));
	assert_non_null(strstr(text, "o=- 1 1 IN IP4 203.0.113.2\r\n"));
	assert_non_null(strstr(text, "Content-Length: 84\r\n"));
	router_alg_free(a);

	a = alg_make(router_alg_bit(ROUTER_ALG_SDP) |
	                     router_alg_bit(ROUTER_ALG_LENGTH_STALE),
	             nat);
	assert_int_equal(take(a, in, true, ROUTER_UDP, 0), ROUTER_ALG_EDITED);
	assert_non_null(strstr(text, "Content-Length: 82\r\n"));
	router_alg_free(a);
	router_nat_free(nat);
}

static void test_dropper_drops_what_it_dislikes_alone(void **state)
{
	static char long_line[1400] = "OPTIONS sip:b SIP/2.0\r\nX: ";
	static char long_uri[600] = "OPTIONS sip:";
	static const struct {
		enum router_alg_id id;
		const char *dislikes;
	} cases[] = {
		{ROUTER_ALG_DROP_BAD_MEDIA, INVITE(SDP(C33, "1000"))},
		{ROUTER_ALG_DROP_BAD_MEDIA, INVITE(SDP(C33, "70000"))},
		{ROUTER_ALG_DROP_BAD_MEDIA, INVITE(SDP("", "46000"))},
		{ROUTER_ALG_DROP_UNKNOWN, "ABC sip:b SIP/2.0\r\n\r\n"},
		{ROUTER_ALG_DROP_LONG_LINE, long_line},
		{ROUTER_ALG_DROP_LONG_URI, long_uri},
		{ROUTER_ALG_DROP_NO_PORT,
	         "REGISTER sip:b SIP/2.0\r\nContact: <sip:a@192.0.2.33>\r\n"
	         "\r\n"},
		{ROUTER_ALG_DROP_NON_SIP, "\r\n\r\n"},
		{ROUTER_ALG_DROP_LARGE, long_line},
		{ROUTER_ALG_DROP_HOST_CONTACT,
	         "OPTIONS sip:b SIP/2.0\r\nContact: <sip:a@example.com>\r\n"
	         "\r\n"},
	};
	struct router_nat *nat = nat_make();

	UNUSED(state);
	memset(long_line + strlen(long_line), 'x', 1300);
	memset(long_uri + strlen(long_uri), 'x', 300);
	(void)strcat(long_uri, " SIP/2.0\r\n\r\n");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct router_alg *a =
			alg_make(router_alg_bit(cases[i].id), nat);

		if (take(a, cases[i].dislikes, true, ROUTER_UDP, 0) !=
		    ROUTER_ALG_DROPPED)
			fail_msg("%zu: %s passed", i,
			         router_alg_behaviours[cases[i].id].name);
		assert_int_equal(take(a, request, true, ROUTER_UDP, 1),
		                 ROUTER_ALG_SAME);
		router_alg_free(a);
	}
	router_nat_free(nat);
}

static void test_rate_counts_by_the_second(void **state)
{
	struct router_nat *nat = nat_make();
	struct router_alg *a =
		alg_make(router_alg_bit(ROUTER_ALG_DROP_FAST), nat);

	UNUSED(state);
	for (int i = 0; i < 10; i++)
		assert_int_equal(take(a, request, true, ROUTER_UDP, NS_PER_S),
		                 ROUTER_ALG_SAME);
	assert_int_equal(take(a, request, true, ROUTER_UDP, NS_PER_S),
	                 ROUTER_ALG_DROPPED);
	assert_int_equal(take(a, request, true, ROUTER_UDP, 2 * NS_PER_S),
	                 ROUTER_ALG_SAME);
	router_alg_free(a);
	router_nat_free(nat);
}

static void test_media_port_of_another_flow_is_refused(void **state)
{
	static const char in[] = INVITE(SDP(C33, "46000"));
	static const char in34[] =
		INVITE(SDP("c=IN IP4 192.0.2.34\r\n", "46001"));
	struct router_nat *nat = nat_make();
	struct router_alg *a =
		alg_make(router_alg_bit(ROUTER_ALG_DROP_RTP_REUSE), nat);
	struct router_flow f = flow_of(true);
	struct wr w = wr_init(text, sizeof(text));

	UNUSED(state);
	assert_int_equal(take(a, in, true, ROUTER_UDP, 0), ROUTER_ALG_SAME);
	assert_int_equal(take(a, in, true, ROUTER_UDP, 1), ROUTER_ALG_SAME);
	f.src.port = 5070;
	assert_int_equal(
		router_alg_take(a, &w, slice_str(in), &f, ROUTER_UDP, 2),
		ROUTER_ALG_DROPPED);
	/* Another host, whose port would be the same outside; the even and
	 * the odd one are a pair. */
	f.src.ip[3] = 34;
	f.new_src.port = 41000;
	assert_int_equal(
		router_alg_take(a, &w, slice_str(in34), &f, ROUTER_UDP, 3),
		ROUTER_ALG_DROPPED);
	f.new_src.ip[3] = 4; /* of a pool */
	assert_int_equal(
		router_alg_take(a, &w, slice_str(in34), &f, ROUTER_UDP, 4),
		ROUTER_ALG_SAME);
	f = flow_of(true);
	f.src.port = 5070;
	assert_int_equal(router_alg_take(a, &w, slice_str(in), &f, ROUTER_UDP,
	                                 181 * NS_PER_S),
	                 ROUTER_ALG_SAME);
	router_alg_free(a);
	router_nat_free(nat);
}

/* What a call has opened ends with it, or with the answer that refuses it. */
static void test_media_ends_with_the_call(void **state)
{
	static const char in[] = INVITE(SDP(C33, "46000"));
	static const struct {
		const char *text;
		bool is_out;
		enum router_alg_verdict then;
	} cases[] = {
		{"BYE sip:b SIP/2.0\r\nCSeq: 2 BYE\r\n\r\n", true,
	         ROUTER_ALG_SAME},
		{"BYE sip:b SIP/2.0\r\nCSeq: 2 BYE\r\n\r\n", false,
	         ROUTER_ALG_SAME},
		{"CANCEL sip:b SIP/2.0\r\nCSeq: 1 CANCEL\r\n\r\n", true,
	         ROUTER_ALG_DROPPED},
		{"SIP/2.0 487 Gone\r\nCSeq: 1 INVITE\r\n\r\n", false,
	         ROUTER_ALG_SAME},
		{"SIP/2.0 487 Gone\r\nCSeq: 2 INVITE\r\n\r\n", false,
	         ROUTER_ALG_DROPPED},
		{"SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n", false,
	         ROUTER_ALG_DROPPED},
		{"SIP/2.0 401 No\r\nCSeq: 1 REGISTER\r\n\r\n", false,
	         ROUTER_ALG_DROPPED},
	};
	struct router_nat *nat = nat_make();

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct router_alg *a = alg_make(
			router_alg_bit(ROUTER_ALG_DROP_RTP_REUSE), nat);
		struct router_flow f = flow_of(true);
		struct wr w = wr_init(text, sizeof(text));

		(void)take(a, in, true, ROUTER_UDP, 0);
		(void)take(a, cases[i].text, cases[i].is_out, ROUTER_UDP, 1);
		f.src.port = 5070;
		if (router_alg_take(a, &w, slice_str(in), &f, ROUTER_UDP, 2) !=
		    cases[i].then)
			fail_msg("%s", cases[i].text);
		router_alg_free(a);
	}
	router_nat_free(nat);
}

static void test_stream_edits_whole_messages_only(void **state)
{
	struct router_nat *nat = nat_make();
	struct router_alg *a = alg_make(router_alg_bit(ROUTER_ALG_VIA), nat);
	char half[sizeof(request)];

	UNUSED(state);
	(void)snprintf(half, sizeof(half), "%.200s", request);
	assert_int_equal(take(a, request, true, ROUTER_TCP, 0),
	                 ROUTER_ALG_EDITED);
	assert_int_equal(take(a, half, true, ROUTER_TCP, 0), ROUTER_ALG_SAME);
	router_alg_free(a);
	router_nat_free(nat);
}

static void test_registrar_may_call_whom_it_knows(void **state)
{
	static const char before[] =
		"REGISTER sip:z SIP/2.0\r\nCSeq: 1 REGISTER\r\n\r\n";
	static const struct {
		const char *status, *cseq, *more;
		unsigned n;
	} cases[] = {
		{"200", "1 REGISTER", ";expires=60", 1},
		{"200", "1 REGISTER", "\r\nExpires: 60", 1},
		{"200", "1 REGISTER", ";expires=0\r\nExpires: 60", 0},
		{"200", "1 REGISTER", ";expires=", 0},
		{"200", "1 REGISTER", "", 0},
		{"100", "1 REGISTER", ";expires=60", 0},
		{"401", "1 REGISTER", ";expires=60", 0},
		{"200", "1 OPTIONS", ";expires=60", 0},
		{"200", "2 REGISTER", ";expires=60", 0},
	};
	struct addr inner = {ADDR_IP4, {192, 0, 2, 33}, 40000}, ext;
	struct addr nobody = {ADDR_IP4, {198, 51, 100, 99}, 1};
	struct router_nat *nat = nat_make();

	UNUSED(state);
	assert_int_equal(router_nat_pinhole(nat, &ext, ROUTER_UDP, &inner,
	                                    &nobody, 60 * NS_PER_S, 0),
	                 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct router_alg *a =
			alg_make(router_alg_bit(ROUTER_ALG_PINHOLE_CALLS), nat);
		char answer[512];

		assert_int_equal(take(a, before, true, ROUTER_UDP, 1),
		                 ROUTER_ALG_SAME);
		(void)snprintf(answer, sizeof(answer),
		               "SIP/2.0 %s X\r\nCSeq: %s\r\n"
		               "Contact: <sip:z@198.51.100.1>;expires=90\r\n"
		               "Contact: <sip:a@203.0.113.2:40000>%s\r\n\r\n",
		               cases[i].status, cases[i].cseq, cases[i].more);
		assert_int_equal(take(a, answer, false, ROUTER_UDP, 1),
		                 ROUTER_ALG_SAME);
		assert_int_equal(
			router_alg_count(a, ROUTER_ALG_PINHOLE_CALLS, false),
			cases[i].n);
		router_alg_free(a);
	}
	router_nat_free(nat);
}

static void test_minds_its_port_and_way(void **state)
{
	struct router_nat *nat = nat_make();
	struct router_flow out = flow_of(true), in = flow_of(false);
	struct router_alg *a = alg_make(router_alg_bit(ROUTER_ALG_VIA), nat);

	UNUSED(state);
	assert_true(router_alg_minds(a, &out, ROUTER_UDP));
	assert_true(router_alg_minds(a, &in, ROUTER_TCP));
	assert_false(router_alg_minds(a, &in, ROUTER_ICMP));
	out.dst.port = 5062;
	assert_false(router_alg_minds(a, &out, ROUTER_UDP));
	router_alg_free(a);
	a = alg_make(router_alg_bit(ROUTER_ALG_UDP_ONLY) |
	                     router_alg_bit(ROUTER_ALG_OUT_ONLY),
	             nat);
	assert_false(router_alg_minds(a, &in, ROUTER_UDP));
	out.dst.port = 5060;
	assert_false(router_alg_minds(a, &out, ROUTER_TCP));
	assert_true(router_alg_minds(a, &out, ROUTER_UDP));
	router_alg_free(a);
	router_nat_free(nat);
}

static void test_every_behaviour_has_its_row(void **state)
{
	UNUSED(state);
	for (unsigned i = 0; i < ROUTER_ALG_BEHAVIOURS; i++) {
		const struct router_alg_behaviour *b =
			&router_alg_behaviours[i];
		enum router_alg_id id;

		assert_non_null(b->name);
		assert_true(b->row[0] >= 'A' && b->row[0] <= 'E');
		assert_int_equal(router_alg_find(&id, slice_str(b->name)), 0);
		assert_int_equal(id, i);
	}
	assert_non_null(router_alg_persona(slice_str("quicksec")));
	assert_null(router_alg_persona(slice_str("quick")));
}

static void test_notes_are_json(void **state)
{
	static const char hostile[] =
		"REGISTER sip:b SIP/2.0\r\n"
		"Call-ID: 192.0.2.33\r\nMax-Forwards: 7\r\n\r\n";
	struct router_nat *nat = nat_make();
	struct router_alg *a =
		alg_make(router_alg_bit(ROUTER_ALG_CALL_ID) |
	                         router_alg_bit(ROUTER_ALG_MAX_FORWARDS),
	                 nat);
	struct wr w = wr_init_heap();

	UNUSED(state);
	assert_int_equal(take(a, hostile, true, ROUTER_UDP, 0),
	                 ROUTER_ALG_EDITED);
	router_alg_notes_put(&w, a);
	assert_true(slice_eq_str(
		wr_slice(&w),
		"[\n    {\"behaviour\": \"call-id\", \"row\": \"A4\", "
		"\"direction\": \"out\", \"offset\": 33, \"before\": "
		"\"192.0.2.33\", \"after\": \"203.0.113.2\"},\n"
		"    {\"behaviour\": \"max-forwards\", \"row\": \"A15\", "
		"\"direction\": \"out\", \"offset\": 59, \"before\": \"7\", "
		"\"after\": \"6\"}]"));
	wr_fini(&w);
	router_alg_free(a);
	router_nat_free(nat);
}

/* What does not fit is cut and counted, never left out in silence. */
static void test_notes_say_what_is_missing(void **state)
{
	char msg[600], id[300];
	struct router_nat *nat = nat_make();
	struct router_alg *a =
		alg_make(router_alg_bit(ROUTER_ALG_REORDER), nat);
	struct wr w = wr_init_heap();

	UNUSED(state);
	memset(id, 'x', sizeof(id) - 1);
	id[sizeof(id) - 1] = 0;
	(void)snprintf(msg, sizeof(msg),
	               "REGISTER sip:b SIP/2.0\r\n"
	               "Call-ID: 7\r\nCSeq: 1 %s\r\n\r\n",
	               id);
	for (size_t i = 0; i < ROUTER_ALG_MAX_NOTES / 2 + 1; i++)
		assert_int_equal(take(a, msg, true, ROUTER_UDP, 0),
		                 ROUTER_ALG_EDITED);
	assert_int_equal(router_alg_notes_missing(a), 2);
	router_alg_notes_put(&w, a);
	assert_true(slice_find(wr_slice(&w),
	                       slice_str("\"before_bytes\": 0, "
	                                 "\"after_bytes\": 309}")) != SIZE_MAX);
	wr_fini(&w);
	router_alg_free(a);
	router_nat_free(nat);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rewriter_leaves_its_mark),
		cmocka_unit_test(test_rewriter_knows_ip6),
		cmocka_unit_test(test_calls_are_spoiled_both_ways),
		cmocka_unit_test(test_answers_are_mapped_back),
		cmocka_unit_test(test_sdp_is_rewritten_with_its_length),
		cmocka_unit_test(test_dropper_drops_what_it_dislikes_alone),
		cmocka_unit_test(test_rate_counts_by_the_second),
		cmocka_unit_test(test_media_port_of_another_flow_is_refused),
		cmocka_unit_test(test_media_ends_with_the_call),
		cmocka_unit_test(test_stream_edits_whole_messages_only),
		cmocka_unit_test(test_registrar_may_call_whom_it_knows),
		cmocka_unit_test(test_minds_its_port_and_way),
		cmocka_unit_test(test_every_behaviour_has_its_row),
		cmocka_unit_test(test_notes_are_json),
		cmocka_unit_test(test_notes_say_what_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
