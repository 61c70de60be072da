/* SPDX-License-Identifier: ISC */
/* A client against a server of a few lines, over loopback. */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "net/dns.h"
#include "net/stream.h"
#include "net/udp.h"
#include "net_test.h"
#include "oom.h"

enum way {
	ANSWER,
	ANSWER_THE_SECOND,
	TRUNCATE,
	TRUNCATE_ALONE, /* and close TCP */
	SAY_NOTHING,
	OTHER_ID,
	OTHER_NAME,
	GARBAGE,
	REFUSE_BARELY, /* rcode 5, without the question */
};

struct mock {
	struct net_udp *udp;
	struct net_listener *listener;
	struct net_stream *stream;
	struct wr in;
	enum way way;
	unsigned n_asked;
};

struct seen {
	struct net_dns *dns;
	unsigned n, n_sent, n_records, rcode;
	int err;
	bool has_msg, is_truncated, is_tcp;
	int64_t rtt_ns;
	char address[ADDR_TEXT_BYTES];
};

static struct mock mock;
static struct seen seen;

/* The question back, with flags, and one A record if `is_full`. */
static struct slice reply(uint8_t *out, struct slice q, uint16_t flags,
                          bool is_full)
{
	static const char a[] = "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c"
				"\x00\x04\xc6\x33\x64\x0a";
	struct wr w = wr_init(out, 512);

	wr_put(&w, slice_sub(q, 0, 2));
	wr_u16(&w, flags);
	wr_u16(&w, 1);
	wr_u16(&w, is_full);
	wr_u32(&w, 0);
	wr_put(&w, slice_sub(q, 12, SIZE_MAX));
	if (is_full)
		wr_put(&w, (struct slice)BYTES(a));
	return wr_slice(&w);
}

static struct slice make(uint8_t *out, struct slice q, enum way way)
{
	struct slice r;

	switch (way) {
	case TRUNCATE:
	case TRUNCATE_ALONE:
		return reply(out, q, 0x8380, false);
	case OTHER_ID:
		r = reply(out, q, 0x8180, true);
		out[0] ^= 0xff;
		return r;
	case OTHER_NAME:
		r = reply(out, q, 0x8180, true);
		out[13] ^= 0x01;
		return r;
	case GARBAGE:
		return slice_sub(reply(out, q, 0x8180, true), 0, 20);
	case REFUSE_BARELY:
		r = reply(out, q, 0x8185, false);
		out[5] = 0;
		return slice_sub(r, 0, 12);
	default:
		return reply(out, q, 0x8180, true);
	}
}

static void on_dgram(void *arg, const struct net_dgram *d)
{
	struct mock *m = arg;
	uint8_t out[512];

	m->n_asked++;
	if (m->way == SAY_NOTHING ||
	    (m->way == ANSWER_THE_SECOND && m->n_asked < 2))
		return;
	assert_int_equal(net_udp_send(m->udp, &d->from, NULL, 0,
	                              make(out, d->bytes, m->way)),
	                 0);
}

static void mock_data(void *arg, struct slice bytes)
{
	struct mock *m = arg;
	uint8_t out[514];
	struct slice r, q;

	wr_put(&m->in, bytes);
	q = slice_sub(wr_slice(&m->in), 2, SIZE_MAX);
	assert_int_equal(m->in.p[0] << 8 | m->in.p[1], q.n);
	if (m->way == TRUNCATE_ALONE) {
		net_stream_free(m->stream);
		m->stream = NULL;
		return;
	}
	r = reply(out + 2, q, 0x8180, true);
	out[0] = (uint8_t)(r.n >> 8);
	out[1] = (uint8_t)r.n;
	/* in two pieces, as TCP may */
	assert_int_equal(net_stream_send(m->stream, (struct slice){out, 9}), 0);
	assert_int_equal(
		net_stream_send(m->stream, (struct slice){out + 9, r.n - 7}),
		0);
}

static void mock_closed(void *arg, int err)
{
	UNUSED(arg);
	UNUSED(err);
}

static void mock_stream(void *arg, struct net_stream *s)
{
	static const struct net_stream_ops ops = {NULL, mock_data, mock_closed};
	struct mock *m = arg;

	m->stream = s;
	net_stream_set_ops(s, &ops, m);
}

static void mock_start(enum way way)
{
	static const struct net_udp_ops udp_ops = {on_dgram, NULL};
	static const struct net_listener_ops tcp_ops = {.on_stream =
	                                                        mock_stream};
	struct addr at = net_test_addr("127.0.0.1");

	mock = (struct mock){.way = way, .in = wr_init_heap()};
	assert_int_equal(net_listener_open(&mock.listener, &at, NULL, 0,
	                                   &tcp_ops, &mock),
	                 0);
	at = net_listener_local(mock.listener);
	assert_int_equal(net_udp_open(&mock.udp, &at, 0, &udp_ops, &mock), 0);
}

static void mock_stop(void)
{
	net_udp_close(mock.udp);
	net_stream_free(mock.stream);
	net_listener_close(mock.listener);
	wr_fini(&mock.in);
}

static void on_answer(void *arg, const struct net_dns_answer *a)
{
	struct seen *s = arg;

	s->n++;
	s->n_sent = a->n_sent;
	s->err = a->err;
	s->has_msg = a->msg != NULL;
	s->is_truncated = a->is_udp_truncated;
	s->is_tcp = a->is_tcp;
	s->rtt_ns = a->rtt_ns;
	if (a->msg) {
		s->rcode = a->msg->rcode;
		s->n_records = (unsigned)a->msg->n_records;
		if (s->n_records)
			addr_ip_text(&a->msg->records[0].addr, s->address);
	}
	net_dns_free(s->dns);
	s->dns = NULL;
	net_stop();
}

static void ask_and_wait(enum way way, bool is_tcp)
{
	struct addr at;

	mock_start(way);
	at = net_listener_local(mock.listener);
	seen = (struct seen){.err = -1};
	if (is_tcp)
		assert_int_equal(net_dns_ask_tcp(&seen.dns, &at,
		                                 "sip.example.com.", NET_DNS_A,
		                                 NS_PER_S, on_answer, &seen),
		                 0);
	else
		assert_int_equal(net_dns_ask(&seen.dns, &at, "sip.example.com",
		                             NET_DNS_A, 400 * NS_PER_MS,
		                             on_answer, &seen),
		                 0);
	assert_int_equal(seen.n, 0);
	net_test_run();
	assert_int_equal(seen.n, 1);
	mock_stop();
}

static void test_an_answer_by_every_way(void **state)
{
	static const struct {
		const char *why;
		enum way way;
		bool is_by_tcp;
		int err;
		bool is_truncated, is_tcp, has_address;
	} cases[] = {
		{"UDP", ANSWER, false, 0, false, false, true},
		{"the second datagram", ANSWER_THE_SECOND, false, 0, false,
	         false, true},
		{"truncated", TRUNCATE, false, 0, true, true, true},
		{"TCP alone", ANSWER, true, 0, false, true, true},
		{"truncated, and TCP fails", TRUNCATE_ALONE, false, ECONNRESET,
	         true, false, false},
		{"another name", OTHER_NAME, false, EBADMSG, false, false,
	         false},
		{"garbage", GARBAGE, false, EBADMSG, false, false, false},
		{"silence", SAY_NOTHING, false, ETIMEDOUT, false, false, false},
		{"another id", OTHER_ID, false, ETIMEDOUT, false, false, false},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ask_and_wait(cases[i].way, cases[i].is_by_tcp);
		if (seen.err != cases[i].err ||
		    seen.is_truncated != cases[i].is_truncated ||
		    seen.is_tcp != cases[i].is_tcp ||
		    (seen.n_records == 1) != cases[i].has_address)
			fail_msg("%s: %d", cases[i].why, seen.err);
		if (cases[i].has_address) {
			assert_string_equal(seen.address, "198.51.100.10");
			assert_true(seen.rtt_ns > 0);
		}
	}
}

static void test_a_question_is_repeated(void **state)
{
	UNUSED(state);
	ask_and_wait(SAY_NOTHING, false);
	assert_int_equal(seen.n_sent, 4);
	assert_int_equal(mock.n_asked, 4);
	ask_and_wait(ANSWER_THE_SECOND, false);
	assert_in_range(seen.n_sent, 2, 4);
}

static void test_a_refusal_needs_no_question(void **state)
{
	UNUSED(state);
	ask_and_wait(REFUSE_BARELY, false);
	assert_int_equal(seen.err, 0);
	assert_int_equal(seen.rcode, 5);
}

static void test_nobody_there_is_refused(void **state)
{
	struct addr at;

	UNUSED(state);
	mock_start(ANSWER);
	at = net_listener_local(mock.listener);
	mock_stop();
	for (int is_tcp = 0; is_tcp < 2; is_tcp++) {
		seen = (struct seen){.err = -1};
		assert_int_equal((is_tcp ? net_dns_ask_tcp : net_dns_ask)(
					 &seen.dns, &at, "x", NET_DNS_A,
					 NS_PER_S, on_answer, &seen),
		                 0);
		net_test_run();
		assert_int_equal(seen.err, ECONNREFUSED);
		assert_false(seen.has_msg);
	}
}

static void test_ask_refuses_nonsense(void **state)
{
	const struct addr none = {0}, home = net_test_addr("127.0.0.1");
	const struct addr far = net_test_addr("192.0.1.1");
	struct net_dns *d = NULL;

	UNUSED(state);
	assert_int_equal(net_dns_ask(&d, &none, "x", NET_DNS_A, NS_PER_S,
	                             on_answer, &seen),
	                 EINVAL);
	assert_int_equal(net_dns_ask(&d, &home, "a..b", NET_DNS_A, NS_PER_S,
	                             on_answer, &seen),
	                 EINVAL);
	assert_int_equal(net_dns_ask(&d, &far, "x", NET_DNS_A, NS_PER_S,
	                             on_answer, &seen),
	                 EPERM);
	assert_int_equal(net_dns_ask_tcp(&d, &far, "x", NET_DNS_A, NS_PER_S,
	                                 on_answer, &seen),
	                 EPERM);
	assert_null(d);
	net_dns_free(NULL);
}

static void test_ask_survives_no_memory(void **state)
{
	const struct addr home = net_test_addr("127.0.0.1");
	unsigned long n = 0;
	int err = ENOMEM;

	UNUSED(state);
	for (; err; n++) {
		oom_after(n);
		err = net_dns_ask(&seen.dns, &home, "x", NET_DNS_A, NS_PER_S,
		                  on_answer, &seen);
		oom_after(OOM_NEVER);
		assert_true(err == 0 || err == ENOMEM);
	}
	assert_true(n > 2);
	net_dns_free(seen.dns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_answer_by_every_way),
		cmocka_unit_test(test_a_question_is_repeated),
		cmocka_unit_test(test_a_refusal_needs_no_question),
		cmocka_unit_test(test_nobody_there_is_refused),
		cmocka_unit_test(test_ask_refuses_nonsense),
		cmocka_unit_test(test_ask_survives_no_memory),
	};

	return cmocka_run_group_tests(tests, net_test_setup, net_test_teardown);
}
