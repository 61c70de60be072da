/* SPDX-License-Identifier: ISC */
/**
 * Coordinates: every address, name and zone that a question can tell apart,
 * as a small number, so that boxes are words.
 *
 * Addresses: IPv4 first, then host names as IPv4, then IPv6, then host names
 * as IPv6; a family is thus one interval. A host name that nobody resolved is
 * a point of its own: it is some address of its family, unknown which.
 */
#pragma once

#include "firewall/box.h"
#include "firewall/flow.h"

struct fw_ival {
	uint32_t lo, hi;
};

/** A sorted list of disjoint intervals of one dimension. */
struct fw_ivals {
	struct fw_ival *v; /**< heap */
	size_t n, cap;
	bool no_memory; /**< sticky */
};

struct fw_atlas {
	uint32_t *ip4; /**< starts of elementary intervals; the first is 0 */
	size_t n_ip4;
	struct fw_ip *ip6; /**< the same, without the IPv4-mapped range */
	size_t n_ip6;
	const char **names; /**< sorted, borrowed */
	size_t n_names;
	struct slice *zones; /**< starts, as byte strings; the first is "" */
	size_t n_zones;
	const struct fw_host *hosts;
	size_t n_hosts;
	size_t cap4, cap6, cap_names, cap_zones;
	struct arena arena;
	bool is_short; /**< sticky: no memory */
};

void fw_atlas_init(struct fw_atlas *at, const struct fw_host *hosts,
                   size_t n_hosts);
void fw_atlas_fini(struct fw_atlas *at);

/** Note what a set mentions; then, once, fw_atlas_close(). */
void fw_atlas_note_addrs(struct fw_atlas *at, const struct fw_addrs *set);
void fw_atlas_note_zones(struct fw_atlas *at, const struct fw_zones *set);
void fw_atlas_note_zone(struct fw_atlas *at, const char *name);

/** @return 0 or ENOMEM */
WARN_UNUSED int fw_atlas_close(struct fw_atlas *at);

/** All coordinates of the families, names included. */
struct fw_ival fw_atlas_family(const struct fw_atlas *at, unsigned families);
struct fw_ival fw_atlas_all_zones(const struct fw_atlas *at);

/**
 * The coordinates that a set has surely (@p is_upper false) or at most.
 * @p out is initialised to zeros; released by fw_ivals_fini().
 */
void fw_atlas_addrs(struct fw_ivals *out, const struct fw_atlas *at,
                    const struct fw_addrs *set, bool is_upper);
void fw_atlas_zones(struct fw_ivals *out, const struct fw_atlas *at,
                    const struct fw_zones *set, bool is_upper);

/** What a flow to (or from) these means: ranges, and names as themselves. */
void fw_atlas_flow_addrs(struct fw_ivals *out, const struct fw_atlas *at,
                         const struct fw_addrs *set);

uint32_t fw_atlas_ip(const struct fw_atlas *at, struct fw_ip ip);
uint32_t fw_atlas_zone(const struct fw_atlas *at, const char *name);

/** The smallest address at a coordinate; @p name is set for a host name. */
struct fw_ip fw_atlas_ip_at(const struct fw_atlas *at, uint32_t id,
                            const char **name);
/** A zone at a coordinate: its name, or the beginning of one (@p is_like). */
const char *fw_atlas_zone_at(const struct fw_atlas *at, uint32_t id,
                             bool *is_like);
/** How many addresses lo..hi stand for; a name counts as one. */
double fw_atlas_ip_width(const struct fw_atlas *at, uint32_t lo, uint32_t hi);

void fw_ivals_add(struct fw_ivals *s, uint32_t lo, uint32_t hi);
void fw_ivals_normalise(struct fw_ivals *s);
/** @p s becomes @p all without it. */
void fw_ivals_complement(struct fw_ivals *s, struct fw_ival all);
void fw_ivals_clip(struct fw_ivals *s, struct fw_ival to);
void fw_ivals_fini(struct fw_ivals *s);
