/* SPDX-License-Identifier: ISC */
/** Rules and patches as iptables-save; the inside of iptables.c. */
#pragma once

#include "firewall/dialect.h"

/** As fw_dialect.emit. */
WARN_UNUSED int fw_ipt_emit(struct wr *out, const struct fw_rules *rules,
                            struct diag *dg);

/** As fw_dialect.patch. */
WARN_UNUSED int fw_ipt_patch(struct fw_patch_out *out,
                             const struct fw_rules *rules,
                             const struct fw_edit *edits, struct diag *dg);
