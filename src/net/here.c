/* SPDX-License-Identifier: ISC */
/*
 * Design: a filter on the way out shows itself to any program, though not in
 * what connect() says. What it drops, the kernel cannot send: it counts the
 * repetition (tcpi_retransmits) and not the segment on its way
 * (tcpi_retrans). A queue that is full stops the first of the two counters as
 * well, so it is not taken for a filter. What it resets, it resets before
 * connect() returns, by a segment that goes through the loopback device: the
 * network never does both, however near the box is.
 *
 * A filter on the way in keeps no such books, but the kernel counts what it
 * takes from the network and what it hands on: the difference, less what was
 * damaged, forwarded or a piece, was dropped between the two. Whose packets
 * those were it does not say: who asks must count beside what he sends.
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
	TRIES_MAX = 40, /* while the loopback device is used in each */
	DEV_BYTES = 8192,
	SNMP_BYTES = 16384,
	FIELDS_MAX = 32,   /* of a line of counters */
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

/* @param text  Ends with a zero. @return false: nobody tells */
static bool read_text(char *text, size_t cap_bytes, const char *path)
{
	FILE *f = fopen(path, "re");
	size_t got;

	if (!f)
		return false;
	got = fread(text, 1, cap_bytes - 1, f);
	(void)fclose(f);
	text[got] = '\0';
	return true;
}

/* Packets that the loopback device has sent. @return false: nobody tells */
static bool count_loopback(uint64_t *n)
{
	char text[DEV_BYTES];
	const char *at;

	if (!read_text(text, sizeof(text), "/proc/net/dev"))
		return false;
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

/* What is known of a packet that has come in: it adds to what is not
 * accounted for, or is taken from it. */
static const struct account {
	const char *name;
	int sign;
} accounts[] = {
	{"InReceives", 1},        {"InDelivers", -1},   {"ForwDatagrams", -1},
	{"OutForwDatagrams", -1}, {"InHdrErrors", -1},  {"InTooBigErrors", -1},
	{"InNoRoutes", -1},       {"InAddrErrors", -1}, {"InUnknownProtos", -1},
	{"InTruncatedPkts", -1},  {"InDiscards", -1},   {"ReasmReqds", -1},
	{"ReasmOKs", 1},
};

static int sign_of(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(accounts); i++) {
		if (slice_eq_str(name, accounts[i].name))
			return accounts[i].sign;
	}
	return 0;
}

static struct slice next_word(const char **at)
{
	struct slice word;

	*at += strspn(*at, " \t");
	word = (struct slice){(const uint8_t *)*at, strcspn(*at, " \t\n")};
	*at += word.n;
	return word;
}

/* @return whether it is one of both that must be there */
static bool add(int64_t *sum, struct slice name, struct slice value)
{
	uint64_t n;
	int sign = sign_of(name);

	if (sign == 0 || text_u64(&n, value, INT64_MAX / FIELDS_MAX))
		return false;
	*sum += sign * (int64_t)n;
	return slice_eq_str(name, "InReceives") ||
	       slice_eq_str(name, "InDelivers");
}

bool net_here_count_ip4(int64_t *n, const char *text)
{
	const char *names = strncmp(text, "Ip:", 3) == 0 ? text : NULL;
	const char *values;
	int64_t sum = 0;
	int n_found = 0;

	if (!names)
		names = strstr(text, "\nIp:");
	values = names ? strstr(names + 1, "\nIp:") : NULL;
	if (!values)
		return false;
	names += *names == '\n';
	values++;
	for (int i = 0; i < FIELDS_MAX; i++) {
		struct slice name = next_word(&names);
		struct slice value = next_word(&values);

		n_found += add(&sum, name, value);
	}
	if (n_found != 2)
		return false;
	*n = sum;
	return true;
}

bool net_here_count_ip6(int64_t *n, const char *text)
{
	int64_t sum = 0;
	int n_found = 0;

	while (*text) {
		struct slice name = next_word(&text);
		struct slice value = next_word(&text);

		if (name.n > 3 && memcmp(name.p, "Ip6", 3) == 0)
			n_found += add(&sum,
			               (struct slice){name.p + 3, name.n - 3},
			               value);
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	if (n_found != 2)
		return false;
	*n = sum;
	return true;
}

bool net_here_undelivered(int64_t *n, enum addr_family family)
{
	char text[SNMP_BYTES];

	if (family == ADDR_IP6)
		return read_text(text, sizeof(text), "/proc/net/snmp6") &&
		       net_here_count_ip6(n, text);
	return read_text(text, sizeof(text), "/proc/net/snmp") &&
	       net_here_count_ip4(n, text);
}
