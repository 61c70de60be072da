/* SPDX-License-Identifier: ISC */
/*
 * Design: some ALGs let only so many requests a second through. One phone's
 * retransmissions hide that, an office's registrations do not. So requests
 * leave in pairs, one to the SIP port and one to the twin: whatever else is
 * slow or lossy on the way meets both alike.
 *
 * A clean network is spared that. There a few ACKs behind the first messages
 * must do: nobody answers an ACK, and how many arrived is told by the
 * report that the edge is asked for anyway. With the requests that every run
 * sends they are ten within a second, and two more follow. Only when one of
 * all these is late or lost is the burst worth its packets.
 */
#include "probe/alg.h"

#include "base/clock.h"
#include "sip/canary.h"

enum {
	GAP_MS = 2,
	RUSH_SHOTS = 3,
	LATE_MIN = 1, /* retries on the SIP port that make it worth asking */
};

struct ladder_spec alg_burst_spec(unsigned road)
{
	return (struct ladder_spec){
		.transport = WIRE_UDP,
		.role = road == ALG_BURST_SIP ? WIRE_ROLE_SIP : WIRE_ROLE_TWIN,
		.what = LADDER_OPTIONS,
		.flags = SIP_CANARY_SHORT,
		.variant = "burst",
	};
}

unsigned alg_burst_answers(const struct alg *a, unsigned road)
{
	unsigned n = 0;

	for (unsigned i = 0; i < a->burst.n_sent; i++)
		n += a->burst.is_answered[i][road];
	return n;
}

bool alg_burst_is_limited(const struct alg *a)
{
	return alg_burst_answers(a, ALG_BURST_SIP) + ALG_BURST_LIMITED <=
	       alg_burst_answers(a, ALG_BURST_TWIN);
}

void alg_burst_take(struct alg *a, unsigned number)
{
	unsigned i = number - ALG_NUM_BURST;

	if (i < a->burst.n_sent * ALG_BURST_ROADS)
		a->burst.is_answered[i / ALG_BURST_ROADS][i % ALG_BURST_ROADS] =
			true;
}

static void send_acks(struct alg *a, unsigned n)
{
	const struct ladder_spec sp = alg_burst_spec(ALG_BURST_SIP);
	struct addr to = alg_udp_target(a, &sp);
	char tag[WIRE_TAG_CHARS];
	struct wr w = wr_init_heap();
	struct sip_canary c = {
		.kind = SIP_CANARY_ACK,
		.flags = SIP_CANARY_SHORT,
		.transport = SIP_UDP,
		.local = a->local,
		.target = to,
		.tag = alg_tag(a, ALG_NUM_RUSH, tag),
		.cseq = ALG_NUM_RUSH,
	};

	if (sip_canary_build(&w, &c))
		n = 0;
	for (unsigned i = 0; i < n; i++)
		alg_send_udp(a, a->udp, &to, ALG_TTL, wr_slice(&w));
	wr_fini(&w);
}

void alg_burst_rush(struct alg *a)
{
	/* behind a NAT one more message follows */
	a->burst.n_rushed = addr_ip_eq(&a->observed, &a->local)
	                            ? RUSH_SHOTS
	                            : RUSH_SHOTS - 1;
	send_acks(a, a->burst.n_rushed);
}

void alg_burst_fill(struct alg *a)
{
	send_acks(a, ALG_BURST_SHOTS);
}

static bool is_rush_lost(const struct alg *a)
{
	return a->burst.is_rush_reported &&
	       a->burst.n_rush_seen < a->burst.n_rushed;
}

static bool is_any_answered(const struct alg *a)
{
	for (size_t i = 0; i < a->ladder.n; i++) {
		const struct ladder_shot *s = &a->ladder.shots[i];

		if (s->spec.transport == WIRE_UDP &&
		    s->spec.role == WIRE_ROLE_SIP && s->is_answered)
			return true;
	}
	return false;
}

static bool is_due(const struct alg *a)
{
	if (!a->has_token || !a->ports->sip || !a->ports->control ||
	    !is_any_answered(a))
		return false; /* a port from which nothing comes has no rate */
	return a->run->conf->is_full || is_rush_lost(a) || a->n_cancels > 1 ||
	       ladder_n_late(&a->ladder) >= LATE_MIN;
}

static void send_pair(struct alg *a)
{
	unsigned i = a->burst.n_sent++;

	for (unsigned road = 0; road < ALG_BURST_ROADS && !a->err; road++) {
		struct ladder_spec sp = alg_burst_spec(road);
		struct addr to = alg_udp_target(a, &sp);
		struct slice bytes;

		a->err = alg_build(&bytes, a, &sp,
		                   ALG_NUM_BURST + i * ALG_BURST_ROADS + road,
		                   &a->local, 0);
		if (!a->err)
			alg_send_udp(a, a->udp, &to, ALG_TTL, bytes);
	}
}

int64_t alg_step_burst(struct alg *a, int64_t now_ns)
{
	struct alg_burst *b = &a->burst;

	if (!a->is_entered) {
		if (!is_due(a))
			return ALG_STEP_OVER;
		b->due_ns = now_ns;
	}
	if (now_ns < b->due_ns)
		return b->due_ns;
	if (b->n_sent == ALG_BURST_SHOTS) {
		b->is_done = true;
		return ALG_STEP_OVER;
	}
	send_pair(a);
	b->due_ns =
		now_ns + (b->n_sent == ALG_BURST_SHOTS ? alg_patience_ns(a)
	                                               : GAP_MS * NS_PER_MS);
	return b->due_ns;
}
