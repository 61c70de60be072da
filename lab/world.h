/* SPDX-License-Identifier: ISC */
/** The lab as it is from inside; shared by the files of this folder only. */
#pragma once

#include "lab/plan.h"

struct lab {
	struct lab_spec spec;
	int net_fds[LAB_MAX_NODES]; /**< network namespaces; -1: none */
	int home_fd;                /**< the one this process lives in */
};

/**
 * Make the network, from inside fresh user, mount, pid and network
 * namespaces.
 *
 * @return 0, or as lab_enter(), with @p why filled
 */
WARN_UNUSED int lab_world_build(struct lab *lab, struct lab_why *why);

/** Move this process into a node's network; only what it opens then stays
 *  there. @return 0, or the system's error */
WARN_UNUSED int lab_world_visit(struct lab *lab, unsigned node);

/** And back home. */
WARN_UNUSED int lab_world_return(struct lab *lab);

/** Is it in PATH? */
bool lab_program_is_installed(const char *program);

/** Fill @p why; whole sentences, already translated. @return @p err */
int lab_why_set(struct lab_why *why, int err, const char *fmt, ...)
	PRINTF_FMT(3, 4);

/** Run @p argv in a node on @p input; keep what it prints, both streams, in
 *  @p out (NUL-terminated). @return 0 (see @p statusp), or why it did not
 *  run */
WARN_UNUSED int lab_filter(int *statusp, char *out, size_t out_bytes,
                           struct lab *lab, unsigned node,
                           const char *const *argv, struct slice input);
