/* SPDX-License-Identifier: ISC */
/*
 * The list of probes. A new probe is one file and one line here; no
 * constructors, no linker sections, so the build shows what is in the binary.
 */
#include "probe/registry.h"

const struct probe_ops *const probes[] = {
	&probe_sip_alg,
	&probe_via_reflection,
	&probe_reach,
	NULL,
};
