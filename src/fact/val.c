/* SPDX-License-Identifier: ISC */
/*
 * Design: a tree like JSON's, rather than a struct per kind of fact, since
 * writers and rules must handle facts that did not exist when they were
 * written. Lists keep insertion order, so that reports are reproducible.
 */
#include "fact/val.h"

#include <string.h>

struct val val_bool(bool b)
{
	return (struct val){.kind = VAL_BOOL, .b = b};
}

struct val val_int(int64_t i)
{
	return (struct val){.kind = VAL_INT, .i = i};
}

struct val val_real(double d)
{
	return (struct val){.kind = VAL_REAL, .d = d};
}

struct val val_text(const char *s)
{
	if (!s)
		return (struct val){0};
	return (struct val){.kind = VAL_TEXT, .s = slice_str(s)};
}

struct val val_bytes(struct slice s)
{
	return (struct val){.kind = VAL_BYTES, .s = s};
}

struct val val_list(void)
{
	return (struct val){.kind = VAL_LIST};
}

struct val val_map(void)
{
	return (struct val){.kind = VAL_MAP};
}

struct val *val_put(struct arena *a, bool *no_memory, struct val *into,
                    const char *key, struct val v)
{
	static struct val scratch;
	struct val_item *it = NULL;

	if (into->kind == VAL_LIST || into->kind == VAL_MAP)
		it = arena_alloc(a, sizeof(*it));
	if (!it) {
		*no_memory = true;
		scratch = v;
		return &scratch;
	}
	it->key = key;
	it->v = v;
	if (into->items.last)
		into->items.last->next = it;
	else
		into->items.first = it;
	into->items.last = it;
	into->items.n++;
	return &it->v;
}

const struct val *val_get(const struct val *map, const char *key)
{
	if (!map || map->kind != VAL_MAP)
		return NULL;
	for (const struct val_item *it = map->items.first; it; it = it->next) {
		if (strcmp(it->key, key) == 0)
			return &it->v;
	}
	return NULL;
}

struct slice val_get_text(const struct val *map, const char *key)
{
	const struct val *v = val_get(map, key);

	if (!v || (v->kind != VAL_TEXT && v->kind != VAL_BYTES))
		return (struct slice){0};
	return v->s;
}

int64_t val_get_int(const struct val *map, const char *key, int64_t otherwise)
{
	const struct val *v = val_get(map, key);

	return v && v->kind == VAL_INT ? v->i : otherwise;
}
