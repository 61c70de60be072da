/* SPDX-License-Identifier: ISC */
#include "profile/slip.h"

#include <stdint.h>

enum {
	SLIP_1_FROM_BYTES = 4,
	SLIP_2_FROM_BYTES = 8,
};

static uint8_t lower(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return (uint8_t)(c + ('a' - 'A'));
	return c;
}

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Three rows of the usual matrix: a swap looks two rows back. */
size_t profile_slip_distance(struct slice a, struct slice b)
{
	size_t rows[3][PROFILE_SLIP_MAX_BYTES + 1];
	size_t *back2 = rows[0], *back = rows[1], *now = rows[2];

	if (a.n > PROFILE_SLIP_MAX_BYTES || b.n > PROFILE_SLIP_MAX_BYTES)
		return SIZE_MAX;
	for (size_t j = 0; j <= b.n; j++)
		back[j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		size_t *spare = back2;

		now[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			uint8_t x = lower(a.p[i - 1]), y = lower(b.p[j - 1]);

			now[j] = min(min(back[j], now[j - 1]) + 1,
			             back[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == lower(b.p[j - 2]) &&
			    y == lower(a.p[i - 2]))
				now[j] = min(now[j], back2[j - 2] + 1);
		}
		back2 = back;
		back = now;
		now = spare;
	}
	return back[b.n];
}

bool profile_is_slip(struct slice a, struct slice b)
{
	size_t shorter = min(a.n, b.n), far = 0;
	size_t distance = profile_slip_distance(a, b);

	if (shorter >= SLIP_2_FROM_BYTES)
		far = 2;
	else if (shorter >= SLIP_1_FROM_BYTES)
		far = 1;
	return distance > 0 && distance <= far;
}

static bool is_second_level(struct slice label)
{
	static const char *const known[] = {
		"ac",  "adm", "co",  "com", "edu", "gob", "gov", "ind", "inf",
		"mil", "ne",  "net", "nom", "or",  "org", "srv", "tel", "tv",
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (slice_ieq(label, slice_str(known[i])))
			return true;
	}
	return false;
}

/* Where the label that ends at `end` starts. */
static size_t label_start(struct slice name, size_t end)
{
	while (end > 0 && name.p[end - 1] != '.')
		end--;
	return end;
}

struct slice profile_domain_registrable(struct slice name)
{
	size_t tld, second, third;

	if (name.n && name.p[name.n - 1] == '.')
		name.n--;
	tld = label_start(name, name.n);
	if (tld == 0)
		return name;
	second = label_start(name, tld - 1);
	if (second == 0)
		return name;
	if (name.n - tld != 2 ||
	    !is_second_level(slice_sub(name, second, tld - 1 - second)))
		return slice_sub(name, second, name.n);
	third = label_start(name, second - 1);
	return slice_sub(name, third, name.n);
}

struct slice profile_domain_label(struct slice domain)
{
	size_t n = slice_find(domain, slice_str("."));

	return slice_sub(domain, 0, n);
}
