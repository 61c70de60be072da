/* SPDX-License-Identifier: ISC */
/** Whether a TCP connection ends in this computer itself. */
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
