/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <string.h>

#include "profile/profile.h"
#include "profile/service.h"

static void test_read_takes_the_labels(void **state)
{
	static const struct {
		const char *name, *domain, *naptr;
		unsigned transports;
	} cases[] = {
		{"_sip._udp.voz.example", "voz.example", "SIP+D2U",
	         PROFILE_UDP},
		{"_SIP._TCP.voz.example", "voz.example", "SIP+D2T",
	         PROFILE_TCP | PROFILE_TLS},
		{"_sips._tcp.voz.example", "voz.example", "SIPS+D2T",
	         PROFILE_TCP | PROFILE_TLS},
		{"_sips._ws.voz.example", "voz.example", "SIPS+D2W",
	         PROFILE_TCP | PROFILE_TLS},
		{"_stun._udp.example", "example", NULL, PROFILE_UDP},
		{"_xmpp-client._tcp.voz.example", "voz.example", NULL,
	         PROFILE_TCP | PROFILE_TLS},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct profile_service s;
		const char *naptr;

		assert_true(profile_service_read(&s, cases[i].name));
		assert_string_equal(s.domain, cases[i].domain);
		assert_int_equal(profile_service_transports(&s),
		                 cases[i].transports);
		naptr = profile_service_naptr(&s);
		if (cases[i].naptr)
			assert_string_equal(naptr, cases[i].naptr);
		else
			assert_null(naptr);
	}
}

static void test_read_refuses_what_is_no_service(void **state)
{
	static const char *const names[] = {
		"",
		"_sip",
		"_sip._udp",
		"_sip._udp.",
		"sip._udp.example",
		"_sip.udp.example",
		"_._udp.example",
		"_sip._.example",
		"_sip._udp._more.example",
	};
	struct profile_service s = {.domain = "untouched"};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (profile_service_read(&s, names[i]))
			fail_msg("taken: '%s'", names[i]);
		assert_string_equal(s.domain, "untouched");
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_takes_the_labels),
		cmocka_unit_test(test_read_refuses_what_is_no_service),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
