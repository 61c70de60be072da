/* SPDX-License-Identifier: ISC */
/** Boxes whose configuration is not read here, but known when it is seen: what
 *  they do to calls as they come from the factory. */
#pragma once

#include "firewall/rule.h"

struct fw_foreign {
	const char *id;        /**< [a-z0-9-]+ */
	const char *title;     /**< product name, not translated */
	const char *source;    /**< of the facts in vendor.h */
	enum fw_tri alg;       /**< from the factory; FW_UNKNOWN: it depends */
	int64_t udp_idle_lo_s; /**< both ends of what UDP may get */
	int64_t udp_idle_hi_s;
};

/** @return whose configuration @p text is, or NULL. */
const struct fw_foreign *fw_foreign_recognise(struct slice text);
