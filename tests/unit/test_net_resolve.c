/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "net/resolve.h"

static int resolve(struct addr *out, size_t *n, const char *host,
                   enum addr_family want)
{
	return net_resolve(out, 4, n, slice_str(host), want, 0);
}

static void test_resolve_takes_numbers_as_they_are(void **state)
{
	char buf[ADDR_TEXT_BYTES];
	struct addr a[4];
	size_t n;

	UNUSED(state);
	assert_int_equal(setenv("PRUMO_STAY_HOME", "1", 1), 0);
	assert_int_equal(resolve(a, &n, "192.0.2.7", ADDR_NONE), 0);
	assert_int_equal(n, 1);
	assert_string_equal(addr_ip_text(&a[0], buf), "192.0.2.7");
	assert_int_equal(resolve(a, &n, "[2001:db8::7]", ADDR_IP6), 0);
	assert_int_equal(resolve(a, &n, "192.0.2.7", ADDR_IP6), ENOENT);
}

static void test_resolve_asks_nobody_at_home(void **state)
{
	struct addr a[4];
	size_t n = 77;

	UNUSED(state);
	assert_int_equal(setenv("PRUMO_STAY_HOME", "1", 1), 0);
	assert_int_equal(resolve(a, &n, "sip.example.com", ADDR_NONE), EPERM);
	assert_int_equal(resolve(a, &n, "localhost", ADDR_NONE), EPERM);
	assert_int_equal(n, 77);
}

static void test_resolve_reads_the_hosts_file(void **state)
{
	struct addr a[4];
	size_t n = 0;

	UNUSED(state);
	assert_int_equal(unsetenv("PRUMO_STAY_HOME"), 0);
	assert_int_equal(resolve(a, &n, "localhost", ADDR_NONE), 0);
	assert_in_range(n, 1, 2);
	for (size_t i = 0; i < n; i++) {
		assert_true(addr_is_loopback(&a[i]));
		assert_int_equal(a[i].port, 0);
	}
	assert_int_equal(resolve(a, &n, "localhost", ADDR_IP4), 0);
	assert_int_equal(n, 1);
}

static void test_resolve_within_a_limit_says_the_same(void **state)
{
	const int64_t limit_ns = 60 * NS_PER_S; /* nobody waits for it */
	struct addr a[4], b[4];
	size_t n = 0, n_within = 0;

	UNUSED(state);
	assert_int_equal(unsetenv("PRUMO_STAY_HOME"), 0);
	assert_int_equal(resolve(a, &n, "localhost", ADDR_NONE), 0);
	assert_int_equal(net_resolve(b, 4, &n_within, slice_str("localhost"),
	                             ADDR_NONE, limit_ns),
	                 0);
	assert_int_equal(n_within, n);
	for (size_t i = 0; i < n; i++)
		assert_true(addr_eq(&a[i], &b[i]));
	assert_int_equal(net_resolve(b, 1, &n_within, slice_str("localhost"),
	                             ADDR_NONE, limit_ns),
	                 0);
	assert_int_equal(n_within, 1);
}

static void test_resolve_rejects_malformed(void **state)
{
	static const struct slice bad[] = {BYTES(""), BYTES("a\0b")};
	static char name[254];
	struct addr a[4];
	size_t n = 77;

	UNUSED(state);
	assert_int_equal(setenv("PRUMO_STAY_HOME", "1", 1), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(net_resolve(a, 4, &n, bad[i], ADDR_NONE, 0),
		                 EBADMSG);
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = 'a';
	assert_int_equal(
		net_resolve(a, 4, &n,
	                    (struct slice){(const uint8_t *)name, sizeof(name)},
	                    ADDR_NONE, 0),
		EBADMSG);
	assert_int_equal(net_resolve(a, 0, &n, slice_str("::1"), ADDR_NONE, 0),
	                 EINVAL);
	assert_int_equal(n, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolve_takes_numbers_as_they_are),
		cmocka_unit_test(test_resolve_asks_nobody_at_home),
		cmocka_unit_test(test_resolve_reads_the_hosts_file),
		cmocka_unit_test(test_resolve_within_a_limit_says_the_same),
		cmocka_unit_test(test_resolve_rejects_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
