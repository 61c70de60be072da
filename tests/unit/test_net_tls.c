/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/tls.h"
#include "oom.h"

static void test_server_makes_its_own_certificate(void **state)
{
	uint8_t a[NET_FINGERPRINT_BYTES], b[NET_FINGERPRINT_BYTES];
	struct net_tls *t;

	UNUSED(state);
	assert_int_equal(net_tls_server_alloc(&t, NULL, NULL, "edge"), 0);
	assert_int_equal(net_tls_fingerprint(t, a), 0);
	net_tls_free(t);
	assert_int_equal(net_tls_server_alloc(&t, NULL, NULL, "edge"), 0);
	assert_int_equal(net_tls_fingerprint(t, b), 0);
	net_tls_free(t);
	assert_memory_not_equal(a, b, sizeof(a)); /* each a key of its own */
}

static void test_server_refuses_what_it_cannot_use(void **state)
{
	static const char name_too_long[] =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd"
		"ef0";
	char path[] = "/tmp/prumo-test-XXXXXX";
	struct net_tls *t = NULL;
	int fd = mkstemp(path);

	UNUSED(state);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "not PEM", 7), 7);
	close(fd);
	assert_int_equal(net_tls_server_alloc(&t, path, path, NULL), EBADMSG);
	assert_int_equal(net_tls_server_alloc(&t, path, NULL, "x"), EINVAL);
	assert_int_equal(net_tls_server_alloc(&t, NULL, path, "x"), EINVAL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(net_tls_server_alloc(&t, path, path, NULL), ENOENT);
	assert_int_equal(net_tls_server_alloc(&t, NULL, NULL, NULL), EINVAL);
	assert_int_equal(net_tls_server_alloc(&t, NULL, NULL, ""), EINVAL);
	assert_int_equal(net_tls_server_alloc(&t, NULL, NULL, name_too_long),
	                 EINVAL);
	assert_null(t);
}

static void test_client_has_a_name_but_no_fingerprint(void **state)
{
	uint8_t fp[NET_FINGERPRINT_BYTES];
	char too_long[257];
	struct net_tls *t;

	UNUSED(state);
	memset(too_long, 'a', 256);
	too_long[256] = '\0';
	assert_int_equal(net_tls_client_alloc(&t), 0);
	assert_int_equal(net_tls_fingerprint(t, fp), EINVAL);
	assert_int_equal(net_tls_set_name(t, "sip.example.com"), 0);
	assert_int_equal(net_tls_set_name(t, "192.0.2.1"), 0);
	assert_int_equal(net_tls_set_name(t, too_long), EINVAL);
	assert_int_equal(net_tls_set_name(t, NULL), 0);
	net_tls_free(t);
	net_tls_free(NULL);
}

static void test_alloc_survives_no_memory(void **state)
{
	struct net_tls *t = NULL;

	UNUSED(state);
	oom_after(0);
	assert_int_equal(net_tls_client_alloc(&t), ENOMEM);
	assert_int_equal(net_tls_server_alloc(&t, NULL, NULL, "x"), ENOMEM);
	oom_after(OOM_NEVER);
	assert_null(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_server_makes_its_own_certificate),
		cmocka_unit_test(test_server_refuses_what_it_cannot_use),
		cmocka_unit_test(test_client_has_a_name_but_no_fingerprint),
		cmocka_unit_test(test_alloc_survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
