/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/udp.h"
#include "net_test.h"
#include "oom.h"

/* One end: what it saw last, and what it does then. */
struct end {
	struct net_udp *u;
	struct net_dgram d;
	struct net_icmp ic;
	uint8_t bytes[65536];
	size_t n_dgrams, n_icmp, n_wanted;
	bool is_echo, is_closing;
	bool is_between;  /* answers around one that the kernel refuses */
	bool wants_order; /* the first byte counts datagrams */
	struct addr far;  /* what must not be sent to; ADDR_NONE: nothing */
};

/* The second is from an address that is not this computer's. */
static void answer_around(struct end *e, const struct net_dgram *d)
{
	struct addr strange = net_test_addr("192.0.2.1");

	assert_int_equal(net_udp_queue(e->u, &d->from, &d->to, d->bytes), 0);
	assert_int_equal(net_udp_queue(e->u, &d->from, &strange, d->bytes), 0);
	assert_int_equal(net_udp_queue(e->u, &d->from, &d->to, d->bytes), 0);
}

static void on_dgram(void *arg, const struct net_dgram *d)
{
	struct end *e = arg;

	e->d = *d;
	e->n_dgrams++;
	assert_true(d->bytes.n <= sizeof(e->bytes));
	memcpy(e->bytes, d->bytes.p, d->bytes.n);
	e->d.bytes.p = e->bytes;
	if (e->is_echo)
		assert_int_equal(
			net_udp_queue(e->u, &d->from, &d->to, d->bytes), 0);
	if (e->is_between)
		answer_around(e, d);
	if (e->far.family != ADDR_NONE)
		assert_int_equal(net_udp_queue(e->u, &e->far, NULL, d->bytes),
		                 EPERM);
	if (e->wants_order)
		assert_int_equal(d->bytes.p[0], e->n_dgrams & 0xff);
	if (e->is_closing) {
		net_udp_close(e->u);
		e->u = NULL;
	}
	if (e->n_dgrams == e->n_wanted)
		net_stop();
}

static void on_icmp(void *arg, const struct net_icmp *ic)
{
	struct end *e = arg;

	e->ic = *ic;
	e->n_icmp++;
	assert_true(ic->quote.n <= sizeof(e->bytes));
	memcpy(e->bytes, ic->quote.p, ic->quote.n);
	e->ic.quote.p = e->bytes;
	if (e->is_closing) {
		net_udp_close(e->u);
		e->u = NULL;
	}
	if (e->n_icmp == e->n_wanted)
		net_stop();
}

static const struct net_udp_ops ops = {on_dgram, on_icmp};
static struct end client, server;

static struct addr open_end(struct end *e, const char *ip, unsigned flags)
{
	struct addr at = net_test_addr(ip);

	memset(e, 0, sizeof(*e));
	assert_int_equal(net_udp_open(&e->u, &at, flags, &ops, e), 0);
	at = net_udp_local(e->u);
	assert_int_not_equal(at.port, 0);
	return at;
}

static void test_echo_knows_ttl_times_and_addresses(void **state)
{
	static const struct {
		const char *server, *client, *to, *from;
	} cases[] = {
		{"127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1"},
		{"0.0.0.0", "0.0.0.0", "127.0.0.2", "127.0.0.3"},
		{"::1", "::1", "::1", "::1"},
		{"::", "0.0.0.0", "127.0.0.2", "127.0.0.3"},
		{"::", "::", "127.0.0.2", "127.0.0.3"},
		{"::", "::", "::1", "::1"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct addr to =
			open_end(&server, cases[i].server, NET_UDP_QUEUE);
		struct addr from = open_end(&client, cases[i].client, 0);
		int64_t mono_ns = clock_mono_ns(), wall_ns = clock_wall_ns();

		print_message("case %zu\n", i);
		memcpy(&to.ip, net_test_addr(cases[i].to).ip, 16);
		to.family = net_test_addr(cases[i].to).family;
		memcpy(&from.ip, net_test_addr(cases[i].from).ip, 16);
		from.family = net_test_addr(cases[i].from).family;
		server.is_echo = true;
		client.n_wanted = 1;
		assert_int_equal(net_udp_send(client.u, &to, &from, 17,
		                              slice_str("prumo")),
		                 0);
		net_test_run();
		assert_int_equal(server.d.ttl, 17);
		assert_true(addr_eq(&server.d.to, &to));
		assert_true(addr_eq(&server.d.from, &from));
		assert_true(addr_eq(&client.d.from, &to));
		assert_true(addr_eq(&client.d.to, &from));
		assert_true(slice_eq_str(client.d.bytes, "prumo"));
		assert_false(client.d.is_truncated);
		assert_true(server.d.mono_ns >= mono_ns - NS_PER_MS);
		assert_true(client.d.mono_ns >= server.d.mono_ns);
		assert_true(client.d.mono_ns <= clock_mono_ns());
		assert_true(server.d.wall_ns >= wall_ns - NS_PER_MS);
		assert_true(client.d.wall_ns <= clock_wall_ns());
		net_udp_close(server.u);
		net_udp_close(client.u);
	}
}

static void test_time_is_the_kernels_not_the_readers(void **state)
{
	struct addr to = open_end(&server, "127.0.0.1", 0);
	int64_t sent_mono_ns;

	UNUSED(state);
	/* the first socket that asks for stamps has the kernel begin to make
	 * them, a little later (net_enable_timestamp() in Linux) */
	net_test_linger(50 * NS_PER_MS);
	server.n_wanted = 1;
	assert_int_equal(
		net_udp_send(server.u, &to, NULL, 0, slice_str("early")), 0);
	sent_mono_ns = clock_mono_ns();
	/* the loop is late, the stamp is not */
	assert_int_equal(usleep(20000), 0);
	net_test_run();
	assert_true(server.d.mono_ns < sent_mono_ns + 10 * NS_PER_MS);
	net_udp_close(server.u);
}

static void test_largest_datagram_arrives_whole(void **state)
{
	static uint8_t big[65507];
	struct addr to = open_end(&server, "127.0.0.1", 0);
	struct slice in = {big, sizeof(big)};

	UNUSED(state);
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 7 + i / 256);
	server.n_wanted = 1;
	assert_int_equal(net_udp_send(server.u, &to, NULL, 0, in), 0);
	net_test_run();
	assert_true(slice_eq(server.d.bytes, in));
	assert_false(server.d.is_truncated);
	assert_int_equal(net_udp_send(server.u, &to, NULL, 0,
	                              (struct slice){server.bytes, 65508}),
	                 EMSGSIZE);
	net_udp_close(server.u);
}

static void test_burst_of_many_batches_arrives(void **state)
{
	enum {
		N = 300
	};
	struct addr to = open_end(&server, "127.0.0.1", 0);

	UNUSED(state);
	server.n_wanted = N;
	for (int i = 0; i < N; i++)
		assert_int_equal(
			net_udp_send(server.u, &to, NULL, 0, slice_str("x")),
			0);
	net_test_run();
	assert_int_equal(server.n_dgrams, N);
	net_udp_close(server.u);
}

/* An address where nobody listens. */
static struct addr closed_port(const char *ip)
{
	struct addr at = open_end(&server, ip, 0);

	net_udp_close(server.u);
	return at;
}

static void test_icmp_comes_from_the_error_queue(void **state)
{
	static const struct {
		const char *ip, *bound;
		uint8_t type, code;
	} cases[] = {
		{"127.0.0.1", "127.0.0.1", 3, 3}, /* port unreachable */
		{"::1", "::1", 1, 4},             /* RFC 4443 section 3.1 */
		{"127.0.0.1", "::", 3, 3},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct addr to = closed_port(cases[i].ip);
		struct addr ip = net_test_addr(cases[i].ip);

		(void)open_end(&client, cases[i].bound, NET_UDP_ICMP);
		client.n_wanted = 1;
		assert_int_equal(net_udp_send(client.u, &to, NULL, 0,
		                              slice_str("anybody?")),
		                 0);
		net_test_run();
		assert_int_equal(client.ic.type, cases[i].type);
		assert_int_equal(client.ic.code, cases[i].code);
		assert_int_equal(client.ic.error, ECONNREFUSED);
		assert_false(client.ic.is_local);
		assert_true(addr_eq(&client.ic.dst, &to));
		assert_true(addr_eq(&client.ic.offender, &ip));
		assert_true(slice_eq_str(client.ic.quote, "anybody?"));
		assert_true(client.ic.mono_ns <= clock_mono_ns());
		assert_int_equal(client.n_dgrams, 0);
		net_udp_close(client.u);
	}
}

static void test_icmp_never_eats_a_send(void **state)
{
	enum {
		N = 20
	};
	struct addr dead = closed_port("127.0.0.1"), live;

	UNUSED(state);
	live = open_end(&server, "127.0.0.1", 0);
	(void)open_end(&client, "127.0.0.1", NET_UDP_ICMP);
	client.n_wanted = N;
	for (int i = 0; i < N; i++) {
		assert_int_equal(
			net_udp_send(client.u, &dead, NULL, 0, slice_str("x")),
			0);
		assert_int_equal(
			net_udp_send(client.u, &live, NULL, 0, slice_str("x")),
			0);
	}
	net_test_run();
	net_test_linger(5 * NS_PER_MS);
	assert_int_equal(client.n_icmp, N);
	assert_int_equal(server.n_dgrams, N);
	net_udp_close(client.u);
	net_udp_close(server.u);
}

/* More than a batch, one of them too long to be held back. */
static void test_answers_of_a_batch_keep_their_order(void **state)
{
	enum {
		N = 150,
		LONG = 70
	};
	static uint8_t bytes[NET_UDP_QUEUED_BYTES + 1];
	struct addr to = open_end(&server, "127.0.0.1", NET_UDP_QUEUE);

	UNUSED(state);
	(void)open_end(&client, "127.0.0.1", 0);
	server.is_echo = true;
	server.far = net_test_addr("10.0.0.1");
	server.far.port = 9;
	client.n_wanted = N;
	client.wants_order = true;
	for (unsigned i = 1; i <= N; i++) {
		bytes[0] = (uint8_t)i;
		assert_int_equal(
			net_udp_send(
				client.u, &to, NULL, 0,
				(struct slice){bytes,
		                               i == LONG ? sizeof(bytes) : 1}),
			0);
	}
	net_test_run();
	assert_int_equal(client.n_dgrams, N);
	net_udp_close(server.u);
	net_udp_close(client.u);
}

static void test_answer_that_is_refused_holds_up_none(void **state)
{
	enum {
		N_ASKED = 100 /* several batches */
	};
	struct addr to = open_end(&server, "127.0.0.1", NET_UDP_QUEUE);

	UNUSED(state);
	(void)open_end(&client, "127.0.0.1", 0);
	server.is_between = true;
	for (uint8_t i = 0; i < N_ASKED; i++)
		assert_int_equal(net_udp_send(client.u, &to, NULL, 0,
		                              (struct slice){&i, 1}),
		                 0);
	client.n_wanted = 2 * (size_t)N_ASKED;
	net_test_run();
	assert_int_equal(client.n_dgrams, 2 * N_ASKED);
	assert_int_equal(server.n_dgrams, N_ASKED);
	net_udp_close(server.u);
	net_udp_close(client.u);
}

static void test_answer_may_come_before_the_close(void **state)
{
	struct addr to = open_end(&server, "127.0.0.1", NET_UDP_QUEUE);

	UNUSED(state);
	(void)open_end(&client, "127.0.0.1", 0);
	server.is_echo = true;
	server.is_closing = true;
	client.n_wanted = 1;
	assert_int_equal(net_udp_send(client.u, &to, NULL, 0, slice_str("x")),
	                 0);
	net_test_run();
	assert_int_equal(client.n_dgrams, 1);
	net_udp_close(client.u);
}

static void test_socket_may_be_closed_in_its_callback(void **state)
{
	struct addr to = open_end(&server, "127.0.0.1", 0);

	UNUSED(state);
	server.is_closing = true;
	server.n_wanted = 1;
	for (int i = 0; i < 3; i++)
		assert_int_equal(
			net_udp_send(server.u, &to, NULL, 0, slice_str("x")),
			0);
	net_test_run();
	assert_int_equal(server.n_dgrams, 1); /* none after the close */

	to = closed_port("127.0.0.1");
	(void)open_end(&client, "127.0.0.1", NET_UDP_ICMP);
	client.is_closing = true;
	client.n_wanted = 1;
	for (int i = 0; i < 3; i++)
		assert_int_equal(
			net_udp_send(client.u, &to, NULL, 0, slice_str("x")),
			0);
	net_test_run();
	assert_int_equal(client.n_icmp, 1);
	net_udp_close(NULL);
}

static void test_open_and_send_refuse_nonsense(void **state)
{
	struct addr none = {0}, ip6 = net_test_addr("::1"), at;
	struct addr far = net_test_addr("10.0.0.1");
	struct net_udp *u = NULL;

	UNUSED(state);
	assert_int_equal(net_udp_open(&u, &none, 0, &ops, NULL), EINVAL);
	at = open_end(&server, "127.0.0.1", 0);
	assert_int_equal(net_udp_open(&u, &at, 0, &ops, NULL), EADDRINUSE);
	assert_null(u);
	ip6.port = far.port = 9;
	u = server.u;
	assert_int_equal(net_udp_send(u, &none, NULL, 0, slice_str("x")),
	                 EINVAL);
	assert_int_equal(net_udp_send(u, &ip6, NULL, 0, slice_str("x")),
	                 EINVAL);
	assert_int_equal(net_udp_send(u, &at, NULL, 256, slice_str("x")),
	                 EINVAL);
	assert_int_equal(net_udp_send(u, &at, &ip6, 0, slice_str("x")), EINVAL);
	assert_int_equal(net_udp_send(u, &far, NULL, 0, slice_str("x")), EPERM);
	net_udp_close(server.u);
}

static void test_ports_can_be_shared(void **state)
{
	struct addr at = open_end(&server, "127.0.0.1", NET_UDP_REUSEPORT);
	struct net_udp *u = NULL;

	UNUSED(state);
	assert_int_equal(net_udp_open(&u, &at, NET_UDP_REUSEPORT, &ops, NULL),
	                 0);
	net_udp_close(u);
	net_udp_close(server.u);
}

static void test_source_is_found_without_sending(void **state)
{
	struct addr to = net_test_addr("127.0.0.1"), none = {0}, local = none;

	UNUSED(state);
	assert_int_equal(net_source_for(&local, &to), 0);
	assert_true(addr_eq(&local, &to));
	to = net_test_addr("::1");
	assert_int_equal(net_source_for(&local, &to), 0);
	assert_true(addr_eq(&local, &to));
	assert_int_equal(net_source_for(&local, &none), EINVAL);
}

static void test_open_survives_no_memory(void **state)
{
	struct addr at = net_test_addr("127.0.0.1");
	struct net_udp *u = NULL;
	unsigned long n = 0;
	int err;

	UNUSED(state);
	do {
		oom_after(n++);
		err = net_udp_open(&u, &at, NET_UDP_QUEUE, &ops, NULL);
		oom_after(OOM_NEVER);
		assert_true(err == 0 || err == ENOMEM);
	} while (err);
	assert_true(n > 2);
	net_udp_close(u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo_knows_ttl_times_and_addresses),
		cmocka_unit_test(test_time_is_the_kernels_not_the_readers),
		cmocka_unit_test(test_largest_datagram_arrives_whole),
		cmocka_unit_test(test_burst_of_many_batches_arrives),
		cmocka_unit_test(test_icmp_comes_from_the_error_queue),
		cmocka_unit_test(test_icmp_never_eats_a_send),
		cmocka_unit_test(test_answers_of_a_batch_keep_their_order),
		cmocka_unit_test(test_answer_that_is_refused_holds_up_none),
		cmocka_unit_test(test_answer_may_come_before_the_close),
		cmocka_unit_test(test_socket_may_be_closed_in_its_callback),
		cmocka_unit_test(test_open_and_send_refuse_nonsense),
		cmocka_unit_test(test_ports_can_be_shared),
		cmocka_unit_test(test_source_is_found_without_sending),
		cmocka_unit_test(test_open_survives_no_memory),
	};

	return cmocka_run_group_tests(tests, net_test_setup, net_test_teardown);
}
