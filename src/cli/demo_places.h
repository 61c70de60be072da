/* SPDX-License-Identifier: ISC */
/** Where a demonstration has the hosts of a profile: all at its one server. */
#pragma once

#include "base/arena.h"
#include "lab/lab.h"
#include "profile/profile.h"

enum {
	CLI_DEMO_PLACES_MAX = LAB_MAX_NETS, /**< hosts */
};

/** Options that check and edge take alike, one word for each host; then, for
 *  the edge, what makes it answer for services, and the profile; then NULL. */
struct cli_demo_places {
	const char *words[CLI_DEMO_PLACES_MAX + 3];
	size_t n;          /**< words that both take */
	bool has_services; /**< the edge is a name server as well: for SRV */
};

/**
 * Give each IPv4 address and each name of the profile an address of the
 * server, and the server these addresses.
 *
 * Hosts that find no more room stay where they are, where a check inside a
 * lab asks nobody and says so; so do IPv6 addresses. A service's host is its
 * domain, to which the edge's own name server leads.
 *
 * @param p     Out; in an unspecified state on error. Its words live in
 *              @p arena.
 * @param spec  The server's addresses are added.
 * @param path  Of the profile; absolute.
 *
 * @return 0 or ENOMEM
 */
WARN_UNUSED int cli_demo_places_make(struct cli_demo_places *p,
                                     struct lab_spec *spec, struct arena *arena,
                                     const struct profile *profile,
                                     const char *path);
