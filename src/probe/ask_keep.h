/* SPDX-License-Identifier: ISC */
/**
 * What a question learned, into its result. The first value of a key stays:
 * later ones are dropped, so that what proves a service is not overwritten by
 * what followed.
 */
#pragma once

#include "probe/ask.h"

/** A field. @p key is a literal; text and bytes live in the report's arena. */
void ask_keep(struct ask *a, const char *key, struct val v);

/** Bytes from the network, copied. */
void ask_keep_bytes(struct ask *a, const char *key, struct slice bytes);

/** "192.0.2.1:5060" */
void ask_keep_addr(struct ask *a, const char *key, const struct addr *addr);

/** A piece of evidence, copied. */
void ask_keep_evidence(struct ask *a, const char *key, struct slice bytes);
