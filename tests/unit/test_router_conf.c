/* SPDX-License-Identifier: ISC */
#include "router/conf.h"

#include <errno.h>

#include "base/clock.h"
#include "test.h"

static struct router_conf read(const char *text)
{
	struct router_conf c = router_defaults;
	struct slice bad = {0};

	c.nat = router_nat_defaults;
	c.alg = router_alg_defaults;
	if (router_conf_read(&c, &bad, slice_str(text)) != 0)
		fail_msg("refused: %s", text);
	return c;
}

static void test_read_takes_every_kind(void **state)
{
	struct router_conf c =
		read("persona=timer-only,alg=via+contact , nat=none\n"
	             "mapping=apd,filter=ad,ports=parity,hairpin=on,evict=on,"
	             "mappings=5,udp-new=7,udp-port=5060-5061:9,mtu=600,"
	             "icmp=28,out.delay=20,in.loss=0.25%,in.rate=64,"
	             "out.dscp=46,in.dscp=bleach,alg-port=5080,seed=9,"
	             "rule=reset:tcp:5060-5061:198.51.100.0/24:in:5-9,"
	             "rule=drop:udp,"
	             "rule=drop:udp:5060:[2001:db8:ffff::/48]:in:5-9,"
	             "rule=drop:::[2001:db8::1],alg-change=7");

	UNUSED(state);
	assert_true(c.alg.set == (router_alg_bit(ROUTER_ALG_TIMER) |
	                          router_alg_bit(ROUTER_ALG_VIA) |
	                          router_alg_bit(ROUTER_ALG_CONTACT)));
	assert_int_equal(c.nat.mode, ROUTER_NAT_NONE);
	assert_int_equal(c.nat.mapping, ROUTER_NAT_APD);
	assert_int_equal(c.nat.filter, ROUTER_NAT_AD);
	assert_int_equal(c.nat.ports, ROUTER_NAT_PARITY);
	assert_true(c.nat.has_hairpin && c.nat.evicts);
	assert_int_equal(c.nat.max_mappings, 5);
	assert_int_equal(c.nat.udp_new_ns, 7 * NS_PER_S);
	assert_int_equal(c.nat.n_ranges, 1);
	assert_int_equal(c.nat.ranges[0].high, 5061);
	assert_int_equal(c.mtu, 600);
	assert_int_equal(c.quote_bytes, 28);
	assert_int_equal(c.dirs[0].path.delay_ns, 20 * NS_PER_MS);
	assert_int_equal(c.dirs[1].path.loss_ppm, 2500);
	assert_int_equal(c.dirs[1].path.rate_bps, 64000);
	assert_int_equal(c.dirs[0].mark, 46);
	assert_int_equal(c.dirs[1].dscp, ROUTER_DSCP_BLEACH);
	assert_int_equal(c.alg.port, 5080);
	assert_int_equal(c.alg.change_ns, 7 * NS_PER_S);
	assert_int_equal(c.seed, 9);
	assert_int_equal(c.n_rules, 4);
	assert_true(c.rules[2].is_in && c.rules[2].until_ns == 9 * NS_PER_S);
	assert_int_equal(c.rules[2].dst.net.family, ADDR_IP6);
	assert_int_equal(c.rules[2].dst.n_bits, 48);
	assert_int_equal(c.rules[3].dst.n_bits, 128);
	assert_int_equal(c.rules[0].action, ROUTER_RULE_RESET);
	assert_int_equal(c.rules[0].from_ns, 5 * NS_PER_S);
	assert_true(c.rules[0].is_in && !c.rules[1].is_in);
	assert_int_equal(c.rules[1].proto, ROUTER_UDP);
}

/* Bursts without a share lose all, in the direction that has any. */
static void test_bursts_lose_all_unless_told(void **state)
{
	struct router_conf c = read("out.bad=1,out.good=30,in.bad-loss=40");

	UNUSED(state);
	assert_int_equal(c.dirs[0].path.bad_loss_ppm, ROUTER_PATH_MAX_PPM);
	assert_int_equal(c.dirs[1].path.bad_loss_ppm, 400000);
	assert_int_equal(c.dirs[1].path.bad_ppm, 0);
}

static void test_read_names_what_it_does_not_know(void **state)
{
	static const char *const bad[] = {
		"persona=nobody",
		"alg=via+nothing",
		"nat",
		"nat=maybe",
		"mtu=",
		"mtu=-1",
		"out.loss=101",
		"out.loss=1.23456",
		"out.dscp=64",
		"icmp=27",
		"rule=explode:udp",
		"udp-port=9-5:1",
		"rule=drop:udp:1-0",
		"rule=drop:udp:::up",
		"sideways.loss=1",
		"rule=drop:udp:5060:198.51.100.1/24",
		"rule=drop:udp:0",
		"rule=drop:udp::2001:db8::/32",
		"rule=drop:udp::[2001:db8::/32",
		"rule=drop:udp::[2001:db8::]/32",
		"rule=drop:udp::[]",
		"rule=drop:udp::::9-5",
		"rule=drop:udp::::5-5",
		"alg",
		"alg=",
		"alg-port=0",
		"mtu=575",
		"mtu=1501",
		"mappings=0",
		"mappings=100001",
		"pool=0",
		"pool=5",
		"pooling=random",
		"out.queue=4097",
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct router_conf c = router_defaults;
		struct slice word = {0};

		if (router_conf_read(&c, &word, slice_str(bad[i])) != EBADMSG)
			fail_msg("accepted: %s", bad[i]);
		assert_true(slice_eq_str(word, bad[i]));
	}
}

static void test_read_takes_one_value_of_a_word(void **state)
{
	static const char *const twice[][2] = {
		{"nat=on,mtu=600,nat=on", "nat=on"},
		{"out.loss=1,in.loss=1\nout.loss=2", "out.loss=2"},
		{"seed=1,seed=2", "seed=2"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(twice); i++) {
		struct router_conf c = router_defaults;
		struct slice word = {0};

		assert_int_equal(
			router_conf_read(&c, &word, slice_str(twice[i][0])),
			EEXIST);
		assert_true(slice_eq_str(word, twice[i][1]));
	}
	(void)read("alg=via,alg=contact,persona=asa,persona=sonicwall,"
	           "udp-port=1:1,udp-port=2:1,rule=drop:udp,rule=drop:tcp");
}

static void test_check_names_what_does_nothing_alone(void **state)
{
	static const struct {
		const char *text, *word, *need;
	} cases[] = {
		{"out.queue=9", "out.queue", "out.rate"},
		{"in.queue=9,out.rate=64", "in.queue", "in.rate"},
		{"in.queue=9,in.rate=0", "in.queue", "in.rate"},
		{"in.good=30", "in.good", "in.bad"},
		{"out.good=30,in.bad=1", "out.good", "out.bad"},
		{"out.bad-loss=30", "out.bad-loss", "out.bad"},
		{"out.queue=9,out.rate=64,in.bad=1,in.good=2", NULL, NULL},
		{"out.rate=64,in.bad=1", NULL, NULL},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct router_conf c = read(cases[i].text);
		const char *word = NULL, *need = NULL;

		assert_int_equal(router_conf_check(&c, &word, &need),
		                 cases[i].word ? EBADMSG : 0);
		if (!cases[i].word)
			continue;
		assert_string_equal(word, cases[i].word);
		assert_string_equal(need, cases[i].need);
	}
}

static void test_want_tells_what_was_expected(void **state)
{
	static const char *const cases[][2] = {
		{"nat=maybe", "nat=off|none|on"},
		{"mtu=9000", "mtu=576..1500"},
		{"hairpin=yes", "hairpin=off|on"},
		{"in.loss=101", "in.loss=0..100"},
		{"in.queue=-1", "in.queue=0..4096"},
		{"out.dscp=64", "out.dscp=keep|bleach|0..63"},
		{"icmp=27", "icmp=full|silent|28..1400"},
		{"udp-port=1", "udp-port=LOW-HIGH:SECONDS"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct wr w = wr_init_heap();

		router_conf_want(&w, slice_str(cases[i][0]));
		assert_true(slice_eq_str(wr_slice(&w), cases[i][1]));
		wr_fini(&w);
	}
}

/* Of an unknown word, every key; of a persona, every name. */
static void test_want_lists_what_there_is(void **state)
{
	struct wr w = wr_init_heap();
	struct slice all;

	UNUSED(state);
	router_conf_want(&w, slice_str("colour=red"));
	router_conf_want(&w, slice_str("persona=nobody"));
	all = wr_slice(&w);
	assert_true(slice_find(all, slice_str("pooling=")) != SIZE_MAX);
	assert_true(slice_find(all, slice_str("in.dscp=")) != SIZE_MAX);
	assert_true(slice_find(all, slice_str("|sonicwall|")) != SIZE_MAX);
	wr_fini(&w);
}

/* The timer of an ALG comes after those that were asked for. */
static void test_ranges_leave_room_for_the_alg(void **state)
{
	struct router_conf c = read("pool=2");
	struct slice bad = {0};

	UNUSED(state);
	assert_int_equal(c.n_pool, 2);
	for (unsigned i = 0; i < ROUTER_CONF_MAX_RANGES; i++)
		assert_int_equal(
			router_conf_read(&c, &bad, slice_str("udp-port=1:1")),
			0);
	assert_int_equal(router_conf_read(&c, &bad, slice_str("udp-port=1:1")),
	                 EBADMSG);
	assert_true(c.nat.n_ranges < ROUTER_NAT_MAX_RANGES);
}

static void test_help_names_everything(void **state)
{
	struct wr w = wr_init_heap();

	UNUSED(state);
	router_conf_help(&w);
	assert_int_not_equal(slice_find(wr_slice(&w), slice_str("in.bad-loss")),
	                     SIZE_MAX);
	for (size_t i = 0; i < ROUTER_ALG_BEHAVIOURS; i++)
		assert_int_not_equal(
			slice_find(wr_slice(&w),
		                   slice_str(router_alg_behaviours[i].does)),
			SIZE_MAX);
	wr_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_takes_every_kind),
		cmocka_unit_test(test_bursts_lose_all_unless_told),
		cmocka_unit_test(test_read_names_what_it_does_not_know),
		cmocka_unit_test(test_read_takes_one_value_of_a_word),
		cmocka_unit_test(test_check_names_what_does_nothing_alone),
		cmocka_unit_test(test_want_tells_what_was_expected),
		cmocka_unit_test(test_want_lists_what_there_is),
		cmocka_unit_test(test_ranges_leave_room_for_the_alg),
		cmocka_unit_test(test_help_names_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
