/* SPDX-License-Identifier: ISC */
/*
 * Design: what is silent is placed between the last hop where its TTL ran
 * out and the first behind it that heard the known good flow. Routers check
 * the TTL before they filter what they forward (Linux, RFC 1812 section
 * 5.2.1), so the last hop that answers is the likelier of the two and gives
 * the segment; a box that filters what it receives is the next, and the
 * range says so.
 *
 * A reset bears the server's address whoever sent it. Three things give a
 * middlebox away: it answers a SYN whose TTL cannot reach the server, its
 * reset arrives with another TTL than the server's own answers, and it comes
 * from nearer than the SYN had to go: Linux forwards only what has a TTL
 * left, so its filter resets from the hop before the one where resets begin.
 * The last is believed where the way back from that hop is as long as the way
 * there, by the TTL of its own error.
 *
 * A SYN-ACK bears the server's address too. One that is drawn by a TTL at which
 * a datagram to the same server still dies, and at the next router once more,
 * is a box's: that is counted, not timed, and no load changes it.
 *
 * What nobody has passed, and sends resets from just as far as the SYN has to
 * go, may be the server or a box that filters before it counts the TTL: that
 * is not known.
 */
#include "probe/where.h"

enum {
	NEAR_ROUTERS = 2, /* behind a box that is nearer than the server */
};

static const int initial_ttls[] = {64, 128, 255};

enum segment where_segment(unsigned hop, const struct addr *a, unsigned n_hops)
{
	if (hop == 0)
		return SEGMENT_DEVICE;
	if (hop == 1)
		return SEGMENT_ROUTER;
	if (n_hops && hop >= n_hops)
		return SEGMENT_PROVIDER;
	if (a->family == ADDR_NONE)
		return SEGMENT_UNKNOWN;
	return addr_is_private(a) ? SEGMENT_LAN : SEGMENT_CARRIER;
}

/* What hop this is, as either flow knows it; 0: neither does. */
static unsigned hop_of(const struct where_flow *flow,
                       const struct where_flow *control, const struct addr *a)
{
	for (unsigned ttl = 1; ttl <= HOP_MAX; ttl++) {
		if (flow->hops[ttl].n_answers &&
		    addr_ip_eq(&flow->hops[ttl].addr, a))
			return ttl;
		if (control && control->hops[ttl].n_answers &&
		    addr_ip_eq(&control->hops[ttl].addr, a))
			return ttl;
	}
	return 0;
}

static struct addr addr_at(const struct where_flow *flow,
                           const struct where_flow *control, unsigned hop)
{
	struct addr none = {0};

	if (hop == 0 || hop > HOP_MAX)
		return none;
	if (flow->hops[hop].n_answers)
		return flow->hops[hop].addr;
	return control ? control->hops[hop].addr : none;
}

static void judge_refusal(struct where *w, const struct where_flow *flow,
                          const struct where_flow *control,
                          const struct addr *server)
{
	unsigned at = flow->refused_at;
	unsigned hop = hop_of(flow, control, &flow->refuser);

	w->basis = WHERE_REFUSAL;
	w->box = flow->refuser;
	w->icmp_type = flow->icmp_type;
	w->icmp_code = flow->icmp_code;
	w->who = WHERE_MIDDLEBOX;
	if (addr_ip_eq(&flow->refuser, server)) {
		w->who = WHERE_SERVER;
		hop = at;
	}
	/* a router may answer from an address that its TTL errors do not use:
	 * then it is the one where the TTL was spent, or the one before */
	w->hop_min = hop ? hop : at - 1;
	w->hop_max = hop ? hop : at;
	w->is_exact = hop > 0;
	w->segment = where_segment(w->hop_min ? w->hop_min : 1, &flow->refuser,
	                           w->n_hops);
	if (w->who == WHERE_SERVER)
		w->segment = SEGMENT_PROVIDER;
}

unsigned where_distance(int ttl)
{
	for (size_t i = 0; i < ARRAY_LEN(initial_ttls); i++) {
		if (ttl > 0 && ttl <= initial_ttls[i] &&
		    initial_ttls[i] - ttl < HOP_MAX)
			return (unsigned)(initial_ttls[i] - ttl) + 1;
	}
	return 0;
}

static unsigned last_heard(const struct where_flow *flow)
{
	for (unsigned ttl = HOP_MAX; ttl > 0; ttl--) {
		if (flow->hops[ttl].n_answers)
			return ttl;
	}
	return 0;
}

/* Whether the server sent the reset, by what it sent to the other flow. */
static enum where_who who_by_answer(const struct where_flow *flow,
                                    const struct where_flow *control)
{
	unsigned reset = where_distance(flow->reset_ttl);
	unsigned answer = where_distance(control->answer_ttl);

	if (flow->reset_ttl == 0)
		return WHERE_NOBODY;
	if (!control->is_icmp)
		return flow->reset_ttl == control->answer_ttl ? WHERE_SERVER
		                                              : WHERE_MIDDLEBOX;
	/* a system may begin ICMP and TCP with different TTLs */
	if (reset == answer)
		return WHERE_SERVER;
	return reset && reset < answer ? WHERE_MIDDLEBOX : WHERE_NOBODY;
}

/* Nobody has said how far the server is: is the reset from nearer than the
 * SYN had to go? */
static bool is_from_before(const struct where_flow *flow,
                           const struct where_flow *control)
{
	unsigned hop = where_distance(flow->reset_ttl);

	return hop > 0 && hop < flow->reset_at &&
	       where_distance(control->hops[hop].ttl) == hop;
}

static enum where_who who_resets(const struct where_flow *flow,
                                 const struct where_flow *control)
{
	if (!control)
		return WHERE_NOBODY;
	if (flow->reset_at < control->answer_at ||
	    last_heard(control) >= flow->reset_at)
		return WHERE_MIDDLEBOX;
	if (control->answer_ttl)
		return who_by_answer(flow, control);
	return is_from_before(flow, control) ? WHERE_MIDDLEBOX : WHERE_NOBODY;
}

static void judge_reset(struct where *w, const struct where_flow *flow,
                        const struct where_flow *control)
{
	unsigned at = flow->reset_at;
	unsigned hop = where_distance(flow->reset_ttl);

	w->basis = WHERE_RESET;
	w->hop_min = at - 1;
	w->hop_max = at;
	w->who = who_resets(flow, control);
	if (w->who == WHERE_SERVER) {
		w->hop_min = at;
		w->n_hops = at - 1;
	}
	if (w->who == WHERE_MIDDLEBOX && (hop == at || hop == at - 1))
		w->hop_min = w->hop_max = hop;
	w->is_exact = w->who != WHERE_NOBODY;
	w->box = addr_at(flow, control, w->hop_min);
	if (w->who == WHERE_SERVER)
		w->segment = SEGMENT_PROVIDER;
	else if (w->who == WHERE_MIDDLEBOX)
		w->segment = where_segment(w->hop_min ? w->hop_min : 1, &w->box,
		                           w->n_hops);
}

/* The first hop behind @p hop that heard the known good flow and must have
 * heard this one too; 0: none. */
static unsigned next_heard(const struct where_flow *flow,
                           const struct where_flow *control, unsigned hop)
{
	for (unsigned ttl = hop + 1; ttl <= HOP_MAX; ttl++) {
		if (control->hops[ttl].n_answers && flow->hops[ttl].n_tries)
			return ttl;
		if (control->answer_at == ttl)
			return ttl;
	}
	return 0;
}

static void judge_silence(struct where *w, const struct where_flow *flow,
                          const struct where_flow *control)
{
	unsigned last = last_heard(flow);
	unsigned next = control ? next_heard(flow, control, last) : 0;

	if (last == 0 && next == 0)
		return;
	w->basis = WHERE_QUOTE;
	w->hop_min = last;
	w->hop_max = next ? next : last + 1;
	w->is_exact = next == last + 1;
	w->may_be_way_back = w->n_hops && last >= w->n_hops;
	w->who = w->may_be_way_back ? WHERE_NOBODY : WHERE_MIDDLEBOX;
	w->box = addr_at(flow, control, last);
	/* nothing was heard of it: the first router filters what it receives,
	 * or this computer what it sends. A range accuses nobody. */
	if (w->is_exact)
		w->segment = where_segment(last ? last : 1, &w->box, w->n_hops);
}

/* Hosts limit how often they refuse: a refusal that is heard at some TTL may
 * have been due at a lower one. */
static bool is_place_sure(const struct where_flow *control)
{
	unsigned at = control->answer_at;

	return at == 0 || !control->is_icmp ||
	       control->hops[at - 1].n_answers > 0 ||
	       where_distance(control->answer_ttl) == at;
}

struct where where_judge(const struct where_flow *flow,
                         const struct where_flow *control,
                         const struct addr *server)
{
	struct where w = {.segment = SEGMENT_UNKNOWN};
	struct where_flow unsure;

	if (control && !is_place_sure(control)) {
		unsure = *control;
		unsure.answer_at = 0;
		control = &unsure;
	}
	if (control && control->answer_at)
		w.n_hops = control->answer_at - 1;
	if (flow->error) {
		w.basis = WHERE_LOCAL;
		w.is_exact = true;
		w.segment = SEGMENT_DEVICE;
		return w;
	}
	if (flow->refused_at)
		judge_refusal(&w, flow, control, server);
	else if (flow->reset_at)
		judge_reset(&w, flow, control);
	else if (!flow->answer_at)
		judge_silence(&w, flow, control);
	if (w.basis == WHERE_NO_BASIS)
		return w;
	w.last = addr_at(flow, control, w.hop_min);
	w.next = w.hop_max == w.n_hops + 1 && w.n_hops
	                 ? *server
	                 : addr_at(flow, control, w.hop_max);
	w.next.port = 0;
	return w;
}

/* A late error may be counted for the TTL that was asked next: a router is
 * where it was heard first. */
static bool is_first_heard(const struct where_flow *f, unsigned hop)
{
	if (f->hops[hop].n_answers == 0)
		return false;
	for (unsigned ttl = 1; ttl < hop; ttl++) {
		if (f->hops[ttl].n_answers &&
		    addr_ip_eq(&f->hops[ttl].addr, &f->hops[hop].addr))
			return false;
	}
	return true;
}

static bool is_same_way(const struct where_flow *a, const struct where_flow *b,
                        unsigned below)
{
	for (unsigned ttl = 1; ttl < below; ttl++) {
		if (a->hops[ttl].n_answers && b->hops[ttl].n_answers &&
		    !addr_ip_eq(&a->hops[ttl].addr, &b->hops[ttl].addr))
			return false;
	}
	return true;
}

/* The farthest router that let a datagram die; 0: none did. */
static unsigned last_router(const struct where_flow *f)
{
	unsigned hop = HOP_MAX;

	while (hop > 0 && !is_first_heard(f, hop))
		hop--;
	return hop;
}

bool where_opens_near(const struct where_flow *flow,
                      const struct where_flow *control)
{
	unsigned at = flow->answer_at, n_behind = 0;

	if (at == 0 || flow->is_icmp || flow->reset_at || flow->refused_at)
		return false;
	for (unsigned ttl = at; ttl <= HOP_MAX; ttl++)
		n_behind += is_first_heard(control, ttl);
	return n_behind >= NEAR_ROUTERS && is_same_way(flow, control, at);
}

bool where_near_judge(struct where_near *n, const struct where_flow *flow,
                      const struct where_flow *control)
{
	unsigned from = where_distance(flow->answer_ttl);
	unsigned at = flow->answer_at, server_min = last_router(control) + 1;
	struct addr box;

	if (!where_opens_near(flow, control) || from == 0 || from > at + 1 ||
	    from >= server_min)
		return false;
	box = control->hops[at].n_answers ? control->hops[at].addr
	                                  : (struct addr){0};
	*n = (struct where_near){
		.hop = at,
		.server_min = server_min,
		.box = box,
		.segment = where_segment(at, &box, server_min - 1),
	};
	return true;
}

const char *where_basis_name(enum where_basis b)
{
	static const char *const names[WHERE_BASES] = {
		[WHERE_NO_BASIS] = "none",        [WHERE_QUOTE] = "quote",
		[WHERE_REFUSAL] = "icmp-refusal", [WHERE_RESET] = "reset",
		[WHERE_LOCAL] = "local",
	};

	return names[b];
}

const char *where_who_name(enum where_who w)
{
	static const char *const names[] = {
		[WHERE_NOBODY] = "unknown",
		[WHERE_MIDDLEBOX] = "middlebox",
		[WHERE_SERVER] = "server",
	};

	return names[w];
}
