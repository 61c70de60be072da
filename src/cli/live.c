/* SPDX-License-Identifier: ISC */
/*
 * Design: the tools of the system know how to list its rules, so they are run
 * rather than netlink spoken; the same text could have been saved to a file
 * and audited elsewhere. What they have to say goes to the user unchanged.
 */
#include "cli/live.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/i18n.h"
#include "base/text.h"
#include "firewall/linux.h"

enum {
	TEXT_MAX_BYTES = 128 << 20,
	WORDS_MAX_BYTES = 512, /* of what a program complains */
	NOT_FOUND = 127,
};

static const struct {
	const char *name, *dialect;
	bool is_needed;
} programs[] = {
	{"nft list ruleset", "nftables", true},
	{"iptables-save", "iptables", false},
	{"ip6tables-save", "iptables", false},
};

extern char **environ;

static int spawn(pid_t *pid, char *const argv[], const int out[2],
                 const int words[2])
{
	posix_spawn_file_actions_t fa;
	int err;

	err = posix_spawn_file_actions_init(&fa);
	if (err)
		return err;
	(void)posix_spawn_file_actions_adddup2(&fa, out[1], STDOUT_FILENO);
	(void)posix_spawn_file_actions_adddup2(&fa, words[1], STDERR_FILENO);
	err = posix_spawn(pid, "/bin/sh", &fa, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&fa);
	return err;
}

/* @return false at the end */
static bool take(struct wr *w, int fd, size_t max)
{
	uint8_t buf[65536];
	const ssize_t n = read(fd, buf, sizeof(buf));

	if (n < 0)
		return errno == EINTR;
	if (w->n < max)
		wr_put(w, (struct slice){buf, (size_t)n});
	return n > 0;
}

static void drain(struct wr *text, int out, struct wr *said, int words)
{
	struct pollfd fds[] = {{.fd = out, .events = POLLIN},
	                       {.fd = words, .events = POLLIN}};

	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
			return;
		if (fds[0].revents && !take(text, out, TEXT_MAX_BYTES))
			fds[0].fd = -1;
		if (fds[1].revents && !take(said, words, WORDS_MAX_BYTES))
			fds[1].fd = -1;
		fds[0].revents = fds[1].revents = 0;
	}
}

static int run(struct wr *text, struct wr *said, int *status,
               const char *command)
{
	char shell[] = "sh", option[] = "-c", script[128];
	char *const argv[] = {shell, option, script, NULL};
	int out[2] = {-1, -1}, words[2] = {-1, -1}, err = 0;
	pid_t pid = -1;

	/* The folders where such programs are may not be in a user's path. */
	(void)snprintf(script, sizeof(script),
	               "PATH=\"$PATH:/usr/sbin:/sbin\" LC_ALL=C exec %s",
	               command);
	if (pipe2(out, O_CLOEXEC) || pipe2(words, O_CLOEXEC))
		err = errno;
	if (!err)
		err = spawn(&pid, argv, out, words);
	if (out[1] >= 0)
		(void)close(out[1]);
	if (words[1] >= 0)
		(void)close(words[1]);
	if (!err) {
		drain(text, out[0], said, words[0]);
		while (waitpid(pid, status, 0) < 0 && errno == EINTR)
			continue;
	}
	if (out[0] >= 0)
		(void)close(out[0]);
	if (words[0] >= 0)
		(void)close(words[0]);
	if (!err && (text->bad || said->bad))
		err = ENOMEM;
	return err;
}

/* Blanks in their place keep the numbers of the lines. */
static void blank_managed(struct wr *w)
{
	static const char mark[] = "is managed by iptables-nft";
	bool is_managed = false, is_inside = false;
	uint8_t *at = w->p;

	while (at && at < w->p + w->n) {
		const size_t left = (size_t)(w->p + w->n - at);
		uint8_t *nl = memchr(at, '\n', left);
		const size_t n = nl ? (size_t)(nl - at) : left;
		const struct slice line = {at, n};

		if (n && *at == '#' &&
		    slice_find(line, slice_str(mark)) != SIZE_MAX)
			is_managed = true;
		else if (is_managed && n && *at == 't')
			is_inside = true;
		if (is_managed) {
			const bool is_end = is_inside && n && *at == '}';

			memset(at, ' ', n);
			is_managed = !is_end;
			is_inside = is_inside && !is_end;
		}
		at += n + 1;
	}
}

static struct slice first_line(struct slice s)
{
	const size_t end = slice_find(s, slice_str("\n"));

	return slice_sub(s, 0, end == SIZE_MAX ? s.n : end);
}

enum cli_status live_read(struct live_source *out, size_t *n,
                          const struct cli_cmd *cmd)
{
	enum cli_status result = CLI_READY;

	*n = 0;
	for (size_t i = 0; i < ARRAY_LEN(programs) && result == CLI_READY;
	     i++) {
		struct live_source *s = &out[*n];
		struct wr said = wr_init_heap();
		struct slice line;
		int status = 0, err;

		*s = (struct live_source){programs[i].name, programs[i].dialect,
		                          wr_init_heap()};
		(*n)++;
		err = run(&s->text, &said, &status, s->name);
		line = first_line(wr_slice(&said));
		if (err) {
			cli_complain(cmd, "%s: %s", s->name, strerror(err));
			result = CLI_INTERNAL;
		} else if (WIFEXITED(status) &&
		           WEXITSTATUS(status) == NOT_FOUND &&
		           !programs[i].is_needed) {
			wr_fini(&s->text);
			(*n)--;
		} else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
			cli_complain(cmd,
			             _("'%s' could not show the rules: %.*s. "
			               "Run this as root."),
			             s->name, (int)line.n,
			             (const char *)line.p);
			result = CLI_COULD_NOT_TEST;
		}
		wr_fini(&said);
	}
	/* Only what iptables-save is there to show. */
	if (result == CLI_READY && *n > 1)
		blank_managed(&out[0].text);
	return result;
}

/* @return what a file in /proc says, or -1 */
static int64_t number_in(const char *name)
{
	char path[128], text[32];
	struct wr w = wr_init(path, sizeof(path) - 1);
	FILE *f;
	uint64_t v;
	size_t n;

	wr_fmt(&w, "/proc/sys/net/netfilter/%s", name);
	path[w.n] = '\0';
	f = fopen(path, "r");
	if (!f)
		return -1;
	n = fread(text, 1, sizeof(text), f);
	(void)fclose(f);
	if (text_u64(&v, slice_trim((struct slice){(uint8_t *)text, n}),
	             INT32_MAX))
		return -1;
	return (int64_t)v;
}

int live_settings(struct fw_rules *rules)
{
	static const char *const names[] = {
		"nf_conntrack_helper",
		"nf_conntrack_udp_timeout_stream",
		"nf_conntrack_tcp_timeout_established",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const int64_t v = number_in(names[i]);

		if (v >= 0 && fw_linux_measured(rules, names[i], v))
			return ENOMEM;
	}
	return 0;
}
