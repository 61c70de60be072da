/* SPDX-License-Identifier: ISC */
/** Why there is no patch, and what to do then. */
#pragma once

#include "firewall/audit.h"

/** A flow that does not pass with the patch either. */
struct fw_patch_block {
	const struct fw_flow *flow;
	const struct fw_judgement *j;
};

/** No patch, as an edit has no place in the text, or quotes a name that must
 *  not be typed. */
void fw_patch_why_edit(struct fw_patch_out *out, const struct fw_rules *rules,
                       const char *unsafe);

/** No patch, as it did not read back as intended; or the dialect refused
 *  it, where @p block is NULL. What was said before stays. */
void fw_patch_why_text(struct fw_patch_out *out, const struct fw_rules *rules,
                       const struct fw_question *q,
                       const struct fw_patch_block *block);
