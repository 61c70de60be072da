/* SPDX-License-Identifier: ISC */
/** This host's own firewall, as text: only read, never changed. */
#pragma once

#include "base/cursor.h"
#include "cli/cmd.h"
#include "firewall/rule.h"

enum {
	LIVE_MAX_SOURCES = 5,
};

struct live_source {
	const char *name;    /**< what was run, for places: "iptables-save" */
	const char *dialect; /**< in the registry */
	struct wr text;      /**< heap */
};

/**
 * Run the programs that show the rules of this host.
 *
 * Tables that iptables keeps inside nftables are left out of the text of the
 * latter, line by line, since iptables shows them in full.
 *
 * @param out  LIVE_MAX_SOURCES; each text to wr_fini() in any case, once
 *             *n counts it.
 *
 * @return CLI_READY, CLI_COULD_NOT_TEST (said on stderr) or CLI_INTERNAL
 */
WARN_UNUSED enum cli_status live_read(struct live_source *out, size_t *n,
                                      const struct cli_cmd *cmd);

/**
 * Blank the tables in the text of nft that @p saved shows in full. What
 * stands in them is the same rules, and is not to be judged twice.
 *
 * @param saved   Of iptables-save or ip6tables-save.
 * @param family  "ip" or "ip6".
 */
void live_leave_shown_out(struct wr *nft, const struct wr *saved,
                          const char *family);

/** Put what the kernel says of its timers and helpers in the place of what
 *  is usual. @return 0 or ENOMEM */
WARN_UNUSED int live_settings(struct fw_rules *rules);
