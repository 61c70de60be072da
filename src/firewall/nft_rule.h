/* SPDX-License-Identifier: ISC */
/** One rule of the nft language; the inside of nftables.c. */
#pragma once

#include "base/diag.h"
#include "firewall/match.h"
#include "firewall/nft_lex.h"
#include "firewall/vendor.h"

/** A named set or map, as it was declared. */
struct nft_set {
	const char *name, *table;
	bool is_volatile; /**< filled by packets or emptied by time */
	const struct nft_token *elements; /**< between the braces */
	size_t n_elements;                /**< tokens */
};

struct nft_parser {
	struct fw_rules *rules;
	struct diag *dg;
	struct fw_dict sets; /**< by nft_set_key() */
	const char *table;
	unsigned families;
};

/** A set's name in its table: table, blank, name. Into a heap writer. */
void nft_set_key(struct wr *w, const char *table, struct slice name);

/** Read one rule from its tokens. @return 0 or ENOMEM. */
WARN_UNUSED int nft_rule_parse(struct nft_parser *p, struct fw_chain *c,
                               const struct nft_token *t, size_t n,
                               struct slice raw);

/**
 * Read what translates addresses; what it leaves of a target makes a rule
 * uncertain.
 *
 * @return how many tokens it took; 0: @p t does not begin with such a word
 */
size_t nft_nat_read(struct fw_match *m, const struct nft_token *t, size_t n);

/** Read "meta mark set ct mark & 0xff". @return as nft_nat_read() */
size_t nft_set_read(struct fw_match *m, const struct nft_token *t, size_t n);

/** Read "ct helper set NAME" or "ct timeout set NAME". @return as
 *  nft_nat_read() */
size_t nft_object_read(struct nft_parser *p, struct fw_match *m,
                       const struct nft_token *t, size_t n);

/** What a target of iptables may do besides. */
struct nft_xt {
	bool is_any;       /**< anything with the packet */
	bool is_untracked; /**< leave it without a state */
};

/**
 * Read what iptables-nft keeps from nft: "xt target NAME".
 *
 * @return how many tokens it took; 0: none, or a match that is not known
 */
size_t nft_xt_read(struct nft_xt *out, struct fw_match *m,
                   const struct nft_token *t, size_t n);
