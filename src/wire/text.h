/* SPDX-License-Identifier: ISC */
/** Inside wire/: a fixed prefix and hexadecimal digits, in raw bytes. */
#pragma once

#include "base/cursor.h"

/**
 * Find @p prefix followed by 2 * @p n hexadecimal digits, letter case apart.
 *
 * @param out     Room for @p n bytes; untouched when there is none.
 * @param prefix  Lower-case.
 */
bool wire_text_find(uint8_t *out, size_t n, const char *prefix,
                    struct slice bytes);
