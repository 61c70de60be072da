/* SPDX-License-Identifier: ISC */
/**
 * Is an HTTP answer the service's, or that of a captive portal or a proxy on
 * the way? Pure.
 */
#pragma once

#include "base/addr.h"
#include "base/cursor.h"

enum portal {
	PORTAL_NONE,   /**< nothing speaks for one */
	PORTAL_LIKELY, /**< sent to a strange host: the service may do that */
	PORTAL_SURE,
};

struct portal_signs {
	const char *host; /**< that was asked for */
	struct addr addr; /**< that was asked */
	bool is_tls;      /**< a portal cannot redirect those */
	unsigned status;
	struct slice location; /**< `Location:`; empty: none */
	struct slice body;
};

/**
 * @param why  Out, literal: "status-511", "wispr" (the portals' own markup in
 *             the body), "redirect-private", "redirect-foreign"; "" for
 *             PORTAL_NONE
 */
enum portal portal_judge(const char **why, const struct portal_signs *s);

/** The host of an absolute http(s) URL, without port and brackets; empty:
 *  relative, or none. */
struct slice portal_url_host(struct slice url);

/** Of one organisation, as far as names tell: the same, or one domain. */
bool portal_is_same_site(struct slice a, struct slice b);

/**
 * Is what claims to be an edge's page as the edge wrote it? Only its frame is
 * looked at: the first line, and that nothing follows the last.
 *
 * @param sha256  Out: what it states of its certificate (hexadecimal); empty:
 *                it states nothing. Borrows.
 * @param issuer  Out, likewise
 */
bool portal_edge_page(struct slice *sha256, struct slice *issuer,
                      struct slice body);
