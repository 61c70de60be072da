/* SPDX-License-Identifier: ISC */
/**
 * A tolerant look at SDP (RFC 8866): its lines, and the addresses in them.
 *
 * Pure codec; all slices borrow from the input. Fuzzed by
 * fuzz/fuzz_sip_msg.c.
 */
#pragma once

#include "base/addr.h"
#include "sip/msg.h"

enum {
	SIP_SDP_MAX_MEDIA = 16, /**< kept; the rest is counted */
};

struct sip_sdp_line {
	struct slice raw;   /**< with its line ending */
	struct slice text;  /**< without it */
	char type;          /**< the letter before "=", or 0: not such a line */
	struct slice value; /**< after "=", or all of an odd line */
	enum sip_eol eol;
};

/** Take the next line. @return false when nothing is left */
bool sip_sdp_next(struct sip_sdp_line *line, struct rd *r);

/** Word number @p nth (from 0) of a value; empty when there is none. */
struct slice sip_sdp_word(struct slice value, size_t nth);

struct sip_sdp_media {
	struct slice text; /**< the m= line */
	struct slice kind; /**< "audio" */
	struct slice port; /**< digits as written */
	struct slice proto;
	struct slice c_addr;    /**< of its own c=, else empty */
	struct slice rtcp;      /**< value of a=rtcp: (RFC 3605), or empty */
	struct slice candidate; /**< value of the first a=candidate: */
	size_t n_candidates;
};

struct sip_sdp {
	struct slice origin; /**< the o= line */
	struct slice o_addr;
	struct slice conn;   /**< the session's c= line, or empty */
	struct slice c_addr; /**< its address */
	struct sip_sdp_media media[SIP_SDP_MAX_MEDIA];
	size_t n_media;
	size_t n_more; /**< media that did not fit */
	size_t n_odd;  /**< lines that are not "x=value" */
};

/** Read any bytes; what is not there stays empty. */
void sip_sdp_read(struct sip_sdp *s, struct slice body);

/** The address and port at which a stream is received: its own c=, else the
 *  session's. @return 0, ENOENT: none, or a name; EBADMSG: a bad port */
WARN_UNUSED int sip_sdp_media_addr(struct addr *a, const struct sip_sdp *s,
                                   const struct sip_sdp_media *m);
