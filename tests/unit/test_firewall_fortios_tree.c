/* SPDX-License-Identifier: ISC */
/* What commands do to lists and names: the words that a policy ends with. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "firewall_box.h"
#include "oom.h"

static void open_str(struct read *r, const char *text)
{
	open_as(r, "fortios", slice_str(text));
}

static const struct fw_rule *rule_of(const struct read *r, const char *id)
{
	const struct fw_rule *p = r->rules.chains->first;

	while (p && strcmp(p->id, id) != 0)
		p = p->next;
	return p;
}

/* "1 2": the last bytes of its addresses, in their order. */
static void put_dst(char text[static 128], const struct fw_rule *p)
{
	struct wr w = wr_init(text, 127);

	for (const struct fw_addr *a = p->dst.first; a; a = a->next) {
		if (w.n)
			wr_u8(&w, ' ');
		if (a->kind == FW_ADDR_RANGE)
			wr_fmt(&w, "%u", (unsigned)(a->lo.lo & 0xff));
		else
			wr_str(&w, a->name);
	}
	text[w.n] = '\0';
}

#define ADDRESS(name, last)              \
	"edit \"" name "\"\nset subnet " \
	"192.0.2." last " 255.255.255.255\nnext\n"
#define ADDRESSES                                                       \
	"config firewall address\n" ADDRESS("a", "1") ADDRESS("b", "2") \
		ADDRESS("c c", "3") ADDRESS("d", "4")                   \
			ADDRESS("e", "5") "end\n"
#define GROUP(lines) "config firewall addrgrp\nedit \"g\"\n" lines "next\nend\n"
#define POLICY(id, lines)                                                  \
	"config firewall policy\nedit " id "\nset srcintf any\n"           \
	"set dstintf any\nset srcaddr all\nset service ALL\nset schedule " \
	"always\nset action accept\n" lines "next\nend\n"

static void test_lists_end_as_the_commands_leave_them(void **state)
{
	static const struct {
		const char *why, *lines, *want;
	} rows[] = {
		{"set", "set dstaddr a b\n", "1 2"},
		{"with a remark", "set dstaddr a \"c c\"  # and b\n", "1 3"},
		{"with a remark after blanks", "set dstaddr a\t#\tb\n", "1"},
		{"set overrides", "set dstaddr a b\nset dstaddr d\n", "4"},
		{"append", "set dstaddr a\nappend dstaddr b \"c c\"\n",
	         "1 2 3"},
		{"append to nothing", "append dstaddr b\n", "2"},
		{"unselect one",
	         "set dstaddr a b \"c c\"\nunselect dstaddr b\n", "1 3"},
		{"the first", "set dstaddr a b\nunselect dstaddr a\n", "2"},
		{"the last, quoted",
	         "set dstaddr a \"c c\"\nunselect dstaddr \"c c\"\n", "1"},
		{"several at once",
	         "set dstaddr a b \"c c\" d e\nunselect dstaddr b d\n",
	         "1 3 5"},
		{"several lines",
	         "set dstaddr a b \"c c\" d\nunselect dstaddr a\n"
	         "unselect dstaddr d\n",
	         "2 3"},
		{"of what was appended",
	         "set dstaddr a\nappend dstaddr b d\nunselect dstaddr d\n",
	         "1 2"},
		{"all that was appended",
	         "set dstaddr a\nappend dstaddr b\nunselect dstaddr b\n"
	         "append dstaddr e\n",
	         "1 5"},
		{"taken out, and in again",
	         "set dstaddr a b\nunselect dstaddr a\nappend dstaddr a\n",
	         "2 1"},
		{"all of the set, then others",
	         "set dstaddr a b\nunselect dstaddr a b\nappend dstaddr d\n",
	         "4"},
		{"what is not in it", "set dstaddr a\nunselect dstaddr e\n",
	         "1"},
		{"a later set knows nothing of it",
	         "set dstaddr a b\nunselect dstaddr a\nset dstaddr a d\n",
	         "1 4"},
		{"select is all there is",
	         "set dstaddr a b d\nselect dstaddr b\n", "2"},
		{"unset, then append",
	         "set dstaddr a b\nunset dstaddr\nappend dstaddr d\n", "4"},
		{"clear, then append",
	         "set dstaddr a b\nclear dstaddr\nappend dstaddr d\n", "4"},
		{"another list is another",
	         "set dstaddr a b\nunselect srcaddr a\n", "1 2"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[2048], got[128];
		struct read r;

		(void)snprintf(text, sizeof(text), "%s%s%s%s", ADDRESSES,
		               "config firewall policy\nedit 1\n"
		               "set srcintf any\nset dstintf any\n"
		               "set srcaddr all\nset service ALL\n"
		               "set action accept\n",
		               rows[i].lines, "next\nend\n");
		open_str(&r, text);
		put_dst(got, rule_of(&r, "1"));
		if (r.err || r.dg.n_items || strcmp(got, rows[i].want) != 0)
			fail_msg("%s: err %d, %s", rows[i].why, r.err, got);
		done(&r);
	}
}

/* A list of nothing matches nothing; it is never "any". */
static void test_empty_lists_match_nothing(void **state)
{
	static const char *const lines[] = {
		"set dstaddr a\nunselect dstaddr a\n",
		"set dstaddr a\nunset dstaddr\n",
		"set dstaddr a\nclear dstaddr\n",
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		char text[2048];
		struct read r;

		(void)snprintf(text, sizeof(text), "%s%s%s%s", ADDRESSES,
		               "config firewall policy\nedit 1\n"
		               "set srcaddr all\nset service ALL\n"
		               "set action accept\n",
		               lines[i], "next\nend\n");
		open_str(&r, text);
		assert_true(rule_of(&r, "1")->is_disabled);
		done(&r);
	}
}

static void test_groups_and_ports_lose_what_was_unselected(void **state)
{
	const struct fw_rule *p;
	char got[128];
	struct read r;

	UNUSED(state);
	open_str(
		&r,
		ADDRESSES GROUP(
			"set member a b d\nunselect member b\n") "config firewall service custom\nedit s\n"
								 "set udp-portrange 5060-5061 5080 10000-65535\n"
								 "unselect udp-portrange 5080\nnext\nend\n"
								 "config firewall policy\nedit 1\nset srcintf lan\n"
								 "set dstintf wan1 wan2\nunselect dstintf wan1\n"
								 "set srcaddr all\nset dstaddr g\nset service s\n"
								 "set action accept\nnext\nend\n");
	assert_int_equal(r.err, 0);
	assert_int_equal(r.dg.n_items, 0);
	p = rule_of(&r, "1");
	put_dst(got, p);
	assert_string_equal(got, "1 4");
	assert_string_equal(p->out.first->name, "wan2");
	assert_null(p->out.first->next);
	assert_int_equal(p->services.first->dport_hi, 5061);
	assert_int_equal(p->services.first->next->dport_lo, 10000);
	assert_null(p->services.first->next->next);
	done(&r);
}

/* The box's references follow a rename; a new object of the old name is
 * another one. */
static void test_names_mean_whom_they_meant(void **state)
{
	static const struct {
		const char *why, *text, *want[3];
	} rows[] = {
		{"the old name goes on",
	         ADDRESSES POLICY(
			 "1",
			 "set dstaddr a\n") "config firewall address\nrename a to z\nend\n",
	         {"1"}},
		{"a new object takes it",
	         ADDRESSES
	                 POLICY("1", "set dstaddr a\n") "config firewall address\nrename a to z\n" ADDRESS(
				 "a", "9") "end\n" POLICY("2",
	                                                  "set dstaddr a\n")
	                         POLICY("3", "set dstaddr z a\n"),
	         {"1", "9", "1 9"}},
		{"another one is renamed to it",
	         ADDRESSES POLICY("1", "set dstaddr a\n") POLICY(
			 "2",
			 "set dstaddr b\n") "config firewall address\nrename a to z\n"
	                                    "rename b to a\nend\n" POLICY(
						    "3", "set dstaddr a z\n"),
	         {"1", "2", "2 1"}},
		{"there and back",
	         ADDRESSES POLICY("1", "set dstaddr a\n") "config firewall address\nrename a to z\n" ADDRESS(
			 "a",
			 "9") "end\n" POLICY("2",
	                                     "set dstaddr a\n") "config firewall address\nrename a to y\n"
	                                                        "rename z to a\nend\n" POLICY(
									"3",
									"set dstaddr a y\n"),
	         {"1", "9", "1 9"}},
		{"a clone repeats what was meant",
	         ADDRESSES
	                 POLICY("1", "set dstaddr a\n") "config firewall address\nrename a to z\n" ADDRESS(
				 "a", "9") "end\nconfig firewall policy\n"
	                                   "clone 1 to 2\nend\n",
	         {"1", "1"}},
		{"members of a group",
	         ADDRESSES GROUP("set member a b\n")
	                 POLICY("1", "set dstaddr g\n") "config firewall address\nrename a to z\n" ADDRESS(
				 "a",
				 "9") "end\nconfig firewall addrgrp\nedit g\n"
	                              "append member a\nnext\nend\n",
	         {"1 2 9"}},
		{"a group itself",
	         ADDRESSES GROUP("set member a\n") POLICY(
			 "1",
			 "set dstaddr g\n") "config firewall addrgrp\nrename g to h\n"
	                                    "edit g\nset member b\nnext\nend\n" POLICY(
						    "2", "set dstaddr g h\n"),
	         {"1", "2 1"}},
	};
	static const char *const ids[] = {"1", "2", "3"};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct read r;

		open_str(&r, rows[i].text);
		if (r.err || r.dg.n_items)
			fail_msg("%s: err %d, %zu", rows[i].why, r.err,
			         r.dg.n_items);
		for (size_t k = 0; k < ARRAY_LEN(ids); k++) {
			char got[128];

			if (!rows[i].want[k])
				continue;
			put_dst(got, rule_of(&r, ids[k]));
			if (strcmp(got, rows[i].want[k]) != 0)
				fail_msg("%s: policy %s: %s", rows[i].why,
				         ids[k], got);
		}
		done(&r);
	}
}

static void test_services_and_zones_follow_their_names(void **state)
{
	const struct fw_rule *p;
	struct read r;

	UNUSED(state);
	open_str(&r, "config firewall service custom\nedit s\n"
	             "set udp-portrange 5060\nset udp-idle-timer 60\nnext\n"
	             "end\nconfig system zone\nedit lan\n"
	             "set interface port1\nnext\nend\n"
	             "config firewall policy\nedit 1\nset srcintf lan\n"
	             "set dstintf any\nset srcaddr all\nset dstaddr all\n"
	             "set service s\nset action accept\nnext\nend\n"
	             "config firewall service custom\nrename s to t\nedit s\n"
	             "set tcp-portrange 80\nnext\nend\n"
	             "config system zone\nrename lan to office\nend\n");
	assert_int_equal(r.err, 0);
	p = rule_of(&r, "1");
	assert_int_equal(p->services.first->proto, FW_PROTO_UDP);
	assert_string_equal(p->services.first->name, "t");
	assert_null(p->services.first->next);
	assert_int_equal(p->attrs.udp_idle_s, 60);
	assert_string_equal(p->in.first->name, "office");
	assert_string_equal(p->in.first->next->name, "port1");
	done(&r);
}

/* Lines that undo each other cost no more than lines. */
static void test_many_unselects_take_no_time(void **state)
{
	enum {
		MANY = 20000
	};
	struct wr w = wr_init_heap();
	const struct fw_rule *p;
	struct read r;
	char got[128];

	UNUSED(state);
	wr_str(&w, ADDRESSES "config firewall policy\nedit 1\n"
	                     "set srcaddr all\nset service ALL\n"
	                     "set action accept\nset dstaddr a\n");
	for (unsigned i = 0; i < MANY; i++)
		wr_fmt(&w, "append dstaddr x%u b\nunselect dstaddr x%u b\n", i,
		       i);
	wr_str(&w, "next\nend\n");
	wr_u8(&w, 0);
	open_str(&r, (char *)w.p);
	assert_int_equal(r.err, 0);
	p = rule_of(&r, "1");
	put_dst(got, p);
	assert_string_equal(got, "1");
	done(&r);
	wr_fini(&w);
}

static void test_lists_without_memory(void **state)
{
	unsigned long n = 0;
	struct read r;

	UNUSED(state);
	do {
		oom_after(n++);
		open_str(
			&r,
			ADDRESSES POLICY(
				"1",
				"set dstaddr a b d\nunselect "
				"dstaddr b\n") "config firewall address\nrename a to z\n" ADDRESS("a",
		                                                                                  "9") "end\n");
		oom_after(OOM_NEVER);
		assert_true(r.err == 0 || r.err == ENOMEM);
		done(&r);
	} while (r.err);
	assert_true(n > 2);
}

/* A session that was pasted repeats what "show" says; what was typed after it
 * belongs to the block that was open. */
static void test_an_answer_to_show_closes_nothing(void **state)
{
	static const struct {
		const char *text;
		enum fw_tri alg;
	} rows[] = {
		{"FGT # config system session-helper\n"
	         "FGT (session-helper) # show\n"
	         "config system session-helper\nedit 1\nset name pptp\nnext\n"
	         "edit 13\nset name sip\nset protocol 17\nset port 5060\n"
	         "next\nend\nFGT (session-helper) # delete 13\n"
	         "FGT (session-helper) # end\n",
	         FW_OFF},
		{"config system session-helper\nedit 1\nset name pptp\nnext\n"
	         "edit 13\nset name sip\nnext\nedit 1\nshow\n"
	         "config system session-helper\nedit 1\nset name pptp\nnext\n"
	         "end\nset port 1723\nnext\ndelete 13\nend\n",
	         FW_OFF},
		{"config system session-helper\nedit 1\nset name pptp\nnext\n"
	         "edit 13\nset name sip\nnext\nshow\nend\n"
	         "config system session-helper\nedit 1\nset port 1723\nnext\n"
	         "end\n",
	         FW_ON},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct fw_setting *s;
		struct read r;

		open_str(&r, rows[i].text);
		s = r.rules.settings;
		while (s && strcmp(s->id, "session-helper.sip") != 0)
			s = s->next;
		assert_non_null(s);
		if (r.err || r.dg.n_warnings || s->attrs.alg != rows[i].alg)
			fail_msg("%zu: %d, %zu warnings, %s", i, r.err,
			         (size_t)r.dg.n_warnings,
			         fw_tri_name(s->attrs.alg));
		done(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists_end_as_the_commands_leave_them),
		cmocka_unit_test(test_empty_lists_match_nothing),
		cmocka_unit_test(
			test_groups_and_ports_lose_what_was_unselected),
		cmocka_unit_test(test_names_mean_whom_they_meant),
		cmocka_unit_test(test_services_and_zones_follow_their_names),
		cmocka_unit_test(test_many_unselects_take_no_time),
		cmocka_unit_test(test_an_answer_to_show_closes_nothing),
		cmocka_unit_test(test_lists_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
