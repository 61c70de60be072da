/* SPDX-License-Identifier: ISC */
/**
 * Builds the response to a request (RFC 3261, section 8.2.6; RFC 3581).
 *
 * Pure codec. Fuzzed by fuzz/fuzz_sip_reply.c.
 */
#pragma once

#include "base/addr.h"
#include "sip/msg.h"

struct sip_reply {
	unsigned status;      /**< 100..699 */
	const char *reason;   /**< without line ends */
	struct addr observed; /**< where the request came from */
	struct slice
		to_tag; /**< added to To where it has no tag; may be empty */
	struct slice extra; /**< whole header lines, each with its CRLF */
	struct slice content_type; /**< needed with a body */
	struct slice body;
	bool copies_record_route; /**< a 2xx that makes a dialog (12.1.1) */
};

/**
 * Write the response: Via (all), Record-Route if asked, From, To, Call-ID,
 * CSeq, `extra`, Content-Type, Content-Length, body.
 *
 * Folded values are unfolded, so no byte of the request can end a line. At
 * most SIP_MSG_MAX_FIELDS fields and as many bytes as the request has are
 * copied. `received` is added where RFC 3261, 18.2.1 wants it, and always
 * with `rport`, which is filled in (RFC 3581, section 4); values that the
 * request brought for them are replaced.
 *
 * @return 0, or
 *         EBADMSG   Via, From, To, Call-ID or CSeq missing or unreadable
 *         EMSGSIZE  @p w is too small; it is then bad
 */
WARN_UNUSED int sip_reply_build(struct wr *w, const struct sip_msg *req,
                                const struct sip_reply *rp);
