/* SPDX-License-Identifier: ISC */
/**
 * The tag: whose shot a message is.
 *
 * 24 characters, "prm1", 16 hexadecimal digits of the session and 4 of the
 * shot. It is a legal SIP token, host label and user part, so a prober puts
 * it all over its messages; the edge takes the first that it finds in the
 * raw bytes, whatever a middlebox did to the rest. No secret.
 */
#pragma once

#include "base/cursor.h"

enum {
	WIRE_SESSION_BYTES = 8,
	WIRE_TAG_CHARS = 24,
};

struct wire_tag {
	uint8_t session[WIRE_SESSION_BYTES];
	uint16_t shot;
};

/** Exactly WIRE_TAG_CHARS lower-case characters. */
void wire_tag_put(struct wr *w, const struct wire_tag *t);

/**
 * Find the first tag anywhere in @p bytes; letter case does not count.
 *
 * @param t  Out; untouched when there is none.
 */
bool wire_tag_find(struct wire_tag *t, struct slice bytes);
