/* SPDX-License-Identifier: ISC */
/**
 * The hosts of a profile, put elsewhere: `--map NET=NET` moves addresses,
 * `--resolve NAME:ADDRESS` gives names theirs, so that a profile as it is
 * runs against a laboratory.
 */
#pragma once

#include "base/addr.h"

/** Of one family and length: only the bits of the net change. */
struct profile_map {
	struct prefix from, to;
};

/** "192.0.2.0/24=198.51.100.0/24". @return 0, or EBADMSG; @p m is then
 *  untouched */
WARN_UNUSED int profile_map_parse(struct profile_map *m, struct slice text);

/** Move @p a by the longest net that has it; its port is kept.
 *  @return false: none has it, and @p a is untouched */
bool profile_map_apply(struct addr *a, const struct profile_map *maps,
                       size_t n);

struct profile_alias {
	struct slice name; /**< borrowed */
	struct addr addr;  /**< its port is 0 */
};

/** "sip.example:192.0.2.1", "sip.example:2001:db8::1".
 *  @return 0, or EBADMSG; @p al is then untouched */
WARN_UNUSED int profile_alias_parse(struct profile_alias *al,
                                    struct slice text);

/** Whether the alias is for that name; case and a last dot do not count. */
bool profile_alias_is_for(const struct profile_alias *al, const char *name);
