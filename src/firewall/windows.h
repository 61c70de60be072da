/* SPDX-License-Identifier: ISC */
/** What the Windows dialect takes besides rules. */
#pragma once

#include "firewall/rule.h"

/**
 * Ask that the antivirus leaves a folder alone.
 *
 * @param path  Borrowed: must live as long as @p rules.
 *
 * @return 0 or ENOMEM
 */
WARN_UNUSED int fw_windows_exclusion_add(struct fw_rules *rules,
                                         const char *path);
