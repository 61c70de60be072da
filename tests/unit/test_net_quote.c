/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "net/quote.h"
#include "net_test.h"
#include "oom.h"

#define IP4_TO_US                                                          \
	"\x45\x00\x00\x00\x00\x01\x00\x00\x40\x01\x00\x00" /* 192.0.2.1 */ \
	"\xc0\x00\x02\x01\xc0\x00\x02\x21"                 /* to 192.0.2.33 */
#define IP4_OF_US(total, frag, proto)                                \
	"\x45\x00\x00" total "\x00\x01" frag "\x01" proto "\x00\x00" \
	"\xc0\x00\x02\x21\xc6\x33\x64\x0a" /* to 198.51.100.10 */
#define IP6_OF_US(length, next)                                            \
	"\x60\x00\x00\x00\x00" length next "\x01"                          \
	"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x21" \
	"\x20\x01\x0d\xb8\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x10"
#define PORTS "\x9c\x40\x13\xc4\x00\x00\x00\x07"
#define TCP(offset) \
	PORTS "\x00\x00\x00\x08" offset "\x18\x00\x64\x00\x00\x00\x00"
#define EXCEEDED4(words) "\x0b\x00\x00\x00\x00" words "\x00\x00"
#define EXCEEDED6(words) "\x03\x00\x00\x00" words "\x00\x00\x00"

/* The outer length is filled in, as the kernel has checked it. */
static struct slice whole(uint8_t buf[512], struct slice in,
                          enum addr_family family)
{
	memcpy(buf, in.p, in.n);
	if (family == ADDR_IP4) {
		buf[2] = (uint8_t)(in.n >> 8);
		buf[3] = (uint8_t)in.n;
	}
	return (struct slice){buf, in.n};
}

struct good {
	enum addr_family family;
	struct slice in;
	const char *payload;
};

static const struct good goods[] = {
	{ADDR_IP4,
         BYTES(IP4_TO_US EXCEEDED4("\x00") IP4_OF_US("\x2f", "\x40\x00", "\x06")
                       TCP("\x50") "OPTIONS"),
         "OPTIONS"},
	/* what the router has padded is not of the message */
	{ADDR_IP4,
         BYTES(IP4_TO_US EXCEEDED4("\x00") IP4_OF_US("\x2c", "\x00\x00", "\x06")
                       TCP("\x50") "OPTI\0\0\0"),
         "OPTI"},
	/* 11 words are quoted, and an extension follows */
	{ADDR_IP4,
         BYTES(IP4_TO_US EXCEEDED4("\x0b") IP4_OF_US("\xff", "\x00\x00", "\x06")
                       TCP("\x50") "OPTI\x20\x00more"),
         "OPTI"},
	/* TCP options before it */
	{ADDR_IP4,
         BYTES(IP4_TO_US EXCEEDED4("\x00") IP4_OF_US("\xff", "\x00\x00", "\x06")
                       TCP("\x60") "\x01\x01\x01\x01OPT"),
         "OPT"},
	/* no more than RFC 792 asks for */
	{ADDR_IP4,
         BYTES(IP4_TO_US EXCEEDED4("\x00") IP4_OF_US("\xff", "\x00\x00", "\x06")
                       PORTS),
         ""},
	{ADDR_IP6,
         BYTES(EXCEEDED6("\x00") IP6_OF_US("\x1b", "\x06")
                       TCP("\x50") "OPTIONS"),
         "OPTIONS"},
	{ADDR_IP6,
         BYTES(EXCEEDED6("\x08") IP6_OF_US("\xff", "\x06")
                       TCP("\x50") "OPTI\x20\x00more"),
         "OPTI"},
};

static void test_read_quotes(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(goods); i++) {
		bool is_ip4 = goods[i].family == ADDR_IP4;
		uint8_t buf[512];
		struct slice in = whole(buf, goods[i].in, goods[i].family);
		struct addr src =
			net_test_addr(is_ip4 ? "192.0.2.33" : "2001:db8::21");
		struct addr dst = net_test_addr(is_ip4 ? "198.51.100.10"
		                                       : "2001:db8:ffff::10");
		struct addr router = net_test_addr("192.0.2.1");
		struct net_quote q;

		assert_int_equal(net_quote_read(&q, in, goods[i].family), 0);
		src.port = 40000;
		dst.port = 5060;
		assert_true(addr_eq(&q.src, &src));
		assert_true(addr_eq(&q.dst, &dst));
		assert_int_equal(addr_ip_eq(&q.offender, &router), is_ip4);
		if (!slice_eq_str(q.payload, goods[i].payload))
			fail_msg("payload of %zu", i);
	}
}

static void test_read_rejects(void **state)
{
	static const struct {
		const char *why;
		int want;
		enum addr_family family;
		struct slice in;
	} cases[] = {
		{"unreachable", ENOENT, ADDR_IP4,
	         BYTES(IP4_TO_US "\x03\x00\x00\x00\x00\x00\x00\x00")},
		{"of UDP", ENOENT, ADDR_IP4,
	         BYTES(IP4_TO_US EXCEEDED4("\x00")
	                       IP4_OF_US("\xff", "\x00\x00", "\x11") PORTS)},
		{"a later fragment", EBADMSG, ADDR_IP4,
	         BYTES(IP4_TO_US EXCEEDED4("\x00")
	                       IP4_OF_US("\xff", "\x00\x01", "\x06") PORTS)},
		{"shorter than its header", EBADMSG, ADDR_IP4,
	         BYTES(IP4_TO_US EXCEEDED4("\x00")
	                       IP4_OF_US("\x13", "\x00\x00", "\x06") PORTS)},
		{"no room for the ports", EBADMSG, ADDR_IP4,
	         BYTES(IP4_TO_US EXCEEDED4("\x00")
	                       IP4_OF_US("\x1b", "\x00\x00", "\x06") PORTS)},
		{"the extension begins within the ports", EBADMSG, ADDR_IP4,
	         BYTES(IP4_TO_US EXCEEDED4("\x06")
	                       IP4_OF_US("\xff", "\x00\x00", "\x06") PORTS)},
		{"a TCP header of four words", EBADMSG, ADDR_IP4,
	         BYTES(IP4_TO_US EXCEEDED4("\x00") IP4_OF_US(
			 "\xff", "\x00\x00", "\x06") TCP("\x40"))},
		{"an echo", ENOENT, ADDR_IP6,
	         BYTES("\x80\x00\x00\x00\x00\x00\x00\x00")},
		{"of ICMP", ENOENT, ADDR_IP6,
	         BYTES(EXCEEDED6("\x00") IP6_OF_US("\xff", "\x3a") PORTS)},
		{"no room for the ports, IPv6", EBADMSG, ADDR_IP6,
	         BYTES(EXCEEDED6("\x00") IP6_OF_US("\x07", "\x06") PORTS)},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct net_quote q = {.src = {.port = 7}};
		uint8_t buf[512];
		int err = net_quote_read(
			&q, whole(buf, cases[i].in, cases[i].family),
			cases[i].family);

		if (err != cases[i].want || q.src.port != 7)
			fail_msg("%s: %d", cases[i].why, err);
	}
}

/* What is cut off is malformed, or quotes less; never more. */
static void test_read_takes_no_more_than_there_is(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(goods); i++) {
		enum addr_family family = goods[i].family;
		const size_t least = 56; /* up to the ports, either way */

		for (size_t n = 0; n < goods[i].in.n; n++) {
			uint8_t buf[512];
			struct slice in = whole(
				buf, slice_sub(goods[i].in, 0, n), family);
			struct net_quote q;
			int err = net_quote_read(&q, in, family);

			assert_int_equal(err == 0, n >= least);
			if (!err)
				assert_true(q.payload.n <=
				            strlen(goods[i].payload));
		}
	}
}

static void on_quote(void *arg, const struct net_quote *q)
{
	UNUSED(arg);
	UNUSED(q);
}

static void test_open_needs_a_right(void **state)
{
	static const enum addr_family families[] = {ADDR_IP4, ADDR_IP6};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		struct net_quotes *qs = NULL;
		int err = net_quotes_open(&qs, families[i], on_quote, NULL);

		if (err && err != EPERM && err != EACCES && err != EAFNOSUPPORT)
			fail_msg("%s", strerror(err));
		assert_int_equal(err == 0, qs != NULL);
		net_quotes_close(qs);
	}
	oom_after(0);
	assert_int_equal(net_quotes_open(&(struct net_quotes *){NULL}, ADDR_IP4,
	                                 on_quote, NULL),
	                 ENOMEM);
	oom_after(OOM_NEVER);
	net_quotes_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_quotes),
		cmocka_unit_test(test_read_rejects),
		cmocka_unit_test(test_read_takes_no_more_than_there_is),
		cmocka_unit_test(test_open_needs_a_right),
	};

	return cmocka_run_group_tests(tests, net_test_setup, net_test_teardown);
}
