/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/dns.h"
#include "oom.h"

static void test_conf_reads_what_matters(void **state)
{
	static const char text[] = "# a comment\n"
				   "; another\n"
				   "nameserver 192.0.2.53\n"
				   "nameserver\t2001:db8::53  trailing\n"
				   "nameserver fe80::1%eth0\n"
				   "domain lost.example\n"
				   "search corp.example. lan\r\n"
				   "options ndots:2 rotate timeout:99\n"
				   "options attempts:x ndots:3\n"
				   "sortlist 192.0.2.0\n"
				   "nameserver 192.0.2.54\n"
				   "nameserver 192.0.2.55";
	struct net_dns_conf c;
	char buf[ADDR_TEXT_BYTES];

	UNUSED(state);
	net_dns_conf_read(&c, slice_str(text));
	assert_int_equal(c.n_servers, 3);
	assert_string_equal(addr_text(&c.servers[0], buf), "192.0.2.53:53");
	assert_string_equal(addr_text(&c.servers[1], buf), "[2001:db8::53]:53");
	assert_string_equal(addr_text(&c.servers[2], buf), "192.0.2.54:53");
	assert_int_equal(c.n_skipped, 2);
	assert_int_equal(c.n_search, 2);
	assert_string_equal(c.search[0], "corp.example");
	assert_string_equal(c.search[1], "lan");
	assert_int_equal(c.n_dots, 3);
	assert_int_equal(c.timeout_s, 30);
	assert_int_equal(c.attempts, 2);
}

static void test_conf_of_nothing_is_the_default(void **state)
{
	static const char *const texts[] = {"",
	                                    "\n\n",
	                                    "nameserver",
	                                    "search",
	                                    "options ndots:-1",
	                                    "search .",
	                                    "#nameserver 192.0.2.1"};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct net_dns_conf c;

		net_dns_conf_read(&c, slice_str(texts[i]));
		assert_int_equal(c.n_servers, 0);
		assert_int_equal(c.n_search, 0);
		assert_int_equal(c.n_dots, 1);
	}
}

static void test_conf_is_bounded(void **state)
{
	struct wr w = wr_init_heap();
	struct net_dns_conf c;

	UNUSED(state);
	wr_str(&w, "search");
	for (int i = 0; i < 100; i++)
		wr_str(&w, " example");
	wr_str(&w, " ");
	for (int i = 0; i < NET_DNS_NAME_BYTES; i++)
		wr_str(&w, "a");
	net_dns_conf_read(&c, wr_slice(&w));
	assert_int_equal(c.n_search, NET_DNS_SEARCH_MAX);
	wr_fini(&w);
}

static void test_load_reads_a_file(void **state)
{
	char path[] = "/tmp/prumo-test-XXXXXX";
	static const char text[] = "nameserver 192.0.2.53\n";
	int fd = mkstemp(path);
	struct net_dns_conf c;
	struct addr a[2];
	size_t n = 77;

	UNUSED(state);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	assert_int_equal(net_dns_conf_load(&c, path), 0);
	assert_int_equal(c.n_servers, 1);
	oom_after(0);
	assert_int_equal(net_dns_conf_load(&c, path), ENOMEM);
	assert_int_equal(net_dns_hosts_load(a, 2, &n, path, "x"), ENOMEM);
	oom_after(OOM_NEVER);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(net_dns_conf_load(&c, path), ENOENT);
	assert_int_equal(net_dns_hosts_load(a, 2, &n, path, "x"), ENOENT);
	assert_int_equal(n, 77);
	assert_int_equal(c.n_servers, 1);
}

static void test_hosts_finds_a_name(void **state)
{
	static const char text[] = "127.0.0.1 localhost # sip.example.com\n"
				   "192.0.2.1\tsip.example.com sip\n"
				   "2001:db8::1 x SIP.example.com\n"
				   "nonsense sip.example.com\n"
				   "#192.0.2.3 sip.example.com\n"
				   "192.0.2.2 sip.example.com";
	struct addr a[8];
	char buf[ADDR_TEXT_BYTES];
	struct slice in = slice_str(text);

	UNUSED(state);
	assert_int_equal(net_dns_hosts_find(a, 8, in, "sip.example.com"), 3);
	assert_string_equal(addr_ip_text(&a[0], buf), "192.0.2.1");
	assert_string_equal(addr_ip_text(&a[1], buf), "2001:db8::1");
	assert_string_equal(addr_ip_text(&a[2], buf), "192.0.2.2");
	assert_int_equal(net_dns_hosts_find(a, 1, in, "sip.example.com."), 1);
	assert_int_equal(net_dns_hosts_find(a, 8, in, "example.com"), 0);
	assert_int_equal(net_dns_hosts_find(a, 8, in, ""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conf_reads_what_matters),
		cmocka_unit_test(test_conf_of_nothing_is_the_default),
		cmocka_unit_test(test_conf_is_bounded),
		cmocka_unit_test(test_load_reads_a_file),
		cmocka_unit_test(test_hosts_finds_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
