/* SPDX-License-Identifier: ISC */
/**
 * The event loop, its timers and its file descriptors.
 *
 * One loop, one thread: everything in net/ is called from the thread that
 * called net_open(), mostly from callbacks inside net_run().
 */
#pragma once

#include <stdint.h>

#include "base/attr.h"

enum {
	NET_FILES_WANTED = 8192, /**< descriptors, where the system allows */
};

/** Start the loop library; SIGPIPE is ignored from here on, and the limit of
 *  open files is raised to NET_FILES_WANTED or as near as it may. Once per
 *  process, before anything else of net/ but guard.h and resolve.h.
 *  @return 0, ENOMEM or another errno */
WARN_UNUSED int net_open(void);

/** Close every socket, stream, listener and timer first. */
void net_close(void);

/** On SIGINT or SIGTERM; called in the loop, so free to do anything. */
typedef void net_signal_fn(int sig, void *arg);

/**
 * Run until net_stop(). May be called again afterwards. The first SIGINT and
 * the first SIGTERM after its return are without effect, so that what ended
 * the loop twice does not take the results; the next is as usual.
 *
 * @param on_signal  NULL: a signal does what net_stop() does
 *
 * @return 0, or an errno of the poll itself
 */
WARN_UNUSED int net_run(net_signal_fn *on_signal, void *arg);

/** Make net_run() return once the callback in progress has returned. */
void net_stop(void);

typedef void net_timer_fn(void *arg);

struct net_timer;

/** @return 0 or ENOMEM. The timer is not set yet. */
WARN_UNUSED int net_timer_alloc(struct net_timer **tp, net_timer_fn *fn,
                                void *arg);

/**
 * Call back once, @p delay_ns from now by CLOCK_MONOTONIC or a little later,
 * never sooner; replaces what was set before. 0 or less: in the next turn of
 * the loop. Timers due together run in the order of their times. Allowed
 * inside the timer's own callback.
 */
void net_timer_set(struct net_timer *t, int64_t delay_ns);

void net_timer_cancel(struct net_timer *t);

/** NULL is fine. Allowed inside the timer's own callback. */
void net_timer_free(struct net_timer *t);

enum net_fd_event {
	NET_FD_READ = 1 << 0,
	NET_FD_WRITE = 1 << 1,
	NET_FD_ERROR = 1 << 2, /**< error or hang-up: reported unasked */
};

/** @param events  NET_FD_* bits that hold now */
typedef void net_fd_fn(unsigned events, void *arg);

/**
 * Call back whenever @p fd is ready (level-triggered); replaces an earlier
 * watch of the same fd. An event may be stale when the number was closed and
 * opened again in the same turn: expect EAGAIN.
 *
 * @return 0, EMFILE (fd above the process limit) or another errno
 */
WARN_UNUSED int net_fd_watch(int fd, unsigned events, net_fd_fn *fn, void *arg);

/** Before close(fd). Harmless when it is not watched, or negative. */
void net_fd_unwatch(int fd);
