/* SPDX-License-Identifier: ISC */
/** Which table of iptables a chain belongs in. */
#pragma once

#include "base/diag.h"
#include "firewall/rule.h"

/** In the order in which packets come to them at one hook. */
enum fw_ipt_table {
	FW_IPT_RAW,
	FW_IPT_MANGLE,
	FW_IPT_NAT,
	FW_IPT_FILTER,
	FW_IPT_TABLES,
};

/** A chain and the tables, 1 << enum fw_ipt_table, that get it. */
struct fw_ipt_place {
	const struct fw_chain *chain;
	const char *name; /**< iptables' own for a chain with a hook */
	unsigned tables;
};

/**
 * Place all chains of a text that is another dialect's, or was made.
 *
 * @param out  One for each chain, in order; of @p a.
 *
 * @return 0, ENOMEM, or ENOTSUP: what has no place is in @p dg
 */
WARN_UNUSED int fw_ipt_places(struct fw_ipt_place **out, size_t *n,
                              struct arena *a, const struct fw_rules *rules,
                              struct diag *dg);
