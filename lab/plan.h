/* SPDX-License-Identifier: ISC */
/**
 * What ip(8) and nft(8) are told, as text. Pure: no I/O.
 *
 * Nodes are numbered along the path: 0 is the client, 1..n_hops the routers,
 * n_hops + 1 the server. Node i and node i + 1 share link i.
 */
#pragma once

#include "base/cursor.h"
#include "lab/lab.h"

enum {
	LAB_MAX_NODES = LAB_MAX_HOPS + 2,
};

unsigned lab_plan_n_nodes(const struct lab_spec *spec);

/** @return 0, or ENOENT: no node of that name, for which @p nodep is
 *  untouched */
WARN_UNUSED int lab_plan_node(unsigned *nodep, const struct lab_spec *spec,
                              const char *name);

/** @return 0, or EINVAL: out of range, a timer without a conntrack,
 *  or a program and something that the kernel would do */
WARN_UNUSED int lab_plan_check(const struct lab_spec *spec);

/**
 * The addresses of the two ends of link @p link, as text.
 *
 * @param near, far  Out: LAB_ADDR_BYTES each; the client's and the server's
 *                   side.
 */
void lab_plan_link(char *near, char *far, unsigned link, bool is_ip6);

/** The link-layer address of an end of link @p link.
 *  @param buf  Out: LAB_ADDR_BYTES. */
void lab_plan_mac(char *buf, unsigned link, bool is_far);

/**
 * Lines for `ip -batch -`, run in @p node.
 *
 * @param next_fd  The next node's network namespace, as a descriptor that
 *                 the program inherits; ignored for the server.
 */
void lab_plan_links(struct wr *w, const struct lab_spec *spec, unsigned node,
                    int next_fd);

/** Lines for `nft -f -`, run in a router; nothing for one that only routes. */
void lab_plan_rules(struct wr *w, const struct lab_hop *hop);
