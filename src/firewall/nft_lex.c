/* SPDX-License-Identifier: ISC */
#include "firewall/nft_lex.h"

static int peek(const struct nft_lexer *lx, size_t ahead)
{
	return lx->at + ahead < lx->text.n ? lx->text.p[lx->at + ahead] : -1;
}

static bool is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_mark(int c)
{
	return c == '{' || c == '}' || c == ',' || c == ';' || c == '(' ||
	       c == ')' || c == '=' || c == '<' || c == '>' || c == '!';
}

static void skip(struct nft_lexer *lx)
{
	for (;;) {
		if (is_blank(peek(lx, 0))) {
			lx->at++;
		} else if (peek(lx, 0) == '#') {
			while (peek(lx, 0) != -1 && peek(lx, 0) != '\n')
				lx->at++;
		} else if (peek(lx, 0) == '\\' && peek(lx, 1) == '\n') {
			lx->at += 2;
			lx->line++;
		} else {
			return;
		}
	}
}

static struct nft_token lex_string(struct nft_lexer *lx)
{
	struct nft_token t = {.kind = NFT_STRING, .line = lx->line};
	const size_t from = ++lx->at;

	while (peek(lx, 0) != -1 && peek(lx, 0) != '"' && peek(lx, 0) != '\n')
		lx->at++;
	t.s = (struct slice){lx->text.p + from, lx->at - from};
	if (peek(lx, 0) == '"')
		lx->at++;
	return t;
}

struct nft_token nft_lex(struct nft_lexer *lx)
{
	struct nft_token t = {.kind = NFT_WORD};
	size_t from;
	int c;

	skip(lx);
	t.line = lx->line;
	from = lx->at;
	c = peek(lx, 0);
	if (c == -1) {
		t.kind = NFT_END;
		t.s = (struct slice){lx->text.p + from, 0};
		return t;
	}
	if (c == '"')
		return lex_string(lx);
	lx->at++;
	if (c == '\n') {
		t.kind = NFT_EOL;
		lx->line++;
	} else if (is_mark(c)) {
		t.kind = NFT_MARK;
		if ((c == '!' || c == '=' || c == '<' || c == '>') &&
		    peek(lx, 0) == '=')
			lx->at++;
	} else {
		while (peek(lx, 0) != -1 && !is_blank(peek(lx, 0)) &&
		       !is_mark(peek(lx, 0)) && peek(lx, 0) != '\n' &&
		       peek(lx, 0) != '"')
			lx->at++;
	}
	t.s = (struct slice){lx->text.p + from, lx->at - from};
	return t;
}

bool nft_is(const struct nft_token *t, const char *word)
{
	return (t->kind == NFT_WORD || t->kind == NFT_MARK) &&
	       slice_eq_str(t->s, word);
}

bool nft_is_one_of(const struct nft_token *t, const char *words)
{
	struct slice left = slice_str(words);

	if (t->kind != NFT_WORD && t->kind != NFT_MARK)
		return false;
	while (left.n) {
		const size_t cut = slice_find(left, slice_str(" "));

		if (slice_eq(t->s, slice_sub(left, 0, cut)))
			return true;
		if (cut == SIZE_MAX)
			return false;
		left = slice_sub(left, cut + 1, SIZE_MAX);
	}
	return false;
}
