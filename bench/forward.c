/* SPDX-License-Identifier: ISC */
/*
 * Load for bench/forward.py, and what became of it.
 *
 *   bench_forward sink                  counts what comes to PORT; at SIGTERM
 *                                       prints datagrams and seconds
 *   bench_forward flood SERVER SECONDS  as much as goes, to PORT
 *   bench_forward flows SERVER N FROM   one datagram from each of N ports
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/clock.h"
#include "net/guard.h"

enum {
	PORT = 9000,
	BATCH = 64,
	PAYLOAD_BYTES = 172, /* a G.711 packet of 20 ms with its RTP header */
	RECEIVE_BYTES = 16 << 20,
	FIRST_PORT = 10000,
	PAUSE_US = 400, /* after a batch of flows: what a router can take */
	WAIT_MS = 200,
};

static volatile sig_atomic_t is_over;

static void on_signal(int sig)
{
	(void)sig;
	is_over = 1;
}

static uint8_t buffers[BATCH][PAYLOAD_BYTES];
static struct iovec vectors[BATCH];
static struct mmsghdr messages[BATCH];

static void prepare(void)
{
	for (size_t i = 0; i < BATCH; i++) {
		vectors[i] = (struct iovec){buffers[i], PAYLOAD_BYTES};
		messages[i].msg_hdr.msg_iov = &vectors[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
}

static int sink(int fd)
{
	struct sockaddr_in any = {.sin_family = AF_INET,
	                          .sin_port = htons(PORT)};
	struct timeval wait = {.tv_usec = WAIT_MS * 1000};
	int bytes = RECEIVE_BYTES;
	int64_t first_ns = 0, last_ns = 0;
	long n_got = 0;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any)))
		return errno;
	printf("ready\n");
	(void)fflush(stdout);
	while (!is_over) {
		int n = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);

		if (n <= 0)
			continue;
		last_ns = clock_mono_ns();
		if (!n_got)
			first_ns = last_ns;
		n_got += n;
	}
	(void)fprintf(stderr, "{\"datagrams\": %ld, \"seconds\": %.6f}\n",
	              n_got, (double)(last_ns - first_ns) / NS_PER_S);
	return 0;
}

static int flood(int fd, struct sockaddr_in *to, int64_t seconds)
{
	int64_t end_ns = clock_mono_ns() + seconds * NS_PER_S;

	to->sin_port = htons(PORT);
	if (connect(fd, (struct sockaddr *)to, sizeof(*to)))
		return errno;
	while (clock_mono_ns() < end_ns && !is_over)
		(void)sendmmsg(fd, messages, BATCH, 0);
	return 0;
}

/* One datagram from each of @p n ports of @p from. */
static int flows(struct sockaddr_in *to, const struct addr *from, long n)
{
	struct sockaddr_in local = {.sin_family = AF_INET};

	memcpy(&local.sin_addr, from->ip, sizeof(local.sin_addr));
	to->sin_port = htons(PORT);
	for (long i = 0; i < n && !is_over; i++) {
		int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		local.sin_port = htons((uint16_t)(FIRST_PORT + i));
		if (fd < 0 ||
		    bind(fd, (struct sockaddr *)&local, sizeof(local)))
			return errno;
		(void)sendto(fd, buffers[0], 1, 0, (struct sockaddr *)to,
		             sizeof(*to));
		(void)close(fd);
		if (i % BATCH == 0)
			(void)usleep(PAUSE_US);
	}
	return 0;
}

int main(int argc, char *argv[])
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct addr a = {0}, from = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = EINVAL;

	(void)signal(SIGTERM, on_signal);
	prepare();
	if (argc == 2 && strcmp(argv[1], "sink") == 0) {
		err = sink(fd);
	} else if (argc >= 4 && addr_parse(&a, slice_str(argv[2])) == 0 &&
	           net_guard_allows(&a)) {
		memcpy(&to.sin_addr, a.ip, sizeof(to.sin_addr));
		if (strcmp(argv[1], "flood") == 0)
			err = flood(fd, &to, strtol(argv[3], NULL, 10));
		else if (argc == 5 &&
		         addr_parse(&from, slice_str(argv[4])) == 0)
			err = flows(&to, &from, strtol(argv[3], NULL, 10));
	}
	if (err)
		(void)fprintf(stderr, "bench_forward: %s\n", strerror(err));
	return err ? 1 : 0;
}
