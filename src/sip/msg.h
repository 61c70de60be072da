/* SPDX-License-Identifier: ISC */
/**
 * A tolerant look at SIP messages (RFC 3261, section 7), odd ones included.
 *
 * Any bytes can be read: what is wrong is marked, not refused, because the
 * messages of interest are those that a box on the way has damaged. Pure
 * codec: no sockets, no clock, no allocation. All slices borrow from the
 * input. Fuzzed by fuzz/fuzz_sip_msg.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

enum {
	SIP_MSG_MAX_FIELDS = 128,     /**< kept; the rest is counted */
	SIP_STREAM_MAX_BYTES = 65535, /**< longest message in a stream */
};

enum sip_transport {
	SIP_UDP,
	SIP_TCP,
	SIP_TLS,
};

/** Header fields known by name; every compact form in IANA's registry. */
enum sip_hdr {
	SIP_HDR_OTHER,
	SIP_HDR_ACCEPT_CONTACT, /**< a */
	SIP_HDR_ALLOW,
	SIP_HDR_ALLOW_EVENTS, /**< u */
	SIP_HDR_AUTHORIZATION,
	SIP_HDR_CALL_ID,          /**< i */
	SIP_HDR_CONTACT,          /**< m */
	SIP_HDR_CONTENT_ENCODING, /**< e */
	SIP_HDR_CONTENT_LENGTH,   /**< l */
	SIP_HDR_CONTENT_TYPE,     /**< c */
	SIP_HDR_CSEQ,
	SIP_HDR_EVENT, /**< o */
	SIP_HDR_EXPIRES,
	SIP_HDR_FROM,     /**< f */
	SIP_HDR_IDENTITY, /**< y */
	SIP_HDR_MAX_FORWARDS,
	SIP_HDR_P_ASSERTED_IDENTITY,
	SIP_HDR_PATH,
	SIP_HDR_RECORD_ROUTE,
	SIP_HDR_REFER_TO,            /**< r */
	SIP_HDR_REFERRED_BY,         /**< b */
	SIP_HDR_REJECT_CONTACT,      /**< j */
	SIP_HDR_REQUEST_DISPOSITION, /**< d */
	SIP_HDR_ROUTE,
	SIP_HDR_SESSION_EXPIRES, /**< x */
	SIP_HDR_SUBJECT,         /**< s */
	SIP_HDR_SUPPORTED,       /**< k */
	SIP_HDR_TO,              /**< t */
	SIP_HDR_USER_AGENT,
	SIP_HDR_VIA, /**< v */
	SIP_HDR_COUNT,
};

enum sip_eol {
	SIP_EOL_NONE, /**< the input ended first */
	SIP_EOL_CRLF,
	SIP_EOL_LF,
	SIP_EOL_CR,
};

enum {
	SIP_ODD_NO_COLON = 1 << 0, /**< the whole line is in `value` */
	SIP_ODD_EMPTY_NAME = 1 << 1,
	SIP_ODD_NAME_CHAR = 1 << 2,   /**< not a token (section 25.1) */
	SIP_ODD_COLON_SPACE = 1 << 3, /**< blanks before the colon */
	SIP_ODD_VALUE_SPACE = 1 << 4, /**< not exactly one SP after it */
	SIP_ODD_TAIL_SPACE = 1 << 5,  /**< blanks before the line end */
	SIP_ODD_NUL = 1 << 6,         /**< a NUL byte inside */
	SIP_ODD_EOL = 1 << 7,         /**< some line does not end in CRLF */
};

struct sip_field {
	struct slice raw;   /**< all of it: folded lines, line ending */
	struct slice name;  /**< as written, without blanks */
	struct slice value; /**< trimmed; folds are still inside */
	enum sip_hdr id;
	enum sip_eol eol; /**< of its last line */
	unsigned odd;     /**< SIP_ODD_* */
	bool is_folded;
	bool is_compact; /**< the one-letter name was used */
};

/** About 10 KiB. Borrows from what was read. */
struct sip_msg {
	struct slice raw;
	struct slice start;     /**< the start line, without its ending */
	struct slice start_raw; /**< with it, and with blank lines before it */
	enum sip_eol start_eol;
	struct sip_field fields[SIP_MSG_MAX_FIELDS];
	size_t n_fields;
	size_t n_more; /**< fields that did not fit */
	struct slice
		blank;     /**< the empty line's ending; n = 0: there is none */
	struct slice body; /**< all that follows, as received */
	unsigned odd;      /**< SIP_ODD_* of any line */
};

/** Read any bytes; an empty input gives an empty message. */
void sip_msg_read(struct sip_msg *m, struct slice in);

/** "METHOD uri SIP/2.0", at least in shape. */
bool sip_msg_is_request(const struct sip_msg *m);

/** Parts of the request line; empty in a response or when unreadable. */
struct slice sip_msg_method(const struct sip_msg *m);
struct slice sip_msg_uri(const struct sip_msg *m);

/** 100..699, or 0: not a response. */
unsigned sip_msg_status(const struct sip_msg *m);

/** Field number @p nth (from 0) of that name, or NULL. */
const struct sip_field *sip_msg_field(const struct sip_msg *m, enum sip_hdr id,
                                      size_t nth);

/** As sip_msg_field() by any name; case is ignored, compact forms match. */
const struct sip_field *sip_msg_named(const struct sip_msg *m,
                                      struct slice name, size_t nth);

/** Value of the first field of that name, or an empty slice. */
struct slice sip_msg_value(const struct sip_msg *m, enum sip_hdr id);

/** Do both have one canonical name? Compact and long forms are the same. */
bool sip_field_same_name(const struct sip_field *a, const struct sip_field *b);

/** The canonical spelling ("Via"); "" for SIP_HDR_OTHER. */
const char *sip_hdr_name(enum sip_hdr id);

/** The canonical id of a name in any case or form. */
enum sip_hdr sip_hdr_id(struct slice name);

/**
 * @param n  Out; untouched unless 0 is returned.
 *
 * @return 0, ENOENT: no such field, or EBADMSG: not a number below 2^32
 */
WARN_UNUSED int sip_msg_content_length(uint64_t *n, const struct sip_msg *m);

/** The body that Content-Length declares, clipped to what was received;
 *  all of it where no readable Content-Length is. */
struct slice sip_msg_declared_body(const struct sip_msg *m);

enum sip_frame {
	SIP_FRAME_MORE, /**< read on */
	SIP_FRAME_MSG,  /**< a whole message */
	SIP_FRAME_PING, /**< CRLFCRLF (RFC 5626, section 4.4.1) */
	SIP_FRAME_PONG, /**< CRLF alone; maybe half a ping when nothing follows
	                 */
	SIP_FRAME_BAD,  /**< not SIP, or longer than SIP_STREAM_MAX_BYTES */
};

/**
 * What a byte stream starts with (RFC 3261, section 18.3).
 *
 * Without Content-Length there is no body.
 *
 * @param n   Out: bytes to consume for MSG, PING and PONG; otherwise
 *            untouched.
 * @param in  All that was received and not yet consumed.
 */
enum sip_frame sip_stream_len(size_t *n, struct slice in);
