/* SPDX-License-Identifier: ISC */
/**
 * From facts to causes to remedies.
 *
 * Reads the facts of a report by id (docs/findings.md lists those it knows)
 * and appends findings, worst first: one cause for all the facts that share
 * it. Only what this very run measured is claimed or advised. Pure: same
 * facts, same findings.
 */
#pragma once

#include "fact/fact.h"

/**
 * Append the findings that follow from the facts of @p r, once per report.
 *
 * @return 0, or ENOMEM: `no_memory` is set and the findings are incomplete
 */
WARN_UNUSED int diagnose_run(struct report *r);
