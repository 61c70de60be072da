/* SPDX-License-Identifier: ISC */
/* What commands after an export leave of its rules. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "firewall_box.h"
#include "oom.h"

static void open_str(struct read *r, const char *text)
{
	open_as(r, "routeros", slice_str(text));
}

/* "a b- !c": the comments of a chain's rules; "-" is disabled, "!" drops, "?"
 * is in doubt. */
static void put_chain(char text[static 256], const struct read *r)
{
	const struct fw_chain *ch =
		fw_chain_find(&r->rules, "filter", "forward");
	struct wr w = wr_init(text, 255);

	for (const struct fw_rule *p = ch->first; p; p = p->next) {
		if (w.n)
			wr_u8(&w, ' ');
		if (p->action == FW_DROP)
			wr_u8(&w, '!');
		wr_str(&w, p->name ? p->name : "_");
		if (p->is_disabled)
			wr_u8(&w, '-');
		if (p->conditional)
			wr_u8(&w, '?');
	}
	text[w.n] = '\0';
}

#define RULES                                                        \
	"/ip firewall filter\n"                                      \
	"add chain=forward comment=a\n"                              \
	"add chain=input comment=in\n"                               \
	"add action=drop chain=forward comment=\"b b\" dst-port=25 " \
	"protocol=tcp\n"                                             \
	"add chain=forward comment=c disabled=yes\n"                 \
	"add chain=forward comment=d dst-address=192.0.2.1\n"

/* a, in, b b, c-, d are 0 to 4. */
static void test_commands_change_what_they_mean(void **state)
{
	static const struct {
		const char *why, *text, *want;
	} rows[] = {
		{"nothing", "", "a !b b c- d"},
		{"remove by number", "remove 2\n", "a c- d"},
		{"of another chain", "remove 1\n", "a !b b c- d"},
		{"several", "remove 0,3\n", "!b b d"},
		{"numbers=", "remove numbers=4\n", "a !b b c-"},
		{"by its comment", "remove [find comment=\"b b\"]\n", "a c- d"},
		{"with where", "remove [find where comment=a]\n", "!b b c- d"},
		{"with blanks", "remove [ find where comment=a ]\n",
	         "!b b c- d"},
		{"full path", "/ip firewall filter remove [find comment=d]\n",
	         "a !b b c-"},
		{"version 7 path",
	         "/ip/firewall/filter/remove [find comment=d]\n", "a !b b c-"},
		{"by its chain", "remove [find chain=forward]\n", ""},
		{"by action", "disable [find action=drop]\n", "a !b b- c- d"},
		{"an action that is not said",
	         "disable [find chain=forward action=accept]\n",
	         "a- !b b c- d-"},
		{"and", "disable [find chain=forward and action=drop]\n",
	         "a !b b- c- d"},
		{"not", "disable [find chain=forward action!=drop]\n",
	         "a- !b b c- d-"},
		{"what is switched off", "remove [find disabled]\n",
	         "a !b b d"},
		{"what is not", "remove [find chain=forward !disabled]\n",
	         "c-"},
		{"disabled=no", "remove [find chain=forward disabled=no]\n",
	         "c-"},
		{"nothing is dynamic", "remove [find dynamic]\n",
	         "a !b b c- d"},
		{"a part of a comment", "remove [find comment~\"b\"]\n",
	         "a c- d"},
		{"the beginning of one", "remove [find comment~\"^b\"]\n",
	         "a c- d"},
		{"the whole of one", "remove [find comment~\"^.\\$\"]\n",
	         "a? !b b? c-? d?"},
		{"the end of one", "remove [find comment~\"b$\"]\n", "a c- d"},
		{"all", "disable [find]\n", "a- !b b- c- d-"},
		{"none", "disable [find comment=zzz]\n", "a !b b c- d"},
		{"enable", "enable 3\n", "a !b b c d"},
		{"set", "set 3 disabled=no action=drop\n", "a !b b !c d"},
		{"set a name", "set [find comment=a] comment=z\n",
	         "z !b b c- d"},
		{"set by what was set",
	         "set 0 comment=z\nremove [find comment=z]\n", "!b b c- d"},
		{"comment", "comment 0 \"new name\"\n", "new name !b b c- d"},
		{"comment=", "comment 0 comment=z\n", "z !b b c- d"},
		{"another chain", "set 0 chain=input\n", "!b b c- d"},
		{"into this chain", "set 1 chain=forward\n", "a in !b b c- d"},
		{"unset", "unset 0 comment\n", "_ !b b c- d"},
		{"unset with a name", "unset 0 value-name=comment\n",
	         "_ !b b c- d"},
		{"set to nothing", "set 0 !comment\n", "_ !b b c- d"},
		{"move up", "move 4 0\n", "d a !b b c-"},
		{"move down", "move 0 4\n", "!b b c- a d"},
		{"move to the end", "move 0\n", "!b b c- d a"},
		{"move by names",
	         "move [find comment=d] [find comment=\"b b\"]\n",
	         "a d !b b c-"},
		{"with words", "move numbers=4 destination=0\n", "d a !b b c-"},
		{"several keep their order", "move 3,4 0\n", "c- d a !b b"},
		{"a number is what it was",
	         "set 0 comment=z\nset 0 disabled=yes\n", "z- !b b c- d"},
		{"print gives new numbers", "remove 0\nprint\nremove 1\n",
	         "c- d"},
		{"before what has no number change",
	         "remove 4\nset 0 comment=z\n", "z !b b c-"},
		{"picked", "remove [:pick [find where chain=\"forward\"] 1]\n",
	         "a c- d"},
		{"counters", "reset-counters 0\nreset-counters-all\n",
	         "a !b b c- d"},
		{"added before a number",
	         "add chain=forward comment=n place-before=2\n",
	         "a n !b b c- d"},
		{"added before a name, and moved",
	         "add chain=forward comment=n place-before=[find comment=d]\n"
	         "move [find comment=n] 0\n",
	         "n a !b b c- d"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[1024], got[256];
		struct read r;

		(void)snprintf(text, sizeof(text), "%s%s", RULES, rows[i].text);
		open_str(&r, text);
		put_chain(got, &r);
		if (r.err || strcmp(got, rows[i].want) != 0)
			fail_msg("%s: %d, %s", rows[i].why, r.err, got);
		if (!strchr(got, '?') && r.dg.n_items)
			fail_msg("%s: %s", rows[i].why, r.dg.first->message);
		done(&r);
	}
}

/* What cannot be known leaves all in doubt, with the line that does it. */
static void test_what_is_not_certain_is_in_doubt(void **state)
{
	static const char *const texts[] = {
		"remove 9\n",
		"remove *1A\n",
		"remove\n",
		"set 0,x disabled=yes\n",
		"remove [find where chain=forward or chain=input]\n",
		"remove [find (chain=forward)]\n",
		"remove [find dst-address=192.0.2.1/32]\n",
		"remove [find comment~\"a|b\"]\n",
		"remove [find]]\n",
		"remove [get 0]\n",
		"move 0 9\n",
		"move [find comment=a] [find chain=forward]\n",
		"move 0,1 1\n",
		"edit 0 comment\n",
		/* Counted anew, or as it was seen: not the same rule. */
		"remove 0\nremove 0\n",
		"move 4 0\nset 2 disabled=yes\n",
		("set 0 comment=a\nadd chain=forward place-before=0\n"
	         "set 0 disabled=yes\n"),
		/* The box counts rules that it adds by itself. */
		"add chain=forward action=fasttrack-connection\nremove 0\n",
		("/ip hotspot add interface=bridge\n/ip firewall filter\n"
	         "remove 0\n"),
		"/ip upnp set enabled=yes\n/ip firewall filter\nremove 0\n",
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const struct fw_rule *p;
		char text[1024];
		struct read r;

		(void)snprintf(text, sizeof(text), "%s%s", RULES, texts[i]);
		open_str(&r, text);
		p = fw_chain_find(&r.rules, "filter", "forward")->first;
		assert_int_equal(r.err, 0);
		if (!p || !p->conditional || !r.dg.n_warnings)
			fail_msg("%s", texts[i]);
		assert_true(r.dg.first->line > 5);
		done(&r);
	}
}

/* A list that holds nothing in the text may be filled by the box itself. */
static void test_lists_are_followed_too(void **state)
{
	static const struct {
		const char *why, *text;
		enum fw_verdict verdict;
	} rows[] = {
		{"as it is", "", FW_PASS},
		{"removed", "/ip firewall address-list remove [find list=cp]\n",
	         FW_DONT_KNOW},
		{"by its mark",
	         "/ip firewall address-list remove [find list~\"^c\"]\n",
	         FW_DONT_KNOW},
		{"switched off",
	         "/ip firewall address-list disable [find list=cp]\n",
	         FW_DONT_KNOW},
		{"another address",
	         "/ip firewall address-list set [find list=cp] "
	         "address=192.0.2.7\n",
	         FW_FAIL},
		{"by a number, which is not known",
	         "/ip firewall address-list remove 0\n", FW_DONT_KNOW},
		{"interfaces",
	         "/interface list member remove [find list=LAN]\n",
	         FW_DONT_KNOW},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct fw_place place = {.in = "bridge", .out = "ether1"};
		struct fw_flow f = {.id = "sip",
		                    .min_udp_idle_s = -1,
		                    .min_tcp_idle_s = -1};
		struct fw_question q = {
			.flows = &f, .n_flows = 1, .place = place};
		struct fw_answer *answers;
		char text[1024];
		struct fw_ip lo, hi;
		struct read r;

		(void)snprintf(text, sizeof(text),
		               "/interface list member\n"
		               "add list=LAN interface=bridge\n"
		               "/ip firewall address-list\n"
		               "add list=cp address=198.51.100.1\n"
		               "/ip firewall filter\n"
		               "add chain=forward dst-address-list=cp "
		               "in-interface-list=LAN\n"
		               "add chain=forward action=drop\n%s",
		               rows[i].text);
		open_str(&r, text);
		assert_int_equal(
			fw_ip_parse(&lo, &hi, slice_str("198.51.100.1")), 0);
		assert_non_null(fw_addrs_add_range(&r.arena, &f.dst, lo, hi));
		assert_non_null(
			fw_services_add(&r.arena, &f.services, 17, 5060, 5060));
		assert_int_equal(
			fw_answer_all(&answers, &r.arena, &r.rules, &q), 0);
		if (answers[0].out.verdict != rows[i].verdict)
			fail_msg("%s: %d", rows[i].why, answers[0].out.verdict);
		done(&r);
	}
}

/* An empty value asks for nothing; a state that is not known is not none. */
static void test_empty_values_ask_for_nothing(void **state)
{
	static const struct {
		const char *args;
		bool is_all, is_doubt;
	} rows[] = {
		{"connection-state=\"\"", true, false},
		{"connection-state=", true, false},
		{"src-address-list=\"\" dst-port=\"\" protocol=\"\"", true,
	         false},
		{"in-interface=\"\" out-interface-list=\"\"", true, false},
		{"!connection-state !dst-port", true, false},
		{"connection-state=new", false, false},
		{"connection-state=new,dnat", true, true},
		{"whatever", true, true},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct fw_rule *p;
		char text[256];
		struct read r;

		(void)snprintf(text, sizeof(text),
		               "/ip firewall filter\nadd chain=forward %s\n",
		               rows[i].args);
		open_str(&r, text);
		p = fw_chain_find(&r.rules, "filter", "forward")->first;
		if (p->is_disabled ||
		    (p->states == FW_STATE_ALL) != rows[i].is_all ||
		    !!p->conditional != rows[i].is_doubt)
			fail_msg("%s: states %x", rows[i].args, p->states);
		assert_null(p->services.first);
		done(&r);
	}
}

/* The undo of a patch, run after it, leaves what was there. */
static void test_undo_takes_the_patch_back(void **state)
{
	struct fw_flow f = {.id = "sip",
	                    .title = "SIP",
	                    .is_sip = true,
	                    .min_udp_idle_s = 300,
	                    .min_tcp_idle_s = -1};
	struct fw_question q = {.flows = &f,
	                        .n_flows = 1,
	                        .place = {.in = "bridge", .out = "ether1"}};
	struct fw_patch_out out;
	struct fw_ip lo, hi;
	struct read r, back;
	char got[256];
	size_t left;

	UNUSED(state);
	open_str(&r, RULES "add action=drop chain=forward comment=e\n"
	                   "move [find comment=e] 0\n");
	assert_int_equal(fw_ip_parse(&lo, &hi, slice_str("198.51.100.1")), 0);
	assert_non_null(fw_addrs_add_range(&r.arena, &f.dst, lo, hi));
	assert_non_null(fw_services_add(&r.arena, &f.services, 17, 5060, 5060));
	fw_patch_init(&out);
	assert_int_equal(fw_patch_make(&out, &left, &r.rules, &q), 0);
	assert_int_equal(left, 0);
	wr_put(&out.patched, wr_slice(&out.undo));
	wr_u8(&out.patched, 0);
	open_str(&back, (char *)out.patched.p);
	put_chain(got, &back);
	assert_string_equal(got, "!e a !b b c- d");
	assert_int_equal(back.dg.n_items, 0);
	assert_int_equal(back.rules.defaults.alg, FW_ON);
	assert_int_equal(back.rules.defaults.udp_idle_s, 180);
	done(&back);
	fw_patch_fini(&out);
	done(&r);
}

static void test_many_commands_take_no_time(void **state)
{
	enum {
		MANY = 20000
	};
	struct wr w = wr_init_heap();
	char got[256];
	struct read r;

	UNUSED(state);
	wr_str(&w, RULES);
	for (unsigned i = 0; i < MANY; i++)
		wr_fmt(&w, "add chain=x comment=\"n%u\"\n", i);
	for (unsigned i = 0; i < MANY; i++)
		wr_fmt(&w, "set [find comment~\"n%u\"] log=yes\n", i);
	wr_u8(&w, 0);
	open_str(&r, (char *)w.p);
	assert_int_equal(r.err, 0);
	/* Past what is spent on them, they are in doubt. */
	put_chain(got, &r);
	assert_string_equal(got, "a? !b b? c-? d?");
	done(&r);
	wr_fini(&w);
}

static void test_commands_without_memory(void **state)
{
	unsigned long n = 0;
	struct read r;

	UNUSED(state);
	do {
		oom_after(n++);
		open_str(&r, RULES "set 0 comment=z\nmove 4 0\n"
		                   "comment 0 \"x\"\n"
		                   "remove [find action=drop]\n");
		oom_after(OOM_NEVER);
		assert_true(r.err == 0 || r.err == ENOMEM);
		done(&r);
	} while (r.err);
	assert_true(n > 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands_change_what_they_mean),
		cmocka_unit_test(test_what_is_not_certain_is_in_doubt),
		cmocka_unit_test(test_lists_are_followed_too),
		cmocka_unit_test(test_empty_values_ask_for_nothing),
		cmocka_unit_test(test_undo_takes_the_patch_back),
		cmocka_unit_test(test_many_commands_take_no_time),
		cmocka_unit_test(test_commands_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
