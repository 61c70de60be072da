/* SPDX-License-Identifier: ISC */
/**
 * NTP as a client, unauthenticated (RFC 5905, section 7.3).
 *
 * Pure codec: no sockets, no clock, no allocation. Fuzzed by
 * fuzz/fuzz_probe_ntp.c.
 */
#pragma once

#include "base/attr.h"
#include "base/cursor.h"

enum {
	NTP_BYTES = 48,
	NTP_STRATUM_KISS = 0,
	NTP_STRATUM_MAX = 15, /**< 16: not synchronised */
};

struct ntp_answer {
	unsigned leap;     /**< 3: its clock is not set */
	unsigned version;  /**< 1..4 */
	unsigned stratum;  /**< 0: see `kiss` */
	char kiss[5];      /**< of stratum 0: "RATE", "DENY"..., printable */
	int64_t offset_ns; /**< server minus us; 0 for a kiss */
	int64_t delay_ns;  /**< there and back, without the server's own time */
};

/**
 * A request.
 *
 * @param cookie  Stands for the time of sending, which nobody else needs to
 *                know; the answer gives it back
 */
void ntp_put_request(struct wr *w, uint64_t cookie);

/**
 * Read an answer to it.
 *
 * @param a        Out; untouched unless 0 is returned
 * @param sent_ns  CLOCK_REALTIME when the request left, and when the answer
 *                 came: @p got_ns
 *
 * @return 0, EBADMSG (not an answer of NTP), or ENOENT (not to this request)
 */
WARN_UNUSED int ntp_decode(struct ntp_answer *a, struct slice in,
                           uint64_t cookie, int64_t sent_ns, int64_t got_ns);
