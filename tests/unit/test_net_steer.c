/* SPDX-License-Identifier: ISC */
/* What is refused, and by whom; that packets are really steered is for the
 * lab, where the right to is. */
#include "test.h"

#include <errno.h>
#include <unistd.h>

#include "net/raw.h"
#include "net/steer.h"
#include "net/udp.h"
#include "net_test.h"
#include "oom.h"

static const struct net_udp_ops deaf = {.on_dgram = NULL};

static struct net_udp *open_socket(void)
{
	struct addr at = net_test_addr("127.0.0.1");
	struct net_udp *u;

	assert_int_equal(net_udp_open(&u, &at, NET_UDP_STEERED, &deaf, NULL),
	                 0);
	return u;
}

static void test_open_refuses_nonsense(void **state)
{
	static const struct {
		const char *why;
		struct net_steer_range range;
		size_t n_ranges, n_holes;
	} cases[] = {
		{"none", {{ADDR_IP4, {0}, 0}, false, 1, 2, 0}, 0, 0},
		{"too many",
	         {{ADDR_IP4, {0}, 0}, false, 1, 2, 0},
	         NET_STEER_RANGES_MAX + 1,
	         0},
		{"too many holes",
	         {{ADDR_IP4, {0}, 0}, false, 1, 2, 0},
	         1,
	         NET_STEER_HOLES_MAX + 1},
		{"no family", {{ADDR_NONE, {0}, 0}, false, 1, 2, 0}, 1, 0},
		{"port 0", {{ADDR_IP4, {0}, 0}, false, 0, 2, 0}, 1, 0},
		{"backwards", {{ADDR_IP4, {0}, 0}, false, 2, 1, 0}, 1, 0},
		{"no socket", {{ADDR_IP4, {0}, 0}, false, 1, 2, -1}, 1, 0},
	};
	struct net_steer *s = NULL;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct net_steer_conf conf = {
			.ranges = &cases[i].range,
			.n_ranges = cases[i].n_ranges,
			.n_holes = cases[i].n_holes,
		};

		if (net_steer_open(&s, NET_STEER_TPROXY, &conf) != EINVAL ||
		    net_steer_open(&s, NET_STEER_SK_LOOKUP, &conf) != EINVAL)
			fail_msg("%s", cases[i].why);
	}
	assert_null(s);
	net_steer_close(NULL);
}

/* TPROXY would be told another family than the range's. */
static void test_socket_must_be_of_the_family(void **state)
{
	struct net_udp *u = open_socket();
	struct net_steer_range range = {
		.at = {.family = ADDR_IP6},
		.first = 10000,
		.last = 20000,
		.fd = net_udp_fd(u),
	};
	struct net_steer_conf conf = {.ranges = &range, .n_ranges = 1};
	struct net_steer *s = NULL;

	UNUSED(state);
	assert_int_equal(net_steer_open(&s, NET_STEER_TPROXY, &conf), EINVAL);
	assert_null(s);
	net_udp_close(u);
}

static void test_ways_have_names(void **state)
{
	UNUSED(state);
	assert_string_equal(net_steer_way_name(NET_STEER_SK_LOOKUP),
	                    "sk_lookup");
	assert_string_equal(net_steer_way_name(NET_STEER_TPROXY), "tproxy");
}

static void test_open_survives_no_memory(void **state)
{
	struct net_udp *u = open_socket();
	struct net_steer_range range = {
		.at = {.family = ADDR_IP4},
		.first = 10000,
		.last = 20000,
		.fd = net_udp_fd(u),
	};
	struct net_steer_conf conf = {.ranges = &range, .n_ranges = 1};
	struct net_steer *s = NULL;

	UNUSED(state);
	oom_after(0);
	assert_int_equal(net_steer_open(&s, NET_STEER_TPROXY, &conf), ENOMEM);
	assert_int_equal(net_steer_open(&s, NET_STEER_SK_LOOKUP, &conf),
	                 ENOMEM);
	oom_after(1);
	assert_int_equal(net_steer_open(&s, NET_STEER_TPROXY, &conf), ENOMEM);
	assert_int_equal(net_steer_open(&s, NET_STEER_SK_LOOKUP, &conf),
	                 ENOMEM);
	oom_after(OOM_NEVER);
	assert_null(s);
	net_udp_close(u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_refuses_nonsense),
		cmocka_unit_test(test_socket_must_be_of_the_family),
		cmocka_unit_test(test_ways_have_names),
		cmocka_unit_test(test_open_survives_no_memory),
	};

	return cmocka_run_group_tests(tests, net_test_setup, net_test_teardown);
}
