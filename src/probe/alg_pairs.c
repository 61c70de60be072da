/* SPDX-License-Identifier: ISC */
/*
 * Design: some routers lose the second of two sessions that begin at once.
 * One datagram alone shows that as loss, which every line has. So eight pairs
 * of new sessions begin, each from two ports of its own, and between them
 * eight that begin alone; then the same ports send in pairs again, when all
 * are known. Only where the second was lost each time and hardly any other
 * was, it is the pair: at a loss of one in ten round trips that happens by
 * chance once in ten million, and what drops all that comes too close
 * together drops the second of a known pair, too. One whose first was lost
 * tells nothing: to the box it was no pair.
 *
 * It costs a router two dozen sessions, so there must be a sign: something
 * was late or lost, and nothing else that explains it was found. Behind a NAT
 * one session that begins right after another is asked for in every run, and
 * again where this computer was too slow for that.
 *
 * To place the box the second leaves with rising TTL, right after a session
 * that goes all the way: routers before the box answer it, and none beyond. The
 * far end cannot begin sessions towards here, so two hops are all that is
 * known.
 */
#include "probe/alg.h"

#include "base/clock.h"
#include "base/i18n.h"

enum {
	TIGHT_MS = 1, /* else this computer has paused within the pair */
	TIGHT_MIN = 7,
	OTHERS_MIN = 5,  /* of each kind that must pass */
	OTHERS_ALL = 19, /* and of the three together */
	NUM_HINT = ALG_NUM_PAIR + ALG_PAIR_KINDS * ALG_PAIRS,
	TURN_MS = 25,
	NEW_TURNS = 2 * ALG_PAIRS, /* a pair and one alone, in turn */
	TURNS = 3 * ALG_PAIRS,     /* then those that are known */
};

const struct ladder_spec alg_pairs_spec = {
	.transport = WIRE_UDP,
	.role = WIRE_ROLE_TWIN,
	.what = LADDER_PLAIN,
};

/* The first connection leaves beside the first datagram: was its SYN sent
 * again? */
static bool is_syn_late(const struct alg *a)
{
	int tls = ladder_find(&a->ladder, WIRE_TLS, WIRE_ROLE_SIP,
	                      LADDER_OPTIONS, NULL);

	return tls != LADDER_NONE &&
	       a->shots[tls].opened_ns >= LADDER_SYN_AGAIN_MS * NS_PER_MS;
}

static bool is_hint_missed(const struct alg *a)
{
	for (unsigned i = 0; i < a->pairs.n_hints; i++) {
		if (!a->pairs.is_hint_answered[i])
			return true;
	}
	return false;
}

static bool is_due(const struct alg *a)
{
	if (!a->has_token || !a->ports->control || !a->meet.has_welcome ||
	    a->locate.is_started)
		return false;
	return a->run->conf->is_full || is_syn_late(a) || is_hint_missed(a) ||
	       ladder_n_late(&a->ladder) > 0;
}

static bool is_hint_awaited(const struct alg *a, int64_t now_ns)
{
	return is_hint_missed(a) && now_ns < a->pairs.due_ns;
}

/* @return whether another is wanted: this computer has paused within it */
static bool send_hint(struct alg *a)
{
	struct addr local = a->local, to = alg_udp_target(a, &alg_pairs_spec);
	struct alg_pairs *p = &a->pairs;
	struct slice bytes;
	int64_t start_ns;

	local.port = 0;
	if (!to.port || a->err)
		return false;
	if (net_udp_open(&p->hints[p->n_hints], &local, 0, &alg_idle_ops, a)) {
		alg_send_other(a);
		return false;
	}
	a->err = alg_build(&bytes, a, &alg_pairs_spec, NUM_HINT + p->n_hints,
	                   &a->local, 0);
	start_ns = clock_mono_ns();
	alg_send_other(a);
	if (!a->err)
		alg_send_udp(a, p->hints[p->n_hints++], &to, ALG_TTL, bytes);
	return clock_mono_ns() - start_ns >= TIGHT_MS * NS_PER_MS;
}

void alg_pairs_begin(struct alg *a, int64_t now_ns)
{
	while (send_hint(a) && a->pairs.n_hints < ALG_HINTS)
		;
	a->pairs.due_ns = now_ns + alg_patience_ns(a);
}

static int open_all(struct alg *a)
{
	struct addr local = a->local;
	int err = 0;

	local.port = 0;
	for (size_t i = 0; i < ARRAY_LEN(a->pairs.udp) && !err; i++)
		err = net_udp_open(&a->pairs.udp[i], &local, 0, &alg_idle_ops,
		                   a);
	return err;
}

static void build(struct slice *out, struct alg *a, enum alg_pair kind,
                  unsigned i)
{
	if (!a->err)
		a->err = alg_build(out, a, &alg_pairs_spec,
		                   ALG_NUM_PAIR + kind * ALG_PAIRS + i,
		                   &a->local, 0);
}

static struct net_udp *port_of(const struct alg *a, enum alg_pair kind,
                               unsigned i)
{
	return a->pairs.udp[kind * ALG_PAIRS + i];
}

static void send_alone(struct alg *a, unsigned i)
{
	struct addr to = alg_udp_target(a, &alg_pairs_spec);
	struct slice bytes;

	build(&bytes, a, ALG_PAIR_ALONE, i);
	if (!a->err)
		alg_send_udp(a, port_of(a, ALG_PAIR_ALONE, i), &to, ALG_TTL,
		             bytes);
}

static void send_pair(struct alg *a, unsigned i)
{
	struct addr to = alg_udp_target(a, &alg_pairs_spec);
	struct slice first, second;
	int64_t start_ns;

	build(&first, a, ALG_PAIR_FIRST, i);
	build(&second, a, ALG_PAIR_SECOND, i);
	if (a->err)
		return;
	start_ns = clock_mono_ns();
	alg_send_udp(a, port_of(a, ALG_PAIR_FIRST, i), &to, ALG_TTL, first);
	alg_send_udp(a, port_of(a, ALG_PAIR_SECOND, i), &to, ALG_TTL, second);
	a->pairs.is_tight[i] =
		clock_mono_ns() - start_ns < TIGHT_MS * NS_PER_MS;
}

/* Both have begun before; the second is asked for under another number. */
static void send_known(struct alg *a, unsigned i)
{
	struct addr to = alg_udp_target(a, &alg_pairs_spec);
	struct slice first, second;

	build(&first, a, ALG_PAIR_FIRST, i);
	build(&second, a, ALG_PAIR_KNOWN, i);
	if (a->err)
		return;
	alg_send_udp(a, port_of(a, ALG_PAIR_FIRST, i), &to, ALG_TTL, first);
	alg_send_udp(a, port_of(a, ALG_PAIR_ALONE, i), &to, ALG_TTL, second);
}

static void take_turn(struct alg *a, unsigned turn)
{
	if (turn >= NEW_TURNS)
		send_known(a, turn - NEW_TURNS);
	else if (turn % 2 == 0)
		send_pair(a, turn / 2);
	else
		send_alone(a, turn / 2);
}

int64_t alg_step_pairs(struct alg *a, int64_t now_ns)
{
	struct alg_pairs *p = &a->pairs;

	if (!p->is_begun) {
		if (!is_due(a))
			return ALG_STEP_OVER;
		if (is_hint_awaited(a, now_ns))
			return p->due_ns;
		p->is_begun = true;
		a->err = open_all(a);
		if (a->err)
			return ALG_STEP_OVER;
		p->due_ns = now_ns;
	}
	if (now_ns < p->due_ns)
		return p->due_ns;
	if (p->n_turns == TURNS) {
		p->is_done = true;
		return ALG_STEP_OVER;
	}
	take_turn(a, p->n_turns++);
	p->due_ns = now_ns + TURN_MS * NS_PER_MS;
	if (p->n_turns == NEW_TURNS || p->n_turns == TURNS)
		p->due_ns = now_ns + alg_patience_ns(a);
	return p->due_ns;
}

bool alg_pairs_take(struct alg *a, unsigned number)
{
	struct alg_pairs *p = &a->pairs;
	unsigned at = number - ALG_NUM_PAIR;

	if (number >= NUM_HINT && number < NUM_HINT + ALG_HINTS) {
		p->is_hint_answered[number - NUM_HINT] = true;
		alg_kick(a);
		return true;
	}
	if (at >= ALG_PAIR_KINDS * ALG_PAIRS)
		return false;
	/* the answer to a known pair says nothing of how it began */
	if (at / ALG_PAIRS == ALG_PAIR_KNOWN || p->n_turns <= NEW_TURNS)
		p->is_answered[at / ALG_PAIRS][at % ALG_PAIRS] = true;
	return true;
}

static unsigned answers(const struct alg_pairs *p, enum alg_pair kind)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ALG_PAIRS; i++)
		n += p->is_answered[kind][i];
	return n;
}

static bool is_pair(const struct alg_pairs *p, unsigned i)
{
	return p->is_tight[i] && (p->is_answered[ALG_PAIR_FIRST][i] ||
	                          !p->is_answered[ALG_PAIR_SECOND][i]);
}

static bool is_second_lost(const struct alg_pairs *p)
{
	const unsigned n_first = answers(p, ALG_PAIR_FIRST);
	const unsigned n_alone = answers(p, ALG_PAIR_ALONE);
	const unsigned n_known = answers(p, ALG_PAIR_KNOWN);
	unsigned n_tight = 0;

	for (unsigned i = 0; i < ALG_PAIRS; i++) {
		n_tight += is_pair(p, i);
		if (is_pair(p, i) && p->is_answered[ALG_PAIR_SECOND][i])
			return false;
	}
	return n_tight >= TIGHT_MIN && n_first >= OTHERS_MIN &&
	       n_alone >= OTHERS_MIN && n_known >= OTHERS_MIN &&
	       n_first + n_alone + n_known >= OTHERS_ALL;
}

bool alg_pairs_is_second_lost(const struct alg *a)
{
	return a->pairs.is_done && is_second_lost(&a->pairs);
}

void alg_pairs_walk(struct alg *a, unsigned number, unsigned ttl,
                    struct slice *sent)
{
	struct addr local = a->local, to = alg_udp_target(a, &alg_pairs_spec);
	struct alg_pairs *p = &a->pairs;
	struct slice bytes;
	struct net_udp *u;
	int64_t start_ns;

	local.port = 0;
	if (p->n_walked == ARRAY_LEN(p->walk) ||
	    net_udp_open(&u, &local, NET_UDP_ICMP, &alg_udp_ops, a))
		return;
	p->walk[p->n_walked++] = u;
	a->err = alg_build(&bytes, a, &alg_pairs_spec, number, &a->local, 0);
	if (a->err)
		return;
	start_ns = clock_mono_ns();
	alg_send_other(a);
	alg_send_udp(a, u, &to, (int)ttl, bytes);
	if (clock_mono_ns() - start_ns < TIGHT_MS * NS_PER_MS)
		*sent = bytes;
}

void alg_pairs_fact(struct alg *a)
{
	static const char *const names[] = {"first", "second", "alone",
	                                    "known"};
	const struct alg_pairs *p = &a->pairs;
	struct fact *f;

	if (!alg_pairs_is_second_lost(a))
		return;
	f = report_fact(a->r, "path.twins", FACT_WARN, "udp");
	(void)fact_field(a->r, f, "result", val_text("second-lost"));
	(void)fact_evidence(a->r, f, "tries", val_int(ALG_PAIRS));
	for (unsigned i = 0; i < ALG_PAIR_KINDS; i++)
		(void)fact_evidence(a->r, f, names[i],
		                    val_int(answers(p, (enum alg_pair)i)));
	f->summary.msgid = N_("of two sessions that began at once the second "
	                      "was lost each time; those that began alone "
	                      "arrived");
}

void alg_pairs_close(struct alg *a)
{
	for (size_t i = 0; i < ARRAY_LEN(a->pairs.hints); i++)
		net_udp_close(a->pairs.hints[i]);
	for (size_t i = 0; i < ARRAY_LEN(a->pairs.udp); i++)
		net_udp_close(a->pairs.udp[i]);
	for (size_t i = 0; i < ARRAY_LEN(a->pairs.walk); i++)
		net_udp_close(a->pairs.walk[i]);
}
