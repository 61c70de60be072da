/* SPDX-License-Identifier: ISC */
/** The signs of a SIP ALG and of boxes like it, by weight. */
#pragma once

#include "diagnose/ladder.h"
#include "diagnose/remedies.h"

struct symptom {
	const char *id;
	enum finding_severity on_sip; /* on the profile's main SIP port */
	enum finding_severity elsewhere;
	enum trouble trouble;
	bool (*is_shown)(const struct ladder *l, const struct shot *s);
	const char *title; /* %1$s: "5060/UDP" */
	const char *detail;
};

/** Heaviest first; ends with a NULL id. */
extern const struct symptom symptoms[];

/** @p s shows one of them. */
bool symptom_is_any(const struct ladder *l, const struct shot *s);

/** A heavier symptom of the same name as @p sy is seen. */
bool symptom_is_told(const struct ladder *l, const struct symptom *sy);

/** Lost again and again, whether by an ALG or not. */
bool symptom_is_loss(const struct shot *s);

/** Lost, and messages alike pass where no ALG looks. */
bool symptom_is_drop(const struct ladder *l, const struct shot *s);

bool symptom_is_rewrite(const struct ladder *l, const struct shot *s);

/** An ALG keeps to the session from the phone's port. */
bool symptom_is_stale_alg(const struct ladder *l, const struct shot *s);
