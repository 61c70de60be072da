/* SPDX-License-Identifier: ISC */
/*
 * Design: up to four walks at once, so that they cost the time of one. Out
 * goes the message that was changed or lost; beside a lost one goes its twin,
 * which tells what hops answer at all. The edge can be asked to send with a
 * TTL, too: then the same is done in the other direction, where this computer
 * is the last hop. What only that direction shows is placed by it alone; a
 * message that is swallowed both ways is placed by both (hop_place_meet()).
 *
 * Hops of the way back are counted from the edge and mean something here only
 * if both ways have as many routers: what arrives tells.
 */
#include "probe/alg.h"

#include <errno.h>

#include "base/clock.h"

enum {
	HOPS_IF_UNKNOWN = 16,
	LONGEST_PORT = 65535, /* as text */
	BACK_HOPS_MAX = 18,   /* what a session of the edge sends at most */
};

static const struct ladder_spec plain_twin = {
	.transport = WIRE_UDP,
	.role = WIRE_ROLE_TWIN,
	.what = LADDER_OPTIONS,
	.flags = SIP_CANARY_SHORT,
};

/* Where the far end saw the first change; SIZE_MAX: none, or not known. */
static size_t edit_at(struct slice sent, struct slice arrived)
{
	struct sip_diff d;

	if (!sent.p || !arrived.p)
		return SIZE_MAX;
	sip_diff(&d, sent, arrived, NULL);
	return d.first_byte;
}

static bool is_walkable(const struct ladder_shot *ls,
                        enum wire_transport transport)
{
	return ls->spec.transport == transport &&
	       !(ls->spec.how & (LADDER_SPLIT | LADDER_FRESH)) &&
	       ls->spec.pad_bytes == 0 && ls->spec.what != LADDER_CRLF;
}

/* The first that ended so. */
static int find_lost(const struct alg *a, enum ladder_result result)
{
	for (size_t i = 0; i < a->ladder.n; i++) {
		const struct ladder_shot *ls = &a->ladder.shots[i];

		if (ls->result == result && is_walkable(ls, WIRE_UDP) &&
		    ls->spec.role == WIRE_ROLE_SIP)
			return (int)i;
	}
	return LADDER_NONE;
}

/* The changed message whose first change lies nearest to its start, where
 * even a router that quotes little still shows it. */
static int find_edited(const struct alg *a, enum wire_transport transport)
{
	int best = LADDER_NONE;
	size_t best_at = SIZE_MAX;

	for (size_t i = 0; i < a->ladder.n; i++) {
		const struct ladder_shot *ls = &a->ladder.shots[i];
		size_t at;

		if (ls->result != LADDER_EDITED || !is_walkable(ls, transport))
			continue;
		at = edit_at(a->shots[i].sent, a->shots[i].arrived);
		if (at < best_at) {
			best_at = at;
			best = (int)i;
		}
	}
	return best;
}

bool alg_locate_wants_calls(const struct alg *a)
{
	int lost = find_lost(a, LADDER_REQUEST_DROPPED);

	return lost != LADDER_NONE &&
	       alg_hold_is_due(&a->ladder.shots[lost].spec) &&
	       find_edited(a, WIRE_UDP) == LADDER_NONE &&
	       find_edited(a, WIRE_TCP) == LADDER_NONE;
}

unsigned alg_locate_hops(const struct alg *a)
{
	for (size_t i = 0; i < a->ladder.n; i++) {
		unsigned ttl = a->shots[i].ttl;

		if (ttl > 0 && ttl <= ALG_TTL)
			return ALG_TTL - ttl;
	}
	return 0;
}

/* By the nearest of the values that systems begin with. */
static unsigned hops_back(const struct alg *a)
{
	static const int begins[] = {64, 128, 255};

	for (size_t i = 0; a->ttl_in > 0 && i < ARRAY_LEN(begins); i++) {
		if (a->ttl_in <= begins[i])
			return (unsigned)(begins[i] - a->ttl_in);
	}
	return 0;
}

/* The same place in the messages of the walk, which lack the token of a short
 * one and count on in CSeq. Never too early: a quote must reach past it. */
static int walk_edit_at(size_t *out, struct alg *a, int shot)
{
	struct slice sent = a->shots[shot].sent, walked;
	size_t at = edit_at(sent, a->shots[shot].arrived);
	const struct ladder_spec *sp = &a->ladder.shots[shot].spec;
	struct addr from = alg_source(a, sp);
	int err;

	if (sp->transport == WIRE_TCP)
		from.port = LONGEST_PORT;
	err = alg_build(&walked, a, sp, ALG_NUM_HOP, &from,
	                a->shots[shot].rtp_port);
	if (err)
		return err;
	*out = at;
	if (at == SIZE_MAX)
		return 0;
	if (walked.n >= sent.n)
		*out = at + (walked.n - sent.n);
	else if (at > slice_find(sent, slice_str("X-Prumo: ")))
		*out = at - (sent.n - walked.n);
	return 0;
}

static void begin(struct alg *a, enum alg_way way, unsigned n_hops, size_t edit,
                  int64_t now_ns)
{
	a->locate.walks[way].is_on = true;
	hop_walk_init(&a->locate.walks[way].walk, n_hops, edit,
	              a->ladder.srtt_ns, now_ns);
}

static void begin_out(struct alg *a, enum alg_way way,
                      const struct ladder_spec *sp, uint16_t rtp_port,
                      size_t edit, int64_t now_ns)
{
	unsigned n = alg_locate_hops(a);

	a->locate.walks[way].spec = *sp;
	a->locate.walks[way].rtp_port = rtp_port;
	begin(a, way, n ? n : HOPS_IF_UNKNOWN, edit, now_ns);
}

bool alg_locate_may_walk_back(const struct alg *a)
{
	unsigned n = alg_locate_hops(a);

	return a->control && n > 0 && n <= BACK_HOPS_MAX && n == hops_back(a);
}

/* @param model  As the edge is to send it, under the number @p number */
static void begin_back(struct alg *a, enum alg_way way, int flow,
                       struct slice model, unsigned number, size_t edit,
                       int64_t now_ns)
{
	struct alg_walk *w = &a->locate.walks[way];

	if (!model.p || flow == LADDER_NONE || !a->shots[flow].observed.port)
		return;
	w->model = model;
	w->model_number = number;
	w->flow = flow;
	begin(a, way, alg_locate_hops(a) + 1, edit, now_ns);
}

/* The edge can send along what it has seen, and nothing else. */
static int find_flow(const struct alg *a, enum wire_role role)
{
	int flow =
		ladder_find(&a->ladder, WIRE_UDP, role, LADDER_OPTIONS, NULL);

	if (flow != LADDER_NONE && a->shots[flow].observed.family == ADDR_NONE)
		return LADDER_NONE;
	return flow;
}

/* The twin's flow, or else one that no ALG of port 5060 looks at. */
int alg_locate_twin_flow(const struct alg *a)
{
	int flow = find_flow(a, WIRE_ROLE_TWIN);

	return flow == LADDER_NONE ? find_flow(a, WIRE_ROLE_SIP_ALT) : flow;
}

static void begin_loss_back(struct alg *a, enum alg_way way,
                            const struct ladder_spec *sp, int64_t now_ns)
{
	int flow = way == ALG_WAY_BACK ? find_flow(a, WIRE_ROLE_SIP)
	                               : alg_locate_twin_flow(a);
	struct slice model;

	if (flow == LADDER_NONE || a->err)
		return;
	a->err = alg_build_back(&model, a, sp, ALG_NUM_HOP, flow);
	if (!a->err)
		begin_back(a, way, flow, model, ALG_NUM_HOP, SIZE_MAX, now_ns);
}

static void begin_loss(struct alg *a, const struct ladder_spec *sp,
                       struct ladder_spec twin, uint16_t rtp_port,
                       int64_t now_ns)
{
	a->locate.is_loss = true;
	a->locate.what = sp->what;
	twin.role = WIRE_ROLE_TWIN;
	begin_out(a, ALG_WAY_OUT, sp, rtp_port, SIZE_MAX, now_ns);
	begin_out(a, ALG_WAY_OUT_TWIN, &twin, rtp_port, SIZE_MAX, now_ns);
	/* what the edge sends would end the calls that are held */
	if (a->hold.is_on || !alg_locate_may_walk_back(a))
		return;
	begin_loss_back(a, ALG_WAY_BACK, sp, now_ns);
	begin_loss_back(a, ALG_WAY_BACK_TWIN, &twin, now_ns);
}

static void begin_rush(struct alg *a, int64_t now_ns)
{
	struct ladder_spec sp = alg_burst_spec(ALG_BURST_SIP);

	a->locate.is_rush = true;
	begin_loss(a, &sp, sp, 0, now_ns);
	a->locate.walks[ALG_WAY_OUT].walk.n_enough = HOP_TRIES - 1;
	a->locate.walks[ALG_WAY_BACK].walk.n_enough = HOP_TRIES - 1;
}

/* An answer that was changed: the walk sends it as if it were asked again. */
static int find_answer(const struct alg *a)
{
	for (size_t i = 0; i < a->ladder.n; i++) {
		if (a->ladder.shots[i].spec.transport == WIRE_UDP &&
		    a->ladder.shots[i].spec.role != WIRE_ROLE_TWIN &&
		    alg_is_answer_edited(&a->shots[i]))
			return (int)i;
	}
	return LADDER_NONE;
}

static void name_hops(struct alg *a, int64_t now_ns)
{
	if (a->ports->control)
		begin_out(a, ALG_WAY_OUT_TWIN, &plain_twin, 0, SIZE_MAX,
		          now_ns);
}

static bool begin_inbound(struct alg *a, int64_t now_ns)
{
	const struct alg_inbound *in = &a->inbound;
	int flow = find_flow(a, WIRE_ROLE_SIP), answer = find_answer(a);

	if (!alg_locate_may_walk_back(a))
		return false;
	a->locate.what = LADDER_INVITE;
	if (alg_is_inbound_edited(a)) {
		begin_back(a, ALG_WAY_BACK, flow, in->sent[0], ALG_NUM_INBOUND,
		           edit_at(in->sent[0], in->got[0]), now_ns);
	} else if (answer != LADDER_NONE) {
		const struct alg_shot *s = &a->shots[answer];

		a->locate.what = a->ladder.shots[answer].spec.what;
		begin_back(a, ALG_WAY_BACK, answer, s->answer_sent,
		           (unsigned)answer, edit_at(s->answer_sent, s->answer),
		           now_ns);
	} else if (in->sent[0].p && !in->got[0].p && in->got[1].p) {
		a->locate.is_loss = true;
		begin_back(a, ALG_WAY_BACK, flow, in->sent[0], ALG_NUM_INBOUND,
		           SIZE_MAX, now_ns);
		begin_back(a, ALG_WAY_BACK_TWIN, find_flow(a, WIRE_ROLE_TWIN),
		           in->sent[1], ALG_NUM_INBOUND_TWIN, SIZE_MAX, now_ns);
	}
	a->locate.is_back = a->locate.walks[ALG_WAY_BACK].is_on;
	if (!a->locate.is_back)
		return false;
	name_hops(a, now_ns);
	return true;
}

static void begin_edit(struct alg *a, int shot, int64_t now_ns)
{
	const struct ladder_spec *sp = &a->ladder.shots[shot].spec;
	size_t at = SIZE_MAX;

	a->locate.what = sp->what;
	a->err = walk_edit_at(&at, a, shot);
	if (!a->err)
		begin_out(a, ALG_WAY_OUT, sp, a->shots[shot].rtp_port, at,
		          now_ns);
}

/* @return whether a walk is on, or could be for who may see quotes */
static bool begin_edit_tcp(struct alg *a, bool *is_denied, int64_t now_ns)
{
	int shot = find_edited(a, WIRE_TCP);
	const struct ladder_spec *sp;
	size_t at = SIZE_MAX;
	int err;

	if (shot == LADDER_NONE)
		return false;
	sp = &a->ladder.shots[shot].spec;
	a->locate.what = sp->what;
	err = walk_edit_at(&at, a, shot);
	if (!err)
		err = alg_tcp_begin_edit(a, sp, at, now_ns);
	if (err == ENOMEM)
		a->err = err;
	*is_denied = err == EPERM || err == EACCES;
	return !err;
}

static bool begin_lost(struct alg *a, enum ladder_result result, int64_t now_ns)
{
	int shot = find_lost(a, result);
	struct ladder_spec sp;

	if (shot == LADDER_NONE)
		return false;
	sp = a->ladder.shots[shot].spec;
	a->locate.is_doubted = result == LADDER_NO_ANSWER;
	if (alg_hold_is_due(&sp))
		alg_hold_begin(a, shot, now_ns);
	begin_loss(a, &sp, a->locate.is_doubted ? plain_twin : sp,
	           a->shots[shot].rtp_port, now_ns);
	return true;
}

/* What proves most comes first. */
static bool begin_all(struct alg *a, int64_t now_ns)
{
	int shot = find_edited(a, WIRE_UDP);
	bool is_denied = false;

	if (shot != LADDER_NONE) {
		begin_edit(a, shot, now_ns);
		return true;
	}
	if (begin_edit_tcp(a, &is_denied, now_ns))
		return true;
	if (a->burst.is_done && alg_burst_is_limited(a)) {
		begin_rush(a, now_ns);
		return true;
	}
	if (begin_lost(a, LADDER_REQUEST_DROPPED, now_ns) ||
	    begin_inbound(a, now_ns))
		return true;
	/* without the edge's report it may be the answer that was lost */
	if (a->meet.has_session && begin_lost(a, LADDER_NO_ANSWER, now_ns))
		return true;
	if (alg_tcp_begin(a, now_ns))
		return true;
	if (!alg_state_begin(a, now_ns)) {
		a->locate.is_denied = is_denied;
		return is_denied;
	}
	name_hops(a, now_ns);
	return true;
}

static unsigned number_of(unsigned way, unsigned ttl, unsigned try)
{
	return ALG_NUM_HOP + way * ALG_WAY_STEP + ttl * 4 + try;
}

static void send_out(struct alg *a, struct alg_walk *w, unsigned number,
                     unsigned ttl, struct slice *sent)
{
	struct addr to = alg_udp_target(a, &w->spec);
	struct addr from = alg_source(a, &w->spec);

	if (w->is_pair) {
		alg_pairs_walk(a, number, ttl, sent);
		return;
	}
	a->err = alg_build(sent, a, &w->spec, number, &from, w->rtp_port);
	if (!a->err)
		alg_send_udp(a, alg_socket(a, &w->spec), &to, (int)ttl, *sent);
}

/* The model under another number: tags are all of one length. */
static struct slice renumbered(struct alg *a, const struct alg_walk *w,
                               unsigned number)
{
	char old_text[WIRE_TAG_CHARS], new_text[WIRE_TAG_CHARS];
	struct slice old = alg_tag(a, w->model_number, old_text);
	struct slice new = alg_tag(a, number, new_text);
	struct slice rest = w->model, copy;
	struct wr out = wr_init_heap();
	size_t at;

	while ((at = slice_find(rest, old)) != SIZE_MAX) {
		wr_put(&out, slice_sub(rest, 0, at));
		wr_put(&out, new);
		rest = slice_sub(rest, at + old.n, SIZE_MAX);
	}
	wr_put(&out, rest);
	if (out.bad)
		a->err = ENOMEM;
	copy = report_bytes(a->r, wr_slice(&out));
	wr_fini(&out);
	return copy;
}

static void send_back(struct alg *a, const struct alg_walk *w, unsigned number,
                      unsigned ttl, struct slice *sent)
{
	struct wire_send s = {
		.id = (uint16_t)number,
		.shot = (uint16_t)w->flow,
		.ttl = (uint8_t)ttl,
	};

	if (!a->control)
		return;
	*sent = renumbered(a, w, number);
	s.bytes = *sent;
	(void)!control_send(a->control, &s);
}

static int64_t walk_on(struct alg *a, unsigned way, int64_t now_ns)
{
	struct alg_walk *w = &a->locate.walks[way];
	unsigned ttl, try, number;
	int64_t next;

	if (!w->is_on)
		return INT64_MAX;
	next = hop_walk_next(&w->walk, &ttl, now_ns);
	if (!ttl)
		return next;
	try = w->walk.hops[ttl].n_tries - 1;
	number = number_of(way, ttl, try);
	if (way == ALG_WAY_OUT && ttl == 1 && a->locate.is_rush)
		alg_burst_fill(a);
	if (way == ALG_WAY_BACK || way == ALG_WAY_BACK_TWIN)
		send_back(a, w, number, ttl, &w->sent[ttl][try]);
	else
		send_out(a, w, number, ttl, &w->sent[ttl][try]);
	return next;
}

static int64_t step_on(struct alg *a, int64_t now_ns)
{
	int64_t next = alg_state_next(a, now_ns), held, tcp;

	if (!alg_hold_is_ready(a, now_ns, &held))
		return held;
	held = alg_hold_next(a, now_ns);
	next = held < next ? held : next;
	tcp = alg_tcp_next(a, now_ns);
	next = tcp < next ? tcp : next;
	/* only then, so that routers have errors left for what went before */
	if (a->locate.tcp.is_on && !a->locate.tcp.is_edit && tcp == INT64_MAX &&
	    !a->locate.walks[ALG_WAY_OUT_TWIN].is_on) {
		name_hops(a, now_ns);
		/* names are all that is missing */
		a->locate.walks[ALG_WAY_OUT_TWIN].walk.round = HOP_TRIES - 2;
	}
	for (unsigned way = 0; way < ALG_WAYS && !a->err; way++) {
		int64_t at = walk_on(a, way, now_ns);

		next = at < next ? at : next;
	}
	if (next == INT64_MAX)
		next = alg_hold_end_next(a, now_ns);
	return next == INT64_MAX ? ALG_STEP_OVER : next;
}

int64_t alg_step_locate(struct alg *a, int64_t now_ns)
{
	if (!a->is_entered && !begin_all(a, now_ns))
		return ALG_STEP_OVER;
	a->locate.is_started = true;
	return step_on(a, now_ns);
}

/* One answer may be chance: a computer pauses, and a queue pulls two apart. */
int64_t alg_step_locate_pairs(struct alg *a, int64_t now_ns)
{
	struct alg_walk *out = &a->locate.walks[ALG_WAY_OUT];

	if (!a->is_entered) {
		if (a->locate.is_started || !alg_pairs_is_second_lost(a) ||
		    alg_locate_hops(a) > ALG_PAIRS_HOPS)
			return ALG_STEP_OVER;
		a->locate.is_started = true;
		a->locate.is_loss = true;
		a->locate.what = LADDER_PLAIN;
		begin_out(a, ALG_WAY_OUT, &alg_pairs_spec, 0, SIZE_MAX, now_ns);
		out->is_pair = true;
		out->walk.n_enough = HOP_TRIES - 1;
		name_hops(a, now_ns);
	}
	return step_on(a, now_ns);
}

int64_t alg_step_locate_timer(struct alg *a, int64_t now_ns)
{
	if (!a->is_entered) {
		if (a->locate.is_started || !alg_state_begin_timer(a, now_ns))
			return ALG_STEP_OVER;
		a->locate.is_started = true;
		name_hops(a, now_ns);
	}
	return step_on(a, now_ns);
}

void alg_locate_take(struct alg *a, unsigned number,
                     const struct addr *offender, struct slice quote)
{
	unsigned way = (number - ALG_NUM_HOP) / ALG_WAY_STEP;
	unsigned at = (number - ALG_NUM_HOP) % ALG_WAY_STEP;
	unsigned ttl = at / 4, try = at % 4;
	struct alg_walk *w;

	if (number >= ALG_NUM_CAUSE)
		alg_state_take(a, number,
		               addr_ip_eq(offender, &a->local) ? NULL
		                                               : offender);
	if (number < ALG_NUM_HOP || way >= ALG_WAYS || ttl > HOP_MAX)
		return;
	w = &a->locate.walks[way];
	if (!w->sent[ttl][try].p || w->is_quoted[ttl][try])
		return;
	w->is_quoted[ttl][try] = true;
	hop_walk_on_quote(&w->walk, ttl, offender, w->sent[ttl][try],
	                  report_bytes(a->r, quote));
}

void alg_locate_take_short(struct alg *a, const struct addr *offender)
{
	for (unsigned way = 0; way <= ALG_WAY_OUT_TWIN; way++) {
		if (a->locate.walks[way].is_on)
			hop_walk_on_short(&a->locate.walks[way].walk, offender);
	}
}

struct addr alg_locate_name(const struct alg *a, unsigned hop)
{
	const struct alg_walk *walks = a->locate.walks;
	const struct hop_walk *tcp = &a->locate.tcp.walk;

	if (a->locate.tcp.is_edit && hop <= tcp->n_hops)
		return tcp->hops[hop].addr;
	for (unsigned way = 0; way <= ALG_WAY_OUT_TWIN; way++) {
		const struct hop_walk *w = &walks[way].walk;

		if (walks[way].is_on && hop <= w->n_hops &&
		    w->hops[hop].n_answers)
			return w->hops[hop].addr;
	}
	return (struct addr){0};
}

/* What the edge sent came to nothing on the way; the twin arrived. */
static struct hop_place loss_back(const struct alg *a)
{
	const struct alg_walk *back = &a->locate.walks[ALG_WAY_BACK];
	const struct alg_walk *twin = &a->locate.walks[ALG_WAY_BACK_TWIN];
	struct hop_place pl = {0};
	unsigned n = back->walk.n_hops; /* this computer */

	if (!back->is_on || !twin->is_on || !twin->walk.hops[n].n_answers ||
	    back->walk.hops[n].n_answers >= back->walk.n_enough)
		return pl;
	pl = hop_walk_loss(&back->walk, &twin->walk);
	return hop_place_turn(&pl, n - 1);
}

/* Nothing passes in the session from the phone's port, and in a new one the
 * same does. */
static bool is_session_dead(const struct alg *a)
{
	const struct ladder *l = &a->ladder;
	int fresh = ladder_find(l, WIRE_UDP, WIRE_ROLE_SIP, a->locate.what,
	                        LADDER_NEW);

	if (fresh == LADDER_NONE || l->shots[fresh].result != LADDER_CLEAN)
		return false;
	for (size_t i = 0; i < l->n; i++) {
		const struct ladder_shot *s = &l->shots[i];

		if (s->spec.transport == WIRE_UDP &&
		    s->spec.role == WIRE_ROLE_SIP &&
		    !(s->spec.how & LADDER_ELSEWHERE) &&
		    (s->is_answered || s->is_seen))
			return false;
	}
	return true;
}

struct hop_place alg_locate_place(const struct alg *a)
{
	const struct alg_locate *lo = &a->locate;
	const struct alg_walk *out = &lo->walks[ALG_WAY_OUT];
	const struct alg_walk *twin = &lo->walks[ALG_WAY_OUT_TWIN];
	const struct alg_walk *in = &lo->walks[ALG_WAY_BACK];
	struct hop_place pl, back = loss_back(a), ended = alg_hold_place(a);

	if (a->state.kind != ALG_STATE_NONE) {
		pl = hop_state_place(&a->state.notes);
	} else if (lo->tcp.is_on) {
		pl = alg_tcp_place(a);
	} else if (lo->is_back && lo->is_loss) {
		pl = back;
	} else if (lo->is_back) {
		pl = hop_walk_edit(&in->walk);
		pl = hop_place_turn(&pl, in->walk.n_hops - 1);
	} else if (lo->is_loss) {
		pl = hop_walk_loss(&out->walk,
		                   twin->is_on ? &twin->walk : NULL);
		/* all routers heard it: this time it may have arrived */
		if (lo->is_doubted && pl.hop_min == out->walk.n_hops)
			pl.is_known = false;
		if (a->hold.has_passed)
			pl.is_known = false;
		pl = hop_place_meet(&pl, &back);
		pl = hop_place_meet(&pl, &ended);
		/* where it ends is not yet who has led it there */
		if (pl.is_known && pl.hop_min > 1 && is_session_dead(a)) {
			pl.is_exact = false;
			pl.hop_min = 1;
		}
	} else {
		return hop_walk_edit(&out->walk);
	}
	if (pl.is_exact)
		pl.addr = alg_locate_name(a, pl.hop);
	return pl;
}
