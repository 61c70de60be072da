/* SPDX-License-Identifier: ISC */
/** The two clocks, in nanoseconds. Logic takes a time as a parameter; only
 *  what talks to sockets reads a clock. */
#pragma once

#include <stdint.h>

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)

/** CLOCK_MONOTONIC: for intervals. */
int64_t clock_mono_ns(void);

/** CLOCK_REALTIME: nanoseconds since 1970, UTC. */
int64_t clock_wall_ns(void);

/** How long the main thread has run, or waited for a processor to run on: what
 *  is left of the time it had nothing to do. 0: this system does not tell. */
int64_t clock_busy_ns(void);
