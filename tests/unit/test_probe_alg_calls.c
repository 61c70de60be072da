/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <string.h>

#include "base/text.h"
#include "probe/alg.h"
#include "wire/mirror.h"

enum {
	GREET = ALG_NUM_CALLS,
	AGAIN = ALG_NUM_CALLS + ALG_PHONES,
	BEFORE = ALG_NUM_CALLS + 2 * ALG_PHONES,
	AFTER = BEFORE + ALG_PHONES,
	PORT = 40000,
};

static struct alg a;

static void on_kick(void *arg)
{
	UNUSED(arg);
}

static int set_up(void **state)
{
	UNUSED(state);
	memset(&a, 0, sizeof(a));
	return net_timer_alloc(&a.timer, on_kick, &a);
}

static int tear_down(void **state)
{
	UNUSED(state);
	net_timer_free(a.timer);
	return 0;
}

static void knock(unsigned number, unsigned n)
{
	while (n--)
		assert_true(alg_calls_take_knock(&a, number));
}

static void test_registered_phone_alone_is_open(void **state)
{
	static const struct {
		const char *why;
		unsigned in_before, out_before, in_after, out_after;
		bool is_done, want;
	} rounds[] = {
		{"the box", 0, 0, 4, 0, true, true},
		{"with loss", 0, 0, 2, 0, true, true},
		{"one alone may be chance", 0, 0, 1, 0, true, false},
		{"nothing", 0, 0, 0, 0, true, false},
		{"open for all", 4, 4, 4, 4, true, false},
		{"it was open before", 1, 0, 4, 0, true, false},
		{"so was the other", 0, 1, 4, 0, true, false},
		{"the other is open now", 0, 0, 4, 1, true, false},
		{"broken off: the other's may be under way", 0, 0, 3, 0, false,
	         false},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rounds); i++) {
		memset(&a.calls, 0, sizeof(a.calls));
		knock(BEFORE + ALG_PHONE_IN, rounds[i].in_before);
		knock(BEFORE + ALG_PHONE_OUT, rounds[i].out_before);
		knock(AFTER + ALG_PHONE_IN, rounds[i].in_after);
		knock(AFTER + ALG_PHONE_OUT, rounds[i].out_after);
		a.calls.is_done = rounds[i].is_done;
		if (alg_calls_is_open(&a) != rounds[i].want)
			fail_msg("%s", rounds[i].why);
	}
	assert_false(alg_calls_take_knock(&a, AFTER + ALG_PHONES));
	assert_false(alg_calls_take_knock(&a, GREET));
}

/* As the edge answers: its body tells what it saw. */
static void answer(unsigned number, unsigned status, uint16_t port)
{
	const struct wire_mirror mirror = {
		.flags = WIRE_MIRROR_OMITTED,
		.transport = WIRE_UDP,
		.source = {.family = ADDR_IP4,
	                   .ip = {203, 0, 113, 7},
	                   .port = port},
	};
	struct wr bin = wr_init_heap(), text = wr_init_heap();
	struct sip_msg m;

	wire_mirror_put(&bin, &mirror);
	wr_fmt(&text, "SIP/2.0 %u Said\r\n\r\n", status);
	text_base64_put(&text, wr_slice(&bin), WIRE_MIRROR_LINE_CHARS);
	wr_str(&text, "\r\n");
	assert_false(bin.bad || text.bad);
	sip_msg_read(&m, wr_slice(&text));
	assert_true(alg_calls_take_answer(&a, number, &m));
	wr_fini(&text);
	wr_fini(&bin);
}

static void greet(void)
{
	for (unsigned i = 0; i < ALG_PHONES; i++)
		answer(GREET + i, 200, (uint16_t)(PORT + i));
}

/* What has forgotten both knows the one again that speaks. */
static void test_both_speak_again(void **state)
{
	UNUSED(state);
	greet();
	assert_int_equal(a.calls.seen[ALG_PHONE_OUT].port,
	                 PORT + ALG_PHONE_OUT);
	assert_false(a.calls.is_again[ALG_PHONE_IN]);
	answer(AGAIN + ALG_PHONE_IN, 403, PORT + ALG_PHONE_IN);
	assert_false(a.calls.is_again[ALG_PHONE_IN]);
	answer(AGAIN + ALG_PHONE_IN, 200, PORT + ALG_PHONE_IN);
	assert_true(a.calls.is_again[ALG_PHONE_IN]);
	assert_false(a.calls.is_again[ALG_PHONE_OUT]);
	answer(AGAIN + ALG_PHONE_OUT, 200, PORT + ALG_PHONE_OUT);
	assert_true(a.calls.is_again[ALG_PHONE_OUT]);
	assert_false(a.calls.has_moved);
}

static void test_moved_binding_tells_nothing(void **state)
{
	UNUSED(state);
	for (unsigned phone = ALG_PHONE_IN; phone <= ALG_PHONE_OUT; phone++) {
		memset(&a.calls, 0, sizeof(a.calls));
		greet();
		answer(AGAIN + phone, 200, PORT + 100);
		assert_true(a.calls.has_moved);
		/* where it was, is what was knocked at */
		assert_int_equal(a.calls.seen[phone].port, PORT + phone);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registered_phone_alone_is_open),
		cmocka_unit_test(test_both_speak_again),
		cmocka_unit_test(test_moved_binding_tells_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
