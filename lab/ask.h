/* SPDX-License-Identifier: ISC */
/** Does a server really answer? Asked from its own node. */
#pragma once

#include <sys/types.h>

#include "lab/service.h"

/**
 * Ask a port again and again until it gives the answer of its protocol.
 *
 * @param pid       The server: asking ends when it does.
 * @param until_ns  Of clock_mono_ns().
 *
 * @return 0, ETIMEDOUT, ESRCH: the server has ended, or the system's error
 */
WARN_UNUSED int lab_ask_until(struct lab *lab, enum lab_ask ask,
                              const struct addr *to, bool is_tcp, pid_t pid,
                              int64_t until_ns);

/** The question's bytes. */
void lab_ask_put(struct wr *w, enum lab_ask ask, const struct addr *to,
                 bool is_tcp);

/** Is this, so far, what that protocol answers? */
bool lab_ask_is_answer(enum lab_ask ask, bool is_tcp, struct slice in);
