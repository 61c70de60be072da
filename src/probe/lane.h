/* SPDX-License-Identifier: ISC */
/**
 * For ask_range.c only: how one port is asked, by UDP or by TCP.
 *
 * A lane sends what it is told and tells its user what came of it, never
 * inside lane_ask().
 */
#pragma once

#include "net/udp.h"
#include "probe/range.h"
#include "wire/dgram.h"

enum {
	LANE_TCP_TRIES = 2, /**< from one local port; then it is another, for a
	                         server whose SYN-ACK got lost stays in its old
	                         connection for a while, and silent */
};

/** What came back of a port, or of a fresh flow to it. */
struct lane_word {
	uint16_t port;
	bool is_fresh;
	unsigned fresh; /**< as in range_step */
	enum {
		LANE_EDGE,    /**< an edge said what it is */
		LANE_OPENED,  /**< TCP: accepted */
		LANE_CLOSED,  /**< the server itself has nothing there, or
		                   somebody in its name */
		LANE_REFUSED, /**< somebody else; see offender or error */
		LANE_OTHER,   /**< TCP: accepted, and no edge behind it */
	} what;
	int64_t rtt_ns;       /**< 0: cannot be told */
	int error;            /**< errno; 0: none */
	struct addr offender; /**< of an ICMP error, else ADDR_NONE */
	uint8_t icmp_type, icmp_code;
};

typedef void lane_fn(void *arg, const struct lane_word *w);

struct lane;

/**
 * @param lp    Out; untouched unless 0 is returned. Release: lane_close().
 * @param to    The port does not count.
 * @param last  Of the range that begins at `to->port`
 *
 * @return 0, ENOMEM, or as net_udp_open()
 */
WARN_UNUSED int lane_open(struct lane **lp, const struct addr *to,
                          uint16_t last, bool is_tcp, lane_fn *fn, void *arg);

/** NULL is fine; also inside the callback. */
void lane_close(struct lane *l);

/**
 * Ask what range_next() said.
 *
 * @return 0, EAGAIN (later), or what this computer has against it
 */
WARN_UNUSED int lane_ask(struct lane *l, const struct range_step *step);

/** TCP: connections accepted of which it is not known yet what is behind. */
unsigned lane_n_waiting(const struct lane *l);

/** Where the first flow to @p port left from; 0: not known yet. */
uint16_t lane_source_port(const struct lane *l, uint16_t port);

/** The bytes that are sent; borrowed. */
struct slice lane_payload(const struct lane *l);
