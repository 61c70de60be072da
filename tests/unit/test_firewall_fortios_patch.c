/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "firewall/audit.h"

struct patched {
	struct arena arena;
	struct fw_rules rules;
	struct diag dg;
	struct fw_flow flows[2];
	struct fw_patch_out out;
	size_t left;
	int err;
};

static void add_flow(struct patched *p, size_t i, const char *id)
{
	struct fw_flow *f = &p->flows[i];
	struct fw_ip lo, hi;

	*f = (struct fw_flow){.id = id,
	                      .title = id,
	                      .is_sip = i == 0,
	                      .min_udp_idle_s = 300,
	                      .min_tcp_idle_s = FW_IDLE_UNSET};
	assert_int_equal(fw_ip_parse(&lo, &hi, slice_str("192.0.2.1")), 0);
	assert_non_null(fw_addrs_add_range(&p->arena, &f->dst, lo, hi));
	assert_non_null(fw_services_add(&p->arena, &f->services, FW_PROTO_UDP,
	                                i ? 10000 : 5060, i ? 65535 : 5060));
}

/* SIP and RTP of one host. */
static void patch_for(struct patched *p, const char *dialect, const char *text,
                      const char *in, const char *out, int64_t rtp_idle_s)
{
	const struct fw_question q = {.flows = p->flows,
	                              .n_flows = 2,
	                              .place = {.in = in, .out = out}};

	memset(p, 0, sizeof(*p));
	arena_init(&p->arena);
	fw_rules_init(&p->rules);
	diag_init(&p->dg, &p->arena, "box.conf", slice_str(text));
	(void)!fw_dialect_find(dialect)->parse(&p->rules, slice_str(text),
	                                       &p->dg);
	add_flow(p, 0, "sip-1");
	add_flow(p, 1, "rtp-1");
	p->flows[1].min_udp_idle_s = rtp_idle_s;
	fw_patch_init(&p->out);
	p->err = fw_patch_make(&p->out, &p->left, &p->rules, &q);
}

static void patch_at(struct patched *p, const char *dialect, const char *text,
                     const char *in, const char *out)
{
	patch_for(p, dialect, text, in, out, 300);
}

static void patch(struct patched *p, const char *text)
{
	patch_at(p, "fortios", text, "lan", "wan1");
}

static void done(struct patched *p)
{
	fw_patch_fini(&p->out);
	fw_rules_fini(&p->rules);
	arena_fini(&p->arena);
}

static bool has(const struct wr *w, const char *text)
{
	return slice_find(wr_slice(w), slice_str(text)) != SIZE_MAX;
}

#define SETTINGS(lines) "config system settings\n" lines "end\n"
#define V(version)      "#config-version=FGT61F-" version "-FW-build1\n"

/* What was said is said again; what was silent is silent again. */
static void test_undo_puts_each_switch_back(void **state)
{
	static const struct {
		const char *text, *has, *lacks;
	} rows[] = {
		{V("7.0.14") "",
	         "config system settings\n    unset default-voip-alg-mode\n"
	         "    unset sip-expectation\n    unset sip-nat-trace\nend\n",
	         "sip-helper"},
		{V("7.0.14") SETTINGS("set default-voip-alg-mode proxy-based\n"
	                              "set sip-expectation enable\n"),
	         "    set default-voip-alg-mode proxy-based\n"
	         "    set sip-expectation enable\n    unset sip-nat-trace\n",
	         "sip-helper"},
		{V("6.0.5") SETTINGS("set sip-helper enable\n"
	                             "set sip-nat-trace enable\n"),
	         "    unset default-voip-alg-mode\n    set sip-helper enable\n"
	         "    set sip-nat-trace enable\n",
	         "sip-expectation"},
		/* 5.0 knows no mode: only the helper goes. */
		{V("5.0.14") "config system session-helper\nedit 12\n"
	                     "set name sip\nset protocol 17\nset port 5060\n"
	                     "next\nend\n",
	         "config system session-helper\n    edit 12\n",
	         "default-voip-alg-mode"},
		/* A value that is more than a word is none of ours. */
		{V("7.0.14") SETTINGS("set sip-expectation \"x;execute "
	                              "reboot\"\n"),
	         "    unset sip-expectation\n", "reboot"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct patched p;

		patch(&p, rows[i].text);
		assert_int_equal(p.err, 0);
		if (!has(&p.out.undo, rows[i].has) ||
		    has(&p.out.undo, rows[i].lacks))
			fail_msg("%zu: %.*s", i, (int)p.out.undo.n,
			         (char *)p.out.undo.p);
		done(&p);
	}
}

static void test_undo_knows_each_vdom(void **state)
{
	struct patched p;

	UNUSED(state);
	patch(&p,
	      V("7.0.14") "config vdom\nedit root\n" SETTINGS(
		      "set sip-expectation enable\n") "config firewall policy\nedit 1\nset srcintf a\nnext\n"
	                                              "end\nnext\nedit voice\n" SETTINGS(
							      "set default-voip-alg-mode proxy-based\n") "config firewall policy\nedit 1\nset srcintf lan\n"
	                                                                                                 "set dstintf wan1\nnext\nend\nnext\nend\n");
	if (!has(&p.out.undo, "edit root\nconfig system settings\n"
	                      "    unset default-voip-alg-mode\n"
	                      "    set sip-expectation enable\n") ||
	    !has(&p.out.undo, "edit voice\nconfig system settings\n"
	                      "    set default-voip-alg-mode proxy-based\n"
	                      "    unset sip-expectation\n"))
		fail_msg("%d %.*s", p.err, (int)p.out.undo.n,
		         (char *)p.out.undo.p);
	done(&p);
}

/* Two rows of one host have one filter, cleared before it is set. */
static void test_sessions_of_a_host_are_cleared_once(void **state)
{
	static const char one[] = "diagnose sys session filter clear\n"
				  "diagnose sys session filter dst 192.0.2.1\n"
				  "diagnose sys session clear\n";
	struct patched p;

	UNUSED(state);
	patch(&p, V("7.0.14"));
	assert_int_equal(p.err, 0);
	assert_true(slice_eq_str(wr_slice(&p.out.clear), one));
	done(&p);
}

/* A service is changed under the name that it has by now. */
static void test_services_are_named_as_they_are(void **state)
{
	struct patched p;

	UNUSED(state);
	patch(&p,
	      V("7.0.14") "config firewall service custom\nedit s\n"
	                  "set udp-portrange 5060 10000-65535\n"
	                  "set udp-idle-timer 60\nnext\nend\n"
	                  "config firewall policy\nedit 1\nset srcintf lan\n"
	                  "set dstintf wan1\nset srcaddr all\n"
	                  "set dstaddr all\nset service s\n"
	                  "set action accept\nnext\nend\n"
	                  "config firewall service custom\nrename s to t\n"
	                  "end\n");
	assert_int_equal(p.err, 0);
	assert_true(has(&p.out.commands,
	                "edit \"t\"\n        set udp-idle-timer 300\n"));
	assert_true(has(&p.out.undo,
	                "edit \"t\"\n        set udp-idle-timer 60\n"));
	assert_false(has(&p.out.commands, "edit \"s\""));
	done(&p);
}

static unsigned count(const struct wr *w, const char *text)
{
	struct slice rest = wr_slice(w);
	unsigned n = 0;
	size_t at;

	while ((at = slice_find(rest, slice_str(text))) != SIZE_MAX) {
		rest = slice_sub(rest, at + strlen(text), SIZE_MAX);
		n++;
	}
	return n;
}

/* However many rows are missing, one table is opened once. */
static void test_blocks_of_one_table_are_joined(void **state)
{
#define DENY                                                      \
	"config firewall policy\n edit 1\n set srcintf lan\n"     \
	" set dstintf wan1\n set srcaddr all\n set dstaddr all\n" \
	" set action deny\n set schedule always\n set service ALL\n next\nend\n"
	static const char *const texts[] = {
		V("7.0.14") DENY,
		V("7.0.14") "config vdom\nedit root\n" DENY "next\nend\n",
	};
	static const char *const tables[] = {"config firewall address\n",
	                                     "config firewall service custom\n",
	                                     "config firewall policy\n"};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct patched p;

		patch(&p, texts[i]);
		assert_int_equal(p.err, 0);
		assert_int_equal(p.left, 0);
		for (size_t k = 0; k < ARRAY_LEN(tables); k++) {
			assert_int_equal(count(&p.out.commands, tables[k]), 1);
			assert_int_equal(count(&p.out.undo, tables[k]), 1);
		}
		assert_int_equal(count(&p.out.commands, "config vdom\n"), i);
		assert_int_equal(count(&p.out.undo, "config vdom\n"), i);
		assert_int_equal(count(&p.out.commands, "set action accept"),
		                 2);
		assert_int_equal(count(&p.out.undo, "    delete "), 2);
		assert_int_equal(count(&p.out.commands, "config "),
		                 count(&p.out.commands, "end\n"));
		done(&p);
	}
}

/* Two boxes in one: a rule belongs into that where the phones are. */
static void test_a_rule_goes_into_the_vdom_of_the_phones(void **state)
{
#define ALLOW(in, out)                                                      \
	"config firewall policy\n edit 1\n set srcintf " in "\n"            \
	" set dstintf " out "\n set srcaddr all\n set dstaddr all\n"        \
	" set action accept\n set schedule always\n set service \"PING\"\n" \
	" next\nend\n"
	static const char text[] = V(
		"7.0.14") "config vdom\nedit root\nnext\nedit voice\nnext\n"
			  "end\nconfig vdom\nedit root\n" ALLOW(
				  "a",
				  "b") "next\nedit voice\n" ALLOW("lan",
	                                                          "wan1") "next\nend\n";
	struct patched p;

	UNUSED(state);
	patch(&p, text);
	assert_int_equal(p.err, 0);
	assert_int_equal(p.left, 0);
	assert_true(has(&p.out.commands,
	                "config vdom\nedit voice\nconfig firewall address\n"));
	assert_false(has(&p.out.commands, "edit root\nconfig firewall"));
	done(&p);
	patch_at(&p, "fortios", text, "a", "b");
	assert_int_equal(p.left, 0);
	assert_true(has(&p.out.commands,
	                "config vdom\nedit root\nconfig firewall address\n"));
	done(&p);
}

static void test_no_patch_says_why(void **state)
{
	static const struct {
		const char *dialect, *in, *out, *text, *why;
	} rows[] = {
		{"fortios", NULL, NULL,
	         V("7.0.14") "config vdom\nedit root\n" ALLOW(
			 "a",
			 "b") "next\nedit voice\n" ALLOW("c",
	                                                 "d") "next\nend\n",
	         "say --lan and --wan. The text names a, b, c, d."},
		{"fortios", "lan", "wan1",
	         V("7.0.14") "config firewall policy\nedit \"1 2\"\n"
	                     "set srcintf lan\nset dstintf wan1\n"
	                     "set srcaddr all\nset dstaddr all\n"
	                     "set action deny\nset service ALL\nnext\nend\n",
	         "The name 1 2 cannot be typed"},
		{"nftables", "lan", "wan1", "table inet fw {\n}\n",
	         "`prumo rules --for nftables` writes one"},
		{"nftables", "lan", "wan1",
	         "table inet fw {\nchain pre { type filter hook prerouting "
	         "priority 0; policy accept;\nlimit rate 5/second drop\n}\n"
	         "chain fwd { type filter hook forward priority 0; policy "
	         "drop;\n}\n}\n",
	         "what rule pre#0 asks is not known here"},
		{"nftables", "lan", "wan1",
	         "table inet fw {\nchain pre { type filter hook prerouting "
	         "priority 0; policy drop;\n}\n"
	         "chain fwd { type filter hook forward priority 0; policy "
	         "drop;\n}\n}\n",
	         "sip-1 would still not pass: pre decides it"},
		{"edgeos", "lan", "eth0",
	         "set firewall name A default-action drop\n"
	         "set interfaces ethernet eth0 firewall out name A\n"
	         "set interfaces ethernet eth1 firewall in name \"B;r\"\n"
	         "set firewall name \"B;r\" default-action drop\n",
	         NULL},
		{"edgeos", "eth1", "eth0",
	         "set interfaces ethernet eth1 firewall in name \"B;r\"\n"
	         "set firewall name \"B;r\" default-action drop\n",
	         "The rule set B;r has a name that cannot be typed plainly"},
		{"edgeos", "eth1", "eth0",
	         "set zone-policy zone LAN interface eth1\n"
	         "set zone-policy zone WAN interface eth0\n"
	         "set firewall name A default-action drop\n",
	         "No rule set is named between the zone of the phones"},
		{"edgeos", "eth1", "eth0",
	         "set firewall name A default-action drop\n"
	         "set interfaces ethernet eth0 firewall in name A\n",
	         NULL},
		{"vyos", "eth1", "eth0",
	         "// vyos-config-version: \"conntrack@3\"\n"
	         "// Release version: 1.4.0\n"
	         "set system conntrack modules sip port \"1;r\"\n"
	         "set firewall ipv4 forward filter default-action drop\n",
	         "could not be taken back"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wr w = wr_init_heap();
		struct patched p;

		patch_at(&p, rows[i].dialect, rows[i].text, rows[i].in,
		         rows[i].out);
		words_put(&w, &p.out.why, words_english);
		if (rows[i].why ? !p.err || !has(&w, rows[i].why)
		                : p.err || w.n)
			fail_msg("%zu: %d, %.*s", i, p.err, (int)w.n,
			         (char *)w.p);
		wr_fini(&w);
		done(&p);
	}
}

/* What a flowtable takes has the session time of the kernel, whatever a ct
 * timeout gives; what wants no other time stays in it. */
static void test_sip_is_kept_out_of_a_flowtable(void **state)
{
	static const char *const texts[] = {
		"\t\tflow add @f\n\t\taccept\n",
		"\t\tct state established flow add @f\n"
		"\t\tct state established,related accept\n"
		"\t\tudp dport 5060 drop\n\t\taccept\n",
	};

	UNUSED(state);
	for (size_t i = 0; i < 2 * ARRAY_LEN(texts); i++) {
		const bool is_timed = i % 2;
		struct fw_question q = {.n_flows = 2,
		                        .place = {.in = "lan", .out = "wan1"}};
		struct fw_answer *answers;
		struct fw_rules after;
		struct patched p;
		char text[512];
		struct diag dg;

		(void)snprintf(text, sizeof(text),
		               "table inet fw {\n\tflowtable f {\n"
		               "\t\thook ingress priority filter\n\t}\n"
		               "\tchain forward {\n\t\ttype filter hook "
		               "forward priority filter; policy drop;\n%s"
		               "\t}\n}\n",
		               texts[i / 2]);
		patch_for(&p, "nftables", text, "lan", "wan1",
		          is_timed ? 300 : FW_IDLE_UNSET);
		assert_int_equal(p.err, 0);
		assert_int_equal(p.left, 0);
		q.flows = p.flows;
		fw_rules_init(&after);
		diag_init(&dg, &p.arena, NULL, wr_slice(&p.out.patched));
		assert_int_equal(
			fw_dialect_find("nftables")
				->parse(&after, wr_slice(&p.out.patched), &dg),
			0);
		assert_int_equal(fw_answer_all(&answers, &p.arena, &after, &q),
		                 0);
		assert_int_not_equal(answers[0].out.attrs.offload, FW_ON);
		assert_int_not_equal(answers[0].back.attrs.offload, FW_ON);
		assert_int_equal(answers[0].udp_idle_s, 300);
		if (is_timed)
			assert_int_equal(answers[1].udp_idle_s, 300);
		else
			assert_int_equal(answers[1].back.attrs.offload, FW_ON);
		assert_int_equal(count(&p.out.commands, "udp sport 5060"), 1);
		assert_false(has(&p.out.commands, "nft delete"));
		fw_rules_fini(&after);
		done(&p);
	}
}

/* Policies in their order, with all that the audit asks of them. */
static void put_policies(struct wr *w, const struct fw_rules *rules)
{
	for (const struct fw_chain *ch = rules->chains; ch; ch = ch->next) {
		for (const struct fw_rule *r = ch->first; r; r = r->next)
			wr_fmt(w, "%s %s %d %d %d %d %d %d\n", ch->name,
			       r->id ? r->id : "-", (int)r->action,
			       r->is_disabled, (int)r->attrs.alg,
			       (int)r->attrs.udp_idle_s, (int)r->attrs.offload,
			       (int)r->attrs.dscp);
	}
	wr_fmt(w, "%d\n", (int)rules->defaults.udp_idle_s);
}

/* What a patch did and its undo took back is what the box had. */
static void test_undo_leaves_what_was_there(void **state)
{
	static const struct {
		const char *text;
	} heads[] = {
		{""},
		{"#config-version=FGT61F-7.0.14-FW-build1-1:\n"
	         "config system settings\n"
	         "set default-voip-alg-mode kernel-helper-based\nend\n"},
		{"config system session-helper\nedit 13\nset name sip\n"
	         "set protocol 17\nset port 5060\nnext\nedit 14\n"
	         "set name ftp\nset protocol 6\nset port 21\nnext\nend\n"},
		{"config firewall address\nedit \"prumo-sip-1\"\n"
	         "set subnet 192.0.2.9/32\nnext\nend\n"},
	};
	static const char policies[] =
		"config firewall policy\nedit 7\nset srcintf lan\n"
		"set dstintf wan1\nset srcaddr all\nset dstaddr all\n"
		"set action deny\nset service ALL\nnext\nedit 2\n"
		"set srcintf lan\nset dstintf wan1\nset srcaddr all\n"
		"set dstaddr all\nset action accept\nset service ALL\n"
		"next\nend\n";

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		struct wr text = wr_init_heap(), was = wr_init_heap();
		struct wr is = wr_init_heap();
		struct fw_rules back;
		struct patched p;

		wr_str(&text, heads[i].text);
		wr_str(&text, policies);
		wr_u8(&text, 0);
		patch_at(&p, "fortios", (char *)text.p, "lan", "wan1");
		assert_int_equal(p.err, 0);
		assert_true(p.out.undo.n > 0);
		put_policies(&was, &p.rules);
		wr_put(&p.out.patched, wr_slice(&p.out.undo));
		fw_rules_init(&back);
		assert_int_equal(
			fw_dialect_find("fortios")->parse(
				&back, wr_slice(&p.out.patched), &p.dg),
			0);
		put_policies(&is, &back);
		wr_u8(&was, 0);
		wr_u8(&is, 0);
		assert_string_equal((char *)is.p, (char *)was.p);
		fw_rules_fini(&back);
		wr_fini(&text);
		wr_fini(&was);
		wr_fini(&is);
		done(&p);
	}
}

/* Most boxes have no policy for IPv6: that blocks no name, as names have IPv4
 * as well. But where a policy is for one address, or one is for IPv6, both are
 * asked for. */
static void test_a_box_without_ipv6_passes_names(void **state)
{
	static const struct {
		const char *more;
		enum fw_verdict verdict;
	} rows[] = {
		{"set dstaddr \"all\"\n", FW_PASS},
		{"set dstaddr \"192.0.2.1/32\"\n", FW_FAIL},
		{"set dstaddr \"all\"\nset srcaddr6 \"all\"\n"
	         "set dstaddr6 \"2001:db8::1/128\"\n",
	         FW_DONT_KNOW},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wr w = wr_init_heap();
		struct fw_answer *got;
		struct patched p;
		struct fw_flow flow = {.id = "web",
		                       .min_udp_idle_s = FW_IDLE_UNSET,
		                       .min_tcp_idle_s = FW_IDLE_UNSET};
		const struct fw_question q = {
			.flows = &flow,
			.n_flows = 1,
			.place = {.in = "lan", .out = "wan1"}};

		wr_fmt(&w,
		       "#config-version=FGT60F-7.2.5-FW-build1517-230606\n"
		       "config firewall policy\nedit 1\n"
		       "set srcintf \"lan\"\nset dstintf \"wan1\"\n"
		       "set srcaddr \"all\"\n%sset service \"ALL\"\n"
		       "set schedule \"always\"\nset action accept\n"
		       "next\nend\n%c",
		       rows[i].more, '\0');
		patch(&p, (char *)w.p);
		assert_non_null(fw_addrs_add_name(
			&p.arena, &flow.dst, FW_ADDR_NAME, "web.example.net"));
		assert_non_null(fw_services_add(&p.arena, &flow.services,
		                                FW_PROTO_TCP, 443, 443));
		assert_int_equal(fw_answer_all(&got, &p.arena, &p.rules, &q),
		                 0);
		if (got->verdict != rows[i].verdict)
			fail_msg("row %zu: %d", i, (int)got->verdict);
		done(&p);
		wr_fini(&w);
	}
}

/* What the box does to both flows. */
struct did {
	enum fw_verdict verdict[2];
	enum fw_tri alg[2];
	int64_t idle_s[2];
};

static struct did judge(const struct patched *p, struct slice text)
{
	const struct fw_question q = {.flows = p->flows,
	                              .n_flows = 2,
	                              .place = {.in = "lan", .out = "wan1"}};
	struct did did = {.alg = {FW_UNSET}};
	struct fw_answer *an;
	struct fw_rules rules;
	struct arena arena;
	struct diag dg;

	arena_init(&arena);
	fw_rules_init(&rules);
	diag_init(&dg, &arena, "box.conf", text);
	assert_int_equal(fw_dialect_find("fortios")->parse(&rules, text, &dg),
	                 0);
	assert_int_equal(fw_answer_all(&an, &arena, &rules, &q), 0);
	for (size_t i = 0; i < 2; i++) {
		did.verdict[i] = an[i].verdict;
		did.alg[i] = an[i].alg;
		did.idle_s[i] = an[i].udp_idle_s;
	}
	fw_rules_fini(&rules);
	arena_fini(&arena);
	return did;
}

static void put_box(struct wr *w, unsigned n)
{
	static const char *const versions[] = {"5.0.14", "5.4.0", "6.0.5",
	                                       "6.2.2",  "6.4.0", "7.0.0",
	                                       "7.0.14", "7.4.1"};
	static const char *const helpers[] = {
		"", "edit 7\nset name sip\nset protocol 17\nset port 5060\n"
		    "next\n"};
	static const char *const modes[] = {
		"", SETTINGS("set default-voip-alg-mode proxy-based\n"),
		SETTINGS("set default-voip-alg-mode kernel-helper-based\n")};
	static const char *const times[] = {"", "set udp-idle-timer 90\n",
	                                    "set session-ttl 43200\n"};
	static const char *const policies[] = {"", "set session-ttl 300\n",
	                                       "set voip-profile default\n"};
	const char *version = versions[n % 8];
	const bool has_vdom = n / 8 % 2, has_table = n / 16 % 2;

	n /= 32;
	wr_fmt(w,
	       V("%s") "%sconfig system session-helper\n%sedit 8\n"
	               "set name pptp\nset protocol 6\nset port 1723\n"
	               "next\nend\n%s",
	       version, has_vdom ? "config global\n" : "", helpers[n % 2],
	       has_vdom ? "end\nconfig vdom\nedit root\n" : "");
	wr_str(w, modes[n / 2 % 3]);
	if (has_table)
		wr_str(w, "config system session-ttl\nconfig port\nedit 1\n"
		          "set protocol 17\nset timeout 60\nset start-port "
		          "5060\nset end-port 5060\nnext\nend\nend\n");
	wr_fmt(w,
	       "config firewall service custom\nedit \"calls\"\n"
	       "set udp-portrange 5060 10000-65535\n%snext\nend\n",
	       times[n / 6 % 3]);
	wr_fmt(w,
	       "config firewall policy\nedit 1\nset srcintf lan\n"
	       "set dstintf wan1\nset srcaddr all\nset dstaddr all\n"
	       "set action accept\nset schedule always\n"
	       "set service \"calls\"\n%snext\nend\n%s",
	       policies[n / 18 % 3], has_vdom ? "next\nend\n" : "");
}

/* Appended to the box's text, as typed into it. */
static void test_each_box_is_mended_and_put_back(void **state)
{
	UNUSED(state);
	for (unsigned n = 0; n < 8 * 2 * 2 * 2 * 3 * 3 * 3; n++) {
		struct wr w = wr_init_heap();
		struct patched p;
		struct did was, is;
		size_t n_text;

		put_box(&w, n);
		n_text = w.n;
		wr_u8(&w, 0);
		patch(&p, (char *)w.p);
		was = judge(&p, slice_sub(wr_slice(&w), 0, n_text));
		w.n = n_text;
		wr_put(&w, wr_slice(&p.out.commands));
		is = judge(&p, wr_slice(&w));
		for (size_t i = 0; i < 2; i++) {
			if (is.verdict[i] != FW_PASS || is.idle_s[i] < 300 ||
			    (i == 0 && is.alg[i] != FW_OFF))
				fail_msg("box %u, flow %zu: %.*s", n, i,
				         (int)w.n, (char *)w.p);
		}
		wr_put(&w, wr_slice(&p.out.undo));
		is = judge(&p, wr_slice(&w));
		if (memcmp(is.verdict, was.verdict, sizeof(is.verdict)) != 0 ||
		    memcmp(is.alg, was.alg, sizeof(is.alg)) != 0 ||
		    memcmp(is.idle_s, was.idle_s, sizeof(is.idle_s)) != 0)
			fail_msg("box %u, undone: %.*s", n, (int)w.n,
			         (char *)w.p);
		done(&p);
		wr_fini(&w);
	}
}

/* What is not shown may deny before it: the patch says where it must stand. */
static void test_a_patch_of_an_excerpt_says_where_it_stands(void **state)
{
	static const struct {
		const char *text;
		bool is_excerpt;
	} rows[] = {
		{SETTINGS("set sip-nat-trace enable\n"), true},
		{SETTINGS(
			 "set sip-nat-trace enable\n") "config firewall policy\nend\n",
	         false},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct patched p;

		patch(&p, rows[i].text);
		assert_int_equal(p.err, 0);
		assert_true(has(&p.out.commands, "config firewall policy"));
		assert_int_equal(
			has(&p.out.commands, "# The text shows no policies"),
			rows[i].is_excerpt);
		done(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_box_without_ipv6_passes_names),
		cmocka_unit_test(test_undo_puts_each_switch_back),
		cmocka_unit_test(test_undo_knows_each_vdom),
		cmocka_unit_test(test_undo_leaves_what_was_there),
		cmocka_unit_test(test_sessions_of_a_host_are_cleared_once),
		cmocka_unit_test(test_blocks_of_one_table_are_joined),
		cmocka_unit_test(test_services_are_named_as_they_are),
		cmocka_unit_test(test_a_rule_goes_into_the_vdom_of_the_phones),
		cmocka_unit_test(test_no_patch_says_why),
		cmocka_unit_test(test_sip_is_kept_out_of_a_flowtable),
		cmocka_unit_test(
			test_a_patch_of_an_excerpt_says_where_it_stands),
		cmocka_unit_test(test_each_box_is_mended_and_put_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
