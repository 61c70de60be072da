/* SPDX-License-Identifier: ISC */
/*
 * Design: rounds over all hops instead of one hop after the other, so that
 * a path of ten routers costs three round trips and not thirty, and a router
 * that limits its ICMP errors is asked again later rather than at once.
 *
 * A quote proves that a message was unchanged only if it reaches past the
 * place where the far end saw the first edit: a 28-byte quote proves nothing
 * and only names the hop.
 */
#include "probe/hop.h"

#include "base/clock.h"

enum {
	CONTEXT_BYTES = 120, /* of evidence, from the line that changed */
	ROUND_GAP_MS = 300,  /* between rounds: only the last is waited for */
};

void hop_walk_init(struct hop_walk *w, unsigned n_hops, size_t edit_at,
                   int64_t srtt_ns, int64_t now_ns)
{
	*w = (struct hop_walk){
		.n_hops = n_hops > HOP_MAX ? HOP_MAX : n_hops,
		.edit_at = edit_at,
		.gap_ns = 4 * NS_PER_MS,
		.patience_ns = 2 * srtt_ns + 60 * NS_PER_MS,
		.ttl = 1,
		.n_enough = 1,
		.due_ns = now_ns,
	};
}

/* The next hop that has no name yet, from @p ttl on; 0: none. */
static unsigned nameless(const struct hop_walk *w, unsigned ttl)
{
	for (; ttl <= w->n_hops; ttl++) {
		if (w->hops[ttl].n_answers == 0)
			return ttl;
	}
	return 0;
}

static bool is_over(struct hop_walk *w)
{
	if (w->round < HOP_TRIES)
		return w->n_hops == 0;
	if (w->n_short == 0)
		return true;
	w->ttl = nameless(w, w->ttl);
	return w->ttl == 0;
}

static int64_t pause_ns(const struct hop_walk *w)
{
	const int64_t gap_ns = ROUND_GAP_MS * NS_PER_MS;

	return w->round < HOP_TRIES && gap_ns < w->patience_ns ? gap_ns
	                                                       : w->patience_ns;
}

int64_t hop_walk_next(struct hop_walk *w, unsigned *ttl, int64_t now_ns)
{
	*ttl = 0;
	if (now_ns < w->due_ns)
		return w->due_ns;
	if (is_over(w))
		return INT64_MAX;

	*ttl = w->ttl++;
	w->hops[*ttl].n_tries++;
	w->due_ns = now_ns + w->gap_ns;
	if (w->round == HOP_TRIES) {
		w->due_ns = now_ns + w->patience_ns;
	} else if (w->ttl > w->n_hops) {
		w->ttl = 1;
		w->round++;
		w->due_ns = now_ns + pause_ns(w);
	}
	return w->due_ns;
}

void hop_walk_on_short(struct hop_walk *w, const struct addr *offender)
{
	unsigned ttl = w->ttl - 1; /* the one asked last */

	w->n_short++;
	if (w->round < HOP_TRIES || w->ttl < 2 ||
	    w->hops[ttl].n_tries <= HOP_TRIES)
		return;
	w->hops[ttl].n_answers++;
	w->hops[ttl].addr = *offender;
}

static size_t first_difference(struct slice sent, struct slice quote)
{
	size_t n = quote.n < sent.n ? quote.n : sent.n;

	for (size_t i = 0; i < n; i++) {
		if (sent.p[i] != quote.p[i])
			return i;
	}
	return quote.n > sent.n ? n : SIZE_MAX;
}

/* From the start of the line that holds @p at. */
static struct slice line_around(struct slice s, size_t at)
{
	size_t start = at < s.n ? at : s.n;
	size_t n = 0;

	while (start > 0 && s.p[start - 1] != '\n' &&
	       at - start < CONTEXT_BYTES)
		start--;
	while (start + n < s.n && s.p[start + n] != '\r' &&
	       s.p[start + n] != '\n' && n < 2 * (size_t)CONTEXT_BYTES)
		n++;
	return slice_sub(s, start, n);
}

void hop_walk_on_quote(struct hop_walk *w, unsigned ttl,
                       const struct addr *offender, struct slice sent,
                       struct slice quote)
{
	struct hop_view *v;
	size_t at;

	if (ttl == 0 || ttl > w->n_hops)
		return;
	v = &w->hops[ttl];
	v->n_answers++;
	v->addr = *offender;
	if (quote.n > v->quote_bytes)
		v->quote_bytes = quote.n;

	at = first_difference(sent, quote);
	if (at == SIZE_MAX) {
		if (w->edit_at != SIZE_MAX && quote.n > w->edit_at)
			v->is_unchanged = true;
		return;
	}
	if (v->is_changed)
		return;
	v->is_changed = true;
	v->changed_at = at;
	v->before = line_around(sent, at);
	v->after = line_around(quote, at);
}

struct hop_place hop_walk_edit(const struct hop_walk *w)
{
	struct hop_place pl = {.is_known = true, .hop_max = w->n_hops + 1};

	for (unsigned ttl = 1; ttl <= w->n_hops; ttl++) {
		if (w->hops[ttl].is_changed) {
			pl.hop_max = ttl;
			break;
		}
	}
	for (unsigned ttl = 1; ttl < pl.hop_max; ttl++) {
		if (w->hops[ttl].is_unchanged)
			pl.hop_min = ttl;
	}
	/* The very first hop seeing it changed accuses what is before it: this
	 * computer or a bridge, or a router that edits as it receives. */
	pl.is_exact = pl.hop_min > 0 && pl.hop_max == pl.hop_min + 1;
	if (pl.is_exact) {
		pl.hop = pl.hop_min;
		pl.addr = w->hops[pl.hop].addr;
	}
	/* Nothing between the two ends was heard: no information at all. */
	if (pl.hop_min == 0 && pl.hop_max == w->n_hops + 1)
		pl.is_known = false;
	return pl;
}

struct hop_place hop_walk_loss(const struct hop_walk *w,
                               const struct hop_walk *twin)
{
	struct hop_place pl = {0};

	for (unsigned ttl = 1; ttl <= w->n_hops; ttl++) {
		if (w->hops[ttl].n_answers >= w->n_enough)
			pl.hop_min = ttl;
	}
	pl.hop_max = pl.hop_min + 1;
	while (twin && pl.hop_max <= w->n_hops &&
	       !twin->hops[pl.hop_max].n_answers)
		pl.hop_max++;
	/* nothing between the two ends was heard */
	pl.is_known = pl.hop_min > 0 || (twin && pl.hop_max <= w->n_hops);
	return pl;
}

struct hop_place hop_place_turn(const struct hop_place *pl, unsigned n_hops)
{
	struct hop_place out = *pl;

	out.hop_min = n_hops + 1 - pl->hop_max;
	out.hop_max = n_hops + 1 - pl->hop_min;
	if (pl->is_exact)
		out.hop = n_hops + 1 - pl->hop;
	return out;
}

struct hop_place hop_place_meet(const struct hop_place *there,
                                const struct hop_place *back)
{
	struct hop_place pl = *there;

	if (!there->is_known || !back->is_known ||
	    there->hop_max < back->hop_min || back->hop_max < there->hop_min)
		return pl;
	if (back->hop_min > pl.hop_min)
		pl.hop_min = back->hop_min;
	if (back->hop_max < pl.hop_max)
		pl.hop_max = back->hop_max;
	pl.is_exact = pl.hop_min == pl.hop_max;
	if (pl.is_exact)
		pl.hop = pl.hop_min;
	return pl;
}
