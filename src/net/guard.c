/* SPDX-License-Identifier: ISC */
/*
 * Design: the environment is asked at every call, because a flag that was
 * read once could be read too early. Link-local and multicast need no rule
 * of their own: what is not on the short list is refused.
 */
#include "net/guard.h"

#include <stdlib.h>

bool net_guard_is_on(void)
{
	const char *home = getenv("PRUMO_STAY_HOME");

	return home && *home;
}

bool net_guard_allows(const struct addr *to)
{
	return !net_guard_is_on() || addr_is_loopback(to) ||
	       addr_is_documentation(to) || addr_is_wildcard(to);
}
