/* SPDX-License-Identifier: ISC */
/**
 * From a profile's rows to what an edge answers, and where: the one place
 * where both are known.
 */
#pragma once

#include "base/addr.h"
#include "edge/server.h"
#include "profile/map.h"
#include "profile/profile.h"

enum {
	CLI_MAPS_MAX = 64,
	CLI_NAMES_MAX = 256,
	CLI_SRVS_MAX = 64,
};

struct cli_places {
	struct profile_map maps[CLI_MAPS_MAX];
	size_t n_maps;
	struct edge_name names[CLI_NAMES_MAX]; /**< names are owned */
	size_t n_names;
	struct edge_srv srvs[CLI_SRVS_MAX]; /**< names are owned */
	size_t n_srvs;
};

/** "NET=NET". @return 0, EBADMSG or E2BIG */
WARN_UNUSED int cli_places_map(struct cli_places *p, const char *text);

/** "NAME:ADDR", an IPv6 address in brackets or not. @return 0, EBADMSG, E2BIG
 *  or ENOMEM */
WARN_UNUSED int cli_places_resolve(struct cli_places *p, const char *text);

void cli_places_fini(struct cli_places *p);

/** What a profile asks of the addresses that an edge has. */
struct cli_services {
	struct edge_service *at; /**< to free() */
	size_t n;
	size_t n_rows_elsewhere; /**< rows of other hosts, by --map, --resolve
	                          */
};

/**
 * Translate.
 *
 *   an address, once mapped, of this host   is answered there alone
 *   one that was mapped elsewhere           not here
 *   any other address                       everywhere
 *   a name                                  at those of its addresses by
 *                                           --resolve that are here; without
 *                                           any, everywhere. A service's is
 *                                           its domain
 *
 * @param sv    Out; untouched unless 0 is returned. To cli_services_fini().
 * @param conf  Its addresses; a wildcard stands for all of the host's
 *
 * @return 0, ENOMEM or what getifaddrs(3) says
 */
WARN_UNUSED int cli_services_make(struct cli_services *sv,
                                  const struct profile *profile,
                                  const struct cli_places *places,
                                  const struct edge_server_conf *conf);

void cli_services_fini(struct cli_services *sv);

/** Give the profile's names that --resolve does not mention the addresses
 *  that are listened on, and its services their records: each leads to its
 *  domain, at the first port of each range. @return 0, E2BIG or ENOMEM */
WARN_UNUSED int cli_services_name(struct cli_places *places,
                                  const struct profile *profile,
                                  const struct edge_server_conf *conf);
