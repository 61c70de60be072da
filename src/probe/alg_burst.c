/* SPDX-License-Identifier: ISC */
/*
 * Design: some ALGs let only so many requests a second through. One phone's
 * retransmissions hide that, an office's registrations do not. So requests
 * leave in pairs, one to the SIP port and one to the twin: whatever else is
 * slow or lossy on the way meets both alike.
 */
#include "probe/alg.h"

#include "base/clock.h"

enum {
	GAP_MS = 2,
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
		bool is_due = a->run->conf->is_full ||
		              ladder_n_late(&a->ladder) >= LATE_MIN;

		if (!is_due || !a->has_token || !a->ports->sip ||
		    !a->ports->control)
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
