/* SPDX-License-Identifier: ISC */
/**
 * Words for humans.
 *
 * _() translates where the text is shown; N_() marks a literal that is kept
 * in a table and translated later. Ids, JSON and logs are never marked.
 */
#pragma once

#include <libintl.h>

#define _(text)  gettext(text)
#define N_(text) text
