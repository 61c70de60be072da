/* SPDX-License-Identifier: ISC */
/** What Linux does when rules say nothing; for nftables and iptables. */
#pragma once

#include "firewall/rule.h"

/** Add the kernel's defaults as settings, each with its source. @return 0 or
 *  ENOMEM */
WARN_UNUSED int fw_linux_defaults(struct fw_rules *r);

/**
 * A jump to what is not known: it may accept, drop or come back. Behind @p r
 * then stands its twin.
 *
 * @return 0 or ENOMEM
 */
WARN_UNUSED int fw_linux_unsure(struct fw_rules *rules, struct fw_rule *r);

/** Whose packets a text of iptables speaks for, FW_IP4 | FW_IP6; 0: it is
 *  none. Not parsed, and so without its faults. */
unsigned fw_linux_ipt_families(struct slice text);

/** May a kernel with these rules keep connections? It does so only where
 *  something asks for them; @p text is all of what one tool shows. */
bool fw_linux_tracks(struct slice text);

/**
 * The commands that forget the sessions of a set, one for each of its
 * prefixes: conntrack(8) takes no ranges. What @p w has already is not
 * written twice.
 *
 * @param before  Begins each line: blanks, or a mark of comments.
 * @param side    'd': sessions to it; 's': from it.
 */
void fw_linux_clear_put(struct wr *w, const char *before, char side,
                        const struct fw_addrs *set);

/** The last lines of rules that were made: how sessions to their peers are
 *  forgotten, and where the SIP helper may be on besides. */
void fw_linux_tail_put(struct wr *w, const struct fw_rules *rules);

enum {
	FW_LINUX_SIP_IDLE_S = 3600, /**< sip_timeout of nf_conntrack_sip */
	FW_LINUX_FLOW_IDLE_S = 30,  /**< nf_flowtable_udp_timeout */
};

/**
 * What a running kernel says of one of those defaults replaces it.
 *
 * @param id  As in its setting; another is not an error, and ignored.
 *
 * @return 0 or ENOMEM
 */
WARN_UNUSED int fw_linux_measured(struct fw_rules *r, const char *id,
                                  int64_t value);
