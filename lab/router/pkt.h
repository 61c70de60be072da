/* SPDX-License-Identifier: ISC */
/**
 * IPv4 and IPv6 packets, decoded once and changed in place.
 *
 * Pure: no sockets, no clock, no allocation. Safe on hostile input; fuzzed
 * by fuzz/fuzz_router_pkt.c. Changes of addresses, ports, TTL and DSCP keep
 * the checksums right by difference (RFC 1624), so a packet that arrived
 * with a wrong one leaves with a wrong one, as from a real router.
 */
#pragma once

#include "base/addr.h"

enum {
	ROUTER_PKT_BYTES = 65535, /**< no packet is longer */
	ROUTER_IP4_BYTES = 20,
	ROUTER_IP6_BYTES = 40,
	ROUTER_UDP_BYTES = 8,
	ROUTER_TCP_BYTES = 20,
	ROUTER_ICMP_BYTES = 8,
	ROUTER_MAX_EXT_HEADERS = 8, /**< of IPv6, before we give up */
};

enum router_proto {
	ROUTER_ICMP = 1,
	ROUTER_TCP = 6,
	ROUTER_UDP = 17,
	ROUTER_ICMP6 = 58,
};

enum router_tcp_flag {
	ROUTER_TCP_FIN = 1 << 0,
	ROUTER_TCP_SYN = 1 << 1,
	ROUTER_TCP_RST = 1 << 2,
	ROUTER_TCP_PSH = 1 << 3,
	ROUTER_TCP_ACK = 1 << 4,
};

/** A decoded packet. Borrows @p b. All offsets lie within it. */
struct router_pkt {
	uint8_t *b;
	size_t n; /**< by the IP header; what followed is not counted */
	bool is_ip6;
	bool is_quote;    /**< read by router_pkt_read_quote() */
	uint8_t proto;    /**< enum router_proto, or another number */
	uint8_t ttl;      /**< or hop limit */
	uint8_t tos;      /**< DSCP in the upper six bits */
	bool has_df;      /**< IPv6: always */
	bool is_fragment; /**< not the whole datagram */
	bool has_more;    /**< fragments follow */
	uint32_t frag_id;
	size_t frag_at;  /**< bytes before this fragment; 0: the first */
	size_t frag_hdr; /**< where IPv6's Fragment header is; 0: none. It
	                  *   may stand alone (RFC 6946): not a fragment */
	/** Ports are those of UDP and TCP; of an ICMP query both are its
	 *  identifier; else 0. */
	struct addr src, dst;
	size_t l4;      /**< where the transport header starts */
	size_t payload; /**< where its payload starts; n: there is none */
	size_t sum;     /**< where its checksum is; 0: out of reach */
	uint8_t tcp_flags;
	uint16_t tcp_window; /**< as it stands: not scaled */
	uint32_t seq, ack;
	uint8_t icmp_type, icmp_code;
	bool is_icmp_query;
	bool is_icmp_error; /**< payload is the quoted packet */
};

/**
 * Decode a whole packet.
 *
 * @param p  Out; untouched unless 0. Borrows from @p b.
 * @param n  May be more than the packet: link layers pad.
 *
 * @return 0, or EBADMSG: truncated, lengths that disagree, or a wrong IPv4
 *         header checksum. A wrong transport checksum is the receiver's.
 */
WARN_UNUSED int router_pkt_read(struct router_pkt *p, uint8_t *b, size_t n);

/** Decode what an ICMP error quotes: an IP header and at least 8 bytes. */
WARN_UNUSED int router_pkt_read_quote(struct router_pkt *p, uint8_t *b,
                                      size_t n);

/** The transport payload; borrows. */
struct slice router_pkt_payload(const struct router_pkt *p);

/** Give it another source (or destination) address and port, of the same
 *  family. Ports of a later fragment are not there and stay so. */
void router_pkt_src_set(struct router_pkt *p, const struct addr *a);
void router_pkt_dst_set(struct router_pkt *p, const struct addr *a);

void router_pkt_ttl_set(struct router_pkt *p, uint8_t ttl);
void router_pkt_tos_set(struct router_pkt *p, uint8_t tos);

/** TCP only. */
void router_pkt_seq_set(struct router_pkt *p, uint32_t seq);
void router_pkt_ack_set(struct router_pkt *p, uint32_t ack);

/**
 * The same packet with another payload: lengths and checksums made anew.
 *
 * @param w  Out; a transport that is not UDP, TCP or ICMP is EINVAL.
 *
 * @return 0, EINVAL, or EMSGSIZE: @p w or an IP packet is too small for it
 */
WARN_UNUSED int router_pkt_rebuild(struct wr *w, const struct router_pkt *p,
                                   struct slice payload);

/** Compute IPv4 header and transport checksums from nothing. */
void router_pkt_sums_make(struct router_pkt *p);

/** Are they right? A UDP checksum of 0 in IPv4 is. Fragments: the header's
 *  alone. */
bool router_pkt_sums_are_right(const struct router_pkt *p);

/** RFC 1071. @return the 16-bit ones' complement of the sum */
uint16_t router_sum(struct slice bytes, uint32_t start);

/** A UDP datagram from nothing. @return 0, EINVAL: families differ, or
 *  EMSGSIZE */
WARN_UNUSED int router_udp_build(struct wr *w, const struct addr *src,
                                 const struct addr *dst, uint8_t ttl,
                                 struct slice payload);

struct router_tcp {
	struct addr src, dst;
	uint32_t seq, ack;
	uint16_t window;
	uint8_t flags;
};

/** A TCP segment without options. As router_udp_build(). */
WARN_UNUSED int router_tcp_build(struct wr *w, const struct router_tcp *t,
                                 struct slice payload);

enum router_icmp_kind {
	ROUTER_ICMP_TTL,   /**< time exceeded in transit */
	ROUTER_ICMP_MTU,   /**< too big, and may not be cut */
	ROUTER_ICMP_NET,   /**< unreachable: network */
	ROUTER_ICMP_HOST,  /**< host */
	ROUTER_ICMP_PORT,  /**< port */
	ROUTER_ICMP_ADMIN, /**< prohibited by administration */
};

/**
 * The ICMP error about @p p (RFC 792, RFC 4443).
 *
 * @param from         Who complains; same family.
 * @param quote_bytes  At most so many bytes of @p p are quoted; at least its
 *                     IP header and 8 bytes are.
 *
 * @return 0, ENOENT: about this no error may be sent (another error, a later
 *         fragment of IPv4, no unicast sender; RFC 1122, 3.2.2, and RFC 4443,
 *         2.4), EINVAL, or EMSGSIZE
 */
WARN_UNUSED int router_icmp_build(struct wr *w, const struct router_pkt *p,
                                  const struct addr *from,
                                  enum router_icmp_kind kind, unsigned mtu,
                                  size_t quote_bytes);

/** The reset that refuses a TCP segment. @return as router_icmp_build() */
WARN_UNUSED int router_rst_build(struct wr *w, const struct router_pkt *p);
