/* SPDX-License-Identifier: ISC */
/** Bytes as text and back: hexadecimal, base64, escapes, numbers. */
#pragma once

#include "base/cursor.h"

/** Lower-case hexadecimal. */
void text_hex_put(struct wr *w, struct slice bytes);

/** @return 0, or EBADMSG: odd length or not hexadecimal; @p w is then in
 *  an unspecified state */
WARN_UNUSED int text_hex_read(struct wr *w, struct slice text);

/** RFC 4648 section 4, with padding; a CRLF after every @p line_bytes
 *  characters when that is not 0. */
void text_base64_put(struct wr *w, struct slice bytes, size_t line_bytes);

/** Blanks and line ends are skipped. @return 0, or EBADMSG; @p w is then in
 *  an unspecified state */
WARN_UNUSED int text_base64_read(struct wr *w, struct slice text);

/**
 * Show bytes as UTF-8 text without loss: valid UTF-8 is kept, a byte that is
 * not part of it becomes \xHH, a backslash is doubled. CR, LF and TAB become
 * \r, \n and \t, other controls \xHH.
 */
void text_escape_put(struct wr *w, struct slice bytes);

/** As XML's content, or between quotes of either kind. Controls are the
 *  caller's business: XML 1.0 has no way to write most of them. */
void text_xml_put(struct wr *w, struct slice text);

/** Does it begin with UTF-16's byte order mark, of either order? */
bool text_is_utf16(struct slice bytes);

/** UTF-16 with its mark, as UTF-8 without one; what is no character becomes
 *  U+FFFD. */
void text_utf16_put(struct wr *w, struct slice bytes);

/** What follows UTF-8's byte order mark, or all of it. */
struct slice text_unmarked(struct slice utf8);

/** Bytes of the valid UTF-8 sequence that @p s starts with (RFC 3629), or 0. */
size_t text_utf8_len(struct slice s);

/**
 * Read a decimal number of digits only.
 *
 * @param v  Out; untouched unless 0 is returned.
 *
 * @return 0, or EBADMSG: empty, not digits, or above @p max
 */
WARN_UNUSED int text_u64(uint64_t *v, struct slice text, uint64_t max);
