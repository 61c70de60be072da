/* SPDX-License-Identifier: ISC */
/* probe/reach*.c: what is asked when, and what is written down. The
 * questions are played by a script, so nothing is sent. */
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net/loop.h"
#include "net_test.h"
#include "probe/registry.h"

#define ROW(no, host, ports, transports, cls)                        \
	"  - {table: t, row: " no ", host: " host ", ports: " ports  \
	", transports: " transports ", direction: both, class: " cls \
	", service: s, description: d}\n"

static const char text[] =
	"schema: prumo/profile/1\nid: x\nname: X\nsource: {title: T}\n"
	"tables: [{id: t}]\nrequirements: {sip_alg_allowed: false}\n"
	"rows:\n" ROW("1", "198.51.100.1", "[5060, 5061, 5080]", "[udp, tcp]",
                      "sip") ROW("2", "198.51.100.1", "[10000-20000]", "[udp]",
                                 "rtp")
		ROW("3", "a.example", "[443]", "[tcp]", "web")
			ROW("4", "b.example", "[443]", "[tcp]", "web")
				ROW("5", "192.168.7.7", "[80]", "[tcp]", "web");

/* A network with no way for UDP, and who shows that there is one at all. */
static const char shut_text[] =
	"schema: prumo/profile/1\nid: x\nname: X\nsource: {title: T}\n"
	"tables: [{id: t}]\nrequirements: {sip_alg_allowed: false}\n"
	"rows:\n" ROW("1", "198.51.100.1",
                      "[7001, 7002, 7003, 7004, 7005, 7006, 7007, 7008]",
                      "[udp]", "sip")
		ROW("2", "198.51.100.1", "[5060]", "[tcp]", "sip");

/* How a port answers: the first time, and then. */
static const struct script {
	uint16_t port;
	bool is_udp;
	enum ask_end ends[2];
	enum ask_layer layer;
	bool is_edge;
	int error;
} scripts[] = {
	{5060, true, {ASK_SILENT, ASK_ANSWERED}, ASK_LAYER_PROTOCOL, true, 0},
	{5060,
         false,
         {ASK_ANSWERED, ASK_ANSWERED},
         ASK_LAYER_PROTOCOL,
         true,
         0},
	{5061, true, {ASK_SILENT, ASK_SILENT}, ASK_LAYER_NONE, false, 0},
	{5061, false, {ASK_BAD_TLS, ASK_BAD_TLS}, ASK_LAYER_CONNECT, false, 0},
	{5080, true, {ASK_LOCAL, ASK_LOCAL}, ASK_LAYER_NONE, false, EPERM},
	{5080, false, {ASK_SILENT, ASK_SILENT}, ASK_LAYER_NONE, false, 0},
	{443,
         false,
         {ASK_REFUSED, ASK_REFUSED},
         ASK_LAYER_NONE,
         false,
         ECONNREFUSED},
	{10000, true, {ASK_PARTLY, ASK_PARTLY}, ASK_LAYER_PROTOCOL, true, 0},
	{7001, true, {ASK_SILENT, ASK_SILENT}, ASK_LAYER_NONE, false, 0},
	{7002, true, {ASK_SILENT, ASK_SILENT}, ASK_LAYER_NONE, false, 0},
	{7003, true, {ASK_SILENT, ASK_SILENT}, ASK_LAYER_NONE, false, 0},
	{7004, true, {ASK_SILENT, ASK_SILENT}, ASK_LAYER_NONE, false, 0},
	{7005, true, {ASK_SILENT, ASK_SILENT}, ASK_LAYER_NONE, false, 0},
	{7006, true, {ASK_SILENT, ASK_SILENT}, ASK_LAYER_NONE, false, 0},
	{7007, true, {ASK_SILENT, ASK_SILENT}, ASK_LAYER_NONE, false, 0},
	{7008, true, {ASK_SILENT, ASK_SILENT}, ASK_LAYER_NONE, false, 0},
};

enum {
	SCRIPT_SHUT = 8, /* the first of those that UDP does not reach */
	N_SHUT = 8,
};

enum {
	N_SCRIPTS = ARRAY_LEN(scripts)
};

static bool is_busy; /* this computer, while it asks */
static unsigned n_asked[N_SCRIPTS], n_running, n_running_max;
static const char *asked_home; /* of an address that is not ours */

struct actor {
	struct ask *a;
	struct net_timer *timer;
	unsigned i;
};

static void on_answer(void *arg)
{
	struct actor *ac = arg;
	const struct script *s = &scripts[ac->i];
	struct ask_result *res = &ac->a->result;
	const struct timespec long_ago = {.tv_nsec = 250 * NS_PER_MS};

	if (is_busy)
		(void)nanosleep(&long_ago, NULL);
	is_busy = false;
	res->end = s->ends[n_asked[ac->i] > 1];
	if (res->end != ASK_SILENT)
		res->layer = s->layer;
	res->is_edge = s->is_edge;
	res->error = s->error;
	res->n_sent = 1;
	if (res->end == ASK_ANSWERED)
		res->rtt_ns = NS_PER_MS;
	ask_end(ac->a);
}

static int start(void *state, struct ask *a)
{
	struct actor *ac = state;
	const struct ask_target *t = a->target;

	if (t->addr.ip[0] != 198)
		asked_home = t->host;
	ac->a = a;
	while (scripts[ac->i].port != t->addr.port ||
	       scripts[ac->i].is_udp != (t->via == ASK_UDP)) {
		ac->i++;
		assert_in_range(ac->i, 0, N_SCRIPTS - 1);
	}
	n_asked[ac->i]++;
	n_running++;
	n_running_max = n_running > n_running_max ? n_running : n_running_max;
	assert_true(a->conf->patience_ns > 0);
	assert_non_null(a->conf->flows_left);
	assert_int_equal(net_timer_alloc(&ac->timer, on_answer, ac), 0);
	net_timer_set(ac->timer, NS_PER_MS);
	return 0;
}

static void stop(void *state)
{
	struct actor *ac = state;

	n_running--;
	net_timer_free(ac->timer);
}

static const struct ask_ops actor = {
	.name = "actor",
	.state_bytes = sizeof(struct actor),
	.start = start,
	.stop = stop,
};

static const struct ask_ops *const actors[PLAN_KINDS] = {
	[PLAN_TCP] = &actor, [PLAN_TLS] = &actor,   [PLAN_HTTP] = &actor,
	[PLAN_SIP] = &actor, [PLAN_RANGE] = &actor,
};

struct room {
	struct profile *profile;
	struct plan *plan;
	struct profile_alias aliases[2];
	struct probe_conf conf;
	struct report report;
	int err;
};

static bool only_documentation(const struct addr *to)
{
	return addr_is_documentation(to);
}

static void open_room_of(struct room *m, const char *profile)
{
	struct plan_conf pc = {.aliases = m->aliases,
	                       .n_aliases = 2,
	                       .may_go = only_documentation};
	struct arena arena;
	struct diag dg;

	memset(n_asked, 0, sizeof(n_asked));
	n_running_max = 0;
	asked_home = NULL;
	*m = (struct room){0};
	arena_init(&arena);
	diag_init(&dg, &arena, NULL, slice_str(profile));
	assert_int_equal(profile_load(&m->profile, slice_str(profile), &dg), 0);
	arena_fini(&arena);
	assert_int_equal(
		profile_alias_parse(&m->aliases[0],
	                            slice_str("a.example:198.51.100.3")),
		0);
	assert_int_equal(
		profile_alias_parse(&m->aliases[1],
	                            slice_str("b.example:198.51.100.3")),
		0);
	assert_int_equal(plan_alloc(&m->plan, m->profile, &pc), 0);
	m->conf.plan = m->plan;
	m->conf.kinds = actors;
	m->conf.effort = (struct plan_effort){.patience_ns = 50 * NS_PER_MS,
	                                      .again_ns = 50 * NS_PER_MS,
	                                      .flows = 1000};
	report_init(&m->report);
}

static void open_room(struct room *m)
{
	open_room_of(m, text);
}

static void close_room(struct room *m)
{
	report_fini(&m->report);
	plan_free(m->plan);
	profile_free(m->profile);
}

static void on_done(void *arg, int err)
{
	((struct room *)arg)->err = err;
	net_stop();
}

static void run(struct room *m, int64_t limit_ns)
{
	static const struct probe_list_ops ops = {.on_done = on_done};
	struct probe_list *list;

	assert_int_equal(probe_list_start(&list, &m->conf, &m->report, &ops, m),
	                 0);
	if (limit_ns)
		net_test_linger(limit_ns);
	else
		net_test_run();
	probe_list_stop(list);
	assert_int_equal(m->err, 0);
	assert_int_equal(n_running, 0);
	assert_false(m->report.no_memory);
}

static const struct fact *flow(const struct room *m, const char *scope)
{
	for (const struct fact *f = m->report.facts; f; f = f->next) {
		if (strcmp(f->id, "flow.reached") == 0 &&
		    strcmp(f->scope, scope) == 0)
			return f;
	}
	fail_msg("no flow %s", scope);
	return NULL;
}

static void test_each_flow_has_its_fact(void **state)
{
	static const struct {
		const char *scope;
		enum fact_state state;
		const char *result;
	} want[] = {
		{"t/1/udp/5060", FACT_WARN, "answered"},
		{"t/1/tcp/5060", FACT_PASS, "answered"},
		{"t/1/udp/5061", FACT_FAIL, "silent"},
		{"t/1/tcp/5061", FACT_FAIL, "bad-tls"},
		{"t/1/udp/5080", FACT_FAIL, "local"},
		{"t/1/tcp/5080", FACT_FAIL, "silent"},
		{"t/2/udp/10000-20000", FACT_FAIL, "partly"},
		{"t/3/tcp/443", FACT_FAIL, "refused"},
		{"t/4/tcp/443", FACT_FAIL, "refused"},
		{"t/5/tcp/80", FACT_SKIPPED, "skipped"},
	};
	struct room m;
	size_t n = 0;

	UNUSED(state);
	open_room(&m);
	run(&m, 0);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		const struct fact *f = flow(&m, want[i].scope);
		struct slice result = val_get_text(&f->fields, "result");

		if (f->state != want[i].state ||
		    !slice_eq_str(result, want[i].result))
			fail_msg("%s: %s, %.*s", want[i].scope,
			         fact_state_name(f->state), (int)result.n,
			         (const char *)result.p);
	}
	for (const struct fact *f = m.report.facts; f; f = f->next)
		n += strcmp(f->id, "flow.reached") == 0;
	assert_int_equal(n, ARRAY_LEN(want));
	assert_true(m.report.is_tested);
	close_room(&m);
}

static void test_silence_alone_is_asked_again(void **state)
{
	struct room m;

	UNUSED(state);
	open_room(&m);
	run(&m, 0);
	/* silent, then there; and once more, as proof that new flows pass */
	assert_int_equal(n_asked[0], 3);
	assert_int_equal(n_asked[2], 2); /* silent for good */
	assert_int_equal(n_asked[3], 1); /* TLS */
	assert_int_equal(n_asked[4], 1); /* not let out */
	assert_true(n_asked[1] >= 1);
	close_room(&m);
}

static void test_a_shut_transport_is_asked_once(void **state)
{
	struct room m;

	UNUSED(state);
	open_room_of(&m, shut_text);
	run(&m, 0);
	for (size_t i = SCRIPT_SHUT; i < SCRIPT_SHUT + N_SHUT; i++)
		assert_int_equal(n_asked[i], 1);
	assert_int_equal(flow(&m, "t/1/udp/7001")->state, FACT_FAIL);
	close_room(&m);
}

/* A line that is down for a moment silences both alike. */
static void test_silence_of_all_is_asked_again(void **state)
{
	static const char *const skip[] = {"tcp"};
	struct room m;
	struct plan_conf pc = {.skip = skip, .n_skip = 1};

	UNUSED(state);
	open_room_of(&m, shut_text);
	plan_free(m.plan);
	assert_int_equal(plan_alloc(&m.plan, m.profile, &pc), 0);
	m.conf.plan = m.plan;
	run(&m, 0);
	for (size_t i = SCRIPT_SHUT; i < SCRIPT_SHUT + N_SHUT; i++)
		assert_int_equal(n_asked[i], 2);
	close_room(&m);
}

static void test_a_shut_door_is_tried_once(void **state)
{
	const struct fact *f;
	struct room m;

	UNUSED(state);
	open_room(&m);
	run(&m, 0);
	/* two names at one address: the second has the first one's answer */
	assert_int_equal(n_asked[6], 1);
	f = flow(&m, "t/4/tcp/443");
	assert_int_equal(val_get(&f->fields, "asked")->items.n, 1);
	close_room(&m);
}

static void test_quick_asks_once(void **state)
{
	struct room m;

	UNUSED(state);
	open_room(&m);
	m.conf.effort.again_ns = 0;
	run(&m, 0);
	assert_int_equal(n_asked[0], 1);
	assert_int_equal(flow(&m, "t/1/udp/5060")->state, FACT_FAIL);
	close_room(&m);
}

static void test_nothing_goes_where_it_must_not(void **state)
{
	struct room m;

	UNUSED(state);
	open_room(&m);
	run(&m, 0);
	assert_null(asked_home);
	assert_non_null(flow(&m, "t/5/tcp/80")->why.msgid);
	close_room(&m);
}

static void test_what_is_known_is_told_when_cut_short(void **state)
{
	const struct fact *f;
	struct room m;

	UNUSED(state);
	open_room(&m);
	run(&m, NS_PER_MS / 2);
	f = flow(&m, "t/1/tcp/5060");
	assert_int_equal(f->state, FACT_UNKNOWN);
	assert_true(
		slice_eq_str(val_get_text(&f->fields, "result"), "unfinished"));
	assert_non_null(f->why.msgid);
	assert_false(m.report.is_tested);
	close_room(&m);
}

static void test_a_busy_computer_says_so(void **state)
{
	struct room m;

	UNUSED(state);
	is_busy = true;
	open_room(&m);
	run(&m, 0);
	assert_in_range(val_get_int(&m.report.run, "late_ms", 0), 100, 60000);
	close_room(&m);
}

static void test_an_only_word_leaves_the_rest(void **state)
{
	static const char *const only[] = {"t/3"};
	struct room m;
	struct plan_conf pc = {.aliases = m.aliases,
	                       .n_aliases = 2,
	                       .only = only,
	                       .n_only = 1};

	UNUSED(state);
	open_room(&m);
	plan_free(m.plan);
	assert_int_equal(plan_alloc(&m.plan, m.profile, &pc), 0);
	m.conf.plan = m.plan;
	run(&m, 0);
	assert_int_equal(n_asked[6], 1);
	assert_int_equal(n_asked[0], 0);
	assert_int_equal(flow(&m, "t/1/udp/5060")->state, FACT_SKIPPED);
	close_room(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_flow_has_its_fact),
		cmocka_unit_test(test_silence_alone_is_asked_again),
		cmocka_unit_test(test_a_shut_transport_is_asked_once),
		cmocka_unit_test(test_silence_of_all_is_asked_again),
		cmocka_unit_test(test_a_shut_door_is_tried_once),
		cmocka_unit_test(test_quick_asks_once),
		cmocka_unit_test(test_nothing_goes_where_it_must_not),
		cmocka_unit_test(test_what_is_known_is_told_when_cut_short),
		cmocka_unit_test(test_a_busy_computer_says_so),
		cmocka_unit_test(test_an_only_word_leaves_the_rest),
	};

	return cmocka_run_group_tests(tests, net_test_setup, net_test_teardown);
}
