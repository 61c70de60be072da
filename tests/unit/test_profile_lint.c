/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "oom.h"
#include "profile/lint.h"

#define HEAD                        \
	"schema: prumo/profile/1\n" \
	"id: p\n"                   \
	"name: P\n"                 \
	"source: {title: P}\n"      \
	"tables: [{id: t}]\n"       \
	"rows:\n"

#define ROW(n, host, ports, transports, direction, cls, service)               \
	"  - {table: t, row: " #n ", host: \"" host "\", ports: [" ports "], " \
	"transports: [" transports "], direction: " direction                  \
	", description: d, class: " cls ", service: " service "}\n"

#define SIP(n, host) ROW(n, host, "5060", "udp", "out", "sip", "voice")

#define REQUIRED "requirements:\n  sip_alg_allowed: false\n"
#define TIMERS   REQUIRED "  timers:\n"
#define SETTING(vendor, setting, value, effect, more)                    \
	"  - {vendor: " vendor ", setting: " setting ", value: \"" value \
	"\", effect: " effect ", stated: here" more "}\n"

/* Each text gives exactly this finding, or none at all. */
static const struct {
	const char *why;
	const char *id; /* NULL: the profile is clean */
	unsigned line;
	const char *text;  /* of the profile */
	const char *words; /* at fault */
} cases[] = {
	{"one row", NULL, 0, HEAD SIP(1, "a.example.net") REQUIRED, NULL},

	{"odd domain", "profile.host-odd-domain", 9,
         HEAD SIP(1, "a.example-voz.net") SIP(2, "b.example-voz.net")
                 SIP(3, "c.exampel-voz.net") REQUIRED,
         "c.exampel-voz.net"},
	{"two domains, none in the majority", NULL, 0,
         HEAD SIP(1, "a.example-voz.net") SIP(2, "b.exampel-voz.net") REQUIRED,
         NULL},
	{"domains far apart", NULL, 0,
         HEAD SIP(1, "a.example.net") SIP(2, "b.example.net")
                 SIP(3, "c.invalid.net") REQUIRED,
         NULL},
	{"short domains are all alike", NULL, 0,
         HEAD SIP(1, "a.abc.net") SIP(2, "b.abc.net") SIP(3, "c.abd.net")
                 REQUIRED,
         NULL},

	{"twin lacks a transport", "profile.twin-transport", 7,
         HEAD ROW(1, "192.0.2.1", "4000-4009", "udp, tcp", "out", "stun", "s")
                 ROW(2, "a.example.net", "4000-4009", "udp", "out", "stun", "s")
                         REQUIRED,
         "4000-4009"},
	{"twins agree, in two rows", NULL, 0,
         HEAD ROW(1, "192.0.2.1", "4000-4009", "udp, tcp", "out", "stun", "s")
                 ROW(2, "a.example.net", "4000-4009", "udp", "out", "stun", "s")
                         ROW(3, "a.example.net", "4000-4009", "tcp", "out",
                             "stun", "s") REQUIRED,
         NULL},
	{"two services are no twins", NULL, 0,
         HEAD ROW(1, "192.0.2.1", "4000", "udp, tcp", "out", "stun", "s")
                 ROW(2, "a.example.net", "4000", "udp", "out", "stun", "r")
                         REQUIRED,
         NULL},
	{"TLS is TCP", NULL, 0,
         HEAD ROW(1, "192.0.2.1", "5061", "tls", "out", "sip", "s") ROW(
		 2, "a.example.net", "5061", "tcp", "out", "sip", "s") REQUIRED,
         NULL},
	{"twin lacks a port", "profile.twin-ports", 8,
         HEAD ROW(1, "192.0.2.1", "4000", "udp", "out", "stun", "s")
                 ROW(2, "a.example.net", "4000, 4001", "udp", "out", "stun",
                     "s") REQUIRED,
         "4001"},

	{"same port twice", "profile.rows-overlap", 8,
         HEAD SIP(1, "a.example.net") SIP(2, "A.example.net") REQUIRED, "5060"},
	{"range around a port", "profile.rows-overlap", 7,
         HEAD ROW(1, "192.0.2.1", "5060", "udp", "out", "sip", "s")
                 ROW(2, "192.0.2.1", "5000-5100", "udp", "out", "rtp", "s")
                         REQUIRED,
         "5060"},
	{"same port, other transport", NULL, 0,
         HEAD ROW(1, "192.0.2.1", "5060", "udp", "out", "sip", "s")
                 ROW(2, "192.0.2.1", "5060", "tcp", "out", "sip", "s") REQUIRED,
         NULL},

	{"cloud", "profile.host-cloud-address", 7,
         HEAD ROW(1, "172.217.0.1", "443", "tcp", "out", "api", "s") REQUIRED,
         "172.217.0.1"},
	{"cloud, IPv6", "profile.host-cloud-address", 7,
         HEAD ROW(1, "2606:4700::1", "443", "tcp", "out", "api", "s") REQUIRED,
         "2606:4700::1"},
	{"next to a cloud", NULL, 0,
         HEAD ROW(1, "172.216.255.255", "443", "tcp", "out", "api", "s") ROW(
		 2, "172.218.0.0", "443", "tcp", "out", "api", "s") REQUIRED,
         NULL},

	{"wide RTP", "profile.range-too-wide", 7,
         HEAD ROW(1, "192.0.2.1", "10000-30001", "udp", "out", "rtp", "s")
                 REQUIRED,
         "10000-30001"},
	{"RTP, just right", NULL, 0,
         HEAD ROW(1, "192.0.2.1", "10000-30000", "udp", "out", "rtp", "s")
                 REQUIRED,
         NULL},
	{"RTP over TCP", "profile.rtp-over-tcp", 7,
         HEAD ROW(1, "192.0.2.1", "10000-20000", "udp, tcp", "out", "rtp", "s")
                 REQUIRED,
         "tcp"},
	{"SIPS over UDP", "profile.tcp-port-over-udp", 7,
         HEAD ROW(1, "192.0.2.1", "5061", "udp", "out", "sip", "s") REQUIRED,
         "5061"},
	{"plain web", "profile.plain-web", 7,
         HEAD ROW(1, "a.example.net", "443, 80", "tcp", "out", "web", "s")
                 REQUIRED,
         "80"},
	{"inbound", "profile.inbound", 7,
         HEAD ROW(1, "192.0.2.1", "5060", "udp", "both", "sip", "s") REQUIRED,
         "both"},

	{"timer stated twice", "profile.timer-differs", 12,
         HEAD SIP(1, "a.example.net") TIMERS
         "    - {kind: udp-session, min_s: 300, stated: p1}\n"
         "    - {kind: udp-session, min_s: 43200, stated: p2}\n",
         "p2"},
	{"same timer stated twice", NULL, 0,
         HEAD SIP(1, "a.example.net") TIMERS
         "    - {kind: udp-session, min_s: 300, stated: p1}\n"
         "    - {kind: tcp-session, min_s: 900, stated: p1}\n"
         "    - {kind: udp-session, min_s: 300, stated: p2}\n",
         NULL},
	{"no keep-alive", "profile.keepalive-missing", 12,
         HEAD SIP(1, "a.example.net") TIMERS
         "    - {kind: mapping, min_s: 30, max_s: 60, stated: p1}\n"
         "    - {kind: registration, max_s: 3600, stated: p2}\n",
         "p2"},
	{"keep-alive too slow", "profile.keepalive-missing", 12,
         HEAD SIP(1, "a.example.net") TIMERS
         "    - {kind: mapping, min_s: 30, max_s: 60, stated: p1}\n"
         "    - {kind: registration, max_s: 3600, stated: p2}\n"
         "    - {kind: keepalive, max_s: 31, stated: p2}\n",
         "p2"},
	{"keep-alive", NULL, 0,
         HEAD SIP(1, "a.example.net") TIMERS
         "    - {kind: mapping, min_s: 30, max_s: 60, stated: p1}\n"
         "    - {kind: registration, max_s: 3600, stated: p2}\n"
         "    - {kind: keepalive, max_s: 30, stated: p2}\n",
         NULL},

	{"setting twice", "profile.setting-contradicts", 12,
         HEAD SIP(1, "a.example.net") REQUIRED
         "settings:\n" SETTING("v", "nat", "on", "other", "")
                 SETTING("v", "nat", "off", "other", ""),
         "off"},
	{"two vendors may differ", NULL, 0,
         HEAD SIP(1, "a.example.net") REQUIRED
         "settings:\n" SETTING("v", "nat", "on", "other", "")
                 SETTING("w", "nat", "off", "other", "")
                         SETTING("v", "nat", "on", "other", ""),
         NULL},
	{"ALG on", "profile.setting-alg-on", 11,
         HEAD SIP(1, "a.example.net") REQUIRED
         "settings:\n" SETTING("v", "alg", "on", "alg-on", ""),
         "on"},
	{"ALG on where it may be", NULL, 0,
         HEAD SIP(1, "a.example.net") "requirements:\n  sip_alg_allowed: true\nsettings:\n" SETTING(
		 "v", "alg", "on", "alg-on", ""),
         NULL},
	{"less safe", "profile.setting-weakens", 11,
         HEAD SIP(1, "a.example.net") REQUIRED
         "settings:\n" SETTING("v", "spi", "off", "weakens", ""),
         "off"},
	{"part of the servers", "profile.setting-partial", 12,
         HEAD SIP(1, "a.example.net") SIP(2, "b.example.net") REQUIRED
         "settings:\n" SETTING("v", "ttl", "300", "timer",
                               ", hosts: [a.example.net]"),
         "a.example.net"},
	{"all of the servers", NULL, 0,
         HEAD SIP(1, "a.example.net") SIP(2, "b.example.net") REQUIRED
         "settings:\n" SETTING("v", "ttl", "300", "timer",
                               ", hosts: [a.example.net, B.example.net]"),
         NULL},
	{"misspelt", "profile.setting-misspelt", 11,
         HEAD SIP(1, "a.example.net") REQUIRED
         "settings:\n" SETTING("v", "alg", "off", "alg-off",
                               ", command: set sytem conntrack"),
         "sytem"},
	{"spelt well", NULL, 0,
         HEAD SIP(1, "a.example.net") REQUIRED "settings:\n" SETTING(
		 "v", "alg", "off", "alg-off",
		 ", command: \"set system session-helper, disabled\""),
         NULL},
};

static int lint(struct report *r, const char *yaml)
{
	struct slice text = slice_str(yaml);
	struct profile *p = NULL;
	struct arena arena;
	struct diag dg;
	int err;

	arena_init(&arena);
	diag_init(&dg, &arena, "p.yaml", text);
	err = profile_load(&p, text, &dg);
	if (dg.first)
		print_message("%u: %s\n", dg.first->line, dg.first->message);
	report_init(r);
	if (!err)
		err = profile_lint(r, p, "p.yaml");
	/* The report must not borrow from the profile. */
	profile_free(p);
	arena_fini(&arena);
	return err;
}

static void test_rules(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct finding *fd;
		struct report r;

		if (lint(&r, cases[i].text))
			fail_msg("%s: not a profile", cases[i].why);
		fd = r.findings;
		if (!cases[i].id) {
			if (fd)
				fail_msg("%s: %s", cases[i].why, fd->id);
		} else if (!fd || fd->next || strcmp(fd->id, cases[i].id)) {
			fail_msg("%s: %s, %zu findings", cases[i].why,
			         fd ? fd->id : "none", r.n_findings);
		} else {
			const struct val *ev = &fd->evidence;

			assert_string_equal(
				(const char *)val_get_text(ev, "file").p,
				"p.yaml");
			if (val_get_int(ev, "line", 0) != cases[i].line)
				fail_msg("%s: line %d", cases[i].why,
				         (int)val_get_int(ev, "line", 0));
			assert_true(val_get_int(ev, "column", 0) > 0);
			assert_string_equal(
				(const char *)val_get_text(ev, "text").p,
				cases[i].words);
			assert_true(val_get_text(ev, "suggestion").n > 0);
			assert_non_null(fd->remedy);
		}
		report_fini(&r);
	}
}

static void test_lint_survives_no_memory(void **state)
{
	struct report r;
	unsigned long n = 0;
	int err;

	UNUSED(state);
	do {
		oom_after(n++);
		err = lint(&r, cases[1].text);
		oom_after(OOM_NEVER);
		assert_true(err == 0 || err == ENOMEM);
		assert_true(err || r.n_findings == 1);
		report_fini(&r);
	} while (err);
	assert_true(n > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_lint_survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
