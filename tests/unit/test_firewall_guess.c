/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "firewall/audit.h"
#include "oom.h"

struct guess {
	struct arena arena;
	struct fw_rules rules;
	struct diag dg;
	struct fw_place place;
	int err;
};

static void guess(struct guess *g, const char *text)
{
	const struct slice in = slice_str(text);
	const struct fw_dialect *d = fw_dialect_recognise(in);

	memset(g, 0, sizeof(*g));
	arena_init(&g->arena);
	fw_rules_init(&g->rules);
	diag_init(&g->dg, &g->arena, "fw", in);
	assert_non_null(d);
	assert_int_equal(d->parse(&g->rules, in, &g->dg), 0);
	g->place.out = fw_guess_wan(&g->rules);
	if (g->place.out)
		g->place.in = fw_guess_lan(&g->rules, g->place.out);
	g->err = fw_guess_src(&g->place.src, &g->arena, &g->rules, &g->place);
}

static void done(struct guess *g)
{
	fw_rules_fini(&g->rules);
	arena_fini(&g->arena);
}

static void put_place(struct wr *w, const struct fw_place *p)
{
	wr_fmt(w, "%s>%s", p->in ? p->in : "*", p->out ? p->out : "*");
	for (const struct fw_addr *a = p->src.first; a; a = a->next) {
		wr_str(w, " ");
		fw_ip_put(w, a->lo, a->hi);
	}
}

#define FILTER(rules)                                                  \
	"table inet filter {\n\tchain forward {\n"                     \
	"\t\ttype filter hook forward priority filter; policy drop;\n" \
	"\t\tct state established,related accept\n" rules "\t}\n}\n"
#define NAT(rules)                         \
	"table ip nat {\n\tchain post {\n" \
	"\t\ttype nat hook postrouting priority srcnat;\n" rules "\t}\n}\n"
#define LAN "\t\tiifname \"eth1\" oifname \"eth0\" "

static void test_guess_is_what_all_rules_agree_on(void **state)
{
	static const struct {
		const char *why, *text, *want;
	} rows[] = {
		{"one prefix", FILTER(LAN "ip saddr 192.168.1.0/24 accept\n"),
	         "eth1>eth0 192.168.1.0/24"},
		{"the same twice",
	         FILTER(LAN "ip saddr 192.168.1.0/24 udp dport 53 accept\n" LAN
	                    "ip saddr 192.168.1.0/24 tcp dport 443 accept\n"),
	         "eth1>eth0 192.168.1.0/24"},
		{"two prefixes",
	         FILTER(LAN "ip saddr 192.168.1.0/24 accept\n" LAN
	                    "ip saddr 192.168.2.0/24 accept\n"),
	         "eth1>eth0"},
		{"a prefix of each family",
	         FILTER(LAN "ip saddr 192.168.1.0/24 accept\n" LAN
	                    "ip6 saddr 2001:db8:1::/64 accept\n"),
	         "eth1>eth0 192.168.1.0/24 2001:db8:1::/64"},
		{"one rule is for anybody",
	         FILTER(LAN "ip saddr 192.168.1.0/24 accept\n" LAN
	                    "tcp dport 443 accept\n"),
	         "eth1>eth0"},
		{"for anybody else",
	         FILTER(LAN "ip saddr != 192.168.1.0/24 accept\n"),
	         "eth1>eth0"},
		{"one host is not a LAN",
	         FILTER(LAN "ip saddr 192.168.1.7 accept\n"), "eth1>eth0"},
		{"from elsewhere to the WAN",
	         FILTER(LAN "ip saddr 192.168.1.0/24 accept\n"
	                    "\t\tiifname \"eth2\" oifname \"eth0\" ip saddr "
	                    "10.0.0.0/8 accept\n"),
	         "*>eth0"},
		{"both ways",
	         FILTER(LAN "ip saddr 192.168.1.0/24 accept\n"
	                    "\t\tiifname \"eth0\" oifname \"eth1\" tcp dport "
	                    "22 accept\n"),
	         "*>*"},
		{"perhaps from there too",
	         FILTER(LAN "ip saddr 192.168.1.0/24 accept\n"
	                    "\t\tiifname \"eth*\" oifname \"eth0\" tcp dport "
	                    "22 accept\n"),
	         "*>*"},
		{"what is translated comes first",
	         FILTER(LAN "ip saddr 192.168.1.0/25 accept\n")
	                 NAT("\t\tip saddr 192.168.1.0/24 oifname \"eth0\" "
	                     "masquerade\n"),
	         "eth1>eth0 192.168.1.0/24"},
		{"translated on the way to elsewhere",
	         FILTER(LAN "ip saddr 192.168.1.0/25 accept\n")
	                 NAT("\t\tip saddr 192.168.1.0/24 oifname \"eth0\" "
	                     "masquerade\n"
	                     "\t\toifname \"eth9\" masquerade\n"),
	         "*>* 192.168.1.0/25"},
		{"translation for anybody says nothing",
	         FILTER(LAN "ip saddr 192.168.1.0/24 accept\n")
	                 NAT("\t\toifname \"eth0\" masquerade\n"),
	         "eth1>eth0 192.168.1.0/24"},
		{"nothing is said", FILTER("\t\ttcp dport 443 accept\n"),
	         "*>*"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char buf[256];
		struct wr w = wr_init(buf, sizeof(buf) - 1);
		struct guess g;

		guess(&g, rows[i].text);
		assert_int_equal(g.err, 0);
		put_place(&w, &g.place);
		if (!slice_eq_str(wr_slice(&w), rows[i].want))
			fail_msg("%s: %.*s", rows[i].why, (int)w.n,
			         (const char *)w.p);
		done(&g);
	}
}

#define IFACE(name, address, more) \
	"  ethernet " name " {\n    address " address "\n" more "  }\n"
#define WAN_IN \
	"    firewall {\n      in {\n        name WAN_IN\n      }\n    }\n"
#define EDGE(interfaces)                                                 \
	"firewall {\n  name WAN_IN {\n    default-action drop\n  }\n}\n" \
	"interfaces {\n" interfaces "}\n"                                \
	"service {\n  nat {\n    rule 5010 {\n"                          \
	"      outbound-interface eth0\n      type masquerade\n    }\n"  \
	"  }\n}\n"

/* What no rule says, addresses may. */
static void test_a_private_address_is_inside(void **state)
{
	static const struct {
		const char *why, *text, *want;
	} rows[] = {
		{"one",
	         EDGE(IFACE("eth0", "dhcp", WAN_IN)
	                      IFACE("eth1", "192.168.1.1/24", "")),
	         "eth1>eth0"},
		{"two ways out name the set",
	         EDGE(IFACE("eth0", "dhcp", WAN_IN)
	                      IFACE("eth2", "192.0.2.7/24", WAN_IN)
	                              IFACE("eth1", "10.1.1.1/24", "")),
	         "eth1>eth0"},
		{"two LANs that no rule tells apart",
	         EDGE(IFACE("eth0", "dhcp", WAN_IN)
	                      IFACE("eth1", "10.1.1.1/24", "")
	                              IFACE("eth2", "172.16.1.1/24", "")),
	         "eth1>eth0"},
		{"two, of which one has a set",
	         EDGE(IFACE("eth0", "dhcp", WAN_IN)
	                      IFACE("eth1", "10.1.1.1/24", "")
	                              IFACE("eth2", "10.2.1.1/24", WAN_IN)),
	         "*>eth0"},
		{"a way out behind another router",
	         EDGE(IFACE("eth0", "192.168.0.2/24", WAN_IN)
	                      IFACE("eth1", "10.1.1.1/24", "")),
	         "eth1>eth0"},
		{"none",
	         EDGE(IFACE("eth0", "dhcp", WAN_IN)
	                      IFACE("eth1", "198.51.100.1/24", "")),
	         "*>eth0"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char buf[256];
		struct wr w = wr_init(buf, sizeof(buf) - 1);
		struct guess g;

		guess(&g, rows[i].text);
		assert_int_equal(g.err, 0);
		put_place(&w, &g.place);
		if (!slice_eq_str(wr_slice(&w), rows[i].want))
			fail_msg("%s: %.*s", rows[i].why, (int)w.n,
			         (const char *)w.p);
		done(&g);
	}
}

static void test_guess_without_memory_says_so(void **state)
{
	static const char text[] =
		FILTER(LAN "ip saddr 192.168.1.0/24 accept\n");
	struct fw_addrs src = {0};
	struct arena small;
	struct guess g;

	UNUSED(state);
	guess(&g, text);
	arena_init(&small);
	oom_after(0);
	assert_int_equal(fw_guess_src(&src, &small, &g.rules, &g.place),
	                 ENOMEM);
	oom_after(OOM_NEVER);
	assert_null(src.first);
	assert_int_equal(fw_guess_src(&src, &small, &g.rules, &g.place), 0);
	assert_non_null(src.first);
	arena_fini(&small);
	done(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_guess_is_what_all_rules_agree_on),
		cmocka_unit_test(test_a_private_address_is_inside),
		cmocka_unit_test(test_guess_without_memory_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
