/* SPDX-License-Identifier: ISC */
/**
 * Follow a flow that ends somewhere: the same at rising TTL, without
 * privileges (Linux IP_RECVERR on the sending or connecting socket).
 *
 * A flow keeps its five-tuple for all TTLs, so that routers that share load
 * send it one way. UDP asks all hops at once; TCP, where one five-tuple is
 * one connection, asks hop after hop and stops once the known good flow has
 * left it behind.
 */
#pragma once

#include "probe/where.h"

enum {
	TRACE_FLOWS_MAX = 20, /**< new NAT mappings that one trace may make: 3,
	                           and more only to find a reset's TTL */
};

struct trace_flow {
	struct addr to; /**< ADDR_NONE: no such flow */
	bool is_tcp;
	bool is_closed; /**< a control to a port that nobody should use: asked
	                     hop by hop, for hosts limit their refusals, and
	                     no further than it takes */
	uint16_t src_port;    /**< 0: any */
	struct slice payload; /**< UDP only, at most TRACE_PAYLOAD_BYTES;
	                           empty: a HELLO (wire/dgram.h), which an edge
	                           answers. Copied. */
};

enum {
	TRACE_PAYLOAD_BYTES = 1400,
};

struct trace_spec {
	struct trace_flow flow;    /**< the one that is silent or refused */
	struct trace_flow control; /**< to the same IP, known to be answered, or
	                                to a port that nobody uses */
	unsigned n_hops;     /**< routers up to the server; 0: not known */
	int64_t rtt_ns;      /**< 0: not known */
	int64_t patience_ns; /**< for all of it */

	/** Who refused the flow before, as the question that failed has it:
	 *  routers limit their ICMP errors, so it may not be heard again.
	 *  ADDR_NONE: nobody. */
	struct addr refuser;
	uint8_t icmp_type, icmp_code;
};

struct trace_result {
	struct where where;
	struct where_flow flow, control;
	unsigned n_sent;        /**< datagrams and connections */
	bool is_near;           /**< a TCP flow, beside which one by UDP went */
	struct where_near near; /**< where `is_near` */
};

struct trace;

/** Once, in the loop, never inside trace_start(). @p r is borrowed. */
typedef void trace_done_fn(void *arg, const struct trace_result *r);

/**
 * @param tp    Out; untouched unless 0 is returned. Release: trace_free().
 * @param spec  Copied.
 *
 * @return 0, EINVAL (no destination, or another IP for the control), ENOMEM,
 *         or as net_udp_open()
 */
WARN_UNUSED int trace_start(struct trace **tp, const struct trace_spec *spec,
                            trace_done_fn *done, void *arg);

/** Early or after its end; allowed in `done`. NULL is fine. */
void trace_free(struct trace *t);

/**
 * The result as a map for a fact's fields or evidence: `basis`, `who`,
 * `hop_min`, `hop_max`, `is_exact`, `address`, `last_address`,
 * `next_address`, `hops`,
 * `may_be_way_back`, `segment`, `icmp_type`, `icmp_code`, `reset_ttl`,
 * `server_ttl`.
 *
 * @param no_memory  Set when there was none; never cleared.
 */
struct val trace_val(struct arena *a, bool *no_memory,
                     const struct trace_result *r);
