/* SPDX-License-Identifier: ISC */
/**
 * Where on the path a flow ends, judged from what rising TTLs have drawn.
 *
 * A router answers a datagram or SYN whose TTL runs out there (RFC 1812
 * section 5.3.1, RFC 4443 section 3.3), wherever its flow is let through up
 * to there. A second flow to the same host that is known good walks the same
 * TTLs: a hop that answers nobody is not taken for the end of the first.
 * Where none is known good, a datagram to a port that nobody uses serves: the
 * server's own "port unreachable" tells how far it is.
 *
 * Pure: no sockets and no clock.
 */
#pragma once

#include "fact/fact.h"
#include "probe/hop.h"

/** What one flow drew, by TTL. Zeroed: nothing. */
struct where_flow {
	struct where_hop {
		struct addr addr; /**< whose TTL ran out; ADDR_NONE: nobody's */
		unsigned n_tries, n_answers;
		int64_t rtt_ns; /**< the shortest; 0: none */
		int ttl;        /**< of its error on arrival; 0: not known */
	} hops[HOP_MAX + 1];    /**< [0] is not used */

	unsigned answer_at; /**< lowest TTL that drew an answer of the far end,
	                         in the flow's own protocol; 0: none did */
	int answer_ttl;     /**< of that answer on arrival; 0: not known */
	bool is_icmp;       /**< that answer was an ICMP error of the server's:
	                         a closed port tells as well how far it is */
	int64_t answer_rtt_ns;

	unsigned refused_at; /**< lowest TTL that drew an ICMP error of another
	                          kind; 0: none did */
	struct addr refuser;
	uint8_t icmp_type, icmp_code;

	unsigned reset_at; /**< lowest TTL that drew a TCP reset; 0: none */
	int reset_ttl;     /**< of the reset on arrival; 0: not known */
	int64_t reset_rtt_ns;

	int error; /**< this computer did not let it out: errno; 0: it did */
};

enum where_basis {
	WHERE_NO_BASIS, /**< nothing can be said */
	WHERE_QUOTE,    /**< silence: where the last TTL ran out */
	WHERE_REFUSAL,  /**< an ICMP error names its sender */
	WHERE_RESET,    /**< a TCP reset, by its TTL */
	WHERE_LOCAL,    /**< this computer's own filter or routes */
	WHERE_BASES,
};

enum where_who {
	WHERE_NOBODY,    /**< not known */
	WHERE_MIDDLEBOX, /**< a box before the server */
	WHERE_SERVER,    /**< the server itself: the path is open */
};

/** Hops count from 1, the first router; 0 is this computer. */
struct where {
	enum where_basis basis;
	enum where_who who;
	unsigned hop_min;     /**< the last hop that is known to have got it */
	unsigned hop_max;     /**< the first that did not; the box is one of the
	                           two, or between them. The same for a refusal
	                           whose sender is on the path. */
	bool is_exact;        /**< not more than one step between them */
	bool may_be_way_back; /**< it gets as far as anything can be followed:
	                           perhaps the answer is lost */
	struct addr last;     /**< of hop_min; ADDR_NONE: it did not say */
	struct addr next; /**< of hop_max, as the known good flow heard it */
	struct addr box;  /**< who is accused: the refuser; of silence the hop
	                       hop_min; ADDR_NONE: not known */
	unsigned n_hops;  /**< routers up to the server; 0: not known */
	uint8_t icmp_type, icmp_code; /**< WHERE_REFUSAL */
	enum segment segment; /**< of `box`; of silence that is not exact:
	                           unknown */
};

/** A box that opens a TCP connection in the server's stead. */
struct where_near {
	unsigned hop;        /**< the lowest TTL at which it opens */
	unsigned server_min; /**< the hop that the server is at, or behind */
	struct addr box;     /**< ADDR_NONE: it did not say */
	enum segment segment;
};

/**
 * Does a TCP flow open nearer than its server can be?
 *
 * What goes by UDP to the same host shows routers behind the hop that opens,
 * two of them, so that neither the last one's own doing (a balancer of the
 * provider's) nor a way that is a hop shorter for TCP is taken for a box. Both
 * flows must have met the same routers before.
 *
 * @param flow     By TCP; `answer_ttl`, of the SYN-ACK, is not asked for
 * @param control  By UDP, to the same host
 */
bool where_opens_near(const struct where_flow *flow,
                      const struct where_flow *control);

/** And its SYN-ACK comes from no farther than that hop: who raises TTLs on the
 *  way lets the server answer. @param n  Out; untouched unless true. */
bool where_near_judge(struct where_near *n, const struct where_flow *flow,
                      const struct where_flow *control);

/**
 * @param control  The known good flow; NULL: there is none
 * @param server   Its and the flow's destination
 */
struct where where_judge(const struct where_flow *flow,
                         const struct where_flow *control,
                         const struct addr *server);

/** How many hops away a packet was sent that arrives with this TTL, if its
 *  sender began with a usual one; 0: no idea. */
unsigned where_distance(int ttl);

/** The segment of a hop. @param n_hops  0: not known */
enum segment where_segment(unsigned hop, const struct addr *a, unsigned n_hops);

/** "none", "quote", "icmp-refusal", "reset", "local": JSON. */
const char *where_basis_name(enum where_basis b);

/** "unknown", "middlebox", "server": JSON. */
const char *where_who_name(enum where_who w);
