/* SPDX-License-Identifier: ISC */
/*
 * Design: a token bucket needs one number, the time at which it will be full
 * again (the generic cell rate algorithm). A slot whose time has passed is as
 * good as empty, so ageing costs nothing: there is no sweep, and an entry is
 * two words. A source may sit in WINDOW neighbouring slots. A live entry is
 * never evicted, or a flood of forged sources would wash out the very limits
 * that it is meant to meet.
 */
#include "edge/limit.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"

enum {
	WINDOW = 8,
};

struct slot {
	uint64_t key;
	int64_t full_ns; /* the bucket is full again; passed: the slot is free
	                  */
};

struct edge_limit {
	size_t mask;
	int64_t step_ns;  /* one token */
	int64_t depth_ns; /* the whole burst */
	uint64_t seed;
	struct slot slots[];
};

int edge_limit_alloc(struct edge_limit **lp, const struct edge_limit_conf *conf)
{
	struct edge_limit *l;
	size_t n = conf->n_slots;

	if (n < WINDOW || (n & (n - 1)) || !conf->per_s || !conf->burst ||
	    n > SIZE_MAX / sizeof(struct slot) / 2)
		return EINVAL;
	l = calloc(1, sizeof(*l) + n * sizeof(struct slot));
	if (!l)
		return ENOMEM;
	l->mask = n - 1;
	l->step_ns = NS_PER_S / conf->per_s;
	l->depth_ns = l->step_ns * conf->burst;
	l->seed = conf->seed;
	*lp = l;
	return 0;
}

void edge_limit_free(struct edge_limit *l)
{
	free(l);
}

/* The /64 or the address; no unicast /64 begins with ffff. */
static uint64_t source_key(const struct addr *a)
{
	struct rd r = rd_init(addr_ip(a));

	if (a->family == ADDR_IP6)
		return rd_u64(&r);
	return UINT64_C(0xffff) << 48 | rd_u32(&r);
}

/* splitmix64's finisher: every input bit reaches every output bit. */
static uint64_t mix(uint64_t v)
{
	v ^= v >> 30;
	v *= UINT64_C(0xbf58476d1ce4e5b9);
	v ^= v >> 27;
	v *= UINT64_C(0x94d049bb133111eb);
	return v ^ v >> 31;
}

static struct slot *find(struct edge_limit *l, uint64_t key, int64_t mono_ns)
{
	uint64_t at = mix(mix(key ^ l->seed) + l->seed);
	struct slot *free_slot = NULL;

	for (size_t i = 0; i < WINDOW; i++) {
		struct slot *s = &l->slots[(at + i) & l->mask];

		if (s->full_ns <= mono_ns) {
			if (!free_slot)
				free_slot = s;
		} else if (s->key == key) {
			return s;
		}
	}
	if (free_slot)
		*free_slot = (struct slot){.key = key, .full_ns = mono_ns};
	return free_slot;
}

bool edge_limit_take(struct edge_limit *l, const struct addr *from,
                     int64_t mono_ns)
{
	struct slot *s = find(l, source_key(from), mono_ns);

	if (!s || s->full_ns + l->step_ns - mono_ns > l->depth_ns)
		return false;
	s->full_ns += l->step_ns;
	return true;
}

int64_t edge_limit_wait_ns(struct edge_limit *l, const struct addr *from,
                           unsigned n, int64_t mono_ns)
{
	const struct slot *s = find(l, source_key(from), mono_ns);
	int64_t n_ns = l->step_ns * n, wait_ns;

	if (n_ns > l->depth_ns)
		n_ns = l->depth_ns;
	if (!s) /* others hold its places: nobody knows for how long */
		return l->depth_ns;
	wait_ns = s->full_ns + n_ns - mono_ns - l->depth_ns;
	return wait_ns > 0 ? wait_ns : 0;
}
