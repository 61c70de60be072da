/* SPDX-License-Identifier: ISC */
/** The fields that rules of the nft language ask for, and their values. */
#pragma once

#include "firewall/match.h"
#include "firewall/nft_lex.h"

enum nft_field_kind {
	NFT_F_ZONE,
	NFT_F_ADDR,
	NFT_F_PROTO,
	NFT_F_NFPROTO,
	NFT_F_PORT,
	NFT_F_STATE,
};

struct nft_field {
	enum nft_field_kind kind;
	bool is_dest;      /**< destination, or the way out */
	unsigned families; /**< NFT_F_ADDR */
	int proto;         /**< NFT_F_PORT: -1 for "th" */
};

/** The union of all values of one field, before it narrows a rule. Zeroed at
 *  first; its ports are to be finished. */
struct nft_gathered {
	struct fw_addrs addrs;
	struct fw_zones zones;
	struct fw_ivals ports;
	bool protos[256];
	unsigned states, families;
};

/** @return how many tokens the field's name takes; 0: it is not known */
size_t nft_field_read(struct nft_field *f, const struct nft_token *t, size_t n);

/** @return false when the value is not understood */
bool nft_field_gather(struct fw_match *m, struct nft_gathered *g,
                      const struct nft_field *f, const struct nft_token *t);

/** Ports below or above one: "<", "<=", ">" or ">=". @return false: none, or
 *  not understood */
bool nft_field_compare(struct fw_ivals *out, const char *compare,
                       struct slice s);

void nft_field_narrow(struct fw_match *m, struct nft_gathered *g,
                      const struct nft_field *f, bool is_negated);

/** The set has members we do not know: the field is there, its value not. */
void nft_field_doubt(struct fw_match *m, const struct nft_field *f,
                     struct slice why);
