/* SPDX-License-Identifier: ISC */
/** A simulated network for probe/range.c: thousands of runs, no time. */
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "probe/range.h"
#include "test.h"

enum {
	EVENTS = 16384,
	SPANS = 4096,
	N_PORTS = 65536,
	REFUSALS_BURST = 6,
	STEPS_MAX = 2000000,
};

enum fate {
	FATE_PASS,
	FATE_DROP,
	FATE_REFUSE, /* a few a second, then drop */
};

/* What the network does. */
struct net {
	uint8_t fate[N_PORTS];
	uint8_t has_flow[N_PORTS];
	uint8_t has_fresh[64];
	int64_t rtt_ns;
	unsigned loss_ppm;    /* each way */
	unsigned table_max;   /* flows; 0: no limit */
	unsigned new_per_s;   /* flows; 0: no limit */
	bool dies;            /* once the table is full, nothing passes */
	uint16_t silent_port; /* this one and 19 more, for so long */
	int64_t silent_ns;
	bool mute;          /* passes show at the rate of refusals only */
	bool resets;        /* refusals are resets: as many as it takes */
	bool is_far_end;    /* it seems that the far end has sent them */
	int64_t refuses_ns; /* nobody has a word left for refusals until then */
	unsigned
		first_too_late; /* answers of fresh flow 0 come this late, ms */
	uint64_t rand;
	/* state */
	unsigned n_table;
	int64_t tokens_ns, refusals_ns;
	unsigned n_refusals;
};

struct event {
	int64_t at_ns;
	struct range_step step;
	int64_t sent_ns;
	bool is_refusal;
};

static struct event events[EVENTS];
static unsigned n_events;
static struct net net;
static struct range_span spans[SPANS];

static inline unsigned draw_below(unsigned n)
{
	net.rand = net.rand * 6364136223846793005U + 1442695040888963407U;
	return (unsigned)((net.rand >> 33) % n);
}

static inline bool is_lost(void)
{
	return draw_below(1000000) < net.loss_ppm;
}

/* Does the box on the way have room for this flow? */
static inline bool has_room(const struct range_step *s, int64_t now)
{
	uint8_t *flow =
		s->is_fresh ? &net.has_fresh[s->fresh] : &net.has_flow[s->port];

	if (net.dies && net.n_table >= net.table_max)
		return false;
	if (*flow)
		return true;
	if (net.table_max && net.n_table >= net.table_max)
		return false;
	if (net.new_per_s) {
		int64_t gap = NS_PER_S / net.new_per_s;

		if (net.tokens_ns < now - 10 * gap)
			net.tokens_ns = now - 10 * gap;
		if (net.tokens_ns > now)
			return false;
		net.tokens_ns += gap;
	}
	*flow = 1;
	net.n_table++;
	return true;
}

static inline bool may_refuse(int64_t now)
{
	if (now < net.refuses_ns)
		return false;
	if (net.resets)
		return true;
	if (now - net.refusals_ns > NS_PER_S) {
		net.refusals_ns = now;
		net.n_refusals = 0;
	}
	return net.n_refusals++ < REFUSALS_BURST;
}

/* A heap by time. */
static inline void put_event(struct event e)
{
	unsigned i = n_events++;

	assert_true(n_events < EVENTS);
	while (i > 0 && events[(i - 1) / 2].at_ns > e.at_ns) {
		events[i] = events[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	events[i] = e;
}

static inline struct event take_event(void)
{
	struct event top = events[0], e = events[--n_events];
	unsigned i = 0, k;

	while ((k = 2 * i + 1) < n_events) {
		if (k + 1 < n_events && events[k + 1].at_ns < events[k].at_ns)
			k++;
		if (events[k].at_ns >= e.at_ns)
			break;
		events[i] = events[k];
		i = k;
	}
	events[i] = e;
	return top;
}

static inline void send_step(const struct range_step *s, int64_t now)
{
	enum fate fate = (enum fate)net.fate[s->port];
	struct event e = {.step = *s, .sent_ns = now};
	bool shows = !net.mute && fate == FATE_PASS;

	if (now < net.silent_ns && s->port >= net.silent_port &&
	    s->port < net.silent_port + 20)
		return;
	if (is_lost() || !has_room(s, now) || fate == FATE_DROP || is_lost())
		return;
	e.is_refusal = fate == FATE_REFUSE;
	if (!shows && !may_refuse(now))
		return;
	e.at_ns = now + net.rtt_ns + draw_below(1 + (unsigned)net.rtt_ns / 8);
	if (s->is_fresh && s->fresh == 0)
		e.at_ns += net.first_too_late * NS_PER_MS;
	put_event(e);
}

static inline void deliver(struct range *r, const struct event *e, int64_t now)
{
	if (e->step.is_fresh)
		range_on_fresh(r, e->step.fresh, now);
	else if (e->is_refusal && net.is_far_end)
		range_on_closed(r, e->step.port, now - e->sent_ns, now);
	else if (e->is_refusal)
		range_on_refused(r, e->step.port, now);
	else
		range_on_pass(r, e->step.port, now - e->sent_ns, now);
}

/* @return how long it took, ns */
static inline int64_t run(struct range *r)
{
	int64_t now = 0, next;
	struct range_step step;
	unsigned n_steps = 0;

	n_events = 0;
	for (;;) {
		next = range_next(r, &step, now);
		assert_true(n_steps++ < STEPS_MAX);
		if (step.port) {
			send_step(&step, now);
			continue;
		}
		if (next == INT64_MAX)
			return now;
		assert_true(next > now);
		if (n_events && events[0].at_ns <= next) {
			struct event e = take_event();

			now = e.at_ns > now ? e.at_ns : now;
			deliver(r, &e, now);
		} else {
			now = next;
		}
	}
}

static inline void net_reset(uint64_t seed)
{
	memset(&net, 0, sizeof(net));
	net.rand = seed * 2654435761U + 1;
	net.rtt_ns = 40 * NS_PER_MS;
}

static inline struct range *start(uint16_t first, uint16_t last, bool is_full,
                                  unsigned *flows, uint64_t seed)
{
	struct range_conf conf = {
		.first = first,
		.last = last,
		.is_full = is_full,
		.seed = seed,
		.window_max = is_full ? RANGE_WINDOW_MAX : 512,
		.flows_left = flows,
	};
	struct range *r = NULL;

	assert_int_equal(range_alloc(&r, &conf, 0), 0);
	return r;
}

static inline struct range *start_beside(struct range_board *board,
                                         unsigned *flows, uint64_t seed)
{
	struct range_conf conf = {
		.first = 10000,
		.last = 65535,
		.seed = seed,
		.window_max = 256,
		.flows_left = flows,
		.board = board,
	};
	struct range *r = NULL;

	assert_int_equal(range_alloc(&r, &conf, 0), 0);
	return r;
}

/* What range_spans() should say, from what the network does. */
static inline unsigned truth(uint16_t first, uint16_t last,
                             struct range_span *out)
{
	unsigned n = 0;

	for (unsigned p = first; p <= last; p++) {
		if (net.fate[p] == FATE_PASS)
			continue;
		if (p == first || net.fate[p - 1] == FATE_PASS)
			out[n++].first = (uint16_t)p;
		out[n - 1].last = (uint16_t)p;
	}
	return n;
}

static inline void assert_truth(const struct range *r, uint16_t first,
                                uint16_t last, uint64_t seed)
{
	static struct range_span want[N_PORTS];
	unsigned n = range_spans(r, spans, SPANS);
	unsigned n_want = truth(first, last, want);
	struct range_sum sum;

	range_sum(&sum, r);
	if (n != n_want)
		fail_msg("seed %u: %u spans, not %u", (unsigned)seed, n,
		         n_want);
	for (unsigned i = 0; i < n; i++) {
		if (spans[i].first != want[i].first ||
		    spans[i].last != want[i].last ||
		    spans[i].first_min != want[i].first ||
		    spans[i].last_max != want[i].last)
			fail_msg("seed %u: %u-%u (%u-%u), not %u-%u",
			         (unsigned)seed, spans[i].first, spans[i].last,
			         spans[i].first_min, spans[i].last_max,
			         want[i].first, want[i].last);
	}
	assert_true(sum.is_exact);
	assert_int_equal(sum.table_limit, 0);
}

static inline void block(unsigned first, unsigned last, enum fate fate)
{
	memset(net.fate + first, (int)fate, last - first + 1);
}

/* One to three wide parts, anywhere, some refused and some dropped. */
static inline void block_parts(unsigned first, unsigned last)
{
	unsigned n = 1 + draw_below(3);
	unsigned share = (last - first + 1) / n;

	for (unsigned i = 0; i < n; i++) {
		unsigned from = first + i * share;
		unsigned begin = from + draw_below(share / 4);
		unsigned width = share / 4 + draw_below(share / 4);

		block(begin, begin + width,
		      draw_below(2) ? FATE_DROP : FATE_REFUSE);
	}
}
