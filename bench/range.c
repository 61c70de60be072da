/* SPDX-License-Identifier: ISC */
/*
 * Two programs to measure the edge's ranges against (bench/range.py):
 *
 *   range echo ADDR PORT                  a bare echo on one port, by recvmmsg
 *                                         and sendmmsg: the reference
 *   range flood ADDR FIRST LAST MS ADDR...  HELLOs to ports in turn, from the
 *                                         sources given; prints the WELCOMEs,
 *                                         or echoes, that came
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "wire/dgram.h"

enum {
	BATCH = 64,
	IN_FLIGHT_MAX = 512, /* of a source */
	PACKET_BYTES = 2048,
	SOURCES_MAX = 128,
	BUFFER_BYTES = 4 << 20,
	PATIENCE_MS = 20,
};

struct batch {
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	struct sockaddr_in peer[BATCH];
	uint8_t bytes[BATCH][PACKET_BYTES];
};

static struct batch in, out;

static int open_at(const char *ip, uint16_t port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET,
	                          .sin_port = htons(port)};
	const int size = BUFFER_BYTES;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || inet_pton(AF_INET, ip, &sin.sin_addr) != 1 ||
	    bind(fd, (struct sockaddr *)&sin, sizeof(sin))) {
		perror(ip);
		exit(1);
	}
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size,
		                 sizeof(size));
	return fd;
}

static void prepare(struct batch *b)
{
	for (size_t i = 0; i < BATCH; i++) {
		b->iov[i] = (struct iovec){b->bytes[i], PACKET_BYTES};
		b->msgs[i].msg_hdr = (struct msghdr){
			.msg_name = &b->peer[i],
			.msg_namelen = sizeof(b->peer[i]),
			.msg_iov = &b->iov[i],
			.msg_iovlen = 1,
		};
	}
}

static _Noreturn void echo(const char *ip, uint16_t port)
{
	int fd = open_at(ip, port);

	(void)printf("ready\n");
	(void)fflush(stdout);
	for (;;) {
		int n;

		prepare(&in);
		n = recvmmsg(fd, in.msgs, BATCH, MSG_WAITFORONE, NULL);
		for (int i = 0; i < n; i++)
			in.iov[i].iov_len = in.msgs[i].msg_len;
		if (n > 0)
			(void)sendmmsg(fd, in.msgs, (unsigned)n, 0);
	}
}

struct flood {
	struct sockaddr_in to;
	unsigned first, last, next;
	uint8_t hello[WIRE_HELLO_BYTES];
	struct pollfd fds[SOURCES_MAX];
	unsigned in_flight[SOURCES_MAX];
	size_t n;
	unsigned long n_back;
};

static void send_some(struct flood *f, size_t s)
{
	unsigned n = IN_FLIGHT_MAX - f->in_flight[s];

	if (n > BATCH)
		n = BATCH;
	prepare(&out);
	for (unsigned i = 0; i < n; i++) {
		out.peer[i] = f->to;
		out.peer[i].sin_port = htons((uint16_t)f->next);
		out.iov[i] = (struct iovec){f->hello, sizeof(f->hello)};
		f->next = f->next < f->last ? f->next + 1 : f->first;
	}
	if (n && sendmmsg(f->fds[s].fd, out.msgs, n, 0) > 0)
		f->in_flight[s] += n;
}

static bool take_some(struct flood *f, size_t s)
{
	int n;

	prepare(&in);
	n = recvmmsg(f->fds[s].fd, in.msgs, BATCH, MSG_DONTWAIT, NULL);
	if (n <= 0)
		return false;
	f->n_back += (unsigned long)n;
	f->in_flight[s] -=
		(unsigned)n < f->in_flight[s] ? (unsigned)n : f->in_flight[s];
	return true;
}

static void run(struct flood *f, int64_t ms)
{
	int64_t end = clock_mono_ns() + ms * NS_PER_MS;

	while (clock_mono_ns() < end) {
		bool is_idle = true;

		for (size_t s = 0; s < f->n; s++) {
			send_some(f, s);
			while (take_some(f, s))
				is_idle = false;
		}
		/* what is lost must not stop a source for ever */
		if (is_idle && poll(f->fds, f->n, PATIENCE_MS) == 0)
			memset(f->in_flight, 0, sizeof(f->in_flight));
	}
	(void)printf("%lu\n", f->n_back);
}

static int flood(char *argv[])
{
	struct wire_hello hello = {.nonce = {1}};
	struct flood f = {.to = {.sin_family = AF_INET}};
	struct wr w = wr_init(f.hello, sizeof(f.hello));

	wire_hello_put(&w, &hello);
	if (inet_pton(AF_INET, argv[0], &f.to.sin_addr) != 1)
		return 64;
	f.first = f.next = (unsigned)strtoul(argv[1], NULL, 10);
	f.last = (unsigned)strtoul(argv[2], NULL, 10);
	for (char **ip = argv + 4; *ip && f.n < SOURCES_MAX; ip++)
		f.fds[f.n++] = (struct pollfd){open_at(*ip, 0), POLLIN, 0};
	run(&f, strtol(argv[3], NULL, 10));
	return 0;
}

int main(int argc, char *argv[])
{
	if (argc == 4 && strcmp(argv[1], "echo") == 0)
		echo(argv[2], (uint16_t)strtoul(argv[3], NULL, 10));
	if (argc > 6 && strcmp(argv[1], "flood") == 0)
		return flood(argv + 2);
	return 64;
}
