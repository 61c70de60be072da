/* SPDX-License-Identifier: ISC */
/** A profile's rows as what a firewall has to let pass; for the commands that
 *  read and write firewalls. */
#pragma once

#include "cli/output.h"
#include "firewall/flow.h"
#include "profile/profile.h"

enum {
	CLI_MAX_HOSTS = 256,
};

/** What the user says of the place and of the names; from {0}. */
struct cli_place {
	const char *lan, *wan; /**< zones, or a prefix for `lan`; NULL: any */
	bool is_host;          /**< the box itself makes the calls */
	const char *resolved[CLI_MAX_HOSTS]; /**< "NAME=ADDRESS" */
	size_t n_resolved;
	int64_t session_s; /**< 0: the shortest that the profile states */
	bool skips_names;  /**< leave rows out whose name has no address */
};

/* Options of the commands that are about a firewall. */
#define CLI_PLACE_OPTIONS                                           \
	{"lan", required_argument, NULL, CLI_OPT_LAN},              \
		{"wan", required_argument, NULL, CLI_OPT_WAN},      \
		{"host", no_argument, NULL, CLI_OPT_HOST},          \
	{                                                           \
		"resolve", required_argument, NULL, CLI_OPT_RESOLVE \
	}

/** Take one of those options. @return 0, EINVAL: it is none, or EBADMSG: one
 *  too many */
WARN_UNUSED int cli_place_option(struct cli_place *how, int id);

struct cli_flows {
	struct arena arena;
	struct fw_flow *flows;
	const struct profile_row **rows; /**< of each flow */
	size_t n_flows;
	struct fw_place place;
	struct fw_host *hosts;
	size_t n_hosts;
	size_t n_skipped;
};

/**
 * @param out      To cli_flows_fini() in any case. Borrows from @p p and
 *                 @p how.
 * @param can_name Names stay names; else those that have an address become
 *                 it.
 *
 * @return CLI_READY, CLI_USAGE (said on stderr) or CLI_INTERNAL
 */
WARN_UNUSED enum cli_status cli_flows_make(struct cli_flows *out,
                                           const struct cli_cmd *cmd,
                                           const struct profile *p,
                                           const struct cli_place *how,
                                           bool can_name);
void cli_flows_fini(struct cli_flows *f);
