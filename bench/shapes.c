/* SPDX-License-Identifier: ISC */
/*
 * Design: each shape is bad for another way of looking for dead rules. Stairs
 * and nests meet all that came before; tiles and boards are covered only by
 * thousands together; combs cut what is left into ever more pieces; boxes at
 * random do a little of all. Half of the rules are asked about the other half.
 */
#include "shapes.h"

#include <math.h>

enum {
	PORTS = 65536,
};

static uint64_t seed;

static unsigned rnd(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned)(seed >> 33) % n;
}

/* Addresses 198.18.0.0 and on. */
static void put(struct wr *w, unsigned from, unsigned to, unsigned lo,
                unsigned hi)
{
	const unsigned base = 198U << 24 | 18U << 16;
	const unsigned a = base + from, b = base + to;

	if (lo > PORTS - 1)
		lo = PORTS - 1;
	if (hi > PORTS - 1)
		hi = PORTS - 1;
	wr_fmt(w,
	       "\t\tip daddr %u.%u.%u.%u-%u.%u.%u.%u udp dport %u-%u accept\n",
	       a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255, b >> 24,
	       b >> 16 & 255, b >> 8 & 255, b & 255, lo, hi);
}

/* Port ranges that overlap the next, each over another prefix. */
static void put_stairs(struct wr *w, unsigned i, unsigned n)
{
	const unsigned step = n < PORTS ? PORTS / n : 1;
	const unsigned k = i % 5 == 4 ? i / 2 : i;

	put(w, k & ~255U, k | 4095, step * k, step * k + 1000);
}

/* Each over a little more than the last. */
static void put_nest(struct wr *w, unsigned i, unsigned n)
{
	put(w, n - i, n + i, PORTS / 2 - i / 2, PORTS / 2 + i / 2);
}

/* Prefixes in prefixes, the widest last, then all of it again. */
static void put_prefixes(struct wr *w, unsigned i, unsigned n)
{
	const unsigned bits = i < n / 2 ? i * 16 / n : 8 - (i - n / 2) * 16 / n;
	const unsigned size = 1U << bits, at = rnd(1 << 17) & ~(size - 1);

	put(w, at, at + size - 1, 5000 + (i & 7), 5060 + (i & 7));
}

/* Bars one way, bars the other way, and then what lies under both. */
static void put_comb(struct wr *w, unsigned i, unsigned n)
{
	const unsigned k = i / 3;

	if (i % 3 == 0)
		put(w, 2 * k, 2 * k, 0, PORTS - 1);
	else if (i % 3 == 1)
		put(w, 0, 2 * n, 2 * k, 2 * k);
	else
		put(w, k, k + 1, k, k + 200);
}

static void put_random(struct wr *w, unsigned i, unsigned n)
{
	const unsigned wide = 1 + rnd(2) * rnd(20000), at = rnd(1 << 17);
	const unsigned lo = rnd(PORTS);

	(void)i;
	(void)n;
	put(w, at, at + wide, lo, lo + rnd(20000));
}

/* Tiles of a plane, every other one first; then areas of some tiles. */
static void put_board(struct wr *w, unsigned i, unsigned n)
{
	const unsigned half = n / 2, side = (unsigned)sqrt((double)half);
	const unsigned k = i * 2 < half ? i * 2 : i * 2 - half;
	const unsigned x = k % side, y = k / side;
	const unsigned lo = rnd(side), from = rnd(side);

	if (i < half)
		put(w, x * 10, x * 10 + 9, y * 10, y * 10 + 9);
	else
		put(w, from * 10, from * 10 + 400, lo * 10, lo * 10 + 399);
}

/* The same, with areas that end in the middle of tiles, the small ones first.
 */
static void put_areas(struct wr *w, unsigned i, unsigned n)
{
	const unsigned half = n / 2, side = (unsigned)sqrt((double)half);
	const unsigned size = i < half ? 0 : (i - half) * 10 / side * 2;

	if (i < half)
		put(w, i % side * 10, i % side * 10 + 9, i / side * 10,
		    i / side * 10 + 9);
	else
		put(w, rnd(side) * 5, rnd(side) * 5 + size, rnd(side) * 5,
		    rnd(side) * 5 + size);
}

const struct shape shapes[] = {
	{"stairs", put_stairs},     {"nest", put_nest},
	{"prefixes", put_prefixes}, {"comb", put_comb},
	{"random", put_random},     {"board", put_board},
	{"areas", put_areas},       {NULL, NULL},
};

void shape_make(struct wr *w, const struct shape *s, unsigned n)
{
	seed = 1;
	wr_str(w, "table inet fw {\n\tchain forward {\n\t\ttype filter hook "
	          "forward priority filter; policy drop;\n");
	for (unsigned i = 0; i < n; i++)
		s->put(w, i, n);
	wr_str(w, "\t}\n}\n");
}
