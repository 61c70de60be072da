/* SPDX-License-Identifier: ISC */
/** Tokens of the nft language. */
#pragma once

#include <stdbool.h>

#include "base/cursor.h"

enum nft_kind {
	NFT_END,
	NFT_WORD,   /**< anything between blanks and marks */
	NFT_STRING, /**< quoted; the slice is without its quotes */
	NFT_MARK,   /**< one of { } , ; ( ) = < > or != == <= >= */
	NFT_EOL,
};

struct nft_token {
	enum nft_kind kind;
	struct slice s;
	unsigned line; /**< from 1 */
};

struct nft_lexer {
	struct slice text;
	size_t at;
	unsigned line;
};

/** Comments are skipped. A backslash at the end of a line joins lines. */
struct nft_token nft_lex(struct nft_lexer *lx);

bool nft_is(const struct nft_token *t, const char *word);
/** The same for any of several words, with blanks between them. */
bool nft_is_one_of(const struct nft_token *t, const char *words);
