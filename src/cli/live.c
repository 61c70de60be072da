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

/* Those of iptables are pairs. */
static const struct {
	const char *name, *dialect;
	const char *family; /* as nft calls it */
	const char *tables; /* a file that lists those; or NULL: always ask */
} programs[LIVE_MAX_SOURCES] = {
	{"nft list ruleset", "nftables", NULL, NULL},
	{"iptables-save", "iptables", "ip", NULL},
	{"ip6tables-save", "iptables", "ip6", NULL},
	{"iptables-legacy-save", "iptables", "ip", "/proc/net/ip_tables_names"},
	{"ip6tables-legacy-save", "iptables", "ip6",
         "/proc/net/ip6_tables_names"},
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

/* @return the line at *at, without its end; *at is behind it then */
static struct slice next_line(const struct wr *w, size_t *at)
{
	const uint8_t *p = w->p + *at;
	const size_t left = w->n - *at;
	const uint8_t *nl = memchr(p, '\n', left);
	const size_t n = nl ? (size_t)(nl - p) : left;

	*at += n + (nl != NULL);
	return (struct slice){p, n};
}

/* Newer nft marks such a table by a line of comment, above it. */
static bool is_mark(struct slice line)
{
	return line.n && *line.p == '#' &&
	       slice_find(line, slice_str("is managed by iptables-nft")) !=
	               SIZE_MAX;
}

/* Blanks in their place keep the numbers of the lines.
 *
 * @param head  "table ip filter {" */
static void blank_table(struct wr *nft, struct slice head)
{
	bool is_inside = false;
	size_t at = 0, from = 0;

	while (at < nft->n) {
		const size_t start = at;
		const struct slice line = next_line(nft, &at);

		if (is_mark(line))
			memset(nft->p + start, ' ', line.n);
		if (!is_inside && slice_eq(line, head)) {
			is_inside = true;
			from = start;
		}
		if (!is_inside || !slice_eq_str(line, "}"))
			continue;
		for (size_t i = from; i < start + line.n; i++) {
			if (nft->p[i] != '\n')
				nft->p[i] = ' ';
		}
		is_inside = false;
	}
}

/* It says so of tables with chains that it cannot show. */
static bool is_partial(struct slice saved, struct slice table)
{
	struct wr w = wr_init_heap();
	bool is_found;

	wr_str(&w, "# Table `");
	wr_put(&w, table);
	wr_str(&w, "\'");
	is_found = w.bad || slice_find(saved, wr_slice(&w)) != SIZE_MAX;
	wr_fini(&w);
	return is_found;
}

static void leave_out(struct wr *nft, struct slice table, const char *family)
{
	struct wr head = wr_init_heap();

	wr_fmt(&head, "table %s ", family);
	wr_put(&head, table);
	wr_str(&head, " {");
	if (!head.bad)
		blank_table(nft, wr_slice(&head));
	wr_fini(&head);
}

void live_leave_shown_out(struct wr *nft, const struct wr *saved,
                          const char *family)
{
	const struct slice text = wr_slice(saved);
	size_t at = 0;

	/* The other iptables keeps its rules where nft does not look. */
	if (slice_find(text, slice_str("(nf_tables)")) == SIZE_MAX)
		return;
	while (at < saved->n) {
		const struct slice line = next_line(saved, &at);
		struct slice table;

		if (line.n < 2 || *line.p != '*')
			continue;
		table = slice_trim(slice_sub(line, 1, line.n - 1));
		if (!is_partial(text, table))
			leave_out(nft, table, family);
	}
}

static struct slice first_line(struct slice s)
{
	const size_t end = slice_find(s, slice_str("\n"));

	return slice_sub(s, 0, end == SIZE_MAX ? s.n : end);
}

/* @return CLI_READY also without the program: its text is empty then */
static enum cli_status ask(struct live_source *s, bool *is_there,
                           const struct cli_cmd *cmd)
{
	enum cli_status result = CLI_READY;
	struct wr said = wr_init_heap();
	struct slice line;
	int status = 0, err = run(&s->text, &said, &status, s->name);

	line = first_line(wr_slice(&said));
	*is_there =
		err || !WIFEXITED(status) || WEXITSTATUS(status) != NOT_FOUND;
	if (err) {
		cli_complain(cmd, "%s: %s", s->name, strerror(err));
		result = CLI_INTERNAL;
	} else if (*is_there &&
	           (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
		cli_complain(cmd,
		             _("'%s' could not show the rules: %.*s. Run this "
		               "as root."),
		             s->name, (int)line.n, (const char *)line.p);
		result = CLI_COULD_NOT_TEST;
	}
	wr_fini(&said);
	return result;
}

/* Tables of iptables come of asking for them. */
static bool is_silent(const struct live_source *s)
{
	const struct slice text = wr_slice(&s->text);

	if (strcmp(s->dialect, "iptables") == 0)
		return slice_find(text, slice_str("\n-A ")) == SIZE_MAX &&
		       slice_find(text, slice_str(" DROP [")) == SIZE_MAX;
	return !slice_trim(text).n;
}

/* A family without rules lets all pass, and its half has to say so: the other
 * knows nothing of it. */
static void fill_half(struct live_source *half, const char *family)
{
	half->text.n = 0;
	wr_fmt(&half->text,
	       "# Generated by %stables-save\n*filter\n:INPUT ACCEPT [0:0]\n"
	       ":FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n",
	       family);
}

/* Those that show nothing have no say; but of all that do, the first that is
 * there speaks for all that there are no rules. @return how many have */
static size_t leave_silent_out(struct live_source *out, const bool *is_there)
{
	bool speaks[LIVE_MAX_SOURCES], is_any = false;
	size_t n_left = 0, first = 0;

	while (!is_there[first])
		first++;
	for (size_t i = 0; i < LIVE_MAX_SOURCES; i++) {
		speaks[i] = !is_silent(&out[i]);
		is_any |= speaks[i];
	}
	speaks[first] |= !is_any;
	for (size_t i = 1; i < LIVE_MAX_SOURCES; i++) {
		const size_t other = i & 1 ? i + 1 : i - 1;

		/* nft shows what a missing program would */
		if (is_any && !speaks[i] && !is_silent(&out[other]) &&
		    (is_there[0] || is_there[i])) {
			fill_half(&out[i], programs[i].family);
			speaks[i] = true;
		}
	}
	for (size_t i = 0; i < LIVE_MAX_SOURCES; i++) {
		struct live_source kept = out[i];

		out[i].text = wr_init_heap();
		if (speaks[i])
			out[n_left++] = kept;
		else
			wr_fini(&kept.text);
	}
	return n_left;
}

/* Tables that nothing else shows: iptables is often the new one, and other
 * programs still use the old. */
static bool has_tables(const char *file)
{
	FILE *f = fopen(file, "r");
	const bool has_any = f && fgetc(f) != EOF;

	if (f)
		(void)fclose(f);
	return has_any;
}

/* @param i  Of programs[]; what those before it show is in @p out. */
static bool is_asked(const struct live_source *out, size_t i)
{
	const struct live_source *usual = &out[i - (i > 2 ? 2 : 0)];
	const char *tables = programs[i].tables;

	/* The usual one may be the old one itself. */
	return !tables || (has_tables(tables) &&
	                   (is_silent(usual) ||
	                    slice_find(wr_slice(&usual->text),
	                               slice_str("(nf_tables)")) != SIZE_MAX));
}

static enum cli_status ask_all(struct live_source *out, bool *is_there,
                               const struct cli_cmd *cmd)
{
	enum cli_status result = CLI_READY;

	for (size_t i = 0; i < LIVE_MAX_SOURCES && result == CLI_READY; i++) {
		if (!is_asked(out, i))
			continue;
		result = ask(&out[i], &is_there[i], cmd);
		if (result == CLI_READY && !is_there[i] && programs[i].tables)
			cli_complain(cmd,
			             _("this kernel has tables of the old "
			               "iptables, and '%s' is not installed: "
			               "what rules they may hold is not seen"),
			             programs[i].name);
		if (is_there[i] && is_there[0] && i > 0)
			live_leave_shown_out(&out[0].text, &out[i].text,
			                     programs[i].family);
	}
	return result;
}

enum cli_status live_read(struct live_source *out, size_t *n,
                          const struct cli_cmd *cmd)
{
	bool is_there[LIVE_MAX_SOURCES] = {false};
	bool is_any = false;
	enum cli_status result;

	*n = LIVE_MAX_SOURCES;
	for (size_t i = 0; i < *n; i++)
		out[i] = (struct live_source){
			programs[i].name, programs[i].dialect, wr_init_heap()};
	result = ask_all(out, is_there, cmd);
	if (result != CLI_READY)
		return result;
	for (size_t i = 0; i < *n; i++)
		is_any |= is_there[i];
	if (!is_any) {
		cli_complain(cmd, _("neither nft nor iptables-save is "
		                    "installed here, and only they show the "
		                    "rules"));
		return CLI_COULD_NOT_TEST;
	}
	*n = leave_silent_out(out, is_there);
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
		"nf_flowtable_udp_timeout",
		"nf_conntrack_tcp_timeout_established",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const int64_t v = number_in(names[i]);

		if (v >= 0 && fw_linux_measured(rules, names[i], v))
			return ENOMEM;
	}
	return 0;
}
