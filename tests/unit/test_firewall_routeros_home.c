/* SPDX-License-Identifier: ISC */
/* Boxes as they come from the factory, and what homes make of them. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "firewall_box.h"

#define ADDRESSES                                                        \
	"/interface list member\n"                                       \
	"add comment=defconf interface=bridge list=LAN\n"                \
	"add comment=defconf interface=ether1 list=WAN\n"                \
	"/ip address\n"                                                  \
	"add address=192.0.2.1/24 comment=defconf interface=bridge \\\n" \
	"    network=192.0.2.0\n"                                        \
	"/ip dhcp-client\n"                                              \
	"add comment=defconf interface=ether1\n"

#define FILTER                                                           \
	"/ip firewall filter\n"                                          \
	"add action=accept chain=input comment=\\\n"                     \
	"    \"defconf: accept established,related,untracked\" "         \
	"connection-state=\\\n"                                          \
	"    established,related,untracked\n"                            \
	"add action=drop chain=input comment=\"defconf: drop invalid\" " \
	"\\\n    connection-state=invalid\n"                             \
	"add action=accept chain=input protocol=icmp\n"                  \
	"add action=drop chain=input comment=\\\n"                       \
	"    \"defconf: drop all not coming from LAN\" "                 \
	"in-interface-list=!LAN\n"                                       \
	"add action=accept chain=forward ipsec-policy=in,ipsec\n"        \
	"add action=accept chain=forward ipsec-policy=out,ipsec\n"       \
	"add action=fasttrack-connection chain=forward \\\n"             \
	"    connection-state=established,related hw-offload=yes\n"      \
	"add action=accept chain=forward connection-state=\\\n"          \
	"    established,related,untracked\n"                            \
	"add action=drop chain=forward connection-state=invalid\n"       \
	"add action=drop chain=forward comment=\\\n"                     \
	"    \"defconf: drop all from WAN not DSTNATed\" "               \
	"connection-nat-state=!dstnat \\\n"                              \
	"    connection-state=new in-interface-list=WAN\n"               \
	"/ip firewall nat\n"                                             \
	"add action=masquerade chain=srcnat ipsec-policy=out,none \\\n"  \
	"    out-interface-list=WAN\n"

#define FILTER6                                                             \
	"/ipv6 firewall address-list\n"                                     \
	"add address=::1/128 list=bad_ipv6\n"                               \
	"add address=fec0::/10 list=bad_ipv6\n"                             \
	"add address=::ffff:0.0.0.0/96 list=bad_ipv6\n"                     \
	"add address=::/96 list=bad_ipv6\n"                                 \
	"add address=2001:db8::/32 list=bad_ipv6\n"                         \
	"/ipv6 firewall filter\n"                                           \
	"add action=accept chain=input protocol=ipsec-ah\n"                 \
	"add action=drop chain=input in-interface-list=!LAN\n"              \
	"add action=accept chain=forward connection-state=\\\n"             \
	"    established,related,untracked\n"                               \
	"add action=drop chain=forward connection-state=invalid\n"          \
	"add action=drop chain=forward src-address-list=bad_ipv6\n"         \
	"add action=drop chain=forward dst-address-list=bad_ipv6\n"         \
	"add action=drop chain=forward hop-limit=equal:1 protocol=icmpv6\n" \
	"add action=accept chain=forward protocol=icmpv6\n"                 \
	"add action=accept chain=forward protocol=139\n"                    \
	"add action=accept chain=forward protocol=ipsec-ah\n"               \
	"add action=accept chain=forward protocol=ipsec-esp\n"              \
	"add action=drop chain=forward in-interface-list=!LAN\n"

/* The one before interface lists. */
#define FACTORY_6_30                                                          \
	"# jan/02/1970 00:00:00 by RouterOS 6.30.4\n"                         \
	"/ip address\n"                                                       \
	"add address=192.0.2.1/24 comment=\"default configuration\" \\\n"     \
	"    interface=bridge-local network=192.0.2.0\n"                      \
	"/ip firewall filter\n"                                               \
	"add chain=input comment=\"default configuration\" protocol=icmp\n"   \
	"add chain=input connection-state=established,related\n"              \
	"add action=drop chain=input in-interface=ether1-gateway\n"           \
	"add action=fasttrack-connection chain=forward connection-state=\\\n" \
	"    established,related\n"                                           \
	"add chain=forward connection-state=established,related\n"            \
	"add action=drop chain=forward connection-state=invalid\n"            \
	"add action=drop chain=forward connection-nat-state=!dstnat \\\n"     \
	"    connection-state=new in-interface=ether1-gateway\n"              \
	"/ip firewall nat\n"                                                  \
	"add action=masquerade chain=srcnat out-interface=ether1-gateway\n"

struct home {
	struct read r;
	struct fw_flow flows[2];
	struct fw_question q;
};

/* A flow to an address and one to a name. */
static void open_home(struct home *h, const char *text)
{
	struct fw_ip lo, hi;

	memset(h, 0, sizeof(*h));
	open_as(&h->r, "routeros", slice_str(text));
	for (size_t i = 0; i < ARRAY_LEN(h->flows); i++) {
		h->flows[i] = (struct fw_flow){.id = i ? "name" : "sip",
		                               .title = "SIP",
		                               .is_sip = true,
		                               .min_udp_idle_s = 300,
		                               .min_tcp_idle_s = -1};
		assert_non_null(fw_services_add(
			&h->r.arena, &h->flows[i].services, 17, 5060, 5060));
		assert_non_null(fw_services_add(
			&h->r.arena, &h->flows[i].services, 6, 5060, 5060));
	}
	assert_int_equal(fw_ip_parse(&lo, &hi, slice_str("198.51.100.1")), 0);
	assert_non_null(
		fw_addrs_add_range(&h->r.arena, &h->flows[0].dst, lo, hi));
	assert_non_null(fw_addrs_add_name(&h->r.arena, &h->flows[1].dst,
	                                  FW_ADDR_NAME, "sip.example.net"));
	h->q = (struct fw_question){.flows = h->flows,
	                            .n_flows = ARRAY_LEN(h->flows)};
	h->q.place.out = fw_guess_wan(&h->r.rules);
	if (h->q.place.out)
		h->q.place.in = fw_guess_lan(&h->r.rules, h->q.place.out);
}

static void test_factory_lets_calls_pass(void **state)
{
	static const struct {
		const char *why, *text, *in, *out;
	} rows[] = {
		{"7",
	         "# 2024-05-02 10:00:00 by RouterOS 7.14.2\n" ADDRESSES FILTER
	                 FILTER6,
	         "bridge", "ether1"},
		{"7 with IPv6",
	         ADDRESSES FILTER FILTER6
	         "/ipv6 address\nadd address=2001:db8:1::1/64 "
	         "interface=bridge\n",
	         "bridge", "ether1"},
		{"6",
	         "# jun/02/2023 19:59:47 by RouterOS 6.48.6\n" ADDRESSES FILTER,
	         "bridge", "ether1"},
		{"6.30", FACTORY_6_30, NULL, "ether1-gateway"},
		{"two ways out",
	         ADDRESSES "/interface list member\n"
	                   "add interface=pppoe-out1 list=WAN\n" FILTER,
	         "bridge", "WAN"},
		{"two ways out, one of which is translated too",
	         ADDRESSES "/interface list member\n"
	                   "add interface=pppoe-out1 list=WAN\n" FILTER
	                   "add action=masquerade chain=srcnat "
	                   "out-interface=pppoe-out1\n",
	         "bridge", "pppoe-out1"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fw_patch_out out;
		struct fw_answer *an;
		struct home h;
		size_t left;

		open_home(&h, rows[i].text);
		assert_int_equal(h.r.err, 0);
		assert_int_equal(h.r.dg.n_items, 0);
		assert_string_equal(h.q.place.out ? h.q.place.out : "-",
		                    rows[i].out);
		assert_string_equal(h.q.place.in ? h.q.place.in : "-",
		                    rows[i].in ? rows[i].in : "-");
		assert_int_equal(
			fw_answer_all(&an, &h.r.arena, &h.r.rules, &h.q), 0);
		for (size_t k = 0; k < h.q.n_flows; k++) {
			if (an[k].verdict != FW_PASS || an[k].alg != FW_ON ||
			    an[k].udp_idle_s != 180)
				fail_msg("%s: %s", rows[i].why, h.flows[k].id);
		}
		/* What is asked for beside rules, and no rule. */
		fw_patch_init(&out);
		assert_int_equal(fw_patch_make(&out, &left, &h.r.rules, &h.q),
		                 0);
		assert_int_equal(left, 0);
		wr_u8(&out.commands, 0);
		assert_string_equal(out.commands.p,
		                    "/ip firewall service-port\n"
		                    "set sip disabled=yes\n"
		                    "/ip firewall connection tracking\n"
		                    "set udp-stream-timeout=300s\n");
		fw_patch_fini(&out);
		done(&h.r);
	}
}

static unsigned count(struct slice text, const char *what)
{
	const struct slice s = slice_str(what);
	unsigned n = 0;
	size_t at;

	for (; (at = slice_find(text, s)) != SIZE_MAX; n++)
		text = slice_sub(text, at + s.n, SIZE_MAX);
	return n;
}

/* What is blocked in both families gets one rule in each. */
static void test_patch_says_nothing_twice(void **state)
{
	struct fw_patch_out out;
	struct home h;
	size_t left;

	UNUSED(state);
	open_home(&h, ADDRESSES FILTER FILTER6
	          "/ipv6 address\nadd address=2001:db8:1::1/64 "
	          "interface=bridge\n"
	          "/ip firewall filter\n"
	          "add action=drop chain=forward protocol=udp\n"
	          "/ipv6 firewall filter\n"
	          "add action=drop chain=forward protocol=udp\n"
	          "move [find protocol=udp] [find action=accept "
	          "protocol=icmpv6 chain=forward]\n");
	fw_patch_init(&out);
	assert_int_equal(fw_patch_make(&out, &left, &h.r.rules, &h.q), 0);
	assert_int_equal(left, 0);
	assert_int_equal(count(wr_slice(&out.commands), "=sip.example.net\n"),
	                 2);
	assert_int_equal(count(wr_slice(&out.commands), "action=accept"), 6);
	fw_patch_fini(&out);
	done(&h.r);
}

#define BOX                                           \
	"/interface bridge\nadd name=bridge\n"        \
	"/ip address\n"                               \
	"add address=192.0.2.1/24 interface=bridge\n" \
	"/ip firewall nat\n"                          \
	"add action=masquerade chain=srcnat out-interface=ether1\n"

/* What acts beside the rules of the filter. */
static void test_what_else_is_in_the_way(void **state)
{
	static const struct {
		const char *why, *text;
		enum fw_verdict out, back;
	} rows[] = {
		{"nothing", BOX, FW_PASS, FW_PASS},
		{"a hotspot", BOX "/ip hotspot\nadd interface=bridge name=h\n",
	         FW_DONT_KNOW, FW_PASS},
		{"one that is off",
	         BOX "/ip hotspot\nadd disabled=yes interface=bridge name=h\n",
	         FW_PASS, FW_PASS},
		{"a bridge's filter",
	         BOX "/interface bridge filter\nadd action=drop chain=input "
	             "dst-port=5060 ip-protocol=udp mac-protocol=ip\n",
	         FW_FAIL, FW_PASS},
		{"its way out",
	         BOX "/interface bridge filter\nadd action=drop chain=output "
	             "ip-protocol=udp mac-protocol=ip src-port=5060\n",
	         FW_PASS, FW_FAIL},
		{"of a port of it",
	         BOX "/interface bridge filter\nadd action=drop chain=input "
	             "in-interface=ether2\n",
	         FW_DONT_KNOW, FW_PASS},
		{"for groups, other kinds of frames, and other bridges",
	         BOX "/interface bridge filter\nadd action=drop chain=input "
	             "dst-mac-address=01:80:C2:00:00:00/FF:FF:FF:FF:FF:FF\n"
	             "add action=drop chain=input mac-protocol=ipv6\n"
	             "add action=drop chain=input mac-protocol=!ip\n"
	             "add action=drop chain=input mac-protocol=arp\n"
	             "add action=drop chain=input in-bridge=other\n"
	             "add action=drop chain=forward in-interface=ether2\n",
	         FW_PASS, FW_PASS},
		{"raw",
	         BOX "/ip firewall raw\nadd action=drop chain=prerouting "
	             "dst-address=198.51.100.0/24\n",
	         FW_FAIL, FW_FAIL},
		{"a kind of interfaces",
	         BOX "/ip firewall filter\nadd action=drop chain=forward "
	             "in-interface=all-vlan\n",
	         FW_DONT_KNOW, FW_DONT_KNOW},
		{"a kind of addresses that is not the provider's",
	         BOX "/ip firewall filter\nadd action=drop chain=forward "
	             "dst-address-type=local\nadd action=drop chain=forward "
	             "dst-address-type=!unicast\n/ip firewall nat\n"
	             "add action=redirect chain=dstnat dst-port=5060 "
	             "dst-address-type=local protocol=udp\n",
	         FW_PASS, FW_PASS},
		{"one that is",
	         BOX "/ip firewall filter\nadd action=drop chain=forward "
	             "dst-address-type=!local\n",
	         FW_FAIL, FW_FAIL},
		{"flags that no connection has",
	         BOX
	         "/ip firewall raw\nadd action=drop chain=prerouting "
	         "protocol=tcp tcp-flags=!fin,!syn,!rst,!ack\n"
	         "add action=drop chain=prerouting protocol=tcp "
	         "tcp-flags=syn,rst\n"
	         "add action=drop chain=prerouting protocol=tcp tcp-flags=fin,urg\n"
	         "add action=drop chain=prerouting port=0 protocol=udp\n"
	         "add action=drop chain=prerouting protocol=udp src-port=0\n/ip firewall filter\n"
	         "add action=drop chain=forward connection-state=new "
	         "protocol=tcp tcp-flags=!syn\n",
	         FW_PASS, FW_PASS},
		{"flags that every connection begins with",
	         BOX "/ip firewall filter\nadd action=drop chain=forward "
	             "protocol=tcp tcp-flags=syn,!ack\n",
	         FW_DONT_KNOW, FW_DONT_KNOW},
		{"a list that is made of another",
	         BOX "/interface list\nadd name=IN\nadd include=IN name=ALL\n"
	             "/interface list member\nadd interface=ether7 list=ALL\n"
	             "/ip firewall filter\nadd action=drop chain=forward "
	             "in-interface-list=ALL\n",
	         FW_DONT_KNOW, FW_DONT_KNOW},
		{"a member that is none",
	         BOX "/interface list member\nadd list=OUT\n"
	             "add interface=ether7 list=OUT\n"
	             "/ip firewall filter\nadd action=drop chain=forward "
	             "in-interface-list=OUT\n",
	         FW_PASS, FW_PASS},
		{"what looks into packets",
	         BOX "/ip firewall filter\nadd action=drop chain=forward "
	             "layer7-protocol=voip\n",
	         FW_DONT_KNOW, FW_DONT_KNOW},
		{"service ports by number, which are no rules",
	         BOX
	         "/ip firewall filter\nadd action=drop chain=forward "
	         "dst-port=25 in-interface=bridge protocol=tcp\n/ip firewall service-port\n"
	         "set 5 disabled=yes\n",
	         FW_PASS, FW_PASS},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fw_answer *an;
		struct home h;

		open_home(&h, rows[i].text);
		h.q.place.in = "bridge";
		assert_int_equal(
			fw_answer_all(&an, &h.r.arena, &h.r.rules, &h.q), 0);
		if (an->out.verdict != rows[i].out ||
		    an->back.verdict != rows[i].back)
			fail_msg("%s: %d, %d", rows[i].why,
			         (int)an->out.verdict, (int)an->back.verdict);
		done(&h.r);
	}
}

#define OFF "/ip firewall connection tracking\nset enabled=no\n"

static void test_tracking_is_what_rules_stand_on(void **state)
{
	static const struct {
		const char *why, *text;
		enum fw_verdict verdict;
		enum fw_tri alg;
		int64_t idle_s;
	} rows[] = {
		{"a router without rules", OFF, FW_PASS, FW_OFF, FW_IDLE_UNSET},
		{"on after all", OFF "set enabled=yes udp-stream-timeout=5m\n",
	         FW_PASS, FW_ON, 300},
		{"by itself",
	         "/ip firewall connection tracking\n"
	         "set enabled=auto\n",
	         FW_PASS, FW_ON, 180},
		{"nobody translates", BOX OFF, FW_DONT_KNOW, FW_OFF,
	         FW_IDLE_UNSET},
		{"nobody knows what is established",
	         OFF "/ip firewall filter\nadd chain=forward "
	             "connection-state=established,related\n"
	             "add action=drop chain=forward in-interface=ether1\n",
	         FW_FAIL, FW_OFF, FW_IDLE_UNSET},
		{"nor what is not",
	         OFF "/ip firewall filter\nadd action=drop chain=forward "
	             "connection-state=invalid\n",
	         FW_DONT_KNOW, FW_OFF, FW_IDLE_UNSET},
		{"nor what is new",
	         OFF "/ip firewall filter\nadd action=drop chain=forward "
	             "connection-state=new in-interface=ether1\n",
	         FW_PASS, FW_OFF, FW_IDLE_UNSET},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fw_answer *an;
		struct home h;

		open_home(&h, rows[i].text);
		h.q.place.in = "bridge";
		h.q.place.out = "ether1";
		assert_int_equal(
			fw_answer_all(&an, &h.r.arena, &h.r.rules, &h.q), 0);
		if (an->verdict != rows[i].verdict || an->alg != rows[i].alg ||
		    an->udp_idle_s != rows[i].idle_s)
			fail_msg("%s: %d, %d", rows[i].why, (int)an->verdict,
			         (int)an->alg);
		done(&h.r);
	}
}

/* ---- what is undone is as it was ---- */

/* The first rule that the two do not share, or NULL. */
static const char *difference(const struct fw_rules *a,
                              const struct fw_rules *b)
{
	for (const struct fw_chain *c = a->chains; c; c = c->next) {
		const struct fw_chain *d = fw_chain_find(b, c->table, c->name);
		const struct fw_rule *r = c->first, *s = d ? d->first : NULL;

		for (; r && s; r = r->next, s = s->next) {
			if (!slice_eq(r->raw, s->raw) ||
			    r->is_disabled != s->is_disabled ||
			    !r->conditional != !s->conditional ||
			    r->states != s->states)
				return r->id;
		}
		if (r || s)
			return (r ? r : s)->id;
	}
	return NULL;
}

static void put_box(struct wr *w, uint32_t *seed, const char *version)
{
	static const char *const lines[] = {
		"/ip firewall filter\nadd action=drop chain=forward "
		"protocol=udp\n",
		"/ip firewall filter\nadd chain=forward connection-state=\\\n"
		"    established,related\n",
		"/ip firewall filter add chain=voip action=drop dst-port=5060 "
		"protocol=udp\n/ip firewall filter add chain=forward "
		"action=jump jump-target=voip\n",
		"/ip firewall filter\nadd action=reject chain=forward "
		"in-interface-list=LAN disabled=yes\n",
		"/ip firewall filter\nadd action=drop chain=forward "
		"in-interface-list=LAN\n",
		"/ip firewall filter\nadd action=drop chain=forward "
		"time=8h-18h,mon dst-port=5060 protocol=udp\n",
		"/ipv6 firewall filter\nadd action=drop chain=forward "
		"comment=\"a \\\"b\\\" \\\n    c\"\n",
		"/ip firewall address-list\nadd address=198.51.100.1 "
		"list=\"bad ones\"\n/ip firewall filter\nadd action=drop "
		"chain=forward dst-address-list=\"bad ones\"\n",
		"/ip firewall filter\nadd chain=forward "
		"dst-address=!198.51.100.1 log=yes log-prefix=\"x \"\n",
		"/ip firewall filter\nadd action=fasttrack-connection "
		"chain=forward connection-state=established,related\n",
		"/ip firewall connection tracking\n"
		"set udp-stream-timeout=1m30s\n",
	};

	wr_fmt(w, "# 2024-01-02 10:00:00 by RouterOS %s\n" ADDRESSES, version);
	for (unsigned n = 0; n < 6; n++) {
		*seed = *seed * 1664525 + 1013904223;
		wr_str(w, lines[(*seed >> 16) % ARRAY_LEN(lines)]);
	}
	wr_u8(w, 0);
}

/* The lines that a text says to undo it with. */
static void put_said_undo(struct wr *w, struct slice text)
{
	struct rd rd = rd_init(text);
	const struct slice mark = slice_str("#     /");
	struct slice line;
	bool is_undo = false;

	wr_u8(w, '\n');
	while (rd_line(&rd, &line)) {
		is_undo |= slice_eq_str(line, "# Undo:");
		if (!is_undo || slice_find(line, mark) != 0)
			continue;
		wr_put(w, slice_sub(line, mark.n - 1, SIZE_MAX));
		wr_u8(w, '\n');
	}
	wr_u8(w, 0);
}

static void check_same(const struct fw_rules *was, const char *text,
                       const char *what)
{
	const char *id;
	struct read r;

	open_as(&r, "routeros", slice_str(text));
	assert_int_equal(r.err, 0);
	id = difference(was, &r.rules);
	if (id || r.rules.defaults.alg != was->defaults.alg ||
	    r.rules.defaults.udp_idle_s != was->defaults.udp_idle_s)
		fail_msg("%s: %s in\n%s", what, id ? id : "the box", text);
	done(&r);
}

static void check_patch(struct home *h)
{
	struct fw_patch_out out;
	size_t left;
	int err;

	fw_patch_init(&out);
	err = fw_patch_make(&out, &left, &h->r.rules, &h->q);
	assert_int_equal(err, 0);
	assert_int_equal(left, 0);
	wr_put(&out.patched, wr_slice(&out.undo));
	wr_u8(&out.patched, 0);
	check_same(&h->r.rules, (char *)out.patched.p, "patch");
	fw_patch_fini(&out);
}

static void check_rules(struct home *h)
{
	struct wr w = wr_init_heap(), all = wr_init_heap();
	struct fw_rules made;
	struct diag dg;

	fw_rules_init(&made);
	diag_init(&dg, &h->r.arena, NULL, (struct slice){NULL, 0});
	assert_int_equal(fw_rules_from_flows(&made, h->flows, 2, &h->q.place),
	                 0);
	assert_int_equal(fw_emit(&w, fw_dialect_find("routeros"), &made, &dg),
	                 0);
	wr_put(&all, h->r.rules.text);
	wr_put(&all, wr_slice(&w));
	put_said_undo(&all, wr_slice(&w));
	check_same(&h->r.rules, (char *)all.p, "rules");
	fw_rules_fini(&made);
	wr_fini(&all);
	wr_fini(&w);
}

static void test_undo_leaves_what_was(void **state)
{
	static const char *const versions[] = {"6.49.10", "7.14.2"};
	uint32_t seed = 1;

	UNUSED(state);
	for (unsigned i = 0; i < 80; i++) {
		struct wr w = wr_init_heap();
		struct home h;

		put_box(&w, &seed, versions[i % ARRAY_LEN(versions)]);
		open_home(&h, (char *)w.p);
		assert_int_equal(h.r.err, 0);
		h.q.place = (struct fw_place){.in = "bridge", .out = "ether1"};
		check_patch(&h);
		/* Rules say that they take back the factory's time. */
		if (h.r.rules.defaults.udp_idle_s == 180)
			check_rules(&h);
		done(&h.r);
		wr_fini(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_factory_lets_calls_pass),
		cmocka_unit_test(test_patch_says_nothing_twice),
		cmocka_unit_test(test_what_else_is_in_the_way),
		cmocka_unit_test(test_tracking_is_what_rules_stand_on),
		cmocka_unit_test(test_undo_leaves_what_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
