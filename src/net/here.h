/* SPDX-License-Identifier: ISC */
/** Whether what is sent or answered ends in this computer itself. */
#pragma once

#include "base/addr.h"

enum net_here_syn {
	NET_HERE_ONCE, /**< not repeated yet, or no connecting socket */
	NET_HERE_SENT, /**< repeated, and on its way */
	NET_HERE_KEPT, /**< repeated, and kept back by this computer's filter */
};

/** What became of the last SYN of a connecting socket. */
enum net_here_syn net_here_syn(int fd);

/**
 * A connection to there is reset by this computer itself. Call it after a
 * reset that came at once: it connects again, three times or, while this
 * computer is busy, up to twelve, a millisecond apart; the network gets one
 * SYN if the network did it and nobody else uses the loopback device.
 */
bool net_here_resets(const struct addr *to);

/**
 * Packets that have come to this computer and that it has handed to nobody,
 * forwarded or taken for damaged: since it was started, in this network
 * namespace. A filter on the way in makes them, as do strangers' broadcasts.
 *
 * @param text  The kernel's counters: /proc/net/snmp or /proc/net/snmp6
 *
 * @return false: they do not say; @p n is untouched
 */
bool net_here_count_ip4(int64_t *n, const char *text);
bool net_here_count_ip6(int64_t *n, const char *text);

/** The same, read from the kernel. */
bool net_here_undelivered(int64_t *n, enum addr_family family);
