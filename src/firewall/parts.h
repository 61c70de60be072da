/* SPDX-License-Identifier: ISC */
/** The parts of a judgement, each found at once: a flow may have thousands. */
#pragma once

#include "firewall/program.h"

/** Zeroed at first. */
struct fw_parts {
	struct fw_part **slots; /**< heap; the parts are borrowed */
	size_t n, cap;
	bool has[FW_DONT_KNOW + 1]; /**< by verdict */
};

/** @return the one of the same fate, or NULL */
struct fw_part *fw_parts_find(const struct fw_parts *s,
                              const struct fw_part *like);

/** List a part in @p out as well, with a packet of @p b. @return 0 or ENOMEM */
WARN_UNUSED int fw_parts_add(struct fw_parts *s, struct fw_judgement *out,
                             struct arena *a, const struct fw_space *sp,
                             const struct fw_part *like,
                             const struct fw_box *b);
void fw_parts_fini(struct fw_parts *s);
