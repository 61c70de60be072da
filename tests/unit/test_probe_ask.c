/* SPDX-License-Identifier: ISC */
/* probe/ask.c: a question ends once, later, and is let go of once. */
#include "test.h"

#include <errno.h>

#include "net/loop.h"
#include "probe/ask.h"

struct log {
	unsigned n_started, n_stopped, n_done;
	enum ask_end end;
	struct ask *ask;
};

static struct log logged;

struct state {
	bool is_started;
};

static int start_two_ends(void *state, struct ask *a)
{
	struct state *s = state;

	assert_false(s->is_started);
	s->is_started = true;
	logged.n_started++;
	a->result.end = ASK_REFUSED;
	ask_end(a);
	ask_end(a);
	return 0;
}

static int start_fails(void *state, struct ask *a)
{
	UNUSED(state);
	UNUSED(a);
	return EMFILE;
}

static void stop(void *state)
{
	assert_true(((struct state *)state)->is_started);
	logged.n_stopped++;
}

static void on_done(void *arg, const struct ask_result *r)
{
	struct log *l = arg;

	assert_int_equal(l->n_stopped, 1);
	l->n_done++;
	l->end = r->end;
	ask_free(l->ask);
	net_stop();
}

static const struct ask_ops two_ends = {
	.name = "two-ends",
	.state_bytes = sizeof(struct state),
	.start = start_two_ends,
	.stop = stop,
};
static const struct ask_ops fails = {
	.name = "fails",
	.state_bytes = sizeof(struct state),
	.start = start_fails,
	.stop = stop,
};

static void test_ends_once_and_later(void **arg)
{
	struct ask_target t = {.host = "198.51.100.10"};
	struct ask_conf conf = {0};
	struct report r;

	UNUSED(arg);
	logged = (struct log){0};
	report_init(&r);
	assert_int_equal(net_open(), 0);
	assert_int_equal(ask_start(&logged.ask, &two_ends, &t, &conf, &r,
	                           on_done, &logged),
	                 0);
	assert_int_equal(logged.n_done, 0);
	assert_int_equal(net_run(NULL, NULL), 0);
	assert_int_equal(logged.n_done, 1);
	assert_int_equal(logged.end, ASK_REFUSED);
	assert_int_equal(logged.n_stopped, 1);
	net_close();
	report_fini(&r);
}

static void test_freed_early(void **arg)
{
	struct ask_target t = {.host = "198.51.100.10"};
	struct ask_conf conf = {0};
	struct report r;

	UNUSED(arg);
	logged = (struct log){0};
	report_init(&r);
	assert_int_equal(net_open(), 0);
	assert_int_equal(ask_start(&logged.ask, &two_ends, &t, &conf, &r,
	                           on_done, &logged),
	                 0);
	ask_free(logged.ask);
	assert_int_equal(logged.n_stopped, 1);
	assert_int_equal(logged.n_done, 0);
	ask_free(NULL);
	net_close();
	report_fini(&r);
}

static void test_start_fails(void **arg)
{
	struct ask_target t = {.host = "198.51.100.10"};
	struct ask_conf conf = {0};
	struct ask *a = NULL;
	struct report r;

	UNUSED(arg);
	logged = (struct log){0};
	report_init(&r);
	assert_int_equal(net_open(), 0);
	assert_int_equal(ask_start(&a, &fails, &t, &conf, &r, on_done, &logged),
	                 EMFILE);
	assert_null(a);
	assert_int_equal(logged.n_stopped, 0);
	net_close();
	report_fini(&r);
}

static void test_names(void **arg)
{
	UNUSED(arg);
	for (int e = 0; e < ASK_ENDS; e++)
		assert_non_null(ask_end_name((enum ask_end)e));
	assert_string_equal(ask_layer_name(ASK_LAYER_TLS), "tls");
	assert_string_equal(ask_via_name(ASK_WSS), "wss");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends_once_and_later),
		cmocka_unit_test(test_freed_early),
		cmocka_unit_test(test_start_fails),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
