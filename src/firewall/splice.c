/* SPDX-License-Identifier: ISC */
#include "firewall/splice.h"

#include <stdlib.h>

void fw_splice_fini(struct fw_splice *s)
{
	free(s->cuts);
	*s = (struct fw_splice){0};
}

static void add(struct fw_splice *s, struct fw_cut c)
{
	size_t i;

	if (s->n == s->cap) {
		const size_t cap = s->cap ? s->cap * 2 : 16;
		struct fw_cut *cuts = realloc(s->cuts, cap * sizeof(*cuts));

		if (!cuts) {
			s->no_memory = true;
			return;
		}
		s->cuts = cuts;
		s->cap = cap;
	}
	for (i = s->n; i > 0 && s->cuts[i - 1].at > c.at; i--)
		s->cuts[i] = s->cuts[i - 1];
	s->cuts[i] = c;
	s->n++;
}

static size_t line_start(const struct fw_splice *s, const uint8_t *at)
{
	size_t i = (size_t)(at - s->text.p);

	while (i > 0 && s->text.p[i - 1] != '\n')
		i--;
	return i;
}

void fw_splice_before(struct fw_splice *s, const uint8_t *at, struct slice text)
{
	add(s, (struct fw_cut){.at = line_start(s, at), .text = text});
}

void fw_splice_at(struct fw_splice *s, const uint8_t *at, struct slice text)
{
	add(s, (struct fw_cut){.at = (size_t)(at - s->text.p), .text = text});
}

void fw_splice_drop_line(struct fw_splice *s, const uint8_t *at)
{
	struct fw_cut c = {.at = line_start(s, at)};

	while (c.at + c.n < s->text.n && s->text.p[c.at + c.n] != '\n')
		c.n++;
	if (c.at + c.n < s->text.n)
		c.n++;
	for (size_t i = 0; i < s->n; i++) {
		if (s->cuts[i].at == c.at && s->cuts[i].n)
			return;
	}
	add(s, c);
}

void fw_splice_put(struct wr *w, struct fw_splice *s)
{
	size_t at = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct fw_cut *c = &s->cuts[i];

		if (c->at > at) {
			wr_put(w, slice_sub(s->text, at, c->at - at));
			at = c->at;
		}
		wr_put(w, c->text);
		if (c->at + c->n > at)
			at = c->at + c->n;
	}
	wr_put(w, slice_sub(s->text, at, SIZE_MAX));
	w->bad |= s->no_memory;
}
