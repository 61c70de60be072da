/* SPDX-License-Identifier: ISC */
/**
 * A scenario at work: routers that are programs, real servers and whatever
 * else it runs, inside an open lab.
 *
 * Call from the function that lab_enter() runs, with the scenario's spec.
 * The files of the servers lie in memory that ends with the lab.
 */
#pragma once

#include "lab/scenario.h"

enum {
	LAB_STAGE_MAX_ENV = 8,
};

/** Zero-initialised: the scenario alone says everything. */
struct lab_stage_opts {
	const char
		*prumo; /**< this project's program; NULL: the one that runs */
	const char *truths[LAB_MAX_HOPS]; /**< files for the JSON of routers
	                                   *   that are programs; NULL: none */
	bool has_seed;
	uint64_t seed; /**< in the place of the scenario's */
};

struct lab_stage;

/**
 * Start everything, in this order: routers, servers, programs; wait until
 * each server answers; and make sure that the SIP ALG of every router of
 * the kernel's is what was asked for.
 *
 * @param stagep    Out; untouched on error, and everything is stopped.
 * @param scenario  Borrowed.
 * @param why       Out: filled when an error is returned.
 *
 * @return 0, or
 *         ENOENT  a program is not installed
 *         EPROTO  an ALG is not as asked for
 *         others  something did not start
 */
WARN_UNUSED int lab_stage_open(struct lab_stage **stagep, struct lab *lab,
                               const struct lab_scenario *scenario,
                               const struct lab_stage_opts *opts,
                               struct lab_why *why);

/** Ask everything to end, the last first; the routers write their truths. */
void lab_stage_close(struct lab_stage *stage);

/** What the programs of a user should have in their environment, for struct
 *  lab_cmd. Valid until lab_stage_close(). */
const char *const *lab_stage_env(const struct lab_stage *stage);
