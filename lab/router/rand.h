/* SPDX-License-Identifier: ISC */
/** Numbers that look random and come out the same for the same seed
 *  (splitmix64). For misbehaving on purpose; never for secrets. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct router_rand {
	uint64_t state; /**< any value is a seed */
};

static inline uint64_t router_rand_u64(struct router_rand *r)
{
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/** 0 to @p n - 1; @p n is not 0. */
static inline uint32_t router_rand_below(struct router_rand *r, uint32_t n)
{
	return (uint32_t)((router_rand_u64(r) >> 32) * n >> 32);
}

/** True @p ppm times in a million. Takes one number even when it is 0, so
 *  that one impairment does not shift the dice of another. */
static inline bool router_rand_is(struct router_rand *r, uint32_t ppm)
{
	return router_rand_below(r, 1000000) < ppm;
}
