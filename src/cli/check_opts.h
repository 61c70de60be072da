/* SPDX-License-Identifier: ISC */
/** What the user asked of `prumo check`; for check*.c only. */
#pragma once

#include "cli/cmd.h"
#include "cli/output.h"
#include "probe/probe.h"

enum {
	CHECK_MAPS_MAX = 64,
	CHECK_ALIASES_MAX = 256,
	CHECK_WORDS_MAX = 64,
	CHECK_ACCOUNT_BYTES = 256, /**< of one value */
};

/** Longer values are refused; empty: not given. */
struct check_account {
	char sip_user[CHECK_ACCOUNT_BYTES];
	char sip_password[CHECK_ACCOUNT_BYTES];
	char sip_domain[CHECK_ACCOUNT_BYTES];
	char turn_user[CHECK_ACCOUNT_BYTES];
	char turn_password[CHECK_ACCOUNT_BYTES];
};

/** Borrows from argv; --only and --skip are cut at their commas there. */
struct check_opts {
	const char *profile;
	const char *edge, *server;
	enum addr_family family;
	struct probe_ports ports; /**< 0: as the profile says */
	struct profile_map maps[CHECK_MAPS_MAX];
	size_t n_maps;
	struct profile_alias aliases[CHECK_ALIASES_MAX];
	size_t n_aliases;
	const char *only[CHECK_WORDS_MAX], *skip[CHECK_WORDS_MAX];
	size_t n_only, n_skip;
	struct addr dns[PROBE_MAX_DNS];
	size_t n_dns;
	struct check_account account;
	unsigned timer_wait_s;
	unsigned flows_per_s; /**< of --full-range; 0: as small routers bear */
	bool is_quick, is_full, is_full_range, wants_list, wants_help;
	struct cli_output output;
};

/** Read the command line and the environment. @return CLI_READY, or how the
 *  command ends: it has complained */
enum cli_status check_opts_read(struct check_opts *o, int argc, char *argv[]);

/** How hard to try. */
struct plan_effort check_opts_effort(const struct check_opts *o);

/** The account as questions take it; borrows from @p o. */
struct ask_account check_opts_account(const struct check_opts *o);

/** What --help says of the options. */
extern const char check_opts_help[];
