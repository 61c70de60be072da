/* SPDX-License-Identifier: ISC */
/** The inside of the RouterOS dialect. */
#pragma once

#include "firewall/vendor.h"

/** As fw_dialect.emit. */
WARN_UNUSED int fw_ros_emit(struct wr *out, const struct fw_rules *rules,
                            struct diag *dg);
