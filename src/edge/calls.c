/* SPDX-License-Identifier: ISC */
#include "edge/calls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "wire/hash.h"

enum {
	KEY_TEXT_BYTES = 1024,
};

struct call {
	uint64_t key;
	int64_t due_ns; /* 0: a free place */
	struct edge_flow flow;
	size_t n_bytes;
	uint8_t bytes[EDGE_CALL_MAX_BYTES];
};

struct edge_calls {
	size_t n_used;
	struct call at[EDGE_CALLS_MAX];
};

int edge_calls_alloc(struct edge_calls **cp)
{
	struct edge_calls *c = calloc(1, sizeof(*c));

	if (!c)
		return ENOMEM;
	*cp = c;
	return 0;
}

void edge_calls_free(struct edge_calls *c)
{
	free(c);
}

uint64_t edge_call_key(struct slice call_id, const struct edge_flow *flow)
{
	uint8_t text[KEY_TEXT_BYTES], digest[WIRE_SHA256_BYTES];
	struct wr w = wr_init(text, sizeof(text));
	struct rd r = rd_init((struct slice){digest, sizeof(digest)});

	wr_u8(&w, (uint8_t)flow->transport);
	wr_u16(&w, flow->local.port);
	wr_put(&w, (struct slice){flow->remote.ip, sizeof(flow->remote.ip)});
	wr_put(&w, slice_sub(call_id, 0, sizeof(text) / 2));
	wire_sha256(digest, wr_slice(&w));
	return rd_u64(&r);
}

/* EDGE_CALLS_MAX: there is none. */
static size_t find(const struct edge_calls *c, uint64_t key)
{
	for (size_t i = 0; c->n_used && i < EDGE_CALLS_MAX; i++) {
		if (c->at[i].due_ns && c->at[i].key == key)
			return i;
	}
	return EDGE_CALLS_MAX;
}

bool edge_calls_has(const struct edge_calls *c, uint64_t key)
{
	return find(c, key) < EDGE_CALLS_MAX;
}

void edge_calls_start(struct edge_calls *c, uint64_t key,
                      const struct edge_flow *flow, struct slice final,
                      int64_t mono_ns)
{
	size_t eol = slice_find(final, slice_str("\r\n"));
	struct slice tail = slice_sub(final, eol, SIZE_MAX);
	struct call *place = NULL;
	size_t n_same = 0;

	if (!tail.n || tail.n > EDGE_CALL_MAX_BYTES || edge_calls_has(c, key))
		return;
	for (size_t i = 0; i < EDGE_CALLS_MAX; i++) {
		if (!c->at[i].due_ns)
			place = &c->at[i];
		else
			n_same += addr_is_same_source(&c->at[i].flow.remote,
			                              &flow->remote);
	}
	if (!place || n_same >= EDGE_CALLS_PER_SOURCE)
		return;
	place->key = key;
	place->due_ns = mono_ns + WIRE_CALL_MS * NS_PER_MS;
	place->flow = *flow;
	place->n_bytes = tail.n;
	memcpy(place->bytes, tail.p, tail.n);
	c->n_used++;
}

static void take(struct edge_final *f, struct edge_calls *c, size_t i)
{
	struct call *at = &c->at[i];

	f->flow = at->flow;
	f->bytes = (struct slice){at->bytes, at->n_bytes};
	at->due_ns = 0;
	c->n_used--;
}

bool edge_calls_end(struct edge_final *f, struct edge_calls *c, uint64_t key)
{
	size_t i = find(c, key);

	if (i == EDGE_CALLS_MAX)
		return false;
	take(f, c, i);
	return true;
}

bool edge_calls_due(struct edge_final *f, struct edge_calls *c, int64_t mono_ns)
{
	for (size_t i = 0; c->n_used && i < EDGE_CALLS_MAX; i++) {
		if (!c->at[i].due_ns || c->at[i].due_ns > mono_ns)
			continue;
		take(f, c, i);
		return true;
	}
	return false;
}

int64_t edge_calls_next_ns(const struct edge_calls *c)
{
	int64_t next_ns = INT64_MAX;

	for (size_t i = 0; c->n_used && i < EDGE_CALLS_MAX; i++) {
		if (c->at[i].due_ns && c->at[i].due_ns < next_ns)
			next_ns = c->at[i].due_ns;
	}
	return next_ns;
}
