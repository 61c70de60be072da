/* SPDX-License-Identifier: ISC */
/** Files that are named by what they hold: profiles and scenarios. */
#pragma once

#include <limits.h>

#include "base/arena.h"
#include "base/cursor.h"

/** Where the NAME.yaml of a kind are; the first that has one wins, so that a
 *  provider can replace an installed file without touching it. */
struct cli_folders {
	const char *variable; /**< of the environment, with a folder of one's
	                           own */
	const char *here;     /**< below the working directory */
	const char *installed;
};

enum {
	CLI_MAX_NAMES = 1000
};

/** Names, sorted; of the arena. */
struct cli_names {
	const char *v[CLI_MAX_NAMES];
	size_t n;
};

/**
 * Where a file is: @p name itself when it has a slash or ends in .yaml, else
 * NAME.yaml in one of the folders.
 *
 * @param path  Out; in an unspecified state on error.
 *
 * @return 0, ENOENT or ENAMETOOLONG
 */
WARN_UNUSED int cli_find(char path[PATH_MAX], const struct cli_folders *in,
                         const char *name);

/** All names in the folders. @return 0 or ENOMEM */
WARN_UNUSED int cli_find_all(struct cli_names *names, struct arena *a,
                             const struct cli_folders *in);

/**
 * Read a whole file, "-" being standard input.
 *
 * @param max  More bytes than this are refused.
 *
 * @return 0, EFBIG, ENOMEM, or what the system says
 */
WARN_UNUSED int cli_file_read(struct wr *text, const char *path, size_t max);
