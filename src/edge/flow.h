/* SPDX-License-Identifier: ISC */
/** The road by which a message came, and by which an answer goes back. */
#pragma once

#include "base/addr.h"
#include "wire/place.h"

struct edge_flow {
	enum wire_transport transport;
	struct addr local;  /**< where it arrived, with the port */
	struct addr remote; /**< whence */
	uint64_t conn; /**< TCP, TLS: the connection's number; never reused */
};

/** A message as it arrived. Borrows its bytes. */
struct edge_arrival {
	struct edge_flow flow;
	enum wire_role role; /**< of the port */
	uint8_t ttl;         /**< 0: unknown */
	int64_t mono_ns;
	int64_t wall_ns;
	struct slice bytes;
	bool has_session; /**< its tag's control session is open */
};
