/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "oom.h"
#include "xmpp/stream.h"

#define HEAD                                                         \
	"<?xml version='1.0'?><stream:stream xmlns='jabber:client' " \
	"xmlns:stream='http://etherx.jabber.org/streams' id='abc' "  \
	"from='chat.example.com' version='1.0' xml:lang='en'>"
#define STARTTLS                                                         \
	"<stream:features><starttls "                                    \
	"xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>" \
	"</stream:features>"
#define SASL                                                          \
	"<stream:features><mechanisms "                               \
	"xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN"   \
	"</mechanism><mechanism>SCRAM-SHA-1</mechanism></mechanisms>" \
	"<c xmlns='http://jabber.org/protocol/caps'><mechanism>no"    \
	"</mechanism></c></stream:features>"

static struct xmpp_stream *fed(const char *text, int want)
{
	struct xmpp_stream *s;
	int err;

	assert_int_equal(xmpp_stream_alloc(&s), 0);
	err = xmpp_stream_feed(s, slice_str(text));
	if (err != want)
		fail_msg("%s: %d", text, err);
	return s;
}

static void test_reads_a_stream_with_starttls(void **state)
{
	struct xmpp_stream *s = fed(HEAD STARTTLS, 0);
	const struct xmpp_said *said = xmpp_stream_said(s);

	UNUSED(state);
	assert_true(said->has_header);
	assert_string_equal(said->from, "chat.example.com");
	assert_string_equal(said->id, "abc");
	assert_string_equal(said->version, "1.0");
	assert_true(said->has_features);
	assert_int_equal(said->tls, XMPP_TLS_REQUIRED);
	assert_int_equal(said->n_mechanisms, 0);
	assert_false(said->may_proceed);

	assert_int_equal(
		xmpp_stream_feed(s, slice_str("<proceed xmlns='urn:ietf:params:"
	                                      "xml:ns:xmpp-tls'/>")),
		0);
	assert_true(said->may_proceed);
	assert_int_equal(xmpp_stream_restart(s), 0);
	assert_false(said->has_features);
	assert_int_equal(xmpp_stream_feed(s, slice_str(HEAD SASL)), 0);
	assert_true(said->has_features);
	assert_int_equal(said->tls, XMPP_TLS_NONE);
	assert_int_equal(said->n_mechanisms, 2);
	assert_string_equal(said->mechanisms[0], "PLAIN");
	assert_string_equal(said->mechanisms[1], "SCRAM-SHA-1");
	assert_false(said->is_closed);
	assert_int_equal(xmpp_stream_feed(s, slice_str("</stream:stream>")), 0);
	assert_true(said->is_closed);
	xmpp_stream_free(s);
}

static void test_reads_byte_by_byte(void **state)
{
	static const char text[] = HEAD SASL;
	struct xmpp_stream *s;

	UNUSED(state);
	assert_int_equal(xmpp_stream_alloc(&s), 0);
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		/* nothing is there before it is whole */
		assert_false(xmpp_stream_said(s)->has_features);
		assert_int_equal(
			xmpp_stream_feed(
				s,
				(struct slice){(const uint8_t *)text + i, 1}),
			0);
	}
	assert_int_equal(xmpp_stream_said(s)->n_mechanisms, 2);
	assert_string_equal(xmpp_stream_said(s)->mechanisms[1], "SCRAM-SHA-1");
	xmpp_stream_free(s);
}

static void test_reads_websocket_messages(void **state)
{
	struct xmpp_stream *s =
		fed("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' "
	            "from='example.com' id='ws1' version='1.0'/>",
	            0);
	const struct xmpp_said *said = xmpp_stream_said(s);

	UNUSED(state);
	assert_true(said->has_header);
	assert_string_equal(said->id, "ws1");
	assert_int_equal(xmpp_stream_restart(s), 0);
	assert_int_equal(
		xmpp_stream_feed(s,
	                         slice_str("<stream:features xmlns:stream="
	                                   "'http://etherx.jabber.org/"
	                                   "streams'><mechanisms xmlns='urn:"
	                                   "ietf:params:xml:ns:xmpp-sasl'>"
	                                   "<mechanism>X</mechanism>"
	                                   "</mechanisms></stream:features>")),
		0);
	assert_true(said->has_features);
	assert_int_equal(said->n_mechanisms, 1);
	assert_int_equal(xmpp_stream_restart(s), 0);
	assert_int_equal(
		xmpp_stream_feed(s, slice_str("<close xmlns='urn:ietf:params:"
	                                      "xml:ns:xmpp-framing'/>")),
		0);
	assert_true(said->is_closed);
	xmpp_stream_free(s);
}

static void test_reads_bosh(void **state)
{
	struct xmpp_stream *s = fed(
		"<body xmlns='http://jabber.org/protocol/httpbind' sid='s1' "
		"authid='a1' from='example.com' "
		"xmlns:stream='http://etherx.jabber.org/streams'>" SASL
		"</body>",
		0);
	const struct xmpp_said *said = xmpp_stream_said(s);

	UNUSED(state);
	assert_true(said->has_features);
	assert_string_equal(said->sid, "s1");
	assert_string_equal(said->id, "a1");
	assert_int_equal(said->n_mechanisms, 2);
	xmpp_stream_free(s);

	s = fed("<body xmlns='http://jabber.org/protocol/httpbind' "
	        "type='terminate' condition='host-unknown'/>",
	        0);
	assert_true(xmpp_stream_said(s)->is_closed);
	assert_string_equal(xmpp_stream_said(s)->condition, "host-unknown");
	xmpp_stream_free(s);
}

static void test_reads_errors(void **state)
{
	struct xmpp_stream *s =
		fed(HEAD "<stream:error><text xmlns='urn:ietf:params:xml:ns:"
	                 "xmpp-streams'>No.</text><host-unknown xmlns='urn:"
	                 "ietf:params:xml:ns:xmpp-streams'/></stream:error>"
	                 "</stream:stream>",
	            0);

	UNUSED(state);
	assert_string_equal(xmpp_stream_said(s)->condition, "host-unknown");
	assert_true(xmpp_stream_said(s)->is_closed);
	xmpp_stream_free(s);

	s = fed(HEAD "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", 0);
	assert_true(xmpp_stream_said(s)->has_failed);
	xmpp_stream_free(s);
}

static void test_refuses(void **state)
{
	static const struct {
		const char *why, *text;
		int err;
	} cases[] = {
		{"HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", EBADMSG},
		{"HTML", "<html><body>login</body></html>", EPROTO},
		{"another namespace", "<stream xmlns='jabber:client'>", EPROTO},
		{"SSH", "SSH-2.0-OpenSSH\r\n", EBADMSG},
		{"a million laughs",
	         "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]>"
	         "<x>&b;</x>",
	         EBADMSG},
		{"an outside entity",
	         "<!DOCTYPE x SYSTEM 'file:///etc/passwd'><x/>", EBADMSG},
		{"two roots",
	         "<open xmlns='urn:ietf:params:xml:ns:"
	         "xmpp-framing'/><a/>",
	         EBADMSG},
		{"features of nobody",
	         "<f:features xmlns:f='http://etherx.jabber.org/streams'/>",
	         EPROTO},
		{"wrong nesting", HEAD "<a></b>", EBADMSG},
		{"undefined entity", HEAD "&x;", EBADMSG},
		{"not UTF-8", HEAD "\xff", EBADMSG},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct xmpp_stream *s = fed(cases[i].text, cases[i].err);

		/* for good */
		assert_int_equal(xmpp_stream_feed(s, slice_str(" ")),
		                 cases[i].err);
		xmpp_stream_free(s);
	}
}

static void test_is_bounded(void **state)
{
	static char text[XMPP_STREAM_MAX_BYTES + 1];
	struct xmpp_stream *s = fed(HEAD, 0);
	int err = 0;

	UNUSED(state);
	for (int i = 0; i < 64 && !err; i++)
		err = xmpp_stream_feed(s, slice_str("<a>"));
	assert_int_equal(err, EBADMSG);
	xmpp_stream_free(s);

	s = fed(HEAD, 0);
	memset(text, ' ', sizeof(text));
	assert_int_equal(xmpp_stream_feed(s, (struct slice){(uint8_t *)text,
	                                                    sizeof(text)}),
	                 EBADMSG);
	xmpp_stream_free(s);

	/* long texts are cut, between characters */
	s = fed(HEAD "<stream:features><mechanisms "
	             "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>",
	        0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(xmpp_stream_feed(s, slice_str("\xc3\xa9")), 0);
	assert_int_equal(
		xmpp_stream_feed(s, slice_str("</mechanism></mechanisms>"
	                                      "</stream:features>")),
		0);
	assert_int_equal(strlen(xmpp_stream_said(s)->mechanisms[0]),
	                 XMPP_TEXT_BYTES - 2);
	xmpp_stream_free(s);

	s = fed(HEAD "<stream:features><mechanisms "
	             "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>",
	        0);
	for (int i = 0; i < 2 * XMPP_MECHANISMS_MAX; i++)
		assert_int_equal(xmpp_stream_feed(s, slice_str("<mechanism>X"
		                                               "</mechanism>")),
		                 0);
	assert_int_equal(xmpp_stream_said(s)->n_mechanisms,
	                 XMPP_MECHANISMS_MAX);
	xmpp_stream_free(s);
}

static void test_what_is_written_can_be_read(void **state)
{
	char buf[1024];
	struct wr w = wr_init(buf, sizeof(buf));
	struct slice domain = slice_str("a'b<c>&\"");
	struct xmpp_stream *s;

	UNUSED(state);
	assert_int_equal(xmpp_stream_alloc(&s), 0);
	xmpp_put_stream(&w, domain);
	assert_false(w.bad);
	assert_int_equal(xmpp_stream_feed(s, wr_slice(&w)), 0);
	assert_string_equal(xmpp_stream_said(s)->version, "1.0");
	assert_true(
		slice_find(wr_slice(&w),
	                   slice_str("to='a&apos;b&lt;c&gt;&amp;&quot;'")) !=
		SIZE_MAX);

	w.n = 0;
	xmpp_put_open(&w, domain);
	assert_int_equal(xmpp_stream_restart(s), 0);
	assert_int_equal(xmpp_stream_feed(s, wr_slice(&w)), 0);

	w.n = 0;
	xmpp_put_body(&w, domain, 7);
	assert_int_equal(xmpp_stream_restart(s), 0);
	assert_int_equal(xmpp_stream_feed(s, wr_slice(&w)), 0);
	assert_false(xmpp_stream_said(s)->is_closed);

	w.n = 0;
	xmpp_put_terminate(&w, domain, 8);
	assert_int_equal(xmpp_stream_restart(s), 0);
	assert_int_equal(xmpp_stream_feed(s, wr_slice(&w)), 0);
	assert_true(xmpp_stream_said(s)->is_closed);
	assert_string_equal(xmpp_stream_said(s)->sid, "a'b<c>&\"");
	xmpp_stream_free(s);
}

static void test_without_memory(void **state)
{
	struct xmpp_stream *s = NULL;

	UNUSED(state);
	oom_after(0);
	assert_int_equal(xmpp_stream_alloc(&s), ENOMEM);
	oom_after(OOM_NEVER);
	assert_null(s);
	xmpp_stream_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_a_stream_with_starttls),
		cmocka_unit_test(test_reads_byte_by_byte),
		cmocka_unit_test(test_reads_websocket_messages),
		cmocka_unit_test(test_reads_bosh),
		cmocka_unit_test(test_reads_errors),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_is_bounded),
		cmocka_unit_test(test_what_is_written_can_be_read),
		cmocka_unit_test(test_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
