/* SPDX-License-Identifier: ISC */
/*
 * Design: where answers are dropped in this computer, everything on the way is
 * as if the server, or a box right before it, said nothing: a walk gets to the
 * last router. So before anybody else is accused, what stays silent is asked
 * in moments, beside what the kernel counts (inward.h). A computer that has
 * dropped nothing meanwhile is not asked, and costs nothing.
 *
 * A server repeats its SYN-ACK after one second, three and seven (RFC 6298). So
 * a pair of moments lasts a whole part of a second: what is repeated falls into
 * moments like the one that it answers, and never into those of rest. When the
 * first begins is left to chance, and so are strangers' clocks.
 *
 * What cannot be proved, though so much was dropped, is nobody's fault.
 *
 * One of each port speaks for the others; ports of a transport that were all
 * proved speak for the rest of it, where nothing shows that it dies earlier.
 */
#include "probe/reach.h"

#include <errno.h>
#include <sys/random.h>

#include "base/clock.h"
#include "net/here.h"
#include "net/loop.h"

#define RTT_GUESS_NS (150 * NS_PER_MS)
#define BEAT_NS      (50 * NS_PER_MS)
#define MARGIN_NS    (30 * NS_PER_MS)

enum {
	PARTS_MAX = 4,
	FLOWS_SHARE = 4,
	DROPPED_MIN = 3, /* by then; fewer are nothing to look into */
};

/* Followed as far as to the last router: on a computer that was late, the quote
 * of the last one may be among what it did not hear in time. */
static bool may_be_here(const struct reach *r, const struct where *w)
{
	const unsigned n_unheard = r->here.late_ns >= REACH_LATE_NS ? 1 : 0;

	return w->may_be_way_back || w->hop_min == 0 || w->n_hops == 0 ||
	       w->hop_min + n_unheard >= w->n_hops;
}

static bool dies_before(const struct reach *r, const struct reach_ask *a)
{
	const struct where *w;

	if (a->trace == PLAN_NONE || !r->traces[a->trace].is_over)
		return false;
	w = &r->traces[a->trace].result.where;
	return w->basis != WHERE_NO_BASIS &&
	       !(w->basis == WHERE_QUOTE && may_be_here(r, w));
}

static bool is_mute(const struct reach *r, const struct reach_ask *a)
{
	return a->stage == REACH_OVER && a->result.end == ASK_SILENT &&
	       a->result.layer == ASK_LAYER_NONE && !dies_before(r, a);
}

static bool is_alike(const struct reach_ask *a, const struct reach_ask *b)
{
	return reach_is_udp(a) == reach_is_udp(b) &&
	       a->target.addr.family == b->target.addr.family;
}

/* Where everything is silent, nothing stands out. */
static bool is_any_reached(const struct reach *r)
{
	bool is_any = false;

	for (size_t i = 0; i < r->n_asks; i++)
		is_any |= reach_has_passed(&r->asks[i]->result);
	return is_any;
}

static bool has_grown(const struct reach *r, enum addr_family family)
{
	int64_t now, before = r->here.before[family == ADDR_IP6];

	return before >= 0 && net_here_undelivered(&now, family) &&
	       now - before >= DROPPED_MIN;
}

/* As if each that is silent had been answered. */
static bool has_dropped_much(const struct reach *r, const struct reach_ask *a)
{
	enum addr_family family = a->target.addr.family;
	int64_t now, before = r->here.before[family == ADDR_IP6], n = 0;

	for (size_t i = 0; i < r->n_asks; i++)
		n += r->asks[i]->result.end == ASK_SILENT;
	return before >= 0 && net_here_undelivered(&now, family) &&
	       now - before >= n;
}

static void blame_nobody(struct where *w)
{
	w->hop_min = 0;
	w->hop_max = w->n_hops + 1;
	w->is_exact = false;
	w->who = WHERE_NOBODY;
	w->last = w->next = w->box = (struct addr){0};
	w->segment = SEGMENT_UNKNOWN;
}

static void end_asks(struct reach_here *h)
{
	for (size_t i = 0; i < INWARD_ASKS_MAX; i++) {
		ask_free(h->asks[i]);
		h->asks[i] = NULL;
	}
}

static void on_word(void *arg, const struct ask_result *res)
{
	struct reach_here *h = arg;

	h->is_heard |= res->end != ASK_SILENT;
}

static int64_t rtt_ns(const struct reach *r)
{
	return r->rtt_ns ? r->rtt_ns : RTT_GUESS_NS;
}

/* Half of the least whole part of a second that there is time in to hear. */
static int64_t moment_ns(const struct reach *r)
{
	int64_t parts = NS_PER_S / (2 * (rtt_ns(r) + 2 * MARGIN_NS));

	if (parts > PARTS_MAX)
		parts = PARTS_MAX;
	return NS_PER_S / (parts > 0 ? parts : 1) / 2;
}

static void begin_moment(struct reach_here *h)
{
	struct reach *r = h->reach;
	const struct reach_ask *a = r->asks[h->ask];
	int64_t left_ns;
	int err = 0;

	if (!net_here_undelivered(&h->count, a->target.addr.family) ||
	    h->flows < inward_n_asks(&h->inward))
		h->is_heard = true; /* it cannot be told any more */
	for (unsigned i = 0; i < inward_n_asks(&h->inward); i++) {
		if (!err)
			err = ask_start(
				&h->asks[i], reach_ops_of(r, reach_kind_of(a)),
				&a->target, &h->conf, r->report, on_word, h);
		h->is_heard |= err != 0;
	}
	h->due_ns += moment_ns(r);
	left_ns = h->due_ns - clock_mono_ns();
	net_timer_set(h->timer, left_ns > 0 ? left_ns : 0);
}

static void end_port(struct reach_here *h, bool is_proved)
{
	struct reach *r = h->reach;

	h->is_proved[h->n_ports++] = is_proved;
	h->is_running = false;
	reach_wake(r);
}

static void on_moment(void *arg)
{
	struct reach_here *h = arg;
	const struct reach_ask *a = h->reach->asks[h->ask];
	enum inward_verdict verdict = INWARD_NOT_PROVED;
	int64_t now;

	end_asks(h);
	if (!h->is_heard && net_here_undelivered(&now, a->target.addr.family))
		verdict = inward_note(&h->inward, now - h->count);
	if (verdict == INWARD_GOING)
		begin_moment(h);
	else
		end_port(h, verdict == INWARD_PROVED);
}

/* @return whether there is another port to ask */
static bool begin_port(struct reach_here *h, const struct reach_ask *a)
{
	struct reach *r = h->reach;
	bool is_new = is_mute(r, a) && !reach_is_range(a) && !a->is_inherited &&
	              has_grown(r, a->target.addr.family);
	unsigned n = 0;
	uint8_t some;

	for (size_t i = 0; i < h->n_ports; i++) {
		const struct reach_ask *b = r->asks[h->ports[i]];

		n += is_alike(a, b);
		is_new &= !is_alike(a, b) ||
		          a->target.addr.port != b->target.addr.port;
	}
	if (!is_new || n == REACH_HERE_EACH || h->n_ports == REACH_HERE_PORTS ||
	    getrandom(&some, sizeof(some), 0) != sizeof(some))
		return false;
	h->inward = (struct inward){0};
	h->due_ns = clock_mono_ns() + moment_ns(r) * some / UINT8_MAX;
	h->ask = h->ports[h->n_ports] = a->no;
	h->conf = a->conf;
	h->conf.patience_ns = rtt_ns(r) + MARGIN_NS;
	h->conf.rtt_ns = rtt_ns(r);
	h->conf.flows_left = &h->flows;
	h->is_heard = false;
	h->is_running = true;
	begin_moment(h);
	return true;
}

static bool is_kept_here(const struct reach_here *h, const struct reach_ask *a)
{
	unsigned n = 0, n_proved = 0;

	for (size_t i = 0; i < h->n_ports; i++) {
		const struct reach_ask *b = h->reach->asks[h->ports[i]];

		if (!is_alike(a, b))
			continue;
		if (a->target.addr.port == b->target.addr.port &&
		    !reach_is_range(a))
			return h->is_proved[i];
		n++;
		n_proved += h->is_proved[i];
	}
	return n == REACH_HERE_EACH && n_proved == n;
}

static void own_up(struct reach *r)
{
	for (size_t i = 0; i < r->n_asks; i++) {
		struct reach_ask *a = r->asks[i];

		a->result.is_dropped_here =
			is_mute(r, a) && is_kept_here(&r->here, a);
	}
	for (size_t i = 0; i < r->n_asks; i++) {
		struct reach_ask *a = r->asks[i];
		struct where *w = a->trace == PLAN_NONE
		                          ? NULL
		                          : &r->traces[a->trace].result.where;

		if (w && a->result.is_dropped_here)
			*w = (struct where){.basis = WHERE_LOCAL,
			                    .is_exact = true,
			                    .segment = SEGMENT_DEVICE};
		else if (w && is_mute(r, a) && has_dropped_much(r, a))
			blame_nobody(w);
	}
	for (size_t i = 0; i < r->n_asks; i++) {
		if (r->asks[i]->result.is_dropped_here)
			r->asks[i]->result.end = ASK_LOCAL;
	}
}

/* Who is late to be called was late to hear as well. */
static void on_beat(void *arg)
{
	struct reach_here *h = arg;
	int64_t now_ns = clock_mono_ns();

	if (now_ns - h->beat_ns > h->late_ns)
		h->late_ns = now_ns - h->beat_ns;
	h->beat_ns = now_ns + BEAT_NS;
	if (!h->reach->is_over)
		net_timer_set(h->beat, BEAT_NS);
}

int reach_here_start(struct reach *r)
{
	struct reach_here *h = &r->here;
	int err;

	h->reach = r;
	/* what stays silent uses up all that others may open */
	h->flows = r->flows / FLOWS_SHARE;
	r->flows -= h->flows;
	for (int i = 0; i < 2; i++) {
		if (!net_here_undelivered(&h->before[i],
		                          i ? ADDR_IP6 : ADDR_IP4))
			h->before[i] = -1;
	}
	err = net_timer_alloc(&h->timer, on_moment, h);
	if (!err)
		err = net_timer_alloc(&h->beat, on_beat, h);
	if (err)
		return err;
	h->beat_ns = clock_mono_ns() + BEAT_NS;
	net_timer_set(h->beat, BEAT_NS);
	return 0;
}

bool reach_here_go(struct reach *r)
{
	struct reach_here *h = &r->here;

	if (h->is_over || r->effort.trace_ns == 0 || !is_any_reached(r))
		return true;
	/* how far its server is, a walk may know by another */
	for (size_t i = 0; i < r->n_traces; i++) {
		if (r->traces[i].is_over)
			reach_trace_judge(r, &r->traces[i]);
	}
	for (size_t i = 0; i < r->n_asks && !h->is_running; i++)
		(void)begin_port(h, r->asks[i]);
	if (h->is_running)
		return false;
	h->is_over = true;
	own_up(r);
	return true;
}

void reach_here_stop(struct reach *r)
{
	end_asks(&r->here);
	net_timer_free(r->here.timer);
	net_timer_free(r->here.beat);
}
