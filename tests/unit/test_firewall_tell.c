/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "firewall/audit.h"
#include "oom.h"

enum {
	N_FLOWS = 2,
	LONG_RULES = 4200, /* more parts than are kept apart */
};

struct told {
	struct report r;
	struct arena arena;
	struct fw_rules rules;
	struct diag dg;
	struct fw_flow flows[N_FLOWS];
	struct fw_question q;
	int err;
};

static void add_flow(struct told *t, size_t i, const char *id, const char *dst,
                     int proto, uint16_t port)
{
	struct fw_flow *f = &t->flows[i];
	struct fw_ip a, b;

	*f = (struct fw_flow){.id = id,
	                      .min_udp_idle_s = FW_IDLE_UNSET,
	                      .min_tcp_idle_s = FW_IDLE_UNSET};
	assert_int_equal(fw_ip_parse(&a, &b, slice_str(dst)), 0);
	assert_non_null(fw_addrs_add_range(&t->arena, &f->dst, a, b));
	assert_non_null(
		fw_services_add(&t->arena, &f->services, proto, port, port));
}

static void start(struct told *t, struct slice text)
{
	const struct fw_dialect *d = fw_dialect_recognise(text);

	memset(t, 0, sizeof(*t));
	arena_init(&t->arena);
	fw_rules_init(&t->rules);
	report_init(&t->r);
	diag_init(&t->dg, &t->arena, "fw", text);
	assert_non_null(d);
	assert_int_equal(d->parse(&t->rules, text, &t->dg), 0);
	add_flow(t, 0, "sip", "192.0.2.1", FW_PROTO_UDP, 5060);
	t->flows[0].is_sip = true;
	t->flows[0].min_udp_idle_s = 300;
	add_flow(t, 1, "web", "198.51.100.7", FW_PROTO_TCP, 443);
	t->q = (struct fw_question){.flows = t->flows, .n_flows = N_FLOWS};
}

static void done(struct told *t)
{
	report_fini(&t->r);
	fw_rules_fini(&t->rules);
	arena_fini(&t->arena);
}

static const struct finding *finding_of(const struct report *r, const char *id)
{
	const struct finding *f = r->findings;

	while (f && strcmp(f->id, id) != 0)
		f = f->next;
	return f;
}

/* All that was said of one kind, a line for each. */
static void put_facts(struct wr *w, const struct report *r, const char *id)
{
	for (const struct fact *f = r->facts; f; f = f->next) {
		if (strcmp(f->id, id) != 0)
			continue;
		words_put(w, &f->summary, words_english);
		if (f->why.msgid)
			wr_str(w, " - ");
		words_put(w, &f->why, words_english);
		wr_str(w, "\n");
	}
}

/* "12: its text\n" of each rule that a finding quotes. */
static void put_quotes(struct wr *w, const struct finding *fd)
{
	const struct val *rules = fd ? val_get(&fd->evidence, "rules") : NULL;

	if (!rules)
		return;
	for (const struct val_item *it = rules->items.first; it;
	     it = it->next) {
		wr_fmt(w, "%lld: ", (long long)val_get_int(&it->v, "line", 0));
		wr_put(w, val_get_text(&it->v, "setting"));
		wr_put(w, val_get_text(&it->v, "quote"));
		wr_str(w, "\n");
	}
}

#define FORWARD(rules)                                             \
	"table inet filter {\nchain forward {\n"                   \
	"type filter hook forward priority filter; policy drop;\n" \
	"ct state established,related accept\n" rules "}\n}\n"
#define STATELESS(policy, rules)                                               \
	"table inet filter {\nchain forward {\n"                               \
	"type filter hook forward priority filter; policy " policy ";\n" rules \
	"}\n}\n"
#define BOTH                                         \
	"ip daddr 192.0.2.1 udp dport 5060 accept\n" \
	"ip daddr 198.51.100.7 tcp dport 443 accept\n"
#define HEAD "chain forward {\ntype filter hook forward priority filter; "

static const struct {
	const char *why, *text, *fact, *said, *finding, *quoted;
} rows[] = {
	{"accepted", FORWARD(BOTH), "audit.flow",
         "sip: accepted, by line 5.\nweb: accepted, by line 6.\n",
         "firewall.blocks", ""},
	{"nothing is in the way", STATELESS("accept", ""), "audit.flow",
         "sip: accepted: no rule is against it.\n"
         "web: accepted: no rule is against it.\n",
         "firewall.blocks", ""},
	{"blocked by a rule", FORWARD("ip daddr 192.0.2.0/24 drop\n" BOTH),
         "audit.flow", "sip: blocked, by line 5.\nweb: accepted, by line 7.\n",
         "firewall.blocks", "5: ip daddr 192.0.2.0/24 drop\n"},
	{"blocked by the policy", FORWARD("tcp dport 443 accept\n"),
         "audit.flow",
         "sip: blocked: no rule accepts it, and the chain inet filter "
         "forward drops the rest (line 2).\nweb: accepted, by line 5.\n",
         "firewall.blocks", "2: " HEAD "policy drop;\n"},
	{"the answers are blocked", STATELESS("drop", BOTH), "audit.flow",
         "sip: no rule accepts its answers, and the chain inet filter "
         "forward drops the rest (line 2).\n"
         "web: no rule accepts its answers, and the chain inet filter "
         "forward drops the rest (line 2).\n",
         "firewall.blocks", "2: " HEAD "policy drop;\n"},
	{"the answers are blocked by a rule",
         STATELESS("accept", "ct state established ip saddr 192.0.2.1 drop\n"),
         "audit.flow",
         "sip: its answers are blocked, by line 4.\n"
         "web: accepted: no rule is against it.\n",
         "firewall.blocks",
         "4: ct state established ip saddr 192.0.2.1 drop\n"},
	{"out by a name, and the answers are blocked by a rule",
         STATELESS("accept", "ip daddr @strangers drop\n"
                             "ct state established drop\n"),
         "audit.flow",
         "sip: its answers are blocked, by line 5.\n"
         "web: its answers are blocked, by line 5.\n",
         "firewall.blocks", "5: ct state established drop\n"},
	{"from a LAN alone",
         FORWARD("ip saddr 10.1.0.0/16 ip daddr 192.0.2.1 accept\n"
                 "ip saddr 10.2.0.0/16 tcp dport 443 accept\n"
                 "ip saddr 10.3.0.0/16 tcp dport { 80, 443 } accept\n"),
         "audit.flow",
         "sip: passes from 10.1.0.0/16, but not from elsewhere: blocked, by "
         "line 2.\n"
         "web: passes from 10.2.0.0/16, 10.3.0.0/16, but not from elsewhere: "
         "blocked, by line 2.\n",
         "firewall.blocks", "2: " HEAD "policy drop;\n"},
	{"from an interface alone",
         FORWARD("iifname \"lan\" accept\n"
                 "iifname \"vpn\" ip daddr 192.0.2.1 accept\n"),
         "audit.flow",
         "sip: passes from lan, but not from elsewhere: blocked, by line 2.\n"
         "web: passes from lan, but not from elsewhere: blocked, by line 2.\n",
         "firewall.blocks", "2: " HEAD "policy drop;\n"},
	{"between two interfaces alone",
         FORWARD("iifname \"lan\" oifname { \"wan\", \"vpn\" } accept\n"
                 "iifname \"lan\" oifname \"lan\" accept\n"
                 "iifname \"vpn\" oifname \"lan\" accept\n"),
         "audit.flow",
         "sip: passes from lan to vpn, but not between all others: blocked, by "
         "line 2.\n"
         "web: passes from lan to vpn, but not between all others: blocked, by "
         "line 2.\n",
         "firewall.blocks", "2: " HEAD "policy drop;\n"},
	{"in parts from a LAN: of that nothing is said",
         FORWARD("ip saddr 10.1.0.0/16 udp sport 5060 accept\n"
                 "tcp dport 443 accept\n"),
         "audit.flow",
         "sip: blocked: no rule accepts it, and the chain inet filter "
         "forward drops the rest (line 2).\nweb: accepted, by line 6.\n",
         "firewall.blocks", "2: " HEAD "policy drop;\n"},
	{"redirected",
         "table ip n {\nchain p {\n"
         "type nat hook prerouting priority dstnat;\n"
         "udp dport 5060 redirect to :5062\ntcp dport 443 redirect\n}\n}\n",
         "audit.flow",
         "sip: not known; line 4 may or may not match. - It may send it "
         "elsewhere (:5062), and what becomes of it there is not in this "
         "text.\n"
         "web: not known; line 5 may or may not match. - It may hand it to a "
         "program of this box, and what that does is not in this text.\n",
         "firewall.unclear",
         "4: udp dport 5060 redirect to :5062\n5: tcp dport 443 redirect\n"},
	{"the helper",
         "table inet f {\nct helper h {\ntype \"sip\" protocol udp\n}\n"
         "chain p {\ntype filter hook prerouting priority filter;\n"
         "udp dport 5060 ct helper set \"h\"\n}\n}\n",
         "audit.alg", "sip: the SIP helper acts on it.\n", "firewall.sip-alg",
         "7: udp dport 5060 ct helper set \"h\"\n"},
	{"the switch of the helper, and the rule where it acts",
         "#config-version=FGT61F-7.0.14-FW-build1\n"
         "config system settings\n"
         "set default-voip-alg-mode kernel-helper-based\nend\n"
         "config system session-helper\nedit 13\nset name sip\n"
         "set protocol 17\nset port 5060\nnext\nend\n"
         "config firewall policy\nedit 1\nset srcintf any\n"
         "set dstintf any\nset srcaddr all\nset dstaddr all\n"
         "set service ALL\nset action accept\nnext\nend\n",
         "audit.alg", "sip: the SIP helper acts on it.\n", "firewall.sip-alg",
         "6: session-helper.sipedit 13\nset name sip\nset protocol 17\n"
         "set port 5060\nnext\n"
         "13: edit 1\nset srcintf any\nset dstintf any\nset srcaddr all\n"
         "set dstaddr all\nset service ALL\nset action accept\nnext\n"},
	{"forgotten by default", FORWARD(BOTH), "audit.udp-idle",
         "sip: idle sessions live only 120 s, 300 s wanted.\n",
         "firewall.udp-idle", "0: nf_conntrack_udp_timeout_stream\n"},
	{"covered by one",
         FORWARD("ip daddr 192.0.2.0/24 drop\n"
                 "ip daddr 192.0.2.1 udp dport 5060 accept\n"),
         "audit.rule",
         "Line 6 can never match: line 5 takes all of its packets.\n",
         "firewall.dead-rules",
         "6: ip daddr 192.0.2.1 udp dport 5060 accept\n"},
	{"covered by two together",
         FORWARD("ip daddr 192.0.2.0/25 drop\nip daddr 192.0.2.128/25 drop\n"
                 "ip daddr 192.0.2.0/24 udp dport 5060 accept\n"),
         "audit.rule",
         "Line 7 can never match: lines 5, 6 take all of its packets.\n",
         "firewall.dead-rules",
         "7: ip daddr 192.0.2.0/24 udp dport 5060 accept\n"},
	{"covered within a chain that is called",
         "table inet filter {\nchain voip {\nip daddr 192.0.2.0/24 drop\n}\n"
         "chain forward {\n"
         "type filter hook forward priority filter; policy drop;\n"
         "jump voip\nip daddr 192.0.2.1 udp dport 5060 accept\n}\n}\n",
         "audit.rule",
         "Line 8 can never match: line 3 takes all of its packets.\n",
         "firewall.dead-rules",
         "8: ip daddr 192.0.2.1 udp dport 5060 accept\n"},
	{"too wide", FORWARD("udp dport 5060 accept\n"), "audit.rule",
         "Line 5 accepts more than calls need.\n", "firewall.too-wide",
         "5: udp dport 5060 accept\n"},
	{"too wide by its policy", STATELESS("accept", ""), "audit.rule",
         "What no rule of inet filter forward decides is accepted, and that "
         "is more than calls need.\n",
         "firewall.too-wide", "2: " HEAD "policy accept;\n"},
	{"offload",
         "table inet filter {\nflowtable ft {\n"
         "hook ingress priority filter\ndevices = { eth0 }\n}\n"
         "chain forward {\n"
         "type filter hook forward priority filter; policy accept;\n"
         "flow add @ft\n}\n}\n",
         "audit.offload",
         "sip: offloaded past the firewall. - A session that a flowtable held "
         "ends by the kernel's time for all UDP, whatever a ct timeout gives "
         "it: the patch accepts SIP before the flowtable takes it.\n",
         "firewall.offload", "8: flow add @ft\n"},
};

static void test_every_kind_is_said_and_quoted(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wr said = wr_init_heap(), quoted = wr_init_heap();
		const struct finding *fd;
		struct told t;

		start(&t, slice_str(rows[i].text));
		assert_int_equal(fw_audit(&t.r, &t.rules, &t.q, "fw"), 0);
		fd = finding_of(&t.r, rows[i].finding);
		put_facts(&said, &t.r, rows[i].fact);
		put_quotes(&quoted, fd);
		if (!slice_eq_str(wr_slice(&said), rows[i].said))
			fail_msg("%s:\n%.*s", rows[i].why, (int)said.n,
			         (const char *)said.p);
		if (!slice_eq_str(wr_slice(&quoted), rows[i].quoted))
			fail_msg("%s: quotes\n%.*s", rows[i].why, (int)quoted.n,
			         (const char *)quoted.p);
		assert_int_equal(fd != NULL, *rows[i].quoted != '\0');
		if (fd && fd->remedy->needs_router ==
		                  (strcmp(fd->id, "firewall.unclear") == 0))
			fail_msg("%s: password", rows[i].why);
		wr_fini(&said);
		wr_fini(&quoted);
		done(&t);
	}
}

/* Orders for phones' addresses and for their ports, in turn: nearly every pair
 * of both is heard by other rules. */
static void put_grid(struct wr *w)
{
	wr_str(w, "*raw\n:PREROUTING ACCEPT [0:0]\n");
	for (unsigned i = 0; i < LONG_RULES; i += 2)
		wr_fmt(w,
		       "-A PREROUTING -s 10.0.%u.%u/32 -p udp -j CT --helper "
		       "tftp\n"
		       "-A PREROUTING -p udp -m udp --sport %u -j CT --helper "
		       "tftp\n",
		       i >> 8, i & 255, i);
	wr_str(w, "COMMIT\n*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n");
}

static void test_what_takes_too_many_steps_is_said(void **state)
{
	struct wr w = wr_init_heap(), said = wr_init_heap();
	char want[160];
	struct fw_answer *an;
	struct told t;

	UNUSED(state);
	put_grid(&w);
	start(&t, wr_slice(&w));
	t.q.n_flows = 1;
	assert_int_equal(fw_answer_all(&an, &t.arena, &t.rules, &t.q), 0);
	assert_true(an->out.is_cut);
	(void)snprintf(
		want, sizeof(want),
		"sip: not known. - Not worked out within %llu steps: the "
		"rules cut it into too many parts.\n",
		(unsigned long long)an->out.n_steps);
	assert_int_equal(fw_audit(&t.r, &t.rules, &t.q, "fw"), 0);
	put_facts(&said, &t.r, "audit.flow");
	if (!slice_eq_str(wr_slice(&said), want))
		fail_msg("%.*s", (int)said.n, (const char *)said.p);
	assert_non_null(finding_of(&t.r, "firewall.unclear"));
	assert_int_equal(report_verdict(&t.r), VERDICT_NOT_READY);
	assert_non_null(finding_of(&t.r, "firewall.udp-idle"));
	wr_fini(&said);
	wr_fini(&w);
	done(&t);
}

/* A flow to a name, whose address nobody knows, takes nothing from that. */
static void test_dead_rules_are_dead_for_names_too(void **state)
{
	struct wr said = wr_init_heap();
	struct told t;

	UNUSED(state);
	start(&t, slice_str(FORWARD("ip daddr 192.0.2.0/24 drop\n"
	                            "ip daddr 192.0.2.0/24 accept\n"
	                            "ip saddr 10.1.0.0/16 drop\n"
	                            "ip saddr 10.1.0.0/16 accept\n")));
	t.flows[1].dst = (struct fw_addrs){0};
	assert_non_null(fw_addrs_add_name(&t.arena, &t.flows[1].dst,
	                                  FW_ADDR_NAME, "a.example.net"));
	assert_int_equal(fw_audit(&t.r, &t.rules, &t.q, "fw"), 0);
	put_facts(&said, &t.r, "audit.rule");
	if (!slice_eq_str(
		    wr_slice(&said),
		    "Line 6 can never match: line 5 takes all of its packets.\n"
		    "Line 8 can never match: line 7 takes all of its "
		    "packets.\n"))
		fail_msg("%.*s", (int)said.n, (const char *)said.p);
	wr_fini(&said);
	done(&t);
}

static void test_own_rules_are_behind_no_password(void **state)
{
	const struct finding *fd;
	struct told t;

	UNUSED(state);
	start(&t, slice_str("*filter\n:OUTPUT DROP [0:0]\nCOMMIT\n"));
	t.q.place.path = FW_PATH_OUTPUT;
	assert_int_equal(fw_audit(&t.r, &t.rules, &t.q, "fw"), 0);
	fd = finding_of(&t.r, "firewall.blocks");
	assert_non_null(fd);
	assert_int_equal(fd->segment, SEGMENT_DEVICE);
	assert_false(fd->remedy->needs_router);
	done(&t);
}

static void test_a_lan_is_asked_for_once(void **state)
{
	const struct finding *fd;
	struct wr w = wr_init_heap();
	unsigned n = 0;
	struct told t;

	UNUSED(state);
	start(&t, slice_str(FORWARD("ip saddr 10.1.0.0/16 accept\n"
	                            "ip saddr 10.2.0.0/16 accept\n")));
	assert_int_equal(fw_audit(&t.r, &t.rules, &t.q, "fw"), 0);
	fd = finding_of(&t.r, "firewall.blocks");
	assert_non_null(fd);
	for (const struct remedy_step *s = fd->remedy; s; s = s->next) {
		if (strcmp(s->id, "say-lan") != 0)
			continue;
		n++;
		assert_false(s->needs_router);
		words_put(&w, &s->text, words_english);
	}
	assert_int_equal(n, 1);
	assert_string_equal(t.r.facts->id, "audit.place");
	assert_true(slice_find(wr_slice(&w), slice_str("--lan=10.1.0.0/16,")) !=
	            SIZE_MAX);
	assert_int_equal(
		val_get(&t.r.facts->next->fields, "passes_from")->items.n, 2);
	wr_fini(&w);
	done(&t);

	start(&t, slice_str(FORWARD("ip saddr 10.1.0.0/16 accept\n"
	                            "ip saddr 10.2.0.0/16 accept\n")));
	assert_int_equal(
		fw_guess_src(&t.q.place.src, &t.arena, &t.rules, &t.q.place),
		0);
	assert_null(t.q.place.src.first);
	t.q.place.src = t.rules.chains->first->next->src;
	assert_int_equal(fw_audit(&t.r, &t.rules, &t.q, "fw"), 0);
	assert_null(finding_of(&t.r, "firewall.blocks"));
	done(&t);
}

static void test_several_texts_are_told_apart(void **state)
{
	struct wr w = wr_init_heap();
	struct told t;

	UNUSED(state);
	start(&t, slice_str(FORWARD("udp dport 5060 accept\n")));
	t.rules.title = "a.nft";
	assert_int_equal(fw_audit(&t.r, &t.rules, &t.q, "a.nft"), 0);
	put_facts(&w, &t.r, "audit.alg");
	put_facts(&w, &t.r, "audit.rule");
	assert_true(
		slice_eq_str(wr_slice(&w),
	                     "a.nft: sip: no SIP helper acts on it.\n"
	                     "Line 5 (a.nft) accepts more than calls need.\n"));
	wr_fini(&w);
	done(&t);
}

static void test_without_connections_none_is_forgotten(void **state)
{
	struct wr w = wr_init_heap();
	struct told t;

	UNUSED(state);
	start(&t, slice_str("*filter\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"));
	t.q.place.path = FW_PATH_OUTPUT;
	t.rules.is_stateless = true;
	assert_int_equal(fw_audit(&t.r, &t.rules, &t.q, "fw"), 0);
	put_facts(&w, &t.r, "audit.udp-idle");
	assert_int_equal(w.n, 0);
	assert_int_equal(report_verdict(&t.r), VERDICT_READY);
	wr_fini(&w);
	done(&t);
}

static void test_no_memory_is_an_error_and_no_leak(void **state)
{
	UNUSED(state);
	for (unsigned long n = 0;; n++) {
		struct told t;
		int err;

		start(&t, slice_str(FORWARD("ip saddr 10.1.0.0/16 accept\n"
		                            "ip saddr 10.2.0.0/16 accept\n")));
		oom_after(n);
		err = fw_audit(&t.r, &t.rules, &t.q, "fw");
		oom_after(OOM_NEVER);
		done(&t);
		if (err == 0)
			break;
		assert_int_equal(err, ENOMEM);
		assert_true(n < 5000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind_is_said_and_quoted),
		cmocka_unit_test(test_what_takes_too_many_steps_is_said),
		cmocka_unit_test(test_dead_rules_are_dead_for_names_too),
		cmocka_unit_test(test_own_rules_are_behind_no_password),
		cmocka_unit_test(test_a_lan_is_asked_for_once),
		cmocka_unit_test(test_several_texts_are_told_apart),
		cmocka_unit_test(test_without_connections_none_is_forgotten),
		cmocka_unit_test(test_no_memory_is_an_error_and_no_leak),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
