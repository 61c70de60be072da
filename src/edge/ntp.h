/* SPDX-License-Identifier: ISC */
/**
 * A client's question of NTP, answered (RFC 5905, SNTP of section 14): this
 * host's time, under a high stratum, as of a clock nobody vouches for.
 *
 * Pure: no sockets, no clock.
 */
#pragma once

#include "base/cursor.h"

enum {
	EDGE_NTP_BYTES = 48,
	EDGE_NTP_STRATUM = 10,
};

/**
 * @param w         The answer is added: exactly EDGE_NTP_BYTES
 * @param query     A datagram
 * @param wall_ns   When it arrived, and when this leaves
 *
 * @return 0, or EBADMSG: not a client's request (nothing was written)
 */
WARN_UNUSED int edge_ntp_answer(struct wr *w, struct slice query,
                                int64_t wall_ns);
