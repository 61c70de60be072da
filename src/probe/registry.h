/* SPDX-License-Identifier: ISC */
/** The ops of each probe; included by registry.c and the probes only. */
#pragma once

#include "probe/probe.h"

extern const struct probe_ops probe_reach;
extern const struct probe_ops probe_sip_alg;
extern const struct probe_ops probe_via_reflection;
