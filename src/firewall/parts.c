/* SPDX-License-Identifier: ISC */
/*
 * Design: open addressing over pointers. What decides a fate are addresses of
 * rules and chains, which nobody outside can choose.
 */
#include "firewall/parts.h"

#include <errno.h>
#include <stdlib.h>

static bool is_same(const struct fw_part *a, const struct fw_part *b)
{
	return a->verdict == b->verdict && a->rule == b->rule &&
	       a->chain == b->chain && a->doubt == b->doubt;
}

static size_t hash_of(const struct fw_part *p)
{
	const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t h = (uint64_t)p->verdict;

	h = (h ^ (uintptr_t)p->rule) * odd;
	h = (h ^ (uintptr_t)p->chain) * odd;
	h = (h ^ (uintptr_t)p->doubt) * odd;
	return (size_t)(h >> 32);
}

/* Its slot, or the empty one where it belongs. */
static size_t slot_of(const struct fw_parts *s, const struct fw_part *like)
{
	size_t i = hash_of(like) & (s->cap - 1);

	while (s->slots[i] && !is_same(s->slots[i], like))
		i = (i + 1) & (s->cap - 1);
	return i;
}

struct fw_part *fw_parts_find(const struct fw_parts *s,
                              const struct fw_part *like)
{
	return s->cap ? s->slots[slot_of(s, like)] : NULL;
}

static int grow(struct fw_parts *s)
{
	struct fw_parts more = *s;

	more.cap = s->cap ? 2 * s->cap : 16;
	more.slots = calloc(more.cap, sizeof(struct fw_part *));
	if (!more.slots)
		return ENOMEM;
	for (size_t i = 0; i < s->cap; i++) {
		if (s->slots[i])
			more.slots[slot_of(&more, s->slots[i])] = s->slots[i];
	}
	free(s->slots);
	*s = more;
	return 0;
}

int fw_parts_add(struct fw_parts *s, struct fw_judgement *out, struct arena *a,
                 const struct fw_space *sp, const struct fw_part *like,
                 const struct fw_box *b)
{
	struct fw_part *p = arena_alloc(a, sizeof(*p));

	if (!p || (2 * (s->n + 1) > s->cap && grow(s)))
		return ENOMEM;
	*p = *like;
	if (fw_packet_at(&p->example, a, sp, b))
		return ENOMEM;
	if (out->parts_last)
		out->parts_last->next = p;
	else
		out->parts = p;
	out->parts_last = p;
	s->slots[slot_of(s, p)] = p;
	s->has[p->verdict] = true;
	s->n++;
	return 0;
}

void fw_parts_fini(struct fw_parts *s)
{
	free(s->slots);
	*s = (struct fw_parts){0};
}
