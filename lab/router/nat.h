/* SPDX-License-Identifier: ISC */
/**
 * Address translation in the words of RFC 4787, and the state of a firewall
 * that does not translate.
 *
 * Pure: (state, packet, time) gives a changed packet. Memory is taken once,
 * for as many mappings as the configuration allows. IPv4 is translated, and
 * IPv6 where it has an external address; with ROUTER_NAT_NONE both families
 * only pass through the table.
 */
#pragma once

#include "router/pkt.h"
#include "router/rand.h"

enum {
	ROUTER_NAT_MAX_EXT = 4,           /**< external addresses of IPv4 */
	ROUTER_NAT_MAX_MAPPINGS = 100000, /**< a table is never larger */
	ROUTER_NAT_MAX_REMOTES = 32, /**< remembered of one mapping; then the
	                              *   longest silent is forgotten */
	ROUTER_NAT_MAX_RANGES = 9,
	ROUTER_NAT_LOW_PORT = 1024, /**< ports that we choose start here */
};

enum router_nat_mode {
	ROUTER_NAT_OFF,  /**< no table: everything passes */
	ROUTER_NAT_NONE, /**< a table, and addresses stay */
	ROUTER_NAT_ON,
};

/** What a mapping or a filter depends on (RFC 4787, sections 4.1 and 5). */
enum router_nat_dep {
	ROUTER_NAT_EI,  /**< the internal endpoint alone */
	ROUTER_NAT_AD,  /**< and the remote address */
	ROUTER_NAT_APD, /**< and the remote port */
};

/** How an external port is chosen (section 4.2). */
enum router_nat_ports {
	ROUTER_NAT_PRESERVE,   /**< the internal one while it is free */
	ROUTER_NAT_PARITY,     /**< a random one that is as even or as odd */
	ROUTER_NAT_RANDOM,     /**< any */
	ROUTER_NAT_SEQUENTIAL, /**< the next one up */
};

/** Which external address a mapping gets (section 4.1). */
enum router_nat_pooling {
	ROUTER_NAT_PAIRED,    /**< an inner host keeps its own */
	ROUTER_NAT_ARBITRARY, /**< any, mapping by mapping */
};

/** Life of idle UDP entries to these remote ports, whatever their state. */
struct router_nat_range {
	uint16_t low, high;
	int64_t life_ns;
};

struct router_nat_conf {
	enum router_nat_mode mode;
	enum router_nat_dep mapping, filter;
	enum router_nat_ports ports;
	enum router_nat_pooling pooling;
	bool has_hairpin;
	bool evicts; /**< when full, the longest idle goes; else the new one
	              *   does not come */
	unsigned max_mappings;  /**< 1..ROUTER_NAT_MAX_MAPPINGS */
	int64_t udp_new_ns;     /**< nothing came back yet */
	int64_t udp_replied_ns; /**< something did */
	int64_t udp_stream_ns;  /**< and it went on for two seconds */
	int64_t tcp_idle_ns;    /**< open; half open and closing: less */
	int64_t icmp_ns;
	struct router_nat_range ranges[ROUTER_NAT_MAX_RANGES];
	size_t n_ranges;
	struct addr ext[ROUTER_NAT_MAX_EXT]; /**< IPv4; ports 0 */
	size_t n_ext;                        /**< ROUTER_NAT_ON: at least 1 */
	bool has_ip6;     /**< whoever has the devices is to set ext6 */
	struct addr ext6; /**< no family: IPv6 is not translated */
};

/** As the kernel's: what a zero configuration should be filled with. */
extern const struct router_nat_conf router_nat_defaults;

/** Bytes added to one direction of a TCP connection by an ALG. */
struct router_nat_seq {
	uint32_t at;           /**< sequence number of the last change */
	int32_t before, after; /**< bytes added so far, on its two sides */
};

/** What the table says about a packet. Addresses as on either side. */
struct router_flow {
	struct addr src, dst;         /**< as it came */
	struct addr new_src, new_dst; /**< as it leaves */
	bool is_out;                  /**< from the LAN */
	bool is_hairpin;              /**< and back to it */
	bool is_new;                  /**< it made the mapping or the remote */
	bool is_admitted;             /**< begun through router_nat_admit() */
	bool is_kept; /**< UDP: it lives only because its port has a timer of
	                   its own */
	bool is_old;  /**< from before a change; for others to set */
	int64_t since_ns; /**< when it began; now, where nothing is kept */
	/** Borrowed until the next call: [0] out, [1] in; NULL: not TCP. */
	struct router_nat_seq *seq;
};

enum router_nat_verdict {
	ROUTER_NAT_PASS,
	ROUTER_NAT_NO_MAPPING,     /**< from outside, to nobody */
	ROUTER_NAT_FILTERED,       /**< from outside, from a stranger */
	ROUTER_NAT_FULL,           /**< the table, or the ports */
	ROUTER_NAT_UNTRANSLATABLE, /**< another protocol, a lone fragment */
};

struct router_nat;

/** @return 0, EINVAL: out of range, or ENOMEM */
WARN_UNUSED int router_nat_alloc(struct router_nat **np,
                                 const struct router_nat_conf *conf,
                                 uint64_t seed);
void router_nat_free(struct router_nat *n);

/**
 * Take a packet through the table, from the LAN (@p is_out) or to it, and
 * translate it: ICMP errors with the packet that they quote.
 *
 * @param flow  Out: filled for ROUTER_NAT_PASS.
 */
WARN_UNUSED enum router_nat_verdict
router_nat_take(struct router_nat *n, struct router_flow *flow,
                struct router_pkt *p, bool is_out, int64_t now_ns);

/**
 * Let packets in that nobody asked for: to @p inner, from @p remote (port 0:
 * any; no address: anyone).
 *
 * @param extp  Out: where they will arrive: the port of @p inner while it is
 *              free, else two more, and so on.
 *
 * @return 0, or ENOSPC: no mapping or no port left
 */
WARN_UNUSED int router_nat_pinhole(struct router_nat *n, struct addr *extp,
                                   uint8_t proto, const struct addr *inner,
                                   const struct addr *remote, int64_t life_ns,
                                   int64_t now_ns);

/**
 * Let @p remote (port 0: any) in through the mapping of the external @p ext,
 * for @p life_ns from now; 0 takes that back.
 *
 * @return 0, ENOENT: there is no such mapping, or ENOSPC
 */
WARN_UNUSED int router_nat_admit(struct router_nat *n, uint8_t proto,
                                 const struct addr *ext,
                                 const struct addr *remote, int64_t life_ns,
                                 int64_t now_ns);

/** Close what leads to @p inner. */
void router_nat_close(struct router_nat *n, uint8_t proto,
                      const struct addr *inner);

/**
 * Give the mapping of @p inner another external port, as a router does that
 * loses its head.
 *
 * @param was, is  Out: its external endpoint before and after, where there
 *                 was one.
 *
 * @return whether there was one
 */
bool router_nat_remap(struct router_nat *n, struct addr *was, struct addr *is,
                      uint8_t proto, const struct addr *inner);

/** Mappings in use, expired ones that nobody asked for included. */
unsigned router_nat_count(const struct router_nat *n);
