/* SPDX-License-Identifier: ISC */
/*
 * Design: some boxes change no message; they only keep a state that this run
 * has met: a port that an INVITE opened, a binding that another flow moved,
 * one that lives on, or one that leads astray. What brings the state about is
 * sent with TTL 1, 2, 3... until it is felt. Each TTL is tried several times
 * and given up only when the edge has confirmed that all it was asked for has
 * left, so that a stalled control session is not taken for a closed port. Then
 * the edge sends with small TTLs into the state and beside it, to the hops
 * about the place that was found. hop_state.h says how both decide. Routers
 * limit their errors, so what stays silent is asked once more, a second later.
 *
 * One TTL after the other, and no two at once: Linux forgets what one INVITE
 * has opened when the next one passes. Each INVITE announces a port of its
 * own, so that what comes late tells nothing wrong.
 *
 * Whether a binding has moved is asked with a datagram that the edge mirrors.
 * Other programs here may move it, too; so a TTL that moves it must do so
 * again, and the one before it must again not.
 */
#include "probe/alg.h"

#include "base/clock.h"
#include "base/i18n.h"

enum {
	ROUNDS = 4,
	ROUND_GAP_MS = 25,
	QUIET_MS = 60,
	ANSWER_MS = 10,      /* behind what it answers */
	STALL_MS = 4500,     /* twice a lost segment, on a long way */
	CAUSE_HOPS_MAX = 18, /* times ROUNDS: what a session sends at most */
	CALLS_HOPS_MAX = 10, /* where answers are sent, too */
	MOVERS = 3,
	MOVER_GAP_MS = 10,
	WHERE_TRIES = 4,
	CHECKS = 4, /* of a TTL that moves a binding, and of the one before */
	IS_OPEN = 4,
	HOP_STEP = 8,
	SECOND_MS = 1100,
	MORE_SENDS_MAX = 42, /* then as many again */
};

static const struct net_udp_ops deaf_ops = {.on_dgram = NULL};

static const struct ladder_spec plain_spec = {
	.transport = WIRE_UDP,
	.role = WIRE_ROLE_SIP,
	.what = LADDER_PLAIN,
};

static int find_invite(const struct alg *a)
{
	return ladder_find(&a->ladder, WIRE_UDP, WIRE_ROLE_SIP, LADDER_INVITE,
	                   NULL);
}

/* Only what the edge has seen come from us, where it can be told. */
static bool is_binding_moved(const struct alg *a)
{
	const struct addr *first = NULL;

	for (size_t i = 0; i < a->ladder.n; i++) {
		const struct ladder_spec *sp = &a->ladder.shots[i].spec;
		const struct addr *at = &a->shots[i].observed;

		if (sp->transport != WIRE_UDP || sp->role != WIRE_ROLE_SIP ||
		    sp->how & LADDER_ELSEWHERE || !at->port)
			continue;
		if (first && !addr_eq(first, at))
			return true;
		first = at;
	}
	return false;
}

static int find_unanswered(const struct alg *a)
{
	for (size_t i = 0; i < a->ladder.n; i++) {
		const struct ladder_shot *ls = &a->ladder.shots[i];

		if (ls->result == LADDER_ANSWER_DROPPED &&
		    ls->spec.transport == WIRE_UDP &&
		    ls->spec.role == WIRE_ROLE_SIP && a->shots[i].observed.port)
			return (int)i;
	}
	return LADDER_NONE;
}

static void start(struct alg *a, enum alg_state_kind kind,
                  enum ladder_what what, int64_t now_ns)
{
	struct alg_state *st = &a->state;

	a->locate.what = what;
	st->kind = kind;
	st->notes.n_hops = alg_locate_hops(a);
	st->ttl = 1;
	st->due_ns = now_ns;
}

static void begin_back(struct alg *a, int64_t now_ns)
{
	struct alg_state *st = &a->state;

	hop_state_range(&st->from_hop, &st->to_hop, &st->notes);
	st->phase = ALG_STATE_BACK;
	st->n_wanted = HOP_STATE_TRIES;
	st->n_rounds = st->n_sends = st->n_sent = 0;
	st->is_felt = st->is_where_known = false;
	st->due_ns = now_ns;
}

static void on_beside(void *arg, const struct net_dgram *d)
{
	struct alg *a = arg;
	struct wire_tag t;

	if (addr_ip_eq(&d->from, &a->run->conf->edge) &&
	    wire_tag_find(&t, d->bytes) &&
	    slice_eq((struct slice){t.session, sizeof(t.session)},
	             (struct slice){a->session, sizeof(a->session)}) &&
	    t.shot >= ALG_NUM_BACK && t.shot < ALG_NUM_END)
		a->state.notes.is_handed_on = true;
}

/* Where an answer that was led astray may come to: the neighbours of the port
 * that it was for, and the port that the outside knows. */
static void listen_beside(struct alg *a, const struct addr *observed)
{
	static const struct net_udp_ops ops = {.on_dgram = on_beside};
	const uint16_t ports[ALG_BESIDE] = {(uint16_t)(a->local.port + 1),
	                                    (uint16_t)(a->local.port - 1),
	                                    observed->port};
	struct addr at = a->local;

	for (size_t i = 0; i < ALG_BESIDE; i++) {
		at.port = ports[i];
		/* one that is taken is somebody else's, and stays so */
		if (at.port && at.port != a->local.port)
			(void)!net_udp_open(&a->state.beside[i], &at, 0, &ops,
			                    a);
	}
}

static bool begin_answer(struct alg *a, int64_t now_ns)
{
	int shut = find_unanswered(a), open = alg_locate_twin_flow(a);

	if (shut == LADDER_NONE || open == LADDER_NONE ||
	    !a->shots[open].observed.port || !alg_locate_may_walk_back(a))
		return false;
	start(a, ALG_STATE_ANSWER, LADDER_OPTIONS, now_ns);
	a->state.shut = shut;
	a->state.open = open;
	listen_beside(a, &a->shots[shut].observed);
	a->locate.is_back = true;
	begin_back(a, now_ns);
	return true;
}

bool alg_state_begin(struct alg *a, int64_t now_ns)
{
	unsigned n = alg_locate_hops(a);

	if (!a->control || !a->ports->control || n == 0 || n > CAUSE_HOPS_MAX)
		return false;
	if (begin_answer(a, now_ns))
		return true;
	if (is_binding_moved(a))
		start(a, ALG_STATE_BINDING, LADDER_PLAIN, now_ns);
	else if (alg_is_pinhole_open(a))
		start(a, ALG_STATE_PINHOLE, LADDER_INVITE, now_ns);
	else if (alg_calls_is_open(a) && n <= CALLS_HOPS_MAX)
		start(a, ALG_STATE_CALLS, LADDER_REGISTER, now_ns);
	return a->state.kind != ALG_STATE_NONE;
}

bool alg_state_begin_timer(struct alg *a, int64_t now_ns)
{
	const struct alg_timer *t = &a->idle;
	unsigned n = alg_locate_hops(a);

	if (!a->control || n == 0 || n > CAUSE_HOPS_MAX || !t->is_done ||
	    !t->is_alive[ALG_TIMER_SIP] || t->is_alive[ALG_TIMER_TWIN])
		return false;
	start(a, ALG_STATE_TIMER, LADDER_PLAIN, now_ns);
	a->state.open = ALG_NUM_TIMER + ALG_TIMER_SIP;
	a->state.shut = t->is_ready[ALG_TIMER_SPARE]
	                        ? ALG_NUM_TIMER + ALG_TIMER_SPARE
	                        : LADDER_NONE;
	return true;
}

/* What the edge is to send; @p out is on the heap. */
static bool put_probe(struct wr *out, const struct alg *a, unsigned number)
{
	char text[WIRE_TAG_CHARS];
	struct wire_probe p = {.payload = slice_str("state")};

	if (!wire_tag_find(&p.tag, alg_tag(a, number, text)))
		return false;
	wire_probe_put(out, &p);
	return !out->bad;
}

static void note_asked(struct alg *a, int err)
{
	a->state.n_sends += !err;
}

static void shoot(struct alg *a, unsigned number, uint16_t to_port, uint8_t ttl)
{
	struct wire_shoot s = {
		.id = (uint16_t)number,
		.shot = (uint16_t)find_invite(a),
		.from_port = a->ports->control,
		.to_port = to_port,
		.ttl = ttl,
	};
	struct wr w = wr_init_heap();

	if (put_probe(&w, a, number)) {
		s.bytes = wr_slice(&w);
		note_asked(a, control_shoot(a->control, &s));
	}
	wr_fini(&w);
}

static void send_along(struct alg *a, unsigned number, int shot, uint8_t ttl)
{
	struct wire_send s = {
		.id = (uint16_t)number,
		.shot = (uint16_t)shot,
		.ttl = ttl,
	};
	struct wr w = wr_init_heap();

	if (put_probe(&w, a, number)) {
		s.bytes = wr_slice(&w);
		note_asked(a, control_send(a->control, &s));
	}
	wr_fini(&w);
}

/* An answer is SIP, so SIP is what follows it. */
static void send_sip_along(struct alg *a, unsigned number, int shot,
                           uint8_t ttl)
{
	static const struct ladder_spec options = {
		.transport = WIRE_UDP,
		.role = WIRE_ROLE_SIP,
		.what = LADDER_OPTIONS,
		.flags = SIP_CANARY_SHORT,
	};
	struct wire_send s = {
		.id = (uint16_t)number,
		.shot = (uint16_t)shot,
		.ttl = ttl,
	};

	a->err = alg_build_back(&s.bytes, a, &options, number, shot);
	if (!a->err)
		note_asked(a, control_send(a->control, &s));
}

/* A REGISTER, and an answer to it that the edge gives whether it came or
 * not; twice are enough. */
static void registration(struct alg *a, unsigned ttl)
{
	struct wire_send s = {
		.id = (uint16_t)(ALG_NUM_EFFECT + ttl),
		.shot = ALG_NUM_CALLS + ALG_PHONE_WALK,
	};
	struct wr w = wr_init_heap();

	alg_calls_register(a, ALG_NUM_CAUSE + ttl, ttl);
	if (a->state.n_rounds % 2 == 1 &&
	    alg_calls_put_answer(&w, a, ALG_NUM_CAUSE + ttl) == 0) {
		s.bytes = wr_slice(&w);
		s.delay_ms = ANSWER_MS;
		note_asked(a, control_send(a->control, &s));
	}
	wr_fini(&w);
}

static uint16_t hole_port(const struct alg *a, unsigned ttl)
{
	return (uint16_t)(a->rtp_base +
	                  (LADDER_MAX_SHOTS + ttl) * ALG_RTP_STEP);
}

static void invite(struct alg *a, unsigned ttl)
{
	const struct ladder_spec *sp = &a->ladder.shots[find_invite(a)].spec;
	struct addr at = a->local, to = alg_udp_target(a, sp);
	struct net_udp **up = &a->state.udp[ttl];
	struct slice bytes;

	at.port = hole_port(a, ttl);
	if (!*up && net_udp_open(up, &at, 0, &alg_rtp_ops, a)) {
		a->state.phase = ALG_STATE_OVER;
		return;
	}
	a->err = alg_build(&bytes, a, sp, ALG_NUM_CAUSE + ttl, &a->local,
	                   at.port);
	if (!a->err)
		alg_send_udp(a, a->udp, &to, (int)ttl, bytes);
}

/* The twin's flow, which a box has forgotten. */
static void revive(struct alg *a, unsigned ttl)
{
	struct ladder_spec twin = plain_spec;
	struct slice bytes;
	struct addr to;

	twin.role = WIRE_ROLE_TWIN;
	to = alg_udp_target(a, &twin);
	a->err = alg_build(&bytes, a, &twin, ALG_NUM_CAUSE + ttl, &a->local, 0);
	if (!a->err)
		alg_send_udp(a, a->idle.udp[ALG_TIMER_TWIN], &to, (int)ttl,
		             bytes);
}

/* Another flow, as a call's voice begins one. */
static void begin_flow(struct alg *a, unsigned ttl)
{
	struct addr local = a->local, to = alg_edge(a, a->ports->control);
	struct wr w = wr_init_heap();
	struct net_udp *u;

	local.port = 0;
	if (put_probe(&w, a, ALG_NUM_CAUSE + ttl) &&
	    net_udp_open(&u, &local, 0, &deaf_ops, NULL) == 0) {
		alg_send_udp(a, u, &to, (int)ttl, wr_slice(&w));
		net_udp_close(u);
	}
	wr_fini(&w);
}

/* Has all that the edge was asked for left, and had time to come? */
static bool is_quiet(const struct alg *a, int64_t now_ns)
{
	return a->state.n_sent == a->state.n_sends &&
	       now_ns >= a->state.quiet_ns;
}

static int64_t wait_quiet(struct alg *a, int64_t now_ns)
{
	struct alg_state *st = &a->state;

	st->due_ns = st->quiet_ns > now_ns ? st->quiet_ns : st->end_ns;
	return st->due_ns;
}

static void give_up(struct alg *a)
{
	a->state.phase = ALG_STATE_OVER;
}

/* An INVITE that the edge answers proves nothing: a box may open the port for
 * the answer. Then the way back must do alone, and so it must where nothing
 * brings the state about (@p ttl 0). */
static void found(struct alg *a, unsigned ttl, int64_t now_ns)
{
	struct alg_state *st = &a->state;

	st->hole = ttl;
	if (st->kind != ALG_STATE_PINHOLE || ttl <= st->notes.n_hops)
		st->notes.effect = ttl;
	if (alg_locate_may_walk_back(a) && st->shut != LADDER_NONE)
		begin_back(a, now_ns);
	else
		give_up(a);
}

static void next_ttl(struct alg *a, unsigned ttl, int64_t now_ns)
{
	struct alg_state *st = &a->state;

	st->ttl = ttl;
	st->n_rounds = st->n_sends = st->n_sent = 0;
	st->is_felt = false;
	st->due_ns = now_ns;
	if (ttl <= st->notes.n_hops + 1)
		return;
	if (st->kind == ALG_STATE_TIMER)
		found(a, 0, now_ns);
	else
		give_up(a);
}

/* A pinhole or a forgotten flow: what the edge sends comes, or does not. */
static int64_t cause(struct alg *a, int64_t now_ns)
{
	struct alg_state *st = &a->state;

	if (st->is_felt) {
		found(a, st->ttl, now_ns);
		return now_ns;
	}
	if (st->n_rounds == ROUNDS && is_quiet(a, now_ns)) {
		next_ttl(a, st->ttl + 1, now_ns);
		return now_ns;
	}
	if (st->n_rounds == ROUNDS) {
		if (now_ns >= st->end_ns)
			give_up(a);
		return wait_quiet(a, now_ns);
	}
	st->n_rounds++;
	st->n_tries[st->ttl]++;
	st->due_ns = now_ns + ROUND_GAP_MS * NS_PER_MS;
	st->quiet_ns = now_ns + a->ladder.srtt_ns + QUIET_MS * NS_PER_MS;
	st->end_ns = now_ns + STALL_MS * NS_PER_MS;
	if (st->kind == ALG_STATE_PINHOLE) {
		invite(a, st->ttl);
		shoot(a, ALG_NUM_EFFECT + st->ttl, hole_port(a, st->ttl), 0);
	} else if (st->kind == ALG_STATE_CALLS) {
		registration(a, st->ttl);
		shoot(a, ALG_NUM_EFFECT + st->ttl,
		      a->calls.seen[ALG_PHONE_WALK].port, 0);
	} else {
		revive(a, st->ttl);
		send_along(a, ALG_NUM_EFFECT + st->ttl,
		           ALG_NUM_TIMER + ALG_TIMER_TWIN, 0);
	}
	return st->due_ns;
}

static void ask_where(struct alg *a)
{
	struct alg_state *st = &a->state;
	struct addr to = alg_udp_target(a, &plain_spec);

	if (st->n_asked++ == 0) {
		st->is_where_known = false;
		a->err =
			alg_build(&st->where, a, &plain_spec,
		                  ALG_NUM_WHERE + st->n_wheres++, &a->local, 0);
	}
	if (!a->err)
		alg_send_udp(a, a->udp, &to, ALG_TTL, st->where);
}

/* The first question only tells where it is; a TTL that moves it is tried
 * again in turn with the one before it: 0 moves nothing. */
static void judge_where(struct alg *a, bool is_moved, int64_t now_ns)
{
	struct alg_state *st = &a->state;
	bool is_first = st->n_wheres == 1, is_wanted = st->n_checks % 2 == 0;

	if (is_first) {
		next_ttl(a, 1, now_ns);
	} else if (!st->candidate && !is_moved) {
		next_ttl(a, st->ttl + 1, now_ns);
	} else if (!st->candidate) {
		st->candidate = st->ttl;
		next_ttl(a, st->candidate - 1, now_ns);
		st->n_checks = 1;
	} else if (is_moved != is_wanted) {
		give_up(a);
	} else if (st->n_checks == CHECKS) {
		found(a, st->candidate, now_ns);
	} else {
		st->n_checks++;
		next_ttl(a, st->candidate - st->n_checks % 2, now_ns);
	}
	st->n_asked = 0;
}

static void take_answer(struct alg *a, int64_t now_ns)
{
	struct alg_state *st = &a->state;
	int shot = (int)(ALG_NUM_WHERE + st->n_wheres) - 1;
	bool is_moved = !addr_eq(&st->told, &st->seen);

	st->is_where_known = false;
	st->seen = st->told;
	if (is_moved)
		st->shut = shot - 1;
	st->open = shot;
	judge_where(a, is_moved, now_ns);
}

static int64_t move(struct alg *a, int64_t now_ns)
{
	struct alg_state *st = &a->state;

	if (st->is_where_known) {
		take_answer(a, now_ns);
		return now_ns;
	}
	if (st->n_asked == WHERE_TRIES || st->n_wheres == ALG_WHERES) {
		give_up(a);
		return now_ns;
	}
	st->due_ns = now_ns + MOVER_GAP_MS * NS_PER_MS;
	if (st->n_rounds < MOVERS && st->n_wheres && st->ttl) {
		st->n_rounds++;
		st->n_tries[st->ttl]++;
		begin_flow(a, st->ttl);
		if (st->n_rounds == MOVERS)
			st->due_ns = now_ns + ROUND_GAP_MS * NS_PER_MS;
		return st->due_ns;
	}
	ask_where(a);
	st->due_ns = now_ns + alg_patience_ns(a);
	return st->due_ns;
}

/* Of one hop: first beside the state, where silence has to prove something. */
static void ask_hop(struct alg *a, unsigned hop, unsigned try)
{
	const struct alg_state *st = &a->state;
	uint8_t ttl = (uint8_t)(st->notes.n_hops + 1 - hop);
	unsigned number = ALG_NUM_BACK + hop * HOP_STEP + try;
	uint16_t shut_port, open_port;

	switch (st->kind) {
	case ALG_STATE_PINHOLE:
		shut_port = net_udp_local(a->rtp_idle).port;
		open_port = hole_port(a, st->hole);
		shoot(a, number, shut_port, ttl);
		shoot(a, number + IS_OPEN, open_port, ttl);
		break;
	case ALG_STATE_CALLS:
		shoot(a, number, a->calls.seen[ALG_PHONE_OUT].port, ttl);
		shoot(a, number + IS_OPEN, a->calls.seen[ALG_PHONE_IN].port,
		      ttl);
		break;
	case ALG_STATE_ANSWER:
		send_sip_along(a, number, st->shut, ttl);
		send_sip_along(a, number + IS_OPEN, st->open, ttl);
		break;
	case ALG_STATE_BINDING:
	case ALG_STATE_TIMER:
		send_along(a, number, st->shut, ttl);
		send_along(a, number + IS_OPEN, st->open, ttl);
		break;
	case ALG_STATE_NONE:
		break;
	}
}

/* Not all has left that was asked for: what was heard still counts, and
 * silence beside it does not. */
static void forget_silence(struct alg *a)
{
	for (unsigned hop = 0; hop <= HOP_MAX; hop++)
		a->state.notes.n_open[hop] = 0;
}

/* What the edge hears of comes in order: when this is answered, all has come
 * that was under way, however often it had to be sent again. */
static void fence(struct alg *a)
{
	const struct wire_fetch f = {
		.shot = ALG_NUM_FENCE,
		.which = WIRE_REQUEST,
	};

	if (!a->state.is_fenced)
		a->state.is_fenced = control_fetch(a->control, &f) == 0;
}

static int64_t ask_hops(struct alg *a, int64_t now_ns)
{
	struct alg_state *st = &a->state;

	control_hold(a->control);
	for (unsigned hop = st->from_hop; hop <= st->to_hop; hop++)
		ask_hop(a, hop, st->n_rounds % HOP_STATE_TRIES);
	(void)!control_flush(a->control);
	st->n_rounds++;
	st->due_ns = now_ns + ROUND_GAP_MS * NS_PER_MS;
	st->quiet_ns = now_ns + a->ladder.srtt_ns + QUIET_MS * NS_PER_MS;
	st->end_ns = now_ns + STALL_MS * NS_PER_MS;
	return st->due_ns;
}

/* Too much was lost to tell the hop: once more, where that is not too much to
 * ask of the edge. */
static bool is_worth_more(const struct alg *a)
{
	const struct alg_state *st = &a->state;

	return st->n_rounds == HOP_STATE_TRIES &&
	       st->n_sends <= MORE_SENDS_MAX &&
	       !hop_state_place(&st->notes).is_exact;
}

/* Routers that limit their errors mostly do so by the second. */
static bool is_any_silent(const struct alg *a)
{
	const struct alg_state *st = &a->state;

	for (unsigned hop = st->from_hop; hop <= st->to_hop; hop++) {
		if (hop && !st->notes.n_open[hop] && !st->notes.n_shut[hop])
			return true;
	}
	return false;
}

static int64_t back(struct alg *a, int64_t now_ns)
{
	struct alg_state *st = &a->state;

	if (st->n_rounds < st->n_wanted)
		return ask_hops(a, now_ns);
	if (st->is_told && is_worth_more(a)) {
		st->n_wanted += HOP_STATE_TRIES;
		st->is_told = st->is_fenced = false;
		st->due_ns =
			now_ns + (is_any_silent(a) ? SECOND_MS : 0) * NS_PER_MS;
		return st->due_ns;
	}
	if (!st->is_told && now_ns < st->end_ns) {
		if (is_quiet(a, now_ns))
			fence(a);
		return wait_quiet(a, now_ns);
	}
	if (!st->is_told)
		forget_silence(a);
	if (st->kind == ALG_STATE_PINHOLE)
		alg_send_cancel(a, &a->ladder.shots[find_invite(a)].spec,
		                ALG_NUM_CAUSE + st->hole, (int)st->hole);
	give_up(a);
	return now_ns;
}

int64_t alg_state_next(struct alg *a, int64_t now_ns)
{
	struct alg_state *st = &a->state;

	if (st->kind == ALG_STATE_NONE)
		return INT64_MAX;
	if (!a->control && st->phase != ALG_STATE_OVER) {
		if (st->phase == ALG_STATE_BACK)
			forget_silence(a);
		give_up(a);
	}
	while (st->phase != ALG_STATE_OVER && !a->err) {
		int64_t due = st->due_ns;

		if (now_ns < due && !st->is_felt && !st->is_where_known)
			return due;
		if (st->phase == ALG_STATE_BACK)
			due = back(a, now_ns);
		else if (st->kind == ALG_STATE_BINDING)
			due = move(a, now_ns);
		else
			due = cause(a, now_ns);
		if (due > now_ns)
			return due;
	}
	return INT64_MAX;
}

void alg_state_take(struct alg *a, unsigned number, const struct addr *offender)
{
	struct alg_state *st = &a->state;
	unsigned hop = (number - ALG_NUM_BACK) / HOP_STEP;
	unsigned *n;

	if (number < ALG_NUM_EFFECT || number >= ALG_NUM_END)
		return;
	if (number < ALG_NUM_BACK) {
		if (!offender && number == ALG_NUM_EFFECT + st->ttl) {
			st->is_felt = true;
			alg_kick(a);
		}
		return;
	}
	if (hop > HOP_MAX || !offender != (hop == 0) ||
	    (st->phase == ALG_STATE_OVER && number & IS_OPEN))
		return;
	n = number & IS_OPEN ? &st->notes.n_open[hop] : &st->notes.n_shut[hop];
	++*n;
}

void alg_state_take_sent(struct alg *a, unsigned number, int err)
{
	struct alg_state *st = &a->state;
	int64_t now_ns = clock_mono_ns();

	if (number < ALG_NUM_BACK ? st->phase != ALG_STATE_CAUSE ||
	                                    number != ALG_NUM_EFFECT + st->ttl
	                          : st->phase != ALG_STATE_BACK)
		return;
	if (err) {
		if (st->phase == ALG_STATE_BACK)
			forget_silence(a);
		give_up(a);
		return;
	}
	st->n_sent++;
	if (now_ns + QUIET_MS * NS_PER_MS > st->quiet_ns)
		st->quiet_ns = now_ns + QUIET_MS * NS_PER_MS;
	if (st->n_sent == st->n_sends && st->due_ns > st->quiet_ns)
		st->due_ns = st->quiet_ns;
	alg_kick(a);
}

void alg_state_take_fence(struct alg *a)
{
	a->state.is_told = true;
	a->state.due_ns = 0;
	alg_kick(a);
}

void alg_state_take_where(struct alg *a, unsigned number,
                          const struct addr *source)
{
	struct alg_state *st = &a->state;

	if (st->kind != ALG_STATE_BINDING || st->is_where_known ||
	    number + 1 != ALG_NUM_WHERE + st->n_wheres)
		return;
	st->is_where_known = true;
	st->told = *source;
	alg_kick(a);
}

const char *alg_state_basis(const struct alg *a)
{
	if (a->state.kind != ALG_STATE_ANSWER)
		return "state";
	return a->state.notes.is_handed_on ? "other-port" : "drop";
}

static struct val *put(struct alg *a, struct val *into, const char *key,
                       struct val v)
{
	return val_put(&a->r->arena, &a->r->no_memory, into, key, v);
}

void alg_state_put(struct alg *a, struct fact *f)
{
	const struct alg_state *st = &a->state;
	struct val *list = fact_evidence(a->r, f, "causes", val_list());

	for (unsigned ttl = 1; ttl <= HOP_MAX && st->n_tries[ttl]; ttl++) {
		struct val *m = put(a, list, NULL, val_map());

		(void)put(a, m, "ttl", val_int(ttl));
		(void)put(a, m, "tries", val_int(st->n_tries[ttl]));
		(void)put(a, m, "effect", val_bool(ttl == st->notes.effect));
	}
	list = fact_evidence(a->r, f, "back", val_list());
	for (unsigned hop = st->from_hop; hop <= st->to_hop; hop++) {
		struct val *m = put(a, list, NULL, val_map());

		(void)put(a, m, "hop", val_int(hop));
		(void)put(a, m, "open", val_int(st->notes.n_open[hop]));
		(void)put(a, m, "shut", val_int(st->notes.n_shut[hop]));
	}
}

void alg_state_close(struct alg *a)
{
	for (size_t i = 0; i < ARRAY_LEN(a->state.udp); i++)
		net_udp_close(a->state.udp[i]);
	for (size_t i = 0; i < ALG_BESIDE; i++)
		net_udp_close(a->state.beside[i]);
}
