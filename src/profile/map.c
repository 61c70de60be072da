/* SPDX-License-Identifier: ISC */
#include "profile/map.h"

#include <errno.h>

int profile_map_parse(struct profile_map *m, struct slice text)
{
	size_t at = slice_find(text, slice_str("="));
	struct profile_map out;

	if (at == SIZE_MAX || prefix_parse(&out.from, slice_sub(text, 0, at)) ||
	    prefix_parse(&out.to, slice_sub(text, at + 1, SIZE_MAX)) ||
	    out.from.net.family != out.to.net.family ||
	    out.from.n_bits != out.to.n_bits)
		return EBADMSG;
	*m = out;
	return 0;
}

bool profile_map_apply(struct addr *a, const struct profile_map *maps, size_t n)
{
	const struct profile_map *best = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct profile_map *m = &maps[i];

		if (prefix_has(&m->from, a) &&
		    (!best || m->from.n_bits > best->from.n_bits))
			best = m;
	}
	if (!best)
		return false;
	for (unsigned bit = 0; bit < best->to.n_bits; bit++) {
		uint8_t mask = (uint8_t)(0x80 >> bit % 8);
		uint8_t kept = (uint8_t)(a->ip[bit / 8] & ~mask);

		a->ip[bit / 8] =
			(uint8_t)(kept | (best->to.net.ip[bit / 8] & mask));
	}
	return true;
}

static struct slice bare(struct slice name)
{
	while (name.n > 0 && name.p[name.n - 1] == '.')
		name.n--;
	return name;
}

int profile_alias_parse(struct profile_alias *al, struct slice text)
{
	size_t at = slice_find(text, slice_str(":"));
	struct profile_alias out;

	if (at == SIZE_MAX)
		return EBADMSG;
	out.name = bare(slice_sub(text, 0, at));
	if (out.name.n == 0 ||
	    addr_parse(&out.addr, slice_sub(text, at + 1, SIZE_MAX)))
		return EBADMSG;
	*al = out;
	return 0;
}

bool profile_alias_is_for(const struct profile_alias *al, const char *name)
{
	return slice_ieq(al->name, bare(slice_str(name)));
}
