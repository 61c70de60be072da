/* SPDX-License-Identifier: ISC */
/** What the rules of the linter share. Private to this folder. */
#pragma once

#include "fact/fact.h"
#include "profile/profile.h"

struct lint {
	struct report *r;
	const struct profile *p;
	const char *file; /**< in the report's arena */
};

/** A fault, to be given to profile_rule_add(). All is copied. */
struct lint_fault {
	const char *id; /**< a literal */
	enum finding_severity severity;
	struct profile_place place;
	const char *text; /**< the words at fault */
	struct words title, detail, suggestion;
};

/** @return the finding; never NULL, as report_finding() */
struct finding *profile_rule_add(const struct lint *l,
                                 const struct lint_fault *fault);

/** One more place that makes the fault. */
void profile_rule_place(const struct lint *l, struct finding *fd,
                        struct profile_place place, const char *text);

/** Zeroed memory that lives as long as the report; NULL sets no_memory. */
void *profile_rule_memory(const struct lint *l, size_t n, size_t bytes);

/** "5060" or "10000-65535", in the report's arena. */
const char *profile_ports_text(const struct lint *l,
                               const struct profile_ports *ports);

typedef void profile_rule_fn(const struct lint *l);

/* rule_hosts.c */
profile_rule_fn profile_rule_odd_domain, profile_rule_cloud_address;

/* rule_rows.c */
profile_rule_fn profile_rule_too_wide, profile_rule_rtp_over_tcp,
	profile_rule_tcp_port_over_udp, profile_rule_plain_web,
	profile_rule_inbound;

/* rule_twins.c */
profile_rule_fn profile_rule_twins, profile_rule_overlap;

/* rule_document.c */
profile_rule_fn profile_rule_timer_differs, profile_rule_slow_register,
	profile_rule_setting_contradicts, profile_rule_setting_alg_on,
	profile_rule_setting_weakens, profile_rule_setting_partial,
	profile_rule_setting_misspelt;
