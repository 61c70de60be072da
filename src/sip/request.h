/* SPDX-License-Identifier: ISC */
/**
 * Builds the requests of an ordinary, well-mannered client (RFC 3261, section
 * 8.1.1; RFC 3581; RFC 7118).
 *
 * Pure codec. What the reader of sip/msg.h makes of them is tested.
 */
#pragma once

#include "sip/msg.h"

/** All borrowed. */
struct sip_request {
	const char *method;
	const char *transport; /**< of Via: "UDP", "TCP", "TLS", "WS", "WSS" */
	struct slice uri;      /**< whom: "sip:example.com" */
	struct slice aor;      /**< of From and To: "sip:user@example.com" */
	struct slice sent_by;  /**< of Via: "192.0.2.1:5060" */
	struct slice branch;   /**< without the magic cookie */
	struct slice from_tag;
	struct slice call_id;
	struct slice contact; /**< a URI; empty: none */
	unsigned cseq;
	int expires_s;      /**< below 0: none */
	struct slice extra; /**< whole header lines, each with its CRLF */
};

/**
 * Write it, without a body.
 *
 * @return 0, EINVAL (a blank, an angle bracket or a control character in a
 *         value), or ENOMEM: @p w is full
 */
WARN_UNUSED int sip_request_build(struct wr *w, const struct sip_request *rq);

/** The user part of a URI: what may not stand there is escaped (section
 *  25.1). */
void sip_put_user(struct wr *w, struct slice user);

/** The host part: a numeric IPv6 address in brackets. */
void sip_put_host(struct wr *w, struct slice host);
