/* SPDX-License-Identifier: ISC */
/*
 * answer_all FIRST LAST: answers every HELLO to these ports, by UDP and at
 * the start of a TCP stream, as an edge does. nft(8) redirects ranges to it:
 * few ports to each, for a redirection to one port must find another source
 * port for every flow from the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/udp.h"
#include "wire/dgram.h"

/* @return how long the answer is; 0: to something else than a HELLO */
static size_t answer(uint8_t *out, const struct addr *from, struct slice in)
{
	struct wr w = wr_init(out, WIRE_HELLO_BYTES);
	struct wire_welcome wel = {.source = *from};
	struct wire_hello hello;

	if (wire_hello_decode(&hello, in))
		return 0;
	memcpy(wel.nonce, hello.nonce, sizeof(wel.nonce));
	wel.wall_ns = clock_wall_ns();
	wire_welcome_put(&w, &wel);
	return w.bad ? 0 : w.n;
}

static void on_dgram(void *arg, const struct net_dgram *d)
{
	struct net_udp **udp = arg;
	uint8_t out[WIRE_HELLO_BYTES];
	size_t n = answer(out, &d->from, d->bytes);

	if (n &&
	    net_udp_send(*udp, &d->from, &d->to, 0, (struct slice){out, n}))
		(void)fprintf(stderr, "answer_all: not sent\n");
}

struct peer {
	struct net_stream *stream;
};

static void on_data(void *arg, struct slice bytes)
{
	struct peer *p = arg;
	struct addr from = net_stream_peer(p->stream);
	uint8_t out[WIRE_HELLO_BYTES];
	size_t n = answer(out, &from, bytes);

	if (n && net_stream_send(p->stream, (struct slice){out, n}))
		(void)fprintf(stderr, "answer_all: not sent\n");
}

static void on_close(void *arg, int err)
{
	struct peer *p = arg;

	UNUSED(err);
	net_stream_free(p->stream);
	free(p);
}

static const struct net_stream_ops stream_ops = {
	.on_data = on_data,
	.on_close = on_close,
};

static void on_stream(void *arg, struct net_stream *s)
{
	struct peer *p = calloc(1, sizeof(*p));

	UNUSED(arg);
	if (!p) {
		net_stream_free(s);
		return;
	}
	p->stream = s;
	net_stream_set_ops(s, &stream_ops, p);
}

static const struct net_udp_ops udp_ops = {.on_dgram = on_dgram};
static const struct net_listener_ops listener_ops = {.on_stream = on_stream};

static int listen_on(uint16_t port)
{
	struct addr any = {.family = ADDR_IP6, .port = port};
	struct net_udp **udp = calloc(1, sizeof(struct net_udp *));
	struct net_listener *tcp;

	return !udp || net_udp_open(udp, &any, 0, &udp_ops, udp) ||
	       net_listener_open(&tcp, &any, NULL, 0, &listener_ops, NULL);
}

int main(int argc, char **argv)
{
	uint64_t first, last;

	if (argc != 3 || text_u64(&first, slice_str(argv[1]), UINT16_MAX) ||
	    text_u64(&last, slice_str(argv[2]), UINT16_MAX) || net_open())
		return 64;
	for (uint64_t port = first; port <= last; port++) {
		if (listen_on((uint16_t)port))
			return 70;
	}
	(void)puts("ready");
	(void)fflush(stdout);
	return net_run(NULL, NULL) ? 70 : 0;
}
