/* SPDX-License-Identifier: ISC */
/*
 * Design: a heap by departure, with the order of arrival as the second key,
 * so that equal times keep their order. A packet's fate is decided when it
 * comes in, with a fixed number of dice, so that one impairment never moves
 * the dice of another.
 *
 * The queue of a rate is not a second structure: the line is busy until some
 * time, and who would wait for more packets than the queue holds is dropped.
 */
#include "router/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

struct item {
	int64_t due_ns;
	uint64_t order;
	uint32_t slot;
};

struct buf {
	size_t n;
	uint8_t b[ROUTER_PATH_PKT_BYTES];
};

struct router_path {
	struct router_path_conf conf;
	struct router_rand rand;
	struct router_path_count count;
	bool is_bad;
	uint64_t order;
	int64_t last_ns; /* due time of the last that kept its place */
	int64_t busy_ns; /* the line, until then */
	int64_t ends_ns[ROUTER_PATH_PKTS]; /* of the line, oldest first */
	size_t ends_at, n_ends;
	struct item heap[ROUTER_PATH_PKTS];
	size_t n;
	uint32_t free[ROUTER_PATH_PKTS];
	size_t n_free;
	struct buf *bufs;
};

static bool is_cable(const struct router_path_conf *c)
{
	return !c->delay_ns && !c->jitter_ns && !c->loss_ppm && !c->bad_ppm &&
	       !c->reorder_ppm && !c->dup_ppm && !c->rate_bps;
}

int router_path_alloc(struct router_path **pp,
                      const struct router_path_conf *conf, uint64_t seed)
{
	const struct router_path_conf *c = conf;
	const uint32_t shares[] = {c->loss_ppm,     c->bad_ppm,     c->good_ppm,
	                           c->bad_loss_ppm, c->reorder_ppm, c->dup_ppm};
	struct router_path *p;

	for (size_t i = 0; i < ARRAY_LEN(shares); i++) {
		if (shares[i] > ROUTER_PATH_MAX_PPM)
			return EINVAL;
	}
	if (c->delay_ns < 0 || c->jitter_ns < 0 ||
	    c->queue_pkts > ROUTER_PATH_PKTS)
		return EINVAL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return ENOMEM;
	p->conf = *c;
	p->rand.state = seed;
	p->bufs = calloc(is_cable(c) ? 1 : ROUTER_PATH_PKTS, sizeof(*p->bufs));
	if (!p->bufs) {
		router_path_free(p);
		return ENOMEM;
	}
	p->n_free = is_cable(c) ? 0 : ROUTER_PATH_PKTS;
	for (uint32_t i = 0; i < p->n_free; i++)
		p->free[i] = i;
	*pp = p;
	return 0;
}

void router_path_free(struct router_path *p)
{
	if (p)
		free(p->bufs);
	free(p);
}

bool router_path_is_cable(const struct router_path *p)
{
	return is_cable(&p->conf);
}

const struct router_path_count *router_path_count(const struct router_path *p)
{
	return &p->count;
}

static bool is_before(const struct item *a, const struct item *b)
{
	if (a->due_ns != b->due_ns)
		return a->due_ns < b->due_ns;
	return a->order < b->order;
}

static void swap(struct item *a, struct item *b)
{
	struct item t = *a;

	*a = *b;
	*b = t;
}

static void heap_put(struct router_path *p, struct item item)
{
	size_t i = p->n++;

	p->heap[i] = item;
	while (i && is_before(&p->heap[i], &p->heap[(i - 1) / 2])) {
		swap(&p->heap[i], &p->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
}

static struct item heap_take(struct router_path *p)
{
	struct item top = p->heap[0];
	size_t i = 0;

	p->heap[0] = p->heap[--p->n];
	for (;;) {
		size_t least = i;

		for (size_t c = 2 * i + 1; c <= 2 * i + 2 && c < p->n; c++) {
			if (is_before(&p->heap[c], &p->heap[least]))
				least = c;
		}
		if (least == i)
			return top;
		swap(&p->heap[i], &p->heap[least]);
		i = least;
	}
}

static void send_later(struct router_path *p, struct slice pkt, int64_t due_ns)
{
	struct item item = {.due_ns = due_ns, .order = p->order++};

	if (!p->n_free || pkt.n > ROUTER_PATH_PKT_BYTES) {
		p->count.n_overflowed++;
		return;
	}
	item.slot = p->free[--p->n_free];
	memcpy(p->bufs[item.slot].b, pkt.p, pkt.n);
	p->bufs[item.slot].n = pkt.n;
	heap_put(p, item);
}

static bool is_lost(struct router_path *p)
{
	const struct router_path_conf *c = &p->conf;
	bool turns =
		router_rand_is(&p->rand, p->is_bad ? c->good_ppm : c->bad_ppm);
	bool is_unlucky;

	if (turns)
		p->is_bad = !p->is_bad;
	is_unlucky = router_rand_is(&p->rand, p->is_bad ? c->bad_loss_ppm : 0);
	return router_rand_is(&p->rand, c->loss_ppm) || is_unlucky;
}

/* When the line has sent it. @return 0, or ENOSPC: the queue is full */
static int line_take(struct router_path *p, size_t bytes, int64_t *at_ns)
{
	unsigned depth =
		p->conf.queue_pkts ? p->conf.queue_pkts : ROUTER_PATH_PKTS;

	if (!p->conf.rate_bps)
		return 0;
	while (p->n_ends && p->ends_ns[p->ends_at] <= *at_ns) {
		p->ends_at = (p->ends_at + 1) % ROUTER_PATH_PKTS;
		p->n_ends--;
	}
	if (p->n_ends >= depth)
		return ENOSPC;
	if (p->busy_ns < *at_ns)
		p->busy_ns = *at_ns;
	p->busy_ns +=
		(int64_t)((uint64_t)bytes * 8 * NS_PER_S / p->conf.rate_bps);
	p->ends_ns[(p->ends_at + p->n_ends++) % ROUTER_PATH_PKTS] = p->busy_ns;
	*at_ns = p->busy_ns;
	return 0;
}

void router_path_put(struct router_path *p, struct slice pkt, int64_t now_ns)
{
	const struct router_path_conf *c = &p->conf;
	bool lost = is_lost(p);
	bool overtakes = router_rand_is(&p->rand, c->reorder_ppm);
	bool twice = router_rand_is(&p->rand, c->dup_ppm);
	uint64_t dice = router_rand_u64(&p->rand);
	int64_t at_ns = now_ns;

	p->count.n_in++;
	if (lost) {
		p->count.n_lost++;
		return;
	}
	if (line_take(p, pkt.n, &at_ns) != 0) {
		p->count.n_overflowed++;
		return;
	}
	if (overtakes) {
		p->count.n_reordered += at_ns < p->last_ns;
	} else {
		at_ns += c->delay_ns;
		if (c->jitter_ns)
			at_ns += (int64_t)(dice % (uint64_t)(c->jitter_ns + 1));
		if (at_ns < p->last_ns)
			at_ns = p->last_ns;
		p->last_ns = at_ns;
	}
	send_later(p, pkt, at_ns);
	if (twice) {
		p->count.n_duplicated++;
		send_later(p, pkt, at_ns);
	}
}

bool router_path_take(struct router_path *p, struct slice *pkt, int64_t now_ns)
{
	struct item item;

	if (!p->n || p->heap[0].due_ns > now_ns)
		return false;
	item = heap_take(p);
	p->free[p->n_free++] = item.slot;
	p->count.n_out++;
	*pkt = (struct slice){p->bufs[item.slot].b, p->bufs[item.slot].n};
	return true;
}

int64_t router_path_next_ns(const struct router_path *p)
{
	return p->n ? p->heap[0].due_ns : INT64_MAX;
}
