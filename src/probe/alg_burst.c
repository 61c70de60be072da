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
 * all these is late or lost is the burst worth its packets. Two of the ACKs
 * carry SDP, from a second phone's port: what refuses media ports refuses
 * those, and only then are calls worth theirs.
 */
#include "probe/alg.h"

#include "base/clock.h"
#include "sip/canary.h"

enum {
	GAP_MS = 2,
	/* with the INVITE's, five streams */
	VIDEOS_TAKEN = 2,
	VIDEOS_MORE = 1,
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

static void send_rush(struct alg *a, unsigned kind, struct sip_canary *c)
{
	const struct ladder_spec sp = alg_burst_spec(ALG_BURST_SIP);
	struct addr to = alg_udp_target(a, &sp);
	struct net_udp *u = kind == ALG_RUSH_PLAIN ? a->udp : a->second;
	char tag[WIRE_TAG_CHARS];
	struct wr w = wr_init_heap();

	c->flags = SIP_CANARY_SHORT;
	c->transport = SIP_UDP;
	c->local = net_udp_local(u);
	c->target = to;
	c->tag = alg_tag(a, ALG_NUM_RUSH + kind, tag);
	c->cseq = ALG_NUM_RUSH;
	if (sip_canary_build(&w, c) == 0)
		alg_send_udp(a, u, &to, ALG_TTL, wr_slice(&w));
	wr_fini(&w);
}

/* Ports below those of the INVITEs: never announced by another. */
static uint16_t spare_port(const struct alg *a, unsigned i)
{
	return (uint16_t)(a->rtp_base - (i + 1) * ALG_RTP_STEP);
}

static int find_invite(const struct alg *a)
{
	return ladder_find(&a->ladder, WIRE_UDP, WIRE_ROLE_SIP, LADDER_INVITE,
	                   NULL);
}

void alg_burst_rush(struct alg *a)
{
	int call = find_invite(a);
	struct sip_canary taken = {.kind = SIP_CANARY_ACK,
	                           .video_port = spare_port(a, 0),
	                           .n_video = VIDEOS_TAKEN};
	struct sip_canary more = {.kind = SIP_CANARY_ACK,
	                          .rtp_port = spare_port(a, 1),
	                          .video_port = spare_port(a, 2),
	                          .n_video = VIDEOS_MORE};

	if (call == LADDER_NONE || !a->ports->sip)
		return;
	taken.rtp_port = a->shots[call].rtp_port;
	send_rush(a, ALG_RUSH_TAKEN, &taken);
	send_rush(a, ALG_RUSH_MORE, &more);
	a->burst.n_rushed = ALG_RUSH_PLAIN;
	if (!addr_ip_eq(&a->observed, &a->local))
		return; /* behind a NAT one more message follows */
	send_rush(a, ALG_RUSH_PLAIN,
	          &(struct sip_canary){.kind = SIP_CANARY_ACK});
	a->burst.n_rushed++;
}

void alg_burst_fill(struct alg *a)
{
	for (unsigned i = 0; i < ALG_BURST_SHOTS; i++)
		send_rush(a, ALG_RUSH_PLAIN,
		          &(struct sip_canary){.kind = SIP_CANARY_ACK});
}

static bool is_rush_lost(const struct alg *a, unsigned from)
{
	for (unsigned i = from; i < a->burst.n_rushed; i++) {
		if (a->burst.is_rush_reported && !a->burst.is_rush_seen[i])
			return true;
	}
	return false;
}

void alg_burst_hang_up(struct alg *a)
{
	struct sip_canary bye = {.kind = SIP_CANARY_BYE};
	int call = find_invite(a);
	struct addr to;

	send_rush(a, ALG_RUSH_TAKEN, &bye);
	if (call == LADDER_NONE)
		return;
	/* its port was announced by the second phone last, and is no more */
	to = alg_udp_target(a, &a->ladder.shots[call].spec);
	alg_send_udp(a, a->udp, &to, ALG_TTL, a->shots[call].sent);
}

bool alg_burst_is_media_lost(const struct alg *a)
{
	return is_rush_lost(a, ALG_RUSH_TAKEN);
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
	return a->run->conf->is_full || is_rush_lost(a, ALG_RUSH_MORE) ||
	       a->n_cancels > 1 || ladder_n_late(&a->ladder) >= LATE_MIN;
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
