/* SPDX-License-Identifier: ISC */
/*
 * Design: a shell needs a terminal whose session it leads, or it has no job
 * control and Ctrl-C ends the lab around it; the user's own terminal belongs
 * to a session outside, of which no process in the lab's pid namespace can
 * be. So there is a second terminal inside, and bytes are carried between
 * the two while the user's is raw.
 */
#include "cli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

enum {
	CHUNK_BYTES = 4096,
	STATUS_NOT_RUN = 127,
};

struct inner {
	const struct lab_cmd *cmd;
	const char *tty; /* the inner terminal's name */
};

/* "NAME=value" */
static int variable_set(const char *text)
{
	const char *equals = strchr(text, '=');
	char *name = equals ? strndup(text, (size_t)(equals - text)) : NULL;
	int err;

	if (!name)
		return ENOMEM;
	err = setenv(name, equals + 1, true) == 0 ? 0 : errno;
	free(name);
	return err;
}

/* In the child. */
static int inner_run(void *arg)
{
	const struct inner *in = arg;
	char *const *argv;
	sigset_t none;
	int fd;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)setsid();
	fd = open(in->tty, O_RDWR);
	if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) != 0)
		return STATUS_NOT_RUN;
	for (int i = 0; i <= STDERR_FILENO; i++) {
		if (dup2(fd, i) != i)
			return STATUS_NOT_RUN;
	}
	for (const char *const *e = in->cmd->env; e && *e; e++) {
		if (variable_set(*e) != 0)
			return STATUS_NOT_RUN;
	}
	/* exec() changes nothing in argv; its type is older than const. */
	memcpy(&argv, &in->cmd->argv, sizeof(argv));
	(void)execvp(argv[0], argv);
	return STATUS_NOT_RUN;
}

static void size_copy(int from, int to)
{
	struct winsize size;

	if (ioctl(from, TIOCGWINSZ, &size) == 0)
		(void)ioctl(to, TIOCSWINSZ, &size);
}

/* @return false at the end */
static bool carry(int from, int to)
{
	char chunk[CHUNK_BYTES];
	ssize_t n = read(from, chunk, sizeof(chunk)), done = 0;

	if (n < 0 && errno == EINTR)
		return true;
	while (n > 0 && done < n) {
		ssize_t more = write(to, chunk + done, (size_t)(n - done));

		if (more < 0 && errno != EINTR)
			return false;
		done += more > 0 ? more : 0;
	}
	return n > 0;
}

/* Until the inner terminal has no reader left. */
static void relay(int inner, int sizes)
{
	struct pollfd fds[] = {{.fd = inner, .events = POLLIN},
	                       {.fd = STDIN_FILENO, .events = POLLIN},
	                       {.fd = sizes, .events = POLLIN}};
	struct signalfd_siginfo info;

	for (;;) {
		if (poll(fds, ARRAY_LEN(fds), -1) < 0) {
			if (errno != EINTR)
				return;
			continue;
		}
		if (fds[0].revents && !carry(inner, STDOUT_FILENO))
			return;
		if (fds[1].revents && !carry(STDIN_FILENO, inner))
			fds[1].fd = -1;
		if (fds[2].revents &&
		    read(sizes, &info, sizeof(info)) == sizeof(info))
			size_copy(STDIN_FILENO, inner);
	}
}

static int sizes_watch(int *fdp)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGWINCH);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	*fdp = signalfd(-1, &set, SFD_CLOEXEC);
	return *fdp < 0 ? errno : 0;
}

int cli_terminal_run(int *statusp, struct lab *lab, const char *node,
                     const struct lab_cmd *cmd)
{
	int inner = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), sizes, err;
	struct inner in = {.cmd = cmd};
	struct termios own, raw;
	pid_t pid = -1;

	if (inner < 0)
		return errno;
	err = grantpt(inner) != 0 || unlockpt(inner) != 0 ? errno : 0;
	if (!err)
		err = sizes_watch(&sizes);
	if (err) {
		(void)close(inner);
		return err;
	}
	in.tty = ptsname(inner);
	size_copy(STDIN_FILENO, inner);
	err = in.tty ? lab_fork(&pid, lab, node, inner_run, &in) : errno;
	if (!err && tcgetattr(STDIN_FILENO, &own) == 0) {
		raw = own;
		cfmakeraw(&raw);
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &raw);
		relay(inner, sizes);
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &own);
	}
	(void)close(inner);
	(void)close(sizes);
	return err ? err : lab_wait(statusp, lab, pid, -1);
}
