/* SPDX-License-Identifier: ISC */
/*
 * Design: the system's resolver, because the question is where this host's
 * telephones would end up: /etc/hosts, split DNS and a router that lies are
 * part of the answer. Questions about DNS itself are a probe's.
 */
#include "net/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/guard.h"

enum {
	MAX_NAME_BYTES = 253, /* RFC 1035 section 2.3.4, as text */
	MAX_ADDRS = 16,
};

/* What the child process tells. */
struct answer {
	int err;
	size_t n;
	struct addr addrs[MAX_ADDRS];
};

static int errno_of(int gai)
{
	switch (gai) {
	case EAI_NONAME:
#ifdef EAI_NODATA
	case EAI_NODATA:
#endif
#ifdef EAI_ADDRFAMILY
	case EAI_ADDRFAMILY:
#endif
		return ENOENT;
	case EAI_AGAIN:
	case EAI_FAIL:
		return EAGAIN;
	case EAI_MEMORY:
		return ENOMEM;
	case EAI_SYSTEM:
		return errno;
	default:
		return EINVAL;
	}
}

static bool is_wanted(const struct addr *a, enum addr_family want)
{
	return a->family != ADDR_NONE &&
	       (want == ADDR_NONE || a->family == want);
}

static size_t collect(struct addr *out, size_t max, const struct addrinfo *ai,
                      enum addr_family want)
{
	size_t n = 0;

	for (; ai && n < max; ai = ai->ai_next) {
		struct addr a = addr_from_sockaddr(ai->ai_addr);
		size_t i = 0;

		while (i < n && !addr_ip_eq(&out[i], &a))
			i++;
		if (i == n && is_wanted(&a, want))
			out[n++] = a;
	}
	return n;
}

static int look_up(struct addr *out, size_t max, size_t *n, const char *name,
                   enum addr_family want)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC,
	                         .ai_socktype = SOCK_DGRAM};
	struct addrinfo *ai = NULL;
	size_t got;
	int gai;

	if (want != ADDR_NONE)
		hints.ai_family = want == ADDR_IP4 ? AF_INET : AF_INET6;
	gai = getaddrinfo(name, NULL, &hints, &ai);
	if (gai)
		return errno_of(gai);
	got = collect(out, max, ai, want);
	freeaddrinfo(ai);
	if (got == 0)
		return ENOENT;
	*n = got;
	return 0;
}

/* @return false: nobody has said it, or not in time */
static bool hear(struct answer *ans, int fd, int64_t limit_ns)
{
	int64_t end_ns = clock_mono_ns() + limit_ns;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int got;

	do {
		int64_t left_ns = end_ns - clock_mono_ns();

		if (left_ns < 0)
			left_ns = 0;
		got = poll(&p, 1, (int)((left_ns + NS_PER_MS - 1) / NS_PER_MS));
	} while (got < 0 && errno == EINTR);
	return got > 0 && read(fd, ans, sizeof(*ans)) == sizeof(*ans);
}

static int look_up_within(struct addr *out, size_t max, size_t *n,
                          const char *name, enum addr_family want,
                          int64_t limit_ns)
{
	struct answer ans = {.err = ETIMEDOUT};
	int fds[2], err = 0;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return errno;
	pid = fork();
	if (pid == 0) {
		ans.err = look_up(ans.addrs, max < MAX_ADDRS ? max : MAX_ADDRS,
		                  &ans.n, name, want);
		/* a pipe takes so little whole, or its reader has gone */
		_exit(write(fds[1], &ans, sizeof(ans)) != sizeof(ans));
	}
	if (pid < 0)
		err = errno;
	(void)close(fds[1]);
	if (!err && !hear(&ans, fds[0], limit_ns))
		ans.err = ETIMEDOUT;
	(void)close(fds[0]);
	if (err)
		return err;
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	if (ans.err)
		return ans.err;
	memcpy(out, ans.addrs, ans.n * sizeof(*out));
	*n = ans.n;
	return 0;
}

int net_resolve(struct addr *out, size_t max, size_t *n, struct slice host,
                enum addr_family want, int64_t limit_ns)
{
	char name[MAX_NAME_BYTES + 1];
	struct addr a;

	if (max == 0)
		return EINVAL;
	if (addr_parse(&a, host) == 0) {
		if (!is_wanted(&a, want))
			return ENOENT;
		out[0] = a;
		*n = 1;
		return 0;
	}
	if (host.n == 0 || host.n >= sizeof(name) ||
	    memchr(host.p, '\0', host.n))
		return EBADMSG;
	if (net_guard_is_on())
		return EPERM;
	memcpy(name, host.p, host.n);
	name[host.n] = '\0';
	if (limit_ns > 0)
		return look_up_within(out, max, n, name, want, limit_ns);
	return look_up(out, max, n, name, want);
}
