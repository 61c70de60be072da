/* SPDX-License-Identifier: ISC */
/*
 * Design: a filter on the way out shows itself to any program, though not in
 * what connect() says. What it drops, the kernel cannot send: it counts the
 * repetition (tcpi_retransmits) and not the segment on its way
 * (tcpi_retrans). A queue that is full stops the first of the two counters as
 * well, so it is not taken for a filter. What it resets, it resets before
 * connect() returns, by a segment that goes through the loopback device: the
 * network never does both, however near the box is.
 */
#include "net/here.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "net/guard.h"
#include "net/udp.h"

#define LOOPBACK " lo:"

enum {
	RESETS_SURE = 3,
	TRIES_MAX = 12, /* while the loopback device is used in each */
	DEV_BYTES = 8192,
	FIELDS_BEFORE = 9, /* of a device: 8 of what came, and the bytes sent */
};

enum net_here_syn net_here_syn(int fd)
{
	struct tcp_info ti = {0};
	socklen_t n = sizeof(ti);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &ti, &n) ||
	    ti.tcpi_state != TCP_SYN_SENT || ti.tcpi_retransmits == 0)
		return NET_HERE_ONCE;
	return ti.tcpi_retrans ? NET_HERE_SENT : NET_HERE_KEPT;
}

/* Packets that the loopback device has sent. @return false: nobody tells */
static bool count_loopback(uint64_t *n)
{
	char text[DEV_BYTES];
	FILE *f = fopen("/proc/net/dev", "re");
	const char *at;
	size_t got;

	if (!f)
		return false;
	got = fread(text, 1, sizeof(text) - 1, f);
	(void)fclose(f);
	text[got] = '\0';
	at = strstr(text, LOOPBACK);
	if (!at)
		return false;
	at += strlen(LOOPBACK);
	for (int i = 0; i < FIELDS_BEFORE; i++) {
		at += strspn(at, " ");
		at += strcspn(at, " \n");
	}
	at += strspn(at, " ");
	return text_u64(n,
	                (struct slice){(const uint8_t *)at, strcspn(at, " \n")},
	                UINT64_MAX) == 0;
}

static bool is_reset_at_once(const struct sockaddr *to, socklen_t to_bytes)
{
	int fd = socket(to->sa_family,
	                SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t n = sizeof(int);
	int err = 0;

	if (fd < 0)
		return false;
	if (connect(fd, to, to_bytes))
		err = errno;
	if (err == EINPROGRESS &&
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n))
		err = errno;
	(void)close(fd);
	return err == ECONNREFUSED;
}

bool net_here_resets(const struct addr *to)
{
	struct sockaddr_storage ss;
	socklen_t n = addr_to_sockaddr(&ss, to);
	/* a busy computer may take up what it has sent itself a bit later */
	const struct timespec a_moment = {.tv_nsec = NS_PER_MS};
	uint64_t before, after;
	struct addr self;
	int n_resets = 0;

	if (n == 0 || !net_guard_allows(to) || net_source_for(&self, to) ||
	    addr_ip_eq(&self, to) || addr_is_loopback(to))
		return false;
	for (int i = 0; i < TRIES_MAX && n_resets < RESETS_SURE; i++) {
		bool is_reset;

		if (!count_loopback(&before))
			return false;
		is_reset = is_reset_at_once((struct sockaddr *)&ss, n);
		if (!count_loopback(&after) || after == before)
			return false;
		n_resets += is_reset;
		if (!is_reset)
			(void)nanosleep(&a_moment, NULL);
	}
	return n_resets == RESETS_SURE;
}
