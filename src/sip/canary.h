/* SPDX-License-Identifier: ISC */
/**
 * Test messages: what a real phone sends, plus a canary in every place
 * where a SIP ALG is known to put its hands.
 *
 * They are valid SIP (RFC 3261). All addresses in them are either the
 * caller's own or documentation addresses (RFC 5737, RFC 3849). Same input,
 * same bytes. Pure codec.
 */
#pragma once

#include "base/addr.h"
#include "sip/msg.h"

enum {
	SIP_CANARY_TAG_CHARS = 24,
	SIP_CANARY_TOKEN_CHARS = 36,
	SIP_CANARY_MAX_BYTES = 8192,  /**< with the largest pad_bytes */
	SIP_CANARY_SHORT_BYTES = 500, /**< what routers quote, with a margin */
};

enum sip_canary_kind {
	SIP_CANARY_OPTIONS,
	SIP_CANARY_REGISTER,
	SIP_CANARY_INVITE,
	SIP_CANARY_MESSAGE,
	SIP_CANARY_SUBSCRIBE,
	SIP_CANARY_PUBLISH,
	SIP_CANARY_UNKNOWN, /**< a method that nobody defines */
	SIP_CANARY_ACK,     /**< same tag and cseq as its INVITE, non-2xx */
	SIP_CANARY_CANCEL,  /**< same tag and cseq as its INVITE */
	SIP_CANARY_BYE,
	SIP_CANARY_KINDS,
};

enum sip_canary_flag {
	SIP_CANARY_COMPACT = 1 << 0,  /**< v m f t i c l */
	SIP_CANARY_FOLDED = 1 << 1,   /**< Via and Contact over two lines */
	SIP_CANARY_ODD_CASE = 1 << 2, /**< vIA, cOnTaCt */
	SIP_CANARY_VIA_NO_PORT = 1 << 3,
	SIP_CANARY_CONTACT_NO_PORT = 1 << 4,
	/** Nothing is sent but Via, From, To, Call-ID, CSeq, Contact,
	 *  Max-Forwards, X-Prumo when there is a token, and the body; in IPv4
	 *  without a token, all that and the o=, c=, m= of an INVITE lie in
	 *  the first SIP_CANARY_SHORT_BYTES. The From tag is then cut to 8. */
	SIP_CANARY_SHORT = 1 << 5,
	SIP_CANARY_LOW_RTP_PORT = 1 << 6, /**< m= port 1000 */
	SIP_CANARY_NO_SDP_C = 1 << 7,
	SIP_CANARY_LONG_LINE = 1 << 8, /**< a header line above 998 bytes */
	SIP_CANARY_LONG_URI = 1 << 9,  /**< a Request-URI above 255 bytes */
	SIP_CANARY_TEXT_BODY_V = 1
	                         << 10, /**< text/plain, a line "v=..." in it */
	SIP_CANARY_HOST_CONTACT = 1 << 11, /**< Contact by host name; in a list
	                                        the last */
};

struct sip_canary {
	enum sip_canary_kind kind;
	unsigned flags; /**< SIP_CANARY_* */
	enum sip_transport transport;
	struct addr local;  /**< the socket's own: Via, Contact, c= carry it; an
	                     *   ALG leaves alone what is not exactly that */
	struct addr target; /**< Request-URI and To */
	/** SIP_CANARY_TAG_CHARS of [A-Za-z0-9]: branch (after z9hG4bK), From
	 *  tag, Call-ID, Request-URI user, X-Prumo */
	struct slice tag;
	struct slice token;  /**< SIP_CANARY_TOKEN_CHARS: X-Prumo: tag.token;
	                      *   empty: X-Prumo: tag */
	struct slice to_tag; /**< of the dialog: ACK and BYE; may be empty */
	unsigned cseq;
	uint16_t rtp_port;   /**< INVITE: m=audio; even. ACK: the same of the
	                      *   answer that it carries; 0: of none */
	uint16_t video_port; /**< of the first m=video; the next has 2 more */
	unsigned n_video;
	size_t pad_bytes; /**< X-Prumo-Pad fills up to this size; 0: no pad */
};

/** "OPTIONS"...; the name of SIP_CANARY_UNKNOWN's method too. */
const char *sip_canary_method(enum sip_canary_kind kind);

/**
 * Write one message.
 *
 * OPTIONS and the unknown method have a lower Via, as if a proxy had passed
 * them; a phone's own requests have one. That Via, o= and the second Contact
 * carry addresses that are neither
 * `local` nor `target`; X-Prumo-Addr carries `local` in text and X-Prumo-Raw
 * the same text XORed with 0x5a in hexadecimal, which no ALG can recognise.
 *
 * @return 0, or
 *         EINVAL    no local or target address, a tag or token of another
 *                   length, a bad kind, or pad_bytes above 7168
 *         EMSGSIZE  @p w is too small; it is then bad
 */
WARN_UNUSED int sip_canary_build(struct wr *w, const struct sip_canary *c);

/** Read X-Prumo-Raw back: the sender's own idea of its address.
 *  @return 0, ENOENT, or EBADMSG */
WARN_UNUSED int sip_canary_sender(struct addr *a, const struct sip_msg *m);
