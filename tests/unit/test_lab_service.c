/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "lab/ask.h"
#include "lab/service.h"

static const struct lab_site site = {
	.dir = "/d",
	.cert = "/c.pem",
	.key = "/k.pem",
	.ca = "/ca.pem",
	.prumo = "/bin/prumo",
};

static bool holds(const struct wr *w, const char *text)
{
	return slice_find(wr_slice(w), slice_str(text)) != SIZE_MAX;
}

static void server_make(struct lab_server *s, const char *name)
{
	lab_server_init(s, lab_service_find(slice_str(name)));
	s->n_at = 2;
	assert_int_equal(addr_parse(&s->at[0], slice_str("198.51.100.30")), 0);
	assert_int_equal(addr_parse(&s->at[1], slice_str("2001:db8:ffff::30")),
	                 0);
}

static void test_every_service_is_whole(void **state)
{
	UNUSED(state);
	for (const struct lab_service *p = lab_services; p->name; p++) {
		struct lab_server s;
		struct lab_site at = site;
		struct wr conf = wr_init_heap(), argv = wr_init_heap();

		assert_ptr_equal(lab_service_find(slice_str(p->name)), p);
		assert_true(!p->program == !p->package);
		assert_true(!p->file == !p->conf);
		server_make(&s, p->name);
		at.server = &s;
		if (p->conf)
			p->conf(&conf, &at);
		p->argv(&argv, &at);
		assert_false(conf.bad || argv.bad);
		assert_int_equal(argv.p[argv.n - 1], 0);
		if (p->program)
			assert_string_equal((const char *)argv.p, p->program);
		for (size_t i = 0; p->slots[i].name; i++) {
			assert_true(p->slots[i].flags &
			            (LAB_SLOT_UDP | LAB_SLOT_TCP));
			assert_int_equal(s.ports[i][0], p->slots[i].usual[0]);
		}
		wr_fini(&conf);
		wr_fini(&argv);
	}
	assert_null(lab_service_find(slice_str("asterisk")));
}

static void test_conf_binds_what_it_was_given(void **state)
{
	static const struct {
		const char *name, *has[4];
	} cases[] = {
		{"kamailio",
	         {"listen=udp:198.51.100.30:5080\n",
	          "listen=tls:[2001:db8:ffff::30]:5061\n", "\"/k.pem\""}},
		{"coturn",
	         {"listening-ip=198.51.100.30\n", "listening-port=3478"}},
		{"prosody",
	         {"interfaces = { \"198.51.100.30\"; ",
	          "c2s_ports = { 5222; }"}},
		{"nginx",
	         {"listen 198.51.100.30:80;\n",
	          "listen [2001:db8:ffff::30]:443 ssl;\n"}},
		{"dnsmasq", {"listen-address=198.51.100.30\n", "port=53\n"}},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct wr w = wr_init_heap();
		struct lab_site at = site;
		struct lab_server s;

		server_make(&s, cases[i].name);
		at.server = &s;
		s.service->conf(&w, &at);
		for (size_t k = 0; cases[i].has[k]; k++) {
			if (!holds(&w, cases[i].has[k]))
				fail_msg("%s: no %s", cases[i].name,
				         cases[i].has[k]);
		}
		wr_fini(&w);
	}
}

static void test_answers_are_told_from_noise(void **state)
{
	static const struct {
		enum lab_ask ask;
		bool is_tcp;
		struct slice good, bad;
	} cases[] = {
		{LAB_ASK_SIP, false, BYTES("SIP/2.0 200 OK\r\n"),
	         BYTES("OPTIONS sip:")},
		{LAB_ASK_STUN, false,
	         BYTES("\x01\x01\x00\x00\x21\x12\xa4\x42prumo lab\0\0\0"),
	         BYTES("\x01\x11\x00\x00\x21\x12\xa4\x42prumo lab\0\0\0")},
		{LAB_ASK_HTTP, true, BYTES("HTTP/1.1 404 Not"),
	         BYTES("<stream:stream")},
		{LAB_ASK_XMPP, true,
	         BYTES("<?xml version='1.0'?><stream:stream "),
	         BYTES("<?xml version='1.0'?>")},
		{LAB_ASK_DNS, false, BYTES("pr\x81\x80"), BYTES("pr\x01\x00")},
		{LAB_ASK_DNS, true, BYTES("\0\x20pr\x81\x80"),
	         BYTES("\0\x20xx\x81\x80")},
		{LAB_ASK_TLS, true, BYTES("\x16\x03\x03"),
	         BYTES("\x15\x03\x03")},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice good = cases[i].good;

		assert_true(
			lab_ask_is_answer(cases[i].ask, cases[i].is_tcp, good));
		assert_false(lab_ask_is_answer(cases[i].ask, cases[i].is_tcp,
		                               cases[i].bad));
		assert_false(lab_ask_is_answer(cases[i].ask, cases[i].is_tcp,
		                               slice_sub(good, 0, 0)));
	}
}

static void test_every_question_fits(void **state)
{
	struct addr to;

	UNUSED(state);
	assert_int_equal(
		addr_parse_port(&to, slice_str("[2001:db8:ffff::30]:5060")), 0);
	for (int ask = LAB_ASK_SIP; ask <= LAB_ASK_TLS; ask++) {
		uint8_t buf[1024];
		struct wr w = wr_init(buf, sizeof(buf));

		lab_ask_put(&w, (enum lab_ask)ask, &to, true);
		assert_false(w.bad);
		assert_true(w.n > 0);
		/* No server's question may pass for its answer. */
		assert_false(lab_ask_is_answer((enum lab_ask)ask, true,
		                               wr_slice(&w)) &&
		             ask != LAB_ASK_TLS && ask != LAB_ASK_XMPP);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_service_is_whole),
		cmocka_unit_test(test_conf_binds_what_it_was_given),
		cmocka_unit_test(test_answers_are_told_from_noise),
		cmocka_unit_test(test_every_question_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
