/* SPDX-License-Identifier: ISC */
/**
 * Memory that runs out on purpose. The usual sweep: allow 0, 1, 2...
 * allocations until the code under test succeeds; on the way only ENOMEM.
 */
#pragma once

#define OOM_NEVER (-1UL)

/** Let @p n allocations of our own code through, then fail all of them.
 *  OOM_NEVER ends it. Inside libraries nothing is refused. */
void oom_after(unsigned long n);
