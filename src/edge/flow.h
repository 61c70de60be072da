/* SPDX-License-Identifier: ISC */
/** The road by which a message came, and by which an answer goes back. */
#pragma once

#include "base/addr.h"
#include "wire/place.h"

/** What a port of ours understands: bits. HELLO and the other datagrams of
 *  wire/dgram.h are understood by all. */
enum edge_speaks {
	EDGE_SIP = 1 << 0,
	EDGE_STUN = 1 << 1,
	EDGE_HTTP = 1 << 2, /**< TCP; with WebSocket and BOSH */
	EDGE_XMPP = 1 << 3, /**< TCP */
	EDGE_DNS = 1 << 4,
	EDGE_NTP = 1 << 5,   /**< UDP */
	EDGE_RANGE = 1 << 6, /**< one of very many */
};

struct edge_flow {
	enum wire_transport transport;
	struct addr local;  /**< where it arrived, with the port */
	struct addr remote; /**< whence */
	uint64_t conn;   /**< TCP, TLS: the connection's number; never reused */
	uint32_t socket; /**< UDP: of ours, from 1; 0: by `local` */
};

/** A message as it arrived. Borrows its bytes. */
struct edge_arrival {
	struct edge_flow flow;
	unsigned speaks; /**< the port: EDGE_SIP... */
	uint8_t ttl;     /**< 0: unknown */
	int64_t mono_ns;
	int64_t wall_ns;
	struct slice bytes;
	bool has_session; /**< its tag's control session is open */
};
