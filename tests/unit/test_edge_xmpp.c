/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "edge/xmpp.h"
#include "oom.h"

#define OPEN                                                     \
	"<?xml version='1.0'?><stream:stream to='chat.example' " \
	"xmlns='jabber:client' "                                 \
	"xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
#define STARTTLS "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"

static char text[EDGE_XMPP_ANSWER_MAX_BYTES + 1];

static bool has(const char *part)
{
	return strstr(text, part) != NULL;
}

/* In steps of @p step bytes, until something else than MORE comes. */
static enum edge_xmpp_next talk(bool is_secure, const char *bytes, size_t step)
{
	enum edge_xmpp_next next = EDGE_XMPP_MORE;
	struct wr w = wr_init(text, sizeof(text) - 1);
	struct slice rest = slice_str(bytes);
	struct edge_xmpp *x;

	assert_int_equal(edge_xmpp_alloc(&x, is_secure, 0xabc), 0);
	while (rest.n && next == EDGE_XMPP_MORE) {
		next = edge_xmpp_push(x, &w, slice_sub(rest, 0, step));
		rest = slice_sub(rest, step, SIZE_MAX);
	}
	assert_false(w.bad);
	text[w.n] = '\0';
	edge_xmpp_free(x);
	return next;
}

static void test_stream_opens_and_offers_tls(void **state)
{
	UNUSED(state);
	for (size_t step = 1; step < 200; step += 37) {
		assert_int_equal(talk(false, OPEN, step), EDGE_XMPP_MORE);
		assert_true(has("id='prumo-edge-0000000000000abc'"));
		assert_true(has("from='chat.example'"));
		assert_true(has("<stream:features><starttls xmlns="));
		assert_false(has("mechanism"));
	}
	assert_int_equal(talk(true, OPEN, 1000), EDGE_XMPP_MORE);
	assert_true(has("<stream:features></stream:features>"));
}

static void test_every_prefix_waits(void **state)
{
	static const char whole[] = OPEN;

	UNUSED(state);
	for (size_t n = 1; n < sizeof(whole) - 1; n++) {
		char part[sizeof(whole)] = "";

		memcpy(part, whole, n);
		assert_int_equal(talk(false, part, SIZE_MAX), EDGE_XMPP_MORE);
		assert_string_equal(text, "");
	}
}

static void test_answer_by_what_comes(void **state)
{
	static const struct {
		bool is_secure;
		const char *in, *part;
		enum edge_xmpp_next next;
	} cases[] = {
		{false, OPEN STARTTLS, "<proceed xmlns=", EDGE_XMPP_TLS},
		{false, OPEN STARTTLS "<x/>", "<proceed xmlns=", EDGE_XMPP_TLS},
		{true, OPEN STARTTLS,
	         "<not-authorized xmlns=", EDGE_XMPP_CLOSE},
		{false, OPEN "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
	         "<not-authorized xmlns=", EDGE_XMPP_CLOSE},
		{false, OPEN "</stream:stream>", "</stream:stream>",
	         EDGE_XMPP_CLOSE},
		{false, "<stream/>", "<invalid-namespace", EDGE_XMPP_CLOSE},
		{false, "hello ", "<not-well-formed", EDGE_XMPP_CLOSE},
		{false, OPEN "<", "", EDGE_XMPP_MORE},
		{false, OPEN "<a></b>", "<not-authorized", EDGE_XMPP_CLOSE},
		{false, OPEN "</b>", "<not-well-formed", EDGE_XMPP_CLOSE},
		{false, "<!DOCTYPE a [<!ENTITY b 'c'>]>" OPEN,
	         "<restricted-xml", EDGE_XMPP_CLOSE},
		{false, OPEN "<!-- a -->", "<restricted-xml", EDGE_XMPP_CLOSE},
		{false, OPEN "<?a b?>", "<restricted-xml", EDGE_XMPP_CLOSE},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (talk(cases[i].is_secure, cases[i].in, 7) != cases[i].next ||
		    !has(cases[i].part))
			fail_msg("%s\n%s", cases[i].in, text);
	}
}

static void test_domain_needs_no_escaping(void **state)
{
	UNUSED(state);
	assert_int_equal(talk(false,
	                      "<stream:stream to='a&lt;b&apos;' xmlns:stream="
	                      "'http://etherx.jabber.org/streams'>",
	                      SIZE_MAX),
	                 EDGE_XMPP_MORE);
	assert_true(has("from='prumo-edge'"));
}

static void test_stream_without_end_is_cut(void **state)
{
	static char in[EDGE_XMPP_MAX_BYTES + sizeof(OPEN) + 2];

	UNUSED(state);
	memset(in, ' ', sizeof(in) - 1);
	memcpy(in, OPEN, sizeof(OPEN) - 1);
	assert_int_equal(talk(false, in, 1024), EDGE_XMPP_CLOSE);
	assert_true(has("<policy-violation"));
}

static enum edge_xmpp_next frame(const char *in)
{
	struct wr w = wr_init(text, sizeof(text) - 1);
	enum edge_xmpp_next next = edge_xmpp_message(&w, slice_str(in), 0xabc);

	assert_false(w.bad);
	text[w.n] = '\0';
	return next;
}

static void test_frames_are_whole_documents(void **state)
{
	struct wr w = wr_init(text, sizeof(text) - 1);

	UNUSED(state);
	assert_int_equal(frame("<open xmlns='urn:ietf:params:xml:ns:xmpp-"
	                       "framing' to='a.b' version='1.0'/>"),
	                 EDGE_XMPP_MORE);
	assert_true(has("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' "
	                "from='a.b' id='prumo-edge-0000000000000abc'"));
	assert_int_equal(frame("<close xmlns='urn:ietf:params:xml:ns:xmpp-"
	                       "framing'/>"),
	                 EDGE_XMPP_CLOSE);
	assert_true(has("<close xmlns="));
	assert_int_equal(frame("<open xmlns='urn:ietf:params:xml:ns:xmpp-"
	                       "framing'>"),
	                 EDGE_XMPP_CLOSE);
	assert_int_equal(frame(""), EDGE_XMPP_CLOSE);
	edge_xmpp_features(&w);
	assert_false(w.bad);
}

static void test_bosh_gives_a_session_that_ends(void **state)
{
	static const struct {
		const char *in, *part;
	} cases[] = {
		{"<body rid='1' xmlns='http://jabber.org/protocol/httpbind' "
	         "to='a.b'/>",
	         " sid='prumo-edge-bosh'"},
		{"<body rid='2' sid='x' "
	         "xmlns='http://jabber.org/protocol/httpbind'/>",
	         "condition='item-not-found'"},
		{"<body rid='1'/>", NULL},
		{"<body xmlns='http://jabber.org/protocol/httpbind'>", NULL},
		{"", NULL},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct wr w = wr_init(text, sizeof(text) - 1);
		int err = edge_xmpp_bosh(&w, slice_str(cases[i].in));

		text[w.n] = '\0';
		assert_int_equal(err, cases[i].part ? 0 : EBADMSG);
		if (cases[i].part)
			assert_true(has(cases[i].part));
		else
			assert_int_equal(w.n, 0);
	}
}

static void test_alloc_survives_no_memory(void **state)
{
	struct edge_xmpp *x = NULL;

	UNUSED(state);
	oom_after(0);
	assert_int_equal(edge_xmpp_alloc(&x, false, 1), ENOMEM);
	oom_after(OOM_NEVER);
	assert_null(x);
	edge_xmpp_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stream_opens_and_offers_tls),
		cmocka_unit_test(test_every_prefix_waits),
		cmocka_unit_test(test_answer_by_what_comes),
		cmocka_unit_test(test_domain_needs_no_escaping),
		cmocka_unit_test(test_stream_without_end_is_cut),
		cmocka_unit_test(test_frames_are_whole_documents),
		cmocka_unit_test(test_bosh_gives_a_session_that_ends),
		cmocka_unit_test(test_alloc_survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
