/* SPDX-License-Identifier: ISC */
/*
 * Design: a program enters its node in the child, between fork() and exec(),
 * so this process never leaves home for it. Its end is awaited through a pid
 * descriptor: poll() then serves the pipe, the process and the deadline
 * without a signal handler.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "lab/world.h"

enum {
	STATUS_NOT_RUN = 127, /* what a shell says, too */
	STATUS_SIGNAL = 128,
	STOP_GRACE_MS = 500,
	FILTER_TIMEOUT_MS = 10000,
	FILTER_INPUT_BYTES = 32768, /* fits a pipe: nobody has to take turns */
	LINE_BYTES = 4200,          /* a path, and words around it */
};

/* Onto itself too: a descriptor that is not for the child loses its mark. */
static bool redirect(int fd, int to)
{
	return fd == 0 || dup2(fd, to) == to;
}

static void become(const struct lab *lab, unsigned node,
                   const struct lab_cmd *cmd)
{
	char *const *argv;
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (setns(lab->net_fds[node], CLONE_NEWNET) != 0)
		return;
	if (!redirect(cmd->in_fd, 0) || !redirect(cmd->out_fd, 1) ||
	    !redirect(cmd->err_fd, 2))
		return;
	for (const char *const *e = cmd->env; e && *e; e++) {
		char *copy = strdup(*e);

		if (!copy || putenv(copy) != 0)
			return;
	}
	/* exec() changes nothing in argv; its type is older than const. */
	memcpy(&argv, &cmd->argv, sizeof(argv));
	(void)execvp(argv[0], argv);
	(void)fprintf(stderr, "%s: %s\n", cmd->argv[0], strerror(errno));
}

static int spawn(pid_t *pidp, struct lab *lab, unsigned node,
                 const struct lab_cmd *cmd)
{
	pid_t pid;

	(void)fflush(NULL);
	pid = fork();
	if (pid < 0)
		return errno;
	if (pid == 0) {
		become(lab, node, cmd);
		_exit(STATUS_NOT_RUN);
	}
	*pidp = pid;
	return 0;
}

int lab_spawn(pid_t *pidp, struct lab *lab, const char *node,
              const struct lab_cmd *cmd)
{
	unsigned i;
	int err;

	err = lab_plan_node(&i, &lab->spec, node);
	if (err)
		return err;
	return spawn(pidp, lab, i, cmd);
}

int lab_fork(pid_t *pidp, struct lab *lab, const char *node,
             int (*fn)(void *arg), void *arg)
{
	unsigned i;
	pid_t pid;
	int err;

	err = lab_plan_node(&i, &lab->spec, node);
	if (err)
		return err;
	(void)fflush(NULL);
	pid = fork();
	if (pid < 0)
		return errno;
	if (pid == 0) {
		int status = STATUS_NOT_RUN;

		if (setns(lab->net_fds[i], CLONE_NEWNET) == 0)
			status = fn(arg);
		_exit(status);
	}
	*pidp = pid;
	return 0;
}

static int64_t deadline_ns(int timeout_ms)
{
	if (timeout_ms < 0)
		return INT64_MAX;
	return clock_mono_ns() + timeout_ms * NS_PER_MS;
}

/* For poll(): rounded up, so that it never spins before the deadline. */
static int left_ms(int64_t until_ns)
{
	int64_t left_ns;

	if (until_ns == INT64_MAX)
		return -1;
	left_ns = until_ns - clock_mono_ns();
	if (left_ns <= 0)
		return 0;
	return (int)((left_ns + NS_PER_MS - 1) / NS_PER_MS);
}

/* @return 0, or ETIMEDOUT */
static int await_readable(int fd, int64_t until_ns)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int n;

	do {
		n = poll(&p, 1, left_ms(until_ns));
	} while (n < 0 && errno == EINTR);
	return n > 0 ? 0 : ETIMEDOUT;
}

static int reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return STATUS_NOT_RUN;
	}
	if (WIFSIGNALED(status))
		return STATUS_SIGNAL + WTERMSIG(status);
	return WEXITSTATUS(status);
}

static int await_end(int *statusp, pid_t pid, int64_t until_ns)
{
	int fd, err;

	if (until_ns != INT64_MAX) {
		fd = pidfd_open(pid, 0);
		if (fd < 0)
			return errno;
		err = await_readable(fd, until_ns);
		(void)close(fd);
		if (err)
			return err;
	}
	*statusp = reap(pid);
	return 0;
}

int lab_wait(int *statusp, struct lab *lab, pid_t pid, int timeout_ms)
{
	UNUSED(lab);
	return await_end(statusp, pid, deadline_ns(timeout_ms));
}

void lab_stop(struct lab *lab, pid_t pid)
{
	int status;

	assert(pid > 0); /* anything else would be somebody else's */
	(void)kill(pid, SIGTERM);
	if (lab_wait(&status, lab, pid, STOP_GRACE_MS) == 0)
		return;
	(void)kill(pid, SIGKILL);
	(void)reap(pid);
}

/* Keep the first bytes, drop the rest, until everyone has closed it. */
static int collect(char *out, size_t out_bytes, int fd, int64_t until_ns)
{
	char chunk[4096];
	size_t n = 0;

	for (;;) {
		ssize_t got;
		size_t fits;

		if (await_readable(fd, until_ns))
			return ETIMEDOUT;
		got = read(fd, chunk, sizeof(chunk));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		fits = out_bytes ? out_bytes - 1 - n : 0;
		if (fits > (size_t)got)
			fits = (size_t)got;
		if (fits)
			memcpy(out + n, chunk, fits);
		n += fits;
		if (out_bytes)
			out[n] = '\0';
	}
	return 0;
}

static int collect_and_reap(int *statusp, char *out, size_t out_bytes,
                            pid_t pid, int fd, int timeout_ms)
{
	int64_t until_ns = deadline_ns(timeout_ms);
	int err = 0;

	if (out_bytes)
		out[0] = '\0';
	if (fd >= 0)
		err = collect(out, out_bytes, fd, until_ns);
	if (!err)
		err = await_end(statusp, pid, until_ns);
	if (err) {
		(void)kill(pid, SIGKILL);
		(void)reap(pid);
	}
	return err;
}

int lab_run(int *statusp, char *out, size_t out_bytes, struct lab *lab,
            const char *node, const struct lab_cmd *cmd, int timeout_ms)
{
	struct lab_cmd piped = *cmd;
	int ends[2] = {-1, -1};
	pid_t pid = -1;
	int err;

	if (out_bytes) {
		if (pipe2(ends, O_CLOEXEC) != 0)
			return errno;
		piped.out_fd = ends[1];
	}
	err = lab_spawn(&pid, lab, node, &piped);
	if (ends[1] >= 0)
		(void)close(ends[1]);
	if (!err)
		err = collect_and_reap(statusp, out, out_bytes, pid, ends[0],
		                       timeout_ms);
	if (ends[0] >= 0)
		(void)close(ends[0]);
	return err;
}

static void close_pair(const int *ends)
{
	(void)close(ends[0]);
	(void)close(ends[1]);
}

int lab_filter(int *statusp, char *out, size_t out_bytes, struct lab *lab,
               unsigned node, const char *const *argv, struct slice input)
{
	struct lab_cmd cmd = {.argv = argv};
	int in[2], back[2];
	pid_t pid = -1;
	int err;

	if (input.n > FILTER_INPUT_BYTES)
		return E2BIG;
	if (pipe2(in, O_CLOEXEC) != 0)
		return errno;
	if (pipe2(back, O_CLOEXEC) != 0) {
		err = errno;
		close_pair(in);
		return err;
	}
	cmd.in_fd = in[0];
	cmd.out_fd = cmd.err_fd = back[1];
	err = input.n == 0 || write(in[1], input.p, input.n) == (ssize_t)input.n
	              ? 0
	              : EIO;
	if (!err)
		err = spawn(&pid, lab, node, &cmd);
	close_pair(in);
	(void)close(back[1]);
	if (!err)
		err = collect_and_reap(statusp, out, out_bytes, pid, back[0],
		                       FILTER_TIMEOUT_MS);
	(void)close(back[0]);
	return err;
}

static bool starts_with_word(struct slice line, const char *word)
{
	struct slice want = slice_str(word);

	return slice_eq(slice_sub(line, 0, want.n), want) &&
	       (line.n == want.n || line.p[want.n] == ' ');
}

int lab_await_line(int fd, const char *word, int timeout_ms)
{
	int64_t until_ns = deadline_ns(timeout_ms);
	uint8_t line[LINE_BYTES];
	size_t n = 0;

	/* Byte by byte: what follows the line is for another reader. */
	for (;;) {
		ssize_t got;
		uint8_t c;

		if (await_readable(fd, until_ns))
			return ETIMEDOUT;
		got = read(fd, &c, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return EPIPE;
		if (c != '\n') {
			if (n < sizeof(line))
				line[n++] = c;
			continue;
		}
		if (starts_with_word((struct slice){line, n}, word))
			return 0;
		n = 0;
	}
}
