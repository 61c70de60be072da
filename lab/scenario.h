/* SPDX-License-Identifier: ISC */
/**
 * A scenario: a network, the servers in it and the truth about it, read from
 * YAML. The format is in prumo-scenario(5) and in
 * scenarios/scenario.schema.json.
 *
 * Safe on hostile text; fuzzed by fuzz/fuzz_lab_scenario.c. What it names is
 * run only by lab/stage.h.
 */
#pragma once

#include "base/diag.h"
#include "lab/service.h"

enum {
	LAB_SCENARIO_MAX_BYTES = 1 << 18, /**< of text */
	LAB_MAX_SERVERS = 16,
	LAB_MAX_NAMES = 256,
	LAB_MAX_PROGRAMS = 16,
	LAB_MAX_EXPECTED = 16,
};

/** What else runs, and where. */
struct lab_program {
	const char *node;
	const char *shell;
	bool is_awaited; /**< until its stdout says "ready" */
};

/** The truth, for tests; zero: nothing is said. */
struct lab_expect {
	bool has_alg, is_alg; /**< a router on the way has a SIP ALG */
	unsigned alg_at;      /**< which; 0: not said */
	const char *findings[LAB_MAX_EXPECTED]; /**< ids, one of which must be
	                                         *   there */
	size_t n_findings;
};

struct lab_scenario {
	const char *name;    /**< [a-z0-9-]+ */
	const char *summary; /**< one line */
	struct lab_spec spec;
	/** Of a router that is a program: what prumo-lab-router takes. NULL:
	 *  the kernel's own. */
	const char *words[LAB_MAX_HOPS];
	uint64_t seed; /**< of such routers, unless their words say one */
	struct lab_server servers[LAB_MAX_SERVERS];
	size_t n_servers;
	struct lab_name names[LAB_MAX_NAMES];
	size_t n_names;
	struct lab_program programs[LAB_MAX_PROGRAMS];
	size_t n_programs;
	struct lab_expect expect;
};

/**
 * Read a scenario. All faults that are found are said.
 *
 * @param sp  Out; untouched unless 0 is returned. Lives in @p a, and so do
 *            its strings.
 * @param dg  Its text is what was read from.
 *
 * @return 0, EBADMSG (in @p dg), or ENOMEM
 */
WARN_UNUSED int lab_scenario_read(const struct lab_scenario **sp,
                                  struct arena *a, struct slice text,
                                  struct diag *dg);
