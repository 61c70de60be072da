/* SPDX-License-Identifier: ISC */
/**
 * A network in a box: a client, a chain of routers and a server, each in its
 * own network namespace, joined by veth pairs; made without privileges.
 *
 *   client -- r1 -- r2 ... rN -- server
 *
 * lab_enter() forks. The caller stays outside and only waits; everything
 * else in this header is for the function that it runs inside, which is
 * init of its own pid namespace: when it ends, however it ends, the kernel
 * ends every process in the lab, and the network goes with them. Nothing is
 * written to any disk.
 *
 * Not thread-safe; the caller of lab_enter() must have one thread only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/addr.h"
#include "base/attr.h"

enum {
	LAB_MAX_HOPS = 8,
	LAB_MAX_CLIENTS = 4,
	LAB_MAX_NETS = 64, /**< of the server */
	LAB_WHY_BYTES = 1024,
	LAB_ADDR_BYTES = 64,
	LAB_SIP_PORT = 5060, /**< the only port the ALG looks at */
	/** Last byte of the second address of a router with a pool: it has the
	 *  four after the net of its cable. */
	LAB_POOL_AT = 4,
};

#define LAB_CLIENT_IP4  "192.0.2.33"
#define LAB_SERVER_IP4  "198.51.100.10"
#define LAB_SERVER2_IP4 "198.51.100.20" /**< the same node */
#define LAB_CLIENT_IP6  "2001:db8::33"
#define LAB_SERVER_IP6  "2001:db8:ffff::10"
#define LAB_NAT_IP4     "203.0.113.2" /**< r1 towards r2; others: lab_addr() */

/** One router. Zero: it only routes, and keeps no state. */
struct lab_hop {
	bool has_alg;      /**< the kernel's SIP helper on port 5060 */
	bool has_nat;      /**< IPv4 masquerade towards the server */
	bool has_firewall; /**< drops what the client's side did not ask for */
	bool is_silent;    /**< sends no ICMP time exceeded */
	/** The kernel neither routes nor answers here: a program of the
	 *  caller's does, by packet sockets on both devices. Its neighbours
	 *  leave no checksum and no segmentation to their hardware. Excludes
	 *  all of the others. */
	bool is_program;
	/** Its cable towards the server has addresses of a carrier's own NAT
	 *  (RFC 6598), 100.64.0.0/10. */
	bool has_shared_wan;
	/** Life of an idle UDP entry, answered or not; 0: the kernel's own.
	 *  Needs has_alg, has_nat or has_firewall. */
	unsigned udp_timeout_s;
};

struct lab_spec {
	unsigned n_hops; /**< 1..LAB_MAX_HOPS */
	bool has_ip6;    /**< routed, never translated */
	/** Hosts in the customer's LAN, on one switch; 0 is 1. The others are
	 *  "client2" to "client4", 192.0.2.34 and so on. */
	unsigned n_clients;
	/** More addresses of the server, each net as a whole: inside
	 *  198.51.100.0/24, 198.19.0.0/16 or 2001:db8:ffff::/48. */
	struct prefix server_nets[LAB_MAX_NETS];
	size_t n_server_nets;
	struct lab_hop hops[LAB_MAX_HOPS]; /**< hops[0] is r1 */
};

/** Why there is no lab, in the user's language. */
struct lab_why {
	char text[LAB_WHY_BYTES]; /**< whole sentences; may span lines */
};

struct lab; /* lives inside, as long as the function does */

/** The work to do inside. Its value is an exit status (0..255). */
typedef int (*lab_fn)(struct lab *lab, void *arg);

/**
 * Build the lab, run @p fn inside, tear everything down, and return.
 *
 * SIGINT, SIGTERM, SIGHUP and SIGQUIT sent to the caller meanwhile end the
 * lab, and the status is 128 plus the signal's number.
 *
 * @param statusp  Out: what @p fn returned, or 128 plus a signal's number;
 *                 untouched on error.
 * @param spec     Copied.
 * @param why      Out: filled when an error is returned.
 *
 * @return 0, or
 *         EINVAL  a spec out of range
 *         EPERM   user namespaces are forbidden
 *         ENOENT  a program is missing
 *         ENOTSUP the kernel has no SIP helper
 *         others  the lab could not be built
 */
WARN_UNUSED int lab_enter(int *statusp, const struct lab_spec *spec, lab_fn fn,
                          void *arg, struct lab_why *why);

/** A program to run in a node. Zero is a good default for all but argv. */
struct lab_cmd {
	const char *const *argv;   /**< ends with NULL; found in PATH */
	const char *const *env;    /**< more variables, "NAME=value"; or NULL */
	int in_fd, out_fd, err_fd; /**< 0: the caller's own; not closed */
};

/**
 * Start a program in a node.
 *
 * @param pidp  Out: for lab_wait() or lab_stop(), exactly one of them.
 * @param node  "client", "client2".."client4", "r1".."r8" or "server".
 *
 * @return 0; ENOENT no such node; or why it did not fork. A program that
 *         cannot be executed exits with 127.
 */
WARN_UNUSED int lab_spawn(pid_t *pidp, struct lab *lab, const char *node,
                          const struct lab_cmd *cmd);

/**
 * Start a function of this program in a node, in a process of its own.
 *
 * @param fn    Its value is the exit status.
 *
 * @return as lab_spawn()
 */
WARN_UNUSED int lab_fork(pid_t *pidp, struct lab *lab, const char *node,
                         int (*fn)(void *arg), void *arg);

/**
 * Wait for the end of what lab_spawn() started.
 *
 * @param statusp     Out: exit status, or 128 plus the signal's number.
 * @param timeout_ms  Negative: for ever.
 *
 * @return 0, or ETIMEDOUT (it still runs)
 */
WARN_UNUSED int lab_wait(int *statusp, struct lab *lab, pid_t pid,
                         int timeout_ms);

/** Ask a program to end (SIGTERM), and after half a second make it. */
void lab_stop(struct lab *lab, pid_t pid);

/**
 * Run a program to its end and keep the first bytes of its stdout.
 *
 * @param out         Out: NUL-terminated, cut to @p out_bytes; may be NULL.
 * @param timeout_ms  Afterwards it is killed. Negative: for ever.
 *
 * @return 0, ENOENT no such node, or ETIMEDOUT
 */
WARN_UNUSED int lab_run(int *statusp, char *out, size_t out_bytes,
                        struct lab *lab, const char *node,
                        const struct lab_cmd *cmd, int timeout_ms);

/**
 * Read from @p fd, a pipe from a program's stdout, until a line is @p word,
 * or begins with it and a space.
 *
 * @return 0, ETIMEDOUT, or EPIPE: it closed its stdout first
 */
WARN_UNUSED int lab_await_line(int fd, const char *word, int timeout_ms);

/** What a router's conntrack says about the client's traffic to port 5060. */
struct lab_alg {
	bool has_entry;     /**< false: the router keeps no state at all */
	bool has_helper;    /**< the entry carries helper=sip */
	unsigned timeout_s; /**< what is left of the entry's life */
};

/**
 * Send one harmless datagram from the client to port 5060 of the server and
 * read the router's conntrack entry: the truth about the adversary.
 *
 * @param hop  1..n_hops
 *
 * @return 0, EINVAL: no such hop, or EIO: nothing sent or not readable
 */
WARN_UNUSED int lab_alg_read(struct lab_alg *alg, struct lab *lab,
                             unsigned hop);

/** The helper holds the flow, and its timer shows it. */
bool lab_alg_is_active(const struct lab_alg *alg);

/** The flow is untracked, or has no helper and an ordinary UDP timer. */
bool lab_alg_is_absent(const struct lab_alg *alg);

/**
 * IPv4 address of a node on the side of the client ("r2": what sends its
 * ICMP errors) or of the server (what masquerade uses).
 *
 * @param buf  Out: LAB_ADDR_BYTES.
 *
 * @return 0, or ENOENT: no such node, or nothing on that side
 */
WARN_UNUSED int lab_addr(char *buf, const struct lab *lab, const char *node,
                         bool is_towards_server);

/**
 * Link-layer address of the neighbour of a node on that side.
 *
 * @param buf  Out: LAB_ADDR_BYTES.
 *
 * @return as lab_addr()
 */
WARN_UNUSED int lab_peer_mac(char *buf, const struct lab *lab, const char *node,
                             bool is_towards_server);

/** Addresses of a client, 1..n_clients. @param buf  Out: LAB_ADDR_BYTES. */
void lab_client_addr(char *buf, unsigned client, bool is_ip6);

/** The device of a node on that side: what a packet capture listens on. */
const char *lab_dev(bool is_towards_server);

/** What was asked for. */
const struct lab_spec *lab_spec(const struct lab *lab);
