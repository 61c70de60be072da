/* SPDX-License-Identifier: ISC */
/*
 * Design: the loop and its epoll are libre's, so that its SIP and DNS
 * clients can share it. The timers are ours: libre 1.1 counts milliseconds
 * of gettimeofday(), so its timers stand still or run ahead when the wall
 * clock is set, and a stream of 20 ms packets paced by them jitters by 1 ms.
 * Here one timerfd on CLOCK_MONOTONIC serves a heap of timers, ordered by
 * time and then by when they were set.
 *
 * The heap has room for every timer alive: setting one cannot fail.
 *
 * Signals come by a signalfd: libre installs its handler for one signal at a
 * time, so a second that follows at once, as timeout(1) and a terminal's
 * group send it, would kill the process and what it had measured.
 */
#include "net/loop.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* without it libre makes `bool` a signed char */
#define HAVE_STDBOOL_H
#include <re.h>

#include "base/clock.h"

enum {
	MAX_FDS = 65536, /* libre's tables take 36 bytes for each */
	HEAP_MIN = 16,
};

_Static_assert((int)NET_FD_READ == (int)FD_READ &&
                       (int)NET_FD_WRITE == (int)FD_WRITE &&
                       (int)NET_FD_ERROR == (int)FD_EXCEPT,
               "events are passed on as they are");

#define NOT_SET SIZE_MAX

struct net_timer {
	net_timer_fn *fn;
	void *arg;
	int64_t due_mono_ns;
	uint64_t turn; /* among equal times, first set is first served */
	size_t at;     /* in the heap, or NOT_SET */
};

struct watch {
	net_fd_fn *fn;
	void *arg;
};

static struct {
	struct net_timer **heap;
	size_t n_set, n_alive, cap;
	uint64_t turn;
	int timer_fd;
	struct watch *watches; /* by fd */
	int n_watches;
	net_signal_fn *on_signal;
	void *signal_arg;
} loop = {.timer_fd = -1};

static bool is_before(const struct net_timer *a, const struct net_timer *b)
{
	if (a->due_mono_ns != b->due_mono_ns)
		return a->due_mono_ns < b->due_mono_ns;
	return a->turn < b->turn;
}

static void heap_place(struct net_timer *t, size_t at)
{
	loop.heap[at] = t;
	t->at = at;
}

static void heap_up(struct net_timer *t, size_t at)
{
	while (at > 0 && is_before(t, loop.heap[(at - 1) / 2])) {
		heap_place(loop.heap[(at - 1) / 2], at);
		at = (at - 1) / 2;
	}
	heap_place(t, at);
}

static void heap_down(struct net_timer *t, size_t at)
{
	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < loop.n_set &&
		    is_before(loop.heap[child + 1], loop.heap[child]))
			child++;
		if (child >= loop.n_set || !is_before(loop.heap[child], t))
			break;
		heap_place(loop.heap[child], at);
		at = child;
	}
	heap_place(t, at);
}

static void heap_remove(struct net_timer *t)
{
	size_t at = t->at;
	struct net_timer *last;

	if (at == NOT_SET)
		return;
	t->at = NOT_SET;
	last = loop.heap[--loop.n_set];
	if (last == t)
		return;
	if (at > 0 && is_before(last, loop.heap[(at - 1) / 2]))
		heap_up(last, at);
	else
		heap_down(last, at);
}

static void arm(void)
{
	struct itimerspec its = {0};
	int64_t due;

	if (loop.n_set) {
		due = loop.heap[0]->due_mono_ns;
		its.it_value.tv_sec = due / NS_PER_S;
		its.it_value.tv_nsec = due % NS_PER_S;
	}
	(void)timerfd_settime(loop.timer_fd, TFD_TIMER_ABSTIME, &its, NULL);
}

static void on_timer_fd(unsigned events, void *arg)
{
	int64_t now = clock_mono_ns();
	uint64_t last_turn = loop.turn, n;

	UNUSED(events);
	UNUSED(arg);
	(void)!read(loop.timer_fd, &n, sizeof(n));
	/* a timer set by these callbacks waits for the next turn: one that
	 * sets itself to 0 must not starve the sockets */
	while (loop.n_set && loop.heap[0]->due_mono_ns <= now &&
	       loop.heap[0]->turn <= last_turn) {
		struct net_timer *t = loop.heap[0];

		heap_remove(t);
		t->fn(t->arg);
	}
	arm();
}

int net_timer_alloc(struct net_timer **tp, net_timer_fn *fn, void *arg)
{
	struct net_timer *t = calloc(1, sizeof(*t));

	if (!t)
		return ENOMEM;
	if (loop.n_alive == loop.cap) {
		size_t cap = loop.cap ? loop.cap * 2 : HEAP_MIN;
		/* pointers are meant: NOLINTNEXTLINE(bugprone-sizeof-*) */
		void *heap = reallocarray(loop.heap, cap, sizeof(*loop.heap));

		if (!heap) {
			free(t);
			return ENOMEM;
		}
		loop.heap = heap;
		loop.cap = cap;
	}
	loop.n_alive++;
	*t = (struct net_timer){.fn = fn, .arg = arg, .at = NOT_SET};
	*tp = t;
	return 0;
}

void net_timer_set(struct net_timer *t, int64_t delay_ns)
{
	int64_t now = clock_mono_ns();

	heap_remove(t);
	if (delay_ns < 0)
		delay_ns = 0;
	if (delay_ns > INT64_MAX - now)
		delay_ns = INT64_MAX - now;
	t->due_mono_ns = now + delay_ns;
	t->turn = ++loop.turn;
	heap_up(t, loop.n_set++);
	if (t->at == 0)
		arm();
}

void net_timer_cancel(struct net_timer *t)
{
	/* the timerfd may now wake the loop for nothing, once */
	heap_remove(t);
}

void net_timer_free(struct net_timer *t)
{
	if (!t)
		return;
	heap_remove(t);
	loop.n_alive--;
	free(t);
}

static void on_fd(int flags, void *arg)
{
	const struct watch *w = arg;

	if (w->fn)
		w->fn((unsigned)flags, w->arg);
}

int net_fd_watch(int fd, unsigned events, net_fd_fn *fn, void *arg)
{
	int err;

	if (fd < 0)
		return EINVAL;
	if (!loop.watches || fd >= loop.n_watches)
		return EMFILE;
	err = fd_listen(fd, (int)events, on_fd, &loop.watches[fd]);
	if (!err)
		loop.watches[fd] = (struct watch){fn, arg};
	return err;
}

void net_fd_unwatch(int fd)
{
	if (fd < 0 || fd >= loop.n_watches || !loop.watches ||
	    !loop.watches[fd].fn)
		return;
	loop.watches[fd] = (struct watch){0};
	fd_close(fd);
}

/* The usual soft limit, 1024, exists for select(), which nobody calls here;
 * a server has more peers than that. */
static int max_fds(void)
{
	struct rlimit rl, more;

	if (getrlimit(RLIMIT_NOFILE, &rl))
		return MAX_FDS;
	more = rl;
	if (more.rlim_cur < NET_FILES_WANTED) {
		more.rlim_cur = more.rlim_max < NET_FILES_WANTED
		                        ? more.rlim_max
		                        : NET_FILES_WANTED;
		if (setrlimit(RLIMIT_NOFILE, &more) == 0)
			rl = more;
	}
	return rl.rlim_cur > MAX_FDS ? MAX_FDS : (int)rl.rlim_cur;
}

int net_open(void)
{
	int n = max_fds(), err;

	assert(!loop.watches);
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return errno;
	err = libre_init();
	if (err)
		return err;
	err = fd_setsize(n);
	if (err)
		goto out;
	loop.watches = calloc((size_t)n, sizeof(*loop.watches));
	if (!loop.watches) {
		err = ENOMEM;
		goto out;
	}
	loop.n_watches = n;
	loop.timer_fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (loop.timer_fd < 0) {
		err = errno;
		goto out;
	}
	err = net_fd_watch(loop.timer_fd, NET_FD_READ, on_timer_fd, NULL);

out:
	if (err)
		net_close();
	return err;
}

void net_close(void)
{
	net_fd_unwatch(loop.timer_fd);
	if (loop.timer_fd >= 0)
		(void)close(loop.timer_fd);
	loop.timer_fd = -1;
	free(loop.watches);
	loop.watches = NULL;
	loop.n_watches = 0;
	assert(loop.n_alive == 0);
	free(loop.heap);
	loop.heap = NULL;
	loop.cap = 0;
	(void)fd_setsize(0);
	libre_close();
}

static void on_signals(unsigned events, void *arg)
{
	const int *fd = arg;
	struct signalfd_siginfo info;

	UNUSED(events);
	while (read(*fd, &info, sizeof(info)) == sizeof(info)) {
		if (loop.on_signal)
			loop.on_signal((int)info.ssi_signo, loop.signal_arg);
		else
			re_cancel();
	}
}

static void spare(int sig)
{
	UNUSED(sig);
}

/* The first that comes while the results are written: it asks for an end
 * that is being made. A second means it. */
static void spare_once(int sig)
{
	const struct sigaction once = {
		.sa_handler = spare,
		.sa_flags = (int)(SA_RESETHAND | SA_RESTART)};

	(void)sigaction(sig, &once, NULL);
}

int net_run(net_signal_fn *fn, void *arg)
{
	sigset_t ends, before;
	int fd, err;

	loop.on_signal = fn;
	loop.signal_arg = arg;
	(void)sigemptyset(&ends);
	(void)sigaddset(&ends, SIGINT);
	(void)sigaddset(&ends, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &ends, &before) != 0)
		return errno;
	fd = signalfd(-1, &ends, SFD_NONBLOCK | SFD_CLOEXEC);
	err = fd < 0 ? errno : net_fd_watch(fd, NET_FD_READ, on_signals, &fd);
	if (!err)
		err = re_main(NULL);
	net_fd_unwatch(fd);
	if (fd >= 0)
		(void)close(fd);
	spare_once(SIGINT);
	spare_once(SIGTERM);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return err;
}

void net_stop(void)
{
	re_cancel();
}
