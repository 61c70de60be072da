/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "edge/answer.h"

enum {
	PROVEN = 1, /* put a good token behind the request */
	TCP = 2,
	STUN = 4,
	IP6 = 8,
	NOW_S = 1700000000,
};

static struct edge_conf conf = {.name = "fuzz"};
static struct edge_calls *calls;
static struct edge_answerer *answerer;

static void set_up(void)
{
	if (answerer)
		return;
	if (edge_calls_alloc(&calls) ||
	    edge_answerer_alloc(&answerer, &conf, calls))
		abort();
}

static void follow(const struct edge_answer *out, const struct edge_arrival *a)
{
	struct wr w = wr_init_heap();
	struct edge_final f;

	if (out->call == EDGE_CALL_START)
		edge_calls_start(calls, out->call_key, &a->flow, out->final,
		                 a->mono_ns);
	if (edge_calls_end(&f, calls, out->call_key))
		edge_answer_final(&w, &f, true);
	wr_fini(&w);
}

/* The rule: no longer than the request, but for STUN's 24 bytes. */
static void check(const struct edge_answer *out, const struct edge_arrival *a)
{
	size_t more = a->speaks == EDGE_STUN ? 24 : 0;

	if (a->flow.transport != WIRE_UDP || out->is_proven)
		return;
	if (out->bytes.n > a->bytes.n + more || out->call == EDGE_CALL_START)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = {data, size};
	unsigned how = size ? data[0] : 0;
	struct wr w = wr_init_heap();
	struct edge_arrival a = {
		.flow = {.transport = how & TCP ? WIRE_TCP : WIRE_UDP},
		.speaks = how & STUN ? EDGE_STUN : EDGE_SIP,
		.mono_ns = NS_PER_S,
		.wall_ns = NOW_S * NS_PER_S,
	};
	struct wire_token token;
	struct edge_answer out;

	set_up();
	a.flow.remote.family = how & IP6 ? ADDR_IP6 : ADDR_IP4;
	a.flow.remote.port = 5060;
	a.flow.remote.ip[0] = 192;
	a.flow.local = a.flow.remote;
	wr_put(&w, slice_sub(in, 1, SIZE_MAX));
	if (how & PROVEN) {
		wire_token_make(&token, conf.secret, &a.flow.remote, NOW_S);
		wire_token_put(&w, &token);
	}
	a.bytes = wr_slice(&w);
	edge_answer(&out, answerer, &a);
	check(&out, &a);
	follow(&out, &a);
	wr_fini(&w);
	return 0;
}
