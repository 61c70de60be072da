/* SPDX-License-Identifier: ISC */
/** One rule of the nft language; the inside of nftables.c. */
#pragma once

#include "base/diag.h"
#include "firewall/match.h"
#include "firewall/nft_lex.h"

/** A named set or map, as it was declared. */
struct nft_set {
	struct nft_set *next;
	const char *name, *table;
	bool is_volatile; /**< filled by packets or emptied by time */
	const struct nft_token *elements; /**< between the braces */
	size_t n_elements;                /**< tokens */
};

struct nft_parser {
	struct fw_rules *rules;
	struct diag *dg;
	struct nft_set *sets;
	const char *table;
	unsigned families;
};

/** Read one rule from its tokens. @return 0 or ENOMEM. */
WARN_UNUSED int nft_rule_parse(struct nft_parser *p, struct fw_chain *c,
                               const struct nft_token *t, size_t n,
                               struct slice raw);
