/* SPDX-License-Identifier: ISC */
/**
 * The user-space router at work: packets between two devices of a node.
 *
 * Needs the right to packet sockets in its own network namespace, which the
 * user of a lab has; nothing else.
 */
#pragma once

#include "router/conf.h"

enum {
	LAB_RELAY_MAX_HOSTS = 8,
	LAB_RELAY_MAC_BYTES = 6,
};

/** A neighbour in the LAN that is not the first one. */
struct lab_relay_host {
	struct addr ip; /**< port 0 */
	uint8_t mac[LAB_RELAY_MAC_BYTES];
};

/** Zero-initialised, but for the conf: nothing is right yet. */
struct lab_relay {
	const char *devices[2]; /**< by enum router_side */
	/** Who is at the other end of each cable. */
	uint8_t peers[2][LAB_RELAY_MAC_BYTES];
	struct lab_relay_host hosts[LAB_RELAY_MAX_HOSTS];
	size_t n_hosts;
	/** Its own addresses are taken from the devices. */
	struct router_conf conf;
	const char *truth; /**< a file, or NULL: what it did, as JSON */
	int ready_fd;      /**< told "ready" and a line end; not closed */
};

/** Fill the conf with what a router does that was told nothing. */
void lab_relay_init(struct lab_relay *relay);

/** "02:00:00:00:00:01". @return 0, or EINVAL; @p mac is then in an
 *  unspecified state */
WARN_UNUSED int lab_relay_mac(uint8_t mac[LAB_RELAY_MAC_BYTES],
                              struct slice text);

/**
 * Route until SIGTERM or SIGINT, which are blocked from then on; write the
 * truth and return. One thread only; once per process.
 *
 * @return 0, or the system's error
 */
WARN_UNUSED int lab_relay_run(struct lab_relay *relay);
