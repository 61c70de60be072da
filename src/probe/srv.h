/* SPDX-License-Identifier: ISC */
/**
 * Where the records of a service lead (RFC 2782, RFC 3263 section 4): which
 * of an answer's NAPTR and SRV records count, and in which order.
 *
 * Pure: an answer goes in, names and ports come out. What is kept is bounded,
 * whatever the answer has, and no record is followed to another of its kind:
 * there is nothing to loop. Fuzzed by fuzz/fuzz_probe_srv.c.
 */
#pragma once

#include "fact/fact.h"
#include "net/dns.h"

enum {
	SRV_RECORDS_MAX = 32, /**< of one answer, as values */
	SRV_NAMES_MAX = 3,    /**< that NAPTR may lead to */
	SRV_TARGETS_MAX = 6,  /**< of one service */
};

/** Names live in the report. */
struct srv_target {
	const char *host;
	uint16_t port, priority, weight;
};

struct srv_list {
	struct srv_target targets[SRV_TARGETS_MAX];
	size_t n_targets;
	unsigned n_more; /**< left out, as there are too many */
	bool is_refused; /**< the root is the only target: the service is
	                      decidedly not available (RFC 2782) */
	const char *names[SRV_NAMES_MAX]; /**< of SRV records, by NAPTR */
	size_t n_names;
};

/**
 * The answer's own records, but for the additional ones, in the order in
 * which they are to be tried: NAPTR by order and preference, SRV by priority
 * and weight, which is a lottery to clients and here simply the heavier first,
 * as all are tried; others as they came.
 *
 * @return how many, at most @p max
 */
size_t srv_order(const struct net_dns_record **out, size_t max,
                 const struct net_dns_msg *m, enum net_dns_type type);

/** The same as a list of maps (docs/findings.md: `records`). */
struct val srv_records(struct report *r, const struct net_dns_msg *m,
                       enum net_dns_type type);

/**
 * Add what an answer to a question for SRV or NAPTR leads to.
 *
 * @param naptr  Which service of NAPTR ("SIP+D2U"); others lead elsewhere
 */
void srv_take(struct srv_list *l, struct report *r, const struct net_dns_msg *m,
              enum net_dns_type type, const char *naptr);

/** Add the targets of @p from, each once. */
void srv_join(struct srv_list *l, const struct srv_list *from);
