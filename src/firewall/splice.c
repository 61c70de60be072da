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
	c.order = s->n;
	s->cuts[s->n++] = c;
}

static int cmp_cut(const void *a, const void *b)
{
	const struct fw_cut *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
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
	add(s, c);
}

void fw_splice_put(struct wr *w, struct fw_splice *s)
{
	size_t at = 0;

	/* A line may be dropped twice: it ends where it ends. */
	if (s->n)
		qsort(s->cuts, s->n, sizeof(*s->cuts), cmp_cut);
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
