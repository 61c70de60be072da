/* SPDX-License-Identifier: ISC */
/**
 * Which implementation edits SIP like this.
 *
 * A guess with its reasons; every reason is something that this run saw.
 */
#pragma once

#include "diagnose/ladder.h"

enum fingerprint {
	FINGERPRINT_UNKNOWN,
	FINGERPRINT_LINUX_NETFILTER,
	FINGERPRINT_QUICKSEC_JUNIPER,
	FINGERPRINT_PROXY,
	FINGERPRINT_SEARCH_AND_REPLACE,
	FINGERPRINTS,
};

/** "linux-netfilter"...: the JSON id. */
const char *fingerprint_name(enum fingerprint fp);

/**
 * Judge the edits and drops of the ladder.
 *
 * @param evidence  Out: a map with name, confidence ("none", "low",
 *                  "medium", "high") and reasons (N_() sentences).
 */
enum fingerprint fingerprint_find(struct val *evidence, struct report *r,
                                  const struct ladder *l);
