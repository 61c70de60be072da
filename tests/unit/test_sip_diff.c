/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sip/diff.h"

#define START "INVITE sip:u@198.51.100.10:5060 SIP/2.0\r\n"
#define VIA   "Via: SIP/2.0/UDP 192.168.1.33:5060;rport;branch=z9hG4bKabc\r\n"
#define CSEQ  "CSeq: 1 INVITE\r\n"
#define SDP_HEAD(len)                       \
	"Content-Type: application/sdp\r\n" \
	"Content-Length: " len "\r\n\r\n"   \
	"v=0\r\n"

static struct sip_diff d;

static void diff(const char *a, const char *b)
{
	static const struct sip_diff_hint hint = {
		.local = {ADDR_IP4, {192, 168, 1, 33}, 5060},
		.observed = {ADDR_IP4, {203, 0, 113, 2}, 5060},
	};

	sip_diff(&d, slice_str(a), slice_str(b), &hint);
}

static void show(const char *why)
{
	print_message("%s:\n", why);
	for (size_t i = 0; i < d.n; i++) {
		const struct sip_edit *e = &d.edits[i];

		print_message("  %s %s at %zu [%.*s] [%.*s]\n",
		              sip_edit_class_name(e->cls), e->field, e->at,
		              (int)e->before.n, (const char *)e->before.p,
		              (int)e->after.n, (const char *)e->after.p);
	}
}

/* One value swapped for another in the message around it. */
struct swap {
	const char *why;
	const char *before, *after;
	enum sip_edit_class cls;
	const char *field;
	const char *shown_before, *shown_after; /* NULL: any */
};

static const struct swap swaps[] = {
	{"A1 Via sent-by",
         "Via: SIP/2.0/UDP 192.168.1.33:5060;branch=z9hG4bK1\r\n",
         "Via: SIP/2.0/UDP 203.0.113.2:5060;branch=z9hG4bK1\r\n",
         SIP_EDIT_ADDRESS_REWRITTEN, "Via", "192.168.1.33:5060",
         "203.0.113.2:5060"},
	{"A1 Via port",
         "Via: SIP/2.0/UDP 192.168.1.33:5060;branch=z9hG4bK1\r\n",
         "Via: SIP/2.0/UDP 192.168.1.33:32622;branch=z9hG4bK1\r\n",
         SIP_EDIT_PORT_REWRITTEN, "Via", NULL, NULL},
	{"A2 Contact", "Contact: <sip:u@192.168.1.33:5060;ob>;expires=9\r\n",
         "Contact: <sip:u@203.0.113.2:5060;ob>;expires=9\r\n",
         SIP_EDIT_ADDRESS_REWRITTEN, "Contact", "192.168.1.33:5060",
         "203.0.113.2:5060"},
	{"A3 From", "From: \"P\" <sip:u@192.168.1.33:5060>;tag=1\r\n",
         "From: \"P\" <sip:u@203.0.113.2:5060>;tag=1\r\n",
         SIP_EDIT_ADDRESS_REWRITTEN, "From", NULL, NULL},
	{"A4 Call-ID", "Call-ID: abc@192.168.1.33\r\n",
         "Call-ID: abc@203.0.113.2\r\n", SIP_EDIT_ADDRESS_REWRITTEN, "Call-ID",
         "abc@192.168.1.33", "abc@203.0.113.2"},
	{"A5 Route", "Route: <sip:192.168.1.33:5060;lr>\r\n",
         "Route: <sip:203.0.113.2:5060;lr>\r\n", SIP_EDIT_ADDRESS_REWRITTEN,
         "Route", NULL, NULL},
	{"A5 Record-Route", "Record-Route: <sip:192.168.1.33:5060;lr>\r\n",
         "Record-Route: <sip:203.0.113.2:5060;lr>\r\n",
         SIP_EDIT_ADDRESS_REWRITTEN, "Record-Route", NULL, NULL},
	{"A10 X- header", "X-Prumo-Addr: 192.168.1.33:5060\r\n",
         "X-Prumo-Addr: 203.0.113.2:5060\r\n", SIP_EDIT_ADDRESS_REWRITTEN,
         "X-Prumo-Addr", NULL, NULL},
	{"A10 inside a word", "X-Name: host-a192.168.1.33b\r\n",
         "X-Name: host-a203.0.113.2b\r\n", SIP_EDIT_ADDRESS_REWRITTEN, "X-Name",
         NULL, NULL},
	{"A10, A12 digest uri",
         "Authorization: Digest username=\"u\", uri=\"sip:192.168.1.33\"\r\n",
         "Authorization: Digest username=\"u\", uri=\"sip:203.0.113.2\"\r\n",
         SIP_EDIT_ADDRESS_REWRITTEN, "Authorization",
         "uri=\"sip:192.168.1.33\"", "uri=\"sip:203.0.113.2\""},
	{"A12 digest response",
         "Authorization: Digest response=\"0a\", a=b\r\n",
         "Authorization: Digest response=\"0b\", a=b\r\n",
         SIP_EDIT_PARAMETER_CHANGED, "Authorization", NULL, NULL},
	{"A13 port added", "Via: SIP/2.0/UDP 192.168.1.33;branch=z9hG4bK1\r\n",
         "Via: SIP/2.0/UDP 192.168.1.33:5060;branch=z9hG4bK1\r\n",
         SIP_EDIT_PORT_ADDED, "Via", "192.168.1.33", "192.168.1.33:5060"},
	{"A13 port removed", "Contact: <sip:u@192.168.1.33:5060>\r\n",
         "Contact: <sip:u@192.168.1.33>\r\n", SIP_EDIT_PORT_REMOVED, "Contact",
         NULL, NULL},
	{"A14 received",
         "Via: SIP/2.0/UDP 1.2.3.4;branch=z9hG4bK1;received=203.0.113.2\r\n",
         "Via: SIP/2.0/UDP 1.2.3.4;branch=z9hG4bK1;received=192.168.1.33\r\n",
         SIP_EDIT_ADDRESS_REWRITTEN, "Via", "received=203.0.113.2",
         "received=192.168.1.33"},
	{"A15 hop count", "Max-Forwards: 70\r\n", "Max-Forwards: 69\r\n",
         SIP_EDIT_HOP_COUNT_CHANGED, "Max-Forwards", "70", "69"},
	{"A15 Via added", "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n",
         "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK9\r\n"
         "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n",
         SIP_EDIT_VIA_ADDED, "Via", NULL,
         "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK9\r\n"},
	{"A15 Record-Route added", "X-A: 1\r\n",
         "Record-Route: <sip:192.0.2.9;lr>\r\nX-A: 1\r\n",
         SIP_EDIT_RECORD_ROUTE_ADDED, "Record-Route", NULL, NULL},
	{"A15 order", "X-A: 1\r\nX-B: 2\r\nX-C: 3\r\n",
         "X-C: 3\r\nX-A: 1\r\nX-B: 2\r\n", SIP_EDIT_HEADER_REORDERED, "X-C",
         NULL, NULL},
	{"A15 case", "vIA: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n",
         "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n",
         SIP_EDIT_CASE_CHANGED, "Via", NULL, NULL},
	{"A15 header added", "X-A: 1\r\n", "X-A: 1\r\nX-B: 2\r\n",
         SIP_EDIT_HEADER_ADDED, "X-B", NULL, "X-B: 2\r\n"},
	{"A15 header removed", "X-A: 1\r\nX-B: 2\r\n", "X-A: 1\r\n",
         SIP_EDIT_HEADER_REMOVED, "X-B", "X-B: 2\r\n", NULL},
	{"A16 branch", "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n",
         "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK2\r\n",
         SIP_EDIT_BRANCH_CHANGED, "Via", "branch=z9hG4bK1", "branch=z9hG4bK2"},
	{"B1 lost semicolon",
         "Contact: <sip:u@192.0.2.1:5060>;q=1;expires=60\r\n",
         "Contact: <sip:u@192.0.2.1:5060>;q=1expires=60\r\n",
         SIP_EDIT_PARAMETER_CORRUPTED, "Contact", NULL, NULL},
	{"B1 lost after the port",
         "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\n",
         "Via: SIP/2.0/UDP 192.0.2.1:5060branch=z9hG4bK1\r\n",
         SIP_EDIT_PARAMETER_CORRUPTED, "Via", NULL, NULL},
	{"B2 port", "Contact: <sip:u@192.0.2.1:5060>\r\n",
         "Contact: <sip:u@192.0.2.1:70000>\r\n", SIP_EDIT_PORT_OUT_OF_RANGE,
         "Contact", "192.0.2.1:5060", "192.0.2.1:70000"},
	{"B4 padding", "Max-Forwards: 70\r\n", "Max-Forwards:   70\r\n",
         SIP_EDIT_WHITESPACE_CHANGED, "Max-Forwards", NULL, NULL},
	{"B5 lost CRLF", "X-A: 1\r\nX-B: 2\r\n", "X-A: 1X-B: 2\r\n",
         SIP_EDIT_HEADER_MERGED, "X-B", "X-B: 2\r\n", "X-A: 1X-B: 2\r\n"},
	{"B5 bare LF", "X-A: 1\r\n", "X-A: 1\n", SIP_EDIT_LINE_ENDING_CHANGED,
         "X-A", NULL, NULL},
	{"B5 lost colon", "X-A: 1\r\nX-B: 2\r\n", "X-A: 1\r\nX-B 2\r\n",
         SIP_EDIT_UNPARSABLE, "message", NULL, "X-B 2\r\n"},
	{"B7 compact", "v: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n",
         "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n",
         SIP_EDIT_NAME_FORM_CHANGED, "Via", NULL, NULL},
	{"B7 folding", "X-A: 1\r\n 2\r\n", "X-A: 1 2\r\n",
         SIP_EDIT_FOLD_CHANGED, "X-A", NULL, NULL},
	{"B8 third Contact",
         "Contact: <sip:a@192.0.2.1>, <sip:b@192.0.2.2>, <sip:c@192.0.2.1>\r\n",
         "Contact: <sip:a@192.0.2.1>, <sip:b@192.0.2.2>, <sip:c@192.0.2.9>\r\n",
         SIP_EDIT_ADDRESS_REWRITTEN, "Contact[3]", "192.0.2.1", "192.0.2.9"},
	{"second Via header",
         "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
         "Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK2\r\n",
         "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
         "Via: SIP/2.0/UDP 192.0.2.3;branch=z9hG4bK2\r\n",
         SIP_EDIT_ADDRESS_REWRITTEN, "Via[2]", NULL, NULL},
	{"parameter added", "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n",
         "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;rport\r\n",
         SIP_EDIT_PARAMETER_ADDED, "Via", NULL, "rport"},
	{"parameter removed",
         "Via: SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bK1\r\n",
         "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n",
         SIP_EDIT_PARAMETER_REMOVED, "Via", "rport", NULL},
	{"IPv6", "Contact: <sip:u@[2001:db8::1]:5060>\r\n",
         "Contact: <sip:u@[2001:db8::2]:5060>\r\n", SIP_EDIT_ADDRESS_REWRITTEN,
         "Contact", "[2001:db8::1]:5060", "[2001:db8::2]:5060"},
	{"any value", "Subject: one\r\n", "Subject: two\r\n",
         SIP_EDIT_VALUE_CHANGED, "Subject", "one", "two"},
};

static const struct swap bodies[] = {
	{"A7 c=", "c=IN IP4 192.168.1.33\r\n", "c=IN IP4 203.0.113.22\r\n",
         SIP_EDIT_ADDRESS_REWRITTEN, "SDP c=", "c=IN IP4 192.168.1.33",
         "c=IN IP4 203.0.113.22"},
	{"A7, A18 m=", "m=audio 46000 RTP/AVP 0\r\n",
         "m=audio 46002 RTP/AVP 0\r\n", SIP_EDIT_PORT_REWRITTEN, "SDP m=audio",
         "m=audio 46000 RTP/AVP 0", "m=audio 46002 RTP/AVP 0"},
	{"A8 o=", "o=- 1 1 IN IP4 192.0.2.155\r\n",
         "o=- 1 1 IN IP4 203.0.113.2\r\n", SIP_EDIT_ADDRESS_REWRITTEN,
         "SDP o=", NULL, NULL},
	{"A9 a=rtcp", "a=rtcp:46001 IN IP4 192.168.1.33\r\n",
         "a=rtcp:46003 IN IP4 192.168.1.33\r\n", SIP_EDIT_PORT_REWRITTEN,
         "SDP a=rtcp", NULL, NULL},
	{"A9 a=candidate",
         "a=candidate:1 1 UDP 9 192.168.1.33 46000 typ host\r\n",
         "a=candidate:1 1 UDP 9 203.0.113.22 46000 typ host\r\n",
         SIP_EDIT_ADDRESS_REWRITTEN, "SDP a=candidate", NULL, NULL},
	{"A17 i= added", "s=-\r\n", "s=-\r\ni=192.168.1.33\r\n",
         SIP_EDIT_SDP_LINE_ADDED, "SDP i=", NULL, "i=192.168.1.33"},
	{"line removed", "s=-\r\na=sendrecv\r\n", "s=-\r\n",
         SIP_EDIT_SDP_LINE_REMOVED, "SDP a=sendrecv", "a=sendrecv", NULL},
	{"candidate added before its like", "a=candidate:1 one\r\n",
         "a=candidate:0 new\r\na=candidate:1 one\r\n", SIP_EDIT_SDP_LINE_ADDED,
         "SDP a=candidate", NULL, "a=candidate:0 new"},
	{"B2 m=", "m=audio 46000 RTP/AVP 0\r\n", "m=audio 99999 RTP/AVP 0\r\n",
         SIP_EDIT_PORT_OUT_OF_RANGE, "SDP m=audio", NULL, NULL},
	{"SDP line ending", "s=-\r\n", "s=-\n", SIP_EDIT_LINE_ENDING_CHANGED,
         "SDP s=", NULL, NULL},
};

static bool shows(struct slice s, const char *want)
{
	return !want || slice_eq_str(s, want);
}

static void check(const struct swap *s)
{
	for (size_t i = 0; i < d.n; i++) {
		const struct sip_edit *e = &d.edits[i];

		if (e->cls == s->cls && strcmp(e->field, s->field) == 0 &&
		    shows(e->before, s->shown_before) &&
		    shows(e->after, s->shown_after))
			return;
	}
	show(s->why);
	fail_msg("not found: %s: %s %s", s->why, sip_edit_class_name(s->cls),
	         s->field);
}

static void test_diff_classifies_header_edits(void **state)
{
	char a[1024], b[1024];

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(swaps); i++) {
		const struct swap *s = &swaps[i];

		(void)snprintf(a, sizeof(a), START "%s" CSEQ "\r\n", s->before);
		(void)snprintf(b, sizeof(b), START "%s" CSEQ "\r\n", s->after);
		diff(a, b);
		check(s);
		if (d.n != 1 && s->cls != SIP_EDIT_UNPARSABLE) {
			show(s->why);
			fail_msg("%s: %zu edits for one change", s->why, d.n);
		}
		diff(a, a);
		assert_true(d.is_equal);
		assert_int_equal(d.n, 0);
	}
}

static void sdp_message(char *buf, size_t n, const char *line)
{
	(void)snprintf(buf, n,
	               START VIA CSEQ "Content-Type: application/sdp\r\n"
	                              "Content-Length: %zu\r\n\r\nv=0\r\n%s",
	               strlen(line) + 5, line);
}

static void test_diff_classifies_sdp_edits(void **state)
{
	char a[1024], b[1024];

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		const struct swap *s = &bodies[i];
		size_t n_lengths = strlen(s->before) != strlen(s->after);

		sdp_message(a, sizeof(a), s->before);
		sdp_message(b, sizeof(b), s->after);
		diff(a, b);
		check(s);
		assert_int_equal(d.n, 1 + n_lengths);
		assert_int_equal(sip_diff_has(&d, SIP_EDIT_LENGTH_UPDATED,
		                              "Content-Length"),
		                 n_lengths);
	}
}

static void test_diff_classifies_whole_messages(void **state)
{
	static const struct swap cases[] = {
		{"A6 Request-URI", START VIA "\r\n",
	         "INVITE sip:u@203.0.113.2:5060 SIP/2.0\r\n" VIA "\r\n",
	         SIP_EDIT_ADDRESS_REWRITTEN, "Request-URI",
	         "198.51.100.10:5060", "203.0.113.2:5060"},
		{"method", START VIA "\r\n",
	         "OPTIONS sip:u@198.51.100.10:5060 SIP/2.0\r\n" VIA "\r\n",
	         SIP_EDIT_START_LINE_CHANGED, "start-line", NULL, NULL},
		{"B3 text cut by length",
	         START VIA "Content-Length: 12\r\n\r\nabc\r\nv=0 ab\n",
	         START VIA "Content-Length: 7\r\n\r\nabc\r\nv=0 ab\n",
	         SIP_EDIT_LENGTH_WRONG, "Content-Length", "12", "7"},
		{"B3 body changed, length kept",
	         START VIA "Content-Length: 14\r\n\r\nx 192.168.1.33",
	         START VIA "Content-Length: 14\r\n\r\nx 203.0.113.2",
	         SIP_EDIT_LENGTH_WRONG, "Content-Length", NULL, NULL},
		{"A10 body text",
	         START VIA "Content-Length: 14\r\n\r\nx 192.168.1.33",
	         START VIA "Content-Length: 13\r\n\r\nx 203.0.113.2",
	         SIP_EDIT_ADDRESS_REWRITTEN, "body", "x 192.168.1.33",
	         "x 203.0.113.2"},
		{"B4 padded length", START VIA "Content-Length: 2\r\n\r\nab",
	         START VIA "Content-Length:   2\r\n\r\nab",
	         SIP_EDIT_WHITESPACE_CHANGED, "Content-Length", NULL, NULL},
		{"B6 truncated", START VIA "\r\n", START, SIP_EDIT_TRUNCATED,
	         "message", NULL, NULL},
		{"lower Via lost, top one rewritten",
	         START VIA
	         "Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKlow\r\n\r\n",
	         START "Via: SIP/2.0/UDP 203.0.113.2:5060;rport;"
	               "branch=z9hG4bKabc\r\n\r\n",
	         SIP_EDIT_ADDRESS_REWRITTEN, "Via", "192.168.1.33:5060",
	         "203.0.113.2:5060"},
		{"appended", START VIA "\r\n", START VIA "\r\nxx",
	         SIP_EDIT_APPENDED, "message", NULL, NULL},
		{"body truncated, first header too",
	         START "X: 1\r\nl: 4\r\n\r\nabcd",
	         START "X: 2\r\nl: 4\r\n\r\nab", SIP_EDIT_TRUNCATED, "body",
	         "abcd", "ab"},
		{"blank line lost", START "X: 1\r\n\r\nabcd",
	         START "X: 1\r\nabcd", SIP_EDIT_UNPARSABLE, "message", "\r\n",
	         NULL},
		{"start line lost its end", START "X-A: 1\r\nY: 2\r\n\r\n",
	         "INVITE sip:u@198.51.100.10:5060 SIP/2.0X-A: 1\r\nY: 2\r\n\r\n",
	         SIP_EDIT_HEADER_MERGED, "X-A", NULL, NULL},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		diff(cases[i].before, cases[i].after);
		check(&cases[i]);
	}
}

/* What Linux 6.18's own SIP helper does to an INVITE behind masquerade. */
static void test_diff_explains_netfilter(void **state)
{
	static const char sent[] =
		"INVITE sip:x@198.51.100.10:5060 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 192.168.1.33:5060;rport;branch=z9hG4bKq\r\n"
		"Via: SIP/2.0/UDP 192.0.2.77:5070;branch=z9hG4bKlower\r\n"
		"From: <sip:p@192.168.1.33:5060>;tag=t\r\n"
		"To: <sip:p@198.51.100.10:5060>\r\n"
		"Call-ID: q@192.168.1.33\r\n"
		"CSeq: 1 INVITE\r\n"
		"Contact: <sip:p@192.168.1.33:5060;transport=udp>\r\n"
		"Record-Route: <sip:192.168.1.33:5060;lr>\r\n"
		"Content-Type: application/sdp\r\n"
		"Content-Length: 148\r\n\r\n"
		"v=0\r\no=- 1 1 IN IP4 192.0.2.155\r\ns=-\r\n"
		"c=IN IP4 192.168.1.33\r\nt=0 0\r\n"
		"m=audio 46000 RTP/AVP 0\r\n"
		"a=rtcp:46001 IN IP4 192.168.1.33\r\na=sendrecv\r\n";
	static const char seen[] =
		"INVITE sip:x@198.51.100.10:5060 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 203.0.113.2:5060;rport;branch=z9hG4bKq\r\n"
		"Via: SIP/2.0/UDP 192.0.2.77:5070;branch=z9hG4bKlower\r\n"
		"From: <sip:p@203.0.113.2:5060>;tag=t\r\n"
		"To: <sip:p@198.51.100.10:5060>\r\n"
		"Call-ID: q@192.168.1.33\r\n"
		"CSeq: 1 INVITE\r\n"
		"Contact: <sip:p@203.0.113.2:5060;transport=udp>\r\n"
		"Record-Route: <sip:192.168.1.33:5060;lr>\r\n"
		"Content-Type: application/sdp\r\n"
		"Content-Length: 148\r\n\r\n"
		"v=0\r\no=- 1 1 IN IP4 203.0.113.2\r\ns=-\r\n"
		"c=IN IP4 203.0.113.2\r\nt=0 0\r\n"
		"m=audio 46000 RTP/AVP 0\r\n"
		"a=rtcp:46001 IN IP4 192.168.1.33\r\na=sendrecv\r\n";
	static const struct {
		enum sip_edit_class cls;
		const char *field;
	} want[] = {
		{SIP_EDIT_ADDRESS_REWRITTEN, "Via"},
		{SIP_EDIT_ADDRESS_REWRITTEN, "From"},
		{SIP_EDIT_ADDRESS_REWRITTEN, "Contact"},
		{SIP_EDIT_LENGTH_UPDATED, "Content-Length"},
		{SIP_EDIT_ADDRESS_REWRITTEN, "SDP o="},
		{SIP_EDIT_ADDRESS_REWRITTEN, "SDP c="},
	};
	char before[1024], after[1024];
	char *at;

	UNUSED(state);
	/* the lengths are those of these bodies */
	(void)snprintf(before, sizeof(before), "%s", sent);
	(void)snprintf(after, sizeof(after), "%s", seen);
	at = strstr(before, "148");
	(void)snprintf(at, 4, "%zu", strlen(strstr(sent, "v=0")));
	at[3] = '\r';
	at = strstr(after, "148");
	(void)snprintf(at, 4, "%zu", strlen(strstr(seen, "v=0")));
	at[3] = '\r';

	diff(before, after);
	if (d.n != ARRAY_LEN(want))
		show("netfilter");
	assert_int_equal(d.n, ARRAY_LEN(want));
	for (size_t i = 0; i < d.n; i++) {
		assert_int_equal(d.edits[i].cls, want[i].cls);
		assert_string_equal(d.edits[i].field, want[i].field);
	}
	assert_int_equal(d.first_byte, 58);
	assert_int_equal(d.edits[0].at, 58);
}

/* Every cut and every single changed byte is noticed and stays inside. */
static void test_diff_misses_no_byte(void **state)
{
	static const char msg[] = START VIA
		"Contact: <sip:a@192.0.2.1>;q=1, <sip:b@192.0.2.2>\r\n"
		"Authorization: Digest a=\"b\", c=d\r\n" CSEQ SDP_HEAD(
			"39") "o=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n";
	char copy[sizeof(msg)];
	struct slice a = BYTES(msg), b;

	UNUSED(state);
	for (size_t i = 0; i < a.n; i++) {
		static const char bytes[] = "\r\n :;,=\"<x\x01";

		for (size_t k = 0; k < sizeof(bytes); k++) {
			memcpy(copy, msg, sizeof(msg));
			if (copy[i] == bytes[k])
				continue;
			copy[i] = bytes[k];
			b = (struct slice){(const uint8_t *)copy, a.n};
			sip_diff(&d, a, b, NULL);
			assert_true(d.n > 0);
			assert_int_equal(d.first_byte, i);
		}
		sip_diff(&d, a, slice_sub(a, 0, i), NULL);
		assert_int_equal(d.n, 1);
		assert_int_equal(d.edits[0].cls, SIP_EDIT_TRUNCATED);
		b = slice_sub(a, i + 1, SIZE_MAX);
		sip_diff(&d, a, b, NULL);
		assert_true(d.n > 0);
	}
}

static void test_via_reflection_allows_what_servers_do(void **state)
{
	static const struct {
		const char *response;
		int n;
		enum sip_edit_class cls;
	} cases[] = {
		{VIA, 0, 0},
		{"v: SIP/2.0/UDP 192.168.1.33:5060;branch=z9hG4bKabc;"
	         "rport=5060;received=203.0.113.2\r\n",
	         0, 0},
		{"Via: SIP / 2.0 / UDP  192.168.1.33:5060 ;RPORT=1;"
	         "branch=z9hG4bKabc\r\n",
	         0, 0},
		{"Via: SIP/2.0/UDP 203.0.113.2:5060;rport;branch=z9hG4bKabc\r\n",
	         1, SIP_EDIT_ADDRESS_REWRITTEN},
		{"Via: SIP/2.0/UDP 192.168.1.33:1;rport;branch=z9hG4bKabc\r\n",
	         1, SIP_EDIT_PORT_REWRITTEN},
		{"Via: SIP/2.0/UDP 192.168.1.33:5060;rport;branch=z9hG4bKx\r\n",
	         1, SIP_EDIT_BRANCH_CHANGED},
		{"Via: SIP/2.0/UDP 192.168.1.33:5060;branch=z9hG4bKabc\r\n", 1,
	         SIP_EDIT_PARAMETER_REMOVED},
		{"Via: SIP/2.0/UDP 192.168.1.33:5060;rport;branch=z9hG4bKabc;"
	         "x=y\r\n",
	         1, SIP_EDIT_PARAMETER_ADDED},
	};
	char response[512];

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		(void)snprintf(response, sizeof(response),
		               "SIP/2.0 200 OK\r\n%s\r\n", cases[i].response);
		assert_int_equal(
			sip_diff_via_reflection(&d, slice_str(START VIA "\r\n"),
		                                slice_str(response)),
			0);
		if ((int)d.n != cases[i].n)
			show(cases[i].response);
		assert_int_equal(d.n, cases[i].n);
		if (d.n)
			assert_int_equal(d.edits[0].cls, cases[i].cls);
	}
	assert_int_equal(sip_diff_via_reflection(&d, slice_str("x"),
	                                         slice_str(START VIA)),
	                 EBADMSG);
}

static void test_classes_have_names(void **state)
{
	UNUSED(state);
	for (unsigned i = 0; i < SIP_EDIT_CLASSES; i++) {
		const char *s = sip_edit_class_name((enum sip_edit_class)i);

		assert_non_null(s);
		assert_true(strlen(s) > 3 &&
		            strspn(s, "abcdefghijklmnopqrstuvwxyz-") ==
		                    strlen(s));
	}
	assert_true(sip_edit_is_corruption(SIP_EDIT_LENGTH_WRONG));
	assert_false(sip_edit_is_corruption(SIP_EDIT_ADDRESS_REWRITTEN));
	assert_int_equal(sip_edit_severity(SIP_EDIT_CASE_CHANGED),
	                 SIP_EDIT_COSMETIC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_diff_classifies_header_edits),
		cmocka_unit_test(test_diff_classifies_sdp_edits),
		cmocka_unit_test(test_diff_classifies_whole_messages),
		cmocka_unit_test(test_diff_explains_netfilter),
		cmocka_unit_test(test_diff_misses_no_byte),
		cmocka_unit_test(test_via_reflection_allows_what_servers_do),
		cmocka_unit_test(test_classes_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
