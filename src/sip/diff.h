/* SPDX-License-Identifier: ISC */
/**
 * What changed between the bytes sent and the bytes received, classified.
 *
 * Time is O(n) in bytes, and O(f^2) in header fields, which are at most
 * SIP_MSG_MAX_FIELDS. No allocation. Fuzzed by fuzz/fuzz_sip_diff.c.
 */
#pragma once

#include "base/addr.h"
#include "sip/msg.h"

enum {
	SIP_DIFF_MAX_EDITS = 64,
	SIP_EDIT_FIELD_BYTES = 40,
};

enum sip_edit_class {
	SIP_EDIT_ADDRESS_REWRITTEN,
	SIP_EDIT_PORT_REWRITTEN,
	SIP_EDIT_PORT_ADDED,
	SIP_EDIT_PORT_REMOVED,
	SIP_EDIT_PORT_OUT_OF_RANGE,
	SIP_EDIT_PARAMETER_ADDED,
	SIP_EDIT_PARAMETER_REMOVED,
	SIP_EDIT_PARAMETER_CHANGED,
	SIP_EDIT_PARAMETER_CORRUPTED, /**< a separator was lost */
	SIP_EDIT_LENGTH_WRONG,   /**< Content-Length disagrees with the body */
	SIP_EDIT_LENGTH_UPDATED, /**< changed, and agrees with the new body */
	SIP_EDIT_HEADER_ADDED,
	SIP_EDIT_HEADER_REMOVED,
	SIP_EDIT_HEADER_REORDERED,
	SIP_EDIT_HEADER_MERGED, /**< its line end was lost */
	SIP_EDIT_CASE_CHANGED,
	SIP_EDIT_WHITESPACE_CHANGED,
	SIP_EDIT_FOLD_CHANGED,
	SIP_EDIT_NAME_FORM_CHANGED, /**< compact to long, or back */
	SIP_EDIT_LINE_ENDING_CHANGED,
	SIP_EDIT_HOP_COUNT_CHANGED,
	SIP_EDIT_BRANCH_CHANGED,
	SIP_EDIT_VIA_ADDED,
	SIP_EDIT_RECORD_ROUTE_ADDED,
	SIP_EDIT_VALUE_CHANGED,
	SIP_EDIT_BODY_CHANGED,
	SIP_EDIT_SDP_LINE_ADDED,
	SIP_EDIT_SDP_LINE_REMOVED,
	SIP_EDIT_START_LINE_CHANGED,
	SIP_EDIT_TRUNCATED,
	SIP_EDIT_APPENDED,
	SIP_EDIT_UNPARSABLE,
	SIP_EDIT_CLASSES,
};

/** [a-z-]+: the JSON id, stable for ever ("address-rewritten"). */
const char *sip_edit_class_name(enum sip_edit_class cls);

enum sip_edit_severity {
	SIP_EDIT_COSMETIC,   /**< same meaning: case, blanks, folds, order */
	SIP_EDIT_REWRITE,    /**< other meaning, still well formed */
	SIP_EDIT_CORRUPTION, /**< no longer correct SIP */
};

enum sip_edit_severity sip_edit_severity(enum sip_edit_class cls);

/** SIP_EDIT_CORRUPTION, as a claim. */
bool sip_edit_is_corruption(enum sip_edit_class cls);

struct sip_edit {
	enum sip_edit_class cls;
	/** "Via", "Via[2]", "Contact[3]", "Request-URI", "SDP o=",
	 *  "SDP m=audio", "SDP a=rtcp", "Content-Length", "body", "message";
	 *  occurrences count list items from 1, [1] is not written */
	char field[SIP_EDIT_FIELD_BYTES];
	/** The value or line that a technician would recognise. They borrow
	 *  from the inputs; p = NULL where one side has nothing. */
	struct slice before, after;
	size_t at; /**< offset in the bytes sent of the first difference */
};

/** Edits in the order of the bytes sent. */
struct sip_diff {
	struct sip_edit edits[SIP_DIFF_MAX_EDITS];
	size_t n;
	size_t n_more;     /**< edits that did not fit */
	size_t first_byte; /**< first differing offset, or SIZE_MAX: none */
	bool is_equal;
};

/** What the run knows; ADDR_NONE where it does not. */
struct sip_diff_hint {
	struct addr local;    /**< the sender's own address */
	struct addr observed; /**< what the far end saw as source */
};

/**
 * Compare. Equal inputs give no edit, different inputs at least one.
 *
 * @param hint  NULL, or addresses that help to call an edit a rewriting.
 */
void sip_diff(struct sip_diff *d, struct slice before, struct slice after,
              const struct sip_diff_hint *hint);

/** Has it an edit of that class? @p field: NULL for any, else exact. */
bool sip_diff_has(const struct sip_diff *d, enum sip_edit_class cls,
                  const char *field);

/**
 * Compare the topmost Via of a response with the one in the request sent.
 *
 * What any server may do is no edit: `received` added, `rport` given a
 * value, parameters in another order, other case or blanks (RFC 3261,
 * 18.2.1; RFC 3581). A changed sent-by or branch, a lost or changed other
 * parameter is.
 *
 * @return 0, or EBADMSG: one of the messages has no readable Via; @p d is
 *         then untouched
 */
WARN_UNUSED int sip_diff_via_reflection(struct sip_diff *d,
                                        struct slice request,
                                        struct slice response);
