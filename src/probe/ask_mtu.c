/* SPDX-License-Identifier: ISC */
/*
 * Do large datagrams pass, as a large INVITE is, and how large is a packet
 * that passes whole?
 *
 * Datagrams of rising sizes leave twice: as they are, to be fragmented where
 * needed, and with DF set. An edge answers each with a MIRROR, which brings
 * the same bytes back up to WIRE_MIRROR_UDP_LONE_BYTES: that is the way back.
 * Without an edge an ICMP port unreachable of the server itself proves that
 * a datagram arrived, whole.
 *
 * Fields (absent: not known):
 *   path_mtu_bytes       of IP packets: the largest that passed with DF set,
 *                        or what a router said would
 *   is_mtu_told          true: a router said so
 *   largest_udp_bytes    payload of the largest datagram that arrived
 *   largest_answer_bytes payload of the largest answer that came back
 *   fragments_pass       whether a datagram above the path's MTU arrived
 *   fragments_back       whether an answer above it came back
 *
 * Evidence, with an edge, where something large is lost: lost_bytes (payloads,
 * a list), tries.
 *
 * End: answered (an edge), open, partly (small ones pass, large ones do
 * not), silent, no-means, refused, local.
 *
 * Design: a table of shots, all asked in each of a few rounds until they are
 * answered. It is small, so nothing adapts: a round trip per round is all it
 * takes.
 */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "net/loop.h"
#include "net/udp.h"
#include "probe/asks.h"
#include "wire/dgram.h"

enum {
	ROUNDS = 6, /* the first ones may go by for want of a token */
	FLOWS = 2,
	MAX_BYTES = 3000,
	FRAGMENTED_BYTES = 1600, /* payload: more than Ethernet's MTU holds */
	IP4_UDP_BYTES = 28,
	IP6_UDP_BYTES = 48,
	ICMP4_UNREACHABLE = 3,
	ICMP4_PORT = 3,
	ICMP6_UNREACHABLE = 1,
	ICMP6_PORT = 4,
};

#define GAP_NS       (2 * NS_PER_MS)
#define RTT_GUESS_NS (200 * NS_PER_MS)
#define MARGIN_NS    (50 * NS_PER_MS)

/* Bytes of payload, or with DF of the whole packet: the MTUs of Ethernet,
 * PPPoE, tunnels, and the least of IPv6. What tells most comes first: where
 * ICMP errors are the answers, there are few. */
static const struct {
	bool has_df;
	uint16_t n_bytes;
} shots[] = {
	{false, 500},  {false, 1600}, {false, 3000}, {false, 1200},
	{false, 1400}, {false, 1900}, {false, 2500}, {true, 1280},
	{true, 1400},  {true, 1420},  {true, 1440},  {true, 1452},
	{true, 1460},  {true, 1476},  {true, 1480},  {true, 1492},
	{true, 1500},
};

struct ask_mtu {
	struct ask *a;
	struct net_udp *plain, *df;
	struct net_timer *tick, *limit;
	struct wire_token token;
	uint8_t session[WIRE_SESSION_BYTES];
	int64_t began_ns;
	unsigned round, at;
	unsigned told_bytes;  /* by a router; 0: none did */
	unsigned local_bytes; /* by the own link; 0: it did not */
	unsigned answer_bytes;
	bool is_edge, is_over;
	bool has_arrived[ARRAY_LEN(shots)];
	unsigned n_tries[ARRAY_LEN(shots)];
};

static struct val *put(struct ask_mtu *s, struct val *into, const char *key,
                       struct val v)
{
	struct report *r = s->a->report;

	return val_put(&r->arena, &r->no_memory, into, key, v);
}

static unsigned header_bytes(const struct ask_mtu *s)
{
	return s->a->target->addr.family == ADDR_IP6 ? IP6_UDP_BYTES
	                                             : IP4_UDP_BYTES;
}

static unsigned payload_bytes(const struct ask_mtu *s, size_t i)
{
	return shots[i].has_df ? shots[i].n_bytes - header_bytes(s)
	                       : shots[i].n_bytes;
}

/* Nothing is left to learn from it. */
static bool is_settled(const struct ask_mtu *s, size_t i)
{
	unsigned n = shots[i].n_bytes;

	return s->has_arrived[i] ||
	       (shots[i].has_df && ((s->told_bytes && n > s->told_bytes) ||
	                            (s->local_bytes && n > s->local_bytes)));
}

/* The largest that arrived, of either kind; 0: none. */
static unsigned largest(const struct ask_mtu *s, bool has_df)
{
	unsigned most = 0;

	for (size_t i = 0; i < ARRAY_LEN(shots); i++) {
		if (s->has_arrived[i] && shots[i].has_df == has_df &&
		    shots[i].n_bytes > most)
			most = shots[i].n_bytes;
	}
	return most;
}

static unsigned path_mtu(const struct ask_mtu *s)
{
	unsigned seen = largest(s, true);

	/* a smaller value than what passed is a lie, or of another path */
	if (s->told_bytes > seen)
		return s->told_bytes;
	return seen;
}

static void put_fields(struct ask_mtu *s)
{
	struct val *f = &s->a->result.fields;
	unsigned mtu = path_mtu(s), out = largest(s, false);
	unsigned back = s->answer_bytes;

	if (mtu)
		put(s, f, "path_mtu_bytes", val_int(mtu));
	if (mtu && mtu == s->told_bytes)
		put(s, f, "is_mtu_told", val_bool(true));
	if (out == 0)
		return;
	put(s, f, "largest_udp_bytes", val_int(out));
	/* without an edge silence is no proof */
	if (s->is_edge || out >= FRAGMENTED_BYTES)
		put(s, f, "fragments_pass", val_bool(out >= FRAGMENTED_BYTES));
	if (!s->is_edge)
		return;
	put(s, f, "largest_answer_bytes", val_int(back));
	if (out >= FRAGMENTED_BYTES)
		put(s, f, "fragments_back", val_bool(back >= FRAGMENTED_BYTES));
}

static void put_evidence(struct ask_mtu *s)
{
	struct val *ev = &s->a->result.evidence, *list = NULL;
	unsigned tries = 0;

	for (size_t i = 0; i < ARRAY_LEN(shots); i++) {
		if (shots[i].has_df || s->has_arrived[i] || !s->is_edge)
			continue;
		if (!list)
			list = put(s, ev, "lost_bytes", val_list());
		put(s, list, NULL, val_int(shots[i].n_bytes));
		tries = s->n_tries[i];
	}
	if (list)
		put(s, ev, "tries", val_int(tries));
}

static void finish(struct ask_mtu *s)
{
	struct ask_result *res = &s->a->result;
	unsigned out = largest(s, false);

	if (s->is_over)
		return;
	s->is_over = true;
	res->is_edge = s->is_edge;
	res->layer = s->is_edge ? ASK_LAYER_PROTOCOL : ASK_LAYER_NONE;
	if (s->is_edge && out &&
	    (out < FRAGMENTED_BYTES || s->answer_bytes < FRAGMENTED_BYTES))
		res->end = ASK_PARTLY;
	else if (out)
		res->end = s->is_edge ? ASK_ANSWERED : ASK_OPEN;
	else if (res->offender.family != ADDR_NONE)
		res->end = ASK_REFUSED;
	else if (res->error)
		res->end = ASK_LOCAL;
	else
		res->end = s->a->conf->has_edge || s->is_edge ? ASK_SILENT
		                                              : ASK_NO_MEANS;
	put_fields(s);
	put_evidence(s);
	ask_end(s->a);
}

static void on_limit(void *arg)
{
	finish(arg);
}

static void note_arrival(struct ask_mtu *s, size_t i)
{
	struct ask_result *res = &s->a->result;

	s->has_arrived[i] = true;
	if (res->rtt_ns == 0 && s->round == 0)
		res->rtt_ns = clock_mono_ns() - s->began_ns;
	for (size_t k = 0; k < ARRAY_LEN(shots); k++) {
		if (!is_settled(s, k))
			return;
	}
	net_timer_set(s->tick, 0);
}

/* Which shot, by its tag; ARRAY_LEN(shots): none of ours. */
static size_t shot_of(const struct ask_mtu *s, struct slice bytes)
{
	struct wire_tag tag;

	if (!wire_tag_find(&tag, bytes) ||
	    memcmp(tag.session, s->session, sizeof(s->session)) != 0 ||
	    tag.shot >= ARRAY_LEN(shots))
		return ARRAY_LEN(shots);
	return tag.shot;
}

static void on_mirror(struct ask_mtu *s, struct slice bytes)
{
	uint8_t store[MAX_BYTES];
	struct wr w = wr_init(store, sizeof(store));
	struct wire_mirror m;
	size_t i;

	if (wire_mirror_dgram_decode(&m, &w, bytes) ||
	    memcmp(m.tag.session, s->session, sizeof(s->session)) != 0 ||
	    m.tag.shot >= ARRAY_LEN(shots))
		return;
	i = m.tag.shot;
	if (m.full_bytes != payload_bytes(s, i))
		return;
	if (bytes.n > s->answer_bytes)
		s->answer_bytes = (unsigned)bytes.n;
	note_arrival(s, i);
}

static void on_dgram(void *arg, const struct net_dgram *d)
{
	struct ask_mtu *s = arg;
	struct wire_welcome wel;

	if (s->is_over || !addr_eq(&d->from, &s->a->target->addr))
		return;
	if (wire_welcome_decode(&wel, d->bytes)) {
		on_mirror(s, d->bytes);
		return;
	}
	if (memcmp(wel.nonce, s->session, sizeof(wel.nonce)) != 0 || s->is_edge)
		return;
	s->is_edge = true;
	s->token = wel.token;
	s->a->result.rtt_ns = clock_mono_ns() - s->began_ns;
	s->began_ns = clock_mono_ns();
	s->round = 0;
	s->at = 0;
	net_timer_set(s->tick, 0);
}

static bool is_port_unreachable(const struct net_icmp *ic)
{
	if (ic->dst.family == ADDR_IP4)
		return ic->type == ICMP4_UNREACHABLE && ic->code == ICMP4_PORT;
	return ic->type == ICMP6_UNREACHABLE && ic->code == ICMP6_PORT;
}

static void on_icmp(void *arg, const struct net_icmp *ic)
{
	struct ask_mtu *s = arg;
	struct ask_result *res = &s->a->result;
	size_t i = shot_of(s, ic->quote);

	if (s->is_over || !addr_eq(&ic->dst, &s->a->target->addr))
		return;
	if (ic->error == EMSGSIZE) {
		unsigned *into =
			ic->is_local ? &s->local_bytes : &s->told_bytes;

		if (*into == 0 || ic->mtu_bytes < *into)
			*into = ic->mtu_bytes;
		return;
	}
	if (ic->is_local)
		return;
	if (addr_ip_eq(&ic->offender, &s->a->target->addr) &&
	    is_port_unreachable(ic)) {
		if (i < ARRAY_LEN(shots))
			note_arrival(s, i);
		return;
	}
	res->offender = ic->offender;
	res->icmp_type = ic->type;
	res->icmp_code = ic->code;
	res->error = ic->error;
}

static const struct net_udp_ops udp_ops = {
	.on_dgram = on_dgram,
	.on_icmp = on_icmp,
};

static void note_error(struct ask_mtu *s, int err)
{
	/* what the own link cannot carry whole is no failure */
	if (err && err != EMSGSIZE && err != EAGAIN)
		s->a->result.error = err;
}

static void send_hello(struct ask_mtu *s)
{
	uint8_t bytes[WIRE_HELLO_BYTES];
	struct wr w = wr_init(bytes, sizeof(bytes));
	struct wire_hello h;

	memcpy(h.session, s->session, sizeof(h.session));
	memcpy(h.nonce, s->session, sizeof(h.nonce));
	wire_hello_put(&w, &h);
	s->a->result.n_sent++;
	note_error(s, net_udp_send(s->plain, &s->a->target->addr, NULL, 0,
	                           wr_slice(&w)));
}

static void send_shot(struct ask_mtu *s, size_t i)
{
	static const uint8_t zeros[MAX_BYTES];
	uint8_t bytes[MAX_BYTES];
	struct wr w = wr_init(bytes, sizeof(bytes));
	struct wire_plain p = {.token = s->token};
	size_t n = payload_bytes(s, i);

	memcpy(p.tag.session, s->session, sizeof(p.tag.session));
	p.tag.shot = (uint16_t)i;
	wire_plain_put(&w, &p);
	wr_put(&w, (struct slice){zeros, n - w.n});
	s->a->result.n_sent++;
	s->n_tries[i]++;
	note_error(s, net_udp_send(shots[i].has_df ? s->df : s->plain,
	                           &s->a->target->addr, NULL, 0, wr_slice(&w)));
}

/* A round is the HELLO, until it is answered, and the shots that are not. */
static void on_tick(void *arg)
{
	struct ask_mtu *s = arg;
	int64_t rtt = s->a->result.rtt_ns;

	if (s->is_over)
		return;
	if (s->at == 0 && !s->is_edge)
		send_hello(s);
	while (s->at < ARRAY_LEN(shots) && is_settled(s, s->at))
		s->at++;
	if (s->at < ARRAY_LEN(shots)) {
		send_shot(s, s->at++);
		net_timer_set(s->tick, GAP_NS);
		return;
	}
	s->at = 0;
	if (rtt == 0)
		rtt = s->a->conf->rtt_ns ? s->a->conf->rtt_ns : RTT_GUESS_NS;
	for (size_t i = 0; i < ARRAY_LEN(shots); i++) {
		if (is_settled(s, i))
			continue;
		if (++s->round < ROUNDS)
			net_timer_set(s->tick, rtt + MARGIN_NS);
		else
			finish(s);
		return;
	}
	finish(s);
}

static void stop(void *state)
{
	struct ask_mtu *s = state;

	net_udp_close(s->plain);
	net_udp_close(s->df);
	net_timer_free(s->tick);
	net_timer_free(s->limit);
}

static int open_all(struct ask_mtu *s)
{
	struct addr any = {.family = s->a->target->addr.family};
	int err;

	if (getrandom(s->session, sizeof(s->session), 0) != sizeof(s->session))
		return EIO;
	err = net_udp_open(&s->plain, &any, NET_UDP_ICMP, &udp_ops, s);
	if (!err)
		err = net_udp_open(&s->df, &any, NET_UDP_ICMP | NET_UDP_DF,
		                   &udp_ops, s);
	if (!err)
		err = net_timer_alloc(&s->tick, on_tick, s);
	if (!err)
		err = net_timer_alloc(&s->limit, on_limit, s);
	return err;
}

static int start(void *state, struct ask *a)
{
	struct ask_mtu *s = state;
	unsigned *left = a->conf->flows_left;
	int err;

	s->a = a;
	if (left && *left < FLOWS) {
		a->result.end = ASK_LOCAL;
		a->result.error = EDQUOT;
		ask_end(a);
		return 0;
	}
	err = open_all(s);
	if (err) {
		stop(s);
		return err;
	}
	if (left)
		*left -= FLOWS;
	s->began_ns = clock_mono_ns();
	net_timer_set(s->tick, 0);
	net_timer_set(s->limit, a->conf->patience_ns);
	return 0;
}

const struct ask_ops ask_mtu = {
	.name = "mtu",
	.summary = N_("how large a datagram may be"),
	.state_bytes = sizeof(struct ask_mtu),
	.start = start,
	.stop = stop,
};
