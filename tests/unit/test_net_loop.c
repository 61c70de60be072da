/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "net_test.h"
#include "oom.h"

struct ticker {
	struct net_timer *t;
	int n;
	int64_t set_mono_ns, fired_mono_ns;
};

static void on_tick(void *arg)
{
	struct ticker *k = arg;

	k->fired_mono_ns = clock_mono_ns();
	k->n++;
	net_stop();
}

static void test_timer_is_never_early(void **state)
{
	static const int64_t delays[] = {-1, 0, 1, 999, 1500000, 5000001};
	struct ticker k = {0};

	UNUSED(state);
	assert_int_equal(net_timer_alloc(&k.t, on_tick, &k), 0);
	for (size_t i = 0; i < ARRAY_LEN(delays); i++) {
		int64_t start = clock_mono_ns();

		net_timer_set(k.t, delays[i]);
		net_test_run();
		assert_int_equal(k.n, i + 1);
		assert_true(k.fired_mono_ns - start >= delays[i]);
	}
	net_timer_free(k.t);
}

static char order[64];

struct lettered {
	struct net_timer *t;
	char letter;
};

static void on_letter(void *arg)
{
	const struct lettered *l = arg;
	size_t n = strlen(order);

	order[n] = l->letter;
	order[n + 1] = '\0';
	if (l->letter == 'z')
		net_stop();
}

static void test_timers_run_in_order_of_time(void **state)
{
	/* set in this order; equal times keep it; d is taken back */
	static const struct {
		char letter;
		int64_t delay_ns;
	} cases[] = {
		{'f', 3000000}, {'a', 100000},  {'z', 9000000}, {'d', 2000000},
		{'b', 200000},  {'g', 4000000}, {'c', 1000000}, {'h', 5000000},
	};
	struct lettered l[ARRAY_LEN(cases)];

	UNUSED(state);
	order[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		l[i].letter = cases[i].letter;
		assert_int_equal(net_timer_alloc(&l[i].t, on_letter, &l[i]), 0);
		net_timer_set(l[i].t, cases[i].delay_ns);
	}
	net_timer_cancel(l[3].t);
	net_timer_set(l[0].t, 7000000); /* f: moved behind h */
	net_test_run();
	assert_string_equal(order, "abcghfz");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		net_timer_free(l[i].t);
}

static void on_tick_again(void *arg)
{
	struct ticker *k = arg;

	if (++k->n < 5)
		net_timer_set(k->t, 0);
	else
		net_stop();
}

static void test_timer_may_be_set_in_its_callback(void **state)
{
	struct ticker k = {0};

	UNUSED(state);
	assert_int_equal(net_timer_alloc(&k.t, on_tick_again, &k), 0);
	net_timer_set(k.t, 0);
	net_test_run();
	assert_int_equal(k.n, 5);
	net_timer_free(k.t);
}

static void on_tick_free(void *arg)
{
	struct ticker *k = arg;

	net_timer_free(k->t);
	k->t = NULL;
	net_stop();
}

static void test_timer_may_be_freed_in_its_callback(void **state)
{
	struct ticker k = {0};

	UNUSED(state);
	assert_int_equal(net_timer_alloc(&k.t, on_tick_free, &k), 0);
	net_timer_set(k.t, 0);
	net_test_run();
	assert_null(k.t);
	net_timer_free(NULL);
}

struct pipe_end {
	int fd[2];
	unsigned events;
	int n;
};

static void on_readable(unsigned events, void *arg)
{
	struct pipe_end *p = arg;

	p->events = events;
	p->n++;
	net_fd_unwatch(p->fd[0]);
	net_stop();
}

static void test_fd_is_told_until_unwatched(void **state)
{
	struct pipe_end p = {0};

	UNUSED(state);
	assert_int_equal(pipe(p.fd), 0);
	assert_int_equal(net_fd_watch(p.fd[0], NET_FD_READ, on_readable, &p),
	                 0);
	assert_int_equal(write(p.fd[1], "x", 1), 1);
	net_test_run();
	assert_int_equal(p.events, NET_FD_READ);
	net_test_linger(NS_PER_MS); /* still readable, but nobody watches */
	assert_int_equal(p.n, 1);

	assert_int_equal(net_fd_watch(p.fd[0], NET_FD_READ, on_readable, &p),
	                 0);
	close(p.fd[1]);
	net_test_run();
	assert_true(p.events & NET_FD_ERROR);
	close(p.fd[0]);
	assert_int_equal(net_fd_watch(-1, NET_FD_READ, on_readable, &p),
	                 EINVAL);
	net_fd_unwatch(-1);
}

static void on_signal(int sig, void *arg)
{
	*(int *)arg = sig;
	net_stop();
}

static void on_tick_raise(void *arg)
{
	UNUSED(arg);
	raise(SIGTERM);
}

static void test_signal_is_handed_to_the_caller(void **state)
{
	struct net_timer *t;
	int sig = 0;

	UNUSED(state);
	assert_int_equal(net_timer_alloc(&t, on_tick_raise, NULL), 0);
	net_timer_set(t, 0);
	assert_int_equal(net_run(on_signal, &sig), 0);
	assert_int_equal(sig, SIGTERM);
	net_timer_set(t, 0);
	assert_int_equal(net_run(NULL, NULL), 0); /* ends by itself */
	net_timer_free(t);
}

static void on_tick_raise_twice(void *arg)
{
	UNUSED(arg);
	(void)kill(getpid(), SIGINT);
	(void)kill(getpid(), SIGTERM);
}

/* timeout(1) signals its child, and then the group that the child is in. */
static void test_signals_may_come_twice_and_late(void **state)
{
	struct sigaction now;
	struct net_timer *t;

	UNUSED(state);
	assert_int_equal(net_timer_alloc(&t, on_tick_raise_twice, NULL), 0);
	net_timer_set(t, 0);
	assert_int_equal(net_run(NULL, NULL), 0);
	net_timer_free(t);
	assert_int_equal(raise(SIGINT), 0);
	assert_int_equal(sigaction(SIGINT, NULL, &now), 0);
	assert_true(now.sa_handler == SIG_DFL); /* the next one ends it */
	assert_int_equal(raise(SIGTERM), 0);
}

static void test_timer_alloc_survives_no_memory(void **state)
{
	struct net_timer *t = NULL;

	UNUSED(state);
	oom_after(0);
	assert_int_equal(net_timer_alloc(&t, on_tick, NULL), ENOMEM);
	oom_after(OOM_NEVER);
	assert_null(t);
}

static void test_open_takes_the_files_it_may_have(void **state)
{
	struct rlimit before, few, now;
	const int fd = 100;

	UNUSED(state);
	net_close();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(net_open(), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
	assert_true(now.rlim_cur >= NET_FILES_WANTED ||
	            now.rlim_cur == before.rlim_max);
	assert_int_equal(dup2(STDERR_FILENO, fd), fd);
	assert_int_not_equal(net_fd_watch(fd, NET_FD_READ, NULL, NULL), EMFILE);
	net_fd_unwatch(fd);
	assert_int_equal(close(fd), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_takes_the_files_it_may_have),
		cmocka_unit_test(test_timer_is_never_early),
		cmocka_unit_test(test_timers_run_in_order_of_time),
		cmocka_unit_test(test_timer_may_be_set_in_its_callback),
		cmocka_unit_test(test_timer_may_be_freed_in_its_callback),
		cmocka_unit_test(test_fd_is_told_until_unwatched),
		cmocka_unit_test(test_signal_is_handed_to_the_caller),
		cmocka_unit_test(test_signals_may_come_twice_and_late),
		cmocka_unit_test(test_timer_alloc_survives_no_memory),
	};

	return cmocka_run_group_tests(tests, net_test_setup, net_test_teardown);
}
