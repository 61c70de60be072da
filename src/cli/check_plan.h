/* SPDX-License-Identifier: ISC */
/** The plan of a check, as the user sees it; for check*.c only. */
#pragma once

#include "cli/check_opts.h"

/** What is asked for names. @param o  its --dns, else the system's */
void check_plan_dns(struct probe_conf *conf, const struct check_opts *o);

/** Complains of a word that names nothing. */
enum cli_status check_plan_words(const struct check_opts *o,
                                 const struct profile *p);

/** @return 0 or ENOMEM; @p pp is for plan_free() */
WARN_UNUSED int check_plan_alloc(struct plan **pp, const struct check_opts *o,
                                 const struct probe_conf *conf,
                                 const struct profile *p);

/** --list-checks: every test and question, then the cost, to stdout. */
void check_plan_list(const struct plan *p, const struct probe_conf *conf);

/** One line: how much, how long. */
void check_plan_announce(FILE *to, const struct plan *p,
                         const struct plan_effort *e);
