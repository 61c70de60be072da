/* SPDX-License-Identifier: ISC */
/* The questions of probe/ask_*.c, and their way, with servers in the same
 * process; tests/lab/test_lab_ask_proto.py asks real ones. */
#include "test.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "net/stream.h"
#include "net/udp.h"
#include "net_test.h"
#include "oom.h"
#include "probe/ask_link.h"
#include "probe/asks.h"
#include "sip/reply.h"
#include "stun/msg.h"

enum {
	PATIENCE_MS = 400,
	LINGER_MS = 50,
};

/* A server of UDP that does what the test wants. */
static struct {
	struct net_udp *udp;
	unsigned n_seen;  /* datagrams */
	unsigned n_muted; /* the first so many are not answered */
	bool is_deaf_to_removal;
	bool is_bound;
	unsigned n_removals;
} server;

static struct asked {
	struct ask *ask;
	struct report report;
	struct ask_result result;
	unsigned n_done;
} asked;

static void answer_register(const struct net_dgram *d)
{
	static const char challenge[] =
		"WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", "
		"qop=\"auth\", algorithm=SHA-256\r\n";
	struct sip_msg m;
	uint8_t buf[4096];
	struct wr w = wr_init(buf, sizeof(buf));
	struct sip_reply rp = {.status = 200,
	                       .reason = "OK",
	                       .observed = d->from,
	                       .to_tag = slice_str("t")};
	bool is_removal;

	sip_msg_read(&m, d->bytes);
	assert_true(sip_msg_is_request(&m));
	is_removal = slice_eq_str(sip_msg_value(&m, SIP_HDR_EXPIRES), "0");
	if (!sip_msg_field(&m, SIP_HDR_AUTHORIZATION, 0)) {
		rp.status = 401;
		rp.extra = slice_str(challenge);
	} else if (is_removal) {
		server.n_removals++;
		server.is_bound = false;
		if (server.is_deaf_to_removal)
			return;
	} else {
		server.is_bound = true;
	}
	assert_int_equal(sip_reply_build(&w, &m, &rp), 0);
	assert_int_equal(
		net_udp_send(server.udp, &d->from, NULL, 0, wr_slice(&w)), 0);
}

static void on_dgram(void *arg, const struct net_dgram *d)
{
	uint8_t buf[128];
	struct wr w = wr_init(buf, sizeof(buf));
	struct stun_msg m;

	UNUSED(arg);
	if (server.n_seen++ < server.n_muted)
		return;
	if (stun_msg_decode(&m, d->bytes)) {
		answer_register(d);
		return;
	}
	assert_int_equal(stun_msg_answer(&w, &m, &d->from, SIZE_MAX), 0);
	assert_int_equal(
		net_udp_send(server.udp, &d->from, NULL, 0, wr_slice(&w)), 0);
}

static const struct net_udp_ops server_ops = {.on_dgram = on_dgram};

static struct addr serve(void)
{
	struct addr at = net_test_addr("127.0.0.1");

	memset(&server, 0, sizeof(server));
	assert_int_equal(net_udp_open(&server.udp, &at, 0, &server_ops, NULL),
	                 0);
	return net_udp_local(server.udp);
}

static void on_done(void *arg, const struct ask_result *r)
{
	struct asked *a = arg;

	a->result = *r;
	a->n_done++;
	net_stop();
}

static struct ask_target target;
static struct ask_conf conf;

static int begin(const struct ask_ops *ops, enum ask_via via,
                 const struct addr *to)
{
	memset(&asked, 0, sizeof(asked));
	report_init(&asked.report);
	target = (struct ask_target){.host = "sip.example.com",
	                             .addr = *to,
	                             .port_last = to->port,
	                             .via = via};
	conf.patience_ns = PATIENCE_MS * NS_PER_MS;
	return ask_start(&asked.ask, ops, &target, &conf, &asked.report,
	                 on_done, &asked);
}

static void finish(void)
{
	ask_free(asked.ask);
	report_fini(&asked.report);
	net_udp_close(server.udp);
	server.udp = NULL;
	memset(&conf, 0, sizeof(conf));
}

static const struct val *field(const char *key)
{
	return val_get(&asked.result.fields, key);
}

static void test_rto_doubles_and_leaves_time(void **state)
{
	static const struct {
		int64_t left_ms;
		unsigned n_sent;
		int64_t want_ms;
	} cases[] = {
		{32000, 1, 500},  {32000, 2, 1000}, {32000, 3, 2000},
		{32000, 4, 4000}, {32000, 9, 4000}, {10000, 1, 500},
		{4000, 1, 200},   {4000, 2, 400},   {4000, 4, 1600},
		{1, 1, 1},        {-5, 1, 1},       {-5, 40, 4000},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(ask_link_rto_ns(cases[i].left_ms * NS_PER_MS,
		                                 cases[i].n_sent),
		                 cases[i].want_ms * NS_PER_MS);
	/* four repetitions fit into whatever patience there is */
	for (int64_t left_ms = 100; left_ms < 60000; left_ms += 700) {
		int64_t sum_ns = 0;

		for (unsigned n = 1; n <= 4; n++)
			sum_ns += ask_link_rto_ns(left_ms * NS_PER_MS, n);
		assert_true(sum_ns * 5 <= left_ms * NS_PER_MS * 4);
	}
}

static void test_edge_calls_itself_so(void **state)
{
	UNUSED(state);
	assert_true(ask_link_is_edge_name(slice_str("prumo-edge")));
	assert_true(ask_link_is_edge_name(slice_str("prumo-edge/0.1")));
	assert_false(ask_link_is_edge_name(slice_str("prumo-edg")));
	assert_false(ask_link_is_edge_name(slice_str("kamailio prumo-edge")));
	assert_false(ask_link_is_edge_name((struct slice){0}));
}

static void test_lost_datagrams_are_repeated(void **state)
{
	struct addr to = serve();
	unsigned flows = 5;

	UNUSED(state);
	server.n_muted = 3;
	conf.flows_left = &flows;
	assert_int_equal(begin(&ask_stun, ASK_UDP, &to), 0);
	net_test_run();
	assert_int_equal(asked.result.end, ASK_ANSWERED);
	assert_int_equal(asked.result.layer, ASK_LAYER_PROTOCOL);
	assert_int_equal(server.n_seen, 4);
	assert_int_equal(asked.result.n_sent, 4);
	assert_true(asked.result.rtt_ns > 0);
	assert_int_equal(flows, 4);
	finish();
}

static void test_silence_and_refusal(void **state)
{
	struct addr to = serve();

	UNUSED(state);
	server.n_muted = UINT_MAX;
	assert_int_equal(begin(&ask_stun, ASK_UDP, &to), 0);
	net_test_run();
	assert_int_equal(asked.result.end, ASK_SILENT);
	assert_int_equal(asked.result.layer, ASK_LAYER_NONE);
	assert_true(asked.result.n_sent >= 5);
	finish();

	to = serve();
	net_udp_close(server.udp);
	server.udp = NULL;
	for (int via = ASK_UDP; via <= ASK_WSS; via++) {
		const struct ask_ops *ops =
			via <= ASK_TLS ? &ask_stun : &ask_sip_options;

		assert_int_equal(begin(ops, (enum ask_via)via, &to), 0);
		net_test_run();
		assert_int_equal(asked.result.end, ASK_REFUSED);
		assert_int_equal(asked.result.error, ECONNREFUSED);
		if (via == ASK_UDP)
			assert_true(addr_is_loopback(&asked.result.offender));
		finish();
	}
}

static void test_no_flow_is_left(void **state)
{
	struct addr to = serve();
	unsigned flows = 0;

	UNUSED(state);
	for (int via = ASK_UDP; via <= ASK_WSS; via++) {
		conf.flows_left = &flows;
		assert_int_equal(
			begin(&ask_sip_options, (enum ask_via)via, &to), 0);
		net_test_run();
		assert_int_equal(asked.result.end, ASK_LOCAL);
		assert_int_equal(asked.result.error, EDQUOT);
		assert_int_equal(asked.result.n_sent, 0);
		ask_free(asked.ask);
		report_fini(&asked.report);
	}
	asked.ask = NULL;
	assert_int_equal(server.n_seen, 0);
	report_init(&asked.report);
	finish();
}

static void with_account(void)
{
	conf.account = (struct ask_account){.sip_user = "alice",
	                                    .sip_password = "secret",
	                                    .sip_domain = "example.com"};
}

static void test_registration_is_taken_away(void **state)
{
	struct addr to = serve();

	UNUSED(state);
	with_account();
	assert_int_equal(begin(&ask_sip_register, ASK_UDP, &to), 0);
	net_test_run();
	assert_int_equal(asked.result.end, ASK_ANSWERED);
	assert_true(slice_eq_str(val_get_text(&asked.result.fields, "auth"),
	                         "sha-256"));
	assert_true(field("is_registered")->b);
	assert_true(field("is_removed")->b);
	assert_false(server.is_bound);
	assert_int_equal(server.n_removals, 1);
	finish();
}

static void test_removal_without_answer_is_tried_to_the_last(void **state)
{
	struct addr to = serve();

	UNUSED(state);
	with_account();
	server.is_deaf_to_removal = true;
	assert_int_equal(begin(&ask_sip_register, ASK_UDP, &to), 0);
	net_test_run();
	assert_int_equal(asked.result.end, ASK_ANSWERED);
	assert_true(field("is_registered")->b);
	assert_false(field("is_removed")->b);
	assert_true(server.n_removals >= 5);
	finish();
}

static void on_second_datagram(void *arg, const struct net_dgram *d)
{
	on_dgram(arg, d);
	if (server.is_bound)
		net_stop();
}

static void test_early_stop_takes_the_binding_away(void **state)
{
	static const struct net_udp_ops ops = {.on_dgram = on_second_datagram};
	struct addr to = net_test_addr("127.0.0.1");

	UNUSED(state);
	memset(&server, 0, sizeof(server));
	assert_int_equal(net_udp_open(&server.udp, &to, 0, &ops, NULL), 0);
	to = net_udp_local(server.udp);
	with_account();
	assert_int_equal(begin(&ask_sip_register, ASK_UDP, &to), 0);
	net_test_run();
	assert_true(server.is_bound);
	assert_int_equal(asked.n_done, 0);
	ask_free(asked.ask);
	asked.ask = NULL;
	net_test_linger(LINGER_MS * NS_PER_MS);
	assert_false(server.is_bound);
	assert_int_equal(server.n_removals, 1);
	finish();
}

static const struct {
	const struct ask_ops *ops;
	enum ask_via first, last;
} kinds[] = {
	{&ask_sip_options, ASK_UDP, ASK_WSS},
	{&ask_sip_register, ASK_UDP, ASK_WSS},
	{&ask_stun, ASK_UDP, ASK_TLS},
	{&ask_turn, ASK_UDP, ASK_TLS},
	{&ask_xmpp, ASK_TCP, ASK_TLS},
	{&ask_xmpp_bosh, ASK_TCP, ASK_TLS},
	{&ask_xmpp_ws, ASK_WS, ASK_WSS},
	{&ask_ntp, ASK_UDP, ASK_UDP},
};

static void test_every_kind_begins_without_memory(void **state)
{
	struct addr to = serve();

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		for (int via = (int)kinds[i].first; via <= (int)kinds[i].last;
		     via++) {
			int err = ENOMEM;

			for (unsigned long n = 0; err; n++) {
				oom_after(n);
				err = begin(kinds[i].ops, (enum ask_via)via,
				            &to);
				oom_after(OOM_NEVER);
				if (err)
					assert_int_equal(err, ENOMEM);
				/* and may be given up at once */
				ask_free(asked.ask);
				report_fini(&asked.report);
			}
		}
	}
	asked.ask = NULL;
	report_init(&asked.report);
	finish();
}

static void test_wrong_transport_is_refused(void **state)
{
	struct addr to = serve();

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (kinds[i].first == ASK_UDP)
			continue;
		assert_int_equal(begin(kinds[i].ops, ASK_UDP, &to), EINVAL);
		report_fini(&asked.report);
	}
	asked.ask = NULL;
	report_init(&asked.report);
	finish();
}

static void test_runs_without_memory(void **state)
{
	struct net_timer *limit; /* made while there is memory */
	bool is_whole = false;

	UNUSED(state);
	assert_int_equal(net_timer_alloc(&limit, net_test_stop, NULL), 0);
	for (unsigned long n = 0; !is_whole; n++) {
		struct addr to = serve();

		with_account();
		oom_after(n);
		if (begin(&ask_sip_register, ASK_UDP, &to)) {
			oom_after(OOM_NEVER);
			finish();
			continue;
		}
		net_timer_set(limit, NET_TEST_LIMIT_NS);
		assert_int_equal(net_run(NULL, NULL), 0);
		oom_after(OOM_NEVER);
		assert_int_equal(asked.n_done, 1);
		if (asked.result.end == ASK_LOCAL)
			assert_int_equal(asked.result.error, ENOMEM);
		is_whole = asked.result.end == ASK_ANSWERED &&
		           !asked.report.no_memory && field("is_removed") &&
		           field("is_removed")->b;
		finish();
	}
	net_timer_free(limit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rto_doubles_and_leaves_time),
		cmocka_unit_test(test_edge_calls_itself_so),
		cmocka_unit_test(test_lost_datagrams_are_repeated),
		cmocka_unit_test(test_silence_and_refusal),
		cmocka_unit_test(test_no_flow_is_left),
		cmocka_unit_test(test_registration_is_taken_away),
		cmocka_unit_test(
			test_removal_without_answer_is_tried_to_the_last),
		cmocka_unit_test(test_early_stop_takes_the_binding_away),
		cmocka_unit_test(test_every_kind_begins_without_memory),
		cmocka_unit_test(test_wrong_transport_is_refused),
		cmocka_unit_test(test_runs_without_memory),
	};

	return cmocka_run_group_tests(tests, net_test_setup, net_test_teardown);
}
