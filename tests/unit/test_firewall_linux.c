/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firewall/audit.h"
#include "firewall/linux.h"

/* One flow: 192.0.2.2 at lan calls 198.51.100.2:5060/udp at wan. */
struct expect {
	const char *why;
	const char *text;
	int64_t udp_idle_s;
	enum fw_verdict out, back;
	enum fw_tri alg;
	bool is_output, has_errors;
};

#define NFT(more) "table ip fw {\n" more "}\n"
#define NFT_CHAIN(name, kind, hook, priority, more)                        \
	"chain " name " {\ntype " kind " hook " hook " priority " priority \
	"; policy accept;\n" more "}\n"
#define NFT_EARLY(more)   NFT_CHAIN("pre", "filter", "prerouting", "-150", more)
#define NFT_FORWARD(more) NFT_CHAIN("fwd", "filter", "forward", "0", more)

static const struct expect cases[] = {
	{.why = "iptables-nft's CT may give a helper",
         .text = "table ip fw {\n chain pre {\n"
                 "  type filter hook prerouting priority -300; policy accept;\n"
                 "  udp dport 5060 xt target CT\n }\n}\n",
         .out = FW_DONT_KNOW,
         .back = FW_DONT_KNOW,
         .alg = FW_UNKNOWN,
         .udp_idle_s = FW_IDLE_UNKNOWN},
	{.why = "its refusal is one",
         .text = NFT(NFT_EARLY("xt target \"REJECT\"\n")),
         .out = FW_FAIL,
         .back = FW_FAIL},
	{.why = "its queue decides elsewhere",
         .text = NFT(NFT_EARLY("xt target NFQUEUE\n")),
         .out = FW_DONT_KNOW,
         .back = FW_DONT_KNOW},
	{.why = "what it only marks goes on",
         .text = NFT(NFT_EARLY("xt match comment xt target TCPMSS\n"))},
	{.why = "a match that is not shown",
         .text = NFT(NFT_EARLY("xt match string drop\n")),
         .out = FW_DONT_KNOW,
         .back = FW_DONT_KNOW},
	{.why = "a value of several words ends where it ends",
         .text = NFT(
		 NFT_EARLY("ct mark set meta mark & 0x000000ff | 0x1 drop\n")),
         .out = FW_FAIL,
         .back = FW_FAIL},
	{.why = "a value may be missing",
         .text = NFT(NFT_EARLY("meta mark set ct mark drop\n")),
         .out = FW_DONT_KNOW,
         .back = FW_DONT_KNOW},
	{.why = "flags of a log in two words",
         .text = NFT(NFT_EARLY("log flags tcp sequence,options drop\n")),
         .out = FW_FAIL,
         .back = FW_FAIL},
	{.why = "nothing is forwarded here",
         .text = "table ip fw {\n chain forward {\n"
                 "  type filter hook forward priority 0; policy drop;\n"
                 "  ct status dnat accept\n }\n}\n",
         .out = FW_FAIL,
         .back = FW_FAIL},
	{.why = "something is forwarded, perhaps this",
         .text = "table ip fw {\n chain nat {\n"
                 "  type nat hook prerouting priority -100; policy accept;\n"
                 "  meta mark 7 dnat to 192.0.2.7\n }\n chain forward {\n"
                 "  type filter hook forward priority 0; policy drop;\n"
                 "  ct status dnat accept\n }\n}\n",
         .out = FW_DONT_KNOW,
         .back = FW_DONT_KNOW},
	{.why = "addresses of IPv4 in IPv6, as firewalld refuses them",
         .text = "table inet fw {\n" NFT_FORWARD(
		 "  ip6 daddr { ::/96, ::ffff:0.0.0.0/96 } drop\n"
		 "  ip6 daddr != ::ffff:192.0.2.0/120 ip6 saddr "
		 "::ffff:192.0.2.0/120 drop\n") "}\n"},
	{.why = "a mark of IPv4 takes IPv4 alone",
         .text = "table inet fw {\n" NFT_FORWARD(
		 "ip6 dscp set ef drop\nip dscp set ef accept\ndrop\n") "}\n"},
	{.why = "the order of chains far from zero",
         .text = "table ip fw {\n"
                 " ct timeout t {\n  protocol udp\n"
                 "  policy = { replied : 600 }\n }\n"
                 " ct timeout u {\n  protocol udp\n"
                 "  policy = { replied : 700 }\n }\n chain late {\n"
                 "  type filter hook prerouting priority 1000000; policy "
                 "accept;\n  udp dport 5060 ct timeout set \"t\"\n }\n"
                 " chain early {\n"
                 "  type filter hook prerouting priority 500000; policy "
                 "accept;\n  udp dport 5060 ct timeout set \"u\"\n }\n}\n",
         .udp_idle_s = 600},
	{.why = "notrack before conntrack: the answer is new, and dropped",
         .text = "table ip fw {\n chain raw {\n"
                 "  type filter hook prerouting priority -300; policy accept;\n"
                 "  udp dport 5060 notrack\n }\n chain forward {\n"
                 "  type filter hook forward priority 0; policy drop;\n"
                 "  ct state established accept\n"
                 "  iifname \"lan\" accept\n }\n}\n",
         .back = FW_FAIL},
	{.why = "an answer without a state is not translated back",
         .text = "*raw\n:PREROUTING ACCEPT [0:0]\n"
                 "-A PREROUTING -p udp --sport 5060 -j CT --notrack\nCOMMIT\n"
                 "*nat\n:POSTROUTING ACCEPT [0:0]\n"
                 "-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n",
         .back = FW_DONT_KNOW},
	{.why = "a map of a key that is not known: any of its verdicts",
         .text = NFT("chain one {\n drop\n}\n" NFT_FORWARD(
		 "meta mark vmap { 0 : jump one, 1 : continue }\n")),
         .out = FW_DONT_KNOW,
         .back = FW_DONT_KNOW},
	{.why = "and one of verdicts that are alike",
         .text = NFT(NFT_FORWARD("ip dscp vmap { cs0 : accept }\n"))},
	{.why = "what is written into TCP leaves UDP alone",
         .text = NFT(NFT_FORWARD("tcp sequence set 0 drop\n"
                                 "udp checksum set 0 accept\n drop\n"))},
	{.why = "what is expected drops, when too much is",
         .text = NFT(NFT_FORWARD("ct expectation set \"e\"\n")),
         .out = FW_DONT_KNOW,
         .back = FW_DONT_KNOW},
	{.why = "a time of TCP is not set, and the rule goes on",
         .text = NFT("ct timeout t {\n protocol tcp\n }\n" NFT_FORWARD(
		 "ip daddr 198.51.100.2 ct timeout set \"t\" drop\n")),
         .out = FW_FAIL},
	{.why = "several states in one value: no packet has them",
         .text = NFT(NFT_FORWARD("ct state != established,related drop\n")),
         .out = FW_FAIL,
         .back = FW_FAIL},
	{.why = "an answer in another zone",
         .text = NFT(NFT_CHAIN("raw", "filter", "prerouting", "-300",
                               "iifname \"lan\" ct zone set 7\n")
                             NFT_FORWARD("ct state invalid drop\n")),
         .out = FW_DONT_KNOW},
	{.why = "two times in a rule, each for its own protocol",
         .text = NFT("ct timeout t {\n protocol udp\n"
                     "policy = { replied : 600 }\n }\n"
                     "ct timeout u {\n protocol tcp\n }\n" NFT_FORWARD(
			     "ct timeout set \"t\" ct timeout set \"u\"\n")),
         .udp_idle_s = 600},
	{.why = "what passes at all passes with one of two times",
         .text = NFT("ct timeout t {\n protocol udp\n"
                     "policy = { replied : 60 }\n }\n" NFT_FORWARD(
			     "meta mark 1 accept\n"
			     "meta mark 2 ct timeout set \"t\" accept\n"
			     "drop\n")),
         .out = FW_DONT_KNOW,
         .back = FW_DONT_KNOW,
         .udp_idle_s = FW_IDLE_UNKNOWN},
	{.why = "notrack after conntrack does nothing",
         .text = "table ip fw {\n chain late {\n"
                 "  type filter hook prerouting priority -150; policy accept;\n"
                 "  udp dport 5060 notrack\n }\n chain forward {\n"
                 "  type filter hook forward priority 0; policy drop;\n"
                 "  ct state established accept\n"
                 "  iifname \"lan\" ct state new accept\n }\n}\n"},
	{.why = "perhaps notrack: nobody knows the state then",
         .text = "table ip fw {\n chain raw {\n"
                 "  type filter hook prerouting priority -300; policy accept;\n"
                 "  meta mark 7 notrack\n }\n chain forward {\n"
                 "  type filter hook forward priority 0; policy drop;\n"
                 "  ct state new,established accept\n }\n}\n",
         .out = FW_DONT_KNOW,
         .back = FW_DONT_KNOW},
	{.why = "a time set before there is a connection is not set",
         .text = "table ip fw {\n ct timeout t {\n  protocol udp\n"
                 "  policy = { replied : 600 }\n }\n chain raw {\n"
                 "  type filter hook prerouting priority -300; policy accept;\n"
                 "  udp dport 5060 ct timeout set \"t\"\n }\n}\n"},
	{.why = "a policy in newer words",
         .text = "table ip fw {\n ct timeout t {\n  protocol udp\n"
                 "  policy = { unreplied : 30s, replied : 5m1s }\n }\n"
                 " chain pre {\n"
                 "  type filter hook prerouting priority 0; policy accept;\n"
                 "  udp dport 5060 ct timeout set \"t\"\n }\n}\n",
         .udp_idle_s = 301},
	{.why = "a policy in words of tomorrow",
         .text = "table ip fw {\n ct timeout t {\n  protocol udp\n"
                 "  policy = { replied : 1 fortnight }\n }\n chain pre {\n"
                 "  type filter hook prerouting priority 0; policy accept;\n"
                 "  udp dport 5060 ct timeout set \"t\"\n }\n}\n",
         .udp_idle_s = 1},
	{.why = "a policy of no number",
         .text = "table ip fw {\n ct timeout t {\n  protocol udp\n"
                 "  policy = { replied : 5w }\n }\n chain pre {\n"
                 "  type filter hook prerouting priority 0; policy accept;\n"
                 "  udp dport 5060 ct timeout set \"t\"\n }\n}\n",
         .udp_idle_s = FW_IDLE_UNKNOWN},
	{.why = "a timeout that nobody defined",
         .text = "table ip fw {\n chain pre {\n"
                 "  type filter hook prerouting priority 0; policy accept;\n"
                 "  udp dport 5060 ct timeout set \"t\"\n }\n}\n",
         .udp_idle_s = FW_IDLE_UNKNOWN},
	{.why = "a policy that leaves the answered time out sets nft's own",
         .text = "table ip fw {\n ct timeout t {\n  protocol udp\n"
                 "  policy = { replied : 600 }\n }\n"
                 " ct timeout u {\n  protocol udp\n"
                 "  policy = { unreplied : 9 }\n }\n chain pre {\n"
                 "  type filter hook prerouting priority 0; policy accept;\n"
                 "  udp dport 5060 ct timeout set \"t\"\n"
                 "  udp dport 5060 ct timeout set \"u\"\n }\n}\n",
         .udp_idle_s = 120},
	{.why = "of two chains at one place the last runs first",
         .text = "table ip fw {\n ct timeout t {\n  protocol udp\n"
                 "  policy = { replied : 600 }\n }\n"
                 " ct timeout u {\n  protocol udp\n"
                 "  policy = { replied : 9 }\n }\n chain a {\n"
                 "  type filter hook prerouting priority 0; policy accept;\n"
                 "  ct timeout set \"t\"\n }\n chain b {\n"
                 "  type filter hook prerouting priority 0; policy accept;\n"
                 "  ct timeout set \"u\"\n }\n}\n",
         .udp_idle_s = 600},
	{.why = "a helper of the other family",
         .text = "table inet fw {\n ct helper h {\n"
                 "  type \"sip\" protocol udp\n  l3proto ip6\n }\n"
                 " chain pre {\n"
                 "  type filter hook prerouting priority 0; policy accept;\n"
                 "  udp dport 5060 ct helper set \"h\"\n }\n}\n"},
	{.why = "a helper of another kind came first, and stays",
         .text = "table inet fw {\n ct helper h {\n"
                 "  type \"sip\" protocol udp\n }\n ct helper g {\n"
                 "  type \"tftp\" protocol udp\n }\n chain pre {\n"
                 "  type filter hook prerouting priority 0; policy accept;\n"
                 "  ct helper set \"g\"\n"
                 "  udp dport 5060 ct helper set \"h\"\n }\n}\n"},
	{.why = "an unknown flow does not know its helper either",
         .text = "table inet fw {\n ct helper h {\n"
                 "  type \"sip\" protocol udp\n }\n chain nat {\n"
                 "  type nat hook prerouting priority -100; policy accept;\n"
                 "  dnat ip to 198.51.100.9\n }\n chain forward {\n"
                 "  type filter hook forward priority 0; policy accept;\n"
                 "  ct helper set \"h\"\n }\n}\n",
         .out = FW_DONT_KNOW,
         .alg = FW_UNKNOWN},
	{.why = "a chain behind masquerade sees another source",
         .text = "table ip fw {\n chain nat {\n"
                 "  type nat hook postrouting priority 0; policy accept;\n"
                 "  masquerade\n }\n chain late {\n"
                 "  type filter hook postrouting priority 150; policy "
                 "accept;\n"
                 "  ip saddr 203.0.113.0/24 drop\n }\n}\n",
         .out = FW_DONT_KNOW},
	{.why = "a redirect of other ports",
         .text = "table ip fw {\n chain nat {\n"
                 "  type nat hook prerouting priority -100; policy accept;\n"
                 "  tcp dport 5060 redirect to :9\n"
                 "  udp dport 5061-65535 redirect to :9\n"
                 "  ip daddr != 198.51.100.2 dnat to 203.0.113.9\n }\n}\n"},
	{.why = "a translation of other addresses",
         .text = "*nat\n:PREROUTING ACCEPT [0:0]\n"
                 "-A PREROUTING -d 203.0.113.0/24 -p udp -j DNAT "
                 "--to-destination 10.0.0.9\n"
                 "-A PREROUTING -p udp --dport 53 -j REDIRECT "
                 "--to-ports 53\nCOMMIT\n"},
	{.why = "of a text for both families, the lines of the other",
         .text = "*filter\n:FORWARD DROP [0:0]\n"
                 "-A FORWARD -6 -j ACCEPT\n"
                 "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
                 "COMMIT\n",
         .out = FW_FAIL},
	{.why = "of a text for both families, its own lines",
         .text = "*filter\n:FORWARD DROP [0:0]\n"
                 "-A FORWARD --ipv6 -j DROP\n"
                 "-A FORWARD --ipv4 -j ACCEPT\n"
                 "COMMIT\n"},
	{.why = "a match for what was translated translates nothing",
         .text = "table ip fw {\n chain pre {\n"
                 "  type filter hook prerouting priority -150; policy accept;\n"
                 "  ct status snat accept\n }\n chain nat {\n"
                 "  type nat hook prerouting priority -100; policy accept;\n"
                 "  redirect to :9\n }\n}\n",
         .out = FW_DONT_KNOW},
	{.why = "a chain before masquerade sees the source",
         .text = "table ip fw {\n chain nat {\n"
                 "  type nat hook postrouting priority 0; policy accept;\n"
                 "  masquerade\n }\n chain late {\n"
                 "  type filter hook postrouting priority 50; policy accept;\n"
                 "  ip saddr 203.0.113.0/24 drop\n }\n}\n"},
	{.why = "an answer to what was masqueraded comes to another address",
         .text = "table ip fw {\n chain nat {\n"
                 "  type nat hook postrouting priority 0; policy accept;\n"
                 "  masquerade\n }\n chain raw {\n"
                 "  type filter hook prerouting priority -300; policy "
                 "accept;\n"
                 "  iifname \"wan\" ip daddr 192.0.2.0/24 drop\n }\n}\n",
         .back = FW_DONT_KNOW},
	{.why = "answers to the host itself come by the input",
         .text = "*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n"
                 ":OUTPUT ACCEPT [0:0]\nCOMMIT\n",
         .back = FW_FAIL,
         .is_output = true},
	{.why = "answers to the host itself, let in",
         .text = "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n"
                 ":OUTPUT ACCEPT [0:0]\n"
                 "-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
                 "COMMIT\n",
         .is_output = true},
	{.why = "the kind of refusal is a match",
         .text = "table inet fw {\n chain forward {\n"
                 "  type filter hook forward priority 0; policy accept;\n"
                 "  udp dport 5060 reject with icmpv6 port-unreachable\n"
                 "  udp dport 5060 reject with tcp reset\n }\n}\n"},
	{.why = "a chain within a rule",
         .text = "table inet fw {\n chain forward {\n"
                 "  type filter hook forward priority 0; policy accept;\n"
                 "  jump {\n   ip saddr 192.0.2.9 accept\n"
                 "   ip daddr 198.51.100.2 drop\n  }\n }\n}\n",
         .out = FW_DONT_KNOW,
         .back = FW_DONT_KNOW},
	{.why = "a destination that is written over",
         .text = "table inet fw {\n chain pre {\n"
                 "  type filter hook prerouting priority -150; policy accept;\n"
                 "  udp dport 5060 ip daddr set 203.0.113.9\n }\n"
                 " chain forward {\n"
                 "  type filter hook forward priority 0; policy accept;\n"
                 " }\n}\n",
         .out = FW_DONT_KNOW,
         .back = FW_DONT_KNOW},
	{.why = "a chain at a device",
         .text = "table inet fw {\n chain in {\n"
                 "  type filter hook ingress device \"lan\" priority 0; "
                 "policy drop;\n }\n chain forward {\n"
                 "  type filter hook forward priority 0; policy accept;\n"
                 " }\n}\n",
         .out = FW_DONT_KNOW,
         .back = FW_DONT_KNOW},
	{.why = "a table that sleeps",
         .text = "table inet fw {\n flags dormant\n chain forward {\n"
                 "  type filter hook forward priority 0; policy drop;\n"
                 " }\n}\ntable inet up {\n chain forward {\n"
                 "  type filter hook forward priority 0; policy accept;\n"
                 " }\n}\n"},
	{.why = "flushed in the middle",
         .text = "table inet fw {\n chain forward {\n"
                 "  type filter hook forward priority 0; policy accept;\n"
                 " }\n}\nflush ruleset\n",
         .has_errors = true},
	{.why = "a jump into the void may drop",
         .text = "table inet fw {\n chain forward {\n"
                 "  type filter hook forward priority 0; policy accept;\n"
                 "  jump gone\n }\n}\n",
         .out = FW_DONT_KNOW,
         .back = FW_DONT_KNOW,
         .has_errors = true},
	{.why = "all other interfaces of a map",
         .text = "table inet fw {\n chain forward {\n"
                 "  type filter hook forward priority 0; policy drop;\n"
                 "  ct state established accept\n"
                 "  iifname vmap { * : drop, \"lan\" : accept }\n }\n}\n",
         .out = FW_DONT_KNOW},
	{.why = "synproxy takes packets",
         .text = "table inet fw {\n chain forward {\n"
                 "  type filter hook forward priority 0; policy accept;\n"
                 "  udp dport 5060 synproxy mss 1460\n }\n}\n",
         .out = FW_DONT_KNOW,
         .back = FW_DONT_KNOW},
	{.why = "a comment that looks like a target hides no match",
         .text = "*filter\n:FORWARD DROP [0:0]\n"
                 "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
                 "-A FORWARD -m comment --comment \"-j\" -m limit --limit "
                 "1/hour -j ACCEPT\nCOMMIT\n",
         .out = FW_DONT_KNOW},
	{.why = "a match behind the target",
         .text = "*filter\n:FORWARD DROP [0:0]\n"
                 "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
                 "-A FORWARD -j ACCEPT -m limit --limit 1/hour\nCOMMIT\n",
         .out = FW_DONT_KNOW},
	{.why = "a module that asks by itself",
         .text = "*filter\n:FORWARD DROP [0:0]\n"
                 "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
                 "-A FORWARD -m socket -j ACCEPT\nCOMMIT\n",
         .out = FW_DONT_KNOW},
	{.why = "quotes within a word",
         .text = "*filter\n:FORWARD DROP [0:0]\n"
                 "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
                 "-A FORWARD -m comment --comment a\" -j \"b -j ACCEPT\n"
                 "COMMIT\n",
         .out = FW_DONT_KNOW},
	{.why = "the first template is the only one",
         .text = "*raw\n:PREROUTING ACCEPT [0:0]\n"
                 "-A PREROUTING -p udp -j CT --helper tftp\n"
                 "-A PREROUTING -p udp -j CT --helper sip --timeout long\n"
                 "COMMIT\n"},
	{.why = "a template before notrack",
         .text = "*raw\n:PREROUTING ACCEPT [0:0]\n"
                 "-A PREROUTING -p udp -j CT --helper tftp\n"
                 "-A PREROUTING -p udp -j CT --notrack\nCOMMIT\n"
                 "*filter\n:FORWARD DROP [0:0]\n"
                 "-A FORWARD -m conntrack --ctstate NEW,ESTABLISHED -j "
                 "ACCEPT\nCOMMIT\n"},
	{.why = "perhaps a template: what follows perhaps is none",
         .text = "*raw\n:PREROUTING ACCEPT [0:0]\n"
                 "-A PREROUTING -m mark --mark 1 -j CT --helper tftp\n"
                 "-A PREROUTING -p udp -j CT --timeout long\nCOMMIT\n",
         .alg = FW_UNKNOWN,
         .udp_idle_s = FW_IDLE_UNKNOWN},
	{.why = "another zone of conntrack for what comes in there",
         .text = "*raw\n:PREROUTING ACCEPT [0:0]\n"
                 "-A PREROUTING -i lan -j CT --zone 7\nCOMMIT\n",
         .out = FW_DONT_KNOW},
	{.why = "no state, no helper",
         .text = "*raw\n:PREROUTING ACCEPT [0:0]\n"
                 "-A PREROUTING -p udp -j CT --notrack\n"
                 "-A PREROUTING -p udp -j CT --helper sip\nCOMMIT\n"},
};

static void judge(struct fw_answer *out, struct arena *a,
                  struct fw_rules *rules, const struct expect *e)
{
	struct fw_flow flow = {.id = "sip", .is_sip = true};
	struct fw_question q = {.flows = &flow, .n_flows = 1};
	struct fw_answer *answers;
	struct fw_ip lo, hi;

	q.place.path = e->is_output ? FW_PATH_OUTPUT : FW_PATH_FORWARD;
	q.place.in = e->is_output ? NULL : "lan";
	q.place.out = "wan";
	assert_int_equal(fw_ip_parse(&lo, &hi, slice_str("192.0.2.2")), 0);
	assert_non_null(fw_addrs_add_range(a, &q.place.src, lo, hi));
	assert_int_equal(fw_ip_parse(&lo, &hi, slice_str("198.51.100.2")), 0);
	assert_non_null(fw_addrs_add_range(a, &flow.dst, lo, hi));
	assert_non_null(
		fw_services_add(a, &flow.services, FW_PROTO_UDP, 5060, 5060));
	assert_int_equal(fw_answer_all(&answers, a, rules, &q), 0);
	*out = answers[0];
}

static void test_answers_are_those_of_the_kernel(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct expect *e = &cases[i];
		const struct slice text = slice_str(e->text);
		const struct fw_dialect *d = fw_dialect_recognise(text);
		const enum fw_tri alg = e->alg ? e->alg : FW_OFF;
		const int64_t idle_s = e->udp_idle_s ? e->udp_idle_s : 120;
		struct fw_answer an;
		struct fw_rules rules;
		struct arena a;
		struct diag dg;

		arena_init(&a);
		fw_rules_init(&rules);
		diag_init(&dg, &a, "fw", text);
		assert_non_null(d);
		if ((d->parse(&rules, text, &dg) != 0) != e->has_errors)
			fail_msg("%s: %s", e->why,
			         dg.first ? dg.first->message : "no error");
		judge(&an, &a, &rules, e);
		if (an.out.verdict != e->out || an.back.verdict != e->back)
			fail_msg("%s: out %d, back %d", e->why, an.out.verdict,
			         an.back.verdict);
		if (an.alg != alg || an.udp_idle_s != idle_s)
			fail_msg("%s: ALG %s, %lld s", e->why,
			         fw_tri_name(an.alg), (long long)an.udp_idle_s);
		fw_rules_fini(&rules);
		arena_fini(&a);
	}
}

static unsigned families_read(const char *text)
{
	struct fw_rules rules;
	struct arena a;
	struct diag dg;
	unsigned families;

	arena_init(&a);
	fw_rules_init(&rules);
	diag_init(&dg, &a, NULL, slice_str(text));
	assert_int_equal(fw_dialect_find("iptables")
	                         ->parse(&rules, slice_str(text), &dg),
	                 0);
	families = rules.families;
	fw_rules_fini(&rules);
	arena_fini(&a);
	return families;
}

static void test_a_text_says_whose_packets_it_has(void **state)
{
	static const char filter[] = "*filter\n:FORWARD DROP [0:0]\n";
	static const struct {
		const char *head, *rule;
		unsigned families;
	} rows[] = {
		{"", "-A FORWARD -j DROP\n", FW_IP4},
		{"# Generated by iptables-save v1.8.9 on\n", "", FW_IP4},
		{"# Generated by ip6tables-save v1.8.9 on\n", "", FW_IP6},
		{"# Generated by ip6tables-save v1.8.9 on\n",
	         "COMMIT\n# Generated by iptables-save v1.8.9 on\n*raw\n",
	         FW_IP4 | FW_IP6},
		{"", "-A FORWARD -6 -j DROP\n", FW_IP4 | FW_IP6},
		{"", "-A FORWARD --ipv4 -j DROP\n", FW_IP4 | FW_IP6},
		/* not an option of the rule, or too far to be one */
		{"", "-A FORWARD -p 6 -m tcp --sport 6 -j DROP\n", FW_IP4},
		{"# keep with ip6tables-save\n", "-A FORWARD -j DROP\n",
	         FW_IP4},
	};
	char text[256];

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		(void)snprintf(text, sizeof(text), "%s%s%sCOMMIT\n",
		               rows[i].head, filter, rows[i].rule);
		assert_int_equal(fw_linux_ipt_families(slice_str(text)),
		                 rows[i].families);
		assert_int_equal(families_read(text), rows[i].families);
	}
	assert_int_equal(fw_linux_ipt_families(slice_str("table ip fw {\n}\n")),
	                 0);
}

static void test_a_running_kernel_replaces_defaults(void **state)
{
	struct fw_rules rules;

	UNUSED(state);
	fw_rules_init(&rules);
	assert_int_equal(fw_linux_defaults(&rules), 0);
	assert_int_equal(rules.defaults.alg, FW_OFF);
	assert_int_equal(fw_linux_measured(&rules,
	                                   "nf_conntrack_udp_timeout_stream",
	                                   777),
	                 0);
	assert_int_equal(rules.defaults.udp_idle_s, 777);
	/* A kernel before 6.0: the module, once loaded, takes port 5060. */
	assert_int_equal(fw_linux_measured(&rules, "nf_conntrack_helper", 1),
	                 0);
	assert_int_equal(rules.defaults.alg, FW_UNKNOWN);
	assert_int_equal(fw_linux_measured(&rules, "no_such_thing", 1), 0);
	fw_rules_fini(&rules);

	fw_rules_init(&rules);
	assert_int_equal(fw_linux_defaults(&rules), 0);
	assert_int_equal(fw_linux_measured(&rules, "nf_conntrack_helper", 0),
	                 0);
	assert_int_equal(rules.defaults.alg, FW_OFF);
	fw_rules_fini(&rules);
}

/* What nftables says, as iptables; NULL: refused, and why is in @p why. */
static char *as_iptables(const char *text, char *why, size_t n_why)
{
	struct wr out = wr_init_heap();
	struct fw_rules rules;
	struct arena a;
	struct diag dg;
	char *s = NULL;

	arena_init(&a);
	fw_rules_init(&rules);
	diag_init(&dg, &a, NULL, slice_str(text));
	assert_int_equal(fw_dialect_find("nftables")
	                         ->parse(&rules, slice_str(text), &dg),
	                 0);
	if (fw_emit(&out, fw_dialect_find("iptables"), &rules, &dg) == 0) {
		wr_u8(&out, 0);
		s = strdup((const char *)out.p);
		assert_non_null(s);
	}
	(void)snprintf(why, n_why, "%s", dg.first ? dg.first->message : "");
	wr_fini(&out);
	fw_rules_fini(&rules);
	arena_fini(&a);
	return s;
}

static void test_each_rule_is_in_the_table_that_takes_it(void **state)
{
	static const char text[] = NFT(
		NFT_CHAIN("bare", "filter", "prerouting", "-300",
	                  "udp dport 5060 notrack\n")
			NFT_CHAIN("dst", "nat", "prerouting", "-100",
	                          "tcp dport 80 dnat to 10.0.0.2\n")
				NFT_CHAIN("src", "nat", "postrouting", "100",
	                                  "oifname \"eth0\" masquerade\n")
					NFT_CHAIN("early", "filter",
	                                          "prerouting", "-150",
	                                          "ip saddr 192.0.2.9 drop\n"
	                                          "jump seen\n")
						NFT_CHAIN(
							"fwd", "filter",
							"forward", "0",
							"udp dport 53 "
							"reject\njump "
							"seen\n") "chain seen {\ntcp dport 22 drop\n}\n");
	static const char want[] =
		"*raw\n:PREROUTING ACCEPT [0:0]\n"
		"-A PREROUTING -p 17 -m multiport --dports 5060 -j CT "
		"--notrack\nCOMMIT\n"
		"*mangle\n:PREROUTING ACCEPT [0:0]\n:seen - [0:0]\n"
		"-A PREROUTING -s 192.0.2.9 -j DROP\n"
		"-A PREROUTING -j seen\n"
		"-A seen -p 6 -m multiport --dports 22 -j DROP\nCOMMIT\n"
		"*nat\n:PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT "
		"[0:0]\n"
		"-A PREROUTING -p 6 -m multiport --dports 80 -j DNAT "
		"--to-destination 10.0.0.2\n"
		"-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n"
		"*filter\n:FORWARD ACCEPT [0:0]\n:seen - [0:0]\n"
		"-A FORWARD -p 17 -m multiport --dports 53 -j REJECT "
		"--reject-with icmp-port-unreachable\n"
		"-A FORWARD -j seen\n"
		"-A seen -p 6 -m multiport --dports 22 -j DROP\nCOMMIT\n";
	char why[256];
	char *got = as_iptables(text, why, sizeof(why));

	UNUSED(state);
	if (!got || !strstr(got, want))
		fail_msg("%s\n%s", why, got ? got : "refused");
	free(got);
}

static void test_what_has_no_table_is_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{NFT(NFT_CHAIN("a", "filter", "forward", "0", "")
	                     NFT_CHAIN("b", "filter", "forward", "1", "")),
	         "chain b: another one has its place"},
		{NFT("chain FORWARD {\n}\n" NFT_CHAIN("a", "filter", "forward",
	                                              "0", "jump FORWARD\n")),
	         "chain a: another one has its place"},
		{NFT(NFT_CHAIN("a", "filter", "forward", "0", "notrack\n")),
	         "chain a: connections are known there already"},
		{NFT(NFT_CHAIN("a", "nat", "prerouting", "-100", "")
	                     NFT_CHAIN("b", "filter", "prerouting", "0", "")),
	         "chain b: it would change sides"},
		{NFT(NFT_CHAIN("a", "nat", "input", "100", "")
	                     NFT_CHAIN("b", "filter", "input", "200", "")),
	         "chain b: it would change sides"},
		{NFT(NFT_CHAIN("a", "nat", "prerouting", "-100",
	                       "tcp dport 1 drop\n")),
	         "No table of iptables can say rule"},
		{NFT("chain u {\ntcp dport 1 dnat to 10.0.0.2\n}\n" NFT_CHAIN(
			 "a", "filter", "forward", "0", "jump u\n")),
	         "No table of iptables can say rule"},
		{NFT("chain a234567890123456789012345678x {\n}\n"),
	         "its name would not do"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char why[256];
		char *got = as_iptables(rows[i].text, why, sizeof(why));

		if (got || !strstr(why, rows[i].why))
			fail_msg("row %zu: %s\n%s", i, why, got ? got : "");
		free(got);
	}
}

/* Can the rule at a line match, by this text? */
static enum fw_reach reach_of(const char *text, unsigned line)
{
	const struct fw_place place = {.path = FW_PATH_FORWARD};
	const struct slice in = slice_str(text);
	enum fw_reach found = FW_REACH_UNKNOWN;
	struct fw_reach_info *infos;
	struct fw_space *sp = NULL;
	struct fw_rules rules;
	struct arena a;
	struct diag dg;
	size_t n;

	arena_init(&a);
	fw_rules_init(&rules);
	diag_init(&dg, &a, "fw", in);
	assert_int_equal(fw_dialect_recognise(in)->parse(&rules, in, &dg), 0);
	assert_int_equal(fw_space_alloc(&sp, &rules, NULL, 0, &place, NULL, 0),
	                 0);
	assert_int_equal(fw_space_reach(&infos, &n, &a, sp), 0);
	for (size_t i = 0; i < n; i++) {
		if (infos[i].rule->line == line)
			found = infos[i].reach;
	}
	fw_space_free(sp);
	fw_rules_fini(&rules);
	arena_fini(&a);
	return found;
}

static void test_what_returns_is_not_taken(void **state)
{
	static const char *const texts[] = {
		/* surely, perhaps, by a goto, and not what is asked for */
		"*filter\n:FORWARD DROP [0:0]\n:S - [0:0]\n"
		"-A FORWARD -j S\n-A FORWARD -p udp -j ACCEPT\n"
		"-A S -p udp -j RETURN\n-A S -j DROP\nCOMMIT\n",
		"*filter\n:FORWARD DROP [0:0]\n:S - [0:0]\n"
		"-A FORWARD -j S\n-A FORWARD -p udp -j ACCEPT\n"
		"-A S -p udp -m mark --mark 1 -j RETURN\n-A S -j DROP\n"
		"COMMIT\n",
		"*filter\n:FORWARD DROP [0:0]\n:S - [0:0]\n:T - [0:0]\n"
		"-A FORWARD -j S\n-A FORWARD -p udp -j ACCEPT\n"
		"-A S -p udp -g T\n-A S -j DROP\n-A T -p tcp -j DROP\n"
		"COMMIT\n",
		"*filter\n:FORWARD DROP [0:0]\n:S - [0:0]\n"
		"-A FORWARD -j S\n-A FORWARD -p udp -j ACCEPT\n"
		"-A S -p tcp -m mark --mark 1 -j RETURN\n-A S -j DROP\n"
		"COMMIT\n",
	};
	static const unsigned lines[] = {5, 5, 6, 5};
	static const enum fw_reach reaches[] = {FW_REACHED, FW_REACHED,
	                                        FW_REACHED, FW_SHADOWED};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (reach_of(texts[i], lines[i]) != reaches[i])
			fail_msg("%zu: %d", i, reach_of(texts[i], lines[i]));
	}
}

static void test_a_host_is_told_what_else_it_needs(void **state)
{
	static const char *const dialects[] = {"nftables", "iptables"};
	static const char needs[] = "A host needs more than calls";

	UNUSED(state);
	for (size_t i = 0; i < 2 * ARRAY_LEN(dialects); i++) {
		const bool is_host = i & 1;
		const struct fw_place place = {
			.path = is_host ? FW_PATH_OUTPUT : FW_PATH_FORWARD};
		struct wr out = wr_init_heap();
		struct fw_rules rules;
		struct arena a;
		struct diag dg;
		bool is_told;

		arena_init(&a);
		fw_rules_init(&rules);
		diag_init(&dg, &a, NULL, (struct slice){NULL, 0});
		assert_int_equal(fw_rules_from_flows(&rules, NULL, 0, &place),
		                 0);
		assert_int_equal(fw_emit(&out, fw_dialect_find(dialects[i / 2]),
		                         &rules, &dg),
		                 0);
		is_told = slice_find(wr_slice(&out), slice_str(needs)) !=
		          SIZE_MAX;
		assert_int_equal(is_told, is_host);
		wr_fini(&out);
		fw_rules_fini(&rules);
		arena_fini(&a);
	}
}

/* Only what asks for connections makes the kernel keep them. */
static void test_tracking_is_seen_by_its_words(void **state)
{
	static const struct {
		const char *text;
		bool tracks;
	} rows[] = {
		{"", false},
		{"table inet f {\nchain c {\nudp dport 5060 accept\n}\n}\n",
	         false},
		{"ct state established accept", true},
		{"oifname \"eth0\" masquerade", true},
		{"type nat hook postrouting priority srcnat;", true},
		{"flow add @ft", true},
		{"*filter\n-A INPUT -p udp -j ACCEPT\nCOMMIT\n", false},
		{"-A INPUT -m conntrack --ctstate NEW -j ACCEPT", true},
		{"-A INPUT -m state --state NEW -j ACCEPT", true},
		{"*nat\n:POSTROUTING ACCEPT [0:0]\nCOMMIT\n", true},
		{"-A PREROUTING -p udp -j CT --helper sip", true},
		{"-A POSTROUTING -j MASQUERADE", true},
		{"chain direct { }", false},
		{"chain stateless { }", false},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (fw_linux_tracks(slice_str(rows[i].text)) != rows[i].tracks)
			fail_msg("%s", rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_are_those_of_the_kernel),
		cmocka_unit_test(test_a_running_kernel_replaces_defaults),
		cmocka_unit_test(test_a_text_says_whose_packets_it_has),
		cmocka_unit_test(test_each_rule_is_in_the_table_that_takes_it),
		cmocka_unit_test(test_what_has_no_table_is_refused),
		cmocka_unit_test(test_a_host_is_told_what_else_it_needs),
		cmocka_unit_test(test_tracking_is_seen_by_its_words),
		cmocka_unit_test(test_what_returns_is_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
