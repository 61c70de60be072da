/* SPDX-License-Identifier: ISC */
/**
 * INVITEs that were answered 183 and still wait for their final answer.
 *
 * A fixed table, made up front; no sockets, no clock.
 */
#pragma once

#include "edge/flow.h"

enum {
	EDGE_CALLS_MAX = 1024,
	EDGE_CALLS_PER_SOURCE = 128, /**< addr_is_same_source() */
	EDGE_CALL_MAX_BYTES = 2048,  /**< of a final answer */
};

struct edge_calls;

/** The final answer of a call. Borrows: valid until the next call. */
struct edge_final {
	struct edge_flow flow;
	struct slice
		bytes; /**< from the end of the status line on, CRLF first */
};

/** @return 0 or ENOMEM. Release: edge_calls_free(). */
WARN_UNUSED int edge_calls_alloc(struct edge_calls **cp);

/** NULL is fine. */
void edge_calls_free(struct edge_calls *c);

/** The name of a call: its Call-ID, and between whom. */
uint64_t edge_call_key(struct slice call_id, const struct edge_flow *flow);

bool edge_calls_has(const struct edge_calls *c, uint64_t key);

/**
 * Remember a call; a second time it changes nothing. Where there is no room,
 * for all, for this source or for the bytes, the call is not remembered: it
 * will have no final answer, which a client must bear anyway.
 *
 * @param final  A whole final answer
 */
void edge_calls_start(struct edge_calls *c, uint64_t key,
                      const struct edge_flow *flow, struct slice final,
                      int64_t mono_ns);

/** Forget a call. @return false: there is none */
bool edge_calls_end(struct edge_final *f, struct edge_calls *c, uint64_t key);

/** Forget a call whose time is over. @return false: there is none */
bool edge_calls_due(struct edge_final *f, struct edge_calls *c,
                    int64_t mono_ns);

/** When the next is over; INT64_MAX: never. */
int64_t edge_calls_next_ns(const struct edge_calls *c);
