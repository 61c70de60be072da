/* SPDX-License-Identifier: ISC */
/** What Linux does when rules say nothing; for nftables and iptables. */
#pragma once

#include "firewall/rule.h"

/** Add the kernel's defaults as settings, each with its source. @return 0 or
 *  ENOMEM */
WARN_UNUSED int fw_linux_defaults(struct fw_rules *r);
