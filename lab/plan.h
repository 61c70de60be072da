/* SPDX-License-Identifier: ISC */
/**
 * What ip(8) and nft(8) are told, as text. Pure: no I/O.
 *
 * Nodes are numbered along the path: 0 is the client, 1..n_hops the routers,
 * n_hops + 1 the server. Node i and node i + 1 share link i. The client's
 * neighbours in the LAN come last; the switch that joins them is a bridge in
 * the client.
 */
#pragma once

#include "base/cursor.h"
#include "lab/lab.h"

enum {
	LAB_MAX_NODES = LAB_MAX_HOPS + LAB_MAX_CLIENTS + 1,
};

unsigned lab_plan_n_nodes(const struct lab_spec *spec);

/** At least 1. */
unsigned lab_plan_n_clients(const struct lab_spec *spec);

/** The node of client @p client, from 1. */
unsigned lab_plan_client(const struct lab_spec *spec, unsigned client);

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
void lab_plan_link(char *near, char *far, const struct lab_spec *spec,
                   unsigned link, bool is_ip6);

/** The link-layer address of an end of link @p link.
 *  @param buf  Out: LAB_ADDR_BYTES. */
void lab_plan_mac(char *buf, unsigned link, bool is_far);

/** The link-layer address of a client, from 1.
 *  @param buf  Out: LAB_ADDR_BYTES. */
void lab_plan_client_mac(char *buf, unsigned client);

/** The device that leads from @p node to node + 1: what its frames leave
 *  by. */
const char *lab_plan_out_device(const struct lab_spec *spec, unsigned node);

/**
 * Lines for `ip -batch -`, run in @p node.
 *
 * @param fds  The network namespaces of all nodes, as descriptors that the
 *             program inherits.
 */
void lab_plan_links(struct wr *w, const struct lab_spec *spec, unsigned node,
                    const int *fds);

/** Lines for `nft -f -`, run in a router; nothing for one that only routes. */
void lab_plan_rules(struct wr *w, const struct lab_hop *hop);
