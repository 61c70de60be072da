/* SPDX-License-Identifier: ISC */
/*
 * Design: what the router itself opens, closes and moves in the table, where
 * packets only ask. A pinhole hangs on a mapping as any remote does, so that
 * the first packet through it is treated as all later ones are.
 */
#include "router/nat_inside.h"

#include <errno.h>

/* The port while it is free, then every second one: RTP stays even. */
static int pinhole_port(struct router_nat *n, struct addr *ext, uint8_t proto,
                        const struct addr *in, int64_t now_ns)
{
	uint32_t port = in->port;

	if (n->conf.mode != ROUTER_NAT_ON) {
		*ext = *in;
		return 0;
	}
	*ext = router_nat_ext_pick(n, in);
	for (; port < ROUTER_NAT_PORTS; port += 2) {
		ext->port = (uint16_t)port;
		if (router_nat_port_is_free(n, proto, ext, now_ns))
			return 0;
	}
	return ENOSPC;
}

static struct router_nat_remote *pinhole_open(struct router_nat *n, uint32_t i,
                                              const struct addr *remote,
                                              int64_t life_ns, int64_t now_ns)
{
	struct router_nat_remote *r = router_nat_remote_find(n, i, remote);

	if (!r)
		r = router_nat_remote_add(n, i, remote, now_ns);
	if (!r)
		return NULL;
	r->is_pinhole = true;
	r->used_ns = now_ns;
	r->until_ns = now_ns + life_ns;
	return r;
}

int router_nat_pinhole(struct router_nat *n, struct addr *extp, uint8_t proto,
                       const struct addr *inner, const struct addr *remote,
                       int64_t life_ns, int64_t now_ns)
{
	const struct addr any = {0};
	struct addr ext;
	uint32_t i;

	if (router_nat_is_past(n, inner)) {
		*extp = *inner;
		return 0;
	}
	/* Media goes to whom it may; the mapping must not depend on it. */
	i = router_nat_mapping_find(n, proto, inner, &any, now_ns);
	if (!i) {
		if (!router_nat_room_make(n, now_ns) ||
		    pinhole_port(n, &ext, proto, inner, now_ns) != 0)
			return ENOSPC;
		i = router_nat_mapping_add(n, proto, inner, &ext, &any);
	}
	if (!pinhole_open(n, i, remote, life_ns, now_ns)) {
		if (!n->maps[i].remotes)
			router_nat_mapping_free(n, i);
		return ENOSPC;
	}
	*extp = n->maps[i].ext;
	return 0;
}

int router_nat_admit(struct router_nat *n, uint8_t proto,
                     const struct addr *ext, const struct addr *remote,
                     int64_t life_ns, int64_t now_ns)
{
	struct router_nat_remote *r;
	uint32_t i;

	if (router_nat_is_past(n, ext))
		return 0;
	i = router_nat_find_outside(n, proto, ext, now_ns);
	if (!i)
		return ENOENT;
	if (!life_ns && !router_nat_remote_find(n, i, remote))
		return 0;
	r = pinhole_open(n, i, remote, life_ns, now_ns);
	if (!r)
		return ENOSPC;
	r->is_admitted = true;
	return 0;
}

static uint32_t find_any(const struct router_nat *n, uint8_t proto,
                         const struct addr *inner)
{
	uint32_t i = n->oldest;

	while (i &&
	       (n->maps[i].proto != proto || !addr_eq(&n->maps[i].in, inner)))
		i = n->maps[i].newer;
	return i;
}

void router_nat_close(struct router_nat *n, uint8_t proto,
                      const struct addr *inner)
{
	uint32_t i = find_any(n, proto, inner);

	if (i)
		router_nat_mapping_free(n, i);
}

bool router_nat_remap(struct router_nat *n, struct addr *was, struct addr *is,
                      uint8_t proto, const struct addr *inner)
{
	uint32_t i = find_any(n, proto, inner), *cell;
	struct addr ext;

	if (!i || n->conf.mode != ROUTER_NAT_ON)
		return false;
	ext = n->maps[i].ext;
	for (int tries = 0; tries < ROUTER_NAT_PORT_TRIES; tries++) {
		ext.port = (uint16_t)(ROUTER_NAT_LOW_PORT +
		                      router_rand_below(&n->rand, 60000));
		cell = router_nat_cell(n, proto, &ext);
		if (!cell || *cell)
			continue;
		*router_nat_cell(n, proto, &n->maps[i].ext) = ROUTER_NAT_NIL;
		*cell = i;
		*was = n->maps[i].ext;
		*is = n->maps[i].ext = ext;
		return true;
	}
	return false;
}
